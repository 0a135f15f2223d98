"""Aggregates by their names: the states that each is made of, and how it follows from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from restride.collections.dataframe.kernels.encoding import to_numpy
from restride.collections.dataframe.kernels.group_lists import (
    Collected,
    Distinct,
    joined_strings,
    list_lengths,
    quantiles,
)
from restride.collections.dataframe.kernels.group_states import (
    Comoments,
    Count,
    Edge,
    Extreme,
    Moments,
    Place,
    Product,
    Size,
    State,
    Sum,
    Truth,
    is_number,
)


@dataclass(frozen=True)
class Aggregate:
    """One column of a result by groups."""

    states: tuple[State, ...]
    finish: Callable[..., pa.Array]
    """The values, given the states; null where there is none."""
    kind: pa.DataType | None = None
    """The type of the result; that which `finish` gives if None."""
    nullable: bool = False
    """Whether missing numbers with a fraction are null, and not NaN."""
    codes: bool = False
    """Whether the result holds codes of categories."""

    def values(self, states: list[pa.Array]) -> pa.Array:
        """The column as it is stored."""
        column = self.finish(*states)
        if self.kind is not None and column.type != self.kind:
            column = pc.cast(column, self.kind, safe=False)
        if self.codes:
            return pc.fill_null(column, -1)
        if pa.types.is_floating(column.type) and not self.nullable and column.null_count:
            return pc.fill_null(column, np.nan)
        return column


@dataclass(frozen=True)
class Source:
    """The column that an aggregate is of."""

    column: int
    kind: pa.DataType
    codes: bool = False
    labels: tuple[int, ...] = field(default=())
    """The columns that label rows, for aggregates that give labels."""


def states_of(name: str, source: Source, **options: Any) -> Aggregate | None:
    """An aggregate of a column; None if there is none of this name for columns of this type.

    Parameters
    ----------
    name : str
        As in pandas.
    source : Source
    **options
        As in pandas: ``min_count``, ``ddof``, ``skipna``, ``q``, ``interpolation``, ``dropna``.
    """
    if name in ("idxmin", "idxmax") and not source.labels:
        return None
    if options.get("skipna", True) is not True and name not in ("first", "last"):
        return None
    makers = _FOR_ALL if name in _FOR_ALL else _FOR_NUMBERS if is_number(source.kind) and not source.codes else {}
    if name == "sum" and not makers and pa.types.is_string(source.kind):
        return _sum_of_strings(source, **options)
    if name not in makers or (pa.types.is_timestamp(source.kind) and name not in _FOR_TIMES):
        return None
    if pa.types.is_duration(source.kind) and name in _NOT_FOR_DURATIONS:
        return None
    return makers[name](source, **options)


def comoments_of(x: int, y: int, ddof: int, correlation: bool, min_periods: int = 1) -> Aggregate:
    """The covariance or correlation of two columns, of numbers; of at least some rows that have both."""
    return Aggregate((Comoments(x, y),), partial(_covariance, ddof, correlation, min_periods), pa.float64())


def _size(source: Source) -> Aggregate:
    return Aggregate((Size(),), same)


def _count(source: Source) -> Aggregate:
    return Aggregate((Count(source.column, source.codes),), same)


def _sum(source: Source, min_count: int = 0, **_: Any) -> Aggregate:
    return _at_least(min_count, source, Sum(source.column))


def _prod(source: Source, min_count: int = 0, **_: Any) -> Aggregate:
    return _at_least(min_count, source, Product(source.column))


def _sum_of_strings(source: Source, min_count: int = 0, **_: Any) -> Aggregate | None:
    return Aggregate((Collected(source.column),), joined_strings) if min_count <= 0 else None


def _extreme(greatest: bool, source: Source, min_count: int = -1, **_: Any) -> Aggregate:
    return _at_least(min_count, source, Extreme(source.column, greatest, source.codes))


def _edge(last: bool, source: Source, min_count: int = -1, skipna: bool = True, **_: Any) -> Aggregate:
    return _at_least(min_count, source, Edge(source.column, last, source.codes, skipna))


def _at_least(min_count: int, source: Source, state: State) -> Aggregate:
    if min_count <= 0:
        return Aggregate((state,), same)
    return Aggregate((state, Count(source.column, source.codes)), partial(_unless_few, min_count))


def _mean(source: Source, **_: Any) -> Aggregate:
    if pa.types.is_temporal(source.kind):
        return Aggregate((Moments(source.column, 1),), _mean_of_moments)
    return Aggregate((Sum(source.column), Count(source.column)), _quotient)


def _spread(root: bool, per_count: bool, source: Source, ddof: int = 1, **_: Any) -> Aggregate:
    return Aggregate((Moments(source.column),), partial(_variance, ddof, root, per_count))


def _skew(source: Source, **_: Any) -> Aggregate:
    return Aggregate((Moments(source.column, 3),), _skewness)


def _kurt(source: Source, **_: Any) -> Aggregate:
    return Aggregate((Moments(source.column, 4),), _kurtosis)


def _truth(every: bool, source: Source, **_: Any) -> Aggregate | None:
    if not (is_number(source.kind) or pa.types.is_string(source.kind)) or source.codes:
        return None
    return Aggregate((Truth(source.column, every),), same)


def _place(greatest: bool, source: Source, **_: Any) -> Aggregate:
    name = "idxmax" if greatest else "idxmin"
    return Aggregate((Place(source.column, source.labels, greatest),), partial(_label, name))


def _nunique(source: Source, dropna: bool = True, **_: Any) -> Aggregate:
    return Aggregate((Distinct(source.column, dropna, source.codes, in_order=False),), _lengths)


def _unique(source: Source, **_: Any) -> Aggregate:
    return Aggregate((Distinct(source.column, False, source.codes),), same)


def _list(source: Source, **_: Any) -> Aggregate:
    return Aggregate((Collected(source.column, False, source.codes),), same)


def _median(source: Source, **_: Any) -> Aggregate:
    return Aggregate((Collected(source.column),), partial(quantiles, q=0.5, interpolation="midpoint"))


def _quantile(source: Source, q: float = 0.5, interpolation: str = "linear", **_: Any) -> Aggregate:
    return Aggregate((Collected(source.column),), partial(quantiles, q=q, interpolation=interpolation))


_NOT_FOR_DURATIONS = ("prod", "var", "std", "sem", "skew", "kurt", "median", "quantile")
_FOR_ALL: dict[str, Callable[..., Aggregate | None]] = {
    "size": _size,
    "count": _count,
    "min": partial(_extreme, False),
    "max": partial(_extreme, True),
    "first": partial(_edge, False),
    "last": partial(_edge, True),
    "any": partial(_truth, False),
    "all": partial(_truth, True),
    "nunique": _nunique,
    "unique": _unique,
    "list": _list,
}

_FOR_NUMBERS: dict[str, Callable[..., Aggregate | None]] = {
    "sum": _sum,
    "prod": _prod,
    "mean": _mean,
    "var": partial(_spread, False, False),
    "std": partial(_spread, True, False),
    "sem": partial(_spread, True, True),
    "skew": _skew,
    "kurt": _kurt,
    "idxmin": partial(_place, False),
    "idxmax": partial(_place, True),
    "median": _median,
    "quantile": _quantile,
}

_FOR_TIMES = frozenset([*_FOR_ALL, "mean", "idxmin", "idxmax"]) - {"any", "all"}


def same(state: pa.Array) -> pa.Array:
    """The state as the result."""
    return state


def _lengths(lists: pa.Array) -> pa.Array:
    return pa.array(list_lengths(lists))


def _unless_few(min_count: int, state: pa.Array, counts: pa.Array) -> pa.Array:
    few = to_numpy(counts) < min_count
    return pc.if_else(pa.array(few), pa.scalar(None, state.type), state) if few.any() else state


def _quotient(total: pa.Array, counts: pa.Array) -> pa.Array:
    n = to_numpy(counts)
    return _where(np.divide(to_numpy(total), n, out=np.zeros(len(n)), where=n > 0), n > 0)


def _mean_of_moments(moments: pa.Array) -> pa.Array:
    n, mean = map(to_numpy, moments.flatten())
    return _where(mean.astype(np.int64), n > 0)


def _variance(ddof: int, root: bool, per_count: bool, moments: pa.Array) -> pa.Array:
    n, _, square = map(to_numpy, moments.flatten())
    there = n > ddof
    result = np.divide(square, n - ddof, out=np.zeros_like(square), where=there)
    result = np.sqrt(result) if root else result
    return _where(np.divide(result, np.sqrt(n), out=result, where=there) if per_count else result, there)


def _skewness(moments: pa.Array) -> pa.Array:
    n, _, m2, m3 = map(to_numpy, moments.flatten())
    there = n >= 3
    with np.errstate(divide="ignore", invalid="ignore"):
        result = (n * np.sqrt(n - 1) / (n - 2)) * (m3 / m2**1.5)
    return _where(result, there & (m2 > 0))


def _kurtosis(moments: pa.Array) -> pa.Array:
    n, _, m2, _, m4 = map(to_numpy, moments.flatten())
    there = n >= 4
    with np.errstate(divide="ignore", invalid="ignore"):
        result = n * (n + 1) * (n - 1) * m4 / ((n - 2) * (n - 3) * m2**2) - 3 * (n - 1) ** 2 / ((n - 2) * (n - 3))
    return _where(result, there & (m2 > 0))


def _covariance(ddof: int, correlation: bool, min_periods: int, comoments: pa.Array) -> pa.Array:
    n, x, y, xx, yy, xy = map(to_numpy, comoments.flatten())
    with np.errstate(divide="ignore", invalid="ignore"):
        if correlation:
            there = (n >= min_periods) & _varies(n, x, xx) & _varies(n, y, yy)
            return _where(np.clip(xy / np.sqrt(xx * yy), -1, 1), there)
        return _where(xy / (n - ddof), n >= max(ddof + 1, min_periods))


def _varies(n: np.ndarray, mean: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Whether values differ by more than what rounding makes of their mean, squared distances from it told."""
    return squares > n * np.square(4 * np.finfo(float).eps * mean)


def _label(name: str, places: pa.Array) -> pa.Array:
    value, label = places.flatten()[:2]
    if value.null_count:
        raise ValueError(f"{name} of a group that has no values but missing ones")
    return label


def _where(values: np.ndarray, there: np.ndarray) -> pa.Array:
    return pa.array(values, mask=None if there.all() else ~there)
