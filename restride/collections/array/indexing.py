"""Selection: functions with numpy's names that find elements, take them out by their place, or put them elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from restride.collections.array.array import Array, apply, asarray, implements
from restride.collections.array.base import as_expr
from restride.collections.array.manipulation import ravel, stack
from restride.collections.array.operations import indexing, masks, pairs
from restride.collections.array.operations import take as operation
from restride.collections.array.operations.elementwise import Output, astype, elementwise
from restride.collections.array.operations.elementwise import where as where_kernel
from restride.collections.array.operations.rechunk import in_one_block


@implements(np.take)
def take(x: Any, indices: Any, axis: int | None = None, *, mode: str = "raise") -> Array:
    """Take elements at places on an axis.

    Parameters
    ----------
    x : Array or array_like
    indices : Array or array_like of int
        Of any shape; its axes stand in for `axis` in the result. Negative places count from the end.
    axis : int, optional
        By default places are in the flattened array.
    mode : {"raise", "wrap", "clip"}
        What to do about places out of bounds.

    Raises
    ------
    IndexError
        A place is out of bounds; on compute, where the places are yet to be computed.
    TypeError
        Places that are no integers.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.take(ra.arange(10, chunks=4) * 10, [7, 0, -1]).compute()
    array([70,  0, 90])
    """
    array = asarray(x)
    if mode == "raise":
        return array.take(indices, axis)
    length = array.size if axis is None else array.shape[axis]
    if mode == "clip":
        places = np.clip(indices, 0, length - 1)
    elif mode == "wrap":
        places = np.remainder(indices, length)
    else:
        raise ValueError(f"mode must be 'raise', 'wrap' or 'clip', got {mode!r}")
    return array.take(places, axis)


@implements(np.take_along_axis)
def take_along_axis(x: Any, indices: Any, axis: int | None = -1) -> Array:
    """Take elements at places on an axis that are given line by line, as `argsort` does.

    Parameters
    ----------
    x : Array or array_like
    indices : Array or array_like of int
        With as many axes as `x`; but for `axis` the shapes broadcast.
    axis : int or None
        None for the flattened array.

    Raises
    ------
    IndexError
        The places are no integers; on compute: one is out of bounds.
    ValueError
        Another number of axes, or shapes that do not broadcast.

    Examples
    --------
    >>> import restride.array as ra
    >>> x = ra.asarray([[3, 1], [2, 5]], chunks=1)
    >>> ra.take_along_axis(x, [[1, 0], [0, 1]], axis=1).compute()
    array([[1, 3],
           [2, 5]])
    """
    array, places = asarray(x), asarray(indices)
    if places.dtype.kind not in "iu":
        raise IndexError("`indices` must be an integer array")
    if axis is None:
        if places.ndim != 1:
            raise ValueError("when axis=None, `indices` must have a single dimension.")
        array, axis = ravel(array), 0
    axis = np.lib.array_utils.normalize_axis_index(axis, array.ndim)
    if array.ndim != places.ndim:
        raise ValueError("`indices` and `arr` must have the same number of dimensions")
    others = [tuple(n for k, n in enumerate(a.shape) if k != axis) for a in (array, places)]
    if not any(math.isnan(n) for shape in others for n in shape):
        np.broadcast_shapes(*others)
    return Array(operation.take_along_axis(array.expr, places.expr, axis))


@implements(np.compress)
def compress(condition: Any, x: Any, axis: int | None = None) -> Array:
    """Take the elements of an axis for which a condition is true.

    Parameters
    ----------
    condition : Array or array_like of bool
        1-d; may be shorter than the axis, the rest of which is left out.
    x : Array or array_like
    axis : int, optional
        By default the flattened array's.

    Returns
    -------
    Array
        Of unknown length, where the condition is an Array.

    Raises
    ------
    ValueError
        The condition is not 1-d.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.compress([False, True, True], ra.arange(6, chunks=3).reshape(3, 2), axis=0).compute()
    array([[2, 3],
           [4, 5]])
    """
    array = asarray(x)
    if axis is None:
        array, axis = ravel(array), 0
    axis = np.lib.array_utils.normalize_axis_index(axis, array.ndim)
    where: Any = condition.astype(bool) if isinstance(condition, Array) else np.asarray(condition, bool)
    if where.ndim != 1:
        raise ValueError("condition must be a 1-d array")
    length = array.shape[axis]
    if where.shape[0] > length:
        raise IndexError(f"the condition has {where.shape[0]} elements, but axis {axis} only {length}")
    if where.shape[0] < length:
        array = array[(*(slice(None),) * axis, slice(0, where.shape[0]))]
    return array[(*(slice(None),) * axis, where)]


@implements(np.extract)
def extract(condition: Any, x: Any) -> Array:
    """Take the elements of the flattened array for which a condition of the same size is true.

    Examples
    --------
    >>> import restride.array as ra
    >>> x = ra.arange(6, chunks=2)
    >>> ra.extract(x % 2 == 0, x).compute()
    array([0, 2, 4])
    """
    return compress(ravel(condition), ravel(x))


@implements(np.where)
def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """Elements of `x` where a condition holds, of `y` elsewhere; the places where it holds, without both.

    Parameters
    ----------
    condition : Array, array_like or scalar
    x, y : Array, array_like or scalar, optional
        They broadcast with the condition.

    Returns
    -------
    Array or tuple of Array

    Raises
    ------
    ValueError
        The shapes do not broadcast, or only one of `x` and `y` is given.

    Examples
    --------
    >>> import restride.array as ra
    >>> x = ra.arange(5, chunks=2)
    >>> ra.where(x > 2, x, 0).compute()
    array([0, 0, 0, 3, 4])
    """
    if (x is None) != (y is None):
        raise ValueError("either both or neither of x and y should be given")
    return nonzero(condition) if x is None else apply(where_kernel, condition, x, y)


@implements(np.nonzero)
def nonzero(x: Any) -> tuple[Array, ...]:
    """Where an array is not zero, in C order.

    Returns
    -------
    tuple of Array
        One array of places for each axis, of unknown length.

    Raises
    ------
    ValueError
        There are no axes, or some are of unknown length.

    Examples
    --------
    >>> import restride.array as ra
    >>> rows, columns = ra.nonzero(ra.asarray([[1, 0], [2, 3]], chunks=1))
    >>> rows.compute(), columns.compute()
    (array([0, 1, 1]), array([0, 0, 1]))
    """
    array = asarray(x)
    if not array.ndim:
        raise ValueError("Calling nonzero on 0d arrays is not allowed. Use np.atleast_1d(scalar).nonzero() instead.")
    return array.nonzero()


@implements(np.argwhere)
def argwhere(x: Any) -> Array:
    """Where an array is not zero, in C order: a row for each such element.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.argwhere(ra.asarray([[1, 0], [2, 3]], chunks=1)).compute()
    array([[0, 0],
           [1, 0],
           [1, 1]])
    """
    array = asarray(x)
    if not array.ndim:
        return argwhere(array[None])[:, :0]
    return stack(nonzero(array), axis=1)


@implements(np.flatnonzero)
def flatnonzero(x: Any) -> Array:
    """Where the flattened array is not zero.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.flatnonzero(ra.arange(5, chunks=2) % 2).compute()
    array([1, 3])
    """
    return nonzero(ravel(x))[0]


@implements(np.isin)
def isin(element: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False) -> Array:
    """Which elements are among some others.

    Parameters
    ----------
    element, test_elements : Array or array_like
    assume_unique : bool
        Not needed: it is for numpy's sake.
    invert : bool
        Tell which are not.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.isin(ra.arange(5, chunks=2), [1, 3]).compute()
    array([False,  True, False,  True, False])
    """
    tests = as_expr(test_elements)
    other = masks.flat(tests, 0, tests.ndim) if tests.ndim else indexing.getitem(tests, (None,))
    found = Array(pairs.Pairs(pairs.Isin(), as_expr(element), other, np.dtype(bool))).any(axis=-1)
    return ~found if invert else found


@implements(np.searchsorted)
def searchsorted(x: Any, v: Any, side: str = "left", sorter: Any = None) -> Array:
    """Where elements would have to be inserted into a sorted array to keep its order.

    Parameters
    ----------
    x : Array or array_like
        1-d, ascending.
    v : Array, array_like or scalar
        What to insert.
    side : {"left", "right"}
        Before or after elements that are equal.
    sorter : Array or array_like of int, optional
        Order that sorts `x`.

    Raises
    ------
    ValueError
        `x` is not 1-d, or another side.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.searchsorted(ra.arange(0, 10, 2, chunks=2), [3, 4, 11]).compute()
    array([2, 2, 5])
    """
    array, values = asarray(x), asarray(v)
    if array.ndim != 1:
        raise ValueError("object too deep for desired array" if array.ndim else "searchsorted needs a 1-d array")
    if side not in ("left", "right"):
        raise ValueError(f"search side must be 'left' or 'right' (got {side!r})")
    if sorter is not None:
        array = array.take(sorter, 0)
    dtype = np.result_type(array.dtype, values.dtype)
    ordered, sought = (astype(a.expr, dtype) for a in (array, values))
    places = Array(pairs.Pairs(pairs.Searchsorted(side), sought, ordered, np.dtype(np.intp)))
    return places.sum(axis=-1, dtype=np.intp)


@implements(np.digitize)
def digitize(x: Any, bins: Any, right: bool = False) -> Array:
    """The number of the bin that each element is in.

    Parameters
    ----------
    x : Array or array_like
    bins : Array or array_like
        1-d, ascending or descending: where bins meet.
    right : bool
        Whether bins include their right edge rather than their left.

    Raises
    ------
    ValueError
        `bins` is not 1-d, or not monotonic; the latter on compute where it is an Array.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.digitize(ra.asarray([0.2, 6.4, 3.0], chunks=2), [0.0, 1.0, 2.5, 4.0]).compute()
    array([1, 4, 3])
    """
    array, edges = asarray(x), as_expr(bins)
    if array.dtype.kind == "c":
        raise TypeError("x may not be complex")
    if edges.ndim != 1:
        raise ValueError("object of too small depth for desired array" if not edges.ndim else "bins must be 1-d")
    if not isinstance(bins, Array):
        np.digitize(np.empty(0, array.dtype), bins, right)
    numbers = pairs.Pairs(pairs.Digitize(right), array.expr, in_one_block(edges, [0]), np.dtype(np.intp))
    return Array(numbers)[..., 0]


@implements(np.choose)
def choose(x: Any, choices: Any, *, mode: str = "raise") -> Array:
    """Elements of several arrays: for each place, of the array that `x` tells the number of.

    Parameters
    ----------
    x : Array or array_like of int
    choices : sequence of Array or array_like, or Array
        They broadcast with `x`.
    mode : {"raise", "wrap", "clip"}
        What to do about numbers that no array has.

    Raises
    ------
    ValueError
        Shapes that do not broadcast; on compute: a number that no array has.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.choose(ra.asarray([0, 1, 0], chunks=2), [ra.arange(3), -ra.arange(3)]).compute()
    array([ 0, -1,  2])
    """
    return asarray(x).choose(choices, mode)


@implements(np.select)
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Array:
    """Elements of several arrays: for each place, of the array of the first condition that is true there.

    Parameters
    ----------
    condlist : sequence of Array or array_like of bool
    choicelist : sequence of Array, array_like or scalar
        As many as conditions.
    default : Array, array_like or scalar
        Where no condition is true.

    Raises
    ------
    ValueError
        Not as many arrays as conditions, or shapes that do not broadcast.
    TypeError
        A condition that is not of bool.

    Examples
    --------
    >>> import restride.array as ra
    >>> x = ra.arange(6, chunks=4)
    >>> ra.select([x < 2, x > 3], [x, x * 10], -1).compute()
    array([ 0,  1, -1, -1, 40, 50])
    """
    if len(condlist) != len(choicelist):
        raise ValueError("list of cases must be same length as list of conditions")
    if not len(condlist):
        raise ValueError("select with an empty condition list is not possible")
    conditions = [asarray(condition) for condition in condlist]
    for number, condition in enumerate(conditions):
        if condition.dtype != bool:
            raise TypeError(f"invalid entry {number} in condlist: should be boolean ndarray")
    return apply(Select(len(conditions)), *conditions, *choicelist, default)


@implements(np.piecewise)
def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Array:
    """Values of several functions: for each element, of the function of the last condition that is true for it.

    Parameters
    ----------
    x : Array or array_like
    condlist : sequence of Array or array_like of bool
        Of the shape of `x`.
    funclist : sequence of callable or scalar
        Each called with the elements for which its condition is true, block by block; one more than conditions, if
        wanted, for those for which none is.
    *args, **kw
        Passed to the functions.

    Returns
    -------
    Array
        Of the dtype of `x`.

    Raises
    ------
    ValueError
        A number of functions that does not go with the number of conditions.

    Examples
    --------
    >>> import restride.array as ra
    >>> x = ra.arange(-2, 3, chunks=2)
    >>> ra.piecewise(x, [x < 0, x >= 0], [-1, abs]).compute()
    array([-1, -1,  0,  1,  2])
    """
    array = asarray(x)
    one = isinstance(condlist, Array) or not isinstance(condlist[0], (Array, list, np.ndarray))
    conditions = [asarray(c) for c in ([condlist] if one and asarray(condlist).ndim == array.ndim else condlist)]
    if len(funclist) not in (len(conditions), len(conditions) + 1):
        n = len(conditions)
        raise ValueError(f"with {n} condition(s), either {n} or {n + 1} functions are expected")
    func = Piecewise(tuple(funclist), args, kw)
    exprs = (condition.astype(bool).expr for condition in conditions)
    return Array(elementwise(func, array.expr, *exprs, out_dtype=array.dtype))


@implements(np.ravel_multi_index)
def ravel_multi_index(multi_index: Any, dims: Sequence[int], mode: Any = "raise", order: str = "C") -> Array:
    """The number in the flattened array of elements whose place on each axis is given.

    Parameters
    ----------
    multi_index : Array, or sequence of Array or array_like
        For each axis where on it.
    dims : tuple of int
        The shape of the array.
    mode : {"raise", "wrap", "clip"}, or one for each axis
    order : {"C", "F"}

    Raises
    ------
    ValueError
        On compute: a place is out of bounds.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.ravel_multi_index([ra.asarray([0, 1]), ra.asarray([2, 1])], (2, 3)).compute()
    array([2, 4])
    """
    places = [multi_index[k] for k in range(len(multi_index))]
    return apply(RavelMultiIndex(tuple(dims), mode, order), *places)


@implements(np.unravel_index)
def unravel_index(indices: Any, shape: Sequence[int] | int, order: str = "C") -> tuple[Array, ...]:
    """The place on each axis of elements whose numbers in the flattened array are given.

    Raises
    ------
    ValueError
        On compute: a number is out of bounds.

    Examples
    --------
    >>> import restride.array as ra
    >>> [axis.compute() for axis in ra.unravel_index(ra.asarray([2, 4]), (2, 3))]
    [array([0, 1]), array([2, 1])]
    """
    dims = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    numbers = asarray(indices)
    return tuple(Array(elementwise(Output(Unravel(dims, order), k), numbers.expr)) for k in range(len(dims)))


class Select:
    """Kernel: `numpy.select`, of conditions, as many choices, and a default."""

    __name__ = "select"

    def __init__(self, n: int) -> None:
        self.n = n

    def __call__(self, *arrays: Any) -> Any:
        return np.select(list(arrays[: self.n]), list(arrays[self.n : -1]), arrays[-1])


class Piecewise:
    """Kernel: `numpy.piecewise`, of values and conditions."""

    __name__ = "piecewise"

    def __init__(self, funcs: tuple[Callable[..., Any], ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.funcs = funcs
        self.args = args
        self.kwargs = kwargs

    def __call__(self, values: Any, *conditions: Any) -> Any:
        return np.piecewise(values, list(conditions), list(self.funcs), *self.args, **self.kwargs)


class RavelMultiIndex:
    """Kernel: `numpy.ravel_multi_index`."""

    __name__ = "ravel_multi_index"

    def __init__(self, dims: tuple[int, ...], mode: Any, order: str) -> None:
        self.dims = dims
        self.mode = mode
        self.order = order

    def __call__(self, *places: Any) -> Any:
        return np.asarray(np.ravel_multi_index(places, self.dims, self.mode, self.order))  # type: ignore[call-overload]


class Unravel:
    """Kernel: `numpy.unravel_index`."""

    __name__ = "unravel_index"

    def __init__(self, shape: tuple[int, ...], order: str) -> None:
        self.shape = shape
        self.order = order

    def __call__(self, numbers: Any) -> Any:
        return np.unravel_index(numbers, self.shape, self.order)  # type: ignore[call-overload]
