"""Workflows that need all of an axis at once: empirical orthogonal functions, and Fourier transforms.

Each is written once; `xp` is `restride.array` or `dask.array`.
"""

from __future__ import annotations

from typing import Any

import scipy.fft


def eof(xp: Any, x: Any, modes: int) -> tuple[Any, Any, Any]:
    """Leading empirical orthogonal functions of maps, by random projections.

    Parameters
    ----------
    x : array[time, latitude, longitude]
    modes : int
        How many.

    Returns
    -------
    series : array[time, modes]
        The course of each mode in time, of norm 1.
    strengths : array[modes]
        Singular values.
    maps : array[modes, pixels]
        Of norm 1.
    """
    return xp.linalg.svd_compressed(_centred(x), modes, n_power_iter=2, seed=0)


def eof_exact(xp: Any, x: Any) -> tuple[Any, Any, Any]:
    """All modes, exactly, of maps that are whole in time in each chunk: ``(maps, strengths, series)``."""
    options = {} if xp.__name__.startswith("dask") else {"full_matrices": False}  # dask knows no others
    return xp.linalg.svd(_centred(x).T, **options)


def _centred(x: Any) -> Any:
    """Departures from the mean in time, ``[time, pixels]``."""
    return (x - x.mean(axis=0)).reshape((x.shape[0], x.shape[1] * x.shape[2]))


def power(xp: Any, x: Any, slab: int) -> Any:
    """Power spectrum along all axes of an array in slabs of the first, in slabs of the last, `slab` long.

    Parameters
    ----------
    x : array[..., n]
        In chunks that are whole along all axes but the first.

    Returns
    -------
    float array of the same shape
    """
    fft = one_axis(xp)
    for axis in range(x.ndim - 1, 0, -1):
        x = fft(x, axis=axis)
    waves = fft(x.rechunk((*[-1] * (x.ndim - 1), slab)), axis=0)
    return waves.real**2 + waves.imag**2


def one_axis(xp: Any) -> Any:
    """The FFT along one axis; by scipy's kernel, as numpy's, the default of dask, is slower."""
    return xp.fft.fft_wrap(scipy.fft.fft) if xp.__name__.startswith("dask") else xp.fft.fft
