"""Work for clusters that come to harm, ways to harm them, and to wait until something has happened."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import restride as rs
from benchmarks.graphs import checksum, numbers

PATIENCE = 30.0
"""Seconds after which something that must happen counts as never happening."""


def until(condition: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """Look again and again until a condition holds; what it said."""
    deadline = time.monotonic() + patience
    while not (said := condition()):
        assert time.monotonic() < deadline, "what was waited for has not happened"
        time.sleep(0.002)
    return said


# ---- who is there


def pids(client: rs.Client) -> dict[str, int]:
    """Processes of the workers, by name."""
    return {name: worker["pid"] for name, worker in client.info()["workers"].items()}


def kill(pid: int) -> None:
    """End a process by signal 9, unless something else has."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def await_workers(client: rs.Client, count: int, *, without: int = -1) -> None:
    """Wait until there are so many workers, none of them the process that was killed."""
    until(lambda: len(found := pids(client).values()) == count and without not in found)


# ---- tasks


def touch(path: str) -> None:
    Path(path).touch()


def add_line(path: str) -> None:
    """Note in a file that a task has begun: whoever looks can count them."""
    with Path(path).open("a") as file:
        file.write(f"{os.getpid()}\n")


def lines(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def shuffled(n: int, count: int) -> list[int]:
    """What `shuffle` of the benchmarks comes to."""
    blocks = [np.array_split(numbers(i, count), n) for i in range(n)]
    return [checksum(*(blocks[i][j] for i in range(n))) for j in range(n)]


def inc(x: int) -> int:
    return x + 1


def total(*xs: int) -> int:
    return sum(xs)


def wait_for_file(path: str) -> bool:
    """Whether a file appears in time."""
    deadline = time.monotonic() + PATIENCE
    while not os.path.exists(path) and time.monotonic() < deadline:
        time.sleep(0.01)
    return os.path.exists(path)


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def hold_the_gil(seconds: float) -> float:
    """Sleep without letting any other thread of the process run."""
    ctypes.PyDLL(None).usleep(int(seconds * 1e6))
    return seconds


def deaf(path: str) -> None:
    """Hold the GIL, once that has been said."""
    add_line(path)
    hold_the_gil(PATIENCE)


def hold_the_gil_until_opened(path: str) -> None:
    """Let no other thread of the process run until somebody opens a named pipe for writing."""
    os.close(ctypes.PyDLL(None).open(path.encode(), os.O_RDONLY))


def spin(path: str) -> None:
    """Compute for ever, once that has been said."""
    add_line(path)
    while True:
        pass


def swallow(path: str) -> None:
    """Wait for ever, whatever is raised here, once that has been said."""
    add_line(path)
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(0.01)
