#!/usr/bin/env python3
"""Judges a soak: was anything lost, and is flat what has to be flat? Prints the table of docs/testing.md.

A slope is the median of the slopes between all pairs of samples (Theil and Sen), after the first quarter of the time, in
which caches fill. It is flat when an hour adds no more than the bound: a share of what is held, or a number of its own.
"""
import argparse
import collections
import csv
import json
import pathlib
import re
import statistics
import sys

MIB = 1 << 20
# What an hour may add. Memory: the greater of a share and a number. Disk of a validator and of a chain grows with what they
# keep: it is judged by the alerts that came and by the hour.
MEMORY_SHARE, MEMORY_BYTES = 0.02, 2 * MIB
THREADS, DESCRIPTORS = 1, 2
DISK = {"api": MIB, "miner": MIB, "chain": 64 * MIB}
DISK_PER_ALERT = 8 << 10  # of the validator: its batch, columns and published scores are kept
JUDGED_FROM = 30  # minutes
PAIRS = 400  # samples of a slope, at most


def slope(points: list) -> float:
    """Per hour."""
    points = points[:: max(1, len(points) // PAIRS)]
    each = [(v2 - v1) / (t2 - t1) for i, (t1, v1) in enumerate(points) for t2, v2 in points[i + 1 :] if t2 > t1]
    return 3600 * statistics.median(each) if each else 0.0


class Series:
    def __init__(self, rows: list, field: str, scale: float = 1):
        points = [(float(row["seconds"]), float(row[field]) * scale) for row in rows]
        settled = [point for point in points if point[0] >= points[-1][0] / 4]
        self.slope, self.middle = slope(settled), statistics.median(value for _, value in settled)
        self.least, self.most, self.last = min(v for _, v in points), max(v for _, v in points), points[-1][1]


def judge_growth(samples: dict, hours: float, alerts: int) -> list:
    """Rows of the table: process, what, from, to, slope per hour, bound, whether it is flat."""
    rows = []
    for name, of in samples.items():
        memory = Series(of, "rss_kib", 1024)
        kept = DISK_PER_ALERT * alerts * max((int(of[-1]["days"]) - int(of[0]["days"])) / hours, 1)
        kinds = [
            ("resident memory, MiB", memory, max(MEMORY_BYTES, MEMORY_SHARE * memory.middle), MIB),
            ("threads", Series(of, "threads"), THREADS, 1),
            ("descriptors", Series(of, "descriptors"), DESCRIPTORS, 1),
            ("disk, MiB", Series(of, "disk_bytes"), DISK.get(name, kept), MIB),
        ]
        for what, series, bound, unit in kinds:
            rows.append((name, what, series.least / unit, series.most / unit, series.slope / unit, bound / unit, series.slope <= bound))
    return rows


def show(rows: list, judged: bool):
    print("| process | what | least | most | an hour adds | at most | flat |\n|---|---|---|---|---|---|---|")
    for name, what, least, most, adds, bound, flat in rows:
        verdict = ("yes" if flat else "NO") if judged else "not judged"
        print(f"| {name} | {what} | {least:.1f} | {most:.1f} | {adds:+.2f} | {bound:.1f} | {verdict} |")


def total(metrics: dict, pattern: str) -> int:
    return round(sum(value for name, value in metrics.items() if re.search(pattern, name)))


class Losses:
    def __init__(self):
        self.failed = 0

    def check(self, what: str, good: bool, said=""):
        self.failed += not good
        print(f"{'ok' if good else 'LOST'}: {what}{f' ({said})' if said else ''}")


# What each kind of caller may be told.
EXPECTED = {
    "single": {"200"},
    "day": {"200"},
    "malformed": {"400", "422"},
    "reader": {"200"},
    "stranger": {"400", "401", "403", "426", "429"},
    "half": {"left"},
}


def judge_losses(work: pathlib.Path, counts: dict, miner: str) -> int:
    losses = Losses()
    for kind, outcomes in sorted(counts["asked"].items()):
        other = {outcome: count for outcome, count in outcomes.items() if outcome not in EXPECTED[kind.split()[0]]}
        losses.check(f"{kind}: {sum(outcomes.values())} asked", not other, ", ".join(f"{n} x {o}" for o, n in outcomes.items()))
    shown = [json.loads(path.read_text()) for path in (work / "shown").glob("*.json")]
    done = [one for one in shown if one["round"]["step"] in ("published", "settled")]
    released = counts["released"]
    losses.check(f"{released} days came, {len(done)} rounds are published", len(done) == released == len(shown))
    counted = [one for one in done if any(v["hotkey"] == miner and "Ok" in v["accepted"] for v in one["verdicts"])]
    losses.check(f"the miner's answer counts in {len(counted)} rounds", len(counted) == released)
    api, validator = counts["api"], counts["validator"]
    # The server's own count: what our callers got, and one answer for each round, through the proxy.
    answered = total(api, r'aml_requests_total\{.*route="/score/alerts".*status="200"')
    ours = sum(outcomes.get("200", 0) for kind, outcomes in counts["asked"].items() if kind.endswith("/score/alerts"))
    asked = total(validator, r'aml_validator_answers_total\{.*outcome="answered"')
    again = total(validator, r"aml_validator_retries_total")
    losses.check(f"the API counts {answered} answers: {ours} to callers, {asked} to the validator",
                 ours + asked <= answered <= ours + asked + again, f"{again} asked again")
    losses.check(f"{counts['reloads']} reloads, all good", total(api, r'aml_reloads_total\{outcome="good"') == counts["reloads"])
    losses.check("weights were confirmed", total(validator, r'aml_weights_outcomes_total\{outcome="confirmed"') > 0,
                 str(total(validator, r'aml_weights_outcomes_total\{outcome="confirmed"')))
    troubles = {name: value for name, value in validator.items() if name.startswith("aml_validator_troubles_total") and value}
    losses.check("no turn of the validator failed", not troubles, str(troubles or ""))
    return losses.failed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--minutes", type=int, required=True)
    parser.add_argument("--alerts", type=int, required=True)
    parser.add_argument("--miner", required=True)
    args = parser.parse_args()
    samples = collections.defaultdict(list)
    with open(args.work / "samples.csv", newline="") as file:
        for row in csv.DictReader(file):
            samples[row["process"]].append(row)
    counts = json.loads((args.work / "counts.json").read_text())
    judged = args.minutes >= JUDGED_FROM
    rows = judge_growth(samples, counts["seconds"] / 3600, args.alerts)
    show(rows, judged)
    print()
    lost = judge_losses(args.work, counts, args.miner)
    grows = sum(not row[-1] for row in rows) if judged else 0
    print(f"\n{lost} losses, {grows} of {len(rows)} figures grow" + ("" if judged else f" (slopes are judged from {JUDGED_FROM} minutes)"))
    sys.exit(lost > 0 or grows > 0)


if __name__ == "__main__":
    main()
