"""Joins of frames: `merge` and `join`."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import pandas as pd

from restride.collections.dataframe.base import FrameBase, new_collection
from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.meta import as_list, is_frame_like
from restride.collections.dataframe.operations import sources
from restride.collections.dataframe.operations.merge import merging
from restride.collections.dataframe.operations.selection import Project

On = Hashable | Sequence[Hashable] | None


class Joining(FrameBase):
    """What is done with the rows of two frames that have equal keys."""

    def merge(
        self,
        right: Any,
        how: str = "inner",
        on: On = None,
        left_on: On = None,
        right_on: On = None,
        left_index: bool = False,
        right_index: bool = False,
        sort: bool = False,
        suffixes: Sequence[str | None] = ("_x", "_y"),
        indicator: bool | str = False,
        validate: str | None = None,
        *,
        broadcast: bool | None = None,
    ) -> Any:
        """Put rows of two frames together whose keys are equal, as `pandas.merge` does.

        Rows are in pandas' order: that of the left side, for ``how="right"`` that of the right, for ``how="outer"``
        that of the keys. Missing keys are equal to each other.

        Parameters
        ----------
        right : DataFrame or named Series, also of pandas
        how : {"inner", "left", "right", "outer", "cross", "left_anti", "right_anti", "leftsemi", "leftanti"}
            What becomes of rows without a partner, as in pandas. ``leftsemi`` and ``leftanti`` give the rows of the
            left side that have a partner, or none, once each and with the columns of the left side alone.
        on, left_on, right_on : label or list of labels, optional
            The keys: columns or named levels of the index; the columns that both have by default.
        left_index, right_index : bool
            Whether that side's keys are the levels of its index.
        sort : bool
            Whether the rows are sorted by key.
        suffixes : pair of (str or None)
            What is added to labels that both sides have.
        indicator : bool or str
            Whether there is a column, of that name, that tells which side each row is from.
        validate : str, optional
            "1:1", "1:m", "m:1" or "m:m": which side's keys must be unique; the computation fails if they are not.
        broadcast : bool, optional
            Whether the side that does not give the order is held as a whole by every worker, to look rows up in, so
            that no rows are moved; or both are shuffled. Chosen by how many rows there are, unless given.

        Returns
        -------
        DataFrame
            Columns that may lack values because rows have no partner are of the dtype for that, integers float64;
            `compute` gives them their own dtype where each row turns out to have one, as pandas does.

        Raises
        ------
        KeyError, ValueError, pandas.errors.MergeError
            As pandas has it: for labels that there are not, keys of dtypes that have no values in common, arguments
            that contradict each other.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> orders = rd.from_pandas(pd.DataFrame({"item": [2, 1, 2], "n": [5, 6, 7]}), npartitions=2)
        >>> items = rd.from_pandas(pd.DataFrame({"item": [1, 2], "name": ["nut", "bolt"]}), npartitions=1)
        >>> orders.merge(items, on="item").compute()
           item  n  name
        0     2  5  bolt
        1     1  6   nut
        2     2  7  bolt
        """
        arguments = {
            "left_index": left_index, "right_index": right_index, "suffixes": tuple(suffixes), "indicator": indicator,
            "validate": validate,
        }  # fmt: skip
        keys = {"on": on, "left_on": left_on, "right_on": right_on}
        arguments |= {name: as_list(labels) for name, labels in keys.items() if labels is not None}
        new = merging.merge(as_frame(self), as_frame(right), how, arguments, sort=sort, broadcast=broadcast)
        return new_collection(new)

    def join(
        self,
        other: Any,
        on: On = None,
        how: str = "left",
        lsuffix: str = "",
        rsuffix: str = "",
        sort: bool = False,
        validate: str | None = None,
        *,
        suffixes: Sequence[str | None] | None = None,
    ) -> Any:
        """Put columns of other frames beside this one's, by the labels of their index, as `pandas.DataFrame.join` does.

        Parameters
        ----------
        other : DataFrame, named Series, or list of them
        on : label or list of labels, optional
            Columns, or levels of the index, of this frame that are compared with the index of `other`; its index by
            default.
        how : {"left", "right", "inner", "outer", "cross", "left_anti", "right_anti"}
        lsuffix, rsuffix : str
            What is added to labels that both sides have.
        sort : bool
        validate : str, optional
            As for `merge`.
        suffixes : pair of (str or None), optional
            `lsuffix` and `rsuffix` by one name.

        Returns
        -------
        DataFrame

        Raises
        ------
        ValueError
            Labels overlap, and there is no suffix.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"x": [1, 2, 3]}, index=list("abc")), npartitions=2)
        >>> df.join(pd.DataFrame({"y": [5, 6]}, index=list("ca"))).compute()
           x    y
        a  1  6.0
        b  2  NaN
        c  3  5.0
        """
        pair = (lsuffix, rsuffix) if suffixes is None else tuple(suffixes)
        if isinstance(other, (list, tuple)):
            if on is not None:
                raise ValueError("Joining multiple DataFrames only supported for joining on index")
            result = self
            for one in other:
                result = result.join(one, how=how, sort=sort, validate=validate, suffixes=pair)
            return result
        if how == "cross":
            return self.merge(other, how="cross", suffixes=pair)
        keys = {"left_index": True} if on is None else {"left_on": on}
        return self.merge(other, how=how, right_index=True, suffixes=pair, sort=sort, validate=validate, **keys)


def as_frame(value: Any) -> FrameExpr:
    """What is merged as a frame: a named series is a frame of one column.

    Raises
    ------
    TypeError, ValueError
        It is nothing that pandas would merge; it has no name.
    """
    if is_frame_like(value) and not isinstance(value, pd.Index):
        expr = sources.from_memory(value)
    elif isinstance(value, FrameBase) and not isinstance(value.expr.meta, pd.Index):
        expr = value.expr
    else:
        raise TypeError(f"Can only merge Series or DataFrame objects, a {type(value)} was passed")
    if isinstance(expr.meta, pd.Series):
        if expr.meta.name is None:
            raise ValueError("Cannot merge a Series without a name")
        return Project(expr, expr.everything, "frame")
    return expr
