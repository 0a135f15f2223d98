"""``inplace=True``: methods whose result takes the place of what they are called on, as pandas' do.

An expression is never changed: the frame stands for another one then, and whatever has been made of it before stays.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

C = TypeVar("C")

GIVES_ITSELF = {
    "drop": False, "drop_duplicates": False, "dropna": False, "rename": False, "rename_axis": False,
    "reset_index": False, "set_index": False, "sort_index": False, "sort_values": False,
    "bfill": True, "clip": True, "ffill": True, "fillna": True, "interpolate": True, "mask": True, "replace": True,
    "where": True,
}  # fmt: skip
"""For each method whether pandas gives the frame itself then, or None."""


def in_place(cls: type[C]) -> type[C]:
    """Decorator: methods of a class of collections take ``inplace=``."""
    for name, gives_itself in GIVES_ITSELF.items():
        if hasattr(cls, name):
            setattr(cls, name, _perhaps_in_place(getattr(cls, name), gives_itself))
    return cls


def _perhaps_in_place(method: Callable[..., Any], gives_itself: bool) -> Callable[..., Any]:
    @wraps(method)
    def either(self: Any, *args: Any, inplace: bool = False, **kwargs: Any) -> Any:
        made = method(self, *args, **kwargs)
        if not inplace:
            return made
        if type(made) is not type(self):
            raise TypeError(
                f"Cannot {method.__name__} inplace on a {type(self).__name__} to create a {type(made).__name__}"
            )
        self.expr = made.expr
        return self if gives_itself else None

    return either
