"""Whose rows' order nobody can see: sums, counts and the like come out the same in whatever order rows are added."""

from __future__ import annotations

from collections.abc import Sequence

from restride.collections.dataframe.kernels.aggregates import Aggregate, same
from restride.collections.dataframe.kernels.group_lists import Collected, Distinct, joined_strings
from restride.collections.dataframe.kernels.group_states import Edge, Place
from restride.collections.dataframe.operations.groupby.aggregate import GroupAggregate
from restride.collections.dataframe.operations.merge.nodes import Merge
from restride.collections.dataframe.operations.rowwise import Assign, Filter, Rowwise
from restride.collections.dataframe.operations.selection import Project, Relabel
from restride.collections.dataframe.operations.tree import Reduced, ReducedScalar
from restride.collections.expression import Expr, subexpressions

ORDER_FREE = frozenset(
    ["sum", "prod", "count", "len", "mean", "min", "max", "var", "std", "sem", "skew", "kurt", "any", "all"]
)
"""Reductions to which the order of rows makes no difference."""
ROW_BY_ROW = (Project, Relabel, Rowwise, Filter, Assign)
"""Nodes whose rows are in the order of those that they are made of."""


def observed(roots: Sequence[Expr]) -> set[Expr]:
    """The expressions at or below the roots whose rows have to be in pandas' order, as the results show it."""
    found: set[Expr] = set(roots)
    for expr in reversed(subexpressions(roots)):
        if not _hides_order(expr, expr in found):
            found.update(expr.children)
    return found


def _hides_order(expr: Expr, is_observed: bool) -> bool:
    """Whether nobody sees, through a node, the order of the rows of its children."""
    if isinstance(expr, (Reduced, ReducedScalar)):
        return expr.word in ORDER_FREE
    if isinstance(expr, GroupAggregate):
        return expr.aggregation.keys.sort and not any(map(_shows_order, expr.aggregation.aggregates))
    return not is_observed and (isinstance(expr, ROW_BY_ROW) or (isinstance(expr, Merge) and not expr.by_key))


def _shows_order(aggregate: Aggregate) -> bool:
    """Whether an aggregate by groups depends on the order of the rows: a first value, a list of all."""
    in_a_row = aggregate.finish in (same, joined_strings)
    return any(
        isinstance(state, (Edge, Place)) or (in_a_row and isinstance(state, (Collected, Distinct)))
        for state in aggregate.states
    )
