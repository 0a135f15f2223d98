"""Values in memory beside the rows of a frame, by their places: what is set as a column without labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from restride.collections.dataframe.base import new_collection
from restride.collections.dataframe.expr import FrameExpr, Lengths, Wanted
from restride.collections.dataframe.operations.partitions import MapPartitions
from restride.collections.dataframe.operations.places import AsRowsOf
from restride.collections.dataframe.operations.selection import narrow
from restride.collections.dataframe.operations.sources import from_memory


def is_listed(value: Any) -> bool:
    """Whether a value is one of many in a row, without labels."""
    if isinstance(value, (list, range, pd.Index, pd.api.extensions.ExtensionArray)):
        return True
    return isinstance(value, np.ndarray) and value.ndim == 1


def by_position(values: Any, frame: FrameExpr) -> FrameExpr:
    """Values in memory as a series of the rows of a frame; its rows are counted now, unless that is known.

    Raises
    ------
    ValueError
        As pandas: there are more or fewer values than rows.
    """
    series = pd.Series(values).reset_index(drop=True)
    lengths = counted_lengths(frame)
    if len(series) != sum(lengths):
        raise ValueError(f"Length of values ({len(series)}) does not match length of index ({sum(lengths)})")
    return AsRowsOf(from_memory(series, np.cumsum([0, *lengths]).tolist()), frame.rows)


def counted_lengths(frame: FrameExpr) -> Lengths:
    """How many rows each partition has; computed unless known."""
    if frame.lengths is not None:
        return frame.lengths
    rows = narrow(frame, Wanted((), False))
    counted = MapPartitions(len, (rows,), (), pd.Series([], dtype="int64"), "count")
    return tuple(new_collection(counted).compute().tolist())
