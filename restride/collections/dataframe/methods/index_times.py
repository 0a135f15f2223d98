"""Rows by the times that label them, and labels in other time zones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.dataframe.base import FrameBase
from restride.collections.dataframe.operations import selection
from restride.collections.dataframe.operations.places import index_as_series
from restride.collections.dataframe.operations.rowwise import Method, Rowwise, filtered, labelled, rowwise


class IndexTimes(FrameBase):
    """Of frames and series with an index of times."""

    def tz_localize(self, tz: Any, axis: Any = 0, *, ambiguous: Any = "raise", nonexistent: Any = "raise") -> Any:
        """The labels, which have no time zone, as times of one; None for times without.

        Parameters
        ----------
        tz : str or tzinfo, optional
        ambiguous, nonexistent
            What becomes of times that a change of clocks makes twice, or leaves out; as in pandas.
        """
        self._check_times(axis)
        options = {"ambiguous": ambiguous, "nonexistent": nonexistent}
        return self._relabelled(  # type: ignore[attr-defined]
            lambda labels: rowwise(Method("dt.tz_localize"), labels, tz, **options)
        )

    def tz_convert(self, tz: Any, axis: Any = 0) -> Any:
        """The labels as times of another time zone."""
        self._check_times(axis)
        self.expr.meta.index.tz_convert(tz)  # raises as pandas does
        return self._relabelled(lambda labels: rowwise(Method("dt.tz_convert"), labels, tz))  # type: ignore[attr-defined]

    def to_period(self, freq: Any = None, axis: Any = 0) -> Any:
        """The labels as periods of a length, such as ``"M"``."""
        self._check_times(axis)
        if freq is None:
            raise ValueError("You must pass a freq argument as current index has none.")
        return self._relabelled(lambda labels: rowwise(Method("dt.to_period"), labels, freq))  # type: ignore[attr-defined]

    def between_time(self, start_time: Any, end_time: Any, inclusive: str = "both", axis: Any = 0) -> Any:
        """The rows at some time of day, of whatever day.

        Parameters
        ----------
        start_time, end_time : datetime.time or str
            A day is gone round, if the end is before the start.
        inclusive : {"both", "neither", "left", "right"}
            Which of them belong to it.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> x = rd.from_pandas(pd.Series(range(6), index=pd.date_range("2000", periods=6, freq="8h")), npartitions=2)
        >>> x.between_time("7:00", "9:00").compute().tolist()
        [1, 4]
        """
        ends = {"both": (True, True), "neither": (False, False), "left": (True, False), "right": (False, True)}
        if inclusive not in ends:
            raise ValueError("Inclusive has to be either 'both', 'neither', 'left' or 'right'")
        return self._at_times("indexer_between_time", (start_time, end_time, *ends[inclusive]), axis)

    def at_time(self, time: Any, asof: bool = False, axis: Any = 0) -> Any:
        """The rows at a time of day, of whatever day."""
        return self._at_times("indexer_at_time", (time, asof), axis)

    def _at_times(self, name: str, args: tuple[Any, ...], axis: Any) -> Any:
        self._check_times(axis)
        frame = labelled(self.expr)
        getattr(frame.meta.index, name)(*args)  # raises as pandas does
        labels = index_as_series(selection.index(frame))
        mask = Rowwise(IndexerMask(name, args), (labels,), declared=pd.Series([], dtype=bool))
        return self._new(filtered(frame, mask))

    def truncate(self, before: Any = None, after: Any = None, axis: Any = 0, copy: Any = None) -> Any:
        """The rows with labels from one to another; of an index that is not sorted, too.

        Parameters
        ----------
        before, after : label, optional
            Those before the first and after the second are left out.
        """
        if axis in (1, "columns"):
            columns = self.expr.meta.truncate(before, after, axis=1).columns
            return self.loc[:, list(columns)]  # type: ignore[attr-defined]
        if before is not None and after is not None and before > after:
            raise ValueError(f"Truncate: {after} must be after {before}")
        if isinstance(self.expr.meta.index, (pd.DatetimeIndex, pd.PeriodIndex)):
            before, after = (None if bound is None else pd.Timestamp(bound) for bound in (before, after))
        return self.loc[before:after]  # type: ignore[attr-defined]

    def _check_times(self, axis: Any) -> None:
        if axis not in (0, "index"):
            raise NotImplementedError("labels of columns as times: rename them")
        if not isinstance(self.expr.meta.index, pd.DatetimeIndex):
            raise TypeError("Index must be DatetimeIndex")


@dataclass(frozen=True)
class IndexerMask:
    """Kernel: whether labels are among those whose positions a method of pandas' index gives."""

    name: str
    args: tuple[Any, ...]
    __name__ = "at_time"

    def __call__(self, labels: pd.Series) -> pd.Series:
        found = np.zeros(len(labels), bool)
        found[getattr(pd.DatetimeIndex(labels), self.name)(*self.args)] = True
        return pd.Series(found)
