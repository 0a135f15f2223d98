"""Parts pushed towards the sources: what nobody asks for is never read, computed, or made a task of.

From the wanted expressions towards the sources, each node learns what is asked of it: everything, or parts. Of several
parts it makes the smallest that has them all, once, so that nothing is ever made twice; then that part is pushed
through the node, if it knows how, and becomes what it asks of its children. What a part is, slices of an array or
columns of a frame, say the `Parts` of a kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from restride.collections.expression import Expr, subexpressions


class Parts(Protocol):
    """What can be asked of the nodes of a kind."""

    def taken(self, node: Expr) -> tuple[Expr, Any] | None:
        """If a node is a part of another: which, and what part."""

    def enough(self, expr: Expr, parts: Sequence[Any]) -> Any:
        """A part that has all parts that are asked for, each None for everything; None if that is everything."""

    def pushed(self, expr: Expr, part: Any) -> Expr | None:
        """The part of a node, made of parts of its children; None where it can only be made with the rest."""

    def out_of(self, made: Expr, expr: Expr, have: Any, part: Any, taker: Expr) -> Expr:
        """What a taker takes of a node, out of what was made of it: the part `have`, or everything (None)."""


def push(roots: Sequence[Expr], parts: Parts) -> list[Expr]:
    """The same expressions, with parts taken as near to the sources as they can be."""
    order = subexpressions(roots)
    if not any(parts.taken(expr) for expr in order):
        return list(roots)
    asked: dict[Expr, list[Any]] = {root: [None] for root in roots}
    have: dict[Expr, Any] = {}
    pushed: dict[Expr, Expr] = {}
    for expr in reversed(order):
        if expr not in asked:
            continue
        part = parts.enough(expr, asked[expr])
        new = None if part is None else parts.pushed(expr, part)
        have[expr], pushed[expr] = (None, expr) if new is None else (part, new)
        for child, asks in _asks(pushed[expr], set(expr.children), parts):
            asked.setdefault(child, []).append(asks)

    made: dict[Expr, Expr] = {}

    def remade(node: Expr, children: set[Expr]) -> Expr:
        taken = parts.taken(node)
        if taken and taken[0] in children:
            whole, part = taken
            return parts.out_of(made[whole], whole, have[whole], part, node)
        if node in children:
            return made[node]
        return node.with_children([remade(child, children) for child in node.children])

    for expr in order:
        if expr in pushed:
            made[expr] = remade(pushed[expr], set(expr.children))
    return [made[root] for root in roots]


def _asks(node: Expr, children: set[Expr], parts: Parts) -> Iterator[tuple[Expr, Any]]:
    """What a node, which may stand on new ones, needs of the children that there were: parts, or (None) all."""
    taken = parts.taken(node)
    if taken and taken[0] in children:
        yield taken
    elif node in children:
        yield node, None
    else:
        for child in node.children:
            yield from _asks(child, children, parts)
