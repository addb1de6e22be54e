#!/usr/bin/env python3
"""Records what the Python reference computes from a small batch, for the test of feature parity.

    make_peer_feature_vectors.py PEER_DIRECTORY OUTPUT.json

PEER_DIRECTORY holds gen_batch.py and reference/aml_miner. Needs numpy, pandas and orjson. LightGBM and shap are not
called and are replaced by empty modules. The same peer gives the same file.
"""
import datetime as dt
import importlib
import json
import pathlib
import sys
import types

SEED, ALERTS = 7, 20


def load_peer(directory):
    sys.path[:0] = [str(directory), str(directory / "reference")]
    for name in ("lightgbm", "shap"):
        module = types.ModuleType(name)
        module.Booster = module.TreeExplainer = object
        sys.modules[name] = module
    base = importlib.import_module("aml_miner.models.base_model")
    clusters = importlib.import_module("aml_miner.models.cluster_scorer")
    return importlib.import_module("gen_batch"), base.alert_matrix, clusters.ClusterScorerModel()


def matrix(frame):
    rows = frame.astype(float).to_numpy().tolist()
    rows = [[None if value != value else value for value in row] for row in rows]
    return {"names": list(frame.columns), "rows": rows}


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    generator, alert_matrix, cluster_model = load_peer(pathlib.Path(sys.argv[1]).resolve())
    tables = generator.make_batch(ALERTS, SEED, dt.date(2025, 10, 26))
    tables["alerts"] = tables["alerts"].drop(columns=["description", "evidence_json"])
    # One alert whose address has no features, and one address feature that is missing.
    tables["alerts"].loc[3, "address"] = "5Nowhere"
    tables["features"].loc[2, "pagerank"] = float("nan")
    names = ("alerts", "features", "clusters")
    batch = [tables[name] for name in names]
    record = {name: generator.records(tables[name]) for name in names}
    record["alert_matrix"] = matrix(alert_matrix(*batch))
    record["cluster_matrix"] = matrix(cluster_model.prepare_features(*batch))
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in record.items())
    pathlib.Path(sys.argv[2]).write_text("{\n" + lines + "\n}\n")


if __name__ == "__main__":
    main()
