"""What an array is, apart from what can be done with it: the ground that the methods of `Array` stand on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array.chunks import Chunks, Shape, normalize_chunks
from restride.collections.array.expr import ArrayExpr
from restride.collections.array.html import html_table
from restride.collections.array.operations import masked, sources
from restride.collections.array.operations.elementwise import astype
from restride.collections.collection import Collection


class ArrayBase(Collection):
    """An array expression and its properties; the base of the families of methods, which return their own type."""

    def __init__(self, expr: ArrayExpr) -> None:
        self.expr: ArrayExpr = expr

    @property
    def dtype(self) -> np.dtype:
        """Type of the elements."""
        return self.expr.dtype

    @property
    def shape(self) -> Shape:
        """Length along each axis."""
        return self.expr.shape

    @property
    def chunks(self) -> Chunks:
        """For each axis the lengths of its blocks."""
        return self.expr.chunks

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return self.expr.ndim

    @property
    def size(self) -> int:
        """How many elements there are."""
        return self.expr.size

    @property
    def itemsize(self) -> int:
        """Bytes of an element."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements, once computed."""
        return self.size * self.itemsize

    @property
    def chunksize(self) -> Shape:
        """The longest block along each axis."""
        return tuple(map(max, self.chunks))

    @property
    def numblocks(self) -> Shape:
        """How many blocks there are along each axis."""
        return self.expr.grid

    @property
    def npartitions(self) -> int:
        """How many blocks there are."""
        return self.expr.n_blocks

    @property
    def name(self) -> str:
        """Deterministic name of the expression: arrays of one name have the same values."""
        return self.expr.name

    def __repr__(self) -> str:
        blocks = "1 chunk" if self.npartitions == 1 else f"{self.npartitions} chunks"
        return f"<Array: shape {self.shape}, {self.dtype}, {blocks} of {self.chunksize}>"

    def _repr_html_(self) -> str:
        return html_table(self.shape, self.chunks, self.dtype)


def as_expr(x: Any, dtype: DTypeLike | None = None, chunks: Any = "auto") -> ArrayExpr:
    """The expression of an array, or one for anything that numpy makes an array of."""
    if isinstance(x, ArrayBase):
        return x.expr if dtype is None else astype(x.expr, np.dtype(dtype))
    if isinstance(x, np.ma.MaskedArray):
        data, mask = as_expr(x.data, dtype, chunks), as_expr(np.ma.getmaskarray(x), chunks=chunks)
        return masked.masked_array(data, mask, None if x is np.ma.masked else x.fill_value)
    values = np.asarray(x, dtype)
    return sources.from_object(values, normalize_chunks(chunks, values.shape, values.itemsize))


def operand(x: Any) -> Any:
    """An argument as an expression, or itself where it is a scalar, which takes part in promotion as one."""
    if x is None or isinstance(x, (bool, int, float, complex, str, bytes, np.generic)):
        return x
    return as_expr(x)
