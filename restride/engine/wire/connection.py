"""A connection that messages go over: any thread sends, the loop's thread receives.

Sending tries the socket straight away, in the thread that sends, as long as nothing is queued: a small message costs
one system call and no wake-up of the loop. What the kernel does not take is queued, and the loop goes on with it.
There is no coroutine and no future in a message's way.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from restride.engine.wire import codec
from restride.engine.wire.frames import LARGE, Body, Buffer, Packet, Parser, pack, pack_prefix
from restride.errors import WireError

BYTES_A_TURN = 4 << 20
"""After so many bytes read or written other connections get their turn."""
PACKETS_A_TURN = 64
BUFFERS_A_CALL = 256
"""Buffers handed to the kernel at once; it takes up to 1,024."""
LAZY_SECONDS = 2e-3
"""How long a message that is in no hurry waits for another to go along with."""
SECONDS_TO_FLUSH = 1.0
"""How long a connection that is being closed waits until what is queued has gone."""
BLOCKED = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

OnMessage = Callable[["Connection", Any], None]
OnPacket = Callable[[Packet], None]
OnClose = Callable[["Connection", str | None], None]

logger = logging.getLogger("restride.wire")


class Connection:
    """Messages to and from the process at the other end, in order, as long as it lasts.

    Made by `restride.engine.wire.listen`, in the thread of the running loop, around a connected socket.
    """

    def __init__(self, channel: socket.socket, peer: str, limit: int, welcome: Mapping[str, Any] | None = None) -> None:
        self.peer = peer
        """Who is at the other end, for logs."""
        self.welcome = dict(welcome or {})
        """What the end that was dialled told the one that dialled."""
        self.data: Any = None
        """For whoever uses the connection."""
        self.closed = False
        """Whether nothing is sent any more; `on_close` has been called, or will be at once."""
        self.faulty = False
        """Whether it was closed for what came over it; another connection would be no better."""
        channel.setblocking(False)
        self._channel = channel
        self._tls = isinstance(channel, ssl.SSLSocket)
        self._descriptor = channel.fileno()
        self._limit = limit
        self._parser = Parser(limit)
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        """Held to send and, under TLS, to receive: a TLS session is one state machine for both ways."""
        self._queue: deque[Buffer] = deque()
        self._writing = False
        """Whether the loop looks, or is about to, when the socket can be written."""
        self._deaf = False
        """Whether nothing is received any more."""
        self._over = False
        self._lazy: asyncio.TimerHandle | None = None
        self._reason: str | None = None
        self._gone = self._loop.create_future()
        self._on_packet: OnPacket | None = None
        self._on_close: OnClose | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} with {self.peer}{', closed' if self.closed else ''}>"

    @property
    def queued(self) -> int:
        """Bytes that the kernel has not taken yet."""
        with self._lock:
            return sum(map(len, self._queue))

    def start(self, on_message: OnMessage, on_close: OnClose) -> None:
        """Begin to receive; both are called in the loop's thread.

        Parameters
        ----------
        on_message : callable
            ``on_message(connection, message)``. If it raises, that is logged and the connection is closed.
        on_close : callable
            ``on_close(connection, reason)``, once; the reason is None where this end closed it.
        """

        def on_packet(packet: Packet) -> None:
            on_message(self, codec.decode(packet.header, packet.frames))

        self.start_packets(on_packet, on_close)

    def start_packets(self, on_packet: OnPacket, on_close: OnClose) -> None:
        """Begin to receive, packets as they are."""
        self._on_packet, self._on_close = on_packet, on_close
        if self._over:
            self._loop.call_soon(on_close, self, self._reason)
        elif not self._deaf:
            self._loop.add_reader(self._descriptor, self._readable)
            if self._tls:  # what came with the end of the handshake has left the socket already
                self._loop.call_soon(self._readable)

    def send(self, message: Any) -> None:
        """Send a message, from any thread; never waits.

        What it holds must not change any more. Once the connection is closed, it is dropped.

        Raises
        ------
        TypeError
            It is no message that travels.
        WireError
            It is larger than ``comm.max_message``.
        """
        self.send_body(pack(*codec.encode(message), self._limit))

    def send_body(self, body: Body, sequence: int = 0, ack: int = 0, *, lazy: bool = False) -> None:
        """Send a message that has been laid out, from any thread.

        A lazy one waits for the next that is not, `LAZY_SECONDS` at most: a system call less, and the other end is
        woken once. Lazy ones are sent in the loop's thread only.
        """
        with self._lock:
            if self.closed:
                return
            self._queue.append(pack_prefix(body, sequence, ack))
            self._queue.extend(body.parts)
            if self._writing:
                return
            if lazy:
                if self._lazy is None:
                    self._lazy = self._loop.call_later(LAZY_SECONDS, self._send_lazy)
                return
            self._flush()
            if not self._queue:
                return
            self._writing = True
        self._loop.call_soon_threadsafe(self._watch)

    def _send_lazy(self) -> None:
        """In the loop's thread: send what is queued, unless that is being done."""
        with self._lock:
            self._lazy = None
            if self._writing:
                return
            self._flush()
            if not self._queue:
                return
            self._writing = True
        self._watch()

    def close(self, reason: str | None = None) -> None:
        """Close, from any thread; what is queued still goes out, if it does within a second."""
        with self._lock:
            if self._deaf:
                return
            self.closed = self._deaf = True
        self._loop.call_soon_threadsafe(self._end_when_flushed, reason)

    async def wait_closed(self) -> None:
        """Wait until the socket is closed."""
        await asyncio.shield(self._gone)

    # ---- sending

    def _flush(self) -> None:
        """Hand a turn's worth of the queue to the kernel, as far as it takes it; under the lock."""
        budget = BYTES_A_TURN
        while self._queue and budget > 0:
            try:
                sent = self._send_some()
            except BLOCKED:
                return
            except OSError as error:
                self._broken(error)
                return
            budget -= sent
            while sent:
                first = self._queue.popleft()
                if len(first) > sent:
                    self._queue.appendleft(memoryview(first)[sent:])
                sent = max(sent - len(first), 0)

    def _send_some(self) -> int:
        if not self._tls:
            return self._channel.sendmsg(itertools.islice(self._queue, BUFFERS_A_CALL))
        first = self._queue[0]
        if len(self._queue) > 1 and len(first) + len(self._queue[1]) <= LARGE:
            first = b"".join([first, self._queue[1]])  # a record for prefix and body of a small message, not two
        return self._channel.send(first)

    def _watch(self) -> None:
        """Have the loop go on with the queue as the socket takes it."""
        if not self._over:
            self._loop.add_writer(self._descriptor, self._writable)

    def _writable(self) -> None:
        with self._lock:
            self._flush()
            if self._queue:
                return
            self._writing = False
            self._loop.remove_writer(self._descriptor)
        if self._deaf:
            self._end(self._reason)

    def _broken(self, error: OSError) -> None:
        """The socket takes no more; what it has received will still be read. Under the lock."""
        self._queue.clear()
        self.closed = True
        self._loop.call_soon_threadsafe(self._end_when_read, f"cannot send to {self.peer}: {error}")

    # ---- receiving

    def _readable(self) -> None:
        budget, packets = BYTES_A_TURN, PACKETS_A_TURN
        while not self._deaf:
            if budget <= 0 or packets <= 0:
                if self._tls:  # bytes that have left the socket wake nobody up
                    self._loop.call_soon(self._readable)
                return
            view = self._parser.buffer()
            try:
                received = self._receive(view)
            except BLOCKED:
                return
            except OSError as error:
                self._end(f"lost the connection with {self.peer}: {error}")
                return
            if not received:
                self._end(f"{self.peer} hung up{' in the middle of a message' if self._parser.midway else ''}")
                return
            packets -= self._deliver(received)
            budget -= received
            if received < len(view) and not self._tls:
                return

    def _receive(self, view: memoryview) -> int:
        if not self._tls:
            return self._channel.recv_into(view)
        with self._lock:
            return self._channel.recv_into(view)

    def _deliver(self, received: int) -> int:
        """Hand on what is complete now; returns how many packets that were."""
        assert self._on_packet is not None
        delivered = 0
        try:
            for packet in self._parser.received(received):
                if self._deaf:
                    break
                self._on_packet(packet)
                delivered += 1
        except WireError as error:
            self.faulty = True
            logger.error("closing the connection with %s, which sends what it should not: %s", self.peer, error)
            self._end(f"{self.peer} sent what it should not: {error}")
        except Exception as error:
            self.faulty = True
            logger.exception("closing the connection with %s, whose message could not be handled", self.peer)
            self._end(f"a message from {self.peer} could not be handled: {type(error).__name__}: {error}")
        return delivered

    # ---- the end

    def _end_when_flushed(self, reason: str | None) -> None:
        if self._over:
            return
        self._reason = reason
        self._loop.remove_reader(self._descriptor)
        self._send_lazy()
        if self._queue:
            self._loop.call_later(SECONDS_TO_FLUSH, self._end, reason)
        else:
            self._end(reason)

    def _end_when_read(self, reason: str) -> None:
        if self._on_packet is not None:
            self._readable()
        self._end(reason)

    def _end(self, reason: str | None) -> None:
        if self._over:
            return
        self._over, self._reason = True, reason
        if self._lazy is not None:
            self._lazy.cancel()
        with self._lock:
            self.closed = self._deaf = True
            self._queue.clear()
            self._loop.remove_reader(self._descriptor)
            self._loop.remove_writer(self._descriptor)
            self._channel.close()
        self._gone.set_result(None)
        if self._on_close is not None:
            self._on_close(self, reason)
