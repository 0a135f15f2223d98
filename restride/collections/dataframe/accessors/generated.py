"""Methods and attributes of accessors by name, from tables that say in a line what each does."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from restride.collections.dataframe.base import FrameBase
from restride.collections.dataframe.methods.elementwise import counted
from restride.collections.dataframe.operations.rowwise import Attribute, Method


class Accessor:
    """Base of accessors: they hold the series or index that they are of."""

    word: str

    def __init__(self, collection: FrameBase) -> None:
        getattr(
            collection.expr.meta if not isinstance(collection.expr.meta, pd.Index) else _values(collection), self.word
        )
        self._collection = collection

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._collection!r}>"

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.startswith("_")]


def _values(collection: FrameBase) -> pd.Series:
    return pd.Series([], dtype=collection.expr.meta.dtype)


def add_methods(cls: type[Accessor], word: str, texts: Mapping[str, str], of: Any) -> None:
    """Give an accessor methods that are pandas' own, row by row.

    Parameters
    ----------
    cls : type
    word : str
        Name of the accessor, such as ``"str"``.
    texts : mapping
        For each method what it does.
    of : object
        What has pandas' methods of these names, whose signatures are taken.
    """
    for name, text in texts.items():
        if name not in vars(cls):
            setattr(cls, name, _method(cls, word, name, text, getattr(of, name, None)))


def add_attributes(cls: type[Accessor], word: str, texts: Mapping[str, str]) -> None:
    """Give an accessor attributes that are pandas' own, row by row; see `add_methods`."""
    for name, text in texts.items():
        setattr(cls, name, _attribute(word, name, text))


def _method(cls: type, word: str, name: str, text: str, of: Any) -> Callable[..., Any]:
    def method(self: Accessor, *args: Any, **kwargs: Any) -> Any:
        return counted(self._collection, Method(f"{word}.{name}"), *args, **kwargs)

    method.__name__, method.__qualname__, method.__module__ = name, f"{cls.__qualname__}.{name}", cls.__module__
    method.__doc__ = f"{text}\n\nThe parameters are those of `pandas.Series.{word}.{name}`."
    if of is not None:
        method.__signature__ = inspect.signature(of)  # type: ignore[attr-defined]
    return method


def _attribute(word: str, name: str, text: str) -> property:
    def attribute(self: Accessor) -> Any:
        return counted(self._collection, Attribute(f"{word}.{name}"))

    attribute.__name__ = name
    return property(attribute, doc=f"{text}\n\nAs `pandas.Series.{word}.{name}`.")
