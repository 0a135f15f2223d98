"""Exact quantiles without a sort of everything: only the values around those places are brought together.

Samples part the values into ranges, narrow ones around each place; counting tells in which of them the places fall; the
values of these ranges, a small part of all, are gathered and put in order. Missing values do not count, as with pandas.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from restride.collections.blocks import Blocks, Gather, Map, every
from restride.collections.dataframe.expr import FrameExpr, Lengths, ScalarExpr, unknown_divisions
from restride.collections.dataframe.kernels.sort_keys import SortKey
from restride.collections.dataframe.kernels.splitting import range_buckets
from restride.collections.dataframe.kernels.taking import take
from restride.collections.dataframe.meta import Meta, column_dtypes, series_of
from restride.collections.dataframe.operations.reductions import one_row
from restride.collections.dataframe.operations.selection import without_index
from restride.collections.dataframe.operations.tree import listed
from restride.collections.dataframe.partition import Partition, from_pandas, n_rows, to_pandas

RANGES = 8
"""Into how many even ranges values are parted, beside those around the places wanted."""
SLACK = 4
"""Standard deviations of a place in a sample that the range around it has room for, on either side."""
FEW_BOUNDS = 48
"""Bounds up to which values are compared with each to count them; of more, each value's range is found at once."""
FEW = 6
"""Ranges up to which values are compared with the bounds of each."""
SAMPLED = 4096
"""Values sampled from each partition, of each column."""


QUANTILE = "exact: values are counted by ranges of a sample, then those of the ranges needed are sorted"
"""How quantiles are found, for people."""


@dataclass(frozen=True)
class Wanting:
    """Which quantiles, and how they are taken between two values."""

    q: tuple[float, ...]
    interpolation: str


def quantile_blocks(
    frame: FrameExpr, partitions: Blocks, wanting: Wanting, finish: Any, name: str, origin: str | None
) -> Blocks:
    """The table of one block: what `finish` makes of a list with an array of quantiles for each column."""
    n = frame.npartitions
    one, all_of = np.zeros(n, np.int64), every(n)
    dtypes = tuple(column_dtypes(frame.meta))

    def gathered(table: Blocks, kernel: Any, what: str) -> Gather:
        return Gather(
            n=1, inputs=(table,), kernel=kernel, indptr=np.array([0, n]), indices=all_of, name=f"{name}-{what}",
            origin=origin,
        )  # fmt: skip

    samples = replace(frame.by_partition(SampleValues(frame.meta), partitions), name=f"{name}-sample", origin=origin)
    bounds = gathered(samples, ValueRanges(wanting), "ranges")
    counts = Map(
        n=n, inputs=(bounds, partitions), index=(one, all_of), kernel=CountValues(frame.meta), name=f"{name}-count",
        origin=origin,
    )  # fmt: skip
    places = gathered(counts, PlacesWanted(wanting), "places")
    values = Map(
        n=n, inputs=(bounds, places, partitions), index=(one, one, all_of), kernel=PickValues(frame.meta),
        name=f"{name}-pick", origin=origin,
    )  # fmt: skip
    return Map(
        n=1, inputs=(places, gathered(values, listed, "values")), index=(every(1), every(1)),
        kernel=TakeQuantiles(wanting, dtypes, finish), name=name, origin=origin,
    )  # fmt: skip


def present_values(partition: Partition, meta: Meta) -> list[np.ndarray]:
    """The values of each column that are there, as numbers."""
    value = to_pandas(partition, meta, index=False)
    columns = series_of(value)
    return [numbers_of(column) for column in columns]


def numbers_of(column: pd.Series) -> np.ndarray:
    """The values of a series that are there, as an array of numbers; dates and durations by their integers."""
    if column.dtype.kind in "mM" or isinstance(column.dtype, pd.DatetimeTZDtype):
        return column.dropna().astype("int64").to_numpy()
    if column.dtype.kind in "biu" and isinstance(column.dtype, np.dtype):
        return column.to_numpy()
    values = column.dropna().to_numpy()
    return values.astype(np.float64) if values.dtype.kind == "O" else values + values.dtype.type(0)  # -0.0 is 0.0


class Sample(NamedTuple):
    """Some values of each column of a partition."""

    columns: list[np.ndarray]
    weight: float
    """How many rows each stands for."""


@dataclass(frozen=True)
class SampleValues:
    """Kernel: the values of each column that some rows have."""

    meta: Any
    __name__ = "sample"

    def __call__(self, partition: Partition) -> Sample:
        n = n_rows(partition)
        if n > SAMPLED:
            rows = np.linspace(0, n - 1, SAMPLED).astype(np.int64)
            partition = take(partition, rows) if isinstance(partition, pa.Table) else partition.take(rows)
        return Sample(present_values(partition, self.meta), max(1.0, n / SAMPLED))


@dataclass(frozen=True)
class ValueRanges:
    """Kernel: for each column the values that part ranges, of samples."""

    wanting: Wanting
    __name__ = "ranges"

    def __call__(self, *samples: Sample) -> list[np.ndarray]:
        weights = [sample.weight for sample in samples]
        columns = zip(*(sample.columns for sample in samples))
        return [self._bounds(np.concatenate(parts), np.repeat(weights, list(map(len, parts)))) for parts in columns]

    def _bounds(self, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Values on both sides of where the quantiles may be, and some more that are evenly spread."""
        if not len(values):
            return values
        order = np.argsort(values)
        upto = weights[order].cumsum()
        q, alike = np.array(self.wanting.q), upto[-1] ** 2 / (weights**2).sum()
        slack = SLACK * np.sqrt(q * (1 - q) / alike) + SLACK**2 / alike  # the latter for the ends
        shares = np.concatenate([q - slack, q + slack, np.arange(1, RANGES) / RANGES])
        inside = shares[(shares > 0) & (shares < 1)]
        return np.unique(values[order[np.searchsorted(upto, inside * upto[-1])]])


def ranges_of(values: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """For each value the number of its range: how many bounds are at most it."""
    if values.dtype.kind == "b":
        values, bounds = values.view(np.uint8), bounds.view(np.uint8)
    return range_buckets([pa.array(values)], [pa.array(bounds)], [SortKey()])


def counts_of_ranges(values: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """How many values are in each range; a comparison for each bound where they are few."""
    if len(bounds) > FEW_BOUNDS:
        return np.bincount(ranges_of(values, bounds), minlength=len(bounds) + 1)
    not_below = np.array([len(values), *(int(np.count_nonzero(values >= bound)) for bound in bounds), 0])
    return not_below[:-1] - not_below[1:]


def values_in(values: np.ndarray, bounds: np.ndarray, ranges: np.ndarray) -> np.ndarray:
    """The values that are in some ranges."""
    if len(ranges) > FEW:
        wanted = np.zeros(len(bounds) + 1, np.bool_)
        wanted[ranges] = True
        return values[wanted[ranges_of(values, bounds)]]
    inside = np.zeros(len(values), np.bool_)
    for number in ranges.tolist():
        within = np.ones(len(values), np.bool_)
        if number > 0:
            within &= values >= bounds[number - 1]
        if number < len(bounds):
            within &= values < bounds[number]
        inside |= within
    return values[inside]


@dataclass(frozen=True)
class CountValues:
    """Kernel: how many values of each column are in each range."""

    meta: Any
    __name__ = "count"

    def __call__(self, bounds: list[np.ndarray], partition: Partition) -> list[np.ndarray]:
        columns = present_values(partition, self.meta)
        return [counts_of_ranges(values, these) for values, these in zip(columns, bounds)]


@dataclass(frozen=True)
class Place:
    """Where the quantiles of a column are."""

    n: int
    """How many values there are."""
    needed: np.ndarray
    """The numbers of the ranges that are needed, ascending."""
    before: np.ndarray
    """How many values come before each of these."""
    sizes: np.ndarray
    """How many values each of them has."""


@dataclass(frozen=True)
class PlacesWanted:
    """Kernel: for each column which ranges are needed, of the counts of all partitions."""

    wanting: Wanting
    __name__ = "places"

    def __call__(self, *counts: list[np.ndarray]) -> list[Place]:
        places = []
        for column in zip(*counts):
            sizes = np.sum(column, axis=0)
            ends = np.cumsum(sizes)
            n = int(ends[-1])
            low, high, _ = around(self.wanting.q, n)
            both = np.concatenate([low, high]) if n else low[:0]
            needed = np.unique(np.searchsorted(ends, both, side="right"))
            places.append(Place(n, needed, (ends - sizes)[needed], sizes[needed]))
        return places


def around(q: Sequence[float], n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The places of the values before and after each quantile of `n` sorted ones, and how far it is between them."""
    at = np.array(q) * 100.0 / 100.0 * (n - 1)  # in per cent, and back: pandas does, and it matters to the last bit
    low = np.floor(at).astype(np.int64)
    return low, np.minimum(low + 1, max(n - 1, 0)), at - low


@dataclass(frozen=True)
class PickValues:
    """Kernel: the values of each column that are in the ranges needed."""

    meta: Any
    __name__ = "pick"

    def __call__(self, bounds: list[np.ndarray], places: list[Place], partition: Partition) -> list[np.ndarray]:
        columns = present_values(partition, self.meta)
        return [values_in(values, these, place.needed) for values, these, place in zip(columns, bounds, places)]


@dataclass(frozen=True)
class TakeQuantiles:
    """Kernel: the quantiles of each column as a series, of the values of the ranges needed."""

    wanting: Wanting
    dtypes: tuple[Any, ...]
    finish: Callable[[list[pd.Series]], Any]
    __name__ = "quantile"

    def __call__(self, places: list[Place], parts: Sequence[list[np.ndarray]]) -> Any:
        columns = zip(zip(*parts), places, self.dtypes)
        return self.finish([self._column(np.concatenate(column), *rest) for column, *rest in columns])

    def _column(self, values: np.ndarray, place: Place, dtype: Any) -> pd.Series:
        q, how = self.wanting.q, self.wanting.interpolation
        if not place.n:
            return pd.Series([], dtype=dtype).quantile(list(q), how)
        values = np.sort(values)
        starts = np.cumsum(place.sizes) - place.sizes
        low, high, share = around(q, place.n)
        found = []
        for first, second, between in zip(low.tolist(), high.tolist(), share.tolist()):
            ranges = np.searchsorted(place.before, [first, second], side="right") - 1
            pair = values[np.array([first, second]) - place.before[ranges] + starts[ranges]]
            method = how
            if how == "nearest" and between == 0.5:
                method = "lower" if first % 2 == 0 else "higher"
            # A list: one float would be taken in the precision of the values, and pandas works in double.
            found.append(np.quantile(pair, [between], method=method)[0])  # type: ignore[call-overload]
        return _of_dtype(np.array(found), dtype, how)


def _of_dtype(values: np.ndarray, dtype: Any, how: str) -> pd.Series:
    """Numbers as a series of the dtype that pandas gives quantiles of a dtype."""
    like = one_row(pd.Series([], dtype=dtype)).quantile([0.5], how)
    if like.dtype.kind in "mM" or isinstance(like.dtype, pd.DatetimeTZDtype):
        return pd.Series(values.astype(np.int64)).astype(like.dtype)
    return pd.Series(values).astype(like.dtype)


# ---- what users get


@dataclass(frozen=True, eq=False, repr=False)
class Quantile(ScalarExpr):
    """One quantile of a series."""

    any_partitions = True

    frame: FrameExpr
    wanting: Wanting

    @property
    def kernel_rule(self) -> str:
        return QUANTILE

    def _dtype(self) -> Any:
        return one_row(self.frame.meta).quantile([0.5], self.wanting.interpolation).dtype

    def blocks(self, *children: Blocks) -> Blocks:
        return quantile_blocks(self.frame, children[0], self.wanting, OneValue(), "quantile", self.origin)


@dataclass(frozen=True, eq=False, repr=False)
class Quantiles(FrameExpr):
    """Several quantiles of a series, or one or several of each column of a frame, as one partition."""

    any_partitions = True

    frame: FrameExpr
    wanting: Wanting
    scalar: bool
    """Whether one quantile is wanted, so that columns' become a series."""

    @property
    def label(self) -> str:
        return "quantile"

    @property
    def kernel_rule(self) -> str:
        return QUANTILE

    def _meta(self) -> Meta:
        q: Any = self.wanting.q[0] if self.scalar else list(self.wanting.q)
        of = one_row(self.frame.meta)
        made = of.quantile(q, interpolation=self.wanting.interpolation)
        return made.iloc[:0]

    def _npartitions(self) -> int:
        return 1

    def _lengths(self) -> Lengths:
        frame = self.frame
        return (frame.meta.shape[1] if self.scalar else len(self.wanting.q),)

    def _divisions(self) -> tuple[None, ...]:
        return unknown_divisions(1)

    def _rows(self) -> str:
        return self.name

    def blocks(self, *children: Blocks) -> Blocks:
        finish = ManyValues(self.meta, self.frame.meta, self.wanting.q, self.scalar)
        return quantile_blocks(self.frame, children[0], self.wanting, finish, "quantile", self.origin)


@dataclass(frozen=True)
class OneValue:
    """The one quantile of the one column."""

    def __call__(self, columns: list[pd.Series]) -> Any:
        return columns[0].iloc[0]


@dataclass(frozen=True)
class ManyValues:
    """The quantiles as a partition."""

    meta: Any
    of: Any
    q: tuple[float, ...]
    scalar: bool

    def __call__(self, columns: list[pd.Series]) -> Partition:
        if self.scalar:
            values = [column.iloc[0] for column in columns]
            made: Any = pd.Series(values, index=self.of.columns, dtype=self.meta.dtype, name=self.meta.name)
        elif isinstance(self.of, pd.Series):
            made = columns[0].set_axis(self._index()).rename(self.meta.name)
        else:
            made = pd.DataFrame(dict(enumerate(columns)), index=pd.RangeIndex(len(self.q))).set_axis(self._index())
            made.columns = self.of.columns
        return from_pandas(made, self.meta)

    def _index(self) -> pd.Index:
        return pd.Index(self.q, dtype=self.meta.index.dtype)


def quantile(frame: FrameExpr, q: Any, interpolation: str) -> FrameExpr | ScalarExpr:
    """Quantiles of a series or of the columns of a frame, as pandas makes them.

    Raises
    ------
    ValueError, TypeError
        As pandas: a quantile is not from 0 to 1, an interpolation is none, a column's values are no numbers.
    """
    scalar = pd.api.types.is_scalar(q)
    wanted = (float(q),) if scalar else tuple(float(one) for one in q)
    one_row(frame.meta).quantile(q, interpolation=interpolation)  # raises what pandas raises
    wanting = Wanting(wanted, interpolation)
    frame = without_index(frame)
    if scalar and isinstance(frame.meta, pd.Series):
        return Quantile(frame, wanting)
    return Quantiles(frame, wanting, scalar)
