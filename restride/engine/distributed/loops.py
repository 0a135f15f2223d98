"""Who runs a client's event loop: a thread of its own, or the caller whenever it waits."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from time import monotonic
from typing import Any, Protocol, TypeVar

R = TypeVar("R")


class LoopRunner(Protocol):
    """Runs an event loop."""

    def call(self, function: Callable[[], object]) -> None:
        """Call in the loop, from any thread; dropped once it has ended."""

    def run(self, coroutine: Coroutine[Any, Any, R]) -> R:
        """Run a coroutine in the loop, and wait for it."""

    def run_until(self, over: Callable[[], bool], timeout: float | None) -> None:
        """Where the caller runs the loop: do so until `over`, or for so many seconds."""

    def news(self) -> None:
        """In the loop: something has happened that a caller may wait for."""

    def stop(self, last: Callable[[], Coroutine[Any, Any, object]], seconds: float) -> None:
        """End the loop after a last coroutine; wait for it so long at most."""

    def end(self) -> None:
        """End the loop, and wait for that."""


class LoopThread:
    """An event loop in a thread of its own.

    Parameters
    ----------
    name : str
        Of the thread.
    """

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._loop.run_forever()
        self._loop.close()

    def call(self, function: Callable[[], object]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(function)

    def run(self, coroutine: Coroutine[Any, Any, R]) -> R:
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except BaseException:  # of the caller's thread, an interrupt
            future.cancel()
            raise

    def run_until(self, over: Callable[[], bool], timeout: float | None) -> None:
        pass

    def news(self) -> None:
        pass

    def stop(self, last: Callable[[], Coroutine[Any, Any, object]], seconds: float) -> None:
        def begin() -> None:
            self._last = self._loop.create_task(last())
            self._last.add_done_callback(lambda _: self._loop.stop())

        self.call(begin)
        if threading.current_thread() is not self._thread:
            self._thread.join(seconds)

    def end(self) -> None:
        self.call(self._loop.stop)
        self._thread.join()


class LoopHere:
    """An event loop that runs in the calling thread, whenever that waits."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()

    def call(self, function: Callable[[], object]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(function)

    def run(self, coroutine: Coroutine[Any, Any, R]) -> R:
        return self._loop.run_until_complete(coroutine)

    def run_until(self, over: Callable[[], bool], timeout: float | None) -> None:
        if self._loop.is_running():
            raise RuntimeError(
                "a task of a client of 'loop' cannot wait for another: they share the one thread there is"
            )
        deadline = None if timeout is None else monotonic() + timeout
        timer = None if timeout is None else self._loop.call_later(timeout, self._loop.stop)
        while not over() and (deadline is None or monotonic() < deadline):
            self._loop.run_forever()  # until there is news
        if timer is not None:
            timer.cancel()

    def news(self) -> None:
        self._loop.stop()

    def stop(self, last: Callable[[], Coroutine[Any, Any, object]], seconds: float) -> None:
        if not self._loop.is_running() and not self._loop.is_closed():
            self.run(last())
            self.end()

    def end(self) -> None:
        self._loop.close()
