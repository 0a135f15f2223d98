"""Partitions with some rows of their neighbours: what windows, shifts and fills need to know beyond their partition.

A context is what a partition knows of all that is before it (or after it): its last rows, or the last value that is
there in each column. Partitions may be shorter than that, and how long they are is mostly not known; so contexts are
made up a tree, as prefix sums are: of those before it in its run of neighbours, and of all the runs before that one.
Where lengths are known, no more partitions are looked at than it takes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.blocks import Blocks, Gather, Map, Select, every
from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.meta import Meta
from restride.collections.dataframe.operations.column_by_column import ColumnByColumn
from restride.collections.dataframe.operations.tree import FAN_IN, gathered, neighbours
from restride.collections.dataframe.partition import Partition, concat, from_pandas, n_rows, to_pandas
from restride.engine.graphs.csr import row_starts

Tail = Callable[[Partition], Partition]
"""Of some rows one after the other, what those after them need to know; of its own result it is the same."""


@dataclass(frozen=True)
class LastRows:
    """Kernel: the last rows of a partition; or the first, for what comes before it."""

    n: int
    first: bool = False
    __name__ = "context"

    def __call__(self, partition: Partition) -> Partition:
        rows = n_rows(partition)
        cut = slice(0, self.n) if self.first else slice(max(rows - self.n, 0), rows)
        if isinstance(partition, (pd.DataFrame, pd.Series)):
            return partition.iloc[cut]
        return partition[cut] if isinstance(partition, pd.Index) else partition.slice(cut.start, self.n)


@dataclass(frozen=True)
class LastValid:
    """Kernel: one row with the last value of each column that is there; or the first, for what comes before it."""

    meta: Any
    first: bool = False
    __name__ = "context"

    def __call__(self, partition: Partition) -> Partition:
        value = to_pandas(partition, self.meta)
        filled = value.bfill().iloc[:1] if self.first else value.ffill().iloc[-1:]
        return from_pandas(filled, self.meta)


@dataclass(frozen=True)
class Joined:
    """Kernel: what is known of runs of rows, those far away first; None is known of nothing."""

    tail: Tail
    meta: Any
    after: bool
    __name__ = "context"

    def __call__(self, *runs: Partition | None) -> Partition | None:
        there = [run for run in runs if run is not None]
        if len(there) < 2:
            return there[0] if there else None
        return self.tail(concat(there[::-1] if self.after else there, self.meta))


def nothing(_: Any = None) -> None:
    """Kernel: what is known where there is nothing."""


def contexts(frame: FrameExpr, partitions: Blocks, tail: Tail, *, after: bool, rows: int | None) -> Blocks:
    """For each partition what is known of those before it, or after it; None where there are none.

    Parameters
    ----------
    rows : int or None
        How many rows are enough to know, if they are.
    """
    n = frame.npartitions
    own = Map(n=n, inputs=(partitions,), kernel=tail, index=(every(n),), name="context", origin=frame.origin)
    kernel = Joined(tail, frame.meta, after)
    if not after:
        return _of_those_before(own, _most(frame, rows), kernel, frame.origin)
    back = every(n)[::-1]
    mirrored = Select(n=n, inputs=(own,), table=back)
    known = _of_those_before(mirrored, _most(frame, rows), kernel, frame.origin)
    return Select(n=n, inputs=(known,), table=back)


def _of_those_before(table: Blocks, most: int, kernel: Joined, origin: str | None) -> Blocks:
    """For each block what a kernel makes of up to `most` blocks before it, at least."""
    n = table.n
    numbers = np.arange(n)
    far: Blocks = Map(n=1, kernel=nothing, name="context", free=True)
    if most < 2:
        return Select(n=n, inputs=(table, far), table=np.append(n, numbers[:-1]))
    starts, furthest = np.maximum(numbers - most, 0), np.full(n, n)
    if most > FAN_IN:
        runs = gathered(table, neighbours(n, FAN_IN), kernel, "context", origin)
        far = _of_those_before(runs, -(-most // FAN_IN), kernel, origin)
        starts, furthest = numbers // FAN_IN * FAN_IN, n + numbers // FAN_IN
    indptr = row_starts(numbers - starts + 1)
    indices = np.arange(indptr[-1]) - np.repeat(indptr[:-1] + 1 - starts, np.diff(indptr))
    indices[indptr[:-1]] = furthest
    both = Select(n=n + far.n, inputs=(table, far), table=every(n + far.n))
    return Gather(
        n=n, inputs=(both,), kernel=kernel, indptr=indptr, indices=indices, name="context", origin=origin
    )  # fmt: skip


def _most(frame: FrameExpr, rows: int | None) -> int:
    """How many partitions before one it must know of."""
    n = frame.npartitions - 1
    if rows is None or frame.lengths is None:
        return n
    lengths = sorted(frame.lengths)
    together, most = 0, 0
    while most < n and together < rows:
        together += lengths[most]
        most += 1
    return max(most, 1) if n else 0


@dataclass(frozen=True, eq=False, repr=False)
class MapOverlap(ColumnByColumn):
    """What a function makes of each partition together with rows of its neighbours, of which the result is trimmed.

    The function gets pandas objects, labels included, and gives a row for each row.
    """

    any_partitions = True

    frame: FrameExpr
    function: Callable[..., Any]
    before: int | None
    """How many rows before a partition the function sees; None for the last value of each column."""
    after: int | None
    kwargs: tuple[tuple[str, Any], ...]
    of_meta: Any
    word: str
    columnwise: bool = False
    """Whether a column of the result is made of the column at its place alone, and no labels."""

    @property
    def label(self) -> str:
        return self.word

    @property
    def detail(self) -> str:
        sides = [_rows_text(self.before, "before")] if self.before != 0 else []
        sides += [_rows_text(self.after, "after")] if self.after != 0 else []
        return f", with {' and '.join(sides)}" if sides else ""

    @property
    def looks_at_no_more(self) -> bool:
        return self.columnwise

    def blocks(self, *children: Blocks) -> Blocks:
        n = self.npartitions
        sides = [
            self._context(children[0], self.before, after=False),
            self._context(children[0], self.after, after=True),
        ]
        kernel = CallWithContext(self.function, self.kwargs, self.frame.meta, self.meta, self.word)
        return Map(
            n=n,
            inputs=(children[0], *sides),
            kernel=kernel,
            index=(every(n),) * 3,
            name=self.word,
            origin=self.origin,
        )

    def _context(self, partitions: Blocks, rows: int | None, *, after: bool) -> Blocks:
        if rows == 0:
            return Map(n=self.npartitions, kernel=nothing, name="context", free=True)
        tail: Tail = LastValid(self.frame.meta, after) if rows is None else LastRows(rows, after)
        return contexts(self.frame, partitions, tail, after=after, rows=rows)


def _rows_text(rows: int | None, side: str) -> str:
    """How many rows before or after a partition a function sees, for people."""
    if rows is None:
        return f"the last value {side}" if side == "before" else f"the first value {side}"
    return f"{rows:,} row{'' if rows == 1 else 's'} {side}"


class CallWithContext:
    """Kernel: a function of a partition amid rows of its neighbours; what it makes of those is cut off."""

    def __init__(self, function: Callable[..., Any], kwargs: Any, of: Meta, meta: Meta, name: str) -> None:
        self.__name__ = name
        self.function, self.kwargs, self.of, self.meta = function, dict(kwargs), of, meta

    def __call__(self, partition: Partition, before: Partition | None, after: Partition | None) -> Partition:
        parts = [part for part in (before, partition, after) if part is not None]
        value = to_pandas(concat(parts, self.of), self.of)
        start = 0 if before is None else n_rows(before)
        n = n_rows(partition)
        result = self.function(value, **self.kwargs)
        if len(result) != len(value):
            raise ValueError(
                f"{self.__name__} made {len(result)} rows of {len(value)}; over overlaps it must make one of each"
            )
        return from_pandas(result.iloc[start : start + n], self.meta)


def map_overlap(
    frame: FrameExpr,
    function: Callable[..., Any],
    before: int | None,
    after: int | None,
    *,
    meta: Any,
    word: str,
    columnwise: bool = False,
    **kwargs: Any,
) -> FrameExpr:
    """What a function makes of partitions amid rows of their neighbours; see `MapOverlap`."""
    return MapOverlap(frame, function, before, after, tuple(kwargs.items()), meta, word, columnwise)
