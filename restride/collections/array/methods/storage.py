"""Methods of `Array` that write it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Self

from restride.collections.array.base import ArrayBase
from restride.collections.array.operations.hdf5 import hdf5_sinks
from restride.collections.array.writing import storing, write, write_zarr
from restride.collections.writing import Writing


class Storage(ArrayBase):
    """Writing to stores, files, and whatever can be assigned to."""

    def to_zarr(
        self,
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
        """Write the array as Zarr; see `restride.array.to_zarr`."""
        return write_zarr(
            self.expr,
            store,
            component,
            overwrite=overwrite,
            region=region,
            append_axis=append_axis,
            compute=compute,
            chunks=chunks,
            storage_options=storage_options,
            **options,
        )

    def to_hdf5(
        self,
        filename: str | os.PathLike[str],
        name: str,
        *,
        overwrite: bool = False,
        compute: bool = True,
        **options: Any,
    ) -> Writing | None:
        """Write the array to an HDF5 file; see `restride.array.to_hdf5`."""
        return write(hdf5_sinks(filename, {name: self.expr}, overwrite, options), compute)

    def store(
        self, target: Any, lock: Any = None, regions: Any = None, compute: bool = True, return_stored: bool = False
    ) -> Writing | Self | None:
        """Write the array to an object that can be assigned to; see `restride.array.store`."""
        written = storing([self.expr], [target], [regions], lock, compute, return_stored)
        return type(self)(written[0]) if isinstance(written, list) else written
