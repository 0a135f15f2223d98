"""HDF5 files, NetCDF-4 files among them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from restride.collections.array.array import Array, asarray
from restride.collections.array.operations import hdf5
from restride.collections.array.operations.urls import place_of, refuse_url
from restride.collections.array.reading import read
from restride.collections.array.writing import write
from restride.collections.writing import Writing


def from_hdf5(
    path: str | os.PathLike[str], name: str, *, chunks: Any = "auto", storage_options: dict[str, Any] | None = None
) -> Array:
    """Read a dataset of an HDF5 file, or a variable of a NetCDF-4 file, lazily.

    Parameters
    ----------
    path : str or path
        A file, or a URL that fsspec knows. It is opened anew in each task: do not change it while results are to come.
    name : str
        Of the dataset: ``"/group/x"``. Attributes that scale or mask values are not applied; xarray does that.
    chunks : int, str, None, tuple or dict
        See `from_array`: ``"auto"`` gives whole numbers of the dataset's own chunks, None these themselves.
    storage_options : dict, optional
        For the file system of a URL: what fsspec calls so.

    Returns
    -------
    Array

    Raises
    ------
    FileNotFoundError
        There is no such file, or nothing of that name in it.
    ValueError
        It is no HDF5 file, or cut short; `name` is that of a group; ChunkError, also a ValueError, where the chunks do
        not fit.
    ImportError
        The package h5py is not installed.

    Examples
    --------
    >>> import tempfile
    >>> import restride.array as ra
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     ra.to_hdf5(f"{folder}/x.h5", "/numbers", ra.arange(6, chunks=2))
    ...     print(ra.from_hdf5(f"{folder}/x.h5", "/numbers", chunks=None).chunks)
    ((2, 2, 2),)
    """
    place = place_of(path)
    variable, unit = hdf5.open_dataset(place, name, storage_options)
    if unit is None:
        unit = (1,) * len(variable.shape) if chunks is not None else tuple(max(n, 1) for n in variable.shape)
    return read(variable, chunks, place=f"{name} of {place}", word="from_hdf5", unit=tuple(unit))


def to_hdf5(
    filename: str | os.PathLike[str],
    name: str | Mapping[str, Any],
    x: Any = None,
    *,
    overwrite: bool = False,
    compute: bool = True,
    **options: Any,
) -> Writing | None:
    """Write arrays to an HDF5 file.

    They are written to a copy of the file, which takes its place when all is there. Blocks are made in parallel and
    written one after another, as the format asks for; other processes leave theirs beside the file until the end, and
    need to see its directory.

    Parameters
    ----------
    filename : str or path
        Of this machine. Made if it is not there; what else it holds stays.
    name : str or mapping
        The name of the dataset: ``"/group/x"``; or a mapping from names to arrays, without `x`.
    x : Array or array_like
    overwrite : bool
        Replace datasets that are there. Groups are never replaced.
    compute : bool
        Write now. Else return what writes when it is computed.
    **options
        For `h5py.Group.create_dataset`: ``compression``, ``shuffle``, ``chunks``, ... By default the chunks are those
        of the array.

    Returns
    -------
    Writing or None
        None where `compute` is true.

    Raises
    ------
    FileExistsError
        There is something of that name, and `overwrite` is false, or it is a group; the file is no HDF5 file.
    TypeError
        An array holds Python objects.
    ValueError
        `filename` is a URL.
    ImportError
        The package h5py is not installed.

    Examples
    --------
    See `from_hdf5`.
    """
    arrays = name if isinstance(name, Mapping) else {name: x}
    if isinstance(name, Mapping) and x is not None:
        raise TypeError("to_hdf5 takes a name and an array, or a mapping from names to arrays alone")
    refuse_url(filename, "to_hdf5")
    exprs = {key: asarray(value).expr for key, value in arrays.items()}
    return write(hdf5.hdf5_sinks(filename, exprs, overwrite, options), compute)
