"""Values that are there several times: dropped, counted, told apart."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.collection import compute
from restride.collections.dataframe.base import FrameBase
from restride.collections.dataframe.expr import FrameExpr, ScalarExpr, Wanted
from restride.collections.dataframe.groupby.aggregating import ROWS, aggregated
from restride.collections.dataframe.groupby.grouping import Grouping
from restride.collections.dataframe.groupby.rows import with_missing
from restride.collections.dataframe.groupby.specs import Asked, Output
from restride.collections.dataframe.meta import is_unknown_categorical, positions_of
from restride.collections.dataframe.operations.categorizing import with_categories
from restride.collections.dataframe.operations.distinct import distinct
from restride.collections.dataframe.operations.groupby.counts import (
    AsDtype,
    MostFrequent,
    OfWhole,
    Ranked,
    ScalarsAsSeries,
    SideBySide,
    Unstacked,
)
from restride.collections.dataframe.operations.groupby.duplicates import DropDuplicates
from restride.collections.dataframe.operations.groupby.pandas_groups import PandasKeys, rows_of_groups
from restride.collections.dataframe.operations.places import index_as_series, series_as_index
from restride.collections.dataframe.operations.reductions import count_rows, is_numeric
from restride.collections.dataframe.operations.rowwise import Method, assigned, filtered, labelled, rowwise
from restride.collections.dataframe.operations.selection import Project, column, renamed, without_index


class Repetition(FrameBase):
    """Of frames and series."""

    def value_counts(
        self,
        subset: Any = None,
        normalize: bool = False,
        sort: bool = True,
        ascending: bool = False,
        dropna: bool = True,
    ) -> Any:
        """How often each combination of values is there.

        Parameters
        ----------
        subset : label or list of labels, optional
            Columns to look at; all unless given.
        normalize : bool
            As shares of all rows that are counted.
        sort : bool
            By how often; what is as often stays in the order in which it appears.
        ascending : bool
            Rarest first.
        dropna : bool
            Leave out rows with missing values.

        Returns
        -------
        Series

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"x": ["a", "b", "b"]}), npartitions=2)
        >>> df.value_counts("x").compute()
        x
        b    2
        a    1
        Name: count, dtype: int64
        """
        frame = self.expr
        listed = subset is None or pd.api.types.is_list_like(subset)
        labels = list(frame.meta.columns) if subset is None else list(subset) if listed else [subset]
        keys = _positions(frame, labels)
        counts = _counts(frame, keys, dropna, observed=False, sort=False)
        ranked = _ranked(counts, Ranked(sort, ascending, normalize), normalize)
        if listed and len(keys) == 1:
            return self._new(OfWhole(ranked, _as_multi, _as_multi(ranked.meta)))
        return self._new(ranked)

    def drop_duplicates(self, subset: Any = None, keep: Any = "first", ignore_index: bool = False) -> Any:
        """The rows without those whose values earlier ones have, too; in their order, in one partition.

        Parameters
        ----------
        subset : label or list of labels, optional
            Columns to look at; all unless given.
        keep : {"first", "last", False}
            Which of equal rows stays; False for none.
        ignore_index : bool
            Number the rows that are left.

        Raises
        ------
        KeyError
            There is no such column.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"x": [1, 2, 1], "y": [3, 4, 5]}), npartitions=2)
        >>> df.drop_duplicates("x").compute()
           x  y
        0  1  3
        1  2  4
        """
        return self._new(_without_duplicates(self.expr, _subset(self.expr, subset), keep, ignore_index))

    def duplicated(self, subset: Any = None, keep: Any = "first") -> Any:
        """For each row whether an earlier one has the same values; see `drop_duplicates`."""
        return self._new(_duplicated(self.expr, _subset(self.expr, subset), keep))

    def nunique(self, axis: Any = 0, dropna: bool = True) -> Any:
        """How many different values each column has, or each row with ``axis=1``.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"x": [1, 2, 1], "y": [3, 4, 5]}), npartitions=2)
        >>> df.nunique().compute()
        x    2
        y    3
        dtype: int64
        """
        if axis in (1, "columns"):
            return self._new(rowwise(Method("nunique"), self.expr, axis=1, dropna=dropna))
        counts = tuple(_n_distinct(column(self.expr, i), dropna) for i in range(self.expr.layout.n_columns))
        return self._new(ScalarsAsSeries(counts, self.expr.meta.columns, np.dtype(np.int64)))

    def mode(self, dropna: bool = True) -> Any:
        """The most frequent values of each column, sorted; columns with fewer of them are filled up."""
        modes = [
            SeriesRepetition.mode(self._new(column(self.expr, i)), dropna) for i in range(len(self.expr.meta.columns))
        ]
        meta = with_missing(self.expr.meta.set_axis(pd.RangeIndex(0), axis=0))
        return self._new(SideBySide(tuple(mode.expr for mode in modes), meta))

    def categorize(self, columns: Any = None) -> Any:
        """The frame with columns as categoricals; which values there are is computed now.

        Parameters
        ----------
        columns : label or list of labels, optional
            All of strings and objects unless given.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"x": ["b", "a", "b"]}), npartitions=2)
        >>> df.categorize().x.dtype.categories.tolist()
        ['a', 'b']
        """
        meta = self.expr.meta
        if columns is None:
            chosen = [i for i, dtype in enumerate(meta.dtypes) if is_to_categorize(dtype)]
        else:
            chosen = _positions(self.expr, columns if isinstance(columns, list) else [columns])
        found = compute(*(self._new(distinct(column(self.expr, i))) for i in chosen))
        made = {}
        for i, values in zip(chosen, found):
            ordered = getattr(meta.dtypes.iloc[i], "ordered", False)
            dtype = pd.CategoricalDtype(values, ordered=ordered)
            made[meta.columns[i]] = with_categories(column(self.expr, i), dtype)
        return self._new(assigned(self.expr, made)) if made else self

    def pivot_table(
        self, values: Any = None, index: Any = None, columns: Any = None, aggfunc: Any = "mean", fill_value: Any = None
    ) -> Any:
        """Aggregates by keys in rows, and one in columns; which columns there are is computed now.

        Parameters
        ----------
        values : label or list of labels, optional
            What is aggregated; all other columns of numbers unless given.
        index : label or list of labels
            Row keys.
        columns : label, optional
            Column key.
        aggfunc : str, or dict of such by label
            Name of an aggregate; several where there is no column key.
        fill_value : scalar, optional
            Instead of missing values.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = pd.DataFrame({"a": [1, 1, 2], "b": ["x", "y", "x"], "v": [1, 2, 3]})
        >>> rd.from_pandas(df, npartitions=2).pivot_table("v", "a", "b", "sum").compute()
        b    x    y
        a
        1  1.0  2.0
        2  3.0  NaN
        """
        rows = index if isinstance(index, list) else [index]
        if index is None or isinstance(columns, list):
            raise NotImplementedError("pivot_table takes row keys and one column key")
        if columns is None:
            return self._pivoted_by_rows(values, rows, aggfunc, fill_value)
        if not isinstance(aggfunc, str):
            raise NotImplementedError("pivot_table takes the name of one aggregate")
        keys = _positions(self.expr, [*rows, columns])
        meta = self.expr.meta
        single = values is not None and not isinstance(values, list)
        if values is None:
            chosen = [i for i in range(meta.shape[1]) if i not in keys and is_numeric(meta.dtypes.iloc[i])]
        else:
            chosen = _positions(self.expr, [values] if single else values)
        (labels,) = compute(self._new(distinct(column(self.expr, keys[-1]))))
        grouping = _grouping(self.expr, keys, dropna=True, observed=True, sort=True)
        outputs = tuple(Output(meta.columns[i], i, aggfunc) for i in chosen)
        made = aggregated(grouping, Asked(outputs, None if single else meta.columns[chosen]), None)
        labels = pd.Index(labels, name=columns)
        if not single:
            order = sorted(meta.columns[chosen])
            labels = pd.MultiIndex.from_product([order, labels], names=[None, columns])
        unstacked = Unstacked(labels, fill_value)
        index_meta = made.meta.index.droplevel(-1)
        dtypes = [made.meta.dtype] * len(labels) if single else [made.meta.dtypes[label[0]] for label in labels]
        empty = pd.DataFrame({i: pd.Series([], dtype=dtype) for i, dtype in enumerate(dtypes)}).set_axis(labels, axis=1)
        empty = empty if fill_value is not None else with_missing(empty)
        return self._new(OfWhole(made, unstacked, empty.set_axis(index_meta, axis=0)))

    def _pivoted_by_rows(self, values: Any, rows: list[Any], aggfunc: Any, fill_value: Any) -> Any:
        """What `pivot_table` is without a column key: aggregates of groups that have any."""
        if not isinstance(aggfunc, (str, dict)):
            raise NotImplementedError("pivot_table takes the name of an aggregate, or a dict of names; or use groupby")
        meta = self.expr.meta
        keys = _positions(self.expr, rows)
        if values is not None:
            chosen = _positions(self.expr, values if isinstance(values, list) else [values])
        elif isinstance(aggfunc, dict):
            chosen = _positions(self.expr, list(aggfunc))
        else:
            chosen = [i for i in range(meta.shape[1]) if i not in keys and is_numeric(meta.dtypes.iloc[i])]
        groups = self.groupby(rows)[sorted(meta.columns[chosen])]  # type: ignore[attr-defined]
        if isinstance(aggfunc, dict):
            aggfunc = {label: aggfunc[label] for label in sorted(aggfunc)}
        made = groups.agg(aggfunc).dropna(how="all")
        return made if fill_value is None else made.fillna(fill_value)


class SeriesRepetition(FrameBase):
    """Of series."""

    def value_counts(
        self,
        normalize: bool = False,
        sort: bool = True,
        ascending: bool = False,
        bins: Any = None,
        dropna: bool = True,
    ) -> Any:
        """How often each value is there.

        Parameters
        ----------
        normalize : bool
            As shares of all values that are counted.
        sort : bool
            By how often; what is as often stays in the order in which it appears.
        ascending : bool
            Rarest first.
        dropna : bool
            Leave missing values out.

        Returns
        -------
        Series

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> x = rd.from_pandas(pd.Series(["a", "b", "b"]), npartitions=2)
        >>> x.value_counts().compute()
        b    2
        a    1
        Name: count, dtype: int64
        """
        if bins is not None:
            raise NotImplementedError("value_counts(bins=...): count what pandas.cut gives by map_partitions")
        ranked = Ranked(sort, ascending, normalize)
        counts = _counts_of_values(self.expr, dropna)
        return self._new(_ranked(counts, ranked, normalize))

    def drop_duplicates(self, keep: Any = "first", ignore_index: bool = False) -> Any:
        """The values without those that are there earlier, too; in their order, in one partition."""
        frame = Project(self.expr, self.expr.everything, "frame")
        made = _without_duplicates(frame, [0], keep, ignore_index)
        named = column(made, 0)
        return self._new(renamed(named, named.meta.rename(self.expr.meta.name)))

    def duplicated(self, keep: Any = "first") -> Any:
        """For each value whether it is there earlier, too."""
        return self._new(_duplicated(Project(self.expr, self.expr.everything, "frame"), [0], keep, self.expr.meta.name))

    def unique(self) -> Any:
        """The different values, in the order in which they appear, as a series.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> rd.from_pandas(pd.Series([2, 1, 2]), npartitions=2).unique().compute().tolist()
        [2, 1]
        """
        return self.drop_duplicates(ignore_index=True)

    def nunique(self, dropna: bool = True) -> Any:
        """How many different values there are."""
        return self._new(_n_distinct(self.expr, dropna))

    def mode(self, dropna: bool = True) -> Any:
        """The most frequent values, sorted."""
        counts = _counts_of_values(self.expr, dropna)
        meta = pd.Series(counts.meta.index.array, name=self.expr.meta.name, dtype=self.expr.meta.dtype)
        return self._new(OfWhole(counts, MostFrequent(self.expr.meta.name), meta))


class IndexRepetition(FrameBase):
    """Of indexes."""

    def _as_series(self) -> Any:
        return self._new(index_as_series(self.expr))

    def unique(self) -> Any:
        """The different labels, in the order in which they appear; an index."""
        return self._new(series_as_index(without_index(self._as_series().unique().expr)))

    def nunique(self, dropna: bool = True) -> Any:
        """How many different labels there are."""
        return self._as_series().nunique(dropna)

    def value_counts(self, **options: Any) -> Any:
        """How often each label is there; see `Series.value_counts`."""
        return self._as_series().value_counts(**options)


@dataclass(frozen=True)
class MarkDuplicates:
    """For each row of whole groups whether another of its group comes before it."""

    keep: Any
    name: Hashable
    __name__ = "duplicated"

    def __call__(self, by: PandasKeys, value: pd.DataFrame, values: Any) -> pd.Series:
        return value.iloc[:, list(by.keys)].duplicated(keep=self.keep).rename(self.name)


def _subset(frame: FrameExpr, subset: Any) -> list[int]:
    if subset is None:
        return list(range(frame.layout.n_columns))
    return _positions(frame, list(subset) if pd.api.types.is_list_like(subset) and not _is_label(frame, subset)
                      else [subset])  # fmt: skip


def _is_label(frame: FrameExpr, label: Any) -> bool:
    return isinstance(label, tuple) and label in frame.meta.columns


def _positions(frame: FrameExpr, labels: Sequence[Hashable]) -> list[int]:
    missing = [label for label in labels if label not in frame.meta.columns]
    if missing:
        raise KeyError(pd.Index(missing))
    return list(dict.fromkeys(positions_of(frame.meta, labels)))


def _without_duplicates(frame: FrameExpr, on: list[int], keep: Any, ignore_index: bool) -> FrameExpr:
    if keep not in ("first", "last", False) or (isinstance(keep, int) and keep is not False):
        raise ValueError('keep must be either "first", "last" or False')
    if not on:
        return frame
    if not ignore_index:
        return DropDuplicates(labelled(frame), tuple(on), keep)
    made = DropDuplicates(without_index(frame), tuple(on), keep)
    return renamed(made, made.meta.rename_axis(index=None))


def _duplicated(frame: FrameExpr, on: list[int], keep: Any, name: Hashable = None) -> FrameExpr:
    if keep not in ("first", "last", False) or (isinstance(keep, int) and keep is not False):
        raise ValueError('keep must be either "first", "last" or False')
    keys = PandasKeys(tuple(on), tuple(range(len(on))), True, False, True, True, False)
    meta = pd.Series([], dtype=bool, index=frame.meta.index, name=name)
    return rows_of_groups(frame, keys, on, MarkDuplicates(keep, name), meta, all_rows=True)


def _grouping(frame: FrameExpr, keys: Sequence[int], *, dropna: bool, observed: bool, sort: bool) -> Grouping:
    names = tuple(frame.meta.columns[key] for key in keys)
    n = frame.layout.n_columns
    return Grouping(frame, n, tuple(keys), names, len(keys) > 1, True, sort, True, observed, dropna)


def _counts(frame: FrameExpr, keys: Sequence[int], dropna: bool, *, observed: bool, sort: bool) -> FrameExpr:
    grouping = _grouping(frame, keys, dropna=dropna, observed=observed, sort=sort)
    return aggregated(grouping, Asked((Output("count", keys[0], "size", (ROWS,)),), None), None)


def _counts_of_values(series: FrameExpr, dropna: bool) -> FrameExpr:
    frame = Project(series, series.everything, "frame")
    categorical = isinstance(series.meta.dtype, pd.CategoricalDtype)
    grouping = _grouping(frame, [0], dropna=dropna, observed=not categorical, sort=categorical)
    named = Grouping(**{**vars(grouping), "names": (series.meta.name,)})
    counts = aggregated(named, Asked((Output("count", 0, "size", (ROWS,)),), None), None)
    dtype = pd.Series([], dtype=series.meta.dtype).value_counts().dtype
    if counts.meta.dtype != dtype:
        counts = OfWhole(counts, AsDtype(dtype), counts.meta.astype(dtype))
    return counts


def _ranked(counts: FrameExpr, ranked: Ranked, normalize: bool) -> FrameExpr:
    name = "proportion" if normalize else "count"
    meta = ranked(counts.meta).rename(name)
    return OfWhole(counts, ranked, meta)


def _as_multi(counts: pd.Series) -> pd.Series:
    index = pd.MultiIndex.from_arrays([counts.index], names=[counts.index.name])
    return counts.set_axis(index)


def _n_distinct(series: FrameExpr, dropna: bool) -> ScalarExpr:
    frame = Project(series, Wanted((0,), False), "frame")
    distinct = DropDuplicates(frame, (0,), "first")
    if dropna:
        there = rowwise(Method("notna"), column(distinct, 0))
        return count_rows(filtered(distinct, there))
    return count_rows(distinct)


def is_to_categorize(dtype: Any) -> bool:
    """Whether columns of a dtype are made categoricals unless others are asked for."""
    texts = pd.api.types.is_object_dtype(dtype) or isinstance(dtype, pd.StringDtype)
    return bool(texts or is_unknown_categorical(dtype))
