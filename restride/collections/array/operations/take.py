"""Taking elements by integers.

Where the integers are known, each block of the result is put together from pieces: the elements that one block of the
array has for it. A piece is a task of its own, so that no more travels than is needed; a block of one piece is that
piece. Sorted integers keep the blocks' locality, others make a shuffle.

Where the integers are an array that is yet to be computed, every block of them looks at every block of the array.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from restride.collections.array.chunks import (
    Chunks,
    Shape,
    block_bounds,
    broadcast_index,
    common_chunks,
    grid_of,
    known,
    normalize_chunks,
    starts_of,
)
from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations.cuts import WHOLE, Cut, Cuts
from restride.collections.array.operations.elementwise import stretching
from restride.collections.array.operations.manipulation import broadcast_block
from restride.collections.array.operations.rechunk import rechunk
from restride.collections.array.operations.reshape import Reshape, reshape
from restride.collections.array.operations.slicing import cut_array, cut_axis, getitem
from restride.collections.array.operations.sources import full
from restride.collections.blocks import Blocks, Gather, Map, Select
from restride.engine.graphs.csr import Ints, positions, row_starts, stable_argsort


@dataclass(frozen=True, eq=False, repr=False)
class Take(ArrayExpr):
    """Elements at known places: the indexed axes, neighbours, become one with an element for each place."""

    knows_masks = True

    array: ArrayExpr
    axis: int
    """The first of the indexed axes."""
    places: tuple[np.ndarray, ...]
    """For each indexed axis where the elements are on it: int64[n], from 0."""
    lengths: tuple[int, ...]
    """Of the blocks along the new axis, none of them 0."""

    def _dtype(self) -> np.dtype:
        return self.array.dtype

    def _chunks(self) -> Chunks:
        chunks = self.array.chunks
        return (*chunks[: self.axis], self.lengths, *chunks[self.axis + len(self.places) :])

    def blocks(self, *children: Blocks) -> Blocks:
        end = self.axis + len(self.places)
        lead, trail = (math.prod(grid_of(part)) for part in (self.array.chunks[: self.axis], self.array.chunks[end:]))
        split = split_places(self.array.chunks[self.axis : end], self.places, self.lengths)
        n_pieces = len(split.source)
        numbers = np.arange(children[0].n).reshape(lead, -1, trail)
        which = np.broadcast_to(np.arange(n_pieces)[:, None], (lead, n_pieces, trail)).ravel().tolist()
        pieces = Map(
            n=len(which),
            inputs=children,
            kernel=TakePiece(self.axis),
            index=(numbers[:, split.source].ravel(),),
            params=[split.inside[i] for i in which],
            name=self.label,
            origin=self.origin,
        )
        counts = np.diff(split.indptr)
        if (counts == 1).all():
            return pieces
        table = np.arange(len(which)).reshape(lead, n_pieces, trail)[:, split.indptr[:-1]]
        merged = np.flatnonzero(counts > 1)
        table[:, merged] = len(which) + np.arange(lead * len(merged) * trail).reshape(lead, len(merged), trail)
        row = np.broadcast_to(merged[:, None], (lead, len(merged), trail)).ravel()
        at = np.arange(lead * len(merged) * trail)
        number, step = at // (len(merged) * trail) * n_pieces * trail + at % trail, counts[row]
        piece = positions(split.indptr[row], step)
        merges = Gather(
            n=len(row),
            inputs=(pieces,),
            kernel=MergeTaken(self.axis),
            indptr=row_starts(step),
            indices=number.repeat(step) + piece * trail,
            params=[split.order[i] for i in row.tolist()],
            name=f"{self.label}-merge",
            origin=self.origin,
        )
        return Select(n=table.size, inputs=(pieces, merges), table=table.ravel())

    def sliced(self, cuts: Cuts) -> ArrayExpr | None:
        cut = cuts[self.axis]
        others = cuts[: self.axis], cuts[self.axis + 1 :]
        if isinstance(cut, int):
            places: list[Cut] = [int(at[cut]) for at in self.places]
            return cut_array(self.array, (*others[0], *places, *others[1]))
        lengths = self.lengths if cut == WHOLE else tuple(cut_axis(self.lengths, cut)[1][:, 2].tolist())
        if 0 in lengths:
            return None
        return Take(
            cut_array(self.array, (*others[0], *(WHOLE,) * len(self.places), *others[1])),
            self.axis - sum(isinstance(by, int) for by in others[0]),
            tuple(at[cut] for at in self.places),
            lengths,
        )


@dataclass(frozen=True, eq=False, repr=False)
class TakeLazy(ArrayExpr):
    """Elements at places that are yet to be computed: the axes of the places stand in for the indexed axes."""

    knows_masks = True

    array: ArrayExpr
    axis: int
    """The first of the indexed axes, which are neighbours."""
    places: tuple[ArrayExpr, ...]
    """For each indexed axis where the elements are on it; they broadcast, along common chunks."""

    @property
    def label(self) -> str:
        return "take"

    def _dtype(self) -> np.dtype:
        return self.array.dtype

    def _chunks(self) -> Chunks:
        chunks = self.array.chunks
        places = common_chunks([places.chunks for places in self.places])
        return (*chunks[: self.axis], *places, *chunks[self.axis + len(self.places) :])

    def blocks(self, *children: Blocks) -> Blocks:
        end = self.axis + len(self.places)
        indexed = self.array.chunks[self.axis : end]
        lead, sources, trail = (
            math.prod(grid_of(part)) for part in (self.array.chunks[: self.axis], indexed, self.array.chunks[end:])
        )
        grid = grid_of(common_chunks([places.chunks for places in self.places]))
        n_places = math.prod(grid)
        shape = (lead, n_places, sources, trail)
        numbers = np.arange(children[0].n).reshape(lead, 1, sources, trail)
        which = np.broadcast_to(np.arange(n_places)[:, None, None], shape).ravel()
        pieces = Map(
            n=math.prod(shape),
            inputs=children,
            kernel=TakeInside(self.axis, [sum(lengths) for lengths in indexed]),
            index=(
                np.broadcast_to(numbers, shape).ravel(),
                *(broadcast_index(grid, places.grid)[which] for places in self.places),
            ),
            params=np.broadcast_to(block_bounds(indexed)[:, None], (*shape, 2 * len(indexed))).reshape(
                -1, 2 * len(indexed)
            ),
            name=self.label,
            origin=self.origin,
        )
        return merge_picked(pieces, shape, self.label, self.origin)


@dataclass(frozen=True, eq=False, repr=False)
class TakeAlong(ArrayExpr):
    """`numpy.take_along_axis`; but for the axis, array and indices agree in shape and chunks or have length 1."""

    knows_masks = True

    array: ArrayExpr
    indices: ArrayExpr
    axis: int

    @property
    def label(self) -> str:
        return "take_along_axis"

    def _dtype(self) -> np.dtype:
        return self.array.dtype

    def _chunks(self) -> Chunks:
        common = common_chunks([_with_axis(x.chunks, self.axis, (1,)) for x in (self.array, self.indices)])
        return _with_axis(common, self.axis, self.indices.chunks[self.axis])

    def blocks(self, *children: Blocks) -> Blocks:
        along = self.array.chunks[self.axis]
        sources = len(along)
        grid = (*self.grid[: self.axis], self.grid[self.axis], sources, *self.grid[self.axis + 1 :])
        of_array = np.broadcast_to(
            np.expand_dims(np.arange(children[0].n).reshape(self.array.grid), self.axis), grid
        ).ravel()
        of_indices = np.broadcast_to(
            np.expand_dims(np.arange(children[1].n).reshape(self.indices.grid), self.axis + 1), grid
        ).ravel()
        shape = (1, math.prod(grid[: self.axis + 1]), sources, math.prod(grid[self.axis + 2 :]))
        pieces = Map(
            n=math.prod(grid),
            inputs=children,
            kernel=TakeAlongInside(self.axis, sum(along)),
            index=(of_array, of_indices),
            params=np.broadcast_to(block_bounds((along,))[:, None], (*shape, 2)).reshape(-1, 2),
            name=self.label,
            origin=self.origin,
        )
        return merge_picked(pieces, shape, self.label, self.origin)


@dataclass(frozen=True, eq=False, slots=True)
class Split:
    """Places by the blocks that they are in and the blocks that they are for.

    A piece is what one block of the array has for one block of the result.
    """

    source: Ints
    """Per piece the block that it is from, in C order of the blocks of the indexed axes."""
    inside: list[tuple[Ints, ...]]
    """Per piece the places, on each axis, within that block."""
    indptr: Ints
    """Which pieces make each block of the result, in CSR form, int64[blocks + 1]."""
    order: list[Ints | None]
    """Per block of the result where in it the elements of its pieces go, None where in their order."""


def split_places(chunks: Chunks, places: Sequence[np.ndarray], lengths: Sequence[int]) -> Split:
    """Find the pieces of blocks with these lengths."""
    source, inside = located(chunks, places)
    n_sources = math.prod(grid_of(chunks))
    key = np.repeat(np.arange(len(lengths)), lengths) * n_sources + source
    order = None if (key[1:] >= key[:-1]).all() else stable_argsort(key, len(lengths) * n_sources)
    if order is not None:
        key, inside = key[order], [axis[order] for axis in inside]
    first = np.flatnonzero(np.diff(key, prepend=-1))
    bounds = [*first.tolist(), len(key)]
    spans = list(map(slice, bounds, bounds[1:]))
    owner = key[first] // n_sources
    indptr = row_starts(np.bincount(owner, minlength=len(lengths)))
    starts = starts_of(lengths)
    orders: list[Ints | None] = [None] * len(lengths)
    if order is not None:
        order -= np.repeat(starts[:-1], lengths)
        cuts = starts.tolist()
        orders = [order[a:b] for a, b in pairwise(cuts)]
    return Split(key[first] % n_sources, [tuple(axis[span] for axis in inside) for span in spans], indptr, orders)


def located(chunks: Chunks, places: Sequence[np.ndarray]) -> tuple[Ints, list[Ints]]:
    """The blocks that places are in, numbered in C order, and where they are within them, for each axis."""
    source = np.zeros(len(places[0]), np.int64)
    inside = []
    for lengths, at in zip(chunks, places):
        number, place = _block_of(lengths, at)
        inside.append(place)
        source = source * len(lengths) + number
    return source, inside


def _block_of(lengths: Sequence[int], at: np.ndarray) -> tuple[Ints, Ints]:
    size = lengths[0]
    if size and all(length == size for length in lengths[:-1]) and lengths[-1] <= size:
        number = at // size  # a tenth of the time of a search
        return number, at - number * size
    starts = starts_of(lengths)
    number = np.searchsorted(starts, at, side="right") - 1
    return number, at - starts[number]


class TakePiece:
    """Kernel: elements of a block, given their places along some neighbouring axes."""

    __name__ = "take"

    def __init__(self, axis: int) -> None:
        self.lead = (WHOLE,) * axis

    def __call__(self, places: tuple[Ints, ...], block: Any) -> Any:
        at = places[0]
        first, last = int(at[0]), int(at[-1])
        if len(places) == 1 and last - first == len(at) - 1 and (len(at) < 3 or (np.diff(at) == 1).all()):
            return block[(*self.lead, slice(first, last + 1))]
        return block[(*self.lead, *places)]


class MergeTaken:
    """Kernel: one block of its pieces, given where their elements go along the axis."""

    __name__ = "take-merge"

    def __init__(self, axis: int) -> None:
        self.axis = axis

    def __call__(self, order: Ints | None, *pieces: Any) -> Any:
        if order is None:
            return np.concatenate(pieces, axis=self.axis)
        shape = list(pieces[0].shape)
        shape[self.axis] = len(order)
        block = np.empty_like(pieces[0], shape=shape)
        lead, at = (WHOLE,) * self.axis, 0
        for piece in pieces:
            stop = at + piece.shape[self.axis]
            block[(*lead, order[at:stop])] = piece
            at = stop
        return block


@dataclass(frozen=True, slots=True)
class Picked:
    """What one block has for a block of the result that is made of several."""

    flat: Shape
    """A shape of that block in which `where` makes sense."""
    where: Any
    values: Any
    shape: Shape
    """Its shape in the end."""


class TakeInside:
    """Kernel: those elements that are in a block, given where it starts and stops along the indexed axes."""

    __name__ = "take"

    def __init__(self, axis: int, lengths: Sequence[int]) -> None:
        self.axis = axis
        self.lengths = tuple(lengths)

    def __call__(self, bounds: list[int], block: Any, *places: Any) -> Picked:
        try:
            places = np.broadcast_arrays(*map(np.asarray, places))
        except ValueError as error:
            raise IndexError(f"indexing arrays could not be broadcast together: {error}") from None
        inside: Any = np.ones(places[0].shape, bool)
        local = []
        for at, length, start, stop in zip(places, self.lengths, bounds[::2], bounds[1::2]):
            at = from_zero(at, length)
            inside &= (at >= start) & (at < stop)
            local.append(at - start)
        lead = (WHOLE,) * self.axis
        values = block[(*lead, *(at[inside] for at in local))]
        before, after = block.shape[: self.axis], block.shape[self.axis + len(places) :]
        flat = (*before, places[0].size, *after)
        shape = (*before, *places[0].shape, *after)
        return Picked(flat, (*lead, np.flatnonzero(inside)), values, shape)


class TakeAlongInside:
    """Kernel: those elements along an axis that are in a block, given where it starts and stops."""

    __name__ = "take_along_axis"

    def __init__(self, axis: int, length: int) -> None:
        self.axis = axis
        self.length = length

    def __call__(self, bounds: list[int], block: Any, indices: Any) -> Picked:
        at = from_zero(indices, self.length) - bounds[0]
        inside = (at >= 0) & (at < bounds[1] - bounds[0])
        shape = tuple(max(lengths) if 0 not in lengths else 0 for lengths in zip(block.shape, indices.shape))
        shape = _with_axis(shape, self.axis, indices.shape[self.axis])
        inside = np.broadcast_to(inside, shape)
        if not inside.any():
            return Picked(shape, inside, np.empty(0, block.dtype), shape)
        at = np.broadcast_to(at, shape)
        wide = broadcast_block(_with_axis(shape, self.axis, block.shape[self.axis]), block)
        values = np.take_along_axis(wide, np.clip(at, 0, block.shape[self.axis] - 1), self.axis)
        return Picked(shape, inside, values[inside], shape)


def merge_picked_block(*picked: Picked) -> Any:
    """Kernel: the block that several others have given their part of."""
    block = np.empty_like(picked[0].values, shape=picked[0].flat)
    for part in picked:
        block[part.where] = part.values
    return block.reshape(picked[0].shape)[()]


def merge_picked(pieces: Blocks, shape: tuple[int, int, int, int], label: str, origin: str | None) -> Blocks:
    """One block of all parts along the third of these four axes."""
    lead, n, sources, trail = shape
    numbers = np.arange(pieces.n).reshape(lead, n, sources, trail).transpose(0, 1, 3, 2)
    total = lead * n * trail
    return Gather(
        n=total,
        inputs=(pieces,),
        kernel=merge_picked_block,
        indptr=np.arange(total + 1) * sources,
        indices=numbers.ravel(),
        name=f"{label}-merge",
        origin=origin,
    )


def take(x: ArrayExpr, places: np.ndarray, axis: int) -> ArrayExpr:
    """Elements of an axis at known places, which may have any shape; their axes stand in for the axis.

    Raises
    ------
    IndexError
        A place is out of bounds.
    ValueError
        The axis is of unknown length.
    """
    return pick(x, [places], axis)


def pick(x: ArrayExpr, places: Sequence[np.ndarray], axis: int) -> ArrayExpr:
    """Elements at known places on some neighbouring axes, from `axis` on; the places of all axes are of one shape."""
    shape = places[0].shape
    end = axis + len(places)
    flat = [from_zero(np.ravel(at), sum(known(x.chunks[k])), k) for k, at in enumerate(places, axis)]
    if not flat[0].size:
        return full(
            (*x.chunks[:axis], *((length,) for length in shape), *x.chunks[end:]), np.zeros((), x.dtype), x.dtype
        )
    step = _step(flat[0]) if len(flat) == 1 else 0
    if step:
        start, stop = int(flat[0][0]), int(flat[0][-1]) + step
        taken = getitem(x, (*(WHOLE,) * axis, slice(start, stop if stop >= 0 else None, step)))
    else:
        taken = Take(x, axis, tuple(flat), _lengths(x.chunks[axis:end], flat, math.prod(shape[1:])))
    return split_axis(taken, axis, shape)


def take_in_blocks(x: ArrayExpr, places: Sequence[np.ndarray], axis: int, lengths: Sequence[int]) -> ArrayExpr:
    """As `pick`, of flat places from 0, in blocks of these lengths."""
    return Take(x, axis, tuple(places), tuple(length for length in lengths if length))


def take_lazy(x: ArrayExpr, places: Sequence[ArrayExpr], axis: int) -> ArrayExpr:
    """Elements at places that are yet to be computed, on some neighbouring axes, from `axis` on; places broadcast.

    Places that are out of bounds are an IndexError on compute.
    """
    indexed = x.chunks[axis : axis + len(places)]
    most = math.prod(max(known(lengths)) for lengths in indexed)
    chunks = common_chunks([at.chunks for at in places])
    shape = tuple(map(sum, chunks))
    if math.prod(max(lengths) for lengths in chunks) > max(most, 1):
        chunks = normalize_chunks("auto", shape, 1, limit=max(most, 1))
    return TakeLazy(x, axis, tuple(rechunk(at, stretching(chunks, at.shape)) for at in places))


def take_along_axis(x: ArrayExpr, indices: ArrayExpr, axis: int) -> ArrayExpr:
    """Elements at places on an axis that differ from line to line; but for the axis the shapes broadcast."""
    known(x.chunks[axis])
    others = common_chunks([_with_axis(a.chunks, axis, (1,)) for a in (x, indices)])
    x, indices = (
        rechunk(a, _with_axis(stretching(others, _with_axis(a.shape, axis, 1)), axis, a.chunks[axis]))
        for a in (x, indices)
    )
    most = max(x.chunks[axis])
    if max(indices.chunks[axis]) > max(most, 1):
        indices = rechunk(indices, _with_axis(indices.chunks, axis, even_lengths(indices.shape[axis], most)))
    return TakeAlong(x, indices, axis)


def split_axis(x: ArrayExpr, axis: int, shape: Shape) -> ArrayExpr:
    """One axis as several, of this shape."""
    if len(shape) == 1:
        return x
    if not shape:
        return getitem(x, (*(WHOLE,) * axis, 0))
    lengths, unit = x.chunks[axis], math.prod(shape[1:])
    if not any(length % unit for length in lengths):
        rows = tuple(length // unit for length in lengths)
        tail = ((length,) for length in shape[1:])
        return Reshape(x, (*x.chunks[:axis], rows, *tail, *x.chunks[axis + 1 :]))
    return reshape(x, (*x.shape[:axis], *shape, *x.shape[axis + 1 :]))


def from_zero(places: Any, length: int, axis: int | None = None) -> Ints:
    """Places on an axis, counted from 0 on; those below 0 count from the end.

    Raises
    ------
    IndexError
        One is out of bounds.
    """
    places = np.asarray(places)
    if places.dtype.kind not in "iu":
        raise IndexError(f"arrays used as indices must be of integer (or boolean) type, got {places.dtype}")
    at: Ints = places.astype(np.int64)
    if at.size and (at.min() < -length or at.max() >= length):
        wrong = at[(at < -length) | (at >= length)].flat[0]
        where = "" if axis is None else f"axis {axis} with "
        raise IndexError(f"index {wrong} is out of bounds for {where}size {length}")
    return np.where(at < 0, at + length, at) if at.size and at.min() < 0 else at


def even_lengths(n: int, most: int) -> tuple[int, ...]:
    """Lengths of blocks of one size, up to `most`, but for the last."""
    blocks = max(-(-n // max(most, 1)), 1)
    size = max(-(-n // blocks), 1)
    return (*(size,) * (n // size), *((n % size,) if n % size or not n else ()))


def _lengths(chunks: Chunks, places: Sequence[Ints], unit: int) -> tuple[int, ...]:
    """Lengths of the blocks that elements at these places are put in: about as long as those they come from."""
    n = len(places[0])
    most = math.prod(max(lengths) for lengths in chunks)
    if len(places) == 1 and unit == 1 and (places[0][1:] >= places[0][:-1]).all():
        return _sorted_lengths(chunks[0], places[0], most)
    return even_lengths(n, most // unit * unit or most)


def _sorted_lengths(lengths: Sequence[int], places: Ints, most: int) -> tuple[int, ...]:
    """A block for each block that has some of the elements; for several where they have few each."""
    counts = np.diff(np.searchsorted(places, starts_of(lengths)))
    counts = counts[counts > 0]
    parts = -(-counts // most)
    if (parts > 1).any():
        rank = np.arange(parts.sum()) - np.repeat(parts.cumsum() - parts, parts)
        size, rest = np.divmod(counts, parts)
        counts = np.repeat(size, parts) + (rank < np.repeat(rest, parts))
    if counts.mean() * 4 < most:
        counts = np.bincount((counts.cumsum() - counts) // most, counts).astype(np.int64)
    return tuple(counts[counts > 0].tolist())


def _step(places: Ints) -> int:
    """The step from each place to the next, 0 if there is no one such step."""
    if len(places) == 1:
        return 1
    step = int(places[1] - places[0])
    return step if (np.diff(places) == step).all() else 0


def _with_axis(values: tuple[Any, ...], axis: int, value: Any) -> tuple[Any, ...]:
    return (*values[:axis], value, *values[axis + 1 :])


def shuffle(x: ArrayExpr, groups: Sequence[np.ndarray], axis: int, chunks: Any = "auto") -> ArrayExpr:
    """Elements of an axis in the order of groups of places, none of which is split over blocks.

    Raises
    ------
    IndexError
        A place is out of bounds.
    """
    flat = [from_zero(group, sum(known(x.chunks[axis])), axis) for group in groups]
    most = max(x.chunks[axis]) if chunks == "auto" else int(chunks)
    lengths: list[int] = []
    for group in flat:
        if lengths and lengths[-1] + len(group) <= most:
            lengths[-1] += len(group)
        else:
            lengths.append(len(group))
    if not sum(lengths):
        return pick(x, [np.zeros(0, np.int64)], axis)
    return take_in_blocks(x, [np.concatenate(flat)], axis, lengths)
