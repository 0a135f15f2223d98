"""What the processes of a cluster do, each from the moment that it was forked.

A process gets what it needs to know on the channel to whoever has started it, its leash, and reports there: a scheduler
``{"addresses": [...]}``; a worker ``{"ready": true}`` once it is registered and ``{"over": true}`` before it ends
because its scheduler has; a nanny answers the calls of a `LocalCluster`. A failure is ``{"error": traceback}``.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import traceback
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from restride.engine.client.client import Client, set_default
from restride.engine.distributed.channel import Channel, Note
from restride.engine.distributed.common import Common
from restride.engine.distributed.fork_server import ForkServer
from restride.engine.distributed.liveness import LivenessPage
from restride.engine.distributed.logs import log_errors_only, log_to_stderr
from restride.engine.distributed.nanny import Nanny, WorkerOptions
from restride.engine.distributed.process import run_until_told
from restride.engine.distributed.remote import RemoteEngine
from restride.engine.distributed.scheduler_server import SchedulerServer
from restride.engine.distributed.worker_server import WorkerServer
from restride.errors import RestrideError


def run(role: str, leash: Channel) -> int:
    """Be a process of the cluster.

    Parameters
    ----------
    role : {"scheduler", "worker", "nanny"}
    leash : Channel
        To the process that asked for this one; the first message on it says what it needs to know.

    Returns
    -------
    int
        Exit code.
    """
    note = leash.receive()
    log_to_stderr(note.content["log_level"])
    # Not asyncio.run, which would wait for threads that run tasks: the process ends with them in the middle.
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(ROLES[role](leash, note))
    except (RestrideError, OSError, ValueError) as error:
        _report(leash, {"error": f"{type(error).__name__}: {error}"})
        return 1
    except Exception:
        _report(leash, {"error": traceback.format_exc()})
        raise
    return 0


async def _scheduler(leash: Channel, note: Note) -> None:
    spec = note.content
    common = Common.from_plain(spec)
    # What a scheduler makes is columns, which hold no cycles: to look for those seven hundred objects on costs more
    # than they could hold.
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    server = SchedulerServer(spec["listen"], common.security, common.settings)
    await run_until_told(server, lambda: leash.send({"addresses": list(server.addresses)}), told_to_end=log_errors_only)


async def _worker(leash: Channel, note: Note) -> None:
    spec, (page,) = note
    common = Common.from_plain(spec)
    security, settings = common.security, common.settings
    server = WorkerServer(
        spec["scheduler"],
        name=spec["name"],
        threads=spec["threads"],
        memory_limit=spec["memory_limit"],
        resources=spec["resources"],
        security=security,
        listen=spec["listen"],
        nanny=spec["nanny"],
        liveness=LivenessPage(page).view,
        settings=settings,
    )
    set_default(lambda: Client(RemoteEngine(spec["scheduler"], security, settings=settings, nested_in=server)))
    by_itself = await run_until_told(server, lambda: _report(leash, {"ready": True}), told_to_end=log_errors_only)
    if by_itself:
        _report(leash, {"over": True})


async def _nanny(leash: Channel, note: Note) -> None:
    spec, (fork_server,) = note
    nanny = Nanny(
        spec["scheduler"],
        ForkServer(Channel(socket.socket(fileno=fork_server)), Path(spec["directory"])),
        WorkerOptions(**spec["worker"]),
        Common.from_plain(spec),
        name="local",
    )
    calls = _Calls(nanny, leash)
    nanny.scale(spec["workers"])
    await run_until_told(nanny, told_to_end=log_errors_only)
    calls.end()


class _Calls:
    """What a `LocalCluster` asks its nanny, each call answered when its time has come."""

    def __init__(self, nanny: Nanny, leash: Channel) -> None:
        self._nanny = nanny
        self._leash = leash
        self._answers: set[asyncio.Task[None]] = set()
        asyncio.get_running_loop().add_reader(leash.fileno(), self._read)

    def end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._leash.fileno())
        for answer in self._answers:
            answer.cancel()

    def _read(self) -> None:
        try:
            notes = self._leash.receive_now()
        except EOFError:  # the fork server notices, too, and ends everything
            asyncio.get_running_loop().remove_reader(self._leash.fileno())
            return
        for note in notes:
            answer = asyncio.create_task(self._answer(note.content))
            self._answers.add(answer)
            answer.add_done_callback(self._answers.discard)

    async def _answer(self, call: Mapping[str, Any]) -> None:
        match call:
            case {"scale": int() as count}:
                self._nanny.scale(count)
            case {"wait": int() as count, "timeout": timeout}:
                with contextlib.suppress(TimeoutError):
                    await self._nanny.wait_for_workers(count, timeout)
        _report(self._leash, {"answer": call["call"], "workers": self._nanny.ready})


def _report(leash: Channel, content: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # whoever listened has gone, and so will this process
        leash.send(content)


ROLES: dict[str, Callable[[Channel, Note], Awaitable[None]]] = {
    "scheduler": _scheduler,
    "worker": _worker,
    "nanny": _nanny,
}
