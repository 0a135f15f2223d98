"""Aggregates by groups, from states that are combined: the node, and the graph that it lowers to.

Where groups are few, each partition, or some together, give a partial result, and these are combined in a tree. Where
partial results would keep most of their rows, rows go by the hashes of their keys to as many tasks as there are
partitions first. Which of both is known from what is known of the keys, or from a look at those of one partition.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from restride.collections.blocks import Blocks, Map, Select, every
from restride.collections.dataframe.expr import FrameExpr, NewRows, Wanted
from restride.collections.dataframe.kernels.aggregates import Aggregate, same
from restride.collections.dataframe.kernels.group_states import Edge, Extreme, State, Truth, positions_in
from restride.collections.dataframe.kernels.group_tree import Aggregation, concat_partials
from restride.collections.dataframe.layout import Layout, is_string, layout_of
from restride.collections.dataframe.meta import Meta, column_dtypes, index_of, level_dtypes
from restride.collections.dataframe.operations.groupby.levels import RowPositions
from restride.collections.dataframe.operations.groupby.plan import (
    FEW_GROUPS,
    GroupPlan,
    grouping_rule,
    key_sample,
    plan_from,
    plan_without_data,
    remembered,
    split_rows,
)
from restride.collections.dataframe.operations.groupby.spread import Order, in_ranges
from restride.collections.dataframe.operations.hot_keys import WithHashes
from restride.collections.dataframe.operations.rowwise import Assign
from restride.collections.dataframe.operations.selection import narrow, narrowed_kind, projected_meta
from restride.collections.dataframe.operations.tree import gathered, neighbours, tapering
from restride.collections.dataframe.operations.within import RowsWithin
from restride.collections.dataframe.partition import Partition, column_to_pandas, from_pandas, index_to_pandas, table_of
from restride.collections.expression import Expr

SORTED_AT_ONCE = 2_000_000
"""Groups up to which one task puts them in order."""
FAN_IN = 8
FAN_IN_OF_FEW = 64
"""How many partial results are combined at a time where they have but `FEW_GROUPS`: a task costs more than they do."""
"""Partial results that are combined in one task."""


@dataclass(frozen=True, eq=False, repr=False)
class GroupAggregate(NewRows):
    """Aggregates of the groups of a frame's rows."""

    any_partitions = True

    frame: FrameExpr
    """Without index; no column is opaque."""
    aggregation: Aggregation
    of_meta: Any
    picks: tuple[int, ...]
    """The data columns of the result, among the keys and then the aggregates."""
    levels: tuple[int, ...]
    """The levels of its index, likewise; none for a default one."""
    split_out: int | None = None
    """How many partitions the result has, as the user said."""
    plan: GroupPlan | None = None
    """None until it is known; where rows are split, the frame is the one that is."""
    pieces: bool = False
    """Whether tasks run in other processes."""
    hot: FrameExpr | None = None
    """The rows of frequent keys, where others are split by hash: each partition gives a partial result of them."""

    @property
    def label(self) -> str:
        return "groupby"

    @property
    def detail(self) -> str:
        labels = list(map(str, self.frame.meta.columns))
        keys = [labels[position] for position in self.aggregation.keys.columns]
        kept = list(dict.fromkeys(_kept(state, labels) for state in self.aggregation.states))
        states = f": {', '.join([*kept[:6], *(['...'] if len(kept) > 6 else [])])}" if kept else ""
        how = "" if self._known_plan is None else f"; {self._known_plan}"
        return f"[{', '.join(keys)}{states}{how}]"

    @property
    def kernel_rule(self) -> str:
        return grouping_rule(self.frame, self.aggregation.keys.columns)

    @property
    def _known_plan(self) -> GroupPlan | None:
        """The plan, as far as it is known without a look at the data."""
        return self.plan or plan_without_data(self.frame, self.aggregation)

    def _meta(self) -> Meta:
        meta: Meta = self.of_meta
        return meta

    def _npartitions(self) -> int:
        return self.split_out or 1

    def _rows(self) -> str:
        keys = self.aggregation.keys
        return f"groups {self.frame.rows} {self._keys_name()} {keys.dropna, keys.sort, keys.observed, self.npartitions}"

    def _keys_name(self) -> str:
        return narrow(self.frame, Wanted(self.aggregation.keys.columns, False)).name

    def shipped(self) -> Expr:
        return self if self.pieces else self.replace(pieces=True)

    def questions(self) -> tuple[Expr, ...]:
        if self._known_plan is not None:
            return ()
        return (key_sample(self.frame, self.aggregation.keys),)

    def answered(self, answers: Sequence[Any]) -> GroupAggregate:
        (blocks,) = answers
        sample = remembered(self.frame, self.aggregation.keys, blocks[0])
        plan = plan_from(sample, self.frame, self.aggregation)
        if not plan.split:
            return self.replace(plan=plan)
        frame, keys = self.frame, self.aggregation.keys
        aggregates = self.aggregation.aggregates
        if not keys.sort:
            # Groups are in the order of their first rows.
            place = frame.layout.n_columns
            frame = Assign(frame, (place,), ("__row__",), (RowPositions(frame),))
            aggregates = (*aggregates, Aggregate((Extreme(place, greatest=False),), same))
        shuffled, plan = split_rows(frame, keys.columns, plan, pieces=self.pieces, origin=self.origin)
        hot = WithHashes(frame, keys.columns, plan.hot, True).made_at(self.origin) if plan.hot else None
        return self.replace(frame=shuffled, aggregation=Aggregation(keys, aggregates), plan=plan, hot=hot)

    def narrowed(self, wanted: Wanted) -> FrameExpr | None:
        n_keys = len(self.aggregation.keys.columns)
        picks = tuple(self.picks[i] for i in wanted.columns)
        used = sorted({pick for pick in picks if pick >= n_keys})
        place = {pick: n_keys + number for number, pick in enumerate(used)} | {key: key for key in range(n_keys)}
        aggregates = tuple(self.aggregation.aggregates[pick - n_keys] for pick in used)
        meta = projected_meta(self.meta, wanted, narrowed_kind(self.meta, wanted))
        levels = self.levels if wanted.index else ()
        aggregation = Aggregation(self.aggregation.keys, aggregates)
        return group_aggregate(
            self.frame, aggregation, meta, tuple(place[pick] for pick in picks), levels, self.split_out
        )

    def blocks(self, *children: Blocks) -> Blocks:
        plan = self._known_plan or GroupPlan()
        keys = self.aggregation.keys
        rows, *hot = children
        order = Order(tuple(range(len(keys.columns))), tuple(count is not None for count in keys.categories))
        last = Order((len(keys.columns) + len(self.aggregation.aggregates) - bool(plan.split),), (False,))
        in_order = self._comes_in_order(plan)
        if plan.split:
            groups: Blocks = self._map(rows, AtOnce(self.aggregation, order if in_order else None), "groupby")
            if hot:
                frequent = self._tree(hot[0], GroupPlan())
                groups = Select(n=groups.n + 1, inputs=(groups, frequent), table=every(groups.n + 1))
        else:
            groups = self._tree(rows, plan)
            if not keys.sort and self.npartitions > 1:
                groups = self._map(groups, number_groups, "groupby-number")
        if not keys.sort:
            order = last
        output = AsPartition(self.of_meta, self.picks, self.levels)
        many = plan.split > 1 and (plan.groups or 0) > SORTED_AT_ONCE and not in_order
        if self.npartitions > 1 or many:
            groups = in_ranges(groups, plan.split if self.npartitions == 1 else self.npartitions, order, self.origin)
        if self.npartitions == 1 and groups.n > 1:
            kernel = MergeGroups(None if many or in_order else order, output)
            return gathered(groups, np.array([0, groups.n]), kernel, "groupby-sort", self.origin)
        return self._map(groups, output, "groupby-finish")

    def _comes_in_order(self, plan: GroupPlan) -> bool:
        """Whether the groups of a partition come before those of the next, as they are split by ranges of the keys."""
        keys, frame = self.aggregation.keys, self.frame
        ranges = plan.split and isinstance(frame, RowsWithin) and frame.place == keys.columns[0]
        return bool(ranges and keys.sort and keys.dropna and self.npartitions == 1)

    def _tree(self, rows: Blocks, plan: GroupPlan) -> Blocks:
        """One table of all groups."""
        kernel = Partial(self.aggregation)
        if plan.fused > 1:
            table: Blocks = gathered(rows, tapering(rows.n, plan.fused), kernel, "groupby", self.origin)
        else:
            table = self._map(rows, kernel, "groupby")
        fan_in = FAN_IN if plan.groups is None or plan.groups > FEW_GROUPS else FAN_IN_OF_FEW
        while table.n > fan_in:
            bounds = neighbours(table.n, fan_in)
            table = gathered(table, bounds, Combine(self.aggregation), "groupby-combine", self.origin)
        bounds = np.array([0, table.n])
        return gathered(table, bounds, Finish(self.aggregation), "groupby-finish", self.origin)

    def _map(self, table: Blocks, kernel: Any, name: str) -> Map:
        return Map(n=table.n, inputs=(table,), kernel=kernel, index=(every(table.n),), name=name, origin=self.origin)


@dataclass(frozen=True)
class Partial:
    """Kernel: the partial result of partitions."""

    aggregation: Aggregation
    __name__ = "groupby"

    def __call__(self, *tables: pa.Table) -> pa.Table:
        return self.aggregation.partial(*tables)


@dataclass(frozen=True)
class Combine:
    """Kernel: one partial result of several."""

    aggregation: Aggregation
    __name__ = "groupby-combine"

    def __call__(self, *partials: pa.Table) -> pa.Table:
        return self.aggregation.combined(*partials)


@dataclass(frozen=True)
class Finish:
    """Kernel: the table of all groups, given all partial results."""

    aggregation: Aggregation
    __name__ = "groupby-finish"

    def __call__(self, *partials: pa.Table) -> pa.Table:
        return _table(self.aggregation.finished(*partials))


@dataclass(frozen=True)
class AtOnce:
    """Kernel: the table of some groups, given all their rows; in an order, if there is one."""

    aggregation: Aggregation
    order: Order | None = None
    __name__ = "groupby"

    def __call__(self, table: pa.Table) -> pa.Table:
        groups = _table(self.aggregation.at_once(table))
        return groups if self.order is None else self.order.sorted(groups)


@dataclass(frozen=True)
class AsPartition:
    """Kernel: a table of groups as a partition of the result."""

    meta: Any
    picks: tuple[int, ...]
    levels: tuple[int, ...]
    __name__ = "groupby-finish"

    def __call__(self, groups: pa.Table) -> Partition:
        layout = layout_of(self.meta)
        if not layout.opaque:
            columns = self._stored(groups, self.picks, layout.columns, column_dtypes(self.meta))
            levels = self._stored(groups, self.levels, layout.levels, level_dtypes(self.meta))
            return table_of(columns, levels, groups.num_rows)
        return self._as_objects(groups, layout)

    def _stored(self, groups: pa.Table, positions: Any, kinds: Any, dtypes: Any) -> list[pa.ChunkedArray]:
        columns = []
        for position, kind, dtype in zip(positions, kinds, dtypes):
            column = groups.column(position)
            if column.type != kind and not (is_string(column.type) and is_string(kind)):
                column = pc.cast(column, kind, safe=False)
            if column.null_count and isinstance(dtype, np.dtype) and dtype.kind == "f":
                column = pc.fill_null(column, np.nan)
            columns.append(column)
        return columns

    def _as_objects(self, groups: pa.Table, layout: Layout) -> Partition:
        """Where lists are among the values."""
        levels = self._stored(groups, self.levels, layout.levels, level_dtypes(self.meta))
        frame = pd.DataFrame(index=index_of(self.meta))
        index = index_to_pandas(table_of([], levels, groups.num_rows), frame)
        values = {}
        for i, (position, kind, dtype) in enumerate(zip(self.picks, layout.columns, column_dtypes(self.meta))):
            if kind is None:
                values[i] = pd.Series(objects(groups.column(position)), index)
            else:
                (column,) = self._stored(groups, [position], [kind], [dtype])
                values[i] = pd.Series(column_to_pandas(column, dtype), index)
        if isinstance(self.meta, pd.Series):
            return values[0].rename(self.meta.name)
        return from_pandas(pd.DataFrame(values, index=index).set_axis(self.meta.columns, axis=1), self.meta)


@dataclass(frozen=True)
class MergeGroups:
    """Kernel: all groups in order, as the one partition of the result."""

    order: Order | None
    """None for groups that come in order."""
    output: AsPartition
    __name__ = "groupby-sort"

    def __call__(self, *groups: pa.Table) -> Partition:
        table = concat_partials(groups)
        return self.output(table if self.order is None else self.order.sorted(table))


def objects(column: pa.ChunkedArray) -> np.ndarray:
    """Lists, and truth values that may be missing, as the objects that pandas holds."""
    if not pa.types.is_list(column.type):
        return column.to_pandas().astype(object).fillna(np.nan).to_numpy()
    values = np.empty(len(column), object)
    values[:] = [item.values.to_numpy(zero_copy_only=False) for chunk in column.chunks for item in chunk]
    return values


def group_aggregate(
    frame: FrameExpr,
    aggregation: Aggregation,
    meta: Meta,
    picks: Sequence[int],
    levels: Sequence[int],
    split_out: int | None,
) -> GroupAggregate:
    """The node, over no more columns than it looks at; positions in the aggregation are those of the frame."""
    used = aggregation.used
    return GroupAggregate(
        narrow(frame, Wanted(used, False)), aggregation.over(used), meta, tuple(picks), tuple(levels), split_out
    )


def _kept(state: State, labels: Sequence[str]) -> str:
    """What is kept of each group, for people."""
    match state:
        case Extreme(greatest=greatest):
            name = "max" if greatest else "min"
        case Edge(last=last):
            name = "last" if last else "first"
        case Truth(every=every):
            name = "all" if every else "any"
        case _:
            name = type(state).__name__.lower()
    return " ".join([name, *(labels[position] for position in positions_in(state))])


def _table(columns: Sequence[pa.Array]) -> pa.Table:
    return pa.Table.from_arrays(list(columns), names=[str(i) for i in range(len(columns))])


def number_groups(groups: pa.Table) -> pa.Table:
    """Kernel: all groups with their numbers as one more column."""
    return groups.append_column("row", pa.array(np.arange(groups.num_rows)))
