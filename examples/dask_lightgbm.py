#!/usr/bin/env python3
"""LightGBM on Dask, over the files of `days.py`, `spark_days.py` or `ray_days.py`; the model is adopted.

    pip install aml-miner 'dask[array,distributed]' lightgbm
    python examples/dask_lightgbm.py scored --models trained_models --train adopted --until 2025-10-20 --workers 2

Workers must see the files under the same paths. LightGBM on several workers is not deterministic in its last bits; what was trained is
adopted bit for bit all the same.
"""

import argparse
import datetime as dt
from pathlib import Path

import dask
import dask.array as da
import lightgbm
import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from dask.distributed import Client, LocalCluster

import aml_miner as aml


def known(table, until):
    """Rows up to a day whose outcome was known when it was over."""
    moment = (dt.datetime.combine(until, dt.time(), dt.timezone.utc) + dt.timedelta(days=1)).timestamp() * 1000
    in_time = pc.and_(pc.less_equal(table.column("processing_date"), until), pc.less(table.column("confirmed_at"), moment))
    return table.filter(in_time)


def rows(path, names, until):
    """Features of the rows of a file, and in the last column their outcomes."""
    table = known(pq.read_table(path, columns=[*names, "confirmed_illicit", "confirmed_at", "processing_date"]), until)
    return np.column_stack([table.column(name).to_numpy() for name in [*names, "confirmed_illicit"]])


def main():
    parser = argparse.ArgumentParser(description="LightGBM on Dask")
    parser.add_argument("files", help="directory of Parquet files, a day or a part each")
    parser.add_argument("--models", default="trained_models", help="directory of the models whose features the files have")
    parser.add_argument("--train", required=True, help="directory that receives the model")
    parser.add_argument("--until", required=True, type=dt.date.fromisoformat, help="last day that is learnt from, YYYY-MM-DD")
    parser.add_argument("--workers", type=int, default=2, help="processes of a cluster on this machine")
    parser.add_argument("--scheduler", help="address of a cluster that runs, instead")
    args = parser.parse_args()
    names = aml.Model.load(args.models).feature_names
    counted = []
    for path in sorted(Path(args.files).glob("*.parquet")):
        labels = pq.read_table(path, columns=["confirmed_at", "processing_date"])
        counted.append((str(path.resolve()), known(labels, args.until).num_rows))
    counted = [(path, count) for path, count in counted if count]
    if not counted:
        raise SystemExit(f"no outcome in {args.files} was known by {args.until}")
    cluster = args.scheduler or LocalCluster(n_workers=args.workers, threads_per_worker=1, dashboard_address=None)
    with Client(cluster) as client:
        parts = [
            da.from_delayed(dask.delayed(rows)(path, names, args.until), (count, len(names) + 1), float) for path, count in counted
        ]
        together = da.concatenate(parts)
        estimator = lightgbm.DaskLGBMClassifier(client=client, n_estimators=60, num_leaves=15, verbosity=-1)
        estimator.fit(together[:, :-1], together[:, -1].astype(int), feature_name=names)
        fitted = estimator.to_local()
    bundle = aml.Model.from_estimator(fitted).to_bundle(args.train, replace=True)
    print(f"{sum(count for _, count in counted)} rows -> {bundle}")


if __name__ == "__main__":
    main()
