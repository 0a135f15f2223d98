"""What footers tell of columns, row group by row group: rows, bytes, least and greatest values, dictionaries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from restride.collections.dataframe.io.parquet.footers import Footer

SMALL_DICTIONARY = 64 * 1024
"""Bytes of a dictionary, as it is in the file, up to which a column of strings is read as codes into it."""
ROWS_PER_BYTE = 0.25
"""Rows that a dictionary serves, for each of its bytes, from which on codes are worth while."""
STRING_BYTES = 16
"""What a string is taken for that is stored by a dictionary."""


@dataclass(frozen=True, eq=False)
class Bounds:
    """Least and greatest value of a column, for each row group."""

    least: list[Any]
    """As Python or pandas has them; None where they are not known, or there is no value."""
    greatest: list[Any]
    nulls: np.ndarray
    """How many values are missing, int64; -1 where that is not known."""

    @property
    def known(self) -> np.ndarray:
        """Where the least and greatest value are known, bool."""
        return np.array([value is not None for value in self.least], bool)


class Facts:
    """The row groups of a data set, numbered through from the first file's to the last's.

    Parameters
    ----------
    footers : sequence of Footer
        One a file, in order.
    """

    def __init__(self, footers: Sequence[Footer]) -> None:
        self.footers = footers
        self._bounds: dict[str, Bounds] = {}

    @cached_property
    def file(self) -> np.ndarray:
        """For each row group the number of its file, int64."""
        return np.repeat(np.arange(len(self.footers)), [footer.n_groups for footer in self.footers])

    @cached_property
    def number(self) -> np.ndarray:
        """For each row group its number in its file, int64."""
        return np.concatenate([np.zeros(0, np.int64), *(np.arange(footer.n_groups) for footer in self.footers)])

    @cached_property
    def rows(self) -> np.ndarray:
        """For each row group how many rows it has, int64."""
        return np.array([group.num_rows for _, group in self._groups()], np.int64)

    def bytes_in_memory(self, names: Sequence[str]) -> np.ndarray:
        """About how many bytes some columns of each row group take in memory, int64."""
        sizes = []
        for footer, group in self._groups():
            size = 0
            for name in names:
                if name in footer.leaves:
                    size += _bytes_in_memory(footer.schema.field(name).type, group, range(*footer.leaves[name]))
            sizes.append(size)
        return np.array(sizes, np.int64)

    def bytes_in_files(self, names: Sequence[str]) -> np.ndarray:
        """How many bytes some columns of each row group take in their file, int64."""
        return np.array(
            [
                sum(
                    group.column(leaf).total_compressed_size
                    for name in names
                    if name in footer.leaves
                    for leaf in range(*footer.leaves[name])
                )
                for footer, group in self._groups()
            ],
            np.int64,
        )

    def may_have_nulls(self, name: str) -> bool | None:
        """Whether a value of a column is missing anywhere; None where the files do not tell."""
        if any(name not in footer.leaves for footer in self.footers):
            return True
        nulls = self.bounds(name).nulls
        if (nulls > 0).any():
            return True
        return None if (nulls < 0).any() else False

    def bounds(self, name: str) -> Bounds:
        """Least and greatest value of a column, and how many are missing, for each row group."""
        if name not in self._bounds:
            least, greatest, nulls = [], [], []
            for footer, group in self._groups():
                low, high, missing = _bounds_in(footer, group, name)
                least.append(low)
                greatest.append(high)
                nulls.append(missing)
            self._bounds[name] = Bounds(least, greatest, np.array(nulls, np.int64))
        return self._bounds[name]

    def is_single(self, name: str) -> bool:
        """Whether a column is of single precision in any file."""
        schemas = [footer.schema for footer in self.footers if name in footer.leaves]
        return any(pa.types.is_float32(schema.field(name).type) for schema in schemas)

    def dictionary_bytes(self, name: str) -> int | None:
        """The bytes of the largest dictionary that a column of strings has; None if it is not stored by dictionaries.

        A writer gives up on a dictionary that grows too large and goes on with plain values, which footers do not
        tell; one as small as is asked for here has not been given up.
        """
        largest = 0
        for footer, group in self._groups():
            if name not in footer.leaves:
                continue
            chunk = group.column(footer.leaves[name][0])
            if chunk.num_values == 0:
                continue
            if not chunk.has_dictionary_page or chunk.dictionary_page_offset is None:
                return None
            largest = max(largest, chunk.data_page_offset - chunk.dictionary_page_offset)
        return largest

    def is_worth_codes(self, name: str) -> bool:
        """Whether a column of strings has so few values that it had better be read as codes into a dictionary."""
        size = self.dictionary_bytes(name)
        if size is None or size > SMALL_DICTIONARY or not len(self.rows):
            return False
        return bool(size <= ROWS_PER_BYTE * np.median(self.rows))

    def _groups(self) -> list[tuple[Footer, Any]]:
        if not hasattr(self, "_all"):
            self._all = [
                (footer, footer.metadata.row_group(i)) for footer in self.footers for i in range(footer.n_groups)
            ]
        return self._all


def _bytes_in_memory(kind: pa.DataType, group: Any, leaves: range) -> int:
    try:
        return int(kind.bit_width * group.num_rows) // 8
    except ValueError:
        pass
    size = 0
    for leaf in leaves:
        chunk = group.column(leaf)
        plain = STRING_BYTES * chunk.num_values if chunk.has_dictionary_page else 0
        size += max(chunk.total_uncompressed_size, plain)
    return size


def _bounds_in(footer: Footer, group: Any, name: str) -> tuple[Any, Any, int]:
    if name not in footer.leaves:
        return None, None, group.num_rows
    first, stop = footer.leaves[name]
    if stop - first > 1:
        return None, None, -1
    required = footer.metadata.schema.column(first).max_definition_level == 0
    statistics = group.column(first).statistics
    if statistics is None:
        return None, None, 0 if required else -1
    nulls = 0 if required else statistics.null_count if statistics.has_null_count else -1
    if not statistics.has_min_max:
        return None, None, nulls
    kind = footer.schema.field(name).type
    return _value(statistics.min, kind), _value(statistics.max, kind), nulls


def _value(value: Any, kind: pa.DataType) -> Any:
    """A value of statistics as pandas has those of the column's type."""
    if isinstance(value, dt.datetime):
        return pd.Timestamp(value)
    if pa.types.is_duration(kind):
        return pd.Timedelta(value, unit=kind.unit)
    if isinstance(value, float) and value != value:
        return None
    return value
