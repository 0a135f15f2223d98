"""Whether groups are so few that a row of each can go to every partition; asked of the keys where nobody knows."""

from __future__ import annotations

from typing import Any

from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.kernels.group_tree import Aggregation, Keys
from restride.collections.dataframe.operations.groupby.plan import (
    FEW_GROUPS,
    GroupPlan,
    key_sample,
    plan_of_rows,
    plan_without_data,
    remembered,
)
from restride.collections.expression import Expr

TOGETHER = 1_000_000
"""Rows of all partitions that one task may bring together."""


def known_plan(frame: FrameExpr, keys: Keys) -> GroupPlan | None:
    """How the groups of some rows would come together, where that follows from what is known of the keys."""
    return plan_without_data(frame, Aggregation(keys, ()))


def question(frame: FrameExpr, keys: Keys) -> Expr:
    """What tells the same of a look at some keys; see `answered_plan`."""
    return key_sample(frame, keys)


def answered_plan(frame: FrameExpr, keys: Keys, blocks: list[Any]) -> GroupPlan:
    """The plan, given the answer."""
    return plan_of_rows(remembered(frame, keys, blocks[0]), frame)


def are_few(plan: GroupPlan, frame: FrameExpr) -> bool:
    """Whether there are no more groups than cost next to nothing, and a row of each of each partition fits one task."""
    groups = plan.groups
    return groups is not None and groups <= FEW_GROUPS and groups * frame.npartitions <= TOGETHER
