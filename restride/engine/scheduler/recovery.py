"""What follows when a worker is lost, or does not listen: which tasks wait again, and why that is enough.

An output that is lost and still needed must be computed again, and so, backwards, whatever that needs and is gone.
A placed task that waits for such an output goes back, too, and so, forwards, do the placed ones behind it: else they
could fill the horizon of every worker and leave no room for what they wait for. These are passes over columns, one for
each step backwards or forwards: about 10 µs a step, and 0.1 µs for each task that must run again.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from restride.engine.graphs.csr import Ints, distinct
from restride.engine.messages import TaskFailure
from restride.engine.scheduler.task_states import CANCELLED, FAILED, FINISHED, PLACED, RELEASED, WAITING, Move, move
from restride.engine.scheduler.tasks import ONE, TaskTable
from restride.errors import KilledWorkerError, LostError

if TYPE_CHECKING:
    from restride.engine.scheduler.state import SchedulerState

MOST_DEATHS = 3
"""A task that was running when so many workers died is not tried again."""


def without_home(table: TaskTable, worker: int) -> Ints:
    """Rows that have lost their place or their output with a worker."""
    for holders in table.replicas.values():
        holders.discard(worker)
    rows = np.flatnonzero(table.worker[: table.n] == worker)
    kept = table.state[rows]
    lost: Ints = rows[(kept == PLACED) | (kept == FINISHED)]
    return lost


def not_begun(state: SchedulerState, workers: list[int], running: Ints) -> list[tuple[TaskTable, Ints]]:
    """What is placed at workers that are at `running`, but for these, what they need, and what no other worker takes.

    What running tasks need has finished, though that may not have been heard; were it undone, they would be, too, and
    begin on another worker.
    """
    begun: dict[int, NDArray[np.bool_]] = {}
    left = [(table, rows[np.isin(table.worker[rows], workers)]) for table, rows, _ in state.by_job(running)]
    while left:
        table, rows = left.pop()
        marks = begun.setdefault(table.base, np.zeros(table.n, np.bool_))
        rows = rows[(table.state[rows] == PLACED) & ~marks[rows]]
        if len(rows):
            marks[rows] = True
            deps = table.dependencies(rows)[1]
            left.append((table, deps[deps < table.n]))
            left += [(foreign.owner, foreign.there[np.isin(foreign.here, deps)]) for foreign in table.foreign]
    found = []
    for table in state.tables.values():
        if table.placed and state.dispatch.is_taken(table):
            rows = np.flatnonzero((table.state == PLACED) & np.isin(table.worker[: table.n], workers))
            found.append((table, rows[~begun[table.base][rows]] if table.base in begun else rows))
    return found


def undo(state: SchedulerState, lost: list[tuple[TaskTable, Ints]]) -> None:
    """Have these rows wait to be placed, with all that they need and all that was placed behind them."""
    left = deque(lost)
    hopeless: list[tuple[TaskTable, Ints]] = []
    while left:
        table, rows = left.popleft()
        before = table.state[rows]
        placed, finished = rows[before == PLACED], rows[before == FINISHED]
        ended = rows[(before != PLACED) & (before != WAITING)]
        if not len(placed) and not len(ended):
            continue
        ended, needed, failed = _with_needs(table, ended)
        state.dispatch.unload(table, placed)
        state.dispatch.drop(table, placed)
        state.tell_undone(table, finished)
        table.live += len(ended) - len(finished)
        table.nbytes[ended] = 0
        for again in (placed, ended):
            move(table.state, again, Move.UNDO)
            table.cursor = min(table.cursor, int(again.min(initial=table.n)))
        state.dispatch.wait(table)
        _block_later(state, table)
        left += needed
        left += _placed_behind(table, np.concatenate([placed, finished]))  # nothing unfinished depends on the others
        hopeless += failed
    for table, rows in hopeless:
        unfinished = rows[table.state[rows] == WAITING]
        if len(unfinished):
            lost_for_good = LostError(
                "an output was lost with its worker and cannot be computed again: what it was made from is forgotten, "
                "or failed when it was computed anew"
            )
            name, origin = table.job.task_name(unfinished[0]), table.job.origin(unfinished[0])
            state.fail(table, unfinished, TaskFailure(lost_for_good, None, name, origin))


def _block_later(state: SchedulerState, table: TaskTable) -> None:
    """Later jobs must take note of where they find what is computed again, before more of them is placed."""
    for later in table.later.values():
        later.blocked = True
        if later.live:
            state.dispatch.wait(later)


def _placed_behind(table: TaskTable, rows: Ints) -> list[tuple[TaskTable, Ints]]:
    """Placed dependents of rows that wait again, here and in later jobs."""
    if not len(rows):
        return []
    dependents = distinct(table.dependents(rows))
    behind = [(table, dependents), *table.dependents_in_later_jobs(rows)]
    placed = [(table, rows[table.state[rows] == PLACED]) for table, rows in behind]
    return [(table, rows) for table, rows in placed if len(rows)]


def _with_needs(
    table: TaskTable, rows: Ints
) -> tuple[Ints, list[tuple[TaskTable, Ints]], list[tuple[TaskTable, Ints]]]:
    """Rows that must run once more, and what they need, backwards, that is gone; counted as waited for again.

    Returns
    -------
    rows : int64 array
        Those of this job.
    needed : list of (TaskTable, int64 array)
        Those of other jobs, of each the ones next to this.
    hopeless : list of (TaskTable, int64 array)
        Rows that will not get what they need.
    """
    every, every_dep, every_new = [rows], [], []
    while len(rows):  # a step backwards
        deps = table.dependencies(rows)[1]
        new = distinct(deps[table.waiters[deps] == 0])
        np.add.at(table.waiters, deps, ONE)
        rows = _gone(table, new[new < table.n])
        every.append(rows)
        every_dep.append(deps)
        every_new.append(new)
    deps = np.concatenate(every_dep) if every_dep else rows
    lacking = deps[deps < table.n]
    lacking = lacking[table.state[lacking] == FAILED]
    needed: list[tuple[TaskTable, Ints]] = []
    if table.job.inputs and len(deps):
        needed, lacking_of_others = _needed_of_others(table, deps, np.concatenate(every_new))
        lacking = np.concatenate([lacking, lacking_of_others])
    hopeless = [(table, distinct(table.dependents(distinct(lacking))))] if len(lacking) else []
    return np.concatenate(every), needed, hopeless


def _needed_of_others(table: TaskTable, deps: Ints, new: Ints) -> tuple[list[tuple[TaskTable, Ints]], Ints]:
    """What a job needs again of earlier ones; and those of its dependencies that it will not get."""
    needed = []
    table.blocked = True  # while it needed nothing of them it took no note of where that is
    there_is = np.zeros(table.n + table.job.inputs, np.bool_)
    for foreign in table.foreign:
        there_is[foreign.here] = foreign.owner.state[foreign.there] != FAILED
        there = foreign.there[np.isin(foreign.here, new)]
        np.add.at(foreign.owner.waiters, there, ONE)
        gone = _gone(foreign.owner, distinct(there))
        if len(gone):
            needed.append((foreign.owner, gone))
    of_others = deps[deps >= table.n]
    return needed, of_others[~there_is[of_others]]


def _gone(table: TaskTable, rows: Ints) -> Ints:
    state = table.state[rows]
    gone: Ints = rows[(state == RELEASED) | (state == CANCELLED)]
    return gone


def give_up_killer(state: SchedulerState, running: Ints) -> None:
    """Count the death of a worker against the tasks that it was at; fail the one that has seen too many.

    Of several that have, one is the likeliest: that which has seen most, and which has begun last. The others may be
    innocent, and are tried again.
    """
    suspects = []
    for table, rows, _ in state.by_job(running):
        for row in rows.tolist():
            deaths = table.deaths[row] = table.deaths.get(row, 0) + 1
            if deaths >= MOST_DEATHS and table.state[row] == WAITING:
                suspects.append((deaths, row + table.base, table))
    if suspects:
        deaths, id, table = max(suspects, key=lambda suspect: suspect[:2])
        row = id - table.base
        name = table.job.task_name(row)
        error = KilledWorkerError(
            f"task {name!r} was running when its worker died, {deaths} times; it is not tried again. "
            "Look at the worker's log for the cause: too little memory, or a crash in a library that it calls"
        )
        state.fail(table, np.array([row]), TaskFailure(error, None, name, table.job.origin(row)))


def give_up_scattered(state: SchedulerState) -> None:
    """Fail what was scattered, is needed and not there, where its client, who had it, is gone."""
    for table in list(state.tables.values()):
        if not (table.orphaned and table.options.scattered):
            continue
        rows = np.flatnonzero((table.state == WAITING) | (table.state == PLACED))
        if len(rows):
            name, origin = table.job.task_name(rows[0]), table.job.origin(rows[0])
            error = LostError(
                "what was scattered is on no worker any more, or was not yet, and the client that had it is gone; "
                "scatter it again"
            )
            state.fail(table, rows, TaskFailure(error, None, name, origin))
            state.free_if_over(table)
