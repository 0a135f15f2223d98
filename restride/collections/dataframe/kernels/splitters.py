"""Splitters: the keys that part rows into ranges of about equal size, chosen from samples of all partitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from restride.collections.dataframe.kernels.memory import one_array
from restride.collections.dataframe.kernels.radix import argsort
from restride.collections.dataframe.kernels.sort_keys import KeyColumn, SortKey
from restride.collections.dataframe.kernels.taking import without_dictionary
from restride.collections.dataframe.kernels.words import Rows

PER_BUCKET = 128
"""Sampled rows for each bucket, at least: its size is then within a fifth of what it should be, mostly."""
LEAST, MOST = 256, 8192
"""Sampled rows of a partition."""


@dataclass(frozen=True)
class Sample:
    """Some rows' keys, and how many rows they stand for."""

    columns: tuple[KeyColumn, ...]
    n_rows: int


def sample_size(n_partitions: int, n_buckets: int) -> int:
    """How many rows to sample from each partition."""
    return min(max(PER_BUCKET * n_buckets // max(n_partitions, 1), LEAST), MOST)


def sample(columns: Sequence[KeyColumn], size: int) -> Sample:
    """Keys of rows at equal distances, that keep nothing else alive.

    Parameters
    ----------
    columns : sequence of pyarrow arrays or Series
        The key columns of a partition.
    size : int
        How many rows, where there are as many.

    Examples
    --------
    >>> sample([pa.array(range(1000))], 5).columns[0].to_pylist()
    [0, 249, 499, 749, 999]
    """
    n = len(columns[0])
    rows = np.arange(n) if n <= size else np.linspace(0, n - 1, size).astype(np.int64)
    return Sample(tuple(_take(column, rows) for column in columns), n)


def choose_splitters(samples: Sequence[Sample], n_buckets: int, keys: Sequence[SortKey]) -> list[KeyColumn]:
    """The keys at equal distances in the order of all rows, as far as samples tell.

    Parameters
    ----------
    samples : sequence of Sample
        One at least.
    n_buckets : int
    keys : sequence of SortKey
        How to sort by each column.

    Returns
    -------
    list of pyarrow arrays or Series
        The key columns of ``n_buckets - 1`` splitters, or of none if there are none to choose from. A key that takes
        several buckets' share of the rows is there several times; all but one of those buckets remain empty.

    Examples
    --------
    >>> samples = [sample([pa.array([1, 3, 5, 7])], 9), sample([pa.array([2, 4, 6, 8])], 9)]
    >>> choose_splitters(samples, 4, [SortKey()])[0].to_pylist()
    [3, 5, 7]
    """
    columns = [_concatenated(parts) for parts in zip(*(one.columns for one in samples))]
    counts = [len(one.columns[0]) for one in samples]
    if not sum(counts):
        return columns
    weights = np.repeat([one.n_rows / max(count, 1) for one, count in zip(samples, counts)], counts)
    order = argsort(columns, keys)
    upto = np.cumsum(weights[order])
    wanted = upto[-1] * np.arange(1, n_buckets) / n_buckets
    # A splitter opens its bucket: so many rows come before it as shall.
    places = np.searchsorted(upto, wanted * (1 - 1e-12), side="left") + 1
    rows = order[np.minimum(places, len(order) - 1)]
    return [_take(column, rows) for column in columns]


def _take(column: KeyColumn, rows: Rows) -> KeyColumn:
    """Values by row number, as a column of one part; not by way of a dictionary."""
    if isinstance(column, pd.Series):
        return column.take(rows)
    return without_dictionary(one_array(pc.take(column, pa.array(rows), boundscheck=False)))


def _concatenated(parts: Sequence[KeyColumn]) -> KeyColumn:
    if isinstance(parts[0], pd.Series):
        return pd.concat(parts, ignore_index=True)
    return pa.concat_arrays(parts)
