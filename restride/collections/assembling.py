"""Values that are put together block by block, as the blocks come from other processes, in any order."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any


class Assembling:
    """What makes a value of blocks as they come, so that they need not all be in memory beside it."""

    def take(self, number: int, block: Any) -> None:
        """Take in a block; each comes once."""
        raise NotImplementedError

    def __call__(self, blocks: list[Any]) -> Any:
        """The value, once all blocks have been taken in; `blocks` says nothing more."""
        raise NotImplementedError


class Places:
    """Where the blocks of several values go, whose places are counted through: into the value, or into a list.

    Parameters
    ----------
    values : sequence of callable
        What makes each value of its blocks; some may be `Assembling`.
    spans : sequence of (int, int)
        Which places are of each.

    Attributes
    ----------
    blocks : list
        By place what was not put into a value, else None.
    """

    def __init__(self, values: Sequence[Callable[[list[Any]], Any]], spans: Sequence[tuple[int, int]]) -> None:
        self.blocks: list[Any] = [None] * spans[-1][1]
        self._values = values
        self._starts = [start for start, _ in spans]

    def take(self, place: int, block: Any) -> None:
        """Put a block where it belongs."""
        number = bisect_right(self._starts, place) - 1
        value = self._values[number]
        if isinstance(value, Assembling):
            value.take(place - self._starts[number], block)
        else:
            self.blocks[place] = block
