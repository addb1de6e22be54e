"""The read API of a validator, with typed answers: ``Client`` and ``AsyncClient``. Needs ``pip install 'aml-miner[client]'``.

Made by ``scripts/validator_client.py`` of the validator's OpenAPI document; not to be changed by hand.

>>> from aml_miner.validator import Client
>>> with Client("http://localhost:8100") as api:
...     day = api.canonical_scores("latest", limit=20)
...     day[0].alert_id, day[0].score, day[0].reason_codes
...     api.miners().miners[0].hotkey
"""

from __future__ import annotations

import sys
import types
from dataclasses import dataclass, fields
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from urllib.parse import quote

try:
    import httpx
except ImportError as error:  # pragma: no cover
    raise ImportError("the client needs httpx: pip install 'aml-miner[client]'") from error

from .client import ApiError

__all__ = [
    "AlertDetail",
    "AlertList",
    "AlertOutcome",
    "ApiError",
    "AsyncClient",
    "Bin",
    "Budget",
    "Calibration",
    "CalibrationBrief",
    "CanonicalRow",
    "CanonicalSummary",
    "Case",
    "CaseList",
    "CheckResult",
    "Client",
    "ClusterDetail",
    "ClusterLine",
    "Cut",
    "Day",
    "DriftAnswer",
    "DriftSlice",
    "Effect",
    "ErrorBody",
    "ErrorCode",
    "Estimate",
    "Evidence",
    "Fact",
    "Fall",
    "Figures",
    "FileEntry",
    "Flow",
    "GroupResult",
    "Health",
    "Held",
    "Information",
    "IssuedGroup",
    "Knot",
    "KnownSoFar",
    "Manifest",
    "Measure",
    "Measures",
    "MemberLine",
    "MinerBrief",
    "MinerDetail",
    "MinerList",
    "MinerRound",
    "MinerTraps",
    "Mix",
    "Month",
    "Named",
    "Node",
    "OnChain",
    "Opinion",
    "OrderPlan",
    "OtherAlert",
    "OtherAlerts",
    "Outcome",
    "Picture",
    "PlanAnswer",
    "Ready",
    "Reason",
    "Reliability",
    "Rest",
    "RiskAlert",
    "RiskAnswer",
    "Role",
    "RoundBrief",
    "RoundDetail",
    "RoundList",
    "RoundMiner",
    "SeenBefore",
    "SettledSummary",
    "Slice",
    "Standing",
    "Traffic",
    "TrapList",
    "ValidationErrorBody",
    "ValidationProblem",
    "Watched",
    "Weight",
    "WeightsAnswer",
    "WeightsEntry",
    "Why",
]

#: Which way a reason moved the scores.
Effect = Literal["raises", "lowers"]


#: What went wrong, for a program.
ErrorCode = Literal["not_found", "method_not_allowed", "not_acceptable", "too_slow", "invalid_request", "busy", "unauthorized", "too_many_requests", "internal"]


#: What came of one miner in one round.
Outcome = Literal["accepted", "rejected", "refused", "timed_out", "unreachable", "not_serving", "too_large", "not_asked"]


#: What an address is in a picture.
Role = Literal["focus", "member", "other"]


@dataclass(frozen=True)
class AlertDetail:
    """One alert in full."""
    #: Share of them with a lower rank.
    above: float
    #: The alert with its score, probability, rank and reasons.
    alert: CanonicalRow
    #: Day of the batch.
    date: str
    #: Alerts of the round.
    of: int
    #: The round.
    round: str
    #: Alerts of the same address in this round and those of the year before.
    same_address: OtherAlerts
    #: Alerts of the same clusters in this round.
    same_clusters: OtherAlerts
    #: What the probability rests on.
    calibration: CalibrationBrief | None = None
    #: What the batch says; null where it is not kept here any more.
    evidence: Evidence | None = None
    #: The money flow around its address; null where the batch is not kept, or has none.
    flows: Picture | None = None
    #: Why it has no reasons; null where it has.
    no_reasons: str | None = None
    #: What each miner with a voice said; null until the round is settled, and where it is not kept.
    opinions: list[Opinion] | None = None
    #: What became known of it; null while nothing is.
    outcome: AlertOutcome | None = None
    #: What is remembered of its address.
    seen_before: SeenBefore | None = None


@dataclass(frozen=True)
class AlertList:
    """Alerts of a round."""
    #: Those of this page.
    alerts: list[CanonicalRow]
    #: Day of the batch.
    date: str
    #: Those that fit.
    found: int
    #: The round.
    round: str
    #: Severities of the round, alike.
    severities: list[Named]
    #: Alerts of the round.
    total: int
    #: Typologies of the round, those of most alerts first, at most 50.
    typologies: list[Named]
    #: Value of `after` for the next page; null on the last one.
    next_after: int | None = None


@dataclass(frozen=True)
class AlertOutcome:
    """What became known of an alert."""
    #: Whether it was confirmed illicit.
    confirmed: bool


@dataclass(frozen=True)
class Bin:
    """Alerts of like probability."""
    #: Share that turned out illicit.
    came: float
    #: Its upper end.
    high: float
    #: Illicit ones among them.
    illicit: int
    #: Lower end of the interval of 90 % around that share.
    low: float
    #: Outcomes that are known.
    outcomes: int
    #: Mean of what was told.
    told: float


@dataclass(frozen=True)
class Budget:
    """What so many reviews a day find."""
    #: Confirmed cases a day among them.
    found: Estimate
    #: Share of the reviewed whose outcome is known.
    known: float
    #: Confirmed cases a day among the next 100 reviews.
    next: float
    #: Confirmed ones among those whose outcome is known.
    precision: Estimate
    #: Share of all confirmed ones that are found.
    recall: Estimate
    #: Reviews a day.
    reviews: int


@dataclass(frozen=True)
class Calibration:
    """The curve of a round, with what it was learned from."""
    #: Addresses that they are of.
    addresses: int
    #: What counts was known here at this time, in milliseconds since 1970: when the round was opened.
    as_of_ms: int
    #: How many days are looked back.
    days: int
    #: Illicit ones among them.
    illicit: int
    #: The curve, scores rising; empty while too little is known.
    knots: list[Knot]
    #: How many of each class are needed.
    least: int
    #: Outcomes.
    outcomes: int
    #: Outcomes of the rarer class, an address counting once.
    rarer: float
    #: The round that it is for.
    round: str
    #: Days of the rounds with outcomes that were used, oldest first.
    rounds: list[str]
    #: Version of the formulas.
    version: int


@dataclass(frozen=True)
class CalibrationBrief:
    """What the probabilities of a round rest on."""
    #: Days that are looked back.
    days: int
    #: Illicit ones among them.
    illicit: int
    #: Whether enough is known to tell probabilities.
    known: bool
    #: How many of each class are needed.
    least: int
    #: Outcomes of earlier rounds that were known when the round was opened.
    outcomes: int
    #: Outcomes of the rarer class, an address counting once.
    rarer: float
    #: Rounds that they are of.
    rounds: int
    #: Version of the formulas.
    version: int


@dataclass(frozen=True)
class CanonicalRow:
    """The canonical score of one alert."""
    #: The address it is about; empty where the batch names none.
    address: str
    #: Id of the alert.
    alert_id: str
    #: Weighted standard deviation of the miners' scores.
    deviation: float
    #: How many hotkeys contributed.
    miners: int
    #: 1 is the most urgent; equal scores go by alert id.
    rank: int
    #: Weighted mean of the miners' scores: a probability.
    score: float
    #: `low`, `medium`, `high`, `critical`, or empty.
    severity: str
    #: What kind of behaviour.
    typology: str
    #: The probability that the alert is confirmed, given that its outcome becomes known; null while too little is known to say so.
    probability: float | None = None
    #: Upper end of its interval.
    probability_high: float | None = None
    #: Lower end of its interval.
    probability_low: float | None = None
    #: Codes of its reasons, the strongest first; not there of a round that was published without reasons.
    reason_codes: list[str] | None = None
    #: Its reasons, the strongest first, at most five; not there of a round that was published without reasons.
    reasons: list[Reason] | None = None


@dataclass(frozen=True)
class CanonicalSummary:
    """The canonical scores of a round in outline."""
    #: How many there are.
    alerts: int
    #: Hotkeys that contributed.
    contributors: int
    #: Mean of the miners' standard deviation.
    deviation: float
    #: How many fall into each twentieth from 0 to 1.
    histogram: list[int]
    #: Their mean.
    mean: float
    #: Rules they were made under.
    rules: str
    #: What is remembered of their addresses, of those that anything is remembered of.
    seen_before: list[SeenBefore]
    #: The most urgent alerts.
    top: list[CanonicalRow]


@dataclass(frozen=True)
class Case:
    """Alerts that belong together."""
    #: The addresses, those of the most urgent alerts first, at most a hundred.
    address_list: list[str]
    #: How many addresses it has.
    addresses: int
    #: Its most urgent alert, by whose id it is known on this day.
    alert_id: str
    #: Their ids, the most urgent first, at most a hundred.
    alert_ids: list[str]
    #: How many alerts it has.
    alerts: int
    #: 1 is the most urgent: by the most urgent of its alerts.
    place: int
    #: Rank of that alert.
    rank: int
    #: Score of that alert, the highest.
    score: float
    #: The highest severity of its alerts.
    severity: str
    #: Kinds of behaviour, by name.
    typologies: list[str]
    #: Probability of that alert; null while too little is known.
    probability: float | None = None


@dataclass(frozen=True)
class CaseList:
    """The cases of a day."""
    #: `address`, or `cluster` where clusters hold addresses together too.
    by: str
    #: The cases, the most urgent first.
    cases: list[Case]
    #: Its day.
    date: str
    #: The round.
    round: str
    #: How many cases the day has.
    total: int
    #: Value of `after` for the next page; null on the last one.
    next_after: int | None = None


@dataclass(frozen=True)
class CheckResult:
    """One of tier 1's checks."""
    #: What was looked at.
    check: str
    #: Whether it was passed.
    passed: bool
    #: What is wrong.
    fault: str | None = None


@dataclass(frozen=True)
class ClusterDetail:
    """One cluster in full."""
    #: Its alerts, the most urgent first.
    alerts: OtherAlerts
    #: Its id.
    cluster_id: str
    #: Day of the batch.
    date: str
    #: What the batch says of it.
    facts: list[Fact]
    #: Its addresses, the most urgent first.
    members: list[MemberLine]
    #: How many more there are.
    more_members: int
    #: The round.
    round: str
    #: The money flow around its addresses; null where the batch has none.
    flows: Picture | None = None


@dataclass(frozen=True)
class ClusterLine:
    """A cluster in one line."""
    #: Their addresses.
    addresses: int
    #: Its alerts.
    alerts: int
    #: Its id.
    cluster_id: str
    #: Why its alerts belong together.
    kind: str
    #: Money that they are about; null where the batch does not say.
    volume_usd: float | None = None


@dataclass(frozen=True)
class Cut:
    """Where a queue is cut so that a wanted share of it is confirmed."""
    #: The share that was wanted.
    wanted: float
    #: The most reviews a day that keep to it; null when not even the fewest do.
    budget: Budget | None = None


@dataclass(frozen=True)
class Day:
    """A miner's mean score on one day."""
    #: Which day.
    date: str
    #: Mean score of its rounds.
    score: float


@dataclass(frozen=True)
class DriftAnswer:
    """Months of scores."""
    #: How many figures of its slices fell.
    fallen: int
    #: The months, newest first.
    months: list[Month]
    #: Precision is that of so many reviews a day.
    reviews: int
    #: Days that the batches' features look back.
    window_days: int
    #: The newest month whose slices could be held against the month before; null where there is none yet.
    compared: str | None = None


@dataclass(frozen=True)
class DriftSlice:
    """A slice of a month."""
    #: `typology`, `network`, `severity`, `age` or `volume`.
    by: str
    #: Its figures.
    figures: Figures
    #: Which.
    name: str
    #: Whether it is that of all names that have no slice of their own, and `name` is no name but `others`.
    rest: bool
    #: Its part of the alerts of which it is known.
    share: float
    #: Its AUC in the month before.
    auc_before: Measure | None = None
    #: Its precision in the month before.
    precision_before: Measure | None = None


@dataclass(frozen=True)
class ErrorBody:
    """An error."""
    #: What went wrong, for a program.
    code: ErrorCode
    #: What went wrong, for a person.
    detail: str
    #: Names this request in the log.
    request_id: str


@dataclass(frozen=True)
class Estimate:
    """A number with its interval of 90 %."""
    #: Upper end.
    high: float
    #: Lower end.
    low: float
    #: The number.
    value: float


@dataclass(frozen=True)
class Evidence:
    """What the batch says of an alert."""
    #: What is known of the address.
    address: list[Fact]
    #: What it found: of the alert, of its evidence, of its address. Only what the batch has.
    alert: list[Fact]
    #: Clusters that the alert or its address is in.
    clusters: list[ClusterLine]
    #: What the detector says, for a person.
    description: str
    #: Entries of the detector's own evidence.
    details: list[Fact]
    #: Indicators that were raised.
    indicators: list[str]


@dataclass(frozen=True)
class Fact:
    """A value that the batch has, in plain words."""
    #: Column of the batch.
    column: str
    #: What it means.
    meaning: str
    #: The value.
    value: str


@dataclass(frozen=True)
class Fall:
    """A figure that fell."""
    #: In the month before.
    before: float
    #: `typology`, `network`, `severity`, `age` or `volume`.
    by: str
    #: How much of the difference chance explains: 3.3 standard errors of it.
    chance: float
    #: `auc` or `precision`.
    figure: str
    #: Which slice.
    name: str
    #: In this month.
    now: float


@dataclass(frozen=True)
class Figures:
    """Figures of a month, or of a slice of it."""
    #: Alerts.
    alerts: int
    #: Illicit ones among them.
    illicit: int
    #: Outcomes that are known, of settled rounds.
    outcomes: int
    #: Alerts among the most urgent ones of each day, as many as were asked for, whose outcome is known.
    reviewed: int
    #: Their mean score.
    score: float
    #: Area under the ROC curve; null with too few outcomes.
    auc: Measure | None = None
    #: Mean distance of told and came over bins; null with fewer than ten outcomes.
    calibration_error: float | None = None
    #: Share of illicit ones among the same alerts.
    came: float | None = None
    #: Share of illicit ones among them; null with too few.
    precision: Measure | None = None
    #: Murphy's resolution of the probabilities: how far their bins are from the share of all; null likewise.
    resolution: float | None = None
    #: The same of the scores of the same alerts.
    score_resolution: float | None = None
    #: Mean probability of the alerts whose outcome is known; null where none was told.
    told: float | None = None
    #: The tenth of these alerts with the highest probabilities alone; null likewise.
    top: Bin | None = None


@dataclass(frozen=True)
class FileEntry:
    """One file of a published round."""
    #: Its length.
    bytes: int
    #: Rows in it.
    rows: int
    #: Its SHA-256, 64 lower-case hex digits.
    sha256: str


@dataclass(frozen=True)
class Flow:
    """Money that went from one address to another within the window."""
    #: In which assets, at most three.
    assets: list[str]
    #: Who paid.
    from_: str
    #: Who was paid.
    to: str
    #: The first of them, in milliseconds since 1970.
    first_ms: int | None = None
    #: The last of them.
    last_ms: int | None = None
    #: Transactions; null where the batch does not say.
    transactions: float | None = None
    #: How much, in US dollars; null where the batch does not say.
    usd: float | None = None


@dataclass(frozen=True)
class GroupResult:
    """One of tier 2's groups."""
    #: The group.
    name: str
    #: Whether that is enough.
    passed: bool
    #: Share of its alerts that were where they should be.
    share: float


@dataclass(frozen=True)
class Health:
    """Whether the process lives."""
    #: The validator.
    hotkey: str
    #: The subnet.
    netuid: int
    #: Always `alive`.
    status: str
    #: Its version.
    version: str


@dataclass(frozen=True)
class Held:
    """What was told, held against the outcomes that are known now. None of them was used for the curve."""
    #: The probabilities; null where the round has none, or too few outcomes are known.
    probability: Reliability | None = None
    #: The raw scores, read as if they were probabilities.
    score: Reliability | None = None


@dataclass(frozen=True)
class Information:
    """The parts of a miner's pay on one day under rules v2."""
    #: `b`: how far its order goes with the outcomes of the window, from -1 to 1.
    b: float
    #: `c`: what of `b` is beyond chance.
    c: float
    #: Whether its scores are probabilities, 0 to 1.
    calibration: float
    #: Rounds of the window in which it counted.
    counted: int
    #: Illicit ones among them.
    illicit: float
    #: Whether that is enough to pay for information.
    known: bool
    #: Share of the newest rounds in which it counted and was alive.
    lately: float
    #: The part of a knee that it has to itself: 1 when nobody is like it.
    mass: float
    #: Outcomes of the window, an address counting once.
    outcomes: float
    #: These as a share of the window's rounds.
    part: float
    #: What it is paid for.
    points: float
    #: 0.2 tier 1 + 0.3 traps + 0.5 calibration.
    quality: float
    #: The round whose day is paid.
    round: str
    #: Share of the day's pay.
    share: float
    #: Mean of tier 1 over the last thirty days.
    tier1: float
    #: Share of the voice in the round's canonical scores.
    voice: float
    #: `w`: weight of its column in the best combination.
    w: float
    #: All of this in words.
    why: list[Why]
    #: `z` standard errors: what of `b` is chance.
    z_error: float
    #: What a new miner may expect.
    first_days: str | None = None
    #: Why it had none: `unknown`, `lifeless`, `level` or `unsteady`.
    muted: str | None = None
    #: Mean advantage on traps; null where there were none.
    traps: float | None = None


@dataclass(frozen=True)
class IssuedGroup:
    """Traps that belong together."""
    #: `high` or `low`: where they should be found.
    expected: str
    #: What they are.
    name: str
    #: Their places.
    places: list[int]


@dataclass(frozen=True)
class Knot:
    """What a group of alerts with like scores came to."""
    #: Its upper end.
    high: float
    #: Lower end of the interval of 90 % around the share.
    low: float
    #: How many outcomes.
    outcomes: int
    #: Mean of their scores.
    score: float
    #: Share of illicit ones, made non-decreasing.
    share: float


@dataclass(frozen=True)
class KnownSoFar:
    """Outcomes that are known so far."""
    #: Illicit ones among them.
    illicit: int
    #: Outcomes.
    outcomes: int
    #: As of.
    as_of: str | None = None


@dataclass(frozen=True)
class Manifest:
    """What a published round consists of."""
    #: SHA-256 of the `META.json` of the batch that was scored.
    batch: str
    #: Each contributor's weight in the ensemble, by hotkey; they add up to 1.
    contributors: dict[str, float]
    #: The files, by name.
    files: dict[str, FileEntry]
    #: The validator's hotkey, which signs.
    hotkey: str
    #: When it was made, RFC 3339 in UTC.
    made_at: str
    #: The round, `NETUID-YYYY-MM-DD-WINDOW`.
    round: str
    #: Rules the scores were made under.
    rules: str
    #: How the hotkey signs: `sr25519` or `ed25519`.
    scheme: str
    #: Over everything else: 128 hex digits.
    signature: str


@dataclass(frozen=True)
class Measure:
    """A figure from outcomes, with its standard error; outcomes of one address are taken for one."""
    #: Its standard error.
    error: float
    #: Its upper end.
    high: float
    #: Lower end of the interval of 90 %.
    low: float
    #: The figure.
    value: float


@dataclass(frozen=True)
class Measures:
    """Tier 3 in detail."""
    #: Area under the ROC curve.
    auc: float
    #: Brier score.
    brier: float
    #: Expected calibration error over ten bins.
    ece: float
    #: Logarithmic loss.
    log_loss: float
    #: Normalised discounted cumulative gain at the rules' cut-off.
    ndcg: float
    #: The rules' mixture.
    score: float


@dataclass(frozen=True)
class MemberLine:
    """A member of a cluster."""
    #: Its address.
    address: str
    #: Its alerts in this round.
    alerts: int
    #: The highest of their scores.
    highest: float | None = None


@dataclass(frozen=True)
class MinerBrief:
    """One miner in one round, in one line."""
    #: What is watched, not scored.
    observations: Watched
    #: What came of it.
    outcome: Outcome
    #: What the round adds to performance: from 0 to 0.5 before it is settled, to 1 afterwards. Copies are paid a part.
    score: float
    #: How long the answer took.
    took_ms: int
    #: Its uid at that moment.
    uid: int
    #: Version of the model, as the miner calls it.
    model_version: str | None = None
    #: Why it does not count.
    reason: str | None = None
    #: Share of tier 1's checks that were passed.
    tier1: float | None = None
    #: Share of tier 2's groups that were passed.
    tier2: float | None = None
    #: Tier 3, once the round is settled.
    tier3: float | None = None
    #: What went over the line; absent of a miner that was not called, and of rounds of older programs.
    traffic: Traffic | None = None


@dataclass(frozen=True)
class MinerDetail:
    """One miner."""
    #: Failures in a row, where there are any.
    failures: int
    #: Who.
    hotkey: str
    #: Its rounds, newest first.
    rounds: list[MinerRound]
    #: When it was first seen on chain.
    first_seen_at: str | None = None
    #: Why it is paid what it is paid; null where the newest round is not under rules v2, or does not know it.
    information: Information | None = None
    #: Until when it is left alone after them.
    left_alone_until: str | None = None
    #: Value of `before` for the next page; null on the last one.
    next_before: str | None = None
    #: SHA-256 of the key that its receipts are known by.
    receipt_key: str | None = None
    #: What a registration costs now, in TAO; null where the chain was not read or does not say.
    registration_price_tao: float | None = None
    #: Where it stands; null without a round in the last days.
    standing: Standing | None = None


@dataclass(frozen=True)
class MinerList:
    """The leaderboard."""
    #: The last day that counts.
    as_of: str
    #: The miners, best first.
    miners: list[Standing]
    #: Days that performance looks back on.
    performance_days: int
    #: Miners in all.
    total: int
    #: Value of `offset` for the next page; null on the last one.
    next_offset: int | None = None


@dataclass(frozen=True)
class MinerRound:
    """One miner in one round."""
    #: What is watched, not scored.
    observations: Watched
    #: What came of it.
    outcome: Outcome
    #: What the round adds to performance: from 0 to 0.5 before it is settled, to 1 afterwards. Copies are paid a part.
    score: float
    #: How long the answer took.
    took_ms: int
    #: Its uid at that moment.
    uid: int
    #: Its day.
    date: str
    #: The round.
    round: str
    #: Whether it is settled.
    settled: bool
    #: Whether it was run without setting weights.
    shadow: bool
    #: Version of the model, as the miner calls it.
    model_version: str | None = None
    #: Why it does not count.
    reason: str | None = None
    #: Share of tier 1's checks that were passed.
    tier1: float | None = None
    #: Share of tier 2's groups that were passed.
    tier2: float | None = None
    #: Tier 3, once the round is settled.
    tier3: float | None = None
    #: What went over the line; absent of a miner that was not called, and of rounds of older programs.
    traffic: Traffic | None = None


@dataclass(frozen=True)
class MinerTraps:
    """The traps of one miner."""
    #: The groups.
    groups: list[IssuedGroup]
    #: Whose.
    hotkey: str
    #: Places in its list of alerts, and the ids that stand there.
    issued: list[list[Any]]


@dataclass(frozen=True)
class Mix:
    """How a month's alerts are made up in a dimension, against the month before."""
    #: `typology`, `network`, `severity`, `age` or `volume`.
    by: str
    #: Alerts of which it is known.
    known: int
    #: Population stability index against the month before; null without one, or with too few alerts in one of them.
    psi: float | None = None


@dataclass(frozen=True)
class Month:
    """A month."""
    #: How many figures of slices could be held against the month before.
    compared: int
    #: Those that are lower by more than chance explains.
    falls: list[Fall]
    #: All alerts together.
    figures: Figures
    #: What the alerts are made of.
    mix: list[Mix]
    #: As in `2026-01`.
    month: str
    #: Scores below which a tenth, a half, nine tenths and 99 % of the alerts are.
    quantiles: list[float]
    #: Rounds that count.
    rounds: int
    #: Alerts by score, in ten bins from 0 to 1.
    scores: list[int]
    #: Settled ones among them: outcomes are those of them alone.
    settled: int
    #: By slice, the largest of each dimension first.
    slices: list[DriftSlice]
    #: Population stability index of the scores against the month before; null without one, or with too few alerts in one of them.
    psi: float | None = None


@dataclass(frozen=True)
class Named:
    """A name of a column, and how many alerts have it."""
    #: Alerts that have it.
    alerts: int
    #: The name; empty of alerts that have none.
    name: str


@dataclass(frozen=True)
class Node:
    """An address of a picture."""
    #: The address.
    address: str
    #: What it paid the focus.
    paid_usd: float
    #: What the focus paid it, in US dollars.
    received_usd: float
    #: What it is here.
    role: Role


@dataclass(frozen=True)
class OnChain:
    """The weights that this validator has on chain."""
    #: The finalised block that was read last.
    block: int
    #: Blocks of an epoch.
    tempo: int
    #: The weights, by uid.
    weights: list[Weight]
    #: Their age in tempos; to be looked into above 3.
    age_tempos: float | None = None
    #: Block of the last confirmed weights; without any, of the hotkey's last update.
    last_update: int | None = None


@dataclass(frozen=True)
class Opinion:
    """What one miner with a voice said, and where that puts the alert among all."""
    #: Share of the round's alerts that it scores lower.
    above: float
    #: Whether that is within a tenth of the share that has a lower canonical score: then its reasons count.
    agrees: bool
    #: Who.
    hotkey: str
    #: Its score.
    score: float
    #: Its share of the canonical score.
    voice: float


@dataclass(frozen=True)
class OrderPlan:
    """What an order of alerts gives."""
    #: By reviews a day.
    budgets: list[Budget]
    #: Days that it could be followed on.
    days: int
    #: `canonical`, `confidence` or `severity`.
    order: str


@dataclass(frozen=True)
class OtherAlert:
    """Another alert of the same address or cluster."""
    #: Its address.
    address: str
    #: Its id.
    alert_id: str
    #: The round that scored it.
    round: str
    #: Its canonical score.
    score: float
    #: `low`, `medium`, `high`, `critical`, or empty.
    severity: str
    #: What kind of behaviour.
    typology: str
    #: Whether it was confirmed; null while that is not known.
    confirmed: bool | None = None
    #: Its probability in its own round.
    probability: float | None = None


@dataclass(frozen=True)
class OtherAlerts:
    """Other alerts, the newest or most urgent first."""
    #: Those that are shown.
    alerts: list[OtherAlert]
    #: How many more there are.
    more: int


@dataclass(frozen=True)
class Picture:
    """The part of the flow that is shown."""
    #: What went between them, the largest amounts first. One from an address to itself is among them.
    flows: list[Flow]
    #: Members in the middle that are not named.
    more_members: int
    #: The addresses, what it is about first, then by amount.
    nodes: list[Node]
    #: Who else there is.
    rest: Rest


@dataclass(frozen=True)
class PlanAnswer:
    """What reviews find."""
    #: Alerts a day.
    alerts: float
    #: Confirmed ones among them.
    confirmed: int
    #: By order: the canonical one, and those that there are without it.
    orders: list[OrderPlan]
    #: Outcomes that are known of them.
    outcomes: int
    #: The settled rounds that it comes from, newest first.
    rounds: list[str]
    #: The same by typology and severity.
    slices: list[Slice]
    #: What the team finds in the canonical order.
    team: Budget
    #: Where to cut for a wanted share of confirmed ones; null when none was wanted.
    cut: Cut | None = None


@dataclass(frozen=True)
class Ready:
    """Whether the validator does its work."""
    #: Whether nothing is wrong.
    ready: bool
    #: What is wrong.
    reasons: list[str]
    #: The finalised block that was seen last.
    block: int | None = None
    #: For how long the chain has stood there.
    block_age_s: int | None = None
    #: Age of the weights in tempos.
    weights_age_tempos: float | None = None


@dataclass(frozen=True)
class Reason:
    """A reason of an alert, as it is told."""
    #: Code of the catalogue, `docs/reasons.md`.
    code: str
    #: Whether it raises or lowers the scores.
    effect: Effect
    #: Share of all voices that name it, 0.05 to 1.
    support: float
    #: The same in plain words.
    text: str
    #: What the batch says, as a name; null where that is a number.
    name: str | None = None
    #: What the batch says, as a number; null where that is a name.
    value: float | None = None


@dataclass(frozen=True)
class Reliability:
    """What was told, held against what came."""
    #: The bins, from the lowest probabilities.
    bins: list[Bin]
    #: Brier score.
    brier: float
    #: Mean distance of told and came over the bins, weighted by outcomes.
    error: float
    #: Illicit ones among them.
    illicit: int
    #: Outcomes that are known.
    outcomes: int
    #: Murphy's reliability: squared distance of told and came.
    reliability: float
    #: Murphy's resolution: how far bins are from the mean share.
    resolution: float
    #: The tenth with the highest probabilities.
    top: Bin


@dataclass(frozen=True)
class Rest:
    """Counterparties that are not named."""
    #: How many.
    addresses: int
    #: What they paid the focus.
    paid_usd: float
    #: What the focus paid them, in US dollars.
    received_usd: float


@dataclass(frozen=True)
class RiskAlert:
    """One alert about the address."""
    #: Its id.
    alert_id: str
    #: The round it was scored in.
    round: str
    #: Its canonical score.
    score: float
    #: `low`, `medium`, `high`, `critical`, or empty.
    severity: str
    #: What kind of behaviour.
    typology: str


@dataclass(frozen=True)
class RiskAnswer:
    """The risk of an address."""
    #: The address.
    address: str
    #: The alerts, highest score first. Of an alert in several rounds the newest counts.
    alerts: list[RiskAlert]
    #: The chance that at least one case is right, were cases independent. Alerts of one typology are one case, with the highest of their
    #: scores.
    any: float
    #: How many cases there are.
    cases: int
    #: Days that were looked back on.
    days: int
    #: The highest score.
    highest: float
    #: Mean of the scores, weighted by severity.
    mean: float
    #: From 0 to 1: 0.4 highest + 0.3 mean + 0.3 any.
    risk: float


@dataclass(frozen=True)
class RoundBrief:
    """A round in a few numbers."""
    #: Miners whose submission counts.
    accepted: int
    #: Alerts of the batch.
    alerts: int
    #: Miners that were asked.
    asked: int
    #: SHA-256 of the batch's `META.json`.
    batch: str
    #: Day of the batch.
    date: str
    #: `NETUID-YYYY-MM-DD-WINDOW`.
    id: str
    #: When it began, RFC 3339 in UTC.
    opened_at: str
    #: Rules it is judged under.
    rules: str
    #: Whether it was run without setting weights.
    shadow: bool
    #: `published` or `settled`.
    step: str
    #: Days that its features look back.
    window_days: int
    #: When sealed answers opened; absent where answers were open.
    answers_open_at: str | None = None
    #: When answers stopped to count.
    deadline_at: str | None = None
    #: When its canonical scores were published.
    published_at: str | None = None
    #: When it was settled.
    settled_at: str | None = None


@dataclass(frozen=True)
class RoundDetail:
    """A round in full."""
    #: Its miners, by score, then hotkey.
    miners: list[RoundMiner]
    #: In a few numbers.
    round: RoundBrief
    #: What its probabilities rest on; null of a round that was published without.
    calibration: CalibrationBrief | None = None
    #: The canonical scores; null when no submission counted.
    canonical: CanonicalSummary | None = None
    #: SHA-256 over salt and trap list, fixed before any miner was asked.
    commitment: str | None = None
    #: What was told, held against the outcomes that are known now; null while there are too few.
    held: Held | None = None
    #: What is known so far, where rules count outcomes as they come.
    known: KnownSoFar | None = None
    #: The salt, 64 hex digits; null until the round is settled. `/rounds/{id}/traps` has the trap list.
    salt: str | None = None
    #: Why the round counts for nobody, where it is void or late.
    set_aside: str | None = None
    #: What became known; null until the round is settled.
    settlement: SettledSummary | None = None


@dataclass(frozen=True)
class RoundList:
    """Rounds, newest first."""
    #: The rounds.
    rounds: list[RoundBrief]
    #: Value of `before` for the next page; null on the last one.
    next_before: str | None = None


@dataclass(frozen=True)
class RoundMiner:
    """One miner of a round, in full."""
    #: What is watched, not scored.
    observations: Watched
    #: What came of it.
    outcome: Outcome
    #: What the round adds to performance: from 0 to 0.5 before it is settled, to 1 afterwards. Copies are paid a part.
    score: float
    #: How long the answer took.
    took_ms: int
    #: Its uid at that moment.
    uid: int
    #: Tier 1 in detail.
    checks: list[CheckResult]
    #: Tier 2 in detail; empty until the round is settled.
    groups: list[GroupResult]
    #: Who.
    hotkey: str
    #: Version of the model, as the miner calls it.
    model_version: str | None = None
    #: Why it does not count.
    reason: str | None = None
    #: Share of tier 1's checks that were passed.
    tier1: float | None = None
    #: Share of tier 2's groups that were passed.
    tier2: float | None = None
    #: Tier 3, once the round is settled.
    tier3: float | None = None
    #: What went over the line; absent of a miner that was not called, and of rounds of older programs.
    traffic: Traffic | None = None
    #: Tier 3 in detail; null until the round is settled, or without a submission that counts.
    settlement: Measures | None = None
    #: Its weight in the ensemble; null when it contributes nothing.
    weight: float | None = None


@dataclass(frozen=True)
class SeenBefore:
    """What is remembered of the address of an urgent alert."""
    #: Its address.
    address: str
    #: The alert.
    alert_id: str
    #: Rounds of the seven days before in whose ten most urgent alerts the address stands, newest first.
    rounds: list[str]
    #: Outcome of the address's newest alert that was known before the round's day: whether it was confirmed illicit.
    confirmed: bool | None = None


@dataclass(frozen=True)
class SettledSummary:
    """What became known of a round."""
    #: Alerts that did not.
    clean: int
    #: Alerts that turned out illicit.
    illicit: int
    #: Rules it was settled under.
    rules: str
    #: The canonical scores against the outcomes.
    canonical: Measures | None = None


@dataclass(frozen=True)
class Slice:
    """What so many reviews a day find of one kind of alerts, in the canonical order of all."""
    #: Alerts a day.
    alerts: float
    #: `typology` or `severity`.
    by: str
    #: Confirmed ones that are known, over all days.
    confirmed: int
    #: Which.
    name: str
    #: Confirmed ones among the reviewed whose outcome is known.
    precision: Estimate
    #: Share of the confirmed ones that are found.
    recall: Estimate
    #: Reviewed ones a day.
    reviewed: float


@dataclass(frozen=True)
class Standing:
    """Where a miner stands."""
    #: By day, oldest first.
    days: list[Day]
    #: The same, where copies share what one of them would earn: what weights are set by.
    earned: float
    #: Who.
    hotkey: str
    #: Mean score over its rounds of the last days.
    performance: float
    #: 1 is the best, by share under rules v2, by performance under v1; equal ones go by hotkey.
    rank: int
    #: How many rounds that are.
    rounds: int
    #: How many of them are settled.
    settled: int
    #: Share of the weights that it would get now; null when the chain was not read, or it is not registered. Under rules v2 its share of
    #: the newest round's pay, before shares of those that are gone are divided.
    share: float | None = None
    #: Mean of tier 1 over the rounds in which its submission counted.
    tier1: float | None = None
    #: Mean of tier 2 over the rounds that had traps for it.
    tier2: float | None = None
    #: Mean of tier 3 over the settled rounds.
    tier3: float | None = None
    #: Its uid, as the chain was read last; null when it is not registered.
    uid: int | None = None


@dataclass(frozen=True)
class Traffic:
    """What went over the line between the validator and a miner in a round, without heads."""
    #: Bytes of the answer, as they came.
    received_bytes: int
    #: Bytes of bodies that went out, in all attempts.
    sent_bytes: int
    #: The form of the task that was sent last: `json`, or `arrow`, which is packed.
    task_form: str


@dataclass(frozen=True)
class TrapList:
    """The traps of a settled round. The commitment is SHA-256 over the 32 bytes of the salt, followed by `traps`, or by `common` where
    there is one, as JSON without spaces, fields in this order.
    """
    #: The round.
    round: str
    #: The salt, 64 hex digits.
    salt: str
    #: By ascending public key of the miners, where each has traps of its own (rules v1).
    traps: list[MinerTraps]
    #: What was fixed before any miner was asked.
    commitment: str | None = None
    #: The one list of all miners (rules v2): `alerts`, `clusters` and `patterns` with what each id stands for, `groups` by place, and the
    #: SHA-256 of the request's `body`.
    common: dict[str, Any] | None = None


@dataclass(frozen=True)
class ValidationErrorBody:
    """Values that do not make a request."""
    #: What went wrong, for a program.
    code: ErrorCode
    #: Up to 20 problems.
    detail: list[ValidationProblem]
    #: Names this request in the log.
    request_id: str


@dataclass(frozen=True)
class ValidationProblem:
    """One problem with a value."""
    #: The value that was given; a long one is cut.
    input: Any
    #: The way to the value: `body`, `path` or `query`, then keys and indices.
    loc: list[Any]
    #: What is wrong, for a person.
    msg: str
    #: What is wrong, for a program.
    type: str


@dataclass(frozen=True)
class Watched:
    """What is watched, not scored under rules v1."""
    #: Rank correlation with the same hotkey's scores of the day before.
    agreement: float | None = None
    #: Hotkeys whose submissions are one with this one, itself included: they share one reward.
    copies: int | None = None
    #: Entropy of the scores, from 0 to 1.
    entropy: float | None = None
    #: Share of neighbouring severities whose median scores rise.
    monotonicity: float | None = None
    #: Highest likeness to a submission of another hotkey.
    similarity: float | None = None


@dataclass(frozen=True)
class Weight:
    """One weight."""
    #: Receiver.
    uid: int
    #: In 65535ths of the largest.
    value: int
    #: Its hotkey, as the chain was read last.
    hotkey: str | None = None


@dataclass(frozen=True)
class WeightsAnswer:
    """Weights on chain and in the ledger."""
    #: The validator.
    hotkey: str
    #: Its mechanism.
    mechanism: int
    #: The subnet.
    netuid: int
    #: The submissions, newest first.
    submissions: list[WeightsEntry]
    #: Whether the chain shows what the ledger confirmed last; null when either is not known.
    agrees: bool | None = None
    #: What the chain shows; null when it was not read yet.
    on_chain: OnChain | None = None


@dataclass(frozen=True)
class WeightsEntry:
    """One submission, as the ledger has it."""
    #: The epoch it is for, by its first block.
    epoch: int
    #: When it was recorded, RFC 3339 in UTC.
    made_at: str
    #: How it gets on chain: `plain`, `hash_commit` or `timelocked`.
    route: str
    #: `planned`, `committed`, `timelocked`, `confirmed` or `failed`.
    state: str
    #: SHA-256 of the vector.
    vector: str
    #: Block of the commit, or in which the weights took effect.
    block: int | None = None
    #: The block from which the chain reveals a timelocked commit.
    reveal_from: int | None = None
    #: The vector, once the chain shows it.
    weights: list[Weight] | None = None
    #: Why it failed.
    why: str | None = None


@dataclass(frozen=True)
class Why:
    """A sentence."""
    #: What it is about, for programs.
    about: str
    #: For people.
    text: str

_HINTS: dict[type, dict[str, Any]] = {}


def _hints(kind: type) -> dict[str, Any]:
    if kind not in _HINTS:
        _HINTS[kind] = get_type_hints(kind, vars(sys.modules[__name__]))
    return _HINTS[kind]


def _plain(name: str) -> str:
    return name[:-1] if name.endswith("_") else name


def _read(kind: Any, told: Any, at: str) -> Any:
    """``told`` as ``kind``. Keys that are not known are passed over: a newer validator may say more."""
    origin = get_origin(kind)
    if kind is Any:
        return told
    if origin in (Union, types.UnionType):
        if told is None:
            return None
        return _read(next(one for one in get_args(kind) if one is not type(None)), told, at)
    if origin is list:
        if not isinstance(told, list):
            raise ValueError(f"{at}: a list is wanted, {told!r:.60} was given")
        return [_read(get_args(kind)[0], one, f"{at}[{place}]") for place, one in enumerate(told)]
    if origin is dict or kind is dict:
        if not isinstance(told, dict):
            raise ValueError(f"{at}: an object is wanted, {told!r:.60} was given")
        inner = get_args(kind)[1] if origin is dict else Any
        return {name: _read(inner, one, f"{at}.{name}") for name, one in told.items()}
    if origin is Literal:
        # A newer validator may know more words.
        kind = str
    if hasattr(kind, "__dataclass_fields__"):
        if not isinstance(told, dict):
            raise ValueError(f"{at}: an object is wanted, {told!r:.60} was given")
        hints, values = _hints(kind), {}
        for field in fields(kind):
            name = _plain(field.name)
            if name in told:
                values[field.name] = _read(hints[field.name], told[name], f"{at}.{name}")
        try:
            return kind(**values)
        except TypeError as error:
            raise ValueError(f"{at}: {error}") from error
    if kind is float and isinstance(told, int) and not isinstance(told, bool):
        return float(told)
    if type(told) is not kind:
        raise ValueError(f"{at}: {kind.__name__} is wanted, {told!r:.60} was given")
    return told


def _refusal(response: httpx.Response) -> ApiError:
    try:
        told = response.json()
        detail, code, request_id = told["detail"], told.get("code"), told.get("request_id")
    except (ValueError, KeyError, TypeError, AttributeError):
        detail, code, request_id = response.text[:200], None, None
    if isinstance(detail, list):
        text = "; ".join(f"{'.'.join(str(step) for step in one.get('loc', []))}: {one.get('msg')}" for one in detail if isinstance(one, dict))
    else:
        text = str(detail)
    request_id = request_id or response.headers.get("x-request-id")
    return ApiError(f"{response.status_code}: {text}", status=response.status_code, code=code, detail=detail, request_id=request_id)


def _typed(kind: Any, response: httpx.Response, also: tuple[int, ...] = ()) -> Any:
    if response.status_code != 200 and response.status_code not in also:
        raise _refusal(response)
    try:
        return _read(kind, response.json(), "$")
    except ValueError as error:
        raise ApiError(f"the answer cannot be read: {error}", status=response.status_code) from error


def _text(response: httpx.Response) -> str:
    if response.status_code != 200:
        raise _refusal(response)
    return response.text


def _bytes(response: httpx.Response) -> bytes:
    if response.status_code != 200:
        raise _refusal(response)
    return response.content


def _query(**given: Any) -> dict[str, str]:
    return {name: str(value) for name, value in given.items() if value is not None}


def _settings(url: str, timeout: float, token: str | None, transport: Any) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return {"base_url": url, "timeout": timeout, "headers": headers, "transport": transport}


def _lost(error: httpx.HTTPError) -> ApiError:
    return ApiError(f"no answer: {str(error) or type(error).__name__}")


class Client:
    """A client of the validator's read API. ``token`` is what ``validator.readers`` wants, where it wants one; ``timeout`` is seconds."""

    def __init__(self, url: str = "http://localhost:8100", *, timeout: float = 60.0, token: str | None = None, transport: httpx.BaseTransport | None = None):
        self._http = httpx.Client(**_settings(url, timeout, token, transport))

    def alerts(self, round: str, *, q: str | None = None, typology: str | None = None, severity: str | None = None, sort: str | None = None, limit: int | None = None, after: int | None = None) -> AlertList:
        """Alerts of a round. Those whose id or address has a text in it, of a typology, of a severity; in one of several orders.
        ``round``: `NETUID-YYYY-MM-DD-WINDOW`. ``q``: Stands in the id or the address, in whatever case; at most 1,024 bytes.
        ``typology``: The whole name of the typology. ``severity``: The whole name of the severity. ``sort``: `rank`, `severity`,
        `typology`, `address`, `alert_id` or `deviation`, the other way round with `-` in front; `rank` unless given. Equal ones are
        in the order of their ranks. ``limit``: Alerts of a page, from 1 to 1000; 100 unless given. ``after``: Only alerts after this
        place of what is found.
        """
        return _typed(AlertList, self._get(f"/alerts/{quote(round, safe='')}", _query(q=q, typology=typology, severity=severity, sort=sort, limit=limit, after=after), "application/json"))

    def alert(self, round: str, id: str) -> AlertDetail:
        """One alert. Score, probability and rank, what the batch says of it, its address and its clusters, the money flow around the
        address, other alerts of the address and the clusters, and what came of it, once that is known. What single miners said is
        shown once the round is settled. ``round``: `NETUID-YYYY-MM-DD-WINDOW`. ``id``: Id of the alert.
        """
        return _typed(AlertDetail, self._get(f"/alerts/{quote(round, safe='')}/{quote(id, safe='')}", _query(), "application/json"))

    def canonical_scores(self, date: str, *, window_days: int | None = None, limit: int | None = None, after: int | None = None) -> list[CanonicalRow]:
        """Canonical scores of a day. The whole day in the order of the batch, as JSON, CSV or Parquet: byte for byte the file that the
        signed manifest names. `latest` stands for the newest day. With `limit` or `after` it is an excerpt by rank, and `Link` names
        the next one. ``date``: Day of the batch, YYYY-MM-DD, or `latest`. ``window_days``: Which batch, where a day has several.
        ``limit``: Only so many rows, the most urgent first. ``after``: Only rows below this rank, the most urgent first.
        """
        return _typed(list[CanonicalRow], self._get(f"/canonical/{quote(date, safe='')}", _query(window_days=window_days, limit=limit, after=after), "application/json"))

    def canonical_scores_as(self, date: str, *, media: Literal["application/json", "application/vnd.apache.parquet", "text/csv"], window_days: int | None = None, limit: int | None = None, after: int | None = None) -> bytes:
        """The bytes of another form. Canonical scores of a day. The whole day in the order of the batch, as JSON, CSV or Parquet: byte
        for byte the file that the signed manifest names. `latest` stands for the newest day. With `limit` or `after` it is an excerpt
        by rank, and `Link` names the next one. ``date``: Day of the batch, YYYY-MM-DD, or `latest`. ``window_days``: Which batch,
        where a day has several. ``limit``: Only so many rows, the most urgent first. ``after``: Only rows below this rank, the most
        urgent first.
        """
        return _bytes(self._get(f"/canonical/{quote(date, safe='')}", _query(window_days=window_days, limit=limit, after=after), media))

    def canonical_calibration(self, date: str, *, window_days: int | None = None) -> Calibration:
        """What the probabilities of a day come from. The curve that was learned from outcomes of earlier days: byte for byte the
        `calibration.json` that the signed manifest names. ``date``: Day of the batch, YYYY-MM-DD, or `latest`. ``window_days``: Which
        batch, where a day has several.
        """
        return _typed(Calibration, self._get(f"/canonical/{quote(date, safe='')}/calibration", _query(window_days=window_days), "application/json"))

    def canonical_manifest(self, date: str, *, window_days: int | None = None) -> Manifest:
        """Signed manifest of a day. What was published: digest, length and rows of every file, signed by the validator's hotkey.
        ``date``: Day of the batch, YYYY-MM-DD, or `latest`. ``window_days``: Which batch, where a day has several.
        """
        return _typed(Manifest, self._get(f"/canonical/{quote(date, safe='')}/manifest", _query(window_days=window_days), "application/json"))

    def cases(self, date: str, *, by: str | None = None, limit: int | None = None, after: int | None = None, window_days: int | None = None) -> CaseList:
        """Cases of a day. Alerts by actor: those of one address, and, where the batch is kept, of addresses that a cluster holds
        together. As CSV no cell is taken for a formula by a spreadsheet. ``date``: Day of the batch, YYYY-MM-DD, or `latest`. ``by``:
        `address` or `cluster`; `cluster` unless given. ``limit``: Cases of a page, from 1 to 1000; 100 unless given. ``after``: Only
        cases after this place. ``window_days``: Which batch, where a day has several.
        """
        return _typed(CaseList, self._get(f"/cases/{quote(date, safe='')}", _query(by=by, limit=limit, after=after, window_days=window_days), "application/json"))

    def cases_as(self, date: str, *, media: Literal["application/json", "text/csv"], by: str | None = None, limit: int | None = None, after: int | None = None, window_days: int | None = None) -> bytes:
        """The bytes of another form. Cases of a day. Alerts by actor: those of one address, and, where the batch is kept, of addresses
        that a cluster holds together. As CSV no cell is taken for a formula by a spreadsheet. ``date``: Day of the batch, YYYY-MM-DD,
        or `latest`. ``by``: `address` or `cluster`; `cluster` unless given. ``limit``: Cases of a page, from 1 to 1000; 100 unless
        given. ``after``: Only cases after this place. ``window_days``: Which batch, where a day has several.
        """
        return _bytes(self._get(f"/cases/{quote(date, safe='')}", _query(by=by, limit=limit, after=after, window_days=window_days), media))

    def cluster(self, round: str, id: str) -> ClusterDetail:
        """One cluster. What the batch says of it, its alerts with their scores, its addresses, and the money flow around them.
        ``round``: `NETUID-YYYY-MM-DD-WINDOW`. ``id``: Id of the cluster.
        """
        return _typed(ClusterDetail, self._get(f"/clusters/{quote(round, safe='')}/{quote(id, safe='')}", _query(), "application/json"))

    def drift(self, *, months: int | None = None, reviews: int | None = None, window_days: int | None = None) -> DriftAnswer:
        """Drift and slices. By calendar month: how scores are distributed, whether probabilities held, AUC and precision, the same by
        typology, network, severity, age of the address and volume, population stability against the month before, and which slices
        fell. ``months``: Months, from 1 to 24; 6 unless given. ``reviews``: Precision of so many reviews a day: 10, 25, 50, 100, 200,
        300, 400, 500, 750 or 1000; 100 unless given. ``window_days``: Rounds of this window; unless given, of the one with most
        rounds that count.
        """
        return _typed(DriftAnswer, self._get("/drift", _query(months=months, reviews=reviews, window_days=window_days), "application/json"))

    def health(self) -> Health:
        """Health. Always 200 while the process lives."""
        return _typed(Health, self._get("/health", _query(), "application/json"))

    def guide(self) -> str:
        """A guide for language models. What this API has, where it is described, and what scores are not."""
        return _text(self._get("/llms.txt", _query(), "text/plain"))

    def metrics(self) -> str:
        """Metrics. The validator's numbers in Prometheus' text form."""
        return _text(self._get("/metrics", _query(), "text/plain"))

    def miners(self, *, limit: int | None = None, offset: int | None = None) -> MinerList:
        """Leaderboard. Miners by what the newest round pays them under rules v2; under v1 by performance, the mean of their rounds of
        the last days. ``limit``: Miners of a page, from 1 to 1024; 256 unless given. ``offset``: How many to pass over.
        """
        return _typed(MinerList, self._get("/miners", _query(limit=limit, offset=offset), "application/json"))

    def miner(self, hotkey: str, *, limit: int | None = None, before: str | None = None) -> MinerDetail:
        """One miner. Where it stands and how it fared, round by round, newest first. A page ends with a whole day. ``hotkey``: The
        miner's hotkey, an ss58 address. ``limit``: Rounds of a page, from 1 to 100; 30 unless given. ``before``: Only days before
        this one, YYYY-MM-DD.
        """
        return _typed(MinerDetail, self._get(f"/miners/{quote(hotkey, safe='')}", _query(limit=limit, before=before), "application/json"))

    def plan(self, *, days: int | None = None, reviews: int | None = None, precision: float | None = None) -> PlanAnswer:
        """What a budget buys. Confirmed cases against reviews a day over settled days, with precision, recall and intervals, in the
        canonical order, by the detector's own confidence and by severity. ``days``: Settled days, from 1 to 60; 30 unless given.
        ``reviews``: Reviews a day of the team, from 1 to 10000; 100 unless given. ``precision``: Wanted share of confirmed ones among
        the reviewed, from 0 to 1.
        """
        return _typed(PlanAnswer, self._get("/plan", _query(days=days, reviews=reviews, precision=precision), "application/json"))

    def queue(self, system: str, date: str, *, limit: int | None = None, after: int | None = None, tenant: str | None = None, window_days: int | None = None) -> list[dict[str, Any]]:
        """Alerts for a case system. The most urgent alerts of a day, each with its case: as objects of a table for Marble, as JSON lines
        for Jube and Tazama, as CSV in which no cell is taken for a formula by a spreadsheet. `Link` names the next page. ``system``:
        `marble`, `jube`, `tazama` or `sheet`. ``date``: Day of the batch, YYYY-MM-DD, or `latest`. ``limit``: Alerts, from 1 to
        10000, for Marble to 100; 100 unless given. ``after``: Only alerts below this rank. ``tenant``: Tazama: UUID of the tenant.
        ``window_days``: Which batch, where a day has several.
        """
        return _typed(list[dict[str, Any]], self._get(f"/queues/{quote(system, safe='')}/{quote(date, safe='')}", _query(limit=limit, after=after, tenant=tenant, window_days=window_days), "application/json"))

    def queue_as(self, system: str, date: str, *, media: Literal["application/json", "application/x-ndjson", "text/csv"], limit: int | None = None, after: int | None = None, tenant: str | None = None, window_days: int | None = None) -> bytes:
        """The bytes of another form. Alerts for a case system. The most urgent alerts of a day, each with its case: as objects of a
        table for Marble, as JSON lines for Jube and Tazama, as CSV in which no cell is taken for a formula by a spreadsheet. `Link`
        names the next page. ``system``: `marble`, `jube`, `tazama` or `sheet`. ``date``: Day of the batch, YYYY-MM-DD, or `latest`.
        ``limit``: Alerts, from 1 to 10000, for Marble to 100; 100 unless given. ``after``: Only alerts below this rank. ``tenant``:
        Tazama: UUID of the tenant. ``window_days``: Which batch, where a day has several.
        """
        return _bytes(self._get(f"/queues/{quote(system, safe='')}/{quote(date, safe='')}", _query(limit=limit, after=after, tenant=tenant, window_days=window_days), media))

    def ready(self) -> Ready:
        """Readiness. 503, and what is wrong, when the ledger does not answer, the chain stands still, the hotkey is not registered or
        may not set weights, or weights are old.
        """
        return _typed(Ready, self._get("/ready", _query(), "application/json"), (503,))

    def address_risk(self, address: str, *, days: int | None = None) -> RiskAnswer:
        """Risk of an address. From the canonical scores of its alerts in published rounds. ``address``: The address, as alerts name it.
        ``days``: How far to look back, from 1 to 365; 30 unless given.
        """
        return _typed(RiskAnswer, self._get(f"/risk/address/{quote(address, safe='')}", _query(days=days), "application/json"))

    def rounds(self, *, limit: int | None = None, before: str | None = None) -> RoundList:
        """Published rounds. Newest first. A page ends with a whole day, so it may be a little longer than `limit`. ``limit``: Rounds of
        a page, from 1 to 100; 30 unless given. ``before``: Only days before this one, YYYY-MM-DD.
        """
        return _typed(RoundList, self._get("/rounds", _query(limit=limit, before=before), "application/json"))

    def round(self, id: str) -> RoundDetail:
        """One round. Its miners, the canonical scores in outline, and, once it is settled, what became known and which groups of traps
        each miner found. ``id``: `NETUID-YYYY-MM-DD-WINDOW`.
        """
        return _typed(RoundDetail, self._get(f"/rounds/{quote(id, safe='')}", _query(), "application/json"))

    def evidence(self, id: str) -> bytes:
        """Evidence of a round. A signed ZIP file with everything that the canonical scores come from, what each miner said of each alert
        included: `docs/evidence.md` has its form, `scripts/check_evidence.py` checks it offline. There is one once the round can
        change no more. ``id``: `NETUID-YYYY-MM-DD-WINDOW`.
        """
        return _bytes(self._get(f"/rounds/{quote(id, safe='')}/evidence", _query(), "application/zip"))

    def traps(self, id: str) -> TrapList:
        """Traps of a settled round. Salt and trap list, so that anybody can check them against the commitment that was fixed before
        miners were asked. ``id``: `NETUID-YYYY-MM-DD-WINDOW`.
        """
        return _typed(TrapList, self._get(f"/rounds/{quote(id, safe='')}/traps", _query(), "application/json"))

    def weights(self, *, limit: int | None = None) -> WeightsAnswer:
        """Weights. The weights that this validator has on chain, and its submissions, newest first. A vector is shown once the chain
        shows it. ``limit``: Submissions, from 1 to 100; 20 unless given.
        """
        return _typed(WeightsAnswer, self._get("/weights", _query(limit=limit), "application/json"))

    def close(self) -> None:
        """Ends its connections."""
        self._http.close()

    def _get(self, path: str, query: dict[str, str], accept: str) -> httpx.Response:
        try:
            return self._http.get(path, params=query, headers={"accept": accept})
        except httpx.HTTPError as error:
            raise _lost(error) from error

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncClient:
    """As :class:`Client`, for ``asyncio``."""

    def __init__(self, url: str = "http://localhost:8100", *, timeout: float = 60.0, token: str | None = None, transport: httpx.AsyncBaseTransport | None = None):
        self._http = httpx.AsyncClient(**_settings(url, timeout, token, transport))

    async def alerts(self, round: str, *, q: str | None = None, typology: str | None = None, severity: str | None = None, sort: str | None = None, limit: int | None = None, after: int | None = None) -> AlertList:
        """Alerts of a round. Those whose id or address has a text in it, of a typology, of a severity; in one of several orders.
        ``round``: `NETUID-YYYY-MM-DD-WINDOW`. ``q``: Stands in the id or the address, in whatever case; at most 1,024 bytes.
        ``typology``: The whole name of the typology. ``severity``: The whole name of the severity. ``sort``: `rank`, `severity`,
        `typology`, `address`, `alert_id` or `deviation`, the other way round with `-` in front; `rank` unless given. Equal ones are
        in the order of their ranks. ``limit``: Alerts of a page, from 1 to 1000; 100 unless given. ``after``: Only alerts after this
        place of what is found.
        """
        return _typed(AlertList, await self._get(f"/alerts/{quote(round, safe='')}", _query(q=q, typology=typology, severity=severity, sort=sort, limit=limit, after=after), "application/json"))

    async def alert(self, round: str, id: str) -> AlertDetail:
        """One alert. Score, probability and rank, what the batch says of it, its address and its clusters, the money flow around the
        address, other alerts of the address and the clusters, and what came of it, once that is known. What single miners said is
        shown once the round is settled. ``round``: `NETUID-YYYY-MM-DD-WINDOW`. ``id``: Id of the alert.
        """
        return _typed(AlertDetail, await self._get(f"/alerts/{quote(round, safe='')}/{quote(id, safe='')}", _query(), "application/json"))

    async def canonical_scores(self, date: str, *, window_days: int | None = None, limit: int | None = None, after: int | None = None) -> list[CanonicalRow]:
        """Canonical scores of a day. The whole day in the order of the batch, as JSON, CSV or Parquet: byte for byte the file that the
        signed manifest names. `latest` stands for the newest day. With `limit` or `after` it is an excerpt by rank, and `Link` names
        the next one. ``date``: Day of the batch, YYYY-MM-DD, or `latest`. ``window_days``: Which batch, where a day has several.
        ``limit``: Only so many rows, the most urgent first. ``after``: Only rows below this rank, the most urgent first.
        """
        return _typed(list[CanonicalRow], await self._get(f"/canonical/{quote(date, safe='')}", _query(window_days=window_days, limit=limit, after=after), "application/json"))

    async def canonical_scores_as(self, date: str, *, media: Literal["application/json", "application/vnd.apache.parquet", "text/csv"], window_days: int | None = None, limit: int | None = None, after: int | None = None) -> bytes:
        """The bytes of another form. Canonical scores of a day. The whole day in the order of the batch, as JSON, CSV or Parquet: byte
        for byte the file that the signed manifest names. `latest` stands for the newest day. With `limit` or `after` it is an excerpt
        by rank, and `Link` names the next one. ``date``: Day of the batch, YYYY-MM-DD, or `latest`. ``window_days``: Which batch,
        where a day has several. ``limit``: Only so many rows, the most urgent first. ``after``: Only rows below this rank, the most
        urgent first.
        """
        return _bytes(await self._get(f"/canonical/{quote(date, safe='')}", _query(window_days=window_days, limit=limit, after=after), media))

    async def canonical_calibration(self, date: str, *, window_days: int | None = None) -> Calibration:
        """What the probabilities of a day come from. The curve that was learned from outcomes of earlier days: byte for byte the
        `calibration.json` that the signed manifest names. ``date``: Day of the batch, YYYY-MM-DD, or `latest`. ``window_days``: Which
        batch, where a day has several.
        """
        return _typed(Calibration, await self._get(f"/canonical/{quote(date, safe='')}/calibration", _query(window_days=window_days), "application/json"))

    async def canonical_manifest(self, date: str, *, window_days: int | None = None) -> Manifest:
        """Signed manifest of a day. What was published: digest, length and rows of every file, signed by the validator's hotkey.
        ``date``: Day of the batch, YYYY-MM-DD, or `latest`. ``window_days``: Which batch, where a day has several.
        """
        return _typed(Manifest, await self._get(f"/canonical/{quote(date, safe='')}/manifest", _query(window_days=window_days), "application/json"))

    async def cases(self, date: str, *, by: str | None = None, limit: int | None = None, after: int | None = None, window_days: int | None = None) -> CaseList:
        """Cases of a day. Alerts by actor: those of one address, and, where the batch is kept, of addresses that a cluster holds
        together. As CSV no cell is taken for a formula by a spreadsheet. ``date``: Day of the batch, YYYY-MM-DD, or `latest`. ``by``:
        `address` or `cluster`; `cluster` unless given. ``limit``: Cases of a page, from 1 to 1000; 100 unless given. ``after``: Only
        cases after this place. ``window_days``: Which batch, where a day has several.
        """
        return _typed(CaseList, await self._get(f"/cases/{quote(date, safe='')}", _query(by=by, limit=limit, after=after, window_days=window_days), "application/json"))

    async def cases_as(self, date: str, *, media: Literal["application/json", "text/csv"], by: str | None = None, limit: int | None = None, after: int | None = None, window_days: int | None = None) -> bytes:
        """The bytes of another form. Cases of a day. Alerts by actor: those of one address, and, where the batch is kept, of addresses
        that a cluster holds together. As CSV no cell is taken for a formula by a spreadsheet. ``date``: Day of the batch, YYYY-MM-DD,
        or `latest`. ``by``: `address` or `cluster`; `cluster` unless given. ``limit``: Cases of a page, from 1 to 1000; 100 unless
        given. ``after``: Only cases after this place. ``window_days``: Which batch, where a day has several.
        """
        return _bytes(await self._get(f"/cases/{quote(date, safe='')}", _query(by=by, limit=limit, after=after, window_days=window_days), media))

    async def cluster(self, round: str, id: str) -> ClusterDetail:
        """One cluster. What the batch says of it, its alerts with their scores, its addresses, and the money flow around them.
        ``round``: `NETUID-YYYY-MM-DD-WINDOW`. ``id``: Id of the cluster.
        """
        return _typed(ClusterDetail, await self._get(f"/clusters/{quote(round, safe='')}/{quote(id, safe='')}", _query(), "application/json"))

    async def drift(self, *, months: int | None = None, reviews: int | None = None, window_days: int | None = None) -> DriftAnswer:
        """Drift and slices. By calendar month: how scores are distributed, whether probabilities held, AUC and precision, the same by
        typology, network, severity, age of the address and volume, population stability against the month before, and which slices
        fell. ``months``: Months, from 1 to 24; 6 unless given. ``reviews``: Precision of so many reviews a day: 10, 25, 50, 100, 200,
        300, 400, 500, 750 or 1000; 100 unless given. ``window_days``: Rounds of this window; unless given, of the one with most
        rounds that count.
        """
        return _typed(DriftAnswer, await self._get("/drift", _query(months=months, reviews=reviews, window_days=window_days), "application/json"))

    async def health(self) -> Health:
        """Health. Always 200 while the process lives."""
        return _typed(Health, await self._get("/health", _query(), "application/json"))

    async def guide(self) -> str:
        """A guide for language models. What this API has, where it is described, and what scores are not."""
        return _text(await self._get("/llms.txt", _query(), "text/plain"))

    async def metrics(self) -> str:
        """Metrics. The validator's numbers in Prometheus' text form."""
        return _text(await self._get("/metrics", _query(), "text/plain"))

    async def miners(self, *, limit: int | None = None, offset: int | None = None) -> MinerList:
        """Leaderboard. Miners by what the newest round pays them under rules v2; under v1 by performance, the mean of their rounds of
        the last days. ``limit``: Miners of a page, from 1 to 1024; 256 unless given. ``offset``: How many to pass over.
        """
        return _typed(MinerList, await self._get("/miners", _query(limit=limit, offset=offset), "application/json"))

    async def miner(self, hotkey: str, *, limit: int | None = None, before: str | None = None) -> MinerDetail:
        """One miner. Where it stands and how it fared, round by round, newest first. A page ends with a whole day. ``hotkey``: The
        miner's hotkey, an ss58 address. ``limit``: Rounds of a page, from 1 to 100; 30 unless given. ``before``: Only days before
        this one, YYYY-MM-DD.
        """
        return _typed(MinerDetail, await self._get(f"/miners/{quote(hotkey, safe='')}", _query(limit=limit, before=before), "application/json"))

    async def plan(self, *, days: int | None = None, reviews: int | None = None, precision: float | None = None) -> PlanAnswer:
        """What a budget buys. Confirmed cases against reviews a day over settled days, with precision, recall and intervals, in the
        canonical order, by the detector's own confidence and by severity. ``days``: Settled days, from 1 to 60; 30 unless given.
        ``reviews``: Reviews a day of the team, from 1 to 10000; 100 unless given. ``precision``: Wanted share of confirmed ones among
        the reviewed, from 0 to 1.
        """
        return _typed(PlanAnswer, await self._get("/plan", _query(days=days, reviews=reviews, precision=precision), "application/json"))

    async def queue(self, system: str, date: str, *, limit: int | None = None, after: int | None = None, tenant: str | None = None, window_days: int | None = None) -> list[dict[str, Any]]:
        """Alerts for a case system. The most urgent alerts of a day, each with its case: as objects of a table for Marble, as JSON lines
        for Jube and Tazama, as CSV in which no cell is taken for a formula by a spreadsheet. `Link` names the next page. ``system``:
        `marble`, `jube`, `tazama` or `sheet`. ``date``: Day of the batch, YYYY-MM-DD, or `latest`. ``limit``: Alerts, from 1 to
        10000, for Marble to 100; 100 unless given. ``after``: Only alerts below this rank. ``tenant``: Tazama: UUID of the tenant.
        ``window_days``: Which batch, where a day has several.
        """
        return _typed(list[dict[str, Any]], await self._get(f"/queues/{quote(system, safe='')}/{quote(date, safe='')}", _query(limit=limit, after=after, tenant=tenant, window_days=window_days), "application/json"))

    async def queue_as(self, system: str, date: str, *, media: Literal["application/json", "application/x-ndjson", "text/csv"], limit: int | None = None, after: int | None = None, tenant: str | None = None, window_days: int | None = None) -> bytes:
        """The bytes of another form. Alerts for a case system. The most urgent alerts of a day, each with its case: as objects of a
        table for Marble, as JSON lines for Jube and Tazama, as CSV in which no cell is taken for a formula by a spreadsheet. `Link`
        names the next page. ``system``: `marble`, `jube`, `tazama` or `sheet`. ``date``: Day of the batch, YYYY-MM-DD, or `latest`.
        ``limit``: Alerts, from 1 to 10000, for Marble to 100; 100 unless given. ``after``: Only alerts below this rank. ``tenant``:
        Tazama: UUID of the tenant. ``window_days``: Which batch, where a day has several.
        """
        return _bytes(await self._get(f"/queues/{quote(system, safe='')}/{quote(date, safe='')}", _query(limit=limit, after=after, tenant=tenant, window_days=window_days), media))

    async def ready(self) -> Ready:
        """Readiness. 503, and what is wrong, when the ledger does not answer, the chain stands still, the hotkey is not registered or
        may not set weights, or weights are old.
        """
        return _typed(Ready, await self._get("/ready", _query(), "application/json"), (503,))

    async def address_risk(self, address: str, *, days: int | None = None) -> RiskAnswer:
        """Risk of an address. From the canonical scores of its alerts in published rounds. ``address``: The address, as alerts name it.
        ``days``: How far to look back, from 1 to 365; 30 unless given.
        """
        return _typed(RiskAnswer, await self._get(f"/risk/address/{quote(address, safe='')}", _query(days=days), "application/json"))

    async def rounds(self, *, limit: int | None = None, before: str | None = None) -> RoundList:
        """Published rounds. Newest first. A page ends with a whole day, so it may be a little longer than `limit`. ``limit``: Rounds of
        a page, from 1 to 100; 30 unless given. ``before``: Only days before this one, YYYY-MM-DD.
        """
        return _typed(RoundList, await self._get("/rounds", _query(limit=limit, before=before), "application/json"))

    async def round(self, id: str) -> RoundDetail:
        """One round. Its miners, the canonical scores in outline, and, once it is settled, what became known and which groups of traps
        each miner found. ``id``: `NETUID-YYYY-MM-DD-WINDOW`.
        """
        return _typed(RoundDetail, await self._get(f"/rounds/{quote(id, safe='')}", _query(), "application/json"))

    async def evidence(self, id: str) -> bytes:
        """Evidence of a round. A signed ZIP file with everything that the canonical scores come from, what each miner said of each alert
        included: `docs/evidence.md` has its form, `scripts/check_evidence.py` checks it offline. There is one once the round can
        change no more. ``id``: `NETUID-YYYY-MM-DD-WINDOW`.
        """
        return _bytes(await self._get(f"/rounds/{quote(id, safe='')}/evidence", _query(), "application/zip"))

    async def traps(self, id: str) -> TrapList:
        """Traps of a settled round. Salt and trap list, so that anybody can check them against the commitment that was fixed before
        miners were asked. ``id``: `NETUID-YYYY-MM-DD-WINDOW`.
        """
        return _typed(TrapList, await self._get(f"/rounds/{quote(id, safe='')}/traps", _query(), "application/json"))

    async def weights(self, *, limit: int | None = None) -> WeightsAnswer:
        """Weights. The weights that this validator has on chain, and its submissions, newest first. A vector is shown once the chain
        shows it. ``limit``: Submissions, from 1 to 100; 20 unless given.
        """
        return _typed(WeightsAnswer, await self._get("/weights", _query(limit=limit), "application/json"))

    async def close(self) -> None:
        """Ends its connections."""
        await self._http.aclose()

    async def _get(self, path: str, query: dict[str, str], accept: str) -> httpx.Response:
        try:
            return await self._http.get(path, params=query, headers={"accept": accept})
        except httpx.HTTPError as error:
            raise _lost(error) from error

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
