"""Errors of pandas' types that also say what there is, and what may have been meant."""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Hashable, Iterable
from typing import Any

import pandas as pd


def no_label(label: Any, labels: Iterable[Hashable], message: str | None = None) -> KeyError:
    """The KeyError for a label that there is not; notes say which there are, and which is like it."""
    there = list(labels)
    error = KeyError(label if message is None else message)
    like = difflib.get_close_matches(str(label), [str(one) for one in there], 1)
    if like:
        error.add_note(f"did you mean {like[0]!r}?")
    error.add_note(f"there are {_some.repr(there)}")
    return error


def no_attribute(owner: Any, name: str) -> AttributeError:
    """The AttributeError for a name that there is not; Python says what is like it, a note what pandas has."""
    kind = type(owner).__name__
    error = AttributeError(f"{kind!r} object has no attribute {name!r}", name=name, obj=owner)
    if not name.startswith("_") and hasattr(getattr(pd, kind, None), name):
        error.add_note(f"pandas' {kind} has: compute() gives one, where all of it fits into memory")
    return error


_some = reprlib.Repr()
_some.maxlist = 20
