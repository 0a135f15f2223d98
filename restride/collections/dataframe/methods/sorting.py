"""Order: frames and series sorted by values or by index, extreme rows, quantiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd

from restride.collections.dataframe.base import FrameBase
from restride.collections.dataframe.expr import FrameExpr, Wanted
from restride.collections.dataframe.operations.extreme_rows import extreme_rows
from restride.collections.dataframe.operations.quantiles import quantile
from restride.collections.dataframe.operations.ranking import Ranking, ranked
from restride.collections.dataframe.operations.reductions import is_numeric, one_row
from restride.collections.dataframe.operations.rowwise import Assign, Method, labelled, rowwise
from restride.collections.dataframe.operations.scalars import ScalarOf
from restride.collections.dataframe.operations.selection import Project, column, columns, without_index
from restride.collections.dataframe.operations.sorting import (
    ascending_of,
    sort_positions,
    sorted_by_index,
    sorted_by_values,
)


class Sorting(FrameBase):
    """What frames and series have in common."""

    def sort_index(
        self,
        *,
        axis: Any = 0,
        level: Any = None,
        ascending: Any = True,
        kind: str | None = None,
        na_position: str = "last",
        sort_remaining: bool = True,
        ignore_index: bool = False,
        key: Callable[[Any], Any] | None = None,
        npartitions: int | None = None,
    ) -> Self:
        """Rows in the order of their labels.

        Parameters
        ----------
        axis : {0, 1, "index", "columns"}
            1 to sort columns by their labels.
        level : label, int or list, optional
            Levels of the index to sort by first.
        ascending : bool or list of bool
        kind : str, optional
            Makes no difference: rows of equal labels stay in the order they are in.
        na_position : {"last", "first"}
        sort_remaining : bool
            Sort by the other levels, too.
        ignore_index : bool
            Number the rows of the result from 0.
        key : callable, optional
            Takes a level of a partition's index as a series, and gives what to sort by.
        npartitions : int, optional
            Partitions of the result; as many as before unless given.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"x": [1, 2, 3]}, index=[2, 0, 1]), npartitions=2)
        >>> df.sort_index().compute().x.tolist()
        [2, 3, 1]
        """
        meta = self.expr.meta
        if axis in (1, "columns"):
            if not isinstance(meta, pd.DataFrame):
                raise ValueError(f"No axis named {axis} for object type {type(self).__name__}")
            sorted_labels: Any = meta.sort_index  # stubs know no key functions of labels
            labels = sorted_labels(axis=1, ascending=ascending, na_position=na_position, key=key).columns
            new: Self = self._new(columns(self.expr, list(labels)))
            return new
        sorted_ = sorted_by_index(
            self.expr, level, ascending, na_position, sort_remaining=sort_remaining, ignore_index=ignore_index,
            function=key, n=npartitions,
        )  # fmt: skip
        made: Self = self._new(sorted_)
        return made

    def quantile(
        self, q: Any = 0.5, axis: Any = 0, numeric_only: bool = False, interpolation: str = "linear", method: Any = None
    ) -> Any:
        """The values at given fractions of the sorted ones, exactly; missing values do not count.

        Parameters
        ----------
        q : float or list of float
            From 0 to 1.
        axis : {0, 1, "index", "columns"}
            1 for the quantile of each row.
        numeric_only : bool
            Leave out columns that are not of numbers.
        interpolation : {"linear", "lower", "higher", "midpoint", "nearest"}
            What is taken between two values.
        method : {"single"}, optional
            Of each column by itself; whole rows, "table", are not supported.

        Returns
        -------
        Scalar, Series or DataFrame
            As pandas: one value of a series, by column of a frame; rows for several `q`.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> x = rd.from_pandas(pd.Series([4.0, 1.0, 3.0, 2.0]), npartitions=2)
        >>> x.quantile(0.25).compute()
        np.float64(1.75)
        """
        if axis in (1, "columns"):
            arguments: dict[str, Any] = {
                "axis": 1, "numeric_only": numeric_only, "interpolation": interpolation
            }  # fmt: skip
            return self._new(rowwise(Method("quantile"), self.expr, q, **arguments))
        if method == "table":
            raise NotImplementedError("quantile(method='table'): quantiles are of each column; sort_values and iloc")
        frame = self.expr
        if numeric_only and isinstance(frame.meta, pd.DataFrame):
            places = tuple(i for i, dtype in enumerate(frame.meta.dtypes) if is_numeric(dtype))
            frame = Project(frame, Wanted(places, frame.has_index), "frame")
        return self._new(quantile(frame, q, interpolation))

    def median(self, axis: Any = 0, skipna: bool = True, numeric_only: bool = False) -> Any:
        """The value in the middle of the sorted ones; see `quantile`.

        Parameters
        ----------
        axis : {0, 1, "index", "columns"}
            1 for the median of each row.
        skipna : bool
            Must be true, except along rows: missing values do not count.
        numeric_only : bool
            Leave out columns that are not of numbers.
        """
        if axis in (1, "columns"):
            arguments: dict[str, Any] = {"axis": 1, "skipna": skipna, "numeric_only": numeric_only}
            return self._new(rowwise(Method("median"), self.expr, **arguments))
        if not skipna:
            raise NotImplementedError("median(skipna=False): drop the missing values, or fill them in, first")
        sample = one_row(self.expr.meta).median(numeric_only=numeric_only)  # raises what pandas raises
        found = self._new(_with_floats_for_booleans(self.expr)).quantile(0.5, numeric_only=numeric_only)
        single = getattr(sample, "dtype", None) == np.float32
        if isinstance(self.expr.meta, pd.Series):
            return self._new(ScalarOf(np.float32, (found.expr,))) if single else found
        return found.rename(None).astype(sample.dtype) if single else found.rename(None)

    def rank(
        self,
        axis: Any = 0,
        method: str = "average",
        numeric_only: bool = False,
        na_option: str = "keep",
        ascending: bool = True,
        pct: bool = False,
    ) -> Any:
        """The places of values among all of their column, from 1 on.

        Parameters
        ----------
        axis : {0, 1, "index", "columns"}
            1 for places in each row.
        method : {"average", "min", "max", "first", "dense"}
            Which place equal values have.
        numeric_only : bool
            Leave out columns that are not of numbers.
        na_option : {"keep", "top", "bottom"}
            Where missing values go.
        ascending : bool
        pct : bool
            As shares of how many there are.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> rd.from_pandas(pd.Series([30, 10, 20, 10]), npartitions=2).rank().compute().tolist()
        [4.0, 1.5, 3.0, 1.5]
        """
        if na_option not in ("keep", "top", "bottom"):
            raise ValueError("na_option must be one of 'keep', 'top', or 'bottom'")
        options: dict[str, Any] = {"method": method, "na_option": na_option, "ascending": ascending, "pct": pct}
        if axis in (1, "columns"):
            return self._new(rowwise(Method("rank"), self.expr, axis=1, numeric_only=numeric_only, **options))
        ranking = Ranking(**options)
        if isinstance(self.expr.meta, pd.Series):
            return self._new(ranked(self.expr, ranking))
        meta = self.expr.meta
        places = [i for i, dtype in enumerate(meta.dtypes) if not numeric_only or is_numeric(dtype)]
        made = [ranked(column(self.expr, i), ranking) for i in places]
        plain = Project(self.expr, Wanted((), self.expr.has_index), "frame")
        whole = self._new(Assign(plain, tuple(range(len(made))), tuple(places), tuple(map(without_index, made))))
        whole.columns = meta.columns[places]
        return whole

    def median_approximate(self, axis: Any = 0, method: Any = None) -> Any:
        """The median; exact, as that takes next to no longer."""
        return self.median(axis=axis)


class FrameSorting(Sorting):
    """What frames alone have."""

    def sort_values(
        self,
        by: Any,
        *,
        axis: Any = 0,
        ascending: Any = True,
        kind: str | None = None,
        na_position: str = "last",
        ignore_index: bool = False,
        key: Callable[[Any], Any] | None = None,
        npartitions: int | None = None,
    ) -> Any:
        """Rows in the order of columns, or of levels of the index.

        Parameters
        ----------
        by : label or list of labels
            The first decides first.
        axis : {0, "index"}
        ascending : bool or list of bool
            One for all, or one for each key.
        kind : str, optional
            Makes no difference: rows of equal keys stay in the order they are in, as with pandas' "stable".
        na_position : {"last", "first"}
            Where rows go whose key is missing, whatever the direction.
        ignore_index : bool
            Number the rows of the result from 0.
        key : callable, optional
            Takes each key column of a partition as a series, and gives what to sort by, value by value.
        npartitions : int, optional
            Partitions of the result; as many as before unless given.

        Raises
        ------
        KeyError
            There is no column of a label.
        ValueError
            There are several, or as many directions as there are keys are not given.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"x": [3, 1, 2], "s": list("abc")}), npartitions=2)
        >>> df.sort_values("x").compute()
           x  s
        1  1  b
        2  2  c
        0  3  a
        """
        if axis not in (0, "index"):
            raise NotImplementedError("sort_values along columns; transpose is not there either")
        labels = by if isinstance(by, list) else [by]
        frame = self.expr if ignore_index else labelled(self.expr)
        if not labels:
            return self.copy()  # type: ignore[attr-defined]
        positions = sort_positions(frame, labels)
        new = sorted_by_values(
            frame, positions, ascending_of(ascending, len(labels)), na_position, ignore_index=ignore_index,
            function=key, n=npartitions,
        )  # fmt: skip
        return self._new(new)

    def nlargest(self, n: int, columns: Any, keep: str = "first", split_every: Any = None) -> Any:
        """The `n` rows with the greatest values of columns, the greatest first.

        Parameters
        ----------
        n : int
        columns : label or list of labels
            Later ones decide between rows of equal values.
        keep : {"first", "last", "all"}
            Which of several rows of equal values, where there is room for some only.
        split_every : int, optional
            Makes no difference.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"x": [3, 1, 2]}), npartitions=2)
        >>> df.nlargest(2, "x").compute().x.tolist()
        [3, 2]
        """
        return self._new(extreme_rows(self.expr, "nlargest", n, _list(columns), keep))

    def nsmallest(self, n: int, columns: Any, keep: str = "first", split_every: Any = None) -> Any:
        """The `n` rows with the least values of columns, the least first; see `nlargest`."""
        return self._new(extreme_rows(self.expr, "nsmallest", n, _list(columns), keep))


class SeriesSorting(Sorting):
    """What series alone have."""

    def sort_values(
        self,
        *,
        axis: Any = 0,
        ascending: Any = True,
        kind: str | None = None,
        na_position: str = "last",
        ignore_index: bool = False,
        key: Callable[[Any], Any] | None = None,
        npartitions: int | None = None,
    ) -> Any:
        """Rows in the order of the values; see `DataFrame.sort_values`.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> x = rd.from_pandas(pd.Series([3, 1, 2]), npartitions=2)
        >>> x.sort_values(ascending=False).compute().tolist()
        [3, 2, 1]
        """
        if axis not in (0, "index"):
            raise ValueError(f"No axis named {axis} for object type Series")
        frame = self.expr if ignore_index else labelled(self.expr)
        new = sorted_by_values(
            frame, [0], ascending_of(ascending, 1), na_position, ignore_index=ignore_index, function=key,
            n=npartitions,
        )  # fmt: skip
        return self._new(new)

    def nlargest(self, n: int = 5, keep: str = "first", split_every: Any = None) -> Any:
        """The `n` greatest values, the greatest first; see `DataFrame.nlargest`."""
        return self._new(extreme_rows(self.expr, "nlargest", n, None, keep))

    def nsmallest(self, n: int = 5, keep: str = "first", split_every: Any = None) -> Any:
        """The `n` least values, the least first; see `DataFrame.nlargest`."""
        return self._new(extreme_rows(self.expr, "nsmallest", n, None, keep))


def _list(labels: Any) -> Sequence[Any]:
    return list(labels) if isinstance(labels, (list, pd.Index)) else [labels]


def _with_floats_for_booleans(frame: FrameExpr) -> FrameExpr:
    """The same with numbers in the place of booleans, between which there is no middle."""
    meta = frame.meta
    if isinstance(meta, pd.Series):
        return rowwise(Method("astype"), frame, float) if meta.dtype == bool else frame
    booleans = meta.columns[[dtype == np.bool_ for dtype in meta.dtypes]]
    return rowwise(Method("astype"), frame, dict.fromkeys(booleans, float)) if len(booleans) else frame
