"""Indexes of several levels: these put in another order, left out, or asked for a label."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Self

import pandas as pd

from restride.collections.dataframe.base import FrameBase
from restride.collections.dataframe.expr import FrameExpr, Wanted
from restride.collections.dataframe.meta import index_of, with_index
from restride.collections.dataframe.operations import selection
from restride.collections.dataframe.operations.groupby.levels import IndexLevel
from restride.collections.dataframe.operations.places import Rearrange
from restride.collections.dataframe.operations.rowwise import Method, filtered, labelled, rowwise


class Levels(FrameBase):
    """Of frames and series."""

    def droplevel(self, level: Any, axis: Any = 0) -> Self:
        """Without some levels of the index, or of the columns.

        Parameters
        ----------
        level : label, int or list
        axis : {0, 1, "index", "columns"}

        Raises
        ------
        KeyError, IndexError, ValueError
            There is no such level, or none would be left.
        """
        return self._with_levels("droplevel", (level,), axis)

    def swaplevel(self, i: Any = -2, j: Any = -1, axis: Any = 0) -> Self:
        """Two levels of the index, or of the columns, exchanged."""
        self._check_levels(axis, "swap")
        return self._with_levels("swaplevel", (i, j), axis)

    def reorder_levels(self, order: Sequence[Any], axis: Any = 0) -> Self:
        """The levels of the index, or of the columns, in another order."""
        self._check_levels(axis, "reorder")
        return self._with_levels("reorder_levels", (order,), axis)

    def _check_levels(self, axis: Any, what: str) -> None:
        labels = index_of(self.expr.meta) if axis in (0, "index") else self.expr.meta.columns
        if not isinstance(labels, pd.MultiIndex):
            raise TypeError(f"Can only {what} levels on a hierarchical axis.")

    def _with_levels(self, name: str, args: tuple[Any, ...], axis: Any) -> Self:
        """What a method of pandas' makes of the labels, each level of which is one of those there are."""
        if axis in (1, "columns"):
            meta = self.expr.meta
            labels = getattr(meta.columns, name)(*args)
            renamed: Self = self._new(selection.renamed(self.expr, meta.set_axis(labels, axis=1)))
            return renamed
        frame = labelled(self.expr)
        labels = frame.meta.index
        made = getattr(labels, name)(*args)
        numbers = pd.MultiIndex.from_arrays([[i] for i in range(labels.nlevels)], names=labels.names)
        moved = getattr(numbers, name)(*args)
        places = [int(moved.get_level_values(i)[0]) for i in range(moved.nlevels)]
        n = frame.layout.n_columns
        new: Self = self._new(
            Rearrange(frame, tuple(range(n)), tuple(n + place for place in places), with_index(frame.meta, made[:0]))
        )
        return new

    def xs(self, key: Any, axis: Any = 0, level: Any = None, drop_level: bool = True) -> Any:
        """The rows that have a label in a level of the index, which is left out then; or columns.

        Parameters
        ----------
        key : label, or tuple of labels
            Of the first levels, unless `level` says of which.
        axis : {0, 1, "index", "columns"}
        level : label, int or list, optional
        drop_level : bool
            Leave these levels out.

        Returns
        -------
        DataFrame or Series
            Without rows where there is no such label: that is found out when it is computed.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> index = pd.MultiIndex.from_tuples([("a", 1), ("b", 1), ("a", 2)], names=["k", "n"])
        >>> x = rd.from_pandas(pd.Series([5, 6, 7], index=index), npartitions=2)
        >>> x.xs("a").compute().tolist()
        [5, 7]
        """
        if axis in (1, "columns"):
            if level is None and drop_level and not isinstance(self.expr.meta.columns, pd.MultiIndex):
                return self[key]  # type: ignore[index]
            return self._columns_of(key, level, drop_level)
        frame = labelled(self.expr)
        labels = frame.meta.index
        if not isinstance(labels, pd.MultiIndex):
            raise NotImplementedError("xs of a single level: use loc")
        keys = list(key) if isinstance(key, tuple) else [key]
        listed = range(len(keys)) if level is None else level if isinstance(level, (list, tuple)) else [level]
        numbers = [labels._get_level_number(one) for one in listed]
        if len(numbers) != len(keys):
            raise KeyError(key)
        if len(numbers) == labels.nlevels:
            raise NotImplementedError("xs by all levels: use reset_index and a condition")
        found = self._new(filtered(frame, self._has_labels(frame, numbers, keys)))
        return found.droplevel(numbers) if drop_level else found

    def _has_labels(self, frame: FrameExpr, numbers: Sequence[int], keys: Sequence[Hashable]) -> FrameExpr:
        masks = [rowwise(Method("eq"), IndexLevel(frame, number), key) for number, key in zip(numbers, keys)]
        both = masks[0]
        for mask in masks[1:]:
            both = rowwise(Method("__and__"), both, mask)
        return both

    def _columns_of(self, key: Any, level: Any, drop_level: bool) -> Any:
        meta = self.expr.meta
        numbered = pd.DataFrame([range(meta.shape[1])], columns=meta.columns)
        made = numbered.xs(key, axis=1, level=level, drop_level=drop_level)
        if isinstance(made, pd.Series):
            return self[key]  # type: ignore[index]
        places = tuple(int(place) for place in made.iloc[0])
        chosen = selection.Project(self.expr, Wanted(places, self.expr.has_index), "frame")
        return self._new(selection.renamed(chosen, chosen.meta.set_axis(made.columns, axis=1)))
