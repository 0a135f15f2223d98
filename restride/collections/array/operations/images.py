"""Images: one file a block, and the pages of TIFF files. The libraries load on first use."""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

from restride.collections.array.operations.urls import Options, UrlFile, is_url

TIFF = (".tif", ".tiff")


def tifffile_module() -> Any:
    """The library, or an error that says how to get it."""
    try:
        import tifffile
    except ImportError as error:
        raise ImportError("reading TIFF files needs the package tifffile: pip install tifffile") from error
    return tifffile


class ReadAt:
    """Reads an image at a URL."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def __call__(self, url: str) -> np.ndarray:
        with UrlFile(url, self.options).open() as file:
            return read_image(url, file)


def read_image(path: str, file: IO[bytes] | None = None) -> np.ndarray:
    """An image file, open or not, as an array: TIFF by tifffile, others by imageio.

    Raises
    ------
    ImportError
        The package that reads it is not installed.
    """
    if path.lower().endswith(TIFF):
        image: np.ndarray = tifffile_module().imread(path if file is None else file)
        return image
    try:
        import imageio.v3 as imageio
    except ImportError as error:
        raise ImportError(
            f"reading {path} needs the package imageio: pip install imageio; or pass imread=, a function of a path"
        ) from error
    if file is None:
        return np.asarray(imageio.imread(path))
    return np.asarray(imageio.imread(file.read(), extension=os.path.splitext(path)[1]))


class ReadImage:
    """Kernel: an image file as a block with a first axis of length 1, given its path; errors name it."""

    __name__ = "imread"

    def __init__(
        self,
        imread: Callable[[str], Any],
        preprocess: Callable[[Any], Any] | None,
        shape: tuple[int, ...],
        dtype: np.dtype,
    ) -> None:
        self.imread = imread
        self.preprocess = preprocess
        self.shape = shape
        self.dtype = dtype

    def __call__(self, path: str) -> np.ndarray:
        try:
            image = np.asarray(self.imread(path) if self.preprocess is None else self.preprocess(self.imread(path)))
            if image.shape != self.shape or image.dtype != self.dtype:
                raise ValueError(
                    f"{path} is of shape {image.shape} and dtype {image.dtype}, "
                    f"the first image of {self.shape} and {self.dtype}"
                )
        except Exception as error:
            error.add_note(f"while reading the image {path}")
            raise
        return image[None]


@dataclass(frozen=True)
class TiffSeries:
    """Slices of a series of pages of a TIFF file, which is opened for each: nothing is open in between."""

    path: str
    number: int
    shape: tuple[int, ...]
    dtype: np.dtype
    page_ndim: int
    """How many axes a page has; those before are told by its number."""
    options: Options = None
    """For the file system, where the path is a URL."""

    def __getitem__(self, where: tuple[slice, ...]) -> np.ndarray:
        with opened_tiff(self.path, self.options) as file:
            series = file.series[self.number]
            if tuple(series.shape) != self.shape or series.dtype != self.dtype:
                raise ValueError(
                    f"{self.path} holds {series.dtype}{tuple(series.shape)}, not {self.dtype}{self.shape} as it did"
                )
            if series.dataoffset is not None and not is_url(self.path):
                return self._mapped(series.dataoffset, file.byteorder)[where]
            lead = self.shape[: len(self.shape) - self.page_ndim]
            outer, inner = where[: len(lead)], where[len(lead) :]
            block = np.empty([side.stop - side.start for side in where], self.dtype)
            for place in np.ndindex(block.shape[: len(lead)]):
                number = (
                    int(np.ravel_multi_index([at + side.start for at, side in zip(place, outer)], lead)) if lead else 0
                )
                block[place] = series.pages[number].asarray().reshape(self.shape[len(lead) :])[inner]
            return block

    def _mapped(self, offset: int, byteorder: str) -> np.ndarray:
        end = offset + math.prod(self.shape) * self.dtype.itemsize
        if os.path.getsize(self.path) < end:
            raise ValueError(f"{self.path} is cut short: it has {os.path.getsize(self.path)} bytes of {end}")
        dtype = np.dtype(byteorder + self.dtype.str[1:])
        return np.memmap(self.path, dtype=dtype, mode="r", offset=offset, shape=self.shape)


@contextmanager
def opened_tiff(path: str, options: Options) -> Iterator[Any]:
    """A TIFF file, to be read from."""
    with ExitStack() as opened:
        place = opened.enter_context(UrlFile(path, options).open()) if is_url(path) else path
        yield opened.enter_context(tifffile_module().TiffFile(place))


def open_tiff(path: str, number: int, options: Options = None) -> tuple[TiffSeries, tuple[int, ...]]:
    """A series of a file for reading, and the shape of a page.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        It is no TIFF file, or cut short.
    IndexError
        It has no such series.
    """
    library = tifffile_module()
    if not is_url(path) and not os.path.exists(path):
        raise FileNotFoundError(f"there is no file {path}")
    with ExitStack() as opened:
        try:
            file = opened.enter_context(opened_tiff(path, options))
        except FileNotFoundError as error:
            raise FileNotFoundError(f"there is no file {path}") from error
        except (library.TiffFileError, ValueError, struct.error) as error:
            raise ValueError(f"{path} cannot be read as a TIFF file: {error}") from error
        if not -len(file.series) <= number < len(file.series):
            raise IndexError(f"{path} has {len(file.series)} series of pages, there is no series {number}")
        found = file.series[number]
        shape, page = tuple(map(int, found.shape)), tuple(map(int, found.keyframe.shape))
        if shape[len(shape) - len(page) :] != page:
            page = shape
        series = TiffSeries(path, number, shape, np.dtype(found.dtype), len(page), options)
        return series, (1,) * (len(shape) - len(page)) + page
