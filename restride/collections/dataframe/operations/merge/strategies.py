"""How a merge is carried out: which rows go where, so that all rows of a key meet, and come back in pandas' order.

- One side, where it is not large, becomes an index that each partition of the other asks: nothing else moves.
- Where it is known between which values each partition has a key, on both sides, and each partition of one side meets
  few of the other, these are all that it is merged with: sorted files, and frames with divisions.
- Otherwise rows of both sides go to partitions by the hash of their keys, see `hashed`; the rows of the result go back
  to where the rows that they are in the order of were, by their positions. An outer merge is by ranges of the key
  instead, as its rows are in the order of the key.
"""

from __future__ import annotations

import pyarrow as pa

from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.kernels.key_index import is_direct
from restride.collections.dataframe.operations.known_ranges import known_range
from restride.collections.dataframe.operations.looking import about_rows
from restride.collections.dataframe.operations.merge.hashed import HashedMerge, bucket_count, hashable
from restride.collections.dataframe.operations.merge.nodes import (
    CrossMerge,
    IndexedMerge,
    Merge,
    PartitionMerge,
    Scattered,
)
from restride.collections.dataframe.operations.merge.plan import MergePlan
from restride.collections.dataframe.operations.merge.ranges import by_ranges
from restride.collections.dataframe.operations.partitions import Coalesce
from restride.collections.dataframe.operations.within import RowsWithin, apart, are_neighbours, ranges_to_cut
from restride.collections.expression import Expr

INDEX_ROWS = 4_000_000
"""Rows of a side up to which an index of all of them is made."""
DENSE_ROWS = 50_000_000
"""The same where keys are integers close to each other, of which the index is an array."""


def carried_out(merge: Merge, *, ordered: bool = True) -> Expr:
    """A merge as nodes that have blocks; `ordered` says whether the order of its rows can be seen."""
    plan = merge.plan
    if plan.how == "cross":
        return CrossMerge(merge.left, merge.right, plan, ordered)
    if merge.by_key:
        return _sorted(merge)
    if merge.other.npartitions > 1 and (aligned := _aligned(merge)) is not None:
        return aligned
    if merge.strategy == "index":
        return IndexedMerge(merge.left, merge.right, plan)
    n = merge.asking.npartitions if ordered else bucket_count(merge.left, merge.right, ordered=False)
    hashed = HashedMerge(merge.left, merge.right, plan, n, ordered).made_at(merge.origin)
    return hashed if hashed.questions() else hashed.carried_out()


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
