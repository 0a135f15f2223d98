"""Two frames by the same ranges of their keys, for merges whose rows are in the order of the keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from restride.collections.blocks import Blocks, Gather, Select, every
from restride.collections.dataframe.expr import FrameExpr, ScalarExpr
from restride.collections.dataframe.kernels.sort_keys import SortKey
from restride.collections.dataframe.kernels.splitters import sample_size
from restride.collections.dataframe.kernels.taking import without_dictionary
from restride.collections.dataframe.operations.merge.keys import AsKey
from restride.collections.dataframe.operations.merge.plan import MergePlan
from restride.collections.dataframe.operations.shuffle import RangeShuffle
from restride.collections.dataframe.operations.shuffle_kernels import ChooseSplitters, SampleKeys
from restride.collections.dataframe.operations.shuffle_keys import KeyPlace
from restride.collections.dataframe.partition import column_from_pandas


@dataclass(frozen=True, eq=False, repr=False)
class SharedSplitters(ScalarExpr):
    """Keys that part the rows of two frames together into `n` ranges, from samples of both."""

    left: FrameExpr
    right: FrameExpr
    left_by: tuple[KeyPlace, ...]
    right_by: tuple[KeyPlace, ...]
    n: int

    @property
    def label(self) -> str:
        return "splitters"

    @property
    def detail(self) -> str:
        return " of a sample"

    def blocks(self, *children: Blocks) -> Blocks:
        sides = ((self.left, self.left_by), (self.right, self.right_by))
        total = self.left.npartitions + self.right.npartitions
        size = sample_size(total, self.n)
        samples = tuple(
            frame.by_partition(SampleKeys(frame.meta, by, size), table) for (frame, by), table in zip(sides, children)
        )
        return Gather(
            n=1, inputs=(Select(n=total, inputs=samples, table=every(total)),), indptr=np.array([0, total]),
            kernel=ChooseSplitters(self.n, self.left_by), indices=every(total), name=self.label, origin=self.origin,
        )  # fmt: skip


def by_ranges(left: FrameExpr, right: FrameExpr, plan: MergePlan, n: int) -> tuple[FrameExpr, FrameExpr] | None:
    """Both frames in `n` partitions by ranges of their keys; None where keys have no order that is known."""
    places = [
        key_places(left, plan.left_keys, plan.as_left, plan.as_right),
        key_places(right, plan.right_keys, plan.as_right, plan.as_left),
    ]
    if None in places:
        return None
    left_by, right_by = (place or () for place in places)
    splitters = SharedSplitters(left, right, left_by, right_by, n)
    return (
        RangeShuffle(left, n, left_by, splitters, sort=False),
        RangeShuffle(right, n, right_by, splitters, sort=False),
    )


def key_places(
    frame: FrameExpr, keys: tuple[int, ...], own: tuple[AsKey, ...], other: tuple[AsKey, ...]
) -> tuple[KeyPlace, ...] | None:
    """How one side is sorted by its keys, in the order that they have beside those of the other side."""
    places = []
    for at, mine, theirs in zip(keys, own, other):
        if mine.type is None:
            return None
        function = None
        if mine.values is not None or mine.dtype != theirs.dtype:
            function = Comparable(mine)
        places.append(KeyPlace(at, SortKey(nulls_last=not mine.nulls_first), function))
    return tuple(places)


@dataclass(frozen=True)
class Comparable:
    """A key as it is compared with that of the other side, as a series of one dtype for all partitions of both."""

    as_key: AsKey
    __name__ = "comparable"

    def __call__(self, series: pd.Series) -> Any:
        # Not codes, which are of one side's categories.
        made = without_dictionary(self.as_key(column_from_pandas(series, self.as_key.dtype)))
        return made.to_pandas(types_mapper=_arrow_dtype)


def _arrow_dtype(kind: pa.DataType) -> pd.ArrowDtype | None:
    """The dtype that has a type with nulls as it is; none for floats, which have NaN."""
    return None if pa.types.is_floating(kind) else pd.ArrowDtype(kind)
