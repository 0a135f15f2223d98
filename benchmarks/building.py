"""How long it takes to write an array expression as a task graph, and to bring that in order, before anything runs."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

import restride.array as ra
from restride.collections.lowering import lower
from restride.engine.graphs.job import compile_job


class Matrix:
    """Something to read that nobody reads."""

    def __init__(self, side: int) -> None:
        self.shape = (side, side)
        self.dtype = np.dtype(float)

    def __getitem__(self, where: Any) -> Any:
        raise NotImplementedError


def run(*, quick: bool = False) -> dict[str, list[dict[str, Any]]]:
    """Elementwise work and a reduction, on so many chunks; then a corner of overlapping blocks."""
    rows = [_row("(sin(x + 1) * 2 - x).sum()", side, _chain) for side in ((10, 100) if quick else (10, 100, 1000))]
    rows += [_row("a corner of x.map_overlap(f, depth=1)", side, _corner) for side in ((10,) if quick else (10, 200))]
    return {"building": rows}


def _chain(side: int) -> ra.Array:
    x = ra.from_array(Matrix(100 * side), chunks=100)
    return (np.sin(x + 1) * 2 - x).sum()


def _corner(side: int) -> ra.Array:
    x = ra.from_array(Matrix(100 * side), chunks=100)
    return x.map_overlap(np.copy, depth=1, boundary="none")[-110:-100, -110:-100]


def _row(what: str, side: int, make: Callable[[int], ra.Array]) -> dict[str, Any]:
    best = {"expression": np.inf, "graph": np.inf, "order": np.inf}
    for _ in range(3):
        times = [perf_counter()]
        expr = make(side).expr
        times.append(perf_counter())
        graph, ids = lower([expr])
        times.append(perf_counter())
        compile_job(graph, np.concatenate(ids))
        times.append(perf_counter())
        best = {part: min(best[part], s) for part, s in zip(best, np.diff(times).tolist())}
    return {
        "array": what,
        "chunks": side * side,
        "tasks": len(graph),
        **{f"{part}, ms": s * 1000 for part, s in best.items()},
    }
