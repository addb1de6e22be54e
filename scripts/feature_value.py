#!/usr/bin/env python3
"""What our features are worth: plain LightGBM on raw columns, on our features, on those of earlier days, and the generator's truth, on the same rows.

    python3 -m venv VENV && VENV/bin/pip install numpy pyarrow lightgbm
    VENV/bin/python scripts/feature_value.py --programs BUILD/release --seeds 42-46
    scripts/feature_value.sh                                       does all of that

For each seed `aml-miner-batch synth` makes 80 days of 300 alerts. The columns: `raw`, the numbers of `alerts` and `features`; `shipped`, the features of
the shipped models; `ours`, the default features; `history`, these and the features of earlier days. Where it learns, half of the rows have
the latter made missing, as the trainer does (`--masked`). Three protocols, all measured on the last tenth of the days:

* `split`: learnt from the first days alone, 21 days before validation, 21 more before the test; no address on two sides.
* `keep`: the same days, but the rows of addresses that come again stay.
* `known`: the number of rounds of `split` (scaled by rows, to the power of --power), on all rows whose outcome was known when the
  test period began; `last` keeps the last row of each address of these, `weight` gives an address the weight of one row.

`unknown` is `known` where no address of the test is known to the state. The table of traps has, of the test's alerts issued again with an address that nobody
knows, the share of illicit ones above the 0.9 quantile of their day's scores, that of clean ones below the median, and the advantage that rules v2
make of both (docs/scoring.md); `history, never masked` learnt without missing rows.

`shuffled` is `split` with the outcomes of each day shuffled: it must be 0.5 plus or minus noise. `truth` scores an alert by what the
generator knows of it (the outcomes before some are made wrong): nobody can be better. Typologies are measured under `known`.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile
import time

import lightgbm as lgb
import numpy as np
import pyarrow.parquet as pq

DAYS, ALERTS, ADDRESSES, EMBARGO, SHARE = 80, 300, 3000, 21, 0.1
DAY_MS = 86_400_000
ROOT = pathlib.Path(__file__).resolve().parent.parent
# The trainer's defaults (config/model_config.yaml).
PARAMETERS = {
    "objective": "binary", "metric": "none", "verbosity": -1, "num_leaves": 31, "learning_rate": 0.05, "feature_fraction": 0.8,
    "bagging_fraction": 0.8, "bagging_freq": 5, "min_data_in_leaf": 20, "deterministic": True, "force_row_wise": True, "num_threads": 1,
}
ROUNDS, PATIENCE = 500, 50
NO_FEATURES = {"address", "processing_date", "window_days", "first_activity_timestamp", "last_activity_timestamp"}


def auc(y, scores):
    """Area under the curve; equal scores count half."""
    order = np.argsort(scores, kind="stable")
    _, inverse, counts = np.unique(scores[order], return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = np.empty(len(scores))
    ranks[order] = (ends - (counts - 1) / 2)[inverse]
    ones = y.sum()
    return (ranks[y > 0].sum() - ones * (ones + 1) / 2) / (ones * (len(y) - ones))


def average_precision(y, scores):
    """Sum of precision over the steps of recall, equal scores in one step."""
    order = np.argsort(-scores, kind="stable")
    hits, last = np.cumsum(y[order]), np.r_[np.diff(scores[order]) != 0, True]
    found, seen = hits[last], np.arange(1, len(y) + 1)[last]
    return float((np.diff(np.r_[0, found]) * found / seen).sum() / y.sum())


def run(program, *words):
    subprocess.run([str(program), *map(str, words)], check=True, stdout=subprocess.DEVNULL)


class Rows:
    """All alerts with an outcome: matrices, outcomes, and what splits go by."""

    def __init__(self, options, seed, work):
        batch, days = options.programs / "aml-miner-batch", work / "days"
        synth = ["--seed", seed, "--days", DAYS, "--alerts", ALERTS, "--addresses", ADDRESSES]
        run(batch, "synth", days, *synth)
        schema = ["--schema", options.schema] if options.schema else ["--with-history"]
        run(batch, "features", days, "--out", work / "ours.parquet", "--labels", *schema)
        table = pq.read_table(work / "ours.parquet")
        self.names = [name for name in table.column_names if name not in
                      {"processing_date", "alert_id", "confirmed_illicit", "relevance", "confirmed_at"}]
        self.all = np.column_stack([table[name].to_numpy() for name in self.names])
        self.earlier = np.array(["history_" in name for name in self.names])
        self.ours = self.all[:, ~self.earlier]
        # Half of the rows, whichever outcome they have, learn without earlier days.
        self.unknown = np.random.default_rng(options.model_seed).random(len(self.all)) < options.masked
        entry = json.loads((ROOT / "trained_models/model_metadata.json").read_text())["models"]
        shipped = next(one for one in entry.values() if one["model"] == "alert_scorer")["schema"]["features"]
        self.shipped = self.all[:, [self.names.index(name) for name in shipped]] if set(shipped) <= set(self.names) else None
        self.y = table["confirmed_illicit"].to_numpy().astype(float)
        self.known = stamps(table["confirmed_at"])
        self.day, self.address, self.typology, self.raw = self.tables(sorted(days.iterdir()), table["alert_id"].to_pylist())
        self.truth = None
        if not options.no_ceiling:
            run(batch, "synth", work / "true", *synth, "--label-noise", 0)
            told = [pq.read_table(day / "labels.parquet").to_pydict() for day in sorted((work / "true").iterdir())]
            self.truth = np.array([float(one) for day in told for one in day["confirmed_illicit"]])
        dates = np.unique(self.day)
        size = max(1, round(len(dates) * SHARE))
        self.test = dates[-size]
        before = dates[dates < self.test - EMBARGO]
        self.validation, self.validated = before[-size], before[-1]

    def tables(self, days, ids):
        """Day, address, typology and raw numeric columns of each alert: those of `alerts` and of its row of `features`."""
        day, address, typology, raw, found = [], [], [], [], []
        for path in days:
            alerts, features = pq.read_table(path / "alerts.parquet"), pq.read_table(path / "features.parquet")
            numbers = numeric(alerts, {"processing_date", "window_days"})
            theirs = numeric(features, NO_FEATURES)
            place = {name: row for row, name in enumerate(features["address"].to_pylist())}
            rows = np.array([place.get(name, -1) for name in alerts["address"].to_pylist()])
            raw.append(numbers | {name: np.where(rows < 0, np.nan, values[rows]) for name, values in theirs.items()})
            number = int(np.datetime64(path.name[:10], "D").astype(int))
            day += [number] * len(rows)
            address += alerts["address"].to_pylist()
            typology += alerts["typology_type"].to_pylist()
            found += alerts["alert_id"].to_pylist()
        if found != ids:
            raise SystemExit("the features are not in the order of the alerts")
        return np.array(day), np.array(address), np.array(typology), stacked(raw)

    def columns(self):
        """Matrices by name: as they are learnt from, and as they are measured."""
        both = {"raw": self.raw, "shipped": self.shipped, "ours": self.ours}
        found = {name: (x, x) for name, x in both.items() if x is not None}
        if self.earlier.any():
            found["history"] = (self.without_history(self.unknown), self.all)
        return found

    def without_history(self, rows=None):
        """All columns; those of earlier days are missing in these rows, or in all."""
        x = self.all.copy()
        x[np.ix_(np.ones(len(x), bool) if rows is None else rows, self.earlier)] = np.nan
        return x

    def split(self, keep=False):
        """Places of training, validation and test rows."""
        test = np.flatnonzero(self.day >= self.test)
        validation = np.flatnonzero((self.day >= self.validation) & (self.day <= self.validated) & (self.known < self.test * DAY_MS))
        train = np.flatnonzero((self.day < self.validation - EMBARGO) & (self.known < self.validation * DAY_MS))
        if not keep:
            later = set(self.address[test])
            validation = np.array([row for row in validation if self.address[row] not in later])
            later |= set(self.address[validation])
            train = np.array([row for row in train if self.address[row] not in later])
        return train, validation, test

    def known_rows(self):
        return np.flatnonzero((self.day < self.test) & (self.known < self.test * DAY_MS))

    def last_of_address(self, rows):
        last = {self.address[row]: row for row in rows}
        return np.array(sorted(last.values()))

    def weights(self, rows):
        names, inverse, counts = np.unique(self.address[rows], return_inverse=True, return_counts=True)
        weights = 1 / counts[inverse]
        return weights / weights.mean()


def stamps(column):
    """Milliseconds since 1970."""
    values = column.to_numpy()
    return values.astype("datetime64[ms]").astype(np.int64) if values.dtype.kind == "M" else values.astype(float)


def numeric(table, without):
    """Every number of a table by its column's name."""
    columns = {}
    for name in table.column_names:
        kind = str(table[name].type)
        if name in without or not kind.startswith(("double", "float", "bool", "int", "uint", "decimal")):
            continue
        values = table[name].cast("int8") if kind == "bool" else table[name]
        columns[name] = values.cast("double").to_numpy()
    return columns


def stacked(days):
    """Rows of many days; a column that a day lacks is missing there."""
    names = list(dict.fromkeys(name for day in days for name in day))
    rows = [len(next(iter(day.values()))) for day in days]
    return np.vstack([np.column_stack([day.get(name, np.full(count, np.nan)) for name in names]) for day, count in zip(days, rows)])


def stopped(x, y, train, validation, seed):
    """A model that validation stops, its rounds and what the call took."""
    area = lambda scores, data: ("auc", auc(data.get_label(), scores), True)  # noqa: E731
    data = lgb.Dataset(x[train], y[train], free_raw_data=False)
    held = lgb.Dataset(x[validation], y[validation], reference=data, free_raw_data=False)
    start = time.process_time()
    model = lgb.train({**PARAMETERS, "seed": seed}, data, ROUNDS, [held], feval=area, callbacks=[lgb.early_stopping(PATIENCE, verbose=False)])
    return model, model.best_iteration, time.process_time() - start


def fixed(x, y, rows, rounds, seed, weights=None):
    return lgb.train({**PARAMETERS, "seed": seed}, lgb.Dataset(x[rows], y[rows], weight=weights), rounds)


class Measures:
    """Figures by protocol and columns."""

    def __init__(self, rows):
        self.rows, self.found = rows, {}

    def add(self, name, scores, test, y=None):
        y = self.rows.y if y is None else y
        self.found[name] = {"auc": auc(y[test], scores), "ap": average_precision(y[test], scores)}

    def by_typology(self, name, scores, test):
        y, kinds = self.rows.y[test], self.rows.typology[test]
        both = [kind for kind in sorted(set(kinds)) if 0 < y[kinds == kind].sum() < (kinds == kind).sum()]
        self.found[name]["typologies"] = {kind: auc(y[kinds == kind], scores[kinds == kind]) for kind in both}


def measure(rows, options):
    found, traps = Measures(rows), Traps(rows)
    for columns, (learnt, x) in rows.columns().items():
        train, validation, test = rows.split()
        # What stops boosting is measured as the test is.
        stops = learnt.copy()
        stops[validation] = x[validation]
        model, rounds, seconds = stopped(stops, rows.y, train, validation, options.model_seed)
        found.add(f"{columns} split", model.predict(x[test], num_iteration=rounds), test)
        found.found[f"{columns} split"] |= {"rows": len(train), "rounds": rounds, "seconds": seconds, "columns": x.shape[1]}
        kept, *_ = rows.split(keep=True)
        known = rows.known_rows()
        plans = {"keep": (kept, None), "known": (known, None)}
        if options.treatments:
            last = rows.last_of_address(known)
            plans |= {"last": (last, None), "weight": (known, rows.weights(known))}
        for name, (chosen, weights) in plans.items():
            for power in options.power:
                scaled = max(1, round(rounds * (len(chosen) / len(train)) ** power))
                grown = fixed(learnt, rows.y, chosen, scaled, options.model_seed, weights)
                scores = grown.predict(x[test])
                label = f"{columns} {name}" + (f" ^{power:g}" if len(options.power) > 1 else "")
                found.add(label, scores, test)
                found.found[label] |= {"rows": len(chosen), "rounds": scaled}
                if name != "known":
                    continue
                found.by_typology(label, scores, test)
                if columns == "ours":
                    traps.add("ours", scores, scores, test)
                if columns == "history":
                    nobody = rows.without_history()[test]
                    found.add(label.replace("known", "unknown"), grown.predict(nobody), test)
                    traps.add("history", scores, grown.predict(nobody), test)
                    never = fixed(rows.all, rows.y, chosen, scaled, options.model_seed)
                    traps.add("history, never masked", never.predict(x[test]), never.predict(nobody), test)
    shuffled(rows, found, options)
    if rows.truth is not None:
        found.add("truth", rows.truth[test], test)
        found.by_typology("truth", rows.truth[test], test)
    return found.found, traps.found


class Traps:
    """How alerts that are issued again stand among the alerts of their day."""

    def __init__(self, rows):
        self.rows, self.found = rows, {}

    def add(self, name, scores, again, test):
        day, y = self.rows.day[test], self.rows.y[test]
        high, low = [], []
        for date in np.unique(day):
            here = day == date
            top, middle = np.quantile(scores[here], [0.9, 0.5])
            high += list(again[here & (y > 0)] > top)
            low += list(again[here & (y == 0)] < middle)
        shares = [float(np.mean(high)), float(np.mean(low))]
        advantage = np.mean([max(0, (share - chance) / (1 - chance)) for share, chance in zip(shares, (0.1, 0.5))])
        self.found[name] = [*shares, float(advantage)]


def shuffled(rows, found, options):
    """Outcomes shuffled within their days, through the whole way from split to figures."""
    random, y = np.random.default_rng(options.model_seed), rows.y.copy()
    for day in np.unique(rows.day):
        places = np.flatnonzero(rows.day == day)
        y[places] = random.permutation(y[places])
    train, validation, test = rows.split()
    for name, (learnt, x) in rows.columns().items():
        if name in ("ours", "history"):
            model, rounds, _ = stopped(learnt, y, train, validation, options.model_seed)
            found.add(f"{name} shuffled", model.predict(x[test], num_iteration=rounds), test, y)


def show(all_found):
    names = list(next(iter(all_found.values())))
    print(f"\n{'':22}" + "".join(f"{seed:>18}" for seed in all_found) + f"{'mean':>18}")
    for name in names:
        pairs = [(found[name]["auc"], found[name]["ap"]) for found in all_found.values()]
        cells = [*pairs, tuple(np.mean(pairs, 0))]
        print(f"{name:22}" + "".join(f"{a:9.4f} {p:8.4f}" for a, p in cells))
    for name in [name for name in names if "typologies" in next(iter(all_found.values()))[name]]:
        kinds = sorted({kind for found in all_found.values() for kind in found[name]["typologies"]})
        values = {kind: [found[name]["typologies"].get(kind, np.nan) for found in all_found.values()] for kind in kinds}
        print(f"\nAUC by typology, {name}: " + ", ".join(f"{kind} {np.nanmean(of):.3f}" for kind, of in values.items()))


def show_traps(all_traps):
    print(f"\n{'traps: high, low, advantage':28}" + "".join(f"{seed:>22}" for seed in all_traps) + f"{'mean':>22}")
    for name in next(iter(all_traps.values())):
        cells = [of[name] for of in all_traps.values()]
        print(f"{name:28}" + "".join(f"{high:8.3f} {low:6.3f} {gain:6.3f}" for high, low, gain in [*cells, np.mean(cells, 0)]))


def seeds(text):
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", required=True, type=pathlib.Path, help="directory of aml-miner-batch")
    parser.add_argument("--seeds", type=seeds, default=seeds("42-46"), help="of the simulated days (default 42-46)")
    parser.add_argument("--model-seed", type=int, default=42, help="of LightGBM (default 42)")
    parser.add_argument("--power", type=float, nargs="+", default=[0.5], help="rounds grow with rows to this power (default 0.5, as the trainer does)")
    parser.add_argument("--schema", type=pathlib.Path, help="file of features, a name per line, instead of the default ones")
    parser.add_argument("--masked", type=float, default=0.5, help="share of rows that learn without earlier days (default 0.5, as the trainer does)")
    parser.add_argument("--treatments", action="store_true", help="also the other treatments of returning addresses")
    parser.add_argument("--no-ceiling", action="store_true", help="do without the generator's truth")
    parser.add_argument("--json", type=pathlib.Path, help="file for all figures")
    return parser.parse_args()


def main():
    options, all_found, all_traps = arguments(), {}, {}
    for seed in options.seeds:
        with tempfile.TemporaryDirectory() as work:
            rows = Rows(options, seed, pathlib.Path(work))
        all_found[seed], all_traps[seed] = measure(rows, options)
        print(f"seed {seed}: {len(rows.y)} alerts, {int(rows.y.sum())} illicit", flush=True)
    show(all_found)
    show_traps(all_traps)
    if options.json:
        options.json.write_text(json.dumps({"figures": all_found, "traps": all_traps}, indent=1) + "\n")


if __name__ == "__main__":
    main()
