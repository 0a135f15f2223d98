"""A Parquet data set as it was found: its files, what their footers tell, its schema."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from restride.collections.dataframe.io.files import DataFile, FileSystem, Found
from restride.collections.dataframe.io.parquet.footers import footers_of
from restride.collections.dataframe.io.parquet.hive import HiveColumn, hive_columns
from restride.collections.dataframe.io.parquet.looking import ParquetFacts
from restride.collections.dataframe.io.schema import DatasetSchema, DtypeBackend, dataset_schema
from restride.collections.dataframe.meta import describe
from restride.collections.expression import tokenize


@dataclass(frozen=True, eq=False)
class Dataset:
    """Files, and all that is known of them without reading their data."""

    system: FileSystem
    files: tuple[DataFile, ...]
    given: str
    """What was asked for, as people write it."""
    facts: ParquetFacts
    hive: tuple[HiveColumn, ...]
    schema: DatasetSchema

    @cached_property
    def token(self) -> str:
        """The same for the same files, unchanged, with the same schema."""
        files = [(file.path, file.size, file.version) for file in self.files]
        sources = [(source.name, source.kind) for source in self.schema.sources]
        return tokenize(self.system.token, files, sources, describe(self.schema.meta))


def open_dataset(
    found: Found,
    *,
    columns: Sequence[Hashable] | None = None,
    index: Any = None,
    dtype_backend: DtypeBackend = None,
) -> Dataset:
    """Look at the footers of files; raises what `footers_of`, `hive_columns` and `dataset_schema` do.

    The last few data sets of this machine's files are kept, with what has been found out about them, for as long as
    the files stay as they are.
    """
    here = found.system.remote is None
    key = (found.given, found.files, str(tokenize(columns, index, dtype_backend)))
    known = _recent.get(key) if here else None
    if known is not None:
        return known
    footers = footers_of(found.system, found.files)
    facts = ParquetFacts(found.system, found.files, footers)
    hive = tuple(hive_columns(found.files))
    places = [found.system.shown(file.path) for file in found.files]
    schema = dataset_schema(places, facts, hive, columns=columns, index=index, dtype_backend=dtype_backend)
    dataset = Dataset(found.system, found.files, found.given, facts, hive, schema)
    if here:
        if len(_recent) >= _MOST_RECENT:
            _recent.pop(next(iter(_recent)), None)
        _recent[key] = dataset
    return dataset


_MOST_RECENT = 8
_recent: dict[tuple[str, tuple[DataFile, ...], str], Dataset] = {}
"""Data sets, by what they were asked for and the sizes and times of their files."""
