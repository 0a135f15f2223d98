"""How methods that work row by row become expressions, whether of a frame, a series or an index."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.dataframe.base import FrameBase, as_operand, new_collection
from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.operations.alignment import aligned
from restride.collections.dataframe.operations.completeness import may_miss
from restride.collections.dataframe.operations.places import index_as_series, series_as_index
from restride.collections.dataframe.operations.rowwise import Rowwise, rowwise
from restride.collections.dataframe.operations.samples import one_missing


def row_by_row(
    collection: FrameBase,
    function: Callable[..., Any],
    *operands: Any,
    columnwise: bool = False,
    declared: Any = None,
    **kwargs: Any,
) -> Any:
    """A function of a collection and of operands of the same rows, row by row; see `operations.rowwise.Rowwise`.

    Parameters
    ----------
    collection : FrameBase
        Its labels are those of the result. Of an index the values are taken; the result is an index again, unless it is
        one of truth values or a frame.
    function : callable
        Of pandas objects; never a user's, as it is called with empty ones.
    *operands
        Collections and pandas objects are aligned with `collection`; other values go as they are.
    columnwise : bool
        Whether a column of the result is made of the columns at its place alone.
    declared : meta, optional
        What the result is, where pandas cannot tell that from empty objects.
    """
    expr = collection.expr
    if isinstance(expr.meta, pd.Index):
        expr = index_as_series(expr)
    given = [as_operand(value, expr) for value in operands]
    given = [
        index_as_series(one) if isinstance(one, FrameExpr) and isinstance(one.meta, pd.Index) else one for one in given
    ]
    together = iter(aligned([expr, *(one for one in given if isinstance(one, FrameExpr))]))
    first = next(together)
    args = [next(together) if isinstance(one, FrameExpr) else one for one in given]
    made = rowwise(function, first, *args, columnwise=columnwise, declared=declared, **kwargs)
    return new_collection(back_to_index(collection.expr, made))


def back_to_index(index: FrameExpr, made: FrameExpr) -> FrameExpr:
    """What was made of the values of an index as an index again, unless it is a frame, or of truth values."""
    if isinstance(index.meta, pd.Index) and isinstance(made.meta, pd.Series) and made.meta.dtype != bool:
        return series_as_index(made)
    return made


def counted(collection: FrameBase, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """A function of a series that pandas gives integers for, but floats where values are missing."""
    expr = collection.expr
    series = index_as_series(expr) if isinstance(expr.meta, pd.Index) else expr
    declared = None
    if may_miss(series):
        declared = with_missing(
            function(series.meta, *args, **kwargs), function(one_missing(series.meta), *args, **kwargs)
        )
    made = Rowwise(function, (series, *args), tuple(kwargs.items()), False, declared)
    return new_collection(back_to_index(expr, made))


def with_missing(empty: Any, missing: Any) -> Any:
    """The meta of a result, where columns of integers or truth values have the dtype that missing values give them."""
    if isinstance(empty, pd.DataFrame):
        columns = {i: with_missing(empty.iloc[:, i], missing.iloc[:, i]) for i in range(empty.shape[1])}
        frame = pd.DataFrame(columns, index=empty.index)
        frame.columns = empty.columns
        return frame
    plain = isinstance(empty.dtype, np.dtype) and empty.dtype.kind in "iub"
    return empty.astype(missing.dtype) if plain else empty
