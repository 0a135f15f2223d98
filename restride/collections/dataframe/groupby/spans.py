"""Spans of time to group by, as `pandas.Grouper` describes them: each row by the label of the span that it is in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from restride.collections.collection import ask
from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.meta import column_dtypes
from restride.collections.dataframe.operations.partitions import MapPartitions
from restride.collections.dataframe.operations.reductions import Statistic, reduction
from restride.collections.dataframe.operations.resample import Bins, bins_of
from restride.collections.dataframe.operations.rowwise import rowwise


def spans_of(times: FrameExpr, grouper: pd.Grouper, *, all_of_them: bool) -> FrameExpr:
    """The label of the span that each row is in; the first time, and the last, are computed for it.

    Parameters
    ----------
    times : FrameExpr
        A series.
    grouper : pandas.Grouper
        With a `freq`.
    all_of_them : bool
        Whether spans without rows have groups, too: then labels are categories.

    Raises
    ------
    TypeError
        The series is not one of times.
    """
    dtype = times.meta.dtype
    if getattr(dtype, "kind", "") != "M":
        raise TypeError(
            f"Only valid with DatetimeIndex, TimedeltaIndex or PeriodIndex, but got values of {dtype}; "
            "convert them with to_datetime"
        )
    (first,), (last,) = ask([reduction(times, Statistic(name, True)) for name in ("min", "max")])
    kind: Any = dtype
    spans: SpanOf | NoSpan
    if pd.isna(first):
        spans = NoSpan(dtype)
    else:
        bins = bins_of(grouper.freq, grouper.closed, grouper.label, grouper.origin, grouper.offset, first)
        labels = bins.labels(*pd.DatetimeIndex([first, last], dtype=dtype))
        kind = pd.CategoricalDtype(labels, ordered=True) if all_of_them else labels.dtype
        spans = SpanOf(bins, first, kind)
    return rowwise(spans, times, declared=pd.Series([], dtype=kind, name=times.meta.name))


@dataclass(frozen=True)
class SpanOf:
    """The label of the span of each time; a sort of the times and a pass of pandas over them."""

    bins: Bins
    first: pd.Timestamp
    """Of all: where spans are counted from, if no calendar says where they begin."""
    kind: Any
    __name__ = "spans"

    def __call__(self, times: pd.Series) -> pd.Series:
        ordered = times.dropna().sort_values()
        index = pd.DatetimeIndex(ordered).insert(0, self.first)
        counts = self.bins.of(pd.Series(1, index=index)).count()
        labels = counts.index.repeat(counts.to_numpy())[1:]
        return pd.Series(labels, index=ordered.index).reindex(times.index).astype(self.kind)


@dataclass(frozen=True)
class NoSpan:
    """Where no time is known, no row is in a span."""

    kind: Any
    __name__ = "spans"

    def __call__(self, times: pd.Series) -> pd.Series:
        return pd.Series(pd.NaT, index=times.index, dtype=self.kind)


def with_times(groups: FrameExpr, full_meta: Any, *, as_index: bool) -> FrameExpr:
    """A row a span, labelled by time, of one labelled by categories.

    Parameters
    ----------
    groups : FrameExpr
    full_meta : Meta or None
        Of the aggregates where no span is without rows; None where that makes no difference.
    as_index : bool
        Whether the labels are the index, otherwise the first column.
    """
    function = AsTimes(as_index)
    return TimesOfSpans(function, (groups,), (), function(groups.meta), "spans", full_meta=full_meta)


@dataclass(frozen=True, eq=False, repr=False)
class TimesOfSpans(MapPartitions):
    """Aggregates of spans, labelled by time."""

    full_meta: Any = None

    def narrower(self, place: int) -> Any:
        """The dtype where no span is without rows."""
        if self.full_meta is None:
            return None
        full = column_dtypes(self.full_meta)
        number = place - (self.layout.n_columns - len(full))
        return None if number < 0 or full[number] == column_dtypes(self.meta)[place] else full[number]


@dataclass(frozen=True)
class AsTimes:
    """Labels of spans as times."""

    as_index: bool

    def __call__(self, value: Any) -> Any:
        if self.as_index:
            return value.set_axis(_times(value.index), axis=0)
        first = pd.Series(_times(pd.Index(value.iloc[:, 0])), index=value.index)
        columns = {0: first} | {i: value.iloc[:, i] for i in range(1, value.shape[1])}
        return pd.DataFrame(columns, index=value.index).set_axis(value.columns, axis=1)


def _times(labels: pd.Index) -> pd.Index:
    if not isinstance(labels, pd.CategoricalIndex):
        return labels
    return labels.astype(labels.categories.dtype)
