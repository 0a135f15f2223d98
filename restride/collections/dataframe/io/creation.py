"""Frames that functions make: one call, or one future, a partition; and frames of dictionaries."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pandas as pd

from restride.collections.blocks import Blocks, Ready
from restride.collections.dataframe.base import new_collection
from restride.collections.dataframe.creation import from_pandas
from restride.collections.dataframe.expr import Divisions, FrameExpr, unknown_divisions
from restride.collections.dataframe.meta import Meta, is_frame_like, meta_of
from restride.collections.dataframe.methods.partitions import make_meta
from restride.collections.dataframe.operations.sources import FromFunction
from restride.collections.dataframe.partition import Partition
from restride.collections.dataframe.partition import from_pandas as partition_from_pandas
from restride.engine.client.client import default_client
from restride.engine.client.futures import Future


def from_map(
    func: Callable[..., Any],
    *iterables: Iterable[Any],
    args: Sequence[Any] = (),
    meta: Any = None,
    divisions: Sequence[Any] | None = None,
    label: str | None = None,
    **kwargs: Any,
) -> Any:
    """Make a frame of what a function makes of each of some values: a partition each.

    Parameters
    ----------
    func : callable
        Called ``func(value, *args, **kwargs)``, with a value of each iterable; returns a pandas object.
    *iterables
        Of equal length.
    args : sequence
        Further arguments, the same for all.
    meta : pandas object, optional
        An empty one of the labels and dtypes of the result, or what stands for it: a dict of dtypes by label, or
        ``(name, dtype)`` of a series. Without it the function is called now for the first partition.
    divisions : sequence, optional
        The least label of each partition's index, and the greatest of the last.
    label : str, optional
        What people see of the tasks.
    **kwargs
        For the function.

    Returns
    -------
    DataFrame, Series or Index

    Raises
    ------
    ValueError
        Iterables of different lengths, or empty ones; divisions that are not one more than the partitions.
    TypeError
        Without `meta`: the function returns no pandas object.
    SchemaError
        On compute: the function returns other columns or dtypes; a ValueError.

    Examples
    --------
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> rd.from_map(lambda n: pd.DataFrame({"x": range(n)}), [1, 2], meta={"x": "int64"}).compute()
       x
    0  0
    0  0
    1  1
    """
    columns = [list(iterable) for iterable in iterables]
    if not columns or len(set(map(len, columns))) > 1 or not columns[0]:
        raise ValueError(f"from_map needs iterables of equal length, and not empty; got lengths {[*map(len, columns)]}")
    calls = list(zip(*columns))
    call = Call(func, tuple(args))
    word = label or str(getattr(func, "__name__", type(func).__name__))
    declared = _made_meta(meta, lambda: default_client().submit(call, calls[0], **kwargs).result(), word)
    known = checked_divisions(divisions, len(calls))
    return new_collection(FromFunction(call, calls, tuple(kwargs.items()), _labelled(declared), known, word))


@dataclass(frozen=True)
class Call:
    """A function of one value from each iterable, and of further arguments."""

    func: Callable[..., Any]
    args: tuple[Any, ...]

    def __call__(self, values: tuple[Any, ...], **kwargs: Any) -> Any:
        return self.func(*values, *self.args, **kwargs)


def from_delayed(values: Any, meta: Any = None, divisions: Sequence[Any] | None = None) -> Any:
    """Make a frame of futures, or of functions that are called when their partition is needed.

    Parameters
    ----------
    values : Future or callable, or sequence of such
        Whose results are pandas objects, a partition each; functions take no arguments.
    meta : pandas object, optional
        An empty one of the labels and dtypes, or what stands for it, as for `from_map`. Without it the first value is
        waited for, or called, now.
    divisions : sequence, optional
        The least label of each partition's index, and the greatest of the last.

    Returns
    -------
    DataFrame, Series or Index

    Raises
    ------
    TypeError
        Neither futures nor functions; without `meta`: the first gives no pandas object.
    SchemaError
        On compute: a result has other columns or dtypes; a ValueError.

    Examples
    --------
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> rd.from_delayed([lambda: pd.DataFrame({"x": [1]}), lambda: pd.DataFrame({"x": [2]})]).x.compute().tolist()
    [1, 2]
    """
    many = list(values) if isinstance(values, (list, tuple)) else [values]
    if not many:
        raise ValueError("from_delayed needs at least one future or function")
    known = checked_divisions(divisions, len(many))
    if all(isinstance(value, Future) for value in many):
        declared = _made_meta(meta, many[0].result, "the first future")
        return new_collection(FromFutures(many, _labelled(declared), known))
    if not all(callable(value) for value in many):
        wrong = next(type(value).__name__ for value in many if not callable(value))
        raise TypeError(f"from_delayed takes futures, or functions without arguments, got {wrong}")
    return from_map(_called, many, meta=meta, divisions=divisions, label="from_delayed")


def _called(function: Callable[[], Any]) -> Any:
    return function()


@dataclass(frozen=True, eq=False, repr=False)
class FromFutures(FrameExpr):
    """Partitions that are the pandas objects of futures."""

    futures: Sequence[Future]
    of_meta: Any
    known: Divisions

    @property
    def label(self) -> str:
        return "from_delayed"

    def identity(self) -> Iterable[Any]:
        """One thing that is like no other."""
        return [object()]

    def _meta(self) -> Meta:
        meta: Meta = self.of_meta
        return meta

    def _npartitions(self) -> int:
        return len(self.futures)

    def _lengths(self) -> None:
        return None

    def _divisions(self) -> Divisions:
        return self.known

    def _rows(self) -> str:
        return self.name

    def blocks(self, *children: Blocks) -> Blocks:
        return self.by_partition(FromPandasBlock(self.meta), Ready(n=len(self.futures), futures=self.futures))


@dataclass(frozen=True)
class FromPandasBlock:
    """Kernel: a pandas object as a partition, checked against the frame's meta."""

    meta: Any
    __name__ = "from_delayed"

    def __call__(self, value: Any) -> Partition:
        if not is_frame_like(value):
            raise TypeError(f"expected a pandas object, got {type(value).__name__}")
        return partition_from_pandas(value, self.meta)


def from_dict(
    data: dict[Any, Any],
    npartitions: int | None = None,
    orient: str = "columns",
    dtype: Any = None,
    columns: Sequence[Hashable] | None = None,
) -> Any:
    """Make a frame of a dictionary, as `pandas.DataFrame.from_dict`.

    Parameters
    ----------
    data : dict
        Of lists, arrays or dicts.
    npartitions : int, optional
        How many partitions, of about equal numbers of rows.
    orient : {"columns", "index", "tight"}
        Whether the keys are labels of columns or of rows.
    dtype : dtype, optional
        Of all columns.
    columns : sequence of labels, optional
        With ``orient="index"``.

    Returns
    -------
    DataFrame

    Examples
    --------
    >>> import restride.dataframe as rd
    >>> rd.from_dict({"x": [1, 2], "y": ["a", "b"]}, npartitions=2).compute()
       x  y
    0  1  a
    1  2  b
    """
    frame = pd.DataFrame.from_dict(data, orient=orient, dtype=dtype, columns=columns)
    return from_pandas(frame, npartitions)


def checked_divisions(divisions: Sequence[Any] | None, npartitions: int) -> Divisions:
    """Divisions as a user declares them.

    Raises
    ------
    ValueError
        Not one more than there are partitions, or not ascending.
    """
    if divisions is None:
        return unknown_divisions(npartitions)
    known = tuple(divisions)
    if len(known) != npartitions + 1:
        raise ValueError(f"{npartitions} partitions have {npartitions + 1} divisions, got {len(known)}")
    if any(label is None for label in known):
        return unknown_divisions(npartitions)
    if any(one > other for one, other in pairwise(known)):
        raise ValueError(f"divisions ascend, got {known}")
    return known


def _made_meta(meta: Any, first: Callable[[], Any], what: str) -> Meta:
    """The meta that a user declares, or that of the first partition."""
    if meta is not None:
        declared: Meta = make_meta(meta)
        return declared
    value = first()
    if not is_frame_like(value):
        raise TypeError(f"{what} gives {type(value).__name__}, not a pandas object")
    return meta_of(value)


def _labelled(meta: Meta) -> Meta:
    """The meta with an index that is stored: each partition has labels of its own."""
    if isinstance(meta, pd.Index) or not isinstance(meta.index, pd.RangeIndex):
        return meta
    return meta.set_axis(pd.Index([], dtype="int64", name=meta.index.name), axis=0)
