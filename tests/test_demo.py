"""The demo: what it computes, how it counts and checks, and, slow, the whole story."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

for package in ("iris_sample_data", "cftime", "h5netcdf", "matplotlib", "xarray", "zarr"):
    pytest.importorskip(package, reason="the demo needs restride[demo]")

import restride.array as ra  # noqa: E402  skip first
from demo import analysis, data  # noqa: E402
from demo.__main__ import emptied  # noqa: E402
from demo.plots import plot_spectra, plot_trends  # noqa: E402
from demo.steps import TOLERANCE, Steps, count, difference  # noqa: E402

ROOT = Path(__file__).parent.parent
YEARS = 1900 + np.arange(48) / 12


@pytest.fixture(scope="module")
def temperature() -> np.ndarray:
    x = 280 + 10 * np.random.default_rng(0).random((48, 3, 5), dtype=np.float32)
    x[:, 1, 2] = np.nan
    return x


@pytest.fixture
def steps() -> Steps:
    return Steps(Console(quiet=True))


def test_the_trend_is_the_slope_of_the_least_squares_line(temperature: np.ndarray) -> None:
    there = np.isfinite(temperature[0])
    per_year = np.polyfit(YEARS - 1900, temperature[:, there].astype(np.float64), 1)[0]
    assert np.allclose(analysis.trend(temperature, YEARS)[there], 10 * per_year)


def test_anomalies_have_neither_mean_nor_trend(temperature: np.ndarray) -> None:
    left = analysis.anomalies(temperature, YEARS)
    assert np.allclose(np.nan_to_num(left.mean(axis=0)), 0, atol=1e-5)
    assert np.allclose(np.nan_to_num(analysis.trend(left, YEARS)), 0, atol=1e-4)


def test_the_spectrum_has_the_amplitude_of_a_wave_at_its_period() -> None:
    wave = 300 + 1.5 * np.cos(2 * np.pi * YEARS)[:, None, None] * np.ones((1, 2, 2))
    spectrum = analysis.spectra(wave.astype(np.float32), YEARS, np)
    period = 1 / np.fft.rfftfreq(48, 1 / 12)[1:]
    assert np.allclose(spectrum[1:][np.isclose(period, 1)], 1.5, rtol=0.01)
    assert spectrum[1:][~np.isclose(period, 1)].max() < 0.15


def test_a_pixel_without_values_has_no_results_and_is_left_out_of_the_mean(temperature: np.ndarray) -> None:
    missing = np.isnan(temperature[0])
    spectra = analysis.spectra(temperature, YEARS, np)
    assert np.array_equal(np.isnan(analysis.trend(temperature, YEARS)), missing)
    assert np.array_equal(np.isnan(spectra).all(axis=0), missing)
    assert np.allclose(analysis.mean_over_pixels(spectra, np), spectra[:, ~missing].mean(axis=1))
    assert np.isfinite(analysis.wave_maps(temperature, YEARS, np)).all()


def test_chunked_arrays_give_what_numpy_gives(temperature: np.ndarray) -> None:
    series = ra.from_array(temperature, chunks=(-1, 1, 2))
    for x, xp in ((temperature, np), (series, ra)):
        results = (
            analysis.trend(x, YEARS),
            analysis.mean_over_pixels(analysis.spectra(x, YEARS, xp), xp),
            analysis.mean_over_maps(analysis.wave_maps(x, YEARS, xp), xp),
        )
        if xp is np:
            expected = results
    for ours, right in zip(results, expected, strict=True):
        assert difference(ours.compute(), right) <= TOLERANCE


def test_tasks_and_moved_bytes_are_those_of_the_plan() -> None:
    rows = ra.from_array(np.zeros((8, 8)), chunks=(1, 8)).map_blocks(np.negative, dtype=np.float64)
    columns = rows.rechunk((8, 1))
    plan = columns.plan()
    assert count([columns]) == (8 + plan.tasks, sum(cost.moved for cost in plan.costs))


def test_what_is_held_already_is_no_task(steps: Steps) -> None:
    held = steps.hold("x", "hold", ra.arange(6, chunks=2) + 1)
    assert [step.tasks for step in steps.done] == [3]
    assert count([held * 2]) == (3, 0)


def test_a_result_that_is_not_numpys_is_an_error(steps: Steps) -> None:
    x = ra.arange(6, chunks=2)
    steps.compute("x", "right", x, expected=(np.arange(6),))
    with pytest.raises(ArithmeticError, match=r"x, wrong: results differ from numpy's by 2.0e\+00"):
        steps.compute("x", "wrong", x * 3, expected=(np.arange(6),))
    assert [step.difference for step in steps.done] == [0.0]


def test_missing_values_must_be_missing_in_the_same_places() -> None:
    expected = np.array([1.0, np.nan, 4.0])
    assert difference(np.array([1.0, np.nan, 5.0]), expected) == 0.25
    assert difference(np.array([np.nan, 1.0, 4.0]), expected) == np.inf
    assert difference(np.array([1.0, np.nan]), expected) == np.inf


def test_what_an_earlier_run_has_left_is_cleared_away_and_nothing_else(tmp_path: Path) -> None:
    half_written = tmp_path / "stores" / ".E1.zarr.incomplete-0"
    half_written.mkdir(parents=True)
    for name in ("trend.png", "spectrum.png", "notes.txt"):
        (tmp_path / name).touch()
    assert list(emptied(tmp_path).iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {"stores", "notes.txt"}


def test_the_fields_are_as_described() -> None:
    for field, shape, step in (
        (data.e1(), (240, 37, 49), 1),
        (data.a1b(), (240, 37, 49), 1),
        (data.ostia(), (48, 18, 432), 1 / 12),
    ):
        assert field.values.shape == shape == (len(field.years), len(field.latitude), len(field.longitude))
        assert field.values.dtype == np.float32
        assert field.step == pytest.approx(step)
        assert (np.diff(field.longitude) > 0).all()
        assert 250 < np.nanmean(field.values) < 310
        missing = np.isnan(field.values)
        assert np.array_equal(missing.any(axis=0), missing.all(axis=0))


def test_the_plots_are_png_files(tmp_path: Path) -> None:
    fields = (data.e1(), data.a1b(), data.ostia())
    plot_trends([(field, analysis.trend(field.values, field.years)) for field in fields], tmp_path / "trend.png")
    spectra = [(f, analysis.mean_over_pixels(analysis.spectra(f.values, f.years, np), np)) for f in fields]
    plot_spectra(spectra, tmp_path / "spectrum.png")
    for path in tmp_path.iterdir():
        assert path.read_bytes().startswith(b"\x89PNG")
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.slow
def test_the_whole_story_runs_with_few_copies(tmp_path: Path) -> None:
    # In a process of its own, since Zarr keeps threads for as long as there is one.
    story = "import pathlib, sys, demo.__main__ as demo; demo.main(pathlib.Path(sys.argv[1]), copies=(2, 2, 3))"
    printed = subprocess.run(
        [sys.executable, "-c", story, tmp_path], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert printed.stderr == ""
    assert printed.stdout.count("as in numpy") == 8
    assert printed.stdout.count("E1 x 12") == 2
    assert {path.name for path in tmp_path.iterdir()} == {"stores", "trend.png", "spectrum.png"}
    assert {path.name for path in (tmp_path / "stores").iterdir()} == {
        "E1.zarr",
        "A1B.zarr",
        "OSTIA.zarr",
        "E1-x-12.zarr",
    }
