"""Accessors that users register: attributes of all frames, series or indexes with methods of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from restride.collections.dataframe.accessors.registering import register
from restride.collections.dataframe.frame import DataFrame
from restride.collections.dataframe.index import Index
from restride.collections.dataframe.series import Series

__all__ = ["register_dataframe_accessor", "register_index_accessor", "register_series_accessor"]


def register_dataframe_accessor(name: str) -> Callable[[Any], Any]:
    """Register an accessor of frames; a decorator.

    Parameters
    ----------
    name : str
        Of the attribute. A warning tells if there is one already.

    Examples
    --------
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> @rd.extensions.register_dataframe_accessor("box")
    ... class Box:
    ...     def __init__(self, frame):
    ...         self.frame = frame
    ...
    ...     def area(self):
    ...         return self.frame.width * self.frame.height
    >>> df = rd.from_pandas(pd.DataFrame({"width": [1, 2], "height": [3, 4]}), npartitions=2)
    >>> df.box.area().compute().tolist()
    [3, 8]
    """
    return register(DataFrame, name)


def register_series_accessor(name: str) -> Callable[[Any], Any]:
    """Register an accessor of series; see `register_dataframe_accessor`."""
    return register(Series, name)


def register_index_accessor(name: str) -> Callable[[Any], Any]:
    """Register an accessor of indexes; see `register_dataframe_accessor`."""
    return register(Index, name)
