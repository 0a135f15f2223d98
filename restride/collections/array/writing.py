"""Arrays on their way out: into Zarr, and into objects that can be assigned to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations import zarr as zarrs
from restride.collections.array.operations.object_sink import Stored, object_sink
from restride.collections.array.operations.sources import from_object
from restride.collections.array.operations.storage import Sink, Write, WriteThrough, aligned, unit_of
from restride.collections.array.operations.stored_chunks import own_chunks
from restride.collections.writing import Writing


def write(pairs: Sequence[tuple[ArrayExpr, Sink]], compute: bool) -> Writing | None:
    """Write arrays now, or return what will; the blocks of each are as its sink wants them."""
    for expr, sink in pairs:
        if expr.masked and not getattr(sink, "keeps_masks", False):
            raise TypeError(
                f"{sink.path} holds no masks: write ra.ma.filled(x, value), or ra.ma.getdata(x) and "
                "ra.ma.getmaskarray(x) as two arrays"
            )
    writing = Writing([Write(expr, sink) for expr, sink in pairs])
    if not compute:
        return writing
    writing.compute()
    return None


def write_zarr(
    expr: ArrayExpr,
    store: Any,
    component: str | None = None,
    *,
    overwrite: bool = False,
    region: Any = None,
    append_axis: int | None = None,
    compute: bool = True,
    chunks: Sequence[int] | None = None,
    storage_options: dict[str, Any] | None = None,
    **options: Any,
) -> Writing | None:
    """Write an array as Zarr; see `restride.array.to_zarr`."""
    library = zarrs.zarr_module()
    is_array = isinstance(store, library.Array)
    if not is_array and region is None and append_axis is None:
        unit = unit_of(expr, chunks)
        expr = aligned(expr, unit_of(expr, options["shards"]) if options.get("shards") else unit)
        sink = zarrs.zarr_sink(store, component, overwrite, expr.shape, expr.dtype, unit, options, storage_options)
        return write([(expr, sink)], compute)
    if overwrite or chunks is not None or options or (region is not None and append_axis is not None):
        given = {"overwrite": overwrite, "chunks": chunks, "region": region, "append_axis": append_axis, **options}
        raise ValueError(
            "part of an array is written as the array is: give either region= or append_axis=, and nothing that says "
            f"how to make one; got {', '.join(key for key, value in given.items() if value not in (None, False))}"
        )
    if append_axis is None:
        into = zarrs.region_sink(expr, store, component, () if region is None else region, storage_options)
        offset = [side.start for side in into.region]
        return write([(aligned(expr, zarrs.store_chunks(into.array), offset), into)], compute)
    onto = zarrs.append_sink(expr, store, component, append_axis, storage_options)
    offset = (np.arange(expr.ndim) == onto.axis) * onto.old_length
    return write([(aligned(expr, zarrs.store_chunks(onto.array), offset.tolist()), onto)], compute)


def storing(
    sources: Sequence[ArrayExpr],
    targets: Sequence[Any],
    regions: Sequence[Any],
    lock: Any,
    compute: bool,
    return_stored: bool,
) -> Writing | list[ArrayExpr] | None:
    """Write arrays to objects; what `return_stored` asks for as expressions. See `restride.array.store`."""
    if not len(sources) == len(targets) == len(regions):
        raise ValueError(
            f"each array needs a target, and a region if there are any: got {len(sources)} arrays, {len(targets)} "
            f"targets, {len(regions)} regions"
        )
    pairs = []
    for expr, target, region in zip(sources, targets, regions):
        sink = object_sink(target, region, lock, expr.shape)
        unit, starts = own_chunks(target), sink.starts
        if sink.lock is None and unit is not None and starts is not None:
            expr = aligned(expr, unit, starts)
        pairs.append((expr, sink))
    if not return_stored:
        return write(pairs, compute)
    if not compute:
        return [WriteThrough(expr, sink) for expr, sink in pairs]
    write(pairs, compute=True)
    return [from_object(Stored(sink, expr.shape, expr.dtype), expr.chunks, lock=sink.lock) for expr, sink in pairs]
