"""Rechunk: the same array along other boundaries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from restride.collections.array.chunks import Chunks, known
from restride.collections.array.expr import ArrayExpr, OtherChunks
from restride.collections.array.operations.cuts import Cuts
from restride.collections.array.operations.slicing import cut_array
from restride.collections.array.operations.sources import Arange, FromArray, Full
from restride.collections.blocks import Blocks, Rechunked
from restride.collections.expression import Expr
from restride.shuffle.rechunk import RechunkPlan, plan_rechunk


@dataclass(frozen=True, eq=False, repr=False)
class Rechunk(OtherChunks):
    """An array along other boundaries."""

    knows_masks = True

    def plan(self) -> RechunkPlan:
        """How the blocks get from the old boundaries to the new ones."""
        return plan_rechunk(self.array.chunks, self.chunks, self.dtype.itemsize)

    def simplified(self) -> Expr:
        """What costs nothing to make along other boundaries is made so; of rechunks in a row only the last counts."""
        if isinstance(self.array, Rechunk):
            return rechunk(self.array, self.chunks)
        if isinstance(self.array, (Full, Arange, FromArray)) and self.array.is_free:
            return self.array.replace(source_chunks=self.chunks)
        return self

    def sliced(self, cuts: Cuts) -> ArrayExpr:
        array = cut_array(self.array, cuts)
        chunks = cut_array(self, cuts).chunks
        return array if array.chunks == chunks else self.replace(array=array, new_chunks=chunks)

    def blocks(self, *children: Blocks) -> Blocks:
        return Rechunked(n=self.n_blocks, inputs=children, plan=self.plan(), name=self.label, origin=self.origin)


def rechunk(x: ArrayExpr, chunks: Chunks) -> ArrayExpr:
    """The array along other boundaries, itself if it has them. Of rechunks in a row only the last counts."""
    while isinstance(x, Rechunk) and x.chunks != chunks:
        x = x.array
    if x.chunks == chunks:
        return x
    for old, new in zip(x.chunks, chunks):
        if old != new:
            known(old)
    return Rechunk(x, chunks)


def in_one_block(x: ArrayExpr, axes: Iterable[int]) -> ArrayExpr:
    """The array with each of these axes (from 0) in one block."""
    whole = set(axes)
    return rechunk(x, tuple((sum(c),) if axis in whole else c for axis, c in enumerate(x.chunks)))
