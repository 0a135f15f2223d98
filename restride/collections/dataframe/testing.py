"""What tests of code that uses frames need; ``rd.utils``."""

from __future__ import annotations

from typing import Any

import pandas as pd

from restride.collections.collection import Collection
from restride.collections.dataframe.base import FrameBase
from restride.collections.dataframe.meta import is_default
from restride.collections.dataframe.methods.partitions import make_meta

__all__ = ["assert_eq", "make_meta"]


def assert_eq(
    a: Any, b: Any, *, check_dtype: bool = True, check_index: bool = True, sort_results: bool = False, **options: Any
) -> bool:
    """Compute what is lazy, and compare: values, dtypes, labels, names; and that metas are those of the results.

    Parameters
    ----------
    a, b : collection or pandas object
    check_dtype, check_index : bool
    sort_results : bool
        Compare without regard to the order of rows.
    **options
        As for `pandas.testing.assert_frame_equal` and its like.

    Raises
    ------
    AssertionError
        They differ.

    Examples
    --------
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> frame = pd.DataFrame({"x": [1, 2]})
    >>> rd.utils.assert_eq(rd.from_pandas(frame, npartitions=2) + 1, frame + 1)
    True
    """
    x, y = (_computed(value) for value in (a, b))
    if not check_index:
        x, y = (value.reset_index(drop=True) if hasattr(value, "reset_index") else value for value in (x, y))
    if sort_results:
        x, y = _sorted(x), _sorted(y)
    if isinstance(x, pd.DataFrame):
        pd.testing.assert_frame_equal(x, y, check_dtype=check_dtype, **{"check_freq": False, **options})
    elif isinstance(x, pd.Series):
        pd.testing.assert_series_equal(x, y, check_dtype=check_dtype, **{"check_freq": False, **options})
    elif isinstance(x, pd.Index):
        pd.testing.assert_index_equal(x, y, exact="equiv", **options)
    elif x != y and not (pd.isna(x) and pd.isna(y)):
        raise AssertionError(f"{x!r} is not {y!r}")
    return True


def _computed(value: Any) -> Any:
    if not isinstance(value, Collection):
        return value
    computed: Any = value.compute()
    if isinstance(value, FrameBase):
        _check_meta(value, computed)
    return computed


def _check_meta(collection: FrameBase, computed: Any) -> None:
    """See that the meta of a collection is that of what it computes to."""
    meta = collection.expr.meta
    if not isinstance(computed, type(meta)) and not isinstance(meta, pd.Index):
        raise AssertionError(f"the meta is a {type(meta).__name__}, and the result a {type(computed).__name__}")
    if isinstance(meta, pd.DataFrame) and list(meta.columns) != list(computed.columns):
        raise AssertionError(f"the meta has columns {list(meta.columns)}, and the result {list(computed.columns)}")
    rows = sum(collection.expr.lengths) if collection.expr.lengths is not None else len(computed)
    if rows != len(computed):
        raise AssertionError(f"{rows} rows were known, and the result has {len(computed)}")
    if collection.expr.layout.n_levels == 0 and not isinstance(meta, pd.Index) and not is_default(computed.index):
        raise AssertionError(f"the rows were to be numbered, and have the index {computed.index}")


def _sorted(value: Any) -> Any:
    if isinstance(value, pd.DataFrame):
        return value.sort_values(list(value.columns)).reset_index(drop=True)
    return value.sort_values().reset_index(drop=True) if isinstance(value, pd.Series) else value
