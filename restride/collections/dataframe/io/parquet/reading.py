"""The kernel that reads a partition of a Parquet data set: some row groups of some files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from restride.collections.dataframe.io.conform import absent, conform, constant, to_series
from restride.collections.dataframe.io.files import DataFile, FileSystem
from restride.collections.dataframe.io.parquet.footers import footer_of, not_parquet
from restride.collections.dataframe.io.predicates import Filters, names_in, rows_that_hold
from restride.collections.dataframe.io.schema import Source
from restride.collections.dataframe.layout import CODES, layout_of
from restride.collections.dataframe.meta import column_dtypes, level_dtypes
from restride.collections.dataframe.partition import Partition, concat, from_pandas, table_of


@dataclass(frozen=True)
class Piece:
    """Some row groups of one file."""

    file: DataFile
    groups: tuple[int, ...]
    rows: int
    first_row: int
    """The number of the piece's first row, counted through the data set."""
    hive: tuple[int, ...]
    """The code of each partition column's value."""


@dataclass(frozen=True)
class ReadPartition:
    """Kernel: a partition, given its number and its pieces."""

    system: FileSystem
    meta: Any
    sources: tuple[Source, ...]
    """For each data column and then each level of the index where it comes from."""
    as_codes: tuple[str, ...]
    """Columns of strings that are read as codes into a dictionary."""
    hive: tuple[tuple[str, Any], ...]
    """Name and dtype of each partition column."""
    filters: Filters
    """Rows that satisfy none of these are left out; () for all rows."""
    range_start: int
    range_step: int
    __name__ = "read_parquet"

    def __call__(self, param: tuple[int, Sequence[Piece]]) -> Partition:
        number, pieces = param
        parts = []
        for piece in pieces:
            try:
                parts.append(self._read(piece))
            except Exception as error:
                groups = ", ".join(map(str, piece.groups))
                place = self.system.shown(piece.file.path)
                error.add_note(f"while reading row groups {groups} of {place} for partition {number}")
                raise
        return concat(parts, self.meta)

    def _read(self, piece: Piece) -> Partition:
        names = [source.name for source in self.sources if source.kind == "file"]
        hive = dict(self.hive)
        names += [name for name in names_in(self.filters) if name not in hive]
        have = footer_of(self.system, piece.file).leaves
        names = [name for name in dict.fromkeys(names) if name in have]
        raw = self._columns(piece, names) if names else {}
        dtypes = [*column_dtypes(self.meta), *level_dtypes(self.meta)]
        chosen = self._chosen(raw, piece) if self.filters else None
        n = piece.rows if chosen is None else len(chosen)
        if chosen is not None and n < piece.rows:
            raw = {name: column.take(pa.array(chosen)) for name, column in raw.items()}
        if layout_of(self.meta).opaque:
            return self._opaque(raw, dtypes, piece, n, chosen)
        made = [self._column(source, dtype, raw, piece, n, chosen) for source, dtype in zip(self.sources, dtypes)]
        n_columns = len(column_dtypes(self.meta))
        return table_of(made[:n_columns], made[n_columns:], n)

    def _columns(self, piece: Piece, names: list[str]) -> dict[str, pa.ChunkedArray]:
        """Columns of the piece as the file gives them."""
        path, place = piece.file.path, self.system.shown(piece.file.path)
        footer = footer_of(self.system, piece.file)
        as_codes = [name for name in self.as_codes if name in names]
        try:
            if self.system.remote is None:
                _check_unchanged(piece.file, os.stat(path).st_size, str(os.stat(path).st_mtime_ns))
                with pq.ParquetFile(
                    path, metadata=footer.metadata, read_dictionary=as_codes, pre_buffer=False
                ) as opened:
                    table = _row_groups(opened, piece, names)
            else:
                with self.system.open(path) as raw:
                    _check_unchanged(piece.file, int(getattr(raw, "size", piece.file.size)), piece.file.version)
                    with pq.ParquetFile(
                        raw, metadata=footer.metadata, read_dictionary=as_codes, pre_buffer=True
                    ) as opened:
                        table = _row_groups(opened, piece, names)
        except FileNotFoundError as error:
            raise FileNotFoundError(f"{place} is gone since the frame was made of it") from error
        except (pa.ArrowException, OSError) as error:
            raise not_parquet(place, error) from error
        if table.num_rows != piece.rows:
            raise ValueError(f"{place} gave {table.num_rows} rows where its footer tells of {piece.rows}")
        return {name: table.column(name) for name in names}

    def _chosen(self, raw: dict[str, pa.ChunkedArray], piece: Piece) -> np.ndarray:
        columns = dict(raw)
        for (name, dtype), code in zip(self.hive, piece.hive):
            value = None if code < 0 else dtype.categories[code]
            columns[name] = pa.array(pd.Series([value] * piece.rows))
        for name in names_in(self.filters):
            if name not in columns:
                columns[name] = pa.nulls(piece.rows)
        return rows_that_hold(columns, piece.rows, self.filters)

    def _column(
        self, source: Source, dtype: Any, raw: dict[str, Any], piece: Piece, n: int, chosen: np.ndarray | None
    ) -> pa.ChunkedArray:
        if source.kind == "hive":
            return constant(self._hive_code(source.name, piece), n, CODES)
        if source.kind == "range":
            return pa.chunked_array([pa.array(self._numbers(piece, n, chosen))])
        if source.name in raw:
            return conform(raw[source.name], dtype, source.name)
        return absent(n, dtype)

    def _opaque(
        self, raw: dict[str, Any], dtypes: list[Any], piece: Piece, n: int, chosen: np.ndarray | None
    ) -> Partition:
        made: list[Any] = []
        for source, dtype in zip(self.sources, dtypes):
            if source.kind == "hive":
                codes = np.full(n, self._hive_code(source.name, piece))
                made.append(pd.Categorical.from_codes(codes, dtype=dtype))
            elif source.kind == "range":
                made.append(self._numbers(piece, n, chosen))
            elif source.name in raw:
                made.append(to_series(raw[source.name], dtype, source.name))
            else:
                made.append(pd.Series([None] * n, dtype=dtype))
        n_columns = len(column_dtypes(self.meta))
        frame = pd.DataFrame(dict(enumerate(made[:n_columns])), index=pd.RangeIndex(n))
        frame.columns = self.meta.columns
        if len(made) > n_columns:
            index = self.meta.index
            arrays = made[n_columns:]
            frame.index = (
                pd.MultiIndex.from_arrays(arrays, names=index.names)
                if isinstance(index, pd.MultiIndex)
                else pd.Index(arrays[0], dtype=dtypes[-1], name=index.name)
            )
        else:
            frame.index.name = self.meta.index.name
        return from_pandas(frame, self.meta)

    def _hive_code(self, name: str, piece: Piece) -> int:
        return piece.hive[[key for key, _ in self.hive].index(name)]

    def _numbers(self, piece: Piece, n: int, chosen: np.ndarray | None) -> np.ndarray:
        rows = np.arange(n) if chosen is None else chosen
        return self.range_start + self.range_step * (piece.first_row + rows)


def _row_groups(file: pq.ParquetFile, piece: Piece, names: list[str]) -> pa.Table:
    if len(piece.groups) == file.num_row_groups:
        return file.read(columns=names, use_threads=False)
    return file.read_row_groups(list(piece.groups), columns=names, use_threads=False)


def _check_unchanged(file: DataFile, size: int, version: str) -> None:
    if (size, version) != (file.size, file.version):
        raise ValueError(f"{file.path} has changed since the frame was made of it: read it again")
