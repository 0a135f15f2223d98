"""Columns of a frame: renamed, taken out, put in, chosen by dtype."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any

import pandas as pd

from restride.collections.dataframe.base import FrameBase
from restride.collections.dataframe.expr import Wanted
from restride.collections.dataframe.operations import selection


class FrameLabels(FrameBase):
    """The columns of a frame."""

    def rename(
        self,
        mapper: Any = None,
        *,
        index: Any = None,
        columns: dict[Any, Hashable] | Callable[[Any], Hashable] | None = None,
        axis: Any = None,
        level: Any = None,
        errors: str = "ignore",
    ) -> Any:
        """Other labels for columns, or rows.

        Parameters
        ----------
        mapper, index, columns : dict or callable
            From old to new; labels that a dict does not have stay.
        axis : {0, 1, "index", "columns"}
            What `mapper` is for.
        level : int or label, optional
            Of columns' labels that have several.
        errors : {"ignore", "raise"}
            For columns that there are not.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"x": [1, 2]}), npartitions=2)
        >>> df.rename(columns={"x": "y"}).columns.tolist()
        ['y']
        """
        if mapper is not None:
            index, columns = (index, mapper) if axis in (1, "columns") else (mapper, columns)
        new: Any = self
        if columns is not None:
            meta = self.expr.meta
            labels = meta.rename(columns=columns, level=level, errors=errors).columns
            new = self._new(selection.renamed(self.expr, meta.set_axis(labels, axis=1)))
        return new if index is None else new._index_renamed(index)

    def pop(self, item: Hashable) -> Any:
        """Take a column out of this frame, and return it."""
        taken = self[item]  # type: ignore[index]
        del self[item]  # type: ignore[attr-defined]
        return taken

    def insert(self, loc: int, column: Hashable, value: Any, allow_duplicates: bool = False) -> None:
        """Put a column into this frame at a place.

        Parameters
        ----------
        loc : int
            How many columns come before.
        column : label
        value : Series of the same rows, or scalar
        allow_duplicates : bool
            Whether there may be such a column already.
        """
        n = len(self.expr.meta.columns)
        if not 0 <= loc <= n:
            raise IndexError(f"index {loc} is out of bounds for axis 0 with size {n}")
        if column in self.expr.meta.columns and not allow_duplicates:
            raise ValueError(f"cannot insert {column}, already exists")
        fresh = object()
        wide = self._with_columns({fresh: value}).expr  # type: ignore[attr-defined]
        places = [*range(loc), n, *range(loc, n)]
        chosen = selection.Project(wide, Wanted(tuple(places), wide.has_index), "frame")
        labels = self.expr.meta.columns.insert(loc, column)
        self.expr = selection.renamed(chosen, chosen.meta.set_axis(labels, axis=1))

    def select_dtypes(self, include: Any = None, exclude: Any = None) -> Any:
        """Columns of some dtypes, or not of others."""
        meta = self.expr.meta
        numbered = meta.set_axis(range(meta.shape[1]), axis=1)
        places = tuple(int(i) for i in numbered.select_dtypes(include=include, exclude=exclude).columns)
        return self._new(selection.Project(self.expr, Wanted(places, self.expr.has_index), "frame"))

    def get(self, key: Any, default: Any = None) -> Any:
        """A column, or several by a list of labels; something else where there are none."""
        try:
            return self[key]  # type: ignore[index]
        except (KeyError, ValueError, IndexError):
            return default

    def items(self) -> Iterator[tuple[Hashable, Any]]:
        """Each label with its column."""
        for i, label in enumerate(self.expr.meta.columns):
            yield label, self._new(selection.column(self.expr, i))

    def iterrows(self) -> Iterator[tuple[Hashable, pd.Series]]:
        """Each row with its label, a partition at a time; see `pandas.DataFrame.iterrows`."""
        for partition in self.partitions:  # type: ignore[attr-defined]
            yield from partition.compute().iterrows()

    def itertuples(self, index: bool = True, name: str | None = "Pandas") -> Iterator[Any]:
        """Each row as a named tuple, a partition at a time; see `pandas.DataFrame.itertuples`."""
        for partition in self.partitions:  # type: ignore[attr-defined]
            yield from partition.compute().itertuples(index=index, name=name)

    @property
    def axes(self) -> list[Any]:
        """The index and the columns."""
        return [self.index, self.expr.meta.columns]  # type: ignore[attr-defined]
