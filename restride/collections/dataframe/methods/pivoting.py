"""Values of columns as columns: pivot tables, levels of the index as columns, columns as levels of the index."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import pandas as pd

from restride.collections.collection import compute
from restride.collections.dataframe.base import FrameBase, new_collection
from restride.collections.dataframe.margins import Margins
from restride.collections.dataframe.meta import as_list
from restride.collections.dataframe.methods.repetition import positions_listed
from restride.collections.dataframe.operations.partitions import MapPartitions
from restride.collections.dataframe.operations.reductions import one_row
from restride.collections.dataframe.operations.rowwise import Method, labelled
from restride.collections.dataframe.operations.sources import from_memory


class Unstacking(FrameBase):
    """Of frames and series."""

    def unstack(self, level: Any = -1, fill_value: Any = None, sort: bool = True) -> Any:
        """Levels of the index as columns; computed now, as all values are in the result.

        Parameters
        ----------
        level : int, label or list
        fill_value : scalar, optional
            Where there is no value.
        sort : bool

        Raises
        ------
        ValueError
            There are several values for the same place.
        """
        return _in_memory(self.compute().unstack(level, fill_value=fill_value, sort=sort))


class Pivoting(Unstacking):
    """Of frames."""

    def pivot_table(
        self,
        values: Any = None,
        index: Any = None,
        columns: Any = None,
        aggfunc: Any = "mean",
        fill_value: Any = None,
        margins: bool = False,
        dropna: bool = True,
        margins_name: Hashable = "All",
        observed: bool = True,
        sort: bool = True,
    ) -> Any:
        """Aggregates by keys in rows, and in columns; with keys in columns it is computed now, as these are data.

        Parameters
        ----------
        values : label or list of labels, optional
            What is aggregated; all other columns of numbers unless given.
        index : label or list of labels
            Row keys.
        columns : label or list of labels, optional
            Column keys.
        aggfunc : str, list of such, dict of such by label, or callable
            Name of an aggregate, or function of the values of a group.
        fill_value : scalar, optional
            Instead of missing values.
        margins : bool
            A row and columns of aggregates over all rows and columns more, of rows where nothing is missing unless
            `dropna` is false. Needs `index`.
        dropna : bool
            Leave out columns, and rows, where all is missing.
        margins_name : str
            Label of the margins.
        observed, sort : bool
            As for `groupby`.

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
        rows, over = as_list(index), as_list(columns)
        if not rows and not over:
            raise ValueError("No group keys passed!")
        if margins and not isinstance(margins_name, str):
            raise ValueError("margins_name argument must be a string")
        if margins and not rows:
            raise NotImplementedError("pivot_table(margins=True) without index=: group by the keys in columns")
        if rows and not over and isinstance(aggfunc, (str, dict)) and dropna and observed and sort and not margins:
            return self._by_rows(values, rows, aggfunc, fill_value)
        shape = {"fill_value": fill_value, "dropna": dropna, "observed": observed, "sort": sort}
        if isinstance(aggfunc, list):
            names = [one if isinstance(one, str) else one.__name__ for one in aggfunc]
            tables = [
                self._in_pandas(values, rows, over, one, shape, margins_name if margins else None) for one in aggfunc
            ]
            return _in_memory(pd.concat(tables, keys=names, axis=1))
        return _in_memory(self._in_pandas(values, rows, over, aggfunc, shape, margins_name if margins else None))

    def _in_pandas(
        self, values: Any, rows: list[Any], over: list[Any], aggfunc: Any, shape: dict[str, Any], margins: Any
    ) -> pd.DataFrame:
        """The table that pandas makes of aggregates, of which there is one of each combination of keys."""
        keys = [*rows, *over]
        chosen = self._aggregated_labels(values, keys, aggfunc)
        options = {name: shape[name] for name in ("observed", "sort", "dropna")}
        groups = self.groupby(keys, **options)[chosen]  # type: ignore[attr-defined]
        if isinstance(aggfunc, dict) and any(isinstance(one, list) for one in aggfunc.values()) and over:
            raise NotImplementedError("pivot_table with columns, and a list of aggregates for some values: one by one")
        by_value = {label: aggfunc[label] for label in chosen} if isinstance(aggfunc, dict) else aggfunc
        found = groups.agg(by_value)
        single = values is not None and not pd.api.types.is_list_like(values)
        if margins is None:
            table = found.compute().reset_index()
            made: pd.DataFrame = table.pivot_table(
                values=values if single else chosen, index=rows, columns=over, aggfunc="first", **shape
            )
            return made
        found, put_to = self._margins(found, rows, over, chosen, by_value, shape["dropna"], margins)
        made = found.reset_index().pivot_table(values=chosen, index=rows, columns=over, aggfunc="first", **shape)
        made = put_to.put_to(made, shape["fill_value"])
        if single and made.columns.nlevels > 1:
            made.columns = made.columns.droplevel(0)
        return made.dropna(how="all", axis=1) if shape["dropna"] else made

    def _margins(
        self,
        found: Any,
        rows: list[Any],
        over: list[Any],
        chosen: list[Hashable],
        aggfunc: Any,
        dropna: bool,
        name: str,
    ) -> tuple[pd.DataFrame, Margins]:
        """The aggregates of cells, and those of margins, computed together."""
        data = self[[*rows, *over, *chosen]]  # type: ignore[index]
        data = data.dropna() if dropna else data
        options = {"observed": dropna, "dropna": dropna}
        margins = [data.groupby(keys, **options)[chosen].agg(aggfunc) for keys in (rows, over)] if over else []
        of_all = [_of_all(data[label], aggfunc[label] if isinstance(aggfunc, dict) else aggfunc) for label in chosen]
        found, *made = compute(found, *margins, *of_all)
        by_rows, by_columns = made[:2] if over else (None, None)
        values = [value.iloc[0] if isinstance(value, pd.Series) else value for value in made[len(margins) :]]
        return found, Margins(by_rows, by_columns, dict(zip(chosen, values)), name)

    def _aggregated_labels(self, values: Any, keys: Sequence[Hashable], aggfunc: Any) -> list[Hashable]:
        meta = self.expr.meta
        taken = positions_listed(self.expr, list(keys))
        if values is not None:
            positions_listed(self.expr, as_list(values))
            return as_list(values)
        if isinstance(aggfunc, dict):
            return list(aggfunc)
        return [meta.columns[i] for i in range(meta.shape[1]) if i not in taken]

    def _by_rows(self, values: Any, rows: list[Any], aggfunc: Any, fill_value: Any) -> Any:
        """Without a column key: aggregates of groups that have any."""
        chosen = self._aggregated_labels(values, rows, aggfunc)
        groups = self.groupby(rows)[list(pd.Index(chosen).sort_values())]  # type: ignore[attr-defined]
        if isinstance(aggfunc, dict):
            aggfunc = {label: aggfunc[label] for label in sorted(aggfunc)}
        made = groups.agg(aggfunc).dropna(how="all")
        if made.columns.nlevels > 1:
            made = made[made.columns.sort_values()]
        return made if fill_value is None else made.fillna(fill_value)

    def pivot(self, *, columns: Any, index: Any = None, values: Any = None) -> Any:
        """The values of a column as columns, without aggregates; computed now, as all values are in the result.

        Parameters
        ----------
        columns : label or list of labels
        index : label or list of labels, optional
            Row keys; the index unless given.
        values : label or list of labels, optional
            All others unless given.

        Raises
        ------
        ValueError
            There are several values for the same place.
        """
        given = {"columns": columns} | {k: v for k, v in (("index", index), ("values", values)) if v is not None}
        if values is None:
            return _in_memory(self.compute().pivot(**given))
        used = [*as_list(index), *as_list(columns), *as_list(values)]
        return _in_memory(self[list(dict.fromkeys(used))].compute().pivot(**given))  # type: ignore[index]

    def stack(self, level: Any = -1, **options: Any) -> Any:
        """The columns as a level of the index, row by row.

        Parameters
        ----------
        level : int or label
            Of the columns' labels.
        **options
            As in pandas.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"x": [1, 2], "y": [3, 4]}), npartitions=2)
        >>> df.stack().compute().tolist()
        [1, 3, 2, 4]
        """
        frame = labelled(self.expr)
        kwargs = {"level": level, **options}
        meta = one_row(frame.meta).set_axis(_one_label(frame.meta.index), axis=0).stack(**kwargs).iloc[:0]
        return self._new(MapPartitions(Method("stack"), (frame,), tuple(kwargs.items()), meta, "stack"))


def _of_all(values: Any, aggfunc: Any) -> Any:
    """An aggregate of a series: a scalar, or for a function of the user's that of its one group."""
    if isinstance(aggfunc, str):
        return getattr(values, aggfunc)()
    return values.groupby(values.isna() & False).agg(aggfunc)


def _in_memory(value: Any) -> Any:
    """A result in memory as a collection of one partition."""
    return new_collection(from_memory(value))


def _one_label(index: pd.Index) -> pd.Index:
    """An index of one label, of the dtypes of another."""
    if isinstance(index, pd.MultiIndex):
        arrays = [one_row(pd.Series([], dtype=level.dtype)) for level in index.levels]
        return pd.MultiIndex.from_arrays(arrays, names=index.names)
    return pd.Index(one_row(pd.Series([], dtype=index.dtype)), name=index.name)
