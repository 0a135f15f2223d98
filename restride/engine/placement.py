"""Where tasks go, and how far ahead: the policy of the scheduler, apart from its bookkeeping.

Each worker gets work up to a horizon of expected seconds. A run of tasks, in order, is dealt out at once: a task goes
where most of its input bytes are or will be; tasks without inputs, and those whose inputs lie everywhere alike, are
dealt in contiguous runs of the order, so that neighbours land together; a worker with more than its share hands on the
tasks that lose least by it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from restride.engine.csr import Ints

MOST_TASKS = 8192
"""Tasks a thread has placed at most, however short they are: what bounds a message and the cost of cancelling."""
LEAST_TASKS = 2
"""Tasks a thread has placed at least, however long they are: one to run, and one to begin when that ends."""
UNKNOWN_SHARE = 1 / 32
"""What a task of unknown duration counts for, as a share of the horizon."""
BANDWIDTH = 1e9
"""Bytes a second between workers, to weigh a move against a wait."""


class Loads:
    """How much each worker has before it: columns over workers."""

    def __init__(self, horizon: float) -> None:
        self.horizon = horizon
        self.threads = np.zeros(0, np.int64)
        self.tasks = np.zeros(0, np.int64)
        self.seconds = np.zeros(0)

    def add_worker(self, threads: int) -> int:
        """A new worker's number."""
        self.threads = np.append(self.threads, threads)
        self.tasks = np.append(self.tasks, 0)
        self.seconds = np.append(self.seconds, 0.0)
        return len(self.threads) - 1

    def without_tasks(self) -> Loads:
        """The same workers, with nothing before them."""
        loads = Loads(self.horizon)
        for threads in self.threads.tolist():
            loads.add_worker(threads)
        return loads

    def placed(self, workers: NDArray[np.int32], seconds: NDArray[np.float32]) -> None:
        """Tasks with these expected seconds have come to these workers."""
        count = len(self.threads)
        self.tasks += np.bincount(workers, minlength=count)
        self.seconds += np.bincount(workers, seconds, minlength=count)

    def gone(self, workers: NDArray[np.int32], seconds: NDArray[np.float32]) -> None:
        """Tasks with these expected seconds have ended, or been dropped, at these workers."""
        count = len(self.threads)
        self.tasks -= np.bincount(workers, minlength=count)
        self.seconds -= np.bincount(workers, seconds, minlength=count)
        self.seconds[self.tasks == 0] = 0.0  # float error must not add up

    def want_more(self) -> bool:
        """Whether some worker has come down to half of its horizon, so that it pays to place a run."""
        low = (self.seconds < self.horizon * self.threads / 2) & (self.tasks < MOST_TASKS * self.threads // 2)
        return bool((low | (self.tasks < LEAST_TASKS * self.threads)).any())

    def most(self) -> int:
        """How many tasks may be placed now at most."""
        return int(np.maximum(MOST_TASKS * self.threads - self.tasks, 0).sum())

    def room(self) -> NDArray[np.float64]:
        """Seconds up to the horizon, by worker."""
        return np.maximum(self.horizon * self.threads - self.seconds, 0.0)

    def run_length(self, seconds: NDArray[np.float64]) -> int:
        """How many tasks of a run, with these expected seconds, to place now."""
        if len(seconds) == 1:
            return 1
        fit = int(np.searchsorted(np.cumsum(seconds), self.room().sum())) + 1
        least = int(np.maximum(LEAST_TASKS * self.threads - self.tasks, 0).sum())
        return min(max(fit, least), len(seconds))


def choose_workers(
    counts: Ints,
    homes: NDArray[np.int32],
    inner: Ints,
    nbytes: Ints,
    seconds: NDArray[np.float64],
    loads: Loads,
) -> NDArray[np.int32]:
    """A worker for each of a run of k tasks.

    Parameters
    ----------
    counts : int64[k]
        How many dependencies each task has; they stand one task after another in the next three columns.
    homes : int32[edges]
        The worker of each dependency, -1 where it is a task of this run.
    inner : int64[edges]
        Which task of this run a dependency is, -1 where it has a home already.
    nbytes : int64[edges]
        Bytes of each dependency, measured or expected.
    seconds : float64[k]
        Expected durations.
    loads : Loads

    Returns
    -------
    int32[k]
    """
    k, workers = len(counts), len(loads.threads)
    if workers == 1:
        return np.zeros(k, np.int32)
    owners = np.repeat(np.arange(k), counts)
    weight = nbytes.astype(np.float64) + 1.0
    held: NDArray[np.float64] = np.zeros((k, workers))
    placed = homes >= 0
    np.add.at(held, (owners[placed], homes[placed]), weight[placed])

    most: NDArray[np.float64] = held.max(axis=1, initial=0.0)
    follows = _heaviest_inner(owners, inner, weight, most)
    root = _roots(follows)
    total = held.sum(axis=1)
    best = held.argmax(axis=1)
    spread = most * workers <= 1.5 * total
    free = spread & (root == np.arange(k))  # where it goes makes next to no difference
    chosen = best.astype(np.int32)
    family: NDArray[np.float64] = np.bincount(root, seconds, minlength=k).astype(float)
    bound: NDArray[np.float64] = np.bincount(chosen[root][~free[root]], seconds[~free[root]], workers).astype(float)
    chosen[free] = _deal(family[free], loads, bound)
    chosen = chosen[root]
    return _balanced(chosen, root, family, held, loads)


def _heaviest_inner(owners: Ints, inner: Ints, weight: NDArray[np.float64], rival: NDArray[np.float64]) -> Ints:
    """For each task the task of this run that it gets most bytes from, itself where a placed worker has more."""
    follows = np.arange(len(rival))
    edges = np.flatnonzero((inner >= 0) & (weight > rival[owners]))
    edges = edges[np.argsort(weight[edges], kind="stable")]
    follows[owners[edges]] = inner[edges]  # the last, heaviest, assignment stays
    return follows


def _roots(follows: Ints) -> Ints:
    """Where each chain of `follows` begins, by pointer doubling."""
    while True:
        further = follows[follows]
        if np.array_equal(further, follows):
            return follows
        follows = further


def _deal(seconds: NDArray[np.float64], loads: Loads, bound: NDArray[np.float64]) -> NDArray[np.int32]:
    """Contiguous runs of tasks to workers, in proportion to the room that each has beside what is bound to it."""
    room = np.maximum(loads.room() - bound, 0.0)
    if not room.any():
        room = loads.threads.astype(float)
    if not seconds.any():  # tasks that take no time at all are still to be shared
        seconds = np.ones(len(seconds))
    ends = np.cumsum(room) / room.sum()
    middles = (np.cumsum(seconds) - seconds / 2) / max(seconds.sum(), 1e-12)
    chosen: NDArray[np.int32] = np.minimum(np.searchsorted(ends, middles), len(room) - 1).astype(np.int32)
    return chosen


def _balanced(
    chosen: NDArray[np.int32], root: Ints, family: NDArray[np.float64], held: NDArray[np.float64], loads: Loads
) -> NDArray[np.int32]:
    """Hand on what a worker has beyond the others' queues by more than moving the bytes costs."""
    heads = np.flatnonzero(root == np.arange(len(root)))
    home = chosen[heads]
    queue = loads.seconds + np.bincount(home, family[heads], minlength=len(loads.threads))
    queue_each = queue / loads.threads
    cost = held[heads, home] / BANDWIDTH
    for busy in np.argsort(-queue_each).tolist():
        idle = int(queue_each.argmin())
        surplus = (queue_each[busy] - queue_each[idle]) / 2 * loads.threads[busy]
        if surplus <= loads.horizon / 4:
            break
        mine = np.flatnonzero(home == busy)
        mine = mine[np.argsort(cost[mine], kind="stable")]
        move = mine[(np.cumsum(family[heads[mine]]) <= surplus) & (cost[mine] < surplus)]
        moved = family[heads[move]].sum()
        home[move] = idle
        queue_each[busy] -= moved / loads.threads[busy]
        queue_each[idle] += moved / loads.threads[idle]
    result = np.empty_like(chosen)
    result[heads] = home
    return result[root]
