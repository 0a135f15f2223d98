"""Coarsening: a function of boxes of neighbouring elements, which are brought together in a block first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from restride.collections.array.chunks import Chunks, starts_of
from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations.cuts import WHOLE
from restride.collections.array.operations.masking import are_masks_known
from restride.collections.array.operations.rechunk import rechunk
from restride.collections.array.operations.slicing import getitem
from restride.collections.blocks import Blocks, Map, every


@dataclass(frozen=True, eq=False, repr=False)
class Coarsen(ArrayExpr):
    """``func(boxes, axis=their axes)`` of an array, all of whose blocks are made of whole boxes."""

    array: ArrayExpr
    func: Callable[..., Any]
    sides: tuple[int, ...]
    """Of a box, for each axis."""
    kwargs: tuple[tuple[str, Any], ...]
    out_dtype: np.dtype

    @property
    def label(self) -> str:
        return f"coarsen-{getattr(self.func, '__name__', 'function')}"

    def _dtype(self) -> np.dtype:
        return self.out_dtype

    def _chunks(self) -> Chunks:
        return tuple(tuple(n // side for n in lengths) for lengths, side in zip(self.array.chunks, self.sides))

    def _masked(self) -> bool:
        return self._masked_if(are_masks_known(self.func))

    def blocks(self, *children: Blocks) -> Blocks:
        return Map(
            n=self.n_blocks,
            inputs=children,
            kernel=CoarsenBlock(self.func, self.sides, dict(self.kwargs)),
            index=(every(self.n_blocks),),
            name=self.label,
            origin=self.origin,
        )


class CoarsenBlock:
    """Kernel: a function of the boxes of a block."""

    def __init__(self, func: Callable[..., Any], sides: tuple[int, ...], kwargs: Mapping[str, Any]) -> None:
        self.__name__ = "coarsen"
        self.func = func
        self.sides = sides
        self.kwargs = dict(kwargs)

    def __call__(self, block: Any) -> Any:
        shape = [part for length, side in zip(block.shape, self.sides) for part in (length // side, side)]
        return self.func(block.reshape(shape), axis=tuple(range(1, 2 * block.ndim, 2)), **self.kwargs)


def coarsen(
    func: Callable[..., Any], x: ArrayExpr, axes: Mapping[int, int], trim_excess: bool, kwargs: Mapping[str, Any]
) -> ArrayExpr:
    """A function of boxes with these sides along some axes.

    Raises
    ------
    ValueError
        A side that is not positive, or does not divide the axis and nothing may be trimmed.
    numpy.exceptions.AxisError
        There is no such axis.
    """
    sides = [1] * x.ndim
    for axis, side in axes.items():
        if side < 1:
            raise ValueError(f"the side of a box along axis {axis} must be 1 or more, got {side}")
        sides[np.lib.array_utils.normalize_axis_index(axis, x.ndim)] = int(side)
    excess = [length % side for length, side in zip(x.shape, sides)]
    if any(excess) and not trim_excess:
        raise ValueError(
            f"boxes with sides {tuple(sides)} do not fill the shape {x.shape}; trim_excess=True drops the rest"
        )
    cuts = tuple(slice(0, length - rest) if rest else WHOLE for length, rest in zip(x.shape, excess))
    x = getitem(x, cuts)
    x = rechunk(x, tuple(_whole_boxes(lengths, side) for lengths, side in zip(x.chunks, sides)))
    box = np.ones([1] * x.ndim, x.dtype)
    dtype = np.asarray(func(box, axis=tuple(range(x.ndim)), **kwargs)).dtype
    return Coarsen(x, func, tuple(sides), tuple(sorted(kwargs.items())), dtype)


def _whole_boxes(lengths: tuple[int, ...], side: int) -> tuple[int, ...]:
    """Boundaries moved down to multiples of the side."""
    if side == 1 or not any(length % side for length in lengths):
        return lengths
    bounds = np.unique(starts_of(lengths) // side * side)
    return tuple(np.diff(bounds).tolist()) or (0,)
