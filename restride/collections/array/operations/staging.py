"""Directories that appear whole or not at all: written beside their place under another name, then renamed into it."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


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
    token: str = field(default_factory=lambda: uuid.uuid4().hex[:8])

    @property
    def work(self) -> Path:
        """Where the directory is until it is whole."""
        return self.path.with_name(f".{self.path.name}.incomplete-{self.token}")

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
                f"{self.path} exists, and is no array that could be replaced; choose another place, or delete it first"
            )
        if not self.overwrite:
            raise FileExistsError(f"{self.path} holds an array already; pass overwrite=True to replace it")

    def begin(self) -> Path:
        """Make the directory, empty, under its other name."""
        self.discard()
        self.work.mkdir(parents=True)
        return self.work

    def finish(self) -> None:
        """Put the directory in its place; what was there before is deleted last."""
        self.check()
        if not self.path.exists():
            self.work.rename(self.path)
            return
        replaced = self.path.with_name(f".{self.path.name}.replaced-{self.token}")
        self.path.rename(replaced)
        try:
            self.work.rename(self.path)
        except OSError:
            replaced.rename(self.path)
            raise
        shutil.rmtree(replaced)

    def discard(self) -> None:
        """Delete what an interrupted computation has left."""
        if self.work.exists():
            shutil.rmtree(self.work, ignore_errors=True)
