"""BLAS pools held to one thread while tasks run: the tasks themselves are what runs in parallel.

The limit is the process's, as BLAS knows no other, so it stands only while compute threads are at work: what a user's
own numpy does between computations has all cores. Raising and lowering it costs 15 µs.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from typing import Any

from threadpoolctl import ThreadpoolController


class BlasLimit:
    """Counts who is at work; not safe to call from several threads at once."""

    def __init__(self) -> None:
        self._busy = 0
        self._modules = 0
        self._controller: ThreadpoolController | None = None
        self._limit: AbstractContextManager[Any] | None = None

    def enter(self) -> None:
        """Somebody begins to work."""
        self._busy += 1
        if self._busy == 1:
            if self._controller is None or self._modules != len(sys.modules):  # a library may have come with a pool
                self._controller, self._modules = ThreadpoolController(), len(sys.modules)
            self._limit = self._controller.limit(limits=1, user_api="blas")
            self._limit.__enter__()

    def leave(self) -> None:
        """Somebody has nothing to do."""
        self._busy -= 1
        if self._busy == 0 and self._limit is not None:
            self._limit.__exit__(None, None, None)
            self._limit = None
