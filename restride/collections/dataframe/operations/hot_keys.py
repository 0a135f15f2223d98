"""Rows of frequent keys, apart from others: what no single task should have all of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from restride.collections.blocks import Blocks
from restride.collections.dataframe.expr import FrameExpr, ScalarExpr, Wanted
from restride.collections.dataframe.kernels.hot_keys import Shares, hot_shares, is_hot
from restride.collections.dataframe.operations.looking import looked_at
from restride.collections.dataframe.operations.partitions import TakePartitions
from restride.collections.dataframe.operations.rowwise import true_rows
from restride.collections.dataframe.operations.selection import narrow
from restride.collections.dataframe.operations.shuffle_keys import hash_keys
from restride.collections.dataframe.partition import Partition, n_rows

SAMPLED = 1 << 16
"""Rows of a partition whose keys are looked at."""


@dataclass(frozen=True, eq=False, repr=False)
class WithHashes(FrameExpr):
    """The rows of a frame whose keys have some hashes, or those whose keys have others."""

    partitionwise = True

    frame: FrameExpr
    on: tuple[int, ...]
    hashes: tuple[int, ...]
    inside: bool

    @property
    def label(self) -> str:
        return "frequent" if self.inside else "others"

    def _lengths(self) -> None:
        return None

    def _rows(self) -> str:
        return self.name

    def value_source(self, place: int) -> tuple[FrameExpr, int]:
        return self.frame, place

    def blocks(self, *children: Blocks) -> Blocks:
        return self.by_partition(PickHashes(self.frame.meta, self.on, self.hashes, self.inside), *children)


@dataclass(frozen=True)
class PickHashes:
    """Kernel: the rows of a partition whose keys have some hashes, or all others."""

    meta: Any
    on: tuple[int, ...]
    hashes: tuple[int, ...]
    inside: bool
    __name__ = "pick"

    def __call__(self, partition: Partition) -> Partition:
        mask = is_hot(hash_keys(partition, self.meta, self.on), self.hashes)
        return true_rows(partition, mask if self.inside else ~mask)


@dataclass(frozen=True, eq=False, repr=False)
class HotKeys(ScalarExpr):
    """The hashes of keys that many rows of a frame's one partition have, and what part of them."""

    frame: FrameExpr
    on: tuple[int, ...]
    types: tuple[str | None, ...]

    @property
    def label(self) -> str:
        return "look-at-keys"

    def blocks(self, *children: Blocks) -> Blocks:
        return self.frame.by_partition(LookForHotKeys(self.frame.meta, self.on, self.types), *children)


@dataclass(frozen=True)
class LookForHotKeys:
    """Kernel: which keys are frequent among rows all over a partition."""

    meta: Any
    on: tuple[int, ...]
    types: tuple[str | None, ...]
    __name__ = "look-at-keys"

    def __call__(self, partition: Partition) -> Shares:
        n = n_rows(partition)
        if n > SAMPLED:
            numbers = np.linspace(0, n - 1, SAMPLED).astype(np.int64)
            partition = partition.take(pa.array(numbers) if isinstance(partition, pa.Table) else numbers)
        return hot_shares(hash_keys(partition, self.meta, self.on, self.types))


def hot_keys(frame: FrameExpr, on: tuple[int, ...], types: tuple[str | None, ...] = ()) -> HotKeys | None:
    """What tells the frequent keys of a frame, from its first partition; None where to look would take long."""
    found = looked_at(frame, on)
    if found is None:
        return None
    asked, places = found
    n = asked.layout.n_columns
    columns = tuple(dict.fromkeys(place for place in places if place < n))
    keys = narrow(TakePartitions(asked, (0,)), Wanted(columns, any(place >= n for place in places)))
    return HotKeys(keys, tuple(columns.index(i) if i < n else len(columns) + i - n for i in places), types)
