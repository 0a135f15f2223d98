"""Which way an aggregation by groups goes: by a tree, or by the hashes of the keys first."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from restride.collections.blocks import Blocks
from restride.collections.dataframe.expr import FrameExpr, Wanted
from restride.collections.dataframe.kernels.group_lists import Collected, Distinct
from restride.collections.dataframe.kernels.group_tree import Aggregation, Keys
from restride.collections.dataframe.kernels.hashing import hash_rows
from restride.collections.dataframe.kernels.hot_keys import Shares, hot_shares, hotter_than
from restride.collections.dataframe.layout import is_string
from restride.collections.dataframe.operations.hot_keys import WithHashes
from restride.collections.dataframe.operations.known_ranges import known_range
from restride.collections.dataframe.operations.looking import looked_at
from restride.collections.dataframe.operations.partitions import TakePartitions
from restride.collections.dataframe.operations.selection import narrow
from restride.collections.dataframe.operations.shuffle import HashShuffle, are_together
from restride.collections.dataframe.operations.within import by_values
from restride.collections.expression import Expr
from restride.collections.facts import Told

FUSED = 5
"""Partitions that are grouped in one task, where groups are not known to be few."""
KEPT = 0.25
"""Of their rows partial results may keep in a tree; above it, the rows are split by the hashes of their keys."""
FEW_GROUPS = 10_000
"""Groups up to which partial results cost next to nothing."""
FEW_ROWS = 200_000
"""Rows up to which nothing but the number of tasks matters."""
SAMPLED = 1 << 16
"""Rows of a partition whose keys are looked at."""
MOSTLY = 0.9
"""Of the groups that a partition has if it has nearly all."""
REMEMBERED = 1000
"""Answers that are kept."""
_answers: dict[str, KeySample] = {}

SPLIT_ROWS = 200_000
"""Rows that one task groups at least after a split."""


@dataclass(frozen=True)
class GroupPlan:
    """How rows come together by their groups."""

    split: int = 0
    """Tasks among which rows are split by the hashes of their keys; 0 for a tree."""
    fused: int = 1
    """Partitions of which one partial result is made, for a tree."""
    groups: float | None = None
    """About how many groups there are, where that has been looked at."""
    hot: tuple[int, ...] = ()
    """Hashes of keys that have more than two tasks' share of the rows."""
    at_most: bool = False
    """Whether there cannot be more groups than that, and may be fewer."""
    by: str = "hash"
    """What rows are split by: ``ranges`` where it is known which partitions have which keys; ``partition`` for not."""

    def __str__(self) -> str:
        tree = f"tree, up to {self.fused} partitions a task" if self.fused > 1 else "tree"
        apart = f"split by {self.by}" if self.by != "partition" else "split already"
        how = f"{apart} into {self.split}" if self.split else tree
        how += f", {len(self.hot)} frequent by a tree" if self.hot else ""
        bound = "at most" if self.at_most else "about"
        return how if self.groups is None else f"{how}, {bound} {self.groups:,.0f} groups"


def grouping_rule(frame: FrameExpr, on: tuple[int, ...]) -> str:
    """By what rule a task finds the groups of its rows, for people; see `kernels.group_tree`."""
    if len(on) == 1 and is_string(frame.layout.types[on[0]]):
        return "tables where the strings are few codes for the rows, else Arrow's hash"
    return "tables where keys are few numbers for the rows, else pandas' hash"


def split_rows(
    frame: FrameExpr, on: tuple[int, ...], plan: GroupPlan, *, pieces: bool, origin: str | None
) -> tuple[FrameExpr, GroupPlan]:
    """A frame with the rows of a group in one partition, and the plan that says what they are split by, if at all.

    Where they are split by hash, rows of frequent keys are left out.
    """
    if are_together(frame, on):
        return frame, replace(plan, split=frame.npartitions, by="partition", hot=())
    by_range = by_values(frame, on)
    if by_range is not None:
        return by_range.made_at(origin), replace(plan, split=by_range.npartitions, by="ranges", hot=())
    if plan.hot:
        frame = WithHashes(frame, on, plan.hot, False).made_at(origin)
    return HashShuffle(frame, plan.split, on, (), pieces).made_at(origin), plan


@dataclass(frozen=True)
class KeySample:
    """What the keys of some rows of one partition say."""

    rows: int
    groups: int
    partition: int
    """How many rows the partition has."""
    hot: Shares = ()
    """Hashes of keys that many of the rows have, and what part of them."""


def plan_without_data(frame: FrameExpr, aggregation: Aggregation) -> GroupPlan | None:
    """The plan, where it follows from what is known of the keys; None where it takes a look at them."""
    if frame.npartitions <= 2 or not aggregation.keys.observed:
        return GroupPlan()
    if rows_are_few(frame):
        return GroupPlan(fused=FUSED)
    most = most_groups(frame, aggregation.keys)
    if most is None or _collects(aggregation):
        return None
    if most <= FEW_GROUPS:
        return GroupPlan(groups=most, at_most=True)
    fused = _fused(frame)
    if frame.length is not None and most <= KEPT * fused * frame.length / frame.npartitions:
        return GroupPlan(fused=fused, groups=most, at_most=True)
    return None


def plan_from(sample: KeySample, frame: FrameExpr, aggregation: Aggregation) -> GroupPlan:
    """The plan, given a look at the keys of one partition."""
    plan = plan_of_rows(sample, frame)
    if plan.groups is None or not _collects(aggregation):
        return plan
    if plan.groups <= FEW_GROUPS and not any(isinstance(state, Collected) for state in aggregation.states):
        return plan
    tasks = min(_tasks(frame), math.ceil(plan.groups))
    return GroupPlan(split=tasks, groups=plan.groups) if tasks > 1 else plan


def plan_of_rows(sample: KeySample, frame: FrameExpr) -> GroupPlan:
    """The plan where no more is kept of a group than a row, given a look at the keys of one partition."""
    fused = _fused(frame)
    if sample.rows == 0:
        return GroupPlan(fused=fused)
    together = fused * sample.partition
    whole = frame.length or frame.npartitions * sample.partition
    groups = extrapolated(sample, whole)
    tasks = _tasks(frame)
    if extrapolated(sample, together) > KEPT * together and tasks > 1:
        return GroupPlan(split=tasks, groups=groups, hot=hotter_than(sample.hot, 2 / tasks))
    return GroupPlan(fused=1 if groups <= FEW_GROUPS else fused, groups=groups)


def most_groups(frame: FrameExpr, keys: Keys) -> float | None:
    """More groups there cannot be, as far as dtypes and the statistics of files tell."""
    most = 1.0
    for position, categories in zip(keys.columns, keys.categories):
        if categories is not None:
            most *= categories + 1
        elif pa.types.is_boolean(frame.layout.columns[position]):
            most *= 3
        else:
            bounds, rows = known_range(frame, position), _rows_of_values(frame, position)
            if bounds is None and rows is None:
                return None
            most *= min(math.inf if bounds is None else bounds[1] - bounds[0] + 2, math.inf if rows is None else rows)
    return most


def _rows_of_values(frame: FrameExpr, place: int) -> int | None:
    """How many rows there are where the values at a place come from, such as a table that others are joined with."""
    least = None
    step: tuple[FrameExpr, int] | None = (frame, place)
    while step is not None:
        node, at = step
        if node.length is not None:
            least = node.length if least is None else min(least, node.length)
        step = node.value_source(at)
    return least


def rows_are_few(frame: FrameExpr) -> bool:
    """Whether nothing but the number of tasks matters."""
    return frame.length is not None and frame.length <= FEW_ROWS


def extrapolated(sample: KeySample, rows: int) -> float:
    """About how many groups so many rows have, as if all groups but those of frequent keys were of one size.

    Examples
    --------
    >>> round(extrapolated(KeySample(65_536, 63_435, 500_000), 2_500_000), -4)  # of a million groups
    920000.0
    """
    n_hot, cold = len(sample.hot), 1 - sum(share for _, share in sample.hot)
    groups, looked, whole = sample.groups - n_hot, sample.rows * cold, rows * cold
    if groups <= 0:
        return float(n_hot)
    if groups >= 0.9999 * looked:
        return whole + n_hot
    low, high = float(groups), 1e5 * looked
    for _ in range(60):
        middle = math.sqrt(low * high)
        if middle * -math.expm1(-looked / middle) < groups:
            low = middle
        else:
            high = middle
    return low * -math.expm1(-whole / low) + n_hot


def mostly_in_first(sample: KeySample, plan: GroupPlan) -> bool:
    """Whether nearly all groups have rows in the partition that was looked at, as far as can be told from it."""
    return plan.groups is not None and extrapolated(sample, sample.partition) > MOSTLY * plan.groups


def key_sample(frame: FrameExpr, keys: Keys) -> Expr:
    """The expression of the `KeySample` of a frame's first partition; of the answer, where it has been asked before."""
    asked, places = looked_at(frame, keys.columns) or (frame, keys.columns)
    columns = narrow(TakePartitions(asked, (0,)), Wanted(places, False))
    question = SampleKeys(columns, Keys(tuple(range(len(places))), keys.categories, keys.dropna))
    known = _answers.get(question.name)
    return question if known is None else Told(known)


def remembered(frame: FrameExpr, keys: Keys, answer: KeySample) -> KeySample:
    """Keep the answer to a `key_sample`: an expression of one name never has another value."""
    question = key_sample(frame, keys)
    if isinstance(question, SampleKeys):
        if len(_answers) >= REMEMBERED:
            _answers.pop(next(iter(_answers)), None)
        _answers[question.name] = answer
    return answer


@dataclass(frozen=True, eq=False, repr=False)
class SampleKeys(Expr):
    """What the keys of a frame's one partition say."""

    frame: FrameExpr
    keys: Keys

    @property
    def label(self) -> str:
        return "look-at-keys"

    def blocks(self, *children: Blocks) -> Blocks:
        return self.frame.by_partition(LookAtKeys(self.keys), *children)


@dataclass(frozen=True)
class LookAtKeys:
    """Kernel: what the keys of rows all over a partition say."""

    keys: Keys
    __name__ = "look-at-keys"

    def __call__(self, table: pa.Table) -> KeySample:
        n = table.num_rows
        if n > SAMPLED:
            table = table.take(pa.array(np.linspace(0, n - 1, SAMPLED).astype(np.int64)))
        columns = [table.column(i) for i in self.keys.columns]
        groups = self.keys.groups(columns, "any")
        return KeySample(table.num_rows, groups.n, n, hot_shares(hash_rows(columns)))


def _collects(aggregation: Aggregation) -> bool:
    """Whether states grow with the number of rows."""
    return any(isinstance(state, (Collected, Distinct)) for state in aggregation.states)


def _fused(frame: FrameExpr) -> int:
    return min(FUSED, max(1, frame.npartitions // 4))


def _tasks(frame: FrameExpr) -> int:
    length = frame.length
    return frame.npartitions if length is None else max(1, min(frame.npartitions, length // SPLIT_ROWS))
