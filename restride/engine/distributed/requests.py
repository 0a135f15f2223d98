"""What clients ask a scheduler for beside computing: who takes part, what is published, a call on every worker.

Published values are opaque here: a name, bytes, and ids of the outputs that the bytes speak of, which are held for as
long as the name stands.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from restride.engine.graphs.csr import Ints
from restride.engine.messages import Blob, Reply, Request
from restride.engine.versions import versions
from restride.errors import GraphError, WireError

if TYPE_CHECKING:
    from restride.engine.distributed.members import ClientMember, WorkerMember
    from restride.engine.distributed.scheduler_server import SchedulerServer

PUBLISHER = -1
"""The client that holds what is published."""


@dataclass(frozen=True, slots=True)
class _Published:
    blob: Blob
    ids: Ints


@dataclass(eq=False, slots=True)
class _Run:
    """A call on several workers that has not come back from all of them."""

    client: ClientMember
    number: int
    pending: set[int]
    names: list[str] = field(default_factory=list)
    ok: list[bool] = field(default_factory=list)
    blobs: list[Blob] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


class Requests:
    """Answers requests.

    Parameters
    ----------
    server : SchedulerServer
    """

    def __init__(self, server: SchedulerServer) -> None:
        self._server = server
        self._published: dict[str, _Published] = {}
        self._waiting: list[tuple[ClientMember, int, int]] = []
        """Clients that wait for workers: the number of the request, and how many workers."""
        self._runs: dict[int, _Run] = {}
        self._next_run = 0

    def asked(self, client: ClientMember, request: Request) -> None:
        """A client asks; the answer goes to it now or later."""
        answers: dict[str, Callable[[ClientMember, Request], Reply | None]] = {
            "info": self._info,
            "workers": self._wait_for_workers,
            "progress": self._progress,
            "publish": self._publish,
            "unpublish": self._unpublish,
            "list_published": self._list_published,
            "get_published": self._get_published,
            "replicate": self._replicate,
            "run": self._run,
        }
        if request.what not in answers:
            raise WireError(f"a client asked for {request.what!r}, which a scheduler does not know")
        try:
            reply = answers[request.what](client, request)
        except (GraphError, KeyError, TypeError, ValueError) as error:
            reply = Reply(request.number, None, error=str(error.args[0]) if error.args else repr(error))
        if reply is not None:
            client.session.send(reply)

    # ---- who takes part

    def _info(self, client: ClientMember, request: Request) -> Reply:
        server = self._server
        value = {
            "address": server.addresses[0],
            "scheduler": {"pid": os.getpid(), "addresses": server.addresses},
            "versions": dict(versions()),
            "workers": {worker.name: worker.info() for worker in server.workers.values()},
        }
        return Reply(request.number, value)

    def _wait_for_workers(self, client: ClientMember, request: Request) -> Reply | None:
        self._waiting.append((client, request.number, int(request.arguments["count"])))
        self.workers_changed()
        return None

    def workers_changed(self) -> None:
        """A worker has come: some client may have waited for it."""
        there = len(self._server.workers)
        enough = [waiting for waiting in self._waiting if waiting[2] <= there]
        self._waiting = [waiting for waiting in self._waiting if waiting[2] > there]
        for client, number, _ in enough:
            client.session.send(Reply(number, there))

    def _progress(self, client: ClientMember, request: Request) -> Reply:
        table = self._server.state.tables.get(int(request.arguments["base"]))
        return Reply(request.number, None if table is None else table.ended)

    # ---- published values

    def _publish(self, client: ClientMember, request: Request) -> Reply:
        name, override = str(request.arguments["name"]), bool(request.arguments.get("override"))
        if name in self._published and not override:
            raise ValueError(f"there is a dataset {name!r} already; unpublish it first, or override it")
        ids = np.array(request.arguments["ids"], np.int64)
        self._server.state.hold(ids, PUBLISHER)
        self._forget(name)
        self._published[name] = _Published(bytes(request.blob), ids)
        return Reply(request.number, {})

    def _unpublish(self, client: ClientMember, request: Request) -> Reply:
        self._require(str(request.arguments["name"]))
        self._forget(str(request.arguments["name"]))
        return Reply(request.number, {})

    def _forget(self, name: str) -> None:
        published = self._published.pop(name, None)
        if published is not None:
            self._server.state.release(published.ids, PUBLISHER)

    def _list_published(self, client: ClientMember, request: Request) -> Reply:
        return Reply(request.number, sorted(self._published))

    def _get_published(self, client: ClientMember, request: Request) -> Reply:
        published = self._require(str(request.arguments["name"]))
        state = self._server.state
        state.hold(published.ids, client.number)
        value = {"ids": published.ids.tolist(), "jobs": [state.base_of(id) for id in published.ids.tolist()]}
        return Reply(request.number, value, [published.blob])

    def _require(self, name: str) -> _Published:
        if name not in self._published:
            there = ", ".join(map(repr, sorted(self._published))) or "none"
            raise ValueError(f"there is no dataset {name!r}; there are: {there}")
        return self._published[name]

    # ---- outputs on every worker

    def _replicate(self, client: ClientMember, request: Request) -> Reply:
        workers = np.array([worker.number for worker in self._chosen(request.arguments)], np.int64)
        self._server.state.replicate(np.array(request.arguments["ids"], np.int64), workers)
        return Reply(request.number, {})

    def _chosen(self, arguments: Mapping[str, Any]) -> list[WorkerMember]:
        names: Sequence[str] | None = arguments.get("workers")
        workers = list(self._server.workers.values())
        if names is None:
            return workers
        for name in names:
            if not any(name in worker.traits.names for worker in workers):
                there = ", ".join(sorted(worker.name for worker in workers)) or "none"
                raise ValueError(f"there is no worker {name!r}; there are: {there}")
        return [worker for worker in workers if not worker.traits.names.isdisjoint(names)]

    # ---- a call on every worker

    def _run(self, client: ClientMember, request: Request) -> Reply | None:
        workers = self._chosen(request.arguments)
        if not workers:
            return Reply(request.number, {"names": [], "ok": []})
        number, self._next_run = self._next_run, self._next_run + 1
        self._runs[number] = _Run(client, request.number, {worker.number for worker in workers})
        for worker in workers:
            worker.session.send(Request(number, "run", {}, request.blob))
        return None

    def replied(self, worker: int, reply: Reply) -> None:
        """A worker answers."""
        run = self._runs.get(reply.number)
        if run is None or worker not in run.pending:
            return
        run.pending.discard(worker)
        run.names.append(self._server.workers[worker].name)
        run.ok.append(bool(reply.value["ok"]))
        run.blobs.append(reply.blobs[0])
        self._end_if_over(reply.number)

    def worker_lost(self, worker: int) -> None:
        """A worker will not answer any more."""
        for number, run in list(self._runs.items()):
            if worker in run.pending:
                run.pending.discard(worker)
                run.lost.append(str(worker))
                self._end_if_over(number)

    def _end_if_over(self, number: int) -> None:
        run = self._runs[number]
        if run.pending:
            return
        del self._runs[number]
        if run.lost:
            error = f"{len(run.lost)} of {len(run.lost) + len(run.names)} workers were lost before they had answered"
            run.client.session.send(Reply(run.number, None, error=error))
        else:
            run.client.session.send(Reply(run.number, {"names": run.names, "ok": run.ok}, run.blobs))
