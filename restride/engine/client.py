"""The client: where computations are asked for.

It takes the place to run as one argument. Everything it offers comes down to four verbs of the engine behind it: submit
a job, release outputs, fetch outputs, close.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from restride.config import Settings
from restride.engine.calls import Arguments, CallBatch, calls_of
from restride.engine.csr import Ints
from restride.engine.embedded import Embedded
from restride.engine.futures import Future, check_client, raise_failure
from restride.engine.graph import TaskGraph
from restride.engine.job import Job, compile_job
from restride.engine.origin import user_line
from restride.engine.progress import wait_with_progress
from restride.engine.submission import Submission
from restride.errors import CancelledError, ClosedError

_clients: list[weakref.ref[Client]] = []
"""Clients that may be open, the newest last."""
_default_lock = threading.Lock()


class Client:
    """Runs task graphs and single calls.

    The newest client that is open is where collections compute; without one, a client in threads is made on first use.

    Parameters
    ----------
    where : {"threads", "inline"}
        ``"threads"``: in threads of this process, with nothing to start and nothing serialised. ``"inline"``: in the
        calling thread, before the call that submits returns; for debuggers and profilers.
    threads : int, optional
        Compute threads; one a core by default.

    Raises
    ------
    ValueError
        Unknown place to run, or less than one thread.

    Examples
    --------
    >>> import restride as rs
    >>> with rs.Client(threads=2) as client:
    ...     squares = client.map(lambda x: x * x, range(4))
    ...     client.gather(squares)
    [0, 1, 4, 9]
    """

    def __init__(self, where: str = "threads", *, threads: int | None = None) -> None:
        self._settings = Settings.current()
        self.where = where
        self._engine = Embedded(
            _thread_count(where, threads, self._settings.threads),
            horizon=self._settings.horizon,
            validate=self._settings.validate,
        )
        self.called_back: set[Future] = set()
        """Futures with callbacks that have not been called yet; the engine itself does not keep a future."""
        self._closed = False
        self._process = os.getpid()
        self._batch: CallBatch | None = None
        self._batch_lock = threading.Lock()
        self._finalizer = weakref.finalize(self, self._engine.stop)
        _clients.append(weakref.ref(self))

    def __repr__(self) -> str:
        state = "closed" if self.closed else f"{max(self._engine.threads, 1)} threads"
        return f"<Client: {self.where}, {state}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def closed(self) -> bool:
        """Whether it was closed, or belongs to the process that this one was forked from."""
        return self._closed or self._process != os.getpid()

    @property
    def threads(self) -> int:
        """How many compute threads it has; the calling thread counts as one where it computes."""
        return max(self._engine.threads, 1)

    @property
    def nbytes(self) -> int:
        """Bytes of memory that all outputs take which are held now."""
        return self._engine.nbytes

    def close(self) -> None:
        """End all threads, after the tasks they are at, and let go of all outputs; pending futures are cancelled."""
        if self.closed:
            return
        self._closed = True
        self._finalizer.detach()
        self._engine.close()

    # ---- graphs

    def get(self, graph: TaskGraph, ids: ArrayLike) -> list[Any]:
        """Compute some tasks of a graph and wait for their outputs.

        Parameters
        ----------
        graph : TaskGraph
        ids : array_like of int
            Ids of the tasks; what they do not need does not run.

        Returns
        -------
        list
            One output an id.

        Raises
        ------
        Exception
            What a task raised: the user's own exception, see `Future.result`. The rest of the graph is cancelled.
        GraphError
            A ValueError: an id that is not in the graph, before anything runs.
        KeyboardInterrupt
            Ctrl-C: the computation is cancelled.
        """
        job, inputs, rows, submission = self._prepared(graph, ids)
        outputs: dict[int, Any] = {}
        if job.n:
            try:
                self._submit(submission)
                self._wait(submission, job.n)
                outputs.update(zip(job.wanted.tolist(), self.fetch(submission, submission.ids())))
            finally:
                self._engine.release(submission, None)
        for row in np.unique(rows[rows >= job.n]).tolist():
            outputs[row] = inputs[row - job.n].result()
        return [outputs[row] for row in rows.tolist()]

    def submit_graph(self, graph: TaskGraph, ids: ArrayLike) -> list[Future]:
        """Begin to compute some tasks of a graph.

        Parameters
        ----------
        graph : TaskGraph
        ids : array_like of int

        Returns
        -------
        list of Future
            One an id; the same one for ids that repeat.

        Raises
        ------
        GraphError
            A ValueError: an id that is not in the graph.
        """
        job, inputs, rows, submission = self._prepared(graph, ids)
        own = [Future(self, submission, position) for position in range(len(job.wanted))]
        if job.n:
            self._submit(submission)
            self._compute_here(submission, own)
        positions = np.searchsorted(job.wanted, rows).tolist()
        return [own[at] if row < job.n else inputs[row - job.n] for row, at in zip(rows.tolist(), positions)]

    # ---- single calls

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        """Call a function in the background.

        Parameters
        ----------
        function : callable
        *args, **kwargs
            Its arguments. A future among them, also inside lists, tuples, sets and dicts, stands for its result.

        Returns
        -------
        Future

        Examples
        --------
        >>> import restride as rs
        >>> with rs.Client(threads=2) as client:
        ...     a = client.submit(pow, 2, 3)
        ...     client.submit(sum, [a, a, 1]).result()
        17
        """
        return self._call(function, [(args, kwargs)])[0]

    def map(self, function: Callable[..., Any], /, *iterables: Iterable[Any], **kwargs: Any) -> list[Future]:
        """Call a function in the background for each element, or each tuple of elements of several iterables.

        Parameters
        ----------
        function : callable
        *iterables : iterable
            As for the built-in `map`; futures among the elements stand for their results.
        **kwargs
            Keyword arguments, the same for every call.

        Returns
        -------
        list of Future
        """
        if not iterables:
            raise TypeError("map needs at least one iterable")
        return self._call(function, [(args, kwargs) for args in zip(*iterables)])

    def scatter(self, data: Any) -> Any:
        """Make futures of data that exist already.

        Parameters
        ----------
        data : object, list, tuple or dict
            Of a list, a tuple or a dict each element becomes a future; anything else becomes one future.

        Returns
        -------
        Future, or list, tuple or dict of Future
        """
        match data:
            case list() | tuple():
                return _rebuilt(type(data), self.map(_identity, data))
            case dict():
                return dict(zip(data, self.map(_identity, data.values())))
            case _:
                return self.submit(_identity, data)

    def gather(self, futures: Any) -> Any:
        """Wait for futures and take their results.

        Parameters
        ----------
        futures : Future, or nested lists, tuples, sets and dicts of them

        Returns
        -------
        object
            The same structure, with results in place of the futures.

        Raises
        ------
        Exception
            What the first task raised that failed.
        """
        match futures:
            case Future():
                return futures.result()
            case list() | tuple() | set():
                return _rebuilt(type(futures), [self.gather(item) for item in futures])
            case dict():
                return {key: self.gather(item) for key, item in futures.items()}
            case _:
                return futures

    # ---- for futures

    def release(self, submission: Submission, position: int) -> None:
        """A future goes: nobody holds this output any more."""
        if not self.closed:
            self._engine.release(submission, position)

    def fetch(self, submission: Submission, ids: ArrayLike) -> list[Any]:
        """Outputs of a submission that have come.

        Raises
        ------
        ClosedError
            The client was closed since.
        """
        try:
            return self._engine.fetch(np.asarray(ids))
        except KeyError:
            if submission.abandoned is not None and not self.closed:
                raise submission.abandoned from None
            raise ClosedError(
                "the result is gone, as its client was closed; take results before closing, or within its with-block"
            ) from None

    def blocking(self, over: Callable[[], bool]) -> AbstractContextManager[None]:
        """Around a wait for other tasks, so that a task that waits takes no thread away from what it waits for."""
        return self._engine.blocking(over)

    # ---- inner parts

    def _check_open(self) -> None:
        if self.closed:
            raise ClosedError("this client is closed; make a new one with restride.Client()")

    def _prepared(self, graph: TaskGraph, ids: ArrayLike) -> tuple[Job, list[Future], Ints, Submission]:
        """What `compile_job` makes of some tasks of a graph, and a submission that expects the wanted ones."""
        self._check_open()
        job, inputs, rows = compile_job(graph, ids)
        check_client(inputs, self)
        submission = Submission()
        submission.expect(len(job.wanted))
        submission.seal(job, inputs, job.wanted)
        return job, inputs, rows, submission

    def _submit(self, submission: Submission) -> None:
        with self._batch_lock:
            self._batch = None  # calls that come later may depend on this, and must not join a batch before it
            self._engine.submit(submission)

    def _call(self, function: Callable[..., Any], arguments: Sequence[Arguments]) -> list[Future]:
        self._check_open()
        if not callable(function):
            raise TypeError(f"the first argument must be callable, got {type(function).__name__}")
        if not arguments:
            return []
        name = getattr(function, "__name__", None) or type(function).__name__
        calls = calls_of(function, name, user_line(), arguments)
        for call in calls:
            check_client(call.inputs, self)
        with self._batch_lock:
            nested, batch = self._engine.runs_task_here, self._batch
            futures = batch.add(calls) if batch is not None and batch.nested == nested else None
            if futures is None:
                batch = CallBatch(self, nested=nested)
                futures = batch.add(calls)
                assert futures is not None
                self._engine.submit(batch.submission)
                self._batch = batch
        self._compute_here(futures[0].submission, futures)
        return futures

    def _compute_here(self, submission: Submission, futures: list[Future]) -> None:
        """Without threads: compute now; where that is interrupted, nobody gets the futures."""
        try:
            self._engine.compute_here(lambda: submission.pending == 0)
        except KeyboardInterrupt:
            for future in futures:
                future.cancel()
            raise

    def _wait(self, submission: Submission, tasks: int) -> None:
        over = threading.Event()
        submission.call_when_over(over.set)
        with self.blocking(over.is_set):
            if self._settings.progress and not over.is_set():
                wait_with_progress(over, lambda: self._progress(submission, tasks), self._settings.progress_after)
            over.wait()
        failure = submission.first_failure()
        if failure is not None:
            raise_failure(failure)
        if submission.pending or submission.abandoned:
            raise submission.abandoned or CancelledError("the computation was cancelled")

    def _progress(self, submission: Submission, tasks: int) -> tuple[int, int, int]:
        ended = self._engine.progress(submission.base) if submission.base is not None else 0
        return tasks if ended is None else ended, tasks, self.nbytes


def default_client() -> Client:
    """The newest client that is open; one in threads is made where there is none.

    Returns
    -------
    Client

    Examples
    --------
    >>> import restride as rs
    >>> with rs.Client(threads=2) as client:
    ...     rs.default_client() is client
    True
    """
    with _default_lock:
        for reference in reversed(_clients):
            client = reference()
            if client is not None and not client.closed:
                return client
            _clients.remove(reference)
        client = Client()
        global _kept
        _kept = client
        return client


_kept: Client | None = None
"""The default client, which nobody else may hold."""


def _thread_count(where: str, threads: int | None, default: int | None) -> int:
    if where not in ("threads", "inline"):
        raise ValueError(f"a client runs in 'threads' or 'inline', got {where!r}")
    if where == "inline":
        if threads is not None and threads != 1:
            raise ValueError(f"an inline client computes in the calling thread, it cannot have {threads} threads")
        return 0
    threads = threads if threads is not None else default
    if threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if threads < 1:
        raise ValueError(f"a client needs at least 1 thread, got {threads}")
    return threads


def _rebuilt(kind: type, items: list[Any]) -> Any:
    return kind(*items) if hasattr(kind, "_fields") else kind(items)  # of named tuples, too


def _identity(value: Any) -> Any:
    return value
