"""Ids of jobs and numbers of layers: who comes first has the smaller id.

Ids are what workers sort by, so a job's base says when its turn is. Each priority has a band of ids of its own, higher
priorities lower down. In a band, jobs go upwards from its middle in the order of their coming; nested ones, which
others may be waiting for, go downwards, before whatever has not begun.
"""

from __future__ import annotations

BAND = 2**52
"""Ids of one priority."""


def rank(id: int) -> int:
    """What is smaller goes first: the higher priority and, of the same one, what is nested."""
    return id // (BAND // 2)


def is_nested(id: int) -> bool:
    """Whether a task is one of a nested job."""
    return id % BAND >= BAND // 2


class Numbering:
    """Hands out ids; what takes the place of another scheduler goes on with its numbering."""

    def __init__(self) -> None:
        self._next: dict[int, int] = {}
        self._lowest: dict[int, int] = {}
        self._next_layer = 0

    def ids(self, count: int, *, priority: int = 0, nested: bool = False) -> int:
        """The first of this many ids in a row."""
        count = max(count, 1)  # a job without tasks still has a base of its own
        middle = -priority * BAND
        if nested:
            self._lowest[priority] = self._lowest.get(priority, middle) - count
            return self._lowest[priority]
        first = self.next(priority)
        self._next[priority] = first + count
        return first

    def next(self, priority: int = 0) -> int:
        """The base of the next job of this priority that is not nested."""
        return self._next.get(priority, -priority * BAND)

    def layers(self, count: int) -> int:
        """The first of this many numbers of layers in a row."""
        first = self._next_layer
        self._next_layer += count
        return first
