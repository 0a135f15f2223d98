"""Arrow tables in and out: what other libraries have and take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd
import pyarrow as pa

from restride.collections.blocks import Blocks
from restride.collections.collection import Collection
from restride.collections.dataframe.base import FrameBase, new_collection
from restride.collections.dataframe.creation import LEAST_PARTITIONS, PARTITION_BYTES, from_pandas
from restride.collections.dataframe.expr import FrameExpr, unknown_divisions
from restride.collections.dataframe.io.conform import conform
from restride.collections.dataframe.io.parquet.writing import to_file
from restride.collections.dataframe.io.schema import DtypeBackend, dataset_schema, types_mapper
from restride.collections.dataframe.layout import layout_of
from restride.collections.dataframe.meta import column_dtypes, has_default_index, labels_of, level_dtypes
from restride.collections.dataframe.operations.sources import FromMemory, even_bounds
from restride.collections.dataframe.partition import Partition, table_of, to_pandas
from restride.collections.expression import Expr, tokenize


@dataclass(frozen=True, eq=False, repr=False)
class ToArrow(Expr):
    """Each partition as a table with labels for names, missing values null, categories beside their codes."""

    frame: FrameExpr

    @property
    def label(self) -> str:
        return "to_arrow"

    def blocks(self, *children: Blocks) -> Blocks:
        return self.frame.by_partition(ArrowTable(self.frame.meta, tuple(arrow_names(self.frame.meta))), *children)


@dataclass(frozen=True)
class ArrowTable:
    """Kernel: a partition as a table that others understand."""

    meta: Any
    names: tuple[str, ...]
    __name__ = "to_arrow"

    def __call__(self, partition: Partition) -> pa.Table:
        if isinstance(partition, pa.Table):
            dtypes = [*column_dtypes(self.meta), *level_dtypes(self.meta)]
            columns = [to_file(partition.column(i), dtype) for i, dtype in enumerate(dtypes)]
            return pa.Table.from_arrays(columns, names=list(self.names))
        value = to_pandas(partition, self.meta)
        frame = value.to_frame() if not isinstance(value, pd.DataFrame) else value
        index = None if not has_default_index(self.meta) else False
        table = pa.Table.from_pandas(frame, preserve_index=index).replace_schema_metadata()
        return table.rename_columns(list(self.names))


class _ToTable(Collection):
    """A frame as something whose value is a table."""

    def __init__(self, frame: FrameExpr) -> None:
        self.frame = frame
        self.expr = ToArrow(frame)

    def _computation(self, *, here: bool) -> tuple[Expr, Callable[[list[Any]], Any]]:
        return self.expr, lambda tables: pa.concat_tables(tables, promote_options="permissive")


def arrow_table(frame: FrameBase) -> pa.Table:
    """A frame, series or index computed, as a table; see `DataFrame.to_arrow`."""
    table: pa.Table = _ToTable(frame.expr).compute()
    return table


def arrow_names(meta: Any) -> list[str]:
    """The names of columns, and of the levels of the index that are stored, as text."""
    names = [str(label) for label in labels_of(meta)]
    if has_default_index(meta):
        return names
    index = meta if isinstance(meta, pd.Index) else meta.index
    return names + [f"__index_level_{i}__" if name is None else str(name) for i, name in enumerate(index.names)]


class TableFacts:
    """What there is to know of a table in memory."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    @cached_property
    def schemas(self) -> list[pa.Schema]:
        return [self.table.schema]

    @property
    def total_rows(self) -> int:
        return int(self.table.num_rows)

    def has_nulls(self, name: str) -> bool:
        """Whether a value of a column is missing."""
        return bool(self.table.column(name).null_count)

    def dictionaries(self, name: str) -> list[pa.Array]:
        """The dictionaries of a column."""
        return [chunk.dictionary for chunk in self.table.column(name).chunks]


def from_arrow(data: Any, npartitions: int | None = None, *, dtype_backend: DtypeBackend = None) -> Any:
    """A frame of a table of any library that gives its data by the Arrow PyCapsule interface.

    Columns that partitions have as Arrow does are not copied.

    Parameters
    ----------
    data : pyarrow.Table, polars.DataFrame, duckdb relation, or the like
        What has ``__arrow_c_stream__``, or ``__arrow_c_array__``. It must not be changed afterwards.
    npartitions : int, optional
        How many partitions, of about equal numbers of rows.
    dtype_backend : {"numpy_nullable", "pyarrow"}, optional
        Which dtypes to use, as for pandas.

    Returns
    -------
    DataFrame

    Raises
    ------
    TypeError
        `data` gives no Arrow data.

    Examples
    --------
    >>> import pyarrow as pa
    >>> import restride.dataframe as rd
    >>> rd.from_arrow(pa.table({"x": [1, 2], "y": ["a", "b"]})).compute()
       x  y
    0  1  a
    1  2  b
    """
    table = _as_table(data)
    schema = dataset_schema(["the table"], TableFacts(table), dtype_backend=dtype_backend)
    if layout_of(schema.meta).opaque or any(source.kind == "range" for source in schema.sources):
        return from_pandas(table.to_pandas(types_mapper=types_mapper(dtype_backend)), npartitions)
    dtypes = [*column_dtypes(schema.meta), *level_dtypes(schema.meta)]
    columns = [conform(table.column(source.name), dtype, source.name) for source, dtype in zip(schema.sources, dtypes)]
    n = len(schema.columns)
    whole = table_of(columns[:n], columns[n:], table.num_rows)
    bounds = even_bounds(table.num_rows, min(npartitions or _npartitions(table), max(table.num_rows, 1)))
    known = unknown_divisions(len(bounds) - 1)
    return new_collection(FromMemory(whole, schema.meta, tuple(bounds), known, tokenize(object())))


def _as_table(data: Any) -> pa.Table:
    if isinstance(data, pa.Table):
        return data
    if isinstance(data, pa.RecordBatchReader):
        return data.read_all()
    if not any(hasattr(data, name) for name in ("__arrow_c_stream__", "__arrow_c_array__")):
        raise TypeError(f"expected something with Arrow data (__arrow_c_stream__), got {type(data).__name__}")
    return pa.table(data)


def _npartitions(table: pa.Table) -> int:
    if table.nbytes < PARTITION_BYTES // LEAST_PARTITIONS or table.num_rows < LEAST_PARTITIONS:
        return 1
    return max(LEAST_PARTITIONS, -(-table.nbytes // PARTITION_BYTES))
