#!/usr/bin/env python3
"""How miners of known skill did on the traps of real rounds: common tasks as they were sent, with the company of clusters.

    scripts/demo.sh --once --keep --alerts 3000
    python3 scripts/trap_rounds.py KEPT           KEPT is what the demo says it kept

One line per miner of every ledger under the directory: rounds with traps, mean and standard deviation of the advantage of a round,
the share of rounds alive (0.2 or more), and the share of months that are paid for anything at all (a mean of 0.25 or more over thirty
rounds), of months that are drawn with replacement from its rounds (docs/scoring.md).
"""
import argparse
import json
import pathlib
import random
import sqlite3
from statistics import fmean, pstdev

ALIVE, WORTHY, ROUNDS, MONTHS = 0.2, 0.25, 30, 2_000


def advantages(folder: pathlib.Path) -> dict[tuple[str, str], list[float]]:
    """The advantage of each judged round, by ledger and miner."""
    names_file = folder / "names.json"
    names = json.loads(names_file.read_text()) if names_file.exists() else {}
    found: dict[tuple[str, str], list[float]] = {}
    for ledger in sorted(folder.rglob("*.sqlite")):
        with sqlite3.connect(f"file:{ledger}?mode=ro", uri=True) as read:
            for hotkey, advantage in read.execute("SELECT hotkey, advantage FROM verdicts WHERE advantage IS NOT NULL"):
                found.setdefault((str(ledger.relative_to(folder)), names.get(hotkey, hotkey)), []).append(advantage)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, metavar="KEPT", help="a directory with ledgers (*.sqlite)")
    folder = parser.parse_args().folder
    found = advantages(folder)
    if not found:
        parser.exit(1, f"trap_rounds: no round with common traps in a ledger under {folder}\n")
    draw = random.Random(1)
    width = max(len(ledger) for ledger, _ in found)
    print(f"{'ledger':>{width}} {'miner':>10} {'rounds':>6} {'mean':>6} {'spread':>6} {'alive':>6} {'worthy':>6}")
    for (ledger, name), each in sorted(found.items()):
        worthy = fmean(fmean(draw.choices(each, k=ROUNDS)) >= WORTHY for _ in range(MONTHS))
        alive = fmean(one >= ALIVE for one in each)
        print(f"{ledger:>{width}} {name:>10} {len(each):6} {fmean(each):6.3f} {pstdev(each):6.3f} {alive:6.3f} {worthy:6.3f}")


if __name__ == "__main__":
    main()
