"""Covariances and correlations of all pairs of columns, a matrix a group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.groupby.grouping import Grouping
from restride.collections.dataframe.kernels.aggregates import comoments_of
from restride.collections.dataframe.kernels.group_tree import Aggregation
from restride.collections.dataframe.layout import layout_of
from restride.collections.dataframe.meta import column_dtypes
from restride.collections.dataframe.operations.groupby.aggregate import group_aggregate
from restride.collections.dataframe.operations.groupby.pandas_groups import Call
from restride.collections.dataframe.operations.square_matrices import pairs_of, square_matrices

MOST_COLUMNS = 12
"""Of which each pair is summed by itself; pandas goes over the rows of more of them once."""


def matrices(grouping: Grouping, places: Sequence[int] | int, call: Call, meta: Any) -> FrameExpr | None:
    """What ``cov`` or ``corr`` of some columns is by group; None where the kernels do not have it.

    Parameters
    ----------
    grouping : Grouping
    places : sequence of int
    call : Call
        Of pandas' method, all arguments by name.
    meta : pandas.DataFrame
        Of the result.
    """
    options = dict(call.kwargs)
    if isinstance(places, int) or options.get("method", "pearson") != "pearson":
        return None
    dtypes = column_dtypes(grouping.frame.meta)
    columns = [place for place in places if not options["numeric_only"] or _is_number(dtypes[place])]
    keys = grouping.kernel_keys
    whole = grouping.as_index and keys.observed and not layout_of(grouping.index_meta()).opaque
    if not whole or not 0 < len(columns) <= MOST_COLUMNS or not all(_is_number(dtypes[place]) for place in columns):
        return None
    ddof = options.get("ddof", 1)
    least = options["min_periods"] or 1
    pairs = pairs_of(columns)
    aggregates = tuple(comoments_of(x, y, ddof, call.method == "corr", least) for x, y in pairs)
    n_keys = len(grouping.keys)
    by_pair = pd.DataFrame(np.empty((0, len(pairs))), index=grouping.index_meta())
    groups = group_aggregate(
        grouping.frame,
        Aggregation(keys, aggregates),
        by_pair,
        tuple(range(n_keys, n_keys + len(pairs))),
        tuple(range(n_keys)),
        None,
    )
    return square_matrices(groups, meta, call.method)


def _is_number(dtype: Any) -> bool:
    return isinstance(dtype, np.dtype) and dtype.kind in "iufb"
