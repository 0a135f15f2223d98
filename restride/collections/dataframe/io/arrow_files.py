"""Feather and ORC: files of Arrow columns, each read whole, or some columns of it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import IO, Any, Literal

import pandas as pd
import pyarrow as pa

from restride.collections.dataframe.base import new_collection
from restride.collections.dataframe.expr import Wanted, unknown_divisions
from restride.collections.dataframe.io.conform import absent, conform, to_series
from restride.collections.dataframe.io.files import DataFile, FileSystem, Options, find_files, in_parallel
from restride.collections.dataframe.io.parts import ReadParts
from restride.collections.dataframe.io.schema import Source, dataset_schema
from restride.collections.dataframe.layout import layout_of
from restride.collections.dataframe.meta import column_dtypes, level_dtypes
from restride.collections.dataframe.partition import table_of
from restride.collections.expression import tokenize

Format = Literal["feather", "orc"]


@dataclass(frozen=True)
class ArrowFiles:
    """How files of a format are read."""

    system: FileSystem
    format: Format

    def schema(self, file: DataFile) -> tuple[pa.Schema, int]:
        """The schema of a file, and how many rows it has."""
        with self.system.open(file.path) as opened:
            return self._guarded(file, _feather_schema if self.format == "feather" else _orc_schema, opened)

    def table(self, file: DataFile, names: Sequence[str]) -> pa.Table:
        """Columns of a file."""
        with self.system.open(file.path) as opened:
            return self._guarded(file, _feather_table if self.format == "feather" else _orc_table, opened, list(names))

    def _guarded(self, file: DataFile, function: Any, *args: Any) -> Any:
        try:
            return function(*args)
        except (pa.ArrowException, OSError) as error:
            place = self.system.shown(file.path)
            kind = {"feather": "Feather", "orc": "ORC"}[self.format]
            raise ValueError(
                f"{place} cannot be read as {kind}; it is damaged, cut short, or another kind of file: {error}"
            ) from error


def _feather_schema(file: IO[bytes]) -> tuple[pa.Schema, int]:
    options = pa.ipc.IpcReadOptions(included_fields=[0], use_threads=False)
    schema = pa.ipc.open_file(file).schema
    if not len(schema):
        return schema, 0
    reader = pa.ipc.open_file(file, options=options)
    return schema, sum(reader.get_batch(i).num_rows for i in range(reader.num_record_batches))


def _feather_table(file: IO[bytes], names: list[str]) -> pa.Table:
    schema = pa.ipc.open_file(file).schema
    fields = [schema.get_field_index(name) for name in names]
    options = pa.ipc.IpcReadOptions(included_fields=fields or [0], use_threads=False)
    return pa.ipc.open_file(file, options=options).read_all()


def _orc_schema(file: IO[bytes]) -> tuple[pa.Schema, int]:
    from pyarrow import orc

    opened = orc.ORCFile(file)
    return opened.schema, opened.nrows


def _orc_table(file: IO[bytes], names: list[str]) -> pa.Table:
    from pyarrow import orc

    opened = orc.ORCFile(file)
    return opened.read(columns=names or opened.schema.names[:1])


class ArrowFileFacts:
    """What there is to know of such files; of missing values and categories only the data tell."""

    def __init__(self, reader: ArrowFiles, files: Sequence[DataFile]) -> None:
        self.reader, self.files = reader, files

    @cached_property
    def known(self) -> list[tuple[pa.Schema, int]]:
        """Schema and number of rows of each file."""
        return in_parallel(self.reader.schema, self.files)

    @property
    def schemas(self) -> list[pa.Schema]:
        return [schema for schema, _ in self.known]

    @property
    def total_rows(self) -> int:
        return sum(rows for _, rows in self.known)

    def has_nulls(self, name: str) -> bool:
        """Whether a value of a column is missing anywhere."""
        if any(name not in schema.names for schema in self.schemas):
            return True
        return any(in_parallel(lambda file: bool(self.reader.table(file, [name]).column(name).null_count), self.files))

    def dictionaries(self, name: str) -> list[pa.Array]:
        """The dictionaries of a column."""
        having = [file for file, schema in zip(self.files, self.schemas) if name in schema.names]
        tables = in_parallel(lambda file: self.reader.table(file, [name]), having)
        return [chunk.dictionary for table in tables for chunk in table.column(name).chunks]


@dataclass(frozen=True)
class ArrowFileReader:
    """Reads files as partitions."""

    files: ArrowFiles
    meta: Any
    columns: tuple[Source, ...]
    levels: tuple[Source, ...]

    @property
    def word(self) -> str:
        return f"read_{self.files.format}"

    def read(self, part: DataFile, wanted: Wanted) -> Any:
        """A file as a partition of the wanted columns; as a frame where Arrow cannot hold them."""
        columns = [self.columns[i].name for i in wanted.columns]
        levels = [level.name for level in self.levels] if wanted.index else []
        dtypes = column_dtypes(self.meta)
        kinds = [*(dtypes[i] for i in wanted.columns), *(level_dtypes(self.meta) if wanted.index else ())]
        have = self.files.schema(part)[0].names
        table = self.files.table(part, [name for name in (*columns, *levels) if name in have])
        n = table.num_rows
        if not layout_of(self.meta).opaque:
            made = [
                conform(table.column(name), kind, name) if name in have else absent(n, kind)
                for name, kind in zip((*columns, *levels), kinds)
            ]
            return table_of(made[: len(columns)], made[len(columns) :], n)
        arrays = [
            to_series(table.column(name), kind, name) if name in have else pd.Series([None] * n, dtype=kind)
            for name, kind in zip((*columns, *levels), kinds)
        ]
        frame = pd.DataFrame(dict(enumerate(arrays[: len(columns)])), index=pd.RangeIndex(n))
        frame.columns = self.meta.columns[list(wanted.columns)]
        if levels:
            names = self.meta.index.names
            made_index = arrays[len(columns) :]
            frame.index = (
                pd.Index(made_index[0], name=names[0])
                if len(levels) == 1
                else pd.MultiIndex.from_arrays(made_index, names=names)
            )
        return frame


def read_feather(
    path: Any,
    columns: Sequence[Hashable] | None = None,
    *,
    dtype_backend: str | None = None,
    storage_options: Options = None,
    filesystem: Any = None,
) -> Any:
    """Read Feather files, which are Arrow IPC files, as one frame: a file a partition.

    Columns of integers are looked at now, for missing values make them floats.

    Parameters
    ----------
    path : str, path, or list of such
        A file, a directory, a glob, or a URL of any of them.
    columns : list of labels, optional
        The columns to read.
    dtype_backend : {"numpy_nullable", "pyarrow"}, optional
        Which dtypes to use, as for pandas.
    storage_options : dict, optional
        For the file system of a URL.
    filesystem : optional
        A file system of fsspec or pyarrow to find the path in.

    Returns
    -------
    DataFrame

    Raises
    ------
    FileNotFoundError
        There are no such files.
    ValueError
        A file is no Feather file or is cut short, a column is in no file; the message names them.
    SchemaError
        A column has dtypes in two files that have none in common; a ValueError that names both.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name, "x.feather")
    >>> pd.DataFrame({"x": [1, 2], "y": ["a", "b"]}).to_feather(path)
    >>> int(rd.read_feather(path).x.sum().compute())
    3
    >>> folder.cleanup()
    """
    return _read("feather", path, columns, None, dtype_backend, storage_options, filesystem)


def read_orc(
    path: Any,
    columns: Sequence[Hashable] | None = None,
    *,
    index: Any = None,
    dtype_backend: str | None = None,
    storage_options: Options = None,
    filesystem: Any = None,
) -> Any:
    """Read ORC files as one frame: a file a partition.

    Columns of integers are looked at now, for missing values make them floats.

    Parameters
    ----------
    path, columns, dtype_backend, storage_options, filesystem
        As for `read_feather`.
    index : label or list of labels, optional
        What to make the index.

    Returns
    -------
    DataFrame

    Raises
    ------
    FileNotFoundError, ValueError, SchemaError
        As `read_feather`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name, "x.orc")
    >>> pd.DataFrame({"x": [1, 2], "y": ["a", "b"]}).to_orc(path)
    >>> int(rd.read_orc(path).x.sum().compute())
    3
    >>> folder.cleanup()
    """
    return _read("orc", path, columns, index, dtype_backend, storage_options, filesystem)


def _read(
    kind: Format, path: Any, columns: Any, index: Any, backend: str | None, storage_options: Options, filesystem: Any
) -> Any:
    found = find_files(path, storage_options, filesystem)
    files = ArrowFiles(found.system, kind)
    facts = ArrowFileFacts(files, found.files)
    places = [found.system.shown(file.path) for file in found.files]
    schema = dataset_schema(places, facts, columns=columns, index=index, dtype_backend=backend)
    levels = tuple(level for level in schema.levels if level.kind == "file")
    meta = schema.meta if levels or not schema.levels else schema.meta.set_axis(pd.RangeIndex(0), axis=0)
    reader = ArrowFileReader(files, meta, schema.columns, levels)
    versions = [(file.path, file.size, file.version) for file in found.files]
    names = [source.name for source in schema.columns]
    token = tokenize(kind, found.system.token, versions, names, str(index), str(backend))
    wanted = Wanted(tuple(range(len(schema.columns))), bool(levels))
    lengths = tuple(rows for _, rows in facts.known)
    known = unknown_divisions(len(found.files))
    return new_collection(ReadParts(reader, found.files, wanted, token, found.given, known, lengths))
