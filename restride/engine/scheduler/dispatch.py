"""Which tasks are placed when, where, and by what message: the scheduler's hands, as `placement` is its eye.

Jobs take turns by priority, then by client, the one that has had least coming first, then in the order of their
coming. The next run of rows of a job is always placeable, as whatever it depends on has a smaller row and so is placed
already, or is placed in the same run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from restride.engine.graphs.csr import Ints, distinct, row_starts, take_rows
from restride.engine.graphs.options import Options
from restride.engine.messages import Await, Deliver, Drop, ForgetKernels, Kernels, Moved, Place, Replicate, ToWorker
from restride.engine.scheduler.placement import LEAST_TASKS, UNKNOWN_SHARE, Loads, choose_workers
from restride.engine.scheduler.stealing import Stealing, takers
from restride.engine.scheduler.task_states import PLACED, WAITING, Move, move
from restride.engine.scheduler.tasks import TaskTable
from restride.engine.scheduler.turns import Turns

_MOST_NAMES = 10_000
"""Durations are known by name of layer for so many of them."""
MESSAGE_TASKS = 8192
"""Tasks in a message at most, so that a worker can begin with the first while the last are on their way."""


@dataclass(frozen=True, slots=True)
class WorkerTraits:
    """What jobs may ask for in a worker."""

    names: frozenset[str] = frozenset()
    """Its name, its addresses, its host."""
    resources: Mapping[str, float] = field(default_factory=dict)

    def suit(self, options: Options) -> bool:
        """Whether it may run a job's tasks."""
        return (not options.workers or not self.names.isdisjoint(options.workers)) and all(
            self.resources.get(name, 0.0) >= amount for name, amount in options.resources.items()
        )


class Dispatch:
    """Tables with tasks to place, workers to place them at, and what is to be sent to these.

    Parameters
    ----------
    horizon : float
        Seconds of work, by the moving averages of durations, that a thread has placed ahead of it.
    most_tasks : int
        How many tasks a thread has placed ahead of it at most.

    Attributes
    ----------
    loads : Loads
        What workers have before them.
    outbox : list of (int, ToWorker)
        Messages that wait to be sent, by number of worker.
    deliveries : list of (int, Deliver)
        The same, by number of client.
    there : set of int
        Workers that have come and are not gone.
    deaf : dict of int to int
        Those of them that do not listen, and take no tasks; and how many threads they have.
    """

    def __init__(self, horizon: float, most_tasks: int) -> None:
        self.loads = Loads(horizon, most_tasks)
        self.outbox: list[tuple[int, ToWorker]] = []
        self.deliveries: list[tuple[int, Deliver]] = []
        self.there: set[int] = set()
        self.deaf: dict[int, int] = {}
        self.turns = Turns()
        """Tables with tasks that have not been placed, but for those in `nested`."""
        self.nested: dict[int, TaskTable] = {}
        """The same, of nested jobs, by base."""
        self.stealing = Stealing()
        self._scattered = 0
        """How many scattered outputs have been given a worker."""
        self._traits: list[WorkerTraits] = []
        self._durations: dict[str, float] = {}
        """Seconds, by name of layer."""

    def add_worker(self, threads: int, traits: WorkerTraits, tables: Iterable[TaskTable]) -> int:
        """A worker has come; its number."""
        self._traits.append(traits)
        self.stealing.worker_came()
        for table in tables:
            if table.own_loads is not None:
                table.own_loads.add_worker(threads)
            self.allow(table)
        number = self.loads.add_worker(threads)
        self.there.add(number)
        return number

    def remove_worker(self, worker: int, tables: Iterable[TaskTable]) -> None:
        """A worker is gone: nothing is placed there, or sent there, any more."""
        self.there.discard(worker)
        self.deaf.pop(worker, None)
        for table in tables:
            table.knows.discard(worker)
        self._set_threads(worker, 0, tables)
        self.stealing.worker_lost(worker)
        self.outbox = [(number, message) for number, message in self.outbox if number != worker]

    def pause(self, worker: int, tables: Iterable[TaskTable]) -> None:
        """A worker does not listen: nothing is placed there until it does."""
        if worker not in self.deaf:
            self.deaf[worker] = int(self.loads.threads[worker])
            self._set_threads(worker, 0, tables)
            self.stealing.worker_lost(worker)

    def resume(self, worker: int, tables: Iterable[TaskTable]) -> None:
        """A worker listens again."""
        self._set_threads(worker, self.deaf.pop(worker), tables)
        self.stealing.worker_came()

    def _set_threads(self, worker: int, threads: int, tables: Iterable[TaskTable]) -> None:
        for loads in (self.loads, *(table.own_loads for table in tables if table.own_loads is not None)):
            loads.set_threads(worker, threads)

    def suits_somebody(self, options: Options) -> bool:
        """Whether there is a worker that may run a job."""
        return any(self._traits[worker].suit(options) for worker in self.there)

    def is_taken(self, table: TaskTable) -> bool:
        """Whether some worker takes tasks of a job now."""
        able = self.loads.threads > 0 if table.allowed is None else (self.loads.threads > 0) & table.allowed
        return bool(able.any())

    def forget_client(self, client: int) -> None:
        """A client is gone."""
        self.turns.forget_client(client)

    def wait(self, table: TaskTable) -> None:
        """Some of a job's tasks wait to be placed."""
        if table.own_loads is None:
            self.turns.add(table)
        else:
            self.nested[table.base] = table

    def forget(self, table: TaskTable) -> None:
        """Nothing of a job will run any more; or if so, then as if it had come anew."""
        self.turns.remove(table)
        self.nested.pop(table.base, None)
        layers = list(range(table.first_layer, table.first_layer + len(table.job.layers)))
        self.outbox += [(worker, ForgetKernels(layers)) for worker in table.knows]
        table.knows.clear()

    # ---- placing

    def place(self) -> None:
        """Place what can be placed."""
        for table in [table for table in self.nested.values() if self._place_all(table)]:
            del self.nested[table.base]
        while self.turns:
            passed = [
                self._place_by_turns(self.turns.by_priority[priority])
                for priority in sorted(self.turns.by_priority, reverse=True)
            ]
            if not any(placed for placed, _ in passed) or not any(blocked for _, blocked in passed):
                break
        if self.turns:
            self._place_first_few()

    def _place_by_turns(self, queues: dict[int, list[TaskTable]]) -> tuple[bool, bool]:
        """Place jobs of one priority: of several clients each in turn a share of what there is room for.

        Returns
        -------
        placed, blocked : bool
            Whether anything was placed; whether some job must wait for what is not.
        """
        at = dict.fromkeys(queues, 0)
        placed = blocked = False
        while at and self.loads.want_more():
            client = self.turns.least_served(at)
            queue = queues[client]
            table = queue[at[client]]
            before = table.cursor
            if self._place_all(table, 1 / len(at)):
                self.turns.remove(table)
            elif len(at) == 1 or table.cursor == before:
                at[client] += 1
            placed = placed or table.cursor > before
            blocked = blocked or table.blocked
            if at[client] == len(queue):
                del at[client]
        return placed, blocked

    def _place_first_few(self) -> None:
        """Who is next need not wait for room, if next to nothing of its is placed: workers let clients take turns."""
        queues = self.turns.by_priority[max(self.turns.by_priority)]
        left = dict.fromkeys(queues, 0)
        while left:
            client = self.turns.least_served(left)
            before = self.turns.placed.get(client, 0)
            if not self._may_have_few(client, self.loads):
                return
            for table in list(queues[client]):
                self._place_few(table)
            if client not in queues or self.turns.placed.get(client, 0) == before:
                del left[client]

    def _place_few(self, table: TaskTable) -> None:
        loads = self.loads if table.allowed is None else self.loads.among(table.allowed)
        while (few := self._may_have_few(table.client, loads)) and not (table.blocked and not self._unblock(table)):
            rows = table.next_waiting(few)
            if not len(rows):
                self.turns.remove(table)
                return
            self._place_run(table, rows, table.expected_seconds(rows, self._durations, self._unknown), loads)

    def _may_have_few(self, client: int, loads: Loads) -> int:
        """How many more tasks a client may have placed however little room there is."""
        return max(LEAST_TASKS * int(loads.threads.sum()) - self.turns.placed.get(client, 0), 0)

    def _place_all(self, table: TaskTable, share: float = 1.0) -> bool:
        """Place what there is room for, or a share of that; whether that was all of the job."""
        if table.blocked and not self._unblock(table):
            return False
        loads = self._loads_of(table)
        if table.allowed is not None:
            loads = loads.among(table.allowed)
        while loads.want_more():
            rows = table.next_waiting(min(loads.most(), MESSAGE_TASKS * len(loads.threads)))
            if not len(rows):
                return True
            seconds = table.expected_seconds(rows, self._durations, self._unknown)
            k = loads.run_length(seconds, share)
            self._place_run(table, rows[:k], seconds[:k], loads)
            if table.cursor == table.n:
                return True
            if share < 1.0:
                break
            if table.allowed is not None:
                loads = self._loads_of(table).among(table.allowed)
        return False

    @property
    def _unknown(self) -> float:
        """What a task of unknown duration counts for, in seconds."""
        return self.loads.horizon * UNKNOWN_SHARE

    def _loads_of(self, table: TaskTable) -> Loads:
        return self.loads if table.own_loads is None else table.own_loads

    def _place_run(self, table: TaskTable, rows: Ints, seconds: NDArray[np.float64], loads: Loads) -> None:
        counts, deps = table.dependencies(rows)
        workers = self._choose(table, rows, counts, deps, seconds, loads)
        table.cursor = int(rows[-1]) + 1
        self._assign(table, rows, workers, seconds)
        placed_seconds = float(seconds.sum())
        self.turns.served(table.client, placed_seconds)
        self.stealing.worked(placed_seconds)
        if len(self.loads.threads) == 1:
            self._send_run(table, 0, rows, row_starts(counts), deps)
            return
        self._send_runs(table, workers, rows, counts, deps)

    def _assign(self, table: TaskTable, rows: Ints, workers: NDArray[np.int32], seconds: NDArray[np.float64]) -> None:
        move(table.state, rows, Move.PLACE)
        table.worker[rows] = workers
        table.attempt[rows] += 1
        table.estimate[rows] = seconds
        table.asked_back[rows] = False
        table.placed += len(rows)
        self.turns.count_placed(table.client, len(rows))
        self._loads_of(table).placed(workers, table.estimate[rows])
        for row in [row for row in rows.tolist() if row in table.replicas] if table.replicas else ():
            moved = Moved(np.array([row + table.base]), table.worker[row : row + 1])
            self.outbox += [(worker, moved) for worker in table.replicas[row]]

    def place_again(self, table: TaskTable, rows: Ints, workers: NDArray[np.int32]) -> None:
        """Give placed tasks, whose dependencies are all placed, to these workers; who waits for them hears of it."""
        before = table.worker[rows]
        self.unload(table, rows)
        move(table.state, rows, Move.UNDO)
        self._assign(table, rows, workers, table.expected_seconds(rows, self._durations, self._unknown))
        counts, deps = table.dependencies(rows)
        self._send_runs(table, workers, rows, counts, deps)
        self.tell_moved(table, rows[before != workers])

    def place_elsewhere(self, table: TaskTable, rows: Ints, worker: int) -> None:
        """Try a task again: at the worker with least to do, another one if there is."""
        loads = self._loads_of(table)
        able = loads.threads > 0 if table.allowed is None else (loads.threads > 0) & table.allowed
        if able.sum() > 1:
            able[worker] = False
        candidates = np.flatnonzero(able)
        best = candidates[(loads.seconds[candidates] / loads.threads[candidates]).argmin()]
        self.place_again(table, rows, np.full(len(rows), best, np.int32))

    def place_given_back(self, table: TaskTable, rows: Ints, idle: list[int]) -> None:
        """A worker has given back tasks: those get them that had too little to do."""
        seconds = table.expected_seconds(rows, self._durations, self._unknown)
        self.place_again(table, rows, takers(table, seconds, self._loads_of(table), idle))

    def tell_moved(self, table: TaskTable, rows: Ints) -> None:
        """Tell the workers with placed dependents of these rows where the outputs are, or will be."""
        if not len(rows):
            return
        for later in table.later.values():
            later.note_homes(table)
        for waiting, there, dependents in [
            (table, *_edges(table, rows)),
            *((later, there, dependents) for later, there, dependents in table.edges_to_later_jobs(rows)),
        ]:
            placed = waiting.state[dependents] == PLACED
            there, workers = there[placed], waiting.worker[dependents[placed]]
            for worker in distinct(workers).tolist():
                moved = distinct(there[workers == worker])
                self.outbox.append((worker, Moved(moved + table.base, table.worker[moved])))

    def _choose(
        self,
        table: TaskTable,
        rows: Ints,
        counts: Ints,
        deps: Ints,
        seconds: NDArray[np.float64],
        loads: Loads,
    ) -> NDArray[np.int32]:
        if len(self.loads.threads) == 1:
            return np.zeros(len(rows), np.int32)
        if table.options.scattered:  # workers take turns: what counts is bytes, and those are not known here
            alive = np.flatnonzero(loads.threads)
            turns = self._scattered + np.arange(len(rows))
            self._scattered += len(rows)
            return alive[turns % len(alive)].astype(np.int32)
        inner, homes = _inner_and_homes(table, rows, deps)
        position = table.positions(rows) if len(rows) > 1 else None
        return choose_workers(counts, homes, inner, table.expected_nbytes(deps), seconds, loads, position)

    def _send_runs(self, table: TaskTable, workers: NDArray[np.int32], rows: Ints, counts: Ints, deps: Ints) -> None:
        if len(rows) == 1:
            self._send_run(table, int(workers[0]), rows, row_starts(counts), deps)
            return
        owners = np.repeat(workers, counts)
        for worker in distinct(workers).tolist():
            mine = workers == worker
            self._send_run(table, worker, rows[mine], row_starts(counts[mine]), deps[owners == worker])

    def _send_run(self, table: TaskTable, worker: int, rows: Ints, indptr: Ints, deps: Ints) -> None:
        if table.options.scattered:
            self.outbox.append((worker, Await(rows + table.base, table.attempt[rows])))
            self.deliveries.append((table.client, Deliver(rows + table.base, table.worker[rows])))
            return
        if worker not in table.knows:
            table.knows.add(worker)
            layers = table.job.layers
            self.outbox.append((worker, Kernels(range(table.first_layer, table.first_layer + len(layers)), layers)))
        message = Place(
            ids=rows + table.base,
            attempts=table.attempt[rows],
            layers=table.job.layer[rows] + table.first_layer,
            params=table.job.params(rows),
            indptr=indptr,
            deps=table.ids(deps),
            homes=table.worker[deps],
            wanted=table.held[rows] > 0,
            client=table.client,
        )
        self.outbox.append((worker, message))

    def _unblock(self, table: TaskTable) -> bool:
        """Whether all that a job needs of earlier ones is placed; if so, note where."""
        for foreign in table.foreign:
            waiting = foreign.owner.state[foreign.there] == WAITING
            if waiting.any() and (table.waiters[foreign.here[waiting]] > 0).any():
                return False
        for foreign in table.foreign:
            table.note_homes(foreign.owner)
        table.blocked = False
        return True

    def allow(self, table: TaskTable) -> None:
        options = table.options
        if options.workers or options.resources:
            table.allowed = np.array([traits.suit(options) for traits in self._traits], np.bool_)

    def learn(self, table: TaskTable, rows: Ints, seconds: NDArray[np.float64]) -> None:
        """Take in durations; where an average has jumped, reckon loads anew with it."""
        if len(self._durations) > _MOST_NAMES:
            self._durations.clear()
        taken = float(seconds.sum())
        self.stealing.worked(taken)
        self.turns.correct(table.client, taken - float(table.estimate[rows].sum()))
        jumped = table.learn(rows, seconds, self._durations)
        if len(jumped) and table.placed:
            placed = table.placed_rows(jumped)
            loads = self._loads_of(table)
            loads.gone(table.worker[placed], table.estimate[placed])
            table.estimate[placed] = table.expected_seconds(placed, self._durations, 0.0)
            loads.placed(table.worker[placed], table.estimate[placed])

    def take_back(self, tables: Collection[TaskTable]) -> None:
        """Ask workers with much before them for tasks that those without could run at once."""
        self.outbox += self.stealing.take_back(self.loads, tables)

    # ---- what is sent

    def replicate(self, table: TaskTable, rows: Ints, worker: int) -> None:
        """Have a worker fetch outputs, wherever they will be, and hold them until they are dropped."""
        if len(rows):
            for row in rows.tolist():
                table.replicas.setdefault(row, set()).add(worker)
            self.outbox.append((worker, Replicate(rows + table.base, table.worker[rows])))

    def drop(self, table: TaskTable, rows: Ints) -> None:
        if not len(rows):
            return
        workers = table.worker[rows]
        for worker in [0] if len(self.loads.threads) == 1 else distinct(workers).tolist():
            if worker in self.there:
                self.outbox.append((worker, Drop(rows[workers == worker] + table.base)))
        for row in [row for row in rows.tolist() if row in table.replicas] if table.replicas else ():
            for worker in table.replicas.pop(row):
                self.outbox.append((worker, Drop(np.array([row + table.base]))))

    def unload(self, table: TaskTable, rows: Ints) -> None:
        if len(rows):
            table.placed -= len(rows)
            self.turns.count_placed(table.client, -len(rows))
            self._loads_of(table).gone(table.worker[rows], table.estimate[rows])


def _inner_and_homes(table: TaskTable, rows: Ints, deps: Ints) -> tuple[Ints, NDArray[np.int32]]:
    """Of each dependency: which of the rows it is, or -1; its worker, or -1 where it is one of them."""
    if not len(deps):
        return deps, table.worker[deps]
    inner = np.searchsorted(rows, deps)
    inner[rows[np.minimum(inner, len(rows) - 1)] != deps] = -1
    return inner, np.where(inner < 0, table.worker[deps], -1)  # a task that is placed anew still has its old one


def _edges(table: TaskTable, rows: Ints) -> tuple[Ints, Ints]:
    """The edges from rows to their dependents in the same job: both ends."""
    counts, dependents = take_rows(table.job.rindptr, table.job.rindices, rows)
    return np.repeat(rows, counts), dependents
