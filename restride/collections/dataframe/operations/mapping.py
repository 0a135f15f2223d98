"""Values looked up in a mapping, or among many: these are sent to each worker once and prepared there once.

A mapping in memory is part of the kernel, which workers get once; that of a frame is brought together by a task, and
goes to each worker that asks for it. Either way what looks values up is made when it is first needed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from restride.collections.blocks import Blocks, Gather, Map, every
from restride.collections.dataframe.expr import FrameExpr, Wanted
from restride.collections.dataframe.kernels.gathering import Missing, Rows
from restride.collections.dataframe.kernels.key_index import KeyIndex
from restride.collections.dataframe.layout import arrow_type, layout_of
from restride.collections.dataframe.meta import Meta
from restride.collections.dataframe.operations.merge.joining import missing_kind
from restride.collections.dataframe.operations.merge.keys import AsKey, comparable
from restride.collections.dataframe.operations.merge.plan import promoted
from restride.collections.dataframe.operations.selection import narrow
from restride.collections.dataframe.partition import (
    Partition,
    column_from_pandas,
    column_to_pandas,
    concat,
    from_pandas,
    levels_of,
    table_of,
    to_pandas,
)
from restride.collections.expression import tokenize


class Lookup:
    """The values of a mapping by key.

    Parameters
    ----------
    mapping : pandas.Series
        Values, with the keys for labels.
    as_key : AsKey
        How keys are compared with the values that are looked up.
    """

    def __init__(self, mapping: pd.Series, as_key: AsKey) -> None:
        self.dtype = mapping.dtype
        kind = arrow_type(mapping.dtype)
        self.values: Any = mapping.array if kind is None else column_from_pandas(mapping, mapping.dtype)
        keys = mapping.index
        if arrow_type(keys.dtype) is None:
            columns: list[Any] = [as_key(np.asarray(keys, dtype=object))]
        else:
            columns = [as_key(column_from_pandas(keys.to_series(), keys.dtype))]
        self.index = KeyIndex(columns)

    def check(self) -> Lookup:
        """Raise as pandas does where a key is there twice."""
        if not self.index.unique:
            raise pd.errors.InvalidIndexError("Reindexing only valid with uniquely valued Index objects")
        return self


@dataclass(frozen=True, eq=False, repr=False)
class MapValues(FrameExpr):
    """A series of what a mapping has for the values of another; missing where it has nothing."""

    any_partitions = True

    series: FrameExpr
    mapping: Any
    """A series of pandas, or a frame expression of one; its labels are the keys."""
    keep_missing: bool
    """Whether missing values stay so, also where the mapping has something for them."""
    token: str = field(default_factory=lambda: tokenize(object()))
    """Names a mapping in memory: its address may be another's later, when the node is remembered by its name still."""

    @property
    def label(self) -> str:
        return "map"

    def identity(self) -> Iterable[Any]:
        mapping = self.mapping if isinstance(self.mapping, FrameExpr) else self.token
        return [self.series, mapping, self.keep_missing]

    @property
    def _values_meta(self) -> Any:
        return self.mapping.meta if isinstance(self.mapping, FrameExpr) else self.mapping

    def _meta(self) -> Meta:
        meta = self.series.meta
        return pd.Series([], dtype=promoted(self._values_meta.dtype), index=meta.index, name=meta.name)

    def narrower(self, place: int) -> Any:
        """The dtype where nothing is missing."""
        dtype = self._values_meta.dtype
        return dtype if place == 0 and dtype != self.meta.dtype else None

    def narrowed(self, wanted: Wanted) -> FrameExpr | None:
        if not wanted.columns:
            return narrow(self.series, wanted)
        return self.replace(series=narrow(self.series, Wanted((0,), wanted.index)))

    def blocks(self, *children: Blocks) -> Blocks:
        as_series, as_key = comparable(self.series.meta.dtype, self._values_meta.index.dtype)
        n = self.npartitions
        kernel = MapPartition(self.series.meta, self.meta, as_series, self.keep_missing)
        if not isinstance(self.mapping, FrameExpr):
            with_table = MapWith(kernel, Lookup(self.mapping, as_key))
            return self.by_partition(with_table, children[0])
        meta = self.mapping.meta
        table = Gather(
            n=1, inputs=(children[1],), kernel=MakeLookup(meta, as_key), indptr=np.array([0, children[1].n]),
            indices=every(children[1].n), name="mapping", origin=self.origin,
        )  # fmt: skip
        index = (np.zeros(n, np.int64), every(n))
        return Map(n=n, inputs=(table, children[0]), index=index, kernel=kernel, name=self.label, origin=self.origin)


@dataclass(frozen=True)
class MakeLookup:
    """Kernel: all partitions of a mapping as one table."""

    meta: Any
    as_key: AsKey
    __name__ = "mapping"

    def __call__(self, *partitions: Partition) -> Lookup:
        return Lookup(to_pandas(concat(partitions, self.meta), self.meta), self.as_key).check()


@dataclass(frozen=True)
class MapPartition:
    """Kernel: the values of a partition looked up."""

    of: Any
    meta: Any
    as_key: AsKey
    keep_missing: bool
    __name__ = "map"

    def __call__(self, lookup: Lookup, partition: Partition) -> Partition:
        if isinstance(partition, pa.Table):
            column: Any = partition.column(0)
            missing = pc.is_null(column, nan_is_null=True) if self.keep_missing else None
        else:
            column = partition
            missing = partition.isna() if self.keep_missing else None
        found = lookup.check().index.find([self.as_key(column)])
        if missing is not None:
            found = np.where(np.asarray(missing), -1, found)
        if not isinstance(partition, pa.Table) or layout_of(self.meta).opaque:
            return self._pandas(lookup, partition, found)
        kind = arrow_type(self.meta.dtype)
        assert kind is not None
        values = Rows(found, some_missing=True).of(lookup.values, Missing(missing_kind(self.meta.dtype), kind))
        return table_of([values], levels_of(partition, self.of), len(found))

    def _pandas(self, lookup: Lookup, partition: Partition, found: np.ndarray) -> Partition:
        values = lookup.values
        if isinstance(values, (pa.Array, pa.ChunkedArray)):
            values = column_to_pandas(values, lookup.dtype)
        taken = pd.api.extensions.take(values, found, allow_fill=True)
        series = pd.Series(taken, dtype=taken.dtype).astype(self.meta.dtype)
        return from_pandas(series, self.meta, rows_of=partition, rows_meta=self.of)


@dataclass(frozen=True)
class MapWith:
    """Kernel: as `MapPartition`, by a mapping that it brings along."""

    kernel: MapPartition
    lookup: Lookup
    __name__ = "map"

    def __call__(self, partition: Partition) -> Partition:
        return self.kernel(self.lookup, partition)


@dataclass(frozen=True)
class IsIn:
    """Whether each value of a series of pandas is one of many: these are put into a table once a process.

    A look at a row takes some 20 ns. Pandas makes a table of the values at each call, which takes 3 us a string.

    Parameters
    ----------
    values : array or Index
    dtype : dtype
        Of the values, and of the series.
    """

    values: Any
    dtype: Any
    __name__ = "isin"
    path = "isin"

    def __post_init__(self) -> None:
        _ = self._index  # before threads share it

    @property
    def nbytes(self) -> int:
        """Of the values; what looks them up comes on top when it is made."""
        return int(self.values.nbytes)

    @cached_property
    def _as_key(self) -> AsKey:
        return comparable(self.dtype, self.dtype)[0]

    @cached_property
    def _index(self) -> KeyIndex:
        return KeyIndex([self._column(pd.Series(self.values, dtype=self.dtype))])

    def _column(self, series: pd.Series) -> Any:
        return self._as_key(column_from_pandas(series, self.dtype))

    def __reduce__(self) -> Any:
        return IsIn, (self.values, self.dtype)

    def __call__(self, series: pd.Series) -> pd.Series:
        return pd.Series(self._index.find([self._column(series)]) >= 0, index=series.index, name=series.name)


@dataclass(frozen=True)
class MakeIsIn:
    """Kernel: what tells whether values are among some."""

    dtype: Any
    __name__ = "isin-values"

    def __call__(self, values: Any) -> IsIn:
        return IsIn(values, self.dtype)


@dataclass(frozen=True)
class IsInThese:
    """Whether each value of a series of pandas is one of those that an `IsIn` is made of."""

    __name__ = "isin"
    path = "isin"

    def __call__(self, series: pd.Series, among: IsIn) -> pd.Series:
        return among(series)
