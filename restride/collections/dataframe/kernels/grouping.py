"""Rows by keys: the group of each row as a number, and the keys of each group.

Keys become slots (`encoding`). Where the slots are few for the rows that there are, groups are found by addressing a
table with them; otherwise by one lookup of one number a row, however many key columns there are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from restride.collections.dataframe.kernels.encoding import Slots, combined, decoded, encode, encode_codes, separated
from restride.collections.dataframe.kernels.memory import Column
from restride.engine.graphs.csr import Ints, positions, row_starts

Order = Literal["any", "key", "appearance"]

MOST_COMPLETE = 100_000_000
"""How many combinations of categories there may be where each gets a group."""


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of some rows."""

    codes: Ints
    """int64 for each row: its group, or `n` if it is in none as a key is missing."""
    n: int
    keys: list[pa.Array]
    """For each key column the keys of the groups."""
    known_sizes: Ints | None = None

    def first_rows(self) -> Ints:
        """The first row of each group."""
        rows = np.empty(self.n + 1, np.int64)
        rows[self.codes[::-1]] = np.arange(len(self.codes) - 1, -1, -1)
        return rows[: self.n]

    def last_rows(self) -> Ints:
        """The last row of each group."""
        rows = np.empty(self.n + 1, np.int64)
        rows[self.codes] = np.arange(len(self.codes))
        return rows[: self.n]

    def sizes(self) -> Ints:
        """How many rows each group has."""
        if self.known_sizes is not None:
            return self.known_sizes
        return np.bincount(self.codes, minlength=self.n + 1)[: self.n]

    def by_group(self) -> Ints:
        """The rows that are in groups, group after group, in their order within each."""
        return stable_order(self.codes, self.n)[: len(self.codes) - int(np.count_nonzero(self.codes == self.n))]

    def ends(self, n: int, *, last: bool) -> Ints:
        """The first, or last, `n` rows of each group, ascending; a pass of a radix sort over all rows."""
        sizes = self.sizes()
        counts = np.minimum(sizes, n)
        starts = row_starts(sizes)
        chosen = np.zeros(len(self.codes), bool)
        chosen[self.by_group()[positions(starts[1:] - counts if last else starts[:-1], counts)]] = True
        return np.flatnonzero(chosen)


def group(
    columns: Sequence[Column],
    *,
    categories: Sequence[int | None] | None = None,
    dropna: bool = True,
    order: Order = "any",
    complete: bool = False,
) -> Groups:
    """Group rows by one or several key columns.

    Parameters
    ----------
    columns : sequence of pyarrow columns
        Of one length, at least one.
    categories : sequence of int or None, optional
        For each column how many categories there are, where it holds codes of them, -1 for a missing one.
    dropna : bool
        Rows that lack a key are in no group; otherwise a missing key is one like others, and the last in order.
    order : {"any", "key", "appearance"}
        Of the groups.
    complete : bool
        Groups for categories that do not occur, too, in combination with all keys of other columns.

    Examples
    --------
    >>> groups = group([pa.array(["b", "a", None, "b"])], order="key")
    >>> groups.codes, groups.n, groups.keys[0].to_pylist()
    (array([1, 0, 2, 1]), 2, ['a', 'b'])
    """
    slots = _slots(columns, categories, ordered=order == "key")
    sizes = None
    if complete:
        numbers, present = _completed(slots, [count is not None for count in categories or []], not dropna, order)
    elif len(slots) == 1 and order != "appearance" and slots[0].direct and not slots[0].any_missing:
        counts = np.bincount(slots[0].codes, minlength=slots[0].size)
        present = [np.flatnonzero(counts)]
        numbers, sizes = _numbers_of(slots[0], present[0]), counts[present[0]]
    else:
        numbers, present = numbered(slots, not dropna, order)
    keys = [decoded(column, own) for column, own in zip(slots, present)]
    for i, count in enumerate(categories or []):
        keys[i] = keys[i] if count is None else pc.fill_null(keys[i], -1)
    return Groups(numbers, len(present[0]), keys, sizes)


def number_rows(
    columns: Sequence[Column], *, categories: Sequence[int | None] | None = None, dropna: bool = True
) -> Groups:
    """Groups of rows as by `group`, in any order, without their keys; numbers may be left out, as of groups of no rows.

    Examples
    --------
    >>> number_rows([pa.array([7, 5, None, 7])]).codes
    array([2, 0, 3, 2])
    """
    slots = _slots(columns, categories, ordered=False)
    if len(slots) > 1 or not slots[0].direct or (slots[0].any_missing and not dropna):
        codes, present = numbered(slots, not dropna, "any")
        return Groups(codes, len(present[0]), [])
    codes, size = slots[0].codes, slots[0].size
    return Groups(np.where(codes < 0, size, codes) if slots[0].any_missing else codes, size, [])


def _slots(columns: Sequence[Column], categories: Sequence[int | None] | None, *, ordered: bool) -> list[Slots]:
    return [
        encode(column, ordered=ordered) if count is None else encode_codes(column, count)
        for column, count in zip(columns, categories or [None] * len(columns), strict=True)
    ]


def stable_order(codes: Ints, top: int) -> Ints:
    """The stable order of numbers from 0 to `top`, by digits of 16 bits."""
    if top < 1 << 16:
        return np.argsort(codes.astype(np.uint8 if top < 256 else np.uint16), kind="stable")
    order = np.argsort((codes & 0xFFFF).astype(np.uint16), kind="stable")
    for shift in range(16, top.bit_length(), 16):
        digits = ((codes >> shift) & 0xFFFF).astype(np.uint16)
        order = order[np.argsort(digits[order], kind="stable")]
    return order


def numbered(columns: Sequence[Slots], keep_missing: bool, order: Order) -> tuple[Ints, list[Ints]]:
    """The group of each row by columns of slots, `n` for none, and for each column the slots of the groups."""
    together = combined(columns, keep_missing=keep_missing)
    if together is not None:
        codes, present = _found(together, order)
        return codes, separated(columns, present, keep_missing=keep_missing)
    if len(columns) > 2:
        # All but the last first; their groups are at most as many as rows, and so are the keys of the last that occur.
        codes, owns = numbered(columns[:-1], keep_missing, order)
        n = len(owns[0])
        missing = codes == n
        head = Slots(np.where(missing, -1, codes), n, _undecodable, bool(missing.any()))
        codes, [pairs, last] = numbered([head, columns[-1]], keep_missing, order)
        return codes, [*(own[pairs] for own in owns), last]
    dense = [_dense(column, order) for column in columns]
    codes, numbers = numbered([slots for slots, _ in dense], keep_missing, order)
    owns = [np.append(own, column.size)[number] for (_, own), number, column in zip(dense, numbers, columns)]
    return codes, owns


def _found(slots: Slots, order: Order) -> tuple[Ints, Ints]:
    """The group of each row, and the slot of each group."""
    if slots.direct:
        codes, present = _addressed(slots)
        if order == "appearance":
            places = Groups(codes, len(present), []).first_rows()
            codes, present = _reordered(codes, present, np.argsort(places))
        return codes, present
    codes, present = pd.factorize(slots.codes)
    codes, present = codes.astype(np.int64, copy=False), np.asarray(present)
    if slots.any_missing:
        # -1 is one of the values here: no group, so that it has to be the last.
        [place] = np.flatnonzero(present == -1)
        codes = np.where(codes == place, len(present) - 1, codes - (codes > place))
        present = np.delete(present, place)
    if order == "key":
        codes, present = _reordered(codes, present, np.argsort(present))
    return codes, present


def _addressed(slots: Slots) -> tuple[Ints, Ints]:
    seen = np.zeros(slots.size + 1, bool)
    seen[slots.codes] = True  # -1, no group, is the last
    present = np.flatnonzero(seen[:-1])
    return _numbers_of(slots, present), present


def _numbers_of(slots: Slots, present: Ints) -> Ints:
    """For each row the number of its slot among those that are present."""
    if len(present) == slots.size and not slots.any_missing:
        return slots.codes
    number = np.empty(slots.size + 1, np.int64)
    number[present] = np.arange(len(present))
    number[-1] = len(present)
    return number[slots.codes]


def _reordered(codes: Ints, present: Ints, order: Ints) -> tuple[Ints, Ints]:
    rank = np.empty(len(order) + 1, np.int64)
    rank[order] = np.arange(len(order))
    rank[-1] = len(order)
    return rank[codes], present[order]


def _completed(
    columns: Sequence[Slots], whole: Sequence[bool], keep_missing: bool, order: Order
) -> tuple[Ints, list[Ints]]:
    """As `numbered`, with groups for combinations of keys that do not occur: as pandas has them, of those that do."""
    codes, present = numbered(columns, True, "key" if order == "key" else "appearance")
    size = len(present[0]) * math.prod(column.size + 1 for column, is_whole in zip(columns, whole) if is_whole)
    if size > MOST_COMPLETE:
        raise MemoryError(f"up to {size:,} combinations of keys are too many for a group each: group by observed=True")
    keys = pd.DataFrame(index=range(len(present[0])))
    for i, (column, own, is_whole) in enumerate(zip(columns, present, whole)):
        own = np.where(own == column.size, -1, own)
        dtype = pd.CategoricalDtype(range(column.size))
        keys[i] = pd.Categorical.from_codes(own, dtype=dtype) if is_whole else np.where(own < 0, np.nan, own)
    by = list(keys.columns) if len(columns) > 1 else 0
    index = keys.groupby(by, observed=False, sort=order == "key", dropna=not keep_missing).size().index
    levels = [index.get_level_values(i) for i in range(len(columns))]
    slots = [
        np.where(level.isna(), column.size, np.asarray(level, np.float64)).astype(np.int64)
        for column, level in zip(columns, levels)
    ]
    of_groups, of_all = _packed(columns, present, slots)
    places = pd.Index(of_all).get_indexer(pd.Index(of_groups))
    return np.where(places < 0, len(of_all), places)[codes], slots


def _packed(columns: Sequence[Slots], *sides: Sequence[Ints]) -> list[Ints]:
    """For each combination of slots of each side a number, the same one for the same."""
    packed, size = np.zeros(sum(len(side[0]) for side in sides), np.int64), 1
    for column, *parts in zip(columns, *sides):
        if size * (column.size + 1) >= 1 << 62:
            there, packed = np.unique(packed, return_inverse=True)
            size = len(there)
        packed = packed * (column.size + 1) + np.concatenate(parts)
        size *= column.size + 1
    return np.split(packed, np.cumsum([len(side[0]) for side in sides])[:-1])


def _dense(column: Slots, order: Order) -> tuple[Slots, Ints]:
    """The same column with slots only for keys that occur, and which these are."""
    codes, present = _found(column, "key" if order == "key" else "any")
    if column.any_missing:
        codes = np.where(codes == len(present), -1, codes)
    return Slots(codes, len(present), _undecodable, column.any_missing), present


def _undecodable(slots: Ints) -> pa.Array:
    raise TypeError("slots of several columns, or of some of their keys, stand for no values of their own")
