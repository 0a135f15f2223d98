"""An all-to-all graph on processes: seconds, and what the scheduler's process takes of time and memory a task.

Each run has a client of its own, as memory that was freed before would be used again. From building the graph to the
result; the scheduler of dask.distributed runs in the process of the client, so its share is not known.
"""

from __future__ import annotations

import threading
from time import perf_counter
from types import TracebackType
from typing import Any, Self

import psutil

from benchmarks import graphs
from benchmarks.systems import dask_client, installed, restride_client
from benchmarks.timing import repeated

Row = dict[str, Any]


def run(*, quick: bool = False) -> dict[str, list[Row]]:
    small, large = (10, 30) if quick else (100, 1000)
    rows = [_row(small, repeat=1 if quick else 3), _row(large, repeat=1 if quick else 2)]
    if installed("distributed"):
        with dask_client() as client:
            theirs = repeated(lambda: client.get(*graphs.dask_all_to_all(small)), 1 if quick else 2).best
        rows[0] |= {"dask.distributed s": theirs, "dask.distributed / restride": theirs / rows[0]["s"]}
    else:
        rows[0]["note"] = "dask.distributed: not installed"
    return {"shuffle": rows}


def _row(side: int, repeat: int) -> Row:
    """The best of several runs of `side` x `side` in each respect."""
    runs = [_run(side) for _ in range(repeat)]
    n = len(graphs.all_to_all(side)[0])
    seconds, cpu, nbytes = map(min, zip(*runs))
    return {
        "all-to-all": f"{side:,} x {side:,}",
        "tasks": n,
        "s": seconds,
        "µs a task": seconds / n * 1e6,
        "scheduler µs a task": cpu / n * 1e6,
        "scheduler bytes a task": nbytes / n,
    }


def _run(side: int) -> tuple[float, float, int]:
    with restride_client() as client:
        client.get(*graphs.all_to_all(2))
        with Watch(client.info()["scheduler"]["pid"]) as scheduler:
            start = perf_counter()
            outcome = client.get(*graphs.all_to_all(side))
            seconds = perf_counter() - start
        assert outcome == [side * side]
        return seconds, scheduler.cpu, scheduler.growth


class Watch:
    """What a process takes in a with-block: seconds of CPU time, and bytes of memory at the peak beyond what it had."""

    interval = 0.02
    """Seconds between looks at its memory."""

    def __init__(self, pid: int) -> None:
        self.process = psutil.Process(pid)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        self.cpu = -self._cpu()
        self.before = self.most = self.process.memory_info().rss
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.over.set()
        self.thread.join()
        self.cpu += self._cpu()

    @property
    def growth(self) -> int:
        return self.most - self.before

    def _cpu(self) -> float:
        times = self.process.cpu_times()
        return times.user + times.system

    def _look(self) -> None:
        while not self.over.wait(self.interval):
            self.most = max(self.most, self.process.memory_info().rss)
