"""A bad network on purpose, for tests and benchmarks: messages are held up, connections break.

Settings ``comm.delay``, ``comm.jitter``, ``comm.break_every`` and ``comm.seed``. Each end holds up what it sends.
"""

from __future__ import annotations

import functools
import random
import socket
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from restride.config import Settings
from restride.engine.wire.connection import Connection
from restride.engine.wire.frames import Body, Buffer


def make_connection(
    channel: socket.socket, peer: str, settings: Settings, welcome: Mapping[str, Any] | None = None
) -> Connection:
    """A connection over this socket, as good or bad as the settings say."""
    if settings.comm_delay or settings.comm_jitter or settings.comm_break_every:
        return ImpairedConnection(channel, peer, settings, welcome)
    return Connection(channel, peer, settings.comm_max_message, welcome)


class ImpairedConnection(Connection):
    """Sends later than it is told to, in the same order, and breaks now and then."""

    def __init__(
        self, channel: socket.socket, peer: str, settings: Settings, welcome: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(channel, peer, settings.comm_max_message, welcome)
        self._delay, self._jitter = settings.comm_delay, settings.comm_jitter
        self._odds = 1 / settings.comm_break_every if settings.comm_break_every else 0.0
        self._random = _random(settings.comm_seed)
        self._held: deque[tuple[float, Body | None, int, int]] = deque()
        """When what is to be sent; None at the end is to close."""
        self._held_lock = threading.Lock()

    def send_body(self, body: Body, sequence: int = 0, ack: int = 0, *, lazy: bool = False) -> None:
        """Send a message that has been laid out, after a while, unless the connection breaks instead."""
        self._hold(body, sequence, ack)

    def close(self, reason: str | None = None) -> None:
        """Close, after all that is held up."""
        self._loop.call_soon_threadsafe(self._hold, None, 0, 0)

    def _hold(self, body: Body | None, sequence: int, ack: int) -> None:
        with self._held_lock:
            due = self._loop.time() + self._delay + self._jitter * self._random.random()
            due = max(due, self._held[-1][0] if self._held else 0.0)
            self._held.append((due, body, sequence, ack))
            if len(self._held) > 1:
                return
        self._loop.call_soon_threadsafe(self._loop.call_at, due, self._let_go)

    def _let_go(self) -> None:
        """Send all that is due; in the loop's thread."""
        while True:
            with self._held_lock:
                if not self._held or self._over:
                    return
                due, body, sequence, ack = self._held[0]
                if due > self._loop.time():
                    self._loop.call_at(due, self._let_go)
                    return
            if body is None:
                super().close()
            elif self._random.random() < self._odds:
                self._break(body)
            else:
                super().send_body(body, sequence, ack)
            with self._held_lock:
                self._held.popleft()

    def _break(self, body: Body) -> None:
        """Send a part of the message, and hang up."""
        half: list[Buffer] = [bytes(part[: len(part) // 2]) for part in body.parts[:1] if len(part) > 1]
        super().send_body(replace(body, parts=half))
        self._end(f"the connection with {self.peer} has been broken on purpose")


@functools.cache
def _random(seed: int | None) -> random.Random:
    """One for the whole process: connections that began alike would all break at the same message."""
    return random.Random(seed)
