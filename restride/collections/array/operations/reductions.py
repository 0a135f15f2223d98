"""Reductions, as data: what happens to a block, how partial results merge, and what the merged one becomes.

A partial result is an array, or a record of arrays that all keep the reduced axes with length 1. Elements that do not
count (NaN for some reductions, the masked ones of `numpy.ma`) are left out block by block: where a partial result needs
to know how many did count, it says so by element of the result.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array.chunks import Shape
from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations.elementwise import elementwise, where
from restride.collections.array.operations.masking import knows_masks
from restride.collections.array.operations.reduce_tree import Axes, Reduce, Reduction, normalized_axes

ALL_NAN = "All-NaN slice encountered"


def reduce(
    x: ArrayExpr, reduction: Reduction, axis: Any = None, *, keepdims: bool = False, dtype: np.dtype
) -> ArrayExpr:
    """Reduce an array along an axis, several, or (None) all.

    Raises
    ------
    numpy.exceptions.AxisError
        There is no such axis.
    ValueError
        An axis is given twice; there is nothing to reduce and the reduction has no identity; the reduction asks where
        elements are, and the lengths of blocks along the axes are not known.
    """
    axes = normalized_axes(axis, x.ndim)
    if x.size == 0 and not reduction.of_nothing:  # numpy knows which reductions of nothing are errors
        empty = np.zeros([min(length, 1) for length in x.shape], x.dtype)
        if reduction.positional:
            getattr(np, reduction.name)(empty, axis=None if len(axes) == x.ndim else axes[0])
        else:
            getattr(np, reduction.name)(empty, axis=axes)
    if reduction.positional and any(math.isnan(x.shape[axis]) for axis in axes):
        raise ValueError(
            f"{reduction.name} needs to know where blocks lie, and their lengths along axes {axes} are not known; "
            "call compute_chunk_sizes() on the array first"
        )
    return Reduce(x, reduction, axes, keepdims, dtype)


def moment(
    x: ArrayExpr, order: int, axis: Any, dtype: DTypeLike | None = None, *, ddof: float = 0, keepdims: bool = False
) -> ArrayExpr:
    """The central moment of an order of 0 or more.

    Raises
    ------
    ValueError
        The order is no integer, or negative.
    """
    if int(order) != order or order < 0:
        raise ValueError(f"the order of a moment must be an integer of 0 or more, got {order!r}")
    out = np.var(np.zeros(1, x.dtype), dtype=dtype).dtype
    moments = reduce(x, central_moment(max(int(order), 2), ddof), axis, keepdims=keepdims, dtype=out)
    return moments if order >= 2 else elementwise(np.full_like, moments, out.type(order == 0), out_dtype=out)


# ---- one ufunc ------------------------------------------------------------------------------------------------------


@knows_masks
def _reduce_by(ufunc: np.ufunc, block: Any, axes: Axes, dtype: np.dtype) -> Any:
    if isinstance(block, np.ma.MaskedArray):
        return _reduce_masked(ufunc, block, axes, _loop_dtype(dtype), True)
    return ufunc.reduce(block, axis=axes, dtype=_loop_dtype(dtype), keepdims=True)


def _loop_dtype(dtype: np.dtype) -> np.dtype | None:
    """What a ufunc is told to compute in; None for times, whose unit it will not be told and keeps anyway."""
    return None if dtype.kind in "mM" else dtype


def _reduce_masked(ufunc: np.ufunc, block: Any, axes: Axes, dtype: np.dtype | None, keepdims: bool) -> Any:
    """What has no unmasked element is masked in the result."""
    mask = np.ma.getmaskarray(block)
    data = np.where(mask, _neutral(ufunc, block), np.ma.getdata(block))
    values = ufunc.reduce(data, axis=axes, dtype=dtype, keepdims=keepdims)
    return np.ma.MaskedArray(values, mask.all(axis=axes, keepdims=keepdims))


def _neutral(ufunc: np.ufunc, block: Any) -> Any:
    if ufunc.identity is not None:
        return np.asarray(ufunc.identity).astype(block.dtype)
    if ufunc in (np.minimum, np.fmin):
        return np.ma.minimum_fill_value(block)
    return np.ma.maximum_fill_value(block)


def _accumulate(ufunc: np.ufunc, partials: Sequence[Any]) -> Any:
    total = partials[0]
    if any(isinstance(partial, np.ma.MaskedArray) for partial in partials):
        stacked = np.ma.stack(partials)
        dtype = _loop_dtype(stacked.dtype) if ufunc.identity is not None else None
        return _reduce_masked(ufunc, stacked, (0,), dtype, False)
    if isinstance(total, np.ndarray) and len(partials) > 1:
        total = ufunc(total, partials[1])
        for partial in partials[2:]:
            ufunc(total, partial, out=total)
        return total
    return functools.reduce(ufunc, partials)


def as_they_are(partial: Any, dtype: np.dtype) -> Any:
    """Finalize nothing."""
    return partial


def _by_ufunc(name: str, ufunc: np.ufunc, chunk: Callable[..., Any] = _reduce_by, of_nothing: bool = True) -> Reduction:
    chunk, combine = functools.partial(chunk, ufunc), functools.partial(_accumulate, ufunc)
    return Reduction(name, chunk, combine, as_they_are, of_nothing=of_nothing)


# ---- which elements count, and how many -----------------------------------------------------------------------------

Counted = Callable[[Any], "np.ndarray | None"]
"""Tells which elements of a block count; None if all do."""


def unmasked(block: Any) -> np.ndarray | None:
    """All but the masked ones."""
    return ~np.ma.getmaskarray(block) if isinstance(block, np.ma.MaskedArray) else None


def numbers(block: Any) -> np.ndarray | None:
    """All but NaN and the masked ones."""
    counted = unmasked(block)
    if block.dtype.kind not in "fcmM":
        return counted
    known = ~np.isnan(np.ma.getdata(block))
    return known if counted is None else known & counted


def _counted(which: Counted, block: Any, axes: Axes) -> tuple[np.ndarray, np.ndarray | None, Any]:
    """The block with 0 for what does not count, what counts, and how many do."""
    counted = which(block)
    if counted is None:
        return block, None, math.prod(block.shape[axis] for axis in axes)
    data = np.ma.getdata(block)
    return (
        np.where(counted, data, data.dtype.type(0)),
        counted,
        np.asarray(np.add.reduce(counted, axis=axes, keepdims=True)),
    )


def _per(total: Any, count: Any) -> Any:
    """Total by count; 0 where nothing counts."""
    if isinstance(count, np.ndarray):
        return np.true_divide(total, np.maximum(count, 1))
    return np.true_divide(total, count) if count else total


def _wide(dtype: np.dtype) -> np.dtype:
    """What sums of means are held in: as numpy does, float16 in float32."""
    return np.dtype(np.float32) if dtype == np.float16 else dtype


@dataclass(frozen=True, slots=True)
class Total:
    """Partial result of a mean: how many elements count, and their sum."""

    count: Any
    total: Any
    masked: bool


@knows_masks
def _total_chunk(which: Counted, block: Any, axes: Axes, dtype: np.dtype) -> Total:
    data, _, count = _counted(which, block, axes)
    total = np.add.reduce(data, axis=axes, dtype=_loop_dtype(_wide(dtype)), keepdims=True)
    return Total(count, total, isinstance(block, np.ma.MaskedArray))


def _total_combine(partials: Sequence[Total]) -> Total:
    counts, masked = [partial.count for partial in partials], any(partial.masked for partial in partials)
    return Total(functools.reduce(np.add, counts), _accumulate(np.add, [p.total for p in partials]), masked)


def _mean_finalize(partial: Total, dtype: np.dtype) -> Any:
    if not isinstance(partial.count, np.ndarray):
        return np.true_divide(partial.total, partial.count).astype(dtype, copy=False)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.true_divide(partial.total, partial.count).astype(dtype, copy=False)
    return np.ma.MaskedArray(mean, partial.count == 0) if partial.masked else mean


# ---- moments --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Moments:
    """Partial result of a variance and its kind: how many elements count, their mean, and sums of powers."""

    count: Any
    mean: Any
    sums: tuple[Any, ...]
    """Sums of the distances from the mean to the power of 2, 3, ...; for complex numbers, of their squared length."""
    masked: bool


@knows_masks
def _moments_chunk(which: Counted, order: int, block: Any, axes: Axes, dtype: np.dtype) -> Moments:
    data, counted, count = _counted(which, block, axes)
    kind = _wide(dtype) if block.dtype.kind != "c" else block.dtype
    mean = _per(np.add.reduce(data, axis=axes, dtype=kind, keepdims=True), count)
    distance = data - mean
    if counted is not None:
        distance = np.where(counted, distance, distance.dtype.type(0))
    power, sums = distance, []
    for k in range(2, order + 1):
        power = _squared(distance) if k == 2 else power * distance
        sums.append(np.add.reduce(power, axis=axes, dtype=_wide(dtype), keepdims=True))
    return Moments(count, mean, tuple(sums), isinstance(block, np.ma.MaskedArray))


def _squared(distance: Any) -> Any:
    return np.multiply(distance, distance.conj()).real if np.iscomplexobj(distance) else np.multiply(distance, distance)


def _moments_combine(partials: Sequence[Moments]) -> Moments:
    """Merge pairwise; the updates of Chan, Golub and LeVeque, and of Pébay, are stable where sums of powers are not."""
    while len(partials) > 1:
        pairs = [_merged(a, b) for a, b in zip(partials[::2], partials[1::2])]
        partials = [*pairs, partials[-1]] if len(partials) % 2 else pairs
    return partials[0]


def _merged(a: Moments, b: Moments) -> Moments:
    count = a.count + b.count
    if not isinstance(count, np.ndarray) and not count:
        return a
    whole = np.maximum(count, 1)
    of_a, of_b = a.count / whole, b.count / whole
    distance = b.mean - a.mean
    shift_a, shift_b = -distance * of_b, distance * of_a
    sums = []
    for k, (sum_a, sum_b) in enumerate(zip(a.sums, b.sums), 2):
        if k == 2:
            merged = sum_a + sum_b + _squared(distance) * (a.count * of_b)
        else:
            merged = sum_a + sum_b + a.count * shift_a**k + b.count * shift_b**k
        for i in range(1, k - 1):
            merged = merged + math.comb(k, i) * (shift_a**i * a.sums[k - i - 2] + shift_b**i * b.sums[k - i - 2])
        sums.append(merged.astype(sum_a.dtype, copy=False))
    mean = (a.mean + distance * of_b).astype(a.mean.dtype, copy=False)
    return Moments(count, mean, tuple(sums), a.masked or b.masked)


def _freedom(partial: Moments, ddof: float) -> Any:
    return np.maximum(partial.count - ddof, 0)


def _moment_finalize(partial: Moments, dtype: np.dtype, *, order: int, ddof: float) -> Any:
    freedom = _freedom(partial, ddof)
    if not isinstance(partial.count, np.ndarray):
        return np.true_divide(partial.sums[order - 2], freedom).astype(dtype, copy=False)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(freedom > 0, np.true_divide(partial.sums[order - 2], freedom), np.nan)
    value = value.astype(dtype, copy=False)
    return np.ma.MaskedArray(value, freedom <= 0) if partial.masked else value


def _deviation_finalize(partial: Moments, dtype: np.dtype, *, ddof: float) -> Any:
    # numpy takes the root in the dtype that sums are held in: float32 for float16
    return np.sqrt(_moment_finalize(partial, _wide(dtype), order=2, ddof=ddof)).astype(dtype, copy=False)


def _standardized_finalize(partial: Moments, dtype: np.dtype, *, order: int) -> Any:
    """The central moment in units of the standard deviation; NaN for values that are all equal, up to rounding."""
    variance, moment = (_moment_finalize(partial, dtype, order=k, ddof=0) for k in (2, order))
    rounding = np.abs(np.finfo(dtype).resolution * partial.mean) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return where(variance <= rounding, np.nan, moment / variance ** (order / 2)).astype(dtype, copy=False)


# ---- places ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Located:
    """Partial result of argmin and argmax: extreme values, and where in the array they are first met."""

    values: Any
    numbers: Any


@knows_masks
def _arg_chunk(
    find: Callable[..., Any], block: Any, axes: Axes, dtype: np.dtype, where: tuple[Shape, Sequence[int]]
) -> Located:
    shape, corner = where
    least = find in (np.argmin, _nanargmin)
    if isinstance(block, np.ma.MaskedArray):
        block = block.filled(np.ma.minimum_fill_value(block) if least else np.ma.maximum_fill_value(block))
    block = np.asarray(block)
    if len(axes) == 1:
        (axis,) = axes
        numbers = find(block, axis=axis, keepdims=True)
        return Located(np.take_along_axis(block, numbers, axis), numbers + corner[axis])
    first = np.unravel_index(find(block), block.shape) if block.ndim else ()
    number = np.ravel_multi_index([a + b for a, b in zip(first, corner)], shape) if block.ndim else 0
    ones = (1,) * block.ndim
    return Located(block[first].reshape(ones), np.asarray(number, np.intp).reshape(ones))


def _nanargmin(block: np.ndarray, axis: int | None = None, keepdims: bool = False) -> Any:
    return np.argmin(replace_nan(block, value=np.inf), axis, keepdims=keepdims)


def _nanargmax(block: np.ndarray, axis: int | None = None, keepdims: bool = False) -> Any:
    return np.argmax(replace_nan(block, value=-np.inf), axis, keepdims=keepdims)


def _arg_combine(extreme: Callable[..., Any], partials: Sequence[Located]) -> Located:
    """Of equal values, the one met first in the array, whichever block it is in; NaN as the extreme has it."""
    values = np.stack([partial.values for partial in partials])
    numbers = np.stack([partial.numbers for partial in partials])
    best = extreme(values, axis=0)
    winners = (values == best) | ((values != values) & (best != best))
    return Located(best, np.where(winners, numbers, np.iinfo(np.intp).max).min(axis=0))


def _arg_finalize(located: Located, dtype: np.dtype) -> Any:
    return located.numbers


def _nanarg_finalize(located: Located, dtype: np.dtype) -> Any:
    if np.any(located.values != located.values):
        raise ValueError(ALL_NAN)
    return located.numbers


def _arg(name: str, find: Callable[..., Any], extreme: Callable[..., Any]) -> Reduction:
    chunk, combine = functools.partial(_arg_chunk, find), functools.partial(_arg_combine, extreme)
    finalize = _nanarg_finalize if name.startswith("nan") else _arg_finalize
    return Reduction(name, chunk, combine, finalize, positional=True, of_nothing=False)


# ---- the reductions themselves --------------------------------------------------------------------------------------


@knows_masks
def replace_nan(block: Any, *, value: Any) -> Any:
    """Kernel: a block with a number instead of NaN."""
    if isinstance(block, np.ma.MaskedArray):
        return np.ma.MaskedArray(replace_nan(block.data, value=value), block.mask, fill_value=block.fill_value)
    return np.where(np.isnan(block), block.dtype.type(value), block) if block.dtype.kind in "fc" else block


def without_nan(x: ArrayExpr, value: Any) -> ArrayExpr:
    """The array with a number instead of NaN; itself if its dtype knows no NaN."""
    return elementwise(replace_nan, x, value=value, out_dtype=x.dtype) if x.dtype.kind in "fc" else x


SUM = _by_ufunc("sum", np.add)
PROD = _by_ufunc("prod", np.multiply)
MIN = _by_ufunc("min", np.minimum, of_nothing=False)
MAX = _by_ufunc("max", np.maximum, of_nothing=False)
NANMIN = _by_ufunc("nanmin", np.fmin, of_nothing=False)
NANMAX = _by_ufunc("nanmax", np.fmax, of_nothing=False)
ANY = _by_ufunc("any", np.logical_or)
ALL = _by_ufunc("all", np.logical_and)
MEAN = Reduction("mean", functools.partial(_total_chunk, unmasked), _total_combine, _mean_finalize)
NANMEAN = Reduction("nanmean", functools.partial(_total_chunk, numbers), _total_combine, _mean_finalize)
ARGMIN = _arg("argmin", np.argmin, np.min)
ARGMAX = _arg("argmax", np.argmax, np.max)
NANARGMIN = _arg("nanargmin", _nanargmin, np.fmin.reduce)
NANARGMAX = _arg("nanargmax", _nanargmax, np.fmax.reduce)


def _of_moments(name: str, order: int, finalize: Callable[..., Any], which: Counted = unmasked) -> Reduction:
    return Reduction(name, functools.partial(_moments_chunk, which, order), _moments_combine, finalize)


def variance(ddof: float, *, which: Counted = unmasked) -> Reduction:
    """Variance, with ``n - ddof`` degrees of freedom."""
    return _of_moments("var", 2, functools.partial(_moment_finalize, order=2, ddof=ddof), which)


def deviation(ddof: float, *, which: Counted = unmasked) -> Reduction:
    """Standard deviation, with ``n - ddof`` degrees of freedom."""
    return _of_moments("std", 2, functools.partial(_deviation_finalize, ddof=ddof), which)


def central_moment(order: int, ddof: float = 0) -> Reduction:
    """The central moment of an order of 2 or more, with ``n - ddof`` degrees of freedom."""
    return _of_moments("moment", order, functools.partial(_moment_finalize, order=order, ddof=ddof))


def standardized_moment(order: int) -> Reduction:
    """The central moment in units of the standard deviation: skewness (3) and kurtosis (4)."""
    return _of_moments("moment", order, functools.partial(_standardized_finalize, order=order))
