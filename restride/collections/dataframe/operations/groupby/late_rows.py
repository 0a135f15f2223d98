"""Rows whose positions are found in some columns first: the others are computed only for partitions that have any."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from restride.collections.blocks import Blocks, Gather, Map, every, take_params
from restride.collections.dataframe.expr import FrameExpr, NewRows
from restride.collections.dataframe.kernels.taking import take
from restride.collections.dataframe.operations.groupby.levels import POSITION_BITS
from restride.collections.dataframe.partition import Partition, concat, from_pandas
from restride.collections.fusion import fuse


@dataclass(frozen=True, eq=False, repr=False)
class TakenRows(NewRows):
    """Some rows of a frame, as one partition."""

    frame: FrameExpr
    """One that `reads_apart`."""
    positions: FrameExpr
    """The rows, in order, as a series of one partition of numbers such as `RowPositions` has."""

    @property
    def label(self) -> str:
        return "take"

    @property
    def detail(self) -> str:
        return ", from partitions that have any"

    @property
    def bytes_read(self) -> None:
        """It reads what it takes itself."""
        return None

    def _npartitions(self) -> int:
        return 1

    def blocks(self, *children: Blocks) -> Blocks:
        frame, positions = children
        (read,) = fuse([frame])
        assert isinstance(read, Map)
        assert not read.inputs
        n = read.n
        own = [None] * n if read.params is None else take_params(read.params, every(n))
        taken = Map(
            n=n,
            inputs=(positions,),
            kernel=ReadAndTake(read.kernel, read.params is not None, self.meta),
            index=(np.zeros(n, np.int64),),
            params=list(enumerate(own.tolist() if isinstance(own, np.ndarray) else own or [])),
            name=f"{read.name}-take",
            origin=self.origin,
        )
        return Gather(
            n=1,
            inputs=(taken,),
            kernel=Concat(self.meta),
            indptr=np.array([0, n]),
            indices=every(n),
            name="concat",
            origin=self.origin,
        )


@dataclass(frozen=True)
class ReadAndTake:
    """Kernel: the chosen rows of a partition, which is computed only if there are such."""

    read: Callable[..., Partition]
    takes_param: bool
    meta: Any
    __name__ = "take"

    def __call__(self, param: tuple[int, Any], positions: pa.Table) -> Partition:
        number, own = param
        first = number << POSITION_BITS
        chosen = positions.column(0).to_numpy()
        start, stop = np.searchsorted(chosen, [first, first + (1 << POSITION_BITS)])
        if start == stop:
            return from_pandas(self.meta, self.meta)
        partition = self.read(own) if self.takes_param else self.read()
        return take(partition, chosen[start:stop] - first)


@dataclass(frozen=True)
class Concat:
    """Kernel: partitions one below the other."""

    meta: Any
    __name__ = "concat"

    def __call__(self, *partitions: Partition) -> Partition:
        filled = [partition for partition in partitions if partition.num_rows]
        return concat(filled, self.meta)
