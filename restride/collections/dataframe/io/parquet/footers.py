"""Footers of Parquet files: read several at once, kept for as long as files stay as they are."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from restride.collections.dataframe.io.files import DataFile, FileSystem, in_parallel

KEPT_BYTES = 256 * 1024**2
"""Of footers as they are in their files; in memory they take about as much again."""


@dataclass(frozen=True, eq=False)
class Footer:
    """The footer of a file: what it holds, and where."""

    metadata: Any
    """A `pyarrow.parquet.FileMetaData`."""
    schema: pa.Schema
    """As Arrow types, with the metadata that pandas left."""

    @property
    def n_groups(self) -> int:
        """How many row groups the file has."""
        n: int = self.metadata.num_row_groups
        return n

    @cached_property
    def leaves(self) -> dict[str, tuple[int, int]]:
        """For each column the first and the last but one of its leaves, as Parquet numbers them."""
        found = {}
        at = 0
        for column in self.schema:
            n = _leaves(column.type)
            found[column.name] = (at, at + n)
            at += n
        return found


def footers_of(system: FileSystem, files: Sequence[DataFile]) -> list[Footer]:
    """The footer of each file.

    Raises
    ------
    ValueError
        A file is no Parquet file, or cut short; the message names it.
    FileNotFoundError
        A file is gone.
    """
    found = [_kept.get(_key(system, file)) for file in files]
    missing = [file for file, footer in zip(files, found) if footer is None]
    read = iter(in_parallel(lambda file: footer_of(system, file), missing))
    return [next(read) if footer is None else footer for footer in found]


def footer_of(system: FileSystem, file: DataFile) -> Footer:
    """The footer of one file; raises what `footers_of` does."""
    key = _key(system, file)
    found = _kept.get(key)
    if found is None:
        found = _read(system, file.path)
        _kept.put(key, found)
    return found


def _key(system: FileSystem, file: DataFile) -> tuple[str, str, int, str]:
    return system.token, file.path, file.size, file.version


def _read(system: FileSystem, path: str) -> Footer:
    try:
        if system.remote is None:
            metadata = pq.read_metadata(path)
        else:
            with system.open(path) as file:
                metadata = pq.read_metadata(file)
        return Footer(metadata, metadata.schema.to_arrow_schema())
    except FileNotFoundError as error:
        raise FileNotFoundError(f"there is no file {system.shown(path)}") from error
    except (pa.ArrowException, OSError) as error:
        raise not_parquet(system.shown(path), error) from error


def not_parquet(place: str, error: BaseException) -> ValueError:
    """What to raise for a file that cannot be read as Parquet."""
    return ValueError(f"{place} cannot be read as Parquet; it is damaged, cut short, or another kind of file: {error}")


def _leaves(kind: pa.DataType) -> int:
    """How many columns of Parquet hold a column of an Arrow type."""
    if isinstance(kind, pa.BaseExtensionType):
        return _leaves(kind.storage_type)
    if pa.types.is_dictionary(kind):
        return _leaves(kind.value_type)
    if kind.num_fields == 0:
        return 1
    return sum(_leaves(kind.field(i).type) for i in range(kind.num_fields))


class _Kept:
    """Footers by file, of which those used longest ago are forgotten when they are too many."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._footers: OrderedDict[tuple[str, str, int, str], Footer] = OrderedDict()
        self._bytes = 0

    def get(self, key: tuple[str, str, int, str]) -> Footer | None:
        with self._lock:
            found = self._footers.get(key)
            if found is not None:
                self._footers.move_to_end(key)
            return found

    def put(self, key: tuple[str, str, int, str], footer: Footer) -> None:
        with self._lock:
            if key in self._footers:
                return
            self._footers[key] = footer
            self._bytes += footer.metadata.serialized_size
            while self._bytes > KEPT_BYTES and len(self._footers) > 1:
                _, old = self._footers.popitem(last=False)
                self._bytes -= old.metadata.serialized_size


_kept = _Kept()
