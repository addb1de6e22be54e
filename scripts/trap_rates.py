#!/usr/bin/env python3
"""How often models of known skill pass a group of traps, with and without regard to the consensus of the traps' day.

    python3 -m venv VENV && VENV/bin/pip install numpy pyarrow scikit-learn
    VENV/bin/python scripts/trap_rates.py --batch-tool BUILD/release/aml-miner-batch

Twelve simulated days are scored by the shipped alert scorer, by worse ones (scripts/demo/worse_model.py), and by chance.
Alerts of the first six days are the traps of the last one: they keep their own scores (the jitter of re-issued values is
left out), and are compared with the percentiles of the last day. The consensus about a model's traps is the mean of
the other models, chance left out.
"""
import argparse
import pathlib
import subprocess
import tempfile

import numpy as np
import pyarrow.parquet as pq
from sklearn.metrics import roc_auc_score

SCRAMBLED = ["0", "0.3", "0.6", "0.8", "1"]
DAYS, PAST, DRAWS = 12, 6, 20_000
ROOT = pathlib.Path(__file__).resolve().parent.parent


def run(*words):
    subprocess.run([str(word) for word in words], check=True, stdout=subprocess.DEVNULL)


def scores(tool, work: pathlib.Path):
    """Scores by model and day, in the order of the batches, and the outcomes by day."""
    run(tool, "synth", work / "days", "--seed", 21, "--start-date", "2026-09-01", "--days", DAYS, "--alerts", 3000,
        "--addresses", 30000)
    days = sorted((work / "days").iterdir())
    found = {}
    for share in SCRAMBLED:
        run("python3", ROOT / "scripts/demo/worse_model.py", ROOT / "trained_models", work / share, "--scramble", share, "--seed", 1)
        run(tool, "score", work / "days", "--out", work / "out" / share, "--models", ROOT / "trained_models", "--alert-scorer",
            work / share / "alert_scorer_v1.0.0.txt", "--no-explanations", "--signing-key", work / "key")
        for day in days:
            table = pq.read_table(work / "out" / share / day.name / "scores.parquet", columns=["alert_id", "score"]).to_pydict()
            found[share, day.name] = dict(zip(table["alert_id"], table["score"]))
    labels = {day.name: pq.read_table(day / "labels.parquet").to_pydict() for day in days}
    return found, labels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch-tool", required=True, help="the program aml-miner-batch")
    parser.add_argument("--group", type=int, default=20, help="alerts of a group (default 20)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        found, labels = scores(options.batch_tool, pathlib.Path(work))
    draw = np.random.default_rng(1)
    names = sorted(labels)
    for day in names:
        found["chance", day] = dict(zip(found["0", day], draw.random(len(found["0", day]))))
    print(f"groups of {options.group}; passed: at least 70 % where they are expected")
    print(f"{'model':>10} {'AUC':>6} {'high, any':>10} {'high, agreed':>13} {'low, any':>9} {'low, agreed':>12}")
    for model in [*SCRAMBLED, "chance"]:
        others = [other for other in SCRAMBLED if other != model]
        given = np.array(list(found[model, names[-1]].values()))
        top, middle = np.percentile(given, 90), np.percentile(given, 50)
        hits = {"high": [], "low": []}
        outcomes, values = [], []
        for day in names[:PAST]:
            ids = list(found[model, day])
            merged = np.mean([[found[other, day][one] for one in ids] for other in others], axis=0)
            high = dict(zip(ids, merged > np.percentile(merged, 90)))
            low = dict(zip(ids, merged < np.percentile(merged, 50)))
            for one, illicit, grade in zip(*(labels[day][name] for name in ("alert_id", "confirmed_illicit", "relevance"))):
                score = found[model, day][one]
                outcomes.append(bool(illicit))
                values.append(score)
                if illicit and grade == 2:
                    hits["high"].append((score > top, high[one]))
                elif not illicit and grade == 0:
                    hits["low"].append((score < middle, low[one]))
        rates = []
        for kind in ("high", "low"):
            hit, agreed = (np.array(column, dtype=bool) for column in zip(*hits[kind]))
            for of in (hit, hit[agreed]):
                groups = draw.choice(of, size=(DRAWS, options.group))
                rates.append(np.mean(groups.mean(axis=1) >= 0.7))
        name = {"0": "shipped", "chance": "chance"}.get(model) or f"{float(model):.0%} mixed"
        print(f"{name:>10} {roc_auc_score(outcomes, values):6.3f} {rates[0]:10.3f} {rates[1]:13.3f} {rates[2]:9.3f} {rates[3]:12.3f}")


if __name__ == "__main__":
    main()
