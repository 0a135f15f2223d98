"""Elementwise operations: a numpy function applied block by block, to operands along common chunks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from restride.collections.array.chunks import (
    SMALL_BLOCK,
    Chunks,
    broadcast_index,
    broadcast_shapes,
    chunks_within,
    common_chunks,
    is_unknown,
)
from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations.cuts import Cuts
from restride.collections.array.operations.masking import are_masks_known, knows_masks
from restride.collections.array.operations.rechunk import rechunk
from restride.collections.array.operations.slicing import cut_operand
from restride.collections.blocks import Blocks, Map


@dataclass(frozen=True, eq=False, repr=False)
class Elementwise(ArrayExpr):
    """``func(*args, **kwargs)`` with broadcasting; arrays among the arguments agree in their chunks."""

    func: Callable[..., Any]
    args: tuple[Any, ...]
    """Array expressions and literal scalars."""
    kwargs: tuple[tuple[str, Any], ...]
    out_dtype: np.dtype

    @property
    def label(self) -> str:
        return getattr(self.func, "__name__", type(self.func).__name__)

    def _dtype(self) -> np.dtype:
        return self.out_dtype

    def _chunks(self) -> Chunks:
        return common_chunks([arg.chunks for arg in self.args if isinstance(arg, ArrayExpr)])

    def _masked(self) -> bool:
        return self._masked_if(are_masks_known(self.func))

    def blocks(self, *children: Blocks) -> Blocks:
        arrays = [arg for arg in self.args if isinstance(arg, ArrayExpr)]
        literals = [(at, arg) for at, arg in enumerate(self.args) if not isinstance(arg, ArrayExpr)]
        kernel = WithLiterals(self.func, literals, dict(self.kwargs)) if literals or self.kwargs else self.func
        unknown = [
            tuple((at, axis) for at, a in enumerate(arrays) if a.ndim >= -axis and a.shape[axis] != a.shape[axis])
            for axis in range(-self.ndim, 0)
        ]
        if any(len(places) > 1 for places in unknown):
            kernel = OfOneLength(kernel, [places for places in unknown if len(places) > 1])
        return Map(
            n=self.n_blocks,
            inputs=children,
            kernel=kernel,
            index=tuple(broadcast_index(self.grid, array.grid) for array in arrays),
            name=self.label,
            origin=self.origin,
        )

    def sliced(self, cuts: Cuts) -> ArrayExpr:
        return self.replace(
            args=tuple(cut_operand(arg, self.shape, cuts) if isinstance(arg, ArrayExpr) else arg for arg in self.args)
        )


class WithLiterals:
    """Kernel: a function some of whose arguments are fixed."""

    def __init__(
        self, func: Callable[..., Any], literals: Sequence[tuple[int, Any]], kwargs: Mapping[str, Any] | None = None
    ) -> None:
        self.__name__ = getattr(func, "__name__", type(func).__name__)
        self.func = func
        self.literals = tuple(literals)
        """Positions among all arguments, ascending, and values."""
        self.kwargs = dict(kwargs or {})

    def __call__(self, *blocks: Any) -> Any:
        args = list(blocks)
        del blocks
        for at, value in self.literals:
            args.insert(at, value)
        return self.func(*args, **self.kwargs)


class OfOneLength:
    """Kernel: a function of blocks whose lengths were not known before, and may turn out not to go together."""

    def __init__(self, func: Callable[..., Any], groups: Sequence[tuple[tuple[int, int], ...]]) -> None:
        self.__name__ = getattr(func, "__name__", type(func).__name__)
        self.func = func
        self.groups = tuple(groups)
        """Places (number of the block, axis) that have to be of one length."""

    def __call__(self, *blocks: Any) -> Any:
        for group in self.groups:
            lengths = {blocks[number].shape[axis] for number, axis in group}
            if len(lengths) > 1:
                raise ValueError(
                    f"blocks of {' and '.join(map(str, sorted(lengths)))} elements cannot be broadcast together; "
                    "arrays of unknown lengths are combined block by block. Call x.compute_chunk_sizes() on them first"
                )
        return self.func(*blocks)


class Output:
    """A numpy function of several results, as a function of one of them."""

    def __init__(self, func: Callable[..., tuple[Any, ...]], number: int) -> None:
        self.__name__ = func.__name__
        self.func = func
        self.number = number

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.func(*args, **kwargs)[self.number]


def elementwise(func: Callable[..., Any], *args: Any, out_dtype: np.dtype | None = None, **kwargs: Any) -> ArrayExpr:
    """Apply a function of blocks of equal or broadcast shapes.

    Parameters
    ----------
    func : callable
        A ufunc, or a function that works on arrays as one: elementwise, with numpy's broadcasting.
    *args : ArrayExpr or scalar
    out_dtype : dtype, optional
        Of the result; found by calling `func` on empty arrays if not given.
    **kwargs
        Passed to `func`.

    Raises
    ------
    ValueError
        The shapes do not broadcast.
    TypeError, OverflowError
        What numpy raises for operands of such types.
    """
    args = unified(args)
    if out_dtype is None:
        metas = [np.empty(0, arg.dtype) if isinstance(arg, ArrayExpr) else arg for arg in args]
        out_dtype = func(*metas, **kwargs).dtype
    return Elementwise(func, bounded(args, out_dtype.itemsize), tuple(sorted(kwargs.items())), out_dtype)


def bounded(args: Sequence[Any], itemsize: int) -> tuple[Any, ...]:
    """Arguments along common chunks, cut where they broadcast to blocks far larger than theirs."""
    arrays = [arg for arg in args if isinstance(arg, ArrayExpr)]
    if len(arrays) < 2:
        return tuple(args)
    chunks = common_chunks([array.chunks for array in arrays])
    if any(map(is_unknown, chunks)):
        return tuple(args)
    largest = max(math.prod(map(max, array.chunks)) * array.dtype.itemsize for array in arrays)
    smaller = chunks_within(chunks, max(2 * largest, SMALL_BLOCK) // max(itemsize, 1))
    if smaller == chunks:
        return tuple(args)
    return tuple(rechunk(arg, stretching(smaller, arg.shape)) if isinstance(arg, ArrayExpr) else arg for arg in args)


def unified(args: Sequence[Any]) -> tuple[Any, ...]:
    """The same arguments, with the arrays among them along common chunks wherever they do not broadcast."""
    arrays = [arg for arg in args if isinstance(arg, ArrayExpr)]
    if len(arrays) < 2:
        return tuple(args)
    broadcast_shapes(*(array.shape for array in arrays))
    chunks = common_chunks([array.chunks for array in arrays])
    return tuple(rechunk(arg, stretching(chunks, arg.shape)) if isinstance(arg, ArrayExpr) else arg for arg in args)


def astype(x: ArrayExpr, dtype: np.dtype) -> ArrayExpr:
    """The same values as another dtype; the array itself where it has it already."""
    return x if x.dtype == dtype else elementwise(cast, x, out_dtype=dtype, to=dtype)


@knows_masks
def cast(block: Any, *, to: np.dtype) -> Any:
    """Kernel: a block as another dtype."""
    return block.astype(to)


@knows_masks
def where(condition: Any, x: Any, y: Any) -> Any:
    """Kernel: `numpy.where`, or that of `numpy.ma` if one of the blocks is masked."""
    masked = any(isinstance(arg, np.ma.MaskedArray) for arg in (condition, x, y))
    return (np.ma.where if masked else np.where)(condition, x, y)


def stretching(chunks: Chunks, shape: tuple[int, ...]) -> Chunks:
    """Chunks of an array of this shape that broadcasts to an array of those chunks, block for block."""
    tail = chunks[len(chunks) - len(shape) :]
    return tuple((1,) if length == 1 else lengths for length, lengths in zip(shape, tail))
