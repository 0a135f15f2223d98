"""Masked arrays, with the names of `numpy.ma`: elements that do not count.

`compute` gives an array of `numpy.ma`. Arithmetic, slices, rechunks and reductions keep masks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array import indexing, statistics
from restride.collections.array.array import Array, asarray
from restride.collections.array.operations import masked as operation


def masked_array(data: Any, mask: Any = False, dtype: DTypeLike | None = None, fill_value: Any = None) -> Array:
    """An array some of whose elements do not count.

    Parameters
    ----------
    data : Array or array_like
    mask : Array, array_like or bool
        True for what is not to count; of the shape of `data`, or of one element.
    dtype : dtype, optional
    fill_value : scalar, optional
        What `filled` puts in the place of masked elements.

    Raises
    ------
    ValueError
        A mask of another shape.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.ma.masked_array(ra.asarray([1, 2, 3], chunks=2), [False, True, False]).sum().compute()
    np.int64(4)
    """
    array = asarray(data, dtype)
    hidden = asarray(mask, bool)
    if hidden.shape != array.shape:
        if hidden.size != 1:
            raise ValueError(f"Mask and data not compatible: data size is {array.size}, mask size is {hidden.size}.")
        hidden = hidden.reshape(())
    return Array(operation.masked_array(array.expr, hidden.expr, fill_value))


def _masking(name: str, *parameters: str) -> Callable[..., Array]:
    func = getattr(np.ma, name)

    def function(x: Any, *values: Any) -> Array:
        if len(values) != len(parameters):
            raise TypeError(
                f"{name}() takes an array and {', '.join(parameters) or 'nothing'}, got {len(values)} values"
            )
        array = asarray(x)
        return Array(operation.to_masked(func, array.expr, *values, dtype=array.dtype))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"`numpy.ma.{name}`, lazily: takes an Array or array_like{''.join(f', and scalar {p}' for p in parameters)}; "
        "returns an Array."
    )
    return function


masked_equal = _masking("masked_equal", "value")
masked_not_equal = _masking("masked_not_equal", "value")
masked_greater = _masking("masked_greater", "value")
masked_greater_equal = _masking("masked_greater_equal", "value")
masked_less = _masking("masked_less", "value")
masked_less_equal = _masking("masked_less_equal", "value")
masked_inside = _masking("masked_inside", "v1", "v2")
masked_outside = _masking("masked_outside", "v1", "v2")
masked_invalid = _masking("masked_invalid")
zeros_like = _masking("zeros_like")
ones_like = _masking("ones_like")
empty_like = _masking("empty_like")


def masked_values(x: Any, value: float, rtol: float = 1e-05, atol: float = 1e-08, shrink: bool = True) -> Array:
    """Mask what is equal to a value, nearly; see `numpy.ma.masked_values`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.ma.masked_values(ra.asarray([1.0, 1.1, 2.0]), 1.1).sum().compute()
    np.float64(3.0)
    """
    a = asarray(x)
    return Array(operation.to_masked(np.ma.masked_values, a.expr, value, dtype=a.dtype, rtol=rtol, atol=atol))


def masked_where(condition: Any, x: Any) -> Array:
    """Mask where a condition holds.

    Raises
    ------
    IndexError
        A condition of another shape.

    Examples
    --------
    >>> import restride.array as ra
    >>> x = ra.arange(4, chunks=2)
    >>> ra.ma.masked_where(x > 2, x).sum().compute()
    np.int64(3)
    """
    where, a = asarray(condition), asarray(x)
    if where.shape and where.shape != a.shape:
        raise IndexError(f"Inconsistent shape between the condition and the input (got {where.shape} and {a.shape})")
    return Array(operation.to_masked(np.ma.masked_where, where.expr, a.expr, dtype=a.dtype))


def fix_invalid(x: Any, fill_value: Any = None) -> Array:
    """Mask what is NaN or infinite, with a value below the mask.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> ra.ma.getdata(ra.ma.fix_invalid(ra.asarray([1.0, np.nan]), fill_value=0)).compute()
    array([1., 0.])
    """
    a = asarray(x)
    return Array(operation.to_masked(np.ma.fix_invalid, a.expr, dtype=a.dtype, fill_value=fill_value))


def filled(x: Any, fill_value: Any = None) -> Array:
    """A plain array, with a value in the place of masked elements; by default what was chosen for that before.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.ma.filled(ra.ma.masked_equal(ra.arange(3, chunks=2), 1), 9).compute()
    array([0, 9, 2])
    """
    a = asarray(x)
    return Array(operation.to_plain(operation.fill_block, a.expr, dtype=a.dtype, fill_value=fill_value))


def set_fill_value(x: Array, fill_value: Any) -> None:
    """Choose what `filled` puts in the place of the masked elements of an array.

    Examples
    --------
    >>> import restride.array as ra
    >>> x = ra.ma.masked_equal(ra.arange(3, chunks=2), 1)
    >>> ra.ma.set_fill_value(x, 7)
    >>> ra.ma.filled(x).compute()
    array([0, 7, 2])
    """
    if x.expr.masked:
        x.expr = operation.to_masked(operation.refill_block, x.expr, dtype=x.dtype, fill_value=fill_value)


def getdata(x: Any) -> Array:
    """A plain array, with what is below the mask.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.ma.getdata(ra.ma.masked_equal(ra.arange(3, chunks=2), 1)).compute()
    array([0, 1, 2])
    """
    a = asarray(x)
    return Array(operation.to_plain(np.ma.getdata, a.expr, dtype=a.dtype))


def getmaskarray(x: Any) -> Array:
    """Which elements are masked, as a plain array.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.ma.getmaskarray(ra.ma.masked_equal(ra.arange(3, chunks=2), 1)).compute()
    array([False,  True, False])
    """
    return Array(operation.to_plain(np.ma.getmaskarray, asarray(x).expr, dtype=np.dtype(bool)))


def count(x: Any, axis: Any = None, keepdims: bool = False) -> Array:
    """How many elements are not masked.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.ma.count(ra.ma.masked_equal(ra.arange(3, chunks=2), 1)).compute()
    np.int64(2)
    """
    return (~getmaskarray(x)).sum(axis, np.intp, keepdims=keepdims)


def average(x: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False) -> Any:
    """Weighted mean of what is not masked; see `restride.array.average`.

    Examples
    --------
    >>> import restride.array as ra
    >>> x = ra.ma.masked_equal(ra.asarray([1.0, 5.0, 3.0], chunks=2), 5)
    >>> ra.ma.average(x, weights=[1, 1, 3]).compute()
    np.float64(2.5)
    """
    a = asarray(x)
    w = statistics.over(asarray(np.ones(1)).reshape(()) if weights is None else asarray(weights), a, axis)
    weighted, total = statistics.weighted_sum(a, masked_array(w, getmaskarray(a)), axis, keepdims)
    mean = weighted / filled(total, 1)  # what has no weight at all is masked anyway
    return (mean, total) if returned else mean


def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """Elements of `x` where a condition holds, else of `y`, with their masks; masked where the condition is.

    With a condition alone, as `nonzero`.

    Examples
    --------
    >>> import restride.array as ra
    >>> x = ra.ma.masked_equal(ra.arange(3, chunks=2), 1)
    >>> ra.ma.getmaskarray(ra.ma.where(x > 5, x, -x)).compute()
    array([False,  True, False])
    """
    if (x is None) != (y is None):
        raise TypeError("either both or neither of x and y should be given")
    if x is None:
        return nonzero(condition)
    arrays = [asarray(condition), asarray(x), asarray(y)]
    dtype = np.result_type(arrays[1].dtype, arrays[2].dtype)
    return Array(operation.to_masked(np.ma.where, *(array.expr for array in arrays), dtype=dtype))


def nonzero(x: Any) -> tuple[Array, ...]:
    """Where elements are neither masked nor 0.

    Examples
    --------
    >>> import restride.array as ra
    >>> [i.compute().tolist() for i in ra.ma.nonzero(ra.ma.masked_equal(ra.arange(3, chunks=2), 1))]
    [[2]]
    """
    found: tuple[Array, ...] = indexing.nonzero(filled(x, 0))
    return found
