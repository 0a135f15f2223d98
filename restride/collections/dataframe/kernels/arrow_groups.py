"""Simple aggregates by one key column, by Arrow, which hashes each key once and keeps no group number a row.

Of strings it takes two thirds of the time of looking up a number for each first, as other keys are grouped. Where
groups are few it is as quick as tables that the keys address, and lets other threads of Python run meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from restride.collections.dataframe.kernels.encoding import to_numpy
from restride.collections.dataframe.kernels.group_states import Count, Extreme, Size, State, Sum, is_number
from restride.collections.dataframe.kernels.grouping import Order
from restride.collections.dataframe.kernels.memory import Column, chunks_of, one_array
from restride.collections.dataframe.kernels.radix import argsort
from restride.collections.dataframe.kernels.taking import take


def can_group_by_arrow(states: Sequence[State], columns: Sequence[Column], *, partial: bool) -> bool:
    """Whether `group_by_arrow` has the states that are asked for.

    Parameters
    ----------
    states : sequence of State
    columns : sequence of pyarrow columns
        What each state is made of: a column, or states of the same kind.
    partial : bool
        Whether they are states.
    """
    return all(_function(state, column, partial) is not None for state, column in zip(states, columns))


def group_by_arrow(
    key: Column,
    states: Sequence[State],
    columns: Sequence[Column],
    *,
    partial: bool,
    dropna: bool,
    order: Order,
) -> tuple[pa.Array, list[pa.Array]]:
    """The keys in an order, and each state of each; see `can_group_by_arrow`.

    500,000 rows of 100 groups take 2.2 ms for a count and two sums, and 1.1 ms each on two threads.
    """
    used = {"key": key}
    wanted: list[tuple[Any, str]] = []
    for i, (state, column) in enumerate(zip(states, columns)):
        function = _function(state, column, partial)
        assert function is not None
        if function == "count_all":
            wanted.append(([], function))
        else:
            used[str(i)] = _nan_as_null(column)
            wanted.append((str(i), function))
    if order == "appearance":
        # Arrow's own order is nearly that, but not where several new keys come close to each other.
        used["row"] = pa.array(np.arange(len(key)))
        wanted.append(("row", "min"))
    result = pa.table(used).group_by("key", use_threads=False).aggregate(wanted)
    if dropna and result.column("key").null_count:
        result = result.filter(pc.is_valid(result.column("key")))
    if order != "any":
        result = take(result, argsort([result.column("key" if order == "key" else "row_min")]))
    names = [("count_all" if name == [] else f"{name}_{function}") for name, function in wanted]
    values = [_finished(state, one_array(result.column(name))) for state, name in zip(states, names)]
    return one_array(result.column("key")), values


def _function(state: State, column: Column, partial: bool) -> str | None:
    """The name that Arrow has for what makes the state."""
    match state:
        case Size() | Count() if partial:
            return "sum"
        case Size():
            return "count_all"
        case Count(codes=False):
            return "count"
        case Sum() if _simple(column.type):
            return "sum"
        case Extreme(codes=False) if _simple(column.type):
            return "max" if state.greatest else "min"
    return None


def _simple(kind: pa.DataType) -> bool:
    return is_number(kind) and not pa.types.is_temporal(kind) and not pa.types.is_boolean(kind)


def _nan_as_null(column: Column) -> Column:
    if not pa.types.is_floating(column.type):
        return column
    chunks = chunks_of(column)
    if not any(map(_has_nan, chunks)):
        return column
    return pa.chunked_array([pc.if_else(pc.is_nan(chunk), None, chunk) for chunk in chunks])


def _has_nan(chunk: pa.Array) -> bool:
    if chunk.null_count:
        return bool(pc.any(pc.is_nan(chunk)).as_py())
    return bool(np.isnan(to_numpy(chunk).min(initial=0)))


def _finished(state: State, values: pa.Array) -> pa.Array:
    return pc.fill_null(values, 0) if isinstance(state, Sum) and values.null_count else values
