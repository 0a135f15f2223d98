"""The order of a small graph in plain Python: below some hundred tasks numpy's overhead is more than the work.

In small the same as for large graphs: a post-order, swept early, and the cheaper of the two.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from restride.engine.graphs.csr import Ints
from restride.engine.graphs.order.cycle import cycle_error

Rows = list[list[int]]
"""The inputs of each task."""


def order_small(indptr: Ints, indices: Ints) -> Ints:
    """Priorities of the tasks with these dependencies; see `restride.engine.graphs.order.order`."""
    bounds, needs = indptr.tolist(), indices.tolist()
    inputs: Rows = [needs[begin:end] for begin, end in pairwise(bounds)]
    work = _work(inputs)
    if len(work) < len(inputs):
        raise cycle_error(indptr, indices)
    postorder = _postorder(inputs, work)
    early = _early(inputs, postorder)
    best = early if _cost(inputs, early) < _cost(inputs, postorder) else postorder
    priorities = np.empty(len(best), np.int64)
    priorities[best] = np.arange(len(best))
    return priorities


def _work(inputs: Rows) -> dict[int, int]:
    """Tasks that each task has behind it, a shared one counted for its first user alone; none for tasks on a cycle."""
    users: Rows = [[] for _ in inputs]
    for task, row in enumerate(inputs):
        for needed in row:
            users[needed].append(task)
    waiting = [len(row) for row in inputs]
    ready = [task for task, count in enumerate(waiting) if not count]
    work: dict[int, int] = {}
    counted: set[int] = set()
    for task in ready:  # grows as it goes
        total = 1
        for needed in inputs[task]:
            if needed not in counted:
                counted.add(needed)
                total += work[needed]
        work[task] = total
        for user in users[task]:
            waiting[user] -= 1
            if not waiting[user]:
                ready.append(user)
    return work


def _postorder(inputs: Rows, work: dict[int, int]) -> list[int]:
    """Depth first from the sinks, of the inputs of a task the one with most work behind it first."""
    used = {needed for row in inputs for needed in row}
    pending = sorted((task for task in range(len(inputs)) if task not in used), key=lambda task: (work[task], -task))
    opened: set[int] = set()
    done: dict[int, None] = {}
    while pending:
        task = pending[-1]
        if task in opened:
            pending.pop()
            done[task] = None
        else:
            opened.add(task)
            missing = [needed for needed in reversed(inputs[task]) if needed not in done]
            missing.sort(key=work.__getitem__)
            pending += missing
    return list(done)


def _early(inputs: Rows, tasks: list[int]) -> list[int]:
    """The same order but that each task with inputs comes right after the last of them."""
    key = [0] * len(inputs)
    for position, task in enumerate(tasks):
        row = inputs[task]
        key[task] = max([key[needed] for needed in row]) if row else position
    return sorted(tasks, key=key.__getitem__)


def _cost(inputs: Rows, tasks: list[int]) -> int:
    """The sum of the lifetimes of the outputs, up to a constant of the graph."""
    last_use = [len(inputs)] * len(inputs)
    for position, task in enumerate(tasks):
        for needed in inputs[task]:
            last_use[needed] = position
    return sum(last_use)
