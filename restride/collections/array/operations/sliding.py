"""Sliding windows: every window of an axis as an axis of its own, in blocks that are views."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from restride.collections.array.chunks import Chunks, starts_of
from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations.map_blocks import MapBlocks
from restride.collections.array.operations.masking import knows_masks, of_data_and_mask
from restride.collections.array.operations.overlap import Windows
from restride.collections.array.operations.rechunk import rechunk


def sliding_window_view(
    x: ArrayExpr, window_shape: int | Sequence[int], axis: int | Sequence[int] | None, *, split: bool
) -> ArrayExpr:
    """All windows of an array; see `restride.array.sliding_window_view`."""
    window = tuple(window_shape) if isinstance(window_shape, Sequence) else (int(window_shape),)
    if any(n < 1 for n in window):
        raise ValueError(f"`window_shape` must be made of positive integers, got {window}")
    if axis is None:
        axes = tuple(range(x.ndim))
        if len(window) != x.ndim:
            raise ValueError(
                f"Since axis is None, must provide window_shape for all dimensions of `x`; got {len(window)} "
                f"window_shape elements and `x.ndim` is {x.ndim}."
            )
    else:
        axes = np.lib.array_utils.normalize_axis_tuple(axis, x.ndim, allow_duplicate=True)
        if len(window) != len(axes):
            raise ValueError(
                f"Must provide matching length window_shape and axis; got {len(window)} window_shape elements and "
                f"{len(axes)} axes elements."
            )
    more = [sum(n - 1 for n, a in zip(window, axes) if a == axis) for axis in range(x.ndim)]
    if any(x.shape[a] < more[a] + 1 for a in axes):
        raise ValueError("window shape cannot be larger than input array shape")
    if split:
        x = rechunk(x, _split(x.chunks, set(axes), math.prod(window)))
    ranges = [
        _ranges(lengths, n) if axis in axes else list(pairwise(starts_of(lengths).tolist()))
        for axis, (lengths, n) in enumerate(zip(x.chunks, more))
    ]
    windows = Windows(x, tuple(tuple((a, b + n) for a, b in of_axis) for of_axis, n in zip(ranges, more)))
    lengths = tuple(tuple(b - a for a, b in of_axis) for of_axis in ranges)
    return MapBlocks(
        SlidingBlock(window, axes),
        (windows,),
        (),
        windows.grid,
        (*lengths, *((n,) for n in window)),
        x.dtype,
        False,
    )


@knows_masks
@dataclass(frozen=True)
class SlidingBlock:
    """Kernel: a view of all windows of a block."""

    __name__ = "sliding_window_view"

    window: tuple[int, ...]
    axes: tuple[int, ...]

    @of_data_and_mask
    def __call__(self, block: Any) -> Any:
        return np.lib.stride_tricks.sliding_window_view(block, self.window, self.axes)


def _ranges(lengths: Sequence[int], more: int) -> list[tuple[int, int]]:
    """Which windows start in each block of an axis, where they are longer than one by `more`; not where none do."""
    edges = starts_of(lengths).tolist()
    n = edges[-1] - more
    return [(a, min(b, n)) for a, b in pairwise(edges) if a < min(b, n)]


def _split(chunks: Chunks, kept: set[int], times: int) -> Chunks:
    """Chunks so much shorter along other axes than those kept that they are no larger when they grow by `times`."""
    result = list(chunks)
    for axis in sorted(set(range(len(chunks))) - kept, key=lambda axis: -max(chunks[axis])):
        if times <= 1:
            break
        most = max(-(-max(chunks[axis]) // times), 1)
        times = -(-times * most // max(*chunks[axis], 1))
        result[axis] = tuple(piece for length in chunks[axis] for piece in _even(length, most))
    return tuple(result)


def _even(length: int, most: int) -> list[int]:
    parts = max(-(-length // most), 1)
    return [length * (k + 1) // parts - length * k // parts for k in range(parts)]
