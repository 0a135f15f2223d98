"""The client's side of a job: which of the outputs that it wants exist, have failed, or were cancelled.

Outputs are known by position, in the order in which they were asked for. News comes from the engine's threads,
questions from the caller's; a lock that is never held for long stands between them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from restride.engine.csr import Ints
from restride.engine.job import Job
from restride.engine.messages import Broken, Done, TaskFailure, ToClient
from restride.errors import GraphError, RestrideError

if TYPE_CHECKING:
    from restride.engine.futures import Future


class OutputState(IntEnum):
    """Where a wanted output stands, for its client."""

    PENDING = 0
    DONE = 1
    FAILED = 2
    CANCELLED = 3


Callback = Callable[[], object]


class Submission:
    """A job and its wanted outputs.

    Parameters
    ----------
    compile_job : callable, optional
        Called once, when the job is about to be submitted, to `seal` it; for jobs that still grow while they wait.

    Attributes
    ----------
    base : int or None
        Id of the job's first task, once the scheduler has it.
    """

    def __init__(self, compile_job: Callable[[], None] | None = None) -> None:
        self.base: int | None = None
        self.lock = threading.Lock()
        self._states = bytearray()
        self._left = 0
        self._failures: dict[int, TaskFailure] = {}
        self._abandoned: RestrideError | None = None
        self._callbacks: dict[int, list[Callback]] = {}
        self._when_over: Callback | None = None
        self._compile = compile_job
        self._job: Job | None = None
        self._inputs: Sequence[Future] = ()
        self._sorted = self._rows = self._positions = np.zeros(0, np.int64)

    # ---- before it is submitted

    def expect(self, count: int) -> int:
        """Make room for this many more outputs; the position of the first."""
        first = len(self._states)
        self._states += bytes(count)
        self._left += count
        return first

    def seal(self, job: Job, inputs: Sequence[Future], rows: Ints) -> None:
        """The job is known now, and the row of each position."""
        self._job, self._inputs, self._rows = job, inputs, rows
        self._positions = np.argsort(rows, kind="stable")
        self._sorted = rows[self._positions]

    def job(self) -> Job:
        """The job; compiled now, if it is not yet."""
        if self._job is None and self._compile is not None:
            compile_job, self._compile = self._compile, None
            compile_job()
        assert self._job is not None
        return self._job

    def input_ids(self) -> Ints:
        """Ids of the outputs of earlier jobs that this one needs.

        Raises
        ------
        GraphError
            One of them was cancelled.
        """
        if any(future.cancelled() for future in self._inputs):
            raise GraphError("a future that the graph depends on was cancelled")
        return np.array([future.id for future in self._inputs], np.int64)

    def accepted(self, base: int) -> None:
        """The scheduler has the job. Its columns are the scheduler's from now on, and the inputs need not be held."""
        self.base = base
        self._job = None
        self._inputs = ()

    # ---- news

    def hear(self, message: ToClient) -> list[Callback]:
        """Take in news of outputs; what to call now, once all news is taken in."""
        assert self.base is not None
        first = np.searchsorted(self._sorted, message.ids - self.base)
        match message:
            case Done():
                return self._settle(self._positions[first].tolist(), OutputState.DONE)[1]
            case Broken(failure=failure):
                positions = self._positions[first].tolist()
                self._failures.update(dict.fromkeys(positions, failure))
                return self._settle(positions, OutputState.FAILED)[1]

    def abandon(self, why: RestrideError) -> list[Callback]:
        """Nothing more will come; what has not come is cancelled. What to call now."""
        self._abandoned = self._abandoned or why
        return self._settle(range(len(self._states)), OutputState.CANCELLED)[1]

    def cancel(self, position: int) -> bool:
        """Give up an output that has not come; whether it had not."""
        settled, calls = self._settle([position], OutputState.CANCELLED)
        for call in calls:
            call()
        return settled > 0

    def _settle(self, positions: Sequence[int], state: OutputState) -> tuple[int, list[Callback]]:
        """Set the state of those that were pending; how many there were, and what to call now."""
        with self.lock:
            changed = [position for position in positions if not self._states[position]]
            for position in changed:
                self._states[position] = state
            self._left -= len(changed)
            over = self._left == 0 or state != OutputState.DONE
            calls = [self._when_over] if over and self._when_over is not None else []
            if self._callbacks:
                for position in changed:
                    calls += self._callbacks.pop(position, ())
        return len(changed), calls

    # ---- questions

    @property
    def pending(self) -> int:
        """How many outputs have neither come nor failed."""
        return self._left

    def state(self, position: int) -> OutputState:
        """Where an output stands."""
        return OutputState(self._states[position])

    def failure(self, position: int) -> TaskFailure:
        """Why an output failed."""
        return self._failures[position]

    def first_failure(self) -> TaskFailure | None:
        """Why the first output failed that did."""
        return self._failures[min(self._failures)] if self._failures else None

    @property
    def abandoned(self) -> RestrideError | None:
        """Why nothing more will come, where that is so."""
        return self._abandoned

    def ids(self) -> Ints:
        """Ids of the outputs, by position, once accepted."""
        assert self.base is not None
        return self._rows + self.base

    def id(self, position: int) -> int:
        """The id of one output, once accepted."""
        assert self.base is not None
        return int(self._rows[position]) + self.base

    def call_when_done(self, position: int, call: Callback) -> None:
        """Call once the output has come, failed or been cancelled; at once where that is so."""
        with self.lock:
            if not self._states[position]:
                self._callbacks.setdefault(position, []).append(call)
                return
        call()

    def no_longer_call(self, position: int, call: Callback) -> None:
        """Take back a `call_when_done` whose time has not come."""
        with self.lock:
            calls = self._callbacks.get(position, [])
            if call in calls:
                calls.remove(call)

    def call_when_over(self, call: Callback) -> None:
        """Call once every output has come, or one has failed or been cancelled; at once where that is so."""
        with self.lock:
            self._when_over = call
            over = self._left == 0 or max(self._states) > OutputState.DONE
        if over:
            call()
