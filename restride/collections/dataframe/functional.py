"""Methods of frames as functions: ``rd.repartition(df, npartitions=4)`` is ``df.repartition(npartitions=4)``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from restride.collections.dataframe.base import FrameBase
from restride.collections.dataframe.frame import DataFrame

__all__ = [
    "map_overlap",
    "map_partitions",
    "pivot_table",
    "repartition",
    "to_csv",
    "to_hdf",
    "to_json",
    "to_parquet",
    "to_records",
    "to_sql",
]


def _function(name: str) -> Callable[..., Any]:
    method = getattr(DataFrame, name)

    def function(frame: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(_checked(frame), name)(*args, **kwargs)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"`DataFrame.{name}` as a function of the frame."
    parameters = list(inspect.signature(method).parameters.values())
    first = parameters[0].replace(name="frame")
    function.__signature__ = inspect.Signature([first, *parameters[1:]])  # type: ignore[attr-defined]
    return function


def _checked(frame: Any) -> FrameBase:
    if not isinstance(frame, FrameBase):
        raise TypeError(f"expected a frame, series or index of restride, got {type(frame).__name__}")
    return frame


def map_partitions(func: Callable[..., Any], *args: Any, meta: Any = None, **kwargs: Any) -> Any:
    """Apply a function to the partitions of frames; see `DataFrame.map_partitions`.

    Parameters
    ----------
    func : callable
    *args
        The first is a frame, series or index; others may be values of any kind.
    meta : optional
        What the function returns.
    **kwargs
        For the function.

    Examples
    --------
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> x = rd.from_pandas(pd.Series([1, 2, 3]), npartitions=2)
    >>> rd.map_partitions(lambda part, n: part * n, x, 10, meta="int64").compute().tolist()
    [10, 20, 30]
    """
    if not args:
        raise TypeError("map_partitions needs a frame after the function")
    return _checked(args[0]).map_partitions(func, *args[1:], meta=meta, **kwargs)  # type: ignore[attr-defined]


def map_overlap(func: Callable[..., Any], frame: Any, before: Any, after: Any, *args: Any, **kwargs: Any) -> Any:
    """Apply a function to partitions with rows of their neighbours; see `DataFrame.map_overlap`."""
    return _checked(frame).map_overlap(func, before, after, *args, **kwargs)  # type: ignore[attr-defined]


pivot_table = _function("pivot_table")
repartition = _function("repartition")
to_csv = _function("to_csv")
to_hdf = _function("to_hdf")
to_json = _function("to_json")
to_parquet = _function("to_parquet")
to_records = _function("to_records")
to_sql = _function("to_sql")
