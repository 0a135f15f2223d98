"""The client: where computations are asked for.

It takes the place to run as one argument. Everything it offers comes down to a few verbs of the engine behind it, see
`restride.engine.client.engine`: submit a job, release or cancel outputs, fetch outputs, close.
"""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from restride.config import Settings
from restride.engine.client.asynchronous import awaitable
from restride.engine.client.calls import Arguments, CallBatch, PackedFunction, calls_of, pack_calls
from restride.engine.client.datasets import KeepsDatasets
from restride.engine.client.default import default_client, set_default, take_note
from restride.engine.client.engine import Engine
from restride.engine.client.executor import ClientExecutor
from restride.engine.client.futures import Future, check_client, raise_failure, results_of
from restride.engine.client.places import Place, open_engine
from restride.engine.client.progress import wait_with_progress
from restride.engine.client.scattering import Scatters
from restride.engine.client.structure import futures_in, map_leaves
from restride.engine.client.submission import Callback, Submission
from restride.engine.client.taking import Taking
from restride.engine.client.waiting import Over
from restride.engine.client.workers import AsksWorkers
from restride.engine.graphs.csr import Ints, transpose
from restride.engine.graphs.graph import TaskGraph
from restride.engine.graphs.job import Job, compile_job
from restride.engine.graphs.options import Options, options_of
from restride.engine.graphs.origin import user_line
from restride.errors import CancelledError, ClosedError

if TYPE_CHECKING:
    from restride.engine.wire.security import Security

__all__ = ["Client", "default_client", "set_default"]


class Client(AsksWorkers, KeepsDatasets, Scatters):
    """Runs task graphs and single calls.

    The newest client that is open is where collections compute; without one, a client in threads is made on first use.

    Parameters
    ----------
    where : str, or cluster
        ``"threads"``: in threads of this process, with nothing to start and nothing serialised. ``"inline"``: in the
        calling thread, before the call that submits returns; for debuggers and profilers. ``"processes"``: a scheduler
        and workers on this machine, gone with the client. An address such as ``"tcp://host:8786"``, or a
        `LocalCluster`: a cluster that runs already. ``"loop"``: scheduler, workers and client in the calling thread
        whenever it waits; for profilers. An engine: that, which ends with the client.
    threads : int, optional
        Compute threads of ``"threads"``; one a core by default.
    workers, threads_per_worker : int, optional
        Of ``"processes"``; of ``"loop"`` the first.
    memory_limit : int or str, optional
        Bytes that each worker of ``"processes"`` may take, such as ``"4 GiB"``.
    security : Security, optional
        The secret shared with a cluster at an address; by default as configured, see ``docs/deployment.md``.
    timeout : float, optional
        Seconds to wait for a connection; by default the setting ``comm.connect_timeout``.
    asynchronous : bool
        For asyncio: it opens when it is awaited, or entered by ``async with``, and methods that would wait return
        awaitables.

    Raises
    ------
    ValueError
        Unknown place to run, or arguments that mean nothing there.
    ConnectError
        An OSError: nobody answers at the address.
    VersionError
        The cluster runs versions of Python or libraries that do not go together with this process's.

    Examples
    --------
    >>> import restride as rs
    >>> with rs.Client(threads=2) as client:
    ...     squares = client.map(lambda x: x * x, range(4))
    ...     client.gather(squares)
    [0, 1, 4, 9]
    """

    def __init__(
        self,
        where: Any = "threads",
        *,
        threads: int | None = None,
        workers: int | None = None,
        threads_per_worker: int | None = None,
        memory_limit: int | float | str | None = None,
        security: Security | None = None,
        timeout: float | None = None,
        asynchronous: bool = False,
    ) -> None:
        self._settings = Settings.current()
        self._place = Place(where, threads, workers, threads_per_worker, memory_limit, security, timeout)
        self.asynchronous = asynchronous
        self.called_back: set[Future] = set()
        """Futures with callbacks that have not been called yet; the engine itself does not keep a future."""
        self._engine: Engine
        self._open = False
        self._process = os.getpid()
        self._batch: CallBatch | None = None
        self._batch_lock = threading.Lock()
        if not asynchronous:
            self._begin(open_engine(self._place, self._settings))

    def _begin(self, engine: Engine) -> None:
        self._engine = engine
        self._open = True
        self._finalizer = weakref.finalize(self, engine.stop)
        take_note(self)

    def __repr__(self) -> str:
        if self.closed:
            return f"<Client: {self._place.where}, closed>"
        return f"<Client: {self._engine.where}, {self._engine.summary}>"

    def __reduce__(self) -> Any:
        if self.closed or self.in_process:
            raise TypeError(f"{self!r} cannot be pickled; in other processes there is restride.default_client()")
        return default_client, ()  # of the worker that unpickles it: its own, of the same cluster

    def __enter__(self) -> Self:
        self._check_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close()

    def __await__(self) -> Generator[Any, None, Self]:
        return self.__aenter__().__await__()

    async def __aenter__(self) -> Self:
        if not self.asynchronous:
            raise TypeError("only a client made with asynchronous=True can be awaited, or entered by async with")
        if not self._open:
            self._begin(await asyncio.to_thread(open_engine, self._place, self._settings))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._close)

    @property
    def where(self) -> str:
        """Where it computes: ``"threads"``, ``"inline"``, or an address."""
        return self._engine.where

    @property
    def in_process(self) -> bool:
        """Whether it computes in this process, so that what tasks share with the caller is shared indeed."""
        return not self._engine.packs

    @property
    def closed(self) -> bool:
        """Whether it was closed, or belongs to the process that this one was forked from."""
        return not self._open or self._process != os.getpid()

    @property
    def threads(self) -> int:
        """How many compute threads it has, over all workers; the calling thread counts as one where it computes."""
        return max(self._engine.threads, 1)

    @property
    def nbytes(self) -> int:
        """Bytes of memory that all outputs take which are held now, as far as known."""
        return self._engine.nbytes

    @awaitable
    def close(self) -> None:
        """End all threads, after the tasks they are at, and let go of all outputs; pending futures are cancelled."""
        self._close()

    def _close(self) -> None:
        if self.closed:
            return
        self._open = False
        self._finalizer.detach()
        self._engine.close()

    # ---- graphs

    @awaitable
    def get(
        self,
        graph: TaskGraph,
        ids: ArrayLike,
        *,
        retries: int = 0,
        priority: int = 0,
        workers: str | Iterable[str] | None = None,
        resources: Mapping[str, float] | None = None,
    ) -> list[Any]:
        """Compute some tasks of a graph and wait for their outputs.

        Parameters
        ----------
        graph : TaskGraph
        ids : array_like of int
            Ids of the tasks; what they do not need does not run.
        retries, priority, workers, resources
            As for `submit`, for all tasks.

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
        return self.outputs_of(graph, ids, options_of(retries, priority, workers, resources))

    def outputs_of(self, graph: TaskGraph, ids: ArrayLike, options: Options) -> list[Any]:
        """What `get` returns; of an asynchronous client, too."""
        job, inputs, rows, submission = self._prepared(graph, ids, options)
        outputs: dict[int, Any] = {}
        if job.n:
            with self._computing(submission, lambda: None):
                self._wait(submission, job.n)
                outputs.update(zip(job.wanted.tolist(), self.fetch(submission, range(len(job.wanted)))))
        for row in np.unique(rows[rows >= job.n]).tolist():
            outputs[row] = inputs[row - job.n].result()
        return [outputs[row] for row in rows.tolist()]

    def take_outputs(
        self, graph: TaskGraph, ids: ArrayLike, options: Options, take: Callable[[int, Any], object]
    ) -> None:
        """Call ``take(i, output)`` for the task of each ``ids[i]`` as its output comes, and then let go of that."""
        job, inputs, rows, submission = self._prepared(graph, ids, options)
        indptr, places = transpose(np.arange(len(rows) + 1), rows, job.n + len(inputs))

        def take_row(row: int, output: Any) -> None:
            for place in places[indptr[row] : indptr[row + 1]].tolist():
                take(place, output)

        if job.n:
            wanted = job.wanted.tolist()
            taking = Taking(self._engine, submission, lambda position, output: take_row(wanted[position], output))
            with self._computing(submission, lambda: taking.left):
                if self._settings.progress:
                    wait_with_progress(taking, lambda: self._progress(submission, job.n), self._settings.progress_after)
                taking.wait()
        for row in np.unique(rows[rows >= job.n]).tolist():
            take_row(row, inputs[row - job.n].result())

    @contextmanager
    def _computing(self, submission: Submission, held: Callable[[], Sequence[int] | None]) -> Iterator[None]:
        """Begin a computation, and in the end let go of what is held of it; cancel it where that is by an interrupt."""
        let_go = self._engine.cancel
        try:
            self._submit(submission)
            yield
            let_go = self._engine.release
        except Exception:
            let_go = self._engine.release
            raise
        finally:
            positions = held()
            if positions is None or len(positions):
                let_go(submission, positions)

    def submit_graph(
        self,
        graph: TaskGraph,
        ids: ArrayLike,
        *,
        retries: int = 0,
        priority: int = 0,
        workers: str | Iterable[str] | None = None,
        resources: Mapping[str, float] | None = None,
    ) -> list[Future]:
        """Begin to compute some tasks of a graph.

        Parameters
        ----------
        graph : TaskGraph
        ids : array_like of int
        retries, priority, workers, resources
            As for `submit`, for all tasks.

        Returns
        -------
        list of Future
            One an id; the same one for ids that repeat.

        Raises
        ------
        GraphError
            A ValueError: an id that is not in the graph.
        SerializationError
            A TypeError: a function or parameter that would have to travel, and cannot be pickled.
        """
        options = options_of(retries, priority, workers, resources)
        job, inputs, rows, submission = self._prepared(graph, ids, options)
        own = [Future(self, submission, position) for position in range(len(job.wanted))]
        if job.n:
            self._submit(submission)
            self._compute_here(submission, own)
        positions = np.searchsorted(job.wanted, rows).tolist()
        return [own[at] if row < job.n else inputs[row - job.n] for row, at in zip(rows.tolist(), positions)]

    # ---- single calls

    def submit(
        self,
        function: Callable[..., Any],
        /,
        *args: Any,
        retries: int = 0,
        priority: int = 0,
        workers: str | Iterable[str] | None = None,
        resources: Mapping[str, float] | None = None,
        **kwargs: Any,
    ) -> Future:
        """Call a function in the background.

        Parameters
        ----------
        function : callable
        *args, **kwargs
            Its arguments. A future among them, also inside lists, tuples, sets and dicts, stands for its result.
        retries : int
            How often it is called again when it raises.
        priority : int
            What has a higher one is begun first.
        workers : str or iterable of str, optional
            Names, addresses or hosts of the workers that may run it.
        resources : mapping of str to float, optional
            What it needs to have for itself on its worker, such as ``{"GPU": 1}``.

        Returns
        -------
        Future

        Raises
        ------
        SerializationError
            A TypeError: the function or an argument would have to travel, and cannot be pickled.

        Examples
        --------
        >>> import restride as rs
        >>> with rs.Client(threads=2) as client:
        ...     a = client.submit(pow, 2, 3)
        ...     client.submit(sum, [a, a, 1]).result()
        17
        """
        return self._call(function, [(args, kwargs)], options_of(retries, priority, workers, resources))[0]

    def map(
        self,
        function: Callable[..., Any],
        /,
        *iterables: Iterable[Any],
        batch_size: int | None = None,
        retries: int = 0,
        priority: int = 0,
        workers: str | Iterable[str] | None = None,
        resources: Mapping[str, float] | None = None,
        **kwargs: Any,
    ) -> list[Future]:
        """Call a function in the background for each element, or each tuple of elements of several iterables.

        Parameters
        ----------
        function : callable
        *iterables : iterable
            As for the built-in `map`; futures among the elements stand for their results.
        batch_size : int, optional
            Submit whenever so many elements have come, rather than once all have; for long iterables.
        retries, priority, workers, resources
            As for `submit`.
        **kwargs
            Keyword arguments, the same for every call.

        Returns
        -------
        list of Future
        """
        if not iterables:
            raise TypeError("map needs at least one iterable")
        if batch_size is not None and batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        options = options_of(retries, priority, workers, resources)
        calls = ((args, kwargs) for args in zip(*iterables))
        futures: list[Future] = []
        while batch := list(islice(calls, batch_size)):
            futures += self._call(function, batch, options)
        if not futures:
            _check_callable(function)
        return futures

    def call_each(self, function: Callable[..., Any], arguments: Sequence[Arguments], **options: Any) -> list[Future]:
        """Call a function in the background with each of several arguments, each ``(args, kwargs)``."""
        return self._call(function, arguments, options_of(**options))

    @awaitable
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
        results = results_of(futures_in(futures))
        return map_leaves(lambda value: results[value] if isinstance(value, Future) else value, futures)

    @awaitable
    def cancel(self, futures: Any) -> None:
        """Cancel futures, see `Future.cancel`.

        Parameters
        ----------
        futures : Future, or nested lists, tuples, sets and dicts of them
        """
        for future in futures_in(futures):
            future.cancel()

    def get_executor(self, **options: Any) -> ClientExecutor:
        """The client as an executor of `concurrent.futures`.

        Parameters
        ----------
        **options
            ``retries``, ``priority``, ``workers``, ``resources`` as for `submit`.

        Examples
        --------
        >>> import restride as rs
        >>> with rs.Client(threads=2) as client, client.get_executor() as executor:
        ...     list(executor.map(pow, [2, 3], [5, 2]))
        [32, 9]
        """
        options_of(**options)
        return ClientExecutor(self, **options)

    # ---- for futures

    def release(self, submission: Submission, position: int) -> None:
        """A future goes: nobody holds this output any more."""
        if not self.closed:
            self._engine.release(submission, position)

    def cancel_output(self, submission: Submission, position: int) -> None:
        """A future was cancelled."""
        if not self.closed:
            self._engine.cancel(submission, position)

    def fetch(self, submission: Submission, positions: Sequence[int], deadline: float | None = None) -> list[Any]:
        """Outputs of a submission that have come.

        Raises
        ------
        ClosedError
            The client was closed since.
        """
        try:
            return self._engine.fetch(submission, positions, deadline)
        except KeyError:
            if submission.abandoned is not None and not self.closed:
                raise submission.abandoned from None
            raise ClosedError(
                "the result is gone, as its client was closed; take results before closing, or within its with-block"
            ) from None

    def is_here(self, submission: Submission, position: int) -> bool:
        """Whether an output that has come can be had without waiting."""
        return self._engine.is_here(submission, position)

    def blocking(self, over: Callable[[], bool], timeout: float | None = None) -> AbstractContextManager[None]:
        """Around a wait for other tasks, so that a task that waits takes no thread away from what it waits for."""
        return self._engine.blocking(over, timeout)

    def hurry(self) -> None:
        """Somebody waits, without `blocking`."""
        self._engine.hurry()

    def call_back(self, call: Callback) -> None:
        """Call what a user wants to be called."""
        self._engine.call_back(call)

    # ---- inner parts

    def _check_open(self) -> None:
        if self.closed:
            if self.asynchronous and not hasattr(self, "_engine"):
                raise ClosedError("this client is not open yet: await it, or enter it by async with")
            raise ClosedError("this client is closed; make a new one with restride.Client()")

    def _future(self, submission: Submission, position: int) -> Future:
        return Future(self, submission, position)

    def _prepared(
        self, graph: TaskGraph, ids: ArrayLike, options: Options
    ) -> tuple[Job, list[Future], Ints, Submission]:
        """What `compile_job` makes of some tasks of a graph, and a submission that expects the wanted ones."""
        self._check_open()
        self._engine.check(options)
        job, inputs, rows = compile_job(graph, ids)
        check_client(inputs, self)
        submission = Submission(options=options)
        submission.expect(len(job.wanted))
        submission.seal(job, inputs, job.wanted)
        return job, inputs, rows, submission

    def _submit(self, submission: Submission) -> None:
        with self._batch_lock:
            self._batch = None  # calls that come later may depend on this, and must not join a batch before it
            self._engine.submit(submission)

    def _call(self, function: Callable[..., Any], arguments: Sequence[Arguments], options: Options) -> list[Future]:
        self._check_open()
        self._engine.check(options)
        _check_callable(function)
        if not arguments:
            return []
        calls = calls_of(function, user_line(), arguments)
        for call in calls:
            if call.inputs:
                check_client(call.inputs, self)
        if self._engine.packs:
            batch = self._batch
            pack_calls(calls, batch.packed(function) if batch is not None else PackedFunction(function))
        with self._batch_lock:
            nested, batch = self._engine.runs_task_here, self._batch
            futures = batch.add(calls) if batch is not None and batch.fits(options, nested=nested) else None
            if futures is None:
                batch = CallBatch(self, options, nested=nested)
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
        over = Over()
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


def _check_callable(function: Any) -> None:
    if not callable(function):
        raise TypeError(f"the first argument must be callable, got {type(function).__name__}")


set_default(Client)
