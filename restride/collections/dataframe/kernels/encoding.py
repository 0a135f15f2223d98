"""Key columns as slots: a number for each row, so that equal numbers stand for equal keys.

What everything that groups or matches by keys starts from. Some columns have numbers of their own (`numberings`);
others are looked up once. Slots of several columns combine to one number a row by mixed radix (`combined`), as long as
that fits into 62 bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from restride.collections.dataframe.kernels.memory import Column, chunks_of, valid_mask
from restride.collections.dataframe.kernels.numberings import (
    WIDEST,
    Numbering,
    integer_storage,
    most_direct,
    numbering_of,
    numbering_of_codes,
)
from restride.engine.graphs.csr import Ints


@dataclass(frozen=True, slots=True)
class Slots:
    """Numbers of the keys of one column."""

    codes: Ints
    """int64 for each row, below `size`; -1 where the key is missing."""
    size: int
    decode: Callable[[Ints], pa.Array]
    """The keys of some slots, none of them missing."""
    any_missing: bool

    @property
    def direct(self) -> bool:
        """Whether a table addressed by the slots is no larger than is right for the rows."""
        return self.size <= most_direct(len(self.codes))


def encode(column: Column, *, codes: bool = False, ordered: bool = False) -> Slots:
    """The slots of a column.

    Parameters
    ----------
    column : pyarrow.Array or ChunkedArray
    codes : bool
        The column holds codes of categories, where -1 stands for a missing one.
    ordered : bool
        Smaller slots have to stand for smaller keys.
    """
    kind = column.type
    if pa.types.is_null(kind):
        return Slots(np.full(len(column), -1, np.int64), 0, lambda slots: pa.nulls(len(slots)), len(column) > 0)
    numbering = numbering_of(column, absent=-1 if codes else None, ordered=ordered)
    if numbering is not None:
        return _numbered(numbering)
    if pa.types.is_floating(kind):
        return _of_floats(column, ordered)
    if pa.types.is_integer(kind) or pa.types.is_temporal(kind):
        return _of_wide_integers(column, ordered)
    numbering = numbering_of(column.dictionary_encode(), ordered=ordered)
    assert numbering is not None
    return _numbered(numbering)


def encode_codes(column: Column, n_categories: int) -> Slots:
    """The slots of a column of codes of categories: the codes themselves."""
    return _numbered(numbering_of_codes(column, n_categories))


def _numbered(numbering: Numbering) -> Slots:
    parts = [numbering.codes(part) for part in chunks_of(numbering.column)]
    codes = parts[0] if len(parts) == 1 else np.concatenate([np.zeros(0, np.int64), *parts])
    return Slots(codes, numbering.size, numbering.decode, numbering.any_missing)


def combined(columns: Sequence[Slots], *, keep_missing: bool) -> Slots | None:
    """Several columns as one, whose slots are in the order of the first column, then of the second and so on.

    A missing key has the slot above all others of its column if it is to be kept; else no row that lacks a key has one.
    None if the numbers would not fit. The result has no keys to decode: see `separated`.
    """
    size = 1
    for column in columns:
        size *= column.size + keep_missing
    if size >= WIDEST:
        return None
    total = np.zeros(0, np.int64)
    missing: np.ndarray | None = None
    for number, column in enumerate(columns):
        codes = column.codes
        if column.any_missing:
            absent = codes < 0
            if keep_missing:
                codes = np.where(absent, column.size, codes)
            else:
                missing = absent if missing is None else missing | absent
        if number == 0:
            total = codes
        else:
            total = total * (column.size + keep_missing)
            total += codes
    if missing is not None:
        total = np.where(missing, -1, total)
    return Slots(total, size, _undecodable, missing is not None)


def separated(columns: Sequence[Slots], slots: Ints, *, keep_missing: bool) -> list[Ints]:
    """The slots in each column for some slots of `combined`."""
    separate: list[Ints] = []
    for column in columns[:0:-1]:
        slots, own = np.divmod(slots, column.size + keep_missing)
        separate.append(own)
    return [slots, *separate[::-1]]


def decoded(column: Slots, slots: Ints) -> pa.Array:
    """The keys of some slots, null for the slot above all others."""
    absent = slots == column.size
    if not absent.any():
        return column.decode(slots)
    if column.size == 0:
        return pa.nulls(len(slots), column.decode(slots[:0]).type)
    places = np.cumsum(~absent) - 1
    return column.decode(slots[~absent]).take(pa.array(places, mask=absent))


def to_numpy(column: Column) -> np.ndarray:
    """The values of a column without nulls as one array, without copies where it is one chunk."""
    if isinstance(column, pa.ChunkedArray):
        if column.num_chunks != 1:
            parts = [to_numpy(chunk) for chunk in column.chunks if len(chunk)]
            return np.concatenate(parts) if parts else pa.array([], column.type).to_numpy(zero_copy_only=False)
        column = column.chunk(0)
    return column.to_numpy(zero_copy_only=False)


def _of_wide_integers(column: Column, ordered: bool) -> Slots:
    kind, storage = column.type, integer_storage(column.type)
    valid = valid_mask(column)
    whole = column if storage == kind else column.cast(storage)
    values = to_numpy(whole if valid is None else pc.fill_null(whole, 0))
    return _looked_up(values, valid, lambda values: pa.array(values).cast(kind), ordered)


def _of_floats(column: Column, ordered: bool) -> Slots:
    kind = column.type
    values = to_numpy(column if column.null_count == 0 else pc.fill_null(column, np.nan))
    return _looked_up(values, None, lambda values: pa.array(values, kind), ordered)


def _looked_up(
    values: np.ndarray, valid: np.ndarray | None, rebuild: Callable[[np.ndarray], pa.Array], ordered: bool
) -> Slots:
    if valid is not None:
        codes = np.full(len(values), -1, np.int64)
        codes[valid], distinct = pd.factorize(values[valid])
    elif values.dtype == np.float16:
        codes, distinct = pd.factorize(values.astype(np.float32))
        distinct = np.asarray(distinct).astype(np.float16)
    else:
        codes, distinct = pd.factorize(values)
    codes, distinct = codes.astype(np.int64, copy=False), np.asarray(distinct)
    any_missing = bool(valid is not None or (values.dtype.kind == "f" and len(codes) and codes.min() < 0))
    if ordered:
        order = np.argsort(distinct)
        codes, distinct = _renumbered(codes, order), distinct[order]
    return Slots(codes, len(distinct), lambda slots: rebuild(distinct[slots]), any_missing)


def _renumbered(codes: Ints, order: Ints) -> Ints:
    """Codes of what is put in another order; -1 stays."""
    rank = np.empty(len(order) + 1, np.int64)
    rank[order] = np.arange(len(order))
    rank[-1] = -1
    return rank[codes]


def _undecodable(slots: Ints) -> pa.Array:
    raise TypeError("slots of several columns stand for no values of their own")
