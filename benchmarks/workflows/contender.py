"""One workflow on one system, in a process of its own: ``python -m benchmarks.workflows.contender``.

Its arguments are the system, the workflow, a folder to write to, and ``full`` or ``small``. It runs the workflow on
little data first, checks that against numpy, and says that it is ready. Then it runs it once for each line of its
input, and says how many seconds that took. Only what the system itself needs is imported here.
"""

from __future__ import annotations

import gc
import importlib
import json
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.workflows.cases import Case, case

WORKERS = 2

Compute = Callable[..., Sequence[Any]]

PEERS = {"restride threads": "dask threads", "restride processes": "dask.distributed"}
"""Whom each of ours is compared with."""


@contextmanager
def started(system: str) -> Iterator[tuple[Any, Compute]]:
    """A system at work: its array module, and what computes arrays of it."""
    match system:
        case "restride threads":
            import restride as rs

            with rs.Client(threads=WORKERS):
                yield importlib.import_module("restride.array"), rs.compute
        case "restride processes":
            import restride as rs

            with rs.Client("processes", workers=WORKERS, threads_per_worker=1) as client:
                client.wait_for_workers(WORKERS)
                yield importlib.import_module("restride.array"), rs.compute
        case "dask threads":
            import dask

            with dask.config.set(scheduler="threads", num_workers=WORKERS):
                yield importlib.import_module("dask.array"), dask.base.compute
        case "dask.distributed":
            import dask
            import distributed

            with (
                dask.config.set({"array.rechunk.method": "p2p"}),
                distributed.LocalCluster(
                    n_workers=WORKERS, threads_per_worker=1, dashboard_address=None, silence_logs=logging.CRITICAL
                ) as cluster,
                distributed.Client(cluster),
            ):
                yield importlib.import_module("dask.array"), dask.base.compute
        case _:
            raise ValueError(f"no system is called {system!r}")


def main(system: str, name: str, folder: Path, size: str) -> None:
    workflow = case(name)
    shape, chunks = workflow.small if size == "small" else (workflow.shape, workflow.chunks)
    with started(system) as (xp, compute):
        checked(workflow, xp, compute, folder)
        say(ready=True)
        for _ in sys.stdin:
            gc.collect()
            start = perf_counter()
            compute(*workflow.lazy(xp, shape, chunks, folder))
            say(seconds=perf_counter() - start)


def checked(workflow: Case, xp: Any, compute: Compute, folder: Path) -> None:
    """Run a workflow on little data; AssertionError if numpy says otherwise."""
    shape, chunks = workflow.small
    workflow.check(compute(*workflow.lazy(xp, shape, chunks, folder)), shape, folder)


def say(**message: Any) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4])
