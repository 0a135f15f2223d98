"""Files at URLs that fsspec knows: read by ranges of bytes, or as file objects; nothing is open in between."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import IO, Any

Options = dict[str, Any] | None
"""For the file system of a URL: what fsspec calls storage options."""


@dataclass(frozen=True)
class UrlFile:
    """A file at a URL."""

    url: str
    options: Options = field(default=None, hash=False)

    def open(self) -> AbstractContextManager[IO[bytes]]:
        """The file, to be read from and closed.

        Raises
        ------
        FileNotFoundError
            There is none.
        """
        opened: AbstractContextManager[IO[bytes]] = fsspec_module().open(self.url, "rb", **self.options or {})
        return opened

    def read(self, start: int, stop: int) -> bytes:
        """The bytes of a range, in one request where the file system has such."""
        files, path = self._file_system()
        part: bytes = files.cat_file(path, start=start, end=stop)
        return part

    @property
    def size(self) -> int:
        """Bytes of the file."""
        files, path = self._file_system()
        return int(files.size(path))

    def matching(self) -> list[UrlFile]:
        """Files that the URL is a pattern for, in the order of their names."""
        files, path = self._file_system()
        return [UrlFile(str(files.unstrip_protocol(found)), self.options) for found in sorted(files.glob(path))]

    def _file_system(self) -> tuple[Any, str]:
        files, path = fsspec_module().core.url_to_fs(self.url, **self.options or {})
        return files, path


def fsspec_module() -> Any:
    """The library, or an error that says how to get it."""
    try:
        import fsspec
    except ImportError as error:
        raise ImportError("files at URLs need the package fsspec: pip install 'restride[io]'") from error
    return fsspec


def place_of(path: str | os.PathLike[str]) -> str:
    """What people call the place of a file: its URL, or its absolute path."""
    text = os.fspath(path)
    return text if is_url(text) else os.path.abspath(text.removeprefix("file://"))


def is_url(place: str) -> bool:
    """Whether a place is a URL of some other file system than that of this machine."""
    return "://" in place and not place.startswith("file://")


def refuse_url(path: str | os.PathLike[str], word: str) -> None:
    """See that a place to write to is a local one.

    Raises
    ------
    ValueError
        It is a URL.
    """
    if is_url(os.fspath(path)):
        raise ValueError(f"{word} writes to local files, and {os.fspath(path)} is a URL; to_zarr writes to URLs")
