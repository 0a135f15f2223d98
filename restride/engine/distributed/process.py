"""Running a server until it ends by itself, or its process is told to end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Protocol


class Server(Protocol):
    """What runs in a process of its own."""

    async def start(self) -> None:
        """Begin; returns once it can be used."""

    async def closed(self) -> None:
        """Wait until it has ended by itself; raises what it failed with."""

    async def stop(self) -> None:
        """End."""


async def run_until_told(
    server: Server,
    started: Callable[[], None] = lambda: None,
    *,
    told_to_end: Callable[[], None] = lambda: None,
    signals: Sequence[int] = (signal.SIGTERM,),
) -> bool:
    """Run a server until it ends by itself, or the process gets a signal.

    Parameters
    ----------
    server : Server
    started : callable, optional
        Called once it has started.
    told_to_end : callable, optional
        Called in the middle of whatever runs when the signal comes.
    signals : sequence of int
        What tells the process to end; a second one ends it at once.

    Returns
    -------
    bool
        Whether it ended by itself.
    """
    loop = asyncio.get_running_loop()
    told = asyncio.Event()

    def tell(signum: int, frame: FrameType | None) -> None:
        for each in signals:
            signal.signal(each, signal.SIG_DFL)
        told_to_end()
        loop.call_soon_threadsafe(told.set)

    # Not the loop's own handlers, which would be called only once the loop has come round.
    for signum in signals:
        signal.signal(signum, tell)

    async def run() -> None:
        await server.start()
        started()
        await server.closed()

    running, waiting = asyncio.create_task(run()), asyncio.create_task(told.wait())
    try:
        await asyncio.wait([running, waiting], return_when=asyncio.FIRST_COMPLETED)
        by_itself = running.done()
        if by_itself:
            running.result()
        return by_itself
    finally:
        running.cancel()
        waiting.cancel()
        await asyncio.wait([running, waiting])
        await server.stop()
