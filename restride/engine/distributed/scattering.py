"""Sending what a client has scattered to the workers that the scheduler has chosen.

The client keeps every value until the scheduler says that nothing can need it any more. A worker that is lost is
nothing special: the scheduler chooses another, and asks again. A connection that breaks is made anew, and all that was
not heard to have arrived is sent once more. All of it happens in the client's event loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from restride.config import Settings
from restride.engine.client.scattering import ScatteredValue
from restride.engine.client.submission import Submission
from restride.engine.distributed.peers import Peers
from restride.engine.graphs.csr import Ints
from restride.engine.messages import Deliver, Outputs, Undeliverable, Unneeded, Workers
from restride.engine.serialize import dump_exception
from restride.engine.wire.connection import Connection
from restride.engine.wire.security import Security
from restride.errors import ConnectError, RestrideError, SerializationError, WireError

logger = logging.getLogger("restride.client")

HEADER_BYTES = 1 << 10
"""What a message takes beside the value."""


class Scattering:
    """What this client has scattered, and where that goes.

    Parameters
    ----------
    security : Security
    hello : mapping
        What workers are told of this process.
    settings : Settings
    send : callable
        Sends a message to the scheduler.
    """

    def __init__(
        self, security: Security, hello: Mapping[str, Any], settings: Settings, send: Callable[[Any], None]
    ) -> None:
        self._security, self._hello, self._settings, self._send = security, hello, settings, send
        self._values: dict[int, ScatteredValue] = {}
        self._under_way: dict[int, int] = {}
        """Outputs that have not been heard to be there, and the worker that each goes to."""
        self._peers: Peers | None = None

    def accepted(self, submission: Submission) -> None:
        """The scheduler has a job, and may ask for its outputs if they were scattered."""
        if submission.scattered:
            self._values.update(zip(submission.ids().tolist(), submission.scattered))
            submission.scattered = ()

    def deliver(self, message: Deliver) -> None:
        """The scheduler says where outputs have to go."""
        loop = asyncio.get_running_loop()
        for id, worker in zip(message.ids.tolist(), message.workers.tolist()):
            if id in self._values:  # else nothing needs it since
                self._under_way[id] = worker
                self._deliver(id, worker)
        loop.call_later(self._settings.comm_reconnect_timeout, self._give_up_unreachable, message)

    def unneeded(self, message: Unneeded) -> None:
        """The scheduler will not ask for these again."""
        for id in message.ids.tolist():
            self._values.pop(id, None)
            self._under_way.pop(id, None)

    def done(self, ids: Ints) -> None:
        """Outputs are where they should be."""
        for id in self._under_way.keys() & ids.tolist() if self._under_way else ():
            del self._under_way[id]

    def heard_of_workers(self, message: Workers) -> None:
        """Where workers can be reached, or that they are gone."""
        if self._peers is None:
            self._peers = Peers(self._security, self._hello, self._settings, self._receive, self._send_again)
        self._peers.learn(message)

    def give_up(self) -> None:
        """Nothing will be asked for any more."""
        self._values.clear()
        self._under_way.clear()

    async def close(self) -> None:
        """Hang up on all workers, and wait until the sockets are closed."""
        self.give_up()
        if self._peers is not None:
            await self._peers.close()

    # ---- inner parts

    def _deliver(self, id: int, worker: int) -> None:
        value = self._values[id]
        if value.nbytes + HEADER_BYTES > self._settings.comm_max_message:
            too_large = f"a scattered value of {value.nbytes} bytes is larger than comm.max_message"
            self._fail([id], SerializationError(f"{too_large}, {self._settings.comm_max_message} bytes; raise that"))
        elif self._peers is not None:
            self._peers.send(worker, Outputs(np.array([id]), value.head, value.buffers))

    def _send_again(self, worker: int) -> None:
        """The connection was lost: whatever was under way may have been lost with it."""
        for id in [id for id, to in self._under_way.items() if to == worker]:
            self._deliver(id, worker)

    def _give_up_unreachable(self, message: Deliver) -> None:
        """Fail what was to go to workers that the scheduler knows and that cannot be reached from here."""
        for worker in np.unique(message.workers).tolist():
            if self._peers is not None and not self._peers.is_connected(worker):
                lost = [id for id in message.ids.tolist() if self._under_way.get(id) == worker]
                why = f"what was scattered cannot be sent to worker {worker}, which cannot be reached from the client"
                self._fail(lost, ConnectError(why))

    def _fail(self, ids: Iterable[int], error: RestrideError) -> None:
        for id in ids:
            logger.error("%s", error)
            self._under_way.pop(id, None)
            self._send(Undeliverable(id, dump_exception(error)))

    def _receive(self, connection: Connection, message: Any) -> None:
        raise WireError(f"a worker sent {type(message).__name__} to a client that has asked for nothing")
