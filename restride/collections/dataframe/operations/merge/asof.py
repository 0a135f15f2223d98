"""Merges by the nearest key: each row of the left side with one row of the right.

Where it is known between which keys partitions lie, each of the left side needs those of the right that have keys in
between its own, and of what is before and after them the rows that are nearest: the last or the first one by group.
Where it is not known, the right side is held as a whole if it is small, else the ends of all partitions are looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from restride.collections.blocks import Blocks, Gather, Map, Select, every
from restride.collections.dataframe.expr import FrameExpr, ScalarExpr, Wanted
from restride.collections.dataframe.kernels.asof_index import AsofIndex
from restride.collections.dataframe.kernels.gathering import Rows
from restride.collections.dataframe.kernels.key_codes import numbers
from restride.collections.dataframe.kernels.key_index import KeyIndex
from restride.collections.dataframe.kernels.ranges import Ranges, ValueRange, are_in_order, between
from restride.collections.dataframe.kernels.taking import take
from restride.collections.dataframe.meta import as_list
from restride.collections.dataframe.operations.known_ranges import partition_ranges
from restride.collections.dataframe.operations.looking import about_rows
from restride.collections.dataframe.operations.merge.joining import Gathering, columns_of, in_one_part
from restride.collections.dataframe.operations.merge.keys import AsKey, KeyColumn
from restride.collections.dataframe.operations.merge.nodes import MergeBase
from restride.collections.dataframe.operations.merge.plan import MergePlan, plan_merge
from restride.collections.dataframe.operations.merge.strategies import INDEX_ROWS
from restride.collections.dataframe.operations.rowwise import labelled
from restride.collections.dataframe.operations.selection import narrow
from restride.collections.dataframe.partition import Partition, concat
from restride.collections.expression import Expr
from restride.engine.graphs.csr import row_starts


@dataclass(frozen=True)
class Nearness:
    """Which row is the nearest."""

    direction: str
    exact: bool
    tolerance: Any
    """A number in the units of the key; None for any distance."""


@dataclass(frozen=True, eq=False, repr=False)
class AsofMerge(MergeBase):
    """Each row of the left side beside the nearest of the right; the last of the plan's keys is the ordered one."""

    any_partitions = True

    nearness: Nearness
    ranges: Any = None
    """Between which keys partitions of both sides lie, as a pair, where that has been asked for."""

    @property
    def label(self) -> str:
        return "merge_asof"

    @property
    def detail(self) -> str:
        how = "right side whole" if self._is_whole else "by ranges of the key"
        return f"{super().detail}, {self.nearness.direction}, {how}"

    @property
    def kernel_rule(self) -> str:
        return "a binary search in the keys of the right side, by group where there are other keys"

    @property
    def bytes_moved(self) -> int | None:
        return self.right.nbytes if self._is_whole else 0

    @property
    def _is_whole(self) -> bool:
        """Whether all of the right side is in one task."""
        return self.right.npartitions == 1 or self._known() is None

    def _lengths(self) -> Any:
        return self.left.lengths

    def narrower(self, place: int) -> Any:
        """The dtype of a column where every row finds one."""
        output = self.plan.columns[place]
        if not output.lacks or output.source.right is None:
            return None
        dtype = [*self.right.meta.dtypes, self.right.meta.index.dtype][output.source.right]
        return dtype if dtype != output.dtype else None

    def questions(self) -> tuple[Expr, ...]:
        """The first and the last key of each partition, where they are to be known and are not."""
        if self.ranges is not None or self.right.npartitions == 1 or self._known() is not None:
            return ()
        return () if about_rows(self.right) <= INDEX_ROWS else (self._ends("left"), self._ends("right"))

    def answered(self, answers: Sequence[Any]) -> AsofMerge:
        return self.replace(ranges=tuple(ranges_of_ends(ends, side) for ends, side in zip(answers, ("left", "right"))))

    def _ends(self, side: str) -> Expr:
        plan = self.plan
        frame, key = (self.left, plan.left_keys[-1]) if side == "left" else (self.right, plan.right_keys[-1])
        n = frame.layout.n_columns
        keys = narrow(frame, Wanted((key,), False) if key < n else Wanted((), True))
        return KeyEnds(keys, (plan.as_left if side == "left" else plan.as_right)[-1])

    def _known(self) -> tuple[Ranges, Ranges] | None:
        if self.ranges is not None:
            return self.ranges
        left = partition_ranges(self.left, self.plan.left_keys[-1])
        right = partition_ranges(self.right, self.plan.right_keys[-1])
        return None if left is None or right is None or not are_in_order(right) else (left, right)

    def blocks(self, *children: Blocks) -> Blocks:
        left, right = children
        n, plan = self.npartitions, self.plan
        known = None if self._is_whole else self._known()
        if known is None:
            rows, indptr, indices, which = right, np.array([0, right.n]), every(right.n), np.zeros(n, np.int64)
        else:
            rows, indptr, indices = self._neighbours(right, *known)
            which = every(n)
        index = Gather(
            n=len(indptr) - 1, inputs=(rows,), kernel=OrderedSide(self.right.meta, plan.right_keys, plan.as_right),
            indptr=indptr, indices=indices, name=f"{self.label}-index", origin=self.origin,
        )  # fmt: skip
        return Map(
            n=n, inputs=(left, index), index=(every(n), which), name=self.label, origin=self.origin,
            kernel=AsofPartition(plan, self.left.meta, self.right.meta, self.nearness),
        )  # fmt: skip

    def _neighbours(self, right: Blocks, of_left: Ranges, of_right: Ranges) -> tuple[Blocks, np.ndarray, np.ndarray]:
        """For each partition of the left side what it needs of the right one, as rows of CSR columns."""
        m = right.n
        first, stop = between(of_left, of_right)
        before, after = (self._edges(right, last=last) for last in (True, False))
        rows = Select(n=3 * m, inputs=(right, before, after), table=every(3 * m))
        needs: list[np.ndarray] = []
        for low, high in zip(first.tolist(), stop.tolist()):
            parts = [np.arange(low, high)]
            if low > 0 and self.nearness.direction != "forward":
                parts.insert(0, np.array([m + low - 1]))
            if high < m and self.nearness.direction != "backward":
                parts.append(np.array([2 * m + high]))
            # Rows that are not needed do no harm, and some block there has to be.
            needs.append(np.concatenate(parts) if sum(map(len, parts)) else np.array([m]))
        return rows, row_starts(np.array([len(need) for need in needs])), np.concatenate(needs)

    def _edges(self, right: Blocks, *, last: bool) -> Blocks:
        """For each partition the last row of each group in it and all before it; or the first in it and all after it.

        Partitions are combined with those 1, 2, 4... before them: as many steps as the number of partitions has bits.
        """
        m, plan = right.n, self.plan
        kernel = EdgeRows(self.right.meta, plan.right_keys, plan.as_right, last)
        name = f"{self.label}-edges"
        table: Blocks = Map(n=m, inputs=(right,), index=(every(m),), kernel=kernel, name=name, origin=self.origin)
        distance = 1
        while distance < m:
            numbers = np.arange(m)
            pairs = np.stack([numbers - distance, numbers] if last else [numbers, numbers + distance], axis=1)
            inside = (pairs >= 0) & (pairs < m)
            indices, counts = pairs[inside], inside.sum(axis=1)
            table = Gather(
                n=m, inputs=(table,), kernel=kernel, indptr=row_starts(counts), indices=indices, name=name,
                origin=self.origin,
            )  # fmt: skip
            distance *= 2
        return table


@dataclass(frozen=True, eq=False, repr=False)
class KeyEnds(ScalarExpr):
    """For each partition of a frame of one key its first and its last value; None for one without rows."""

    frame: FrameExpr
    as_key: AsKey

    def blocks(self, *children: Blocks) -> Blocks:
        return self.frame.by_partition(EndsOfKeys(self.as_key), *children)


@dataclass(frozen=True)
class EndsOfKeys:
    """Kernel: the first and the last of a partition's keys, as numbers."""

    as_key: AsKey
    __name__ = "ends"

    def __call__(self, partition: Partition) -> tuple[Any, Any] | None:
        values, _ = numbers(self.as_key(columns_of(partition)[0]))
        return (values[0].item(), values[-1].item()) if len(values) else None


def ranges_of_ends(ends: Sequence[tuple[Any, Any] | None], side: str) -> Ranges:
    """Ends of partitions as ranges.

    Raises
    ------
    ValueError
        As pandas: keys are not sorted.
    """
    ranges = tuple(None if one is None else ValueRange(*one, nulls=False) for one in ends)
    if not are_in_order(ranges):
        raise ValueError(f"{side} keys must be sorted")
    return ranges


class Ordered:
    """All rows of the right side, to be found by key."""

    def __init__(self, partition: Partition, keys: Sequence[KeyColumn]) -> None:
        self.partition = partition
        self.keys = tuple(keys)
        on = ordered_values(keys[-1], "right")
        self.by = KeyIndex(keys[:-1]) if len(keys) > 1 else None
        self.index = AsofIndex(on) if self.by is None else AsofIndex(on, self.by.groups, self.by.n_groups)

    def __reduce__(self) -> Any:
        return Ordered, (self.partition, self.keys)


@dataclass(frozen=True)
class OrderedSide:
    """Kernel: all partitions of the right side."""

    meta: Any
    keys: tuple[int, ...]
    as_keys: tuple[AsKey, ...]
    __name__ = "index"

    def __call__(self, *partitions: Partition) -> Ordered:
        whole = in_one_part(concat(partitions, self.meta))
        columns = columns_of(whole)
        return Ordered(whole, [as_key(columns[i]) for i, as_key in zip(self.keys, self.as_keys)])


@dataclass(frozen=True)
class EdgeRows:
    """Kernel: of the rows of some partitions the last of each group, or the first: the nearest to what comes after."""

    meta: Any
    keys: tuple[int, ...]
    as_keys: tuple[AsKey, ...]
    last: bool
    __name__ = "edges"

    def __call__(self, *partitions: Partition) -> Partition:
        whole = concat(partitions, self.meta)
        columns = columns_of(whole)
        keys = [as_key(columns[i]) for i, as_key in zip(self.keys, self.as_keys)]
        ordered_values(keys[-1], "right")
        n = len(keys[-1])
        if len(keys) == 1:
            rows = np.arange(n)[-1:] if self.last else np.arange(n)[:1]
        else:
            index = KeyIndex(keys[:-1])
            numbers_ = np.arange(n) if self.last else np.arange(n)[::-1]
            rows = np.empty(index.n_groups, np.int64)
            rows[index.groups[numbers_]] = numbers_  # the last that is written stays
            rows.sort()
        return take(whole, rows) if isinstance(whole, pa.Table) else whole.iloc[rows]


@dataclass(frozen=True)
class AsofPartition:
    """Kernel: a partition of the left side beside the nearest rows of the right."""

    plan: MergePlan
    left: Any
    right: Any
    nearness: Nearness
    __name__ = "merge_asof"

    def __call__(self, left: Partition, right: Ordered) -> Partition:
        plan, near = self.plan, self.nearness
        columns = columns_of(left)
        keys = [as_key(columns[i]) for i, as_key in zip(plan.left_keys, plan.as_left)]
        on = ordered_values(keys[-1], "left")
        groups = None if right.by is None else right.by.find(keys[:-1])
        found = right.index.find(on, groups, direction=near.direction, exact=near.exact, tolerance=near.tolerance)
        rows = [Rows(None), Rows(found, some_missing=True)]
        sides = [columns, columns_of(right.partition)]
        return Gathering(plan, (self.left, self.right), sides, rows, len(found)).result()


def ordered_values(column: KeyColumn, side: str) -> np.ndarray:
    """The ordered key of a side as numbers.

    Raises
    ------
    ValueError
        As pandas: it is not sorted, or lacks values.
    """
    values, missing = numbers(column)
    if missing is not None or (values.dtype.kind == "f" and np.isnan(values).any()):
        raise ValueError(f"Merge keys contain null values on {side} side")
    if len(values) > 1 and bool((values[1:] < values[:-1]).any()):
        raise ValueError(f"{side} keys must be sorted")
    return values


def merge_asof(
    left: FrameExpr, right: FrameExpr, arguments: Mapping[str, Any], nearness: Mapping[str, Any]
) -> FrameExpr:
    """Merge two frames, each sorted by a key, by the nearest key; see `restride.dataframe.merge_asof`.

    Raises
    ------
    ValueError, KeyError, pandas.errors.MergeError
        As `pandas.merge_asof` for frames of these labels and dtypes.
    """
    given = {name: value for name, value in arguments.items() if value is not None and value is not False}
    by_index = [name for name in ("left_index", "right_index") if given.get(name)]
    if by_index:
        left, right = labelled(left), labelled(right)
    pd.merge_asof(left.meta, right.meta, **given, **nearness)
    keys: dict[str, Any] = {"suffixes": given.get("suffixes", ("_x", "_y"))}
    by = [given.get(name, given.get("by")) for name in ("left_by", "right_by")]
    if by_index and by[0] is not None:
        raise NotImplementedError("merge_asof by an index and further keys; make columns of the index by reset_index")
    for side, more in zip(("left", "right"), by):
        if given.get(f"{side}_index"):
            keys[f"{side}_index"] = True
        else:
            on = given.get(f"{side}_on", given.get("on"))
            keys[f"{side}_on"] = [*as_list(more), *as_list(on)]
    plan = plan_merge(left.meta, right.meta, "left", keys)
    tolerance = nearness.get("tolerance")
    if tolerance is not None:
        tolerance = _units(tolerance, plan.as_left[-1])
    near = Nearness(nearness["direction"], nearness["allow_exact_matches"], tolerance)
    return AsofMerge(left, right, plan, near)


def _units(tolerance: Any, key: AsKey) -> Any:
    """A tolerance in the units of a key."""
    unit = getattr(key.type, "unit", None)
    if unit is None:
        return tolerance
    return int(pd.Timedelta(tolerance).as_unit(unit).to_timedelta64().astype(np.int64))
