"""Outputs that clients have scattered, on their way from there to this worker.

The scheduler says what is awaited, the client sends it over a connection of its own: whichever of the two comes first
waits for the other. What comes too early is kept for longer than a scheduler that cannot be reached is waited for; what
was dropped before it came is let go when it does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from restride.engine.worker.sizes import Size

KEPT_TICKS = 60
"""How many ticks early outputs are kept, at least, and what was dropped is remembered."""


class Arrival(NamedTuple):
    """An output that is awaited, and here."""

    id: int
    attempt: int
    value: Any
    size: Size | None
    """None where the value is an exception: the output cannot be made here."""


class Awaited:
    """What clients are to send, and what they have sent too early.

    Attributes
    ----------
    attempts : dict of int to int
        What is awaited, and the number of the attempt at it.
    """

    def __init__(self) -> None:
        self.attempts: dict[int, int] = {}
        self._early: dict[int, tuple[Any, Size | None]] = {}
        self._dropped: set[int] = set()
        self._since: dict[int, int] = {}
        """At which tick something came early, or was dropped; the oldest first."""
        self._ticks = 0

    def expect(self, ids: Sequence[int], attempts: Sequence[int]) -> list[Arrival]:
        """These will come; those of them that are here."""
        self.attempts.update(zip(ids, attempts))
        early = [id for id in ids if id in self._early]
        self._dropped.difference_update(ids)
        return [Arrival(id, self.attempts.pop(id), *self._early.pop(id)) for id in early]

    def came(self, id: int, value: Any, size: Size | None) -> list[Arrival]:
        """An output has come: itself, where it is awaited."""
        if id in self.attempts:
            return [Arrival(id, self.attempts.pop(id), value, size)]
        if id in self._dropped:
            self._dropped.discard(id)
        else:
            self._early[id] = value, size
            self._note(id)
        return []

    def drop(self, ids: Iterable[int]) -> None:
        """Nobody needs these any more."""
        for id in ids:
            if self.attempts.pop(id, None) is not None:
                self._dropped.add(id)
                self._note(id)

    def tick(self) -> None:
        """Time goes by: forget what has been here for long."""
        self._ticks += 1
        old = [id for id, since in self._since.items() if self._ticks - since > KEPT_TICKS]
        for id in old:
            del self._since[id]
            self._early.pop(id, None)
            self._dropped.discard(id)

    def _note(self, id: int) -> None:
        self._since.pop(id, None)
        self._since[id] = self._ticks
