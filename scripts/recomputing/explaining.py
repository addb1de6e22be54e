"""Merging reasons again, as docs/reasons.md tells: from answers and voices to the codes of each alert.

An explanation is read as strictly as the validator reads it: what is no JSON, has a field twice, a number that no double holds or half of a
surrogate pair, explains nothing.
"""

import bisect
import json
import math

from reason_data import FEATURES

LEAST, AGREE, MOST = 0.05, 0.1, 5
LOOKED_AT, LONGEST = 5, 64 << 10


class TooDeep(Exception):
    """An explanation that Python cannot read, and the validator may."""


def code_of(feature):
    """The code that a feature's name means, with or without `log_` before it."""
    for name in (feature, feature.removeprefix("log_")):
        if name in FEATURES and not name.endswith("*"):
            return FEATURES[name]
        for whole, code in FEATURES.items():
            if whole.endswith("*") and name.startswith(whole[:-1]):
                return code
    return None


def refuse(constant):
    raise ValueError(f"{constant} is not JSON")


class Fields(dict):
    """A JSON object that knows which of its fields stand there twice, and whether a name is half of a surrogate pair."""

    def __init__(self, pairs):
        super().__init__(pairs)
        names = [name for name, _ in pairs]
        self.twice = set() if len(self) == len(names) else {name for name in names if names.count(name) > 1}
        self.sound = all(is_text(name) for name in names)


def is_text(value):
    if not isinstance(value, str):
        return False
    return value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value)


def strict(text):
    try:
        return json.loads(text, parse_constant=refuse, object_pairs_hook=Fields)
    except RecursionError as error:
        raise TooDeep from error


def fields(value, names):
    """The fields of a record, which stands as an object or as a list in this order; None where one is missing."""
    if isinstance(value, Fields) and value.sound and not value.twice & set(names):
        return [value.get(name) for name in names]
    if isinstance(value, list) and len(value) <= len(names):
        return value + [None] * (len(names) - len(value))
    raise ValueError("no record")


def number(value):
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(float(value)):
        raise ValueError("no number")
    return float(value)


def feature_of(value):
    name, impact = fields(value, ("feature", "impact"))
    if not is_text(name):
        raise ValueError("no name")
    return name, number(impact)


def named(text):
    """Codes and parts of an explanation; None where it is none."""
    if len(text.encode()) > LONGEST:
        return None
    try:
        (features,) = fields(strict(text), ("top_features",))
        if not isinstance(features, list):
            return None
        features = sorted(map(feature_of, features), key=lambda one: -abs(one[1]))[:LOOKED_AT]
    except (ValueError, OverflowError):
        return None
    if not features or not features[0][1]:
        return None
    largest = abs(features[0][1])
    whole, parts = sum(abs(impact) / largest for _, impact in features), {}
    for feature, impact in features:
        if code := code_of(feature):
            parts[code] = parts.get(code, 0.0) + impact / largest / whole
    return {code: part for code, part in parts.items() if part}


def kept(value):
    """Six digits, halves away from zero."""
    return math.floor(abs(value) * 1e6 + 0.5) / 1e6


def above(scores):
    """Of each score the share of all that are lower."""
    order = sorted(scores)
    return [bisect.bisect_left(order, score) / len(order) for score in scores]


def agrees(own, canonical):
    return abs(own - canonical) <= AGREE


def said(scores, explanations):
    """What one answer says: of each place its codes and parts where it is explained, and the place of each of its scores."""
    told = {at: named(text) for at, text in explanations.items()}
    return {at: parts for at, parts in told.items() if parts is not None}, above(scores)


class Merging:
    """Codes of all alerts, as they add up."""

    def __init__(self, canonical):
        self.canonical, count = above(canonical), len(canonical)
        self.support, self.weight = [{} for _ in range(count)], [{} for _ in range(count)]
        self.miners, self.voices = 0, 0.0
        self.order = {code: at for at, code in enumerate(dict.fromkeys(FEATURES.values()))}

    def add(self, voice, answer):
        told, places = answer
        if not told:
            return
        self.miners, self.voices = self.miners + 1, self.voices + voice
        times = {}
        for code in (code for parts in told.values() for code in parts):
            times[code] = times.get(code, 0) + 1
        for at, parts in told.items():
            if not agrees(places[at], self.canonical[at]):
                continue
            for code, part in parts.items():
                believed = voice if voice >= LEAST else voice * (1 - times[code] / len(told))
                self.support[at][code] = self.support[at].get(code, 0.0) + math.copysign(believed, part)
                self.weight[at][code] = self.weight[at].get(code, 0.0) + believed * part

    def strongest(self, at):
        """The codes of an alert that enough voices share, the strongest first, with effect and support."""
        found = [(-kept(self.weight[at][code]), -kept(all_), self.order[code], code, all_)
                 for code, all_ in self.support[at].items() if kept(all_) >= LEAST]
        return [(code, "lowers" if all_ < 0 else "raises", abs(all_)) for *_, code, all_ in sorted(found)]
