"""Small made-up objects of a meta's dtypes, by which pandas' own functions tell the dtypes of what they make.

Some results have another dtype where there is something to do: integers become floats where one is replaced by a
missing value. Empty objects would not show it. Users' functions never see these objects.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.dataframe.meta import Meta, index_of, is_unknown_categorical
from restride.collections.dataframe.operations.completeness import can_miss
from restride.collections.dataframe.operations.reductions import one_row


def by_column(meta: Any, column_of: Callable[[Any], Any]) -> Any:
    """An object made column by column, of equally many rows each, with the meta's labels."""
    if isinstance(meta, pd.Series):
        return column_of(meta).rename(meta.name)
    columns = {i: column_of(meta.iloc[:, i]) for i in range(meta.shape[1])}
    frame = pd.DataFrame(columns) if columns else pd.DataFrame(index=pd.RangeIndex(1))
    frame.columns = meta.columns
    return frame


def missing_row(meta: Meta) -> Any:
    """One row in which all is missing that can be."""
    return by_column(meta, lambda empty: one_missing(empty) if can_miss(empty.dtype) else one_row(empty))


def one_missing(empty: Any) -> Any:
    """A series of a meta's dtype with one missing value."""
    return pd.Series([None], dtype=object).astype(empty.dtype).rename(empty.name)


def ordinary_row(meta: Meta) -> Any:
    """One row of whatever values, of which none is an integer where the dtype has others."""
    return by_column(meta, _ordinary)


def _ordinary(empty: pd.Series) -> pd.Series:
    is_float = isinstance(empty.dtype, np.dtype) and empty.dtype.kind == "f"
    return pd.Series([0.5], dtype=empty.dtype) if is_float else one_row(empty)


def extreme_rows(meta: Meta) -> Any:
    """Two rows: the least and the greatest integers there are, anything in columns of other dtypes."""
    return by_column(meta, _extremes)


def _extremes(empty: Any) -> Any:
    dtype: Any = empty.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return pd.Series([limits.min, limits.max], dtype=dtype)
    return pd.concat([one_row(empty)] * 2, ignore_index=True)


def rows_with(meta: Meta, values: Sequence[Any]) -> Any:
    """A row for each of some values, in columns of whose dtype it is; other columns have anything there."""
    return by_column(meta, lambda empty: _with_values(empty, values))


def _with_values(empty: pd.Series, values: Sequence[Any]) -> pd.Series:
    rest = one_row(empty)
    found = [rest]
    for value in values:
        try:
            one = pd.Series([value], dtype=empty.dtype)
            same = one.isna().iloc[0] or bool(one.iloc[0] == value)
        except (TypeError, ValueError, OverflowError):
            same = False
        found.append(one if same else rest)
    return pd.concat(found, ignore_index=True).astype(empty.dtype)


def made_of(function: Callable[[Any], Any], sample: Any, meta: Any) -> Any:
    """The meta of what a function of pandas' makes of a sample; columns without known categories stay as they are."""
    made = function(sample)
    empty = made.iloc[:0].set_axis(index_of(meta), axis=0)
    if isinstance(empty, pd.Series):
        return meta.astype(meta.dtype) if is_unknown_categorical(meta.dtype) else empty
    return empty
