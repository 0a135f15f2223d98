"""Merges in the order of the keys, where rows without a partner have the last row before them of the other side.

Each side has a column with the numbers of its rows, so that it is known where it has a row: a value that is missing in
its last row is missing in those after it as well, whatever was there before.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.dataframe.expr import FrameExpr, Wanted
from restride.collections.dataframe.meta import column_dtypes
from restride.collections.dataframe.operations.groupby.levels import RowPositions
from restride.collections.dataframe.operations.overlap import map_overlap
from restride.collections.dataframe.operations.rowwise import Assign, Method, Rowwise, rowwise
from restride.collections.dataframe.operations.selection import Project, Relabel, column

MARKS = ("__row_of_left__", "__row_of_right__")
"""Labels of the columns with the numbers of rows."""


def marked(frame: FrameExpr, label: str) -> FrameExpr:
    """A frame with the numbers of its rows as its last column."""
    n = frame.layout.n_columns
    numbers = rowwise(Method("astype"), RowPositions(frame), "Int64")  # floats would not hold them
    return Assign(frame, (n,), (label,), (numbers,))


def filled(merged: FrameExpr, metas: Sequence[pd.DataFrame], keys: Sequence[Hashable]) -> FrameExpr:
    """What was merged of two marked frames, without the marks, each side with its last rows where it has none.

    Parameters
    ----------
    merged : FrameExpr
    metas : pair of DataFrame
        Of the two sides.
    keys : sequence of Hashable
        Labels of columns that are of both sides.
    """
    labels = merged.meta.columns
    marks = [labels.get_loc(mark) for mark in MARKS]
    rows = [column(merged, mark) for mark in marks]
    lasts = [_carried(row) for row in rows]
    right = [dtype for label, dtype in zip(metas[1].columns, column_dtypes(metas[1])) if label not in keys]
    own = [*column_dtypes(metas[0]), None, *right, None]
    made: dict[int, FrameExpr] = {}
    for place, label in enumerate(labels):
        if place not in marks and label not in keys:
            side = int(place > marks[0])
            made[place] = _filled(column(merged, place), rows[side], lasts[side], own[place])
    whole = Assign(merged, tuple(made), tuple(labels[place] for place in made), tuple(made.values()))
    kept = tuple(place for place in range(len(labels)) if place not in marks)
    part = Project(whole, Wanted(kept, merged.has_index), "frame")
    return Relabel(part, part.meta.set_axis(labels.delete(marks), axis=1))


def _filled(values: FrameExpr, row: FrameExpr, last: FrameExpr, dtype: Any) -> FrameExpr:
    there = _carried(rowwise(number_of_those_there, row, values))
    plain = isinstance(dtype, np.dtype) and dtype.kind in "biu"
    return LastRow(where_of_last_row, (_carried(values), there, last), full=dtype if plain else None)


def _carried(series: FrameExpr) -> FrameExpr:
    """A series with missing values as the last that is there."""
    return map_overlap(series, Method("ffill"), None, 0, meta=series.meta, word="ffill", columnwise=True)


def number_of_those_there(row: pd.Series, values: pd.Series) -> pd.Series:
    """Kernel: the numbers of rows that have a value."""
    return row.where(values.notna())


def where_of_last_row(values: pd.Series, row: pd.Series, last: pd.Series) -> pd.Series:
    """Kernel: the values that are of the last row, by the numbers of their rows and of the last ones."""
    return values.where((row == last).fillna(False))


@dataclass(frozen=True, eq=False, repr=False)
class LastRow(Rowwise):
    """Values of the last row of a side."""

    full: Any = None
    """The dtype where no row is without one."""

    def narrower(self, place: int) -> Any:
        """See `full`."""
        return self.full if place == 0 and self.full != self.meta.dtype else None
