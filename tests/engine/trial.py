"""A scheduler and its workers without threads, sockets or a clock, each batch of messages checked against `Model`.

Whoever drives a `Trial` chooses what happens next. At each `exchange` exactly those messages must have been sent that
the model expects, nothing else; and whatever can be seen of the scheduler must agree with the model.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pytest

from restride.engine.graphs.options import Options
from restride.engine.messages import (
    Broken,
    Done,
    Drop,
    Failed,
    Finished,
    ForgetKernels,
    GivenBack,
    Kernels,
    Moved,
    Place,
    TakeBack,
    ToClient,
    ToWorker,
    Undone,
)
from restride.engine.scheduler.dispatch import WorkerTraits
from restride.engine.scheduler.placement import LEAST_TASKS, UNKNOWN_SHARE
from restride.engine.scheduler.recovery import MOST_DEATHS
from restride.engine.scheduler.state import SchedulerState
from restride.engine.scheduler.task_states import TaskState
from restride.errors import GraphError, KilledWorkerError, LostError
from tests.engine.model import BoomError, GraphSpec, Model, ModelJob, compiled

SECONDS = 0.01
"""How long each task takes."""


class TrialWorker(Protocol):
    """A worker as a trial sees it."""

    threads: int

    def receive(self, message: ToWorker) -> None: ...
    def reports(self) -> tuple[Finished | None, list[Failed]]: ...
    def outputs(self) -> dict[int, Any]: ...
    def is_empty(self) -> bool: ...


@dataclass
class Told:
    """What a worker knows, by the messages that have been sent to it, and by its own news that were heard."""

    kernels: dict[int, Sequence[int]] = field(default_factory=dict)
    """Numbers of the layers, by job."""
    unnamed: Sequence[int] | None = None
    """Of the job of which it must be sent tasks next."""
    tasks: set[int] = field(default_factory=set)
    """What it has to run, or holds the output of."""
    homes: dict[int, dict[int, int]] = field(default_factory=dict)
    """Where it will find the inputs of each of those."""
    last: dict[int, int] = field(default_factory=dict)
    """The last attempt that was placed there of each task."""


class Trial:
    """A scheduler, its workers, and the model of what they must do.

    Attributes
    ----------
    told : dict of int to Told
        What each worker knows that has not been lost.
    deaf : set of int
        Workers that do not listen.
    """

    def __init__(
        self, workers: Sequence[TrialWorker], horizon: float, names: Sequence[str] = (), *, lineage: bool = False
    ) -> None:
        self.scheduler = SchedulerState(horizon=horizon, validate=True, lineage=lineage)
        self.model = Model()
        self.workers: list[TrialWorker] = []
        self.names: list[str] = []
        self.told: dict[int, Told] = {}
        self.deaf: set[int] = set()
        self._horizon = horizon
        self._disturbed = False
        """Whether tasks may have been placed more than once."""
        self._salt = 0
        self._bases: list[int] = []
        for number, worker in enumerate(workers):
            self.join(worker, names[number] if names else "")

    # ---- what may happen

    def join(self, worker: TrialWorker, name: str = "") -> None:
        number = self.scheduler.add_worker(worker.threads, WorkerTraits(frozenset({name})))
        assert number == len(self.workers)
        self.workers.append(worker)
        self.names.append(name)
        self.told[number] = Told()

    def lose_worker(self, worker: int, running: Sequence[int] = ()) -> None:
        self._disturbed = True
        del self.told[worker]
        self.deaf.discard(worker)
        self.scheduler.lose_worker(worker, np.array(running, np.int64))
        self.model.lose_worker(
            worker, [id for id in running if self.base_of(id) in self.model.kept_jobs()], MOST_DEATHS
        )

    def go_deaf(self, workers: Sequence[int], running: Sequence[int]) -> None:
        self._disturbed = True
        self.deaf.update(workers)
        self.scheduler.go_deaf(workers, np.array(running, np.int64))
        self.model.go_deaf(workers, running, {base for base in self.model.jobs if self._able(base)})

    def speaks(self, worker: int) -> None:
        self.deaf.discard(worker)
        self.scheduler.speaks(worker)

    def submit(self, spec: GraphSpec, client: int = 0, *, nested: bool = False, options: Options | None = None) -> int:
        job, inputs = compiled(spec, self._salt)
        base = self.scheduler.submit(job, client, inputs, nested=nested, options=options)
        note = ModelJob(client, [], set(), nested, options or Options())
        insort(self._bases, base)
        self.model.submit(spec, self._salt, job, base, note)
        self._salt += len(spec.layers)
        return base

    def submit_with_lost_inputs(self, spec: GraphSpec) -> None:
        job, inputs = compiled(spec, self._salt)
        with pytest.raises(GraphError, match=r"of the .* futures that the graph depends on were released"):
            self.scheduler.submit(job, 0, inputs)

    def release(self, ids: Sequence[int], client: int | None = None) -> None:
        self.scheduler.release(np.array(ids, np.int64), client)
        for id in ids:
            self.model.release([id], self.model.jobs[self.base_of(id)].client if client is None else client)

    def cancel(self, ids: Sequence[int], client: int) -> None:
        """As `release`; what is said to be cancelled was placed, and is not any more."""
        before = {id: self.model.tasks[id].home for id in self.model.placed()}
        cancelled = self.scheduler.cancel(np.array(ids, np.int64), client)
        self.model.release(ids, client)
        after = set(self.model.placed())
        expected = sorted((worker, id) for id, worker in before.items() if id not in after)
        assert sorted((worker, id) for worker, of_worker in cancelled.items() for id in of_worker.tolist()) == expected

    def hold(self, ids: Sequence[int], client: int) -> None:
        self.scheduler.hold(np.array(ids, np.int64), client)
        self.model.hold(ids, client)

    def hold_too_late(self, ids: Sequence[int], client: int) -> None:
        with pytest.raises(GraphError, match="nobody holds any more"):
            self.scheduler.hold(np.array(ids, np.int64), client)

    def lose_client(self, client: int) -> None:
        self.scheduler.lose_client(client)
        self.model.lose_client(client)

    def report(self, worker: int) -> None:
        """The scheduler hears all that a worker has to say."""
        finished, failed = self.workers[worker].reports()
        for news in [*([] if finished is None else [finished]), *failed]:
            self.hear(worker, news)

    def hear(self, worker: int, news: Finished | Failed | GivenBack) -> None:
        """The scheduler hears news; also of tasks that it does not wait for any more, and of workers that are gone."""
        self.speaks(worker)
        match news:
            case Finished(ids, attempts):
                current = self._current(worker, ids.tolist(), attempts.tolist())
                self.scheduler.finished(worker, news)
                for id in current:
                    self.model.finish(id)
            case Failed(id, attempt):
                current = self._current(worker, [id], [attempt])
                self.scheduler.failed(worker, news)
                for id in current:
                    self._note_failed(worker, id)
            case GivenBack(ids, attempts):
                current = self._current(worker, ids.tolist(), attempts.tolist())
                self.scheduler.given_back(worker, news)
                for id in current:
                    self._note_placed_again(worker, id)

    def report_nonsense(self, worker: int, ids: Sequence[int], attempt: int, *, fails: bool) -> None:
        """News that must not change anything."""
        if fails:
            for id in ids:
                self.scheduler.failed(worker, Failed(id, attempt, BoomError("nonsense"), None))
        else:
            n = len(ids)
            news = Finished(np.array(ids), np.full(n, attempt, np.int32), np.full(n, 123456), np.full(n, 9.0))
            self.scheduler.finished(worker, news)
            self.scheduler.given_back(worker, GivenBack(news.ids, news.attempts))

    def exchange(self) -> int:
        """Messages go out, and are checked; how many there were."""
        to_workers, to_clients = self.scheduler.effects()
        placed: list[int] = []
        for worker, message in to_workers:
            told = self.told[worker]
            match message:
                case Kernels(numbers):
                    assert told.unnamed is None
                    assert not {number for known in told.kernels.values() for number in known} & set(numbers)
                    assert len(numbers) == len(message.layers)
                    told.unnamed = list(numbers)
                case Place():
                    placed += self._note_place(told, worker, message)
                case Drop(ids):
                    assert set(ids.tolist()) <= told.tasks
                    told.tasks -= set(ids.tolist())
                case Moved(ids, homes):
                    self._note_moved(told, dict(zip(ids.tolist(), homes.tolist())))
                case TakeBack(ids):
                    assert ids.tolist() == sorted(set(ids.tolist()))
                    assert set(ids.tolist()) <= told.tasks
                case ForgetKernels(numbers):
                    del told.kernels[next(base for base, known in told.kernels.items() if known == list(numbers))]
            self.workers[worker].receive(message)
        self._check_told()
        self._check_order(placed)
        self._check_news(to_clients)
        self._check_scheduler()
        self._check_outputs()
        return len(to_workers) + len(to_clients)

    def stale_ids(self) -> list[int]:
        """Ids of tasks of which no more news can count: not placed, or ended; and ids that never were."""
        ended = [id for id, task in self.model.tasks.items() if task.state != "unfinished" or task.home is None]
        return [*ended, self.scheduler.numbering.next(), self.scheduler.numbering.next() + 100]

    # ---- checks

    def check_end(self) -> None:
        """Nothing is left to do, what was wanted exists or has failed; once that is let go, nothing at all is left."""
        assert not self.model.unfinished()
        for id in self.model.held():
            task = self.model.tasks[id]
            if self.model.values[id] is None:
                assert task.state == "failed"
            elif not self.model.to_blame(id):
                assert task.state == "finished"
            if task.state == "finished":
                assert task.home is not None
                assert self.workers[task.home].outputs()[id] == self.model.values[id]
        self._check_nothing_left_to_do()
        for client in {client for task in self.model.tasks.values() for client in task.holds}:
            self.release(
                [id for id in self.model.held(client) for _ in range(self.model.tasks[id].holds[client])], client
            )
        self.exchange()
        assert not self.scheduler.tables
        assert not self.scheduler._bases
        assert not self.scheduler._remembered
        assert not self.scheduler._remembered_nbytes
        self._check_nothing_left_to_do()

    def check_empty(self) -> None:
        """Workers have nothing any more, once all messages have come."""
        assert all(self.workers[number].is_empty() for number in self.told)

    def _check_nothing_left_to_do(self) -> None:
        assert not self.scheduler.dispatch.outbox
        assert not self.scheduler.dispatch.turns
        assert not self.scheduler.dispatch.nested
        assert not self.scheduler.loads.tasks.any()
        assert not self.scheduler.loads.seconds.any()

    def _current(self, worker: int, ids: list[int], attempts: list[int]) -> list[int]:
        tasks = [(self.model.tasks[id], attempt) for id, attempt in zip(ids, attempts)]
        return [
            task.id
            for task, attempt in tasks
            if task.state == "unfinished" and (task.home, task.attempt) == (worker, attempt)
        ]

    def _note_failed(self, worker: int, id: int) -> None:
        task = self.model.tasks[id]
        if task.tries < self.model.jobs[self.base_of(id)].options.retries:
            task.tries += 1
            self._note_placed_again(worker, id)
        else:
            self.model.fail(id)

    def _note_placed_again(self, worker: int, id: int) -> None:
        """Where is the scheduler's choice."""
        self._disturbed = True
        base, task = self.base_of(id), self.model.tasks[id]
        table = self.scheduler.tables[base]
        self.told[worker].tasks.discard(id)
        home, attempt = int(table.worker[id - base]), int(table.attempt[id - base])
        assert attempt == task.attempt + 1
        assert home in self._able(base)
        self.model.place(id, home, attempt)

    def _able(self, base: int) -> list[int]:
        """Workers that may run a job, and listen."""
        names = self.model.jobs[base].options.workers
        listen = self.told.keys() - self.deaf
        return [number for number in sorted(listen) if not names or self.names[number] in names]

    def base_of(self, id: int) -> int:
        """The first task of a task's job."""
        return self._bases[bisect_right(self._bases, id) - 1]

    def _note_place(self, told: Told, worker: int, message: Place) -> list[int]:
        """What a worker is sent to run; those tasks that waited before."""
        ids = message.ids.tolist()
        base = self.base_of(ids[0])
        if told.unnamed is not None:
            told.kernels[base], told.unnamed = told.unnamed, None
        assert worker in self._able(base)
        assert ids == sorted(ids)
        assert not set(ids) & told.tasks
        assert set(message.layers.tolist()) <= set(told.kernels[base])
        indptr = message.indptr.tolist()
        new = []
        for at, (id, attempt, param) in enumerate(zip(ids, message.attempts.tolist(), message.params)):
            task = self.model.tasks[id]
            assert self.base_of(id) == base
            assert param is None or param == (task.name[1], task.raises)
            assert attempt > told.last.get(id, 0)
            edges = slice(indptr[at], indptr[at + 1])
            assert message.deps[edges].tolist() == task.deps
            told.homes[id] = dict(zip(task.deps, message.homes[edges].tolist()))
            told.last[id] = attempt
            told.tasks.add(id)
            if task.state == "unfinished" and task.home is None:
                assert attempt > task.attempt
                assert self._disturbed or attempt == 1
                self.model.place(id, worker, attempt)
                new.append(id)
        return new

    def _note_moved(self, told: Told, homes: dict[int, int]) -> None:
        waiting = [told.homes[id] for id in told.tasks]
        for id, home in homes.items():
            assert any(id in of_task for of_task in waiting)
            for of_task in waiting:
                if id in of_task:
                    of_task[id] = home

    def _check_told(self) -> None:
        """Workers have been sent what they are to run, and all that it needs; and that nothing else is needed."""
        for worker, told in self.told.items():
            assert told.unnamed is None, "kernels come with tasks of theirs"
            assert told.tasks == {
                id
                for id, task in self.model.tasks.items()
                if task.home == worker and task.state in ("unfinished", "finished")
            }
            assert set(told.kernels) <= self.model.live_jobs()
            for id in told.tasks:
                assert told.last[id] == self.model.tasks[id].attempt
                if self.model.tasks[id].state == "unfinished":
                    assert self.base_of(id) in told.kernels
                    assert told.homes[id] == {dep: self.model.tasks[dep].home for dep in told.homes[id]}

    def _check_order(self, placed: list[int]) -> None:
        """Tasks are placed in the order of their ids, and so after whatever they depend on; no worker is left idle."""
        jobs = list(self.model.jobs)
        place_of = {base: at for at, base in enumerate(jobs)}
        for base in {self.base_of(id) for id in placed}:
            waiting = [id for id in self.model.jobs[base].ids if self._waits(id)]
            assert not waiting or max(id for id in placed if self.base_of(id) == base) < min(waiting)
        could_run = [
            base
            for base, job in self.model.jobs.items()
            if not job.nested and not self._is_blocked(base) and any(self._waits(id) for id in job.ids)
        ]
        if not self._disturbed:
            self._check_turns({self.base_of(id) for id in placed}, could_run, place_of)
        running = Counter(
            self.model.tasks[id].home for id in self.model.placed() if not self.model.jobs[self.base_of(id)].nested
        )
        for base in could_run:
            assert all(running[number] >= LEAST_TASKS * self.workers[number].threads for number in self._able(base))
        if placed and len(self.workers) == 1 and not self._disturbed:
            self._check_horizon(running[0])

    def _check_turns(self, placed: set[int], could_run: list[int], place_of: dict[int, int]) -> None:
        """Of a client's jobs the earlier ones, and those of higher priority, come first."""
        for first in could_run:
            job = self.model.jobs[first]
            for second in placed:
                other = self.model.jobs[second]
                if not (other.nested or job.options.workers or other.options.workers):
                    assert job.options.priority <= other.options.priority or self._was_blocked(first, placed)
                    if job.client == other.client and job.options.priority == other.options.priority:
                        assert place_of[second] <= place_of[first] or self._was_blocked(first, placed)

    def _was_blocked(self, base: int, placed: set[int]) -> bool:
        """Whether a job may have had to wait for what was placed only now."""
        return any(self.base_of(dep) in placed for dep in self.model.jobs[base].inputs)

    def _waits(self, id: int) -> bool:
        return self.model.tasks[id].state == "unfinished" and self.model.tasks[id].home is None

    def _is_blocked(self, base: int) -> bool:
        """Whether an output of another job that this one needs has not been placed."""
        own = [self.model.tasks[id] for id in self.model.jobs[base].ids]
        inputs = {dep for task in own if task.state == "unfinished" for dep in task.deps} & self.model.jobs[base].inputs
        return any(map(self._waits, inputs))

    def _check_horizon(self, running: int) -> None:
        """No more was placed than the horizon has room for, by the longest that tasks may take, and one.

        Of several clients each may have a few tasks beyond that.
        """
        shortest = min(SECONDS, self._horizon * UNKNOWN_SHARE)
        room = self._horizon * self.workers[0].threads
        few = LEAST_TASKS * self.workers[0].threads
        others = len({self.model.jobs[self.base_of(id)].client for id in self.model.placed()}) - 1
        assert running <= max(few, room / shortest + 2 if shortest else 0) + others * few

    def _check_news(self, to_clients: list[tuple[int, ToClient]]) -> None:
        told: dict[tuple[int, int], list[tuple[str, int | None]]] = defaultdict(list)
        for client, message in to_clients:
            ids = message.ids.tolist()
            assert {self.base_of(id) for id in ids} == {message.job}
            match message:
                case Done():
                    for id, worker in zip(ids, message.workers.tolist()):
                        told[client, id].append(("done", worker))
                case Broken(failure=failure):
                    for id in ids:
                        told[client, id].append(("broken", None))
                        self._check_failure(id, failure.exception)
                case Undone():
                    for id in ids:
                        told[client, id].append(("undone", None))
        expected: dict[tuple[int, int], list[tuple[str, int | None]]] = defaultdict(list)
        for client, id, what, where in self.model.told:
            expected[client, id].append((what, where))
        assert told == expected
        self.model.told.clear()

    def _check_failure(self, id: int, error: Exception) -> None:
        blame = [self.model.tasks[other] for other in self.model.to_blame(id)]
        if isinstance(error, BoomError):
            assert error.args in [task.name for task in blame if task.raises]
        else:
            assert isinstance(error, KilledWorkerError | LostError)
            assert any(task.deaths >= MOST_DEATHS or task.raises for task in blame)

    def _check_scheduler(self) -> None:
        kept = self.model.kept_jobs() if self.scheduler.lineage else self.model.live_jobs()
        assert set(self.scheduler.tables) == kept
        ended = (TaskState.RELEASED, TaskState.CANCELLED)
        for base, table in self.scheduler.tables.items():
            for row, state in enumerate(table.state.tolist()):
                task = self.model.tasks[base + row]
                match task.state:
                    case "unfinished":
                        assert state == (TaskState.WAITING if task.home is None else TaskState.PLACED)
                    case "failed" if not task.held:  # or nobody needed it before the failure came to it
                        assert state in (TaskState.FAILED, *ended)
                    case "released" | "cancelled" if self._disturbed:
                        assert state in ended
                    case name:
                        assert TaskState(state).name == name.upper()

    def _check_outputs(self) -> None:
        """Workers hold what has finished and is needed; all that they hold is right."""
        for number in self.told:
            outputs = self.workers[number].outputs()
            for id, value in outputs.items():
                assert value == self.model.values[id]
            finished = {id for id, task in self.model.tasks.items() if task.home == number and task.state == "finished"}
            assert finished <= set(outputs)
