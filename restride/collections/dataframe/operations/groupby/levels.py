"""Labels of rows as values: a level of the index as a series, and what a function makes of labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from restride.collections.blocks import Blocks, every
from restride.collections.dataframe.expr import FrameExpr, Wanted
from restride.collections.dataframe.meta import Meta, index_of
from restride.collections.dataframe.operations.selection import narrow
from restride.collections.dataframe.partition import (
    Partition,
    from_pandas,
    index_to_pandas,
    levels_of,
    n_rows,
    table_of,
)


@dataclass(frozen=True, eq=False, repr=False)
class IndexLevel(FrameExpr):
    """A level of a stored index as a series of the same rows."""

    any_partitions = True

    frame: FrameExpr
    number: int

    @property
    def label(self) -> str:
        return "level"

    def _meta(self) -> Meta:
        index = index_of(self.frame.meta)
        values = index.get_level_values(self.number)
        if isinstance(index, pd.MultiIndex):
            values = pd.Index(values, dtype=index.levels[self.number].dtype, name=values.name)
        return pd.Series(values, index=index, name=values.name)

    def value_source(self, place: int) -> tuple[FrameExpr, int]:
        n = self.frame.layout.n_columns
        return self.frame, n + (self.number if place == 0 else place - 1)

    def narrowed(self, wanted: Wanted) -> FrameExpr | None:
        if wanted.columns:
            return None
        return narrow(self.frame, Wanted((), wanted.index))

    def blocks(self, *children: Blocks) -> Blocks:
        return self.by_partition(LevelOf(self.frame.meta, self.number, self.meta), *children)


@dataclass(frozen=True)
class LevelOf:
    """Kernel: a level of a partition's index as its data column."""

    of: Any
    number: int
    meta: Any
    __name__ = "level"

    def __call__(self, partition: Partition) -> Partition:
        if isinstance(partition, pa.Table):
            levels = levels_of(partition, self.of)
            return table_of([levels[self.number]], levels, partition.num_rows)
        index = index_to_pandas(partition, self.of)
        return from_pandas(pd.Series(index.get_level_values(self.number), index=index), self.meta)


@dataclass(frozen=True, eq=False, repr=False)
class MappedIndex(FrameExpr):
    """What a function makes of each label of a stored index, as a series of the same rows."""

    frame: FrameExpr
    function: Callable[[Any], Any]
    dtype: Any

    @property
    def label(self) -> str:
        return "labels-mapped"

    def _meta(self) -> Meta:
        index = index_of(self.frame.meta)
        return pd.Series([], dtype=self.dtype, index=index, name=index.name)

    def narrowed(self, wanted: Wanted) -> FrameExpr | None:
        return None if wanted.columns else narrow(self.frame, Wanted((), wanted.index))

    def blocks(self, *children: Blocks) -> Blocks:
        return self.by_partition(MapLabels(self.frame.meta, self.function, self.meta), *children)


@dataclass(frozen=True)
class MapLabels:
    """Kernel: a function of each label."""

    of: Any
    function: Callable[[Any], Any]
    meta: Any
    __name__ = "labels-mapped"

    def __call__(self, partition: Partition) -> Partition:
        labels = pd.DataFrame(index=index_to_pandas(partition, self.of))
        values = mapped_labels(labels, self.function)
        return from_pandas(values if len(values) else values.astype(self.meta.dtype), self.meta)


def mapped_labels(value: Any, function: Callable[[Any], Any]) -> pd.Series:
    """What a function makes of each label of a frame or series."""
    return pd.Series(value.index.map(function), index=value.index, name=value.index.name)


POSITION_BITS = 40
"""Of the number of a row's position those below the number of its partition."""


@dataclass(frozen=True, eq=False, repr=False)
class RowPositions(FrameExpr):
    """Numbers that rise from row to row through all partitions, as a series of the same rows."""

    any_partitions = True

    frame: FrameExpr

    @property
    def label(self) -> str:
        return "positions"

    def _meta(self) -> Meta:
        return pd.Series([], dtype="int64", index=index_of(self.frame.meta))

    def narrowed(self, wanted: Wanted) -> FrameExpr | None:
        return narrow(self.frame, Wanted((), wanted.index)) if not wanted.columns else None

    def blocks(self, *children: Blocks) -> Blocks:
        kernel = NumberByPartition(self.frame.meta)
        return self.by_partition(kernel, *children, params=every(self.npartitions))


@dataclass(frozen=True)
class NumberByPartition:
    """Kernel: the number of the partition, then that of the row in it, as one number a row."""

    of: Any
    __name__ = "positions"

    def __call__(self, number: int, partition: Partition) -> Partition:
        rows = n_rows(partition)
        positions = np.arange(rows) + (int(number) << POSITION_BITS)
        if isinstance(partition, pa.Table):
            return table_of([pa.array(positions)], levels_of(partition, self.of), rows)
        return pd.Series(positions, index=index_to_pandas(partition, self.of))
