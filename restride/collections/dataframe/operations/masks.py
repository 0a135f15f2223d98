"""Masks as expressions: what conditions they are made of, and the same conditions on other rows."""

from __future__ import annotations

import operator
from collections.abc import Callable

from restride.collections.dataframe.expr import FrameExpr, Wanted
from restride.collections.dataframe.operations.rowwise import Rowwise
from restride.collections.dataframe.operations.selection import Project, Relabel

COMPARISONS = (operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge)
_LOGIC = (operator.and_, operator.or_, operator.invert)
_METHODS = ("isin", "isna", "notna", "isnull", "notnull", "between", "str.startswith", "str.endswith", "str.contains")


def conjuncts(mask: FrameExpr) -> list[FrameExpr]:
    """The conditions of which all must be true."""
    if isinstance(mask, Rowwise) and mask.function is operator.and_:
        return [term for arg in mask.args if isinstance(arg, FrameExpr) for term in conjuncts(arg)]
    return [mask]


def is_condition(node: Rowwise) -> bool:
    """Whether a node compares values, which can be done to any rows: users' functions need not be able to."""
    plain = node.function in COMPARISONS or node.function in _LOGIC
    return plain or getattr(node.function, "path", "") in _METHODS


def rebuilt(condition: FrameExpr, leaf: Callable[[FrameExpr], FrameExpr | None]) -> FrameExpr | None:
    """The same comparisons of other series.

    Parameters
    ----------
    condition : FrameExpr
    leaf : callable
        Gives what stands for a series that is no comparison; None where there is nothing.

    Returns
    -------
    FrameExpr or None
        None where something is neither a comparison nor has anything to stand for it.
    """
    if not isinstance(condition, Rowwise):
        return leaf(condition)
    if not is_condition(condition):
        return None
    args = [rebuilt(arg, leaf) if isinstance(arg, FrameExpr) else arg for arg in condition.args]
    if any(new is None and arg is not None for new, arg in zip(args, condition.args)):
        return None
    return condition.replace(args=tuple(args), declared=condition.meta)


def over(
    series: FrameExpr, old: FrameExpr, new: FrameExpr, place_of: Callable[[int], int | None] = lambda place: place
) -> FrameExpr | None:
    """A condition on columns of one frame as the same one on another; None where it looks at anything else.

    Parameters
    ----------
    series : FrameExpr
    old, new : FrameExpr
    place_of : callable
        Where in the new frame a column of the old one is; None if it is not there.
    """

    def column(leaf: FrameExpr) -> FrameExpr | None:
        if isinstance(leaf, Relabel):
            frame = over(leaf.frame, old, new, place_of)
            return None if frame is None else leaf.replace(frame=frame)
        own = isinstance(leaf, Project) and leaf.frame == old and leaf.kind == "series" and not leaf.wanted.index
        place = place_of(leaf.wanted.columns[0]) if own and isinstance(leaf, Project) else None
        if place is None:
            return None
        found = Project(new, Wanted((place,), False), "series")
        same = found.meta.name == leaf.meta.name
        return found if same else Relabel(found, found.meta.rename(leaf.meta.name))

    return rebuilt(series, column)
