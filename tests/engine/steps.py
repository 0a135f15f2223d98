"""A scheduler led by the hand: what a test tells it, and what it answers, in a line each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from restride.engine.graphs.graph import TaskGraph
from restride.engine.graphs.job import compile_job
from restride.engine.graphs.options import Options
from restride.engine.messages import Failed, Finished, GivenBack, Place
from restride.engine.scheduler.dispatch import WorkerTraits
from restride.engine.scheduler.state import SchedulerState
from restride.engine.scheduler.task_states import TaskState


def scheduler_with(*threads: int, **settings: Any) -> SchedulerState:
    scheduler = SchedulerState(validate=True, **settings)
    for count in threads:
        scheduler.add_worker(count)
    return scheduler


def add_worker(scheduler: SchedulerState, name: str, threads: int = 1, **resources: float) -> int:
    return scheduler.add_worker(threads, WorkerTraits(frozenset({name}), resources))


def submit(scheduler: SchedulerState, graph: TaskGraph, wanted: Any, client: int = 0, **options: Any) -> int:
    """The id of its first task."""
    job, inputs, _ = compile_job(graph, wanted)
    return scheduler.submit(job, client, np.array(inputs, np.int64), options=Options(**options))


def submit_sources(scheduler: SchedulerState, n: int, client: int = 0, **options: Any) -> int:
    """A job of tasks without dependencies, all of them wanted."""
    graph = TaskGraph()
    return submit(scheduler, graph, graph.add(int, n).ids, client, **options)


def submit_next(scheduler: SchedulerState, inputs: Sequence[int], client: int = 0, **options: Any) -> int:
    """A job of one task, wanted, that needs these outputs of earlier ones."""
    graph = TaskGraph()
    futures = graph.add_futures(inputs)  # type: ignore[arg-type]
    return submit(scheduler, graph, graph.add(int, 1, deps=([0, len(inputs)], futures.ids)).ids, client, **options)


def submit_chain(scheduler: SchedulerState, n: int, **options: Any) -> int:
    """A job of tasks each on the one before, of which the last is wanted."""
    graph = TaskGraph()
    layer = graph.add(int, 1)
    for _ in range(n - 1):
        layer = graph.add(int, 1, deps=([0, 1], layer.ids))
    return submit(scheduler, graph, layer.ids, **options)


def finish(
    scheduler: SchedulerState,
    ids: Iterable[int],
    worker: int = 0,
    seconds: float = 0.001,
    attempt: int = 1,
    nbytes: int = 8,
) -> None:
    ids = np.array(list(ids), np.int64)
    n = len(ids)
    news = Finished(ids, np.full(n, attempt, np.int32), np.full(n, nbytes), np.full(n, seconds))
    scheduler.finished(worker, news)


def fail(
    scheduler: SchedulerState, id: int, exception: Exception | None = None, worker: int = 0, attempt: int = 1
) -> None:
    scheduler.failed(worker, Failed(id, attempt, exception, None))


def give_back(scheduler: SchedulerState, ids: Iterable[int], worker: int = 0, attempt: int = 1) -> None:
    ids = np.array(list(ids), np.int64)
    scheduler.given_back(worker, GivenBack(ids, np.full(len(ids), attempt, np.int32)))


def placed(scheduler: SchedulerState) -> list[list[int]]:
    """Ids that each worker is sent now, in the order of the messages."""
    ids: list[list[int]] = [[] for _ in scheduler.loads.threads]
    for worker, message in scheduler.effects()[0]:
        if isinstance(message, Place):
            ids[worker] += message.ids.tolist()
    return ids


def sent(scheduler: SchedulerState, what: type) -> list[tuple[int, Any]]:
    """Messages of one kind that go to workers now."""
    return [(worker, message) for worker, message in scheduler.effects()[0] if isinstance(message, what)]


def kinds(messages: list[tuple[int, Any]]) -> list[tuple[int, type]]:
    return [(worker, type(message)) for worker, message in messages]


def run_all(scheduler: SchedulerState, homes: dict[int, int] | None = None) -> dict[int, int]:
    """Workers run what is placed until there is no more; how often each task was run, and in `homes` where."""
    runs: dict[int, int] = {}
    while True:
        scheduler.effects()
        placed = [
            (int(row) + base, int(table.worker[row]), int(table.attempt[row]))
            for base, table in scheduler.tables.items()
            for row in np.flatnonzero(table.state == TaskState.PLACED)
        ]
        if not placed:
            return runs
        for id, worker, attempt in placed:
            runs[id] = runs.get(id, 0) + 1
            if homes is not None:
                homes[id] = worker
            finish(scheduler, [id], worker, attempt=attempt)
