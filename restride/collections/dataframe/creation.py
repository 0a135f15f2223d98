"""Frames of what is in memory."""

from __future__ import annotations

from typing import Any

import pandas as pd

from restride.collections.dataframe.base import new_collection
from restride.collections.dataframe.operations.sources import even_bounds, from_memory

PARTITION_BYTES = 64 * 2**20
"""Bytes of a partition where nobody says how many there are to be."""
LEAST_PARTITIONS = 8
"""As many partitions of a frame that is not small, so that all threads have something to do."""


def from_pandas(data: Any, npartitions: int | None = None, chunksize: int | None = None, *, sort: bool = False) -> Any:
    """A frame, series or index of pandas in partitions.

    Parameters
    ----------
    data : pandas.DataFrame, Series or Index
        It must not be changed afterwards.
    npartitions : int, optional
        How many partitions, of about equal numbers of rows.
    chunksize : int, optional
        How many rows a partition has, instead.
    sort : bool
        Sort by the index first. Divisions are known if the index is sorted, by this or already.

    Returns
    -------
    DataFrame, Series or Index

    Raises
    ------
    TypeError
        `data` is nothing of pandas.
    ValueError
        Both `npartitions` and `chunksize` are given, or one is less than 1.

    Examples
    --------
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> df = rd.from_pandas(pd.DataFrame({"x": range(10)}), npartitions=3)
    >>> df
    <DataFrame: 10 rows, [x: int64], 3 partitions>
    >>> df.divisions
    (0, 3, 7, 9)
    """
    if not isinstance(data, (pd.DataFrame, pd.Series, pd.Index)):
        raise TypeError(f"expected a DataFrame, Series or Index of pandas, got {type(data).__name__}")
    if npartitions is not None and chunksize is not None:
        raise ValueError("give npartitions or chunksize, not both")
    if min(npartitions or 1, chunksize or 1) < 1 or npartitions == 0 or chunksize == 0:
        raise ValueError("npartitions and chunksize must be at least 1")
    if sort and not isinstance(data, pd.Index) and not data.index.is_monotonic_increasing:
        data = data.sort_index(kind="stable")
    n = len(data)
    if chunksize is not None:
        bounds = [*range(0, n, chunksize), n] if n else [0, 0]
    else:
        bounds = even_bounds(n, min(npartitions or default_npartitions(data), max(n, 1)))
    return new_collection(from_memory(data, bounds))


def default_npartitions(data: Any) -> int:
    """How many partitions a frame gets, by its bytes."""
    usage = data.memory_usage(deep=False)
    nbytes = int(usage if isinstance(usage, int) else usage.sum())
    if nbytes < 2**20:
        return 1
    return max(LEAST_PARTITIONS, -(-nbytes // PARTITION_BYTES))
