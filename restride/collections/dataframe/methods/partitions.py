"""Whole partitions: through functions, some of them, the first rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import pandas as pd

from restride.collections.collection import Collection, compute
from restride.collections.dataframe.base import FrameBase, as_operand, new_collection
from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.meta import (
    as_unknown,
    column_dtypes,
    is_frame_like,
    is_unknown_categorical,
    level_dtypes,
    meta_of,
)
from restride.collections.dataframe.operations.extreme_rows import ends_of_sorted
from restride.collections.dataframe.operations.merge.nodes import MergeBase
from restride.collections.dataframe.operations.partitions import FirstRows, MapPartitions, take_partitions
from restride.collections.dataframe.operations.rowwise import labelled
from restride.collections.dataframe.operations.shuffle import Shuffle
from restride.collections.expression import subexpressions

SHUFFLED_AT_ONCE = 4
"""Partitions that are looked at for some rows first, where rows are shuffled or merged below."""


class Partitions(FrameBase):
    """What is done to whole partitions."""

    def map_partitions(
        self, func: Callable[..., Any], *args: Any, meta: Any = None, keeps_rows: bool = False, **kwargs: Any
    ) -> Any:
        """Apply a function to each partition, a pandas object.

        Parameters
        ----------
        func : callable
            Called ``func(partition, *args, **kwargs)``; returns a pandas object, or a scalar that makes a row.
        *args
            Frames and series of as many partitions give one each; other values go as they are.
        meta : pandas object, optional
            An empty one of the labels and dtypes of the result. Without it the function is called once now, with the
            first partition that has rows, which is computed for that.
        keeps_rows : bool
            The function gives a row for each row, in their order, with the same labels: then the result can be used
            row by row together with this.
        **kwargs
            For the function.

        Returns
        -------
        DataFrame, Series or Index

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"x": [1, 2, 3]}), npartitions=2)
        >>> df.map_partitions(lambda part: part * 10, meta={"x": "int64"}).compute()
            x
        0  10
        1  20
        2  30
        """
        frame = labelled(self.expr)
        operands = [as_operand(arg, frame) for arg in args]
        operands = [labelled(arg) if isinstance(arg, FrameExpr) else arg for arg in operands]
        counts = {arg.npartitions for arg in operands if isinstance(arg, FrameExpr)} - {1, frame.npartitions}
        if counts:
            raise ValueError(
                f"operands of {sorted(counts)} partitions do not go with {frame.npartitions} of this frame"
            )
        if meta is None:
            meta = meta_from_data(func, frame, operands, kwargs)
        word = getattr(func, "__name__", type(func).__name__).strip("<>")
        new = MapPartitions(func, (frame, *operands), tuple(kwargs.items()), make_meta(meta), word, keeps_rows)
        return self._new(new)

    def get_partition(self, n: int) -> Self:
        """One partition, by its number."""
        if not 0 <= n < self.npartitions:
            raise ValueError(f"there are partitions 0 to {self.npartitions - 1}, not {n}")
        new: Self = self._new(take_partitions(self.expr, [n]))
        return new

    @property
    def partitions(self) -> PartitionIndexer:
        """Partitions by number, as ``df.partitions[2:5]``.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"x": range(10)}), npartitions=5)
        >>> df.partitions[1:3].x.compute().tolist()
        [2, 3, 4, 5]
        """
        return PartitionIndexer(self)

    def head(self, n: int = 5, npartitions: int = -1, compute: bool = True) -> Any:
        """The first rows; no more partitions are computed than have them.

        Parameters
        ----------
        n : int
            How many; all but the last ``-n`` if negative.
        npartitions : int
            How many partitions to look at; -1 for as many as it takes.
        compute : bool
            Return a pandas object, not a collection.
        """
        return self._rows_at_an_end(n, npartitions, compute, last=False)

    def tail(self, n: int = 5, npartitions: int = -1, compute: bool = True) -> Any:
        """The last rows; see `head`."""
        return self._rows_at_an_end(n, npartitions, compute, last=True)

    def _rows_at_an_end(self, n: int, npartitions: int, compute: bool, *, last: bool) -> Any:
        total = self.npartitions
        if npartitions > total:
            raise ValueError(f"there are {total} partitions, not {npartitions}")
        if n < 0:
            whole = self.compute()
            return whole.tail(n) if last else whole.head(n)
        expr = labelled(self.expr) if last and not self.expr.has_index else self.expr
        if npartitions < 0 and (ends := ends_of_sorted(expr, n, last=last)) is not None:
            found = self._new(ends)
            return found.compute() if compute else found
        most = total if npartitions < 0 else npartitions
        # Where one partition takes all that is below, some more cost little, and a second look would cost all again.
        shuffled = any(isinstance(expr, (Shuffle, MergeBase)) for expr in subexpressions([self.expr]))
        first = min(SHUFFLED_AT_ONCE, total) if shuffled else 1
        looked = first if npartitions < 0 else npartitions
        while True:
            numbers = range(total - looked, total) if last else range(looked)
            rows = FirstRows(take_partitions(expr, list(numbers)), n, last)
            if not compute:
                return self._new(rows)
            found = self._new(rows).compute()
            if len(found) >= n or looked == most:
                return found.tail(n) if last and not isinstance(found, pd.Index) else found[-n:] if last else found[:n]
            looked = min(looked * 4, most)


class PartitionIndexer:
    """``df.partitions``."""

    def __init__(self, frame: Partitions) -> None:
        self.frame = frame

    def __len__(self) -> int:
        return self.frame.npartitions

    def __getitem__(self, key: Any) -> Any:
        numbers = pd.RangeIndex(self.frame.npartitions)[key]
        chosen = [int(numbers)] if isinstance(key, int) else [int(number) for number in numbers]
        return self.frame._new(take_partitions(self.frame.expr, chosen))

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))


def meta_from_data(func: Callable[..., Any], frame: FrameExpr, operands: list[Any], kwargs: dict[str, Any]) -> Any:
    """What a user's function makes of the first partition that has rows; that partition is computed for it."""
    for number in range(frame.npartitions):
        firsts = []
        for arg in [frame, *operands]:
            if isinstance(arg, FrameExpr):
                one = take_partitions(arg, [number if arg.npartitions > 1 else 0])
                firsts.append(new_collection(one))
            else:
                firsts.append(arg)
        lazy = [arg for arg in firsts if isinstance(arg, Collection)]
        values = iter(compute(*lazy))
        args = [next(values) if isinstance(arg, Collection) else arg for arg in firsts]
        if len(args[0]) or number == frame.npartitions - 1:
            result = func(*args, **kwargs)
            if not is_frame_like(result):
                return pd.Series([result]).iloc[:0]
            expected = [(one, arg) for one, arg in zip(firsts, args) if isinstance(one, Collection)]
            pairs = [(one.expr.meta, meta_of(arg)) for one, arg in expected]  # type: ignore[attr-defined]
            found = _found_categories(pairs)
            return as_unknown(meta_of(result), found) if found else meta_of(result)
    raise ValueError("a frame without partitions has no first one; say by meta= what the function returns")


def _found_categories(pairs: list[tuple[Any, Any]]) -> dict[pd.CategoricalDtype, pd.CategoricalDtype]:
    """What stands in metas for categories that are not known, by those that were found in some of the data."""
    return {
        have: dtype
        for declared, found in pairs
        for of in (column_dtypes, level_dtypes)
        for dtype, have in zip(of(declared), of(found))
        if is_unknown_categorical(dtype)
    }


def make_meta(meta: Any) -> Any:
    """A meta of what users may declare: a pandas object, a dict or pairs of labels and dtypes, or ``(name, dtype)``.

    Examples
    --------
    >>> make_meta({"x": "int64"}).dtypes.to_dict()
    {'x': dtype('int64')}
    >>> make_meta(("y", "float64"))
    Series([], Name: y, dtype: float64)
    """
    if isinstance(meta, Collection):
        return meta.expr.meta  # type: ignore[attr-defined]
    if is_frame_like(meta):
        return meta_of(meta)
    if isinstance(meta, dict):
        return pd.DataFrame({label: pd.Series([], dtype=dtype) for label, dtype in meta.items()})
    if isinstance(meta, tuple) and len(meta) == 2 and not isinstance(meta[0], tuple):
        return pd.Series([], name=meta[0], dtype=meta[1])
    if isinstance(meta, (list, tuple)):
        frame = pd.DataFrame({i: pd.Series([], dtype=dtype) for i, (_, dtype) in enumerate(meta)})
        frame.columns = pd.Index([label for label, _ in meta])
        return frame
    return pd.Series([], dtype=meta)
