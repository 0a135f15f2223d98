"""Rows by a list of labels: those that the frame has, and rows of missing values for others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.dataframe.expr import FrameExpr, Wanted
from restride.collections.dataframe.meta import Meta, column_dtypes, series_of
from restride.collections.dataframe.operations.alignment import aligned
from restride.collections.dataframe.operations.merge.asof import AsofMerge, merge_asof
from restride.collections.dataframe.operations.places import index_as_series
from restride.collections.dataframe.operations.reductions import one_row
from restride.collections.dataframe.operations.rowwise import Assign, Constant, Method, labelled, rowwise
from restride.collections.dataframe.operations.selection import (
    Project,
    Relabel,
    index,
    kind_of,
    without_index,
)

NEAREST = {
    "ffill": "backward",
    "pad": "backward",
    "bfill": "forward",
    "backfill": "forward",
    "nearest": "nearest_after",
}
"""For each method the side on which rows of other labels are looked for."""


def reindexed(frame: FrameExpr, wanted: FrameExpr, fill_value: Any) -> FrameExpr:
    """The rows of a frame by the labels of a series, in their order.

    Parameters
    ----------
    frame : FrameExpr
        No label is there twice.
    wanted : FrameExpr
    fill_value : scalar
        What stands in rows that the frame lacks.
    """
    if pd.isna(fill_value):
        return aligned([wanted, frame], "left")[1]
    width = frame.layout.n_columns
    # Integers with rows that are missing are floats otherwise, which do not hold all integers.
    numbered = _numbered(frame)
    nullable = {i: _nullable(dtype) for i, dtype in enumerate(column_dtypes(frame.meta)) if _is_plain(dtype)}
    wide = rowwise(Method("astype"), numbered, nullable) if nullable else numbered
    wide = Assign(wide, (width,), (width,), (without_index(Constant(wide, 1)),))
    _, found = aligned([wanted, wide], "left")
    made = one_row(frame.meta).set_axis([0], axis=0).reindex([0, 1], fill_value=fill_value).iloc[:0]
    return rowwise(FillRows(fill_value, made), found, declared=made.set_axis(found.meta.index, axis=0))


def _is_plain(dtype: Any) -> bool:
    """Whether values of a dtype cannot be missing."""
    return isinstance(dtype, np.dtype) and dtype.kind in "biu"


def _nullable(dtype: Any) -> Any:
    """The dtype of the same numbers that may be missing."""
    return pd.array(np.zeros(0, dtype)).dtype


def _numbered(frame: FrameExpr) -> FrameExpr:
    """A frame, or a series as a frame, whose columns are labelled by numbers."""
    as_frame = Project(labelled(frame), Wanted(tuple(range(frame.layout.n_columns)), True), "frame")
    return Relabel(as_frame, as_frame.meta.set_axis(range(frame.layout.n_columns), axis=1))


@dataclass(frozen=True)
class FillRows:
    """Kernel: rows that were found, and a value in those that were not, of which the last column is missing."""

    value: Any
    meta: Any
    __name__ = "reindex"

    def __call__(self, found: pd.DataFrame) -> Any:
        there = found.iloc[:, -1].notna()
        dtypes = column_dtypes(self.meta)
        columns = {
            i: _filled(column, there, self.value, dtype)
            for i, (column, dtype) in enumerate(zip(series_of(found.iloc[:, :-1]), dtypes))
        }
        if isinstance(self.meta, pd.Series):
            return columns[0].rename(self.meta.name)
        return pd.DataFrame(columns, index=found.index).set_axis(self.meta.columns, axis=1)


def _filled(column: pd.Series, there: pd.Series, value: Any, dtype: Any) -> pd.Series:
    column = column.astype(_nullable(dtype) if _is_plain(dtype) else dtype)
    return column.where(there, value).astype(dtype)


@dataclass(frozen=True)
class AtMost:
    """Kernel: rows that were found, but those that are too many labels away.

    The first column has the number of the label that was looked for, the last the label that was found.
    """

    labels: pd.Index
    """All that were looked for, in order."""
    n: int
    method: str
    __name__ = "reindex-limit"

    def __call__(self, found: pd.DataFrame) -> pd.DataFrame:
        number, own = found.iloc[:, 0].to_numpy(), pd.Index(found.iloc[:, -1].fillna(self.labels[0]))
        if NEAREST[self.method] == "backward":
            away = number + 1 - self.labels.searchsorted(own, "right")
        else:
            away = self.labels.searchsorted(own, "left") - number
        columns = found.iloc[:, 1:-1]
        return columns.where(np.broadcast_to((away <= self.n)[:, None], columns.shape))


def reindexed_nearest(
    frame: FrameExpr, wanted: FrameExpr, method: str, *, tolerance: Any = None, limit: AtMost | None = None
) -> FrameExpr:
    """The rows by the labels of a series, and for those that it lacks the row of a label near by.

    Both have their labels in order.

    Parameters
    ----------
    frame : FrameExpr
    wanted : FrameExpr
        The number of each label.
    method : str
        One of `NEAREST`.
    tolerance : number or Timedelta, optional
        How far away a label may be.
    limit : AtMost, optional
        To how many labels in a row it may go.
    """
    n = frame.layout.n_columns
    left: FrameExpr = Project(wanted, wanted.everything, "frame")
    left = Relabel(left, left.meta.set_axis([-1], axis=1))
    right = _numbered(frame)
    if limit is not None:
        right = Assign(right, (n,), (n,), (index_as_series(index(right)),))
    keys = {"left_index": True, "right_index": True}
    nearness = {"direction": "backward", "allow_exact_matches": True, "tolerance": tolerance}
    joined: FrameExpr = merge_asof(left, right, keys, nearness)
    assert isinstance(joined, AsofMerge)
    joined = joined.replace(nearness=replace(joined.nearness, direction=NEAREST[method]))
    start = 1
    if limit is not None:
        joined, start = rowwise(limit, joined, declared=joined.meta.iloc[:, 1:-1]), 0
    part = Project(joined, Wanted(tuple(range(start, start + n)), True), kind_of(frame.meta))
    meta: Meta = part.meta
    if isinstance(meta, pd.Series):
        return Relabel(part, meta.rename(frame.meta.name))
    return Relabel(part, meta.set_axis(frame.meta.columns, axis=1))
