"""`Rolling`: what ``df.rolling(window)`` gives: each row with those in a window before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from restride.collections.dataframe.base import FrameBase
from restride.collections.dataframe.operations.overlap import map_overlap
from restride.collections.dataframe.operations.rowwise import labelled
from restride.collections.dataframe.operations.time_overlap import map_time_overlap
from restride.collections.dataframe.resampler import known_divisions


@dataclass(frozen=True)
class OnWindows:
    """A method of pandas' rolling windows, as a function of what they roll over."""

    window: tuple[tuple[str, Any], ...]
    name: str
    args: tuple[Any, ...] = ()
    kwargs: tuple[tuple[str, Any], ...] = ()

    @property
    def __name__(self) -> str:
        return f"rolling_{self.name}"

    def __call__(self, value: Any) -> Any:
        return getattr(value.rolling(**dict(self.window)), self.name)(*self.args, **dict(self.kwargs))


class Rolling:
    """Each row with those in a window before it; its methods make a value of each window.

    Examples
    --------
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> x = rd.from_pandas(pd.Series([1.0, 2.0, 3.0, 4.0]), npartitions=3)
    >>> x.rolling(2).sum().compute().tolist()
    [nan, 3.0, 5.0, 7.0]
    """

    def __init__(
        self, frame: FrameBase, window: Any, *, min_periods: int | None, center: bool, win_type: str | None,
        closed: str | None,
    ) -> None:  # fmt: skip
        if isinstance(window, int):
            if window < 0:
                raise ValueError("window must be an integer 0 or greater")
        else:
            window = pd.Timedelta(pd.tseries.frequencies.to_offset(window))
            if not isinstance(frame.expr.meta.index, pd.DatetimeIndex):
                raise ValueError("a window of time needs an index of times")
        self._frame = frame
        arguments = {
            "window": window,
            "min_periods": min_periods,
            "center": center,
            "win_type": win_type,
            "closed": closed,
        }
        self._window = tuple((name, value) for name, value in arguments.items() if value is not None)
        # What pandas says against the arguments it says now.
        frame.expr.meta.rolling(**dict(self._window))

    def __getitem__(self, key: Any) -> Rolling:
        new = object.__new__(Rolling)
        new._frame, new._window = self._frame[key], self._window  # type: ignore[index]
        return new

    def __getattr__(self, name: str) -> Any:
        frame = self.__dict__.get("_frame")
        if frame is not None and isinstance(frame.expr.meta, pd.DataFrame) and name in frame.expr.meta.columns:
            return self[name]
        raise AttributeError(f"'Rolling' object has no attribute {name!r}")

    def _made(self, name: str, *args: Any, meta: Any = None, **kwargs: Any) -> Any:
        function = OnWindows(self._window, name, args, tuple(kwargs.items()))
        frame = labelled(self._frame.expr)
        if meta is None:
            meta = function(frame.meta)
        arguments = dict(self._window)
        window, center = arguments["window"], arguments["center"]
        word = function.__name__
        if isinstance(window, pd.Timedelta):
            frame = known_divisions(frame)
            before = window / 2 if center else window
            return self._frame._new(map_time_overlap(frame, function, before, before if center else None, meta, word))
        after = (window - 1) // 2 if center else 0
        before = max(window - 1 - after, 0) + (arguments.get("closed") in ("left", "both"))
        return self._frame._new(map_overlap(frame, function, before, after, meta=meta, word=word))

    def apply(self, func: Callable[..., Any], raw: bool = False, args: Any = None, kwargs: Any = None) -> Any:
        """A user's function of each window; it returns a number.

        Parameters
        ----------
        func : callable
            Gets the window as a series, or as a numpy array.
        raw : bool
            Whether as an array.
        """
        return self._made(
            "apply", func, meta=self._frame.expr.meta.astype(float), raw=raw, args=args or (), kwargs=kwargs or {}
        )

    def agg(self, func: Any, *args: Any, meta: Any = None, **kwargs: Any) -> Any:
        """Aggregations by name, of each window; a user's function needs `meta`."""
        return self._made("agg", func, *args, meta=meta, **kwargs)

    aggregate = agg

    def cov(self, *args: Any, **kwargs: Any) -> Any:
        """Covariance of a series with another, in each window."""
        raise NotImplementedError("rolling covariances; compute them with map_overlap and pandas' rolling().cov()")


def _method(name: str) -> Any:
    def method(self: Rolling, *args: Any, **kwargs: Any) -> Any:
        return self._made(name, *args, **kwargs)

    method.__name__ = name
    method.__doc__ = f"``{name}`` of each window, with pandas' arguments."
    return method


for _name in ("count", "kurt", "max", "mean", "median", "min", "quantile", "rank", "sem", "skew", "std", "sum", "var"):
    setattr(Rolling, _name, _method(_name))
