"""`get_dummies`."""

from __future__ import annotations

from typing import Any

import pandas as pd

from restride.collections.dataframe.base import FrameBase, new_collection
from restride.collections.dataframe.meta import is_unknown_categorical
from restride.collections.dataframe.operations.rowwise import rowwise
from restride.collections.dataframe.operations.selection import Project, column


def get_dummies(
    data: FrameBase,
    prefix: Any = None,
    prefix_sep: Any = "_",
    dummy_na: bool = False,
    columns: Any = None,
    drop_first: bool = False,
    dtype: Any = None,
) -> Any:
    """A column of truth values for each value; which values there are is computed now, unless they are categories.

    Parameters
    ----------
    data : DataFrame or Series
    prefix, prefix_sep, dummy_na, columns, drop_first, dtype
        As in pandas.

    Examples
    --------
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> x = rd.from_pandas(pd.Series(["a", "b", "a"], dtype="category"), npartitions=2)
    >>> rd.get_dummies(x, dtype="int64").compute()
       a  b
    0  1  0
    1  0  1
    2  1  0
    """
    options = {"prefix": prefix, "prefix_sep": prefix_sep, "dummy_na": dummy_na, "drop_first": drop_first}
    options |= {"dtype": dtype}
    if isinstance(data.expr.meta, pd.DataFrame):
        dtypes = data.expr.meta.dtypes
        chosen = [label for label, d in dtypes.items() if isinstance(d, pd.CategoricalDtype) or _is_text(d)]
        labels = chosen if columns is None else list(columns)
        options["columns"] = columns
        lacking = [label for label in labels if _lacks_categories(dtypes[label])]
        encoded = data.categorize(lacking) if lacking else data  # type: ignore[attr-defined]
    elif _lacks_categories(data.expr.meta.dtype):
        frame = new_collection(Project(data.expr, data.expr.everything, "frame"))
        frame = frame.categorize(list(frame.columns))
        encoded = new_collection(column(frame.expr, 0))
    else:
        encoded = data
    made = new_collection(rowwise(pd.get_dummies, encoded.expr, **options))
    if encoded is not data and isinstance(made.columns, pd.CategoricalIndex):  # values, and no categories of the user's
        made.columns = made.columns.astype(made.columns.categories.dtype)
    return made


def _lacks_categories(dtype: Any) -> bool:
    return not isinstance(dtype, pd.CategoricalDtype) or is_unknown_categorical(dtype)


def _is_text(dtype: Any) -> bool:
    return bool(pd.api.types.is_object_dtype(dtype) or isinstance(dtype, pd.StringDtype))
