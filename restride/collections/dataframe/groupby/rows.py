"""What is made of the rows of groups: row by row, some rows of each, and what a user's function makes of each group."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from copy import copy
from dataclasses import replace
from typing import Any, Self

import numpy as np
import pandas as pd

from restride.collections.dataframe.base import new_collection
from restride.collections.dataframe.expr import FrameExpr, Wanted
from restride.collections.dataframe.groupby.grouping import Grouping
from restride.collections.dataframe.groupby.matrices import matrices
from restride.collections.dataframe.groupby.transforming import (
    carried,
    numbers_in_groups,
    numbers_of_groups,
    transformed,
)
from restride.collections.dataframe.groupby.windows import SpansOfGroups, WindowsOfGroups
from restride.collections.dataframe.meta import has_default_index, index_of, with_index
from restride.collections.dataframe.methods.partitions import make_meta, meta_from_data
from restride.collections.dataframe.operations.groupby.ends import EndsOfGroups
from restride.collections.dataframe.operations.groupby.groups_of_rows import groups_of_rows
from restride.collections.dataframe.operations.groupby.pandas_groups import (
    Applied,
    AppliedAsFrame,
    Call,
    CallForRows,
    KeepGroups,
    PandasKeys,
    SomeRows,
    rows_of_groups,
)
from restride.collections.dataframe.operations.groupby.sampling import SampleGroups
from restride.collections.dataframe.operations.no_rows import OfNoRows
from restride.collections.dataframe.operations.random_rows import seeds_of
from restride.collections.dataframe.operations.reductions import is_numeric
from restride.collections.dataframe.operations.rowwise import Method, filtered, labelled, rowwise
from restride.collections.dataframe.operations.selection import Kind, Project, column


class RowMethods:
    """Methods whose results are of rows, or that look at all rows of a group together."""

    grouping: Grouping
    values: list[int]

    @property
    def _places(self) -> Sequence[int] | int:
        """The grouped columns, or the one of a series."""
        return self.values

    @property
    def _all_places(self) -> Sequence[int] | int:
        """The columns of which rows are taken as they are."""
        return self.values

    # ---- a row for each row ------------------------------------------------------------------------------------------

    def _by_row(self, name: str, /, *args: Any, **kwargs: Any) -> Any:
        call = Call(name, args, tuple(kwargs.items()))
        meta, grouped = self._metas(call)
        if name in ("shift", "diff"):  # no value is missing where there are no rows
            grouped = with_index(self.grouping.of_no_rows(call, self._places), index_of(meta))
        found = carried(self.grouping, self._places, call, meta, grouped)
        return self._rows(call, meta, grouped) if found is None else new_collection(found)

    def _metas(self, call: Call) -> tuple[Any, Any]:
        """The meta of a result of the same rows, and that where no row is without a group."""
        index = index_of(self.grouping.frame.meta)
        grouped = with_index(self.grouping.of_sample(call, self._places).iloc[:0], index)
        if not self.grouping.may_drop:
            return grouped, grouped
        made = self.grouping.of_sample(call, self._places, missing_keys=True)
        return with_index(made.iloc[:0], index), grouped

    def _rows(self, function: Any, meta: Any, grouped: Any = None) -> Any:
        frame = self.grouping.frame
        meta = with_index(meta.iloc[:0], index_of(frame.meta))
        made = rows_of_groups(
            frame, self.grouping.by, self._places, function, meta, all_rows=True, grouped_meta=grouped
        )
        return new_collection(made)

    def cumsum(self, numeric_only: bool = False, skipna: bool = True) -> Any:
        """Sum of the values of the group up to each row.

        Parameters
        ----------
        numeric_only : bool
            Leave out columns that are not of numbers.
        skipna : bool
            Leave missing values out; otherwise all after one are missing.

        Returns
        -------
        DataFrame or Series
            Of the same rows.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"k": ["a", "b", "a"], "x": [1, 2, 4]}), npartitions=2)
        >>> df.groupby("k").x.cumsum().compute().tolist()
        [1, 2, 5]
        """
        return self._running("cumsum", numeric_only, skipna)

    def cumprod(self, numeric_only: bool = False, skipna: bool = True) -> Any:
        """Product of the values of the group up to each row; see `cumsum`."""
        return self._running("cumprod", numeric_only, skipna)

    def cummin(self, numeric_only: bool = False, skipna: bool = True) -> Any:
        """Least value of the group up to each row; see `cumsum`."""
        return self._running("cummin", numeric_only, skipna)

    def cummax(self, numeric_only: bool = False, skipna: bool = True) -> Any:
        """Greatest value of the group up to each row; see `cumsum`."""
        return self._running("cummax", numeric_only, skipna)

    def _running(self, name: str, numeric_only: bool, skipna: bool) -> Any:
        if numeric_only:
            return self._of_numbers()._running(name, False, skipna)
        if skipna:
            return self._by_row(name)
        call = Call(name, (), (("skipna", False),))
        return self._rows(call, *self._metas(call))

    def _of_numbers(self) -> Self:
        """The same of those columns that are of numbers."""
        dtypes = self.grouping.frame.meta.dtypes
        other = copy(self)
        other.values = [place for place in self.values if is_numeric(dtypes.iloc[place])]
        return other

    def cumcount(self, ascending: bool = True) -> Any:
        """Number of each row in its group, from 0; from the last if not `ascending`."""
        counted = numbers_in_groups(self.grouping) if ascending else None
        return self._by_row("cumcount", ascending=ascending) if counted is None else new_collection(counted)

    def ngroup(self, ascending: bool = True) -> Any:
        """Number of each row's group among the groups, from 0; from the last if not `ascending`.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"k": ["b", "a", "b"]}), npartitions=2)
        >>> df.groupby("k").ngroup().compute().tolist()
        [1, 0, 1]
        """
        return new_collection(numbers_of_groups(self.grouping, ascending=ascending))

    def shift(self, periods: int = 1, fill_value: Any = pd.api.extensions.no_default) -> Any:
        """The value some rows before in the group; after, if `periods` is negative."""
        fill = {} if fill_value is pd.api.extensions.no_default else {"fill_value": fill_value}
        return self._by_row("shift", periods, **fill)

    def diff(self, periods: int = 1) -> Any:
        """Difference from the value some rows before in the group."""
        return self._by_row("diff", periods)

    def pct_change(self, periods: int = 1, fill_method: None = None) -> Any:
        """Relative difference from the value some rows before in the group."""
        if fill_method is not None:
            raise ValueError(f"fill_method must be None; got {fill_method=}.")
        return self._by_row("pct_change", periods)

    def rank(self, method: str = "average", ascending: bool = True, na_option: str = "keep", pct: bool = False) -> Any:
        """Rank of each value in its group, from 1."""
        return self._by_row("rank", method=method, ascending=ascending, na_option=na_option, pct=pct)

    def ffill(self, limit: int | None = None) -> Any:
        """The values, and for missing ones the last before in the group."""
        return self._by_row("ffill", limit)

    def bfill(self, limit: int | None = None) -> Any:
        """The values, and for missing ones the next in the group."""
        return self._by_row("bfill", limit)

    def transform(self, func: str | Callable[..., Any], *args: Any, meta: Any = None, **kwargs: Any) -> Any:
        """What a function makes of each group, a value for each row or one for all of them.

        Parameters
        ----------
        func : str or callable
            A name, such as ``"mean"``; or a function of the values of a group as a series.
        meta : pandas object, optional
            An empty one of the labels and dtypes of the result. Without it a user's function is called now, for some
            groups of the first partition that has any.

        Returns
        -------
        DataFrame or Series
            Of the same rows.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"k": ["a", "b", "a"], "x": [1, 2, 4]}), npartitions=2)
        >>> df.groupby("k").x.transform("max").compute().tolist()
        [4, 2, 4]
        """
        call = Call("transform", (func, *args), tuple(kwargs.items()))
        if meta is not None:
            return self._rows(call, make_meta(meta))
        if isinstance(func, str):
            found, grouped = self._metas(call)
            looked_up = transformed(self.grouping, self._places, call, found)
            return self._rows(call, found, grouped) if looked_up is None else new_collection(looked_up)
        made = self._made_of_data(call)
        return self._rows(call, with_missing(made) if self.grouping.may_drop else made, made)

    def _made_of_data(self, function: Any) -> Any:
        arguments = {"function": function, "by": self.grouping.by, "values": self._places}
        return meta_from_data(_called, self.grouping.rows_in_groups, [], arguments)

    # ---- some rows of each group -------------------------------------------------------------------------------------

    def _some_rows(self, function: Any) -> Any:
        return self._some_rows_of(labelled(self.grouping.frame), function)

    def _rows_at_an_end(self, function: Any, n: int, *, last: bool) -> Any:
        """Some of the first, or last, rows of groups: none but those of each partition can be among them."""
        frame = labelled(self.grouping.frame)
        if frame.npartitions > 1 and n >= 0:
            frame = EndsOfGroups(frame, self.grouping.by, n, last)
        return self._some_rows_of(frame, function)

    def _some_rows_of(self, frame: FrameExpr, function: Any) -> Any:
        places = self._all_places
        empty = frame.meta.iloc[:, places if isinstance(places, int) else list(places)]
        return new_collection(rows_of_groups(frame, self.grouping.by, places, function, empty, all_rows=False))

    def head(self, n: int = 5) -> Any:
        """The first rows of each group, in the order of all rows."""
        return self._rows_at_an_end(CallForRows("head", (n,)), n, last=False)

    def tail(self, n: int = 5) -> Any:
        """The last rows of each group, in the order of all rows."""
        return self._rows_at_an_end(CallForRows("tail", (n,)), n, last=True)

    def nth(self, n: Any, dropna: Any = None) -> Any:
        """The rows of some numbers in each group, in the order of all rows."""
        function = CallForRows("nth", (n, dropna))
        if not isinstance(n, int) or dropna is not None:
            return self._some_rows(function)
        return self._rows_at_an_end(function, -n if n < 0 else n + 1, last=n < 0)

    def sample(
        self,
        n: int | None = None,
        frac: float | None = None,
        replace: bool = False,
        weights: None = None,
        random_state: Any = None,
    ) -> Any:
        """Rows of each group picked at random, in the order of all rows.

        Parameters
        ----------
        n : int, optional
            How many of each group; 1 unless `frac` is given.
        frac : float, optional
            Which fraction of each group.
        replace : bool
            Whether a row may be picked several times.
        weights : None
            Not supported.
        random_state : int or RandomState, optional
            A seed, for the same rows each time, whatever the partitions.

        Raises
        ------
        ValueError
            `n` and `frac` are both given, or a group has fewer rows; that on compute.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"k": ["a", "b", "a"], "x": [1, 2, 4]}), npartitions=2)
        >>> sorted(df.groupby("k").sample(random_state=1).k.compute())
        ['a', 'b']
        """
        if n is not None and frac is not None:
            raise ValueError("Please enter a value for `frac` OR `n`, not both")
        if (n or frac or 0) < 0:
            raise ValueError("A negative number of rows requested. Please provide `n` >= 0 and `frac` >= 0.")
        if (frac or 0) > 1 and not replace:
            raise ValueError("Replace has to be set to `True` when upsampling the population `frac` > 1.")
        if weights is not None:
            raise NotImplementedError("sample(weights=) by group: apply a function that samples each group")
        return self._some_rows(SampleGroups(n, frac, replace, seeds_of(random_state, 1)[0]))

    def filter(self, func: Callable[..., Any], dropna: bool = True, *args: Any, **kwargs: Any) -> Any:
        """The rows of those groups for which a function is true.

        Parameters
        ----------
        func : callable
            Called with the rows of each group, a pandas object.
        dropna : bool
            Leave the others out; otherwise their values are missing.
        """
        function = KeepGroups(func, dropna, args, tuple(kwargs.items()))
        if dropna:
            return self._some_rows(function)
        frame, places = self.grouping.frame, self._all_places
        whole = frame.meta.iloc[:, places if isinstance(places, int) else list(places)]
        lacking = with_index(with_missing(whole), index_of(frame.meta))
        return new_collection(
            rows_of_groups(
                labelled(frame), self.grouping.by, places, function, lacking,
                all_rows=True, grouped_meta=whole,
            )
        )  # fmt: skip

    def get_group(self, name: Any) -> Any:
        """The rows of one group, given its key, a tuple where there are several."""
        grouping = self.grouping
        several = len(grouping.keys) > 1 or grouping.in_list
        if several and not (isinstance(name, tuple) and len(name) == len(grouping.keys)):
            raise ValueError("must supply a tuple to get_group with multiple grouping keys")
        names = name if several else (name,)
        if grouping.dropna and any(map(_is_missing, names)):
            raise KeyError(name)
        frame = labelled(grouping.frame)
        mask: FrameExpr | None = None
        for position, key in zip(grouping.keys, names):
            series = column(frame, position)
            own = rowwise(Method("isna"), series) if _is_missing(key) else rowwise(Method("eq"), series, key)
            mask = own if mask is None else rowwise(Method("__and__"), mask, own)
        assert mask is not None
        places = self._all_places
        kind: Kind = "series" if isinstance(places, int) else "frame"
        chosen = (places,) if isinstance(places, int) else tuple(places)
        return new_collection(filtered(Project(frame, Wanted(chosen, True), kind), mask))

    def __len__(self) -> int:
        """How many groups there are; computed."""
        return len(self.size())  # type: ignore[attr-defined]

    @property
    def ngroups(self) -> int:
        """How many groups there are; computed."""
        return len(self)

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        """Each group's key and rows; the keys are computed now."""
        keys = self.size().compute()  # type: ignore[attr-defined]
        n_keys = len(self.grouping.keys)
        index = keys.index if self.grouping.as_index else pd.MultiIndex.from_frame(keys.iloc[:, :n_keys])
        if n_keys == 1 and isinstance(index, pd.MultiIndex):
            index = index.get_level_values(0)
        for key in index:
            name = (key,) if self.grouping.in_list and n_keys == 1 else key
            yield name, self.get_group(name)

    # ---- all rows of a group together --------------------------------------------------------------------------------

    def _without_spans(self, name: str) -> Grouping:
        if self.grouping.spans:
            raise NotImplementedError(
                f"{name} of all spans of a pd.Grouper: group by a list of it, [pd.Grouper(...)], which has only spans "
                "with rows, or use resample"
            )
        return self.grouping

    def _by_group(self, function: Any, *, labels: bool = False, together: bool = False, may_lack: bool = False) -> Any:
        grouping = self._without_spans(str(getattr(function, "__name__", function)))
        meta = grouping.of_sample(function, self._places).iloc[:0]
        meta = with_missing(meta) if may_lack else meta
        with_keys = meta
        if not grouping.group_keys:
            with_keys = grouping.of_sample(function, self._places, group_keys=True)
        frame = labelled(grouping.frame) if labels else grouping.frame
        drops = meta.index.nlevels < with_keys.index.nlevels
        made = groups_of_rows(frame, grouping.by, self._places, function, meta, drops_keys=drops, together=together)
        return new_collection(made)

    def _with_keys_as_index(self) -> Self:
        other = copy(self)
        other.grouping = replace(self.grouping, as_index=True)
        return other

    def apply(self, func: Callable[..., Any], *args: Any, meta: Any = None, **kwargs: Any) -> Any:
        """What a function makes of each group.

        Parameters
        ----------
        func : callable
            Called with the rows of each group, a pandas object without the keys; returns a pandas object or a scalar.
        *args, **kwargs
            For the function.
        meta : pandas object, optional
            An empty one of the labels and dtypes of the result. Without it the function is called now, for some groups
            of the first partition that has any: up to 1,000, as long as these have no more than 65,536 rows.

        Returns
        -------
        DataFrame or Series
            With ``as_index=False`` what is made of a group as a whole has the keys as columns, and rows that are made
            of groups are without keys.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"k": ["a", "b", "a"], "x": [1, 2, 4]}), npartitions=2)
        >>> df.groupby("k").apply(lambda group: group.x.max() - group.x.min()).compute()
        k
        a    3
        b    0
        dtype: int64
        """
        grouping = self._without_spans("apply")
        function = Applied(func, args, tuple(kwargs.items()))
        found = None if meta is None else make_meta(meta)
        return self._applied(function, found) if grouping.as_index else self._applied_without_index(function, found)

    def _applied(self, function: Applied, found: Any) -> Any:
        grouping = self.grouping
        frame = labelled(grouping.frame)
        if found is None:
            found = self._made_of_data(function)
            if has_default_index(found):  # numbers that label rows in one group do not count those of the result
                found = found.set_axis(pd.Index([], dtype="int64", name=found.index.name), axis=0)
        drops = not grouping.group_keys
        return new_collection(groups_of_rows(frame, grouping.by, self._places, function, found, drops_keys=drops))

    def _applied_without_index(self, function: Applied, found: Any) -> Any:
        grouping = self.grouping
        levels = list(range(len(grouping.keys)))
        other = self._with_keys_as_index()
        other.grouping = replace(other.grouping, group_keys=True)
        if found is not None and _has_keys(found, grouping):
            inner = found.iloc[:, len(levels) :].set_axis(grouping.index_meta(), axis=0)
            whole = AppliedAsFrame(function.function, function.args, function.kwargs)
            return other._applied(whole, inner).reset_index()
        made = other._applied(function, None if found is None else _with_keys(found, grouping))
        of_rows = made.expr.meta.index.nlevels > len(levels)
        if of_rows and not grouping.group_keys:
            return self._with_keys_as_index()._applied(function, made.expr.meta.droplevel(levels))
        if of_rows:
            return made.reset_index(level=levels, drop=True)
        return (made if isinstance(made.expr.meta, pd.DataFrame) else made.to_frame(self._name_of_whole)).reset_index()

    @property
    def _name_of_whole(self) -> Hashable:
        """Of the column of what a function makes of groups, one value of each."""
        return None

    def value_counts(
        self,
        normalize: bool = False,
        sort: bool = True,
        ascending: bool = False,
        dropna: bool = True,
        *,
        subset: Any = None,
    ) -> Any:
        """How often each value, or each row, is there in each group.

        Parameters
        ----------
        normalize : bool
            As shares of the group's rows.
        sort : bool
            By how often, in each group.
        ascending : bool
            Rarest first.
        dropna : bool
            Leave missing values out.
        subset : list of labels, optional
            Columns to look at; all that are no keys unless given.
        """
        if subset is not None:
            return self[list(subset)].value_counts(normalize, sort, ascending, dropna)  # type: ignore[index]
        if not self.grouping.as_index:
            return self._with_keys_as_index().value_counts(normalize, sort, ascending, dropna).reset_index()
        options = {"normalize": normalize, "sort": sort, "ascending": ascending, "dropna": dropna}
        return self._by_group(Call("value_counts", (), tuple(options.items())), together=not self.grouping.sort)

    def cov(self, min_periods: int | None = None, ddof: int = 1, numeric_only: bool = False) -> Any:
        """Covariance of each pair of columns in each group."""
        options = {"min_periods": min_periods, "ddof": ddof, "numeric_only": numeric_only}
        return self._matrices(Call("cov", (), tuple(options.items())))

    def corr(self, method: str = "pearson", min_periods: int = 1, numeric_only: bool = False) -> Any:
        """Correlation of each pair of columns in each group."""
        options = {"method": method, "min_periods": min_periods, "numeric_only": numeric_only}
        return self._matrices(Call("corr", (), tuple(options.items())))

    def _matrices(self, call: Call) -> Any:
        if not self.grouping.as_index:
            made = self._with_keys_as_index()._matrices(call)
            return made.reset_index(level=list(range(len(self.grouping.keys))), drop=True)
        meta = self.grouping.of_sample(call, self._places).iloc[:0]
        found = matrices(self.grouping, self._places, call, meta)
        made = self._by_group(call) if found is None else new_collection(found)
        return new_collection(OfNoRows(made.expr, self.grouping.of_no_rows(call, self._places)))

    def describe(self, percentiles: Any = None, include: Any = None, exclude: Any = None) -> Any:
        """Count, mean, deviation, extremes and quantiles of each group; see `DataFrame.describe`."""
        if not self.grouping.as_index:
            return self._with_keys_as_index().describe(percentiles, include, exclude).reset_index()
        call = Call("describe", (percentiles, include, exclude))
        made = self._by_group(call, together=not self.grouping.sort)
        return new_collection(OfNoRows(made.expr, self.grouping.of_no_rows(call, self._places)))

    def rolling(self, window: Any, min_periods: int | None = None, **options: Any) -> WindowsOfGroups:
        """Windows of the last rows, in each group; has the methods of pandas' windows."""
        return WindowsOfGroups(self, Call("rolling", (window, min_periods), tuple(options.items())))

    def expanding(self, min_periods: int = 1) -> WindowsOfGroups:
        """Windows of all rows up to each, in each group."""
        return WindowsOfGroups(self, Call("expanding", (min_periods,)))

    def ewm(self, *args: Any, **options: Any) -> WindowsOfGroups:
        """All rows up to each in each group, of which those before count for less and less; with pandas' options."""
        return WindowsOfGroups(self, Call("ewm", args, tuple(options.items())))

    def resample(self, rule: Any, **options: Any) -> SpansOfGroups:
        """Rows by spans of time in each group, by the labels of rows; with pandas' options."""
        if not isinstance(index_of(self.grouping.frame.meta), pd.DatetimeIndex):
            raise TypeError("resample by group needs an index of times: set_index(column) first")
        return SpansOfGroups(self, Call("resample", (rule,), tuple(options.items())))

    def ohlc(self) -> Any:
        """First, greatest, least and last value of each group."""
        return self._by_group(Call("ohlc"))

    def pipe(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """``func(self, *args, **kwargs)``."""
        return func(self, *args, **kwargs)


def _called(value: pd.DataFrame, function: Any, by: PandasKeys, values: Any) -> Any:
    made = function(by, by.some_groups(value), values)
    return made.value if isinstance(made, SomeRows) else made


def _has_keys(meta: Any, grouping: Grouping) -> bool:
    """Whether a meta has the keys of groups as columns."""
    names = list(grouping.names)
    return isinstance(meta, pd.DataFrame) and has_default_index(meta) and list(meta.columns[: len(names)]) == names


def _with_keys(meta: Any, grouping: Grouping) -> Any:
    """The meta of rows with the keys of their groups as levels of its index before its own."""
    indexes = (grouping.index_meta(), meta.index)
    levels = [index.get_level_values(i) for index in indexes for i in range(index.nlevels)]
    names = [*grouping.names, *meta.index.names]
    return meta.set_axis(pd.MultiIndex.from_arrays(levels, names=names), axis=0)


def with_missing(meta: Any) -> Any:
    """The meta of the same columns where values may be missing."""
    wider = {"b": object, "i": "float64", "u": "float64"}
    if isinstance(meta, pd.Series):
        return meta.astype(wider[meta.dtype.kind]) if _is_plain(meta.dtype) else meta
    columns = {i: with_missing(meta.iloc[:, i]) for i in range(meta.shape[1])}
    return pd.DataFrame(columns, index=meta.index).set_axis(meta.columns, axis=1)


def _is_plain(dtype: Any) -> bool:
    return isinstance(dtype, np.dtype) and dtype.kind in "biu"


def _is_missing(key: Any) -> bool:
    return bool(pd.api.types.is_scalar(key) and pd.isna(key))
