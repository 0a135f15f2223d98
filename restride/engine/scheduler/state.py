"""The scheduler: columns in, columns out; no sockets, no clock, no loop over tasks.

Events come in by the methods of `SchedulerState`, each a batch; effects, messages for workers and clients, leave by
`effects`, which first places what can be placed. Placement follows the static order: the next run of rows of a job is
always placeable, as whatever it depends on has a smaller row and so is placed already, or is placed in the same run. So
no task waits here for its dependencies to finish: workers do that, and the scheduler runs ahead of them.

An output is kept while somebody waits for it: a dependent that has not finished, a client, a later job. When the last
one goes, a finished output is released and an unfinished task is cancelled, and with it, backwards, what was needed for
it alone. Cancelling a computation is no more than its client's letting go.

Whatever a lost worker had, and what is needed to have it again, is undone (`scheduler.recovery`): it waits again
to be placed, with attempts of a higher number, so that late news of an old one is told by that.

A batch of one costs about 100 µs through submit, place, finish and release; batches of thousands 0.2 µs a task
(``python -m benchmarks micro``).
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import deque
from collections.abc import Iterable

import numpy as np

from restride.engine.graphs.csr import Ints, distinct
from restride.engine.graphs.job import Job
from restride.engine.graphs.options import Options
from restride.engine.messages import (
    Broken,
    Done,
    Failed,
    Finished,
    GivenBack,
    TaskFailure,
    ToClient,
    ToWorker,
    Undeliverable,
    Undone,
    Unneeded,
)
from restride.engine.scheduler.audit import audit
from restride.engine.scheduler.dispatch import Dispatch, WorkerTraits
from restride.engine.scheduler.numbering import Numbering
from restride.engine.scheduler.placement import MOST_TASKS, Loads
from restride.engine.scheduler.recovery import give_up_killer, give_up_scattered, not_begun, undo, without_home
from restride.engine.scheduler.task_states import FAILED, FINISHED, PLACED, WAITING, Move, move
from restride.engine.scheduler.tasks import ONE, Foreign, TaskTable
from restride.errors import GraphError

_ALL = slice(None)
LINEAGE_BYTES = 600_000_000
"""What jobs that are over, and remembered lest a worker is lost, take at most: the columns of 4 million tasks."""


class SchedulerState:
    """All that the scheduler knows.

    Parameters
    ----------
    horizon : float
        Seconds of work, by the moving averages of durations, that a thread has placed ahead of it.
    validate : bool
        Check every invariant after every batch. Slow; for tests.
    numbering : Numbering, optional
        Of the scheduler whose place this one takes.
    most_tasks : int
        How many tasks a thread has placed ahead of it at most.
    lineage : bool
        Remember how to compute what later jobs were made from, as workers may be lost.
    """

    def __init__(
        self,
        *,
        horizon: float = 0.2,
        validate: bool = False,
        numbering: Numbering | None = None,
        most_tasks: int = MOST_TASKS,
        lineage: bool = False,
    ) -> None:
        self.tables: dict[int, TaskTable] = {}
        """By base, in the order of submission."""
        self.dispatch = Dispatch(horizon, most_tasks)
        self.numbering = numbering or Numbering()
        self.lineage = lineage
        self._validate = validate
        self._bases: list[int] = []
        self._remembered: dict[int, TaskTable] = {}
        """Jobs that are over, or were, but that later ones could need again; the oldest first."""
        self._remembered_nbytes = 0
        self._cancelled: list[tuple[TaskTable, Ints]] | None = None
        """Placed tasks that are being cancelled, where somebody wants to know."""
        self._to_clients: list[tuple[int, ToClient]] = []

    @property
    def loads(self) -> Loads:
        """What workers have before them."""
        return self.dispatch.loads

    # ---- events

    def add_worker(self, threads: int, traits: WorkerTraits | None = None) -> int:
        """A worker with this many threads has come; its number."""
        return self.dispatch.add_worker(threads, traits or WorkerTraits(), self.tables.values())

    def lose_worker(self, worker: int, running: Ints | None = None) -> None:
        """A worker is gone, and all that it held: whatever of it somebody still needs is placed anew.

        Parameters
        ----------
        worker : int
        running : int64 array, optional
            Ids of the tasks that it was at when it died; one that has seen `MOST_DEATHS` of that fails.
        """
        tables = list(self.tables.values())
        self.dispatch.remove_worker(worker, tables)
        undo(self, [(table, rows) for table in tables if table.live and len(rows := without_home(table, worker))])
        if running is not None:
            give_up_killer(self, running)
        give_up_scattered(self)

    def go_deaf(self, workers: Iterable[int], running: Ints) -> None:
        """Workers do not listen, for nobody knows how long: others get what they have not begun, and what comes.

        It may be said again while that lasts, as others may have come since. Outputs stay where they are.

        Parameters
        ----------
        workers : iterable of int
        running : int64 array
            Ids of the tasks that they are at.
        """
        deaf = sorted(self.dispatch.there.intersection(workers))
        for worker in deaf:
            self.dispatch.pause(worker, self.tables.values())
        undo(self, not_begun(self, deaf, running))

    def speaks(self, worker: int) -> None:
        """A worker has something to say, so that it listens, too; to be told before what it says."""
        if worker in self.dispatch.deaf:
            self.dispatch.resume(worker, self.tables.values())

    def submit(
        self, job: Job, client: int, inputs: Ints, *, nested: bool = False, options: Options | None = None
    ) -> int:
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
        options : Options, optional

        Returns
        -------
        int
            The id of the job's first task.

        Raises
        ------
        GraphError
            An input that nobody holds any more.
        """
        options = options or Options()
        base = self.numbering.ids(job.n, priority=options.priority, nested=nested)
        table = TaskTable(job, base, self.numbering.layers(len(job.layers)), client, options)
        table.own_loads = self.loads.without_tasks() if nested or options.scattered else None
        self.dispatch.allow(table)
        failed = self._adopt_inputs(table, inputs)
        self.tables[base] = table
        self.dispatch.wait(table)
        insort(self._bases, base)
        for rows, failure in failed:
            self.fail(table, distinct(table.dependents(rows)), failure)
        self.free_if_over(table)
        return table.base

    def release(self, ids: Ints, client: int | None = None) -> None:
        """A client lets go of outputs that it held; what only it needed is released, or cancelled.

        Parameters
        ----------
        ids : int64 array
            Once for each time that it held them.
        client : int, optional
            Who; the one that has submitted them where it is not said.
        """
        for table, rows, _ in self.by_job(ids):
            if client is not None:
                rows = table.leave(client, rows)
            self._release(table, rows)

    def cancel(self, ids: Ints, client: int | None = None) -> dict[int, Ints]:
        """As `release`; also which tasks, that may run at this moment, were cancelled by it, by worker."""
        self._cancelled = []
        self.release(ids, client)
        return self._take_cancelled()

    def hold(self, ids: Ints, client: int) -> None:
        """A client holds outputs, once more, that some client holds already; it hears of them as their own does.

        Raises
        ------
        GraphError
            Nobody holds one of them any more.
        """
        parts = self.by_job(ids)
        if sum(int((table.held[rows] > 0).sum()) for table, rows, _ in parts) < len(ids):
            raise GraphError("an output that nobody holds any more cannot be shared")
        for table, rows, _ in parts:
            if client != table.client:
                guest = table.guests.setdefault(client, {})
                for row in rows.tolist():
                    guest[row] = guest.get(row, 0) + 1
            np.add.at(table.held, rows, ONE)
            np.add.at(table.waiters, rows, ONE)
            self._tell_how_it_stands(table, distinct(rows), client)

    def replicate(self, ids: Ints, workers: Ints) -> None:
        """Have workers fetch outputs that exist, and hold them until they are dropped."""
        for table, rows, _ in self.by_job(ids):
            rows = rows[table.state[rows] == FINISHED]
            for worker in self.dispatch.there.intersection(workers.tolist()):
                self.dispatch.replicate(table, rows[table.worker[rows] != worker], worker)

    def lose_client(self, client: int) -> dict[int, Ints]:
        """A client is gone, and lets go of all that it held; which tasks, that may run, were cancelled by that."""
        self._cancelled = []
        for table in list(self.tables.values()):
            if table.client == client or client in table.guests:
                rows = table.held_by(client)
                table.guests.pop(client, None)
                self._release(table, rows)
            if table.client == client:
                table.orphaned = True
        self.dispatch.forget_client(client)
        give_up_scattered(self)
        return self._take_cancelled()

    def finished(self, worker: int, news: Finished) -> None:
        """A worker has finished tasks. News of tasks that were dropped, or of an old attempt, is dropped on entry."""
        self.dispatch.stealing.goes_on(worker)
        ended: list[tuple[TaskTable, Ints]] = []
        for table, rows, at in self.by_job(news.ids):
            current = (
                (table.state[rows] == PLACED)
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
            self.dispatch.unload(table, rows)
            self.dispatch.learn(table, rows, seconds)
            self.tell_done(table, rows)
            ended.append((table, rows))
        for table, _ in ended:
            table.live += 1  # none is over, and forgotten, before its own part of the news is taken in
        for table, rows in ended:  # once all have finished, as those of one job may have used outputs of another's
            table.live -= 1
            self._let_go(table, table.no_longer_waited_for(table.dependencies(rows)[1]))
            self.free_if_over(table)

    def failed(self, worker: int, news: Failed) -> None:
        """A task has raised: it and whatever depends on it has failed; everything else goes on."""
        for table, rows, _ in self.by_job(np.array([news.id])):
            row = rows[0]
            if table.state[row] == PLACED and table.worker[row] == worker and table.attempt[row] == news.attempt:
                if table.tries.get(int(row), 0) < table.options.retries:
                    table.tries[int(row)] = table.tries.get(int(row), 0) + 1
                    self.dispatch.place_elsewhere(table, rows, worker)
                    continue
                failure = TaskFailure(news.exception, news.traceback, table.job.task_name(row), table.job.origin(row))
                self.fail(table, rows, failure)
                self.free_if_over(table)

    def undeliverable(self, client: int, news: Undeliverable) -> None:
        """A client cannot send what it has scattered: that has failed."""
        for table, rows, _ in self.by_job(np.array([news.id])):
            if table.options.scattered and table.client == client:
                name, origin = table.job.task_name(rows[0]), table.job.origin(rows[0])
                self.fail(table, rows, TaskFailure(news.exception, None, name, origin))
                self.free_if_over(table)

    def given_back(self, worker: int, news: GivenBack) -> None:
        """A worker gives back tasks that it has not begun: whoever they were asked back for gets them."""
        idle = self.dispatch.stealing.answered(worker)
        for table, rows, at in self.by_job(news.ids):
            current = (
                (table.state[rows] == PLACED)
                & (table.worker[rows] == worker)
                & (table.attempt[rows] == news.attempts[at])
            )
            rows = rows[current]
            if len(rows):
                self.dispatch.place_given_back(table, rows, idle)

    def falls_behind(self, worker: int) -> None:
        """A worker has tasks that it could run and has not begun, whatever it was expected to have done by now."""
        self.dispatch.stealing.falls_behind(worker)

    def base_of(self, id: int) -> int:
        """The id of the first task of a job, given one of its ids."""
        return self._bases[bisect_right(self._bases, id) - 1]

    def any_held(self, ids: Ints) -> bool:
        """Whether a client holds the output of one of these tasks."""
        return any(bool(table.held[rows].any()) for table, rows, _ in self.by_job(ids))

    def effects(self) -> tuple[list[tuple[int, ToWorker]], list[tuple[int, ToClient]]]:
        """Place what can be placed; then all messages since the last call, for workers and for clients, in order."""
        self.dispatch.place()
        if len(self.loads.threads) > 1:
            self.dispatch.take_back(self.tables.values())
        if self._validate:
            audit(self.tables.values(), self.dispatch)
        to_workers, self.dispatch.outbox = self.dispatch.outbox, []
        to_clients, self._to_clients = self._to_clients + self.dispatch.deliveries, []
        self.dispatch.deliveries = []
        return to_workers, to_clients

    # ---- ends of tasks

    def _release(self, table: TaskTable, rows: Ints) -> None:
        """Take one hold off each of the rows; repeats count."""
        if not len(rows):
            return
        np.subtract.at(table.held, rows, ONE)
        for row in rows[table.held[rows] == 0].tolist() if table.failures else ():
            table.failures.pop(row, None)
        self._let_go(table, table.no_longer_waited_for(rows))
        self.free_if_over(table)

    def _take_cancelled(self) -> dict[int, Ints]:
        """What has been cancelled since that was to be noted, by worker."""
        cancelled, self._cancelled = self._cancelled or [], None
        found: dict[int, list[Ints]] = {}
        for table, rows in cancelled:
            workers = table.worker[rows]
            for worker in np.unique(workers).tolist():
                found.setdefault(worker, []).append(rows[workers == worker] + table.base)
        return {worker: np.concatenate(ids) for worker, ids in found.items()}

    def _tell_how_it_stands(self, table: TaskTable, rows: Ints, client: int) -> None:
        finished = rows[table.state[rows] == FINISHED]
        if len(finished):
            self._to_clients.append((client, Done(table.base, finished + table.base, table.worker[finished])))
        for row in rows[table.state[rows] == FAILED].tolist():
            self._to_clients.append((client, Broken(table.base, np.array([row + table.base]), table.failures[row])))

    def tell_done(self, table: TaskTable, rows: Ints) -> None:
        """Tell the clients that hold some of the rows that these exist, and where."""
        for client, held in table.holders(rows):
            self._to_clients.append((client, Done(table.base, held + table.base, table.worker[held])))

    def tell_undone(self, table: TaskTable, rows: Ints) -> None:
        """Tell the clients that hold some of the rows that these do not exist any more, and will again."""
        for client, held in table.holders(rows):
            self._to_clients.append((client, Undone(table.base, held + table.base)))

    def fail(self, table: TaskTable, rows: Ints, failure: TaskFailure) -> None:
        """Fail rows and all that depends on them, in later jobs too."""
        left = deque([(table, rows)])
        while left:
            table, rows = left.popleft()
            state = table.state[rows]
            rows = rows[(state == WAITING) | (state == PLACED)]
            if not len(rows):
                continue
            placed = rows[table.state[rows] == PLACED]
            move(table.state, rows, Move.FAIL)
            self.dispatch.unload(table, placed)
            self.dispatch.drop(table, placed)
            table.live -= len(rows)
            held = rows[table.held[rows] > 0]
            if len(held):
                table.failures.update(dict.fromkeys(held.tolist(), failure))
                for client, of_client in table.holders(held):
                    self._to_clients.append((client, Broken(table.base, of_client + table.base, failure)))
            left.append((table, distinct(table.dependents(rows))))
            left.extend(table.dependents_in_later_jobs(rows))
            self._let_go(table, table.no_longer_waited_for(table.dependencies(rows)[1]))
            self.free_if_over(table)

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
            finished = rows[state == FINISHED]
            move(table.state, finished, Move.RELEASE)
            unfinished = rows[(state == WAITING) | (state == PLACED)]
            placed = unfinished[table.state[unfinished] == PLACED]
            move(table.state, unfinished, Move.CANCEL)
            self.dispatch.unload(table, placed)
            if self._cancelled is not None and len(placed):
                self._cancelled.append((table, placed))
            self.dispatch.drop(table, np.concatenate([finished, placed]) if len(placed) else finished)
            table.live -= len(finished) + len(unfinished)
            if table.options.scattered and not table.later:  # nothing that there is was made from them
                self._to_clients.append((table.client, Unneeded(rows + table.base)))
            before = table.no_longer_waited_for(table.dependencies(unfinished)[1]) if len(unfinished) else unfinished
            if len(before):
                left.append((table, before))
            else:
                self.free_if_over(table)

    # ---- jobs

    def _adopt_inputs(self, table: TaskTable, inputs: Ints) -> list[tuple[Ints, TaskFailure]]:
        """Hold the outputs of earlier jobs that a new one needs; those that have failed already, and why."""
        table.foreign_ids = inputs
        found = 0
        failed: list[tuple[Ints, TaskFailure]] = []
        for owner, there, which in self.by_job(inputs):
            at = np.arange(len(inputs))[which]
            alive = owner.held[there] > 0
            found += int(alive.sum())
            used = table.waiters[at + table.n] > 0
            if used.any():  # one that is wanted itself, and no more, is none of this job's business
                table.foreign.append(Foreign(owner, there[used], at[used] + table.n))
        if found < len(inputs):
            raise GraphError(
                f"{len(inputs) - found} of the {len(inputs)} futures that the graph depends on were released "
                "or cancelled; keep a reference to a future for as long as something is to be computed from it"
            )
        for foreign in table.foreign:
            foreign.owner.later[table.base] = table
            np.add.at(foreign.owner.waiters, foreign.there, ONE)
            for there, here in zip(foreign.there.tolist(), foreign.here.tolist()) if foreign.owner.failures else ():
                if there in foreign.owner.failures:
                    failed.append((np.array([here]), foreign.owner.failures[there]))
        return failed

    def free_if_over(self, table: TaskTable) -> None:
        """Forget a job when nobody can ask for anything of it any more, nor need anything of it again."""
        left = [table]
        while left:
            table = left.pop()
            if not table.over or self.tables.get(table.base) is not table:
                continue
            self.dispatch.forget(table)
            if self.lineage and table.later:
                self._remember(table)
                continue
            if self._remembered.pop(table.base, None) is not None:
                self._remembered_nbytes -= table.nbytes_here
            del self.tables[table.base]
            del self._bases[bisect_right(self._bases, table.base) - 1]
            left += [foreign.owner for foreign in table.foreign] if self.lineage else ()
            table.forget_foreign()
            table.forgotten_by_later()
            if table.options.scattered:
                self._to_clients.append((table.client, Unneeded(np.arange(table.base, table.base + table.n))))

    def _remember(self, table: TaskTable) -> None:
        """Keep a job that is over, as later ones were made from it; forget the oldest such ones where they are many."""
        if table.base not in self._remembered:
            self._remembered[table.base] = table
            self._remembered_nbytes += table.nbytes_here
        while self._remembered_nbytes > LINEAGE_BYTES:
            oldest = next((other for other in self._remembered.values() if other.over), None)
            if oldest is None:
                return
            oldest.forgotten_by_later()
            self.free_if_over(oldest)

    def by_job(self, ids: Ints) -> list[tuple[TaskTable, Ints, Ints | slice]]:
        """Split ids by job: each table, its rows, where they stand in `ids`. Ids of jobs that are over are left out."""
        if not len(ids) or not self._bases:
            return []
        lowest, highest = (int(ids[0]),) * 2 if len(ids) == 1 else (int(ids.min()), int(ids.max()))
        first, last = bisect_right(self._bases, lowest) - 1, bisect_right(self._bases, highest) - 1
        if first == last and first >= 0:  # nearly always, and then nothing need be copied
            table = self.tables[self._bases[first]]
            if highest < table.base + table.n:
                return [(table, ids - table.base, _ALL)]
        which = np.searchsorted(self._bases, ids, side="right") - 1
        parts: list[tuple[TaskTable, Ints, Ints | slice]] = []
        for number in distinct(which[which >= 0]).tolist():
            table = self.tables[self._bases[number]]
            at = np.flatnonzero((which == number) & (ids < table.base + table.n))
            if len(at):
                parts.append((table, ids[at] - table.base, at))
        return parts
