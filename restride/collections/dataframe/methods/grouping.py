"""`groupby`."""

from __future__ import annotations

from typing import Any

import pandas as pd

from restride.collections.dataframe.base import FrameBase
from restride.collections.dataframe.groupby.groupby import DataFrameGroupBy, SeriesGroupBy
from restride.collections.dataframe.groupby.grouping import grouping_of
from restride.collections.dataframe.operations.selection import Project


class Grouped(FrameBase):
    """Rows by groups."""

    def groupby(
        self,
        by: Any = None,
        level: Any = None,
        as_index: bool = True,
        sort: bool = True,
        group_keys: bool = True,
        observed: bool = True,
        dropna: bool = True,
    ) -> Any:
        """Group rows, to aggregate, transform or filter them.

        Parameters
        ----------
        by : label, series, function of labels, dict, pandas.Grouper, or list of such
            By what: labels are those of columns, or names of levels of the index. By spans of time, which a Grouper
            with a frequency has, also those without rows are groups, unless they are in a list.
        level : int, str, or list of such
            Levels of the index, instead of `by`.
        as_index : bool
            Results have the keys for their index; otherwise for columns in front.
        sort : bool
            Groups come in the order of their keys, otherwise in that in which they appear.
        group_keys : bool
            `apply` puts the keys in front of the index of what a function returns.
        observed : bool
            Groups only for categories that occur; otherwise for all combinations of categories.
        dropna : bool
            Leave out rows whose keys are missing; otherwise a missing key is one like others.

        Returns
        -------
        DataFrameGroupBy or SeriesGroupBy

        Raises
        ------
        KeyError
            There is no such column or level.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"k": ["a", "b", "a"], "x": [1, 2, 4]}), npartitions=2)
        >>> df.groupby("k").x.mean().compute()
        k
        a    2.5
        b    2.0
        Name: x, dtype: float64
        """
        series = isinstance(self.expr.meta, pd.Series)
        frame = Project(self.expr, self.expr.everything, "frame") if series else self.expr
        if series:
            if not as_index:
                raise TypeError("as_index=False only valid with DataFrame")
            # The series' own label is no key, as pandas has it.
            by = _not_its_label(by, self.expr.meta)
        grouping = grouping_of(
            frame,
            by,
            level,
            as_index=as_index,
            sort=sort,
            group_keys=group_keys,
            observed=observed,
            dropna=dropna,
        )
        return SeriesGroupBy(grouping, [0]) if series else DataFrameGroupBy(grouping, grouping.values)


def _not_its_label(by: Any, meta: pd.Series) -> Any:
    for one in by if isinstance(by, list) else [by]:
        if isinstance(one, str) and one not in meta.index.names:
            raise KeyError(one)
    return by
