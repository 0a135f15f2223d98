"""Frames in the order of columns or of their index, as pandas sorts them; rows of equal keys stay in their order."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pandas as pd

from restride.collections.blocks import Blocks
from restride.collections.dataframe.expr import Divisions, FrameExpr, Wanted
from restride.collections.dataframe.hints import no_label
from restride.collections.dataframe.meta import Meta, index_of, with_index
from restride.collections.dataframe.operations.places import (
    Rearrange,
    dtypes_of,
    empty_index,
    index_as_series,
    numbered,
    with_index_of,
)
from restride.collections.dataframe.operations.rowwise import labelled
from restride.collections.dataframe.operations.selection import column, columns, index, narrow, without_index
from restride.collections.dataframe.operations.shuffle import KeyDivisions, RangeShuffle, range_shuffle
from restride.collections.dataframe.operations.shuffle_keys import key_place

KeyFunction = Callable[[Any], Any]


def sorted_by_values(
    frame: FrameExpr,
    positions: Sequence[int],
    ascending: Sequence[bool],
    na_position: str,
    *,
    ignore_index: bool,
    function: KeyFunction | None,
    n: int | None,
) -> FrameExpr:
    """A frame or series in the order of columns, or of levels of its index, by position; see `Sorting.sort_values`."""
    check_na_position(na_position)
    n_columns = frame.layout.n_columns
    if ignore_index and all(position < n_columns for position in positions):
        frame = without_index(frame)
    by = [
        key_place(frame.meta, position, up, na_position, function)
        for position, up in zip(positions, ascending, strict=True)
    ]
    new: FrameExpr = range_shuffle(frame, n or frame.npartitions, by, spread=True)
    return numbered(new) if ignore_index else new


def sort_positions(frame: FrameExpr, by: Sequence[Hashable]) -> list[int]:
    """The positions of columns, or of levels of the index, by the labels that people sort by.

    Raises
    ------
    KeyError, ValueError
        As pandas: there is none of a label, or there are several.
    """
    meta, n_columns = frame.meta, frame.layout.n_columns
    names = list(index_of(meta).names)
    positions = []
    for label in by:
        found = [i for i, have in enumerate(meta.columns) if _same(have, label)]
        level = names.index(label) if label is not None and label in names else None
        if level is not None and found:
            raise ValueError(f"'{label}' is both an index level and a column label, which is ambiguous.")
        if len(found) > 1:
            raise ValueError(f"The column label '{label}' is not unique.")
        if level is None and not found:
            raise no_label(label, meta.columns)
        positions.append(found[0] if found else n_columns + level)  # type: ignore[operator]
    return positions


def _same(have: Hashable, label: Hashable) -> bool:
    return have is label or bool(have == label)


def ascending_of(ascending: Any, n: int) -> list[bool]:
    """A direction for each of `n` keys.

    Raises
    ------
    ValueError
        As pandas: there are more or fewer, or one is none.
    """
    each = list(ascending) if isinstance(ascending, (list, tuple)) else [ascending] * n
    if len(each) != n:
        raise ValueError(f"Length of ascending ({len(each)}) != length of by ({n})")
    for one in each:
        if not isinstance(one, (bool, int)) or one not in (0, 1):
            raise ValueError(f'For argument "ascending" expected type bool, received type {type(one).__name__}.')
    return [bool(one) for one in each]


def check_na_position(na_position: str) -> None:
    """Raise ValueError as pandas does, unless it is "first" or "last"."""
    if na_position not in ("first", "last"):
        raise ValueError(f"invalid na_position: {na_position}")


def sorted_by_index(
    frame: FrameExpr,
    level: Any,
    ascending: Any,
    na_position: str,
    *,
    sort_remaining: bool,
    ignore_index: bool,
    function: KeyFunction | None,
    n: int | None,
) -> FrameExpr:
    """A frame or series in the order of its index, or of some levels of it first; see `Sorting.sort_index`."""
    frame = labelled(frame)
    labels: Any = index_of(frame.meta)
    levels = list(range(labels.nlevels))
    if level is not None:
        first = [labels._get_level_number(one) for one in (level if isinstance(level, (list, tuple)) else [level])]
        levels = first + ([one for one in levels if one not in first] if sort_remaining else [])
    else:
        first = levels
    directions = ascending_of(ascending, len(first))
    directions += [directions[-1] if isinstance(ascending, (bool, int)) else True] * (len(levels) - len(first))
    positions = [frame.layout.n_columns + one for one in levels]
    return sorted_by_values(
        frame, positions, directions, na_position, ignore_index=ignore_index, function=function, n=n
    )


def indexed(frame: FrameExpr, keys: Sequence[Any], *, drop: bool, append: bool) -> FrameExpr:
    """A frame with columns, or series of the same rows, for its index; rows stay where they are.

    Raises
    ------
    KeyError
        There is no column of a label.
    """
    meta = frame.meta
    missing = [key for key in keys if not isinstance(key, FrameExpr) and key not in meta.columns]
    if missing:
        raise no_label(missing[0], meta.columns, f"None of {missing} are in the columns")
    if append:
        frame = labelled(frame)
        meta = frame.meta
    n_columns = frame.layout.n_columns
    if any(isinstance(key, FrameExpr) for key in keys):
        return _indexed_by_series(frame, keys, drop=drop, append=append)
    places = []
    for key in keys:
        found = [i for i, have in enumerate(meta.columns) if _same(have, key)]
        if len(found) > 1:
            raise ValueError(f"Index data must be 1-dimensional: several columns are labelled {key!r}")
        places += found
    old = list(range(n_columns, n_columns + frame.layout.n_levels)) if append else []
    kept = [i for i in range(n_columns) if not (drop and i in places)]
    dtypes = dtypes_of(meta)
    names = [*(index_of(meta).names if append else []), *(meta.columns[place] for place in places)]
    labels = empty_index([dtypes[place] for place in (*old, *places)], names)
    return Rearrange(frame, tuple(kept), (*old, *places), with_index(meta.iloc[:, kept], labels))


def _indexed_by_series(frame: FrameExpr, keys: Sequence[Any], *, drop: bool, append: bool) -> FrameExpr:
    levels = [index_as_series(index(frame))] if append else []
    labels = list(frame.meta.columns)
    levels += [key if isinstance(key, FrameExpr) else column(frame, labels.index(key)) for key in keys]
    if drop:
        kept = [
            label for label in labels if not any(not isinstance(key, FrameExpr) and _same(label, key) for key in keys)
        ]
        frame = columns(frame, kept) if len(kept) < len(labels) else frame
    return with_index_of(frame, levels, [level.meta.name for level in levels])


def with_sorted_index(
    frame: FrameExpr, *, n: int | None = None, divisions: Sequence[Any] | None = None, is_sorted: bool = False
) -> FrameExpr:
    """A frame in the order of its index, with these divisions, or in `n` partitions of about equal size.

    Parameters
    ----------
    frame : FrameExpr
        With a stored index.
    n : int, optional
    divisions : sequence, optional
    is_sorted : bool
        The rows are in that order, and no label is in two partitions.
    """
    positions = [frame.layout.n_columns + level for level in range(frame.layout.n_levels)]
    by = [key_place(frame.meta, position) for position in positions]
    if is_sorted:
        return frame if divisions is None else with_declared_divisions(frame, divisions)
    if divisions is None:
        return range_shuffle(frame, n or frame.npartitions, by)
    known = checked_divisions(divisions, frame.meta)
    return RangeShuffle(frame, len(known) - 1, tuple(by), known[1:-1], True, known)


def key_divisions(frame: FrameExpr, n: int) -> KeyDivisions | None:
    """What computes divisions for a frame that is to be sorted by its index; None where there can be none."""
    labels = index_of(frame.meta)
    if isinstance(labels, pd.MultiIndex) or isinstance(labels.dtype, pd.CategoricalDtype) or labels.dtype == object:
        return None
    keys = narrow(frame, Wanted((), True))
    return KeyDivisions(keys, n, key_place(keys.meta, 0))


def checked_divisions(divisions: Sequence[Any], meta: Meta) -> Divisions:
    """Divisions as a tuple, if they can be.

    Raises
    ------
    ValueError
        They are not ascending, fewer than two, or the index has several levels.
    """
    known = tuple(divisions)
    if isinstance(index_of(meta), pd.MultiIndex):
        raise ValueError("divisions are of one level, and the index has several")
    if len(known) < 2:
        raise ValueError(f"divisions need the least and the greatest label at least, got {known}")
    if any(value is None or value != value for value in known):
        raise ValueError(f"divisions must not be missing, got {known}")
    if any(b < a for a, b in pairwise(known)) or any(a == b for a, b in pairwise(known[:-1])):
        raise ValueError(f"divisions must ascend, none but the last two may be equal; got {known}")
    return known


@dataclass(frozen=True, eq=False, repr=False)
class DeclaredDivisions(FrameExpr):
    """A frame of which the user says what its divisions are."""

    partitionwise = True

    frame: FrameExpr
    known: Divisions

    @property
    def label(self) -> str:
        return "divisions"

    def _divisions(self) -> Divisions:
        return self.known

    def value_source(self, place: int) -> tuple[FrameExpr, int]:
        return self.frame, place

    def narrowed(self, wanted: Wanted) -> FrameExpr:
        below = narrow(self.frame, wanted)
        return DeclaredDivisions(below, self.known) if wanted.index else below

    def blocks(self, *children: Blocks) -> Blocks:
        return children[0]


def with_declared_divisions(frame: FrameExpr, divisions: Sequence[Any]) -> FrameExpr:
    """A frame that is sorted by its index, and of which these are the divisions.

    Raises
    ------
    ValueError
        They cannot be, or are not one more than there are partitions.
    """
    known = checked_divisions(divisions, frame.meta)
    if len(known) != frame.npartitions + 1:
        raise ValueError(f"{frame.npartitions} partitions have {frame.npartitions + 1} divisions, got {len(known)}")
    return DeclaredDivisions(frame, known)
