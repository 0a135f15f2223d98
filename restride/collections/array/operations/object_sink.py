"""Writing to objects that can be assigned to: numpy arrays, arrays of zarr, datasets of open files, anything alike."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from restride.collections.array.chunks import Shape
from restride.collections.array.operations.gate import Gate, through
from restride.collections.array.operations.sources import ProcessLock
from restride.collections.array.operations.zarr import is_in_memory
from restride.collections.array.operations.zarr_parts import mark, unmark

IN_FILES = ("h5py", "h5netcdf", "netCDF4", "xarray")
"""Libraries whose datasets belong to a file that is open in this process; xarray stands for those that it writes."""


@dataclass(frozen=True)
class ObjectSink:
    """An object, or a region of one, to be assigned to block by block."""

    target: Any
    region: tuple[slice | int, ...] | None
    lock: AbstractContextManager[Any] | None
    token: str = ""
    """Of the mark that an array of zarr has while it is written to."""
    gate: Gate | None = None

    @property
    def path(self) -> str:
        """What people call the place."""
        return f"a {type(self.target).__name__} of shape {tuple(self.target.shape)}"

    @property
    def keeps_masks(self) -> bool:
        """Whether masked blocks can be written."""
        return isinstance(self.target, np.ma.MaskedArray)

    def check_reach(self, *, here: bool) -> None:
        """See that the processes that will write can.

        Raises
        ------
        ValueError
            The target is in this process, and they are others.
        """
        if not here and is_of_this_process(self.target):
            raise ValueError(
                f"{self.path} is in this process, where workers in others cannot write: store into a Zarr array in a "
                "directory or at a URL, or compute with rs.Client('threads')"
            )

    def begin(self, *, here: bool) -> Self:
        self.check_reach(here=here)
        return replace(self, token=mark(self.target, self._box) if is_zarr(self.target) else "", gate=Gate())

    def write(self, number: int, where: tuple[slice, ...], block: Any) -> None:
        with through(self.gate), self.lock or nullcontext():
            self.target[self.place(where)] = block

    def finish(self) -> None:
        """Each block has been there since it was written; an array of zarr says so."""
        if is_zarr(self.target):
            unmark(self.target, self._box, self.token)

    def discard(self) -> None:
        """What was written stays: the object is not ours. An array of zarr says that it is incomplete."""
        if self.gate is not None:
            self.gate.close()

    @property
    def starts(self) -> list[int] | None:
        """Where in the target the region begins along each axis; None where it is no box of all axes."""
        if self.region is None:
            return [0] * len(self.target.shape)
        sides = [side for side in self.region if isinstance(side, slice)]
        if len(sides) < len(self.region) or any(side.step not in (None, 1) for side in sides):
            return None
        return [side.indices(length)[0] for side, length in zip(sides, self.target.shape)]

    @property
    def _box(self) -> tuple[slice, ...]:
        """The least box of the target that has the region in it."""
        box = []
        for side, length in zip(self.region or (slice(None),) * len(self.target.shape), self.target.shape):
            taken = range(length)[side] if isinstance(side, slice) else range(length)[side : side + 1 or None]
            box.append(slice(min(taken), max(taken) + 1) if taken else slice(0, 0))
        return tuple(box)

    def place(self, where: tuple[slice, ...]) -> tuple[slice | int, ...]:
        """A place in the region, in terms of the target."""
        if self.region is None:
            return where
        sides = iter(where)
        place: list[slice | int] = []
        for side, length in zip(self.region, self.target.shape):
            if isinstance(side, slice):
                taken = range(length)[side][next(sides)]
                place.append(slice(taken.start, taken.stop if taken.stop >= 0 else None, taken.step))
            else:
                place.append(side)
        return tuple(place)


@dataclass(frozen=True)
class Stored:
    """What has been written to an object, as something that can be sliced."""

    sink: ObjectSink
    shape: Shape
    dtype: np.dtype

    def __getitem__(self, where: tuple[slice, ...]) -> Any:
        return np.asarray(self.sink.target[self.sink.place(where)]).astype(self.dtype, copy=False)


def object_sink(target: Any, region: Any, lock: Any, shape: Shape) -> ObjectSink:
    """Where to write an array of a shape; see `restride.array.store`.

    Raises
    ------
    TypeError
        The target cannot be assigned to.
    ValueError
        The array has another shape than the target, or its region.
    """
    if not hasattr(target, "__setitem__") or not hasattr(target, "shape"):
        raise TypeError(f"targets need a shape and __setitem__, got {type(target).__name__}")
    sides = None if region is None else _sides(region, tuple(target.shape))
    if is_zarr(target) and any(isinstance(side, slice) and (side.step or 1) < 0 for side in sides or ()):
        raise ValueError(f"arrays of zarr take regions with steps forwards alone, got {region}; flip the array")
    expected = tuple(target.shape) if sides is None else _shape(sides, tuple(target.shape))
    if expected != shape:
        what = "the target" if region is None else f"the region {region} of the target"
        raise ValueError(f"an array of shape {shape} cannot be stored in {what}, of shape {expected}")
    return ObjectSink(target, sides, _lock(target, lock))


def is_of_this_process(target: Any) -> bool:
    """Whether what other processes write to copies of an object is lost."""
    if is_zarr(target):
        return is_in_memory(target.store_path)
    return isinstance(target, np.ndarray) or type(target).__module__.partition(".")[0] in IN_FILES


def is_zarr(target: Any) -> bool:
    """Whether an object is an array of zarr."""
    return type(target).__module__.partition(".")[0] == "zarr"


def _lock(target: Any, lock: Any) -> AbstractContextManager[Any] | None:
    if lock is None:
        lock = not isinstance(target, np.ndarray) and not is_zarr(target)
    if lock is True:
        return ProcessLock()
    return lock or None


def _sides(region: Any, shape: Shape) -> tuple[slice | int, ...]:
    given = list(region) if isinstance(region, tuple) else [region]
    if Ellipsis in given:
        at = given.index(Ellipsis)
        given[at : at + 1] = [slice(None)] * (len(shape) - len(given) + 1)
    given += [slice(None)] * (len(shape) - len(given))
    if len(given) > len(shape) or not all(isinstance(side, (slice, int, np.integer)) for side in given):
        raise ValueError(
            f"the region of a target of shape {shape} is a slice or an integer for each axis, got {region}"
        )
    return tuple(given)


def _shape(sides: tuple[slice | int, ...], shape: Shape) -> Shape:
    return tuple(len(range(length)[side]) for side, length in zip(sides, shape) if isinstance(side, slice))
