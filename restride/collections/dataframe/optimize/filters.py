"""Filters pushed towards the sources: rows that nobody uses are not computed, and files' parts that have none not read.

A filter moves below what works row by row on the same rows and, where its mask looks at one side of a join alone, to
that side. At a source that knows the least and the greatest of its parts, comparisons with plain values tell which
parts need not be read; the filter itself stays, as a part that is read may hold other rows, too.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.operations.masks import rebuilt
from restride.collections.dataframe.operations.rowwise import Assign, Filter, Rowwise, StoreIndex
from restride.collections.dataframe.operations.selection import Project, Relabel
from restride.collections.expression import Expr, rewrite, subexpressions

COMPARISONS: dict[Callable[..., Any], str] = {
    operator.eq: "==", operator.lt: "<", operator.le: "<=", operator.gt: ">", operator.ge: ">=",
}  # fmt: skip
MIRRORED = {"==": "==", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True)
class Predicate:
    """A comparison of a column with a plain value, which rows must pass."""

    column: int
    """Position in the source."""
    op: str
    """One of ``== < <= > >= in``."""
    value: Any


@runtime_checkable
class Selective(Protocol):
    """A source that can leave out partitions in which no row passes.

    These are empty then; there are as many as before, and `lengths` stay, because rows are numbered by them.
    """

    def with_predicates(self, predicates: Sequence[Predicate]) -> FrameExpr:
        """The same source without the rows of partitions of which the predicates tell that none passes."""


def push_filters(roots: Sequence[Expr]) -> list[Expr]:
    """The same expressions, with filters as near to the sources as they can be."""
    exprs = list(roots)
    while any(isinstance(expr, Filter) for expr in subexpressions(exprs)):
        pushed = _pushed_once(exprs)
        if pushed == exprs:
            break
        exprs = pushed
    return select_parts(exprs)


def _pushed_once(roots: Sequence[Expr]) -> list[Expr]:
    order = subexpressions(roots)
    users: dict[Expr, set[Expr]] = {}
    for expr in order:
        for child in expr.children:
            users.setdefault(child, set()).add(expr)
    new: dict[Expr, Expr] = {}
    for expr in order:
        node = expr.with_children([new[child] for child in expr.children])
        if isinstance(node, Filter) and isinstance(expr, Filter):
            node = _pushed(node, alone=expr.frame not in roots and _only_for(expr, users))
        new[expr] = node
    return [new[root] for root in roots]


def _only_for(node: Filter, users: dict[Expr, set[Expr]]) -> bool:
    """Whether nothing uses the frame of a filter but the filter itself, and its mask."""
    here = {node, *subexpressions([node.mask])}
    return all(user is node or (user in here and users[user] <= here) for user in users[node.frame])


def _pushed(node: Filter, *, alone: bool) -> Expr:
    frame, mask = node.frame, node.mask
    below: FrameExpr
    if isinstance(frame, (Project, Relabel)):
        below = frame.replace(frame=Filter(frame.frame, mask))
    elif isinstance(frame, Filter):
        both = _unfiltered(mask, frame.mask)
        if both is None:
            return node
        below = Filter(frame.frame, Rowwise(operator.and_, (frame.mask, both)))
    elif not alone:
        return node  # it is needed whole as well
    elif isinstance(frame, Rowwise):
        args = tuple(Filter(arg, mask) if isinstance(arg, FrameExpr) else arg for arg in frame.args)
        below = frame.replace(args=args, declared=frame.meta)
    elif isinstance(frame, Assign):
        below = frame.replace(frame=Filter(frame.frame, mask), series=tuple(Filter(one, mask) for one in frame.series))
    else:
        return frame.filtered(mask) or node
    return below.made_at(node.origin)


def _unfiltered(series: FrameExpr, mask: FrameExpr) -> FrameExpr | None:
    """Truth values made of filtered rows as those of all rows; None where more than comparisons make them."""

    def whole(leaf: FrameExpr) -> FrameExpr | None:
        if isinstance(leaf, Filter):
            return leaf.frame if leaf.mask == mask else None
        if not isinstance(leaf, (Project, Relabel)):
            return None
        frame = _unfiltered(leaf.frame, mask)
        return None if frame is None else leaf.replace(frame=frame)

    return rebuilt(series, whole)


def select_parts(roots: Sequence[Expr]) -> list[Expr]:
    """Sources that can leave parts out do, where everything that is used of them passes through filters."""
    order = subexpressions(roots)
    sources = [expr for expr in order if isinstance(expr, Selective)]
    if not sources:
        return list(roots)
    chosen: dict[Expr, Expr] = {}
    for source in sources:
        alternatives = _demands(source, order, roots)
        if alternatives and len(alternatives) == 1:
            (predicates,) = alternatives
            if predicates:
                chosen[source] = source.with_predicates(predicates)
    if not chosen:
        return list(roots)
    return rewrite(roots, lambda expr: chosen.get(expr, expr))


def _demands(source: Expr, order: Sequence[Expr], roots: Sequence[Expr]) -> set[tuple[Predicate, ...]] | None:
    """The conjunctions through which all uses of a source pass; None if one passes through none."""
    users: dict[Expr, list[Expr]] = {}
    for expr in order:
        for child in dict.fromkeys(expr.children):
            users.setdefault(child, []).append(expr)
    found: set[tuple[Predicate, ...]] = set()
    stack, seen = [source], {source}
    while stack:
        expr = stack.pop()
        if expr in roots:
            return None
        for user in users.get(expr, []):
            if isinstance(user, Filter):
                # as the frame or in the mask: either way rows count only where the mask is true
                found.add(tuple(predicates_of(user.mask, source)))
            elif isinstance(user, (Project, Relabel, StoreIndex, Rowwise, Assign)):
                if user not in seen:
                    seen.add(user)
                    stack.append(user)
            else:
                return None
    return found


def predicates_of(mask: FrameExpr, source: Expr) -> Iterator[Predicate]:
    """Comparisons with plain values, of columns of a source, that are true wherever a mask is."""
    if not isinstance(mask, Rowwise):
        if isinstance(mask, Project) and isinstance(mask.frame, FrameExpr) and mask.kind == "series":
            inner = mask.frame
            if isinstance(inner, Rowwise):
                yield from predicates_of(inner, source)
        return
    if mask.function is operator.and_ and all(isinstance(arg, FrameExpr) for arg in mask.args):
        for arg in mask.args:
            yield from predicates_of(arg, source)
    elif mask.function in COMPARISONS and len(mask.args) == 2:
        op = COMPARISONS[mask.function]
        left, right = mask.args
        if isinstance(right, FrameExpr) and not isinstance(left, Expr):
            left, right, op = right, left, MIRRORED[op]
        place = column_in(left, source)
        if place is not None and not isinstance(right, Expr):
            yield Predicate(place, op, right)
    elif getattr(mask.function, "path", "") == "isin" and len(mask.args) == 2:
        place = column_in(mask.args[0], source)
        if place is not None and isinstance(mask.args[1], (list, tuple)):
            yield Predicate(place, "in", tuple(mask.args[1]))


def column_in(series: Any, source: Expr) -> int | None:
    """The position in a source of the column that a series is; None if it is none."""
    if not isinstance(series, FrameExpr):
        return None
    place = 0
    while series != source:
        if isinstance(series, Project) and series.wanted.columns:
            place = series.wanted.columns[place]
            series = series.frame
        elif isinstance(series, (Relabel, StoreIndex)):
            series = series.frame
        else:
            return None
    return place
