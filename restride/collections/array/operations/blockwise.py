"""Blockwise: a function of blocks that correspond by named axes; products, gufuncs and decompositions are made of it.

Each array names its axes, and the result its own. The function is called once for each block of the result, with the
blocks that have its place along the axes they share. An axis that the result lacks is *contracted*: if it is in several
blocks, the function gets all of them.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restride.collections.array.chunks import Chunks, Shape, block_shapes, common_chunks
from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations.elementwise import WithLiterals
from restride.collections.array.operations.map_blocks import CheckedFunction
from restride.collections.array.operations.masking import are_masks_known, concatenate_blocks
from restride.collections.array.operations.rechunk import rechunk
from restride.collections.blocks import Blocks, Gather, Map, Select, every
from restride.collections.expression import Expr
from restride.errors import ChunkError

Name = Hashable
"""Of an axis: what is equal is the same axis."""
Names = tuple[Name, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Calls(Expr):
    """What a function of blocks returns, whatever that is: arrays, tuples of arrays."""

    func: Callable[..., Any]
    args: tuple[Any, ...]
    """Array expressions and literals."""
    names: tuple[Names | None, ...]
    """For each argument the names of its axes; None for literals."""
    out_names: Names
    out_grid: Shape
    kwargs: tuple[tuple[str, Any], ...] = ()
    nested: bool = False
    """Whether blocks along contracted axes come as nested lists, rather than concatenated."""

    @property
    def label(self) -> str:
        return getattr(self.func, "__name__", type(self.func).__name__)

    def blocks(self, *children: Blocks) -> Blocks:
        n = math.prod(self.out_grid)
        literals = [(at, arg) for at, arg in enumerate(self.args) if not isinstance(arg, ArrayExpr)]
        kernel = WithLiterals(self.func, literals, dict(self.kwargs)) if literals or self.kwargs else self.func
        arrays = [
            (arg, names)
            for arg, names in zip(self.args, self.names)
            if isinstance(arg, ArrayExpr) and names is not None
        ]
        index = [self._numbers(arg.grid, names) for arg, names in arrays]
        contracted = [
            tuple(axis for axis, name in enumerate(names) if name not in self.out_names) for _, names in arrays
        ]
        several = any(numbers[0].size > 1 for numbers in index if len(numbers))
        if several or (self.nested and any(contracted)):
            kernel = WithContracted(kernel, [numbers.shape[1:] for numbers in index], contracted, self.nested)
        if not several:
            return Map(
                n=n,
                inputs=children,
                kernel=kernel,
                index=tuple(_numbers_in_order(numbers.reshape(n), table.n) for numbers, table in zip(index, children)),
                name=self.label,
                origin=self.origin,
            )
        starts = np.cumsum([0, *(table.n for table in children)])
        rows = np.concatenate([numbers.reshape(n, -1) + start for numbers, start in zip(index, starts)], axis=1)
        return Gather(
            n=n,
            inputs=(Select(n=int(starts[-1]), inputs=children, table=np.arange(starts[-1])),),
            kernel=kernel,
            indptr=np.arange(0, rows.size + 1, rows.shape[1]),
            indices=rows.ravel(),
            name=self.label,
            origin=self.origin,
        )

    def _numbers(self, grid: Shape, names: Names) -> NDArray[np.int64]:
        """An array's blocks for each block of the result, int64[blocks, *the blocks along its contracted axes]."""
        mine = list(dict.fromkeys(names))
        # A name met twice stands for the diagonal.
        numbers = np.einsum(
            np.arange(math.prod(grid)).reshape(grid), [mine.index(name) for name in names], list(range(len(mine)))
        )
        kept = [name for name in self.out_names if name in mine]
        rest = [name for name in mine if name not in self.out_names]
        numbers = numbers.transpose([mine.index(name) for name in (*kept, *rest)])
        inner = numbers.shape[len(kept) :]
        shape = [numbers.shape[kept.index(name)] if name in kept else 1 for name in self.out_names]
        return np.broadcast_to(numbers.reshape((*shape, *inner)), (*self.out_grid, *inner)).reshape(-1, *inner)


@dataclass(frozen=True, eq=False, repr=False)
class Returned(ArrayExpr):
    """The arrays that a function returned, or one of several from each call."""

    calls: Calls
    out_chunks: Chunks
    out_dtype: np.dtype
    number: int | None = None
    """Which of several."""
    checked: bool = False
    """Whether to check what was returned, as a user's function may return anything."""

    @property
    def label(self) -> str:
        return self.calls.label if self.number is None else f"{self.calls.label}-{self.number}"

    def _dtype(self) -> np.dtype:
        return self.out_dtype

    def _chunks(self) -> Chunks:
        return self.out_chunks

    def _masked(self) -> bool:
        masked = any(isinstance(arg, ArrayExpr) and arg.masked for arg in self.calls.args)
        return self._checked_masked(masked, are_masks_known(self.calls.func))

    def blocks(self, *children: Blocks) -> Blocks:
        if self.number is None and not self.checked:
            return children[0]
        take = _as_returned if self.number is None else operator.itemgetter(self.number)
        checked = self.checked and not any(math.isnan(length) for lengths in self.chunks for length in lengths)
        return Map(
            n=self.n_blocks,
            inputs=children,
            kernel=CheckedFunction(take, (), {}, self.dtype, self.ndim, False, self.label) if checked else take,
            index=(every(self.n_blocks),),
            params=block_shapes(self.chunks) if checked else None,
            name=self.label,
            origin=self.origin,
        )


class WithContracted:
    """Kernel: a function that gets all blocks of an array along the axes that the result lacks.

    Parameters
    ----------
    func : callable
    counts : sequence of tuple of int
        For each array how many blocks there are along each of its contracted axes.
    axes : sequence of tuple of int
        Which of its axes these are.
    nested : bool
        Whether `func` gets them as nested lists, rather than concatenated.
    """

    def __init__(
        self, func: Callable[..., Any], counts: Sequence[Shape], axes: Sequence[tuple[int, ...]], nested: bool
    ) -> None:
        self.__name__ = getattr(func, "__name__", type(func).__name__)
        self.func = func
        self.counts = tuple(counts)
        self.axes = tuple(axes)
        self.nested = nested

    def __call__(self, *blocks: Any) -> Any:
        args = []
        start = 0
        for counts, axes in zip(self.counts, self.axes):
            parts = list(blocks[start : start + math.prod(counts)])
            start += len(parts)
            for count, axis in zip(reversed(counts), reversed(axes)):
                runs = [parts[i : i + count] for i in range(0, len(parts), count)]
                parts = (
                    runs if self.nested else [run[0] if count == 1 else concatenate_blocks(run, axis) for run in runs]
                )
            args.append(parts[0])
        return self.func(*args)


def calls(
    func: Callable[..., Any],
    out_names: Sequence[Name],
    args: Sequence[Any],
    names: Sequence[Sequence[Name] | None],
    *,
    new_chunks: Mapping[Name, tuple[int, ...]] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    nested: bool = False,
    align: bool = True,
) -> tuple[Calls, dict[Name, tuple[int, ...]]]:
    """Call a function for blocks that correspond by the names of their axes.

    Parameters
    ----------
    func : callable
    out_names : sequence of hashable
        Names of the axes of the result.
    args : sequence of ArrayExpr or literal
    names : sequence of (sequence of hashable or None)
        For each argument the names of its axes; None for literals.
    new_chunks : mapping, optional
        From names that no argument has to the lengths of the blocks.
    kwargs : mapping, optional
        Passed to `func`.
    nested : bool
        Whether blocks along contracted axes come as nested lists, rather than concatenated.
    align : bool
        Whether to bring the arrays to common chunks first. Otherwise they must have as many blocks.

    Returns
    -------
    calls : Calls
    lengths : dict
        For each name the lengths of the blocks of the arguments along it.

    Raises
    ------
    ValueError
        Axes of one name and different lengths, a name in the result that nothing has, not a name for each axis.
    """
    spelled = tuple(None if some is None else tuple(some) for some in names)
    if align:
        args = aligned(args, spelled)
    lengths = dict(new_chunks or {})
    for arg, some in zip(args, spelled):
        for name, along in zip(some or (), arg.chunks if some else ()):
            known = lengths.get(name, along)
            if len(known) != len(along) and 1 not in (len(known), len(along)):
                raise ChunkError(f"axis {name!r} is in {len(known)} blocks in one array and {len(along)} in another")
            lengths[name] = along if len(along) > len(known) or sum(known) == 1 else known
    for name in out_names:
        if name not in lengths:
            raise ValueError(f"axis {name!r} of the result is in none of the arrays, nor among new_axes")
    grid = tuple(len(lengths[name]) for name in out_names)
    ordered = tuple(sorted((kwargs or {}).items()))
    return Calls(func, tuple(args), spelled, tuple(out_names), grid, ordered, nested), lengths


def aligned(args: Sequence[Any], names: Sequence[Names | None]) -> tuple[Any, ...]:
    """The same arguments, along common chunks wherever they share a name and do not broadcast."""
    found: dict[Name, list[tuple[int, ...]]] = {}
    for arg, some in zip(args, names):
        if some is not None:
            if len(some) != arg.ndim:
                raise ValueError(f"{len(some)} names {some} for the {arg.ndim} axes of an array of shape {arg.shape}")
            for name, along in zip(some, arg.chunks):
                found.setdefault(name, []).append(along)
    common = {}
    for name, several in found.items():
        long = {total for total in map(sum, several) if total != 1 and not math.isnan(total)}
        if len(long) > 1:
            raise ValueError(f"axis {name!r} has different lengths in different arrays: {sorted(long)}")
        common[name] = common_chunks([(along,) for along in several])[0]
    return tuple(
        arg
        if some is None
        else rechunk(
            arg, tuple((1,) if sum(c) == 1 and sum(common[n]) != 1 else common[n] for n, c in zip(some, arg.chunks))
        )
        for arg, some in zip(args, names)
    )


def _as_returned(block: Any) -> Any:
    """Kernel: a block as it is."""
    return block


def _numbers_in_order(numbers: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """The same numbers; the one object for it if they are those of all blocks in order."""
    return every(n) if len(numbers) == n and np.array_equal(numbers, every(n)) else numbers
