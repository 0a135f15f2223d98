"""Frames in other partitions, their rows in the order that they are in: more of them, fewer, or by labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from restride.collections.blocks import Blocks, Gather, Map, Select, every
from restride.collections.dataframe.expr import (
    Divisions,
    FrameExpr,
    Lengths,
    NewRows,
    ScalarExpr,
    Wanted,
    default_divisions,
    unknown_divisions,
)
from restride.collections.dataframe.meta import has_default_index
from restride.collections.dataframe.operations.partitions import Coalesce, ConcatPartitions
from restride.collections.dataframe.operations.selection import narrow
from restride.collections.dataframe.operations.shuffle import RangeShuffle
from restride.collections.dataframe.operations.shuffle_keys import key_place
from restride.collections.dataframe.operations.sorting import checked_divisions
from restride.collections.dataframe.operations.sources import even_bounds
from restride.collections.dataframe.operations.tree import listed
from restride.collections.dataframe.partition import Partition, n_rows
from restride.engine.worker.sizes import size_of


@dataclass(frozen=True, eq=False, repr=False)
class Resize(FrameExpr):
    """A frame whose lengths are known, in partitions that begin at other rows."""

    frame: FrameExpr
    bounds: tuple[int, ...]
    """The first row of each partition, and the number of rows."""

    @property
    def label(self) -> str:
        return "repartition"

    def _npartitions(self) -> int:
        return len(self.bounds) - 1

    def _lengths(self) -> Lengths:
        return tuple(np.diff(self.bounds).tolist())

    def _divisions(self) -> Divisions:
        if has_default_index(self.meta):
            return default_divisions(self._lengths())
        return unknown_divisions(self.npartitions)

    def _rows(self) -> str:
        return f"{self.frame.rows}{list(self.bounds)}"

    def value_source(self, place: int) -> tuple[FrameExpr, int]:
        return self.frame, place

    def narrowed(self, wanted: Wanted) -> FrameExpr:
        return Resize(narrow(self.frame, wanted), self.bounds)

    def blocks(self, *children: Blocks) -> Blocks:
        assert self.frame.lengths is not None
        old, new = np.cumsum([0, *self.frame.lengths]), np.array(self.bounds)
        # Cuts at all boundaries, of the old partitions and of the new ones: each part is of one of both.
        cuts = np.union1d(old, new)
        starts, stops = cuts[:-1], cuts[1:]
        source = np.searchsorted(old, starts, side="right") - 1
        params = np.stack([starts - old[source], stops - old[source]], axis=1)
        parts = Map(
            n=len(starts), inputs=children, kernel=_cut, index=(source,), params=params, free=False,
            name=f"{self.label}-cut", origin=self.origin,
        )  # fmt: skip
        whole = (params[:, 0] == 0) & (params[:, 1] == np.diff(old)[source])
        table = np.where(whole, source, self.frame.npartitions + np.arange(len(starts)))
        every_part = Select(n=len(starts), inputs=(children[0], parts), table=table)
        indptr = np.searchsorted(starts, new, side="left")
        return Gather(
            n=self.npartitions, inputs=(every_part,), kernel=ConcatPartitions(self.meta), indptr=indptr,
            indices=np.arange(len(starts)), name=self.label, origin=self.origin,
        )  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class CutEach(NewRows):
    """A frame whose partitions are each cut into some of about equal size."""

    frame: FrameExpr
    counts: tuple[int, ...]
    """How many of each."""

    @property
    def label(self) -> str:
        return "repartition"

    def _npartitions(self) -> int:
        return sum(self.counts)

    def _rows(self) -> str:
        return f"{self.frame.rows}{list(self.counts)}"

    def value_source(self, place: int) -> tuple[FrameExpr, int]:
        return self.frame, place

    def narrowed(self, wanted: Wanted) -> FrameExpr:
        return CutEach(narrow(self.frame, wanted), self.counts)

    def blocks(self, *children: Blocks) -> Blocks:
        counts = np.array(self.counts)
        source = np.repeat(np.arange(len(counts)), counts)
        number = np.arange(len(source)) - np.repeat(np.cumsum(counts) - counts, counts)
        return Map(
            n=len(source), inputs=children, kernel=_share, index=(source,),
            params=np.stack([number, counts[source]], axis=1), name=self.label, origin=self.origin,
        )  # fmt: skip


def _cut(bounds: Sequence[int], partition: Partition) -> Partition:
    """Kernel: some rows of a partition."""
    start, stop = (int(bound) for bound in bounds)
    if isinstance(partition, pa.Table):
        return partition.slice(start, stop - start)
    return partition[start:stop] if isinstance(partition, pd.Index) else partition.iloc[start:stop]


def _share(share: Sequence[int], partition: Partition) -> Partition:
    """Kernel: one of several parts of about equal size of a partition."""
    number, count = (int(one) for one in share)
    bounds = even_bounds(n_rows(partition), count)
    return _cut(bounds[number : number + 2], partition)


def in_partitions(frame: FrameExpr, n: int) -> FrameExpr:
    """A frame in `n` partitions: of equal size where lengths are known, else whole ones together, or each cut.

    Raises
    ------
    ValueError
        `n` is less than 1.
    """
    if n < 1:
        raise ValueError(f"a frame needs 1 partition at least, got npartitions={n}")
    have = frame.npartitions
    if n == have:
        return frame
    if n < have and (frame.lengths is None or (frame.known_divisions and frame.has_index)):
        return Coalesce(frame, tuple(even_bounds(have, n)))
    if frame.length:
        return Resize(frame, tuple(even_bounds(frame.length, n)))
    counts = np.diff(even_bounds(n, have)).tolist()
    return CutEach(frame, tuple(counts)) if have else frame


def by_divisions(frame: FrameExpr, divisions: Sequence[Any], *, force: bool) -> FrameExpr:
    """A frame that is sorted by its index in partitions of labels between these divisions.

    Raises
    ------
    ValueError
        The frame's own divisions are not known; or these do not begin and end where they do, unless `force`.
    """
    if not frame.known_divisions:
        raise ValueError(
            "divisions of a frame whose own are not known cannot be set by repartition; "
            "sort it by its index first: sort_index(), or set_index"
        )
    known = checked_divisions(divisions, frame.meta)
    first, last = frame.divisions[0], frame.divisions[-1]
    if not force and (known[0] != first or known[-1] != last):
        raise ValueError(
            f"divisions must begin with {first!r} and end with {last!r}, got {known[0]!r} and {known[-1]!r}; "
            "force=True allows for wider ones"
        )
    if known[0] > first or known[-1] < last:
        raise ValueError(f"divisions from {known[0]!r} to {known[-1]!r} leave out labels from {first!r} to {last!r}")
    by = (key_place(frame.meta, frame.layout.n_columns),)
    # Rows are in the order of their labels already, and a shuffle keeps it.
    return RangeShuffle(frame, len(known) - 1, by, known[1:-1], False, known)


def divisions_of_frequency(frame: FrameExpr, freq: Any) -> Divisions:
    """Divisions at regular times, as wide as a frame's.

    Raises
    ------
    ValueError, TypeError
        The frame's divisions are not known, or no times.
    """
    if not frame.known_divisions:
        raise ValueError("repartition by freq needs known divisions; sort the frame by its index first")
    first, last = frame.divisions[0], frame.divisions[-1]
    if not isinstance(first, pd.Timestamp):
        raise TypeError("repartition by freq needs an index of times")
    offset = pd.tseries.frequencies.to_offset(freq)
    try:
        start = first.floor(offset)
    except ValueError:  # months and years have no fixed length
        start = offset.rollback(first.normalize())
    marks = [mark for mark in pd.date_range(start, last, freq=offset) if first < mark <= last]
    return (first, *marks, last) if marks and marks[-1] < last else (first, *marks[:-1], last)


@dataclass(frozen=True, eq=False, repr=False)
class PartitionBytes(ScalarExpr):
    """How many bytes each partition takes, as a list."""

    frame: FrameExpr

    def blocks(self, *children: Blocks) -> Blocks:
        n = self.frame.npartitions
        sizes = self.frame.by_partition(nbytes_of, *children)
        return Gather(
            n=1, inputs=(sizes,), kernel=listed, indptr=np.array([0, n]), indices=every(n), name="sizes",
            origin=self.origin,
        )  # fmt: skip


def nbytes_of(partition: Partition) -> int:
    """Kernel: how many bytes a partition takes."""
    size = size_of(partition)
    return size if isinstance(size, int) else size[0]


def by_size(frame: FrameExpr, sizes: Sequence[int], most: int) -> FrameExpr:
    """A frame in partitions of at most so many bytes, about: those that take more are cut, small neighbours joined."""
    counts = [max(-(-size // most), 1) for size in sizes]
    if any(count > 1 for count in counts):
        frame = CutEach(frame, tuple(counts))
        sizes = [size / count for size, count in zip(sizes, counts) for _ in range(count)]  # type: ignore[misc]
    bounds, filled = [0], 0.0
    for number, size in enumerate(sizes):
        if filled and filled + size > most:
            bounds.append(number)
            filled = 0.0
        filled += size
    bounds.append(len(sizes))
    return Coalesce(frame, tuple(bounds)) if len(bounds) - 1 < len(sizes) else frame
