"""Writes a fitted scikit-learn model as JSON that `aml-miner-train adopt` takes, from the estimator's own arrays.

    python -m aml_miner.sklearn model.joblib model.json
    from aml_miner.sklearn import export; export(estimator, "model.json")

Without the package, `scripts/export_sklearn.py` is the same.

Taken: HistGradientBoostingClassifier (two classes) and -Regressor, RandomForest- and ExtraTreesClassifier (two classes) and
-Regressor, of scikit-learn 1.4 on. Every number is written as Python's shortest text of the double, which gives the double back:
nothing is rounded. What is not the same here as in scikit-learn is refused, with the reason.

A joblib file is a pickle: loading it runs whatever code it holds. Load only your own.
"""

import json
import math
import sys

VERSION = 1


class Refused(ValueError):
    """A model that would not give the same scores here."""


def export(estimator, path):
    """Writes `estimator` to the file `path`."""
    text = json.dumps(document(estimator), allow_nan=False, separators=(",", ":"))
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def document(estimator):
    """What is written, as dictionaries and lists."""
    import sklearn

    release = tuple(int(part) for part in sklearn.__version__.split(".")[:2])
    if release < (1, 4):
        raise Refused(f"scikit-learn {sklearn.__version__}: its forests have no answer for missing values; 1.4 or later is needed")
    name = type(estimator).__name__
    if name.startswith("HistGradientBoosting"):
        body = boosting(estimator)
    elif name in ("RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor"):
        body = forest(estimator)
    else:
        raise Refused(f"{name} is not taken: HistGradientBoosting, RandomForest and ExtraTrees are")
    names = getattr(estimator, "feature_names_in_", None)
    return {
        "aml_sklearn": VERSION,
        "sklearn_version": sklearn.__version__,
        "estimator": name,
        "features": int(estimator.n_features_in_),
        "feature_names": None if names is None else [str(one) for one in names],
        **body,
    }


def number(value):
    """A finite double, as JSON writes it exactly."""
    value = float(value)
    if not math.isfinite(value):
        raise Refused(f"the model holds {value}")
    return value


# Histogram boosting


def boosting(estimator):
    if estimator.n_trees_per_iteration_ != 1:
        raise Refused(f"{estimator.n_trees_per_iteration_} scores per row: two classes are wanted")
    columns, books = columns_of(estimator)
    known, places = estimator._bin_mapper.make_known_categories_bitsets()
    trees = []
    for (predictor,) in estimator._predictors:
        trees.append(histogram_tree(predictor, columns, known, places))
    return {
        "single": False,
        "answer": answer_of(estimator),
        "baseline": number(estimator._baseline_prediction.ravel()[0]),
        "divide_by": None,
        "code_books": books,
        "trees": trees,
    }


def answer_of(estimator):
    loss = type(estimator._loss).__name__
    answers = {
        "HalfBinomialLoss": "sigmoid",
        "HalfSquaredError": "raw",
        "AbsoluteError": "raw",
        "PinballLoss": "raw",
    }
    if loss in ("HalfPoissonLoss", "HalfGammaLoss"):
        raise Refused(f"the answers of the loss {loss} are exponentials by numpy, whose last bits depend on the processor")
    if loss not in answers:
        raise Refused(f"what the loss {loss} does to the scores is not known here")
    return answers[loss]


def columns_of(estimator):
    """Which column of the input each column of the trees is, and the values of those that are categories."""
    preprocessor = getattr(estimator, "_preprocessor", None)
    if preprocessor is None:
        if getattr(estimator, "is_categorical_", None) is not None:
            raise Refused("categorical features without their values: scikit-learn 1.4 or later is needed")
        return list(range(estimator.n_features_in_)), []
    columns, books = [], []
    for name, transformer, chosen in preprocessor.transformers_:
        if name == "remainder":
            continue
        places = places_of(chosen, estimator)
        columns.extend(places)
        if hasattr(transformer, "categories_"):
            for place, values in zip(places, transformer.categories_):
                books.append({"feature": place, "values": category_values(values, place)})
    return columns, books


def places_of(chosen, estimator):
    import numpy

    chosen = numpy.asarray(chosen) if not isinstance(chosen, slice) else numpy.arange(estimator.n_features_in_)[chosen]
    if chosen.dtype == bool:
        return [int(place) for place in numpy.flatnonzero(chosen)]
    if chosen.dtype.kind in "iu":
        return [int(place) for place in chosen]
    names = list(estimator.feature_names_in_)
    return [names.index(one) for one in chosen]


def category_values(values, place):
    """In the order of their codes; NaN, which comes last, is missing and has none."""
    kept = []
    for value in values:
        if isinstance(value, str):
            raise Refused(f"the category {value!r} of feature {place} is a text, and every feature is a number: train on numbers")
        value = float(value)
        if math.isnan(value):
            continue
        kept.append(number(value))
    return kept


def members(words):
    return [32 * place + bit for place, word in enumerate(words) for bit in range(32) if int(word) >> bit & 1]


def histogram_tree(predictor, columns, known, places):
    nodes = predictor.nodes
    leaf = nodes["is_leaf"].astype(bool)
    split = ~leaf
    thresholds = []
    for node in nodes:
        threshold = float(node["num_threshold"])
        plain = not node["is_leaf"] and not node["is_categorical"]
        # Above every number: only what is missing goes the other way.
        thresholds.append(None if plain and threshold == math.inf else number(threshold) if plain else 0.0)
    categories = []
    for place in range(len(nodes)):
        node = nodes[place]
        if split[place] and node["is_categorical"]:
            left = set(members(predictor.raw_left_cat_bitsets[node["bitset_idx"]]))
            seen = set(members(known[places[node["feature_idx"]]]))
            # A category that training did not see goes where missing values go.
            if node["missing_go_to_left"]:
                categories.append({"node": place, "members": sorted(seen - left), "members_left": False})
            else:
                categories.append({"node": place, "members": sorted(left), "members_left": True})
    return {
        "left": [int(node["left"]) if not node["is_leaf"] else -1 for node in nodes],
        "right": [int(node["right"]) if not node["is_leaf"] else -1 for node in nodes],
        "feature": [columns[int(node["feature_idx"])] if not node["is_leaf"] else 0 for node in nodes],
        "threshold": thresholds,
        "missing_left": [int(node["missing_go_to_left"]) for node in nodes],
        "value": [number(node["value"]) if node["is_leaf"] else 0.0 for node in nodes],
        "count": [number(node["count"]) for node in nodes],
        "categories": categories,
    }


# Forests


def forest(estimator):
    if estimator.n_outputs_ != 1:
        raise Refused(f"{estimator.n_outputs_} outputs: one is wanted")
    if not allows_missing(estimator):
        raise Refused("this scikit-learn refuses missing values in this forest, and batches have them: 1.6 or later is needed")
    classes = getattr(estimator, "n_classes_", 1)
    if classes > 2:
        raise Refused(f"{classes} classes: two are wanted")
    if hasattr(estimator, "classes_") and classes != 2:
        raise Refused("one class only: there is nothing to tell")
    return {
        # A forest rounds its input to 32-bit floats.
        "single": True,
        "answer": "share" if classes == 2 else "raw",
        "baseline": 0.0,
        "divide_by": float(len(estimator.estimators_)),
        "code_books": [],
        "trees": [forest_tree(one.tree_, classes) for one in estimator.estimators_],
    }


def allows_missing(estimator):
    try:
        return bool(estimator.__sklearn_tags__().input_tags.allow_nan)
    except AttributeError:
        return bool(estimator._get_tags().get("allow_nan"))


def forest_tree(tree, classes):
    leaf = tree.children_left == -1
    # Since 1.3 the values of a classifier's leaves are shares; the second class is the positive one.
    values = tree.value[:, 0, classes - 1]
    return {
        "left": [int(child) for child in tree.children_left],
        "right": [int(child) for child in tree.children_right],
        "feature": [0 if end else int(place) for end, place in zip(leaf, tree.feature)],
        "threshold": [0.0 if end else threshold_of(value) for end, value in zip(leaf, tree.threshold)],
        "missing_left": [int(left) for left in tree.missing_go_to_left],
        "value": [number(value) if end else 0.0 for end, value in zip(leaf, values)],
        "count": [number(weight) for weight in tree.weighted_n_node_samples],
        "categories": [],
    }


def threshold_of(value):
    return None if value == math.inf else number(value)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    import joblib

    try:
        export(joblib.load(sys.argv[1]), sys.argv[2])
    except Refused as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
