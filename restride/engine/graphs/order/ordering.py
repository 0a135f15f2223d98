"""An order under improvement: its price, and the sweeps that lower it.

The price is the sum of the lifetimes of all outputs, in steps. A sweep moves many nodes at once, each to a position
given by its neighbours. The order stays topological because the new keys do not decrease along an edge and the sort by
them is stable.
"""

from __future__ import annotations

import numpy as np

from restride.engine.graphs.csr import Ints, row_starts, stable_argsort
from restride.engine.graphs.order.levels import LevelGraph


class Ordering:
    """A topological order of the nodes of a graph.

    Attributes
    ----------
    nodes : int64[n]
        The nodes, first to last.
    position : int64[n + 1]
        Where each node is; n for the sentinel.
    last_use : int64[n]
        The position of the last dependent of each node, n where there is none.
    cost : int
        Sum of the lifetimes of the outputs, in steps, up to a constant of the graph.
    """

    __slots__ = ("cost", "graph", "last_use", "nodes", "position")

    def __init__(self, graph: LevelGraph, nodes: Ints) -> None:
        self.graph = graph
        self.nodes = nodes
        self.position = positions_of(graph, nodes)
        self.last_use = graph.over_dependents(np.maximum, self.position)
        steps = row_starts(graph.sizes.take(nodes))
        self.cost = int(steps.take(self.last_use).sum() - steps[1:].sum())

    def late(self) -> Ordering:
        """Each node that frees no more outputs than it makes moves right before its first dependent.

        Sinks stay: they are results or stores, which are better early.
        """
        graph = self.graph
        frees = np.bincount(self.last_use, minlength=len(graph) + 1).take(self.position[:-1])
        graph.keys[:] = self.position
        graph.keys[:-1][frees <= graph.may_free] = graph.sentinel
        return Ordering(graph, sorted_by(graph.lower_keys(), self.nodes, len(graph)))

    def early(self) -> Ordering:
        """Each node that is not a leaf moves right after its last dependency."""
        graph = self.graph
        graph.keys[:] = self.position
        graph.keys[graph.leaves : -1] = -1
        return Ordering(graph, sorted_by(graph.raise_keys(), self.nodes, len(graph)))


def positions_of(graph: LevelGraph, nodes: Ints) -> Ints:
    """The position of each node in an order, and of the sentinel at its end."""
    position = np.empty(len(graph) + 1, np.int64)
    position[nodes] = np.arange(len(graph))
    position[graph.sentinel] = len(graph)
    return position


def sorted_by(keys: Ints, nodes: Ints, top: int) -> Ints:
    """The nodes sorted by their keys, in ``0 .. top``; those with equal keys stay as they are."""
    return nodes[stable_argsort(keys.take(nodes), top)]


def topological(graph: LevelGraph, nodes: Ints) -> Ints:
    """The order repaired: a node that comes before one of its dependencies moves to after them all."""
    position = positions_of(graph, nodes)
    if (position.take(graph.indices) < position.take(graph.owners)).all():
        return nodes
    graph.keys[:] = position
    return sorted_by(graph.raise_keys(), sorted_by(graph.depth, nodes, len(graph)), len(graph))
