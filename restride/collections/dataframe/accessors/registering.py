"""Accessors as attributes of frames, series and indexes, the library's own and those that users register."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any


class AccessorAttribute:
    """An attribute that is an accessor: made of the object when it is asked for, the class itself on the class."""

    def __init__(self, accessor: Callable[[Any], Any]) -> None:
        self.accessor = accessor
        self.__doc__ = accessor.__doc__

    def __get__(self, instance: Any, owner: type) -> Any:
        return self.accessor if instance is None else self.accessor(instance)


def register(cls: type, name: str) -> Callable[[Any], Any]:
    """Decorator: an accessor of a class of collections."""

    def registered(accessor: Any) -> Any:
        if hasattr(cls, name):
            warnings.warn(
                f"{name!r} was an attribute of {cls.__name__} already, and is the accessor {accessor!r} now",
                UserWarning,
                stacklevel=2,
            )
        setattr(cls, name, AccessorAttribute(accessor))
        return accessor

    return registered
