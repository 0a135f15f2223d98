"""Methods of `Array` that work element by element: Python's operators and a few by name."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array.base import ArrayBase, operand
from restride.collections.array.operations import elementwise as ew

_KINDS_TO_SQUARE = {int: "biufc", float: "fc"}
"""Of which kinds of dtype ``x ** 2``, with a 2 of that type, is ``square(x)``."""


class Operators(ArrayBase):
    """Arithmetic, comparison and other elementwise work."""

    __hash__ = None  # type: ignore[assignment]  # == is elementwise

    @property
    def real(self) -> Self:
        """The real part."""
        return type(self)(ew.elementwise(np.real, self.expr))

    @property
    def imag(self) -> Self:
        """The imaginary part."""
        return type(self)(ew.elementwise(np.imag, self.expr))

    def astype(self, dtype: DTypeLike, *, casting: Any = "unsafe", copy: bool = True) -> Self:
        """The values as another dtype; TypeError where the rule `casting` forbids it. `copy` makes no difference."""
        new = np.dtype(dtype)
        if not np.can_cast(self.dtype, new, casting):
            raise TypeError(f"cannot cast an array from {self.dtype} to {new} according to the rule {casting!r}")
        return type(self)(ew.astype(self.expr, new))

    def conj(self) -> Self:
        """The complex conjugate, elementwise."""
        return type(self)(ew.elementwise(np.conjugate, self.expr))

    def clip(self, min: Any = None, max: Any = None) -> Self:  # noqa: A002  # numpy's names
        """The values, limited to an interval."""
        return type(self)(ew.elementwise(np.clip, self.expr, operand(min), operand(max)))

    def round(self, decimals: int = 0) -> Self:
        """The values, rounded to this many decimals."""
        return type(self)(ew.elementwise(np.round, self.expr, decimals=decimals))

    def __add__(self, other: Any) -> Self:
        return self._operator(np.add, self, other)

    def __radd__(self, other: Any) -> Self:
        return self._operator(np.add, other, self)

    def __sub__(self, other: Any) -> Self:
        return self._operator(np.subtract, self, other)

    def __rsub__(self, other: Any) -> Self:
        return self._operator(np.subtract, other, self)

    def __mul__(self, other: Any) -> Self:
        return self._operator(np.multiply, self, other)

    def __rmul__(self, other: Any) -> Self:
        return self._operator(np.multiply, other, self)

    def __truediv__(self, other: Any) -> Self:
        return self._operator(np.true_divide, self, other)

    def __rtruediv__(self, other: Any) -> Self:
        return self._operator(np.true_divide, other, self)

    def __floordiv__(self, other: Any) -> Self:
        return self._operator(np.floor_divide, self, other)

    def __rfloordiv__(self, other: Any) -> Self:
        return self._operator(np.floor_divide, other, self)

    def __mod__(self, other: Any) -> Self:
        return self._operator(np.remainder, self, other)

    def __rmod__(self, other: Any) -> Self:
        return self._operator(np.remainder, other, self)

    def __divmod__(self, other: Any) -> tuple[Self, Self]:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> tuple[Self, Self]:
        return other // self, other % self

    def __pow__(self, other: Any) -> Self:
        if type(other) in _KINDS_TO_SQUARE and other == 2 and self.dtype.kind in _KINDS_TO_SQUARE[type(other)]:
            return self._operator(np.square, self)  # many times as fast, and what numpy does, too
        return self._operator(np.power, self, other)

    def __rpow__(self, other: Any) -> Self:
        return self._operator(np.power, other, self)

    def __and__(self, other: Any) -> Self:
        return self._operator(np.bitwise_and, self, other)

    def __rand__(self, other: Any) -> Self:
        return self._operator(np.bitwise_and, other, self)

    def __or__(self, other: Any) -> Self:
        return self._operator(np.bitwise_or, self, other)

    def __ror__(self, other: Any) -> Self:
        return self._operator(np.bitwise_or, other, self)

    def __xor__(self, other: Any) -> Self:
        return self._operator(np.bitwise_xor, self, other)

    def __rxor__(self, other: Any) -> Self:
        return self._operator(np.bitwise_xor, other, self)

    def __lshift__(self, other: Any) -> Self:
        return self._operator(np.left_shift, self, other)

    def __rlshift__(self, other: Any) -> Self:
        return self._operator(np.left_shift, other, self)

    def __rshift__(self, other: Any) -> Self:
        return self._operator(np.right_shift, self, other)

    def __rrshift__(self, other: Any) -> Self:
        return self._operator(np.right_shift, other, self)

    def __eq__(self, other: Any) -> Self:  # type: ignore[override]
        return self._operator(np.equal, self, other)

    def __ne__(self, other: Any) -> Self:  # type: ignore[override]
        return self._operator(np.not_equal, self, other)

    def __lt__(self, other: Any) -> Self:
        return self._operator(np.less, self, other)

    def __le__(self, other: Any) -> Self:
        return self._operator(np.less_equal, self, other)

    def __gt__(self, other: Any) -> Self:
        return self._operator(np.greater, self, other)

    def __ge__(self, other: Any) -> Self:
        return self._operator(np.greater_equal, self, other)

    def __neg__(self) -> Self:
        return self._operator(np.negative, self)

    def __pos__(self) -> Self:
        return self._operator(np.positive, self)

    def __abs__(self) -> Self:
        return self._operator(np.absolute, self)

    def __invert__(self) -> Self:
        return self._operator(np.invert, self)

    def _operator(self, ufunc: np.ufunc, *operands: Any) -> Self:
        if all(isinstance(x, (ArrayBase, np.ndarray, np.generic, int, float, complex, list, tuple)) for x in operands):
            return type(self)(ew.elementwise(ufunc, *map(operand, operands)))
        return NotImplemented
