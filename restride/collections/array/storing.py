"""store: arrays written to objects that can be assigned to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from restride.collections.array.array import Array, asarray
from restride.collections.array.writing import storing
from restride.collections.writing import Writing


def store(
    sources: Any,
    targets: Any,
    lock: Any = None,
    regions: Any = None,
    compute: bool = True,
    return_stored: bool = False,
) -> Writing | Array | list[Array] | None:
    """Write arrays to objects that can be assigned to, block by block.

    Parameters
    ----------
    sources : Array or sequence of Array
    targets : object with shape and __setitem__, or sequence of such
        One for each array: a numpy array, an array of zarr, a dataset of a file that is open. What is in the memory of
        this process, or in a file open in it, can only be written to by threads of it. What a target holds is replaced
        as blocks come, and stays so if the computation fails; `to_zarr` and `to_hdf5` do better. Until all is there,
        `from_zarr` refuses an array of zarr that is written to.
    lock : bool or lock, optional
        Held while a block is written: True for one for each target. By default only where several writers would be in
        each other's way: not for numpy arrays, and not for zarr, where the arrays are rechunked so that no two blocks
        write to one chunk.
    regions : tuple of slice or int, or sequence of such, optional
        Which part of each target to write to.
    compute : bool
        Write now. Else return what writes when it is computed.
    return_stored : bool
        Return arrays that read what was stored; with ``compute=False`` arrays whose blocks are written when they are
        made.

    Returns
    -------
    None, Writing, Array or list of Array
        A list where `sources` is one.

    Raises
    ------
    ValueError
        An array does not fit its target or region; not as many targets or regions as arrays; a target in the memory of
        this process, and workers in others.
    TypeError
        A target that cannot be assigned to.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> target = np.zeros((2, 4), int)
    >>> ra.store(ra.arange(4, chunks=2), target, regions=(1,))
    >>> target
    array([[0, 0, 0, 0],
           [0, 1, 2, 3]])
    """
    single = not isinstance(sources, (list, tuple))
    arrays: Sequence[Any] = [sources] if single else sources
    if not all(isinstance(array, Array) for array in arrays):
        raise ValueError("all sources must be restride arrays")
    into: Sequence[Any] = [targets] if single and not isinstance(targets, (list, tuple)) else targets
    where = list(regions) if isinstance(regions, list) else [regions] * len(arrays)
    written = storing([asarray(array).expr for array in arrays], into, where, lock, compute, return_stored)
    if not isinstance(written, list):
        return written
    stored = [Array(expr) for expr in written]
    return stored[0] if single else stored
