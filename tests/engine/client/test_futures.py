"""Futures behave as those of concurrent.futures do; so do `wait` and `as_completed`."""

from __future__ import annotations

import concurrent.futures
import copy
import gc
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

import restride as rs

PATIENCE = 20.0


def fail(message: str) -> None:
    raise LookupError(message)


# ---- one future


def test_a_future_goes_from_pending_to_done(held: rs.Client, gate: Any) -> None:
    future = held.submit(abs, -2)
    assert (future.done(), future.cancelled(), future.status, repr(future)) == (
        False,
        False,
        "pending",
        "<Future: pending>",
    )
    gate.open.set()
    assert future.result(PATIENCE) == 2
    assert (future.done(), future.cancelled(), future.status) == (True, False, "done")
    assert future.exception() is None


def test_a_result_can_be_taken_many_times(client: rs.Client) -> None:
    future = client.submit(list, "ab")
    assert future.result(PATIENCE) is future.result(PATIENCE)


def test_a_future_that_failed_raises_and_tells(client: rs.Client) -> None:
    future = client.submit(fail, "gone")
    with pytest.raises(LookupError, match="gone"):
        future.result(PATIENCE)
    assert isinstance(future.exception(PATIENCE), LookupError)
    assert (future.done(), future.cancelled(), future.status) == (True, False, "failed")


@pytest.mark.parametrize("ask", [rs.Future.result, rs.Future.exception])
def test_a_wait_that_ends_too_early_is_a_timeout_and_the_task_goes_on(
    held: rs.Client, gate: Any, ask: Callable[..., object]
) -> None:
    future = held.submit(abs, -2)
    with pytest.raises(TimeoutError, match=r"did not come within 0.01 s; the task goes on") as raised:
        ask(future, 0.01)
    assert isinstance(raised.value, rs.WaitTimeoutError)
    gate.open.set()
    assert future.result(PATIENCE) == 2


def test_a_future_is_its_own_copy(client: rs.Client) -> None:
    future = client.submit(abs, -2)
    assert copy.copy(future) is future
    assert copy.deepcopy([future])[0] is future
    gc.collect()
    assert future.result(PATIENCE) == 2


# ---- cancelling


def test_a_task_that_is_cancelled_before_it_begins_never_runs(held: rs.Client, gate: Any) -> None:
    ran: list[int] = []
    future = held.submit(ran.append, 1)
    assert future.cancel()
    assert (future.done(), future.cancelled(), future.status) == (True, True, "cancelled")
    last = held.submit(abs, -1)
    gate.open.set()
    assert last.result(PATIENCE) == 1
    assert ran == []
    assert future.cancel()


@pytest.mark.parametrize("ask", [rs.Future.result, rs.Future.exception])
def test_a_cancelled_future_raises_as_in_concurrent_futures(
    held: rs.Client, ask: Callable[[rs.Future], object]
) -> None:
    future = held.submit(abs, -2)
    future.cancel()
    with pytest.raises(concurrent.futures.CancelledError, match="was cancelled") as raised:
        ask(future)
    assert isinstance(raised.value, rs.CancelledError)


def test_cancelling_wakes_whoever_waits(held: rs.Client, in_threads: Callable[..., list[object]]) -> None:
    future = held.submit(abs, -2)

    def wait_or_cancel(number: int) -> object:
        return future.cancel() if number == 0 else future.result(PATIENCE)

    cancelled, *waited = in_threads(wait_or_cancel, 3)
    assert cancelled is True
    assert all(isinstance(error, rs.CancelledError) for error in waited)


def test_what_is_done_or_has_failed_cannot_be_cancelled(client: rs.Client) -> None:
    done, failed = client.submit(abs, -2), client.submit(fail, "gone")
    rs.wait([done, failed], PATIENCE)
    assert not done.cancel()
    assert not failed.cancel()
    assert done.result(PATIENCE) == 2


def test_the_result_of_a_task_that_is_cancelled_as_it_runs_is_let_go(single: rs.Client, gate: Any) -> None:
    future = single.submit(gate)
    gate.wait_until_begun()
    assert future.cancel()
    gate.open.set()
    assert single.submit(abs, -2).result(PATIENCE) == 2
    with pytest.raises(rs.CancelledError):
        future.result()


def test_cancelling_one_future_leaves_those_that_need_it(held: rs.Client, gate: Any) -> None:
    g = rs.TaskGraph()
    first = g.add(abs, 1, params=[-2])
    g.add(lambda x: x + 1, 1, deps=([0, 1], first.ids))
    one, two = held.submit_graph(g, [0, 1])
    one.cancel()
    gate.open.set()
    assert two.result(PATIENCE) == 3


def test_a_call_with_a_cancelled_argument_is_cancelled_and_its_neighbours_are_not(held: rs.Client, gate: Any) -> None:
    g = rs.TaskGraph()
    g.add(abs, 1, params=[-2])
    (elsewhere,) = held.submit_graph(g, [0])
    beside = held.submit(abs, -3)
    elsewhere.cancel()
    beside.cancel()
    lost = [held.submit(abs, elsewhere), held.submit(sum, [1, beside])]
    lost.append(held.submit(abs, lost[0]))
    neighbour = held.submit(abs, -4)
    gate.open.set()
    assert neighbour.result(PATIENCE) == 4
    for future in lost:
        with pytest.raises(rs.CancelledError, match="among the arguments was cancelled"):
            future.result(PATIENCE)
    with pytest.raises(rs.CancelledError):
        held.submit(abs, lost[0]).result(PATIENCE)
    assert held.submit(abs, -5).result(PATIENCE) == 5


# ---- callbacks


def test_a_callback_is_called_with_the_future_once_it_is_done(client: rs.Client) -> None:
    called: list[rs.Future] = []
    ended = threading.Event()
    future = client.submit(abs, -2)
    future.add_done_callback(called.append)
    future.add_done_callback(lambda _: ended.set())
    assert ended.wait(PATIENCE)
    assert called == [future]
    future.add_done_callback(called.append)
    assert called == [future, future], "at once where it is done"


@pytest.mark.parametrize("end", ["done", "failed", "cancelled"])
def test_callbacks_are_called_however_a_future_ends(held: rs.Client, gate: Any, end: str) -> None:
    future = held.submit(fail, "gone") if end == "failed" else held.submit(abs, -2)
    states: list[str] = []
    ended = threading.Event()
    future.add_done_callback(lambda future: states.append(future.status))
    future.add_done_callback(lambda _: ended.set())
    if end == "cancelled":
        future.cancel()
    gate.open.set()
    assert ended.wait(PATIENCE)
    assert states == [end]


@pytest.mark.parametrize("error", [ValueError("of a callback"), SystemExit(3), KeyboardInterrupt()])
def test_what_a_callback_raises_is_logged_and_harms_nothing(
    held: rs.Client, gate: Any, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    def call(_: rs.Future) -> None:
        raise error

    ended = threading.Event()
    future = held.submit(abs, -2)
    future.add_done_callback(call)
    future.add_done_callback(lambda _: ended.set())
    with caplog.at_level(logging.ERROR, "restride"):
        gate.open.set()
        assert ended.wait(PATIENCE)
    assert [record.exc_info[1] for record in caplog.records if record.exc_info] == [error]
    assert held.submit(abs, -3).result(PATIENCE) == 3


def test_a_callback_is_called_even_if_nobody_keeps_the_future(single: rs.Client, gate: Any) -> None:
    called = threading.Event()
    g = rs.TaskGraph()
    g.add(gate, 1)
    single.submit_graph(g, [0])[0].add_done_callback(lambda _: called.set())
    gate.wait_until_begun()
    gc.collect()
    gate.open.set()
    assert called.wait(PATIENCE)


def test_a_callback_may_submit(client: rs.Client) -> None:
    following: list[rs.Future] = []
    ended = threading.Event()

    def follow(future: rs.Future) -> None:
        following.append(client.submit(abs, future))
        ended.set()

    client.submit(int, -3).add_done_callback(follow)
    assert ended.wait(PATIENCE)
    assert following[0].result(PATIENCE) == 3


def test_a_callback_may_wait_for_what_was_done_together_with_its_future(held: rs.Client, gate: Any) -> None:
    g = rs.TaskGraph()
    g.add(abs, 1, params=[-3])
    (one,), (two,) = held.submit_graph(g, [0]), held.submit_graph(g, [0])
    outcome: list[object] = []
    ended = threading.Event()

    def call(_: rs.Future) -> None:
        outcome.append(rs.wait([two], 1.0).done)
        ended.set()

    one.add_done_callback(call)
    gate.open.set()
    assert ended.wait(PATIENCE)
    assert outcome == [{two}]


# ---- wait and as_completed


def test_wait_waits_for_all(client: rs.Client) -> None:
    futures = client.map(abs, range(-5, 0))
    outcome = rs.wait(futures, PATIENCE)
    assert (outcome.done, outcome.not_done) == (set(futures), set())
    assert rs.wait([]) == (set(), set())


def test_wait_for_the_first_returns_before_the_others(single: rs.Client, gate: Any) -> None:
    first, late = single.submit(abs, -1), single.submit(gate)
    gate.wait_until_begun()
    done, not_done = rs.wait([late, first], PATIENCE, concurrent.futures.FIRST_COMPLETED)
    assert (done, not_done) == ({first}, {late})


def test_wait_for_the_first_exception_returns_at_it(single: rs.Client, gate: Any) -> None:
    good, bad, late = single.submit(abs, -1), single.submit(fail, "gone"), single.submit(gate)
    gate.wait_until_begun()
    done, not_done = rs.wait([late, good, bad], PATIENCE, concurrent.futures.FIRST_EXCEPTION)
    assert (done, not_done) == ({good, bad}, {late})


def test_wait_for_the_first_exception_waits_for_all_where_there_is_none(client: rs.Client) -> None:
    futures = client.map(abs, range(-5, 0))
    assert rs.wait(futures, PATIENCE, concurrent.futures.FIRST_EXCEPTION).done == set(futures)


def test_a_wait_that_ends_too_early_tells_what_is_not_done(held: rs.Client) -> None:
    futures = held.map(abs, range(-5, 0))
    assert rs.wait(futures, timeout=0.01) == (set(), set(futures))


def test_wait_refuses_an_unknown_end() -> None:
    with pytest.raises(ValueError, match=r"return_when must be .* got 'ANY'"):
        rs.wait([], return_when="ANY")


def test_as_completed_gives_each_once_as_it_is_done(held: rs.Client, gate: Any) -> None:
    cancelled, first, second = (held.submit(abs, -i) for i in (1, 2, 3))
    cancelled.cancel()
    completed = rs.as_completed([second, first, cancelled, first], PATIENCE)
    assert next(completed) is cancelled
    gate.open.set()
    assert set(completed) == {first, second}


def test_as_completed_raises_when_some_are_late(held: rs.Client, gate: Any) -> None:
    done, late = held.submit(abs, -1), held.submit(abs, -2)
    done.cancel()
    completed = rs.as_completed([done, late], timeout=0.01)
    assert next(completed) is done
    with pytest.raises(TimeoutError, match=r"1 of 2 futures were not done within 0.01 s"):
        next(completed)
    gate.open.set()
    assert late.result(PATIENCE) == 2


def test_as_completed_takes_futures_of_several_clients(client: rs.Client, threads: rs.Client) -> None:
    futures = [*client.map(abs, [-1, -2]), *threads.map(abs, [-3])]
    assert {future.result() for future in rs.as_completed(futures, PATIENCE)} == {1, 2, 3}


# ---- closing


def test_results_are_gone_once_the_client_is_closed() -> None:
    with rs.Client("inline") as client:
        future = client.submit(abs, -2)
    with pytest.raises(rs.ClosedError, match="take results before closing"):
        future.result()
    for use in (lambda: client.submit(abs, 1), lambda: client.get(rs.TaskGraph(), []), lambda: client.map(abs, [1])):
        with pytest.raises(RuntimeError, match="this client is closed; make a new one"):
            use()
