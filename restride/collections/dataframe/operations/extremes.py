"""The rows with the greatest values of columns, or the least: of each partition first, then of these."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.operations.rowwise import labelled
from restride.collections.dataframe.operations.tree import Reduced, Steps
from restride.collections.dataframe.partition import Partition, concat, from_pandas, to_pandas


def extreme_rows(frame: FrameExpr, name: str, n: int, columns: Sequence[Hashable] | None, keep: str) -> FrameExpr:
    """``nlargest`` or ``nsmallest`` of a frame by some columns, or of a series, as one partition."""
    frame = labelled(frame)
    kernel = ExtremeRows(name, n, None if columns is None else tuple(columns), keep, frame.meta)
    kernel(from_pandas(frame.meta, frame.meta))  # raises as pandas does, for columns that cannot be ordered
    return Reduced(frame, Steps(kernel, kernel, kernel), frame.meta, name)


@dataclass(frozen=True)
class ExtremeRows:
    """Kernel: the extreme rows of partitions, one below the other."""

    name: str
    n: int
    columns: tuple[Hashable, ...] | None
    keep: str
    meta: Any

    @property
    def __name__(self) -> str:
        return self.name

    def __call__(self, *partitions: Partition) -> Partition:
        value: Any = to_pandas(concat(partitions, self.meta), self.meta)
        by: dict[str, Any] = {} if isinstance(value, pd.Series) else {"columns": list(self.columns or ())}
        return from_pandas(getattr(value, self.name)(n=self.n, keep=self.keep, **by), self.meta)
