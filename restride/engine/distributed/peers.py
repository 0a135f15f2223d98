"""Connections to workers, of another worker or of a client, each made when there is first something to send to one.

A connection that breaks is made anew, as long as the scheduler does not say that the other worker is gone; whoever had
asked something over it asks again.
"""

from __future__ import annotations

import asyncio
import logging
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from restride.config import Settings
from restride.engine.messages import Workers
from restride.engine.wire.connection import Connection, OnMessage
from restride.engine.wire.listen import dial_first
from restride.engine.wire.security import Security
from restride.errors import ConnectError

logger = logging.getLogger("restride.worker")

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
"""Seconds between tries to connect, at first and in the end."""


class _Link:
    """What there is of the way to another worker."""

    def __init__(self) -> None:
        self.addresses: Sequence[str] = ()
        self.connection: Connection | None = None
        self.waiting: list[Any] = []
        """Messages for the time when there is a connection."""
        self.dialling: asyncio.Task[None] | None = None


class Peers:
    """Other workers, by number; made in the loop's thread.

    Parameters
    ----------
    security : Security
    hello : mapping
        Who is calling.
    settings : Settings
    on_message : callable
        ``on_message(connection, message)``, in the loop's thread.
    on_lost : callable
        ``on_lost(number)``, in the loop's thread: what was asked of that worker has to be asked again.
    """

    def __init__(
        self,
        security: Security,
        hello: Mapping[str, Any],
        settings: Settings,
        on_message: OnMessage,
        on_lost: Callable[[int], None],
    ) -> None:
        self._security, self._hello, self._settings = security, dict(hello), settings
        self._on_message, self._on_lost = on_message, on_lost
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._links: dict[int, _Link] = {}
        self._gone: set[int] = set()

    def learn(self, message: Workers) -> None:
        """Where workers can be reached, in the loop's thread; nowhere, if they are gone."""
        for number, addresses in zip(message.numbers.tolist(), message.addresses):
            with self._lock:
                link = self._links.setdefault(number, _Link())
                link.addresses = addresses
                if not addresses:
                    self._gone.add(number)
                    del self._links[number]
            if not addresses:
                _end(link)
            elif link.waiting:
                self._dial_soon(number, link)

    def send(self, number: int, message: Any) -> None:
        """Send a message to a worker, from any thread; those to one that is gone are dropped."""
        with self._lock:
            if number in self._gone:
                return
            link = self._links.setdefault(number, _Link())
            if link.connection is not None:
                link.connection.send(message)
                return
            link.waiting.append(message)
        self._loop.call_soon_threadsafe(self._dial_soon, number, link)

    def is_connected(self, number: int) -> bool:
        """Whether there is a connection to a worker now."""
        link = self._links.get(number)
        return link is not None and link.connection is not None

    async def close(self) -> None:
        """End all connections."""
        with self._lock:
            links = list(self._links.values())
            self._gone.update(self._links)
            self._links.clear()
        for link in links:
            _end(link)
        await asyncio.gather(
            *(link.dialling for link in links if link.dialling is not None),
            *(link.connection.wait_closed() for link in links if link.connection is not None),
            return_exceptions=True,
        )

    def _dial_soon(self, number: int, link: _Link) -> None:
        if link.dialling is None and link.addresses and link.connection is None:
            link.dialling = self._loop.create_task(self._dial(number, link))

    async def _dial(self, number: int, link: _Link) -> None:
        pause = FIRST_PAUSE
        while self._links.get(number) is link:
            try:
                connection = await dial_first(link.addresses, self._security, self._hello, self._settings)
                if connection.welcome.get("number") not in (number, None):
                    connection.close()
                    raise ConnectError(f"another worker answers at {connection.peer}")
            except ConnectError as error:
                logger.warning("worker %d cannot be reached: %s", number, error)
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                self._attach(number, link, connection)
                return

    def _attach(self, number: int, link: _Link, connection: Connection) -> None:
        link.dialling = None
        connection.start(self._on_message, partial(self._closed, number, link))
        with self._lock:
            link.connection = connection
            for message in link.waiting:
                connection.send(message)
            link.waiting.clear()

    def _closed(self, number: int, link: _Link, connection: Connection, reason: str | None) -> None:
        with self._lock:
            if link.connection is not connection or self._links.get(number) is not link:
                return
            link.connection = None
        logger.info("the connection to worker %d is lost: %s", number, reason)
        self._on_lost(number)


def _end(link: _Link) -> None:
    if link.dialling is not None:
        link.dialling.cancel()
    if link.connection is not None:
        link.connection.close()
