"""What a nanny does about its workers, and tells the scheduler: with workers that only pretend to be some."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import psutil
import pytest

from restride.config import Settings
from restride.engine.distributed.common import Common
from restride.engine.distributed.fork_server import ForkServer
from restride.engine.distributed.nanny import Nanny, WorkerOptions, restart_delay
from restride.engine.messages import Deaf, Died, Replace, Vouch
from restride.engine.wire.listen import Listener
from restride.engine.wire.security import Security
from restride.engine.wire.session import Session, SessionTable
from restride.errors import ClusterError

PATIENCE = 20.0
ROLES = "tests.engine.distributed.roles_for_tests"


class Scheduler:
    """Hears what nannies say, and says what it is told to."""

    def __init__(self, address: str, security: Security) -> None:
        self.news: asyncio.Queue[Any] = asyncio.Queue()
        self.hellos: list[Any] = []
        self.session: Session | None = None
        self.sessions = SessionTable(self.open, Settings.current())
        self.listener = Listener(address, security, self.sessions.on_hello, Settings.current())

    def open(self, session: Session, hello: Any) -> dict[str, Any]:
        self.session = session
        self.hellos.append(hello)
        session.on_message = lambda session, message: self.news.put_nowait(message)
        session.on_lost = lambda session, reason: self.news.put_nowait(("lost", reason))
        return {"heartbeat": 0.02}

    async def hear(self, kind: type, fits: Callable[[Any], bool] = lambda message: True) -> Any:
        """The next message of a kind."""
        async with asyncio.timeout(PATIENCE):
            while True:
                message = await self.news.get()
                if isinstance(message, kind) and fits(message):
                    return message

    async def stop(self) -> None:
        await self.sessions.close()
        await self.listener.stop()


@asynccontextmanager
async def nanny_of(count: int, *, scheduler: bool = True, **ways: float) -> AsyncIterator[tuple[Nanny, Scheduler]]:
    """A nanny of pretended workers, which behave as `ways` say, and its scheduler."""
    security = Security.temporary()
    fork_server = ForkServer.launch(roles=ROLES)
    address = f"unix://{fork_server.directory}/scheduler"
    there = Scheduler(address, security)
    if scheduler:
        await there.listener.start()
    options = WorkerOptions(threads=1, memory_limit=None, resources={k.replace("_", " "): v for k, v in ways.items()})
    common = Common(security, Settings.current(), "critical")
    nanny = Nanny(address, fork_server, options, common, name="nan", prefix="w")
    nanny.scale(count)
    try:
        yield nanny, there
    finally:
        await nanny.stop()
        if there.session is not None:
            await there.hear(tuple, lambda message: message == ("lost", None))
        await there.stop()
        assert not fork_server.directory.exists()


def kill(nanny: Nanny, name: str) -> None:
    """As the system would."""
    (number,) = [worker.number for worker in nanny._workers.values() if worker.name == name]
    nanny._fork_server.signal(number, signal.SIGKILL)


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 2 * PATIENCE))  # type: ignore[arg-type]


def test_workers_are_started_and_known_by_name_to_the_scheduler() -> None:
    async def test() -> None:
        async with nanny_of(3) as (nanny, scheduler):
            await nanny.start()
            await nanny.wait_for_workers(3, PATIENCE)
            assert scheduler.hellos[0]["role"] == "nanny"
            assert scheduler.hellos[0]["name"] == "nan"
            assert scheduler.hellos[0]["workers"] == ["w0", "w1", "w2"]
            await scheduler.hear(Vouch, lambda vouch: set(vouch.names) == {"w0", "w1", "w2"})

    run(test)


def test_a_scheduler_that_starts_later_is_waited_for() -> None:
    async def test() -> None:
        async with nanny_of(1, scheduler=False) as (nanny, scheduler):
            starting = asyncio.create_task(nanny.start())
            await nanny.wait_for_workers(1, PATIENCE)
            kill(nanny, "w0")
            while nanny.names != ["w1"]:
                await nanny.wait_for_workers(1, PATIENCE)
                await asyncio.sleep(0)
            await scheduler.listener.start()
            await starting
            assert (await scheduler.hear(Died)).name == "w0", "what happened meanwhile is told afterwards"

    run(test)


def test_a_worker_that_dies_is_reported_with_what_it_ran_and_another_takes_its_place() -> None:
    async def test() -> None:
        async with nanny_of(2, runs_task=41) as (nanny, scheduler):
            await nanny.start()
            await nanny.wait_for_workers(2, PATIENCE)
            kill(nanny, "w0")
            died = await scheduler.hear(Died)
            assert (died.name, died.reason, died.running.tolist(), died.expected) == (
                "w0",
                "killed by signal 9 (SIGKILL)",
                [41],
                False,
            )
            await scheduler.hear(Vouch, lambda vouch: set(vouch.names) == {"w1", "w2"})

    run(test)


def test_a_worker_that_the_scheduler_wants_replaced_is_killed_and_replaced() -> None:
    async def test() -> None:
        async with nanny_of(1) as (nanny, scheduler):
            await nanny.start()
            await nanny.wait_for_workers(1, PATIENCE)
            assert scheduler.session is not None
            scheduler.session.send(Replace("no such worker", "on purpose"))
            scheduler.session.send(Replace("w0", "on purpose"))
            died = await scheduler.hear(Died)
            assert (died.name, died.expected) == ("w0", True)
            await nanny.wait_for_workers(1, PATIENCE)
            assert nanny.names == ["w1"]

    run(test)


def test_workers_can_be_added_and_taken_away() -> None:
    async def test() -> None:
        async with nanny_of(1) as (nanny, scheduler):
            await nanny.start()
            nanny.scale(3)
            await nanny.wait_for_workers(3, PATIENCE)
            nanny.scale(1)
            died = [await scheduler.hear(Died), await scheduler.hear(Died)]
            assert {each.name for each in died} == {"w1", "w2"}
            assert all(each.expected for each in died)
            assert nanny.names == ["w0"]
            assert nanny.ready == 1

    run(test)


def test_workers_that_are_sent_home_are_not_started_again_and_their_nanny_ends() -> None:
    async def test() -> None:
        async with nanny_of(2, is_sent_home=1) as (nanny, scheduler):
            await nanny.start()
            assert (await scheduler.hear(Died)).expected
            await asyncio.wait_for(nanny.closed(), PATIENCE)
            assert nanny.names == []

    run(test)


def test_a_nanny_whose_workers_are_sent_home_does_not_wait_for_its_scheduler() -> None:
    async def test() -> None:
        async with nanny_of(1, scheduler=False, is_sent_home=1) as (nanny, _):
            await nanny.start()
            await asyncio.wait_for(nanny.closed(), PATIENCE)

    run(test)


# ---- vouching


def test_a_worker_that_runs_a_task_is_vouched_for_although_it_does_not_breathe() -> None:
    async def test() -> None:
        async with nanny_of(1, does_not_breathe=1, runs_task=7) as (nanny, scheduler):
            await nanny.wait_for_workers(1, PATIENCE)
            await nanny.start()
            await scheduler.hear(Vouch, lambda vouch: vouch.names == ["w0"])

    run(test)


def test_a_worker_that_neither_breathes_nor_runs_a_task_is_not_vouched_for() -> None:
    async def test() -> None:
        async with nanny_of(1, does_not_breathe=1) as (nanny, scheduler):
            await nanny.wait_for_workers(1, PATIENCE)
            await nanny.start()
            await scheduler.hear(Vouch, lambda vouch: vouch.names == [])

    run(test)


def test_a_worker_that_somebody_has_stopped_is_not_vouched_for_until_it_goes_on() -> None:
    async def test() -> None:
        async with nanny_of(1, runs_task=7) as (nanny, scheduler):
            await nanny.wait_for_workers(1, PATIENCE)
            await nanny.start()
            await scheduler.hear(Vouch, lambda vouch: vouch.names == ["w0"])
            process = psutil.Process(nanny._workers[0].pid)
            process.suspend()
            await scheduler.hear(Vouch, lambda vouch: vouch.names == [])
            process.resume()
            await scheduler.hear(Vouch, lambda vouch: vouch.names == ["w0"])

    run(test)


def test_a_worker_that_does_not_breathe_is_said_to_be_deaf_and_what_it_is_at() -> None:
    async def test() -> None:
        async with nanny_of(1, does_not_breathe=1, runs_task=7) as (nanny, scheduler):
            await nanny.wait_for_workers(1, PATIENCE)
            await nanny.start()
            deaf = await scheduler.hear(Deaf)
            assert (deaf.names, deaf.running.tolist()) == (["w0"], [7])

    run(test)


def test_a_worker_that_breathes_is_not_deaf_whatever_it_runs() -> None:
    async def test() -> None:
        async with nanny_of(1, runs_task=7) as (nanny, scheduler):
            await nanny.wait_for_workers(1, PATIENCE)
            await nanny.start()
            said = [await scheduler.hear((Deaf, Vouch)) for _ in range(5)]
            assert all(isinstance(message, Vouch) for message in said)

    run(test)


# ---- what goes wrong


def test_workers_that_never_come_up_are_given_up_with_what_they_said() -> None:
    async def test() -> None:
        async with nanny_of(1, cannot_start=1) as (nanny, _):
            with pytest.raises(
                ClusterError,
                match=r"worker w2 cannot be started, it was tried 3 times; the last one ended with exit code 3: "
                "there is no libfoo",
            ):
                await asyncio.wait_for(nanny.closed(), PATIENCE)

    run(test)


def test_a_nanny_ends_without_an_error_when_its_scheduler_says_goodbye() -> None:
    async def test() -> None:
        async with nanny_of(1) as (nanny, scheduler):
            await nanny.start()
            assert scheduler.session is not None
            scheduler.session.close()
            await asyncio.wait_for(nanny.closed(), PATIENCE)
            scheduler.session = None

    run(test)


def test_a_nanny_fails_when_the_process_that_starts_workers_is_killed() -> None:
    async def test() -> None:
        async with nanny_of(1) as (nanny, _):
            await nanny.start()
            await nanny.wait_for_workers(1, PATIENCE)
            process = nanny._fork_server.process
            assert process is not None
            process.kill()
            with pytest.raises(ClusterError, match="the process that starts workers has ended with exit code -9"):
                await asyncio.wait_for(nanny.closed(), PATIENCE)

    run(test)


def test_the_wait_before_a_restart_grows_with_each_early_death_up_to_a_limit() -> None:
    delays = [restart_delay(strikes) for strikes in range(20)]
    assert delays[:2] == [0.0, 0.0]
    assert delays == sorted(delays)
    assert delays[-1] == 10.0
