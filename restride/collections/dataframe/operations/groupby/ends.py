"""The first, or last, rows of each group of each partition: among these are those of all partitions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from restride.collections.blocks import Blocks
from restride.collections.dataframe.expr import FrameExpr, NewRows, Wanted
from restride.collections.dataframe.kernels.taking import take
from restride.collections.dataframe.operations.groupby.pandas_groups import PandasKeys
from restride.collections.dataframe.operations.locating import rows_where
from restride.collections.dataframe.operations.selection import narrow
from restride.collections.dataframe.partition import Partition


@dataclass(frozen=True, eq=False, repr=False)
class EndsOfGroups(NewRows):
    """Of each partition of a frame some rows of each group, in their order."""

    any_partitions = True

    frame: FrameExpr
    by: PandasKeys
    n: int
    last: bool
    partitionwise = True

    @property
    def label(self) -> str:
        return "groupby-tail" if self.last else "groupby-head"

    def value_source(self, place: int) -> tuple[FrameExpr, int]:
        return self.frame, place

    def narrowed(self, wanted: Wanted) -> FrameExpr | None:
        used = tuple(sorted({*wanted.columns, *self.by.keys}))
        if len(used) == self.layout.n_columns:
            return None
        place = {position: number for number, position in enumerate(used)}
        chosen = self.replace(frame=narrow(self.frame, Wanted(used, wanted.index)), by=self.by.over(place))
        return narrow(chosen, Wanted(tuple(place[position] for position in wanted.columns), wanted.index))

    def blocks(self, *children: Blocks) -> Blocks:
        return self.by_partition(EndsOfPartition(self.frame.meta, self.by, self.n, self.last), *children)


@dataclass(frozen=True)
class EndsOfPartition:
    """Kernel: some rows of each group of a partition; a pass over the keys, and a gather per column."""

    of: Any
    by: PandasKeys
    n: int
    last: bool
    __name__ = "groupby-ends"

    def __call__(self, partition: Partition) -> Partition:
        if isinstance(partition, pa.Table):
            groups = self.by.of_kernels(self.of).numbers([partition.column(key) for key in self.by.keys])
            return take(partition, groups.ends(self.n, last=self.last))
        grouped = self.by.grouped(partition.reset_index(drop=True), self.by.keys[0], sort=False, observed=True)
        chosen = grouped.tail(self.n) if self.last else grouped.head(self.n)
        true = np.zeros(len(partition), bool)
        true[chosen.index.to_numpy()] = True
        return rows_where(partition, true)
