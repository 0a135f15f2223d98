"""Reductions as trees: a partial result of each partition, these combined some at a time, the last one finished."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from restride.collections.blocks import Blocks, Gather, Map, every
from restride.collections.dataframe.expr import FrameExpr, NewRows, ScalarExpr
from restride.collections.dataframe.meta import Meta
from restride.engine.graphs.csr import Ints

FAN_IN = 16
"""How many partial results are combined at a time."""


@dataclass(frozen=True)
class Steps:
    """The kernels of a reduction."""

    partial: Callable[..., Any]
    """Of a partition."""
    combine: Callable[..., Any]
    """Of several partial results, in the order of the partitions; gives one more."""
    finish: Callable[[Any], Any]
    """Of the last partial result."""


@dataclass(frozen=True, eq=False, repr=False)
class Reduced(NewRows):
    """What is left of all partitions of a frame, as one partition."""

    any_partitions = True

    frame: FrameExpr
    steps: Steps
    of_meta: Any
    word: str
    of_rows: str | None = None
    """What tells the rows of the result, where they are the same for other reductions: the labels of its columns."""

    @property
    def label(self) -> str:
        return self.word

    def _meta(self) -> Meta:
        meta: Meta = self.of_meta
        return meta

    def _npartitions(self) -> int:
        return 1

    def _rows(self) -> str:
        return self.of_rows or self.name

    def blocks(self, *children: Blocks) -> Blocks:
        return reduced_blocks(self.frame, children[0], self.steps, self.word, self.origin)


@dataclass(frozen=True, eq=False, repr=False)
class ReducedScalar(ScalarExpr):
    """What is left of all partitions of a frame, as one value."""

    any_partitions = True

    frame: FrameExpr
    steps: Steps
    value_dtype: Any
    word: str

    @property
    def label(self) -> str:
        return self.word

    def _dtype(self) -> Any:
        return self.value_dtype

    def blocks(self, *children: Blocks) -> Blocks:
        return reduced_blocks(self.frame, children[0], self.steps, self.word, self.origin)


def reduced_blocks(frame: FrameExpr, partitions: Blocks, steps: Steps, name: str, origin: str | None) -> Blocks:
    """The table of the one block that a reduction leaves of a frame's partitions."""
    partials = replace(frame.by_partition(steps.partial, partitions), name=name, origin=origin)
    table = tree_of(partials, steps.combine, name, origin)
    return Map(n=1, inputs=(table,), kernel=steps.finish, index=(every(1),), name=f"{name}-finish", origin=origin)


def tree_of(
    table: Blocks, combine: Callable[..., Any], name: str, origin: str | None, *, fan_in: int = FAN_IN
) -> Blocks:
    """One block of several, combined `fan_in` neighbours at a time."""
    while table.n > 1:
        table = gathered(table, neighbours(table.n, fan_in), combine, f"{name}-combine", origin)
    return table


def gathered(table: Blocks, bounds: Ints, kernel: Callable[..., Any], name: str, origin: str | None) -> Gather:
    """A block of each run of neighbours; `bounds` as in CSR."""
    runs = len(bounds) - 1
    return Gather(
        n=runs, inputs=(table,), kernel=kernel, indptr=bounds, indices=every(table.n), name=name, origin=origin
    )


def neighbours(n: int, most: int) -> Ints:
    """Bounds of runs of `most` of `n` blocks; of one run if there are none."""
    return np.append(np.arange(0, max(n, 1), most), n)


def tapering(n: int, most: int) -> Ints:
    """Bounds of runs of up to `most` of `n` blocks that get shorter in the end, to keep all threads at work until then.

    Examples
    --------
    >>> np.diff(tapering(20, 5))
    array([5, 5, 5, 3, 2])
    """
    bounds = [0]
    while bounds[-1] < n:
        rest = n - bounds[-1]
        bounds.append(n - rest + min(most, rest, max(-(-rest // 2), 2)))
    return np.array(bounds if n else [0, 0])


def listed(*values: Any) -> list[Any]:
    """Kernel: values as a list."""
    return list(values)
