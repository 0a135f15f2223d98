"""`Resampler`: what ``df.resample(rule)`` gives: rows by spans of time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from restride.collections.collection import ask
from restride.collections.dataframe.base import FrameBase
from restride.collections.dataframe.creation import from_pandas
from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.operations.alignment import aligned
from restride.collections.dataframe.operations.divisions import ends, with_divisions
from restride.collections.dataframe.operations.reductions import one_row
from restride.collections.dataframe.operations.resample import Bins, Resample, bins_of
from restride.collections.dataframe.operations.rowwise import Method, filtered, rowwise
from restride.collections.dataframe.operations.selection import by_label


@dataclass(frozen=True)
class OnResampler:
    """A method of pandas' resampler, as a function of it."""

    name: str
    args: tuple[Any, ...] = ()
    kwargs: tuple[tuple[str, Any], ...] = ()

    @property
    def __name__(self) -> str:
        return self.name

    def __call__(self, resampler: Any) -> Any:
        return getattr(resampler, self.name)(*self.args, **dict(self.kwargs))


def known_divisions(frame: FrameExpr) -> FrameExpr:
    """A frame with known divisions; where they are not, its index is computed for them now."""
    return frame if frame.known_divisions else with_divisions(frame, ask([ends(frame)])[0])


class Resampler:
    """Rows by spans of time; its methods make a row of each.

    Examples
    --------
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> times = pd.date_range("2000", periods=6, freq="8h")
    >>> x = rd.from_pandas(pd.Series(range(6), index=times), npartitions=2)
    >>> x.resample("D").sum().compute().tolist()
    [3, 12]
    """

    def __init__(
        self, frame: FrameBase, rule: Any, *, closed: str | None, label: str | None, origin: Any, offset: Any
    ) -> None:
        expr = frame.expr
        if not isinstance(expr.meta.index, pd.DatetimeIndex):
            raise TypeError(f"Only valid with DatetimeIndex, but got an instance of {type(expr.meta.index).__name__!r}")
        expr = known_divisions(expr)
        self._frame: FrameBase = frame._new(expr)
        if expr.known_divisions:
            self._bins = bins_of(rule, closed, label, origin, offset, expr.divisions[0])
        else:  # there are no rows, and so no spans
            self._bins = Bins(rule, closed, label, origin, offset)

    def __repr__(self) -> str:
        return f"<Resampler of {self._frame!r}>"

    def __getitem__(self, key: Any) -> Resampler:
        new = object.__new__(Resampler)
        new._frame = self._frame[key]  # type: ignore[index]
        new._bins = self._bins
        return new

    def __getattr__(self, name: str) -> Any:
        frame = self.__dict__.get("_frame")
        if frame is not None and isinstance(frame.expr.meta, pd.DataFrame) and name in frame.expr.meta.columns:
            by_label(frame.expr, name)
            return self[name]
        raise AttributeError(f"'Resampler' object has no attribute {name!r}")

    def _made(self, function: Callable[[Any], Any], meta: Any = None) -> Any:
        expr = self._frame.expr
        if not expr.known_divisions:
            return from_pandas(function(self._bins.of(expr.meta)) if meta is None else meta)
        if meta is None:
            row = one_row(expr.meta).set_axis(pd.DatetimeIndex([expr.divisions[0]], name=expr.meta.index.name), axis=0)
            meta = function(self._bins.of(row)).iloc[:0]
        meta.index = expr.meta.index
        return self._frame._new(Resample(expr, self._bins, function, meta))

    def agg(self, func: Any = None, *args: Any, meta: Any = None, **kwargs: Any) -> Any:
        """Aggregate each span.

        Parameters
        ----------
        func : str, list or dict
            Names of aggregations; a user's function needs `meta`.
        meta : pandas object, optional
            An empty one like the result.
        **kwargs
            Named aggregates, ``label=("column", "mean")``; otherwise for the functions.
        """
        names: Any = [func]
        if func is None:
            names = [aggregate[1] if isinstance(aggregate, tuple) else aggregate for aggregate in kwargs.values()]
        elif isinstance(func, (dict, list)):
            names = func.values() if isinstance(func, dict) else func
        named = all(isinstance(name, str) or (isinstance(name, list) and all(map(_is_name, name))) for name in names)
        if not named and meta is None:
            raise ValueError("say by meta= what the function returns, as a pandas object without rows")
        return self._made(OnResampler("agg", (func, *args), tuple(kwargs.items())), meta)

    aggregate = agg
    apply = agg

    def pipe(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """``func(self, *args, **kwargs)``."""
        return func(self, *args, **kwargs)

    def _labels(self) -> pd.DatetimeIndex:
        """The labels of spans of times between the first and the last."""
        divisions = self._frame.expr.divisions
        ends = pd.Series([1, 1], index=pd.DatetimeIndex([divisions[0], divisions[-1]]))
        labels: Any = self._bins.of(ends.groupby(level=0).first()).asfreq().index
        named: pd.DatetimeIndex = labels.rename(self._frame.expr.meta.index.name)
        return named

    def _at_labels(self, **options: Any) -> Any:
        """The rows at the labels of spans."""
        if not self._frame.expr.known_divisions:
            return self._frame
        return self._frame.reindex(self._labels(), **options)  # type: ignore[attr-defined]

    def asfreq(self, fill_value: Any = None) -> Any:
        """The rows at the labels of spans; missing values where there is none."""
        return self._at_labels(fill_value=fill_value)

    def ffill(self, limit: int | None = None) -> Any:
        """The last row up to the label of each span, for `limit` spans in a row at most."""
        return self._at_labels(method="ffill", limit=limit)

    def bfill(self, limit: int | None = None) -> Any:
        """The first row from the label of each span on, for `limit` spans in a row at most."""
        return self._at_labels(method="bfill", limit=limit)

    def nearest(self, limit: int | None = None) -> Any:
        """The row nearest to the label of each span, the later of two that are as near.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> x = rd.from_pandas(pd.Series([1, 2], index=pd.to_datetime(["2000-01-01", "2000-01-04"])), npartitions=2)
        >>> x.resample("D").nearest().compute().tolist()
        [1, 1, 2, 2]
        """
        return self._at_labels(method="nearest", limit=limit)

    def interpolate(self, method: str = "linear", **options: Any) -> Any:
        """Values at the labels of spans, on the lines between rows; see `DataFrame.interpolate`.

        Rows at other times count, too, and with ``method="linear"`` as if all were equally far from each other.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> x = rd.from_pandas(pd.Series([1.0, 2.0], index=pd.to_datetime(["2000-01-01", "2000-01-03"])), npartitions=2)
        >>> x.resample("D").interpolate().compute().tolist()
        [1.0, 1.5, 2.0]
        """
        frame = self._frame
        if not frame.expr.known_divisions:
            return frame
        wanted = from_pandas(pd.Series(True, self._labels())).expr
        rows, there = aligned([frame.expr, wanted], "outer")
        made = frame._new(rows).interpolate(method, **options)
        return frame._new(filtered(made.expr, rowwise(Method("notna"), there)))

    def quantile(self, q: float = 0.5) -> Any:
        """A quantile of each span."""
        return self._made(OnResampler("quantile", (q,)))


def _is_name(value: Any) -> bool:
    return isinstance(value, str)


def _method(name: str) -> Any:
    def method(self: Resampler, *args: Any, **kwargs: Any) -> Any:
        return self._made(OnResampler(name, args, tuple(kwargs.items())))

    method.__name__ = name
    method.__doc__ = f"``{name}`` of each span, with pandas' arguments."
    return method


for _name in (
    "count", "first", "last", "max", "mean", "median", "min", "nunique", "ohlc", "prod", "sem", "size", "std", "sum",
    "var",
):  # fmt: skip
    setattr(Resampler, _name, _method(_name))
