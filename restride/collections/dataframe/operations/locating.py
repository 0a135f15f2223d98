"""Rows by label and by position.

Slices are filters: by the labels, or by the numbers of rows, of the partitions that can have any of them. Lists are
gathered into one partition, in the order of the list.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from restride.collections.dataframe.expr import FrameExpr, Wanted
from restride.collections.dataframe.meta import labels_of
from restride.collections.dataframe.operations.partitions import TakePartitions
from restride.collections.dataframe.operations.places import index_as_series
from restride.collections.dataframe.operations.reductions import count_rows
from restride.collections.dataframe.operations.rowwise import Assign, Filter, Rowwise, StoreIndex, labelled
from restride.collections.dataframe.operations.selection import Project, index, kind_of, without_index
from restride.collections.dataframe.operations.tree import Reduced, ReducedScalar, Steps
from restride.collections.dataframe.partition import Partition, concat, from_pandas, index_to_pandas, to_pandas

_MASK = pd.Series([], dtype=bool)


def between_labels(frame: FrameExpr, start: Any, stop: Any) -> FrameExpr:
    """The rows of which the labels are from `start` to `stop`, both included; None for no limit."""
    frame = labelled(frame)
    labels = frame.meta.index
    # pandas' own rules about what a label stands for, such as "2024-02" among dates; there is no public name for them
    first, last = (
        None if label is None else labels._maybe_cast_slice_bound(label, side)
        for label, side in ((start, "left"), (stop, "right"))
    )
    if frame.known_divisions:
        low, high = divisions_between(frame.divisions, first, last)
        frame = TakePartitions(frame, tuple(range(low, high)))
    if first is None and last is None:
        return frame
    mask = Rowwise(LabelsBetween(first, last), (index_as_series(index(frame)),), declared=_MASK)
    return Filter(frame, mask)


def divisions_between(divisions: Sequence[Any], first: Any, last: Any) -> tuple[int, int]:
    """The first of the partitions that can have labels from `first` to `last`, and the one after the last of them."""
    starts = list(divisions[:-1])
    low = 0 if first is None else max(bisect_right(starts, first) - 1, 0)
    high = len(starts) if last is None else bisect_right(starts, last)
    if first is not None and first > divisions[-1]:
        low = len(starts) - 1
    return low, max(high, low + 1)


def partitions_of_labels(divisions: Sequence[Any], labels: Sequence[Any]) -> list[int]:
    """The partitions that can have some labels.

    Raises
    ------
    KeyError
        A label is less than the least, or greater than the greatest.
    """
    starts = list(divisions[:-1])
    outside = [label for label in labels if label < divisions[0] or label > divisions[-1]]
    if outside:
        raise KeyError(f"{outside} not in index")
    return sorted({bisect_right(starts, label) - 1 for label in labels})


@dataclass(frozen=True)
class LabelsBetween:
    """Kernel: whether labels are between two, both included."""

    first: Any
    last: Any
    __name__ = "loc"

    def __call__(self, labels: pd.Series) -> pd.Series:
        found = pd.Series(True, index=labels.index)
        if self.first is not None:
            found &= labels >= self.first
        if self.last is not None:
            found &= labels <= self.last
        return found.astype(bool)


def labels_listed(frame: FrameExpr, labels: pd.Index) -> FrameExpr:
    """The rows of some labels, in their order, in one partition; a label that no row has is a KeyError of the tasks."""
    frame = labelled(frame)
    if frame.known_divisions and len(labels):
        frame = TakePartitions(frame, tuple(partitions_of_labels(frame.divisions, labels.tolist())))
    return gathered(frame, HasLabel(frame.meta, labels), InLabelOrder(frame.meta, labels), "loc")


def gathered(frame: FrameExpr, chooses: Callable[..., Any], orders: Any, word: str) -> FrameExpr:
    """Rows that a kernel chooses, in one partition, ordered by another."""
    return Reduced(frame, Steps(chooses, ConcatRows(frame.meta), orders), orders.meta, word)


@dataclass(frozen=True)
class HasLabel:
    """Kernel: the rows of a partition with one of some labels."""

    of: Any
    labels: pd.Index
    __name__ = "loc"

    def __call__(self, partition: Partition) -> Partition:
        return rows_where(partition, index_to_pandas(partition, self.of).isin(self.labels))


@dataclass(frozen=True)
class ConcatRows:
    """Kernel: rows of several partitions in one."""

    of: Any
    __name__ = "concat"

    def __call__(self, *partitions: Partition) -> Partition:
        return concat(partitions, self.of)


@dataclass(frozen=True)
class InLabelOrder:
    """Kernel: rows in the order of some labels."""

    meta: Any
    labels: pd.Index
    __name__ = "loc"

    def __call__(self, partition: Partition) -> Partition:
        value = to_pandas(partition, self.meta)
        return from_pandas(value.loc[self.labels], self.meta)


def rows_where(partition: Partition, true: np.ndarray) -> Partition:
    """The rows of a partition where an array is true."""
    if isinstance(partition, pa.Table):
        return partition.take(pa.array(np.flatnonzero(true)))
    return partition[true]


# ---- by position ----------------------------------------------------------------------------------------------------


def row_numbers(frame: FrameExpr) -> FrameExpr:
    """The numbers of a frame's rows, as a series without labels."""
    return index_as_series(index(StoreIndex(without_index(frame))))


def sliced(frame: FrameExpr, start: int | None, stop: int | None, step: int | None) -> FrameExpr:
    """Rows from a position to another, with a step, which is positive; positions may count from the end."""
    numbers = row_numbers(frame)
    frame = labelled(frame)
    total: Any = frame.length
    if frame.lengths is not None:
        bounds = slice(start, stop, step).indices(total)
        ends = np.cumsum(frame.lengths)
        low = min(int(np.searchsorted(ends, bounds[0], side="right")), frame.npartitions - 1)
        high = max(bisect_left(ends.tolist(), bounds[1]) + 1, low + 1)
        chosen = tuple(range(low, min(high, frame.npartitions)))
        frame, numbers = TakePartitions(frame, chosen), TakePartitions(numbers, chosen)
    elif (start or 0) < 0 or (stop or 0) < 0:
        total = count_rows(frame)
    mask = Rowwise(PositionsIn(start, stop, step), (numbers, 0 if total is None else total), declared=_MASK)
    return Filter(frame, mask)


@dataclass(frozen=True)
class PositionsIn:
    """Kernel: whether numbers of rows are in a slice of so many."""

    start: int | None
    stop: int | None
    step: int | None
    __name__ = "iloc"

    def __call__(self, numbers: pd.Series, total: int) -> pd.Series:
        start = self.start or 0
        start = max(start + total, 0) if start < 0 else start
        stop = self.stop + total if self.stop is not None and self.stop < 0 else self.stop
        found = numbers >= start
        if stop is not None:
            found &= numbers < stop
        if self.step is not None and self.step > 1:
            found &= (numbers - start) % self.step == 0
        return found


def positions_listed(frame: FrameExpr, positions: Sequence[int]) -> FrameExpr:
    """The rows at some positions, in their order, in one partition; one beyond the end is an IndexError."""
    numbers, total = row_numbers(frame), frame.length
    frame = labelled(frame)
    if total is not None:
        check_positions(positions, total)
        positions = [position + total if position < 0 else position for position in positions]
    elif min(positions, default=0) < 0:
        raise NotImplementedError("rows counted from the end; use tail, or a slice")
    n = frame.layout.n_columns
    columns = Project(frame, Wanted(tuple(range(n)), frame.has_index), "frame")
    wide: FrameExpr = Assign(columns, (n,), (("row", n),), (numbers,))
    if wide.lengths is not None and positions:
        ends = np.cumsum(wide.lengths)
        chosen = sorted(set(np.searchsorted(ends, np.asarray(positions), side="right").tolist()))
        wide = TakePartitions(wide, tuple(chosen))
    listed = np.asarray(positions, np.int64)
    return gathered(wide, AtPosition(wide.meta, listed), InPositionOrder(wide.meta, frame.meta, listed), "iloc")


def check_positions(positions: Sequence[int], total: int) -> None:
    """Raise IndexError, as pandas does, for a position that there is not among so many."""
    if any(not -total <= position < total for position in positions):
        raise IndexError("positional indexers are out-of-bounds")


@dataclass(frozen=True, eq=False)
class AtPosition:
    """Kernel: the rows of a partition at some positions of the frame, of which the last column has the numbers."""

    of: Any
    positions: np.ndarray
    __name__ = "iloc"

    def __call__(self, partition: Partition) -> Partition:
        return rows_where(partition, np.isin(_numbers(partition, self.of), self.positions))


@dataclass(frozen=True, eq=False)
class InPositionOrder:
    """Kernel: rows in the order of some positions, without the column of their numbers."""

    of: Any
    meta: Any
    positions: np.ndarray
    __name__ = "iloc"

    def __call__(self, partition: Partition) -> Partition:
        places = pd.Index(_numbers(partition, self.of)).get_indexer(pd.Index(self.positions))
        if (places < 0).any():
            raise IndexError("positional indexers are out-of-bounds")
        value = to_pandas(partition, self.of).iloc[places, :-1]
        return from_pandas(value.iloc[:, 0] if kind_of(self.meta) == "series" else value, self.meta)


def _numbers(partition: Partition, meta: Any) -> np.ndarray:
    last = len(labels_of(meta)) - 1
    column = partition.column(last) if isinstance(partition, pa.Table) else partition.iloc[:, last]
    return np.asarray(column.to_numpy())


def value_at(series: FrameExpr, position: int) -> ReducedScalar:
    """The value of a series at a position."""
    one = positions_listed(series, [position])
    steps = Steps(OnlyValue(one.meta), _first, _same)
    return ReducedScalar(one, steps, one.meta.dtype, "iloc")


@dataclass(frozen=True)
class OnlyValue:
    """Kernel: the value of a series of one row."""

    meta: Any
    __name__ = "value"

    def __call__(self, partition: Partition) -> Any:
        return to_pandas(partition, self.meta).iloc[0]


def _first(*values: Any) -> Any:
    return values[0]


def _same(value: Any) -> Any:
    return value
