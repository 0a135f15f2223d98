"""Resources of a worker, such as GPUs: what only so many tasks can use at a time."""

from __future__ import annotations

from collections.abc import Mapping

_NOTHING: Mapping[str, float] = {}
_SLACK = 1e-9
"""Amounts are floats: ten tasks of 0.1 each fit in 1."""


class Resources:
    """What is free, and which thread has taken what; a thread that runs several tasks in turn takes it for all.

    Parameters
    ----------
    total : mapping of str to float
    """

    def __init__(self, total: Mapping[str, float] = _NOTHING) -> None:
        self.free = dict(total)
        self._taken: dict[int, Mapping[str, float]] = {}

    def __contains__(self, thread: int) -> bool:
        """Whether a thread has taken something."""
        return thread in self._taken

    def __bool__(self) -> bool:
        """Whether any thread has."""
        return bool(self._taken)

    def of(self, thread: int) -> Mapping[str, float]:
        """What a thread has taken."""
        return self._taken.get(thread, _NOTHING)

    def take(self, thread: int, needs: Mapping[str, float]) -> bool:
        """Take something for a thread that has nothing; whether there was enough."""
        if any(self.free.get(name, 0.0) < amount - _SLACK for name, amount in needs.items()):
            return False
        for name, amount in needs.items():
            self.free[name] -= amount
        if needs:
            self._taken[thread] = needs
        return True

    def give_back(self, thread: int) -> None:
        """A thread does not need anything now."""
        for name, amount in self._taken.pop(thread, _NOTHING).items():
            self.free[name] += amount
