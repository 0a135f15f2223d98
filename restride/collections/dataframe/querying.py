"""Expressions in strings, as `query` and `eval` of pandas take them, worked out with the operators of our frames.

So a condition in a string becomes the same expression as one that is written out, and filters reach the files as well.
"""

from __future__ import annotations

import ast
import functools
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from pandas.errors import UndefinedVariableError

from restride.collections.collection import Collection

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow, ast.BitXor: operator.xor,
}  # fmt: skip
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}  # fmt: skip
FUNCTIONS = (
    "sin", "cos", "tan", "exp", "log", "expm1", "log1p", "sqrt", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan",
    "arccosh", "arcsinh", "arctanh", "abs", "log10", "floor", "ceil", "arctan2",
)  # fmt: skip
"""Functions of numpy that expressions may call by name."""
_LOCAL, _QUOTED = "__local_", "__quoted_"


class Expression:
    """A string of one or several expressions, parsed.

    Parameters
    ----------
    text : str
        Names are those of columns, levels of the index, and functions of numpy; ``@name`` is a variable, and names in
        backticks may have any characters.

    Raises
    ------
    SyntaxError, NotImplementedError
        As pandas does, for what is no expression, and for parts of Python that expressions do not have.
    """

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise ValueError(f"expr must be a string to be evaluated, {type(text)} given")
        if not text.strip():
            raise ValueError("expr cannot be an empty string")
        source, self.quoted = plain_source(text)
        lines = [line.strip() for line in source.splitlines() if line.strip()]
        self.statements = [statement for line in lines for statement in ast.parse(line).body]

    def on(self, frame: Any, variables: Mapping[str, Any]) -> tuple[Any, bool]:
        """What the expressions make of a frame, and whether they assign.

        The value of the last expression; if they assign columns the frame with these.
        """
        assigns = [isinstance(statement, ast.Assign) for statement in self.statements]
        if len(assigns) > 1 and not all(assigns):
            raise ValueError("Multi-line expressions are only valid if all expressions contain an assignment")
        value: Any = None
        for statement in self.statements:
            evaluation = _Evaluation(frame, variables, self.quoted)
            if isinstance(statement, ast.Expr):
                return evaluation.of(statement.value), False
            if not isinstance(statement, ast.Assign):
                raise SyntaxError(f"{type(statement).__name__} is no expression")
            if len(statement.targets) != 1:
                raise SyntaxError("can only assign a single expression")
            (target,) = statement.targets
            if not isinstance(target, ast.Name):
                raise SyntaxError("left hand side of an assignment must be a single name")
            value = evaluation.of(statement.value)
            frame = frame.assign(**{self.quoted.get(target.id, target.id): value})
        return frame, True


def plain_source(text: str) -> tuple[str, dict[str, str]]:
    """The text as Python's own, and for each name that stands for one in backticks the latter.

    ``&`` and ``|`` bind like ``and`` and ``or``, as they do in pandas' expressions.
    """
    quoted: dict[str, str] = {}
    parts = []
    for kind, piece in _pieces(text):
        if kind == "quoted":
            name = f"{_QUOTED}{len(quoted)}"
            quoted[name] = piece
            parts.append(name)
        elif kind == "string":
            parts.append(piece)
        else:
            parts.append(piece.replace("@", _LOCAL).replace("&", " and ").replace("|", " or "))
    return "".join(parts), quoted


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """A text in pieces: strings, names in backticks, and what is between."""
    at = start = 0
    while at < len(text):
        character = text[at]
        if character not in "'\"`":
            at += 1
            continue
        yield "code", text[start:at]
        end = at + 1
        while end < len(text) and text[end] != character:
            end += 2 if text[end] == "\\" and character != "`" else 1
        if end >= len(text):
            raise SyntaxError(f"{character} is not closed in {text!r}")
        yield ("quoted", text[at + 1 : end]) if character == "`" else ("string", text[at : end + 1])
        at = start = end + 1
    yield "code", text[start:]


class _Evaluation:
    """The value of an expression's tree; a method for each type of node."""

    def __init__(self, frame: Any, variables: Mapping[str, Any], quoted: Mapping[str, str]) -> None:
        self.frame, self.variables, self.quoted = frame, variables, quoted

    def of(self, node: ast.AST) -> Any:
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise NotImplementedError(f"'{type(node).__name__}' nodes are not implemented")
        return method(node)

    def _constant(self, node: ast.Constant) -> Any:
        return node.value

    def _list(self, node: ast.List | ast.Tuple) -> list[Any]:
        return [self.of(item) for item in node.elts]

    _tuple = _list

    def _name(self, node: ast.Name) -> Any:
        name = self.quoted.get(node.id, node.id)
        if name.startswith(_LOCAL):
            name = name.removeprefix(_LOCAL)
            if name not in self.variables:
                raise UndefinedVariableError(name, True)
            return self.variables[name]
        labels = self.frame.columns
        if name in labels:
            return self.frame[name]
        for label in labels:
            if node.id in self.quoted and str(label) == name:
                return self.frame[label]
        level = self._level(name)
        if level is not None:
            return level
        raise UndefinedVariableError(name)

    def _level(self, name: str) -> Any:
        index = self.frame.index
        names = list(self.frame._meta.index.names)
        if name in names or name.startswith("ilevel_"):
            number = names.index(name) if name in names else int(name.removeprefix("ilevel_"))
            return as_column(index.get_level_values(number))
        return as_column(index) if name == "index" else None

    def _unaryop(self, node: ast.UnaryOp) -> Any:
        value = self.of(node.operand)
        if isinstance(node.op, (ast.Not, ast.Invert)):
            return (not value) if isinstance(value, bool) else ~value
        return -value if isinstance(node.op, ast.USub) else +value

    def _binop(self, node: ast.BinOp) -> Any:
        if type(node.op) not in _BINARY:
            raise NotImplementedError(f"'{type(node.op).__name__}' nodes are not implemented")
        return _BINARY[type(node.op)](self.of(node.left), self.of(node.right))

    def _boolop(self, node: ast.BoolOp) -> Any:
        combine = operator.and_ if isinstance(node.op, ast.And) else operator.or_
        return functools.reduce(combine, [self.of(value) for value in node.values])

    def _compare(self, node: ast.Compare) -> Any:
        values = [self.of(value) for value in (node.left, *node.comparators)]
        parts = [_compared(op, left, right) for op, left, right in zip(node.ops, values, values[1:])]
        return functools.reduce(operator.and_, parts)

    def _attribute(self, node: ast.Attribute) -> Any:
        if node.attr.startswith("_"):
            raise NotImplementedError(f"attributes that begin with an underscore, such as {node.attr!r}")
        return getattr(self.of(node.value), node.attr)

    def _subscript(self, node: ast.Subscript) -> Any:
        return self.of(node.value)[self.of(node.slice)]

    def _slice(self, node: ast.Slice) -> slice:
        return slice(*[None if part is None else self.of(part) for part in (node.lower, node.upper, node.step)])

    def _call(self, node: ast.Call) -> Any:
        if isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
            function = getattr(np, node.func.id)
        else:
            function = self.of(node.func)
        kwargs = {str(keyword.arg): self.of(keyword.value) for keyword in node.keywords}
        return function(*[self.of(arg) for arg in node.args], **kwargs)


def as_column(index: Any) -> Any:
    """The labels of an index, as values of the same rows."""
    return index.to_series().reset_index(drop=True)


def _compared(op: ast.cmpop, left: Any, right: Any) -> Any:
    if isinstance(op, (ast.In, ast.NotIn)) or _is_listed(op, right):
        lazy = isinstance(left, (Collection, pd.Series))
        found: Any = left.isin(right) if lazy else left in right
        negated = isinstance(op, (ast.NotIn, ast.NotEq))
        return (not found if isinstance(found, bool) else ~found) if negated else found
    if type(op) not in _COMPARISONS:
        raise NotImplementedError(f"'{type(op).__name__}' nodes are not implemented")
    return _COMPARISONS[type(op)](left, right)


def _is_listed(op: ast.cmpop, right: Any) -> bool:
    """Whether a comparison with a list asks for membership, as it does in pandas."""
    return isinstance(op, (ast.Eq, ast.NotEq)) and isinstance(right, (list, tuple, set))
