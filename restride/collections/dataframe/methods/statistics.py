"""Statistics of frames and series: tables of them, correlations, where extremes are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.dataframe.base import FrameBase, as_operand, new_collection
from restride.collections.dataframe.expr import FrameExpr, Wanted
from restride.collections.dataframe.operations import selection
from restride.collections.dataframe.operations.alignment import aligned
from restride.collections.dataframe.operations.assembling import assembled
from restride.collections.dataframe.operations.describing import NUMBERS, OTHERS, DescribeColumns, kind_of_values
from restride.collections.dataframe.operations.labels_of_extremes import label_of_extreme
from restride.collections.dataframe.operations.order_of_values import is_monotonic
from restride.collections.dataframe.operations.pairwise import of_all_pairs, of_one_pair
from restride.collections.dataframe.operations.reductions import is_numeric, one_row
from restride.collections.dataframe.operations.rowwise import Assign
from restride.collections.dataframe.operations.selection import without_index


class Statistics(FrameBase):
    """Statistics of frames and series."""

    def describe(self, percentiles: Any = None, include: Any = None, exclude: Any = None) -> Any:
        """A table of statistics: counts, means, extremes, exact quantiles; of other columns the commonest value.

        Parameters
        ----------
        percentiles : list of float, optional
            Quarters if left out.
        include, exclude : dtypes, "all", optional
            Which columns of a frame; those of numbers and dates if left out, or all where there are none of these.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> x = rd.from_pandas(pd.Series([1.0, 2.0, 3.0, 4.0]), npartitions=2)
        >>> x.describe().compute()["75%"]
        np.float64(3.25)
        """
        arguments = {"percentiles": percentiles, "include": include, "exclude": exclude}
        meta = self.expr.meta
        series = isinstance(meta, pd.Series)
        if series:
            places = [0]
            sample = one_row(meta).describe(percentiles=percentiles)
        else:
            numbered = one_row(meta).set_axis(range(meta.shape[1]), axis=1)
            sample = numbered.describe(**arguments)
            places = [int(i) for i in sample.columns]
        quantiles = _quantiles(percentiles)
        kinds, parts = [], []
        for place in places:
            one = new_collection(self.expr if series else selection.column(self.expr, place))
            kinds.append(kind_of_values(one.dtype))
            parts += _statistics_of(one, kinds[-1], quantiles)
        dtypes = [sample.dtype] if series else list(sample.dtypes)
        labels = meta.name if series else meta.columns[places]
        function = DescribeColumns(tuple(kinds), tuple(dtypes), tuple(sample.index), labels, series)
        result = sample.iloc[:0].rename(labels) if series else sample.iloc[:0].set_axis(labels, axis=1)
        return self._new(assembled(function, [part.expr for part in parts], result, "describe"))

    def idxmin(self, axis: Any = 0, skipna: bool = True, numeric_only: bool = False) -> Any:
        """The first label of the least value: of a series, or of each column of a frame.

        Raises
        ------
        ValueError
            By the tasks, if there is no value, or one is missing that is not to be skipped.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> x = rd.from_pandas(pd.Series([3, 1, 2], index=list("abc")), npartitions=2)
        >>> x.idxmin().compute(), x.idxmax().compute()
        ('b', 'a')
        """
        return self._label_of("idxmin", axis, skipna, numeric_only)

    def idxmax(self, axis: Any = 0, skipna: bool = True, numeric_only: bool = False) -> Any:
        """The first label of the greatest value; see `idxmin`."""
        return self._label_of("idxmax", axis, skipna, numeric_only)

    def _label_of(self, name: str, axis: Any, skipna: bool, numeric_only: bool) -> Any:
        if axis in (1, "columns"):
            meta = self.expr.meta
            labels = pd.Series(meta.columns[:0])
            return self.apply(  # type: ignore[attr-defined]
                lambda row: getattr(row, name)(skipna=skipna), axis=1, meta=(None, labels.dtype)
            )
        return self._new(label_of_extreme(self.expr, name, skipna=skipna, numeric_only=numeric_only))

    @property
    def is_monotonic_increasing(self) -> Any:
        """Whether no value is less than the one before, a `Scalar`."""
        return self._new(is_monotonic(self.expr, rising=True))

    @property
    def is_monotonic_decreasing(self) -> Any:
        """Whether no value is greater than the one before, a `Scalar`."""
        return self._new(is_monotonic(self.expr, rising=False))

    @property
    def is_unique(self) -> Any:
        """Whether no value is there twice, a `Scalar`."""
        return self.nunique(dropna=False) == self.size  # type: ignore[attr-defined]


class FrameStatistics(FrameBase):
    """Correlations of the columns of a frame."""

    def corr(self, method: str = "pearson", min_periods: int = 1, numeric_only: bool = False) -> Any:
        """Correlation of each pair of columns, over the rows in which both have a value; in one pass.

        Parameters
        ----------
        method : {"pearson", "spearman"}
            The second is of ranks, for which the rows of each pair are shuffled.
        min_periods : int
            How many rows a pair needs.
        numeric_only : bool
            Leave out columns that are not of numbers.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"x": [1, 2, 3], "y": [3, 2, 1]}), npartitions=2)
        >>> df.corr().compute()
             x    y
        x  1.0 -1.0
        y -1.0  1.0
        """
        if method == "spearman":
            return self._of_ranks(min_periods or 1, numeric_only)
        _check_pearson(method)
        return self._new(of_all_pairs(self.expr, "corr", min_periods or 1, 1, numeric_only=numeric_only))

    def _of_ranks(self, min_periods: int, numeric_only: bool) -> Any:
        meta = self.expr.meta
        one_row(meta).corr("spearman", numeric_only=numeric_only)  # raises as pandas does
        places = [i for i, dtype in enumerate(meta.dtypes) if not numeric_only or is_numeric(dtype)]
        columns = [self._new(selection.column(self.expr, place)) for place in places]
        n = len(columns)
        pairs = [(i, j) for i in range(n) for j in range(i, n)]
        parts = [columns[i].corr(columns[j], "spearman", min_periods).expr for i, j in pairs]
        labels = meta.columns[places]
        empty = pd.DataFrame(np.empty((0, n)), index=labels[:0], columns=labels)
        return self._new(assembled(Symmetric(labels, tuple(pairs)), parts, empty, "corr"))

    def cov(self, min_periods: int | None = None, ddof: int = 1, numeric_only: bool = False) -> Any:
        """Covariance of each pair of columns, over the rows in which both have a value; in one pass.

        Parameters
        ----------
        min_periods : int, optional
            How many rows a pair needs.
        ddof : int
            The divisor is the number of rows less this.
        numeric_only : bool
            Leave out columns that are not of numbers.
        """
        return self._new(of_all_pairs(self.expr, "cov", min_periods or 1, ddof, numeric_only=numeric_only))


class SeriesStatistics(FrameBase):
    """Correlations of two series."""

    def corr(self, other: Any, method: str = "pearson", min_periods: int | None = None) -> Any:
        """Correlation with another series, over the rows in which both have a value; a `Scalar`.

        Parameters
        ----------
        other : Series
        method : {"pearson", "spearman"}
            The second is of ranks, for which rows are shuffled.
        min_periods : int, optional
            How many rows it needs.
        """
        if method == "spearman":
            ranks = self._new(self._beside(other)).dropna().rank()
            return self._new(of_one_pair(ranks.expr, "corr", min_periods or 1, 1))
        _check_pearson(method)
        return self._pair(other, "corr", min_periods, 1)

    def cov(self, other: Any, min_periods: int | None = None, ddof: int | None = 1) -> Any:
        """Covariance with another series, over the rows in which both have a value; a `Scalar`."""
        return self._pair(other, "cov", min_periods, 1 if ddof is None else ddof)

    def _pair(self, other: Any, name: str, min_periods: int | None, ddof: int) -> Any:
        return self._new(of_one_pair(self._beside(other), name, min_periods or 1, ddof))

    def _beside(self, other: Any) -> FrameExpr:
        """Itself and another series as a frame, without labels."""
        first, second = aligned([self.expr, as_operand(other, self.expr)])
        left = selection.Project(first, Wanted((0,), False), "frame")
        return Assign(left, (1,), (("other", 1),), (without_index(second),))


@dataclass(frozen=True)
class Symmetric:
    """Single values as a matrix, by columns on both sides."""

    labels: pd.Index
    pairs: tuple[tuple[int, int], ...]
    __name__ = "corr"

    def __call__(self, *values: float) -> pd.DataFrame:
        matrix = np.full((len(self.labels),) * 2, np.nan)
        for (i, j), value in zip(self.pairs, values):
            matrix[i, j] = matrix[j, i] = value
        return pd.DataFrame(matrix, self.labels, self.labels)


def _check_pearson(method: str) -> None:
    if method != "pearson":
        raise NotImplementedError(f"corr(method={method!r}); there are pearson and spearman")


def _quantiles(percentiles: Any) -> list[float]:
    """The quantiles that pandas takes for some percentiles."""
    if percentiles is None:
        return [0.25, 0.5, 0.75]
    return sorted({float(q) for q in np.asarray(list(percentiles), float)})


def _statistics_of(series: Any, kind: str, quantiles: list[float]) -> list[Any]:
    """What `DescribeColumns` takes for a column."""
    if kind == OTHERS:
        return [series.value_counts()]
    parts = [series.count(), series.mean(), series.min(), series.max(), series.quantile(quantiles)]
    return [*parts, series.std()] if kind == NUMBERS else parts
