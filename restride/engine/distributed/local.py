"""A cluster on this machine: a scheduler, a nanny and workers, gone with the process that made it.

::

    this process ── fork server ─┬─ scheduler
                                 ├─ nanny
                                 ├─ worker 0
                                 └─ worker 1 ...

The fork server ends everything when this process ends, by whatever means, or when the scheduler or the nanny does.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
import math
import os
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from restride.config import Settings, parse_bytes
from restride.engine.distributed.channel import Channel
from restride.engine.distributed.common import Common
from restride.engine.distributed.fork_server import ForkServer
from restride.engine.distributed.logs import check_level
from restride.engine.distributed.machine import count_cores, total_memory
from restride.engine.wire.address import parse_address
from restride.engine.wire.security import Security
from restride.errors import ClosedError, ClusterError, WaitTimeoutError

STARTUP = 60.0
"""Seconds after which a cluster that has not started never will."""
SCHEDULER, NANNY = 0, 1


class LocalCluster:
    """Processes of this machine that compute together, until they are closed or this process ends.

    Parameters
    ----------
    workers : int, optional
        Worker processes; by default as many as make one thread a core.
    threads_per_worker : int, optional
        Compute threads of each worker, 1 by default. 0: a worker computes in the thread of its event loop, for
        profilers.
    memory_limit : int, str or None, default "auto"
        Bytes of memory of each worker: a number, a text such as ``"4GiB"``, or None for no limit. ``"auto"``: an equal
        share of the machine's memory.
    listen : str or sequence of str, optional
        Addresses on which the scheduler listens beside a unix socket: any free port of the loopback interface by
        default, so that this machine alone can reach it.
    security : Security, optional
        The shared secret, and certificates for ``tls://`` addresses; a secret of its own by default.
    resources : mapping of str to float, optional
        What each worker has of things that tasks can ask for: ``{"GPU": 1}``.
    env : mapping of str to str, optional
        Environment variables to set in all processes before they start.
    log_level : str, default "warning"
        From which on the processes log, to the standard error of this one.

    Raises
    ------
    ValueError
        An impossible number, size or address.
    ClusterError
        The processes do not start; the message says what they said.

    Examples
    --------
    >>> import restride as rs
    >>> with rs.LocalCluster(workers=2) as cluster, rs.Client(cluster) as client:
    ...     client.submit(pow, 2, 3).result()
    8
    """

    def __init__(
        self,
        workers: int | None = None,
        threads_per_worker: int | None = None,
        memory_limit: int | str | None = "auto",
        *,
        listen: str | Sequence[str] | None = None,
        security: Security | None = None,
        resources: Mapping[str, float] | None = None,
        env: Mapping[str, str] | None = None,
        log_level: str = "warning",
    ) -> None:
        self._workers, self._threads = shape(workers, threads_per_worker)
        limit = memory_share(memory_limit, self._workers)
        check_resources(resources or {})
        self.security = Security.temporary() if security is None else security
        scheme = "tcp" if self.security.tls is None else "tls"
        public = [f"{scheme}://127.0.0.1:0"] if listen is None else [listen] if isinstance(listen, str) else [*listen]
        host = next((parsed.host for parsed in map(parse_address, public) if parsed.scheme != "unix"), "127.0.0.1")
        check_level(log_level)
        common = Common(self.security, Settings.current(), log_level)
        options = {
            "threads": self._threads,
            "memory_limit": limit,
            "resources": dict(resources or {}),
            "listen": [f"{scheme}://{host}:0"],
        }
        self._lock = threading.Lock()
        """Around a call of the nanny and its answer."""
        self._calls = itertools.count()
        self._fork_server = ForkServer.launch(env)
        self._channels: list[Channel] = []
        self._finalizer = weakref.finalize(self, _end, self._fork_server, self._channels, os.getpid())
        importlib.import_module("restride.engine.distributed.remote")  # which clients need: while the others start
        try:
            self.addresses = self._start_scheduler(common, public)
            self._nanny = self._start_nanny(common, options)
            self.wait_for_workers(min(1, self._workers), STARTUP)
        except BaseException:
            self.close()
            raise

    def __repr__(self) -> str:
        shape = f"{self._workers} workers x {self._threads} threads"
        return f"<LocalCluster: {self.scheduler_address}, {'closed' if self.closed else shape}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def scheduler_address(self) -> str:
        """The best of `addresses` for processes of this machine."""
        return self.addresses[0]

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return not self._finalizer.alive

    def close(self) -> None:
        """End all processes, also those that are in the middle of a task, and remove what they have left."""
        self._finalizer()

    def scale(self, workers: int) -> None:
        """Start more workers, or end some: the newest ones.

        Parameters
        ----------
        workers : int
            How many there shall be; `wait_for_workers` waits until they can be used.

        Raises
        ------
        ValueError
            A negative number.
        ClusterError
            The cluster's processes have ended.
        """
        if workers < 0:
            raise ValueError(f"a cluster cannot have {workers} workers")
        self._call({"scale": workers}, STARTUP)
        self._workers = workers

    def wait_for_workers(self, count: int | None = None, timeout: float | None = None) -> None:
        """Wait until workers have registered with the scheduler.

        Parameters
        ----------
        count : int, optional
            How many; by default all that there shall be.
        timeout : float, optional
            Seconds to wait; for ever by default.

        Raises
        ------
        WaitTimeoutError
            Less of them have in that time.
        ClusterError
            The cluster's processes have ended.
        """
        count = self._workers if count is None else count
        deadline = None if timeout is None else time.monotonic() + timeout
        ready = 0
        while ready < count:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            ready = self._call({"wait": count, "timeout": left}, None if left is None else left + STARTUP)["workers"]
            if ready < count and deadline is not None and time.monotonic() >= deadline:
                raise WaitTimeoutError(f"{ready} of {count} workers are there after {timeout:g} s")

    # ---- inner parts

    def _start_scheduler(self, common: Common, public: Sequence[str]) -> list[str]:
        spec = {**common.to_plain(), "listen": [f"unix://{self._fork_server.directory}/scheduler", *public]}
        leash = self._fork_server.start(SCHEDULER, "scheduler", spec, name="scheduler", essential=True)
        self._channels.append(leash)
        addresses: list[str] = self._receive(leash, STARTUP)["addresses"]
        return addresses

    def _start_nanny(self, common: Common, options: Mapping[str, Any]) -> Channel:
        channel = self._fork_server.open_channel()
        spec = {
            **common.to_plain(),
            "scheduler": self.scheduler_address,
            "workers": self._workers,
            "worker": options,
            "directory": str(self._fork_server.directory),
        }
        leash = self._fork_server.start(NANNY, "nanny", spec, name="nanny", files=[channel.fileno()], essential=True)
        channel.close()
        self._channels.append(leash)
        return leash

    def _call(self, call: Mapping[str, Any], timeout: float | None) -> dict[str, Any]:
        """Ask the nanny for something, and wait for its answer."""
        with self._lock:
            if self.closed:
                raise ClosedError("this cluster is closed; make a new one with restride.LocalCluster()")
            number = next(self._calls)
            with contextlib.suppress(OSError):  # it has ended: what it said before comes first
                self._nanny.send({**call, "call": number})
            while True:
                answer = self._receive(self._nanny, timeout)
                if answer.get("answer") == number:  # not one that nobody waited for, as Ctrl-C came before it
                    return answer

    def _receive(self, leash: Channel, timeout: float | None) -> dict[str, Any]:
        try:
            content = leash.receive(timeout).content
        except EOFError:
            words = self._fork_server.last_words()
            raise ClusterError(f"the cluster's processes have ended{words}") from None
        except TimeoutError:
            raise ClusterError(f"the cluster's processes do not answer in {timeout:g} s") from None
        if "error" in content:
            raise ClusterError(f"the cluster cannot go on: {content['error']}")
        return content


def shape(workers: int | None, threads: int | None) -> tuple[int, int]:
    """Fill in how many workers, and threads of each, there shall be.

    Raises
    ------
    ValueError
        A number that cannot be.

    Examples
    --------
    >>> shape(3, None), shape(1, 4)
    ((3, 1), (1, 4))
    """
    threads = 1 if threads is None else threads
    if threads < 0:
        raise ValueError(f"a worker cannot have {threads} threads")
    workers = max(1, count_cores() // max(threads, 1)) if workers is None else workers
    if workers < 0:
        raise ValueError(f"a cluster cannot have {workers} workers")
    return workers, threads


def check_resources(resources: Mapping[str, float]) -> None:
    """Check what each worker shall have of things that tasks can ask for.

    Raises
    ------
    ValueError
        A name without letters, or an amount that cannot be.
    """
    for name, amount in resources.items():
        if not name or not 0 <= amount < math.inf:
            raise ValueError(f"a worker cannot have the resource {name!r} in the amount {amount}; amounts are from 0")


def memory_share(limit: int | str | None, workers: int) -> int | None:
    """Bytes of memory of each of some workers: as said, or an equal share of the machine's for ``"auto"``.

    Raises
    ------
    ValueError
        The text is no size.
    """
    if limit == "auto":
        return total_memory() // max(workers, 1)
    return None if limit is None else parse_bytes(limit)


def _end(fork_server: ForkServer, channels: Sequence[Channel], owner: int) -> None:
    if os.getpid() != owner:  # forked from the owner, whose cluster goes on
        return
    for channel in channels:
        channel.close()
    fork_server.close()
