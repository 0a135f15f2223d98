"""Columns made levels of the index and the other way round: the same values at other places of the same rows."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from restride.collections.blocks import Blocks
from restride.collections.dataframe.expr import Divisions, FrameExpr, Wanted, default_divisions, unknown_divisions
from restride.collections.dataframe.meta import Meta, column_dtypes, level_dtypes, with_index
from restride.collections.dataframe.operations.rowwise import Assign, Filter, check_rows, labelled
from restride.collections.dataframe.operations.selection import (
    Project,
    narrow,
    narrowed_kind,
    projected_meta,
    renamed,
    without_index,
)
from restride.collections.dataframe.partition import Partition, from_pandas, table_of, to_pandas


@dataclass(frozen=True, eq=False, repr=False)
class Rearrange(FrameExpr):
    """Columns and levels of a frame, by their places, as the columns and levels of another.

    A place is that of a column, or the number of columns and that of a level.
    """

    any_partitions = True
    partitionwise = True

    frame: FrameExpr
    columns: tuple[int, ...]
    levels: tuple[int, ...]
    """None at all for a default index."""
    new_meta: Any

    @property
    def label(self) -> str:
        return "index" if self.levels else "reset_index"

    def _meta(self) -> Meta:
        meta: Meta = self.new_meta
        return meta

    def _divisions(self) -> Divisions:
        n = self.frame.layout.n_columns
        if self.levels == tuple(range(n, n + self.frame.layout.n_levels)):
            return self.frame.divisions
        if not self.levels and self.lengths is not None:
            return default_divisions(self.lengths)
        return unknown_divisions(self.npartitions)

    def value_source(self, place: int) -> tuple[FrameExpr, int]:
        return self.frame, (*self.columns, *self.levels)[place]

    def narrowed(self, wanted: Wanted) -> FrameExpr:
        n = self.frame.layout.n_columns
        columns = tuple(self.columns[i] for i in wanted.columns)
        levels = self.levels if wanted.index else ()
        used = sorted({place for place in columns + levels if place < n})
        base = narrow(self.frame, Wanted(tuple(used), any(place >= n for place in columns + levels)))
        moved = {place: i for i, place in enumerate(used)}
        moved |= {n + i: len(used) + i for i in range(self.frame.layout.n_levels)}
        meta = projected_meta(self.meta, wanted, narrowed_kind(self.meta, wanted))
        return Rearrange(base, tuple(moved[i] for i in columns), tuple(moved[i] for i in levels), meta)

    def filtered(self, mask: FrameExpr) -> FrameExpr | None:
        return self.replace(frame=Filter(self.frame, mask)) if self.levels and self.frame.has_index else None

    def blocks(self, *children: Blocks) -> Blocks:
        kernel = RearrangeBlock(self.frame.meta, self.columns, self.levels, self.meta)
        return self.by_partition(kernel, *children, free=not self.frame.layout.opaque)


@dataclass(frozen=True)
class RearrangeBlock:
    """Kernel: columns and levels of a partition at other places."""

    of: Any
    columns: tuple[int, ...]
    levels: tuple[int, ...]
    meta: Any
    __name__ = "rearrange"

    def __call__(self, partition: Partition) -> Partition:
        if isinstance(partition, pa.Table):
            columns, levels = ([partition.column(i) for i in places] for places in (self.columns, self.levels))
            return table_of(columns, levels, partition.num_rows)
        value = to_pandas(partition, self.of)
        arrays = [*columns_of(value), *levels_of_index(value if isinstance(value, pd.Index) else value.index)]
        index = _index([arrays[i] for i in self.levels], self.meta, len(value))
        if isinstance(self.meta, pd.Index):
            return from_pandas(index, self.meta)
        data = [_series(arrays[i]) for i in self.columns]
        if isinstance(self.meta, pd.Series):
            return from_pandas(data[0].rename(self.meta.name).set_axis(index), self.meta)
        frame = pd.DataFrame(dict(enumerate(data)), index=pd.RangeIndex(len(value))).set_axis(index)
        frame.columns = self.meta.columns
        return from_pandas(frame, self.meta)


def _series(values: Any) -> pd.Series:
    """A series of an array as it is: pandas would look at objects, and make strings of them."""
    return pd.Series(values, dtype=values.dtype, copy=False)


def columns_of(value: Any) -> list[Any]:
    """The columns of a pandas object, as arrays."""
    if isinstance(value, pd.DataFrame):
        return [value.iloc[:, i].array for i in range(value.shape[1])]
    return [value.array] if isinstance(value, pd.Series) else []


def levels_of_index(index: pd.Index) -> list[Any]:
    """The levels of an index, as arrays."""
    return [index.get_level_values(i).array for i in range(index.nlevels)]


def _index(levels: Sequence[Any], meta: Meta, n: int) -> pd.Index:
    empty = meta if isinstance(meta, pd.Index) else meta.index
    if not levels:
        return pd.RangeIndex(n, name=empty.name)
    if isinstance(empty, pd.MultiIndex):
        return pd.MultiIndex.from_arrays(levels, names=empty.names)
    return pd.Index(levels[0], dtype=levels[0].dtype, name=empty.name)


def dtypes_of(meta: Meta) -> list[Any]:
    """The dtypes of columns, then those of stored levels, by place."""
    return [*column_dtypes(meta), *level_dtypes(meta)]


def empty_index(dtypes: Sequence[Any], names: Sequence[Hashable]) -> pd.Index:
    """The meta of an index of levels of some dtypes."""
    levels = [pd.Index([], dtype=dtype) for dtype in dtypes]
    if len(levels) == 1:
        return levels[0].rename(names[0])
    return pd.MultiIndex.from_arrays(levels, names=list(names))


def index_as_series(index: FrameExpr) -> FrameExpr:
    """The labels of an index as a series with a default index.

    Raises
    ------
    NotImplementedError
        The index has several levels.
    """
    if isinstance(index.meta, pd.MultiIndex):
        raise NotImplementedError("an index of several levels has no values of one dtype; use reset_index")
    return Rearrange(index, (0,), (), pd.Series([], dtype=index.meta.dtype, name=index.meta.name))


def series_as_index(series: FrameExpr) -> FrameExpr:
    """The values of a series as an index."""
    return Rearrange(series, (), (0,), empty_index([series.meta.dtype], [series.meta.name]))


def with_index_reset(frame: FrameExpr, *, keep: Sequence[int], move: Sequence[int], meta: Any) -> FrameExpr:
    """A frame or series with levels of its index before its columns; `keep` and `move` are numbers of levels."""
    frame = labelled(frame)
    n = frame.layout.n_columns
    columns = (*(n + i for i in move), *range(n))
    return Rearrange(frame, columns, tuple(n + i for i in keep), meta)


def with_index_of(frame: FrameExpr, levels: Sequence[FrameExpr], names: Sequence[Hashable]) -> FrameExpr:
    """A frame or series with the values of series of the same rows for its index."""
    check_rows([frame, *levels])
    n, k = frame.layout.n_columns, len(levels)
    index = empty_index([level.meta.dtype for level in levels], names)
    plain = Project(frame, Wanted(tuple(range(n)), False), "frame")
    wide = Assign(plain, tuple(range(n, n + k)), tuple(range(k)), tuple(map(without_index, levels)))
    return Rearrange(wide, tuple(range(n)), tuple(range(n, n + k)), with_index(frame.meta, index))


@dataclass(frozen=True, eq=False, repr=False)
class AsRowsOf(FrameExpr):
    """A frame that has, partition by partition, as many rows as another, and goes with them as they come."""

    frame: FrameExpr
    of_rows: str
    """The `rows` of the other."""

    @property
    def label(self) -> str:
        return "by_position"

    def _rows(self) -> str:
        return self.of_rows

    def value_source(self, place: int) -> tuple[FrameExpr, int]:
        return self.frame, place

    def narrowed(self, wanted: Wanted) -> FrameExpr:
        return AsRowsOf(narrow(self.frame, wanted), self.of_rows)

    def blocks(self, *children: Blocks) -> Blocks:
        return children[0]


def numbered(frame: FrameExpr, name: Hashable = None) -> FrameExpr:
    """A frame or series with a default index of a name."""
    plain = without_index(frame)
    return plain if plain.meta.index.name == name else renamed(plain, plain.meta.rename_axis(index=name))
