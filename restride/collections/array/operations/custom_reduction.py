"""Reductions made of a user's functions, which get arrays with the reduced axes kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations.elementwise import unified
from restride.collections.array.operations.manipulation import broadcast_to
from restride.collections.array.operations.masking import concatenate_blocks, knows_masks
from restride.collections.array.operations.reduce_tree import (
    FAN_IN,
    Axes,
    Beside,
    Condense,
    Reduce,
    Reduction,
    normalized_axes,
)

Function = Callable[..., Any]


class Steps:
    """The steps of a reduction; a partial result is a list of what `chunk` or `combine` returned."""

    def __init__(self, chunk: Function, combine: Function | None, aggregate: Function, axes: Axes, join: bool) -> None:
        self.of_chunk = chunk
        self.of_several = combine
        self.of_all = aggregate
        self.axes = axes
        self.join = join

    @knows_masks
    def chunk(self, block: Any, axes: Axes, dtype: np.dtype) -> list[Any]:
        """The list of one."""
        arrays = block if isinstance(block, tuple) else (block,)
        return [self.of_chunk(*arrays, axis=axes, keepdims=True)]

    def combine(self, partials: Sequence[list[Any]]) -> list[Any]:
        """One list; of one, where there is a function for it."""
        several = [result for partial in partials for result in partial]
        if self.of_several is None or len(several) == 1:
            return several
        return [self.of_several(self._joined(several), axis=self.axes, keepdims=True)]

    def finalize(self, partial: list[Any], dtype: np.dtype) -> Any:
        """The values."""
        values = np.asanyarray(self.of_all(self._joined(partial), axis=self.axes, keepdims=True))
        return values.astype(dtype, copy=False)

    def _joined(self, results: list[Any]) -> Any:
        return concatenate_blocks(results, self.axes[0]) if self.join and self.axes else results


def reduction(
    x: ArrayExpr,
    chunk: Function,
    aggregate: Function,
    combine: Function | None,
    axis: Any,
    *,
    keepdims: bool,
    dtype: np.dtype | None,
    fan_in: int | None,
    name: str | None,
    join: bool,
    output_size: int,
    weights: ArrayExpr | None,
) -> ArrayExpr:
    """Reduce an array by functions; see `restride.array.reduction`."""
    axes = normalized_axes(axis, x.ndim)
    steps = Steps(chunk, combine, aggregate, axes, join)
    if dtype is None:
        ones = [np.ones((1,) * x.ndim, array.dtype) for array in (x, weights) if array is not None]
        dtype = np.asarray(
            aggregate(steps._joined(steps.chunk(tuple(ones), axes, x.dtype)), axis=axes, keepdims=True)
        ).dtype
    array = x if weights is None else Beside(unified((x, broadcast_to(weights, x.shape))))
    label = str(name or getattr(aggregate, "__name__", "reduction"))
    made = Reduction(label, steps.chunk, steps.combine, steps.finalize, fan_in=fan_in or FAN_IN)
    if keepdims and output_size != 1:
        chunks = tuple((output_size,) if a in axes else c for a, c in enumerate(x.chunks))
        return Condense(array, made, axes, chunks, dtype)
    return Reduce(array, made, axes, keepdims, dtype)
