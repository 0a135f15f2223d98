"""Users' functions of each row or value, and lists taken apart into rows."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.dataframe.base import FrameBase, as_operand
from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.meta import column_dtypes, index_of, with_index
from restride.collections.dataframe.methods.elements import declared_like
from restride.collections.dataframe.methods.partitions import meta_from_data
from restride.collections.dataframe.operations.alignment import aligned
from restride.collections.dataframe.operations.partitions import MapPartitions
from restride.collections.dataframe.operations.places import numbered
from restride.collections.dataframe.operations.rowwise import Method, Rowwise, labelled
from restride.collections.dataframe.operations.selection import without_index


class Applying(FrameBase):
    """Users' functions of each row or value."""

    def apply(
        self,
        func: Any,
        axis: Any = 0,
        args: Sequence[Any] = (),
        *,
        meta: Any = None,
        result_type: str | None = None,
        raw: bool = False,
        **kwargs: Any,
    ) -> Any:
        """A function of each row of a frame, or of each value of a series.

        Parameters
        ----------
        func : callable or str
            Called ``func(row, *args, **kwargs)`` with a series for each row, or with a value; or the name of a method.
        axis : {1, "columns"}
            For a frame: a function of each row. Functions of whole columns are reductions, or work by `map_partitions`.
        args : tuple
        meta : pandas object, ``(name, dtype)``, dtype or dict of dtypes, optional
            What the result is. Without it the function is called now with the first partition that has rows, which is
            computed for that.
        result_type, raw
            For frames, as in pandas.

        Returns
        -------
        Series, or DataFrame where the function returns a series

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"x": [1, 2], "y": [3, 4]}), npartitions=2)
        >>> df.apply(lambda row: row.x * row.y, axis=1, meta="int64").compute().tolist()
        [3, 8]
        """
        whole = isinstance(self.expr.meta, pd.DataFrame)
        if isinstance(func, str):
            return getattr(self, func)(*args, **({"axis": axis} if whole else {}), **kwargs)
        if isinstance(func, np.ufunc) and not args and not kwargs:
            return func(self)
        if isinstance(func, (list, dict)) and axis in (0, "index"):
            return self.agg(func)  # type: ignore[attr-defined]
        if not whole:
            return self._through("apply", (func,), {"args": tuple(args), **kwargs}, meta)  # type: ignore[attr-defined]
        if axis not in (1, "columns"):
            raise NotImplementedError(
                "apply(axis=0) would need whole columns at once; take a reduction, map_partitions, or axis=1"
            )
        frame = labelled(self.expr)
        given = {"axis": 1, "args": tuple(args), **kwargs}
        given |= {} if result_type is None else {"result_type": result_type}
        given |= {"raw": True} if raw else {}
        function = Method("apply")
        if meta is None:
            declared = meta_from_data(function, frame, [func], given)
        else:
            declared = with_index(declared_like(meta, frame.meta), frame.meta.index)
        word = getattr(func, "__name__", "apply").strip("<>")
        made: FrameExpr = MapPartitions(function, (frame, func), tuple(given.items()), declared, word, keeps_rows=True)
        return self._new(made if self.expr.has_index else numbered(made, self.expr.meta.index.name))

    def combine(self, other: Any, func: Callable[[Any, Any], Any], fill_value: Any = None, *, meta: Any = None) -> Any:
        """A function of the values of this and another series, or of the columns of two frames, of the same rows.

        Parameters
        ----------
        other : Series, DataFrame or scalar
        func : callable
            Of two values, or of two columns of a partition.
        fill_value : scalar, optional
            In the place of missing values.
        meta : optional
            What the result is; see `apply`.
        """
        operand = as_operand(other, self.expr)
        frames = [self.expr, operand] if isinstance(operand, FrameExpr) else [self.expr]
        first, *rest = aligned(frames)
        operands = [*(map(without_index, rest) if rest else [operand]), func]
        given = {} if fill_value is None else {"fill_value": fill_value}
        function = Method("combine")
        declared = (
            meta_from_data(function, without_index(first), operands, given)
            if meta is None
            else declared_like(meta, first.meta)
        )
        return self._new(Rowwise(function, (first, *operands), tuple(given.items()), False, declared))

    def explode(
        self, column: Hashable | Sequence[Hashable] | None = None, ignore_index: bool = False, *, meta: Any = None
    ) -> Any:
        """A row for each element of lists, which keep the labels of their rows.

        Parameters
        ----------
        column : label or list of labels
            For a frame: the columns with lists.
        ignore_index : bool
            Number the rows instead.
        meta : optional
            What the result is. Without it, lists of Python are looked at for what they have in them: those of the first
            partition that has rows, which is computed for that.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> s = rd.from_pandas(pd.Series(["a b", "c"]), npartitions=2)
        >>> s.str.split().explode().compute()
        0    a
        0    b
        1    c
        dtype: str
        """
        frame = numbered(self.expr) if ignore_index else self.expr
        args = () if isinstance(frame.meta, pd.Series) else (column,)
        if not ignore_index:
            frame = labelled(frame)
        function = Method("explode")
        if meta is not None:
            declared = declared_like(meta, frame.meta)
        elif object in column_dtypes(frame.meta):
            declared = meta_from_data(function, frame, list(args), {})
        else:
            declared = function(frame.meta, *args)
        meta = with_index(declared, index_of(frame.meta))
        made = MapPartitions(function, (frame, *args), (), meta, "explode", keeps_divisions=not ignore_index)
        return self._new(made)

    def reduction(
        self,
        chunk: Callable[..., Any],
        aggregate: Callable[..., Any] | None = None,
        combine: Callable[..., Any] | None = None,
        meta: Any = None,
        *,
        chunk_kwargs: dict[str, Any] | None = None,
        aggregate_kwargs: dict[str, Any] | None = None,
        combine_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """A reduction of one's own: partial results of partitions, combined as a tree.

        Parameters
        ----------
        chunk : callable
            Of each partition; returns a pandas object or a scalar.
        aggregate : callable, optional
            Of all that `chunk` or `combine` returned: scalars as a series, series as rows of a frame, frames one below
            the other. It is `chunk` if left out.
        combine : callable, optional
            Of several results on the way, returning one of their kind; `aggregate` if left out.
        meta : optional
            An empty pandas object like the result; a dtype, or nothing, for a scalar.
        chunk_kwargs, aggregate_kwargs, combine_kwargs : dict, optional
            For each of the functions.
        **kwargs
            For `chunk`.

        Returns
        -------
        Scalar, Series or DataFrame

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> x = rd.from_pandas(pd.Series([1, 2, 3]), npartitions=2)
        >>> print(x.reduction(lambda part: (part**2).sum(), lambda sums: sums.sum()).compute())
        14
        """
        from restride.collections.dataframe.operations.custom_reduction import reduced  # noqa: PLC0415  which declares with methods.partitions

        aggregate = aggregate or chunk
        steps = (
            (chunk, {**(chunk_kwargs or {}), **kwargs}),
            (combine or aggregate, combine_kwargs or (aggregate_kwargs or {} if combine is None else {})),
            (aggregate, aggregate_kwargs or {}),
        )
        return self._new(reduced(labelled(self.expr), steps, meta))
