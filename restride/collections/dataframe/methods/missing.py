"""Missing values: where they are, rows without them, others in their place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import pandas as pd

from restride.collections.collection import Collection
from restride.collections.dataframe.base import FrameBase
from restride.collections.dataframe.expr import ScalarExpr, Wanted
from restride.collections.dataframe.meta import is_unknown_categorical
from restride.collections.dataframe.methods.elementwise import row_by_row
from restride.collections.dataframe.operations import selection
from restride.collections.dataframe.operations.completeness import may_miss
from restride.collections.dataframe.operations.places import index_as_series, numbered, series_as_index
from restride.collections.dataframe.operations.rowwise import Method, filtered, rowwise
from restride.collections.dataframe.operations.samples import missing_row
from restride.collections.dataframe.operations.scalars import AsValue
from restride.collections.dataframe.operations.selection import without_index


class Missing(FrameBase):
    """What is done about missing values."""

    def isna(self) -> Any:
        """Whether each value is missing."""
        return row_by_row(self, Method("isna"), columnwise=True)

    def notna(self) -> Any:
        """Whether each value is there."""
        return row_by_row(self, Method("notna"), columnwise=True)

    isnull, notnull = isna, notna

    def fillna(self, value: Any = None, *, axis: Any = None, limit: int | None = None) -> Any:
        """Other values in the place of missing ones.

        Parameters
        ----------
        value : scalar, Series, DataFrame, dict by column
            A `Scalar` that is not computed yet, such as a mean, is one, too. A series fills a series row by row, and a
            frame by its columns, as a dict does.
        axis : {0, "index"}, optional
        limit : int, optional
            How many to fill in each column, the first ones.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> x = rd.from_pandas(pd.Series([1.0, None, 5.0]), npartitions=2)
        >>> x.fillna(x.mean()).compute().tolist()
        [1.0, 3.0, 5.0]
        """
        if value is None:
            raise ValueError("Must specify a fill 'value'.")
        if limit is not None:
            if limit < 1:
                raise ValueError("Limit must be greater than 0")
            all_filled = self.fillna(value, axis=axis)
            return all_filled.where(self.isna().cumsum() <= limit, self)
        expr = self.expr
        frame = isinstance(expr.meta, pd.DataFrame)
        if frame and isinstance(value, pd.Series):
            value = value.to_dict()
        if frame and isinstance(value, dict):
            columns = {i: value[label] for i, label in enumerate(expr.meta.columns) if label in value}
            return self._by_column("fillna", {i: (fill,) for i, fill in columns.items()})  # type: ignore[attr-defined]
        if frame and isinstance(value, FrameBase) and isinstance(value.expr.meta, pd.Series):
            by_column = AsValue(value.expr, expr.meta.columns)
            return self._new(rowwise(fill_columns, expr, by_column, declared=expr.meta))
        if isinstance(value, (FrameBase, pd.Series, pd.DataFrame)):
            return row_by_row(self, Method("fillna"), value)
        if isinstance(value, (list, tuple)):
            raise TypeError(f'"value" parameter must be a scalar or dict, but you passed a "{type(value).__name__}"')
        return self._filled_by(value)

    def _filled_by(self, value: Any) -> Any:
        values = index_as_series(self.expr) if isinstance(self.expr.meta, pd.Index) else self.expr
        filler = value.expr.sample() if isinstance(value, Collection) else value  # type: ignore[attr-defined]
        if isinstance(value, Collection) and not isinstance(value.expr, ScalarExpr):
            raise TypeError(f"missing values cannot be filled by {value!r}")
        # pandas raises for what a column cannot hold, even where nothing is missing
        sample = missing_row(values.meta).fillna(filler) if not _unknown(values.meta) else values.meta
        declared = sample.iloc[:0]
        if isinstance(values.meta, pd.Series) and not may_miss(values):
            declared = values.meta
        return row_by_row(self, Method("fillna"), value, columnwise=True, declared=declared)

    def dropna(
        self,
        *,
        axis: Any = 0,
        how: Any = pd.api.extensions.no_default,
        thresh: Any = pd.api.extensions.no_default,
        subset: Any = None,
        ignore_index: bool = False,
    ) -> Self:
        """Rows without missing values.

        Parameters
        ----------
        axis : {0, "index", 1, "columns"}
            1 for columns without missing values, which are counted now, as the columns of a frame must be known.
        how : {"any", "all"}
            Leave rows out where any value is missing, or where all are.
        thresh : int
            Keep rows with at least so many values, instead.
        subset : label or list of labels
            The columns to look at.
        ignore_index : bool
            Number the rows that are left.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"x": [1, None, 3], "s": ["a", "b", None]}), npartitions=2)
        >>> len(df.dropna()), len(df.dropna(subset=["x"]))
        (1, 2)
        """
        unset = pd.api.extensions.no_default
        if how is not unset and thresh is not unset:
            raise TypeError("You cannot set both the how and thresh arguments at the same time.")
        if how not in (unset, None, "any", "all"):
            raise ValueError(f"invalid how option: {how}")
        rule = Present("any" if how in (unset, None) else how, None if thresh is unset else int(thresh))
        kept = self._rows_present(rule, subset) if axis in (0, "index") else self._columns_present(rule, axis, subset)
        if ignore_index:
            kept = type(self)(numbered(kept.expr))
        return kept

    def _rows_present(self, rule: Present, subset: Any) -> Any:
        expr = self.expr
        if isinstance(expr.meta, pd.Index):
            values = index_as_series(expr)
            return self._new(series_as_index(filtered(values, rowwise(Method("notna"), values))))
        if isinstance(expr.meta, pd.Series):
            return self._new(filtered(expr, rowwise(Method("notna"), without_index(expr))))
        looked = expr
        if subset is not None:
            labels = (
                list(subset)
                if isinstance(subset, (list, pd.Index, set)) or getattr(subset, "ndim", 0) == 1
                else [subset]
            )
            missing = [label for label in labels if label not in expr.meta.columns]
            if missing:
                raise KeyError(missing)
            looked = selection.columns(expr, labels)
        mask = rowwise(rule, without_index(looked), declared=pd.Series([], dtype=bool))
        return self._new(filtered(expr, mask))

    def _columns_present(self, rule: Present, axis: Any, subset: Any) -> Any:
        if axis not in (1, "columns"):
            raise ValueError(f"No axis named {axis} for object type {type(self).__name__}")
        if subset is not None:
            raise NotImplementedError("dropna(axis=1, subset=): choose the rows first, by loc")
        counts = self.count().compute().to_numpy()  # type: ignore[attr-defined]
        n = len(self)
        if rule.thresh is not None:
            kept = [i for i, count in enumerate(counts) if count >= rule.thresh]
        else:
            kept = [i for i, count in enumerate(counts) if (count == n if rule.how == "any" else count > 0 or not n)]
        return self._new(selection.Project(self.expr, Wanted(tuple(kept), self.expr.has_index), "frame"))

    @property
    def hasnans(self) -> Any:
        """Whether any value is missing, a `Scalar`."""
        return self.isna().any()


@dataclass(frozen=True)
class Present:
    """Kernel: whether rows have no missing values, or at least some number of values."""

    how: str
    thresh: int | None
    __name__ = "notna"

    @property
    def leaves_out_any(self) -> bool:
        """Whether it is false wherever any value is missing."""
        return self.how == "any" and self.thresh is None

    def __call__(self, frame: pd.DataFrame) -> pd.Series:
        there = frame.notna()
        if self.thresh is not None:
            return there.sum(axis=1) >= self.thresh
        if not frame.shape[1]:
            return pd.Series(True, index=frame.index)
        return there.all(axis=1) if self.how == "any" else there.any(axis=1)


def fill_columns(frame: pd.DataFrame, values: pd.Series) -> pd.DataFrame:
    """Kernel: missing values filled by column, where there is one for it."""
    return frame.fillna(values)


def _unknown(meta: Any) -> bool:
    return isinstance(meta, pd.Series) and is_unknown_categorical(meta.dtype)
