"""The base of array expressions: nodes that know their dtype and their chunks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from restride.collections.array.chunks import UNKNOWN, Chunks, Shape, grid_of
from restride.collections.array.operations.cuts import Cuts
from restride.collections.blocks import Blocks, Ready
from restride.collections.expression import Expr
from restride.engine.graphs.csr import Ints

if TYPE_CHECKING:
    from restride.engine.client.futures import Future


Box = tuple[tuple[int, int], ...]
"""For each axis the first of some neighbouring blocks, and the one after the last."""


@dataclass(frozen=True, eq=False, repr=False)
class ArrayExpr(Expr):
    """A node that stands for an array; its blocks are numbered in C order of their grid.

    A block is a numpy array of the dtype, or a numpy scalar where there are no axes.
    """

    # Worked out when the node is made, from children that were made before, so that no recursion is ever deep.
    dtype: np.dtype = field(init=False)
    chunks: Chunks = field(init=False)
    """For each axis the lengths of its blocks, all known or all `UNKNOWN`."""
    shape: Shape = field(init=False)
    masked: bool = field(init=False)
    """Whether blocks are, or may be, masked arrays of `numpy.ma`."""
    knows_masks: ClassVar[bool] = False
    """Whether blocks made of masked ones are what `numpy.ma` makes of them."""

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "dtype", self._dtype())
        chunks = self._chunks()
        shape = tuple(map(sum, chunks))
        if any(length != length for length in shape):
            chunks = tuple((UNKNOWN,) * len(c) if length != length else c for c, length in zip(chunks, shape))
            shape = tuple(UNKNOWN if length != length else length for length in shape)
        object.__setattr__(self, "chunks", chunks)
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "masked", self._masked())

    def _dtype(self) -> np.dtype:
        """The dtype, in terms of fields and children."""
        raise NotImplementedError(type(self).__name__)

    def _chunks(self) -> Chunks:
        """The chunks, in terms of fields and children."""
        raise NotImplementedError(type(self).__name__)

    def _masked(self) -> bool:
        """Whether blocks may be masked; by default if a child's may.

        Raises
        ------
        TypeError
            They may, and the node does not know what to do with them.
        """
        return self._masked_if(self.knows_masks)

    def _masked_if(self, known: bool) -> bool:
        """Whether a child's blocks may be masked; an error if so, and what to do with them is not known."""
        return self._checked_masked(
            any(isinstance(child, ArrayExpr) and child.masked for child in self.children), known
        )

    def _checked_masked(self, masked: bool, known: bool) -> bool:
        if masked and not known:
            raise TypeError(
                f"{self.label} knows nothing of masks, and would take masked elements for others: fill them first, by "
                "ra.ma.filled(x, value), or work on ra.ma.getdata(x) and ra.ma.getmaskarray(x)"
            )
        return masked

    def sliced(self, cuts: Cuts) -> ArrayExpr | None:
        """The array cut along each axis, made of cut children, in the blocks that a `Slice` of it has.

        None where the node needs more of its children than the cuts take: then `of_blocks` is asked.
        """
        return None

    def of_blocks(self, box: Box) -> ArrayExpr | None:
        """The array of those blocks alone that lie in a box, of the first and the one after the last on each axis.

        None where they cannot be made without the others. Only asked where all blocks along a cut axis have elements.
        """
        return None

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

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    @property
    def summary(self) -> str:
        blocks = "1 block" if self.n_blocks == 1 else f"{self.n_blocks:,} blocks of {tuple(map(max, self.chunks))}"
        return f"{self.shape} {self.dtype}, {blocks}"


def block_numbers(grid: Shape, box: Box) -> Ints:
    """The numbers of the blocks of a grid that lie in a box, in order."""
    return np.arange(math.prod(grid)).reshape(grid)[tuple(slice(*ends) for ends in box)].ravel()


def chunks_in(chunks: Chunks, box: Box) -> Chunks:
    """The lengths of the blocks that lie in a box."""
    return tuple(lengths[start:stop] for lengths, (start, stop) in zip(chunks, box))


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
class SameChunks(ArrayExpr):
    """Base of nodes that have an array's dtype and chunks, whatever elements."""

    array: ArrayExpr

    def _dtype(self) -> np.dtype:
        return self.array.dtype

    def _chunks(self) -> Chunks:
        return self.array.chunks


@dataclass(frozen=True, eq=False, repr=False)
class Persisted(ArrayExpr):
    """Blocks that are, or will be, in the store of a client."""

    futures: Sequence[Future]
    persisted_chunks: Chunks
    persisted_dtype: np.dtype
    persisted_masked: bool = False

    def identity(self) -> Iterable[Any]:
        """One thing that is like no other, and not as many as there are blocks."""
        return [object()]

    def _dtype(self) -> np.dtype:
        return self.persisted_dtype

    def _chunks(self) -> Chunks:
        return self.persisted_chunks

    def _masked(self) -> bool:
        return self.persisted_masked

    def blocks(self, *children: Blocks) -> Blocks:
        return Ready(n=self.n_blocks, futures=self.futures)

    def of_blocks(self, box: Box) -> ArrayExpr:
        futures = [self.futures[number] for number in block_numbers(self.grid, box).tolist()]
        return Persisted(futures, chunks_in(self.chunks, box), self.dtype, self.masked)
