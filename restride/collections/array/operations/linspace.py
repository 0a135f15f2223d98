"""Numbers at equal distances from one to another, exact at both ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from restride.collections.array.chunks import block_bounds
from restride.collections.array.operations.sources import Source
from restride.engine.graphs.graph import Params


@dataclass(frozen=True, eq=False, repr=False)
class Linspace(Source):
    """``start + i * (stop - start) / steps`` for each ``i``; the last is `stop` itself where there are so many."""

    start: Any
    stop: Any
    steps: int
    source_dtype: np.dtype

    def _dtype(self) -> np.dtype:
        return self.source_dtype

    def kernel(self) -> LinspaceBlock:
        return LinspaceBlock(self.start, self.stop, self.steps, self.source_dtype)

    def params(self) -> Params:
        return block_bounds(self.chunks)


class LinspaceBlock:
    """Kernel: a run of numbers at equal distances, given the first's place and the one after the last's."""

    __name__ = "linspace"

    def __init__(self, start: Any, stop: Any, steps: int, dtype: np.dtype) -> None:
        self.start, self.stop, self.steps, self.dtype = start, stop, steps, dtype

    def __call__(self, bounds: list[int]) -> Any:
        first, after = bounds
        distance = self.stop - self.start
        step = distance / self.steps if self.steps else distance
        places = np.arange(first, after, dtype=np.result_type(distance, 0.0))
        numbers = (places * step if step else places / max(self.steps, 1) * distance) + self.start
        if first <= self.steps < after and self.steps:
            numbers[self.steps - first] = self.stop
        return (np.floor(numbers) if self.dtype.kind in "iu" else numbers).astype(self.dtype, copy=False)
