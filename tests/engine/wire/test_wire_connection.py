"""Connections over real sockets: what is sent comes, in order, from any thread, until one end closes."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import numpy as np
import pytest

from restride.engine.messages import Drop, Outputs, Stopped
from restride.engine.wire import connection
from restride.engine.wire.connection import Connection
from restride.engine.wire.frames import READ_BUFFER
from restride.engine.wire.listen import dial
from restride.engine.wire.security import Security
from restride.errors import WireError
from tests.engine.wire.ends import Pair, Record, Server, run, with_comm

SETTINGS = with_comm()
LARGE = 9_000_001


def blocks(sizes: list[int]) -> list[memoryview]:
    return [np.full(size, size % 251, np.uint8).data for size in sizes]


def test_messages_go_both_ways(address: str, security: Security) -> None:
    async def main() -> None:
        async with Pair(address, security, SETTINGS) as pair:
            assert pair.here.welcome == {"number": 1}
            pair.here.send(Stopped(1))
            assert await pair.heard_there.count(1) == [Stopped(1)]
            pair.there.send(Stopped(2))
            assert await pair.heard_here.count(1) == [Stopped(2)]

    run(main())


def test_messages_of_all_sizes_come_whole_and_in_order(address: str, security: Security) -> None:
    sizes = [[], [10], [READ_BUFFER], [1, LARGE, 2], [], [LARGE, LARGE], [3] * 500, [70_000] * 40]

    async def main() -> None:
        async with Pair(address, security, SETTINGS) as pair:
            for number, lengths in enumerate(sizes * 2):
                pair.here.send(Outputs(np.array([number]), b"head", blocks(lengths)))
            got = await pair.heard_there.count(2 * len(sizes))
            assert pair.here.queued == 0
        assert [message.ids.tolist() for message in got] == [[number] for number in range(2 * len(sizes))]
        for message, lengths in zip(got, sizes * 2):
            assert [buffer == block for buffer, block in zip(message.buffers, blocks(lengths), strict=True)].count(
                True
            ) == len(lengths)

    run(main())


def test_both_ends_send_much_at_once(address: str, security: Security) -> None:
    async def main() -> None:
        async with Pair(address, security, SETTINGS) as pair:
            for end in (pair.here, pair.there):
                for _ in range(3):
                    end.send(Outputs(np.arange(1), b"", blocks([LARGE])))
            for heard in (pair.heard_here, pair.heard_there):
                for message in await heard.count(3):
                    assert message.buffers[0] == blocks([LARGE])[0]

    run(main())


def test_threads_send_and_each_one_s_messages_stay_in_order(address: str, security: Security) -> None:
    threads, each = 4, 200

    async def main() -> None:
        async with Pair(address, security, SETTINGS) as pair:

            def send_all(thread: int) -> None:
                for number in range(each):
                    filling = np.zeros(50_000 if number % 50 == 0 else 1, np.int64)
                    pair.here.send(Drop(np.concatenate([[thread, number], filling])))

            senders = [threading.Thread(target=send_all, args=(thread,)) for thread in range(threads)]
            for sender in senders:
                sender.start()
            got = [tuple(message.ids[:2].tolist()) for message in await pair.heard_there.count(threads * each)]
            for sender in senders:
                sender.join()
        for thread in range(threads):
            assert [number for t, number in got if t == thread] == list(range(each))

    run(main())


def test_a_handler_runs_in_the_thread_of_the_loop(tcp: str, security: Security) -> None:
    threads = []

    async def main() -> None:
        async with Pair(tcp, security, SETTINGS) as pair:
            heard = pair.heard_there.on_message

            def on_message(connection: Any, message: Any) -> None:
                threads.append(threading.current_thread())
                heard(connection, message)

            pair.there._on_packet = lambda packet: on_message(pair.there, packet)
            sender = threading.Thread(target=pair.here.send, args=(Stopped(1),))
            sender.start()
            await pair.heard_there.count(1)
            sender.join()

    run(main())
    assert threads == [threading.main_thread()]


def test_what_was_sent_before_closing_still_comes(address: str, security: Security) -> None:
    async def main() -> None:
        async with Pair(address, security, SETTINGS) as pair:
            pair.here.send(Outputs(np.arange(1), b"", blocks([LARGE])))
            pair.here.send(Stopped(1))
            pair.here.close()
            assert pair.here.closed
            pair.here.send(Stopped(2))
            assert await pair.heard_here.ending() is None
            assert "hung up" in (await pair.heard_there.ending() or "")
            assert len(pair.heard_there.messages) == 2

    run(main())


def test_closing_does_not_wait_long_for_an_end_that_does_not_read(
    tcp: str, security: Security, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "SECONDS_TO_FLUSH", 0.05)

    async def main() -> None:
        async with Pair(tcp, security, SETTINGS) as pair:
            asyncio.get_running_loop().remove_reader(pair.there._descriptor)
            pair.here.send(Outputs(np.arange(1), b"", blocks([LARGE] * 4)))
            assert pair.here.queued > 0
            pair.here.close()
            await pair.here.wait_closed()
            assert pair.here.queued == 0

    run(main())


def test_closing_from_a_thread_and_twice_ends_it_once(address: str, security: Security) -> None:
    async def main() -> None:
        async with Pair(address, security, SETTINGS) as pair:
            closer = threading.Thread(target=pair.here.close, args=("enough",))
            closer.start()
            pair.here.close("enough")
            assert await pair.heard_here.ending() == "enough"
            closer.join()
            await pair.heard_there.ending()

    run(main())


def test_whoever_starts_a_connection_that_is_over_is_told(tcp: str, security: Security) -> None:
    async def main() -> None:
        async with Server(tcp, security, SETTINGS) as server:
            connection = await dial(server.listener.address, security, {}, SETTINGS)
            connection.close("changed my mind")
            await connection.wait_closed()
            record = Record()
            connection.start(record.on_message, record.on_end)
            assert await record.ending() == "changed my mind"

    run(main())


def test_sending_to_an_end_that_is_gone_ends_the_connection(address: str, security: Security) -> None:
    async def main() -> None:
        async with Pair(address, security, SETTINGS) as pair:
            asyncio.get_running_loop().remove_reader(pair.here._descriptor)  # so that only sending can notice
            pair.there.close()
            await pair.there.wait_closed()
            while not pair.here.closed:
                pair.here.send(Stopped(1))
                await asyncio.sleep(0)
            assert await pair.heard_here.ending() is not None

    run(main())


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.1\r\n" * 4, b"RSW1" + bytes(range(200))])
def test_garbage_closes_its_connection_and_no_other(
    tcp: str, security: Security, garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with Pair(tcp, security, SETTINGS) as pair:
            other = await dial(pair.server.listener.address, security, {}, SETTINGS)
            record = Record()
            other.start(record.on_message, record.on_end)
            pair.here._channel.send(garbage)
            assert "sent what it should not" in (await pair.heard_there.ending() or "")
            assert pair.there.faulty
            other.send(Stopped(1))
            await pair.server.records[1].count(1)
            other.close()
            await other.wait_closed()

    with caplog.at_level(logging.ERROR, "restride.wire"):
        run(main())
    (logged,) = caplog.records
    assert "closing the connection with 127.0.0.1:" in logged.getMessage()


def test_an_end_that_vanishes_in_the_middle_of_a_message_is_noticed(tcp: str, security: Security) -> None:
    async def main() -> None:
        async with Pair(tcp, security, SETTINGS) as pair:
            pair.here._channel.send(b"RSW1")
            pair.here.close()
            assert "in the middle of a message" in (await pair.heard_there.ending() or "")

    run(main())


def test_a_handler_that_raises_is_logged_and_closes_its_connection(
    tcp: str, security: Security, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(connection: Connection, message: Any) -> None:
        raise KeyError("no such worker")

    async def main() -> None:
        async with Pair(tcp, security, SETTINGS) as pair:
            pair.there._on_packet = lambda packet: broken(pair.there, packet)
            pair.here.send(Stopped(1))
            assert "could not be handled: KeyError" in (await pair.heard_there.ending() or "")
            assert pair.there.faulty

    run(main())
    assert "no such worker" in caplog.text


def test_no_message_is_delivered_after_closing(tcp: str, security: Security) -> None:
    async def main() -> None:
        async with Pair(tcp, security, SETTINGS) as pair:
            heard = pair.heard_there.on_message

            def once(packet: Any) -> None:
                heard(pair.there, packet)
                pair.there.close()

            pair.there._on_packet = once
            for number in range(5):
                pair.here.send(Stopped(number))
            await pair.heard_here.ending()
            assert len(pair.heard_there.messages) == 1

    run(main())


def test_what_is_too_large_is_refused_by_both_ends(tcp: str, security: Security) -> None:
    small = with_comm(max_message=1000)

    async def main() -> None:
        async with Pair(tcp, security, small) as pair:
            with pytest.raises(WireError, match=r"comm\.max_message"):
                pair.here.send(Drop(np.arange(1000)))
            pair.here._limit = 10**9
            pair.here.send(Drop(np.arange(1000)))
            assert "announces 8000 bytes" in (await pair.heard_there.ending() or "")

    run(main())
