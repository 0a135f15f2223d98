"""The scheduler: columns in, columns out; no sockets, no clock, no loop over tasks.

Events come in by the methods of `SchedulerState`, each a batch; effects, messages for workers and clients, leave by
`effects`, which first places what can be placed. Placement follows the static order: the next run of rows of a job is
always placeable, as whatever it depends on has a smaller row and so is placed already, or is placed in the same run. So
no task waits here for its dependencies to finish: workers do that, and the scheduler runs ahead of them.

An output is kept while somebody waits for it: a dependent that has not finished, a client, a later job. When the last
one goes, a finished output is released and an unfinished task is cancelled, and with it, backwards, what was needed for
it alone. Cancelling a computation is no more than its client's letting go.

A batch of one costs about 130 µs through submit, place, finish and release; batches of thousands 0.4 µs a task
(``python -m benchmarks micro``).
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import deque

import numpy as np
from numpy.typing import NDArray

from restride.engine.audit import audit
from restride.engine.csr import Ints, row_starts
from restride.engine.job import Job
from restride.engine.messages import (
    Broken,
    Done,
    Drop,
    Failed,
    Finished,
    ForgetKernels,
    Kernels,
    Place,
    TaskFailure,
    ToClient,
    ToWorker,
)
from restride.engine.placement import UNKNOWN_SHARE, Loads, choose_workers
from restride.engine.states import Move, TaskState, move
from restride.engine.tasks import Foreign, TaskTable
from restride.errors import GraphError

_ALL = slice(None)


class SchedulerState:
    """All that the scheduler knows.

    Parameters
    ----------
    horizon : float
        Seconds of work, by the moving averages of durations, that a thread has placed ahead of it.
    validate : bool
        Check every invariant after every batch. Slow; for tests.
    first_id, lowest_id : int
        Where ids begin, upwards and, for nested jobs, downwards; what takes the place of another scheduler goes on
        where that one ended.
    """

    def __init__(self, *, horizon: float = 0.2, validate: bool = False, first_id: int = 0, lowest_id: int = 0) -> None:
        self.tables: dict[int, TaskTable] = {}
        """By base, in the order of submission."""
        self.loads = Loads(horizon)
        self._unplaced: dict[int, TaskTable] = {}
        """Of those, the ones with tasks that have not been placed."""
        self._unplaced_nested: dict[int, TaskTable] = {}
        """The same, of nested jobs."""
        self._validate = validate
        self._bases: list[int] = []
        self.next_id = first_id
        self.lowest_id = lowest_id
        self._next_layer = 0
        self._to_workers: list[tuple[int, ToWorker]] = []
        self._to_clients: list[tuple[int, ToClient]] = []

    # ---- events

    def add_worker(self, threads: int) -> int:
        """A worker with this many threads has come; its number."""
        for table in self.tables.values():
            if table.own_loads is not None:
                table.own_loads.add_worker(threads)
        return self.loads.add_worker(threads)

    def submit(self, job: Job, client: int, inputs: Ints, *, nested: bool = False) -> int:
        """Take in a job; what the client wants of it is held once each.

        Parameters
        ----------
        job : Job
        client : int
            Whom to tell.
        inputs : int64[job.inputs]
            Ids of the outputs of earlier jobs that it needs, which the client holds.
        nested : bool
            A task that runs has submitted it, and may be waiting for it. Such a job gets ids below all others, so that
            it comes before whatever has not begun, and is placed up to a horizon of its own, as those tasks that fill
            the common one may not be able to run before it has.

        Returns
        -------
        int
            The id of the job's first task.

        Raises
        ------
        GraphError
            An input that nobody holds any more.
        """
        size = max(job.n, 1)  # a job without tasks still has a base of its own
        base = self.lowest_id - size if nested else self.next_id
        table = TaskTable(job, base, self._next_layer, client)
        table.own_loads = self.loads.without_tasks() if nested else None
        failed = self._adopt_inputs(table, inputs)
        self.tables[table.base] = table
        (self._unplaced_nested if nested else self._unplaced)[base] = table
        insort(self._bases, base)
        self.lowest_id, self.next_id = min(self.lowest_id, base), max(self.next_id, base + size)
        self._next_layer += len(job.layers)
        for rows, failure in failed:
            self._fail(table, np.unique(table.dependents(rows)), failure)
        self._free_if_over(table)
        return table.base

    def release(self, ids: Ints) -> None:
        """A client lets go of outputs that it held; what only it needed is released, or cancelled."""
        for table, rows, _ in self._by_job(ids):
            table.held[rows] -= 1
            for row in rows[table.held[rows] == 0].tolist() if table.failures else ():
                table.failures.pop(row, None)
            self._let_go(table, table.no_longer_waited_for(rows))
            self._free_if_over(table)

    def finished(self, worker: int, news: Finished) -> None:
        """A worker has finished tasks. News of tasks that were dropped, or of an old attempt, is dropped on entry."""
        ended: list[tuple[TaskTable, Ints]] = []
        for table, rows, at in self._by_job(news.ids):
            current = (
                (table.state[rows] == TaskState.PLACED)
                & (table.worker[rows] == worker)
                & (table.attempt[rows] == news.attempts[at])
            )
            nbytes, seconds = news.nbytes[at], news.seconds[at]
            if not current.all():
                rows, nbytes, seconds = rows[current], nbytes[current], seconds[current]
                if not len(rows):
                    continue
            move(table.state, rows, Move.FINISH)
            table.nbytes[rows] = nbytes
            table.learn(rows, seconds)
            self._unload(table, rows)
            wanted = rows[table.held[rows] > 0]
            if len(wanted):
                self._to_clients.append((table.client, Done(table.base, wanted + table.base, table.worker[wanted])))
            ended.append((table, rows))
        for table, rows in ended:  # once all have finished, as those of one job may have used outputs of another's
            self._let_go(table, table.no_longer_waited_for(table.dependencies(rows)[1]))
            self._free_if_over(table)

    def failed(self, worker: int, news: Failed) -> None:
        """A task has raised: it and whatever depends on it has failed; everything else goes on."""
        for table, rows, _ in self._by_job(np.array([news.id])):
            row = rows[0]
            if (
                table.state[row] == TaskState.PLACED
                and table.worker[row] == worker
                and table.attempt[row] == news.attempt
            ):
                failure = TaskFailure(news.exception, news.traceback, table.job.task_name(row), table.job.origin(row))
                self._fail(table, rows, failure)
                self._free_if_over(table)

    def any_held(self, ids: Ints) -> bool:
        """Whether a client holds the output of one of these tasks."""
        return any(bool(table.held[rows].any()) for table, rows, _ in self._by_job(ids))

    def effects(self) -> tuple[list[tuple[int, ToWorker]], list[tuple[int, ToClient]]]:
        """Place what can be placed; then all messages since the last call, for workers and for clients, in order."""
        for table in [table for table in self._unplaced_nested.values() if self._place_all(table)]:
            del self._unplaced_nested[table.base]
        if self._unplaced and self.loads.want_more():
            self._place()
        if self._validate:
            audit(self.tables.values(), self.loads)
        to_workers, self._to_workers = self._to_workers, []
        to_clients, self._to_clients = self._to_clients, []
        return to_workers, to_clients

    # ---- placing

    def _place(self) -> None:
        for table in list(self._unplaced.values()):
            if self._place_all(table):
                del self._unplaced[table.base]
            elif not self.loads.want_more():
                return

    def _place_all(self, table: TaskTable) -> bool:
        """Place what there is room for; whether that was all of the job."""
        if table.blocked and not self._unblock(table):
            return False
        loads = self._loads_of(table)
        while loads.want_more():
            rows = table.next_waiting(loads.most())
            if not len(rows):
                return True
            seconds = table.expected_seconds(rows, loads.horizon * UNKNOWN_SHARE)
            k = loads.run_length(seconds)
            self._place_run(table, rows[:k], seconds[:k])
        return False

    def _loads_of(self, table: TaskTable) -> Loads:
        return self.loads if table.own_loads is None else table.own_loads

    def _place_run(self, table: TaskTable, rows: Ints, seconds: NDArray[np.float64]) -> None:
        counts, deps = table.dependencies(rows)
        workers = self._choose(table, rows, counts, deps, seconds)
        move(table.state, rows, Move.PLACE)
        table.cursor = int(rows[-1]) + 1
        table.worker[rows] = workers
        table.attempt[rows] += 1
        table.estimate[rows] = seconds
        self._loads_of(table).placed(workers, table.estimate[rows])
        indptr = row_starts(counts)
        if len(self.loads.threads) == 1:
            self._send_run(table, 0, rows, indptr, deps)
            return
        owners = np.repeat(workers, counts)
        for worker in np.unique(workers).tolist():
            mine = workers == worker
            self._send_run(table, worker, rows[mine], row_starts(counts[mine]), deps[owners == worker])

    def _choose(
        self, table: TaskTable, rows: Ints, counts: Ints, deps: Ints, seconds: NDArray[np.float64]
    ) -> NDArray[np.int32]:
        if len(self.loads.threads) == 1:
            return np.zeros(len(rows), np.int32)
        inner = np.searchsorted(rows, deps)
        inner[rows[np.minimum(inner, len(rows) - 1)] != deps] = -1
        return choose_workers(counts, table.worker[deps], inner, table.nbytes[deps], seconds, self._loads_of(table))

    def _send_run(self, table: TaskTable, worker: int, rows: Ints, indptr: Ints, deps: Ints) -> None:
        if worker not in table.knows:
            table.knows.add(worker)
            layers = table.job.layers
            self._to_workers.append(
                (worker, Kernels(range(table.first_layer, table.first_layer + len(layers)), layers))
            )
        message = Place(
            ids=rows + table.base,
            attempts=table.attempt[rows],
            layers=table.job.layer[rows] + table.first_layer,
            params=table.job.params(rows),
            indptr=indptr,
            deps=table.ids(deps),
            homes=table.worker[deps],
        )
        self._to_workers.append((worker, message))

    def _unblock(self, table: TaskTable) -> bool:
        """Whether all that a job needs of earlier ones is placed; if so, note where."""
        for foreign in table.foreign:
            if (foreign.owner.state[foreign.there] == TaskState.WAITING).any():
                return False
        for foreign in table.foreign:
            table.worker[foreign.here] = foreign.owner.worker[foreign.there]
            table.nbytes[foreign.here] = foreign.owner.nbytes[foreign.there]
        table.blocked = False
        return True

    # ---- ends of tasks

    def _fail(self, table: TaskTable, rows: Ints, failure: TaskFailure) -> None:
        """Fail rows and all that depends on them, in later jobs too."""
        left = deque([(table, rows)])
        while left:
            table, rows = left.popleft()
            state = table.state[rows]
            rows = rows[(state == TaskState.WAITING) | (state == TaskState.PLACED)]
            if not len(rows):
                continue
            placed = rows[table.state[rows] == TaskState.PLACED]
            move(table.state, rows, Move.FAIL)
            self._unload(table, placed)
            self._drop(table, placed)
            table.live -= len(rows)
            held = rows[table.held[rows] > 0]
            if len(held):
                table.failures.update(dict.fromkeys(held.tolist(), failure))
                self._to_clients.append((table.client, Broken(table.base, held + table.base, failure)))
            left.append((table, np.unique(table.dependents(rows))))
            left.extend(table.dependents_in_later_jobs(rows))
            self._let_go(table, table.no_longer_waited_for(table.dependencies(rows)[1]))
            self._free_if_over(table)

    def _let_go(self, table: TaskTable, rows: Ints) -> None:
        """Nobody waits for these rows now: release what is finished, cancel what is not and, backwards, its needs."""
        left = [(table, rows)] if len(rows) else []
        while left:
            table, rows = left.pop()
            if rows[-1] >= table.n:
                for foreign in table.foreign:
                    there = foreign.there[np.isin(foreign.here, rows)]
                    alone = foreign.owner.no_longer_waited_for(there)
                    left += [(foreign.owner, alone)] if len(alone) else []
                rows = rows[rows < table.n]
            state = table.state[rows]
            finished = rows[state == TaskState.FINISHED]
            move(table.state, finished, Move.RELEASE)
            unfinished = rows[(state == TaskState.WAITING) | (state == TaskState.PLACED)]
            placed = unfinished[table.state[unfinished] == TaskState.PLACED]
            move(table.state, unfinished, Move.CANCEL)
            self._unload(table, placed)
            self._drop(table, np.concatenate([finished, placed]) if len(placed) else finished)
            table.live -= len(finished) + len(unfinished)
            before = table.no_longer_waited_for(table.dependencies(unfinished)[1]) if len(unfinished) else unfinished
            if len(before):
                left.append((table, before))
            else:
                self._free_if_over(table)

    def _drop(self, table: TaskTable, rows: Ints) -> None:
        if not len(rows):
            return
        workers = table.worker[rows]
        for worker in [0] if len(self.loads.threads) == 1 else np.unique(workers).tolist():
            self._to_workers.append((worker, Drop(rows[workers == worker] + table.base)))

    def _unload(self, table: TaskTable, rows: Ints) -> None:
        if len(rows):
            self._loads_of(table).gone(table.worker[rows], table.estimate[rows])

    # ---- jobs

    def _adopt_inputs(self, table: TaskTable, inputs: Ints) -> list[tuple[Ints, TaskFailure]]:
        """Hold the outputs of earlier jobs that a new one needs; those that have failed already, and why."""
        table.foreign_ids = inputs
        found = 0
        failed: list[tuple[Ints, TaskFailure]] = []
        for owner, there, which in self._by_job(inputs):
            at = np.arange(len(inputs))[which]
            alive = owner.held[there] > 0
            found += int(alive.sum())
            used = (
                table.waiters[at + table.n] > 0
            )  # one that is wanted itself, and no more, is none of this job's business
            table.foreign.append(Foreign(owner, there[used], at[used] + table.n))
        if found < len(inputs):
            raise GraphError(
                f"{len(inputs) - found} of the {len(inputs)} futures that the graph depends on were released "
                "or cancelled; keep a reference to a future for as long as something is to be computed from it"
            )
        for foreign in table.foreign:
            foreign.owner.later[table.base] = table
            np.add.at(foreign.owner.waiters, foreign.there, 1)
            for there, here in zip(foreign.there.tolist(), foreign.here.tolist()) if foreign.owner.failures else ():
                if there in foreign.owner.failures:
                    failed.append((np.array([here]), foreign.owner.failures[there]))
        return failed

    def _free_if_over(self, table: TaskTable) -> None:
        if table.over and self.tables.pop(table.base, None) is not None:
            del self._bases[bisect_right(self._bases, table.base) - 1]
            self._unplaced.pop(table.base, None)
            self._unplaced_nested.pop(table.base, None)
            table.forget_foreign()
            layers = range(table.first_layer, table.first_layer + len(table.job.layers))
            self._to_workers += [(worker, ForgetKernels(layers)) for worker in table.knows]

    def _by_job(self, ids: Ints) -> list[tuple[TaskTable, Ints, Ints | slice]]:
        """Split ids by job: each table, its rows, where they stand in `ids`. Ids of jobs that are over are left out."""
        if not len(ids) or not self._bases:
            return []
        lowest, highest = int(ids.min()), int(ids.max())
        first, last = bisect_right(self._bases, lowest) - 1, bisect_right(self._bases, highest) - 1
        if first == last and first >= 0:  # nearly always, and then nothing need be copied
            table = self.tables[self._bases[first]]
            if highest < table.base + table.n:
                return [(table, ids - table.base, _ALL)]
        which = np.searchsorted(self._bases, ids, side="right") - 1
        parts: list[tuple[TaskTable, Ints, Ints | slice]] = []
        for number in np.unique(which[which >= 0]).tolist():
            table = self.tables[self._bases[number]]
            at = np.flatnonzero((which == number) & (ids < table.base + table.n))
            if len(at):
                parts.append((table, ids[at] - table.base, at))
        return parts
