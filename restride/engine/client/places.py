"""From what a user says about where to compute to the engine that does so."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from restride.config import Settings
from restride.engine.client.engine import Engine
from restride.engine.embedded.embedded_engine import Embedded

if TYPE_CHECKING:
    from restride.engine.wire.security import Security


@dataclass(frozen=True, slots=True)
class Place:
    """Where to compute, as the arguments of `Client` say it."""

    where: Any
    threads: int | None = None
    workers: int | None = None
    threads_per_worker: int | None = None
    memory_limit: int | float | str | None = None
    security: Security | None = None
    timeout: float | None = None

    def __post_init__(self) -> None:
        kind = self.kind
        allowed = _ARGUMENTS.get(kind)
        if allowed is None:
            raise ValueError(
                "a client runs in 'threads' or 'inline', in 'processes' of its own, in one thread as a 'loop', in a "
                f"cluster, or where an address such as 'tcp://host:8786' leads, got {self.where!r}"
            )
        for name in ("threads", "workers", "threads_per_worker", "memory_limit", "security", "timeout"):
            if getattr(self, name) is not None and name not in allowed:
                fitting = f"it takes {', '.join(f'{name}=' for name in allowed)}" if allowed else "it takes no such"
                raise ValueError(f"{name}= means nothing for a client of {self.where!r}; {fitting}")

    @property
    def kind(self) -> str:
        """Which of the ways to run it is."""
        if not isinstance(self.where, str):
            of = {"scheduler_address": "cluster", "runs_task_here": "engine"}
            return next((kind for name, kind in of.items() if hasattr(self.where, name)), "")
        return "address" if "://" in self.where else self.where


_ARGUMENTS: dict[str, tuple[str, ...]] = {
    "threads": ("threads",),
    "inline": ("threads",),
    "loop": ("workers",),
    "processes": ("workers", "threads_per_worker", "memory_limit", "security", "timeout"),
    "cluster": ("timeout",),
    "engine": (),
    "address": ("security", "timeout"),
}
"""Way to run -> which arguments mean something there."""


def open_engine(place: Place, settings: Settings) -> Engine:
    """Start, or connect to, the engine of a place.

    Raises
    ------
    ValueError
        Impossible numbers of threads or workers, or an address that is none.
    ConnectError
        Nobody answers at the address.
    VersionError
        Somebody does, with versions of Python or libraries that do not go together with these.
    """
    match place.kind:
        case "threads" | "inline":
            return Embedded(
                _thread_count(place.kind, place.threads, settings.threads),
                horizon=settings.horizon,
                validate=settings.validate,
            )
        case "engine":
            running: Engine = place.where
            return running
        case "loop":
            from restride.engine.distributed.all_in_one import AllInOne  # noqa: PLC0415  loads on first use

            return AllInOne(place.workers if place.workers is not None else 2, settings=settings)
        case kind:
            return _remote(kind, place, settings)


def _remote(kind: str, place: Place, settings: Settings) -> Engine:
    from restride.engine.distributed.remote import RemoteEngine  # noqa: PLC0415  loads on first use
    from restride.engine.wire.security import Security  # noqa: PLC0415  the same

    if kind == "address":
        security = place.security if place.security is not None else Security.load()
        return RemoteEngine(place.where, security, settings=settings, timeout=place.timeout)
    if kind == "cluster":
        cluster = place.where
        return RemoteEngine(cluster.scheduler_address, cluster.security, settings=settings, timeout=place.timeout)

    from restride.engine.distributed.local import LocalCluster  # noqa: PLC0415  the same

    given = {
        name: value
        for name in ("workers", "threads_per_worker", "memory_limit", "security")
        if (value := getattr(place, name)) is not None
    }
    cluster = LocalCluster(**given)
    try:
        return RemoteEngine(
            cluster.scheduler_address, cluster.security, settings=settings, timeout=place.timeout, cluster=cluster
        )
    except BaseException:
        cluster.close()
        raise


def _thread_count(where: str, threads: int | None, default: int | None) -> int:
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
