"""The three steps of an aggregation by groups: of each partition, of several partial results, and to the end.

Partial results are tables of the keys, then the states, of each group. They may be combined in any grouping that keeps
their order; a table of rows may also be finished at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from restride.collections.dataframe.kernels.aggregates import Aggregate
from restride.collections.dataframe.kernels.arrow_groups import can_group_by_arrow, group_by_arrow
from restride.collections.dataframe.kernels.direct_groups import group_directly
from restride.collections.dataframe.kernels.group_states import State, moved, positions_in
from restride.collections.dataframe.kernels.grouping import Groups, Order, group, number_rows
from restride.collections.dataframe.kernels.memory import one_array

SAMPLE_ROWS = 1 << 15
"""Rows from which it is told whether groups are few."""
_FEW_ROWS = 1 << 16
"""Rows of states below which parts are made one: 20 of 100 groups are combined in 0.3 ms instead of 2."""


@dataclass(frozen=True)
class Keys:
    """How rows are grouped."""

    columns: tuple[int, ...]
    """Positions of the key columns in the table of rows."""
    categories: tuple[int | None, ...]
    """For each how many categories there are, where it holds codes of such."""
    dropna: bool = True
    sort: bool = True
    """Whether groups come in the order of their keys, otherwise in that in which they appear."""
    observed: bool = True
    """Otherwise there is a group for each combination of categories."""

    def groups(self, columns: Sequence[pa.ChunkedArray], order: Order, *, last: bool = False) -> Groups:
        """The groups of rows of which these are the key columns; in the last step with those that do not occur."""
        if self.observed:
            return group(columns, categories=self.categories, dropna=self.dropna, order=order)
        # Which combinations there are, rows without all keys have a say in.
        dropna = self.dropna and last
        return group(columns, categories=self.categories, dropna=dropna, order=order, complete=last)

    def numbers(self, columns: Sequence[pa.ChunkedArray]) -> Groups:
        """The groups of rows without their keys, in any order; some may be without rows."""
        return number_rows(columns, categories=self.categories, dropna=self.dropna)

    @property
    def step_order(self) -> Order:
        """Of groups in partial results."""
        return "any" if self.sort else "appearance"

    @property
    def last_order(self) -> Order:
        """Of groups in results."""
        return "key" if self.sort else "appearance"


@dataclass(frozen=True)
class Aggregation:
    """Aggregates by groups.

    Examples
    --------
    >>> from restride.collections.dataframe.kernels.aggregates import Source, states_of
    >>> total = states_of("sum", Source(1, pa.int64()))
    >>> aggregation = Aggregation(Keys((0,), (None,)), (total,))
    >>> parts = [pa.table({"k": ["b", "a"], "x": [1, 2]}), pa.table({"k": ["a"], "x": [3]})]
    >>> keys, totals = aggregation.finished(*map(aggregation.partial, parts))
    >>> keys.to_pylist(), totals.to_pylist()
    (['a', 'b'], [5, 1])
    """

    keys: Keys
    aggregates: tuple[Aggregate, ...]

    @property
    def states(self) -> tuple[State, ...]:
        """What is kept of each group, once each."""
        return tuple(dict.fromkeys(state for aggregate in self.aggregates for state in aggregate.states))

    def partial(self, *tables: pa.Table) -> pa.Table:
        """The partial result of rows."""
        order = self.keys.step_order
        whole = tables[0] if len(tables) == 1 else concat_partials(tables)
        found = self._chunk_directly(whole, order)
        if found is None and len(tables) > 1 and self._few_groups(tables[0]):
            return self._combine([self._chunk(table, order) for table in tables], order)
        return self._chunk(whole, order) if found is None else found

    def combined(self, *partials: pa.Table) -> pa.Table:
        """One partial result of several."""
        return self._combine(partials, self.keys.step_order)

    def finished(self, *partials: pa.Table) -> list[pa.Array]:
        """The columns of the result of all partial results: keys, then aggregates."""
        return self._values(self._combine(partials, self.keys.last_order, last=True))

    def at_once(self, table: pa.Table) -> list[pa.Array]:
        """The columns of the result of all rows of some groups."""
        order = self.keys.last_order
        found = self._chunk_directly(table, order)
        return self._values(self._chunk(table, order, last=True) if found is None else found)

    @property
    def used(self) -> tuple[int, ...]:
        """Positions of the columns of the table of rows that are looked at."""
        columns = set(self.keys.columns).union(*(positions_in(state) for state in self.states))
        return tuple(sorted(columns))

    def over(self, positions: Sequence[int]) -> Aggregation:
        """The same of a table of which only some columns are left, those at these positions."""
        place = {position: number for number, position in enumerate(positions)}
        keys = replace(self.keys, columns=tuple(place[position] for position in self.keys.columns))
        aggregates = tuple(
            replace(aggregate, states=tuple(moved(state, place) for state in aggregate.states))
            for aggregate in self.aggregates
        )
        return Aggregation(keys, aggregates)

    def _chunk(self, table: pa.Table, order: Order, *, last: bool = False) -> pa.Table:
        columns = table.columns
        keys = [columns[position] for position in self.keys.columns]
        found = self._of_strings(keys, self._made_of(table), order, partial=False)
        if found is not None:
            return found
        groups = self.keys.groups(keys, order, last=last)
        return _table(groups.keys, [state.chunk(columns, groups) for state in self.states])

    def _chunk_directly(self, table: pa.Table, order: Order) -> pa.Table | None:
        keys = [table.column(position) for position in self.keys.columns]
        return self._directly(keys, self._made_of(table), order, partial=False)

    def _made_of(self, table: pa.Table) -> list[pa.ChunkedArray]:
        """For each state the first column that it is made of; any where it is made of none."""
        positions = [(*positions_in(state), self.keys.columns[0])[0] for state in self.states]
        columns = {position: table.column(position) for position in positions}
        return [columns[position] for position in positions]

    def _combine(self, partials: Sequence[pa.Table], order: Order, *, last: bool = False) -> pa.Table:
        table = partials[0] if len(partials) == 1 else concat_partials(partials)
        if table.num_rows < _FEW_ROWS:
            table = table.combine_chunks()
        n_keys = len(self.keys.columns)
        keys, columns = table.columns[:n_keys], table.columns[n_keys:]
        found = self._directly(keys, columns, order, partial=True)
        if found is None:
            found = self._of_strings(keys, columns, order, partial=True)
        if found is not None:
            return found
        groups = self.keys.groups(keys, order, last=last)
        return _table(groups.keys, [state.combine(column, groups) for state, column in zip(self.states, columns)])

    def _values(self, table: pa.Table) -> list[pa.Array]:
        n_keys = len(self.keys.columns)
        states = dict(zip(self.states, map(one_array, table.columns[n_keys:])))
        values = [aggregate.values([states[state] for state in aggregate.states]) for aggregate in self.aggregates]
        return [*map(one_array, table.columns[:n_keys]), *values]

    def _directly(
        self, keys: Sequence[pa.ChunkedArray], made_of: Sequence[pa.ChunkedArray], order: Order, *, partial: bool
    ) -> pa.Table | None:
        """Simple states of keys that address a table, with nothing kept a row."""
        if not self.keys.observed:
            return None
        categories, dropna = self.keys.categories, self.keys.dropna
        found = group_directly(keys, categories, self.states, made_of, partial=partial, dropna=dropna, order=order)
        return None if found is None else _table(*found)

    def _of_strings(
        self, keys: Sequence[pa.ChunkedArray], made_of: Sequence[pa.ChunkedArray], order: Order, *, partial: bool
    ) -> pa.Table | None:
        """Simple states of one key of strings, likewise."""
        of_strings = len(keys) == 1 and pa.types.is_string(keys[0].type)
        if not of_strings or not can_group_by_arrow(self.states, made_of, partial=partial):
            return None
        key, states = group_by_arrow(
            keys[0], self.states, made_of, partial=partial, dropna=self.keys.dropna, order=order
        )
        return _table([key], states)

    def _few_groups(self, table: pa.Table) -> bool:
        """Whether partitions are better grouped one by one, each in the processor's caches."""
        columns = [table.column(position) for position in self.keys.columns]
        groups = self.keys.groups([column.slice(0, SAMPLE_ROWS) for column in columns], "any")
        return groups.n < SAMPLE_ROWS // 4 or slots_at_most(columns, table.num_rows // 2)


def slots_at_most(columns: Sequence[pa.ChunkedArray], most: int) -> bool:
    """Whether keys are integers of so few values that tables addressed by them stay in the processor's caches."""
    size = 1
    for column in columns:
        if not pa.types.is_integer(column.type):
            return False
        low, high = pc.min_max(column).values()
        size *= 1 if low.as_py() is None else high.as_py() - low.as_py() + 2
    return size <= most


def concat_partials(partials: Sequence[pa.Table]) -> pa.Table:
    """Partial results one below the other, also where some hold strings by dictionary and others do not."""
    schema = partials[0].schema
    if all(table.schema.equals(schema) for table in partials[1:]):
        return pa.concat_tables(partials)
    return pa.concat_tables(map(_decoded, partials), promote_options="permissive")


def _decoded(table: pa.Table) -> pa.Table:
    for i, field in enumerate(table.schema):
        plain = _without_dictionaries(field.type)
        if plain != field.type:
            table = table.set_column(i, field.name, table.column(i).cast(plain))
    return table


def _without_dictionaries(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return kind.value_type
    if pa.types.is_list(kind):
        return pa.list_(_without_dictionaries(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct(
            [(kind.field(i).name, _without_dictionaries(kind.field(i).type)) for i in range(kind.num_fields)]
        )
    return kind


def _table(keys: Sequence[pa.Array], states: Sequence[pa.Array]) -> pa.Table:
    names = [*(f"k{i}" for i in range(len(keys))), *(f"s{i}" for i in range(len(states)))]
    return pa.Table.from_arrays([*keys, *states], names=names)
