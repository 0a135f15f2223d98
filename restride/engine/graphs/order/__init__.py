"""The static order of a graph: numpy on whole levels, 0.2 to 2 microseconds a task, and few live outputs.

An output is live from the step that makes it to the last step that needs it, or to the end where nobody needs it. The
mean number of live outputs of a run in some order is one reduction over the edges (`mean_live`), so orders are cheap to
compare, and the plan is to compare some and keep the best:

1. `blocks` contracts what needs no decision: trees, chains, the pieces of a shuffle. Often nothing else remains.
2. `levels` renumbers the rest by level, so that a pass over it is one numpy call a level.
3. `candidates` makes four orders to begin with, each good for some family of graphs.
4. `ordering` prices an order, and sweeps it: all tasks that gain by it move to just before their first dependent, or to
   just after their last dependency, at once. Sweeps gain more than any choice of candidate.

Graphs of some hundred tasks and fewer are ordered by `small`, a loop in plain Python that is quicker there.
"""

from __future__ import annotations

from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from restride.engine.graphs.csr import Ints
from restride.engine.graphs.order.blocks import condense
from restride.engine.graphs.order.candidates import candidate_orders
from restride.engine.graphs.order.cycle import cycle_error
from restride.engine.graphs.order.levels import LevelGraph
from restride.engine.graphs.order.ordering import Ordering
from restride.engine.graphs.order.small import order_small

_SMALL = 600
"""Up to so many tasks and dependencies plain Python is quicker than numpy."""


def order(indptr: NDArray[np.integer], indices: NDArray[np.integer]) -> Ints:
    """Priorities of tasks: an order that finishes what it has begun before it opens something new.

    Parameters
    ----------
    indptr, indices : arrays of int
        Dependencies in CSR form: task ``t`` needs the outputs of ``indices[indptr[t]:indptr[t + 1]]``, ids of any
        tasks in ``0 .. n - 1``; repeats are allowed.

    Returns
    -------
    int64[n]
        The position of each task, 0 first: a permutation in which each task comes after all of its dependencies.
        The same for the same input.

    Raises
    ------
    GraphError
        A ValueError: the dependencies form a cycle. It names the tasks of one.

    Examples
    --------
    Two sums of two tasks each; the first is finished before the second is begun.

    >>> import numpy as np
    >>> order(np.array([0, 0, 0, 0, 0, 2, 4]), np.array([0, 1, 2, 3]))
    array([0, 1, 3, 4, 2, 5])
    """
    return _order(np.asarray(indptr, np.int64), np.asarray(indices, np.int64))


def mean_live(indptr: NDArray[np.integer], indices: NDArray[np.integer], priorities: NDArray[np.integer]) -> float:
    """Mean number of live outputs over the steps of a sequential run.

    An output counts from the step that makes it, included, to the step of its last dependent, not included, or to the
    end where it has no dependents.

    Parameters
    ----------
    indptr, indices : arrays of int
        Dependencies in CSR form, as for `order`.
    priorities : array of int
        The position of each task: a permutation of ``0 .. n - 1``.

    Returns
    -------
    float
        0 for a graph without tasks.

    Examples
    --------
    >>> import numpy as np
    >>> mean_live(np.array([0, 0, 0, 2]), np.array([0, 1]), np.array([0, 1, 2]))  # one live, then two, then the sum
    1.3333333333333333
    """
    n = len(indptr) - 1
    last_use = np.full(n, -1)
    np.maximum.at(last_use, indices, np.repeat(priorities, np.diff(indptr)))
    last_use[last_use < 0] = n
    return float((last_use - priorities).sum()) / max(n, 1)


def _order(indptr: Ints, indices: Ints) -> Ints:
    n = len(indptr) - 1
    if not len(indices):
        return np.arange(n)
    if n + len(indices) <= _SMALL:
        return order_small(indptr, indices)
    blocks = condense(indptr, indices)
    if not len(blocks.indices):  # a finished block holds one output, so the ones that wait should be the late ones
        return blocks.priorities(np.argsort(-blocks.sizes, kind="stable"))
    graph = LevelGraph(blocks.indptr, blocks.indices, blocks.sizes)
    if not graph.complete:
        raise cycle_error(indptr, indices)
    return blocks.priorities(graph.caller_ids[_search(graph).nodes])


def _search(graph: LevelGraph) -> Ordering:
    """The cheapest order that was seen."""
    seen: list[Ordering] = []
    for candidate in candidate_orders(graph):
        late = candidate.late()
        seen += [candidate, late, late.early()]
    best = min(seen, key=attrgetter("cost"))
    return min(best, best.late(), key=attrgetter("cost"))
