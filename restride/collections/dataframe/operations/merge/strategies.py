"""How a merge is carried out: which rows go where, so that all rows of a key meet, and come back in pandas' order.

- One side, where it is not large, becomes an index that each partition of the other asks: nothing else moves.
- Where it is known between which values each partition has a key, on both sides, and each partition of one side meets
  few of the other, these are all that it is merged with: sorted files, and frames with divisions.
- Otherwise rows of both sides go to partitions by the hash of their keys; the rows of the result go back to where the
  rows that they are in the order of were, by their positions. An outer merge is by ranges of the key instead, as its
  rows are in the order of the key.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from restride.collections.dataframe.expr import FrameExpr, Wanted
from restride.collections.dataframe.kernels.key_index import is_direct
from restride.collections.dataframe.operations.known_ranges import known_range
from restride.collections.dataframe.operations.merge.keys import AsKey
from restride.collections.dataframe.operations.merge.nodes import (
    ROW_BITS,
    CrossMerge,
    IndexedMerge,
    Merge,
    PartitionMerge,
    Scattered,
    WithPositions,
)
from restride.collections.dataframe.operations.merge.plan import MergePlan, Output
from restride.collections.dataframe.operations.merge.ranges import by_ranges
from restride.collections.dataframe.operations.merge.tracing import Source
from restride.collections.dataframe.operations.partitions import Coalesce
from restride.collections.dataframe.operations.selection import narrow
from restride.collections.dataframe.operations.shuffle import HashShuffle, RangeShuffle
from restride.collections.dataframe.operations.shuffle_keys import KeyPlace
from restride.collections.dataframe.operations.within import RowsWithin, apart, are_neighbours, ranges_to_cut
from restride.collections.expression import Expr

INDEX_ROWS = 4_000_000
"""Rows of a side up to which an index of all of them is made."""
DENSE_ROWS = 50_000_000
"""The same where keys are integers close to each other, of which the index is an array."""
UNKNOWN_ROWS = 500_000
"""Rows that a partition is taken to have where that is not known."""
BUCKET_ROWS = 250_000
"""Rows of a partition of a shuffle: a table of its keys stays near the cache."""
MOST_BUCKETS = 256


def carried_out(merge: Merge, *, ordered: bool = True) -> Expr:
    """A merge as nodes that have blocks; `ordered` says whether the order of its rows can be seen."""
    plan = merge.plan
    if plan.how == "cross":
        return CrossMerge(merge.left, merge.right, plan)
    if merge.by_key:
        return _sorted(merge)
    if merge.other.npartitions > 1 and (aligned := _aligned(merge)) is not None:
        return aligned
    if merge.strategy == "index":
        return IndexedMerge(merge.left, merge.right, plan)
    return _shuffled(merge) if ordered else _scattered(merge)


def chosen_strategy(left: FrameExpr, right: FrameExpr, plan: MergePlan, broadcast: bool | None = None) -> str:
    """How a merge of two frames is best carried out, as far as can be told from how many rows they have."""
    other = right if plan.asks == "left" else left
    if not hashable(plan):
        return "index"
    if plan.asks in plan.unique:
        return "shuffle"  # whether keys are unique is seen where all rows of a key are
    if broadcast is None:
        rows = about_rows(other)
        dense = rows <= DENSE_ROWS and _is_dense(other, plan, rows)
        broadcast = other.npartitions == 1 or rows <= INDEX_ROWS or dense
    return "index" if broadcast else "shuffle"


def _is_dense(frame: FrameExpr, plan: MergePlan, rows: int) -> bool:
    """Whether the one key of a side is known to be integers close to each other."""
    keys = plan.right_keys if plan.asks == "left" else plan.left_keys
    bounds = known_range(frame, keys[0]) if len(keys) == 1 else None
    return bounds is not None and is_direct(bounds[1] - bounds[0] + 1, rows)


def about_rows(frame: FrameExpr) -> int:
    """About how many rows a frame has."""
    if frame.lengths is not None:
        return sum(frame.lengths)
    known: dict[Expr, int] = {}
    stack: list[tuple[Expr, bool]] = [(frame, False)]
    while stack:
        expr, seen = stack.pop()
        if expr in known:
            continue
        below = [child for child in expr.children if isinstance(child, FrameExpr)]
        if isinstance(expr, FrameExpr) and expr.lengths is not None:
            known[expr] = sum(expr.lengths)
        elif not below:
            known[expr] = UNKNOWN_ROWS * getattr(expr, "npartitions", 1)
        elif seen:
            known[expr] = max(known[child] for child in below)
        else:
            stack.append((expr, True))
            stack += [(child, False) for child in below]
    return known[frame]


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


def _shuffled(merge: Merge) -> Expr:
    """Rows of both sides by the hash of their keys, and those of the result back in order."""
    plan = merge.plan
    asks_left = plan.asks == "left"
    sides = [merge.left, merge.right]
    asking = 0 if asks_left else 1
    n_asking = sides[asking].npartitions
    sides[asking] = WithPositions(sides[asking])
    shift = [{i: i + 1 for i in range(_width(sides[asking]))} if k == asking else _same(sides[k]) for k in (0, 1)]
    plan = _with_position(plan.moved(shift[0], shift[1]), asking)
    n, types = _buckets(merge), _types(plan)
    left = HashShuffle(sides[0], n, plan.left_keys, types)
    right = HashShuffle(sides[1], n, plan.right_keys, types)
    joined = PartitionMerge(left, right, plan)
    starts = tuple(number << ROW_BITS for number in range(1, n_asking))
    back = RangeShuffle(joined, n_asking, (KeyPlace(0),), starts)
    return narrow(back, Wanted(tuple(range(1, back.layout.n_columns)), back.has_index))


def _scattered(merge: Merge) -> Expr:
    """Rows of both sides by the hash of their keys, and those of the result wherever they are."""
    plan = merge.plan
    n, types = _buckets(merge), _types(plan)
    left = HashShuffle(merge.left, n, plan.left_keys, types)
    return PartitionMerge(left, HashShuffle(merge.right, n, plan.right_keys, types), plan)


def _aligned(merge: Merge) -> Expr | None:
    """Each partition of the side that asks with the rows of the other that are in the range of its keys.

    Rows of one key may be in two partitions then, so that uniqueness on the side that asks would not be seen.
    """
    plan, asking, other = merge.plan, merge.asking, merge.other
    if plan.asks in plan.unique:
        return None
    own, theirs = (plan.left_keys, plan.right_keys) if plan.asks == "left" else (plan.right_keys, plan.left_keys)
    for at, there, as_key in zip(own, theirs, plan.as_left):
        if as_key.type is None or pa.types.is_floating(as_key.type):
            continue  # as floats, values are equal that are not as integers
        wanted, have = ranges_to_cut(asking, at), ranges_to_cut(other, there)
        if wanted is not None and have is not None and are_neighbours(wanted, have):
            within = RowsWithin(other, there, have, wanted).made_at(merge.origin)
            left, right = (asking, within) if plan.asks == "left" else (within, asking)
            return PartitionMerge(left, right, plan, False, merge.divisions)
    return None


def _types(plan: MergePlan) -> tuple[Any, ...]:
    types = tuple(_shuffle_type(a, b) for a, b in zip(plan.as_left, plan.as_right))
    return types if any(types) else ()


def _sorted(merge: Merge) -> Expr:
    """Rows of both sides by ranges of their keys, so that those of the result are in the order of the keys."""
    plan, n = merge.plan, merge.npartitions
    if n > 1 and (within := _within_ranges(merge)) is not None:
        return PartitionMerge(*within, plan, True)
    if n > 1 and (ranges := by_ranges(merge.left, merge.right, plan, n)) is not None:
        return PartitionMerge(*ranges, plan, True)
    one = IndexedMerge(_in_one(merge.left), _in_one(merge.right), plan, True)
    return one if n == 1 else Scattered(one, n)


def _within_ranges(merge: Merge) -> tuple[FrameExpr, FrameExpr] | None:
    """Both sides in partitions by ranges of their first key, where it is known which of theirs have values of which."""
    plan, n = merge.plan, merge.npartitions
    at, as_key = (plan.left_keys[0], plan.right_keys[0]), plan.as_left[0]
    have, theirs = ranges_to_cut(merge.left, at[0]), ranges_to_cut(merge.right, at[1])
    if have is None or theirs is None or as_key.type is None or pa.types.is_floating(as_key.type):
        return None
    wanted = apart(have if merge.left.npartitions == n else theirs, nulls_first=as_key.nulls_first)
    if wanted is None or len(wanted) != n or not are_neighbours(wanted, have) or not are_neighbours(wanted, theirs):
        return None
    left = RowsWithin(merge.left, at[0], have, wanted).made_at(merge.origin)
    return left, RowsWithin(merge.right, at[1], theirs, wanted).made_at(merge.origin)


def _in_one(frame: FrameExpr) -> FrameExpr:
    return frame if frame.npartitions == 1 else Coalesce(frame, (0, frame.npartitions))


def _buckets(merge: Merge) -> int:
    rows = max(about_rows(merge.left), about_rows(merge.right))
    return min(max(merge.left.npartitions, merge.right.npartitions, -(-rows // BUCKET_ROWS)), MOST_BUCKETS)


def _width(frame: FrameExpr) -> int:
    return frame.layout.n_columns + frame.layout.n_levels


def _same(frame: FrameExpr) -> dict[int, int]:
    return {i: i for i in range(_width(frame))}


def _with_position(plan: MergePlan, asking: int) -> MergePlan:
    """The plan of the same merge with the positions of one side as its first column."""
    source = Source(0, None) if asking == 0 else Source(None, 0)
    meta = plan.meta
    columns = [pd.Series([], dtype="int64"), *(meta.iloc[:, i].reset_index(drop=True) for i in range(meta.shape[1]))]
    new = pd.DataFrame(dict(enumerate(columns)))
    new.index = meta.index
    new = new.set_axis(["__position__", *meta.columns], axis=1)
    return replace(plan, meta=new, columns=(Output(source, np.dtype("int64"), False), *plan.columns))
