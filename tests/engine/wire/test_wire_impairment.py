"""A bad network on purpose: messages come later, in order, and connections break."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from restride.engine.messages import Drop, Stopped
from restride.engine.wire.connection import Connection
from restride.engine.wire.impairment import ImpairedConnection
from restride.engine.wire.security import Security
from tests.engine.wire.ends import Pair, run, with_comm

SETTINGS = with_comm()


def test_a_good_network_costs_nothing(tcp: str, security: Security) -> None:
    async def main() -> None:
        async with Pair(tcp, security, SETTINGS) as pair:
            assert type(pair.here) is type(pair.there) is Connection

    run(main())


@pytest.mark.parametrize("jitter", [0.0, 0.02])
def test_messages_are_held_up_and_stay_in_order(tcp: str, security: Security, jitter: float) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with Pair(tcp, security, with_comm(delay=0.03, jitter=jitter, seed=1)) as pair:
            begin = loop.time()
            for number in range(30):
                pair.here.send(Stopped(number))
            await pair.heard_there.count(1)
            assert loop.time() - begin >= 0.03
            assert await pair.heard_there.count(30) == [Stopped(number) for number in range(30)]
            assert loop.time() - begin < 0.03 * 30  # not one after another

    run(main())


def test_messages_sent_before_closing_are_not_lost(tcp: str, security: Security) -> None:
    async def main() -> None:
        async with Pair(tcp, security, with_comm(delay=0.01)) as pair:
            pair.here.send(Stopped(1))
            pair.here.close()
            assert await pair.heard_here.ending() is None
            assert await pair.heard_there.count(1) == [Stopped(1)]

    run(main())


def test_connections_break_now_and_then_and_never_hand_on_half_a_message(tcp: str, security: Security) -> None:
    counts = []

    async def main() -> None:
        async with Pair(tcp, security, with_comm(break_every=10, seed=7)) as pair:
            for number in range(200):
                pair.here.send(Drop(np.full(1000, number)))
            assert "broken on purpose" in (await pair.heard_here.ending() or "")
            await pair.heard_there.ending()
            counts.append(len(pair.heard_there.messages))
            assert [message.ids[0] for message in pair.heard_there.messages] == list(range(counts[-1]))
            assert isinstance(pair.here, ImpairedConnection)
            assert not pair.there.faulty

    for _ in range(8):
        run(main())
    assert all(count < 200 for count in counts)
    assert len(set(counts)) > 1
