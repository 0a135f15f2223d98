"""What a client asks a scheduler for beside computing; each question has one answer, and whoever asks waits for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from restride.engine.client.futures import wait as wait_for
from restride.engine.client.info import Info
from restride.engine.client.published import dump_published, load_published
from restride.engine.client.submission import Submission
from restride.engine.client.waiting import Over
from restride.engine.messages import Blob, Reply, Request
from restride.engine.serialize import dump_function, load_exception, load_value
from restride.engine.versions import versions
from restride.errors import RestrideError, WaitTimeoutError

if TYPE_CHECKING:
    from restride.engine.client.futures import Future


PATIENCE = 1.0
"""Seconds to wait for an answer that is only to be shown."""


@dataclass(eq=False, slots=True)
class _Asked:
    """A question that has not been answered."""

    take: Callable[[Reply], object] | None
    """In the loop: takes in the answer before any later news."""
    over: Over = field(default_factory=Over)
    reply: Reply | None = None
    error: RestrideError | None = None


class RemoteRequests:
    """Part of `RemoteEngine`: the questions."""

    where: str

    def __init__(self) -> None:
        self._asked: dict[int, _Asked] = {}
        self._numbers = count()
        self._nbytes = 0
        self._progress: dict[int, int | None] = {}

    # ---- what the engine has for this

    def _leave(self, command: Callable[[], object]) -> None:
        """Have something called in the loop, again and again for as long as it returns False."""
        raise NotImplementedError

    def _send(self, message: Request) -> None:
        """In the loop: send to the scheduler."""
        raise NotImplementedError

    def _wait(self, over: Over, deadline: float | None) -> bool:
        raise NotImplementedError

    def _adopt(self, submission: Submission) -> None:
        raise NotImplementedError

    # ---- asking

    def _request(
        self,
        what: str,
        arguments: Mapping[str, Any] | Callable[[], Mapping[str, Any] | None],
        blob: Blob = b"",
        *,
        deadline: float | None = None,
        take: Callable[[Reply], object] | None = None,
    ) -> Reply:
        """Ask, and wait for the answer.

        Parameters
        ----------
        what : str
        arguments : mapping of str to plain values, or callable
            One that is called in the loop until it returns such; None where they are not known yet.
        blob : bytes
        deadline : float, optional
            By `time.monotonic`.
        take : callable, optional
            Called in the loop with the answer, before any later news is heard.

        Raises
        ------
        WaitTimeoutError
            It did not come by the deadline.
        ValueError
            There is none, in the scheduler's words.
        """
        asked = _Asked(take)
        number = next(self._numbers)
        self._asked[number] = asked

        def ask() -> bool:
            known = arguments() if callable(arguments) else arguments
            if known is not None:
                self._send(Request(number, what, known, blob))
            return known is not None

        try:
            self._leave(ask)
            if not self._wait(asked.over, deadline):
                raise WaitTimeoutError(f"the scheduler at {self.where} did not answer in time")
        finally:
            self._asked.pop(number, None)
        if asked.error is not None:
            raise asked.error
        assert asked.reply is not None
        if asked.reply.error is not None:
            raise ValueError(asked.reply.error)
        return asked.reply

    def replied(self, message: Reply) -> None:
        """In the loop: an answer."""
        asked = self._asked.get(message.number)
        if asked is not None:  # else nobody waits any more
            if asked.take is not None and message.error is None:
                asked.take(message)
            asked.reply = message
            asked.over.set()

    def _fail_requests(self, why: RestrideError) -> None:
        for asked in list(self._asked.values()):
            asked.error = why
            asked.over.set()

    # ---- questions

    def info(self) -> Info:
        """Workers, threads, memory, versions."""
        return self._info(None)

    def _info(self, deadline: float | None) -> Info:
        value = self._request("info", {}, deadline=deadline).value
        return Info(self.where, value["workers"], versions(), value["scheduler"])

    @property
    def threads(self) -> int:
        """How many compute threads there are, over all workers."""
        threads: int = self.info()["threads"]
        return threads

    @property
    def nbytes(self) -> int:
        """Bytes of all outputs held, as the workers last said."""
        with suppress(WaitTimeoutError):
            self._nbytes = self._info(monotonic() + PATIENCE)["nbytes"]
        return self._nbytes

    def progress(self, base: int) -> int | None:
        """How many tasks of a job had ended when the scheduler last said so; None once all have."""
        with suppress(WaitTimeoutError):
            deadline = monotonic() + PATIENCE
            self._progress = {base: self._request("progress", {"base": base}, deadline=deadline).value}
        return self._progress.get(base, 0)

    def wait_for_workers(self, count: int, timeout: float | None) -> None:
        """Wait until there are so many workers."""
        deadline = None if timeout is None else monotonic() + timeout
        try:
            self._request("workers", {"count": count}, deadline=deadline)
        except WaitTimeoutError:
            there = len(self.info()["workers"])
            raise WaitTimeoutError(
                f"there are {there} workers at {self.where}, not {count}, after {timeout} s"
            ) from None

    def run(self, function: Callable[[], Any], workers: Sequence[str] | None) -> dict[str, Any]:
        """Call a function once on each worker; what it returned, by the worker's name."""
        reply = self._request("run", {"workers": _names(workers)}, dump_function(function))
        returned = {}
        for name, ok, blob in zip(reply.value["names"], reply.value["ok"], reply.blobs):
            if not ok:
                error = load_exception(blob)
                error.add_note(f"raised on worker {name!r}")
                raise error
            returned[name] = load_value(blob)
        return returned

    def replicate(self, futures: Sequence[Future], workers: Sequence[str] | None) -> None:
        """Have copies of outputs on each worker."""
        self._request("replicate", {"ids": [future.id for future in futures], "workers": _names(workers)})

    # ---- published

    def publish(self, name: str, value: Any, *, override: bool) -> None:
        """Keep a value, and the futures in it, for whoever asks for it by name."""
        blob, futures = dump_published(value)
        wait_for([future for future in futures if future.submission.options.scattered])  # which this client alone has

        def arguments() -> Mapping[str, Any] | None:
            if all(future.submission.base is not None or future.done() for future in futures):
                return {"name": name, "ids": [future.id for future in futures], "override": override}
            return None

        try:
            self._request("publish", arguments, blob)
        except ValueError as error:
            raise KeyError(str(error)) from None

    def unpublish(self, name: str) -> None:
        """Let go of it again."""
        try:
            self._request("unpublish", {"name": name})
        except ValueError as error:
            raise KeyError(str(error)) from None

    def published(self) -> list[str]:
        """The names that there are."""
        names: list[str] = self._request("list_published", {}).value
        return names

    def get_published(self, name: str, make_future: Callable[[Submission, int], Future]) -> Any:
        """The value of that name, with futures of the client that asks in the places of those that were in it."""
        adopted: list[tuple[Submission, int]] = []
        try:
            reply = self._request(
                "get_published", {"name": name}, take=lambda reply: adopted.extend(self._adopted_from(reply.value))
            )
        except ValueError as error:
            raise KeyError(str(error)) from None
        futures = [make_future(submission, position) for submission, position in adopted]
        return load_published(reply.blobs[0], futures)

    def _adopted_from(self, value: Mapping[str, Any]) -> list[tuple[Submission, int]]:
        """In the loop: for each id a submission that hears of it, and its position there."""
        jobs = np.array(value["jobs"], np.int64)
        rows = np.array(value["ids"], np.int64) - jobs
        adopted: dict[int, tuple[Submission, int]] = {}
        for job in np.unique(jobs).tolist():
            submission = Submission()
            (at,) = np.nonzero(jobs == job)
            submission.adopt(job, rows[at])
            self._adopt(submission)
            for position, number in enumerate(at.tolist()):
                adopted[number] = submission, position
        return [adopted[number] for number in range(len(jobs))]


def _names(workers: Sequence[str] | None) -> list[str] | None:
    return None if workers is None else list(workers)
