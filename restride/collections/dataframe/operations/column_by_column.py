"""Nodes each of whose columns is made of the column at its place in a frame: they are narrowed with it.

Those that work on numbers get columns as floats, and make a partition of floats.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.dataframe.expr import FrameExpr, Wanted
from restride.collections.dataframe.meta import Meta, series_of
from restride.collections.dataframe.operations.selection import narrow, narrowed_kind, projected_meta
from restride.collections.dataframe.partition import Partition, from_pandas, n_rows, to_pandas

Floats = np.ndarray[Any, np.dtype[np.float64]]


class ColumnByColumn(FrameExpr):
    """A node with fields `frame` and `of_meta`, the meta of the result."""

    frame: FrameExpr
    of_meta: Any

    @property
    def looks_at_no_more(self) -> bool:
        """Whether a column is made of the one at its place alone, and not of labels or other columns."""
        return True

    def _meta(self) -> Meta:
        meta: Meta = self.of_meta
        return meta

    def narrowed(self, wanted: Wanted) -> FrameExpr | None:
        if not self.looks_at_no_more or not wanted.columns:
            return None
        meta = projected_meta(self.meta, wanted, narrowed_kind(self.meta, wanted))
        return self.replace(frame=narrow(self.frame, wanted), of_meta=meta)


def floats_of(partition: Partition, meta: Meta) -> list[Floats]:
    """The columns of a partition, NaN for what is missing."""
    columns = series_of(to_pandas(partition, meta, index=False))
    return [column.to_numpy(np.float64, na_value=np.nan) for column in columns]


def from_floats(columns: Sequence[Floats], meta: Meta, partition: Partition, of: Meta) -> Partition:
    """The partition that has these columns, and the rows of another one, whose meta is `of`."""
    rows = pd.RangeIndex(n_rows(partition))
    made = pd.Series(columns[0]) if isinstance(meta, pd.Series) else pd.DataFrame(dict(enumerate(columns)), rows)
    return from_pandas(made, meta, rows_of=partition, rows_meta=of)
