"""Assignment: an array like another one but for some elements. Blocks without any of those stay the same blocks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from restride.collections.array.chunks import (
    Shape,
    block_bounds,
    broadcast_index,
    broadcast_shapes,
    known,
    per_block,
)
from restride.collections.array.expr import ArrayExpr, SameChunks
from restride.collections.array.operations import masks, slicing
from restride.collections.array.operations.cuts import WHOLE
from restride.collections.array.operations.elementwise import astype, elementwise, stretching
from restride.collections.array.operations.indexing import Lookup, as_places, parse
from restride.collections.array.operations.manipulation import broadcast_to, transpose
from restride.collections.array.operations.rechunk import in_one_block, rechunk
from restride.collections.array.operations.reshape import reshape
from restride.collections.array.operations.slicing import CutBlock, cut_axis
from restride.collections.array.operations.take import from_zero, located, take_in_blocks
from restride.collections.blocks import Blocks, Map, Select, every
from restride.engine.graphs.csr import Ints, stable_argsort
from restride.engine.graphs.graph import Params


@dataclass(frozen=True, eq=False, repr=False)
class Assigned(SameChunks):
    """Base of nodes: an array with other elements in some of its blocks."""

    values: ArrayExpr

    @property
    def label(self) -> str:
        return "setitem"

    def _masked(self) -> bool:
        return self._masked_if(self.array.masked)  # masked values need somewhere to put their masks

    def _with_touched(
        self, children: Sequence[Blocks], touched: Ints, values: Ints, params: Params, kernel: Any
    ) -> Blocks:
        """The blocks, of which those that are touched are ``kernel(param, block, block of the values)``."""
        n = children[0].n
        new = Map(
            n=len(touched),
            inputs=tuple(children),
            kernel=kernel,
            index=(touched, values),
            params=params,
            name=self.label,
            origin=self.origin,
        )
        table = np.arange(n)
        table[touched] = n + np.arange(len(touched))
        return Select(n=n, inputs=(children[0], new), table=table)


@dataclass(frozen=True, eq=False, repr=False)
class SetSlice(Assigned):
    """Other elements in a box: the values broadcast to it, along its chunks."""

    cuts: tuple[slice | int, ...]
    """One for each axis; integers from 0."""

    def blocks(self, *children: Blocks) -> Blocks:
        cut = [cut_axis(lengths, cut) for lengths, cut in zip(self.array.chunks, self.cuts)]
        chosen = [numbers for numbers, _ in cut]
        touched = np.arange(children[0].n).reshape(self.array.grid)[np.ix_(*chosen)].ravel()
        keeps = [isinstance(by, slice) for by in self.cuts]
        grid = tuple(len(numbers) for numbers, keep in zip(chosen, keeps) if keep)
        params = per_block([pieces for _, pieces in cut], tuple(map(len, chosen)))
        return self._with_touched(
            children, touched, broadcast_index(grid, self.values.grid), params, SetPart(CutBlock(keeps))
        )


@dataclass(frozen=True, eq=False, repr=False)
class SetPlaces(Assigned):
    """Other elements at known places on some neighbouring axes."""

    axis: int
    """The first of the indexed axes."""
    places: tuple[np.ndarray, ...]
    """For each of them where on it, int64[n], from 0, block by block."""

    def blocks(self, *children: Blocks) -> Blocks:
        end = self.axis + len(self.places)
        chunks = self.array.chunks
        lead, trail = (math.prod(map(len, part)) for part in (chunks[: self.axis], chunks[end:]))
        source, inside = located(chunks[self.axis : end], self.places)
        first = np.flatnonzero(np.diff(source, prepend=-1))
        bounds = [*first.tolist(), len(source)]
        parts = [tuple(axis[a:b] for axis in inside) for a, b in pairwise(bounds)]
        numbers = np.arange(children[0].n).reshape(lead, -1, trail)[:, source[first]]
        which = np.broadcast_to(np.arange(len(first))[:, None], numbers.shape).ravel().tolist()
        grid = (*map(len, chunks[: self.axis]), len(first), *map(len, chunks[end:]))
        return self._with_touched(
            children,
            numbers.ravel(),
            broadcast_index(grid, self.values.grid),
            [parts[i] for i in which],
            SetAt(self.axis),
        )


@dataclass(frozen=True, eq=False, repr=False)
class SetPlacesLazy(SameChunks):
    """Other elements at places on an axis that are yet to be computed; places and values are in one block there."""

    values: ArrayExpr
    places: ArrayExpr
    axis: int

    @property
    def label(self) -> str:
        return "setitem"

    def _masked(self) -> bool:
        return self._masked_if(self.array.masked)

    def blocks(self, *children: Blocks) -> Blocks:
        n = children[0].n
        bounds = block_bounds((self.array.chunks[self.axis],))
        number = np.arange(len(bounds)).reshape([-1 if axis == self.axis else 1 for axis in range(self.ndim)])
        grid = self.array.grid
        one = (*grid[: self.axis], 1, *grid[self.axis + 1 :])
        of_values = np.broadcast_to(broadcast_index(one, self.values.grid).reshape(one), grid).ravel()
        return Map(
            n=n,
            inputs=children,
            kernel=SetInside(self.axis, self.array.shape[self.axis]),
            index=(every(n), of_values, np.zeros(n, np.int64)),
            params=bounds[np.broadcast_to(number, grid).ravel()],
            name=self.label,
            origin=self.origin,
        )


class SetPart:
    """Kernel: a block with values in a part of it, given start, step and length of the part along each axis."""

    __name__ = "setitem"

    def __init__(self, cut: CutBlock) -> None:
        self.keeps = cut.keeps

    def __call__(self, pieces: list[int], block: Any, values: Any) -> Any:
        where: list[slice | int] = []
        for start, step, length, keep in zip(pieces[::3], pieces[1::3], pieces[2::3], self.keeps):
            stop = start + step * length
            where.append(slice(start, stop if stop >= 0 else None, step) if keep else start)
        result = np.array(block, subok=True)
        result[tuple(where)] = values
        return result[()]


class SetAt:
    """Kernel: a block with values at places, given for each indexed axis."""

    __name__ = "setitem"

    def __init__(self, axis: int) -> None:
        self.lead = (WHOLE,) * axis

    def __call__(self, places: tuple[Ints, ...], block: Any, values: Any) -> Any:
        result = np.array(block, subok=True)
        result[(*self.lead, *places)] = values
        return result


class SetInside:
    """Kernel: a block with those values whose places are in it, given where it starts and stops on the axis."""

    __name__ = "setitem"

    def __init__(self, axis: int, length: int) -> None:
        self.axis = axis
        self.length = length

    def __call__(self, bounds: list[int], block: Any, values: Any, places: Any) -> Any:
        at = from_zero(np.ravel(places), self.length) - bounds[0]
        inside = (at >= 0) & (at < bounds[1] - bounds[0])
        result = np.array(block, subok=True)
        lead = (WHOLE,) * self.axis
        wide = values.shape[self.axis] != 1 or len(at) == 1
        result[(*lead, at[inside])] = values[(*lead, inside)] if wide else values
        return result


def setitem(x: ArrayExpr, index: Any, values: ArrayExpr) -> ArrayExpr:
    """The array with values at an index, cast to its dtype.

    Raises
    ------
    IndexError
        As for `indexing.getitem`.
    ValueError
        The values do not broadcast to what is indexed.
    NotImplementedError
        Several arrays in one index of which some are yet to be computed.
    """
    lookup = parse(index, x.shape)
    values = astype(values, x.dtype)
    if lookup.is_basic:
        return _set_basic(x, lookup.basic, values)
    if all(isinstance(entry, slice) and entry == WHOLE for entry in lookup.basic):
        return _set_looked_up(x, lookup, values)
    part = slicing.getitem(x, tuple(lookup.basic))
    return _set_basic(x, lookup.basic, _set_looked_up(part, lookup, values))


def _set_basic(x: ArrayExpr, basic: Sequence[Any], values: ArrayExpr) -> ArrayExpr:
    part = slicing.getitem(x, tuple(basic))
    values = _fitting(values, part.shape)
    if math.prod(part.shape) == 0:
        return x
    # What is indexed has axes that are new, and so have the values; the box has not.
    box = slicing.getitem(x, tuple(entry for entry in basic if entry is not None))
    kept = [entry for entry in basic if not isinstance(entry, int)][part.ndim - values.ndim :]
    values = slicing.getitem(values, tuple(0 if entry is None else WHOLE for entry in kept))
    cuts = slicing.read_cuts(x, [entry for entry in basic if entry is not None])
    return SetSlice(x, rechunk(values, stretching(box.chunks, values.shape)), cuts)


def _set_looked_up(x: ArrayExpr, lookup: Lookup, values: ArrayExpr) -> ArrayExpr:
    back = np.argsort(lookup.order)
    x = transpose(x, lookup.order)
    if lookup.mask is not None:
        x = _set_masked(x, lookup.mask, lookup.to, values)
    elif any(isinstance(array, ArrayExpr) for array in lookup.arrays):
        x = _set_lazy(x, lookup, values)
    else:
        x = _set_known(x, np.broadcast_arrays(*lookup.arrays), lookup.to, values)
    return transpose(x, back.tolist())


def _set_known(x: ArrayExpr, arrays: Sequence[np.ndarray], axis: int, values: ArrayExpr) -> ArrayExpr:
    shape, end = arrays[0].shape, axis + len(arrays)
    places = [from_zero(np.ravel(at), sum(known(x.chunks[k])), k) for k, at in enumerate(arrays, axis)]
    values = _flat_values(values, x, axis, end, shape)
    if not places[0].size:
        return x
    source, _ = located(x.chunks[axis:end], places)
    n_sources = math.prod(map(len, x.chunks[axis:end]))
    order = stable_argsort(source, n_sources)
    counts = np.bincount(source, minlength=n_sources)
    if values.shape[axis] != 1 or len(order) == 1:
        values = take_in_blocks(values, [order], axis, counts[counts > 0].tolist())
    values = _along_others(values, x, axis, end)
    return SetPlaces(x, values, axis, tuple(at[order] for at in places))


def _set_lazy(x: ArrayExpr, lookup: Lookup, values: ArrayExpr) -> ArrayExpr:
    if len(lookup.arrays) > 1:
        raise NotImplementedError(
            "values cannot be assigned at several arrays of places that are yet to be computed; compute them first"
        )
    places = as_places(lookup.arrays[0])
    axis = lookup.to
    known(x.chunks[axis])
    values = in_one_block(_flat_values(values, x, axis, axis + 1, places.shape), [axis])
    values = _along_others(values, x, axis, axis + 1)
    return SetPlacesLazy(x, values, in_one_block(places, range(places.ndim)), axis)


def _set_masked(x: ArrayExpr, mask: ArrayExpr, axis: int, values: ArrayExpr) -> ArrayExpr:
    masks.check_mask(mask.shape, x.shape, axis)
    after = x.ndim - axis - mask.ndim
    while values.ndim > axis + 1 + after and values.shape[0] == 1:
        values = slicing.getitem(values, 0)
    if values.ndim > after and values.shape[-1 - after] == 1:  # one for all
        ones = (None,) * (mask.ndim - 1)
        values = slicing.getitem(values, (..., *ones, *(WHOLE,) * after))
    elif values.ndim > after:
        return _set_one_by_one(x, mask, axis, values, after)
    if broadcast_shapes(x.shape, values.shape) != x.shape:
        raise ValueError(_no_broadcast(values.shape, x.shape))
    where = slicing.getitem(mask, (..., *(None,) * after))
    if not any(map(math.isnan, x.shape)):
        where, values = (rechunk(a, stretching(x.chunks, a.shape)) for a in (where, values))
    return elementwise(masks.put_where, where, values, x, out_dtype=x.dtype)


def _set_one_by_one(x: ArrayExpr, mask: ArrayExpr, axis: int, values: ArrayExpr, after: int) -> ArrayExpr:
    """Values that follow each other as the mask is true: those of a masked array, most often by the same mask."""
    values = slicing.getitem(values, (None,) * (axis + 1 + after - values.ndim))
    if math.isnan(values.shape[axis]):
        return masks.set_masked(x, mask, values, axis)
    return masks.set_masked_in_turn(x, mask, values, axis)


def _flat_values(values: ArrayExpr, x: ArrayExpr, axis: int, end: int, shape: Shape) -> ArrayExpr:
    """Values with all axes of what is indexed, those of the lookup as one: of its size, or 1 where one is for all."""
    whole = (*x.shape[:axis], *shape, *x.shape[end:])
    values = _fitting(values, whole)
    values = slicing.getitem(values, (*(None,) * (len(whole) - values.ndim), ...))
    looked_up = values.shape[axis : axis + len(shape)]
    if all(length == 1 for length in looked_up):
        entries: list[Any] = [WHOLE] * values.ndim
        entries[axis : axis + len(shape)] = [0] * len(shape)
        entries.insert(axis, None)
        return slicing.getitem(values, tuple(entries))
    before, behind = values.shape[:axis], values.shape[axis + len(shape) :]
    values = broadcast_to(values, (*before, *shape, *behind))
    return reshape(values, (*before, math.prod(shape), *behind)) if len(shape) != 1 else values


def _along_others(values: ArrayExpr, x: ArrayExpr, axis: int, end: int) -> ArrayExpr:
    """Values along the chunks of the array on all axes but the one of the lookup."""
    others = (*x.chunks[:axis], values.chunks[axis], *x.chunks[end:])
    return rechunk(values, stretching(others, values.shape))


def _fitting(values: ArrayExpr, shape: Shape) -> ArrayExpr:
    """Values that broadcast to a shape; leading axes of length 1 too many are dropped, as numpy does."""
    while values.ndim > len(shape) and values.shape[0] == 1:
        values = slicing.getitem(values, 0)
    theirs = shape[len(shape) - values.ndim :]
    if values.ndim > len(shape) or any(
        a != 1 and a != b and not (a != a and b != b) for a, b in zip(values.shape, theirs)
    ):
        raise ValueError(_no_broadcast(values.shape, shape))
    return values


def _no_broadcast(values: Shape, shape: Shape) -> str:
    return f"could not broadcast input array from shape {values} into shape {shape}"
