"""A slow network: small tasks with a delay added to the way of each message, against the same without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import restride as rs
from benchmarks import graphs
from benchmarks.systems import restride_client
from benchmarks.timing import alternate

DELAY = 0.02
"""Seconds added each way."""


def run(*, quick: bool = False) -> dict[str, list[dict[str, Any]]]:
    n, repeat = (1000, 1) if quick else (100_000, 5)
    with restride_client() as near, rs.config.set({"comm.delay": DELAY}), restride_client() as far:
        contenders: dict[str, Callable[[], list[int]]] = {
            "none": lambda: near.get(*graphs.inc_then_sum(n)),
            f"{DELAY * 1e3:g} ms": lambda: far.get(*graphs.inc_then_sum(n)),
        }
        assert [contender() for contender in contenders.values()] == [[n * (n + 1) // 2]] * 2
        taken = alternate(contenders, repeat)
    fastest = taken["none"].best
    return {
        "network": [
            {
                "delay each way": name,
                "tasks": n,
                "s": timing.best,
                "tasks a second": n / timing.best,
                "throughput lost": f"{1 - fastest / timing.best:.0%}",
            }
            for name, timing in taken.items()
        ]
    }
