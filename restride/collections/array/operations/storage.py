"""Writing arrays: a task writes each block; what comes before and after all of them is done by the client, once."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np

from restride.collections.array.chunks import block_bounds, starts_of
from restride.collections.array.expr import ArrayExpr, SameChunks
from restride.collections.array.operations.object_sink import ObjectSink
from restride.collections.array.operations.rechunk import rechunk
from restride.collections.array.operations.sources import span_text
from restride.collections.blocks import Blocks, Map, every
from restride.collections.expression import Expr
from restride.collections.writing import WriteExpr
from restride.errors import ChunkError


class Sink(Protocol):
    """Where blocks go. It travels to the workers."""

    @property
    def path(self) -> str:
        """What people call the place."""

    def begin(self, *, here: bool) -> Self:
        """Prepare the target, in the client's process; the sink that the other methods are for.

        Parameters
        ----------
        here : bool
            Blocks will be written by this process.
        """

    def write(self, number: int, where: tuple[slice, ...], block: Any) -> None:
        """Write one block, given its number and its place in the array.

        May be called again for the same block, by two processes at once, and when all is over: what a reader of the
        target finds is always one whole block, and nothing that is finished or discarded changes.
        """

    def finish(self) -> None:
        """All blocks are written: make them appear."""

    def discard(self) -> None:
        """The computation has failed: delete what was begun, where that can be done; nothing if it is finished."""


@dataclass(frozen=True, eq=False, repr=False)
class Write(WriteExpr):
    """Blocks of an array into a sink; each of its own blocks is None, made when the array's is written."""

    array: ArrayExpr
    sink: Sink

    @property
    def place(self) -> str:
        return self.sink.path

    @property
    def n_writes(self) -> int:
        return self.array.n_blocks

    def begun(self, *, here: bool) -> Self:
        return self.replace(sink=self.sink.begin(here=here))

    def finish(self, results: list[Any]) -> None:
        self.sink.finish()

    def discard(self) -> None:
        self.sink.discard()

    def blocks(self, *children: Blocks) -> Blocks:
        n = self.array.n_blocks
        return Map(
            n=n,
            inputs=children,
            kernel=WriteBlock(self.sink),
            index=(every(n),),
            params=np.column_stack([np.arange(n), block_bounds(self.array.chunks)]),
            name=self.label,
            origin=self.origin,
        )


@dataclass(frozen=True, eq=False, repr=False)
class WriteThrough(SameChunks):
    """An array each of whose blocks is written when it is made, to a sink with nothing to begin or to finish."""

    sink: ObjectSink

    def identity(self) -> Iterable[Any]:
        """One thing that is like no other: what is done twice is not done once."""
        return [object()]

    def shipped(self) -> Expr:
        self.sink.check_reach(here=False)
        return self

    def blocks(self, *children: Blocks) -> Blocks:
        n = self.array.n_blocks
        return Map(
            n=n,
            inputs=children,
            kernel=WriteBlock(self.sink, returns=True),
            index=(every(n),),
            params=np.column_stack([np.arange(n), block_bounds(self.array.chunks)]),
            name="write",
            origin=self.origin,
        )


class WriteBlock:
    """Kernel: write a block, given its number, and start and stop along each axis."""

    __name__ = "write"

    def __init__(self, sink: Sink, returns: bool = False) -> None:
        self.sink = sink
        self.returns = returns

    def __call__(self, param: list[int], block: Any) -> Any:
        where = tuple(map(slice, param[1::2], param[2::2]))
        try:
            self.sink.write(param[0], where, block)
        except Exception as error:
            error.add_note(f"while writing {span_text(where)} of {self.sink.path}")
            raise
        return block if self.returns else None


def unit_of(x: ArrayExpr, chunks: Sequence[int] | None) -> tuple[int, ...]:
    """The shape of the chunks of a store, where all have one: as asked for, or of the longest blocks there are."""
    if chunks is None:
        return tuple(max(*lengths, 1) for lengths in x.chunks)
    unit = tuple(map(operator.index, chunks))
    if len(unit) != x.ndim or min(unit, default=1) < 1:
        raise ChunkError(f"the chunks of a store are one positive length for each of {x.ndim} axes, got {chunks}")
    return unit


def aligned(x: ArrayExpr, unit: Sequence[int], offset: Sequence[int] = ()) -> ArrayExpr:
    """The array in blocks that begin at multiples of a unit, so that no two write to one chunk of a store.

    Parameters
    ----------
    x : ArrayExpr
    unit : sequence of int
        The shape of the store's chunks.
    offset : sequence of int, optional
        Where in the store the array begins.
    """
    chunks = []
    for lengths, size, first in zip(x.chunks, unit, offset or (0,) * x.ndim):
        inner = first + starts_of(lengths)[1:-1]
        if not (inner % size).any():
            chunks.append(lengths)
            continue
        step = size * max(max(lengths) // size, 1)
        edges = range(first - first % step + step, first + sum(lengths), step)
        chunks.append(tuple(np.diff([first, *edges, first + sum(lengths)]).tolist()))
    return rechunk(x, tuple(chunks))
