"""What decompositions have in common: what they take, and which matrices are decomposed in one task."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from restride.collections.array.array import Array, asarray
from restride.collections.array.chunks import normalize_chunks
from restride.collections.array.creation import zeros
from restride.collections.array.gufunc import apply_gufunc
from restride.collections.array.manipulation import concatenate
from restride.collections.array.operations.blockwise import Name, Returned, calls
from restride.config import Settings
from restride.errors import ChunkError

SMALL_MATRIX = 2**20
"""Bytes up to which a matrix goes to one task whatever its chunks: numpy is quicker than any algorithm of blocks."""


def matrices(a: Any, *, square: bool = False) -> Array:
    """An array whose last two axes are matrices.

    Raises
    ------
    LinAlgError
        It has less than two axes, or the matrices are to be square and are not.
    TypeError
        A dtype that numpy's linear algebra does not take.
    """
    x = asarray(a)
    if x.ndim < 2:
        raise np.linalg.LinAlgError(f"{x.ndim}-dimensional array given. Array must be at least two-dimensional")
    if square and x.shape[-1] != x.shape[-2]:
        raise np.linalg.LinAlgError(f"Last 2 dimensions of the array must be square, got {x.shape[-2:]}")
    inexact(x.dtype)
    return x


def inexact(*dtypes: np.dtype) -> np.dtype:
    """The dtype in which numpy's linear algebra works on matrices of these; its TypeError where it does not."""
    return np.linalg.solve(*(np.ones((1, 1), dtype) for dtype in (dtypes[0], dtypes[-1]))).dtype


def real_part(dtype: np.dtype) -> np.dtype:
    """The dtype of the absolute values of numbers of a dtype."""
    return np.empty(0, dtype).real.dtype


def double(dtype: np.dtype) -> np.dtype:
    """The dtype of double precision in which numpy solves equations, whatever that of the matrix."""
    return np.result_type(dtype, np.float64)


def goes_to_one_task(x: Array) -> bool:
    """Whether each matrix is in one block, is one of a stack, or small."""
    return x.ndim > 2 or x.npartitions == 1 or x.nbytes <= SMALL_MATRIX


def per_matrix(
    func: Callable[..., Any], signature: str, *args: Array, dtypes: Any, sizes: dict[str, int] | None = None
) -> Any:
    """A function of matrices, that come whole: `apply_gufunc`.

    Raises
    ------
    ChunkError
        A matrix is in several blocks and larger than ``array.chunk_size`` or twice its largest block.
    """
    for x in args:
        if x.ndim >= 2 and max(x.numblocks[-2:]) > 1:
            check_fits(x, *x.shape[-2:])
    return apply_gufunc(func, signature, *args, output_dtypes=dtypes, output_sizes=sizes, allow_rechunk=True)


def check_fits(x: Array, rows: int, columns: int) -> None:
    """Check that a matrix made of `x` may go to one task.

    Raises
    ------
    ChunkError
        It is larger than ``array.chunk_size`` and twice the largest block of `x`.
    """
    size = rows * columns * x.itemsize
    if size > max(2 * math.prod(x.chunksize) * x.itemsize, Settings.current().array_chunk_size):
        raise ChunkError(
            f"this takes a {rows} x {columns} matrix of {size:,} bytes in one block, which is more than "
            "array.chunk_size; rechunk(-1) the array if a worker has room for that, and see svd_compressed for the "
            "largest singular values of large matrices"
        )


def block_calls(
    func: Callable[..., Any],
    out: Sequence[Name],
    *pairs: Any,
    chunks: Sequence[Any],
    dtype: np.dtype | Sequence[np.dtype],
) -> tuple[Array, ...]:
    """Arrays that a function returns of corresponding blocks; one for each of `chunks`, or its only one.

    Parameters
    ----------
    func : callable
        Returns a tuple of arrays if there are several `chunks`.
    out : sequence of hashable
        Names of the axes of the grid of the results.
    *pairs : Array and names of its axes, alternately
        Blocks correspond by number, whatever their lengths.
    chunks : sequence of tuple of tuple of int
    dtype : dtype or sequence of dtype
    """
    called, _ = calls(func, out, [x.expr for x in pairs[::2]], pairs[1::2], align=False)
    dtypes = [dtype] * len(chunks) if isinstance(dtype, np.dtype) else dtype
    numbers = [None] if len(chunks) == 1 else range(len(chunks))
    return tuple(Array(Returned(called, c, kind, at)) for c, kind, at in zip(chunks, dtypes, numbers))


def adjoint(x: Array) -> Array:
    """The conjugate transpose of a matrix."""
    transposed = x.T
    return transposed.conj() if x.dtype.kind == "c" else transposed


def by_quarters(x: Array, h: int) -> tuple[Array, Array, Array, Array]:
    """A square matrix in four, cut at `h`: above left, above right, below left, below right."""
    return x[:h, :h], x[:h, h:], x[h:, :h], x[h:, h:]


def of_quarters(above: Sequence[Array | None], below: Sequence[Array | None]) -> Array:
    """A matrix of four, of which some may be None for zeros."""
    rows = []
    heights = [next(x for x in row if x is not None) for row in (above, below)]
    for at, row in enumerate((above, below)):
        parts = []
        for column, part in enumerate(row):
            if part is None:
                other = (below if at == 0 else above)[column]
                assert other is not None  # there are zeros on one side of the diagonal alone
                part = zeros(
                    (heights[at].shape[0], other.shape[1]), other.dtype, chunks=(heights[at].chunks[0], other.chunks[1])
                )
            parts.append(part)
        rows.append(concatenate(parts, 1))
    return concatenate(rows, 0)


def square_chunks(x: Array) -> Array:
    """A square matrix with the same blocks along rows and columns, 64 along each at most."""
    chunks = tuple(length for length in min(x.chunks, key=len) if length)
    if len(chunks) > 64:
        chunks = normalize_chunks(-(-x.shape[0] // 64), x.shape[:1], 1)[0]
    return x.rechunk((chunks, chunks)) if x.shape[0] else x
