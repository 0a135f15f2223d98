"""Reductions of frames and series."""

from __future__ import annotations

from typing import Any

import pandas as pd

from restride.collections.dataframe.base import FrameBase
from restride.collections.dataframe.operations.reductions import Statistic, reduction
from restride.collections.dataframe.operations.rowwise import Method, rowwise


class Reductions(FrameBase):
    """Sums, means and the like: a `Scalar` of a series, a `Series` by column of a frame."""

    def _reduced(self, statistic: Statistic, axis: Any, numeric_only: bool, **kwargs: Any) -> Any:
        if axis in (1, "columns"):
            arguments = {"axis": 1, "skipna": statistic.skipna, "numeric_only": numeric_only, **kwargs}
            return self._new(rowwise(Method(statistic.name), self.expr, **arguments))
        if axis not in (0, "index", None):
            raise ValueError(f"No axis named {axis} for object type {type(self).__name__}")
        reduced = self._new(reduction(self.expr, statistic, numeric_only=numeric_only))
        return self._of_all(reduced, statistic.name, numeric_only) if self._is_of_all(axis) else reduced

    def _is_of_all(self, axis: Any) -> bool:
        return axis is None and isinstance(self.expr.meta, pd.DataFrame)

    def _of_all(self, by_column: Any, name: str, numeric_only: bool = False) -> Any:
        """One value of all columns, from those of each."""
        if name in ("all", "any", "max", "min", "prod", "sum"):
            return getattr(by_column, name)()
        if name == "mean":
            return self.sum(numeric_only=numeric_only).sum() / self.count(numeric_only=numeric_only).sum()
        raise NotImplementedError(f"{name} of all columns together, axis=None; stack() them, or take it by column")

    def sum(self, axis: Any = 0, skipna: bool = True, numeric_only: bool = False, min_count: int = 0) -> Any:
        """Sum of the values.

        Parameters
        ----------
        axis : {0, 1, "index", "columns", None}
            1 for the sum of each row; None for that of all columns of a frame together.
        skipna : bool
            Leave missing values out; otherwise they make the result missing.
        numeric_only : bool
            Leave out columns that are not of numbers.
        min_count : int
            How many values must be there for a result that is not missing.

        Returns
        -------
        Scalar or Series

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"x": [1, 2, 3]}), npartitions=2)
        >>> print(df.x.sum().compute())
        6
        """
        return self._reduced(
            Statistic("sum", skipna, min_count=min_count),
            axis,
            numeric_only,
            **({"min_count": min_count} if axis in (1, "columns") else {}),
        )

    def prod(self, axis: Any = 0, skipna: bool = True, numeric_only: bool = False, min_count: int = 0) -> Any:
        """Product of the values; see `sum`."""
        extra = {"min_count": min_count} if axis in (1, "columns") else {}
        return self._reduced(Statistic("prod", skipna, min_count=min_count), axis, numeric_only, **extra)

    product = prod

    def min(self, axis: Any = 0, skipna: bool = True, numeric_only: bool = False) -> Any:
        """Least value; see `sum`."""
        return self._reduced(Statistic("min", skipna), axis, numeric_only)

    def max(self, axis: Any = 0, skipna: bool = True, numeric_only: bool = False) -> Any:
        """Greatest value; see `sum`."""
        return self._reduced(Statistic("max", skipna), axis, numeric_only)

    def mean(self, axis: Any = 0, skipna: bool = True, numeric_only: bool = False) -> Any:
        """Mean of the values; see `sum`."""
        return self._reduced(Statistic("mean", skipna), axis, numeric_only)

    def var(self, axis: Any = 0, skipna: bool = True, ddof: int = 1, numeric_only: bool = False) -> Any:
        """Variance of the values, with ``n - ddof`` for the divisor; see `sum`."""
        return self._spread("var", axis, skipna, ddof, numeric_only)

    def std(self, axis: Any = 0, skipna: bool = True, ddof: int = 1, numeric_only: bool = False) -> Any:
        """Standard deviation, with ``n - ddof`` for the divisor; see `sum`."""
        return self._spread("std", axis, skipna, ddof, numeric_only)

    def sem(self, axis: Any = 0, skipna: bool = True, ddof: int = 1, numeric_only: bool = False) -> Any:
        """Standard error of the mean; see `sum`."""
        return self._spread("sem", axis, skipna, ddof, numeric_only)

    def _spread(self, name: str, axis: Any, skipna: bool, ddof: int, numeric_only: bool) -> Any:
        extra = {"ddof": ddof} if axis in (1, "columns") else {}
        return self._reduced(Statistic(name, skipna, ddof=ddof), axis, numeric_only, **extra)

    def skew(self, axis: Any = 0, skipna: bool = True, numeric_only: bool = False) -> Any:
        """Skewness without bias; see `sum`."""
        return self._reduced(Statistic("skew", skipna), axis, numeric_only)

    def kurt(self, axis: Any = 0, skipna: bool = True, numeric_only: bool = False) -> Any:
        """Excess kurtosis without bias; see `sum`."""
        return self._reduced(Statistic("kurt", skipna), axis, numeric_only)

    kurtosis = kurt

    def all(self, axis: Any = 0, bool_only: bool = False, skipna: bool = True) -> Any:
        """Whether all values are true; see `sum`."""
        return self._reduced_truth("all", axis, bool_only, skipna)

    def any(self, axis: Any = 0, bool_only: bool = False, skipna: bool = True) -> Any:
        """Whether any value is true; see `sum`."""
        return self._reduced_truth("any", axis, bool_only, skipna)

    def _reduced_truth(self, name: str, axis: Any, bool_only: bool, skipna: bool) -> Any:
        if bool_only and isinstance(self.expr.meta, pd.DataFrame):
            truths: Any = self.select_dtypes(["bool", "boolean"])  # type: ignore[attr-defined]
            return truths._reduced_truth(name, axis, False, skipna)
        if axis in (1, "columns"):
            return self._new(rowwise(Method(name), self.expr, axis=1, skipna=skipna))
        reduced = self._new(reduction(self.expr, Statistic(name, skipna)))
        return self._of_all(reduced, name) if self._is_of_all(axis) else reduced

    def count(self, axis: Any = 0, numeric_only: bool = False) -> Any:
        """How many values are not missing; see `sum`."""
        if axis in (1, "columns"):
            return self._new(rowwise(Method("count"), self.expr, axis=1, numeric_only=numeric_only))
        return self._new(reduction(self.expr, Statistic("count"), numeric_only=numeric_only))
