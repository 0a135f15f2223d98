"""A shuffle during which a worker is killed by signal 9 at a random moment, many times over, against undisturbed runs.

Every run has to end with the right checksums. It may take three times the undisturbed one, and the time of a restart:
from the kill of a worker that is idle until another is in its place.
"""

from __future__ import annotations

import os
import random
import signal
import statistics
import threading
from time import perf_counter, sleep
from typing import Any

import restride as rs
from benchmarks import graphs
from benchmarks.systems import restride_client
from benchmarks.timing import repeated

WORKERS = 2
SEED = 0


def run(*, quick: bool = False) -> dict[str, list[dict[str, Any]]]:
    runs, parts, count = (3, 10, 10_000) if quick else (200, 60, 500_000)
    rng = random.Random(SEED)
    graph, ids = graphs.shuffle(parts, count)
    with rs.Client("inline") as client:
        expected = client.get(graph, ids)
    with restride_client(WORKERS) as client:
        undisturbed = repeated(lambda: client.get(graph, ids), 3 if quick else 10).median
        restart = max(_restart(client, rng) for _ in range(2 if quick else 5))
        seconds, right, hit = [], 0, 0
        for _ in range(runs):
            delay = rng.uniform(0, undisturbed)
            taken, outcome = _disturbed(client, graph, ids, rng.choice(_pids(client)), delay)
            seconds.append(taken)
            right += outcome == expected
            hit += delay < taken
    allowed = 3 * undisturbed + restart
    return {
        "kills": [
            {
                "runs": runs,
                "tasks": len(graph),
                "killed before the end": hit,
                "right results": right,
                "undisturbed s": undisturbed,
                "restart s": restart,
                "median s": statistics.median(seconds),
                "slowest s": max(seconds),
                "allowed s": allowed,
                "slower than allowed": sum(taken > allowed for taken in seconds),
            }
        ]
    }


def _disturbed(client: rs.Client, graph: rs.TaskGraph, ids: Any, victim: int, delay: float) -> tuple[float, list[int]]:
    """Seconds of a run, and its outcome; a process is killed so many seconds after its begin."""
    kill = threading.Timer(delay, os.kill, (victim, signal.SIGKILL))
    kill.start()
    start = perf_counter()
    outcome = client.get(graph, ids)
    taken = perf_counter() - start
    kill.join()
    _await_replacement(client, victim)
    return taken, outcome


def _restart(client: rs.Client, rng: random.Random) -> float:
    victim = rng.choice(_pids(client))
    start = perf_counter()
    os.kill(victim, signal.SIGKILL)
    _await_replacement(client, victim)
    return perf_counter() - start


def _await_replacement(client: rs.Client, victim: int) -> None:
    while len(pids := _pids(client)) < WORKERS or victim in pids:
        sleep(0.005)


def _pids(client: rs.Client) -> list[int]:
    return sorted(worker["pid"] for worker in client.info()["workers"].values())
