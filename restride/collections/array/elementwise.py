"""numpy's ufuncs, and other functions that work element by element, as functions that stay lazy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array.array import Array, apply, asarray, implements
from restride.collections.array.device import check_device
from restride.collections.array.operations.elementwise import Output


def _lazy(ufunc: np.ufunc) -> Callable[..., Array]:
    def function(*operands: Any, dtype: DTypeLike | None = None) -> Array:
        if len(operands) != ufunc.nin:
            raise TypeError(f"{ufunc.__name__}() takes {ufunc.nin} arrays, got {len(operands)}")
        return apply(ufunc, *operands) if dtype is None else apply(ufunc, *operands, dtype=np.dtype(dtype))

    function.__name__ = function.__qualname__ = ufunc.__name__
    function.__doc__ = (
        f"`numpy.{ufunc.__name__}`, element by element and lazily.\n\n"
        f"Takes {ufunc.nin} of Array, array_like or scalar, that broadcast, and optionally a dtype; returns an Array. "
        "Raises ValueError\nfor shapes that do not broadcast, TypeError for dtypes that numpy does not take."
    )
    return function


# arithmetic
add = _lazy(np.add)
subtract = _lazy(np.subtract)
multiply = _lazy(np.multiply)
divide = _lazy(np.divide)
true_divide = _lazy(np.true_divide)
floor_divide = _lazy(np.floor_divide)
remainder = _lazy(np.remainder)
mod = _lazy(np.mod)
fmod = _lazy(np.fmod)
power = pow = _lazy(np.power)
float_power = _lazy(np.float_power)
negative = _lazy(np.negative)
positive = _lazy(np.positive)
absolute = _lazy(np.absolute)
abs = _lazy(np.abs)
fabs = _lazy(np.fabs)
sign = _lazy(np.sign)
rint = _lazy(np.rint)
reciprocal = _lazy(np.reciprocal)
square = _lazy(np.square)
sqrt = _lazy(np.sqrt)
cbrt = _lazy(np.cbrt)
conjugate = _lazy(np.conjugate)
conj = _lazy(np.conj)
gcd = _lazy(np.gcd)
lcm = _lazy(np.lcm)
heaviside = _lazy(np.heaviside)
# exponentials and logarithms
exp = _lazy(np.exp)
exp2 = _lazy(np.exp2)
expm1 = _lazy(np.expm1)
log = _lazy(np.log)
log2 = _lazy(np.log2)
log10 = _lazy(np.log10)
log1p = _lazy(np.log1p)
logaddexp = _lazy(np.logaddexp)
logaddexp2 = _lazy(np.logaddexp2)
# trigonometry
sin = _lazy(np.sin)
cos = _lazy(np.cos)
tan = _lazy(np.tan)
arcsin = asin = _lazy(np.arcsin)
arccos = acos = _lazy(np.arccos)
arctan = atan = _lazy(np.arctan)
arctan2 = atan2 = _lazy(np.arctan2)
sinh = _lazy(np.sinh)
cosh = _lazy(np.cosh)
tanh = _lazy(np.tanh)
arcsinh = asinh = _lazy(np.arcsinh)
arccosh = acosh = _lazy(np.arccosh)
arctanh = atanh = _lazy(np.arctanh)
hypot = _lazy(np.hypot)
deg2rad = _lazy(np.deg2rad)
rad2deg = _lazy(np.rad2deg)
degrees = _lazy(np.degrees)
radians = _lazy(np.radians)
# comparison and logic
equal = _lazy(np.equal)
not_equal = _lazy(np.not_equal)
less = _lazy(np.less)
less_equal = _lazy(np.less_equal)
greater = _lazy(np.greater)
greater_equal = _lazy(np.greater_equal)
logical_and = _lazy(np.logical_and)
logical_or = _lazy(np.logical_or)
logical_xor = _lazy(np.logical_xor)
logical_not = _lazy(np.logical_not)
maximum = _lazy(np.maximum)
minimum = _lazy(np.minimum)
fmax = _lazy(np.fmax)
fmin = _lazy(np.fmin)
# bits
bitwise_and = _lazy(np.bitwise_and)
bitwise_or = _lazy(np.bitwise_or)
bitwise_xor = _lazy(np.bitwise_xor)
invert = _lazy(np.invert)
bitwise_not = _lazy(np.bitwise_not)
left_shift = _lazy(np.left_shift)
right_shift = _lazy(np.right_shift)
bitwise_count = _lazy(np.bitwise_count)
# floating point
isfinite = _lazy(np.isfinite)
isinf = _lazy(np.isinf)
isnan = _lazy(np.isnan)
isnat = _lazy(np.isnat)
signbit = _lazy(np.signbit)
copysign = _lazy(np.copysign)
nextafter = _lazy(np.nextafter)
spacing = _lazy(np.spacing)
ldexp = _lazy(np.ldexp)
floor = _lazy(np.floor)
ceil = _lazy(np.ceil)
trunc = _lazy(np.trunc)


def divmod(x: Any, y: Any) -> tuple[Array, Array]:  # numpy's name
    """Quotient, rounded down, and remainder, element by element.

    Examples
    --------
    >>> import restride.array as ra
    >>> quotient, rest = ra.divmod(ra.asarray([7, -7]), 2)
    >>> quotient.compute(), rest.compute()
    (array([ 3, -4]), array([1, 1]))
    """
    return floor_divide(x, y), remainder(x, y)


def modf(x: Any) -> tuple[Array, Array]:
    """Fractional and integral part, element by element.

    Examples
    --------
    >>> import restride.array as ra
    >>> fraction, whole = ra.modf(ra.asarray([1.5, -2.25]))
    >>> fraction.compute(), whole.compute()
    (array([ 0.5 , -0.25]), array([ 1., -2.]))
    """
    return apply(Output(np.modf, 0), x), apply(Output(np.modf, 1), x)


def frexp(x: Any) -> tuple[Array, Array]:
    """Mantissa and exponent of two, element by element.

    Examples
    --------
    >>> import restride.array as ra
    >>> mantissa, exponent = ra.frexp(ra.asarray([8.0]))
    >>> mantissa.compute(), exponent.compute()
    (array([0.5]), array([4], dtype=int32))
    """
    return apply(Output(np.frexp, 0), x), apply(Output(np.frexp, 1), x)


@implements(np.clip)
def clip(x: Any, min: Any = None, max: Any = None) -> Array:  # noqa: A002  # numpy's names
    """Elements limited to an interval.

    Parameters
    ----------
    x : Array or array_like
    min, max : Array, array_like, scalar or None
        None for no limit.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.clip(ra.arange(5, chunks=2), 1, 3).compute()
    array([1, 1, 2, 3, 3])
    """
    return asarray(x).clip(min, max)


@implements(np.round)
def round(x: Any, decimals: int = 0) -> Array:  # numpy's name
    """Elements rounded to this many decimals, halves to even.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.round(ra.asarray([0.125, 2.5]), 2).compute()
    array([0.12, 2.5 ])
    """
    return asarray(x).round(decimals)


around = implements(np.around)(round)


@implements(np.real)
def real(x: Any) -> Array:
    """The real part.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.real(ra.asarray([1 + 2j])).compute()
    array([1.])
    """
    return asarray(x).real


@implements(np.imag)
def imag(x: Any) -> Array:
    """The imaginary part.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.imag(ra.asarray([1 + 2j])).compute()
    array([2.])
    """
    return asarray(x).imag


@implements(np.angle)
def angle(x: Any, deg: bool = False) -> Array:
    """The angle of complex numbers, in radians, or degrees if `deg`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.angle(ra.asarray([1j]), deg=True).compute()
    array([90.])
    """
    return apply(np.angle, x, deg=deg)


def astype(x: Any, dtype: DTypeLike, *, copy: bool = True, device: str | None = None) -> Array:
    """The values as another dtype. `copy` makes no difference, and the only device is ``"cpu"``.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.astype(ra.asarray([1.5, 2.5]), int).compute()
    array([1, 2])
    """
    check_device(device)
    return asarray(x).astype(dtype)
