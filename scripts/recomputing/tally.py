"""What was compared, how often, and the largest difference."""
import math

TOLERANCE = 1e-12
SHOWN = 8


class Row:
    def __init__(self):
        self.same, self.different, self.skipped, self.largest, self.examples, self.reasons = 0, 0, 0, 0.0, [], {}
        self.tolerance = None


class Tally:
    """One row for each kind of thing, in the order in which they come."""

    def __init__(self):
        self.rows = {}

    def _row(self, what):
        return self.rows.setdefault(what, Row())

    def _different(self, row, where, stored, own):
        row.different += 1
        if len(row.examples) < SHOWN:
            row.examples.append(f"{where}: stored {shorten(stored)}, computed {shorten(own)}")

    def same(self, what, where, stored, own):
        """Exactly the same?"""
        row = self._row(what)
        if stored == own:
            row.same += 1
        else:
            self._different(row, where, stored, own)

    def close(self, what, where, stored, own, tolerance=TOLERANCE):
        """The same number, but for rounding? None is no number and equals only None."""
        row = self._row(what)
        row.tolerance = tolerance
        if stored is None or own is None:
            if stored is own:
                row.same += 1
            else:
                self._different(row, where, stored, own)
            return
        difference = distance(stored, own)
        row.largest = max(row.largest, difference)
        if difference <= tolerance:
            row.same += 1
        else:
            self._different(row, where, stored, own)

    def skip(self, what, why):
        row = self._row(what)
        row.skipped += 1
        row.reasons[why] = row.reasons.get(why, 0) + 1

    @property
    def differs(self):
        return any(row.different for row in self.rows.values())

    @property
    def skipped(self):
        return sum(row.skipped for row in self.rows.values())

    def table(self):
        width = max(len(what) for what in self.rows)
        lines = [f"{'compared':<{width}}  {'same':>9}  {'different':>9}  {'skipped':>7}  {'allowed':>7}  largest difference"]
        for what, row in self.rows.items():
            allowed, largest = ("exact", "") if row.tolerance is None else (f"{row.tolerance:.0e}", f"{row.largest:.1e}")
            line = f"{what:<{width}}  {row.same:>9}  {row.different:>9}  {row.skipped:>7}  {allowed:>7}  {largest}"
            lines.append(line.rstrip())
        rows = self.rows.values()
        same, different = sum(row.same for row in rows), sum(row.different for row in rows)
        largest = max((row.largest for row in rows if row.tolerance == TOLERANCE), default=0.0)
        lines.append(f"{'all':<{width}}  {same:>9}  {different:>9}  {self.skipped:>7}  {TOLERANCE:>7.0e}  {largest:.1e}")
        for what, row in self.rows.items():
            lines += [f"skipped: {what}: {why} ({count})" for why, count in sorted(row.reasons.items())]
            lines += [f"DIFFERENT: {what}: {example}" for example in row.examples]
        return "\n".join(lines)


def distance(stored, own):
    """How far apart two numbers are, relative to the larger of 1 and themselves."""
    if not (math.isfinite(stored) and math.isfinite(own)):
        return math.inf
    return abs(stored - own) / max(1.0, abs(stored), abs(own))


def shorten(value):
    text = repr(value)
    return text if len(text) <= 160 else text[:157] + "..."
