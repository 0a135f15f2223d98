"""Arrays of objects outside: what can be sliced, along chunks that suit how it is stored."""

from __future__ import annotations

from typing import Any

import numpy as np

from restride.collections.array.array import Array, asarray
from restride.collections.array.chunk_sizes import warn_of_chunks
from restride.collections.array.chunks import Shape, normalize_chunks
from restride.collections.array.operations.file_variable import needs_lock
from restride.collections.array.operations.sources import ProcessLock, from_object
from restride.collections.array.operations.stored_chunks import own_chunks


def from_array(x: Any, chunks: Any = "auto", *, lock: Any = None) -> Array:
    """Make an array of an object that can be sliced.

    Parameters
    ----------
    x : object with shape, dtype and __getitem__, or array_like
        A numpy array (sliced without copying; do not change it while results are to come), a memory map, a dataset of
        an HDF5 or NetCDF file that stays open, an array of zarr. Sliced with a tuple of slices, one for each axis, by
        several threads at once. Datasets of files are opened anew by other processes.
    chunks : int, str, None, tuple or dict
        One value for all axes, one for each, or a dict from axis to value. A value is a length (the last block may be
        shorter), -1 for the whole axis, a tuple of lengths, or ``"auto"`` (or a size such as ``"16 MiB"``) for blocks
        of about that size: where the object is stored in chunks of its own, of whole such chunks. None for all axes
        takes the object's own chunks.
    lock : bool or lock, optional
        Held while the object is sliced: True for one of its own. By default only where the library needs it (netCDF4).

    Returns
    -------
    Array

    Raises
    ------
    ChunkError
        The chunks do not fit the shape.

    Warns
    -----
    PerformanceWarning
        The chunks are very many and very small, or too large.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> x = ra.from_array(np.arange(6).reshape(2, 3), chunks=(1, 3))
    >>> x
    <Array: shape (2, 3), int64, 2 chunks of (1, 3)>
    >>> x.sum(axis=0).compute()
    array([3, 5, 7])
    """
    if isinstance(x, Array):
        return x if chunks == "auto" else x.rechunk(chunks)
    if not all(hasattr(x, attribute) for attribute in ("shape", "dtype", "__getitem__")) or isinstance(
        x, (np.generic, np.ma.MaskedArray)
    ):
        return asarray(x, chunks=chunks)
    if lock is None:
        lock = needs_lock(x)
    return read(x, chunks, unit=own_chunks(x), lock=lock)


def read(
    source: Any,
    chunks: Any,
    *,
    place: str | None = None,
    word: str = "fromarray",
    unit: Shape | None = None,
    lock: Any = False,
) -> Array:
    """An array of slices of an object, with a warning where the chunks are absurd; see `from_object`."""
    shape, dtype = tuple(map(int, source.shape)), np.dtype(source.dtype)
    blocks = normalize_chunks(unit if chunks is None else chunks, shape, dtype.itemsize, unit=unit)
    if not isinstance(source, np.ndarray):
        warn_of_chunks(blocks, dtype.itemsize, unit, stacklevel=4)
    held = ProcessLock() if lock is True else lock or None
    return Array(from_object(source, blocks, place=place, word=word, unit=unit, lock=held))
