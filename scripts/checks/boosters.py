#!/usr/bin/env python3
"""Random models of one library, each with rows and the library's own scores: what our evaluator must give bit for bit.

    boosters.py KIND DIR [--models N] [--seed S] [--small]

KIND is xgboost, catboost, sklearn or lightgbm. For every model three files are written to DIR: the model as its library saves it,
`NAME.rows` (row-major doubles) and `NAME.scores` (for each row the raw score, then the answer; doubles, little-endian). Where the
library gives contributions there is `NAME.contributions`: for each row one a feature, then the base value.

The spread: depth 1 to 15, 1 to 2,000 trees, missing values, categories up to 300, monotone constraints, base scores, DART, several
objectives, rows on thresholds and one unit in the last place beside.
"""

import argparse
import json
import pathlib
import sys
import warnings

import numpy as np

warnings.filterwarnings("ignore")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))


def data(rng, rows, features, categories):
    """Values as batches have them: counts, amounts over many magnitudes, shares, missing ones; and a target."""
    values = np.empty((rows, features))
    for column in range(features):
        kind = rng.integers(5)
        if kind == 0:
            values[:, column] = rng.normal(size=rows)
        elif kind == 1:
            values[:, column] = np.exp(rng.normal(0, 4, size=rows))
        elif kind == 2:
            values[:, column] = rng.integers(0, 12, size=rows)
        elif kind == 3:
            values[:, column] = np.round(rng.random(rows), 2)
        else:
            values[:, column] = -np.exp(rng.normal(0, 8, size=rows)) * rng.integers(0, 2, size=rows)
        if rng.random() < 0.6:
            values[rng.random(rows) < rng.choice([0.02, 0.2, 0.7]), column] = np.nan
    for column, count in categories.items():
        values[:, column] = rng.integers(0, count, size=rows)
        if rng.random() < 0.5:
            values[rng.random(rows) < 0.05, column] = np.nan
    signal = sum(np.nan_to_num(np.sin(values[:, column] * 1.7 + column)) for column in range(min(features, 4)))
    return values, signal + rng.normal(0, 0.5, size=rows)


def probes(rng, values, thresholds, categories, count):
    """Rows to be asked: some learnt from, some on thresholds and beside, some wild."""
    rows, features = values.shape
    asked = values[rng.integers(0, rows, size=count)].copy()
    wild = np.array([0.0, -0.0, np.nan, 1e-40, -1e-40, 5e-324, 1e30, -1e30, 1e-36, 0.1, 1 / 3, 16777217.0, 2.0**31, -1.0, 0.5])
    thresholds = [pair for pair in thresholds if pair[0] not in categories and np.isfinite(pair[1]) and abs(pair[1]) < 1e37]
    for row in asked:
        for _ in range(rng.integers(0, 4)):
            if thresholds and rng.random() < 0.8:
                column, threshold = thresholds[rng.integers(len(thresholds))]
                single = np.float32(threshold)
                up, down = np.float32(np.inf), np.float32(-np.inf)
                beside = [
                    threshold,
                    np.nextafter(threshold, np.inf),
                    np.nextafter(threshold, -np.inf),
                    float(single),
                    float(np.nextafter(single, up)),
                    float(np.nextafter(single, down)),
                    (float(single) + float(np.nextafter(single, up))) / 2,
                    (float(single) + float(np.nextafter(single, down))) / 2,
                ]
                row[column] = beside[rng.integers(len(beside))]
            else:
                column = rng.integers(features)
                if column not in categories:
                    row[column] = wild[rng.integers(len(wild))]
        for column, most in categories.items():
            if rng.random() < 0.1:
                row[column] = rng.choice([np.nan, most - 1, 0])
    return asked


def write(directory, name, model, ending, asked, raw, answers, contributions=None):
    path = pathlib.Path(directory) / f"{name}.{ending}"
    path.write_bytes(model)
    np.ascontiguousarray(asked, dtype="<f8").tofile(path.with_name(f"{name}.rows"))
    scores = np.stack([np.asarray(raw, dtype="<f8"), np.asarray(answers, dtype="<f8")], axis=1)
    np.ascontiguousarray(scores).tofile(path.with_name(f"{name}.scores"))
    if contributions is not None:
        np.ascontiguousarray(contributions, dtype="<f8").tofile(path.with_name(f"{name}.contributions"))


def shape(rng, small):
    """Depth and rounds: most models small, some deep, some long."""
    if small:
        return int(rng.integers(1, 5)), int(rng.integers(1, 8))
    depth = int(rng.choice([1, 2, 3, 4, 5, 6, 8, 10, 12, 15], p=[0.1, 0.1, 0.15, 0.15, 0.15, 0.15, 0.1, 0.05, 0.03, 0.02]))
    most = 2000 if depth <= 4 else 300 if depth <= 8 else 30
    return depth, int(np.exp(rng.uniform(0, np.log(most))))


def xgboost_model(rng, directory, name, small):
    import xgboost

    version = tuple(int(part) for part in xgboost.__version__.split(".")[:2])
    objectives = ["binary:logistic"] * 6 + [
        "reg:logistic", "binary:logitraw", "binary:hinge", "reg:squarederror", "reg:squaredlogerror", "reg:pseudohubererror",
        "reg:absoluteerror", "count:poisson", "reg:gamma", "reg:tweedie", "rank:ndcg", "rank:pairwise", "survival:cox",
    ]  # fmt: skip
    objective = str(rng.choice(objectives))
    depth, rounds = shape(rng, small)
    features = int(rng.integers(2, 6 if small else 20))
    rows = int(rng.integers(60, 150 if small else 1500))
    categories = {}
    if rng.random() < 0.4:
        for column in rng.choice(features, size=min(2, features - 1), replace=False):
            categories[int(column)] = int(rng.choice([2, 3, 7, 40, 300]))
    values, target = data(rng, rows, features, categories)
    if objective in ("binary:logistic", "reg:logistic", "binary:logitraw", "binary:hinge"):
        target = (target > np.quantile(target, rng.uniform(0.3, 0.95))).astype(float)
    elif objective in ("count:poisson", "reg:gamma", "reg:tweedie", "reg:squaredlogerror", "survival:cox"):
        target = np.exp(np.clip(target, -3, 3))
    elif objective.startswith("rank"):
        target = np.clip(np.round(target + 1), 0, 3)
    types = ["c" if column in categories else "q" for column in range(features)]
    matrix = xgboost.DMatrix(values, target, feature_types=types, enable_categorical=True)
    if objective.startswith("rank"):
        matrix.set_group([rows // 3, rows // 3, rows - 2 * (rows // 3)])
    parameters = {
        "objective": objective,
        "tree_method": str(rng.choice(["hist", "hist", "approx"] if categories else ["hist", "exact", "approx"])),
        "max_depth": depth,
        "eta": float(rng.choice([0.03, 0.1, 0.3, 1.0])),
        "subsample": float(rng.choice([1.0, 0.7])),
        "min_child_weight": float(rng.choice([0.0, 0.1, 1.0, 5.0])),
        "gamma": float(rng.choice([0.0, 0.0, 0.3])),
        "lambda": float(rng.choice([0.0, 1.0, 3.0])),
        "max_cat_to_onehot": int(rng.choice([1, 4, 100])),
        "num_parallel_tree": int(rng.choice([1, 1, 1, 3])) if rounds < 100 else 1,
        "seed": int(rng.integers(1 << 30)),
        "nthread": 1,
    }
    if rng.random() < 0.3:
        parameters["base_score"] = float(rng.choice([0.02, 0.5, 0.9]))
    if rng.random() < 0.2 and not categories and objective != "reg:absoluteerror":
        parameters["monotone_constraints"] = "(" + ",".join(str(rng.integers(-1, 2)) for _ in range(features)) + ")"
    if rng.random() < 0.2 and rounds < 200:
        parameters.update(booster="dart", rate_drop=0.3, skip_drop=0.2)
    booster = xgboost.train(parameters, matrix, rounds)
    text = bytes(booster.save_raw("json"))
    learner = json.loads(text)["learner"]["gradient_booster"]
    trees = learner.get("gbtree", learner)["model"]["trees"]
    if not all((np.array(tree["sum_hessian"]) >= 0).all() for tree in trees):
        raise ValueError("training diverged")
    thresholds = [
        (tree["split_indices"][node], float(np.float32(tree["split_conditions"][node])))
        for tree in trees[:50]
        for node, left in enumerate(tree["left_children"])
        if left != -1
    ]
    asked = probes(rng, values, thresholds, categories, 12 if small else 60)
    # The library refuses what overflows its floats.
    asked[np.abs(asked) > 3e38] = 1.0
    ask = xgboost.DMatrix(asked, feature_types=types, enable_categorical=True)
    raw = booster.predict(ask, output_margin=True)
    contributions = None
    if depth <= 8 and rounds <= 100 and all(min(tree["sum_hessian"]) > 0 for tree in trees):
        contributions = booster.predict(ask, pred_contribs=True)
    form = "ubj" if rng.random() < 0.5 and version >= (1, 6) else "json"
    model = text if form == "json" else bytes(booster.save_raw("ubj"))
    write(directory, name, model, form, asked, raw, booster.predict(ask), contributions)


def catboost_model(rng, directory, name, small):
    import catboost

    depth, rounds = shape(rng, small)
    depth, rounds = min(depth, 10), min(rounds, 400)
    features = int(rng.integers(1, 6 if small else 20))
    rows = int(rng.integers(60, 150 if small else 1500))
    values, target = data(rng, rows, features, {})
    loss = str(rng.choice(["Logloss", "Logloss", "CrossEntropy", "RMSE", "MAE", "Quantile:alpha=0.7", "QueryRMSE", "YetiRank"]))
    settings = {
        "loss_function": loss, "depth": depth, "iterations": rounds, "verbose": 0, "thread_count": 1,
        "random_seed": int(rng.integers(1 << 30)), "allow_writing_files": False, "nan_mode": str(rng.choice(["Min", "Max"])),
        "border_count": int(rng.choice([5, 32, 254])), "boost_from_average": bool(rng.integers(2)) if loss in ("RMSE", "Logloss", "CrossEntropy", "MAE") else None,
        "learning_rate": float(rng.choice([0.03, 0.3])),
        "boosting_type": str(rng.choice(["Plain", "Ordered"])) if loss in ("Logloss", "RMSE") else "Plain",
    }  # fmt: skip
    settings = {key: value for key, value in settings.items() if value is not None}
    if rng.random() < 0.2 and loss in ("Logloss", "RMSE"):
        settings.update(monotone_constraints=[int(rng.integers(-1, 2)) for _ in range(features)], boosting_type="Plain")
    if loss in ("Logloss", "CrossEntropy"):
        target = (target > np.quantile(target, rng.uniform(0.3, 0.95))).astype(float)
    elif loss in ("QueryRMSE", "YetiRank"):
        target = np.clip(np.round(target + 1), 0, 3)
    groups = np.sort(rng.integers(0, 5, size=rows)) if loss in ("QueryRMSE", "YetiRank") else None
    pool = catboost.Pool(values, target, group_id=groups)
    model = catboost.CatBoost(settings)
    model.fit(pool)
    if model.tree_count_ and rng.random() < 0.2:
        scale, bias = model.get_scale_and_bias()
        model.set_scale_and_bias(float(rng.choice([0.5, 1.0, 3.0])), float(bias) + 0.125)
    binary = pathlib.Path(directory) / f"{name}.cbm"
    model.save_model(str(binary))
    text = pathlib.Path(directory) / f"{name}.json"
    model.save_model(str(text), format="json")
    bytes_of = {"cbm": binary.read_bytes(), "json": text.read_bytes()}
    information = json.loads(bytes_of["json"])["features_info"]["float_features"]
    binary.unlink()
    text.unlink()
    thresholds = [(one["flat_feature_index"], border) for one in information for border in one["borders"] or []]
    asked = probes(rng, values, thresholds, {}, 12 if small else 60)
    raw = model.predict(asked, prediction_type="RawFormulaVal")
    answers = raw
    if loss in ("Logloss", "CrossEntropy"):
        answers = model.predict(asked, prediction_type="Probability")[:, 1]
    form = str(rng.choice(["cbm", "json"]))
    write(directory, name, bytes_of[form], form, asked, raw, answers)


def sklearn_model(rng, directory, name, small):
    import sklearn.ensemble as ensemble
    from export_sklearn import document

    depth, rounds = shape(rng, small)
    rounds = min(rounds, 300)
    features = int(rng.integers(2, 6 if small else 20))
    rows = int(rng.integers(60, 150 if small else 1500))
    kind = str(rng.choice(["HistGradientBoostingClassifier"] * 3 + ["HistGradientBoostingRegressor", "RandomForestClassifier",
                           "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor"]))  # fmt: skip
    histogram = kind.startswith("Hist")
    categories = {}
    if histogram and rng.random() < 0.5:
        for column in rng.choice(features, size=min(2, features - 1), replace=False):
            categories[int(column)] = int(rng.choice([2, 3, 7, 40, 250]))
    values, target = data(rng, rows, features, categories)
    classifier = kind.endswith("Classifier")
    if classifier:
        target = (target > np.quantile(target, rng.uniform(0.3, 0.9))).astype(int)
    seed = int(rng.integers(1 << 30))
    if histogram:
        settings = {"max_depth": depth, "max_iter": rounds, "learning_rate": float(rng.choice([0.03, 0.3])), "random_state": seed,
                    "max_leaf_nodes": int(rng.choice([2, 15, 31, 200])), "min_samples_leaf": int(rng.choice([1, 5, 20]))}  # fmt: skip
        settings["early_stopping"] = bool(rng.integers(2)) and rows > 100
        if categories:
            settings["categorical_features"] = sorted(categories)
        elif rng.random() < 0.2:
            settings["monotonic_cst"] = [int(rng.integers(-1, 2)) for _ in range(features)]
        if not classifier:
            settings["loss"] = str(rng.choice(["squared_error", "absolute_error"]))
    else:
        settings = {"max_depth": depth, "n_estimators": min(rounds, 100), "random_state": seed, "n_jobs": 1,
                    "min_samples_leaf": int(rng.choice([1, 5])), "bootstrap": bool(rng.integers(2))}  # fmt: skip
    estimator = getattr(ensemble, kind)(**settings)
    weights = rng.random(rows) + 0.1 if rng.random() < 0.2 else None
    estimator.fit(values, target, sample_weight=weights)
    written = document(estimator)
    thresholds = [
        (tree["feature"][node], tree["threshold"][node])
        for tree in written["trees"][:50]
        for node, left in enumerate(tree["left"])
        if left != -1 and tree["threshold"][node] is not None
    ]
    asked = probes(rng, values, thresholds, categories, 12 if small else 60)
    if classifier:
        answers = estimator.predict_proba(asked)[:, 1]
        raw = estimator._raw_predict(asked)[:, 0] if histogram else answers
    else:
        answers = estimator.predict(asked)
        raw = estimator._raw_predict(asked)[:, 0] if histogram else answers
    text = json.dumps(written, allow_nan=False, separators=(",", ":")).encode()
    write(directory, name, text, "json", asked, raw, answers)


def lightgbm_model(rng, directory, name, small):
    import lightgbm
    import pandas

    depth, rounds = shape(rng, small)
    features = int(rng.integers(2, 6 if small else 20))
    rows = int(rng.integers(60, 150 if small else 1500))
    categories = {}
    if rng.random() < 0.5:
        for column in rng.choice(features, size=min(2, features - 1), replace=False):
            categories[int(column)] = int(rng.choice([2, 3, 7, 40, 300]))
    values, target = data(rng, rows, features, categories)
    objective = str(rng.choice(["binary", "binary", "binary", "cross_entropy", "regression", "poisson", "huber", "tweedie"]))
    if objective in ("binary", "cross_entropy"):
        target = (target > np.quantile(target, rng.uniform(0.3, 0.9))).astype(float)
    elif objective in ("poisson", "tweedie"):
        target = np.exp(np.clip(target, -3, 3))
    pandas_categories = bool(categories) and rng.random() < 0.5
    # Values of categories that are not their codes, as a community's number is.
    scattered = {column: np.sort(rng.choice(5000, size=count, replace=False)).astype(float) for column, count in categories.items()}

    def as_frame(matrix):
        if not pandas_categories:
            return matrix
        frame = pandas.DataFrame(matrix, columns=[f"f{column}" for column in range(features)])
        for column in categories:
            frame[f"f{column}"] = pandas.Categorical(frame[f"f{column}"], categories=scattered[column])
        return frame

    if pandas_categories:
        for column in categories:
            known = ~np.isnan(values[:, column])
            values[known, column] = scattered[column][values[known, column].astype(int)]
    parameters = {"objective": objective, "max_depth": depth, "num_leaves": int(rng.choice([4, 31, 200])), "verbosity": -1,
                  "learning_rate": float(rng.choice([0.03, 0.3])), "min_data_in_leaf": int(rng.choice([1, 5, 20])), "num_threads": 1,
                  "boosting": str(rng.choice(["gbdt", "gbdt", "dart", "rf"])), "bagging_freq": 1, "bagging_fraction": 0.7,
                  "seed": int(rng.integers(1 << 30)), "zero_as_missing": bool(rng.random() < 0.2), "deterministic": True}  # fmt: skip
    chosen = "auto" if pandas_categories else sorted(categories)
    dataset = lightgbm.Dataset(as_frame(values), target, categorical_feature=chosen, params={"verbosity": -1, "min_data_in_bin": 1})
    booster = lightgbm.train(parameters, dataset, rounds)
    text = booster.model_to_string()
    thresholds = []
    for block in text.split("Tree=")[1:51]:
        fields = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if fields.get("num_leaves") != "1" and "threshold" in fields:
            thresholds += zip(map(int, fields["split_feature"].split()), map(float, fields["threshold"].split()))
    asked = probes(rng, values, thresholds, categories, 12 if small else 60)
    if pandas_categories:
        for column in categories:
            asked[:, column] = values[rng.integers(0, rows, size=len(asked)), column]
            asked[rng.random(len(asked)) < 0.1, column] = 9999.0
    frame = as_frame(asked)
    raw = booster.predict(frame, raw_score=True)
    contributions = booster.predict(frame, pred_contrib=True) if depth <= 8 and rounds <= 100 else None
    if parameters["boosting"] == "rf":
        # The library's raw scores of a random forest are means already, ours become means with the answer.
        raw, contributions = np.full(len(asked), np.nan), None
    write(directory, name, text.encode(), "txt", asked, raw, booster.predict(frame), contributions)


MAKERS = {"xgboost": xgboost_model, "catboost": catboost_model, "sklearn": sklearn_model, "lightgbm": lightgbm_model}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=sorted(MAKERS))
    parser.add_argument("directory")
    parser.add_argument("--models", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--small", action="store_true", help="few rows and small trees: vectors that are stored")
    arguments = parser.parse_args()
    pathlib.Path(arguments.directory).mkdir(parents=True, exist_ok=True)
    made, passed_over = 0, 0
    for index in range(arguments.models):
        rng = np.random.default_rng([arguments.seed, index])
        try:
            MAKERS[arguments.kind](rng, arguments.directory, f"{arguments.kind}_{arguments.seed}_{index:04}", arguments.small)
            made += 1
        except Exception as error:  # The library's own refusal of a combination of settings, or the exporter's.
            if type(error).__module__.split(".")[0] not in ("xgboost", "_catboost", "catboost", "lightgbm", "builtins", "sklearn", "aml_miner_sklearn"):
                raise
            passed_over += 1
            print(f"{arguments.kind} {index}: the library refuses: {str(error).strip().splitlines()[0][:120]}", file=sys.stderr)
    print(f"{arguments.kind}: {made} models, {passed_over} settings that the library refuses")
    if made < arguments.models * 0.6:
        sys.exit("too many settings are refused")


if __name__ == "__main__":
    main()
