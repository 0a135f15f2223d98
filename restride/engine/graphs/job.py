"""A job: the columns of one computation, ready to be scheduled.

`compile_job` takes a graph and the ids that are wanted of it, leaves out what they do not need, asks `order` for the
static total order and renumbers the tasks by it. From then on a smaller row means sooner, every dependency has a
smaller row than its dependents, and a slice of rows is locality.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from restride.engine.graphs.csr import Ints, row_starts, take_rows, transpose
from restride.engine.graphs.graph import Layer, Params, TaskGraph
from restride.engine.graphs.order import order
from restride.errors import GraphError

if TYPE_CHECKING:
    from restride.engine.client.futures import Future


@dataclass(eq=False, slots=True)
class Job:
    """Columns of the tasks of one computation.

    Rows ``0 .. n - 1`` are the tasks in their order. Rows ``n .. n + inputs - 1`` stand for outputs of earlier jobs
    that they need.
    """

    layers: Sequence[Layer]
    """The graph's layers; those of futures have no tasks here."""
    layer: NDArray[np.int32]
    """Which layer a task is of, int32[n]."""
    index: NDArray[np.int32]
    """Which task of its layer it is, int32[n]."""
    indptr: Ints
    indices: Ints
    """Dependencies of the tasks, as rows."""
    rindptr: Ints
    rindices: Ints
    """Dependents of tasks and inputs, as rows."""
    inputs: int
    """How many outputs of earlier jobs stand in the rows from n on."""
    wanted: Ints
    """Rows whose outputs the client asked for, without repeats, ascending."""

    @property
    def n(self) -> int:
        """How many tasks."""
        return len(self.layer)

    def task_name(self, row: int) -> str:
        """What people see of a task: the name of its layer, and which task of it."""
        layer = self.layers[self.layer[row]]
        return layer.name if layer.count == 1 else f"{layer.name}[{self.index[row]}]"

    def origin(self, row: int) -> str | None:
        """The line of the user's code that made the task."""
        origin: str | None = self.layers[self.layer[row]].origin
        return origin

    def params(self, rows: Ints) -> list[Any]:
        """The parameter of each of some tasks, None where its layer has none."""
        if len(rows) == 1:
            return _taken(self.layers[self.layer[rows[0]]].params, self.index[rows])
        layer = self.layer[rows]
        at = np.argsort(layer, kind="stable")
        starts = np.flatnonzero(np.diff(layer[at], prepend=-1))
        taken: list[Any] = []
        for start, stop in zip(starts.tolist(), [*starts[1:].tolist(), len(rows)]):
            taken += _taken(self.layers[layer[at[start]]].params, self.index[rows[at[start:stop]]])
        if len(starts) < 2:
            return taken
        back = np.empty(len(rows), np.int64)
        back[at] = np.arange(len(rows))
        return list(map(taken.__getitem__, back.tolist()))


def _taken(params: Params | None, which: NDArray[np.int32]) -> list[Any]:
    if params is None:
        return [None] * len(which)
    if isinstance(params, np.ndarray):
        taken: list[Any] = params[which].tolist()
        return taken
    return list(map(params.__getitem__, which.tolist()))


def compile_job(graph: TaskGraph, wanted: ArrayLike) -> tuple[Job, list[Future], Ints]:
    """Cull, order and renumber.

    Parameters
    ----------
    graph : TaskGraph
    wanted : array_like of int
        Ids of tasks of the graph; repeats are fine.

    Returns
    -------
    job : Job
    inputs : list of Future
        What stands in the rows from ``job.n`` on.
    rows : int64 array, one a wanted id
        The row that stands for each, at or above ``job.n`` where it is a future's.

    Raises
    ------
    GraphError
        An id that is not in the graph.

    Notes
    -----
    A million tasks with two million edges take about a second, most of it in `order`.
    """
    ids = _checked_ids(graph, wanted)
    indptr, indices = graph.dependencies()
    needed = _needed(graph, indptr, indices, ids)
    futures = np.zeros(len(graph), bool)
    for layer in graph.layers:
        if layer.futures is not None:
            futures[layer.start : layer.start + layer.count] = True
    tasks = np.flatnonzero(needed & ~futures)
    inputs = np.flatnonzero(needed & futures)

    tasks = tasks[_ordered(indptr, indices, tasks, len(graph), has_futures=len(inputs) > 0)]
    row = np.full(len(graph), -1, np.int64)
    row[tasks] = np.arange(len(tasks))
    row[inputs] = np.arange(len(tasks), len(tasks) + len(inputs))

    counts, entries = take_rows(indptr, indices, tasks)
    new_indptr, new_indices = row_starts(counts), row[entries]
    rindptr, rindices = transpose(new_indptr, new_indices, len(tasks) + len(inputs))
    layer_of, index = _layers_of(graph, tasks)
    wanted_rows = row[ids]
    job = Job(
        layers=[replace(layer, futures=None) if layer.futures else layer for layer in graph.layers],
        layer=layer_of,
        index=index,
        indptr=new_indptr,
        indices=new_indices,
        rindptr=rindptr,
        rindices=rindices,
        inputs=len(inputs),
        wanted=np.unique(wanted_rows[wanted_rows < len(tasks)]),
    )
    return job, _futures_at(graph, inputs), wanted_rows


def job_of_one(layer: Layer, inputs: Sequence[Future]) -> tuple[Job, list[Future]]:
    """What `compile_job` makes of a graph of one task, at a tenth of the cost: most calls are made one by one.

    Parameters
    ----------
    layer : Layer
        Of one task.
    inputs : sequence of Future
        Whose results it gets; repeats are fine.

    Returns
    -------
    job : Job
    inputs : list of Future
        What stands in the rows from 1 on.
    """
    rows = {future: row for row, future in enumerate(dict.fromkeys(inputs), start=1)}
    indptr = np.array([0, len(inputs)], np.int64)
    indices = np.array([rows[future] for future in inputs], np.int64)
    rindptr, rindices = transpose(indptr, indices, 1 + len(rows)) if inputs else (np.zeros(2, np.int64), indices)
    zero = np.zeros(1, np.int32)
    job = Job([layer], zero, zero, indptr, indices, rindptr, rindices, len(rows), np.zeros(1, np.int64))
    return job, list(rows)


def needed(graph: TaskGraph, wanted: ArrayLike) -> NDArray[np.bool_]:
    """Which tasks of a graph have to run for some wanted ones, bool[tasks]; raises what `compile_job` does."""
    return _needed(graph, *graph.dependencies(), _checked_ids(graph, wanted))


def _checked_ids(graph: TaskGraph, wanted: ArrayLike) -> Ints:
    ids = np.atleast_1d(np.asarray(wanted))
    if ids.size == 0:
        ids = ids.astype(np.int64)
    if ids.ndim != 1 or ids.dtype.kind not in "iu":
        raise GraphError(f"the wanted ids must be one-dimensional and of integers, got {ids.dtype}{ids.shape}")
    ids = ids.astype(np.int64, copy=False)
    outside = (ids < 0) | (ids >= len(graph))
    if outside.any():
        raise GraphError(f"task {ids[outside][0]} is wanted, but {graph.extent}")
    return ids


def _needed(graph: TaskGraph, indptr: Ints, indices: Ints, ids: Ints) -> NDArray[np.bool_]:
    """Which tasks the wanted ones need: one pass over the layers, backwards, as dependencies go to earlier layers."""
    needed = np.zeros(len(graph), bool)
    needed[ids] = True
    for layer in reversed(graph.layers):
        start, stop = layer.start, layer.start + layer.count
        here = needed[start:stop]
        if here.all():
            needed[indices[indptr[start] : indptr[stop]]] = True
        elif here.any():
            needed[take_rows(indptr, indices, start + np.flatnonzero(here))[1]] = True
    return needed


def _ordered(indptr: Ints, indices: Ints, tasks: Ints, n: int, *, has_futures: bool) -> Ints:
    """Positions in `tasks` in the static order; futures do not take part in it, as they exist already."""
    if len(tasks) == n:
        priorities = order(indptr, indices)
    else:
        counts, entries = take_rows(indptr, indices, tasks)
        row = np.full(n, -1, np.int64)
        row[tasks] = np.arange(len(tasks))
        entries = row[entries]
        if has_futures:
            inside = entries >= 0
            owners = np.repeat(np.arange(len(tasks)), counts)
            counts, entries = np.bincount(owners[inside], minlength=len(tasks)), entries[inside]
        priorities = order(row_starts(counts), entries)
    ranked = np.empty(len(tasks), np.int64)
    ranked[priorities] = np.arange(len(tasks))
    return ranked


def _layers_of(graph: TaskGraph, tasks: Ints) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    starts = np.array([layer.start for layer in graph.layers], np.int64)
    sizes = np.array([layer.count for layer in graph.layers], np.int64)
    layer = np.repeat(np.arange(len(starts), dtype=np.int32), sizes)[tasks]
    return layer, (tasks - starts[layer]).astype(np.int32)


def _futures_at(graph: TaskGraph, ids: Ints) -> list[Future]:
    if not len(ids):
        return []
    every = np.concatenate([layer.ids for layer in graph.layers if layer.futures is not None])
    futures = [future for layer in graph.layers if layer.futures is not None for future in layer.futures]
    return [futures[i] for i in np.searchsorted(every, ids)]
