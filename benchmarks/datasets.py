"""Where benchmarks keep the files that they read: a temporary folder, or one that stays for the next time."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

KEPT = Path(tempfile.gettempdir()) / "restride-benchmarks"


@contextmanager
def dataset(name: str, write: Callable[[Path], None], *, keep: bool = False) -> Iterator[Path]:
    """A folder that `write` has filled.

    Parameters
    ----------
    name : str
        Names the contents, sizes included.
    write : callable
        Fills the empty folder it is given.
    keep : bool
        Leave it where the next run finds it, and use what an earlier run has left.
    """
    kept = KEPT / name
    if keep and kept.exists():
        yield kept
        return
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-"))
    try:
        write(folder)
        if keep:
            KEPT.mkdir(exist_ok=True)
            folder.rename(kept)
        yield kept if keep else folder
    finally:
        shutil.rmtree(folder, ignore_errors=keep)
