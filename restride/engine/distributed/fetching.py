"""Taking outputs from the workers that hold them, many at a time, into the hands of whoever waits for them.

A worker that dies meanwhile is nothing special: what it was asked for is waited for, until the scheduler says where
that has been computed again. All of it happens in the client's event loop; what comes is unpickled by who waits.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from restride.config import Settings
from restride.engine.client.waiting import Over
from restride.engine.graphs.csr import Ints
from restride.engine.messages import Blob, Fetch, Int32s, Outputs, Undeliverable, Withdraw, Workers
from restride.engine.serialize import load_values
from restride.engine.wire.connection import Connection
from restride.engine.wire.listen import dial_first
from restride.engine.wire.security import Security
from restride.errors import ConnectError, RestrideError, SilentError, WireError

logger = logging.getLogger("restride.client")

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
"""Seconds between tries to reach a worker, at first and in the end."""


class Gathering:
    """Outputs that one caller waits for.

    Parameters
    ----------
    ids : sequence of int
    """

    def __init__(self, ids: Sequence[int]) -> None:
        self.ids = ids
        self.over = Over()
        """Everything is here, or something has come in between."""
        self.undeliverable: Blob | None = None
        """Pickle of an exception that explains why one of them cannot come."""
        self.error: RestrideError | None = None
        self._left = set(ids)
        self._messages: list[Outputs] = []

    @property
    def complete(self) -> bool:
        """Whether everything has come."""
        return not self._left

    def take(self, message: Outputs) -> None:
        """Some of them have come."""
        self._messages.append(message)
        self._left.difference_update(message.ids.tolist())
        if not self._left:
            self.over.set()

    def values(self) -> dict[int, Any]:
        """What has come, by id; unpickled now."""
        values: dict[int, Any] = {}
        while self._messages:
            message = self._messages.pop()
            values.update(zip(message.ids.tolist(), load_values(message.head, message.buffers)))
        return values


class _Peer:
    """A worker that outputs are asked of."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.asked: set[int] = set()
        self.connection: Connection | None = None
        self.dialling: asyncio.Task[None] | None = None


class Fetching:
    """Asks workers for outputs.

    Parameters
    ----------
    security : Security
    hello : mapping
        What workers are told of this process.
    settings : Settings
    heard : callable
        Called whenever something has come.
    """

    def __init__(
        self, security: Security, hello: Mapping[str, Any], settings: Settings, heard: Callable[[], object]
    ) -> None:
        self._security, self._hello, self._settings, self._heard = security, hello, settings, heard
        self._addresses: dict[int, Sequence[str]] = {}
        self._peers: dict[int, _Peer] = {}
        self._waiting: dict[int, list[Gathering]] = {}
        """Who waits for an output, by id."""

    @property
    def workers(self) -> int:
        """How many workers there are."""
        return len(self._addresses)

    def want(self, gathering: Gathering, homes: Int32s) -> None:
        """Begin; the home of what no worker holds yet is -1."""
        for id in gathering.ids:
            self._waiting.setdefault(id, []).append(gathering)
        self._ask(np.array(gathering.ids, np.int64), homes)

    def give_up(self, gathering: Gathering) -> None:
        """Nobody waits for it any more."""
        unwanted = []
        for id in gathering.ids:
            waiting = self._waiting.get(id)
            if waiting is not None and gathering in waiting:
                waiting.remove(gathering)
                if not waiting:
                    del self._waiting[id]
                    unwanted.append(id)
        for peer in self._peers.values() if unwanted else ():
            here = peer.asked.intersection(unwanted)
            if here:
                peer.asked -= here
                if peer.connection is not None:
                    peer.connection.send(Withdraw(np.array(sorted(here), np.int64)))

    # ---- news

    def done(self, ids: Ints, homes: Int32s) -> None:
        """Outputs exist now, on these workers."""
        if self._waiting:
            self._ask(ids, homes)

    def interrupt(self, ids: Sequence[int]) -> None:
        """These will never come: whoever waits for them has to look why."""
        for id in ids:
            for gathering in self._waiting.get(id, ()):
                gathering.over.set()

    def interrupt_all(self) -> None:
        """Nothing will come any more."""
        self.interrupt(list(self._waiting))

    def heard_of_workers(self, message: Workers) -> None:
        """Where workers can be reached, or that they are gone."""
        for number, addresses in zip(message.numbers.tolist(), message.addresses):
            if addresses:
                self._addresses[number] = addresses
                continue
            self._addresses.pop(number, None)
            peer = self._peers.pop(number, None)
            if peer is not None:
                _hang_up(peer)

    async def close(self) -> None:
        """Hang up on all workers, and wait until their sockets are closed."""
        peers = list(self._peers.values())
        self._peers.clear()
        for peer in peers:
            _hang_up(peer)
        dialling = [peer.dialling for peer in peers if peer.dialling is not None]
        await asyncio.gather(*dialling, return_exceptions=True)
        for peer in peers:
            if peer.connection is not None:
                await peer.connection.wait_closed()

    # ---- asking

    def _ask(self, ids: Ints, homes: Int32s) -> None:
        for number in np.unique(homes).tolist():
            if number in self._addresses:
                there = ids[homes == number].tolist()
                self._ask_peer(number, [id for id in there if id in self._waiting])

    def _ask_peer(self, number: int, ids: Sequence[int]) -> None:
        peer = self._peers.setdefault(number, _Peer(number))
        fresh = [id for id in ids if id not in peer.asked]
        if not fresh:
            return
        peer.asked.update(fresh)
        if peer.connection is not None:
            peer.connection.send(Fetch(np.array(fresh, np.int64)))
        elif peer.dialling is None:
            peer.dialling = asyncio.get_running_loop().create_task(self._dial(peer))

    async def _dial(self, peer: _Peer) -> None:
        """Reach a worker, for as long as there is something to ask of it; then ask for all of that."""
        loop = asyncio.get_running_loop()
        pause, deadline = FIRST_PAUSE, loop.time() + self._settings.comm_reconnect_timeout
        while peer.asked:
            try:
                connection = await dial_first(
                    self._addresses.get(peer.number, ()), self._security, dict(self._hello), self._settings
                )
            except ConnectError as error:
                # Who is there and does not answer is at a task that holds the GIL, or will be declared lost.
                if loop.time() > deadline and not isinstance(error, SilentError):
                    self._fail(peer, error)
                    break
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
            peer.connection, connection.data = connection, peer
            connection.start(self._receive, self._closed)
            connection.send(Fetch(np.array(sorted(peer.asked), np.int64)))
            break
        peer.dialling = None

    def _fail(self, peer: _Peer, error: ConnectError) -> None:
        """A worker that the scheduler knows cannot be reached from here."""
        logger.error("worker %d cannot be reached, and holds what was asked for: %s", peer.number, error)
        asked, peer.asked = peer.asked, set()
        for id in asked:
            for gathering in self._waiting.get(id, ()):
                gathering.error = ConnectError(f"a result cannot be had from the worker that holds it: {error}")
                gathering.over.set()
        self._heard()

    def _receive(self, connection: Connection, message: Any) -> None:
        peer: _Peer = connection.data
        match message:
            case Outputs():
                ids = message.ids.tolist()
                peer.asked.difference_update(ids)
                for gathering in dict.fromkeys(gathering for id in ids for gathering in self._waiting.pop(id, ())):
                    gathering.take(message)
            case Undeliverable(id, exception):
                peer.asked.discard(id)
                for gathering in self._waiting.pop(id, ()):
                    gathering.undeliverable = exception
                    gathering.over.set()
            case _:
                raise WireError(f"a worker sent {type(message).__name__}, which is not for a client")
        self._heard()

    def _closed(self, connection: Connection, reason: str | None) -> None:
        peer: _Peer = connection.data
        peer.connection = None
        if peer.asked and self._peers.get(peer.number) is peer and peer.dialling is None:
            peer.dialling = asyncio.get_running_loop().create_task(self._dial(peer))


def _hang_up(peer: _Peer) -> None:
    if peer.dialling is not None:
        peer.dialling.cancel()
    if peer.connection is not None:
        peer.connection.close()
