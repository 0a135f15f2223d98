"""Starting processes in a few milliseconds each: a process that has imported everything already forks them.

Nothing of the user's main module runs there, so scripts need no ``if __name__ == "__main__"`` guard; but the path to
import from, the working directory and the environment are those of the process that starts it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from restride.engine.distributed.allocator import ENVIRONMENT
from restride.engine.distributed.channel import Channel
from restride.errors import ClusterError

PROGRAM = "restride.engine.distributed.fork_server_process"
ROLES = "restride.engine.distributed.roles"
SECONDS_TO_END = 10.0
"""After which a fork server that was told to end is killed; it gives its children less than that."""
LONGEST_HOME = 70
"""Characters; the path of a unix socket has 104 at most on some systems."""


class ForkServer:
    """One end of a channel to a fork server; not for several threads at once.

    Parameters
    ----------
    channel : Channel
        On it the fork server reports ``{"started": number, "pid": pid}``, ``{"ended": number, "status": exit code, or
        negative signal}`` and ``{"failed": number, "reason": str}``.
    directory : Path
        Where its children make their sockets; the fork server removes it in the end.
    process : subprocess.Popen, optional
        The fork server, for whoever has started it.
    """

    def __init__(self, channel: Channel, directory: Path, process: subprocess.Popen[bytes] | None = None) -> None:
        self.channel = channel
        self.directory = directory
        self.process = process
        self._words = ""
        """What it has written to standard error, as far as that was read."""

    @property
    def owned(self) -> bool:
        """Whether this process has started it, and so is the one that ends it."""
        return self.process is not None

    @classmethod
    def launch(cls, environment: Mapping[str, str] | None = None, *, roles: str = ROLES) -> ForkServer:
        """Start one; what is asked of it waits until it is ready.

        Parameters
        ----------
        environment : mapping of str to str, optional
            Environment variables to set for it and its children.
        roles : str
            The module whose ``run(role, channel)`` its children run; it imports that, and so what they need, once.

        Raises
        ------
        ClusterError
            No process can be started.
        """
        directory = _make_directory()
        ours, theirs = Channel.pair()
        variables = {**ENVIRONMENT, **os.environ, **(environment or {})}
        # The package itself has to be found before the path to import from is known there.
        root = str(Path(__file__).parents[3])
        path = variables.get("PYTHONPATH")
        try:
            process = subprocess.Popen(
                [sys.executable, *_interpreter_options(), "-P", "-m", PROGRAM],
                env={**variables, "PYTHONPATH": root if path is None else os.pathsep.join([root, path])},
                stdin=theirs.fileno(),
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            directory.rmdir()
            raise ClusterError(f"{sys.executable!r} cannot be started: {error}") from error
        finally:
            theirs.close()
        with _standard_error() as stderr:
            boot = {
                "path": [entry or os.getcwd() for entry in sys.path],
                "environment": {"PYTHONPATH": path},
                "directory": str(directory),
                "roles": roles,
                "parent": os.getpid(),
            }
            with contextlib.suppress(OSError):  # it has died; whoever waits for something notices, and asks why
                ours.send(boot, [stderr.fileno()])
        return cls(ours, directory, process)

    def start(
        self,
        number: int,
        role: str,
        spec: Mapping[str, Any],
        *,
        name: str,
        files: Sequence[int] = (),
        essential: bool = False,
    ) -> Channel:
        """Start a process.

        Parameters
        ----------
        number : int
            What to call it here.
        role : str
            What it is, see `restride.engine.distributed.roles`.
        spec : mapping
            Plain values that it needs to know; they travel on a channel of its own.
        name : str
            For `ps` and `top`.
        files : sequence of int
            Descriptors that come with `spec`.
        essential : bool, default False
            Whether everything shall end when it ends.

        Returns
        -------
        Channel
            To the process.

        Raises
        ------
        ClusterError
            The fork server has ended.
        """
        ours, theirs = Channel.pair()
        try:
            request = {"start": number, "role": role, "name": name, "essential": essential}
            self.channel.send(request, [theirs.fileno()])
            ours.send(spec, files)
        except OSError as error:
            ours.close()
            raise ClusterError(f"the process that starts others has ended{self.last_words()}") from error
        finally:
            theirs.close()
        return ours

    def signal(self, number: int, signum: int) -> None:
        """Send a signal to a process, unless it has ended."""
        with contextlib.suppress(OSError):
            self.channel.send({"signal": number, "of": signum})

    def open_channel(self) -> Channel:
        """Another channel to the same fork server, for a process that shall start some itself."""
        ours, theirs = Channel.pair()
        self.channel.send({"serve": True}, [theirs.fileno()])
        theirs.close()
        return ours

    def last_words(self) -> str:
        """How it ended, and what it had written to standard error until it was ready; empty where it has not ended."""
        if self.process is None:
            return ""
        try:
            code = self.process.wait(1.0)
        except subprocess.TimeoutExpired:
            return ""
        if self.process.stderr is not None and not self.process.stderr.closed:
            self._words += self.process.stderr.read().decode(errors="replace")
        return f" with exit code {code}" + (f":\n{self._words.strip()}" if self._words else "")

    def close(self) -> None:
        """End it and all its children, and wait for that."""
        if self.process is None:
            self.channel.shut()
            return
        try:
            if not self.channel.wait_for_end(SECONDS_TO_END):
                self.process.kill()
            self.process.wait()
        finally:
            self.channel.shut()
            if self.process.stderr is not None:
                self.process.stderr.close()
            shutil.rmtree(self.directory, ignore_errors=True)  # where it could not


def _make_directory() -> Path:
    """A directory of this user's alone, with a path that is short enough for sockets in it."""
    home = tempfile.gettempdir()
    return Path(tempfile.mkdtemp(prefix="restride-", dir=home if len(home) <= LONGEST_HOME else "/tmp"))


def _interpreter_options() -> list[str]:
    """Options such as -O and -X dev, which change what code does."""
    options: list[str] = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    return options


def _standard_error() -> IO[bytes]:
    """Where this process writes its errors: its own copy of the descriptor, as programs may have closed theirs."""
    try:
        return os.fdopen(os.dup(2), "wb", buffering=0)
    except OSError:
        return open(os.devnull, "wb", buffering=0)
