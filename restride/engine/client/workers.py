"""What a client can ask of its workers, beside computations."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from restride.engine.client.asynchronous import awaitable
from restride.engine.client.engine import Engine
from restride.engine.client.info import Info
from restride.engine.graphs.options import options_of


class AsksWorkers:
    """Part of `Client`: its workers."""

    asynchronous: bool
    _engine: Engine

    def _check_open(self) -> None:
        raise NotImplementedError

    @awaitable
    def run(
        self,
        function: Callable[..., Any],
        /,
        *args: Any,
        workers: str | Iterable[str] | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Call a function at once on every worker, beside the tasks that run there.

        Parameters
        ----------
        function : callable
            In other processes one with a parameter called ``worker`` gets the worker itself as that.
        *args, **kwargs
            Its arguments.
        workers : str or iterable of str, optional
            Names of the workers; all by default.

        Returns
        -------
        dict
            What it returned, by the worker's name.

        Raises
        ------
        Exception
            What it raised on one of them.
        """
        self._check_open()
        if not callable(function):
            raise TypeError(f"the first argument must be callable, got {type(function).__name__}")
        return self._engine.run(partial(function, *args, **kwargs), options_of(workers=workers).workers or None)

    @awaitable
    def wait_for_workers(self, count: int, timeout: float | None = None) -> None:
        """Wait until there are at least so many workers.

        Parameters
        ----------
        count : int
        timeout : float, optional
            Seconds to wait at most.

        Raises
        ------
        WaitTimeoutError
            A TimeoutError: they did not come in time.
        """
        self._check_open()
        self._engine.wait_for_workers(count, timeout)

    @awaitable
    def info(self) -> Info:
        """Workers, threads, memory and versions.

        Returns
        -------
        Info
            A dict.
        """
        self._check_open()
        return self._engine.info()

    @awaitable
    def nthreads(self) -> dict[str, int]:
        """Compute threads by the name of the worker."""
        self._check_open()
        return {name: worker["threads"] for name, worker in self._engine.info()["workers"].items()}
