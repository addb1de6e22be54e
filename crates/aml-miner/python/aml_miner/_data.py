"""Batches: one day's alerts with what is known about their addresses, clusters and money flows."""

from __future__ import annotations

import datetime as dt
import json
import os
import tempfile
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Mapping, Sequence

import pyarrow as pa

from . import _columns, _native
from ._errors import DataError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TABLES = ("alerts", "features", "clusters", "money_flows", "labels")


def day_text(day: dt.date | str | None) -> str | None:
    """A day as ``YYYY-MM-DD``."""
    if day is None or isinstance(day, str):
        return day
    return day.isoformat()[:10]


class Batch:
    """One day. Made by :func:`read_batch`, :meth:`from_tables` or :meth:`from_request`; it does not change."""

    def __init__(self, native: _native.Batch) -> None:
        self._native = native

    @classmethod
    def from_tables(
        cls,
        *,
        alerts: Any,
        features: Any = None,
        clusters: Any = None,
        money_flows: Any = None,
        labels: Any = None,
        processing_date: dt.date | str | None = None,
    ) -> Batch:
        """A batch of tables of one's own: pyarrow, pandas, polars, or dicts of columns.

        Columns are those of ``docs/data.md`` by name; others are passed over. Every rule of the format is checked.
        """
        given = {"alerts": alerts, "features": features, "clusters": clusters, "money_flows": money_flows, "labels": labels}
        streams = [(name, _columns.stream(data)) for name, data in given.items() if data is not None]
        return cls(_native.batch_of_streams(streams, day_text(processing_date)))

    @classmethod
    def from_request(cls, body: bytes, required: str = "alerts") -> Batch:
        """The batch in the JSON body of a request; ``required`` is the table that it must have (``alerts`` or ``clusters``).

        Raises :class:`RequestError`, whose ``problems`` are the server's own.
        """
        return cls(_native.batch_of_request(bytes(body), required))

    def table(self, name: str) -> pa.Table | None:
        """A table by its name: ``alerts``, ``features``, ``clusters``, ``money_flows`` or ``labels``."""
        columns = self._native.table(name)
        return None if columns is None else _columns.table(columns)

    @property
    def alerts(self) -> pa.Table:
        """One row per alert."""
        return self.table("alerts")

    @property
    def features(self) -> pa.Table:
        """One row per address."""
        return self.table("features")

    @property
    def clusters(self) -> pa.Table:
        """One row per group of related alerts."""
        return self.table("clusters")

    @property
    def money_flows(self) -> pa.Table:
        """One row per edge between two addresses."""
        return self.table("money_flows")

    @property
    def labels(self) -> pa.Table | None:
        """Outcomes as the directory has them; :func:`labels` has those that count."""
        return self.table("labels")

    @property
    def processing_date(self) -> dt.date | None:
        """The day, where it is known."""
        text = self._native.processing_date()
        return None if text is None else dt.date.fromisoformat(text)

    @property
    def manifest(self) -> dict[str, Any] | None:
        """``META.json``, where the batch came from a directory."""
        text = self._native.manifest()
        return None if text is None else json.loads(text)

    @property
    def digest(self) -> str | None:
        """Names the content of the batch: the digest of its manifest."""
        return self._native.digest()

    def to_request(self) -> bytes:
        """The batch as the JSON body of a request to the inference API."""
        return self._native.to_request()

    def __len__(self) -> int:
        return self._native.rows()[0]

    def __repr__(self) -> str:
        alerts, features, clusters, flows = self._native.rows()
        return f"<Batch {self._native.processing_date()}: {alerts} alerts, {features} features, {clusters} clusters, {flows} money_flows>"


def read_batch(path: str | os.PathLike[str]) -> Batch:
    """The batch in a directory. Every byte is verified against ``META.json`` and every rule of the format is checked.

    Raises :class:`DataError` with file, column and row.
    """
    return Batch(_native.read_batch(Path(path)))


def write_batch(
    batch: Batch | Mapping[str, Any],
    path: str | os.PathLike[str],
    *,
    processing_date: dt.date | str | None = None,
    window_days: int | None = None,
    network: str | None = None,
    created_at: str | None = None,
    replace: bool = False,
) -> dict[str, Any]:
    """Writes a batch directory, whole or not at all, and returns its ``META.json``.

    ``batch`` is a :class:`Batch` or a mapping from names of tables to tables. What is not given is what the batch's own
    manifest says; ``created_at`` is now.
    """
    if not isinstance(batch, Batch):
        unknown = [name for name in batch if name not in TABLES]
        if unknown:
            raise UsageError(f"no table `{unknown[0]}`")
        if "alerts" not in batch:
            raise UsageError("a batch has alerts")
        batch = Batch.from_tables(**batch, processing_date=processing_date)  # type: ignore[arg-type]
    known = batch.manifest or {}
    date = day_text(processing_date) or known.get("processing_date") or day_text(batch.processing_date)
    window = window_days if window_days is not None else known.get("window_days")
    network = network or known.get("network")
    for name, value in (("processing_date", date), ("window_days", window), ("network", network)):
        if value is None:
            raise UsageError(f"{name} is not known: give it")
    if not 1 <= window <= 65_535:
        raise UsageError(f"window_days is {window}: it must be from 1 to 65535")
    now = dt.datetime.now(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    about = {"processing_date": date, "window_days": window, "network": network, "created_at": created_at or now}
    return json.loads(batch._native.write(Path(path), {**about, "replace": replace}))


def run(*args: str | os.PathLike[str]) -> str:
    """Runs a command of ``aml-miner-batch`` in this process and returns what it writes: ``run("inspect", "days/2025-09-01_w7")``.

    Raises :class:`UsageError` for its exit code 2 and :class:`DataError` for the others, with the program's own words.
    """
    code, out, err = _native.batch_program([os.fspath(arg) for arg in args])
    if code == 0:
        return out
    if code == 2:
        raise UsageError(err.strip())
    bad = [line[5:] for line in out.splitlines() if line.startswith("BAD  ")]
    raise DataError(err.strip() or "\n".join(bad) or out.strip(), bad or None)


def seal(
    directory: str | os.PathLike[str],
    *,
    network: str,
    processing_date: dt.date | str | None = None,
    window_days: int | None = None,
    mapping: str | os.PathLike[str] | Mapping[str, Mapping[str, str]] | None = None,
    out: str | os.PathLike[str] | None = None,
    signing_key: str | os.PathLike[str] | None = None,
    created_at: str | None = None,
    replace: bool = False,
) -> dict[str, Any]:
    """Makes Parquet or CSV tables of one's own a batch, as ``aml-miner-batch seal`` does; returns its ``META.json``.

    ``mapping`` renames columns: a TOML file, or ``{"alerts": {"alert_id": "Case ID"}}``.
    """
    args: list[str] = ["seal", os.fspath(directory), "--network", network]
    options = [
        ("--date", day_text(processing_date)),
        ("--window-days", window_days),
        ("--out", out),
        ("--signing-key", signing_key),
        ("--created-at", created_at),
    ]
    for name, value in options:
        if value is not None:
            args += [name, str(value)]
    if replace:
        args.append("--replace")
    with tempfile.TemporaryDirectory() as scratch:
        if isinstance(mapping, Mapping):
            file = Path(scratch) / "mapping.toml"
            lines = []
            for name, columns in mapping.items():
                lines.append(f"[{quoted(name)}]")
                lines += [f"{quoted(ours)} = {quoted(theirs)}" for ours, theirs in columns.items()]
            file.write_text("\n".join(lines) + "\n", encoding="utf-8")
            mapping = file
        if mapping is not None:
            args += ["--mapping", os.fspath(mapping)]
        run(*args)
    return json.loads((Path(out or directory) / "META.json").read_text(encoding="utf-8"))


def quoted(text: str) -> str:
    """A text as TOML has it."""
    return json.dumps(str(text), ensure_ascii=False).replace("\x7f", "\\u007f")


def verify(path: str | os.PathLike[str], *, publisher: str | None = None, hashes_only: bool = False) -> str:
    """What a batch directory holds, in a line, when nothing is wrong with it.

    Raises :class:`DataError`, whose ``problems`` are the first 20 things that are wrong.
    """
    return _native.verify(Path(path), publisher, hashes_only)


def simulate(
    output: str | os.PathLike[str],
    *,
    days: int = 1,
    alerts: int = 1000,
    addresses: int = 10_000,
    seed: int = 42,
    start: dt.date | str = "2025-09-01",
    window_days: int = 7,
    labels: bool = True,
    replace: bool = False,
) -> list[Path]:
    """Writes days of a simulated economy with outcomes, as ``aml-miner-batch synth`` does; returns their directories."""
    first = dt.date.fromisoformat(str(day_text(start)))
    args = ["synth", os.fspath(output), "--days", str(days), "--alerts", str(alerts), "--addresses", str(addresses)]
    args += ["--seed", str(seed), "--start-date", first.isoformat(), "--window-days", str(window_days)]
    run(*args, *([] if labels else ["--no-labels"]), *(["--replace"] if replace else []))
    return [Path(output) / f"{first + dt.timedelta(days=day)}_w{window_days}" for day in range(days)]


def features(
    batch: Batch | Sequence[Batch],
    schema: Sequence[str] | str | os.PathLike[str] | None = None,
    *,
    rows: str = "alert",
    labels: bool = False,
    history: str | os.PathLike[str] | None = None,
) -> pa.Table:
    """The features of one batch or of several, the same values as ``aml-miner-batch features`` writes.

    ``schema`` is a list of names, or a directory of models (the features of its model of these rows), or ``None`` for the
    default ones. ``rows`` is ``alert`` or ``cluster``.

    Returns a table of shape (rows, 2 + features): ``processing_date``, ``alert_id`` or ``cluster_id``, then float64 columns in the
    order of the schema, NaN where a value is missing. With ``labels`` three more: ``confirmed_illicit``, ``relevance``,
    ``confirmed_at``, NaN where no outcome counts.

    Features of earlier days see the batches before their own, which have to come in the order of their days; ``history`` is the state of
    addresses (:func:`build_history`) that the first one begins with.
    """
    batches = [batch] if isinstance(batch, Batch) else list(batch)
    native = _native.features([one._native for one in batches], choice(schema), rows, labels, path_or_none(history))
    return _columns.table(native)


def path_or_none(path: str | os.PathLike[str] | None) -> Path | None:
    """A path, where one is given."""
    return None if path is None else Path(path)


def build_history(
    data: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    start_from: str | os.PathLike[str] | None = None,
    until: dt.date | str | None = None,
    replace: bool = False,
) -> str:
    """Builds the state of addresses that features of earlier days take, as ``aml-miner-batch history`` does; what it says of it.

    ``data`` is a data directory or several, ``start_from`` a state to go on from, ``until`` the last day that is read.
    """
    directories = [data] if isinstance(data, (str, os.PathLike)) else list(data)
    args = ["history", *map(os.fspath, directories), "--out", os.fspath(out)]
    args += [] if start_from is None else ["--from", os.fspath(start_from)]
    args += [] if until is None else ["--until", str(day_text(until))]
    return run(*args, *(["--replace"] if replace else [])).strip()


def feature_names(schema: Sequence[str] | str | os.PathLike[str] | None = None, *, rows: str = "alert") -> list[str]:
    """Names of features in order; refuses unknown ones and those that stand twice."""
    return _native.feature_names(choice(schema), rows)[0]


def schema_hash(schema: Sequence[str] | str | os.PathLike[str] | None = None, *, rows: str = "alert") -> str:
    """SHA-256 of a schema, as bundles and receipts state it."""
    return _native.feature_names(choice(schema), rows)[1]


def choice(schema: Sequence[str] | str | os.PathLike[str] | None) -> dict[str, Any]:
    """What the extension module takes."""
    if schema is None:
        return {"names": None, "models": None}
    if isinstance(schema, (str, os.PathLike)):
        return {"names": None, "models": Path(schema)}
    return {"names": [str(name) for name in schema], "models": None}


def labels(batch: Batch) -> pa.Table | None:
    """The outcomes of a batch that count, as training and settlement take them: those that became known after its day.

    Columns ``alert_id``, ``confirmed_illicit``, ``relevance``, ``confirmed_at`` (milliseconds); ``None`` where the batch has none.
    """
    columns = batch._native.outcomes()
    return None if columns is None else _columns.table(columns)


class Samples:
    """The labelled alerts of one period, oldest day first."""

    def __init__(self, native: _native.Samples, names: list[str], base_rate: float | None) -> None:
        self._native = native
        self.feature_names = names
        self._base_rate = base_rate

    @cached_property
    def table(self) -> pa.Table:
        """``processing_date``, ``alert_id``, the features, ``typology_type``, ``confirmed_illicit``, ``relevance``, ``confirmed_at``,
        ``baseline`` (the confidence that the alert came with)."""
        return _columns.table(self._native.columns())

    @cached_property
    def X(self) -> NDArray[np.float64]:
        """The features, shape (rows, features), NaN where missing; not to be written to."""
        return _columns.matrix(self._native.matrix(), len(self.feature_names))

    @cached_property
    def y(self) -> NDArray[np.int8]:
        """1 where an alert was confirmed illicit, shape (rows,)."""
        return self.table.column("confirmed_illicit").to_numpy().astype("int8")

    def evaluate(self, scores: Any, *, probabilities: bool = True, base_rate: float | None = None) -> dict[str, Any]:
        """The figures of one score per row, with 95 % intervals, slices, baselines and warnings.

        ``base_rate`` is the share of illicit rows in training; a split knows its own.
        """
        rate = base_rate if base_rate is not None else self._base_rate
        if rate is None:
            rate = float(self.y.mean()) if len(self) else 0.0
        return json.loads(self._native.evaluate(_columns.doubles(scores), probabilities, float(rate)))

    def __len__(self) -> int:
        return len(self._native)

    def __repr__(self) -> str:
        return f"<Samples: {len(self)} rows, {len(self.feature_names)} features>"


class Split:
    """Training, validation and test rows, apart in time and in addresses."""

    def __init__(self, train: Samples, validation: Samples, test: Samples, periods: dict[str, Any]) -> None:
        self.train = train
        self.validation = validation
        self.test = test
        #: First and last day of each period, and how many rows were left out and why.
        self.periods = periods

    def __repr__(self) -> str:
        return f"<Split: {len(self.train)} train, {len(self.validation)} validation, {len(self.test)} test>"


def time_split(
    data_dir: str | os.PathLike[str],
    schema: Sequence[str] | str | os.PathLike[str] | None = None,
    *,
    start: dt.date | str | None = None,
    end: dt.date | str | None = None,
    embargo_days: int = 21,
    validation_share: float = 0.15,
    test_share: float = 0.15,
    shared_addresses: str = "later",
    history: str | os.PathLike[str] | None = None,
    bootstrap: int = 200,
    seed: int = 42,
) -> Split:
    """Splits the labelled alerts of a data directory by time, as the trainer does.

    An embargo stands before validation and before test, nothing is learnt from a label that was not known when the next period
    began, and no address is on two sides (``shared_addresses``: ``later`` keeps it in the later period, ``earlier`` in the
    earlier one, ``both`` in both). Features of earlier days see the days before their own; ``history`` is the state of addresses that the
    first day begins with.
    """
    split = {"embargo_days": embargo_days, "validation_share": validation_share, "test_share": test_share}
    config = {"seed": seed, "split": {**split, "shared_addresses": shared_addresses}, "evaluation": {"bootstrap": bootstrap}}
    days = {"data_dir": Path(data_dir), "start": day_text(start), "end": day_text(end), "history": path_or_none(history)}
    names = feature_names(schema)
    train, validation, test, periods = _native.time_split(days, names, json.dumps(config))
    first = Samples(train, names, None)
    rate = float(first.y.mean()) if len(first) else 0.0
    first._base_rate = rate
    return Split(first, Samples(validation, names, rate), Samples(test, names, rate), json.loads(periods))
