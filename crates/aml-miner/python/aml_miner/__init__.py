"""Batches, features, models and receipts of crypto AML alerts, with the values and the words of the Rust programs.

>>> import aml_miner as aml
>>> days = aml.simulate("days", days=80, alerts=300, addresses=3000)
>>> table = aml.features(aml.read_batch(days[0]))          # a pyarrow table; polars and pandas take it
>>> split = aml.time_split("days")                         # train, validation, test: numpy in .X and .y
>>> model = aml.Model.from_estimator(booster, features=split.train.feature_names)
>>> model.to_bundle("models", calibrate="days", start="2025-10-20", end="2025-11-01")
"""

from ._data import (
    Batch,
    Samples,
    Split,
    build_history,
    feature_names,
    features,
    labels,
    read_batch,
    run,
    schema_hash,
    seal,
    simulate,
    time_split,
    verify,
    write_batch,
)
from ._errors import AmlError, DataError, ModelError, ReceiptError, RequestError, UsageError
from ._models import (
    Answer,
    Explained,
    Model,
    Models,
    ReceiptKey,
    adopt,
    evaluate,
    score_day,
    verify_receipt,
)
from ._native import __version__

__all__ = [
    "AmlError",
    "Answer",
    "Batch",
    "DataError",
    "Explained",
    "Model",
    "ModelError",
    "Models",
    "ReceiptError",
    "ReceiptKey",
    "RequestError",
    "Samples",
    "Split",
    "UsageError",
    "__version__",
    "adopt",
    "build_history",
    "evaluate",
    "feature_names",
    "features",
    "labels",
    "read_batch",
    "run",
    "schema_hash",
    "score_day",
    "seal",
    "simulate",
    "time_split",
    "verify",
    "verify_receipt",
    "write_batch",
]
