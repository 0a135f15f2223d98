"""Directories that appear whole or not at all: written beside their place under another name, then renamed into it."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

PARTIAL = "partial"
"""Suffix of files that are being written, and are renamed when they are whole; zarr uses the same."""


@dataclass(frozen=True)
class Staging:
    """A directory in the making.

    A computation that is interrupted leaves what there was before as it was, and at most a directory
    ``.NAME.incomplete-...`` beside it, which nobody needs.
    """

    path: Path
    """Absolute."""
    is_replaceable: Callable[[Path], bool]
    """Whether a directory may be overwritten: nothing else is ever deleted."""
    overwrite: bool
    noun: str = "array"
    """What people call what the directory holds."""
    token: str = ""
    """What tells this attempt at making the directory from all others; none before `begin`."""
    made: tuple[Path, ...] = ()
    """Directories above that are made for this attempt, innermost first."""

    @property
    def work(self) -> Path:
        """Where the directory is until it is whole."""
        return self._beside("incomplete", self.token)

    def check(self) -> None:
        """See that the place is free, or may be overwritten.

        Raises
        ------
        FileExistsError
            There is something already.
        """
        if not self.path.exists() or (self.path.is_dir() and not any(self.path.iterdir())):
            return
        if not self.is_replaceable(self.path):
            raise FileExistsError(
                f"{self.path} exists, and is no {self.noun} that could be replaced; choose another place, or delete it "
                "first"
            )
        if not self.overwrite:
            article = "an" if self.noun[0] in "aeiou" else "a"
            raise FileExistsError(f"{self.path} holds {article} {self.noun} already; pass overwrite=True to replace it")

    def begin(self) -> Self:
        """Make the directory, empty, under another name that is new each time; raises what `check` does."""
        self.check()
        made = tuple(above for above in self.path.parents if not above.exists())
        begun = replace(self, token=_token(), made=made)
        begun.work.mkdir(parents=True)
        return begun

    def finish(self) -> None:
        """Put the directory in its place; what was there before is deleted last."""
        self.check()
        replaced = self._beside("replaced", self.token)
        try:
            if self.path.exists():
                self.path.rename(replaced)
            self.work.rename(self.path)
        except BaseException:
            if replaced.exists() and not self.path.exists():
                replaced.rename(self.path)
            raise
        if replaced.exists():
            shutil.rmtree(replaced)
        # Of processes that have died. Now, because nobody can add any more: writers know the old name alone.
        for partial in self.path.rglob(f"*.{PARTIAL}"):
            partial.unlink(missing_ok=True)

    def discard(self) -> None:
        """Delete what a computation that failed has left; also while tasks of it still write."""
        doomed = self._beside("discarded", _token())  # where they do not find it
        with suppress(FileNotFoundError):
            self.work.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)
        with suppress(OSError):  # the first that others use too
            for above in self.made:
                above.rmdir()

    def _beside(self, word: str, token: str) -> Path:
        return self.path.with_name(f".{self.path.name}.{word}-{token}")


def _token() -> str:
    return uuid.uuid4().hex[:8]
