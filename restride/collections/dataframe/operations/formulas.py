"""Functions of columns as people write them, for what is told of a plan: ``(x * 2) + y``, ``isin(k, ['a'])``."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

LONGEST = 30
"""Characters of a value."""

INFIX: dict[Any, str] = {
    operator.add: "+", operator.sub: "-", operator.mul: "*", operator.truediv: "/", operator.floordiv: "//",
    operator.mod: "%", operator.pow: "**", operator.and_: "&", operator.or_: "|", operator.xor: "^",
    operator.eq: "==", operator.ne: "!=", operator.lt: "<", operator.le: "<=", operator.gt: ">", operator.ge: ">=",
}  # fmt: skip
PREFIX: dict[Any, str] = {operator.invert: "~", operator.neg: "-", operator.pos: "+"}


def literal(value: Any) -> str:
    """A plain value, or a function by its name, in few characters.

    Examples
    --------
    >>> literal("a"), literal(len), literal(list(range(100)))
    ("'a'", 'len', '[0, 1, 2, 3, 4, 5, 6, 7, 8,...')
    """
    text = getattr(value, "__name__", None) if callable(value) else None
    text = repr(value) if text is None else text.strip("<>")
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def formula(function: Callable[..., Any], args: Sequence[str], kwargs: Mapping[str, Any]) -> str:
    """A call of a function of texts of its arguments.

    Examples
    --------
    >>> formula(operator.add, [formula(operator.mul, ["x", "2"], {}), "y"], {})
    '(x * 2) + y'
    >>> formula(operator.invert, ["known"], {}), formula(max, ["x"], {"default": 0})
    ('~known', 'max(x, default=0)')
    """
    if function in INFIX and len(args) == 2:
        return f" {INFIX[function]} ".join(map(_bracketed, args))
    if function in PREFIX and len(args) == 1:
        return PREFIX[function] + _bracketed(args[0])
    named = [f"{name}={literal(value)}" for name, value in kwargs.items()]
    return f"{literal(function)}({', '.join([*args, *named])})"


def _bracketed(text: str) -> str:
    """What has to be in brackets beside an operator."""
    return f"({text})" if any(f" {symbol} " in text for symbol in INFIX.values()) else text
