"""Where the columns and labels of a merge come from, by asking pandas itself.

Two frames of two rows are merged: one row of each has its partner in the other, one has none. Their values are marks
that say where they are from, and that are equal where keys are. So all rules about labels, suffixes, levels and indexes
are those of the pandas that is installed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.dataframe.hints import no_label
from restride.collections.dataframe.meta import has_default_index


@dataclass(frozen=True, slots=True)
class Source:
    """Where a column of the result is from: a place among the columns and levels of the left, the right, or either."""

    left: int | None
    right: int | None


@dataclass(frozen=True, slots=True)
class Trace:
    """A merge, column by column."""

    columns: tuple[Source, ...]
    levels: tuple[Source, ...]
    """Of the index; none where the rows of the result are numbered."""
    names: tuple[Any, ...]
    """Of the levels."""
    left_keys: tuple[int, ...]
    right_keys: tuple[int, ...]


class Mark:
    """A value that tells where it is from, and equals others of its key."""

    __slots__ = ("key", "place", "side")

    def __init__(self, side: str, place: int, key: Any) -> None:
        self.side = side
        self.place = place
        self.key = key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mark) and self.key == other.key

    def __lt__(self, other: Mark) -> bool:
        return bool(self.key < other.key)

    def __hash__(self) -> int:
        return hash(self.key)


PARTNERED, LEFT_ALONE, RIGHT_ALONE = 0, 1, 2


def trace(left: pd.DataFrame, right: pd.DataFrame, how: str, arguments: Mapping[str, Any]) -> Trace:
    """Trace a merge of two metas that pandas would take; `arguments` are all others of `pandas.merge` but `how`."""
    keys = [] if how == "cross" else key_places(left, right, arguments)
    same = _equal_places(keys, _width(left))
    by_index = bool(arguments.get("left_index") or arguments.get("right_index"))
    marked_left = _marked(left, "left", LEFT_ALONE, same, 0, by_index=by_index)
    marked_right = _marked(right, "right", RIGHT_ALONE, same, _width(left), by_index=by_index)
    result = pd.merge(marked_left, marked_right, how=how, **arguments)
    levels: tuple[Source, ...] = ()
    if not isinstance(result.index, pd.RangeIndex):
        index = result.index
        levels = tuple(_source(index.get_level_values(i)) for i in range(index.nlevels))
    columns = tuple(_source(result.iloc[:, i]) for i in range(result.shape[1]))
    return Trace(columns, levels, tuple(result.index.names), tuple(a for a, _ in keys), tuple(b for _, b in keys))


def key_places(left: pd.DataFrame, right: pd.DataFrame, arguments: Mapping[str, Any]) -> list[tuple[int, int]]:
    """The pairs of keys, as places among the columns and levels of each side."""
    on = arguments.get("on")
    sides = []
    for meta, own, by_index in (
        (left, arguments.get("left_on"), arguments.get("left_index")),
        (right, arguments.get("right_on"), arguments.get("right_index")),
    ):
        if by_index:
            sides.append([meta.shape[1] + i for i in range(meta.index.nlevels)])
            continue
        names = on if on is not None else own
        if names is None:
            names = list(left.columns.intersection(right.columns))
        sides.append([place_of(meta, name) for name in (names if isinstance(names, list) else [names])])
    return list(zip(*sides, strict=True))


def place_of(meta: pd.DataFrame, label: Any) -> int:
    """The place of a column, or of a level of the index, by its label.

    Raises
    ------
    KeyError
        There is neither.
    """
    labels = list(meta.columns)
    if label in labels:
        return labels.index(label)
    if label in meta.index.names:
        return meta.shape[1] + list(meta.index.names).index(label)
    raise no_label(label, labels)


def _width(meta: pd.DataFrame) -> int:
    return meta.shape[1] + meta.index.nlevels


def _equal_places(keys: list[tuple[int, int]], shift: int) -> dict[int, int]:
    """For each key, numbered through both sides, the least of those it is equal to."""
    same: dict[int, int] = {}
    for left, right in keys:
        a, b = (same.get(place, place) for place in (left, right + shift))
        same |= {place: min(a, b) for place in (left, right + shift, *(p for p, q in same.items() if q in (a, b)))}
    return same


def _marked(
    meta: pd.DataFrame, side: str, alone: int, same: Mapping[int, int], shift: int, *, by_index: bool
) -> pd.DataFrame:
    def marks(place: int) -> np.ndarray:
        values = np.empty(2, object)
        key = same.get(place + shift, place + shift)
        values[:] = [Mark(side, place, (key, row)) for row in (PARTNERED, alone)]
        return values

    n = meta.shape[1]
    frame = pd.DataFrame({i: marks(i) for i in range(n)}, index=pd.RangeIndex(2), dtype=object)
    frame.columns = meta.columns
    if isinstance(meta.index, pd.MultiIndex):
        arrays = [marks(n + i) for i in range(meta.index.nlevels)]
        frame.index = pd.MultiIndex.from_arrays(arrays, names=meta.index.names)
    elif by_index or not has_default_index(meta):
        frame.index = pd.Index(marks(n), dtype=object, name=meta.index.name)
    return frame


def _source(values: Any) -> Source:
    places: dict[str, int] = {}
    alone: dict[str, int] = {}
    for value in values:
        if isinstance(value, Mark):
            places.setdefault(value.side, value.place)
            if value.key[1] != PARTNERED:
                alone[value.side] = value.place
    if not places:
        raise ValueError("a column of the result is from neither side")
    # A key of which rows without a partner have a value, too, is from whichever side the row is from.
    sides = alone or places
    if len(sides) == 2 and not alone:
        return Source(places["left"], None)
    return Source(sides.get("left"), sides.get("right"))
