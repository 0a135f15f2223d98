"""The base of nodes each of whose columns is made of the column at its place in a frame: they are narrowed with it."""

from __future__ import annotations

from typing import Any

from restride.collections.dataframe.expr import FrameExpr, Wanted
from restride.collections.dataframe.meta import Meta
from restride.collections.dataframe.operations.selection import narrow, narrowed_kind, projected_meta


class ColumnByColumn(FrameExpr):
    """A node with fields `frame` and `of_meta`, the meta of the result."""

    frame: FrameExpr
    of_meta: Any

    @property
    def looks_at_no_more(self) -> bool:
        """Whether a column is made of the one at its place alone, and not of labels or other columns."""
        return True

    def _meta(self) -> Meta:
        meta: Meta = self.of_meta
        return meta

    def narrowed(self, wanted: Wanted) -> FrameExpr | None:
        if not self.looks_at_no_more or not wanted.columns:
            return None
        meta = projected_meta(self.meta, wanted, narrowed_kind(self.meta, wanted))
        return self.replace(frame=narrow(self.frame, wanted), of_meta=meta)
