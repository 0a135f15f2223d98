"""The audit finds whatever is out of step: each column in turn is set wrong."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from restride.engine.graphs.graph import TaskGraph
from restride.engine.graphs.job import compile_job
from restride.engine.messages import Failed, Finished
from restride.engine.scheduler.audit import audit
from restride.engine.scheduler.state import SchedulerState
from restride.engine.scheduler.task_states import TaskState
from restride.engine.scheduler.tasks import TaskTable
from restride.errors import InternalError

GONE = 1


def midway() -> SchedulerState:
    """Two chains of three, the first task of each finished and the rest placed; and a task that has failed."""
    scheduler = SchedulerState(horizon=1e6, validate=True)
    scheduler.add_worker(2)
    scheduler.lose_worker(scheduler.add_worker(1))
    graph = TaskGraph()
    a = graph.add(int, 2)
    b = graph.add(int, 2, deps=([0, 1, 2], a.ids))
    c = graph.add(int, 2, deps=([0, 1, 2], b.ids))
    alone = graph.add(int, 1)
    job, _, rows = compile_job(graph, [*a.ids, *c.ids, *alone.ids])
    scheduler.submit(job, 0, np.zeros(0, np.int64))
    scheduler.effects()
    scheduler.finished(0, Finished(rows[:2], np.ones(2, np.int32), np.full(2, 8), np.full(2, 0.1)))
    scheduler.failed(0, Failed(int(rows[4]), 1, ValueError(), None))
    scheduler.effects()
    return scheduler


def row_in(table: TaskTable, state: TaskState) -> int:
    return int(np.flatnonzero(table.state == state)[0])


def lose_a_waiter(table: TaskTable) -> None:
    table.waiters[row_in(table, TaskState.FINISHED)] += 1


def count_live_wrongly(table: TaskTable) -> None:
    table.live += 1


def forget_a_worker(table: TaskTable) -> None:
    table.worker[row_in(table, TaskState.PLACED)] = -1


def hurry_the_cursor(table: TaskTable) -> None:
    table.state[row_in(table, TaskState.PLACED)] = TaskState.WAITING


def keep_what_nobody_needs(table: TaskTable) -> None:
    table.waiters[row_in(table, TaskState.FINISHED)] = 0


def lose_a_failure(table: TaskTable) -> None:
    table.failures.clear()


def lose_an_input(table: TaskTable) -> None:
    table.state[row_in(table, TaskState.FINISHED)] = TaskState.RELEASED
    table.live -= 1


def stop_a_failure(table: TaskTable) -> None:
    last = next(row for row in range(table.n) if table.state[row] == TaskState.PLACED and table.held[row])
    table.state[last] = TaskState.WAITING
    table.state[table.dependencies(np.array([last]))[1]] = TaskState.FAILED
    table.cursor = 0
    table.live -= 1


def count_placed_wrongly(table: TaskTable) -> None:
    table.placed -= 1


def leave_it_at_a_worker_that_is_gone(table: TaskTable) -> None:
    table.worker[row_in(table, TaskState.FINISHED)] = GONE


def hold_more_than_there_is(table: TaskTable) -> None:
    table.guests[9] = {row_in(table, TaskState.FINISHED): 2}


def forget_to_place(table: TaskTable) -> None:
    last = next(row for row in range(table.n) if table.state[row] == TaskState.PLACED and table.held[row])
    table.state[last] = TaskState.WAITING
    table.placed -= 1
    table.cursor = 0


def two_jobs() -> tuple[SchedulerState, TaskTable]:
    """A task that is placed, and one of a later job that is placed behind it; the table of that."""
    scheduler = SchedulerState(horizon=1e6, validate=True)
    scheduler.add_worker(1)
    scheduler.add_worker(1)
    graph = TaskGraph()
    job, _, _ = compile_job(graph, graph.add(int, 1).ids)
    first = scheduler.submit(job, 0, np.zeros(0, np.int64))
    graph = TaskGraph()
    future = graph.add_futures([first])  # type: ignore[list-item]
    job, inputs, _ = compile_job(graph, graph.add(int, 1, deps=([0, 1], future.ids)).ids)
    second = scheduler.submit(job, 0, np.array(inputs, np.int64))
    scheduler.effects()
    return scheduler, scheduler.tables[second]


def test_an_input_of_another_job_that_is_not_there_is_found() -> None:
    scheduler, table = two_jobs()
    (foreign,) = table.foreign
    foreign.owner.state[0] = TaskState.WAITING
    foreign.owner.cursor = 0
    scheduler.dispatch.wait(foreign.owner)
    with pytest.raises(InternalError, match="something it depends on in another job is not"):
        audit(reversed(scheduler.tables.values()), scheduler.dispatch)


def test_an_input_of_another_job_that_is_sought_at_the_wrong_worker_is_found() -> None:
    scheduler, table = two_jobs()
    table.worker[table.n] ^= 1
    with pytest.raises(InternalError, match="it seeks inputs where they are not"):
        scheduler.effects()


def test_a_scheduler_midway_passes() -> None:
    midway().effects()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lose_a_waiter, "waiters are"),
        (count_live_wrongly, "live is"),
        (forget_a_worker, "a placed task without a worker"),
        (hurry_the_cursor, "a task before the cursor is waiting"),
        (keep_what_nobody_needs, "nobody needs a task that is kept"),
        (lose_a_failure, "failures are kept of"),
        (lose_an_input, "something it depends on is not"),
        (stop_a_failure, "a failure did not spread"),
        (count_placed_wrongly, "placed is"),
        (leave_it_at_a_worker_that_is_gone, "something is at a worker that is gone"),
        (hold_more_than_there_is, "which is more than"),
        (forget_to_place, "tasks wait, but will never be placed"),
    ],
)
def test_a_column_that_is_wrong_is_found(spoil: Callable[[TaskTable], None], message: str) -> None:
    scheduler = midway()
    (table,) = scheduler.tables.values()
    spoil(table)
    with pytest.raises(InternalError, match=f"{message}.*please report it"):
        audit([table], scheduler.dispatch)  # placing would notice, or mend, some of it first


def test_loads_that_do_not_match_the_tables_are_found() -> None:
    scheduler = midway()
    scheduler.loads.tasks[0] += 1
    with pytest.raises(InternalError, match="loads count"):
        scheduler.effects()


def test_a_job_that_is_over_but_kept_is_found() -> None:
    scheduler = midway()
    (table,) = scheduler.tables.values()
    base = table.base
    scheduler.release(np.flatnonzero(table.held) + base)
    assert base not in scheduler.tables
    scheduler.tables[base] = table
    with pytest.raises(InternalError, match="is over, but not freed"):
        scheduler.effects()


def test_nothing_is_checked_unless_asked_for() -> None:
    scheduler = midway()
    scheduler._validate = False
    scheduler.loads.tasks[0] += 1
    scheduler.effects()
