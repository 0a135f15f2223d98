"""visualize: the task graph of a computation as a picture, one box for each layer. Drawn by graphviz."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from restride.collections.explain import layer_sizes
from restride.collections.expression import Expr
from restride.collections.facts import Ask
from restride.collections.lowering import lower
from restride.engine.graphs.csr import Ints
from restride.engine.graphs.graph import TaskGraph
from restride.engine.graphs.job import needed

INSTALL = "drawing graphs needs graphviz: pip install graphviz, and its program dot (apt install graphviz)"


def visualize(roots: Sequence[Expr], ask: Ask, filename: str | os.PathLike[str] | None = None) -> Any:
    """Draw the graph of some expressions computed together; see `Collection.visualize`."""
    try:
        import graphviz
    except ImportError as error:
        raise ImportError(INSTALL) from error
    graph, ids = lower(roots, ask)
    source = graphviz.Source(dot_text(graph, np.concatenate(ids) if ids else np.zeros(0, np.int64)))
    if filename is None:
        return source
    path = os.fspath(filename)
    kind = os.path.splitext(path)[1].removeprefix(".")
    if kind not in graphviz.FORMATS:
        raise ValueError(f"{path!r} does not end in the name of a format, such as .svg or .png")
    try:
        picture = source.pipe(format=kind)
    except graphviz.ExecutableNotFound as error:
        raise ImportError(INSTALL) from error
    with open(path, "wb") as file:
        file.write(picture)
    return path


def dot_text(graph: TaskGraph, wanted: Ints) -> str:
    """The layers that run, for some wanted tasks, and what they use of each other, in graphviz's language."""
    indptr, indices = graph.dependencies()
    runs = needed(graph, wanted)
    starts = np.array([layer.start for layer in graph.layers] + [len(graph)], np.int64)
    sizes = iter(layer_sizes(graph, wanted))
    lines = ["digraph {", "  rankdir=BT", "  node [shape=box, style=filled, fillcolor=white]"]
    for number, layer in enumerate(graph.layers):
        here = np.flatnonzero(runs[layer.start : layer.start + layer.count])
        if not len(here):
            continue
        if layer.futures is not None:
            lines.append(f'  {number} [label="{len(here):,} in memory", fillcolor=lightgrey]')
            continue
        size = next(sizes)
        plural = "" if size.tasks == 1 else "s"
        lines.append(f'  {number} [label="{_quoted(size.name)}\\n{size.tasks:,} task{plural}"]')
        of_layer = indices[indptr[layer.start] : indptr[layer.start + layer.count]]
        owners = np.repeat(np.arange(layer.count), np.diff(indptr[layer.start : layer.start + layer.count + 1]))
        used = np.searchsorted(starts, of_layer[np.isin(owners, here)], side="right") - 1
        for other, count in zip(*np.unique(used, return_counts=True)):
            lines.append(f'  {other} -> {number} [label="{count:,}"]')
    return "\n".join([*lines, "}"])


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
