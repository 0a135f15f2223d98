"""Frames brought to the same rows in the same partitions, so that they can be used row by row together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from restride.collections.dataframe.expr import FrameExpr, Wanted
from restride.collections.dataframe.meta import Meta, has_default_index
from restride.collections.dataframe.operations.merge.merging import merge
from restride.collections.dataframe.operations.merge.nodes import Merge
from restride.collections.dataframe.operations.places import AsRowsOf
from restride.collections.dataframe.operations.resizing import Resize
from restride.collections.dataframe.operations.rowwise import Rowwise, labelled
from restride.collections.dataframe.operations.selection import Project, Relabel, kind_of


def aligned(frames: Sequence[FrameExpr], how: str = "outer") -> list[FrameExpr]:
    """The same frames with the same rows in the same partitions, by their labels where these are not so yet.

    Rows of default indexes of one length are brought together as they are. Others are joined by their labels, and then
    have the dtypes of columns that may lack values.

    Parameters
    ----------
    frames : sequence of FrameExpr
    how : {"outer", "left", "inner", "right"}
        Which labels there are: those of all, or of the first, whose labels others must not have twice then.

    Raises
    ------
    ValueError
        A frame without labels, an index as such, has other rows.
    """
    first = frames[0]
    if all(frame.rows == first.rows for frame in frames):
        return list(frames)
    fitted = [_fitted(frame, first) for frame in frames]
    if all(frame.rows == first.rows for frame in fitted):
        return fitted
    return _joined(fitted, how)


def aligned_mask(frame: FrameExpr, mask: FrameExpr) -> tuple[FrameExpr, FrameExpr]:
    """A frame and a series of truth values for its labels; that one is missing is an error on compute."""
    if frame.rows == mask.rows:
        return frame, mask
    frame, found = aligned([frame, mask], "left")
    if found.meta.dtype == object:
        found = Rowwise(whole_mask, (found,), (), False, pd.Series([], dtype=bool, name=found.meta.name))
    return frame, found


def whole_mask(mask: pd.Series) -> pd.Series:
    """Kernel: a mask that was brought to the labels of a frame.

    Raises
    ------
    pandas.errors.IndexingError
        It has no value for some.
    """
    if mask.isna().any():
        raise pd.errors.IndexingError(
            "Unalignable boolean Series provided as indexer (index of the boolean Series and of the indexed object do "
            "not match)."
        )
    return mask.astype(bool)


def _fitted(frame: FrameExpr, first: FrameExpr) -> FrameExpr:
    """The frame with the rows of the first, where both have default indexes of one known length."""
    if frame.rows == first.rows or isinstance(frame.meta, pd.Index) or isinstance(first.meta, pd.Index):
        return frame
    if not (has_default_index(frame.meta) and has_default_index(first.meta)):
        return frame
    if frame.lengths is None or first.lengths is None or sum(frame.lengths) != sum(first.lengths):
        return frame
    bounds = tuple(np.cumsum([0, *first.lengths]).tolist())
    resized = frame if frame.lengths == first.lengths else Resize(frame, bounds)
    return AsRowsOf(resized, first.rows)


def _joined(frames: Sequence[FrameExpr], how: str) -> list[FrameExpr]:
    """Frames joined by their labels, and parted again."""
    if any(isinstance(frame.meta, pd.Index) for frame in frames):
        raise ValueError(f"an index has not the rows of {frames[0]!r} in the same partitions, and no labels to go by")
    groups: dict[str, list[FrameExpr]] = {}
    for frame in frames:
        groups.setdefault(frame.rows, []).append(frame)
    numbered: dict[FrameExpr, FrameExpr] = {}
    n = 0
    whole: FrameExpr | None = None
    places: dict[FrameExpr, range] = {}
    for frame in dict.fromkeys(frame for group in groups.values() for frame in group):
        width = frame.layout.n_columns
        places[frame] = range(n, n + width)
        numbered[frame] = _numbered(labelled(frame), n)
        n += width
        whole = numbered[frame] if whole is None else _beside(whole, numbered[frame], how)
    assert whole is not None
    return [_part(whole, frame, places[frame]) for frame in frames]


def _beside(left: FrameExpr, right: FrameExpr, how: str) -> FrameExpr:
    joined = merge(left, right, how, {"left_index": True, "right_index": True})
    if how == "left" and isinstance(joined, Merge):
        joined = joined.replace(plan=replace(joined.plan, unique=("right",)))
    return joined


def _numbered(frame: FrameExpr, start: int) -> FrameExpr:
    """A frame whose columns are labelled by numbers."""
    as_frame = Project(frame, frame.everything, "frame")
    n = frame.layout.n_columns
    return Relabel(as_frame, as_frame.meta.set_axis(range(start, start + n), axis=1))


def _part(whole: FrameExpr, frame: FrameExpr, places: range) -> FrameExpr:
    part = Project(whole, Wanted(tuple(places), True), kind_of(frame.meta))
    meta: Meta = part.meta
    if isinstance(meta, pd.Series):
        return Relabel(part, meta.rename(frame.meta.name))
    return Relabel(part, meta.set_axis(frame.meta.columns, axis=1))
