"""The scheduler's columns for the tasks of one job.

A submitted job is the contiguous run of ids ``base .. base + n - 1``; everything that is known of its tasks stands in
the columns of one `TaskTable`, which is freed as one piece when the job is over. Columns are a table a job and not one
growable table for all, so that freeing leaves no holes, and no long-lived job holds the rows of short ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restride.engine.csr import Ints, take_rows
from restride.engine.job import Job
from restride.engine.messages import TaskFailure
from restride.engine.placement import Loads
from restride.engine.states import TaskState

_DECAY = 0.5
"""What a layer's past counts for against its newest batch: durations that jump are forgotten in a few batches."""


@dataclass(frozen=True, eq=False, slots=True)
class Foreign:
    """Outputs of an earlier job that a job needs: rows there, and the rows that stand for them here."""

    owner: TaskTable
    there: Ints
    here: Ints


class TaskTable:
    """What the scheduler knows of the tasks of one job.

    Rows are those of `Job`; the columns over tasks alone have ``n`` entries, those that also cover the outputs of
    earlier jobs ``n + job.inputs``.
    """

    def __init__(self, job: Job, base: int, first_layer: int, client: int) -> None:
        n, m = job.n, job.inputs
        self.job = job
        self.n = n
        self.base = base
        self.first_layer = first_layer
        self.client = client
        self.own_loads: Loads | None = None
        """What its placed tasks count towards, where that is not what all jobs share: of a nested job."""
        self.state = np.zeros(n, np.int8)
        self.held = np.zeros(n, np.int32)
        """How often clients hold an output: wanted and not released."""
        self.held[job.wanted] = 1
        self.waiters = np.diff(job.rindptr).astype(np.int32)
        """Unfinished dependents, plus holds of clients and of later jobs: who still needs the output."""
        self.waiters[job.wanted] += 1
        self.worker = np.full(n + m, -1, np.int32)
        self.nbytes = np.zeros(n + m, np.int64)
        self.attempt = np.zeros(n, np.int32)
        self.estimate = np.zeros(n, np.float32)
        """Seconds that a placed task counts for in its worker's load."""
        self.live = n
        """Tasks that are waiting, placed, or hold an output."""
        self.cursor = 0
        """All rows below have left the state WAITING."""
        self.failures: dict[int, TaskFailure] = {}
        """Why tasks failed, for those that somebody holds."""
        self.foreign: list[Foreign] = []
        self.later: dict[int, TaskTable] = {}
        """Jobs that need outputs of this one, by base, until they are over."""
        self.foreign_ids = np.zeros(m, np.int64)
        self.blocked = m > 0
        """Whether outputs of earlier jobs that this one needs may not be placed yet."""
        self.knows: set[int] = set()
        """Workers that have the kernels."""
        self._counts = np.zeros(len(job.layers))
        self._seconds = np.zeros(len(job.layers))

    @property
    def over(self) -> bool:
        """Whether nothing of the job is left that anybody could ask for."""
        return self.live == 0 and not self.failures

    @property
    def ended(self) -> int:
        """How many tasks have run, failed, or been cancelled."""
        return int(np.count_nonzero(self.state >= TaskState.FINISHED))

    def ids(self, rows: Ints) -> Ints:
        """Global ids of rows."""
        if not len(self.foreign_ids):
            return rows + self.base
        own = rows < self.n
        ids = rows + self.base
        ids[~own] = self.foreign_ids[rows[~own] - self.n]
        return ids

    def next_waiting(self, most: int) -> Ints:
        """The next rows to place, in order: at most `most` of them."""
        while self.cursor < self.n:
            rows = self.cursor + np.flatnonzero(self.state[self.cursor : self.cursor + most] == TaskState.WAITING)
            if len(rows):
                return rows
            self.cursor = min(self.cursor + most, self.n)
        return np.zeros(0, np.int64)

    def dependencies(self, rows: Ints) -> tuple[Ints, Ints]:
        """Lengths and entries of the rows' dependencies."""
        return take_rows(self.job.indptr, self.job.indices, rows)

    def dependents(self, rows: Ints) -> Ints:
        """The rows' dependents, with repeats."""
        return take_rows(self.job.rindptr, self.job.rindices, rows)[1]

    def dependents_in_later_jobs(self, rows: Ints) -> Iterator[tuple[TaskTable, Ints]]:
        """What depends on the rows in each later job."""
        for later in self.later.values():
            for foreign in later.foreign:
                if foreign.owner is self:
                    yield later, np.unique(later.dependents(foreign.here[np.isin(foreign.there, rows)]))

    def forget_foreign(self) -> None:
        """The job is over: a chain of jobs, each on the one before, must not keep all of their tables alive."""
        for foreign in self.foreign:
            del foreign.owner.later[self.base]
        self.foreign = []

    def no_longer_waited_for(self, rows: Ints) -> Ints:
        """Take one waiter off each of `rows` (repeats count); the rows, own or foreign, that nobody waits for now."""
        if not len(rows):
            return rows
        np.subtract.at(self.waiters, rows, 1)
        done = rows[self.waiters[rows] == 0]
        return np.unique(done) if len(done) > 1 else done

    def learn(self, rows: Ints, seconds: NDArray[np.float64]) -> None:
        """Take the measured durations of a batch into the moving averages of the layers."""
        layer = self.job.layer[rows]
        self._counts[layer] *= _DECAY  # once a layer, however often it is in the batch
        self._seconds[layer] *= _DECAY
        np.add.at(self._counts, layer, 1.0)
        np.add.at(self._seconds, layer, seconds)

    def expected_seconds(self, rows: Ints, unknown: float) -> NDArray[np.float64]:
        """Expected durations, `unknown` for tasks of layers of which none has finished yet."""
        layer = self.job.layer[rows]
        counts = self._counts[layer]
        known = counts > 0
        return np.where(known, self._seconds[layer] / np.where(known, counts, 1.0), unknown)
