"""One queue of tasks whose inputs are all here."""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterator, Set
from heapq import heapify, heappop, heappush


class ReadyQueue:
    """Tasks that could run, the smallest id first.

    Tasks come in two ways: placed with nothing to wait for, in long ascending runs, which stay as they are; and one by
    one as inputs arrive, which go to a heap. Who takes them out takes the smaller of the two first ones.

    Attributes
    ----------
    run : deque of int
    heap : list of int
    """

    __slots__ = ("heap", "run")

    def __init__(self) -> None:
        self.run: deque[int] = deque()
        self.heap: list[int] = []

    def __len__(self) -> int:
        return len(self.run) + len(self.heap)

    def __iter__(self) -> Iterator[int]:
        yield from self.run
        yield from self.heap

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

    def pop(self, count: int) -> list[int]:
        """Take out the smallest ids, so many or as many as there are."""
        run, heap = self.run, self.heap
        return [
            run.popleft() if run and not (heap and heap[0] < run[0]) else heappop(heap)
            for _ in range(min(count, len(self)))
        ]

    def first(self, tasks: Container[int]) -> int | None:
        """The smallest id that is one of these tasks; those before it are taken out."""
        run, heap = self.run, self.heap
        while run and run[0] not in tasks:
            run.popleft()
        while heap and heap[0] not in tasks:
            heappop(heap)
        if run and heap:
            return min(run[0], heap[0])
        return run[0] if run else heap[0] if heap else None

    def discard(self, ids: Set[int]) -> None:
        """Take ids out of the queue."""
        self.run = deque(id for id in self.run if id not in ids)
        self.heap = [id for id in self.heap if id not in ids]
        heapify(self.heap)
