"""Groups, once aggregated, in ranges of their order: partitions of a result that come one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from restride.collections.blocks import Blocks, Gather, Map, every
from restride.collections.dataframe.kernels.group_tree import concat_partials
from restride.collections.dataframe.kernels.radix import argsort
from restride.collections.dataframe.kernels.sort_keys import SortKey
from restride.collections.dataframe.kernels.splitters import Sample, choose_splitters, sample, sample_size
from restride.collections.dataframe.kernels.splitting import range_buckets, split
from restride.collections.dataframe.kernels.taking import take


def in_ranges(groups: Blocks, n_ranges: int, order: Order, origin: str | None) -> Blocks:
    """Tables of groups as others that are in order, one after the other."""
    n = groups.n
    samples = Map(
        n=n,
        inputs=(groups,),
        kernel=SampleGroups(order, sample_size(n, n_ranges)),
        index=(every(n),),
        name="groupby-sample",
        origin=origin,
    )
    splitters = Gather(
        n=1,
        inputs=(samples,),
        kernel=ChooseSplitters(order, n_ranges),
        indptr=np.array([0, n]),
        indices=every(n),
        name="groupby-splitters",
        origin=origin,
    )
    split_up = Map(
        n=n,
        inputs=(groups, splitters),
        kernel=SplitByRange(order, n_ranges),
        index=(every(n), np.zeros(n, np.int64)),
        name="groupby-ranges",
        origin=origin,
    )
    return _gathered(split_up, n_ranges, ConcatSorted(order), "groupby-sort", origin)


def _gathered(split_up: Map, n_tasks: int, kernel: Any, name: str, origin: str | None) -> Blocks:
    n = split_up.n
    return Gather(
        n=n_tasks,
        inputs=(split_up,),
        kernel=kernel,
        indptr=np.arange(n_tasks + 1) * n,
        indices=np.tile(np.arange(n), n_tasks),
        params=every(n_tasks),
        name=name,
        origin=origin,
    )


@dataclass(frozen=True)
class Order:
    """What the groups of a result are in order of: some columns of a table of groups."""

    columns: tuple[int, ...]
    codes: tuple[bool, ...]

    @property
    def sort_keys(self) -> list[SortKey]:
        return [SortKey(codes=codes) for codes in self.codes]

    def of(self, table: pa.Table) -> list[pa.ChunkedArray]:
        """The columns."""
        return [table.column(position) for position in self.columns]

    def sorted(self, table: pa.Table) -> pa.Table:
        """A table of groups in order."""
        return take(table, argsort(self.of(table), self.sort_keys))


@dataclass(frozen=True)
class ConcatSorted:
    """Kernel: the groups of one range, in order."""

    order: Order
    __name__ = "groupby-sort"

    def __call__(self, task: int, *parts: tuple[pa.Table, np.ndarray]) -> pa.Table:
        return self.order.sorted(concat_partials([_piece(part, task) for part in parts]))


@dataclass(frozen=True)
class SampleGroups:
    """Kernel: some groups' keys."""

    order: Order
    size: int
    __name__ = "groupby-sample"

    def __call__(self, table: pa.Table) -> Sample:
        return sample(self.order.of(table), self.size)


@dataclass(frozen=True)
class ChooseSplitters:
    """Kernel: the keys at which ranges begin."""

    order: Order
    n_ranges: int
    __name__ = "groupby-splitters"

    def __call__(self, *samples: Sample) -> list[Any]:
        return choose_splitters(samples, self.n_ranges, self.order.sort_keys)


@dataclass(frozen=True)
class SplitByRange:
    """Kernel: groups in the order of the ranges that they are in, and where each range begins."""

    order: Order
    n_ranges: int
    __name__ = "groupby-ranges"

    def __call__(self, table: pa.Table, splitters: list[Any]) -> tuple[pa.Table, np.ndarray]:
        codes = range_buckets(self.order.of(table), splitters, self.order.sort_keys)
        return split(table, codes, self.n_ranges)


def _piece(part: tuple[pa.Table, Any], task: int) -> pa.Table:
    table, bounds = part
    return table.slice(bounds[task], bounds[task + 1] - bounds[task])
