"""The result of a computation as one array in memory: each block is written to its place by the task that makes it.

So copying is as parallel as all else, and no block outlives its task: the blocks and the result are never both there.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from restride.collections.array.chunks import Chunks, Shape, block_bounds
from restride.collections.array.expr import ArrayExpr
from restride.collections.assembling import Assembling
from restride.collections.blocks import Blocks, Map, every
from restride.collections.expression import Expr
from restride.engine.memory import fill_bit_by_bit

LARGE_RESULT = 8 * 2**20
"""Bytes from which on a result is put together while it is computed; below, its blocks come all at once in the end."""


@dataclass(frozen=True, eq=False, repr=False)
class IntoMemory(Expr):
    """Blocks of an array, each written to its place in an array in memory; its own blocks are None."""

    array: ArrayExpr
    memory: Memory

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


class Memory:
    """An array in memory, that gets a mask, if it has none, when something masked is put into it."""

    def __init__(self, shape: Shape, dtype: np.dtype, masked: bool) -> None:
        self.data = fill_bit_by_bit(np.empty(shape, dtype))
        self._mask: np.ndarray | None = np.zeros(shape, bool) if masked else None
        self._fill_value: Any = None
        self._lock = threading.Lock()

    def put(self, where: tuple[slice, ...], block: Any) -> None:
        """Copy a block to its place."""
        if isinstance(block, np.ma.MaskedArray):
            with self._lock:
                if self._mask is None and np.ma.is_masked(block):
                    self._mask = np.zeros(self.data.shape, bool)
                self._fill_value = block.fill_value
            if self._mask is not None:
                self._mask[where] = np.ma.getmaskarray(block)
            block = block.data
        self.data[where] = block

    @property
    def array(self) -> np.ndarray:
        """All of it."""
        if self._mask is None:
            return self.data
        return np.ma.MaskedArray(self.data, self._mask, fill_value=self._fill_value)


class Assembly(Assembling):
    """One array of blocks that come from other processes, each put into its place as it comes."""

    def __init__(self, chunks: Chunks, dtype: np.dtype, masked: bool) -> None:
        memory = Memory(tuple(map(sum, chunks)), dtype, masked)
        self._copy = CopyInto(memory)
        self._bounds = block_bounds(chunks)

    def take(self, number: int, block: Any) -> None:
        self._copy(self._bounds[number].tolist(), block)

    def __call__(self, blocks: list[Any]) -> np.ndarray:
        return self._copy.memory.array


def assembled(blocks: list[Any], chunks: Chunks, dtype: np.dtype, masked: bool) -> np.ndarray:
    """One array of blocks that have come from other processes; takes them out of the list as it goes."""
    memory = Memory(tuple(map(sum, chunks)), dtype, masked)
    copy = CopyInto(memory)
    for number, bounds in enumerate(block_bounds(chunks).tolist()):
        copy(bounds, blocks[number])
        blocks[number] = None
    return memory.array


def joined(blocks: list[Any], grid: tuple[int, ...], dtype: np.dtype, masked: bool) -> np.ndarray:
    """One array of blocks whose lengths only they themselves tell; takes them out of the list as it goes."""
    numbers = np.arange(len(blocks)).reshape(grid)
    lengths = [
        tuple(np.shape(blocks[number])[axis] for number in np.moveaxis(numbers, axis, 0).reshape(grid[axis], -1)[:, 0])
        for axis in range(len(grid))
    ]
    return assembled(blocks, tuple(lengths), dtype, masked)


class CopyInto:
    """Kernel: copy a block to its place, given start and stop along each axis."""

    __name__ = "result"

    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    def __call__(self, bounds: list[int], block: Any) -> None:
        self.memory.put(tuple(map(slice, bounds[::2], bounds[1::2])), block)
