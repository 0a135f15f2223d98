"""explain: what a computation will do, as text: its expressions before and after the optimiser, its tasks and bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from restride.collections.expression import Expr, subexpressions
from restride.collections.facts import Ask, settled
from restride.collections.fusion import fuse
from restride.collections.lowering import to_blocks, to_graph
from restride.collections.optimize import optimized
from restride.engine.graphs.csr import Ints
from restride.engine.graphs.graph import TaskGraph
from restride.engine.graphs.job import needed
from restride.shuffle.rechunk import bytes_text

MOST_LINES = 60
"""Of an expression; what is below is left out."""


@dataclass(frozen=True)
class LayerSize:
    """How much of a layer runs."""

    name: str
    tasks: int
    """Those whose outputs are needed."""
    inputs: int
    """How many outputs of other tasks these use, in all."""


@dataclass(frozen=True, repr=False)
class Explanation:
    """What a computation will do; print it."""

    before: str
    """The expressions as they were written, one line a node, each above what it is made of."""
    after: str
    """The same as the optimiser leaves them."""
    layers: tuple[LayerSize, ...]
    """Of the task graph, in the order of their making."""
    bytes_read: int
    """Of arrays that come from outside: the parts that are read."""
    bytes_made: int
    """Of the results."""

    @property
    def tasks(self) -> int:
        """How many tasks will run."""
        return sum(layer.tasks for layer in self.layers)

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        width = max([len(layer.name) for layer in self.layers] + [5])
        rows = [f"  {layer.name:<{width}}  {layer.tasks:>9,}  {layer.inputs:>9,}" for layer in self.layers]
        return "\n".join(
            [
                "as written",
                self.before,
                "optimised",
                self.after,
                f"{self.tasks:,} tasks",
                f"  {'layer':<{width}}  {'tasks':>9}  {'inputs':>9}",
                *rows,
                f"{bytes_text(self.bytes_read)} read, {bytes_text(self.bytes_made)} made",
            ]
        )


def explain(roots: Sequence[Expr], ask: Ask) -> Explanation:
    """What computing some expressions together will do; `ask` computes what that depends on."""
    after = settled(optimized(roots), ask)
    graph, ids = to_graph(fuse(to_blocks(after)))
    wanted = np.concatenate(ids) if ids else np.zeros(0, np.int64)
    return Explanation(
        before=tree_text(roots),
        after=tree_text(after),
        layers=tuple(layer_sizes(graph, wanted)),
        bytes_read=sum(expr.bytes_read for expr in subexpressions(after)),
        bytes_made=sum(expr.nbytes for expr in after),
    )


def layer_sizes(graph: TaskGraph, wanted: Ints) -> list[LayerSize]:
    """The layers of which any task runs, for some wanted tasks."""
    indptr, _ = graph.dependencies()
    runs = needed(graph, wanted)
    counts = np.diff(indptr)
    sizes = []
    for layer in graph.layers:
        here = runs[layer.start : layer.start + layer.count]
        if layer.futures is None and here.any():
            inputs = int(counts[layer.start : layer.start + layer.count][here].sum())
            sizes.append(LayerSize(layer.name, int(here.sum()), inputs))
    return sizes


def tree_text(roots: Sequence[Expr]) -> str:
    """Expressions, each above what it is made of; what is used in several places is written out in the first."""
    uses = Counter(child for expr in subexpressions(roots) for child in dict.fromkeys(expr.children))
    numbers: dict[Expr, int] = {}
    lines: list[tuple[str, str]] = []
    stack = [(root, 1) for root in reversed(roots)]
    while stack and len(lines) < MOST_LINES:
        expr, depth = stack.pop()
        again = expr in numbers
        if uses[expr] > 1 and not again:
            numbers[expr] = len(numbers) + 1
        mark = f" #{numbers[expr]}" if expr in numbers else ""
        lines.append(("  " * depth + expr.label + expr.detail + mark, "as above" if again else expr.summary))
        if not again:
            stack += [(child, depth + 1) for child in reversed(expr.children)]
    width = max((len(name) for name, _ in lines), default=0)
    text = [f"{name:<{width}}  {summary}".rstrip() for name, summary in lines]
    return "\n".join([*text, *(["  ..."] if stack else [])])
