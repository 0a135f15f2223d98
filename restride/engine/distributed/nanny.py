"""The nanny: has worker processes started, starts others in place of those that die, and speaks for them meanwhile.

A worker whose task holds the GIL cannot answer the scheduler, and one that has died cannot say so; the nanny, which
runs no tasks, does both. It starts and ends processes by its `ForkServer`, which also reaps them.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from restride.engine.distributed.channel import Channel
from restride.engine.distributed.common import Common
from restride.engine.distributed.fork_server import ForkServer
from restride.engine.distributed.liveness import LivenessPage
from restride.engine.messages import Deaf, Died, Replace, Vouch
from restride.engine.wire.session import Session
from restride.errors import ClusterError, ConnectError, RefusedError

logger = logging.getLogger("restride.nanny")

TRIES = 3
"""Processes that may die in one worker's place before they have registered, while no worker has."""
SETTLED = 1.0
"""Seconds after which a worker counts as well: when it dies later, that has nothing to do with how it was started."""
LONGEST_DELAY = 10.0
"""Seconds before a worker is started again, at most."""
BREATHLESS = 2.0
"""Seconds without a breath after which a worker that runs no task is not vouched for."""
DEAF_SECONDS = 1.0
"""Seconds without a breath after which a worker does not listen, whatever it is at."""
SECONDS_TO_END = 5.0
"""That a worker which is to go has to end by itself."""
RETRY = 0.2
"""Seconds between attempts to reach the scheduler."""


def restart_delay(strikes: int) -> float:
    """Seconds to wait before a worker is started again.

    Parameters
    ----------
    strikes : int
        How many processes in a row died in its place soon after they were started.

    Examples
    --------
    >>> [restart_delay(strikes) for strikes in (0, 1, 2, 3, 4, 20)]
    [0.0, 0.0, 0.2, 0.4, 0.8, 10.0]
    """
    return 0.0 if strikes < 2 else min(0.1 * 2 ** (strikes - 1), LONGEST_DELAY)


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """What the workers of one nanny have in common."""

    threads: int
    memory_limit: int | None
    """Bytes each; None for no limit."""
    resources: Mapping[str, float] = field(default_factory=dict)
    listen: Sequence[str] = ("tcp://127.0.0.1:0",)
    """Where each serves others, beside a unix socket."""


@dataclass(slots=True)
class WorkerProcess:
    """A worker's process, from when it was asked for until it has ended."""

    number: int
    name: str
    page: LivenessPage
    leash: Channel
    socket: Path
    strikes: int
    """How many died in its place before, soon after they were started."""
    pid: int | None = None
    ready_at: float | None = None
    """Time at which it had registered."""
    wanted: bool = True
    """Whether it was not asked to end."""
    replaced: bool = False
    """Whether another shall take its place although it was asked to end."""
    over: bool = False
    """Whether the scheduler has sent it home."""
    error: str | None = None
    """What it said before it ended."""


class Nanny:
    """Looks after the workers of one machine; everything in the thread of its event loop.

    Parameters
    ----------
    scheduler : str
        Address of the scheduler; workers and nanny wait for it where nobody listens there yet.
    fork_server : ForkServer
        Which starts the processes; the nanny's from now on.
    options : WorkerOptions
    common : Common
    name : str
        Of the nanny.
    prefix : str
        What the names of its workers begin with; a number follows.

    Examples
    --------
    ``restride worker`` is little more than::

        nanny = Nanny(address, ForkServer.launch(), options, common)
        nanny.scale(4)
        await nanny.start()
        await nanny.closed()
    """

    def __init__(
        self,
        scheduler: str,
        fork_server: ForkServer,
        options: WorkerOptions,
        common: Common,
        *,
        name: str,
        prefix: str = "",
    ) -> None:
        self.scheduler = scheduler
        self.name = name
        self._prefix = prefix
        self._fork_server = fork_server
        self._options = options
        self._common = common
        self._numbers = itertools.count()
        self._workers: dict[int, WorkerProcess] = {}
        self._restarts: set[asyncio.TimerHandle] = set()
        self._target = 0
        self._any_ready = False
        self._changed = asyncio.Event()
        self._end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._session: Session | None = None
        self._untold: list[Died] = []
        """Deaths from before the scheduler could be reached."""
        self._vouching: asyncio.TimerHandle | None = None
        self._heartbeat = 1.0
        self._looked = 0.0
        """When it last looked whether its workers live."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(fork_server.channel.fileno(), self._hear_fork_server)

    # ---- what it does on request

    async def start(self) -> None:
        """Reach the scheduler, however long that takes, and tell it of the workers; unless it is all over before.

        Raises
        ------
        RefusedError
            The scheduler refuses: another secret, or a version that does not go together with this one.
        """
        said = False
        while self._session is None and not self._end.done():
            try:
                session = await Session.open(
                    self.scheduler,
                    self._common.security,
                    {"role": "nanny", "name": self.name, "workers": self.names},
                    self._common.settings,
                    on_message=self._hear_scheduler,
                    on_lost=self._lost,
                )
            except RefusedError:
                raise
            except ConnectError as error:
                if not said:
                    logger.info("waiting for the scheduler: %s", error)
                said = True
                await asyncio.sleep(RETRY)
            else:
                self._session = session
        if self._session is None:
            return
        self._heartbeat = float(self._session.welcome.get("heartbeat", self._heartbeat))
        for died in self._untold:
            self._session.send(died)
        self._looked = self._loop.time()
        self._vouch()

    async def closed(self) -> None:
        """Wait until there is nothing more to look after.

        Raises
        ------
        ClusterError
            Workers cannot be started, or the scheduler is lost.
        """
        await asyncio.shield(self._end)

    async def stop(self) -> None:
        """End all workers, then itself."""
        self._finish(None)
        self._target = 0
        for timer in [*self._restarts, *([self._vouching] if self._vouching else [])]:
            timer.cancel()
        self._loop.remove_reader(self._fork_server.channel.fileno())
        await self._loop.run_in_executor(None, self._fork_server.close)
        for worker in list(self._workers.values()):
            if self._fork_server.owned:  # otherwise the scheduler ends at the same time
                self._tell_scheduler(Died(worker.name, "ended with its nanny", worker.page.running, expected=True))
            self._forget(worker)
        if self._session is not None:
            self._session.close()
            await self._session.wait_closed()

    def scale(self, count: int) -> None:
        """Have so many workers: start more, or end the newest ones."""
        self._target = count
        alive = [worker for worker in self._workers.values() if worker.wanted]
        for _ in range(count - len(alive)):
            self._start_worker(0)
        for worker in alive[count:]:
            self._end_worker(worker)

    @property
    def names(self) -> list[str]:
        """Names of the workers whose processes have not ended."""
        return [worker.name for worker in self._workers.values()]

    @property
    def ready(self) -> int:
        """How many workers have registered with the scheduler."""
        return sum(worker.ready_at is not None and worker.wanted for worker in self._workers.values())

    async def wait_for_workers(self, count: int, timeout: float | None) -> None:
        """Wait until so many workers have registered with the scheduler.

        Raises
        ------
        TimeoutError
            They have not in so many seconds.
        """
        async with asyncio.timeout(timeout):
            while self.ready < count:
                self._changed.clear()
                await self._changed.wait()

    # ---- what it hears

    def _hear_scheduler(self, session: Session, message: Any) -> None:
        match message:
            case Replace(name, reason):
                for worker in self._workers.values():
                    if worker.name == name and worker.wanted:
                        logger.info("replacing worker %s: %s", name, reason)
                        worker.wanted, worker.replaced = False, True
                        self._fork_server.signal(worker.number, signal.SIGKILL)
            case _:
                logger.error("the scheduler sent what a nanny does not understand: %r", type(message).__name__)

    def _lost(self, session: Session, reason: str | None) -> None:
        if reason is None:
            logger.info("the scheduler at %s has ended", self.scheduler)
            self._finish(None)
        else:
            self._finish(f"the scheduler at {self.scheduler} is lost: {reason}")

    def _hear_fork_server(self) -> None:
        try:
            notes = self._fork_server.channel.receive_now()
        except EOFError:
            self._loop.remove_reader(self._fork_server.channel.fileno())
            self._finish(f"the process that starts workers has ended{self._fork_server.last_words()}")
            return
        for note in notes:
            match note.content:
                case {"started": int() as number, "pid": int() as pid}:
                    self._workers[number].pid = pid
                    logger.info("worker %s has process %d", self._workers[number].name, pid)
                case {"ended": int() as number, "status": int() as status}:
                    self._ended(self._workers[number], _in_words(status))
                case {"failed": int() as number, "reason": str() as reason}:
                    self._ended(self._workers[number], reason)

    def _hear_worker(self, worker: WorkerProcess) -> None:
        try:
            notes = worker.leash.receive_now()
        except EOFError:
            self._loop.remove_reader(worker.leash.fileno())
            return
        for note in notes:
            match note.content:
                case {"ready": True}:
                    worker.ready_at = self._loop.time()
                    self._any_ready = True
                    self._changed.set()
                case {"over": True}:
                    worker.over = True
                case {"error": str() as error}:
                    worker.error = error

    # ---- workers

    def _start_worker(self, strikes: int) -> None:
        number = next(self._numbers)
        name = f"{self._prefix}{number}"
        page = LivenessPage.create(self._options.threads)
        path = self._fork_server.directory / f"worker-{number}"
        spec = {
            **self._common.to_plain(),
            "scheduler": self.scheduler,
            "name": name,
            "threads": self._options.threads,
            "memory_limit": self._options.memory_limit,
            "resources": dict(self._options.resources),
            "listen": [f"unix://{path}", *self._options.listen],
            "nanny": self.name,
        }
        leash = self._fork_server.start(number, "worker", spec, name=f"worker-{name}", files=[page.file])
        worker = self._workers[number] = WorkerProcess(number, name, page, leash, path, strikes)
        self._loop.add_reader(leash.fileno(), self._hear_worker, worker)

    def _end_worker(self, worker: WorkerProcess) -> None:
        worker.wanted = False
        self._fork_server.signal(worker.number, signal.SIGTERM)
        self._loop.call_later(SECONDS_TO_END, self._fork_server.signal, worker.number, signal.SIGKILL)

    def _ended(self, worker: WorkerProcess, reason: str) -> None:
        self._hear_worker(worker)  # its last words
        expected = worker.over or not worker.wanted
        self._tell_scheduler(Died(worker.name, reason, worker.page.running, expected))
        self._forget(worker)
        if worker.replaced:
            self._start_worker(0)
        elif expected:
            logger.info("worker %s has ended", worker.name)
            if worker.over and not self._workers:
                self._finish(None)  # the scheduler has come and gone before this nanny could reach it
        else:
            self._died(worker, reason)
        self._changed.set()

    def _died(self, worker: WorkerProcess, reason: str) -> None:
        settled = worker.ready_at is not None and self._loop.time() - worker.ready_at >= SETTLED
        strikes = 0 if settled else worker.strikes + 1
        if worker.ready_at is not None:  # it can be started: what it ran has killed it, or somebody has
            strikes = min(strikes, 2)
        why = f"{reason}: {worker.error.strip()}" if worker.error else reason
        if strikes >= TRIES and not self._any_ready:
            self._finish(f"worker {worker.name} cannot be started, it was tried {strikes} times; the last one {why}")
            return
        logger.warning("worker %s (process %s) %s; starting another", worker.name, worker.pid, why)
        timer = self._loop.call_later(restart_delay(strikes), self._restart, strikes)
        self._restarts.add(timer)

    def _restart(self, strikes: int) -> None:
        self._restarts = {timer for timer in self._restarts if timer.when() > self._loop.time()}
        if sum(worker.wanted for worker in self._workers.values()) < self._target:
            self._start_worker(strikes)

    def _forget(self, worker: WorkerProcess) -> None:
        """Let go of what its process had."""
        del self._workers[worker.number]
        self._loop.remove_reader(worker.leash.fileno())
        worker.leash.close()
        worker.page.close()
        worker.socket.unlink(missing_ok=True)

    # ---- what it says

    def _vouch(self) -> None:
        alive = [worker.name for worker in self._workers.values() if worker.pid is not None and _lives(worker)]
        self._tell_scheduler(Vouch(alive))
        now = self._loop.time()
        late = max(now - self._looked - self._heartbeat, 0.0)  # while this process did not run, others may not have
        self._looked = now
        ready = [worker for worker in self._workers.values() if worker.ready_at is not None]
        deaf = [worker for worker in ready if worker.page.seconds_since_breath - late > DEAF_SECONDS]
        if deaf:
            running = np.concatenate([worker.page.running for worker in deaf])
            self._tell_scheduler(Deaf([worker.name for worker in deaf], running))
        self._vouching = self._loop.call_later(self._heartbeat, self._vouch)

    def _tell_scheduler(self, message: Deaf | Died | Vouch) -> None:
        if self._session is not None:
            self._session.send(message)
        elif isinstance(message, Died):
            self._untold.append(message)

    def _finish(self, error: str | None) -> None:
        if not self._end.done():
            if error is None:
                self._end.set_result(None)
            else:
                self._end.set_exception(ClusterError(error))
        self._changed.set()


def _lives(worker: WorkerProcess) -> bool:
    """Whether a worker's process can be expected to go on: it breathes or runs a task, and nobody has stopped it."""
    if worker.page.seconds_since_breath > BREATHLESS and not len(worker.page.running):
        return False
    try:
        stopped: bool = psutil.Process(worker.pid).status() == psutil.STATUS_STOPPED
    except psutil.NoSuchProcess:
        return False  # its end is being reported
    return not stopped


def _in_words(status: int) -> str:
    """How a process has ended, from its exit code; negative where a signal ended it."""
    if status >= 0:
        return f"ended with exit code {status}"
    try:
        return f"killed by signal {-status} ({signal.Signals(-status).name})"
    except ValueError:
        return f"killed by signal {-status}"
