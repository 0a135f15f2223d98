"""Merges as they are carried out: the last pass, after columns and filters have been pushed through them."""

from __future__ import annotations

from collections.abc import Sequence

from restride.collections.dataframe.operations.merge.nodes import Merge
from restride.collections.dataframe.operations.merge.strategies import carried_out
from restride.collections.dataframe.optimize.order import observed
from restride.collections.expression import Expr, subexpressions


def plan_merges(roots: Sequence[Expr]) -> list[Expr]:
    """The same expressions, with nodes that have blocks for each merge."""
    order = subexpressions(roots)
    if not any(isinstance(expr, Merge) for expr in order):
        return list(roots)
    ordered = observed(roots)
    made: dict[Expr, Expr] = {}
    for expr in order:
        new = expr.with_children([made[child] for child in expr.children])
        if isinstance(new, Merge):
            new = carried_out(new, ordered=expr in ordered).made_at(expr.origin)
        made[expr] = new
    return [made[root] for root in roots]
