"""Every block of one array with every block of another that lies flat: a function of both, for each pair.

What that is good for is mostly a sum or a disjunction over the other's blocks: `searchsorted` counts, `isin` finds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from restride.collections.array.chunks import Chunks
from restride.collections.array.expr import ArrayExpr
from restride.collections.blocks import Blocks, Map


@dataclass(frozen=True, eq=False, repr=False)
class Pairs(ArrayExpr):
    """``func(block, other)[..., None]``: the array's axes, and last an axis with an element for each of the others."""

    func: Callable[..., Any]
    array: ArrayExpr
    other: ArrayExpr
    """1-d."""
    out_dtype: np.dtype

    @property
    def label(self) -> str:
        return self.func.__name__

    def _dtype(self) -> np.dtype:
        return self.out_dtype

    def _chunks(self) -> Chunks:
        return (*self.array.chunks, (1,) * self.other.n_blocks)

    def blocks(self, *children: Blocks) -> Blocks:
        n, others = math.prod(self.array.grid), self.other.n_blocks
        return Map(
            n=n * others,
            inputs=children,
            kernel=OnLastAxis(self.func),
            index=(np.repeat(np.arange(n), others), np.tile(np.arange(others), n)),
            name=self.label,
            origin=self.origin,
        )


class OnLastAxis:
    """Kernel: a function whose result gets an axis of length 1 at the end."""

    def __init__(self, func: Callable[..., Any]) -> None:
        self.__name__ = func.__name__
        self.func = func

    def __call__(self, block: Any, other: Any) -> Any:
        return np.asarray(self.func(block, other))[..., None]


class Isin:
    """Kernel: `numpy.isin`."""

    __name__ = "isin"

    def __call__(self, block: Any, tests: Any) -> Any:
        return np.isin(block, tests)


class Searchsorted:
    """Kernel: `numpy.searchsorted`, of a block of values in a block of what is sorted."""

    __name__ = "searchsorted"

    def __init__(self, side: str) -> None:
        self.side = side

    def __call__(self, block: Any, ordered: Any) -> Any:
        return np.searchsorted(ordered, block, side=self.side)  # type: ignore[call-overload]


class Digitize:
    """Kernel: `numpy.digitize`."""

    __name__ = "digitize"

    def __init__(self, right: bool) -> None:
        self.right = right

    def __call__(self, block: Any, bins: Any) -> Any:
        return np.digitize(block, bins, self.right)
