"""The whole ledger: every round as it was judged, merged and settled, then every vector of weights."""
import hashlib
import json

import numpy as np

import information
import judging
import merging
import worth
from book import PUBLISHED, STEPS
from tally import TOLERANCE, distance

LIKENESS_TOLERANCE = 1e-5
LEAST_OF_CLASS = 10
# A plan is written at most so long after its history was read.
PLANNING_MS = 60_000
SETTLEMENT = ("auc", "brier", "log_loss", "ece", "ndcg", "score")


class Season:
    def __init__(self, book, tally, metrics, grace):
        self.book, self.tally, self.metrics = book, tally, metrics
        self.entries, self.judged = {}, {}
        self.worth = worth.Worth(book, self.entries, grace)
        self.information = information.Information(book, tally, grace)

    def recompute(self):
        for row in self.book.by_day():
            if row["rules"] not in ("v1", "v2"):
                raise SystemExit(f"recompute: round {row['id']} is under rules {row['rules']}, whose constants are not known here")
            if STEPS[row["step"]] == "fetched":
                continue
            self.commitment(row)
            if row["step"] < STEPS.index("judged"):
                continue
            self.entries[row["id"]] = {}
            complete = self.judge(row)
            if row["rules"] == "v2":
                self.inform(row, complete)
            elif complete:
                self.merge(row)
            self.settle(row)
        self.bodies()
        self.miners()
        for record in self.book.weights:
            self.weights(record)

    def commitment(self, row):
        task = self.book.tasks[row["id"]]
        own = hashlib.sha256(bytes(task["salt"]) + judging.committed(task).encode()).hexdigest()
        self.tally.same("tasks: commitment to the traps", row["id"], row["commitment"], own)

    def judge(self, row):
        """Tiers 1 and 2; whether all raw answers are there."""
        task, round_id = self.book.tasks[row["id"]], row["id"]
        complete, judged = True, {}
        for hotkey in task["asks"]:
            answer, stored = self.book.answers[round_id, hotkey], self.book.verdicts[round_id, hotkey]
            answered, sealed = answer["reply"]["kind"] == "answered", answer.get("sealed")
            if answered and sealed and sealed["state"]["kind"] == "opened":
                self.tally.same("sealed answers: the signed digest", f"{round_id} {hotkey}", answer["body"], sealed["plain"])
            spoiled = answered and sealed is not None and sealed["state"]["kind"] == "spoiled"
            body = self.book.body(answer["body"]) if answered and not spoiled else None
            if answered and not spoiled and body is None:
                self.tally.skip("tier 1: checks", "the raw answer was swept")
                complete = False
                self.believe(round_id, hotkey, stored)
                continue
            judged[hotkey] = judging.judge(task, answer, body)
            self.compare_verdict((round_id, hotkey), judged[hotkey], stored)
        self.judged[round_id] = judged
        counting = {hotkey: one.scores for hotkey, one in judged.items() if one.scores is not None}
        if complete:
            self.watched(row, counting)
        return complete

    def believe(self, round_id, hotkey, stored):
        """Of a swept answer only what is stored of it can go on."""
        copies = stored["record"]["observations"]["copies"] or 1
        self.entries[round_id][hotkey] = worth.Entry(stored["tier1"], stored["tier2"], None, copies, False)

    def compare_verdict(self, key, judged, stored):
        tally, where, record = self.tally, " ".join(key), stored["record"]
        failed = {finding["check"] for finding in record["checks"] if finding["fault"] is not None}
        for check in judging.CHECKS if judged.looked_at else ():
            tally.same("tier 1: checks", f"{where} {check}", check in failed, check in judged.failed)
        tally.same("tier 1: accepted", where, "Ok" in record["accepted"], judged.scores is not None)
        tally.close("tier 1: score", where, record["tier1"], judged.tier1)
        tally.same("tier 1: receipt key", where, record["receipt_key"], judged.receipt_key)
        tally.same("tier 1: model version", where, record["model_version"], judged.model_version)
        groups = [(finding["name"], finding["passed"]) for finding in record["traps"]]
        tally.same("tier 2: groups passed", where, groups, [(name, passed) for name, _, passed in judged.groups])
        for finding, (_, share, _) in zip(record["traps"], judged.groups):
            tally.close("tier 2: share of a group", where, finding["share"], share)
        tally.close("tier 2: score", where, record["tier2"], judged.tier2)
        counts = judged.scores is not None
        tally.close("tier 1: score that counts", where, stored["tier1"], judged.tier1 if counts else None)
        self.entries[key[0]][key[1]] = worth.Entry(judged.tier1 if counts else None, judged.tier2, None, 1, False)

    def watched(self, row, counting):
        """Observations, and who sent the same."""
        tally, round_id = self.tally, row["id"]
        task, hotkeys = self.book.tasks[round_id], list(counting)
        if not hotkeys:
            return
        alike = merging.likeness(list(counting.values()))
        together = merging.groups(alike)
        copies = {hotkeys[member]: len(members) for members in together for member in members}
        before = self.yesterday(row)
        for place, hotkey in enumerate(hotkeys):
            where = f"{round_id} {hotkey}"
            self.entries[round_id][hotkey].copies = copies[hotkey]
            seen = self.book.verdicts[round_id, hotkey]["record"]["observations"]
            tally.same("copies: hotkeys that are one", where, seen["copies"], copies[hotkey])
            tally.close("copies: likeness to the nearest", where, seen["similarity"], merging.nearest(alike, place),
                        LIKENESS_TOLERANCE)
            tally.close("watched: monotonicity", where, seen["monotonicity"],
                        judging.monotonicity(task["roster"], counting[hotkey]))
            tally.close("watched: entropy", where, seen["entropy"], judging.entropy(counting[hotkey]))
            tally.close("watched: agreement with the day before", where, seen["agreement"],
                        self.agreement(task, counting[hotkey], before, hotkey))
        self.judged[round_id, "alike"] = (hotkeys, list(counting.values()), together)

    def yesterday(self, row):
        """The round of the day before, where it was judged."""
        rounds = self.book.rounds.values()
        same = [one for one in rounds if (one["netuid"], one["day"], one["window_days"])
                == (row["netuid"], row["day"] - 1, row["window_days"])]
        return same[0]["id"] if same and same[0]["id"] in self.judged else None

    def agreement(self, task, scores, before, hotkey):
        """Rank correlation over the alerts of both days."""
        if before is None:
            return None
        earlier = self.judged[before].get(hotkey)
        places = {alert["alert_id"]: place for place, alert in enumerate(self.book.tasks[before]["roster"])}
        shared = [(place, places[alert["alert_id"]]) for place, alert in enumerate(task["roster"])
                  if alert["alert_id"] in places]
        if earlier is None or earlier.scores is None or len(shared) < 2:
            return None
        ranks = [merging.mean_ranks(side[list(at)]) for side, at in zip((scores, earlier.scores), zip(*shared))]
        if any(np.ptp(side) == 0 for side in ranks):
            return None
        return float(np.corrcoef(*ranks)[0, 1])

    def inform(self, row, complete):
        """A round under rules v2; what v1 would have made of it where all raw answers are there."""
        self.information.judged(row, self.judged[row["id"]])
        if row["step"] < STEPS.index("merged"):
            return
        self.information.merge(row)
        if complete and row["id"] in self.book.beside:
            self.merge(row, self.book.beside[row["id"]])

    def merge(self, row, beside=None):
        tally, round_id = self.tally, row["id"]
        canonical = self.book.canonical.get(round_id) if beside is None else beside
        if row["step"] < STEPS.index("merged"):
            return
        if (round_id, "alike") not in self.judged:
            tally.same("canonical: none without a submission", round_id, canonical, None)
            return
        hotkeys, submissions, together = self.judged[round_id, "alike"]
        performance = self.performance(row, canonical["performance"])
        voices = merging.weights(hotkeys, together, performance)
        tally.same("canonical: contributors", round_id, sorted(canonical["weights"]), sorted(voices))
        for hotkey in voices:
            tally.close("canonical: weights of the ensemble", f"{round_id} {hotkey}", canonical["weights"].get(hotkey),
                        voices[hotkey])
        scores, deviations = merging.merge(hotkeys, submissions, voices)
        roster = self.book.tasks[round_id]["roster"]
        tally.same("canonical: one per alert", round_id, len(canonical["scores"]), len(roster))
        for place, (stored, alert) in enumerate(zip(canonical["scores"], roster)):
            where = f"{round_id} {alert['alert_id']}"
            tally.close("canonical: scores", where, stored["score"], float(scores[place]))
            tally.close("canonical: deviations", where, stored["deviation"], float(deviations[place]))
            tally.same("canonical: number of miners", where, stored["miners"], len(hotkeys))
            if beside is not None:
                continue
            indexed = self.book.alerts.get((round_id, place))
            own = {"address": alert["address"], "round": round_id, "place": place, "alert_id": alert["alert_id"],
                   "typology": alert["typology"], "severity": alert["severity"], "score": stored["score"]}
            tally.same("canonical: index by address", where, indexed, own)

    def performance(self, row, stored):
        """As it was when the round was merged: at some moment between its beginning and its publication."""
        until = row["published_ms"] if row["step"] >= PUBLISHED else 2**62
        best = None
        for moment in self.worth.moments(row["opened_ms"], until):
            # The round itself is not published before it is merged.
            own = self.worth.means(row["netuid"], row["day"], min(moment, until - 1), shared=False)
            if best is None or apart(stored, own) < apart(stored, best):
                best = own
            if apart(stored, best) <= TOLERANCE:
                break
        self.tally.same("performance: hotkeys", row["id"], sorted(stored), sorted(best))
        for hotkey in best:
            self.tally.close("performance: mean of 30 days", f"{row['id']} {hotkey}", stored.get(hotkey), best[hotkey])
        return best

    def settle(self, row):
        settled, round_id = self.book.settled.get(row["id"]), row["id"]
        self.tally.same("tier 3: settled rounds", round_id, STEPS[row["step"]] == "settled", settled is not None)
        if settled is None:
            return
        labels, places = settled["labels"], [label["place"] for label in settled["labels"]]
        illicit = np.array([label["illicit"] for label in labels], dtype=float)
        relevance = np.array([label["relevance"] for label in labels], dtype=float)
        sound = places == sorted(set(places)) and all((label["relevance"] == 2) == label["illicit"] for label in labels)
        enough = LEAST_OF_CLASS <= illicit.sum() <= len(illicit) - LEAST_OF_CLASS
        if row["rules"] == "v2" and not enough:
            # Nothing can change any more, and too little became known to measure anybody.
            self.tally.same("tier 3: of nobody", round_id, {}, settled["miners"])
            return
        self.tally.same("tier 3: outcomes are sound and enough", round_id, True, bool(sound and enough))
        own = {}
        for hotkey, judged in self.judged[round_id].items():
            if judged.scores is not None:
                own[hotkey] = self.settlement(illicit, relevance, judged.scores[places])
            elif not self.worth.is_new(hotkey, row["day"]):
                own[hotkey] = None
        for hotkey in self.book.hotkeys(round_id):
            where = f"{round_id} {hotkey}"
            if hotkey not in self.judged[round_id]:
                self.tally.skip("tier 3: miners", "the raw answer was swept")
                self.measured(round_id, hotkey, settled["miners"].get(hotkey, False))
                continue
            self.tally.same("tier 3: miners", where, hotkey in settled["miners"], hotkey in own)
            self.compare_settlement("tier 3", where, settled["miners"].get(hotkey), own.get(hotkey))
            score = own[hotkey]["score"] if own.get(hotkey) else (0.0 if hotkey in own else None)
            self.tally.close("tier 3: score as it is paid", where, self.book.settlements.get((round_id, hotkey)), score)
            self.measured(round_id, hotkey, own.get(hotkey, False))
        if round_id in self.book.canonical:
            merged = np.array([one["score"] for one in self.book.canonical[round_id]["scores"]])
            own = self.settlement(illicit, relevance, merged[places])
            self.compare_settlement("tier 3 of canonical scores", round_id, settled["canonical"], own)

    def measured(self, round_id, hotkey, settlement):
        entry = self.entries[round_id][hotkey]
        entry.is_listed = settlement is not False
        entry.tier3 = settlement["score"] if settlement else None

    def settlement(self, illicit, relevance, scores):
        own = self.metrics.measure(illicit, relevance, scores)
        own["score"] = 0.4 * own["auc"] + 0.3 * (1 - own["brier"]) + 0.3 * own["ndcg"]
        return own

    def compare_settlement(self, what, where, stored, own):
        for name in SETTLEMENT:
            self.tally.close(f"{what}: {name}", where, stored and stored[name], own and float(own[name]))

    def bodies(self):
        for digest, row in self.book.bodies.items():
            body = self.book.body(digest)
            if body is None:
                self.tally.skip("bodies: SHA-256", "the raw answer was swept")
            else:
                self.tally.same("bodies: SHA-256", digest, digest, hashlib.sha256(body).hexdigest())
                self.tally.same("bodies: length", digest, row["bytes"], len(body))

    def miners(self):
        """First day and first receipt key of each hotkey."""
        days, keys = {}, {}
        for row in self.book.by_day():
            for hotkey in self.book.hotkeys(row["id"]) if row["id"] in self.book.tasks else ():
                days.setdefault(hotkey, row["day"] * worth.DAY_MS)
                verdict = self.book.verdicts.get((row["id"], hotkey))
                if verdict and verdict["record"]["receipt_key"]:
                    keys.setdefault(hotkey, []).append(verdict["record"]["receipt_key"])
        for hotkey, row in self.book.miners.items():
            self.tally.same("miners: first seen", hotkey, row["first_seen_ms"], days.get(hotkey))
            first, *later = keys.get(hotkey, [None])
            if row["receipt_key"] in later and row["receipt_key"] != first or (row["receipt_key"] is None and first):
                self.tally.skip("miners: receipt key", "the first key was forgotten by hand, or another one was vouched for")
            else:
                self.tally.same("miners: receipt key", hotkey, row["receipt_key"], first)

    def weights(self, record):
        """A vector, from what was known when it was planned."""
        netuid, mechanism, made = record["netuid"], record["mechanism"], record["made_ms"]
        content = record["plan"]["content"]["weights"]
        stored, where = list(zip(content["uids"], content["values"])), f"epoch {record['epoch']}"
        self.tally.same("weights: digest of the vector", where, record["vector"], worth.digest(netuid, mechanism, stored))
        uids, moved = self.uids(netuid, made)
        if self.shared(record, uids, stored, where):
            return
        own = None
        for moment in self.worth.moments(made - PLANNING_MS, made):
            today = self.worth.newest_day(netuid, moment)
            earned = self.worth.means(netuid, today, moment, shared=True) if today is not None else {}
            own = worth.vector(earned, uids)
            if own == stored:
                break
        if own != stored and moved:
            self.tally.skip("weights: vector", "the subnet changed beside it: uids of that moment are not in a ledger")
            return
        self.tally.same("weights: vector", where, stored, own)

    def shared(self, record, uids, stored, where):
        """A vector of a day that is paid by rules v2; says whether it is one."""
        netuid, made = record["netuid"], record["made_ms"]
        known = [row for row in self.book.by_day() if row["netuid"] == netuid and row["void_ms"] is None
                 and row["late_ms"] is None and row["published_ms"] is not None and row["published_ms"] <= made]
        if not known or known[-1]["rules"] != "v2":
            return False
        shares = [one["packed"] for one in self.book.shares[known[-1]["id"]] if one["made_ms"] <= made][-1]
        earned = {hotkey: one["share"] for hotkey, one in shares["miners"].items()}
        given = [(uid, value) for uid, value in stored if value > 0]
        own = worth.vector(earned, uids)
        if shares["unearned"] > 0 and own != given:
            # The settings name who gets what nobody earned: it is one uid.
            ways = (with_unearned(earned, uids, shares["unearned"], uid) for uid, _ in given)
            own = next((found for found in (worth.vector(*way) for way in ways) if found == given), own)
        if own != given and any(hotkey not in uids for hotkey, share in earned.items() if share > 0):
            self.tally.skip("weights: vector", "the subnet changed beside it: uids of that moment are not in a ledger")
        else:
            self.tally.same("weights: vector", where, given, own)
        return True

    def uids(self, netuid, at_ms):
        """Uids as of the newest task of that moment; whether the task after it has others."""
        rounds = [row for row in self.book.by_day() if row["netuid"] == netuid and row["id"] in self.book.tasks]
        before = [row for row in rounds if row["opened_ms"] <= at_ms][-1:]
        after = [row for row in rounds if row["opened_ms"] > at_ms][:1]
        maps = [{hotkey: ask["uid"] for hotkey, ask in self.book.tasks[row["id"]]["asks"].items()} for row in before + after]
        return (maps[0], len(maps) > 1 and maps[0] != maps[1]) if maps else ({}, True)


def with_unearned(earned, uids, unearned, uid):
    """What each hotkey earned and the uids, where this uid gets what nobody earned."""
    hotkey = next((hotkey for hotkey, known in uids.items() if known == uid), "nobody")
    return {**earned, hotkey: earned.get(hotkey, 0.0) + unearned}, {**uids, hotkey: uid}


def apart(stored, own):
    """The largest distance of two maps of numbers; infinite when they are of different hotkeys."""
    if stored.keys() != own.keys():
        return float("inf")
    return max((distance(stored[hotkey], own[hotkey]) for hotkey in stored), default=0.0)
