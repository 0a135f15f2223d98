"""Run workflows on restride and on dask, by turns, and watch the memory of their processes.

Every workflow has a process of its own on each system, which lives for as long as the rounds take. A system's memory is
that of its process and of those it has started: what is resident, added up, looked at every few milliseconds.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import psutil

from benchmarks.systems import installed
from benchmarks.workflows.cases import CASES, Case
from benchmarks.workflows.contender import PEERS

Row = dict[str, Any]

ROOT = Path(__file__).parent.parent.parent

ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
"""Linear algebra of one thread in each of a system's threads, as dask recommends; restride sees to it by itself."""

ROUNDS = 5

LIMIT = 12.0
"""Seconds after which no more rounds of a workflow begin."""

INTERVAL = 0.005
"""Seconds between looks at the memory."""


def run(
    *, quick: bool = False, names: Sequence[str] = (), systems: Sequence[str] = tuple(PEERS)
) -> dict[str, list[Row]]:
    """Tables by system of ours; of the workflows named, or of all."""
    chosen = [case for case in CASES if not names or case.name in names]
    with tempfile.TemporaryDirectory(prefix="workflows-") as folder:
        return {
            f"workflows, {ours} and {PEERS[ours]}": with_summary(
                [row(case, ours, Path(folder), quick=quick) for case in chosen]
            )
            for ours in systems
            if installed("distributed" if "process" in ours else "dask")
        }


def row(case: Case, ours: str, folder: Path, *, quick: bool) -> Row:
    """Medians of several rounds, and the most memory of all."""
    repeat, size = (1, "small") if quick else (ROUNDS, "full")
    shape, chunks = case.small if quick else (case.shape, case.chunks)
    with ExitStack() as stack:
        contenders = [
            stack.enter_context(contender(system, case.name, folder / system.replace(" ", "-"), size))
            for system in (ours, PEERS[ours])
        ]
        end = perf_counter() + LIMIT
        while len(contenders[0].taken) < repeat and (not contenders[0].taken or perf_counter() < end):
            for each in contenders:
                each.run()
    a, b = contenders
    return {
        "workflow": case.name,
        "input MB": case.nbytes(shape) / 1e6,
        "chunks": case.n_chunks(shape, chunks),
        "restride s": a.seconds,
        "dask s": b.seconds,
        "time ratio": a.seconds / b.seconds,
        "restride MB": a.peak / 1e6,
        "dask MB": b.peak / 1e6,
        "memory ratio": a.peak / b.peak,
    }


def with_summary(rows: list[Row]) -> list[Row]:
    """Rows, and a last one with the medians of their ratios."""
    ratios = ("time ratio", "memory ratio")
    return [*rows, {"workflow": "median", **{name: statistics.median(row[name] for row in rows) for name in ratios}}]


class Contender:
    """A process that runs a workflow when told to; see `benchmarks.workflows.contender`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.taken: list[float] = []
        self.peak = 0

    @property
    def seconds(self) -> float:
        return statistics.median(self.taken)

    def run(self) -> None:
        with Memory(self.process.pid) as memory:
            assert self.process.stdin is not None
            self.process.stdin.write("run\n")
            self.process.stdin.flush()
            self.taken.append(self.hear()["seconds"])
        self.peak = max(self.peak, memory.most)

    def hear(self) -> dict[str, Any]:
        """What it says next.

        Raises
        ------
        RuntimeError
            It has ended instead.
        """
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(map(str, self.process.args))} has failed")  # type: ignore[arg-type]
        message: dict[str, Any] = json.loads(line)
        return message


@contextmanager
def contender(system: str, name: str, folder: Path, size: str) -> Iterator[Contender]:
    """The process for a workflow on a system, once it has checked that the results are right."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "benchmarks.workflows.contender", system, name, str(folder), size]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, **ONE_THREAD}
    ) as process:
        contender = Contender(process)
        contender.hear()
        yield contender


class Memory:
    """The most that a process and its descendants have resident in a with-block, in bytes."""

    def __init__(self, pid: int) -> None:
        process = psutil.Process(pid)
        self.processes = [process, *process.children(recursive=True)]
        self.most = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._look)

    def __enter__(self) -> Memory:
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.over.set()
        self.thread.join()

    def _look(self) -> None:
        while True:
            self.most = max(self.most, sum(map(resident, self.processes)))
            if self.over.wait(INTERVAL):
                return


def resident(process: psutil.Process) -> int:
    """Bytes that a process has in memory; none if it has ended."""
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
