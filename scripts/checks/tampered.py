#!/usr/bin/env python3
"""recompute.py sees whatever is changed in an export; used by season.sh.

    tampered.py EXPORT           changes one thing at a time in a copy, with digests that fit, and runs it
"""
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

RECOMPUTE = pathlib.Path(__file__).resolve().parents[1] / "recompute.py"
NUDGE = 1e-9


def nudge(holder, name):
    holder[name] += NUDGE if holder[name] < 0.5 else -NUDGE


def first(rows, fits=lambda row: True):
    return next(row for row in rows if fits(row))


def accepted(rows):
    return first(rows, lambda row: row["accepted"] == 1)["record"]


def trapped(rows):
    return first(rows, lambda row: row["record"]["traps"])["record"]


def flip_group(rows):
    group = trapped(rows)["traps"][0]
    group["passed"] = not group["passed"]


def flip_fault(rows):
    finding = accepted(rows)["checks"][0]
    finding["fault"] = "something"


def swap_places(rows):
    task = first(rows, lambda row: any(ask["groups"] for ask in row["packed"]["asks"].values()))["packed"]
    groups = first(task["asks"].values(), lambda ask: len(ask["groups"]) > 1)["groups"]
    groups[0]["places"][0], groups[1]["places"][0] = groups[1]["places"][0], groups[0]["places"][0]


def forge_receipt(rows):
    record = first(rows, lambda row: row["record"]["reply"]["kind"] == "answered" and row["record"]["receipt"])["record"]
    text = record["receipt"]
    record["receipt"] = text[:200] + ("A" if text[200] != "A" else "B") + text[201:]


def any_weight(rows):
    values = rows[-1]["plan"]["content"]["weights"]["values"]
    values[values.index(min(values))] += 1


def one_settlement(rows, name):
    nudge(first(rows[-1]["packed"]["miners"].values(), lambda one: one is not None), name)


# What is changed: table, change, the row that must say so.
CHANGES = [
    ("rounds", lambda rows: rows[0].update(commitment="0" * 64), "tasks: commitment to the traps"),
    ("tasks", swap_places, "tasks: commitment to the traps"),
    ("answers", forge_receipt, "tier 1: checks"),
    ("verdicts", flip_fault, "tier 1: checks"),
    ("verdicts", lambda rows: nudge(accepted(rows), "tier1"), "tier 1: score"),
    ("verdicts", flip_group, "tier 2: groups passed"),
    ("verdicts", lambda rows: nudge(trapped(rows)["traps"][0], "share"), "tier 2: share of a group"),
    ("verdicts", lambda rows: accepted(rows)["observations"].update(copies=7), "copies: hotkeys that are one"),
    ("verdicts", lambda rows: nudge(accepted(rows)["observations"], "entropy"), "watched: entropy"),
    ("canonical", lambda rows: nudge(rows[-1]["packed"]["scores"][3], "score"), "canonical: scores"),
    ("canonical", lambda rows: nudge(rows[-1]["packed"]["scores"][3], "deviation"), "canonical: deviations"),
    ("canonical", lambda rows: nudge(rows[-1]["packed"]["weights"], min(rows[-1]["packed"]["weights"])),
     "canonical: weights of the ensemble"),
    ("canonical", lambda rows: nudge(rows[-1]["packed"]["performance"], min(rows[-1]["packed"]["performance"])),
     "performance: mean of 30 days"),
    ("alerts", lambda rows: rows[5].update(address="another"), "canonical: index by address"),
    *(("settled", lambda rows, name=name: one_settlement(rows, name), f"tier 3: {name}")
      for name in ("auc", "brier", "log_loss", "ece", "ndcg", "score")),
    ("settlements", lambda rows: nudge(rows[0], "tier3"), "tier 3: score as it is paid"),
    ("miners", lambda rows: rows[0].update(first_seen_ms=0), "miners: first seen"),
    ("weights", any_weight, "weights: vector"),
    ("weights", lambda rows: rows[-1].update(vector="0" * 64), "weights: digest of the vector"),
]


def changed(export, table, change, target):
    """A copy of an export with one change, whose manifest fits."""
    shutil.copytree(export, target)
    path = target / f"{table}.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    change(rows)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    manifest = json.loads((target / "MANIFEST.json").read_text())
    for entry in manifest["tables"]:
        if entry["name"] == table:
            entry["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (target / "MANIFEST.json").write_text(json.dumps(manifest))


def recompute(folder):
    command = [sys.executable, RECOMPUTE, folder, "--grace", "1", "--metrics", "own"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def main() -> int:
    export = pathlib.Path(sys.argv[1])
    passed, problems = 0, []
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        for number, (table, change, row) in enumerate(CHANGES):
            target = work / str(number)
            changed(export, table, change, target)
            run = recompute(target)
            if run.returncode == 1 and f"DIFFERENT: {row}: " in run.stdout:
                passed += 1
            else:
                problems.append(f"{table}: nobody saw that {row} was changed ({run.returncode})\n{run.stdout[-1500:]}{run.stderr[-500:]}")
        shutil.copytree(export, work / "cut")
        (work / "cut" / "MANIFEST.json").write_text("{}")
        run = recompute(work / "cut")
        if run.returncode == 2:
            passed += 1
        else:
            problems.append(f"an export without a manifest was read ({run.returncode})")
    for problem in problems:
        print(f"FAILED: {problem}")
    if not problems:
        print(f"ok: {passed} changes of an export were seen")
    print(f"\n{passed} passed, {len(problems)} failed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
