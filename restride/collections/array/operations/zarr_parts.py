"""Writing to Zarr arrays that exist: a region of one, or elements appended to one.

A region is replaced in place. While that goes on, and if it is interrupted, a file (or key) in the folder
`MARKERS` of the array says so, and `from_zarr` refuses the array; to write the region again mends it. What is appended
lies beyond the end of the array until all is there: then the array gets its new length, which is one file.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from restride.collections.array.operations.gate import Gate, through
from restride.collections.array.operations.sources import span_text
from restride.collections.array.operations.zarr_chunks import write

if TYPE_CHECKING:
    import zarr

MARKERS = ".restride_incomplete"
"""Folder of an array, with a file for each writing of a region that has not ended."""

Region = tuple[slice, ...]


@dataclass(frozen=True, kw_only=True)
class RegionSink:
    """A region of a Zarr array, written in place."""

    array: zarr.Array
    path: str
    region: Region
    in_memory: bool
    token: str = ""
    gate: Gate | None = None

    def begin(self, *, here: bool) -> Self:
        _check_reach(self, here)
        return replace(self, token=mark(self.array, self.region), gate=Gate())

    def write(self, number: int, where: tuple[slice, ...], block: Any) -> None:
        with through(self.gate):
            write(self.array, moved(where, [side.start for side in self.region]), block)

    def finish(self) -> None:
        unmark(self.array, self.region, self.token)

    def discard(self) -> None:
        """What was begun stays, and says that it is incomplete."""
        if self.gate is not None:
            self.gate.close()


@dataclass(frozen=True, kw_only=True)
class AppendSink:
    """Elements after the last of a Zarr array, along an axis."""

    array: zarr.Array
    """As it is, and once it has begun as it will be: what is beyond the end, no one else sees."""
    path: str
    axis: int
    length: int
    """How many elements there will be along the axis."""
    in_memory: bool
    old_length: int
    gate: Gate | None = None

    def begin(self, *, here: bool) -> Self:
        _check_reach(self, here)
        self._check_length()
        shape = list(self.array.shape)
        shape[self.axis] = self.length
        return replace(self, array=_of_shape(self.array, tuple(shape)), gate=Gate())

    def write(self, number: int, where: tuple[slice, ...], block: Any) -> None:
        offset = [0] * len(where)
        offset[self.axis] = self.old_length
        with through(self.gate):
            write(self.array, moved(where, offset), block)

    def finish(self) -> None:
        self._check_length()
        self.array.resize(self.array.shape)  # writes it down

    def discard(self) -> None:
        if self.gate is not None:
            self.gate.close()
        shape = list(self.array.shape)
        shape[self.axis] = self.old_length
        if shape != list(self.array.shape) and self._length_now() == self.old_length:
            self.array.resize(tuple(shape))  # deletes what is beyond

    def _check_length(self) -> None:
        now = self._length_now()
        if now != self.old_length:
            raise ValueError(
                f"{self.path} had {self.old_length} elements along axis {self.axis} when this began, "
                f"now it has {now}: somebody else has changed it. Nothing was appended; append again"
            )

    def _length_now(self) -> int:
        import zarr

        return int(zarr.open_array(self.array.store_path, mode="r").shape[self.axis])


def region_of(region: Any, shape: tuple[int, ...], path: str) -> Region:
    """A region as one slice of step 1 for each axis, with its ends.

    Raises
    ------
    ValueError
        It is none.
    IndexError
        It has too many axes, or goes beyond the end of one.
    """
    sides = list(region) if isinstance(region, tuple) else [region]
    if len(sides) > len(shape):
        raise IndexError(f"the region {region} has {len(sides)} axes, {path} has {len(shape)}")
    sides += [slice(None)] * (len(shape) - len(sides))
    result = []
    for axis, (side, length) in enumerate(zip(sides, shape)):
        if not isinstance(side, slice) or side.step not in (None, 1):
            raise ValueError(f"a region is a slice without a step for each axis, got {side!r} for axis {axis}")
        start, stop, _ = side.indices(length)
        if side.stop is not None and side.stop > length:
            raise IndexError(f"the region ends at {side.stop} along axis {axis}, but {path} is {length} long there")
        result.append(slice(start, max(start, stop)))
    return tuple(result)


def moved(where: tuple[slice, ...], offset: Any) -> tuple[slice, ...]:
    """A place, in terms of an array that the one it is in is part of."""
    return tuple(slice(side.start + by, side.stop + by) for side, by in zip(where, offset))


def mark(array: zarr.Array, region: Region) -> str:
    """Have an array say that the writing of a region of it has not ended; returns what the mark is called."""
    token = uuid.uuid4().hex[:8]
    _set(array, token, json.dumps([[side.start, side.stop] for side in region]))
    return token


def unmark(array: zarr.Array, region: Region, token: str) -> None:
    """Take away the mark of a writing that has ended, and those of regions that are all in its own."""
    for other, text in _marks(array).items():
        inside = all(mine.start <= start and stop <= mine.stop for mine, (start, stop) in zip(region, json.loads(text)))
        if inside or other == token:
            _delete(array, other)


def check_marks(array: zarr.Array, place: str) -> None:
    """See that no writing of a region has been left off.

    Raises
    ------
    ValueError
        One has, or is going on.
    """
    marks = _marks(array)
    if marks:
        regions = ", ".join(span_text(tuple(slice(*ends) for ends in json.loads(text))) for text in marks.values())
        raise ValueError(
            f"the Zarr array at {place} is incomplete: the region {regions} is being written, or that was interrupted. "
            f"Write the region again, or delete {place}/{MARKERS} if what is there will do"
        )


def _check_reach(sink: RegionSink | AppendSink, here: bool) -> None:
    if sink.in_memory and not here:
        raise ValueError(
            f"{sink.path} is in the memory of this process, where workers in others cannot write: "
            "choose a directory or a URL, or compute with rs.Client('threads')"
        )


def _of_shape(array: zarr.Array, shape: tuple[int, ...]) -> zarr.Array:
    """The array as it will be with another shape; nothing is written down."""
    import zarr

    metadata = array.metadata.update_shape(shape)
    return zarr.Array(zarr.AsyncArray(metadata, array.store_path, array.async_array.config))


def _marks(array: zarr.Array) -> dict[str, str]:
    """Tokens of the writings that have not ended, and what region each is of."""
    from zarr.core.buffer import default_buffer_prototype
    from zarr.core.sync import sync

    store, folder = array.store_path.store, _folder(array)
    if not store.supports_listing or "http" in str(getattr(getattr(store, "fs", None), "protocol", "")):
        return {}

    async def read() -> dict[str, str]:
        found = {}
        keys: AsyncIterator[str] = store.list_prefix(f"{folder}/")  # list_dir would list all chunks, too, on S3
        async for key in keys:
            value = await store.get(key, default_buffer_prototype())
            if value is not None:
                found[key.rpartition("/")[2]] = value.to_bytes().decode()
        return found

    return sync(read())


def _set(array: zarr.Array, token: str, text: str) -> None:
    from zarr.core.buffer import default_buffer_prototype
    from zarr.core.sync import sync

    value = default_buffer_prototype().buffer.from_bytes(text.encode())
    sync(array.store_path.store.set(f"{_folder(array)}/{token}", value))


def _delete(array: zarr.Array, token: str) -> None:
    from zarr.core.sync import sync

    sync(array.store_path.store.delete(f"{_folder(array)}/{token}"))


def _folder(array: zarr.Array) -> str:
    return f"{array.store_path.path}/{MARKERS}".lstrip("/")


def check_fits(shape: tuple[int, ...], dtype: np.dtype, region: Region, array: zarr.Array, path: str) -> None:
    """See that an array can be written to a region.

    Raises
    ------
    ValueError
        It has another shape.
    TypeError
        Its dtype cannot be cast safely.
    """
    expected = tuple(side.stop - side.start for side in region)
    if shape != expected:
        raise ValueError(f"an array of shape {shape} does not fit {span_text(region)} of {path}, of shape {expected}")
    if not np.can_cast(dtype, array.dtype, "same_kind"):
        raise TypeError(f"{path} holds {array.dtype}, to which {dtype} cannot be cast")
