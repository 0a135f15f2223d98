"""`agg` and `transform`: reductions and row by row functions by their names."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.dataframe.base import FrameBase
from restride.collections.dataframe.expr import ScalarExpr, Wanted
from restride.collections.dataframe.meta import positions_of
from restride.collections.dataframe.operations import selection
from restride.collections.dataframe.operations.assembling import assembled
from restride.collections.dataframe.operations.reductions import one_row

_NAMES: dict[Any, str] = {
    function: function.__name__ for function in (np.sum, np.mean, np.prod, np.min, np.max, np.any, np.all)
}
"""Functions of numpy that pandas answers with the method of the same name."""


class Aggregating(FrameBase):
    """Of frames and series."""

    def agg(self, func: Any = None, axis: Any = 0, *args: Any, **kwargs: Any) -> Any:
        """Reductions by name: one, several, or some for each column.

        Parameters
        ----------
        func : str, list of str, or dict
            The name of a method such as ``"sum"``; several, of which each makes a row; or for each label of a column
            one of these. For a series the labels of a dict are those of the result. numpy's ``sum``, ``mean``,
            ``prod``, ``min``, ``max``, ``any`` and ``all`` are taken for the methods.
        axis : {0, 1, "index", "columns"}
            1 for reductions of rows, by one name.
        *args, **kwargs
            For one method. Without `func`: ``label=(column, name)``, for a series ``label=name``.

        Returns
        -------
        Scalar, Series or DataFrame

        Raises
        ------
        NotImplementedError
            For other functions: they would need whole columns at once; see `reduction`.
        AttributeError, KeyError
            There is no such method, or column.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"x": [1, 2, 3], "y": [3.0, 1.0, 5.0]}), npartitions=2)
        >>> df.agg(["min", "max"]).compute()
             x    y
        min  1  1.0
        max  3  5.0
        >>> df.agg(total=("x", "sum"), mean=("y", "mean")).compute()
                 x    y
        total  6.0  NaN
        mean   NaN  3.0
        """
        if func is None and not kwargs:
            raise TypeError("Must provide 'func' or tuples of 'column, aggfunc'.")
        if func is not None and not isinstance(func, (list, dict)):
            along = {} if axis in (0, "index") else {"axis": axis}
            return getattr(self, method_name(self, func))(*args, **along, **kwargs)
        if axis not in (0, "index"):
            raise NotImplementedError("several reductions of rows: take them one by one, and assign them as columns")
        meta = self.expr.meta
        cells = _named(kwargs, meta) if func is None else _cells(_by_name(func), meta)
        sample = one_row(meta)
        made = sample.agg(**_by_name(kwargs)) if func is None else sample.agg(_by_name(func))  # raises as pandas does
        return self._table(cells, made)

    aggregate = agg

    def _table(self, cells: Sequence[Cell], sample: Any) -> Any:
        """The results of methods, put together as pandas did with those of a sample."""
        rows, columns = list(sample.index), list(sample.columns) if isinstance(sample, pd.DataFrame) else None
        parts, places = [], []
        used = sorted({cell.column for cell in cells if cell.column is not None})
        for cell in cells:
            values = self if cell.column is None else self._new(selection.column(self.expr, cell.column))
            made = getattr(values, method_name(values, cell.name))()
            if not isinstance(made.expr, ScalarExpr):
                raise ValueError("cannot combine transform and aggregation operations")
            parts.append(made.expr)
            if cell.column is None:
                places.append((rows.index(cell.row), 0))
                continue
            labels = self.expr.meta.columns
            alike = [place for place in used if labels[place] == labels[cell.column]].index(cell.column)
            if columns is None:
                places.append((_nth(rows, cell.row, alike), 0))
            else:
                places.append((rows.index(cell.row), _nth(columns, labels[cell.column], alike)))
        table = Table(sample.index, None if columns is None else sample.columns, tuple(places))
        return self._new(assembled(table, parts, sample.iloc[:0], "agg"))

    def transform(self, func: Any, axis: Any = 0, *args: Any, **kwargs: Any) -> Any:
        """A method that makes a row of each row, by its name; see `map_partitions` for functions of one's own.

        Parameters
        ----------
        func : str, numpy.ufunc, list or dict of such
            A list makes a column for each, a dict has functions for some columns.
        axis : {0, "index"}
        *args, **kwargs
            For one method.

        Raises
        ------
        ValueError
            The method is a reduction.
        NotImplementedError
            For functions of one's own, which pandas calls with whole columns.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> rd.from_pandas(pd.Series([1, 2, 3]), npartitions=2).transform("cumsum").compute().tolist()
        [1, 3, 6]
        """
        if isinstance(func, (list, dict)):
            return self._transformed(func)
        if isinstance(func, str) and isinstance(getattr(np, func, None), np.ufunc) and not hasattr(type(self), func):
            func = getattr(np, func)
        if isinstance(func, np.ufunc):
            return func(self, *args, **kwargs)
        made = getattr(self, method_name(self, func))(*args, **kwargs)
        if getattr(made.expr, "rows", None) != self.expr.rows:
            raise ValueError("Function did not transform")
        return made

    def _transformed(self, func: Any) -> Any:
        meta = self.expr.meta
        if isinstance(meta, pd.Series):
            func = func if isinstance(func, dict) else {getattr(one, "__name__", one): one for one in func}
            return self._of_no_columns()._with_columns({label: self.transform(one) for label, one in func.items()})
        if isinstance(func, list):
            func = dict.fromkeys(meta.columns, func)
        missing = [label for label in func if label not in meta.columns]
        if missing:
            raise KeyError(f"Label(s) {missing} do not exist")
        several = any(isinstance(one, list) for one in func.values())
        made = {}
        for label, one in func.items():
            for each in one if isinstance(one, list) else [one]:
                key = (label, getattr(each, "__name__", each)) if several else label
                made[key] = self[label].transform(each)  # type: ignore[index]
        wide = self._of_no_columns()._with_columns(made)
        if several:
            wide.columns = pd.MultiIndex.from_tuples(list(made))
        return wide

    def _of_no_columns(self) -> Any:
        return self._new(selection.Project(self.expr, Wanted((), self.expr.has_index), "frame"))


@dataclass(frozen=True)
class Cell:
    """A method of a column, or of a series, and the row of its result."""

    row: Hashable
    column: int | None
    name: str


def _cells(func: Any, meta: Any) -> list[Cell]:
    """The methods that a list or a dict of names stands for."""
    if isinstance(meta, pd.Series):
        return [Cell(row, None, name) for row, name in (func.items() if isinstance(func, dict) else zip(func, func))]
    if isinstance(func, list):
        return [Cell(name, place, name) for place in range(meta.shape[1]) for name in func]
    several = any(isinstance(names, list) for names in func.values())
    cells = []
    for label, names in func.items():
        listed = names if isinstance(names, list) else [names]
        cells += [Cell(name if several else label, place, name) for place in _places(meta, label) for name in listed]
    return cells


def _named(func: dict[str, Any], meta: Any) -> list[Cell]:
    """The methods that keywords stand for."""
    if isinstance(meta, pd.Series):
        return [Cell(row, None, name) for row, name in _by_name(func).items()]
    return [Cell(row, place, _by_name(name)) for row, (label, name) in func.items() for place in _places(meta, label)]


def _nth(labels: Sequence[Hashable], label: Hashable, n: int) -> int:
    """Where a label is for the `n`-th time."""
    return [place for place, one in enumerate(labels) if one == label][n]


def _places(meta: Any, label: Hashable) -> list[int]:
    """The columns of a label."""
    if label not in meta.columns:
        raise KeyError(f"Label(s) [{label!r}] do not exist")
    return positions_of(meta, [label])


def _by_name(func: Any) -> Any:
    """The same with names for functions of numpy.

    Raises
    ------
    NotImplementedError
        For a function of the user's.
    """
    if isinstance(func, dict):
        return {label: _by_name(one) for label, one in func.items()}
    if isinstance(func, (list, tuple)):
        return type(func)(_by_name(one) for one in func)
    if callable(func):
        if func not in _NAMES:
            raise NotImplementedError(
                f"a function ({getattr(func, '__name__', func)}) of whole columns: name a method, such as 'sum', or "
                "take reduction, or map_partitions"
            )
        return _NAMES[func]
    return func


def method_name(collection: FrameBase, func: Any) -> str:
    """The name of the method that a name or a function of numpy stands for.

    Raises
    ------
    AttributeError
        There is none, as pandas has it.
    """
    name: str = _by_name(func)
    if not isinstance(name, str) or name.startswith("_") or not hasattr(type(collection), name):
        raise AttributeError(f"{name!r} is not a valid function for {type(collection).__name__!r} object")
    return name


@dataclass(frozen=True)
class Table:
    """Single values as a frame, or as a series where there are no columns."""

    rows: pd.Index
    columns: pd.Index | None
    places: tuple[tuple[int, int], ...]
    """The row and the column of each value."""
    __name__ = "agg"

    def __call__(self, *values: Any) -> Any:
        made: list[list[Any]] = [
            [np.nan] * len(self.rows) for _ in range(1 if self.columns is None else len(self.columns))
        ]
        for value, (row, column) in zip(values, self.places):
            made[column][row] = value
        series = [pd.Series(column, index=self.rows) for column in made]
        if self.columns is None:
            return series[0]
        return pd.DataFrame(dict(enumerate(series)), index=self.rows).set_axis(self.columns, axis=1)
