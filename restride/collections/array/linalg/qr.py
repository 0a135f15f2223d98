"""QR decomposition of matrices in blocks.

Tall matrices in one column of blocks are decomposed by a tree (TSQR): each block by itself, then the factors R on top
of each other, some at a time, until one is left; Q is the product of the factors Q on the way down. All others are
decomposed panel by panel: TSQR gives an orthonormal basis of a column of blocks, from which the Householder reflectors
that would have made it are reconstructed (Ballard and others, 2014), and applied to what is right of it. Both are as
stable as Householder's method, for matrices of any rank.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from restride.collections.array.array import Array, implements
from restride.collections.array.creation import zeros
from restride.collections.array.linalg.matrices import (
    adjoint,
    block_calls,
    goes_to_one_task,
    inexact,
    matrices,
    per_matrix,
    real_part,
)
from restride.collections.array.manipulation import concatenate
from restride.collections.array.operations.rechunk import in_one_block
from restride.collections.array.triangles import eye
from restride.errors import ChunkError

PANELS = 64
"""Into how many panels a matrix is cut at most; narrower blocks are taken together."""

FAN_IN = 16
"""How many factors R one task decomposes together at most."""


class QRResult(NamedTuple):
    """Factors of a matrix."""

    Q: Array
    R: Array


@dataclass(frozen=True)
class Reflection:
    """A block of Householder reflections, ``H = I - V T V*``, of the rows from `start` on."""

    start: int
    v: Array
    t: Array


@implements(np.linalg.qr)
def qr(a: Any, mode: str = "reduced") -> Any:
    """Factors of matrices, ``a = Q @ R``: the columns of Q orthonormal, R upper triangular.

    Parameters
    ----------
    a : Array or array_like
        Of shape (..., m, n), in any chunks. Matrices in a stack, and small ones, are decomposed in one task each.
    mode : {"reduced", "complete", "r"}
        Whether Q has min(m, n) or m columns, or is left out.

    Returns
    -------
    Array
        R, where `mode` is ``"r"``.
    QRResult
        ``(Q, R)`` otherwise.

    Raises
    ------
    LinAlgError
        `a` has less than two axes.
    ValueError
        An unknown mode.

    Examples
    --------
    >>> import restride.array as ra
    >>> x = ra.random.default_rng(0).random((1000, 20), chunks=(100, 10))
    >>> q, r = ra.linalg.qr(x)
    >>> q.shape, r.shape
    ((1000, 20), (20, 20))
    >>> bool(abs(q @ r - x).max() < 1e-12)
    True
    """
    if mode not in ("reduced", "complete", "r"):
        raise ValueError(f"mode must be 'reduced', 'complete' or 'r', got {mode!r}")
    x = matrices(a)
    m, n = x.shape[-2:]
    if goes_to_one_task(x):
        kind = inexact(x.dtype)
        kernel = functools.partial(np.linalg.qr, mode=mode)
        if mode == "r":
            return per_matrix(kernel, "(m,n)->(k,n)", x, dtypes=kind, sizes={"k": min(m, n)})
        signature = "(m,n)->(m,m),(m,n)" if mode == "complete" else "(m,n)->(m,k),(k,n)"
        return QRResult(*per_matrix(kernel, signature, x, dtypes=kind, sizes={"k": min(m, n)}))
    if x.numblocks[1] == 1 and not m < n and mode != "complete":
        q, r = tall(x)
        return r if mode == "r" else QRResult(q, r)
    reflections, r = reflected(x, min(m, n))
    if mode == "r":
        return r
    k = m if mode == "complete" else min(m, n)
    if mode == "complete" and m > n:
        r = concatenate([r, zeros((m - n, n), r.dtype, chunks=(max(x.chunksize[0], 1), r.chunks[1]))])
    chunks = (x.chunks[0], x.chunks[0] if k == m else r.chunks[0])
    return QRResult(apply_reflections(reflections, eye(m, k, dtype=r.dtype, chunks=chunks)), r)


def tsqr(data: Any, compute_svd: bool = False) -> Any:
    """Factors of a tall matrix in one column of blocks; or its singular values and vectors.

    Parameters
    ----------
    data : Array
        2-d. Its blocks may be of unknown length along the rows, if there are at least as many rows as columns.
    compute_svd : bool
        Whether to return ``(U, S, Vh)`` in place of ``(Q, R)``.

    Raises
    ------
    ChunkError
        The columns are in several blocks.

    Examples
    --------
    >>> import restride.array as ra
    >>> q, r = ra.linalg.tsqr(ra.random.default_rng(0).random((100, 3), chunks=(10, -1)))
    >>> q.chunks, r.shape
    (((10, 10, 10, 10, 10, 10, 10, 10, 10, 10), (3,)), (3, 3))
    """
    x = matrices(data)
    if x.ndim != 2 or x.numblocks[1] != 1:
        raise ChunkError(
            f"tsqr takes a matrix in one column of blocks, got {x.numblocks} blocks; rechunk({{1: -1}}) it"
        )
    q, r = tall(x)
    if not compute_svd:
        return QRResult(q, r)
    u, s, vh = per_matrix(
        functools.partial(np.linalg.svd, full_matrices=False),
        "(k,n)->(k,k),(k),(k,n)",
        r,
        dtypes=[r.dtype, real_part(r.dtype), r.dtype],
    )
    return q @ u, s, vh


def sfqr(data: Any) -> QRResult:
    """Factors of a short and wide matrix in one row of blocks.

    Raises
    ------
    ChunkError
        The rows are in several blocks.

    Examples
    --------
    >>> import restride.array as ra
    >>> q, r = ra.linalg.sfqr(ra.random.default_rng(0).random((3, 100), chunks=(-1, 10)))
    >>> q.shape, r.shape
    ((3, 3), (3, 100))
    """
    x = matrices(data)
    if x.ndim != 2 or x.numblocks[0] != 1:
        raise ChunkError(f"sfqr takes a matrix in one row of blocks, got {x.numblocks} blocks; rechunk({{0: -1}}) it")
    result: QRResult = qr(x)
    return result


def tall(x: Array, most: int = 0) -> tuple[Array, Array]:
    """Q and R of a matrix in one column of blocks; a task decomposes `most` elements, or twice its largest block."""
    n = x.shape[1]
    rows = x.chunks[0]
    dtype = inexact(x.dtype)
    unknown = any(math.isnan(length) for length in rows)
    heights = (n,) * len(rows) if unknown else tuple(min(length, n) for length in rows)
    # The Q of a block has as many columns as it has rows if these are less than n; its only use is the product below.
    chunks = [(rows, (min(max(heights), n),)), (heights, (n,))]
    first, r = block_calls(_qr_padded if unknown else _qr, ("row",), x, ("row", "column"), chunks=chunks, dtype=dtype)
    if len(rows) == 1:
        return first, r
    most = most or 2 * n * max((length for length in rows if not math.isnan(length)), default=0)
    group = min(max(most // max(max(heights) * n, 1), 2), FAN_IN)
    merged = tuple(np.add.reduceat(heights, np.arange(0, len(heights), group)).tolist())
    then, r = tall(r.rechunk((merged, (n,))), most)
    k = then.shape[1]
    then = then.rechunk((heights, (k,)))
    (q,) = block_calls(
        np.matmul, ("row", "column"), first, ("row", "inner"), then, ("row", "column"),
        chunks=[(rows, (k,))], dtype=dtype,
    )  # fmt: skip
    return q, r


def reflected(x: Array, n_columns: int) -> tuple[list[Reflection], Array]:
    """Reflections that make the first columns of a matrix upper triangular, and what they make of the matrix.

    Parameters
    ----------
    x : Array
        2-d.
    n_columns : int
        How many columns; not more than rows.

    Returns
    -------
    reflections : list of Reflection
        In the order in which they are applied.
    r : Array
        The first `n_columns` rows of the result.
    """
    dtype = inexact(x.dtype)
    rest = x.astype(dtype)
    reflections: list[Reflection] = []
    above: list[Array] = []
    start = 0
    while start < n_columns:
        width = next(length for length in rest.chunks[1] if length)
        width = min(max(width, -(-n_columns // PANELS)), n_columns - start)
        q, r = tall(Array(in_one_block(rest[:, :width].expr, [1])))
        top = Array(in_one_block(q[:width].expr, [0]))
        square = ((width,), (width,))
        v_top, u, t, signs = block_calls(
            _reconstructed, ("row", "column"), top, ("row", "column"), chunks=[square] * 4, dtype=dtype
        )
        v = concatenate([v_top, _right_divided(q[width:], u)]) if q.shape[0] > width else v_top
        rest = rest[:, width:]
        if rest.shape[1]:
            rest = rest - v @ (adjoint(t) @ (adjoint(v) @ rest))
        reflections.append(Reflection(start, v, t))
        row = [signs @ r, rest[:width]]
        if start:
            row.insert(0, zeros((width, start), dtype, chunks=(width, tuple(f.t.shape[0] for f in reflections[:-1]))))
        above.append(concatenate(row, 1))
        rest = rest[width:]
        start += width
    return reflections, concatenate(above) if above else x[:0].astype(dtype)


def apply_reflections(reflections: list[Reflection], x: Array) -> Array:
    """``Q @ x``, for the Q that these reflections make up."""
    for one in reversed(reflections):
        below = x[one.start :]
        below = below - one.v @ (one.t @ (adjoint(one.v) @ below))
        x = concatenate([x[: one.start], below]) if one.start else below
    return x


def _right_divided(x: Array, u: Array) -> Array:
    (result,) = block_calls(
        _over_upper, ("row", "column"), x, ("row", "inner"), u, ("inner", "column"), chunks=[x.chunks], dtype=x.dtype
    )
    return result


def _qr(block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Kernel: Q and R of a block in its own precision; numpy takes thrice as long for float32, by way of float64."""
    import scipy.linalg

    q, r = scipy.linalg.qr(block, mode="economic", check_finite=False) if block.size else np.linalg.qr(block)
    return q, r


def _qr_padded(block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Kernel: Q and R of a block, with zeros so that R is square."""
    q, r = _qr(block)
    missing = block.shape[1] - r.shape[0]
    return np.pad(q, ((0, 0), (0, missing))), np.pad(r, ((0, missing), (0, 0)))


def _over_upper(x: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Kernel: ``x @ inv(u)`` for an upper triangular `u`."""
    import scipy.linalg

    result: np.ndarray = scipy.linalg.solve_triangular(u, x.T, lower=False, trans="T", check_finite=False).T
    return result.astype(x.dtype, copy=False)


def _reconstructed(top: np.ndarray) -> tuple[np.ndarray, ...]:
    """Kernel: of the top of a basis Q, what makes it the start of a product of Householder reflections.

    ``Q - [D, 0] = V U`` with V unit lower trapezoidal, U upper triangular and D diagonal, of signs chosen on the way so
    that no pivot is small. Then ``I - V T V*`` with ``T = -U D inv(V1*)`` has the first columns ``Q D``.

    Returns
    -------
    v1, u, t, d : ndarray
        Square, of one size.
    """
    import scipy.linalg

    work = top.copy()
    n = len(work)
    signs = np.empty(n, top.dtype)
    for i in range(n):
        signs[i] = 1 if work[i, i].real < 0 else -1
        work[i, i] -= signs[i]
        work[i + 1 :, i] /= work[i, i]
        work[i + 1 :, i + 1 :] -= np.outer(work[i + 1 :, i], work[i, i + 1 :])
    v, u = np.tril(work, -1) + np.eye(n, dtype=top.dtype), np.triu(work)
    t = -scipy.linalg.solve_triangular(v, (u * signs).conj().T, lower=True, unit_diagonal=True, check_finite=False)
    return v, u, t.conj().T.astype(top.dtype, copy=False), np.diag(signs)
