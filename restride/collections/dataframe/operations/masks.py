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
    if isinstance(series, Relabel):
        frame = over(series.frame, old, new, place_of)
        return None if frame is None else series.replace(frame=frame)
    if isinstance(series, Project):
        if series.frame != old or series.kind != "series" or series.wanted.index:
            return None
        place = place_of(series.wanted.columns[0])
        if place is None:
            return None
        column = Project(new, Wanted((place,), False), "series")
        same = column.meta.name == series.meta.name
        return column if same else Relabel(column, column.meta.rename(series.meta.name))
    if not isinstance(series, Rowwise) or not is_condition(series):
        return None
    args = [over(arg, old, new, place_of) if isinstance(arg, FrameExpr) else arg for arg in series.args]
    if any(arg is None and had is not None for arg, had in zip(args, series.args)):
        return None
    return series.replace(args=tuple(args), declared=series.meta)
