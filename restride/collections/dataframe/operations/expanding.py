"""Statistics of all rows up to each: running counts, sums, extremes and moments, carried from partition to partition.

What is carried is little: for each column how many values there are, their sum, mean, sum of squared deviations, and
least and greatest. Moments are merged by the formulas of Chan, Golub and LeVeque (1979).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.blocks import Blocks
from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.operations.column_by_column import ColumnByColumn, Floats, floats_of, from_floats
from restride.collections.dataframe.operations.reductions import one_row
from restride.collections.dataframe.partition import Partition


@dataclass(frozen=True, eq=False, repr=False)
class Expanding(ColumnByColumn):
    """A statistic of all rows up to each, of each column."""

    any_partitions = True

    frame: FrameExpr
    how: str
    """count, sum, mean, min, max, var, std or sem."""
    min_periods: int
    ddof: int
    of_meta: Any

    @property
    def label(self) -> str:
        return f"expanding_{self.how}"

    @property
    def detail(self) -> str:
        return ", totals carried from partition to partition"

    def blocks(self, *children: Blocks) -> Blocks:
        totals = self.by_partition(Totals(self.frame.meta), children[0])
        kernel = ExpandFrom(self.how, self.min_periods, self.ddof, self.frame.meta, self.meta)
        return self.carried_blocks(totals, carry, kernel, children[0])


def expanding(frame: FrameExpr, how: str, min_periods: int, ddof: int = 1) -> FrameExpr:
    """What ``frame.expanding(min_periods).how()`` is; raises what pandas raises for columns of other than numbers."""
    windows = one_row(frame.meta).expanding(min_periods)
    made = getattr(windows, how)(ddof=ddof) if how in ("var", "std", "sem") else getattr(windows, how)()
    return Expanding(frame, how, min_periods, ddof, made.iloc[:0].set_axis(frame.meta.index, axis=0))


@dataclass(frozen=True)
class Total:
    """What a run of values comes to."""

    rows: int
    n: int
    """Values that are there."""
    total: float
    mean: float
    squares: float
    """Of deviations from the mean."""
    least: float
    greatest: float

    def then(self, other: Total) -> Total:
        """What this run and another after it come to."""
        n, rows = self.n + other.n, self.rows + other.rows
        if not self.n or not other.n:
            return replace(other if not self.n else self, rows=rows)
        delta = other.mean - self.mean
        return Total(
            rows,
            n,
            self.total + other.total,
            self.mean + delta * (other.n / n),
            self.squares + other.squares + delta**2 * (self.n * other.n / n),
            min(self.least, other.least),
            max(self.greatest, other.greatest),
        )


NOTHING = Total(0, 0, 0.0, 0.0, 0.0, np.inf, -np.inf)


@dataclass(frozen=True)
class Totals:
    """Kernel: what each column of a partition comes to."""

    meta: Any
    __name__ = "total"

    def __call__(self, partition: Partition) -> list[Total]:
        return [_total(column) for column in floats_of(partition, self.meta)]


def _total(values: Floats) -> Total:
    there = values[~np.isnan(values)]
    if not len(there):
        return replace(NOTHING, rows=len(values))
    total = float(there.sum())
    mean = total / len(there)
    return Total(
        len(values), len(there), total, mean, float(((there - mean) ** 2).sum()), float(there.min()), float(there.max())
    )


def carry(*totals: list[Total]) -> list[list[Total]]:
    """Kernel: what the columns come to before each partition."""
    before = [NOTHING] * len(totals[0])
    carried = [before]
    for total in totals[:-1]:
        before = [a.then(b) for a, b in zip(before, total)]
        carried.append(before)
    return carried


@dataclass(frozen=True)
class ExpandFrom:
    """Kernel: the statistic of a partition's rows, given what came before; some passes over each column."""

    how: str
    min_periods: int
    ddof: int
    of: Any
    meta: Any
    __name__ = "expanding"

    def __call__(self, number: int, carried: list[list[Total]], partition: Partition) -> Partition:
        columns = [self._of(values, before) for values, before in zip(floats_of(partition, self.of), carried[number])]
        return from_floats(columns, self.meta, partition, self.of)

    def _of(self, values: Floats, before: Total) -> Floats:
        counts = before.n + np.cumsum(~np.isnan(values))
        with np.errstate(invalid="ignore", divide="ignore"):
            made = self._values(values, before, counts)
        # pandas asks of counts for so many rows, and of all others for so many values.
        asked = before.rows + np.arange(1, len(values) + 1) if self.how == "count" else counts
        enough = asked >= self.min_periods
        return np.where(enough, made, np.nan)

    def _values(self, values: Floats, before: Total, counts: Any) -> Any:
        if self.how == "count":
            return counts.astype(np.float64)
        if self.how == "min":
            return np.fmin.accumulate(np.fmin(values, before.least)) if before.n else np.fmin.accumulate(values)
        if self.how == "max":
            return np.fmax.accumulate(np.fmax(values, before.greatest)) if before.n else np.fmax.accumulate(values)
        local = pd.Series(values).expanding(0)
        if self.how in ("sum", "mean"):
            sums = before.total + local.sum().to_numpy()
            return sums if self.how == "sum" else sums / counts
        variance = self._variance(local, before, counts)
        if self.how == "var":
            return variance
        return np.sqrt(variance) if self.how == "std" else np.sqrt(variance) / np.sqrt(counts)

    def _variance(self, local: Any, before: Total, counts: Any) -> Any:
        own = counts - before.n
        mean, squares = (np.nan_to_num(made.to_numpy()) for made in (local.mean(), local.var(ddof=0) * own))
        if before.n:
            squares = squares + before.squares + (mean - before.mean) ** 2 * (before.n * own / counts)
        return np.where(counts > self.ddof, squares / (counts - self.ddof), np.nan)
