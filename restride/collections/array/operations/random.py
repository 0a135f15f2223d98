"""Random numbers: a source whose blocks each draw from a stream of their own."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from restride.collections.array.chunks import Shape, block_shapes, normalize_chunks
from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations.sources import Source
from restride.engine.graphs.graph import Params


@dataclass(frozen=True, eq=False, repr=False)
class RandomDraws(Source):
    """One call of a method of numpy's `Generator`, block by block."""

    method: str
    kwargs: tuple[tuple[str, Any], ...]
    entropy: Any
    """Of the seed: an int, or several."""
    spawn_key: tuple[int, ...]
    """Of the seed, and after it the number of the call."""
    out_dtype: np.dtype

    @property
    def label(self) -> str:
        return self.method

    def _dtype(self) -> np.dtype:
        return self.out_dtype

    def kernel(self) -> Callable[[Any], Any]:
        return DrawBlock(self.method, dict(self.kwargs), self.entropy, self.spawn_key)

    def params(self) -> Params:
        return np.column_stack([block_shapes(self.chunks), np.arange(self.n_blocks)])


class DrawBlock:
    """Kernel: random numbers, given the shape of the block and its number, which chooses the stream."""

    def __init__(self, method: str, kwargs: dict[str, Any], entropy: Any, spawn_key: tuple[int, ...]) -> None:
        self.__name__ = method
        self.kwargs = kwargs
        self.entropy = entropy
        self.spawn_key = spawn_key

    def __call__(self, param: list[int]) -> Any:
        *shape, number = param
        stream = np.random.SeedSequence(self.entropy, spawn_key=(*self.spawn_key, number))
        return getattr(_generator(stream), self.__name__)(size=tuple(shape), **self.kwargs)


def draws(
    method: str, shape: Shape, chunks: Any, kwargs: dict[str, Any], entropy: Any, spawn_key: tuple[int, ...]
) -> ArrayExpr:
    """One call of a method of numpy's `Generator`.

    Parameters
    ----------
    method : str
    shape : tuple of int
    chunks : int, str, tuple or dict
    kwargs : dict
        The method's arguments, but for `size`.
    entropy : int or sequence of int
    spawn_key : tuple of int
        Different for each call.

    Raises
    ------
    ValueError, TypeError
        What numpy raises for such arguments.
    """
    trial = min(math.prod(shape), 1)  # numpy checks some arguments only where it draws
    dtype = getattr(_generator(np.random.SeedSequence(0)), method)(size=trial, **kwargs).dtype
    return RandomDraws(
        normalize_chunks(chunks, shape, dtype.itemsize),
        method,
        tuple(sorted(kwargs.items())),
        entropy,
        spawn_key,
        dtype,
    )


def _generator(stream: np.random.SeedSequence) -> np.random.Generator:
    # SFC64 draws at twice the speed of PCG64, and takes as long to make (17 µs, half of it the SeedSequence).
    return np.random.Generator(np.random.SFC64(stream))
