"""The values that occur in a series, where they are few enough to be the metadata of others: categories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.operations.places import index_as_series
from restride.collections.dataframe.operations.selection import without_index
from restride.collections.dataframe.operations.tree import ReducedScalar, Steps
from restride.collections.dataframe.partition import Partition, to_pandas


def distinct(frame: FrameExpr, *, missing: bool = False) -> ReducedScalar:
    """The values of a series or index that occur, sorted if they can be compared, as an index."""
    series = without_index(index_as_series(frame) if isinstance(frame.meta, pd.Index) else frame)
    return ReducedScalar(series, Steps(DistinctValues(series.meta, missing), _merged, _sorted), None, "distinct")


@dataclass(frozen=True)
class DistinctValues:
    """Kernel: the values that occur in a partition, once each."""

    meta: Any
    missing: bool
    __name__ = "distinct"

    def __call__(self, partition: Partition) -> pd.Index:
        series = to_pandas(partition, self.meta)
        values = (series if self.missing else series.dropna()).unique()
        return pd.Index(values.astype(values.categories.dtype) if isinstance(values, pd.Categorical) else values)


def _merged(*parts: pd.Index) -> pd.Index:
    filled = [part for part in parts if len(part)] or list(parts[:1])
    return filled[0].append(filled[1:]).unique()


def _sorted(values: pd.Index) -> pd.Index:
    try:
        return values.sort_values()
    except TypeError:  # such as 1 and "a"
        return values
