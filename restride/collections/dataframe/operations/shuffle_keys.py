"""Keys of partitions: the columns that rows are hashed by, or sorted by, and where they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.kernels.hashing import Hashes, hash_column, hash_objects, hash_rows
from restride.collections.dataframe.kernels.sort_keys import KeyColumn, SortKey
from restride.collections.dataframe.layout import arrow_type, layout_of
from restride.collections.dataframe.meta import Meta, column_dtypes, is_unknown_categorical, level_dtypes
from restride.collections.dataframe.partition import Partition, column_from_pandas, column_to_pandas


@dataclass(frozen=True)
class KeyPlace:
    """A key to sort by: where it is, how it is sorted, and through which function of the user's, if any."""

    position: int
    key: SortKey = field(default_factory=SortKey)
    function: Callable[..., Any] | None = None


def placed(by: Sequence[KeyPlace], positions: Sequence[int]) -> tuple[KeyPlace, ...]:
    """The same keys at other positions."""
    return tuple(KeyPlace(at, place.key, place.function) for at, place in zip(positions, by))


def key_place(
    meta: Meta, position: int, ascending: bool = True, na_position: str = "last", function: Any = None
) -> KeyPlace:
    """A key of a frame of a meta, sorted as pandas sorts columns of its dtype."""
    codes = function is None and is_coded(meta, position)
    return KeyPlace(position, SortKey(ascending, na_position == "last", codes), function)


def hash_keys(rows: Partition, meta: Meta, on: Sequence[int], types: Sequence[str | None] = ()) -> Hashes:
    """The hash of each row's keys.

    Parameters
    ----------
    rows : pyarrow.Table or pandas object
    meta : Meta
    on : sequence of int
        Positions of the keys: data columns first, levels of the index after them.
    types : sequence of (str or None), optional
        Numpy names of the types that keys are cast to first.
    """
    columns = [key_column(rows, meta, position) for position in on]
    for i, name in enumerate(types):
        if name is not None and not isinstance(columns[i], pd.Series):
            columns[i] = pc.cast(columns[i], pa.from_numpy_dtype(np.dtype(name)), safe=False)
    arrow = [column for column in columns if not isinstance(column, pd.Series)]
    if len(arrow) == len(columns):
        return hash_rows(arrow)
    # As one column each, whose hashes are hashed together.
    parts = [hash_objects(column) if isinstance(column, pd.Series) else hash_column(column) for column in columns]
    return hash_rows([pa.array(part) for part in parts])


def sort_columns(rows: Partition, meta: Meta, by: Sequence[KeyPlace]) -> list[KeyColumn]:
    """The columns to sort by, through the user's functions if there are any."""
    columns: list[KeyColumn] = []
    for place in by:
        if place.function is None:
            columns.append(key_column(rows, meta, place.position))
            continue
        dtype = key_dtypes(meta)[place.position]
        series = pd.Series(pandas_column(rows, meta, place.position), name=_label(meta, place.position))
        made = pd.Series(place.function(series))
        if len(made) != len(series):
            raise ValueError(
                "User-provided `key` function must not change the shape of the array: "
                f"it was given {len(series)} values of dtype {dtype} and returned {len(made)}"
            )
        columns.append(_made_key(made))
    return columns


def key_column(rows: Partition, meta: Meta, position: int) -> KeyColumn:
    """A column of a partition as keys are: of Arrow, or a series where Arrow cannot hold it."""
    if isinstance(rows, pa.Table):
        return rows.column(position)
    return _as_key(pd.Series(_values(rows, position, layout_of(meta).n_columns)), key_dtypes(meta)[position])


def pandas_column(rows: Partition, meta: Meta, position: int) -> Any:
    """A column of a partition as pandas has it."""
    if isinstance(rows, pa.Table):
        return column_to_pandas(rows.column(position), key_dtypes(meta)[position])
    return _values(rows, position, layout_of(meta).n_columns)


def is_coded(meta: Meta, position: int) -> bool:
    """Whether a column holds the codes of a categorical."""
    dtype = key_dtypes(meta)[position]
    return isinstance(dtype, pd.CategoricalDtype) and not is_unknown_categorical(dtype)


def _as_key(series: pd.Series, dtype: Any) -> KeyColumn:
    """A column to hash or to sort by: codes of categoricals, a series where Arrow cannot hold the values."""
    if arrow_type(dtype) is None:
        return series.reset_index(drop=True)
    return column_from_pandas(series, dtype)


def _made_key(series: pd.Series) -> KeyColumn:
    """What a user's function made to sort by; a categorical has the same categories in all partitions."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        codes = series.cat.codes.to_numpy()
        return pa.array(codes, mask=codes < 0)
    return _as_key(series, series.dtype)


def key_values(values: Sequence[Any], meta: Meta, position: int) -> KeyColumn:
    """Plain values as a key column, of the dtype of the keys."""
    dtype = key_dtypes(meta)[position]
    return _as_key(pd.Series(list(values), dtype=dtype), dtype)


def _values(value: Any, position: int, n_columns: int) -> Any:
    if position >= n_columns:
        index = value if isinstance(value, pd.Index) else value.index
        return index.get_level_values(position - n_columns)
    return (value.iloc[:, position] if isinstance(value, pd.DataFrame) else value).array


def key_dtypes(meta: Meta) -> list[Any]:
    return [*column_dtypes(meta), *level_dtypes(meta)]


def _label(meta: Meta, position: int) -> Any:
    n_columns = layout_of(meta).n_columns
    if position >= n_columns:
        return (meta if isinstance(meta, pd.Index) else meta.index).names[position - n_columns]
    return meta.columns[position] if isinstance(meta, pd.DataFrame) else meta.name


def key_labels(frame: FrameExpr, positions: Sequence[int]) -> str:
    return ", ".join(str(_label(frame.meta, position)) for position in positions)
