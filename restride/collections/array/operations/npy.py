"""`.npy` files: slices of one, by memory map or from a URL, and the sink that writes a directory of them."""

from __future__ import annotations

import json
import math
import os
import threading
import uuid
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from restride.collections.array.chunks import Chunks
from restride.collections.array.operations.urls import UrlFile
from restride.collections.staging import PARTIAL, Staging

INFO = "info.json"
"""The file of a stack that tells its axis and its chunks."""

PARSING = threading.Lock()
"""Held while the header of a file is parsed, unless all of the file is read with it. Where the garbage collector has
callbacks, CPython 3.11 may fail with a SystemError ("AST constructor recursion depth mismatch") when several threads
call ``ast.literal_eval`` at once."""

MmapMode = Literal["r", "c"] | None


@dataclass(frozen=True)
class NpyFile:
    """Slices of a `.npy` file, which is mapped anew for each: nothing is open in between."""

    path: str
    shape: tuple[int, ...]
    dtype: np.dtype
    mmap_mode: MmapMode

    def __getitem__(self, where: tuple[slice, ...]) -> np.ndarray:
        values = load(self.path, self.mmap_mode)
        if values.shape != self.shape or values.dtype != self.dtype:
            raise ValueError(
                f"{self.path} holds {values.dtype}{values.shape}, not {self.dtype}{self.shape} as it did or should"
            )
        part: np.ndarray = values[where]
        return part


@dataclass(frozen=True)
class NpyUrl:
    """Slices of a `.npy` file at a URL, of which the rows (or columns, in Fortran's order) that have them are read."""

    file: UrlFile
    shape: tuple[int, ...]
    dtype: np.dtype
    fortran_order: bool
    offset: int
    """Where in the file the elements start, in bytes."""

    @property
    def unit(self) -> tuple[int, ...]:
        """The shape of what is read as a whole."""
        slow = self.ndim - 1 if self.fortran_order else 0
        return tuple(1 if axis == slow else max(length, 1) for axis, length in enumerate(self.shape))

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __getitem__(self, where: tuple[slice, ...]) -> np.ndarray:
        if self.fortran_order:
            return self._rows(self.shape[::-1], where[::-1]).T
        return self._rows(self.shape, where)

    def _rows(self, shape: tuple[int, ...], where: tuple[slice, ...]) -> np.ndarray:
        first, stop = (where[0].start, where[0].stop) if where else (0, 1)
        row = math.prod(shape[1:]) * self.dtype.itemsize
        wanted = (stop - first) * row
        data = self.file.read(self.offset + first * row, self.offset + stop * row) if wanted else b""
        if len(data) != wanted:
            raise ValueError(f"{self.file.url} is cut short: {len(data)} bytes where there were {wanted}")
        rows = np.frombuffer(data, self.dtype).reshape((stop - first, *shape[1:]) if where else ())
        return rows[(slice(None), *where[1:])] if where else rows


def npy_at(file: UrlFile) -> NpyUrl:
    """A `.npy` file at a URL.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        It is no `.npy` file, or cut short.
    """
    try:
        opened = file.open()
        with opened as stream:
            version = np.lib.format.read_magic(stream)
            header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, fortran_order, dtype = header(stream)
            offset = stream.tell()
    except FileNotFoundError as error:
        raise FileNotFoundError(f"there is no file {file.url}") from error
    except (ValueError, EOFError) as error:
        raise ValueError(f"{file.url} cannot be read as a .npy file: {error}") from error
    if dtype.hasobject:
        raise ValueError(f"{file.url} cannot be read as a .npy file: it holds Python objects")
    end = offset + math.prod(shape) * dtype.itemsize
    if file.size < end:
        raise ValueError(f"{file.url} cannot be read as a .npy file: it has {file.size} bytes of {end}")
    return NpyUrl(file, shape, dtype, fortran_order, offset)


class StackFile:
    """Kernel: one whole file of a stack, given the number of the block and its shape."""

    __name__ = "from_npy_stack"

    def __init__(self, directory: str, dtype: np.dtype, mmap_mode: MmapMode) -> None:
        self.directory = directory
        self.dtype = dtype
        self.mmap_mode = mmap_mode

    def __call__(self, param: list[int]) -> np.ndarray:
        number, *shape = param
        path = os.path.join(self.directory, f"{number}.npy")
        return np.asarray(NpyFile(path, tuple(shape), self.dtype, self.mmap_mode)[()])


@dataclass(frozen=True)
class NpyStackSink:
    """A directory of `.npy` files, one a block along an axis, that appears when it is whole."""

    staging: Staging
    axis: int
    chunks: Chunks
    dtype: np.dtype

    @property
    def path(self) -> str:
        return str(self.staging.path)

    def begin(self, *, here: bool) -> Self:
        return replace(self, staging=self.staging.begin())

    def write(self, number: int, where: tuple[slice, ...], block: Any) -> None:
        path = self.staging.work / f"{number}.npy"
        partial = path.with_suffix(f".{uuid.uuid4().hex}.{PARTIAL}")
        try:
            with partial.open("xb") as file:
                np.save(file, block, allow_pickle=False)
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise

    def finish(self) -> None:
        info = {"axis": self.axis, "chunks": self.chunks, "dtype": np.lib.format.dtype_to_descr(self.dtype)}
        (self.staging.work / INFO).write_text(json.dumps(info))
        self.staging.finish()

    def discard(self) -> None:
        self.staging.discard()


def load(path: str, mmap_mode: MmapMode) -> np.ndarray:
    """The array of a `.npy` file.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        It is no `.npy` file, or cut short; the message names it.
    """
    try:
        with PARSING if mmap_mode else nullcontext():
            values = np.load(path, mmap_mode=mmap_mode, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path} cannot be read as a .npy file: {error}") from error
    if not isinstance(values, np.ndarray):
        raise ValueError(f"{path} holds several arrays (.npz); .npy files are read")
    return values


def read_info(directory: str) -> tuple[Chunks, np.dtype]:
    """Chunks and dtype of a stack.

    Raises
    ------
    FileNotFoundError
        There is no such directory, or no stack in it.
    ValueError
        The file that describes the stack cannot be read.
    """
    path = Path(directory) / INFO
    if not path.is_file():
        raise FileNotFoundError(f"there is no stack of .npy files at {directory}: {INFO} is missing")
    try:
        info = json.loads(path.read_text())
        chunks = tuple(tuple(map(int, lengths)) for lengths in info["chunks"])
        return chunks, np.lib.format.descr_to_dtype(_descr(info["dtype"]))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} does not describe a stack of .npy files: {error!r}") from error


def is_stack(path: Path) -> bool:
    """Whether a directory holds a stack."""
    return (path / INFO).is_file()


def _descr(loaded: Any) -> Any:
    """The description of a dtype, of whose tuples JSON has made lists."""
    if not isinstance(loaded, list):
        return loaded
    return [(name, _descr(descr), *map(tuple, shape)) for name, descr, *shape in loaded]
