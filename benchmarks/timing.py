"""Time several contenders alternately in one process, so that what disturbs one disturbs all."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


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


def repeated(contender: Callable[[], object], repeat: int = 5, limit: float = 10.0) -> Timing:
    """Run one contender by itself, `repeat` times, or fewer: no more once `limit` seconds have passed."""
    gc.collect()
    seconds: list[float] = []
    end = time.perf_counter() + limit
    while len(seconds) < repeat and (not seconds or time.perf_counter() < end):
        start = time.perf_counter()
        contender()
        seconds.append(time.perf_counter() - start)
    return Timing(tuple(seconds))


def comparison(taken: Mapping[str, Timing], **columns: object) -> list[dict[str, Any]]:
    """A row a contender, with what the time of restride, one of them, is as a part of its own."""
    ours = taken["restride"].best
    return [
        {
            "contender": name,
            **columns,
            "best s": timing.best,
            "median s": timing.median,
            "restride's time as a part": ours / timing.best,
        }
        for name, timing in taken.items()
    ]
