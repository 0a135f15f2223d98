"""The scheduler's process: messages in, `SchedulerState`, messages out.

Everything happens on one event loop. What comes in one turn of the loop is taken in at once; then, once, the effects
leave. So messages are batched while there is much to do, and not delayed where there is little. Nothing is unpickled
here: kernels, parameters, results and exceptions pass through as bytes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from restride.config import Settings
from restride.engine.distributed.members import ClientMember, Member, NannyMember, WorkerMember
from restride.engine.distributed.requests import Requests
from restride.engine.graphs.csr import Ints
from restride.engine.graphs.options import Options
from restride.engine.graphs.packed import packed_kernels, unpack
from restride.engine.messages import (
    Accepted,
    Blob,
    Broken,
    Cancel,
    Deaf,
    Died,
    Done,
    Drop,
    Failed,
    Finished,
    ForgetKernels,
    GivenBack,
    Heartbeat,
    Kernels,
    PackedBroken,
    PackedFailure,
    Rejected,
    Release,
    Replace,
    Reply,
    Request,
    Stop,
    Stopped,
    Submit,
    ToClient,
    ToWorker,
    Undeliverable,
    Vouch,
    Workers,
)
from restride.engine.scheduler.placement import MOST_TASKS_AFAR
from restride.engine.scheduler.state import SchedulerState
from restride.engine.wire.listen import Listener
from restride.engine.wire.security import Security
from restride.engine.wire.session import Session, SessionTable
from restride.errors import GraphError, RestrideError, WireError

IDLE_SECONDS = 2e-4
"""A message that comes after so long is not kept waiting for others."""
_LAZY = (Kernels, Drop, ForgetKernels)
"""What is sent along with the next tasks: the sooner these are there, and with fewer messages, the better."""

logger = logging.getLogger("restride.scheduler")

STOP_SECONDS = 1.0
"""How long a cancelled task may go on before its worker is replaced."""


class SchedulerServer:
    """A scheduler that processes connect to.

    Parameters
    ----------
    listen : sequence of str
        Addresses to listen on; a port of 0 means any that is free.
    security : Security
    settings : Settings, optional
    """

    def __init__(self, listen: Sequence[str], security: Security, settings: Settings | None = None) -> None:
        self.settings = settings or Settings.current()
        self.state = SchedulerState(
            horizon=self.settings.horizon,
            validate=self.settings.validate,
            most_tasks=MOST_TASKS_AFAR,
            lineage=True,
        )
        self.workers: dict[int, WorkerMember] = {}
        self.clients: dict[int, ClientMember] = {}
        self.nannies: dict[str, NannyMember] = {}
        self._sessions = SessionTable(self._open, self.settings)
        self._listeners = [Listener(address, security, self._sessions.on_hello, self.settings) for address in listen]
        self._requests = Requests(self)
        self._next_client = 0
        self._next_stop = 0
        self._stopping: dict[int, asyncio.TimerHandle] = {}
        self._accepted: list[tuple[ClientMember, Accepted]] = []
        """Jobs that their clients have not been told the ids of: tasks go out first."""
        self._results: dict[int, Blob] = {}
        """Small outputs that have come with the news of them, to go along with it."""
        self._flushing = False
        self._flushed = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self._looked = 0.0
        """When it last looked after the workers."""
        self._closed: asyncio.Future[None] | None = None

    @property
    def addresses(self) -> list[str]:
        """Where it listens."""
        return [listener.address for listener in self._listeners]

    async def start(self) -> None:
        """Listen.

        Raises
        ------
        OSError
            An address cannot be listened on.
        """
        self._loop = asyncio.get_running_loop()
        self._closed = self._loop.create_future()
        for listener in self._listeners:
            await listener.start()
        self._looked = self._loop.time()
        self._watch = self._loop.call_later(self.settings.heartbeat, self._look_after_workers)
        logger.info("scheduler listens on %s", ", ".join(self.addresses))

    async def stop(self) -> None:
        """Say goodbye to all, which ends workers, and end."""
        for listener in self._listeners:
            await listener.stop()
        for timer in (self._watch, *self._stopping.values()):
            if timer is not None:
                timer.cancel()
        await self._sessions.close()
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(None)
        logger.info("scheduler ends")

    async def closed(self) -> None:
        """Wait until it has been stopped.

        Raises
        ------
        Exception
            It could not go on; what broke it.
        """
        assert self._closed is not None
        await self._closed

    # ---- members come and go

    def _open(self, session: Session, hello: Mapping[str, Any]) -> dict[str, Any]:
        """Somebody registers; the welcome for it."""
        role = hello.get("role")
        opened = {"worker": self._open_worker, "client": self._open_client, "nanny": self._open_nanny}
        if role not in opened:
            raise WireError(f"a scheduler talks to workers, clients and nannies, not to {role!r}")
        try:
            welcome = opened[role](session, hello)
        except (KeyError, TypeError, ValueError) as error:
            raise WireError(f"the hello of a {role} is malformed: {error!r}") from None
        session.on_message = self._receive
        session.on_lost = self._lost
        return welcome

    def _open_worker(self, session: Session, hello: Mapping[str, Any]) -> dict[str, Any]:
        if any(worker.name == hello["name"] for worker in self.workers.values()):
            raise WireError(f"there is a worker {hello['name']!r} already")
        number = len(self.state.loads.threads)
        member = WorkerMember(number, session, hello, self._loop.time())
        if self.state.add_worker(max(int(hello["threads"]), 1), member.traits) != number:
            raise AssertionError("workers are numbered in the order of their coming")
        session.data = member
        self.workers[number] = member
        at = ", ".join(member.addresses)
        logger.info("worker %s with %d threads has come: %s", member.name, hello["threads"], at)
        self._introduce(session)
        self._announce(number, member.addresses)
        self._requests.workers_changed()
        self._flush_soon()
        return {"number": number, "heartbeat": self.settings.heartbeat}

    def _open_client(self, session: Session, hello: Mapping[str, Any]) -> dict[str, Any]:
        member = ClientMember(self._next_client, session, str(hello["name"]), bool(hello.get("nested")))
        self._next_client += 1
        session.data = member
        self.clients[member.number] = member
        logger.info("client %s has come", member.name)
        self._introduce(session)
        return {"number": member.number}

    def _open_nanny(self, session: Session, hello: Mapping[str, Any]) -> dict[str, Any]:
        member = NannyMember(session, str(hello["name"]))
        session.data = member
        self.nannies[member.name] = member
        logger.info("nanny %s has come", member.name)
        return {"heartbeat": self.settings.heartbeat}

    def _introduce(self, session: Session) -> None:
        """Tell a newcomer where workers can be reached."""
        known = [(worker.number, worker.addresses) for worker in self.workers.values()]
        numbers = np.array([number for number, _ in known], np.int64)
        session.send(Workers(numbers, [addresses for _, addresses in known]))

    def _announce(self, number: int, addresses: list[str]) -> None:
        """Tell all where a worker can be reached, nowhere if it is gone."""
        message = Workers(np.array([number]), [addresses])
        members: list[WorkerMember | ClientMember] = [*self.workers.values(), *self.clients.values()]
        for member in members:
            if not (isinstance(member, WorkerMember) and member.number == number):
                member.session.send(message)

    def _lost(self, session: Session, reason: str | None) -> None:
        """A member has said goodbye, or did not come back."""
        match session.data:
            case WorkerMember() as worker:
                self.lose_worker(worker, reason or "it said goodbye", expected=reason is None)
            case ClientMember() as client:
                logger.info("client %s is gone: %s", client.name, reason or "it said goodbye")
                self.clients.pop(client.number, None)
                cancelled = self.state.lose_client(client.number)
                if not client.nested:  # else whatever waits there for its own tasks would take its worker along
                    self._stop_tasks(cancelled)
                self._flush_soon()
            case NannyMember() as nanny:
                logger.info("nanny %s is gone: %s", nanny.name, reason or "it said goodbye")
                if self.nannies.get(nanny.name) is nanny:  # and not one that has come in its place
                    del self.nannies[nanny.name]

    def lose_worker(
        self, worker: WorkerMember, reason: str, running: Ints | None = None, *, expected: bool = False
    ) -> None:
        """A worker is gone; what it held is computed again where that is needed."""
        if self.workers.pop(worker.number, None) is None:
            return
        what = "worker %s is gone: %s; its outputs that are needed are computed again"
        logger.log(logging.INFO if expected else logging.WARNING, what, worker.name, reason)
        worker.session.close()
        self._announce(worker.number, [])
        self.state.lose_worker(worker.number, running)
        self._requests.worker_lost(worker.number)
        self._flush_soon()

    # ---- messages

    def _receive(self, session: Session, message: Any) -> None:
        member: Member = session.data
        match member:
            case WorkerMember():
                if member.number in self.workers:
                    member.seen = self._loop.time()
                    self.state.speaks(member.number)
                    self._from_worker(member, message)
            case ClientMember():
                self._from_client(member, message)
            case NannyMember():
                self._from_nanny(message)
        self._flush_soon()

    def _from_worker(self, worker: WorkerMember, message: Any) -> None:
        match message:
            case Finished():
                self._results.update(zip(message.result_ids.tolist(), message.results))
                self.state.finished(worker.number, message)
            case PackedFailure(id, attempt, exception):
                self.state.failed(worker.number, Failed(id, attempt, exception, None))
            case GivenBack():
                self.state.given_back(worker.number, message)
            case Heartbeat():
                worker.state = message
                if message.ready:
                    self.state.falls_behind(worker.number)
            case Stopped(number):
                timer = self._stopping.pop(number, None)
                if timer is not None:
                    timer.cancel()
            case Reply():
                self._requests.replied(worker.number, message)
            case _:
                raise WireError(f"a worker sent {type(message).__name__}, which is not for a scheduler")

    def _from_client(self, client: ClientMember, message: Any) -> None:
        match message:
            case Submit():
                self._submit(client, message)
            case Release(ids):
                self.state.release(ids, client.number)
            case Cancel(ids):
                self._stop_tasks(self.state.cancel(ids, client.number))
            case Request():
                self._requests.asked(client, message)
            case Undeliverable():
                self.state.undeliverable(client.number, message)
            case _:
                raise WireError(f"a client sent {type(message).__name__}, which is not for a scheduler")

    def _from_nanny(self, message: Any) -> None:
        match message:
            case Vouch(names):
                vouched = set(names)
                for worker in self.workers.values():
                    if worker.name in vouched:
                        worker.seen = self._loop.time()
            case Deaf(names, running):
                deaf = {worker.number: worker.name for worker in self.workers.values() if worker.name in names}
                for number in deaf.keys() - self.state.dispatch.deaf.keys():
                    logger.info("worker %s does not listen; others get what it has not begun", deaf[number])
                self.state.go_deaf(deaf, running)
            case Died(name, reason, running, expected):
                for worker in [worker for worker in self.workers.values() if worker.name == name]:
                    self.lose_worker(worker, reason, None if expected else running, expected=expected)
            case _:
                raise WireError(f"a nanny sent {type(message).__name__}, which is not for a scheduler")

    def _submit(self, client: ClientMember, message: Submit) -> None:
        try:
            options = Options.from_mapping(message.options)
            base = self.state.submit(
                unpack(message), client.number, message.inputs, nested=message.nested, options=options
            )
        except (GraphError, KeyError, TypeError, ValueError) as error:
            client.session.send(Rejected(message.token, str(error)))
        else:
            self._accepted.append((client, Accepted(message.token, base, self._warning(client, options))))

    def _warning(self, client: ClientMember, options: Options) -> str:
        """What to tell a client of a job with these options, once."""
        if not (self.workers and (options.workers or options.resources)):
            return ""
        if self.state.dispatch.suits_somebody(options):
            return ""
        asked = [f"workers={list(options.workers)}"] if options.workers else []
        asked += [f"resources={dict(options.resources)}"] if options.resources else []
        warning = f"no worker suits {', '.join(asked)}: what asks for that waits until one comes"
        if warning in client.warned:
            return ""
        client.warned.add(warning)
        logger.warning("client %s: %s", client.name, warning)
        return warning

    def _stop_tasks(self, by_worker: Mapping[int, Ints]) -> None:
        """Nobody wants these tasks any more: workers where they do not end in time are replaced."""
        for number, cancelled in by_worker.items():
            if number in self.workers:
                stop, self._next_stop = self._next_stop, self._next_stop + 1
                self.state.dispatch.outbox.append((number, Stop(stop, cancelled)))
                self._stopping[stop] = self._loop.call_later(STOP_SECONDS, self._replace_unstopped, stop, number)

    def _replace_unstopped(self, stop: int, number: int) -> None:
        del self._stopping[stop]
        worker = self.workers.get(number)
        if worker is not None:
            self.replace(worker, f"a cancelled task still ran after {STOP_SECONDS:g} s")

    def replace(self, worker: WorkerMember, reason: str) -> None:
        """Have a worker's process ended, and another started in its place."""
        nanny = self.nannies.get(worker.nanny) if worker.nanny is not None else None
        if nanny is None:
            logger.warning("worker %s should be replaced (%s), but has no nanny that could", worker.name, reason)
        else:
            nanny.session.send(Replace(worker.name, reason))

    # ---- effects

    def _flush_soon(self) -> None:
        """Send effects: once for all that comes in this turn of the loop, at once where nothing has come of late."""
        if self._flushing:
            return
        if self._loop.time() - self._flushed > IDLE_SECONDS:
            self._flush()
        else:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        self._flushed = self._loop.time()
        try:
            self._send_effects()
        except Exception as error:
            logger.critical("the scheduler has failed; this is a bug in restride, please report it", exc_info=error)
            assert self._closed is not None
            if not self._closed.done():
                self._closed.set_exception(error)

    def _send_effects(self) -> None:
        to_workers, to_clients = self.state.effects()
        for number, message in to_workers:
            worker = self.workers.get(number)
            if worker is not None:
                worker.session.send(_packed_for_worker(message), lazy=isinstance(message, _LAZY))
        for client, accepted in self._accepted:
            client.session.send(accepted, lazy=True)
        self._accepted.clear()
        for number, news in to_clients:
            if number in self.clients:
                self.clients[number].session.send(self._packed_for_client(news))
        self._results.clear()

    def flush(self) -> None:
        """Have the effects of what has happened so far sent."""
        self._flush_soon()

    def _packed_for_client(self, news: ToClient) -> Any:
        match news:
            case Broken(job, ids, failure):
                error = failure.exception
                if isinstance(error, RestrideError):  # the scheduler's own
                    name, text, blob = type(error).__name__, str(error), b""
                else:
                    name, text, blob = "", "", error
                return PackedBroken(job, ids, failure.task, failure.origin, blob, name, text)
            case Done(job, ids, workers) if self._results:
                along = [id for id in ids.tolist() if id in self._results]
                return Done(job, ids, workers, np.array(along, np.int64), [self._results[id] for id in along])
        return news

    # ---- liveness

    def _look_after_workers(self) -> None:
        """A worker that is neither heard of nor vouched for hangs, or its host is gone.

        While this process itself did not run, being stopped, say, nothing could be heard: that does not count.
        """
        now = self._loop.time()
        deaf = max(now - self._looked - self.settings.heartbeat, 0.0)
        self._looked = now
        for worker in list(self.workers.values()):
            worker.seen = min(worker.seen + deaf, now)
            silence = now - worker.seen
            if silence > self.settings.heartbeat_timeout:
                self.replace(worker, f"nothing was heard of it for {silence:.0f} s")
                self.lose_worker(worker, f"nothing was heard of it for {silence:.0f} s")
        self._watch = self._loop.call_later(self.settings.heartbeat, self._look_after_workers)

    def call_later(self, seconds: float, call: Callable[[], object]) -> asyncio.TimerHandle:
        """Call on the scheduler's event loop."""
        return self._loop.call_later(seconds, call)


def _packed_for_worker(message: ToWorker) -> Any:
    match message:
        case Kernels(numbers, layers):
            return packed_kernels(numbers, layers)
        case ForgetKernels(numbers):
            return ForgetKernels(list(numbers))
    return message
