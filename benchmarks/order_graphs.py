"""Fifty-one graphs to compare orders on: array programs as dask builds them, and task graphs of well-known shapes.

Dask breaks ties by keys, and its optimizer goes through sets of strings: figures move by some percent from process to
process unless PYTHONHASHSEED is set.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

import dask.array as da
import numpy as np
from dask._task_spec import convert_legacy_graph
from dask.array.overlap import sliding_window_view
from dask.base import optimize
from dask.core import get_dependencies
from numpy.typing import NDArray

Dependencies = dict[Hashable, list[Hashable]]
"""Tasks by key, each with the keys of the tasks whose outputs it needs."""
DaskGraph = Mapping[Any, Any]


def graphs() -> Iterator[tuple[str, DaskGraph]]:
    """Names and dask graphs, one after another, each built when it is asked for."""
    for name, program in ARRAYS.items():
        (optimized,) = optimize(program(da.random.RandomState(0).random))
        yield name, dict(optimized.__dask_graph__())
    for name, shape in SHAPES.items():
        yield name, convert_legacy_graph({key: (_task, *needs) for key, needs in shape().items()})


def to_csr(graph: DaskGraph) -> tuple[list[Hashable], NDArray[np.int64], NDArray[np.int64]]:
    """The keys of a dask graph, and its dependencies in CSR form with positions among the keys as ids."""
    keys = list(graph)
    ids = {key: i for i, key in enumerate(keys)}
    rows = [[ids[needed] for needed in get_dependencies(graph, key)] for key in keys]
    indptr = np.cumsum([0, *map(len, rows)], dtype=np.int64)
    return keys, indptr, np.array([needed for row in rows for needed in row], np.int64)


def _task(*arguments: object) -> object:
    return arguments


# --------------------------------------------------------------------------------------------------- array programs

Random = Callable[..., da.Array]


def vorticity(random: Random) -> da.Array:
    """A curl on a periodic grid, day by day."""

    def padded(field: da.Array) -> da.Array:
        wrapped = da.pad(field, [(0, 1), (0, 0), (0, 0)], mode="wrap")
        return wrapped.rechunk((51, *wrapped.chunks[1:]))

    u, v = (random((50, 50, 200), chunks=(50, 50, 1)) for _ in range(2))
    dx, dy = (random((51, 50), chunks=(51, 50)) for _ in range(2))
    return dx[..., None] * padded(u) - dy[..., None] * padded(v)


def anomaly(random: Random) -> da.Array:
    """Ten years of days less the mean of each day of the year."""
    days = random((3650, 100, 100), chunks=(10, 100, 100))
    climate = days.reshape(10, 365, 100, 100).mean(axis=0)
    return (days - climate[None].repeat(10, axis=0).reshape(days.shape)).std(axis=0)


def covariance(random: Random) -> da.Array:
    rows = random((20000, 100), chunks=(500, 100))
    centred = rows - rows.mean(axis=0)
    return centred.T @ (rows - rows.mean(axis=0))


def overlapped(array: da.Array, depth: int, times: int) -> da.Array:
    """The array after so many windowed functions, one on another."""
    for _ in range(times):
        array = array.map_overlap(_same, depth=depth)
    return array


def _same(block: Any) -> Any:
    return block


def fft2(random: Random) -> da.Array:
    rows = da.fft.fft(random((4000, 4000), chunks=(100, 4000)), axis=1)
    return da.fft.fft(rows.rechunk((4000, 100)), axis=0)


def double_difference(random: Random) -> da.Array:
    a, b = (random((4000, 4000), chunks=200) for _ in range(2))
    return a[1:, 1:] - b[:-1, :-1]


def gram(random: Random) -> da.Array:
    x = large(random)[:1500, :1500]
    return (x @ x.T).sum()


def several_statistics(random: Random) -> da.Array:
    x = large(random)
    return da.stack([x.sum(axis=0), x.mean(axis=0), x.std(axis=0)])


def mixed_statistics(random: Random) -> da.Array:
    x = large(random)
    return da.stack([(x - x.mean(axis=0)).std(axis=0), (x * 2).max(axis=0)])


def centred_both_ways(random: Random) -> da.Array:
    x = medium(random)
    return x - x.mean(axis=0) - x.mean(axis=1)[:, None] + x.mean()


def standardized(random: Random) -> da.Array:
    x = medium(random)
    return ((x - x.mean(axis=0)) / x.std(axis=0)).sum(axis=1)


def two_arrays(random: Random) -> da.Array:
    x = medium(random)
    return (x * medium(random)).sum() / x.sum()


def matrix_chain(random: Random) -> da.Array:
    a, b, c = (random((1200, 1200), chunks=100) for _ in range(3))
    return a @ b @ c


def large(random: Random) -> da.Array:
    return random((4000, 4000), chunks=(100, 100))


def medium(random: Random) -> da.Array:
    return random((2000, 2000), chunks=(100, 100))


def mean_centred(random: Random) -> da.Array:
    x = large(random)
    return (x - x.mean(axis=0)).sum()


def plus_transpose(random: Random) -> da.Array:
    x = large(random)
    return (x + x.T).sum(axis=1)


ARRAYS: dict[str, Callable[[Random], da.Array]] = {
    "sum": lambda random: large(random).sum(),
    "sum axis0": lambda random: large(random).sum(axis=0),
    "mean-center": mean_centred,
    "x+x.T": plus_transpose,
    "dot": gram,
    "rechunk": lambda random: random((4000, 4000), chunks=(50, 4000)).rechunk((4000, 50)).sum(axis=0),
    "fft2": fft2,
    "double_diff": double_difference,
    "vorticity": vorticity,
    "anomaly": anomaly,
    "overlap": lambda random: overlapped(large(random), 1, 1).sum(),
    "svd": lambda random: da.linalg.svd(random((20000, 50), chunks=(500, 50)))[2],
    "stacked": several_statistics,
    "cov": covariance,
    "ovl chain1d": lambda random: overlapped(random((20000,), chunks=100), 2, 3).sum(),
    "ovl chain2d": lambda random: da.map_blocks(np.sum, overlapped(medium(random), 1, 2), chunks=(1, 1)),
    "ABC": matrix_chain,
    "ABC sum": lambda random: matrix_chain(random).sum(),
    "two-tree": lambda random: (medium(random).sum(axis=0) + medium(random).sum(axis=1)).sum(),
    "two arrays": two_arrays,
    "cumsum": lambda random: da.cumsum(medium(random), axis=0).sum(axis=1),
    "cholesky": lambda random: da.linalg.cholesky(random((1600, 1600), chunks=100)),
    "lu": lambda random: da.linalg.lu(random((1200, 1200), chunks=100))[2],
    "qr": lambda random: da.linalg.qr(random((20000, 50), chunks=(250, 50)))[0],
    "standardize": standardized,
    "center rows+cols": centred_both_ways,
    "reshape": lambda random: medium(random).reshape(40, 50, 2000).sum(axis=0),
    "rechunk2d": lambda random: medium(random).rechunk((2000, 50)).rechunk((50, 2000)).sum(axis=0),
    "grad": lambda random: da.gradient(random((4000, 400), chunks=(100, 100)), axis=0).sum(),
    "slide": lambda random: sliding_window_view(random((20000,), chunks=100), 7).mean(axis=1),
    "var 3d": lambda random: random((200, 200, 200), chunks=20).var(axis=(1, 2)),
    "tensordot": lambda random: da.tensordot(
        *(random((60, 60, 60), chunks=10) for _ in range(2)), axes=((1, 2), (0, 1))
    ),
    "hist": lambda random: da.histogram(random((100000,), chunks=100), bins=10, range=(0, 1))[0],
    "topk": lambda random: da.topk(random((100000,), chunks=200), 10),
    "big mixed": mixed_statistics,
}


# ----------------------------------------------------------------------------------------------------- task graphs


def climatology(years: int = 40, months: int = 12, fan_in: int = 4) -> Dependencies:
    """Monthly maps less the mean of each calendar month, which is a tree over the years; each stored."""
    graph: Dependencies = {}
    for month in range(months):
        maps: list[Hashable] = [("map", year, month) for year in range(years)]
        parts: list[Hashable] = [("part", month, i) for i in range(years // fan_in)]
        graph.update((key, []) for key in maps)
        graph.update((part, maps[i * fan_in : (i + 1) * fan_in]) for i, part in enumerate(parts))
        graph["mean", month] = parts
        for year in range(years):
            graph["anomaly", year, month] = [("map", year, month), ("mean", month)]
            graph["store", year, month] = [("anomaly", year, month)]
    return graph


def stencil(width: int = 60, steps: int = 200) -> Dependencies:
    """A three-point stencil in time."""
    graph: Dependencies = {("x", 0, i): [] for i in range(width)}
    for step in range(1, steps + 1):
        for i in range(width):
            graph["x", step, i] = [("x", step - 1, j) for j in (i - 1, i, i + 1) if 0 <= j < width]
    return graph


def all_to_all(n: int = 60) -> Dependencies:
    """A shuffle: sources are split, pieces picked from the splits and merged, merges stored."""
    graph: Dependencies = {}
    for i in range(n):
        graph["source", i] = []
        graph["split", i] = [("source", i)]
        graph.update((("piece", i, j), [("split", i)]) for j in range(n))
    for j in range(n):
        graph["merge", j] = [("piece", i, j) for i in range(n)]
        graph["store", j] = [("merge", j)]
    return graph


def staged_shuffle(fan: int = 8, stages: int = 2) -> Dependencies:
    """A shuffle of ``fan ** stages`` partitions, one digit of the destination a stage."""
    n = fan**stages
    graph: Dependencies = {("part", 0, i): [] for i in range(n)}
    for stage in range(stages):
        stride = fan**stage
        for i in range(n):
            graph["split", stage, i] = [("part", stage, i)]
            graph.update((("piece", stage, i, j), [("split", stage, i)]) for j in range(fan))
            digit = i // stride % fan
            graph["part", stage + 1, i] = [("piece", stage, i + (j - digit) * stride, digit) for j in range(fan)]
    return graph


def butterfly(stages: int = 8) -> Dependencies:
    """The exchanges of a radix-2 FFT."""
    graph: Dependencies = {("b", 0, i): [] for i in range(2**stages)}
    for stage in range(stages):
        for i in range(2**stages):
            graph["b", stage + 1, i] = [("b", stage, i), ("b", stage, i ^ (1 << stage))]
    return graph


def pairwise(n: int = 50) -> Dependencies:
    """Distances between all of one set and all of another, reduced along one."""
    graph: Dependencies = {(side, i): [] for side in "xy" for i in range(n)}
    for i in range(n):
        graph.update((("distance", i, j), [("x", i), ("y", j)]) for j in range(n))
        graph["nearest", i] = [("distance", i, j) for j in range(n)]
    return graph


def pairs_within(n: int = 100) -> Dependencies:
    """Distances between all pairs of one set, then one task that needs them all."""
    graph: Dependencies = {("x", i): [] for i in range(n)}
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    graph.update((("distance", i, j), [("x", i), ("x", j)]) for i, j in pairs)
    graph["all"] = [("distance", i, j) for i, j in pairs]
    return graph


def three_stores(n: int = 500) -> Dependencies:
    """Three arrays that share inputs, each written chunk by chunk and then closed."""
    graph: Dependencies = {}
    for i in range(n):
        graph["x", i] = graph["y", i] = []
        graph["p", i], graph["q", i] = [("x", i), ("y", i)], [("x", i)]
        graph["z", i] = [("p", i), ("q", i)]
        graph.update((("store", name, i), [(name, i)]) for name in "pqz")
    graph.update((("close", name), [("store", name, i) for i in range(n)]) for name in "pqz")
    return graph


def random_layers(depth: int, width: int, pick: Callable[[int], list[int]]) -> Dependencies:
    """Layers in which task i needs the tasks `pick(i)` of the layer before."""
    graph: Dependencies = {("n", 0, i): [] for i in range(width)}
    for layer in range(1, depth):
        for i in range(width):
            graph["n", layer, i] = [("n", layer - 1, j) for j in sorted(set(pick(i)))]
    return graph


def local_layers() -> Dependencies:
    rng = np.random.default_rng(0)
    return random_layers(15, 150, lambda i: [min(149, max(0, int(i + rng.normal() * 4))) for _ in range(3)])


def far_layers() -> Dependencies:
    rng = np.random.default_rng(0)
    return random_layers(10, 150, lambda i: rng.integers(0, 150, 2).tolist())


def random_graph(n: int = 3000) -> Dependencies:
    """Each task needs up to three before it, most of them near."""
    rng = np.random.default_rng(0)
    graph: Dependencies = {}
    for i in range(n):
        back = rng.geometric(0.01, int(rng.integers(0, 4))).tolist() if i > 5 else []
        graph["v", i] = [("v", j) for j in sorted({i - 1 - min(i - 1, distance) for distance in back})]
    return graph


def broadcast(n: int = 1000, fan_in: int = 8) -> Dependencies:
    """One small input that every chunk needs a view of, then a tree sum."""
    graph: Dependencies = {"shared": []}
    for i in range(n):
        graph["x", i], graph["view", i] = [], ["shared"]
        graph["sum", 0, i] = [("x", i), ("view", i)]
    level = 0
    while n > 1:
        groups = [range(i, min(i + fan_in, n)) for i in range(0, n, fan_in)]
        level, n = level + 1, len(groups)
        graph.update((("sum", level, i), [("sum", level - 1, j) for j in group]) for i, group in enumerate(groups))
    return graph


def chain(n: int = 2001) -> Dependencies:
    return {("c", i): [("c", i - 1)] if i else [] for i in range(n)}


def accumulation(n: int = 800) -> Dependencies:
    """A running sum, kept as its last value."""
    graph: Dependencies = {("x", i): [] for i in range(n)}
    graph.update((("s", i), [("s", i - 1), ("x", i)] if i else [("x", 0)]) for i in range(n))
    return graph


def two_passes(n: int = 600) -> Dependencies:
    """All chunks less a figure that needs them all, so that every chunk must be held."""
    graph: Dependencies = {}
    for i in range(n):
        graph["x", i], graph["part", i] = [], [("x", i)]
        graph["less", i], graph["again", i] = [("x", i), "figure"], [("less", i)]
    graph["figure"] = [("part", i) for i in range(n)]
    graph["end"] = [("again", i) for i in range(n)]
    return graph


def shuffled_stencil(n: int = 40) -> Dependencies:
    """One step of a nine-point stencil, its tasks listed in no order at all."""
    cells = [(i, j) for i in range(n) for j in range(n)]
    graph: Dependencies = {("x", i, j): [] for i, j in cells}
    for i, j in cells:
        near = ((i + a, j + b) for a in (-1, 0, 1) for b in (-1, 0, 1))
        graph["y", i, j] = [("x", a, b) for a, b in near if 0 <= a < n and 0 <= b < n]
    items = list(graph.items())
    return dict(items[i] for i in np.random.default_rng(0).permutation(len(items)))


SHAPES: dict[str, Callable[[], Dependencies]] = {
    "climatology": climatology,
    "stencil200": stencil,
    "shuffle": all_to_all,
    "shuffle2": staged_shuffle,
    "butterfly": butterfly,
    "pairwise": pairwise,
    "pairs self": pairs_within,
    "store3": three_stores,
    "layer local": local_layers,
    "layer random": far_layers,
    "rand dag": random_graph,
    "broadcast": broadcast,
    "chain": chain,
    "accumulate": accumulation,
    "two-pass": two_passes,
    "stencil2d perm": shuffled_stencil,
}
