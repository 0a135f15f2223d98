"""xarray on restride's arrays: the chunk manager that xarray finds by the entry point ``xarray.chunkmanagers``.

With it ``ds.chunk(..., chunked_array_type="restride")``, ``xr.open_zarr(..., chunked_array_type="restride")`` and what
follows from these works without dask; where dask is not installed, "restride" is what xarray takes by itself. Where
both are, ``xr.set_options(chunk_manager="restride")`` makes it the one that is taken.
"""

from __future__ import annotations

import functools
import importlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import xarray
from numpy.typing import DTypeLike
from xarray.namedarray.parallelcompat import ChunkManagerEntrypoint

import restride.array as ra
from restride.collections.array.chunks import Chunks
from restride.collections.array.chunks import normalize_chunks as normalize
from restride.collections.array.labelled import map_blocks
from restride.collections.array.operations.zarr_parts import check_marks
from restride.collections.collection import Collection, compute, persist
from restride.collections.expression import Expr
from restride.collections.writing import WriteExpr, Writing
from restride.config import Settings, parse_bytes

__all__ = ["RestrideManager", "map_blocks"]

# Where xarray asks whether an array is dask's before it leaves it lazy, although it goes on by its chunk manager alone:
# the module, its functions to replace, and what would load whole arrays, or not work, otherwise.
GATES = (
    ("xarray.computation.fit", ("is_duck_dask_array", "least_squares"), "polyfit"),
    ("xarray.computation.weighted", ("is_duck_dask_array",), "weighted"),
    ("xarray.core.duck_array_ops", ("push",), "ffill and bfill"),
    ("xarray.core.missing", ("push",), "ffill and bfill"),
    ("xarray.core._aggregations", ("contains_only_chunked_or_numpy",), "groupby and resample with flox"),
    ("xarray.core.groupby", ("contains_only_chunked_or_numpy",), "groupby with flox"),
    ("xarray.core.indexing.ArrayApiIndexingAdapter", ("_vindex_get",), "indexing by points"),
)
KNOWN_VERSIONS = "2025.7 to 2026.9"

# What other chunk managers are told when they make an array, and has no meaning here.
DASK_OPTIONS = ("name", "lock", "inline_array", "asarray", "fancy", "getitem", "meta")


class RestrideManager(ChunkManagerEntrypoint[Any]):
    """What xarray asks of a library of chunked arrays, each by the function of `restride.array` that does it."""

    def __init__(self) -> None:
        self.array_cls = ra.Array
        _widen_gates()

    # ---- chunks -----------------------------------------------------------------------------------------------------

    def chunks(self, data: ra.Array) -> Chunks:
        """For each axis the lengths of its blocks."""
        return data.chunks

    def normalize_chunks(
        self,
        chunks: Any,
        shape: tuple[int, ...] | None = None,
        limit: int | str | None = None,
        dtype: DTypeLike | None = None,
        previous_chunks: Any = None,
    ) -> Chunks:
        """Chunks of any spelling as a tuple of lengths for each axis; None is the whole axis."""
        if shape is None:
            shape = tuple(sum(lengths) for lengths in chunks)
        itemsize = np.dtype(dtype).itemsize if dtype is not None else 8
        previous = None if previous_chunks is None else normalize(_whole(previous_chunks), shape, itemsize)
        limit = parse_bytes(limit) if isinstance(limit, str) else limit
        return normalize(_whole(chunks), shape, itemsize, previous=previous, limit=limit)

    def get_auto_chunk_size(self) -> int:
        """Bytes of a chunk where ``"auto"`` asks for a size: setting ``array.chunk_size``."""
        return Settings.current().array_chunk_size

    def rechunk(self, data: ra.Array, chunks: Any, **kwargs: Any) -> Any:
        """The same array along other boundaries."""
        return super().rechunk(data, chunks, **kwargs)

    def unify_chunks(self, *args: Any, **kwargs: Any) -> tuple[dict[Any, Any], list[Any]]:
        """Arrays and the names of their axes, in turn, brought to common chunks along axes of one name."""
        return ra.unify_chunks(*args, **kwargs)

    # ---- making and computing ---------------------------------------------------------------------------------------

    def from_array(self, data: Any, chunks: Any, **kwargs: Any) -> ra.Array:
        """Make an array of anything that can be sliced: a numpy array, or what xarray reads from a file."""
        kwargs = {name: value for name, value in kwargs.items() if name not in DASK_OPTIONS}
        _check_complete(data)
        return ra.from_array(data, _whole(chunks), **kwargs)

    def compute(self, *data: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Compute arrays as one graph; anything else is handed back as it is."""
        return _each(data, compute, kwargs)

    def persist(self, *data: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Start computing arrays as one graph, and keep their blocks; anything else is handed back as it is."""
        return _each(data, persist, kwargs)

    def store(self, sources: Any, targets: Any, **kwargs: Any) -> Any:
        """Write arrays into objects that take assignments to slices."""
        kwargs.pop("flush", None)
        return ra.store(sources, targets, **kwargs)

    # ---- computations -----------------------------------------------------------------------------------------------

    @property
    def array_api(self) -> Any:
        """The namespace `restride.array`."""
        return ra

    def reduction(
        self,
        arr: ra.Array,
        func: Callable[..., Any],
        combine_func: Callable[..., Any] | None = None,
        aggregate_func: Callable[..., Any] | None = None,
        axis: int | Sequence[int] | None = None,
        dtype: Any = None,
        keepdims: bool = False,
    ) -> Any:
        """A reduction by functions for a block, for some partial results, and for the last of them."""
        return ra.reduction(
            arr, func, combine=combine_func, aggregate=aggregate_func or func, axis=axis, dtype=dtype, keepdims=keepdims
        )

    def scan(
        self,
        func: Callable[..., Any],
        binop: Callable[..., Any],
        ident: float,
        arr: ra.Array,
        axis: int | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> Any:
        """A running total, or the like, along an axis."""
        for option in ("method", "preop"):  # dask's choice of algorithm; there is one here
            kwargs.pop(option, None)
        return ra.cumreduction(func, binop, ident, arr, axis=axis, dtype=dtype, **kwargs)

    def apply_gufunc(
        self,
        func: Callable[..., Any],
        signature: str,
        *args: Any,
        axes: Any = None,
        axis: int | None = None,
        keepdims: bool = False,
        output_dtypes: Any = None,
        output_sizes: dict[str, int] | None = None,
        vectorize: bool | None = None,
        allow_rechunk: bool = False,
        meta: Any = None,
        **kwargs: Any,
    ) -> Any:
        """A function of whole blocks, with axes by name that it needs in one piece."""
        return ra.apply_gufunc(
            func,
            signature,
            *args,
            axes=axes,
            axis=axis,
            keepdims=keepdims,
            output_dtypes=output_dtypes,
            output_sizes=output_sizes,
            vectorize=bool(vectorize),
            allow_rechunk=allow_rechunk,
            meta=meta,
            **kwargs,
        )

    def map_blocks(
        self,
        func: Callable[..., Any],
        *args: Any,
        dtype: Any = None,
        chunks: Any = None,
        drop_axis: Any = None,
        new_axis: Any = None,
        **kwargs: Any,
    ) -> Any:
        """A function of one block of each array; what it returns is cast to the dtype, where that is given."""
        for option in ("name", "token", "meta"):
            kwargs.pop(option, None)
        if dtype is None:
            empty = (np.empty((0,) * arg.ndim, arg.dtype) if isinstance(arg, ra.Array) else arg for arg in args)
            dtype = np.asarray(func(*empty, **kwargs)).dtype
        drop_axis, new_axis = (() if axes is None else axes for axes in (drop_axis, new_axis))
        func = Casting(func, np.dtype(dtype))
        return ra.map_blocks(func, *args, dtype=dtype, chunks=chunks, drop_axis=drop_axis, new_axis=new_axis, **kwargs)

    def blockwise(
        self,
        func: Callable[..., Any],
        out_ind: Iterable[Any],
        *args: Any,
        adjust_chunks: dict[Any, Callable[..., Any]] | None = None,
        new_axes: dict[Any, int] | None = None,
        align_arrays: bool = True,
        **kwargs: Any,
    ) -> Any:
        """A function of blocks that share axes of one name."""
        return ra.blockwise(
            func,
            tuple(out_ind),
            *args,
            adjust_chunks=adjust_chunks,
            new_axes=new_axes,
            align_arrays=align_arrays,
            **kwargs,
        )

    def shuffle(self, x: ra.Array, indexer: list[list[int]], axis: int, chunks: Any) -> ra.Array:
        """The elements of an axis in another order, those of each list in one block."""
        return ra.shuffle(x, indexer, axis, chunks="auto" if chunks is None else chunks)


class Casting:
    """Kernel: a function whose result is of a dtype that its caller has only promised."""

    def __init__(self, func: Callable[..., Any], dtype: np.dtype) -> None:
        self.__name__ = getattr(func, "__name__", type(func).__name__)
        self.func = func
        self.dtype = dtype

    def __call__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        return np.asarray(self.func(*args, **kwargs)).astype(self.dtype, copy=False)


def _whole(chunks: Any) -> Any:
    """Chunks with -1 for None: the whole axis, as xarray means it."""
    if chunks is None:
        return -1
    if isinstance(chunks, Mapping):
        return {axis: _whole(value) for axis, value in chunks.items()}
    if isinstance(chunks, (tuple, list)):
        return tuple(-1 if value is None else value for value in chunks)
    return chunks


def _check_complete(data: Any) -> None:
    """See that a Zarr array in a local directory that xarray has opened was written to the end.

    Elsewhere that would take a request for each variable.

    Raises
    ------
    ValueError
        It was not.
    """
    while hasattr(data, "array"):  # xarray's own layers around what a backend gives
        data = data.array
    array: Any = getattr(data, "_array", None)
    if type(array).__module__.partition(".")[0] == "zarr" and hasattr(array.store_path.store, "root"):
        check_marks(array, str(array.store_path).removeprefix("file://"))


def _each(data: Sequence[Any], function: Callable[..., tuple[Any, ...]], options: Mapping[str, Any]) -> tuple[Any, ...]:
    results = iter(function(*(item for item in data if isinstance(item, Collection)), **options))
    return tuple(next(results) if isinstance(item, Collection) else item for item in data)


def _or_ours(is_duck_dask_array: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda x: isinstance(x, ra.Array) or is_duck_dask_array(x)


def _but_ours(contains_only_chunked_or_numpy: Callable[[Any], bool]) -> Callable[[Any], bool]:
    def holds(obj: Any) -> bool:
        variables = obj.variables.values() if hasattr(obj, "variables") else [obj.variable]
        ours = any(isinstance(variable._data, ra.Array) for variable in variables)
        return not ours and contains_only_chunked_or_numpy(obj)

    return holds


def _least_squares(least_squares: Callable[..., Any]) -> Callable[..., Any]:
    """A fit for each block, with all of the axis in it; xarray's own for dask fits column by column."""

    @functools.wraps(least_squares)
    def fitted(lhs: Any, rhs: Any, rcond: float | None = None, skipna: bool = False) -> Any:
        if not isinstance(rhs, ra.Array):
            return least_squares(lhs, rhs, rcond=rcond, skipna=skipna)
        rhs = rhs.rechunk({0: -1})
        lhs = np.asarray(lhs)
        chunks = ((lhs.shape[1] + 1,), *rhs.chunks[1:])
        dtype = np.result_type(lhs, rhs.dtype, float)
        result = ra.map_blocks(LeastSquares(least_squares, lhs, rcond, skipna, dtype), rhs, dtype=dtype, chunks=chunks)
        return result[:-1], result[-1]

    return fitted


class LeastSquares:
    """Kernel: the coefficients of a fit along the first axis, and below them the residuals."""

    __name__ = "least_squares"

    def __init__(self, fit: Callable[..., Any], lhs: np.ndarray, rcond: Any, skipna: bool, dtype: np.dtype) -> None:
        self.fit, self.lhs, self.rcond, self.skipna, self.dtype = fit, lhs, rcond, skipna, dtype

    def __call__(self, block: np.ndarray) -> np.ndarray:
        result = np.full((self.lhs.shape[1] + 1, *block.shape[1:]), np.nan, self.dtype)
        if result.size:
            coefficients, residuals = self.fit(self.lhs, block, rcond=self.rcond, skipna=self.skipna)
            result[:-1] = coefficients
            if np.size(residuals):  # none where the rank is deficient
                result[-1] = np.reshape(residuals, block.shape[1:])
        return result


def _push(push: Callable[..., Any]) -> Callable[..., Any]:
    for_chunked = importlib.import_module("xarray.compat.dask_array_ops").push

    @functools.wraps(push)
    def pushed(array: Any, *args: Any, **kwargs: Any) -> Any:
        return (for_chunked if isinstance(array, ra.Array) else push)(array, *args, **kwargs)

    return pushed


def _pointwise(get: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def get_points(adapter: Any, indexer: Any) -> Any:
        if not isinstance(adapter.array, ra.Array):
            return get(adapter, indexer)
        return adapter.array.vindex[indexer.tuple]

    return get_points


class LaterWriting(Writing):
    """What xarray has left to write, and the store that it closes when that is there."""

    def __init__(self, writes: Sequence[WriteExpr], store: Any) -> None:
        super().__init__(writes)
        self.store = store

    @contextmanager
    def _computing(self, *, here: bool) -> Iterator[tuple[Expr, Callable[[list[Any]], None]]]:
        with super()._computing(here=here) as (expr, finish):

            def finish_and_close(blocks: list[Any]) -> None:
                finish(blocks)
                self.store.close()

            yield expr, finish_and_close


def _closing(delayed_close_after_writes: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def close_later(writes: Any, store: Any) -> Any:
        if not isinstance(writes, Writing):
            return delayed_close_after_writes(writes, store)
        return LaterWriting(writes.writes, store)

    return close_later


REPLACEMENTS: dict[str, Callable[[Any], Any]] = {
    "is_duck_dask_array": _or_ours,
    "least_squares": _least_squares,
    "push": _push,
    "contains_only_chunked_or_numpy": _but_ours,
    "_vindex_get": _pointwise,
}


@functools.cache
def _widen_gates() -> None:
    """Make xarray leave our arrays lazy in places where it does so for dask's alone.

    Without this the results are the same, but polyfit, weighted, ffill, bfill, and ``.dt`` of data load whole arrays
    while nobody has asked for it, groupby does if flox is installed (it knows dask and cubed), and pointwise indexing
    and ``compute=False`` are refused.

    Warns
    -----
    RuntimeWarning
        This version of xarray has some of that elsewhere, or not at all.
    """
    missing = {}
    for path, names, what in GATES:
        try:
            place = _found(path)
            functions = [getattr(place, name) for name in names]
        except (ImportError, AttributeError):
            missing[what] = f"{path}.{names[0]}"
            continue
        for name, function in zip(names, functions):
            setattr(place, name, REPLACEMENTS[name](function))
    # What versions before 2026.4 do not have: there the one takes dask's map_blocks, the other dask's delayed.
    accessor: Any = importlib.import_module("xarray.core.accessor_dt")
    if hasattr(accessor, "get_chunked_array_type"):
        accessor.is_duck_dask_array = _or_ours(accessor.is_duck_dask_array)
    with suppress(ImportError, AttributeError):
        writers: Any = importlib.import_module("xarray.backends.writers")
        writers.delayed_close_after_writes = _closing(writers.delayed_close_after_writes)
    if missing:
        warnings.warn(
            f"restride knows xarray {KNOWN_VERSIONS}; in {xarray.__version__} there is no "
            f"{', '.join(missing.values())}, so that these may load whole arrays or be refused: {', '.join(missing)}",
            RuntimeWarning,
            stacklevel=2,
        )


def _found(path: str) -> Any:
    """A module, or a class of one."""
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError:
        module, _, name = path.rpartition(".")
        return getattr(importlib.import_module(module), name)
