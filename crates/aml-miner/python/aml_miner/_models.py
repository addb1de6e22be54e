"""Models: bundles that score and explain, and models of other libraries that become bundles."""

from __future__ import annotations

import datetime as dt
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Mapping, NamedTuple, Sequence

import pyarrow as pa

from . import _columns, _native
from ._data import Batch, day_text, path_or_none
from ._errors import ModelError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Explained(NamedTuple):
    """Exact contributions to raw scores (log-odds for a binary model)."""

    #: Where every row's explanation starts.
    base_value: float
    #: Shape (rows, features): what each value adds.
    contributions: NDArray[np.float64]


class Model:
    """A model that scores and explains its features exactly as the server does."""

    def __init__(self, native: _native.Model, origin: dict[str, Any] | None, keep: Any = None) -> None:
        self._native = native
        # How a model from elsewhere is taken again; None for a bundle.
        self._origin = origin
        self._keep = keep

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        kind: str = "alert_scorer",
        *,
        features: Sequence[str] | None = None,
        values_are_codes: bool = False,
        history: str | os.PathLike[str] | None = None,
    ) -> Model:
        """Loads a model.

        ``path`` is a bundle's directory or model file (with ``model_metadata.json`` beside it), or a model file of LightGBM, XGBoost,
        CatBoost or this package's export of scikit-learn. ``kind`` is ``alert_scorer``, ``alert_ranker`` or ``cluster_scorer``.
        ``features`` names the columns of a model file that does not name them itself. What cannot be exact is refused.
        ``history`` is the state of addresses (:func:`build_history`) for a model with features of earlier days, which is refused without.
        """
        path = Path(path)
        bundle = path if path.is_dir() else path.parent
        if features is None and (path.is_dir() or _is_entry(bundle, path.name)):
            return cls(_native.load_model(path, kind, path_or_none(history)), None)
        scratch = tempfile.TemporaryDirectory(prefix="aml-model-")
        made = adopt(path, scratch.name, kind, features=features, values_are_codes=values_are_codes)
        native = _native.load_model(made, kind, path_or_none(history))
        # The copy, which is the file's bytes: what was loaded is what a bundle is made of, whatever becomes of the file.
        origin = {"file": made, "kind": kind, "features": native.features(), "values_are_codes": values_are_codes}
        return cls(native, origin, scratch)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        kind: str = "alert_scorer",
        *,
        features: Sequence[str] | None = None,
        values_are_codes: bool = False,
        history: str | os.PathLike[str] | None = None,
    ) -> Model:
        """The model of a fitted estimator: LightGBM, XGBoost or CatBoost (their own objects or their scikit-learn classes),
        scikit-learn's HistGradientBoosting, RandomForest and ExtraTrees."""
        with tempfile.TemporaryDirectory(prefix="aml-model-") as scratch:
            file = save_estimator(estimator, Path(scratch))
            return cls.load(file, kind, features=features, values_are_codes=values_are_codes, history=history)

    @property
    def kind(self) -> str:
        """What it is for."""
        return self._native.kind()

    @property
    def version(self) -> str:
        """Semantic version and digest, such as ``1.0.0+0a1b2c3d4e5f``."""
        return self._native.version()

    @property
    def sha256(self) -> str:
        """SHA-256 of the model file."""
        return self._native.digests()[0]

    @property
    def schema_sha256(self) -> str:
        """Hash of its schema."""
        return self._native.digests()[1]

    @property
    def state_sha256(self) -> str | None:
        """SHA-256 of the state of addresses that it asks, where it has features of earlier days."""
        return self._native.digests()[2]

    @property
    def feature_names(self) -> list[str]:
        """Its features, in order."""
        return self._native.features()

    @property
    def base_value(self) -> float:
        """The expected raw score over the training data."""
        return self._native.base_value()

    @property
    def entry(self) -> dict[str, Any]:
        """Its entry in ``model_metadata.json``."""
        return json.loads(self._native.entry())

    def matrix(self, batch: Batch, *, alert_scores: Any = None) -> NDArray[np.float64]:
        """Its matrix of a batch, shape (alerts or clusters, features). A cluster scorer takes the alerts' scores."""
        scores = None if alert_scores is None else _columns.doubles(alert_scores)
        return _columns.matrix(self._native.matrix(batch._native, scores), len(self.feature_names))

    def predict(self, data: Any, *, alert_scores: Any = None) -> NDArray[np.float64]:
        """One score per row, shape (rows,): probabilities of a scorer, raw scores of a ranker.

        ``data`` is a :class:`Batch`, a table with the features by name (pyarrow, pandas, polars), or a matrix of shape
        (rows, features), NaN for missing.
        """
        return _columns.vector(self._native.predict(self._rows(data, alert_scores)))

    def explain(self, data: Any, *, alert_scores: Any = None) -> Explained:
        """What each value adds to its row's raw score; with ``base_value`` a row adds up to it."""
        values = self._native.explain(self._rows(data, alert_scores))
        return Explained(self.base_value, _columns.matrix(values, len(self.feature_names)))

    def to_bundle(
        self,
        directory: str | os.PathLike[str],
        *,
        version: str = "1.0.0",
        calibrate: str | os.PathLike[str] | None = None,
        start: dt.date | str | None = None,
        end: dt.date | str | None = None,
        replace: bool = False,
        history: str | os.PathLike[str] | None = None,
    ) -> Path:
        """Writes a model from elsewhere as a bundle that the server loads, as ``aml-miner-train adopt`` does; its model file.

        ``calibrate`` is a directory of labelled days that the model did not learn from, ``start`` and ``end`` its first and last
        day: a curve from scores to probabilities is fitted on them. ``history`` is the state of addresses that the first day begins with.
        """
        if self._origin is None:
            raise UsageError(f"{self._native.path()} is a bundle already")
        file, origin = self._origin["file"], {key: value for key, value in self._origin.items() if key != "file"}
        days = {"calibrate": calibrate, "start": start, "end": end, "history": history}
        return adopt(file, directory, **origin, **days, version=version, replace=replace)

    def _rows(self, data: Any, alert_scores: Any) -> bytes:
        if isinstance(data, Batch):
            return self.matrix(data, alert_scores=alert_scores).tobytes()
        return _columns.rows_of(data, self.feature_names)

    def __repr__(self) -> str:
        return f"<Model {self.kind} {self.version}, {len(self.feature_names)} features>"


def _is_entry(directory: Path, file: str) -> bool:
    try:
        metadata = json.loads((directory / "model_metadata.json").read_text(encoding="utf-8"))
        return file in metadata["models"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


def save_estimator(estimator: Any, directory: Path) -> Path:
    """Writes a fitted estimator in its library's own form into ``directory``; the file."""
    library = type(estimator).__module__.split(".")[0]
    booster = getattr(estimator, "booster_", None) if library == "lightgbm" else None
    if library == "lightgbm":
        file = directory / "model.txt"
        (booster if booster is not None else estimator).save_model(str(file))
    elif library == "xgboost":
        file = directory / "model.ubj"
        (estimator.get_booster() if hasattr(estimator, "get_booster") else estimator).save_model(str(file))
    elif library == "catboost":
        file = directory / "model.json"
        estimator.save_model(str(file), format="json")
    elif library == "sklearn":
        from . import sklearn

        file = directory / "model.json"
        try:
            sklearn.export(estimator, str(file))
        except sklearn.Refused as error:
            raise ModelError(str(error)) from error
    else:
        raise UsageError(f"{type(estimator).__name__} is no model of LightGBM, XGBoost, CatBoost or scikit-learn")
    return file


def adopt(
    model: str | os.PathLike[str],
    output: str | os.PathLike[str],
    kind: str = "alert_scorer",
    *,
    features: Sequence[str] | str | os.PathLike[str] | None = None,
    version: str = "1.0.0",
    calibrate: str | os.PathLike[str] | None = None,
    start: dt.date | str | None = None,
    end: dt.date | str | None = None,
    values_are_codes: bool = False,
    history: str | os.PathLike[str] | None = None,
    replace: bool = False,
) -> Path:
    """Takes a model file that was trained elsewhere, as ``aml-miner-train adopt`` does; the bundle's model file.

    ``features`` are names in the order of the model's columns, or a file of them, where the model does not name them. ``history`` is the state of
    addresses that the first day that calibrates begins with.
    """
    with tempfile.TemporaryDirectory() as scratch:
        schema = None
        if isinstance(features, (str, os.PathLike)):
            schema = Path(features)
        elif features is not None:
            schema = Path(scratch) / "features.json"
            schema.write_text(json.dumps([str(name) for name in features]), encoding="utf-8")
        taking = {
            "kind": kind,
            "schema": schema,
            "version": version,
            "replace": replace,
            "calibrate": None if calibrate is None else Path(calibrate),
            "start": day_text(start),
            "end": day_text(end),
            "history": path_or_none(history),
            "values_are_codes": values_are_codes,
        }
        return Path(_native.adopt_model(Path(model), Path(output), taking))


class Answer(NamedTuple):
    """One model's answer to a day."""

    #: ``alert_id``, ``score``, ``model_version``, ``explain_json`` of scores; ``alert_id``, ``rank``, ``score`` of rankings;
    #: ``cluster_id``, ``score``, ``model_version``, ``explain_json`` of cluster scores.
    table: pa.Table
    #: Version of the model.
    model_version: str
    #: SHA-256 of the model file.
    model_sha256: str
    #: Hash of its schema.
    schema_sha256: str
    #: SHA-256 of the state that it read beside the batch; ``None`` without one.
    state_sha256: str | None = None


class ReceiptKey:
    """Signs receipts. The file (64 hex digits, mode 0600) is made when there is none; without a path it is the programs' own."""

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self._native = _native.ReceiptKey(None if path is None else os.fspath(path))

    @property
    def public_key(self) -> str:
        """Whose receipts they are: 64 hex digits."""
        return self._native.public_key()

    def sign(
        self, request: bytes, answer: bytes, of: Answer | Model, *, input_form: str = "json", timestamp_ms: int | None = None
    ) -> str:
        """The value of the header ``X-AML-Receipt`` for an answer of a model.

        ``input_form`` says what the request was read as: ``"json"``, ``"form"`` (multipart), ``"arrow"`` or ``"directory"``.
        """
        version = of.version if isinstance(of, Model) else of.model_version
        digests = of._native.digests() if isinstance(of, Model) else (of.model_sha256, of.schema_sha256, of.state_sha256)
        return self._native.sign(bytes(request), input_form, bytes(answer), (version, *digests), timestamp_ms)


def verify_receipt(header: str, request: bytes, answer: bytes, signer: str | None = None) -> dict[str, Any]:
    """What a receipt says, when it vouches for exactly this request and this answer; raises :class:`ReceiptError` else.

    ``signer`` demands a public key (64 hex digits).
    """
    return json.loads(_native.verify_receipt(header, bytes(request), bytes(answer), signer))


def _wanted(explain: bool | str) -> str:
    return explain if isinstance(explain, str) else "top" if explain else "none"


class Models:
    """The models of a directory, loaded once; ``history`` is the state of addresses for those with features of earlier days."""

    def __init__(
        self, directory: str | os.PathLike[str], *, history: str | os.PathLike[str] | None = None
    ) -> None:
        self._native = _native.load_models(Path(directory), path_or_none(history))

    def score(self, batch: Batch, *, explain: bool | str = True) -> dict[str, Answer]:
        """Every model's answer: ``scores``, ``rankings`` and ``cluster_scores``, as far as there are such models.

        ``explain`` is ``"none"``, ``"top"``, ``"full"`` or ``"share:0.1"``, as in requests; ``True`` is ``"top"``, ``False`` ``"none"``.
        """
        answers = self._native.answers(batch._native, _wanted(explain))
        return {name: Answer(_columns.table(columns), *about) for name, columns, *about in answers}


def score_day(
    batch: Batch | str | os.PathLike[str],
    models: Models | str | os.PathLike[str],
    *,
    explain: bool | str = True,
    out: str | os.PathLike[str] | None = None,
    signing_key: ReceiptKey | None = None,
    replace: bool = False,
    history: str | os.PathLike[str] | None = None,
) -> dict[str, Answer]:
    """Scores a day without a server: the same bits as the API gives, as ``aml-miner-batch score`` does.

    ``history`` is the state of addresses for models with features of earlier days, where ``models`` is a directory.

    With ``out`` the answers are written there too, each with a signed receipt; the batch must then come from a directory.
    """
    if not isinstance(batch, Batch):
        from ._data import read_batch

        batch = read_batch(batch)
    if not isinstance(models, Models):
        models = Models(models, history=history)
    if out is not None:
        key = signing_key or ReceiptKey()
        models._native.write(batch._native, key._native, {"target": Path(out), "explain": _wanted(explain), "replace": replace})
    return models.score(batch, explain=explain)


def evaluate(
    models: str | os.PathLike[str],
    data_dir: str | os.PathLike[str],
    *,
    start: dt.date | str | None = None,
    end: dt.date | str | None = None,
    model_version: str | None = None,
    config: Mapping[str, Any] | str | os.PathLike[str] | None = None,
    history: str | os.PathLike[str] | None = None,
) -> dict[str, Any]:
    """The figures of the models of a directory on labelled days, by kind: what ``aml-miner-train evaluate --output`` writes.

    ``config`` is a file such as ``config/model_config.yaml``, or what would stand in it. ``history`` is the state of addresses that the days
    begin with, for models with features of earlier days.
    """
    if isinstance(config, Mapping):
        text = json.dumps(config)
    else:
        text = "{}" if config is None else Path(config).read_text(encoding="utf-8")
    days = {"data_dir": Path(data_dir), "start": day_text(start), "end": day_text(end), "history": path_or_none(history)}
    return json.loads(_native.evaluate_models(Path(models), days, model_version, text))
