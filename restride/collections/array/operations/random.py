"""Random numbers: a source whose blocks each draw from a stream of their own."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from restride.collections.array.chunks import (
    Chunks,
    Shape,
    block_shapes,
    broadcast_index,
    broadcast_shapes,
    normalize_chunks,
)
from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations.elementwise import stretching
from restride.collections.array.operations.rechunk import rechunk
from restride.collections.array.operations.sources import Source, from_object
from restride.collections.blocks import Blocks, Map
from restride.engine.graphs.graph import Params
from restride.errors import ChunkError


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
    core: int
    """How many axes at the end are those of one draw."""

    @property
    def label(self) -> str:
        return self.method

    def _dtype(self) -> np.dtype:
        return self.out_dtype

    def kernel(self) -> Callable[[Any], Any]:
        return DrawBlock(self.method, dict(self.kwargs), self.entropy, self.spawn_key, self.core)

    def params(self) -> Params:
        return np.column_stack([block_shapes(self.chunks), np.arange(self.n_blocks)])


@dataclass(frozen=True, eq=False, repr=False)
class RandomDrawsOf(ArrayExpr):
    """One call of a method of numpy's `Generator`, some of whose parameters are arrays."""

    method: str
    kwargs: tuple[tuple[str, Any], ...]
    names: tuple[str, ...]
    arrays: tuple[ArrayExpr, ...]
    """The parameters of these names, along chunks that broadcast to those of the result."""
    entropy: Any
    spawn_key: tuple[int, ...]
    out_chunks: Chunks
    out_dtype: np.dtype
    core: int

    @property
    def label(self) -> str:
        return self.method

    def _dtype(self) -> np.dtype:
        return self.out_dtype

    def _chunks(self) -> Chunks:
        return self.out_chunks

    def blocks(self, *children: Blocks) -> Blocks:
        grid = self.grid[: self.ndim - self.core]
        return Map(
            n=self.n_blocks,
            inputs=children,
            kernel=DrawBlock(self.method, dict(self.kwargs), self.entropy, self.spawn_key, self.core, self.names),
            index=tuple(broadcast_index(grid, array.grid) for array in self.arrays),
            params=np.column_stack([block_shapes(self.chunks), np.arange(self.n_blocks)]),
            name=self.label,
            origin=self.origin,
        )


class DrawBlock:
    """Kernel: random numbers, given the shape of the block and its number, which chooses the stream."""

    def __init__(
        self,
        method: str,
        kwargs: dict[str, Any],
        entropy: Any,
        spawn_key: tuple[int, ...],
        core: int = 0,
        names: Sequence[str] = (),
    ) -> None:
        self.__name__ = method
        self.kwargs = kwargs
        self.entropy = entropy
        self.spawn_key = spawn_key
        self.core = core
        """How many axes at the end are those of one draw."""
        self.names = tuple(names)
        """Of the parameters that come as blocks."""

    def __call__(self, param: list[int], *blocks: Any) -> Any:
        *shape, number = param
        stream = np.random.SeedSequence(self.entropy, spawn_key=(*self.spawn_key, number))
        size = tuple(shape[: len(shape) - self.core])
        return getattr(generator_of(stream), self.__name__)(size=size, **self.kwargs, **dict(zip(self.names, blocks)))


def draws(
    method: str,
    shape: Shape | None,
    chunks: Any,
    kwargs: dict[str, Any],
    entropy: Any,
    spawn_key: tuple[int, ...],
    *,
    core: Shape = (),
    literals: Sequence[str] = (),
) -> ArrayExpr:
    """One call of a method of numpy's `Generator`.

    Parameters
    ----------
    method : str
    shape : tuple of int or None
        Without the axes of `core`; that which parameters broadcast to if None.
    chunks : int, str, tuple or dict
    kwargs : dict
        The method's arguments, but for `size`; parameters may be expressions and numpy arrays.
    entropy : int or sequence of int
    spawn_key : tuple of int
        Different for each call.
    core : tuple of int
        Shape of one draw.
    literals : sequence of str
        Arguments that are no parameters of each draw, even where they are arrays.

    Raises
    ------
    ValueError, TypeError
        What numpy raises for such arguments.
    """
    arrays = {
        name: value if isinstance(value, ArrayExpr) else from_object(np.asarray(value), _whole(np.shape(value)))
        for name, value in kwargs.items()
        if name not in literals and (isinstance(value, ArrayExpr) or np.ndim(value))
    }
    fixed = {name: value for name, value in kwargs.items() if name not in arrays}
    together = broadcast_shapes(*(array.shape for array in arrays.values())) if arrays else ()
    if shape is None:
        shape = together
    elif arrays and broadcast_shapes(together, shape) != shape:
        raise ValueError(f"Output size {shape} is not compatible with broadcast dimensions of inputs {together}.")
    dtype = _dtype_of(method, kwargs, shape, together)
    like = next((array for array in arrays.values() if array.shape == shape), None)
    if like is not None and isinstance(chunks, str) and chunks == "auto" and not core:
        settled = like.chunks
    else:
        settled = normalize_chunks(chunks, shape + core, dtype.itemsize)
    if any(len(lengths) > 1 for lengths in settled[len(shape) :]):
        raise ChunkError(f"the last {len(core)} axes of {method} are those of one draw, and must be in one block")
    items = tuple(sorted(fixed.items()))
    if not arrays:
        return RandomDraws(settled, method, items, entropy, spawn_key, dtype, len(core))
    parameters = [rechunk(array, stretching(settled[: len(shape)], array.shape)) for array in arrays.values()]
    return RandomDrawsOf(method, items, tuple(arrays), tuple(parameters), entropy, spawn_key, settled, dtype, len(core))


def generator_of(stream: np.random.SeedSequence) -> np.random.Generator:
    """The generator of a stream."""
    # SFC64 draws at twice the speed of PCG64, and takes as long to make (17 µs, half of it the SeedSequence).
    return np.random.Generator(np.random.SFC64(stream))


TRIAL = 10_000
"""Elements up to which parameters are tried out at the call."""


def _dtype_of(method: str, kwargs: dict[str, Any], shape: Shape, together: Shape) -> np.dtype:
    """The dtype of draws, found by a trial with the parameters that numpy then checks."""
    if math.prod(together) > TRIAL or any(isinstance(value, ArrayExpr) for value in kwargs.values()):
        return np.dtype(kwargs.get("dtype", np.int64 if method in COUNTS else np.float64))
    size = together or (int(0 not in shape),)  # numpy checks some arguments only where it draws
    drawn: np.ndarray = getattr(generator_of(np.random.SeedSequence(0)), method)(size=size, **kwargs)
    return drawn.dtype


COUNTS = frozenset(
    {
        "binomial", "geometric", "hypergeometric", "integers", "logseries", "multinomial",
        "multivariate_hypergeometric", "negative_binomial",
        "poisson", "zipf",
    }
)  # fmt: skip
"""The distributions of integers."""


def _whole(shape: Shape) -> Chunks:
    return tuple((length,) for length in shape)
