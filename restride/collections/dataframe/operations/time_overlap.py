"""Partitions with rows of their neighbours within a span of time of them; divisions tell which partitions have any."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.blocks import Blocks, Gather
from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.meta import Meta
from restride.collections.dataframe.partition import Partition, concat, from_pandas, n_rows, to_pandas
from restride.engine.graphs.csr import row_starts


@dataclass(frozen=True, eq=False, repr=False)
class MapTimeOverlap(FrameExpr):
    """What a function makes of each partition together with the rows up to a span before and after it, trimmed."""

    any_partitions = True

    frame: FrameExpr
    function: Callable[..., Any]
    before: Any
    after: Any
    of_meta: Any
    word: str

    @property
    def label(self) -> str:
        return self.word

    @property
    def detail(self) -> str:
        sides = [f"{self.before} before"] if self.before is not None else []
        sides += [f"{self.after} after"] if self.after is not None else []
        return f", with {' and '.join(sides)}" if sides else ""

    def _meta(self) -> Meta:
        meta: Meta = self.of_meta
        return meta

    def blocks(self, *children: Blocks) -> Blocks:
        divisions = pd.DatetimeIndex(self.frame.divisions)
        n = self.npartitions
        numbers = np.arange(n)
        # partition j has no row after divisions[j + 1], and none before divisions[j]
        first = (
            numbers if self.before is None else divisions[1:].searchsorted(divisions[:-1] - self.before, side="left")
        )
        last = (
            numbers if self.after is None else divisions[:-1].searchsorted(divisions[1:] + self.after, side="right") - 1
        )
        first, last = np.minimum(first, numbers), np.maximum(last, numbers)
        counts = last - first + 1
        indptr = row_starts(counts)
        indices = np.arange(indptr[-1]) - np.repeat(indptr[:-1] - first, counts)
        return Gather(
            n=n,
            inputs=children,
            kernel=CallWithin(self.function, self.frame.meta, self.meta, self.before, self.after, self.word),
            indptr=indptr,
            indices=indices,
            params=(numbers - first).astype(np.int64),
            name=self.word,
            origin=self.origin,
        )


class CallWithin:
    """Kernel: a function of a partition amid rows of its neighbours; what it makes of those is cut off."""

    def __init__(self, function: Callable[..., Any], of: Meta, meta: Meta, before: Any, after: Any, name: str) -> None:
        self.__name__ = name
        self.function, self.of, self.meta, self.before, self.after = function, of, meta, before, after

    def __call__(self, place: int, *partitions: Partition) -> Partition:
        start = sum(map(n_rows, partitions[:place]))
        n = n_rows(partitions[place])
        value = to_pandas(concat(partitions, self.of), self.of)
        if not n:
            return from_pandas(self.meta, self.meta)
        times = value.index
        low = 0 if self.before is None else int(times.searchsorted(times[start] - self.before, side="left"))
        end = start + n
        high = end if self.after is None else int(times.searchsorted(times[end - 1] + self.after, side="right"))
        low, high = min(low, start), max(high, end)
        result = self.function(value.iloc[low:high])
        return from_pandas(result.iloc[start - low : end - low], self.meta)


def map_time_overlap(
    frame: FrameExpr, function: Callable[..., Any], before: Any, after: Any, meta: Any, word: str
) -> FrameExpr:
    """What a function makes of partitions, of known divisions, amid the rows of a span of time around them."""
    return MapTimeOverlap(frame, function, before, after, meta, word)
