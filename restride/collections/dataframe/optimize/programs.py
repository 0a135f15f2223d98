"""Row by row in one go: operations whose result only one other uses are computed inside that one.

Between steps of a program values stay what pandas makes of them; otherwise each step's result would become a partition
and be unpacked again, which for truth values costs as much as a comparison. A filter makes its mask itself, and numbers
what it keeps itself where a default index is to be stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from restride.collections.blocks import Blocks, Map, every
from restride.collections.dataframe.expr import FrameExpr, ScalarExpr
from restride.collections.dataframe.meta import Meta
from restride.collections.dataframe.operations.formulas import formula, literal
from restride.collections.dataframe.operations.rowwise import (
    Filter,
    Rowwise,
    StoreIndex,
    evaluated,
    template_of,
    true_rows,
)
from restride.collections.dataframe.partition import Partition, column_from_pandas, columns_of, table_of
from restride.collections.expression import Expr, subexpressions


@dataclass(frozen=True)
class Leaf:
    """An operand of a program, by its place."""

    place: int


@dataclass(frozen=True)
class Program:
    """Functions of functions of operands, as one function of these."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    """`Leaf`, `Program`, or a plain value."""
    kwargs: tuple[tuple[str, Any], ...]

    @property
    def __name__(self) -> str:
        inner = [arg.__name__ for arg in self.args if isinstance(arg, Program)]
        return f"{self.last}({', '.join(inner)})"

    @property
    def last(self) -> str:
        """The name of the function whose result is the program's."""
        return getattr(self.function, "__name__", type(self.function).__name__)

    def text(self, operands: Sequence[str]) -> str:
        """The program as people write it, of texts of its operands."""

        def shown(arg: Any) -> str:
            if isinstance(arg, Leaf):
                return operands[arg.place]
            return arg.text(operands) if isinstance(arg, Program) else literal(arg)

        return formula(self.function, list(map(shown, self.args)), dict(self.kwargs))

    def __call__(self, *operands: Any) -> Any:
        args = [
            operands[arg.place] if isinstance(arg, Leaf) else arg(*operands) if isinstance(arg, Program) else arg
            for arg in self.args
        ]
        return self.function(*args, **dict(self.kwargs))


def merge_programs(roots: Sequence[Expr]) -> list[Expr]:
    """The same expressions with row-by-row operations merged into the one operation that uses them."""
    order = subexpressions(roots)
    users = Counter(child for expr in order for child in expr.children)
    users.update(roots)
    merged: dict[Expr, Expr] = {}
    for expr in order:
        node = expr.with_children([merged[child] for child in expr.children])
        single = [users[child] == 1 for child in expr.children]
        merged[expr] = _merged(node, single)
    return [merged[root] for root in roots]


def _merged(node: Expr, single: Sequence[bool]) -> Expr:
    if isinstance(node, Filter):
        return _selecting(node, *single)
    if not isinstance(node, Rowwise):
        return node
    inner = [ok and isinstance(child, Rowwise) and not child.layout.opaque for child, ok in zip(node.children, single)]
    # The first operand gives the labels: what is merged into it must do so by its own first operand.
    return _inlined(node, inner) if any(inner) else node


def _selecting(node: Filter, frame_once: bool, mask_once: bool) -> Expr:
    frame, mask = node.frame, node.mask
    numbered = frame_once and isinstance(frame, StoreIndex) and frame.lengths is not None and not frame.layout.opaque
    own = mask_once and isinstance(mask, Rowwise) and not mask.layout.opaque
    if not numbered and not own:
        return node
    function, operands = _call_of(mask) if own and isinstance(mask, Rowwise) else (_same, (mask,))
    below = frame.frame if numbered and isinstance(frame, StoreIndex) else frame
    return Select(below, function, operands, numbered, node.meta).made_at(node.origin)


def _call_of(node: Rowwise) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """The function of a node's operands alone, and these."""
    if all(isinstance(arg, Expr) for arg in node.args) and not node.kwargs:
        return node.function, node.args
    program = _inlined(node, [False] * len(node.children))
    return program.function, program.args


def _same(value: Any) -> Any:
    return value


def _inlined(node: Rowwise, inner: Sequence[bool]) -> Rowwise:
    operands: list[Any] = []

    def place_of(arg: Any) -> Leaf:
        if arg not in operands:
            operands.append(arg)
        return Leaf(operands.index(arg))

    def part(arg: Any, inline: bool) -> Any:
        if not isinstance(arg, Expr):
            return arg
        return program_of(arg) if inline and isinstance(arg, Rowwise) else place_of(arg)

    def program_of(rowwise: Rowwise) -> Program:
        if isinstance(rowwise.function, Program):
            return _moved(rowwise.function, [place_of(arg) for arg in rowwise.args])
        return Program(rowwise.function, tuple(part(arg, False) for arg in rowwise.args), rowwise.kwargs)

    flags = iter(inner)
    if isinstance(node.function, Program):
        replaced = [part(arg, next(flags)) for arg in node.args]
        program = _moved(node.function, replaced)
    else:
        args = tuple(part(arg, next(flags) if isinstance(arg, Expr) else False) for arg in node.args)
        program = Program(node.function, args, node.kwargs)
    return Computed(program, tuple(operands), (), False, node.meta).made_at(node.origin)


def _moved(program: Program, places: Sequence[Any]) -> Program:
    """A program over other operands."""
    args = tuple(
        places[arg.place] if isinstance(arg, Leaf) else _moved(arg, places) if isinstance(arg, Program) else arg
        for arg in program.args
    )
    return Program(program.function, args, program.kwargs)


@dataclass(frozen=True, eq=False, repr=False)
class Computed(Rowwise):
    """A program, row by row."""

    @property
    def label(self) -> str:
        return self.function.last if isinstance(self.function, Program) else super().label

    @property
    def detail(self) -> str:
        return f" {_text(self.function, self.args)}"


@dataclass(frozen=True, eq=False, repr=False)
class Select(FrameExpr):
    """A filter that makes its mask itself, and the stored index of the rows that it keeps, if asked to."""

    partitionwise = True

    frame: FrameExpr
    """Of known lengths if rows are to be numbered."""
    function: Callable[..., Any]
    """Makes the mask of the operands."""
    operands: tuple[Any, ...]
    numbered: bool
    of_meta: Any

    @property
    def label(self) -> str:
        return "filter"

    @property
    def detail(self) -> str:
        return f" {_text(self.function, self.operands)}"

    def _meta(self) -> Meta:
        meta: Meta = self.of_meta
        return meta

    def _lengths(self) -> None:
        return None

    def _rows(self) -> str:
        return self.name

    def value_source(self, place: int) -> tuple[FrameExpr, int] | None:
        return None if self.numbered and place >= self.layout.n_columns else (self.frame, place)

    def blocks(self, *children: Blocks) -> Blocks:
        n = self.npartitions
        kernel = SelectBlock(self.function, template_of(self.operands), self.frame.meta, self.numbered)
        lengths = self.frame.lengths
        starts = np.cumsum([0, *lengths])[:-1].astype(np.int64) if self.numbered and lengths is not None else None
        return Map(
            n=n,
            inputs=children,
            kernel=kernel,
            index=tuple(np.zeros(n, np.int64) if isinstance(c, ScalarExpr) else every(n) for c in self.children),
            params=starts,
            name=self.label,
            origin=self.origin,
        )


def _text(function: Callable[..., Any], operands: Sequence[Any]) -> str:
    """A function of operands as people write it: series by their labels."""
    texts = [str(_shown(operand)) if isinstance(operand, Expr) else literal(operand) for operand in operands]
    if function is _same:
        return texts[0]
    return function.text(texts) if isinstance(function, Program) else formula(function, texts, {})


def _shown(operand: Expr) -> Any:
    meta = getattr(operand, "meta", None)
    return meta.name if isinstance(meta, (pd.Series, pd.Index)) and meta.name is not None else operand.label


@dataclass(frozen=True)
class SelectBlock:
    """Kernel: the rows of a partition for which a function of other columns is true."""

    function: Callable[..., Any]
    template: tuple[tuple[str, Any], ...]
    of: Any
    numbered: bool
    __name__ = "filter"

    def __call__(self, *values: Any) -> Partition:
        start, partition, *operands = values if self.numbered else (0, *values)
        mask = evaluated(self.function, self.template, {}, operands)
        true = mask.to_numpy(dtype=bool, na_value=False) if mask.dtype != bool else mask.to_numpy()
        if not self.numbered:
            return true_rows(partition, true)
        rows = np.flatnonzero(true)
        labels = column_from_pandas(rows + start, rows.dtype)
        indices = pa.array(rows)
        columns = [pc.take(column, indices, boundscheck=False) for column in columns_of(partition, self.of)]
        return table_of(columns, [labels], len(rows))
