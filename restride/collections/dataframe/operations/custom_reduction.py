"""Reductions by users' functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from restride.collections.dataframe.expr import FrameExpr, ScalarExpr
from restride.collections.dataframe.meta import is_frame_like
from restride.collections.dataframe.operations.tree import Reduced, ReducedScalar, Steps
from restride.collections.dataframe.partition import Partition, from_pandas, to_pandas

Step = tuple[Callable[..., Any], dict[str, Any]]


def reduced(frame: FrameExpr, steps: Sequence[Step], meta: Any) -> FrameExpr | ScalarExpr:
    """What is left of a frame's partitions by the functions of a partition, of some results, and of the last ones.

    A scalar, unless `meta` is a pandas object or a declaration of one.
    """
    from restride.collections.dataframe.methods.partitions import make_meta  # noqa: PLC0415  its methods use this module

    chunk, combine, aggregate = steps
    labelled = is_frame_like(meta) or isinstance(meta, (dict, list, tuple))
    declared = make_meta(meta) if labelled else None
    kernels = Steps(OfPartition(*chunk, frame.meta), OfResults(*combine), Finished(*aggregate, declared))
    word = getattr(chunk[0], "__name__", "reduction").strip("<>")
    if labelled:
        return Reduced(frame, kernels, declared, word)
    return ReducedScalar(frame, kernels, None if meta is None else pd.Series([], dtype=meta).dtype, word)


@dataclass(frozen=True, eq=False)
class OfPartition:
    """Kernel: what a function makes of a partition, as the one of a list of results."""

    function: Callable[..., Any]
    kwargs: dict[str, Any]
    meta: Any
    __name__ = "chunk"

    def __call__(self, partition: Partition) -> Any:
        return self.function(to_pandas(partition, self.meta), **self.kwargs)


@dataclass(frozen=True, eq=False)
class OfResults:
    """Kernel: what a function makes of several results."""

    function: Callable[..., Any]
    kwargs: dict[str, Any]
    __name__ = "combine"

    def __call__(self, *results: Any) -> Any:
        return self.function(together(results), **self.kwargs)


@dataclass(frozen=True, eq=False)
class Finished:
    """Kernel: what a function makes of the last result, as a partition where that is what it is."""

    function: Callable[..., Any]
    kwargs: dict[str, Any]
    meta: Any
    __name__ = "aggregate"

    def __call__(self, result: Any) -> Any:
        made = self.function(together([result]), **self.kwargs)
        return made if self.meta is None else from_pandas(made, self.meta)


def together(results: Sequence[Any]) -> Any:
    """Results one below the other: scalars as a series, series as the rows of a frame."""
    if isinstance(results[0], pd.DataFrame):
        return pd.concat(results)
    if isinstance(results[0], pd.Series):
        return pd.concat(results, axis=1).T
    return pd.Series(list(results))
