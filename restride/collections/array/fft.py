"""Fourier transforms, with numpy's names and signatures: ``ra.fft``.

Axes in one block are transformed where they are. Along other axes an array is rechunked, and the result keeps the
chunks that made the last transform possible: blocks of about the size they had, whole along the axes gathered last.
float32 and complex64 give complex64, as in numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array.array import Array, asarray, implements
from restride.collections.array.creation import arange
from restride.collections.array.device import check_device
from restride.collections.array.manipulation import concatenate
from restride.collections.array.operations.fft import transform

__all__ = [
    "fft",
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
]


@implements(np.fft.fft)
def fft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """Discrete Fourier transform along an axis.

    Parameters
    ----------
    a : Array or array_like
        Real or complex. Need not be in one block along the axis: it is rechunked where it is not.
    n : int, optional
        How many points to use: the axis is cut, or padded with zeros, to that length; as it is by default.
    axis : int
        The last by default.
    norm : {"backward", "ortho", "forward"}, optional
        Which way is scaled: by ``1 / n`` on the way back (the default), by ``1 / sqrt(n)`` both ways, or by ``1 / n``
        on the way forward.

    Returns
    -------
    Array
        Complex, of length `n` along the axis, in one block along it.

    Raises
    ------
    numpy.exceptions.AxisError
        There is no such axis.
    ValueError
        `n` is less than 1, or `norm` is unknown.

    Examples
    --------
    >>> import restride.array as ra
    >>> abs(ra.fft.fft(ra.arange(4, chunks=2))).compute().round(2)
    array([6.  , 2.83, 2.  , 2.83])
    """
    return _along_one("fftn", a, n, axis, norm)


@implements(np.fft.ifft)
def ifft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """Inverse of `fft`, whose parameters it has.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.fft.ifft([4, 0, 0, 0]).real.compute()
    array([1., 1., 1., 1.])
    """
    return _along_one("ifftn", a, n, axis, norm)


@implements(np.fft.rfft)
def rfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """Transform of real numbers: the first ``n // 2 + 1`` points of `fft`, whose parameters it has.

    Raises
    ------
    TypeError
        `a` is complex.

    Examples
    --------
    >>> import restride.array as ra
    >>> abs(ra.fft.rfft(ra.arange(4, chunks=2))).compute().round(2)
    array([6.  , 2.83, 2.  ])
    """
    return _along_one("rfftn", a, n, axis, norm)


@implements(np.fft.irfft)
def irfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """Inverse of `rfft`: a real result of `n` points, ``2 * (length - 1)`` by default; other parameters as in `fft`.

    Examples
    --------
    >>> import restride.array as ra
    >>> print(ra.fft.irfft([6, -2 + 2j, -2]).compute())
    [0. 1. 2. 3.]
    """
    return _along_one("irfftn", a, n, axis, norm)


@implements(np.fft.hfft)
def hfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """Transform of a signal of which the first half is given, and the second is its mirrored conjugate.

    The result is real and of `n` points, ``2 * (length - 1)`` by default; other parameters as in `fft`.

    Examples
    --------
    >>> import restride.array as ra
    >>> print(ra.fft.hfft([1, 2, 3]).compute())
    [ 8. -2.  0. -2.]
    """
    return _along_one("hfftn", a, n, axis, norm)


@implements(np.fft.ihfft)
def ihfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """Inverse of `hfft`, for real numbers: ``n // 2 + 1`` points; other parameters as in `fft`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.fft.ihfft([8, -2, 0, -2]).compute().real
    array([1., 2., 3.])
    """
    return _along_one("ihfftn", a, n, axis, norm)


@implements(np.fft.fftn)
def fftn(a: Any, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str | None = None) -> Array:
    """Discrete Fourier transform along several axes.

    Axes that are in one block are transformed first, in the same task that makes the block. Then one rechunk gathers
    the others while it splits those that are done (more than one rechunk where blocks would become much larger).

    Parameters
    ----------
    a : Array or array_like
    s : sequence of int, optional
        For each of the axes how many points to use, see `n` of `fft`; -1 for all.
    axes : sequence of int, optional
        All by default; with `s`, the last ``len(s)``. No axis twice.
    norm : {"backward", "ortho", "forward"}, optional
        See `fft`.

    Returns
    -------
    Array
        Complex, with the chunks that the last rechunk made.

    Raises
    ------
    numpy.exceptions.AxisError
        An axis that there is not.
    ValueError
        `s` and `axes` of different lengths, less than 1 point, an axis twice, or an unknown `norm`.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> x = np.arange(24.0).reshape(2, 3, 4)
    >>> y = ra.fft.fftn(ra.from_array(x, chunks=(1, 2, 2)))
    >>> np.allclose(y.compute(), np.fft.fftn(x))
    True
    """
    return _along_several("fftn", a, s, axes, norm)


@implements(np.fft.ifftn)
def ifftn(a: Any, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str | None = None) -> Array:
    """Inverse of `fftn`, whose parameters it has."""
    return _along_several("ifftn", a, s, axes, norm)


@implements(np.fft.rfftn)
def rfftn(a: Any, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str | None = None) -> Array:
    """Transform of real numbers along several axes: `rfft` along the last of them, `fft` along the others.

    Parameters as in `fftn`. Best with the last of the axes in one block: it is transformed first, and one rechunk more
    is needed if it is not.
    """
    return _along_several("rfftn", a, s, axes, norm)


@implements(np.fft.irfftn)
def irfftn(a: Any, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str | None = None) -> Array:
    """Inverse of `rfftn`: `ifft` along all axes but the last, then `irfft` along the last.

    Parameters as in `fftn`; the last of `s` is how many points to give, as in `irfft`.
    """
    return _along_several("irfftn", a, s, axes, norm)


@implements(np.fft.fft2)
def fft2(a: Any, s: Sequence[int] | None = None, axes: Sequence[int] = (-2, -1), norm: str | None = None) -> Array:
    """Discrete Fourier transform along two axes, the last two by default; parameters as in `fftn`.

    Examples
    --------
    >>> import restride.array as ra
    >>> x = ra.ones((4000, 4000), chunks=(100, 4000))
    >>> ra.fft.fft2(x)
    <Array: shape (4000, 4000), complex128, 40 chunks of (4000, 100)>
    """
    return _along_several("fftn", a, s, axes, norm)


@implements(np.fft.ifft2)
def ifft2(a: Any, s: Sequence[int] | None = None, axes: Sequence[int] = (-2, -1), norm: str | None = None) -> Array:
    """Inverse of `fft2`, whose parameters it has."""
    return _along_several("ifftn", a, s, axes, norm)


@implements(np.fft.rfft2)
def rfft2(a: Any, s: Sequence[int] | None = None, axes: Sequence[int] = (-2, -1), norm: str | None = None) -> Array:
    """Transform of real numbers along two axes, the last two by default; parameters as in `rfftn`."""
    return _along_several("rfftn", a, s, axes, norm)


@implements(np.fft.irfft2)
def irfft2(a: Any, s: Sequence[int] | None = None, axes: Sequence[int] = (-2, -1), norm: str | None = None) -> Array:
    """Inverse of `rfft2`; parameters as in `irfftn`."""
    return _along_several("irfftn", a, s, axes, norm)


@implements(np.fft.fftshift)
def fftshift(x: Any, axes: int | Sequence[int] | None = None) -> Array:
    """Move the zero frequency to the middle.

    Parameters
    ----------
    x : Array or array_like
    axes : int or sequence of int, optional
        All by default.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.fft.fftshift(ra.fft.fftfreq(4, 0.25)).compute()
    array([-2., -1.,  0.,  1.])
    """
    x = asarray(x)
    return _rolled(x, axes, [length // 2 for length in x.shape])


@implements(np.fft.ifftshift)
def ifftshift(x: Any, axes: int | Sequence[int] | None = None) -> Array:
    """Inverse of `fftshift`, whose parameters it has; the two differ where lengths are odd."""
    x = asarray(x)
    return _rolled(x, axes, [-(length // 2) for length in x.shape])


def fftfreq(
    n: int, d: float = 1.0, *, dtype: DTypeLike | None = None, device: str | None = None, chunks: Any = "auto"
) -> Array:
    """Frequencies of the points of `fft`.

    Parameters
    ----------
    n : int
        How many points.
    d : float
        Distance of the samples; the frequencies are in cycles per unit of it.
    dtype : dtype, optional
        float64 by default.
    device : {"cpu", None}
    chunks : int, str or tuple
        See `from_array`.

    Returns
    -------
    Array
        Of length `n`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.fft.fftfreq(5, 0.2).compute()
    array([ 0.,  1.,  2., -2., -1.])
    """
    check_device(device)
    half = n // 2
    return (((arange(n, chunks=chunks) + half) % max(n, 1) - half) * (1.0 / (n * d))).astype(dtype or float)


def rfftfreq(
    n: int, d: float = 1.0, *, dtype: DTypeLike | None = None, device: str | None = None, chunks: Any = "auto"
) -> Array:
    """Frequencies of the points of `rfft`, of which there are ``n // 2 + 1``; parameters as in `fftfreq`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.fft.rfftfreq(5, 0.2).compute()
    array([0., 1., 2.])
    """
    check_device(device)
    return (arange(n // 2 + 1, chunks=chunks) * (1.0 / (n * d))).astype(dtype or float)


def _along_one(function: str, a: Any, n: int | None, axis: int, norm: str | None) -> Array:
    return Array(transform(asarray(a).expr, function, None if n is None else [_whole(n)], [axis], norm))


def _along_several(
    function: str, a: Any, s: Sequence[int] | None, axes: Sequence[int] | None, norm: str | None
) -> Array:
    expr = asarray(a).expr
    if axes is None:
        axes = range(expr.ndim) if s is None else range(-len(s), 0)
    return Array(transform(expr, function, s, axes, norm))


def _whole(n: int) -> int:
    # -1 means something in a list of lengths, but nothing for a single one
    return 0 if n == -1 else n


def _rolled(x: Array, axes: int | Sequence[int] | None, shifts: Sequence[int]) -> Array:
    chosen = range(x.ndim) if axes is None else np.lib.array_utils.normalize_axis_tuple(axes, x.ndim)
    for axis in chosen:
        shift = shifts[axis] % max(x.shape[axis], 1)
        if shift:
            before = (slice(None),) * axis
            x = concatenate([x[(*before, slice(-shift, None))], x[(*before, slice(0, -shift))]], axis)
    return x
