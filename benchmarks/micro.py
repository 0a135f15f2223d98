"""Parts of the engine by themselves: microseconds a task in the scheduler, the worker and the innermost loop.

One round is a job of n tasks without dependencies, from its submission to the release of all outputs. Then messages:
see `benchmarks.wire`; and graphs before they are submitted: see `benchmarks.building`.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any

import numpy as np

import restride as rs
from benchmarks import building, wire
from restride.engine.graphs.job import Job, compile_job
from restride.engine.scheduler.state import SchedulerState
from restride.engine.worker.compute import run_claimed
from restride.engine.worker.state import Outcomes, WorkerState

NO_INPUTS = np.zeros(0, np.int64)


def run(*, quick: bool = False) -> dict[str, list[dict[str, Any]]]:
    rows = []
    for n in (1, 100) if quick else (1, 100, 10_000, 100_000):
        rounds = 3 if quick else max(10, 20_000 // n)
        job = _job(n)
        best = min((_round(job) for _ in range(rounds)), key=lambda taken: sum(taken.values()))
        rows.append({"tasks a round": n, **{f"{part} µs a task": s / n * 1e6 for part, s in best.items()}})
    return {"micro": rows, **building.run(quick=quick), **wire.run(quick=quick)}


def _job(n: int) -> Job:
    graph = rs.TaskGraph()
    layer = graph.add(_inc, n, params=np.arange(n))
    job, _, _ = compile_job(graph, layer.ids)
    return job


def _inc(x: int) -> int:
    return x + 1


def _round(job: Job) -> dict[str, float]:
    taken = dict.fromkeys(("scheduler", "worker", "kernels"), 0.0)
    scheduler, worker = SchedulerState(), WorkerState(threads=1)
    scheduler.add_worker(1)
    last = perf_counter()

    def lap(part: str) -> None:
        nonlocal last
        now = perf_counter()
        taken[part] += now - last
        last = now

    base = scheduler.submit(job, 0, NO_INPUTS)
    while True:
        messages, _ = scheduler.effects()
        lap("scheduler")
        for _, message in messages:
            worker.receive(message)
        claimed, _ = worker.claim(0)
        lap("worker")
        if not claimed:
            break
        outcomes = Outcomes()
        run_claimed(worker, claimed, outcomes)
        lap("kernels")
        worker.settle(outcomes)
        finished, _ = worker.reports() if not worker.ready else (None, [])
        lap("worker")
        if finished is not None:
            scheduler.finished(0, finished)
            lap("scheduler")
    scheduler.release(job.wanted + base)
    messages, _ = scheduler.effects()
    lap("scheduler")
    for _, message in messages:
        worker.receive(message)
    lap("worker")
    assert not scheduler.tables
    assert not worker.store
    return taken
