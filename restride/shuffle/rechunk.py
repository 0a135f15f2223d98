"""Rechunk: from the chunks an array has to the chunks it shall have, as layers of a task graph.

`plan_rechunk` decides, from chunks alone, whether to go there directly or through intermediate chunks;
`lower_rechunk` appends the layers of a plan to a graph. Neither touches data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from restride.engine.graphs.csr import Ints
from restride.engine.graphs.graph import TaskGraph
from restride.errors import ChunkError, GraphError
from restride.shuffle.intermediate import intermediate_chunkings
from restride.shuffle.overlap import Chunks, is_known, same_chunks
from restride.shuffle.rechunk_cost import CostModel, StepCost, block_count, largest_block, step_cost
from restride.shuffle.rechunk_step import RechunkStep, lower_step, rechunk_step

MEMORY_LIMIT = 64 * 2**20
"""Bytes that an intermediate chunk may always have; beyond, twice the largest of the old and the new chunks."""


@dataclass(frozen=True)
class RechunkPlan:
    """How to get from one chunking to another; made by `plan_rechunk`, shown by `print`."""

    chunkings: tuple[Chunks, ...]
    """The old chunks, the intermediate ones if any, the new ones; one alone where nothing is to be done."""
    itemsize: int
    """Bytes of an element."""
    model: CostModel = field(default_factory=CostModel, repr=False)
    """What the costs are estimated by."""

    @property
    def steps(self) -> tuple[RechunkStep, ...]:
        """The tasks of each transition, as columns; made anew each time, since there may be millions."""
        return tuple(rechunk_step(old, new) for old, new in pairwise(self.chunkings))

    @cached_property
    def costs(self) -> tuple[StepCost, ...]:
        """The estimated cost of each transition."""
        return tuple(step_cost(old, new, self.itemsize, self.model) for old, new in pairwise(self.chunkings))

    @property
    def tasks(self) -> int:
        """How many tasks there are in all."""
        return sum(cost.tasks for cost in self.costs)

    @property
    def seconds(self) -> float:
        """Estimated time of all steps together."""
        return sum(cost.seconds for cost in self.costs)

    def __str__(self) -> str:
        return _table(self)


def plan_rechunk(
    old: Chunks,
    new: Chunks,
    itemsize: int,
    *,
    task_cost: float = CostModel.task_cost,
    bandwidth: float = CostModel.bandwidth,
    memory_limit: int | None = None,
) -> RechunkPlan:
    """Plan how to rechunk an array: directly, or through intermediate chunks where that is cheaper.

    Parameters
    ----------
    old, new : tuple of tuple of int
        Sizes of the chunks along each axis, before and after. A size may be NaN (unknown) on an axis that does not
        change.
    itemsize : int
        Bytes of an element.
    task_cost : float
        Seconds a task takes besides its copying.
    bandwidth : float
        Bytes copied a second, by all threads together.
    memory_limit : int, optional
        Bytes that an intermediate chunk may have; by default twice the largest of the old and new chunks, and at
        least 64 MiB.

    Returns
    -------
    RechunkPlan

    Raises
    ------
    ChunkError
        A ValueError: the two are chunks of different shapes, or an axis of unknown sizes would change.

    Examples
    --------
    >>> print(plan_rechunk(((100,) * 8, (800,)), ((800,), (100,) * 8), itemsize=8))
         chunks      blocks  tasks    moved    largest     held  seconds
    old  (100, 800)       8                  625.0 KiB
    new  (800, 100)       8     72  4.9 MiB  625.0 KiB  4.9 MiB    0.001
    """
    old, new = _as_chunks(old), _as_chunks(new)
    _check(old, new)
    model = CostModel(task_cost, bandwidth)
    if all(map(same_chunks, old, new)):
        return RechunkPlan((old,), itemsize, model)
    if memory_limit is None:
        memory_limit = max(MEMORY_LIMIT, 2 * largest_block(old, itemsize), 2 * largest_block(new, itemsize))
    between = intermediate_chunkings(old, new, itemsize, model, memory_limit)
    return RechunkPlan((old, *between, new), itemsize, model)


def lower_rechunk(
    graph: TaskGraph, ids: Ints, plan: RechunkPlan, *, name: str = "rechunk", origin: str | None = None
) -> Ints:
    """Append the layers of a plan to a graph.

    Parameters
    ----------
    graph : TaskGraph
    ids : ndarray of int64
        The tasks of the old blocks, flat, in C order.
    plan : RechunkPlan
    name : str
        What the names of the layers begin with.
    origin : str, optional
        The line of the user's code that asked for it.

    Returns
    -------
    ndarray of int64
        The tasks of the new blocks, flat, in C order.

    Raises
    ------
    GraphError
        A ValueError: `ids` are not as many as the plan starts from.

    Examples
    --------
    >>> import numpy as np
    >>> from restride.engine.graphs.graph import TaskGraph
    >>> graph = TaskGraph()
    >>> rows = graph.add(np.arange, 2, params=[3, 3])
    >>> lower_rechunk(graph, rows.ids, plan_rechunk(((3, 3),), ((6,),), itemsize=8)).tolist()
    [2]
    >>> graph
    <TaskGraph: 3 tasks in 2 layers>
    """
    expected = block_count(plan.chunkings[0])
    if len(ids) != expected:
        raise GraphError(f"{name}: the plan starts from {expected} blocks, got the tasks of {len(ids)}")
    for number, (old, new) in enumerate(pairwise(plan.chunkings), 1):
        label = name if len(plan.chunkings) == 2 else f"{name}-{number}"
        ids = lower_step(graph, ids, rechunk_step(old, new), itemsize=plan.itemsize, name=label, origin=origin)
    return ids


def _as_chunks(chunks: Sequence[Sequence[int]]) -> Chunks:
    return tuple(tuple(sizes) for sizes in chunks)


def _check(old: Chunks, new: Chunks) -> None:
    if len(old) != len(new):
        raise ChunkError(
            f"cannot rechunk an array of shape {_shape_text(old)} to chunks of shape {_shape_text(new)}: "
            f"chunks need {len(old)} axes, got {len(new)}"
        )
    for axis, (before, after) in enumerate(zip(old, new)):
        if same_chunks(before, after):
            continue
        if not (is_known(before) and is_known(after)):
            raise ChunkError(
                f"cannot rechunk axis {axis} of an array of shape {_shape_text(old)}: its chunk sizes are unknown; "
                "leave the axis as it is, or compute the chunk sizes first"
            )
        for sizes in (before, after):
            if not sizes or min(sizes) < 0:
                raise ChunkError(f"axis {axis} needs one chunk at least, each of size 0 or more, got {sizes}")
        if sum(before) != sum(after):
            raise ChunkError(
                f"cannot rechunk an array of shape {_shape_text(old)} to chunks of shape {_shape_text(new)}: "
                f"along axis {axis} the chunks add up to {sum(after)}, not {sum(before)}"
            )


def _table(plan: RechunkPlan) -> str:
    """The plan as text: a row for each chunking, with the cost of getting there."""
    rows = [("", "chunks", "blocks", "tasks", "moved", "largest", "held", "seconds")]
    last = len(plan.chunkings) - 1
    for i, chunks in enumerate(plan.chunkings):
        label = "old" if i == 0 else "new" if i == last else "via"
        blocks, largest = f"{block_count(chunks):,}", bytes_text(largest_block(chunks, plan.itemsize))
        text = "(" + ", ".join(map(_axis_text, chunks)) + ("," if len(chunks) == 1 else "") + ")"
        if i == 0:
            rows.append((label, text, blocks, "", "", largest, "", ""))
        else:
            cost = plan.costs[i - 1]
            held, moved = bytes_text(cost.held), bytes_text(cost.moved)
            rows.append((label, text, blocks, f"{cost.tasks:,}", moved, largest, held, f"{cost.seconds:.2g}"))
    if last > 1:
        moved = bytes_text(sum(cost.moved for cost in plan.costs))
        rows.append(("total", "", "", f"{plan.tasks:,}", moved, "", "", f"{plan.seconds:.2g}"))
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = (
        "  ".join(cell.ljust(width) if i < 2 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths)))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def _shape_text(chunks: Chunks) -> str:
    lengths = [str(sum(sizes)) if is_known(sizes) else "unknown" for sizes in chunks]
    return "(" + ", ".join(lengths) + ("," if len(lengths) == 1 else "") + ")"


def _axis_text(sizes: Sequence[int]) -> str:
    """The size of the chunks along an axis, a range where it differs before the last."""
    if not is_known(sizes):
        return "unknown"
    most, least = max(sizes), min(sizes[:-1], default=sizes[-1])
    return f"{most}" if most == least else f"{min(sizes)}-{most}"


def bytes_text(n: int) -> str:
    """A number of bytes with its unit, to three digits or more; unknown where it is NaN."""
    if n != n:
        return "unknown bytes"
    size, unit = float(n), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB", "PiB"):
        if size >= 1000:
            size, unit = size / 1024, larger
    return f"{size:.{0 if unit == 'B' else 1}f} {unit}"
