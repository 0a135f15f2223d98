"""Fourier transforms: along axes that lie in one block as they are, along others after a rechunk that gathers them."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from restride.collections.array.chunks import Chunks
from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations.cuts import WHOLE, Cuts
from restride.collections.array.operations.rechunk import rechunk
from restride.collections.array.operations.slicing import cut_array
from restride.collections.blocks import Blocks, Map, every

SMALL_BLOCK = 2**20
"""Bytes that blocks may grow to before gathering an axis splits others: tiny blocks cost more than they save."""

PLAIN = ("fftn", "ifftn")
"""Transforms from complex to complex numbers."""
HALVED = ("rfftn", "ihfftn")
"""Transforms of real numbers: the last of the axes gets ``n // 2 + 1`` long, and is to be transformed first."""
DOUBLED = ("irfftn", "hfftn")
"""Transforms to real numbers: the last of the axes gets ``n`` long, and is to be transformed last."""


@dataclass(frozen=True, eq=False, repr=False)
class Transform(ArrayExpr):
    """A transform along axes that are in one block each."""

    array: ArrayExpr
    function: str
    """Name of the n-dimensional function in `scipy.fft`."""
    axes: tuple[int, ...]
    lengths: tuple[int, ...]
    """For each of the axes the number of points: what the function calls `s`."""
    norm: str | None

    @property
    def label(self) -> str:
        return self.function.removesuffix("n") if len(self.axes) == 1 else self.function

    def _dtype(self) -> np.dtype:
        return result_dtype(self.function, self.array.dtype, self.norm)

    def _chunks(self) -> Chunks:
        chunks = list(self.array.chunks)
        for axis, length in zip(self.axes, self.lengths):
            chunks[axis] = (length,)
        if self.function in HALVED:
            chunks[self.axes[-1]] = (self.lengths[-1] // 2 + 1,)
        return tuple(chunks)

    def blocks(self, *children: Blocks) -> Blocks:
        return Map(
            n=self.n_blocks,
            inputs=children,
            kernel=TransformBlock(self.label, self.function, self.axes, self.lengths, self.norm, self.dtype),
            index=(every(self.n_blocks),),
            name=self.label,
            origin=self.origin,
        )

    def sliced(self, cuts: Cuts) -> ArrayExpr | None:
        if any(cuts[axis] != WHOLE for axis in self.axes):
            return None
        axes = tuple(axis - sum(isinstance(cut, int) for cut in cuts[:axis]) for axis in self.axes)
        return self.replace(array=cut_array(self.array, cuts), axes=axes)


class TransformBlock:
    """Kernel: a transform of a block, by scipy's functions, that are some times faster than numpy's on many lines."""

    def __init__(
        self,
        name: str,
        function: str,
        axes: tuple[int, ...],
        lengths: tuple[int, ...],
        norm: str | None,
        dtype: np.dtype,
    ) -> None:
        self.__name__ = name
        self.function = function
        self.axes = axes
        self.lengths = lengths
        self.norm = norm
        self.dtype = dtype

    def after(self, first: Any) -> TransformBlock | None:
        """One transform for this and the one before it; of real numbers it saves half of the second."""
        if (
            type(first) is not TransformBlock
            or (first.function, first.norm) != (self.function, self.norm)
            or self.function not in PLAIN
            or set(first.axes) & set(self.axes)
        ):
            return None
        name = first.__name__ if first.__name__.endswith("n") else f"{first.__name__}n"
        axes, lengths = (*self.axes, *first.axes), (*self.lengths, *first.lengths)
        return TransformBlock(name, self.function, axes, lengths, self.norm, self.dtype)

    def __call__(self, block: np.ndarray) -> np.ndarray:
        import scipy.fft

        function = getattr(scipy.fft, self.function)
        result: np.ndarray = function(block, s=self.lengths, axes=self.axes, norm=self.norm, workers=1)
        return result.astype(self.dtype, copy=False)


def transform(x: ArrayExpr, function: str, s: Sequence[int] | None, axes: Sequence[int], norm: str | None) -> ArrayExpr:
    """Transform along some axes, as numpy's function of that name would.

    Axes in one block are transformed first, in the task that makes the block. The others are gathered, as many at a
    time as fit into blocks of the size there is, each time splitting axes that stay behind; the result keeps the chunks
    of the last time.

    Parameters
    ----------
    x : ArrayExpr
    function : str
        Name of the n-dimensional function of `scipy.fft`: ``"fftn"``, ``"irfftn"``, ...
    s : sequence of int, optional
        For each of the axes the number of points to use, or to give where the result is real; -1 for all there are.
    axes : sequence of int
    norm : {"backward", "ortho", "forward"}, optional

    Raises
    ------
    numpy.exceptions.AxisError
        An axis that `x` does not have.
    ValueError
        Less than one point; `s` and `axes` of different lengths; an unknown `norm`.
    TypeError
        A dtype that has no such transform.
    """
    axes = [np.lib.array_utils.normalize_axis_index(operator.index(axis), x.ndim) for axis in axes]
    result_dtype(function, x.dtype, norm)
    points = _points(x, function, s, axes)
    if len(set(axes)) < len(axes):
        raise ValueError(f"an axis cannot be transformed twice in one call, got axes {tuple(axes)}")
    if not axes and function not in PLAIN:
        raise ValueError(f"{function} needs at least 1 axis")
    left = dict(zip(axes, points))
    last = axes[-1] if axes else None
    while left:
        urgent = _urgent(function, list(left), last)
        now = [axis for axis in left if len(x.chunks[axis]) == 1]
        if function in DOUBLED and len(now) < len(left):
            now = [axis for axis in now if axis != last]
        if not now or (function in HALVED and last in left and last not in now):
            x = rechunk(x, gathered(x.chunks, urgent, x.dtype.itemsize))
            continue
        name = _part(function, last in now)
        x = Transform(x, name, tuple(now), tuple(left.pop(axis) for axis in now), norm)
    return x


def result_dtype(function: str, dtype: np.dtype, norm: str | None = None) -> np.dtype:
    """What numpy's transform gives for a dtype; numpy's errors for a dtype or a `norm` that it does not take."""
    result: np.ndarray = getattr(np.fft, function.removesuffix("n"))(np.zeros(2, dtype), norm=norm)
    return result.dtype


def gathered(chunks: Chunks, axes: Sequence[int], itemsize: int) -> Chunks:
    """Chunks with some axes in one block each, and others split to make up for it.

    Parameters
    ----------
    chunks : tuple of tuple of int
    axes : sequence of int
        The axes to gather, the most urgent first. If blocks would become too large, only the first so many of them.
    itemsize : int
        Bytes of an element.

    Returns
    -------
    tuple of tuple of int
        Blocks of about the size there was before, and about as many.

    Examples
    --------
    >>> gathered(((50,) * 160, (8000,)), [0], itemsize=8) == ((8000,), (50,) * 160)
    True
    >>> small = gathered(((2, 2), (6,)), [0], itemsize=8)
    >>> small
    ((4,), (6,))
    """
    sides = [max(lengths) for lengths in chunks]
    target = max(math.prod(sides), SMALL_BLOCK // itemsize, 1)
    for count in range(len(axes), 0, -1):
        whole = axes[:count]
        size = math.prod(sum(c) if axis in whole else side for axis, (c, side) in enumerate(zip(chunks, sides)))
        parts = _splits(sides, whole, axes, -(-size // target))
        if count == 1 or size / math.prod(parts) <= 2 * target:
            break
    return tuple(
        (sum(lengths),) if axis in whole else _split(lengths, n) for axis, (lengths, n) in enumerate(zip(chunks, parts))
    )


def _splits(sides: Sequence[int], whole: Sequence[int], later: Sequence[int], parts: int) -> list[int]:
    """Into how many each block is to be split along each axis, for `parts` in all.

    The axes still to be gathered come last; before, the first come first, so that what is cut out stays contiguous.
    """
    splits = [1] * len(sides)
    for axis in sorted(range(len(sides)), key=lambda axis: (axis in later, axis)):
        if axis not in whole and parts > 1:
            splits[axis] = max(min(parts, sides[axis]), 1)
            parts = -(-parts // splits[axis])
    return splits


def _split(lengths: Sequence[int], n: int) -> tuple[int, ...]:
    """Each block in `n` of one length, but for the last."""
    if n == 1:
        return tuple(lengths)
    pieces: list[int] = []
    for length in lengths:
        size = max(-(-length // n), 1)
        full, rest = divmod(length, size)
        pieces += [size] * full + ([rest] if rest else [])
    return tuple(pieces) or (0,)


def _urgent(function: str, left: list[int], last: int | None) -> list[int]:
    if function in HALVED and last in left:
        return [last, *(axis for axis in left if axis != last)]
    return left


def _part(function: str, with_last: bool) -> str:
    """The function for some of the axes: where the last is not among them, that from complex to complex."""
    if with_last or function in PLAIN:
        return function
    return "fftn" if function == "rfftn" else "ifftn"


def _points(x: ArrayExpr, function: str, s: Sequence[int] | None, axes: Sequence[int]) -> list[int]:
    if s is None:
        points = [x.shape[axis] for axis in axes]
        if axes and function in DOUBLED:
            points[-1] = 2 * (points[-1] - 1)
    else:
        if len(s) != len(axes):
            raise ValueError(f"s and axes must have one length, got {len(s)} and {len(axes)} (s={tuple(s)})")
        points = [x.shape[axis] if n == -1 else operator.index(n) for n, axis in zip(s, axes)]
    for n in points:
        if n < 1:
            raise ValueError(f"Invalid number of FFT data points ({n}) specified.")
    return points
