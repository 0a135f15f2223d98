"""Gaussian elimination with partial pivoting of matrices in blocks.

A matrix is cut into panels: columns that are in one block from top to bottom. LAPACK factors the first panel, and
exchanges rows so that each pivot is the largest of its column. In each panel right of it rows are exchanged alike, and
multiples of the rows that are final are taken from those below. What is left of these panels goes on in the same way.
This is what LAPACK does with a whole matrix, so results are as accurate as numpy's.

Each panel right of the one that is factored costs two tasks, one for the rows that are final and one for those below,
so that the former do not keep the latter in memory until they are used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from restride.collections.array.array import Array
from restride.collections.array.chunks import normalize_chunks
from restride.collections.array.creation import arange, zeros
from restride.collections.array.linalg.matrices import block_calls, inexact
from restride.collections.array.manipulation import concatenate

PANELS = 8, 64
"""How many panels a matrix is cut into, at least, so that threads have something to do, and at most."""


@dataclass(frozen=True)
class Panel:
    """Some columns of the factors of a matrix, of the rows from `start` on."""

    start: int
    width: int
    factors: Array
    """Below the diagonal what L has there, on it and above it what U has; of shape (rows, width), in one block."""
    order: Array
    """Where each row of it was before the panel was factored, int64[rows]."""
    sign: Array
    """Of that permutation, int8[1]."""


def eliminated(x: Array, n_columns: int) -> tuple[list[Panel], Array]:
    """Factor the first columns of a matrix, and apply to the others what that takes.

    Parameters
    ----------
    x : Array
        2-d.
    n_columns : int
        How many columns; not more than rows, and one at least.

    Returns
    -------
    panels : list of Panel
        What has been done, in order.
    upper : Array
        The first `n_columns` rows of the result; zeros below the diagonal.
    """
    dtype = inexact(x.dtype)
    m = x.shape[0]
    widths = _widths(x.chunks[1], n_columns)
    rest = concatenate([x[:, :n_columns].rechunk((m, widths)), x[:, n_columns:].rechunk({0: m})], 1).astype(dtype)
    panels: list[Panel] = []
    above: list[Array] = []
    start = 0
    for width in widths:
        left = m - start
        factors, order, sign = block_calls(
            _factored, ("row",), rest[:, :width], ("row", "column"),
            chunks=[((left,), (width,)), ((left,),), ((1,),)], dtype=[dtype, np.dtype(np.int64), np.dtype(np.int8)],
        )  # fmt: skip
        panels.append(Panel(start, width, factors, order, sign))
        (diagonal,) = block_calls(_upper, "ij", factors, "ij", chunks=[((width,), (width,))], dtype=dtype)
        row = [diagonal]
        rest = rest[:, width:]
        if rest.shape[1]:
            columns = rest.chunks[1]
            done = (factors, ("row", "inner"), order, ("row",))
            (top,) = block_calls(
                _final_rows,
                ("row", "column"),
                *done,
                rest,
                ("row", "column"),
                chunks=[((width,), columns)],
                dtype=dtype,
            )
            (rest,) = block_calls(
                _rows_below, ("row", "column"), *done, rest, ("row", "column"), top, ("row", "column"),
                chunks=[((left - width,), columns)], dtype=dtype,
            )  # fmt: skip
            row.append(top)
        if start:
            row.insert(0, zeros((width, start), dtype, chunks=(width, widths[: len(panels) - 1])))
        above.append(concatenate(row, 1))
        start += width
    return panels, concatenate(above)


def lower_factor(panels: list[Panel]) -> tuple[Array, Array]:
    """L of the panels of a matrix, and where each of its rows was in that matrix, in one block."""
    after: Array | None = None
    columns: list[Array] = []
    for panel in reversed(panels):
        rows, width = panel.factors.shape
        if after is None:
            after = arange(rows - width, chunks=-1)
        (column,) = block_calls(
            _lower, ("row", "column"), panel.factors, ("row", "column"), after, ("row",),
            chunks=[((rows,), (width,))], dtype=panel.factors.dtype,
        )  # fmt: skip
        if panel.start:
            column = concatenate([zeros((panel.start, width), column.dtype, chunks=-1), column])
        columns.append(column)
        (after,) = block_calls(
            _then, ("row",), panel.order, ("row",), after, ("row",), chunks=[((rows,),)], dtype=np.dtype(np.int64)
        )
    assert after is not None  # as there is a panel at least
    return concatenate(columns[::-1], 1), after


def _widths(lengths: tuple[int, ...], n: int) -> tuple[int, ...]:
    """The widths of the panels: that of the widest block, unless these would be too few or too many."""
    least, most = (-(-n // count) for count in reversed(PANELS))
    widths: tuple[int, ...] = normalize_chunks(min(max(least, *lengths), most), (n,), 1)[0]
    return widths


def _factored(panel: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Kernel: the factors of a panel in one array, the order its rows have in them, and the sign of that."""
    import scipy.linalg

    (getrf,) = scipy.linalg.get_lapack_funcs(("getrf",), (panel,))
    factors, exchanges, _ = getrf(panel)  # a pivot that is zero is told by the triangular system it leads to
    order = list(range(len(panel)))
    for row, other in enumerate(exchanges.tolist()):
        order[row], order[other] = order[other], order[row]
    odd = np.count_nonzero(exchanges != np.arange(len(exchanges))) % 2
    return np.ascontiguousarray(factors), np.array(order, np.int64), np.array([1 - 2 * odd], np.int8)


def _upper(factors: np.ndarray) -> np.ndarray:
    """Kernel: the square part of U that is in a panel."""
    return np.triu(factors[: factors.shape[1]])


def _lower(factors: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Kernel: the part of L that is in a panel, in the order its rows have after later panels."""
    width = factors.shape[1]
    result = np.take(factors, np.concatenate([np.arange(width), width + after]), 0)
    result[:width] = np.tril(result[:width], -1)
    result.reshape(-1)[: width * width : width + 1] = 1
    return result


def _then(order: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Kernel: a permutation and then another of the last of its elements."""
    first = len(order) - len(after)
    return np.concatenate([order[:first], order[first:][after]])


def _final_rows(factors: np.ndarray, order: np.ndarray, panel: np.ndarray) -> np.ndarray:
    """Kernel: the rows of U that are in a panel right of one that has been factored."""
    import scipy.linalg

    width = factors.shape[1]
    (trsm,) = scipy.linalg.get_blas_funcs(("trsm",), (factors,))
    top = np.take(panel, order[:width], 0)
    # What is in C order is transposed in BLAS's.
    result: np.ndarray = trsm(1, factors[:width].T, top.T, side=1, lower=0, diag=1, overwrite_b=1).T
    return result


def _rows_below(factors: np.ndarray, order: np.ndarray, panel: np.ndarray, top: np.ndarray) -> np.ndarray:
    """Kernel: what is left of a panel right of one that has been factored, below the rows that are final.

    2 * rows * width flops for each column, without a temporary of the panel's size.
    """
    import scipy.linalg

    width = factors.shape[1]
    rest = np.take(panel, order[width:], 0)
    if not rest.size:
        return rest
    (gemm,) = scipy.linalg.get_blas_funcs(("gemm",), (rest,))
    result: np.ndarray = gemm(-1, top.T, factors[width:].T, beta=1, c=rest.T, overwrite_c=1).T
    return result
