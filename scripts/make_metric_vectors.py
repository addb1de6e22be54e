#!/usr/bin/env python3
"""Records what scikit-learn says about seeded rows, for the test of the metrics.

    python3 -m venv VENV && VENV/bin/pip install scikit-learn==1.9.1
    VENV/bin/python scripts/make_metric_vectors.py > crates/aml-miner/tests/data/metric_vectors.json
"""
import json
import sys
import warnings

import numpy as np
import sklearn
from sklearn.calibration import calibration_curve
from sklearn.metrics import (average_precision_score, brier_score_loss, f1_score, log_loss, ndcg_score,
                             precision_score, recall_score, roc_auc_score)


def ece(y, p, bins):
    """Expected calibration error from scikit-learn's own bins."""
    true, pred = calibration_curve(y, p, n_bins=bins, strategy="uniform")
    which = np.searchsorted(np.linspace(0.0, 1.0, bins + 1)[1:-1], p)
    rows = np.bincount(which, minlength=bins)
    rows = rows[rows > 0]
    return float(np.sum(rows * np.abs(true - pred)) / len(y))


def top(p, k):
    """The k best rows, where the cut does not fall between equal scores."""
    order = np.argsort(-p, kind="stable")
    if k < len(p) and p[order[k - 1]] == p[order[k]]:
        return None
    chosen = np.zeros(len(p), dtype=int)
    chosen[order[:k]] = 1
    return chosen


def case(name, y, p, relevance):
    out = {"name": name, "labels": [int(v) for v in y], "scores": [float(v) for v in p],
           "relevance": [int(v) for v in relevance]}
    both = 0 < y.sum() < len(y)
    out["roc_auc"] = roc_auc_score(y, p) if both else None
    out["average_precision"] = average_precision_score(y, p) if y.any() else None
    out["brier"] = brier_score_loss(y, p, pos_label=1)
    out["log_loss"] = log_loss(y, p, labels=[0, 1])
    out["ece"] = {str(b): ece(y, p, b) for b in (1, 10, 15)}
    out["f1"] = {str(t): f1_score(y, p >= t, zero_division=0.0) for t in (0.25, 0.5) if y.any() or (p >= t).any()}
    gains, exponential = relevance.astype(float), 2.0 ** relevance - 1.0
    many = len(y) > 1 and relevance.any()
    ks = (1, 3, 10, 50, 500)
    out["ndcg"] = {str(k): ndcg_score([gains], [p], k=k) for k in ks} if many else {}
    out["ndcg_exponential"] = {str(k): ndcg_score([exponential], [p], k=k) for k in ks} if many else {}
    cuts = {k: top(p, k) for k in (1, 3, 10, 50) if k <= len(y)}
    out["precision_at"] = {str(k): precision_score(y, c, zero_division=0.0) for k, c in cuts.items() if c is not None}
    out["recall_at"] = {str(k): recall_score(y, c) for k, c in cuts.items() if c is not None and y.any()}
    return out


def main():
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(42)
    cases = []

    def add(name, n, share, decimals=None, skew=1.0):
        relevance = rng.choice(3, size=n, p=[1 - share - share / 2, share / 2, share])
        y = (relevance == 2).astype(int)
        p = np.clip(rng.beta(1.2, 3.0, n) ** skew + 0.35 * y * rng.random(n), 0, 1)
        cases.append(case(name, y, p if decimals is None else np.round(p, decimals), relevance))

    add("continuous", 120, 0.3)
    add("rare", 200, 0.03, skew=3.0)
    add("ties of two decimals", 150, 0.2, decimals=2)
    add("ties on the bin edges", 150, 0.3, decimals=1)
    add("only two scores", 40, 0.4, decimals=0)
    add("no positive", 20, 0.0)
    cases.append(case("all positive", np.ones(12, int), rng.random(12), np.full(12, 2)))
    cases.append(case("constant score", np.array([0, 1, 1, 0, 0]), np.full(5, 0.25), np.array([0, 2, 1, 0, 0])))
    cases.append(case("perfect", np.array([0, 0, 1, 1]), np.array([0.0, 0.1, 0.9, 1.0]), np.array([0, 0, 1, 2])))
    cases.append(case("inverted and certain", np.array([1, 1, 0, 0]), np.array([0.0, 0.0, 1.0, 1.0]),
                      np.array([2, 1, 0, 0])))
    cases.append(case("one row", np.array([1]), np.array([0.7]), np.array([2])))
    cases.append(case("minus zero ties with zero", np.array([1, 0, 1, 0]), np.array([-0.0, 0.0, 0.0, 0.5]),
                      np.array([2, 0, 1, 0])))
    json.dump({"scikit_learn": sklearn.__version__, "cases": cases}, sys.stdout, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
