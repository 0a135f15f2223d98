"""Diagonals and triangles of matrices: masks and unit matrices made of nothing, and the elements along a diagonal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from restride.collections.array.chunks import block_bounds
from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations.blockwise import Name, Returned, calls
from restride.collections.array.operations.cuts import WHOLE
from restride.collections.array.operations.masking import knows_masks
from restride.collections.array.operations.slicing import getitem
from restride.collections.array.operations.sources import Source, full
from restride.engine.graphs.graph import Params


@dataclass(frozen=True, eq=False, repr=False)
class Banded(Source):
    """A matrix of zeros and ones: ones on the diagonal `k`, or on and below it."""

    k: int
    source_dtype: np.dtype
    below: bool

    @property
    def label(self) -> str:
        return "tri" if self.below else "eye"

    def _dtype(self) -> np.dtype:
        return self.source_dtype

    @property
    def is_free(self) -> bool:
        return True

    def kernel(self) -> Callable[[Any], Any]:
        return BandedBlock(self.k, self.source_dtype, self.below)

    def params(self) -> Params:
        return block_bounds(self.chunks)


class BandedBlock:
    """Kernel: a block of such a matrix, given its bounds."""

    def __init__(self, k: int, dtype: np.dtype, below: bool) -> None:
        self.__name__ = "tri" if below else "eye"
        self.k = k
        self.dtype = dtype
        self.make = np.tri if below else np.eye

    def __call__(self, bounds: list[int]) -> Any:
        top, bottom, left, right = bounds
        return self.make(bottom - top, right - left, self.k + top - left, dtype=self.dtype)


@dataclass(frozen=True, eq=False, repr=False)
class TriangleIndices(Source):
    """Row or column of each element on and below diagonal `k` of an `n` x `m` matrix, or above it, in C order."""

    n: int
    m: int
    k: int
    above: bool
    columns: bool

    @property
    def label(self) -> str:
        return "triu_indices" if self.above else "tril_indices"

    def _dtype(self) -> np.dtype:
        return np.dtype(np.int64)

    def kernel(self) -> Callable[[Any], Any]:
        return TriangleBlock(self.n, self.m, self.k, self.above, self.columns)

    def params(self) -> Params:
        return block_bounds(self.chunks)


class TriangleBlock:
    """Kernel: a run of such rows or columns, given its bounds."""

    def __init__(self, n: int, m: int, k: int, above: bool, columns: bool) -> None:
        self.__name__ = "triu_indices" if above else "tril_indices"
        self.n, self.m, self.k, self.above, self.columns = n, m, k, above, columns

    def __call__(self, bounds: list[int]) -> Any:
        counts = triangle_counts(self.n, self.m, self.k, self.above)
        ends = np.cumsum(counts)
        numbers = np.arange(*bounds)
        rows = np.searchsorted(ends, numbers, side="right")
        if not self.columns:
            return rows
        first = self.m - counts if self.above else np.zeros_like(counts)
        return numbers - (ends - counts)[rows] + first[rows]


def triangle_counts(n: int, m: int, k: int, above: bool) -> np.ndarray:
    """How many elements of each row are on and below diagonal `k`, or on and above it."""
    before = np.clip(np.arange(n) + k + (0 if above else 1), 0, m)
    return m - before if above else before


def diagonal(x: ArrayExpr, offset: int = 0, axis1: int = 0, axis2: int = 1) -> ArrayExpr:
    """The elements along a diagonal of two axes, as the last axis of the result.

    Raises
    ------
    ValueError
        `x` has less than two axes, or they are the same.
    numpy.exceptions.AxisError
        There is no such axis.
    """
    if x.ndim < 2:
        raise ValueError("diag requires an array of at least two dimensions")
    first, second = (np.lib.array_utils.normalize_axis_index(axis, x.ndim) for axis in (axis1, axis2))
    if first == second:
        raise ValueError("axis1 and axis2 cannot be the same")
    top, left = max(-offset, 0), max(offset, 0)
    length = max(min(x.shape[first] - top, x.shape[second] - left), 0)
    others = [axis for axis in range(x.ndim) if axis not in (first, second)]
    if length == 0:
        return full((*(x.chunks[axis] for axis in others), (0,)), np.zeros((), x.dtype), x.dtype)
    cuts: list[Any] = [WHOLE] * x.ndim
    cuts[first], cuts[second] = slice(top, top + length), slice(left, left + length)
    names: list[Name] = list(range(x.ndim))
    names[second] = first
    kernel = partial(_last_diagonal, axis1=first, axis2=second)
    made, lengths = calls(kernel, (*others, first), [getitem(x, tuple(cuts))], [names])
    return Returned(made, tuple(lengths[name] for name in (*others, first)), x.dtype)


@knows_masks
def _last_diagonal(block: Any, *, axis1: int, axis2: int) -> Any:
    """Kernel: a block's diagonal."""
    return block.diagonal(0, axis1, axis2)  # np.diagonal loses masks
