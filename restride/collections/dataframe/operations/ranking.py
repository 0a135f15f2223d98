"""Ranks of values among all of a series.

Rows go to partitions by ranges of their values, so that equal ones are in one; what pandas has for ranks within a
partition is moved by how many values come before it; and the rows go back to where they were.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.blocks import Blocks
from restride.collections.dataframe.expr import FrameExpr, NewRows
from restride.collections.dataframe.meta import Meta, index_of
from restride.collections.dataframe.operations.groupby.levels import RowPositions
from restride.collections.dataframe.operations.groupby.pandas_groups import POSITION
from restride.collections.dataframe.operations.groupby.put_back import PutBack, ShuffleBack
from restride.collections.dataframe.operations.looking import task_count
from restride.collections.dataframe.operations.reductions import one_row
from restride.collections.dataframe.operations.rowwise import Assign, Method, rowwise
from restride.collections.dataframe.operations.selection import Project
from restride.collections.dataframe.operations.shuffle import range_shuffle
from restride.collections.dataframe.operations.shuffle_keys import key_place
from restride.collections.dataframe.partition import Partition, from_pandas, to_pandas


@dataclass(frozen=True)
class Ranking:
    """How values are ranked, in pandas' words."""

    method: str
    na_option: str
    ascending: bool
    pct: bool

    def of(self, values: pd.Series) -> pd.Series:
        """What pandas makes of a series, as numbers."""
        return values.rank(method=self.method, na_option=self.na_option, ascending=self.ascending)

    def size(self, values: pd.Series) -> int:
        """The greatest rank that values have, if they are all there are."""
        kept = self.na_option == "keep"
        if self.method == "dense":
            return int(values.nunique(dropna=kept))
        return int(values.count()) if kept else len(values)


def ranked(series: FrameExpr, ranking: Ranking) -> FrameExpr:
    """What ``series.rank(...)`` is; raises what pandas raises."""
    dtype = series.meta.dtype
    meta = one_row(series.meta).rank(method=ranking.method, na_option=ranking.na_option, pct=ranking.pct)
    meta = meta.iloc[:0].set_axis(series.meta.index, axis=0)
    values = series
    if isinstance(dtype, pd.CategoricalDtype) and not dtype.ordered:
        values = rowwise(Method("astype"), series, dtype.categories.dtype)
    rows: FrameExpr = Project(values, values.everything, "frame")
    rows = Assign(rows, (1,), (POSITION,), (RowPositions(rows),))
    n = task_count(series)
    if n > 1:
        missing = "first" if ranking.na_option == "top" else "last"
        rows = range_shuffle(rows, n, [key_place(rows.meta, 0, ranking.ascending, missing)], sort=False)
    index = index_of(rows.meta)
    columns = {0: meta.set_axis(index), 1: pd.Series([], dtype="int64", index=index)}
    made: FrameExpr = RankRanges(rows, ranking, pd.DataFrame(columns, index=index))
    if n > 1:
        made = ShuffleBack(made, series.npartitions, 1)
    return PutBack(made, series, meta, True)


@dataclass(frozen=True, eq=False, repr=False)
class RankRanges(NewRows):
    """The ranks of the first column of a frame, whose partitions are ranges of it, and the second column."""

    any_partitions = True

    frame: FrameExpr
    ranking: Ranking
    of_meta: Any

    @property
    def label(self) -> str:
        return "rank"

    def _meta(self) -> Meta:
        meta: Meta = self.of_meta
        return meta

    def blocks(self, *children: Blocks) -> Blocks:
        sizes = self.by_partition(SizeOfRange(self.ranking, self.frame.meta), children[0])
        kernel = RankRange(self.ranking, self.frame.meta, self.meta)
        return self.carried_blocks(sizes, sums_before, kernel, children[0])


@dataclass(frozen=True)
class SizeOfRange:
    """Kernel: how many ranks a partition takes."""

    ranking: Ranking
    meta: Any
    __name__ = "size"

    def __call__(self, partition: Partition) -> int:
        return self.ranking.size(to_pandas(partition, self.meta, index=False).iloc[:, 0])


def sums_before(*sizes: int) -> list[int]:
    """Kernel: the sum of all sizes before each, and of all of them."""
    return [0, *np.cumsum(sizes).tolist()]


@dataclass(frozen=True)
class RankRange:
    """Kernel: the ranks of a partition, given those that come before; a sort of its values by pandas."""

    ranking: Ranking
    of: Any
    meta: Any
    __name__ = "rank"

    def __call__(self, number: int, before: list[int], partition: Partition) -> Partition:
        value = to_pandas(partition, self.of)
        ranks = self.ranking.of(value.iloc[:, 0]) + before[number]
        if self.ranking.pct:
            ranks = ranks / max(before[-1], 1)
        made = pd.DataFrame({0: ranks.array, 1: value.iloc[:, 1].array}, index=value.index)
        return from_pandas(made, self.meta)
