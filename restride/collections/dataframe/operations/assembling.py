"""Frames of one partition made of results that are computed apart, such as a table of statistics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from restride.collections.blocks import Blocks, Map
from restride.collections.dataframe.expr import FrameExpr, NewRows
from restride.collections.dataframe.meta import Meta
from restride.collections.dataframe.operations.partitions import Coalesce
from restride.collections.dataframe.partition import from_results, to_pandas
from restride.collections.expression import Expr


@dataclass(frozen=True, eq=False, repr=False)
class Assembled(NewRows):
    """What a function makes of several frames, each in one partition, and single values."""

    any_partitions = True

    function: Callable[..., Any]
    parts: tuple[Expr, ...]
    of_meta: Any
    word: str

    @property
    def label(self) -> str:
        return self.word

    def _meta(self) -> Meta:
        meta: Meta = self.of_meta
        return meta

    def _npartitions(self) -> int:
        return 1

    def blocks(self, *children: Blocks) -> Blocks:
        metas = tuple(part.meta if isinstance(part, FrameExpr) else None for part in self.parts)
        return Map(
            n=1,
            inputs=children,
            index=(np.zeros(1, np.int64),) * len(children),
            kernel=Assemble(self.function, metas, self.meta),
            name=self.word,
            origin=self.origin,
        )


@dataclass(frozen=True, eq=False)
class Assemble:
    """Kernel: a partition made of several."""

    function: Callable[..., Any]
    metas: tuple[Any, ...]
    meta: Any
    __name__ = "assemble"

    def __call__(self, *blocks: Any) -> Any:
        values = [block if meta is None else to_pandas(block, meta) for block, meta in zip(blocks, self.metas)]
        return from_results(self.function(*values), self.meta)


def assembled(function: Callable[..., Any], parts: Sequence[Expr], meta: Meta, word: str) -> FrameExpr:
    """What a function makes of frames, brought into one partition each, and of single values."""
    whole = tuple(
        Coalesce(part, (0, part.npartitions)) if isinstance(part, FrameExpr) and part.npartitions > 1 else part
        for part in parts
    )
    return Assembled(function, whole, meta, word)
