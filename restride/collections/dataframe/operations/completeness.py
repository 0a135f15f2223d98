"""Which values may be missing: pandas gives counts and parts of dates as floats then, and as integers otherwise."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.operations.places import dtypes_of
from restride.collections.dataframe.operations.rowwise import Filter, Rowwise
from restride.collections.dataframe.operations.selection import Project

_FALSE_IF_MISSING = (operator.eq, operator.lt, operator.le, operator.gt, operator.ge)


def may_miss(frame: FrameExpr, place: int = 0) -> bool:
    """Whether values at a place of a frame, a column or a level after the columns, may be missing.

    What is in memory is looked at, what is in files is told by their statistics; columns that are moved about are
    followed, and so are filters that leave missing values out. False is certain.
    """
    step: tuple[FrameExpr, int] | None = (frame, place)
    while step is not None:
        node, at = step
        if not can_miss(dtypes_of(node.meta)[at]) or node.is_complete(at):
            return False
        if isinstance(node, Filter) and leaves_out_missing(node.mask, origin_of(node.frame, at)):
            return False
        step = node.value_source(at)
    return True


def can_miss(dtype: Any) -> bool:
    """Whether columns of a dtype can miss values at all."""
    return not isinstance(dtype, np.dtype) or dtype.kind not in "biu"


def origin_of(frame: FrameExpr, place: int) -> tuple[FrameExpr, int]:
    """The node, and the place in it, that makes the values at a place."""
    step = (frame, place)
    while (below := step[0].value_source(step[1])) is not None:
        step = below
    return step


def leaves_out_missing(mask: FrameExpr, column: tuple[FrameExpr, int]) -> bool:
    """Whether a mask is false wherever a column of some origin has no value: by a comparison, or by asking for it."""
    while isinstance(mask, Project):
        mask = mask.frame
    if not isinstance(mask, Rowwise):
        return False
    frames = [arg for arg in mask.args if isinstance(arg, FrameExpr)]
    if mask.function is operator.and_:
        return any(leaves_out_missing(arg, column) for arg in frames)
    asks = mask.function in _FALSE_IF_MISSING or getattr(mask.function, "path", "") == "notna"
    if asks or getattr(mask.function, "leaves_out_any", False):
        return any(origin_of(arg, i) == column for arg in frames for i in range(arg.layout.n_columns))
    return False
