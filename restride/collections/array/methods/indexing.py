"""Methods of `Array` that take elements out of it by their place, and put others in."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, Self, TypeVar

import numpy as np

from restride.collections.array.base import ArrayBase, as_expr
from restride.collections.array.chunks import Shape, known
from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations import block_selection, indexing, masks, setitem, take
from restride.collections.array.operations.elementwise import elementwise

T = TypeVar("T", bound=ArrayBase)


class Indexing(ArrayBase):
    """Indexing and assignment."""

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of unsized object")
        known(self.chunks[0])
        return self.shape[0]

    def __iter__(self) -> Iterator[Self]:
        if not self.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> Self:
        """Elements at an index; all that numpy takes, and arrays that are yet to be computed.

        A mask that is yet to be computed gives an array of unknown length; see `compute_chunk_sizes`.
        """
        return type(self)(indexing.getitem(self.expr, with_exprs(index)))

    def __setitem__(self, index: Any, value: Any) -> None:
        """Put other elements at an index. Arrays made of this one before keep what they had."""
        self.expr = setitem.setitem(self.expr, with_exprs(index), _values(value, self.dtype))

    @property
    def vindex(self) -> PointIndexer[Self]:
        """Indexing point by point: the axes of what arrays of places look up always come first.

        Examples
        --------
        >>> import restride.array as ra
        >>> x = ra.arange(24, chunks=5).reshape(2, 3, 4)
        >>> x.vindex[[0, 1], :, [1, 2]].compute()
        array([[ 1,  5,  9],
               [14, 18, 22]])
        """
        return PointIndexer(self.expr, type(self))

    @property
    def blocks(self) -> BlockIndexer[Self]:
        """Indexing by blocks: ``x.blocks[0, 1]`` is an array of one block, ``x.blocks[:2]`` of two rows of blocks.

        Examples
        --------
        >>> import restride.array as ra
        >>> x = ra.arange(10, chunks=4)
        >>> x.blocks[1].compute(), x.blocks[[2, 0]].compute()
        (array([4, 5, 6, 7]), array([8, 9, 0, 1, 2, 3]))
        """
        return BlockIndexer(self.expr, type(self))

    @property
    def partitions(self) -> BlockIndexer[Self]:
        """The same as `blocks`."""
        return self.blocks

    def compute_chunk_sizes(self) -> Self:
        """Find out lengths that are not known, and return the array itself, which knows them from now on.

        The blocks are computed for that, and not kept: `persist` first where that takes long.

        Examples
        --------
        >>> import restride.array as ra
        >>> x = ra.arange(10, chunks=4)
        >>> y = x[x % 3 == 0]
        >>> y.chunks
        ((nan, nan, nan),)
        >>> y.compute_chunk_sizes().chunks
        ((2, 1, 1),)
        """
        if any(map(math.isnan, self.shape)):
            shapes = type(self)(block_selection.BlockShapes(self.expr)).compute()
            chunks = block_selection.chunks_from_shapes(shapes, self.numblocks)
            self.expr = block_selection.WithChunks(self.expr, chunks)
        return self

    def nonzero(self) -> tuple[Self, ...]:
        """Where the array is not zero; see `restride.array.nonzero`."""
        return tuple(map(type(self), masks.nonzero(self.expr)))

    def take(self, indices: Any, axis: int | None = None) -> Self:
        """Elements at places on an axis, or of the flattened array; see `restride.array.take`."""
        x = self.expr if axis is not None else masks.flat(self.expr, 0, self.ndim) if self.ndim else self[None].expr
        where = np.lib.array_utils.normalize_axis_index(axis or 0, x.ndim)
        return type(self)(indexing.getitem(x, (*(slice(None),) * where, as_places(indices))))

    def choose(self, choices: Any, mode: str = "raise") -> Self:
        """Elements of one of several arrays; see `restride.array.choose`."""
        exprs = [as_expr(choice) for choice in choices]
        return type(self)(elementwise(Choose(mode), self.expr, *exprs))

    def shuffle(self, indexer: Sequence[Sequence[int]], axis: int, chunks: Any = "auto") -> Self:
        """Elements of an axis in another order, group by group; see `restride.array.shuffle`."""
        axis = np.lib.array_utils.normalize_axis_index(axis, self.ndim)
        return type(self)(take.shuffle(self.expr, [as_places(group) for group in indexer], axis, chunks))


class PointIndexer(Generic[T]):
    """What `Array.vindex` is: ``x.vindex[index]``."""

    def __init__(self, expr: ArrayExpr, make: Callable[[ArrayExpr], T]) -> None:
        self._expr = expr
        self._make = make

    def __getitem__(self, index: Any) -> T:
        return self._make(indexing.pointwise(self._expr, with_exprs(index)))


class BlockIndexer(Generic[T]):
    """What `Array.blocks` is: ``x.blocks[index]``, and how many there are."""

    def __init__(self, expr: ArrayExpr, make: Callable[[ArrayExpr], T]) -> None:
        self._expr = expr
        self._make = make

    def __getitem__(self, index: Any) -> T:
        return self._make(block_selection.select_blocks(self._expr, index))

    @property
    def shape(self) -> Shape:
        """How many blocks there are along each axis."""
        return self._expr.grid

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return self._expr.ndim

    @property
    def size(self) -> int:
        """How many blocks there are."""
        return self._expr.n_blocks

    def ravel(self) -> list[T]:
        """Each block as an array, in C order."""
        return [self[index] for index in np.ndindex(self.shape)]

    def __iter__(self) -> Iterator[T]:
        return (self[number] for number in range(self.shape[0]))

    def __len__(self) -> int:
        return self.shape[0]


class Choose:
    """Kernel: `numpy.choose`."""

    __name__ = "choose"

    def __init__(self, mode: str) -> None:
        self.mode = mode

    def __call__(self, which: Any, *choices: Any) -> Any:
        return np.choose(which, choices, mode=self.mode)  # type: ignore[call-overload]


def with_exprs(index: Any) -> Any:
    """An index with the expressions of the arrays in it."""
    if isinstance(index, tuple):
        return tuple(entry.expr if isinstance(entry, ArrayBase) else entry for entry in index)
    return index.expr if isinstance(index, ArrayBase) else index


def as_places(indices: Any) -> Any:
    """Places as an expression or an array of integers.

    Raises
    ------
    TypeError
        They are none.
    """
    if isinstance(indices, ArrayBase):
        places: Any = indices.expr
    else:
        places = np.asarray(indices)
        if not places.size and not isinstance(indices, np.ndarray):
            places = places.astype(np.int64)
    if places.dtype.kind not in "iu":
        raise TypeError(f"Cannot cast array data from {places.dtype!r} to dtype('int64') according to the rule 'safe'")
    return places


def _values(value: Any, dtype: np.dtype) -> ArrayExpr:
    """Values to be assigned; scalars are cast as numpy does, which knows of those that do not fit."""
    if isinstance(value, ArrayBase):
        return value.expr
    if isinstance(value, np.ma.MaskedArray):
        return as_expr(value, dtype)
    values = np.empty(np.shape(value), dtype)
    values[...] = value
    return as_expr(values)
