"""Messages, and open files, between a process and those that it has started: JSON lines over a private pair of sockets.

This is how children get what no other process may see (secrets) or name (open files), and how either side notices that
the other has died: its end of the pair closes with it, however it died.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

MAX_FILES = 8
"""Files that come with one message, at most."""
CHUNK = 65536


class Note(NamedTuple):
    """A message of a `Channel`."""

    content: dict[str, Any]
    files: list[int]
    """Descriptors, open in this process now, and closed by nobody else."""


class Channel:
    """One end of a pair; not for several threads at once.

    Parameters
    ----------
    sock : socket.socket
        A connected unix stream socket, which the channel owns from now on.

    Examples
    --------
    >>> ours, theirs = Channel.pair()
    >>> ours.send({"start": 1})
    >>> theirs.receive().content
    {'start': 1}
    >>> ours.close()
    >>> theirs.receive()
    Traceback (most recent call last):
        ...
    EOFError: the other end has closed
    >>> theirs.close()
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._buffer = b""
        self._files: deque[int] = deque()
        self._notes: deque[Note] = deque()

    @classmethod
    def pair(cls) -> tuple[Self, Self]:
        """Two ends, of which one goes to a child."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        return cls(ours), cls(theirs)

    def fileno(self) -> int:
        """Descriptor of the socket; -1 once closed."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close this end; what came and was not taken is lost."""
        for file in [*self._files, *(file for note in self._notes for file in note.files)]:
            os.close(file)
        self._files.clear()
        self._notes.clear()
        self._socket.close()

    def shut(self) -> None:
        """As `close`; the other end notices also while a process that was forked from this one has it open."""
        with contextlib.suppress(OSError):  # the other end was faster
            self._socket.shutdown(socket.SHUT_RDWR)
        self.close()

    def wait_for_end(self, timeout: float) -> bool:
        """Tell the other end that nothing more comes, and wait until it closes; whether it did in time."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        try:
            while True:
                self.receive(timeout)
        except (EOFError, TimeoutError) as end:
            return isinstance(end, EOFError)

    def send(self, content: Mapping[str, Any], files: Sequence[int] = ()) -> None:
        """Send a message, and open files with it.

        Parameters
        ----------
        content : mapping
            Plain values, as in JSON.
        files : sequence of int
            Descriptors, at most `MAX_FILES`; the other process gets its own ones of the same files.

        Raises
        ------
        OSError
            The other end has closed.
        """
        data = json.dumps([len(files), content]).encode() + b"\n"
        sent = socket.send_fds(self._socket, [data], list(files)) if files else 0
        self._socket.sendall(data[sent:])

    def receive(self, timeout: float | None = None) -> Note:
        """Wait for the next message.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait; for ever by default.

        Raises
        ------
        EOFError
            The other end has closed, and everything it had sent was received.
        TimeoutError
            Nothing came in time.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._notes:
            poll = select.poll()
            poll.register(self._socket, select.POLLIN)
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not poll.poll(None if left is None else left * 1000):
                raise TimeoutError(f"no answer in {timeout:g} s")
            self._read()
        return self._notes.popleft()

    def receive_now(self) -> list[Note]:
        """What has come, once the socket is readable.

        Raises
        ------
        EOFError
            The other end has closed, and everything it had sent was received.
        """
        if not self._notes:
            self._read()
        notes = list(self._notes)
        self._notes.clear()
        return notes

    def _read(self) -> None:
        try:
            data, files, _, _ = socket.recv_fds(self._socket, CHUNK, MAX_FILES)
        except ConnectionError:
            data, files = b"", []
        if not data:
            raise EOFError("the other end has closed")
        for file in files:
            os.set_inheritable(file, False)
        self._files.extend(files)
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            count, content = json.loads(line)
            self._notes.append(Note(content, [self._files.popleft() for _ in range(count)]))
