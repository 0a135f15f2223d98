"""Workflow from Zarr to Zarr: maps, as they were measured, to series, as clients of a cloud store want to read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import zarr

from benchmarks.workflows.field import Field


def rechunked(xp: Any, source: Path, target: Path, chunks: tuple[int, ...]) -> Any:
    """What writes the array of one store to another in other chunks, when it is computed."""
    return xp.from_zarr(str(source)).rechunk(chunks).to_zarr(str(target), overwrite=True, compute=False)


def write_source(path: Path, shape: tuple[int, ...], chunks: tuple[int, ...]) -> None:
    """Write a store to read from, unless it is there."""
    if (path / "zarr.json").exists():
        return
    field = Field(shape, "int16")
    store = zarr.create_array(str(path), shape=shape, chunks=chunks, dtype=field.dtype)
    for t in range(0, shape[0], chunks[0]):
        store[t : t + chunks[0]] = field[t : t + chunks[0], :, :]


def read(path: Path) -> Any:
    """All of a store, by zarr alone."""
    return zarr.open_array(str(path), mode="r")[:]
