"""`ExpandingWindows`: what ``df.expanding()`` gives: each row with all rows before it."""

from __future__ import annotations

from typing import Any

import pandas as pd

from restride.collections.dataframe.base import FrameBase
from restride.collections.dataframe.operations.expanding import expanding


class WindowsBefore:
    """Each row with all rows before it: what is the same whatever is made of them."""

    _frame: FrameBase

    def _of(self, frame: FrameBase) -> Any:
        """The same of another frame."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._frame!r}>"

    def __getitem__(self, key: Any) -> Any:
        return self._of(self._frame[key])  # type: ignore[index]

    def __getattr__(self, name: str) -> Any:
        frame = self.__dict__.get("_frame")
        if frame is not None and isinstance(frame.expr.meta, pd.DataFrame) and name in frame.expr.meta.columns:
            return self[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute {name!r}")

    def _numbers(self, *, numeric_only: bool) -> FrameBase:
        frame = self._frame
        if numeric_only and isinstance(frame.expr.meta, pd.DataFrame):
            frame = frame.select_dtypes(["number", "bool"])  # type: ignore[attr-defined]
        return frame

    def agg(self, func: Any) -> Any:
        """One of these by its name, or several by a list: a column for each."""
        names = func if isinstance(func, list) else [func]
        unknown = [name for name in names if not isinstance(name, str) or name.startswith("_") or name == "agg"
                   or not hasattr(type(self), name)]  # fmt: skip
        if unknown:
            raise AttributeError(f"{unknown[0]!r} is not a valid function for '{type(self).__name__}' object")
        if not isinstance(func, list):
            return getattr(self, func)()
        if isinstance(self._frame.expr.meta, pd.DataFrame):
            raise NotImplementedError("several statistics of the windows of a frame: take them by column")
        first, *others = names
        made = getattr(self, first)().to_frame(first)
        return made.assign(**{name: getattr(self, name)() for name in others})

    aggregate = agg


class ExpandingWindows(WindowsBefore):
    """Each row with all rows before it; its methods make a value of each.

    Examples
    --------
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> x = rd.from_pandas(pd.Series([1.0, 3.0, 2.0]), npartitions=2)
    >>> x.expanding().mean().compute().tolist()
    [1.0, 2.0, 2.0]
    """

    def __init__(self, frame: FrameBase, min_periods: int) -> None:
        frame.expr.meta.expanding(min_periods)  # what pandas says against the argument it says now
        self._frame = frame
        self._min_periods = min_periods

    def _of(self, frame: FrameBase) -> ExpandingWindows:
        return ExpandingWindows(frame, self._min_periods)

    def _made(self, how: str, ddof: int = 1, *, numeric_only: bool = False) -> Any:
        frame = self._numbers(numeric_only=numeric_only)
        return frame._new(expanding(frame.expr, how, self._min_periods, ddof))

    def count(self, numeric_only: bool = False) -> Any:
        """How many values there are."""
        return self._made("count", numeric_only=numeric_only)

    def sum(self, numeric_only: bool = False) -> Any:
        """Their sum."""
        return self._made("sum", numeric_only=numeric_only)

    def mean(self, numeric_only: bool = False) -> Any:
        """Their mean."""
        return self._made("mean", numeric_only=numeric_only)

    def min(self, numeric_only: bool = False) -> Any:
        """The least."""
        return self._made("min", numeric_only=numeric_only)

    def max(self, numeric_only: bool = False) -> Any:
        """The greatest."""
        return self._made("max", numeric_only=numeric_only)

    def var(self, ddof: int = 1, numeric_only: bool = False) -> Any:
        """Their variance, with ``n - ddof`` for the divisor."""
        return self._made("var", ddof, numeric_only=numeric_only)

    def std(self, ddof: int = 1, numeric_only: bool = False) -> Any:
        """Their standard deviation, with ``n - ddof`` for the divisor."""
        return self._made("std", ddof, numeric_only=numeric_only)

    def sem(self, ddof: int = 1, numeric_only: bool = False) -> Any:
        """The standard error of their mean."""
        return self._made("sem", ddof, numeric_only=numeric_only)
