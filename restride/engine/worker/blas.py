"""BLAS pools held to one thread while tasks run: the tasks themselves are what runs in parallel.

The limit is the process's, as BLAS knows no other, so it stands only while compute threads are at work: what a user's
own numpy does between computations has all cores. Setting and lifting it takes 2 µs; threadpoolctl's own context
manager, which also reports on every library, takes 15 µs.
"""

from __future__ import annotations

import sys

from threadpoolctl import LibController, ThreadpoolController


class BlasLimit:
    """Counts who is at work; not safe to call from several threads at once."""

    def __init__(self) -> None:
        self._busy = 0
        self._modules = 0
        self._pools: list[LibController] = []
        self._threads: list[int] = []
        """How many threads each pool has otherwise."""

    def enter(self) -> None:
        """Somebody begins to work."""
        self._busy += 1
        if self._busy == 1:
            if self._modules != len(sys.modules):  # a library may have come with a pool
                self._modules = len(sys.modules)
                self._pools = [pool for pool in ThreadpoolController().lib_controllers if pool.user_api == "blas"]
            self._threads = [pool.get_num_threads() for pool in self._pools]
            for pool in self._pools:
                pool.set_num_threads(1)

    def leave(self) -> None:
        """Somebody has nothing to do."""
        self._busy -= 1
        if self._busy == 0:
            for pool, threads in zip(self._pools, self._threads):
                pool.set_num_threads(threads)
