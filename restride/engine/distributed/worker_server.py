"""A worker's process: messages on an event loop, tasks on compute threads, one `WorkerState` between them.

The loop's thread takes in what the scheduler and other workers send, under the lock that compute threads settle and
claim under. Tasks for which it is not worth to wake a thread it runs itself; without compute threads it runs all of
them, a few milliseconds at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import psutil

from restride.config import Settings
from restride.engine.distributed.calls import answer_call
from restride.engine.distributed.outgoing import REPORT_SECONDS, Outgoing
from restride.engine.distributed.peers import Peers
from restride.engine.memory import LOOK_SECONDS, SpareMemory, release_unused
from restride.engine.messages import Fetch, Heartbeat, Outputs, Request, Undeliverable, Withdraw, Workers
from restride.engine.serialize import dump_exception, load_values
from restride.engine.versions import versions
from restride.engine.wire.address import host_id
from restride.engine.wire.connection import Connection
from restride.engine.wire.listen import Attach, Listener
from restride.engine.wire.security import Security
from restride.engine.wire.session import Session
from restride.engine.worker.claims import NO_TASK
from restride.engine.worker.compute_threads import ComputeThreads, make_calls
from restride.engine.worker.kernels import KernelCache
from restride.engine.worker.sizes import size_of
from restride.engine.worker.state import WorkerState
from restride.errors import ConnectError, InternalError, RefusedError, SerializationError, WireError

logger = logging.getLogger("restride.worker")

BREATH_SECONDS = 0.1
"""How often the loop says that it runs, and looks at the memory."""
SWITCH_SECONDS = 5e-5
"""How long the loop's thread waits for the GIL at most, unless a task runs in C."""
SLICE_SECONDS = 5e-3
"""Without compute threads, tasks have the loop for so long at a time."""
QUICK_SECONDS = 1e-3
"""With them, tasks that take next to no time have it for so long at a time, while threads sleep."""
RETRY_SECONDS = 0.2
"""Pause between tries to reach a scheduler that is not there yet."""
PAUSE_AT, RESUME_AT = 0.8, 0.7
"""Parts of the memory limit above which tasks without inputs do not begin, and below which they do again."""

_servers: list[WorkerServer] = []
"""Those that run in this process."""


class WorkerServer:
    """A worker that registers with a scheduler.

    Parameters
    ----------
    scheduler : str
        Address of the scheduler; it need not be there yet.
    name : str, optional
        Unique in the cluster; made up by default.
    threads : int
        Compute threads; with 0 tasks run on the event loop.
    memory_limit : int, optional
        Bytes of memory that the process should not exceed.
    resources : mapping of str to float, optional
        What there is for tasks that need something for themselves: ``{"GPU": 1}``.
    security : Security
    listen : sequence of str, optional
        Addresses where others get outputs, the best first; by default a unix socket in a temporary directory, and any
        port of the loopback interface.
    nanny : str, optional
        Name of the nanny that looks after this process.
    liveness : memoryview of int64, optional
        Where to say that the process lives and what it runs, see `restride.engine.distributed.liveness`.
    settings : Settings, optional

    Attributes
    ----------
    name : str
    state : WorkerState
        To touch under `lock` only.
    """

    def __init__(
        self,
        scheduler: str,
        *,
        name: str | None = None,
        threads: int = 1,
        memory_limit: int | None = None,
        resources: Mapping[str, float] | None = None,
        security: Security,
        listen: Sequence[str] | None = None,
        nanny: str | None = None,
        liveness: memoryview | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.name = name or f"worker-{uuid.uuid4().hex[:8]}"
        self.scheduler, self.threads, self.nanny = scheduler, threads, nanny
        self.memory_limit, self.resources = memory_limit, dict(resources or {})
        self.settings = settings or Settings.current()
        self._security, self._listen, self._liveness = security, listen, liveness
        self.state = WorkerState(
            max(threads, 1), -1, resources=self.resources, kernels=KernelCache(f"worker {self.name}")
        )
        self._outgoing = Outgoing(self.state, self._send, self._send_to, self._fault)
        self._compute = ComputeThreads(self._outgoing, self.state, threads, liveness)
        self.lock = self._compute.lock
        self._process = psutil.Process()
        self._spare = SpareMemory()
        self._session: Session | None = None
        self._directory: str | None = None
        self._listeners: list[Listener] = []
        self._callers: set[Connection] = set()
        """Connections that others have made to get outputs."""
        self._timers: dict[Callable[[], None], asyncio.TimerHandle] = {}
        self._slice: asyncio.Handle | None = None
        self._heartbeat = self.settings.heartbeat
        self._saves_memory = False
        self._at: set[int] = set()
        """Tasks that ran at the last breath."""
        self._switch_interval: float | None = None
        self._ending: asyncio.Task[None] | None = None
        self._error: Exception | None = None

    def __repr__(self) -> str:
        return f"<WorkerServer {self.name}: {self.threads} threads, scheduler {self.scheduler}>"

    # ---- what runs in its process may ask

    @property
    def number(self) -> int:
        """Which of the scheduler's workers it is; -1 before it has registered."""
        return -1 if self.state.number is None else self.state.number

    @property
    def addresses(self) -> list[str]:
        """Where others get outputs."""
        return [listener.address for listener in self._listeners]

    @property
    def runs_task_here(self) -> bool:
        """Whether the calling thread runs a task of this worker."""
        return self._compute.runs_task_here

    def blocking(self, over: Callable[[], bool]) -> AbstractContextManager[None]:
        """Around a wait for other tasks; see `ComputeThreads.blocking`."""
        return self._compute.blocking(over)

    def info(self) -> dict[str, Any]:
        """How it is, in plain values."""
        with self.lock:
            counts = {
                "nbytes": self.state.store.nbytes,
                "outputs": len(self.state.store),
                "placed": len(self.state.tasks),
                "ready": len(self.state.ready),
            }
        return {
            "name": self.name,
            "number": self.number,
            "pid": os.getpid(),
            "threads": self.threads,
            "memory": self._process.memory_info().rss,
            "memory_limit": self.memory_limit,
            "addresses": self.addresses,
            "running": self._compute.running,
            **counts,
        }

    # ---- beginning and end

    async def start(self) -> None:
        """Register with the scheduler, as soon as there is one.

        Raises
        ------
        ConnectError
            The scheduler refuses: another secret, other versions, a name that is taken.
        OSError
            An address cannot be listened on.
        """
        self._loop = asyncio.get_running_loop()
        self._over = self._loop.create_future()
        self._peers = Peers(
            self._security, {"role": "peer", "host": host_id(), "name": self.name}, self.settings,
            self._receive_from_peer, self._ask_again,
        )  # fmt: skip
        _servers.append(self)
        if self.threads:
            self._switch_interval = sys.getswitchinterval()
            sys.setswitchinterval(SWITCH_SECONDS)
        try:
            for address in self._listen or self._own_addresses():
                listener = Listener(address, self._security, self._on_hello, self.settings)
                await listener.start()
                self._listeners.append(listener)
            self._compute.start()
            self._breathe()
            self._return_memory()
            self._session = await self._register()
        except BaseException:
            await self.stop()
            raise
        self._note_welcome(self._session)
        self._beat()
        logger.info("worker %s is number %d of %s", self.name, self.number, self.scheduler)

    async def closed(self) -> None:
        """Wait until it has ended.

        Raises
        ------
        Exception
            What it ended for, unless the scheduler, or `stop`, has told it to.
        """
        await asyncio.shield(self._over)
        if self._error is not None:
            raise self._error

    async def stop(self) -> None:
        """Say goodbye and end; tasks that run are left to themselves."""
        self._end(None)
        await asyncio.shield(self._over)

    def _end(self, error: Exception | None) -> None:
        if self._ending is None:
            self._error = error
            self._ending = self._loop.create_task(self._shut())

    async def _shut(self) -> None:
        self._compute.stop()
        for timer in (*self._timers.values(), self._slice):
            if timer is not None:
                timer.cancel()
        for listener in self._listeners:
            await listener.stop()
        for caller in list(self._callers):
            caller.close()
        if self._session is not None:
            self._session.close()
            await self._session.wait_closed()
        await self._peers.close()
        await asyncio.gather(*(caller.wait_closed() for caller in list(self._callers)))
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
        if self._switch_interval is not None:
            sys.setswitchinterval(self._switch_interval)
        _servers.remove(self)
        self._over.set_result(None)

    def _own_addresses(self) -> list[str]:
        self._directory = tempfile.mkdtemp(prefix="restride-")  # which only its owner can enter
        return [f"unix://{self._directory}/{self.name.replace('/', '_')}", "tcp://127.0.0.1:0"]

    # ---- the scheduler

    async def _register(self) -> Session:
        hello = {
            "role": "worker",
            "name": self.name,
            "threads": self.threads,
            "memory_limit": self.memory_limit,
            "addresses": self.addresses,
            "host": host_id(),
            "pid": os.getpid(),
            "nanny": self.nanny,
            "resources": self.resources,
            "versions": dict(versions()),
        }
        waited = False
        while True:
            try:
                return await Session.open(
                    self.scheduler, self._security, hello, self.settings,
                    on_message=self._receive, on_lost=self._scheduler_lost,
                )  # fmt: skip
            except RefusedError:
                raise
            except ConnectError as error:
                if not waited:
                    logger.warning("worker %s waits for its scheduler: %s", self.name, error)
                waited = True
                await asyncio.sleep(RETRY_SECONDS)

    def _note_welcome(self, session: Session) -> None:
        if self.number < 0:
            self._session = session
            self.state.number = int(session.welcome["number"])
            self._heartbeat = float(session.welcome["heartbeat"])

    def _scheduler_lost(self, session: Session, reason: str | None) -> None:
        if reason is None:
            logger.info("worker %s ends, as its scheduler does", self.name)
            self._end(None)
        else:
            logger.error("worker %s ends, as it has lost its scheduler: %s", self.name, reason)
            self._end(ConnectError(f"the scheduler at {self.scheduler} is lost: {reason}"))

    def _fault(self, error: Exception) -> None:
        logger.critical("worker %s has failed; this is a bug in restride, please report it", self.name, exc_info=error)
        self._compute.stop()
        wrapped = InternalError(f"worker {self.name} has failed: {error!r}")
        with contextlib.suppress(RuntimeError):  # the loop is closed: all is over anyway
            self._loop.call_soon_threadsafe(self._end, wrapped)

    def _send(self, message: Any) -> None:
        if self._session is not None:
            self._session.send(message)

    def _send_to(self, number: int, message: Any) -> None:
        self._peers.send(number, message)

    def _receive(self, session: Session, message: Any) -> None:
        self._note_welcome(session)
        match message:
            case Workers():
                self._peers.learn(message)
            case Request():
                answer_call(self, message, self._send)
            case _:
                self._take_in(lambda state: state.receive(message))

    def _take_in(self, change: Callable[[WorkerState], None]) -> None:
        """Change the state in the loop's thread, and have done what follows from that."""
        with self.lock:
            unreported = self.state.has_unreported
            change(self.state)
            if self.settings.validate:
                self.state.audit()
            self._outgoing.exchange_if_due()
            calls = self._outgoing.take_calls()
            to_do = bool(self.state.ready) or (self.state.has_unreported and not unreported)
        make_calls(calls)
        if to_do:
            self._wake()

    # ---- other workers, and clients

    def _on_hello(self, hello: Mapping[str, Any]) -> tuple[dict[str, Any], Attach]:
        if hello.get("role") != "peer":
            raise WireError(f"a worker sends outputs to peers; {hello.get('role')!r} had better ask the scheduler")
        number = self.number
        return {"name": self.name, "number": number if number >= 0 else None}, self._attach_caller

    def _attach_caller(self, connection: Connection) -> None:
        self._callers.add(connection)
        connection.start(self._receive_from_caller, self._caller_gone)

    def _receive_from_caller(self, connection: Connection, message: Any) -> None:
        match message:
            case Fetch(ids):
                self._take_in(lambda state: state.asked.ask(connection, ids.tolist()))
            case Withdraw(ids):
                self._take_in(lambda state: state.asked.withdraw(connection, ids.tolist()))
            case Outputs():
                self._take_scattered(connection, message)
            case _:
                raise WireError(f"{connection.peer} sent {type(message).__name__}, which is not for a worker")

    def _caller_gone(self, connection: Connection, reason: str | None) -> None:
        self._callers.discard(connection)
        with self.lock:
            self.state.asked.gone(connection)

    def _receive_from_peer(self, connection: Connection, message: Any) -> None:
        match message:
            case Outputs():
                self._take_outputs(connection, message)
            case Undeliverable(id, exception):
                self._take_in(lambda state: state.undeliverable(id, exception))
            case _:
                raise WireError(f"{connection.peer} sent {type(message).__name__}, which nobody has asked for")

    def _take_outputs(self, connection: Connection, message: Outputs) -> None:
        ids = message.ids.tolist()
        try:
            values = load_values(message.head, message.buffers)
        except SerializationError as error:
            self._take_unloadable(connection, message, error)
            return
        if len(values) != len(ids):
            raise WireError(f"{connection.peer} sent {len(values)} outputs under {len(ids)} ids")
        sizes = list(map(size_of, values))
        self._take_in(lambda state: state.fetched(ids, values, sizes))

    def _take_scattered(self, connection: Connection, message: Outputs) -> None:
        """A client sends what it has scattered, one at a time."""
        id = int(message.ids[0])
        try:
            (value,) = load_values(message.head, message.buffers)
        except SerializationError as error:
            why = SerializationError(f"what was scattered cannot be had on worker {self.name}: {error}")
            why.__cause__ = error
            failure = dump_exception(why)
            self._take_in(lambda state: state.delivered(id, failure, None))
            return
        size = size_of(value)
        self._take_in(lambda state: state.delivered(id, value, size))

    def _take_unloadable(self, connection: Connection, message: Outputs, error: SerializationError) -> None:
        """Outputs of which one at least cannot be unpickled here: ask again for each by itself, to see which."""
        ids = message.ids
        if len(ids) > 1:
            for at in range(len(ids)):
                connection.send(Fetch(ids[at : at + 1]))
            return
        why = SerializationError(f"an input from {connection.peer} cannot be had on worker {self.name}: {error}")
        why.__cause__ = error
        self._take_in(lambda state: state.undeliverable(int(ids[0]), dump_exception(why)))

    def _ask_again(self, number: int) -> None:
        self._take_in(lambda state: state.copies.ask_again(number))

    # ---- computing on the loop

    def _wake(self) -> None:
        if self.threads:
            self._compute.compute_quick(QUICK_SECONDS)
        elif self._slice is None:
            self._slice = self._loop.call_soon(self._compute_slice)

    def _compute_slice(self) -> None:
        self._slice = None
        if self._compute.compute_for(SLICE_SECONDS):
            self._slice = self._loop.call_soon(self._compute_slice)
        elif self.state.has_unreported:
            self._slice = self._loop.call_later(REPORT_SECONDS, self._compute_slice)

    # ---- from time to time

    def _again(self, seconds: float, what: Callable[[], None]) -> None:
        self._timers[what] = self._loop.call_later(seconds, what)

    def _breathe(self) -> None:
        """Say that the loop runs; look at the memory."""
        self._again(BREATH_SECONDS, self._breathe)
        if self._liveness is not None:
            self._liveness[0] = time.monotonic_ns()
        self._tell_if_behind()
        if self.memory_limit is not None:
            self._watch_memory(self.memory_limit)

    def _return_memory(self) -> None:
        self._again(LOOK_SECONDS, self._return_memory)
        self._spare.look()

    def _beat(self) -> None:
        self._again(self._heartbeat, self._beat)
        with self.lock:
            self.state.tick()
        self._tell_state()

    def _tell_state(self) -> None:
        with self.lock:
            nbytes, ready = self.state.store.nbytes, self.state.claims.waiting
        self._send(Heartbeat(nbytes, self._process.memory_info().rss, self._compute.running, ready))

    def _tell_if_behind(self) -> None:
        """Say so if a task has run since the last breath and others wait: some may be better off elsewhere."""
        with self.lock:
            at = {slot[0] for slot in self.state.claims.slots.values()} - {NO_TASK}
            behind = bool(at & self._at) and self.state.claims.waiting > 0
        self._at = at
        if behind:
            self._tell_state()

    def _watch_memory(self, limit: int) -> None:
        used = self._process.memory_info().rss
        if used > PAUSE_AT * limit:
            release_unused()
            used = self._process.memory_info().rss
        if not self._saves_memory and used > PAUSE_AT * limit:
            logger.warning(
                "worker %s takes %d MB of %d MB: tasks without inputs wait", self.name, used / 1e6, limit / 1e6
            )
            self._save_memory(True)
        elif self._saves_memory and used < RESUME_AT * limit:
            logger.info("worker %s takes %d MB of %d MB: all tasks run again", self.name, used / 1e6, limit / 1e6)
            self._save_memory(False)

    def _save_memory(self, saves: bool) -> None:
        self._saves_memory = saves
        self._take_in(lambda state: state.save_memory(saves))


def current_worker() -> WorkerServer | None:
    """The worker that the calling task runs on; None outside of workers' processes."""
    for server in _servers:
        if server.runs_task_here:
            return server
    return _servers[0] if len(_servers) == 1 else None
