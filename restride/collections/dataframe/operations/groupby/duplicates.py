"""Rows without those whose keys other rows have, too: `drop_duplicates`, and what is made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from restride.collections.blocks import Blocks, Gather
from restride.collections.dataframe.expr import FrameExpr, NewRows, Wanted
from restride.collections.dataframe.kernels.distinct_rows import distinct_rows
from restride.collections.dataframe.kernels.group_tree import SAMPLE_ROWS, Keys
from restride.collections.dataframe.kernels.radix import argsort
from restride.collections.dataframe.kernels.taking import take
from restride.collections.dataframe.meta import Meta, column_dtypes, has_default_index, is_unknown_categorical
from restride.collections.dataframe.operations.groupby.late_rows import TakenRows
from restride.collections.dataframe.operations.groupby.levels import RowPositions
from restride.collections.dataframe.operations.groupby.plan import (
    FUSED,
    GroupPlan,
    grouping_rule,
    key_sample,
    mostly_in_first,
    plan_of_rows,
    remembered,
    rows_are_few,
    split_rows,
)
from restride.collections.dataframe.operations.rowwise import Assign
from restride.collections.dataframe.operations.selection import column, narrow
from restride.collections.dataframe.operations.shuffle_kernels import GatherAll
from restride.collections.dataframe.operations.tree import gathered, neighbours, tapering
from restride.collections.dataframe.partition import Partition, concat, to_pandas
from restride.collections.expression import Expr
from restride.collections.optimize import optimized
from restride.engine.graphs.csr import Ints

FAN_IN = 8
COUNT = "__count__"
POSITION = "__row__"


@dataclass(frozen=True, eq=False, repr=False)
class DropDuplicates(NewRows):
    """The rows of a frame, of those with equal keys one or none, in their order, as one partition."""

    any_partitions = True

    frame: FrameExpr
    """A frame; its index is stored if anybody looks at the labels."""
    on: tuple[int, ...]
    """Positions of the keys among the columns."""
    keep: Any
    """``"first"``, ``"last"`` or False."""
    plan: GroupPlan | None = None
    pieces: bool = False
    in_order: bool = True
    """Whether the order of the rows can be seen."""

    @property
    def label(self) -> str:
        return "drop_duplicates"

    @property
    def detail(self) -> str:
        keys = [str(self.frame.meta.columns[i]) for i in self.on]
        how = f"; {self._known_plan}" if self._known_plan is not None else ""
        return f"[{', '.join([*keys[:6], *(['...'] if len(keys) > 6 else [])])}{how}]"

    @property
    def kernel_rule(self) -> str:
        return "pandas' drop_duplicates" if self.frame.layout.opaque else grouping_rule(self.frame, self.on)

    @property
    def _known_plan(self) -> GroupPlan | None:
        """The plan, as far as it is known without a look at the data."""
        frame = self.frame
        few = frame.npartitions <= 2 or rows_are_few(frame) or frame.layout.opaque
        return self.plan or (GroupPlan(fused=FUSED) if few else None)

    @property
    def _is_split(self) -> bool:
        """Whether the frame has been shuffled."""
        return self.plan is not None and bool(self.plan.split)

    @property
    def _has_positions(self) -> bool:
        """Whether the last column of the frame has the positions of rows, which go."""
        return self._is_split and self.in_order

    def _meta(self) -> Meta:
        meta = self.frame.meta
        return meta.iloc[:, :-1] if self._has_positions else meta

    def _npartitions(self) -> int:
        return 1

    def _rows(self) -> str:
        keys = narrow(self.frame, Wanted(self.on, False)).name
        return f"distinct {self.frame.rows} {keys} {self.keep}"

    def value_source(self, place: int) -> tuple[FrameExpr, int]:
        moved = self._has_positions and place >= self.layout.n_columns
        return self.frame, place + 1 if moved else place

    def shipped(self) -> Expr:
        return self if self.pieces else self.replace(pieces=True)

    def narrowed(self, wanted: Wanted) -> FrameExpr | None:
        if self._is_split:
            return None
        columns = tuple(dict.fromkeys((*wanted.columns, *self.on)))
        if len(columns) == self.layout.n_columns and wanted.index == self.has_index:
            return None
        below = narrow(self.frame, Wanted(columns, wanted.index))
        new = self.replace(frame=below, on=tuple(columns.index(i) for i in self.on))
        return narrow(new, Wanted(tuple(range(len(wanted.columns))), wanted.index))

    def questions(self) -> tuple[Expr, ...]:
        return () if self._known_plan is not None else (key_sample(self.frame, self._keys()),)

    def _keys(self) -> Keys:
        return Keys(self.on, key_categories(self.frame, self.on), dropna=False)

    def answered(self, answers: Sequence[Any]) -> FrameExpr:
        (blocks,) = answers
        sample = remembered(self.frame, self._keys(), blocks[0])
        plan = plan_of_rows(sample, self.frame)
        if not plan.split:
            late = self.frame.reads_apart and len(self.on) < self.layout.n_columns + self.layout.n_levels
            return self._late(plan) if late and mostly_in_first(sample, plan) else self.replace(plan=plan)
        frame = self.frame
        if self.in_order:
            frame = Assign(frame, (frame.layout.n_columns,), (POSITION,), (RowPositions(frame),))
        # Rows of frequent keys go to one task each: of these there is no partial result that is small for sure.
        shuffled, plan = split_rows(frame, self.on, replace(plan, hot=()), pieces=self.pieces, origin=self.origin)
        return self.replace(frame=shuffled, plan=plan)

    def _late(self, plan: GroupPlan) -> FrameExpr:
        """The same by the keys alone first: few partitions have rows that stay."""
        columns = tuple(dict.fromkeys(self.on))
        (keys,) = optimized([narrow(self.frame, Wanted(columns, False))])
        assert isinstance(keys, FrameExpr)
        place = len(columns)
        numbered = Assign(keys, (place,), (POSITION,), (RowPositions(keys),))
        on = tuple(columns.index(i) for i in self.on)
        distinct = DropDuplicates(numbered, on, self.keep, plan, self.pieces).made_at(self.origin)
        return TakenRows(self.frame, column(distinct, place)).made_at(self.origin)

    def blocks(self, *children: Blocks) -> Blocks:
        plan = self._known_plan or GroupPlan(fused=FUSED)
        keep_one = "first" if self.keep is False else self.keep
        kernel = Distinct(self.frame.meta, self.on, key_categories(self.frame, self.on), keep_one, self.keep is False)
        (table,) = children
        if plan.split:
            made = self.by_partition(kernel.last(), table)
            together = InOrderOfRows(self.frame.meta) if self.in_order else GatherAll(self.frame.meta, None)
            return self._gather(made, np.array([0, made.n]), together)
        if table.n > 1:
            if plan.fused > 1:
                table = self._gather(table, tapering(table.n, plan.fused), kernel)
            else:
                table = self.by_partition(kernel, table)
            kernel = kernel.counted()
        while table.n > FAN_IN:
            table = self._gather(table, neighbours(table.n, FAN_IN), kernel)
        return self._gather(table, np.array([0, table.n]), kernel.last())

    def _gather(self, table: Blocks, bounds: Ints, kernel: Any) -> Gather:
        return gathered(table, bounds, kernel, self.label, self.origin)


@dataclass(frozen=True)
class Distinct:
    """Kernel: of rows with equal keys one, or, in the end, none; in between with the number of those that it is of."""

    meta: Any
    on: tuple[int, ...]
    categories: tuple[int | None, ...]
    keep: Any
    only_alone: bool
    have_counts: bool = False
    ends: bool = False
    __name__ = "drop_duplicates"

    def counted(self) -> Distinct:
        """The same for rows that come with counts, where these matter."""
        return self._with(have_counts=self.only_alone)

    def last(self) -> Distinct:
        """The same as the last step, or the only one."""
        return self._with(ends=True)

    def _with(self, **changes: Any) -> Distinct:
        return Distinct(**{**vars(self), **changes})

    def __call__(self, *partitions: Partition) -> Partition:
        if not isinstance(partitions[0], pa.Table):
            return self._of_objects(partitions)
        if len(partitions) > 1 and not self.only_alone and self._few(partitions[0]):
            partitions = tuple(self._of_rows(partition) for partition in partitions)
        return self._of_rows(concat(partitions, self.meta))

    def _of_rows(self, table: pa.Table) -> pa.Table:
        rows, counts = distinct_rows([table.column(i) for i in self.on], self.categories, self.keep)
        if not self.only_alone:
            return take(table, rows)
        if self.have_counts:
            given = table.column(COUNT).to_numpy()
            # A row that stands for several is never alone, and one that meets another is not, either.
            counts = np.maximum(counts, given[rows])
            table = table.drop_columns([COUNT])
        if self.ends:
            return take(table, rows[counts == 1])
        return take(table, rows).append_column(COUNT, pa.array(counts))

    def _few(self, table: pa.Table) -> bool:
        sample = table.slice(0, SAMPLE_ROWS)
        rows, _ = distinct_rows([sample.column(i) for i in self.on], self.categories, self.keep)
        return len(rows) < SAMPLE_ROWS // 4

    def _of_objects(self, partitions: Sequence[Any]) -> Any:
        """What pandas makes; rows that are not alone stay until the end, where that matters."""
        whole = concat(partitions, self.meta)
        value = to_pandas(whole, self.meta)
        data = value.to_frame() if isinstance(value, pd.Series) else value
        keys = data.iloc[:, list(self.on)]
        if self.only_alone and not self.ends:
            return whole
        left = value[~keys.duplicated(keep=False if self.only_alone else self.keep).to_numpy()]
        return left.reset_index(drop=True) if has_default_index(self.meta) else left


@dataclass(frozen=True)
class InOrderOfRows:
    """Kernel: rows from several places in the order of their positions, the last column, which goes."""

    meta: Any
    __name__ = "drop_duplicates"

    def __call__(self, *partitions: Partition) -> Partition:
        table = concat(partitions, self.meta)
        place = self.meta.shape[1] - 1 if isinstance(self.meta, pd.DataFrame) else 1
        table = take(table, argsort([table.column(place)]))
        names = table.column_names
        return table.select([name for i, name in enumerate(names) if i != place])


def key_categories(frame: FrameExpr, on: Sequence[int]) -> tuple[int | None, ...]:
    """For each key how many categories there are, where its column holds codes of such."""
    dtypes = column_dtypes(frame.meta)
    return tuple(
        len(dtypes[i].categories)
        if isinstance(dtypes[i], pd.CategoricalDtype) and not is_unknown_categorical(dtypes[i])
        else None
        for i in on
    )
