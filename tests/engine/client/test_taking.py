"""Outputs taken one by one as they come: each once, in its place, and let go of at once."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import restride as rs
from restride.engine.client import taking
from restride.engine.client.submission import Submission
from restride.engine.client.taking import Taking
from restride.engine.graphs.graph import TaskGraph
from restride.engine.graphs.options import Options
from restride.engine.messages import Done
from restride.errors import CancelledError

PATIENCE = 20.0


def squares(n: int) -> TaskGraph:
    graph = TaskGraph()
    graph.add(square, n, params=list(range(n)))
    return graph


def square(n: int) -> Any:
    if n < 0:
        raise ValueError(f"no square of {n}")
    return np.full(1000, n * n)


def test_each_output_comes_once_for_every_place_that_asks_for_it(client: rs.Client) -> None:
    taken: dict[int, int] = {}

    def take(place: int, output: Any) -> None:
        assert place not in taken
        taken[place] = int(output[0])

    client.take_outputs(squares(20), [3, 19, 3, 0, 7], Options(), take)
    assert taken == {0: 9, 1: 361, 2: 9, 3: 0, 4: 49}


def test_outputs_of_earlier_computations_come_too(client: rs.Client) -> None:
    (future,) = client.submit_graph(squares(3), [2])
    graph = TaskGraph()
    ids = graph.add_futures([future]).ids
    ids = [*ids.tolist(), *graph.add(square, 1, params=[5]).ids.tolist()]
    taken: dict[int, int] = {}
    client.take_outputs(graph, ids, Options(), lambda place, output: taken.update({place: int(output[0])}))
    assert taken == {0: 4, 1: 25}


def test_an_exception_of_a_task_is_raised(client: rs.Client) -> None:
    graph = TaskGraph()
    graph.add(square, 3, params=[1, -1, 2])
    with pytest.raises(ValueError, match="no square of -1"):
        client.take_outputs(graph, [0, 1, 2], Options(), lambda place, output: None)


def test_an_exception_of_who_takes_is_raised_and_nothing_is_kept(client: rs.Client) -> None:
    def take(place: int, output: Any) -> None:
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        client.take_outputs(squares(4), range(4), Options(), take)
    assert client.get(squares(1), [0])[0][0] == 0, "the client goes on"


class EngineOfTest:
    """Holds outputs of 100 bytes, and says what was asked of it."""

    def __init__(self) -> None:
        self.fetched: list[list[int]] = []
        self.released: list[int] = []

    def fetch(self, submission: Submission, positions: list[int]) -> list[Any]:
        assert not set(positions) & set(self.released)
        self.fetched.append(positions)
        return [np.full(100, position, np.uint8) for position in positions]

    def release(self, submission: Submission, positions: list[int]) -> None:
        self.released += positions

    def blocking(self, over: Any) -> Any:
        raise AssertionError("all has come: there is nothing to wait for")


def finished(n: int) -> Submission:
    submission = Submission()
    submission.adopt(0, np.arange(n))
    submission.hear(Done(0, np.arange(n), np.zeros(n, np.int32), np.zeros(0, np.int64), []))
    return submission


def test_no_more_is_fetched_at_once_than_a_batch_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "BATCH_BYTES", 1000)
    engine: Any = EngineOfTest()
    taken: list[int] = []
    Taking(engine, finished(40), lambda position, output: taken.append(position)).wait()
    assert taken == engine.released == list(range(40))
    assert [len(positions) for positions in engine.fetched] == [taking.FIRST_BATCH, 10, 10, 10, 6]


def test_what_is_larger_than_a_batch_comes_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "BATCH_BYTES", 10)
    engine: Any = EngineOfTest()
    Taking(engine, finished(7), lambda position, output: None).wait()
    assert [len(positions) for positions in engine.fetched] == [taking.FIRST_BATCH, 1, 1, 1]


def test_what_has_not_been_taken_is_left() -> None:
    engine: Any = EngineOfTest()
    stopped = Taking(engine, finished(6), lambda position, output: 1 / (position < 5))
    with pytest.raises(ZeroDivisionError):
        stopped.wait()
    assert engine.released == [0, 1, 2, 3]
    assert stopped.left == [4, 5]


def test_a_computation_that_is_cancelled_meanwhile_is_no_longer_waited_for() -> None:
    submission = Submission()
    submission.adopt(0, np.arange(2))
    submission.cancel(0)
    submission.cancel(1)
    engine: Any = EngineOfTest()
    taking = Taking(engine, submission, lambda position, output: None)
    with pytest.raises(CancelledError):
        taking.wait()


def test_tasks_still_run_while_outputs_are_taken(near: rs.Client) -> None:
    if not near.threads > 1:
        pytest.skip("one thread cannot do both")
    first_is_here = threading.Event()

    def task(n: int) -> int:
        assert n == 0 or first_is_here.wait(PATIENCE)
        return n

    graph = TaskGraph()
    # Under a name of its own: what is known to be short is run in batches.
    graph.add(task, 2, params=[0, 1], name="first-is-here")
    near.take_outputs(graph, [0, 1], Options(), lambda place, output: first_is_here.set())
