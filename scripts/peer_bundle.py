#!/usr/bin/env python3
"""Makes a bundle of LightGBM text models that were trained elsewhere, so that the server can be measured with them.

    scripts/peer_bundle.py MODELS OUT

MODELS holds alert_scorer_v1.0.0.txt, alert_ranker_v1.0.0.txt and cluster_scorer_v1.0.0.txt; OUT gets copies and a
model_metadata.json whose schemas are the models' own feature names. Only names that the feature builder knows load.
"""
import hashlib
import json
import pathlib
import re
import sys

MODELS = {"alert_scorer": "alert", "alert_ranker": "alert", "cluster_scorer": "cluster"}
SCHEMA_VERSION = 1


def header(text, key):
    found = re.search(rf"^{key}=(.*)$", text, re.M)
    if not found:
        sys.exit(f"the model has no line `{key}=`")
    return found.group(1).strip()


def entry(kind, rows, data):
    text = data.decode()
    names = header(text, "feature_names").split(" ")
    lines = ["aml-schema/1", str(SCHEMA_VERSION), rows, *names]
    digest = hashlib.sha256(data).hexdigest()
    return {
        "model": kind,
        "model_version": f"1.0.0+{digest[:12]}",
        "sha256": digest,
        "schema": {"version": SCHEMA_VERSION, "rows": rows, "features": names},
        "schema_sha256": hashlib.sha256(("\n".join(lines) + "\n").encode()).hexdigest(),
        "objective": header(text, "objective"),
        "calibration": {"kind": "none"},
        "batch_relative": False,
        "training": {
            "data_sha256": "0" * 64,
            "first_date": "2025-09-01",
            "last_date": "2025-09-30",
            "rows": 0,
            "parameters": {},
            "seeds": {},
            "lightgbm_version": "unknown",
        },
        "metrics": {},
        "created_at": "1970-01-01T00:00:00Z",
    }


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source, out = map(pathlib.Path, sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    models = {}
    for kind, rows in MODELS.items():
        name = f"{kind}_v1.0.0.txt"
        data = (source / name).read_bytes()
        (out / name).write_bytes(data)
        models[name] = entry(kind, rows, data)
    (out / "model_metadata.json").write_text(json.dumps({"format": 1, "models": models}, indent=2) + "\n")


if __name__ == "__main__":
    main()
