"""Checks of every invariant of the scheduler's columns, after every batch when validation is on."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from restride.engine.placement import Loads
from restride.engine.states import TaskState
from restride.engine.tasks import TaskTable
from restride.errors import InternalError


def audit(tables: Iterable[TaskTable], loads: Loads) -> None:
    """Check the columns of all jobs against each other.

    Raises
    ------
    InternalError
        It names the first invariant that does not hold.
    """
    tables = list(tables)
    tasks = np.zeros(len(loads.threads), np.int64)
    for table in tables:
        _audit_states(table)
        _audit_waiters(table, tables)
        placed = table.state == TaskState.PLACED
        counts = np.bincount(table.worker[: table.n][placed], minlength=len(tasks))
        own = table.own_loads
        if own is None:
            tasks += counts
        else:
            _require((counts == own.tasks).all(), f"loads of job {table.base} count {own.tasks} tasks, it has {counts}")
    _require((tasks == loads.tasks).all(), f"loads count {loads.tasks} placed tasks, the tables {tasks}")
    _require((loads.seconds >= -1e-3).all(), f"workers have {loads.seconds} seconds of work before them")


def _audit_states(table: TaskTable) -> None:
    state = table.state
    waiting, placed = state == TaskState.WAITING, state == TaskState.PLACED
    finished = state == TaskState.FINISHED
    where = f"job {table.base}"
    _require(table.live == int((waiting | placed | finished).sum()), f"{where}: live is {table.live}")
    _require(not table.over, f"{where}: is over, but not freed")
    _require(not waiting[: table.cursor].any(), f"{where}: a task before the cursor is waiting")
    needed = table.waiters[: table.n] > 0
    _require(needed[waiting | placed | finished].all(), f"{where}: nobody needs a task that is kept")
    _require((table.worker[: table.n][placed | finished] >= 0).all(), f"{where}: a placed task without a worker")
    job = table.job
    owners = np.repeat(np.arange(table.n), np.diff(job.indptr))
    own = job.indices < table.n
    deps = job.indices[own]
    exist = (placed | finished)[deps]
    _require(exist[placed[owners[own]]].all(), f"{where}: a task is placed, but something it depends on is not")
    failed = state == TaskState.FAILED
    after = owners[own][failed[deps]]
    _require(np.isin(state[after], (TaskState.FAILED, TaskState.CANCELLED)).all(), f"{where}: a failure did not spread")
    held = set(np.flatnonzero(failed & (table.held > 0)).tolist())
    _require(set(table.failures) == held, f"{where}: failures are kept of {set(table.failures)}, held are {held}")


def _audit_waiters(table: TaskTable, tables: list[TaskTable]) -> None:
    job = table.job
    unfinished = (table.state == TaskState.WAITING) | (table.state == TaskState.PLACED)
    edges = np.repeat(unfinished, np.diff(job.indptr))
    expected = np.bincount(job.indices[edges], minlength=table.n + job.inputs)
    expected[: table.n] += table.held
    for later in tables:
        for foreign in later.foreign:
            if foreign.owner is table:
                np.add.at(expected, foreign.there, later.waiters[foreign.here] > 0)
    _require((expected == table.waiters).all(), f"job {table.base}: waiters are {table.waiters}, expected {expected}")


def _require(holds: bool | np.bool_, otherwise: str) -> None:
    if not holds:
        raise InternalError(f"{otherwise}; this is a bug in restride, please report it")
