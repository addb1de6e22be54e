#!/usr/bin/env python3
"""Features, outcomes, scores and contributions of days, one Parquet file per day: in one process, or as the task of an engine.

    python examples/days.py data --models trained_models --out scored

`spark_days.py` and `ray_days.py` give `rows_of` one batch directory per task and write the same values.
"""

import argparse
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import aml_miner as aml


@lru_cache(maxsize=2)
def model_of(directory):
    """The alert scorer of a directory, loaded once per process."""
    return aml.Model.load(directory)


def rows_of(batch_directory, models):
    """A row per alert: date, id, features, outcomes that count, score, contributions in the order of the features."""
    model = model_of(str(models))
    table = aml.features(aml.read_batch(batch_directory), model.feature_names, labels=True)
    told = model.explain(table)
    contributions = pa.FixedSizeListArray.from_arrays(pa.array(told.contributions.ravel()), len(model.feature_names))
    table = table.append_column("score", pa.array(model.predict(table)))
    return table.append_column("contributions", contributions.cast(pa.list_(pa.float64())))


def batches_in(data):
    """The batch directories of a data directory, by day."""
    return sorted(str(path) for path in Path(data).iterdir() if (path / "META.json").exists())


def arguments(description):
    """The command line that the three programs share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("data", help="data directory: a batch directory a day")
    parser.add_argument("--models", default="trained_models", help="directory of the models")
    parser.add_argument("--out", required=True, help="directory that receives Parquet files")
    return parser


def write(table, out, name):
    """Writes a day's file, whole or not at all."""
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, out / f".{name}.parquet")
    (out / f".{name}.parquet").rename(out / f"{name}.parquet")
    return table.num_rows


def main():
    args = arguments("Features, scores and contributions of days, in one process").parse_args()
    rows = sum(write(rows_of(path, args.models), args.out, Path(path).name) for path in batches_in(args.data))
    print(f"{rows} rows")


if __name__ == "__main__":
    main()
