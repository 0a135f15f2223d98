"""Basic slicing: integers, slices, Ellipsis and newaxis, as numpy understands them."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from restride.collections.array.chunks import Chunks, per_block, starts_of
from restride.collections.array.expr import ArrayExpr
from restride.collections.blocks import Blocks, Map, Select
from restride.engine.graphs.csr import Ints

WHOLE = slice(None)


@dataclass(frozen=True, eq=False, repr=False)
class Slice(ArrayExpr):
    """An array cut along each axis by a slice or an integer; axes cut by an integer are dropped."""

    array: ArrayExpr
    cuts: tuple[slice | int, ...]
    """One for each axis; integers from 0."""

    @property
    def label(self) -> str:
        return "getitem"

    def _dtype(self) -> np.dtype:
        return self.array.dtype

    def _chunks(self) -> Chunks:
        return tuple(
            tuple(cut_axis(lengths, cut)[1][:, 2].tolist())
            for lengths, cut in zip(self.array.chunks, self.cuts)
            if isinstance(cut, slice)
        )

    def blocks(self, *children: Blocks) -> Blocks:
        cut = [cut_axis(lengths, cut) for lengths, cut in zip(self.array.chunks, self.cuts)]
        chosen = tuple(numbers for numbers, _ in cut)
        numbers = np.arange(self.array.n_blocks).reshape(self.array.grid)[np.ix_(*chosen)].ravel()
        if all(
            isinstance(by, slice) and _are_whole(np.array(lengths)[numbers], pieces)
            for lengths, by, (numbers, pieces) in zip(self.array.chunks, self.cuts, cut)
        ):
            return Select(n=len(numbers), inputs=children, table=numbers)
        return Map(
            n=len(numbers),
            inputs=children,
            kernel=CutBlock([isinstance(by, slice) for by in self.cuts]),
            index=(numbers,),
            params=per_block([pieces for _, pieces in cut], tuple(map(len, chosen))),
            name=self.label,
            origin=self.origin,
        )


@dataclass(frozen=True, eq=False, repr=False)
class ExpandDims(ArrayExpr):
    """New axes of length 1, at these positions of the result."""

    array: ArrayExpr
    axes: tuple[int, ...]

    @property
    def label(self) -> str:
        return "expand_dims"

    def _dtype(self) -> np.dtype:
        return self.array.dtype

    def _chunks(self) -> Chunks:
        old = iter(self.array.chunks)
        return tuple((1,) if axis in self.axes else next(old) for axis in range(self.array.ndim + len(self.axes)))

    def blocks(self, *children: Blocks) -> Blocks:
        return Map(
            n=self.n_blocks,
            inputs=children,
            kernel=AddAxes(self.axes),
            index=(np.arange(self.n_blocks),),
            name=self.label,
            origin=self.origin,
        )


class CutBlock:
    """Kernel: a view of a part of a block, given start, step and length of the part along each axis."""

    __name__ = "getitem"

    def __init__(self, keeps: Sequence[bool]) -> None:
        self.keeps = tuple(keeps)

    def __call__(self, pieces: list[int], block: Any) -> Any:
        where: list[slice | int] = []
        for start, step, length, keep in zip(pieces[::3], pieces[1::3], pieces[2::3], self.keeps):
            if keep:
                stop = start + step * length
                where.append(slice(start, stop if stop >= 0 else None, step))
            else:
                where.append(start)
        return block[tuple(where)]


class AddAxes:
    """Kernel: a view of a block with new axes."""

    __name__ = "expand_dims"

    def __init__(self, axes: tuple[int, ...]) -> None:
        self.axes = axes

    def __call__(self, block: Any) -> Any:
        return np.expand_dims(block, self.axes)


def getitem(x: ArrayExpr, index: Any) -> ArrayExpr:
    """Index an array with integers, slices, Ellipsis and newaxis.

    Raises
    ------
    IndexError
        Too many indices, or one that is out of bounds.
    NotImplementedError
        Indices that numpy knows and this does not (yet): arrays of integers or booleans.
    """
    cuts: list[slice | int] = []
    new_axes: list[int] = []
    position = 0
    for entry in _spelled_out(index, x.ndim):
        if entry is None:
            new_axes.append(position)
            position += 1
            continue
        axis = len(cuts)
        cut = _checked(entry, axis, x.shape[axis])
        cuts.append(cut)
        position += isinstance(cut, slice)
    if any(cut != WHOLE for cut in cuts):
        x = Slice(x, tuple(cuts))
    return ExpandDims(x, tuple(new_axes)) if new_axes else x


def expand_dims(x: ArrayExpr, axis: int | Sequence[int]) -> ArrayExpr:
    """New axes of length 1 at positions of the result."""
    n = len(axis) if isinstance(axis, Sequence) else 1
    axes = np.lib.array_utils.normalize_axis_tuple(axis, x.ndim + n)
    return ExpandDims(x, tuple(sorted(axes))) if axes else x


def cut_axis(lengths: Sequence[int], cut: slice | int) -> tuple[Ints, np.ndarray]:
    """Which blocks of an axis a cut touches, and its part of each: start and step within the block, and length.

    Returns
    -------
    numbers : int64[k]
        In the order of the result; at least one.
    pieces : int64[k, 3]
    """
    starts = starts_of(lengths)
    if isinstance(cut, int):
        number = int(np.searchsorted(starts, cut, side="right")) - 1
        return np.array([number]), np.array([[cut - starts[number], 1, 1]])
    start, stop, step = cut.indices(int(starts[-1]))
    n = len(range(start, stop, step))
    if n == 0:
        return np.array([0]), np.array([[0, 1, 0]])
    # Element i of the result is element start + step * i of the axis; from which i on is each block met?
    if step > 0:
        first = -((start - starts[:-1]) // step)
        after = -((start - starts[1:]) // step)
    else:
        first = (start - starts[1:]) // -step + 1
        after = (start - starts[:-1]) // -step + 1
    first, after = np.clip(first, 0, n), np.clip(after, 0, n)
    numbers = np.flatnonzero(after > first)[:: 1 if step > 0 else -1]
    inside = start + step * first[numbers] - starts[numbers]
    return numbers, np.stack([inside, np.full(len(numbers), step), (after - first)[numbers]], axis=1)


def _are_whole(lengths: Ints, pieces: np.ndarray) -> bool:
    return bool(((pieces[:, 1] == 1) & (pieces[:, 2] == lengths)).all())


def _spelled_out(index: Any, ndim: int) -> list[Any]:
    """The entries of an index, Ellipsis and missing ones written as whole slices."""
    entries = list(index) if isinstance(index, tuple) else [index]
    ellipses = [at for at, entry in enumerate(entries) if entry is Ellipsis]
    if len(ellipses) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    used = sum(entry is not None and entry is not Ellipsis for entry in entries)
    if used > ndim:
        raise IndexError(f"too many indices for array: array is {ndim}-dimensional, but {used} were indexed")
    at = ellipses[0] if ellipses else len(entries)
    entries[at : at + len(ellipses)] = [WHOLE] * (ndim - used)
    return entries


def _checked(entry: Any, axis: int, length: int) -> slice | int:
    if isinstance(entry, slice):
        start, stop, step = entry.indices(length)
        if step == 1 and start == 0 and stop >= length:
            return WHOLE
        if not range(start, stop, step):
            return slice(0, 0)
        return slice(start, stop if stop >= 0 else None, step)
    if isinstance(entry, (list, bool, np.bool)) or (hasattr(entry, "__array__") and not isinstance(entry, np.integer)):
        raise NotImplementedError(
            f"indexing with {type(entry).__name__} is not supported; integers, slices, Ellipsis and newaxis are"
        )
    try:
        number = operator.index(entry)
    except TypeError:
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`) and numpy.newaxis (`None`) are valid indices, "
            f"got {type(entry).__name__}"
        ) from None
    if not -length <= number < length:
        raise IndexError(f"index {number} is out of bounds for axis {axis} with size {length}")
    return number % length if length else number
