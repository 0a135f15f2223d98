"""Expressions: what a collection means, apart from how it is typed and how it runs.

An `Expr` is an immutable node. Its fields are its parameters and its children; its name is a digest of all of them, so
that two expressions of one name stand for the same values, and are computed once. Nothing here knows of arrays or
frames: their nodes derive from `Expr` and say in `blocks` how they lower.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import itertools
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from restride.collections.blocks import Blocks
from restride.collections.traversal import postorder
from restride.engine.graphs.origin import user_line

if TYPE_CHECKING:
    from restride.engine.client.futures import Future

LITERAL_LIMIT = 64 * 1024
"""Bytes up to which an array inside an expression is named by its content; above it hashing would be felt."""

Send = Callable[[list[Any]], "Sequence[Future]"]
"""Takes values to the workers, past the scheduler; gives a future of each."""

LARGE, LARGE_BLOCK = 1 << 20, 64 << 10
"""Bytes of a value, and of a block of it, from which data had better not go along with tasks: see `goes_apart`."""

_construction_ids = itertools.count()

_PLAIN = {kind: f"builtins.{kind.__name__}" for kind in (type(None), bool, int, float, str)}
"""Types of most values in expressions, and what they are called in names."""


@dataclass(frozen=True, eq=False, repr=False)
class Expr:
    """An immutable node of an expression graph; equal to another if their names are.

    Fields may be numbers, strings, dtypes, slices, tuples, functions, arrays, and other expressions (on their own or in
    tuples), which are the node's children.
    """

    name: str = field(init=False)
    """Deterministic: a word for people and a digest of the node's type, fields and children."""
    children: tuple[Expr, ...] = field(init=False)
    """The expressions among the fields, in the order of the fields."""
    origin: str | None = field(init=False)
    """The line of the user's code that made the node; no part of its identity."""

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Self:
        # Here and not in __post_init__, whose caller is an __init__ that dataclasses compiled outside of the package.
        self = object.__new__(cls)
        object.__setattr__(self, "origin", user_line())
        return self

    def __post_init__(self) -> None:
        children: list[Expr] = []
        for value in self._values():
            if isinstance(value, Expr):
                children.append(value)
            elif isinstance(value, tuple):
                children += [item for item in value if isinstance(item, Expr)]
        object.__setattr__(self, "children", tuple(children))
        object.__setattr__(self, "name", f"{self.label}-{tokenize(type(self).__qualname__, *self.identity())}")

    @property
    def label(self) -> str:
        """What people see of the node in names of tasks."""
        return type(self).__name__.lower()

    @property
    def detail(self) -> str:
        """What else people are told of the node, after its label."""
        return ""

    @property
    def summary(self) -> str:
        """What people are told of the node's value: its shape, its size."""
        return ""

    @property
    def kernel_rule(self) -> str:
        """What people are told of the node's kernel, above all how data decide at run time which one it is."""
        return ""

    @property
    def nbytes(self) -> int | None:
        """Bytes of the value, about; None where they are not known."""
        return 0

    @property
    def bytes_read(self) -> int | Sequence[int] | None:
        """Bytes that come from outside to make the node itself, in all or for each block; None if not known."""
        return 0

    @property
    def bytes_moved(self) -> int | None:
        """Bytes of rows that go to other partitions to make the node itself; None where they are not known."""
        return 0

    def identity(self) -> Iterable[Any]:
        """What tells the node from others of its type: its fields."""
        return self._values()

    def blocks(self, *children: Blocks) -> Blocks:
        """The node's blocks, in terms of its children's; see `restride.collections.blocks`."""
        raise NotImplementedError(type(self).__name__)

    def simplified(self) -> Expr:
        """A cheaper expression of the same blocks by a rule of this node's own, or the node itself."""
        return self

    def shipped(self) -> Expr:
        """The same blocks where tasks run in other processes: data that each kernel would take along goes by block."""
        return self

    def sent(self, send: Send) -> Expr:
        """The same blocks where data that would go along with tasks have gone to the workers."""
        return self

    def questions(self) -> tuple[Expr, ...]:
        """Small expressions whose values the node wants to know before it lowers; see `restride.collections.facts`."""
        return ()

    def answered(self, answers: Sequence[Any]) -> Expr:
        """The node that knows the answers to its questions, for each the list of its blocks; it asks no more."""
        raise NotImplementedError(type(self).__name__)

    def with_children(self, children: Sequence[Expr]) -> Expr:
        """The same node over other children."""
        if all(new is old for new, old in zip(children, self.children, strict=True)):
            return self
        fresh = iter(children)
        return self._with(_replaced(value, fresh) for value in self._values())

    def replace(self, **changes: Any) -> Self:
        """The same node but for some fields; it keeps its origin."""
        return self._with(changes.get(name, getattr(self, name)) for name in _parameters_of(self))

    def made_at(self, origin: str | None) -> Self:
        """The same node, made at another line of the user's code as far as people are told."""
        if origin in (None, self.origin):
            return self
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        object.__setattr__(new, "origin", origin)
        return new

    def _with(self, values: Iterable[Any]) -> Self:
        new = type(self)(*values)
        object.__setattr__(new, "origin", self.origin)
        return new

    def _values(self) -> list[Any]:
        return [getattr(self, name) for name in _parameters_of(self)]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expr) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"<{self.name}>"


_parameters: dict[type, tuple[str, ...]] = {}


def _parameters_of(node: Expr) -> tuple[str, ...]:
    """The names of a node's fields."""
    found = _parameters.get(type(node))
    if found is None:
        found = _parameters[type(node)] = tuple(f.name for f in fields(node) if f.init)
    return found


def goes_apart(nbytes: int, n_blocks: int) -> bool:
    """Whether data of the client's go straight to workers, not by way of the scheduler with the tasks that use them."""
    return nbytes >= max(LARGE, LARGE_BLOCK * n_blocks)


def subexpressions(roots: Iterable[Expr]) -> list[Expr]:
    """Every expression at or below the roots once, children before parents."""
    return postorder(roots, lambda expr: expr.children)


def rewrite(roots: Sequence[Expr], rule: Callable[[Expr], Expr]) -> list[Expr]:
    """Apply a rule to every node, children first, over and over until nothing changes.

    The rule gets a node and returns one that means the same, or the node itself.
    """
    while True:
        new: dict[str, Expr] = {}
        for expr in subexpressions(roots):
            new[expr.name] = rule(expr.with_children([new[child.name] for child in expr.children]))
        rewritten = [new[root.name] for root in roots]
        if rewritten == list(roots):
            return rewritten
        roots = rewritten


def tokenize(*values: Any) -> str:
    """Digest of values that is the same in every process, as far as their content can be known.

    Arrays above `LITERAL_LIMIT`, closures and objects of unknown types get a number that no other value has.
    """
    digest = hashlib.blake2b(digest_size=12)
    for value in values:
        _feed(digest.update, value)
    return digest.hexdigest()


def _feed(update: Callable[[bytes], object], value: Any) -> None:
    if (kind := _PLAIN.get(type(value))) is not None:
        update(f"{kind}:{value!r};".encode())
        return
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    match value:
        case Expr():
            update(f"{kind}:{value.name};".encode())
        case np.dtype():
            update(f"{kind}:{value.descr if value.names else value.str};".encode())
        case np.ndarray() | np.generic() if not value.dtype.hasobject and value.nbytes <= LITERAL_LIMIT:
            _feed(update, value.dtype)
            update(f"{kind}:{value.shape};".encode() + np.ascontiguousarray(value).tobytes())
        case np.ndarray() | np.generic():
            update(f"construction:{next(_construction_ids)};".encode())
        case None | bool() | int() | float() | complex() | str() | bytes() | slice() | dt.date() | dt.timedelta():
            update(f"{kind}:{value!r};".encode())
        case tuple() | list() if len(value) > 1000 and all(type(item) is int for item in value):
            update(f"{kind}:ints:{value!r};".encode())
        case tuple() | list():
            update(f"{kind}:{len(value)};".encode())
            for item in value:
                _feed(update, item)
        case dict():
            _feed(update, list(value.items()))
        case functools.partial():
            _feed(update, (kind, value.func, value.args, value.keywords))
        case _ if is_dataclass(value) and not isinstance(value, type):
            _feed(update, (kind, [getattr(value, f.name) for f in fields(value)]))
        case _ if isinstance(value, np.ufunc) or _is_importable(value):
            name = getattr(value, "__qualname__", value.__name__)  # which ufuncs have from numpy 2.2 on alone
            update(f"{kind}:{getattr(value, '__module__', '')}.{name};".encode())
        case _:
            update(f"construction:{next(_construction_ids)};".encode())


def _is_importable(value: Any) -> bool:
    """Whether an object's module and qualified name lead back to it, in any process."""
    module, path = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if module is None or path is None or module == "__main__":
        return False
    found: Any = sys.modules.get(module)
    for part in path.split("."):
        found = getattr(found, part, None)
    return found is value


def _replaced(value: Any, fresh: Iterator[Expr]) -> Any:
    if isinstance(value, Expr):
        return next(fresh)
    if isinstance(value, tuple) and any(isinstance(item, Expr) for item in value):
        return tuple(next(fresh) if isinstance(item, Expr) else item for item in value)
    return value
