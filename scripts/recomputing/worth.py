"""What hotkeys are worth at a moment: performance, pay, and the vector that goes on chain."""
import hashlib
from dataclasses import dataclass

TIER1, TIER2, TIER3 = 0.2, 0.3, 0.5
DAYS = 30
DAY_MS = 86_400_000
FULL = 65_535


@dataclass
class Entry:
    """A hotkey in a round. What is not known is None; `tier1` is None where the submission does not count."""

    tier1: float | None
    tier2: float | None
    tier3: float | None
    copies: int
    is_listed: bool

    def score(self, settled):
        if self.tier1 is None:
            return 0.0
        return TIER1 * self.tier1 + TIER2 * (self.tier2 or 0.0) + (TIER3 * (self.tier3 or 0.0) if settled else 0.0)


class Worth:
    """`entries[round][hotkey]` as they were computed."""

    def __init__(self, book, entries, grace):
        self.book, self.entries, self.grace = book, entries, grace

    def is_new(self, hotkey, day):
        """Whether a round of that day without a submission is still forgiven."""
        seen = self.book.miners.get(hotkey, {}).get("first_seen_ms")
        return seen is not None and day < seen // DAY_MS + self.grace

    def means(self, netuid, today, at_ms, shared):
        """Mean score by hotkey, from what was published and settled at that moment; copies share when `shared`."""
        rounds = {}
        for row in self.book.rounds.values():
            in_time = row["published_ms"] is not None and row["published_ms"] <= at_ms
            if row["netuid"] != netuid or not in_time or not today - DAYS < row["day"] <= today:
                continue
            settled = row["settled_ms"] is not None and row["settled_ms"] <= at_ms
            for hotkey, entry in self.entries[row["id"]].items():
                if entry.tier1 is None and (self.is_new(hotkey, row["day"]) or (settled and not entry.is_listed)):
                    continue
                value = entry.score(settled)
                rounds.setdefault(hotkey, []).append(value / entry.copies if shared else value)
        return {hotkey: sum(values) / len(values) for hotkey, values in rounds.items()}

    def moments(self, after_ms, until_ms):
        """Instants that differ in what was published or settled, the newest first."""
        times = {row[name] for row in self.book.rounds.values() for name in ("published_ms", "settled_ms")}
        inner = {time - 1 for time in times if time is not None and after_ms < time <= until_ms}
        return [until_ms, *sorted(inner, reverse=True)]

    def newest_day(self, netuid, at_ms):
        """The day that pay looks back from."""
        days = [row["day"] for row in self.book.rounds.values()
                if row["netuid"] == netuid and row["published_ms"] is not None and row["published_ms"] <= at_ms]
        return max(days, default=None)


def vector(earned, uids):
    """Receivers and values on chain, by ascending uid; None when nobody earned anything."""
    worth = sorted((uids[hotkey], value) for hotkey, value in earned.items() if hotkey in uids and value > 0)
    if not worth:
        return None
    total = sum(value for _, value in worth)
    shares = [(uid, value / total) for uid, value in worth]
    largest = max(share for _, share in shares)
    # Python's round is half to even.
    pairs = [(uid, round(share / largest * FULL)) for uid, share in shares]
    return [(uid, value) for uid, value in pairs if value > 0]


def digest(netuid, mechanism, pairs):
    """What a vector is named by."""
    text = f"{netuid} {mechanism}\n" + "".join(f"{uid} {value}\n" for uid, value in pairs)
    return hashlib.sha256(text.encode()).hexdigest()
