"""The labels of an index as values: compared, computed with, reduced."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Self

import pandas as pd

from restride.collections.dataframe.base import FrameBase
from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.methods.elementwise import row_by_row
from restride.collections.dataframe.operations import selection
from restride.collections.dataframe.operations.places import Rearrange, index_as_series, series_as_index
from restride.collections.dataframe.operations.rowwise import Method
from restride.collections.dataframe.operations.selection import without_index

SERIES_METHODS = (
    "count", "describe", "max", "min", "is_monotonic_decreasing", "is_monotonic_increasing",
    "is_unique", "to_list", "tolist", "mean", "sum", "std", "var", "median", "quantile", "any", "all", "idxmin",
    "idxmax",
)  # fmt: skip
"""What an index does as the series of its labels does it."""
INDEX_METHODS = ("drop_duplicates", "shift")
"""The same, but its result is an index."""


class IndexValues(FrameBase):
    """The labels of an index as values."""

    def to_series(self, index: Any = None, name: Any = None) -> Any:
        """The labels as a series, with themselves for its index.

        Parameters
        ----------
        index : Index of the same rows, optional
            Instead of the labels.
        name : label, optional
            Instead of the index's.
        """
        own = self.expr
        meta = pd.Series(own.meta, index=own.meta, name=own.meta.name)
        made: FrameExpr = Rearrange(own, (0,), (0,), meta)
        if name is not None:
            made = selection.renamed(made, made.meta.rename(name))
        series = self._new(made)
        return series if index is None else series.set_axis(index)

    def to_frame(self, index: bool = True, name: Any = pd.api.extensions.no_default) -> Any:
        """The labels as a frame of one column, or one for each level."""
        own = self.expr
        meta = (
            own.meta.to_frame(index=index) if name is pd.api.extensions.no_default else own.meta.to_frame(index, name)
        )
        places = tuple(range(own.layout.n_levels))
        return self._new(
            Rearrange(
                own, places, places if index else (), meta.set_axis(own.meta if index else pd.RangeIndex(0), axis=0)
            )
        )

    def rename(self, name: Any) -> Self:
        """The index under another name."""
        new: Self = self._new(selection.renamed(self.expr, self.expr.meta.rename(name)))
        return new

    def set_names(self, names: Any) -> Self:
        """The index under other names of its levels."""
        new: Self = self._new(selection.renamed(self.expr, self.expr.meta.set_names(names)))
        return new

    def get_level_values(self, level: Any) -> Any:
        """The labels of a level, by name or number."""
        own = self.expr
        number = own.meta._get_level_number(level)
        meta = own.meta.get_level_values(level)[:0]
        return self._new(Rearrange(own, (), (number,), meta))

    @property
    def nlevels(self) -> int:
        """How many levels there are."""
        return int(self.expr.meta.nlevels)

    @property
    def size(self) -> Any:
        """How many labels, a `Scalar` unless that is known."""
        return self._series().size

    @property
    def shape(self) -> tuple[Any]:
        """How many labels, a `Scalar` unless that is known."""
        return (self.size,)

    @property
    def empty(self) -> bool:
        """Whether there are no labels; computed unless known."""
        return len(self) == 0

    def between(self, left: Any, right: Any, inclusive: str = "both") -> Any:
        """Whether labels are between two others, a series of truth values; see `Series.between`."""
        return self._series().between(left, right, inclusive)

    def memory_usage(self, deep: bool = False) -> Any:
        """Bytes of the labels as pandas has them, a `Scalar`."""
        return self._series().memory_usage(index=False, deep=deep)

    @property
    def nbytes(self) -> Any:
        """Bytes of the labels as pandas has them, a `Scalar`."""
        return self.memory_usage()

    @property
    def values(self) -> Any:
        """The labels as an array in blocks, which is not computed yet."""
        return self._series().values

    def to_numpy(self, dtype: Any = None) -> Any:
        """Compute, and return the labels as an array of numpy."""
        return self._series().to_numpy(dtype)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.to_numpy(dtype)

    def _series(self) -> Any:
        return self._new(index_as_series(self.expr))

    def _binary(self, function: Callable[..., Any], other: Any) -> Any:
        return row_by_row(self, function, other)

    def __getattr__(self, name: str) -> Any:
        expr = self.__dict__.get("expr")
        if (
            expr is not None
            and not name.startswith("_")
            and isinstance(expr.meta, (pd.DatetimeIndex, pd.TimedeltaIndex, pd.PeriodIndex))
        ):
            found = getattr(self.dt, name, None)
            if found is not None:
                return found
        raise AttributeError(f"'Index' object has no attribute {name!r}")


def _reduced(name: str) -> Any:
    def method(self: IndexValues, *args: Any, **kwargs: Any) -> Any:
        return getattr(self._series(), name)(*args, **kwargs)

    method.__name__ = name
    method.__doc__ = f"As `Series.{name}` of the labels."
    return method


def _reduced_property(name: str) -> Any:
    return property(lambda self: getattr(self._series(), name), doc=f"As `Series.{name}` of the labels.")


def _index_method(name: str) -> Any:
    def method(self: IndexValues, *args: Any, **kwargs: Any) -> Any:
        made = getattr(self._series(), name)(*args, **kwargs)
        expr = made.expr
        return self._new(series_as_index(without_index(expr))) if isinstance(expr.meta, pd.Series) else made

    method.__name__ = name
    method.__doc__ = f"As `Series.{name}` of the labels; an index again."
    return method


def _operator(function: Callable[[Any, Any], Any]) -> Any:
    def method(self: IndexValues, other: Any) -> Any:
        return self._binary(function, other)

    method.__doc__ = "Element by element; comparisons give a series of truth values."
    return method


for _name in SERIES_METHODS:
    _is_property = _name.startswith("is_")
    setattr(IndexValues, _name, _reduced_property(_name) if _is_property else _reduced(_name))
for _name in INDEX_METHODS:
    setattr(IndexValues, _name, _index_method(_name))
for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "lt", "le", "gt", "ge", "eq", "ne"):
    setattr(IndexValues, f"__{_name}__", _operator(getattr(operator, _name)))
for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
    setattr(IndexValues, f"__r{_name}__", _operator(Method(f"__r{_name}__")))
IndexValues.__hash__ = object.__hash__  # type: ignore[method-assign]
