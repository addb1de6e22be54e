#!/usr/bin/env python3
"""As `days.py`, on Spark: a task per batch directory, by `mapInArrow`; with --train a model of XGBoost's Spark estimator, adopted.

    pip install aml-miner pyspark xgboost
    python examples/spark_days.py data --models trained_models --out scored --master 'local-cluster[2,1,1024]'
    python examples/spark_days.py data --models trained_models --out scored --train adopted --until 2025-10-20

Executors need the wheel in their Python, and must see data and models under the same paths.
"""

import os
import sys
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

import aml_miner as aml
import days


def session(master):
    """A Spark whose executors run this file's neighbours; with this interpreter, unless PYSPARK_PYTHON names theirs."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("aml days").config("spark.ui.enabled", "false")
    spark = (builder.master(master) if master else builder).getOrCreate()
    spark.sparkContext.addPyFile(str(Path(__file__).with_name("days.py")))
    return spark


def scored(spark, args):
    """A row per alert of all days, worked out by the executors."""
    models = str(Path(args.models).resolve())
    paths = [(str(Path(path).resolve()),) for path in days.batches_in(args.data)]
    if not paths:
        raise SystemExit(f"{args.data} has no batch directories")
    schema = from_arrow_schema(days.rows_of(paths[0][0], models).schema)

    def work(batches):
        import days

        for batch in batches:
            for path in batch.column(0).to_pylist():
                yield from days.rows_of(path, models).to_batches()

    frame = spark.createDataFrame(spark.sparkContext.parallelize(paths, len(paths)), "path string")
    return frame.mapInArrow(work, schema)


def train(frame, args):
    """A model of the labelled rows up to a day, made by the cluster, and taken as a bundle."""
    from pyspark.sql import functions
    from xgboost.spark import SparkXGBClassifier

    names = aml.Model.load(args.models).feature_names
    known = functions.to_date(functions.lit(args.until))
    moment = functions.unix_timestamp(functions.date_add(known, 1)) * 1000
    labelled = frame.where(~functions.isnan("confirmed_illicit") & (functions.col("processing_date") <= known))
    # Only what was known when the last day was over.
    rows = labelled.where(functions.col("confirmed_at") < moment).orderBy("processing_date", "alert_id")
    estimator = SparkXGBClassifier(
        features_col=names, label_col="confirmed_illicit", n_estimators=60, max_depth=4, num_workers=args.workers, missing=float("nan")
    )
    booster = estimator.fit(rows).get_booster()
    booster.feature_names = None
    bundle = aml.Model.from_estimator(booster, features=names).to_bundle(args.train, replace=True)
    print(f"{rows.count()} rows -> {bundle}")


def main():
    parser = days.arguments("Features, scores and contributions of days, on Spark")
    parser.add_argument("--master", help="such as local[2], local-cluster[2,1,1024] or spark://host:7077")
    parser.add_argument("--train", help="directory that receives a model of XGBoost's Spark estimator")
    parser.add_argument("--until", help="last day that is learnt from, YYYY-MM-DD")
    parser.add_argument("--workers", type=int, default=2, help="tasks that train together")
    args = parser.parse_args()
    if bool(args.train) != bool(args.until):
        parser.error("--train and --until go together")
    spark = session(args.master)
    try:
        frame = scored(spark, args)
        frame.write.mode("overwrite").parquet(args.out)
        done = spark.read.parquet(args.out)
        print(f"{done.count()} rows")
        if args.train:
            train(done, args)
    finally:
        spark.stop()


if __name__ == "__main__":
    main()
