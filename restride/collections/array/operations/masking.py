"""Which functions of blocks know masks: nodes of others refuse masked arrays, so that no mask is ever lost unseen.

Ufuncs know them, functions of `numpy.ma`, and a user's functions, which get masked blocks and are believed. Of numpy's
other functions most lose masks, without a word: those that do not are listed. Kernels of ours say so themselves.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])

NUMPYS = frozenset(
    {
        np.all, np.any, np.argmax, np.argmin, np.argsort, np.clip, np.cumprod, np.cumsum, np.imag, np.max, np.mean,
        np.min, np.prod, np.real, np.repeat, np.round, np.sort, np.std, np.sum, np.transpose, np.var,
    }
)  # fmt: skip
"""Those that are methods of masked arrays."""


def knows_masks(kernel: F) -> F:
    """Mark a kernel, a function or a class of such, that does with masked blocks what `numpy.ma` does."""
    kernel.knows_masks = True  # type: ignore[attr-defined]
    return kernel


def of_data_and_mask(kernel: F) -> F:
    """A kernel that only moves elements, made to know masks: what it does to data it does to their masks."""

    @functools.wraps(kernel)
    def moving(*args: Any) -> Any:
        if not any(isinstance(arg, np.ma.MaskedArray) for arg in args):
            return kernel(*args)
        data = kernel(*(np.ma.getdata(arg) if isinstance(arg, np.ndarray) else arg for arg in args))
        mask = kernel(*(np.ma.getmaskarray(arg) if isinstance(arg, np.ndarray) else arg for arg in args))
        fill_value = next(arg.fill_value for arg in args if isinstance(arg, np.ma.MaskedArray))
        return np.ma.MaskedArray(data, mask, fill_value=fill_value)

    return knows_masks(moving)  # type: ignore[return-value]


def are_masks_known(kernel: Callable[..., Any]) -> bool:
    """Whether a function does with masked blocks what `numpy.ma` does, as far as it is for us to say."""
    while isinstance(kernel, functools.partial):
        kernel = kernel.func
    if isinstance(kernel, np.ufunc):
        return True
    module = getattr(kernel, "__module__", None) or ""
    if module == "numpy.ma" or module.startswith("numpy.ma."):
        return True
    if module.partition(".")[0] == "numpy":
        return kernel in NUMPYS
    return module.partition(".")[0] != "restride" or bool(getattr(kernel, "knows_masks", False))


def concatenate_blocks(blocks: Sequence[Any], axis: int) -> Any:
    """Blocks one after another, with their masks if any has one."""
    masked = any(isinstance(block, np.ma.MaskedArray) for block in blocks)
    return (np.ma.concatenate if masked else np.concatenate)(blocks, axis)
