"""What is made of how often values are there, once that is one partition: in order, as shares, the most frequent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.blocks import Blocks, Map
from restride.collections.dataframe.expr import FrameExpr, NewRows, ScalarExpr, unknown_divisions
from restride.collections.dataframe.meta import Meta
from restride.collections.dataframe.partition import Partition, from_pandas, to_pandas


@dataclass(frozen=True, eq=False, repr=False)
class OfWhole(NewRows):
    """What a function of pandas objects makes of a frame of one partition."""

    any_partitions = True

    frame: FrameExpr
    function: Callable[[Any], Any]
    of_meta: Any

    @property
    def label(self) -> str:
        return getattr(self.function, "__name__", type(self.function).__name__)

    def _meta(self) -> Meta:
        meta: Meta = self.of_meta
        return meta

    def blocks(self, *children: Blocks) -> Blocks:
        return self.by_partition(CallOnWhole(self.frame.meta, self.function, self.meta), *children)


@dataclass(frozen=True)
class CallOnWhole:
    """Kernel: a function of the one partition."""

    of: Any
    function: Callable[[Any], Any]
    meta: Any

    @property
    def __name__(self) -> str:
        return getattr(self.function, "__name__", type(self.function).__name__)

    def __call__(self, partition: Partition) -> Partition:
        return from_pandas(self.function(to_pandas(partition, self.of)), self.meta)


@dataclass(frozen=True)
class Ranked:
    """Counts, by how large they are, or as shares of their sum."""

    sort: bool
    ascending: bool
    normalize: bool
    __name__ = "value_counts"

    def __call__(self, counts: pd.Series) -> pd.Series:
        if self.sort:
            counts = counts.sort_values(ascending=self.ascending, kind="stable")
        return counts / counts.sum() if self.normalize else counts


@dataclass(frozen=True)
class MostFrequent:
    """The values of the greatest count, sorted if they can be."""

    name: Any
    __name__ = "mode"

    def __call__(self, counts: pd.Series) -> pd.Series:
        values = counts.index[((counts == counts.max()) & (counts > 0)).to_numpy()] if len(counts) else counts.index
        try:
            # Of categories and of times a missing one comes first, as pandas has it.
            coded = isinstance(values, pd.CategoricalIndex)
            missing = "first" if isinstance(values, (pd.DatetimeIndex, pd.TimedeltaIndex)) else "last"
            if coded:
                values = values[np.argsort(values.codes, kind="stable")]
            else:
                values = values.sort_values(na_position=missing)
        except TypeError:  # such as 1 and "a"
            values = pd.Index(values)
        return pd.Series(values.array, name=self.name)


@dataclass(frozen=True)
class AsDtype:
    """The same values of another dtype."""

    dtype: Any
    __name__ = "astype"

    def __call__(self, value: Any) -> Any:
        return value.astype(self.dtype)


@dataclass(frozen=True, eq=False, repr=False)
class ScalarsAsSeries(FrameExpr):
    """Single values as a series of one partition."""

    any_partitions = True

    scalars: tuple[ScalarExpr, ...]
    labels: Any
    """Those of the values, an index."""
    dtype: Any

    @property
    def label(self) -> str:
        return "values"

    def _meta(self) -> Meta:
        return pd.Series([], dtype=self.dtype, index=self.labels[:0])

    def _npartitions(self) -> int:
        return 1

    def _lengths(self) -> tuple[int]:
        return (len(self.scalars),)

    def _divisions(self) -> tuple[None, ...]:
        return unknown_divisions(1)

    def _rows(self) -> str:
        return self.name

    def blocks(self, *children: Blocks) -> Blocks:
        n = len(self.scalars)
        kernel = StackValues(self.labels, self.meta)
        index = (np.zeros(1, np.int64),) * n
        return Map(n=1, inputs=children, index=index, kernel=kernel, name=self.label, origin=self.origin)


@dataclass(frozen=True)
class StackValues:
    """Kernel: single values as a series."""

    labels: Any
    meta: Any
    __name__ = "values"

    def __call__(self, *values: Any) -> Partition:
        return from_pandas(pd.Series(list(values), index=self.labels, dtype=self.meta.dtype), self.meta)


@dataclass(frozen=True, eq=False, repr=False)
class SideBySide(NewRows):
    """Series of one partition each as the columns of a frame, row by row; shorter ones are filled up."""

    any_partitions = True

    series: tuple[FrameExpr, ...]
    of_meta: Any

    @property
    def label(self) -> str:
        return "side-by-side"

    def _meta(self) -> Meta:
        meta: Meta = self.of_meta
        return meta

    def _npartitions(self) -> int:
        return 1

    def blocks(self, *children: Blocks) -> Blocks:
        kernel = ConcatColumns(tuple(one.meta for one in self.series), self.meta)
        index = (np.zeros(1, np.int64),) * len(children)
        return Map(n=1, inputs=children, index=index, kernel=kernel, name=self.label, origin=self.origin)


@dataclass(frozen=True)
class ConcatColumns:
    """Kernel: series as columns."""

    of: tuple[Any, ...]
    meta: Any
    __name__ = "side-by-side"

    def __call__(self, *partitions: Partition) -> Partition:
        series = [to_pandas(one, meta).reset_index(drop=True) for one, meta in zip(partitions, self.of)]
        return from_pandas(pd.concat(series, axis=1).set_axis(self.meta.columns, axis=1), self.meta)
