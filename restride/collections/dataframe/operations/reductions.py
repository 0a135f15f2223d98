"""Reductions of columns to single values, as pandas makes them: sums, means, variances, extremes, counts.

Each partition gives for each column how many rows it has, how many are there, and a value; missing ones are skipped or
spoil the result, as asked. Moments are merged by the formulas of Chan, Golub and LeVeque (1979), so that nothing is
lost to cancellation.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.dataframe.expr import FrameExpr, ScalarExpr, Wanted
from restride.collections.dataframe.meta import Meta, column_dtypes, describe, series_of
from restride.collections.dataframe.operations.selection import narrow, without_index
from restride.collections.dataframe.operations.tree import Reduced, ReducedScalar, Steps
from restride.collections.dataframe.partition import Partition, from_results, n_rows, to_pandas
from restride.collections.expression import tokenize

MOMENTS = {"mean": 1, "var": 2, "std": 2, "sem": 2, "skew": 3, "kurt": 4}
"""How many central moments a statistic takes."""


@dataclass(frozen=True)
class Statistic:
    """A reduction of a column by name, with pandas' arguments."""

    name: str
    skipna: bool = True
    min_count: int = 0
    ddof: int = 1

    def of(self, values: Any) -> Any:
        """What pandas makes of a series."""
        kwargs: dict[str, Any] = {} if self.name == "count" else {"skipna": self.skipna}
        if self.name in ("sum", "prod"):
            kwargs["min_count"] = self.min_count
        if self.name in ("var", "std", "sem"):
            kwargs["ddof"] = self.ddof
        return getattr(values, self.name)(**kwargs)


@dataclass(frozen=True)
class ColumnPartials:
    """Kernel: for each column of a partition ``(rows, rows that are there, value)``."""

    statistic: Statistic
    meta: Any
    __name__ = "reduce"

    def __call__(self, partition: Partition) -> list[tuple[int, int, Any]]:
        value = to_pandas(partition, self.meta, index=False)
        columns = series_of(value)
        return [self._partial(column) for column in columns]

    def _partial(self, values: pd.Series) -> tuple[int, int, Any]:
        there = int(values.count())
        used = there if self.statistic.skipna else len(values)
        if self.statistic.name == "count" or not used:
            return len(values), there, None
        if self.statistic.name in MOMENTS:
            return len(values), there, moments_of(values, MOMENTS[self.statistic.name], self.statistic.skipna)
        plain = Statistic(self.statistic.name, self.statistic.skipna)
        return len(values), there, plain.of(values)


@dataclass(frozen=True)
class CombinePartials:
    """Kernel: partial results of several runs of partitions as those of one."""

    statistic: Statistic
    dtypes: tuple[Any, ...]
    __name__ = "combine"

    def __call__(self, *partials: list[tuple[int, int, Any]]) -> list[tuple[int, int, Any]]:
        return [self._combined(column, dtype) for column, dtype in zip(zip(*partials), self.dtypes)]

    def _combined(self, parts: Sequence[tuple[int, int, Any]], dtype: Any) -> tuple[int, int, Any]:
        rows, there = sum(part[0] for part in parts), sum(part[1] for part in parts)
        values = [part[2] for part in parts if part[2] is not None]
        if not values:
            return rows, there, None
        if self.statistic.name in MOMENTS:
            return rows, there, merged_moments(values)
        if len(values) == 1:
            return rows, there, values[0]
        kept = self.statistic.name in ("min", "max")
        series = pd.Series(values, dtype=dtype) if kept and dtype is not None else pd.Series(values)
        return rows, there, Statistic(self.statistic.name, skipna=self.statistic.skipna).of(series)


@dataclass(frozen=True)
class FinishColumn:
    """Kernel: the value of the one column."""

    statistic: Statistic
    meta: Any
    __name__ = "finish"

    def __call__(self, partials: list[tuple[int, int, Any]]) -> Any:
        empty = self.meta if isinstance(self.meta, pd.Series) else self.meta.iloc[:, 0]
        return finished(self.statistic, partials[0], empty)


@dataclass(frozen=True)
class FinishColumns:
    """Kernel: the values of all columns, as a series by their labels."""

    statistic: Statistic
    frame_meta: Any
    meta: Any
    __name__ = "finish"

    def __call__(self, partials: list[tuple[int, int, Any]]) -> Partition:
        meta = self.frame_meta
        values = [finished(self.statistic, part, meta.iloc[:, i]) for i, part in enumerate(partials)]
        dtype = self.meta.dtype
        if dtype.kind in "iu" and any(value is None or value != value for value in values):
            dtype = np.dtype(float)
        return from_results(pd.Series(values, index=meta.columns, dtype=dtype), self.meta)


def finished(statistic: Statistic, partial: tuple[int, int, Any], empty: pd.Series) -> Any:
    """The value of a statistic, given the partial result of all rows."""
    _, there, value = partial
    if statistic.name == "count":
        return np.int64(there)
    if value is None:
        return statistic.of(empty)
    if statistic.name in ("sum", "prod") and there < statistic.min_count:
        return np.nan
    if statistic.name in MOMENTS:
        return from_moments(statistic, value, empty)
    return value


Moments = tuple[float, float, tuple[float, ...]]
"""Count, mean, and sums of the powers 2, 3, 4 of deviations from it; all NaN where a missing value spoils them."""


def moments_of(values: pd.Series, order: int, skipna: bool) -> Any:
    """Count, mean and central moments of a series of numbers; dates and durations by their integers."""
    if values.dtype.kind in "mM" or isinstance(values.dtype, pd.DatetimeTZDtype):
        present = values.dropna()
        if len(present) < len(values) and not skipna:
            return (math.nan, math.nan, (math.nan,) * (order - 1))
        # exact: integers of Python, of which order 1 needs no float
        numbers: Any = present.astype("int64").to_numpy()
        total = int(numbers.astype(object).sum()) if order == 1 else None
        if order == 1:
            return (len(numbers), total, ("exact",))
        numbers = numbers.astype(float)
    else:
        if values.dtype == object or isinstance(values.dtype, pd.StringDtype):
            raise TypeError(f"Cannot perform reduction 'mean' with {values.dtype} dtype")
        numbers = values.astype("float64").to_numpy() if values.dtype.kind != "c" else values.to_numpy()
        if skipna:
            missing = np.isnan(numbers)
            if missing.any():
                numbers = numbers[~missing]
    n = len(numbers)
    if not n:
        return None
    mean = float(numbers.sum()) / n
    if order == 1:
        return (n, mean, ())
    deviations = numbers - mean
    powers = []
    power = deviations * deviations
    for _ in range(order - 1):
        powers.append(float(power.sum()))
        power = power * deviations if len(powers) < order - 1 else power
    return (n, mean, tuple(powers))


def merged_moments(parts: Sequence[Any]) -> Any:
    """The moments of all rows, given those of disjoint parts."""
    merged = parts[0]
    for part in parts[1:]:
        merged = _merged_two(merged, part)
    return merged


def _merged_two(a: Any, b: Any) -> Any:
    (na, ma, pa_), (nb, mb, pb) = a, b
    n = na + nb
    if pa_ == ("exact",):
        return (n, ma + mb, ("exact",))
    delta = mb - ma
    # weighted, so that equal means stay as they are
    mean = ma + delta * (nb / n)
    powers = []
    if pa_:
        powers.append(pa_[0] + pb[0] + delta**2 * na * nb / n)
    if len(pa_) > 1:
        third = pa_[1] + pb[1] + delta**3 * na * nb * (na - nb) / n**2
        powers.append(third + 3 * delta * (na * pb[0] - nb * pa_[0]) / n)
    if len(pa_) > 2:
        fourth = pa_[2] + pb[2] + delta**4 * na * nb * (na**2 - na * nb + nb**2) / n**3
        fourth += 6 * delta**2 * (na**2 * pb[0] + nb**2 * pa_[0]) / n**2
        powers.append(fourth + 4 * delta * (na * pb[1] - nb * pa_[1]) / n)
    return (n, mean, tuple(powers))


def from_moments(statistic: Statistic, moments: Any, empty: pd.Series) -> Any:
    """A mean, variance, skewness or kurtosis with pandas' corrections for bias."""
    n, mean, powers = moments
    name, ddof = statistic.name, statistic.ddof
    if name == "mean":
        return _mean_of_integers(mean, n, empty) if powers == ("exact",) else _like_float(mean, empty)
    if name in ("var", "std", "sem"):
        variance = powers[0] / (n - ddof) if n > ddof else math.nan
        if name == "var":
            return _like_float(variance, empty)
        deviation = math.sqrt(variance)
        if name == "std":
            return _duration(deviation, empty) if empty.dtype.kind in "mM" else _like_float(deviation, empty)
        return _like_float(deviation / math.sqrt(n), empty)
    return _like_float(_skewness(n, *powers) if name == "skew" else _kurtosis(n, *powers), empty)


def _skewness(n: int, m2: float, m3: float) -> float:
    if n < 3:
        return math.nan
    return 0.0 if m2 == 0 else n * math.sqrt(n - 1) / (n - 2) * m3 / m2**1.5


def _kurtosis(n: int, m2: float, _: float, m4: float) -> float:
    if n < 4:
        return math.nan
    if m2 == 0:
        return 0.0
    adjust = 3 * (n - 1) ** 2 / ((n - 2) * (n - 3))
    return n * (n + 1) * (n - 1) * m4 / ((n - 2) * (n - 3) * m2**2) - adjust


def _like_float(value: Any, empty: pd.Series) -> Any:
    if isinstance(value, complex):
        return value
    return np.float32(value) if empty.dtype == np.float32 else np.float64(value)


def _mean_of_integers(total: int, n: int, empty: pd.Series) -> Any:
    """A mean of dates or durations, towards zero as pandas'."""
    number = abs(total) // n * (-1 if total < 0 else 1)
    return pd.Series([number], dtype="int64").astype(empty.dtype).iloc[0]


def _duration(value: float, empty: pd.Series) -> Any:
    """What is as far as that from dates or durations, in their unit."""
    if math.isnan(value):
        return pd.NaT
    unit = empty.dt.unit
    return pd.Series([int(value)], dtype="int64").astype(f"timedelta64[{unit}]").iloc[0]


def reduction(frame: FrameExpr, statistic: Statistic, *, numeric_only: bool = False) -> FrameExpr | ScalarExpr:
    """A statistic of a series, a scalar; or of each column of a frame, a series by their labels."""
    meta = frame.meta
    if isinstance(meta, pd.DataFrame) and numeric_only:
        numeric = [i for i, d in enumerate(meta.dtypes) if is_numeric(d)]
        frame = narrow(frame, Wanted(tuple(numeric), False))
    frame = without_index(frame)
    meta = frame.meta
    sample = statistic.of(one_row(meta))  # raises as pandas does
    partial = ColumnPartials(statistic, meta)
    combine = CombinePartials(statistic, tuple(column_dtypes(meta)))
    if isinstance(meta, pd.DataFrame):
        result: pd.Series = sample.iloc[:0]
        steps = Steps(partial, combine, FinishColumns(statistic, meta, result))
        return Reduced(frame, steps, result, statistic.name, columns_as_rows(meta))
    dtype = getattr(sample, "dtype", None) or pd.Series([sample]).dtype
    return ReducedScalar(frame, Steps(partial, combine, FinishColumn(statistic, meta)), dtype, statistic.name)


def columns_as_rows(meta: pd.DataFrame) -> str:
    """The `rows` of a series that has a value for each column of a frame."""
    return f"columns {tokenize(*describe(meta)[1:2])}"


def is_numeric(dtype: Any) -> bool:
    """Whether pandas counts a dtype as one of numbers; truth values are."""
    return bool(pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype))


def one_row(meta: Meta) -> Any:
    """An object of one row, whatever values, of a meta's dtypes: what pandas tells dtypes of reductions by."""
    if isinstance(meta, pd.DataFrame):
        columns = {i: _one(dtype) for i, dtype in enumerate(meta.dtypes)}
        frame = pd.DataFrame(columns, index=[0])
        frame.columns = meta.columns
        return frame
    return pd.Series(_one(meta.dtype), name=meta.name)


def _one(dtype: Any) -> pd.Series:
    if isinstance(dtype, pd.CategoricalDtype):
        return pd.Series(pd.Categorical.from_codes([0 if len(dtype.categories) else -1], dtype=dtype))
    if isinstance(dtype, pd.StringDtype):
        return pd.Series(["a"], dtype=dtype)
    if pd.api.types.is_object_dtype(dtype):
        return pd.Series(["a"], dtype=object)
    if isinstance(dtype, pd.PeriodDtype):
        return pd.Series(pd.PeriodIndex.from_ordinals([1], freq=dtype.freq))
    try:
        return pd.Series([1], dtype="int64").astype(dtype)
    except (TypeError, ValueError):
        return pd.Series([None]).astype(dtype)


@dataclass(frozen=True)
class AddUp:
    """Kernel: the sum of numbers."""

    __name__ = "add"

    def __call__(self, *counts: int) -> int:
        return sum(counts)


def count_rows(frame: FrameExpr) -> ScalarExpr:
    """How many rows there are."""
    steps = Steps(n_rows, AddUp(), operator.pos)
    return ReducedScalar(narrow(frame, Wanted((), False)), steps, np.dtype(np.int64), "len")
