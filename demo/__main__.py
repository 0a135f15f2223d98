"""The story: ``python -m demo``."""

from __future__ import annotations

import math
import shutil
import sys
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

import restride as rs
import restride.array as ra
from demo import analysis, data, report
from demo.data import Field
from demo.plots import plot_spectra, plot_trends
from demo.steps import Step, Steps

OUTPUT = Path("demo-output")
COPIES = (10, 8, 7)
"""How often E1 is repeated along each axis for the large copy, which gets 1 GB."""

STORE = "store maps"
RESTRIDE = "restride to series"
SERIES = "trends and spectra"
MAPS = "2-D FFT of every map"


def main(output: Path = OUTPUT, copies: tuple[int, int, int] = COPIES) -> list[Step]:
    """Tell the story; what ran."""
    begun = perf_counter()
    console = Console(highlight=False)
    steps = Steps(console)
    stores = emptied(output)
    with rs.Client() as client:
        console.print(report.introduction(client.threads))
        fields = (data.e1(), data.a1b(), data.ostia())
        results = []
        for field in fields:
            console.print(report.heading(field.name, field.about, field.values.shape))
            results.append(analyse(field, stores, steps))
        analyse_copies(fields[0], copies, stores, steps, console)

    plot_trends([(field, trend) for field, (trend, _) in zip(fields, results)], output / "trend.png")
    plot_spectra([(field, spectrum) for field, (_, spectrum) in zip(fields, results)], output / "spectrum.png")
    console.print(report.table(steps.done))
    console.print(report.ending(output, perf_counter() - begun))
    return steps.done


def emptied(output: Path) -> Path:
    """Clear away what an earlier run has left, whole or not; a folder for stores."""
    stores = output / "stores"
    if stores.exists():
        shutil.rmtree(stores)
    for name in ("trend.png", "spectrum.png"):
        (output / name).unlink(missing_ok=True)
    stores.mkdir(parents=True)
    return stores


def analyse(field: Field, stores: Path, steps: Steps) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Trend and mean spectrum of a field. The spectra of all pixels and the FFTs of all maps are checked as well."""
    x, years = field.values, field.years
    maps = stored(ra.from_array(x, chunks=(1, -1, -1)), field.name, stores, steps)
    series = steps.hold(field.name, RESTRIDE, maps.rechunk((-1, 1, 1)))

    right = analysis.spectra(x, years, np)
    spectra = analysis.spectra(series, years, ra)
    trend, spectrum, _ = steps.compute(
        field.name,
        SERIES,
        analysis.trend(series, years),
        analysis.mean_over_pixels(spectra, ra),
        spectra,
        expected=(analysis.trend(x, years), analysis.mean_over_pixels(right, np), right),
    )
    waves = analysis.wave_maps(series, years, ra)
    steps.compute(field.name, MAPS, waves, expected=(analysis.wave_maps(x, years, np),))
    return trend, spectrum


def analyse_copies(field: Field, copies: tuple[int, int, int], stores: Path, steps: Steps, console: Console) -> None:
    """The same on a field repeated along each axis, with means in place of what would be as large as the field."""
    name = f"{field.name} x {math.prod(copies)}"
    tiled = ra.from_array(field.values, chunks=(1, -1, -1))
    for axis, n in enumerate(copies):
        tiled = ra.concatenate([tiled] * n, axis=axis)
    repeated = " x ".join(map(str, copies))
    console.print(
        report.heading(name, f"the first field side by side in time and space, {repeated} times", tiled.shape)
    )

    maps = stored(tiled.rechunk((1, -1, -1)), name, stores, steps)
    series = steps.hold(name, RESTRIDE, maps.rechunk((-1, *field.values.shape[1:])))

    in_time, *in_space = copies
    alone = np.tile(field.values, (in_time, 1, 1))
    years = field.years[0] + field.step * np.arange(len(alone))
    steps.compute(
        name,
        SERIES,
        analysis.trend(series, years),
        analysis.mean_over_pixels(analysis.spectra(series, years, ra), ra),
        expected=(
            np.tile(analysis.trend(alone, years), in_space),
            analysis.mean_over_pixels(analysis.spectra(alone, years, np), np),
        ),
    )
    waves = analysis.mean_over_maps(analysis.wave_maps(series, years, ra), ra)
    # Repeated n times, a map has the waves it had at every n-th wavenumber, n times as large, and none between.
    right = np.zeros(waves.shape)
    once = analysis.mean_over_maps(analysis.wave_maps(alone, years, np), np)
    right[:: in_space[0], :: in_space[1]] = math.prod(in_space) * once
    steps.compute(name, MAPS, waves, expected=(right,))


def stored(maps: ra.Array, name: str, stores: Path, steps: Steps) -> ra.Array:
    """Maps, written to Zarr as they are chunked, and to be read from there."""
    path = stores / f"{name.replace(' ', '-')}.zarr"
    writing = ra.to_zarr(maps, path, compute=False)
    assert writing is not None
    steps.compute(name, STORE, writing)
    return ra.from_zarr(path)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("interrupted; what there is in demo-output is cleared away by the next run")
