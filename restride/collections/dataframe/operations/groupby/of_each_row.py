"""Aggregates of groups for each of their rows: made once a group, and looked up by the keys of the rows.

Where there are about as many groups as rows, rows are split by the hashes of their keys, and pandas does the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from restride.collections.blocks import Blocks, Gather, Map, every
from restride.collections.dataframe.expr import FrameExpr, Wanted
from restride.collections.dataframe.kernels.gathering import Missing, Rows
from restride.collections.dataframe.kernels.group_tree import Keys
from restride.collections.dataframe.layout import arrow_type
from restride.collections.dataframe.meta import Meta, column_dtypes
from restride.collections.dataframe.operations.groupby.few_groups import answered_plan, known_plan, question
from restride.collections.dataframe.operations.groupby.pandas_groups import Function, PandasKeys, rows_of_groups
from restride.collections.dataframe.operations.merge.joining import Indexed, IndexSide, missing_kind
from restride.collections.dataframe.operations.merge.keys import LOOKUP, AsKey, comparable
from restride.collections.dataframe.operations.selection import narrow
from restride.collections.dataframe.partition import levels_of, table_of
from restride.collections.expression import Expr


@dataclass(frozen=True, eq=False, repr=False)
class OfEachRow(FrameExpr):
    """For each row of a frame the aggregates of its group."""

    any_partitions = True

    frame: FrameExpr
    """The keys and the grouped columns; no column is opaque."""
    groups: FrameExpr
    """The keys of each group, then its aggregates."""
    keys: Keys
    by: PandasKeys
    values: Any
    """Positions of the grouped columns, or of the one."""
    function: Function
    """The same by pandas, of whole groups; see `pandas_groups`."""
    of_meta: Any
    few_groups: bool | None = None
    """None until that is known."""

    @property
    def label(self) -> str:
        return f"groupby-{getattr(self.function, '__name__', 'rows')}"

    @property
    def detail(self) -> str:
        return ", looked up in all groups"

    @property
    def kernel_rule(self) -> str:
        return LOOKUP

    def _meta(self) -> Meta:
        meta: Meta = self.of_meta
        return meta

    def narrower(self, place: int) -> Any:
        """The dtype where no row is without a group."""
        dtype = column_dtypes(self.groups.meta)[len(self.keys.columns) + place]
        return dtype if dtype != column_dtypes(self.meta)[place] else None

    def narrowed(self, wanted: Wanted) -> FrameExpr | None:
        return None if wanted.columns else narrow(self.frame, wanted)

    def questions(self) -> tuple[Expr, ...]:
        if self.few_groups is not None or known_plan(self.frame, self.keys) is not None:
            return ()
        return (question(self.frame, self.keys),)

    def answered(self, answers: Sequence[Any]) -> FrameExpr:
        if not answered_plan(self.frame, self.keys, answers[0]).split:
            return self.replace(few_groups=True)
        return rows_of_groups(self.frame, self.by, self.values, self.function, self.meta, all_rows=True)

    def blocks(self, *children: Blocks) -> Blocks:
        rows, groups = children
        n, n_keys = self.npartitions, len(self.keys.columns)
        dtypes = column_dtypes(self.frame.meta)
        as_keys = tuple(comparable(dtypes[key], dtypes[key])[0] for key in self.keys.columns)
        table = Gather(
            n=1,
            inputs=(groups,),
            kernel=IndexSide(self.groups.meta, tuple(range(n_keys)), as_keys),
            indptr=np.array([0, groups.n]),
            indices=every(groups.n),
            name="groupby-index",
            origin=self.origin,
        )
        return Map(
            n=n,
            inputs=(table, rows),
            kernel=LookUp(self.frame.meta, self.keys.columns, as_keys, self.meta),
            index=(np.zeros(n, np.int64), every(n)),
            name=self.label,
            origin=self.origin,
        )


@dataclass(frozen=True)
class LookUp:
    """Kernel: the aggregates of the group of each row; a lookup and a gather per row and column."""

    of: Any
    keys: tuple[int, ...]
    as_keys: tuple[AsKey, ...]
    meta: Any
    __name__ = "groupby-rows"

    def __call__(self, groups: Indexed, partition: pa.Table) -> pa.Table:
        found = groups.index.find([as_key(partition.column(key)) for key, as_key in zip(self.keys, self.as_keys)])
        rows = Rows(found, some_missing=True)
        columns = []
        for place, dtype in enumerate(column_dtypes(self.meta)):
            kind = arrow_type(dtype)
            assert kind is not None
            values = groups.partition.column(len(self.keys) + place)
            columns.append(rows.of(values, Missing(missing_kind(dtype), kind)))
        return table_of(columns, levels_of(partition, self.of), len(found))
