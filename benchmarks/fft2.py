"""The 2-D FFT of an 8000 x 8000 complex64 array in 160 row slabs, by way of a restride to 160 column slabs.

dask transforms by scipy's kernels here, as restride does: its own default, numpy's, are slower.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dask
import dask.array as da
import numpy as np
import scipy.fft

import restride as rs
import restride.array as ra
from benchmarks.systems import dask_client, installed, restride_client
from benchmarks.timing import alternate, comparison

Row = dict[str, Any]
Tables = dict[str, list[Row]]


def run(*, quick: bool = False) -> Tables:
    side, slabs, repeat = (1000, 20, 2) if quick else (8000, 160, 5)
    return {
        "fft2": _threads(side, slabs, repeat),
        "fft2, 2 processes": _processes(side, slabs, repeat),
    }


def _threads(side: int, slabs: int, repeat: int) -> list[Row]:
    rng = np.random.default_rng(0)
    x = rng.random((side, side), np.float32) + 1j * rng.random((side, side), np.float32)
    chunks = (side // slabs, -1)
    contenders: dict[str, Callable[[], Any]] = {
        "restride": lambda: ra.fft.fft2(ra.from_array(x, chunks=chunks)).compute(),
        "dask threads": lambda: _dask(x, chunks, "threads"),
        "dask synchronous": lambda: _dask(x, chunks, "synchronous"),
        "scipy, 2 workers": lambda: scipy.fft.fft2(x, workers=2),
    }
    with rs.Client(threads=2):
        expected = contenders["scipy, 2 workers"]()
        np.testing.assert_allclose(contenders["restride"](), expected, rtol=1e-3, atol=side / 100)
        del expected
        return comparison(alternate(contenders, repeat), slabs=slabs)


def _dask(x: np.ndarray, chunks: tuple[int, int], scheduler: str) -> np.ndarray:
    with dask.config.set(scheduler=scheduler, num_workers=2):
        return _transformed(da.from_array(x, chunks=chunks)).compute()


def _transformed(x: da.Array) -> da.Array:
    fft = da.fft.fft_wrap(scipy.fft.fft)
    return fft(fft(x, axis=1).rechunk(x.chunks[::-1]), axis=0)


def _processes(side: int, slabs: int, repeat: int) -> list[Row]:
    """The workers make the array and keep its transform; only the sum of that travels to the client."""
    if not installed("distributed"):
        return [{"contender": "dask.distributed", "note": "not installed"}]
    chunks = (side // slabs, -1)

    def ours() -> Any:
        random = ra.random.default_rng(0)
        x = random.random((side, side), dtype="f4", chunks=chunks) + 1j * random.random(
            (side, side), dtype="f4", chunks=chunks
        )
        return ra.fft.fft2(x).sum().compute()

    def theirs(method: str) -> Any:
        random = da.random.default_rng(0)
        x = random.random((side, side), dtype="f4", chunks=chunks) + 1j * random.random(
            (side, side), dtype="f4", chunks=chunks
        )
        with dask.config.set({"array.rechunk.method": method}):
            return _transformed(x).sum().compute()

    contenders: dict[str, Callable[[], Any]] = {
        "restride": ours,
        "dask.distributed, P2P": lambda: theirs("p2p"),
        "dask.distributed, tasks": lambda: theirs("tasks"),
    }
    with restride_client(), dask_client():
        return comparison(alternate(contenders, repeat), slabs=slabs)
