"""Linear algebra with the names of `numpy.linalg`, and some of `scipy.linalg`: ``ra.linalg``.

Matrices are the last two axes. In stacks of them each is gathered into one block; one matrix by itself may be in any
blocks, and is decomposed in blocks.
"""

from __future__ import annotations

from restride.collections.array.linalg.norms import (
    cross,
    det,
    diagonal,
    matrix_norm,
    matrix_power,
    matrix_transpose,
    norm,
    outer,
    slogdet,
    trace,
    vector_norm,
)
from restride.collections.array.linalg.qr import qr, sfqr, tsqr
from restride.collections.array.linalg.solving import cholesky, inv, lstsq, lu, solve, solve_triangular
from restride.collections.array.linalg.svd import (
    compression_level,
    compression_matrix,
    eigh,
    eigvalsh,
    matrix_rank,
    pinv,
    svd,
    svd_compressed,
    svdvals,
)
from restride.collections.array.products import matmul, multi_dot, tensordot, vecdot

__all__ = [
    "cholesky",
    "compression_level",
    "compression_matrix",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "inv",
    "lstsq",
    "lu",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "multi_dot",
    "norm",
    "outer",
    "pinv",
    "qr",
    "sfqr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
    "svd_compressed",
    "svdvals",
    "tensordot",
    "trace",
    "tsqr",
    "vecdot",
    "vector_norm",
]
