"""Futures: handles on outputs that exist, or will; and waiting for several of them."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import partial
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from restride.engine.client.asynchronous import until
from restride.engine.client.failure import Failure
from restride.engine.client.submission import OutputState, Submission
from restride.engine.client.waiting import Over, get_by
from restride.errors import CancelledError, GraphError, WaitTimeoutError

if TYPE_CHECKING:
    from restride.engine.client.client import Client

logger = logging.getLogger("restride")

FIRST_COMPLETED = concurrent.futures.FIRST_COMPLETED
FIRST_EXCEPTION = concurrent.futures.FIRST_EXCEPTION
ALL_COMPLETED = concurrent.futures.ALL_COMPLETED


class Future:
    """A handle on the output of a task; made by a client, never by hand.

    The output is kept for as long as the future is; a task that has not run when its future goes, and that nothing else
    needs, does not run at all. Interface and behaviour are those of `concurrent.futures.Future`; in asyncio it can be
    awaited.

    Examples
    --------
    >>> import restride as rs
    >>> with rs.Client(threads=2) as client:
    ...     future = client.submit(pow, 2, 10)
    ...     future.result()
    1024
    """

    __slots__ = ("__weakref__", "_client", "_let_go", "_position", "_submission")

    def __init__(self, client: Client, submission: Submission, position: int) -> None:
        self._client = client
        self._submission = submission
        self._position = position
        self._let_go = False

    def __repr__(self) -> str:
        return f"<Future: {self.status}>"

    def __del__(self) -> None:
        if not self._let_go:
            self._let_go = True
            self._client.release(self._submission, self._position)

    def __reduce__(self) -> Any:
        raise TypeError(
            "a future cannot be pickled: give it to submit or map itself, or in lists, tuples, sets and dicts, "
            "or let other clients have it by publish_dataset"
        )

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    @property
    def id(self) -> int:
        """Id of the task, once the scheduler has it."""
        return self._submission.id(self._position)

    @property
    def submission(self) -> Submission:
        """The job it is of."""
        return self._submission

    @property
    def position(self) -> int:
        """Which of the job's wanted outputs it is."""
        return self._position

    @property
    def client(self) -> Client:
        """The client that made it."""
        return self._client

    @property
    def status(self) -> str:
        """``pending``, ``done``, ``failed`` or ``cancelled``."""
        return self._state.name.lower()

    @property
    def _state(self) -> OutputState:
        return self._submission.state(self._position)

    def done(self) -> bool:
        """Whether the output has come, failed, or been cancelled."""
        return self._state != OutputState.PENDING

    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self._state == OutputState.CANCELLED

    def cancel(self) -> bool:
        """Give up the output: the task does not run if nothing else needs it.

        In other processes it is ended where it runs already; in threads it runs to its end.

        Returns
        -------
        bool
            Whether it is cancelled; False if the output had come, or failed, before.
        """
        if self._submission.cancel(self._position) and not self._let_go:
            self._let_go = True
            self._client.cancel_output(self._submission, self._position)
        return self.cancelled()

    def release(self) -> None:
        """Let go of the output, as when the future itself goes; its result cannot be had from it any more."""
        if not self._let_go:
            self._let_go = True
            self._submission.cancel(self._position)
            self._client.release(self._submission, self._position)

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the output.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most.

        Raises
        ------
        Exception
            What the task raised, or what a task raised that it depends on: the user's own exception, with its traceback
            and a note that names the task and the line that made it.
        CancelledError
            It was cancelled, or released.
        WaitTimeoutError
            A TimeoutError: it did not come in time. The task goes on.
        """
        deadline = None if timeout is None else monotonic() + timeout
        failure = self._outcome(timeout)
        if failure is not None:
            raise_failure(failure)
        return self._client.fetch(self._submission, [self._position], deadline)[0]

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait for the output; what the task raised, None if it did not. Raises like `result` otherwise."""
        failure = self._outcome(timeout)
        return None if failure is None else failure.exception

    def add_done_callback(self, function: Callable[[Future], object]) -> None:
        """Call ``function(self)`` once done: at once, or in a thread of the engine's. What it raises is logged."""
        client = self._client

        def call() -> None:
            client.called_back.discard(self)
            try:
                function(self)
            except BaseException as error:  # the thread that calls is the engine's, and must not end by it
                if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
                    raise
                logger.exception("a callback of %r raised", self)

        if self.done():
            call()
            return
        client.called_back.add(self)
        self._submission.call_when_done(self._position, partial(client.call_back, call))

    def __await__(self) -> Generator[Any, None, Any]:
        return self._awaited().__await__()

    async def _awaited(self) -> Any:
        if not self.done():
            self._client.hurry()
            await until(partial(self._submission.call_when_done, self._position))
        if self._client.is_here(self._submission, self._position):
            return self.result()
        return await asyncio.to_thread(self.result)

    def _outcome(self, timeout: float | None) -> Failure | None:
        if not self.done():
            over = Over()
            self._submission.call_when_done(self._position, over.set)
            deadline = None if timeout is None else monotonic() + timeout
            with self._client.blocking(self.done, timeout):
                if not over.wait_until(deadline):
                    self._submission.no_longer_call(self._position, over.set)
                    raise WaitTimeoutError(f"the result did not come within {timeout} s; the task goes on")
        state = self._state
        if state == OutputState.CANCELLED:
            raise self._submission.abandoned or CancelledError("the future was cancelled")
        if self._let_go:
            raise CancelledError("the future was released")
        return self._submission.failure(self._position) if state == OutputState.FAILED else None


def check_client(futures: Iterable[Future], client: Client) -> None:
    """Raise a GraphError where one of the futures is another client's, which holds its output elsewhere."""
    for future in futures:
        if future.client is not client:
            raise GraphError(f"a future of {future.client!r} cannot be used with {client!r}; gather its result first")


def raise_failure(failure: Failure) -> None:
    """Raise what a task raised, with a note that says which task it was and which line made it."""
    exception: BaseException = failure.exception
    made = f", made at {failure.origin}" if failure.origin else ""
    note = f"raised in task {failure.task!r}{made}"
    if note not in getattr(exception, "__notes__", ()):
        exception.add_note(note)
    # several callers may raise it: each from the traceback of the task alone
    raise exception.with_traceback(failure.traceback)


def results_of(futures: Iterable[Future]) -> dict[Future, Any]:
    """Wait for futures and take their results, those of a submission together.

    Raises
    ------
    Exception
        What the first of them raised that failed.
    """
    futures = dict.fromkeys(futures)
    together: dict[Submission, list[Future]] = {}
    for future in futures:
        together.setdefault(future._submission, []).append(future)
    for submission, some in together.items():
        if len(some) == submission.count:
            over = Over()
            submission.call_when_over(over.set, len(some))
            with some[0].client.blocking(over.is_set):
                over.wait()
    succeeded = {submission for submission in together if submission.succeeded}
    for future in futures:
        if future._let_go or future._submission not in succeeded:
            failure = future._outcome(None)
            if failure is not None:
                raise_failure(failure)
    results: dict[Future, Any] = {}
    for submission, some in together.items():
        positions = [future._position for future in some]
        results.update(zip(some, some[0].client.fetch(submission, positions)))
    return results


class DoneAndNotDone(NamedTuple):
    """What `wait` returns."""

    done: set[Future]
    not_done: set[Future]


def wait(futures: Iterable[Future], timeout: float | None = None, return_when: str = ALL_COMPLETED) -> DoneAndNotDone:
    """Wait for futures, as `concurrent.futures.wait` does.

    Parameters
    ----------
    futures : iterable of Future
    timeout : float, optional
        Seconds to wait at most; whatever is not done by then comes back in ``not_done``.
    return_when : {"ALL_COMPLETED", "FIRST_COMPLETED", "FIRST_EXCEPTION"}

    Returns
    -------
    DoneAndNotDone
        Named tuple of two sets, ``done`` and ``not_done``.

    Raises
    ------
    ValueError
        An unknown `return_when`.

    Examples
    --------
    >>> import restride as rs
    >>> with rs.Client(threads=2) as client:
    ...     done, not_done = rs.wait(client.map(abs, [-1, -2]))
    ...     len(done), len(not_done)
    (2, 0)
    """
    if return_when not in (ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION):
        raise ValueError(
            f"return_when must be {ALL_COMPLETED!r}, {FIRST_COMPLETED!r} or {FIRST_EXCEPTION!r}, got {return_when!r}"
        )
    futures = set(futures)
    done: set[Future] = set()
    try:
        for future in as_completed(futures, timeout):
            done.add(future)
            if return_when == FIRST_COMPLETED:
                break
            if return_when == FIRST_EXCEPTION and future.status == "failed":
                break
    except WaitTimeoutError:
        pass  # the caller sees it by what is not done
    done |= {future for future in futures if future.done()}
    return DoneAndNotDone(done, futures - done)


def as_completed(futures: Iterable[Future], timeout: float | None = None) -> AsCompleted:
    """Iterate over futures as they are done, as `concurrent.futures.as_completed` does.

    Parameters
    ----------
    futures : iterable of Future
        Each comes once, however often it is given.
    timeout : float, optional
        Seconds to wait at most, from the call on.

    Returns
    -------
    AsCompleted
        For ``for``, and in asyncio for ``async for``.

    Raises
    ------
    WaitTimeoutError
        A TimeoutError: some were not done in time.
    """
    deadline = None if timeout is None else monotonic() + timeout
    return AsCompleted(_as_done(set(futures), deadline, f"within {timeout} s"))


class AsCompleted(Iterator["Future"]):
    """What `as_completed` returns."""

    def __init__(self, done: Iterator[Future]) -> None:
        self._done = done

    def __next__(self) -> Future:
        return next(self._done)

    def __aiter__(self) -> AsCompleted:
        return self

    async def __anext__(self) -> Future:
        future = await asyncio.to_thread(next, self._done, None)
        if future is None:
            raise StopAsyncIteration
        return future


def _as_done(futures: set[Future], deadline: float | None, when: str) -> Iterator[Future]:
    ended: SimpleQueue[int] = SimpleQueue()
    left = {number: (future, partial(ended.put, number)) for number, future in enumerate(futures)}
    late = f"of {len(futures)} futures were not done {when}"
    del futures
    try:
        for future, call in left.values():
            future.submission.call_when_done(future.position, call)
        while left:
            try:
                number = ended.get_nowait()
            except Empty:
                client = next(iter(left.values()))[0].client
                with client.blocking(lambda: not ended.empty(), _left(deadline)):
                    number = _next_of(ended, deadline, f"{len(left)} {late}")
            yield left.pop(number)[0]
    finally:  # nothing of this wait may keep a future that its owner lets go
        for future, call in left.values():
            future.submission.no_longer_call(future.position, call)


def _next_of(ended: SimpleQueue[int], deadline: float | None, otherwise: str) -> int:
    try:
        return get_by(ended, deadline)
    except Empty:
        raise WaitTimeoutError(otherwise) from None


def _left(deadline: float | None) -> float | None:
    """Seconds until a deadline."""
    return None if deadline is None else max(deadline - monotonic(), 0.0)
