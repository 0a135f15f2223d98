"""The program behind `ForkServer`: imports what the processes of a cluster need, once, and forks them.

It has one thread and no event loop, so that what it forks starts from a clean state. Whoever asked for a process hears
when it ends; and when anybody who may ask has gone (its channel closed, or the process that started this one died, by
whatever means), everything goes: processes, what they started, and the directory of their sockets.

The module itself imports little, as the path to import from comes with the first message.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import selectors
import shutil
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import FrameType
from typing import Any, NoReturn

from restride.engine.distributed.channel import Channel, Note
from restride.engine.distributed.parent import die_with_parent, name_process, open_parent

SECONDS_TO_END = 1.0
"""That processes have to end by themselves, before they are killed."""
SECONDS_TO_DIE = 5.0
"""That the kernel has to end what was killed; one that hangs in a device may take longer."""


@dataclass(frozen=True, slots=True)
class Child:
    """A process that was forked and not yet reaped."""

    owner: Channel
    """Who asked for it."""
    number: int
    """The owner's number for it."""
    essential: bool
    """Whether everything goes when it goes."""


@dataclass
class Server:
    """Forks on request, reaps, and ends everything in the end."""

    directory: str
    """Of the processes' sockets; removed in the end."""
    run_role: Callable[[str, Channel], int]
    """What a process does, from its role and its channel to whoever has asked for it, to its exit code."""
    children: dict[int, Child] = field(default_factory=dict)
    """By process id."""
    channels: list[Channel] = field(default_factory=list)
    ending: bool = False

    def __post_init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = os.pipe()
        for end in (self._wake, self._woken):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._woken, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _nothing)
        signal.signal(signal.SIGTERM, self._told_to_end)
        self._selector.register(self._wake, selectors.EVENT_READ, self._reap)
        self._handles = [self._wake, self._woken]

    def watch_parent(self, parent: int) -> None:
        """End when the process that started this one does, even if others have the channel to it open."""
        try:
            handle = open_parent(parent)
        except ProcessLookupError:
            self.ending = True
            return
        if handle is not None:
            self._handles.append(handle)
            self._selector.register(handle, selectors.EVENT_READ, self.end_soon)

    def serve(self, channel: Channel) -> None:
        """Take requests from a channel."""
        self.channels.append(channel)
        self._selector.register(channel, selectors.EVENT_READ, partial(self._requests, channel))

    def run(self) -> None:
        """Serve until it is time to end; then end everything."""
        while not self.ending:
            self._turn(None)
        for key in list(self._selector.get_map().values()):
            if key.fileobj != self._wake:
                self._selector.unregister(key.fileobj)
        # Nobody runs until all have been told: or the last to hear of it would complain about the first to go.
        for signum in (signal.SIGSTOP, signal.SIGTERM, signal.SIGCONT):
            self._signal_all(signum)
        self._wait(SECONDS_TO_END)
        self._signal_all(signal.SIGKILL)
        self._wait(SECONDS_TO_DIE)
        shutil.rmtree(self.directory, ignore_errors=True)

    def end_soon(self) -> None:
        """End everything, after this turn."""
        self.ending = True

    # ---- requests

    def _requests(self, channel: Channel) -> None:
        try:
            notes = channel.receive_now()
        except EOFError:
            self.ending = True
            return
        for note in notes:
            self._request(channel, note)

    def _request(self, channel: Channel, note: Note) -> None:
        match note.content:
            case {"start": int() as number, "role": str() as role, "name": str() as name, "essential": essential}:
                self._start(Child(channel, number, bool(essential)), role, name, note.files)
            case {"signal": int() as number, "of": int() as signum}:
                for pid, child in self.children.items():
                    if child.owner is channel and child.number == number:
                        os.kill(pid, signum)
            case {"serve": True}:
                self.serve(Channel(socket.socket(fileno=note.files[0])))
            case _:
                raise ValueError(f"a request that is none: {note.content}")

    def _start(self, child: Child, role: str, name: str, files: Sequence[int]) -> None:
        parent = os.getpid()
        # A signal between the fork and the child's own handlers would be taken by ours.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        try:
            pid = os.fork()
        except OSError as error:
            _tell(child.owner, {"failed": child.number, "reason": f"no process could be made for it: {error}"})
        else:
            if pid == 0:
                self._become(partial(self._run, role, name, parent, files[0]), mask)
            with contextlib.suppress(OSError):  # the child does it too; whoever is first
                os.setpgid(pid, pid)
            self.children[pid] = child
            _tell(child.owner, {"started": child.number, "pid": pid})
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            for file in files:
                os.close(file)

    def _become(self, run: Callable[[], int], mask: set[int | signal.Signals]) -> NoReturn:
        """In the child: drop what is the server's, run, and end without unwinding the server's stack."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for signum in (signal.SIGCHLD, signal.SIGTERM):
                signal.signal(signum, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            self._selector.close()
            for channel in self.channels:
                channel.close()
            for handle in self._handles:
                os.close(handle)
            code = run()
        except BaseException:  # noqa: BLE001 - there is nobody above; the process ends with this
            traceback.print_exc()
        finally:
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(OSError, ValueError):
                    stream.flush()
            os._exit(code)

    def _run(self, role: str, name: str, parent: int, leash: int) -> int:
        os.setpgid(0, 0)
        die_with_parent(parent)
        name_process(name)
        if "numpy.random" in sys.modules:
            sys.modules["numpy.random"].seed()  # the global generator: or all workers would draw the same
        return self.run_role(role, Channel(socket.socket(fileno=leash)))

    # ---- ends

    def _told_to_end(self, signum: int, frame: FrameType | None) -> None:
        self.ending = True

    def _turn(self, timeout: float | None) -> None:
        for key, _ in self._selector.select(timeout):
            key.data()

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake, 4096)
        for pid, child in list(self.children.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del self.children[pid]
                _kill_group(pid)
                self.ending |= child.essential
                if not self.ending:
                    _tell(child.owner, {"ended": child.number, "status": os.waitstatus_to_exitcode(status)})

    def _signal_all(self, signum: int) -> None:
        for pid in self.children:
            os.kill(pid, signum)

    def _wait(self, timeout: float) -> None:
        """Until all children have ended, but not for ever."""
        deadline = time.monotonic() + timeout
        self._reap()
        while self.children and (left := deadline - time.monotonic()) > 0:
            self._turn(left)


def _kill_group(leader: int) -> None:
    """Kill what a process that has ended had started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _tell(channel: Channel, content: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # gone; its end of file comes next
        channel.send(content)


def _nothing(signum: int, frame: FrameType | None) -> None:
    """Handle a signal that is there to wake the selector."""


def main() -> None:
    """Start from what the first message on standard input says."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one to decide about
    channel = Channel(socket.socket(fileno=os.dup(0)))
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.close(null)
    content, (stderr,) = channel.receive()
    sys.path[:] = content["path"]
    for variable, value in content["environment"].items():
        if value is None:
            os.environ.pop(variable, None)
        else:
            os.environ[variable] = value
    server = Server(content["directory"], importlib.import_module(content["roles"]).run)
    server.watch_parent(content["parent"])
    server.serve(channel)
    gc.collect()
    gc.freeze()  # or the collector would write to, and so copy, the pages that all children share
    sys.stderr.flush()
    os.dup2(stderr, 2)  # until here it was whoever started this that read it
    os.close(stderr)
    server.run()
    os._exit(0)  # whoever waits for the end need not wait for the interpreter's own, too


if __name__ == "__main__":
    main()
