"""Key columns as levels of unsigned integers: rows are in the order of the keys if they are in that of their levels.

The first level that differs between two rows decides, as with the letters of a word. An int has one level, a string one
for each 8 bytes; each key has one more in front that sets nulls apart. Levels do not depend on what else is in a
column, so that rows of one partition can be compared with those of another, and are computed as they are asked for, for
all rows or for those that are still undecided.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from restride.collections.dataframe.kernels.memory import Column, Mask, fixed_width, one_array, valid_mask
from restride.collections.dataframe.kernels.words import Rows, Words

Unsigned = np.ndarray[Any, np.dtype[np.unsignedinteger[Any]]]
Level = Callable[[Rows | None], Unsigned]
"""Takes the numbers of rows, or None for all of them."""


@dataclass(frozen=True)
class SortKey:
    """How to sort by a column.

    Attributes
    ----------
    ascending : bool
    nulls_last : bool
        Nulls and NaN come last, also where the order is descending, as pandas has it; else first.
    codes : bool
        The column has the codes of a categorical, -1 for what is missing.
    """

    ascending: bool = True
    nulls_last: bool = True
    codes: bool = False


class KeyLevels:
    """The levels of a key column.

    Parameters
    ----------
    column : pyarrow array, chunked or not
    key : SortKey

    Raises
    ------
    TypeError
        The column has values without an order, such as lists.
    """

    def __init__(self, column: Column, key: SortKey = SortKey()) -> None:
        self.n = len(column)
        self._key = key
        if isinstance(column.type, pa.BaseExtensionType):
            column = pc.cast(column, column.type.storage_type)
        self._nulls: Mask | None = None
        self.words: Words | None = None
        """Where the column has strings."""
        self._values: list[Unsigned] = []
        self.dictionary: pa.Array | None = None
        self.numbers: np.ndarray | None = None
        """Where the strings are those of a dictionary: it, and which of them each row has."""
        array = one_array(column)
        if pa.types.is_dictionary(array.type):
            self._take_dictionary(array)
        else:
            self._take_array(array)
        if self._nulls is not None and not self._nulls.any():
            self._nulls = None

    @property
    def has_nulls(self) -> bool:
        """Whether the first level, that sets nulls apart, tells any rows apart."""
        return self._nulls is not None

    @property
    def n_words(self) -> int:
        """How many levels the longest string takes; 0 where there are no strings."""
        return 0 if self.words is None else self.words.n_words

    @property
    def ends_matter(self) -> bool:
        """Whether strings may only differ in how many zero bytes they end in."""
        return self.words is not None and self.words.has_zeros

    def levels(self, n_words: int | None = None, ends: bool | None = None) -> list[Level]:
        """The levels, the first one being the one that sets nulls apart.

        Parameters
        ----------
        n_words : int, optional
            For how many words of strings; at least as many as the longest has, which is the default.
        ends : bool, optional
            Whether there is a level for their lengths; by default if these matter.
        """
        levels: list[Level] = [self._null_level]
        if self.words is None:
            return levels + [_Stored(values) for values in self._values]
        levels += [_Word(self, j) for j in range(self.n_words if n_words is None else n_words)]
        if self.ends_matter if ends is None else ends:
            levels.append(self._length_level)
        return levels

    def ranked(self, ranks: Unsigned) -> list[Level]:
        """The levels by way of the ranks of the dictionary's values, to compare rows of this column alone."""
        assert self.numbers is not None
        return [self._null_level, _Stored(self._directed(ranks[self.numbers], None))]

    def word(self, j: int, rows: Rows | None) -> Unsigned:
        """Word `j` of the strings of rows, zero for nulls."""
        assert self.words is not None
        if self.numbers is not None:
            numbers = self.numbers if rows is None else self.numbers[rows]
            return self._directed(self.words.big(j)[numbers], rows)
        return self._directed(self.words.big(j, rows), rows)

    # ---- inner parts

    def _null_level(self, rows: Rows | None) -> Unsigned:
        if self._nulls is None:
            return np.full(self.n if rows is None else len(rows), not self._key.nulls_last, np.uint8)
        nulls = self._nulls if rows is None else self._nulls[rows]
        return (nulls if self._key.nulls_last else ~nulls).view(np.uint8)

    def _length_level(self, rows: Rows | None) -> Unsigned:
        assert self.words is not None
        lengths = self.words.lengths.view(np.uint64)
        if self.numbers is not None:
            lengths = lengths[self.numbers]
        return self._directed(lengths if rows is None else lengths[rows], rows)

    def _directed(self, values: Unsigned, rows: Rows | None) -> Unsigned:
        """Values in the order that is asked for, and none where they are null: those are equal."""
        if not self._key.ascending:
            values = ~values
        if self._nulls is not None:
            nulls = self._nulls if rows is None else self._nulls[rows]
            values = np.where(nulls, values.dtype.type(0), values)
        return values

    def _take_dictionary(self, array: pa.DictionaryArray) -> None:
        valid = valid_mask(array)
        indices = array.indices.fill_null(0) if valid is not None else array.indices
        numbers = indices.to_numpy(zero_copy_only=False)
        dictionary = array.dictionary
        if len(dictionary) == 0:
            dictionary = pa.nulls(1, dictionary.type)
        if dictionary.null_count:
            null_values = pc.is_null(dictionary).to_numpy(zero_copy_only=False)[numbers]
            valid = ~null_values if valid is None else valid & ~null_values
        if _is_string(dictionary.type):
            self.dictionary = dictionary
            self.words, self.numbers = Words(dictionary), numbers
            self._nulls = None if valid is None else ~valid
            return
        self._take_array(dictionary.take(array.indices))

    def _take_array(self, array: pa.Array) -> None:
        kind = array.type
        valid = valid_mask(array)
        self._nulls = None if valid is None else ~valid
        if _is_string(kind):
            self.words = Words(array)
            return
        if pa.types.is_null(kind):
            self._nulls = np.ones(self.n, np.bool_)
            return
        values = self._numbers(array)
        self._values = [self._directed(one, None) for one in values]

    def _numbers(self, array: pa.Array) -> list[Unsigned]:
        kind = array.type
        if pa.types.is_boolean(kind):
            return [array.cast(pa.uint8()).fill_null(0).to_numpy(zero_copy_only=False)]
        if pa.types.is_floating(kind):
            values = fixed_width(array, f"f{kind.bit_width // 8}")
            nan = np.isnan(values)
            if nan.any():
                self._nulls = nan if self._nulls is None else self._nulls | nan
            return [_ordered_floats(values)]
        if pa.types.is_decimal(kind):
            return _ordered_decimals(array)
        if pa.types.is_primitive(kind):
            width = kind.bit_width // 8
            if pa.types.is_unsigned_integer(kind):
                return [fixed_width(array, f"u{width}")]
            integers = fixed_width(array, f"i{width}")
            if self._key.codes:
                missing = integers < 0
                if missing.any():
                    self._nulls = missing if self._nulls is None else self._nulls | missing
            return [_ordered_integers(integers)]
        raise TypeError(f"a column of type {kind} cannot be sorted: its values have no order")


@dataclass(frozen=True)
class _Stored:
    """A level that is in memory."""

    values: Unsigned

    def __call__(self, rows: Rows | None) -> Unsigned:
        return self.values if rows is None else self.values[rows]


@dataclass(frozen=True)
class _Word:
    """A level that is one word of each string."""

    of: KeyLevels
    j: int

    def __call__(self, rows: Rows | None) -> Unsigned:
        return self.of.word(self.j, rows)


KeyColumn: TypeAlias = "Column | pd.Series[Any]"
"""A column to sort by: of Arrow, or of pandas where Arrow cannot hold it."""


def paired_levels(
    rows: Sequence[KeyColumn], others: Sequence[KeyColumn], keys: Sequence[SortKey]
) -> tuple[list[Level], list[Level]]:
    """The levels of rows of two tables of the same keys, as many of each, so that they can be compared."""
    levels: tuple[list[Level], list[Level]] = ([], [])
    for a, b, key in zip(rows, others, keys):
        if isinstance(a, pd.Series) or isinstance(b, pd.Series):
            pair, key = object_codes([_as_series(a), _as_series(b)]), replace(key, codes=True)
        else:
            pair = [a, b]
        both = [KeyLevels(column, key) for column in pair]
        n_words, ends = max(of.n_words for of in both), any(of.ends_matter for of in both)
        first = 0 if any(of.has_nulls for of in both) else 1
        for of, found in zip(both, levels):
            found += of.levels(n_words, ends)[first:]
    return levels


def object_codes(columns: Sequence[pd.Series]) -> list[pa.Array]:
    """Columns of any objects as codes in their order by Python's comparisons, -1 for what is missing.

    All are put in order at once: codes of these columns go together with no others.

    Raises
    ------
    TypeError
        Two values have no order.
    """
    numbers, distinct = pd.factorize(pd.concat(columns, ignore_index=True))
    codes = np.full(len(distinct) + 1, -1, np.int64)
    codes[np.asarray(distinct.argsort())] = np.arange(len(distinct))
    stops = np.cumsum([len(column) for column in columns])[:-1]
    return [pa.array(part) for part in np.split(codes[numbers], stops)]


def _as_series(column: KeyColumn) -> pd.Series:
    return column if isinstance(column, pd.Series) else column.to_pandas().astype(object)


def _ordered_integers(values: np.ndarray) -> Unsigned:
    unsigned = values.view(f"u{values.itemsize}")
    return unsigned ^ unsigned.dtype.type(1 << (8 * values.itemsize - 1))


def _ordered_floats(values: np.ndarray) -> Unsigned:
    """Positive ones are in order already; of negative ones all bits are the wrong way round."""
    bits = (values + values.dtype.type(0)).view(f"i{values.itemsize}")  # -0.0 + 0.0 is 0.0
    shift = 8 * values.itemsize - 1
    flips = bits >> shift
    flips |= bits.dtype.type(-1 << shift)
    flips ^= bits
    return flips.view(f"u{values.itemsize}")


def _ordered_decimals(array: pa.Array) -> list[Unsigned]:
    n, n_words = len(array), array.type.byte_width // 8
    if n_words == 0:
        raise TypeError(f"a column of type {array.type} cannot be sorted yet: cast it to decimal128")
    buffer = array.buffers()[1]
    if buffer is None or n == 0:
        return [np.zeros(n, np.uint64)] * n_words
    words = np.frombuffer(buffer, np.uint64, count=n * n_words, offset=8 * array.offset * n_words).reshape(n, n_words)
    return [_ordered_integers(words[:, -1].view(np.int64)), *(words[:, j] for j in range(n_words - 2, -1, -1))]


def _is_string(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
    )
