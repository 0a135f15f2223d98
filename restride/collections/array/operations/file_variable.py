"""Variables of open HDF5 and NetCDF files, as something that can travel: the path of the file and a name in it.

Handles of open files belong to a process. Other processes open the file anew for each block that they read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from restride.collections.array.operations.urls import Options, UrlFile, is_url


@dataclass(frozen=True)
class FileVariable:
    """Slices of a variable of a file, which is opened for each: nothing is open in between."""

    library: str
    """``"h5py"`` or ``"netCDF4"``."""
    path: str
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    options: Options = None
    """For the file system, where the path is a URL."""

    def __getitem__(self, where: tuple[slice, ...]) -> Any:
        with self._opened() as file:
            variable = file[self.name]
            if tuple(variable.shape) != self.shape or np.dtype(variable.dtype) != self.dtype:
                raise ValueError(
                    f"{self.name} of {self.path} holds {variable.dtype}{tuple(variable.shape)}, "
                    f"not {self.dtype}{self.shape} as it did"
                )
            return variable[where]

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        with ExitStack() as opened:
            if self.library == "h5py":
                import h5py

                url = is_url(self.path)
                place = opened.enter_context(UrlFile(self.path, self.options).open()) if url else self.path
                yield opened.enter_context(h5py.File(place, "r"))
            else:
                import netCDF4

                yield opened.enter_context(netCDF4.Dataset(self.path))


def file_variable(source: Any) -> FileVariable | None:
    """What stands for a variable of an open file in other processes; None for anything else."""
    library = type(source).__module__.partition(".")[0]
    if library == "h5py":
        path, name = source.file.filename, source.name
    elif library == "h5netcdf":
        library, path, name = "h5py", source._root._h5file.filename, source._h5path
    elif library == "netCDF4":
        path, name = source.group().filepath(), f"{source.group().path}/{source.name}".lstrip("/")
    else:
        return None
    if not os.path.exists(path):
        return None
    return FileVariable(library, os.path.abspath(path), name, tuple(source.shape), np.dtype(source.dtype))


def needs_lock(source: Any) -> bool:
    """Whether a library must not be called by two threads at once; h5py sees to that itself."""
    return type(source).__module__.partition(".")[0] == "netCDF4"
