"""Files: found by path, directory, glob or URL, here or in a file system of fsspec."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, TypeVar

from restride.collections.expression import tokenize

Options = dict[str, Any] | None
"""For the file system of a URL: what fsspec calls storage options."""
Value = TypeVar("Value")
Result = TypeVar("Result")

HIDDEN = (".", "_")
"""How names of files and directories begin that are no data."""
INCOMPLETE = "_restride_incomplete"
"""File that a directory has while it is being written where nothing can be renamed."""
POOL = 16
"""Threads that ask a file system at once: they wait for it most of the time."""


@dataclass(frozen=True)
class DataFile:
    """A file with data, as it was when it was looked for."""

    path: str
    """As its file system takes it."""
    size: int
    version: str
    """Changes when the file does, as far as its file system tells."""
    folders: tuple[str, ...] = ()
    """The directories between the place that was asked for and the file, outermost first."""


@dataclass(frozen=True)
class FileSystem:
    """Where files are: in this machine's directories, or wherever a file system of fsspec leads."""

    remote: Any = None
    """The file system of fsspec; None for directories of this machine."""

    @property
    def token(self) -> str:
        """The same for file systems with the same files."""
        return "" if self.remote is None else str(tokenize(type(self.remote).__qualname__, self.remote.to_json()))

    def open(self, path: str) -> IO[bytes]:
        """Open a file for reading."""
        opened: IO[bytes] = open(path, "rb") if self.remote is None else self.remote.open(path, "rb")  # noqa: SIM115
        return opened

    def shown(self, path: str) -> str:
        """A path as people write it."""
        if self.remote is None:
            return path
        protocol = self.remote.protocol
        name = protocol if isinstance(protocol, str) else protocol[0]
        return path if "://" in path else f"{name}://{path}"

    def is_directory(self, path: str) -> bool:
        return os.path.isdir(path) if self.remote is None else bool(self.remote.isdir(path))

    def exists(self, path: str) -> bool:
        return os.path.exists(path) if self.remote is None else bool(self.remote.exists(path))

    def join(self, folder: str, name: str) -> str:
        return os.path.join(folder, name) if self.remote is None else f"{folder.rstrip('/')}/{name}"

    def look_up(self, path: str) -> DataFile:
        """A file by its path; raises FileNotFoundError."""
        if self.remote is None:
            found = os.stat(path)
            return DataFile(path, found.st_size, str(found.st_mtime_ns))
        return _data_file(self.remote.info(path))

    def matching(self, pattern: str) -> list[str]:
        """Paths that match a pattern with ``*``, ``?`` or ``[...]``; ``**`` for directories at any depth."""
        if self.remote is None:
            return glob.glob(pattern, recursive=True)
        return list(self.remote.glob(pattern))

    def below(self, root: str) -> list[DataFile]:
        """The files in a directory at any depth, without hidden ones.

        Raises
        ------
        ValueError
            The directory is being written, or its writing was interrupted.
        """
        files = self._below_here(root) if self.remote is None else self._below_there(root)
        return [file for file in files if not _hidden(file)]

    def _below_here(self, root: str) -> list[DataFile]:
        files = []
        for folder, folders, names in os.walk(root):
            if folder == root and INCOMPLETE in names:
                raise ValueError(_incomplete(root))
            folders[:] = [name for name in folders if not name.startswith(HIDDEN) or "=" in name]
            between = tuple(part for part in os.path.relpath(folder, root).split(os.sep) if part != ".")
            for name in names:
                if not name.startswith(HIDDEN):
                    found = self.look_up(os.path.join(folder, name))
                    files.append(DataFile(found.path, found.size, found.version, between))
        return files

    def _below_there(self, root: str) -> list[DataFile]:
        base = self.remote._strip_protocol(root).rstrip("/")
        files = []
        for path, info in self.remote.find(base, detail=True).items():
            *between, name = path.removeprefix(base).strip("/").split("/")
            if name == INCOMPLETE and not between:
                raise ValueError(_incomplete(self.shown(base)))
            found = _data_file(info)
            files.append(DataFile(found.path, found.size, found.version, tuple(between)))
        return files


HERE = FileSystem()


@dataclass(frozen=True)
class Found:
    """What files a user means."""

    system: FileSystem
    files: tuple[DataFile, ...]
    given: str
    """What was asked for, as people write it."""


def find_files(path: Any, storage_options: Options = None, filesystem: Any = None) -> Found:
    """The files that a path, a directory, a glob, a URL, or a list of such stands for.

    The files of a directory or glob are in the natural order of their names, where 2 comes before 10; those of a list
    as they are listed. Hidden files, whose names begin with a dot or an underscore, are left out of directories.

    Raises
    ------
    FileNotFoundError
        There is no such file, or none in the directory, or none that matches the glob.
    TypeError
        Something else than paths.
    """
    many = isinstance(path, (list, tuple))
    paths = [_text(one) for one in (path if many else [path])]
    if not paths:
        raise ValueError("no files to read: the list of paths is empty")
    system, first = file_system_of(paths[0], storage_options, filesystem)
    stripped = [first, *(file_system_of(one, storage_options, filesystem)[1] for one in paths[1:])]
    if any(("://" in one) != ("://" in paths[0]) for one in paths):
        raise ValueError("the files of one frame are in one file system; got both paths and URLs")
    shown = f"{len(paths)} paths" if many and len(paths) > 1 else paths[0]
    if len(stripped) > 1 and not any(_is_pattern(one) for one in stripped):
        groups = in_parallel(lambda one: _files_of(system, one), stripped)
    else:
        groups = [_files_of(system, one) for one in stripped]
    return Found(system, tuple(file for group in groups for file in group), shown)


def _files_of(system: FileSystem, path: str) -> list[DataFile]:
    if _is_pattern(path) and not system.exists(path):
        matches = sorted(system.matching(path), key=natural)
        files = [file for match in matches for file in _files_of(system, match) if not match.endswith(INCOMPLETE)]
        if not files:
            raise FileNotFoundError(f"no file matches {system.shown(path)}")
        return files
    if system.is_directory(path):
        files = sorted(system.below(path), key=lambda file: natural(file.path))
        if not files:
            raise FileNotFoundError(f"there are no files with data in {system.shown(path)}")
        return files
    try:
        return [system.look_up(path)]
    except FileNotFoundError as error:
        raise FileNotFoundError(f"there is no file {system.shown(path)}") from error


def file_system_of(path: str, storage_options: Options, filesystem: Any = None) -> tuple[FileSystem, str]:
    """Where a path or URL leads, and what it is called there.

    Raises
    ------
    ImportError
        A URL, and fsspec or what it needs for this kind of URL is not installed.
    """
    if filesystem is not None:
        remote = _as_fsspec(filesystem)
        return FileSystem(remote), str(remote._strip_protocol(path))
    if "://" not in path:
        if storage_options:
            raise ValueError(f"storage_options are for URLs, and {path!r} is a path")
        return HERE, os.path.abspath(os.path.expanduser(path))  # as other processes may be elsewhere
    if path.startswith("file://"):
        return HERE, os.path.abspath(path.removeprefix("file://"))
    try:
        import fsspec
    except ImportError as error:
        raise ImportError("URLs need the package fsspec: pip install 'restride[io]'") from error
    remote, stripped = fsspec.core.url_to_fs(path, **(storage_options or {}))
    return FileSystem(remote), stripped


def in_parallel(function: Callable[[Value], Result], values: Sequence[Value]) -> list[Result]:
    """A function of each value, several at once, where it waits for files; the first error is raised."""
    if len(values) < 3:
        return [function(value) for value in values]
    with ThreadPoolExecutor(min(POOL, len(values)), thread_name_prefix="restride-files") as pool:
        return list(pool.map(function, values))


def natural(path: str) -> list[Any]:
    """A key to sort names by, in which numbers count as such.

    Examples
    --------
    >>> sorted(["part.10", "part.2", "part"], key=natural)
    ['part', 'part.2', 'part.10']
    """
    parts: list[Any] = re.split(r"(\d+)", path)
    parts[1::2] = [(int(digits), digits) for digits in parts[1::2]]
    return parts


@contextmanager
def naming(place: str) -> Iterator[None]:
    """Let errors tell which file they are about."""
    try:
        yield
    except Exception as error:
        error.add_note(f"while reading {place}")
        raise


def _text(path: Any) -> str:
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"expected a path or URL, or a list of such, got {type(path).__name__}")
    return os.fspath(path)


def _is_pattern(path: str) -> bool:
    return any(sign in path for sign in "*?[")


def _hidden(file: DataFile) -> bool:
    name = file.path.replace(os.sep, "/").rpartition("/")[2]
    return name.startswith(HIDDEN) or any(part.startswith(HIDDEN) and "=" not in part for part in file.folders)


def _incomplete(place: str) -> str:
    return f"{place} is incomplete: its writing was interrupted, or goes on; write it again with overwrite=True"


def _data_file(info: dict[str, Any]) -> DataFile:
    marks: Iterable[str] = ("ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified", "created")
    version = next((str(info[mark]) for mark in marks if info.get(mark)), "")
    return DataFile(info["name"], int(info.get("size") or 0), version)


def _as_fsspec(filesystem: Any) -> Any:
    if type(filesystem).__module__.startswith("pyarrow"):
        from fsspec.implementations.arrow import ArrowFSWrapper

        return ArrowFSWrapper(filesystem)
    return filesystem
