"""The base of frame expressions: nodes that know their meta, their partitions, and what rows these have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from restride.collections.blocks import Blocks, Gather, Map, Ready, every
from restride.collections.dataframe.kernels.ranges import Ranges
from restride.collections.dataframe.layout import Layout, layout_of
from restride.collections.dataframe.meta import (
    Meta,
    column_dtypes,
    describe,
    has_default_index,
    index_of,
    is_frame_like,
    labels_of,
)
from restride.collections.expression import Expr
from restride.engine.graphs.graph import Params

if TYPE_CHECKING:
    from restride.engine.client.futures import Future

Divisions = tuple[Any, ...]
"""Least label of each partition's index, then the greatest of the last; all None where that is not known."""
Lengths = tuple[int, ...]


STRING_BYTES = 16
"""What a string is taken for; and what else has no size of its own."""

_MOST_DESCRIBED = 1000
_described: dict[str, tuple[Meta, Layout]] = {}
"""Of recent nodes by their names: rewriting makes the same ones again, and pandas takes 0.1 ms or more for a meta."""


@dataclass(frozen=True, order=True)
class Wanted:
    """Which columns are asked of a node: those in order, and whether the index with them."""

    columns: tuple[int, ...]
    index: bool


class DescribedFields(Expr):
    """Nodes whose fields may be metas, which name them by what they say."""

    any_partitions: ClassVar[bool] = False
    """Whether rows, or the value, and their order are the same however what they are made of is partitioned."""

    def identity(self) -> Iterable[Any]:
        return [describe(value) if is_frame_like(value) else value for value in self._values()]


@dataclass(frozen=True, eq=False, repr=False)
class FrameExpr(DescribedFields):
    """A node that stands for a frame, a series or an index; block ``i`` is its partition ``i``.

    A node says what it is in the methods `_meta`, `_npartitions`, `_divisions`, `_lengths` and `_rows`; where it does
    not, all but the meta are its first child's.
    """

    partitionwise: ClassVar[bool] = False
    """Whether values that have a `value_source` are in the partitions that they are in there."""

    # Worked out when the node is made, from children that were made before, so that no recursion is ever deep.
    meta: Any = field(init=False)
    """An empty `DataFrame`, `Series` or `Index` of pandas."""
    layout: Layout = field(init=False)
    npartitions: int = field(init=False)
    divisions: Divisions = field(init=False)
    lengths: Lengths | None = field(init=False)
    """Rows in each partition, where they are known without computing."""
    rows: str = field(init=False)
    """Frames of the same `rows` have the same rows in the same partitions: they may be used row by row together."""

    def __post_init__(self) -> None:
        super().__post_init__()
        meta, layout = self._meta_and_layout()
        object.__setattr__(self, "meta", meta)
        object.__setattr__(self, "layout", layout)
        object.__setattr__(self, "npartitions", self._npartitions())
        object.__setattr__(self, "lengths", self._lengths())
        object.__setattr__(self, "divisions", self._divisions())
        object.__setattr__(self, "rows", self._rows())

    def _meta_and_layout(self) -> tuple[Meta, Layout]:
        known = _described.get(self.name)
        if known is None:
            meta = self._meta()
            known = meta, layout_of(meta)
            if len(_described) >= _MOST_DESCRIBED:
                _described.clear()
            _described[self.name] = known
        return known

    def _first(self) -> FrameExpr:
        for child in self.children:
            if isinstance(child, FrameExpr):
                return child
        raise NotImplementedError(type(self).__name__)

    def _meta(self) -> Meta:
        meta: Meta = self._first().meta
        return meta

    def _npartitions(self) -> int:
        return self._first().npartitions

    def _divisions(self) -> Divisions:
        return self._first().divisions

    def _lengths(self) -> Lengths | None:
        return self._first().lengths

    def _rows(self) -> str:
        return self._first().rows

    def narrowed(self, wanted: Wanted) -> FrameExpr | None:
        """The same rows with those columns alone, made of children narrowed by `operations.selection.narrow`.

        None where that saves nothing. `wanted` is never all that there is.
        """
        return None

    def passed(self, wanted: Wanted, kind: str) -> FrameExpr | None:
        """Those columns as an object of a kind, where they are those of a child, as they are; otherwise None."""
        return None

    def filtered(self, mask: FrameExpr) -> FrameExpr | None:
        """The rows for which a mask of the same rows is true, made of filtered children.

        None where that saves nothing, or the mask looks at more than what one child has.
        """
        return None

    def value_source(self, place: int) -> tuple[FrameExpr, int] | None:
        """The child, and the place in it, of which all values at a place are, in whatever order; None if there is none.

        A place is the number of a column, or the number of columns and that of a level of the index.
        """
        return None

    def partition_source(self, place: int) -> tuple[FrameExpr, int] | None:
        """The child, and the place in it, whose partition of the same number has all values of one at a place."""
        return self.value_source(place) if self.partitionwise else None

    def is_complete(self, place: int) -> bool:
        """Whether a source knows that no value at a place is missing."""
        return False

    def value_range(self, place: int) -> tuple[int, int] | None:
        """Bounds of the integers at a place, where a source knows them; see `operations.known_ranges`."""
        return None

    def value_ranges(self, place: int) -> Ranges | None:
        """Bounds of the values at a place for each partition, where a source knows them."""
        return None

    @property
    def reads_apart(self) -> bool:
        """Whether it costs no more to compute some columns first, and the others of some partitions later."""
        return False

    @property
    def everything(self) -> Wanted:
        """All that can be asked of the node."""
        return Wanted(tuple(range(self.layout.n_columns)), self.has_index)

    @property
    def has_index(self) -> bool:
        """Whether the index is stored."""
        return not has_default_index(self.meta)

    @property
    def known_divisions(self) -> bool:
        return self.divisions[0] is not None

    @property
    def length(self) -> int | None:
        """How many rows there are, where that is known."""
        return None if self.lengths is None else sum(self.lengths)

    @property
    def summary(self) -> str:
        parts = "1 partition" if self.npartitions == 1 else f"{self.npartitions:,} partitions"
        kind = type(self.meta).__name__
        rows = "" if self.length is None else f"{self.length:,} rows, "
        if isinstance(self.meta, pd.DataFrame):
            names = ", ".join(map(str, labels_of(self.meta)[:6])) + (", ..." if self.meta.shape[1] > 6 else "")
            return f"{rows}[{names}], {parts}"
        return f"{kind} {index_of(self.meta).name if kind == 'Index' else self.meta.name}, {rows}{parts}"

    @property
    def row_bytes(self) -> int:
        """About how many bytes a row takes; strings are taken for `STRING_BYTES`."""
        sizes = [getattr(dtype, "itemsize", STRING_BYTES) for dtype in column_dtypes(self.meta)]
        return sum(sizes) + 8 * self.layout.n_levels

    @property
    def nbytes(self) -> int | None:
        return None if self.length is None else self.length * self.row_bytes

    def by_partition(self, kernel: Any, *inputs: Blocks, params: Params | None = None, free: bool = False) -> Map:
        """A task for each partition of the inputs, which are as many, or of the node where there are none."""
        n = inputs[0].n if inputs else self.npartitions
        return Map(
            n=n,
            inputs=inputs,
            kernel=kernel,
            index=(every(n),) * len(inputs),
            params=params,
            free=free,
            name=self.label,
            origin=self.origin,
        )

    def carried_blocks(self, totals: Blocks, carry: Any, kernel: Any, *inputs: Blocks) -> Map:
        """The blocks of a node whose partitions have to know what comes before them, or after.

        One task, `carry`, gets what each partition comes to. Each task of `kernel` gets the number of its partition,
        all that `carry` has made of these, and the same partition of each input.
        """
        n = self.npartitions
        known = Gather(
            n=1,
            inputs=(totals,),
            kernel=carry,
            indptr=np.array([0, n]),
            indices=every(n),
            name=f"{self.label}-carry",
            origin=self.origin,
        )
        return Map(
            n=n,
            inputs=(known, *inputs),
            kernel=kernel,
            index=(np.zeros(n, np.int64), *(every(n) for _ in inputs)),
            params=every(n),
            name=self.label,
            origin=self.origin,
        )


class NewRows(FrameExpr):
    """A node that makes rows anew: how many there are, and between which labels, only computing tells."""

    def _lengths(self) -> Lengths | None:
        return None

    def _divisions(self) -> Divisions:
        return unknown_divisions(self.npartitions)

    def _rows(self) -> str:
        return self.name


@dataclass(frozen=True, eq=False, repr=False)
class ScalarExpr(DescribedFields):
    """A node that stands for one value, such as a sum; its one block is the value."""

    dtype: Any = field(init=False)
    """As pandas would have it; None where it is not known."""

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "dtype", self._dtype())

    def _dtype(self) -> Any:
        return None

    def sample(self) -> Any:
        """Any value of the dtype, so that pandas can tell the dtype of what is made with the node's."""
        if self.dtype is None:
            return 1.0
        return "" if str(self.dtype) == "str" else pd.Series([0], dtype="int64").astype(self.dtype).iloc[0]

    @property
    def summary(self) -> str:
        return "scalar" if self.dtype is None else f"scalar {self.dtype}"

    @property
    def nbytes(self) -> int | None:
        return None if self.dtype is None else getattr(self.dtype, "itemsize", STRING_BYTES)


def unknown_divisions(npartitions: int) -> Divisions:
    """Divisions of which nothing is known."""
    return (None,) * (npartitions + 1)


def default_divisions(lengths: Lengths) -> Divisions:
    """The divisions of a default index."""
    if not lengths or not all(lengths):
        return unknown_divisions(len(lengths))
    starts = [0]
    for length in lengths:
        starts.append(starts[-1] + length)
    return (*starts[:-1], starts[-1] - 1)


@dataclass(frozen=True, eq=False, repr=False)
class Persisted(FrameExpr):
    """Partitions that are, or will be, in the store of a client."""

    partitionwise = True

    futures: Sequence[Future]
    of: FrameExpr
    """What was persisted: its meta, divisions and rows are these partitions'."""

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "children", ())  # what made the partitions is not made again

    def _first(self) -> FrameExpr:
        return self.of

    def value_source(self, place: int) -> tuple[FrameExpr, int]:
        return self.of, place

    def identity(self) -> Iterable[Any]:
        """One thing that is like no other, and not as many as there are partitions."""
        return [object()]

    def blocks(self, *children: Blocks) -> Blocks:
        return Ready(n=self.npartitions, futures=self.futures)


@dataclass(frozen=True, eq=False, repr=False)
class PersistedScalar(ScalarExpr):
    """A value that is, or will be, in the store of a client."""

    futures: Sequence[Future]
    value_dtype: Any

    def _dtype(self) -> Any:
        return self.value_dtype

    def identity(self) -> Iterable[Any]:
        return [object()]

    def blocks(self, *children: Blocks) -> Blocks:
        return Ready(n=1, futures=self.futures)
