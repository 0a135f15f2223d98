"""Workflows over the time of daily maps, ``x[time, latitude, longitude]``: climatology, anomalies, weeks, trends.

Each is written once; `xp` is `restride.array` or `dask.array`, and `x` an array of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

DAYS_OF_MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
"""Of a calendar without leap years."""

WEEK = 7


def month_of_days(days: int) -> NDArray[np.int64]:
    """The month, 0 to 11, of each of so many days."""
    return np.resize(np.repeat(np.arange(12), DAYS_OF_MONTHS), days)


def climatology(xp: Any, x: Any) -> tuple[Any, Any]:
    """Climatology of whole years and what departs from it, month by month.

    Returns
    -------
    climatology : array[12, latitude, longitude]
        Means over the years of the means of each month.
    anomaly : array[months, latitude, longitude]
        The mean of each month less its climatology.
    """
    lengths = np.tile(DAYS_OF_MONTHS, x.shape[0] // 365)
    ends = np.cumsum(lengths)
    monthly = xp.stack([x[end - length : end].mean(axis=0) for length, end in zip(lengths.tolist(), ends.tolist())])
    by_year = monthly.reshape((len(ends) // 12, 12, *x.shape[1:]))
    mean = by_year.mean(axis=0)
    return mean, (by_year - mean).reshape(monthly.shape)


def daily_anomaly(xp: Any, x: Any) -> Any:
    """Each day's map less the mean of all days of its month, of whatever year."""
    month = month_of_days(x.shape[0])
    means = xp.stack([x[np.flatnonzero(month == m)].mean(axis=0) for m in range(12)])
    return x - means[month]


def rolling_mean(xp: Any, x: Any) -> Any:
    """Mean of each day and the six before it, of fewer at the beginning."""
    return xp.map_overlap(mean_of_week, x, depth={0: (WEEK - 1, 0), 1: 0, 2: 0}, boundary="none", dtype=x.dtype)


def mean_of_week(days: NDArray[Any]) -> NDArray[Any]:
    """Kernel of `rolling_mean`."""
    total = days.copy()
    for before in range(1, WEEK):
        total[before:] += days[:-before]
    total /= np.minimum(np.arange(1, len(days) + 1, dtype=days.dtype), WEEK)[:, None, None]
    return total


def trend(xp: Any, x: Any, pixels: int) -> Any:
    """Slope of the least-squares line through each pixel's series, per day, in chunks of `pixels` x `pixels` series."""
    return xp.map_blocks(slope, x.rechunk((-1, pixels, pixels)), drop_axis=0, dtype=np.float64)


def slope(series: NDArray[Any]) -> NDArray[np.float64]:
    """Kernel of `trend`."""
    time = np.arange(len(series)) - (len(series) - 1) / 2
    return np.tensordot(time / (time * time).sum(), series, 1)
