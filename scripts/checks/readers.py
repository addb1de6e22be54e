"""Opens every table that our programs write (batches, answers, features, sealed tables, outcomes that were entered, canonical scores) with
the readers that are installed here, compares them with each other by their values, and has our program read what the same packages write.

Usage: readers.py PROGRAM BATCH ANSWERS WORK
"""

import datetime
import importlib.util
import json
import pathlib
import shutil
import subprocess
import sys

program, batch, answers, work = sys.argv[1], *map(pathlib.Path, sys.argv[2:5])
work.mkdir()
META = json.loads((batch / "META.json").read_text())
FILES = sorted(batch.glob("*.parquet")) + sorted(answers.glob("*.parquet"))
ROWS = {path.name: entry["rows"] for path in [batch / name for name in META["files"]] for entry in [META["files"][path.name]]}
checks = 0


def there(name):
    return importlib.util.find_spec(name) is not None


def expect(condition, what):
    global checks
    checks += 1
    if not condition:
        sys.exit(f"wrong: {what}")


def looks_right(path, columns, rows):
    """`columns` maps a name to its values as plain Python values."""
    expect(rows == (ROWS.get(path.name, rows) if path.parent == batch else rows) and rows > 0, f"{path} has {rows} rows")
    if path.name == "alerts.parquet" and path.parent == batch:
        expect(all(isinstance(text, str) and text for text in columns["alert_id"]), "texts are texts")
        expect(all(0 <= value <= 1 for value in columns["alert_confidence_score"]), "confidences are shares")
        expect(all(float(value) >= 0 for value in columns["volume_usd"]), "money is a number")
        expect(all(str(day)[:10] == META["processing_date"] for day in columns["processing_date"]), "days are days")
        lists = [list(items) for items in columns["risk_indicators"]]
        expect(all(isinstance(item, str) for items in lists for item in items), "lists are of texts")
    if path.name == "scores.parquet":
        expect(all(0 <= value <= 1 for value in columns["score"]), "scores are shares")


def read_pyarrow(path):
    import pandas
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path)
    looks_right(path, {name: table[name].to_pylist() for name in table.column_names}, table.num_rows)
    expect(b"ARROW:schema" not in (pyarrow.parquet.read_schema(path).metadata or {}), "no foreign schema is embedded")
    expect(len(pandas.read_parquet(path, engine="pyarrow")) == table.num_rows, "pandas reads as many rows")
    return {name: table[name].to_pylist() for name in table.column_names}


def read_polars(path):
    import polars

    frame = polars.read_parquet(path)
    columns = {name: frame[name].to_list() for name in frame.columns}
    looks_right(path, columns, frame.height)
    return columns


def read_duckdb(path):
    import duckdb

    relation = duckdb.sql(f"select * from read_parquet('{path}')")
    rows = relation.fetchall()
    columns = {name: [row[i] for row in rows] for i, name in enumerate(relation.columns)}
    looks_right(path, columns, len(rows))
    return columns


def read_fastparquet(path):
    import pandas

    frame = pandas.read_parquet(path, engine="fastparquet")
    columns = {name: frame[name].tolist() for name in frame.columns}
    looks_right(path, columns, len(frame))
    return columns


def run(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    expect(done.returncode == 0, f"{' '.join(map(str, words))}: {done.stdout}{done.stderr}")


def ours(read, folder):
    """What the other commands write, each made of a batch and read back; the values that were put in come out."""
    folder.mkdir()
    ids = read(batch / "alerts.parquet")["alert_id"]
    run(program, "features", batch, "--out", folder / "features.parquet", "--labels")
    features = read(folder / "features.parquet")
    expect(list(features["alert_id"]) == list(ids) and len(features) > 180, "features are of the alerts")

    decided = folder / batch.name
    shutil.copytree(batch, decided)
    before = read(batch / "labels.parquet")
    known = dict(zip(before["alert_id"], before["confirmed_illicit"]))
    # Two sources that agree about one alert, and two that do not about another: that one has no outcome any more.
    other = 1 - int(bool(known[ids[1]]))
    decisions = f"{ids[0]},{int(bool(known[ids[0]]))},2026-01-05T10:00:00Z\n{ids[1]},{other},2026-01-05T10:00:00Z\n"
    (decided / "decisions.csv").write_text(f"alert_id,confirmed_illicit,confirmed_at\n{decisions}")
    run(program, "labels", "add", decided, decided / "decisions.csv", "--source", "court", "--key", folder / "labels.key")
    outcomes = read(decided / "labels.parquet")
    after = dict(zip(outcomes["alert_id"], outcomes["confirmed_illicit"]))
    expect(after == {alert: said for alert, said in known.items() if alert != ids[1]}, "outcomes that were entered")

    tables = folder / "tables"
    shutil.copytree(batch, tables, ignore=shutil.ignore_patterns("META.json"))
    sealed = folder / "sealed" / batch.name
    run(program, "seal", tables, "--network", "test", "--date", META["processing_date"], "--window-days", META["window_days"], "--out", sealed)
    for name in META["files"]:
        expect(list(read(sealed / name)) == list(read(batch / name)), f"{name} has its columns")

    subnet = pathlib.Path(program).with_name("aml-subnet")
    if subnet.exists():
        canonical(read, subnet, folder)


def canonical(read, subnet, folder):
    """Canonical scores of a round with one answer, in each form that they are published in."""
    scores = read(answers / "scores.parquet")
    rows = zip(scores["alert_id"], scores["score"])
    answer = [{"alert_id": alert, "score": float(score), "model_version": "1", "latency_ms": 1, "explain_json": "{}"} for alert, score in rows]
    (folder / "answer.json").write_text(json.dumps(answer))
    for form in ["json", "csv", "parquet"]:
        run(subnet, "reasons", "--batch", batch, "--answer", folder / "answer.json", "--out", folder / f"canonical.{form}")
    told = json.loads((folder / "canonical.json").read_text())
    columns = read(folder / "canonical.parquet")
    expect([row["alert_id"] for row in told] == list(columns["alert_id"]), "canonical scores are of the alerts")
    expect([row["score"] for row in told] == [float(score) for score in columns["score"]], "to the bit")
    header, *lines = (folder / "canonical.csv").read_text().splitlines()
    expect(header.split(",")[: len(columns)] == list(columns)[: len(header.split(","))] and len(lines) == len(told), "the CSV has the same columns")


def seal(name, write, wanted):
    """Writes alerts by `write(directory)`, seals them, and expects `wanted` in what our program says."""
    directory = work / name / "2025-10-26_w7"
    directory.mkdir(parents=True)
    write(directory)
    done = subprocess.run([program, "seal", directory, "--network", "test"], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    expect((done.returncode == 0) == (wanted == "ok") and wanted in said, f"{name}: wanted {wanted!r}, got {said!r}")
    if wanted == "ok":
        verify = subprocess.run([program, "verify", directory], capture_output=True, text=True, check=False)
        expect(verify.returncode == 0, verify.stdout)


def write_pyarrow():
    import pyarrow as pa
    import pyarrow.parquet

    ids = pa.array(["a", "b"])
    def column(table, name, values):
        def write(directory):
            keys = {"alerts": {"alert_id": ids}, "money_flows": {"from_address": ids, "to_address": ids}}
            for known in {"alerts", table}:
                columns = dict(keys[known]) | ({name: values} if known == table else {})
                pyarrow.parquet.write_table(pa.table(columns), directory / f"{known}.parquet")
        return write

    instant = datetime.datetime(2025, 10, 26, 8, 30, tzinfo=datetime.timezone.utc)
    cases = {
        "nulls": ("alerts", "address", pa.nulls(2), "ok"),
        "nulls_in_lists": ("alerts", "risk_indicators", pa.array([[], [None]], pa.list_(pa.null())), "ok"),
        "typed_nulls": ("alerts", "severity", pa.array([None, None], pa.float64()), "ok"),
        "halves": ("alerts", "alert_confidence_score", pa.array([0.5, 0.25]).cast(pa.float32()).cast(pa.float16()) if int(pa.__version__.split(".")[0]) >= 16 else None, "ok"),
        "dictionary": ("alerts", "typology_type", pa.array(["x", "y"]).dictionary_encode(), "ok"),
        "json": ("alerts", "evidence_json", pa.array(['{"a":1}', "{}"], pa.json_()) if hasattr(pa, "json_") else None, "ok"),
        "duration": ("money_flows", "last_seen", pa.array([1, 2], pa.duration("ms")), "duration[ms]"),
        "duration_as_count": ("money_flows", "tx_count", pa.array([1, 2], pa.duration("ns")), "duration[ns]"),
        "timestamps": ("money_flows", "last_seen", pa.array([instant, None], pa.timestamp("us", "UTC")), "ok"),
        "texts": ("money_flows", "last_seen", pa.array([instant.isoformat(), None]), "ok"),
        "seconds": ("money_flows", "last_seen", pa.array([int(instant.timestamp()), None]), "seconds?"),
        "negative": ("money_flows", "amount_usd", pa.array([-1.5, 2.0]), "-1.5 is outside 0 to infinity"),
        "decimal": ("money_flows", "amount_usd", pa.array([1.5, 2.0]).cast(pa.decimal128(20, 2)), "ok"),
        "binary": ("alerts", "address", pa.array([b"x", b"y"]), "the stored type is binary"),
    }
    for name, (table, column_name, values, wanted) in cases.items():
        if values is not None:
            seal(name, column(table, column_name, values), wanted)


def write_pandas(engine):
    import pandas

    def write(directory):
        frame = pandas.DataFrame({
            "alert_id": ["a", "b"],
            "volume_usd": [1.5, None],
            "processing_date": pandas.to_datetime(["2025-10-26", "2025-10-26"]),
            "address": pandas.Series(["x", None], dtype=object),
        })
        frame.to_parquet(directory / "alerts.parquet", engine=engine)
    seal(f"pandas_{engine}", write, "ok")

    def csv(directory):
        frame = pandas.DataFrame({"alert_id": ["a", "b"], "volume_usd": [1.5, None], "description": ['say "x", y', "é"]})
        frame.to_csv(directory / "alerts.csv", index=False, encoding="utf-8-sig", sep=";")
    seal(f"pandas_csv_{engine}", csv, "ok")


def write_polars():
    import polars

    def frame(**columns):
        return lambda directory: polars.DataFrame({"alert_id": ["a", "b"], **columns}).write_parquet(directory / "alerts.parquet")
    seal("polars_nulls", frame(address=[None, None]), "ok")
    seal("polars_categories", frame(severity=polars.Series(["low", "high"], dtype=polars.Categorical)), "ok")
    seal("polars_duration", frame(volume_usd=[datetime.timedelta(seconds=1), None]), "duration[")


def write_duckdb():
    import duckdb

    def write(directory):
        query = "select * from (values ('a', 1.5::decimal(10,2), '{\"a\":1}'::json), ('b', null, null)) t(alert_id, volume_usd, evidence_json)"
        duckdb.sql(f"copy ({query}) to '{directory}/alerts.parquet' (format parquet)")
    seal("duckdb", write, "ok")


for package, read, write in [
    ("pyarrow", read_pyarrow, write_pyarrow),
    ("polars", read_polars, write_polars),
    ("duckdb", read_duckdb, write_duckdb),
    ("fastparquet", read_fastparquet, lambda: write_pandas("fastparquet")),
]:
    if there(package):
        for file in FILES:
            read(file)
        ours(read, work / f"ours_{package}")
        write()
if there("pyarrow") and there("pandas"):
    write_pandas("pyarrow")
print(f"{work.name}: {len(FILES)} files, {checks} checks")
