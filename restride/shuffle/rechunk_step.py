"""One transition between two chunkings: its columns, its kernels, its layers.

Along each axis the old and the new boundaries cut the array into intervals; the outer product over the axes gives the
pieces. A piece is a task that slices one old block, a new block is a task that merges its pieces, and neither is a task
where nothing is to be done: a piece that is a whole old block is that block, a new block of one piece is that piece.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restride.engine.graphs.csr import Ints, row_starts
from restride.engine.graphs.graph import TaskGraph
from restride.shuffle.overlap import Chunks, Overlap, overlap
from restride.shuffle.rechunk_cost import CACHE_LINE


@dataclass(frozen=True, eq=False, slots=True)
class RechunkStep:
    """The tasks of one transition, as columns.

    Blocks are numbered in C order. The columns refer to tasks by their place in ``[old blocks..., pieces...,
    merges...]``.

    Examples
    --------
    Chunks of 2 and 4 to chunks of 3 and 3: the first old block is used whole, the second is cut in two, and what is
    left of it is the second new block.

    >>> step = rechunk_step(((2, 4),), ((3, 3),))
    >>> step.source.tolist(), step.bounds.tolist()
    ([1, 1], [[0, 1], [1, 4]])
    >>> step.indptr.tolist(), step.indices.tolist(), step.grids.tolist()
    ([0, 2], [0, 2], [[2]])
    >>> step.outputs.tolist()
    [4, 3]
    """

    n_sources: int
    """How many old blocks there are."""
    source: Ints
    """Per piece the old block that it is cut from, int64[pieces]."""
    bounds: Ints
    """Per piece ``start, stop`` within its old block, axis by axis, int64[pieces, 2 * ndim]."""
    indptr: Ints
    """What the merges merge, old blocks and pieces, in CSR form: int64[merges + 1]."""
    indices: Ints
    """See `indptr`: int64[inputs], those of one merge in C order of its grid."""
    grids: Ints
    """Per merge how many inputs it has along each axis, int64[merges, ndim]."""
    outputs: Ints
    """Per new block the old block, piece or merge that it is, int64[new blocks]."""

    @property
    def n_tasks(self) -> int:
        """How many tasks the step takes."""
        return len(self.bounds) + len(self.grids)


def rechunk_step(old: Chunks, new: Chunks) -> RechunkStep:
    """Columns of the transition from `old` to `new`, two chunkings of one shape with one axis at least."""
    return step_of([overlap(a, b) for a, b in zip(old, new, strict=True)])


def step_of(axes: Sequence[Overlap]) -> RechunkStep:
    """Columns of the transition whose pieces along each axis are these."""
    n_old = [axis.n_old for axis in axes]
    inputs = np.ravel_multi_index(_mesh([axis.source for axis in axes]), n_old).ravel()
    whole = reduce(np.logical_and, _mesh([axis.whole for axis in axes])).ravel()
    cut = np.flatnonzero(~whole)
    source = inputs[cut]
    inputs[cut] = np.arange(len(cut)) + math.prod(n_old)
    grids = np.stack(np.broadcast_arrays(*_mesh([axis.counts for axis in axes])), axis=-1).reshape(-1, len(axes))
    indptr = row_starts(grids.prod(axis=1))
    indices = np.empty_like(inputs)
    indices[_places(axes, indptr)] = inputs
    bounds = _bounds(axes) if len(cut) == len(inputs) else _bounds(axes)[cut]
    return _without_trivial_merges(math.prod(n_old), source, bounds, indptr, indices, grids)


def lower_step(graph: TaskGraph, ids: Ints, step: RechunkStep, *, itemsize: int, name: str, origin: str | None) -> Ints:
    """Append the tasks of `step` to `graph`; `ids` are the tasks of the old blocks, the result is those of the new."""
    n_pieces, n_merges = len(step.source), len(step.grids)
    if n_pieces:
        thin = np.mean(step.bounds[:, -1] - step.bounds[:, -2]) * itemsize < CACHE_LINE
        kernel = copy_piece if thin else take_piece
        deps = (np.arange(n_pieces + 1), ids[step.source])
        pieces = graph.add_layer(kernel, n_pieces, deps=deps, params=step.bounds, name=f"{name}-piece", origin=origin)
        ids = np.concatenate([ids, pieces.ids])
    if n_merges:
        deps = (step.indptr, ids[step.indices])
        merges = graph.add_layer(
            merge_pieces, n_merges, deps=deps, params=step.grids, name=f"{name}-merge", origin=origin
        )
        ids = np.concatenate([ids, merges.ids])
    return ids[step.outputs]


def take_piece(bounds: Sequence[int], chunk: NDArray[Any]) -> NDArray[Any]:
    """The piece of `chunk` within ``bounds = [start0, stop0, start1, stop1, ...]``, a view.

    Examples
    --------
    >>> take_piece([0, 1, 1, 3], np.arange(6).reshape(2, 3))
    array([[1, 2]])
    """
    match bounds:  # slices written out take a quarter of the time of a tuple of slices
        case [a, b]:
            return chunk[a:b]
        case [a, b, c, d]:
            return chunk[a:b, c:d]
        case [a, b, c, d, e, f]:
            return chunk[a:b, c:d, e:f]
    return chunk[tuple(map(slice, bounds[::2], bounds[1::2]))]


def copy_piece(bounds: Sequence[int], chunk: NDArray[Any]) -> NDArray[Any]:
    """As `take_piece`, but a contiguous copy: for pieces so thin that a merge had better not read them from afar."""
    return take_piece(bounds, chunk).copy()


def merge_pieces(grid: Sequence[int], *pieces: NDArray[Any]) -> NDArray[Any]:
    """The block made of `pieces`, given in C order of a grid with ``grid[axis]`` pieces along each axis; C-contiguous.

    Examples
    --------
    >>> merge_pieces([1, 2], np.zeros((2, 1)), np.ones((2, 2)))
    array([[0., 1., 1.],
           [0., 1., 1.]])
    """
    if not {*map(type, pieces)} <= {np.ndarray} and any(isinstance(piece, np.ma.MaskedArray) for piece in pieces):
        data = merge_pieces(grid, *(np.ma.getdata(piece) for piece in pieces))
        mask = merge_pieces(grid, *(np.ma.getmaskarray(piece) for piece in pieces))
        fill_value = next(piece.fill_value for piece in pieces if isinstance(piece, np.ma.MaskedArray))
        return np.ma.MaskedArray(data, mask, fill_value=fill_value)
    *leading, last = [axis for axis, n in enumerate(grid) if n > 1]
    if not leading:
        return np.ascontiguousarray(np.concatenate(pieces, axis=last))
    edges = [_edges_along(axis, grid, pieces) for axis in range(len(grid))]
    block = np.empty([axis[-1] for axis in edges], np.result_type(*{piece.dtype for piece in pieces}))
    rows = itertools.product(*(map(slice, axis, axis[1:]) for axis in edges[:last]))
    run = grid[last]
    for first, row in zip(range(0, len(pieces), run), rows):
        np.concatenate(pieces[first : first + run], axis=last, out=block[row])
    return block


def _edges_along(axis: int, grid: Sequence[int], pieces: Sequence[NDArray[Any]]) -> list[int]:
    """Where the pieces of a grid begin and end along one axis."""
    stride = math.prod(grid[axis + 1 :])
    return [0, *itertools.accumulate(pieces[i * stride].shape[axis] for i in range(grid[axis]))]


def _mesh(columns: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """Views of one column per axis that broadcast to their outer product."""
    return list(np.meshgrid(*columns, indexing="ij", sparse=True, copy=False))


def _bounds(axes: Sequence[Overlap]) -> Ints:
    bounds = np.empty([len(axis.source) for axis in axes] + [2 * len(axes)], np.int64)
    for i, start in enumerate(_mesh([axis.start for axis in axes])):
        bounds[..., 2 * i] = start
    for i, stop in enumerate(_mesh([axis.stop for axis in axes])):
        bounds[..., 2 * i + 1] = stop
    return bounds.reshape(-1, 2 * len(axes))


def _places(axes: Sequence[Overlap], indptr: Ints) -> Ints:
    """Where each piece stands in the rows of the merges: by its new block, and within that in C order of the grid."""
    block = np.ravel_multi_index(_mesh([axis.owner for axis in axes]), [len(axis.counts) for axis in axes])
    within = np.zeros((), np.int64)
    for rank, count in zip(_mesh([axis.rank for axis in axes]), _mesh([axis.counts[axis.owner] for axis in axes])):
        within = within * count + rank
    return (indptr[block] + within).ravel()


def _without_trivial_merges(
    n_sources: int, source: Ints, bounds: Ints, indptr: Ints, indices: Ints, grids: Ints
) -> RechunkStep:
    """The step, given the inputs of all new blocks: one with a single input is that input, not a merge."""
    counts = np.diff(indptr)
    merged = counts > 1
    outputs = indices[indptr[:-1]]
    outputs[merged] = np.arange(np.count_nonzero(merged)) + (n_sources + len(source))
    if not merged.all():
        indptr, indices, grids = row_starts(counts[merged]), indices[np.repeat(merged, counts)], grids[merged]
    return RechunkStep(n_sources, source, bounds, indptr, indices, grids, outputs)
