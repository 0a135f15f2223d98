"""`merge` as a function, and merges of rows in order: `merge_asof`, `merge_ordered`."""

from __future__ import annotations

from typing import Any

from restride.collections.dataframe.base import new_collection
from restride.collections.dataframe.meta import as_list
from restride.collections.dataframe.methods.joining import as_frame
from restride.collections.dataframe.operations.merge import asof, ordered


def merge(left: Any, right: Any, how: str = "inner", **options: Any) -> Any:
    """Put rows of two frames together whose keys are equal: ``left.merge(right, how, **options)``.

    Parameters
    ----------
    left, right : DataFrame or named Series, also of pandas
    how : str
    **options
        As for `DataFrame.merge`.

    Returns
    -------
    DataFrame

    Examples
    --------
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> left = rd.from_pandas(pd.DataFrame({"k": [1, 2], "x": [3, 4]}), npartitions=2)
    >>> rd.merge(left, pd.DataFrame({"k": [2], "y": [5]}), on="k").compute()
       k  x  y
    0  2  4  5
    """
    return new_collection(as_frame(left)).merge(right, how, **options)


def merge_asof(
    left: Any,
    right: Any,
    on: Any = None,
    left_on: Any = None,
    right_on: Any = None,
    left_index: bool = False,
    right_index: bool = False,
    by: Any = None,
    left_by: Any = None,
    right_by: Any = None,
    suffixes: tuple[str | None, str | None] = ("_x", "_y"),
    tolerance: Any = None,
    allow_exact_matches: bool = True,
    direction: str = "backward",
) -> Any:
    """Put each row of a frame beside the one of another whose key is nearest, as `pandas.merge_asof` does.

    Parameters
    ----------
    left, right : DataFrame or named Series, also of pandas
        Sorted by the key. Each worker holds all of `right`.
    on, left_on, right_on : label, optional
        The ordered key: numbers, dates or durations.
    left_index, right_index : bool
        Whether the key of that side is its index.
    by, left_by, right_by : label or list of labels, optional
        Keys that have to be equal.
    suffixes : pair of (str or None)
    tolerance : int, float or Timedelta, optional
        How far the nearest may be.
    allow_exact_matches : bool
        Whether a row of the very same key counts.
    direction : {"backward", "forward", "nearest"}
        Before, after, or whichever is nearer.

    Returns
    -------
    DataFrame
        The rows of `left`.

    Raises
    ------
    ValueError, KeyError, pandas.errors.MergeError
        As pandas has it; on compute where keys are not sorted, or missing.

    Examples
    --------
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> trades = rd.from_pandas(pd.DataFrame({"t": [2, 5, 9], "n": [1, 2, 3]}), npartitions=2)
    >>> quotes = rd.from_pandas(pd.DataFrame({"t": [1, 4, 5], "price": [10.0, 11.0, 12.0]}), npartitions=1)
    >>> rd.merge_asof(trades, quotes, on="t", allow_exact_matches=False).compute()
       t  n  price
    0  2  1   10.0
    1  5  2   11.0
    2  9  3   12.0
    """
    arguments = {
        "on": on, "left_on": left_on, "right_on": right_on, "left_index": left_index, "right_index": right_index,
        "by": by, "left_by": left_by, "right_by": right_by, "suffixes": suffixes,
    }  # fmt: skip
    nearness = {"tolerance": tolerance, "allow_exact_matches": allow_exact_matches, "direction": direction}
    return new_collection(asof.merge_asof(as_frame(left), as_frame(right), arguments, nearness))


def merge_ordered(
    left: Any,
    right: Any,
    on: Any = None,
    left_on: Any = None,
    right_on: Any = None,
    left_by: Any = None,
    right_by: Any = None,
    fill_method: str | None = None,
    suffixes: tuple[str | None, str | None] = ("_x", "_y"),
    how: str = "outer",
) -> Any:
    """Put rows of two frames together whose keys are equal, in the order of the keys, as `pandas.merge_ordered` does.

    Parameters
    ----------
    left, right : DataFrame or named Series, also of pandas
    on, left_on, right_on : label or list of labels, optional
        The keys; the columns that both have by default.
    left_by, right_by : None
        Merges of each group by itself; not supported.
    fill_method : {"ffill"}, optional
        Give rows without a partner the last row before them that is of the other side.
    suffixes : pair of (str or None)
    how : {"outer", "left", "right", "inner"}
        What becomes of rows without a partner.

    Returns
    -------
    DataFrame

    Raises
    ------
    ValueError, KeyError, pandas.errors.MergeError
        As `DataFrame.merge`.

    Examples
    --------
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> left = rd.from_pandas(pd.DataFrame({"k": [3, 1], "x": [4, 5]}), npartitions=2)
    >>> rd.merge_ordered(left, pd.DataFrame({"k": [2, 3], "y": [6, 7]}), fill_method="ffill").compute()
       k  x    y
    0  1  5  NaN
    1  2  5  6.0
    2  3  4  7.0
    """
    if left_by is not None or right_by is not None:
        raise NotImplementedError("merge_ordered(left_by=, right_by=): merge by these columns, too, and sort_values")
    if fill_method not in (None, "ffill"):
        raise ValueError("fill_method must be 'ffill' or None")
    keys = {"on": on, "left_on": left_on, "right_on": right_on}
    frames = [new_collection(as_frame(side)) for side in (left, right)]
    if fill_method is None:
        return frames[0].merge(frames[1], how, **keys, suffixes=suffixes, sort=True)
    if on is None and left_on is None and right_on is None:
        keys["on"] = [label for label in frames[0].columns if label in frames[1].columns]
    marked = [new_collection(ordered.marked(frame.expr, mark)) for frame, mark in zip(frames, ordered.MARKS)]
    merged = marked[0].merge(marked[1], how, **keys, suffixes=suffixes, sort=True)
    common = [*as_list(keys["on"]), *(label for label in as_list(left_on) if label in as_list(right_on))]
    return new_collection(ordered.filled(merged.expr, [frame.expr.meta for frame in frames], common))
