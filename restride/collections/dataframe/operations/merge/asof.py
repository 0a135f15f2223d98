"""Merges by the nearest key: each row of the left side with one row of the right, which is held as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.blocks import Blocks, Gather, Map, every
from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.kernels.asof_index import AsofIndex
from restride.collections.dataframe.kernels.gathering import Rows
from restride.collections.dataframe.kernels.key_codes import numbers
from restride.collections.dataframe.kernels.key_index import KeyIndex
from restride.collections.dataframe.operations.merge.joining import Gathering, columns_of
from restride.collections.dataframe.operations.merge.keys import AsKey, KeyColumn
from restride.collections.dataframe.operations.merge.nodes import MergeBase
from restride.collections.dataframe.operations.merge.plan import MergePlan, plan_merge
from restride.collections.dataframe.operations.rowwise import labelled
from restride.collections.dataframe.partition import Partition, concat


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

    nearness: Nearness

    @property
    def label(self) -> str:
        return "merge_asof"

    def _lengths(self) -> Any:
        return self.left.lengths

    def narrower(self, place: int) -> Any:
        """The dtype of a column where every row finds one."""
        output = self.plan.columns[place]
        if not output.lacks or output.source.right is None:
            return None
        dtype = [*self.right.meta.dtypes, self.right.meta.index.dtype][output.source.right]
        return dtype if dtype != output.dtype else None

    def blocks(self, *children: Blocks) -> Blocks:
        left, right = children
        plan = self.plan
        index = Gather(
            n=1, inputs=(right,), kernel=OrderedSide(self.right.meta, plan.right_keys, plan.as_right),
            indptr=np.array([0, right.n]), indices=every(right.n), name=f"{self.label}-index", origin=self.origin,
        )  # fmt: skip
        n = self.npartitions
        return Map(
            n=n, inputs=(left, index), index=(every(n), np.zeros(n, np.int64)), name=self.label, origin=self.origin,
            kernel=AsofPartition(plan, self.left.meta, self.right.meta, self.nearness),
        )  # fmt: skip


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
        whole = concat(partitions, self.meta)
        columns = columns_of(whole)
        return Ordered(whole, [as_key(columns[i]) for i, as_key in zip(self.keys, self.as_keys)])


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
            keys[f"{side}_on"] = [*_listed(more), *_listed(on)]
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


def _listed(labels: Any) -> list[Any]:
    if labels is None:
        return []
    return list(labels) if isinstance(labels, (list, tuple)) else [labels]
