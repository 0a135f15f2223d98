"""The rows with the greatest or least values, as pandas chooses and sorts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.kernels.radix import argsort_end
from restride.collections.dataframe.operations.places import Rearrange
from restride.collections.dataframe.operations.random_rows import take_rows
from restride.collections.dataframe.operations.rowwise import labelled
from restride.collections.dataframe.operations.selection import Project, Relabel
from restride.collections.dataframe.operations.shuffle import RangeShuffle
from restride.collections.dataframe.operations.shuffle_keys import KeyPlace, sort_columns
from restride.collections.dataframe.operations.tree import Reduced, Steps
from restride.collections.dataframe.partition import Partition, concat, to_pandas


@dataclass(frozen=True)
class Extremes:
    """Which rows: those of ``frame.nlargest(n, columns, keep)``, or of ``nsmallest``."""

    method: str
    n: int
    columns: Any
    """Labels; None for a series."""
    keep: str

    def of(self, value: Any, more: int = 0) -> Any:
        """The rows of a pandas object, and some more of the next."""
        columns = () if self.columns is None else (list(self.columns),)
        return getattr(value, self.method)(self.n + more, *columns, keep=self.keep)


@dataclass(frozen=True)
class KeepExtremes:
    """Kernel: the rows of one or several partitions that count, in the order that they are in."""

    extremes: Extremes
    meta: Any
    __name__ = "extremes"

    def __call__(self, *partitions: Partition) -> Partition:
        rows = concat(partitions, self.meta)
        # One more, as pandas has another order of equal values where it has no rows to leave out.
        return take_rows(rows, np.sort(self._numbers(rows, 1)))

    def _numbers(self, rows: Partition, more: int) -> np.ndarray:
        chosen = self.extremes.of(to_pandas(rows, self.meta, index=False), more)
        return np.asarray(chosen.index, np.int64)


class FinishExtremes(KeepExtremes):
    """Kernel: the rows that count, the most extreme first."""

    __name__ = "extremes"

    def __call__(self, *partitions: Partition) -> Partition:
        (rows,) = partitions
        return take_rows(rows, self._numbers(rows, 0))


def extreme_rows(frame: FrameExpr, method: str, n: int, columns: Sequence[Any] | None, keep: str) -> FrameExpr:
    """What ``frame.nlargest(n, columns, keep)``, or ``nsmallest``, is; raises what pandas raises."""
    frame = labelled(frame)
    extremes = Extremes(method, n, None if columns is None else tuple(columns), keep)
    extremes.of(frame.meta)
    kernel = KeepExtremes(extremes, frame.meta)
    return Reduced(frame, Steps(kernel, kernel, FinishExtremes(extremes, frame.meta)), frame.meta, method)


FEW_ROWS = 10_000
"""Rows at an end of a sorted frame that are looked for in each partition, rather than sorted with all others."""
_SAME_ROWS = (Project, Relabel, Rearrange)
"""Nodes that have the rows of the frame below, in its order."""


def ends_of_sorted(frame: FrameExpr, n: int, *, last: bool) -> FrameExpr | None:
    """The first `n` rows, or the last, of what is sorted in several partitions, in one; None of anything else.

    Each partition is sorted by itself, and only its `n` rows at the end go further, so no rows are shuffled.
    """
    nodes = []
    below = frame
    while isinstance(below, _SAME_ROWS):
        nodes.append(below)
        below = below.frame
    if not isinstance(below, RangeShuffle) or not below.sort or below.n == 1 or below.known or n > FEW_ROWS:
        return None
    kernel = SortedEnd(below.frame.meta, below.by, n, last)
    made: FrameExpr = Reduced(below.frame, Steps(kernel, kernel, _same), below.meta, "sort")
    for node in reversed(nodes):
        made = node.with_children([made])  # type: ignore[assignment]
    return made


@dataclass(frozen=True)
class SortedEnd:
    """Kernel: the first rows, or the last, of one or several partitions in the order of keys, sorted.

    It costs a pass over the keys of each partition, and a sort of some rows of each.
    """

    meta: Any
    by: tuple[KeyPlace, ...]
    n: int
    last: bool
    __name__ = "sort"

    def __call__(self, *partitions: Partition) -> Partition:
        rows = concat(partitions, self.meta)
        keys = [place.key for place in self.by]
        return take_rows(rows, argsort_end(sort_columns(rows, self.meta, self.by), keys, self.n, last=self.last))


def _same(partition: Partition) -> Partition:
    return partition
