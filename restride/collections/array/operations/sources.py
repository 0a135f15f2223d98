"""Sources: arrays that are made of nothing, or read from an object outside."""

from __future__ import annotations

import math
import threading
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar
from weakref import WeakValueDictionary

import numpy as np

from restride.collections.array.chunks import Chunks, Shape, block_bounds, block_shapes, starts_of
from restride.collections.array.expr import ArrayExpr, Box, Persisted, block_numbers, chunks_in
from restride.collections.array.operations.cuts import WHOLE, Cuts, span, spanning, within
from restride.collections.array.operations.file_variable import file_variable
from restride.collections.array.operations.slicing import cut_array
from restride.collections.blocks import Blocks, Map, take_params
from restride.collections.expression import LITERAL_LIMIT, Expr, Send, goes_apart
from restride.engine.graphs.graph import Params


@dataclass(frozen=True, eq=False, repr=False)
class Source(ArrayExpr):
    """Base of sources: block ``i`` is ``kernel()(params()[i])``."""

    source_chunks: Chunks

    def _chunks(self) -> Chunks:
        return self.source_chunks

    @property
    def is_free(self) -> bool:
        """Whether a block costs next to nothing, so that each task that uses it may make its own, along any chunks."""
        return False

    def kernel(self) -> Callable[[Any], Any]:
        raise NotImplementedError(type(self).__name__)

    def params(self) -> Params:
        raise NotImplementedError(type(self).__name__)

    def part(self, starts: Shape, chunks: Chunks) -> ArrayExpr | None:
        """The part of the array that begins there, in these chunks; None where parts cannot be made on their own."""
        return None

    def blocks(self, *children: Blocks) -> Blocks:
        return Map(
            n=self.n_blocks,
            kernel=self.kernel(),
            params=self.params(),
            free=self.is_free,
            name=self.label,
            origin=self.origin,
        )

    def sliced(self, cuts: Cuts) -> ArrayExpr | None:
        """The box that has all of the cut, made as it is, and the rest of the cutting done in memory."""
        box = tuple(spanning([cut], length) for cut, length in zip(cuts, self.shape))
        if all(side == WHOLE for side in box):
            return None
        starts = tuple(span(side, length)[0] for side, length in zip(box, self.shape))
        part = self.part(starts, cut_array(self, box).chunks)
        if part is None:
            return None
        return cut_array(part, tuple(within(cut, side, n) for cut, side, n in zip(cuts, box, self.shape)))


@dataclass(frozen=True, eq=False, repr=False)
class BlockSource(Source):
    """Blocks made by any function of a parameter; see `block_source`."""

    source_dtype: np.dtype
    function: Callable[[Any], Any]
    column: Params
    word: str

    def _dtype(self) -> np.dtype:
        return self.source_dtype

    @property
    def label(self) -> str:
        return self.word

    def kernel(self) -> Callable[[Any], Any]:
        return self.function

    def params(self) -> Params:
        return self.column

    def sent(self, send: Send) -> Expr:
        if self.function is not _as_it_is or not goes_apart(self.nbytes, self.n_blocks):
            return self
        return Persisted(send(list(self.column)), self.chunks, self.dtype)

    def of_blocks(self, box: Box) -> ArrayExpr:
        column = take_params(self.column, block_numbers(self.grid, box))
        return self.replace(source_chunks=chunks_in(self.chunks, box), column=column)


@dataclass(frozen=True, eq=False, repr=False)
class Full(Source):
    """One value everywhere."""

    value: np.ndarray
    """0-d, of the dtype."""

    def _dtype(self) -> np.dtype:
        return self.value.dtype

    @property
    def is_free(self) -> bool:
        return True

    def kernel(self) -> Callable[[Any], Any]:
        return FillBlock(self.value)

    def params(self) -> Params:
        return block_shapes(self.chunks)

    def sliced(self, cuts: Cuts) -> ArrayExpr:
        return self.replace(source_chunks=cut_array(self, cuts).chunks)


@dataclass(frozen=True, eq=False, repr=False)
class Arange(Source):
    """``start + step * i``, for `i` from `first` on."""

    start: Any
    step: Any
    source_dtype: np.dtype
    first: int = 0

    def _dtype(self) -> np.dtype:
        return self.source_dtype

    @property
    def is_free(self) -> bool:
        return True

    def kernel(self) -> Callable[[Any], Any]:
        return ArangeBlock(self.start, self.step, self.dtype)

    def params(self) -> Params:
        starts = self.first + starts_of(self.chunks[0])
        return np.stack([starts[:-1], starts[1:]], axis=1)

    def part(self, starts: Shape, chunks: Chunks) -> ArrayExpr:
        return self.replace(first=self.first + starts[0], source_chunks=chunks)


@dataclass(frozen=True, eq=False, repr=False)
class FromArray(Source):
    """Slices of an object that has a shape and a dtype and can be sliced."""

    source: Any
    place: str | None = None
    """What people call the place it is at."""
    word: str = "fromarray"
    unit: Shape | None = None
    """The shape of what is read as a whole, where that is known: chunks of a store."""
    lock: AbstractContextManager[Any] | None = None
    """Held while the object is sliced."""
    first: Shape = ()
    """The element of the object where the array begins; () for its first."""

    def _dtype(self) -> np.dtype:
        return np.dtype(self.source.dtype)

    @property
    def label(self) -> str:
        return self.word

    @property
    def detail(self) -> str:
        return f" {self.place}" if self.place else ""

    @property
    def bytes_read(self) -> int:
        return self.nbytes

    @property
    def is_free(self) -> bool:
        return type(self.source) is np.ndarray

    def kernel(self) -> Callable[[Any], Any]:
        return SliceBlock(self.source, self.word, self.place, self.lock)

    def params(self) -> Params:
        bounds = block_bounds(self.chunks)
        return bounds + np.repeat(self.first, 2) if any(self.first) else bounds

    def part(self, starts: Shape, chunks: Chunks) -> ArrayExpr:
        first = tuple(map(sum, zip(self.first or (0,) * self.ndim, starts)))
        return self.replace(source_chunks=chunks, first=first)

    def along(self, chunks: Chunks) -> ArrayExpr | None:
        """The same in other blocks, if no part of the object is read for two of them."""
        if self.unit is None or math.prod(map(len, chunks)) < min(self.n_blocks, FEW_BLOCKS):
            return None
        for lengths, first, unit in zip(chunks, self.first or (0,) * self.ndim, self.unit):
            if ((first + starts_of(lengths)[1:-1]) % unit).any():
                return None
        return self.replace(source_chunks=chunks)

    def shipped(self) -> Expr:
        if type(self.source) is not np.ndarray or self.source.nbytes <= LITERAL_LIMIT:
            elsewhere = file_variable(self.source)
            return self if elsewhere is None else self.replace(source=elsewhere)
        block = SliceBlock(self.source)
        blocks = [block(bounds) for bounds in np.asarray(self.params()).tolist()]
        return BlockSource(self.chunks, self.dtype, _as_it_is, blocks, self.label)


FEW_BLOCKS = 32
"""Blocks that are enough for all threads to have something to read."""


def _as_it_is(block: Any) -> Any:
    """Kernel: a block that has come along as the task's parameter."""
    return block


class FillBlock:
    """Kernel: a block of one value, given its shape."""

    __name__ = "full"

    def __init__(self, value: np.ndarray) -> None:
        self.value = value

    def __call__(self, shape: list[int]) -> Any:
        return np.full(shape, self.value, self.value.dtype)


class ArangeBlock:
    """Kernel: a run of an arithmetic progression, given its first and last number."""

    __name__ = "arange"

    def __init__(self, start: Any, step: Any, dtype: np.dtype) -> None:
        self.start, self.step, self.dtype = start, step, dtype

    def __call__(self, bounds: list[int]) -> Any:
        return (self.start + np.arange(*bounds) * self.step).astype(self.dtype, copy=False)


class SliceBlock:
    """Kernel: a block of an object that can be sliced, given start and stop along each axis; errors tell the place."""

    def __init__(
        self,
        source: Any,
        name: str = "fromarray",
        place: str | None = None,
        lock: AbstractContextManager[Any] | None = None,
    ) -> None:
        self.__name__ = name
        self.source = source
        self.place = place
        self.lock = lock

    def __call__(self, bounds: list[int]) -> Any:
        where = tuple(map(slice, bounds[::2], bounds[1::2]))
        try:
            with self.lock or nullcontext():
                block = self.source[where]
            if not isinstance(block, np.ma.MaskedArray):
                block = np.asarray(block)
            shape = tuple(cut.stop - cut.start for cut in where)
            if block.shape != shape:
                raise ValueError(f"asked for elements of shape {shape}, it gave {block.shape}")
        except Exception as error:
            error.add_note(f"while reading {span_text(where)} of {self.place or type(self.source).__name__}")
            raise
        return block


def span_text(where: tuple[slice, ...]) -> str:
    """Slices as people write them: ``[0:5, 10:20]``."""
    return "[" + ", ".join(f"{cut.start}:{cut.stop}" for cut in where) + "]"


class ProcessLock:
    """A lock that can travel: all copies that a process has of it are one lock there."""

    _known: ClassVar[WeakValueDictionary[str, Any]] = WeakValueDictionary()

    def __init__(self, name: str | None = None) -> None:
        self.name = name or uuid.uuid4().hex
        self._lock = self._known.setdefault(self.name, threading.RLock())

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *error: object) -> None:
        self._lock.release()

    def __reduce__(self) -> tuple[Any, ...]:
        return ProcessLock, (self.name,)


def full(shape_chunks: Chunks, value: Any, dtype: np.dtype) -> ArrayExpr:
    """One value everywhere."""
    return Full(shape_chunks, np.asarray(value, dtype).reshape(()))


def from_object(
    source: Any,
    chunks: Chunks,
    *,
    place: str | None = None,
    word: str = "fromarray",
    unit: Shape | None = None,
    lock: AbstractContextManager[Any] | None = None,
) -> ArrayExpr:
    """Slices of an array-like object; see `FromArray`. Small numpy arrays are copied, to stay what they are now."""
    if type(source) is np.ndarray and source.nbytes <= LITERAL_LIMIT:
        source = source.copy()
        source.flags.writeable = False
    return FromArray(chunks, source, place, word, unit, lock)


def block_source(
    function: Callable[[Any], Any], params: Params, chunks: Chunks, dtype: np.dtype, *, name: str
) -> ArrayExpr:
    """Blocks made by a function: block ``i`` (in C order) is ``function(params[i])``.

    The rows of an ndarray of `params` are handed over as lists of Python numbers.
    """
    n = math.prod(map(len, chunks))
    if len(params) != n:
        raise ValueError(f"source {name!r} of {n} blocks needs {n} params, got {len(params)}")
    return BlockSource(chunks, dtype, function, params, name)
