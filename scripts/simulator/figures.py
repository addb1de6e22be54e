"""Small functions of lists of numbers that several files need."""
import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def logit(p):
    p = np.clip(p, 1e-9, 1 - 1e-9)
    return np.log(p / (1 - p))


def by_place(scores, worths):
    """Gives each score of a row the worth of its place, lowest score first; equal scores get the mean of theirs."""
    scores = np.atleast_2d(scores)
    sequence = np.argsort(scores, axis=1, kind="stable")
    given = np.empty(scores.shape)
    np.put_along_axis(given, sequence, np.broadcast_to(worths, scores.shape), 1)
    sorted_ = np.take_along_axis(scores, sequence, 1)
    sums = np.r_[0, np.cumsum(worths)]
    ties = (sorted_[:, 1:] == sorted_[:, :-1]).any(1)
    for row in np.flatnonzero(ties):
        new = np.r_[True, sorted_[row, 1:] != sorted_[row, :-1]]
        low = np.flatnonzero(new)
        high = np.r_[low[1:], len(worths)]
        given[row, sequence[row]] = np.repeat((sums[high] - sums[low]) / (high - low), high - low)
    return given


def ranks(scores):
    """Ranks from 1 along the last axis, equal scores at their mean rank."""
    return by_place(scores, np.arange(1.0, np.shape(scores)[-1] + 1))


def auc(outcomes, scores):
    illicit = np.asarray(outcomes) > 0
    count, rest = illicit.sum(), (~illicit).sum()
    return (ranks(scores)[0][illicit].sum() - count * (count + 1) / 2) / (count * rest)


def brier(outcomes, scores):
    return float(np.mean((scores - outcomes) ** 2))


def log_loss(outcomes, scores):
    scores = np.clip(scores, 2**-52, 1 - 2**-52)
    return float(-np.mean(outcomes * np.log(scores) + (1 - outcomes) * np.log(1 - scores)))


def ndcg(gains, scores, cutoff=500):
    """Normalised discounted gain; equal scores share their mean gain, as scikit-learn has it."""
    gains, scores = np.asarray(gains, float), np.asarray(scores)
    discounts = 1 / np.log2(np.arange(len(scores)) + 2)
    discounts[cutoff:] = 0
    down = np.argsort(-scores, kind="stable")
    new = np.flatnonzero(np.r_[True, scores[down][1:] != scores[down][:-1]])
    tied = np.diff(np.r_[new, len(scores)])
    reached = (np.add.reduceat(gains[down], new) / tied * np.add.reduceat(discounts, new)).sum()
    most = (np.sort(gains)[::-1] * discounts).sum()
    return reached / most if most > 0 else 0.0
