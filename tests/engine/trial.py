"""A scheduler and its workers without threads, sockets or a clock, each batch of messages checked against `Model`.

Whoever drives a `Trial` chooses what happens next. At each `exchange` exactly those messages must have been sent that
the model expects, nothing else; and whatever can be seen of the scheduler must agree with the model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import pytest

from restride.engine.messages import (
    Broken,
    Done,
    Drop,
    Failed,
    Finished,
    ForgetKernels,
    Kernels,
    Place,
    ToClient,
    ToWorker,
)
from restride.engine.placement import LEAST_TASKS, UNKNOWN_SHARE
from restride.engine.scheduler import SchedulerState
from restride.engine.states import TaskState
from restride.errors import GraphError
from tests.engine.model import BoomError, GraphSpec, Model, compiled

SECONDS = 0.01
"""How long each task takes."""


class TrialWorker(Protocol):
    """A worker as a trial sees it."""

    threads: int

    def receive(self, message: ToWorker) -> None: ...
    def reports(self) -> tuple[Finished | None, list[Failed]]: ...
    def outputs(self) -> dict[int, Any]: ...
    def is_empty(self) -> bool: ...


class Trial:
    """A scheduler, its workers, and the model of what they must do.

    Attributes
    ----------
    home : dict of int to int
        The worker of each task that was ever placed.
    """

    def __init__(self, workers: Sequence[TrialWorker], horizon: float) -> None:
        self.scheduler = SchedulerState(horizon=horizon, validate=True)
        self.model = Model()
        self.workers = workers
        for worker in workers:
            self.scheduler.add_worker(worker.threads)
        self.home: dict[int, int] = {}
        self._horizon = horizon
        self._clients: dict[int, int] = {}
        self._nested: set[int] = set()
        self._salt = 0
        self._kernels: dict[tuple[int, int], Sequence[int]] = {}
        """Numbers of the kernels that a worker has been sent of a job."""
        self._unnamed: dict[int, Sequence[int]] = {}
        """The same, of the job of which a worker is to be sent tasks next."""

    # ---- what may happen

    def submit(self, spec: GraphSpec, client: int = 0, *, nested: bool = False) -> int:
        job, inputs = compiled(spec, self._salt)
        base = self.scheduler.submit(job, client, inputs, nested=nested)
        self._nested |= {base} if nested else set()
        self._clients[base] = client
        self.model.submit(spec, self._salt, job, base)
        self._salt += len(spec.layers)
        return base

    def submit_with_lost_inputs(self, spec: GraphSpec) -> None:
        job, inputs = compiled(spec, self._salt)
        next_id = self.scheduler.next_id
        with pytest.raises(GraphError, match=r"of the .* futures that the graph depends on were released"):
            self.scheduler.submit(job, 0, inputs)
        assert self.scheduler.next_id == next_id

    def release(self, ids: Sequence[int]) -> None:
        self.scheduler.release(np.array(ids, np.int64))
        self.model.release(ids)

    def report(self, worker: int) -> None:
        """The scheduler hears from a worker; also of tasks that it does not wait for any more."""
        finished, failed = self.workers[worker].reports()
        if finished is not None:
            self.scheduler.finished(worker, finished)
            for id in self._current(finished.ids.tolist()):
                self.model.finish(id)
        for news in failed:
            self.scheduler.failed(worker, news)
            for id in self._current([news.id]):
                self.model.fail(id)

    def report_nonsense(self, worker: int, ids: Sequence[int], attempt: int, *, fails: bool) -> None:
        """News that must not change anything."""
        if fails:
            for id in ids:
                self.scheduler.failed(worker, Failed(id, attempt, BoomError("nonsense"), None))
        else:
            n = len(ids)
            news = Finished(np.array(ids), np.full(n, attempt, np.int32), np.full(n, 123456), np.full(n, 9.0))
            self.scheduler.finished(worker, news)

    def exchange(self) -> None:
        """Messages go out, and are checked."""
        to_workers, to_clients = self.scheduler.effects()
        placed: list[int] = []
        dropped: list[int] = []
        forgotten: list[tuple[int, int]] = []
        before = set(self.home)
        deps_of: dict[int, list[tuple[int, int]]] = {}
        for worker, message in to_workers:
            match message:
                case Kernels(numbers):
                    self._note_kernels(worker, message)
                case Place():
                    deps_of |= self._check_place(worker, message)
                    placed += message.ids.tolist()
                case Drop(ids):
                    assert [self.home[id] for id in ids.tolist()] == [worker] * len(ids)
                    dropped += ids.tolist()
                case ForgetKernels(numbers):
                    forgotten += [key for key, sent in self._kernels.items() if key[0] == worker and sent == numbers]
            self.workers[worker].receive(message)
        for deps in deps_of.values():
            assert all(self.home[dep] == home for dep, home in deps)
        assert sorted(dropped) == sorted(id for id in self.model.dropped if id in before)
        self.model.dropped.clear()
        self._check_order(placed)
        self._check_kernels(forgotten)
        self._check_news(to_clients)
        self._check_scheduler()
        self._check_outputs()

    def stale_ids(self) -> list[int]:
        """Ids of tasks of which no more news can count: not placed, or ended; and ids that never were."""
        ended = [id for id, task in self.model.tasks.items() if task.state != "unfinished" or id not in self.home]
        return [*ended, self.scheduler.next_id, self.scheduler.next_id + 100]

    # ---- checks

    def check_end(self) -> None:
        """Nothing is left to do, what was wanted exists or has failed; once that is let go, nothing at all is left."""
        assert not self.model.unfinished()
        for id in self.model.held():
            state = self.model.tasks[id].state
            assert state == ("failed" if self.model.values[id] is None else "finished")
        assert not self.scheduler.loads.tasks.any()
        assert not self.scheduler.loads.seconds.any()
        self.release(self.model.held())
        self.exchange()
        assert not self.scheduler.tables
        assert all(worker.is_empty() for worker in self.workers)

    def _current(self, ids: list[int]) -> list[int]:
        return [id for id in ids if self.model.tasks[id].state == "unfinished"]

    def _base(self, id: int) -> int:
        return max(base for base in self.model.jobs if base <= id)

    def _note_kernels(self, worker: int, message: Kernels) -> None:
        known = [number for key, numbers in self._kernels.items() if key[0] == worker for number in numbers]
        assert not set(known) & set(message.numbers)
        assert len(message.numbers) == len(message.layers)
        self._unnamed[worker] = message.numbers

    def _check_place(self, worker: int, message: Place) -> dict[int, list[tuple[int, int]]]:
        ids = message.ids.tolist()
        base = self._base(ids[0])
        if worker in self._unnamed:
            self._kernels[worker, base] = self._unnamed.pop(worker)
        assert ids == sorted(ids)
        assert not set(ids) & set(self.home)
        assert message.attempts.tolist() == [1] * len(ids)
        assert set(message.layers.tolist()) <= set(self._kernels[worker, base])
        deps_of = {}
        indptr = message.indptr.tolist()
        for at, (id, param) in enumerate(zip(ids, message.params)):
            task = self.model.tasks[id]
            assert self._base(id) == base
            assert param is None or param == (task.name[1], task.raises)
            edges = slice(indptr[at], indptr[at + 1])
            assert message.deps[edges].tolist() == task.deps
            deps_of[id] = list(zip(task.deps, message.homes[edges].tolist()))
            self.home[id] = worker
        return deps_of

    def _check_order(self, placed: list[int]) -> None:
        """Tasks are placed in the order of their ids, and so after whatever they depend on; no worker is left idle."""
        for base in {self._base(id) for id in placed}:
            waiting = [id for id in self.model.jobs[base] if self._waits(id)]
            assert not waiting or max(id for id in placed if self._base(id) == base) < min(waiting)
        common = [id for id in placed if self._base(id) not in self._nested]
        waiting = [
            id
            for base, ids in self.model.jobs.items()
            if base not in self._nested and not self._is_blocked(base)
            for id in ids
            if self._waits(id)
        ]
        running = Counter(
            self.home[id] for id in self.model.unfinished() if id in self.home and self._base(id) not in self._nested
        )
        if waiting:
            assert not common or max(common) < min(waiting)
            assert all(running[number] >= LEAST_TASKS * worker.threads for number, worker in enumerate(self.workers))
        if common and len(self.workers) == 1:
            self._check_horizon(running[0])

    def _waits(self, id: int) -> bool:
        return self.model.tasks[id].state == "unfinished" and id not in self.home

    def _is_blocked(self, base: int) -> bool:
        """Whether an output of another job that this one needs has not been placed."""
        own = self.model.jobs[base]
        return any(self._waits(dep) for id in own for dep in self.model.tasks[id].deps if dep not in own)

    def _check_horizon(self, running: int) -> None:
        """No more was placed than the horizon has room for, by the longest that tasks may take, and one."""
        shortest = min(SECONDS, self._horizon * UNKNOWN_SHARE)
        room = self._horizon * self.workers[0].threads
        assert running <= max(LEAST_TASKS * self.workers[0].threads, room / shortest + 2 if shortest else 0)

    def _check_kernels(self, forgotten: list[tuple[int, int]]) -> None:
        assert not self._unnamed, "kernels come with tasks of theirs"
        over = {(worker, base) for worker, base in self._kernels if base not in self.model.live_jobs()}
        assert sorted(forgotten) == sorted(over)
        for key in over:
            del self._kernels[key]
        assert set(self._kernels) >= {
            (self.home[id], self._base(id)) for id in self.model.unfinished() if id in self.home
        }

    def _check_news(self, to_clients: list[tuple[int, ToClient]]) -> None:
        told = []
        for client, message in to_clients:
            assert client == self._clients[message.job]
            ids = message.ids.tolist()
            assert {self._base(id) for id in ids} == {message.job}
            match message:
                case Done():
                    told += [("done", id) for id in ids]
                    assert message.workers.tolist() == [self.home[id] for id in ids]
                case Broken(failure=failure):
                    told += [("broken", id) for id in ids]
                    for id in ids:
                        assert failure.exception.args in self.model.raising_ancestors(id)
        assert sorted(told) == sorted(self.model.told)
        self.model.told.clear()

    def _check_scheduler(self) -> None:
        assert set(self.scheduler.tables) == self.model.live_jobs()
        for base, table in self.scheduler.tables.items():
            for row, state in enumerate(table.state.tolist()):
                task = self.model.tasks[base + row]
                match task.state:
                    case "unfinished":
                        assert state == (TaskState.PLACED if task.id in self.home else TaskState.WAITING)
                    case "failed" if not task.held:  # or nobody needed it before the failure came to it
                        assert state in (TaskState.FAILED, TaskState.CANCELLED)
                    case name:
                        assert TaskState(state).name == name.upper()

    def _check_outputs(self) -> None:
        """Workers hold what has finished and is needed, and what they have not reported yet; all of it is right."""
        for number, worker in enumerate(self.workers):
            outputs = worker.outputs()
            for id, value in outputs.items():
                assert value == self.model.values[id]
            finished = {id for id, at in self.home.items() if at == number and self.model.tasks[id].state == "finished"}
            assert finished <= set(outputs)
            assert all(self.model.tasks[id].state == "unfinished" for id in set(outputs) - finished)
