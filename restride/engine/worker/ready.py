"""The queue of tasks whose inputs are all here."""

from __future__ import annotations

from collections import deque
from collections.abc import Set
from heapq import heapify, heappush


class Ready:
    """Tasks that could run, the smallest id first.

    Tasks come in two ways: placed with nothing to wait for, in long ascending runs, which stay as they are; and one by
    one as inputs arrive, which go to a heap. Who takes them out takes the smaller of the two first ones.

    Attributes
    ----------
    run : deque of int
    heap : list of int
    aside : list of int
        What could run but for want of a resource, or of memory; not counted.
    """

    def __init__(self) -> None:
        self.run: deque[int] = deque()
        self.heap: list[int] = []
        self.aside: list[int] = []

    def __len__(self) -> int:
        return len(self.run) + len(self.heap)

    def add_run(self, ids: list[int]) -> None:
        """Ascending ids."""
        if not self.run or self.run[-1] < ids[0]:
            self.run.extend(ids)
        else:
            self.add(ids)

    def add(self, ids: list[int]) -> None:
        """Ids in any order."""
        if len(ids) * 8 > len(self.heap):
            self.heap += ids
            heapify(self.heap)
        else:
            for id in ids:
                heappush(self.heap, id)

    def take_in(self) -> None:
        """What was put aside may be taken again."""
        if self.aside:
            self.add(self.aside)
            self.aside = []

    def among(self, ids: Set[int]) -> set[int]:
        """Those of these ids that are queued, or put aside."""
        return {id for queue in (self.run, self.heap, self.aside) for id in queue if id in ids}

    def discard(self, ids: Set[int]) -> None:
        """Take ids out of the queue."""
        self.run = deque(id for id in self.run if id not in ids)
        self.heap = [id for id in self.heap if id not in ids]
        self.aside = [id for id in self.aside if id not in ids]
        heapify(self.heap)
