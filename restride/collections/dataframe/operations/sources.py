"""Frames that are in the client's memory, or are made by a function a partition."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from restride.collections.blocks import Blocks
from restride.collections.dataframe.expr import (
    Divisions,
    FrameExpr,
    Lengths,
    Persisted,
    Wanted,
    default_divisions,
    unknown_divisions,
)
from restride.collections.dataframe.meta import Meta, column_dtypes, has_default_index, level_dtypes, meta_of
from restride.collections.dataframe.operations.selection import choose, narrowed_kind, projected_meta
from restride.collections.dataframe.partition import Partition, check_kind, from_pandas, table_of
from restride.collections.expression import Expr, Send, goes_apart, tokenize
from restride.engine.graphs.graph import Params


@dataclass(frozen=True, eq=False, repr=False)
class Source(FrameExpr):
    """Base of sources: partition ``i`` is ``kernel()(params()[i])``, or ``kernel()()`` without params."""

    def kernel(self) -> Callable[..., Partition]:
        raise NotImplementedError(type(self).__name__)

    def params(self) -> Params:
        raise NotImplementedError(type(self).__name__)

    @property
    def is_free(self) -> bool:
        """Whether a partition costs next to nothing to make."""
        return False

    def _rows(self) -> str:
        return self.name

    def blocks(self, *children: Blocks) -> Blocks:
        return self.by_partition(self.kernel(), params=self.params(), free=self.is_free)


@dataclass(frozen=True, eq=False, repr=False)
class FromMemory(Source):
    """Slices of a frame in the client's memory."""

    whole: Any
    """A partition that has all rows: a `pyarrow.Table`, or a pandas object."""
    of_meta: Any
    bounds: tuple[int, ...]
    """The first row of each partition, and the number of rows."""
    known: Divisions
    key: str
    """What tells the rows from those of other frames in memory."""

    def identity(self) -> Iterable[Any]:
        return [self.key, self.bounds, *self._described()]

    def _described(self) -> Iterable[Any]:
        from_meta = super().identity()
        return [value for value in from_meta if isinstance(value, tuple)]

    @property
    def label(self) -> str:
        return "from_pandas"

    @property
    def bytes_read(self) -> list[int]:
        cut = SliceRows(self.whole)
        return [_nbytes(cut(bounds)) for bounds in pairwise(self.bounds)]

    @property
    def is_free(self) -> bool:
        return True

    @property
    def reads_apart(self) -> bool:
        return True

    def _meta(self) -> Meta:
        meta: Meta = self.of_meta
        return meta

    def _npartitions(self) -> int:
        return len(self.bounds) - 1

    def _lengths(self) -> Lengths:
        return tuple(np.diff(self.bounds).tolist())

    def _divisions(self) -> Divisions:
        if has_default_index(self.meta):
            return default_divisions(self._lengths())
        return self.known

    def _rows(self) -> str:
        return tokenize(self.key, self.bounds)

    def is_complete(self, place: int) -> bool:
        return complete_in(self.whole, self.meta, place)

    def narrowed(self, wanted: Wanted) -> FrameExpr:
        kind = narrowed_kind(self.meta, wanted)
        meta = projected_meta(self.meta, wanted, kind)
        whole = self.whole
        if isinstance(whole, pa.Table):
            levels = whole.columns[self.layout.n_columns :] if wanted.index and self.has_index else []
            whole = table_of([whole.column(i) for i in wanted.columns], levels, whole.num_rows)
        else:
            whole = from_pandas(choose(whole, wanted, kind), meta)
        return self.replace(whole=whole, of_meta=meta, known=self.divisions if wanted.index else self.known)

    def kernel(self) -> Callable[..., Partition]:
        return SliceRows(self.whole)

    def params(self) -> Params:
        starts = np.asarray(self.bounds, np.int64)
        return np.stack([starts[:-1], starts[1:]], axis=1)

    def shipped(self) -> Expr:
        """Each partition goes with its task."""
        cut = SliceRows(self.whole)
        parts = [cut(bounds) for bounds in np.asarray(self.params()).tolist()]
        return FromParts(parts, self.meta, self.divisions, self.lengths, self.rows)


class SliceRows:
    """Kernel: some rows of a frame in memory."""

    __name__ = "from_pandas"

    def __init__(self, whole: Partition) -> None:
        self.whole = whole

    def __call__(self, bounds: Sequence[int]) -> Partition:
        start, stop = bounds
        if isinstance(self.whole, pa.Table):
            return self.whole.slice(start, stop - start)
        return self.whole[start:stop] if isinstance(self.whole, pd.Index) else self.whole.iloc[start:stop]


@dataclass(frozen=True, eq=False, repr=False)
class FromParts(Source):
    """Partitions that travel as parameters of their tasks."""

    parts: Sequence[Partition]
    of_meta: Any
    known: Divisions
    known_lengths: Lengths | None
    of_rows: str

    def identity(self) -> Iterable[Any]:
        """One thing that is like no other."""
        return [object()]

    @property
    def label(self) -> str:
        return "from_pandas"

    @property
    def bytes_read(self) -> list[int]:
        return list(map(_nbytes, self.parts))

    def _meta(self) -> Meta:
        meta: Meta = self.of_meta
        return meta

    def _npartitions(self) -> int:
        return len(self.parts)

    def _lengths(self) -> Lengths | None:
        return self.known_lengths

    def _divisions(self) -> Divisions:
        return self.known

    def _rows(self) -> str:
        return self.of_rows

    def sent(self, send: Send) -> Expr:
        nbytes = sum(part.nbytes for part in self.parts if isinstance(part, pa.Table))
        if not goes_apart(nbytes, len(self.parts)):
            return self
        return Persisted(send(list(self.parts)), self)

    def kernel(self) -> Callable[..., Partition]:
        return _as_it_is

    def params(self) -> Params:
        return self.parts


def _as_it_is(partition: Partition) -> Partition:
    """Kernel: a partition that has come along as the task's parameter."""
    return partition


@dataclass(frozen=True, eq=False, repr=False)
class FromFunction(Source):
    """Partition ``i`` is what a user's function makes of its parameter, as a pandas object."""

    function: Callable[..., Any]
    column: Params
    kwargs: tuple[tuple[str, Any], ...]
    of_meta: Any
    known: Divisions
    word: str

    @property
    def label(self) -> str:
        return self.word

    @property
    def bytes_read(self) -> None:
        return None

    def _meta(self) -> Meta:
        meta: Meta = self.of_meta
        return meta

    def _npartitions(self) -> int:
        return len(self.column)

    def _lengths(self) -> None:
        return None

    def _divisions(self) -> Divisions:
        return self.known

    def kernel(self) -> Callable[..., Partition]:
        return MakePartition(self.function, self.kwargs, self.meta, self.word)

    def params(self) -> Params:
        return self.column


class MakePartition:
    """Kernel: what a function makes of a parameter, as a partition."""

    def __init__(self, function: Callable[..., Any], kwargs: Any, meta: Meta, name: str) -> None:
        self.__name__ = name
        self.function, self.kwargs, self.meta = function, dict(kwargs), meta

    def __call__(self, param: Any) -> Partition:
        made = self.function(param, **self.kwargs)
        check_kind(made, self.meta)
        return from_pandas(made, self.meta)


def _nbytes(partition: Partition) -> int:
    """How many bytes a partition takes; of Python's objects the references."""
    return int(partition.nbytes if isinstance(partition, pa.Table) else np.sum(partition.memory_usage()))


def complete_in(whole: Partition, meta: Meta, place: int) -> bool:
    """Whether a column or level in memory has no missing values."""
    if isinstance(whole, pa.Table):
        column = whole.column(place)
        kind = [*column_dtypes(meta), *level_dtypes(meta)][place]
        if isinstance(kind, pd.CategoricalDtype) and pa.types.is_integer(column.type):
            return False
        return column.null_count == 0 and not pa.types.is_floating(column.type)
    return False


def from_memory(value: Any, bounds: Sequence[int] | None = None) -> FrameExpr:
    """A frame, series or index in memory, cut into partitions that begin at rows `bounds`; one without these."""
    bounds = [0, len(value)] if bounds is None else bounds
    meta = meta_of(value)
    whole = from_pandas(value, meta)
    return FromMemory(whole, meta, tuple(bounds), _divisions(value, bounds), tokenize(object()))


def _divisions(value: Any, bounds: Sequence[int]) -> Divisions:
    """The divisions of a frame in memory; known if its index is sorted and no label is in two partitions."""
    n = len(bounds) - 1
    labels = value if isinstance(value, pd.Index) else value.index
    if isinstance(labels, pd.MultiIndex) or not len(labels) or not np.diff(bounds).all():
        return unknown_divisions(n)
    if labels.hasnans or not labels.is_monotonic_increasing:
        return unknown_divisions(n)
    firsts = labels[list(bounds[:-1])]
    lasts = labels[[stop - 1 for stop in bounds[1:]]]
    if n > 1 and bool((np.asarray(firsts[1:]) == np.asarray(lasts[:-1])).any()):
        return unknown_divisions(n)
    return (*firsts, lasts[-1])


def even_bounds(n: int, npartitions: int) -> list[int]:
    """The first row of each of some partitions that are as equal as can be, and the number of rows."""
    return [round(n * i / npartitions) for i in range(npartitions + 1)]
