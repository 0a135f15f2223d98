"""Blocks: the lowered, still symbolic form between expressions and task graphs, the same for arrays and frames.

A `Blocks` node is a table of `n` blocks, numbered from 0. It says for each which blocks of other tables it is made of,
in columns of numbers, and by which kernel; there is no object per block. Five kinds are enough:

- `Map`: each block is made of exactly one block of each input: elementwise work, transposes, cuts, sources.
- `Gather`: each block is made of several blocks of one input: the steps of a tree.
- `Select`: blocks of other tables in another order: no work at all.
- `Ready`: blocks that exist, or will, in the store of a client.
- `Rechunked`: the blocks of an array along other boundaries, as `restride.shuffle.rechunk` has planned them.

`restride.collections.fusion` merges maps into maps, then `restride.collections.lowering` turns each table to a layer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from restride.engine.graphs.csr import Ints
from restride.engine.graphs.graph import Params

if TYPE_CHECKING:
    from restride.engine.client.futures import Future
    from restride.shuffle.rechunk import RechunkPlan

Kernel = Callable[..., Any]


@dataclass(frozen=True, eq=False, kw_only=True)
class Blocks:
    """A table of blocks."""

    n: int
    """How many blocks."""
    inputs: tuple[Blocks, ...] = ()
    """The tables whose blocks these are made of."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Map(Blocks):
    """Block ``i`` is ``kernel(params[i], *blocks)`` of one block of each input ``k``, its number ``index[k][i]``."""

    kernel: Kernel
    """Called without its first argument where there are no `params`."""
    index: tuple[Ints, ...] = ()
    """For each input the number of the block used by each of these, int64[n]."""
    params: Params | None = None
    """One value a block."""
    free: bool = False
    """Costs next to nothing to make, so that it may be made again in each task that uses it."""
    name: str
    """What people see."""
    origin: str | None = None
    """The line of the user's code that asked for it."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Gather(Blocks):
    """Block ``i`` is ``kernel(params[i], *blocks)`` of blocks ``indices[indptr[i]:indptr[i + 1]]`` of the one input."""

    kernel: Kernel
    indptr: Ints
    indices: Ints
    params: Params | None = None
    name: str
    origin: str | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Select(Blocks):
    """Block ``i`` is block ``table[i]`` of the inputs, numbered through from the first input's to the last's."""

    table: Ints


@dataclass(frozen=True, eq=False, kw_only=True)
class Ready(Blocks):
    """Block ``i`` is the result of a future."""

    futures: Sequence[Future]


@dataclass(frozen=True, eq=False, kw_only=True)
class Rechunked(Blocks):
    """The blocks of the one input along the boundaries that a plan ends with."""

    plan: RechunkPlan
    name: str
    origin: str | None = None


@lru_cache(maxsize=16)
def every(n: int) -> Ints:
    """The numbers of all of `n` blocks in order, read-only; the same object for the same `n`, where it is recent."""
    numbers = np.arange(n)
    numbers.flags.writeable = False
    return numbers


def compose(first: Ints, then: Ints) -> Ints:
    """The index ``first[then]``, without the work where either is the identity."""
    if first is every(len(first)):
        return then
    if len(then) == len(first) and then is every(len(then)):
        return first
    return first[then]


def take_params(params: Params | None, index: Ints) -> Params | None:
    """The rows `index` of a column of parameters."""
    if params is None or index is every(len(params)):
        return params
    if isinstance(params, np.ndarray):
        return params[index]
    return [params[i] for i in index.tolist()]
