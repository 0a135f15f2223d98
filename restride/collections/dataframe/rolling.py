"""`Rolling`: what ``df.rolling(window)`` gives: each row with those in a window before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from restride.collections.dataframe.base import FrameBase, as_operand
from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.operations.alignment import aligned
from restride.collections.dataframe.operations.overlap import map_overlap
from restride.collections.dataframe.operations.rowwise import Assign, labelled
from restride.collections.dataframe.operations.selection import Project, column, without_index
from restride.collections.dataframe.operations.square_matrices import pairs_of, square_matrices
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


@dataclass(frozen=True)
class OnPairs:
    """What a method makes of the windows of each of some pairs of columns, a column each."""

    window: tuple[tuple[str, Any], ...]
    name: str
    ddof: int
    pairs: tuple[tuple[int, int], ...]

    @property
    def __name__(self) -> str:
        return f"rolling_{self.name}"

    def __call__(self, value: pd.DataFrame) -> pd.DataFrame:
        made = {}
        for number, (x, y) in enumerate(self.pairs):
            windows = value.iloc[:, x].rolling(**dict(self.window))
            made[number] = getattr(windows, self.name)(value.iloc[:, y], ddof=self.ddof)
        return pd.DataFrame(made, index=value.index)


@dataclass(frozen=True)
class OnTwo:
    """What a method makes of the windows of two objects, whose columns are beside each other."""

    window: tuple[tuple[str, Any], ...]
    name: str
    ddof: int
    one: Any
    two: Any
    """The metas."""

    @property
    def __name__(self) -> str:
        return f"rolling_{self.name}"

    def __call__(self, value: pd.DataFrame) -> Any:
        n = 1 if isinstance(self.one, pd.Series) else self.one.shape[1]
        one, two = _like(value.iloc[:, :n], self.one), _like(value.iloc[:, n:], self.two)
        return getattr(one.rolling(**dict(self.window)), self.name)(two, pairwise=False, ddof=self.ddof)


def _like(value: pd.DataFrame, meta: Any) -> Any:
    """Columns as the series or frame that they are of."""
    if isinstance(meta, pd.Series):
        return value.iloc[:, 0].rename(meta.name)
    return value.set_axis(meta.columns, axis=1)


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

    def __repr__(self) -> str:
        return f"<Rolling: {', '.join(f'{name}={value}' for name, value in self._window)}, of {self._frame!r}>"

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
        return self._frame._new(self._over(labelled(self._frame.expr), function, meta))

    def _over(self, frame: FrameExpr, function: Any, meta: Any = None) -> FrameExpr:
        """What a function of windows makes of a frame, whose index is stored."""
        if meta is None:
            meta = function(frame.meta)
        arguments = dict(self._window)
        window, center = arguments["window"], arguments["center"]
        word = function.__name__
        if isinstance(window, pd.Timedelta):
            frame = known_divisions(frame)
            before = window / 2 if center else window
            return map_time_overlap(frame, function, before, before if center else None, meta, word)
        after = (window - 1) // 2 if center else 0
        before = max(window - 1 - after, 0) + (arguments.get("closed") in ("left", "both"))
        return map_overlap(frame, function, before, after, meta=meta, word=word)

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

    def pipe(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """``func(self, *args, **kwargs)``."""
        return func(self, *args, **kwargs)

    def cov(self, other: Any = None, pairwise: bool | None = None, ddof: int = 1) -> Any:
        """Covariance with another series or frame in each window; of a frame alone, that of each pair of its columns.

        Parameters
        ----------
        other : Series or DataFrame, optional
            Its rows are aligned by their labels.
        pairwise : bool, optional
            Of a frame alone: False for the variance of each column.
        ddof : int
            The divisor is the number of values less this.

        Returns
        -------
        Series or DataFrame
            Of pairs a matrix for each row, whose labels are one more level of the index.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"x": [1.0, 2.0, 4.0], "y": [1.0, 3.0, 2.0]}), npartitions=2)
        >>> df.x.rolling(2).cov(df.y).compute().tolist()
        [nan, 1.0, -1.0]
        """
        return self._of_two("cov", other, pairwise, ddof)

    def corr(self, other: Any = None, pairwise: bool | None = None, ddof: int = 1) -> Any:
        """Correlation with another series or frame in each window; see `cov`."""
        return self._of_two("corr", other, pairwise, ddof)

    def _of_two(self, name: str, other: Any, pairwise: bool | None, ddof: int) -> Any:
        frame = labelled(self._frame.expr)
        of_frame = isinstance(frame.meta, pd.DataFrame)
        if other is None and of_frame and pairwise is not False:
            places = list(range(frame.layout.n_columns))
            function = OnPairs(self._window, name, ddof, tuple(pairs_of(places)))
            meta = getattr(frame.meta.rolling(**dict(self._window)), name)(ddof=ddof)
            return self._frame._new(square_matrices(self._over(frame, function), meta, function.__name__))
        second = frame if other is None else as_operand(other, frame)
        if not isinstance(second, FrameExpr) or isinstance(second.meta, pd.Index):
            raise ValueError("other must be a DataFrame or Series")
        if pairwise and of_frame and isinstance(second.meta, pd.DataFrame):
            raise NotImplementedError(f"{name} of all pairs of columns of two frames: put the columns into one frame")
        one, two = aligned([frame, labelled(second)])
        wide = Project(one, one.everything, "frame")
        n, m = one.layout.n_columns, two.layout.n_columns
        columns = tuple(without_index(column(two, place)) for place in range(m))
        both = Assign(wide, tuple(range(n, n + m)), tuple(range(m)), columns)
        return self._frame._new(self._over(both, OnTwo(self._window, name, ddof, one.meta, two.meta)))


def _method(name: str) -> Any:
    def method(self: Rolling, *args: Any, **kwargs: Any) -> Any:
        return self._made(name, *args, **kwargs)

    method.__name__ = name
    method.__doc__ = f"``{name}`` of each window, with pandas' arguments."
    return method


for _name in (
    "count", "first", "kurt", "last", "max", "mean", "median", "min", "nunique", "quantile", "rank", "sem", "skew",
    "std", "sum", "var",
):  # fmt: skip
    setattr(Rolling, _name, _method(_name))
