"""Methods of `Array` for products of matrices."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array.base import ArrayBase, as_expr
from restride.collections.array.operations import products, triangles
from restride.collections.array.operations import reductions as red


class LinearAlgebra(ArrayBase):
    """Products of matrices; see `restride.array.linalg` for the rest."""

    def __matmul__(self, other: Any) -> Self:
        return self._matmul(self, other)

    def __rmatmul__(self, other: Any) -> Self:
        return self._matmul(other, self)

    def dot(self, b: Any) -> Self:
        """Sum of products with another array; see `restride.array.dot`."""
        return type(self)(products.dot(self.expr, as_expr(b)))

    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: DTypeLike | None = None) -> Self:
        """Sum along a diagonal of two axes; see `restride.array.trace`."""
        out = np.sum(np.empty(0, self.dtype), dtype=dtype).dtype
        along = triangles.diagonal(self.expr, offset, axis1, axis2)
        return type(self)(red.reduce(along, red.SUM, -1, dtype=out))

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Self:
        """The elements along a diagonal of two axes; see `restride.array.diagonal`."""
        return type(self)(triangles.diagonal(self.expr, offset, axis1, axis2))

    def _matmul(self, *operands: Any) -> Self:
        if all(isinstance(x, (ArrayBase, np.ndarray, np.generic, int, float, complex, list, tuple)) for x in operands):
            return type(self)(products.matmul(*map(as_expr, operands)))
        return NotImplemented
