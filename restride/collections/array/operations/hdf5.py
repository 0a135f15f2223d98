"""HDF5 files: opening datasets, and the sinks that write them. The library h5py loads on first use.

A file that is being written is a copy beside its place, which replaces it when all is there: HDF5 files that a process
dies over may not open again. One process can write to a file at a time; others leave blocks beside it, to be put in at
the end.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations.file_variable import FileVariable
from restride.collections.array.operations.sources import ProcessLock
from restride.collections.array.operations.storage import Sink
from restride.collections.array.operations.urls import Options, UrlFile, is_url
from restride.collections.staging import PARTIAL


def h5py_module() -> Any:
    """The library, or an error that says how to get it."""
    try:
        import h5py
    except ImportError as error:
        raise ImportError("reading and writing HDF5 needs the package h5py: pip install 'restride[io]'") from error
    return h5py


def open_dataset(path: str, name: str, options: Options = None) -> tuple[FileVariable, tuple[int, ...] | None]:
    """A dataset of a file for reading, and the shape of its chunks if it has any.

    Raises
    ------
    FileNotFoundError
        There is no such file, or nothing of that name in it.
    ValueError
        It is no HDF5 file, or cut short; the name is that of a group.
    """
    library = h5py_module()
    if not is_url(path) and not os.path.exists(path):
        raise FileNotFoundError(f"there is no file {path}")
    with ExitStack() as opened:
        try:
            place = opened.enter_context(UrlFile(path, options).open()) if is_url(path) else path
        except FileNotFoundError as error:
            raise FileNotFoundError(f"there is no file {path}") from error
        try:
            file = opened.enter_context(library.File(place, "r"))
        except OSError as error:
            raise ValueError(f"{path} cannot be read as an HDF5 file: {error}") from error
        if name not in file:
            raise FileNotFoundError(f"there is nothing called {name!r} in {path}; it holds {_names(file)}")
        dataset = file[name]
        if not isinstance(dataset, library.Dataset):
            raise ValueError(f"{name!r} of {path} is a group, not a dataset; it holds {_names(dataset)}")
        variable = FileVariable("h5py", path, name, tuple(dataset.shape), np.dtype(dataset.dtype), options)
        return variable, dataset.chunks


@dataclass
class Hdf5File:
    """A file in the making, that several sinks write to; it stays in the client's process."""

    path: Path
    overwrite: bool
    work: Path = field(default=Path())
    begun: int = 0

    def check(self, name: str) -> None:
        """See that a dataset may be written.

        Raises
        ------
        FileExistsError
            There is one already, or something else.
        """
        if not self.path.exists():
            return
        library = h5py_module()
        try:
            file = library.File(self.path, "r")
        except OSError as error:
            raise FileExistsError(f"{self.path} exists, and cannot be opened as an HDF5 file: {error}") from error
        with file:
            if name not in file:
                return
            if not isinstance(file[name], library.Dataset):
                raise FileExistsError(f"{name!r} of {self.path} is a group, which is never overwritten")
            if not self.overwrite:
                raise FileExistsError(f"{self.path} holds {name!r} already; pass overwrite=True to replace it")

    def begin(self) -> None:
        """Make the copy, if no other sink has."""
        if not self.begun:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.work = self.path.with_name(f".{self.path.name}.incomplete-{uuid.uuid4().hex[:8]}")
            if self.path.exists():
                shutil.copy(self.path, self.work)
        self.begun += 1

    def finish(self) -> None:
        """Put the copy in its place, if this was the last sink."""
        self.begun -= 1
        if not self.begun:
            self.work.replace(self.path)

    def discard(self) -> None:
        """Delete what was begun; nothing if it is finished."""
        self.begun = 0
        with suppress(FileNotFoundError, IsADirectoryError):
            self.work.unlink()


@dataclass(frozen=True)
class Hdf5Sink:
    """A dataset of a file."""

    path: str
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    options: Mapping[str, Any]
    lock: ProcessLock
    file: Hdf5File | None
    """None where the sink has travelled."""
    work: str = ""
    here: bool = True

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "file": None}

    def begin(self, *, here: bool) -> Self:
        assert self.file is not None
        self.file.check(self.name)
        self.file.begin()
        begun = replace(self, work=str(self.file.work), here=here)
        try:
            with self.lock, h5py_module().File(begun.work, "a") as file:
                if self.name in file:
                    del file[self.name]
                file.create_dataset(self.name, shape=self.shape, dtype=self.dtype, **self.options)
            if not here:
                begun._blocks.mkdir()
        except BaseException:
            begun.discard()
            raise
        return begun

    def write(self, number: int, where: tuple[slice, ...], block: Any) -> None:
        if self.here:
            self._put(where, block)
            return
        target = self._blocks / f"{'-'.join(f'{side.start}_{side.stop}' for side in where) or 'all'}.npy"
        partial = target.with_suffix(f".{uuid.uuid4().hex}.{PARTIAL}")
        with partial.open("xb") as file:
            np.save(file, block, allow_pickle=False)
        partial.replace(target)

    def finish(self) -> None:
        assert self.file is not None
        if not self.here:
            for block in sorted(self._blocks.glob("*.npy")):
                ends = [side.split("_") for side in block.stem.split("-")] if block.stem != "all" else []
                self._put(tuple(slice(int(start), int(stop)) for start, stop in ends), np.load(block, mmap_mode="r"))
            shutil.rmtree(self._blocks, ignore_errors=True)
        self.file.finish()

    def discard(self) -> None:
        assert self.file is not None
        shutil.rmtree(self._blocks, ignore_errors=True)
        self.file.discard()

    def _put(self, where: tuple[slice, ...], block: Any) -> None:
        # A write that comes when all is over finds no file: "r+" makes none.
        with self.lock, h5py_module().File(self.work, "r+") as file:
            file[self.name][where] = block

    @property
    def _blocks(self) -> Path:
        """The directory for blocks that other processes make."""
        return Path(f"{self.work}.{self.name.strip('/').replace('/', '.')}")


def hdf5_sinks(
    filename: str | os.PathLike[str], arrays: Mapping[str, ArrayExpr], overwrite: bool, options: Mapping[str, Any]
) -> list[tuple[ArrayExpr, Sink]]:
    """Arrays, and where in a file to write each.

    Raises
    ------
    FileExistsError
        There is something of such a name already.
    TypeError
        An array is of Python objects.
    """
    h5py_module()
    file, lock = Hdf5File(Path(os.path.realpath(filename)), overwrite), ProcessLock()
    pairs: list[tuple[ArrayExpr, Sink]] = []
    for name, expr in arrays.items():
        if expr.dtype.hasobject:
            raise TypeError(f"HDF5 files hold no Python objects, and the array for {name!r} is of dtype {expr.dtype}")
        file.check(name)
        given = dict(options)
        if given.setdefault("chunks", True) is True:
            given["chunks"] = tuple(max(*lengths, 1) for lengths in expr.chunks) if expr.size and expr.ndim else None
        pairs.append((expr, Hdf5Sink(str(file.path), name, expr.shape, expr.dtype, given, lock, file)))
    return pairs


def _names(group: Any) -> str:
    return ", ".join(map(repr, sorted(group))) or "nothing"
