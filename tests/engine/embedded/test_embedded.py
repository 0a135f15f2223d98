"""The engine's threads: they end when the client is closed, whatever is under way, and outlive what goes wrong."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import restride as rs
from restride.engine.scheduler.state import SchedulerState
from restride.engine.worker import compute_threads
from tests.garbage import collected

PATIENCE = 20.0


def engine_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("restride-compute")}


def in_background(function: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    return thread


def end(thread: threading.Thread) -> bool:
    thread.join(PATIENCE)
    return not thread.is_alive()


def test_a_closed_client_leaves_no_thread_behind() -> None:
    before = engine_threads()
    client = rs.Client(threads=3)
    client.gather(client.map(abs, range(100)))
    assert len(engine_threads() - before) == 3
    client.close()
    assert engine_threads() == before
    client.close()


def test_an_inline_client_has_no_threads() -> None:
    before = set(threading.enumerate())
    with rs.Client("inline") as client:
        ran_in = client.submit(threading.current_thread).result()
        assert ran_in is threading.current_thread()
        assert set(threading.enumerate()) == before


def test_a_client_that_nobody_holds_ends_its_threads() -> None:
    before = engine_threads()
    client = rs.Client(threads=2)
    client.gather(client.map(abs, range(10)))
    own = engine_threads() - before
    del client
    assert collected(lambda: not any(thread.is_alive() for thread in own))


def test_closing_waits_for_the_task_that_runs_and_cancels_what_has_not_begun(gate: Any) -> None:
    client = rs.Client(threads=1)
    ran: list[int] = []
    running = client.submit(gate)
    gate.wait_until_begun()
    waiting = client.map(ran.append, range(10))
    closing = in_background(client.close)
    with pytest.raises(rs.ClosedError, match="closed before the result came"):
        waiting[0].result(PATIENCE)
    assert closing.is_alive()
    gate.open.set()
    assert end(closing)
    with pytest.raises(rs.ClosedError):
        running.result(PATIENCE)
    assert waiting[9].cancelled()
    assert ran == []


def test_closing_wakes_whoever_waits(gate: Any) -> None:
    client = rs.Client(threads=1)
    errors: list[BaseException] = []

    def get() -> None:
        g = rs.TaskGraph()
        g.add(gate, 1)
        with pytest.raises(rs.ClosedError) as raised:
            client.get(g, [0])
        errors.append(raised.value)

    waiter = in_background(get)
    gate.wait_until_begun()
    closing = in_background(client.close)
    assert end(waiter)
    gate.open.set()
    assert end(closing)
    assert len(errors) == 1


def test_closing_does_not_wait_for_tasks_that_wait_for_others(gate: Any) -> None:
    client = rs.Client(threads=1)
    errors: list[BaseException] = []
    waits = threading.Event()

    def task() -> None:
        blocker, never = client.submit(gate), client.submit(abs, -1)
        waits.set()
        with pytest.raises(rs.ClosedError) as raised:
            client.gather([blocker, never])
        errors.append(raised.value)

    waiting = client.submit(task)
    gate.wait_until_begun()
    assert waits.wait(PATIENCE)
    closing = in_background(client.close)
    gate.open.set()
    assert end(closing)
    assert waiting.cancelled()
    assert len(errors) == 1


def test_a_task_may_close_its_client() -> None:
    before = engine_threads()
    client = rs.Client(threads=2)
    own = engine_threads() - before
    closed = threading.Event()
    closing = client.submit(lambda: (client.close(), closed.set()))
    assert closed.wait(PATIENCE)
    assert closing.cancelled()
    assert all(end(thread) for thread in own)


def use_until_it_fails(client: rs.Client, begun: threading.Event, errors: list[BaseException]) -> None:
    try:
        while True:
            assert client.submit(abs, -1).result(PATIENCE) == 1
            begun.set()
    except rs.RestrideError as error:
        errors.append(error)


def test_what_is_submitted_as_the_client_closes_ends_one_way_or_the_other() -> None:
    for _ in range(30):
        client = rs.Client(threads=1)
        begun = threading.Event()
        errors: list[BaseException] = []
        user = in_background(partial(use_until_it_fails, client, begun, errors))
        assert begun.wait(PATIENCE)
        client.close()
        assert end(user)
        assert [type(error) for error in errors] == [rs.ClosedError]


def test_a_fault_of_the_engine_itself_is_told_and_it_begins_anew(
    near: rs.Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    done = near.submit(abs, -1)
    assert done.result(PATIENCE) == 1
    monkeypatch.setattr(SchedulerState, "submit", lambda *_, **__: 1 / 0)
    with caplog.at_level(logging.ERROR, "restride"):
        future = near.submit(abs, -2)
        with pytest.raises(rs.InternalError, match=r"the engine has failed \(ZeroDivisionError.*please report it"):
            future.result(PATIENCE)
    assert any("begins anew" in record.message for record in caplog.records)
    monkeypatch.undo()
    assert near.submit(abs, -3).result(PATIENCE) == 3
    with pytest.raises(rs.InternalError):
        done.result()


def test_a_fault_in_a_compute_thread_is_told_and_the_thread_lives_on(
    threads: rs.Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run_claimed = compute_threads.run_claimed

    def fault(worker: object, *rest: Any) -> None:
        if worker is not threads._engine.worker:  # some other client's
            return run_claimed(worker, *rest)  # type: ignore[arg-type]
        raise ZeroDivisionError

    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR, "restride"):
        patch.setattr(compute_threads, "run_claimed", fault)  # in every thread, as others may take the task over
        with pytest.raises(rs.InternalError, match="ZeroDivisionError"):
            threads.submit(abs, -1).result(PATIENCE)
    assert threads.gather(threads.map(abs, range(-100, 0))) == list(range(100, 0, -1))


def test_one_thread_does_not_keep_to_itself_what_another_could_run(threads: rs.Client, gate: Any) -> None:
    threads.gather(threads.map(abs, range(100)))
    blocked = threads.submit(gate)
    gate.wait_until_begun()
    g = rs.TaskGraph()
    leaves = g.add(abs, 500, params=range(500))
    total = g.add(lambda *xs: sum(xs), 1, deps=([0, 500], leaves.ids))
    assert threads.get(g, total.ids) == [sum(range(500))]
    assert not blocked.done()


def test_a_thread_that_stands_in_for_another_ends_when_that_goes_on(single: rs.Client, gate: Any) -> None:
    def task() -> list[int]:
        others = single.gather(single.map(abs, range(10)))
        gate()
        return others

    before = engine_threads()
    future = single.submit(task)
    gate.wait_until_begun()
    assert all(end(thread) for thread in engine_threads() - before)
    gate.open.set()
    assert future.result(PATIENCE) == list(range(10))


def test_a_result_does_not_wait_for_a_longer_task_that_comes_after_it(single: rs.Client, gate: Any) -> None:
    quick, long = single.submit(abs, -1), single.submit(gate)
    gate.wait_until_begun()
    assert quick.result(PATIENCE) == 1
    assert not long.done()
