"""What a client needs of whatever runs its computations: in this process, or in others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

from restride.engine.client.info import Info
from restride.engine.client.submission import Callback, Submission
from restride.engine.graphs.options import Options

if TYPE_CHECKING:
    from restride.engine.client.futures import Future


class Engine(Protocol):
    """Where the computations of a client run. Everything may be called from any thread."""

    @property
    def where(self) -> str:
        """What people see: ``"threads"``, or an address."""

    @property
    def summary(self) -> str:
        """How it is, in a few words for people."""

    @property
    def packs(self) -> bool:
        """Whether what is submitted travels, so that functions and arguments are pickled at the call."""

    # ---- computations

    @property
    def runs_task_here(self) -> bool:
        """Whether the calling thread runs a task, so that what it submits is nested in that."""

    def check(self, options: Options) -> None:
        """Raise a ValueError for options that cannot be had here."""

    def submit(self, submission: Submission) -> None:
        """Begin a computation."""

    def release(self, submission: Submission, position: int | Sequence[int] | None) -> None:
        """Let go of a wanted output, or several, of all with None; what they alone needed does not begin any more."""

    def cancel(self, submission: Submission, position: int | Sequence[int] | None) -> None:
        """As `release`, but tasks that run and are needed by nothing else have to end, too."""

    def fetch(self, submission: Submission, positions: Sequence[int], deadline: float | None = None) -> list[Any]:
        """Outputs that have come and are held; by `time.monotonic` until a deadline."""

    def is_here(self, submission: Submission, position: int) -> bool:
        """Whether an output that has come can be had without waiting."""

    def hurry(self) -> None:
        """Somebody waits: send what has been submitted, rather than wait for more of it."""

    def blocking(self, over: Callable[[], bool], timeout: float | None = None) -> AbstractContextManager[None]:
        """Around a wait that ends when `over` says so, or after so many seconds."""

    def compute_here(self, over: Callable[[], bool]) -> None:
        """Where the calling thread computes: do so until `over`, or nothing is left to do."""

    def call_back(self, call: Callback) -> None:
        """Call what a user wants to be called, where it may take its time; from a thread of the engine's."""

    def progress(self, base: int) -> int | None:
        """How many tasks of a job have ended; None once all have."""

    # ---- where it runs

    @property
    def threads(self) -> int:
        """How many compute threads there are, over all workers."""

    @property
    def nbytes(self) -> int:
        """Bytes of all outputs held."""

    def info(self) -> Info:
        """Workers, threads, memory, versions."""

    def wait_for_workers(self, count: int, timeout: float | None) -> None:
        """Wait until there are so many workers."""

    def run(self, function: Callable[[], Any], workers: Sequence[str] | None) -> dict[str, Any]:
        """Call a function once on each worker; what it returned, by the worker's name."""

    def replicate(self, futures: Sequence[Future], workers: Sequence[str] | None) -> None:
        """Have copies of outputs on each worker."""

    # ---- published

    def publish(self, name: str, value: Any, *, override: bool) -> None:
        """Keep a value, and the futures in it, for whoever asks for it by name."""

    def unpublish(self, name: str) -> None:
        """Let go of it again."""

    def published(self) -> list[str]:
        """The names that there are."""

    def get_published(self, name: str, make_future: Callable[[Submission, int], Future]) -> Any:
        """The value of that name, with futures of the client that asks in the places of those that were in it."""

    # ---- its end

    def stop(self) -> None:
        """End, without waiting for it; also called as the interpreter ends."""

    def close(self) -> None:
        """End, and wait for it; pending computations are cancelled."""
