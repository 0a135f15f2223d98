"""Indexing with all that numpy takes: integers, slices, Ellipsis and newaxis, arrays of integers and masks.

An index is read once (`parse`) and then is two steps: a basic index, which gives an array that has an axis for each
array of the index, and a lookup on those axes, whose result goes to one place among the others.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from restride.collections.array.chunks import UNKNOWN, Shape
from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations import masks, slicing
from restride.collections.array.operations.cuts import WHOLE
from restride.collections.array.operations.manipulation import transpose
from restride.collections.array.operations.sources import from_object
from restride.collections.array.operations.take import pick, take, take_lazy


@dataclass
class Lookup:
    """An index, read: a basic one, and arrays for some axes of what that gives."""

    basic: list[Any] = field(default_factory=list)
    """Integers, slices and None; the axes that arrays are for are whole."""
    axes: list[int] = field(default_factory=list)
    """Axes, of the result of `basic`, that arrays are for, ascending."""
    arrays: list[Any] = field(default_factory=list)
    """For each of them an array of integers, numpy's or an expression; or one mask over all of them."""
    mask: ArrayExpr | None = None
    """A mask that is yet to be computed, alone, over all of `axes`; there are no `arrays` then."""
    to: int = 0
    """Where the axes of the result of the lookup go, among the other axes."""

    @property
    def is_basic(self) -> bool:
        """Whether there are no arrays."""
        return not self.axes

    @property
    def order(self) -> list[int]:
        """Axes in the order in which the indexed ones are neighbours, at `to`."""
        ndim = sum(not isinstance(entry, int) for entry in self.basic)
        others = [axis for axis in range(ndim) if axis not in self.axes]
        return [*others[: self.to], *self.axes, *others[self.to :]]


def getitem(x: ArrayExpr, index: Any) -> ArrayExpr:
    """Index an array.

    Raises
    ------
    IndexError
        What numpy raises it for: too many indices, or one that is out of bounds; arrays that do not broadcast; a mask
        of another shape.
    ValueError
        An axis of unknown length would have to be known.
    """
    lookup = parse(index, x.shape)
    x = slicing.getitem(x, tuple(lookup.basic))
    return x if lookup.is_basic else look_up(x, lookup)


def look_up(x: ArrayExpr, lookup: Lookup) -> ArrayExpr:
    """The second step: elements of what the basic index has given."""
    if lookup.mask is None and lookup.arrays and _is_outer(lookup.arrays):
        for axis, array in zip(lookup.axes, lookup.arrays):
            x = take(x, array.ravel(), axis)
        return transpose(x, lookup.order)
    x = transpose(x, lookup.order)
    if lookup.mask is not None:
        return masks.compress(x, lookup.mask, lookup.to)
    if any(isinstance(array, ArrayExpr) for array in lookup.arrays):
        return take_lazy(x, [as_places(array) for array in lookup.arrays], lookup.to)
    return pick(x, np.broadcast_arrays(*lookup.arrays), lookup.to)


def pointwise(x: ArrayExpr, index: Any) -> ArrayExpr:
    """Look arrays up as numpy does, but with the axes of what was looked up always first; see `getitem`."""
    lookup = parse(index, x.shape)
    lookup.to = 0
    x = slicing.getitem(x, tuple(lookup.basic))
    return x if lookup.is_basic else look_up(x, lookup)


def as_places(array: Any) -> ArrayExpr:
    """An array of an index as an expression, of one block where it is numpy's."""
    if isinstance(array, ArrayExpr):
        return array
    return from_object(array, tuple((length,) for length in array.shape))


def parse(index: Any, shape: Shape) -> Lookup:
    """Read an index of an array of this shape.

    Raises
    ------
    IndexError
        It is none, or does not fit the shape.
    """
    entries = _spelled_out(index, len(shape))
    n_arrays = sum(isinstance(entry, (np.ndarray, ArrayExpr)) for entry in entries)
    fancy = n_arrays > 0
    lookup = Lookup()
    axis = position = 0
    places: list[int] = []  # among the entries, of those that take part in the lookup
    before = 0
    for number, entry in enumerate(entries):
        if fancy and (isinstance(entry, (int, np.ndarray, ArrayExpr))):
            if not places:
                before = position
            places.append(number)
        if entry is None:
            lookup.basic.append(None)
            position += 1
        elif n_arrays == 1 and isinstance(entry, ArrayExpr) and entry.dtype == bool:
            masks.check_mask(entry.shape, shape, axis)
            lookup.mask = entry if entry.ndim else slicing.expand_dims(entry, (0,))
            lookup.axes = list(range(position, position + lookup.mask.ndim))
            lookup.basic += [WHOLE] * entry.ndim or [None]
            axis, position = axis + entry.ndim, position + lookup.mask.ndim
        elif isinstance(entry, (np.ndarray, ArrayExpr)):
            new, arrays = _places(entry, shape, axis)
            lookup.axes += range(position, position + len(arrays))
            lookup.arrays += arrays
            lookup.basic += [None if new else WHOLE] * len(arrays)
            axis, position = axis + (0 if new else len(arrays)), position + len(arrays)
        else:
            lookup.basic.append(entry)
            axis, position = axis + 1, position + isinstance(entry, slice)
    adjacent = not places or places[-1] - places[0] == len(places) - 1
    lookup.to = before if adjacent else 0
    n_masks = sum(isinstance(entry, ArrayExpr) and entry.dtype == bool for entry in entries)
    if n_masks:
        lookup.arrays = _beside_masks(lookup.arrays, n_masks)
    _check_broadcast(lookup.arrays)
    return lookup


def _places(entry: Any, shape: Shape, axis: int) -> tuple[bool, list[Any]]:
    """Arrays of integers for an array of an index, and whether they are for a new axis."""
    if entry.dtype.kind in "iu":
        return False, [entry]
    if entry.ndim == 0:  # as numpy: a new axis of length 1 or 0
        if isinstance(entry, ArrayExpr):
            return True, [masks.flatnonzero(entry)]
        return True, [np.zeros(int(entry), np.int64)]
    masks.check_mask(entry.shape, shape, axis)
    return False, list(masks.nonzero(entry) if isinstance(entry, ArrayExpr) else entry.nonzero())


def _beside_masks(arrays: Sequence[Any], n_masks: int) -> list[Any]:
    """Arrays of places, where those that are of unknown length, as masks have given them, broadcast with the others.

    Those of one mask go together block by block; those of two do not, in as many blocks as they may be.
    """
    unknown = [array.ndim == 1 and math.isnan(array.shape[0]) for array in arrays]
    lengths = {array.shape[-1] for array, is_unknown in zip(arrays, unknown) if array.ndim and not is_unknown} - {1}
    if not lengths and n_masks == 1:
        return list(arrays)
    length = lengths.pop() if lengths else UNKNOWN
    return [masks.together(array, length) if is_unknown else array for array, is_unknown in zip(arrays, unknown)]


def _check_broadcast(arrays: Sequence[Any]) -> None:
    try:
        np.broadcast_shapes(*(array.shape for array in arrays))
    except ValueError:
        listed = " ".join(str(array.shape).replace(" ", "") for array in arrays)
        raise IndexError(
            f"shape mismatch: indexing arrays could not be broadcast together with shapes {listed}"
        ) from None
    except TypeError:  # unknown lengths: seen to when they are broadcast
        return


def _is_outer(arrays: Sequence[Any]) -> bool:
    """Whether arrays are those of `numpy.ix_`: array ``k`` is of length 1 along all axes but the k-th."""
    return all(
        isinstance(array, np.ndarray)
        and array.ndim == len(arrays)
        and all(length == 1 for k, length in enumerate(array.shape) if k != number)
        for number, array in enumerate(arrays)
    )


def _spelled_out(index: Any, ndim: int) -> list[Any]:
    """The entries of an index as int, slice, None, numpy array or expression; Ellipsis and missing ones as slices."""
    entries = [_entry(entry) for entry in (index if isinstance(index, tuple) else (index,))]
    ellipses = [at for at, entry in enumerate(entries) if entry is Ellipsis]
    if len(ellipses) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    used = sum(_n_axes(entry) for entry in entries)
    if used > ndim:
        raise IndexError(f"too many indices for array: array is {ndim}-dimensional, but {used} were indexed")
    at = ellipses[0] if ellipses else len(entries)
    entries[at : at + len(ellipses)] = [WHOLE] * (ndim - used)
    return entries


def _n_axes(entry: Any) -> int:
    """How many axes an entry is for."""
    if entry is None or entry is Ellipsis:
        return 0
    is_mask = isinstance(entry, (np.ndarray, ArrayExpr)) and entry.dtype == bool
    return entry.ndim if is_mask else 1


def _entry(entry: Any) -> Any:
    if entry is None or entry is Ellipsis or isinstance(entry, slice):
        return entry
    if isinstance(entry, ArrayExpr):
        if entry.dtype.kind not in "iub":
            raise IndexError(f"arrays used as indices must be of integer (or boolean) type, got {entry.dtype}")
        return entry
    if isinstance(entry, (list, tuple, bool, np.bool, np.ndarray)) or (
        hasattr(entry, "__array__") and not isinstance(entry, np.generic)
    ):
        array = np.asarray(entry)
        if array.size == 0 and not isinstance(entry, np.ndarray):
            array = array.astype(np.int64)
        if array.dtype.kind not in "iub":
            raise IndexError(f"arrays used as indices must be of integer (or boolean) type, got {array.dtype}")
        return operator.index(array[()]) if array.ndim == 0 and array.dtype != bool else array
    try:
        return operator.index(entry)
    except TypeError:
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`), numpy.newaxis (`None`) and integer or boolean arrays are "
            f"valid indices, got {type(entry).__name__}"
        ) from None
