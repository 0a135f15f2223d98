"""Sources: arrays that are made of nothing, or read from an object outside."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from restride.collections.array.chunks import Chunks, block_bounds, block_shapes, starts_of
from restride.collections.array.expr import ArrayExpr
from restride.collections.blocks import Blocks, Map
from restride.collections.expression import LITERAL_LIMIT, Expr
from restride.engine.graphs.graph import Params


@dataclass(frozen=True, eq=False, repr=False)
class Source(ArrayExpr):
    """Base of sources: block ``i`` is ``kernel()(params()[i])``."""

    source_chunks: Chunks

    def _chunks(self) -> Chunks:
        return self.source_chunks

    @property
    def is_free(self) -> bool:
        """Whether a block costs next to nothing, so that each task that uses it may make its own, along any chunks."""
        return False

    def kernel(self) -> Callable[[Any], Any]:
        raise NotImplementedError(type(self).__name__)

    def params(self) -> Params:
        raise NotImplementedError(type(self).__name__)

    def blocks(self, *children: Blocks) -> Blocks:
        return Map(
            n=self.n_blocks,
            kernel=self.kernel(),
            params=self.params(),
            free=self.is_free,
            name=self.label,
            origin=self.origin,
        )


@dataclass(frozen=True, eq=False, repr=False)
class BlockSource(Source):
    """Blocks made by any function of a parameter; see `block_source`."""

    source_dtype: np.dtype
    function: Callable[[Any], Any]
    column: Params
    word: str

    def _dtype(self) -> np.dtype:
        return self.source_dtype

    @property
    def label(self) -> str:
        return self.word

    def kernel(self) -> Callable[[Any], Any]:
        return self.function

    def params(self) -> Params:
        return self.column


@dataclass(frozen=True, eq=False, repr=False)
class Full(Source):
    """One value everywhere."""

    value: np.ndarray
    """0-d, of the dtype."""

    def _dtype(self) -> np.dtype:
        return self.value.dtype

    @property
    def is_free(self) -> bool:
        return True

    def kernel(self) -> Callable[[Any], Any]:
        return FillBlock(self.value)

    def params(self) -> Params:
        return block_shapes(self.chunks)


@dataclass(frozen=True, eq=False, repr=False)
class Arange(Source):
    """``start + step * i``."""

    start: Any
    step: Any
    source_dtype: np.dtype

    def _dtype(self) -> np.dtype:
        return self.source_dtype

    @property
    def is_free(self) -> bool:
        return True

    def kernel(self) -> Callable[[Any], Any]:
        return ArangeBlock(self.start, self.step, self.dtype)

    def params(self) -> Params:
        starts = starts_of(self.chunks[0])
        return np.stack([starts[:-1], starts[1:]], axis=1)


@dataclass(frozen=True, eq=False, repr=False)
class FromArray(Source):
    """Slices of an object that has a shape and a dtype and can be sliced."""

    source: Any

    def _dtype(self) -> np.dtype:
        return np.dtype(self.source.dtype)

    @property
    def is_free(self) -> bool:
        return type(self.source) is np.ndarray

    def kernel(self) -> Callable[[Any], Any]:
        return SliceBlock(self.source)

    def params(self) -> Params:
        return block_bounds(self.chunks)

    def shipped(self) -> Expr:
        if not isinstance(self.source, np.ndarray) or self.source.nbytes <= LITERAL_LIMIT:
            return self
        block = SliceBlock(self.source)
        blocks = [block(bounds) for bounds in block_bounds(self.chunks).tolist()]
        return BlockSource(self.chunks, self.dtype, _as_it_is, blocks, self.label)


def _as_it_is(block: Any) -> Any:
    """Kernel: a block that has come along as the task's parameter."""
    return block


class FillBlock:
    """Kernel: a block of one value, given its shape."""

    __name__ = "full"

    def __init__(self, value: np.ndarray) -> None:
        self.value = value

    def __call__(self, shape: list[int]) -> Any:
        return np.full(shape, self.value, self.value.dtype)


class ArangeBlock:
    """Kernel: a run of an arithmetic progression, given its first and last number."""

    __name__ = "arange"

    def __init__(self, start: Any, step: Any, dtype: np.dtype) -> None:
        self.start, self.step, self.dtype = start, step, dtype

    def __call__(self, bounds: list[int]) -> Any:
        return (self.start + np.arange(*bounds) * self.step).astype(self.dtype, copy=False)


class SliceBlock:
    """Kernel: a block of an object that can be sliced, given start and stop along each axis."""

    __name__ = "from_array"

    def __init__(self, source: Any) -> None:
        self.source = source

    def __call__(self, bounds: list[int]) -> Any:
        where = tuple(map(slice, bounds[::2], bounds[1::2]))
        return np.asarray(self.source[where])


def full(shape_chunks: Chunks, value: Any, dtype: np.dtype) -> ArrayExpr:
    """One value everywhere."""
    return Full(shape_chunks, np.asarray(value, dtype).reshape(()))


def from_object(source: Any, chunks: Chunks) -> ArrayExpr:
    """Slices of an array-like object. Small numpy arrays are copied, so that they stay what they are now."""
    if type(source) is np.ndarray and source.nbytes <= LITERAL_LIMIT:
        source = source.copy()
        source.flags.writeable = False
    return FromArray(chunks, source)


def block_source(
    function: Callable[[Any], Any], params: Params, chunks: Chunks, dtype: np.dtype, *, name: str
) -> ArrayExpr:
    """Blocks made by a function: block ``i`` (in C order) is ``function(params[i])``.

    The rows of an ndarray of `params` are handed over as lists of Python numbers.
    """
    n = math.prod(map(len, chunks))
    if len(params) != n:
        raise ValueError(f"source {name!r} of {n} blocks needs {n} params, got {len(params)}")
    return BlockSource(chunks, dtype, function, params, name)
