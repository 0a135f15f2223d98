"""Rows by given labels, or by even distances in time: `reindex` and `asfreq`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from restride.collections.dataframe.base import FrameBase, new_collection
from restride.collections.dataframe.creation import from_pandas
from restride.collections.dataframe.operations.reindexing import NEAREST, AtMost, reindexed, reindexed_nearest
from restride.collections.dataframe.resampler import known_divisions


class Reindexing(FrameBase):
    """What gives rows other labels than those that there are."""

    def reindex(
        self,
        labels: Any = None,
        *,
        index: Any = None,
        columns: Any = None,
        axis: Any = None,
        method: str | None = None,
        fill_value: Any = np.nan,
        limit: int | None = None,
        tolerance: Any = None,
    ) -> Any:
        """The rows of some labels, in their order; rows of missing values where there is none.

        Parameters
        ----------
        labels, index : list or Index, optional
            Labels of rows; no label may be there twice among those that there are.
        columns : list or Index, optional
            Labels of columns; also `labels` with ``axis=1``.
        method : {"ffill", "bfill", "nearest"}, optional
            Take the row of the label before, or after, or of the nearest, where one is not there; all labels must be in
            order.
        fill_value : scalar, optional
            Instead of missing values.
        limit : int, optional
            With "ffill" and "bfill": for how many labels in a row that are not there.
        tolerance : number or timedelta, optional
            With a method: how far away its label may be.

        Raises
        ------
        pandas.errors.MergeError
            A label is there twice; on compute.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> x = rd.from_pandas(pd.Series([1, 2, 3], index=list("abc")), npartitions=2)
        >>> x.reindex(["c", "x", "a"], fill_value=0).compute().tolist()
        [3, 0, 1]
        """
        if labels is not None:
            if axis in (1, "columns"):
                columns = labels
            else:
                index = labels
        made: Any = self if index is None else self._by_labels(index, method, fill_value, limit, tolerance)
        return made if columns is None else made._with_labels_of_columns(columns, fill_value)

    def _by_labels(self, labels: Any, method: str | None, fill_value: Any, limit: int | None, tolerance: Any) -> Any:
        if isinstance(labels, FrameBase):
            raise NotImplementedError("reindex by labels that are not computed: a merge with them, how='left'")
        own = self.expr.meta.index
        if own.nlevels > 1:
            raise NotImplementedError("reindex by several levels: make columns of them by reset_index, and merge")
        if method is not None and method not in NEAREST:
            raise ValueError(f"Invalid fill method. Expecting pad (ffill), backfill (bfill) or nearest. Got {method}")
        if method is None and (limit is not None or tolerance is not None):
            raise ValueError("limit and tolerance are those of a method; give one of 'ffill', 'bfill', 'nearest'")
        wanted = labels if isinstance(labels, pd.Index) else pd.Index(labels, name=own.name)
        if not len(wanted):
            wanted = wanted.astype(own.dtype)
        rows = from_pandas(pd.Series(np.arange(len(wanted)), wanted)).expr
        if method is None:
            return self._new(reindexed(self.expr, rows, fill_value))
        if not wanted.is_monotonic_increasing:
            raise ValueError("index must be monotonic increasing for reindex(method=): sort the labels")
        if not pd.isna(fill_value):
            raise NotImplementedError("reindex(method=, fill_value=): fillna afterwards")
        if isinstance(own, pd.DatetimeIndex) and tolerance is not None:
            tolerance = pd.Timedelta(tolerance)
        return self._new(
            reindexed_nearest(self.expr, rows, method, tolerance=tolerance, limit=_limit(wanted, limit, method))
        )

    def _with_labels_of_columns(self, labels: Any, fill_value: Any) -> Any:
        meta = self.expr.meta
        if not meta.columns.is_unique:
            raise ValueError("cannot reindex on an axis with duplicate labels")
        made: Any = self
        for label in labels:
            if label not in made.expr.meta.columns:
                made = made._with_columns({label: fill_value})
        return made[list(labels)]

    def asfreq(self, freq: Any, method: str | None = None, fill_value: Any = np.nan) -> Any:
        """Rows at even distances of time, from the first to the last; missing values where there is none.

        Parameters
        ----------
        freq : str or offset
        method : {"ffill", "bfill"}, optional
            As for `reindex`.
        fill_value : scalar, optional

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> times = pd.to_datetime(["2000-01-01", "2000-01-03"])
        >>> rd.from_pandas(pd.Series([1, 2], index=times)).asfreq("D").compute().tolist()
        [1.0, nan, 2.0]
        """
        index = self.expr.meta.index
        if not isinstance(index, pd.DatetimeIndex):
            raise TypeError(f"asfreq needs an index of times, not of {index.dtype}")
        frame = known_divisions(self.expr)
        if not frame.known_divisions:
            return self
        times = pd.date_range(frame.divisions[0], frame.divisions[-1], freq=freq, unit=index.unit, name=index.name)
        made: Any = new_collection(frame)
        return made.reindex(times, method=method, fill_value=fill_value)


def _limit(labels: pd.Index, limit: int | None, method: str) -> AtMost | None:
    if limit is None:
        return None
    if method == "nearest":
        raise NotImplementedError("reindex(method='nearest', limit=): tolerance= says how far away the nearest may be")
    return AtMost(labels, limit, method)
