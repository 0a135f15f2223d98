"""The meta of files with Arrow schemas: one dtype a column for all files, in pandas' terms."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa

from restride.collections.dataframe.io.parquet.hive import HiveColumn
from restride.errors import SchemaError

DtypeBackend = str | None
"""``None``, ``"numpy_nullable"`` or ``"pyarrow"``, as for pandas."""

NULLABLE = {
    pa.int8(): pd.Int8Dtype(), pa.int16(): pd.Int16Dtype(), pa.int32(): pd.Int32Dtype(), pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(), pa.uint16(): pd.UInt16Dtype(), pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(), pa.bool_(): pd.BooleanDtype(), pa.float32(): pd.Float32Dtype(),
    pa.float64(): pd.Float64Dtype(), pa.string(): pd.StringDtype(), pa.large_string(): pd.StringDtype(),
}  # fmt: skip


class ColumnFacts(Protocol):
    """What there is to know of files of Arrow columns, or tables in memory."""

    @property
    def schemas(self) -> Sequence[pa.Schema]:
        """One a file."""

    @property
    def total_rows(self) -> int:
        """Of all files."""

    def has_nulls(self, name: str) -> bool:
        """Whether a value of a column is missing anywhere, or the column itself."""

    def dictionaries(self, name: str) -> list[pa.Array]:
        """The dictionaries of a column, in the order of its rows."""


@dataclass(frozen=True)
class Source:
    """Where a column of the frame, or a level of its index, comes from."""

    name: str
    """Of the column in the files, or of the directories' key, or of the default index in pandas' metadata."""
    kind: str = "file"
    """``"file"``, ``"hive"``, or ``"range"`` for an index that counts the rows."""


@dataclass(frozen=True)
class DatasetSchema:
    """What the files hold, as a frame."""

    meta: pd.DataFrame
    columns: tuple[Source, ...]
    levels: tuple[Source, ...]
    range_start: int = 0
    range_step: int = 1
    """Of an index that counts the rows otherwise than a default one."""

    @property
    def sources(self) -> tuple[Source, ...]:
        return self.columns + self.levels


@dataclass(frozen=True)
class _FileSchema:
    """What files of one schema hold."""

    schema: pa.Schema
    place: str
    """What people call the first of them."""
    dtypes: dict[str, Any]
    """By the name of the column in the file."""
    columns: list[str]
    levels: list[str]
    frame: pd.DataFrame


def dataset_schema(
    places: Sequence[str],
    facts: ColumnFacts,
    hive: Sequence[HiveColumn] = (),
    *,
    columns: Sequence[Hashable] | None = None,
    index: Any = None,
    dtype_backend: DtypeBackend = None,
) -> DatasetSchema:
    """The schema of a data set, of which `columns` are read; see `restride.dataframe.read_parquet`.

    Parameters
    ----------
    places : sequence of str
        What people call each file.
    facts : ColumnFacts
    hive : sequence of HiveColumn
    columns, index, dtype_backend
        As for `read_parquet`.

    Raises
    ------
    SchemaError
        A column has dtypes in two files that pandas would not join to one but `object`, or the files have different
        indexes; the message names the files.
    ValueError
        A column that is asked for is in no file.
    """
    kinds = _distinct(places, facts.schemas, dtype_backend, index)
    hidden = {column.name for column in hive}
    levels = kinds[0].levels
    names = list(dict.fromkeys(name for kind in kinds for name in kind.columns if name not in hidden))
    labels: dict[str, Any] = {}
    for kind in reversed(kinds):
        labels |= zip(kind.columns, kind.frame.columns)
    labels |= {column.name: column.name for column in hive}
    all_names = [*names, *(column.name for column in hive)]
    wanted = _chosen(all_names, labels, columns, levels, index, places[0])

    dtypes: dict[str, Any] = {column.name: column.dtype for column in hive}
    for name in [*wanted, *levels]:
        if name not in dtypes:
            dtypes[name] = _dtype_of(name, kinds, facts)
    frame = _empty_frame(kinds[0].frame, wanted, labels, dtypes)
    sources = tuple(Source(name, "hive" if name in hidden else "file") for name in wanted)
    schema = DatasetSchema(frame, sources, ())
    rows = facts.total_rows if len(places) == 1 else None
    return _with_index(schema, kinds[0], levels, dtypes, index, rows)


def _distinct(
    places: Sequence[str], schemas: Sequence[pa.Schema], backend: DtypeBackend, index: Any
) -> list[_FileSchema]:
    """The different schemas that files have, in the order of the files; all with the same index."""
    known: list[_FileSchema] = []
    seen: set[Any] = set()
    previous: pa.Schema | None = None
    for place, schema in zip(places, schemas):
        if previous is not None and schema.equals(previous, check_metadata=True):
            continue
        previous = schema
        signature = _signature(schema)
        if signature in seen:
            continue
        seen.add(signature)
        found = _file_schema(place, schema, backend, index)
        if known and found.levels != known[0].levels:
            raise ValueError(
                f"{place} has the index {found.levels}, {known[0].place} has {known[0].levels}: files of one "
                "data set have the same index; pass index=False to take no index from them"
            )
        known.append(found)
    return known


def _signature(schema: pa.Schema) -> Any:
    """What tells schemas apart: not how many rows the index of pandas counted."""
    columns = (schema.pandas_metadata or {}).get("columns", [])
    kinds = [(column.get("field_name"), column.get("numpy_type"), str(column.get("metadata"))) for column in columns]
    levels = [level for level in _index_columns(schema) if isinstance(level, str)]
    return tuple(schema.names), tuple(map(str, schema.types)), tuple(kinds), tuple(levels)


def _file_schema(place: str, schema: pa.Schema, backend: DtypeBackend, index: Any) -> _FileSchema:
    if len(set(schema.names)) < len(schema.names):
        double = next(name for name in schema.names if schema.names.count(name) > 1)
        raise ValueError(f"{place} has several columns called {double!r}, and they are read by name")
    if index is not None:
        schema = _without_index(schema)
    try:
        frame = schema.empty_table().to_pandas(types_mapper=types_mapper(backend))
    except (pa.ArrowException, TypeError, ValueError) as error:
        error.add_note(f"while making pandas dtypes of the columns of {place}")
        raise
    levels = [level for level in _index_columns(schema) if isinstance(level, str)]
    columns = [name for name in schema.names if name not in levels]
    dtypes = dict(zip(columns, frame.dtypes))
    dtypes |= {name: frame.index.get_level_values(i).dtype for i, name in enumerate(levels)}
    return _FileSchema(schema, place, dtypes, columns, levels, frame)


def types_mapper(backend: DtypeBackend) -> Callable[[pa.DataType], Any] | None:
    """What pandas makes of Arrow types with a `dtype_backend`; None for the default."""
    if backend == "numpy_nullable":
        return NULLABLE.get
    return pd.ArrowDtype if backend == "pyarrow" else None


def _index_columns(schema: pa.Schema) -> list[Any]:
    """What pandas says of the index: names of columns, or a dict for a range."""
    metadata = schema.pandas_metadata or {}
    return list(metadata.get("index_columns", []))


def _without_index(schema: pa.Schema) -> pa.Schema:
    metadata = schema.pandas_metadata
    if not metadata:
        return schema
    text = json.dumps(metadata | {"index_columns": []})
    return schema.with_metadata({**(schema.metadata or {}), b"pandas": text.encode()})


def _chosen(
    names: list[str],
    labels: dict[str, Hashable],
    columns: Sequence[Hashable] | None,
    levels: list[str],
    index: Any,
    place: str,
) -> list[str]:
    """The columns to read, by name, with those that the user makes the index of."""
    if columns is None:
        return names
    by_label = {label: name for name, label in labels.items()} | {name: name for name in names}
    missing = [label for label in columns if label not in by_label and label not in levels]
    if missing:
        raise ValueError(f"{place} has no columns {missing}; it has {[labels[name] for name in names]}")
    chosen = [by_label[label] for label in columns if label in by_label]
    chosen += [by_label[label] for label in _index_labels(index) if label in by_label]
    return list(dict.fromkeys(chosen))


def _index_labels(index: Any) -> list[Hashable]:
    if index is None or index is False:
        return []
    return list(index) if isinstance(index, (list, tuple)) else [index]


def _dtype_of(name: str, kinds: Sequence[_FileSchema], facts: ColumnFacts) -> Any:
    """The dtype of a column in the whole frame."""
    having = [kind for kind in kinds if name in kind.dtypes]
    dtypes = [kind.dtypes[name] for kind in having]
    fields = [kind.schema.field(name).type for kind in having]
    # A column of nothing but missing values, which are of every dtype.
    real = [dtype for dtype, field in zip(dtypes, fields) if not pa.types.is_null(field)] or dtypes[:1]
    if any(isinstance(dtype, pd.CategoricalDtype) for dtype in real):
        if not all(isinstance(dtype, pd.CategoricalDtype) for dtype in real):
            return pd.Series([], dtype="str").dtype
        return _with_categories(real[0], name, facts)
    dtype = real[0]
    for kind, other in zip(having, dtypes):
        if other in real and other != dtype:
            dtype = _common(name, dtype, other, having[0].place, kind.place)
    if isinstance(dtype, np.dtype) and dtype.kind in "biu" and facts.has_nulls(name):
        return np.dtype(object) if dtype.kind == "b" else np.dtype(np.float64)
    return dtype


def check_together(name: str, one: Any, other: Any, one_path: str, other_path: str) -> None:
    """Check that columns of two dtypes can be read as one.

    Raises
    ------
    SchemaError
        They cannot; the message names both places.
    """
    categorical = [isinstance(dtype, pd.CategoricalDtype) for dtype in (one, other)]
    if all(categorical):
        return
    plain = [dtype.categories.dtype if has else dtype for dtype, has in zip((one, other), categorical)]
    if object not in plain:  # of nothing but missing values, perhaps
        _common(name, plain[0], plain[1], one_path, other_path)
    if any(categorical) and plain[0] != plain[1]:
        raise SchemaError(f"column {name!r} is {one} in {one_path} and {other} in {other_path}: convert it with astype")


def _common(name: str, one: Any, other: Any, one_path: str, other_path: str) -> Any:
    both = pd.concat([pd.Series([], dtype=one), pd.Series([], dtype=other)]).dtype
    if both.kind == "O" and object not in (one, other) and isinstance(both, np.dtype):
        raise SchemaError(
            f"column {name!r} is {one} in {one_path} and {other} in {other_path}: pandas has no dtype for both but "
            "object. Write one of the files anew, or read them apart and convert with astype"
        )
    return both


def _with_categories(dtype: pd.CategoricalDtype, name: str, facts: ColumnFacts) -> pd.CategoricalDtype:
    """The dtype with the categories of all files, in the order in which they first occur."""
    found = facts.dictionaries(name)
    if not found:
        return pd.CategoricalDtype(pd.Index([], dtype="str"), ordered=dtype.ordered)
    categories = pa.chunked_array([one.cast(found[0].type) for one in found]).unique().drop_null()
    as_series = pa.table({"x": categories}).to_pandas()["x"]
    return pd.CategoricalDtype(pd.Index(as_series).rename(None), ordered=dtype.ordered)


def _empty_frame(
    first: pd.DataFrame, names: Sequence[str], labels: dict[str, Any], dtypes: dict[str, Any]
) -> pd.DataFrame:
    frame = pd.DataFrame({i: pd.Series([], dtype=dtypes[name]) for i, name in enumerate(names)})
    wanted = [labels[name] for name in names]
    if all(label in first.columns for label in wanted):
        frame.columns = first.columns[first.columns.get_indexer_for(pd.Index(wanted, dtype=first.columns.dtype))]
    elif isinstance(first.columns, pd.MultiIndex):
        frame.columns = pd.MultiIndex.from_tuples(wanted, names=first.columns.names)
    else:
        frame.columns = pd.Index(wanted, name=first.columns.name)
    frame.index = pd.RangeIndex(0)
    return frame


def _with_index(
    schema: DatasetSchema,
    first: _FileSchema,
    levels: list[str],
    dtypes: dict[str, Any],
    index: Any,
    rows: int | None,
) -> DatasetSchema:
    """The schema with the index that pandas' metadata or the user names; `rows` of the one file, if it is one."""
    meta = schema.meta
    labels = _index_labels(index)
    if labels:
        columns: list[Hashable] = list(meta.columns)
        missing = [label for label in labels if label not in columns]
        if missing:
            raise ValueError(f"there are no columns {missing} to make the index of; there are {columns}")
        places = [columns.index(label) for label in labels]
        kept = [i for i in range(len(columns)) if i not in places]
        return DatasetSchema(
            meta.set_index(labels),
            tuple(schema.columns[i] for i in kept),
            tuple(schema.columns[i] for i in places),
        )
    if levels:
        names = list(first.frame.index.names)
        arrays = [pd.Index(pd.Series([], dtype=dtypes[level])) for level in levels]
        made = pd.MultiIndex.from_arrays(arrays, names=names) if len(arrays) > 1 else arrays[0].rename(names[0])
        return replace(schema, meta=meta.set_axis(made, axis=0), levels=tuple(map(Source, levels)))
    return schema if index is not None else _with_range(schema, first, meta, rows)


def _with_range(schema: DatasetSchema, first: _FileSchema, meta: pd.DataFrame, rows: int | None) -> DatasetSchema:
    """The index of a single file that counts its rows in its own way; of several files only its name."""
    ranges = [level for level in _index_columns(first.schema) if isinstance(level, dict) and level["kind"] == "range"]
    if len(ranges) != 1:
        return schema
    found = ranges[0]
    if rows is not None and len(range(found["start"], found["stop"], found["step"])) != rows:
        return schema
    name = found.get("name")
    if rows is None or (found["start"] == 0 and found["step"] == 1):
        return replace(schema, meta=meta.set_axis(pd.RangeIndex(0, name=name), axis=0))
    return replace(
        schema,
        meta=meta.set_axis(pd.Index([], dtype="int64", name=name), axis=0),
        levels=(Source("", "range"),),
        range_start=found["start"],
        range_step=found["step"],
    )
