"""Intermediate chunkings: a detour that costs more bytes and fewer tasks than the direct way.

A direct rechunk from n chunks along one axis to n along another takes n * n pieces. By way of chunks that are some
of the old ones wide along the one axis and some of the new ones along the other it takes of the order of n * sqrt(n),
and every byte is moved twice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce

import numpy as np

from restride.engine.graphs.csr import positions
from restride.shuffle.overlap import Chunks, edges_of, same_chunks
from restride.shuffle.rechunk_cost import CostModel, axis_table, block_count, cost_table, step_cost

GAIN = 0.8
"""A detour must promise to take less than this share of the direct way's time: the estimates are rough."""
SEARCH_SECONDS = 0.01
"""About what a search takes; where there is less to win there is none."""
MAX_COMBINATIONS = 4096
"""How many intermediate chunkings are priced in a search."""
MAX_DEPTH = 2
"""How often a way may be halved: 2 allows for 3 intermediate chunkings."""
MIN_BLOCKS = 32
"""Intermediate chunkings have this many blocks, so that all threads have work, or as many as old or new have."""


def intermediate_chunkings(
    old: Chunks, new: Chunks, itemsize: int, model: CostModel, memory_limit: int, depth: int = MAX_DEPTH
) -> tuple[Chunks, ...]:
    """The chunkings to go through on the way from `old` to `new`, none where the direct way is best."""
    direct = step_cost(old, new, itemsize, model)
    avoidable = direct.tasks - block_count(old) - block_count(new)
    if depth == 0 or avoidable * model.task_cost - direct.moved / model.bandwidth < SEARCH_SECONDS:
        return ()
    middle, seconds = _best_middle(old, new, itemsize, model, memory_limit)
    if not seconds < GAIN * direct.seconds:
        return ()
    before = intermediate_chunkings(old, middle, itemsize, model, memory_limit, depth - 1)
    after = intermediate_chunkings(middle, new, itemsize, model, memory_limit, depth - 1)
    return (*before, middle, *after)


def _best_middle(old: Chunks, new: Chunks, itemsize: int, model: CostModel, memory_limit: int) -> tuple[Chunks, float]:
    """The cheapest single intermediate chunking, and what the way through it takes; infinity where none is allowed."""
    changed = sum(not same_chunks(a, b) for a, b in zip(old, new))
    per_axis = max(2, int(MAX_COMBINATIONS ** (1 / changed)))
    candidates = [_candidates(a, b, per_axis) for a, b in zip(old, new)]
    there = cost_table([axis_table([(a, c) for c in cs]) for a, cs in zip(old, candidates)], itemsize, model)
    onward = cost_table([axis_table([(c, b) for c in cs]) for b, cs in zip(new, candidates)], itemsize, model)
    blocks = reduce(np.multiply.outer, [np.array([len(c) for c in cs]) for cs in candidates])
    allowed = (there.largest <= memory_limit) & (blocks >= min(MIN_BLOCKS, block_count(old), block_count(new)))
    seconds = np.where(allowed, there.seconds + onward.seconds, np.inf)
    best = np.unravel_index(seconds.argmin(), seconds.shape)
    return tuple(cs[i] for cs, i in zip(candidates, best)), seconds[best].item()


def _candidates(old: Sequence[int], new: Sequence[int], most: int) -> list[tuple[int, ...]]:
    """Chunks of one axis from the finer to the coarser of two chunkings, about a factor of two from one to the next."""
    if same_chunks(old, new):
        return [tuple(old)]
    finer, coarser = (old, new) if len(old) > len(new) else (new, old)
    length = sum(old)
    low, high = length / len(finer), max(coarser)
    steps = min(most, 1 + math.ceil(math.log2(max(2, high / low))))
    between = [_split(coarser, finer, size) for size in np.geomspace(low, high, steps)[1:-1].tolist()]
    return list(dict.fromkeys([tuple(finer), *between, tuple(coarser)]))


def _split(coarser: Sequence[int], finer: Sequence[int], size: float) -> tuple[int, ...]:
    """Split each coarser chunk evenly into parts of about `size`, moved to the nearest boundaries of the finer ones."""
    lengths = np.array(coarser)
    parts = np.maximum(1, np.rint(lengths / size).astype(np.int64))
    part = positions(np.zeros_like(parts), parts)
    ends = np.repeat(edges_of(coarser)[:-1], parts) + (part + 1) * np.repeat(lengths, parts) // np.repeat(parts, parts)
    edges = edges_of(finer)
    after = np.searchsorted(edges, ends)
    before = np.maximum(after - 1, 0)
    nearest = np.where(edges[after] - ends <= ends - edges[before], edges[after], edges[before])
    return tuple(np.diff(np.unique(np.append(nearest, [0, edges[-1]]))).tolist())
