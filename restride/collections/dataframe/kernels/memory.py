"""Arrow columns as numpy memory: views of their buffers, and which of their values are null."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Column: TypeAlias = "pa.ChunkedArray | pa.Array"
Mask = np.ndarray[Any, np.dtype[np.bool_]]


def chunks_of(column: Column) -> list[pa.Array]:
    """The contiguous parts of a column."""
    return column.chunks if isinstance(column, pa.ChunkedArray) else [column]


def one_array(column: Column) -> pa.Array:
    """A column in one part; it is copied only if it had several. Dictionaries that differ are made one."""
    chunks = chunks_of(column)
    if len(chunks) == 1:
        return chunks[0]
    if pa.types.is_dictionary(column.type):
        column = column.unify_dictionaries()
    combined = column.combine_chunks()
    # Arrow gives no array, but parts again, where offsets would not fit.
    return combined if isinstance(combined, pa.Array) else pa.concat_arrays(combined.chunks)


def fixed_width(array: pa.Array, dtype: Any) -> np.ndarray:
    """The values of an array as numpy sees its memory, whatever is there where they are null."""
    dtype = np.dtype(dtype)
    buffer = array.buffers()[1]
    if buffer is None or len(array) == 0:
        return np.empty(len(array), dtype)
    return np.frombuffer(buffer, dtype, count=len(array), offset=array.offset * dtype.itemsize)


def valid_mask(column: Column) -> Mask | None:
    """Where values are not null; None where none is."""
    if column.null_count == 0:
        return None
    mask: Mask = pc.is_valid(column).to_numpy(
        **({} if isinstance(column, pa.ChunkedArray) else {"zero_copy_only": False})
    )
    return mask
