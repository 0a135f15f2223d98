"""The plan of a merge: of which columns of either side the result is made, its meta, and how keys are compared.

Made once from two metas and pandas' arguments; what pandas raises for them is raised here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_integer_dtype, is_numeric_dtype

from restride.collections.dataframe.meta import column_dtypes, has_default_index, level_dtypes
from restride.collections.dataframe.operations.merge.keys import AsKey, comparable
from restride.collections.dataframe.operations.merge.tracing import Source, Trace, trace

FILTERING = {"semi": "semi", "leftsemi": "semi", "left_semi": "semi", "anti": "anti", "leftanti": "anti"}
"""Joins that pandas does not have: rows of the left side that have a partner, or none, with its columns alone."""
ANTI = {"left_anti": "left", "right_anti": "right"}
"""Joins of pandas that keep rows without a partner alone, with the columns of both."""


UNIQUE = {
    "one_to_one": ("left", "right"), "1:1": ("left", "right"), "one_to_many": ("left",), "1:m": ("left",),
    "many_to_one": ("right",), "m:1": ("right",), "many_to_many": (), "m:m": (),
}  # fmt: skip
"""For each way to validate a merge the sides whose keys must be unique."""


@dataclass(frozen=True)
class Output:
    """A column of the result, or a level of its index."""

    source: Source
    """Places among the columns of a partition: data columns, then levels of the index."""
    dtype: Any
    """pandas' dtype in the result."""
    lacks: bool
    """Whether rows may have no value because the side that it is from has no such row."""


@dataclass(frozen=True)
class MergePlan:
    """What there is to know of a merge but for the data."""

    how: str
    """``inner left right outer semi anti left_anti right_anti``."""
    meta: pd.DataFrame
    columns: tuple[Output, ...]
    levels: tuple[Output, ...]
    left_keys: tuple[int, ...]
    right_keys: tuple[int, ...]
    as_left: tuple[AsKey, ...]
    as_right: tuple[AsKey, ...]
    indicator: bool = False
    """Whether a last column tells where each row is from."""
    unique: tuple[str, ...] = ()
    """The sides whose keys must be unique."""

    @property
    def outputs(self) -> tuple[Output, ...]:
        return self.columns + self.levels

    @property
    def asks(self) -> str:
        """The side whose order the rows are in."""
        return "right" if self.how in ("right", "right_anti") else "left"

    def used(self, side: str) -> set[int]:
        """The places of a side's columns that the result, or the comparison of keys, needs."""
        keys = self.left_keys if side == "left" else self.right_keys
        places = [output.source.left if side == "left" else output.source.right for output in self.outputs]
        return {*keys, *(place for place in places if place is not None)}

    def moved(self, left: Mapping[int, int], right: Mapping[int, int]) -> MergePlan:
        """The same plan where columns have other places."""

        def at(output: Output) -> Output:
            source = output.source
            return replace(
                output,
                source=Source(
                    None if source.left is None else left[source.left],
                    None if source.right is None else right[source.right],
                ),
            )

        return replace(
            self,
            columns=tuple(map(at, self.columns)),
            levels=tuple(map(at, self.levels)),
            left_keys=tuple(left[place] for place in self.left_keys),
            right_keys=tuple(right[place] for place in self.right_keys),
        )


def plan_merge(left: pd.DataFrame, right: pd.DataFrame, how: str, arguments: Mapping[str, Any]) -> MergePlan:
    """Plan a merge of two metas.

    Parameters
    ----------
    left, right : empty DataFrame
        An index that a result may show has to be stored: where one side's index is used, neither has a default one.
    how : str
    arguments : mapping
        ``on left_on right_on left_index right_index suffixes indicator validate`` as for `pandas.merge`.

    Raises
    ------
    ValueError, KeyError, pandas.errors.MergeError
        As `pandas.merge` for frames of these metas.
    """
    kind = FILTERING.get(how, how)
    pandas_how = ANTI.get(kind, "inner" if kind in ("semi", "anti") else kind)
    traced = {name: value for name, value in arguments.items() if name not in ("indicator", "validate")}
    try:
        made = pd.merge(left, right, how=pandas_how, **dict(arguments))
    except KeyError as error:
        labels = [list(side.columns) for side in (left, right)]
        error.add_note(f"the left side has the columns {labels[0]}, the right side {labels[1]}")
        raise
    traces = trace(left, right, pandas_how, traced)
    left_dtypes, right_dtypes = _dtypes(left), _dtypes(right)
    for a, b, name in zip(traces.left_keys, traces.right_keys, _key_names(left, arguments)):
        _check_kinds(left_dtypes[a], right_dtypes[b], name)
    pairs = [comparable(left_dtypes[a], right_dtypes[b]) for a, b in zip(traces.left_keys, traces.right_keys)]
    of_indexes = len(pairs) == 1 and bool(arguments.get("left_index") and arguments.get("right_index"))
    if of_indexes:
        pairs = [(replace(a, labels=True), replace(b, labels=True)) for a, b in pairs]

    def output(source: Source, dtype: Any) -> Output:
        return _output(source, dtype, pandas_how, left_dtypes, right_dtypes)

    indicator = bool(arguments.get("indicator"))
    dtypes = list(made.dtypes)[: len(traces.columns)]
    columns = [output(source, dtype) for source, dtype in zip(traces.columns, dtypes, strict=True)]
    for a, b in _shared(traces, left, right):
        i = list(made.columns).index(left.columns[a])
        columns[i] = replace(columns[i], dtype=_key_dtype(left_dtypes[a], right_dtypes[b], columns[i], pandas_how))
    levels = [output(source, _source_dtype(source, left_dtypes, right_dtypes)) for source in traces.levels]
    if of_indexes and kind in ("inner", "outer"):
        common = _common_dtype(left_dtypes[traces.left_keys[0]], right_dtypes[traces.right_keys[0]])
        levels = [replace(level, dtype=common) for level in levels]
    if kind in ("semi", "anti"):
        keep = [i for i, one in enumerate(columns) if one.source.left is not None][: left.shape[1]]
        columns = [columns[i] for i in keep]
        made, indicator = _with_labels(made.iloc[:, keep], left), False
    return MergePlan(
        kind,
        _typed(made, columns, levels, traces.names),
        tuple(columns),
        tuple(levels),
        traces.left_keys,
        traces.right_keys,
        tuple(a for a, _ in pairs),
        tuple(b for _, b in pairs),
        indicator,
        UNIQUE[arguments.get("validate") or "m:m"],
    )


def _dtypes(meta: pd.DataFrame) -> list[Any]:
    index = meta.index
    levels = [index.dtype] if has_default_index(meta) else level_dtypes(meta)
    return [*column_dtypes(meta), *levels]


def _shared(traces: Trace, left: pd.DataFrame, right: pd.DataFrame) -> list[tuple[int, int]]:
    """The keys that are columns of one label on both sides."""
    keys = [(a, b) for a, b in zip(traces.left_keys, traces.right_keys) if a < left.shape[1] and b < right.shape[1]]
    return [(a, b) for a, b in keys if left.columns[a] == right.columns[b]]


def _source_dtype(source: Source, left: Sequence[Any], right: Sequence[Any]) -> Any:
    return left[source.left] if source.left is not None else right[source.right or 0]


def _key_names(left: pd.DataFrame, arguments: Mapping[str, Any]) -> list[Any]:
    names = arguments.get("on") or arguments.get("left_on") or arguments.get("right_on")
    if names is None:
        return list(left.columns) if not arguments.get("left_index") else list(left.index.names)
    return list(names) if isinstance(names, list) else [names] * 2


def _check_kinds(left: Any, right: Any, name: Any) -> None:
    """Strings and numbers have no keys in common; pandas looks at values to know them, and there are none here."""
    kinds = [str(dtype) for dtype in (left, right)]
    numeric = [pd.api.types.is_numeric_dtype(dtype) and not is_bool_dtype(dtype) for dtype in (left, right)]
    text = [isinstance(dtype, pd.StringDtype) for dtype in (left, right)]
    if (numeric[0] and text[1]) or (text[0] and numeric[1]):
        raise ValueError(
            f"You are trying to merge on {kinds[0]} and {kinds[1]} columns for key {name!r}. "
            "If you wish to proceed you should use pd.concat"
        )


def _output(source: Source, dtype: Any, how: str, left: Sequence[Any], right: Sequence[Any]) -> Output:
    if source.left is not None and source.right is not None:
        one, two = left[source.left], right[source.right]
        return Output(source, _common_dtype(one, two), False)
    lacks = how in ("right", "outer") if source.right is None else how in ("left", "outer")
    own = _source_dtype(source, left, right)
    # Of frames without rows pandas takes the other side's dtype of a key where it takes this side's values.
    if own != dtype and all(isinstance(one, np.dtype) or is_numeric_dtype(one) for one in (own, dtype)):
        dtype = _common_dtype(own, dtype)
    return Output(source, promoted(dtype) if lacks else dtype, lacks)


def promoted(dtype: Any) -> Any:
    """The dtype that a column of pandas gets when rows without a value join it."""
    if isinstance(dtype, np.dtype):
        if is_bool_dtype(dtype):
            return np.dtype(object)
        if is_integer_dtype(dtype):
            return np.dtype(np.float64)
    return dtype


def _key_dtype(left: Any, right: Any, output: Output, how: str) -> Any:
    """The dtype of a key that both sides have by one label."""
    if how in ("right", "outer") or all(getattr(dtype, "kind", "") == "M" for dtype in (left, right)):
        return _common_dtype(left, right)
    return output.dtype


def _common_dtype(one: Any, two: Any) -> Any:
    if one == two:
        return one
    one, two = (dtype.categories.dtype if isinstance(dtype, pd.CategoricalDtype) else dtype for dtype in (one, two))
    return pd.concat([pd.Series([], dtype=one), pd.Series([], dtype=two)]).dtype


def _with_labels(made: pd.DataFrame, left: pd.DataFrame) -> pd.DataFrame:
    labels = left.columns[: made.shape[1]]
    return made.set_axis(labels, axis=1)


def _typed(
    made: pd.DataFrame, columns: Sequence[Output], levels: Sequence[Output], names: Sequence[Any]
) -> pd.DataFrame:
    """The meta with the dtypes of outputs; an indicator after them stays."""
    index: pd.Index = pd.RangeIndex(0)
    if len(levels) > 1:
        index = pd.MultiIndex.from_arrays([pd.Index([], dtype=one.dtype) for one in levels], names=list(names))
    elif levels:
        index = pd.Index([], dtype=levels[0].dtype, name=names[0])
    data = {i: pd.Series([], dtype=one.dtype) for i, one in enumerate(columns)}
    data |= {i: made.iloc[:, i].reset_index(drop=True) for i in range(len(columns), made.shape[1])}
    meta = pd.DataFrame(data).set_axis(index, axis=0) if data else pd.DataFrame(index=index)
    return meta.set_axis(made.columns, axis=1)
