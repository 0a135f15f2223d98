"""Frames one below the other: the partitions of all, with the columns and dtypes that they have in common."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from restride.collections.blocks import Blocks, Map, Select, every
from restride.collections.dataframe.expr import (
    Divisions,
    FrameExpr,
    Lengths,
    Wanted,
    default_divisions,
    unknown_divisions,
)
from restride.collections.dataframe.kernels.gathering import Missing, Rows
from restride.collections.dataframe.layout import arrow_type, layout_of
from restride.collections.dataframe.meta import Meta, as_dtype, describe, has_default_index, with_index
from restride.collections.dataframe.operations.merge.joining import missing_kind
from restride.collections.dataframe.operations.merge.plan import promoted
from restride.collections.dataframe.operations.places import Rearrange, dtypes_of, empty_index
from restride.collections.dataframe.operations.rowwise import Assign, Constant, labelled
from restride.collections.dataframe.operations.selection import (
    Project,
    narrow,
    narrowed_kind,
    projected_meta,
    without_index,
)
from restride.collections.dataframe.partition import (
    Partition,
    column_from_pandas,
    column_to_pandas,
    from_pandas,
    n_rows,
    table_of,
    to_pandas,
)

Places = tuple[int | None, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Concat(FrameExpr):
    """The partitions of several frames one after the other."""

    any_partitions = True

    frames: tuple[FrameExpr, ...]
    places: tuple[Places, ...]
    """For each frame where it has each column of the result, then each level; None where it has it not."""
    of_meta: Any

    @property
    def label(self) -> str:
        return "concat"

    def identity(self) -> Iterable[Any]:
        return [*self.frames, self.places, describe(self.of_meta)]

    def _meta(self) -> Meta:
        meta: Meta = self.of_meta
        return meta

    def _npartitions(self) -> int:
        return sum(frame.npartitions for frame in self.frames)

    def _lengths(self) -> Lengths | None:
        lengths = [frame.lengths for frame in self.frames]
        return None if None in lengths else tuple(length for some in lengths for length in some or ())

    def _divisions(self) -> Divisions:
        """Known where the frames' are, and no frame has labels before or among those of the one above it."""
        if has_default_index(self.meta):
            return default_divisions(self.lengths) if self.lengths else unknown_divisions(self.npartitions)
        dtypes = {str(frame.meta.index.dtype) for frame in self.frames}
        known = len(dtypes) == 1 and all(frame.known_divisions for frame in self.frames)
        if not known or any(a.divisions[-1] >= b.divisions[0] for a, b in zip(self.frames, self.frames[1:])):
            return unknown_divisions(self.npartitions)
        starts = [division for frame in self.frames for division in frame.divisions[:-1]]
        return (*starts, self.frames[-1].divisions[-1])

    def _rows(self) -> str:
        return "+".join(["concat", *(frame.rows for frame in self.frames)])

    def narrowed(self, wanted: Wanted) -> FrameExpr:
        n = self.layout.n_columns
        frames, places = [], []
        for frame, at in zip(self.frames, self.places):
            kept = [at[i] for i in wanted.columns] + (list(at[n:]) if wanted.index else [])
            own = frame.layout.n_columns
            used = sorted({place for place in kept if place is not None and place < own})
            moved = {place: i for i, place in enumerate(used)}
            moved |= {own + i: len(used) + i for i in range(frame.layout.n_levels)}
            frames.append(narrow(frame, Wanted(tuple(used), wanted.index and frame.has_index)))
            places.append(tuple(None if place is None else moved[place] for place in kept))
        meta = projected_meta(self.meta, wanted, narrowed_kind(self.meta, wanted))
        return Concat(tuple(frames), tuple(places), meta)

    def blocks(self, *children: Blocks) -> Blocks:
        tables = []
        by_frame = dict(zip(dict.fromkeys(self.frames), children))
        for frame, places in zip(self.frames, self.places):
            table = by_frame[frame]
            if _changes(frame, places, self.meta):
                kernel = Conform(frame.meta, places, self.meta)
                table = Map(
                    n=table.n, inputs=(table,), kernel=kernel, index=(every(table.n),), name=self.label,
                    origin=self.origin,
                )  # fmt: skip
            tables.append(table)
        n = self.npartitions
        return Select(n=n, inputs=tuple(tables), table=every(n))


def _changes(frame: FrameExpr, places: Places, meta: Meta) -> bool:
    """Whether partitions of a frame are not as those of the result are."""
    same = places == tuple(range(len(dtypes_of(frame.meta)))) and len(places) == len(dtypes_of(meta))
    return not same or frame.layout.opaque or list(map(str, dtypes_of(frame.meta))) != list(map(str, dtypes_of(meta)))


@dataclass(frozen=True)
class Conform:
    """Kernel: a partition with the columns, in the dtypes, of another meta; what it has not is missing."""

    of: Any
    places: Places
    meta: Any
    __name__ = "concat"

    def __call__(self, partition: Partition) -> Partition:
        n = n_rows(partition)
        have, want = dtypes_of(self.of), dtypes_of(self.meta)
        n_columns = layout_of(self.meta).n_columns
        if layout_of(self.meta).opaque or not isinstance(partition, pa.Table):
            return self._pandas(partition, n, n_columns)
        columns = []
        for place, dtype in zip(self.places, want):
            kind = arrow_type(dtype)
            assert kind is not None
            if place is None:
                columns.append(Rows(np.full(n, -1), some_missing=True).of(pa.nulls(0, kind), _missing(dtype)))
            elif have[place] == dtype and not isinstance(dtype, pd.CategoricalDtype):
                columns.append(partition.column(place))
            elif isinstance(have[place], np.dtype) and isinstance(dtype, np.dtype):
                columns.append(Rows(None).of(partition.column(place), _missing(dtype)))
            else:
                values = column_to_pandas(partition.column(place), have[place])
                columns.append(column_from_pandas(as_dtype(pd.Series(values), dtype), dtype))
        return table_of(columns[:n_columns], columns[n_columns:], n)

    def _pandas(self, partition: Partition, n: int, n_columns: int) -> Partition:
        value = to_pandas(partition, self.of)
        index = value if isinstance(value, pd.Index) else value.index
        data = [value.iloc[:, i] for i in range(value.shape[1])] if isinstance(value, pd.DataFrame) else [value]
        levels = [index.get_level_values(i) for i in range(index.nlevels)]
        arrays = [*(one.array for one in data), *(level.array for level in levels)]
        own = layout_of(self.of).n_columns
        arrays = arrays[:own] + arrays[own:]
        columns = []
        for place, dtype in zip(self.places, dtypes_of(self.meta)):
            if place is None:
                columns.append(as_dtype(pd.Series(np.full(n, np.nan)), dtype))
            else:
                columns.append(as_dtype(pd.Series(arrays[place], dtype=arrays[place].dtype), dtype))
        made = pd.DataFrame(dict(enumerate(columns[:n_columns])), index=pd.RangeIndex(n))
        new_levels = columns[n_columns:]
        if len(new_levels) > 1:
            made.index = pd.MultiIndex.from_arrays(new_levels, names=self.meta.index.names)
        elif new_levels:
            made.index = pd.Index(new_levels[0], name=self.meta.index.name)
        if isinstance(self.meta, pd.Series):
            return from_pandas(made.iloc[:, 0].rename(self.meta.name), self.meta)
        return from_pandas(made.set_axis(self.meta.columns, axis=1), self.meta)


def _missing(dtype: Any) -> Missing:
    kind = arrow_type(dtype)
    assert kind is not None
    return Missing(missing_kind(dtype), kind)


def concat_rows(frames: Sequence[FrameExpr], join: str, *, ignore_index: bool) -> FrameExpr:
    """Frames, or series, one below the other, as `pandas.concat`."""
    frames = [without_index(frame) if ignore_index else labelled(frame) for frame in frames]
    metas = [frame.meta for frame in frames]
    shape = pd.concat(metas, join=join, ignore_index=ignore_index)
    if isinstance(shape, pd.Series):
        dtype = _common([meta.dtype for meta in metas], lacks=False)
        places: list[list[int | None]] = [[0] for _ in frames]
        meta: Any = pd.Series([], dtype=dtype, name=shape.name)
    else:
        finds = [_finds(one, shape.columns) for one in metas]
        places = [list(found) for found in finds]
        dtypes = []
        for i in range(shape.shape[1]):
            have = [_column_dtype(one, found[i]) for one, found in zip(metas, finds) if found[i] is not None]
            lacks = len(have) < len(frames)
            dtypes.append(_common(have, lacks=True) if lacks else shape.dtypes.iloc[i])
        meta = pd.DataFrame({i: pd.Series([], dtype=dtype) for i, dtype in enumerate(dtypes)})
        meta = meta.set_axis(shape.columns, axis=1) if dtypes else shape.iloc[:0].set_axis(pd.RangeIndex(0), axis=0)
    if not ignore_index:
        counts = {one.layout.n_levels for one in frames}
        if len(counts) > 1:
            raise ValueError("frames whose indexes have different numbers of levels have no rows below each other")
        n_levels = counts.pop()
        for frame, place in zip(frames, places):
            place += range(frame.layout.n_columns, frame.layout.n_columns + n_levels)
        levels = [[dtypes_of(one.meta)[one.layout.n_columns + i] for one in frames] for i in range(n_levels)]
        index = empty_index([_common(level, lacks=False) for level in levels], shape.index.names)
        meta = meta.set_axis(index, axis=0)
    return Concat(tuple(frames), tuple(map(tuple, places)), meta)


def with_keys(frames: Sequence[FrameExpr], keys: Sequence[Any], names: Any) -> list[FrameExpr]:
    """Frames whose rows are labelled by the key of the frame before their own labels, as `pandas.concat`."""
    with_labels = [labelled(frame) for frame in frames]
    levels = pd.concat([frame.meta for frame in with_labels], keys=keys, names=names).index.names
    made: list[FrameExpr] = []
    for frame, key in zip(with_labels, keys):
        values = key if isinstance(key, tuple) else (key,)
        n, k, own = frame.layout.n_columns, len(values), frame.layout.n_levels
        series = tuple(without_index(Constant(frame, value)) for value in values)
        wide = Assign(Project(frame, frame.everything, "frame"), tuple(range(n, n + k)), tuple(range(k)), series)
        dtypes = [*(one.meta.dtype for one in series), *dtypes_of(frame.meta)[n:]]
        meta = with_index(frame.meta, empty_index(dtypes, levels))
        made.append(Rearrange(wide, tuple(range(n)), tuple(range(n, n + k + own)), meta))
    return made


def _finds(meta: Meta, labels: pd.Index) -> list[int | None]:
    """Where a frame has each column of the result."""
    if isinstance(meta, pd.Series):
        name = 0 if meta.name is None else meta.name
        return [0 if label == name else None for label in labels]
    left: dict[Hashable, list[int]] = {}
    for place, label in enumerate(meta.columns):
        left.setdefault(label, []).append(place)
    return [left[label].pop(0) if left.get(label) else None for label in labels]


def _column_dtype(meta: Meta, place: int | None) -> Any:
    return meta.dtype if isinstance(meta, pd.Series) else meta.dtypes.iloc[place]


def _common(dtypes: Sequence[Any], *, lacks: bool) -> Any:
    """The dtype of values of several dtypes below each other, some of which may be missing."""
    dtype = pd.concat([pd.Series([], dtype=one) for one in dtypes]).dtype if len(set(dtypes)) > 1 else dtypes[0]
    return promoted(dtype) if lacks else dtype
