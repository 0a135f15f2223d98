"""Profiling: where the time of a computation goes, the engine's own included."""

from __future__ import annotations

import cProfile
import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def profile(path: str | os.PathLike[str]) -> Iterator[cProfile.Profile]:
    """Write a profile of what the calling thread does within the block.

    With ``Client("inline")`` that is the tasks and the engine; with ``Client("loop")`` it is the distributed engine as
    well: scheduler, workers and client in one thread.

    Parameters
    ----------
    path : path-like
        File to write, in cProfile's format: for snakeviz, or ``python -m pstats``.

    Examples
    --------
    >>> import pstats, tempfile
    >>> import restride as rs
    >>> with tempfile.TemporaryDirectory() as folder, rs.Client("inline") as client:
    ...     with rs.profile(folder + "/profile"):
    ...         squares = client.gather(client.map(pow, range(100), [2] * 100))
    ...     pstats.Stats(folder + "/profile").total_calls > 1000
    True
    """
    profiler = cProfile.Profile()
    profiler.enable()
    try:
        yield profiler
    finally:
        profiler.disable()
        profiler.dump_stats(path)
