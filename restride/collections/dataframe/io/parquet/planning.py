"""Which row groups make which partition: pure, from what footers tell.

Row groups are the least that can be read by itself. Neighbours are read together until a partition is as large as it
should be; a file with many row groups is split between them, many small files are put together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.dataframe.expr import Divisions, unknown_divisions
from restride.collections.dataframe.io.parquet.facts import Bounds, Facts
from restride.collections.dataframe.io.parquet.hive import HiveColumn
from restride.collections.dataframe.io.predicates import Filters, evaluated, may_hold
from restride.collections.dataframe.kernels.ranges import Ranges, ValueRange

LEAST = 16 * 1024**2
MOST = 256 * 1024**2
"""Bytes of partitions, in memory: as few as `LEAST` where the data are few, no more than `MOST` where they are many."""
PARTITIONS = 1000
"""About how many partitions there should be at most, as long as they are smaller than `MOST`."""


@dataclass(frozen=True)
class Pieces:
    """The row groups that are read, and which of them make which partition."""

    groups: np.ndarray
    """Numbers of the row groups among all of the data set, ascending, int64."""
    starts: np.ndarray
    """For each partition the place of its first row group in `groups`; then how many there are. int64."""

    @property
    def npartitions(self) -> int:
        return len(self.starts) - 1

    def lengths(self, facts: Facts) -> tuple[int, ...]:
        """Rows in each partition."""
        rows = np.concatenate([[0], np.cumsum(facts.rows[self.groups])])
        return tuple(np.diff(rows[self.starts]).tolist())


def plan_pieces(sizes: np.ndarray, rows: np.ndarray, files: np.ndarray, blocksize: int | str | None) -> Pieces:
    """Make partitions of row groups.

    Parameters
    ----------
    sizes : int64[row groups]
        About how many bytes each takes in memory.
    rows : int64[row groups]
    files : int64[row groups]
        The number of the file that each is in.
    blocksize : int, "auto" or None
        About how many bytes a partition takes in memory; None for a file a partition.

    Examples
    --------
    >>> import numpy as np
    >>> sizes = np.array([5, 5, 5, 20, 3])
    >>> plan_pieces(sizes, sizes, np.zeros(5, int), 12).starts
    array([0, 2, 3, 4, 5])
    """
    groups = np.flatnonzero(rows > 0)
    if not len(groups):
        return Pieces(groups, np.zeros(2, np.int64))
    if blocksize is None:
        starts = np.flatnonzero(np.diff(files[groups], prepend=-1))
    else:
        target = automatic_blocksize(int(sizes.sum())) if isinstance(blocksize, str) else blocksize
        starts = np.array(_packed(sizes[groups].tolist(), target))
    return Pieces(groups, np.append(starts, len(groups)))


def automatic_blocksize(total: int) -> int:
    """About how many bytes a partition should take, given how many all take."""
    return min(max(LEAST, total // PARTITIONS), MOST)


def _packed(sizes: list[int], target: int) -> list[int]:
    """Where runs begin that are as long as they can be without exceeding a target."""
    starts, size = [0], 0
    for i, one in enumerate(sizes):
        if size and size + one > target:
            starts.append(i)
            size = 0
        size += one
    return starts


def pruned(pieces: Pieces, keep: np.ndarray) -> Pieces:
    """Without the row groups that are not to be kept, nor partitions that have lost all of theirs; one stays.

    Parameters
    ----------
    pieces : Pieces
    keep : bool[row groups of the data set]
    """
    kept = keep[pieces.groups]
    left = np.concatenate([[0], np.cumsum(kept)])[pieces.starts]
    starts = np.unique(left)
    if len(starts) == 1:
        starts = np.zeros(2, np.int64)
    return Pieces(pieces.groups[kept], starts)


def may_match(facts: Facts, hive: Sequence[HiveColumn], filters: Filters) -> np.ndarray:
    """For each row group whether it may hold rows that satisfy filters, bool."""
    by_name = {column.name: column for column in hive}
    any_of = np.zeros(len(facts.rows), bool)
    for conjunction in filters:
        all_of = np.ones(len(facts.rows), bool)
        for name, op, literal in conjunction:
            if name in by_name:
                all_of &= _matching_files(by_name[name], op, literal)[facts.file]
            else:
                all_of &= _matching_groups(facts, name, op, literal)
        any_of |= all_of
    return any_of


def _matching_files(column: HiveColumn, op: str, literal: Any) -> np.ndarray:
    try:
        holds = [evaluated(value, op, literal) for value in column.categories.tolist()]
    except TypeError:  # not comparable: the comparison itself says so where it runs
        return np.ones(len(column.codes), bool)
    return np.array([*holds, op in ("!=", "not in")], bool)[list(column.codes)]


def _matching_groups(facts: Facts, name: str, op: str, literal: Any) -> np.ndarray:
    bounds, rows = facts.bounds(name), facts.rows.tolist()
    least, greatest = bounds.least, bounds.greatest
    if facts.is_single(name):
        # Some compare them with a literal in single precision, others in double.
        least = [None if value is None else float(np.nextafter(np.float32(value), -np.inf)) for value in least]
        greatest = [None if value is None else float(np.nextafter(np.float32(value), np.inf)) for value in greatest]
    each = zip(least, greatest, bounds.nulls.tolist(), rows)
    return np.array([may_hold(low, high, missing, n, op, literal) for low, high, missing, n in each], bool)


def divisions_of(pieces: Pieces, bounds: Bounds, dtype: Any) -> Divisions:
    """The divisions of an index, where statistics say that partitions follow each other in it without overlap."""
    n = pieces.npartitions
    if not len(pieces.groups) or (bounds.nulls[pieces.groups] != 0).any() or not bounds.known[pieces.groups].all():
        return unknown_divisions(n)
    runs = [pieces.groups[start:stop].tolist() for start, stop in pairwise(pieces.starts.tolist())]
    try:
        lows = [min(bounds.least[group] for group in run) for run in runs]
        highs = [max(bounds.greatest[group] for group in run) for run in runs]
        apart = all(high < low for high, low in zip(highs, lows[1:]))
        labels = pd.Index([*lows, highs[-1]]).astype(dtype)
    except (TypeError, ValueError):
        return unknown_divisions(n)
    return tuple(labels.tolist()) if apart else unknown_divisions(n)


def ranges_of(pieces: Pieces, bounds: Bounds) -> Ranges | None:
    """Between which values each partition has a column; None where statistics do not tell of all of them."""
    ranges: list[ValueRange | None] = []
    for start, stop in pairwise(pieces.starts.tolist()):
        run = pieces.groups[start:stop]
        if not bounds.known[run].all():
            return None
        groups = run.tolist()
        nulls = bool((bounds.nulls[run] != 0).any())
        least, most = [bounds.least[i] for i in groups], [bounds.greatest[i] for i in groups]
        ranges.append(ValueRange(min(least), max(most), nulls) if groups else None)
    return tuple(ranges)
