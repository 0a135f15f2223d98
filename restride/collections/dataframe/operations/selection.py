"""Columns of a frame: chosen by position, with the index or without it, and as what kind of object."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
import pyarrow as pa

from restride.collections.blocks import Blocks
from restride.collections.dataframe.expr import Divisions, FrameExpr, Wanted, default_divisions, unknown_divisions
from restride.collections.dataframe.hints import no_label
from restride.collections.dataframe.meta import Meta, has_default_index, positions_of
from restride.collections.dataframe.partition import Partition, from_pandas, levels_of, table_of, to_pandas
from restride.collections.expression import Expr

Kind = Literal["frame", "series", "index"]


@dataclass(frozen=True, eq=False, repr=False)
class Project(FrameExpr):
    """Some columns of a frame or series, by position, as an object of a kind."""

    any_partitions = True
    partitionwise = True

    frame: FrameExpr
    wanted: Wanted
    kind: Kind

    @property
    def label(self) -> str:
        return "columns" if self.kind == "frame" else "column" if self.kind == "series" else "index"

    @property
    def detail(self) -> str:
        index = "" if self.wanted.index or not self.frame.has_index else ", no index"
        if isinstance(self.frame.meta, pd.DataFrame):
            return f"[{', '.join(str(self.frame.meta.columns[i]) for i in self.wanted.columns[:8])}{index}]"
        return index

    def _meta(self) -> Meta:
        return projected_meta(self.frame.meta, self.wanted, self.kind)

    def _divisions(self) -> Divisions:
        frame = self.frame
        if self.wanted.index or not frame.has_index:
            return frame.divisions
        return unknown_divisions(frame.npartitions) if frame.lengths is None else default_divisions(frame.lengths)

    @property
    def reads_apart(self) -> bool:
        return self.frame.reads_apart

    def value_source(self, place: int) -> tuple[FrameExpr, int]:
        n = len(self.wanted.columns)
        return self.frame, self.wanted.columns[place] if place < n else self.frame.layout.n_columns + place - n

    def simplified(self) -> Expr:
        """One projection of two, none that changes nothing."""
        frame = self.frame
        if self.wanted == frame.everything and self.kind == kind_of(frame.meta):
            return frame
        if isinstance(frame, Project) and isinstance(frame.frame, FrameExpr):
            columns = tuple(frame.wanted.columns[i] for i in self.wanted.columns)
            return Project(frame.frame, Wanted(columns, self.wanted.index and frame.wanted.index), self.kind).made_at(
                self.origin
            )
        below = frame.passed(self.wanted, self.kind)
        return self if below is None else below.made_at(self.origin)

    def narrowed(self, wanted: Wanted) -> FrameExpr:
        columns = tuple(self.wanted.columns[i] for i in wanted.columns)
        return Project(self.frame, Wanted(columns, wanted.index), narrowed_kind(self.meta, wanted))

    def blocks(self, *children: Blocks) -> Blocks:
        kernel = ProjectBlock(self.frame.meta, self.meta, self.wanted, self.kind)
        return self.by_partition(kernel, *children, free=True)


@dataclass(frozen=True)
class ProjectBlock:
    """Kernel: some columns of a partition; no data are copied."""

    of: Any
    meta: Any
    wanted: Wanted
    kind: Kind
    __name__ = "columns"

    def __call__(self, partition: Partition) -> Partition:
        if not isinstance(partition, pa.Table):
            chosen = choose(partition, self.wanted, self.kind)
            return from_pandas(chosen, self.meta)
        levels = levels_of(partition, self.of) if self.wanted.index else []
        return table_of([partition.column(i) for i in self.wanted.columns], levels, partition.num_rows)


def choose(value: Any, wanted: Wanted, kind: Kind) -> Any:
    """What `Project` makes, of a pandas object."""
    if not wanted.index and not isinstance(value, pd.Index):
        name = value.index.name if isinstance(value.index, pd.RangeIndex) else None
        value = value.set_axis(pd.RangeIndex(len(value), name=name), axis=0)
    if kind == "index":
        return value if isinstance(value, pd.Index) else value.index
    if isinstance(value, pd.DataFrame):
        return value.iloc[:, wanted.columns[0]] if kind == "series" else value.iloc[:, list(wanted.columns)]
    if isinstance(value, pd.Index):
        value = pd.Series(index=value, dtype=object)
    if kind == "frame":
        return value.to_frame().iloc[:, list(wanted.columns)]
    return value


_MOST_PROJECTED = 1000
_projected: dict[tuple[int, Wanted, Kind], tuple[Meta, Meta]] = {}
"""Recent metas of some columns, beside what they are of, by its identity: pandas takes 0.1 ms, and plans many."""


def projected_meta(meta: Meta, wanted: Wanted, kind: Kind) -> Meta:
    """The meta of some columns of a frame."""
    key = (id(meta), wanted, kind)
    found = _projected.get(key)
    if found is None or found[0] is not meta:
        if len(_projected) >= _MOST_PROJECTED:
            _projected.clear()
        found = _projected[key] = (meta, _projected_meta(meta, wanted, kind))
    return found[1]


def _projected_meta(meta: Meta, wanted: Wanted, kind: Kind) -> Meta:
    if not wanted.index and not isinstance(meta, pd.Index):
        meta = meta if has_default_index(meta) else meta.set_axis(pd.RangeIndex(0), axis=0)
    if not wanted.index and isinstance(meta, pd.Index):
        return pd.DataFrame(index=pd.RangeIndex(0))
    return choose(meta, wanted, kind)


def kind_of(meta: Meta) -> Kind:
    """What a meta is the meta of."""
    return "frame" if isinstance(meta, pd.DataFrame) else "series" if isinstance(meta, pd.Series) else "index"


def narrowed_kind(meta: Meta, wanted: Wanted) -> Kind:
    """What is left of an object: a series without its values, or an index without its labels, is a frame of none."""
    kind = kind_of(meta)
    return "frame" if kind == "index" or not wanted.columns else kind


def narrow(frame: FrameExpr, wanted: Wanted) -> FrameExpr:
    """Some columns of a frame; see `narrowed_kind`."""
    if wanted == frame.everything:
        return frame
    return Project(frame, wanted, narrowed_kind(frame.meta, wanted))


def without_index(frame: FrameExpr) -> FrameExpr:
    """A frame or series for use where nobody looks at its labels."""
    return narrow(frame, Wanted(frame.everything.columns, False)) if frame.has_index else frame


def column(frame: FrameExpr, position: int) -> FrameExpr:
    """A column of a frame as a series."""
    return Project(frame, Wanted((position,), frame.has_index), "series")


def columns(frame: FrameExpr, labels: Sequence[Hashable]) -> FrameExpr:
    """Columns of a frame by label, as a frame; raises KeyError for a label that there is not."""
    try:
        positions = positions_of(frame.meta, labels)
    except KeyError:
        missing = [label for label in labels if label not in frame.meta.columns]
        raise no_label(missing[0], frame.meta.columns, f"{missing} not in columns") from None
    return Project(frame, Wanted(tuple(positions), frame.has_index), "frame")


def by_label(frame: FrameExpr, label: Hashable) -> FrameExpr:
    """What ``frame[label]`` is: a series, or a frame where several columns have the label, or a part of it."""
    try:
        chosen = frame.meta[label]
    except KeyError as error:
        raise no_label(error.args[0], frame.meta.columns) from None
    if isinstance(chosen, pd.Series):
        return column(frame, positions_of(frame.meta, [label])[0])
    marked = pd.DataFrame([range(frame.meta.shape[1])], columns=frame.meta.columns)[label]
    positions = tuple(marked.iloc[0].tolist())
    return renamed(Project(frame, Wanted(positions, frame.has_index), "frame"), chosen)


def index(frame: FrameExpr) -> FrameExpr:
    """The index of a frame or series."""
    return Project(frame, Wanted((), True), "index")


@dataclass(frozen=True, eq=False, repr=False)
class Relabel(FrameExpr):
    """The same data under other labels: names of columns, of the series, of levels of the index."""

    any_partitions = True
    partitionwise = True

    frame: FrameExpr
    new_meta: Any

    def _meta(self) -> Meta:
        meta: Meta = self.new_meta
        return meta

    @property
    def reads_apart(self) -> bool:
        return self.frame.reads_apart

    def value_source(self, place: int) -> tuple[FrameExpr, int]:
        return self.frame, place

    def simplified(self) -> Expr:
        if isinstance(self.frame, Relabel):
            return Relabel(self.frame.frame, self.new_meta).made_at(self.origin)
        return self

    def narrowed(self, wanted: Wanted) -> FrameExpr:
        kind = narrowed_kind(self.meta, wanted)
        return Relabel(narrow(self.frame, wanted), projected_meta(self.meta, wanted, kind))

    def blocks(self, *children: Blocks) -> Blocks:
        if not self.layout.opaque:
            return children[0]
        return self.by_partition(RelabelBlock(self.frame.meta, self.meta), *children, free=True)


@dataclass(frozen=True)
class RelabelBlock:
    """Kernel: new labels for an opaque partition."""

    of: Any
    meta: Any
    __name__ = "relabel"

    def __call__(self, partition: Partition) -> Partition:
        value = to_pandas(partition, self.of)
        if isinstance(value, pd.Index):
            return value.set_names(self.meta.names)
        if isinstance(value, pd.Series):
            value = value.rename(self.meta.name)
        else:
            value = value.set_axis(self.meta.columns, axis=1)
        return value.rename_axis(index=self.meta.index.names)


def renamed(frame: FrameExpr, meta: Meta) -> FrameExpr:
    """The same data with the labels of another meta, of the same dtypes."""
    return Relabel(frame, meta)
