"""The labels of least and of greatest values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from restride.collections.dataframe.expr import FrameExpr, ScalarExpr, Wanted
from restride.collections.dataframe.meta import series_of
from restride.collections.dataframe.operations.reductions import is_numeric, one_row
from restride.collections.dataframe.operations.rowwise import labelled
from restride.collections.dataframe.operations.selection import narrow
from restride.collections.dataframe.operations.tree import Reduced, ReducedScalar, Steps
from restride.collections.dataframe.partition import Partition, from_pandas, to_pandas

Found = tuple[Any, Any, bool]
"""A value, its label, and whether any value is missing; value and label None where there is no value."""


@dataclass(frozen=True)
class ExtremesOf:
    """Kernel: for each column of a partition its least or greatest value and the first label that has it."""

    name: str
    meta: Any
    __name__ = "extremes"

    def __call__(self, partition: Partition) -> list[Found]:
        value = to_pandas(partition, self.meta)
        columns = series_of(value)
        return [self._of(column) for column in columns]

    def _of(self, column: pd.Series) -> Found:
        if isinstance(column.dtype, pd.CategoricalDtype):
            # by their order, not their values
            column = column.cat.codes.where(column.notna())
        present = column.dropna()
        if not len(present):
            return None, None, len(column) > 0
        place = int(present.argmin() if self.name == "idxmin" else present.argmax())
        return present.iloc[place], present.index[place], len(present) < len(column)


@dataclass(frozen=True)
class BetterExtremes:
    """Kernel: the better of several finds for each column, the first of equals."""

    name: str
    __name__ = "combine"

    def __call__(self, *parts: list[Found]) -> list[Found]:
        return [self._best(column) for column in zip(*parts)]

    def _best(self, found: Sequence[Found]) -> Found:
        best: Found = (None, None, any(one[2] for one in found))
        for value, label, _ in found:
            if value is None:
                continue
            if best[0] is None or (value < best[0] if self.name == "idxmin" else value > best[0]):
                best = (value, label, best[2])
        return best


@dataclass(frozen=True)
class LabelsFound:
    """Kernel: the labels, as a series by column, or the one of a series."""

    name: str
    skipna: bool
    frame_meta: Any
    meta: Any = None

    @property
    def __name__(self) -> str:
        return self.name

    def __call__(self, found: list[Found]) -> Any:
        for value, _, missing in found:
            if value is None and not missing:
                raise ValueError(f"attempt to get {self.name.replace('idx', 'arg')} of an empty sequence")
            if value is None:
                raise ValueError("Encountered all NA values")
            if missing and not self.skipna:
                raise ValueError("Encountered an NA value with skipna=False")
        labels = [label for _, label, _ in found]
        if self.meta is None:
            return labels[0]
        return from_pandas(pd.Series(labels, index=self.frame_meta.columns, dtype=self.meta.dtype), self.meta)


def label_of_extreme(frame: FrameExpr, name: str, *, skipna: bool, numeric_only: bool) -> FrameExpr | ScalarExpr:
    """``idxmin`` or ``idxmax`` of a series, or of each column of a frame."""
    frame = labelled(frame)
    if numeric_only:
        chosen = [i for i, dtype in enumerate(frame.meta.dtypes) if is_numeric(dtype)]
        frame = narrow(frame, Wanted(tuple(chosen), True))
    meta = frame.meta
    if isinstance(meta.index, pd.MultiIndex):
        raise NotImplementedError(f"{name} by labels of several levels; use reset_index")
    getattr(one_row(meta), name)()  # raises as pandas does for what cannot be compared
    steps = (ExtremesOf(name, meta), BetterExtremes(name))
    if isinstance(meta, pd.Series):
        return ReducedScalar(frame, Steps(*steps, LabelsFound(name, skipna, meta)), meta.index.dtype, name)
    result = pd.Series([], index=meta.columns[:0], dtype=meta.index.dtype)
    return Reduced(frame, Steps(*steps, LabelsFound(name, skipna, meta, result)), result, name)
