"""The nodes of merges: what a merge means (`Merge`), and the ways in which it is carried out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from restride.collections.blocks import Blocks, Gather, Map, every
from restride.collections.dataframe.expr import Divisions, FrameExpr, NewRows, Wanted, unknown_divisions
from restride.collections.dataframe.meta import Meta, describe
from restride.collections.dataframe.operations.masks import conjuncts, over
from restride.collections.dataframe.operations.merge.joining import CrossPartitions, IndexSide, JoinPartitions
from restride.collections.dataframe.operations.merge.keys import LOOKUP
from restride.collections.dataframe.operations.merge.plan import MergePlan
from restride.collections.dataframe.operations.partitions import ConcatPartitions
from restride.collections.dataframe.operations.places import dtypes_of
from restride.collections.dataframe.operations.rowwise import Filter, labelled
from restride.collections.dataframe.operations.selection import narrow, projected_meta
from restride.collections.dataframe.partition import Partition, n_rows, table_of

ROW_BITS = 40
"""Positions are the number of a partition above as many bits, and that of a row in it below."""


@dataclass(frozen=True, eq=False, repr=False)
class MergeBase(FrameExpr):
    """Two frames and the plan of their merge."""

    left: FrameExpr
    right: FrameExpr
    plan: MergePlan

    @property
    def label(self) -> str:
        return "merge"

    @property
    def detail(self) -> str:
        names = [str(name) for name in self.key_names()]
        return f" {self.plan.how} on {', '.join(names)}" if names else f" {self.plan.how}"

    def key_names(self) -> list[Any]:
        """The labels of the left side's keys."""
        labels = [*self.left.meta.columns, *self.left.meta.index.names]
        return [labels[i] for i in self.plan.left_keys]

    def identity(self) -> Iterable[Any]:
        plan = self.plan
        outputs = [(o.source.left, o.source.right, str(o.dtype), o.lacks) for o in plan.outputs]
        rest = [value for value in self._values() if value is not plan]
        return [*rest, plan.how, describe(plan.meta), outputs, plan.left_keys, plan.right_keys, plan.indicator]

    @property
    def asking(self) -> FrameExpr:
        """The side whose order the rows are in."""
        return self.left if self.plan.asks == "left" else self.right

    @property
    def other(self) -> FrameExpr:
        """The other side."""
        return self.right if self.plan.asks == "left" else self.left

    def _meta(self) -> Meta:
        return self.plan.meta

    def _npartitions(self) -> int:
        return self.asking.npartitions

    def _lengths(self) -> None:
        return None

    def _rows(self) -> str:
        return self.name

    def _divisions(self) -> Divisions:
        """Those of the side whose labels and order the rows have."""
        levels = self.plan.levels
        unknown = unknown_divisions(self._npartitions())
        if len(levels) != 1 or self.plan.how == "outer" or self.asking.layout.n_levels != 1:
            return unknown
        source = levels[0].source
        at = source.left if self.plan.asks == "left" else source.right
        return self.asking.divisions if at == self.asking.layout.n_columns else unknown

    def value_source(self, place: int) -> tuple[FrameExpr, int] | None:
        if place >= len(self.plan.columns) and self.plan.indicator:
            return None
        output = self.plan.outputs[place]
        source = output.source
        if output.lacks or (source.left is not None and source.right is not None):
            return None
        return (self.left, source.left) if source.left is not None else (self.right, source.right or 0)

    def partition_source(self, place: int) -> tuple[FrameExpr, int] | None:
        """Of the side that asks; of an inner merge also keys of the other one, to which they are equal."""
        if self.value_source(place) is None:
            return None
        source, plan = self.plan.outputs[place].source, self.plan
        mine, theirs, own, other = source.left, source.right, plan.left_keys, plan.right_keys
        if plan.asks == "right":
            mine, theirs, own, other = theirs, mine, other, own
        if mine is None and plan.how == "inner" and theirs in other:
            mine = own[other.index(theirs)]
        return None if mine is None else (self.asking, mine)

    def narrowed(self, wanted: Wanted) -> FrameExpr | None:
        """Columns that neither the result nor the keys need are not carried along."""
        plan = self.plan
        n_columns = len(plan.columns)
        chosen = tuple(i for i in wanted.columns if i < n_columns)
        indicator = plan.indicator and n_columns in wanted.columns
        if indicator and wanted.columns[-1] != n_columns:
            return None
        meta = projected_meta(plan.meta, wanted, "frame")
        levels = plan.levels if wanted.index else ()
        new = replace(
            plan, meta=meta, columns=tuple(plan.columns[i] for i in chosen), levels=levels, indicator=indicator
        )
        sides, places = [], []
        for side, frame in (("left", self.left), ("right", self.right)):
            used = sorted(new.used(side))
            columns = tuple(place for place in used if place < frame.layout.n_columns)
            with_index = any(place >= frame.layout.n_columns for place in used)
            sides.append(narrow(frame, Wanted(columns, with_index)))
            moved = {place: i for i, place in enumerate(columns)}
            moved |= {frame.layout.n_columns + i: len(columns) + i for i in range(frame.layout.n_levels)}
            places.append(moved)
        return self.replace(left=sides[0], right=sides[1], plan=new.moved(*places))


_KEPT = {"inner": ("left", "right"), "left": ("left",), "right": ("right",), "semi": ("left",), "anti": ("left",)}
"""By the kind of merge the sides whose rows may be left out before it: those that no row lacks."""


@dataclass(frozen=True, eq=False, repr=False)
class Merge(MergeBase):
    """A merge as it is meant; the optimiser decides how it is carried out."""

    any_partitions = True

    strategy: str = ""
    """``index``, ``shuffle`` or ``partitions``: see `strategies`; empty to have it chosen."""
    by_key: bool = False
    """Whether the rows are sorted by key, as those of an outer merge are."""
    n: int = 0
    """How many partitions there are, if that is not the number of the side whose order the rows are in."""

    def partition_source(self, place: int) -> None:
        """How it is carried out decides where rows are."""
        return

    def narrower(self, place: int) -> Any:
        """The dtype of a column where no row turns out to lack a partner."""
        if place >= len(self.plan.columns) or not self.plan.columns[place].lacks:
            return None
        source = self.plan.columns[place].source
        frame, at = (self.left, source.left) if source.left is not None else (self.right, source.right or 0)
        dtypes = dtypes_of(frame.meta)
        return dtypes[at] if dtypes[at] != self.plan.columns[place].dtype else None

    def filtered(self, mask: FrameExpr) -> FrameExpr | None:
        """Conditions on columns of one side filter that side, unless its rows come without them, too."""
        sides: dict[str, FrameExpr] = {"left": self.left, "right": self.right}
        rest: list[FrameExpr] = []
        for term in conjuncts(mask):
            side = next((s for s in _KEPT.get(self.plan.how, ()) if self._on_side(term, s, sides[s]) is not None), None)
            moved = None if side is None else self._on_side(term, side, sides[side])
            if side is None or moved is None:
                rest.append(term)
            else:
                sides[side] = Filter(labelled(sides[side]) if self._uses_labels(side) else sides[side], moved)
        if len(rest) == len(conjuncts(mask)):
            return None
        merged: FrameExpr = self.replace(left=sides["left"], right=sides["right"])
        for term in rest:
            again = over(term, self, merged)
            if again is None:
                return None
            merged = Filter(merged, again)
        return merged

    def _uses_labels(self, side: str) -> bool:
        frame = self.left if side == "left" else self.right
        return any(place >= frame.layout.n_columns for place in self.plan.used(side))

    def _on_side(self, term: FrameExpr, side: str, frame: FrameExpr) -> FrameExpr | None:
        """A condition on the result as the same one on a side; None where it needs more than the side's columns."""
        own = self.left if side == "left" else self.right
        dtypes = dtypes_of(own.meta)

        def place_of(column: int) -> int | None:
            if column >= len(self.plan.columns):
                return None
            output = self.plan.columns[column]
            at = output.source.left if side == "left" else output.source.right
            same = at is not None and at < own.layout.n_columns and dtypes[at] == output.dtype and not output.lacks
            return at if same else None

        return over(term, self, frame, place_of)

    def _npartitions(self) -> int:
        return self.n or self.asking.npartitions

    def _divisions(self) -> Divisions:
        return unknown_divisions(self._npartitions()) if self.by_key else super()._divisions()


@dataclass(frozen=True, eq=False, repr=False)
class IndexedMerge(MergeBase):
    """One side, whole, is made an index of rows by key; each partition of the other looks its rows up."""

    by_key: bool = False

    @property
    def detail(self) -> str:
        return f"{super().detail}, {'right' if self.plan.asks == 'left' else 'left'} side indexed"

    @property
    def kernel_rule(self) -> str:
        return LOOKUP

    @property
    def bytes_moved(self) -> int | None:
        return self.other.nbytes

    def blocks(self, *children: Blocks) -> Blocks:
        plan, other = self.plan, self.other
        asks_left = plan.asks == "left"
        keys, as_keys = (plan.right_keys, plan.as_right) if asks_left else (plan.left_keys, plan.as_left)
        asking, asked = children if asks_left else children[::-1]
        index = Gather(
            n=1, inputs=(asked,), kernel=IndexSide(other.meta, keys, as_keys), indptr=np.array([0, other.npartitions]),
            indices=every(other.npartitions), name=f"{self.label}-index", origin=self.origin,
        )  # fmt: skip
        n = self.npartitions
        tables = (asking, index) if asks_left else (index, asking)
        each, one = every(n), np.zeros(n, np.int64)
        return Map(
            n=n, inputs=tables, index=(each, one) if asks_left else (one, each), name=self.label, origin=self.origin,
            kernel=JoinPartitions(plan, self.left.meta, self.right.meta, plan.asks, self.by_key),
        )  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class PartitionMerge(MergeBase):
    """Partition by partition: all rows of a key are in partitions of one number."""

    by_key: bool = False
    known: Divisions = ()

    @property
    def detail(self) -> str:
        return f"{super().detail}, partition by partition"

    @property
    def kernel_rule(self) -> str:
        return LOOKUP

    def _divisions(self) -> Divisions:
        return self.known or unknown_divisions(self._npartitions())

    def blocks(self, *children: Blocks) -> Blocks:
        kernel = JoinPartitions(self.plan, self.left.meta, self.right.meta, self.plan.asks, self.by_key)
        return self.by_partition(kernel, *children)


@dataclass(frozen=True, eq=False, repr=False)
class CrossMerge(MergeBase):
    """Each row of the left side with all rows of the right one."""

    ordered: bool = True
    """Whether the rows of a left one are together; otherwise there is a partition for each pair of partitions."""

    @property
    def detail(self) -> str:
        return f"{super().detail}, {'right side whole' if self.ordered else 'by pairs of partitions'}"

    @property
    def bytes_moved(self) -> int | None:
        return self.right.nbytes

    def _npartitions(self) -> int:
        return self.left.npartitions * (1 if self.ordered else self.right.npartitions)

    def _divisions(self) -> Divisions:
        return super()._divisions() if self.ordered else unknown_divisions(self._npartitions())

    def partition_source(self, place: int) -> tuple[FrameExpr, int] | None:
        return super().partition_source(place) if self.ordered else None

    def blocks(self, *children: Blocks) -> Blocks:
        left, right = children
        if self.ordered:
            right = Gather(
                n=1, inputs=(right,), kernel=ConcatPartitions(self.right.meta), indptr=np.array([0, right.n]),
                indices=every(right.n), name=f"{self.label}-right", origin=self.origin,
            )  # fmt: skip
        n = self.npartitions
        return Map(
            n=n, inputs=(left, right), index=(every(n) // right.n, every(n) % right.n), name=self.label,
            origin=self.origin, kernel=CrossPartitions(self.plan, self.left.meta, self.right.meta),
        )  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Scattered(NewRows):
    """A frame of one partition cut into `n`."""

    frame: FrameExpr
    n: int

    def _npartitions(self) -> int:
        return self.n

    def blocks(self, *children: Blocks) -> Blocks:
        n = self.n
        zeros = np.zeros(n, np.int64)
        return Map(
            n=n, inputs=children, index=(zeros,), kernel=CutOut(n), params=every(n), name="cut", origin=self.origin
        )


@dataclass(frozen=True)
class CutOut:
    """Kernel: one of `n` parts of a partition."""

    n: int
    __name__ = "cut"

    def __call__(self, number: int, partition: Partition) -> Partition:
        start, stop = (n_rows(partition) * (int(number) + i) // self.n for i in (0, 1))
        if isinstance(partition, pa.Table):
            return partition.slice(start, stop - start)
        return partition.iloc[start:stop]


@dataclass(frozen=True, eq=False, repr=False)
class WithPositions(FrameExpr):
    """A frame with a first column of its own: where each row is, so that its place can be found again."""

    frame: FrameExpr

    @property
    def label(self) -> str:
        return "positions"

    def _meta(self) -> Meta:
        meta = self.frame.meta
        columns = {0: pd.Series([], dtype="int64")} | {i + 1: meta.iloc[:, i] for i in range(meta.shape[1])}
        new = pd.DataFrame(dict(enumerate(one.reset_index(drop=True) for one in columns.values())))
        new.index = meta.index
        return new.set_axis(["__position__", *meta.columns], axis=1)

    def _rows(self) -> str:
        return self.frame.rows

    def blocks(self, *children: Blocks) -> Blocks:
        return self.by_partition(AddPositions(self.meta), *children, params=every(self.npartitions))


@dataclass(frozen=True)
class AddPositions:
    """Kernel: a partition with the positions of its rows as its first column."""

    meta: Any
    __name__ = "positions"

    def __call__(self, number: int, partition: Partition) -> Partition:
        n = n_rows(partition)
        start = int(number) << ROW_BITS
        positions = np.arange(start, start + n)
        if not isinstance(partition, pa.Table):
            numbered = {0: positions} | {i + 1: partition.iloc[:, i].array for i in range(partition.shape[1])}
            return pd.DataFrame(numbered, index=partition.index).set_axis(self.meta.columns, axis=1)
        n_columns = self.meta.shape[1] - 1
        columns = [pa.chunked_array([positions]), *partition.columns[:n_columns]]
        return table_of(columns, partition.columns[n_columns:], n)
