"""Rows back where they came from: what was made of a frame's rows elsewhere, by the positions that went with them.

Rows that a shuffle has brought together are still in the order of their positions, so that nothing has to be sorted on
the way back: splits are slices, and each partition puts its rows where their positions say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from restride.collections.blocks import Blocks
from restride.collections.dataframe.expr import Divisions, FrameExpr, Lengths, unknown_divisions
from restride.collections.dataframe.kernels.pieces import Buckets, cut_rows, split_rows
from restride.collections.dataframe.kernels.taking import take
from restride.collections.dataframe.meta import Meta, column_dtypes, has_default_index
from restride.collections.dataframe.operations.groupby.levels import POSITION_BITS
from restride.collections.dataframe.operations.shuffle import Shuffle, shuffled_blocks
from restride.collections.dataframe.partition import Partition, columns_of, concat, from_pandas, levels_of, table_of
from restride.collections.expression import Expr


@dataclass(frozen=True, eq=False, repr=False)
class ShuffleBack(Shuffle):
    """Rows by the partitions that they came from, in each in the order that they had there."""

    any_partitions = True

    position: int
    """Which column has the positions, as `RowPositions` numbers them."""
    pieces: bool = False
    """Whether pieces are tasks of their own, so that no worker gets what it does not need."""

    @property
    def detail(self) -> str:
        return " back"

    def key_positions(self) -> tuple[int, ...]:
        return (self.position,)

    def over(self, frame: FrameExpr, positions: tuple[int, ...]) -> Shuffle:
        return self.replace(frame=frame, position=positions[0])

    def shipped(self) -> Expr:
        return self if self.pieces else self.replace(pieces=True).made_at(self.origin)

    def blocks(self, *children: Blocks) -> Blocks:
        split = SplitByPartition(self.frame.meta, self.position, self.n)
        return shuffled_blocks(self, children[0], split, (), InPlace(self.position), pieces=self.pieces)


@dataclass(frozen=True)
class SplitByPartition:
    """Kernel: rows by the numbers of the partitions that they came from; checksums, where they are in order."""

    meta: Any
    position: int
    n: int
    __name__ = "split"

    def __call__(self, number: int, partition: Partition | tuple[Partition, ...]) -> Buckets:
        rows = concat(partition, self.meta) if isinstance(partition, tuple) else partition
        positions = _positions(rows, self.position)
        if bool((positions[1:] >= positions[:-1]).all()):
            return cut_rows(rows, np.searchsorted(positions, np.arange(self.n + 1) << POSITION_BITS))
        return split_rows(rows, (positions >> POSITION_BITS).astype(np.uint32), self.n)


@dataclass(frozen=True)
class InPlace:
    """Kernel: the rows of a partition in the order of their positions; a pass over these, and a gather per column."""

    position: int
    __name__ = "sort"

    def __call__(self, rows: Partition) -> Partition:
        places = _positions(rows, self.position) & ((1 << POSITION_BITS) - 1)
        order = _order(places)
        return take(rows, order) if isinstance(rows, pa.Table) else rows.take(order)


def _order(places: np.ndarray) -> np.ndarray:
    """The order of the numbers of some of the rows of a partition, which mostly are all different."""
    size = int(places.max(initial=-1)) + 1
    if size > 16 * len(places):
        return np.argsort(places)
    row = np.full(size, -1)
    row[places] = np.arange(len(places))
    found = row if size == len(places) and row.min(initial=0) >= 0 else row[row >= 0]
    return found if len(found) == len(places) else np.argsort(places, kind="stable")


def _positions(rows: Partition, position: int) -> np.ndarray:
    if isinstance(rows, (pa.Table, pa.RecordBatch)):
        return np.asarray(rows.column(position))
    values: np.ndarray = rows.iloc[:, position].to_numpy()
    return values


@dataclass(frozen=True, eq=False, repr=False)
class PutBack(FrameExpr):
    """Rows that have come back to the partitions of a frame, whose rows they are; all of them, or some."""

    any_partitions = True

    frame: FrameExpr
    """The last column has the positions."""
    rows_of: FrameExpr
    of_meta: Any
    all_rows: bool
    grouped_meta: Any = None
    """The meta where no row is without a group; None where that makes no difference."""

    @property
    def label(self) -> str:
        return "put-back"

    def _meta(self) -> Meta:
        meta: Meta = self.of_meta
        return meta

    def _lengths(self) -> Lengths | None:
        return self.rows_of.lengths if self.all_rows else None

    def _divisions(self) -> Divisions:
        return self.rows_of.divisions if self.all_rows else unknown_divisions(self.npartitions)

    def _rows(self) -> str:
        return self.rows_of.rows if self.all_rows else f"{self.rows_of.rows}[{self.frame.name}]"

    def narrower(self, place: int) -> Any:
        """The dtype where no row is without a group."""
        return dtype_if_grouped(self.meta, self.grouped_meta, place)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "children", (self.frame,))  # of the other only what is known of it is used

    def with_children(self, children: Sequence[Any]) -> FrameExpr:
        return self if children[0] is self.frame else self.replace(frame=children[0])

    def blocks(self, *children: Blocks) -> Blocks:
        return self.by_partition(DropPositions(self.frame.meta, self.meta), *children)


@dataclass(frozen=True)
class DropPositions:
    """Kernel: the rows without their positions, and without labels that need not be stored."""

    of: Any
    meta: Any
    __name__ = "put-back"

    def __call__(self, partition: Partition) -> Partition:
        if isinstance(partition, pa.Table):
            levels = [] if has_default_index(self.meta) else levels_of(partition, self.of)
            return table_of(columns_of(partition, self.of)[:-1], levels, partition.num_rows)
        value = partition.iloc[:, :-1]
        if has_default_index(self.meta):
            value = value.set_axis(pd.RangeIndex(len(value)), axis=0)
        if isinstance(self.meta, pd.Series):
            value = value.iloc[:, 0].rename(self.meta.name)
        return from_pandas(value, self.meta)


def dtype_if_grouped(meta: Meta, grouped_meta: Meta | None, place: int) -> Any:
    """The dtype that a column has if no row is without a group; None if that makes no difference."""
    if grouped_meta is None:
        return None
    dtype = column_dtypes(grouped_meta)[place]
    return dtype if dtype != column_dtypes(meta)[place] else None
