"""The metrics of a settlement: by scikit-learn, or written out."""
import numpy as np

NDCG_AT = 500
BINS = 10
SMALLEST = np.finfo(np.float64).eps


class Sklearn:
    NAME = "scikit-learn"

    def __init__(self):
        from sklearn import metrics
        from sklearn.calibration import calibration_curve

        self.metrics, self.curve = metrics, calibration_curve

    def measure(self, illicit, relevance, scores):
        of = self.metrics
        true, predicted = self.curve(illicit, scores, n_bins=BINS, strategy="uniform")
        return {
            "auc": of.roc_auc_score(illicit, scores),
            "brier": of.brier_score_loss(illicit, scores, pos_label=1),
            "log_loss": of.log_loss(illicit, scores, labels=[0, 1]),
            "ece": float(np.sum(filled(scores) * np.abs(true - predicted)) / len(scores)),
            "ndcg": of.ndcg_score([relevance], [scores], k=NDCG_AT),
        }


class Own:
    NAME = "formulas of our own"

    def measure(self, illicit, relevance, scores):
        likely = np.clip(scores, SMALLEST, 1 - SMALLEST)
        which = bins_of(scores)
        gaps = [abs(illicit[which == b].mean() - scores[which == b].mean()) * (which == b).sum() for b in np.unique(which)]
        return {
            "auc": area(illicit, scores),
            "brier": float(np.mean((scores - illicit) ** 2)),
            "log_loss": float(-np.mean(illicit * np.log(likely) + (1 - illicit) * np.log(1 - likely))),
            "ece": float(np.sum(gaps) / len(scores)),
            "ndcg": gain(relevance, scores) / gain(relevance, relevance),
        }


def choose(name):
    """The metrics of that name; `auto` is scikit-learn where it is installed."""
    try:
        return Own() if name == "own" else Sklearn()
    except ImportError:
        if name == "sklearn":
            raise
        return Own()


def bins_of(scores):
    """Ten bins; a score on an edge belongs to the lower one."""
    return np.searchsorted(np.linspace(0.0, 1.0, BINS + 1)[1:-1], scores)


def filled(scores):
    rows = np.bincount(bins_of(scores), minlength=BINS)
    return rows[rows > 0]


def mean_ranks(values):
    """Ranks from 1, equal values sharing the mean of theirs."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[which]


def area(illicit, scores):
    """Under the ROC curve: how often an illicit alert is above a clean one, a tie being half."""
    positive = int(illicit.sum())
    above = mean_ranks(scores)[illicit == 1].sum() - positive * (positive + 1) / 2
    return float(above / (positive * (len(scores) - positive)))


def gain(relevance, scores):
    """Discounted cumulative gain; equal scores share the mean of their gains."""
    discount = 1 / np.log2(np.arange(len(scores)) + 2)
    discount[NDCG_AT:] = 0
    _, which, counts = np.unique(-scores, return_inverse=True, return_counts=True)
    means = np.bincount(which, weights=relevance) / counts
    ends = np.cumsum(discount)[np.cumsum(counts) - 1]
    return float(np.sum(means * np.diff(ends, prepend=0)))
