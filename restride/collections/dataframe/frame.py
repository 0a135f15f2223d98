"""`DataFrame`: what users hold. Its methods check nothing and compute nothing themselves; `operations` do."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import pandas as pd

from restride.collections.dataframe.base import FrameBase, as_operand, collection_of
from restride.collections.dataframe.expr import FrameExpr, ScalarExpr, Wanted
from restride.collections.dataframe.hints import no_attribute, no_label
from restride.collections.dataframe.html import html_of, text_of
from restride.collections.dataframe.methods.aggregating import Aggregating
from restride.collections.dataframe.methods.aligning import Aligning
from restride.collections.dataframe.methods.applying import Applying
from restride.collections.dataframe.methods.by_position import by_position, is_listed
from restride.collections.dataframe.methods.elements import Elements
from restride.collections.dataframe.methods.frame_labels import FrameLabels
from restride.collections.dataframe.methods.grouping import Grouped
from restride.collections.dataframe.methods.in_place import in_place
from restride.collections.dataframe.methods.index_times import IndexTimes
from restride.collections.dataframe.methods.joining import Joining
from restride.collections.dataframe.methods.labels import Labels
from restride.collections.dataframe.methods.levels import Levels
from restride.collections.dataframe.methods.locating import Locating, is_positional
from restride.collections.dataframe.methods.missing import Missing
from restride.collections.dataframe.methods.numpy_functions import NumpyFunctions
from restride.collections.dataframe.methods.operators import Operators
from restride.collections.dataframe.methods.output import Output
from restride.collections.dataframe.methods.partitions import Partitions
from restride.collections.dataframe.methods.pivoting import Pivoting
from restride.collections.dataframe.methods.querying import Querying
from restride.collections.dataframe.methods.reductions import Reductions
from restride.collections.dataframe.methods.reindexing import Reindexing
from restride.collections.dataframe.methods.repetition import Repetition
from restride.collections.dataframe.methods.reshaping import Reshaping
from restride.collections.dataframe.methods.shuffling import FrameShuffling
from restride.collections.dataframe.methods.sorting import FrameSorting
from restride.collections.dataframe.methods.statistics import FrameStatistics, Statistics
from restride.collections.dataframe.methods.summaries import FrameSummaries, Summaries
from restride.collections.dataframe.methods.windows import Windows
from restride.collections.dataframe.operations import selection
from restride.collections.dataframe.operations.alignment import aligned, aligned_mask
from restride.collections.dataframe.operations.reductions import count_rows
from restride.collections.dataframe.operations.rowwise import Constant, Rowwise, assigned, filtered, labelled, rowwise


@collection_of(pd.DataFrame)
@in_place
class DataFrame(
    Aggregating,
    Aligning,
    Applying,
    Elements,
    FrameLabels,
    FrameShuffling,
    FrameSorting,
    FrameStatistics,
    FrameSummaries,
    Grouped,
    Joining,
    IndexTimes,
    Labels,
    Levels,
    Locating,
    Missing,
    NumpyFunctions,
    Operators,
    Output,
    Partitions,
    Pivoting,
    Querying,
    Reductions,
    Reindexing,
    Repetition,
    Reshaping,
    Statistics,
    Summaries,
    Windows,
):
    """A table in partitions, with pandas' semantics and names, that computes nothing until asked to.

    Made by the functions of `restride.dataframe`, such as `from_pandas` and `read_parquet`, never by hand. `compute`
    gives a pandas frame.

    Examples
    --------
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> df = rd.from_pandas(pd.DataFrame({"x": [1, 2, 3], "s": ["a", "b", "a"]}), npartitions=2)
    >>> df[df.x > 1].compute()
       x  s
    1  2  b
    2  3  a
    """

    # ---- what is known without computing ----------------------------------------------------------------------------

    @property
    def columns(self) -> pd.Index:
        """The labels of the columns; assign others to rename all."""
        return self.expr.meta.columns

    @columns.setter
    def columns(self, labels: Any) -> None:
        self.expr = selection.renamed(self.expr, self.expr.meta.set_axis(labels, axis=1))

    @property
    def dtypes(self) -> pd.Series:
        """The dtype of each column."""
        return self.expr.meta.dtypes

    @property
    def ndim(self) -> int:
        """2."""
        return 2

    @property
    def empty(self) -> bool:
        """Whether there are no rows or no columns; computed unless known."""
        return not len(self.columns) or len(self) == 0

    @property
    def shape(self) -> tuple[Any, int]:
        """How many rows, a `Scalar` unless that is known, and how many columns."""
        rows = self.expr.length
        return (self._new(count_rows(self.expr)) if rows is None else rows), len(self.columns)

    @property
    def index(self) -> Any:
        """The labels of the rows, an `Index`."""
        return self._new(selection.index(labelled(self.expr)))

    def __repr__(self) -> str:
        return text_of(self)

    def _repr_html_(self) -> str:
        return html_of(self)

    def __dir__(self) -> list[str]:
        names = [label for label in self.columns if isinstance(label, str) and label.isidentifier()]
        return sorted({*super().__dir__(), *names})

    def __contains__(self, label: Hashable) -> bool:
        return label in self.columns

    def __iter__(self) -> Any:
        return iter(self.columns)

    # ---- columns ----------------------------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        expr = self.__dict__.get("expr")
        if expr is not None and not name.startswith("__") and name in expr.meta.columns:
            return self[name]
        raise no_attribute(self, name)

    def __getitem__(self, key: Any) -> Any:
        """A column by label, columns by a list of labels, rows by a series of truth values or by a slice."""
        if isinstance(key, FrameBase):
            if isinstance(key.expr.meta, pd.DataFrame):
                return self.where(key)
            frame, mask = aligned_mask(self.expr, key.expr)
            return self._new(filtered(frame, mask))
        if isinstance(key, pd.Series) and key.dtype == bool:
            return self._new(filtered(self.expr, as_operand(key, self.expr)))
        if isinstance(key, slice):
            return self.iloc[key] if is_positional(key) else self.loc[key]
        if isinstance(key, (list, pd.Index)) or getattr(key, "ndim", 0) == 1:
            labels = list(key)
            if labels and len(labels) == len(pd.Series(labels)) and all(isinstance(label, bool) for label in labels):
                raise NotImplementedError("rows by a list of truth values; use a series, or loc")
            return self._new(selection.columns(self.expr, labels))
        return self._new(selection.by_label(self.expr, key))

    def assign(self, **columns: Any) -> DataFrame:
        """The frame with further, or other, columns.

        Parameters
        ----------
        **columns
            By label: a series of the same rows, a list or array of a value for each row, a scalar, or a function of the
            frame that gives one of these. For a list the rows are counted now, unless their number is known.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"x": [1, 2]}), npartitions=2)
        >>> df.assign(y=df.x + 1, z=lambda d: d.y * 2).compute()
           x  y  z
        0  1  2  4
        1  2  3  6
        """
        new: DataFrame = self
        for label, value in columns.items():
            new = new._with_columns({label: value(new) if callable(value) else value})
        return new

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(key, FrameBase):
            self.expr = self.mask(key, value).expr
        elif isinstance(key, list):
            parts = [value[label] for label in value.columns] if isinstance(value, DataFrame) else [value] * len(key)
            if len(parts) != len(key):
                raise ValueError("Columns must be same length as key")
            self.expr = self._with_columns(dict(zip(key, parts))).expr
        else:
            self.expr = self._with_columns({key: value}).expr

    def __delitem__(self, label: Hashable) -> None:
        if label not in self.columns:
            raise no_label(label, self.columns)
        self.expr = selection.columns(self.expr, [have for have in self.columns if have != label])

    def _with_columns(self, values: dict[Hashable, Any]) -> DataFrame:
        frame = self.expr
        operands = {
            label: by_position(value, frame) if is_listed(value) else as_operand(value, frame)
            for label, value in values.items()
        }
        series = [value for value in operands.values() if isinstance(value, FrameExpr)]
        frame, *together = aligned([frame, *series], "left")
        given = iter(together)
        columns = {
            label: next(given) if isinstance(value, FrameExpr) else self._constant(frame, value)
            for label, value in operands.items()
        }
        for label, one in columns.items():
            if isinstance(one.meta, pd.DataFrame) and one.meta.shape[1] == 1 and list(self.columns).count(label) < 2:
                columns[label] = selection.column(one, 0)
            elif not isinstance(one.meta, pd.Series):
                raise ValueError(f"column {label!r} is to be set to a {type(one.meta).__name__}; it takes a series")
        new: DataFrame = self._new(assigned(frame, columns))
        return new

    def _constant(self, frame: FrameExpr, value: Any) -> FrameExpr:
        if isinstance(value, ScalarExpr):
            column = selection.narrow(frame, Wanted((), frame.has_index))
            return Rowwise(_fill, (column, value), (), False, value_meta(value))
        if not pd.api.types.is_scalar(value):
            raise TypeError(f"a column cannot be set to a {type(value).__name__}")
        return Constant(frame, value)

    def _apply_columns(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> DataFrame:
        new: DataFrame = self._new(rowwise(function, self.expr, *args, columnwise=True, **kwargs))
        return new


def _fill(frame: Any, value: Any) -> Any:
    return pd.Series(value, index=frame.index)


def value_meta(value: ScalarExpr) -> pd.Series:
    """The meta of a series of one value."""
    return pd.Series([value.sample()]).iloc[:0]
