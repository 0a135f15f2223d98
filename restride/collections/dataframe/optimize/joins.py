"""What depends on whether the order of its rows is seen, merges above all: the last pass, after all that is pushed."""

from __future__ import annotations

from collections.abc import Sequence

from restride.collections.dataframe.operations.groupby.duplicates import DropDuplicates
from restride.collections.dataframe.operations.merge.nodes import Merge
from restride.collections.dataframe.operations.merge.strategies import carried_out
from restride.collections.dataframe.optimize.order import observed
from restride.collections.expression import Expr, subexpressions


def plan_merges(roots: Sequence[Expr]) -> list[Expr]:
    """The same expressions, with nodes that have blocks for each merge, and rows in order only where that is seen."""
    order = subexpressions(roots)
    if not any(isinstance(expr, (Merge, DropDuplicates)) for expr in order):
        return list(roots)
    ordered = observed(roots)
    made: dict[Expr, Expr] = {}
    for expr in order:
        new = expr.with_children([made[child] for child in expr.children])
        if isinstance(new, Merge):
            new = carried_out(new, ordered=expr in ordered).made_at(expr.origin)
        elif isinstance(new, DropDuplicates) and expr not in ordered:
            new = new.replace(in_order=False).made_at(expr.origin)
        made[expr] = new
    return [made[root] for root in roots]
