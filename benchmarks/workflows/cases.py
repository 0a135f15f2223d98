"""The workflows with data: how large, in which chunks, and the results as numpy has them.

Sizes are such that a run takes a second or two. Chunks are those that the data come in: a map, a month, a tile.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.workflows import climate, maps, spectra, stores
from benchmarks.workflows.field import Field

Shape = tuple[int, ...]

MODES = 4


@dataclass(frozen=True, slots=True)
class Case:
    """A workflow on data of some size."""

    name: str
    shape: Shape
    chunks: Shape
    small: tuple[Shape, Shape]
    """A shape and chunks for which numpy takes no time."""
    lazy: Callable[[Any, Shape, Shape, Path], Sequence[Any]]
    """``(xp, shape, chunks, folder)`` to what is to be computed."""
    expected: Callable[[Shape, Path], Sequence[Any]]
    """``(shape, folder)`` to what should come out, by numpy."""
    results: Callable[[Sequence[Any], Path], Sequence[Any]] = lambda computed, folder: computed
    """What has come out, of what `compute` returned."""
    rtol: float = 1e-4
    dtype: str = "float32"
    sources: int = 1
    """How many fields of the shape it reads."""

    def nbytes(self, shape: Shape) -> int:
        """Of what it reads."""
        return self.sources * math.prod(shape) * np.dtype(self.dtype).itemsize

    def n_chunks(self, shape: Shape, chunks: Shape) -> int:
        """Of what it reads."""
        return self.sources * math.prod(-(-n // length) for n, length in zip(shape, chunks))

    def check(self, computed: Sequence[Any], shape: Shape, folder: Path) -> None:
        """See that what has come out is what numpy says; AssertionError if not."""
        for result, expected in zip(self.results(computed, folder), self.expected(shape, folder), strict=True):
            scale = np.abs(expected).max()
            np.testing.assert_allclose(result, expected, rtol=self.rtol, atol=self.rtol * scale)


def opened(xp: Any, field: Any, chunks: Shape) -> Any:
    """A field as an array; dask is told that it need not be a task of its own."""
    options = {"inline_array": True} if xp.__name__.startswith("dask") else {}
    return xp.from_array(field, chunks=chunks, **options)


def _climatology(xp: Any, shape: Shape, chunks: Shape, folder: Path) -> Sequence[Any]:
    return climate.climatology(xp, opened(xp, Field(shape), chunks))


def _climatology_expected(shape: Shape, folder: Path) -> Sequence[Any]:
    x = np.asarray(Field(shape))
    month = climate.month_of_days(shape[0])
    monthly = np.array(
        [[year[month[:365] == m].mean(axis=0) for m in range(12)] for year in np.split(x, len(x) // 365)]
    )
    mean = monthly.mean(axis=0)
    return mean, (monthly - mean).reshape(-1, *shape[1:])


def _anomaly(xp: Any, shape: Shape, chunks: Shape, folder: Path) -> Sequence[Any]:
    return [(climate.daily_anomaly(xp, opened(xp, Field(shape), chunks)) ** 2).mean(axis=0)]


def _anomaly_expected(shape: Shape, folder: Path) -> Sequence[Any]:
    x, month = np.asarray(Field(shape)), climate.month_of_days(shape[0])
    for m in range(12):
        x[month == m] -= x[month == m].mean(axis=0)
    return [(x**2).mean(axis=0)]


def _rolling_mean(xp: Any, shape: Shape, chunks: Shape, folder: Path) -> Sequence[Any]:
    return [climate.rolling_mean(xp, opened(xp, Field(shape), chunks)).max(axis=0)]


def _rolling_mean_expected(shape: Shape, folder: Path) -> Sequence[Any]:
    x = np.asarray(Field(shape))
    return [np.max([x[max(t - 6, 0) : t + 1].mean(axis=0) for t in range(len(x))], axis=0)]


def _trend(xp: Any, shape: Shape, chunks: Shape, folder: Path) -> Sequence[Any]:
    return [climate.trend(xp, opened(xp, Field(shape), chunks), pixels=max(shape[1] // 10, 1))]


def _trend_expected(shape: Shape, folder: Path) -> Sequence[Any]:
    x = np.asarray(Field(shape)).reshape(shape[0], -1)
    return [np.polyfit(np.arange(len(x)), x, 1)[0].reshape(shape[1:])]


def _winds(shape: Shape) -> tuple[Field, Field]:
    return Field(shape, seed=1), Field(shape, seed=2)


def _vorticity(xp: Any, shape: Shape, chunks: Shape, folder: Path) -> Sequence[Any]:
    u, v = (opened(xp, wind, chunks) for wind in _winds(shape))
    return [abs(maps.vorticity(xp, u, v)).mean(axis=0)]


def _vorticity_expected(shape: Shape, folder: Path) -> Sequence[Any]:
    u, v = map(np.asarray, _winds(shape))
    cosine = np.cos(maps.latitudes(shape[1]))[:, None]
    eastward = (np.roll(v, -1, 2) - np.roll(v, 1, 2)) / (4 * np.pi / shape[2])
    padded = np.pad(u * cosine, ((0, 0), (1, 1), (0, 0)), "edge")
    northward = (padded[:, 2:] - padded[:, :-2]) / (2 * np.pi / shape[1])
    return [abs((eastward - northward) / (maps.EARTH * cosine)).mean(axis=0)]


def _regrid(xp: Any, shape: Shape, chunks: Shape, folder: Path) -> Sequence[Any]:
    return [maps.regrid(xp, opened(xp, Field(shape), chunks))]


def _regrid_expected(shape: Shape, folder: Path) -> Sequence[Any]:
    x = np.pad(np.asarray(Field(shape)), ((0, 0), (1, 1), (0, 0)), "edge")
    x = np.pad(x, ((0, 0), (0, 0), (1, 1)), "wrap")
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (1, 2))[:, ::2, ::2]
    return [np.einsum("tyxij,i,j->tyx", windows, [0.25, 0.5, 0.25], [0.25, 0.5, 0.25])]


def _ndvi(xp: Any, shape: Shape, chunks: Shape, folder: Path) -> Sequence[Any]:
    return maps.ndvi(xp, *(opened(xp, band, chunks) for band in _bands(shape)))


def _bands(shape: Shape) -> list[Field]:
    return [Field(shape, "uint16", seed) for seed in range(3)]


def _ndvi_expected(shape: Shape, folder: Path) -> Sequence[Any]:
    red, infrared, clouds = (np.asarray(band).astype(float) for band in _bands(shape))
    index = np.ma.array((infrared - red) / (infrared + red + 1), mask=clouds >= maps.CLOUDED)
    return index.max(axis=0).filled(-1), index.mean(axis=0).filled(0)


def _eof(xp: Any, shape: Shape, chunks: Shape, folder: Path) -> Sequence[Any]:
    return spectra.eof(xp, opened(xp, Field(shape), chunks), MODES)


def _eof_exact(xp: Any, shape: Shape, chunks: Shape, folder: Path) -> Sequence[Any]:
    return spectra.eof_exact(xp, opened(xp, Field(shape), chunks))


def _first_mode(computed: Sequence[Any], folder: Path) -> Sequence[Any]:
    """What is unique about the first mode: its strength, and the part of the maps that it makes."""
    u, strengths, v = computed
    return strengths[0], strengths[0] * np.outer(u[:, 0], v[0])


def _eof_expected(shape: Shape, folder: Path) -> Sequence[Any]:
    x = np.asarray(Field(shape)).reshape(shape[0], -1)
    return _first_mode(np.linalg.svd(x - x.mean(axis=0), full_matrices=False), folder)


def _eof_exact_expected(shape: Shape, folder: Path) -> Sequence[Any]:
    x = np.asarray(Field(shape)).reshape(shape[0], -1)
    u, strengths, v = np.linalg.svd((x - x.mean(axis=0)).T, full_matrices=False)
    return strengths, (u * strengths) @ v


def _all_modes(computed: Sequence[Any], folder: Path) -> Sequence[Any]:
    u, strengths, v = computed
    return strengths, (u * strengths) @ v


def _fft2(xp: Any, shape: Shape, chunks: Shape, folder: Path) -> Sequence[Any]:
    return [spectra.power(xp, opened(xp, Field((1, *shape)), (1, *chunks))[0], slab=chunks[0])]


def _fft2_expected(shape: Shape, folder: Path) -> Sequence[Any]:
    return [abs(np.fft.fft2(np.asarray(Field((1, *shape)))[0])) ** 2]


def _fft3(xp: Any, shape: Shape, chunks: Shape, folder: Path) -> Sequence[Any]:
    return [spectra.power(xp, opened(xp, Field(shape), chunks), slab=chunks[0])]


def _fft3_expected(shape: Shape, folder: Path) -> Sequence[Any]:
    return [abs(np.fft.fftn(np.asarray(Field(shape)))) ** 2]


def _zarr(xp: Any, shape: Shape, chunks: Shape, folder: Path) -> Sequence[Any]:
    source = folder / f"maps-{'-'.join(map(str, shape))}.zarr"
    stores.write_source(source, shape, chunks)
    series = (shape[0], max(shape[1] // 6, 1), max(shape[2] // 6, 1))
    return [stores.rechunked(xp, source, folder / "series.zarr", series)]


def _zarr_results(computed: Sequence[Any], folder: Path) -> Sequence[Any]:
    return [stores.read(folder / "series.zarr")]


def _zarr_expected(shape: Shape, folder: Path) -> Sequence[Any]:
    return [np.asarray(Field(shape, "int16"))]


CASES = (
    Case("climatology", (3650, 180, 360), (1, 180, 360), ((730, 6, 8), (1, 6, 8)), _climatology, _climatology_expected),
    Case("daily anomaly", (1460, 180, 360), (1, 180, 360), ((730, 6, 8), (1, 6, 8)), _anomaly, _anomaly_expected),
    Case(
        "rolling mean", (1460, 180, 360), (30, 45, 90), ((100, 6, 8), (30, 3, 4)), _rolling_mean, _rolling_mean_expected
    ),
    Case("trend", (3650, 180, 360), (30, 180, 360), ((100, 20, 30), (7, 20, 30)), _trend, _trend_expected, rtol=1e-3),
    Case(
        "vorticity",
        (96, 720, 1440),
        (1, 360, 720),
        ((3, 12, 16), (1, 6, 8)),
        _vorticity,
        _vorticity_expected,
        rtol=1e-3,
        sources=2,
    ),
    Case("regrid", (192, 720, 1440), (1, 360, 720), ((3, 12, 16), (1, 6, 8)), _regrid, _regrid_expected),
    Case(
        "NDVI",
        (48, 2048, 2048),
        (1, 512, 512),
        ((4, 16, 16), (1, 8, 8)),
        _ndvi,
        _ndvi_expected,
        sources=3,
        dtype="uint16",
    ),
    Case(
        "EOF, compressed",
        (1460, 180, 360),
        (73, 30, 360),
        ((60, 8, 10), (20, 4, 10)),
        _eof,
        _eof_expected,
        _first_mode,
        rtol=5e-2,
    ),
    Case(
        "EOF, exact",
        (60, 360, 720),
        (60, 4, 720),
        ((10, 8, 10), (10, 2, 10)),
        _eof_exact,
        _eof_exact_expected,
        _all_modes,
        rtol=1e-3,
    ),
    Case("FFT, 2-D", (8000, 8000), (50, 8000), ((40, 30), (7, 30)), _fft2, _fft2_expected, rtol=1e-3),
    Case("FFT, 3-D", (320, 320, 320), (8, 320, 320), ((12, 10, 8), (3, 10, 8)), _fft3, _fft3_expected, rtol=1e-3),
    Case(
        "Zarr to Zarr",
        (1500, 180, 360),
        (30, 180, 360),
        ((40, 12, 12), (7, 12, 12)),
        _zarr,
        _zarr_expected,
        _zarr_results,
        dtype="int16",
    ),
)
"""All of them."""


def case(name: str) -> Case:
    """The workflow of a name."""
    return next(case for case in CASES if case.name == name)
