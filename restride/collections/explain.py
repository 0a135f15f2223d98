"""explain: what a computation will do, as text: its expressions before and after the optimiser, its tasks and bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from restride.collections.blocks import Blocks
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
"""Of an expression, of which what is below is left out; and of the layers."""


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
    kernels: tuple[tuple[str, str], ...]
    """For nodes of some labels by which rule their kernel is chosen from the data."""
    bytes_read: int
    """Of what comes from outside: the parts that are read, as far as that is known."""
    bytes_moved: int
    """Of the rows of frames that shuffles and merges bring to other partitions, likewise."""
    bytes_made: int
    """Of the results, likewise."""
    unknown: tuple[str, ...]
    """What of ``read``, ``moved`` and ``made`` is more than that."""

    @property
    def tasks(self) -> int:
        """How many tasks will run."""
        return sum(layer.tasks for layer in self.layers)

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        width = max([len(layer.name) for layer in self.layers] + [5])
        left_out = max(len(self.layers) - MOST_LINES, 0)
        rows = [f"  {layer.name:<{width}}  {layer.tasks:>9,}  {layer.inputs:>9,}" for layer in self.layers[:MOST_LINES]]
        longest = max((len(label) for label, _ in self.kernels), default=0)
        kernels = [f"  {label:<{longest}}  {rule}" for label, rule in self.kernels]
        return "\n".join(
            [
                "as written",
                self.before,
                "optimised",
                self.after,
                *(["kernels", *kernels] if kernels else []),
                f"{self.tasks:,} task{'' if self.tasks == 1 else 's'}",
                f"  {'layer':<{width}}  {'tasks':>9}  {'inputs':>9}",
                *rows,
                *([f"  ... and {left_out:,} more"] if left_out else []),
                self._bytes_text(),
            ]
        )

    def _bytes_text(self) -> str:
        said = {"read": self.bytes_read, "moved": self.bytes_moved, "made": self.bytes_made}
        texts = []
        for word, known in said.items():
            more = word in self.unknown
            size = "unknown" if more and not known else bytes_text(known) + (" and more" if more else "")
            if word != "moved" or known or more:
                texts.append(f"{size} {word}")
        return ", ".join(texts)


def explain(roots: Sequence[Expr], ask: Ask, computed: Sequence[Expr] | None = None) -> Explanation:
    """What computing some expressions together, as `computed`, will do; `ask` computes what that depends on."""
    after = settled(optimized(roots if computed is None else computed), ask)
    nodes = subexpressions(after)
    tables = dict(zip(nodes, to_blocks(nodes)))
    graph, ids = to_graph(fuse([tables[expr] for expr in after]))
    sizes = {
        "read": _bytes_read(tables, after),
        "moved": [expr.bytes_moved for expr in nodes],
        "made": [expr.nbytes for expr in after],
    }
    return Explanation(
        before=tree_text(roots),
        after=tree_text(after),
        layers=tuple(layer_sizes(graph, _joined(ids))),
        kernels=tuple(dict.fromkeys((expr.label, expr.kernel_rule) for expr in reversed(nodes) if expr.kernel_rule)),
        bytes_read=sum(size or 0 for size in sizes["read"]),
        bytes_moved=sum(size or 0 for size in sizes["moved"]),
        bytes_made=sum(size or 0 for size in sizes["made"]),
        unknown=tuple(word for word, of_nodes in sizes.items() if None in of_nodes),
    )


def _bytes_read(tables: Mapping[Expr, Blocks], roots: Sequence[Expr]) -> list[int | None]:
    """What each node reads; of sources that tell it for each block, those that are needed count."""
    sizes = {expr: expr.bytes_read for expr in tables}
    by_block = [expr for expr, size in sizes.items() if isinstance(size, Sequence)]
    if by_block:
        graph, ids = to_graph([tables[expr] for expr in (*by_block, *roots)])
        runs = needed(graph, _joined(ids[len(by_block) :]))
        for expr, own in zip(by_block, ids):
            sizes[expr] = int(np.asarray(sizes[expr], np.int64)[runs[own]].sum())
    return [size for size in sizes.values() if not isinstance(size, Sequence)]


def _joined(ids: Sequence[Ints]) -> Ints:
    return np.concatenate(ids) if ids else np.zeros(0, np.int64)


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
    uses = Counter(child for expr in subexpressions(roots) for child in expr.children)
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
