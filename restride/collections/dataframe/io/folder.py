"""Where frames are written: a directory of files that appears whole or not at all, or a single file that does."""

from __future__ import annotations

import io
import os
import shutil
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Protocol, Self

from restride.collections.dataframe.io.files import HERE, INCOMPLETE, FileSystem, Options, file_system_of
from restride.collections.staging import PARTIAL, Staging

NOUN = "data set"


class Folder(Protocol):
    """A directory that files are written to, each whole. It travels to the workers."""

    @property
    def shown(self) -> str:
        """What people call the place."""

    def begin(self, *, here: bool) -> Self:
        """Prepare the directory, in the client's process; the folder that the other methods are for."""

    def write(self, name: str, write: Callable[[IO[bytes]], None]) -> None:
        """Write one file, by a function that gets it open; the file appears whole. May be called again for it."""

    def open(self, name: str) -> IO[bytes]:
        """Open a file that has been written, before the folder is finished."""

    def finish(self) -> None:
        """All files are written: make the directory appear."""

    def discard(self) -> None:
        """Delete what was begun, where that can be done; nothing if it is finished."""


@dataclass(frozen=True)
class LocalFolder:
    """A directory of this machine."""

    staging: Staging
    append: bool = False
    """Keep the files that there are."""

    @property
    def shown(self) -> str:
        return str(self.staging.path)

    def begin(self, *, here: bool) -> Self:
        staging = self.staging.begin()
        if self.append and self.staging.path.is_dir():
            try:
                shutil.copytree(staging.path, staging.work, copy_function=_link, dirs_exist_ok=True)
            except BaseException:
                staging.discard()
                raise
        return replace(self, staging=staging)

    def write(self, name: str, write: Callable[[IO[bytes]], None]) -> None:
        path = self.staging.work / name
        partial = path.with_name(f"{path.name}.{uuid.uuid4().hex}.{PARTIAL}")
        if not self.staging.work.is_dir():
            raise FileNotFoundError(
                f"{self.staging.work} is not there: either its writing has ended, or the client writes to a file "
                "system that this process does not share"
            )
        partial.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("xb") as file:
                write(file)
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise

    def open(self, name: str) -> IO[bytes]:
        return (self.staging.work / name).open("rb")

    def finish(self) -> None:
        self.staging.finish()

    def discard(self) -> None:
        self.staging.discard()


@dataclass(frozen=True)
class RemoteFolder:
    """A directory where nothing can be renamed: marked as incomplete until it is whole.

    Files of it that were there before are deleted last; until then new ones are beside them, under names of their own.
    """

    system: FileSystem
    path: str
    suffix: str
    overwrite: bool
    append: bool = False
    token: str = ""
    old: tuple[str, ...] = ()
    """Files that the new ones replace."""

    @property
    def shown(self) -> str:
        return self.system.shown(self.path)

    def check(self) -> None:
        """See that the place is free, or may be overwritten; raises FileExistsError."""
        self._old()

    def begin(self, *, here: bool) -> Self:
        if not here and "memory" in str(self.system.remote.protocol):
            raise ValueError(f"{self.shown} is in the memory of this process, where workers in others cannot write")
        begun = replace(self, old=tuple(self._old()), token=uuid.uuid4().hex[:8])
        self.system.remote.pipe_file(self._at(INCOMPLETE), begun.token.encode())
        return begun

    def write(self, name: str, write: Callable[[IO[bytes]], None]) -> None:
        whole = io.BytesIO()
        write(whole)
        # One call, as files that are open for writing appear with what they have where an exception closes them.
        self.system.remote.pipe_file(self._at(self._own(name)), whole.getvalue())

    def open(self, name: str) -> IO[bytes]:
        return self.system.open(self._at(self._own(name)))

    def finish(self) -> None:
        if self.old and not self.append:
            self.system.remote.rm(list(self.old))
        self.system.remote.rm(self._at(INCOMPLETE))

    def discard(self) -> None:
        remote = self.system.remote
        remote.invalidate_cache()
        mine = [path for path in remote.find(self.path) if self.token in path.rpartition("/")[2]]
        if mine:
            remote.rm(mine)
        remote.rm(self._at(INCOMPLETE))

    def _own(self, name: str) -> str:
        """A name that no earlier writing gave."""
        folder, slash, base = name.rpartition("/")
        stem, dot, rest = base.partition(".")
        return f"{folder}{slash}{stem}-{self.token}{dot}{rest}"

    def _at(self, name: str) -> str:
        return self.system.join(self.path, name)

    def _old(self) -> list[str]:
        self.system.remote.invalidate_cache()
        there: list[str] = self.system.remote.find(self.path)
        if not there or self.append:
            return there
        strange = [path for path in there if not path.endswith((self.suffix, INCOMPLETE))]
        if strange:
            raise FileExistsError(f"{self.shown} holds {strange[0]}, and is no {NOUN} that could be replaced")
        if not self.overwrite:
            raise FileExistsError(f"{self.shown} holds a {NOUN} already; pass overwrite=True to replace it")
        return [path for path in there if not path.endswith(INCOMPLETE)]


@dataclass(frozen=True)
class SingleFile:
    """A file that is made of parts, one after the other, when all are there."""

    folder: LocalFolder | RemoteFolder
    """Where the parts go."""
    system: FileSystem
    path: str

    @property
    def shown(self) -> str:
        return self.system.shown(self.path)

    def begin(self, *, here: bool) -> Self:
        return replace(self, folder=self.folder.begin(here=here))

    def write(self, name: str, write: Callable[[IO[bytes]], None]) -> None:
        self.folder.write(name, write)

    def join(self, names: Sequence[str]) -> None:
        """Make the file of its parts."""
        if isinstance(self.folder, LocalFolder):
            whole = Path(self.path).with_name(f".{Path(self.path).name}.{uuid.uuid4().hex}.{PARTIAL}")
            try:
                with whole.open("xb") as file:
                    self._copy(names, file)
                whole.replace(self.path)
            except BaseException:
                whole.unlink(missing_ok=True)
                raise
        else:
            # Cannot be renamed, and is whole only when it is closed.
            file = self.system.remote.open(self.path, "wb")
            try:
                self._copy(names, file)
            except BaseException:
                file.discard()
                raise
            file.close()

    def _copy(self, names: Sequence[str], file: IO[bytes]) -> None:
        for name in names:
            with self.folder.open(name) as part:
                shutil.copyfileobj(part, file, 1 << 20)

    def finish(self) -> None:
        self.folder.discard()

    def discard(self) -> None:
        self.folder.discard()


def folder_at(
    path: Any,
    suffix: str,
    *,
    overwrite: bool = False,
    append: bool = False,
    storage_options: Options = None,
    filesystem: Any = None,
) -> Folder:
    """The directory at a path or URL, to be written.

    Raises
    ------
    FileExistsError
        There is something already, and neither `overwrite` nor `append`, or something that is none of our files.
    """
    system, place = file_system_of(os.fspath(path), storage_options, filesystem)
    if system.remote is not None:
        remote = RemoteFolder(system, place.rstrip("/"), suffix, overwrite, append)
        remote.check()
        return remote
    staging = Staging(Path(os.path.realpath(place)), _HoldsOnly(suffix), overwrite or append, NOUN)
    staging.check()
    return LocalFolder(staging, append)


def single_file_at(path: Any, storage_options: Options = None, filesystem: Any = None) -> SingleFile:
    """The file at a path or URL, to be written; what is there is replaced when the new one is whole."""
    system, place = file_system_of(os.fspath(path), storage_options, filesystem)
    token = uuid.uuid4().hex[:8]
    if system.remote is not None:
        return SingleFile(RemoteFolder(system, f"{place}.parts-{token}", "", overwrite=True), system, place)
    whole = Path(os.path.realpath(place))
    if whole.is_dir():
        raise IsADirectoryError(f"{whole} is a directory, and a single file is to be written")
    staging = Staging(whole.with_name(f".{whole.name}.parts-{token}"), _HoldsOnly(""), True, NOUN)
    return SingleFile(LocalFolder(staging), HERE, str(whole))


@dataclass(frozen=True)
class _HoldsOnly:
    """Whether a directory has files with an ending, and hidden ones, alone."""

    suffix: str

    def __call__(self, path: Path) -> bool:
        if not path.is_dir():
            return False
        files = [file for file in path.rglob("*") if file.is_file() and not file.name.startswith((".", "_"))]
        return all(file.name.endswith(self.suffix) for file in files)


def _link(source: str, target: str) -> str:
    """Another name for the same file, or a copy where there can be none."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target
