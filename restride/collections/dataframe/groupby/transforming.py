"""Rows made of those of their group, which need not come together for that: by aggregates, or by rows before them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.dataframe.expr import FrameExpr, Wanted
from restride.collections.dataframe.groupby.aggregating import ROWS, aggregated, source_of
from restride.collections.dataframe.groupby.grouping import Grouping, over
from restride.collections.dataframe.groupby.specs import Asked, Output
from restride.collections.dataframe.kernels.aggregates import states_of
from restride.collections.dataframe.kernels.group_tree import Aggregation
from restride.collections.dataframe.layout import layout_of
from restride.collections.dataframe.meta import Meta, column_dtypes, index_of
from restride.collections.dataframe.operations.groupby.aggregate import GroupAggregate
from restride.collections.dataframe.operations.groupby.carried import WHOLE, CarriedRows, Carry, carry_of
from restride.collections.dataframe.operations.groupby.few_groups import are_few, known_plan
from restride.collections.dataframe.operations.groupby.of_each_row import OfEachRow
from restride.collections.dataframe.operations.groupby.pandas_groups import Call, GroupNumbers, PandasKeys, used_columns
from restride.collections.dataframe.operations.partitions import MapPartitions
from restride.collections.dataframe.operations.rowwise import Assign, Constant
from restride.collections.dataframe.operations.selection import narrow, without_index

AGGREGATES = frozenset(
    ["sum", "prod", "mean", "median", "min", "max", "first", "last", "var", "std", "sem", "skew", "any", "all",
     "count", "nunique"]
)  # fmt: skip
OPTIONS = frozenset(["ddof", "min_count"])
"""Of aggregates, as far as the kernels have them."""


@dataclass(frozen=True)
class CountUp(Call):
    """Running sums, from 0 on: of a column of ones the numbers of the rows in their groups."""

    def __call__(self, by: PandasKeys | GroupNumbers, value: pd.DataFrame, values: Any) -> Any:
        return super().__call__(by, value, values) - 1


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
    return _of_each_row(by_group, groups, places, call, meta) if isinstance(groups, GroupAggregate) else None


def _of_each_row(
    grouping: Grouping, groups: FrameExpr, places: Sequence[int] | int, call: Call, meta: Meta
) -> OfEachRow:
    used, place, values = used_columns(grouping.keys, places)
    frame = narrow(grouping.frame, Wanted(used, grouping.frame.has_index))
    keys = replace(grouping.kernel_keys, columns=tuple(place[key] for key in grouping.keys))
    return OfEachRow(frame, groups, keys, grouping.by.over(place), values, call, meta)


def numbers_of_groups(grouping: Grouping, *, ascending: bool) -> FrameExpr:
    """The number of each row's group, from 0: the groups are counted, and looked up for each row.

    Raises
    ------
    NotImplementedError
        A key is of a dtype that Arrow does not hold.
    """
    by_group = replace(grouping, as_index=False)
    groups = aggregated(by_group, Asked((Output("size", grouping.keys[0], "size", (ROWS,)),), None), None)
    if not isinstance(groups, GroupAggregate):
        raise NotImplementedError("ngroup of keys of objects: make them strings or numbers first, with astype")
    n_keys = len(grouping.keys)
    dtypes = dict(zip(range(n_keys + 1), [*grouping.key_dtypes, np.dtype(np.int64)]))
    numbers = pd.DataFrame({i: pd.Series([], dtype=dtype) for i, dtype in dtypes.items()})
    options = (("ascending", ascending),)
    counted = MapPartitions(number_rows, (groups,), options, numbers, "groupby-number")
    index = index_of(grouping.frame.meta)
    meta = pd.Series([], dtype="float64" if grouping.may_drop else "int64", index=index)
    found = _of_each_row(by_group, counted, grouping.keys[0], Call("ngroup"), meta)
    return found.replace(few_groups=True)


def number_rows(groups: pd.DataFrame, *, ascending: bool) -> pd.DataFrame:
    """Kernel: a table of groups with their numbers in the place of the last column."""
    numbers = np.arange(len(groups))
    columns = {i: groups.iloc[:, i].array for i in range(groups.shape[1] - 1)}
    return pd.DataFrame({**columns, len(columns): numbers if ascending else numbers[::-1]}, copy=False)


def carried(
    grouping: Grouping, places: Sequence[int] | int, call: Call, meta: Meta, grouped_meta: Meta
) -> FrameExpr | None:
    """What a method makes of each row and of those before, or after, it in its group; None where that is not known.

    Parameters
    ----------
    grouping : Grouping
    places : int or sequence of int
        The grouped columns, or the one of a series.
    call : Call
        Of pandas' method.
    meta : Meta
        Of the result.
    grouped_meta : Meta
        Of the result where no row is without a group.
    """
    columns = (places,) if isinstance(places, int) else tuple(places)
    dtypes = column_dtypes(grouping.frame.meta)
    carry = carry_of(call, [dtypes[column] for column in columns])
    used, place, values = used_columns(grouping.keys, places)
    frame = narrow(grouping.frame, Wanted(used, grouping.frame.has_index))
    in_keys = bool({*grouping.keys} & {*columns})
    if carry is None or in_keys or frame.npartitions == 1 or frame.layout.opaque or layout_of(meta).opaque:
        return None
    keys = replace(grouping.kernel_keys, columns=tuple(place[key] for key in grouping.keys), observed=True)
    plan = known_plan(frame, keys)
    if plan is not None and not are_few(plan, frame):
        return None
    whole = None
    if carry.n in (None, 1):
        whole = _one_row(grouping, columns, call.method, carry)
        if whole is None:
            return None
        whole = replace(whole.over(used), keys=keys)
    by = grouping.by.over(place)
    few = None if plan is None else True
    return CarriedRows(frame, keys, by, values, call, carry, whole, meta, grouped_meta, few)


def numbers_in_groups(grouping: Grouping) -> FrameExpr | None:
    """The number of each row in its group, from 0; None where rows of a group had better come together."""
    frame = grouping.frame
    n = frame.layout.n_columns
    if frame.layout.opaque:
        return None
    ones = Assign(frame, (n,), ("__one__",), (without_index(Constant(frame, 1)),))
    index = index_of(frame.meta)
    whole = pd.Series([], dtype="int64", index=index)
    meta = pd.Series([], dtype="float64", index=index) if grouping.may_drop else whole
    return carried(over(grouping, ones), n, CountUp("cumsum"), meta, whole)


def _one_row(grouping: Grouping, columns: Sequence[int], method: str, carry: Carry) -> Aggregation | None:
    """What makes one row of a group for a method that carries no more; None where the kernels do not have it."""
    edge = "first" if carry.back else "last"
    aggregates = []
    for column in columns:
        source = source_of(grouping, column)
        if source is None:
            return None
        if carry.n is None:
            aggregate = states_of(WHOLE[method], source)
        else:
            aggregate = states_of(edge, source, skipna=False)
        if aggregate is None or len(aggregate.states) > 1:
            return None
        aggregates.append(aggregate)
    made = Aggregation(grouping.kernel_keys, tuple(aggregates))
    return made if len(made.states) == len(columns) else None
