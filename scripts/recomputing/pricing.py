"""The formulas of rules v2, from docs/scoring.md, over arrays. Columns are rows of integers in 2048ths."""
import numpy as np

PARTS, GRAIN, BINS, WHOLE = 40, 2048, 10, 2**32
DAYS, EARLIEST, LATEST, LEAST = 30, 7, 21, 100.0
Z, H, H_REFERENCE, KNEE, TAIL, ALIKE, TURNS, GAMMA = 2.0, 1.0, 0.001, 0.005, 0.0125, 0.4, 2, 1.5
TIER1, TRAPS, CALIBRATION = 0.2, 0.3, 0.5
LATELY, ALIVE, WORTHY, STEADY, LEVEL = 7, 0.2, 0.25, 0.5, 2.0
NEWCOMER, NEWCOMERS, FEW = 0.001, 0.01, 20


def spans(scores):
    """First place and the place after the last that each score shares with its equals, from the lowest."""
    scores = np.asarray(scores) + 0.0
    order = np.argsort(scores)
    ordered = scores[order]
    firsts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))[: len(scores)]
    lengths = np.diff(np.append(firsts, len(scores)))
    start, end = np.empty((2, len(scores)), dtype=np.int64)
    start[order], end[order] = np.repeat(firsts, lengths), np.repeat(firsts + lengths, lengths)
    return start, end


def parts(scores):
    """The part of the order that each alert is in."""
    start, end = spans(scores)
    return PARTS * (start + end) // (2 * len(scores))


def worths(curve, places):
    """What each place is worth, with mean 0 and variance 1."""
    if curve is None:
        raw = np.cumsum(1 / np.arange(places, 0, -1))
    else:
        middles = (np.arange(len(curve)) + 0.5) / len(curve)
        raw = np.interp((np.arange(places) + 0.5) / places, middles, curve)
    return (raw - raw.mean()) / raw.std() if np.ptp(raw) > 0 else 0 * raw


def column(scores, curve):
    """Worths of the alerts' places in 2048ths; equal scores share the mean."""
    standard = worths(curve, len(scores))
    start, end = spans(scores)
    totals = np.concatenate([[0.0], np.cumsum(standard)])
    own = np.where(end - start == 1, standard[start], (totals[end] - totals[start]) / (end - start))
    return own * GRAIN


def rising(values, weights):
    """The non-decreasing sequence nearest to `values`."""
    pools = []
    for value, weight in zip(values, weights):
        pools.append([value, weight, 1])
        while len(pools) > 1 and pools[-2][0] >= pools[-1][0]:
            (a, p, m), (b, q, k) = pools[-2:]
            pools[-2:] = [[(a * p + b * q) / (p + q), p + q, m + k]]
    return np.repeat([value for value, _, _ in pools], [length for _, _, length in pools])


def learned(outcomes, illicit, weights):
    """The curve of all miners' counts; None when the weighted miners have no outcome."""
    weights = weights if (weights > 0).any() else np.ones(len(weights))
    number, came = weights @ outcomes, weights @ illicit
    some = np.flatnonzero(number > 0)
    if not len(some):
        return None
    return rising(np.interp(np.arange(PARTS), some, came[some] / number[some]), np.maximum(number, 1e-9))


def whole(scores):
    """Scores in whole 2^-32."""
    return np.rint(WHOLE * np.asarray(scores)).astype(np.int64)


def bins(scores):
    """The bin of each score: (k/10, (k+1)/10], 0 in the first."""
    return np.maximum(-(-(BINS * whole(scores)) // WHOLE) - 1, 0)


def calibration(number, told, came):
    """1 - reliability / resolution, from 0 to 1."""
    full = np.maximum(number, 1)
    mean = came.sum() / max(number.sum(), 1)
    off, apart = ((told - came) ** 2 / full).sum(), (number * (came / full - mean) ** 2).sum()
    return float(np.clip(1 - off / max(apart, 1e-12), 0, 1)) if apart > 0 else 0.0


def moments(columns, rounds):
    """(P, p, u, number, illicit). `rounds`: (columns of the round, a row each, 0 where absent; weights; outcomes)."""
    P, p = np.zeros((columns, columns)), np.zeros(columns)
    u = number = illicit = 0.0
    for x, a, y in rounds:
        if not 0 < y.sum() < len(y):
            continue
        n, m, x1 = a.sum(), a @ y, x @ a
        P += (x * a) @ x.T - np.outer(x1, x1) / n
        p += x @ (a * y) - x1 * m / n
        u, number, illicit = u + m - m * m / n, number + n, illicit + m
    return P, p, u, number, illicit


def combine(R, c, step, limit):
    """Weights that minimise v'Rv/2 - c'v + losses: guessed sides of the knees, solved, until the guess holds."""
    bend, state = step / limit, np.where(c > 0, 1, 0)
    for turn in range(200):
        on, v = state > 0, np.zeros(len(c))
        if on.any():
            slope = np.where(state == 2, TAIL * bend, bend)[on]
            shift = np.where(state == 2, step * (1 - TAIL), 0)[on]
            v[on] = np.linalg.solve(R[np.ix_(on, on)] + np.diag(slope), c[on] - shift)
        up = c - R @ v
        new = np.where(on, np.where(v <= 0, 0, np.where(v > limit, 2, 1)), np.where(up > 1e-13, 1, 0))
        if (new == state).all():
            return v
        wrong = np.flatnonzero(new != state)
        state = new if turn < 12 else np.where(np.arange(len(c)) == wrong[-1], new, state)
    return v


def price(P, p, u, number, mine):
    """(correlation, beyond, weight, mass, points) of each column."""
    columns = len(mine)
    b, c, w, mass, points = np.zeros((5, columns))
    if number <= 0 or u <= 0:
        return b, c, w, mass, points
    size, error = np.diag(P), 1 / np.sqrt(number)
    some = size > 1e-6 * number
    length = np.sqrt(np.where(some, size, 1))
    b = np.where(some, p / (length * np.sqrt(u)), 0.0)
    inside = np.flatnonzero(some & (b > np.where(mine, Z, 0.0) * error))
    if not len(inside):
        return b, c, w, mass, points
    own, length = mine[inside], length[inside]
    R = P[np.ix_(inside, inside)] / np.outer(length, length)
    np.fill_diagonal(R, 1)
    there = np.sqrt(np.minimum(length**2 / number, 1))
    count = b[inside] - np.where(own, Z, 0.0) * error * there
    step, shared = np.where(own, H, H_REFERENCE) * error, np.ones(len(inside))
    for turn in range(TURNS + 1):
        if turn:
            along = R @ v / np.sqrt(max(v @ R @ v, 1e-12))
            explained = np.clip(np.outer(along, along), -1, 0.999)
            near = np.clip(((R - explained) / (1 - explained) - ALIKE) / (1 - ALIKE), 0, 1)
            np.fill_diagonal(near, 1)
            shared = np.where(own, 1 / (near @ own + ~own), 1.0)
        v = combine(R, count, step, shared * KNEE)
    c[inside], mass[inside] = count, shared
    w[inside], points[inside] = v * np.sqrt(number) / length, v * np.maximum(count, 0)
    return b, c, w, mass, points


def usual_likeness(P, w, number):
    """Correlation of each column with what the others say together, where it was there."""
    with_all, size = P @ w, np.diag(P)
    others = np.maximum(w @ with_all - 2 * w * with_all + w**2 * size, 0)
    some = others * size > 1e-12 * max(w @ with_all, 1e-300) * size.max()
    there = np.minimum(np.maximum(size, 0) / number, 1)
    return np.divide(with_all - w * size, np.sqrt(np.maximum(size * others * there, 0)), out=np.zeros(len(w)), where=some)


def advantage(groups):
    """How much better than chance the traps are where they belong; `groups`: (expected, share). None without groups."""
    beyond = [max(0.0, (np.mean(shares) - chance) / (1 - chance)) for chance, shares in
              ((0.1, [share for expected, share in groups if expected == "high"]),
               (0.5, [share for expected, share in groups if expected == "low"])) if shares]
    return float(np.mean(beyond)) if beyond else None


def voices(columns, means, advantages, standings):
    """(shares, who was chosen) of today's submissions; columns are rows of integers."""
    alive = np.array([one is None or one >= ALIVE for one in advantages])
    known = np.array([one["priced"]["weight"] * one["part"] * one["calibration"] for one in standings])
    usual = [one["level"] for one in standings]
    level = np.array([not told or told <= 0 or 1 / LEVEL < mean / told < LEVEL for told, mean in zip(usual, means)])
    steady = np.ones(len(known), bool)
    if (known > 0).any():
        said = (known * (alive & level))[:, None] * columns
        others = said.sum(0) - said
        along = (columns * others).sum(1) / np.sqrt(np.maximum((columns**2).sum(1) * (others**2).sum(1), 1e-12))
        steady = (along >= STEADY * np.array([one["usual"] for one in standings])) | (known <= 0)
    choices = [("voices", np.where(alive & level & steady, known, 0.0)), ("known", ((known > 0) & alive & level) * 1.0),
               ("alive", alive * 1.0), ("all", np.ones(len(known)))]
    name, shares = next((name, shares) for name, shares in choices if (shares > 0).any())
    return shares / shares.sum(), name
