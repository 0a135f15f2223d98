"""unique: the distinct elements of each block, merged some blocks at a time until one block has all."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from restride.collections.array.chunks import UNKNOWN, Chunks, Shape, known
from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations import masks
from restride.collections.array.operations.rechunk import in_one_block
from restride.collections.array.operations.reduce_tree import Axes, Condense, Reduction
from restride.collections.array.operations.reshape import reshape
from restride.collections.blocks import Blocks, Gather, Map, every


@dataclass(frozen=True, slots=True)
class Distinct:
    """Distinct elements in order, the first place of each, and how often each is met."""

    values: np.ndarray
    first: np.ndarray | None
    counts: np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class PartOf(ArrayExpr):
    """One of the arrays in the one block of distinct elements."""

    distinct: ArrayExpr
    part: str
    part_chunks: Chunks
    part_dtype: np.dtype

    @property
    def label(self) -> str:
        return f"unique-{self.part}"

    def _dtype(self) -> np.dtype:
        return self.part_dtype

    def _chunks(self) -> Chunks:
        return self.part_chunks

    def blocks(self, *children: Blocks) -> Blocks:
        kernel = PartOfBlock(self.part)
        return Map(n=1, inputs=children, kernel=kernel, index=(every(1),), name=self.label, origin=self.origin)


@dataclass(frozen=True, eq=False, repr=False)
class Inverse(ArrayExpr):
    """For each element along an axis, its place among the distinct ones."""

    array: ArrayExpr
    distinct: ArrayExpr
    axis: int | None
    """None for all axes: places have the shape of the array."""

    @property
    def label(self) -> str:
        return "unique-inverse"

    def _dtype(self) -> np.dtype:
        return np.dtype(np.intp)

    def _chunks(self) -> Chunks:
        return self.array.chunks if self.axis is None else (self.array.chunks[self.axis],)

    def blocks(self, *children: Blocks) -> Blocks:
        n = children[0].n
        return Map(
            n=n,
            inputs=children,
            kernel=InverseOfBlock(self.axis),
            index=(every(n), np.zeros(n, np.int64)),
            name=self.label,
            origin=self.origin,
        )


@dataclass(frozen=True, eq=False, repr=False)
class InverseOfNan(Inverse):
    """As `Inverse`, of a 1-d array, where every NaN is distinct: they take the last places one after another."""

    def blocks(self, *children: Blocks) -> Blocks:
        array, values = children
        counts = Map(
            n=array.n, inputs=(array,), kernel=count_nan, index=(every(array.n),), name="count_nan", origin=self.origin
        )
        starts = Gather(
            n=1,
            inputs=(counts,),
            kernel=running_total,
            indptr=np.array([0, array.n]),
            indices=every(array.n),
            name="cumsum",
            origin=self.origin,
        )
        zeros = np.zeros(array.n, np.int64)
        return Map(
            n=array.n,
            inputs=(array, values, starts),
            kernel=inverse_of_nan,
            index=(every(array.n), zeros, zeros),
            params=np.arange(array.n),
            name=self.label,
            origin=self.origin,
        )


def count_nan(block: Any) -> int:
    """Kernel: how many NaN there are."""
    return int(np.count_nonzero(np.isnan(block)))


def running_total(*counts: int) -> np.ndarray:
    """Kernel: where each block starts, given how many each has."""
    return np.cumsum([0, *counts])


def inverse_of_nan(number: int, block: Any, values: Any, starts: Any) -> Any:
    """Kernel: as `InverseOfBlock`; NaN take the places that those of blocks before leave."""
    places = np.searchsorted(values, block)
    is_nan = np.isnan(block)
    first = len(values) - int(starts[-1]) + int(starts[number])
    places[is_nan] = first + np.arange(np.count_nonzero(is_nan))
    return places


class PartOfBlock:
    """Kernel: values, first places or counts."""

    def __init__(self, part: str) -> None:
        self.__name__ = f"unique-{part}"
        self.part = part

    def __call__(self, distinct: Distinct) -> Any:
        return getattr(distinct, self.part)


class InverseOfBlock:
    """Kernel: where the elements of a block are among the distinct ones."""

    __name__ = "unique-inverse"

    def __init__(self, axis: int | None) -> None:
        self.axis = axis

    def __call__(self, block: Any, values: Any) -> Any:
        if self.axis is None:
            return np.searchsorted(values, block)
        both = np.concatenate([values, block], axis=self.axis)
        places = np.unique(both, axis=self.axis, return_inverse=True)[1].ravel()
        return places[values.shape[self.axis] :]


def unique(
    x: ArrayExpr, axis: int | None, *, first: bool, inverse: bool, equal_nan: bool
) -> tuple[ArrayExpr, ArrayExpr | None, ArrayExpr | None, ArrayExpr]:
    """Distinct elements, and, where asked for, first places and inverse; counts.

    Raises
    ------
    numpy.exceptions.AxisError
        There is no such axis.
    ValueError
        First places of an array whose lengths are unknown.
    NotImplementedError
        The inverse along an axis where every NaN is distinct.
    """
    given = x
    if axis is None:
        along = 0
        x = masks.flat(x, 0, x.ndim) if first else x
    else:
        along = axis = np.lib.array_utils.normalize_axis_index(axis, x.ndim)
        x = in_one_block(x, [k for k in range(x.ndim) if k != axis])
    nan_apart = inverse and not equal_nan and x.dtype.kind in "fc"
    if nan_apart and axis is not None:
        raise NotImplementedError("the inverse of unique along an axis needs equal NaN to be equal: equal_nan=True")
    if first:
        known(x.chunks[along])
    of_block = functools.partial(_distinct, axis, first, equal_nan)
    merge = functools.partial(_merged, axis, equal_nan)
    reduction = Reduction("unique", of_block, merge, _as_it_is, positional=first)
    line: Chunks = ((UNKNOWN,),)
    chunks: Chunks = line if axis is None else tuple((UNKNOWN,) if k == axis else c for k, c in enumerate(x.chunks))
    axes = tuple(range(x.ndim)) if axis is None else (axis,)
    distinct = Condense(x, reduction, axes, chunks, x.dtype)
    places = np.dtype(np.intp)
    values = PartOf(distinct, "values", chunks, x.dtype)
    inverted: ArrayExpr | None = None
    if nan_apart:
        inverted = reshape(InverseOfNan(masks.flat(given, 0, given.ndim), values, axis), given.shape)
    elif inverse:
        inverted = Inverse(given if axis is None else x, values, axis)
    return (
        values,
        PartOf(distinct, "first", line, places) if first else None,
        inverted,
        PartOf(distinct, "counts", line, places),
    )


def _distinct(
    axis: int | None, first: bool, equal_nan: bool, block: Any, axes: Axes, dtype: np.dtype, where: Any = None
) -> Distinct:
    values, places, counts = np.unique(block, return_index=True, return_counts=True, axis=axis, equal_nan=equal_nan)
    if not first:
        return Distinct(values, None, counts)
    shape_and_corner: tuple[Shape, Sequence[int]] = where
    return Distinct(values, places + shape_and_corner[1][axis or 0], counts)


def _merged(axis: int | None, equal_nan: bool, parts: Sequence[Distinct]) -> Distinct:
    """Equal elements of several parts as one; the parts follow each other as their elements do in the array."""
    together = np.concatenate([part.values for part in parts], axis=axis or 0)
    # return_index makes the sort stable, so that NaN that are distinct stay in their order.
    values, _, inverse = np.unique(together, return_index=True, return_inverse=True, axis=axis, equal_nan=equal_nan)
    inverse = inverse.ravel()
    n = values.shape[axis or 0]
    counts = np.zeros(n, np.intp)
    np.add.at(counts, inverse, np.concatenate([part.counts for part in parts]))
    if any(part.first is None for part in parts):
        return Distinct(values, None, counts)
    first = np.full(n, np.iinfo(np.intp).max)
    np.minimum.at(first, inverse, np.concatenate([part.first for part in parts if part.first is not None]))
    return Distinct(values, first, counts)


def _as_it_is(distinct: Distinct, dtype: np.dtype) -> Distinct:
    return distinct
