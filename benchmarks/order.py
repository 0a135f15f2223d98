"""The static order against dask.order: mean number of live outputs, and time, on the graphs of `order_graphs`."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
from dask.order import order as dask_order
from numpy.typing import NDArray

from benchmarks.order_graphs import DaskGraph, graphs, to_csr
from benchmarks.timing import alternate
from restride.engine.graphs.order import mean_live, order

Row = dict[str, Any]

_LARGE = 2000
"""Speed is asked for on graphs of more tasks than this."""


def run(*, quick: bool = False) -> dict[str, list[Row]]:
    """A row for each graph, and summary rows: geometric mean, worst ratio, slowest speed-up above 2,000 tasks."""
    rows = [compare(name, graph, repeat=1 if quick else 9) for name, graph in islice(graphs(), 3 if quick else None)]
    return {"order": [*rows, *summary(rows)]}


def compare(name: str, graph: DaskGraph, repeat: int) -> Row:
    """Both orders of a graph. Each contender gets the graph as it keeps it: a dict of tasks, or CSR columns."""
    keys, indptr, indices = to_csr(graph)
    took = alternate({"dask": lambda: dask_order(graph), "ours": lambda: order(indptr, indices)}, repeat)
    theirs = mean_live(indptr, indices, _positions(dask_order(graph), keys))
    ours = mean_live(indptr, indices, order(indptr, indices))
    return {
        "graph": name,
        "tasks": len(keys),
        "edges": len(indices),
        "dask mean live": theirs,
        "ours mean live": ours,
        "ratio": ours / theirs,
        "dask ms": took["dask"].best * 1e3,
        "ours ms": took["ours"].best * 1e3,
        "faster": took["dask"].best / took["ours"].best,
    }


def summary(rows: list[Row]) -> list[Row]:
    worst = max(rows, key=lambda row: row["ratio"])
    slowest = min((row for row in rows if row["tasks"] > _LARGE), key=lambda row: row["faster"])
    means = {column: float(np.exp(np.mean(np.log([row[column] for row in rows])))) for column in ("ratio", "faster")}
    return [
        {"graph": "geometric mean", **means},
        {"graph": f"worst ratio: {worst['graph']}", "ratio": worst["ratio"]},
        {"graph": f"slowest above {_LARGE:,} tasks: {slowest['graph']}", "faster": slowest["faster"]},
    ]


def _positions(priorities: dict[Any, int], keys: list[Any]) -> NDArray[np.int64]:
    """Positions ``0 .. n - 1`` by dask's priorities, which may have gaps."""
    positions = np.empty(len(keys), np.int64)
    positions[np.argsort([priorities[key] for key in keys], kind="stable")] = np.arange(len(keys))
    return positions
