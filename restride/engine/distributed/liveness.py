"""The page of memory in which a worker shows its nanny that it lives and what it runs, without a message.

A worker whose task holds the GIL cannot say anything, and one that was killed could not say what it was at: the nanny
reads both from here.
"""

from __future__ import annotations

import mmap
import os
import sys
import tempfile
import time
from typing import Self

import numpy as np

from restride.engine.graphs.csr import Ints

NO_TASK = -(2**63)
"""In the place of a thread that runs no task."""


class LivenessPage:
    """Shared by a nanny, which makes it, and a worker, which writes to it.

    `view` holds int64s: first the time of the worker's last breath (`time.monotonic_ns`), then for each of its threads
    the id of the task that it runs.

    Parameters
    ----------
    file : int
        Descriptor of the shared memory, which the page owns from now on.
    """

    def __init__(self, file: int) -> None:
        self.file = file
        self._map = mmap.mmap(file, os.fstat(file).st_size)
        self.view: memoryview[int] = memoryview(self._map).cast("q")

    @classmethod
    def create(cls, threads: int) -> Self:
        """Make one for a worker of so many threads; of one where its loop itself computes."""
        if sys.platform == "linux":
            file = os.memfd_create("restride-liveness")
        else:
            with tempfile.TemporaryFile() as temporary:
                file = os.dup(temporary.fileno())
        os.ftruncate(file, 8 * (1 + max(threads, 1)))
        page = cls(file)
        page.view[0] = time.monotonic_ns()
        for thread in range(1, len(page.view)):
            page.view[thread] = NO_TASK
        return page

    def close(self) -> None:
        """Let go of the memory."""
        self.view.release()
        self._map.close()
        os.close(self.file)

    @property
    def running(self) -> Ints:
        """Ids of the tasks that the threads are at, int64[k]."""
        return np.array([task for task in self.view[1:] if task != NO_TASK], np.int64)

    @property
    def seconds_since_breath(self) -> float:
        """Seconds since the worker's loop last said that it runs."""
        return (time.monotonic_ns() - self.view[0]) / 1e9
