"""Many partitions of few rows made fewer where nobody sees them: a task costs the same however few rows it has.

Who sees partitions is who gets them one by one: a user's function, a file for each, `persist`. A node that does not
say `any_partitions` is taken to see them. Where nobody does, sources are cut into runs of their partitions, and
shuffles have fewer results.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from functools import partial
from types import FunctionType
from typing import Any

import numpy as np

from restride.collections.dataframe.expr import FrameExpr, Lengths, ScalarExpr
from restride.collections.dataframe.operations.custom_reduction import OfPartition
from restride.collections.dataframe.operations.groupby.put_back import PutBack, ShuffleBack
from restride.collections.dataframe.operations.looking import LEAST_ROWS, LEAST_TASKS, task_count
from restride.collections.dataframe.operations.merge.nodes import Merge
from restride.collections.dataframe.operations.partitions import AsOne, Coalesce
from restride.collections.dataframe.operations.shuffle import RangeShuffle, Splitters
from restride.collections.dataframe.operations.sources import FromMemory, even_bounds
from restride.collections.expression import Expr, subexpressions

MANY = 4
"""How many times as many partitions there are as would do, at least, where that is worth a change."""


def in_fewer_partitions(roots: Sequence[Expr]) -> list[Expr]:
    """The same values, with fewer partitions wherever there are many of few rows and nobody sees them."""
    order = subexpressions(roots)
    if not any(isinstance(expr, FrameExpr) and expr.npartitions >= MANY * LEAST_TASKS for expr in order):
        return [_inside(root) for root in roots]
    seen = _seen(roots, order)
    made: dict[Expr, Expr] = {}
    for expr in order:
        new = expr.with_children([made[child] for child in expr.children])
        if expr not in seen:
            new = _put_back(new, made) if isinstance(new, PutBack) else _fewer(new)
        made[expr] = _inside(new).made_at(expr.origin)
    return [made[root] for root in roots]


def _inside(expr: Expr) -> Expr:
    return expr.frame if isinstance(expr, AsOne) else expr


def _seen(roots: Sequence[Expr], order: Sequence[Expr]) -> set[Expr]:
    """The frames whose partitions somebody sees; frames of the same rows are seen together."""
    found: set[Expr] = {root for root in roots if not isinstance(root, AsOne)}
    found.update(expr for expr in order if _has_frames(expr) and not _goes_anyhow(expr))
    found.update(expr for expr in order if isinstance(expr, PutBack) and expr.rows_of not in set(order))
    rows: set[str] = set()
    before = -1
    while len(found) > before:
        before = len(found)
        for expr in reversed(order):
            if isinstance(expr, FrameExpr) and (expr in found or expr.rows in rows):
                found.add(expr)
                rows.add(expr.rows)
            if expr in found and not (_goes_anyhow(expr) and _in_one(expr)):
                found.update(expr.children)
    return found


def _has_frames(expr: Expr) -> bool:
    return any(isinstance(child, FrameExpr) for child in expr.children)


def _in_one(expr: Expr) -> bool:
    """Whether a node is one block, whatever it is made of."""
    return isinstance(expr, ScalarExpr) or (isinstance(expr, FrameExpr) and expr.npartitions == 1)


def _goes_anyhow(expr: Expr) -> bool:
    if isinstance(expr, Coalesce) and expr.npartitions > 1:
        return False
    anyhow = isinstance(expr, (FrameExpr, ScalarExpr)) and expr.any_partitions
    return anyhow and not any(map(_calls_users, expr._values()))


def _calls_users(value: Any) -> bool:
    """Whether a field of a node has a function of the user's in it, whose calls are shared out by partitions."""
    if isinstance(value, (Expr, str, np.ndarray)) or value is None:
        return False
    if isinstance(value, OfPartition) or (callable(value) and not isinstance(value, partial) and not _is_ours(value)):
        return True
    return any(map(_calls_users, _parts(value)))


def _parts(value: Any) -> Iterable[Any]:
    """What a function is made of, or what has functions in it."""
    if isinstance(value, (tuple, list)):
        return value
    if isinstance(value, partial):
        return (value.func, value.args, *value.keywords.values())
    if isinstance(value, type) or not _is_ours(value, _OWN):
        return ()
    if isinstance(value, FunctionType):
        return [cell.cell_contents for cell in value.__closure__ or ()]
    if is_dataclass(value):
        return [getattr(value, field.name) for field in fields(value)]
    return getattr(value, "__dict__", {}).values() if callable(value) else ()


_OWN = frozenset(["restride"])
_OURS = _OWN | {"pandas", "numpy", "operator", "_operator", "builtins", "pyarrow"}


def _is_ours(value: Any, ours: frozenset[str] = _OURS) -> bool:
    """Whether a function, or the type of a value, is of a package that calls no function of the user's of itself."""
    of = value if hasattr(value, "__qualname__") else type(value)
    of = getattr(of, "__objclass__", of)  # of methods of built-in types
    return str(getattr(of, "__module__", None)).partition(".")[0] in ours


def _put_back(node: PutBack, made: dict[Expr, Expr]) -> Expr:
    """Rows that go back to the partitions of a frame, as there are of it now."""
    rows_of, shuffled = made[node.rows_of], node.frame
    assert isinstance(rows_of, FrameExpr)
    if isinstance(shuffled, ShuffleBack):
        shuffled = shuffled.replace(n=rows_of.npartitions)
    return node.replace(frame=shuffled, rows_of=rows_of)


def _fewer(expr: Expr) -> Expr:
    """A node whose partitions nobody sees, with fewer of them, if it says how many there are."""
    match expr:
        case FromMemory():
            chosen = _runs(expr.lengths or ())
            if chosen is None:
                return expr
            return expr.replace(bounds=_at(expr.bounds, chosen), known=_at(expr.known, chosen))
        case RangeShuffle(splitters=splitters, n=n, known=known) if n >= MANY * (fewer := task_count(expr.frame)):
            if isinstance(splitters, Splitters):
                return expr.replace(n=fewer, splitters=splitters.replace(n=fewer))
            if known:
                known = _at(known, even_bounds(n, fewer))
                return expr.replace(n=fewer, splitters=known[1:-1], known=known)
        case Merge(by_key=True, n=n):
            fewer = max(expr.left.npartitions, expr.right.npartitions)
            return expr.replace(n=fewer) if n >= MANY * fewer else expr
        case FrameExpr() if not _has_frames(expr):
            chosen = None if expr.lengths is None else _runs(expr.lengths)
            return expr if chosen is None else Coalesce(expr, tuple(chosen))
    return expr


def _runs(lengths: Lengths) -> list[int] | None:
    """The first partitions of as many runs as will do, then the number of partitions; None where they are few."""
    n, ends = len(lengths), np.cumsum(lengths)
    rows = int(ends[-1]) if n else 0
    wanted = max(LEAST_TASKS, rows // LEAST_ROWS)
    if n < MANY * wanted:
        return None
    starts = np.searchsorted(ends, rows * np.arange(1, wanted) / wanted) + 1
    return [0, *np.unique(starts[starts < n]).tolist(), n]


def _at(values: tuple[Any, ...], places: Iterable[int]) -> tuple[Any, ...]:
    return operator.itemgetter(*places)(values)
