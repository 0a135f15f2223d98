"""Between partitions and pandas objects, both ways, exactly.

To pandas costs next to nothing for numbers, which stay where they are, and 0.2 ms for 500,000 strings; the way back the
same. Only the labels of an index are made anew each time, and only where somebody looks at them.
"""

from __future__ import annotations

import reprlib
from collections.abc import Hashable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from restride.collections.dataframe.kernels.grouping import group
from restride.collections.dataframe.kernels.taking import without_dictionary
from restride.collections.dataframe.layout import arrow_type, canonical_names, is_string, layout_of
from restride.collections.dataframe.meta import (
    Meta,
    column_dtypes,
    has_default_index,
    index_of,
    is_frame_like,
    is_unknown_categorical,
    labels_of,
    level_dtypes,
    series_of,
)
from restride.errors import SchemaError

Partition = Any
"""A `pyarrow.Table`, or a pandas object where the frame is opaque."""
Column = Any
"""A `pyarrow.ChunkedArray` or `pyarrow.Array`."""
_BYTES_FOR_THREADS = 1 << 24
"""Bytes of columns from which it pays to convert them in several threads."""
ROWS = "rows"
"""Name of the column of nulls that a partition has where there is nothing else."""


def n_rows(partition: Partition) -> int:
    """How many rows a partition has."""
    return partition.num_rows if isinstance(partition, pa.Table) else len(partition)


def to_pandas(partition: Partition, meta: Meta, *, index: bool = True, writable: bool = False) -> Any:
    """The pandas object that a partition stands for.

    Parameters
    ----------
    partition : pyarrow.Table or pandas object
    meta : Meta
    index : bool
        Whether rows get their labels; otherwise they are numbered, and so they are where the index is a default one.
    writable : bool
        Whether the object must be the caller's own; otherwise its numbers are memory of the table.

    Returns
    -------
    DataFrame, Series or Index
    """
    if not isinstance(partition, pa.Table):
        if writable:
            partition = partition.copy()
        if isinstance(partition, pd.Index):
            return partition
        return _numbered(partition, meta) if index else partition.set_axis(pd.RangeIndex(len(partition)), axis=0)
    dtypes = column_dtypes(meta)
    n = partition.num_rows
    if isinstance(meta, pd.Index):
        return index_to_pandas(partition, meta)
    labels = index_to_pandas(partition, meta) if index else pd.RangeIndex(n)
    if isinstance(meta, pd.Series):
        values = column_to_pandas(partition.column(0), dtypes[0], writable=writable)
        return pd.Series(values, labels, name=meta.name, copy=False)
    columns = _columns_to_pandas(partition.columns[: len(dtypes)], dtypes, writable=writable)
    frame = pd.DataFrame(dict(enumerate(columns)), index=labels, copy=False)
    frame.columns = meta.columns
    return frame


def index_to_pandas(partition: Partition, meta: Meta) -> pd.Index:
    """The index of a partition's rows; they are numbered from 0 if the index is a default one."""
    if isinstance(partition, pd.Index):
        return partition
    empty = index_of(meta)
    if has_default_index(meta):
        return pd.RangeIndex(n_rows(partition), name=empty.name)
    if not isinstance(partition, pa.Table):
        return partition.index
    first = len(column_dtypes(meta))
    dtypes = level_dtypes(meta)
    if isinstance(empty, pd.MultiIndex):
        made = [_labels_and_codes(partition.column(first + i), dtype) for i, dtype in enumerate(dtypes)]
        levels, codes = zip(*made)
        return pd.MultiIndex(levels, codes, names=empty.names, verify_integrity=False)
    return _labels(partition.column(first), dtypes[0]).rename(empty.name)


def _labels(column: Column, dtype: Any) -> pd.Index:
    """A column as an index; categories that are not known are those that occur."""
    values = column_to_pandas(column, dtype)
    return pd.Index(values, dtype=None if is_unknown_categorical(dtype) else dtype, copy=False)


def _labels_and_codes(column: Column, dtype: Any) -> tuple[pd.Index, Any]:
    """The different labels of a level, sorted, and which of these each row has, -1 for a missing one.

    Integers in a range address a table, and so do strings that differ in few bits; pandas, which has to do for what is
    none of these, takes ten times as long.
    """
    plain = isinstance(dtype, np.dtype) and dtype.kind in "iumM"
    if not plain and not is_string(column.type):
        made = pd.MultiIndex.from_arrays([column_to_pandas(column, dtype)])
        return made.levels[0], made.codes[0]
    groups = group([column], order="key")
    labels = _labels(groups.keys[0], dtype)
    return labels, np.where(groups.codes == groups.n, -1, groups.codes) if column.null_count else groups.codes


def from_pandas(value: Any, meta: Meta, *, rows_of: Partition = None, rows_meta: Meta | None = None) -> Partition:
    """The partition that stands for a pandas object.

    Parameters
    ----------
    value : DataFrame, Series or Index
        Of meta's kind and number of columns. A column of another dtype is cast if that loses nothing.
    meta : Meta
    rows_of, rows_meta : partition and Meta, optional
        A partition of the same rows, whose index is taken instead of the object's.

    Raises
    ------
    SchemaError
        A column does not have meta's dtype, and cannot be cast to it.
    """
    if layout_of(meta).opaque:
        value = _numbered(_typed(value, meta), meta)
        if rows_of is not None and not isinstance(value, pd.Index):
            return value.set_axis(index_to_pandas(rows_of, rows_meta if rows_meta is not None else meta), axis=0)
        return value
    columns = [] if isinstance(meta, pd.Index) else _columns_from_pandas(value, meta)
    if has_default_index(meta):
        levels = []
    elif isinstance(rows_of, pa.Table):
        assert rows_meta is not None
        levels = levels_of(rows_of, rows_meta)
    else:
        known = meta if rows_meta is None else rows_meta
        index = index_of(value) if rows_of is None else index_to_pandas(rows_of, known)
        levels = _levels_from_pandas(index, meta)
    return table_of(columns, levels, len(value))


def check_kind(value: Any, meta: Meta) -> None:
    """Check that what a function of the user's made is what was declared, but for dtypes; some microseconds.

    Raises
    ------
    SchemaError
        It is of another kind, or has other columns or others first.
    """
    kind = next(kind for kind in (pd.DataFrame, pd.Series, pd.Index) if isinstance(meta, kind))
    if not isinstance(value, kind) and not (is_frame_like(value) and not len(value)):
        raise SchemaError(
            f"expected a {kind.__name__}, as meta says or the first partition was, got {type(value).__name__}"
        )
    # Of no rows pandas makes what it can: apply(axis=1) gives the frame itself.
    if isinstance(meta, pd.DataFrame) and len(value) and not value.columns.equals(meta.columns):
        raise SchemaError(
            f"expected {len(meta.columns)} columns {labels_of(meta)}, as meta says or the first partition had them, "
            f"got {labels_of(value)}: return those, in this order, or declare others by meta="
        )


def from_results(value: Any, meta: Meta) -> Partition:
    """A partition of results, of which integers may be missing: nulls then, which are floats in pandas."""
    columns = series_of(value)
    lacking = [
        i
        for i, (column, dtype) in enumerate(zip(columns, column_dtypes(meta)))
        if isinstance(dtype, np.dtype) and dtype.kind in "iu" and column.isna().any()
    ]
    if not lacking or layout_of(meta).opaque:
        return from_pandas(value, meta) if not lacking else value
    filled = {i: column.fillna(0) if i in lacking else column for i, column in enumerate(columns)}
    whole = filled[0] if isinstance(value, pd.Series) else pd.DataFrame(filled).set_axis(value.columns, axis=1)
    table = from_pandas(whole, meta)
    for i in lacking:
        kind = arrow_type(column_dtypes(meta)[i])
        table = table.set_column(i, table.field(i).name, pa.array(columns[i], kind, from_pandas=True))
    return table


def table_of(columns: Sequence[Column], levels: Sequence[Column], n: int) -> pa.Table:
    """A partition of `n` rows with these data columns and levels of the index.

    Where there are neither, it has a column of nulls, as a table without columns has no rows.
    """
    if not columns and not levels:
        return pa.Table.from_arrays([pa.nulls(n)], names=[ROWS])
    return pa.Table.from_arrays([*columns, *levels], names=canonical_names(len(columns), len(levels)))


def columns_of(table: pa.Table, meta: Meta) -> list[pa.ChunkedArray]:
    """The data columns of a partition."""
    return table.columns[: len(column_dtypes(meta))]


def levels_of(table: pa.Table, meta: Meta) -> list[pa.ChunkedArray]:
    """The levels of the index of a partition's rows, as they are stored."""
    first = len(column_dtypes(meta))
    return table.columns[first : first + len(level_dtypes(meta))]


def column_to_pandas(column: Column, dtype: Any, *, writable: bool = False) -> Any:
    """A column as what pandas makes series of: a numpy array, or an array of an extension dtype."""
    if isinstance(dtype, np.dtype):
        values = column.to_numpy() if isinstance(column, pa.ChunkedArray) else column.to_numpy(zero_copy_only=False)
        return values.copy() if writable and not values.flags.writeable else values
    if isinstance(dtype, pd.CategoricalDtype):
        if is_unknown_categorical(dtype):
            return pd.Categorical(column_to_pandas(column, dtype.categories.dtype), ordered=dtype.ordered)
        return pd.Categorical.from_codes(column.to_numpy(), dtype=dtype, validate=False)
    if not _is_dictionary(dtype):
        column = without_dictionary(column)
    if isinstance(dtype, pd.ArrowDtype):
        column = pc.cast(column, dtype.pyarrow_dtype)
    return dtype.__from_arrow__(column)


def _columns_to_pandas(columns: Sequence[Column], dtypes: Sequence[Any], *, writable: bool) -> Iterable[Any]:
    """Columns as `column_to_pandas` has them, each.

    Where the caller is to have many bytes for its own, as many threads as Arrow has copy them: two take 73 ms for seven
    columns of 10 million rows, where one takes 131; a second or 1.6 s into memory fresh from the system.
    """
    convert = partial(column_to_pandas, writable=writable)
    if not writable or sum(column.nbytes for column in columns) < _BYTES_FOR_THREADS:
        return map(convert, columns, dtypes)
    with ThreadPoolExecutor(min(pa.cpu_count(), len(columns)), thread_name_prefix="restride-to-pandas") as pool:
        return pool.map(convert, columns, dtypes)


def column_from_pandas(values: Any, dtype: Any) -> Column:
    """A series or array of a dtype as an Arrow column."""
    if isinstance(dtype, pd.CategoricalDtype):
        categorical = pd.Categorical(values, dtype=None if is_unknown_categorical(dtype) else dtype)
        if is_unknown_categorical(dtype):
            return column_from_pandas(np.asarray(categorical), dtype.categories.dtype)
        return pa.array(np.asarray(categorical.codes, np.int32))
    # Not of the series itself: numpy asks it for attributes, which pandas looks for among all labels.
    array = values.array if isinstance(values, (pd.Series, pd.Index)) else values
    if isinstance(dtype, np.dtype):
        return pa.array(np.asarray(array))
    kind = arrow_type(dtype)
    column = pa.array(array, from_pandas=True)
    return column if column.type == kind else pc.cast(column, kind)


def concat(partitions: Sequence[Partition], meta: Meta) -> Partition:
    """Partitions of one frame, one below the other; Arrow columns are not copied."""
    if len(partitions) == 1:
        return partitions[0]
    if not partitions:
        return from_pandas(meta, meta)
    if not isinstance(partitions[0], pa.Table):
        return _numbered(_typed(_concat_pandas(list(partitions), meta), meta), meta)
    return concat_tables(partitions)


def concat_tables(tables: Sequence[pa.Table]) -> pa.Table:
    """Tables of one layout, one below the other; dictionaries of strings become one, or none if not all have one."""
    first = tables[0].schema
    if all(table.schema.equals(first) for table in tables):
        table = pa.concat_tables(tables)
    else:
        decoded = [i for i, kind in enumerate(first.types) if is_string(kind)]
        table = pa.concat_tables([_decoded(table, decoded) for table in tables])
    return table.unify_dictionaries() if any(map(pa.types.is_dictionary, table.schema.types)) else table


def _decoded(table: pa.Table, positions: Sequence[int]) -> pa.Table:
    for i in positions:
        table = table.set_column(i, table.field(i).name, without_dictionary(table.column(i)))
    return table


def _concat_pandas(values: list[Any], meta: Meta) -> Any:
    # Frames without rows would have a say in the dtype.
    filled = [value for value in values if len(value)] or values[:1]
    unknown = [i for i, dtype in enumerate(level_dtypes(meta)) if is_unknown_categorical(dtype)]
    if isinstance(values[0], pd.Index):
        filled = _of_all_categories(filled) if unknown else filled
        return filled[0].append(filled[1:])
    if unknown:
        indexes = _levels_of_all_categories([value.index for value in filled], unknown)
        filled = [value.set_axis(index, axis=0) for value, index in zip(filled, indexes)]
    if isinstance(meta, pd.Series):
        if is_unknown_categorical(meta.dtype):
            filled = _of_all_categories(filled)
        return pd.concat(filled)
    for i in [i for i, dtype in enumerate(meta.dtypes) if is_unknown_categorical(dtype)]:
        columns = _of_all_categories([value.iloc[:, i] for value in filled])
        filled = [value.copy(deep=False) for value in filled]
        for value, column in zip(filled, columns):
            value.isetitem(i, column)
    return pd.concat(filled)


def _levels_of_all_categories(indexes: list[pd.Index], unknown: list[int]) -> list[pd.Index]:
    if not isinstance(indexes[0], pd.MultiIndex):
        return _of_all_categories(indexes)
    levels = [[index.get_level_values(i) for index in indexes] for i in range(indexes[0].nlevels)]
    for i in unknown:
        levels[i] = _of_all_categories(levels[i])
    return [pd.MultiIndex.from_arrays(arrays) for arrays in zip(*levels)]


def _of_all_categories(columns: list[Any]) -> list[Any]:
    """Series or indexes of categories that each found for itself, as of those of all."""
    columns = [one.astype("category") for one in columns]
    some = [one.array for one in columns if len(one.array.categories)] or [columns[0].array]
    every = pd.api.types.union_categoricals(some)
    try:
        dtype = pd.CategoricalDtype(every.categories.sort_values(), every.ordered)
    except TypeError:  # such as 1 and "a", which have no order in pandas either
        dtype = every.dtype
    return [one.astype(dtype) for one in columns]


def _columns_from_pandas(value: Any, meta: Meta) -> list[Column]:
    dtypes = column_dtypes(meta)
    series = [value] if isinstance(meta, pd.Series) else [value.iloc[:, i] for i in range(value.shape[1])]
    if len(series) != len(dtypes):
        raise SchemaError(
            f"expected {len(dtypes)} columns {labels_of(meta)}, got {len(series)}: {list(map(str, value.columns))}"
        )
    return [
        column_from_pandas(_cast(one, dtype, label), dtype)
        for one, dtype, label in zip(series, dtypes, labels_of(meta))
    ]


def _levels_from_pandas(index: pd.Index, meta: Meta) -> list[Column]:
    dtypes = level_dtypes(meta)
    if index.nlevels != len(dtypes):
        raise SchemaError(f"expected an index of {len(dtypes)} levels, got one of {index.nlevels}")
    return [
        column_from_pandas(_cast(index.get_level_values(i), dtype, f"index level {i}"), dtype)
        for i, dtype in enumerate(dtypes)
    ]


def _typed(value: Any, meta: Meta) -> Any:
    """An object with each column of meta's dtype."""
    if isinstance(meta, pd.DataFrame):
        wrong = [i for i, (have, want) in enumerate(zip(value.dtypes, meta.dtypes)) if have != want]
        if value.shape[1] != meta.shape[1]:
            raise SchemaError(f"expected {meta.shape[1]} columns {list(meta.columns)}, got {list(value.columns)}")
        if wrong:
            columns = {i: value.iloc[:, i] for i in range(meta.shape[1])}
            columns |= {i: _cast(columns[i], meta.dtypes.iloc[i], meta.columns[i]) for i in wrong}
            value = pd.DataFrame(columns, index=value.index)
        return value.set_axis(meta.columns, axis=1)
    return _cast(value, meta.dtype, meta.name).rename(meta.name) if not isinstance(meta, pd.MultiIndex) else value


def _numbered(value: Any, meta: Meta) -> Any:
    """An object whose rows are numbered from 0, where meta's are."""
    if not has_default_index(meta):
        return value
    return value.set_axis(pd.RangeIndex(len(value), name=index_of(meta).name), axis=0)


def _cast(values: Any, dtype: Any, label: Hashable) -> Any:
    """A series or index as one of a dtype, if no value changes by it."""
    if values.dtype == dtype or is_unknown_categorical(dtype):
        return values
    foreign = isinstance(dtype, pd.CategoricalDtype) and not values.dropna().isin(dtype.categories).all()
    if foreign or not _convertible(values.dtype, dtype):
        raise SchemaError(_mismatch(values, dtype, label))
    try:
        cast = values.astype(dtype)
        same = len(values) == 0 or values.dtype == object or _same_values(values, cast)
    except (TypeError, ValueError, OverflowError) as error:
        raise SchemaError(_mismatch(values, dtype, label)) from error
    if not same:
        raise SchemaError(_mismatch(values, dtype, label))
    return cast


def _convertible(have: Any, want: Any) -> bool:
    """Whether values of a dtype may stand for those of another: numbers for numbers, dates for dates."""
    kinds = [
        "number" if pd.api.types.is_numeric_dtype(d) or pd.api.types.is_bool_dtype(d)
        else "text" if isinstance(d, pd.StringDtype)
        else "date" if pd.api.types.is_datetime64_any_dtype(d)
        else "duration" if pd.api.types.is_timedelta64_dtype(d)
        else "any"
        for d in (have, want)
    ]  # fmt: skip
    return kinds[0] == kinds[1] or "any" in kinds


def _same_values(values: Any, cast: Any) -> bool:
    lost = values.isna()
    return bool((lost == cast.isna()).all()) and bool((values[~lost] == cast[~lost].astype(values.dtype)).all())


def _mismatch(values: Any, dtype: Any, label: Hashable) -> str:
    have, want = values.dtype, dtype
    if isinstance(have, pd.CategoricalDtype) and isinstance(want, pd.CategoricalDtype):
        have, want = (f"category of {reprlib.repr(list(one.categories))}" for one in (have, want))
    what = "a series without a name" if label is None else f"column {label!r}"
    return f"{what} is of dtype {have} here, where the frame has {want}; declare it by meta=, or convert it with astype"


def _is_dictionary(dtype: Any) -> bool:
    return isinstance(dtype, pd.ArrowDtype) and pa.types.is_dictionary(dtype.pyarrow_dtype)
