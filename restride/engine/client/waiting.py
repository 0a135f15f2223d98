"""Waits of callers for what other threads do, which Ctrl-C ends at any moment.

An interrupt that comes just as the main thread goes to sleep at a lock is not seen before it wakes, so it wakes once in
a while. And it may break a `threading.Event` in the middle, so these are bare locks.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TypeVar

SLEEP_SECONDS = 0.5
"""How long a caller sleeps at most before it looks for interrupts."""

T = TypeVar("T")


class Over:
    """Something that happens once, and that one thread waits for: a `threading.Event` at a fourth of the cost."""

    __slots__ = ("_over", "_unlocked")

    def __init__(self) -> None:
        self._over = False
        self._unlocked = threading.Lock()
        self._unlocked.acquire()

    def set(self) -> None:
        """It has happened."""
        self._over = True
        with suppress(RuntimeError):  # it was set before
            self._unlocked.release()

    def is_set(self) -> bool:
        """Whether it has happened."""
        return self._over

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it happens, or for so many seconds; whether it has happened."""
        return self._over or self.wait_until(None if timeout is None else monotonic() + timeout)

    def wait_until(self, deadline: float | None) -> bool:
        """The same until a time of `time.monotonic`."""
        while not self._over and not self._unlocked.acquire(timeout=_next_sleep(deadline)):
            if deadline is not None and monotonic() >= deadline:
                break
        return self._over


def get_by(queue: SimpleQueue[T], deadline: float | None) -> T:
    """Take from a queue, once something is there.

    Raises
    ------
    Empty
        Nothing is by the deadline.
    """
    while True:
        try:
            return queue.get(timeout=_next_sleep(deadline))
        except Empty:
            if deadline is not None and monotonic() >= deadline:
                raise


def _next_sleep(deadline: float | None) -> float:
    return SLEEP_SECONDS if deadline is None else min(max(deadline - monotonic(), 0.0), SLEEP_SECONDS)
