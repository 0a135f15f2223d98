"""What can be told of a frame before it is lowered: how many rows it has, about, and where to look for more."""

from __future__ import annotations

from restride.collections.dataframe.expr import FrameExpr
from restride.collections.dataframe.operations.completeness import origin_of
from restride.collections.expression import Expr, subexpressions

UNKNOWN_ROWS = 500_000
"""Rows that a partition is taken to have where that is not known."""

LEAST_ROWS = 10_000
"""Rows of a task of a shuffle, at least, where there are `LEAST_TASKS` of as many."""
LEAST_TASKS = 16


def about_rows(frame: FrameExpr) -> int:
    """About how many rows a frame has."""
    if frame.lengths is not None:
        return sum(frame.lengths)
    known: dict[Expr, int] = {}
    stack: list[tuple[Expr, bool]] = [(frame, False)]
    while stack:
        expr, seen = stack.pop()
        if expr in known:
            continue
        below = [child for child in expr.children if isinstance(child, FrameExpr)]
        if isinstance(expr, FrameExpr) and expr.lengths is not None:
            known[expr] = sum(expr.lengths)
        elif not below:
            known[expr] = UNKNOWN_ROWS * getattr(expr, "npartitions", 1)
        elif seen:
            known[expr] = max(known[child] for child in below)
        else:
            stack.append((expr, True))
            stack += [(child, False) for child in below]
    return known[frame]


def task_count(frame: FrameExpr) -> int:
    """How many tasks a frame's rows are shuffled to where nobody sees their partitions: few where rows are few.

    A piece costs the same whatever is in it, and there is one for each of these tasks and each partition.
    """
    return min(frame.npartitions, max(LEAST_TASKS, about_rows(frame) // LEAST_ROWS))


def takes_one_partition(frame: FrameExpr) -> bool:
    """Whether a partition of a frame takes no more than a partition of each of its sources."""
    below = subexpressions([frame])
    return all(not expr.children or (isinstance(expr, FrameExpr) and expr.partitionwise) for expr in below)


def looked_at(frame: FrameExpr, places: tuple[int, ...]) -> tuple[FrameExpr, tuple[int, ...]] | None:
    """The frame whose values tell of those at some places of another, and where they are in it.

    That is the frame itself where a partition of it takes one of each source. Where it takes more, as all of a join's
    side, to look would take about as long as the whole: then it is the source that the values come from, if that is
    one.
    """
    if takes_one_partition(frame):
        return frame, places
    origins = [origin_of(frame, place) for place in places]
    sources = {origin for origin, _ in origins}
    if len(sources) > 1 or any(origin.children for origin in sources):
        return None
    return sources.pop(), tuple(place for _, place in origins)
