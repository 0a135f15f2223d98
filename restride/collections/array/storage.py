"""Reading and writing: Zarr arrays, `.npy` files, and directories of them.

Reading is lazy and fuses with what uses the blocks. Writing is a task a block, in parallel; an interrupted write never
leaves anything that looks like a whole array, or a mixture of old and new.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from restride.collections.array.array import Array, asarray
from restride.collections.array.chunks import block_shapes
from restride.collections.array.operations import npy, sources
from restride.collections.array.operations import zarr as zarrs
from restride.collections.array.operations.rechunk import in_one_block
from restride.collections.array.operations.urls import UrlFile, is_url, place_of, refuse_url
from restride.collections.array.operations.zarr_source import zarr_source
from restride.collections.array.reading import read
from restride.collections.array.writing import write, write_zarr
from restride.collections.staging import Staging
from restride.collections.writing import Writing


def from_zarr(
    store: Any, component: str | None = None, *, chunks: Any = None, storage_options: dict[str, Any] | None = None
) -> Array:
    """Read a Zarr array, lazily.

    Parameters
    ----------
    store : str, path, zarr store or zarr.Array
        A directory, a URL that fsspec knows, or what the package zarr takes; format 2 or 3.
    component : str, optional
        The path of the array inside the store.
    chunks : int, str, tuple or dict, optional
        See `from_array`. By default those of the store (its shards, where it has them). Others are best multiples of
        these, as ``"auto"`` gives: a chunk of the store is decoded by each block that it has a part in.
    storage_options : dict, optional
        For the file system of a URL: what fsspec calls so.

    Returns
    -------
    Array

    Raises
    ------
    FileNotFoundError
        There is nothing there.
    ValueError
        It is a group, its metadata cannot be read, or it was never written to the end; ChunkError, also a ValueError,
        where the chunks do not fit.
    ImportError
        The package zarr is not installed.

    Warns
    -----
    PerformanceWarning
        The chunks are very many and very small, or too large.

    Examples
    --------
    >>> import tempfile
    >>> import restride.array as ra
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     ra.to_zarr(ra.arange(6, chunks=2), f"{folder}/numbers.zarr")
    ...     x = ra.from_zarr(f"{folder}/numbers.zarr")
    ...     print(x, x.sum().compute())
    <Array: shape (6,), int64, 3 chunks of (2,)> 15
    """
    array = zarrs.open_array(store, component, storage_options)
    place = zarrs.place_text(store, component)
    return read(zarr_source(array, place), chunks, place=place, word="from_zarr", unit=zarrs.store_chunks(array))


def to_zarr(
    x: Any,
    store: Any,
    component: str | None = None,
    *,
    overwrite: bool = False,
    region: Any = None,
    append_axis: int | None = None,
    compute: bool = True,
    chunks: Sequence[int] | None = None,
    storage_options: dict[str, Any] | None = None,
    **options: Any,
) -> Writing | None:
    """Write an array as Zarr, or as part of a Zarr array that exists, in parallel.

    In a local directory the array is written beside its place, as ``.NAME.incomplete-...``, and renamed when it is
    whole; what it replaces stays intact until then. Workers on other hosts need to see the same directory. Elsewhere
    `overwrite` deletes first; the array then has an attribute ``restride_incomplete`` until it is whole, and
    `from_zarr` refuses it.

    A `region` is replaced in place, and `from_zarr` refuses the array until all of it is written; if that was
    interrupted, write it again. Several processes may write to regions at once, if no chunk of the store has parts in
    two of them. What is appended appears when all of it is there.

    Parameters
    ----------
    x : Array or array_like
    store : str, path, zarr store or zarr.Array
        A directory, a URL that fsspec knows, or a store of the package zarr. An open array is written to as a region.
    component : str, optional
        The path of the array inside the store; groups above it are made.
    overwrite : bool
        Replace an array that is there. Nothing but an array is ever replaced.
    region : slice or tuple of slice, optional
        Where to write in an array that exists, by a slice for each axis; of the shape of `x`.
    append_axis : int, optional
        The axis along which to append to an array that exists; of the other lengths of `x`.
    compute : bool
        Write now. Else return what writes when it is computed.
    chunks : sequence of int, optional
        Of the store. By default those of `x`, rechunked first if they are not regular.
    storage_options : dict, optional
        For the file system of a URL: what fsspec calls so.
    **options
        For `zarr.create_array`: ``compressors``, ``zarr_format``, ``attributes``, ``shards``, ...

    Returns
    -------
    Writing or None
        None where `compute` is true.

    Raises
    ------
    FileExistsError
        There is something, and `overwrite` is false, or it is not an array.
    FileNotFoundError
        There is no array that has the region, or that could be appended to.
    ValueError
        `chunks` are not as many as there are axes, or not positive; `component` lies in an array, or in a group of
        another format; a store in memory, and workers in other processes; `x` does not fit the region, or the array
        that it is appended to; that has been changed in the meantime.
    IndexError
        The region goes beyond the end of the array.
    TypeError
        The array that exists is of a dtype that `x` cannot be cast to.
    ImportError
        The package zarr is not installed.

    Examples
    --------
    See `from_zarr`.
    """
    return write_zarr(
        asarray(x).expr,
        store,
        component,
        overwrite=overwrite,
        region=region,
        append_axis=append_axis,
        compute=compute,
        chunks=chunks,
        storage_options=storage_options,
        **options,
    )


def from_npy(
    path: str | os.PathLike[str], *, chunks: Any = "auto", storage_options: dict[str, Any] | None = None
) -> Array:
    """Read a `.npy` file by memory map, lazily: blocks are read as they are used, and not copied.

    Parameters
    ----------
    path : str or path
        A file, or a URL that fsspec knows, of which whole rows are read. It is opened anew in each task: do not change
        it while results are to come.
    chunks : int, str, tuple or dict
        See `from_array`.
    storage_options : dict, optional
        For the file system of a URL: what fsspec calls so.

    Returns
    -------
    Array

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        It is no `.npy` file or cut short; ChunkError, also a ValueError, where the chunks do not fit.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import restride.array as ra
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/x.npy", np.arange(10))
    ...     ra.from_npy(f"{folder}/x.npy", chunks=4).sum().compute()
    np.int64(45)
    """
    place = place_of(path)
    if is_url(place):
        remote = npy.npy_at(UrlFile(place, storage_options))
        return read(remote, chunks, place=place, word="from_npy", unit=remote.unit)
    values = npy.load(place, "r")
    file = npy.NpyFile(place, values.shape, values.dtype, "r")
    return read(file, chunks, place=place, word="from_npy", unit=(1,) * values.ndim)


def from_npy_stack(dirname: str | os.PathLike[str], mmap_mode: npy.MmapMode = "r") -> Array:
    """Read a directory written by `to_npy_stack`, lazily.

    Parameters
    ----------
    dirname : str or path
    mmap_mode : {"r", "c", None}
        Map the files, or None to read them into memory. The system ends a process that uses a mapped file which is
        cut short; tasks may still do so for a moment after others have failed.

    Returns
    -------
    Array
        A block a file.

    Raises
    ------
    FileNotFoundError
        There is no such directory, or no stack in it. A file that is missing is met on compute.
    ValueError
        The stack's description cannot be read; on compute, a file that is not as described.
    """
    place = os.path.abspath(dirname)
    chunks, dtype = npy.read_info(place)
    shapes = block_shapes(chunks)
    params = np.column_stack([np.arange(len(shapes)), shapes])
    return Array(
        sources.block_source(npy.StackFile(place, dtype, mmap_mode), params, chunks, dtype, name="from_npy_stack")
    )


def to_npy_stack(
    dirname: str | os.PathLike[str], x: Any, axis: int = 0, *, overwrite: bool = False, compute: bool = True
) -> Writing | None:
    """Write an array as a directory of `.npy` files, one for each block along an axis.

    The directory holds ``0.npy``, ``1.npy``, ... and ``info.json``. It is written beside its place and renamed when it
    is whole.

    Parameters
    ----------
    dirname : str or path
    x : Array or array_like
        Rechunked to be in one block along the other axes.
    axis : int
        The axis along which there is a file for each block.
    overwrite : bool
        Replace a stack that is there. Nothing but a stack is ever replaced.
    compute : bool
        Write now. Else return what writes when it is computed.

    Returns
    -------
    Writing or None
        None where `compute` is true.

    Raises
    ------
    FileExistsError
        There is something, and `overwrite` is false, or it is not a stack.
    numpy.exceptions.AxisError
        There is no such axis.
    TypeError
        `x` holds Python objects.
    ValueError
        `dirname` is a URL.

    Examples
    --------
    >>> import os, tempfile
    >>> import restride.array as ra
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     ra.to_npy_stack(f"{folder}/x", ra.ones((4, 3), chunks=2))
    ...     print(sorted(os.listdir(f"{folder}/x")), ra.from_npy_stack(f"{folder}/x").sum().compute())
    ['0.npy', '1.npy', 'info.json'] 12.0
    """
    refuse_url(dirname, "to_npy_stack")
    expr = asarray(x).expr
    axis = np.lib.array_utils.normalize_axis_index(axis, expr.ndim)
    if expr.dtype.hasobject:
        raise TypeError(f".npy files hold no Python objects, and the array is of dtype {expr.dtype}")
    expr = in_one_block(expr, set(range(expr.ndim)) - {axis})
    staging = Staging(Path(os.path.realpath(dirname)), npy.is_stack, overwrite)
    staging.check()
    return write([(expr, npy.NpyStackSink(staging, axis, expr.chunks, expr.dtype))], compute)
