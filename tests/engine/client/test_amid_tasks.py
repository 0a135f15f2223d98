"""What came of short tasks is seen, used and let go of while one that was claimed along with them takes long."""

from __future__ import annotations

import asyncio
import concurrent.futures
import sys
import threading
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import restride as rs
from restride.engine.worker.state import Outcomes
from tests.engine.distributed.harm import until, wait_for_file
from tests.garbage import collected

PATIENCE = 20.0
LONG = 5
"""Which of ten tasks is the one that takes long."""


def begun(client: rs.Client, gate: Any, ran: list[int] | None = None) -> list[rs.Future]:
    """Futures of ten short tasks, once the sixth waits at the gate."""

    def task(i: int) -> int:
        if i == LONG:
            gate()
        if ran is not None:
            ran.append(i)
        return i

    futures = client.map(task, range(10))
    gate.wait_until_begun()
    return futures


def test_the_results_before_it_come(single: rs.Client, gate: Any) -> None:
    futures = begun(single, gate)
    assert [future.result(PATIENCE) for future in futures[:LONG]] == [0, 1, 2, 3, 4]
    assert not any(future.done() for future in futures[LONG:])
    gate.open.set()
    assert single.gather(futures) == list(range(10))


def test_they_come_where_both_threads_are_at_tasks(threads: rs.Client, gate: Any, held_up: threading.Event) -> None:
    other = threads.submit(held_up.wait, PATIENCE)
    futures = begun(threads, gate)
    assert [future.result(PATIENCE) for future in futures[:LONG]] == [0, 1, 2, 3, 4]
    assert not other.done()


def test_as_completed_gives_those_before_it(single: rs.Client, gate: Any) -> None:
    completed = rs.as_completed(begun(single, gate), PATIENCE)
    assert {next(completed).result() for _ in range(LONG)} == set(range(LONG))
    gate.open.set()
    assert {future.result() for future in completed} == set(range(LONG, 10))


def test_a_wait_for_the_first_of_them_ends(single: rs.Client, gate: Any) -> None:
    futures = begun(single, gate)
    done, _ = rs.wait([futures[LONG], futures[3]], PATIENCE, concurrent.futures.FIRST_COMPLETED)
    assert done == {futures[3]}


def test_their_callbacks_are_called(single: rs.Client, gate: Any) -> None:
    called = threading.Event()
    begun(single, gate)[4].add_done_callback(lambda _: called.set())
    assert called.wait(PATIENCE)


def test_who_awaits_them_goes_on(single: rs.Client, gate: Any) -> None:
    future = begun(single, gate)[4]

    async def result() -> int:
        return await asyncio.wait_for(future, PATIENCE)

    assert asyncio.run(result()) == 4


def test_a_job_counts_them_as_it_goes_on(single: rs.Client, gate: Any) -> None:
    futures = begun(single, gate)
    assert until(lambda: single._engine.progress(futures[0].submission.base) == LONG)


def test_tasks_that_need_them_begin_on_another_thread(threads: rs.Client, gate: Any, held_up: threading.Event) -> None:
    other = threads.submit(held_up.wait, PATIENCE)
    futures = begun(threads, gate)
    total = threads.submit(lambda xs: sum(xs), futures[1:LONG])
    held_up.set()
    assert total.result(PATIENCE) == 1 + 2 + 3 + 4
    assert other.result(PATIENCE)
    assert not futures[LONG].done()


def test_those_after_it_that_are_cancelled_do_not_run(single: rs.Client, gate: Any) -> None:
    ran: list[int] = []
    futures = begun(single, gate, ran)
    assert futures[6].cancel()
    assert futures[8].cancel()
    gate.open.set()
    assert futures[9].result(PATIENCE) == 9
    assert ran == [0, 1, 2, 3, 4, 5, 7, 9]


def test_a_task_may_cancel_the_next(single: rs.Client, gate: Any) -> None:
    ran: list[int] = []
    futures: list[rs.Future] = []

    def task(i: int) -> None:
        ran.append(i)
        if i == LONG:
            gate()
            futures[i + 1].cancel()

    futures += single.map(task, range(10))
    gate.open.set()
    assert futures[9].result(PATIENCE) is None
    assert ran == [0, 1, 2, 3, 4, 5, 7, 8, 9]


def test_outputs_that_are_let_go_of_are_freed(single: rs.Client, gate: Any) -> None:
    block = single.submit(np.ones, 8)
    gone = weakref.ref(block.result(PATIENCE))
    futures = begun(single, gate)
    del block
    assert collected(lambda: gone() is None)
    assert not futures[LONG].done()


def test_a_callback_may_wait_for_what_comes_before_another_long_task(single: rs.Client, gate: Any) -> None:
    second = type(gate)()
    seen: list[int] = []
    ended = threading.Event()

    def call(_: rs.Future) -> None:
        gate.open.set()
        seen.append(begun(single, second)[3].result(PATIENCE))
        ended.set()

    begun(single, gate)[4].add_done_callback(call)
    assert ended.wait(PATIENCE)
    second.open.set()
    assert seen == [3]


def test_results_come_from_a_worker_that_is_at_a_long_task(processes: rs.LocalCluster, tmp_path: Path) -> None:
    there, missing = str(tmp_path), str(tmp_path / "missing")
    with rs.Client(processes) as client:
        (worker,) = sorted(client.info()["workers"])[:1]
        client.gather(client.map(wait_for_file, [there] * 100, workers=[worker]))  # which tells how short they are
        paths = [there] * LONG + [missing] + [there] * 4
        futures = client.map(wait_for_file, paths, workers=[worker])
        assert [future.result(PATIENCE) for future in futures[:LONG]] == [True] * LONG
        assert not futures[LONG].done()
        Path(missing).touch()
        assert all(client.gather(futures))


def test_nothing_is_lost_or_settled_twice_where_others_settle_what_a_thread_has_just_done(
    single: rs.Client, monkeypatch: pytest.MonkeyPatch, switch_often: None
) -> None:
    monkeypatch.setattr("restride.engine.worker.compute_threads.WATCH_SECONDS", 0.0)
    monkeypatch.setattr(Outcomes, "stands_still", lambda outcomes: bool(outcomes.seconds))
    graph = rs.TaskGraph()
    leaves = graph.add(lambda x: [x], 3000, params=range(3000))
    sums = graph.add(lambda *xs: sum(x for (x,) in xs), 1000, deps=(range(0, 3001, 3), leaves.ids))
    graph.add(lambda *xs: sum(xs), 1, deps=([0, 1000], sums.ids))
    assert single.get(graph, [4000]) == [sum(range(3000))]


@pytest.fixture
def held_up() -> Any:
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def switch_often() -> Any:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)
