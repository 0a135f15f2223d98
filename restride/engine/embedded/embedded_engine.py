"""The engine in one process: scheduler, one worker and compute threads, with nothing to start and nothing serialised.

The compute threads drive everything. Callers leave commands and ring a bell; they never touch the state machines, so a
Ctrl-C in the caller, or a destructor at any moment, cannot break those off halfway. A thread that has run its batch
lets scheduler and worker exchange their messages (`worker.compute_threads`). With zero threads the caller
itself does the same until nothing is left to do.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary, ref

import numpy as np

from restride.engine.client.failure import Raised
from restride.engine.client.submission import Callback, Submission
from restride.engine.embedded.same_process import SameProcess
from restride.engine.graphs.csr import Ints
from restride.engine.memory import SPARE_BYTES_ALONE, SpareMemory, keep_freed_memory
from restride.engine.messages import Deliver, Failed, Unneeded
from restride.engine.scheduler.numbering import Numbering
from restride.engine.scheduler.state import SchedulerState
from restride.engine.worker.compute_threads import ComputeThreads, make_calls
from restride.engine.worker.state import WorkerState
from restride.errors import CancelledError, ClosedError, GraphError, InternalError, RestrideError

if TYPE_CHECKING:
    from restride.engine.client.futures import Future

logger = logging.getLogger("restride")

REPORT_SECONDS = 5e-3
"""Completions are reported to the scheduler this often while there is work, and at once when there is none."""
REPORT_BYTES = 16 * 2**20
"""They are reported sooner when outputs of so many bytes have come, as what these set free is released only then."""


@dataclass(frozen=True, slots=True)
class _Submit:
    submission: Submission
    nested: bool


@dataclass(frozen=True, slots=True)
class _Release:
    submission: Submission
    position: int | Sequence[int] | None


_Command = _Submit | _Release


class Embedded(SameProcess):
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
        super().__init__()
        keep_freed_memory()
        self.threads = threads
        self._horizon, self._validate = horizon, validate
        self._commands: deque[_Command] = deque()
        self._calls: list[Callback] = []
        """What to call once the lock is released."""
        self._spare = SpareMemory(SPARE_BYTES_ALONE)
        self._closing = False
        self._compute = ComputeThreads(self, WorkerState(max(threads, 1)), threads)
        self._begin(Numbering())
        self._compute.start()

    def _begin(self, numbering: Numbering) -> None:
        self.scheduler = SchedulerState(horizon=self._horizon, validate=self._validate, numbering=numbering)
        self._compute.work_on(WorkerState(max(self.threads, 1)))
        self.scheduler.add_worker(max(self.threads, 1) + self._compute.blocked)
        self._submissions: WeakValueDictionary[int, Submission] = WeakValueDictionary()
        self._inputs: list[Future] = []
        """Of computations that have just begun, until these have heard which of them had failed, and of what."""
        self._reported = 0.0

    @property
    def worker(self) -> WorkerState:
        """The one worker."""
        return self._compute.worker

    # ---- what a client may ask; from any thread, at any moment

    @property
    def runs_task_here(self) -> bool:
        """Whether the calling thread runs a task, so that what it submits is nested in that."""
        return self._compute.runs_task_here

    def submit(self, submission: Submission) -> None:
        """Begin a computation; without threads, `compute_here` does."""
        self._command(_Submit(submission, self._compute.runs_task_here))
        if self._closing:
            self._abandon(_closed())

    def release(self, submission: Submission, position: int | Sequence[int] | None) -> None:
        """Let go of a wanted output, or several, of all with None; what they alone needed is cancelled."""
        self._command(_Release(submission, position))
        if self.threads == 0:
            self._release_here()

    def cancel(self, submission: Submission, position: int | Sequence[int] | None) -> None:
        """As `release`, before another task begins: a thread cannot be stopped in its task."""
        self.release(submission, position)
        self._compute.cut_in()

    def fetch(self, submission: Submission, positions: Sequence[int], deadline: float | None = None) -> list[Any]:
        """Outputs that exist and are held; there is nothing to wait for.

        Raises
        ------
        KeyError
            One is not here.
        """
        return self.worker.store.take(submission.ids(positions).tolist())

    def progress(self, base: int) -> int | None:
        """How many tasks of a job have ended; None once all have."""
        table = self.scheduler.tables.get(base)
        return None if table is None else table.ended

    @property
    def nbytes(self) -> int:
        """Bytes of all outputs held."""
        return self.worker.store.nbytes

    def blocking(self, over: Callable[[], bool], timeout: float | None = None) -> AbstractContextManager[None]:
        """Around a wait for other tasks: see `ComputeThreads.blocking`."""
        return self._compute.blocking(over)

    def compute_here(self, over: Callable[[], bool]) -> None:
        """Without threads: compute in the calling thread; see `ComputeThreads.compute_here`."""
        self._compute.compute_here(over)

    def stop(self) -> None:
        """Tell the threads to end, after the tasks that they are at, without waiting for them."""
        self._closing = True
        self._compute.stop()

    def close(self) -> None:
        """End the threads, after the tasks that they are at, and let go of all outputs."""
        self.stop()
        self._abandon(_closed())  # first, as a task may be waiting for another
        self._compute.join()

    # ---- the loop

    def _command(self, command: _Command) -> None:
        self._commands.append(command)
        self._compute.wake()

    def _release_here(self) -> None:
        """Carry out releases in the calling thread, which may be in a destructor: nothing is computed or waited for.

        Where another turn is under way, or a computation stands before them, whoever is at that will see to them.
        """
        left = True
        while left and self._commands and self._compute.lock.acquire(blocking=False):
            try:
                left = self._carry_out(releases_alone=True)
            finally:
                self._compute.lock.release()

    # ---- for the compute threads, under the lock

    def has_news(self) -> bool:
        """Whether commands wait."""
        return bool(self._commands)

    def exchange_if_due(self) -> bool:
        """Let scheduler and worker exchange messages, where it is time."""
        due = (
            bool(self._commands)
            or not self.worker.ready
            or (self.threads == 0 and self.worker.has_failures)
            or perf_counter() - self._reported > REPORT_SECONDS
            or self.worker.unreported_nbytes > REPORT_BYTES
        )
        if due:
            self._exchange()
        return due

    def exchange_before(self, seconds: float) -> None:
        """Do so where a client would have to wait for the next task to end before it hears of one that has ended."""
        if self.scheduler.any_held(self.worker.unreported()):
            self._exchange()

    def exchange_amid_tasks(self) -> None:
        """Report, and release; what is submitted waits for a thread that can run it, and for what else is submitted."""
        if self.worker.has_unreported or (self._commands and isinstance(self._commands[0], _Release)):
            self._exchange(releases_alone=True)

    def take_calls(self) -> list[Callback]:
        """Callbacks of those who wait for outputs."""
        calls, self._calls = self._calls, []
        return calls

    def count_blocked(self, change: int) -> None:
        """There is room for so many more tasks."""
        self.scheduler.loads.threads[0] += change

    def fail(self, error: Exception) -> None:
        """Begin anew; who waits must hear of it."""
        logger.error("the engine has failed, and begins anew", exc_info=error)
        self._begin_anew(
            InternalError(f"the engine has failed ({error!r}); this is a bug in restride, please report it")
        )

    def interrupted(self) -> None:
        """The state machines may be half changed: begin with new ones."""
        self._abandon(CancelledError("the computation was interrupted"))

    def _exchange(self, *, releases_alone: bool = False) -> None:
        """Let scheduler and worker hear of each other, and of the client's commands."""
        worker, scheduler = self.worker, self.scheduler
        finished, failed = worker.reports()
        if finished is not None:
            scheduler.finished(0, finished)
        raised = [Raised(failure.exception, failure.traceback) for failure in failed]  # until clients have heard of it
        for failure, what in zip(failed, raised):
            scheduler.failed(0, Failed(failure.id, failure.attempt, ref(what), None))
        self._carry_out(releases_alone=releases_alone)
        self._reported = perf_counter()
        if self._spare.due:
            self._calls.append(self._spare.look)

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
            assert not isinstance(news, (Deliver, Unneeded))  # nothing has to travel here
            submission = self._submissions.get(news.job)
            if submission is not None:
                self._calls += submission.hear(news)
        self._inputs.clear()
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
                        released.append(submission.ids([position] if isinstance(position, int) else position))
            self._commands.popleft()
        self._release(released)
        return not self._commands

    def _accept(self, submission: Submission, *, nested: bool) -> None:
        try:
            base = self.scheduler.submit(
                submission.job(), 0, submission.input_ids(), nested=nested, options=submission.options
            )
        except GraphError as error:
            self._calls += submission.abandon(error)
            return
        self._inputs += submission.accepted(base)
        self._submissions[base] = submission

    def _release(self, ids: list[Ints]) -> None:
        if ids:
            self.scheduler.release(np.concatenate(ids))
            ids.clear()

    def _begin_anew(self, why: RestrideError) -> None:
        """Give up all that is under way, and begin with new state machines."""
        submissions = list(self._submissions.values())
        submissions += [command.submission for command in self._commands if isinstance(command, _Submit)]
        self._commands.clear()
        self._begin(self.scheduler.numbering)
        for submission in submissions:
            self._calls += submission.abandon(why)

    # ---- outside of the lock

    def _abandon(self, why: RestrideError) -> None:
        with self._compute.lock:
            self._begin_anew(why)
            calls = self.take_calls()
        make_calls(calls)


def _closed() -> ClosedError:
    return ClosedError("the client was closed before the result came")
