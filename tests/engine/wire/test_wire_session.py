"""Sessions: exactly once and in order while connections come and go, and an end that is told."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from restride.config import Settings
from restride.engine.messages import Drop, Outputs, Stopped
from restride.engine.wire import session as sessions
from restride.engine.wire.ledger import ACK_AFTER_MESSAGES
from restride.engine.wire.listen import Listener, dial
from restride.engine.wire.security import Security
from restride.engine.wire.session import Session, SessionTable
from restride.errors import ConnectError, RefusedError, VersionError, WireError
from tests.engine.wire.ends import Record, run, with_comm

SETTINGS = with_comm()


class Scheduler:
    """The end that is dialled: all its sessions, and what each of them hears."""

    def __init__(self, address: str, security: Security, settings: Settings) -> None:
        self.table = SessionTable(self._on_open, settings)
        self.listener = Listener(address, security, self.table.on_hello, settings)
        self.sessions: list[Session] = []
        self.records: list[Record] = []
        self.hellos: list[dict[str, Any]] = []

    def _on_open(self, session: Session, hello: dict[str, Any]) -> dict[str, Any]:
        if hello.get("unwanted"):
            raise VersionError("unwanted")
        record = Record()
        session.on_message, session.on_lost = record.on_message, record.on_end
        session.peer = "the worker"
        self.sessions.append(session)
        self.records.append(record)
        self.hellos.append(hello)
        return {"number": len(self.sessions)}


class Link:
    """A session between a worker, `here`, and a scheduler, `there`."""

    def __init__(self, address: str, security: Security, settings: Settings = SETTINGS) -> None:
        self.address, self.security, self.settings = address, security, settings

    async def __aenter__(self) -> Link:
        self.scheduler = Scheduler(self.address, self.security, self.settings)
        await self.scheduler.listener.start()
        self.heard_here = Record()
        self.here = await self.open({"role": "worker"}, self.heard_here)
        (self.there,), (self.heard_there,) = self.scheduler.sessions, self.scheduler.records
        return self

    async def open(self, hello: dict[str, Any], heard: Record) -> Session:
        return await Session.open(
            self.scheduler.listener.address,
            self.security,
            hello,
            self.settings,
            on_message=heard.on_message,
            on_lost=heard.on_end,
        )

    async def __aexit__(self, *_: object) -> None:
        self.here.close()
        await self.here.wait_closed()
        await self.scheduler.table.close()
        for session in self.scheduler.sessions:
            await session.wait_closed()
        await self.scheduler.listener.stop()


def cut(session: Session) -> None:
    """Break the connection, as a network would."""
    assert session._connection is not None
    session._connection._end("the test pulled the plug")


async def until(condition: Any) -> None:
    while not condition():
        await asyncio.sleep(0)


def test_messages_go_both_ways(address: str, security: Security) -> None:
    async def main() -> None:
        async with Link(address, security) as link:
            assert link.here.welcome == {"number": 1, "received": 0}
            assert link.scheduler.hellos[0]["role"] == "worker"
            for number in range(5):
                link.here.send(Stopped(number))
                link.there.send(Stopped(10 + number))
            assert await link.heard_there.count(5) == [Stopped(number) for number in range(5)]
            assert await link.heard_here.count(5) == [Stopped(10 + number) for number in range(5)]

    run(main())


@pytest.mark.parametrize("end", ["here", "there"])
def test_a_broken_connection_loses_and_doubles_nothing(address: str, security: Security, end: str) -> None:
    async def main() -> None:
        reconnected = []
        async with Link(address, security) as link:
            link.here.on_reconnected = reconnected.append
            for round_ in range(4):
                for number in range(3):
                    link.here.send(Stopped(10 * round_ + number))
                    link.there.send(Outputs(np.array([10 * round_ + number]), b"", [bytes(300_000)]))
                cut(getattr(link, end))
                link.here.send(Stopped(10 * round_ + 3))
                link.there.send(Stopped(10 * round_ + 3))
                await link.heard_there.count(4 * (round_ + 1))
                await link.heard_here.count(4 * (round_ + 1))
            numbers = [10 * round_ + number for round_ in range(4) for number in range(4)]
            assert [message.number for message in link.heard_there.messages] == numbers
            ids = [
                message.ids[0] if isinstance(message, Outputs) else message.number
                for message in link.heard_here.messages
            ]
            assert ids == numbers
            assert len(link.scheduler.sessions) == 1
            assert reconnected == [link.here] * 4
            assert link.heard_here.endings == link.heard_there.endings == []

    run(main())


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_lost_doubled_or_reordered_on_a_bad_network(tcp: str, security: Security, seed: int) -> None:
    settings = with_comm(break_every=12, jitter=0.0005, seed=seed)
    total = 150

    async def main() -> None:
        rng = random.Random(seed)
        async with Link(tcp, security, settings) as link:
            for number in range(total):
                for end in (link.here, link.there):
                    end.send(Drop(np.full(rng.choice([1, 10, 20_000]), number)))
                if number % 20 == 0:
                    await asyncio.sleep(0)
            for heard in (link.heard_here, link.heard_there):
                got = await heard.count(total)
                assert [message.ids[0] for message in got] == list(range(total))

    run(main())


def test_threads_send_while_connections_break(tcp: str, security: Security) -> None:
    async def main() -> None:
        async with Link(tcp, security) as link:

            def send_all(thread: int) -> None:
                for number in range(300):
                    link.here.send(Drop(np.array([thread, number])))

            senders = [threading.Thread(target=send_all, args=(thread,)) for thread in range(3)]
            for sender in senders:
                sender.start()
            for count in (50, 300, 600):
                await link.heard_there.count(count)
                await until(lambda: link.here.connected)
                cut(link.here)
            got = [tuple(message.ids.tolist()) for message in await link.heard_there.count(900)]
            for sender in senders:
                sender.join()
        for thread in range(3):
            assert [number for t, number in got if t == thread] == list(range(300))

    run(main())


def test_messages_are_let_go_once_they_are_acknowledged(
    tcp: str, security: Security, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with Link(tcp, security) as link:
            for number in range(ACK_AFTER_MESSAGES):  # a full batch is acknowledged at once
                link.here.send(Stopped(number))
            await until(lambda: link.here._ledger.unacknowledged == 0)
            monkeypatch.setattr(sessions, "SECONDS_TO_ACK", 0.01)
            link.here.send(Stopped(0))  # a single one after a while
            await link.heard_there.count(ACK_AFTER_MESSAGES + 1)
            assert link.here._ledger.unacknowledged == 1
            await until(lambda: link.here._ledger.unacknowledged == 0)

    run(main())


@pytest.mark.parametrize("end", ["here", "there"])
def test_an_end_that_closes_says_goodbye(address: str, security: Security, end: str) -> None:
    async def main() -> None:
        async with Link(address, security) as link:
            closing, other = getattr(link, end), link.heard_there if end == "here" else link.heard_here
            closing.send(Stopped(1))
            closing.close()
            assert await other.ending() is None
            assert other.messages == [Stopped(1)]
            await closing.wait_closed()
            closing.send(Stopped(2))
            assert link.scheduler.table.sessions == {}
            assert (link.heard_here if end == "here" else link.heard_there).endings == []

    run(main())


def test_both_ends_give_up_when_no_connection_comes_back(tcp: str, security: Security) -> None:
    async def main() -> None:
        async with Link(tcp, security, with_comm(reconnect_timeout=0.1)) as link:
            await link.scheduler.listener.stop()
            cut(link.here)
            assert not link.here.connected
            for heard in (link.heard_here, link.heard_there):
                assert "no connection came back within 0.1 s" in (await heard.ending() or "")
            assert link.scheduler.table.sessions == {}

    run(main())


def test_a_session_goes_on_when_the_listener_comes_back_in_time(tcp: str, security: Security) -> None:
    async def main() -> None:
        async with Link(tcp, security) as link:
            address = link.scheduler.listener.address
            await link.scheduler.listener.stop()
            cut(link.here)
            link.here.send(Stopped(1))
            link.scheduler.listener = Listener(address, security, link.scheduler.table.on_hello, SETTINGS)
            await link.scheduler.listener.start()
            assert await link.heard_there.count(1) == [Stopped(1)]

    run(main())


def test_a_process_of_this_machine_that_has_ended_is_not_waited_for(tmp_path: Path, security: Security) -> None:
    async def main() -> None:
        async with Link(f"unix://{tmp_path}/scheduler", security) as link:
            await link.scheduler.listener.stop()
            cut(link.here)
            assert "No such file" in (await link.heard_here.ending() or "")

    run(main())


def test_a_scheduler_that_has_forgotten_the_session_ends_it_at_once(tcp: str, security: Security) -> None:
    async def main() -> None:
        async with Link(tcp, security) as link:
            link.scheduler.table.sessions.clear()
            cut(link.here)
            assert "the session is not known here" in (await link.heard_here.ending() or "")

    run(main())


@pytest.mark.parametrize("end", ["here", "there"])
def test_a_handler_that_raises_ends_the_session_of_both_ends(
    tcp: str, security: Security, end: str, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(session: Session, message: Any) -> None:
        raise KeyError("no such task")

    async def main() -> None:
        async with Link(tcp, security) as link:
            getattr(link, end).on_message = broken
            (link.there if end == "here" else link.here).send(Stopped(1))
            for heard in (link.heard_here, link.heard_there):
                assert "could not be handled: KeyError" in (await heard.ending() or "")
            assert link.scheduler.table.sessions == {}

    with caplog.at_level(logging.ERROR, "restride.wire"):
        run(main())
    assert "no such task" in caplog.text


def test_a_malformed_message_ends_its_session_and_no_other(tcp: str, security: Security) -> None:
    async def main() -> None:
        async with Link(tcp, security) as link:
            other = await link.open({"role": "client"}, Record())
            link.here._connection._channel.send(bytes(100))  # type: ignore[union-attr]
            assert "sent what it should not" in (await link.heard_there.ending() or "")
            assert "the session is not known here" in (await link.heard_here.ending() or "")
            other.send(Stopped(1))
            await link.scheduler.records[1].count(1)
            other.close()
            await other.wait_closed()

    run(main())


def test_a_handler_may_close_the_session(tcp: str, security: Security) -> None:
    async def main() -> None:
        async with Link(tcp, security) as link:
            link.there.on_message = lambda session, message: session.close()
            link.here.send(Stopped(1))
            link.here.send(Stopped(2))
            assert await link.heard_here.ending() is None

    run(main())


def test_a_connection_replaces_one_that_has_not_been_noticed_to_be_dead(tcp: str, security: Security) -> None:
    async def main() -> None:
        async with Link(tcp, security) as link:
            dead = link.there._connection
            assert dead is not None
            dead._loop.remove_reader(dead._descriptor)
            cut(link.here)
            link.here.send(Stopped(1))
            await link.heard_there.count(1)
            assert link.there._connection is not dead
            assert dead.closed
            link.there.send(Stopped(2))
            await link.heard_here.count(1)

    run(main())


def test_a_session_can_be_refused(tcp: str, security: Security) -> None:
    async def main() -> None:
        async with Link(tcp, security) as link:
            with pytest.raises(VersionError, match="unwanted"):
                await link.open({"unwanted": True}, Record())
            assert len(link.scheduler.table.sessions) == 1

    run(main())


@pytest.mark.parametrize(
    ("hello", "error", "match"),
    [
        ({}, RefusedError, "no number of messages"),
        ({"session": 3, "received": 0}, RefusedError, "names no session"),
        ({"session": "x", "received": -1}, RefusedError, "no number of messages"),
        ({"session": "x", "received": 0, "resume": True}, RefusedError, "not known here"),
    ],
)
def test_a_hello_without_a_session_is_refused(
    tcp: str, security: Security, hello: dict[str, Any], error: type[ConnectError], match: str
) -> None:
    async def main() -> None:
        async with Link(tcp, security) as link:
            with pytest.raises(error, match=match):
                await dial(link.scheduler.listener.address, security, hello, SETTINGS)

    run(main())


def test_a_session_that_claims_what_was_never_sent_is_lost(tcp: str, security: Security) -> None:
    async def main() -> None:
        async with Link(tcp, security) as link:
            hello = {"session": link.here.identity, "received": 5, "resume": True}
            thief = await dial(link.scheduler.listener.address, security, hello, SETTINGS)
            assert "cannot go on with the session" in (await link.heard_there.ending() or "")
            thief.close()
            await thief.wait_closed()

    run(main())


def test_a_first_connection_that_is_never_attached_is_given_up(security: Security) -> None:
    async def main() -> None:
        lost = Record()

        def on_open(session: Session, hello: dict[str, Any]) -> dict[str, Any]:
            session.on_lost = lost.on_end
            return {}

        table = SessionTable(on_open, with_comm(reconnect_timeout=0.02))
        table.on_hello({"session": "x", "received": 0})
        with pytest.raises(RefusedError, match="already"):
            table.on_hello({"session": "x", "received": 0})
        assert "the first connection broke" in (await lost.ending() or "")
        assert table.sessions == {}

    run(main())


def test_too_large_a_message_is_refused_where_it_is_sent(tcp: str, security: Security) -> None:
    async def main() -> None:
        async with Link(tcp, security, with_comm(max_message=1000)) as link:
            with pytest.raises(WireError, match=r"comm\.max_message"):
                link.here.send(Drop(np.arange(1000)))
            link.here.send(Stopped(1))
            await link.heard_there.count(1)

    run(main())
