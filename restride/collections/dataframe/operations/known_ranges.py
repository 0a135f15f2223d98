"""Between which values columns lie, where a source knows without reading: statistics of files and divisions tell."""

from __future__ import annotations

from itertools import pairwise

from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.kernels.ranges import Ranges, ValueRange


def known_range(frame: FrameExpr, place: int) -> tuple[int, int] | None:
    """Bounds of the integers at a place of a frame, a column or a level after the columns; None if not known.

    There may be no rows with these values: rows that filters leave out, and columns that are moved about, are followed
    to the source. There are none outside.
    """
    step: tuple[FrameExpr, int] | None = (frame, place)
    while step is not None:
        node, at = step
        found = node.value_range(at)
        if found is not None:
            return found
        step = node.value_source(at)
    return None


def partition_ranges(frame: FrameExpr, place: int) -> Ranges | None:
    """Between which values each partition of a frame has what is at a place; None if that is not known.

    Filters, columns that are moved about and the like are followed to the source: there are no values outside, but
    there may be fewer.
    """
    step: tuple[FrameExpr, int] | None = (frame, place)
    while step is not None:
        node, at = step
        found = node.value_ranges(at) or _divided(node, at)
        if found is not None:
            return found
        step = node.partition_source(at)
    return None


def _divided(frame: FrameExpr, place: int) -> Ranges | None:
    """What divisions tell of an index: no label is in two partitions, and missing ones come last."""
    if place != frame.layout.n_columns or frame.layout.n_levels != 1 or not frame.known_divisions:
        return None
    last = frame.npartitions - 1
    pairs = pairwise(frame.divisions)
    return tuple(ValueRange(low, high, number == last, number < last) for number, (low, high) in enumerate(pairs))
