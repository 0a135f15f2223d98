"""`merge` of two frame expressions by pandas' arguments."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.operations.merge.nodes import Merge
from restride.collections.dataframe.operations.merge.plan import plan_merge
from restride.collections.dataframe.operations.merge.strategies import chosen_strategy
from restride.collections.dataframe.operations.rowwise import labelled


def merge(
    left: FrameExpr,
    right: FrameExpr,
    how: str,
    arguments: Mapping[str, Any],
    *,
    sort: bool = False,
    broadcast: bool | None = None,
) -> FrameExpr:
    """Merge two frames; see `DataFrame.merge`.

    Raises
    ------
    ValueError, KeyError, pandas.errors.MergeError
        As pandas raises for frames of these labels and dtypes.
    """
    arguments = {name: value for name, value in arguments.items() if value is not None and value is not False}
    if arguments.get("left_index") or arguments.get("right_index") or _names_levels(left, right, arguments):
        left, right = labelled(left), labelled(right)
    plan = plan_merge(left.meta, right.meta, how, arguments)
    strategy = chosen_strategy(left, right, plan, broadcast)
    by_key = how == "outer" or (sort and plan.how != "cross")
    n = max(left.npartitions, right.npartitions) if by_key else 0
    return Merge(left, right, plan, strategy, by_key, n)


def _names_levels(left: FrameExpr, right: FrameExpr, arguments: Mapping[str, Any]) -> bool:
    """Whether a key is a level of an index, by name."""
    named: set[Hashable] = set()
    for name in ("on", "left_on", "right_on"):
        value = arguments.get(name)
        named |= set(value) if isinstance(value, list) else {value} if value is not None else set()
    return any(
        name is not None and name in named and name not in frame.meta.columns
        for frame in (left, right)
        for name in frame.meta.index.names
    )
