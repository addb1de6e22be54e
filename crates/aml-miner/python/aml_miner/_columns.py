"""Between Arrow, numpy and the extension module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from . import _native
from ._errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def table(columns: _native.Columns) -> pa.Table:
    """The columns as a table, without a copy."""
    return pa.Table.from_batches([pa.record_batch(columns)])


def vector(columns: _native.Columns) -> NDArray[np.float64]:
    """One column of numbers, without a copy; not to be written to."""
    return pa.record_batch(columns).column(0).to_numpy(zero_copy_only=True)


def matrix(columns: _native.Columns, width: int) -> NDArray[np.float64]:
    """Row-major numbers as rows of ``width``."""
    return vector(columns).reshape(-1, width)


def doubles(values: ArrayLike) -> bytes:
    """The bytes of numbers, in the machine's order."""
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise UsageError(f"numbers are wanted, {array.dtype} was given")
    if array.dtype.kind in "iu" and array.size and np.abs(array).max() > 2**53:
        raise UsageError("whole numbers above 2^53 are no doubles")
    return np.ascontiguousarray(array, dtype=np.float64).tobytes()


def to_arrow(data: Any) -> pa.Table:
    """Any table (pyarrow, pandas, polars, or what has the Arrow C interface) as pyarrow's, its texts written out."""
    if isinstance(data, pa.RecordBatch):
        data = pa.Table.from_batches([data])
    elif not isinstance(data, pa.Table):
        if hasattr(data, "to_arrow"):
            data = data.to_arrow()
        elif type(data).__module__.split(".")[0] == "pandas":
            data = pa.Table.from_pandas(data, preserve_index=False)
        elif hasattr(data, "__arrow_c_stream__") or isinstance(data, dict):
            data = pa.table(data)
        elif hasattr(data, "__arrow_c_array__"):
            data = pa.Table.from_batches([pa.record_batch(data)])
        else:
            raise UsageError(f"a table is wanted (pyarrow, pandas, polars or a dict of columns), {type(data).__name__} was given")
    for place, field in enumerate(data.schema):
        if pa.types.is_dictionary(field.type):
            data = data.set_column(place, field.name, data.column(place).cast(field.type.value_type))
    return data


def stream(data: Any) -> bytes:
    """A table as the bytes of an Arrow stream."""
    arrow = to_arrow(data)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, arrow.schema) as writer:
        writer.write_table(arrow)
    return sink.getvalue().to_pybytes()


def rows_of(data: Any, names: list[str]) -> bytes:
    """Rows of these features: a table has them by name, a matrix in order."""
    if isinstance(data, np.ndarray) or isinstance(data, (list, tuple)):
        array = np.asarray(data)
        if array.ndim != 2 or array.shape[1] != len(names):
            raise UsageError(f"a matrix of {len(names)} columns is wanted, shape {array.shape} was given")
        return doubles(array)
    arrow = to_arrow(data)
    lacking = [name for name in names if name not in arrow.column_names]
    if lacking:
        shown = ", ".join(lacking[:20]) + (f", and {len(lacking) - 20} more" if len(lacking) > 20 else "")
        raise UsageError(f"the table lacks features of the model: {shown}")
    out = np.empty((arrow.num_rows, len(names)), dtype=np.float64)
    for place, name in enumerate(names):
        if arrow.column_names.count(name) > 1:
            raise UsageError(f"the table has two columns `{name}`")
        column = arrow.column(name)
        if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type) or pa.types.is_boolean(column.type)):
            if not pa.types.is_null(column.type):
                raise UsageError(f"the feature `{name}` is {column.type}: numbers are wanted")
        try:
            out[:, place] = column.cast(pa.float64()).to_numpy(zero_copy_only=False) if len(column) else []
        except pa.ArrowInvalid as error:
            raise UsageError(f"the feature `{name}`: {error}") from error
    return out.tobytes()
