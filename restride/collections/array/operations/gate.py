"""A gate that writes go through, and that is closed when their computation has failed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any


class Gate:
    """Sees to it that nothing is written by tasks that outlive their computation, in this process.

    A task that runs when another one has failed goes on until it ends. What it writes in place then might come after,
    and over, what is written next. In another process the gate is another one, which nobody closes.

    Examples
    --------
    >>> gate = Gate()
    >>> with gate.passed():
    ...     print("written")
    written
    >>> gate.close()
    >>> with gate.passed():
    ...     print("written")
    Traceback (most recent call last):
    RuntimeError: the computation that this is written for has failed
    """

    def __init__(self) -> None:
        self._inside = 0
        self._closed = False
        self._changed = threading.Condition()

    @contextmanager
    def passed(self) -> Iterator[None]:
        """Where something is written.

        Raises
        ------
        RuntimeError
            The gate is closed.
        """
        with self._changed:
            if self._closed:
                raise RuntimeError("the computation that this is written for has failed")
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    def close(self) -> None:
        """Let nothing more be written, and wait for what is being written."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: not self._inside)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        return Gate, ()


def through(gate: Gate | None) -> AbstractContextManager[None]:
    """Where something is written; no gate is an open one."""
    return gate.passed() if gate is not None else nullcontext()
