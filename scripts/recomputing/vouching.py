"""What miners vouch for: signatures over answers, receipts, and that verdicts say of both what is so."""
import hashlib

import judging
import keys

SIGNED = "x-aml-answer-"
QUICKNET = (1_692_803_367, 3)


class Vouching:
    """Looks at the answers of one round at a time."""

    def __init__(self, shelf, tally):
        self.shelf, self.tally = shelf, tally

    def round(self, row, validator):
        """Everything that is signed in a round, and what is told of it."""
        round_id, task = row["id"], self.shelf.tasks[row["id"]]
        self.task(row, task)
        there = {hotkey for name, hotkey in self.shelf.answers if name == round_id}
        judged = {hotkey for name, hotkey in self.shelf.verdicts if name == round_id}
        self.tally.same("answers: of everybody who was asked", round_id, sorted(task["asks"]), sorted(there))
        self.tally.same("verdicts: of everybody who was asked", round_id, sorted(task["asks"]), sorted(judged))
        for hotkey in sorted(there & judged & task["asks"].keys()):
            self.answer(row, task, (hotkey, validator))

    def task(self, row, task):
        tally, where = self.tally, row["id"]
        own = hashlib.sha256(bytes(task["salt"]) + judging.committed(task).encode()).hexdigest()
        tally.same("task: commitment to its traps", where, row["commitment"], own)
        common = task["common"]
        of = sorted(alert["of"] for alert in common["alerts"] if alert["of"] is not None)
        tally.same("task: every alert of the roster once", where, of, list(range(len(task["roster"]))))
        ids = [alert["alert_id"] for alert in task["roster"]]
        tally.same("task: no alert twice", where, len(set(ids)), len(ids))
        tally.same("task: alerts of the round", where, row["alerts"], len(ids))
        traps = {place for place, alert in enumerate(common["alerts"]) if alert["of"] is None}
        placed = [place for group in common["groups"] for place in group["places"]]
        tally.same("task: groups are of traps", where, True, set(placed) <= traps and len(set(placed)) == len(placed))
        sealing = task.get("sealing")
        opening = None if sealing is None else sealing["opening_s"] * 1000
        tally.same("task: when answers open", where, row["opening_ms"], opening)
        if row["extended_ms"] is None:
            tally.same("task: deadline", where, task["deadline_ms"], row["deadline_ms"])
        if sealing is not None:
            known = sealing["beacon"]["beacon"] in ("quicknet", "development")
            tally.same("task: a beacon that is known", where, True, known)
            tally.same("task: the beacon's round", where, sealing["beacon"], beacon_of(sealing))

    def answer(self, row, task, who):
        """One answer: who vouches for what, and whether the verdict says so."""
        hotkey, validator = who
        tally, where = self.tally, f"{row['id']} {hotkey}"
        answer = self.shelf.answers[row["id"], hotkey]
        stored = self.shelf.verdicts[row["id"], hotkey]
        record = stored["record"]
        answered = answer["reply"]["kind"] == "answered"
        tally.same("answers: whose", where, (answer["hotkey"], record["hotkey"]), (hotkey, hotkey))
        tally.same("verdicts: of the answer", where, (record["uid"], record["took_ms"]), (task["asks"][hotkey]["uid"], answer["took_ms"]))
        # Nobody vouches for an answer of the old form, so there is nothing in it that could be taken for that.
        silent = answer["form"] == "v10" and answer["receipt"] is None and not answer["headers"]
        tally.same("answers: of a form that is known", where, True, answer["form"] == "btauth" or silent)
        if answered:
            asked = judging.asked(task, answer)
            in_json = answer.get("request_form", "json") == "json"
            tally.same("answers: to the task", where, True, asked.sent == asked.task if in_json else asked.read is not None)
            if answer["form"] == "btauth":
                tally.same("answers: signed by their hotkey", where, True, self.signed(row, answer, who, asked))
        self.verdict(row, task, (where, answer, stored))

    def signed(self, row, answer, who, asked):
        """Whether the hotkey's signature is over this answer to this request of this validator."""
        hotkey, validator = who
        head = {name.removeprefix(SIGNED): value for name, value in answer["headers"].items() if name.startswith(SIGNED)}
        scheme, status = head.get("crypto", "sr25519"), str(answer["status"])
        sealed = answer.get("sealed")
        sent = sealed["cipher"] if sealed else answer["body"]
        if head.get("hotkey") != hotkey:
            return False
        if head.get("version", "2") != "2":
            return False
        if "version" in head:
            encoding, beacon = head.get("encoding"), head.get("beacon", "none")
            together = (encoding, beacon) == (("amlsealed/1", named(sealed["beacon"])) if sealed else ("identity", "none"))
            if not together or (sealed and sealed["plain"] != head.get("plain")) or (not sealed and head.get("plain") != sent):
                return False
            lines = ["amlanswer/2", scheme, status, asked.task, row["commitment"], asked.sent, asked.read,
                     head.get("plain"), sent, encoding, beacon, hotkey, validator, head.get("nonce")]
        else:
            lines = ["amlanswer/1", scheme, status, sent, head.get("nonce"), hotkey, validator, answer["request"]]
        try:
            signature = bytes.fromhex(head.get("signature", "").removeprefix("0x"))
            return keys.holds(scheme, hotkey, "\n".join(map(str, lines)).encode(), signature)
        except ValueError:
            return False

    def verdict(self, row, task, what):
        """Receipt, checks, tiers and whether the submission counts, each from what is told beside it."""
        (where, answer, stored), tally = what, self.tally
        record = stored["record"]
        failed = {finding["check"] for finding in record["checks"] if finding["fault"] is not None}
        names = [finding["check"] for finding in record["checks"]]
        sealed = answer.get("sealed")
        looked_at = answer["reply"]["kind"] == "answered" and answer["body"] is not None
        tally.same("verdicts: what was checked", where, names, list(judging.CHECKS) if looked_at else [])
        if looked_at:
            own, key = self.receipt(task, answer)
            tally.same("verdicts: receipt key", where, record["receipt_key"], None if own else key)
            for check in judging.OF_RECEIPT:
                tally.same("verdicts: receipt", f"{where} {check}", check in failed, check in own)
            tally.same("verdicts: in time", where, "in_time" not in failed, answer["in_time"])
            if answer["in_time"]:
                arrived = answer["asked_ms"] + answer["took_ms"]
                tally.same("answers: before the deadline", where, True, arrived <= row["deadline_ms"])
        opened = sealed is not None and sealed["state"]["kind"] == "opened"
        if sealed:
            tally.same("answers: opened to what was signed", where, answer["body"], sealed["plain"] if opened else None)
            tally.same("answers: sealed to the round's beacon", where, sealed["beacon"]["beacon"], task["sealing"]["beacon"]["beacon"])
        waived = judging.OF_RECEIPT if task["common"].get("accept_unsigned") and answer["form"] == "v10" else frozenset()
        came_open = task.get("sealing") is not None and not opened
        counts = looked_at and not came_open and not failed & (judging.GATES - waived)
        accepted = record["accepted"]
        tally.same("verdicts: whether the submission counts", where, accepted == {"Ok": None}, counts)
        tally.same("verdicts: or why it does not", where, list(accepted) == ["Err"] and isinstance(accepted["Err"], str), not counts)
        tally.same("verdicts: counts, as it is looked up", where, stored["accepted"], int(counts))
        tier1 = (len(judging.CHECKS) - len(failed)) / len(judging.CHECKS) if looked_at else None
        tally.close("verdicts: tier 1", where, record["tier1"], tier1)
        tally.close("verdicts: tier 1 that counts", where, stored["tier1"], tier1 if counts else None)
        self.traps(task, (where, stored, counts))

    def traps(self, task, what):
        (where, stored, counts), tally = what, self.tally
        record = stored["record"]
        groups = [group["name"] for group in task["common"]["groups"] if group["places"]] if counts else []
        tally.same("verdicts: groups of traps", where, [finding["name"] for finding in record["traps"]], groups)
        for finding in record["traps"]:
            tally.same("verdicts: groups that were passed", where, finding["passed"], finding["share"] >= judging.TRAP_SHARE)
        passed = [finding["passed"] for finding in record["traps"]]
        tier2 = sum(passed) / len(passed) if passed else None
        tally.close("verdicts: tier 2", where, record["tier2"], tier2)
        tally.close("verdicts: tier 2, as it is looked up", where, stored["tier2"], tier2)
        tally.close("verdicts: advantage, as it is looked up", where, stored["advantage"], record.get("advantage"))
        tally.same("columns: only of submissions that count", where, record.get("stored") is not None, counts)

    def receipt(self, task, answer):
        """The checks of the receipt that fail, without the answer itself: its digest is told."""
        try:
            stated = judging.receipt_of(answer["receipt"])
        except ValueError:
            return set(judging.OF_RECEIPT), None
        failed = set()
        expected = self.expected_key(task["asks"][answer["hotkey"]], answer)
        if expected not in (None, stated["public_key"]) or not judging.is_signed(stated):
            failed.add("signature")
        if stated["input_sha256"] != judging.asked(task, answer).read:
            failed.add("input_digest")
        if stated["output_sha256"] != answer["body"]:
            failed.add("output_digest")
        return failed, stated["public_key"]

    def expected_key(self, ask, answer):
        """The key that the hotkey vouches for in answer to this request, else the known one."""
        parts = answer["headers"].get("x-aml-receipt-key", "").split(" ")
        if len(parts) == 3:
            scheme, key, signature = parts
            message = "\n".join(["amlreceiptkey/1", scheme, answer["hotkey"], key, answer["request"]]).encode()
            try:
                if keys.holds(scheme, answer["hotkey"], message, bytes.fromhex(signature.removeprefix("0x"))):
                    return key
            except ValueError:
                pass
        return ask["receipt_key"]


def named(beacon):
    """A beacon's round, as it is signed."""
    return f"{beacon['beacon']}:{beacon['round']}"


def beacon_of(sealing):
    """The beacon's round of an opening: the first one that is not before it."""
    name = sealing["beacon"]["beacon"]
    first, period = QUICKNET if name == "quicknet" else (0, 1)
    return {"beacon": name, "round": 1 - (first - sealing["opening_s"]) // period}
