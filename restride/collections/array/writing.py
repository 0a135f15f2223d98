"""`Writing`: an array on its way out, as something that can be computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from restride.collections.array.expr import ArrayExpr, Persisted
from restride.collections.array.operations import zarr as zarrs
from restride.collections.array.operations.storage import Sink, Write, aligned, unit_of
from restride.collections.collection import Collection
from restride.collections.expression import Expr

if TYPE_CHECKING:
    from restride.engine.futures import Future


class Writing(Collection):
    """An array to be written: nothing happens until `compute`, which returns None when the array is there.

    Several are written at once by ``rs.compute(one, other)``.
    """

    def __init__(self, expr: Expr, path: str) -> None:
        self.expr = expr
        self.path = path

    def __repr__(self) -> str:
        return f"<Writing to {self.path}>"

    def _computation(self) -> tuple[Expr, Callable[[list[Any]], None]]:
        return self.expr, lambda _: None

    def _over_futures(self, futures: Sequence[Future]) -> Self:
        return type(self)(Persisted(futures, (), np.dtype(object)), self.path)


def write(expr: ArrayExpr, sink: Sink, compute: bool) -> Writing | None:
    """Write an array now, or return what will; its blocks are as the sink wants them."""
    writing = Writing(Write(expr, sink), sink.path)
    if not compute:
        return writing
    try:
        writing.compute()
    except BaseException:
        sink.discard()
        raise
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
