"""Kernels of merges: two partitions that have all rows of their keys become one of the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from restride.collections.dataframe.kernels.gathering import Missing, Rows
from restride.collections.dataframe.kernels.join_index import Pairs, cross, join
from restride.collections.dataframe.kernels.key_index import KeyIndex
from restride.collections.dataframe.kernels.memory import one_array
from restride.collections.dataframe.kernels.radix import argsort
from restride.collections.dataframe.kernels.sort_keys import SortKey
from restride.collections.dataframe.kernels.taking import without_dictionary
from restride.collections.dataframe.layout import arrow_type, layout_of
from restride.collections.dataframe.meta import Meta, as_dtype, column_dtypes, index_of, level_dtypes
from restride.collections.dataframe.operations.merge.keys import AsKey, KeyColumn
from restride.collections.dataframe.operations.merge.plan import MergePlan, Output
from restride.collections.dataframe.partition import (
    Partition,
    column_from_pandas,
    column_to_pandas,
    concat,
    n_rows,
    table_of,
)

PARTS = {"left_anti": "left", "right_anti": "left", "right": "left"}
"""What joins are to the side that asks."""


KINDS = {"left": "one-to-many", "right": "many-to-one"}
"""What a merge is whose keys are unique on one side."""


class Indexed:
    """All rows of one side by key, to be asked by many partitions of the other; made anew where it is unpickled."""

    def __init__(self, partition: Partition, keys: Sequence[int], as_keys: Sequence[AsKey]) -> None:
        self.partition = in_one_part(partition)
        columns = columns_of(self.partition)
        self.index = KeyIndex([as_key(columns[i]) for i, as_key in zip(keys, as_keys)])


def in_one_part(partition: Partition) -> Partition:
    """A partition whose columns are in one part each, as each that takes rows of it would make them otherwise."""
    if not isinstance(partition, pa.Table) or not partition.num_columns:
        return partition
    columns = [one_array(column) for column in partition.columns]
    return pa.Table.from_arrays(columns, names=partition.schema.names)


@dataclass(frozen=True)
class IndexSide:
    """Kernel: all partitions of one side as an `Indexed`."""

    meta: Any
    keys: tuple[int, ...]
    as_keys: tuple[AsKey, ...]
    __name__ = "index"

    def __call__(self, *partitions: Partition) -> Indexed:
        indexed = Indexed(concat(partitions, self.meta), self.keys, self.as_keys)
        indexed.index.prepare()
        return indexed


@dataclass(frozen=True)
class JoinPartitions:
    """Kernel: the merge of a partition of the left side with one of the right.

    Either may be an `Indexed` where that side does not ask.
    """

    plan: MergePlan
    left: Any
    right: Any
    """The metas of the sides."""
    asks: str
    """The side whose order the rows are in."""
    by_key: bool = False
    """Whether rows are sorted by key."""
    __name__ = "merge"

    def __call__(self, left: Partition | Indexed, right: Partition | Indexed) -> Partition:
        plan = self.plan
        tables = [side.partition if isinstance(side, Indexed) else side for side in (left, right)]
        columns = [columns_of(table) for table in tables]
        keys = [
            [as_key(side[i]) for i, as_key in zip(places, as_keys)]
            for side, places, as_keys in zip(columns, (plan.left_keys, plan.right_keys), (plan.as_left, plan.as_right))
        ]
        asking, other = (0, 1) if self.asks == "left" else (1, 0)
        asked = (left, right)[other]
        index: Any = asked.index if isinstance(asked, Indexed) else keys[other]
        self._check_unique("left" if asking == 0 else "right", keys[asking])
        self._check_unique("left" if other == 0 else "right", index)
        pairs = self._pairs(keys[asking], index)
        if self.by_key:
            pairs = pairs.taken(_key_order(keys[asking], keys[other], pairs, plan.as_left))
        taken: list[Rows | None] = [None, None]
        taken[asking] = Rows(pairs.asking, some_missing=pairs.rows_alone)
        taken[other] = Rows(pairs.rows, some_missing=pairs.some_alone) if pairs.rows is not None else None
        return Gathering(plan, (self.left, self.right), columns, taken, pairs.n).result()

    def _check_unique(self, side: str, keys: Sequence[KeyColumn] | KeyIndex) -> None:
        if side in self.plan.unique:
            index = keys if isinstance(keys, KeyIndex) else KeyIndex(keys)
            if not index.unique:
                kind = "a one-to-one" if len(self.plan.unique) == 2 else f"a {KINDS[side]}"
                raise pd.errors.MergeError(f"Merge keys are not unique in {side} dataset; not {kind} merge")

    def _pairs(self, asking: Sequence[KeyColumn], other: Sequence[KeyColumn] | KeyIndex) -> Pairs:
        how = self.plan.how
        pairs = join(PARTS.get(how, how), asking, other)
        if how in ("left_anti", "right_anti"):
            assert pairs.rows is not None
            return pairs.taken(np.flatnonzero(pairs.rows < 0))
        return pairs


@dataclass(frozen=True)
class CrossPartitions:
    """Kernel: each row of a partition with each of another."""

    plan: MergePlan
    left: Any
    right: Any
    __name__ = "cross"

    def __call__(self, left: Partition, right: Partition) -> Partition:
        pairs = cross(n_rows(left), n_rows(right))
        rows = [Rows(pairs.asking), Rows(pairs.rows)]
        columns = [columns_of(left), columns_of(right)]
        return Gathering(self.plan, (self.left, self.right), columns, rows, pairs.n).result()


class Gathering:
    """The columns of a result from those of both sides and the rows to take of each."""

    def __init__(
        self,
        plan: MergePlan,
        metas: tuple[Meta, Meta],
        columns: Sequence[Sequence[Any]],
        rows: Sequence[Rows | None],
        n: int,
    ) -> None:
        self.plan, self.columns, self.rows, self.n = plan, columns, rows, n
        self.dtypes = [[*column_dtypes(meta), *level_dtypes(meta)] for meta in metas]

    def result(self) -> Partition:
        plan = self.plan
        if layout_of(plan.meta).opaque:
            return self._pandas()
        columns = [self._arrow(output) for output in plan.columns]
        if plan.indicator:
            columns.append(pa.array(self._indicator()))
        return table_of(columns, [self._arrow(output) for output in plan.levels], self.n)

    def _arrow(self, output: Output) -> Any:
        source = output.source
        kind = arrow_type(output.dtype)
        assert kind is not None
        if source.left is not None and source.right is not None:
            return self._either(output)
        side, place = (0, source.left) if source.right is None else (1, source.right)
        assert place is not None
        column, rows = self.columns[side][place], self.rows[side]
        if rows is None:
            raise AssertionError("a column of the side whose rows are not part of the result")
        dtype = self.dtypes[side][place]
        recoded = isinstance(dtype, pd.CategoricalDtype) and not _same_codes(dtype, output.dtype)
        if recoded or not isinstance(column, (pa.Array, pa.ChunkedArray)):
            return column_from_pandas(_series(self._taken(side, place), output.dtype), output.dtype)
        return rows.of(column, Missing(missing_kind(output.dtype), kind))

    def _either(self, output: Output) -> Any:
        """The left side's value where it has the row, else the right's."""
        values = self._either_pandas(output)
        return column_from_pandas(_series(values, output.dtype), output.dtype)

    def _either_pandas(self, output: Output) -> Any:
        left, right = output.source.left, output.source.right
        assert left is not None
        assert right is not None
        both = pd.concat(
            [_series(self._whole(side, place)) for side, place in ((0, left), (1, right))], ignore_index=True
        )
        n_left = len(self.columns[0][left])
        numbers = [self._numbers(side) for side in (0, 1)]
        return both.array.take(np.where(numbers[0] >= 0, numbers[0], numbers[1] + n_left))

    def _numbers(self, side: int) -> np.ndarray:
        rows = self.rows[side]
        assert rows is not None
        return np.arange(self.n) if rows.numbers is None else rows.numbers

    def _whole(self, side: int, place: int) -> Any:
        column = self.columns[side][place]
        if isinstance(column, (pa.Array, pa.ChunkedArray)):
            return column_to_pandas(column, self.dtypes[side][place])
        return column.array if isinstance(column, (pd.Series, pd.Index)) else column

    def _taken(self, side: int, place: int) -> Any:
        return pd.api.extensions.take(self._whole(side, place), self._numbers(side), allow_fill=True)

    def _indicator(self) -> np.ndarray:
        """Codes into left_only, right_only, both."""
        left, right = self._numbers(0) >= 0, self._numbers(1) >= 0
        return np.where(left & right, 2, np.where(left, 0, 1)).astype(np.int32)

    def _pandas(self) -> pd.DataFrame:
        plan = self.plan
        columns = {i: _series(self._column(output), output.dtype) for i, output in enumerate(plan.columns)}
        if plan.indicator:
            columns[len(columns)] = pd.Series(
                pd.Categorical.from_codes(self._indicator(), dtype=plan.meta.dtypes.iloc[-1])
            )
        frame = pd.DataFrame(columns, index=pd.RangeIndex(self.n))
        frame.columns = plan.meta.columns
        levels = [pd.Index(_series(self._column(output), output.dtype)) for output in plan.levels]
        names = index_of(plan.meta).names
        if isinstance(plan.meta.index, pd.MultiIndex):
            frame.index = pd.MultiIndex.from_arrays(levels, names=names)
        elif levels:
            frame.index = levels[0].rename(names[0])
        return frame

    def _column(self, output: Output) -> Any:
        left, right = output.source.left, output.source.right
        if left is not None and right is not None:
            return self._either_pandas(output)
        return self._taken(0, left) if right is None and left is not None else self._taken(1, right or 0)


def _series(values: Any, dtype: Any = None) -> pd.Series:
    """A series of an array as it is, or of a dtype: pandas would look at objects, and make strings of them."""
    series = pd.Series(values, dtype=values.dtype, copy=False)
    return series if dtype is None else as_dtype(series, dtype)


def _same_codes(one: pd.CategoricalDtype, other: Any) -> bool:
    """Whether codes of one dtype stand for the same in another."""
    return isinstance(other, pd.CategoricalDtype) and one.categories.equals(other.categories)


def missing_kind(dtype: Any) -> str:
    """How a column of a dtype says that a value is missing; see `Missing`."""
    if isinstance(dtype, np.dtype):
        return "nan" if dtype.kind == "f" else "null"
    return "code" if isinstance(dtype, pd.CategoricalDtype) and arrow_type(dtype) == pa.int32() else "null"


def columns_of(partition: Partition) -> list[Any]:
    """The data columns of a partition, then the levels of its index; those of an opaque one as pandas has them."""
    if isinstance(partition, pa.Table):
        return list(partition.columns)
    index = index_of(partition)
    levels = [index.get_level_values(i) for i in range(index.nlevels)]
    data = [partition.iloc[:, i] for i in range(partition.shape[1])] if isinstance(partition, pd.DataFrame) else []
    return [*(column.reset_index(drop=True) for column in data), *levels]


def _key_order(
    asking: Sequence[KeyColumn], other: Sequence[KeyColumn], pairs: Pairs, as_keys: Sequence[AsKey]
) -> np.ndarray:
    """The order of pairs by their keys, which the asking side has where it has a row."""
    numbers = np.arange(pairs.n) if pairs.asking is None else pairs.asking
    if pairs.rows_alone:
        assert pairs.rows is not None
        n = len(asking[0])
        numbers = np.where(numbers >= 0, numbers, pairs.rows + n)
        whole = [_stacked(a, b) for a, b in zip(asking, other)]
    else:
        whole = list(asking)
    if any(isinstance(column, np.ndarray) for column in whole):
        firsts = [as_key.nulls_first for as_key in as_keys]
        return _object_order([_series(np.asarray(column)).take(numbers) for column in whole], firsts)
    rows = Rows(numbers)
    return argsort(
        [rows.of(column) for column in whole], [SortKey(nulls_last=not as_key.nulls_first) for as_key in as_keys]
    )


def _stacked(one: KeyColumn, two: KeyColumn) -> KeyColumn:
    if isinstance(one, np.ndarray):
        return np.concatenate([one, two])
    chunks = [chunk for side in (one, two) for chunk in (side.chunks if isinstance(side, pa.ChunkedArray) else [side])]
    if len({chunk.type for chunk in chunks}) > 1:
        chunks = [without_dictionary(chunk) for chunk in chunks]
    return one_array(pa.chunked_array(chunks, type=chunks[0].type if chunks else None))


def _object_order(columns: Sequence[pd.Series], nulls_first: Sequence[bool]) -> np.ndarray:
    """The order of objects, as far as they have one."""
    levels = []
    for column, first in zip(columns, nulls_first):
        codes = pd.factorize(column, sort=True)[0]
        levels.append(codes if first else np.where(codes < 0, len(codes), codes))
    return np.lexsort(levels[::-1])
