"""Time several contenders alternately in one process, so that what disturbs one disturbs all."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """What one contender took, in seconds, run by run."""

    seconds: tuple[float, ...]

    @property
    def best(self) -> float:
        return min(self.seconds)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def alternate(contenders: Mapping[str, Callable[[], object]], repeat: int = 5) -> dict[str, Timing]:
    """Run each contender `repeat` times, in turn: a, b, c, a, b, c, ...

    Parameters
    ----------
    contenders : mapping of str to callable
        Called without arguments; what a call returns is dropped after its time was taken.
    repeat : int
        How many rounds, at least 1.

    Returns
    -------
    dict of str to Timing
        In the order of `contenders`.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(repeat):
        for name, contender in contenders.items():
            gc.collect()  # nobody pays for the garbage of the one before
            start = time.perf_counter()
            result = contender()
            seconds[name].append(time.perf_counter() - start)
            del result
    return {name: Timing(tuple(taken)) for name, taken in seconds.items()}
