"""Looking up rows by key: made of the key columns of one table, once, and asked by rows of others any number of times.

Columns become codes, the codes of several columns one number, and the table from such numbers to groups (the rows of
one key) is an array where they are not far apart, so that a lookup is one read, and pandas' hash table elsewhere.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from restride.collections.dataframe.kernels.key_codes import (
    WIDEST,
    WIDEST_OF_SEVERAL,
    Coder,
    RangeCoder,
    coder_of,
    hash_table,
)
from restride.collections.dataframe.kernels.memory import Column
from restride.engine.graphs.csr import Ints, row_starts, stable_argsort

DIRECT_RATIO = 8
"""How many entries an array for direct lookup may have for each row."""
DIRECT_LEAST = 65536
"""Entries that such an array may always have: it fits the cache."""
_BLOCK = 65536
"""Rows that are worked on at once, so that what comes in between stays in the cache."""


class KeyIndex:
    """The rows of a table by key. Unpickled, it is made anew when first asked.

    Parameters
    ----------
    columns : sequence of pyarrow columns
        One or more key columns, of the same length. Columns to look up by have the same types in the same order;
        a column of strings may be a dictionary in either.

    Examples
    --------
    >>> import pyarrow as pa
    >>> index = KeyIndex([pa.array([30, 10, 20, 10])])
    >>> index.unique, index.find([pa.array([20, 10, 5])]).tolist()
    (False, [1, 0, -1])
    >>> [rows.tolist() for rows in index.pairs(index.find([pa.array([20, 10, 5])]))]
    [[0, 1, 1], [2, 1, 3]]
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = tuple(columns)
        self.n_rows = len(columns[0])
        self._made: Lookup | None = None
        self._making = threading.Lock()

    @property
    def _lookup(self) -> Lookup:
        made = self._made
        if made is None:
            with self._making:  # threads that share it ask at the same time
                if self._made is None:
                    widest = WIDEST if len(self.columns) == 1 else WIDEST_OF_SEVERAL
                    self._made = Lookup([coder_of(column, widest) for column in self.columns], self.n_rows)
                made = self._made
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return KeyIndex, (self.columns,)

    def prepare(self) -> KeyIndex:
        """Make it now."""
        if not self.unique:
            _ = self._lookup.rows
        return self

    @property
    def unique(self) -> bool:
        """Whether every key has one row."""
        return self._lookup.groups is None

    @property
    def groups(self) -> Ints:
        """The number of the key of each row."""
        groups = self._lookup.groups
        return np.arange(self.n_rows) if groups is None else groups

    @property
    def n_groups(self) -> int:
        """How many keys there are."""
        return self._lookup.n_groups

    def find(self, columns: Sequence[Column]) -> Ints:
        """For each row of other columns the number of its key, -1 if there is no such key.

        Where keys are unique, their numbers are those of the rows.
        """
        return self._lookup.find(columns)

    def counts(self, found: Ints) -> Ints:
        """How many rows have each of some keys, 0 for -1."""
        if self.unique:
            return (found >= 0).astype(np.int64)
        starts, _ = self._lookup.rows
        return np.append(np.diff(starts), 0).take(found, mode="wrap")

    def pairs(self, found: Ints, *, keep: bool = False) -> tuple[Ints | None, Ints]:
        """Each asking row with each row of its key, in the order of the asking rows, then of the rows found.

        Parameters
        ----------
        found : int64 array
            The number of the key of each asking row, as `find` gives them.
        keep : bool
            Whether an asking row without any stays, beside -1.

        Returns
        -------
        asking : int64 array or None
            None stands for every row once.
        rows : int64 array
        """
        if self.unique:
            if keep or not len(found) or int(found.min()) >= 0:
                return None, found
            asking = np.flatnonzero(found >= 0)
            return asking, found.take(asking, mode="clip")
        starts, rows = self._lookup.rows
        counts = np.append(np.diff(starts), 0).take(found, mode="wrap")
        repeats = np.maximum(counts, 1) if keep else counts
        asking = np.repeat(np.arange(len(found)), repeats)
        if not len(asking):
            return asking, asking
        ends = repeats.cumsum()
        places = np.arange(len(asking)) + np.repeat(starts.take(found, mode="wrap") - (ends - repeats), repeats)
        result = rows.take(places, mode="clip")
        if keep and counts.min() == 0:
            result[np.repeat(counts == 0, repeats)] = -1
        return asking, result


class Lookup:
    """What a `KeyIndex` makes of its columns."""

    def __init__(self, coders: Sequence[Coder], n_rows: int) -> None:
        self.coders = coders
        self.stages: list[tuple[int, Table | None]] = []
        """For each column after the first: by what the number so far is multiplied, and what maps the result."""
        first, size = coders[0], coders[0].size
        self.table: Table
        if len(coders) == 1 and isinstance(first, RangeCoder) and first.missing is None and is_direct(size, n_rows):
            assert first.values is not None
            self.table = DirectTable(first.values, size, first.low)
        else:
            self.table = self._combined(n_rows)
        self.n_groups = self.table.n_groups
        self.groups = self.table.groups
        for coder in coders:
            coder.forget()

    def _combined(self, n_rows: int) -> Table:
        coders = self.coders
        number, size = coders[0].codes, coders[0].size
        for coder in coders[1:]:
            table: Table | None = None
            if size * coder.size >= WIDEST:
                table = HashTable(number)
                number = np.arange(n_rows) if table.groups is None else table.groups
                size = table.n_groups
            self.stages.append((coder.size, table))
            number = number * coder.size + coder.codes
            size *= coder.size
        if coders[0].dense and len(coders) == 1:
            return DenseTable(number, size)
        return table_of(number, size)

    @cached_property
    def rows(self) -> tuple[Ints, Ints]:
        """Where the rows of each key start, and the rows, key by key."""
        assert self.groups is not None
        starts = row_starts(np.bincount(self.groups, minlength=self.n_groups))
        return starts, stable_argsort(self.groups, self.n_groups)

    def find(self, columns: Sequence[Column]) -> Ints:
        number = self.coders[0].find(columns[0])
        for coder, column, (size, table) in zip(self.coders[1:], columns[1:], self.stages):
            if table is not None:
                number = table.find(number)
            codes = coder.find(column)
            absent = (number < 0) | (codes < 0)
            number = np.where(absent, -1, number * size + codes)
        return self.table.find(number)


class Table:
    """From numbers, not below 0, to groups; -1 has none."""

    groups: Ints | None
    """The group of each of the numbers it was made of; None where they are distinct, and each is its own place."""
    n_groups: int

    def find(self, numbers: Ints) -> Ints:
        raise NotImplementedError


class DenseTable(Table):
    """Numbers that are groups already."""

    def __init__(self, numbers: Ints, size: int) -> None:
        self.groups = None if size == len(numbers) else numbers
        self.n_groups = size

    def find(self, numbers: Ints) -> Ints:
        return numbers


class DirectTable(Table):
    """An entry for each number there could be, which are given from `low` on; asked, they count from 0."""

    def __init__(self, numbers: Ints, size: int, low: int = 0) -> None:
        n = len(numbers)
        self.entries = np.full(size + 1, -1, np.int32 if n < 2**31 else np.int64)
        for start in range(0, n, _BLOCK):
            block = numbers[start : start + _BLOCK]
            block = block - low if low else block
            self.entries[block] = np.arange(start, start + len(block))
        # A million at a time, so that what is compared stays in the cache.
        parts = (self.entries[start : start + 2**20] for start in range(0, size + 1, 2**20))
        self.n_groups = size + 1 - sum(int(np.count_nonzero(part == -1)) for part in parts)
        if self.n_groups == n:
            self.groups = None
            return
        self.entries[np.flatnonzero(self.entries != -1)] = np.arange(self.n_groups)
        self.groups = self.entries.take(numbers - low if low else numbers, mode="clip").astype(np.int64)

    def find(self, numbers: Ints) -> Ints:
        return self.entries.take(numbers, mode="wrap").astype(np.int64)  # -1 wraps to the last entry, which is -1


class HashTable(Table):
    """pandas' hash table."""

    def __init__(self, numbers: Ints) -> None:
        self.table, groups = hash_table(numbers)
        self.n_groups = len(self.table)
        self.groups = None if self.n_groups == len(numbers) else groups

    def find(self, numbers: Ints) -> Ints:
        return self.table.get_indexer(numbers)


def is_direct(size: int, n: int) -> bool:
    """Whether an entry for each number below a size is worth its memory."""
    return size <= max(DIRECT_LEAST, DIRECT_RATIO * n)


def table_of(numbers: Ints, size: int) -> Table:
    """The table for numbers below a size."""
    if is_direct(size, len(numbers)):
        return DirectTable(numbers, size)
    return HashTable(numbers)
