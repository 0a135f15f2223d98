"""The workflows of the benchmarks: right, and reading no more than they need; how fast is not for tests to judge."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

import restride as rs
import restride.array as ra
from benchmarks.workflows import climate, compare, maps, spectra, stores
from benchmarks.workflows.cases import CASES, Case
from benchmarks.workflows.field import Field

ROOT = Path(rs.__file__).parent.parent


@pytest.fixture(scope="module", autouse=True)
def zarr_threads() -> Iterator[None]:
    """zarr's threads live as long as the process, so they start before all tests; one, as it adds some as it goes."""
    with zarr.config.set({"threading.max_workers": 1}):
        zarr.create_array({}, data=np.ones(3))
        yield


def named(case: Case) -> str:
    return case.name


@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_workflow_gives_what_numpy_gives(case: Case, tmp_path: Path) -> None:
    shape, chunks = case.small
    case.check(rs.compute(*case.lazy(ra, shape, chunks, tmp_path)), shape, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_workflow_gives_on_processes_what_numpy_gives(case: Case, tmp_path: Path) -> None:
    shape, chunks = case.small
    with rs.Client("processes", workers=2, threads_per_worker=1):
        case.check(rs.compute(*case.lazy(ra, shape, chunks, tmp_path)), shape, tmp_path)


# ---- what is read for a part of the result ---------------------------------------------------------------------------


class Counted(Field):
    """A field that remembers which of its chunks have been read, and how often."""

    def __init__(self, shape, chunks, dtype="float32", seed=0):
        super().__init__(shape, dtype, seed)
        self.chunks = chunks
        self.reads = Counter()
        self.lock = threading.Lock()

    def __getitem__(self, where):
        ranges = [range(cut.start // length, (cut.stop - 1) // length + 1) for cut, length in zip(where, self.chunks)]
        with self.lock:
            self.reads.update(itertools.product(*ranges))
        return super().__getitem__(where)


def opened(*fields):
    return [ra.from_array(field, chunks=field.chunks) for field in fields]


def box(*ranges):
    """Each chunk of a box, once."""
    return Counter(itertools.product(*ranges))


def test_a_pixel_of_the_climatology_needs_the_chunks_of_its_place_alone() -> None:
    field = Counted((730, 20, 30), (73, 5, 10))
    climatology, _ = climate.climatology(ra, *opened(field))
    climatology[:, 7, 12].compute()
    assert field.reads == box(range(10), [1], [1])


def test_a_month_of_anomalies_needs_that_month_of_every_year() -> None:
    field = Counted((1095, 20, 30), (1, 20, 30))
    _, anomaly = climate.climatology(ra, *opened(field))
    anomaly[13].compute()
    february = np.flatnonzero(climate.month_of_days(1095) == 1)
    assert field.reads == box(february, [0], [0])


def test_a_day_less_its_month_needs_all_days_of_that_month() -> None:
    field = Counted((730, 20, 30), (1, 20, 30))
    climate.daily_anomaly(ra, *opened(field))[3].compute()
    january = np.flatnonzero(climate.month_of_days(730) == 0)
    assert field.reads == box(january, [0], [0])


def test_some_weeks_need_the_chunk_of_their_days_and_the_one_before() -> None:
    field = Counted((300, 20, 30), (30, 5, 10))
    rolling = climate.rolling_mean(ra, *opened(field))
    rolling[60:70, 6:8, 25:].compute()
    assert field.reads == box([1, 2], [1], [2])


def test_the_trend_of_a_pixel_needs_the_chunks_of_its_place_once() -> None:
    field = Counted((300, 20, 30), (30, 10, 10))
    climate.trend(ra, *opened(field), pixels=5)[3, 13].compute()
    assert field.reads == box(range(10), [0], [1])


def test_vorticity_within_a_chunk_needs_that_chunk_and_those_that_share_its_edges() -> None:
    u, v = Counted((4, 30, 40), (1, 10, 10), seed=1), Counted((4, 30, 40), (1, 10, 10), seed=2)
    maps.vorticity(ra, *opened(u, v))[2, 12:18, 0:5].compute()
    assert u.reads == box([2], [0, 1, 2], [0])
    assert v.reads == box([2], [1], [3, 0, 1])


def test_points_of_a_coarser_grid_need_the_chunks_around_them() -> None:
    field = Counted((4, 40, 40), (1, 10, 10))
    maps.regrid(ra, *opened(field))[1, 5:10, 5:10].compute()
    assert field.reads == box([1], [0, 1, 2], [0, 1, 2])


def test_a_part_of_the_vegetation_needs_its_chunks_of_each_scene_once() -> None:
    bands = [Counted((5, 20, 20), (1, 5, 5), "uint16", seed) for seed in range(3)]
    greenest, mean = maps.ndvi(ra, *opened(*bands))
    rs.compute(greenest[6:8, 11:15], mean[6:8, 11:15])
    assert all(band.reads == box(range(5), [1], [2]) for band in bands)


def test_a_part_of_a_spectrum_needs_every_chunk_once() -> None:
    field = Counted((8, 6, 12), (2, 6, 12))
    spectra.power(ra, *opened(field), slab=3)[2:4, 1, 5].compute()
    assert field.reads == box(range(4), [0], [0])


def test_the_leading_modes_need_every_chunk_once() -> None:
    field = Counted((40, 12, 10), (10, 12, 10))
    series, strengths, patterns = spectra.eof(ra, *opened(field), modes=2)
    rs.compute(series[:, 0], strengths[0], patterns[0])
    assert field.reads == box(range(4), [0], [0])


def test_the_course_of_an_exact_mode_needs_every_chunk_once() -> None:
    field = Counted((20, 24, 20), (20, 4, 20))
    patterns, _, series = spectra.eof_exact(ra, *opened(field))
    rs.compute(series[0], patterns[100:110, 0])
    assert field.reads == box([0], range(6), [0])


class Requests:
    """What chunks zarr reads from directories, and writes to them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reads: Counter[str] = Counter()
        self.writes: Counter[str] = Counter()
        for name, counts in (("get", self.reads), ("set", self.writes)):
            monkeypatch.setattr(
                zarr.storage.LocalStore, name, self.counted(getattr(zarr.storage.LocalStore, name), counts)
            )

    def counted(self, method: Callable[..., Any], counts: Counter[str]) -> Callable[..., Any]:
        def call(store: Any, key: str, *args: Any, **kwargs: Any) -> Any:
            if "/c/" in f"/{key}":
                counts[key] += 1
            return method(store, key, *args, **kwargs)

        return call


def test_from_zarr_to_zarr_each_chunk_is_read_once_and_written_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores.write_source(tmp_path / "maps.zarr", (12, 8, 12), (2, 8, 12))
    requests = Requests(monkeypatch)
    stores.rechunked(ra, tmp_path / "maps.zarr", tmp_path / "series.zarr", (12, 4, 4)).compute()
    assert requests.reads == Counter(f"c/{t}/0/0" for t in range(6))
    assert requests.writes == Counter(f"c/0/{y}/{x}" for y in range(2) for x in range(3))


def test_a_part_of_the_series_needs_the_maps_of_its_time_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stores.write_source(tmp_path / "maps.zarr", (12, 8, 12), (2, 8, 12))
    requests = Requests(monkeypatch)
    ra.from_zarr(tmp_path / "maps.zarr").rechunk((12, 4, 4))[5:9, 2, 3:7].compute()
    assert requests.reads == Counter(f"c/{t}/0/0" for t in (2, 3, 4))


# ---- the comparison --------------------------------------------------------------------------------------------------


def test_a_field_is_the_same_whole_and_in_parts() -> None:
    field = Field((20, 6, 8))
    whole = np.asarray(field)
    np.testing.assert_array_equal(field[3:9, 2:5, 1:], whole[3:9, 2:5, 1:])
    np.testing.assert_array_equal(field[7, 2:5, 3], whole[7, 2:5, 3])
    assert whole.std() > 1
    assert not np.array_equal(whole, np.asarray(Field((20, 6, 8), seed=1)))


@pytest.mark.slow
def test_a_contender_tells_how_long_it_took(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "benchmarks.workflows.contender",
        "restride threads",
        "NDVI",
        str(tmp_path),
        "small",
    ]
    done = subprocess.run(command, cwd=ROOT, input="run\nrun\n", capture_output=True, text=True, check=True)
    ready, *runs = map(json.loads, done.stdout.splitlines())
    assert ready == {"ready": True}
    assert [run["seconds"] > 0 for run in runs] == [True, True]


def test_the_most_memory_of_a_while_is_seen() -> None:
    with compare.Memory(os.getpid()) as before:
        pass
    block = np.ones(10_000_000)
    with compare.Memory(os.getpid()) as memory:
        pass
    assert memory.most > before.most + block.nbytes / 2


def test_a_last_row_has_the_medians_of_the_ratios() -> None:
    rows = [{"workflow": str(n), "time ratio": n, "memory ratio": n / 10} for n in (1, 2, 6)]
    assert compare.with_summary(rows)[-1] == {"workflow": "median", "time ratio": 2, "memory ratio": 0.2}
