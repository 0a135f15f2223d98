"""What a worker has to say, and when: answers to whoever asked for outputs, requests for inputs, reports.

Answers and requests leave at once, as others wait for them. Reports leave at once where a client wants to hear of it,
or where there was nothing to say for a while; else a report waits for others, as each costs the scheduler some time.
What takes long, such as pickling, or may run a user's code, is left to be called outside of the worker's lock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np

from restride.engine.messages import (
    Failed,
    Fetch,
    Finished,
    Outputs,
    PackedFailure,
    Undeliverable,
    Withdraw,
)
from restride.engine.serialize import dump_exception, dump_value, dump_values
from restride.engine.wire.connection import Connection
from restride.engine.worker.claims import LONG_SECONDS
from restride.engine.worker.compute_threads import Call
from restride.engine.worker.sizes import size_of
from restride.engine.worker.state import WorkerState
from restride.errors import SerializationError, WireError

logger = logging.getLogger("restride.worker")

REPORT_SECONDS = 50e-3
"""Reports that nobody waits for are this far apart: each costs the scheduler about 0.2 ms, however short it is."""
REPORT_TASKS = 8192
"""They come sooner when so many tasks have ended, long before a worker has run all that it may have before it."""
REPORT_BYTES = 16 * 2**20
"""They come sooner when outputs of so many bytes have come, as what these set free is released only then."""
RESULT_BYTES = 4096
"""Pickles up to so long go along with the report."""
ANSWER_BYTES = 64 * 2**20
"""What goes into one message of outputs, unless it is a single one that is larger."""

Send = Callable[[Any], None]
SendTo = Callable[[int, Any], None]


class Outgoing:
    """Collects what is to be said, as the employer of the compute threads.

    Parameters
    ----------
    worker : WorkerState
    to_scheduler : callable
        Sends a message, from any thread.
    to_worker : callable
        Sends a message to the worker of a number, from any thread.
    on_fault : callable
        Called with what the engine itself has raised.
    """

    def __init__(
        self, worker: WorkerState, to_scheduler: Send, to_worker: SendTo, on_fault: Callable[[Exception], None]
    ) -> None:
        self._worker = worker
        self._to_scheduler, self._to_worker, self._on_fault = to_scheduler, to_worker, on_fault
        self._calls: list[Call] = []
        self._reported = 0.0

    # ---- under the worker's lock

    def has_news(self) -> bool:
        """Messages are taken in by the loop's thread, before it wakes anybody."""
        return False

    def exchange_if_due(self) -> bool:
        """Collect answers, requests, and a report where it is time for one."""
        self._collect()
        worker = self._worker
        due = worker.has_unreported and (
            worker.has_failures
            or (worker.wanted_unreported and not worker.ready)
            or not worker.tasks
            or perf_counter() - self._reported > REPORT_SECONDS
            or worker.unreported_tasks > REPORT_TASKS
            or worker.unreported_nbytes > REPORT_BYTES
        )
        if due:
            self._report()
        return due

    def exchange_before(self, seconds: float) -> None:
        """Report before tasks that take long, or as long as that is not known, if somebody wants to hear of it."""
        worker = self._worker
        if worker.has_unreported and (worker.wanted_unreported or seconds > LONG_SECONDS):
            self._report()

    def exchange_amid_tasks(self) -> None:
        """The same as at any time."""
        self.exchange_if_due()

    def take_calls(self) -> list[Call]:
        """What is to be called once the lock is released."""
        calls, self._calls = self._calls, []
        return calls

    def count_blocked(self, change: int) -> None:
        """The scheduler places nested jobs beside the others anyway."""

    def fail(self, error: Exception) -> None:
        """A worker that contradicts itself is of no more use."""
        self._on_fault(error)

    def interrupted(self) -> None:
        """Only whoever runs the loop in its own thread can be; nothing here is half done then."""

    def _collect(self) -> None:
        worker = self._worker
        for peer, ids, values in worker.answers():
            assert isinstance(peer, Connection)
            self._calls.append(partial(_answer, peer, ids, values))
        # Under the lock, as a withdrawal that overtakes a later request would leave that without an answer.
        for number, ids in worker.copies.withdrawals().items():
            self._to_worker(number, Withdraw(np.array(ids)))
        for number, ids in worker.copies.requests().items():
            self._to_worker(number, Fetch(np.array(ids)))
        for reply in worker.replies():
            self._calls.append(partial(self._to_scheduler, reply))

    def _report(self) -> None:
        finished, failed = self._worker.reports()
        small = self._worker.small_results()
        self._calls.append(partial(self._send_report, finished, failed, small))
        self._reported = perf_counter()

    # ---- outside of it

    def _send_report(
        self, finished: Finished | None, failed: Sequence[Failed], small: Sequence[tuple[int, Any]]
    ) -> None:
        failures = [_packed(failure) for failure in failed]
        if finished is not None:
            if small:
                finished, unpicklable = _with_results(finished, small)
                failures += unpicklable
            if len(finished.ids):
                self._to_scheduler(finished)
        for failure in failures:
            self._to_scheduler(failure)


def _packed(failure: Failed) -> PackedFailure:
    exception = failure.exception
    if isinstance(exception, BaseException):  # otherwise another worker has packed it
        exception = dump_exception(exception, failure.traceback)
    return PackedFailure(failure.id, failure.attempt, exception)


def _with_results(finished: Finished, small: Sequence[tuple[int, Any]]) -> tuple[Finished, list[PackedFailure]]:
    """The report with small outputs in it; tasks whose outputs cannot be pickled have failed instead."""
    ids: list[int] = []
    results: list[bytes] = []
    failures = []
    for id, value in small:
        try:
            result = dump_value(value)
        except SerializationError as error:
            attempt = int(finished.attempts[np.flatnonzero(finished.ids == id)[0]])
            failures.append(PackedFailure(id, attempt, dump_exception(error)))
            continue
        if len(result) <= RESULT_BYTES:
            ids.append(id)
            results.append(result)
    if failures:
        kept = ~np.isin(finished.ids, [failure.id for failure in failures])
        finished = Finished(finished.ids[kept], finished.attempts[kept], finished.nbytes[kept], finished.seconds[kept])
    return replace(finished, result_ids=np.array(ids, np.int64), results=results), failures


def _answer(connection: Connection, ids: list[int], values: list[Any]) -> None:
    """Send outputs; what cannot be sent is said to be so, by itself."""
    for start, stop in _parts(values):
        try:
            head, buffers = dump_values(values[start:stop])
            connection.send(Outputs(np.array(ids[start:stop]), head, buffers))
        except (SerializationError, WireError) as error:
            if stop - start > 1:
                for at in range(start, stop):
                    _answer(connection, ids[at : at + 1], values[at : at + 1])
                continue
            logger.warning("the output of task %d cannot be sent to %s: %s", ids[start], connection.peer, error)
            connection.send(Undeliverable(ids[start], dump_exception(error)))


def _parts(values: Sequence[Any]) -> Iterator[tuple[int, int]]:
    """Where to cut so that no message gets too large, as far as it is known."""
    start = nbytes = 0
    for stop, value in enumerate(values):
        if nbytes > ANSWER_BYTES:
            yield start, stop
            start, nbytes = stop, 0
        size = size_of(value)
        nbytes += size if type(size) is int else size[0]  # type: ignore[index]
    yield start, len(values)
