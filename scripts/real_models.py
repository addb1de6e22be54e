#!/usr/bin/env python3
"""A season with a dozen real models (LightGBM, XGBoost, scikit-learn) on simulated days, under rules v1 and v2.

    python3 -m venv VENV && VENV/bin/pip install numpy pyarrow scikit-learn lightgbm xgboost
    VENV/bin/python scripts/real_models.py --programs BUILD/release
    scripts/simulator.sh real                                      does all of that

`aml-miner-batch synth` makes 66 days; the models are trained on what is known of the first eighteen when the season begins, each on
features of its own choice, and never again. They then play 48 days under the shipped rules (`aml-subnet rules apply`), alone and with
attackers. Traps are scored as the same alerts were scored when they were new, with a little jitter.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "simulator"))

from attacks import ATTACKS  # noqa: E402
from figures import auc, log_loss, logit, sigmoid  # noqa: E402
from measures import quality, taken  # noqa: E402
from season import Miner, Season  # noqa: E402
from shipped import Program, Shipped  # noqa: E402
from world import NEVER, Alerts  # noqa: E402

TRAINED, DAYS, LAST = 18, 66, 12
DAY_MS = 86_400_000
TEXTS = {"alert_id", "address", "processing_date", "window_days"}
CHOSEN = [
    "172 that know nothing", "50 that know nothing but the traps", "good, 20 exact copies", "good, 50 noisy copies (0.8 sd)",
    "good, 50 copies with noise fixed by address (0.8 sd)", "best of all, one key", "best of all, 50 noisy copies (0.3 sd)",
    "best of all, 50 copies with noise fixed by address (0.8 sd)", "best of all, 3 keys in turn",
    "best of all, only the top tenth told, the rest tied", "canonical scores of earlier days, 50 noisy copies",
    "public outcomes of the same addresses, 50 noisy copies", "bloc of 60 with one error on the public model",
    "today's canonical scores, 20 noisy copies that know the traps",
]


def read(folder):
    """Of each day: alert ids, addresses, features, names of these, and by alert (illicit, relevance, day on which it is known)."""
    import pyarrow.parquet as pq
    days, names = [], None
    for number, day in enumerate(sorted(folder.iterdir())):
        alerts = pq.read_table(day / "alerts.parquet").to_pydict()
        features, labels = pq.read_table(day / "features.parquet"), pq.read_table(day / "labels.parquet").to_pydict()
        names = names or [name for name in features.column_names if name not in TEXTS and is_number(features[name].type)]
        row_of = {address: row for row, address in enumerate(features["address"].to_pylist())}
        table = np.column_stack([np.array(features[name].to_pylist(), float) for name in names])
        table = np.vstack([table, np.full(len(names), np.nan)])
        rows = [row_of.get(address, len(table) - 1) for address in alerts["address"]]
        start = int(np.datetime64(day.name[:10], "ms").astype(np.int64))
        known = {name: (bool(illicit), relevance, number + int((stamp(at) - start) // DAY_MS)) for name, illicit, relevance, at in
                 zip(labels["alert_id"], labels["confirmed_illicit"], labels["relevance"], labels["confirmed_at"])}
        days.append((alerts["alert_id"], alerts["address"], table[rows], [known.get(name) for name in alerts["alert_id"]]))
    return days, names


def stamp(at):
    """Milliseconds since 1970 of a label's time, however it is stored."""
    return int(at) if isinstance(at, (int, float)) else int(np.datetime64(at.replace(tzinfo=None), "ms").astype(np.int64))


def is_number(kind):
    from pyarrow import types
    return types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)


class Days(Alerts):
    """The days of the season; all have as many alerts."""

    def __init__(self, days):
        alerts = min(len(ids) for ids, *_ in days)
        numbers, shape = {}, (len(days), alerts)
        self.address = np.array([[numbers.setdefault(one, len(numbers)) for one in addresses[:alerts]] for _, addresses, *_ in days])
        self.illicit, self.relevance, self.known_on = np.zeros(shape), np.zeros(shape), np.full(shape, NEVER)
        for day, (*_, known) in enumerate(days):
            for place, outcome in enumerate(known[:alerts]):
                if outcome:
                    illicit, relevance, on = outcome
                    self.illicit[day, place], self.relevance[day, place] = illicit, relevance
                    self.known_on[day, place] = on - TRAINED
        self.look_back()


def models(rng, columns):
    """(name, columns that it sees, model) of each miner."""
    import lightgbm as lgb
    import xgboost as xgb
    from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import QuantileTransformer

    def filled(model):
        return make_pipeline(SimpleImputer(keep_empty_features=True), QuantileTransformer(n_quantiles=200, random_state=1), model)

    one = {"n_jobs": 1, "random_state": 1}
    boosted = {**one, "verbose": -1}
    kinds = [
        ("LightGBM, 31 leaves", 1.0, lgb.LGBMClassifier(n_estimators=150, learning_rate=0.05, **boosted)),
        ("LightGBM, 7 leaves", 0.7, lgb.LGBMClassifier(n_estimators=250, num_leaves=7, learning_rate=0.05, **boosted)),
        ("LightGBM, half of the features", 0.5, lgb.LGBMClassifier(n_estimators=150, learning_rate=0.05, **boosted)),
        ("LightGBM, a third of them", 0.35, lgb.LGBMClassifier(n_estimators=150, num_leaves=15, learning_rate=0.05, **boosted)),
        ("XGBoost, depth 4", 1.0, xgb.XGBClassifier(n_estimators=200, max_depth=4, learning_rate=0.05, **one)),
        ("XGBoost, depth 2", 0.7, xgb.XGBClassifier(n_estimators=300, max_depth=2, learning_rate=0.08, **one)),
        ("XGBoost, half of the features", 0.5, xgb.XGBClassifier(n_estimators=200, max_depth=5, learning_rate=0.05, **one)),
        ("random forest", 1.0, filled(RandomForestClassifier(300, min_samples_leaf=5, **one))),
        ("extra trees", 0.7, filled(ExtraTreesClassifier(300, min_samples_leaf=5, **one))),
        ("histogram boosting", 0.7, HistGradientBoostingClassifier(max_iter=120, learning_rate=0.06, random_state=1)),
        ("logistic regression", 1.0, filled(LogisticRegression(C=0.1, max_iter=2000))),
        ("neural network", 0.6, filled(MLPClassifier((32,), alpha=0.1, max_iter=200, random_state=1))),
    ]
    return [(name, np.sort(rng.permutation(columns)[: max(5, int(share * columns))]), model) for name, share, model in kinds]


def trained(days, names, rng):
    """Scores of each model over the days of the season."""
    first = [(table[place], known[place][0]) for _, _, table, known in days[:TRAINED] for place in range(len(table))
             if known[place] and known[place][2] <= TRAINED]
    x, y = np.array([row for row, _ in first]), np.array([illicit for _, illicit in first])
    print(f"trained on {len(y)} alerts, {y.sum()} of them illicit; {len(names)} features", flush=True)
    alerts = min(len(ids) for ids, *_ in days[TRAINED:])
    later = np.concatenate([table[:alerts] for _, _, table, _ in days[TRAINED:]])
    scores = {}
    for name, columns, model in models(rng, x.shape[1]):
        model.fit(x[:, columns], y)
        scores[name] = model.predict_proba(later[:, columns])[:, 1].astype(float).reshape(-1, alerts).clip(0, 1)
    return scores, y.mean()


class Stage:
    """What attacks look at: the best honest model, a redundant one, and a public one; none of them is anybody's but the attackers'."""

    def __init__(self, world, scores, base_rate):
        self.world, self.shape = world, world.address.shape
        world.base_rate = base_rate
        known = world.known_on < NEVER
        ordered = sorted(scores, key=lambda name: -auc(world.illicit[known], scores[name][known]))
        self.best, self.good, self.public = (scores[ordered[at]] for at in (0, len(ordered) // 2, len(ordered) - 1))
        self.mean = sigmoid(np.mean([logit(one) for one in scores.values()], 0))
        theirs = {ordered[0], ordered[len(ordered) // 2], ordered[-1]}
        self.names = [name for name in scores if name not in theirs]
        self.honest = [Miner(scores[name]) for name in self.names]
        self.theirs = [ordered[0], ordered[len(ordered) // 2], ordered[-1]]


def known_quality(season, scores, first):
    known = season.world.known_on[first:] < NEVER
    illicit = season.world.illicit[first:][known]
    return auc(illicit, scores[first:][known]), log_loss(illicit, scores[first:][known])


def everybody(program, world, scores):
    """All models as honest miners: who earns what, and what the canonical scores come to."""
    crowd, first = [Miner(one) for one in scores.values()], world.days - LAST
    seasons = {version: Season(world, crowd, Shipped(program, version)).run() for version in ("v1", "v2")}
    print(f"\n{'miner':34} {'AUC':>7} {'log loss':>9} {'v1 pay':>7} {'v2 pay':>7}")
    for place, (name, own) in enumerate(scores.items()):
        reached, pays = known_quality(seasons["v1"], own, first), [season.pay[place, first:].mean() for season in seasons.values()]
        print(f"{name:34} {reached[0]:7.4f} {reached[1]:9.4f} {pays[0]:7.1%} {pays[1]:7.1%}")
    mean = np.mean(list(scores.values()), 0)
    for name, merged in [*((f"canonical scores, {version}", season.canonical) for version, season in seasons.items()), ("plain mean", mean)]:
        print("{:34} {:7.4f} {:9.4f}".format(name, *known_quality(seasons["v1"], merged, first)))


def attacked(program, stage):
    first = stage.world.days - LAST
    print(f"\nattackers own: best {stage.theirs[0]}, good {stage.theirs[1]}, public {stage.theirs[2]}")
    print(f"{'attack on the other nine':62} {'v1 pay':>7} {'voice':>6} {'v2 pay':>7} {'voice':>6} {'AUC':>7} {'loss':>7}")
    for name in CHOSEN:
        miners = ATTACKS[name](stage)
        line = ""
        for version in ("v1", "v2"):
            season = Season(stage.world, stage.honest + miners, Shipped(program, version)).run()
            pay, voice = taken(season, first)
            line += f" {pay:7.1%} {voice:6.1%}"
        merged = quality(season, first)
        print(f"{name:62}{line} {merged[0]:7.4f} {merged[1]:7.4f}", flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", required=True, type=pathlib.Path, help="directory of aml-subnet and aml-miner-batch")
    parser.add_argument("--seed", type=int, default=5, help="of the simulated days (default 5)")
    parser.add_argument("--alerts", type=int, default=400, help="alerts of a day (default 400)")
    parser.add_argument("--days", type=pathlib.Path, help=f"{DAYS} days that are there already")
    return parser.parse_args()


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as work:
        folder = options.days or pathlib.Path(work) / "days"
        if not options.days:
            words = ["synth", folder, "--seed", options.seed, "--start-date", "2026-01-01", "--days", DAYS, "--alerts", options.alerts,
                     "--addresses", 12 * options.alerts]
            subprocess.run([str(word) for word in [options.programs / "aml-miner-batch", *words]], check=True, stdout=subprocess.DEVNULL)
        days, names = read(folder)
    scores, base_rate = trained(days, names, np.random.default_rng(options.seed))
    world = Days(days[TRAINED:])
    stage = Stage(world, scores, base_rate)
    with Program(options.programs / "aml-subnet") as program:
        everybody(program, world, scores)
        attacked(program, stage)


if __name__ == "__main__":
    main()
