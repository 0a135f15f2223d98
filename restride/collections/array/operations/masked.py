"""Masked arrays: blocks that are those of `numpy.ma`.

`ArrayExpr.masked` says that blocks are, or may be, masked arrays. Most operations need not know: ufuncs, slices and
reshapes of masked blocks are masked blocks. What makes blocks masked, or plain again, is one of the two nodes here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations.elementwise import Elementwise, unified


@dataclass(frozen=True, eq=False, repr=False)
class ToMasked(Elementwise):
    """A function, elementwise, whose results are masked arrays."""

    def _masked(self) -> bool:
        return True


@dataclass(frozen=True, eq=False, repr=False)
class ToPlain(Elementwise):
    """A function, elementwise, that makes plain arrays of masked ones."""

    def _masked(self) -> bool:
        return False


def to_masked(func: Callable[..., Any], *args: Any, dtype: np.dtype, **kwargs: Any) -> ArrayExpr:
    """Blocks masked by a function of `numpy.ma`, or one like it."""
    return ToMasked(func, unified(args), tuple(sorted(kwargs.items())), dtype)


def to_plain(func: Callable[..., Any], *args: Any, dtype: np.dtype, **kwargs: Any) -> ArrayExpr:
    """Plain blocks, made of masked ones by a function."""
    return ToPlain(func, unified(args), tuple(sorted(kwargs.items())), dtype)


def masked_array(data: ArrayExpr, mask: Any = False, fill_value: Any = None) -> ArrayExpr:
    """Data with a mask that broadcasts to it; what is masked in the data already stays so."""
    return to_masked(mask_block, data, mask, dtype=data.dtype, fill_value=fill_value)


def mask_block(data: Any, mask: Any, *, fill_value: Any) -> Any:
    """Kernel: a masked block."""
    mask = np.broadcast_to(mask, np.shape(data)) | np.ma.getmaskarray(data)
    return np.ma.MaskedArray(np.ma.getdata(data), mask, fill_value=fill_value)


def fill_block(block: Any, *, fill_value: Any) -> Any:
    """Kernel: a plain block, with a value where it was masked."""
    return np.ma.filled(block, fill_value)


def constant_block(block: Any, *, value: Any) -> Any:
    """Kernel: one value in the shape of a block."""
    return np.full(np.shape(block), value, value.dtype)


def refill_block(block: Any, *, fill_value: Any) -> Any:
    """Kernel: a masked block with another value to fill it with some time."""
    return np.ma.MaskedArray(block, fill_value=fill_value)
