"""Methods of `Array` that give its elements another shape or order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array.base import ArrayBase
from restride.collections.array.operations import manipulation
from restride.collections.array.operations.map_overlap import map_overlap
from restride.collections.array.operations.repeat import repeat
from restride.collections.array.operations.reshape import reshape
from restride.collections.array.operations.view import view


class Manipulation(ArrayBase):
    """Shape and the order of axes."""

    @property
    def T(self) -> Self:  # noqa: N802  # numpy's name
        """The array with its axes in reverse order."""
        return self.transpose()

    def transpose(self, *axes: Any) -> Self:
        """The array with its axes in another order; in reverse by default."""
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else (axes or None)
        return type(self)(manipulation.transpose(self.expr, order))

    def swapaxes(self, axis1: int, axis2: int) -> Self:
        """The array with two axes exchanged."""
        order = list(range(self.ndim))
        a, b = (np.lib.array_utils.normalize_axis_index(axis, self.ndim) for axis in (axis1, axis2))
        order[a], order[b] = order[b], order[a]
        return type(self)(manipulation.transpose(self.expr, order))

    def reshape(self, *shape: Any, order: str = "C") -> Self:
        """The same elements, in C order (or in F order on both sides), in another shape.

        Where the chunks do not allow it, the array is rechunked first, to chunks of about the size they have.

        Raises
        ------
        ValueError
            The shape has another number of elements.
        """
        wanted = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        if order == "F":
            backwards = wanted[::-1] if isinstance(wanted, Sequence) else wanted
            return type(self)(manipulation.transpose(reshape(manipulation.transpose(self.expr), backwards)))
        if order not in ("C", "A"):
            raise ValueError(f"order must be one of 'C', 'F' and 'A', got {order!r}")
        return type(self)(reshape(self.expr, wanted))

    def ravel(self, order: str = "C") -> Self:
        """All elements in C or F order along one axis."""
        return self.reshape(-1, order=order)

    flatten = ravel

    def squeeze(self, axis: Any = None) -> Self:
        """The array without axes of length 1: all such, or those given."""
        return type(self)(manipulation.squeeze(self.expr, axis))

    def repeat(self, repeats: Any, axis: int | None = None) -> Self:
        """Each element repeated, along an axis or of the flattened array; see `restride.array.repeat`."""
        return self.ravel().repeat(repeats, 0) if axis is None else type(self)(repeat(self.expr, repeats, axis))

    def copy(self) -> Self:
        """An array of the same values, of which changing one leaves the other as it is."""
        return type(self)(self.expr)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self.copy()

    def view(self, dtype: DTypeLike) -> Self:
        """The bytes of the elements, taken for another dtype.

        Raises
        ------
        ValueError
            The blocks along the last axis are no whole number of the new elements.
        """
        return type(self)(view(self.expr, np.dtype(dtype)))

    def map_overlap(
        self,
        func: Callable[..., Any],
        depth: Any = None,
        boundary: Any = None,
        *args: Any,
        trim: bool = True,
        dtype: DTypeLike | None = None,
        chunks: Any = None,
        drop_axis: Any = (),
        new_axis: Any = (),
        **kwargs: Any,
    ) -> Self:
        """Apply a function to blocks that see some of their neighbours' elements; see `restride.array.map_overlap`."""
        exprs = [arg.expr if isinstance(arg, ArrayBase) else arg for arg in (self, *args)]
        return type(self)(
            map_overlap(
                func, *exprs, depth=depth, boundary=boundary, trim=trim, dtype=dtype, chunks=chunks,
                drop_axis=drop_axis, new_axis=new_axis, kwargs=kwargs,
            )
        )  # fmt: skip
