"""A whole cluster in one thread: scheduler, workers and client on one event loop, which runs while the caller waits.

For profilers and debuggers: everything that happens between a call and its result happens in the calling thread, over
real connections. A task cannot wait for another here.
"""

from __future__ import annotations

import asyncio

from restride.config import Settings
from restride.engine.distributed.loops import LoopHere
from restride.engine.distributed.remote import RemoteEngine
from restride.engine.distributed.scheduler_server import SchedulerServer
from restride.engine.distributed.worker_server import WorkerServer
from restride.engine.wire.security import Security


class AllInOne(RemoteEngine):
    """The engine of other processes, in this thread.

    Parameters
    ----------
    workers : int
    settings : Settings

    Raises
    ------
    ValueError
        Less than one worker.
    """

    def __init__(self, workers: int, *, settings: Settings) -> None:
        if workers < 1:
            raise ValueError(f"a client of 'loop' needs at least 1 worker, got {workers}")
        security = Security.temporary()
        runner = LoopHere()
        scheduler = SchedulerServer(["tcp://127.0.0.1:0"], security, settings)
        self._servers: list[SchedulerServer | WorkerServer] = [scheduler]
        try:
            runner.run(scheduler.start())
            for number in range(workers):
                worker = WorkerServer(
                    scheduler.addresses[0], name=str(number), threads=0, security=security, settings=settings
                )
                runner.run(worker.start())
                self._servers.append(worker)
        except BaseException:
            runner.run(self._end_servers())
            runner.end()
            raise
        super().__init__(scheduler.addresses[0], security, settings=settings, runner=runner)

    async def _end(self) -> None:
        await super()._end()
        await self._end_servers()

    async def _end_servers(self) -> None:
        for server in reversed(self._servers):
            await server.stop()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
