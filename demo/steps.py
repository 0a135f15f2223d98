"""The steps of the demo, each run, timed and checked; its tasks and bytes are counted in the lowered graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

import restride as rs
import restride.array as ra
from restride.collections.array.expr import Persisted
from restride.collections.array.operations.rechunk import Rechunk
from restride.collections.collection import Collection
from restride.collections.expression import rewrite, subexpressions
from restride.collections.lowering import lower

TOLERANCE = 1e-5
"""Largest difference from numpy's results that is put down to rounding, relative to the largest value: float32's."""


@dataclass(frozen=True)
class Step:
    """What ran, a line of the table."""

    data: str
    what: str
    tasks: int
    seconds: float
    moved: int
    """Bytes that rechunks copied into the chunks they made."""
    difference: float | None
    """Largest difference from numpy's results, relative to the largest value; None where there was nothing to check."""


class Steps:
    """Runs steps, one after another, and prints a line on each."""

    def __init__(self, console: Console) -> None:
        self.done: list[Step] = []
        self._console = console

    def compute(
        self, data: str, what: str, *collections: Collection, expected: Sequence[NDArray[Any]] = ()
    ) -> tuple[Any, ...]:
        """Compute collections as one graph, and compare their values with those expected, if any.

        Raises
        ------
        ArithmeticError
            A value differs from the one expected.
        """
        tasks, moved = count(collections)
        begun = perf_counter()
        values = rs.compute(*collections)
        seconds = perf_counter() - begun
        differences = [difference(value, right) for value, right in zip(values, expected)]
        if not all(off <= TOLERANCE for off in differences):
            raise ArithmeticError(
                f"{data}, {what}: results differ from numpy's by {max(differences):.1e} of their size"
            )
        self._add(Step(data, what, tasks, seconds, moved, max(differences, default=None)))
        return values

    def hold(self, data: str, what: str, array: ra.Array) -> ra.Array:
        """Compute an array and keep its chunks in memory; the same array, over these."""
        tasks, moved = count([array])
        begun = perf_counter()
        with self._console.status(f"{what}, {tasks:,} tasks"):
            held = array.persist()
            assert isinstance(held.expr, Persisted)
            rs.default_client().gather(list(held.expr.futures))
        self._add(Step(data, what, tasks, perf_counter() - begun, moved, None))
        return held

    def _add(self, step: Step) -> None:
        self.done.append(step)
        checked = "" if step.difference is None else "   [green]as in numpy[/]"
        self._console.print(f"  [green]✓[/] {step.what:<22} {step.tasks:>9,} tasks {step.seconds:>7.2f} s{checked}")


def count(collections: Sequence[Collection]) -> tuple[int, int]:
    """How many tasks the collections take as one graph, and how many bytes its rechunks copy, by their plans."""
    exprs = [collection.expr for collection in collections]
    graph, _ = lower(exprs)
    nodes = subexpressions(rewrite(exprs, lambda expr: expr.simplified()))
    costs = [cost for node in nodes if isinstance(node, Rechunk) for cost in node.plan().costs]
    tasks = sum(
        layer.count for layer in graph.layers if layer.kernel is not None
    )  # futures stand for tasks done before
    return tasks, sum(cost.moved for cost in costs)


def difference(value: NDArray[Any], expected: NDArray[Any]) -> float:
    """Largest difference, relative to the largest value expected; infinite unless NaNs are in the same places."""
    missing = np.isnan(expected)
    if value.shape != expected.shape or not np.array_equal(np.isnan(value), missing):
        return np.inf
    return float(np.abs(value - expected)[~missing].max() / np.abs(expected)[~missing].max())
