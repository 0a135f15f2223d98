"""A function of xarray's objects, block by block.

Each task gets a part of each object, as an object of its kind: the blocks of its chunked variables as numpy arrays, and
what its other variables, indexes and attributes have there. What the function returns is taken apart into variables.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray

from restride.collections.array.array import Array
from restride.collections.array.creation import arange
from restride.collections.array.operations.blockwise import Returned, calls

Chunks = Mapping[Hashable, tuple[int, ...]]
"""Lengths of the blocks by the name of the dimension."""

THE_ARRAY = "<the array>"
"""What a DataArray is called while it is the variable of a Dataset."""


def map_blocks(
    func: Callable[..., Any],
    obj: Any,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    template: Any = None,
) -> Any:
    """Apply a function to each block of a DataArray or Dataset: `xarray.map_blocks` for restride's arrays.

    Parameters
    ----------
    func : callable
        Gets a block of `obj` and returns a DataArray or Dataset. It may not change how many blocks there are.
    obj : DataArray or Dataset
    args : sequence
        Further arguments; of xarray's objects among them the block that corresponds, of the rest all of it.
    kwargs : mapping, optional
        Passed to `func` as they are.
    template : DataArray or Dataset, optional
        Like the result, with its chunks along the dimensions that `obj` is chunked along. If it is not given, `func` is
        called once with objects of no elements to see what it returns; then it may not change lengths of dimensions.

    Returns
    -------
    DataArray or Dataset
        Lazy; if nothing in `obj` is chunked, what `func` returns.

    Raises
    ------
    ValueError
        Objects of different indexes or chunks, a template in other chunks; on compute: a block is not as expected.
    TypeError
        `func` returns, or `template` is, something else.

    Examples
    --------
    >>> import restride.array as ra
    >>> import xarray as xr
    >>> from restride.xarray import map_blocks
    >>> x = xr.DataArray(ra.arange(6.0, chunks=3), dims="t")
    >>> map_blocks(lambda block: block - block.mean(), x, template=x).data.compute()
    array([-1.,  0.,  1., -1.,  0.,  1.])
    """
    kwargs = dict(kwargs or {})
    if not Part.lazy(obj):
        return func(obj, *args, **kwargs)
    arguments = [obj, *args]
    places = [at for at, argument in enumerate(arguments) if _is_labelled(argument)]
    for at, argument in zip(places, xarray.align(*(arguments[at] for at in places), join="exact")):
        arguments[at] = argument
    objects = [_as_dataset(arguments[at]) for at in places]
    chunks = _common_chunks(objects)
    given = template is not None
    if not given:
        template = _result_of_nothing(func, arguments, kwargs)
    if not _is_labelled(template):
        raise TypeError(f"a DataArray or Dataset is needed as the result or template, got {type(template).__name__}")
    outline = _as_dataset(template)
    if given:
        out_chunks = _chunks_of_template(outline, chunks)
    else:
        whole = {dim: (length,) for each in objects for dim, length in each.sizes.items()}
        own = {dim: (length,) for dim, length in outline.sizes.items()}
        out_chunks = {dim: lengths for dim, lengths in (own | whole | chunks).items() if dim in own}
        outline = _with_lengths(outline, objects, out_chunks)
    result = _mapped(func, arguments, places, kwargs, chunks, outline, out_chunks)
    return _as_array(result, template.name) if isinstance(template, xarray.DataArray) else result


def _mapped(
    func: Callable[..., Any],
    arguments: Sequence[Any],
    places: Sequence[int],
    kwargs: Mapping[str, Any],
    chunks: Chunks,
    outline: xarray.Dataset,
    out_chunks: Chunks,
) -> xarray.Dataset:
    dims = tuple(chunks)
    blocks: list[Any] = [arange(len(chunks[dim]), chunks=1).expr for dim in dims]  # which block it is
    axes: list[tuple[Hashable, ...]] = [(dim,) for dim in dims]
    parts = [Part.of(arguments[at], at) for at in places]
    for part in parts:
        for variable in part.lazy(arguments[part.place]).values():
            blocks.append(variable.data.rechunk(tuple(chunks[dim] for dim in variable.dims)).expr)
            axes.append(variable.dims)
    names = [name for name in outline.variables if name not in outline.xindexes]
    others = {name: tuple(dim for dim in outline[name].dims if dim not in chunks) for name in names}
    kernel = OfLabelledBlocks(
        func,
        tuple(None if at in places else argument for at, argument in enumerate(arguments)),
        kwargs,
        tuple(parts),
        {dim: np.cumsum([0, *lengths]).tolist() for dim, lengths in chunks.items()},
        {dim: out_chunks[dim] for dim in dims if dim in out_chunks},
        others,
    )
    called, _ = calls(kernel, dims, blocks, axes, align=False)
    result = outline.drop_vars(names)
    for number, name in enumerate(names):
        variable = outline[name].variable
        lengths = [out_chunks[dim] if dim in variable.dims else (1,) * len(chunks[dim]) for dim in dims]
        lengths += [out_chunks[dim] for dim in others[name]]
        data = Array(Returned(called, tuple(lengths), variable.dtype, number, True))
        data = data[tuple(slice(None) if dim in variable.dims else -1 for dim in dims)]
        kept = (*(dim for dim in dims if dim in variable.dims), *others[name])
        made = {name: xarray.Variable(kept, data, variable.attrs).transpose(*variable.dims)}
        result = result.assign_coords(made) if name in outline.coords else result.assign(made)
    return result


@dataclass(frozen=True)
class Part:
    """What a task needs to know of an argument to make its part of it."""

    place: int
    """Which argument it is."""
    rest: xarray.Dataset
    """All but the variables whose blocks come to the task."""
    outlines: Mapping[Hashable, tuple[tuple[Hashable, ...], Mapping[Any, Any], bool]]
    """Of these the dimensions, the attributes, and whether they are coordinates."""
    is_array: bool
    name: Hashable

    @classmethod
    def of(cls, argument: Any, place: int) -> Part:
        """The description of an argument."""
        whole = _as_dataset(argument)
        lazy = cls.lazy(argument)
        outlines = {name: (v.dims, v.attrs, name in whole.coords) for name, v in lazy.items()}
        return cls(place, whole.drop_vars(lazy), outlines, whole is not argument, getattr(argument, "name", None))

    @staticmethod
    def lazy(argument: Any) -> dict[Hashable, xarray.Variable]:
        """The variables of an argument that are our arrays."""
        return {name: v for name, v in _as_dataset(argument).variables.items() if isinstance(v._data, Array)}

    def made(self, where: Mapping[Hashable, slice], blocks: Sequence[Any]) -> Any:
        """The part of the argument in a box."""
        part = self.rest.isel({dim: side for dim, side in where.items() if dim in self.rest.dims})
        for (name, (dims, attrs, is_coordinate)), block in zip(self.outlines.items(), blocks):
            variable = {name: xarray.Variable(dims, block, attrs)}
            part = part.assign_coords(variable) if is_coordinate else part.assign(variable)
        return _as_array(part, self.name) if self.is_array else part


class OfLabelledBlocks:
    """Kernel: a function of parts of xarray's objects, given which block it is, and the blocks of their variables."""

    def __init__(
        self,
        func: Callable[..., Any],
        arguments: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        parts: tuple[Part, ...],
        edges: Mapping[Hashable, list[int]],
        lengths: Chunks,
        others: Mapping[Hashable, tuple[Hashable, ...]],
    ) -> None:
        self.__name__ = getattr(func, "__name__", type(func).__name__)
        self.func = func
        self.arguments, self.kwargs = arguments, kwargs
        self.parts = parts
        """Of the arguments that are cut; `arguments` has None for them."""
        self.edges = edges
        """Where blocks begin and end, by dimension."""
        self.lengths = lengths
        """Of the blocks of the result."""
        self.others = others
        """For each variable that is computed the dimensions it has beside those."""

    def __call__(self, *blocks: Any) -> tuple[np.ndarray, ...]:
        at = {dim: int(block[0]) for dim, block in zip(self.edges, blocks)}
        where = {dim: slice(self.edges[dim][k], self.edges[dim][k + 1]) for dim, k in at.items()}
        arguments = list(self.arguments)
        first = len(self.edges)
        for part in self.parts:
            end = first + len(part.outlines)
            arguments[part.place] = part.made(where, blocks[first:end])
            first = end
        result = self.func(*arguments, **self.kwargs)
        if not _is_labelled(result):
            raise TypeError(f"the function must return a DataArray or Dataset, got {type(result).__name__}")
        made = _as_dataset(result)
        for dim, lengths in self.lengths.items():
            if dim not in made.sizes:
                raise ValueError(f"dimension {dim!r} is missing in what the function returned")
            if made.sizes[dim] != lengths[at[dim]]:
                raise ValueError(
                    f"dimension {dim!r} of what the function returned is {made.sizes[dim]} long, not "
                    f"{lengths[at[dim]]}; pass a template= that has the lengths of the result"
                )
        missing = [name for name in self.others if name not in made.variables]
        if missing:
            raise ValueError(f"variables {missing} are missing in what the function returned")
        return tuple(self._ordered(made.variables[name], others) for name, others in self.others.items())

    def _ordered(self, variable: xarray.Variable, others: tuple[Hashable, ...]) -> np.ndarray:
        """A variable with an axis for each dimension that is cut, of length 1 where it has none; then the others."""
        kept = [dim for dim in self.edges if dim in variable.dims]
        if {*variable.dims} != {*kept, *others}:
            raise ValueError(
                f"a variable that the function returned has dimensions {variable.dims}, not {(*kept, *others)}"
            )
        axes = tuple(slice(None) if dim in kept else None for dim in self.edges)
        return np.asarray(variable.transpose(*kept, *others).data)[axes]


def _is_labelled(value: Any) -> bool:
    return isinstance(value, (xarray.DataArray, xarray.Dataset))


def _as_dataset(obj: Any) -> xarray.Dataset:
    return obj.to_dataset(name=THE_ARRAY) if isinstance(obj, xarray.DataArray) else obj


def _as_array(whole: xarray.Dataset, name: Hashable) -> xarray.DataArray:
    return whole[THE_ARRAY].rename(name)


def _common_chunks(objects: Sequence[xarray.Dataset]) -> dict[Hashable, tuple[int, ...]]:
    chunks: dict[Hashable, tuple[int, ...]] = {}
    for each in objects:
        for dim, lengths in each.chunksizes.items():
            if chunks.setdefault(dim, lengths) != lengths:
                raise ValueError(
                    f"the objects are in different chunks along {dim!r}: {chunks[dim]} and {lengths}; rechunk one"
                )
    return chunks


def _result_of_nothing(func: Callable[..., Any], arguments: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """What the function makes of objects without elements.

    Raises
    ------
    ValueError
        It does not take them.
    """
    empty = [
        argument.isel(dict.fromkeys(argument.dims, slice(0, 0))).compute() if _is_labelled(argument) else argument
        for argument in arguments
    ]
    try:
        return func(*empty, **kwargs)
    except Exception as error:
        raise ValueError(
            "what the function returns cannot be found out, as it fails for objects without elements: pass template="
        ) from error


def _chunks_of_template(template: xarray.Dataset, chunks: Chunks) -> dict[Hashable, tuple[int, ...]]:
    """Along each dimension of the result the lengths of its blocks.

    Raises
    ------
    ValueError
        There are not as many as in the arguments.
    """
    if not template.chunksizes:
        raise ValueError("the template is not chunked; it needs the chunks of the result")
    result = {dim: (length,) for dim, length in template.sizes.items()} | dict(template.chunksizes)
    for dim, lengths in chunks.items():
        if len(result.get(dim, lengths)) != len(lengths):
            raise ValueError(
                f"a block of the result is made of one block: along {dim!r} there are {len(lengths)}, and "
                f"{len(result[dim])} in the template"
            )
    return result


def _with_lengths(
    outline: xarray.Dataset, objects: Sequence[xarray.Dataset], chunks: Mapping[Hashable, tuple[int, ...]]
) -> xarray.Dataset:
    """What a function made of nothing, with the lengths that its result has, and the indexes of its arguments."""
    coordinates = xarray.merge([each.coords.to_dataset() for each in objects], join="exact", compat="override")
    kept = [name for name in coordinates.xindexes if name in outline.coords]
    sizes = {dim: sum(lengths) for dim, lengths in chunks.items()}
    new = coordinates.drop_vars([name for name in coordinates.variables if name not in kept])
    new = new.assign_attrs(outline.attrs)
    for name, variable in outline.variables.items():
        if name in kept:
            continue
        if name in outline.xindexes:
            new = new.assign_coords({name: outline[name]})
            continue
        values = np.broadcast_to(np.empty((), variable.dtype), [sizes[dim] for dim in variable.dims])
        made = {name: xarray.Variable(variable.dims, values, variable.attrs)}
        new = new.assign_coords(made) if name in outline.coords else new.assign(made)
    return new
