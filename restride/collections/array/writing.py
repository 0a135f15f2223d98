"""`Writing`: an array on its way out, as something that can be computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations import zarr as zarrs
from restride.collections.array.operations.storage import Sink, Write, aligned, unit_of
from restride.collections.collection import Collection
from restride.collections.expression import Expr


class Writing(Collection):
    """An array to be written: nothing happens until `compute`, which returns None when the array is there.

    Several are written at once by ``rs.compute(one, other)``; ``client.submit(writing.compute)`` writes in the
    background. What was begun is deleted where a computation fails, and the same writing can be computed again.
    """

    expr: Write

    def __init__(self, expr: Write) -> None:
        self.expr = expr

    @property
    def path(self) -> str:
        """What people call the place."""
        return self.expr.sink.path

    def __repr__(self) -> str:
        return f"<Writing to {self.path}>"

    # Only the writing of the blocks is tasks. Those may run twice, on workers that are lost and found; what prepares
    # the target and what makes it appear may not.
    @contextmanager
    def _computing(self, *, here: bool) -> Iterator[tuple[Expr, Callable[[list[Any]], None]]]:
        try:
            sink = self.expr.sink.begin(here=here)
        except Exception as error:
            error.add_note(f"while preparing to write {self.path}")
            raise
        try:
            yield self.expr.replace(sink=sink), lambda _: sink.finish()
        except BaseException:
            sink.discard()
            raise

    def _to_persist(self) -> Expr:
        raise TypeError(
            f"{self!r} leaves nothing in memory that could persist; call compute() instead, "
            "or client.submit(writing.compute) to write in the background"
        )


def write(expr: ArrayExpr, sink: Sink, compute: bool) -> Writing | None:
    """Write an array now, or return what will; its blocks are as the sink wants them."""
    writing = Writing(Write(expr, sink))
    if not compute:
        return writing
    writing.compute()
    return None


def write_zarr(
    expr: ArrayExpr,
    store: Any,
    component: str | None,
    overwrite: bool,
    compute: bool,
    chunks: Sequence[int] | None,
    options: dict[str, Any],
) -> Writing | None:
    """Write an array as Zarr; see `restride.array.to_zarr`."""
    unit = unit_of(expr, chunks)
    expr = aligned(expr, unit_of(expr, options["shards"]) if options.get("shards") else unit)
    sink = zarrs.zarr_sink(store, component, overwrite, expr.shape, expr.dtype, unit, options)
    return write(expr, sink, compute)
