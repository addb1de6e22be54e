#!/usr/bin/env python3
"""Whether the rules as they are shipped and their Python twins say the same, and whether a few promises hold.

    check.py --program BUILD/release/aml-subnet
"""
import argparse

import numpy as np

from attacks import Stage, keys, noisy, only_top
from rules_v1 import V1
from rules_v2 import V2, descend, weights_of
from season import Miner, Season
from shipped import Program, Refused, Shipped, found
from world import World


def say(what):
    print(f"ok: {what}", flush=True)


def same(program, version, twin, miners, world, **changes):
    """Plays a season twice, shipped and in Python, and gives the shipped one."""
    one = Season(world, miners, Shipped(program, version, **changes)).run()
    two = Season(world, miners, twin).run()
    for name, most in (("tier2", 1e-12), ("advantage", 1e-12), ("pay", 1e-7), ("voice", 1e-7), ("canonical", 1e-7)):
        left, right = getattr(one, name), getattr(two, name)
        if version == "v2" and name == "tier2" or version == "v1" and name == "advantage":
            continue
        apart = np.nanmax(np.abs(left - right), initial=0)
        assert (np.isnan(left) == np.isnan(right)).all() and apart < most, (version, name, apart)
    return one


def refused(program):
    """Frames that are wrong are refused by name, and the season goes on."""
    program.ask("begin", {"rules": "v2", "miners": 1})
    empty = {"day": 3, "addresses": "", "answers": [None]}
    program.ask("day", empty)
    for code, name, frame in (("not_after", "day", empty), ("length", "day", {**empty, "day": 4, "answers": []}),
                              ("form", "day", {"days": 4}), ("setting", "begin", {"rules": "v2", "miners": 1, "constants": {"zz": 1}}),
                              ("setting", "begin", {"rules": "v1", "miners": 1, "once": False})):
        try:
            program.ask(name, frame)
        except Refused as refusal:
            assert str(refusal).startswith(code + ":"), (code, refusal)
        else:
            raise AssertionError(f"{code}: not refused")
    assert program.ask("day", {**empty, "day": 4})["day"] == 4


def solvers():
    rng = np.random.default_rng(2)
    for _ in range(20):
        n = rng.integers(2, 40)
        R = np.corrcoef(rng.standard_normal((n, 500)) + rng.standard_normal(500))
        given = R, rng.uniform(-0.05, 0.4, n), np.full(n, 0.01), 0.02 * rng.uniform(0.1, 1, n), 0.05
        assert np.abs(descend(*given) - weights_of(*given)).max() < 1e-8


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", help="the program aml-subnet (default: from PATH)")
    options = parser.parse_args()
    solvers()
    say("both solvers find the same weights")
    world = World(number_of_days=46, alerts_a_day=300)
    stage = Stage(world, honest=12)
    crowd = stage.honest + keys([stage.good, stage.good, only_top(stage.best, 0.1)]) + [Miner(stage.public, "them", first=25)]
    with Program(found(options.program)) as program:
        refused(program)
        say("wrong frames are refused by name, and the season goes on")
        same(program, "v1", V1(), crowd, world)
        say("rules v1: the program and Python say the same every day")
        whole = same(program, "v2", V2(), crowd, world)
        say("rules v2: the program and Python say the same every day")
        for changes in ({"learned": False}, {"once": False}, {"z": 1.5, "gamma": 1.0}):
            same(program, "v2", V2(**changes), crowd, world, **changes)
            say(f"with {changes} too")
        again = Season(world, crowd, Shipped(program, "v2")).run()
        assert (again.pay == whole.pay).all() and (again.canonical == whole.canonical).all()
        say("a second season in the same process gives the same bits")

        def pay(miners):
            return Season(world, stage.honest + miners, Shipped(program, "v2")).run().pay[len(stage.honest):, -1]

        junk = np.random.default_rng(11).beta(0.5, 4, (60,) + stage.shape)
        assert pay(keys(junk, "noise")).sum() < 0.001
        say("sixty that know nothing earn next to nothing")
        one, many = pay(keys([stage.best])).sum(), pay(keys([stage.best] * 20)).sum()
        assert 0 < many <= one * 1.001, (one, many)
        noise = pay(keys(noisy(stage.best, 20, 0.3))).sum()
        assert noise <= one, (one, noise)
        say(f"twenty copies earn {many:.4f}, with noise {noise:.4f}, one key {one:.4f}")
    print("all is as it should be")


if __name__ == "__main__":
    main()
