"""Frames and series beside each other by their labels: `align` and `combine_first`."""

from __future__ import annotations

from typing import Any

import pandas as pd

from restride.collections.dataframe.base import FrameBase, as_operand, new_collection
from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.operations.alignment import aligned
from restride.collections.dataframe.operations.rowwise import Method, rowwise


class Aligning(FrameBase):
    """What brings the rows of two objects together by their labels."""

    def align(self, other: Any, join: str = "outer", axis: Any = None, fill_value: Any = None) -> tuple[Any, Any]:
        """Bring this and another object to the same labels.

        Parameters
        ----------
        other : DataFrame or Series
        join : {"outer", "inner", "left", "right"}
            Whose labels.
        axis : {0, 1, None}
            Rows, columns, or both, which is the default.
        fill_value : scalar, optional
            What stands where there was no value, instead of a missing one.

        Returns
        -------
        tuple of two collections

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> a = rd.from_pandas(pd.Series([1, 2], index=list("ab")), npartitions=2)
        >>> b = rd.from_pandas(pd.Series([3, 4], index=list("bc")), npartitions=1)
        >>> left, right = a.align(b)
        >>> left.compute().tolist(), right.compute().tolist()
        ([1.0, 2.0, nan], [nan, 3.0, 4.0])
        """
        left, right = self.expr, as_operand(other, self.expr)
        if axis in (None, 0, "index", "rows"):
            left, right = aligned([left, right], join)
        one, two = new_collection(left), new_collection(right)
        if axis in (None, 1, "columns") and all(isinstance(x.meta, pd.DataFrame) for x in (left, right)):
            labels, _ = left.meta.align(right.meta, join=join, axis=1)
            one, two = (_with_labels(x, labels.columns) for x in (one, two))
        if fill_value is not None:
            one, two = one.fillna(fill_value), two.fillna(fill_value)
        return one, two

    def combine_first(self, other: Any) -> Any:
        """Take the values of another where one is missing here, or there is no such label.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> a = rd.from_pandas(pd.Series([1.0, None], index=list("ab")), npartitions=2)
        >>> b = rd.from_pandas(pd.Series([3.0, 4.0], index=list("bc")), npartitions=1)
        >>> a.combine_first(b).compute().tolist()
        [1.0, 3.0, 4.0]
        """
        left, right = aligned([self.expr, as_operand(other, self.expr)])
        return new_collection(rowwise(Method("combine_first"), left, right))


def _with_labels(frame: Any, labels: pd.Index) -> Any:
    expr: FrameExpr = frame.expr
    missing = [label for label in labels if label not in expr.meta.columns]
    for label in missing:
        frame = (
            frame.assign(**{label: float("nan")})
            if isinstance(label, str)
            else frame._with_columns({label: float("nan")})
        )
    return frame[list(labels)]
