"""Methods of `Array` that work along axes: reductions, running sums, order."""

from __future__ import annotations

import operator
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array.base import ArrayBase
from restride.collections.array.operations import order_statistics as order
from restride.collections.array.operations import reductions as red
from restride.collections.array.operations import scans
from restride.collections.array.operations.reduce_tree import Reduction


class Reductions(ArrayBase):
    """Sums, means, extremes and the like."""

    def sum(self, axis: Any = None, dtype: DTypeLike | None = None, *, keepdims: bool = False) -> Self:
        """Sum along an axis, several, or all."""
        out = np.sum(np.empty(0, self.dtype), dtype=dtype).dtype
        return type(self)(red.reduce(self.expr, red.SUM, axis, keepdims=keepdims, dtype=out))

    def prod(self, axis: Any = None, dtype: DTypeLike | None = None, *, keepdims: bool = False) -> Self:
        """Product along an axis, several, or all."""
        out = np.prod(np.empty(0, self.dtype), dtype=dtype).dtype
        return type(self)(red.reduce(self.expr, red.PROD, axis, keepdims=keepdims, dtype=out))

    def mean(self, axis: Any = None, dtype: DTypeLike | None = None, *, keepdims: bool = False) -> Self:
        """Mean along an axis, several, or all."""
        out = np.mean(np.zeros(1, self.dtype), dtype=dtype).dtype
        return type(self)(red.reduce(self.expr, red.MEAN, axis, keepdims=keepdims, dtype=out))

    def var(
        self,
        axis: Any = None,
        dtype: DTypeLike | None = None,
        *,
        ddof: float = 0,
        keepdims: bool = False,
        correction: float | None = None,
    ) -> Self:
        """Variance along an axis, several, or all, with ``n - ddof`` degrees of freedom; numerically stable.

        `correction` is another name for `ddof`, that of the array API standard.
        """
        out = np.var(np.zeros(1, self.dtype), dtype=dtype).dtype
        return type(self)(
            red.reduce(self.expr, red.variance(freedom(ddof, correction)), axis, keepdims=keepdims, dtype=out)
        )

    def std(
        self,
        axis: Any = None,
        dtype: DTypeLike | None = None,
        *,
        ddof: float = 0,
        keepdims: bool = False,
        correction: float | None = None,
    ) -> Self:
        """Standard deviation along an axis, several, or all, with ``n - ddof`` degrees of freedom; see `var`."""
        out = np.std(np.zeros(1, self.dtype), dtype=dtype).dtype
        return type(self)(
            red.reduce(self.expr, red.deviation(freedom(ddof, correction)), axis, keepdims=keepdims, dtype=out)
        )

    def min(self, axis: Any = None, *, keepdims: bool = False) -> Self:
        """Least value along an axis, several, or all; NaN if there is one."""
        return type(self)(red.reduce(self.expr, red.MIN, axis, keepdims=keepdims, dtype=self.dtype))

    def max(self, axis: Any = None, *, keepdims: bool = False) -> Self:
        """Greatest value along an axis, several, or all; NaN if there is one."""
        return type(self)(red.reduce(self.expr, red.MAX, axis, keepdims=keepdims, dtype=self.dtype))

    def argmin(self, axis: int | None = None, *, keepdims: bool = False) -> Self:
        """Where along an axis, or in the flattened array, the least value is first met."""
        return self._arg(red.ARGMIN, axis, keepdims)

    def argmax(self, axis: int | None = None, *, keepdims: bool = False) -> Self:
        """Where along an axis, or in the flattened array, the greatest value is first met."""
        return self._arg(red.ARGMAX, axis, keepdims)

    def any(self, axis: Any = None, *, keepdims: bool = False) -> Self:
        """Whether some element along an axis, several, or all, is true."""
        return type(self)(red.reduce(self.expr, red.ANY, axis, keepdims=keepdims, dtype=np.dtype(bool)))

    def all(self, axis: Any = None, *, keepdims: bool = False) -> Self:
        """Whether every element along an axis, several, or all, is true."""
        return type(self)(red.reduce(self.expr, red.ALL, axis, keepdims=keepdims, dtype=np.dtype(bool)))

    def _arg(self, reduction: Reduction, axis: int | None, keepdims: bool) -> Self:
        axis = axis if axis is None else operator.index(axis)
        return type(self)(red.reduce(self.expr, reduction, axis, keepdims=keepdims, dtype=np.dtype(np.intp)))

    def moment(
        self, order: int, axis: Any = None, dtype: DTypeLike | None = None, *, ddof: float = 0, keepdims: bool = False
    ) -> Self:
        """Central moment along an axis, several, or all; see `restride.array.moment`."""
        return type(self)(red.moment(self.expr, order, axis, dtype, ddof=ddof, keepdims=keepdims))

    def cumsum(self, axis: int | None = None, dtype: DTypeLike | None = None) -> Self:
        """Running sum along an axis, or of the flattened array."""
        return type(self)(scans.scan(self.expr, scans.CUMSUM, axis, dtype))

    def cumprod(self, axis: int | None = None, dtype: DTypeLike | None = None) -> Self:
        """Running product along an axis, or of the flattened array."""
        return type(self)(scans.scan(self.expr, scans.CUMPROD, axis, dtype))

    def topk(self, k: int, axis: int = -1) -> Self:
        """The `k` largest elements along an axis; see `restride.array.topk`."""
        return type(self)(order.topk(self.expr, k, axis))

    def argtopk(self, k: int, axis: int = -1) -> Self:
        """Where the `k` largest elements along an axis are; see `restride.array.argtopk`."""
        return type(self)(order.argtopk(self.expr, k, axis))


def freedom(ddof: float, correction: float | None) -> float:
    """One of two names of the same number; ValueError where both are given."""
    if correction is None:
        return ddof
    if ddof != 0:
        raise ValueError("ddof and correction can't be provided simultaneously.")
    return correction
