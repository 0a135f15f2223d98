"""Strings as codes of categories that are known: looked up in an index that is made once per worker."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from restride.collections.blocks import Blocks
from restride.collections.dataframe.expr import FrameExpr, Wanted
from restride.collections.dataframe.kernels.key_index import KeyIndex
from restride.collections.dataframe.layout import arrow_type, is_string
from restride.collections.dataframe.meta import Meta, describe, is_unknown_categorical
from restride.collections.dataframe.operations.rowwise import Method, rowwise
from restride.collections.dataframe.operations.selection import narrow
from restride.collections.dataframe.partition import column_from_pandas, levels_of, table_of


def with_categories(series: FrameExpr, dtype: pd.CategoricalDtype) -> FrameExpr:
    """A series cast to a dtype of known categories; what is none of them is missing."""
    if _are_strings(series.meta.dtype, dtype):
        return AsCategories(series, dtype)
    return rowwise(Method("astype"), series, dtype)


def _are_strings(have: Any, dtype: pd.CategoricalDtype) -> bool:
    if isinstance(have, pd.CategoricalDtype) or is_unknown_categorical(dtype) or have != dtype.categories.dtype:
        return False
    kind = arrow_type(have)
    return kind is not None and is_string(kind)


@dataclass(frozen=True, eq=False, repr=False)
class AsCategories(FrameExpr):
    """A series of strings as one of categories."""

    any_partitions = True

    series: FrameExpr
    dtype: pd.CategoricalDtype

    @property
    def label(self) -> str:
        return "astype"

    def identity(self) -> Iterable[Any]:
        return [self.series, describe(pd.Series([], dtype=self.dtype))]

    def _meta(self) -> Meta:
        meta: Meta = self.series.meta.astype(self.dtype)
        return meta

    def narrowed(self, wanted: Wanted) -> FrameExpr | None:
        if not wanted.columns:
            return narrow(self.series, wanted)
        return self.replace(series=narrow(self.series, Wanted((0,), wanted.index)))

    def blocks(self, *children: Blocks) -> Blocks:
        categories = self.dtype.categories
        index = KeyIndex([column_from_pandas(categories.to_series(), categories.dtype)])
        return self.by_partition(CodesOf(index, self.series.meta), *children)


@dataclass(frozen=True)
class CodesOf:
    """Kernel: the code of each string of a partition; a lookup a row."""

    categories: KeyIndex
    of: Any
    __name__ = "astype"

    def __call__(self, partition: pa.Table) -> pa.Table:
        codes = self.categories.find([partition.column(0)]).astype(np.int32)
        return table_of([pa.array(codes)], levels_of(partition, self.of), partition.num_rows)
