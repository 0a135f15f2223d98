"""`DataFrameGroupBy` and `SeriesGroupBy`: what ``df.groupby(...)`` returns."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from restride.collections.dataframe.base import new_collection
from restride.collections.dataframe.groupby import specs
from restride.collections.dataframe.groupby.aggregating import ROWS, aggregated, result_meta
from restride.collections.dataframe.groupby.grouping import Grouping
from restride.collections.dataframe.groupby.rows import RowMethods
from restride.collections.dataframe.groupby.spans import with_times
from restride.collections.dataframe.groupby.specs import Asked, Output
from restride.collections.dataframe.hints import no_attribute, no_label
from restride.collections.dataframe.meta import positions_of
from restride.collections.dataframe.operations.groupby.pandas_groups import Call
from restride.collections.dataframe.operations.reductions import is_numeric


class GroupBy(RowMethods):
    """The rows of a frame by groups; its methods aggregate, transform and filter these."""

    def __init__(self, grouping: Grouping, values: Sequence[int]) -> None:
        self.grouping = grouping
        self.values = list(values)

    def __repr__(self) -> str:
        frame, values = self.grouping.frame, [self.grouping.frame.meta.columns[i] for i in self.values]
        rows = "" if frame.length is None else f"{frame.length:,} rows, "
        return f"<{type(self).__name__}: {rows}{values} by {list(self.grouping.names)}>"

    # ---- aggregates ----------------------------------------------------------------------------------------------

    def _aggregate(self, name: str, split_out: int | None, numeric_only: bool = False, **options: Any) -> Any:
        raise NotImplementedError

    def _asked(self, asked: Asked, split_out: int | None) -> Any:
        groups = aggregated(self.grouping, asked, split_out)
        if self.grouping.spans:
            named = all(isinstance(output.function, str) for output in asked.outputs)
            full = result_meta(replace(self.grouping, observed=True), asked) if named else None
            groups = with_times(groups, full, as_index=self.grouping.as_index)
        return new_collection(groups)

    def sum(
        self, numeric_only: bool = False, min_count: int = 0, skipna: bool = True, *, split_out: int | None = None
    ) -> Any:
        """Sum of the values of each group; of strings one string.

        Parameters
        ----------
        numeric_only : bool
            Leave out columns that are not of numbers.
        min_count : int
            How many values must be there for a result that is not missing.
        skipna : bool
            Leave missing values out; otherwise they make the result missing.
        split_out : int, optional
            How many partitions the result has; 1 unless given.

        Returns
        -------
        DataFrame or Series

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"k": ["a", "b", "a"], "x": [1, 2, 4]}), npartitions=2)
        >>> df.groupby("k").sum().compute()
           x
        k
        a  5
        b  2
        """
        return self._aggregate("sum", split_out, numeric_only, min_count=min_count, **_skips(skipna))

    def prod(
        self, numeric_only: bool = False, min_count: int = 0, skipna: bool = True, *, split_out: int | None = None
    ) -> Any:
        """Product of the values of each group; see `sum`."""
        return self._aggregate("prod", split_out, numeric_only, min_count=min_count, **_skips(skipna))

    def min(
        self, numeric_only: bool = False, min_count: int = -1, skipna: bool = True, *, split_out: int | None = None
    ) -> Any:
        """Least value of each group; see `sum`."""
        return self._aggregate("min", split_out, numeric_only, min_count=min_count, **_skips(skipna))

    def max(
        self, numeric_only: bool = False, min_count: int = -1, skipna: bool = True, *, split_out: int | None = None
    ) -> Any:
        """Greatest value of each group; see `sum`."""
        return self._aggregate("max", split_out, numeric_only, min_count=min_count, **_skips(skipna))

    def first(
        self, numeric_only: bool = False, min_count: int = -1, skipna: bool = True, *, split_out: int | None = None
    ) -> Any:
        """First value of each group that is not missing; see `sum`."""
        return self._aggregate("first", split_out, numeric_only, min_count=min_count, skipna=skipna)

    def last(
        self, numeric_only: bool = False, min_count: int = -1, skipna: bool = True, *, split_out: int | None = None
    ) -> Any:
        """Last value of each group that is not missing; see `sum`."""
        return self._aggregate("last", split_out, numeric_only, min_count=min_count, skipna=skipna)

    def mean(self, numeric_only: bool = False, skipna: bool = True, *, split_out: int | None = None) -> Any:
        """Mean of the values of each group; see `sum`."""
        return self._aggregate("mean", split_out, numeric_only, **_skips(skipna))

    def median(self, numeric_only: bool = False, skipna: bool = True, *, split_out: int | None = None) -> Any:
        """Median of the values of each group, exact; see `sum`."""
        return self._aggregate("median", split_out, numeric_only, **_skips(skipna))

    def quantile(
        self,
        q: Any = 0.5,
        interpolation: str = "linear",
        numeric_only: bool = False,
        *,
        split_out: int | None = None,
    ) -> Any:
        """Quantile of the values of each group, exact; see `sum`. Several make a further level of the index."""
        if pd.api.types.is_list_like(q):
            return self._by_group(Call("quantile", (list(q), interpolation, numeric_only)))
        return self._aggregate("quantile", split_out, numeric_only, q=q, interpolation=interpolation)

    def var(
        self, ddof: int = 1, numeric_only: bool = False, skipna: bool = True, *, split_out: int | None = None
    ) -> Any:
        """Variance of the values of each group, with ``n - ddof`` for the divisor; see `sum`."""
        return self._aggregate("var", split_out, numeric_only, ddof=ddof, **_skips(skipna))

    def std(
        self, ddof: int = 1, numeric_only: bool = False, skipna: bool = True, *, split_out: int | None = None
    ) -> Any:
        """Standard deviation of each group, with ``n - ddof`` for the divisor; see `sum`."""
        return self._aggregate("std", split_out, numeric_only, ddof=ddof, **_skips(skipna))

    def sem(
        self, ddof: int = 1, numeric_only: bool = False, skipna: bool = True, *, split_out: int | None = None
    ) -> Any:
        """Standard error of the mean of each group; see `sum`."""
        return self._aggregate("sem", split_out, numeric_only, ddof=ddof, **_skips(skipna))

    def skew(self, numeric_only: bool = False, skipna: bool = True, *, split_out: int | None = None) -> Any:
        """Skewness of each group, without bias; see `sum`."""
        return self._aggregate("skew", split_out, numeric_only, **_skips(skipna))

    def kurt(self, numeric_only: bool = False, skipna: bool = True, *, split_out: int | None = None) -> Any:
        """Excess kurtosis of each group, without bias; see `sum`."""
        return self._aggregate("kurt", split_out, numeric_only, **_skips(skipna))

    def any(self, skipna: bool = True, *, split_out: int | None = None) -> Any:
        """Whether any value of each group is true; see `sum`."""
        return self._aggregate("any", split_out, **_skips(skipna))

    def all(self, skipna: bool = True, *, split_out: int | None = None) -> Any:
        """Whether all values of each group are true; see `sum`."""
        return self._aggregate("all", split_out, **_skips(skipna))

    def count(self, *, split_out: int | None = None) -> Any:
        """How many values of each group are not missing; see `sum`."""
        return self._aggregate("count", split_out)

    def nunique(self, dropna: bool = True, *, split_out: int | None = None) -> Any:
        """How many different values each group has; see `sum`."""
        return self._aggregate("nunique", split_out, dropna=dropna)

    def idxmin(self, skipna: bool = True, numeric_only: bool = False, *, split_out: int | None = None) -> Any:
        """Label of the row with the least value of each group, the first of such; see `sum`."""
        return self._aggregate("idxmin", split_out, numeric_only, **_skips(skipna))

    def idxmax(self, skipna: bool = True, numeric_only: bool = False, *, split_out: int | None = None) -> Any:
        """Label of the row with the greatest value of each group, the first of such; see `sum`."""
        return self._aggregate("idxmax", split_out, numeric_only, **_skips(skipna))

    def size(self, *, split_out: int | None = None) -> Any:
        """How many rows each group has.

        Returns
        -------
        Series
            Or a frame with a column ``size`` where ``as_index=False``.
        """
        return self._asked(Asked((self._size(),), None), split_out)

    def _size(self) -> Output:
        label = None if self.grouping.as_index else "size"
        return Output(label, self.grouping.keys[0], "size", (ROWS,))


class SeriesGroupBy(GroupBy):
    """The values of a series by groups.

    Examples
    --------
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> df = rd.from_pandas(pd.DataFrame({"k": ["a", "b", "a"], "x": [1, 2, 4]}), npartitions=2)
    >>> df.groupby("k").x.agg(["min", "mean"]).compute()
       min  mean
    k
    a    1   2.5
    b    2   2.0
    """

    @property
    def column(self) -> int:
        """Position of the column."""
        return self.values[0]

    @property
    def name(self) -> Hashable:
        """Label of the column."""
        return self.grouping.frame.meta.columns[self.column]

    @property
    def _name_of_whole(self) -> Hashable:
        return self.name

    @property
    def _places(self) -> int:
        return self.column

    @property
    def _all_places(self) -> int:
        return self.column

    def nlargest(self, n: int = 5, keep: str = "first") -> Any:
        """The greatest values of each group, the greatest first, by keys and labels; see `Series.nlargest`."""
        return self._by_group(Call("nlargest", (n, keep)), labels=True)

    def nsmallest(self, n: int = 5, keep: str = "first") -> Any:
        """The least values of each group, the least first, by keys and labels; see `Series.nlargest`."""
        return self._by_group(Call("nsmallest", (n, keep)), labels=True)

    def unique(self, *, split_out: int | None = None) -> Any:
        """The different values of each group, an array each, in the order in which they appear."""
        return self._aggregate("unique", split_out)

    def _aggregate(self, name: str, split_out: int | None, numeric_only: bool = False, **options: Any) -> Any:
        if numeric_only and not is_numeric(self.grouping.frame.meta.dtypes.iloc[self.column]):
            raise TypeError(f"Cannot use numeric_only=True with SeriesGroupBy.{name} and non-numeric dtypes.")
        output = Output(self.name, self.column, name, tuple(options.items()))
        return self._asked(Asked((output,), None), split_out)

    def _size(self) -> Output:
        return Output(self.name if self.grouping.as_index else "size", self.column, "size")

    def agg(self, func: Any = None, *args: Any, split_out: int | None = None, **kwargs: Any) -> Any:
        """Aggregates of each group; see `DataFrameGroupBy.agg`."""
        asked = specs.of_series(self.name, self.column, func, kwargs, args)
        return self._asked(asked, split_out)

    aggregate = agg


class DataFrameGroupBy(GroupBy):
    """The rows of a frame by groups.

    Examples
    --------
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> df = rd.from_pandas(pd.DataFrame({"k": ["a", "b", "a"], "x": [1, 2, 4]}), npartitions=2)
    >>> df.groupby("k").agg(total=("x", "sum"), most=("x", "max")).compute()
       total  most
    k
    a      5     4
    b      2     2
    """

    def __init__(self, grouping: Grouping, values: Sequence[int], *, chosen: bool = False) -> None:
        super().__init__(grouping, values)
        self._chosen = chosen

    @property
    def _all_places(self) -> Sequence[int]:
        return self.values if self._chosen else list(range(self.grouping.n_columns))

    @property
    def _name_of_whole(self) -> Hashable:
        meta = self.grouping.frame.meta
        return meta.columns[self.values[0]] if self._chosen and len(self.values) == 1 else None

    def __getitem__(self, key: Any) -> Any:
        """One column, or a list of columns."""
        meta = self.grouping.frame.meta.iloc[:, : self.grouping.n_columns]
        if isinstance(key, tuple) and key not in meta.columns:
            raise ValueError("Cannot subset columns with a tuple with more than one element. Use a list instead.")
        if isinstance(key, (list, pd.Index)):
            missing = [label for label in key if label not in meta.columns]
            if missing:
                raise no_label(missing[0], meta.columns, f"Columns not found: {str(missing)[1:-1]}")
            return DataFrameGroupBy(self.grouping, positions_of(meta, key), chosen=True)
        if key not in meta.columns:
            raise no_label(key, meta.columns, f"Column not found: {key}")
        positions = positions_of(meta, [key])
        if len(positions) > 1:
            return DataFrameGroupBy(self.grouping, positions, chosen=True)
        return SeriesGroupBy(self.grouping, positions)

    def __getattr__(self, name: str) -> Any:
        grouping = self.__dict__.get("grouping")
        if grouping is not None and not name.startswith("_") and name in grouping.frame.meta.columns:
            return self[name]
        raise no_attribute(self, name)

    def __dir__(self) -> list[str]:
        columns = self.grouping.frame.meta.columns[: self.grouping.n_columns]
        return sorted({*super().__dir__(), *(label for label in columns if isinstance(label, str))})

    def _aggregate(self, name: str, split_out: int | None, numeric_only: bool = False, **options: Any) -> Any:
        meta = self.grouping.frame.meta
        values = [v for v in self.values if not numeric_only or is_numeric(meta.dtypes.iloc[v])]
        outputs = tuple(Output(meta.columns[v], v, name, tuple(options.items())) for v in values)
        return self._asked(Asked(outputs, meta.columns[values]), split_out)

    def agg(self, func: Any = None, *args: Any, split_out: int | None = None, **kwargs: Any) -> Any:
        """Aggregates of each group.

        Parameters
        ----------
        func : str, callable, `Aggregation`, list or dict of these
            For all columns, or by column; several make a column each. A callable gets the values of one group as a
            series of pandas.
        split_out : int, optional
            How many partitions the result has; 1 unless given, and where the functions are pandas' or the user's.
        **kwargs
            Named aggregates, ``label=("column", "mean")``; otherwise for the functions.

        Returns
        -------
        DataFrame

        Raises
        ------
        KeyError
            There is no such column.
        TypeError
            A column has no such aggregate.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"k": ["a", "b", "a"], "x": [1, 2, 4]}), npartitions=2)
        >>> df.groupby("k").agg({"x": ["sum", "count"]}).compute()
            x
          sum count
        k
        a   5     2
        b   2     1
        """
        meta = self.grouping.frame.meta.iloc[:, : self.grouping.n_columns]
        return self._asked(specs.of_frame(meta, self.values, func, kwargs, args), split_out)

    aggregate = agg


def _skips(skipna: bool) -> dict[str, bool]:
    """The option of an aggregate that does not leave missing values out; kernels have none but that."""
    return {} if skipna else {"skipna": False}
