"""`get_dummies`."""

from __future__ import annotations

from typing import Any

import pandas as pd

from restride.collections.dataframe.base import FrameBase, new_collection
from restride.collections.dataframe.meta import is_unknown_categorical
from restride.collections.dataframe.operations.rowwise import rowwise


def get_dummies(
    data: FrameBase,
    prefix: Any = None,
    prefix_sep: Any = "_",
    dummy_na: bool = False,
    columns: Any = None,
    drop_first: bool = False,
    dtype: Any = None,
) -> Any:
    """Categoricals as a column of truth values for each category.

    Parameters
    ----------
    data : DataFrame or Series
    prefix, prefix_sep, dummy_na, columns, drop_first, dtype
        As in pandas.

    Raises
    ------
    NotImplementedError
        A column to be encoded is no categorical, or its categories are not known: see `DataFrame.categorize`.

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
    meta = data.expr.meta
    options = {"prefix": prefix, "prefix_sep": prefix_sep, "dummy_na": dummy_na, "drop_first": drop_first}
    options |= {"dtype": dtype}
    if isinstance(meta, pd.DataFrame):
        options["columns"] = columns
        chosen = meta.dtypes if columns is None else meta.dtypes[list(columns)]
        encoded = [d for d in chosen if columns is not None or isinstance(d, pd.CategoricalDtype) or _is_text(d)]
    else:
        encoded = [meta.dtype]
    if any(not isinstance(d, pd.CategoricalDtype) or is_unknown_categorical(d) for d in encoded):
        raise NotImplementedError("get_dummies needs categoricals with known categories: call categorize() before")
    return new_collection(rowwise(pd.get_dummies, data.expr, **options))


def _is_text(dtype: Any) -> bool:
    return bool(pd.api.types.is_object_dtype(dtype) or isinstance(dtype, pd.StringDtype))
