"""`Series`: a labelled column. Its methods check nothing and compute nothing themselves; `operations` do."""

from __future__ import annotations

from typing import Any

import pandas as pd

from restride.collections.dataframe.base import FrameBase, as_operand, collection_of
from restride.collections.dataframe.hints import no_attribute
from restride.collections.dataframe.html import html_of, text_of
from restride.collections.dataframe.methods.accessing import Accessors
from restride.collections.dataframe.methods.aggregating import Aggregating
from restride.collections.dataframe.methods.aligning import Aligning
from restride.collections.dataframe.methods.applying import Applying
from restride.collections.dataframe.methods.elements import Elements
from restride.collections.dataframe.methods.grouping import Grouped
from restride.collections.dataframe.methods.in_place import in_place
from restride.collections.dataframe.methods.index_times import IndexTimes
from restride.collections.dataframe.methods.labels import Labels
from restride.collections.dataframe.methods.levels import Levels
from restride.collections.dataframe.methods.locating import Locating, is_positional
from restride.collections.dataframe.methods.missing import Missing
from restride.collections.dataframe.methods.numpy_functions import NumpyFunctions
from restride.collections.dataframe.methods.operators import Operators
from restride.collections.dataframe.methods.output import TextOutput
from restride.collections.dataframe.methods.partitions import Partitions
from restride.collections.dataframe.methods.pivoting import Unstacking
from restride.collections.dataframe.methods.reductions import Reductions
from restride.collections.dataframe.methods.reindexing import Reindexing
from restride.collections.dataframe.methods.repetition import SeriesRepetition
from restride.collections.dataframe.methods.series_elements import SeriesElements
from restride.collections.dataframe.methods.shuffling import Shuffling
from restride.collections.dataframe.methods.sorting import SeriesSorting
from restride.collections.dataframe.methods.statistics import SeriesStatistics, Statistics
from restride.collections.dataframe.methods.summaries import Summaries
from restride.collections.dataframe.methods.windows import Windows
from restride.collections.dataframe.operations import selection
from restride.collections.dataframe.operations.alignment import aligned_mask
from restride.collections.dataframe.operations.reductions import count_rows
from restride.collections.dataframe.operations.rowwise import filtered, labelled


@collection_of(pd.Series)
@in_place
class Series(
    Accessors,
    Aggregating,
    Aligning,
    Applying,
    Elements,
    Grouped,
    IndexTimes,
    Labels,
    Levels,
    Locating,
    Missing,
    NumpyFunctions,
    Operators,
    Partitions,
    Reductions,
    Reindexing,
    SeriesElements,
    SeriesRepetition,
    SeriesSorting,
    SeriesStatistics,
    Shuffling,
    Statistics,
    Summaries,
    TextOutput,
    Unstacking,
    Windows,
):
    """A labelled column in partitions, with pandas' semantics and names, that computes nothing until asked to.

    Examples
    --------
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> x = rd.from_pandas(pd.Series([1, 2, 3], name="x"), npartitions=2)
    >>> (x * 2).compute().tolist()
    [2, 4, 6]
    """

    @property
    def name(self) -> Any:
        """The label of the series; assign another to rename it."""
        return self.expr.meta.name

    @name.setter
    def name(self, name: Any) -> None:
        self.expr = selection.renamed(self.expr, self.expr.meta.rename(name))

    @property
    def dtype(self) -> Any:
        """The dtype of the values."""
        return self.expr.meta.dtype

    @property
    def ndim(self) -> int:
        """1."""
        return 1

    @property
    def shape(self) -> tuple[Any]:
        """How many rows, a `Scalar` unless that is known."""
        return (self.size,)

    @property
    def size(self) -> Any:
        """How many rows, a `Scalar` unless that is known."""
        rows = self.expr.length
        return self._new(count_rows(self.expr)) if rows is None else rows

    @property
    def index(self) -> Any:
        """The labels of the rows, an `Index`."""
        return self._new(selection.index(labelled(self.expr)))

    def __repr__(self) -> str:
        return text_of(self)

    def _repr_html_(self) -> str:
        return html_of(self)

    def __getattr__(self, name: str) -> Any:
        if hasattr(type(self), name):
            return object.__getattribute__(self, name)  # raises what its property does
        raise no_attribute(self, name)

    def __getitem__(self, key: Any) -> Any:
        """Rows by a series of truth values, or by label as `loc`."""
        if isinstance(key, FrameBase) or (isinstance(key, pd.Series) and key.dtype == bool):
            series, mask = aligned_mask(self.expr, as_operand(key, self.expr))
            return self._new(filtered(series, mask))
        if isinstance(key, slice) and is_positional(key):
            return self.iloc[key]
        return self.loc[key]

    def to_frame(self, name: Any = pd.api.extensions.no_default) -> Any:
        """The series as a frame of one column."""
        expr = selection.Project(self.expr, self.expr.everything, "frame")
        frame = self._new(expr)
        if name is not pd.api.extensions.no_default:
            frame.columns = [name]
        return frame
