"""What a worker does, without threads, sockets or a clock.

Tasks come placed ahead of time. `WorkerState` holds each until its inputs are in the store, then queues it by id: ids
follow the static order, so the smallest is what finishes soonest what has been begun. Compute threads claim tasks from
the queue, run them and bring the outcomes back by `settle`. What nobody needs any more is dropped at any moment: a task
that has not begun is forgotten, the result of one that has is discarded when it comes.

A task costs about 0.8 µs here, from its placing to the report that it is finished (``python -m benchmarks micro``);
the loops over tasks are those that a dictionary each needs, all else goes by columns.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from heapq import heapify, heappop, heappush
from itertools import pairwise, repeat
from operator import is_
from typing import Any

import numpy as np

from restride.engine.csr import Ints
from restride.engine.graph import Layer
from restride.engine.messages import Drop, Failed, Finished, ForgetKernels, Kernels, Place, ToWorker
from restride.engine.sizes import Size
from restride.engine.store import Store
from restride.errors import InternalError

BATCH_SECONDS = 1e-3
"""Expected work that a thread claims at once."""
BATCH_TASKS = 512
"""Tasks that a thread claims at once, at most."""
SAMPLE = 32
"""Of so many tasks of a batch at most are durations looked at."""


class Kernel:
    """What the tasks of a layer run, and how long it takes on this worker."""

    __slots__ = ("call", "has_param", "seconds")

    def __init__(self, layer: Layer) -> None:
        function: Any = layer.kernel
        self.call: Callable[..., Any] = partial(function, **layer.constants) if layer.constants else function
        self.has_param = layer.params is not None
        self.seconds = 0.0
        """Moving average of durations, 0 where nothing is known yet."""


class PlacedRun:
    """Tasks that were placed together, in columns: an object a task is what garbage collection dwells on."""

    __slots__ = ("at", "attempts", "deps", "first", "indptr", "kernels", "params")

    def __init__(self, message: Place, kernels: dict[int, Kernel]) -> None:
        ids = message.ids
        self.first = int(ids[0])
        self.at: dict[int, int] | None = None
        """Which row of the run a task is; where there are no gaps, by its distance from the first."""
        if int(ids[-1]) - self.first >= len(ids):
            self.at = dict(zip(ids.tolist(), range(len(ids))))
        self.attempts: list[int] = message.attempts.tolist()
        self.kernels = list(map(kernels.__getitem__, message.layers.tolist()))
        self.params = message.params
        self.indptr: list[int] = message.indptr.tolist()
        self.deps: list[int] = message.deps.tolist()

    def row(self, id: int) -> int:
        """Which row of the run a task is."""
        return id - self.first if self.at is None else self.at[id]

    def deps_of(self, row: int) -> list[int]:
        """Ids of the dependencies of a row."""
        return self.deps[self.indptr[row] : self.indptr[row + 1]]


class Outcomes:
    """What a thread has done with the tasks that it claimed, in columns."""

    __slots__ = ("failures", "ids", "rows", "runs", "seconds", "sizes", "values")

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.runs: list[PlacedRun] = []
        self.rows: list[int] = []
        self.values: list[Any] = []
        self.sizes: list[Size] = []
        self.seconds: list[float] = []
        self.failures: list[tuple[int, PlacedRun, BaseException]] = []
        """Tasks that raised; the traceback begins in the kernel."""

    def clear(self) -> None:
        """Begin anew, in place."""
        for column in (self.ids, self.runs, self.rows, self.values, self.sizes, self.seconds, self.failures):
            column.clear()


class _Ready:
    """A queue of tasks whose inputs are all here, the smallest id first.

    Tasks come in two ways: placed with nothing to wait for, in long ascending runs, which stay as they are; and one by
    one as inputs arrive, which go to a heap. Who takes them out takes the smaller of the two first ones.
    """

    def __init__(self) -> None:
        self.run: deque[int] = deque()
        self.heap: list[int] = []

    def __len__(self) -> int:
        return len(self.run) + len(self.heap)

    def add_run(self, ids: list[int]) -> None:
        """Ascending ids."""
        if not self.run or self.run[-1] < ids[0]:
            self.run.extend(ids)
        else:
            self.add(ids)

    def add(self, ids: list[int]) -> None:
        """Ids in any order."""
        if len(ids) * 8 > len(self.heap):
            self.heap += ids
            heapify(self.heap)
        else:
            for id in ids:
                heappush(self.heap, id)


class WorkerState:
    """All that a worker knows.

    Parameters
    ----------
    threads : int
        How many compute threads share what is ready.

    Attributes
    ----------
    store : Store
        The outputs that it holds.
    tasks : dict of int to PlacedRun
        What has been placed and is not settled yet, and as part of which run.
    ready : queue of int
        Ids of tasks that can run; some may have been dropped since.
    hungry : bool
        Whether some thread has nothing to do, so that outcomes are wanted at once; set by whoever runs the threads.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.store = Store()
        self.tasks: dict[int, PlacedRun] = {}
        self.ready = _Ready()
        self.hungry = False
        self._kernels: dict[int, Kernel] = {}
        self._missing: dict[int, int] = {}
        """How many inputs of a task are not here yet."""
        self._dependents: dict[int, int | list[int]] = {}
        """The task, or tasks, here that wait for an input; once a dependency."""
        self._claims: dict[int, deque[int]] = {}
        """What each thread has claimed and not begun."""
        self._ids: list[int] = []
        self._attempts: list[int] = []
        self._nbytes: list[int] = []
        self._seconds: list[float] = []
        self._failed: list[Failed] = []

    # ---- events from the scheduler

    def receive(self, message: ToWorker) -> None:
        """Take in one message of the scheduler's."""
        match message:
            case Place():
                self._place(message)
            case Drop():
                self._drop(message.ids.tolist())
            case Kernels():
                self._kernels.update(zip(message.numbers, map(Kernel, message.layers)))
            case ForgetKernels():
                for number in message.numbers:
                    del self._kernels[number]

    def _place(self, message: Place) -> None:
        run = PlacedRun(message, self._kernels)
        ids = message.ids.tolist()
        self.tasks.update(zip(ids, repeat(run)))
        ready = self._without_missing(ids, run) if run.deps else ids
        if ready:
            self.ready.add_run(ready)

    def _without_missing(self, ids: list[int], run: PlacedRun) -> list[int]:
        """Those tasks of a run whose inputs are all here; the others wait."""
        outputs, missing, dependents, every_dep = self.store.outputs, self._missing, self._dependents, run.deps
        ready = []
        for id, (start, stop) in zip(ids, pairwise(run.indptr)):
            absent = 0
            for dep in every_dep[start:stop]:
                if dep not in outputs:
                    absent += 1
                    waiting = dependents.get(dep)
                    if waiting is None:
                        dependents[dep] = id
                    elif type(waiting) is int:
                        dependents[dep] = [waiting, id]
                    else:
                        waiting.append(id)  # type: ignore[union-attr]
            if absent:
                missing[id] = absent
            else:
                ready.append(id)
        return ready

    def _drop(self, ids: list[int]) -> None:
        outputs = self.store.outputs
        held = [id for id in ids if id in outputs]
        self.store.drop(held)
        if len(held) == len(ids):
            return
        for id in ids:
            run = self.tasks.pop(id, None)
            if run is not None and self._missing.pop(id, 0):
                self._stop_waiting(id, run.deps_of(run.row(id)))

    def _stop_waiting(self, id: int, deps: Sequence[int]) -> None:
        for dep in deps:
            waiting = self._dependents.get(dep)
            if waiting == id or waiting == [id]:
                del self._dependents[dep]
            elif type(waiting) is list and id in waiting:
                waiting.remove(id)

    # ---- compute threads

    def claim(self, thread: int) -> tuple[deque[int], float]:
        """The next tasks for a thread to run: about a millisecond's worth, and no more than its share of what is ready.

        Where nothing is ready, half of what another thread has claimed and not begun. The thread takes its tasks from
        the left one by one, without a lock, as others may take them from the right.

        Returns
        -------
        claimed : deque of int
        seconds : float
            How long each is expected to take, on average; at least `BATCH_SECONDS` where nothing is known.
        """
        claimed = self._claims.setdefault(thread, deque())
        placed, heap, run_of = self.ready.run, self.ready.heap, self.tasks.get
        share = min(-(-len(self.ready) // self.threads), BATCH_TASKS) - len(claimed)
        seconds = 0.0
        while share > 0 and seconds < BATCH_SECONDS and (placed or heap):
            id = placed.popleft() if placed and not (heap and heap[0] < placed[0]) else heappop(heap)
            run = run_of(id)
            if run is not None:
                row = id - run.first if run.at is None else run.at[id]
                expected = run.kernels[row].seconds or BATCH_SECONDS  # one by one while nothing is known
                share -= 1
                if expected >= BATCH_SECONDS and claimed:
                    self.ready.add([id])  # a batch of its own: the outcomes of the others need not wait for it
                    break
                claimed.append(id)
                seconds += expected
        if not claimed:
            self._steal(claimed)
            return claimed, BATCH_SECONDS
        return claimed, seconds / len(claimed)

    def unclaim(self, thread: int) -> None:
        """A thread gives back what it has claimed and not begun."""
        claimed = self._claims.setdefault(thread, deque())
        self.ready.add(list(claimed))
        claimed.clear()

    def _steal(self, claimed: deque[int]) -> None:
        richest = max(self._claims.values(), key=len)
        for _ in range((len(richest) + 1) // 2):
            try:
                claimed.appendleft(richest.pop())
            except IndexError:  # its owner, who needs no lock, was faster
                return

    def forget_thread(self, thread: int) -> None:
        """A thread that has claimed nothing ends."""
        self._claims.pop(thread, None)

    def settle(self, outcomes: Outcomes) -> None:
        """Take in what a thread has done; outcomes of tasks that were dropped meanwhile are let go."""
        for id, run, exception in outcomes.failures:
            if self.tasks.get(id) is run:
                del self.tasks[id]
                self._failed.append(Failed(id, run.attempts[run.row(id)], exception, exception.__traceback__))
        if not all(map(is_, map(self.tasks.get, outcomes.ids), outcomes.runs)):
            self._leave_out_dropped(outcomes)
        for id in outcomes.ids:
            del self.tasks[id]
        self._attempts += [run.attempts[row] for run, row in zip(outcomes.runs, outcomes.rows)]
        self._learn(outcomes)
        self.store.put(outcomes.ids, outcomes.values, outcomes.sizes)
        self._ids += outcomes.ids
        self._nbytes += [size if type(size) is int else size[0] for size in outcomes.sizes]  # type: ignore[index]
        self._seconds += outcomes.seconds
        self._arrive(outcomes.ids)

    def _learn(self, outcomes: Outcomes) -> None:
        """Take durations into the moving averages: of a batch of many short tasks a sample says enough."""
        for at in range(0, len(outcomes.ids), len(outcomes.ids) // SAMPLE + 1):
            kernel, seconds = outcomes.runs[at].kernels[outcomes.rows[at]], outcomes.seconds[at]
            kernel.seconds = kernel.seconds * 0.75 + seconds * 0.25 if kernel.seconds else seconds

    def _leave_out_dropped(self, outcomes: Outcomes) -> None:
        kept = [at for at, id in enumerate(outcomes.ids) if self.tasks.get(id) is outcomes.runs[at]]
        columns: tuple[list[Any], ...] = (
            outcomes.ids, outcomes.runs, outcomes.rows, outcomes.values, outcomes.sizes, outcomes.seconds
        )  # fmt: skip
        for column in columns:
            column[:] = [column[at] for at in kept]

    def _arrive(self, ids: list[int]) -> None:
        """Outputs have come into the store: queue the tasks that waited for nothing else."""
        missing, waiting_for = self._missing, self._dependents.pop
        ready = []
        for id in ids:
            waiting = waiting_for(id, ())
            for dependent in (waiting,) if type(waiting) is int else waiting:  # type: ignore[union-attr]
                left = missing[dependent] - 1
                if left:
                    missing[dependent] = left
                else:
                    del missing[dependent]
                    ready.append(dependent)
        if ready:
            self.ready.add(ready)

    # ---- reports

    def unreported(self) -> Ints:
        """Ids of what has finished or failed since the last report."""
        return np.array(self._ids + [failed.id for failed in self._failed], np.int64)

    @property
    def has_failures(self) -> bool:
        """Whether some task has raised since the last report."""
        return bool(self._failed)

    @property
    def unreported_nbytes(self) -> int:
        """Bytes of the outputs that have come since the last report."""
        return sum(self._nbytes)

    def reports(self) -> tuple[Finished | None, list[Failed]]:
        """What has finished and failed since the last call."""
        failed, self._failed = self._failed, []
        if not self._ids:
            return None, failed
        finished = Finished(
            ids=np.array(self._ids),
            attempts=np.array(self._attempts, np.int32),
            nbytes=np.array(self._nbytes),
            seconds=np.array(self._seconds),
        )
        self._ids, self._attempts, self._nbytes, self._seconds = [], [], [], []
        return finished, failed

    # ---- invariants

    def audit(self) -> None:
        """Check the tables against each other.

        Raises
        ------
        InternalError
            It names what does not hold.
        """
        waiting: dict[int, int] = {}
        for dep, dependents in self._dependents.items():
            if dep in self.store:
                raise InternalError(f"tasks wait for output {dep}, which is here")
            for id in (dependents,) if type(dependents) is int else dependents:  # type: ignore[union-attr]
                waiting[id] = waiting.get(id, 0) + 1
        if waiting != self._missing:
            raise InternalError(f"tasks that wait: {waiting}, by their own count {self._missing}")
        if self._missing.keys() - self.tasks.keys():
            raise InternalError(f"tasks wait that are unknown: {self._missing.keys() - self.tasks.keys()}")
