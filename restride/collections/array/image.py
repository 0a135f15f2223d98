"""Arrays of image files: ``ra.image.imread``, and the pages of TIFF files."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from restride.collections.array.array import Array
from restride.collections.array.operations import images
from restride.collections.array.operations.sources import block_source
from restride.collections.array.operations.urls import UrlFile, is_url, place_of
from restride.collections.array.reading import read

__all__ = ["from_tiff", "imread"]


def imread(
    filename: str | os.PathLike[str],
    imread: Callable[[str], Any] | None = None,
    preprocess: Callable[[Any], Any] | None = None,
    *,
    storage_options: dict[str, Any] | None = None,
) -> Array:
    """Read image files of one shape, lazily, one after another along a new first axis.

    Parameters
    ----------
    filename : str or path
        A pattern such as ``"scans/2024-*.png"``, or a URL with one that fsspec knows; the files are taken in the order
        of their names. The first is read at once, to know the shape and the dtype.
    imread : callable, optional
        Makes an array of a path, or of a URL. By default tifffile's for TIFF files, imageio's for others.
    preprocess : callable, optional
        Makes of each image the array that is meant.
    storage_options : dict, optional
        For the file system of a URL: what fsspec calls so.

    Returns
    -------
    Array
        Of one more axis than the images; a block an image.

    Raises
    ------
    FileNotFoundError
        The pattern matches no file.
    ValueError
        On compute, an image of another shape or dtype than the first.
    ImportError
        The package that reads such images is not installed.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import restride.array as ra
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for i in range(3):
    ...         np.save(f"{folder}/{i}.npy", np.full((2, 2), i))
    ...     ra.image.imread(f"{folder}/*.npy", imread=np.load).sum(axis=(1, 2)).compute()
    array([0, 4, 8])
    """
    pattern = place_of(filename)
    if is_url(pattern):
        paths = [file.url for file in UrlFile(pattern, storage_options).matching()]
        reader = imread or images.ReadAt(storage_options)
    else:
        paths = sorted(glob.glob(pattern))
        reader = imread or images.read_image
    if not paths:
        raise FileNotFoundError(f"there are no files {pattern}")
    try:
        first = np.asarray(reader(paths[0]) if preprocess is None else preprocess(reader(paths[0])))
    except Exception as error:
        error.add_note(f"while reading the image {paths[0]}")
        raise
    kernel = images.ReadImage(reader, preprocess, first.shape, first.dtype)
    chunks = ((1,) * len(paths), *((length,) for length in first.shape))
    return Array(block_source(kernel, paths, chunks, first.dtype, name="imread"))


def from_tiff(
    path: str | os.PathLike[str],
    *,
    series: int = 0,
    chunks: Any = "auto",
    storage_options: dict[str, Any] | None = None,
) -> Array:
    """Read the pages of a TIFF file, lazily.

    Parameters
    ----------
    path : str or path
        A file, or a URL that fsspec knows. It is opened anew in each task: do not change it while results are to come.
    series : int
        Which of the file's series of pages; most files have one.
    chunks : int, str, None, tuple or dict
        See `from_array`: ``"auto"`` gives whole pages, None one page a chunk.
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
        It is no TIFF file, or cut short; ChunkError, also a ValueError, where the chunks do not fit.
    IndexError
        It has no such series.
    ImportError
        The package tifffile is not installed.
    """
    place = place_of(path)
    source, page = images.open_tiff(place, series, storage_options)
    return read(source, chunks, place=place, word="from_tiff", unit=page)
