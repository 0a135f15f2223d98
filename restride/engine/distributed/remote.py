"""The client's side of a cluster: computations go to a scheduler, results come from it or from the workers themselves.

All sending is done by one event loop. Callers leave commands and wake it once; so neither a Ctrl-C in a caller nor a
destructor at any moment can break a message off halfway. Results are unpickled by who asks for them.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any, Protocol

import numpy as np

from restride.config import Settings
from restride.engine.client.futures import raise_failure
from restride.engine.client.submission import Callback, OutputState, Submission
from restride.engine.client.waiting import Over
from restride.engine.distributed.callbacks import CallbackThread
from restride.engine.distributed.fetching import Fetching, Gathering
from restride.engine.distributed.loops import LoopRunner, LoopThread
from restride.engine.distributed.remote_requests import RemoteRequests
from restride.engine.distributed.scattering import Scattering
from restride.engine.distributed.submitting import Begin, LetGo, Submitting
from restride.engine.graphs.options import Options
from restride.engine.graphs.packing import pack
from restride.engine.messages import (
    Accepted,
    Deliver,
    Done,
    PackedBroken,
    Rejected,
    Reply,
    Undone,
    Unneeded,
    Workers,
)
from restride.engine.serialize import load_exception, load_value
from restride.engine.versions import check_versions, versions
from restride.engine.wire.address import host_id
from restride.engine.wire.security import Security
from restride.engine.wire.session import Session
from restride.errors import CancelledError, ClosedError, ConnectError, RestrideError, WaitTimeoutError, WireError

logger = logging.getLogger("restride.client")

SECONDS_TO_STOP = 0.5
"""How long a program that ends waits for its goodbye to be said."""


class Nesting(Protocol):
    """What a client asks of the worker whose tasks use it."""

    @property
    def runs_task_here(self) -> bool:
        """Whether the calling thread runs a task."""

    def blocking(self, over: Callable[[], bool]) -> contextlib.AbstractContextManager[None]:
        """Around a wait, so that a task that waits frees its thread."""


class Owned(Protocol):
    """A cluster that ends with its client."""

    def close(self) -> None:
        """End."""


class RemoteEngine(RemoteRequests):
    """The engine in other processes.

    Parameters
    ----------
    address : str
        Of the scheduler.
    security : Security
    settings : Settings
    nested_in : Nesting, optional
        The worker of this process, where its tasks use this engine.
    timeout : float, optional
        Seconds to wait for the first connection; by default the setting ``comm.connect_timeout``.
    cluster : Owned, optional
        To be closed with this engine.
    runner : LoopRunner, optional
        What runs the event loop; by default a thread.

    Raises
    ------
    ConnectError
        Nobody answers at the address.
    VersionError
        The workers run versions that do not go together with this process's.
    """

    packs = True

    def __init__(
        self,
        address: str,
        security: Security,
        *,
        settings: Settings,
        nested_in: Nesting | None = None,
        timeout: float | None = None,
        cluster: Owned | None = None,
        runner: LoopRunner | None = None,
    ) -> None:
        super().__init__()
        self.where = address
        self._nested_in = nested_in
        self._cluster = cluster
        self._process = os.getpid()
        self._over: RestrideError | None = None
        """Why nothing can be done any more."""
        self._session: Session | None = None
        hello = {"host": host_id(), "name": f"{socket.gethostname()}-{os.getpid()}", "versions": dict(versions())}
        self._fetching = Fetching(security, {**hello, "role": "peer"}, settings, self._heard)
        self._scattering = Scattering(security, {**hello, "role": "peer"}, settings, self._send)
        self._callbacks = CallbackThread()
        self._runner = runner if runner is not None else LoopThread("restride-client")
        self._submitting = Submitting(self._runner, self._send)
        try:
            self._session = self._runner.run(
                Session.open(
                    address,
                    security,
                    {**hello, "role": "client", "nested": nested_in is not None},
                    settings,
                    on_message=self._receive,
                    on_lost=self._lost,
                    timeout=timeout,
                )
            )
            if nested_in is None:
                self._check_versions()
        except BaseException:
            self.close()
            raise

    @property
    def summary(self) -> str:
        """How many workers there are, in words; or what is wrong."""
        workers = self._fetching.workers
        return str(self._over) if self._over is not None else f"{workers} worker{'s' * (workers != 1)}"

    def _check_versions(self) -> None:
        for name, worker in self.info()["workers"].items():
            check_versions(worker["versions"] or {}, f"worker {name!r} of {self.where}")

    # ---- computations; from any thread

    @property
    def runs_task_here(self) -> bool:
        """Whether the calling thread runs a task, so that what it submits is nested in that."""
        return self._nested_in is not None and self._nested_in.runs_task_here

    def check(self, options: Options) -> None:
        """Any options can be had: a worker that fits, and that there is not yet, is waited for."""

    def submit(self, submission: Submission) -> None:
        """Begin a computation.

        Raises
        ------
        SerializationError
            Something in it cannot be pickled.
        """
        if self._over is not None:
            raise self._over
        nested = self.runs_task_here
        packed = None if submission.grows else pack(submission.job(), submission.options, nested=nested)
        self._submitting.leave(Begin(submission, nested, packed))

    def release(self, submission: Submission, position: int | Sequence[int] | None) -> None:
        """Let go of a wanted output, or several, of all with None; what they alone needed does not begin any more."""
        self._submitting.leave(LetGo(submission, position, cancel=False))

    def cancel(self, submission: Submission, position: int | Sequence[int] | None) -> None:
        """As `release`, but tasks that run and are needed by nothing else end, too, or their workers are replaced."""
        self._submitting.leave(LetGo(submission, position, cancel=True))

    def compute_here(self, over: Callable[[], bool]) -> None:
        """Nothing is computed by who calls."""

    def call_back(self, call: Callback) -> None:
        """Call what a user wants to be called, in a thread for that."""
        self._callbacks.call(call)

    def hurry(self) -> None:
        """Somebody waits: send what has been submitted, rather than wait for more of it."""
        self._submitting.hurry()

    @contextmanager
    def blocking(self, over: Callable[[], bool], timeout: float | None = None) -> Iterator[None]:
        """Around a wait that ends when `over` says so, or after so many seconds."""
        self.hurry()
        if self._nested_in is not None and self._nested_in.runs_task_here:
            with self._nested_in.blocking(over):
                yield
            return
        self._runner.run_until(over, timeout)
        yield

    def _wait(self, over: Over, deadline: float | None) -> bool:
        with self.blocking(over.is_set, _left(deadline)):
            return over.wait_until(deadline)

    # ---- results

    def is_here(self, submission: Submission, position: int) -> bool:
        """Whether an output that has come can be had without waiting."""
        return submission.has_value(position) or submission.state(position) != OutputState.DONE

    def fetch(self, submission: Submission, positions: Sequence[int], deadline: float | None = None) -> list[Any]:
        """Outputs that have come, from whoever holds them; those that are lost meanwhile are computed again.

        Raises
        ------
        WaitTimeoutError
            They were not here by the deadline.
        ConnectError
            The worker that holds one cannot be reached.
        SerializationError
            One of them cannot be pickled.
        """
        values: dict[int, Any] = {}
        left = list(positions)
        while True:
            if not submission.succeeded:
                self._wait_until_done(submission, left, deadline)
            here, away = submission.values(left, load_value)
            values.update(here)
            if not away:
                return [values[position] for position in positions]
            left = self._gather(submission, away, values, deadline)

    def _wait_until_done(self, submission: Submission, positions: Sequence[int], deadline: float | None) -> None:
        """Wait for outputs, which may have been lost since they came; raise where they cannot come again."""
        for position in positions:
            if submission.state(position) == OutputState.PENDING:
                ended = Over()
                submission.call_when_done(position, ended.set)
                if not self._wait(ended, deadline):
                    submission.no_longer_call(position, ended.set)
                    raise WaitTimeoutError("the result was lost with its worker, and did not come again in time")
            state = submission.state(position)
            if state == OutputState.FAILED:
                raise_failure(submission.failure(position))
            if state == OutputState.CANCELLED:
                raise submission.abandoned or CancelledError("the computation was cancelled")

    def _gather(
        self, submission: Submission, positions: Sequence[int], values: dict[int, Any], deadline: float | None
    ) -> list[int]:
        """Ask for outputs and wait for them, or until something comes in between; the positions that have not come."""
        if self._over is not None:
            raise ClosedError(f"the result is gone: {self._over}; take results before closing a client")
        ids = submission.ids(positions).tolist()
        gathering = Gathering(ids)
        self._submitting.leave(lambda: self._begin_gathering(gathering, submission, positions))
        try:
            if not self._wait(gathering.over, deadline):
                raise WaitTimeoutError("the result did not arrive in time; it stays where it is")
        finally:
            if not gathering.complete:
                self._submitting.leave(lambda: self._fetching.give_up(gathering))
        if gathering.undeliverable is not None:
            raise load_exception(gathering.undeliverable)
        if gathering.error is not None:
            raise gathering.error
        found = gathering.values()
        values.update((position, found[id]) for position, id in zip(positions, ids) if id in found)
        return [position for position, id in zip(positions, ids) if id not in found]

    def _begin_gathering(self, gathering: Gathering, submission: Submission, positions: Sequence[int]) -> None:
        assert submission.homes is not None
        self._fetching.want(gathering, submission.homes[np.asarray(positions, np.int64)])
        if self._over is not None or any(submission.state(position) > OutputState.DONE for position in positions):
            gathering.over.set()

    # ---- in the loop

    def _send(self, message: Any) -> None:
        if self._session is not None:
            self._session.send(message)

    def _leave(self, command: Callable[[], object]) -> None:
        if self._over is not None:
            raise self._over
        self._submitting.leave(command)

    def _adopt(self, submission: Submission) -> None:
        self._submitting.adopt(submission)

    def _receive(self, session: Session, message: Any) -> None:
        match message:
            case Done() | PackedBroken() | Undone():
                self._hear(message)
            case Accepted():
                if message.warning:
                    logger.warning("%s", message.warning)
                self._scattering.accepted(self._submitting.accepted(message))
            case Rejected():
                self._submitting.rejected(message)
            case Reply():
                self.replied(message)
            case Workers():
                self._fetching.heard_of_workers(message)
                self._scattering.heard_of_workers(message)
            case Deliver():
                self._scattering.deliver(message)
            case Unneeded():
                self._scattering.unneeded(message)
            case _:
                raise WireError(f"a scheduler sent {type(message).__name__}, which is not for a client")
        self._heard()

    def _hear(self, message: Done | PackedBroken | Undone) -> None:
        calls = self._submitting.hear(message)
        match message:
            case Done():
                self._fetching.done(message.ids, message.workers)
                self._scattering.done(message.ids)
            case PackedBroken():
                self._fetching.interrupt(message.ids.tolist())
        for call in calls:
            call()

    def _heard(self) -> None:
        self._runner.news()

    # ---- its end

    def stop(self) -> None:
        """End, without waiting for more than a moment; the cluster that it owns ends by itself."""
        if self._process == os.getpid():
            self._over = self._over or _closed()
            self._runner.stop(self._end, SECONDS_TO_STOP)
            self._callbacks.close(wait=False)

    def close(self) -> None:
        """End, and wait for it; pending computations are cancelled."""
        self._over = self._over or _closed()
        self._runner.run(self._end())
        self._callbacks.close()
        self._runner.end()
        if self._cluster is not None:
            self._cluster.close()

    async def _end(self) -> None:
        assert self._over is not None
        self._give_up(self._over)
        await self._fetching.close()
        await self._scattering.close()
        if self._session is not None:
            self._session.close()
            await self._session.wait_closed()

    def _lost(self, session: Session, reason: str | None) -> None:
        if reason is None:
            why: RestrideError = ClosedError(f"the scheduler at {self.where} has ended")
        else:
            why = ConnectError(f"the scheduler at {self.where} was lost: {reason}")
            logger.error("%s", why)
        self._over = self._over or why
        self._give_up(self._over)
        self._heard()

    def _give_up(self, why: RestrideError) -> None:
        """Nothing will come any more: whoever waits hears of it."""
        calls = self._submitting.abandon(why)
        self._fail_requests(why)
        self._fetching.interrupt_all()
        self._scattering.give_up()
        for call in calls:
            call()


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(deadline - monotonic(), 0.0)


def _closed() -> ClosedError:
    return ClosedError("the client was closed before the result came")
