"""Rows without those of some labels, checked to be there."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.operations.places import index_as_series
from restride.collections.dataframe.operations.rowwise import Rowwise, filtered
from restride.collections.dataframe.operations.selection import index
from restride.collections.dataframe.operations.tree import ReducedScalar, Steps
from restride.collections.dataframe.partition import Partition, index_to_pandas


def without_labels(frame: FrameExpr, labels: Sequence[Hashable], *, check: bool) -> FrameExpr:
    """The rows that have none of some labels; with `check` a label that no row has is a KeyError of the tasks."""
    own = index(frame)
    wanted = pd.Index(list[Any](labels))
    values = index_as_series(own)
    args: tuple[Any, ...] = (values, wanted)
    if check:
        args += (ReducedScalar(own, Steps(LabelsFound(wanted, own.meta), _together, AllFound(wanted)), None, "labels"),)
    return filtered(frame, Rowwise(is_none_of, args, declared=pd.Series([], dtype=bool)))


def is_none_of(values: pd.Series, labels: pd.Index, _checked: Any = None) -> pd.Series:
    """Kernel: whether labels are none of some."""
    return ~values.isin(labels)


@dataclass(frozen=True)
class LabelsFound:
    """Kernel: which of some labels a partition's index has, by their places."""

    labels: pd.Index
    meta: Any
    __name__ = "labels"

    def __call__(self, partition: Partition) -> frozenset[int]:
        have = self.labels.isin(index_to_pandas(partition, self.meta))
        return frozenset(have.nonzero()[0].tolist())


def _together(*found: frozenset[int]) -> frozenset[int]:
    return frozenset().union(*found)


@dataclass(frozen=True)
class AllFound:
    """Kernel: true; raises if a label has not been found."""

    labels: pd.Index
    __name__ = "check_labels"

    def __call__(self, found: frozenset[int]) -> bool:
        missing = [label for i, label in enumerate(self.labels) if i not in found]
        if missing:
            raise KeyError(f"{missing} not found in axis")
        return True
