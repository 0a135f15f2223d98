"""Groups by addressing tables with the keys: rows are taken in once, some at a time, and none is moved.

Where keys have numbers of their own, few for the rows that there are, a group's place is known without a look at other
rows. So nothing is kept a row: what is summed up for each place takes in blocks of rows that stay in the processor's
cache, from as many parts of a table as there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from restride.collections.dataframe.kernels.accumulators import Accumulator, Part, accumulator_of, add_at
from restride.collections.dataframe.kernels.arrow_groups import can_group_by_arrow, group_by_arrow
from restride.collections.dataframe.kernels.encoding import Slots, decoded, separated
from restride.collections.dataframe.kernels.group_states import Size, State
from restride.collections.dataframe.kernels.grouping import Order, stable_order
from restride.collections.dataframe.kernels.memory import Column, fixed_width
from restride.collections.dataframe.kernels.numberings import DIRECT_SLOTS, Numbering, numbering_of, numbering_of_codes
from restride.engine.graphs.csr import Ints

_BLOCK = 1 << 19
"""Rows that are taken in at once: as many as make what numpy does under the interpreter's lock seldom."""
_FIRST_LOOK = 1 << 14
"""Rows among which new groups are looked for at a time: often all are among the first."""
_FEW_SLOTS = 1 << 12
"""Slots up to which Arrow takes little longer than tables, and two threads half of that, which wait here for each other
as numpy adds at places under the interpreter's lock: its own table outgrows the processor's caches sooner."""
_MANY_ROWS = 1 << 15
"""Rows from which Arrow does: a call takes 0.2 ms."""


@dataclass(frozen=True)
class DirectKeys:
    """Key columns whose combinations of keys address a table."""

    columns: tuple[Numbering, ...]
    categories: tuple[int | None, ...]
    dropna: bool
    rows: int

    @property
    def size(self) -> int:
        """How many combinations there may be."""
        size = 1
        for column in self.columns:
            size *= self._width(column)
        return size

    def _width(self, column: Numbering) -> int:
        return column.size + (not self.dropna)

    def blocks(self, others: Sequence[Column]) -> Iterator[tuple[Ints, list[pa.Array]]]:
        """The slots of some rows after the other, `size` for those in no group, and these rows of other columns."""
        arrays = [*(column.column for column in self.columns), *others]
        table = pa.Table.from_arrays(arrays, names=[str(i) for i in range(len(arrays))])
        n = len(self.columns)
        for batch in table.to_batches(max_chunksize=_BLOCK):
            yield self._slots(batch.columns[:n]), batch.columns[n:]

    def _slots(self, parts: Sequence[pa.Array]) -> Ints:
        total: Ints | None = None
        missing: np.ndarray | None = None
        for column, part in zip(self.columns, parts):
            codes = column.codes(part)
            if column.any_missing:
                absent = codes < 0
                codes = np.where(absent, column.size, codes)
                if self.dropna:
                    missing = absent if missing is None else missing | absent
            total = codes if total is None else total * self._width(column) + codes
        assert total is not None
        return total if missing is None or len(self.columns) == 1 else np.where(missing, self.size, total)

    def keys(self, slots: Ints) -> list[pa.Array]:
        """The keys of some slots, column by column."""
        columns = [Slots(slots[:0], column.size, column.decode, column.any_missing) for column in self.columns]
        owns = separated(columns, slots, keep_missing=not self.dropna)
        keys = [decoded(column, own) for column, own in zip(columns, owns)]
        return [key if count is None else pc.fill_null(key, -1) for key, count in zip(keys, self.categories)]


def direct_keys(
    columns: Sequence[Column], categories: Sequence[int | None], *, dropna: bool, ordered: bool = False
) -> DirectKeys | None:
    """Key columns as `DirectKeys`; None if they are too many, or have no numbers of their own.

    Parameters
    ----------
    columns : sequence of pyarrow columns
        Of one length.
    categories : sequence of int or None
        For each column how many categories there are, where it holds codes of them.
    dropna : bool
        Rows that lack a key are in no group.
    ordered : bool
        Slots have to be in the order of the keys.
    """
    numberings = []
    size, most = 1, max(DIRECT_SLOTS, len(columns[0]))  # as each state has a table, not as many as one table may have
    for column, count in zip(columns, categories):
        known = numbering_of(column, ordered=ordered) if count is None else numbering_of_codes(column, count)
        if known is None:
            return None
        size *= known.size + (not dropna)
        if size > most:
            return None
        numberings.append(known)
    return DirectKeys(tuple(numberings), tuple(categories), dropna, len(columns[0]))


def group_directly(
    columns: Sequence[Column],
    categories: Sequence[int | None],
    states: Sequence[State],
    made_of: Sequence[Column],
    *,
    partial: bool,
    dropna: bool,
    order: Order,
) -> tuple[list[pa.Array], list[pa.Array]] | None:
    """The keys of groups, column by column, and each state of each; None if that is not possible.

    500,000 rows with keys of int64 take 1.9 ms for a count and two sums of up to 10,000 groups, 2.8 ms of 100,000.

    Parameters
    ----------
    columns, categories, dropna
        See `direct_keys`.
    states : sequence of State
    made_of : sequence of pyarrow columns
        What each state is made of: a column of values, or states of the same kind.
    partial : bool
        Whether they are states.
    order : {"any", "key", "appearance"}
        Of the groups.

    Examples
    --------
    >>> from restride.collections.dataframe.kernels.group_states import Sum
    >>> keys, values = pa.chunked_array([[7, 5], [7]]), pa.chunked_array([[1, 2], [3]])
    >>> group_directly([keys], [None], [Sum(1)], [values], partial=False, dropna=True, order="key")
    ([<pyarrow.lib.Int64Array object at ...>
    [
      5,
      7
    ]], [<pyarrow.lib.Int64Array object at ...>
    [
      2,
      4
    ]])
    """
    accumulators = [accumulator_of(state, column.type, partial=partial) for state, column in zip(states, made_of)]
    if None in accumulators:
        return None
    keys = direct_keys(columns, categories, dropna=dropna, ordered=order == "key")
    if keys is None:
        return None
    few = keys.size <= _FEW_SLOTS and keys.rows >= _MANY_ROWS and not all(isinstance(state, Size) for state in states)
    if few and can_group_by_arrow(states, made_of, partial=partial):
        slots, values = _by_arrow(keys, states, made_of, partial, order)
    else:
        slots, values = _by_tables(keys, [one for one in accumulators if one is not None], made_of, order)
    return keys.keys(slots), values


def _by_arrow(
    keys: DirectKeys, states: Sequence[State], made_of: Sequence[Column], partial: bool, order: Order
) -> tuple[Ints, list[pa.Array]]:
    rows = pa.chunked_array([pa.array(slots) for slots, _ in keys.blocks([])], pa.int64())
    found, values = group_by_arrow(rows, states, made_of, partial=partial, dropna=False, order=order)
    slots = fixed_width(found, np.int64)
    of_groups = slots < keys.size
    if not of_groups.all():
        slots, values = slots[of_groups], [column.filter(pa.array(of_groups)) for column in values]
    return slots, values


def _by_tables(
    keys: DirectKeys, accumulators: Sequence[Accumulator], made_of: Sequence[Column], order: Order
) -> tuple[Ints, list[pa.Array]]:
    others = list({id(column): column for column in made_of}.values())
    places = [[id(other) for other in others].index(id(column)) for column in made_of]
    sizes = np.zeros(keys.size + 1, np.int64)  # of no group last
    for accumulator in accumulators:
        accumulator.begin(keys.size + 1)
    first_rows = FirstRows(keys)
    for slots, arrays in keys.blocks(others):
        add_at(sizes, slots)
        parts = [Part(array) for array in arrays]
        for accumulator, place in zip(accumulators, places):
            accumulator.add(slots, parts[place])
        if order == "appearance":
            first_rows.add(slots, int(np.count_nonzero(sizes)))
    present = np.flatnonzero(sizes[:-1])
    if order == "appearance":
        present = present[stable_order(first_rows.rows[present], keys.rows)]
    return present, [accumulator.found(present, sizes) for accumulator in accumulators]


class FirstRows:
    """The first row of each slot, as rows are taken in from the first to the last."""

    def __init__(self, keys: DirectKeys) -> None:
        self._none = keys.rows
        self.rows = np.full(keys.size + 1, self._none)
        self.found = 0
        """How many slots have one."""
        self._next = 0

    def add(self, slots: Ints, found: int) -> None:
        """Take in the next rows, given how many slots have rows with them."""
        for start in range(0, len(slots), _FIRST_LOOK):
            if self.found >= found:
                break
            part = slots[start : start + _FIRST_LOOK]
            new = np.flatnonzero(self.rows[part] == self._none)[::-1]  # the first of equal ones is written last
            rows, places = new + (self._next + start), part[new]
            self.rows[places] = rows
            self.found += int(np.count_nonzero(self.rows[places] == rows))
        self._next += len(slots)


class LastRows:
    """The last row of each slot, likewise."""

    def __init__(self, keys: DirectKeys) -> None:
        self.rows = np.full(keys.size + 1, -1)
        self._next = 0

    def add(self, slots: Ints, found: int) -> None:
        """Take in the next rows."""
        self.rows[slots] = np.arange(self._next, self._next + len(slots))
        self._next += len(slots)
