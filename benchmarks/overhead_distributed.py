"""What a distributed system costs beside the work, restride beside others: the same numbers in one task and in many.

"Startup" is a job of 1,000 numbers in one task, the median of many; "Per-task" is a job of so many numbers in a task
each, by their number, the best of a few; a call is the least that the system can do, until the result is in hand.
Systems run one after the other, as those that are idle take up to 6 % of a core.
"""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.systems import SYSTEMS, System
from benchmarks.timing import repeated

Row = dict[str, Any]
NUMBERS = 1000
WORKERS = 2


def rows(*, quick: bool = False) -> list[Row]:
    """A row a system; one that is not installed says so."""
    sizes = (100,) if quick else (1000, 10_000, 100_000)
    table: list[Row] = [
        _row(system, sizes, quick=quick) if system.installed else {"System": system.name, "note": "not installed"}
        for system in SYSTEMS
    ]
    ours, *others = table
    for n in sizes:
        for row in others:
            if _per_task(n) in row:
                row[f"times restride's, {n:,}"] = row[_per_task(n)] / ours[_per_task(n)]
    return table


def _row(system: System, sizes: tuple[int, ...], *, quick: bool) -> Row:
    row: Row = {"System": system.name}
    with system.start(WORKERS) as session:
        session.ready(WORKERS)
        assert session.in_one_task(sizes[0]) == session.in_tasks(sizes[0])
        row["Startup ms"] = repeated(lambda: session.in_one_task(NUMBERS), 3 if quick else 100).median * 1e3
        for n in sizes:
            if n <= system.most:
                row[_per_task(n)] = repeated(partial(session.in_tasks, n), 1 if quick else 5).best / n * 1e6
        seconds = repeated(session.call, 3 if quick else 2000).seconds
    row |= {f"call p{percent} ms": float(np.percentile(seconds, percent)) * 1e3 for percent in (50, 99)}
    many = 2 if quick else 8
    row[f"{many} workers usable s"] = min(_seconds_until_usable(system, many) for _ in range(1 if quick else 3))
    return row


def _per_task(n: int) -> str:
    return f"Per-task µs, {n:,}"


def _seconds_until_usable(system: System, workers: int) -> float:
    """In a process that has imported all it takes, and whose own main module no worker has to import."""
    measure = f"from {__name__} import seconds_until_usable as s; print(s({system.name!r}, {workers}))"
    child = subprocess.run([sys.executable, "-c", measure], stdout=subprocess.PIPE, check=True)
    return float(child.stdout.split()[-1])


def seconds_until_usable(name: str, workers: int) -> float:
    """Seconds until all workers are there, and a first call has its result."""
    (system,) = (system for system in SYSTEMS if system.name == name)
    __import__(system.package)
    start = perf_counter()
    with system.start(workers) as session:
        session.ready(workers)
        session.call()
        return perf_counter() - start
