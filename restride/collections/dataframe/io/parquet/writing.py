"""Parquet and Feather out: a file for each partition, with the metadata by which pandas reads the same frame."""

from __future__ import annotations

import io
import json
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import IO, Any, Literal, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import feather

from restride.collections.dataframe.io.folder import Folder
from restride.collections.dataframe.io.parquet.hive import hive_folder
from restride.collections.dataframe.kernels.taking import without_dictionary
from restride.collections.dataframe.meta import (
    column_dtypes,
    has_default_index,
    is_unknown_categorical,
    level_dtypes,
    positions_of,
)
from restride.collections.dataframe.partition import Partition, to_pandas
from restride.errors import SchemaError

Format = Literal["parquet", "feather"]


@dataclass(frozen=True)
class ParquetSink:
    """A directory of Parquet or Feather files."""

    folder: Folder
    meta: Any
    names: tuple[str, ...]
    """For each partition the name of its file, in the directory or in each of those of `partition_on`."""
    partition_on: tuple[int, ...]
    """Positions of the columns that directories are made of."""
    metadata: bytes
    """What pandas wants to know of the columns, as JSON; see `file_metadata`."""
    file_names: tuple[str, ...]
    """Of the columns and levels in the files, those of `partition_on` among them."""
    schema: pa.Schema | None
    """The types of the columns as the user wants them."""
    options: tuple[tuple[str, Any], ...]
    """For the function that writes a table."""
    format: Format = "parquet"

    @property
    def shown(self) -> str:
        return self.folder.shown

    def begin(self, *, here: bool) -> Self:
        return replace(self, folder=self.folder.begin(here=here))

    def write(self, number: int, first_row: int, partition: Partition) -> list[tuple[str, pa.Schema]]:
        """The files of one partition, and their schemas."""
        table = self._table(partition, first_row)
        written = []
        for folder, part in self._split(table, partition):
            name = f"{folder}{self.names[number]}"
            self._write(name, part)
            written.append((name, part.schema))
        return written

    def finish(self, results: list[list[tuple[str, pa.Schema]]]) -> None:
        self._unify([pair for written in results for pair in written])
        self.folder.finish()

    def discard(self) -> None:
        self.folder.discard()

    def _write(self, name: str, table: pa.Table) -> None:
        def write(file: IO[bytes]) -> None:
            function = pq.write_table if self.format == "parquet" else feather.write_feather
            function(table, file, **dict(self.options))

        self.folder.write(name, write)

    def _table(self, partition: Partition, first_row: int) -> pa.Table:
        """A partition as it is in files."""
        if not isinstance(partition, pa.Table):
            return self._table_of_pandas(partition, first_row)
        dtypes = [*column_dtypes(self.meta), *level_dtypes(self.meta)]
        arrays = [to_file(partition.column(i), dtype) for i, dtype in enumerate(dtypes)]
        if not arrays:
            table = pa.table({}).select([]) if partition.num_rows == 0 else _of_rows(partition.num_rows)
        else:
            table = pa.Table.from_arrays(arrays, names=list(self.file_names))
        if self.schema is not None:
            table = table.cast(_in_order(self.schema, table.schema))
        return table.replace_schema_metadata({b"pandas": self._metadata(partition.num_rows, first_row)})

    def _table_of_pandas(self, frame: Any, first_row: int) -> pa.Table:
        n = len(frame)
        if has_default_index(self.meta):
            frame = frame.set_axis(pd.RangeIndex(n), axis=0)
        index = not has_default_index(self.meta)
        if self.schema is not None and set(self.file_names) <= set(self.schema.names):
            table = pa.Table.from_pandas(frame, preserve_index=index, schema=self.schema)
        else:
            table = pa.Table.from_pandas(frame, preserve_index=index)
            table = table if self.schema is None else table.cast(_in_order(self.schema, table.schema))
        return table.replace_schema_metadata({b"pandas": self._metadata(n, first_row)})

    def _metadata(self, n: int, first_row: int) -> bytes:
        if not has_default_index(self.meta):
            return self.metadata
        metadata = json.loads(self.metadata)
        start = max(first_row, 0)
        for level in metadata["index_columns"]:
            level |= {"start": start, "stop": start + n, "step": 1}
        return json.dumps(metadata).encode()

    def _split(self, table: pa.Table, partition: Partition) -> list[tuple[str, pa.Table]]:
        """Parts of a partition by directory, in the order in which their first rows come."""
        if not self.partition_on:
            return [("", table)]
        keys = to_pandas(partition, self.meta, index=False).iloc[:, list(self.partition_on)]
        keys.columns = range(len(self.partition_on))
        groups = keys.groupby(list(keys.columns), sort=False, observed=True, dropna=False).indices
        rest = table.drop_columns([self.file_names[i] for i in self.partition_on])
        labels = [str(self.meta.columns[i]) for i in self.partition_on]
        parts = []
        for values, rows in groups.items():
            each = values if isinstance(values, tuple) else (values,)
            folder = "".join(f"{hive_folder(label, value)}/" for label, value in zip(labels, each))
            parts.append((folder, rest.take(pa.array(np.sort(rows)))))
        return parts

    def _unify(self, written: Sequence[tuple[str, pa.Schema]]) -> None:
        """Files of columns without any values are written again with the types that other files have.

        Raises
        ------
        SchemaError
            A column of objects has values of different types in two files.
        """
        kinds: dict[str, tuple[pa.DataType, str]] = {}
        for name, schema in written:
            for field in schema:
                if pa.types.is_null(field.type):
                    continue
                kind, first = kinds.setdefault(field.name, (field.type, name))
                if kind != field.type:
                    raise SchemaError(
                        f"column {field.name!r} holds {kind} in {first} and {field.type} in {name}: say which by "
                        f"schema=pa.schema([({field.name!r}, ...)]), or convert it with astype"
                    )
        for name, schema in written:
            unsure = [field.name for field in schema if pa.types.is_null(field.type) and field.name in kinds]
            if unsure:
                with self.folder.open(name) as file:
                    content = io.BytesIO(file.read())
                table = pq.read_table(content) if self.format == "parquet" else feather.read_table(content)
                for column in unsure:
                    at = table.schema.get_field_index(column)
                    table = table.set_column(at, column, pc.cast(table.column(at), kinds[column][0]))
                self._write(name, table)


def to_file(column: pa.ChunkedArray, dtype: Any) -> pa.ChunkedArray:
    """A column as files have it: missing values are null, categories beside their codes, strings as they are."""
    if isinstance(dtype, pd.CategoricalDtype) and not is_unknown_categorical(dtype):
        categories = pa.array(dtype.categories, from_pandas=True)
        chunks = [_decoded(chunk, categories, bool(dtype.ordered)) for chunk in column.chunks]
        kind = pa.dictionary(pa.int32(), categories.type, ordered=bool(dtype.ordered))
        return pa.chunked_array(chunks, kind)
    if isinstance(dtype, pd.CategoricalDtype):
        return column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    if isinstance(dtype, pd.ArrowDtype) and column.type != dtype.pyarrow_dtype:
        return pc.cast(column, dtype.pyarrow_dtype)
    if pa.types.is_dictionary(column.type) and not isinstance(dtype, pd.ArrowDtype):
        return without_dictionary(column)
    if isinstance(dtype, np.dtype) and dtype.kind == "f":
        missing = pc.is_nan(column)
        if pc.any(missing).as_py():
            return pc.if_else(missing, pa.scalar(None, column.type), column)
    return column


def _decoded(codes: pa.Array, categories: pa.Array, ordered: bool) -> pa.DictionaryArray:
    missing = pc.less(codes, 0)
    indices = pc.if_else(missing, pa.scalar(None, codes.type), codes)
    return pa.DictionaryArray.from_arrays(indices, categories, ordered=ordered)


def file_metadata(meta: Any) -> tuple[bytes, tuple[str, ...]]:
    """What pandas wants to know of a frame's columns and index, and their names in files.

    Raises
    ------
    ValueError
        Two columns have one name, as text.
    """
    index = None if has_default_index(meta) else True
    empty = pa.Table.from_pandas(meta, preserve_index=index)
    return empty.schema.metadata[b"pandas"], tuple(empty.schema.names)


def _of_rows(n: int) -> pa.Table:
    return pa.table({"": pa.nulls(n)}).select([])


def _in_order(wanted: pa.Schema, have: pa.Schema) -> pa.Schema:
    return pa.schema([wanted.field(f.name) if f.name in wanted.names else f for f in have], metadata=have.metadata)


def checked_partition_on(meta: pd.DataFrame, partition_on: Any) -> tuple[int, ...]:
    """Positions of columns to make directories of.

    Raises
    ------
    KeyError
        There is no such column.
    ValueError
        No column would be left.
    """
    if partition_on is None:
        return ()
    labels: list[Hashable] = list(partition_on) if isinstance(partition_on, (list, tuple)) else [partition_on]
    missing = [label for label in labels if label not in meta.columns]
    if missing:
        raise KeyError(f"{missing} not in columns {list(meta.columns)}")
    if len(labels) >= meta.shape[1]:
        raise ValueError(f"partition_on={labels} leaves no column for the files")
    return tuple(positions_of(meta, labels))


def parquet_sink(
    meta: pd.DataFrame,
    folder: Folder,
    names: Sequence[str],
    partition_on: tuple[int, ...],
    schema: pa.Schema | None,
    options: dict[str, Any],
    kind: Format = "parquet",
) -> ParquetSink:
    """Where and how to write a frame; raises what `file_metadata` does."""
    metadata, file_names = file_metadata(meta)
    return ParquetSink(
        folder, meta, tuple(names), partition_on, metadata, file_names, schema, tuple(sorted(options.items())), kind
    )
