"""Whole partitions: some of a frame's, several frames' one after the other, each through a function, its first rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from restride.collections.blocks import Blocks, Gather, Map, Select, every
from restride.collections.dataframe.expr import Divisions, FrameExpr, Lengths, ScalarExpr, Wanted, unknown_divisions
from restride.collections.dataframe.meta import Meta, has_default_index, is_frame_like
from restride.collections.dataframe.operations.rowwise import Template, labelled, template_of
from restride.collections.dataframe.operations.selection import Project, narrow
from restride.collections.dataframe.partition import Partition, check_kind, concat, from_pandas, to_pandas
from restride.collections.expression import Expr


@dataclass(frozen=True, eq=False, repr=False)
class TakePartitions(FrameExpr):
    """Some partitions of a frame, which has a stored index or is taken from its first partition on."""

    frame: FrameExpr
    numbers: tuple[int, ...]

    @property
    def label(self) -> str:
        return "partitions"

    @property
    def detail(self) -> str:
        return f" {len(self.numbers):,} of {self.frame.npartitions:,}"

    def _npartitions(self) -> int:
        return len(self.numbers)

    def _divisions(self) -> Divisions:
        numbers = list(self.numbers)
        if not numbers or not self.frame.known_divisions or numbers != list(range(numbers[0], numbers[-1] + 1)):
            return unknown_divisions(len(numbers))
        return self.frame.divisions[numbers[0] : numbers[-1] + 2]

    def _lengths(self) -> Lengths | None:
        lengths = self.frame.lengths
        return None if lengths is None else tuple(lengths[i] for i in self.numbers)

    def _rows(self) -> str:
        return f"{self.frame.rows}{list(self.numbers)}"

    def value_source(self, place: int) -> tuple[FrameExpr, int]:
        return self.frame, place

    def narrowed(self, wanted: Wanted) -> FrameExpr:
        return TakePartitions(narrow(self.frame, wanted), self.numbers)

    def blocks(self, *children: Blocks) -> Blocks:
        return Select(n=len(self.numbers), inputs=children, table=np.array(self.numbers, np.int64))


@dataclass(frozen=True, eq=False, repr=False)
class Coalesce(FrameExpr):
    """Runs of neighbouring partitions made one each."""

    any_partitions = True

    frame: FrameExpr
    bounds: tuple[int, ...]
    """The first partition of each run, and the number of partitions."""

    def _npartitions(self) -> int:
        return len(self.bounds) - 1

    def _divisions(self) -> Divisions:
        return tuple(self.frame.divisions[i] for i in self.bounds)

    def _lengths(self) -> Lengths | None:
        lengths = self.frame.lengths
        if lengths is None:
            return None
        return tuple(sum(lengths[a:b]) for a, b in zip(self.bounds, self.bounds[1:]))

    def _rows(self) -> str:
        return f"{self.frame.rows}{list(self.bounds)}"

    def value_source(self, place: int) -> tuple[FrameExpr, int]:
        return self.frame, place

    def narrowed(self, wanted: Wanted) -> FrameExpr | None:
        below = narrow(self.frame, wanted)
        if isinstance(below, Project) and not self.frame.children:
            return None  # columns are chosen of fewer
        return Coalesce(below, self.bounds)

    def blocks(self, *children: Blocks) -> Blocks:
        return Gather(
            n=self.npartitions,
            inputs=children,
            kernel=ConcatPartitions(self.meta),
            indptr=np.array(self.bounds, np.int64),
            indices=every(self.frame.npartitions),
            name=self.label,
            origin=self.origin,
        )


@dataclass(frozen=True)
class ConcatPartitions:
    """Kernel: partitions of one frame one below the other."""

    meta: Any
    __name__ = "concat"

    def __call__(self, *partitions: Partition) -> Partition:
        return concat(partitions, self.meta)


@dataclass(frozen=True, eq=False, repr=False)
class AsOne(FrameExpr):
    """A frame that becomes one value: nobody sees its partitions."""

    any_partitions = True

    frame: FrameExpr

    def blocks(self, *children: Blocks) -> Blocks:
        return children[0]


@dataclass(frozen=True, eq=False, repr=False)
class MapPartitions(FrameExpr):
    """What a user's function makes of each partition, as pandas objects with their labels."""

    partitionwise = True

    function: Callable[..., Any]
    args: tuple[Any, ...]
    """Frames of as many partitions as the first; scalars; plain values."""
    kwargs: tuple[tuple[str, Any], ...]
    of_meta: Any
    word: str
    keeps_rows: bool = False
    """Whether the function is known to give a row for each row, in their order."""
    keeps_divisions: bool = False

    @property
    def label(self) -> str:
        return self.word

    @property
    def detail(self) -> str:
        return ", of pandas objects by partition"

    def _meta(self) -> Meta:
        meta: Meta = self.of_meta
        return meta

    def _lengths(self) -> Lengths | None:
        return self._first().lengths if self.keeps_rows else None

    def _divisions(self) -> Divisions:
        first = self._first()
        if self.keeps_divisions or self.keeps_rows:
            return first.divisions
        return unknown_divisions(first.npartitions)

    def _rows(self) -> str:
        return self._first().rows if self.keeps_rows else self.name

    def blocks(self, *children: Blocks) -> Blocks:
        n = self.npartitions
        operands = [arg for arg in self.args if isinstance(arg, Expr)]
        single = [
            isinstance(arg, ScalarExpr) or (isinstance(arg, FrameExpr) and arg.npartitions == 1) for arg in operands
        ]
        return Map(
            n=n,
            inputs=children,
            index=tuple(np.zeros(n, np.int64) if one else every(n) for one in single),
            kernel=CallOnPartition(self.function, template_of(self.args), self.kwargs, self.meta, self.word),
            name=self.word,
            origin=self.origin,
        )


class CallOnPartition:
    """Kernel: a function of the pandas objects that partitions are, labels included."""

    def __init__(self, function: Callable[..., Any], template: Template, kwargs: Any, meta: Meta, name: str) -> None:
        self.__name__ = name
        self.function, self.template, self.kwargs, self.meta = function, template, dict(kwargs), meta

    def __call__(self, *blocks: Any) -> Partition:
        given = iter(blocks)
        args = []
        for kind, value in self.template:
            if kind == "value":
                args.append(value)
            else:
                block = next(given)
                args.append(to_pandas(block, value) if kind == "frame" else block)
        result = self.function(*args, **self.kwargs)
        if isinstance(self.meta, pd.Series) and not is_frame_like(result):
            result = pd.Series([result])
        if isinstance(result, pd.Index) and isinstance(self.meta, pd.Series):
            result = result.to_series()
        check_kind(result, self.meta)
        return from_pandas(result, self.meta)


@dataclass(frozen=True, eq=False, repr=False)
class FirstRows(FrameExpr):
    """The first rows of each partition, or the last ones."""

    partitionwise = True

    frame: FrameExpr
    n: int
    last: bool = False

    @property
    def label(self) -> str:
        return "tail" if self.last else "head"

    def _lengths(self) -> Lengths | None:
        lengths = self.frame.lengths
        return None if lengths is None else tuple(min(length, self.n) for length in lengths)

    def _rows(self) -> str:
        return f"{self.frame.rows}[{self.label} {self.n}]"

    def value_source(self, place: int) -> tuple[FrameExpr, int]:
        return self.frame, place

    def narrowed(self, wanted: Wanted) -> FrameExpr:
        return self.replace(frame=narrow(self.frame, wanted))

    def blocks(self, *children: Blocks) -> Blocks:
        return self.by_partition(CutRows(self.n, self.last), *children)


@dataclass(frozen=True)
class CutRows:
    """Kernel: the first rows of a partition, or the last ones."""

    n: int
    last: bool
    __name__ = "head"

    def __call__(self, partition: Partition) -> Partition:
        if isinstance(partition, pa.Table):
            return partition.slice(max(partition.num_rows - self.n, 0)) if self.last else partition.slice(0, self.n)
        cut = slice(max(len(partition) - self.n, 0), None) if self.last else slice(0, self.n)
        return partition[cut] if isinstance(partition, pd.Index) else partition.iloc[cut]


def take_partitions(frame: FrameExpr, numbers: Sequence[int]) -> FrameExpr:
    """Some partitions of a frame; rows keep the labels that they have in the whole."""
    first = list(numbers) == list(range(len(numbers)))
    if has_default_index(frame.meta) and not first:
        frame = labelled(frame)
    return TakePartitions(frame, tuple(numbers))
