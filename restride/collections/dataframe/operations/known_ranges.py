"""Between which values integers lie, where a source knows without reading: statistics of files tell."""

from __future__ import annotations

from restride.collections.dataframe.expr import FrameExpr


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
