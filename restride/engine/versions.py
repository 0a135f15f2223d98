"""Versions of Python and of the libraries whose pickles travel; which differences between two processes matter."""

from __future__ import annotations

import functools
import platform
import sys
import warnings
from collections.abc import Mapping
from importlib import metadata

from restride.errors import VersionError

_LIBRARIES = ("numpy", "pandas", "pyarrow", "cloudpickle")
_PARTS_THAT_MATTER = {"python": 2, "cloudpickle": 1, "restride": 3}
"""How many leading parts of a version must be equal, or else pickles cannot be read; the others may not matter."""


@functools.cache
def versions() -> Mapping[str, str]:
    """Versions of this process: of Python and of the libraries that are installed.

    Returns
    -------
    mapping of str to str
        ``{"python": "3.12.3", "numpy": "2.4.0", ...}``.

    Examples
    --------
    >>> sorted(versions())[:2]
    ['cloudpickle', 'numpy']
    """
    found = {"python": platform.python_version(), "restride": sys.modules["restride"].__version__}
    for library in _LIBRARIES:
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return found


def check_versions(theirs: Mapping[str, str], whose: str) -> None:
    """Compare the versions of another process with those of this one; what differs harmlessly is warned of once.

    Parameters
    ----------
    theirs : mapping of str to str
    whose : str
        The other process, for the message.

    Raises
    ------
    VersionError
        They differ in a way that breaks pickles.
    """
    differing = {
        name: f"{name} {ours} here, {theirs[name]} there"
        for name, ours in versions().items()
        if name in theirs and theirs[name] != ours
    }
    fatal = [text for name, text in differing.items() if _matters(name, versions()[name], theirs[name])]
    if fatal:
        raise VersionError(
            f"{whose} runs versions that do not go together with this process's: {'; '.join(fatal)}; "
            f"use the same environment for both"
        )
    if differing:
        _warn(
            f"{whose} runs other versions than this process, which may not go together: "
            + "; ".join(differing.values())
        )


def _matters(name: str, ours: str, theirs: str) -> bool:
    parts = _PARTS_THAT_MATTER.get(name, 0)
    return ours.split(".")[:parts] != theirs.split(".")[:parts]


@functools.cache
def _warn(text: str) -> None:
    warnings.warn(text, stacklevel=3)
