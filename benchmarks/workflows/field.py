"""Synthetic measurements on a grid: an object that can be sliced, and makes the values of a slice when it is read.

Reading costs about as much as copying, is the same for all systems, and needs no disk. A field is some bytes when it
travels to another process.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

STEPS = 97, 31
"""How far the noise moves on from map to map, and from row to row."""


class Field:
    """Maps in time, ``[time, latitude, longitude]``: waves of a year, stronger to the north, and noise.

    Parameters
    ----------
    shape : three ints
    dtype : dtype
        Floats are temperatures, around 280; integers are counts, between 0 and 10,000.
    seed : int
        Fields of other seeds have other noise.
    """

    ndim = 3

    def __init__(self, shape: Sequence[int], dtype: DTypeLike = np.float32, seed: int = 0) -> None:
        self.shape = tuple(shape)
        self.dtype = np.dtype(dtype)
        self.seed = seed

    def __getitem__(self, where: tuple[slice | int, ...]) -> NDArray[Any]:
        """Values of a box; `where` has a slice of step 1, or an integer, for each axis."""
        slices = [cut for cut in where if isinstance(cut, slice)]
        if len(slices) < self.ndim:
            box = self[tuple(cut if isinstance(cut, slice) else slice(cut, cut + 1) for cut in where)]
            return box[tuple(0 if isinstance(cut, int) else slice(None) for cut in where)]
        return self._box(*(slice(*cut.indices(n)) for cut, n in zip(slices, self.shape)))

    def _box(self, times: slice, rows: slice, columns: slice) -> NDArray[Any]:
        (t, t_end), (y, y_end), (x, x_end) = ((cut.start, cut.stop) for cut in (times, rows, columns))
        noise = self._noise()
        first = t * STEPS[0] + y * STEPS[1] + x
        box = np.lib.stride_tricks.as_strided(
            noise[first:],
            (t_end - t, y_end - y, x_end - x),
            tuple(step * self.dtype.itemsize for step in (*STEPS, 1)),
            writeable=False,
        )
        if self.dtype.kind in "iu":
            return box.copy()
        season = np.cos(np.arange(t, t_end, dtype=self.dtype) * np.array(2 * np.pi / 365, self.dtype))
        north = np.linspace(1, 20, self.shape[1], dtype=self.dtype)[y:y_end]
        return box + (season[:, None] * north)[:, :, None]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return self[:, :, :].astype(dtype or self.dtype, copy=False)

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        return type(self).__name__, self.shape, self.dtype.str, self.seed

    def _noise(self) -> NDArray[Any]:
        times, rows, columns = self.shape
        return _noise(times * STEPS[0] + rows * STEPS[1] + columns, self.dtype, self.seed)


@cache
def _noise(length: int, dtype: np.dtype, seed: int) -> NDArray[Any]:
    random = np.random.default_rng(seed)
    if dtype.kind in "iu":
        return random.integers(0, 10_000, length).astype(dtype)
    return random.normal(280, 2, length).astype(dtype)
