"""Aggregates of a grouping as expressions: by the kernels where these have them, otherwise by pandas."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from restride.collections.dataframe.expr import FrameExpr, Wanted
from restride.collections.dataframe.groupby.grouping import Grouping, typical
from restride.collections.dataframe.groupby.specs import Aggregation as Custom
from restride.collections.dataframe.groupby.specs import Asked, Output
from restride.collections.dataframe.kernels.aggregates import Aggregate, Source, states_of
from restride.collections.dataframe.kernels.group_tree import Aggregation
from restride.collections.dataframe.layout import arrow_type
from restride.collections.dataframe.meta import column_dtypes, is_unknown_categorical
from restride.collections.dataframe.methods.partitions import meta_from_data
from restride.collections.dataframe.operations.groupby.aggregate import group_aggregate
from restride.collections.dataframe.operations.groupby.groups_of_rows import groups_of_rows
from restride.collections.dataframe.operations.groupby.levels import IndexLevel
from restride.collections.dataframe.operations.groupby.pandas_groups import PandasKeys
from restride.collections.dataframe.operations.places import Rearrange
from restride.collections.dataframe.operations.reductions import one_row
from restride.collections.dataframe.operations.rowwise import Assign, labelled
from restride.collections.dataframe.operations.selection import narrow

LABELS = ("idxmin", "idxmax")
ROWS = ("rows", True)
"""Option of a size that is that of rows, whatever column there is."""


def aggregated(grouping: Grouping, asked: Asked, split_out: int | None) -> FrameExpr:
    """The aggregates that are asked for, with the keys as the index, or as columns in front of the others."""
    meta = result_meta(grouping, asked)
    if any(output.function in LABELS for output in asked.outputs):
        grouping = with_labels(grouping)
    as_columns = not grouping.as_index
    aggregates = [kernel_of(grouping, output, dtype) for output, dtype in zip(asked.outputs, column_dtypes(meta))]
    used = sorted({*grouping.keys, *(output.column for output in asked.outputs)})
    opaque = narrow(grouping.frame, Wanted(tuple(used), False)).layout.opaque
    if opaque or None in aggregates:
        return by_pandas(grouping, asked, meta, as_columns=as_columns)
    n_keys = len(grouping.keys)
    aggregation = Aggregation(grouping.kernel_keys, tuple(a for a in aggregates if a is not None))
    picks = tuple(range(n_keys, n_keys + len(aggregates)))
    if as_columns:
        return group_aggregate(
            grouping.frame, aggregation, with_key_columns(grouping, meta), (*range(n_keys), *picks), (), split_out
        )
    return group_aggregate(grouping.frame, aggregation, meta, picks, tuple(range(n_keys)), split_out)


def by_pandas(grouping: Grouping, asked: Asked, meta: Any, *, as_columns: bool) -> FrameExpr:
    """The aggregates that kernels do not have, of whole groups."""
    columns = tuple(sorted({output.column for output in asked.outputs}))
    places = tuple((columns.index(output.column), output) for output in asked.outputs)
    function = AggregateEach(places, asked.columns is None)
    frame = labelled(grouping.frame) if _looks_at_labels(asked) else grouping.frame
    result = groups_of_rows(frame, grouping.by, columns, function, meta)
    if not as_columns:
        return result
    new = with_key_columns(grouping, meta)
    n_keys = len(grouping.keys)
    n_columns = new.shape[1] - n_keys
    return Rearrange(result, (*range(n_columns, n_columns + n_keys), *range(n_columns)), (), new)


def _looks_at_labels(asked: Asked) -> bool:
    return any(not isinstance(output.function, str) or output.function in LABELS for output in asked.outputs)


@dataclass(frozen=True)
class AggregateEach:
    """Aggregates of columns by pandas, for `pandas_groups`."""

    outputs: tuple[tuple[int, Output], ...]
    """For each its column, by its number among those that are grouped."""
    as_series: bool
    __name__ = "agg"

    def __call__(self, by: PandasKeys, value: pd.DataFrame, values: Sequence[int]) -> Any:
        made = [_aggregate(by, value, values[place], output) for place, output in self.outputs]
        if self.as_series:
            return made[0].rename(self.outputs[0][1].label)
        return pd.DataFrame(dict(enumerate(made)))


def _aggregate(by: PandasKeys, value: pd.DataFrame, column: int, output: Output) -> pd.Series:
    grouped = by.grouped(value, [column] if ROWS in output.options else column)
    options = {name: value for name, value in output.options if (name, value) != ROWS}
    if isinstance(output.function, Custom):
        return _custom(grouped, by, output.function)
    if output.function == "list":
        return grouped.agg(list)
    if isinstance(output.function, str):
        return getattr(grouped, str(output.function))(*output.args, **options)
    return grouped.agg(output.function, *output.args, **options)


def _custom(grouped: Any, by: PandasKeys, custom: Custom) -> pd.Series:
    """A reduction of the user's from partial results, of which there is one of each group."""
    levels = list(range(len(by.keys)))
    options = {"sort": by.sort, "observed": True, "dropna": by.dropna}

    def by_levels(series: pd.Series) -> Any:
        return series.groupby(level=levels if len(levels) > 1 else 0, **options)

    parts = custom.chunk(grouped)
    parts = custom.agg(*(by_levels(p) for p in parts)) if isinstance(parts, tuple) else custom.agg(by_levels(parts))
    if custom.finalize is None:
        return parts
    return custom.finalize(*parts) if isinstance(parts, tuple) else custom.finalize(parts)


def with_labels(grouping: Grouping) -> Grouping:
    """The same grouping with the labels of rows as one more column."""
    frame = labelled(grouping.frame)
    if frame.layout.n_levels > 1:
        return grouping
    position = frame.layout.n_columns
    frame = Assign(frame, (position,), ("__label__",), (IndexLevel(frame, 0),))
    return replace(grouping, frame=frame, labels=position)


def result_meta(grouping: Grouping, asked: Asked) -> Any:
    """The meta of aggregates, the keys in the index; raises as pandas does where a column has no such aggregate."""
    index = grouping.index_meta()
    dtypes = [
        _dtype_by_pandas(grouping, output) if isinstance(output.function, str) else _dtype_from_data(grouping, output)
        for output in asked.outputs
    ]
    series = [pd.Series([], dtype=dtype) for dtype in dtypes]
    if asked.columns is None:
        return pd.Series(series[0].array, index=index, name=asked.outputs[0].label)
    frame = pd.DataFrame({i: one.array for i, one in enumerate(series)}, index=index)
    frame.columns = asked.columns
    return frame


def _dtype_from_data(grouping: Grouping, output: Output) -> Any:
    """The dtype of what a user's function makes, of the first partition that has rows."""
    made = meta_from_data(_aggregate_one, grouping.rows_in_groups, [], {"by": grouping.by, "output": output})
    return made.dtype


def _aggregate_one(value: pd.DataFrame, by: PandasKeys, output: Output) -> pd.Series:
    return _aggregate(by, by.some_groups(value), output.column, output)


def _dtype_by_pandas(grouping: Grouping, output: Output) -> Any:
    """The dtype of what pandas makes of a column of rows made up."""
    if output.function in LABELS:
        return _made_of(grouping.sample([output.column]).iloc[:, 0], output).dtype
    dtype = column_dtypes(grouping.frame.meta)[output.column]
    known = _dtypes if _is_hashable((dtype, output.args, output.options)) else _dtypes.__wrapped__
    return known(dtype, replace(output, label=None, column=0), grouping.kernel_keys.observed)


def _is_hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


@lru_cache(maxsize=1000)  # pandas takes 0.6 ms to tell
def _dtypes(dtype: Any, output: Output, observed: bool) -> Any:
    result = _made_of(typical(one_row(pd.Series([], dtype=dtype)).iloc[[0, 0, 0]]), output)
    empty_groups = not observed and output.function in ("min", "max", "first", "last", "median")
    plain = isinstance(result.dtype, np.dtype) and result.dtype.kind in "iub"
    if plain and (empty_groups or dict(output.options).get("min_count", 0) > 1):
        return object if result.dtype.kind == "b" else float
    return result.dtype


def _made_of(column: pd.Series, output: Output) -> pd.Series:
    # Sorted keys would give other dtypes.
    grouped = (column.to_frame() if ROWS in output.options else column).groupby(np.array([1, 0, 1]))
    if output.function == "list":
        return grouped.agg(list)
    options = {name: value for name, value in output.options if (name, value) != ROWS}
    result: pd.Series = getattr(grouped, str(output.function))(*output.args, **options)
    return result


def kernel_of(grouping: Grouping, output: Output, dtype: Any) -> Aggregate | None:
    """The aggregate of the kernels that an output is; None if there is none."""
    if not isinstance(output.function, str) or output.args or output.function == "list":
        return None
    source = source_of(grouping, output.column)
    if source is None:
        return None
    plain = isinstance(column_dtypes(grouping.frame.meta)[output.column], np.dtype) and is_plain_number(source.kind)
    if output.function == "unique" and not plain:
        return None  # an array of pandas' own for each group
    options = {name: value for name, value in output.options if name != "rows"}
    aggregate = states_of(output.function, source, **options)
    return None if aggregate is None else typed(aggregate, dtype)


def source_of(grouping: Grouping, column: int) -> Source | None:
    """A column as kernels see it; None if they cannot."""
    dtype = column_dtypes(grouping.frame.meta)[column]
    kind = grouping.frame.layout.columns[column]
    if kind is None or (isinstance(dtype, pd.CategoricalDtype) and is_unknown_categorical(dtype)):
        return None
    labels = (grouping.labels,) if grouping.labels is not None else ()
    return Source(column, kind, isinstance(dtype, pd.CategoricalDtype), labels)


def is_plain_number(kind: pa.DataType) -> bool:
    """Whether numpy holds values of a type as numbers."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def typed(aggregate: Aggregate, dtype: Any) -> Aggregate:
    """The same, of the type that holds a pandas dtype."""
    kind = arrow_type(dtype)
    nullable = not isinstance(dtype, np.dtype)
    return replace(aggregate, kind=kind, nullable=nullable, codes=isinstance(dtype, pd.CategoricalDtype))


def with_key_columns(grouping: Grouping, meta: Any) -> pd.DataFrame:
    """The meta of a result with the keys as its first columns, and numbered rows."""
    frame = meta.to_frame() if isinstance(meta, pd.Series) else meta
    n_keys = len(grouping.keys)
    columns: dict[int, Any] = {}
    for i, dtype in enumerate(grouping.key_dtypes):
        columns[i] = pd.Series([], dtype=dtype)
    for i in range(frame.shape[1]):
        columns[n_keys + i] = frame.iloc[:, i].set_axis(pd.RangeIndex(0))
    new = pd.DataFrame(columns, index=pd.RangeIndex(0))
    new.columns = _with_names(grouping.names, frame.columns)
    return new


def _with_names(names: Sequence[Hashable], columns: pd.Index) -> pd.Index:
    given = [f"level_{i}" if name is None and len(names) > 1 else "index" if name is None else name
             for i, name in enumerate(names)]  # fmt: skip
    if isinstance(columns, pd.MultiIndex):
        full = [name if isinstance(name, tuple) else (name, *[""] * (columns.nlevels - 1)) for name in given]
        return pd.MultiIndex.from_tuples([*full, *columns], names=columns.names)
    if not len(columns):
        return pd.Index(given)
    return pd.Index([*given, *columns], name=columns.name, tupleize_cols=False)
