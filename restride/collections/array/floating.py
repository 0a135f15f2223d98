"""Tests and repairs of numbers, element by element: closeness, missing values, parts of complex numbers, functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from restride.collections.array.array import Array, apply, asarray, implements


@implements(np.isclose)
def isclose(a: Any, b: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Array:
    """Whether elements are equal within ``atol + rtol * abs(b)``.

    Parameters
    ----------
    a, b : Array, array_like or scalar
        They broadcast.
    rtol, atol : float
    equal_nan : bool
        Whether NaN is close to NaN.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.isclose(ra.asarray([1.0, 2.0]), [1.0 + 1e-9, 2.1]).compute()
    array([ True, False])
    """
    return apply(np.isclose, a, b, rtol=rtol, atol=atol, equal_nan=equal_nan)


@implements(np.allclose)
def allclose(a: Any, b: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Array:
    """Whether all elements are close, as a lazy scalar; see `isclose`.

    Examples
    --------
    >>> import restride.array as ra
    >>> bool(ra.allclose(ra.ones(3), 1))
    True
    """
    return isclose(a, b, rtol, atol, equal_nan).all()


@implements(np.nan_to_num)
def nan_to_num(
    x: Any, copy: bool = True, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Array:
    """Numbers in the place of NaN and infinities; by default the largest there are in that of the latter.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.nan_to_num(ra.asarray([1.0, ra.nan, ra.inf]), posinf=9.0).compute()
    array([1., 0., 9.])
    """
    return apply(np.nan_to_num, x, nan=nan, posinf=posinf, neginf=neginf)


def isnull(values: Any) -> Array:
    """Whether elements are missing: NaN, NaT or None.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.isnull(ra.asarray([1.0, ra.nan])).compute()
    array([False,  True])
    """
    return apply(_is_missing, values)


def notnull(values: Any) -> Array:
    """Whether elements are there; see `isnull`."""
    return ~isnull(values)


@implements(np.sinc)
def sinc(x: Any) -> Array:
    """``sin(pi * x) / (pi * x)``, 1 at 0.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.sinc(ra.asarray([0.0])).compute()
    array([1.])
    """
    return apply(np.sinc, x)


@implements(np.i0)
def i0(x: Any) -> Array:
    """The modified Bessel function of the first kind and order 0.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.i0(ra.asarray([0.0])).compute()
    array([1.])
    """
    array = asarray(x)
    if array.dtype.kind == "c":
        raise TypeError("i0 not supported for complex values")
    return apply(np.i0, array)


@implements(np.fix)
def fix(x: Any) -> Array:
    """Elements rounded towards 0.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.fix(ra.asarray([1.7, -1.7])).compute()
    array([ 1., -1.])
    """
    return apply(np.fix, x)


@implements(np.isreal)
def isreal(x: Any) -> Array:
    """Whether elements have no imaginary part, or one of 0."""
    return apply(np.isreal, x)


@implements(np.iscomplex)
def iscomplex(x: Any) -> Array:
    """Whether elements have an imaginary part other than 0."""
    return apply(np.iscomplex, x)


@implements(np.isposinf)
def isposinf(x: Any) -> Array:
    """Whether elements are infinite and positive."""
    return apply(np.isposinf, x)


@implements(np.isneginf)
def isneginf(x: Any) -> Array:
    """Whether elements are infinite and negative."""
    return apply(np.isneginf, x)


def frompyfunc(func: Callable[..., Any], nin: int, nout: int) -> Callable[..., Any]:
    """Make a function of Python scalars one of arrays, element by element, as `numpy.frompyfunc` does.

    Parameters
    ----------
    func : callable
    nin, nout : int
        How many arguments it takes, and how many results it has.

    Returns
    -------
    callable
        Of `nin` arrays that broadcast; the results are arrays of objects.

    Examples
    --------
    >>> import restride.array as ra
    >>> hexed = ra.frompyfunc(hex, 1, 1)
    >>> hexed(ra.arange(3, chunks=2)).compute()
    array(['0x0', '0x1', '0x2'], dtype=object)
    """
    functions = [PythonFunction(func, nin, nout, number) for number in range(nout)]

    def function(*args: Any) -> Any:
        if len(args) != nin:
            raise TypeError(f"{functions[0].__name__}() takes {nin} arrays, got {len(args)}")
        results = tuple(apply(one, *args) for one in functions)
        return results[0] if nout == 1 else results

    function.__name__ = function.__qualname__ = functions[0].__name__
    function.__doc__ = func.__doc__
    return function


@dataclass(frozen=True)
class PythonFunction:
    """Kernel: one of the results of a function of scalars, for each element."""

    func: Callable[..., Any]
    nin: int
    nout: int
    number: int

    @property
    def __name__(self) -> str:
        return getattr(self.func, "__name__", type(self.func).__name__)

    def __call__(self, *blocks: Any) -> Any:
        result = np.frompyfunc(self.func, self.nin, self.nout)(*blocks)
        one = result if self.nout == 1 else result[self.number]
        return np.asarray(one, object)


def _is_missing(block: Any) -> Any:
    kind = block.dtype.kind
    if kind in "fc":
        return np.isnan(block)
    if kind in "mM":
        return np.isnat(block)
    if kind != "O":
        return np.zeros(block.shape, bool)
    import pandas as pd

    return np.asarray(pd.isnull(block))
