"""Batches, features and labels have the programs' values, and refusals the programs' words."""

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import aml_miner as aml

from conftest import ROOT, program


def same(left, right):
    """Whether two tables have the same columns, bit for bit; what is missing is NaN or null."""
    assert left.column_names == right.column_names
    for name in left.column_names:
        one, other = left.column(name).to_pandas(), right.column(name).to_pandas()
        if one.dtype.kind == "f" or other.dtype.kind == "f":
            np.testing.assert_array_equal(one.to_numpy(dtype=float), other.to_numpy(dtype=float), err_msg=name)
        else:
            assert left.column(name).to_pylist() == right.column(name).to_pylist(), name


def test_days_are_those_of_the_program(tmp_path):
    made = aml.simulate(tmp_path / "ours", days=2, alerts=50, addresses=500, seed=9)
    args = ("--days", 2, "--alerts", 50, "--addresses", 500, "--seed", 9)
    assert program("aml-miner-batch", "synth", tmp_path / "theirs", *args).code == 0
    for directory in made:
        assert (directory / "META.json").read_bytes() == (tmp_path / "theirs" / directory.name / "META.json").read_bytes()


@pytest.mark.parametrize("rows", ["alert", "cluster"])
def test_features_are_those_of_the_program(days, tmp_path, rows):
    batches = [aml.read_batch(path) for path in sorted(days.iterdir())[:5]]
    chosen = [days / str(path.name) for path in sorted(days.iterdir())[:5]]
    flags = ["--labels"] if rows == "alert" else []
    out = tmp_path / "x.parquet"
    ended = program("aml-miner-batch", "features", *chosen, "--out", out, "--rows", rows, *flags)
    assert ended.code == 0, ended.err
    same(aml.features(batches, rows=rows, labels=rows == "alert"), pq.read_table(out))


def test_features_of_earlier_days_are_those_of_the_program_and_of_a_state(days, tmp_path):
    names, paths = ["history_alerts_7d", "history_volume_ratio", "senders_max_history_alerts_30d"], sorted(days.iterdir())[:12]
    batches = [aml.read_batch(path) for path in paths]
    schema, out, state = tmp_path / "names.txt", tmp_path / "x.parquet", tmp_path / "state.parquet"
    schema.write_text("\n".join(names))
    assert program("aml-miner-batch", "features", *paths, "--schema", schema, "--out", out).code == 0
    table = aml.features(batches, names)
    same(table, pq.read_table(out))
    said = aml.build_history(days, state, until=batches[10].processing_date)
    assert f"for batches from {batches[11].processing_date} on" in said
    last = aml.features(batches[11], names, history=state)
    same(last, table.slice(len(table) - len(last)))
    assert np.isfinite(last.column("history_alerts_7d").to_numpy()).any()
    alone = aml.features(batches[11], names)
    assert np.isnan(alone.column("history_alerts_7d").to_numpy()).all()
    with pytest.raises(aml.UsageError, match="in their order"):
        aml.features([batches[3], batches[2]], names)


def test_features_of_a_model_are_in_its_order(day, models):
    table = aml.features(aml.read_batch(day), models)
    assert table.column_names[2:] == aml.Model.load(models).feature_names
    assert aml.schema_hash(models) == aml.Model.load(models).schema_sha256


def test_columns_are_handed_over_without_a_copy(day):
    table = aml.features(aml.read_batch(day))
    column = table.column("volume_usd").chunk(0)
    assert column.null_count == 0
    assert column.to_numpy(zero_copy_only=True).dtype == np.float64
    assert pl.from_arrow(table).height == table.num_rows == len(table.to_pandas())


def test_a_handed_over_table_outlives_its_batch(day):
    values = aml.features(aml.read_batch(day)).column("volume_usd")
    before = values.to_pylist()
    for _ in range(20):
        aml.features(aml.read_batch(day))
    assert values.to_pylist() == before


def test_what_nobody_takes_is_released(day):
    columns = aml.read_batch(day)._native.table("alerts")
    for _ in range(200):
        columns.__arrow_c_array__()
        columns.__arrow_c_schema__()
    assert pa.record_batch(columns).num_rows == len(columns)


def test_an_unknown_feature_is_refused_in_the_programs_words(day, tmp_path):
    names = tmp_path / "names"
    names.write_text("volume_usd\nvolum\n")
    ended = program("aml-miner-batch", "features", day, "--out", tmp_path / "x", "--schema", names)
    with pytest.raises(aml.ModelError) as refused:
        aml.features(aml.read_batch(day), ["volume_usd", "volum"])
    assert str(refused.value) in ended.err


def damaged(day, tmp_path):
    copy = tmp_path / day.name
    shutil.copytree(day, copy)
    file = copy / "alerts.parquet"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    return copy


def test_a_damaged_batch_is_refused_in_the_programs_words(day, tmp_path):
    copy = damaged(day, tmp_path)
    ended = program("aml-miner-batch", "verify", copy)
    assert ended.code == 1
    with pytest.raises(aml.DataError) as refused:
        aml.read_batch(copy)
    assert [str(refused.value)] == ended.bad
    with pytest.raises(aml.DataError) as refused:
        aml.verify(copy)
    assert refused.value.problems == ended.bad
    with pytest.raises(aml.DataError) as refused:
        aml.run("verify", copy)
    assert str(refused.value).endswith(ended.bad[0])


def test_what_is_wrong_is_told_all_at_once(tmp_path):
    alerts = pa.table({"alert_id": ["a", "b"], "severity": ["loud", "low"], "alert_confidence_score": [0.5, 2.0]})
    pq.write_table(alerts, tmp_path / "alerts.parquet")
    args = ("seal", tmp_path, "--network", "n", "--date", "2025-10-26", "--window-days", 7)
    ended = program("aml-miner-batch", *args)
    with pytest.raises(aml.DataError) as refused:
        aml.seal(tmp_path, network="n", processing_date="2025-10-26", window_days=7)
    assert len(ended.bad) == 2
    assert [line.split(": ", 1)[1] for line in refused.value.problems] == ended.bad
    assert not (tmp_path / "META.json").exists()


def test_a_good_batch_is_described_as_the_program_does(day):
    assert aml.verify(day) in program("aml-miner-batch", "verify", day).out


def test_a_batch_is_written_as_it_was_read(day, tmp_path):
    batch = aml.read_batch(day)
    written = aml.write_batch(batch, tmp_path / "copy", created_at=batch.manifest["created_at"])
    assert written == batch.manifest
    assert (tmp_path / "copy/META.json").read_bytes() == (day / "META.json").read_bytes()
    with pytest.raises(aml.DataError, match="exists already"):
        aml.write_batch(batch, tmp_path / "copy")


@pytest.mark.parametrize("form", ["pyarrow", "pandas", "polars"])
def test_tables_of_every_library_make_the_same_batch(day, tmp_path, form):
    batch = aml.read_batch(day)
    give = {"pyarrow": lambda table: table, "pandas": pa.Table.to_pandas, "polars": pl.from_arrow}[form]
    tables = {name: give(batch.table(name)) for name in ("alerts", "features", "clusters", "money_flows", "labels")}
    about = {"processing_date": batch.processing_date, "window_days": 7, "network": "synthetic"}
    aml.write_batch(tables, tmp_path / "made", created_at=batch.manifest["created_at"], **about)
    assert (tmp_path / "made/META.json").read_bytes() == (day / "META.json").read_bytes()


def test_categories_of_pandas_are_texts():
    frame = pd.DataFrame({"alert_id": ["a", "b"], "severity": pd.Categorical(["low", "high"])})
    assert aml.Batch.from_tables(alerts=frame).alerts.column("severity").to_pylist() == ["low", "high"]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"alert_id": ["a", "a"]}, "alert_id"),
        ({"alert_id": ["a"], "severity": ["loud"]}, "severity"),
        ({"alert_id": ["a"], "alert_confidence_score": [float("inf")]}, "alert_confidence_score"),
        ({"alert_id": ["a"], "volume_usd": [-1.0]}, "volume_usd"),
        ({"severity": ["low"]}, "alert_id"),
        ({"alert_id": [b"a"]}, "alert_id"),
    ],
)
def test_tables_that_break_a_rule_are_refused_by_column(columns, words):
    with pytest.raises(aml.DataError, match=words):
        aml.Batch.from_tables(alerts=pa.table(columns))


def test_what_is_no_table_is_refused():
    with pytest.raises(aml.UsageError, match="a table is wanted"):
        aml.Batch.from_tables(alerts=7)
    with pytest.raises(aml.UsageError, match="no table `alert`"):
        aml.write_batch({"alert": {}}, "x")
    with pytest.raises(aml.UsageError, match="is not a day"):
        aml.Batch.from_tables(alerts={"alert_id": ["a"]}, processing_date="yesterday")
    with pytest.raises(aml.UsageError, match="window_days is 70000"):
        aml.write_batch({"alerts": {"alert_id": ["a"]}}, "x", processing_date="2025-10-26", window_days=70_000, network="n")
    with pytest.raises(aml.UsageError, match="network is not known"):
        aml.write_batch({"alerts": {"alert_id": ["a"]}}, "x", processing_date="2025-10-26", window_days=7)


def test_a_spreadsheet_becomes_a_batch(tmp_path):
    (tmp_path / "alerts.csv").write_text('"Case ""ID""";Amount\nx1;12,50\n'.replace(",50", ".50"))
    names = {"alerts": {"alert_id": 'Case "ID"', "volume_usd": "Amount"}}
    made = aml.seal(tmp_path, network="n", processing_date=dt.date(2025, 10, 26), window_days=7, mapping=names, out=tmp_path / "out")
    assert made["processing_date"] == "2025-10-26"
    assert aml.read_batch(tmp_path / "out").alerts.column("alert_id").to_pylist() == ["x1"]


def test_only_outcomes_that_became_known_later_count(day):
    batch = aml.read_batch(day)
    end = (batch.processing_date - dt.date(1970, 1, 1)).days * 86_400_000 + 86_400_000
    assert all(time >= end for time in aml.labels(batch).column("confirmed_at").to_pylist())
    table = batch.labels
    early = table.set_column(
        table.column_names.index("confirmed_at"), "confirmed_at", pa.array([end - 1] * table.num_rows, type=pa.int64())
    )
    again = aml.Batch.from_tables(alerts=batch.alerts, labels=early, processing_date=batch.processing_date)
    assert aml.labels(again).num_rows == 0
    assert np.isnan(aml.features(again, labels=True).column("confirmed_illicit").to_numpy()).all()


def test_a_request_is_read_back_as_it_was_written(day):
    batch = aml.read_batch(day)
    again = aml.Batch.from_request(batch.to_request())
    for name in ("alerts", "features", "clusters", "money_flows"):
        same(again.table(name), batch.table(name))


def test_a_wrong_request_is_told_as_the_server_tells_it():
    body = json.dumps({"alerts": [{"alert_id": "a", "volume_usd": -1}, {"alert_id": ""}]}).encode()
    with pytest.raises(aml.RequestError) as refused:
        aml.Batch.from_request(body)
    assert refused.value.status == 422
    assert [problem["loc"] for problem in refused.value.problems] == [["body", "alerts", 0, "volume_usd"], ["body", "alerts", 1, "alert_id"]]
    with pytest.raises(aml.RequestError) as refused:
        aml.Batch.from_request(b'{"alerts":[')
    assert refused.value.status == 400
    assert "line 1" in str(refused.value)


def test_other_threads_run_while_features_are_built(tmp_path):
    aml.simulate(tmp_path, days=1, alerts=4000, addresses=20_000)
    batch = aml.read_batch(next(tmp_path.iterdir()))
    counted, running = [0], threading.Event()
    running.set()

    def count():
        while running.is_set():
            counted[0] += 1

    counter = threading.Thread(target=count)
    counter.start()
    try:
        native, choice = batch._native, {"names": None, "models": None}
        before = counted[0]
        aml._data._native.features([native], choice, "alert", False)
        during = counted[0] - before
    finally:
        running.clear()
        counter.join()
    assert during > 10_000


def test_a_forked_process_has_threads_of_its_own(day):
    batch = aml.read_batch(day)
    here = aml.features(batch)
    child = os.fork()
    if child == 0:
        try:
            same(aml.features(batch), here)
            os._exit(0)
        finally:
            os._exit(1)
    deadline = time.monotonic() + 120
    ended = (0, 0)
    while ended[0] == 0 and time.monotonic() < deadline:
        ended = os.waitpid(child, os.WNOHANG)
        time.sleep(0.01)
    if ended[0] == 0:
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert ended == (child, 0)


@pytest.mark.parametrize(
    "args",
    [
        ["--help"],
        ["verify"],
        ["verify", "nowhere"],
        ["features", "nowhere", "--out", "x", "--rows", "wallet"],
        ["features", "nowhere", "--out", "x", "--rows", "cluster", "--labels"],
    ],
)
def test_the_wheels_program_is_the_program(args):
    ours = Path(sys.executable).parent / "aml-miner-batch"
    # As the program gets it: a terminal's width that Python's readline has set would be in no dictionary.
    done = subprocess.run([ours, *args], capture_output=True, text=True, check=False, env=dict(os.environ), cwd=ROOT)
    ended = program("aml-miner-batch", *args)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (ended.code, ended.out, ended.err.strip())
