"""Sessions: messages exactly once and in order, over as many connections as it takes.

For the links with the scheduler. The end that dialled dials again when a connection breaks; the other waits for it.
Either gives up after ``comm.reconnect_timeout``. An end that closes says goodbye, so that the other knows at once.
"""

from __future__ import annotations

import asyncio
import random
import threading
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from restride.config import Settings
from restride.engine.wire import codec
from restride.engine.wire.connection import Connection
from restride.engine.wire.frames import Body, Packet, pack
from restride.engine.wire.handshake import Hello
from restride.engine.wire.ledger import Ledger
from restride.engine.wire.listen import Attach, dial
from restride.engine.wire.security import Security
from restride.errors import ConnectError, RefusedError, WireError

SECONDS_TO_ACK = 0.1
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
"""Seconds between tries to connect again, at first and in the end."""
GOODBYE = b"goodbye"
_ACK = pack(b"", [], 1 << 10)

OnMessage = Callable[["Session", Any], None]
OnLost = Callable[["Session", str | None], None]
OnOpen = Callable[["Session", dict[str, Any]], Hello]
Redial = Callable[[Hello], Awaitable[Connection]]


def _ignore(session: Session, what: Any) -> None:
    pass


class Session:
    """One end of a session; `open` dials, a `SessionTable` makes those at the end that is dialled."""

    def __init__(self, identity: str, settings: Settings) -> None:
        self.identity = identity
        self.peer = ""
        """Who is at the other end, for logs; the address unless it has been set."""
        self.welcome: dict[str, Any] = {}
        """What the end that was dialled told the one that dialled."""
        self.data: Any = None
        """For whoever uses the session."""
        self.on_message: OnMessage = _ignore
        """Called in the loop's thread with each message. If it raises, that is logged and the session is lost."""
        self.on_lost: OnLost = _ignore
        """Called once, in the loop's thread: with None if the other end said goodbye, else with the reason in words.

        Not called after `close`.
        """
        self.on_reconnected: Callable[[Session], None] = lambda session: None
        """Called when another connection has taken the place of one that broke."""
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        """Held to book a message and to send it, so that they go out in the order of their numbers."""
        self._ledger = Ledger()
        self._connection: Connection | None = None
        self._ended = False
        self._redial: Redial | None = None
        self._redialling: asyncio.Task[None] | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._ack_timer: asyncio.TimerHandle | None = None
        self._last: Connection | None = None
        self._forget: Callable[[], object] = lambda: None

    @classmethod
    async def open(
        cls,
        address: str,
        security: Security,
        hello: Hello,
        settings: Settings,
        *,
        on_message: OnMessage,
        on_lost: OnLost,
        timeout: float | None = None,
    ) -> Session:
        """Begin a session with the process at an address.

        Parameters
        ----------
        address : str
        security : Security
        hello : mapping
            Who is calling: plain values, to which those of the session are added.
        settings : Settings
        on_message, on_lost : callable
            See the attributes of these names.
        timeout : float, optional
            Seconds for the first connection; ``comm.connect_timeout`` where it is not given.

        Raises
        ------
        ConnectError
            Nobody answers; a `RefusedError` if somebody does, and would not.
        """
        session = cls(uuid.uuid4().hex, settings)
        session.on_message, session.on_lost = on_message, on_lost
        hello = {**hello, "session": session.identity, "received": 0, "resume": False}
        connection = await dial(address, security, hello, settings, timeout)

        async def redial(progress: Hello) -> Connection:
            try:
                return await dial(address, security, {**hello, **progress}, settings)
            except ConnectError as error:
                if address.startswith("unix://") and isinstance(
                    error.__cause__, FileNotFoundError | ConnectionRefusedError
                ):
                    # No network that could come back: the process has ended, and its sessions with it.
                    raise RefusedError(str(error)) from error
                raise

        session._redial = redial
        session.welcome = connection.welcome
        session.attach(connection, 0)
        return session

    def __repr__(self) -> str:
        state = "closed" if self._ended else "connected" if self._connection is not None else "waiting"
        return f"<Session with {self.peer}, {state}>"

    @property
    def connected(self) -> bool:
        """Whether there is a connection at the moment."""
        return self._connection is not None

    def send(self, message: Any, *, lazy: bool = False) -> None:
        """Send a message, from any thread; never waits.

        A lazy one, from the loop's thread only, may go some milliseconds later, along with the next that is not. All
        are kept until the other end has them, so what they hold must not change any more. Dropped once the session
        has ended.

        Raises
        ------
        TypeError
            It is no message that travels.
        WireError
            It is larger than ``comm.max_message``.
        """
        body = pack(*codec.encode(message), self._settings.comm_max_message)
        with self._lock:
            if self._ended:
                return
            sequence, ack = self._ledger.send(body)
            if self._connection is not None:
                self._connection.send_body(body, sequence, ack, lazy=lazy)

    def close(self) -> None:
        """Say goodbye and end, in the loop's thread; what has been sent goes out first if there is a connection."""
        if self._ended:
            return
        self._end()
        if self._connection is not None:
            self._connection.send_body(_goodbye(""))
            self._connection.close()

    async def wait_closed(self) -> None:
        """Wait, after the end, until all has gone out and nothing of it is left in the loop."""
        if self._redialling is not None:
            await asyncio.gather(self._redialling, return_exceptions=True)
        if self._last is not None:
            await self._last.wait_closed()

    # ---- connections come and go

    @property
    def progress(self) -> dict[str, Any]:
        """What the other end has to know to go on."""
        return {"received": self._ledger.received, "resume": True}

    def attach(self, connection: Connection, received: int) -> None:
        """Go on over this connection, with an end that has received so many messages."""
        if self._ended:
            connection.close()
            return
        replaced, first = self._connection, self._last is None
        try:
            with self._lock:
                again = self._ledger.resume(received)
                self._connection = self._last = connection
                for sequence, body in again:
                    connection.send_body(body, sequence, self._ledger.acknowledge())
        except WireError as error:
            connection.close()
            self._lose(f"{connection.peer} cannot go on with the session: {error}")
            return
        if replaced is not None:
            replaced.close()
        self.peer = connection.peer = self.peer or connection.peer
        self._stop_waiting()
        connection.start_packets(partial(self._on_packet, connection), self._on_close)
        if not first:
            self.on_reconnected(self)

    def wait_for_connection(self, reason: str) -> None:
        """Give up if none comes within ``comm.reconnect_timeout``."""
        self._stop_waiting()
        seconds = self._settings.comm_reconnect_timeout
        words = f"{reason}; no connection came back within {seconds:g} s"
        self._patience = self._loop.call_later(seconds, self._lose, words)

    def _on_close(self, connection: Connection, reason: str | None) -> None:
        if connection is not self._connection:
            return
        with self._lock:
            self._connection = None
        if self._ended:
            return
        reason = reason or "the connection was closed"
        if connection.faulty:
            self._lose(reason)
            return
        self.wait_for_connection(reason)
        if self._redial is not None:
            self._redialling = self._loop.create_task(self._dial_again(self._redial))

    async def _dial_again(self, redial: Redial) -> None:
        pause = FIRST_PAUSE
        while not self._ended:
            try:
                connection = await redial(self.progress)
                received = _count(connection.welcome.get("received"))
            except (RefusedError, WireError) as error:
                self._lose(str(error))
            except ConnectError:
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # not all in step
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                self.attach(connection, received)
                return

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _lose(self, reason: str | None) -> None:
        if self._ended:
            return
        self._end()
        if self._connection is not None:
            self._connection.close()
        self.on_lost(self, reason)

    def _end(self) -> None:
        with self._lock:
            self._ended = True
        self._stop_waiting()
        if self._ack_timer is not None:
            self._ack_timer.cancel()
        if self._redialling is not None and self._redialling is not asyncio.current_task(self._loop):
            self._redialling.cancel()
        self._forget()

    # ---- receiving

    def _on_packet(self, connection: Connection, packet: Packet) -> None:
        if connection is not self._connection or self._ended:
            return
        nbytes = len(packet.header) + sum(map(len, packet.frames))
        try:
            with self._lock:
                fresh = self._ledger.receive(packet.sequence, packet.ack, nbytes)
            if fresh:
                self.on_message(self, codec.decode(packet.header, packet.frames))
            elif not packet.sequence and packet.header:
                self._on_goodbye(packet.header)
        except Exception as error:
            # Logged where it is caught; the other end should know, too.
            connection.send_body(_goodbye(f"what it was sent could not be handled: {type(error).__name__}: {error}"))
            raise
        self._acknowledge_in_time()

    def _on_goodbye(self, header: bytes) -> None:
        word, _, reason = header.partition(b" ")
        if word != GOODBYE:
            raise WireError(f"a message without a number: {header[:60]!r}")
        self._lose(f"{self.peer} ended the session: {reason.decode(errors='replace')}" if reason else None)

    def _acknowledge_in_time(self) -> None:
        if self._ledger.owes_ack_now:
            self._acknowledge()
        elif self._ledger.owes_ack and self._ack_timer is None:
            self._ack_timer = self._loop.call_later(SECONDS_TO_ACK, self._acknowledge_late)

    def _acknowledge_late(self) -> None:
        self._ack_timer = None
        if self._ledger.owes_ack:
            self._acknowledge()

    def _acknowledge(self) -> None:
        with self._lock:
            if self._connection is not None and not self._ended:
                self._connection.send_body(_ACK, 0, self._ledger.acknowledge())


class SessionTable:
    """The sessions of an end that is dialled; its `on_hello` is one for a `Listener`.

    Parameters
    ----------
    on_open : callable
        ``on_open(session, hello) -> welcome`` for each new session: sets `Session.on_message` and `Session.on_lost`; a
        `RestrideError` that it raises refuses the session.
    settings : Settings
    """

    def __init__(self, on_open: OnOpen, settings: Settings) -> None:
        self.sessions: dict[str, Session] = {}
        """By identity; those that have not ended."""
        self._on_open = on_open
        self._settings = settings

    def on_hello(self, hello: dict[str, Any]) -> tuple[Hello, Attach]:
        """Begin a session, or go on with one.

        Raises
        ------
        RefusedError
            The session that is to go on is not known here, or is over.
        WireError
            The hello is none of a session.
        """
        identity, received = hello.get("session"), _count(hello.get("received"))
        if not isinstance(identity, str) or not 0 < len(identity) <= 64:
            raise WireError("the hello names no session")
        session = self.sessions.get(identity)
        if hello.get("resume"):
            if session is None:
                raise RefusedError("the session is not known here: it was given up, or this process is a new one")
            return {**session.welcome, "received": session.progress["received"]}, partial(_attach, session, received)
        if session is not None:
            raise RefusedError("there is a session of this identity already")
        session = Session(identity, self._settings)
        session.welcome = dict(self._on_open(session, hello))
        session._forget = partial(self.sessions.pop, identity, None)
        self.sessions[identity] = session
        session.wait_for_connection("the first connection broke")
        return {**session.welcome, "received": 0}, partial(_attach, session, 0)

    async def close(self) -> None:
        """Say goodbye to all, and wait until that has gone out."""
        sessions = list(self.sessions.values())
        for session in sessions:
            session.close()
        await asyncio.gather(*(session.wait_closed() for session in sessions))


def _attach(session: Session, received: int, connection: Connection) -> None:
    session.attach(connection, received)


def _goodbye(reason: str) -> Body:
    return pack(b" ".join([GOODBYE, reason.encode()[:1000]]) if reason else GOODBYE, [], 1 << 12)


def _count(value: Any) -> int:
    if not isinstance(value, int) or value < 0:
        raise WireError(f"{value!r} is no number of messages received")
    return value
