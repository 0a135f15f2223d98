"""A non-blocking socket read and written by a coroutine: for handshakes, which are short and rare."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Callable
from functools import partial

from restride.engine.wire.handshake import Steps, T
from restride.errors import AuthenticationError


async def connect(channel: socket.socket, address: tuple[str, int] | str) -> None:
    """Connect; raises what the socket's ``connect`` raises."""
    try:
        channel.connect(address)
    except BlockingIOError:
        await _until(channel, writable=True)
        error = channel.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, os.strerror(error)) from None


async def start_tls(channel: socket.socket, context: ssl.SSLContext, *, server_side: bool) -> ssl.SSLSocket:
    """Take up TLS on a connected socket.

    Raises
    ------
    AuthenticationError
        One end would not have the other's certificate, or does not speak TLS.
    """
    secured = context.wrap_socket(channel, server_side=server_side, do_handshake_on_connect=False)
    try:
        await _retried(secured, secured.do_handshake)
    except ssl.SSLError as error:
        secured.close()
        raise AuthenticationError(f"no TLS with the other end: {error}") from error
    except BaseException:
        secured.close()
        raise
    return secured


async def follow(channel: socket.socket, steps: Steps[T]) -> T:
    """Do the reading and writing for one end of a handshake.

    Raises
    ------
    ConnectionError
        The other end hung up.
    RestrideError
        What the handshake raises.
    """
    answer = None
    while True:
        try:
            step = next(steps) if answer is None else steps.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result
        if isinstance(step, int):
            answer = await _read(channel, step)
        else:
            await _write(channel, step)
            answer = None


async def _read(channel: socket.socket, nbytes: int) -> bytes:
    """Exactly so many bytes: those that come after them are for somebody else."""
    content = b""
    while len(content) < nbytes:
        more = await _retried(channel, partial(channel.recv, nbytes - len(content)))
        if not more:
            raise ConnectionResetError("the other end hung up during the handshake")
        content += more
    return content


async def _write(channel: socket.socket, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        sent = await _retried(channel, partial(channel.send, rest), writes=True)
        rest = rest[sent:]


async def _retried(channel: socket.socket, call: Callable[[], T], *, writes: bool = False) -> T:
    """Call until it does not want to wait for the socket any more."""
    while True:
        try:
            return call()
        except ssl.SSLWantReadError:
            await _until(channel, writable=False)
        except ssl.SSLWantWriteError:
            await _until(channel, writable=True)
        except BlockingIOError:
            await _until(channel, writable=writes)


async def _until(channel: socket.socket, *, writable: bool) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    descriptor = channel.fileno()
    add, remove = (loop.add_writer, loop.remove_writer) if writable else (loop.add_reader, loop.remove_reader)
    add(descriptor, _settle, ready)
    try:
        await ready
    finally:
        remove(descriptor)


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
