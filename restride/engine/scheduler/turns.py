"""Whose turn it is to have tasks placed: by priority, then by client, then in the order in which jobs came.

Among clients that have tasks waiting at the same priority, the one that has had the fewest seconds of work placed comes
first. A client that comes, or comes back, begins level with those that are there: it is not owed what others had while
it asked for nothing.
"""

from __future__ import annotations

from bisect import bisect_left, insort

from restride.engine.scheduler.tasks import TaskTable


class Turns:
    """Jobs with tasks that wait to be placed.

    Attributes
    ----------
    by_priority : dict of int to dict of int to list of TaskTable
        The jobs of each priority and client, in the order of their coming.
    placed : dict of int to int
        How many tasks of each client are placed.
    """

    def __init__(self) -> None:
        self.by_priority: dict[int, dict[int, list[TaskTable]]] = {}
        self.placed: dict[int, int] = {}
        self._bases: set[int] = set()
        self._served: dict[int, float] = {}
        """Seconds of work that were placed, by client, as on one clock."""
        self._now = 0.0
        """On that clock: where the client stood that was served last."""

    def __bool__(self) -> bool:
        return bool(self.by_priority)

    def __contains__(self, table: TaskTable) -> bool:
        return table.base in self._bases

    def add(self, table: TaskTable) -> None:
        """A job has tasks that wait; no matter if that is known."""
        if table.base in self._bases:
            return
        self._bases.add(table.base)
        if not any(table.client in clients for clients in self.by_priority.values()):
            self._served[table.client] = max(self._served.get(table.client, 0.0), self._now)
        clients = self.by_priority.setdefault(table.options.priority, {})
        insort(clients.setdefault(table.client, []), table, key=_coming)

    def remove(self, table: TaskTable) -> None:
        """A job has no more tasks that wait; no matter if that is known."""
        if table.base not in self._bases:
            return
        self._bases.discard(table.base)
        clients = self.by_priority[table.options.priority]
        queue = clients[table.client]
        del queue[bisect_left(queue, _coming(table), key=_coming)]
        if not queue:
            del clients[table.client]
        if not clients:
            del self.by_priority[table.options.priority]

    def served(self, client: int, seconds: float) -> None:
        """So much work of a client has been placed."""
        had = self._served.get(client, self._now)
        self._now = max(self._now, had)
        self._served[client] = had + seconds

    def count_placed(self, client: int, tasks: int) -> None:
        """So many more tasks of a client are placed."""
        count = self.placed.get(client, 0) + tasks
        if count:
            self.placed[client] = count
        else:
            self.placed.pop(client, None)

    def correct(self, client: int, seconds: float) -> None:
        """Work of a client has taken so much longer than was expected when it was placed."""
        if client in self._served:
            self._served[client] += seconds

    def least_served(self, clients: dict[int, int]) -> int:
        """Which of some clients is next."""
        return min(clients, key=lambda client: self._served.get(client, 0.0))

    def forget_client(self, client: int) -> None:
        """A client is gone."""
        self._served.pop(client, None)


def _coming(table: TaskTable) -> tuple[int, int]:
    return table.first_layer, table.base
