"""The engine in one process: scheduler, one worker and compute threads, with nothing to start and nothing serialised.

The compute threads drive everything. Callers leave commands and ring a bell; they never touch the state machines, so a
Ctrl-C in the caller, or a destructor at any moment, cannot break those off halfway. A thread that has run its batch
takes the lock, settles the outcomes, lets scheduler and worker exchange their messages, and claims its next batch; one
that finds nothing to do waits for the bell. With zero threads the caller itself does the same until nothing is left to
do.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from restride.engine.blas import BlasLimit
from restride.engine.compute import run_claimed
from restride.engine.csr import Ints
from restride.engine.scheduler import SchedulerState
from restride.engine.submission import Callback, Submission
from restride.engine.worker import BATCH_SECONDS, Outcomes, WorkerState
from restride.errors import CancelledError, ClosedError, GraphError, InternalError, RestrideError

logger = logging.getLogger("restride")

REPORT_SECONDS = 5e-3
"""Completions are reported to the scheduler this often while there is work, and at once when there is none."""
REPORT_BYTES = 32 * 2**20
"""They are reported sooner when outputs of so many bytes have come, as what these set free is released only then."""
FINE_SECONDS = 2e-6
"""Tasks shorter than this are as fine as the engine's own work on them, all of it under the GIL: a second thread does
not help with them, it gets in the way, so it stands back."""
STAND_BACK_SECONDS = 5e-3
"""How long a thread that stands back trusts another's tasks to be as short as expected."""


@dataclass(frozen=True, slots=True)
class _Submit:
    submission: Submission
    nested: bool


@dataclass(frozen=True, slots=True)
class _Release:
    submission: Submission
    position: int | None


_Command = _Submit | _Release


class _Own(threading.local):
    """What each thread has for itself."""

    def __init__(self) -> None:
        self.outcomes = Outcomes()
        """Of what a compute thread has run since its last turn."""
        self.runs_task = False
        """Whether what the thread does is done by a task."""


class Embedded:
    """The engine in threads of this process.

    Parameters
    ----------
    threads : int
        Compute threads; with 0 the thread that submits also computes, before it goes on.
    horizon : float
        Seconds of work placed ahead a thread.
    validate : bool
        Check every invariant after every batch.
    """

    def __init__(self, threads: int, *, horizon: float, validate: bool) -> None:
        self.threads = threads
        self._horizon, self._validate = horizon, validate
        self._lock = threading.Lock()
        self._commands: deque[_Command] = deque()
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._idle = 0
        self._rung = 0
        """Idle threads that a busy one has woken and that have not come yet."""
        self._fine: set[int] = set()
        """Threads that run tasks too short to share."""
        self._standing_back = 0
        """Idle threads that leave such tasks to them."""
        self._turns = 0
        self._blas = BlasLimit()
        self._calls: list[Callback] = []
        """What to call once the lock is released."""
        self._own = _Own()
        self._blocked = 0
        self._closing = False
        self._numbers = 0
        self._alive: set[threading.Thread] = set()
        self._begin(first_id=0, lowest_id=0)
        for _ in range(threads):
            self._start_thread()

    def _begin(self, *, first_id: int, lowest_id: int) -> None:
        self.scheduler = SchedulerState(
            horizon=self._horizon, validate=self._validate, first_id=first_id, lowest_id=lowest_id
        )
        self.worker = WorkerState(max(self.threads, 1))
        self.scheduler.add_worker(max(self.threads, 1) + self._blocked)
        self._submissions: WeakValueDictionary[int, Submission] = WeakValueDictionary()
        self._reported = 0.0

    # ---- what a client may ask; from any thread, at any moment

    @property
    def runs_task_here(self) -> bool:
        """Whether the calling thread runs a task, so that what it submits is nested in that."""
        return self._own.runs_task

    def submit(self, submission: Submission) -> None:
        """Begin a computation; without threads, `compute_here` does."""
        self._command(_Submit(submission, self._own.runs_task))
        if self._closing:
            self._abandon(_closed())

    def release(self, submission: Submission, positions: int | None) -> None:
        """Let go of a wanted output, of all with None; what they alone needed is cancelled."""
        self._command(_Release(submission, positions))
        if self.threads == 0:
            self._release_here()

    def fetch(self, ids: Ints) -> list[Any]:
        """Outputs that exist and are held.

        Raises
        ------
        KeyError
            One is not here.
        """
        return self.worker.store.take(ids.tolist())

    def progress(self, base: int) -> int | None:
        """How many tasks of a job have ended; None once all have."""
        table = self.scheduler.tables.get(base)
        return None if table is None else table.ended

    @property
    def nbytes(self) -> int:
        """Bytes of all outputs held."""
        return self.worker.store.nbytes

    @contextmanager
    def blocking(self, over: Callable[[], bool]) -> Iterator[None]:
        """Around a wait for other tasks: a compute thread that waits has another one take its place.

        Parameters
        ----------
        over : callable
            Whether there is nothing to wait for any more. Without threads, whatever can be computed until then is.
        """
        if self.threads == 0 or not self._own.runs_task:
            self.compute_here(over)
            yield
            return
        with self._lock:
            self._settle(self._own.outcomes)  # it may be one of these that is waited for
            self._block(1)
            if len(self._alive) - self._blocked < self.threads and not self._closing:
                self._start_thread()
            elif self._idle:
                self._bell.put(None)
        try:
            yield
        finally:
            with self._lock:
                self._block(-1)

    def _block(self, change: int) -> None:
        """A task waits, or no longer: while it does, there is room for another."""
        self._blocked += change
        self.scheduler.loads.threads[0] += change

    def stop(self) -> None:
        """Tell the threads to end, after the tasks that they are at, without waiting for them."""
        self._closing = True
        self.worker.hungry = True
        for _ in range(len(self._alive)):
            self._bell.put(None)

    def close(self) -> None:
        """End the threads, after the tasks that they are at, and let go of all outputs."""
        self.stop()
        self._abandon(_closed())  # first, as a task may be waiting for another
        for thread in list(self._alive):
            if thread is not threading.current_thread():
                thread.join()

    # ---- the loop

    def _command(self, command: _Command) -> None:
        self._commands.append(command)
        if self._idle:  # a thread looks for commands once more after it has counted itself idle
            self._bell.put(None)

    def _start_thread(self) -> None:
        self._numbers += 1
        thread = threading.Thread(
            target=self._compute, args=(self._numbers,), name=f"restride-compute-{self._numbers}", daemon=True
        )
        self._alive.add(thread)
        thread.start()

    def _compute(self, number: int) -> None:
        """What a compute thread does."""
        insist = False
        outcomes = self._own.outcomes
        self._own.runs_task = True
        with self._lock:
            self._blas.enter()
        while not self._closing:
            with self._lock:
                claimed, calls = self._next(outcomes, number, insist=insist)
            while claimed or calls:
                _make(calls)
                if self._closing:
                    break
                self._run(claimed, outcomes)
                with self._lock:
                    claimed, calls = self._next(outcomes, number)
            if self._retires(number):
                return
            insist = self._wait_for_bell()
        with self._lock:
            self._end_thread()

    def _run(self, claimed: deque[int], outcomes: Outcomes) -> None:
        try:
            run_claimed(self.worker, claimed, outcomes)
        except Exception as error:  # noqa: BLE001  none of a task's, which are outcomes: the thread must not die of it
            with self._lock:
                self._fail(error)

    def _retires(self, number: int) -> bool:
        """Whether a thread that took a blocked one's place is not needed any more."""
        with self._lock:
            if len(self._alive) - self._blocked <= self.threads:
                return False
            self.worker.forget_thread(number)
            self._end_thread()
            return True

    def _end_thread(self) -> None:
        self._blas.leave()
        self._alive.discard(threading.current_thread())

    def _wait_for_bell(self) -> bool:
        """Wait until there may be something to do; whether a thread that stood back has done so for too long."""
        with self._lock:
            turns, standing_back = self._turns, bool(self._fine and self.worker.ready)
            self._blas.leave()
            self._idle += 1
            self._standing_back += standing_back
            self._tell_hungry()
        insist = False
        try:
            if standing_back:
                self._bell.get(timeout=STAND_BACK_SECONDS)
            elif not self._commands and not self.worker.ready and not self._closing:
                self._bell.get()
        except Empty:
            insist = self._turns == turns
        with self._lock:
            self._blas.enter()
            self._idle -= 1
            self._standing_back -= standing_back
            self._rung = max(self._rung - 1, 0)
            self._tell_hungry()
        return insist

    def _tell_hungry(self) -> None:
        self.worker.hungry = self._closing or self._idle - self._standing_back > self._rung

    def compute_here(self, over: Callable[[], bool]) -> None:
        """Without threads: compute in the calling thread whatever can be computed, until `over` says so.

        Raises
        ------
        KeyboardInterrupt
            A task was interrupted, and `over` does not say so.
        """
        if self.threads:
            return
        outcomes = self._own.outcomes  # of a task that waits here, too: it may be one of these that it waits for
        if self._own.runs_task:
            with self._lock:
                self.worker.unclaim(0)  # what the task submits comes before those
        while True:
            interrupts = [error for *_, error in outcomes.failures if isinstance(error, KeyboardInterrupt)]
            try:
                with self._lock:
                    claimed, calls = self._next(outcomes, 0)
            except KeyboardInterrupt:  # the state machines may be half changed: begin with new ones
                self._abandon(CancelledError("the computation was interrupted"))
                raise
            _make(calls)
            if over() or not (claimed or self._commands):
                return
            if interrupts:
                raise interrupts[0]
            outer, self._own.runs_task = self._own.runs_task, True
            try:
                run_claimed(self.worker, claimed, outcomes)
            finally:
                self._own.runs_task = outer

    def _release_here(self) -> None:
        """Carry out releases in the calling thread, which may be in a destructor: nothing is computed or waited for.

        Where another turn is under way, or a computation stands before them, whoever is at that will see to them.
        """
        left = True
        while left and self._commands and self._lock.acquire(blocking=False):
            try:
                left = self._carry_out(releases_alone=True)
            finally:
                self._lock.release()

    # ---- one turn, under the lock

    def _next(self, outcomes: Outcomes, thread: int, *, insist: bool = False) -> tuple[deque[int], list[Callback]]:
        """Take in what a thread has done; what it is to run next, and what to call before that."""
        try:
            self._settle(outcomes)
            exchanged = self._exchange_is_due()
            if exchanged:
                self._exchange()
            claimed, seconds = self._claim(thread, insist=insist)
            if seconds >= BATCH_SECONDS and not exchanged and self._is_awaited():
                self._exchange()
        except Exception as error:  # noqa: BLE001  of ours: who waits must hear of it
            self._fail(error)
            claimed = deque()
        calls, self._calls = self._calls, []
        return claimed, calls

    def _settle(self, outcomes: Outcomes) -> None:
        self.worker.settle(outcomes)
        outcomes.clear()  # no thread that waits may keep an output alive

    def _claim(self, thread: int, *, insist: bool) -> tuple[deque[int], float]:
        self._turns += 1
        self._fine.discard(thread)
        claimed, seconds = self.worker.claim(thread)
        fine = seconds < FINE_SECONDS
        if fine and self._fine and not insist:
            self.worker.unclaim(thread)
        elif fine:
            self._fine.add(thread)
        elif self.worker.ready and self._idle > self._rung:
            self._rung += 1
            self._tell_hungry()
            self._bell.put(None)
        return claimed, seconds

    def _exchange_is_due(self) -> bool:
        if self._commands or not self.worker.ready or (self.threads == 0 and self.worker.has_failures):
            return True
        return perf_counter() - self._reported > REPORT_SECONDS or self.worker.unreported_nbytes > REPORT_BYTES

    def _is_awaited(self) -> bool:
        """Whether a client would have to wait for the next task to end before it hears of one that has ended."""
        return self.scheduler.any_held(self.worker.unreported())

    def _exchange(self) -> None:
        """Let scheduler and worker hear of each other, and of the client's commands."""
        worker, scheduler = self.worker, self.scheduler
        finished, failed = worker.reports()
        if finished is not None:
            scheduler.finished(0, finished)
        for failure in failed:
            scheduler.failed(0, failure)
        self._carry_out()
        self._reported = perf_counter()

    def _carry_out(self, *, releases_alone: bool = False) -> bool:
        """Carry out the commands that wait, and pass on what comes of it; whether all were carried out."""
        worker = self.worker
        all_done = self._obey(releases_alone=releases_alone)
        to_workers, to_clients = self.scheduler.effects()
        for _, order in to_workers:
            worker.receive(order)
        if self._validate:
            worker.audit()
        for _, news in to_clients:
            submission = self._submissions.get(news.job)
            if submission is not None:
                self._calls += submission.hear(news)
        return all_done

    def _obey(self, *, releases_alone: bool) -> bool:
        """Carry out the commands that wait; releases that stand together in one batch."""
        released: list[Ints] = []
        while self._commands:
            match self._commands[0]:  # which stays until it is carried out, so that a failure reaches who waits for it
                case _Submit(submission, nested):
                    if releases_alone:
                        break
                    self._release(released)
                    self._accept(submission, nested=nested)
                case _Release(submission, position):
                    if submission.base is not None:
                        released.append(submission.ids() if position is None else np.array([submission.id(position)]))
            self._commands.popleft()
        self._release(released)
        return not self._commands

    def _accept(self, submission: Submission, *, nested: bool) -> None:
        try:
            base = self.scheduler.submit(submission.job(), 0, submission.input_ids(), nested=nested)
        except GraphError as error:
            self._calls += submission.abandon(error)
            return
        submission.accepted(base)
        self._submissions[base] = submission

    def _release(self, ids: list[Ints]) -> None:
        if ids:
            self.scheduler.release(np.concatenate(ids))
            ids.clear()

    def _fail(self, error: Exception) -> None:
        logger.error("the engine has failed, and begins anew", exc_info=error)
        self._begin_anew(
            InternalError(f"the engine has failed ({error!r}); this is a bug in restride, please report it")
        )

    def _begin_anew(self, why: RestrideError) -> None:
        """Give up all that is under way, and begin with new state machines."""
        submissions = list(self._submissions.values())
        submissions += [command.submission for command in self._commands if isinstance(command, _Submit)]
        self._commands.clear()
        self._begin(first_id=self.scheduler.next_id, lowest_id=self.scheduler.lowest_id)
        for submission in submissions:
            self._calls += submission.abandon(why)

    # ---- outside of the lock

    def _abandon(self, why: RestrideError) -> None:
        with self._lock:
            self._begin_anew(why)
            calls, self._calls = self._calls, []
        _make(calls)


def _make(calls: list[Callback]) -> None:
    for call in calls:
        call()


def _closed() -> ClosedError:
    return ClosedError("the client was closed before the result came")
