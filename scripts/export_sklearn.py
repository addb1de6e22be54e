#!/usr/bin/env python3
"""Writes a fitted scikit-learn model as JSON that `aml-miner-train adopt` takes, without the package `aml-miner`.

    python scripts/export_sklearn.py model.joblib model.json
    from export_sklearn import export; export(estimator, "model.json")

The code is the package's: crates/aml-miner/python/aml_miner/sklearn.py, which says what is taken.
"""

import importlib.util
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "crates/aml-miner/python/aml_miner/sklearn.py"
spec = importlib.util.spec_from_file_location("aml_miner_sklearn", SOURCE)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
Refused, document, export = module.Refused, module.document, module.export

if __name__ == "__main__":
    module.main()
