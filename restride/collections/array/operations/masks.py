"""Masks: elements where a boolean array, yet to be computed, is true; how many there are only computing tells."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from restride.collections.array.chunks import UNKNOWN, Chunks, Shape, broadcast_index, known
from restride.collections.array.expr import ArrayExpr, SameChunks
from restride.collections.array.operations.cuts import WHOLE, Cuts
from restride.collections.array.operations.elementwise import astype, elementwise
from restride.collections.array.operations.masked import fill_block, to_plain
from restride.collections.array.operations.masking import knows_masks
from restride.collections.array.operations.rechunk import rechunk
from restride.collections.array.operations.reshape import Reshape, reshape
from restride.collections.array.operations.slicing import cut_array
from restride.collections.array.operations.sources import Arange
from restride.collections.blocks import Blocks, Gather, Map, every


@dataclass(frozen=True, eq=False, repr=False)
class Compress(ArrayExpr):
    """Elements along an axis where a mask is true; the mask has the blocks of that axis."""

    knows_masks = True

    array: ArrayExpr
    mask: ArrayExpr
    axis: int

    @property
    def label(self) -> str:
        return "compress"

    def _dtype(self) -> np.dtype:
        return self.array.dtype

    def _chunks(self) -> Chunks:
        chunks = self.array.chunks
        return (*chunks[: self.axis], (UNKNOWN,) * len(chunks[self.axis]), *chunks[self.axis + 1 :])

    def blocks(self, *children: Blocks) -> Blocks:
        grid = (*(-1 if axis == self.axis else 1 for axis in range(self.ndim)),)
        mask = np.arange(self.mask.n_blocks).reshape(grid)
        return Map(
            n=self.n_blocks,
            inputs=children,
            kernel=CompressBlock(self.axis),
            index=(every(self.n_blocks), np.broadcast_to(mask, self.grid).ravel()),
            name=self.label,
            origin=self.origin,
        )

    def sliced(self, cuts: Cuts) -> ArrayExpr | None:
        if cuts[self.axis] != WHOLE:
            return None
        axis = self.axis - sum(isinstance(cut, int) for cut in cuts[: self.axis])
        return Compress(cut_array(self.array, cuts), self.mask, axis)


@dataclass(frozen=True, eq=False, repr=False)
class SetMasked(SameChunks):
    """An array with other elements along an axis where a mask is true, block by block."""

    mask: ArrayExpr
    """Of the blocks of that axis."""
    values: ArrayExpr
    """As many along the axis, in each block, as the mask is true there; otherwise of the array's shape, or 1."""
    axis: int

    @property
    def label(self) -> str:
        return "setitem"

    def _masked(self) -> bool:
        return self._masked_if(self.array.masked)

    def blocks(self, *children: Blocks) -> Blocks:
        mask = np.arange(self.mask.n_blocks).reshape([-1 if a == self.axis else 1 for a in range(self.ndim)])
        return Map(
            n=self.n_blocks,
            inputs=children,
            kernel=SetWhereTrue(self.axis),
            index=(
                every(self.n_blocks),
                np.broadcast_to(mask, self.grid).ravel(),
                broadcast_index(self.grid, self.values.grid),
            ),
            name=self.label,
            origin=self.origin,
        )


@dataclass(frozen=True, eq=False, repr=False)
class SetMaskedInTurn(SetMasked):
    """As `SetMasked`, of values in one block along the axis: each block takes those that blocks before it leave."""

    def blocks(self, *children: Blocks) -> Blocks:
        array, mask, values = children
        counts = Map(
            n=mask.n,
            inputs=(mask,),
            kernel=np.count_nonzero,
            index=(every(mask.n),),
            name="count_nonzero",
            origin=self.origin,
        )
        starts = Gather(
            n=1,
            inputs=(counts,),
            kernel=StartsOfTurns(self.values.shape[self.axis]),
            indptr=np.array([0, mask.n]),
            indices=every(mask.n),
            name="cumsum",
            origin=self.origin,
        )
        number = np.arange(mask.n).reshape([-1 if a == self.axis else 1 for a in range(self.ndim)])
        number = np.broadcast_to(number, self.grid).ravel()
        one = (*self.grid[: self.axis], 1, *self.grid[self.axis + 1 :])
        of_values = np.broadcast_to(broadcast_index(one, self.values.grid).reshape(one), self.grid).ravel()
        return Map(
            n=self.n_blocks,
            inputs=(array, mask, values, starts),
            kernel=SetTurn(self.axis),
            index=(every(self.n_blocks), number, of_values, number * 0),
            params=number,
            name=self.label,
            origin=self.origin,
        )


class CompressBlock:
    """Kernel: elements of a block where a mask is true."""

    __name__ = "compress"

    def __init__(self, axis: int) -> None:
        self.lead = (WHOLE,) * axis

    def __call__(self, block: Any, mask: Any) -> Any:
        return block[(*self.lead, mask)]


class SetWhereTrue:
    """Kernel: a block with other elements where a mask is true."""

    __name__ = "setitem"

    def __init__(self, axis: int) -> None:
        self.axis = axis

    def __call__(self, block: Any, mask: Any, values: Any) -> Any:
        count = int(np.count_nonzero(mask))
        if values.shape[self.axis] != count:
            raise ValueError(
                f"cannot assign {values.shape[self.axis]} values to the {count} places of a block where the mask is "
                "true; arrays of unknown lengths go together block by block"
            )
        result = block.copy()
        result[(*(WHOLE,) * self.axis, mask)] = values
        return result


class StartsOfTurns:
    """Kernel: where the values of each block start, given how many it takes."""

    __name__ = "cumsum"

    def __init__(self, n_values: int) -> None:
        self.n_values = n_values

    def __call__(self, *counts: int) -> Any:
        total = sum(counts)
        if total != self.n_values:
            raise ValueError(
                f"boolean array indexing assignment cannot assign {self.n_values} input values to the {total} output "
                "values where the mask is true"
            )
        return np.cumsum([0, *counts])


class SetTurn(SetWhereTrue):
    """Kernel: a block with those values that are for it where a mask is true, given which block it is."""

    def __call__(self, number: int, block: Any, mask: Any, values: Any, starts: Any) -> Any:  # type: ignore[override]
        turn = slice(int(starts[number]), int(starts[number + 1]))
        return super().__call__(block, mask, values[(*(WHOLE,) * self.axis, turn)])


@knows_masks
def put_where(mask: Any, values: Any, block: Any) -> Any:
    """Kernel: a block with values where a mask is true, both broadcast."""
    if isinstance(block, np.ma.MaskedArray) or isinstance(values, np.ma.MaskedArray):
        return np.ma.where(np.ma.getdata(mask), values, block).astype(block.dtype, copy=False)
    result = np.array(block, subok=True)
    np.copyto(result, values, where=mask, casting="unsafe")
    return result[()]


def compress(x: ArrayExpr, mask: ArrayExpr, axis: int = 0) -> ArrayExpr:
    """Elements along some neighbouring axes, from `axis` on, where a mask over them is true, in C order.

    Raises
    ------
    IndexError
        The mask has another length than the axis.
    """
    check_mask(mask.shape, x.shape, axis)
    if mask.ndim > 1:
        x, mask = flat(x, axis, mask.ndim), flat(mask, 0, mask.ndim)
    x, mask = _along(x, mask, axis)
    return Compress(x, mask, axis)


def set_masked(x: ArrayExpr, mask: ArrayExpr, values: ArrayExpr, axis: int) -> ArrayExpr:
    """The array with values one after another where a mask over some neighbouring axes, from `axis` on, is true.

    The values' axis `axis` is of unknown length, in as many blocks as the mask's flattened axes.
    """
    chunks, shape, ndim = x.chunks, x.shape, mask.ndim
    if ndim > 1:
        x, mask = flat(x, axis, ndim), flat(mask, 0, ndim)
    x, mask = _along(x, mask, axis)
    if len(values.chunks[axis]) != len(x.chunks[axis]):
        raise ValueError(
            f"values of unknown length in {len(values.chunks[axis])} blocks cannot be assigned where a mask in "
            f"{len(x.chunks[axis])} blocks is true; call compute_chunk_sizes() on the values first"
        )
    others = (c if k == axis else (1,) if sum(c) == 1 else x.chunks[k] for k, c in enumerate(values.chunks))
    result: ArrayExpr = SetMasked(x, mask, rechunk(values, tuple(others)), axis)
    return rechunk(reshape(result, shape), chunks) if ndim > 1 else result


def set_masked_in_turn(x: ArrayExpr, mask: ArrayExpr, values: ArrayExpr, axis: int) -> ArrayExpr:
    """As `set_masked`, of values of known length. That there are as many as the mask is true is checked on compute."""
    chunks, shape, ndim = x.chunks, x.shape, mask.ndim
    if ndim > 1:
        x, mask = flat(x, axis, ndim), flat(mask, 0, ndim)
    x, mask = _along(x, mask, axis)
    others = (
        (values.shape[axis],) if k == axis else (1,) if length == 1 else x.chunks[k]
        for k, length in enumerate(values.shape)
    )
    result: ArrayExpr = SetMaskedInTurn(x, mask, rechunk(values, tuple(others)), axis)
    return rechunk(reshape(result, shape), chunks) if ndim > 1 else result


def check_mask(mask: Shape, shape: Shape, axis: int) -> None:
    """See that a mask fits the axes from `axis` on, as far as lengths are known."""
    for k, (length, theirs) in enumerate(zip(mask, shape[axis:]), axis):
        if length != theirs and length == length and theirs == theirs:
            raise IndexError(
                f"boolean index did not match indexed array along axis {k}; size of axis is {theirs} but size of "
                f"corresponding boolean axis is {length}"
            )


def flat(x: ArrayExpr, axis: int, n: int) -> ArrayExpr:
    """Some neighbouring axes as one, in C order; the first may be of unknown length if the others are in one block."""
    if n == 1:
        return x
    if not any(map(math.isnan, x.shape)):
        length = math.prod(x.shape[axis : axis + n])
        return reshape(x, (*x.shape[:axis], length, *x.shape[axis + n :]))
    inner = x.chunks[axis + 1 : axis + n]
    unknown = math.isnan(x.shape[axis])
    if any(len(lengths) > 1 for lengths in inner) or sum(map(math.isnan, x.shape)) > 1 or not unknown:
        for lengths in x.chunks:
            known(lengths)
    return Reshape(x, (*x.chunks[:axis], (UNKNOWN,) * len(x.chunks[axis]), *x.chunks[axis + n :]))


def flatnonzero(x: ArrayExpr) -> ArrayExpr:
    """Where the flattened array is not zero."""
    for lengths in x.chunks:
        known(lengths)
    line = reshape(x, (x.size,))
    return Compress(Arange(line.chunks, 0, 1, np.dtype(np.int64)), truth(line), 0)


def nonzero(x: ArrayExpr) -> tuple[ArrayExpr, ...]:
    """Where the array is not zero, in C order: one array for each axis."""
    where = flatnonzero(x)
    if x.ndim == 1:
        return (where,)
    return tuple(elementwise(Coordinate(x.shape, axis), where) for axis in range(x.ndim))


class Coordinate:
    """Kernel: where along an axis elements are, given their number in C order."""

    def __init__(self, shape: Shape, axis: int) -> None:
        self.__name__ = "nonzero"
        self.shape = shape
        self.axis = axis

    def __call__(self, numbers: Any) -> Any:
        return np.unravel_index(numbers, self.shape)[self.axis]


@dataclass(frozen=True, eq=False, repr=False)
class Together(ArrayExpr):
    """Places, 1-d and of unknown length, in one block; of a length that they are to broadcast to, where it is known."""

    places: ArrayExpr
    length: int

    def _dtype(self) -> np.dtype:
        return self.places.dtype

    def _chunks(self) -> Chunks:
        return ((self.length,),)

    def blocks(self, *children: Blocks) -> Blocks:
        n = children[0].n
        return Gather(
            n=1,
            inputs=children,
            kernel=JoinPlaces(self.length),
            indptr=np.array([0, n]),
            indices=every(n),
            name="nonzero",
            origin=self.origin,
        )


class JoinPlaces:
    """Kernel: places of all blocks, as many as there are to be."""

    __name__ = "nonzero"

    def __init__(self, length: int) -> None:
        self.length = length

    def __call__(self, *blocks: Any) -> Any:
        places = np.concatenate(blocks)
        if self.length != self.length or len(places) == self.length:
            return places
        if len(places) == 1:
            return np.broadcast_to(places, self.length)
        raise IndexError(
            "shape mismatch: indexing arrays could not be broadcast together with shapes "
            f"({len(places)},) ({self.length},); the first is of the places where a mask is true"
        )


def together(places: ArrayExpr, length: int) -> ArrayExpr:
    """Places of unknown length in one block, and of a length that is known from elsewhere, unless `UNKNOWN`."""
    return Together(places, length)


def truth(x: ArrayExpr) -> ArrayExpr:
    """Which elements are true, of those that are not masked."""
    if x.masked:
        return to_plain(fill_block, truth_of_all(x), dtype=np.dtype(bool), fill_value=False)
    return truth_of_all(x)


def truth_of_all(x: ArrayExpr) -> ArrayExpr:
    """Which elements are true."""
    return astype(x, np.dtype(bool))


def _along(x: ArrayExpr, mask: ArrayExpr, axis: int) -> tuple[ArrayExpr, ArrayExpr]:
    """An array and a mask over one of its axes in common blocks along it."""
    line = x.chunks[axis]
    if mask.chunks[0] == line or (len(mask.chunks[0]) == len(line) and math.isnan(x.shape[axis] + mask.shape[0])):
        return x, mask
    return x, rechunk(mask, (line,))
