"""Stable sorts by radix: numpy's own on 16 bits at a time, of keys made as narrow as they can be.

numpy sorts 16-bit integers by counting, in a fraction of the time of a sort by comparisons. So what counts is how many
bits tell the rows apart: the least value is subtracted, bits that are zero everywhere are shifted out, and levels of a
key that are narrow enough share a word. Rows that a word leaves undecided, and only those, are looked at again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from restride.collections.dataframe.kernels.memory import Column, one_array
from restride.collections.dataframe.kernels.narrowing import narrow, next_words
from restride.collections.dataframe.kernels.sort_keys import (
    KeyColumn,
    KeyLevels,
    Level,
    SortKey,
    Unsigned,
    object_codes,
)

Order = np.ndarray[Any, np.dtype[np.int64]]

_FEW = 1024
"""Rows up to which a sort by comparisons takes less than counting 65,536 digits."""
_DIGIT = 16


def argsort(columns: Sequence[KeyColumn], keys: Sequence[SortKey] | None = None) -> Order:
    """The rows in the order of some columns, the first deciding first; equal rows stay in the order they are in.

    Parameters
    ----------
    columns : sequence of pyarrow arrays, chunked or not, or Series
        One at least, of one length.
    keys : sequence of SortKey, optional
        How to sort by each; ascending with nulls last by default.

    Returns
    -------
    ndarray of int64

    Raises
    ------
    TypeError
        A column has values without an order.

    Examples
    --------
    >>> import pyarrow as pa
    >>> argsort([pa.array(["b", None, "a", "a"]), pa.array([1, 2, 4, 3])]).tolist()
    [3, 2, 0, 1]
    >>> argsort([pa.array(["b", None, "a", "a"])], [SortKey(ascending=False)]).tolist()
    [0, 2, 3, 1]
    """
    return argsort_levels(_all_levels(columns, keys), len(columns[0]))


def argsort_end(columns: Sequence[KeyColumn], keys: Sequence[SortKey], wanted: int, *, last: bool = False) -> Order:
    """The first rows, or the last, in the order of some columns; see `argsort`.

    Of more rows than eight times as many, those are left out whose first word has `wanted` others before it: that
    takes a pass of `numpy.partition`, and only what is left is sorted.

    Examples
    --------
    >>> import pyarrow as pa
    >>> argsort_end([pa.array([3, 1, 2])], [SortKey()], 2).tolist()
    [1, 2]
    >>> argsort_end([pa.array([3, 1, 2])], [SortKey()], 2, last=True).tolist()
    [2, 0]
    """
    levels, n = _all_levels(columns, keys), len(columns[0])
    cut = slice(max(n - wanted, 0), None) if last else slice(wanted)
    if not levels or not 0 < 8 * wanted < n:
        return argsort_levels(levels, n)[cut]
    (word,), _ = next_words([list(levels)], [None])
    place = n - wanted if last else wanted - 1
    bound = np.partition(word, place)[place]
    near = np.flatnonzero(word >= bound if last else word <= bound)
    order = argsort_levels([_OfSome(level, near) for level in levels], len(near))
    return near[order[max(len(near) - wanted, 0) :] if last else order[:wanted]]


def _all_levels(columns: Sequence[KeyColumn], keys: Sequence[SortKey] | None) -> list[Level]:
    levels: list[Level] = []
    for column, key in zip(columns, keys or [SortKey()] * len(columns)):
        levels += _own_levels(column, key)
    return levels


@dataclass(frozen=True)
class _OfSome:
    """A level of some rows alone."""

    level: Level
    rows: Order

    def __call__(self, rows: Order | None) -> Unsigned:
        return self.level(self.rows if rows is None else self.rows[rows])


def argsort_levels(levels: Sequence[Level], n: int) -> Order:
    """The rows 0 to n in the order of their levels; stable."""
    remaining = list(levels)
    if not remaining:
        return np.arange(n)
    (word,), bits = next_words([remaining], [None])
    order = argsort_unsigned(word, bits)
    if not remaining or n < 2:
        return order
    sorted_word = word[order]
    new = np.empty(n, np.bool_)
    """Where in the order a row differs from the one before."""
    new[0] = True
    np.not_equal(sorted_word[1:], sorted_word[:-1], out=new[1:])
    while remaining:
        tied = ~new
        tied[:-1] |= ~new[1:]
        places = np.flatnonzero(tied)
        if not len(places):
            break
        rows = order[places]
        runs = np.cumsum(new[places], dtype=np.uint32)
        (word,), bits = next_words([remaining], [rows])
        if not bits:
            continue
        within = argsort_unsigned(word, bits)
        within = within[argsort_unsigned(runs[within], int(runs[-1]).bit_length())]
        order[places] = rows[within]
        word = word[within]
        # Places of one run lie side by side, and the first of each run is new already.
        new[places[1:]] |= word[1:] != word[:-1]
    return order


def argsort_unsigned(values: Unsigned, bits: int | None = None) -> Order:
    """A stable argsort of unsigned integers.

    Parameters
    ----------
    values : ndarray of unsigned integers
    bits : int, optional
        How many bits they have; if it is not given, they are made narrow first.

    Examples
    --------
    >>> argsort_unsigned(np.array([300_000, 5, 300_000, 0], np.uint64)).tolist()
    [3, 1, 0, 2]
    """
    if bits is None:
        (values,), bits = narrow([values])
    if len(values) <= _FEW:
        return np.argsort(values, kind="stable")
    if bits == 0 or bool((values[1:] >= values[:-1]).all()):
        return np.arange(len(values))
    order = None
    for shift in range(0, bits, _DIGIT):
        digits = values >> values.dtype.type(shift) if shift else values
        digits = digits.astype(np.uint8 if bits - shift <= 8 else np.uint16)
        if order is None:
            order = np.argsort(digits, kind="stable")
        else:
            order = order[np.argsort(digits[order], kind="stable")]
    assert order is not None
    return order


def _own_levels(column: KeyColumn, key: SortKey) -> list[Level]:
    """Levels for comparing rows of this column alone: strings that repeat are put in order once each."""
    if isinstance(column, pd.Series):
        (column,), key = object_codes([column]), replace(key, codes=True)
    of = KeyLevels(column, key)
    if of.words is not None and of.dictionary is None and of.n_words > 2 and _repeats(column):
        of = KeyLevels(one_array(column).dictionary_encode(), key)
    levels = of.levels() if of.dictionary is None else of.ranked(_ranks(of.dictionary))
    return levels if of.has_nulls else levels[1:]


def _repeats(strings: Column) -> bool:
    """Whether most strings are there several times, as far as some tell."""
    n = len(strings)
    rows = np.arange(0, n, max(n // 1000, 1))
    return 2 * len(pc.unique(pc.take(strings, pa.array(rows)))) < len(rows)


def _ranks(dictionary: pa.Array) -> Unsigned:
    """Numbers in the order of the strings, the same for equal ones."""
    levels = KeyLevels(dictionary).levels()
    order = argsort_levels(levels, len(dictionary))
    new = np.zeros(len(dictionary), np.bool_)
    for level in levels:
        values = level(order)
        new[1:] |= values[1:] != values[:-1]
    ranks = np.empty(len(dictionary), np.uint32)
    ranks[order] = np.cumsum(new)
    return ranks
