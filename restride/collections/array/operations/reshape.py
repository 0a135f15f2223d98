"""Reshape: the same elements, in C order, in another shape.

Axes fall into groups: the fewest neighbouring axes of the old shape that have as many elements as some neighbouring
axes of the new one. Think of a group as flattened. Its blocks keep their elements if each is one run of the flattened
group on both sides. In an array of axes ``(a, b, c)`` the runs that are blocks of a regular grid are those of a
*level*: length 1 along the axes before some axis, anything along it, everything along the axes after it. So for each
pair of levels, old and new, there are runs that both can have: multiples of a unit, repeating with a period.

If the blocks are such runs already, they stay. Otherwise the array is rechunked to the pair of levels with the fewest
blocks that are no bigger than those there are; and where no pair is good, as from (1000, 999) to (999, 1000), to a
level of the old shape, then flat to one of the new.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from restride.collections.array.chunks import Chunks, Shape, block_shapes, known, normalize_chunks, starts_of
from restride.collections.array.expr import ArrayExpr, OtherChunks
from restride.collections.array.operations.rechunk import rechunk
from restride.collections.array.operations.sources import full
from restride.collections.blocks import Blocks, Map, every


@dataclass(frozen=True, eq=False, repr=False)
class Reshape(OtherChunks):
    """An array in another shape, block for block in C order."""

    knows_masks = True

    def blocks(self, *children: Blocks) -> Blocks:
        return Map(
            n=self.n_blocks,
            inputs=children,
            kernel=reshape_block,
            index=(every(self.n_blocks),),
            params=block_shapes(self.chunks),
            name=self.label,
            origin=self.origin,
        )


def reshape_block(shape: list[int], block: Any) -> np.ndarray:
    """Kernel: a block in another shape."""
    return np.reshape(block, shape)


def reshape(x: ArrayExpr, shape: int | Sequence[int]) -> ArrayExpr:
    """The same elements in another shape, of which one length may be -1 for what is left.

    Raises
    ------
    ValueError
        The shape has another number of elements.
    """
    new = _resolved(shape, x)
    if new == x.shape:
        return x
    if x.size == 0:
        return full(tuple((length,) for length in new), np.zeros((), x.dtype), x.dtype)
    before: list[tuple[int, ...]] = [(1,)] * x.ndim
    after: list[tuple[int, ...]] = [(1,)] * len(new)
    flat_before, flat_after = [], []
    for old_axes, new_axes in _grouped(x.shape, new):
        way = _way([x.chunks[axis] for axis in old_axes], [new[axis] for axis in new_axes])
        for axis, lengths in zip(old_axes, way.old_chunks):
            before[axis] = lengths
        for axis, lengths in zip(new_axes, way.new_chunks):
            after[axis] = lengths
        flat_before.append(way.old_runs)
        flat_after.append(way.new_runs)
    x = rechunk(x, tuple(before))
    if flat_before != flat_after:
        x = rechunk(Reshape(x, tuple(flat_before)), tuple(flat_after))
    return Reshape(x, tuple(after))


def reshape_blockwise(x: ArrayExpr, shape: int | Sequence[int], chunks: Any = None) -> ArrayExpr:
    """Each block in another shape; the grids have as many blocks, in C order."""
    new = _resolved(shape, x)
    if chunks is None:
        if len(new) > x.ndim:
            raise ValueError("chunks are needed for a result of more axes than the array has")
        chunks = _merged(x.chunks, new)
    settled = normalize_chunks(chunks, new, x.dtype.itemsize)
    if not np.array_equal(block_shapes(settled).prod(axis=1), block_shapes(x.chunks).prod(axis=1)):
        raise ValueError(f"blocks of {settled} have other numbers of elements than those of {x.chunks}")
    return x if settled == x.chunks else Reshape(x, settled)


def _merged(chunks: Chunks, new: Shape) -> Chunks:
    """The chunks of an array whose axes are each one, or neighbouring ones with their blocks in C order."""
    left = list(chunks[::-1])
    merged = []
    for axis, length in enumerate(new):
        lengths = np.array(left.pop(), np.int64)
        while left and (lengths.sum() != length or axis == len(new) - 1):
            lengths = np.multiply.outer(lengths, left.pop()).ravel()
        if lengths.sum() != length or len(left) < len(new) - axis - 1:
            old = tuple(map(sum, chunks))
            raise ValueError(f"the axes of {new} are no products of neighbouring axes of {old}; pass chunks")
        merged.append(tuple(lengths.tolist()))
    return tuple(merged)


@dataclass(frozen=True)
class Way:
    """How a group of axes becomes another: chunks on both sides, and the runs of elements that their blocks are."""

    old_chunks: Chunks
    old_runs: tuple[int, ...]
    new_runs: tuple[int, ...]
    new_chunks: Chunks


def _resolved(shape: int | Sequence[int], x: ArrayExpr) -> Shape:
    if math.isnan(x.size):
        if x.ndim == 1 and np.array_equal(np.ravel(shape), [-1]):
            return x.shape
        for of_axis in x.chunks:
            known(of_axis)
    lengths = [int(np.asarray(length).__index__()) for length in (shape if isinstance(shape, Sequence) else (shape,))]
    open_axes = [axis for axis, length in enumerate(lengths) if length == -1]
    if len(open_axes) > 1:
        raise ValueError("can only specify one unknown dimension")
    rest = math.prod(length for length in lengths if length != -1)
    if open_axes and rest and x.size % rest == 0:
        lengths[open_axes[0]] = x.size // rest
    if any(length < 0 for length in lengths) or math.prod(lengths) != x.size:
        raise ValueError(f"cannot reshape array of size {x.size} into shape {tuple(lengths)}")
    return tuple(lengths)


def _grouped(old: Shape, new: Shape) -> list[tuple[list[int], list[int]]]:
    """Axes, other than those of length 1, that hold the same elements in both shapes; as few in a group as can be."""
    a, b = ([axis for axis, length in enumerate(shape) if length != 1][::-1] for shape in (old, new))
    groups = []
    while a:
        mine, theirs = [a.pop()], [b.pop()]
        size, other = old[mine[0]], new[theirs[0]]
        while size != other:
            if size < other:
                mine.append(a.pop())
                size *= old[mine[-1]]
            else:
                theirs.append(b.pop())
                other *= new[theirs[-1]]
        groups.append((mine, theirs))
    return groups


def _way(old_chunks: Sequence[tuple[int, ...]], new: Sequence[int]) -> Way:
    old = [sum(lengths) for lengths in old_chunks]
    if len(old) == len(new) == 1:
        return Way((old_chunks[0],), old_chunks[0], old_chunks[0], (old_chunks[0],))
    total = math.prod(old)
    most = math.prod(map(max, old_chunks))
    mine, theirs = _best_level(old, most), _best_level(new, most)
    fewest = 2 * max(len(mine[1]), len(theirs[1]))
    for j, k in np.ndindex(len(old), len(new)):
        steps = math.prod(old[j + 1 :]), math.prod(new[k + 1 :])
        unit, period = math.lcm(*steps), math.gcd(old[j] * steps[0], new[k] * steps[1])
        if period % unit:
            continue
        kept = _kept_runs(old_chunks, j, period, unit)
        runs = tuple((kept or _even_runs(period, unit, most)) * (total // period))
        if kept or (unit <= most and len(runs) <= fewest):
            mine, theirs, fewest = (j, runs), (k, runs), len(runs) - 1
        if kept:
            break
    return Way(_level_chunks(old, *mine), mine[1], theirs[1], _level_chunks(new, *theirs))


def _best_level(shape: Sequence[int], most: int) -> tuple[int, tuple[int, ...]]:
    """The level with the fewest blocks of up to `most` elements, and its runs."""
    total = math.prod(shape)
    best: tuple[int, tuple[int, ...]] | None = None
    for level, length in enumerate(shape):
        unit = math.prod(shape[level + 1 :])
        if unit <= most:
            runs = tuple(_even_runs(length * unit, unit, most) * (total // (length * unit)))
            if best is None or len(runs) < len(best[1]):
                best = level, runs
    assert best is not None  # at the last level the unit is 1
    return best


def _even_runs(period: int, unit: int, most: int) -> list[int]:
    units = period // unit
    pieces = -(-units // max(most // unit, 1))
    size = -(-units // pieces)
    runs = [size * unit] * (units // size)
    return [*runs, (units % size) * unit] if units % size else runs


def _kept_runs(chunks: Sequence[tuple[int, ...]], level: int, period: int, unit: int) -> list[int] | None:
    """The runs that blocks are already, over one period, if they are of this level, repeat so, and are whole units."""
    if any(max(lengths) > 1 for lengths in chunks[:level]) or any(len(lengths) > 1 for lengths in chunks[level + 1 :]):
        return None
    if any(0 in lengths for lengths in chunks):
        return None
    step = math.prod(lengths[0] for lengths in chunks[level + 1 :])
    starts = starts_of(chunks[level])[:-1] * step
    pattern = np.unique(starts % period)
    repeats = sum(chunks[level]) * step // period
    if len(starts) != len(pattern) * repeats or (pattern % unit).any():
        return None
    return np.diff([*pattern.tolist(), period]).tolist()


def _level_chunks(shape: Sequence[int], level: int, runs: tuple[int, ...]) -> Chunks:
    step = math.prod(shape[level + 1 :])
    blocks = len(runs) // math.prod(shape[:level])
    return (
        *((1,) * length for length in shape[:level]),
        tuple(run // step for run in runs[:blocks]),
        *((length,) for length in shape[level + 1 :]),
    )
