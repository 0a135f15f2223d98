"""View: the bytes of blocks, taken for another dtype."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from restride.collections.array.chunks import known
from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations.map_blocks import MapBlocks


def view(x: ArrayExpr, dtype: np.dtype) -> ArrayExpr:
    """The array with its bytes taken for another dtype; where elements differ in size the last axis grows or shrinks.

    Raises
    ------
    ValueError
        The blocks along the last axis are no whole number of the new elements.
    TypeError
        A dtype of objects.
    """
    if dtype == x.dtype:
        return x
    np.zeros(dtype.itemsize, x.dtype).view(dtype)  # raises where numpy would
    chunks = x.chunks
    if dtype.itemsize != x.dtype.itemsize:
        if not x.ndim:
            raise ValueError("Changing the dtype of a 0d array is only supported if the itemsize is unchanged")
        nbytes = [length * x.dtype.itemsize for length in known(x.chunks[-1])]
        if any(n % dtype.itemsize for n in nbytes):
            raise ValueError(
                f"blocks of {x.chunks[-1]} elements of {x.dtype} along the last axis are no whole number of {dtype}; "
                "rechunk first"
            )
        chunks = (*chunks[:-1], tuple(n // dtype.itemsize for n in nbytes))
    return MapBlocks(ViewBlock(dtype), (x,), (), x.grid, chunks, dtype, False)


@dataclass(frozen=True)
class ViewBlock:
    """Kernel: a block's bytes as another dtype."""

    __name__ = "view"

    dtype: np.dtype

    def __call__(self, block: Any) -> Any:
        return np.ascontiguousarray(block).view(self.dtype) if block.ndim else block.view(self.dtype)
