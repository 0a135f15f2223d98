"""The client's side of a job: which of the outputs that it wants exist, have failed, or were cancelled.

Outputs are known by position, in the order in which they were asked for. News comes from the engine's threads,
questions from the caller's; a lock that is never held for long stands between them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from itertools import compress
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from restride.engine.client.failure import Failure, LocalFailure, RemoteFailure
from restride.engine.graphs.csr import Ints
from restride.engine.graphs.job import Job
from restride.engine.graphs.options import Options
from restride.engine.messages import Blob, Broken, Done, PackedBroken, Undone
from restride.errors import GraphError, RestrideError

if TYPE_CHECKING:
    from restride.engine.client.futures import Future
    from restride.engine.client.scattering import ScatteredValue


class OutputState(IntEnum):
    """Where a wanted output stands, for its client."""

    PENDING = 0
    DONE = 1
    FAILED = 2
    CANCELLED = 3


Callback = Callable[[], object]
News = Done | Broken | PackedBroken | Undone


_DEFAULT = Options()


class Submission:
    """A job and its wanted outputs.

    Parameters
    ----------
    compile_job : callable, optional
        Called once, when the job is about to be submitted, to `seal` it; for jobs that still grow while they wait.
    options : Options
        How it is to be run.

    Attributes
    ----------
    base : int or None
        Id of the job's first task, once the scheduler has it.
    homes : int32 array or None
        Which worker holds each output, by position, -1 where none does; where there are several.
    scattered : sequence of ScatteredValue
        What the client sends to workers itself, by position, until the scheduler has the job.
    """

    def __init__(self, compile_job: Callable[[], None] | None = None, options: Options = _DEFAULT) -> None:
        self.base: int | None = None
        self.options = options
        self.homes: NDArray[np.int32] | None = None
        self.scattered: Sequence[ScatteredValue] = ()
        self._results: dict[int, Blob] = {}
        """By position: pickles of small outputs that came along with the news of them."""
        self._values: dict[int, Any] = {}
        """The same, unpickled."""
        self.lock = threading.Lock()
        self._states = bytearray()
        self._left = 0
        self._failures: dict[int, Failure] = {}
        self._remote_failure: RemoteFailure | None = None
        """The last one."""
        self._abandoned: RestrideError | None = None
        self._callbacks: dict[int, list[Callback]] = {}
        self._when_over: list[Callback] = []
        self._at_news: list[Callback] = []
        self._compile = compile_job
        self._job: Job | None = None
        self._inputs: Sequence[Future] = ()
        self._sorted = self._rows = self._positions = np.zeros(0, np.int64)

    # ---- before it is submitted

    def expect(self, count: int) -> int:
        """Make room for this many more outputs; the position of the first."""
        with self.lock:
            first = len(self._states)
            self._states += bytes(count)
            self._left += count
            calls, self._when_over = self._when_over, []  # see `call_when_over`
        for call in calls:
            call()
        return first

    @property
    def grows(self) -> bool:
        """Whether outputs may still join."""
        return self._compile is not None

    def seal(self, job: Job, inputs: Sequence[Future], rows: Ints) -> None:
        """The job is known now, and the row of each position."""
        self._job, self._inputs, self._rows = job, inputs, rows
        self._positions = np.argsort(rows, kind="stable")
        self._sorted = rows[self._positions]

    def adopt(self, base: int, rows: Ints) -> None:
        """Be of a job that the scheduler has already, with one position for each of some of its rows."""
        self.expect(len(rows))
        self.base, self._rows = base, rows
        self._positions = np.argsort(rows, kind="stable")
        self._sorted = rows[self._positions]

    def job(self) -> Job:
        """The job; compiled now, if it is not yet."""
        if self._job is None and self._compile is not None:
            compile_job, self._compile = self._compile, None
            compile_job()
        assert self._job is not None
        return self._job

    @property
    def inputs_known(self) -> bool:
        """Whether the scheduler has all that this one needs, so that it has an id, or never will have."""
        return all(future.submission.base is not None or future.done() for future in self._inputs)

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

    def accepted(self, base: int) -> Sequence[Future]:
        """The scheduler has the job, and its columns; the inputs, which need not be held any more."""
        self.base = base
        self._job = None
        inputs, self._inputs = self._inputs, ()
        return inputs

    # ---- news

    def hear(self, message: News) -> list[Callback]:
        """Take in news of outputs; what to call now, once all news is taken in."""
        positions, here = self._positions_of(message.ids)
        match message:
            case Done():
                if self.homes is not None:
                    self.homes[positions] = message.workers[here]
                if len(message.result_ids):
                    which, here = self._positions_of(message.result_ids)
                    self._results.update(zip(which.tolist(), compress(message.results, here.tolist())))
                return self._settle(positions.tolist(), OutputState.DONE)[1]
            case Undone():
                self._unsettle(positions)
                return []
            case Broken(failure=failure):
                return self._break(positions, LocalFailure(failure) if type(failure.exception) is ref else failure)
            case PackedBroken():
                known = self._remote_failure
                if known is None or not known.tells(message):  # of one that spread there are several news
                    known = self._remote_failure = RemoteFailure(message)
                return self._break(positions, known)

    def _positions_of(self, ids: Ints) -> tuple[Ints, NDArray[np.bool_]]:
        """Positions of those ids that are of outputs wanted here, and which those are: of a job there may be others."""
        assert self.base is not None
        rows = ids - self.base
        first = self._sorted.searchsorted(rows)
        here = self._sorted.take(first, mode="clip") == rows
        return self._positions[first if here.all() else first[here]], here

    def _break(self, positions: Ints, failure: Failure) -> list[Callback]:
        which = positions.tolist()
        self._failures.update(dict.fromkeys(which, failure))
        return self._settle(which, OutputState.FAILED)[1]

    def _unsettle(self, positions: Ints) -> None:
        """Outputs are lost, and will come again; those of which the result is here stay as they are."""
        with self.lock:
            for position in positions.tolist():
                if self._states[position] == OutputState.DONE and position not in self._results:
                    self._states[position] = OutputState.PENDING
                    self._left += 1
                    if self.homes is not None:
                        self.homes[position] = -1

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
            calls: list[Callback] = []
            if over and self._when_over:
                calls, self._when_over = self._when_over, []
            if self._at_news:
                calls += self._at_news
                self._at_news.clear()
            if self._callbacks:
                for position in changed:
                    calls += self._callbacks.pop(position, ())
        return len(changed), calls

    # ---- questions

    @property
    def pending(self) -> int:
        """How many outputs have neither come nor failed."""
        return self._left

    @property
    def succeeded(self) -> bool:
        """Whether all outputs have come."""
        return self._left == 0 and max(self._states, default=0) <= OutputState.DONE

    @property
    def count(self) -> int:
        """How many outputs are wanted."""
        return len(self._states)

    def come(self) -> NDArray[np.bool_]:
        """Which outputs have come, by position."""
        with self.lock:
            states = np.frombuffer(bytes(self._states), np.uint8)
        return np.equal(states, int(OutputState.DONE))

    def state(self, position: int) -> OutputState:
        """Where an output stands."""
        return OutputState(self._states[position])

    def failure(self, position: int) -> Failure:
        """Why an output failed."""
        return self._failures[position]

    def first_failure(self) -> Failure | None:
        """Why the first output failed that did."""
        return self._failures[min(self._failures)] if self._failures else None

    @property
    def abandoned(self) -> RestrideError | None:
        """Why nothing more will come, where that is so."""
        return self._abandoned

    def ids(self, positions: Sequence[int] | None = None) -> Ints:
        """Ids of outputs, once accepted; of all with None."""
        assert self.base is not None
        rows = self._rows if positions is None else self._rows[np.asarray(positions, np.int64)]
        return rows + self.base

    def id(self, position: int) -> int:
        """The id of one output, once accepted."""
        assert self.base is not None
        return int(self._rows[position]) + self.base

    def has_value(self, position: int) -> bool:
        """Whether an output came along with the news of it."""
        return position in self._results

    def values(self, positions: Iterable[int], load: Callable[[Blob], Any]) -> tuple[dict[int, Any], list[int]]:
        """Those outputs that came along, by position, unpickled at the first time; and positions of the others."""
        pickles, values = self._results, self._values
        found: dict[int, Any] = {}
        away = []
        for position in positions:
            if position in values:
                found[position] = values[position]
            elif position in pickles:
                found[position] = values[position] = load(pickles[position])
            else:
                away.append(position)
        return found, away

    def forget_value(self, position: int) -> None:
        """Let go of an output that came along."""
        self._results.pop(position, None)
        self._values.pop(position, None)

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

    def call_at_news(self, call: Callback) -> None:
        """Call when next an output has come, failed or been cancelled."""
        with self.lock:
            self._at_news.append(call)

    def call_when_over(self, call: Callback, count: int | None = None) -> None:
        """Call once every output has come, or one has failed or been cancelled; at once where that is so.

        Also once there are more than `count`: whoever waits for the first of them need not wait for the others, of
        which some may have been let go and will never come.
        """
        with self.lock:
            over = self._left == 0 or max(self._states) > OutputState.DONE or count not in (None, len(self._states))
            if not over:
                self._when_over.append(call)
        if over:
            call()
