"""How a frame lies in memory: which Arrow types its columns have, or that Arrow cannot hold it.

A partition is a `pyarrow.Table`: the data columns in meta's order, then the levels of the index, unless that is a
default one. Columns go by position; their names in the table are canonical, and labels are in the meta alone. A frame
with a column that Arrow cannot hold faithfully is opaque: its partitions are pandas objects.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from restride.collections.dataframe.meta import Meta, column_dtypes, is_unknown_categorical, level_dtypes

CODES = pa.int32()
"""The type of categoricals: codes into the categories of the meta, -1 where there is none."""
STRING = pa.string()
DICTIONARY = pa.dictionary(pa.int32(), pa.string())
"""What a column of strings may be instead, in any partition."""


@dataclass(frozen=True)
class Layout:
    """The columns of a frame's partitions."""

    columns: tuple[pa.DataType | None, ...]
    """The Arrow type of each data column; None if it has none."""
    levels: tuple[pa.DataType | None, ...]
    """The same for each stored level of the index."""

    @property
    def opaque(self) -> bool:
        """Whether partitions are pandas objects."""
        return None in self.columns or None in self.levels

    @property
    def n_columns(self) -> int:
        return len(self.columns)

    @property
    def n_levels(self) -> int:
        return len(self.levels)

    @property
    def types(self) -> tuple[Any, ...]:
        """Of all columns of the table."""
        return self.columns + self.levels

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns of the table."""
        return canonical_names(len(self.columns), len(self.levels))

    def schema(self) -> pa.Schema:
        """Of the table, where no column of strings is a dictionary."""
        return pa.schema(list(zip(self.names, self.types)))


@lru_cache(maxsize=256)
def canonical_names(n_columns: int, n_levels: int) -> tuple[str, ...]:
    """``("0", "1", ..., "i0", ...)``."""
    return tuple(map(str, range(n_columns))) + tuple(f"i{level}" for level in range(n_levels))


def layout_of(meta: Meta) -> Layout:
    """The layout of frames of a meta.

    Examples
    --------
    >>> layout = layout_of(pd.DataFrame({"x": [1.0], "s": ["a"]}, index=pd.Index([3])).iloc[:0])
    >>> layout.names, layout.types
    (('0', '1', 'i0'), (DataType(double), DataType(string), DataType(int64)))
    """
    return Layout(tuple(map(arrow_type, column_dtypes(meta))), tuple(map(arrow_type, level_dtypes(meta))))


def arrow_type(dtype: Any) -> pa.DataType | None:
    """The Arrow type that holds a column of a pandas dtype faithfully; None if there is none."""
    if isinstance(dtype, np.dtype):
        if dtype.kind in "biu" or (dtype.kind == "f" and dtype.itemsize in (4, 8)):
            return pa.from_numpy_dtype(dtype)
        if dtype.kind in "mM" and np.datetime_data(dtype)[0] in ("s", "ms", "us", "ns"):
            return pa.from_numpy_dtype(dtype)
        return None
    if isinstance(dtype, pd.CategoricalDtype):
        return arrow_type(dtype.categories.dtype) if is_unknown_categorical(dtype) else CODES
    if isinstance(dtype, pd.StringDtype):
        return STRING
    if isinstance(dtype, pd.ArrowDtype):
        return STRING if pa.types.is_large_string(dtype.pyarrow_dtype) else dtype.pyarrow_dtype
    if isinstance(dtype, pd.DatetimeTZDtype):
        return _zoned(dtype)
    return _masked(dtype)


@lru_cache(maxsize=64)
def _zoned(dtype: pd.DatetimeTZDtype) -> pa.DataType:
    return pa.Array.from_pandas(pd.Series([], dtype=dtype)).type


_MASKED = {
    "Int8": pa.int8(), "Int16": pa.int16(), "Int32": pa.int32(), "Int64": pa.int64(),
    "UInt8": pa.uint8(), "UInt16": pa.uint16(), "UInt32": pa.uint32(), "UInt64": pa.uint64(),
    "Float32": pa.float32(), "Float64": pa.float64(), "boolean": pa.bool_(),
}  # fmt: skip


def _masked(dtype: Any) -> pa.DataType | None:
    return _MASKED.get(dtype.name) if isinstance(dtype, pd.api.extensions.ExtensionDtype) else None


def is_string(kind: pa.DataType) -> bool:
    """Whether a column of a type holds strings, as they are or by dictionary."""
    return bool(pa.types.is_string(kind) or (pa.types.is_dictionary(kind) and pa.types.is_string(kind.value_type)))
