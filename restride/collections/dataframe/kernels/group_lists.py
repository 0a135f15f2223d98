"""Aggregates that need all values of a group, or all distinct ones: lists as states, and what follows from these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from restride.collections.dataframe.kernels.encoding import Slots, combined, decoded, encode, separated, to_numpy
from restride.collections.dataframe.kernels.group_states import known, numbers
from restride.collections.dataframe.kernels.grouping import Groups, numbered, stable_order
from restride.collections.dataframe.kernels.memory import Column, one_array
from restride.engine.graphs.csr import Ints

MARKS_PER_ROW, MOST_MARKS = 128, 1 << 26
"""Pairs that there may be up to which a mark for each, a byte, is quicker than a lookup a row."""


@dataclass(frozen=True)
class Collected:
    """The values of each group in the order of their rows."""

    column: int
    dropna: bool = True
    codes: bool = False

    def chunk(self, columns: Sequence[Column], groups: Groups) -> pa.Array:
        return self._of(columns[self.column], groups)

    def combine(self, states: Column, groups: Groups) -> pa.Array:
        return _joined(states, groups)

    def _of(self, values: Column, groups: Groups) -> pa.Array:
        valid = known(values, self.codes) if self.dropna else None
        codes = groups.codes if valid is None else np.where(valid, groups.codes, groups.n)
        kept = Groups(codes, groups.n, [])
        return _lists(one_array(values).take(pa.array(kept.by_group())), np.bincount(codes, minlength=kept.n + 1)[:-1])


@dataclass(frozen=True)
class Distinct:
    """The distinct values of each group in the order in which they appear, or in any."""

    column: int
    dropna: bool = True
    codes: bool = False
    in_order: bool = True

    def chunk(self, columns: Sequence[Column], groups: Groups) -> pa.Array:
        return self._of(columns[self.column], groups)

    def combine(self, states: Column, groups: Groups) -> pa.Array:
        lists = one_array(states)
        return self._of(lists.flatten(), Groups(np.repeat(groups.codes, list_lengths(lists)), groups.n, []))

    def _of(self, column: Column, groups: Groups) -> pa.Array:
        values = encode(column, codes=self.codes)
        if values.any_missing and not self.dropna:
            # A missing value is one of the values: it has the slot that stands for none.
            there = np.where(values.codes < 0, values.size, values.codes)
            slots = Slots(there, values.size + 1, values.decode, False)
        else:
            slots = values
        absent = groups.codes == groups.n
        owners = Slots(np.where(absent, -1, groups.codes), groups.n, values.decode, bool(absent.any()))
        owner, value = self._pairs(owners, slots)
        found = decoded(values, value)
        if self.codes:
            found = pc.fill_null(found, -1)
        return _lists(found, np.bincount(owner, minlength=groups.n))

    def _pairs(self, owners: Slots, values: Slots) -> tuple[Ints, Ints]:
        """The group and the value of each pair that there is, group after group."""
        together = None if self.in_order else combined([owners, values], keep_missing=False)
        if together is None or together.size > min(MARKS_PER_ROW * len(together.codes), MOST_MARKS):
            _, (owner, value) = numbered([owners, values], False, "appearance")
            order = stable_order(owner, owners.size)
            return owner[order], value[order]
        seen = np.zeros(together.size + 1, bool)
        seen[together.codes] = True  # -1, no pair, is the last
        owner, value = separated([owners, values], np.flatnonzero(seen[:-1]), keep_missing=False)
        return owner, value


def list_lengths(lists: pa.Array) -> Ints:
    """How many values each list has."""
    return to_numpy(lists.value_lengths()).astype(np.int64)


def quantiles(lists: pa.Array, q: float, interpolation: str) -> pa.Array:
    """A quantile of each list of numbers without missing ones, as float64; null where the list is empty.

    Parameters
    ----------
    lists : pyarrow.ListArray
    q : float
        From 0 to 1.
    interpolation : {"linear", "lower", "higher", "midpoint", "nearest"}
        Where the quantile lies between two values; of two that are as near, the one at the even place.
    """
    values = sorted_within(lists)
    if values.dtype.kind in "bu" or values.dtype.itemsize < 8:
        values = values.astype(np.float64)
    counts = list_lengths(lists)
    there = counts > 0
    starts = np.cumsum(counts) - counts
    place = q * (counts - 1)
    below = np.floor(place).astype(np.int64)
    fraction = (place - below)[there]
    first = (starts + below)[there]
    low, high = values[first], values[np.minimum(first + 1, (starts + counts - 1)[there])]
    if interpolation == "lower":
        result = low
    elif interpolation == "higher":
        result = np.where(fraction == 0, low, high)
    elif interpolation == "midpoint":
        result = np.where(fraction == 0, low, low + (high - low) / 2 if low.dtype.kind == "M" else (low + high) / 2)
    elif interpolation == "nearest":
        up = (fraction > 0.5) | ((fraction == 0.5) & (below[there] % 2 == 1))
        result = np.where(up, high, low)
    else:
        result = np.where(fraction == 0, low, low + (high - low) * fraction)
    places = np.cumsum(there) - 1
    return pa.array(result).take(pa.array(places, mask=~there))


def sorted_within(lists: pa.Array) -> np.ndarray:
    """The values of all lists, ascending in each."""
    values, _ = numbers(lists.flatten())
    counts = list_lengths(lists)
    if len(counts) < len(values) // 4096:
        stops = np.cumsum(counts)
        return np.concatenate([np.sort(part) for part in np.split(values, stops[:-1])])
    owners = np.repeat(np.arange(len(counts)), counts)
    order = np.argsort(values)  # equal values are alike: numpy's stable sort takes five times as long
    return values[order[stable_order(owners[order], len(counts))]]


def joined_strings(lists: pa.Array) -> pa.Array:
    """Each list of strings as one string."""
    plain = lists.cast(pa.list_(pa.string())) if pa.types.is_dictionary(lists.type.value_type) else lists
    return pc.binary_join(plain, "")


def _joined(states: Column, groups: Groups) -> pa.Array:
    lists = one_array(states)
    owners = Groups(np.repeat(groups.codes, list_lengths(lists)), groups.n, [])
    return _lists(lists.flatten().take(pa.array(owners.by_group())), owners.sizes())


def _lists(values: Column, counts: Ints) -> pa.ListArray:
    offsets = np.zeros(len(counts) + 1, np.int32)
    np.cumsum(counts, out=offsets[1:])
    return pa.ListArray.from_arrays(pa.array(offsets), one_array(values))
