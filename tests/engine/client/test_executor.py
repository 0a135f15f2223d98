"""A client as an executor of concurrent.futures."""

from __future__ import annotations

import concurrent.futures
import threading
import time
import weakref
from typing import Any

import pytest

import restride as rs

PATIENCE = 20.0


def fail(message: str) -> None:
    raise LookupError(message)


def test_submit_gives_futures_of_concurrent_futures(client: rs.Client) -> None:
    with client.get_executor() as executor:
        future = executor.submit(pow, 2, exp=5)
        assert isinstance(future, concurrent.futures.Future)
        assert future.result(PATIENCE) == 32
        assert concurrent.futures.wait([future]).done == {future}


def test_what_a_call_raises_its_future_raises(client: rs.Client) -> None:
    with client.get_executor() as executor:
        future = executor.submit(fail, "gone")
        assert isinstance(future.exception(PATIENCE), LookupError)
        with pytest.raises(LookupError, match="gone"):
            future.result(PATIENCE)


@pytest.mark.parametrize("chunksize", [1, 3, 100])
def test_map_gives_results_in_order_up_to_the_shortest_iterable(client: rs.Client, chunksize: int) -> None:
    with client.get_executor() as executor:
        results = executor.map(pow, range(10), iter([2] * 8), chunksize=chunksize)
        assert list(results) == [i * i for i in range(8)]


def test_map_raises_where_a_call_did(client: rs.Client) -> None:
    with client.get_executor() as executor:
        results = executor.map(divmod, [4, 1, 2], [2, 0, 1])
        assert next(results) == (2, 0)
        with pytest.raises(ZeroDivisionError):
            next(results)


def test_map_ends_in_a_timeout(held: rs.Client) -> None:
    executor = held.get_executor()
    results = executor.map(abs, [-1], timeout=0.01)
    with pytest.raises(TimeoutError):
        next(results)


def test_a_future_that_is_cancelled_does_not_run(held: rs.Client, gate: Any) -> None:
    ran: list[int] = []
    with held.get_executor() as executor:
        future = executor.submit(ran.append, 1)
        assert future.cancel()
        gate.open.set()
        assert executor.submit(abs, -1).result(PATIENCE) == 1
    assert future.cancelled()
    assert ran == []


def test_after_shutdown_nothing_can_be_submitted_and_the_client_goes_on(client: rs.Client) -> None:
    executor = client.get_executor()
    future = executor.submit(abs, -2)
    executor.shutdown()
    assert future.done()
    for submit in (lambda: executor.submit(abs, 1), lambda: executor.map(abs, [1])):
        with pytest.raises(RuntimeError, match="after shutdown"):
            submit()
    assert client.submit(abs, -3).result(PATIENCE) == 3


def test_shutdown_waits_for_what_runs_and_cancels_what_does_not_if_told_to(held: rs.Client, gate: Any) -> None:
    executor = held.get_executor()
    waiting = [executor.submit(abs, -i) for i in range(3)]
    executor.shutdown(wait=False)
    assert not any(future.done() for future in waiting)
    other = held.get_executor()
    dropped = [other.submit(abs, -i) for i in range(3)]
    other.shutdown(cancel_futures=True)
    assert all(future.cancelled() for future in dropped)
    gate.open.set()
    assert [future.result(PATIENCE) for future in waiting] == [0, 1, 2]


def test_results_that_nobody_holds_are_let_go(near: rs.Client) -> None:
    class Tracked:
        def __init__(self) -> None:
            weakref.finalize(self, ended.set)

    ended = threading.Event()
    with near.get_executor() as executor:
        executor.submit(Tracked).result(PATIENCE)
        assert ended.wait(PATIENCE)


def test_options_are_those_of_submit(near: rs.Client) -> None:
    tries: list[int] = []

    def sometimes() -> int:
        tries.append(1)
        if len(tries) < 3:
            raise ValueError("again")
        return len(tries)

    with near.get_executor(retries=2) as executor:
        assert executor.submit(sometimes).result(PATIENCE) == 3
    with pytest.raises(TypeError, match="unexpected keyword"):
        near.get_executor(tries=3)


def test_a_chunk_must_hold_a_call(client: rs.Client) -> None:
    with client.get_executor() as executor, pytest.raises(ValueError, match="at least 1"):
        executor.map(abs, [1], chunksize=0)


def test_the_event_that_ends_a_wait_is_set_by_the_result(client: rs.Client) -> None:
    ended = threading.Event()
    with client.get_executor() as executor:
        executor.submit(time.monotonic).add_done_callback(lambda _: ended.set())
        assert ended.wait(PATIENCE)
