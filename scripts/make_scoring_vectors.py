#!/usr/bin/env python3
"""Records what scikit-learn and numpy say about seeded submissions, for the test of the validator's rules.

    python3 -m venv VENV && VENV/bin/pip install scikit-learn==1.9.1
    VENV/bin/python scripts/make_scoring_vectors.py > conformance/scoring_v1_measures.json
"""
import json
import sys
import warnings

import numpy as np
import sklearn
from sklearn.metrics import brier_score_loss, log_loss, ndcg_score, roc_auc_score

from make_metric_vectors import ece


def settlement(relevance, p):
    """Tier 3 of a submission whose alerts all have an outcome."""
    y = (relevance == 2).astype(int)
    out = {"auc": roc_auc_score(y, p), "brier": brier_score_loss(y, p, pos_label=1),
           "log_loss": log_loss(y, p, labels=[0, 1]), "ece": ece(y, p, 10),
           "ndcg": ndcg_score([relevance.astype(float)], [p], k=500)}
    out["score"] = 0.4 * out["auc"] + 0.3 * (1 - out["brier"]) + 0.3 * out["ndcg"]
    return {name: float(value) for name, value in out.items()}


def traps(rng, p):
    """Tier 2 of three groups that are expected high, then of three that are expected low."""
    top, middle = np.percentile(p, 90), np.percentile(p, 50)
    groups = []
    for expected in ("high",) * 3 + ("low",) * 3:
        order = np.argsort(-p if expected == "high" else p, kind="stable")
        places = rng.choice(order[: len(p) // 7 if expected == "high" else int(len(p) / 1.5)], 20, replace=False)
        share = np.mean(p[places] > top) if expected == "high" else np.mean(p[places] < middle)
        groups.append({"expected": expected, "places": [int(at) for at in places], "share": float(share)})
    return groups


def case(name, rng, relevance, p):
    return {"name": name, "relevance": "".join(str(grade) for grade in relevance), "scores": [float(v) for v in p],
            "settlement": settlement(relevance, p), "traps": traps(rng, p)}


def main():
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(7)
    cases = []
    for name, rows, decimals, skill in [("more rows than the cut-off", 1500, 5, 0.3), ("ties of two decimals", 1200, 2, 0.4),
                                        ("ties across the cut-off", 1100, 1, 0.4), ("fewer rows", 200, 5, 0.2),
                                        ("no skill", 700, 4, 0.0), ("against", 600, 3, -0.3)]:
        relevance = rng.choice(3, size=rows, p=[0.75, 0.1, 0.15])
        p = np.clip(rng.beta(1.2, 3.0, rows) + skill * (relevance == 2) * rng.random(rows), 0, 1)
        cases.append(case(name, rng, relevance, np.round(p, decimals)))
    json.dump({"format": "aml-conformance", "version": 1, "pages": ["docs/scoring_v1.md"],
               "scikit_learn": sklearn.__version__, "cases": cases}, sys.stdout, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
