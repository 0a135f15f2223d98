"""Codes of the values of key columns: equal values have equal codes, and values that were not there have none.

A coder is made of one column, and then finds the values of other columns of the same type among those it was made of.
As pandas has it when it joins, missing values are equal to each other, all NaN are, and -0.0 is 0.0.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from restride.collections.dataframe.kernels.hashing import hash_column
from restride.collections.dataframe.kernels.memory import Column, one_array
from restride.collections.dataframe.kernels.taking import without_dictionary
from restride.collections.dataframe.layout import is_string
from restride.engine.graphs.csr import Ints

WIDEST = 2**62
"""Codes stay below, so that they may be added and compared as int64."""
WIDEST_OF_SEVERAL = 2**31
"""Those of each of several columns stay below, so that one for both can be made of one's code and a row's number."""
MANY = 100_000
"""Distinct strings from which it is worth while to keep a table of their hashes."""


class Coder(Protocol):
    """Numbers the values of a column, from 0 up to `size`."""

    size: int
    """All codes are below."""
    dense: bool
    """Whether codes number the distinct values in the order in which they first appear."""

    @property
    def codes(self) -> Ints:
        """The code of each row of the column that the coder was made of."""
        ...

    def forget(self) -> None:
        """Let go of the codes."""
        ...

    def find(self, column: Column) -> Ints:
        """The code of each row of another column of the same type, -1 where the value was not in the first."""
        ...


class RangeCoder:
    """Integers, dates and booleans by their distance from the least of them; the last code is for missing values."""

    dense = False

    def __init__(self, values: Ints, missing: np.ndarray | None) -> None:
        present = values if missing is None else values[~missing]
        self.low = int(present.min()) if len(present) else 0
        self.span = int(present.max()) - self.low + 1 if len(present) else 0
        self.size = self.span + (missing is not None)
        self.values: Ints | None = values
        """The values, as long as nothing has been made of them."""
        self.missing = missing

    @cached_property
    def codes(self) -> Ints:
        """The code of each row."""
        assert self.values is not None
        return self._codes(self.values, self.missing)

    def forget(self) -> None:
        """Let go of the codes."""
        self.values = self.missing = None
        self.__dict__.pop("codes", None)

    def find(self, column: Column) -> Ints:
        return self._codes(*integers(column))

    def _codes(self, values: Ints, missing: np.ndarray | None) -> Ints:
        codes = values - self.low if self.low else values
        if len(codes) and (int(codes.min()) < 0 or int(codes.max()) >= self.span):
            # Differences of far values wrap around, but never to where they would be taken for near ones.
            codes = np.where((values < self.low) | (values > self.low + self.span - 1), -1, codes)
        if missing is not None:
            codes = np.where(missing, self.span if self.size > self.span else -1, codes)
        return codes


class HashCoder:
    """Numbers far apart, by pandas' hash table."""

    dense = True

    def __init__(self, values: np.ndarray, missing: np.ndarray | None) -> None:
        self.missing_code = -1
        if missing is None:
            self.table, self.codes = hash_table(values)
            self.size = len(self.table)
            return
        self.table, present = hash_table(values[~missing])
        self.size = len(self.table) + 1
        self.missing_code = len(self.table)
        self.codes = np.full(len(values), self.missing_code)
        self.codes[~missing] = present
        self.dense = False

    def forget(self) -> None:
        """Let go of the codes."""
        self.codes = np.zeros(0, np.int64)

    def find(self, column: Column) -> Ints:
        values, missing = numbers(column)
        codes = self.table.get_indexer(values)
        if missing is not None:
            codes[missing] = self.missing_code
        return codes


class StringCoder:
    """Strings, as they are or by dictionary."""

    dense = True

    def __init__(self, column: Column) -> None:
        encoded = one_array(column)
        if not isinstance(encoded, pa.DictionaryArray):
            encoded = encoded.dictionary_encode()
            self.values = encoded.dictionary
            self.codes = _filled(encoded.indices, len(self.values))
        else:
            self.values, places = _distinct(encoded.dictionary)
            self.codes = _filled(encoded.indices, len(places), np.append(places, len(self.values)))
            self.dense = False
        self.has_missing = encoded.indices.null_count > 0 or self.codes.max(initial=-1) >= len(self.values)
        self.dense = self.dense and not self.has_missing
        self.size = len(self.values) + self.has_missing

    def forget(self) -> None:
        """Let go of the codes."""
        self.codes = np.zeros(0, np.int64)

    def find(self, column: Column) -> Ints:
        absent = len(self.values) if self.has_missing else -1
        if not pa.types.is_dictionary(column.type):
            return self._places(column, absent)
        chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
        found = []
        for chunk in chunks:
            if len(chunk.dictionary) > 2 * len(chunk):
                found.append(self._places(without_dictionary(chunk), absent))
                continue
            places = np.append(self._places(chunk.dictionary, absent), absent)
            found.append(_filled(chunk.indices, len(places) - 1, places))
        return np.concatenate(found) if found else np.zeros(0, np.int64)

    def _places(self, column: Column, absent: int) -> Ints:
        hashed = self._hashed if len(self.values) >= max(len(column), MANY) else None
        if hashed is None:  # Arrow makes its table of the values anew for each column
            places = _to_numpy(pc.fill_null(pc.index_in(column, value_set=self.values), -1)).astype(np.int64)
        else:
            places = self._of_hashes(column, hashed)
        if column.null_count:
            places[_to_numpy(column.is_null())] = absent
        return places

    @cached_property
    def _hashed(self) -> pd.Index | None:
        """The hashes of the values, as a table; None where two are the same."""
        table = pd.Index(hash_column(self.values))
        return table if table.is_unique else None

    def _of_hashes(self, column: Column, hashed: pd.Index) -> Ints:
        """Places by hash; a string of the hash of another is not among the values."""
        column = one_array(column)
        places = hashed.get_indexer(hash_column(column))
        found = self.values.take(pa.array(places, mask=places < 0))
        same = pc.fill_null(pc.equal(found, column), False)
        return np.where(_to_numpy(same), places, -1)


def coder_of(column: Any, widest: int = WIDEST) -> Coder:
    """The coder of the values of a column, of the kind that is cheapest for its type and values.

    Parameters
    ----------
    column : pyarrow column or numpy array of objects
    widest : int
        Codes are below, if there are fewer rows.
    """
    if not isinstance(column, np.ndarray) and is_string(column.type):
        return StringCoder(column)
    values, missing = numbers(column)
    if values.dtype.kind in "fO":
        return HashCoder(values, missing)
    present = values if missing is None else values[~missing]
    wide = len(present) and int(present.max()) - int(present.min()) >= widest
    return HashCoder(values, missing) if wide else RangeCoder(values, missing)


def hash_table(values: np.ndarray) -> tuple[pd.Index, Ints]:
    """The distinct values, in the order in which they appear, and for each value its place there."""
    table = pd.Index(values)
    if table.is_unique:
        codes = np.arange(len(values))
    else:
        codes, distinct = pd.factorize(values, use_na_sentinel=False)
        table = pd.Index(distinct)
    table.get_indexer(values[:1])  # makes the hash table, here and not in several threads at once
    return table, codes.astype(np.int64, copy=False)


def numbers(column: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """Values that are equal where those of a column are, and which are missing; floats stay floats with NaN."""
    if isinstance(column, np.ndarray):
        lost = pd.isna(column)
        if not lost.any():
            return column, None
        filled = column.copy()
        filled[lost] = None
        return filled, lost
    if pa.types.is_floating(column.type) and not column.null_count:
        return _to_numpy(column), None
    if pa.types.is_floating(column.type):
        # Nullable floats: a missing value is one of its own, apart from NaN.
        return _to_numpy(pc.fill_null(column, 0.0)), _to_numpy(column.is_null())
    return integers(column)


def integers(column: Column) -> tuple[Ints, np.ndarray | None]:
    """A column of integers, dates, times or booleans as int64, and which are missing."""
    missing = _to_numpy(column.is_null()) if column.null_count else None
    kind = column.type
    if pa.types.is_boolean(kind):
        column = pc.cast(column, pa.uint8())
    elif pa.types.is_date32(kind) or pa.types.is_time32(kind):
        column = column.cast(pa.int32())
    elif pa.types.is_temporal(kind):
        column = column.cast(pa.int64())
    elif not pa.types.is_integer(kind):
        raise TypeError(f"cannot join on a column of type {kind}")
    if missing is not None:
        column = pc.fill_null(column, 0)
    values = _to_numpy(column)
    return (values.view(np.int64) if values.dtype == np.uint64 else values.astype(np.int64, copy=False)), missing


def _to_numpy(column: Any) -> np.ndarray:
    return column.to_numpy() if isinstance(column, pa.ChunkedArray) else column.to_numpy(zero_copy_only=False)


def _distinct(dictionary: pa.Array) -> tuple[pa.Array, Ints]:
    """The distinct values of a dictionary, which may have some twice or a null, and the code of each entry."""
    encoded = dictionary.dictionary_encode()
    return encoded.dictionary, _filled(encoded.indices, len(encoded.dictionary))


def _filled(indices: pa.Array, missing: int, places: Ints | None = None) -> Ints:
    """Indices with a number in place of nulls; or places at them."""
    if indices.null_count:
        indices = pc.fill_null(indices.cast(pa.int32()), missing)
    numbers_ = _to_numpy(indices)
    return numbers_.astype(np.int64) if places is None else places.take(numbers_, mode="clip")
