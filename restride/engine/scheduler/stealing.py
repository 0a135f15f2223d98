"""Taking back what a worker has not begun, when others have nothing that they could run.

Tasks are placed ahead of time, by what is known then; where that was wrong, a worker with a queue is asked to give back
some of what it could run at once. Three rules keep that from going on for ever: an attempt at a task is asked for once;
nobody is asked for so much that it would be idle itself; and looking for what to ask for, which goes over columns of
tasks, takes a small share of the time at most, however often it is in vain.
"""

from __future__ import annotations

from collections.abc import Collection
from math import ceil, inf

import numpy as np
from numpy.typing import NDArray

from restride.engine.graphs.csr import Ints
from restride.engine.messages import TakeBack
from restride.engine.scheduler.placement import BANDWIDTH, Loads, deal
from restride.engine.scheduler.tasks import TaskTable

LEAST_SHARE = 1 / 8
"""Of the horizon: a worker that can run less at once is asked only for what may take long, as nothing like it has been
seen; all else will be done before an answer could come, and may be done already, as reports are late."""
SEARCH_SECONDS, SEARCH_SECONDS_PLACED, SEARCH_SECONDS_JOB = 5e-9, 2e-7, 2e-7
"""What a search costs for each task, for each that is placed, and for each job."""
MOST_OVERHEAD = 0.02
"""Searches in vain take at most this share of the time."""


class Stealing:
    """Who has been asked to give back tasks, and for whom."""

    def __init__(self) -> None:
        self._asked: dict[int, list[int]] = {}
        """By worker that has been asked: the idle ones."""
        self._worked = 0.0
        """Seconds of work, of all threads, that have been placed or done since a search was in vain."""
        self._pause = 0.0
        """Seconds for each thread to go by before the next."""
        self._behind: set[int] = set()
        """Workers at tasks that take longer than was expected of what they have before them."""

    def worker_came(self) -> None:
        """A worker has come, which has nothing to do."""
        self._pause = 0.0

    def worker_lost(self, worker: int) -> None:
        """A worker is gone, or deaf, and will neither answer nor take."""
        self._asked.pop(worker, None)
        self._behind.discard(worker)
        for idle in self._asked.values():
            if worker in idle:
                idle.remove(worker)

    def falls_behind(self, worker: int) -> None:
        """A worker has been at a task for long, and others wait there."""
        self._behind.add(worker)
        self._pause = 0.0

    def goes_on(self, worker: int) -> None:
        """A worker has finished something."""
        self._behind.discard(worker)

    def worked(self, seconds: float) -> None:
        """So much work has been placed or done."""
        self._worked += seconds

    def answered(self, worker: int) -> list[int]:
        """A worker has given back what it could; for whom."""
        return self._asked.pop(worker, [])

    def take_back(self, loads: Loads, tables: Collection[TaskTable]) -> list[tuple[int, TakeBack]]:
        """What to ask back, so that workers without enough to do can run it at once."""
        takes = loads.threads > 0
        if not (loads.tasks > loads.threads)[takes].any() or self._worked < self._pause * loads.threads.sum():
            return []
        number_of_jobs, tables = len(tables), [table for table in tables if table.placed and table.own_loads is None]
        rows_of = [(table, table.ready_rows()) for table in reversed(tables)]
        ready, seconds = np.zeros(len(loads.threads), np.int64), np.zeros(len(loads.threads))
        for table, rows in rows_of:
            ready += np.bincount(table.worker[rows], minlength=len(ready))
            seconds += np.bincount(table.worker[rows], table.estimate[rows], minlength=len(ready))
        starving, able = ready < loads.threads, (ready > loads.threads) & takes
        starving[[number for idle in self._asked.values() for number in idle]] = False
        able[list(self._asked)] = False
        queue = np.minimum(seconds, loads.seconds) / np.maximum(loads.threads, 1)
        queue[list(self._behind)] = np.maximum(queue[list(self._behind)], loads.horizon)
        messages = _requests(np.flatnonzero(starving).tolist(), np.flatnonzero(able), ready, queue, loads, rows_of)
        self._asked.update({worker: idle for worker, idle, _ in messages})
        self._worked = 0.0
        self._pause = 0.0 if messages else _cost(number_of_jobs, tables) / MOST_OVERHEAD
        return [(worker, TakeBack(ids)) for worker, _, ids in messages]


def _cost(jobs: int, tables: list[TaskTable]) -> float:
    """Seconds that a search takes."""
    tasks = sum(table.n * SEARCH_SECONDS + table.placed * SEARCH_SECONDS_PLACED for table in tables)
    return jobs * SEARCH_SECONDS_JOB + tasks


def _requests(
    idle: list[int],
    busy: Ints,
    ready: Ints,
    queue: NDArray[np.float64],
    loads: Loads,
    rows_of: list[tuple[TaskTable, Ints]],
) -> list[tuple[int, list[int], Ints]]:
    """Whom to ask, for whom, for which tasks; by the seconds that each thread of a worker has before it."""
    requests = []
    busy = busy[np.argsort(-queue[busy], kind="stable")]
    for at, worker in enumerate(busy.tolist()):
        if not idle:
            break
        takers = idle[: ceil(len(idle) / (len(busy) - at))]
        most = int(ready[worker] - loads.threads[worker])
        ids = _to_ask_for(worker, most, float(queue[worker]), takers, loads, rows_of)
        if len(ids):
            requests.append((worker, takers, ids))
            idle = idle[len(takers) :]
    return requests


def _to_ask_for(
    worker: int,
    most: int,
    queue: float,
    takers: list[int],
    loads: Loads,
    rows_of: list[tuple[TaskTable, Ints]],
) -> Ints:
    """The last of what a worker could run at once, up to the share of those that would take it."""
    threads = loads.threads[worker]
    share = float(loads.threads[takers].sum() / (loads.threads[takers].sum() + threads))
    soon_done = queue <= loads.horizon * LEAST_SHARE
    rows_of = [(table, rows[table.worker[rows] == worker]) for table, rows in rows_of]
    seconds = sum(float(table.estimate[rows].sum()) for table, rows in rows_of) * share
    ids = []
    for table, rows in rows_of:
        if table.allowed is not None and not table.allowed[takers].any():
            continue
        rows = rows[~table.asked_back[rows]][::-1]
        rows = rows[table.is_unknown(rows) if soon_done else _cost_of_moving(table, rows, takers) < queue]
        rows = rows[: min(int(np.searchsorted(table.estimate[rows].cumsum(), seconds)) + 1, most)]
        table.asked_back[rows] = True
        ids.append(rows + table.base)
        seconds -= float(table.estimate[rows].sum())
        most -= len(rows)
        if seconds <= 0.0 or most <= 0:
            break
    return np.sort(np.concatenate(ids)) if ids else np.zeros(0, np.int64)


def takers(table: TaskTable, seconds: NDArray[np.float64], loads: Loads, idle: list[int]) -> NDArray[np.int32]:
    """A worker for each of some tasks that were given back: of those that they were for, else the first to be free."""
    able = loads.threads > 0 if table.allowed is None else (loads.threads > 0) & table.allowed
    numbers = np.array([worker for worker in idle if able[worker]], np.int64)
    if len(numbers):
        return numbers[deal(seconds, loads.of(numbers), np.zeros(len(numbers)))].astype(np.int32)
    queue = np.where(able, loads.seconds / np.maximum(loads.threads, 1), inf)
    return np.full(len(seconds), queue.argmin(), np.int32)


def _cost_of_moving(table: TaskTable, rows: Ints, takers: list[int]) -> NDArray[np.float64]:
    """Seconds to bring the inputs of each of some tasks to where they are not."""
    counts, deps = table.dependencies(rows)
    elsewhere = ~np.isin(table.worker[deps], takers)
    owners = np.repeat(np.arange(len(rows)), counts)
    nbytes = np.bincount(owners, table.nbytes[deps] * elsewhere, minlength=len(rows))
    seconds: NDArray[np.float64] = nbytes / BANDWIDTH
    return seconds
