"""Where tasks go, and how far ahead: the policy of the scheduler, apart from its bookkeeping.

Each worker gets work up to a horizon of expected seconds. A run of tasks, in order, is dealt out at once: a task goes
where most of its input bytes are or will be; tasks without inputs, and those whose inputs lie everywhere alike, are
dealt in contiguous runs of the order, so that neighbours land together; a worker with more than its share hands on the
tasks that lose least by it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from restride.engine.graphs.csr import Ints

MOST_TASKS = 8192
"""Tasks a thread has placed at most, however short they are: what bounds a message and the cost of cancelling."""
MOST_TASKS_AFAR = 65536
"""The same, of a worker in another process: on a slow network a thread must have work for longer than a round trip."""
LEAST_TASKS = 2
"""Tasks a thread has placed at least, however long they are: one to run, and one to begin when that ends."""
UNKNOWN_SHARE = 1 / 32
"""What a task of unknown duration counts for, as a share of the horizon."""
EVEN = 1.2
"""A task's input bytes lie everywhere alike while no worker has more than this many times its share."""
BANDWIDTH = 1e9
"""Bytes a second between workers, to weigh a move against a wait."""


class Loads:
    """How much each worker has before it: columns over workers."""

    def __init__(self, horizon: float, most_tasks: int = MOST_TASKS) -> None:
        self.horizon = horizon
        self.most_tasks = most_tasks
        self.threads = np.zeros(0, np.int64)
        self.tasks = np.zeros(0, np.int64)
        self.seconds = np.zeros(0)

    def add_worker(self, threads: int) -> int:
        """A new worker's number."""
        self.threads = np.append(self.threads, threads)
        self.tasks = np.append(self.tasks, 0)
        self.seconds = np.append(self.seconds, 0.0)
        return len(self.threads) - 1

    def set_threads(self, worker: int, threads: int) -> None:
        """A worker takes tasks for so many threads from now on; with none, nothing more comes to it."""
        self.threads[worker] = threads

    def without_tasks(self) -> Loads:
        """The same workers, with nothing before them."""
        loads = Loads(self.horizon, self.most_tasks)
        for threads in self.threads.tolist():
            loads.add_worker(threads)
        return loads

    def among(self, allowed: NDArray[np.bool_]) -> Loads:
        """The same loads, where only some workers take tasks; to ask, not to change."""
        loads = Loads(self.horizon, self.most_tasks)
        loads.threads = np.where(allowed, self.threads, 0)
        loads.tasks, loads.seconds = self.tasks, self.seconds
        return loads

    def of(self, workers: Ints) -> Loads:
        """The loads of some workers, by their place among these; to ask, not to change."""
        loads = Loads(self.horizon, self.most_tasks)
        loads.threads, loads.tasks, loads.seconds = self.threads[workers], self.tasks[workers], self.seconds[workers]
        return loads

    def placed(self, workers: NDArray[np.int32], seconds: NDArray[np.float32]) -> None:
        """Tasks with these expected seconds have come to these workers."""
        if len(workers) == 1:  # the batch of one, here and below: a fifth of what its numpy calls would take
            self.tasks[workers[0]] += 1
            self.seconds[workers[0]] += seconds[0]
            return
        count = len(self.threads)
        self.tasks += np.bincount(workers, minlength=count)
        self.seconds += np.bincount(workers, seconds, minlength=count)

    def gone(self, workers: NDArray[np.int32], seconds: NDArray[np.float32]) -> None:
        """Tasks with these expected seconds have ended, or been dropped, at these workers."""
        if len(workers) == 1:
            self.tasks[workers[0]] -= 1
            self.seconds[workers[0]] -= seconds[0]
            if not self.tasks[workers[0]]:
                self.seconds[workers[0]] = 0.0
            return
        count = len(self.threads)
        self.tasks -= np.bincount(workers, minlength=count)
        self.seconds -= np.bincount(workers, seconds, minlength=count)
        self.seconds[self.tasks == 0] = 0.0  # float error must not add up

    def want_more(self) -> bool:
        """Whether some worker has come down to half of its horizon, so that it pays to place a run."""
        half, most = self.horizon / 2, self.most_tasks / 2
        return any(
            tasks < LEAST_TASKS * threads or (seconds < half * threads and tasks < most * threads)
            for tasks, seconds, threads in zip(self.tasks.tolist(), self.seconds.tolist(), self.threads.tolist())
        )

    def most(self) -> int:
        """How many tasks may be placed now at most."""
        room = self.most_tasks * self.threads - self.tasks
        return int(room[room > 0].sum())

    def room(self) -> NDArray[np.float64]:
        """Seconds up to the horizon, by worker."""
        return np.maximum(self.horizon * self.threads - self.seconds, 0.0)

    def run_length(self, seconds: NDArray[np.float64], share: float = 1.0) -> int:
        """How many tasks of a run, with these expected seconds, to place now, in this share of the room."""
        if len(seconds) == 1:
            return 1
        fit = int(np.searchsorted(np.cumsum(seconds), self.room().sum() * share)) + 1
        least = int(np.maximum(LEAST_TASKS * self.threads - self.tasks, 0).sum())
        return min(max(fit, least), len(seconds))


def choose_workers(
    counts: Ints,
    homes: NDArray[np.int32],
    inner: Ints,
    nbytes: Ints,
    seconds: NDArray[np.float64],
    loads: Loads,
    position: NDArray[np.float64] | None = None,
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
    position : float64[k], optional
        Where in its layer each task stands, from 0 to 1. Of dependencies that weigh the same, a task follows the one
        that stands as it does: else, step by step, neighbours would draw each other all to one worker.

    Returns
    -------
    int32[k]
    """
    k = len(counts)
    alive = np.flatnonzero(loads.threads)
    if len(alive) == 1:
        return np.full(k, alive[0], np.int32)
    if k == 1:
        return _choose_one(homes, nbytes, loads, alive)
    if len(alive) < len(loads.threads):  # reckon with those that take tasks alone: bytes elsewhere are a draw
        number = np.full(len(loads.threads) + 1, -1, np.int32)
        number[alive] = np.arange(len(alive))
        chosen = choose_workers(counts, number[homes], inner, nbytes, seconds, loads.of(alive), position)
        return alive[chosen].astype(np.int32)
    workers = len(alive)
    owners = np.repeat(np.arange(k), counts)
    weight = nbytes.astype(np.float64) + 1.0
    placed = homes >= 0
    cells = owners[placed] * workers + homes[placed]
    held = np.asarray(np.bincount(cells, weight[placed], k * workers), np.float64).reshape(k, workers)

    most: NDArray[np.float64] = held.max(axis=1, initial=0.0)
    follows = _heaviest_inner(owners, inner, weight, most, position)
    root = _roots(follows)
    total = held.sum(axis=1)
    best = held.argmax(axis=1)
    spread = most * workers <= EVEN * total
    free = spread & (root == np.arange(k))  # where it goes makes next to no difference
    chosen = best.astype(np.int32)
    family: NDArray[np.float64] = np.bincount(root, seconds, minlength=k).astype(float)
    bound: NDArray[np.float64] = np.bincount(chosen[root][~free[root]], seconds[~free[root]], workers).astype(float)
    chosen[free] = deal(family[free], loads, bound)
    chosen = chosen[root]
    return _balanced(chosen, root, family, held, loads)


def _choose_one(homes: NDArray[np.int32], nbytes: Ints, loads: Loads, alive: Ints) -> NDArray[np.int32]:
    """The same for a single task, 20 µs instead of 100: what moving and waiting cost together decides."""
    queue = loads.seconds[alive] / loads.threads[alive]
    if not len(homes):
        at = int(queue.argmin())
        return alive[at : at + 1].astype(np.int32)
    cost = queue - queue.min() - loads.horizon / 4
    np.maximum(cost, 0.0, out=cost)
    placed = homes >= 0
    held = np.bincount(homes[placed], nbytes[placed] + 1.0, len(loads.threads))
    cost -= held[alive] / BANDWIDTH
    cheapest = cost <= cost.min()
    at = int(np.where(cheapest, queue, np.inf).argmin())
    return alive[at : at + 1].astype(np.int32)


def _heaviest_inner(
    owners: Ints,
    inner: Ints,
    weight: NDArray[np.float64],
    rival: NDArray[np.float64],
    position: NDArray[np.float64] | None,
) -> Ints:
    """For each task the task of this run that it gets most bytes from, itself where a placed worker has more."""
    follows = np.arange(len(rival))
    edges = np.flatnonzero((inner >= 0) & (weight > rival[owners]))
    if position is None:
        edges = edges[np.argsort(weight[edges], kind="stable")]
    else:
        near = -np.abs(position[inner[edges]] - position[owners[edges]])
        edges = edges[np.lexsort((near, weight[edges]))]
    follows[owners[edges]] = inner[edges]  # the last, heaviest, assignment stays
    return follows


def _roots(follows: Ints) -> Ints:
    """Where each chain of `follows` begins, by pointer doubling."""
    while True:
        further = follows[follows]
        if np.array_equal(further, follows):
            return follows
        follows = further


def deal(seconds: NDArray[np.float64], loads: Loads, bound: NDArray[np.float64]) -> NDArray[np.int32]:
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
