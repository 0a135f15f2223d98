"""A client as an executor of `concurrent.futures`."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from restride.engine.client.futures import Future
from restride.engine.client.futures import wait as wait_for

if TYPE_CHECKING:
    from restride.engine.client.client import Client


class ClientExecutor(concurrent.futures.Executor):
    """Runs calls on a client; made by `Client.get_executor`.

    Parameters
    ----------
    client : Client
    **options
        As for `Client.submit`: ``retries``, ``priority``, ``workers``, ``resources``.
    """

    def __init__(self, client: Client, **options: Any) -> None:
        self._client = client
        self._options = options
        self._lock = threading.Lock()
        self._futures: WeakSet[Future | concurrent.futures.Future[Any]] = WeakSet()
        self._closed = False

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> concurrent.futures.Future[Any]:
        """Call a function in the background.

        Raises
        ------
        RuntimeError
            The executor was shut down.
        """
        (inner,) = self._call(function, [(args, kwargs)])
        future = _as_concurrent(inner)
        self._futures.add(future)
        return future

    def map(
        self,
        function: Callable[..., Any],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
    ) -> Iterator[Any]:
        """Call a function for each tuple of elements; the results in their order.

        Parameters
        ----------
        function : callable
        *iterables : iterable
        timeout : float, optional
            Seconds from now on for all results.
        chunksize : int
            How many calls go to a task.

        Raises
        ------
        TimeoutError
            From the iterator: a result did not come in time.
        """
        if chunksize < 1:
            raise ValueError(f"chunksize must be at least 1, got {chunksize}")
        deadline = None if timeout is None else monotonic() + timeout
        elements = iter(list(zip(*iterables)))
        chunks = list(iter(lambda: list(islice(elements, chunksize)), []))
        futures = self._call(_call_for_each, [((function, chunk), {}) for chunk in chunks])
        self._futures.update(futures)
        return _results(futures, deadline)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls.

        Parameters
        ----------
        wait : bool
            Return only once all calls have ended. The client stays open either way.
        cancel_futures : bool
            Cancel what has not ended.
        """
        with self._lock:
            self._closed = True
            futures = list(self._futures)
        if cancel_futures:
            for future in futures:
                future.cancel()
        if wait:
            wait_for([future for future in futures if isinstance(future, Future)])
            concurrent.futures.wait([future for future in futures if not isinstance(future, Future)])

    def _call(self, function: Callable[..., Any], arguments: list[tuple[Any, Any]]) -> list[Future]:
        with self._lock:
            if self._closed:
                raise RuntimeError("cannot schedule new futures after shutdown")
            return self._client.call_each(function, arguments, **self._options)


def _call_for_each(function: Callable[..., Any], chunk: list[tuple[Any, ...]]) -> list[Any]:
    return [function(*args) for args in chunk]


def _results(futures: list[Future], deadline: float | None) -> Iterator[Any]:
    futures.reverse()
    try:
        while futures:
            future = futures.pop()
            yield from future.result(None if deadline is None else max(deadline - monotonic(), 0.0))
    finally:
        for future in futures:
            future.cancel()


def _as_concurrent(future: Future) -> concurrent.futures.Future[Any]:
    outer: concurrent.futures.Future[Any] = concurrent.futures.Future()

    def ended(inner: Future) -> None:
        if inner.cancelled() and inner.submission.abandoned is None:
            outer.cancel()
        if outer.set_running_or_notify_cancel():
            _settle(outer, inner)

    def outer_ended(outer: concurrent.futures.Future[Any]) -> None:
        if outer.cancelled():
            future.cancel()

    outer.add_done_callback(outer_ended)
    future.add_done_callback(ended)
    return outer


def _settle(outer: concurrent.futures.Future[Any], inner: Future) -> None:
    try:
        outer.set_result(inner.result())
    except BaseException as error:  # noqa: BLE001  whatever it is: whoever waits must hear of it
        outer.set_exception(error)
