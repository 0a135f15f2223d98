"""Chunks: for each axis the lengths of its blocks, and the arithmetic of grids of blocks."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restride.collections.blocks import every
from restride.config import Settings, parse_bytes
from restride.engine.graphs.csr import Ints
from restride.errors import ChunkError

Shape = tuple[int, ...]
Chunks = tuple[tuple[int, ...], ...]
"""For each axis the lengths of its blocks, which add up to the axis; `UNKNOWN` where only computing would tell."""

UNKNOWN: Any = math.nan
"""The length of a block that is not known before it is computed. One object, so that chunks compare equal."""

SMALL_BLOCK = 2**20
"""Bytes that blocks may grow to, however small those are that they are made of: tiny ones cost more than they save."""


def normalize_chunks(
    chunks: Any,
    shape: Shape,
    itemsize: int,
    *,
    previous: Chunks | None = None,
    limit: int | None = None,
    unit: Shape | None = None,
) -> Chunks:
    """Write chunks of any spelling as a tuple of lengths for each axis.

    Parameters
    ----------
    chunks : int, str, None, tuple or dict
        One value for all axes, a tuple of one value for each, or a dict from axis to value. A value is a length (the
        last block may be shorter), -1 for the whole axis, a tuple of lengths, ``"auto"`` (or a size such as ``"16
        MiB"`` for the whole chunk), or None for what `previous` has (without it, the whole axis). Axes a dict leaves
        out are None.
    shape : tuple of int
    itemsize : int
        Bytes of an element, for ``"auto"``.
    previous : tuple of tuple of int, optional
        The chunks so far.
    limit : int, optional
        Bytes of a chunk of ``"auto"``; setting ``array.chunk_size`` by default.
    unit : tuple of int, optional
        The lengths of the chunks that what is read is stored in: ``"auto"`` gives whole numbers of these.

    Returns
    -------
    tuple of tuple of int

    Raises
    ------
    ChunkError
        A ValueError: the chunks do not fit the shape.

    Examples
    --------
    >>> normalize_chunks((4, -1), (10, 3), 8)
    ((4, 4, 2), (3,))
    >>> normalize_chunks({0: 5}, (10, 3), 8)
    ((5, 5), (3,))
    >>> normalize_chunks("auto", (1000, 1000), 8, limit=2_000_000)
    ((500, 500), (500, 500))
    >>> normalize_chunks("auto", (1000, 1000), 8, limit=2_000_000, unit=(300, 1000))
    ((300, 300, 300, 100), (1000,))
    """
    values = [_axis_value(value) for value in _per_axis(chunks, shape)]
    sizes = [value for value in values if isinstance(value, str) and value != "auto"]
    if sizes:
        limit = min(_bytes(size) for size in sizes)
    settled: list[tuple[int, ...] | None] = []
    for axis, (value, length) in enumerate(zip(values, shape)):
        match value:
            case None:
                settled.append(previous[axis] if previous is not None else (length,))
            case _ if length != length and not isinstance(value, tuple):
                settled.append(_unknown_axis(value, axis, previous))
            case int():
                settled.append(_regular(length, value, axis))
            case tuple():
                settled.append(_explicit(length, value, axis, shape))
            case _:
                settled.append(None)
    if None not in settled:
        return tuple(axis_chunks for axis_chunks in settled if axis_chunks is not None)
    limit = limit if limit is not None else Settings.current().array_chunk_size
    return _filled(settled, shape, itemsize, limit, unit or (1,) * len(shape))


def broadcast_shapes(*shapes: Shape) -> Shape:
    """The shape that shapes broadcast to; numpy's ValueError where they do not."""
    if any(length != length for shape in shapes for length in shape):
        return _broadcast_unknown(shapes)
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        listed = " ".join(str(shape).replace(" ", "") for shape in shapes)
        raise ValueError(f"operands could not be broadcast together with shapes {listed}") from None


def common_chunks(chunks: Sequence[Chunks]) -> Chunks:
    """The coarsest chunks of the broadcast shape whose boundaries include those of all operands.

    Axes of length 1 stretch and bring no boundaries.
    """
    if len(chunks) == 1:
        return chunks[0]
    ndim = max(map(len, chunks), default=0)
    merged = []
    for axis in range(-ndim, 0):
        present = [c[axis] for c in chunks if len(c) >= -axis]
        stretched = [c for c in present if sum(c) != 1]
        merged.append(_refined(stretched) if stretched else (1,))
    return tuple(merged)


def chunks_within(chunks: Chunks, most: int) -> Chunks:
    """Chunks cut further, along the first axes first, so that no block has more than `most` elements.

    Axes of unknown lengths are left alone.

    Examples
    --------
    >>> chunks_within(((4, 4), (10,)), 20)
    ((2, 2, 2, 2), (10,))
    """
    times = -(-math.prod(max(lengths) for lengths in chunks if not is_unknown(lengths)) // max(most, 1))
    smaller = list(chunks)
    for axis, lengths in enumerate(chunks):
        if times <= 1:
            break
        if is_unknown(lengths) or max(lengths) <= 1:
            continue
        side = -(-max(lengths) // min(times, max(lengths)))
        smaller[axis] = tuple(piece for length in lengths for piece in _cut(length, side))
        times = -(-times * side // max(lengths))
    return tuple(smaller)


def _cut(length: int, most: int) -> list[int]:
    """Lengths, as even as can be, of at most `most`."""
    n = max(-(-length // most), 1)
    return [length * (k + 1) // n - length * k // n for k in range(n)]


def grid_of(chunks: Chunks) -> Shape:
    """How many blocks there are along each axis."""
    return tuple(map(len, chunks))


def is_unknown(lengths: Sequence[int]) -> bool:
    """Whether the lengths of an axis are not known."""
    return math.isnan(sum(lengths))


def known(lengths: Sequence[int]) -> Sequence[int]:
    """The lengths of an axis, seen to be known.

    Raises
    ------
    ValueError
        They are not.
    """
    if is_unknown(lengths):
        raise ChunkError(
            "this needs to know how long the blocks of an axis are, which only computing them tells; call "
            "x.compute_chunk_sizes() first"
        )
    return lengths


def starts_of(lengths: Sequence[int]) -> Ints:
    """Where each block of an axis starts, and the length of the axis at the end: int64[blocks + 1].

    Raises
    ------
    ValueError
        The lengths are unknown.
    """
    column = np.asarray(lengths)
    if column.dtype.kind == "f":
        known(column.tolist())
    starts = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(column, out=starts[1:])
    return starts


def broadcast_index(grid: Shape, source: Shape) -> Ints:
    """For every block of a grid, the block of a source grid that broadcasts to it, both numbered in C order."""
    if grid == source:
        return every(math.prod(grid))
    return np.broadcast_to(np.arange(math.prod(source)).reshape(source), grid).ravel()


def per_block(columns: Sequence[NDArray[np.int64]], grid: Shape) -> NDArray[np.int64]:
    """Columns of each axis (int64[blocks of the axis, k]) side by side, as one row for each block of the grid."""
    n = math.prod(grid)
    rows = np.empty((*grid, sum(column.shape[1] for column in columns)), np.int64)
    at = 0
    for axis, column in enumerate(columns):
        width = column.shape[1]
        shape = [1] * len(grid)
        shape[axis] = len(column)
        rows[..., at : at + width] = column.reshape(*shape, width)
        at += width
    return rows.reshape(n, at)


def block_shapes(chunks: Chunks) -> NDArray[np.int64]:
    """The shape of every block in C order, int64[blocks, ndim]; -1 for unknown lengths."""
    columns = (np.full(len(axis), -1) if is_unknown(axis) else np.array(axis, np.int64) for axis in chunks)
    return per_block([column[:, None] for column in columns], grid_of(chunks))


def block_bounds(chunks: Chunks) -> NDArray[np.int64]:
    """Start and stop of every block along every axis in C order, int64[blocks, 2 * ndim]."""
    columns = []
    for lengths in chunks:
        starts = starts_of(lengths)
        columns.append(np.stack([starts[:-1], starts[1:]], axis=1))
    return per_block(columns, grid_of(chunks))


def _broadcast_unknown(shapes: Sequence[Shape]) -> Shape:
    """As numpy broadcasts, where a length that is unknown goes with another that is, and with 1."""
    broadcast: list[int] = []
    for axis in range(-max(map(len, shapes)), 0):
        lengths = {shape[axis] for shape in shapes if len(shape) >= -axis} - {1}
        unknown = {length for length in lengths if length != length}
        if unknown and unknown != lengths:
            raise ChunkError(
                f"along axis {axis} the length of one operand is unknown, of another {min(lengths - unknown)}; call "
                "x.compute_chunk_sizes() on the one first"
            )
        if len(lengths) > 1 and not unknown:
            raise ValueError(f"operands could not be broadcast together with shapes {' '.join(map(str, shapes))}")
        broadcast.append(UNKNOWN if unknown else next(iter(lengths), 1))
    return tuple(broadcast)


def _per_axis(chunks: Any, shape: Shape) -> list[Any]:
    ndim = len(shape)
    if isinstance(chunks, Mapping):
        values: list[Any] = [None] * ndim
        for axis, value in chunks.items():
            values[np.lib.array_utils.normalize_axis_index(axis, ndim)] = value
        return values
    if not isinstance(chunks, (tuple, list)):
        return [chunks] * ndim
    if len(chunks) != ndim:
        if ndim == 1 and all(isinstance(value, (int, np.integer)) for value in chunks):
            return [chunks]
        raise ChunkError(f"chunks {tuple(chunks)} are for {len(chunks)} axes, but the shape {shape} has {ndim}")
    return list(chunks)


def _axis_value(value: Any) -> int | str | tuple[int, ...] | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (tuple, list, np.ndarray)):
        return tuple(UNKNOWN if _is_nan(length) else _length(length) for length in value)
    return _length(value)


def _is_nan(length: Any) -> bool:
    return isinstance(length, float) and math.isnan(length)


def _length(value: Any) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise ChunkError(f"chunks must be made of integers, tuples of them, 'auto' or None; got {value!r}") from None


def _regular(length: int, size: int, axis: int) -> tuple[int, ...]:
    if size == -1 or (size >= length and size > 0):
        return (length,)
    if size <= 0:
        raise ChunkError(
            f"blocks of axis {axis} cannot be {size} long; use a positive length, or -1 for the whole axis"
        )
    full, rest = divmod(length, size)
    return (size,) * full + ((rest,) if rest else ())


def _unknown_axis(value: int | str, axis: int, previous: Chunks | None) -> tuple[int, ...]:
    """The blocks of an axis of unknown length, which stay as they are."""
    if previous is None or (value == -1 and len(previous[axis]) > 1):
        raise ChunkError(f"the blocks of axis {axis} are of unknown length; call x.compute_chunk_sizes() first")
    if isinstance(value, int) and value != -1:
        raise ChunkError(
            f"axis {axis} cannot be put in blocks of {value}, as its length is unknown; call x.compute_chunk_sizes() "
            "first"
        )
    return previous[axis]


def _explicit(length: int, lengths: tuple[int, ...], axis: int, shape: Shape) -> tuple[int, ...]:
    if is_unknown(lengths):
        return (UNKNOWN,) * len(lengths)
    if not lengths or min(lengths) < 0:
        raise ChunkError(f"the blocks {lengths} of axis {axis} must have lengths of 0 or more, and there must be one")
    if sum(lengths) != length:
        raise ChunkError(
            f"the blocks of axis {axis} are {sum(lengths)} long in all, but the axis is {length} long (shape {shape})"
        )
    return lengths


def _bytes(size: str) -> int:
    try:
        return parse_bytes(size)
    except ValueError:
        raise ChunkError(f"chunks {size!r} are neither 'auto' nor a size such as '16 MiB'") from None


def _filled(settled: list[tuple[int, ...] | None], shape: Shape, itemsize: int, limit: int, unit: Shape) -> Chunks:
    """Give open axes blocks of one length, so that a chunk has about `limit` bytes; short axes stay whole."""
    budget = limit / max(itemsize, 1)
    waiting = [axis for axis, lengths in enumerate(settled) if lengths is None]
    for lengths in settled:
        if lengths is not None and not is_unknown(lengths):
            budget /= max(*lengths, 1)
    for axis in waiting:
        budget /= max(min(unit[axis], shape[axis]), 1)
    units = [-(-length // size) for length, size in zip(shape, unit)]
    result = list(settled)
    for axis in sorted(waiting, key=lambda axis: units[axis]):
        side = max(int(budget ** (1 / len(waiting)) + 1e-9), 1)
        blocks = max(-(-units[axis] // side), 1)
        count = max(-(-units[axis] // blocks), 1)
        result[axis] = _regular(shape[axis], count * unit[axis], axis)
        budget /= count
        waiting.remove(axis)
    return tuple(lengths for lengths in result if lengths is not None)


def _refined(several: list[tuple[int, ...]]) -> tuple[int, ...]:
    first = several[0]
    if all(lengths is first or lengths == first for lengths in several[1:]):
        return first
    if any(map(is_unknown, several)):
        raise ChunkError(
            f"arrays in {', '.join(str(len(lengths)) for lengths in several)} blocks along an axis, some of unknown "
            "length, cannot be brought to common chunks; call x.compute_chunk_sizes() on them first"
        )
    return _refine(tuple(dict.fromkeys(several)))


@lru_cache(maxsize=64)
def _refine(several: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
    bounds = np.unique(np.concatenate([starts_of(lengths) for lengths in several]))
    return tuple(np.diff(bounds).tolist()) or (0,)
