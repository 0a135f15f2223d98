"""The columnar graph: tasks are rows, ids are integers, dependencies are CSR columns.

A `TaskGraph` grows layer by layer. A layer is a run of tasks that share one kernel; each dependency is the id of a task
of an earlier layer, so ids are a topological order from the start and no cycle can be written down. Nothing runs here:
`restride.engine.graphs.job` turns a graph and the ids that are wanted of it into a job.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from restride.engine.graphs.csr import Ints
from restride.engine.graphs.origin import user_line
from restride.errors import GraphError

if TYPE_CHECKING:
    from restride.engine.client.futures import Future

Params = Sequence[Any] | NDArray[Any]


@dataclass(frozen=True, eq=False, slots=True)
class Layer:
    """A run of tasks that share one function; made by `TaskGraph.add`."""

    name: str
    """What people see; task ``i`` of the layer is called ``name[i]``."""
    kernel: Callable[..., Any] | None
    """Called ``kernel(param, *dependencies, **constants)``; None where `futures` stand for the tasks."""
    start: int
    """Id of the first task."""
    count: int
    """How many tasks."""
    params: Params | None = None
    """One value a task, or None: the kernel is then called without one."""
    constants: Mapping[str, Any] = field(default_factory=dict)
    """Keyword arguments, the same for each task."""
    origin: str | None = None
    """The line of the user's code that made the layer."""
    futures: Sequence[Future] | None = None
    """The futures whose results stand in for these tasks; see `TaskGraph.add_futures`."""

    @property
    def ids(self) -> Ints:
        """Ids of the tasks, int64[count]."""
        return np.arange(self.start, self.start + self.count)

    def __len__(self) -> int:
        return self.count


class TaskGraph:
    """A graph of tasks, in columns.

    Attributes
    ----------
    layers : list of Layer

    Examples
    --------
    >>> import numpy as np, restride as rs
    >>> g = rs.TaskGraph()
    >>> squares = g.add(lambda x: x * x, 4, params=range(4))
    >>> total = g.add(lambda *xs: sum(xs), 1, deps=([0, 4], squares.ids))
    >>> with rs.Client("inline") as client:
    ...     client.get(g, total.ids)
    [14]
    """

    def __init__(self) -> None:
        self.layers: list[Layer] = []
        self._n = self._edges = 0
        self._indptr: list[Ints] = [np.zeros(1, np.int64)]
        self._indices: list[Ints] = [np.zeros(0, np.int64)]

    def __len__(self) -> int:
        return self._n

    def __repr__(self) -> str:
        return f"<TaskGraph: {self._n} tasks in {len(self.layers)} layers>"

    def add(
        self,
        kernel: Callable[..., Any],
        n: int,
        /,
        *,
        deps: tuple[ArrayLike, ArrayLike] | None = None,
        params: Params | None = None,
        name: str | None = None,
        **constants: Any,
    ) -> Layer:
        """Append a layer: `n` tasks that call `kernel`.

        Task ``i`` calls ``kernel(params[i], *dependencies, **constants)``, without the first argument where `params`
        is None.

        Parameters
        ----------
        kernel : callable
            Called once a task; its return value is the task's output.
        n : int
            How many tasks.
        deps : pair of array_like of int, optional
            Dependencies in CSR form: ``indptr`` of length ``n + 1``, and ``indices``, ids of tasks of earlier layers.
            Task ``i`` gets the outputs of ``indices[indptr[i]:indptr[i + 1]]``, in that order.
        params : sequence or ndarray of length n, optional
            One value a task. The rows of an ndarray are handed over as by its ``tolist``: plain Python numbers,
            lists of them where it has several dimensions.
        name : str, optional
            Name for people; the kernel's own by default.
        **constants
            Keyword arguments, the same for every task of the layer.

        Returns
        -------
        Layer
            Its ``ids`` are the new tasks' ids, int64[n].

        Raises
        ------
        GraphError
            A ValueError: a dependency on an id that does not exist yet, or columns of the wrong length. It names the
            layer.
        """
        return self.add_layer(kernel, n, deps=deps, params=params, name=name, constants=constants, origin=user_line())

    def add_layer(
        self,
        kernel: Callable[..., Any],
        n: int,
        *,
        deps: tuple[ArrayLike, ArrayLike] | None = None,
        params: Params | None = None,
        name: str | None = None,
        constants: Mapping[str, Any] | None = None,
        origin: str | None = None,
    ) -> Layer:
        """Append a layer whose `origin` is known already, as when a collection lowers; otherwise like `add`."""
        name = name or getattr(kernel, "__name__", None) or type(kernel).__name__
        if not callable(kernel):
            raise GraphError(f"layer {name!r}: the kernel must be callable, got {type(kernel).__name__}")
        if n < 0:
            raise GraphError(f"layer {name!r}: cannot have {n} tasks")
        if params is not None:
            params = _param_column(name, n, params)
        indptr, indices = self._checked(name, n, deps)
        layer = Layer(name, kernel, self._n, n, params, constants or {}, origin)
        self._append(layer, indptr, indices)
        return layer

    def add_futures(self, futures: Sequence[Future], *, name: str = "futures") -> Layer:
        """Append a layer that stands for the results of futures, so that later layers can depend on them.

        Parameters
        ----------
        futures : sequence of Future
            Of the client that the graph will be given to.

        Returns
        -------
        Layer
            Of ``len(futures)`` tasks, none of which runs anything.
        """
        layer = Layer(name, None, self._n, len(futures), futures=list(futures))
        self._append(layer, np.zeros(len(futures) + 1, np.int64), np.zeros(0, np.int64))
        return layer

    def dependencies(self) -> tuple[Ints, Ints]:
        """The dependencies of all tasks in CSR form, ``(indptr, indices)``: int64[n + 1] and int64[edges]."""
        if len(self._indptr) > 1:
            self._indptr = [np.concatenate(self._indptr)]
            self._indices = [np.concatenate(self._indices)]
        return self._indptr[0], self._indices[0]

    @property
    def extent(self) -> str:
        """Which tasks there are, in words for messages."""
        return f"the graph has tasks 0 to {self._n - 1}" if self._n else "the graph has no tasks"

    def _append(self, layer: Layer, indptr: Ints, indices: Ints) -> None:
        self._indptr.append(indptr[1:] + self._edges)
        self._edges += len(indices)
        self._indices.append(indices)
        self.layers.append(layer)
        self._n += layer.count

    def _checked(self, name: str, n: int, deps: tuple[ArrayLike, ArrayLike] | None) -> tuple[Ints, Ints]:
        if deps is None:
            return np.zeros(n + 1, np.int64), np.zeros(0, np.int64)
        if len(deps) != 2:
            raise GraphError(f"layer {name!r}: deps must be a pair of columns, indptr and indices, got {len(deps)}")
        indptr, indices = (_int_column(name, what, column) for what, column in zip(("indptr", "indices"), deps))
        if len(indptr) != n + 1:
            raise GraphError(f"layer {name!r}: indptr of {n} tasks has {n + 1} entries, got {len(indptr)}")
        if indptr[0] != 0 or indptr[-1] != len(indices) or (indptr[1:] < indptr[:-1]).any():
            raise GraphError(
                f"layer {name!r}: indptr must rise from 0 to len(indices) = {len(indices)}, "
                f"got one from {indptr[0]} to {indptr[-1]}"
            )
        if len(indices) and (indices.min() < 0 or indices.max() >= self._n):
            wrong = indices[(indices < 0) | (indices >= self._n)][0]
            raise GraphError(
                f"layer {name!r}: a dependency on task {wrong}, which does not exist yet; {self.extent} so far"
            )
        return indptr, indices


def _param_column(name: str, n: int, params: Params) -> Params:
    if not isinstance(params, Iterable) or (isinstance(params, np.ndarray) and params.ndim == 0):
        raise GraphError(f"layer {name!r}: params must hold a value for each task, got {type(params).__name__}")
    if not isinstance(params, (Sequence, np.ndarray)):
        params = list(params)  # what has no positions, or other labels for them, as pandas' series
    if len(params) != n:
        raise GraphError(f"layer {name!r}: {n} tasks need {n} params, got {len(params)}")
    return params


def _int_column(name: str, what: str, column: ArrayLike) -> Ints:
    array = np.asarray(column)
    if array.size == 0:
        array = array.astype(np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise GraphError(
            f"layer {name!r}: {what} must be one-dimensional and of integers, got {array.dtype}{array.shape}"
        )
    return array.astype(np.int64)  # a copy, as the caller may go on with its own
