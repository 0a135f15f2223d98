"""A thread in which users' callbacks may take their time, so that the event loop need not wait for them."""

from __future__ import annotations

import threading
from queue import SimpleQueue

from restride.engine.client.submission import Callback


class CallbackThread:
    """Calls what it is given, in that order; its thread begins with the first."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callback | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False

    def call(self, call: Callback) -> None:
        """Call it, some time soon; in the thread that asks once this was closed."""
        with self._lock:
            closed = self._closed
            if not closed:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="restride-callbacks", daemon=True)
                    self._thread.start()
                self._calls.put(call)
        if closed:
            call()

    def close(self, *, wait: bool = True) -> None:
        """End the thread once everything was called, and wait for it."""
        with self._lock:
            self._closed = True
            thread = self._thread
            self._calls.put(None)
        if wait and thread is not None and thread is not threading.current_thread():
            thread.join()

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
