"""Tasks as a worker has them, in columns: an object a task is what garbage collection dwells on."""

from __future__ import annotations

import numpy as np

from restride.engine.messages import Place
from restride.engine.scheduler.numbering import is_nested
from restride.engine.worker.kernels import Kernel

NESTED = -1
"""Stands for the clients of nested jobs, as these take no turns."""


class PlacedRun:
    """Tasks that were placed together; a row each."""

    __slots__ = (
        "at", "attempts", "client", "copies", "copies_indptr", "deps", "first", "indptr", "kernels", "params", "wanted"
    )  # fmt: skip

    def __init__(self, message: Place, kernels: dict[int, Kernel]) -> None:
        ids = message.ids
        self.first = int(ids[0])
        self.client = NESTED if is_nested(self.first) else message.client
        self.at: dict[int, int] | None = None
        """Which row of the run a task is; where there are no gaps, by its distance from the first."""
        if int(ids[-1]) - self.first >= len(ids):
            self.at = dict(zip(ids.tolist(), range(len(ids))))
        self.attempts: list[int] = message.attempts.tolist()
        self.kernels = list(map(kernels.__getitem__, message.layers.tolist()))
        self.params = message.params
        self.indptr: list[int] = message.indptr.tolist()
        self.deps: list[int] = message.deps.tolist()
        self.copies: list[int] = []
        """Those of the dependencies that other workers hold, or will hold, as CSR with `copies_indptr`."""
        self.copies_indptr: list[int] = []
        self.wanted: list[bool] | None = None
        """Of each row: whether a client holds its output; None where that is no matter, or there are none."""

    def note_homes(self, message: Place, number: int) -> list[int]:
        """Find the dependencies that are not those of worker `number`; their homes."""
        if message.wanted.any():
            self.wanted = message.wanted.tolist()
        foreign = message.homes != number
        if not foreign.any():
            return []
        before = np.zeros(len(foreign) + 1, np.int64)
        np.cumsum(foreign, out=before[1:])
        self.copies_indptr = before[message.indptr].tolist()
        self.copies = message.deps[foreign].tolist()
        homes: list[int] = message.homes[foreign].tolist()
        return homes

    def row(self, id: int) -> int:
        """Which row of the run a task is."""
        return id - self.first if self.at is None else self.at[id]

    def deps_of(self, row: int) -> list[int]:
        """Ids of the dependencies of a row."""
        return self.deps[self.indptr[row] : self.indptr[row + 1]]

    def copies_of(self, row: int) -> list[int]:
        """Those of them that are other workers'."""
        return self.copies[self.copies_indptr[row] : self.copies_indptr[row + 1]] if self.copies else []
