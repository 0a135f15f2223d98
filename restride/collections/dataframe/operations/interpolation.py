"""Missing values between two that are there, on the line between these, which may be in other partitions.

A partition has to know of each column the last value that is there before it, the first one after it, and where these
are: which is carried from partition to partition both ways.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from restride.collections.blocks import Blocks
from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.meta import column_dtypes, series_of
from restride.collections.dataframe.operations.column_by_column import ColumnByColumn
from restride.collections.dataframe.operations.reductions import is_numeric, one_row
from restride.collections.dataframe.operations.rowwise import labelled
from restride.collections.dataframe.partition import Partition, from_pandas, to_pandas

Floats = np.ndarray[Any, np.dtype[np.float64]]


class Known(NamedTuple):
    """A value that is there."""

    row: int
    """Its number among all rows, or those of its partition."""
    label: float
    """The label of its row as a number; its number, where labels do not count."""
    value: Any
    """An array of the one value."""


class Ends(NamedTuple):
    """Of a partition the first and the last value of each column that are there; None where all are missing."""

    n: int
    first: list[Known | None]
    last: list[Known | None]


class Around(NamedTuple):
    """What a partition has to know of all others."""

    start: int
    """The number of its first row."""
    before: list[Known | None]
    after: list[Known | None]


@dataclass(frozen=True, eq=False, repr=False)
class Interpolate(ColumnByColumn):
    """Missing values of each column on lines between those that are there."""

    any_partitions = True

    frame: FrameExpr
    by_label: bool
    """Whether distances are those of labels; otherwise they are those of rows."""
    limit: int | None
    direction: str
    """forward, backward or both."""
    area: str | None
    """inside, outside or None for both."""
    of_meta: Any

    @property
    def looks_at_no_more(self) -> bool:
        return not self.by_label

    def blocks(self, *children: Blocks) -> Blocks:
        ends = self.by_partition(EndsOf(self.frame.meta, self.by_label), children[0])
        filled = Filled(self.limit, self.direction, self.area)
        kernel = InterpolateBetween(self.frame.meta, self.by_label, filled, self.meta)
        return self.carried_blocks(ends, carry, kernel, children[0])


@dataclass(frozen=True)
class EndsOf:
    """Kernel: the first and the last values of a partition that are there."""

    meta: Any
    by_label: bool
    __name__ = "interpolate-ends"

    def __call__(self, partition: Partition) -> Ends:
        value = to_pandas(partition, self.meta, index=self.by_label)
        labels = _labels(value, self.by_label)
        found = [(column, np.flatnonzero(column.notna().to_numpy())) for column in series_of(value)]
        first, last = (
            [_known(column, labels, there[at]) if len(there) else None for column, there in found] for at in (0, -1)
        )
        return Ends(len(value), first, last)


def _known(column: pd.Series, labels: Floats, row: Any) -> Known:
    return Known(int(row), float(labels[row]), column.array[[int(row)]])


def _labels(value: Any, by_label: bool) -> Floats:
    if not by_label:
        return np.arange(len(value), dtype=np.float64)
    index = value.index
    numbers = index.asi8 if isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)) else index.to_numpy()
    labels: Floats = numbers.astype(np.float64)
    return labels


def carry(*ends: Ends) -> list[Around]:
    """Kernel: for each partition the values around it."""
    starts = np.cumsum([0, *(end.n for end in ends[:-1])]).tolist()
    befores = _carried([end.last for end in ends], starts)
    afters = _carried([end.first for end in reversed(ends)], starts[::-1])[::-1]
    return [Around(*around) for around in zip(starts, befores, afters)]


def _carried(ends: Sequence[list[Known | None]], starts: Sequence[int]) -> list[list[Known | None]]:
    """For each partition what was last known of each column before it, by the numbers of all rows."""
    known: list[Known | None] = [None] * len(ends[0])
    carried = [known]
    for end, start in zip(ends[:-1], starts):
        known = [old if new is None else new._replace(row=start + new.row) for old, new in zip(known, end)]
        carried.append(known)
    return carried


@dataclass(frozen=True)
class Filled:
    """Which missing values are filled."""

    limit: int | None
    direction: str
    area: str | None

    def __call__(self, since: Floats, until: Floats) -> Any:
        """By the numbers of rows since the last value that is there, and until the next one."""
        limit = np.inf if self.limit is None else self.limit
        forward, backward = ((distance <= limit) & np.isfinite(distance) for distance in (since, until))
        filled = {"forward": forward, "backward": backward, "both": forward | backward}[self.direction]
        inside = np.isfinite(since) & np.isfinite(until)
        return filled & (inside if self.area == "inside" else ~inside if self.area == "outside" else True)


@dataclass(frozen=True)
class InterpolateBetween:
    """Kernel: the missing values of a partition, given the values around it; some passes over each column."""

    of: Any
    by_label: bool
    filled: Filled
    meta: Any
    __name__ = "interpolate"

    def __call__(self, number: int, carried: list[Around], partition: Partition) -> Partition:
        start, *around = carried[number]
        value = to_pandas(partition, self.of, index=self.by_label)
        labels = _labels(value, self.by_label)
        columns = [column.reset_index(drop=True) for column in series_of(value)]
        made = {
            i: self._of(column, labels, start, before, after).astype(dtype)
            for i, (column, before, after, dtype) in enumerate(zip(columns, *around, column_dtypes(self.meta)))
        }
        result = made[0] if isinstance(self.meta, pd.Series) else pd.DataFrame(made, index=pd.RangeIndex(len(value)))
        return from_pandas(result, self.meta, rows_of=partition, rows_meta=self.of)

    def _of(
        self, column: pd.Series, labels: Floats, start: int, before: Known | None, after: Known | None
    ) -> pd.Series:
        there = column.notna().to_numpy()
        if there.all() or not (there.any() or before or after):
            return column
        rows = np.arange(start, start + len(column), dtype=np.float64)
        since = rows - np.maximum.accumulate(np.where(there, rows, before.row if before else -np.inf))
        until = np.minimum.accumulate(np.where(there, rows, after.row if after else np.inf)[::-1])[::-1] - rows
        drawn = self._lines(column, labels if self.by_label else rows, before, after)
        return drawn.where(self.filled(since, until) | there)

    def _lines(self, column: pd.Series, at: Floats, before: Known | None, after: Known | None) -> pd.Series:
        """The column with all missing values filled, as if there were no limit."""
        head, tail = ([] if known is None else [known] for known in (before, after))
        places = [[known.label if self.by_label else known.row for known in side] for side in (head, tail)]
        labels = np.concatenate([places[0], at, places[1]])
        if self.by_label and bool((labels[1:] < labels[:-1]).any()):
            raise ValueError("interpolate by labels needs these in order: use sort_index first")
        sides = [[pd.Series(known.value) for known in side] for side in (head, tail)]
        both = _on_lines(pd.concat([*sides[0], column, *sides[1]]), labels)
        return both.iloc[len(head) : len(head) + len(column)].reset_index(drop=True)


def _on_lines(column: pd.Series, at: Floats) -> pd.Series:
    """A column with its missing values on lines between the others; before and after these as the next one."""
    there = column.notna().to_numpy()
    times = column.dtype.kind in "mM"
    numbers = column.array.asi8.copy() if times else column.to_numpy(np.float64, na_value=np.nan).copy()
    numbers[~there] = np.interp(at[~there], at[there], numbers[there])
    return pd.Series(pd.array(numbers, dtype=column.dtype) if times else numbers)


def interpolate(frame: FrameExpr, method: str, limit: int | None, direction: str | None, area: str | None) -> FrameExpr:
    """What ``frame.interpolate(method)`` is, for the methods that draw straight lines.

    Raises
    ------
    ValueError, TypeError, NotImplementedError
        As pandas has it, for columns that are no numbers, and what labels cannot be.
    """
    by_label = method != "linear"
    if method == "time" and not isinstance(frame.meta.index, pd.DatetimeIndex):
        raise ValueError("time-weighted interpolation only works on Series or DataFrames with a DatetimeIndex")
    labels = frame.meta.index
    if by_label and (labels.nlevels > 1 or not (is_numeric(labels.dtype) or labels.dtype.kind in "mM")):
        raise ValueError(f"interpolate(method={method!r}) needs an index of numbers or times, not of {labels.dtype}")
    made = one_row(frame.meta).interpolate(limit=limit, limit_direction=direction, limit_area=area)
    meta = made.iloc[:0].set_axis(labels, axis=0)
    return Interpolate(labelled(frame) if by_label else frame, by_label, limit, direction or "forward", area, meta)
