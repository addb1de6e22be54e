#!/usr/bin/env python3
"""Every attack under rules v1 and v2, from the rules as they are shipped.

    table.py --program BUILD/release/aml-subnet                    the table, to look at
    table.py --program ... --write docs/scoring.md                 puts it between the page's marks
    table.py --program ... --only "noisy" --seeds 3 --v2 z=1.5     some attacks, another season, other constants
    table.py --twins                                               the Python twins instead of the program

Twenty honest miners and the attackers, 600 alerts a day, 8 % illicit, 54 days. Shares are means over the last 12 days.
"""
import argparse
import ast
import pathlib
import sys
import time
from dataclasses import dataclass

from attacks import ATTACKS, Stage
from measures import quality, taken, truth
from rules_v1 import V1
from rules_v2 import V2
from season import Season
from shipped import Program, Shipped, found
from world import World

LAST = 12
MARKS = "<!-- table of attacks: begin -->", "<!-- table of attacks: end -->"


@dataclass
class Line:
    """What one attack came to in one season under one version of the rules; shares of `them` and of a victim."""

    pay: float
    voice: float
    auc: float
    loss: float
    victim: float


@dataclass
class Row:
    name: str
    keys: int
    worth: tuple
    v1: list
    v2: list


def play(stage, miners, rules, since):
    season = Season(stage.world, stage.honest + miners, rules).run()
    first = stage.world.days - LAST
    line = Line(*taken(season, first), *quality(season, first), taken(season, first, "victim")[0])
    return season, line, (truth(season, since) if since is not None else None)


def rows(options, rules_of):
    """One row per attack; the first season under both versions, the others under v2."""
    stages = [Stage(World(seed=seed, alerts_a_day=options.alerts)) for seed in options.seeds]
    for name, function in {"nobody else": None, **ATTACKS}.items():
        if options.only and not any(word in name for word in options.only):
            continue
        row = Row(name, 0, (0.0, 0.0), [], [])
        for at, stage in enumerate(stages):
            miners = function(stage) if function else []
            row.keys = sum(miner.owner == "them" for miner in miners)
            if at == 0:
                _, line, worth = play(stage, miners, rules_of("v1"), function.since if function else None)
                row.v1, row.worth = [line], worth or row.worth
            row.v2.append(play(stage, miners, rules_of("v2"), None)[1])
        yield row


HEADS = ["attack", "keys", "skill / lost", "v1 pay / voice", "v1 AUC, log loss", "v2 pay", "v2 voice", "v2 AUC, log loss"]


def percent(share):
    return f"{100 * share:.1f}" if share >= 0.0005 else ("0.00" if share < 0.00005 else f"{100 * share:.2f}")


def cells(row):
    """A row of the page."""
    mean = lambda of: sum(of(line) for line in row.v2) / len(row.v2)  # noqa: E731
    (v1,) = row.v1
    victim = ""
    if row.v2[0].victim:
        victim = f" (the copied one: {' '.join(percent(line.victim) for line in row.v2)})"
    return [row.name, str(row.keys), " / ".join(percent(share) for share in row.worth), f"{percent(v1.pay)} / {percent(v1.voice)}",
            f"{v1.auc:.4f}, {v1.loss:.4f}", " ".join(percent(line.pay) for line in row.v2) + victim, percent(mean(lambda line: line.voice)),
            f"{mean(lambda line: line.auc):.4f}, {mean(lambda line: line.loss):.4f}"]


def markdown(all_rows):
    lines = ["| " + " | ".join(HEADS) + " |", "|" + "---|" * len(HEADS)]
    return "\n".join(lines + ["| " + " | ".join(cells(row)) + " |" for row in all_rows])


def put(page: pathlib.Path, text):
    """Puts the table between the marks of a page."""
    whole = page.read_text()
    before, _, rest = whole.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    if not rest or not after:
        raise SystemExit(f"{page} has no place for the table: {MARKS[0]} ... {MARKS[1]}")
    page.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{after}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", help="the program aml-subnet (default: from PATH)")
    parser.add_argument("--threads", type=int, help="threads of the program (default: one per processor)")
    parser.add_argument("--twins", action="store_true", help="the rules in Python instead of the shipped ones")
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD", help="attacks that contain one of these")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="seasons; v1 plays the first (default: 1 2 3)")
    parser.add_argument("--alerts", type=int, default=600, help="alerts of a day (default 600)")
    parser.add_argument("--v2", nargs="+", default=[], metavar="NAME=VALUE", help="other constants of v2; learned=False, once=False")
    parser.add_argument("--write", type=pathlib.Path, metavar="PAGE", help="put the table into this page")
    return parser.parse_args()


def main():
    options, began = arguments(), time.monotonic()
    changes = {name: ast.literal_eval(value) for name, value in (item.split("=", 1) for item in options.v2)}
    kept = []

    def table(rules_of):
        for row in rows(options, rules_of):
            kept.append(row)
            print("  ".join(f"{cell:>8}" for cell in cells(row)), file=sys.stderr, flush=True)

    if options.twins:
        table(lambda version: V1() if version == "v1" else V2(**changes))
    else:
        with Program(found(options.program), options.threads) as program:
            table(lambda version: Shipped(program, version, **(changes if version == "v2" else {})))
    if options.write:
        put(options.write, markdown(kept))
    else:
        print(markdown(kept))
    print(f"{len(kept)} rows in {time.monotonic() - began:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
