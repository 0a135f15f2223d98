"""meta: what is known of a frame without computing it, as an empty pandas object.

Its labels, dtypes, categories and names are those of the result. A default index, that counts all rows from 0, is an
empty `RangeIndex`; every other index is an empty index of its dtype.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeGuard

import pandas as pd

from restride.collections.dataframe.hints import no_label

Meta = Any
"""An empty `pandas.DataFrame`, `Series` or `Index`."""

UNKNOWN_CATEGORIES = "__UNKNOWN_CATEGORIES__"
"""The one category of a categorical dtype whose categories are only known when computed."""


def is_frame_like(value: Any) -> TypeGuard[Meta]:
    """Whether a value is one of pandas' labelled objects."""
    return isinstance(value, (pd.DataFrame, pd.Series, pd.Index))


def series_of(value: Any) -> list[pd.Series]:
    """The columns of a frame, or the one series, as series."""
    return [value] if isinstance(value, pd.Series) else [value.iloc[:, i] for i in range(value.shape[1])]


def meta_of(value: Meta) -> Meta:
    """The meta of an object in memory; an index that counts its rows from 0 is a default one."""
    if isinstance(value, pd.Index):
        return value.take([]) if not isinstance(value, pd.RangeIndex) else pd.Index([], dtype="int64", name=value.name)
    return with_index(value.take([]), index_meta(value.index))  # a slice would keep all values in memory


def index_meta(index: pd.Index) -> pd.Index:
    """The empty index that stands for an index of the data."""
    if isinstance(index, pd.RangeIndex):
        if is_default(index):
            return pd.RangeIndex(0, name=index.name)
        return pd.Index([], dtype="int64", name=index.name)
    return index.take([])


def is_default(index: pd.Index) -> bool:
    """Whether an index of data counts rows from 0, so that it need not be stored."""
    return isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1


def has_default_index(meta: Meta) -> bool:
    """Whether the rows have no labels but their numbers."""
    return _facts_of(meta).default_index


def with_index(meta: Meta, index: pd.Index) -> Meta:
    """The same meta over another empty index."""
    if isinstance(meta, pd.Index):
        return index
    return meta.set_axis(index, axis=0)


def column_dtypes(meta: Meta) -> tuple[Any, ...]:
    """The dtypes of the data columns in order; an index has none."""
    return _facts_of(meta).columns


def level_dtypes(meta: Meta) -> tuple[Any, ...]:
    """The dtypes of the levels of the index that are stored."""
    return _facts_of(meta).levels


class _Facts(NamedTuple):
    """What kernels ask of a meta."""

    meta: Meta
    columns: tuple[Any, ...]
    levels: tuple[Any, ...]
    default_index: bool
    by_name: dict[str, int]
    """Where columns are whose labels are strings, if no label is there twice."""


_MOST_FACTS = 1000
_facts: dict[int, _Facts] = {}
"""Of recent metas, by identity: pandas takes 0.1 ms to tell, as long as kernels take for 10,000 rows."""


def _facts_of(meta: Meta) -> _Facts:
    facts = _facts.get(id(meta))
    if facts is None or facts.meta is not meta:
        if len(_facts) >= _MOST_FACTS:
            _facts.clear()
        facts = _facts[id(meta)] = _facts_from(meta)
    return facts


def _facts_from(meta: Meta) -> _Facts:
    by_name: dict[str, int] = {}
    columns: tuple[Any, ...] = ()
    if isinstance(meta, pd.Index):
        index = meta
    elif isinstance(meta, pd.DataFrame):
        columns, index = tuple(meta.dtypes), meta.index
        if meta.columns.is_unique:
            by_name = {label: place for place, label in enumerate(meta.columns) if type(label) is str}
    else:
        columns, index = (meta.dtype,), meta.index
    if isinstance(index, pd.RangeIndex) and index is not meta:
        return _Facts(meta, columns, (), True, by_name)
    if isinstance(index, pd.MultiIndex):
        return _Facts(meta, columns, tuple(level.dtype for level in index.levels), False, by_name)
    return _Facts(meta, columns, (index.dtype,), False, by_name)


def index_of(meta: Meta) -> pd.Index:
    """The index of a meta, or itself if it is one."""
    return meta if isinstance(meta, pd.Index) else meta.index


def labels_of(meta: Meta) -> list[Hashable]:
    """The labels of the data columns in order."""
    if isinstance(meta, pd.DataFrame):
        return list(meta.columns)
    return [meta.name] if isinstance(meta, pd.Series) else []


def as_list(labels: Any) -> list[Any]:
    """Labels that are given as one, as several, or not at all."""
    if labels is None:
        return []
    return list(labels) if isinstance(labels, (list, tuple, pd.Index)) else [labels]


def positions_of(meta: pd.DataFrame, labels: Iterable[Hashable]) -> list[int]:
    """Where columns are, by label; several for a label that several columns have.

    Raises
    ------
    KeyError
        As pandas: a label that no column has.
    """
    positions: list[int] = []
    by_name = _facts_of(meta).by_name
    for label in labels:
        if type(label) is str and label in by_name:
            positions.append(by_name[label])
            continue
        found = meta.columns.get_indexer_for([label])
        if -1 in found:
            raise no_label(label, meta.columns)
        positions += found.tolist()
    return positions


def take_columns(meta: pd.DataFrame, positions: Sequence[int]) -> pd.DataFrame:
    """The meta of some columns, by position."""
    return meta.iloc[:, list(positions)]


def is_unknown_categorical(dtype: Any) -> bool:
    """Whether a dtype is a categorical one whose categories are not known yet."""
    return (
        isinstance(dtype, pd.CategoricalDtype)
        and dtype.categories is not None
        and len(dtype.categories) == 1
        and dtype.categories[0] == UNKNOWN_CATEGORIES
    )


def unknown_categorical(categories_dtype: Any, *, ordered: bool = False) -> pd.CategoricalDtype:
    """The dtype of categoricals whose categories, of some dtype, are not known."""
    text = isinstance(categories_dtype, pd.StringDtype)
    marker = pd.Index([UNKNOWN_CATEGORIES], dtype=categories_dtype if text else object)
    return pd.CategoricalDtype(marker, ordered=ordered)


def as_dtype(values: Any, dtype: Any) -> Any:
    """A series or index as one of a dtype; of categories that are not known, those that occur."""
    return values.astype(pd.CategoricalDtype(ordered=dtype.ordered) if is_unknown_categorical(dtype) else dtype)


def as_unknown(meta: Meta, found: Mapping[pd.CategoricalDtype, pd.CategoricalDtype]) -> Meta:
    """A meta with categories unknown that were `found` in some of the data, where unknown ones stand for these."""

    def dtype_of(have: Any) -> Any:
        for dtype, unknown in found.items():
            if isinstance(have, pd.CategoricalDtype) and have.categories.isin(dtype.categories).all():
                return unknown_categorical(unknown.categories.dtype, ordered=bool(have.ordered))
        return have

    levels = [pd.Index([], dtype=dtype_of(dtype)) for dtype in level_dtypes(meta)]
    index = index_of(meta)
    if len(levels) > 1:
        index = pd.MultiIndex.from_arrays(levels, names=index.names)
    elif levels and levels[0].dtype != index.dtype:
        index = levels[0].rename(index.name)
    if isinstance(meta, pd.Index):
        return index
    if isinstance(meta, pd.Series):
        return pd.Series([], index, dtype_of(meta.dtype), meta.name)
    columns = {i: pd.Series([], index, dtype_of(dtype)) for i, dtype in enumerate(meta.dtypes)}
    return pd.DataFrame(columns, index).set_axis(meta.columns, axis=1)


def describe(meta: Meta) -> tuple[Any, ...]:
    """A meta in plain values, equal for equal metas: what expressions are named by."""
    index = index_of(meta)
    frame = (type(meta).__name__, tuple(map(repr, labels_of(meta))), tuple(map(_dtype_text, column_dtypes(meta))))
    columns = meta.columns if isinstance(meta, pd.DataFrame) else None
    extra: tuple[str, ...] = ()
    if columns is not None:
        levels = columns.levels if isinstance(columns, pd.MultiIndex) else [columns]
        extra = (repr(list(columns.names)), type(columns).__name__, *(_dtype_text(level.dtype) for level in levels))
    return (*frame, *extra, type(index).__name__, repr(list(index.names)), *map(_dtype_text, level_dtypes(meta)))


def _dtype_text(dtype: Any) -> str:
    if isinstance(dtype, pd.CategoricalDtype):
        categories = [] if dtype.categories is None else dtype.categories
        return f"category[{dtype.ordered}]({getattr(categories, 'dtype', '')}: {list(categories)!r})"
    if isinstance(dtype, pd.StringDtype):
        return f"{dtype!r}[{dtype.storage}, {dtype.na_value!r}]"
    return str(dtype)
