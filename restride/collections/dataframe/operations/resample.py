"""Rows by spans of time, in bins.

Each partition of the result has a run of bins, and takes their rows from the partitions that may have any, as the
divisions tell. Which rows belong to which bin, and what becomes of a bin without rows, is left to pandas: a row of the
bin before the run and one of the bin after it are put to its rows, so that empty bins at its ends are made as well, and
what becomes of these two is cut off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from restride.collections.blocks import Blocks, Gather
from restride.collections.dataframe.expr import Divisions, FrameExpr
from restride.collections.dataframe.meta import Meta
from restride.collections.dataframe.operations.reductions import one_row
from restride.collections.dataframe.partition import Partition, concat, from_pandas, index_to_pandas, to_pandas
from restride.engine.graphs.csr import row_starts

ENDS = ("ME", "YE", "QE", "BME", "BYE", "BQE", "W")
"""Rules whose bins belong to, and are labelled by, their last day."""


@dataclass(frozen=True)
class Bins:
    """How time is cut, in pandas' words; `origin` is a time, or None where the calendar says."""

    rule: Any
    closed: str | None
    label: str | None
    origin: Any
    offset: Any

    def of(self, value: Any, label: str | None = None) -> Any:
        """Pandas' resampler of an object with a sorted index of times."""
        anchor = {} if self.origin is None else {"origin": self.origin, "offset": self.offset}
        return value.resample(self.rule, closed=self.closed, label=label or self.label, **anchor)

    def labels(self, first: Any, last: Any, label: str | None = None) -> pd.DatetimeIndex:
        """The labels of all bins from that of one time to that of another."""
        return self.of(pd.Series([1, 1], index=pd.DatetimeIndex([first, last])), label).size().index


def bins_of(rule: Any, closed: str | None, label: str | None, origin: Any, offset: Any, first: pd.Timestamp) -> Bins:
    """Bins with all defaults filled in; `first` is the first time of the data."""
    step = pd.tseries.frequencies.to_offset(rule)
    side = "right" if step.rule_code.split("-")[0] in ENDS else "left"
    days = isinstance(step, pd.offsets.Day)
    if days and first.tz is not None and step.n > 1:
        raise NotImplementedError(f"spans of {step.n} days with a time zone; convert with dt.tz_localize(None)")
    if not (isinstance(step, pd.offsets.Tick) or (days and first.tz is None)):
        return Bins(rule, closed or side, label or side, None, None)  # the calendar says where bins begin
    if origin == "start_day":
        origin = first.normalize()
    elif origin == "start":
        origin = first
    elif origin == "epoch":
        origin = pd.Timestamp(0, tz=first.tz)
    elif isinstance(origin, str):
        raise NotImplementedError(f"origin={origin!r}: give a timestamp, 'start_day', 'start' or 'epoch'")
    return Bins(rule, closed or side, label or side, origin, offset)


@dataclass(frozen=True, eq=False, repr=False)
class Resample(FrameExpr):
    """What a function makes of pandas' resampler, a run of bins a partition."""

    any_partitions = True

    frame: FrameExpr
    bins: Bins
    function: Callable[[Any], Any]
    of_meta: Any

    @property
    def detail(self) -> str:
        return f" by {self.bins.rule}, with neighbours that share bins"

    @property
    def kernel_rule(self) -> str:
        return "pandas' own, of the rows of a run of bins"

    def _meta(self) -> Meta:
        meta: Meta = self.of_meta
        return meta

    def _npartitions(self) -> int:
        return len(self._runs) - 1

    def _divisions(self) -> Divisions:
        labels, runs = self._labels, self._runs
        return (*(labels[i] for i in runs[:-1]), labels[-1])

    def _lengths(self) -> tuple[int, ...]:
        return tuple(np.diff(self._runs).tolist())

    def _rows(self) -> str:
        return f"{self.frame.rows}-{self.bins}"

    @cached_property
    def _labels(self) -> pd.DatetimeIndex:
        return self.bins.labels(self.frame.divisions[0], self.frame.divisions[-1])

    @cached_property
    def _runs(self) -> list[int]:
        """The first bin of each partition, and the number of bins: as many partitions as before, as far as bins go."""
        labels = self._labels
        starts = {0, *labels.searchsorted(pd.DatetimeIndex(self.frame.divisions[1:-1])).tolist()} - {len(labels)}
        return [*sorted(starts), len(labels)]

    def blocks(self, *children: Blocks) -> Blocks:
        labels, runs = self._labels, self._runs
        inside = self.bins.labels(self.frame.divisions[0], self.frame.divisions[-1], self.bins.closed)
        lows = pd.DatetimeIndex(self.frame.divisions[:-1])
        highs = pd.DatetimeIndex([*self.frame.divisions[1:]])
        n = self.frame.npartitions
        starts, stops, params = [], [], []
        for a, b in pairwise(runs):
            # a bin more on both sides, as labels are not where bins begin
            low = labels[a - 2] if a >= 2 else None
            high = labels[b + 1] if b + 1 < len(labels) else None
            start = 0 if low is None else int(highs.searchsorted(low, side="left"))
            stop = n if high is None else int(lows.searchsorted(high, side="right"))
            starts.append(min(start, n - 1))
            stops.append(max(stop, starts[-1] + 1))
            before = inside[a - 1] if a else None
            after = inside[b] if b < len(inside) else None
            params.append(Run(labels[a], labels[b - 1], before, after, b - a, low, high))
        counts = np.subtract(stops, starts)
        indices = np.concatenate([np.arange(start, stop) for start, stop in zip(starts, stops)])
        return Gather(
            n=self.npartitions,
            inputs=children,
            kernel=ResampleRun(self.bins, self.function, self.frame.meta, self.meta),
            indptr=row_starts(counts),
            indices=indices,
            params=params,
            name=self.label,
            origin=self.origin,
        )


class Run(NamedTuple):
    """A run of bins."""

    first: pd.Timestamp
    """Its label."""
    last: pd.Timestamp
    before: pd.Timestamp | None
    """A time in the bin before the run; None where there is none."""
    after: pd.Timestamp | None
    n: int
    low: pd.Timestamp | None
    """No row of the run is earlier; None where that may be any."""
    high: pd.Timestamp | None


@dataclass(frozen=True)
class ResampleRun:
    """Kernel: a function of the resampler of the rows in a run of bins; two passes of pandas over these."""

    bins: Bins
    function: Callable[[Any], Any]
    of: Any
    meta: Any
    __name__ = "resample"

    def __call__(self, run: Run, *partitions: Partition) -> Partition:
        near = [self._near(partition, run) for partition in partitions]
        rows = to_pandas(concat(near, self.of), self.of)
        rows = rows.iloc[self._inside(rows.index, run)]
        filler = rows.iloc[:1] if len(rows) else one_row(self.of)
        ends = [
            None if time is None else filler.set_axis(pd.DatetimeIndex([time]), axis=0)
            for time in (run.before, run.after)
        ]
        value = pd.concat([part for part in (ends[0], rows, ends[1]) if part is not None])
        value.index.name = self.of.index.name
        result = self.function(self.bins.of(value))
        start = 0 if run.before is None else 1
        return from_pandas(result.iloc[start : start + run.n], self.meta)

    def _near(self, partition: Partition, run: Run) -> Partition:
        """The rows among which those of the run are; these are ascending by time."""
        times = index_to_pandas(partition, self.of)
        start = 0 if run.low is None else int(times.searchsorted(run.low, side="left"))
        stop = len(times) if run.high is None else int(times.searchsorted(run.high, side="right"))
        return partition.slice(start, stop - start) if isinstance(partition, pa.Table) else partition.iloc[start:stop]

    def _inside(self, times: pd.DatetimeIndex, run: Run) -> slice:
        """Which rows are in the bins of the run."""
        if not len(times):
            return slice(0, 0)
        counts = self.bins.of(pd.Series(1, index=times)).count()
        starts = row_starts(counts.to_numpy())
        first, stop = counts.index.searchsorted(run.first), counts.index.searchsorted(run.last, side="right")
        return slice(int(starts[first]), int(starts[stop]))
