"""Keys that have numbers of their own: how the values of a column become slots, part by part, without a lookup.

Integers in a range, dates, truth values, codes of categories, dictionaries, and strings that differ in few bits. What
it takes to number them is found once for the whole column.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from restride.collections.dataframe.kernels.memory import Column, chunks_of, fixed_width, valid_mask
from restride.collections.dataframe.kernels.packed_strings import packing_of
from restride.collections.dataframe.kernels.radix import argsort
from restride.engine.graphs.csr import Ints

WIDEST = 2**62
"""Slots of a column, or of several together, are below this."""
DIRECT_SLOTS_PER_ROW = 4
"""Slots are right to address a table with up to this many times the rows, or `DIRECT_SLOTS`."""
DIRECT_SLOTS = 4096


@dataclass(frozen=True, slots=True)
class Numbering:
    """The slots of a column: equal numbers for equal keys."""

    column: Column
    """In parts of which `codes` makes slots."""
    codes: Callable[[pa.Array], Ints]
    """int64 for each value of a part, below `size`, -1 where it is missing. May be memory of the part."""
    size: int
    decode: Callable[[Ints], pa.Array]
    """The keys of some slots, none of them missing."""
    any_missing: bool


def most_direct(rows: int) -> int:
    """How many slots are right to address a table with."""
    return max(DIRECT_SLOTS, DIRECT_SLOTS_PER_ROW * rows)


def numbering_of(column: Column, *, absent: int | None = None, ordered: bool = False) -> Numbering | None:
    """How to number the keys of a column; None for one whose keys have no numbers of their own.

    Parameters
    ----------
    column : pyarrow.Array or ChunkedArray
    absent : int, optional
        An integer that stands for a missing key.
    ordered : bool
        Smaller slots have to stand for smaller keys.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _of_dictionary(column, ordered)
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_temporal(kind):
        return _of_integers(column, absent)
    if pa.types.is_string(kind):
        return _of_strings(column)
    return None


def numbering_of_codes(column: Column, n_categories: int) -> Numbering:
    """The numbering of codes of categories, -1 for a missing one: the codes themselves."""
    low = pc.min(column).as_py()
    return Numbering(column, _as_they_are, n_categories, _as_codes, low is not None and low < 0)


def integer_storage(kind: pa.DataType) -> pa.DataType:
    """The integers that hold values of a type."""
    if pa.types.is_integer(kind):
        return kind
    if pa.types.is_boolean(kind):
        return pa.uint8()
    return pa.int32() if kind.bit_width == 32 else pa.int64()


def _as_they_are(part: pa.Array) -> Ints:
    codes: Ints = fixed_width(part, part.type.to_pandas_dtype()).astype(np.int64)
    return codes


def _as_codes(slots: Ints) -> pa.Array:
    return pa.array(slots.astype(np.int32))


@dataclass(frozen=True, slots=True)
class _Integers:
    """Integers, or what they stand for, less the least of them."""

    kind: pa.DataType
    low: int
    absent: int | None

    def codes(self, part: pa.Array) -> Ints:
        storage = integer_storage(self.kind)
        values = fixed_width(part if storage == self.kind else part.cast(storage), storage.to_pandas_dtype())
        valid = valid_mask(part)
        if self.absent is not None:
            present = values != self.absent
            if not present.all():
                valid = present if valid is None else valid & present
        if values.dtype == np.uint64:
            codes: Ints = (values - np.uint64(self.low)).view(np.int64)
        else:
            codes = values.astype(np.int64, copy=False)
            codes = codes - self.low if self.low else codes
        return codes if valid is None else np.where(valid, codes, -1)

    def decode(self, slots: Ints) -> pa.Array:
        dtype = np.dtype(integer_storage(self.kind).to_pandas_dtype())
        values = slots.astype(dtype) + dtype.type(self.low)
        return pa.array(values.astype(bool)) if pa.types.is_boolean(self.kind) else pa.array(values).cast(self.kind)


def _of_integers(column: Column, absent: int | None) -> Numbering | None:
    storage = integer_storage(column.type)
    values = column if storage == column.type else column.cast(storage)
    any_missing = values.null_count > 0
    if absent is not None:
        known = pc.if_else(pc.equal(values, absent), None, values)
        any_missing, values = known.null_count > 0, known
    low, high = (bound.as_py() for bound in pc.min_max(values).values())
    if low is None:
        low, high = 0, -1
    if high - low >= WIDEST:
        return None
    if 0 < low <= (high - low) // 8:
        low = 0  # a few slots more, but integers of 64 bits are their own
    integers = _Integers(column.type, low, absent)
    return Numbering(column, integers.codes, high - low + 1, integers.decode, any_missing)


@dataclass(frozen=True, slots=True)
class _Codes:
    """Codes into a dictionary, as they are or by a table of slots, the last one for a missing key."""

    dictionary: pa.Array
    slots: Ints | None

    def codes(self, part: pa.DictionaryArray) -> Ints:
        indices = part.indices
        numbers = fixed_width(indices, indices.type.to_pandas_dtype())
        valid = valid_mask(indices)
        if valid is not None:
            numbers = np.where(valid, numbers, -1)
        return numbers.astype(np.int64) if self.slots is None else self.slots[numbers]

    def decode(self, slots: Ints) -> pa.Array:
        return self.dictionary.take(pa.array(slots))


def _of_dictionary(column: Column, ordered: bool) -> Numbering:
    if isinstance(column, pa.ChunkedArray):
        column = column.unify_dictionaries()
        dictionary = column.chunk(0).dictionary if column.num_chunks else pa.array([], column.type.value_type)
    else:
        dictionary = column.dictionary
    slots: Ints | None = None
    distinct = dictionary.dictionary_encode()
    if len(distinct.dictionary) < len(dictionary) or dictionary.null_count:
        # A function of the values, applied to a dictionary, may have made some equal, or null.
        slots = np.append(distinct.indices.fill_null(-1).to_numpy(zero_copy_only=False), -1).astype(np.int64)
        dictionary = distinct.dictionary
    if ordered:
        order = argsort([dictionary])
        rank = np.empty(len(order) + 1, np.int64)
        rank[order] = np.arange(len(order))
        rank[-1] = -1
        slots, dictionary = rank if slots is None else rank[slots], dictionary.take(pa.array(order))
    codes = _Codes(dictionary, slots)
    any_missing = column.null_count > 0 or (slots is not None and int(slots[:-1].min(initial=0)) < 0)
    return Numbering(column, codes.codes, len(dictionary), codes.decode, any_missing)


def _of_strings(column: Column) -> Numbering | None:
    known = column.drop_null() if column.null_count else column
    packing = packing_of(chunks_of(known), most_direct(len(column)))
    if packing is None:
        return None
    return Numbering(column, packing.codes, packing.size, packing.decode, column.null_count > 0)
