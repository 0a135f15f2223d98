"""Distinct elements: unique and its kin, with the names of numpy and of the array API standard."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from restride.collections.array.array import Array, asarray, implements
from restride.collections.array.manipulation import concatenate, ravel
from restride.collections.array.operations.unique import unique as find_unique


def unique(
    x: Any, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False,
    axis: int | None = None, *, equal_nan: bool = True,
) -> Any:  # fmt: skip
    """The distinct elements of an array, sorted.

    Parameters
    ----------
    x : Array or array_like
    return_index : bool
        Also where each is first met: in the flattened array, or on the axis.
    return_inverse : bool
        Also the place of each element among the distinct ones.
    return_counts : bool
        Also how often each is met.
    axis : int, optional
        Find the distinct parts of the array along an axis; distinct elements by default.
    equal_nan : bool
        Whether all NaN are one.

    Returns
    -------
    Array or tuple of Array
        Of unknown length, in one block; the inverse has the shape of `x`, or the length of the axis.

    Raises
    ------
    ValueError
        `return_index` for an array of unknown lengths.
    NotImplementedError
        `return_inverse` along an axis with NaN that are not equal.

    Examples
    --------
    >>> import restride.array as ra
    >>> values, counts = ra.unique(ra.asarray([3, 1, 3, 2], chunks=2), return_counts=True)
    >>> values.compute(), counts.compute()
    (array([1, 2, 3]), array([1, 1, 2]))
    """
    array = asarray(x)
    expr = array.expr if array.ndim or axis is not None else array[None].expr
    parts = find_unique(expr, axis, first=return_index, inverse=return_inverse, equal_nan=equal_nan)
    values, first, inverse, counts = (None if part is None else Array(part) for part in parts)
    if inverse is not None and not array.ndim:
        inverse = inverse[0]
    wanted = [values, *([first] if return_index else []), *([inverse] if return_inverse else [])]
    wanted += [counts] if return_counts else []
    return wanted[0] if len(wanted) == 1 else tuple(wanted)


implements(np.unique)(unique)


class UniqueAll(NamedTuple):
    """What `unique_all` finds."""

    values: Array
    indices: Array
    inverse_indices: Array
    counts: Array


class UniqueCounts(NamedTuple):
    """What `unique_counts` finds."""

    values: Array
    counts: Array


class UniqueInverse(NamedTuple):
    """What `unique_inverse` finds."""

    values: Array
    inverse_indices: Array


@implements(np.unique_all)
def unique_all(x: Any) -> UniqueAll:
    """Distinct elements, first places, inverse and counts, as the array API standard has it; see `unique`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.unique_all(ra.asarray([3, 1, 3], chunks=2)).inverse_indices.compute()
    array([1, 0, 1])
    """
    return UniqueAll(*unique(x, True, True, True, equal_nan=False))


@implements(np.unique_counts)
def unique_counts(x: Any) -> UniqueCounts:
    """Distinct elements and how often each is met, as the array API standard has it; see `unique`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.unique_counts(ra.asarray([3, 1, 3], chunks=2)).counts.compute()
    array([1, 2])
    """
    return UniqueCounts(*unique(x, return_counts=True, equal_nan=False))


@implements(np.unique_inverse)
def unique_inverse(x: Any) -> UniqueInverse:
    """Distinct elements and the place of each element among them, as the array API standard has it; see `unique`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.unique_inverse(ra.asarray([3, 1, 3], chunks=2)).inverse_indices.compute()
    array([1, 0, 1])
    """
    return UniqueInverse(*unique(x, return_inverse=True, equal_nan=False))


@implements(np.unique_values)
def unique_values(x: Any) -> Array:
    """Distinct elements, as the array API standard has it; see `unique`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.unique_values(ra.asarray([3, 1, 3], chunks=2)).compute()
    array([1, 3])
    """
    values: Array = unique(x, equal_nan=False)
    return values


@implements(np.union1d)
def union1d(x: Any, y: Any) -> Array:
    """The distinct elements of two arrays together, sorted.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.union1d(ra.arange(3, chunks=2), [1, 5]).compute()
    array([0, 1, 2, 5])
    """
    union: Array = unique(concatenate([ravel(x), ravel(y)]))
    return union
