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
from benchmarks.timing import alternate


def run(*, quick: bool = False) -> list[dict[str, Any]]:
    side, slabs, repeat = (1000, 20, 2) if quick else (8000, 160, 5)
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
        taken = alternate(contenders, repeat)
    ours = taken["restride"].best
    return [
        {
            "contender": name,
            "slabs": slabs,
            "best s": timing.best,
            "median s": timing.median,
            "restride's time as a part": ours / timing.best,
        }
        for name, timing in taken.items()
    ]


def _dask(x: np.ndarray, chunks: tuple[int, int], scheduler: str) -> np.ndarray:
    fft = da.fft.fft_wrap(scipy.fft.fft)
    rows = fft(da.from_array(x, chunks=chunks), axis=1)
    columns = fft(rows.rechunk(chunks[::-1]), axis=0)
    with dask.config.set(scheduler=scheduler, num_workers=2):
        return columns.compute()
