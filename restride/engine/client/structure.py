"""Nested lists, tuples, sets and dicts: what stands in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from restride.engine.client.futures import Future


def map_leaves(function: Callable[[Any], Any], value: Any) -> Any:
    """The same structure with what a function makes of everything in it that is no list, tuple, set or dict."""
    match value:
        case list() | tuple() | set():
            return _rebuilt(type(value), [map_leaves(function, item) for item in value])
        case dict():
            return {key: map_leaves(function, item) for key, item in value.items()}
        case _:
            return function(value)


def map_items(function: Callable[[list[Any]], list[Any]], value: Any) -> Any:
    """The same list, tuple or dict with what a function makes of its elements; of anything else, of that."""
    match value:
        case list() | tuple():
            return _rebuilt(type(value), function(list(value)))
        case dict():
            return dict(zip(value, function(list(value.values()))))
        case _:
            return function([value])[0]


def futures_in(value: Any) -> list[Future]:
    """The futures in a structure."""
    found: list[Future] = []
    map_leaves(lambda leaf: found.append(leaf) if isinstance(leaf, Future) else None, value)
    return found


def _rebuilt(kind: type, items: list[Any]) -> Any:
    return kind(*items) if hasattr(kind, "_fields") else kind(items)  # of named tuples, too
