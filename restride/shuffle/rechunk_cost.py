"""What a rechunk costs: tasks, bytes, memory and seconds, from chunks alone.

Each figure of a transition is a product over the axes, or a difference of two, so a table with one row per candidate
chunking of an axis prices all combinations of candidates at once by outer products.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from restride.shuffle.overlap import Chunks, edges_of, is_known, overlap

Floats = NDArray[np.float64]

CACHE_LINE = 64
"""Bytes. Runs shorter than this are copied while their block is in the cache: merging them as views is 1.4x slower."""


@dataclass(frozen=True)
class CostModel:
    """What the machine does in a second, as far as a rechunk is concerned."""

    task_cost: float = 5e-6
    """Seconds a task takes besides its copying."""
    bandwidth: float = 8e9
    """Bytes copied a second, by all threads together."""


@dataclass(frozen=True)
class StepCost:
    """Estimated cost of one transition between two chunkings."""

    tasks: int
    """Pieces and merges."""
    moved: int
    """Bytes of the chunks that it makes: each is copied once, by a merge or, of a lone piece, by who reads that."""
    largest: int
    """Bytes of the largest chunk that it makes."""
    held: int
    """Bytes of the largest set of old chunks of which no new one is complete without the others."""
    seconds: float
    """Of all threads together."""


@dataclass(frozen=True, eq=False)
class AxisTable:
    """Per candidate transition of one axis what the cost needs to know, float64[candidates] each."""

    length: Floats
    """Of the axis."""
    pieces: Floats
    """How many pieces there are."""
    whole: Floats
    """How many of them are a whole old chunk."""
    whole_length: Floats
    """And how long those are together."""
    new: Floats
    """How many new chunks there are."""
    single: Floats
    """How many of them are of one piece."""
    kept_length: Floats
    """How long those new chunks are together that are an old chunk as well."""
    largest: Floats
    """Length of the longest new chunk."""
    held: Floats
    """The longest way from one boundary that old and new share to the next."""


@dataclass(frozen=True, eq=False)
class CostTable:
    """The figures of `StepCost` for all combinations of candidates, float64[candidates of axis 0, of axis 1, ...]."""

    tasks: Floats
    moved: Floats
    largest: Floats
    held: Floats
    seconds: Floats


def axis_table(transitions: Sequence[tuple[Sequence[int], Sequence[int]]]) -> AxisTable:
    """Tabulate candidate transitions of one axis, each given by its old and new sizes; unknown sizes count as 1."""
    return AxisTable(*np.array([_axis_figures(old, new) for old, new in transitions], np.float64).T)


def cost_table(axes: Sequence[AxisTable], itemsize: int, model: CostModel) -> CostTable:
    """Price all combinations of the candidates of the axes."""

    def outer(name: str) -> Floats:
        return reduce(np.multiply.outer, [getattr(axis, name) for axis in axes])

    tasks = outer("pieces") - outer("whole") + outer("new") - outer("single")
    made = outer("length") - outer("kept_length")
    thin = axes[-1].length * itemsize < CACHE_LINE * axes[-1].pieces
    copied = (outer("length") - outer("whole_length")) * thin
    moved = (made + copied) * itemsize
    seconds = tasks * model.task_cost + moved / model.bandwidth
    return CostTable(tasks, moved, outer("largest") * itemsize, outer("held") * itemsize, seconds)


def step_cost(old: Chunks, new: Chunks, itemsize: int, model: CostModel) -> StepCost:
    """Price one transition.

    Examples
    --------
    >>> step_cost(((1000, 1000), (2000,)), ((2000,), (1000, 1000)), 8, CostModel())
    StepCost(tasks=6, moved=32000000, largest=16000000, held=32000000, seconds=0.00403)
    """
    table = cost_table([axis_table([transition]) for transition in zip(old, new, strict=True)], itemsize, model)
    return StepCost(
        tasks=int(table.tasks.item()),
        moved=int(table.moved.item()),
        largest=int(table.largest.item()),
        held=int(table.held.item()),
        seconds=table.seconds.item(),
    )


def block_count(chunks: Chunks) -> int:
    """How many blocks there are."""
    return math.prod(len(sizes) for sizes in chunks)


def largest_block(chunks: Chunks, itemsize: int) -> int:
    """Bytes of the largest block; unknown sizes count as 1."""
    return math.prod(max(sizes) if is_known(sizes) else 1 for sizes in chunks) * itemsize


def _axis_figures(old: Sequence[int], new: Sequence[int]) -> list[float]:
    if not is_known(old):
        old = new = [1] * len(old)
    axis = overlap(old, new)
    lengths = np.array(new)
    single = axis.counts == 1
    shared = np.intersect1d(edges_of(old), edges_of(new))
    return [
        lengths.sum(),
        len(axis.source),
        np.count_nonzero(axis.whole),
        (axis.stop - axis.start)[axis.whole].sum(),
        len(lengths),
        np.count_nonzero(single),
        lengths[single & axis.whole[axis.first]].sum(),
        lengths.max(),
        np.diff(shared).max(initial=0),
    ]
