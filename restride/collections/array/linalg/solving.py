"""Linear equations, and the factors of square matrices: solve, inv, lstsq, triangular systems, Cholesky, LU.

Algorithms of triangular matrices cut the matrix in four and work on the two diagonal parts, each in the same way; what
lies between is products of matrices.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from restride.collections.array.array import Array, asarray, implements
from restride.collections.array.creation import arange
from restride.collections.array.elementwise import equal
from restride.collections.array.linalg.elimination import eliminated, lower_factor
from restride.collections.array.linalg.matrices import (
    adjoint,
    block_calls,
    by_quarters,
    double,
    goes_to_one_task,
    inexact,
    matrices,
    of_quarters,
    per_matrix,
    real_part,
    square_chunks,
)
from restride.collections.array.linalg.qr import qr
from restride.collections.array.manipulation import concatenate
from restride.collections.array.operations.rechunk import in_one_block
from restride.collections.array.products import matmul
from restride.collections.array.reductions import sum as sum_
from restride.collections.array.triangles import eye


class LstsqResult(NamedTuple):
    """Least squares: the solution, and what numpy tells about it."""

    x: Array
    residuals: Array
    rank: Array
    s: Array


@implements(np.linalg.solve)
def solve(a: Any, b: Any) -> Array:
    """Solve ``a @ x = b`` for x.

    Matrices in several blocks are factored by Gaussian elimination with partial pivoting, as numpy does it.

    Parameters
    ----------
    a : Array or array_like
        Of shape (..., m, m).
    b : Array or array_like
        Of shape (m,), or (..., m, k).

    Raises
    ------
    LinAlgError
        `a` is not square. On compute: it is singular, where that is met with exactly.
    ValueError
        The shapes do not go together.

    Examples
    --------
    >>> import restride.array as ra
    >>> a = ra.asarray([[3.0, 1.0], [1.0, 2.0]], chunks=1)
    >>> ra.linalg.solve(a, ra.asarray([9.0, 8.0])).compute().round(6)
    array([2., 3.])
    """
    x, y = matrices(a, square=True), asarray(b)
    if y.ndim == 0 or y.shape[0 if y.ndim == 1 else -2] != x.shape[-1]:
        raise ValueError(f"solve: shapes {x.shape} and {y.shape} do not go together")
    kind = inexact(x.dtype, y.dtype)
    if y.ndim == 1:
        return solve(x, y[:, None])[..., 0]
    if goes_to_one_task(x) and (x.ndim > 2 or y.ndim > 2):
        return per_matrix(np.linalg.solve, "(m,m),(m,k)->(m,k)", x, y, dtypes=kind)
    if goes_to_one_task(x):
        return _by_columns(np.linalg.solve, x, y, kind)
    if y.ndim > 2:  # one matrix, and a stack of right-hand sides: beside each other
        columns = y.reshape((-1, *y.shape[-2:])).swapaxes(0, 1).reshape((y.shape[-2], -1))
        stack = (y.shape[-2], *y.shape[:-2], y.shape[-1])
        return _first_axis_to(solve(x, columns).reshape(stack), -2)
    n = x.shape[0]
    work = double(kind)
    _, upper = eliminated(concatenate([x.astype(work), y.astype(work)], 1), n)
    return solve_triangular(upper[:, :n], upper[:, n:]).astype(kind)


@implements(np.linalg.inv)
def inv(a: Any) -> Array:
    """Inverse of matrices; see `solve`.

    Raises
    ------
    LinAlgError
        `a` is not square. On compute: it is singular, where that is met with exactly.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.linalg.inv(ra.asarray([[2.0, 0.0], [0.0, 4.0]])).compute()
    array([[0.5 , 0.  ],
           [0.  , 0.25]])
    """
    x = matrices(a, square=True)
    kind = inexact(x.dtype)
    if goes_to_one_task(x):
        return per_matrix(np.linalg.inv, "(m,m)->(m,m)", x, dtypes=kind)
    return solve(x, eye(x.shape[0], dtype=kind, chunks=(x.chunks[0], x.chunks[1])))


def solve_triangular(a: Any, b: Any, lower: bool = False) -> Array:
    """Solve ``a @ x = b`` for a triangular matrix; what is on the other side of its diagonal is not looked at.

    Parameters
    ----------
    a : Array or array_like
        Of shape (m, m).
    b : Array or array_like
        Of shape (m,) or (m, k).
    lower : bool
        Whether `a` is lower triangular.

    Raises
    ------
    LinAlgError
        `a` is not square. On compute: there is a zero on its diagonal.
    ValueError
        The shapes do not go together.

    Examples
    --------
    >>> import restride.array as ra
    >>> a = ra.asarray([[1.0, 2.0], [0.0, 4.0]], chunks=1)
    >>> ra.linalg.solve_triangular(a, ra.asarray([5.0, 8.0])).compute()
    array([1., 2.])
    """
    x, y = matrices(a, square=True), asarray(b)
    if x.ndim != 2 or y.ndim not in (1, 2) or y.shape[0] != x.shape[0]:
        raise ValueError(f"solve_triangular: shapes {x.shape} and {y.shape} do not go together")
    kind = inexact(x.dtype, y.dtype)
    if y.ndim == 1:
        return solve_triangular(x, y[:, None], lower)[:, 0]
    if goes_to_one_task(x):
        return _by_columns(functools.partial(_solve_triangular, lower=lower), x, y, kind)
    x = square_chunks(x).astype(kind)
    return _triangular(x, y.astype(kind).rechunk({0: x.chunks[0]}), lower)


@implements(np.linalg.cholesky)
def cholesky(a: Any, *, upper: bool = False) -> Array:
    """Factor of Hermitian positive definite matrices, ``a = L @ L*`` with L lower triangular.

    Parameters
    ----------
    a : Array or array_like
        Of shape (..., m, m). Only its lower triangle (upper, if `upper`) is looked at.
    upper : bool
        Whether to return ``L*``, which is upper triangular.

    Raises
    ------
    LinAlgError
        `a` is not square. On compute: it is not positive definite.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.linalg.cholesky(ra.asarray([[4.0, 2.0], [2.0, 5.0]], chunks=1)).compute()
    array([[2., 0.],
           [1., 2.]])
    """
    x = matrices(a, square=True)
    kind = inexact(x.dtype)
    if goes_to_one_task(x):
        return per_matrix(functools.partial(np.linalg.cholesky, upper=upper), "(m,m)->(m,m)", x, dtypes=kind)
    x = square_chunks(x.astype(kind))
    return adjoint(_cholesky(adjoint(x))) if upper else _cholesky(x)


def lu(a: Any) -> tuple[Array, Array, Array]:
    """Factors of matrices, ``a = P @ L @ U``: a permutation, unit lower and upper triangular (or trapezoidal) matrices.

    Parameters
    ----------
    a : Array or array_like
        Of shape (..., m, n), in any chunks.

    Returns
    -------
    p, l, u : Array
        Of shapes (..., m, m), (..., m, k) and (..., k, n) with k = min(m, n). The pivots are the largest elements of
        their columns, so no element of L is larger than 1.

    Raises
    ------
    LinAlgError
        `a` has less than two axes.

    Examples
    --------
    >>> import restride.array as ra
    >>> p, l, u = ra.linalg.lu(ra.asarray([[1.0, 2.0], [3.0, 4.0]]))
    >>> (p @ l @ u).compute()
    array([[1., 2.],
           [3., 4.]])
    """
    x = matrices(a)
    kind = inexact(x.dtype)
    m, n = x.shape[-2:]
    k = min(m, n)
    if goes_to_one_task(x):
        p, lower, upper = per_matrix(
            _lu, "(m,n)->(m,m),(m,k),(k,n)", x, dtypes=[real_part(kind), kind, kind], sizes={"k": k}
        )
        return p, lower, upper
    panels, upper = eliminated(x, k)
    lower, order = lower_factor(panels)
    rows = x.chunks[0]
    p = equal(arange(m, chunks=(rows,))[:, None], order.rechunk((rows,))[None, :]).astype(real_part(kind))
    return p, lower.rechunk({0: rows}), upper


@implements(np.linalg.lstsq)
def lstsq(a: Any, b: Any, rcond: float | None = None) -> LstsqResult:
    """Least-squares solution of ``a @ x = b``, the shortest if there are several.

    Parameters
    ----------
    a : Array or array_like
        Of shape (m, n). The factor R of its QR decomposition is gathered into one block.
    b : Array or array_like
        Of shape (m,) or (m, k).
    rcond : float, optional
        Singular values below this times the largest count as zero; by default the machine precision times max(m, n).

    Returns
    -------
    LstsqResult
        ``(x, residuals, rank, s)``. The residuals are there whenever m > n, also for a matrix of lower rank, for which
        numpy leaves them out.

    Raises
    ------
    LinAlgError
        `a` is not 2-d, or there is no row of `b` for each row of `a`.

    Examples
    --------
    >>> import restride.array as ra
    >>> t = ra.arange(5.0, chunks=2)
    >>> line = ra.linalg.lstsq(ra.stack([t, ra.ones_like(t)], axis=1), 3 * t + 1)
    >>> line.x.compute().round(6)
    array([3., 1.])
    """
    x, y = matrices(a), asarray(b)
    if x.ndim != 2 or y.ndim not in (1, 2):
        raise np.linalg.LinAlgError(f"lstsq takes a matrix and a vector or matrix, got shapes {x.shape} and {y.shape}")
    m, n = x.shape
    if y.shape[0] != m:
        raise np.linalg.LinAlgError("Incompatible dimensions")
    kind = inexact(x.dtype, y.dtype)
    columns = (y if y.ndim == 2 else y[:, None]).astype(kind)
    x = x.astype(kind)
    if rcond is None:
        rcond = float(np.finfo(kind).eps) * max(m, n)
    q, r = qr(x)
    solution, rank, s = per_matrix(
        functools.partial(_lstsq, rcond=rcond),
        "(r,n),(r,k)->(n,k),(),(s)",
        r,
        matmul(adjoint(q), columns),
        dtypes=[kind, np.dtype(np.int32), real_part(kind)],
        sizes={"s": min(m, n)},
    )
    left = columns - x @ solution
    residuals = sum_((left * left.conj()).real, axis=0) if m > n else asarray(np.empty(0, real_part(kind)))
    return LstsqResult(solution if y.ndim == 2 else solution[:, 0], residuals, rank, s)


def _by_columns(func: Any, x: Array, y: Array, kind: np.dtype) -> Array:
    """``func(x, y)``, for the columns of `y` in the blocks that they are in."""
    (result,) = block_calls(
        func,
        ("row", "column"),
        Array(in_one_block(x.expr, [0, 1])),
        ("inner", "row"),
        Array(in_one_block(y.expr, [0])),
        ("inner", "column"),
        chunks=[((x.shape[1],), y.chunks[1])],
        dtype=kind,
    )
    return result


def _first_axis_to(x: Array, axis: int) -> Array:
    order = list(range(1, x.ndim))
    order.insert(x.ndim + axis, 0)
    return x.transpose(order)


def _triangular(x: Array, y: Array, lower: bool) -> Array:
    """The solution, for blocks that are the same along the rows of both and the columns of `x`."""
    blocks = x.chunks[0]
    if len(blocks) == 1:
        return _by_columns(functools.partial(_solve_triangular, lower=lower), x, y, x.dtype)
    h = sum(blocks[: len(blocks) // 2])
    first, right, left, last = by_quarters(x, h)
    if lower:
        above = _triangular(first, y[:h], lower)
        below = _triangular(last, y[h:] - left @ above, lower)
    else:
        below = _triangular(last, y[h:], lower)
        above = _triangular(first, y[:h] - right @ below, lower)
    return concatenate([above, below])


def _cholesky(x: Array) -> Array:
    blocks = x.chunks[0]
    if len(blocks) == 1:
        (factor,) = block_calls(np.linalg.cholesky, "ij", x, "ij", chunks=[x.chunks], dtype=x.dtype)
        return factor
    first, _, left, last = by_quarters(x, sum(blocks[: len(blocks) // 2]))
    above = _cholesky(first)
    between = adjoint(_triangular(above, adjoint(left), lower=True))
    below = _cholesky((last - between @ adjoint(between)).rechunk(last.chunks))
    return of_quarters((above, None), (between, below))


def _solve_triangular(a: np.ndarray, b: np.ndarray, *, lower: bool) -> np.ndarray:
    """Kernel: scipy's function of that name."""
    import scipy.linalg

    if not b.size:
        return np.zeros(b.shape, np.result_type(a, b))
    return scipy.linalg.solve_triangular(a, b, lower=lower, check_finite=False)


def _lu(block: np.ndarray) -> tuple[np.ndarray, ...]:
    """Kernel: scipy's function of that name."""
    import scipy.linalg

    p, lower, upper = scipy.linalg.lu(block, check_finite=False)
    return p.real.astype(upper.real.dtype, copy=False), lower, upper


def _lstsq(r: np.ndarray, y: np.ndarray, *, rcond: float) -> tuple[np.ndarray, Any, np.ndarray]:
    """Kernel: numpy's function of that name, without the residuals."""
    x, _, rank, s = np.linalg.lstsq(r, y, rcond)
    return x, np.int32(rank), s
