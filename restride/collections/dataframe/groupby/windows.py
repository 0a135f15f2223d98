"""`WindowsOfGroups`: windows of rows, and spans of time, in each group."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from restride.collections.dataframe.operations.groupby.pandas_groups import Call, Windowed


class WindowsOfGroups:
    """What ``groupby(...).rolling(...)`` returns, and its like: its methods aggregate each window."""

    def __init__(self, grouped: Any, window: Call) -> None:
        self._grouped = grouped
        self._window = window

    def __getitem__(self, key: Any) -> Self:
        """The same of one column, or of a list of columns."""
        return type(self)(self._grouped[key], self._window)

    def __getattr__(self, name: str) -> Any:
        grouped = self.__dict__.get("_grouped")
        if grouped is not None and not name.startswith("_") and name in grouped.grouping.frame.meta.columns:
            return self[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute {name!r}")

    def _windowed(self, method: str, *args: Any, **kwargs: Any) -> Any:
        function = Windowed(self._window, Call(method, args, tuple(kwargs.items())))
        return self._grouped._by_group(function, labels=True)

    def agg(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        """Aggregates of each window."""
        return self._windowed("agg", func, *args, **kwargs)

    aggregate = agg


class SpansOfGroups(WindowsOfGroups):
    """What ``groupby(...).resample(...)`` returns: its methods make a row of each span of time of each group."""

    def _windowed(self, method: str, *args: Any, **kwargs: Any) -> Any:
        if args and not isinstance(args[0], (int, float, str)):
            raise NotImplementedError("several aggregates, or functions, of spans by group: one by one, by name")
        function = Windowed(self._window, Call(method, args, tuple(kwargs.items())))
        return self._grouped._by_group(function, labels=True, may_lack=method in MAY_LACK)


MAY_LACK = ("min", "max", "first", "last", "median", "ohlc")
"""What spans without rows have no value of."""


def _window_method(name: str, what: str) -> Callable[..., Any]:
    def method(self: WindowsOfGroups, *args: Any, **kwargs: Any) -> Any:
        return self._windowed(name, *args, **kwargs)

    method.__name__ = name
    method.__doc__ = f"As pandas' ``{name}`` of each {what}, in each group."
    return method


for _name in ("sum", "mean", "min", "max", "std", "var", "median", "count", "skew", "kurt", "quantile", "apply",
              "sem", "rank", "first", "last"):  # fmt: skip
    setattr(WindowsOfGroups, _name, _window_method(_name, "window"))
for _name in ("nunique", "ohlc", "prod", "size"):
    setattr(SpansOfGroups, _name, _window_method(_name, "span"))
