"""Both ends of a connection in one loop, with a record of what each of them is told."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from restride.config import Settings
from restride.engine.wire.connection import Connection
from restride.engine.wire.listen import Listener, dial
from restride.engine.wire.security import Security

PATIENCE = 20.0
"""Seconds after which something that must happen counts as never happening."""
T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(PATIENCE):
            return await main

    return asyncio.run(bounded())


def with_comm(**values: Any) -> Settings:
    return replace(Settings.current(), **{f"comm_{name}": value for name, value in values.items()})


class Record:
    """What an end has been told: messages, in order, and why it is over."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.endings: list[str | None] = []
        self._news = asyncio.Event()

    def on_message(self, source: Any, message: Any) -> None:
        self.messages.append(message)
        self._news.set()

    def on_end(self, source: Any, reason: str | None) -> None:
        self.endings.append(reason)
        self._news.set()

    async def count(self, messages: int) -> list[Any]:
        while len(self.messages) < messages:
            self._news.clear()
            await self._news.wait()
        return self.messages

    async def ending(self) -> str | None:
        while not self.endings:
            self._news.clear()
            await self._news.wait()
        (reason,) = self.endings
        return reason


class Server:
    """A listener that takes everybody, and keeps the connections."""

    def __init__(self, address: str, security: Security, settings: Settings) -> None:
        self.hellos: list[Mapping[str, Any]] = []
        self.connections: list[Connection] = []
        self.records: list[Record] = []
        self.listener = Listener(address, security, self._on_hello, settings)

    def _on_hello(self, hello: dict[str, Any]) -> tuple[dict[str, Any], Any]:
        self.hellos.append(hello)
        return {"number": len(self.hellos)}, self._attach

    def _attach(self, connection: Connection) -> None:
        record = Record()
        connection.start(record.on_message, record.on_end)
        self.connections.append(connection)
        self.records.append(record)

    async def __aenter__(self) -> Server:
        await self.listener.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.listener.stop()
        for connection in self.connections:
            connection.close()
            await connection.wait_closed()


class Pair:
    """Two connected ends, `here` having dialled."""

    def __init__(self, address: str, security: Security, settings: Settings) -> None:
        self.address, self.security, self.settings = address, security, settings

    async def __aenter__(self) -> Pair:
        self.server = Server(self.address, self.security, self.settings)
        await self.server.__aenter__()
        self.here = await dial(self.server.listener.address, self.security, {"role": "peer"}, self.settings)
        self.heard_here = Record()
        self.here.start(self.heard_here.on_message, self.heard_here.on_end)
        while not self.server.connections:  # attached in the turn after the one that sends the welcome
            await asyncio.sleep(0)
        self.there, self.heard_there = self.server.connections[0], self.server.records[0]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.here.close()
        await self.here.wait_closed()
        await self.server.__aexit__()


def address_of(scheme: str, folder: Path) -> str:
    return f"unix://{folder / 'socket'}" if scheme == "unix" else f"{scheme}://127.0.0.1:0"
