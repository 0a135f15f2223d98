"""Results that pandas makes otherwise where there are no rows at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from restride.collections.blocks import Blocks
from restride.collections.dataframe.expr import FrameExpr, Wanted
from restride.collections.dataframe.operations.selection import narrow


@dataclass(frozen=True, eq=False, repr=False)
class OfNoRows(FrameExpr):
    """A frame as it is, of which `compute` gives another where it turns out to have no rows."""

    any_partitions = True

    frame: FrameExpr
    instead: Any
    """An object of pandas' without rows."""

    @property
    def label(self) -> str:
        return "settled"

    def narrowed(self, wanted: Wanted) -> FrameExpr:
        return narrow(self.frame, wanted)

    def blocks(self, *children: Blocks) -> Blocks:
        return children[0]
