"""`transform` by the name of an aggregate: one value a group, which all of its rows have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from restride.collections.dataframe.expr import FrameExpr, Wanted
from restride.collections.dataframe.groupby.aggregating import aggregated
from restride.collections.dataframe.groupby.grouping import Grouping
from restride.collections.dataframe.groupby.specs import Asked, Output
from restride.collections.dataframe.layout import layout_of
from restride.collections.dataframe.meta import Meta
from restride.collections.dataframe.operations.groupby.aggregate import GroupAggregate
from restride.collections.dataframe.operations.groupby.of_each_row import OfEachRow
from restride.collections.dataframe.operations.groupby.pandas_groups import Call
from restride.collections.dataframe.operations.selection import narrow

AGGREGATES = frozenset(
    ["sum", "prod", "mean", "median", "min", "max", "first", "last", "var", "std", "sem", "skew", "any", "all",
     "count", "nunique"]
)  # fmt: skip
OPTIONS = frozenset(["ddof", "min_count"])
"""Of aggregates, as far as the kernels have them."""


def transformed(grouping: Grouping, places: Sequence[int] | int, call: Call, meta: Meta) -> FrameExpr | None:
    """What ``transform(name)`` is for each row; None where that is no aggregate of the kernels.

    Parameters
    ----------
    grouping : Grouping
    places : int or sequence of int
        The grouped columns, or the one of a series.
    call : Call
        Of pandas' method: its first argument is the name.
    meta : Meta
        Of the result.
    """
    name, *args = call.args
    if name not in AGGREGATES or args or not OPTIONS.issuperset(dict(call.kwargs)) or layout_of(meta).opaque:
        return None
    columns = (places,) if isinstance(places, int) else tuple(places)
    outputs = tuple(Output(number, column, name, call.kwargs) for number, column in enumerate(columns))
    by_group = replace(grouping, as_index=False, sort=True, observed=True)
    groups = aggregated(by_group, Asked(outputs, pd.RangeIndex(len(columns))), None)
    if not isinstance(groups, GroupAggregate):
        return None
    used = tuple(sorted({*grouping.keys, *columns}))
    place = {position: number for number, position in enumerate(used)}
    frame = narrow(grouping.frame, Wanted(used, grouping.frame.has_index))
    keys = replace(by_group.kernel_keys, columns=tuple(place[key] for key in grouping.keys))
    values: Any = place[places] if isinstance(places, int) else tuple(place[column] for column in columns)
    return OfEachRow(frame, groups, keys, grouping.by.over(place), values, call, meta)
