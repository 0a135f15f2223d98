"""Columns pushed towards the sources: what nobody uses is never read, computed, or carried through a shuffle."""

from __future__ import annotations

from collections.abc import Sequence

from restride.collections.dataframe.expr import FrameExpr, Wanted
from restride.collections.dataframe.meta import index_of
from restride.collections.dataframe.operations.selection import Project, kind_of, renamed
from restride.collections.expression import Expr
from restride.collections.pushdown import push
from restride.errors import InternalError


def push_columns(roots: Sequence[Expr]) -> list[Expr]:
    """The same expressions, with columns and indexes that nobody uses left out as near to the sources as can be."""
    return push(roots, _COLUMNS)


class _Columns:
    """A part of a frame is some columns in order, with the index or without; several have their union in common."""

    def taken(self, node: Expr) -> tuple[Expr, Wanted] | None:
        return (node.frame, node.wanted) if isinstance(node, Project) else None

    def enough(self, expr: Expr, parts: Sequence[Wanted | None]) -> Wanted | None:
        if not isinstance(expr, FrameExpr) or None in parts:
            return None
        asked = [part for part in parts if part is not None]
        columns = sorted({i for part in asked for i in part.columns})
        union = Wanted(tuple(columns), expr.has_index and any(part.index for part in asked))
        return None if union == expr.everything else union

    def pushed(self, expr: Expr, part: Wanted) -> Expr | None:
        assert isinstance(expr, FrameExpr)
        new = expr.narrowed(part)
        if new is None:
            return None
        if new.layout.n_columns != len(part.columns) or new.has_index != part.index:
            raise InternalError(f"{part} of {expr!r} became {new!r} with {new.layout}")
        return new.made_at(expr.origin)

    def out_of(self, made: Expr, expr: Expr, have: Wanted | None, part: Wanted, taker: Expr) -> Expr:
        assert isinstance(made, FrameExpr)
        assert isinstance(taker, Project)
        if have is not None:
            part = Wanted(tuple(have.columns.index(i) for i in part.columns), part.index)
        if part == made.everything and kind_of(made.meta) == taker.kind:
            return _with_names_of(taker, made)
        return Project(made, part, taker.kind).made_at(taker.origin)


def _with_names_of(taker: FrameExpr, made: FrameExpr) -> FrameExpr:
    """The same, where opaque partitions have a default index of another name than the meta of what was pushed."""
    if not made.layout.opaque or index_of(made.meta).names == index_of(taker.meta).names:
        return made
    return renamed(made, taker.meta).made_at(taker.origin)


_COLUMNS = _Columns()
