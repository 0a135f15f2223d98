"""Workflows on maps, ``[time, latitude, longitude]``, that look at neighbours or at several bands.

Each is written once; `xp` is `restride.array` or `dask.array`. Maps go around the earth: they have two ends in
latitude, and none in longitude.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

EARTH = 6.371e6
"""Radius, m."""

AROUND = {0: "none", 1: "nearest", 2: "periodic"}
"""What lies beyond the ends of the axes."""

CLOUDED = 7000
"""Counts of the band of clouds from which on a pixel shows nothing of the ground."""


def vorticity(xp: Any, u: Any, v: Any) -> Any:
    """Relative vorticity, 1/s, of the winds to the east and to the north, m/s."""
    rows, columns = u.shape[1:]
    cosine = np.cos(latitudes(rows)).astype(u.dtype)[:, None]
    eastward = xp.map_overlap(difference_in_longitude, v, depth={0: 0, 1: 0, 2: 1}, boundary=AROUND, dtype=v.dtype)
    northward = xp.map_overlap(
        difference_in_latitude, u * cosine, depth={0: 0, 1: 1, 2: 0}, boundary=AROUND, dtype=u.dtype
    )
    east, north = u.dtype.type(columns / (4 * np.pi)), u.dtype.type(rows / (2 * np.pi))
    return (eastward * east - northward * north) / (cosine * u.dtype.type(EARTH))


def latitudes(rows: int) -> NDArray[np.float64]:
    """Of the middles of the rows, from south to north, in radians."""
    return ((np.arange(rows) + 0.5) / rows - 0.5) * np.pi


def difference_in_longitude(x: NDArray[Any]) -> NDArray[Any]:
    """Kernel: the next pixel less the one before; anything at the ends, which are trimmed."""
    result = np.empty_like(x)
    np.subtract(x[:, :, 2:], x[:, :, :-2], out=result[:, :, 1:-1])
    result[:, :, [0, -1]] = 0
    return result


def difference_in_latitude(x: NDArray[Any]) -> NDArray[Any]:
    """Kernel: the next row less the one before; anything at the ends, which are trimmed."""
    result = np.empty_like(x)
    np.subtract(x[:, 2:], x[:, :-2], out=result[:, 1:-1])
    result[:, [0, -1]] = 0
    return result


def regrid(xp: Any, x: Any) -> Any:
    """The same field on a grid half as fine, whose points take half of their value from the points around."""
    chunks = (x.chunks[0], *(tuple(length // 2 for length in lengths) for lengths in x.chunks[1:]))
    return xp.map_overlap(
        weighted, x, depth={0: 0, 1: 1, 2: 1}, boundary=AROUND, trim=False, chunks=chunks, dtype=x.dtype
    )


def weighted(x: NDArray[Any]) -> NDArray[Any]:
    """Kernel of `regrid`: of a block with one row and column more on each side, every other point."""
    rows = x[:, :-2:2] + x[:, 2::2]
    rows += x[:, 1:-1:2]
    rows += x[:, 1:-1:2]
    result = rows[:, :, :-2:2] + rows[:, :, 2::2]
    result += rows[:, :, 1:-1:2]
    result += rows[:, :, 1:-1:2]
    result *= x.dtype.type(1 / 16)
    return result


def ndvi(xp: Any, red: Any, infrared: Any, clouds: Any) -> tuple[Any, Any]:
    """Normalized difference vegetation index of scenes that are clouded in part; counts in three bands.

    Returns
    -------
    greenest : float32[latitude, longitude]
        The largest index of a clear pixel in any scene, -1 where none is clear.
    mean : float32[latitude, longitude]
        Of the clear pixels; 0 where none is clear.
    """
    red, infrared, clear = red.astype(np.float32), infrared.astype(np.float32), clouds < CLOUDED
    index = (infrared - red) / (infrared + red + np.float32(1))
    greenest = xp.where(clear, index, np.float32(-1)).max(axis=0)
    n = xp.maximum(clear.sum(axis=0), 1)
    return greenest, xp.where(clear, index, np.float32(0)).sum(axis=0) / n.astype(np.float32)
