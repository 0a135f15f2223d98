"""Basic slicing: integers, slices, Ellipsis and newaxis, as numpy understands them."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from restride.collections.array.chunks import Chunks, Shape, is_unknown, per_block, starts_of
from restride.collections.array.expr import ArrayExpr, Box
from restride.collections.array.operations.cuts import WHOLE, Cut, Cuts, composed, cut_of, cut_text
from restride.collections.blocks import Blocks, Map, Select
from restride.engine.graphs.csr import Ints
from restride.errors import ChunkError


@dataclass(frozen=True, eq=False, repr=False)
class Slice(ArrayExpr):
    """An array cut along each axis by a slice or an integer; axes cut by an integer are dropped."""

    knows_masks = True

    array: ArrayExpr
    cuts: tuple[slice | int, ...]
    """One for each axis; integers from 0."""

    @property
    def label(self) -> str:
        return "getitem"

    @property
    def detail(self) -> str:
        return "[" + ", ".join(map(cut_text, self.cuts)) + "]"

    def _dtype(self) -> np.dtype:
        return self.array.dtype

    def _chunks(self) -> Chunks:
        return tuple(
            lengths if cut == WHOLE else tuple(cut_axis(lengths, cut)[1][:, 2].tolist())
            for lengths, cut in zip(self.array.chunks, self.cuts)
            if isinstance(cut, slice)
        )

    def blocks(self, *children: Blocks) -> Blocks:
        cut = [cut_axis(lengths, cut) for lengths, cut in zip(self.array.chunks, self.cuts)]
        chosen = tuple(numbers for numbers, _ in cut)
        numbers = np.arange(self.array.n_blocks).reshape(self.array.grid)[np.ix_(*chosen)].ravel()
        if all(
            isinstance(by, slice) and (by == WHOLE or _are_whole(np.array(lengths)[numbers], pieces))
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

    def sliced(self, cuts: Cuts) -> ArrayExpr:
        kept = iter(cuts)
        return cut_array(
            self.array,
            tuple(
                composed(cut, next(kept), length) if isinstance(cut, slice) else cut
                for cut, length in zip(self.cuts, self.array.shape)
            ),
        )


@dataclass(frozen=True, eq=False, repr=False)
class ExpandDims(ArrayExpr):
    """New axes of length 1, at these positions of the result."""

    knows_masks = True

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

    def sliced(self, cuts: Cuts) -> ArrayExpr | None:
        if any(cuts[axis] not in (0, WHOLE) for axis in self.axes):
            return None
        array = cut_array(self.array, tuple(cut for axis, cut in enumerate(cuts) if axis not in self.axes))
        kept = [axis for axis, cut in enumerate(cuts) if isinstance(cut, slice)]
        axes = tuple(position for position, axis in enumerate(kept) if axis in self.axes)
        return self.replace(array=array, axes=axes) if axes else array


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


def read_cuts(x: ArrayExpr, entries: Sequence[Any]) -> Cuts:
    """The cuts that integers and slices, one for each axis, make."""
    return tuple(_checked(entry, axis, x.shape[axis]) for axis, entry in enumerate(entries))


def cut_array(x: ArrayExpr, cuts: Cuts) -> ArrayExpr:
    """The array cut along each axis; itself where all of it is taken."""
    return x if all(cut == WHOLE for cut in cuts) else Slice(x, cuts)


def cut_blocks(x: ArrayExpr, box: Box) -> ArrayExpr | None:
    """The array of the blocks that lie in a box; None where it takes lengths to tell, and some are unknown or 0."""
    cuts: list[Cut] = []
    for lengths, (first, stop) in zip(x.chunks, box):
        if stop - first == len(lengths):
            cuts.append(WHOLE)
        elif is_unknown(lengths) or 0 in lengths:
            return None
        else:
            starts = starts_of(lengths).tolist()
            cuts.append(cut_of(range(starts[first], starts[stop]), starts[-1]))
    return cut_array(x, tuple(cuts))


def cut_operand(x: ArrayExpr, shape: Shape, cuts: Cuts) -> ArrayExpr:
    """What broadcasts to cuts of a shape, of an array that broadcasts to all of it."""
    lead = len(shape) - x.ndim
    return cut_array(
        x,
        tuple(
            cut if cut == WHOLE or x.shape[axis] == shape[lead + axis] else 0 if isinstance(cut, int) else WHOLE
            for axis, cut in enumerate(cuts[lead:])
        ),
    )


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
    if cut == WHOLE:
        numbers = np.arange(len(lengths))
        return numbers, np.stack([numbers * 0, numbers * 0 + 1, _to_the_end(lengths)], axis=1)
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


def _to_the_end(lengths: Sequence[int]) -> Ints:
    """The lengths, or for unknown ones what is beyond any end."""
    return np.full(len(lengths), np.iinfo(np.int64).max) if is_unknown(lengths) else np.array(lengths, np.int64)


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
    if length != length:
        if entry == WHOLE:
            return WHOLE
        raise ChunkError(
            f"axis {axis} is of unknown length, so that only all of it can be taken, or a mask applied; call "
            "x.compute_chunk_sizes() first"
        )
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
