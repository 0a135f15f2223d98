"""Singular values and what is made of them; eigenvalues of Hermitian matrices.

A matrix in blocks is first brought to its square factor R, in blocks all the way. That is decomposed in one task; the
singular vectors are products of matrices again.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from restride.collections.array.array import Array, asarray, implements
from restride.collections.array.linalg.matrices import (
    adjoint,
    check_fits,
    goes_to_one_task,
    inexact,
    matrices,
    per_matrix,
    real_part,
)
from restride.collections.array.linalg.qr import qr, tsqr
from restride.collections.array.manipulation import concatenate
from restride.collections.array.random import default_rng


class SVDResult(NamedTuple):
    """Singular value decomposition: ``U @ diag(S) @ Vh``."""

    U: Array
    S: Array
    Vh: Array


class EighResult(NamedTuple):
    """Eigenvalues, ascending, and eigenvectors, in columns."""

    eigenvalues: Array
    eigenvectors: Array


@implements(np.linalg.svd)
def svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False, *, coerce_signs: bool = True
) -> Any:
    """Singular value decomposition of matrices, ``a = U @ diag(S) @ Vh``.

    Parameters
    ----------
    a : Array or array_like
        Of shape (..., m, n), in any chunks. One of min(m, n) rows and columns has to fit into a task.
    full_matrices : bool
        Whether U and Vh are square, rather than with min(m, n) columns and rows. As in numpy, and not in dask, they are
        by default; what is not used is not computed.
    compute_uv : bool
        Whether to return more than S.
    hermitian : bool
        That `a` is Hermitian, which is made no use of.
    coerce_signs : bool
        Whether the vectors get signs that do not depend on the chunks: the rows of Vh have sums of 0 or more.

    Returns
    -------
    SVDResult
        ``(U, S, Vh)``, or S alone.

    Raises
    ------
    LinAlgError
        `a` has less than two axes.
    ChunkError
        The smaller side is so long that its square exceeds ``array.chunk_size``; see `svd_compressed`.

    Examples
    --------
    >>> import restride.array as ra
    >>> x = ra.random.default_rng(0).random((1000, 5), chunks=(100, 5))
    >>> u, s, vh = ra.linalg.svd(x, full_matrices=False)
    >>> u.shape, bool(abs(u * s @ vh - x).max() < 1e-12)
    ((1000, 5), True)
    """
    x = matrices(a)
    if not compute_uv:
        return svdvals(x)
    u, s, vh = _svd(x, full_matrices)
    if coerce_signs:
        k = s.shape[-1]
        total = vh[..., :k, :].sum(axis=-1)
        size = abs(total)
        signs = total / (size + (size == 0)) + (size == 0)
        u = _scaled(u, signs[..., None, :], -1)
        vh = _scaled(vh, signs.conj()[..., :, None], -2)
    return SVDResult(u, s, vh)


@implements(np.linalg.svdvals)
def svdvals(x: Any) -> Array:
    """Singular values of matrices, the largest first; errors as for `svd`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.linalg.svdvals(ra.asarray([[0.0, 2.0], [1.0, 0.0]])).compute()
    array([2., 1.])
    """
    x = matrices(x)
    m, n = x.shape[-2:]
    kind = inexact(x.dtype)
    if not goes_to_one_task(x):
        check_fits(x, min(m, n), min(m, n))
        x = qr(adjoint(x) if m < n else x, mode="r")
    kernel = functools.partial(np.linalg.svd, compute_uv=False)
    values: Array = per_matrix(kernel, "(m,n)->(k)", x, dtypes=real_part(kind), sizes={"k": min(m, n)})
    return values


def svd_compressed(
    a: Any,
    k: int,
    iterator: str = "power",
    n_power_iter: int = 0,
    n_oversamples: int = 10,
    seed: Any = None,
    compute: bool = False,
    coerce_signs: bool = True,
) -> SVDResult:
    """The largest singular values and their vectors, approximately, by random projections (Halko and others, 2011).

    Parameters
    ----------
    a : Array or array_like
        Of shape (m, n), in any chunks.
    k : int
        How many values.
    iterator : {"power", "QR"}
        How powers of the matrix are taken: as they are, or orthonormalised each time, slower and more accurate.
    n_power_iter : int
        How many powers: each squares the ratios of the singular values, at the price of two more passes over `a`.
    n_oversamples : int
        How many more projections than `k`.
    seed : int or Generator, optional
    compute : bool
        Whether to persist the compressed matrices on the way.
    coerce_signs : bool
        See `svd`.

    Returns
    -------
    SVDResult
        Of shapes (m, k), (k,) and (k, n).

    Raises
    ------
    LinAlgError
        `a` is not 2-d.
    ValueError
        `k` is not positive, or an unknown `iterator`.

    Examples
    --------
    >>> import restride.array as ra
    >>> rng = ra.random.default_rng(0)
    >>> x = rng.random((300, 2), chunks=(50, 2)) @ rng.random((2, 200), chunks=(2, 50))
    >>> u, s, vh = ra.linalg.svd_compressed(x, 2, seed=0)
    >>> bool(abs(u * s @ vh - x).max() < 1e-10)
    True
    """
    x = _plain_matrix(a)
    if k < 1:
        raise ValueError(f"k must be positive, got {k}")
    basis = compression_matrix(x, k, iterator, n_power_iter, n_oversamples, seed, compute)
    small = basis @ x
    if compute:
        small = small.persist()
    u, s, vh = svd(small, full_matrices=False, coerce_signs=coerce_signs)
    return SVDResult((adjoint(basis) @ u)[:, :k], s[:k], vh[:k])


def compression_level(n: int, q: int, n_oversamples: int = 10, min_subspace_size: int = 20) -> int:
    """How many projections `svd_compressed` makes for `q` values of a matrix whose smaller side is `n`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.linalg.compression_level(100, 5)
    20
    """
    return min(max(min_subspace_size, q + n_oversamples), n)


def compression_matrix(
    data: Any,
    q: int,
    iterator: str = "power",
    n_power_iter: int = 0,
    n_oversamples: int = 10,
    seed: Any = None,
    compute: bool = False,
) -> Array:
    """Orthonormal rows that span about what the `q` largest singular vectors do; parameters as of `svd_compressed`.

    Examples
    --------
    >>> import restride.array as ra
    >>> x = ra.ones((300, 200), chunks=100)
    >>> ra.linalg.compression_matrix(x, 5).shape
    (20, 300)
    """
    if iterator not in ("power", "QR"):
        raise ValueError(f"iterator must be 'power' or 'QR', got {iterator!r}")
    x = _plain_matrix(data)
    m, n = x.shape
    level = compression_level(min(m, n), q, n_oversamples)
    kind = inexact(x.dtype)
    rng = seed if hasattr(seed, "standard_normal") else default_rng(seed)
    omega = asarray(rng.standard_normal((n, level), chunks=(x.chunks[1], (level,)))).astype(real_part(kind))
    projected = x @ omega
    for _ in range(n_power_iter):
        if iterator == "QR":
            projected = tsqr(_kept(projected, compute).rechunk({1: -1}))[0]
        back = adjoint(x) @ _kept(projected, compute)
        if iterator == "QR":
            back = tsqr(_kept(back, compute).rechunk({1: -1}))[0]
        projected = x @ _kept(back, compute)
    q_factor, _ = tsqr(_kept(projected, compute).rechunk({1: -1}))
    return adjoint(q_factor)


@implements(np.linalg.pinv)
def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Array:
    """Pseudo-inverse of matrices (Moore and Penrose).

    Parameters
    ----------
    a : Array or array_like
        Of shape (..., m, n).
    rcond, rtol : float, optional
        Singular values up to this times the largest count as zero. By default 1e-15, as in numpy.
    hermitian : bool
        That `a` is Hermitian, which is made no use of.

    Raises
    ------
    LinAlgError, ChunkError
        As for `svd`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.linalg.pinv(ra.asarray([[2.0, 0.0], [0.0, 0.0]])).compute()
    array([[0.5, 0. ],
           [0. , 0. ]])
    """
    x = matrices(a)
    cutoff = 1e-15 if rcond is None and rtol is None else rtol if rcond is None else rcond
    u, s, vh = svd(x, full_matrices=False)
    if not min(x.shape[-2:]):
        return x.astype(inexact(x.dtype)).swapaxes(-1, -2)
    large = s > np.asarray(cutoff)[..., None] * s.max(axis=-1, keepdims=True)
    inverted = large / (s + ~large)
    return (_adjoints(vh) * inverted[..., None, :]).astype(vh.dtype) @ _adjoints(u)


@implements(np.linalg.matrix_rank)
def matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Array:  # noqa: N803
    """How many singular values are larger than a tolerance.

    Parameters
    ----------
    A : Array or array_like
        Of shape (..., m, n), or one vector.
    tol : float or array_like, optional
        The tolerance; by default the largest value times `rtol`.
    hermitian : bool
        That `A` is Hermitian, which is made no use of.
    rtol : float or array_like, optional
        By default max(m, n) times the machine precision.

    Raises
    ------
    ValueError
        Both `tol` and `rtol`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.linalg.matrix_rank(ra.ones((5, 4), chunks=2)).compute()
    np.int64(1)
    """
    if tol is not None and rtol is not None:
        raise ValueError("`tol` and `rtol` can't be both set.")
    x = asarray(A)
    if x.ndim < 2:
        return (x != 0).any().astype(np.int64)
    s = svdvals(x)
    if not s.shape[-1]:
        return s.sum(axis=-1).astype(np.int64)
    if tol is None:
        relative = max(x.shape[-2:]) * np.finfo(s.dtype).eps if rtol is None else np.asarray(rtol)[..., None]
        limit: Any = s.max(axis=-1, keepdims=True) * relative
    else:
        limit = np.asarray(tol)[..., None]
    return (s > limit).sum(axis=-1)


@implements(np.linalg.eigh)
def eigh(a: Any, UPLO: str = "L") -> EighResult:  # noqa: N803  # numpy's name
    """Eigenvalues and eigenvectors of Hermitian matrices, each of which is gathered into one block.

    Parameters
    ----------
    a : Array or array_like
        Of shape (..., m, m).
    UPLO : {"L", "U"}
        Which triangle is looked at.

    Raises
    ------
    LinAlgError
        `a` is not square.
    ChunkError
        A matrix is larger than ``array.chunk_size`` and in several blocks.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.linalg.eigh(ra.asarray([[2.0, 0.0], [0.0, 1.0]])).eigenvalues.compute()
    array([1., 2.])
    """
    x = matrices(a, square=True)
    kind = inexact(x.dtype)
    kernel = functools.partial(np.linalg.eigh, UPLO=_triangle(UPLO))
    return EighResult(*per_matrix(kernel, "(m,m)->(m),(m,m)", x, dtypes=[real_part(kind), kind]))


@implements(np.linalg.eigvalsh)
def eigvalsh(a: Any, UPLO: str = "L") -> Array:  # noqa: N803  # numpy's name
    """Eigenvalues of Hermitian matrices, ascending; see `eigh`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.linalg.eigvalsh(ra.asarray([[2.0, 0.0], [0.0, 1.0]])).compute()
    array([1., 2.])
    """
    x = matrices(a, square=True)
    kernel = functools.partial(np.linalg.eigvalsh, UPLO=_triangle(UPLO))
    values: Array = per_matrix(kernel, "(m,m)->(m)", x, dtypes=real_part(inexact(x.dtype)))
    return values


def _svd(x: Array, full: bool) -> tuple[Array, Array, Array]:
    m, n = x.shape[-2:]
    kind = inexact(x.dtype)
    k = min(m, n)
    if goes_to_one_task(x):
        signature = "(m,n)->(m,m),(k),(n,n)" if full else "(m,n)->(m,k),(k),(k,n)"
        kernel = functools.partial(np.linalg.svd, full_matrices=full)
        u, s, vh = per_matrix(kernel, signature, x, dtypes=[kind, real_part(kind), kind], sizes={"k": k})
        return u, s, vh
    check_fits(x, k, k)
    if m < n:
        u, s, vh = _svd(adjoint(x), full)
        return adjoint(vh), s, adjoint(u)
    q, r = qr(x, mode="complete" if full else "reduced")
    u, s, vh = per_matrix(np.linalg.svd, "(m,m)->(m,m),(m),(m,m)", r[:n], dtypes=[kind, real_part(kind), kind])
    left = q[:, :n] @ u
    return (concatenate([left, q[:, n:]], 1) if full and m > n else left), s, vh


def _scaled(x: Array, signs: Array, axis: int) -> Array:
    """The vectors along an axis, as many as there are signs, times the signs; and the others."""
    axis += x.ndim
    k = signs.shape[axis]
    before = (slice(None),) * axis
    scaled = (x[(*before, slice(0, k))] * signs).astype(x.dtype)
    return scaled if x.shape[axis] == k else concatenate([scaled, x[(*before, slice(k, None))]], axis)


def _adjoints(x: Array) -> Array:
    swapped = x.swapaxes(-1, -2)
    return swapped.conj() if x.dtype.kind == "c" else swapped


def _kept(x: Array, compute: bool) -> Array:
    return x.persist() if compute else x


def _plain_matrix(a: Any) -> Array:
    x = matrices(a)
    if x.ndim != 2:
        raise np.linalg.LinAlgError(f"one matrix is needed, got an array of {x.ndim} axes")
    return x


def _triangle(letter: str) -> str:
    if letter.upper() not in ("L", "U"):
        raise ValueError("UPLO argument must be 'L' or 'U'")
    return letter.upper()
