#!/usr/bin/env python3
"""How models of known skill do on traps: how often they pass a group, and under rules v2 how often they show a sign of life.

    python3 -m venv VENV && VENV/bin/pip install numpy pyarrow scikit-learn
    VENV/bin/python scripts/trap_rates.py --batch-tool BUILD/release/aml-miner-batch

Twelve simulated days are scored by the shipped alert scorer, by worse ones (scripts/demo/worse_model.py), and by chance.
Alerts of the first six days are the traps of the last one: they keep their own scores (the jitter of re-issued values is
left out), and are compared with the percentiles of the last day. The consensus about a model's traps is the mean of
the other models, chance left out.

The second table is about rules v2, where a round's traps are common to all miners: the advantage of a round, how often it is
`alive`, and how often its mean over thirty rounds is `worthy` (docs/scoring.md), for tasks with 40 high and 40 low traps, and for
small batches of 200 alerts with 5 and 5.
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
# Rules v2.
ALIVE, WORTHY, ROUNDS = 0.2, 0.25, 30
PLANS = [(2, 20), (1, 5)]
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


def advantages(draw, high, low, groups, size):
    """The advantage of each of many rounds; `high` and `low` say of every trap whether it is where it belongs."""
    shares = [draw.choice(of, size=(DRAWS, groups, size)).mean(axis=2).mean(axis=1) for of in (high, low)]
    parts = [np.maximum(0, (share - chance) / (1 - chance)) for share, chance in zip(shares, (0.1, 0.5))]
    return np.mean(parts, axis=0)


def lives(draw, agreed):
    """Advantage, share of rounds alive, share of months worthy, for each plan."""
    for groups, size in PLANS:
        each = advantages(draw, *agreed, groups, size)
        months = draw.choice(each, size=(DRAWS // 10, ROUNDS)).mean(axis=1)
        yield each.mean(), np.mean(each >= ALIVE), np.mean(months >= WORTHY)


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
    living = {}
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
        rates, agreed_hits = [], []
        for kind in ("high", "low"):
            hit, agreed = (np.array(column, dtype=bool) for column in zip(*hits[kind]))
            agreed_hits.append(hit[agreed])
            for of in (hit, hit[agreed]):
                groups = draw.choice(of, size=(DRAWS, options.group))
                rates.append(np.mean(groups.mean(axis=1) >= 0.7))
        name = {"0": "shipped", "chance": "chance"}.get(model) or f"{float(model):.0%} mixed"
        living[name] = list(lives(draw, agreed_hits))
        print(f"{name:>10} {roc_auc_score(outcomes, values):6.3f} {rates[0]:10.3f} {rates[1]:13.3f} {rates[2]:9.3f} {rates[3]:12.3f}")
    print("\nrules v2: advantage of a round, share of rounds alive, share of months worthy")
    print(" " * 10 + "".join(f"   {groups} + {groups} groups of {size:<2}    " for groups, size in PLANS))
    for name, plans in living.items():
        print(f"{name:>10}" + "".join(f"   {mean:6.3f} {alive:6.3f} {worthy:6.3f}" for mean, alive, worthy in plans))


if __name__ == "__main__":
    main()
