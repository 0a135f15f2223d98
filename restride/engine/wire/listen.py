"""Where connections come from: listening for others, and dialling them; either way a handshake comes first."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import socket
import ssl
import stat
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from restride.config import Settings
from restride.engine.wire import channel as channels
from restride.engine.wire.address import Address, parse_address, reachable
from restride.engine.wire.connection import Connection
from restride.engine.wire.handshake import Hello, answer_steps, dial_steps
from restride.engine.wire.impairment import make_connection
from restride.engine.wire.security import Security
from restride.errors import AuthenticationError, ConnectError, RefusedError, RestrideError, SilentError, WireError

MOST_STRANGERS = 256
"""Connections at most that have not proved themselves yet; beyond, the oldest goes."""
BACKLOG = 1024
ACCEPTED_A_TURN = 64
SECONDS_WITHOUT_DESCRIPTORS = 0.1
"""How long to wait before the next try to accept, once the process has run out of file descriptors."""
SECONDS_BETWEEN_LOGS = 1.0
SECONDS_TO_KEEPALIVE = 15
SECONDS_UNANSWERED = 300
"""After so long without an answer from the other host's kernel, or with one that takes nothing more, TCP gives up."""
UNIX_BUFFER = 1 << 20
OUT_OF_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

Attach = Callable[[Connection], None]
OnHello = Callable[[dict[str, Any]], tuple[Hello, Attach]]

logger = logging.getLogger("restride.wire")


class Listener:
    """Accepts connections at an address from those that know the secret.

    Parameters
    ----------
    address : str
        ``tcp://host:port`` or ``tls://host:port``, where port 0 stands for any that is free, or ``unix:///path``.
    security : Security
    on_hello : callable
        ``on_hello(hello) -> (welcome, attach)``, called in the loop's thread for each that has proved itself; then
        ``attach(connection)``, once the welcome has been sent. A `RestrideError` that it raises refuses, and is told.
    settings : Settings
    """

    def __init__(self, address: str, security: Security, on_hello: OnHello, settings: Settings) -> None:
        self._asked = parse_address(address)
        self._security = security
        self._on_hello = on_hello
        self._settings = settings
        self._socket: socket.socket | None = None
        self._strangers: dict[asyncio.Task[None], None] = {}
        self._last_log = -SECONDS_BETWEEN_LOGS
        self._unlogged = 0

    @property
    def address(self) -> str:
        """Where others reach it; the port is known once it has been started."""
        if self._socket is None or self._asked.scheme == "unix":
            return str(self._asked)
        return str(reachable(replace(self._asked, port=self._socket.getsockname()[1])))

    async def start(self) -> None:
        """Begin to listen.

        Raises
        ------
        OSError
            The address is taken, or not one of this machine's.
        ValueError
            A ``tls://`` address, and no certificates.
        """
        self._loop = asyncio.get_running_loop()
        if self._asked.scheme == "tls":
            self._security.server_context()
        try:
            self._socket = await _listening(self._asked)
        except OSError as error:
            raise OSError(error.errno, f"cannot listen at {self._asked}: {error.strerror or error}") from error
        self._loop.add_reader(self._socket, self._accept)

    async def stop(self) -> None:
        """Accept no more; connections that have been made go on."""
        if self._socket is None:
            return
        self._loop.remove_reader(self._socket)
        self._socket.close()
        self._socket = None
        if self._asked.scheme == "unix":
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._asked.path)
        strangers = list(self._strangers)
        for stranger in strangers:
            stranger.cancel()
        await asyncio.gather(*strangers, return_exceptions=True)

    def _accept(self) -> None:
        assert self._socket is not None
        for _ in range(ACCEPTED_A_TURN):
            try:
                channel, peer = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in OUT_OF_DESCRIPTORS:
                    raise
                self._pause(error)
                return
            channel.setblocking(False)
            _tune(channel)
            name = f"{peer[0]}:{peer[1]}" if peer else f"a process at {self._asked}"
            while len(self._strangers) >= MOST_STRANGERS:
                self._drop_oldest("there are too many that have not proved themselves")
            task = self._loop.create_task(self._greet(channel, name))
            self._strangers[task] = None
            task.add_done_callback(partial(self._greeted, channel))

    async def _greet(self, channel: socket.socket, peer: str) -> None:
        connection = None
        try:
            async with asyncio.timeout(self._settings.comm_handshake_timeout):
                if self._asked.scheme == "tls":
                    context = self._security.server_context()
                    channel = await channels.start_tls(channel, context, server_side=True)
                attach = await channels.follow(channel, answer_steps(self._security.secret, self._on_hello))
            connection = make_connection(channel, peer, self._settings)
            attach(connection)
        except TimeoutError:
            self._log_refusal(peer, f"no proof within {self._settings.comm_handshake_timeout:g} s")
        except (RestrideError, OSError) as error:
            self._log_refusal(peer, str(error))
        except Exception:
            logger.exception("a connection from %s could not be taken up", peer)
            if connection is not None:
                connection.close()
        finally:
            if connection is None:
                channel.close()

    def _greeted(self, channel: socket.socket, task: asyncio.Task[None]) -> None:
        self._strangers.pop(task, None)
        if task.cancelled():  # perhaps before it began
            channel.close()

    def _pause(self, error: OSError) -> None:
        assert self._socket is not None
        self._log_refusal("whoever comes next", f"{error.strerror}; raise the limit with ulimit -n")
        if self._strangers:
            self._drop_oldest("the process is out of file descriptors")
        self._loop.remove_reader(self._socket)
        self._loop.call_later(SECONDS_WITHOUT_DESCRIPTORS, self._resume)

    def _resume(self) -> None:
        if self._socket is not None:
            self._loop.add_reader(self._socket, self._accept)

    def _drop_oldest(self, reason: str) -> None:
        stranger = next(iter(self._strangers))
        del self._strangers[stranger]
        stranger.cancel()
        self._log_refusal("one that kept silent", reason)

    def _log_refusal(self, peer: str, reason: str) -> None:
        now = self._loop.time()
        if now - self._last_log < SECONDS_BETWEEN_LOGS:
            self._unlogged += 1
            return
        more = f" (and {self._unlogged} more before)" if self._unlogged else ""
        logger.warning("%s: refused %s: %s%s", self.address, peer, reason, more)
        self._last_log, self._unlogged = now, 0


async def dial(
    address: str, security: Security, hello: Hello, settings: Settings, timeout: float | None = None
) -> Connection:
    """Connect to a listener.

    Parameters
    ----------
    address : str
    security : Security
    hello : mapping
        Who is calling: plain values.
    settings : Settings
    timeout : float, optional
        Seconds until it has to be done, handshake and all; ``comm.connect_timeout`` where it is not given.

    Returns
    -------
    Connection
        Not started yet; its `welcome` is what the other end said.

    Raises
    ------
    ConnectError
        Nobody answers; a `RefusedError` if somebody does, and would not: wrong secret, wrong version, no room. A
        `SilentError` if something listens there all the same.
    ValueError
        The address is none, or is a ``tls://`` address and there are no certificates.
    """
    parsed = parse_address(address)
    seconds = settings.comm_connect_timeout if timeout is None else timeout
    context = security.client_context() if parsed.scheme == "tls" else None
    failure: type[ConnectError] = ConnectError
    try:
        async with asyncio.timeout(seconds):
            channel = await _connected(parsed)
            failure = SilentError
            welcome, channel = await _introduce(channel, context, security, hello)
            return make_connection(channel, address, settings, welcome)
    except AuthenticationError as error:
        raise AuthenticationError(
            f"{address} refused the connection: {error}; both ends need the same secret (RESTRIDE_SECRET, or the same "
            f"~/.config/restride/secret), and for tls:// the same certificates"
        ) from error
    except RefusedError as error:
        raise type(error)(f"{address} refused the connection: {error}") from error
    except TimeoutError:
        raise failure(f"nobody answered at {address} within {seconds:g} s") from None
    except (OSError, WireError) as error:
        words = getattr(error, "strerror", None) or str(error)
        if parsed.scheme == "tcp" and isinstance(error, ConnectionResetError):
            words += "; if it asks for TLS, its address begins with tls://"
        raise ConnectError(f"cannot connect to {address} (timeout {seconds:g} s): {words}") from error


async def dial_first(
    addresses: Sequence[str], security: Security, hello: Hello, settings: Settings, timeout: float | None = None
) -> Connection:
    """Connect to the first of some addresses that answers, in this order.

    Raises
    ------
    ConnectError
        None of them does; the message has the reason of each. A `SilentError` if something listens at one of them.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + (settings.comm_connect_timeout if timeout is None else timeout)
    errors: list[ConnectError] = []
    for address in addresses:
        try:
            return await dial(address, security, hello, settings, max(deadline - loop.time(), 0.0))
        except ConnectError as error:
            errors.append(error)
    failure = SilentError if any(isinstance(error, SilentError) for error in errors) else ConnectError
    raise failure("; ".join(map(str, errors)) or "there is no address to connect to")


async def _introduce(
    channel: socket.socket, context: ssl.SSLContext | None, security: Security, hello: Hello
) -> tuple[Hello, socket.socket]:
    """Both ends prove who they are, over a connected socket: what the other one says, and the socket to go on with."""
    try:
        _tune(channel)
        if context is not None:
            channel = await channels.start_tls(channel, context, server_side=False)
        return await channels.follow(channel, dial_steps(security.secret, hello)), channel
    except BaseException:
        channel.close()
        raise


async def _connected(address: Address) -> socket.socket:
    """A socket that is connected to the first of the host's addresses that will."""
    error: OSError = OSError(errno.EADDRNOTAVAIL, "the host has no address")
    for family, target in await _resolve(address):
        channel = socket.socket(family, socket.SOCK_STREAM)
        channel.setblocking(False)
        try:
            await channels.connect(channel, target)
        except OSError as failure:
            channel.close()
            error = failure
        except BaseException:
            channel.close()
            raise
        else:
            return channel
    raise error


async def _listening(address: Address) -> socket.socket:
    family, target = (await _resolve(address))[0]
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setblocking(False)
        if family == socket.AF_UNIX:
            os.fchmod(listening.fileno(), stat.S_IRUSR | stat.S_IWUSR)
            _remove_stale(address.path)
        else:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(target)
        listening.listen(BACKLOG)
    except BaseException:
        listening.close()
        raise
    return listening


def _remove_stale(path: str) -> None:
    """Remove the socket file of a listener that is no more."""
    if not Path(path).is_socket():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
        except OSError:  # no right to, or a busy listener: for bind to say
            return


async def _resolve(address: Address) -> list[tuple[int, Any]]:
    """Family and socket address of each address of the host."""
    if address.scheme == "unix":
        return [(socket.AF_UNIX, address.path)]
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:  # a name: whoever resolves it may take seconds
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    return [(family, target) for family, _, _, _, target in found]


def _tune(channel: socket.socket) -> None:
    if channel.family == socket.AF_UNIX:
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNIX_BUFFER)
        return
    channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # A host that vanished does not say so: have the kernel ask. Patiently, since a process that holds the GIL for long
    # does not read either.
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, SECONDS_TO_KEEPALIVE)
        channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, SECONDS_TO_KEEPALIVE)
        channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1000 * SECONDS_UNANSWERED)
