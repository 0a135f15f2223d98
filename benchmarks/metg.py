"""METG(50%), the minimum effective task granularity of Task Bench (SC'20): the shortest tasks at half of full speed.

A graph is a row of `WIDTH` tasks a step, which depend on tasks of the step before as its pattern says, and one last
task over all that no other task needs. Efficiency is the tasks' own time over what the workers had. The length that is
given here is that of a task by itself; Task Bench counts wall time times cores by tasks, which is twice as much where
efficiency is a half.

A task spins in Python until its thread has had so much time of a core (`time.thread_time`), longer by the clock where
others get the core meanwhile: what scheduler and client take of the workers' cores counts as lost.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from math import inf, sqrt
from time import thread_time
from typing import Any

import numpy as np

import restride as rs
from benchmarks.systems import dask_client, installed, restride_client
from benchmarks.timing import repeated

Row = dict[str, Any]
Pattern = Callable[[int, int], list[int]]
"""Step and place within it -> places of the step before that a task needs."""
Steps = list[list[list[int]]]
"""What the tasks of each step need, as places of the step before."""
Prepare = Callable[[float], Callable[[], object]]
"""Length of a task in seconds -> what runs the graph; to build it does not count."""

WIDTH = 8
WORKERS = 2
LONGEST = 0.1
"""Seconds; a system that needs longer tasks is given up, as on a machine whose cores others hold."""


def run(*, quick: bool = False) -> dict[str, list[Row]]:
    patterns = ("stencil_1d", "tree") if quick else tuple(PATTERNS)
    table: list[Row] = []
    with restride_client(WORKERS) as client:
        for pattern in patterns:
            steps = needs(pattern, 10 if quick else 1000)
            efficiency = _efficiency(_restride(client, steps), sum(map(len, steps)), 1 if quick else 3)
            table.append({"pattern": pattern, "restride µs": metg(efficiency, start=100e-6) * 1e6})
    if not installed("distributed"):
        return {"metg": [*table, {"pattern": "dask.distributed: not installed"}]}
    with dask_client(WORKERS) as client:
        for row in table:
            steps = needs(row["pattern"], 5 if quick else 50)
            efficiency = _efficiency(_dask(client, steps), sum(map(len, steps)), 1 if quick else 2)
            theirs = metg(efficiency, start=3e-3) * 1e6
            row |= {"dask.distributed µs": theirs, "dask.distributed / restride": theirs / row["restride µs"]}
    return {"metg": table}


def metg(efficiency: Callable[[float], float], start: float) -> float:
    """The shortest length of a task, in seconds, that was seen to reach half of full speed.

    Lengths are halved or doubled from `start` on until they lie on both sides of it, and then bisected to 9 %. Infinity
    where tasks of `LONGEST` are too short.
    """
    long = start
    while efficiency(long) < 0.5:
        long *= 2
        if long > LONGEST:
            return inf
    short = long / 2
    while efficiency(short) >= 0.5:
        long, short = short, short / 2
    for _ in range(3):
        middle = sqrt(short * long)
        if efficiency(middle) >= 0.5:
            long = middle
        else:
            short = middle
    return long


def spin(*_: object, seconds: float) -> int:
    until = thread_time() + seconds
    while thread_time() < until:
        pass
    return 0


def count(*outputs: object) -> int:
    return len(outputs)


def _efficiency(prepare: Prepare, tasks: int, repeat: int) -> Callable[[float], float]:
    """Tasks' own time over the workers' time, by the length of a task; the best of several runs."""

    def efficiency(seconds: float) -> float:
        best = min(repeated(prepare(seconds), 1).best for _ in range(repeat))
        return tasks * seconds / (best * WORKERS)

    return efficiency


def _restride(client: rs.Client, steps: Steps) -> Prepare:
    def prepare(seconds: float) -> Callable[[], object]:
        graph = rs.TaskGraph()
        before = np.zeros(0, np.int64)
        for step in steps:
            deps = (np.cumsum([0, *map(len, step)]), before[[place for needed in step for place in needed]])
            before = graph.add(spin, len(step), deps=deps, seconds=seconds).ids
        last = graph.add(count, 1, deps=([0, len(ends(steps))], ends(steps)))
        return lambda: client.get(graph, last.ids)

    return prepare


def _dask(client: Any, steps: Steps) -> Prepare:
    runs = itertools.count()

    def prepare(seconds: float) -> Callable[[], object]:
        run = next(runs)  # or it would remember results
        graph: dict[Any, Any] = {}
        before: list[Any] = []
        for number, step in enumerate(steps):
            keys = [("spin", run, number, place) for place in range(len(step))]
            graph |= {
                key: (partial(spin, seconds=seconds), *(before[place] for place in needed))
                for key, needed in zip(keys, step)
            }
            before = keys
        everything = list(graph)
        graph["count", run] = (count, *(everything[id] for id in ends(steps)))
        return lambda: client.get(graph, ("count", run))

    return prepare


# ---- patterns, as in Task Bench


def needs(pattern: str, steps: int) -> Steps:
    """The first step needs nothing, and nothing depends on places that the step before did not have."""
    widths = [min(WIDTH, 2**step) if pattern == "tree" else WIDTH for step in range(steps)]
    return [
        [[i for i in PATTERNS[pattern](step, place) if step and 0 <= i < before] for place in range(width)]
        for step, (before, width) in enumerate(zip([0, *widths], widths))
    ]


def ends(steps: Steps) -> list[int]:
    """Tasks that no other needs, as numbers over all steps."""
    result, first = [], 0
    for step, after in zip(steps, [*steps[1:], []]):
        needed = {place for row in after for place in row}
        result += [first + place for place in range(len(step)) if place not in needed]
        first += len(step)
    return result


def _fft(step: int, place: int) -> list[int]:
    distance = 2 ** ((step - 1) % (WIDTH - 1).bit_length())
    return [place - distance, place, place + distance]


def _random_nearest(step: int, place: int) -> list[int]:
    """Of five neighbours a quarter, and always itself; three choices that take turns."""
    rng = np.random.default_rng((step % 3, place))
    return [i for i in range(place - 2, place + 3) if rng.random() < 0.25 or i == place]


PATTERNS: dict[str, Pattern] = {
    "stencil_1d": lambda step, place: [place - 1, place, place + 1],
    "fft": _fft,
    "tree": lambda step, place: [place // 2],
    "random_nearest": _random_nearest,
    "no_comm": lambda step, place: [place],
    "all_to_all": lambda step, place: list(range(WIDTH)),
}
