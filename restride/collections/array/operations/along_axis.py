"""Functions along an axis that want the whole of it: the axis is gathered in one block, and others are split for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from restride.collections.array.chunks import Chunks, is_unknown
from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations.cuts import WHOLE, Cuts
from restride.collections.array.operations.fft import gathered
from restride.collections.array.operations.masking import are_masks_known
from restride.collections.array.operations.rechunk import in_one_block, rechunk
from restride.collections.array.operations.slicing import cut_array
from restride.collections.blocks import Blocks, Map, every


@dataclass(frozen=True, eq=False, repr=False)
class AlongAxis(ArrayExpr):
    """``func(block, axis=axis, **kwargs)`` of an array with the axis in one block, that gets a length or goes."""

    array: ArrayExpr
    func: Callable[..., Any]
    axis: int
    kwargs: tuple[tuple[str, Any], ...]
    length: int | None
    """Of the axis in the result; None if it goes."""
    out_dtype: np.dtype

    @property
    def label(self) -> str:
        return self.func.__name__

    def _dtype(self) -> np.dtype:
        return self.out_dtype

    def _chunks(self) -> Chunks:
        axis, chunks = self.axis, self.array.chunks
        kept = () if self.length is None else ((self.length,),)
        return (*chunks[:axis], *kept, *chunks[axis + 1 :])

    def _masked(self) -> bool:
        return self._masked_if(are_masks_known(self.func))

    def blocks(self, *children: Blocks) -> Blocks:
        return Map(
            n=self.n_blocks,
            inputs=children,
            kernel=Along(self.func, self.axis, dict(self.kwargs)),
            index=(every(self.n_blocks),),
            name=self.label,
            origin=self.origin,
        )

    def sliced(self, cuts: Cuts) -> ArrayExpr | None:
        below = list(cuts)
        if self.length is None:
            below.insert(self.axis, WHOLE)
        if below[self.axis] != WHOLE:
            return None
        axis = self.axis - sum(isinstance(cut, int) for cut in below[: self.axis])
        return self.replace(array=cut_array(self.array, tuple(below)), axis=axis)


class Along:
    """Kernel: a function along an axis."""

    def __init__(self, func: Callable[..., Any], axis: int, kwargs: dict[str, Any]) -> None:
        self.__name__ = func.__name__
        self.func = func
        self.axis = axis
        self.kwargs = kwargs

    def __call__(self, block: Any) -> Any:
        return self.func(block, axis=self.axis, **self.kwargs)


def along_axis(
    x: ArrayExpr, func: Callable[..., Any], axis: int, *, length: int | None, dtype: np.dtype, **kwargs: Any
) -> ArrayExpr:
    """Apply a function along an axis (from 0), whole, in chunks of about the size there is where lines are no longer.

    Parameters
    ----------
    x : ArrayExpr
    func : callable
        ``func(block, axis=axis, **kwargs)``; importable, so that other processes find it.
    axis : int
    length : int, optional
        Of the axis in the result; None if it goes.
    dtype : dtype
        Of the result.
    **kwargs
        For `func`.
    """
    x = with_whole_axis(x, axis)
    return AlongAxis(x, func, axis, tuple(sorted(kwargs.items())), length, dtype)


def with_whole_axis(x: ArrayExpr, axis: int) -> ArrayExpr:
    """The array with an axis in one block, and others split to make up for it."""
    if len(x.chunks[axis]) == 1:
        return x
    if any(is_unknown(lengths) for lengths in x.chunks):
        return in_one_block(x, [axis])
    return rechunk(x, gathered(x.chunks, [axis], x.dtype.itemsize))
