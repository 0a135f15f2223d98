"""Checks of every invariant of the scheduler's columns, after every batch when validation is on."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from restride.engine.scheduler.dispatch import Dispatch
from restride.engine.scheduler.task_states import TaskState
from restride.engine.scheduler.tasks import Foreign, TaskTable
from restride.errors import InternalError


def audit(tables: Iterable[TaskTable], dispatch: Dispatch) -> None:
    """Check the columns of all jobs against each other, and against what is to be placed and has been.

    Raises
    ------
    InternalError
        It names the first invariant that does not hold.
    """
    tables = list(tables)
    needed: dict[int, list[tuple[TaskTable, Foreign]]] = {table.base: [] for table in tables}
    for table in tables:
        for foreign in table.foreign:
            _require(foreign.owner.base in needed, f"job {table.base}: needs outputs of a job that is forgotten")
            needed[foreign.owner.base].append((table, foreign))
    loads = dispatch.loads
    common = np.zeros(len(loads.threads), np.int64)
    for table in tables:
        _audit_states(table)
        _audit_places(table, dispatch.there)
        _audit_waiters(table, needed[table.base])
        _audit_turns(table, dispatch)
        counts = np.bincount(table.worker[: table.n][table.state == TaskState.PLACED], minlength=len(common))
        _require(table.placed == counts.sum(), f"job {table.base}: placed is {table.placed}, {counts.sum()} are")
        own = table.own_loads
        if own is None:
            common += counts
        else:
            _require((counts == own.tasks).all(), f"loads of job {table.base} count {own.tasks} tasks, it has {counts}")
    _require((common == loads.tasks).all(), f"loads count {loads.tasks} placed tasks, the tables {common}")
    _require((loads.seconds >= -1e-3).all(), f"workers have {loads.seconds} seconds of work before them")


def _audit_states(table: TaskTable) -> None:
    state = table.state
    waiting, placed = state == TaskState.WAITING, state == TaskState.PLACED
    finished = state == TaskState.FINISHED
    where = f"job {table.base}"
    _require(table.live == int((waiting | placed | finished).sum()), f"{where}: live is {table.live}")
    _require(not table.over or bool(table.later), f"{where}: is over, but not freed")
    _require(not waiting[: table.cursor].any(), f"{where}: a task before the cursor is waiting")
    needed = table.waiters[: table.n] > 0
    _require(needed[waiting | placed | finished].all(), f"{where}: nobody needs a task that is kept")
    job = table.job
    owners = np.repeat(np.arange(table.n), np.diff(job.indptr))
    own = job.indices < table.n
    deps = job.indices[own]
    exist = (placed | finished)[deps]
    _require(exist[placed[owners[own]]].all(), f"{where}: a task is placed, but something it depends on is not")
    failed = state == TaskState.FAILED
    after = owners[own][failed[deps]]
    _require(not (waiting | placed)[after].any(), f"{where}: a failure did not spread")
    held = set(np.flatnonzero(failed & (table.held > 0)).tolist())
    _require(set(table.failures) == held, f"{where}: failures are kept of {set(table.failures)}, held are {held}")


def _audit_places(table: TaskTable, there: set[int]) -> None:
    """What is placed is at a worker that there is, and so is all that it depends on in other jobs."""
    where = f"job {table.base}"
    workers = table.worker[: table.n][(table.state == TaskState.PLACED) | (table.state == TaskState.FINISHED)]
    _require((workers >= 0).all(), f"{where}: a placed task without a worker")
    _require(there.issuperset(workers.tolist()), f"{where}: something is at a worker that is gone")
    used = _used_by(table, table.state == TaskState.PLACED)
    for foreign in table.foreign:
        at = used[foreign.here] > 0
        state = foreign.owner.state[foreign.there[at]]
        exist = (state == TaskState.PLACED) | (state == TaskState.FINISHED)
        _require(exist.all(), f"{where}: a task is placed, but something it depends on in another job is not")
        homes = foreign.owner.worker[foreign.there[at]]
        _require((table.worker[foreign.here[at]] == homes).all(), f"{where}: it seeks inputs where they are not")


def _audit_waiters(table: TaskTable, later: list[tuple[TaskTable, Foreign]]) -> None:
    unfinished = (table.state == TaskState.WAITING) | (table.state == TaskState.PLACED)
    expected = _used_by(table, unfinished)
    expected[: table.n] += table.held
    for other, foreign in later:
        np.add.at(expected, foreign.there, other.waiters[foreign.here] > 0)
    _require((expected == table.waiters).all(), f"job {table.base}: waiters are {table.waiters}, expected {expected}")
    guests = np.zeros(table.n, np.int64)
    for guest in table.guests.values():
        guests[list(guest)] += list(guest.values())
    _require((guests <= table.held).all(), f"job {table.base}: clients hold {guests}, which is more than {table.held}")


def _audit_turns(table: TaskTable, dispatch: Dispatch) -> None:
    """What waits has its turn."""
    if (table.state == TaskState.WAITING).any():
        known = table.base in dispatch.nested if table.own_loads is not None else table in dispatch.turns
        _require(known, f"job {table.base}: tasks wait, but will never be placed")


def _used_by(table: TaskTable, tasks: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many of some tasks depend on each row."""
    edges = np.repeat(tasks, np.diff(table.job.indptr))
    used: NDArray[np.int64] = np.bincount(table.job.indices[edges], minlength=table.n + table.job.inputs)
    return used


def _require(holds: bool | np.bool_, otherwise: str) -> None:
    if not holds:
        raise InternalError(f"{otherwise}; this is a bug in restride, please report it")
