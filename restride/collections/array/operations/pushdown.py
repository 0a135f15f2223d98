"""Slices and rechunks pushed towards the sources: what is cut away is never read, computed, or made a task of.

Slices go as `restride.collections.pushdown` says, through the nodes that know how: `ArrayExpr.sliced` and
`ArrayExpr.of_blocks`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from restride.collections.array.chunks import is_unknown, starts_of
from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations.cuts import WHOLE, Cut, Cuts, cut_of, span, spanning, within
from restride.collections.array.operations.rechunk import Rechunk
from restride.collections.array.operations.slicing import Slice, cut_array
from restride.collections.array.operations.sources import FromArray
from restride.collections.expression import Expr, rewrite, subexpressions
from restride.collections.pushdown import push
from restride.errors import InternalError


def push_slices(roots: Sequence[Expr]) -> list[Expr]:
    """The same expressions, with slices as near to the sources as they can be."""
    return push(roots, _SLICES)


def push_rechunks(roots: Sequence[Expr]) -> list[Expr]:
    """The same expressions, with what is read for a rechunk alone read in the new blocks, if all is still read once."""
    users = Counter(child for expr in subexpressions(roots) for child in expr.children)

    def rule(expr: Expr) -> Expr:
        if isinstance(expr, Rechunk) and isinstance(expr.array, FromArray) and users[expr.array] == 1:
            return expr.array.along(expr.chunks) or expr
        return expr

    return rewrite(roots, rule)


class _Slices:
    """A part of an array is what cuts along its axes leave; several have the box around them in common."""

    def taken(self, node: Expr) -> tuple[Expr, Cuts] | None:
        return (node.array, node.cuts) if isinstance(node, Slice) else None

    def enough(self, expr: Expr, parts: Sequence[Cuts | None]) -> Cuts | None:
        return _enough(expr, parts)

    def pushed(self, expr: Expr, part: Cuts) -> ArrayExpr | None:
        return _cut(expr, part)

    def out_of(self, made: Expr, expr: Expr, have: Cuts | None, part: Cuts, taker: Expr) -> Expr:
        assert isinstance(expr, ArrayExpr)
        assert isinstance(made, ArrayExpr)
        if part == have:
            return made
        if have is not None:
            part = tuple(within(p, h, length) for p, h, length in zip(part, have, expr.shape) if isinstance(h, slice))
        return cut_array(made, part).made_at(taker.origin)


_SLICES = _Slices()


def _enough(expr: Expr, parts: Sequence[Cuts | None]) -> Cuts | None:
    """A cut that has all parts that are asked for; None if that is everything."""
    if not isinstance(expr, ArrayExpr) or None in parts:
        return None
    if any(length == 0 and part[axis] != WHOLE for axis, length in enumerate(expr.shape) for part in parts if part):
        return None  # nothing is left to save, and what blocks of nothing become is not worth a rule
    first, *others = (part for part in parts if part is not None)
    if all(part == first for part in others):
        return first
    box = tuple(spanning(cuts, length) for cuts, length in zip(zip(first, *others), expr.shape))
    return None if all(side == WHOLE for side in box) else box


def _cut(expr: Expr, cuts: Cuts) -> ArrayExpr | None:
    assert isinstance(expr, ArrayExpr)
    new = expr.sliced(cuts) or _by_blocks(expr, cuts)
    expected = Slice(expr, cuts)
    if new is not None and (new.chunks != expected.chunks or new.dtype != expected.dtype):
        if any(0 in lengths for lengths in new.chunks):
            return None  # which blocks of nothing stay is not the same for cuts of one and of two steps
        raise InternalError(
            f"{cuts} of {expr!r} became {new!r} of chunks {new.chunks} and dtype {new.dtype}; "
            f"expected were {expected.chunks} and {expected.dtype}"
        )
    return new.made_at(expr.origin) if new is not None and new.origin != expr.origin else new


def _by_blocks(expr: ArrayExpr, cuts: Cuts) -> ArrayExpr | None:
    """The part, cut out of those blocks that have any of it."""
    box: list[tuple[int, int]] = []
    rest: list[Cut] = []
    for lengths, cut in zip(expr.chunks, cuts):
        if cut == WHOLE:
            box.append((0, len(lengths)))
            rest.append(cut)
            continue
        if is_unknown(lengths) or 0 in lengths:
            return None
        starts = starts_of(lengths)
        length = int(starts[-1])
        start, stop = span(cut, length)
        first = int(np.searchsorted(starts, start, side="right")) - 1
        last = max(int(np.searchsorted(starts, stop, side="left")), first + 1)
        box.append((first, last))
        rest.append(within(cut, cut_of(range(int(starts[first]), int(starts[last])), length), length))
    if tuple(box) == tuple((0, n) for n in expr.grid):
        return None
    blocks = expr.of_blocks(tuple(box))
    return None if blocks is None else cut_array(blocks, tuple(rest))
