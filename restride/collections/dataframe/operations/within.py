"""Rows by ranges of a column, where it is known which partitions have values of which: only those are looked at.

Files that are sorted, or written day by day, are like that, and so is what has been sorted by its index. What a range
has all values of stays as it is; of other partitions the rows that lie in it are cut out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from restride.collections.blocks import Blocks, Gather, Map, Select
from restride.collections.dataframe.expr import FrameExpr, NewRows, Wanted
from restride.collections.dataframe.kernels.ranges import Ranges, ValueRange, can_be_cut, overlaps, rows_in
from restride.collections.dataframe.operations.known_ranges import partition_ranges
from restride.collections.dataframe.operations.partitions import ConcatPartitions
from restride.collections.dataframe.operations.places import dtypes_of
from restride.collections.dataframe.operations.selection import narrow
from restride.collections.dataframe.operations.shuffle_keys import key_labels
from restride.collections.dataframe.partition import Partition


@dataclass(frozen=True, eq=False, repr=False)
class RowsWithin(NewRows):
    """The rows of a frame whose values at a place lie in ranges, a partition for each of these.

    Rows of a partition are in the order that they are in before; a row may be in several, or in none.
    """

    frame: FrameExpr
    place: int
    have: Ranges
    """Of the partitions of the frame."""
    wanted: Ranges
    """Of the new ones."""

    @property
    def label(self) -> str:
        return "ranges"

    @property
    def detail(self) -> str:
        return f" of {key_labels(self.frame, (self.place,))}, cut where partitions overlap"

    def identity(self) -> Iterable[Any]:
        return [self.frame, self.place, repr(self.have), repr(self.wanted)]

    def _npartitions(self) -> int:
        return len(self.wanted)

    def value_source(self, place: int) -> tuple[FrameExpr, int]:
        return self.frame, place

    def value_ranges(self, place: int) -> Ranges | None:
        return self.wanted if place == self.place else None

    def narrowed(self, wanted: Wanted) -> FrameExpr | None:
        """The place is needed in any case."""
        n_columns, place = self.layout.n_columns, self.place
        columns = tuple(dict.fromkeys((*wanted.columns, *([place] if place < n_columns else []))))
        index = wanted.index or place >= n_columns
        if len(columns) == n_columns and index == self.has_index:
            return None
        at = columns.index(place) if place < n_columns else len(columns) + place - n_columns
        new = self.replace(frame=narrow(self.frame, Wanted(columns, index)), place=at)
        if columns == wanted.columns and index == wanted.index:
            return new
        return narrow(new, Wanted(tuple(range(len(wanted.columns))), wanted.index))

    def blocks(self, *children: Blocks) -> Blocks:
        """A task for each cut, one for each new partition of several parts; none where partitions stay as they are."""
        (partitions,) = children
        found = overlaps(self.wanted, self.have)
        assert found is not None, "ranges that cannot be compared"
        common, whole = found
        common[~common.any(axis=1), 0] = True  # a partition without rows is cut out of some partition
        new, old = np.nonzero(common)
        cut = np.flatnonzero(~whole[new, old])
        parts = Map(
            n=len(cut), inputs=(partitions,), index=(old[cut],), kernel=CutRange(self.place), name=f"{self.label}-cut",
            params=[self.wanted[number] for number in new[cut].tolist()], origin=self.origin,
        )  # fmt: skip
        table = old.copy()
        table[cut] = partitions.n + np.arange(len(cut))
        every_part = Select(n=len(table), inputs=(partitions, parts), table=table)
        n = len(self.wanted)
        if len(table) == n:
            return every_part
        starts = np.searchsorted(new, np.arange(n + 1))
        return Gather(
            n=n, inputs=(every_part,), kernel=ConcatPartitions(self.meta), indptr=starts,
            indices=np.arange(len(table)), name=self.label, origin=self.origin,
        )  # fmt: skip


@dataclass(frozen=True)
class CutRange:
    """Kernel: the rows of a partition that lie in a range; rows in a row, as those of sorted ones, are not copied."""

    place: int
    __name__ = "cut"

    def __call__(self, wanted: ValueRange | None, partition: pa.Table) -> Partition:
        if wanted is None:
            return partition.slice(0, 0)
        rows = np.flatnonzero(rows_in(partition.column(self.place), wanted))
        if not len(rows):
            return partition.slice(0, 0)
        first, stop = int(rows[0]), int(rows[-1]) + 1
        if stop - first == len(rows):
            return partition.slice(first, len(rows))
        return pc.take(partition, pa.array(rows), boundscheck=False)


def ranges_to_cut(frame: FrameExpr, place: int) -> Ranges | None:
    """Between which values each partition has what is at a place, if rows can be cut out by them; else None."""
    dtype: Any = dtypes_of(frame.meta)[place]
    if frame.layout.opaque or isinstance(dtype, pd.CategoricalDtype) or not can_be_cut(frame.layout.types[place]):
        return None
    return partition_ranges(frame, place)


def are_neighbours(asked: Ranges, have: Ranges) -> bool:
    """Whether each range has values in common with few of the others, so that cutting takes less than a shuffle.

    Of two lists of ranges that follow each other each meets about as many as there are to one of it, and one more at
    either end.
    """
    found = overlaps(asked, have)
    if found is None or not found[0].size:
        return False
    n, m = found[0].shape
    by_asked, by_have = (found[0].sum(axis) for axis in (1, 0))
    return bool(by_asked.max() <= 1.5 * m / n + 2 and by_have.max() <= 1.5 * n / m + 2)


def apart(have: Ranges, *, nulls_first: bool = True) -> Ranges | None:
    """Ranges without values in common that together have all values, of about as many rows as partitions have.

    They ascend; missing values are in the first, or in the last. None where partitions have values of too many of them:
    those had better be shuffled.
    """
    there = [one for one in have if one is not None]
    if any(one.least is None for one in there):
        return None
    try:
        lows = sorted(one.least for one in there)
    except TypeError:
        return None
    lows = [low for number, low in enumerate(lows) if number == 0 or low != lows[number - 1]]
    if len(lows) < 2:
        return None
    ends = [None, *lows[1:], None]
    with_nulls = 0 if nulls_first else len(lows) - 1
    wanted = tuple(
        ValueRange(low, high, number == with_nulls, high is not None)
        for number, (low, high) in enumerate(pairwise(ends))
    )
    return wanted if are_neighbours(wanted, have) else None


def by_values(frame: FrameExpr, on: Sequence[int]) -> RowsWithin | None:
    """A frame with rows of equal values at some places in one partition; None where ranges do not tell how."""
    for place in on:
        have = ranges_to_cut(frame, place)
        wanted = None if have is None else apart(have)
        if have is not None and wanted is not None:
            return RowsWithin(frame, place, have, wanted)
    return None
