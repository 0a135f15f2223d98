"""Rows made of rows before or after them in their group, partition by partition: running sums, shifts, fills.

What a partition has to know of those before it is a few rows of each group: the last ones, or one that stands for all,
such as their sum. One task finds them for all partitions, and pandas sees them in front of the partition's own rows.
Where groups are many, rows are split by hash instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from restride.collections.blocks import Blocks, Gather, Map, every
from restride.collections.dataframe.expr import FrameExpr, Wanted
from restride.collections.dataframe.kernels.group_tree import Aggregation, Keys
from restride.collections.dataframe.meta import Meta
from restride.collections.dataframe.operations.groupby.few_groups import answered_plan, are_few, question
from restride.collections.dataframe.operations.groupby.pandas_groups import (
    Call,
    PandasKeys,
    rows_of_groups,
)
from restride.collections.dataframe.operations.groupby.put_back import dtype_if_grouped
from restride.collections.dataframe.operations.selection import narrow
from restride.collections.dataframe.partition import Partition, columns_of, concat, from_pandas, table_of, to_pandas
from restride.collections.expression import Expr
from restride.engine.graphs.csr import row_starts

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
        n, of = self.npartitions, self.frame.meta
        columns = (self.values,) if isinstance(self.values, int) else self.values
        plain = of.set_axis(pd.RangeIndex(0), axis=0)
        tails = self.frame.by_partition(TailOfGroups(of, self.by, columns, self.carry, self.whole), *children)
        carried = Gather(
            n=1,
            inputs=(tails,),
            kernel=CarryOver(plain, self.by, columns, self.function, self.carry),
            indptr=np.array([0, n]),
            indices=every(n),
            name="groupby-carry",
            origin=self.origin,
        )
        return Map(
            n=n,
            inputs=(carried, children[0]),
            kernel=CallAmidCarried(of, plain, self.by, self.values, self.function, self.carry.back, self.meta),
            index=(np.zeros(n, np.int64), every(n)),
            params=every(n),
            name=self.label,
            origin=self.origin,
        )


@dataclass(frozen=True)
class TailOfGroups:
    """Kernel: what of each group of a partition its neighbours have to know, without labels."""

    of: Any
    by: PandasKeys
    values: tuple[int, ...]
    carry: Carry
    whole: Aggregation | None
    """What makes one row of all of a group, if that is to be carried."""
    __name__ = "groupby-tail"

    def __call__(self, partition: pa.Table) -> pa.Table:
        table = without_labels(partition, self.of)
        if not table.num_rows:
            return table
        if self.whole is None:
            value = to_pandas(table, self.of, index=False)
            grouped = self.by.grouped(value, self.values, sort=False, observed=True)
            n = self.carry.n
            rows = (grouped.head(n) if self.carry.back else grouped.tail(n)).index.to_numpy()
            return table.take(pa.array(np.sort(rows), pa.int64()))
        groups = self.whole.partial(table)
        place = {position: number for number, position in enumerate((*self.by.keys, *self.values))}
        columns = [_whole(groups.column(place[i]), table.column(i).type) for i in range(len(place))]
        return table_of(columns, [], groups.num_rows)


def _whole(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """A state as values of the column that it is of."""
    if pa.types.is_floating(kind) and column.null_count:
        return pc.fill_null(column, np.nan)
    return column


@dataclass(frozen=True)
class CarryOver:
    """Kernel: for each partition the rows that it has to know, of those of all partitions; a sort of these."""

    of: Any
    by: PandasKeys
    values: tuple[int, ...]
    function: Call
    carry: Carry
    __name__ = "groupby-carry"

    def __call__(self, *tails: pa.Table) -> list[pa.Table]:
        table = concat(tails, self.of)
        lengths = [tail.num_rows for tail in tails]
        value = to_pandas(table, self.of)
        if not self.by.any_group(value):
            return [table.slice(0, 0)] * len(tails)
        if self.carry.n is None:
            table = from_pandas(self._running(value), self.of)
        groups = self._grouped(value).ngroup().to_numpy()
        rows, targets = self._neighbours(groups, np.repeat(np.arange(len(tails)), lengths))
        order = np.lexsort((rows, targets))
        taken = table.take(pa.array(rows[order]))
        bounds = np.searchsorted(targets[order], np.arange(len(tails) + 1))
        return [taken.slice(start, stop - start) for start, stop in pairwise(bounds.tolist())]

    def _neighbours(self, groups: np.ndarray, partitions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The rows that are to be known, and where: of each group those next to its rows of each partition."""
        order = np.lexsort((partitions, groups))
        group, partition = groups[order], partitions[order]
        new_group = np.append(True, group[1:] != group[:-1])
        starts = np.flatnonzero(new_group | np.append(True, partition[1:] != partition[:-1]))
        ends = np.append(starts[1:], len(order))
        bounds = np.append(np.flatnonzero(new_group), len(order))
        which = np.searchsorted(bounds, starts, side="right")
        n = 1 if self.carry.n is None else self.carry.n
        if self.carry.back:
            low, high = ends, np.minimum(ends + n, bounds[which])
        else:
            low, high = np.maximum(starts - n, bounds[which - 1]), starts
        counts = high - low
        places = np.arange(counts.sum()) + np.repeat(low - row_starts(counts)[:-1], counts)
        return order[places], np.repeat(partition[starts], counts)

    def _grouped(self, value: pd.DataFrame) -> Any:
        return self.by.grouped(value, self.values, sort=False, observed=True)

    def _running(self, value: pd.DataFrame) -> pd.DataFrame:
        """The rows with what the method makes of all rows of the group up to each, or from it on."""
        if self.function.method in RUNNING:
            value = self._with_values(value, getattr(self._grouped(value), self.function.method)())
        grouped = self._grouped(value)
        return self._with_values(value, grouped.bfill() if self.carry.back else grouped.ffill())

    def _with_values(self, value: pd.DataFrame, made: pd.DataFrame) -> pd.DataFrame:
        value = value.copy(deep=False)
        for number, place in enumerate(self.values):
            value.isetitem(place, made.iloc[:, number])
        return value


@dataclass(frozen=True)
class CallAmidCarried:
    """Kernel: a method of the groups of a partition's rows amid rows of others; what it makes of those is cut off."""

    of: Any
    plain: Any
    """The same without labels."""
    by: PandasKeys
    values: Any
    function: Call
    back: bool
    meta: Any

    @property
    def __name__(self) -> str:
        return f"groupby-{self.function.method}"

    def __call__(self, number: int, carried: list[pa.Table], partition: pa.Table) -> Partition:
        known, rows = carried[number], without_labels(partition, self.of)
        n, start = rows.num_rows, 0 if self.back else known.num_rows
        value = to_pandas(concat([rows, known] if self.back else [known, rows], self.plain), self.plain)
        if self.by.any_group(value):
            made = self.function(self.by, value, self.values).iloc[start : start + n]
        else:
            made = self.meta.set_axis(pd.RangeIndex(0), axis=0).reindex(range(n))
        return from_pandas(made, self.meta, rows_of=partition, rows_meta=self.of)


def without_labels(partition: pa.Table, of: Any) -> pa.Table:
    """The data columns of a partition."""
    return table_of(columns_of(partition, of), [], partition.num_rows)
