"""The scheduler's columns for the tasks of one job.

A submitted job is the contiguous run of ids ``base .. base + n - 1``; everything that is known of its tasks stands in
the columns of one `TaskTable`, which is freed as one piece when the job is over. Columns are a table a job and not one
growable table for all, so that freeing leaves no holes, and no long-lived job holds the rows of short ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from restride.engine.graphs.csr import Ints, distinct, take_rows
from restride.engine.graphs.job import Job
from restride.engine.graphs.options import Options
from restride.engine.graphs.packed import PackedJob
from restride.engine.messages import TaskFailure
from restride.engine.scheduler.placement import Loads
from restride.engine.scheduler.task_states import FINISHED, PLACED, WAITING

_DECAY = 0.5
"""What a layer's past counts for against its newest batch: durations that jump are forgotten in a few batches."""
_TABLE_BYTES, _TASK_BYTES = 5000, 150
"""What a job takes here, roughly."""
ONE = np.int32(1)
"""To count in int32 columns: ``np.add.at`` is 20 times slower where it must cast."""
_NO_ROWS = np.zeros(0, np.int64)
_WEIGHT = 32
"""Tasks that what is known by name counts for, beside those that have just finished."""
_JUMP = 4.0
"""Loads of workers are reckoned anew once an average has changed by this factor."""


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

    def __init__(self, job: Job, base: int, first_layer: int, client: int, options: Options | None = None) -> None:
        n, m = job.n, job.inputs
        self.job = job
        self.options = options or Options()
        self.n = n
        self.base = base
        self.first_layer = first_layer
        self.client = client
        self.own_loads: Loads | None = None
        """What its placed tasks count towards, where that is not what all jobs share: of a nested or scattered job."""
        self.state = np.zeros(n, np.int8)
        self.held = np.zeros(n, np.int32)
        """How often clients hold an output: wanted and not released."""
        self.held[job.wanted] = 1
        self.waiters = (job.rindptr[1:] - job.rindptr[:-1]).astype(np.int32)
        """Unfinished dependents, plus holds of clients and of later jobs: who still needs the output."""
        self.waiters[job.wanted] += 1
        self.worker = np.full(n + m, -1, np.int32)
        self.nbytes = np.zeros(n + m, np.int64)
        self.attempt = np.zeros(n, np.int32)
        self.estimate = np.zeros(n, np.float32)
        """Seconds that a placed task counts for in its worker's load."""
        self.asked_back = np.zeros(n, np.bool_)
        """Whether the worker of a placed task has been asked to give it back, in vain or not."""
        self.placed = 0
        """Tasks that are placed."""
        self.live = n
        """Tasks that are waiting, placed, or hold an output."""
        self.cursor = 0
        """All rows below have left the state WAITING."""
        self.failures: dict[int, TaskFailure] = {}
        """Why tasks failed, for those that somebody holds."""
        self.orphaned = False
        """Whether its client is gone."""
        self.foreign: list[Foreign] = []
        self.later: dict[int, TaskTable] = {}
        """Jobs that need outputs of this one, by base, until they are over."""
        self.foreign_ids = np.zeros(m, np.int64)
        self.blocked = m > 0
        """Whether outputs of earlier jobs that this one needs may not be placed yet."""
        self.knows: set[int] = set()
        """Workers that have the kernels."""
        self.allowed: NDArray[np.bool_] | None = None
        """Which workers may run it, where not all may."""
        self.tries: dict[int, int] = {}
        """How often tasks have raised, and were tried again."""
        self.deaths: dict[int, int] = {}
        """How often tasks were running when their worker died."""
        self.guests: dict[int, dict[int, int]] = {}
        """By client other than its own: how often that holds a row."""
        self.replicas: dict[int, set[int]] = {}
        """By row: workers beside its own that were asked to fetch the output, and to hold it until it is dropped."""
        self._layer_sizes = np.array([layer.count for layer in job.layers], np.float64)
        self._counts = np.zeros(len(job.layers))
        self._seconds = np.zeros(len(job.layers))
        self._nbytes = np.zeros(len(job.layers))
        self._reckoned = np.zeros(len(job.layers), np.float32)
        """Averages that the loads were last reckoned with."""
        self._looked_up = np.full(len(job.layers), -1)
        """How many durations were known by name when a layer's was last looked for among them."""

    @property
    def nbytes_here(self) -> int:
        """About how many bytes the scheduler needs for the job."""
        pages = len(self.job.pages) if isinstance(self.job, PackedJob) else 0
        return _TABLE_BYTES + _TASK_BYTES * self.n + pages

    @property
    def over(self) -> bool:
        """Whether nothing of the job is left that anybody could ask for."""
        return self.live == 0 and not self.failures

    @property
    def ended(self) -> int:
        """How many tasks have run, failed, or been cancelled."""
        return int(np.count_nonzero(self.state >= FINISHED))

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
            rows: Ints = (self.state[self.cursor : self.cursor + most] == WAITING).nonzero()[0] + self.cursor
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
                    yield later, distinct(later.dependents(foreign.here[np.isin(foreign.there, rows)]))

    def edges_to_later_jobs(self, rows: Ints) -> Iterator[tuple[TaskTable, Ints, Ints]]:
        """The edges from rows to their dependents in each later job: rows here, and rows there."""
        for later in self.later.values():
            for foreign in later.foreign:
                if foreign.owner is self:
                    at = np.isin(foreign.there, rows)
                    counts, dependents = take_rows(later.job.rindptr, later.job.rindices, foreign.here[at])
                    yield later, np.repeat(foreign.there[at], counts), dependents

    def note_homes(self, owner: TaskTable) -> None:
        """Where the outputs of an earlier job are, or will be, that this one needs, and their sizes."""
        for foreign in self.foreign:
            if foreign.owner is owner:
                self.worker[foreign.here] = owner.worker[foreign.there]
                self.nbytes[foreign.here] = owner.nbytes[foreign.there]

    def ready_rows(self) -> Ints:
        """Rows that are placed and whose dependencies are all finished."""
        rows = np.flatnonzero(self.state == PLACED)
        counts, deps = self.dependencies(rows)
        own = deps < self.n
        unfinished = np.zeros(len(deps), np.bool_)
        unfinished[own] = self.state[deps[own]] != FINISHED
        for foreign in self.foreign:
            absent = foreign.here[foreign.owner.state[foreign.there] != FINISHED]
            unfinished |= np.isin(deps, absent)
        waiting = np.bincount(np.repeat(np.arange(len(rows)), counts)[unfinished], minlength=len(rows))
        ready: Ints = rows[waiting == 0]
        return ready

    def forget_foreign(self) -> None:
        """The job is over: a chain of jobs, each on the one before, must not keep all of their tables alive."""
        for foreign in self.foreign:
            del foreign.owner.later[self.base]
        self.foreign = []

    def forgotten_by_later(self) -> None:
        """Later jobs can need nothing of this one any more."""
        for later in self.later.values():
            later.foreign = [foreign for foreign in later.foreign if foreign.owner is not self]
        self.later.clear()

    def leave(self, client: int, rows: Ints) -> Ints:
        """A client lets go of rows, repeats count; which of them it held, and as often."""
        guest = self.guests.get(client)
        if guest is not None:
            left = []
            for row in rows.tolist():
                times = guest.get(row, 0)
                if times:
                    left.append(row)
                    guest[row] = times - 1
            self.guests[client] = guest = {row: times for row, times in guest.items() if times}
            if not guest:
                del self.guests[client]
            return np.array(left, np.int64)
        if client != self.client:
            return rows[:0]
        own = self._held_by_own()
        if len(rows) > 1:
            unique, counts = np.unique(rows, return_counts=True)
            return np.repeat(unique, np.minimum(counts, own[unique]))
        return rows[own[rows] > 0]

    def no_longer_waited_for(self, rows: Ints) -> Ints:
        """Take one waiter off each of `rows` (repeats count); the rows, own or foreign, that nobody waits for now."""
        if not len(rows):
            return rows
        np.subtract.at(self.waiters, rows, ONE)
        done = rows[self.waiters[rows] == 0]
        return distinct(done)

    def learn(self, rows: Ints, seconds: NDArray[np.float64], known: dict[str, float]) -> Ints:
        """Take the measured durations and sizes of a batch into the moving averages of the layers.

        Parameters
        ----------
        rows, seconds : columns
        known : dict of str to float
            Durations by name of layer, from one job to the next; changed in place.

        Returns
        -------
        int64 array
            Layers whose average has jumped.
        """
        layer = self.job.layer[rows]
        if len(rows) == 1:
            return self._learn_one(int(layer[0]), float(seconds[0]), int(self.nbytes[rows[0]]), known)
        layers = distinct(layer)
        at = np.searchsorted(layers, layer)
        counts, taken, nbytes = np.bincount(at), np.bincount(at, seconds), np.bincount(at, self.nbytes[rows])
        # Many short tasks would outweigh long ones that follow for too many batches: then the past does not count.
        kept = np.where(taken * self._counts[layers] > _JUMP * counts * self._seconds[layers], 0.0, _DECAY)
        for sums, news in ((self._counts, counts), (self._seconds, taken), (self._nbytes, nbytes)):
            sums[layers] = sums[layers] * kept + news
        average = self._seconds[layers] / self._counts[layers]
        before = self._reckoned[layers]
        jumped = layers[(average > before * _JUMP) | (average * _JUMP < before)]
        if len(jumped):
            self._reckoned[jumped] = self._seconds[jumped] / self._counts[jumped]
        names = self._layer_names[layers]
        counts, taken = np.bincount(names, counts), np.bincount(names, taken)
        for name in np.flatnonzero(counts).tolist():
            _learn_name(self._names[name], float(counts[name]), float(taken[name]), known)
        return jumped.astype(np.int64)

    @cached_property
    def _layer_names(self) -> Ints:
        """By layer: which of `_names` it has."""
        number = {name: at for at, name in enumerate(self._names)}
        return np.array([number[layer.name] for layer in self.job.layers])

    @cached_property
    def _names(self) -> list[str]:
        return list(dict.fromkeys(layer.name for layer in self.job.layers))

    def _learn_one(self, layer: int, seconds: float, nbytes: int, known: dict[str, float]) -> Ints:
        """The same for a single task of a layer, 5 µs instead of 20."""
        kept = 0.0 if seconds * self._counts[layer] > _JUMP * self._seconds[layer] else _DECAY
        for sums, news in ((self._counts, 1.0), (self._seconds, seconds), (self._nbytes, nbytes)):
            sums[layer] = sums[layer] * kept + news
        _learn_name(self.job.layers[layer].name, 1.0, seconds, known)
        average, before = float(self._seconds[layer] / self._counts[layer]), float(self._reckoned[layer])
        if before / _JUMP <= average <= before * _JUMP:
            return _NO_ROWS
        self._reckoned[layer] = average
        return np.array([layer])

    def expected_seconds(self, rows: Ints, known: dict[str, float], unknown: float) -> NDArray[np.float64]:
        """Expected durations: of the layer, else of what was called the same before, else `unknown`."""
        layer = self.job.layer[rows]
        if len(rows) == 1:
            return np.array([self._expected_of_layer(int(layer[0]), known, unknown)])
        counts = self._counts[layer]
        new = counts == 0
        if new.any():
            self._look_up(distinct(layer[new & (self._reckoned[layer] == 0)]), known)
        reckoned = self._reckoned[layer]
        seconds: NDArray[np.float64] = self._seconds[layer] / np.where(new, 1.0, counts)
        return np.where(new, np.where(reckoned > 0, reckoned, unknown), seconds)

    def _expected_of_layer(self, layer: int, known: dict[str, float], unknown: float) -> float:
        if self._counts[layer]:
            return float(self._seconds[layer] / self._counts[layer])
        if not self._reckoned[layer]:
            self._reckoned[layer] = known.get(self.job.layers[layer].name, 0.0)
        return float(self._reckoned[layer]) or unknown

    def _look_up(self, layers: Ints, known: dict[str, float]) -> None:
        """Take over what is known by the names of layers, of those for which that may be more than at the last look."""
        layers = layers[self._looked_up[layers] != len(known)]
        self._looked_up[layers] = len(known)
        for number in layers.tolist():
            self._reckoned[number] = known.get(self.job.layers[number].name, 0.0)

    def is_unknown(self, rows: Ints) -> NDArray[np.bool_]:
        """Whether nothing like these tasks, of their layer or of its name, had finished when they were placed."""
        layer = self.job.layer[rows]
        unknown: NDArray[np.bool_] = (self._counts[layer] == 0) & (self._reckoned[layer] == 0)
        return unknown

    def expected_nbytes(self, rows: Ints) -> Ints:
        """Bytes of outputs, own or foreign: measured, or for those that do not exist yet the layer's average."""
        nbytes: Ints = self.nbytes[rows]
        if not len(rows):
            return nbytes
        absent = (nbytes == 0) & (rows < self.n)
        if absent.any():
            layer = self.job.layer[rows[absent]]
            nbytes[absent] = self._nbytes[layer] / np.maximum(self._counts[layer], 1e-9)
        return nbytes

    def positions(self, rows: Ints) -> NDArray[np.float64]:
        """Where each row stands in its layer, from 0 to 1."""
        positions: NDArray[np.float64] = (self.job.index[rows] + 0.5) / self._layer_sizes[self.job.layer[rows]]
        return positions

    def placed_rows(self, layers: Ints) -> Ints:
        """Rows of some layers that are placed."""
        rows = np.flatnonzero(self.state == PLACED)
        return rows[np.isin(self.job.layer[rows], layers)]

    def holders(self, rows: Ints) -> list[tuple[int, Ints]]:
        """Clients that hold some of the rows, and which."""
        held = rows[self.held[rows] > 0]
        if not len(held):
            return []
        if not self.guests:
            return [(self.client, held)]
        own = self.held[held]
        found = []
        for client, guest in self.guests.items():
            times = np.array([guest.get(row, 0) for row in held.tolist()], np.int32)
            own = own - times
            found.append((client, held[times > 0]))
        return [(client, of_client) for client, of_client in [(self.client, held[own > 0]), *found] if len(of_client)]

    def held_by(self, client: int) -> Ints:
        """Rows that a client holds, once for each time."""
        if client != self.client:
            guest = self.guests.get(client, {})
            return np.repeat(np.array(list(guest), np.int64), np.array(list(guest.values()), np.int64))
        return np.repeat(np.arange(self.n), self._held_by_own())

    def _held_by_own(self) -> NDArray[np.int32]:
        """How often its own client holds each row."""
        if not self.guests:
            return self.held
        own = self.held.copy()
        for guest in self.guests.values():
            own[list(guest)] -= np.array(list(guest.values()), np.int32)
        return own


def _learn_name(name: str, count: float, seconds: float, known: dict[str, float]) -> None:
    """Take so many tasks into the moving average of a name: some that were held up say little of those to come."""
    before = known.get(name)
    if before is None:
        known[name] = seconds / count
    else:
        known[name] = before + (seconds - count * before) / (count + _WEIGHT)
