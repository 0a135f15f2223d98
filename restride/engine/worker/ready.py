"""Tasks whose inputs are all here: one queue for all, or one for each of several clients, who take turns.

While all tasks here are one client's they stand in one queue, the smallest id first. Once a second client's have come,
each has a queue of its own: the highest priority is next, which ids tell (`scheduler.numbering`), and of clients with
the same the one that has been served least, in seconds of work. A client of which nothing was ready goes on level with
who is served just then: it is not owed what others had while it asked for nothing.

Nested jobs take no turns. They come before all else of their priority, the smallest id first, whoever's they are: a
task waits for each, and has its inputs in memory and its thread's place taken by another one. That is no way past the
others, as what a nested job takes lengthens the task that waits for it, and is on the account of that task's client.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

from restride.engine.scheduler.numbering import rank
from restride.engine.worker.placed import NESTED, PlacedRun
from restride.engine.worker.ready_queue import ReadyQueue


class Ready:
    """Tasks that could run, and whose turn it is.

    Parameters
    ----------
    tasks : mapping of int to PlacedRun
        What has been placed.

    Attributes
    ----------
    client : int or None
        Whose all tasks are, but for nested ones; None before there are any, and where they are several's.
    only : ReadyQueue
        The queue while there is one client.
    queues : dict of int to ReadyQueue
        The queues by client, and that of `NESTED`, while there are several clients; else none.
    aside : list of int
        What could run but for want of a resource, or of memory; not counted.
    """

    def __init__(self, tasks: Mapping[int, PlacedRun]) -> None:
        self.client: int | None = None
        self.only = ReadyQueue()
        self.queues: dict[int, ReadyQueue] = {}
        self.aside: list[int] = []
        self._tasks = tasks
        self._served: dict[int, float] = {}
        """Seconds that tasks have run since there are several clients, by client, as on one clock."""
        self._claims: dict[int, tuple[int, float]] = {}
        """Whose tasks each thread is at, and how many seconds they are expected to take."""
        self._now = 0.0
        """Where on the clock the client stood whose turn it was last."""

    def __len__(self) -> int:
        if self.queues:
            return sum(map(len, self.queues.values()))
        return len(self.only.run) + len(self.only.heap)

    # ---- what is ready

    def add_run(self, ids: list[int], client: int) -> None:
        """Ascending ids of one client's tasks."""
        queue = self._queue_of(client) if self.queues else self.only
        queue.add_run(ids)

    def add(self, ids: list[int]) -> None:
        """Ids in any order."""
        if not self.queues:
            self.only.add(ids)
            return
        by_client: dict[int, list[int]] = {}
        for id in ids:
            run = self._tasks.get(id)
            if run is not None:
                by_client.setdefault(run.client, []).append(id)
        for client, own in by_client.items():
            self._queue_of(client).add_run(sorted(own))

    def take_in(self) -> None:
        """What was put aside may be taken again."""
        if self.aside:
            aside, self.aside = self.aside, []
            self.add(aside)

    def among(self, ids: Set[int]) -> set[int]:
        """Those of these ids that are queued, or put aside."""
        queues: list[Iterable[int]] = [self.only, *self.queues.values(), self.aside]
        return {id for queue in queues for id in queue if id in ids}

    def discard(self, ids: Set[int]) -> None:
        """Take ids out of the queues."""
        for queue in (self.only, *self.queues.values()):
            queue.discard(ids)
        self.aside = [id for id in self.aside if id not in ids]

    # ---- how many queues there are

    def expect(self, client: int) -> None:
        """Tasks of another client than `client`, or nested ones, are about to be placed."""
        if not self._tasks:
            self._unite(None)
        if client == NESTED or self.queues:
            return
        if self.client is None:
            self.client = client
            return
        ids, self.only = list(self.only), ReadyQueue()
        self.queues = {client: ReadyQueue(), self.client: ReadyQueue()}  # who comes is first where all are level
        self.client = None
        self.add(ids)

    def tick(self) -> None:
        """Forget the queues of clients that have no tasks here any more."""
        if self.queues:
            present = {run.client for run in set(self._tasks.values())}
            clients = present - {NESTED}
            if len(clients) <= 1:
                self._unite(next(iter(clients), None))
            else:
                self.queues = {client: queue for client, queue in self.queues.items() if client in present}
                self._served = {client: seconds for client, seconds in self._served.items() if client in clients}

    def _unite(self, client: int | None) -> None:
        """There is one client, or none."""
        ids = [id for queue in self.queues.values() for id in queue]
        self.client, self.queues = client, {}
        if ids:
            self.only.add_run(sorted(ids))
        self._served.clear()
        self._claims.clear()
        self._now = 0.0

    # ---- turns, where there are several clients

    def next_client(self) -> int | None:
        """The client whose queue is next, or `NESTED`; None where nothing is ready."""
        clocks, next_of = self._clocks(), {}
        for client, queue in self.queues.items():
            first = queue.first(self._tasks)
            if first is not None:
                next_of[client] = rank(first), clocks.get(client, 0.0)
        if not next_of:
            return None
        found = min(next_of, key=next_of.__getitem__)
        if found != NESTED:
            self._now = clocks.get(found, 0.0)
        return found

    def claimed(self, thread: int, client: int, seconds: float) -> None:
        """A thread is to run tasks of a client, which are expected to take so long."""
        self._claims[thread] = client, seconds

    def unclaimed(self, thread: int) -> None:
        """A thread has run what it had claimed, or has given it back."""
        self._claims.pop(thread, None)

    def served(self, runs: Iterable[PlacedRun], seconds: Iterable[float]) -> None:
        """Tasks, by the run that they are of, have run, and taken so long."""
        served = self._served
        for run, taken in zip(runs, seconds):
            served[run.client] = served.get(run.client, 0.0) + taken

    def _queue_of(self, client: int) -> ReadyQueue:
        queue = self.queues.get(client)
        if queue is None:
            queue = self.queues[client] = ReadyQueue()
        if queue.first(self._tasks) is None:
            behind = self._now - self._clocks().get(client, 0.0)
            if behind > 0:
                self._served[client] = self._served.get(client, 0.0) + behind
        return queue

    def _clocks(self) -> dict[int, float]:
        """Seconds that each client has been served, as if all that is claimed had been run."""
        clocks = dict(self._served)
        for client, seconds in self._claims.values():
            clocks[client] = clocks.get(client, 0.0) + seconds
        return clocks
