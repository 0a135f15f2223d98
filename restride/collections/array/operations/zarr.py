"""Zarr: opening arrays, and the sink that writes them. The library loads on first use."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from restride.collections.array.expr import ArrayExpr
from restride.collections.array.operations.gate import Gate, through
from restride.collections.array.operations.zarr_chunks import write
from restride.collections.array.operations.zarr_parts import (
    AppendSink,
    RegionSink,
    check_fits,
    check_marks,
    region_of,
)
from restride.collections.staging import Staging

if TYPE_CHECKING:
    import zarr

Options = dict[str, Any] | None
"""For the file system of a URL: what fsspec calls storage options."""

INCOMPLETE = "restride_incomplete"
"""Attribute of arrays that are being written where nothing can be renamed."""


def zarr_module() -> Any:
    """The library, or an error that says how to get it."""
    try:
        import zarr
    except ImportError as error:
        raise ImportError("reading and writing Zarr needs the package zarr: pip install 'restride[io]'") from error
    return zarr


def open_array(store: Any, component: str | None, storage_options: Options = None) -> zarr.Array:
    """Open an array for reading; see that it is complete.

    Raises
    ------
    FileNotFoundError
        Nothing there.
    ValueError
        A group, an array whose writing was interrupted, metadata that cannot be read.
    """
    array, place = find_array(store, component, storage_options, "r")
    _check_complete(array, place)
    check_marks(array, place)
    return array


def find_array(store: Any, component: str | None, storage_options: Options, mode: str) -> tuple[zarr.Array, str]:
    """Open an array, complete or not, and tell what people call its place; raises what `open_array` does."""
    library = zarr_module()
    if isinstance(store, library.Array):
        if component is not None:
            raise ValueError(f"component={component!r} is for stores; {store} is an array itself")
        return store, str(store.store_path).removeprefix("file://")
    place = place_text(store, component)
    try:
        node = library.open(store=store, path=component, mode=mode, storage_options=storage_options)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"there is no Zarr array at {place}") from error
    except (ValueError, KeyError) as error:
        raise ValueError(f"the Zarr array at {place} cannot be read: {error}") from error
    if not isinstance(node, library.Array):
        names = ", ".join(map(repr, sorted(node.keys()))) or "nothing"
        raise ValueError(f"{place} is a Zarr group, not an array; pass component= to name one (it holds {names})")
    return node, place


def array_to_change(store: Any, component: str | None, storage_options: Options) -> tuple[zarr.Array, str]:
    """Open an array to write to parts of it; see that it was once written to the end. Raises what `open_array` does."""
    array, place = find_array(store, component, storage_options, "r+")
    _check_complete(array, place)
    return array, place


def local_path(store: Any, component: str | None) -> Path | None:
    """Where an array is in the local file system; None if it is elsewhere."""
    root = getattr(store, "root", None) if type(store).__name__ == "LocalStore" else store
    if not isinstance(root, (str, os.PathLike)):
        return None
    text = os.fspath(root).removeprefix("file://")
    return None if "://" in text else Path(os.path.realpath(os.path.join(text, (component or "").strip("/"))))


def place_text(store: Any, component: str | None) -> str:
    """What people call the place of an array."""
    local = local_path(store, component)
    if local is not None:
        return str(local)
    place = f"a {type(store).__name__}" if isinstance(store, Mapping) else str(store)
    return f"{place}/{component}" if component else place


def is_zarr_array(path: Path) -> bool:
    """Whether a directory holds a Zarr array, of format 2 or 3, and not a group of them."""
    metadata = path / "zarr.json"
    if not metadata.is_file():
        return (path / ".zarray").is_file()
    try:
        return bool(json.loads(metadata.read_text())["node_type"] == "array")
    except (ValueError, KeyError):
        return False


def is_in_memory(store: Any) -> bool:
    """Whether a store is in the memory of this process."""
    if isinstance(store, str):
        return store.startswith("memory:")
    store = getattr(store, "store", store)  # of a path in one
    protocol = getattr(getattr(store, "fs", None), "protocol", "")
    return isinstance(store, (dict, zarr_module().storage.MemoryStore)) or "memory" in protocol


@dataclass(frozen=True, kw_only=True)
class ZarrSink:
    """Base of sinks that are a Zarr array: what it is like, wherever it lies."""

    component: str | None
    options: Mapping[str, Any]
    """For `zarr.create_array`: shape, dtype, chunks and what was asked for."""
    array: Any = None
    """The open array, once it has begun. A chunk of it belongs to one block, and is written anew or not at all."""

    def write(self, number: int, where: tuple[slice, ...], block: Any) -> None:
        write(self.array, where, block)


@dataclass(frozen=True, kw_only=True)
class LocalZarrSink(ZarrSink):
    """A Zarr array in a directory, that appears when it is whole."""

    root: str
    staging: Staging

    @property
    def path(self) -> str:
        return str(self.staging.path)

    def begin(self, *, here: bool) -> Self:
        options = dict(self.options)
        if self.component:
            options["zarr_format"] = self._format_of_group(options.get("zarr_format"))
        staging = self.staging.begin()
        try:
            return replace(self, staging=staging, array=zarr_module().create_array(str(staging.work), **options))
        except BaseException:
            staging.discard()
            raise

    def write(self, number: int, where: tuple[slice, ...], block: Any) -> None:
        try:
            super().write(number, where, block)
        finally:
            self._check_begun()

    def finish(self) -> None:
        if self.component:
            self._make_groups()
        self.staging.finish()

    def discard(self) -> None:
        self.staging.discard()

    def _check_begun(self) -> None:
        """See that what was written went to where the array is: zarr makes directories that are missing.

        Raises
        ------
        FileNotFoundError
            The array is not there. What was made of it again is deleted.
        """
        if not is_zarr_array(self.staging.work):
            self.staging.discard()
            raise FileNotFoundError(
                f"{self.staging.work} is not there: either its writing has ended, or the client writes "
                "to a file system that this process does not share"
            )

    def _format_of_group(self, wanted: Any) -> Any:
        """The Zarr format of the group at the root, which all in it need to have; as wanted where there is none."""
        for above in Path(str(self.component).strip("/")).parents:
            if is_zarr_array(Path(self.root, above)):
                raise ValueError(f"{Path(self.root, above)} is a Zarr array, so it cannot hold {self.component!r}")
        try:
            own = zarr_module().open_group(self.root, mode="r").metadata.zarr_format
        except FileNotFoundError:
            return wanted
        if wanted not in (None, own):
            raise ValueError(f"the group at {self.root} has Zarr format {own}, its arrays cannot have {wanted}")
        return own

    def _make_groups(self) -> None:
        """Make the groups above the component, as far as they are missing."""
        group = zarr_module().open_group(self.root, mode="a", zarr_format=self.array.metadata.zarr_format)
        parents, _, _ = str(self.component).strip("/").rpartition("/")
        if parents:
            group.require_group(parents)


@dataclass(frozen=True, kw_only=True)
class RemoteZarrSink(ZarrSink):
    """A Zarr array in a store where nothing can be renamed: marked as incomplete until it is whole."""

    store: Any
    overwrite: bool
    storage_options: Options = None
    gate: Gate | None = None

    @property
    def path(self) -> str:
        return place_text(self.store, self.component)

    def begin(self, *, here: bool) -> Self:
        if not here and is_in_memory(self.store):
            raise ValueError(
                f"{self.path} is in the memory of this process, where workers in others cannot write: "
                "choose a directory or a URL, or compute with rs.Client('threads')"
            )
        self.check()
        options = dict(self.options)
        attributes = {**(options.pop("attributes", None) or {}), INCOMPLETE: True}
        array = zarr_module().create_array(
            self.store,
            name=self.component,
            attributes=attributes,
            overwrite=self.overwrite,
            storage_options=self.storage_options,
            **options,
        )
        return replace(self, array=array, gate=Gate())

    def write(self, number: int, where: tuple[slice, ...], block: Any) -> None:
        with through(self.gate):
            super().write(number, where, block)

    def finish(self) -> None:
        del self.array.attrs[INCOMPLETE]

    def discard(self) -> None:
        """What was begun stays, and says that it is incomplete."""
        if self.gate is not None:
            self.gate.close()

    def check(self) -> None:
        """See that the place is free, or may be overwritten.

        Raises
        ------
        FileExistsError
            There is something already.
        """
        zarr = zarr_module()
        try:
            node = zarr.open(store=self.store, path=self.component, mode="r", storage_options=self.storage_options)
        except FileNotFoundError:
            return
        if not isinstance(node, zarr.Array):
            raise FileExistsError(f"{self.path} is a Zarr group, which is never overwritten; name another component")
        if not self.overwrite:
            raise FileExistsError(f"{self.path} holds an array already; pass overwrite=True to replace it")


def zarr_sink(
    store: Any,
    component: str | None,
    overwrite: bool,
    shape: tuple[int, ...],
    dtype: np.dtype,
    chunks: tuple[int, ...],
    options: Mapping[str, Any],
    storage_options: Options = None,
) -> LocalZarrSink | RemoteZarrSink:
    """Where to write an array.

    Raises
    ------
    FileExistsError
        There is something already that must not be overwritten.
    """
    zarr_module()
    path = local_path(store, component)
    options = dict(shape=shape, dtype=dtype, chunks=chunks, **options)
    if path is None:
        remote = RemoteZarrSink(
            component=component, options=options, store=store, overwrite=overwrite, storage_options=storage_options
        )
        remote.check()
        return remote
    staging = Staging(path, is_zarr_array, overwrite)
    staging.check()
    return LocalZarrSink(component=component, options=options, root=str(local_path(store, None)), staging=staging)


def region_sink(x: ArrayExpr, store: Any, component: str | None, region: Any, storage_options: Options) -> RegionSink:
    """A region of an array that exists, for an array to be written to; raises what `region_of`, `check_fits` do."""
    array, path = array_to_change(store, component, storage_options)
    sides = region_of(region, array.shape, path)
    check_fits(x.shape, x.dtype, sides, array, path)
    return RegionSink(array=array, path=path, region=sides, in_memory=is_in_memory(array.store_path))


def append_sink(x: ArrayExpr, store: Any, component: str | None, axis: int, storage_options: Options) -> AppendSink:
    """The end of an array that exists, for an array to be written to; raises what `check_fits` does."""
    array, path = array_to_change(store, component, storage_options)
    check_marks(array, path)
    axis = np.lib.array_utils.normalize_axis_index(axis, array.ndim)
    old = array.shape[axis]
    length = old + (x.shape[axis] if x.ndim == array.ndim else 0)
    sides = tuple(slice(old, length) if a == axis else slice(0, n) for a, n in enumerate(array.shape))
    check_fits(x.shape, x.dtype, sides, array, path)
    in_memory = is_in_memory(array.store_path)
    return AppendSink(array=array, path=path, axis=axis, length=length, in_memory=in_memory, old_length=old)


def store_chunks(array: zarr.Array) -> tuple[int, ...]:
    """The shape of what is read and written as a whole."""
    return tuple(map(int, array.shards or array.chunks))


def _check_complete(array: zarr.Array, place: str) -> None:
    if INCOMPLETE in array.attrs:
        raise ValueError(f"the Zarr array at {place} is incomplete: it is being written, or that was interrupted")
