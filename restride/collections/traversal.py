"""Walking graphs of nodes that name their children, without recursion: chains of thousands of nodes are ordinary."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)


def postorder(roots: Iterable[Node], children: Callable[[Node], Iterable[Node]]) -> list[Node]:
    """Every node at or below the roots once, children before parents."""
    order: list[Node] = []
    seen: set[Node] = set()
    stack = [(root, False) for root in reversed(list(roots))]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack += [(child, False) for child in reversed(list(children(node)))]
    return order
