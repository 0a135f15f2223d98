"""The result of a computation as one array in memory: each block is written to its place by the task that makes it.

So copying is as parallel as all else, and no block outlives its task: the blocks and the result are never both there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from restride.collections.array.chunks import Chunks, Shape, block_bounds
from restride.collections.array.expr import ArrayExpr
from restride.collections.blocks import Blocks, Map, every
from restride.collections.expression import Expr


@dataclass(frozen=True, eq=False, repr=False)
class IntoMemory(Expr):
    """Blocks of an array, each written to its place in an array in memory; its own blocks are None."""

    array: ArrayExpr
    memory: np.ndarray
    """Of the array's shape and dtype."""

    def identity(self) -> Iterable[Any]:
        """One thing that is like no other: it is written to."""
        return [object()]

    def blocks(self, *children: Blocks) -> Blocks:
        n = self.array.n_blocks
        return Map(
            n=n,
            inputs=children,
            kernel=CopyInto(self.memory),
            index=(every(n),),
            params=block_bounds(self.array.chunks),
            name="result",
            origin=self.array.origin,
        )


def memory_for(shape: Shape, dtype: np.dtype, masked: bool) -> np.ndarray:
    """What blocks are to be copied into."""
    memory = np.empty(shape, dtype)
    return np.ma.MaskedArray(memory, np.zeros(shape, bool)) if masked else memory


def assembled(blocks: list[Any], chunks: Chunks, dtype: np.dtype) -> np.ndarray:
    """One array of blocks that have come from other processes; takes them out of the list as it goes."""
    masked = any(isinstance(block, np.ma.MaskedArray) for block in blocks)
    result = memory_for(tuple(map(sum, chunks)), dtype, masked)
    copy = CopyInto(result)
    for number, bounds in enumerate(block_bounds(chunks).tolist()):
        copy(bounds, blocks[number])
        blocks[number] = None
    return result


def joined(blocks: list[Any], grid: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """One array of blocks whose lengths only they themselves tell; takes them out of the list as it goes."""
    numbers = np.arange(len(blocks)).reshape(grid)
    lengths = [
        tuple(np.shape(blocks[number])[axis] for number in np.moveaxis(numbers, axis, 0).reshape(grid[axis], -1)[:, 0])
        for axis in range(len(grid))
    ]
    return assembled(blocks, tuple(lengths), dtype)


class CopyInto:
    """Kernel: copy a block to its place, given start and stop along each axis."""

    __name__ = "result"

    def __init__(self, memory: np.ndarray) -> None:
        self.memory = memory

    def __call__(self, bounds: list[int], block: Any) -> None:
        self.memory[tuple(map(slice, bounds[::2], bounds[1::2]))] = block
