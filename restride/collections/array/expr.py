"""The base of array expressions: nodes that know their dtype and their chunks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from restride.collections.array.chunks import Chunks, Shape, grid_of
from restride.collections.blocks import Blocks, Ready
from restride.collections.expression import Expr

if TYPE_CHECKING:
    from restride.engine.client.futures import Future


@dataclass(frozen=True, eq=False, repr=False)
class ArrayExpr(Expr):
    """A node that stands for an array; its blocks are numbered in C order of their grid.

    A block is a numpy array of the dtype, or a numpy scalar where there are no axes.
    """

    # Worked out when the node is made, from children that were made before, so that no recursion is ever deep.
    dtype: np.dtype = field(init=False)
    chunks: Chunks = field(init=False)
    """For each axis the lengths of its blocks."""
    shape: Shape = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "dtype", self._dtype())
        object.__setattr__(self, "chunks", self._chunks())
        object.__setattr__(self, "shape", tuple(map(sum, self.chunks)))

    def _dtype(self) -> np.dtype:
        """The dtype, in terms of fields and children."""
        raise NotImplementedError(type(self).__name__)

    def _chunks(self) -> Chunks:
        """The chunks, in terms of fields and children."""
        raise NotImplementedError(type(self).__name__)

    @property
    def ndim(self) -> int:
        return len(self.chunks)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def grid(self) -> Shape:
        """How many blocks there are along each axis."""
        return grid_of(self.chunks)

    @property
    def n_blocks(self) -> int:
        return math.prod(self.grid)


@dataclass(frozen=True, eq=False, repr=False)
class OtherChunks(ArrayExpr):
    """Base of nodes that have an array's elements, as they are, in chunks of their own."""

    array: ArrayExpr
    new_chunks: Chunks

    def _dtype(self) -> np.dtype:
        return self.array.dtype

    def _chunks(self) -> Chunks:
        return self.new_chunks


@dataclass(frozen=True, eq=False, repr=False)
class Persisted(ArrayExpr):
    """Blocks that are, or will be, in the store of a client."""

    futures: Sequence[Future]
    persisted_chunks: Chunks
    persisted_dtype: np.dtype

    def identity(self) -> Iterable[Any]:
        """One thing that is like no other, and not as many as there are blocks."""
        return [object()]

    def _dtype(self) -> np.dtype:
        return self.persisted_dtype

    def _chunks(self) -> Chunks:
        return self.persisted_chunks

    def blocks(self, *children: Blocks) -> Blocks:
        return Ready(n=self.n_blocks, futures=self.futures)
