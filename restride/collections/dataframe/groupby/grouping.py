"""By what rows are grouped, and how: labels, series, levels and functions as key columns of one frame."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.dataframe.base import FrameBase, as_operand
from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.groupby.spans import spans_of
from restride.collections.dataframe.hints import no_label
from restride.collections.dataframe.kernels.group_tree import Keys
from restride.collections.dataframe.meta import (
    column_dtypes,
    has_default_index,
    index_of,
    is_unknown_categorical,
    level_dtypes,
)
from restride.collections.dataframe.methods.partitions import meta_from_data
from restride.collections.dataframe.operations.alignment import aligned
from restride.collections.dataframe.operations.completeness import can_miss, may_miss
from restride.collections.dataframe.operations.groupby.levels import IndexLevel, MappedIndex, mapped_labels
from restride.collections.dataframe.operations.groupby.pandas_groups import Function, PandasKeys, used_columns
from restride.collections.dataframe.operations.places import index_as_series
from restride.collections.dataframe.operations.reductions import one_row
from restride.collections.dataframe.operations.rowwise import Assign, Method, filtered, labelled, rowwise
from restride.collections.dataframe.operations.selection import Project, column


@dataclass(frozen=True)
class Grouping:
    """The rows of a frame by its key columns."""

    frame: FrameExpr
    """The columns of the user's frame, then key columns that are none of these."""
    n_columns: int
    """How many columns are the user's."""
    keys: tuple[int, ...]
    """Positions of the key columns."""
    names: tuple[Hashable, ...]
    """Of the keys in results."""
    in_list: bool
    """Whether the user gave a list, of one key perhaps: then a group is named by a tuple."""
    as_index: bool = True
    sort: bool = True
    group_keys: bool = True
    observed: bool = True
    dropna: bool = True
    labels: int | None = None
    """Position of the column that has the labels of rows, where there is one."""
    made_of: tuple[int, ...] = ()
    """Columns that keys are made of, which are no values."""
    spans: bool = False
    """Whether the key is spans of time, all of which have groups: categories until there are results."""

    @property
    def kernel_keys(self) -> Keys:
        """The same for kernels."""
        dtypes = self.key_dtypes
        categories = tuple(len(d.categories) if _has_codes(d) else None for d in dtypes)
        return Keys(self.keys, categories, self.dropna, self.sort, self.observed or not any(map(_has_codes, dtypes)))

    @property
    def key_dtypes(self) -> list[Any]:
        """The dtype of each key."""
        dtypes = column_dtypes(self.frame.meta)
        return [dtypes[position] for position in self.keys]

    @property
    def values(self) -> list[int]:
        """The columns that are no keys."""
        return [i for i in range(self.n_columns) if i not in self.keys and i not in self.made_of]

    def of_sample(
        self, function: Function, values: Sequence[int] | int, *, missing_keys: bool = False, **options: Any
    ) -> Any:
        """What a function of pandas' makes of some columns, or one, of a sample; `options` are others of the keys."""
        used, place, new_values = used_columns(self.keys, values)
        sample = self.sample(used, missing_keys=missing_keys)
        return function(replace(self.by.over(place), **options), sample, new_values)

    def of_no_rows(self, function: Function, values: Sequence[int] | int) -> Any:
        """What a function of pandas' makes of some columns, or one, where there are no rows."""
        used, place, new_values = used_columns(self.keys, values)
        return function(self.by.over(place), self.sample(used).iloc[:0], new_values)

    def sample(self, columns: Sequence[int], *, missing_keys: bool = False) -> pd.DataFrame:
        """Some columns of one made-up row, three times: what pandas tells dtypes of its own functions' results by.

        Where keys may be missing, one of the rows lacks them, if that is asked for.
        """
        meta = self.frame.meta.iloc[:, list(columns)]
        index = meta.index
        if has_default_index(meta):
            labels = pd.Index([0, 1, 2], name=index.name)
        else:
            levels = [index.get_level_values(i) for i in range(index.nlevels)]
            dtypes = level_dtypes(meta)
            rows = [one_row(pd.Series(level, dtype=dtype)).iloc[[0, 0, 0]] for level, dtype in zip(levels, dtypes)]
            single = pd.Index(rows[0].array, name=index.name)
            labels = pd.MultiIndex.from_arrays(rows, names=index.names) if len(rows) > 1 else single
        # Where groups have a row each, some results have other dtypes.
        sample = one_row(meta).iloc[[0, 0, 0]].set_axis(labels, axis=0)
        lacking = missing_keys and self.may_drop
        made = {}
        for i, position in enumerate(columns):
            column = sample.iloc[:, i]
            if position not in self.keys:
                column = typical(column)
            elif lacking and can_miss(column.dtype):
                values = column.array.copy()
                values[2] = None
                column = pd.Series(values, labels)
            made[i] = column
        return pd.DataFrame(made, index=labels).set_axis(sample.columns, axis=1)

    @property
    def may_drop(self) -> bool:
        """Whether there may be rows in no group."""
        return self.dropna and any(may_miss(self.frame, key) for key in self.keys)

    @property
    def rows_in_groups(self) -> FrameExpr:
        """The rows that are in any group, with their labels."""
        frame = labelled(self.frame)
        for key in self.keys if self.dropna else ():
            if may_miss(frame, key):
                frame = filtered(frame, rowwise(Method("notna"), column(frame, key)))
        return frame

    @property
    def by(self) -> PandasKeys:
        """The same for pandas."""
        return PandasKeys(
            self.keys,
            self.names,
            self.in_list,
            self.sort,
            self.group_keys,
            self.kernel_keys.observed,
            self.dropna,
        )

    def index_meta(self) -> pd.Index:
        """The empty index that has the keys for labels."""
        levels = [pd.Series([], dtype=dtype) for dtype in self.key_dtypes]
        if len(levels) > 1:
            return pd.MultiIndex.from_arrays(levels, names=self.names)
        return pd.Index(levels[0], dtype=self.key_dtypes[0], name=self.names[0])


def grouping_of(
    frame: FrameExpr,
    by: Any,
    level: Any = None,
    *,
    as_index: bool = True,
    sort: bool = True,
    group_keys: bool = True,
    observed: bool = True,
    dropna: bool = True,
) -> Grouping:
    """The grouping that ``groupby(by, level)`` asks for; its options are pandas'.

    Raises
    ------
    KeyError
        A label is neither a column's nor an index level's.
    TypeError
        Neither `by` nor `level` is given, or `by` is nothing that rows can be grouped by.
    NotImplementedError
        Groups without rows are asked for, by several keys, and the categories of one are not known.
    """
    if (by is None) == (level is None):
        raise TypeError("You have to supply one of 'by' and 'level'")
    given, in_list = _listed(by if level is None else level, frame)
    if not given:
        raise ValueError("No group keys passed!")
    meta = frame.meta
    n = meta.shape[1]
    positions: list[int] = []
    names: list[Hashable] = []
    extra: list[FrameExpr] = []
    for one in given:
        found = _level_number(meta, one) if level is not None else _key(frame, one, alone=not in_list)
        if isinstance(found, int) and level is None:
            positions.append(found)
            names.append(meta.columns[found])
            continue
        series = IndexLevel(labelled(frame), found) if isinstance(found, int) else found
        names.append(series.meta.name)
        positions.append(n + len(extra))
        extra.append(series)
    if extra:
        frame, *extra = aligned([frame, *extra])
        labels = tuple(f"__key_{i}__" for i in range(len(extra)))
        frame = Assign(frame, tuple(range(n, n + len(extra))), labels, tuple(extra))
    spans = isinstance(by, pd.Grouper) and by.freq is not None
    if spans:
        sort, observed, dropna = True, False, True
    made_of = tuple(_key(frame, one.key) for one in given if isinstance(one, pd.Grouper) and one.key is not None)
    if not observed and len(positions) > 1:
        _check_known(column_dtypes(frame.meta), positions, names)
    return Grouping(
        frame, n, tuple(positions), tuple(names), in_list, as_index, sort, group_keys, observed, dropna,
        made_of=tuple(place for place in made_of if isinstance(place, int)), spans=spans,
    )  # fmt: skip


def _check_known(dtypes: Sequence[Any], positions: Sequence[int], names: Sequence[Hashable]) -> None:
    unknown = [name for place, name in zip(positions, names) if is_unknown_categorical(dtypes[place])]
    if unknown:
        raise NotImplementedError(
            f"the categories of {unknown} are not known before they are computed, and so it is not known either which "
            "groups have no rows: group with observed=True, or make them known by categorize(), or by cat.as_known()"
        )


def over(grouping: Grouping, frame: FrameExpr) -> Grouping:
    """The same grouping of another frame of the same columns and more, none of which are keys."""
    return replace(grouping, frame=frame)


def _listed(by: Any, frame: FrameExpr) -> tuple[list[Any], bool]:
    if isinstance(by, list):
        return list(by), True
    if isinstance(by, tuple) and not _is_label(frame, by) and any(isinstance(one, FrameBase) for one in by):
        return list(by), True
    return [by], False


def _is_label(frame: FrameExpr, label: Any) -> bool:
    try:
        return label in frame.meta.columns or label in index_of(frame.meta).names
    except TypeError:
        return False


def _key(frame: FrameExpr, key: Any, *, alone: bool = False) -> int | FrameExpr:
    """The position of a key among the columns, or a series that has it; `alone` if it is not in a list."""
    meta = frame.meta
    if isinstance(key, FrameBase):
        return _series_key(frame, key.expr)
    if isinstance(key, pd.Grouper):
        return _grouper_key(frame, key, alone=alone)
    if isinstance(key, (pd.Series, np.ndarray, pd.Index, pd.Categorical)):
        operand: FrameExpr = as_operand(key if isinstance(key, pd.Series) else pd.Series(key), frame)
        return operand
    if isinstance(key, dict) or (callable(key) and not _is_label(frame, key)):
        function = key.get if isinstance(key, dict) else key
        found = meta_from_data(mapped_labels, labelled(frame), [], {"function": function})
        return MappedIndex(labelled(frame), function, found.dtype)
    if not isinstance(key, Hashable):
        raise TypeError(f"rows cannot be grouped by a {type(key).__name__}")
    places = np.flatnonzero([label == key for label in meta.columns])
    if len(places) > 1:
        raise ValueError(f"Grouper for '{key}' not 1-dimensional")
    names = list(index_of(meta).names)
    if len(places) == 1:
        if key in names and key is not None:
            raise ValueError(f"'{key}' is both an index level and a column label, which is ambiguous.")
        return int(places[0])
    if key is not None and key in names:
        return IndexLevel(labelled(frame), names.index(key))
    raise no_label(key, meta.columns)


def _series_key(frame: FrameExpr, series: FrameExpr) -> int | FrameExpr:
    if isinstance(series.meta, pd.Index):
        if series.rows != frame.rows:
            raise ValueError("Grouper and axis must be same length: group by an index of the rows of this frame")
        return index_as_series(series)
    if isinstance(series.meta, pd.DataFrame):
        raise ValueError("Grouper for a DataFrame not 1-dimensional")
    if isinstance(series, Project) and series.frame == frame and len(series.wanted.columns) == 1:
        position = series.wanted.columns[0]
        if frame.meta.columns[position] == series.meta.name:
            return position
    return series


def _grouper_key(frame: FrameExpr, grouper: pd.Grouper, *, alone: bool) -> int | FrameExpr:
    if grouper.key is not None:
        found = _key(frame, grouper.key)
    else:
        found = IndexLevel(labelled(frame), _level_number(frame.meta, grouper.level or 0))
    if grouper.freq is None:
        return found
    times = column(frame, found) if isinstance(found, int) else found
    return spans_of(times, grouper, all_of_them=alone)


def _level_number(meta: Any, level: Any) -> int:
    index = index_of(meta)
    number: int = index._get_level_number(level) if isinstance(index, pd.MultiIndex) else 0
    if not isinstance(index, pd.MultiIndex):
        index._validate_index_level(level)
    return number


def _has_codes(dtype: Any) -> bool:
    return isinstance(dtype, pd.CategoricalDtype) and not is_unknown_categorical(dtype)


def typical(column: pd.Series) -> pd.Series:
    """Numbers of which pandas, which fits results into the dtype of the values if it can, gives no narrower results."""
    dtype = column.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "iu":
        most = np.iinfo(dtype).max
        return pd.Series(np.array([most, 1, most], dtype), column.index, name=column.name)
    if isinstance(dtype, np.dtype) and dtype.kind == "f":
        return pd.Series(np.array([0.1, 0.7, 0.3], dtype), column.index, name=column.name)
    return column
