"""Columns as files give them, as what partitions have: the one dtype that a column has in the whole frame.

Files of one data set may differ: in one a column has missing values, in another none, or narrower integers, or other
categories. What comes out depends on the dtype of the frame alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from restride.collections.dataframe.layout import CODES, DICTIONARY, STRING, arrow_type
from restride.collections.dataframe.meta import is_unknown_categorical
from restride.collections.dataframe.partition import column_to_pandas
from restride.errors import SchemaError

ONE_CHUNK = 1024**3
"""Bytes of strings from which on they are cast in halves: offsets of 32 bits reach to twice as many."""


def conform(column: pa.ChunkedArray, dtype: Any, name: str) -> pa.ChunkedArray:
    """A column as partitions have it, given its dtype, which Arrow holds.

    Raises
    ------
    SchemaError
        The column holds what a column of the dtype cannot.
    """
    kind = column.type
    if isinstance(dtype, pd.CategoricalDtype) and not is_unknown_categorical(dtype):
        return _codes(column, dtype, name)
    wanted = arrow_type(dtype)
    if wanted is None:
        raise SchemaError(f"Arrow cannot hold column {name!r} of dtype {dtype}")
    if wanted == STRING:
        return _strings(column, name)
    if kind != wanted:
        column = _cast(column, wanted, dtype, name)
    if column.null_count and isinstance(dtype, np.dtype) and dtype.kind in "biuf":
        if dtype.kind != "f":
            raise SchemaError(
                f"column {name!r} is {dtype}, but has missing values here, which the file's statistics do not tell"
            )
        return pc.fill_null(column, float("nan"))
    return column


def absent(n: int, dtype: Any) -> pa.ChunkedArray:
    """A column of `n` missing values."""
    if isinstance(dtype, pd.CategoricalDtype) and not is_unknown_categorical(dtype):
        return constant(-1, n, CODES)
    if isinstance(dtype, np.dtype) and dtype.kind == "f":
        return constant(float("nan"), n, arrow_type(dtype))
    return pa.chunked_array([pa.nulls(n, arrow_type(dtype))])


def constant(value: Any, n: int, kind: pa.DataType) -> pa.ChunkedArray:
    """A column of one number."""
    return pa.chunked_array([pa.array(np.full(n, value, kind.to_pandas_dtype()))])


def to_series(column: pa.ChunkedArray, dtype: Any, name: str) -> Any:
    """A column of a frame that Arrow cannot hold, as an array of pandas or numpy."""
    if arrow_type(dtype) is not None:
        return column_to_pandas(conform(column, dtype, name), dtype)
    if isinstance(dtype, np.dtype):
        values = column.to_pandas()
        return values.astype(dtype) if values.dtype != dtype else values
    return dtype.__from_arrow__(column)


def _strings(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    kind = column.type
    if kind in (STRING, DICTIONARY):
        return column.unify_dictionaries() if kind == DICTIONARY and column.num_chunks > 1 else column
    if pa.types.is_dictionary(kind) and _is_text(kind.value_type):
        chunks = [_with_int32_codes(chunk) for chunk in column.chunks]
        return pa.chunked_array(chunks, DICTIONARY).unify_dictionaries()
    if _is_text(kind):
        return pa.chunked_array([part for chunk in column.chunks for part in _cast_text(chunk)], STRING)
    if pa.types.is_null(kind):
        return pa.chunked_array([pa.nulls(len(column), STRING)])
    raise SchemaError(f"column {name!r} holds {kind} here, where the frame has strings")


def _with_int32_codes(chunk: pa.DictionaryArray) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pc.cast(chunk.indices, CODES), pc.cast(chunk.dictionary, STRING))


def _cast_text(chunk: pa.Array) -> list[pa.Array]:
    if chunk.nbytes <= ONE_CHUNK or len(chunk) < 2:
        return [pc.cast(chunk, STRING)]
    half = len(chunk) // 2
    return _cast_text(chunk[:half]) + _cast_text(chunk[half:])


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _codes(column: pa.ChunkedArray, dtype: pd.CategoricalDtype, name: str) -> pa.ChunkedArray:
    """Codes into the categories of the dtype, whatever dictionary each chunk has."""
    categories = pa.array(dtype.categories, from_pandas=True)
    chunks = []
    for chunk in column.chunks:
        if not pa.types.is_dictionary(chunk.type):
            chunk = chunk.dictionary_encode()
        values = chunk.dictionary
        where = pc.index_in(pc.cast(values, categories.type), categories)
        if where.null_count > values.null_count:
            strange = values.filter(pc.is_null(where))[0].as_py()
            raise SchemaError(f"column {name!r} has a value {strange!r} here that is none of the frame's categories")
        places = np.append(pc.fill_null(where, -1).to_numpy(zero_copy_only=False), -1).astype(np.int32)
        codes = pc.fill_null(pc.cast(chunk.indices, CODES), len(values)).to_numpy(zero_copy_only=False)
        chunks.append(pa.array(places.take(codes)))
    return pa.chunked_array(chunks, CODES)


def _cast(column: pa.ChunkedArray, wanted: pa.DataType, dtype: Any, name: str) -> pa.ChunkedArray:
    # As pandas does it, integers with missing values become the nearest floats.
    to_float = pa.types.is_floating(wanted) and pa.types.is_integer(column.type)
    try:
        return pc.cast(column, wanted, safe=not to_float)
    except pa.ArrowInvalid as error:
        raise SchemaError(f"column {name!r} holds {column.type} here, where the frame has {dtype}: {error}") from error
    except pa.ArrowNotImplementedError as error:
        raise SchemaError(f"column {name!r} holds {column.type} here, where the frame has {dtype}") from error
