"""Insertion: functions with numpy's names that make axes longer or shorter, or reorder them group by group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from restride.collections.array.array import Array, asarray, implements
from restride.collections.array.chunks import known
from restride.collections.array.manipulation import broadcast_to, concatenate, moveaxis, ravel
from restride.collections.array.operations import take as operation


@implements(np.append)
def append(x: Any, values: Any, axis: int | None = None) -> Array:
    """Values at the end of an axis; of the flattened array, without one.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.append(ra.arange(3, chunks=2), [7, 8]).compute()
    array([0, 1, 2, 7, 8])
    """
    if axis is None:
        return concatenate([_line(x), _line(values)])
    return concatenate([asarray(x), asarray(values)], axis)


@implements(np.delete)
def delete(x: Any, obj: Any, axis: int | None = None) -> Array:
    """An array without some of the elements of an axis.

    Parameters
    ----------
    x : Array or array_like
    obj : int, slice, or array_like of int or bool
        Which are left out.
    axis : int, optional
        By default the flattened array's.

    Raises
    ------
    IndexError
        A place is out of bounds.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.delete(ra.arange(6, chunks=4), [1, -1]).compute()
    array([0, 2, 3, 4])
    """
    array, axis = _axis_of(x, axis)
    length = array.shape[axis]
    known(array.chunks[axis])
    places = np.asarray(obj) if not isinstance(obj, slice) else obj
    if isinstance(places, np.ndarray):
        if places.dtype == bool and places.shape != (length,):
            raise ValueError(
                f"boolean array argument `obj` to delete must be one-dimensional and match the axis length of {length}"
            )
        if not places.size:
            places = places.astype(np.int64)
        if places.dtype.kind not in "iub":
            raise IndexError(f"arrays used as indices must be of integer (or boolean) type, got {places.dtype}")
        if places.dtype != bool:
            places = operation.from_zero(places, length, axis)
    kept = np.ones(length, bool)
    kept[places] = False
    return array[(*(slice(None),) * axis, kept)]


@implements(np.insert)
def insert(x: Any, obj: Any, values: Any, axis: int | None = None) -> Array:
    """An array with other elements put in before some places of an axis.

    Parameters
    ----------
    x : Array or array_like
    obj : int, slice, or array_like of int or bool
        Before which places.
    values : Array or array_like
        As many as places, or for one place any number; they broadcast.
    axis : int, optional
        By default the flattened array's.

    Raises
    ------
    IndexError
        A place is out of bounds.
    ValueError
        Values that do not broadcast.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.insert(ra.arange(4, chunks=2), [1, 3], [8, 9]).compute()
    array([0, 8, 1, 2, 9, 3])
    """
    array, axis = _axis_of(x, axis)
    length = int(sum(known(array.chunks[axis])))
    places = np.arange(*obj.indices(length)) if isinstance(obj, slice) else np.asarray(obj)
    if places.dtype == bool:
        if places.ndim != 1 or places.shape[0] != length:
            raise ValueError(
                f"boolean array argument obj to insert must be one dimensional and match the axis length of {length}"
            )
        places = np.flatnonzero(places)
    elif places.ndim > 1:
        raise ValueError("index array argument obj to insert must be one dimensional or scalar")
    if not places.size:
        places = places.astype(np.int64)
    single, n_places = places.ndim == 0, places.size
    if places.size and not (-length <= places.min() and places.max() <= length):
        raise IndexError(f"index {places.flat[0]} is out of bounds for axis {axis} with size {length}")
    places = places.ravel() + (places.ravel() < 0) * length
    new = asarray(values).astype(array.dtype)
    new = new[(None,) * (array.ndim - new.ndim)]
    if n_places == 1:
        if single:
            new = moveaxis(new, 0, axis)
        places = np.repeat(places, new.shape[axis])
    wanted = (*array.shape[:axis], len(places), *array.shape[axis + 1 :])
    new = broadcast_to(new, wanted)
    order = np.argsort(np.concatenate([np.arange(length) + 0.5, places]), kind="stable")
    return concatenate([array, new], axis)[(*(slice(None),) * axis, order)]


def shuffle(x: Any, indexer: Sequence[Sequence[int]], axis: int, chunks: Any = "auto") -> Array:
    """Elements of an axis in another order, group by group.

    Parameters
    ----------
    x : Array or array_like
    indexer : sequence of sequence of int
        Groups of places. No group is split over blocks.
    axis : int
    chunks : int or "auto"
        How long blocks may be that hold several groups; by default as long as those of `x`.

    Raises
    ------
    IndexError
        A place is out of bounds.

    Examples
    --------
    >>> import restride.array as ra
    >>> y = ra.shuffle(ra.arange(6, chunks=3), [[5, 0], [1, 4, 3]], axis=0)
    >>> y.compute(), y.chunks
    (array([5, 0, 1, 4, 3]), ((2, 3),))
    """
    return asarray(x).shuffle(indexer, axis, chunks)


def _axis_of(x: Any, axis: int | None) -> tuple[Array, int]:
    if axis is None:
        return _line(x), 0
    array = asarray(x)
    return array, np.lib.array_utils.normalize_axis_index(axis, array.ndim)


def _line(x: Any) -> Array:
    """All elements along one axis; any lengths may be unknown if the order does not need them."""
    array = asarray(x)
    return array if array.ndim == 1 else ravel(array)
