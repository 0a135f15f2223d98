"""Exponentially weighted means, sums and variances of all rows up to each, carried from partition to partition.

Pandas works out each partition as if nothing came before it. What did come before is one more value, of some mean,
variance and weight, whose share of each row's statistic is known in closed form; so that what is carried is five
numbers for each column, and no row is gone over one by one in Python.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from restride.collections.blocks import Blocks
from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.operations.column_by_column import ColumnByColumn, Floats, floats_of, from_floats
from restride.collections.dataframe.operations.reductions import one_row
from restride.collections.dataframe.partition import Partition


class State(NamedTuple):
    """The statistics of all rows up to each of some, or up to one."""

    n: Floats
    """Values that are there."""
    mean: Floats
    variance: Floats
    """Weighted, with bias."""
    room: Floats
    """1 less the sum of squares of the shares that values have: what the variance is divided by to have no bias."""
    weight: Floats
    """Of all values together, where a new one has 1; without `adjust`, where it has alpha."""


class Run(NamedTuple):
    """The statistics of a column of a partition, of its own rows alone."""

    own: State
    """Weights are those at the last value that is there: after many rows without one they would come to nothing."""
    last_steps: Floats
    """For each row how often weights have decayed up to the last value that is there; 0 before the first."""
    since: Floats
    """For each row how often they have decayed since."""
    first: float
    """The first value that is there."""
    first_steps: float
    """How often weights have decayed up to it."""
    first_share: Floats
    """For each row the share of the first value; where that is used."""


@dataclass(frozen=True)
class Decay:
    """How weights decay, in pandas' words."""

    alpha: float
    adjust: bool
    ignore_na: bool
    spread: bool
    """Whether variances are asked for."""

    def _windows(self, values: Floats, alpha: float | None = None) -> Any:
        return pd.Series(values).ewm(alpha=alpha or self.alpha, adjust=self.adjust, ignore_na=self.ignore_na)

    def _decayed(self, steps: Any) -> Any:
        """What is left of a weight of 1; `exp`, as powers are eight times as slow."""
        return np.where(steps > 0, 0.0, 1.0) if self.alpha == 1 else np.exp(steps * np.log1p(-self.alpha))

    def run(self, column: Floats) -> Run:
        """The statistics of a column; two passes of pandas', five for variances."""
        there = np.isfinite(column)
        values = np.where(there, column, np.nan)
        n = np.cumsum(there, dtype=np.float64)
        steps = n if self.ignore_na else np.arange(1.0, len(values) + 1)
        start = int(there.argmax()) if there.any() else 0
        nothing = np.zeros(len(values))
        mean = self._windows(values).mean().to_numpy()
        variance, room = (self._windows(values).var(bias=True).to_numpy(), self._room(there, n)) if self.spread else (
            nothing, nothing)  # fmt: skip
        if self.adjust:
            last = np.maximum.accumulate(np.where(there, np.arange(len(there)), 0))
            weight = np.nan_to_num(self._windows(np.where(there, 1.0, np.nan)).sum().to_numpy()[last])
            first_share = nothing
        else:
            weight = np.ones(len(values))
            marked = np.where(there, 0.0, np.nan)
            marked[start : start + 1] = 1.0
            first_share = self._windows(marked).mean().to_numpy()
        own = State(n, mean, variance, room, weight)
        known = bool(there.any())
        last_steps = np.maximum.accumulate(np.where(there, steps, 0.0))
        return Run(
            own,
            last_steps,
            steps - last_steps,
            values[start] if known else np.nan,
            steps[start] if known else 0.0,
            first_share,
        )

    def _room(self, there: Any, n: Floats) -> Floats:
        """Pandas divides by it: it is how much less a variance is with bias, whatever the values are."""
        windows = self._windows(np.where(there, n % 2, np.nan))
        with_bias, without = (windows.var(bias=bias).to_numpy() for bias in (True, False))
        return np.divide(with_bias, without, out=np.zeros(len(n)), where=without > 0)

    def after(self, before: State, run: Run) -> State:
        """The statistics of all rows up to those of a run; a few passes of numpy's."""
        own = run.own
        decayed = self._decayed(run.since)
        if not before.n:
            return own._replace(weight=own.weight * decayed)
        there = own.n > 0
        with np.errstate(invalid="ignore", divide="ignore"):
            if self.adjust:
                remains = before.weight * self._decayed(run.last_steps)
                weight = remains + own.weight
                share = remains / weight
                base, of_base = own.mean, own.variance
                room = 2 * share * (1 - share) + (1 - share) ** 2 * own.room + share**2 * before.room
            else:
                weight = np.where(there, own.weight, before.weight)
                at_first = before.weight * self._decayed(run.first_steps)
                share = run.first_share * (at_first / (at_first + self.alpha))
                base, of_base = np.full(len(share), run.first), np.zeros(len(share))
                room = own.room + 2 * share * (run.first_share - share) + share**2 * before.room
            apart = before.mean - base
            mean = own.mean + share * apart
            variance = own.variance + share * (before.variance - of_base) + share * (1 - share) * apart**2
            variance -= 2 * share * (own.mean - base) * apart
        mean, variance, room = (
            np.where(there, new, old)
            for new, old in ((mean, before.mean), (variance, before.variance), (room, before.room))
        )
        return State(before.n + own.n, mean, variance, room, weight * decayed)


@dataclass(frozen=True, eq=False, repr=False)
class Exponential(ColumnByColumn):
    """An exponentially weighted statistic of all rows up to each, of each column."""

    any_partitions = True

    frame: FrameExpr
    how: str
    """mean, sum, var or std."""
    decay: Decay
    min_periods: int
    bias: bool
    of_meta: Any

    @property
    def label(self) -> str:
        return f"ewm_{self.how}"

    @property
    def detail(self) -> str:
        return ", sums carried from partition to partition"

    def blocks(self, *children: Blocks) -> Blocks:
        runs = self.by_partition(Runs(self.decay, self.frame.meta), children[0])
        ends = self.by_partition(ends_of_runs, runs)
        kernel = WeightedFrom(self.how, self.decay, self.min_periods, self.bias, self.frame.meta, self.meta)
        return self.carried_blocks(ends, Carry(self.decay), kernel, runs, children[0])


def exponential(
    frame: FrameExpr, how: str, decay: Decay, min_periods: int, options: dict[str, Any], *, bias: bool = False
) -> FrameExpr:
    """What ``frame.ewm(**options).how()`` is; raises what pandas raises for columns of other than numbers."""
    made = getattr(one_row(frame.meta).ewm(**options), how)()
    meta = made.iloc[:0].set_axis(frame.meta.index, axis=0)
    return Exponential(frame, how, decay, max(min_periods, 1), bias, meta)


@dataclass(frozen=True)
class Runs:
    """Kernel: the statistics of each column of a partition, of its rows alone."""

    decay: Decay
    meta: Any
    __name__ = "ewm-runs"

    def __call__(self, partition: Partition) -> list[Run]:
        return [self.decay.run(values) for values in floats_of(partition, self.meta)]


def ends_of_runs(runs: list[Run]) -> list[Run] | None:
    """Kernel: the last row of each column's statistics; None where there are no rows."""
    if not runs or not len(runs[0].since):
        return None
    return [
        run._replace(
            own=State(*(of[-1:] for of in run.own)),
            last_steps=run.last_steps[-1:],
            since=run.since[-1:],
            first_share=run.first_share[-1:],
        )
        for run in runs
    ]


NOTHING = State(*np.zeros((5, 1)))


@dataclass(frozen=True)
class Carry:
    """Kernel: the statistics of each column of all rows before each partition; None before the first row."""

    decay: Decay
    __name__ = "ewm-carry"

    def __call__(self, *ends: list[Run] | None) -> list[list[State] | None]:
        before: list[State] | None = None
        carried = [before]
        for runs in ends[:-1]:
            if runs is not None:
                before = [self.decay.after(state, run) for state, run in zip(before or [NOTHING] * len(runs), runs)]
            carried.append(before)
        return carried


@dataclass(frozen=True)
class WeightedFrom:
    """Kernel: the statistic of a partition's rows, given what came before."""

    how: str
    decay: Decay
    min_periods: int
    bias: bool
    of: Any
    meta: Any
    __name__ = "ewm"

    def __call__(
        self, number: int, carried: list[list[State] | None], runs: list[Run], partition: Partition
    ) -> Partition:
        before = carried[number] or [NOTHING] * len(runs)
        columns = [self._of(self.decay.after(state, run)) for state, run in zip(before, runs)]
        return from_floats(columns, self.meta, partition, self.of)

    def _of(self, state: State) -> Floats:
        made = state.mean
        if self.how == "sum":
            made = state.mean * state.weight
        elif self.how in ("var", "std"):
            made = state.variance
            if not self.bias:
                made = np.divide(made, state.room, out=np.full(len(made), np.nan), where=state.room > 0)
            made = np.sqrt(np.maximum(made, 0)) if self.how == "std" else made
        return np.where(state.n >= self.min_periods, made, np.nan)
