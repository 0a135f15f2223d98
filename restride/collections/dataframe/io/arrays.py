"""Between frames and arrays: a chunk along the first axis for each partition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from restride.collections.array.array import Array
from restride.collections.array.chunks import UNKNOWN, Chunks
from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations.rechunk import in_one_block
from restride.collections.array.reading import from_array as array_of
from restride.collections.blocks import Blocks, Map, every
from restride.collections.dataframe.base import new_collection
from restride.collections.dataframe.expr import Divisions, FrameExpr, Lengths, default_divisions, unknown_divisions
from restride.collections.dataframe.meta import Meta
from restride.collections.dataframe.methods.by_position import counted_lengths
from restride.collections.dataframe.operations.rowwise import labelled
from restride.collections.dataframe.operations.selection import without_index
from restride.collections.dataframe.partition import Partition, from_pandas, to_pandas

CHUNK_ROWS = 500_000
"""Rows of a partition of an array in memory."""


@dataclass(frozen=True, eq=False, repr=False)
class FrameToArray(ArrayExpr):
    """The values of a frame, of one dtype for all columns, as `pandas.DataFrame.to_numpy` has them."""

    frame: FrameExpr
    of_lengths: Lengths | None
    """Rows of each partition; None if unknown."""

    @property
    def label(self) -> str:
        return "to_array"

    def _dtype(self) -> np.dtype:
        return values_of(self.frame.meta).dtype

    def _chunks(self) -> Chunks:
        rows = self.of_lengths if self.of_lengths is not None else (UNKNOWN,) * self.frame.npartitions
        meta = self.frame.meta
        return (tuple(rows), (meta.shape[1],)) if isinstance(meta, pd.DataFrame) else (tuple(rows),)

    def blocks(self, *children: Blocks) -> Blocks:
        n = self.frame.npartitions
        kernel = ValuesOf(self.frame.meta, self.dtype)
        return Map(n=n, inputs=children, kernel=kernel, index=(every(n),), name=self.label, origin=self.origin)


@dataclass(frozen=True)
class ValuesOf:
    """Kernel: the values of a partition."""

    meta: Any
    dtype: np.dtype
    __name__ = "to_array"

    def __call__(self, partition: Partition) -> np.ndarray:
        value = to_pandas(partition, self.meta, index=isinstance(self.meta, pd.Index))
        return values_of(value).astype(self.dtype, copy=False)


def values_of(value: Any) -> np.ndarray:
    """The values of a pandas object as a numpy array."""
    values: np.ndarray = np.asarray(value.to_numpy())
    return values


@dataclass(frozen=True, eq=False, repr=False)
class ArrayToFrame(FrameExpr):
    """The rows of an array as a frame or series, with a default index."""

    array: ArrayExpr
    of_meta: Any

    @property
    def label(self) -> str:
        return "from_array"

    def _meta(self) -> Meta:
        meta: Meta = self.of_meta
        return meta

    def _npartitions(self) -> int:
        return len(self.array.chunks[0])

    def _lengths(self) -> Lengths | None:
        lengths = self.array.chunks[0]
        return None if lengths and lengths[0] != lengths[0] else tuple(map(int, lengths))

    def _divisions(self) -> Divisions:
        return unknown_divisions(self.npartitions) if self.lengths is None else default_divisions(self.lengths)

    def _rows(self) -> str:
        return self.array.name

    def blocks(self, *children: Blocks) -> Blocks:
        return self.by_partition(FrameOf(self.meta), *children)


@dataclass(frozen=True)
class FrameOf:
    """Kernel: rows of an array as a partition."""

    meta: Any
    __name__ = "from_array"

    def __call__(self, block: np.ndarray) -> Partition:
        return from_pandas(_framed(block, self.meta), self.meta)


def to_array(frame: FrameExpr, lengths: Any = None) -> Array:
    """The values of a frame as an array; see `DataFrame.to_array`."""
    if lengths is None or lengths is False:
        return Array(FrameToArray(frame, frame.lengths))
    if lengths is True:
        lengths = counted_lengths(frame)
    if len(lengths) != frame.npartitions:
        raise ValueError(f"{frame.npartitions} partitions have as many lengths, got {len(lengths)}")
    return Array(FrameToArray(frame, tuple(map(int, lengths))))


def to_records(frame: FrameExpr, index: bool) -> Array:
    """The rows of a frame as records; see `DataFrame.to_records`."""
    return Array(FrameToRecords(labelled(frame) if index else without_index(frame), index))


@dataclass(frozen=True, eq=False, repr=False)
class FrameToRecords(ArrayExpr):
    """The rows of a frame as records."""

    frame: FrameExpr
    index: bool

    @property
    def label(self) -> str:
        return "to_records"

    def _dtype(self) -> np.dtype:
        return np.dtype(self.frame.meta.to_records(index=self.index).dtype.descr)

    def _chunks(self) -> Chunks:
        lengths = self.frame.lengths
        return ((UNKNOWN,) * self.frame.npartitions if lengths is None else tuple(lengths),)

    def blocks(self, *children: Blocks) -> Blocks:
        n = self.frame.npartitions
        kernel = RecordsOf(self.frame.meta, self.index, self.dtype)
        return Map(n=n, inputs=children, kernel=kernel, index=(every(n),), name=self.label, origin=self.origin)


@dataclass(frozen=True)
class RecordsOf:
    """Kernel: the rows of a partition as records."""

    meta: Any
    index: bool
    dtype: np.dtype
    __name__ = "to_records"

    def __call__(self, partition: Partition) -> np.ndarray:
        records = to_pandas(partition, self.meta, index=self.index).to_records(index=self.index)
        return np.asarray(records).astype(self.dtype, copy=False)


def from_array(x: Any, chunksize: int = CHUNK_ROWS, columns: Any = None) -> Any:
    """Make a frame of an array of two axes, a series of one of one axis.

    Parameters
    ----------
    x : Array, or anything that can be sliced
        A structured array has a column for each field.
    chunksize : int
        Rows of a partition, unless `x` is an `Array`, which has chunks.
    columns : list of labels, or label
        Of the columns, or the name of the series.

    Returns
    -------
    DataFrame or Series
        With a default index.

    Raises
    ------
    ValueError
        More than two axes, or none; another number of labels than columns.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.dataframe as rd
    >>> rd.from_array(np.arange(6).reshape(3, 2), chunksize=2, columns=["x", "y"]).compute()
       x  y
    0  0  1
    1  2  3
    2  4  5
    """
    if not isinstance(x, Array):
        if not hasattr(x, "shape"):
            x = np.asarray(x)
        x = array_of(x, chunks=(chunksize, *(-1 for _ in x.shape[1:]))) if x.shape else x
    if len(x.shape) not in (1, 2):
        raise ValueError(f"an array of {len(x.shape)} axes is no frame; it has one axis, or two")
    expr = x.expr
    if expr.masked:
        raise TypeError("frames hold no masks: fill the array first, by ra.ma.filled(x, value)")
    if len(x.shape) == 2:
        expr = in_one_block(expr, [1])
    return new_collection(ArrayToFrame(expr, _meta_of_array(expr, columns)))


def _meta_of_array(x: ArrayExpr, columns: Any) -> Meta:
    """The meta of the frame of an array."""
    empty = np.empty((0, *(int(length) for length in x.shape[1:])), x.dtype)
    made: Any
    labels: list[Any]
    if x.ndim == 1 and x.dtype.names is None:
        if columns is not None and isinstance(columns, (list, tuple)):
            raise ValueError(f"an array of one axis is a series, which has one name, got columns={columns}")
        made = pd.Series(empty, name=columns)
    elif x.dtype.names is not None:
        labels = list(x.dtype.names)
        if columns is not None and list(columns) != labels:
            raise ValueError(f"the fields of the array are {labels}, got columns={list(columns)}")
        made = pd.DataFrame(empty)
    else:
        labels = list(range(empty.shape[1])) if columns is None else list(columns)
        if len(labels) != empty.shape[1]:
            raise ValueError(f"an array of {empty.shape[1]} columns needs as many labels, got {labels}")
        made = pd.DataFrame(empty, columns=pd.Index(labels) if columns is not None else None)
    meta: Meta = made.set_axis(pd.RangeIndex(0), axis=0)
    return meta


def _framed(block: np.ndarray, meta: Any) -> Any:
    if isinstance(meta, pd.Series):
        return pd.Series(block, name=meta.name)
    if block.dtype.names is not None:
        return pd.DataFrame(block)
    return pd.DataFrame(block, columns=meta.columns)
