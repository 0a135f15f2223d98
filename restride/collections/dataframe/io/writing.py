"""Writing frames: a task writes each partition; what comes before and after all of them is done by the client, once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np

from restride.collections.blocks import Blocks, Map, every
from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.partition import Partition
from restride.collections.writing import WriteExpr, Writing


class FrameSink(Protocol):
    """Where partitions go, and how they look there. It travels to the workers."""

    @property
    def shown(self) -> str:
        """What people call the place."""

    def begin(self, *, here: bool) -> Self:
        """Prepare the target, in the client's process; the sink that the other methods are for."""

    def write(self, number: int, first_row: int, partition: Partition) -> Any:
        """Write one partition, given its number and that of its first row, -1 if unknown; what `finish` should know.

        May be called again for the same partition, by two processes at once, and when all is over.
        """

    def finish(self, results: list[Any]) -> None:
        """All partitions are written: make them appear."""

    def discard(self) -> None:
        """Delete what was begun, where that can be done; nothing if it is finished."""


@dataclass(frozen=True, eq=False, repr=False)
class WriteFrame(WriteExpr):
    """Partitions of a frame into a sink."""

    frame: FrameExpr
    sink: FrameSink

    @property
    def label(self) -> str:
        return "write"

    @property
    def detail(self) -> str:
        return f" {self.place}"

    @property
    def place(self) -> str:
        return self.sink.shown

    @property
    def n_writes(self) -> int:
        return self.frame.npartitions

    def begun(self, *, here: bool) -> Self:
        return self.replace(sink=self.sink.begin(here=here))

    def finish(self, results: list[Any]) -> None:
        self.sink.finish(results)

    def discard(self) -> None:
        self.sink.discard()

    def blocks(self, *children: Blocks) -> Blocks:
        n = self.frame.npartitions
        lengths = self.frame.lengths
        starts = np.full(n, -1) if lengths is None else np.cumsum([0, *lengths])[:-1]
        return Map(
            n=n,
            inputs=children,
            kernel=WritePartition(self.sink.write, self.place),
            index=(every(n),),
            params=np.column_stack([np.arange(n), starts]).astype(np.int64),
            name=self.label,
            origin=self.origin,
        )


class WritePartition:
    """Kernel: write a partition, given its number and that of its first row."""

    __name__ = "write"

    def __init__(self, write: Callable[[int, int, Partition], Any], place: str) -> None:
        self.write = write
        self.place = place

    def __call__(self, param: list[int], partition: Partition) -> Any:
        number, first_row = param
        try:
            return self.write(number, first_row, partition)
        except Exception as error:
            error.add_note(f"while writing partition {number} to {self.place}")
            raise


def write_frame(frame: FrameExpr, sink: FrameSink, compute: bool) -> Writing | None:
    """Write a frame now, or return what will."""
    writing = Writing([WriteFrame(frame, sink)])
    if not compute:
        return writing
    writing.compute()
    return None


def part_names(n: int, suffix: str, name_function: Callable[[int], str] | None = None, first: int = 0) -> list[str]:
    """Names of the files of `n` partitions, in whose order they are read.

    Raises
    ------
    ValueError
        The function gives two partitions one name.

    Examples
    --------
    >>> part_names(2, ".csv")
    ['part-00000.csv', 'part-00001.csv']
    """
    if name_function is None:
        return [f"part-{number:05d}{suffix}" for number in range(first, first + n)]
    names = [str(name_function(number)) for number in range(n)]
    if len(set(names)) < n:
        double = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"name_function gives several partitions the name {double!r}")
    return names
