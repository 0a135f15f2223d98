"""What clients send of themselves: whichever comes first, the news of it or the value, waits for the other."""

from __future__ import annotations

import numpy as np

from restride.engine.messages import Await, Drop
from restride.engine.worker.awaited import KEPT_TICKS
from restride.engine.worker.state import WorkerState


def awaiting(worker: WorkerState, id: int, attempt: int = 1) -> None:
    worker.receive(Await(np.array([id]), np.array([attempt], np.int32)))


def reported(worker: WorkerState) -> list[tuple[int, int]]:
    finished, failed = worker.reports()
    assert not failed
    return [] if finished is None else list(zip(finished.ids.tolist(), finished.attempts.tolist()))


def test_a_value_that_comes_when_it_is_awaited_is_held_and_reported() -> None:
    worker = WorkerState(1, 0)
    awaiting(worker, 5, attempt=3)
    assert reported(worker) == []
    worker.delivered(5, "value", 10)
    assert reported(worker) == [(5, 3)]
    assert worker.store[5] == "value"


def test_a_value_that_comes_first_waits_until_it_is_awaited() -> None:
    worker = WorkerState(1, 0)
    worker.delivered(5, "value", 10)
    assert (reported(worker), 5 in worker.store) == ([], False)
    awaiting(worker, 5)
    assert reported(worker) == [(5, 1)]
    assert worker.store[5] == "value"


def test_a_value_that_comes_twice_is_taken_once() -> None:
    worker = WorkerState(1, 0)
    awaiting(worker, 5)
    worker.delivered(5, "value", 10)
    worker.delivered(5, "value", 10)
    assert reported(worker) == [(5, 1)]


def test_a_value_that_was_dropped_before_it_came_is_let_go() -> None:
    worker = WorkerState(1, 0)
    awaiting(worker, 5)
    worker.receive(Drop(np.array([5])))
    worker.delivered(5, "value", 10)
    awaiting(worker, 5, attempt=2)
    assert reported(worker) == []
    worker.delivered(5, "again", 10)
    assert reported(worker) == [(5, 2)]


def test_a_value_that_nobody_awaits_for_long_is_let_go() -> None:
    worker = WorkerState(1, 0)
    worker.delivered(5, "value", 10)
    for _ in range(KEPT_TICKS):
        worker.tick()
    worker.delivered(6, "later", 10)
    worker.tick()
    awaiting(worker, 5)
    awaiting(worker, 6)
    assert reported(worker) == [(6, 1)]


def test_a_value_that_cannot_be_made_here_has_failed() -> None:
    worker = WorkerState(1, 0)
    awaiting(worker, 5, attempt=2)
    worker.delivered(5, b"why", None)
    finished, (failure,) = worker.reports()
    assert finished is None
    assert (failure.id, failure.attempt, failure.exception) == (5, 2, b"why")
