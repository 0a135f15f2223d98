"""Lowering: from expressions to a task graph, by way of blocks.

The whole pipeline is `lower`: make the expressions cheaper, ask what has to be known of the data, write each as a table
of blocks, fuse maps, append a layer for each table that is left. Every pass works on whole tables; none looks at a
block.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from restride.collections.blocks import Blocks, Gather, Map, Ready, Rechunked, Select
from restride.collections.expression import Expr, Send, rewrite, subexpressions
from restride.collections.facts import Ask, no_answers, settled
from restride.collections.fusion import fuse
from restride.collections.optimize import optimized
from restride.collections.traversal import postorder
from restride.engine.graphs.csr import Ints
from restride.engine.graphs.graph import TaskGraph
from restride.shuffle.rechunk import lower_rechunk


def lower(
    exprs: Sequence[Expr], ask: Ask = no_answers, *, ship: bool = False, send: Send | None = None
) -> tuple[TaskGraph, list[Ints]]:
    """Write expressions as one task graph.

    Parameters
    ----------
    exprs : sequence of Expr
    ask : callable
        Computes what nodes want to know of the data before they lower.
    ship : bool
        Tasks will run in other processes.
    send : callable, optional
        Takes data of the client's there; without it they go along with tasks.

    Returns
    -------
    graph : TaskGraph
    ids : list of int64 arrays
        For each expression the tasks whose outputs are its blocks, in the blocks' order.
    """
    exprs = settled(optimized(exprs, ship_data=ship), ask)
    if send is not None:
        exprs = rewrite(exprs, lambda expr: expr.sent(send))
    return to_graph(fuse(to_blocks(exprs)))


def to_blocks(exprs: Sequence[Expr]) -> list[Blocks]:
    """Each expression as a table of blocks; equal expressions share theirs."""
    tables: dict[Expr, Blocks] = {}
    for expr in subexpressions(exprs):
        tables[expr] = expr.blocks(*(tables[child] for child in expr.children))
    return [tables[expr] for expr in exprs]


def to_graph(tables: Sequence[Blocks]) -> tuple[TaskGraph, list[Ints]]:
    """Append a layer for each table; the ids of the tasks that make each one's blocks."""
    graph = TaskGraph()
    ids: dict[Blocks, Ints] = {}
    for table in postorder(tables, lambda table: table.inputs):
        ids[table] = _append(graph, table, [ids[used] for used in table.inputs])
    return graph, [ids[table] for table in tables]


def _append(graph: TaskGraph, table: Blocks, inputs: list[Ints]) -> Ints:
    match table:
        case Map():
            width = len(inputs)
            deps = None
            if width:
                columns = [ids[index] for ids, index in zip(inputs, table.index)]
                indices = columns[0] if width == 1 else np.stack(columns, axis=1).ravel()
                deps = (np.arange(0, width * table.n + 1, width), indices)
            return graph.add_layer(
                table.kernel, table.n, deps=deps, params=table.params, name=table.name, origin=table.origin
            ).ids
        case Gather():
            deps = (table.indptr, inputs[0][table.indices])
            return graph.add_layer(
                table.kernel, table.n, deps=deps, params=table.params, name=table.name, origin=table.origin
            ).ids
        case Select():
            return np.concatenate(inputs)[table.table]
        case Ready():
            return graph.add_futures(table.futures).ids
        case Rechunked():
            return lower_rechunk(graph, inputs[0], table.plan, name=table.name, origin=table.origin)
        case _:
            raise TypeError(f"no way to lower {type(table).__name__}")
