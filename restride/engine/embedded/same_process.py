"""What a client can ask of its engine beside computations, where all of it is in this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import psutil

from restride.engine.client.info import Info
from restride.engine.client.submission import Callback, Submission
from restride.engine.graphs.options import Options
from restride.engine.versions import versions
from restride.errors import WaitTimeoutError

if TYPE_CHECKING:
    from restride.engine.client.futures import Future

WORKER = "this process"
"""Name of the one worker."""


class SameProcess:
    """Base of an engine whose only worker is this process."""

    threads: int
    packs = False

    def __init__(self) -> None:
        self._published: dict[str, Any] = {}

    @property
    def where(self) -> str:
        """``"threads"``, or ``"inline"`` without any."""
        return "threads" if self.threads else "inline"

    @property
    def summary(self) -> str:
        """How many threads, in words."""
        return "1 thread" if self.threads < 2 else f"{self.threads} threads"

    @property
    def nbytes(self) -> int:
        """Bytes of all outputs held."""
        raise NotImplementedError

    def check(self, options: Options) -> None:
        """Raise a ValueError for options that need several workers."""
        if options.workers or options.resources:
            asked = "workers" if options.workers else "resources"
            raise ValueError(f"{asked}= chooses among workers in other processes, and this client computes in its own")

    def is_here(self, submission: Submission, position: int) -> bool:
        """Whether an output that has come can be had without waiting."""
        return True

    def hurry(self) -> None:
        """Nothing waits here."""

    def call_back(self, call: Callback) -> None:
        """Call what a user wants to be called."""
        call()

    def info(self) -> Info:
        """Threads, memory, versions."""
        worker = {
            "threads": max(self.threads, 1),
            "nbytes": self.nbytes,
            "memory": psutil.Process().memory_info().rss,
            "memory_limit": None,
            "versions": dict(versions()),
        }
        return Info(self.where, {WORKER: worker}, versions())

    def wait_for_workers(self, count: int, timeout: float | None) -> None:
        """Raise a WaitTimeoutError where more than one is asked for: there will never be another."""
        if count > 1:
            raise WaitTimeoutError(f"there will not be {count} workers: this client computes in its own process")

    def run(self, function: Callable[[], Any], workers: Sequence[str] | None) -> dict[str, Any]:
        """Call a function once, in the calling thread."""
        if workers is not None and WORKER not in workers:
            raise ValueError(f"there is no worker {', '.join(map(repr, workers))}; the only one is {WORKER!r}")
        return {WORKER: function()}

    def replicate(self, futures: Sequence[Future], workers: Sequence[str] | None) -> None:
        """Nothing: the only worker has them."""

    def publish(self, name: str, value: Any, *, override: bool) -> None:
        """Keep a value for whoever asks for it by name."""
        if name in self._published and not override:
            raise KeyError(f"there is a dataset {name!r} already; unpublish it first, or pass override=True")
        self._published[name] = value

    def unpublish(self, name: str) -> None:
        """Let go of it again."""
        self._known(name)
        del self._published[name]

    def published(self) -> list[str]:
        """The names that there are."""
        return sorted(self._published)

    def get_published(self, name: str, make_future: Callable[[Submission, int], Future]) -> Any:
        """The value of that name."""
        return self._known(name)

    def _known(self, name: str) -> Any:
        if name not in self._published:
            raise KeyError(f"there is no dataset {name!r}; there are {self.published()}")
        return self._published[name]
