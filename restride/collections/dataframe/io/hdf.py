"""HDF: frames in HDF5 files of pandas and PyTables, in ranges of rows."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd

from restride.collections.array.operations.sources import ProcessLock
from restride.collections.dataframe.base import new_collection
from restride.collections.dataframe.expr import FrameExpr, Wanted, unknown_divisions
from restride.collections.dataframe.io.delayed import delayed_partitions
from restride.collections.dataframe.io.files import find_files, naming
from restride.collections.dataframe.io.parts import ReadParts
from restride.collections.dataframe.meta import meta_of
from restride.collections.expression import tokenize
from restride.collections.staging import PARTIAL

LOCK = ProcessLock("pytables")
"""PyTables must not be called by two threads at once."""
ROWS = 1_000_000


@dataclass(frozen=True)
class HdfPart:
    """Rows of a table of a file; all of one that can only be read whole."""

    path: str
    key: str
    start: int
    stop: int
    whole: bool

    def __str__(self) -> str:
        return f"rows {self.start} to {self.stop} of {self.key} in {self.path}"


@dataclass(frozen=True)
class HdfReader:
    """Reads tables by pandas."""

    meta: Any
    lock: ProcessLock
    word: str = "read_hdf"

    def read(self, part: HdfPart, wanted: Wanted) -> Any:
        """The frame of some rows."""
        with self.lock:
            if part.whole:
                return pd.read_hdf(part.path, part.key, mode="r")
            labels = [self.meta.columns[i] for i in wanted.columns]
            return pd.read_hdf(part.path, part.key, mode="r", start=part.start, stop=part.stop, columns=labels)


def read_hdf(
    path: Any, key: str, *, start: int = 0, stop: int | None = None, columns: Sequence[Any] | None = None,
    chunksize: int = ROWS,
) -> Any:  # fmt: skip
    """Read frames that pandas has written into HDF5 files; needs the package tables.

    Parameters
    ----------
    path : str, path, or list of such
        A file, a directory or a glob.
    key : str
        The name of the frame in each file.
    start, stop : int, optional
        The rows of each file to read, of frames in format ``"table"``.
    columns : list of labels, optional
        The columns to read.
    chunksize : int
        Rows of a partition, of frames in format ``"table"``. Others are read whole.

    Returns
    -------
    DataFrame

    Raises
    ------
    ImportError
        The package tables is not installed.
    FileNotFoundError, KeyError
        There are no such files; one has no such frame.
    """
    _tables()
    found = find_files(path)
    parts: list[HdfPart] = []
    meta: Any = None
    for file in found.files:
        with naming(file.path), LOCK, pd.HDFStore(file.path, mode="r") as opened:
            store: Any = opened
            if f"/{key.lstrip('/')}" not in set(store.keys()):
                raise KeyError(f"there is no frame {key!r} in {file.path}; there are {list(store.keys())}")
            storer = store.get_storer(key)
            whole = not storer.is_table
            rows = len(store.select(key)) if whole else storer.nrows
            if whole and (start or stop is not None):
                raise ValueError(f"{key} in {file.path} is of format 'fixed', and can only be read whole")
            ends = [start, rows if stop is None else min(stop, rows)]
            if meta is None:
                meta = meta_of(store.select(key) if whole else store.select(key, start=0, stop=1))
        edges = ends if whole else [*range(ends[0], max(ends[1], ends[0] + 1), chunksize), ends[1]]
        parts += [HdfPart(file.path, key, low, high, whole) for low, high in pairwise(edges)]
    if isinstance(meta, pd.Series):
        raise TypeError(f"{key} is a series; write it as a frame, by to_frame()")
    if isinstance(meta.index, pd.RangeIndex):
        meta = meta.set_axis(pd.Index([], dtype="int64", name=meta.index.name), axis=0)
    labels = list(meta.columns) if columns is None else list(columns)
    missing = [label for label in labels if label not in meta.columns]
    if missing:
        raise KeyError(f"{missing} not in columns {list(meta.columns)}")
    reader = HdfReader(meta, LOCK)
    versions = [(file.path, file.size, file.version) for file in found.files]
    token = tokenize(versions, key, start, stop, chunksize)
    wanted = Wanted(tuple(int(meta.columns.get_loc(label)) for label in labels), True)
    lengths = tuple(part.stop - part.start for part in parts)
    known = unknown_divisions(len(parts))
    return new_collection(ReadParts(reader, parts, wanted, token, found.given, known, lengths))


def to_hdf(frame: FrameExpr, path: Any, key: str, *, mode: str, options: dict[str, Any]) -> None:
    """Write a frame into a file; see `DataFrame.to_hdf`."""
    _tables()
    if mode not in ("w", "a"):
        raise ValueError(f"mode is 'w', to write a file anew, or 'a', to add to it; got {mode!r}")
    target = Path(os.path.realpath(path))
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}.{PARTIAL}")
    try:
        if mode == "a" and target.exists():
            shutil.copy2(target, partial)
        append = False
        for future in delayed_partitions(frame):
            part = future.result()
            with LOCK:
                part.to_hdf(partial, key=key, mode="a", format="table", append=append, **options)
            append = True
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _tables() -> None:
    try:
        import tables  # noqa: F401
    except ImportError as error:
        raise ImportError("HDF files of pandas need the package tables: pip install tables") from error
