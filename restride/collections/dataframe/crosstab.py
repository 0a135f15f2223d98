"""`crosstab`: how often values of several series are there together."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import pandas as pd

from restride.collections.dataframe.base import FrameBase, new_collection
from restride.collections.dataframe.meta import as_list
from restride.collections.dataframe.operations.sources import from_memory

_OF_AGGREGATES = {"sum": "sum", "count": "sum", "min": "min", "max": "max"}
"""What makes an aggregate of all of those of parts, which margins are."""


def crosstab(
    index: Any,
    columns: Any,
    values: Any = None,
    rownames: Sequence[Hashable] | None = None,
    colnames: Sequence[Hashable] | None = None,
    aggfunc: Any = None,
    margins: bool = False,
    margins_name: Hashable = "All",
    dropna: bool = True,
    normalize: Any = False,
) -> Any:
    """How often values are there together, or an aggregate of others by them; computed now, as values become columns.

    Parameters
    ----------
    index, columns : Series, or list of Series
        Those in rows, and those in columns; with the same rows.
    values : Series, optional
        What is aggregated.
    rownames, colnames, margins, margins_name, dropna, normalize
        As in pandas.
    aggfunc : str, optional
        Name of an aggregate of `values`; with `margins` only those that can be made of partial ones.

    Returns
    -------
    DataFrame

    Examples
    --------
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> df = rd.from_pandas(pd.DataFrame({"a": list("xyx"), "b": [1, 1, 2]}), npartitions=2)
    >>> rd.crosstab(df.a, df.b).compute()
    b  1  2
    a
    x  1  1
    y  1  0
    """
    if (values is None) != (aggfunc is None):
        raise ValueError(
            "aggfunc cannot be used without values." if values is None else "values cannot be used without an aggfunc."
        )
    rows, over = as_list(index), as_list(columns)
    if not all(isinstance(one, FrameBase) for one in (*rows, *over)):
        raise TypeError("crosstab takes series, or lists of series")
    if margins and aggfunc is not None and aggfunc not in _OF_AGGREGATES:
        raise NotImplementedError(f"margins of {aggfunc!r}: it cannot be made of those of parts")
    keys = [*rows, *over]
    frame = keys[0].to_frame(0)
    for place, key in enumerate(keys[1:], start=1):
        frame[place] = key
    if values is not None:
        frame["value"] = values
    groups = frame.groupby(list(range(len(keys))), observed=dropna)
    found = (groups.size() if values is None else groups.value.agg(aggfunc)).compute().rename("found").reset_index()
    names = [
        [key.name if key.name is not None else f"{word}_{i}" for i, key in enumerate(side)] if given is None else given
        for side, given, word in ((rows, rownames, "row"), (over, colnames, "col"))
    ]
    table = pd.crosstab(
        [found[i] for i in range(len(rows))], [found[i] for i in range(len(rows), len(keys))], found["found"],
        names[0], names[1], "sum" if values is None else _OF_AGGREGATES.get(aggfunc, "first"), margins, margins_name,
        dropna, normalize,
    )  # fmt: skip
    if values is None:
        table = table.fillna(0) if normalize is not False else table.fillna(0).astype("int64")
    return new_collection(from_memory(table))
