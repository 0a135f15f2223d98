"""Divisions that are not known, found out: the first and the last label of each partition, which is computed for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from restride.collections.blocks import Blocks
from restride.collections.dataframe.expr import Divisions, FrameExpr, ScalarExpr, Wanted
from restride.collections.dataframe.kernels.ranges import Ranges, ValueRange
from restride.collections.dataframe.operations.partitions import TakePartitions
from restride.collections.dataframe.operations.selection import index, narrow
from restride.collections.dataframe.partition import Partition, index_to_pandas


@dataclass(frozen=True, eq=False, repr=False)
class Ends(ScalarExpr):
    """For each partition of an index whether it is sorted, its first and its last label; None for one without rows."""

    frame: FrameExpr

    def blocks(self, *children: Blocks) -> Blocks:
        return self.frame.by_partition(EndsOfPartition(self.frame.meta), *children)


@dataclass(frozen=True)
class EndsOfPartition:
    """Kernel: whether a partition's labels are sorted, the first and the last of them."""

    meta: Any
    __name__ = "ends"

    def __call__(self, partition: Partition) -> tuple[bool, Any, Any] | None:
        labels = index_to_pandas(partition, self.meta)
        return (labels.is_monotonic_increasing, labels[0], labels[-1]) if len(labels) else None


@dataclass(frozen=True, eq=False, repr=False)
class WithDivisions(FrameExpr):
    """A frame whose divisions have been found out."""

    frame: FrameExpr
    found: Divisions

    def _divisions(self) -> Divisions:
        return self.found

    def value_ranges(self, place: int) -> Ranges | None:
        """A label may be the last of one partition and the first of the next."""
        if place != self.layout.n_columns:
            return None
        return tuple(ValueRange(low, high) for low, high in pairwise(self.found))

    def narrowed(self, wanted: Wanted) -> FrameExpr:
        return WithDivisions(narrow(self.frame, wanted), self.found)

    def blocks(self, *children: Blocks) -> Blocks:
        return children[0]


def ends(frame: FrameExpr) -> Ends:
    """What tells the divisions of a frame; only its index is computed."""
    return Ends(index(frame))


def with_divisions(frame: FrameExpr, found: Sequence[tuple[bool, Any, Any] | None]) -> FrameExpr:
    """A frame with the divisions that its `ends` tell; partitions without rows are left out.

    Raises
    ------
    ValueError
        The labels are not sorted.
    """
    numbers = [number for number, end in enumerate(found) if end is not None]
    there = [end for end in found if end is not None]
    if not there:
        return TakePartitions(frame, (0,))
    lasts = [last for _, _, last in there]
    firsts = [first for _, first, _ in there]
    if not all(is_sorted for is_sorted, _, _ in there) or any(b < a for a, b in zip(lasts, firsts[1:])):
        raise ValueError("the index is not sorted; sort_index(), or set_index(column), sorts by it")
    if len(numbers) < frame.npartitions:
        frame = TakePartitions(frame, tuple(numbers))
    return WithDivisions(frame, (*firsts, lasts[-1]))
