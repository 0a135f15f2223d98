"""Dtypes that depend on the data: where no value turns out to be missing, integers stay integers as they do in pandas.

A column that may lack values because rows have no partner in a merge, or a mapping nothing for them, is of the dtype
for that: float64 for integers, object for truth values. pandas looks whether any is missing. So does `compute`, for
columns that come from there as they are, with all rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from restride.collections.dataframe.expr import FrameExpr, Persisted
from restride.collections.dataframe.operations.no_rows import OfNoRows
from restride.collections.dataframe.operations.partitions import Coalesce
from restride.collections.dataframe.operations.places import Rearrange
from restride.collections.dataframe.operations.rowwise import Assign, StoreIndex
from restride.collections.dataframe.operations.selection import Project, Relabel
from restride.collections.dataframe.operations.shuffle import Shuffle

WHOLE = (Project, Relabel, Rearrange, StoreIndex, Assign, Coalesce, Shuffle)
"""Nodes that have all rows of the frame below."""
EXACT = 2**53
"""Integers up to which floats hold them exactly."""


def settled(expr: FrameExpr, value: Any) -> Any:
    """What `compute` returns of an expression: `value`, with the dtypes that pandas gives these very data."""
    if isinstance(expr, OfNoRows) and not len(value):
        return expr.instead.copy()
    if isinstance(value, pd.Index):
        return value
    if isinstance(value, pd.Series):
        dtype = narrower(expr, 0)
        return value if dtype is None or not _fits(value) else value.astype(dtype)
    for place in range(value.shape[1]):
        dtype = narrower(expr, place)
        if dtype is not None and _fits(value.iloc[:, place]):
            value.isetitem(place, value.iloc[:, place].astype(dtype))
    return value


def narrower(expr: FrameExpr, place: int) -> Any:
    """The dtype that a column has if none of its values is missing; None if that makes no difference."""
    step: tuple[FrameExpr, int] | None = (expr, place)
    while step is not None:
        node, at = step
        if isinstance(node, Persisted):
            step = node.of, at
            continue
        dtype = getattr(node, "narrower", _nothing)(at)
        if dtype is not None or not isinstance(node, WHOLE):
            return dtype
        step = node.value_source(at)
    return None


def _nothing(place: int) -> None:
    return None


def _fits(series: pd.Series) -> bool:
    if series.isna().any():
        return False
    return series.dtype == object or len(series) == 0 or bool(np.abs(series.to_numpy()).max() < EXACT)
