"""The fields: gridded temperatures from the files of the PyPI package `iris-sample-data`.

E1 and A1B are two scenarios of one climate model, 240 annual means each over North America: in E1 emissions fall from
about 2010 on, in A1B they go on to grow until the middle of the century. OSTIA is an analysis of observed sea-surface
temperatures, monthly and along the equator; it has no values on land.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import iris_sample_data
import numpy as np
import xarray as xr
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Field:
    """A temperature on a grid, over time."""

    name: str
    about: str
    values: NDArray[np.float32]
    """K, float32[time, latitude, longitude]; NaN where there is none."""
    years: NDArray[np.float64]
    """When: the year and its fraction, float64[time], at equal distances."""
    latitude: NDArray[np.float64]
    """Degrees north, float64[latitude]."""
    longitude: NDArray[np.float64]
    """Degrees east, ascending, float64[longitude]."""

    @property
    def step(self) -> float:
        """Years from one map to the next."""
        return float(np.diff(self.years).mean())


def e1() -> Field:
    """Annual means of air temperature over North America, 1860 to 2099, with emissions that fall: (240, 37, 49)."""
    return _load(
        "E1", "air temperature, annual means of a model; emissions fall", "E1_north_america.nc", "air_temperature"
    )


def a1b() -> Field:
    """The same with emissions that go on to grow."""
    return _load("A1B", "the same, emissions grow on", "A1B_north_america.nc", "air_temperature")


def ostia() -> Field:
    """Monthly means of sea-surface temperature along the equator, four whole years up to 2010: (48, 18, 432)."""
    return _load(
        "OSTIA", "observed sea-surface temperature, monthly means", "ostia_monthly.nc", "surface_temperature", last=48
    )


def _load(name: str, about: str, file: str, variable: str, last: int = 0) -> Field:
    """Load a variable, the last so many maps of it or all."""
    with xr.open_dataset(Path(iris_sample_data.path) / file, engine="h5netcdf") as dataset:
        field = dataset[variable][-last:].transpose("time", "latitude", "longitude").load()
    when = field.time.dt
    return Field(
        name,
        about,
        np.ascontiguousarray(field.to_numpy(), np.float32),
        (when.year + (when.month - 1) / 12).to_numpy(),
        field.latitude.to_numpy().astype(np.float64),
        np.unwrap(field.longitude.to_numpy().astype(np.float64), period=360) - 360 * bool(field.longitude[0] > 180),
    )
