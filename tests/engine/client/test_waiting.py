"""Waits of callers: they end when they should, and wake now and then, for interrupts that came as they fell asleep."""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue
from time import monotonic

import pytest

from restride.engine.client.waiting import SLEEP_SECONDS, Over, get_by

PATIENCE = 20.0


class Lock:
    """Locked for so many tries; how long each would have waited."""

    def __init__(self, tries: int) -> None:
        self.tries, self.waits = tries, list[float]()

    def acquire(self, timeout: float) -> bool:
        self.waits.append(timeout)
        return len(self.waits) > self.tries


def test_a_wait_for_something_ends_when_it_happens() -> None:
    over = Over()
    assert not over.is_set()
    thread = threading.Thread(target=over.set)
    thread.start()
    assert over.wait(PATIENCE)
    thread.join()
    over.set()
    assert over.wait()
    assert over.wait_until(0.0)
    assert over.is_set()


@pytest.mark.parametrize("timeout", [-1.0, 0.0, 0.01])
def test_a_wait_for_what_does_not_happen_ends_in_time(timeout: float) -> None:
    assert not Over().wait(timeout)
    with pytest.raises(Empty):
        get_by(SimpleQueue(), monotonic() + timeout)


@pytest.mark.parametrize("timeout", [None, 1e9])
def test_no_sleep_is_long_however_long_the_wait(monkeypatch: pytest.MonkeyPatch, timeout: float | None) -> None:
    over, lock = Over(), Lock(5)
    monkeypatch.setattr(over, "_unlocked", lock)
    over.wait(timeout)
    assert lock.waits == [SLEEP_SECONDS] * 6


def test_what_comes_into_a_queue_late_is_taken() -> None:
    queue: SimpleQueue[int] = SimpleQueue()
    timer = threading.Timer(1.2 * SLEEP_SECONDS, queue.put, [7])
    timer.start()
    assert get_by(queue, None) == 7
    timer.join()
