"""The elements of certain ranks in a long line of blocks, exactly, without sorting the line.

Each block is sorted, and summed up by some of its elements and what is known of their ranks. Merged, the summaries tell
for each wanted rank an interval of values that must hold it, and few others: the second time, each block gives its
elements within the intervals, and how many are below. So a block is read twice, and nothing grows with the line but the
intervals, by about ``2 / SAMPLES`` of it.

The same finds where blocks must be cut so that the parts make one sorted line (`restride...operations.sorting`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restride.collections.array.expr import ArrayExpr, OtherChunks
from restride.collections.array.operations.reduce_tree import Beside, Condense, Reduction
from restride.collections.blocks import Blocks, Map, every
from restride.engine.graphs.csr import Ints

SAMPLES = 1000
"""How many elements a summary keeps."""

Ranks = Callable[[int], Ints]
"""The ranks wanted among so many elements, int64[k]; always as many."""


@dataclass(frozen=True, eq=False, repr=False)
class SortedBlocks(OtherChunks):
    """The elements of each block of a line in ascending order, or (elements, their places in the line)."""

    with_places: bool

    def blocks(self, *children: Blocks) -> Blocks:
        starts = np.cumsum([0, *self.array.chunks[0][:-1]])
        return Map(
            n=self.n_blocks,
            inputs=children,
            kernel=argsort_block if self.with_places else sort_block,
            index=(every(self.n_blocks),),
            params=starts[:, None] if self.with_places else None,
            name="sort",
            origin=self.origin,
        )


def sort_block(block: Any) -> Any:
    """Kernel: a block in ascending order."""
    return np.sort(block)


def argsort_block(start: Sequence[int], block: Any) -> tuple[Any, Any]:
    """Kernel: a block in ascending order, and where its elements were in the line."""
    order = np.argsort(block, kind="stable")
    return block[order], order + start[0]


@dataclass(frozen=True, slots=True)
class Summary:
    """Some elements of sorted data, and bounds of how many others are where."""

    count: int
    """How many elements there are that can have a rank."""
    values: NDArray[Any]
    """Ascending, each once; the least and the greatest element are among them."""
    below: Ints
    """At least so many elements are less than each."""
    up_to: Ints
    """At most so many elements are less than or equal to each."""


def summarize(ordered: Any) -> Summary:
    """The summary of sorted elements."""
    if not len(ordered):
        return Summary(0, ordered, np.zeros(0, np.int64), np.zeros(0, np.int64))
    step = max(len(ordered) // SAMPLES, 1)
    chosen = np.append(ordered[::step], ordered[-1])
    chosen = chosen[np.append(True, differ(chosen[1:], chosen[:-1]))]
    below = np.searchsorted(ordered, chosen, "left")
    up_to = np.searchsorted(ordered, chosen, "right")
    return Summary(len(ordered), chosen, below, up_to)


def merge_summaries(partials: Sequence[Summary]) -> Summary:
    """The summary of all the data, thinned out."""
    partials = [partial for partial in partials if partial.count]
    if not partials:
        return summarize(np.zeros(0))
    values = np.sort(np.concatenate([partial.values for partial in partials]))
    values = values[np.append(True, differ(values[1:], values[:-1]))]
    below, up_to = np.zeros(len(values), np.int64), np.zeros(len(values), np.int64)
    for partial in partials:
        # The last of its elements that is not greater: if less, then it is among those below.
        left = np.searchsorted(partial.values, values, "right") - 1
        at, same = np.maximum(left, 0), np.zeros(len(values), bool)
        same[np.searchsorted(values, partial.values)] = True
        below += np.where(left < 0, 0, partial.below[at] + ~same)
        # The first of its elements that is not less: if greater, then it is not among those up to here.
        right = np.searchsorted(partial.values, values, "left")
        at = np.minimum(right, len(partial.values) - 1)
        up_to += np.where(right == len(partial.values), partial.count, partial.up_to[at] - ~same)
    count = sum(partial.count for partial in partials)
    if len(values) > 2 * SAMPLES:
        # Spread evenly over ranks, not over values: what one block has plenty of is no rarer in the line for it.
        middle = np.linspace(0, count, SAMPLES)
        chosen = np.unique(np.clip(np.searchsorted(below + up_to, 2 * middle), 0, len(values) - 1))
        chosen = np.unique(np.concatenate([[0], chosen, [len(values) - 1]]))
        values, below, up_to = values[chosen], below[chosen], up_to[chosen]
    return Summary(count, values, below, up_to)


def differ(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether elements are different, with NaN the same as NaN."""
    return (a != b) & ((a == a) | (b == b))


def _intervals(ranks: Ranks, summary: Summary, dtype: np.dtype) -> NDArray[Any]:
    """For each rank the ends of an interval that holds it: first all lower ends, then all upper ones."""
    if not summary.count:
        return np.zeros(2 * len(ranks(1)), dtype)
    wanted = ranks(summary.count)
    # An element is no higher than a rank if no more than so many are below it, and no lower if at least so many are.
    highest = np.minimum.accumulate((summary.up_to - 1)[::-1])[::-1]
    lowest = np.maximum.accumulate(summary.below)
    low = np.maximum(np.searchsorted(highest, wanted, "right") - 1, 0)
    high = np.minimum(np.searchsorted(lowest, wanted, "left"), len(summary.values) - 1)
    return np.concatenate([summary.values[low], summary.values[high]]).astype(dtype, copy=False)


@dataclass(frozen=True, slots=True)
class Found:
    """What blocks have within the intervals, block after block."""

    counts: Ints
    """For each block how many elements it has, int64[blocks]."""
    left_out: int
    """How many elements have no rank: NaN, where they are left out."""
    below: Ints
    """How many are below each interval, int64[blocks, ranks]."""
    inside: tuple[tuple[NDArray[Any], Ints], ...]
    """For each interval the elements in it, and the number of the block that each is of."""


def _find(with_nan: bool, blocks: tuple[Any, Any], axes: Any, dtype: np.dtype) -> Found:
    ordered, bounds = blocks
    ordered, left_out = _ranked(with_nan, ordered)
    lows, highs = np.split(bounds, 2)
    first, after = np.searchsorted(ordered, lows, "left"), np.searchsorted(ordered, highs, "right")
    inside = [ordered[start:stop].copy() for start, stop in zip(first.tolist(), after.tolist())]
    found = tuple((values, np.zeros(len(values), np.int64)) for values in inside)
    return Found(np.array([len(ordered)]), left_out, first[None], found)


def _join_found(partials: Sequence[Found]) -> Found:
    starts = np.cumsum([0, *(len(partial.counts) for partial in partials)]).tolist()
    inside = []
    for several in zip(*(partial.inside for partial in partials)):
        blocks = [blocks + start for (_, blocks), start in zip(several, starts)]
        inside.append((np.concatenate([values for values, _ in several]), np.concatenate(blocks)))
    return Found(
        np.concatenate([partial.counts for partial in partials]),
        sum(partial.left_out for partial in partials),
        np.concatenate([partial.below for partial in partials]),
        tuple(inside),
    )


def _ranked(with_nan: bool, ordered: Any) -> tuple[Any, int]:
    """The elements that have a rank, and how many have none: NaN is at the end of what is sorted."""
    ordered = ordered[0] if isinstance(ordered, tuple) else ordered
    if with_nan or ordered.dtype.kind not in "fc":
        return ordered, 0
    n = len(ordered) - int(np.count_nonzero(np.isnan(ordered)))
    return ordered[:n], len(ordered) - n


def _summary_chunk(with_nan: bool, block: Any, axes: Any, dtype: np.dtype) -> Summary:
    return summarize(_ranked(with_nan, block)[0])


def select(
    ordered: ArrayExpr,
    ranks: Ranks,
    finalize: Callable[[Found, np.dtype], Any],
    *,
    with_nan: bool,
    result_chunks: Any,
    dtype: np.dtype,
) -> ArrayExpr:
    """What a function makes of the elements around certain ranks of a line.

    Parameters
    ----------
    ordered : ArrayExpr
        A line in sorted blocks.
    ranks : callable
        The ranks wanted, from 0, of as many elements as have one.
    finalize : callable
        ``finalize(found, dtype)``: the result, in one block.
    with_nan : bool
        Whether NaN has a rank, after all numbers.
    result_chunks, dtype
        Of the result.
    """
    axes = (0,)
    n = len(ranks(1))
    summaries = Reduction(
        "ranks",
        functools.partial(_summary_chunk, with_nan),
        merge_summaries,
        functools.partial(_intervals, ranks),
    )
    intervals = Condense(ordered, summaries, axes, ((2 * n,),), ordered.dtype)
    finding = Reduction("select", functools.partial(_find, with_nan), _join_found, finalize)
    return Condense(Beside((ordered, intervals)), finding, axes, result_chunks, dtype)


def values_at(found: Found, wanted: Ints) -> NDArray[Any]:
    """The elements of these ranks, each within its interval."""
    below = found.below.sum(axis=0)
    values = [np.sort(values)[k - start] for (values, _), k, start in zip(found.inside, wanted, below)]
    return np.array(values, found.inside[0][0].dtype)
