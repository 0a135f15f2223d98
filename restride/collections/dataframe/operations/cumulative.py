"""Running values: sums, products, least and greatest values of all rows up to each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from restride.collections.blocks import Blocks
from restride.collections.dataframe.expr import FrameExpr, Wanted
from restride.collections.dataframe.meta import Meta, column_dtypes, series_of
from restride.collections.dataframe.operations.selection import narrow
from restride.collections.dataframe.partition import Partition, from_pandas, to_pandas


@dataclass(frozen=True, eq=False, repr=False)
class Cumulative(FrameExpr):
    """Running sums, products, least or greatest values of each column."""

    any_partitions = True

    frame: FrameExpr
    how: str
    """The method of pandas: cumsum, cumprod, cummin, cummax."""
    skipna: bool

    @property
    def label(self) -> str:
        return self.how

    @property
    def detail(self) -> str:
        return ", totals carried from partition to partition"

    def _meta(self) -> Meta:
        meta: Meta = getattr(self.frame.meta, self.how)()
        return meta

    def narrowed(self, wanted: Wanted) -> FrameExpr | None:
        return self.replace(frame=narrow(self.frame, wanted)) if wanted.columns else None

    def blocks(self, *children: Blocks) -> Blocks:
        totals = self.by_partition(Total(self.how, self.skipna, self.frame.meta), children[0])
        kernel = CumulateFrom(self.how, self.skipna, self.frame.meta, self.meta)
        return self.carried_blocks(totals, Carry(self.how, self.skipna, column_dtypes(self.meta)), kernel, children[0])


OPERATIONS = {"cumsum": "sum", "cumprod": "prod", "cummin": "min", "cummax": "max"}


@dataclass(frozen=True)
class Total:
    """Kernel: what each column of a partition comes to; None if it has no value that counts."""

    how: str
    skipna: bool
    meta: Any
    __name__ = "total"

    def __call__(self, partition: Partition) -> list[Any]:
        columns = series_of(to_pandas(partition, self.meta, index=False))
        return [self._of(column) for column in columns]

    def _of(self, column: pd.Series) -> Any:
        if not (column.count() if self.skipna else len(column)):
            return None
        return getattr(column, OPERATIONS[self.how])(skipna=self.skipna)


@dataclass(frozen=True)
class Carry:
    """Kernel: what the columns come to before each partition."""

    how: str
    skipna: bool
    dtypes: tuple[Any, ...]
    """Of the result."""
    __name__ = "carry"

    def __call__(self, *totals: list[Any]) -> list[list[Any]]:
        before: list[Any] = [None] * len(totals[0])
        carried = [before]
        for total in totals[:-1]:
            before = [self._both(a, b, dtype) for a, b, dtype in zip(before, total, self.dtypes)]
            carried.append(before)
        return carried

    def _both(self, a: Any, b: Any, dtype: Any) -> Any:
        if a is None or b is None:
            return b if a is None else a
        return getattr(pd.Series([a, b], dtype=dtype), OPERATIONS[self.how])(skipna=self.skipna)


@dataclass(frozen=True)
class CumulateFrom:
    """Kernel: the running values of a partition, given what came before."""

    how: str
    skipna: bool
    of: Any
    meta: Any
    __name__ = "cumulate"

    def __call__(self, number: int, carried: list[list[Any]], partition: Partition) -> Partition:
        value = to_pandas(partition, self.of, index=False)
        columns = [
            self._of(column, before, dtype)
            for column, before, dtype in zip(series_of(value), carried[number], column_dtypes(self.meta))
        ]
        result = (
            columns[0] if isinstance(value, pd.Series) else pd.DataFrame(dict(enumerate(columns)), index=value.index)
        )
        return from_pandas(result, self.meta, rows_of=partition, rows_meta=self.of)

    def _of(self, column: pd.Series, before: Any, dtype: Any) -> pd.Series:
        if before is None:
            return getattr(column, self.how)(skipna=self.skipna)
        first = pd.Series([before], dtype=dtype)  # that of the result: sums of int8 are int64
        return getattr(pd.concat([first, column.astype(dtype)]), self.how)(skipna=self.skipna).iloc[1:]


def cumulative(frame: FrameExpr, how: str, *, skipna: bool = True) -> FrameExpr:
    """Running values of each column."""
    return Cumulative(frame, how, skipna)
