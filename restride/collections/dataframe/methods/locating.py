"""``loc`` and ``iloc``: rows and columns by label and by position."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from restride.collections.collection import Collection
from restride.collections.dataframe.base import FrameBase, as_operand
from restride.collections.dataframe.expr import FrameExpr, Wanted
from restride.collections.dataframe.operations import locating, selection
from restride.collections.dataframe.operations.alignment import aligned_mask
from restride.collections.dataframe.operations.places import AsRowsOf
from restride.collections.dataframe.operations.rowwise import filtered


class Locating(FrameBase):
    """Rows and columns by label and by position."""

    @property
    def loc(self) -> LocIndexer:
        """Rows, and columns, by label: ``df.loc[rows]``, ``df.loc[rows, columns]``.

        Rows may be a slice of labels, a list of labels, a series of truth values, one label, or a function of the frame
        that gives one of these. Of the partitions only those are computed that can have the labels, where divisions are
        known. A slice has the rows whose labels are from the first to the last, as pandas has it for a sorted index.
        One label gives all rows that have it, as a frame or series, as there may be several.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"x": range(6), "y": list("abcdef")}, index=list("uvwxyz")), npartitions=3)
        >>> df.loc["v":"x", "y"].compute().tolist()
        ['b', 'c', 'd']
        >>> df.loc[["z", "u"]].compute()
           x  y
        z  5  f
        u  0  a
        """
        return LocIndexer(self)

    @property
    def iloc(self) -> ILocIndexer:
        """Rows, and columns, by position: ``df.iloc[rows]``, ``df.iloc[rows, columns]``.

        Rows may be a slice with a positive step, or a list of numbers. Partitions whose lengths are not known are
        counted when the result is computed.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"x": range(6), "y": list("abcdef")}), npartitions=3)
        >>> df.iloc[1:3, 1].compute().tolist()
        ['b', 'c']
        """
        return ILocIndexer(self)


class _Indexer:
    def __init__(self, frame: FrameBase) -> None:
        self.frame = frame

    def _parts(self, key: Any) -> tuple[Any, Any]:
        """The rows that a key asks for, and the columns."""
        if not isinstance(key, tuple):
            return key, slice(None)
        if len(key) == 1:
            return key[0], slice(None)
        if len(key) > 2 or not isinstance(self.frame.expr.meta, pd.DataFrame):
            raise pd.errors.IndexingError("Too many indexers")
        return key[0], key[1]

    def _columns(self, meta: pd.DataFrame, key: Any) -> FrameExpr:
        """The columns that a key asks for, by label or position."""
        numbered = pd.DataFrame([range(meta.shape[1])], columns=meta.columns)
        chosen = (numbered.loc if isinstance(self, LocIndexer) else numbered.iloc)[:, key]
        expr = self.frame.expr
        if isinstance(chosen, pd.DataFrame):
            return selection.Project(expr, Wanted(tuple(chosen.iloc[0].tolist()), expr.has_index), "frame")
        return selection.column(expr, int(chosen.iloc[0]))


class LocIndexer(_Indexer):
    """``df.loc``."""

    def __getitem__(self, key: Any) -> Any:
        if callable(key) and not isinstance(key, Collection):
            key = key(self.frame)
        rows, columns = self._parts(key)
        if callable(rows) and not isinstance(rows, Collection):
            rows = rows(self.frame)
        if callable(columns):
            columns = columns(self.frame)
        everything = isinstance(columns, slice) and columns == slice(None)
        expr = self.frame.expr if everything else self._columns(self.frame.expr.meta, columns)
        return self.frame._new(self._rows(expr, rows))

    def _rows(self, expr: FrameExpr, rows: Any) -> FrameExpr:
        if isinstance(rows, slice):
            if rows.step not in (None, 1):
                raise NotImplementedError("loc with a step; take every so many rows by iloc")
            return expr if rows == slice(None) else self._between(expr, rows.start, rows.stop)
        if is_mask(rows):
            whole, mask = aligned_mask(expr, mask_of(rows, expr))
            return filtered(whole, mask)
        if isinstance(rows, FrameBase):
            rows = rows.compute()
        labels = expr.meta.index
        if isinstance(labels, pd.MultiIndex):
            raise NotImplementedError("loc by labels of several levels; use reset_index and a condition")
        if not pd.api.types.is_list_like(rows):
            if isinstance(rows, str) and isinstance(labels, (pd.DatetimeIndex, pd.TimedeltaIndex, pd.PeriodIndex)):
                return self._between(expr, rows, rows)
            rows = [rows]
        wanted = pd.Index(rows)
        if len(wanted) and isinstance(labels, pd.DatetimeIndex) and wanted.dtype != labels.dtype:
            wanted = pd.DatetimeIndex(wanted, tz=labels.tz)
        return locating.labels_listed(expr, wanted)

    def _between(self, expr: FrameExpr, start: Any, stop: Any) -> FrameExpr:
        if isinstance(expr.meta.index, pd.MultiIndex):
            raise NotImplementedError("loc by labels of several levels; use reset_index and a condition")
        return locating.between_labels(expr, start, stop)

    def __setitem__(self, key: Any, value: Any) -> None:
        rows, columns = self._parts(key)
        rows = rows(self.frame) if callable(rows) and not isinstance(rows, Collection) else rows
        everything = isinstance(rows, slice) and rows == slice(None)
        if not everything and not is_mask(rows):
            raise NotImplementedError("rows are set by a condition: df.loc[df.x > 0, 'y'] = value")
        frame: Any = self.frame
        if not isinstance(frame.expr.meta, pd.DataFrame):
            frame.expr = (
                frame.mask(rows, value).expr if not everything else frame.where(frame.isna() & False, value).expr
            )
            return
        if isinstance(columns, slice):
            columns = list(frame.expr.meta.loc[:, columns].columns)
        for column in columns if isinstance(columns, list) else [columns]:
            if everything:
                frame[column] = value
            elif column in frame.expr.meta.columns:
                frame[column] = frame[column].mask(rows, value)
            else:
                frame[column] = value
                frame[column] = frame[column].where(rows)


class ILocIndexer(_Indexer):
    """``df.iloc``."""

    def __getitem__(self, key: Any) -> Any:
        rows, columns = self._parts(key)
        everything = isinstance(columns, slice) and columns == slice(None)
        expr = self.frame.expr if everything else self._columns(self.frame.expr.meta, columns)
        if callable(rows):
            rows = rows(self.frame)
        if isinstance(rows, slice):
            if (rows.step or 1) < 0:
                raise NotImplementedError("iloc with a negative step")
            if rows.step == 0:
                raise ValueError("slice step cannot be zero")
            return self.frame._new(
                expr if rows == slice(None) else locating.sliced(expr, rows.start, rows.stop, rows.step)
            )
        if isinstance(rows, (int, np.integer)):
            if isinstance(expr.meta, pd.DataFrame):
                raise NotImplementedError(f"a row as a series of its own; iloc[[{rows}]] gives it as a frame")
            return self.frame._new(locating.value_at(expr, int(rows)))
        if len(rows) and all(isinstance(row, (bool, np.bool_)) for row in rows):
            return self.frame._new(filtered(expr, mask_of(np.asarray(rows, bool), expr)))
        return self.frame._new(locating.positions_listed(expr, [int(row) for row in rows]))


def is_positional(rows: slice) -> bool:
    """Whether a slice in plain brackets is one of positions, as pandas has it whatever the labels: one of integers."""
    bounds = (rows.start, rows.stop, rows.step)
    return all(bound is None or pd.api.types.is_integer(bound) for bound in bounds)


def is_mask(rows: Any) -> bool:
    """Whether rows are asked for by truth values."""
    if isinstance(rows, FrameBase):
        return isinstance(rows.expr.meta, pd.Series) and pd.api.types.is_bool_dtype(rows.expr.meta.dtype)
    if isinstance(rows, (pd.Series, np.ndarray, pd.Index)):
        return bool(pd.api.types.is_bool_dtype(rows.dtype))
    return isinstance(rows, list) and bool(rows) and all(isinstance(row, (bool, np.bool_)) for row in rows)


def mask_of(rows: Any, expr: FrameExpr) -> FrameExpr:
    """Truth values as an expression; those that have no labels go with the rows as they come.

    Raises
    ------
    IndexError
        There are not as many as rows.
    """
    if isinstance(rows, (FrameBase, pd.Series)):
        operand: FrameExpr = as_operand(rows, expr)
        return operand
    if expr.length is None:
        raise NotImplementedError("a list of truth values needs to know how many rows partitions have; use a series")
    if expr.length != len(rows):
        raise IndexError(f"Boolean index has wrong length: {len(rows)} instead of {expr.length}")
    return AsRowsOf(as_operand(pd.Series(np.asarray(rows, bool)), expr), expr.rows)
