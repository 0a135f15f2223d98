"""`concat`: frames below or beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from restride.collections.dataframe.base import FrameBase, new_collection
from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.meta import is_frame_like
from restride.collections.dataframe.operations import sources
from restride.collections.dataframe.operations.alignment import aligned
from restride.collections.dataframe.operations.concatenation import concat_rows, with_keys
from restride.collections.dataframe.operations.rowwise import rowwise


def concat(
    objs: Iterable[Any] | Mapping[Any, Any],
    *,
    axis: Any = 0,
    join: str = "outer",
    ignore_index: bool = False,
    keys: Iterable[Any] | None = None,
    names: Any = None,
    sort: bool = False,
) -> Any:
    """Put frames and series below or beside each other, as `pandas.concat` does.

    Parameters
    ----------
    objs : iterable or mapping of DataFrame or Series, also of pandas
        None are left out.
    axis : {0, "index", 1, "columns"}
        Below each other, or beside each other by their labels.
    join : {"outer", "inner"}
        Columns (labels, with ``axis=1``) that some have, or all have.
    ignore_index : bool
        Number the rows of the result (its columns, with ``axis=1``).
    keys : iterable, optional
        One for each, as a further level of labels, of several if they are tuples; those of a mapping by default.
    names : list, optional
        Of the levels, where there are keys.
    sort : bool
        Sort the labels of the columns where frames have different ones.

    Returns
    -------
    DataFrame or Series
        Its divisions are known where the frames' are, and follow on each other.

    Raises
    ------
    ValueError
        There is nothing to concatenate.
    TypeError
        Something is neither a frame nor a series.

    Examples
    --------
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> a = rd.from_pandas(pd.DataFrame({"x": [1, 2]}), npartitions=2)
    >>> b = rd.from_pandas(pd.DataFrame({"x": [3], "y": ["c"]}), npartitions=1)
    >>> rd.concat([a, b], ignore_index=True).compute()
       x    y
    0  1  NaN
    1  2  NaN
    2  3    c
    """
    if isinstance(objs, Mapping):
        keys = list(objs) if keys is None else list(keys)
        objs = [objs[key] for key in keys]
    if isinstance(objs, (FrameBase, pd.DataFrame, pd.Series, str)):
        raise TypeError(
            "first argument must be an iterable of frames or series, "
            f"you passed an object of type {type(objs).__name__!r}"
        )
    objs = list(objs)
    if keys is not None:
        keys = list(keys)
        if len(keys) != len(objs):
            raise ValueError(f"The length of the keys ({len(keys)}) must match the length of the objects ({len(objs)})")
        keys = [key for key, value in zip(keys, objs) if value is not None]
    frames = [_expr(value) for value in objs if value is not None]
    if not frames:
        raise ValueError("No objects to concatenate" if not objs else "All objects passed were None")
    if join not in ("outer", "inner"):
        raise ValueError("Only can inner (intersect) or outer (union) join the other axis")
    if axis in (0, "index", "rows"):
        if keys is not None and not ignore_index:
            frames = with_keys(frames, keys, names)
        new = concat_rows(frames, join, ignore_index=ignore_index)
        if sort and isinstance(new.meta, pd.DataFrame):
            return new_collection(new)[sorted(new.meta.columns)]
        return new_collection(new)
    if axis not in (1, "columns"):
        raise ValueError(f"No axis named {axis} for object type DataFrame")
    together = aligned(frames, join)
    kwargs = {"keys": keys, "names": names, "ignore_index": ignore_index}
    return new_collection(rowwise(Beside(tuple(kwargs.items())), *together))


class Beside:
    """Kernel: frames of the same rows beside each other."""

    __name__ = "concat"

    def __init__(self, kwargs: tuple[tuple[str, Any], ...]) -> None:
        self.kwargs = kwargs

    def __call__(self, *frames: Any) -> pd.DataFrame:
        return pd.concat(frames, axis=1, **dict(self.kwargs))


def _expr(value: Any) -> FrameExpr:
    if is_frame_like(value) and not isinstance(value, pd.Index):
        return sources.from_memory(value)
    if isinstance(value, FrameBase) and not isinstance(value.expr.meta, pd.Index):
        return value.expr
    raise TypeError(f"cannot concatenate object of type '{type(value)}'; only Series and DataFrame objs are valid")
