"""Writing arrays: first what prepares the target, then a task a block, then what makes the whole appear at once."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from restride.collections.array.chunks import block_bounds, normalize_chunks, starts_of
from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations.rechunk import rechunk
from restride.collections.blocks import Blocks, Gather, Map, every
from restride.collections.expression import Expr
from restride.errors import ChunkError


class Sink(Protocol):
    """Where blocks go. It travels to the workers, so it holds names and settings, and nothing that is open."""

    @property
    def path(self) -> str:
        """What people call the place."""

    def begin(self) -> Any:
        """Prepare the target; what is returned is handed to each `write`."""

    def write(self, target: Any, number: int, where: tuple[slice, ...], block: Any) -> None:
        """Write one block, given its number and its place in the array."""

    def finish(self) -> None:
        """All blocks are written: make them appear."""

    def discard(self) -> None:
        """The computation has failed: delete what was begun, where that can be done."""


@dataclass(frozen=True, eq=False, repr=False)
class Write(Expr):
    """Blocks of an array into a sink; of one block itself, None, made when the array is there."""

    array: ArrayExpr
    sink: Sink

    def identity(self) -> Iterable[Any]:
        """One thing that is like no other: what is done twice is not done once."""
        return [object()]

    def blocks(self, *children: Blocks) -> Blocks:
        n = self.array.n_blocks
        begun = Map(n=1, kernel=Begin(self.sink), name="begin", origin=self.origin)
        written = Map(
            n=n,
            inputs=(begun, *children),
            kernel=WriteBlock(self.sink),
            index=(np.zeros(n, np.int64), every(n)),
            params=np.column_stack([np.arange(n), block_bounds(self.array.chunks)]),
            name="write",
            origin=self.origin,
        )
        return Gather(
            n=1,
            inputs=(written,),
            kernel=Finish(self.sink),
            indptr=np.array([0, n]),
            indices=np.arange(n),
            name="finish",
            origin=self.origin,
        )


class Begin:
    """Kernel: prepare the target."""

    __name__ = "begin"

    def __init__(self, sink: Sink) -> None:
        self.sink = sink

    def __call__(self) -> Any:
        try:
            return self.sink.begin()
        except Exception as error:
            error.add_note(f"while preparing to write {self.sink.path}")
            raise


class WriteBlock:
    """Kernel: write a block, given its number, and start and stop along each axis."""

    __name__ = "write"

    def __init__(self, sink: Sink) -> None:
        self.sink = sink

    def __call__(self, param: list[int], target: Any, block: Any) -> None:
        where = tuple(map(slice, param[1::2], param[2::2]))
        try:
            self.sink.write(target, param[0], where, block)
        except Exception as error:
            error.add_note(f"while writing {span_text(where)} of {self.sink.path}")
            raise


class Finish:
    """Kernel: after all blocks are written."""

    __name__ = "finish"

    def __init__(self, sink: Sink) -> None:
        self.sink = sink

    def __call__(self, *_written: None) -> None:
        self.sink.finish()


class ReadBlock:
    """Kernel: a block of an object that can be sliced, given start and stop along each axis; errors tell the path."""

    def __init__(self, source: Any, path: str, name: str) -> None:
        self.__name__ = name
        self.source = source
        self.path = path

    def __call__(self, bounds: list[int]) -> np.ndarray:
        where = tuple(map(slice, bounds[::2], bounds[1::2]))
        try:
            return np.asarray(self.source[where])
        except Exception as error:
            error.add_note(f"while reading {span_text(where)} of {self.path}")
            raise


def span_text(where: tuple[slice, ...]) -> str:
    """Slices as people write them: ``[0:5, 10:20]``."""
    return "[" + ", ".join(f"{cut.start}:{cut.stop}" for cut in where) + "]"


def unit_of(x: ArrayExpr, chunks: Sequence[int] | None) -> tuple[int, ...]:
    """The shape of the chunks of a store, where all have one: as asked for, or of the longest blocks there are."""
    if chunks is None:
        return tuple(max(*lengths, 1) for lengths in x.chunks)
    unit = tuple(map(operator.index, chunks))
    if len(unit) != x.ndim or min(unit, default=1) < 1:
        raise ChunkError(f"the chunks of a store are one positive length for each of {x.ndim} axes, got {chunks}")
    return unit


def aligned(x: ArrayExpr, unit: tuple[int, ...]) -> ArrayExpr:
    """The array in blocks that begin at multiples of a unit, so that no two write to one chunk of a store."""
    starts = [starts_of(lengths)[:-1] for lengths in x.chunks]
    if not any((start % size).any() for start, size in zip(starts, unit)):
        return x
    return rechunk(x, normalize_chunks(unit, x.shape, x.dtype.itemsize))
