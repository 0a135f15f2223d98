"""Task graphs that several benchmarks run, as restride's and as dask's of the same shape."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

import restride as rs

FAN_IN = 100

DaskGraph = tuple[dict[Any, Any], Any]
"""Tasks by key, and the key of the last one."""

_runs = itertools.count()
"""Part of dask's keys, as dask.distributed would remember the results of the same ones."""


def inc(x: int) -> int:
    return x + 1


def inc_all(n: int) -> int:
    return sum(inc(i) for i in range(n))


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


def numbers(i: int, count: int) -> np.ndarray:
    return np.random.default_rng(i).random(count)


def stretch(i: int, block: np.ndarray, parts: int) -> np.ndarray:
    return np.array_split(block, parts)[i]


def checksum(*pieces: np.ndarray) -> int:
    return zlib.crc32(np.concatenate(pieces).data)


def inc_and_sum_at_once(n: int) -> tuple[rs.TaskGraph, np.ndarray]:
    """What `inc_then_sum` does, in a single task."""
    graph = rs.TaskGraph()
    return graph, graph.add(inc_all, 1, params=[n]).ids


def inc_then_sum(n: int) -> tuple[rs.TaskGraph, np.ndarray]:
    """`n` tasks that add one, then a tree of sums; the graph, and the id of the last."""
    graph = rs.TaskGraph()
    layer = graph.add(inc, n, params=np.arange(n))
    while len(layer) > 1:
        many = len(layer)
        few = -(-many // FAN_IN)
        layer = graph.add(total, few, deps=(np.minimum(np.arange(few + 1) * FAN_IN, many), layer.ids))
    return graph, layer.ids


def dask_inc_and_sum_at_once(n: int) -> DaskGraph:
    """The same as a graph of dask's."""
    key = ("all", next(_runs))
    return {key: (inc_all, n)}, key


def dask_inc_then_sum(n: int) -> DaskGraph:
    """The same as a graph of dask's."""
    run = next(_runs)
    graph: dict[Any, Any] = {("inc", run, i): (inc, i) for i in range(n)}
    keys: list[Any] = list(graph)
    level = 0
    while len(keys) > 1:
        level += 1
        sums = {
            ("sum", run, level, i // FAN_IN): (total_of_list, list(keys[i : i + FAN_IN]))
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


def shuffle(n: int, count: int) -> tuple[rs.TaskGraph, np.ndarray]:
    """An all-to-all with data to move: `n` sources of `count` random numbers, and the ids of `n` checksums."""
    graph = rs.TaskGraph()
    sources = graph.add(numbers, n, params=np.arange(n), count=count)
    pieces = graph.add(
        stretch, n * n, deps=(np.arange(n * n + 1), np.repeat(sources.ids, n)), params=np.tile(np.arange(n), n), parts=n
    )
    return graph, graph.add(checksum, n, deps=(np.arange(n + 1) * n, pieces.ids.reshape(n, n).T.ravel())).ids


def dask_all_to_all(n: int) -> DaskGraph:
    """The same as a graph of dask's."""
    run = next(_runs)
    graph: dict[Any, Any] = {("make", run, i): (make, i) for i in range(n)}
    graph.update({("piece", run, i, j): (piece_of, ("make", run, i), j) for i in range(n) for j in range(n)})
    graph.update({("merge", run, j): (merge, *(("piece", run, i, j) for i in range(n))) for j in range(n)})
    graph["length", run] = (length, *(("merge", run, j) for j in range(n)))
    return graph, ("length", run)
