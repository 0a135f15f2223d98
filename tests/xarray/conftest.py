"""xarray as it is where dask is not installed, and our chunk manager the one there is."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
import pytest
import zarr
from xarray.core import _aggregations, duck_array_ops
from xarray.namedarray import parallelcompat, utils

import restride
from restride.xarray import RestrideManager

MANAGERS = {"restride": RestrideManager()}


@pytest.fixture(scope="session", autouse=True)
def zarr_threads() -> Iterator[None]:
    """zarr's threads live as long as the process, so they start before all tests."""
    with zarr.config.set({"threading.max_workers": 1}):
        zarr.create_array({}, data=np.ones(3))
        yield


@pytest.fixture(autouse=True)
def without_dask(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whoever imports dask in the test fails, and whoever asks is told that there is none."""
    for name in list(sys.modules):
        if name.split(".")[0] in ("dask", "distributed"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "dask", None)
    monkeypatch.setattr(duck_array_ops, "dask_available", False)
    monkeypatch.setattr(parallelcompat, "load_chunkmanagers", lambda _entries: MANAGERS)
    for cached in (utils.module_available, parallelcompat.list_chunkmanagers):
        cached.cache_clear()
    yield
    monkeypatch.undo()
    for cached in (utils.module_available, parallelcompat.list_chunkmanagers):
        cached.cache_clear()


@pytest.fixture(autouse=True)
def client() -> Iterator[restride.Client]:
    """Some of xarray's functions compute inside of tasks, which takes further threads; these end with the client."""
    with restride.Client(threads=2) as client:
        yield client


@pytest.fixture
def with_flox_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """xarray hands groups of chunked arrays to flox where it finds it."""
    monkeypatch.setattr(_aggregations, "flox_available", True)
