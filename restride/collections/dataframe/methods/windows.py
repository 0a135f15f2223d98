"""What looks at rows before and after: running values, shifts, fills, rolling windows, spans of time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import pandas as pd

from restride.collections.dataframe.base import FrameBase
from restride.collections.dataframe.ewm import ExponentialWindows
from restride.collections.dataframe.expanding import ExpandingWindows
from restride.collections.dataframe.methods.partitions import make_meta, meta_from_data
from restride.collections.dataframe.operations.cumulative import cumulative
from restride.collections.dataframe.operations.interpolation import interpolate
from restride.collections.dataframe.operations.no_rows import OfNoRows
from restride.collections.dataframe.operations.overlap import map_overlap
from restride.collections.dataframe.operations.reductions import one_row
from restride.collections.dataframe.operations.rowwise import Method, labelled, rowwise
from restride.collections.dataframe.operations.time_overlap import map_time_overlap
from restride.collections.dataframe.resampler import Resampler, known_divisions
from restride.collections.dataframe.rolling import Rolling

_UNSET: Any = pd.api.extensions.no_default


class Windows(FrameBase):
    """What looks at rows before and after."""

    def cumsum(self, axis: Any = 0, skipna: bool = True, numeric_only: bool = False) -> Self:
        """Sum of all rows up to each; missing values are left out, or spoil all that follow.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> rd.from_pandas(pd.Series([1, 2, 3]), npartitions=2).cumsum().compute().tolist()
        [1, 3, 6]
        """
        return self._cumulative("cumsum", axis, skipna, numeric_only)

    def cumprod(self, axis: Any = 0, skipna: bool = True, numeric_only: bool = False) -> Self:
        """Product of all rows up to each; see `cumsum`."""
        return self._cumulative("cumprod", axis, skipna, numeric_only)

    def cummin(self, axis: Any = 0, skipna: bool = True, numeric_only: bool = False) -> Self:
        """Least of all rows up to each; see `cumsum`."""
        return self._cumulative("cummin", axis, skipna, numeric_only)

    def cummax(self, axis: Any = 0, skipna: bool = True, numeric_only: bool = False) -> Self:
        """Greatest of all rows up to each; see `cumsum`."""
        return self._cumulative("cummax", axis, skipna, numeric_only)

    def _cumulative(self, how: str, axis: Any, skipna: bool, numeric_only: bool) -> Self:
        if numeric_only and isinstance(self.expr.meta, pd.DataFrame):
            numbers: Any = self.select_dtypes(["number", "bool"])  # type: ignore[attr-defined]
            of_numbers: Self = numbers._cumulative(how, axis, skipna, False)
            return of_numbers
        if axis in (1, "columns"):
            new: Self = self._new(rowwise(Method(how), self.expr, axis=1, skipna=skipna))
            return new
        made: Self = self._new(cumulative(self.expr, how, skipna=skipna))
        return made

    def shift(self, periods: int = 1, freq: Any = None, axis: Any = 0, fill_value: Any = _UNSET) -> Self:
        """Rows moved down by some, their labels staying; or labels moved by a span of time.

        Parameters
        ----------
        periods : int
            By how many rows; up if negative.
        freq : str or offset, optional
            Move the labels by so many of it instead.
        fill_value : scalar, optional
            Where rows come from nowhere, instead of missing values.
        """
        new: Self
        filled = {} if fill_value is _UNSET else {"fill_value": fill_value}
        if axis in (1, "columns"):
            new = self._over_columns("shift", periods=periods, freq=freq, **filled)
        elif freq is not None:
            meta = self.expr.meta.shift(periods, freq=freq)
            new = self._new(
                self._new(labelled(self.expr)).map_partitions(Method("shift"), periods, freq=freq, meta=meta).expr
            )
        else:
            if not isinstance(periods, int):
                raise NotImplementedError("shift by several periods: one by one, and rename what comes of it")
            new = self._overlapped("shift", max(periods, 0), max(-periods, 0), periods=periods, **filled)
            if isinstance(self.expr.meta, pd.DataFrame):
                new = self._new(OfNoRows(new.expr, self.expr.meta.shift(periods, **filled)))
        return new

    def diff(self, periods: int = 1, axis: Any = 0) -> Self:
        """Each row less one before it, or after it if `periods` is negative."""
        if axis in (1, "columns"):
            return self._over_columns("diff", periods=periods)
        return self._overlapped("diff", max(periods, 0), max(-periods, 0), periods=periods)

    def _over_columns(self, name: str, **kwargs: Any) -> Self:
        """A method along each row, of which some columns may come from nowhere."""
        function = Method(name)
        made = function(one_row(self.expr.meta), axis=1, **kwargs).iloc[:0]
        new: Self = self._new(rowwise(function, self.expr, declared=made, axis=1, **kwargs))
        return new

    def pct_change(self, periods: int = 1, fill_method: None = None) -> Self:
        """By what fraction each row differs from one before it."""
        if fill_method is not None:
            raise ValueError(f"fill_method must be None; got {fill_method=}.")
        return self._overlapped("pct_change", max(periods, 0), max(-periods, 0), periods=periods)

    def ffill(self, axis: Any = 0, limit: int | None = None) -> Self:
        """Missing values as the last one before them that is there, over `limit` rows at most."""
        return self._filled("ffill", axis, limit)

    def bfill(self, axis: Any = 0, limit: int | None = None) -> Self:
        """Missing values as the first one after them that is there, over `limit` rows at most."""
        return self._filled("bfill", axis, limit)

    def interpolate(
        self,
        method: str = "linear",
        *,
        axis: Any = 0,
        limit: int | None = None,
        limit_direction: str | None = None,
        limit_area: str | None = None,
    ) -> Self:
        """Missing values on the lines between those before and after them.

        Parameters
        ----------
        method : {"linear", "index", "values", "time"}
            By the numbers of rows; or by labels, which must be in order.
        limit : int, optional
            How many to fill in a row.
        limit_direction : {"forward", "backward", "both"}, optional
            From which side.
        limit_area : {"inside", "outside"}, optional
            Only between values that are there, or only before the first and after the last.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> rd.from_pandas(pd.Series([1.0, None, 2.0]), npartitions=3).interpolate().compute().tolist()
        [1.0, 1.5, 2.0]
        """
        limits: dict[str, Any] = {"limit": limit, "limit_direction": limit_direction, "limit_area": limit_area}
        if axis in (1, "columns"):
            new: Self = self._new(rowwise(Method("interpolate"), self.expr, method=method, axis=1, **limits))
            return new
        if method not in ("linear", "index", "values", "time"):
            raise NotImplementedError(
                f"interpolate(method={method!r}): 'linear', 'index', 'values' and 'time' are there; map_overlap, with "
                "enough rows of the neighbours, does others"
            )
        made: Self = self._new(interpolate(self.expr, method, limit, limit_direction, limit_area))
        return made

    def _filled(self, name: str, axis: Any, limit: int | None) -> Self:
        if limit is not None and limit < 1:
            raise ValueError("Limit must be greater than 0")
        if axis in (1, "columns"):
            new: Self = self._new(rowwise(Method(name), self.expr, axis=1, limit=limit))
            return new
        before, after = (limit, 0) if name == "ffill" else (0, limit)
        return self._overlapped(name, before, after, limit=limit)

    def _overlapped(self, name: str, before: int | None, after: int | None, **kwargs: Any) -> Self:
        function = Method(name)
        frame = self.expr
        meta = function(one_row(frame.meta), **kwargs).iloc[:0].set_axis(frame.meta.index, axis=0)
        new: Self = self._new(
            map_overlap(frame, function, before, after, meta=meta, word=name, columnwise=True, **kwargs)
        )
        return new

    def map_overlap(
        self, func: Callable[..., Any], before: Any, after: Any, *args: Any, meta: Any = None, **kwargs: Any
    ) -> Any:
        """Apply a function to each partition together with rows of its neighbours, of which the result is trimmed.

        Parameters
        ----------
        func : callable
            Called ``func(rows, *args, **kwargs)``; gives a row for each row.
        before, after : int or timedelta
            How many rows of the neighbours it sees, or those within a span of time, for which divisions must be known.
        meta : pandas object, optional
            An empty one of the labels and dtypes of the result; without it the function is called once now, with the
            first partition that has rows.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> x = rd.from_pandas(pd.Series([1, 2, 4, 8]), npartitions=2)
        >>> x.map_overlap(lambda rows: rows.diff(), 1, 0).compute().tolist()
        [nan, 1.0, 2.0, 4.0]
        """
        frame = labelled(self.expr)
        function = WithArguments(func, args)
        meta = make_meta(meta_from_data(function, frame, [], kwargs) if meta is None else meta)
        word = getattr(func, "__name__", "map_overlap").strip("<>")
        if isinstance(before, int) and isinstance(after, int):
            if min(before, after) < 0:
                raise ValueError("before and after must be 0 or more")
            return self._new(map_overlap(frame, function, before, after, meta=meta, word=word, **kwargs))
        frame = known_divisions(frame)
        spans = [None if span in (0, None) else pd.Timedelta(span) for span in (before, after)]
        bound = WithArguments(func, args, tuple(kwargs.items()))
        return self._new(map_time_overlap(frame, bound, spans[0], spans[1], meta, word))

    def rolling(
        self,
        window: Any,
        min_periods: int | None = None,
        center: bool = False,
        win_type: str | None = None,
        closed: str | None = None,
    ) -> Rolling:
        """Windows of rows before each.

        Parameters
        ----------
        window : int, str or timedelta
            How many rows, the row itself counted; or the span of time before it, for which divisions must be known.
        min_periods : int, optional
            How many values a window must have for a result that is not missing.
        center : bool
            Whether the row is in the middle of its window.
        win_type : str, optional
            Weights, as in pandas.
        closed : {"right", "left", "both", "neither"}, optional
            Which ends of a window belong to it.

        Returns
        -------
        Rolling
        """
        return Rolling(self, window, min_periods=min_periods, center=center, win_type=win_type, closed=closed)

    def expanding(self, min_periods: int = 1) -> ExpandingWindows:
        """Windows of all rows up to each.

        Parameters
        ----------
        min_periods : int
            How many values there must be for a result that is not missing.

        Returns
        -------
        ExpandingWindows
        """
        return ExpandingWindows(self, min_periods)

    def ewm(
        self,
        com: float | None = None,
        span: float | None = None,
        halflife: Any = None,
        alpha: float | None = None,
        min_periods: int | None = 0,
        adjust: bool = True,
        ignore_na: bool = False,
        times: Any = None,
    ) -> ExponentialWindows:
        """All rows up to each, of which those before count for less and less.

        Parameters
        ----------
        com, span, halflife, alpha : float
            How fast, by one of these, as in pandas.
        min_periods : int
            How many values there must be for a result that is not missing.
        adjust : bool
            Whether weights are made to sum to 1 from the first value on.
        ignore_na : bool
            Whether rows whose values are missing are not counted.
        times : None
            Distances of rows; not supported.

        Returns
        -------
        ExponentialWindows
        """
        if times is not None:
            raise NotImplementedError("ewm(times=): weights by the distance of rows in time; resample them first")
        options = {"com": com, "span": span, "halflife": halflife, "alpha": alpha, "min_periods": min_periods,
                   "adjust": adjust, "ignore_na": ignore_na}  # fmt: skip
        return ExponentialWindows(self, options)

    def resample(
        self,
        rule: Any,
        closed: str | None = None,
        label: str | None = None,
        on: Any = None,
        level: Any = None,
        origin: Any = "start_day",
        offset: Any = None,
    ) -> Resampler:
        """Rows by spans of time, of their labels or of a column.

        Parameters
        ----------
        rule : str or offset
            The span, such as ``"D"`` or ``"15min"``.
        closed, label : {"left", "right"}, optional
            Which end of a span belongs to it; and which is its label.
        on : label, optional
            A column of times, by which rows are sorted first; the index unless given.
        level : int or str, optional
            The index, by its name or as 0.
        origin : {"start_day", "start", "epoch"} or Timestamp
            The time from which spans are counted.
        offset : timedelta, optional
            Added to the origin.

        Returns
        -------
        Resampler
        """
        if level is not None:
            self.expr.meta.index._validate_index_level(level)
        frame: Any = self if on is None else self.set_index(on)  # type: ignore[attr-defined]
        return Resampler(frame, rule, closed=closed, label=label, origin=origin, offset=offset)


class WithArguments:
    """A function with its further arguments."""

    def __init__(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: tuple[tuple[str, Any], ...] = ()
    ) -> None:
        self.__name__ = getattr(function, "__name__", "function")
        self.function, self.args, self.kwargs = function, args, dict(kwargs)

    def __call__(self, value: Any, **kwargs: Any) -> Any:
        return self.function(value, *self.args, **{**self.kwargs, **kwargs})
