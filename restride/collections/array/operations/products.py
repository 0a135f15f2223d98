"""Products: sums over shared axes of products of arrays, as partial products of blocks and trees that add them up.

A block of the result is a sum over the blocks along the contracted axes. Each partial product is a task of its own,
with the contracted axes kept at length 1; a reduction adds them. So no task ever holds a whole row or column of blocks.
Where blocks of the result would be larger than twice the largest block that goes in, the factors are split beforehand.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from restride.collections.array.chunks import SMALL_BLOCK, is_unknown
from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations.blockwise import Name, Returned, aligned, calls
from restride.collections.array.operations.elementwise import astype, elementwise
from restride.collections.array.operations.rechunk import rechunk
from restride.collections.array.operations.reduce_tree import Reduce, Reduction
from restride.collections.array.operations.sources import full


class KeepContracted:
    """Kernel: a product of blocks, with new last axes of length 1 for the axes it is a partial sum over."""

    def __init__(self, func: Callable[..., Any], n: int, dtype: np.dtype, label: str) -> None:
        self.__name__ = label
        self.func = func
        self.n = n
        self.dtype = dtype

    def __call__(self, *blocks: Any) -> Any:
        product = np.asarray(self.func(*blocks)).astype(self.dtype, copy=False)
        return product.reshape(product.shape + (1,) * self.n)


def product(
    func: Callable[..., Any],
    out_names: Sequence[Name],
    args: Sequence[ArrayExpr],
    names: Sequence[Sequence[Name]],
    dtype: np.dtype,
    label: str,
) -> ArrayExpr:
    """A sum of products over the axes that the result lacks.

    Parameters
    ----------
    func : callable
        The product of blocks: an array with the axes of the result.
    out_names : sequence of hashable
    args : sequence of ArrayExpr
    names : sequence of sequence of hashable
        For each array the names of its axes.
    dtype : dtype
        Of the result, and of the partial sums.
    label : str
        What people see.

    Raises
    ------
    ValueError
        Axes of one name and different lengths.
    """
    met = dict.fromkeys(name for some in names for name in some)
    contracted = [name for name in met if name not in out_names]
    args = _bounded(aligned(args, [tuple(some) for some in names]), names, out_names, dtype)
    partial_names = [*out_names, *contracted]
    made, lengths = calls(KeepContracted(func, len(contracted), dtype, label), partial_names, args, names)
    chunks = tuple(lengths[name] for name in out_names)
    ones = tuple((1,) * len(lengths[name]) for name in contracted)
    if any(sum(lengths[name]) == 0 for name in contracted):
        return full(chunks, np.zeros((), dtype), dtype)
    partial = Returned(made, (*chunks, *ones), dtype)
    if not contracted:
        return partial
    return Reduce(partial, PARTIAL_SUMS, tuple(range(len(chunks), partial.ndim)), False, dtype)


def _bounded(
    args: Sequence[ArrayExpr], names: Sequence[Sequence[Name]], out_names: Sequence[Name], dtype: np.dtype
) -> Sequence[ArrayExpr]:
    """The factors, split along the axes of the result until its blocks are no larger than twice theirs."""
    if any(is_unknown(lengths) for arg in args for lengths in arg.chunks):
        return args
    sides: dict[Name, int] = {}
    for arg, some in zip(args, names):
        for name, lengths in zip(some, arg.chunks):
            sides[name] = max(sides.get(name, 0), *lengths)
    bytes_in = max((math.prod(map(max, arg.chunks)) * arg.dtype.itemsize for arg in args), default=0)
    most = max(2 * bytes_in, SMALL_BLOCK) // max(dtype.itemsize, 1)
    limits = {name: sides[name] for name in out_names}
    while math.prod(limits.values()) > most:
        longest = max(limits, key=lambda name: limits[name])
        limits[longest] = -(-limits[longest] // 2)
    if all(limits[name] == sides[name] for name in out_names):
        return args
    return [
        rechunk(
            arg,
            tuple(_split(c, limits[name]) if name in limits else c for name, c in zip(some, arg.chunks)),
        )
        for arg, some in zip(args, names)
    ]


def _split(lengths: tuple[int, ...], most: int) -> tuple[int, ...]:
    """Each block in parts of about one length, `most` at most."""
    parts: list[int] = []
    for length in lengths:
        n = max(-(-length // most), 1)
        size, longer = divmod(length, n)
        parts += [size + 1] * longer + [size] * (n - longer)
    return tuple(parts)


def _partial_as_it_is(block: Any, axes: Any, dtype: np.dtype) -> Any:
    return block


def _sum_of(partials: Sequence[Any]) -> Any:
    total = np.add(partials[0], partials[1]) if len(partials) > 1 else partials[0]
    for partial in partials[2:]:
        np.add(total, partial, out=total)
    return total


def _sum_as_it_is(partial: Any, dtype: np.dtype) -> Any:
    return partial


PARTIAL_SUMS = Reduction("sum-products", _partial_as_it_is, _sum_of, _sum_as_it_is)


# ---- products by name -----------------------------------------------------------------------------------------------


def matmul(a: ArrayExpr, b: ArrayExpr) -> ArrayExpr:
    """``a @ b``: matrices in the last two axes, stacks of them broadcast; vectors where there is one axis.

    Raises
    ------
    ValueError
        A factor without axes, or shapes that do not go together.
    """
    for number, factor in enumerate((a, b)):
        if factor.ndim == 0:
            raise ValueError(
                f"matmul: Input operand {number} does not have enough dimensions (has 0, needs at least 1)"
            )
    row = ("row",) if a.ndim > 1 else ()
    column = ("column",) if b.ndim > 1 else ()
    inner = a.shape[-1], b.shape[-2 if column else -1]
    if differ(*inner):
        raise ValueError(f"matmul: shapes {a.shape} and {b.shape} do not go together: {inner[0]} is not {inner[1]}")
    stack = max(a.ndim - 2, b.ndim - 2, 0)
    lead_a, lead_b = range(stack - max(a.ndim - 2, 0), stack), range(stack - max(b.ndim - 2, 0), stack)
    dtype = np.matmul(np.zeros((1, 1), a.dtype), np.zeros((1, 1), b.dtype)).dtype
    names = [(*lead_a, *row, "inner"), (*lead_b, "inner", *column)]
    return product(np.matmul, (*range(stack), *row, *column), [a, b], names, dtype, "matmul")


def differ(length: int, other: int) -> bool:
    """Whether axes are known to have different lengths."""
    return length != other and not math.isnan(length) and not math.isnan(other)


def vecdot(a: ArrayExpr, b: ArrayExpr) -> ArrayExpr:
    """Sum of ``conj(a) * b`` along the last axis; the others broadcast."""
    ndim = max(a.ndim, b.ndim)
    dtype = np.vecdot(np.zeros(1, a.dtype), np.zeros(1, b.dtype)).dtype
    names = [range(ndim - a.ndim, ndim), range(ndim - b.ndim, ndim)]
    return product(np.vecdot, range(ndim - 1), [a, b], names, dtype, "vecdot")


def tensordot(a: ArrayExpr, b: ArrayExpr, axes_a: Sequence[int], axes_b: Sequence[int]) -> ArrayExpr:
    """Sum of products over some axes of `a` and as many of `b`, numbered from 0."""
    names_a: list[Name] = [("a", axis) for axis in range(a.ndim)]
    names_b: list[Name] = [("b", axis) for axis in range(b.ndim)]
    for axis_a, axis_b in zip(axes_a, axes_b):
        names_b[axis_b] = names_a[axis_a]
    kept = [n for axis, n in enumerate(names_a) if axis not in axes_a]
    kept += [n for axis, n in enumerate(names_b) if axis not in axes_b]
    dtype = np.dot(np.zeros(1, a.dtype), np.zeros(1, b.dtype)).dtype
    kernel = functools.partial(np.tensordot, axes=(tuple(axes_a), tuple(axes_b)))
    return product(kernel, kept, [a, b], [names_a, names_b], dtype, "tensordot")


def dot(a: ArrayExpr, b: ArrayExpr) -> ArrayExpr:
    """Sum of products over the last axis of `a` and the last but one, or only, axis of `b`; of scalars, the product."""
    if not a.ndim or not b.ndim:
        return elementwise(np.multiply, a, b)
    if a.ndim <= 2 and b.ndim <= 2:
        return matmul(a, b)
    axis = max(b.ndim - 2, 0)
    if differ(a.shape[-1], b.shape[axis]):
        raise ValueError(
            f"dot: shapes {a.shape} and {b.shape} do not go together: {a.shape[-1]} is not {b.shape[axis]}"
        )
    return tensordot(a, b, [a.ndim - 1], [axis])


def outer(a: ArrayExpr, b: ArrayExpr) -> ArrayExpr:
    """Every element of one 1-d array times every one of another."""
    dtype = np.multiply(np.zeros(1, a.dtype), np.zeros(1, b.dtype)).dtype
    return product(np.outer, (0, 1), [a, b], [(0,), (1,)], dtype, "outer")


def einsum(args: Sequence[ArrayExpr], letters: Sequence[str], out: str, dtype: np.dtype) -> ArrayExpr:
    """One sum of products by Einstein's convention, of all the arrays at once."""
    converted = [astype(arg, dtype) if np.can_cast(arg.dtype, dtype) else arg for arg in args]
    kernel = EinsumBlock(",".join(letters) + "->" + out)
    return product(kernel, out, converted, letters, dtype, "einsum")


class EinsumBlock:
    """Kernel: numpy's einsum of blocks, by way of BLAS where it is a product of matrices."""

    def __init__(self, subscripts: str) -> None:
        self.__name__ = "einsum"
        self.subscripts = subscripts

    def __call__(self, *blocks: Any) -> Any:
        return np.einsum(self.subscripts, *blocks, optimize=len(blocks) == 2)
