"""Padding: what numpy's `pad` puts around an array, axis by axis, as pieces of its own that are concatenated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from restride.collections.array.chunks import Chunks, is_unknown, known
from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations.along_axis import with_whole_axis
from restride.collections.array.operations.cuts import WHOLE
from restride.collections.array.operations.elementwise import astype, elementwise
from restride.collections.array.operations.manipulation import broadcast_to, concatenate
from restride.collections.array.operations.map_blocks import MapBlocks
from restride.collections.array.operations.masked import constant_block, to_plain
from restride.collections.array.operations.rechunk import in_one_block, rechunk
from restride.collections.array.operations.reductions import MAX, MIN, reduce
from restride.collections.array.operations.slicing import getitem
from restride.collections.array.operations.sources import full

Widths = tuple[int, int]
"""How many elements are put before and after those of an axis."""


def pad(x: ArrayExpr, pad_width: Any, mode: str | Callable[..., Any], options: Mapping[str, Any]) -> ArrayExpr:
    """An array with elements put before and after its own along each axis; see `numpy.pad`.

    Raises
    ------
    ValueError, TypeError
        What numpy raises for such widths, modes and options.
    """
    widths = _widths(pad_width, x.ndim)
    trial = np.zeros([min(len(c) and 1, sum(c) if w == (0, 0) else 1) for c, w in zip(x.chunks, widths)], x.dtype)
    if callable(mode):
        return _pad_by_function(x, widths, mode, dict(options))
    np.pad(trial, [(min(before, 1), min(after, 1)) for before, after in widths], mode, **options)  # type: ignore[call-overload]
    pad_axis = _MODES[mode]
    settings = {name: _pairs(value, x.ndim) for name, value in options.items() if name != "reflect_type"}
    odd = options.get("reflect_type", "even") == "odd"
    for axis, width in enumerate(widths):
        if width == (0, 0):
            continue
        if not sum(known(x.chunks[axis])) and mode not in ("constant", "empty"):
            raise ValueError(f"can't extend empty axis {axis} using modes other than 'constant' or 'empty'")
        of_axis = {name: pairs[axis] for name, pairs in settings.items()}
        if mode in ("reflect", "symmetric"):
            of_axis["odd"] = odd
        x = pad_axis(x, axis, width, **of_axis)
    return x


def pad_constant(x: ArrayExpr, axis: int, width: Widths, constant_values: Sequence[Any] = (0, 0)) -> ArrayExpr:
    """One value before and one after."""
    before, after = (
        _constant(x, axis, n, np.asarray(value).astype(x.dtype)) for n, value in zip(width, constant_values)
    )
    return concatenate([before, x, after], axis)


def _constant(x: ArrayExpr, axis: int, n: int, value: np.ndarray) -> ArrayExpr:
    """`n` times one value along an axis, otherwise as the array."""
    if any(map(is_unknown, x.chunks)):
        one = to_plain(constant_block, _part(x, axis, slice(0, 1)), dtype=x.dtype, value=value)
        return _stretched(one, axis, n, x)
    return full(_with_axis(x, axis, n), value, x.dtype)


def pad_edge(x: ArrayExpr, axis: int, width: Widths) -> ArrayExpr:
    """The first element before and the last after."""
    first, last = (_part(x, axis, cut) for cut in (slice(0, 1), slice(-1, None)))
    return concatenate([_stretched(first, axis, width[0], x), x, _stretched(last, axis, width[1], x)], axis)


def pad_reflect(x: ArrayExpr, axis: int, width: Widths, *, odd: bool = False) -> ArrayExpr:
    """Mirrored at the first and the last element, which are not repeated."""
    if x.shape[axis] == 1:  # numpy's way out of having nothing to mirror
        return pad_edge(x, axis, width)
    return _mirrored(x, axis, width, odd, edge=0)


def pad_symmetric(x: ArrayExpr, axis: int, width: Widths, *, odd: bool = False) -> ArrayExpr:
    """Mirrored at the edges, so that the first and the last element are repeated."""
    return _mirrored(x, axis, width, odd, edge=1)


def pad_wrap(x: ArrayExpr, axis: int, width: Widths) -> ArrayExpr:
    """As if the array went on from the start where it ends."""
    length = x.shape[axis]
    (before_whole, before), (after_whole, after) = (divmod(n, length) for n in width)
    parts = [_part(x, axis, slice(length - before, None))] if before else []
    parts += [x] * (before_whole + 1 + after_whole)
    parts += [_part(x, axis, slice(0, after))] if after else []
    return concatenate(parts, axis)


def _pad_ramp(x: ArrayExpr, axis: int, width: Widths, end_values: Sequence[Any] = (0, 0)) -> ArrayExpr:
    parts = [x]
    for number, (n, value) in enumerate(zip(width, end_values)):
        edge = in_one_block(_part(x, axis, slice(-1, None) if number else slice(0, 1)), [axis])
        chunks = _with_axis(x, axis, n, pieces=False)
        ramp: ArrayExpr = MapBlocks(
            RampBlock(value, n, axis, backwards=number == 1),
            (edge,),
            (),
            edge.grid,
            chunks,
            x.dtype,
            False,
        )
        parts.insert(number * 2, rechunk(ramp, _with_axis(x, axis, n)))
    return concatenate(parts, axis)


def _pad_statistic(
    x: ArrayExpr, axis: int, width: Widths, stat_length: Sequence[Any] = (None, None), *, function: Callable[..., Any]
) -> ArrayExpr:
    parts = [x]
    for number, (n, length) in enumerate(zip(width, stat_length)):
        length = x.shape[axis] if length is None else min(int(length), x.shape[axis])
        if length == 0 and function in (np.max, np.min):
            raise ValueError("stat_length of 0 yields no value for padding")
        cut = slice(x.shape[axis] - length, None) if number else slice(0, length)
        one = _statistic(_part(x, axis, cut), axis, function)
        parts.insert(number * 2, _stretched(one, axis, n, x))
    return concatenate(parts, axis)


def _statistic(near: ArrayExpr, axis: int, function: Callable[..., Any]) -> ArrayExpr:
    if function in EXTREMES:
        return reduce(near, EXTREMES[function], axis, keepdims=True, dtype=near.dtype)
    near = with_whole_axis(near, axis)
    return MapBlocks(
        StatisticBlock(function, axis, near.dtype),
        (near,),
        (),
        near.grid,
        tuple((1,) if a == axis else c for a, c in enumerate(near.chunks)),
        near.dtype,
        False,
    )


EXTREMES = {np.max: MAX, np.min: MIN}


def _pad_maximum(x: ArrayExpr, axis: int, width: Widths, stat_length: Sequence[Any] = (None, None)) -> ArrayExpr:
    return _pad_statistic(x, axis, width, stat_length, function=np.max)


def _pad_minimum(x: ArrayExpr, axis: int, width: Widths, stat_length: Sequence[Any] = (None, None)) -> ArrayExpr:
    return _pad_statistic(x, axis, width, stat_length, function=np.min)


def _pad_mean(x: ArrayExpr, axis: int, width: Widths, stat_length: Sequence[Any] = (None, None)) -> ArrayExpr:
    return _pad_statistic(x, axis, width, stat_length, function=np.mean)


def _pad_median(x: ArrayExpr, axis: int, width: Widths, stat_length: Sequence[Any] = (None, None)) -> ArrayExpr:
    return _pad_statistic(x, axis, width, stat_length, function=np.median)


def _pad_by_function(
    x: ArrayExpr, widths: Sequence[Widths], function: Callable[..., Any], options: dict[str, Any]
) -> ArrayExpr:
    for axis, width in enumerate(widths):
        x = pad_constant(x, axis, width)
    for axis, width in enumerate(widths):
        x = in_one_block(x, [axis])
        kernel = FunctionAlong(function, axis, width, options)
        x = MapBlocks(kernel, (x,), (), x.grid, x.chunks, x.dtype, False)
    return x


_MODES: dict[str, Callable[..., ArrayExpr]] = {
    "constant": pad_constant,
    "edge": pad_edge,
    "empty": pad_constant,
    "linear_ramp": _pad_ramp,
    "maximum": _pad_maximum,
    "mean": _pad_mean,
    "median": _pad_median,
    "minimum": _pad_minimum,
    "reflect": pad_reflect,
    "symmetric": pad_symmetric,
    "wrap": pad_wrap,
}


@dataclass(frozen=True)
class RampBlock:
    """Kernel: numbers at equal distances from an end value to the edge of an array."""

    __name__ = "linear_ramp"

    value: Any
    n: int
    axis: int
    backwards: bool

    def __call__(self, edge: Any) -> Any:
        edge = edge.squeeze(self.axis)
        ramp = np.linspace(self.value, edge, self.n, endpoint=False, dtype=edge.dtype, axis=self.axis)
        return np.flip(ramp, self.axis) if self.backwards else ramp


@dataclass(frozen=True)
class StatisticBlock:
    """Kernel: a statistic along an axis, rounded where the dtype is one of integers."""

    function: Callable[..., Any]
    axis: int
    dtype: np.dtype

    @property
    def __name__(self) -> str:
        return self.function.__name__

    def __call__(self, block: Any) -> Any:
        value = self.function(block, axis=self.axis, keepdims=True)
        return (np.round(value) if self.dtype.kind in "iu" else value).astype(self.dtype)


@dataclass(frozen=True)
class FunctionAlong:
    """Kernel: a user's function that fills in the ends of each line along an axis."""

    function: Callable[..., Any]
    axis: int
    width: Widths
    options: dict[str, Any]

    @property
    def __name__(self) -> str:
        return getattr(self.function, "__name__", type(self.function).__name__)

    def __call__(self, block: Any) -> Any:
        block = block.copy()
        lines = np.moveaxis(block, self.axis, -1)
        for place in np.ndindex(lines.shape[:-1]):
            self.function(lines[place], self.width, self.axis, self.options)
        return block


def _mirrored(x: ArrayExpr, axis: int, width: Widths, odd: bool, edge: int) -> ArrayExpr:
    """Mirror whole periods at each end until it is enough; `edge` is 1 where the edges are repeated."""
    before, after = width
    period = x.shape[axis] - 1 + edge
    while before or after:
        length = x.shape[axis]
        whole = (length - 1 + edge) // period * period
        parts = [x]
        if before:
            n = min(whole, before)
            taken = _part(x, axis, slice(1 - edge, 1 - edge + n))
            parts.insert(0, _reflection(taken, _part(x, axis, slice(0, 1)) if odd else None, axis))
            before -= n
        if after:
            n = min(whole, after)
            stop = length - 1 + edge
            taken = _part(x, axis, slice(stop - n, stop))
            parts.append(_reflection(taken, _part(x, axis, slice(-1, None)) if odd else None, axis))
            after -= n
        x = concatenate(parts, axis)
    return x


def _reflection(taken: ArrayExpr, edge: ArrayExpr | None, axis: int) -> ArrayExpr:
    mirrored = _part(taken, axis, slice(None, None, -1))
    if edge is None:
        return mirrored
    return astype(elementwise(np.subtract, elementwise(np.multiply, 2, edge), mirrored), taken.dtype)


def _stretched(one: ArrayExpr, axis: int, n: int, x: ArrayExpr) -> ArrayExpr:
    """An array of length 1 along an axis, `n` long, in blocks no longer than those of another."""
    shape = tuple(n if a == axis else length for a, length in enumerate(one.shape))
    return broadcast_to(
        one, shape, tuple(_pieces(n, x.chunks[axis]) if a == axis else c for a, c in enumerate(one.chunks))
    )


def _with_axis(x: ArrayExpr, axis: int, n: int, *, pieces: bool = True) -> Chunks:
    lengths = _pieces(n, x.chunks[axis]) if pieces else (n,)
    return tuple(lengths if a == axis else c for a, c in enumerate(x.chunks))


def _pieces(n: int, lengths: Sequence[int]) -> tuple[int, ...]:
    """`n` in blocks no longer than the longest of others."""
    most = max(*lengths, 0) or max(n, 1)
    return (most,) * (n // most) + ((n % most,) if n % most or not n else ())


def _part(x: ArrayExpr, axis: int, cut: slice) -> ArrayExpr:
    return getitem(x, tuple(cut if a == axis else WHOLE for a in range(x.ndim)))


def _pairs(value: Any, ndim: int) -> list[tuple[Any, Any]]:
    if value is None:
        return [(None, None)] * ndim
    return [tuple(pair) for pair in np.broadcast_to(np.asarray(value), (ndim, 2)).tolist()]


def _widths(pad_width: Any, ndim: int) -> list[Widths]:
    if isinstance(pad_width, Mapping):
        by_axis: list[Any] = [(0, 0)] * ndim
        for axis, width in pad_width.items():
            axis = np.lib.array_utils.normalize_axis_index(axis, ndim)
            by_axis[axis] = (width, width) if np.ndim(width) == 0 else tuple(width)
        pad_width = by_axis
    widths = np.asarray(pad_width)
    if widths.dtype.kind != "i" and widths.size:
        raise TypeError("`pad_width` must be of integral type.")
    pairs = np.broadcast_to(widths, (ndim, 2))
    if (pairs < 0).any():
        raise ValueError("index can't contain negative values")
    return [(before, after) for before, after in pairs.tolist()]
