"""Rows of each partition picked at random, the same ones for the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from restride.collections.blocks import Blocks
from restride.collections.dataframe.expr import FrameExpr, Wanted
from restride.collections.dataframe.kernels.taking import take
from restride.collections.dataframe.operations.rowwise import labelled
from restride.collections.dataframe.operations.selection import narrow
from restride.collections.dataframe.partition import Partition, n_rows


@dataclass(frozen=True, eq=False, repr=False)
class PickAtRandom(FrameExpr):
    """Rows of each partition picked at random."""

    frame: FrameExpr
    picking: Any
    """Takes a random generator and a number of rows, and gives the numbers of some."""
    seeds: tuple[int, ...]
    """One for each partition."""

    @property
    def label(self) -> str:
        return "sample"

    def _lengths(self) -> None:
        return None

    def _rows(self) -> str:
        return self.name

    def value_source(self, place: int) -> tuple[FrameExpr, int]:
        return self.frame, place

    def narrowed(self, wanted: Wanted) -> FrameExpr:
        return PickAtRandom(narrow(self.frame, wanted), self.picking, self.seeds)

    def blocks(self, *children: Blocks) -> Blocks:
        kernel = PickRows(self.picking)
        return self.by_partition(kernel, *children, params=np.array(self.seeds, np.int64))


@dataclass(frozen=True)
class PickRows:
    """Kernel: rows of a partition picked at random."""

    picking: Any
    __name__ = "sample"

    def __call__(self, seed: int, partition: Partition) -> Partition:
        return take_rows(partition, self.picking(np.random.default_rng(int(seed)), n_rows(partition)))


@dataclass(frozen=True)
class Fraction:
    """A fraction of the rows, each once or, with replacement, any number of times, in random order."""

    frac: float
    replace: bool

    def __call__(self, rng: np.random.Generator, n: int) -> np.ndarray:
        count = round(self.frac * n)
        return rng.choice(n, count, replace=self.replace) if n else np.arange(0)


@dataclass(frozen=True)
class Share:
    """One of several parts that the rows fall into at random; the same generator gives the same parts."""

    bounds: tuple[float, ...]
    """The fractions of the parts, added up: 0 first, 1 last."""
    number: int
    shuffle: bool

    def __call__(self, rng: np.random.Generator, n: int) -> np.ndarray:
        parts = np.searchsorted(np.array(self.bounds[1:-1]), rng.random(n), side="right")
        rows = np.flatnonzero(parts == self.number)
        return rng.permutation(rows) if self.shuffle else rows


def take_rows(rows: Partition, numbers: np.ndarray) -> Partition:
    """Rows of a partition by number."""
    return take(rows, numbers) if isinstance(rows, pa.Table) else rows.take(numbers)


def seeds_of(random_state: Any, n: int) -> tuple[int, ...]:
    """A seed for each of `n` partitions, of what pandas takes for a random state."""
    if isinstance(random_state, np.random.RandomState):
        return tuple(random_state.randint(0, 2**31, n).tolist())
    rng = np.random.default_rng(random_state)
    return tuple(rng.integers(0, 2**63, n).tolist())


def picked(frame: FrameExpr, frac: float, *, replace: bool, random_state: Any) -> FrameExpr:
    """A fraction of the rows of each partition; see `Shuffling.sample`."""
    frame = labelled(frame)
    return PickAtRandom(frame, Fraction(frac, replace), seeds_of(random_state, frame.npartitions))


def parts_at_random(
    frame: FrameExpr, fractions: Sequence[float], random_state: Any, *, shuffle: bool
) -> list[FrameExpr]:
    """The rows in parts of about these fractions; see `Shuffling.random_split`.

    Raises
    ------
    ValueError
        The fractions do not add up to 1.
    """
    if not fractions or abs(sum(fractions) - 1) > 1e-9 or min(fractions) < 0:
        raise ValueError(f"frac should sum to 1, got {list(fractions)}")
    bounds = tuple(pd.Series([0.0, *fractions]).cumsum().tolist())
    frame = labelled(frame)
    seeds = seeds_of(random_state, frame.npartitions)
    return [PickAtRandom(frame, Share(bounds, number, shuffle), seeds) for number in range(len(fractions))]
