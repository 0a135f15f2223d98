"""Rows made of rows before or after them in their group, partition by partition: running sums, shifts, fills.

What a partition has to know of those before it is a few rows of each group: the last ones, or one that stands for all,
such as their sum. One task finds them for all partitions, and pandas sees them in front of the partition's own rows.
Where groups are many, rows are split by hash instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from restride.collections.blocks import Blocks
from restride.collections.dataframe.expr import FrameExpr, Wanted
from restride.collections.dataframe.kernels.group_tree import Aggregation, Keys, concat_partials
from restride.collections.dataframe.kernels.grouping import Groups, stable_order
from restride.collections.dataframe.kernels.taking import take
from restride.collections.dataframe.meta import Meta
from restride.collections.dataframe.operations.groupby.few_groups import answered_plan, are_few, question
from restride.collections.dataframe.operations.groupby.pandas_groups import (
    Call,
    GroupNumbers,
    PandasKeys,
    rows_of_groups,
)
from restride.collections.dataframe.operations.groupby.put_back import dtype_if_grouped
from restride.collections.dataframe.operations.selection import narrow
from restride.collections.dataframe.partition import Partition, concat, from_pandas, table_of, to_pandas
from restride.collections.expression import Expr
from restride.engine.graphs.csr import positions

SUMS = ("cumsum", "cumprod")
RUNNING = (*SUMS, "cummin", "cummax")
WHOLE = {
    "cumsum": "sum", "cumprod": "prod", "cummin": "min", "cummax": "max", "ffill": "last", "bfill": "first",
}  # fmt: skip
"""For methods that go over all rows of a group the aggregate that stands for these."""


@dataclass(frozen=True)
class Carry:
    """What of each group goes from partition to partition."""

    n: int | None
    """How many rows; None for one that stands for all."""
    back: bool
    """Whether from each partition to those before it."""


def carry_of(call: Call, dtypes: Sequence[Any]) -> Carry | None:
    """What a method needs of other partitions, for columns of some dtypes; None where rows of a group do not do."""
    name, args = call.method, call.args
    if name in RUNNING:
        # A sum of what is narrower is wider than the column that carries it.
        wide = all(isinstance(dtype, np.dtype) and str(dtype) in ("int64", "uint64", "float64") for dtype in dtypes)
        return Carry(None, back=False) if wide or name not in SUMS else None
    if name in ("ffill", "bfill"):
        return Carry(args[0], back=name == "bfill")
    if name in ("shift", "diff", "pct_change") and isinstance(args[0], int):
        return Carry(abs(args[0]), back=args[0] < 0)
    return None


@dataclass(frozen=True, eq=False, repr=False)
class CarriedRows(FrameExpr):
    """What a method of a groupby of pandas makes of rows and of those before, or after, them in their group."""

    any_partitions = True

    frame: FrameExpr
    """The keys and the grouped columns."""
    keys: Keys
    by: PandasKeys
    values: Any
    """Positions of the grouped columns, or of the one."""
    function: Call
    carry: Carry
    whole: Aggregation | None
    """What makes one row of each group of a partition, where that is carried."""
    of_meta: Any
    grouped_meta: Any
    """The meta where no row is without a group."""
    few_groups: bool | None = None
    """None until that is known."""

    @property
    def label(self) -> str:
        return f"groupby-{self.function.method}"

    @property
    def detail(self) -> str:
        return ", groups carried from partition to partition" if self.few_groups else ""

    @property
    def kernel_rule(self) -> str:
        return "pandas' own, of a partition's rows behind what is carried"

    def _meta(self) -> Meta:
        meta: Meta = self.of_meta
        return meta

    def narrower(self, place: int) -> Any:
        """The dtype where no row is without a group."""
        return dtype_if_grouped(self.meta, self.grouped_meta, place)

    def narrowed(self, wanted: Wanted) -> FrameExpr | None:
        return None if wanted.columns else narrow(self.frame, wanted)

    def questions(self) -> tuple[Expr, ...]:
        return () if self.few_groups else (question(self.frame, self.keys),)

    def answered(self, answers: Sequence[Any]) -> FrameExpr:
        if are_few(answered_plan(self.frame, self.keys, answers[0]), self.frame):
            return self.replace(few_groups=True)
        return rows_of_groups(self.frame, self.by, self.values, self.function, self.meta, all_rows=True)

    def blocks(self, *children: Blocks) -> Blocks:
        of = self.frame.meta
        columns = (self.values,) if isinstance(self.values, int) else self.values
        values = of.iloc[:, list(columns)].set_axis(pd.RangeIndex(0), axis=0)
        groups = self.by_partition(NumberGroups(self.keys), *children)
        tails = self.by_partition(TailOfGroups(columns, self.carry, self.whole), groups, children[0])
        carry = CarryOver(self.keys, values, self.function, self.carry)
        singular = isinstance(self.values, int)
        call = CallAmidCarried(of, values, columns, singular, self.function, self.carry.back, self.meta)
        return self.carried_blocks(tails, carry, call, groups, children[0])


Numbered = tuple[np.ndarray, pa.Table]
"""Of a partition the number of each row's group, as int32, that of the groups for none; and the keys of these."""


@dataclass(frozen=True)
class NumberGroups:
    """Kernel: the groups of a partition as numbers, once for all that is done with them; a lookup a row."""

    keys: Keys
    __name__ = "groupby-number"

    def __call__(self, partition: pa.Table) -> Numbered:
        groups = self.keys.groups([partition.column(key) for key in self.keys.columns], "any")
        names = [f"k{i}" for i in range(len(groups.keys))]
        return groups.codes.astype(np.int32), pa.Table.from_arrays(groups.keys, names=names)


class Tail(NamedTuple):
    """What of each group of a partition its neighbours have to know, without labels."""

    keys: pa.Table
    values: pa.Table
    groups: np.ndarray
    """For each row the number of its group in the partition."""


@dataclass(frozen=True)
class TailOfGroups:
    """Kernel: what of each group of a partition its neighbours have to know."""

    columns: tuple[int, ...]
    carry: Carry
    whole: Aggregation | None
    """What makes one row of all of a group, if that is to be carried."""
    __name__ = "groupby-tail"

    def __call__(self, numbered: Numbered, partition: pa.Table) -> Tail:
        codes, keys = numbered
        groups = Groups(codes, keys.num_rows, [])
        columns = [partition.column(i) for i in self.columns]
        if self.whole is None:
            assert self.carry.n is not None
            rows = groups.ends(self.carry.n, last=not self.carry.back)
            of_rows = codes[rows]
            chosen = [column.take(pa.array(rows)) for column in columns]
            return Tail(keys.take(pa.array(of_rows)), table_of(chosen, [], len(rows)), of_rows)
        states = [state.chunk(partition.columns, groups) for state in self.whole.states]
        values = [_whole(state, column.type) for state, column in zip(states, columns)]
        return Tail(keys, table_of(values, [], groups.n), np.arange(groups.n, dtype=np.int32))


def _whole(state: pa.Array, kind: pa.DataType) -> pa.Array:
    """A state as values of the column that it is of."""
    if pa.types.is_floating(kind) and state.null_count:
        return pc.fill_null(state, np.nan)
    return state


class Carried(NamedTuple):
    """The rows that a partition has to know."""

    values: pa.Table
    groups: np.ndarray
    """For each row the number of its group in the partition."""


@dataclass(frozen=True)
class CarryOver:
    """Kernel: for each partition the rows that it has to know, of those of all partitions; a sort of these."""

    keys: Keys
    of: Any
    """The values alone."""
    function: Call
    carry: Carry
    __name__ = "groupby-carry"

    def __call__(self, *tails: Tail) -> list[Carried]:
        keys = concat_partials([tail.keys for tail in tails])
        groups = self.keys.groups(keys.columns, "any")
        table = concat([tail.values for tail in tails], self.of)
        if not groups.n:
            return [Carried(table, groups.codes)] * len(tails)
        if self.carry.n is None:
            table = from_pandas(self._running(to_pandas(table, self.of), groups), self.of)
        partitions = np.repeat(np.arange(len(tails)), [tail.values.num_rows for tail in tails])
        in_partition = np.concatenate([tail.groups for tail in tails])
        rows, targets, of_targets = self._neighbours(groups.codes, partitions, in_partition)
        order = stable_order(targets, len(tails))
        taken, of_rows = take(table, rows[order]), of_targets[order]
        bounds = np.searchsorted(targets[order], np.arange(len(tails) + 1)).tolist()
        return [Carried(taken.slice(start, stop - start), of_rows[start:stop]) for start, stop in pairwise(bounds)]

    def _neighbours(
        self, groups: np.ndarray, partitions: np.ndarray, in_partition: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The rows that are to be known, where, and the number of their group there.

        Of each group those next to its rows of each partition.
        """
        order = stable_order(groups, int(groups.max(initial=0)))  # partition after partition in each
        group, partition = groups[order], partitions[order]
        new_group = np.append(True, group[1:] != group[:-1])
        starts = np.flatnonzero(new_group | np.append(True, partition[1:] != partition[:-1]))
        ends = np.append(starts[1:], len(order))
        bounds = np.append(np.flatnonzero(new_group), len(order))
        which = np.cumsum(new_group[starts])
        n = 1 if self.carry.n is None else self.carry.n
        if self.carry.back:
            low, high = ends, np.minimum(ends + n, bounds[which])
        else:
            low, high = np.maximum(starts - n, bounds[which - 1]), starts
        counts = high - low
        known = order[positions(low, counts)]
        return known, np.repeat(partition[starts], counts), np.repeat(in_partition[order[starts]], counts)

    def _running(self, value: pd.DataFrame, groups: Groups) -> pd.DataFrame:
        """The rows with what the method makes of all rows of the group up to each, or from it on."""
        columns = tuple(range(value.shape[1]))
        by = GroupNumbers(groups.codes, groups.n)
        if self.function.method in RUNNING:
            value = getattr(by.grouped(value, columns), self.function.method)()
        grouped = by.grouped(value, columns)
        return grouped.bfill() if self.carry.back else grouped.ffill()


@dataclass(frozen=True)
class CallAmidCarried:
    """Kernel: a method of the groups of a partition's rows amid rows of others; what it makes of those is cut off."""

    of: Any
    values: Any
    """The meta of the grouped columns alone, without labels."""
    columns: tuple[int, ...]
    singular: bool
    function: Call
    back: bool
    meta: Any

    @property
    def __name__(self) -> str:
        return f"groupby-{self.function.method}"

    def __call__(self, number: int, carried: list[Carried], numbered: Numbered, partition: pa.Table) -> Partition:
        known, (codes, keys) = carried[number], numbered
        rows = table_of([partition.column(i) for i in self.columns], [], partition.num_rows)
        n, start = rows.num_rows, 0 if self.back else known.values.num_rows
        both = concat([rows, known.values] if self.back else [known.values, rows], self.values)
        codes = np.concatenate([codes, known.groups] if self.back else [known.groups, codes])
        by, value = GroupNumbers(codes, keys.num_rows), to_pandas(both, self.values)
        made = self.function(by, value, 0 if self.singular else range(len(self.columns))).iloc[start : start + n]
        return from_pandas(made, self.meta, rows_of=partition, rows_meta=self.of)
