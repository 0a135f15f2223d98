"""Partitions as futures of pandas objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from restride.collections.blocks import Blocks
from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.operations.rowwise import labelled
from restride.collections.dataframe.partition import Partition, to_pandas
from restride.collections.expression import Expr
from restride.collections.lowering import lower
from restride.engine.client.client import default_client
from restride.engine.client.futures import Future


@dataclass(frozen=True, eq=False, repr=False)
class ToPandas(Expr):
    """Each partition as a pandas object."""

    frame: FrameExpr

    @property
    def label(self) -> str:
        return "to_delayed"

    def blocks(self, *children: Blocks) -> Blocks:
        return self.frame.by_partition(AsPandas(self.frame.meta), *children)


@dataclass(frozen=True)
class AsPandas:
    """Kernel: a partition as a pandas object of its own."""

    meta: Any
    __name__ = "to_delayed"

    def __call__(self, partition: Partition) -> Any:
        return to_pandas(partition, self.meta, writable=True)


def delayed_partitions(frame: FrameExpr) -> list[Future]:
    """Start computing all partitions; see `DataFrame.to_delayed`."""
    client = default_client()
    graph, (ids,) = lower([ToPandas(labelled(frame))], ship=not client.in_process)
    return list(client.submit_graph(graph, ids))
