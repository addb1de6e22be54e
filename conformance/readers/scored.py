"""Days under rules v1 and v2, as docs/scoring_v1.md and docs/scoring.md tell."""
import base64
import hashlib

import judging
import keys
import measures as measured
import merging
import numpy as np
import pricing as v2

THIRTY, NEWEST = 30, 7


# --- what both rules judge alike ---------------------------------------------------------------------------------------

def judge_all(case, report):
    """By hotkey in order, every answer judged and compared with what is expected of it."""
    found = {}
    for one in case["answers"]:
        record, body = one["record"], None if one["body"] is None else one["body"].encode()
        found[record["hotkey"]] = judging.judge(case["task"], record, body)
        report.same(f"{case['name']}: {one['why']}: its digest", record["body"], None if body is None else hashlib.sha256(body).hexdigest())
        vouched(record, report, f"{case['name']}: {one['why']}")
    whys = {one["record"]["hotkey"]: one["why"] for one in case["answers"]}
    # Hotkeys are in the order of their bytes.
    ordered = {hotkey: found[hotkey] for hotkey in sorted(found, key=keys.public_key)}
    for hotkey, judged in ordered.items():
        compare(report, f"{case['name']}: {whys[hotkey]}", case["expected"]["verdicts"][hotkey], judged)
    likeness(case, report, ordered)
    return ordered


def vouched(record, report, where):
    """A hotkey that vouches for a receipt's key has signed that."""
    header = record["headers"].get("x-aml-receipt-key")
    if header is not None:
        scheme, key, signature = header.split(" ")
        text = "\n".join(["amlreceiptkey/1", scheme, record["hotkey"], key, record["request"]])
        holds = keys.holds(scheme, record["hotkey"], text.encode(), bytes.fromhex(signature.removeprefix("0x")))
        report.same(f"{where}: it vouches", True, holds)


def compare(report, where, expected, judged):
    report.same(f"{where}: checks", expected["failed"], [name for name in judging.CHECKS if name in judged.failed])
    report.same(f"{where}: counts", expected["counts"], judged.scores is not None)
    report.close(f"{where}: tier 1", expected["tier1"], judged.tier1)
    report.close(f"{where}: tier 2", expected["tier2"], judged.tier2)
    report.same(f"{where}: groups", [[name, passed] for name, _, passed in expected["traps"]], [[name, passed] for name, _, passed in judged.groups])
    report.close(f"{where}: shares", [share for _, share, _ in expected["traps"]], [share for _, share, _ in judged.groups])
    report.same(f"{where}: model version", expected["model_version"], judged.model_version)
    report.same(f"{where}: receipt key", expected["receipt_key"], judged.receipt_key)
    report.close(f"{where}: scores", expected["scores"], None if judged.scores is None else list(judged.scores))


def likeness(case, report, ordered):
    """What is watched: order by severity, entropy, and who is like whom."""
    counts = [hotkey for hotkey, judged in ordered.items() if judged.scores is not None]
    alike = merging.likeness([ordered[hotkey].scores for hotkey in counts]) if counts else []
    copies = {member: len(group) for group in (merging.groups(alike) if counts else []) for member in group}
    for at, hotkey in enumerate(counts):
        expected, where, scores = case["expected"]["verdicts"][hotkey], f"{case['name']} {hotkey}", ordered[hotkey].scores
        report.close(f"{where}: monotonicity", expected["monotonicity"], judging.monotonicity(case["task"]["roster"], scores))
        report.close(f"{where}: entropy", expected["entropy"], judging.entropy(scores), 1e-9)
        report.close(f"{where}: similarity", expected["similarity"], merging.nearest(alike, at), 1e-5)
        report.same(f"{where}: copies", expected["copies"], copies[at])


# --- rules v1 ----------------------------------------------------------------------------------------------------------

def first(file, report):
    for case in file["cases"]:
        (first_day if case["do"] == "day" else first_pay)(case, report)


def first_day(case, report):
    expected, judged = case["expected"], judge_all(case, report)
    there = {hotkey: one.scores for hotkey, one in judged.items() if one.scores is not None}
    hotkeys, submissions = list(there), list(there.values())
    weights = merging.weights(hotkeys, merging.groups(merging.likeness(submissions)), case["performance"])
    report.same("day: who has a weight", sorted(expected["weights"]), sorted(weights))
    report.close("day: weights", [expected["weights"][hotkey] for hotkey in hotkeys], [weights[hotkey] for hotkey in hotkeys])
    mean, deviation = merging.merge(hotkeys, submissions, weights)
    own = [[float(score), float(apart), len(hotkeys)] for score, apart in zip(mean, deviation)]
    report.close("day: canonical scores", expected["canonical"], own)
    for hotkey, settled in expected["settled"].items():
        report.same(f"day: settled {hotkey}", settled is not None, hotkey in there)
        if settled is not None and hotkey in there:
            settlement(report, f"day: settled {hotkey}", settled, (case["outcomes"], there[hotkey]))
    settlement(report, "day: settled canonical", expected["settled_canonical"], (case["outcomes"], mean))
    few = case["outcomes"][: case["few_outcomes"]]
    illicit = sum(one["illicit"] for one in few)
    report.same("day: too few of a class", True, min(illicit, len(few) - illicit) < 10 and bool(expected["few"]))


def settlement(report, where, expected, what):
    outcomes, scores = what
    illicit = np.array([float(one["illicit"]) for one in outcomes])
    relevance = np.array([float(one["relevance"]) for one in outcomes])
    own = measured.Own().measure(illicit, relevance, np.array([scores[one["place"]] for one in outcomes]))
    own["score"] = 0.4 * own["auc"] + 0.3 * (1 - own["brier"]) + 0.3 * own["ndcg"]
    for name, value in own.items():
        report.close(f"{where}: {name}", expected[name], value)


def first_pay(case, report):
    expected, today = case["expected"], case["today"]
    performance, earned = {}, {}
    for hotkey, rounds in case["history"].items():
        seen = case["first_seen"].get(hotkey)
        kept = [one for one in rounds if today - THIRTY < one["day"] <= today
                and not (one["tier1"] is None and seen is not None and one["day"] < seen + case["grace"])]
        if kept:
            scores = [first_score(one) for one in kept]
            performance[hotkey] = sum(scores) / len(scores)
            earned[hotkey] = sum(score / one["copies"] for score, one in zip(scores, kept)) / len(scores)
    for name, own in (("performance", performance), ("earned", earned)):
        report.same(f"pay: whose {name}", sorted(expected[name]), sorted(own))
        report.close(f"pay: {name}", [expected[name][hotkey] for hotkey in own], list(own.values()))
    worth = sorted((uid, earned[hotkey]) for hotkey, uid in case["registered"].items() if earned.get(hotkey, 0) > 0)
    total = sum(value for _, value in worth)
    report.close("pay: shares", expected["shares"], [[uid, value / total] for uid, value in worth])
    largest = max(value for _, value in worth)
    chain = [[uid, round(value / total / (largest / total) * 65_535)] for uid, value in worth]
    report.same("pay: on chain", expected["chain"], [pair for pair in chain if pair[1] > 0])


def first_score(one):
    immediate = 0.0 if one["tier1"] is None else 0.2 * one["tier1"] + 0.3 * (one["tier2"] or 0.0)
    return immediate + 0.5 * (one["tier3"] or 0.0)


def measures(file, report):
    """Settlements and traps as scikit-learn and numpy measure them."""
    for case in file["cases"]:
        scores, grades = np.array(case["scores"]), [int(grade) for grade in case["relevance"]]
        outcomes = [{"place": at, "illicit": grade == 2, "relevance": grade} for at, grade in enumerate(grades)]
        settlement(report, case["name"], case["settlement"], (outcomes, scores))
        for group in case["traps"]:
            own = judging.traps([{"name": "", **group}], scores)
            report.close(f"{case['name']}: {group['expected']}", group["share"], own[0][1])


# --- rules v2 ----------------------------------------------------------------------------------------------------------

def second(file, report):
    for case in file["cases"]:
        (second_day if case["do"] == "day" else second_pay)(case, report)


def second_day(case, report):
    expected, task, name = case["expected"], case["task"], case["name"]
    committed = hashlib.sha256(bytes(task["salt"]) + judging.committed(task).encode()).hexdigest()
    report.same(f"{name}: commitment", expected["commitment"], committed)
    judged = judge_all(case, report)
    there = {hotkey: one for hotkey, one in judged.items() if one.scores is not None}
    wanted = {group["name"]: group["expected"] for group in task["common"]["groups"]}
    advantages = {hotkey: v2.advantage([(wanted[group], share) for group, share, _ in one.groups]) for hotkey, one in there.items()}
    for hotkey, one in advantages.items():
        report.close(f"{name}: advantage of {hotkey}", expected["verdicts"][hotkey]["advantage"], one)
    report.same(f"{name}: whose columns", sorted(expected["columns"]), sorted(there))
    if not there:
        report.same(f"{name}: nothing is merged", ([], {}), (expected["canonical"], expected["voices"]))
        return
    curve = None if case["curve"] is None else np.array(case["curve"])
    columns = np.array([np.rint(v2.column(one.scores, curve)) for one in there.values()])
    stored = np.array([expected["columns"][hotkey] for hotkey in there])
    report.same(f"{name}: columns", True, bool(np.all(np.abs(columns - stored) <= 1e-9)))
    means = [float(v2.whole(one.scores).sum()) / v2.WHOLE / len(one.scores) for one in there.values()]
    standings = [case["standings"][hotkey] for hotkey in there]
    shares, choice = v2.voices(stored, means, list(advantages.values()), standings)
    report.same(f"{name}: choice", expected["choice"], choice)
    report.close(f"{name}: voices", [expected["voices"][hotkey]["share"] for hotkey in there], list(shares))
    muted = muting(stored, means, list(advantages.values()), standings)
    report.same(f"{name}: who is muted", [expected["voices"][hotkey]["muted"] for hotkey in there], muted)
    scores = np.array([one.scores for one in there.values()])
    mean = shares @ scores
    deviation = np.sqrt(shares @ (scores - mean) ** 2)
    report.close(f"{name}: canonical scores", expected["canonical"], [list(pair) for pair in zip(mean, deviation)])


def muting(columns, means, advantages, standings):
    """Why each is not among those who are known, alive, at their level and steady."""
    known = np.array([one["priced"]["weight"] * one["part"] * one["calibration"] for one in standings])
    reasons = []
    for mean, advantage, one in zip(means, advantages, standings):
        times = mean / one["level"] if one["level"] else None
        dead = advantage is not None and advantage < v2.ALIVE
        reasons.append("lifeless" if dead else "level" if times is not None and not 1 / v2.LEVEL < times < v2.LEVEL else None)
    said = np.array([share if reason is None else 0.0 for share, reason in zip(known, reasons)])[:, None] * columns
    others = said.sum(0) - said
    length = np.sqrt(np.maximum((columns**2).sum(1) * (others**2).sum(1), 1e-12))
    along = (columns * others).sum(1) / length
    for at, one in enumerate(standings):
        if reasons[at] is None and known[at] <= 0:
            reasons[at] = "unknown"
        elif reasons[at] is None and along[at] < v2.STEADY * one["usual"]:
            reasons[at] = "unsteady"
    return reasons


def second_pay(case, report):
    expected, today = case["expected"], case["today"]
    newest, own = [day for day in case["rounds"] if day <= today][-NEWEST:], {}
    for hotkey, rows in case["records"].items():
        recent = [row for row in rows if today - THIRTY < row[0] <= today]
        tier1 = [row[1] or 0.0 for row in recent if not row[3]]
        traps = [row[2] for row in recent if row[2] is not None]
        asked = [row for row in rows if newest[0] <= row[0] <= today]
        alive = [row[1] is not None and (row[2] is None or row[2] >= v2.ALIVE) for row in asked]
        one = {"tier1": mean_of(tier1, 0.0), "traps": mean_of(traps, None), "lately": mean_of(alive, 0.0)}
        one["quality"] = v2.TIER1 * one["tier1"] + v2.TRAPS * (one["traps"] or 0.0) + v2.CALIBRATION * case["calibration"][hotkey]
        worthy = one["traps"] is None or one["traps"] >= v2.WORTHY
        one["worth"] = one["lately"] * (case["points"][hotkey] * one["quality"]) ** v2.GAMMA if worthy else 0.0
        one["is_new"] = (case["newest"][hotkey] is not None and case["counted"][hotkey] < v2.FEW
                         and one["traps"] is not None and one["traps"] >= v2.WORTHY and rows[0][0] >= today - (v2.DAYS + v2.EARLIEST - 1))
        own[hotkey] = one
    orders = {hotkey: tuple(map(tuple, v2.spans(np.array(scores)))) for hotkey, scores in case["newest"].items() if scores is not None}
    for hotkey, one in own.items():
        alike = sum(other["is_new"] and orders[name] == orders[hotkey] for name, other in own.items() if name in orders) if one["is_new"] else 1
        one["newcomer"] = 1 / alike if one["is_new"] else 0.0
    young, worth = sum(one["newcomer"] for one in own.values()), sum(one["worth"] for one in own.values())
    pool = min(v2.NEWCOMERS, v2.NEWCOMER * young)
    report.close("pay: pool", expected["pool"], pool)
    report.close("pay: unearned", expected["unearned"], 0.0 if worth > 0 else 1 - pool)
    for hotkey, one in own.items():
        one["share"] = (1 - pool) * (one["worth"] / worth if worth else 0.0) + pool * (one["newcomer"] / young if young else 0.0)
        for what, value in expected["miners"][hotkey].items():
            report.close(f"pay: {what} of {hotkey}", value, one[what])


def mean_of(values, otherwise):
    return sum(values) / len(values) if values else otherwise


# --- rules v2, step by step --------------------------------------------------------------------------------------------

def rules(file, report):
    for at, case in enumerate(file["orders"]):
        scores, curve = np.array(case["scores"]), None if case["curve"] is None else np.array(case["curve"])
        own = v2.column(scores, curve)
        report.same(f"order {at}: column", True, bool(np.all(np.abs(own - case["column"]) <= 0.5 + 1e-6)))
        report.same(f"order {at}: parts", case["parts"], v2.parts(scores).tolist())
    for at, case in enumerate(file["prices"]):
        told = np.array(case["told"])
        cross, mine = np.array(case["cross"]).reshape(len(told), -1), np.arange(len(told)) < case["miners"]
        _, c, w, _, points = v2.price(cross, told, case["own"], case["number"], mine)
        for name, own in (("c", c), ("w", w), ("points", points)):
            report.close(f"price {at}: {name}", case[name], list(own), 1e-9)
        usual = v2.usual_likeness(cross, np.where(mine, w, 0.0), case["number"])
        report.close(f"price {at}: usual", case["usual"], list(usual), 1e-8)
    for at, case in enumerate(file["calibrations"]):
        scores, came = np.array(case["scores"]) / v2.WHOLE, np.array(case["illicit"], float)
        which = v2.bins(scores)
        number, told, illicit = (np.bincount(which, weights, v2.BINS) for weights in (np.ones(len(came)), scores, came))
        report.close(f"calibration {at}", case["calibration"], v2.calibration(number, told, illicit))
    for season in file["seasons"]:
        days(season, report)


class Season:
    """A season, unpacked: a row per day, an alert each; scores of each miner before that."""

    def __init__(self, season):
        self.miners, self.alerts, count = season["miners"], season["alerts"], len(season["days"])
        shape = (count, self.alerts)
        self.scores = unpacked(season["scores"], "<u2", (self.miners, *shape)) / 65536
        self.present = np.array([[one == "1" for one in row] for row in season["present"]])
        self.illicit, self.known = unpacked(season["illicit"], "u1", shape).astype(int), unpacked(season["known"], "<u2", shape).astype(int)
        self.address, self.stale = unpacked(season["address"], "<u2", shape), unpacked(season["stale"], "<f8", shape)
        self.advantage, self.first = season["advantage"], season["first"]
        self.columns, self.before, self.records = [], np.zeros(self.miners), [{} for _ in range(self.miners)]

    def window(self, day):
        """(day, which alerts have an outcome that counts) of the window's rounds."""
        rounds = range(max(0, day - v2.DAYS - v2.EARLIEST + 1), day - v2.EARLIEST + 1)
        counts = [(old, (self.known[old] <= old + v2.LATEST) & (self.known[old] <= day)) for old in rounds]
        return [(old, counted) for old, counted in counts if counted.any()]

    def moments(self, window):
        addresses = np.concatenate([self.address[old][counted] for old, counted in window]) if window else np.zeros(0)
        often = dict(zip(*np.unique(addresses, return_counts=True)))
        rounds = []
        for old, counted in window:
            a = np.array([1 / often[one] for one in self.address[old][counted]])
            rounds.append((self.columns[old][:, counted] / v2.GRAIN, a, self.illicit[old][counted].astype(float)))
        return v2.moments(self.miners + 2, rounds)

    def standing(self, day):
        """What the window says of every column and miner, and the curve from now on."""
        window = self.window(day)
        P, p, u, number, illicit = self.moments(window)
        mine, m = np.arange(self.miners + 2) < self.miners, self.miners
        counts, bins = np.zeros((2, m, v2.PARTS)), np.zeros((3, m, v2.BINS))
        for old, counted in window:
            came = self.illicit[old][counted].astype(float)
            for miner in np.flatnonzero(self.present[:, old]):
                scores = self.scores[miner, old]
                part, which = v2.parts(scores)[counted], v2.bins(scores)[counted]
                counts[:, miner] += [np.bincount(part, weights, v2.PARTS) for weights in (np.ones(len(came)), came)]
                bins[:, miner] += [np.bincount(which, weights, v2.BINS) for weights in (np.ones(len(came)), scores[counted], came)]
        told = {"c": np.zeros(m + 2), "w": np.zeros(m + 2), "points": np.zeros(m + 2), "usual": np.zeros(m), "curve": None}
        if min(illicit, number - illicit) >= v2.LEAST:
            told["curve"] = v2.learned(counts[0], counts[1], self.before)
            _, told["c"], told["w"], _, told["points"] = v2.price(P, p, u, number, mine)
            told["usual"] = v2.usual_likeness(P[:m, :m], told["w"][:m], number)
        told["calibration"] = np.array([v2.calibration(*bins[:, miner]) if window else 1.0 for miner in range(m)])
        told["level"] = [bins[1, miner].sum() / bins[0, miner].sum() if bins[0, miner].sum() else None for miner in range(m)]
        told["counted"] = [sum(self.present[miner, old] for old, _ in window) for miner in range(m)]
        told["part"] = [counted / len(window) if window else 0.0 for counted in told["counted"]]
        self.before = told["w"][:m]
        return told

    def references(self, day):
        """Columns of what everybody could have looked up, None as long as there is nothing."""
        if not day:
            return [None, None]
        newest, total, came = {}, 0, 0
        for old in range(day):
            for place in np.flatnonzero(self.known[old] < day):
                newest[self.address[old, place]] = float(self.illicit[old, place])
                total, came = total + 1, came + self.illicit[old, place]
        outcomes = [newest.get(one, came / total) for one in self.address[day]] if total else None
        return [self.stale[day], None if outcomes is None else np.array(outcomes)]

    def asked(self, day):
        """Records what came of asking."""
        for miner in range(self.miners):
            if self.first[miner] <= day:
                here, all_of = self.present[miner, day], self.advantage[day]
                advantage = 0.0 if all_of is None else all_of[miner]
                self.records[miner][day] = [1.0 if here else None, advantage if here else None]


def unpacked(text, kind, shape):
    return np.frombuffer(base64.b64decode(text), kind).reshape(shape)


def days(played, report):
    """Plays a season again, a day at a time, and compares what every day says."""
    season = Season(played)
    m = season.miners
    for day, told in enumerate(played["days"]):
        where, own = f"season {played['seed']}, day {day}", season.standing(day)
        for name, size, tolerance in (("w", m + 2, 1e-9), ("c", m + 2, 1e-9), ("points", m + 2, 1e-9), ("calibration", m, 1e-12)):
            report.close(f"{where}: {name}", [0.0] * size if told[name] is None else told[name], list(own[name]), tolerance)
        usual = [0.0] * m if told["usual"] is None else told["usual"][:m]
        report.close(f"{where}: usual", usual, list(own["usual"]), 1e-7)
        report.close(f"{where}: curve", told["curve"] or [], [] if own["curve"] is None else list(own["curve"]), 1e-9)
        said = [season.scores[miner, day] if season.present[miner, day] else None for miner in range(m)] + season.references(day)
        nothing = np.zeros(season.alerts)
        season.columns.append(np.array([nothing if scores is None else np.rint(v2.column(scores, own["curve"])) for scores in said]))
        season.asked(day)
        here = np.flatnonzero(season.present[:, day])
        weight = np.zeros(m + 2) if told["w"] is None else np.array(told["w"])
        standings = [{"priced": {"weight": weight[at]}, "part": own["part"][at], "calibration": own["calibration"][at], "level": own["level"][at],
                      "usual": own["usual"][at]} for at in here]
        advantages = [season.records[at][day][1] for at in here]
        shares, _ = v2.voices(season.columns[day][here], [season.scores[at, day].mean() for at in here], advantages, standings)
        voice = np.zeros(m)
        voice[here] = shares
        report.close(f"{where}: voices", told["voice"] or [0.0] * m, list(voice), 1e-9)
        report.close(f"{where}: pay", told["pay"] or [0.0] * m, paid(season, (day, told, own)), 1e-9)


def paid(season, what):
    """How a day's pay is shared, given the points that the season says."""
    (day, told, own), m = what, season.miners
    points = [0.0] * m if told["points"] is None else told["points"][:m]
    worth, new = np.zeros(m), {}
    for miner, record in enumerate(season.records):
        recent = [one for old, one in record.items() if day - THIRTY < old]
        traps = mean_of([one[1] for one in recent if one[1] is not None], None)
        alive = [one[0] is not None and (one[1] is None or one[1] >= v2.ALIVE) for old, one in record.items() if day - NEWEST < old]
        tier1, lately = mean_of([one[0] or 0.0 for one in recent], 0.0), mean_of(alive, 0.0)
        quality = v2.TIER1 * tier1 + v2.TRAPS * (traps or 0.0) + v2.CALIBRATION * own["calibration"][miner]
        if traps is None or traps >= v2.WORTHY:
            worth[miner] = lately * max(points[miner] * quality, 0.0) ** v2.GAMMA
        first = min(record, default=0)
        if (season.present[miner, day] and own["counted"][miner] < v2.FEW and traps is not None and traps >= v2.WORTHY
                and first >= day - (v2.DAYS + v2.EARLIEST - 1)):
            new[miner] = tuple(map(tuple, v2.spans(season.scores[miner, day])))
    part = np.array([1 / list(new.values()).count(new[miner]) if miner in new else 0.0 for miner in range(m)])
    pool = min(v2.NEWCOMERS, v2.NEWCOMER * part.sum())
    share = (1 - pool) * (worth / worth.sum() if worth.sum() > 0 else 0 * worth)
    return list(share + pool * (part / part.sum() if part.sum() > 0 else 0 * part))
