"""The reasons of a round: what a pack says of them by itself, merged again from raw answers, and their data from the batch."""
import hashlib
import math

from explaining import LEAST, MOST, Merging, TooDeep, is_text, said, strict
from judging import sheet_of
from keys import public_key
from reason_data import PAGE, Batch, catalogue

# The second has the codes of counterparties, whose expressions begin so.
VERSIONS, ADDED = (1, 2), "mean("
FIELDS = {"version", "miners", "voices", "absent", "alerts"}
FOUND = {"code", "effect", "support", "datum"}
# Sums are rounded to six digits.
SIX = 2e-6
DATA = 1e-9


class Reasons:
    """`batches`: a folder with the directories of batches, or None."""

    def __init__(self, shelf, tally, batches):
        self.shelf, self.tally, self.batches = shelf, tally, batches
        self.codes = catalogue() if PAGE.exists() else None

    def round(self, pack, row):
        name, stored = row["id"], pack.json("reasons.json")
        if stored is None:
            return
        if self.codes is None:
            self.tally.skip("reasons: of the catalogue", f"{PAGE.name} is not beside the checker")
            return
        canonical = self.shelf.canonical.get(name)
        there = isinstance(stored, dict) and stored.keys() == FIELDS and stored["version"] in VERSIONS and canonical is not None
        self.tally.same("reasons: their form", name, True, there and isinstance(stored["alerts"], list))
        if not there:
            return
        self.tally.same("reasons: of every alert", name, len(stored["alerts"]), row["alerts"])
        self.voices(name, stored, sorted(canonical["weights"].values()))
        sound = len(stored["alerts"]) == row["alerts"]
        for at, found in enumerate(stored["alerts"]):
            sound &= self.alert(f"{name} {at}", found, stored)
        if sound and stored["absent"] is None:
            again = self.again(pack, row, canonical["weights"])
            batch = self.batch(pack, row)
            if again is not None:
                self.merged(name, (stored, again), batch)
            if batch is not None:
                self.data(name, stored, batch)

    def voices(self, name, stored, voices):
        """How many explained, and their voices together."""
        count, told = stored["miners"], stored["voices"]
        fits = isinstance(count, int) and 0 <= count <= len(voices)
        within = fits and sum(voices[:count]) - SIX <= told <= sum(voices[len(voices) - count:]) + SIX
        self.tally.same("reasons: voices of those who explain", name, True, within)
        if stored["absent"] is not None:
            self.tally.same("reasons: none where they are absent", name, (0, 0.0, False), (count, told, any(stored["alerts"])))

    def alert(self, where, found, stored):
        """What can be said of the reasons of one alert without answers and batch."""
        tally = self.tally
        form = isinstance(found, list) and all(isinstance(one, dict) and one.keys() == FOUND for one in found)
        tally.same("reasons: form of one", where, True, form)
        if not form:
            return False
        codes = [one["code"] for one in found]
        tally.same("reasons: at most five, each code once", where, True, len(set(codes)) == len(codes) <= MOST)
        tally.same("reasons: codes of the catalogue", where, [], [code for code in codes if code not in self.codes])
        tally.same("reasons: they raise or lower", where, [], [one["effect"] for one in found if one["effect"] not in ("raises", "lowers")])
        bad = [one["support"] for one in found if not LEAST - SIX <= one["support"] <= stored["voices"] + SIX]
        tally.same("reasons: voices behind each", where, [], bad)
        wrong = [one["code"] for one in found if one["code"] in self.codes and not is_datum(one["datum"], self.codes[one["code"]][1])]
        tally.same("reasons: a number or a name", where, [], wrong)
        return not wrong and all(code in self.codes for code in codes)

    def again(self, pack, row, voices):
        """Merged from raw answers, where the pack has all of those that had a voice."""
        if not pack.manifest["full"]:
            return None
        name, task = row["id"], self.shelf.tasks[row["id"]]
        merging = Merging([one["score"] for one in self.shelf.canonical[name]["scores"]])
        try:
            for hotkey in sorted(voices, key=public_key):
                answer = self.shelf.answers[name, hotkey]
                if voices[hotkey] <= 0 or answer["reply"]["kind"] != "answered":
                    continue
                body = None if answer["body"] is None else pack.body(answer["body"])
                if body is None:
                    self.tally.skip("reasons: merged again", "a raw answer is not in the pack")
                    return None
                merging.add(voices[hotkey], self.answer(task, hotkey, body))
        except TooDeep:
            self.tally.skip("reasons: merged again", "an explanation is nested deeper than Python reads")
            return None
        return merging

    @staticmethod
    def answer(task, hotkey, body):
        """What one answer says of the roster's alerts; nothing when it cannot be read."""
        sheet = sheet_of(task, task["asks"][hotkey])
        place = {sheet.ids[sent]: at for at, sent in enumerate(sheet.places)}
        scores, explanations = [math.nan] * len(sheet.places), {}
        try:
            for one in strict(body):
                at, text = place.get(one["alert_id"]), one.get("explain_json", "")
                if not is_text(text):
                    return {}, scores
                if at is not None:
                    scores[at], explanations[at] = one["score"], text
        except (ValueError, TypeError, KeyError, AttributeError):
            return {}, scores
        return said(scores, explanations)

    def merged(self, name, both, batch):
        """Which of the codes that are told enough voices share, which way, in which order, and by how many; with the batch: all of them."""
        (stored, again), ids = both, [one["alert_id"] for one in self.shelf.tasks[name]["roster"]]
        self.tally.same("reasons: miners that explain", name, stored["miners"], again.miners)
        self.tally.close("reasons: their voices", name, stored["voices"], again.voices, SIX)
        for at, found in enumerate(stored["alerts"]):
            told = [(one["code"], one["effect"]) for one in found]
            codes = {code for code, _ in told}
            strongest = again.strongest(at)
            if batch is None:
                strongest = [one for one in strongest if one[0] in codes]
            else:
                known = [one for one in strongest if stored["version"] > 1 or not self.codes[one[0]][2].startswith(ADDED)]
                strongest = [one for one in known if batch.datum(self.codes[one[0]][2], ids[at]) is not None][:MOST]
            self.tally.same("reasons: merged again", f"{name} {at}", told, [one[:2] for one in strongest])
            for one, own in zip(found, strongest):
                self.tally.close("reasons: support, merged again", f"{name} {at} {own[0]}", one["support"], own[2], SIX)

    def batch(self, pack, row):
        """The batch of a round, where it is there and is the one that the pack names."""
        if self.batches is None:
            return None
        place = self.batches / f"{row['id'].split('-', 1)[1].rsplit('-', 1)[0]}_w{row['window_days']}"
        meta = place / "META.json"
        if not meta.exists():
            self.tally.skip("reasons: data of the batch", "the batch is not there")
            return None
        same = hashlib.sha256(meta.read_bytes()).hexdigest() == pack.manifest["batch"]
        self.tally.same("reasons: the batch that the round names", row["id"], True, same)
        return Batch(place) if same else None

    def data(self, name, stored, batch):
        ids = [one["alert_id"] for one in self.shelf.tasks[name]["roster"]]
        for at, found in enumerate(stored["alerts"]):
            for one in found:
                own, where = batch.datum(self.codes[one["code"]][2], ids[at]), f"{name} {at} {one['code']}"
                if isinstance(own, str) or isinstance(one["datum"], str) or own is None:
                    self.tally.same("reasons: names of the batch", where, one["datum"], own)
                else:
                    self.tally.close("reasons: data of the batch", where, one["datum"], own, DATA)


def is_datum(value, unit):
    """Whether a value is a name of a batch, or a number, as the unit wants."""
    if unit == "name":
        return isinstance(value, str) and 0 < len(value) <= 40
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
