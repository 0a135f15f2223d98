"""Whether the values of a series rise, or fall, from row to row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.operations.selection import without_index
from restride.collections.dataframe.operations.tree import ReducedScalar, Steps
from restride.collections.dataframe.partition import Partition, to_pandas

Run = tuple[bool, Any, Any] | None
"""Whether the values are in order, and the first and the last of them; None for no rows."""


@dataclass(frozen=True)
class RunOf:
    """Kernel: whether a partition's values are in order, and its ends."""

    rising: bool
    meta: Any
    __name__ = "monotonic"

    def __call__(self, partition: Partition) -> Run:
        series = to_pandas(partition, self.meta, index=False)
        if not len(series):
            return None
        ordered = series.is_monotonic_increasing if self.rising else series.is_monotonic_decreasing
        return bool(ordered), series.iloc[0], series.iloc[-1]


@dataclass(frozen=True)
class JoinedRuns:
    """Kernel: several runs one after the other as one."""

    rising: bool
    __name__ = "monotonic"

    def __call__(self, *runs: Run) -> Run:
        whole: Run = None
        for run in runs:
            if run is not None:
                whole = run if whole is None else self._joined(whole, run)
        return whole

    def _joined(self, left: Any, right: Any) -> Run:
        ordered = left[0] and right[0]
        if ordered:
            ordered = bool(left[2] <= right[1] if self.rising else left[2] >= right[1])
        return ordered, left[1], right[2]


def _is_ordered(run: Run) -> bool:
    return run is None or run[0]


def is_monotonic(series: FrameExpr, *, rising: bool) -> ReducedScalar:
    """Whether each value of a series is at least, or at most, the one before; a missing value is in no order."""
    series = without_index(series)
    steps = Steps(RunOf(rising, series.meta), JoinedRuns(rising), _is_ordered)
    return ReducedScalar(series, steps, np.dtype(bool), "is_monotonic")
