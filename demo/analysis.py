"""What is computed, written once: `xp` is `restride.array` in the demo, and numpy where its results are checked.

`x` is a temperature in K, float32[time, latitude, longitude]. A pixel without values (NaN) has none in the results
either; the mean over pixels leaves it out.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

Years = NDArray[np.float64]
"""When the maps are of, float64[time]."""


def trend(x: Any, years: Years) -> Any:
    """Slope of the least-squares line through each pixel's series, K per decade, float64[latitude, longitude]."""
    time = _centred(years)
    return 10 / (time * time).sum() * (x * time).sum(axis=0)


def anomalies(x: Any, years: Years) -> Any:
    """Departures from that line, K, float32 of the shape of `x`."""
    line = x.mean(axis=0, dtype=np.float64) + trend(x, years) / 10 * _centred(years)
    return (x - line).astype(np.float32)


def spectra(x: Any, years: Years, xp: ModuleType) -> Any:
    """Amplitudes of the waves that each pixel's anomalies are made of, K, float32[frequency, latitude, longitude]."""
    return xp.abs(xp.fft.rfft(anomalies(x, years), axis=0)) * np.float32(2 / len(years))


def mean_over_pixels(amplitudes: Any, xp: ModuleType) -> Any:
    """Mean of the spectra of those pixels that have one, K, float64[frequency]."""
    here = xp.isfinite(amplitudes)
    return xp.where(here, amplitudes, 0).sum(axis=(1, 2), dtype=np.float64) / here.sum(axis=(1, 2))


def wave_maps(x: Any, years: Years, xp: ModuleType) -> Any:
    """2-D FFT of each map of the anomalies, zero where there are none: K, complex64[time, wavenumber, wavenumber]."""
    there = anomalies(x, years)
    return xp.fft.fft2(xp.where(xp.isfinite(there), there, np.float32(0)), axes=(1, 2))


def mean_over_maps(waves: Any, xp: ModuleType) -> Any:
    """Mean amplitude of the waves over time, K, float64[wavenumber, wavenumber]."""
    return xp.abs(waves).mean(axis=0, dtype=np.float64)


def _centred(years: Years) -> Years:
    return (years - years.mean())[:, np.newaxis, np.newaxis]
