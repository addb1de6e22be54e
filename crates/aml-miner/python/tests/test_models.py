"""Models score and explain as the programs and the libraries that made them, and labelled rows are split and judged as in training."""

import json
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import aml_miner as aml

from conftest import program


@pytest.fixture(scope="module")
def answers(day, models, tmp_path_factory):
    """What `aml-miner-batch score` writes."""
    out = tmp_path_factory.mktemp("answers") / "out"
    ended = program("aml-miner-batch", "score", day, "--out", out, "--models", models, "--signing-key", out.parent / "key")
    assert ended.code == 0, ended.err
    return out


def test_a_day_is_scored_as_the_program_scores_it(day, models, answers):
    ours = aml.score_day(day, models)
    assert set(ours) == {"scores", "rankings", "cluster_scores"}
    for name, answer in ours.items():
        assert answer.table.to_pydict() == pq.read_table(answers / f"{name}.parquet").to_pydict()


def test_answers_are_written_with_receipts_that_the_program_takes(day, models, tmp_path):
    key = aml.ReceiptKey(tmp_path / "key")
    assert os.stat(tmp_path / "key").st_mode & 0o777 == 0o600
    aml.score_day(day, models, out=tmp_path / "out", signing_key=key)
    args = ("--input", day / "META.json", "--output", tmp_path / "out/scores.parquet", "--public-key", key.public_key)
    assert program("aml-miner-batch", "verify-receipt", tmp_path / "out/scores.receipt.json", *args).code == 0
    with pytest.raises(aml.DataError, match="exists already"):
        aml.score_day(day, models, out=tmp_path / "out", signing_key=key)


def test_a_model_gives_the_bits_of_the_day(day, models, answers):
    batch, model = aml.read_batch(day), aml.Model.load(models)
    theirs = np.array(pq.read_table(answers / "scores.parquet").column("score").to_pylist())
    np.testing.assert_array_equal(model.predict(batch), theirs)
    np.testing.assert_array_equal(model.predict(aml.features(batch, models)), theirs)
    np.testing.assert_array_equal(model.predict(model.matrix(batch)), theirs)
    np.testing.assert_array_equal(model.predict(np.asfortranarray(model.matrix(batch))), theirs)
    assert model.version == pq.read_table(answers / "scores.parquet").column("model_version")[0].as_py()


def test_explanations_add_up_and_are_those_of_the_day(day, models, answers):
    model, batch = aml.Model.load(models), aml.read_batch(day)
    told = model.explain(batch)
    assert told.contributions.shape == (len(batch), len(model.feature_names))
    for row, text in enumerate(pq.read_table(answers / "scores.parquet").column("explain_json").to_pylist()):
        explanation = json.loads(text)
        assert explanation["base_value"] == told.base_value
        for top in explanation["top_features"]:
            assert told.contributions[row, model.feature_names.index(top["feature"])] == top["impact"]


def test_clusters_are_scored_from_their_alerts(day, models, answers):
    batch = aml.read_batch(day)
    alerts = aml.Model.load(models).predict(batch)
    clusters = aml.Model.load(models, "cluster_scorer").predict(batch, alert_scores=alerts)
    np.testing.assert_array_equal(clusters, pq.read_table(answers / "cluster_scores.parquet").column("score").to_numpy())
    with pytest.raises(aml.ModelError, match="alert scores were given for"):
        aml.Model.load(models, "cluster_scorer").predict(batch, alert_scores=alerts[:-1])


def test_figures_are_those_of_the_trainer(days, models, tmp_path):
    args = ("--data-dir", days, "--models", models, "--output", tmp_path / "figures.json")
    ended = program("aml-miner-train", "evaluate", *args)
    assert ended.code == 0, ended.err
    assert aml.evaluate(models, days) == json.loads((tmp_path / "figures.json").read_text())


def test_periods_are_apart_in_time_and_addresses(days, split):
    assert len(split.train) and len(split.validation) and len(split.test)
    parts = [split.train, split.validation, split.test]
    seen = [set(part.table.column("processing_date").to_pylist()) for part in parts]
    for before, after in zip(seen, seen[1:]):
        assert (min(after) - max(before)).days > 5
    of = {}
    for path in days.iterdir():
        alerts = aml.read_batch(path).alerts
        of.update(zip(alerts.column("alert_id").to_pylist(), alerts.column("address").to_pylist()))
    addresses = [{of[alert] for alert in part.table.column("alert_id").to_pylist()} for part in parts]
    assert not (addresses[0] & addresses[1] or addresses[0] & addresses[2] or addresses[1] & addresses[2])
    start = min(seen[1])
    known = split.train.table.column("confirmed_at").to_pylist()
    assert max(known) < (start - start.replace(year=1970, month=1, day=1)).days * 86_400_000


def test_rows_are_the_features_of_their_days(days, split):
    table = split.test.table
    assert split.test.X.shape == (len(split.test), len(split.test.feature_names))
    for place, name in enumerate(split.test.feature_names):
        np.testing.assert_array_equal(split.test.X[:, place], table.column(name).to_numpy())
    date = table.column("processing_date")[0].as_py()
    of_day = aml.features(aml.read_batch(days / f"{date}_w7"))
    place = of_day.column("alert_id").to_pylist().index(table.column("alert_id")[0].as_py())
    np.testing.assert_array_equal([of_day.column(name)[place].as_py() for name in split.test.feature_names], split.test.X[0])


def test_settings_of_a_split_are_refused_in_the_trainers_words(days, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text("split:\n  embargo_days: 400\n")
    ended = program("aml-miner-train", "evaluate", "--data-dir", days, "--models", "x", "--config", config)
    with pytest.raises(aml.UsageError) as refused:
        aml.time_split(days, embargo_days=400)
    assert "split.embargo_days: must be at most 365" in str(refused.value)
    assert "split.embargo_days: must be at most 365" in ended.err
    with pytest.raises(aml.DataError, match="too few"):
        aml.time_split(days, embargo_days=30)
    with pytest.raises(aml.DataError, match="no batch directories"):
        aml.time_split(tmp_path)


def test_scores_are_judged(split):
    figures = split.test.evaluate(split.test.y.astype(float))
    assert figures["metrics"]["roc_auc"]["value"] == 1.0
    with pytest.raises(aml.UsageError, match="scores were given for"):
        split.test.evaluate([0.5])


def lightgbm_model(split):
    import lightgbm

    model = lightgbm.LGBMClassifier(n_estimators=30, num_leaves=15, verbosity=-1, random_state=1, deterministic=True)
    model.fit(split.train.X, split.train.y, feature_name=split.train.feature_names)
    return model, model.booster_.predict(split.test.X)


def xgboost_model(split):
    import xgboost

    model = xgboost.XGBClassifier(n_estimators=30, max_depth=4, random_state=1)
    model.fit(split.train.X, split.train.y)
    return model, model.get_booster().predict(xgboost.DMatrix(split.test.X)).astype(float)


def catboost_model(split):
    import catboost

    model = catboost.CatBoostClassifier(iterations=30, depth=4, verbose=False, random_seed=1, allow_writing_files=False)
    model.fit(split.train.X, split.train.y)
    return model, model.predict_proba(split.test.X)[:, 1]


def sklearn_model(split):
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(max_iter=30, random_state=1).fit(split.train.X, split.train.y)
    return model, model.predict_proba(split.test.X)[:, 1]


@pytest.mark.parametrize("make", [lightgbm_model, xgboost_model, catboost_model, sklearn_model])
def test_a_model_of_a_library_becomes_a_bundle_with_its_scores(make, split, days, tmp_path):
    estimator, theirs = make(split)
    model = aml.Model.from_estimator(estimator, features=split.train.feature_names)
    np.testing.assert_array_equal(model.predict(split.test.X), theirs)
    told = model.explain(split.test.X)
    raw = told.base_value + told.contributions.sum(axis=1)
    np.testing.assert_allclose(1 / (1 + np.exp(-raw)), theirs, atol=2e-6)
    path = model.to_bundle(tmp_path / "models", version="2.0.0")
    again = aml.Model.load(tmp_path / "models")
    assert again._native.path() == path
    np.testing.assert_array_equal(again.predict(split.test.X), theirs)
    with pytest.raises(aml.ModelError, match="--replace"):
        model.to_bundle(tmp_path / "models", version="2.0.0")
    with pytest.raises(aml.UsageError, match="a bundle already"):
        again.to_bundle(tmp_path / "other")


def test_a_bundle_is_made_of_what_was_loaded(split, tmp_path):
    estimator, theirs = lightgbm_model(split)
    file = tmp_path / "model.txt"
    estimator.booster_.save_model(str(file))
    model = aml.Model.load(file)
    estimator.booster_.save_model(str(file), num_iteration=3)
    model.to_bundle(tmp_path / "models")
    np.testing.assert_array_equal(aml.Model.load(tmp_path / "models").predict(split.test.X), theirs)


def test_a_bundle_is_the_one_that_adopt_makes(split, days, tmp_path):
    estimator, _ = lightgbm_model(split)
    file = tmp_path / "model.txt"
    estimator.booster_.save_model(str(file))
    args = ("--kind", "alert_scorer", "--calibrate", days, "--start-date", "2025-09-20", "--end-date", "2025-10-05")
    ended = program("aml-miner-train", "adopt", file, *args, "--output", tmp_path / "theirs", SOURCE_DATE_EPOCH="0")
    assert ended.code == 0, ended.err
    aml.Model.load(file).to_bundle(tmp_path / "ours", calibrate=days, start="2025-09-20", end="2025-10-05")
    entries = [json.loads((tmp_path / which / "model_metadata.json").read_text())["models"] for which in ("ours", "theirs")]
    for entry in entries:
        entry["alert_scorer_v1.0.0.txt"].pop("created_at")
    assert entries[0] == entries[1]


def test_a_model_without_names_is_refused_in_the_programs_words(split, tmp_path):
    estimator, _ = xgboost_model(split)
    file = tmp_path / "model.ubj"
    estimator.save_model(str(file))
    ended = program("aml-miner-train", "adopt", file, "--kind", "alert_scorer", "--output", tmp_path / "out")
    with pytest.raises(aml.ModelError) as refused:
        aml.Model.load(file)
    assert str(refused.value) in ended.err
    assert "does not name its" in str(refused.value)


def test_a_model_that_cannot_be_exact_is_refused(tmp_path):
    from sklearn.ensemble import RandomForestClassifier

    rng = np.random.default_rng(1)
    forest = RandomForestClassifier(3).fit(rng.random((60, 2)), rng.integers(0, 3, 60))
    with pytest.raises(aml.ModelError, match="3 classes"):
        aml.Model.from_estimator(forest, features=["volume_usd", "degree_in"])
    with pytest.raises(aml.UsageError, match="is no model of"):
        aml.Model.from_estimator(object())
    (tmp_path / "model.txt").write_text("nothing")
    with pytest.raises(aml.ModelError):
        aml.Model.load(tmp_path / "model.txt")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (np.zeros((2, 3)), "columns is wanted"),
        (np.zeros(186), "columns is wanted"),
        ([["a"] * 186], "numbers are wanted"),
        (np.zeros((1, 186), dtype=complex), "numbers are wanted"),
        (pa.table({"volume_usd": [1.0]}), "lacks features"),
        (pa.table([pa.array([1.0])] * (len(aml.feature_names()) + 1), names=[*aml.feature_names(), "volume_usd"]), "two columns `volume_usd`"),
        (pa.table({name: pa.array([2**60 + 1]) for name in aml.feature_names()}), "the feature"),
        (pa.table({name: pa.array(["1"]) for name in aml.feature_names()}), "numbers are wanted"),
        (7, "a table is wanted"),
    ],
)
def test_rows_of_another_shape_are_refused(models, rows, words):
    model = aml.Model.load(models)
    assert len(model.feature_names) == 186
    with pytest.raises(aml.UsageError, match=words):
        model.predict(rows)


def test_no_rows_are_no_scores(models):
    model = aml.Model.load(models)
    assert model.predict(np.zeros((0, 186))).shape == (0,)
    assert model.explain(np.zeros((0, 186))).contributions.shape == (0, 186)


def test_a_model_is_not_taken_for_another_kind(models):
    with pytest.raises(aml.ModelError):
        aml.Model.load(models / "alert_ranker_v1.0.0.txt", "alert_scorer")
    with pytest.raises(aml.UsageError, match="is no kind of model"):
        aml.Model.load(models, "scorer")


def test_a_receipt_vouches_for_one_answer_alone(models, tmp_path):
    key, model = aml.ReceiptKey(tmp_path / "key"), aml.Model.load(models)
    header = key.sign(b"request", b"answer", model, timestamp_ms=5)
    told = aml.verify_receipt(header, b"request", b"answer", key.public_key)
    assert (told["model_version"], told["model_sha256"], told["schema_sha256"], told["timestamp"]) == (
        model.version,
        model.sha256,
        model.schema_sha256,
        5,
    )
    assert (told["v"], told["input_form"], told["state_sha256"]) == (2, "json", None)
    packed = key.sign(b"request", b"answer", model, input_form="arrow")
    assert aml.verify_receipt(packed, b"request", b"answer")["input_form"] == "arrow"
    with pytest.raises(aml.UsageError, match="json, form, arrow or directory"):
        key.sign(b"request", b"answer", model, input_form="xml")
    (tmp_path / "request").write_bytes(b"request")
    (tmp_path / "answer").write_bytes(b"other")
    for request, answer, signer in [(b"request", b"other", None), (b"request", b"answer", "ab" * 32)]:
        (tmp_path / "answer").write_bytes(answer)
        demand = [] if signer is None else ["--public-key", signer]
        args = ("--request", tmp_path / "request", "--answer", tmp_path / "answer", *demand)
        ended = program("aml-miner-batch", "verify-receipt", header, *args)
        with pytest.raises(aml.ReceiptError) as refused:
            aml.verify_receipt(header, request, answer, signer)
        assert f"BAD  {refused.value}" in ended.out
    for broken in ("", "x", header[:-4], header + "é", "A" * 5000):
        with pytest.raises(aml.ReceiptError):
            aml.verify_receipt(broken, b"request", b"answer")
