"""Repeat: each element some times over, along an axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from restride.collections.array.chunks import known, starts_of
from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations.map_blocks import MapBlocks
from restride.collections.array.operations.masking import knows_masks
from restride.collections.array.operations.rechunk import rechunk
from restride.collections.array.operations.sources import from_object


def repeat(x: ArrayExpr, repeats: Any, axis: int) -> ArrayExpr:
    """Each element along an axis as many times as `repeats` say, in blocks about as long as those there are.

    Raises
    ------
    ValueError
        Negative repeats, or not one for each element.
    TypeError
        Repeats that are no integers.
    """
    axis = np.lib.array_utils.normalize_axis_index(axis, x.ndim)
    length, most = sum(known(x.chunks[axis])), max(x.chunks[axis])
    given = np.asarray(repeats)
    if given.dtype.kind not in "iub":
        raise TypeError(f"repeats must be integers, got {given.dtype}")
    if given.size and given.min() < 0:
        raise ValueError("repeats may not contain negative values.")
    if given.ndim > 1 or (given.size != 1 and given.shape != (length,)):
        raise ValueError(f"operands could not be broadcast together with shape ({length},) {given.shape}")
    counts = np.broadcast_to(given.astype(np.int64), (length,))
    stops = np.cumsum(counts)
    # Cut where the result would outgrow another `most` elements, beside where it is cut already.
    outgrown = np.flatnonzero(np.diff((stops - counts) // max(most, 1))) + 1
    edges = np.union1d(starts_of(x.chunks[axis]), outgrown)
    x = rechunk(x, _with(x, axis, np.diff(edges)))
    lengths = np.diff(np.concatenate([[0], stops])[edges])
    shape = tuple(length if a == axis else 1 for a in range(x.ndim))
    per_element = from_object(counts.reshape(shape), tuple(c if a == axis else (1,) for a, c in enumerate(x.chunks)))
    result: ArrayExpr = MapBlocks(
        RepeatBlock(axis), (x, per_element), (), x.grid, _with(x, axis, lengths), x.dtype, False
    )
    if lengths.max(initial=0) > 2 * most > 0:
        pieces = [part for n in lengths.tolist() for part in (*(most,) * (n // most), n % most) if part]
        result = rechunk(result, _with(x, axis, np.array(pieces)))
    return result


@knows_masks
@dataclass(frozen=True)
class RepeatBlock:
    """Kernel: elements repeated along an axis, as often as another block says."""

    __name__ = "repeat"

    axis: int

    def __call__(self, block: Any, repeats: Any) -> Any:
        return np.repeat(block, repeats.ravel(), self.axis)


def _with(x: ArrayExpr, axis: int, lengths: np.ndarray) -> tuple[tuple[int, ...], ...]:
    own = tuple(lengths.tolist()) or (0,)
    return tuple(own if a == axis else c for a, c in enumerate(x.chunks))
