#!/usr/bin/env python3
"""What came out of the demo: from the ledger and the chain by aml-subnet's own commands, canonical scores from the
validator's API. Used by scripts/demo.sh.

    results.py ... step-of DATE          prints how far the newest round of a day is; nothing when there is none
    results.py ... paid-after DATE       succeeds when the chain shows weights made after the round of a day
    results.py ... summary               prints who earned what and why
    results.py ... check                 checks that it makes sense; the last line counts
"""
import argparse
import json
import os
import pathlib
import shlex
import subprocess
import sys
import urllib.request

TOP = 10
REASONS = 3
# Rules v2: standard errors that a correlation must exceed, and the least mean advantage on traps that is paid.
Z, WORTHY = 2.0, 0.25
# What a good model and its noisy copy may earn together, against the good one alone.
MOST_WITH_COPY = 1.05
OWN, CLEVER = ("shipped", "weaker", "random"), ("copy", "stale")


class Subnet:
    """aml-subnet's commands, and the read API beside them."""

    def __init__(self, command: str, flags: str, api: str):
        self.command, self.flags, self.api = command, shlex.split(flags), api.rstrip("/")

    def ask(self, *words):
        run = subprocess.run([self.command, *words, *self.flags, "--json"], capture_output=True, text=True, timeout=60)
        if run.returncode != 0:
            raise SystemExit(f"{' '.join(words)}: {run.stderr.strip()}")
        return json.loads(run.stdout)

    def works(self, *words) -> bool:
        return subprocess.run([self.command, *words, *self.flags], capture_output=True, timeout=60).returncode == 0

    def get(self, path: str):
        # Never through a proxy of the environment: it is on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        request = urllib.request.Request(self.api + path, headers={"accept": "application/json"})
        with opener.open(request, timeout=20) as answer:
            return json.load(answer)

    def round_of(self, date: str):
        return next((one for one in self.ask("rounds") if f"-{date}-" in one["id"]), None)


class Round:
    """One round, as `aml-subnet round show` tells it."""

    def __init__(self, subnet: Subnet, date: str, names: dict):
        self.date, self.id = date, subnet.round_of(date)["id"]
        shown = subnet.ask("round", "show", self.id)
        self.step = shown["round"]["step"]
        self.verdicts = {names.get(v["hotkey"], v["hotkey"]): v for v in shown["verdicts"]}

    def accepted(self, name: str) -> bool:
        return "Ok" in self.verdicts.get(name, {}).get("accepted", {})


class Exported:
    """The ledger as `aml-subnet export` wrote it."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder

    def rows(self, table: str):
        with open(self.folder / f"{table}.jsonl") as lines:
            return [json.loads(line) for line in lines]

    def newest(self, table: str, round_id: str) -> dict:
        """What was said last about a round."""
        own = [row for row in self.rows(table) if row["round"] == round_id]
        return max(own, key=lambda row: row["made_ms"])["packed"]


class Results:
    """Everything that the summary and the checks look at."""

    def __init__(self, subnet: Subnet, options):
        self.names = json.loads(options.names.read_text())
        self.yesterday = Round(subnet, options.past, self.names)
        self.today = Round(subnet, options.today, self.names)
        self.replayed = [subnet.works("replay", "--round", one.id) for one in (self.yesterday, self.today)]
        self.weights = subnet.ask("weights", "show")
        self.folder = options.export
        exported = Exported(options.export)
        self.rounds = exported.rows("rounds")
        self.shares, self.standing = (exported.newest(table, self.today.id) for table in ("shares", "standings"))
        self.before = {kind: self.shares_of(path) for kind, path in (("without", options.without), ("with", options.with_copy))}
        scores = subnet.get(f"/canonical/{options.today}")
        self.scores = sorted(scores, key=lambda row: row["rank"])
        answers = json.loads(options.explained.read_text())
        self.explained = {answer["alert_id"]: json.loads(answer["explain_json"]) for answer in answers}

    def name(self, hotkey) -> str:
        return self.names.get(hotkey) or f"{hotkey[:6]}…"

    def miners(self) -> list:
        """Everybody who was asked today, the best paid first."""
        share = lambda name: -self.share(name).get("share", 0.0)
        return sorted((name for name in self.names.values() if name != "validator"), key=share)

    def hotkey(self, name: str) -> str:
        return next(hotkey for hotkey, known in self.names.items() if known == name)

    def share(self, name: str) -> dict:
        return self.shares["miners"].get(self.hotkey(name), {})

    def priced(self, name: str) -> dict:
        return self.standing["miners"].get(self.hotkey(name), {}).get("priced", {})

    def error(self) -> float:
        """One standard error of a correlation."""
        return self.standing["number"] ** -0.5 if self.standing["number"] else float("inf")

    def shares_of(self, path) -> dict:
        """Each miner's share of the weights that `weights show` would set."""
        rows = json.loads(path.read_text())["weights"]
        return {self.name(row["hotkey"]): row["share"] for row in rows}

    def uids(self) -> dict:
        return {verdict["uid"]: name for name, verdict in self.today.verdicts.items()}

    def paid(self) -> dict:
        """Each miner's share of the weights on chain; a weight of 0 only fills the vector up."""
        weights = [weight for weight in self.weights["on_chain"] or [] if weight["weight"]]
        total = sum(weight["weight"] for weight in weights)
        uids = self.uids()
        return {uids.get(one["uid"], f"uid {one['uid']}"): one["weight"] / total for one in weights}


def agree(weights) -> bool:
    """Whether the weights on chain are those that the ledger has as confirmed, value by value."""
    confirmed = [one for one in weights["submissions"] if one["state"]["state"] == "confirmed"]
    if not confirmed or not weights["on_chain"]:
        return False
    planned = {uid: value for uid, value in zip(confirmed[0]["uids"], confirmed[0]["values"]) if value}
    return planned == {one["uid"]: one["weight"] for one in weights["on_chain"] if one["weight"]}


def number(value, form=".3f") -> str:
    return "-" if value is None else format(value, form)


def title(text: str) -> None:
    print(f"\n{text}\n{'─' * len(text)}")


def table(head, rows) -> None:
    """Columns as wide as their longest cell; the first one to the left, the others to the right."""
    widths = [max(len(str(row[column])) for row in [head, *rows]) for column in range(len(head))]
    for row in [head, *rows]:
        cells = (str(c).ljust(w) if i == 0 else str(c).rjust(w) for i, (c, w) in enumerate(zip(row, widths)))
        print("  " + "  ".join(cells).rstrip())


def earnings(results: Results) -> None:
    title("Who earned what")
    paid = results.paid()
    rows = []
    for name in results.miners():
        share, priced = results.share(name), results.priced(name)
        parts = [share.get("tier1"), share.get("traps"), share.get("calibration")]
        rows.append([name, *map(number, parts), number(priced.get("correlation")), number(priced.get("points"), ".4f"),
                     number(paid.get(name, 0.0), ".1%")])
    table(["miner", "integrity", "traps", "calibrated", "tells of outcomes", "beyond the others", "paid"], rows)
    rounds, illicit = len(results.standing["rounds"]), results.standing["illicit"]
    print(f"\n  From {rounds} rounds with {results.standing['number']:.0f} known outcomes, {illicit:.0f} of them illicit. Paid is what a miner")
    print("  tells that chance, public knowledge and the others do not (docs/scoring.md).")


def reasons(results: Results) -> None:
    title("And why")
    for name in results.miners():
        print(f"  {name}: {why(results, name)}")
    choice = results.shares.get("unearned") or 0.0
    if choice > 0:
        print(f"  {choice:.1%} of the day's pay nobody earned")


def why(results: Results, name: str) -> str:
    """One sentence about what a miner is paid, or not paid, for."""
    share, priced = results.share(name), results.priced(name)
    if not share:
        return "not asked"
    if not results.today.accepted(name):
        return f"today's answer does not count ({results.today.verdicts[name]['accepted'].get('Err')})"
    if not results.standing["known"]:
        return f"nothing yet, for too little is known ({results.standing['illicit']:.0f} illicit outcomes)"
    least = Z * results.error()
    traps, tells = share.get("traps"), priced.get("correlation", 0.0)
    if traps is not None and traps < WORTHY:
        return f"nothing, for it shows no sign of life on traps (advantage {traps:.2f}, {WORTHY} is needed)"
    if tells <= least:
        return f"nothing, for what it tells cannot be told from chance (correlation {tells:.3f}, more than {least:.3f} is needed)"
    if priced.get("points", 0.0) <= 0:
        return f"nothing, for the others say it already (correlation {tells:.3f} by itself, nothing left beyond them)"
    return (f"{share['share']:.1%}, for it tells of outcomes (correlation {tells:.3f}), its own part of that is worth "
            f"{priced['points']:.4f}, at a quality of {share['quality']:.2f}; it speaks with {share['voice']:.0%} of the voice")


def side_by_side(results: Results) -> None:
    title("A copy with noise, and yesterday's scores: with them and without")
    without, with_them = results.before["without"], results.before["with"]
    names = sorted(set(without) | set(with_them) | set(OWN) | set(CLEVER), key=lambda name: -with_them.get(name, 0.0))
    cell = lambda shares, name, there: number(shares.get(name, 0.0), ".1%") if there else "-"
    rows = [[name, cell(without, name, name not in CLEVER), cell(with_them, name, True)] for name in names]
    rows.append(["shipped and its copy", cell(without, "shipped", True), number(together(with_them), ".1%")])
    table(["miner", "without", "with"], rows)
    print("\n  The same days were run twice, over HTTP: once with three miners, once with all five. Shares of the day before today.")


def together(shares: dict) -> float:
    return shares.get("shipped", 0.0) + shares.get("copy", 0.0)


def top_alerts(results: Results) -> None:
    title(f"The {TOP} most urgent alerts of {results.today.date}")
    for row in results.scores[:TOP]:
        what = f"{row['severity']} {row['typology']}"
        print(f"  {row['rank']:2}. {row['score']:.3f} ± {row['deviation']:.3f}  {what}  {row['address']}  {row['alert_id']}")
        explained = results.explained.get(row["alert_id"])
        if explained:
            print("      " + ", ".join(map(reason, explained["top_features"][:REASONS])))
    print("\n  Reasons are those of the shipped model: what each feature adds to the log-odds.")


def reason(feature) -> str:
    value = feature["value"]
    text = "missing" if value is None else format(value, ",.0f" if abs(value) >= 1000 else ".4g")
    return f"{feature['feature']} = {text} ({feature['impact']:+.2f})"


def weights_on_chain(results: Results) -> None:
    title("Weights on chain")
    paid, uids = results.paid(), results.uids()
    rows = []
    for one in results.weights["on_chain"] or []:
        name = uids.get(one["uid"], f"uid {one['uid']}")
        rows.append([name, one["uid"], one["weight"], f"{paid[name]:.1%}"])
    table(["miner", "uid", "value", "share"], rows)
    same = "the same as" if agree(results.weights) else "NOT those of"
    print(f"\n  Read back at block {results.weights['block']}: {same} the ledger's last confirmed submission.")


def checks(results: Results, skill: bool):
    """What has to hold after every demo, and with `skill` what the five miners promise."""
    paid, names = results.paid(), results.miners()
    for one in (results.yesterday, results.today):
        yield f"every submission of {one.date} counts", all(one.accepted(name) for name in names)
    done = [row for row in results.rounds if row["published_ms"] is not None]
    yield f"{len(done)} rounds are published", len(done) == len(results.rounds)
    top = results.scores[:TOP]
    scores = [row["score"] for row in results.scores]
    in_range = bool(scores) and all(0.0 <= score <= 1.0 for score in scores)
    yield f"{len(scores)} canonical scores, the most urgent first", in_range and scores == sorted(scores, reverse=True)
    yield "the most urgent alerts are explained", all(row["alert_id"] in results.explained for row in top)
    yield "computed again, yesterday's and today's round come out the same", all(results.replayed)
    withheld = results.weights["withheld"]
    if withheld and not skill:
        yield f"no weights are set: {withheld}", True
    else:
        yield "weights on chain are the ledger's", agree(results.weights)
    again = recomputed(results)
    if again is None:
        print("  - not computed again in Python: numpy, zstandard and cryptography are not there (scripts/recompute.py)")
    else:
        yield "computed again in Python from the export, the whole ledger comes out the same", again
    if not skill:
        return
    traps = {name: results.share(name).get("traps") for name in names}
    yield "every miner was asked with traps", None not in traps.values()
    yield "enough outcomes are known", results.standing["known"]
    passed = {name: value or 0.0 for name, value in traps.items()}
    yield f"traps tell skill from none: {shown(passed, '.2f')}", passed["shipped"] > WORTHY > max(passed["random"], passed["stale"])
    share = {name: paid.get(name, 0.0) for name in names}
    yield f"the better model earns clearly more: {shown(share, '.1%')}", share["shipped"] > 1.5 * share["weaker"]
    yield "who knows nothing earns nothing", share["random"] == 0
    yield "yesterday's canonical scores earn nothing", share["stale"] == 0
    alone, both = results.before["without"].get("shipped", 0.0), together(results.before["with"])
    limit = MOST_WITH_COPY * alone
    yield f"a copy gains nothing: {both:.1%} together, {alone:.1%} without it", 0 < both <= limit


def recomputed(results: Results):
    """Whether Python comes to the same whole ledger; None where it lacks what that needs."""
    root = pathlib.Path(__file__).resolve().parents[2]
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    tools = pathlib.Path(os.environ.get("AML_SEASON_TOOLS") or pathlib.Path(cache, "aml-season"), "bin/python")
    python = str(tools) if tools.exists() else sys.executable
    needs = "import numpy, zstandard\ntry:\n import cryptography\nexcept ImportError:\n import nacl"
    if subprocess.run([python, "-c", needs], capture_output=True).returncode:
        return None
    run = subprocess.run([python, str(root / "scripts/recompute.py"), str(results.folder)], capture_output=True, text=True)
    if run.returncode:
        print(run.stdout[-3000:], run.stderr[-1000:], sep="\n")
    return run.returncode == 0


def shown(values: dict, form: str) -> str:
    """Values by name, the largest first."""
    return ", ".join(f"{name} {value:{form}}" for name, value in sorted(values.items(), key=lambda item: -item[1]))


def paid_after(subnet: Subnet, date: str, or_withheld: bool) -> bool:
    """Whether the chain shows weights that were made after the scores of a day were published."""
    published, weights = (subnet.round_of(date) or {}).get("published_ms"), subnet.ask("weights", "show")
    if published and or_withheld and weights["withheld"]:
        return True
    return bool(published) and agree(weights) and weights["submissions"][0]["made_ms"] >= published


def run_checks(results: Results, skill: bool) -> int:
    title("Does it make sense?")
    outcome = {True: 0, False: 0}
    for what, holds in checks(results, skill):
        outcome[bool(holds)] += 1
        print(f"  {'✓' if holds else '✗'} {what}")
    print(f"\n{outcome[True]} passed, {outcome[False]} failed")
    return 1 if outcome[False] else 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subnet", required=True, help="path of aml-subnet")
    parser.add_argument("--flags", required=True, help="flags that name configuration and wallet")
    parser.add_argument("--api", required=True, help="URL of the read API")
    parser.add_argument("--names", type=pathlib.Path, help="JSON object from hotkey to name")
    parser.add_argument("--explained", type=pathlib.Path, help="answer of /score/alerts for today's batch")
    parser.add_argument("--past", help="the newest day before today")
    parser.add_argument("--export", type=pathlib.Path, help="folder that `aml-subnet export` wrote")
    parser.add_argument("--without", type=pathlib.Path, help="`weights show` after the past without copy and stale scores")
    parser.add_argument("--with", dest="with_copy", type=pathlib.Path, help="the same with them")
    parser.add_argument("--today", help="day of the newest round")
    parser.add_argument("--skill", action="store_true", help="the miners have the models that the demo made")
    parser.add_argument("--or-withheld", action="store_true", help="weights that are withheld, as nobody earned them, are enough")
    parser.add_argument("what", choices=["step-of", "paid-after", "summary", "check"])
    parser.add_argument("date", nargs="?")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    subnet = Subnet(options.subnet, options.flags, options.api)
    if options.what == "step-of":
        print((subnet.round_of(options.date) or {}).get("step", ""))
        return 0
    if options.what == "paid-after":
        return 0 if paid_after(subnet, options.date, options.or_withheld) else 1
    results = Results(subnet, options)
    if options.what == "check":
        return run_checks(results, options.skill)
    for part in (earnings, reasons, side_by_side, top_alerts, weights_on_chain):
        part(results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
