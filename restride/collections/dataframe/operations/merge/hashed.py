"""Merges by the hash of the keys: rows of one key meet in one task, and those of the result go back where they belong.

A key that very many rows have, on one side, would make one task long. Its rows are left where they are in the order of
partitions, spread over all tasks, and the other side's rows of this key go to each of these. Which keys are such is
seen by a look at some rows of one partition.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from restride.collections.dataframe.expr import Divisions, FrameExpr, Wanted, unknown_divisions
from restride.collections.dataframe.kernels.hot_keys import hotter_than
from restride.collections.dataframe.operations.hot_keys import HotKeys, hot_keys
from restride.collections.dataframe.operations.looking import about_rows, task_count
from restride.collections.dataframe.operations.merge.keys import AsKey
from restride.collections.dataframe.operations.merge.nodes import ROW_BITS, MergeBase, PartitionMerge, WithPositions
from restride.collections.dataframe.operations.merge.plan import MergePlan, Output
from restride.collections.dataframe.operations.merge.tracing import Source
from restride.collections.dataframe.operations.selection import narrow
from restride.collections.dataframe.operations.shuffle import HashShuffle, RangeShuffle
from restride.collections.dataframe.operations.shuffle_keys import KeyPlace
from restride.collections.expression import Expr

BUCKET_ROWS = 125_000
"""Rows of a partition of a shuffle: a table of its keys stays near the cache."""
BUCKET_ROWS_IN_ORDER = 250_000
"""The same where each partition of the result is split again, so that its rows go back."""
MOST_BUCKETS = 256
LOOK_ROWS = 2_000_000
"""Rows of a side from which on it is looked at: below, one task with most of them is over soon."""


@dataclass(frozen=True, eq=False, repr=False)
class HashedMerge(MergeBase):
    """A merge that is to be carried out by hash, once its frequent keys are known."""

    n: int
    """How many partitions there are."""
    ordered: bool
    """Whether rows go back to where those that they are in the order of were."""
    pieces: bool = False

    def _npartitions(self) -> int:
        return self.n

    def _divisions(self) -> Divisions:
        return super()._divisions() if self.ordered else unknown_divisions(self.n)

    def partition_source(self, place: int) -> tuple[FrameExpr, int] | None:
        return super().partition_source(place) if self.ordered else None

    def shipped(self) -> Expr:
        return self if self.pieces else self.replace(pieces=True)

    def questions(self) -> tuple[Expr, ...]:
        return tuple(question for _, question in self._questions())

    def answered(self, answers: Sequence[Any]) -> Expr:
        n = bucket_count(self.left, self.right, ordered=self.ordered)
        found: dict[str, tuple[int, ...]] = {"left": (), "right": ()}
        for (side, _), (shares,) in zip(self._questions(), answers):
            found[side] = hotter_than(shares, 2 / n)
        own, other = found[self.plan.asks], found["right" if self.plan.asks == "left" else "left"]
        if self.plan.how in ("semi", "anti"):
            own, other = tuple(key for key in own if key not in other), ()
        return self.carried_out(own, tuple(key for key in other if key not in own))

    def _questions(self) -> list[tuple[str, HotKeys]]:
        """For each side of which it matters what tells its frequent keys.

        Rows of the side that asks may be anywhere, those of the other where no row stays for lack of one. Where
        rows are only tested, the other side's matter, too: those of a frequent key are not to be copied.
        """
        plan, types = self.plan, key_types(self.plan)
        if plan.unique:
            return []  # whether a key has several rows is seen where all of them are
        both = plan.how in ("inner", "semi", "anti")
        asked = []
        for side, frame, keys in (("left", self.left, plan.left_keys), ("right", self.right, plan.right_keys)):
            if (both or side == plan.asks) and about_rows(frame) >= LOOK_ROWS:
                question = hot_keys(frame, keys, types)
                if question is not None:
                    asked.append((side, question))
        return asked

    def carried_out(self, spread: tuple[int, ...] = (), copied: tuple[int, ...] = ()) -> Expr:
        """The nodes that have blocks; rows of some keys are spread on the side that asks, those of others copied."""
        asks_left = self.plan.asks == "left"
        frames, plan = [self.left, self.right], self.plan
        if self.ordered:
            asking = 0 if asks_left else 1
            shift = [{i: i + (k == asking) for i in range(_width(frame))} for k, frame in enumerate(frames)]
            frames[asking] = WithPositions(frames[asking])
            plan = _with_position(plan.moved(*shift), asking)
        n, types = bucket_count(self.left, self.right, ordered=self.ordered), key_types(plan)
        own, other = (spread, copied), (copied, spread)
        left, right = (
            HashShuffle(frame, n, keys, types, self.pieces, *hot).made_at(self.origin)
            for frame, keys, hot in zip(
                frames, (plan.left_keys, plan.right_keys), (own, other) if asks_left else (other, own)
            )
        )
        joined = PartitionMerge(left, right, plan).made_at(self.origin)
        if not self.ordered:
            return joined
        starts = tuple(number << ROW_BITS for number in range(1, self.n))
        back = RangeShuffle(joined, self.n, (KeyPlace(0),), starts, pieces=self.pieces).made_at(self.origin)
        return narrow(back, Wanted(tuple(range(1, back.layout.n_columns)), back.has_index)).made_at(self.origin)


def bucket_count(left: FrameExpr, right: FrameExpr, *, ordered: bool) -> int:
    """How many partitions the rows of two frames go to by hash."""
    rows, each = max(about_rows(left), about_rows(right)), BUCKET_ROWS_IN_ORDER if ordered else BUCKET_ROWS
    return min(max(task_count(left), task_count(right), -(-rows // each)), MOST_BUCKETS)


def hashable(plan: MergePlan) -> bool:
    """Whether equal keys of both sides have equal hashes where they are, or can be cast to have them."""
    return all(_shuffle_type(a, b) is not False for a, b in zip(plan.as_left, plan.as_right))


def _shuffle_type(left: AsKey, right: AsKey) -> Any:
    """The numpy name of the type that keys are cast to in a shuffle; None for as they are; False if there is none."""
    if left.values is not None or right.values is not None or left.type is None:
        return False
    if left.dtype == right.dtype or pa.types.is_string(left.type):
        return None
    if pa.types.is_timestamp(left.type) and left.type.tz is not None:
        return False
    try:
        return np.dtype(left.type.to_pandas_dtype()).str if left.type is not None else False
    except (TypeError, NotImplementedError):
        return False


def key_types(plan: MergePlan) -> tuple[Any, ...]:
    """For each key the numpy name of the type that it is cast to in a shuffle; none where no key is."""
    types = tuple(_shuffle_type(a, b) for a, b in zip(plan.as_left, plan.as_right))
    return types if any(types) else ()


def _width(frame: FrameExpr) -> int:
    return frame.layout.n_columns + frame.layout.n_levels


def _with_position(plan: MergePlan, asking: int) -> MergePlan:
    """The plan of the same merge with the positions of one side as its first column."""
    source = Source(0, None) if asking == 0 else Source(None, 0)
    meta = plan.meta
    columns = [pd.Series([], dtype="int64"), *(meta.iloc[:, i].reset_index(drop=True) for i in range(meta.shape[1]))]
    new = pd.DataFrame(dict(enumerate(columns)))
    new.index = meta.index
    new = new.set_axis(["__position__", *meta.columns], axis=1)
    return replace(plan, meta=new, columns=(Output(source, np.dtype("int64"), False), *plan.columns))
