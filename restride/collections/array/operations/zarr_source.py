"""Reading Zarr arrays: slices of one, and a look at whether it is still there where nothing is found.

Zarr takes a chunk that is missing for one of nothing but the fill value. So an array that has been deleted, or replaced
by a shorter one, while results are to come, would read as that, without a word.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from restride.collections.array.operations.zarr_chunks import read

if TYPE_CHECKING:
    import zarr

METADATA = ("zarr.json", ".zarray")


@dataclass(frozen=True)
class ZarrSource:
    """Slices of a Zarr array."""

    array: zarr.Array
    place: str
    """What people call it."""
    shape: tuple[int, ...]
    dtype: np.dtype
    changed: tuple[int, ...] | None = field(default=None, compare=False)
    """When its metadata were last written, where a file system tells."""

    def __getitem__(self, where: tuple[slice, ...]) -> Any:
        block = read(self.array, where)
        if block.size and self._is_nothing(block):
            self._check()
        return block

    def _is_nothing(self, block: np.ndarray) -> bool:
        """Whether a block is what would be read if its chunks were missing."""
        fill = self.array.fill_value
        fill = np.zeros((), self.dtype)[()] if fill is None else fill
        if not _same(block[(0,) * block.ndim], fill):
            return False
        return bool(np.all(_same(block, fill)))

    def _check(self) -> None:
        """See that the array is what it was.

        Raises
        ------
        FileNotFoundError
            It is not there any more.
        ValueError
            It is another one.
        """
        if self.changed is not None and metadata_times(self.array) == self.changed:
            return
        import zarr

        try:
            now = zarr.open_array(self.array.store_path, mode="r")
        except FileNotFoundError as error:
            raise FileNotFoundError(f"the Zarr array at {self.place} is not there any more") from error
        before = self.array
        if (
            now.dtype != before.dtype
            or now.chunks != before.chunks
            or now.ndim != before.ndim
            or any(new < old for new, old in zip(now.shape, before.shape))
        ):
            raise ValueError(
                f"the Zarr array at {self.place} is another one now: of {now.dtype}{now.shape} in chunks of "
                f"{now.chunks}, not {before.dtype}{before.shape} in chunks of {before.chunks}; open it again"
            )


def zarr_source(array: zarr.Array, place: str) -> ZarrSource:
    """Slices of an array that is there now."""
    return ZarrSource(array, place, tuple(map(int, array.shape)), np.dtype(array.dtype), metadata_times(array))


def metadata_times(array: zarr.Array) -> tuple[int, ...] | None:
    """When the files of metadata of an array in a local directory were written, in ns; None if it is elsewhere."""
    root = getattr(array.store_path.store, "root", None)
    if not isinstance(root, os.PathLike):
        return None
    folder = os.path.join(root, array.store_path.path)
    times = []
    for name in METADATA:
        try:
            times.append(os.stat(os.path.join(folder, name)).st_mtime_ns)
        except FileNotFoundError:
            times.append(0)
    return tuple(times)


def _same(values: Any, fill: Any) -> Any:
    return values == fill if fill == fill else values != values
