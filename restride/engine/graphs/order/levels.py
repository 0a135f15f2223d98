"""A graph renumbered by level, so that passes over it are one numpy call per level on contiguous slices.

The level of a node is its longest distance from a leaf. All dependencies of a node are on lower levels, thus have
smaller numbers, and the nodes of a level can be worked on at once.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from restride.engine.graphs.csr import Ints, positions, row_starts, take_rows, transpose


class Segments(NamedTuple):
    """One level as a pass sees it: its slice of the keys, its neighbours, and where each node's neighbours start."""

    keys: Ints
    neighbours: Ints
    starts: Ints


class LevelGraph:
    """Dependencies and dependents of weighted nodes, numbered by level.

    A node that nobody needs has one dependent, the `sentinel`, number n, which every order has at its end.

    Parameters
    ----------
    indptr, indices : int64 arrays
        Dependencies in CSR form.
    sizes : int64[n]
        Tasks in each node.
    """

    def __init__(self, indptr: Ints, indices: Ints, sizes: Ints) -> None:
        n = self.n = self.sentinel = len(sizes)
        dependents = transpose(indptr, indices, n)
        levels = _levels(np.diff(indptr), *dependents)
        self.caller_ids = np.concatenate(levels)
        """The caller's number of each node."""
        self.complete = len(self.caller_ids) == n
        """Whether the graph has no cycle; if it has one, there is nothing else here."""
        if not self.complete:
            return
        self.by_id = np.empty(n, np.int64)
        """The node that each of the caller's numbers became."""
        self.by_id[self.caller_ids] = np.arange(n)
        self.sizes = sizes[self.caller_ids]
        widths = np.array([len(level) for level in levels])
        bounds = row_starts(widths).tolist()
        self.slices = [slice(begin, end) for begin, end in pairwise(bounds)]
        self.leaves = int(widths[0])
        """How many nodes have no dependencies; they are the first."""
        self.depth = np.repeat(np.arange(len(levels)), widths)

        counts, needed = take_rows(indptr, indices, self.caller_ids)
        self.indptr, self.indices = row_starts(counts), self.by_id[needed]
        self.owners = np.repeat(np.arange(n), counts)

        counts, needing = take_rows(*dependents, self.caller_ids)
        self.dep_indptr = row_starts(np.maximum(counts, 1))
        self.dep_indices = np.full(self.dep_indptr[-1], self.sentinel)
        self.dep_indices[positions(self.dep_indptr[:-1], counts)] = self.by_id[needing]
        # Most nodes have one dependent, and are spared the reduction over several.
        self.first_dependent = self.dep_indices[self.dep_indptr[:-1]]
        self.shared = np.flatnonzero(counts > 1)
        shared_counts, self.shared_dependents = take_rows(self.dep_indptr, self.dep_indices, self.shared)
        self.shared_starts = row_starts(shared_counts)[:-1]

        self.may_free = np.where(self.first_dependent == self.sentinel, -1, 1)
        """How many outputs a node may free and yet wait for its first dependent; see `Ordering.late`."""
        self.keys = np.empty(n + 1, np.int64)
        """Scratch of the passes, one key a node and one for the sentinel."""
        self._upward = self._segments(self.slices[1:], self.indptr, self.indices)
        self._downward = self._segments(self.slices[::-1], self.dep_indptr, self.dep_indices)

    def __len__(self) -> int:
        return self.n

    def raise_keys(self) -> Ints:
        """Make each of `keys` at least as large as those of the node's dependencies, from the leaves up."""
        keys = self.keys
        for own, neighbours, starts in self._upward:
            np.maximum(own, np.maximum.reduceat(keys.take(neighbours), starts), out=own)
        return keys

    def lower_keys(self) -> Ints:
        """Make each of `keys` at most as large as those of the node's dependents, from the sinks down."""
        keys = self.keys
        for own, neighbours, starts in self._downward:
            np.minimum(own, np.minimum.reduceat(keys.take(neighbours), starts), out=own)
        return keys

    def over_dependents(self, reduce: np.ufunc, values: Ints) -> Ints:
        """The values of each node's dependents reduced to one; `values` has one for the sentinel at its end."""
        reduced = values.take(self.first_dependent)
        if len(self.shared):
            reduced[self.shared] = reduce.reduceat(values.take(self.shared_dependents), self.shared_starts)
        return reduced

    def _segments(self, levels: list[slice], indptr: Ints, indices: Ints) -> list[Segments]:
        segments = []
        for level in levels:
            begin, end = indptr.item(level.start), indptr.item(level.stop)
            segments.append(Segments(self.keys[level], indices[begin:end], indptr[level] - begin))
        return segments


def first_mentions(ids: Ints, scratch: Ints) -> Ints:
    """The ids without repeats, in the sequence of their first mention; `scratch` has room for an entry per id."""
    at = np.arange(len(ids))
    scratch[ids[::-1]] = at[::-1]
    first: Ints = ids[scratch.take(ids) == at]
    return first


def _levels(counts: NDArray[np.int64], dep_indptr: Ints, dep_indices: Ints) -> list[Ints]:
    """The nodes of each level; nodes on or above a cycle are in none."""
    missing = counts.copy()
    scratch = np.empty(len(counts), np.int64)
    level = np.flatnonzero(missing == 0)
    levels = [level]
    while len(level):
        _, needing = take_rows(dep_indptr, dep_indices, level)
        np.subtract.at(missing, needing, 1)
        level = first_mentions(needing[missing[needing] == 0], scratch)
        levels.append(level)
    return levels[:-1] if len(levels) > 1 else levels
