"""Where the old and the new chunks of one axis overlap: the pieces of a rechunk, axis by axis.

The pieces of a whole array are the outer product of those of its axes, so everything about a rechunk (its pieces, how
many tasks it takes, how many bytes it moves) is a product over axes of a few numbers per axis.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restride.engine.graphs.csr import Ints, positions

Chunks = tuple[tuple[int, ...], ...]
"""Sizes of the chunks along each axis; NaN stands for a size that is not known before the array is computed."""

TO_THE_END = np.iinfo(np.int64).max
"""The stop of a piece that reaches the end of a chunk of unknown size; slicing clips it."""


@dataclass(frozen=True, eq=False, slots=True)
class Overlap:
    """The pieces of one axis, in ascending order, and what the cost of a rechunk needs to know of them.

    The columns are int64 and bool, one entry a piece: new chunk ``j`` is pieces ``first[j]`` to
    ``first[j] + counts[j] - 1``.
    """

    source: Ints
    """The old chunk that holds the piece."""
    start: Ints
    """Where the piece starts within its old chunk."""
    stop: Ints
    """Where it stops."""
    whole: NDArray[np.bool_]
    """Whether it is all of its old chunk."""
    owner: Ints
    """The new chunk that the piece goes to."""
    first: Ints
    """Per new chunk its first piece."""
    counts: Ints
    """Per new chunk how many pieces it has, one at least."""
    n_old: int
    """How many old chunks there are."""

    @property
    def rank(self) -> Ints:
        """Position of each piece among those of its new chunk."""
        return np.arange(len(self.owner)) - self.first[self.owner]


def overlap(old: Sequence[int], new: Sequence[int]) -> Overlap:
    """Pieces of one axis whose sizes are `old` before and `new` after; both sum to the same, and neither is empty.

    Unknown sizes are taken for unchanged. A new chunk of size zero takes one piece, of size zero.
    """
    if not is_known(old):
        return _unchanged(len(old))
    edges = edges_of(new)
    return windows(old, edges[:-1], edges[1:])


def windows(old: Sequence[int], starts: Ints, stops: Ints) -> Overlap:
    """As `overlap`, for new chunks that are any ranges of the axis: they may overlap, and need not cover it."""
    sizes = np.array(old, np.int64)
    holders = np.flatnonzero(sizes) if sizes.any() else np.zeros(1, np.int64)  # old chunks that have something to give
    held = edges_of(sizes[holders])
    first_holder = np.minimum(np.searchsorted(held, starts, side="right") - 1, len(holders) - 1)
    last_holder = np.maximum(np.searchsorted(held, stops, side="left") - 1, first_holder)
    counts = last_holder - first_holder + 1
    owner = np.repeat(np.arange(len(counts)), counts)
    holder = positions(first_holder, counts)
    start = np.maximum(held[holder], starts[owner]) - held[holder]
    stop = np.minimum(held[holder + 1], stops[owner]) - held[holder]
    source = holders[holder]
    whole = stop - start == sizes[source]
    return Overlap(source, start, stop, whole, owner, np.cumsum(counts) - counts, counts, len(sizes))


def edges_of(sizes: Sequence[int] | Ints) -> Ints:
    """Where chunks of these sizes begin and end, int64[n + 1]."""
    edges = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=edges[1:])
    return edges


def is_known(sizes: Sequence[int]) -> bool:
    """Whether all sizes are known."""
    return not any(math.isnan(size) for size in sizes)


def same_chunks(old: Sequence[int], new: Sequence[int]) -> bool:
    """Whether two axes are chunked alike, unknown sizes being like each other."""
    return tuple(old) == tuple(new) or (
        len(old) == len(new) and all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(old, new))
    )


def _unchanged(n: int) -> Overlap:
    chunk, ones = np.arange(n), np.ones(n, np.int64)
    return Overlap(chunk, ones * 0, ones * TO_THE_END, ones.astype(bool), chunk, chunk, ones, n)
