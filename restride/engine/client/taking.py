"""Taking outputs from workers as they come to exist, and letting go of each at once.

So what is made of them, as one large array of many blocks, takes shape while tasks still run; and neither the workers
nor the client have all outputs in memory beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

import numpy as np

from restride.engine.client.engine import Engine
from restride.engine.client.futures import raise_failure
from restride.engine.client.submission import Submission
from restride.engine.client.waiting import Over
from restride.engine.graphs.csr import Ints
from restride.engine.worker.sizes import size_of
from restride.errors import CancelledError

BATCH_BYTES = 32 * 2**20
"""About what is fetched at once."""
FIRST_BATCH = 4
"""How many outputs are fetched at once while nothing is known of their sizes."""


class Taking:
    """Takes all outputs of a submission.

    Parameters
    ----------
    engine : Engine
    submission : Submission
    take : callable
        ``take(position, output)``, in the order in which outputs come.
    """

    def __init__(self, engine: Engine, submission: Submission, take: Callable[[int, Any], None]) -> None:
        self._engine, self._submission, self._take = engine, submission, take
        self._left = np.ones(submission.count, bool)
        self._most = FIRST_BATCH

    @property
    def left(self) -> list[int]:
        """Positions of what has not been let go of."""
        return np.flatnonzero(self._left).tolist()

    def wait(self, timeout: float | None = None) -> bool:
        """Take outputs until all are taken, or for so many seconds; whether all are.

        Raises
        ------
        Exception
            What a task raised.
        CancelledError
            The computation was cancelled.
        """
        deadline = None if timeout is None else monotonic() + timeout
        while self._left.any():
            come = self._next(deadline)
            if not len(come):
                return False
            self._take_some(come[: self._most].tolist())
            if deadline is not None and monotonic() > deadline:
                break
        return not self._left.any()

    def _take_some(self, positions: list[int]) -> None:
        nbytes = 0
        for position, output in zip(positions, self._engine.fetch(self._submission, positions)):
            size = size_of(output)
            nbytes += size if type(size) is int else size[0]  # type: ignore[index]
            self._take(position, output)
        self._left[positions] = False
        self._engine.release(self._submission, positions)
        fit = BATCH_BYTES * len(positions) // max(nbytes, 1)
        self._most = max(min(fit, 4 * self._most), 1)

    def _next(self, deadline: float | None) -> Ints:
        """Positions of outputs that have come and are left; waits for one at least, but not beyond a deadline."""
        while True:
            news = Over()
            self._submission.call_at_news(news.set)
            failure = self._submission.first_failure()
            if failure is not None:
                raise_failure(failure)
            if self._submission.abandoned:
                raise self._submission.abandoned
            come = np.flatnonzero(self._left & self._submission.come())
            left = None if deadline is None else deadline - monotonic()
            if len(come) or (left is not None and left <= 0):
                return come
            if not self._submission.pending:
                raise CancelledError("the computation was cancelled")
            with self._engine.blocking(news.is_set, left):
                news.wait(left)
