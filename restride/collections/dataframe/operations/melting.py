"""Columns one below the other: a frame's rows once for each of some columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.blocks import Blocks, Map, every
from restride.collections.dataframe.expr import Divisions, FrameExpr, Lengths, Wanted, unknown_divisions
from restride.collections.dataframe.meta import Meta, as_list
from restride.collections.dataframe.operations.selection import narrow
from restride.collections.dataframe.partition import Partition, from_pandas, to_pandas


@dataclass(frozen=True, eq=False, repr=False)
class Melt(FrameExpr):
    """All partitions for one column, then all for the next, in pandas' order."""

    any_partitions = True

    frame: FrameExpr
    ids: tuple[int, ...]
    """The columns that are repeated."""
    values: tuple[int, ...]
    """The columns of which the values go one below the other."""
    new_meta: Any
    keeps_index: bool

    def _meta(self) -> Meta:
        meta: Meta = self.new_meta
        return meta

    def _npartitions(self) -> int:
        return self.frame.npartitions * max(len(self.values), 1)

    def _lengths(self) -> Lengths | None:
        lengths = self.frame.lengths
        return None if lengths is None or not self.values else lengths * len(self.values)

    def _divisions(self) -> Divisions:
        return unknown_divisions(self._npartitions())

    def _rows(self) -> str:
        return self.name

    def blocks(self, *children: Blocks) -> Blocks:
        n = self.frame.npartitions
        k = max(len(self.values), 1)
        return Map(
            n=n * k,
            inputs=children,
            index=(np.tile(every(n), k),),
            params=np.repeat(np.arange(k), n),
            kernel=MeltOne(self.frame.meta, self.ids, self.values, self.meta, self.keeps_index),
            name=self.label,
            origin=self.origin,
        )


@dataclass(frozen=True)
class MeltOne:
    """Kernel: the rows of a partition for one of the columns."""

    of: Any
    ids: tuple[int, ...]
    values: tuple[int, ...]
    meta: Any
    keeps_index: bool
    __name__ = "melt"

    def __call__(self, number: int, partition: Partition) -> Partition:
        frame = to_pandas(partition, self.of, index=self.keeps_index)
        n = len(frame)
        if not self.values:
            return from_pandas(self.meta, self.meta)
        place = self.values[number]
        columns = {i: frame.iloc[:, at] for i, at in enumerate(self.ids)}
        labels = self.of.columns[place]
        for label in labels if isinstance(labels, tuple) else (labels,):
            at = len(columns)
            columns[at] = pd.Series([label], dtype=self.meta.dtypes.iloc[at]).repeat(n).set_axis(frame.index)
        columns[len(columns)] = frame.iloc[:, place].astype(self.meta.dtypes.iloc[-1])
        made = pd.DataFrame(columns, index=frame.index)
        made.columns = self.meta.columns
        return from_pandas(made, self.meta)


def melted(frame: FrameExpr, arguments: dict[str, Any]) -> FrameExpr:
    """What `pandas.DataFrame.melt` makes of a frame, with its arguments."""
    meta = frame.meta
    numbered = pd.DataFrame([range(meta.shape[1])], columns=meta.columns)
    keeps_index = not arguments.get("ignore_index", True)
    places = numbered.melt(**{**arguments, "ignore_index": True})
    ids = as_list(ids.tolist() if isinstance(ids := arguments.get("id_vars"), np.ndarray) else ids)
    n_ids = len(ids)
    new = meta.melt(**arguments)
    if not keeps_index:
        new = new.set_axis(pd.RangeIndex(0), axis=0)
    # The one row of numbers is there once for each column that goes below the others.
    values = tuple(int(i) for i in places.iloc[:, -1])
    repeated = tuple(int(i) for i in places.iloc[0, :n_ids]) if len(places) else ()
    used = tuple(sorted({*repeated, *values}))
    place = {at: i for i, at in enumerate(used)}
    frame = narrow(frame, Wanted(used, keeps_index and frame.has_index))
    return Melt(frame, tuple(place[i] for i in repeated), tuple(place[i] for i in values), new, keeps_index)
