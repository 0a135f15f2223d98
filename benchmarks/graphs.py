"""Task graphs that several benchmarks run, as restride's and as dask's of the same shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import restride as rs

FAN_IN = 100


def inc(x: int) -> int:
    return x + 1


def total(*xs: int) -> int:
    return sum(xs)


def total_of_list(xs: Sequence[int]) -> int:
    return sum(xs)


def make(i: int) -> np.ndarray:
    return np.full(8, i)


def piece(i: int, block: np.ndarray) -> np.ndarray:
    return block[i % 8 : i % 8 + 1]


def piece_of(block: np.ndarray, i: int) -> np.ndarray:
    return block[i % 8 : i % 8 + 1]


def merge(*pieces: np.ndarray) -> np.ndarray:
    return np.concatenate(pieces)


def length(*blocks: np.ndarray) -> int:
    return sum(map(len, blocks))


def inc_then_sum(n: int) -> tuple[rs.TaskGraph, np.ndarray]:
    """`n` tasks that add one, then a tree of sums; the graph, and the id of the last."""
    graph = rs.TaskGraph()
    layer = graph.add(inc, n, params=np.arange(n))
    while len(layer) > 1:
        many = len(layer)
        few = -(-many // FAN_IN)
        layer = graph.add(total, few, deps=(np.minimum(np.arange(few + 1) * FAN_IN, many), layer.ids))
    return graph, layer.ids


def dask_inc_then_sum(n: int) -> tuple[dict[Any, Any], Any]:
    """The same as a graph of dask's."""
    graph: dict[Any, Any] = {("inc", i): (inc, i) for i in range(n)}
    keys: list[Any] = list(graph)
    level = 0
    while len(keys) > 1:
        level += 1
        sums = {
            ("sum", level, i // FAN_IN): (total_of_list, list(keys[i : i + FAN_IN]))
            for i in range(0, len(keys), FAN_IN)
        }
        graph.update(sums)
        keys = list(sums)
    return graph, keys[0]


def all_to_all(n: int) -> tuple[rs.TaskGraph, np.ndarray]:
    """`n` sources, a piece of each for each of `n` merges, then one task over all; n² + 2n + 1 tasks."""
    graph = rs.TaskGraph()
    sources = graph.add(make, n, params=np.arange(n))
    pieces = graph.add(
        piece, n * n, deps=(np.arange(n * n + 1), np.repeat(sources.ids, n)), params=np.tile(np.arange(n), n)
    )
    merges = graph.add(merge, n, deps=(np.arange(n + 1) * n, pieces.ids.reshape(n, n).T.ravel()))
    return graph, graph.add(length, 1, deps=([0, n], merges.ids)).ids


def dask_all_to_all(n: int) -> tuple[dict[Any, Any], Any]:
    """The same as a graph of dask's."""
    graph: dict[Any, Any] = {("make", i): (make, i) for i in range(n)}
    graph.update({("piece", i, j): (piece_of, ("make", i), j) for i in range(n) for j in range(n)})
    graph.update({("merge", j): (merge, *(("piece", i, j) for i in range(n))) for j in range(n)})
    graph["length"] = (length, *(("merge", j) for j in range(n)))
    return graph, "length"
