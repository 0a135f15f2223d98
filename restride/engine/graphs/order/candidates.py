"""The orders that the search begins with, each good for some family of graphs.

- Post-orders of a forest: the parent of a node is its first dependent, so that all a node needs is made just before it.
  Which dependent is first is judged by the order before, at the start level by level, and judged anew while that pays.
  Of the children of a node the one at the end of the longest path comes first, or, in a second order, the one with the
  largest subtree.
- Level by level, as the tasks are numbered: numbers mostly follow the data, and the sweeps do the rest where neighbours
  in it share much and a depth-first walk would part them.
- Breadth first over the undirected graph (Cuthill and McKee), which finds the locality of stencils and windows whatever
  the numbering.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from restride.engine.graphs.csr import Ints, positions, row_starts
from restride.engine.graphs.order.levels import LevelGraph, first_mentions
from restride.engine.graphs.order.ordering import Ordering, positions_of, sorted_by, topological

_ROUNDS = 6
"""How often at most a forest is judged by the order before."""
_PAYS = 0.9
"""A further round is made if the one before lowered the cost to this part of what it was."""
_NARROW = 8
"""With fewer nodes a level a pass is nearly all overhead, and breadth first would take one for every few nodes."""
_COMPONENTS = 8
"""So many components of a graph are put breadth first, the rest as they come."""


def candidate_orders(graph: LevelGraph) -> list[Ordering]:
    """Orders to begin with, one at least."""
    top = len(graph.slices)
    by_level = sorted_by(graph.depth, graph.by_id, top)
    deepest_first = sorted_by(top - graph.depth, graph.by_id, top)
    forest = Forest.judged_by(graph, by_level)
    cost: float = np.inf
    for _ in range(_ROUNDS):
        by_depth = Ordering(graph, forest.postorder(graph, deepest_first))
        if by_depth.cost > _PAYS * cost:
            break
        cost, parent = by_depth.cost, forest.parent
        forest = Forest.judged_by(graph, by_depth.nodes)
        if np.array_equal(forest.parent, parent):
            break
    found = [by_depth, Ordering(graph, by_level)]
    largest = int(forest.weights.max())
    by_size = forest.postorder(graph, sorted_by(largest - forest.weights, deepest_first, largest))
    if not np.array_equal(by_size, by_depth.nodes):
        found.append(Ordering(graph, by_size))
    if len(graph) >= _NARROW * top:
        by_breadth = breadth_first(graph, by_depth.nodes)
        if by_breadth is not None:
            found.append(Ordering(graph, by_breadth))
    return found


@dataclass(frozen=True, slots=True)
class Forest:
    """The nodes of a graph, each below its first dependent."""

    parent: Ints
    """The first dependent of each node, the sentinel where there is none."""
    weights: Ints
    """Tasks in the subtree of each node; 0 for the sentinel, at the end, where nobody asks."""

    @classmethod
    def judged_by(cls, graph: LevelGraph, nodes: Ints) -> Forest:
        """The forest where the first dependent is the first one in this order."""
        parent = graph.first_dependent.copy()
        if len(graph.shared):
            first = np.minimum.reduceat(positions_of(graph, nodes).take(graph.shared_dependents), graph.shared_starts)
            parent[graph.shared] = nodes[first]
        weights = np.append(graph.sizes, 0)
        for level in graph.slices:
            np.add.at(weights, parent[level], weights[level])
        weights[graph.sentinel] = 0
        return cls(parent, weights)

    def postorder(self, graph: LevelGraph, siblings: Ints) -> Ints:
        """Post-order of the forest, children in the order of `siblings`; made topological."""
        n = len(graph)
        children = sorted_by(self.parent, siblings, n)
        parents, weights = self.parent.take(children), self.weights.take(children)
        elder = weights.cumsum() - weights
        eldest = np.ones(n, bool)
        np.not_equal(parents[1:], parents[:-1], out=eldest[1:])
        start = np.zeros(n + 1, np.int64)  # of a subtree, counted from that of the parent ...
        start[children] = elder - np.maximum.accumulate(np.where(eldest, elder, 0))
        for level in graph.slices[::-1]:  # ... and from the beginning
            start[level] += start.take(self.parent[level])
        steps = np.full(int(graph.sizes.sum()), -1)
        steps[start[:-1] + self.weights[:-1] - 1] = np.arange(n)
        return topological(graph, steps[steps >= 0])


def breadth_first(graph: LevelGraph, nodes: Ints) -> Ints | None:
    """Breadth first over the undirected graph, from the leaf with fewest dependents: most likely at a rim.

    None where so few nodes are found at a time that it would take long.
    """
    needed, needing = np.diff(graph.indptr), np.diff(graph.dep_indptr)
    degrees = needed + needing
    indptr = row_starts(degrees)
    neighbours = np.empty(indptr[-1], np.int64)
    neighbours[positions(indptr[:-1], needed)] = graph.indices
    neighbours[positions(indptr[:-1] + needed, needing)] = graph.dep_indices
    seen = np.zeros(len(graph) + 1, bool)
    seen[graph.sentinel] = True
    scratch = np.empty(len(graph), np.int64)
    leaves = nodes[nodes < graph.leaves]
    front = leaves[np.argmin(needing[leaves])][None]
    parts: list[Ints] = []
    patience = 64 + len(graph) // 8
    for _ in range(_COMPONENTS + 1):
        seen[front] = True
        while len(front):
            parts.append(front)
            if len(parts) > patience:
                return None
            found = neighbours[positions(indptr[front], degrees[front])]
            front = first_mentions(found[~seen[found]], scratch)
            seen[front] = True
        rest = nodes[~seen[nodes]]
        if not len(rest):
            break
        front = rest[:1]
    return topological(graph, np.concatenate([*parts, rest]))
