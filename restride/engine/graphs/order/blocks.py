"""Contraction of a graph to what there is to decide about its order: tasks that belong together become one block.

A task that is used once, by one other task, joins the block of its user, to run just before it, in three cases:

- It needs nothing from outside its block, or one output that many share, and its block is small. Its output lives
  shortest right before its user, and there is little to gain by running it elsewhere. So the leaves of a graph go, and
  the pieces of a shuffle.
- The whole block of the user needs nothing from outside: it is a tree, and a tree is best run in one go.
- It is all that its user needs from outside, as in a chain.

Inside a block the inputs of a task run largest first, which is optimal for trees: a finished subtree holds one output
however large it is, so those that wait should wait for small ones. What remains is often a tenth of the graph.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from restride.engine.graphs.csr import Ints, row_starts, stable_argsort

_SMALL = 8
"""A block of more tasks is not small: much that its user needs besides would wait for it."""
_MANY = 4
"""An output of fewer users is likely to be freed by the one at hand, for which that one may want to run early."""
_NARROW = 24
"""With fewer tasks at a time a plain loop beats numpy's overhead per call."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """The contracted graph: blocks, the dependencies between them, and where each task lies in its block."""

    indptr: Ints
    """Row starts of the dependencies of the blocks, int64[blocks + 1]."""
    indices: Ints
    """Blocks that a block needs outputs of; may repeat."""
    sizes: Ints
    """Tasks in each block."""
    block: Ints
    """The block of each task."""
    offset: Ints
    """Position of each task in its block."""

    def __len__(self) -> int:
        return len(self.sizes)

    def priorities(self, nodes: Ints) -> Ints:
        """Priorities of the tasks when the blocks run in this order."""
        starts = np.empty(len(self), np.int64)
        starts[nodes] = row_starts(self.sizes[nodes])[:-1]
        priorities = starts[self.block]
        priorities += self.offset
        return priorities


def condense(indptr: Ints, indices: Ints) -> Blocks:
    """Contract the graph with these dependencies. Where they form a cycle, so do those of the blocks."""
    n = len(indptr) - 1
    owners = np.repeat(np.arange(n), np.diff(indptr))
    into, sizes = _absorb(indptr, indices, owners)
    absorbed = into != np.arange(n)
    inner = absorbed[indices]
    head, offset = _layout(into, sizes, owners[inner], indices[inner])
    heads = np.flatnonzero(~absorbed)
    number = np.empty(n, np.int64)
    number[heads] = np.arange(len(heads))
    outer = ~inner
    needed, needing = number[indices[outer]], number[head[owners[outer]]]
    if not (needing[1:] >= needing[:-1]).all():
        needed = needed[stable_argsort(needing, len(heads))]
    block_indptr = row_starts(np.bincount(needing, minlength=len(heads)))
    return Blocks(block_indptr, needed, sizes[heads], number[head], offset)


def _absorb(indptr: Ints, indices: Ints, owners: Ints) -> tuple[Ints, Ints]:
    """For each task the one into whose block it goes, itself if into none, and the size of the block that it heads."""
    n = len(indptr) - 1
    users = np.bincount(indices, minlength=n)
    once = users == 1
    user = np.full(n, -1)
    user[indices] = owners
    user[~once] = -1
    undecided = np.bincount(owners[once[indices]], minlength=n)
    few = ((users > 1) & (users < _MANY))[indices]
    outside = np.diff(indptr) - undecided + np.bincount(owners[few], minlength=n)
    zeros = np.zeros(n, np.int64)
    absorption = _Absorption(
        user, undecided, outside, np.full(n, -1), zeros, zeros.copy(), np.arange(n), np.ones(n, np.int64)
    )
    ready = np.flatnonzero(undecided == 0)
    while len(ready) >= _NARROW:
        ready = absorption.decide_many(ready)
    absorption.decide_each(ready.tolist())
    absorption.settle_trees()
    return absorption.into, absorption.sizes


@dataclass(frozen=True, slots=True)
class _Absorption:
    """The decisions, in columns over all tasks. They go from the leaves up: a task is ready once its inputs are."""

    user: Ints
    """The one task that uses it; -1 where none or several do."""
    undecided: Ints
    """Inputs that only this task uses and that have not been decided on."""
    outside: Ints
    """Outputs that its block needs from outside; those of few users count twice."""
    refused: Ints
    """An input that only this task uses and that stays apart, for it needs outputs from outside; or -1."""
    trees: Ints
    """Inputs that are large trees, to be absorbed if the whole block turns out to need nothing from outside."""
    tree_sizes: Ints
    """Tasks in them."""
    into: Ints
    """The user where it absorbs the task, the task itself where not."""
    sizes: Ints
    """Tasks in the block of the task."""

    def decide_many(self, ready: Ints) -> Ints:
        """Decide on the tasks that are ready; returns those that become so."""
        impure = ready[(self.outside[ready] > 0) & (self.trees[ready] > 0)]
        self.outside[impure] += self.trees[impure]
        self.sizes[impure] -= self.tree_sizes[impure]
        lone = ready[(self.outside[ready] == 1) & (self.refused[ready] >= 0)]
        joined = self.refused[lone]
        self.into[joined] = lone
        self.sizes[lone] += self.sizes[joined]
        self.outside[lone] = self.outside[joined]

        ready = ready[self.user[ready] >= 0]
        user, size, outside = self.user[ready], self.sizes[ready], self.outside[ready]
        fits = (size <= _SMALL) & (outside <= 1)
        tree = (size > _SMALL) & (outside == 0)
        refused = ~(fits | tree)
        self.into[ready[fits]] = user[fits]
        self.refused[user[refused]] = ready[refused]
        np.add.at(self.trees, user[tree], 1)
        np.add.at(self.tree_sizes, user[tree], size[tree])
        np.add.at(self.sizes, user, np.where(refused, 0, size))
        np.add.at(self.outside, user, np.where(refused, 1, outside))
        np.subtract.at(self.undecided, user, 1)
        return self._once(user[self.undecided[user] == 0])

    def decide_each(self, ready: list[int]) -> None:
        """Decide on the tasks that are ready, and on all that become so, one by one; otherwise as `decide_many`."""
        user, undecided, outside = self.user.data, self.undecided.data, self.outside.data
        refused, trees, tree_sizes = self.refused.data, self.trees.data, self.tree_sizes.data
        into, sizes = self.into.data, self.sizes.data
        while ready:
            task = ready.pop()
            if outside[task]:
                if trees[task]:
                    outside[task] += trees[task]
                    sizes[task] -= tree_sizes[task]
                joined = refused[task]
                if joined >= 0 and outside[task] == 1:
                    into[joined] = task
                    sizes[task] += sizes[joined]
                    outside[task] = outside[joined]
            above = user[task]
            if above < 0:
                continue
            size, needs = sizes[task], outside[task]
            if size <= _SMALL and needs <= 1:
                into[task] = above
                sizes[above] += size
                outside[above] += needs
            elif not needs:
                trees[above] += 1
                tree_sizes[above] += size
                sizes[above] += size
            else:
                refused[above] = task
                outside[above] += 1
            undecided[above] -= 1
            if not undecided[above]:
                ready.append(above)

    def settle_trees(self) -> None:
        """Absorb large trees into tasks that need nothing from outside, once that is known."""
        pure = (self.outside == 0) & (self.undecided == 0)
        tree = np.flatnonzero(pure & (self.user >= 0) & (self.sizes > _SMALL))
        tree = tree[pure[self.user[tree]]]
        self.into[tree] = self.user[tree]

    def _once(self, ready: Ints) -> Ints:
        """The tasks without repeats; `undecided`, 0 for all of them, serves as scratch."""
        at = np.arange(len(ready))
        self.undecided[ready] = at
        once: Ints = ready[self.undecided[ready] == at]
        self.undecided[ready] = 0
        return once


def _layout(into: Ints, sizes: Ints, parents: Ints, children: Ints) -> tuple[Ints, Ints]:
    """The head of the block of each task, and the position of the task in the block.

    `parents` and `children` are the absorbed tasks in rows: ``into[children] == parents``, and parents ascend.
    """
    children = _largest_first(parents, children, sizes)
    weights = sizes[children]
    # A sub-block starts where its elder siblings end, counted from the start of the parent's sub-block.
    elder = np.cumsum(weights) - weights
    eldest = np.ones(len(parents), bool)
    np.not_equal(parents[1:], parents[:-1], out=eldest[1:])
    start = np.zeros(len(into), np.int64)
    start[children] = elder - np.maximum.accumulate(np.where(eldest, elder, 0))
    head, moving = into.copy(), children
    while len(moving):  # each round doubles the distance to the ancestor that `start` and `head` refer to
        above = head[moving]
        start_above, head_above = start[above], head[above]
        start[moving] += start_above
        head[moving] = head_above
        moving = moving[head_above != above]
    start += sizes
    start -= 1
    return head, start


def _largest_first(parents: Ints, children: Ints, sizes: Ints) -> Ints:
    """The children in rows by their parents, within each row by size."""
    weights = sizes[children]
    rising = (weights[1:] > weights[:-1]) & (parents[1:] == parents[:-1])
    if not rising.any():
        return children
    unsorted = np.zeros(len(sizes), bool)
    unsorted[parents[1:][rising]] = True
    at = np.flatnonzero(unsorted[parents])
    largest = int(weights.max())
    by_size = at[stable_argsort(largest - weights[at], largest)]
    children = children.copy()
    children[at] = children[by_size[stable_argsort(parents[by_size], len(sizes))]]
    return children
