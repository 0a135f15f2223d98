"""Values that are there several times: dropped, counted, told apart."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.collection import compute
from restride.collections.dataframe.base import FrameBase
from restride.collections.dataframe.binning import cut
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
)
from restride.collections.dataframe.operations.groupby.duplicates import DropDuplicates
from restride.collections.dataframe.operations.groupby.pandas_groups import PandasKeys, rows_of_groups
from restride.collections.dataframe.operations.places import index_as_series, series_as_index
from restride.collections.dataframe.operations.reductions import count_rows
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
        keys = positions_listed(frame, labels)
        repeated = [label for label in labels if len(positions_of(frame.meta, [label])) > 1]
        if repeated:
            raise ValueError(f"Grouper for {repeated[0]!r} not 1-dimensional")
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
            chosen = positions_listed(self.expr, columns if isinstance(columns, list) else [columns])
        found = compute(*(self._new(distinct(column(self.expr, i))) for i in chosen))
        made = {}
        for i, values in zip(chosen, found):
            ordered = getattr(meta.dtypes.iloc[i], "ordered", False)
            dtype = pd.CategoricalDtype(values, ordered=ordered)
            made[meta.columns[i]] = with_categories(column(self.expr, i), dtype)
        return self._new(assigned(self.expr, made)) if made else self


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
        bins : int or sequence, optional
            Count by intervals; see `cut`.
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
            return self._counts_of_bins(bins, BinCounts(sort, ascending, normalize, dropna))
        ranked = Ranked(sort, ascending, normalize)
        counts = _counts_of_values(self.expr, dropna)
        return self._new(_ranked(counts, ranked, normalize))

    def _counts_of_bins(self, bins: Any, counted: BinCounts) -> Any:
        values = cut(self, bins, include_lowest=True)
        counts = _counts_of_values(values.expr, dropna=False)
        meta = counted(counts.meta)
        return self._new(OfWhole(counts, counted, meta))

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

    def factorize(self, sort: bool = False, use_na_sentinel: bool = True) -> tuple[Any, pd.Index]:
        """Numbers for values, an array that is not computed yet; and the values, which are computed now.

        Parameters
        ----------
        sort : bool
            The values in their order, and not in that in which they appear.
        use_na_sentinel : bool
            Must be true: -1 for missing values.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> codes, values = rd.from_pandas(pd.Series(["b", "a", "b"]), npartitions=2).factorize()
        >>> codes.compute().tolist(), values.tolist()
        ([0, 1, 0], ['b', 'a'])
        """
        if not use_na_sentinel:
            raise NotImplementedError("factorize(use_na_sentinel=False): fill the missing values in first")
        found = self.unique().compute().dropna()
        values = pd.Index(found.array)
        values = values.sort_values() if sort else values
        codes = rowwise(CodesOf(values), without_index(self.expr), declared=pd.Series([], dtype="int64"))
        return self._new(codes).to_array(), values

    def nunique(self, dropna: bool = True) -> Any:
        """How many different values there are."""
        return self._new(_n_distinct(self.expr, dropna))

    def mode(self, dropna: bool = True) -> Any:
        """The most frequent values, sorted."""
        counts = _counts_of_values(self.expr, dropna)
        meta = pd.Series(counts.meta.index.array, name=self.expr.meta.name, dtype=self.expr.meta.dtype)
        return self._new(OfWhole(counts, MostFrequent(self.expr.meta.name), meta))


@dataclass(frozen=True)
class BinCounts:
    """Counts of intervals, those without values among them."""

    sort: bool
    ascending: bool
    normalize: bool
    dropna: bool
    __name__ = "value_counts"

    def __call__(self, counts: pd.Series) -> pd.Series:
        known = counts[counts.index.notna()]
        found = known.set_axis(known.index.astype(known.index.categories.dtype).rename(None), axis=0).sort_index()
        total = counts.sum()  # of values in no interval, too, as pandas has it
        if self.dropna and not found.any():
            found = found.iloc[:0]
        if self.sort:
            found = found.sort_values(ascending=self.ascending, kind="stable")
        return (found / total).rename("proportion") if self.normalize else found


@dataclass(frozen=True)
class CodesOf:
    """Kernel: the places of values among some; -1 for those that are none of them."""

    values: pd.Index
    __name__ = "factorize"

    def __call__(self, series: pd.Series) -> pd.Series:
        return pd.Series(self.values.get_indexer(pd.Index(series)), dtype="int64")


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
    return positions_listed(frame, list(subset) if pd.api.types.is_list_like(subset) and not _is_label(frame, subset)
                      else [subset])  # fmt: skip


def _is_label(frame: FrameExpr, label: Any) -> bool:
    return isinstance(label, tuple) and label in frame.meta.columns


def positions_listed(frame: FrameExpr, labels: Sequence[Hashable]) -> list[int]:
    """The positions of columns by label; raises KeyError as pandas does for those that there are not."""
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
