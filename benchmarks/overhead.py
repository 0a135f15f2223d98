"""What the engine costs beside the work: microseconds a task, latency of one compute(), large graphs, the import."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any

import dask
import dask.array as da
import numpy as np

import restride as rs
import restride.array as ra
from benchmarks import graphs, overhead_distributed
from benchmarks.timing import alternate
from restride.engine.graphs.job import compile_job

Row = dict[str, Any]


def run(*, quick: bool = False) -> dict[str, list[Row]]:
    return {"overhead": _embedded(quick=quick), "overhead, 2 processes": overhead_distributed.rows(quick=quick)}


def _embedded(*, quick: bool) -> list[Row]:
    sizes = (1000,) if quick else (1000, 10_000, 100_000)
    side = 30 if quick else 300
    repeat = 2 if quick else 5
    with rs.Client(threads=2) as threads, rs.Client("inline") as inline:
        rows = [_inc_then_sum(n, threads, inline, repeat) for n in sizes]
        rows.append(_all_to_all(side, threads, inline, min(repeat, 3)))
    rows += [_latency("threads", "threads"), _latency("inline", "synchronous")]
    million = 10_000 if quick else 1_000_000
    rows.append(_large_graph(f"build and order {million:,} x inc, tree sum", lambda: graphs.inc_then_sum(million)))
    side = 100 if quick else 1000
    rows.append(_large_graph(f"build and order {side:,} x {side:,} all-to-all", lambda: graphs.all_to_all(side)))
    rows.append(_import_time(repeat))
    return rows


def _inc_then_sum(n: int, threads: rs.Client, inline: rs.Client, repeat: int) -> Row:
    return _per_task(
        f"{n:,} x inc, tree sum",
        partial(graphs.inc_then_sum, n),
        partial(graphs.dask_inc_then_sum, n),
        lambda: sum([graphs.inc(i) for i in range(n)]),
        threads,
        inline,
        repeat,
    )


def _all_to_all(side: int, threads: rs.Client, inline: rs.Client, repeat: int) -> Row:
    return _per_task(
        f"{side} x {side} all-to-all",
        partial(graphs.all_to_all, side),
        partial(graphs.dask_all_to_all, side),
        partial(_plain_all_to_all, side),
        threads,
        inline,
        repeat,
    )


def _per_task(
    what: str,
    ours: Callable[[], tuple[rs.TaskGraph, np.ndarray]],
    theirs: Callable[[], graphs.DaskGraph],
    plain: Callable[[], object],
    threads: rs.Client,
    inline: rs.Client,
    repeat: int,
) -> Row:
    """From building the graph, here and there, to the result."""
    contenders: dict[str, Callable[[], object]] = {
        "threads": lambda: threads.get(*ours()),
        "inline": lambda: inline.get(*ours()),
        "dask threads": lambda: dask.threaded.get(*theirs(), num_workers=2),
        "dask synchronous": lambda: dask.local.get_sync(*theirs()),
        "plain Python": plain,
    }
    assert contenders["threads"]() == [contenders["dask threads"]()]
    n = len(ours()[0])
    taken = alternate(contenders, repeat)
    return {
        "what": what,
        "tasks": n,
        **{f"{name} µs": timing.best / n * 1e6 for name, timing in taken.items()},
        "dask threads / threads": taken["dask threads"].best / taken["threads"].best,
        "dask synchronous / inline": taken["dask synchronous"].best / taken["inline"].best,
    }


def _plain_all_to_all(n: int) -> int:
    blocks = [graphs.make(i) for i in range(n)]
    return graphs.length(*(graphs.merge(*(graphs.piece(j, block) for block in blocks)) for j in range(n)))


def _latency(where: str, scheduler: str, repeat: int = 300) -> Row:
    """One trivial compute() on a warm client, from the expression to the value."""
    taken: dict[str, list[float]] = {"ours": [], "dask": []}
    with rs.Client(where), dask.config.set(scheduler=scheduler, num_workers=2):
        for _ in range(repeat):
            for name, module in (("ours", ra), ("dask", da)):
                start = perf_counter()
                (module.ones(3, chunks=3) + 1).compute()
                taken[name].append(perf_counter() - start)
    ours, theirs = (statistics.median(seconds) * 1e3 for seconds in taken.values())
    return {"what": f"one compute(), {where}, median", "ms": ours, "dask ms": theirs, "dask / restride": theirs / ours}


def _large_graph(what: str, build: Callable[[], tuple[rs.TaskGraph, np.ndarray]]) -> Row:
    """Seconds to build and order a graph, and in a second go, as tracing slows, the bytes that it takes."""

    def compiled() -> tuple[rs.TaskGraph, object]:
        graph, ids = build()
        return graph, compile_job(graph, ids)

    start = perf_counter()
    n = len(compiled()[0])
    seconds = perf_counter() - start
    tracemalloc.start()
    held = compiled()
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del held
    return {"what": what, "tasks": n, "s": seconds, "bytes a task": kept / n, "at the peak": peak / n}


def _import_time(repeat: int) -> Row:
    """Import in a new process, less the start of Python itself."""
    measure = "from time import perf_counter as t; s = t(); import {}; print(t() - s)"
    best = {
        module: min(
            float(
                subprocess.run([sys.executable, "-c", measure.format(module)], capture_output=True, check=True).stdout
            )
            for _ in range(repeat)
        )
        for module in ("restride", "restride.array", "dask.array")
    }
    return {
        "what": "import restride; restride.array",
        "ms": best["restride"] * 1e3,
        "restride.array ms": best["restride.array"] * 1e3,
        "dask ms": best["dask.array"] * 1e3,
    }
