#!/usr/bin/env python3
"""Looks for attacks on the shipped rules for so many minutes: mixtures, splits, cuts, noise, timing.

    search.py --program BUILD/release/aml-subnet --minutes 10
    search.py --program ... --minutes 10 --v2 learned=False       with a mend switched off; also once=False
    search.py --program ... --minutes 10 --rules v1
    search.py --twins --minutes 10                                the Python twins instead of the program

An attack is a *recipe*: a model (or none: keys that know the traps and nothing else), what of it is told, under how many keys,
with which noise, on which days. What it is worth is
what its keys earn together beyond what one key earns that tells its model as it is (the *honest* use of the same model): a
recipe that gains says that the rules pay for something else than information. The search begins with one ingredient at a time and
goes on with changes of the best recipes; whatever gains is played once more in a season that the search has not seen, and
only what both seasons say is counted.
"""
import argparse
import ast
import time
from contextlib import nullcontext
from dataclasses import dataclass, replace

import numpy as np

from attacks import Stage, Sometimes, keys, mixed, only_top
from figures import logit, sigmoid
from measures import taken
from rules_v1 import V1
from rules_v2 import V2
from season import Season
from shipped import Program, Shipped, found
from world import World

LAST = 10
MODELS = ("good", "best", "public", "mean", "mixed", "nothing")
TOLD = (1.0, 0.5, 0.2, 0.1, 0.05)
KEYS = (1, 2, 3, 5, 10, 20, 50, 150)
NOISE = (0.0, 0.05, 0.1, 0.3, 0.5, 0.8, 1.2)
DAYS = ("all", "in turn", "two of three", "every second")


@dataclass(frozen=True)
class Recipe:
    """How a model is turned into keys."""

    model: str = "good"
    told: float = 1.0      # share of its order that is told, from the top
    keys: int = 1
    noise: float = 0.0     # of each key, in standard deviations of the log-odds
    fixed: bool = False    # whether noise is the same whenever an address comes again
    days: str = "all"

    def __str__(self):
        parts = [self.model]
        if self.told < 1:
            parts.append(f"only the top {self.told:.0%} told")
        parts.append(f"{self.keys} key{'s' if self.keys > 1 else ''}")
        if self.noise:
            parts.append(f"noise {self.noise}{' fixed by address' if self.fixed else ''}")
        if self.days != "all":
            parts.append(self.days)
        return ", ".join(parts)

    def changed(self, rng):
        """One or two ingredients changed."""
        choices = {"model": MODELS, "told": TOLD, "keys": KEYS, "noise": NOISE, "fixed": (False, True), "days": DAYS}
        names = rng.choice(list(choices), rng.integers(1, 3), replace=False)
        return replace(self, **{name: choices[name][rng.integers(len(choices[name]))] for name in names})

    def plain(self):
        """Another way to say the same."""
        recipe = self if self.noise else replace(self, fixed=False)
        if self.model == "nothing":  # noise is all that it tells
            recipe = replace(self, noise=1.0)
        return replace(recipe, days="all") if self.keys == 1 and self.days == "in turn" else recipe


def scores_of(recipe, stage):
    models = {"nothing": np.full(stage.shape, stage.world.base_rate), "good": stage.good, "best": stage.best, "public": stage.public, "mean": stage.mean}
    scores = models.get(recipe.model)
    return mixed(stage.good, stage.public, [0.5])[0] if scores is None else scores


def miners(recipe, stage):
    """The keys of a recipe in a season."""
    scores, rng = scores_of(recipe, stage), np.random.default_rng(29)
    odds, given = logit(scores), []
    spread = recipe.noise * (odds.std() if recipe.model != "nothing" else 1.0)
    for own in range(recipe.keys):
        one = scores
        if recipe.noise:
            noise = (rng.standard_normal(stage.world.address.max() + 1)[stage.world.address] if recipe.fixed
                     else rng.standard_normal(odds.shape))
            one = sigmoid(odds + spread * noise)
        one = only_top(one, recipe.told) if recipe.told < 1 else one
        when = {"in turn": lambda day, own=own: day % recipe.keys == own,
                "two of three": lambda day, own=own: (day + own) % 3 > 0,
                "every second": lambda day, own=own: (day + own) % 2 == 0}.get(recipe.days)
        given.append(Sometimes(one, when) if when else one)
    return keys(given, "known" if recipe.model == "nothing" else "model")


class Ground:
    """A season to try recipes in, and what models earn there when they are told as they are."""

    def __init__(self, seed, rules, options):
        self.stage = Stage(World(seed=seed, number_of_days=options.days, alerts_a_day=options.alerts), honest=options.honest)
        self.rules, self.known = rules, {}

    def pay(self, recipe):
        if recipe not in self.known:
            season = Season(self.stage.world, self.stage.honest + miners(recipe, self.stage), self.rules()).run()
            self.known[recipe] = taken(season, season.world.days - LAST)[0]
        return self.known[recipe]

    def honest(self, recipe):
        return self.pay(Recipe(model=recipe.model).plain())

    def gain(self, recipe):
        """Pay beyond that of the model as it is."""
        return self.pay(recipe) - self.honest(recipe)


@dataclass
class Found:
    recipe: Recipe
    gains: tuple
    pays: tuple
    honest: tuple

    @property
    def gain(self):
        return min(self.gains)

    def __str__(self):
        each = ", ".join(f"{100 * pay:.1f} instead of {100 * honest:.1f}" for pay, honest in zip(self.pays, self.honest))
        return f"{100 * self.gain:+6.1f} points | {self.recipe.keys:3} keys | {self.recipe}: {each} % of pay"


def search(grounds, minutes, rng, say=print):
    """The recipes that gain, best first; by the season that says less of each."""
    first, second = grounds
    until, tried, kept = time.monotonic() + 60 * minutes, {}, []
    queue = singles()
    while time.monotonic() < until:
        recipe = queue.pop(0) if queue else proposed(kept, rng)
        if recipe in tried:
            continue
        tried[recipe] = first.gain(recipe)
        if tried[recipe] <= 0.002:
            continue
        entry = Found(recipe, (tried[recipe], second.gain(recipe)), (first.pay(recipe), second.pay(recipe)),
                      (first.honest(recipe), second.honest(recipe)))
        if entry.gain > max([0.0] + [one.gain for one in kept]):
            say(entry, flush=True)
        kept = sorted(kept + [entry], key=lambda one: -one.gain)
    return [entry for entry in kept if entry.gain > 0], len(tried)


def singles():
    """One thing at a time, of a good model and of the best: what an attacker would try first."""
    plain = [Recipe(model=model) for model in ("best", "good")]
    cuts = [replace(one, told=told) for told in (0.1, 0.2, 0.5) for one in plain]
    noise = [replace(one, keys=50, noise=spread, fixed=fixed) for spread in (0.8, 0.3) for fixed in (True, False) for one in plain]
    copies = [replace(one, keys=count) for count in (2, 20) for one in plain]
    days = [replace(one, keys=3, days=when) for when in ("in turn", "two of three") for one in plain]
    crowds = [Recipe(model="nothing", keys=150, noise=1.0, fixed=fixed) for fixed in (True, False)]
    return crowds + cuts + noise + copies + days


def proposed(kept, rng):
    """A change of something good, or now and then something new."""
    if kept and rng.random() < 0.7:
        return kept[min(rng.geometric(0.3) - 1, len(kept) - 1)].recipe.changed(rng).plain()
    recipe = Recipe()
    for _ in range(4):
        recipe = recipe.changed(rng)
    return recipe.plain()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", help="the program aml-subnet (default: from PATH)")
    parser.add_argument("--twins", action="store_true", help="the rules in Python instead of the shipped ones")
    parser.add_argument("--threads", type=int, help="threads of the program (default: one per processor)")
    parser.add_argument("--rules", choices=("v1", "v2"), default="v2")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1, help="of the search and its seasons (default 1)")
    parser.add_argument("--v2", nargs="+", default=[], metavar="NAME=VALUE", help="other constants of v2; learned=False, once=False")
    parser.add_argument("--show", type=int, default=10, help="recipes to print (default 10)")
    parser.add_argument("--days", type=int, default=47)
    parser.add_argument("--alerts", type=int, default=300)
    parser.add_argument("--honest", type=int, default=10)
    return parser.parse_args()


def main():
    options = arguments()
    changes = {name: ast.literal_eval(value) for name, value in (item.split("=", 1) for item in options.v2)}
    twin = V1 if options.rules == "v1" else V2
    with nullcontext() if options.twins else Program(found(options.program), options.threads) as program:
        def rules():
            return twin(**changes) if options.twins else Shipped(program, options.rules, **changes)

        grounds = [Ground(seed, rules, options) for seed in (100 + options.seed, 200 + options.seed)]
        found_ones, tried = search(grounds, options.minutes, np.random.default_rng(options.seed))
    print(f"\n{tried} recipes tried under {options.rules}{''.join(f' {name}={value}' for name, value in changes.items())}; "
          f"{len(found_ones)} gain in both seasons")
    for entry in found_ones[: options.show]:
        print(entry)


if __name__ == "__main__":
    main()
