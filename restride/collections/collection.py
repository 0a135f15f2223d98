"""What users hold: an expression with methods. `compute` and `persist` run several collections as one graph."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from restride.collections.assembling import Assembling, Places
from restride.collections.explain import Explanation, explain
from restride.collections.expression import Expr
from restride.collections.lowering import lower
from restride.collections.visualize import visualize
from restride.engine.client.client import default_client
from restride.engine.graphs.options import options_of

if TYPE_CHECKING:
    from restride.engine.client.client import Client
    from restride.engine.client.futures import Future
    from restride.engine.graphs.csr import Ints
    from restride.engine.graphs.graph import TaskGraph


class Collection:
    """Base of arrays and frames: a lazy value made of blocks.

    A kind of collection says in `_computation` what computes it as one value, and in `_over_futures` what the same
    collection over blocks in memory is.
    """

    expr: Expr

    def compute(self, **options: Any) -> Any:
        """Run what the collection stands for, and return the result as one value in memory.

        Runs on the client in use, or on an embedded one that is made when first needed. An exception of a task is
        raised here, as the type it was raised with.

        Parameters
        ----------
        **options
            ``retries``, ``priority``, ``workers``, ``resources``: as for `Client.submit`, for all tasks.
        """
        return compute(self, **options)[0]

    def persist(self, **options: Any) -> Self:
        """Start computing all blocks, and return the same collection over them, without waiting.

        The blocks stay in the memory of the workers for as long as the returned collection, or one derived from it, is
        alive. An exception of a task is raised by whoever uses its block.

        Parameters
        ----------
        **options
            ``retries``, ``priority``, ``workers``, ``resources``: as for `Client.submit`, for all tasks.
        """
        new: Self = persist(self, **options)[0]
        return new

    def explain(self) -> Explanation:
        """Tell what `compute` will do: the expression before and after the optimiser, how many tasks, how many bytes.

        Of frames also by which rule kernels are chosen where data decide at run time. What the way depends on is
        computed, such as how many different keys there seem to be; nothing else is. Bytes of frames are estimates:
        strings are taken for 16 bytes, and what is not known is said to be unknown.

        Returns
        -------
        Explanation
            Print it.

        Examples
        --------
        >>> import restride.array as ra
        >>> x = ra.ones((100, 100), chunks=10)
        >>> print((x + 1)[5:15].sum().explain())
        as written
          sum                 () float64, 1 block
            getitem[5:15, :]  (10, 100) float64, 20 blocks of (5, 10)
              add             (100, 100) float64, 100 blocks of (10, 10)
                full          (100, 100) float64, 100 blocks of (10, 10)
        optimised
          sum       () float64, 1 block
            add     (10, 100) float64, 20 blocks of (5, 10)
              full  (10, 100) float64, 20 blocks of (5, 10)
        24 tasks
          layer             tasks     inputs
          full-add-sum         20          0
          sum-combine           3         20
          sum-combine           1          3
        0 B read, 8 B made
        """
        return explain([self.expr], ask, [self._to_compute()])

    def visualize(self, filename: str | os.PathLike[str] | None = None) -> Any:
        """Draw the task graph that `compute` will run: a box for each layer, with its tasks; needs graphviz.

        Parameters
        ----------
        filename : str or path, optional
            Where to write the picture, in the format that the name ends in: ``"graph.svg"``, ``"graph.png"``.

        Returns
        -------
        str or graphviz.Source
            The path; without one the graph, which notebooks show.

        Raises
        ------
        ImportError
            The package graphviz, or its program, is not installed.
        ValueError
            The file name ends in no known format.
        """
        return visualize([self._to_compute()], ask, filename)

    def _computation(self, *, here: bool) -> tuple[Expr, Callable[[list[Any]], Any]]:
        """The expression to compute, and what makes the value of its blocks; whether tasks run in this process."""
        raise NotImplementedError

    def _computing(self, *, here: bool) -> AbstractContextManager[tuple[Expr, Callable[[list[Any]], Any]]]:
        """`_computation` from its submission to its value, for what is begun first and undone where either fails."""
        return nullcontext(self._computation(here=here))

    def _to_compute(self) -> Expr:
        """The expression that becomes one value."""
        return self.expr

    def _to_persist(self) -> Expr:
        """The expression whose blocks are to persist."""
        return self.expr

    def _over_futures(self, futures: Sequence[Future]) -> Self:
        raise NotImplementedError


def compute(*collections: Collection, **options: Any) -> tuple[Any, ...]:
    """Compute several collections at once, as one graph: what they have in common is computed once.

    Parameters
    ----------
    *collections : Collection
        Arrays, frames, series and scalars, in any mixture.
    **options
        ``retries``, ``priority``, ``workers``, ``resources``: as for `Client.submit`, for all tasks.

    Returns
    -------
    tuple
        The value of each.

    Examples
    --------
    >>> import restride as rs
    >>> import restride.array as ra
    >>> x = ra.arange(10, chunks=5)
    >>> low, high = rs.compute(x.min(), x.max())
    >>> print(low, high)
    0 9
    """
    chosen = options_of(**options)
    client = default_client()
    with ExitStack() as computing:
        computations = [
            computing.enter_context(collection._computing(here=client.in_process))
            for collection in _checked(collections)
        ]
        graph, ids = _lowered([expr for expr, _ in computations], client)
        values, spans = [value_of for _, value_of in computations], _spans(ids)
        if any(isinstance(value_of, Assembling) for value_of in values):
            places = Places(values, spans)
            client.take_outputs(graph, np.concatenate(ids), chosen, places.take)
            blocks = places.blocks
        else:
            blocks = client.outputs_of(graph, np.concatenate(ids), chosen) if ids else []
        return tuple(value_of(blocks[start:stop]) for value_of, (start, stop) in zip(values, spans))


def persist(*collections: Collection, **options: Any) -> tuple[Any, ...]:
    """Start computing several collections at once, and return the same collections over the blocks that result.

    Parameters
    ----------
    *collections : Collection
        Arrays, frames, series and scalars, in any mixture.
    **options
        ``retries``, ``priority``, ``workers``, ``resources``: as for `Client.submit`, for all tasks.

    Returns
    -------
    tuple of Collection
        One for each, at once; the computation goes on behind them.

    Examples
    --------
    >>> import restride as rs
    >>> import restride.array as ra
    >>> x, = rs.persist(ra.arange(10, chunks=5) ** 2)
    >>> print(x.sum().compute(), x.max().compute())
    285 81
    """
    client = default_client()
    exprs = [collection._to_persist() for collection in _checked(collections)]
    graph, ids = _lowered(exprs, client)
    futures = client.submit_graph(graph, np.concatenate(ids), **options) if ids else []
    return tuple(
        collection._over_futures(futures[start:stop]) for collection, (start, stop) in zip(collections, _spans(ids))
    )


def ask(questions: Sequence[Expr]) -> list[list[Any]]:
    """The blocks of expressions, computed on the client in use."""
    client = default_client()
    graph, ids = _lowered(questions, client)
    blocks = client.outputs_of(graph, np.concatenate(ids), options_of())
    return [blocks[start:stop] for start, stop in _spans(ids)]


def _lowered(exprs: Sequence[Expr], client: Client) -> tuple[TaskGraph, list[Ints]]:
    """Expressions as a graph for a client."""
    if client.in_process:
        return lower(exprs, ask)
    return lower(exprs, ask, ship=True, send=client.scatter)


def _checked(collections: Sequence[Any]) -> Sequence[Collection]:
    for collection in collections:
        if not isinstance(collection, Collection):
            raise TypeError(f"expected collections such as arrays, got {type(collection).__name__}")
    return collections


def _spans(ids: Sequence[Sequence[int] | np.ndarray[Any, Any]]) -> list[tuple[int, int]]:
    return list(pairwise(np.cumsum([0, *map(len, ids)]).tolist()))
