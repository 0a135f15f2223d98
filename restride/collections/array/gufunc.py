"""Generalized ufuncs: functions of small arrays, such as vectors and matrices, applied to all along the other axes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from restride.collections.array.array import Array, asarray
from restride.collections.array.manipulation import moveaxis
from restride.collections.array.operations.blockwise import Name, Returned, calls
from restride.collections.array.operations.rechunk import in_one_block
from restride.errors import ChunkError

Dims = tuple[str, ...]
_DIMS = r"\(\s*(?:\w+\s*(?:,\s*\w+\s*)*,?\s*)?\)"
_SIGNATURE = re.compile(rf"\s*({_DIMS}\s*(?:,\s*{_DIMS}\s*)*)?->\s*({_DIMS}(?:\s*,\s*{_DIMS})*)\s*(,?)\s*")


@dataclass(frozen=True)
class Signature:
    """What core dimensions a function takes and returns, as in ``"(m,k),(k,n)->(m,n)"``."""

    inputs: tuple[Dims, ...]
    outputs: tuple[Dims, ...]
    several: bool
    """Whether the function returns a tuple, be it of one."""


def parse_signature(signature: str) -> Signature:
    """Read a signature.

    Raises
    ------
    ValueError
        It is malformed.

    Examples
    --------
    >>> parse_signature("(i),(i)->()").inputs
    (('i',), ('i',))
    """
    match = _SIGNATURE.fullmatch(signature)
    if match is None:
        raise ValueError(f"not a valid gufunc signature: {signature!r}; one is '(m,k),(k,n)->(m,n)'")
    inputs, outputs = (_dims(match[1] or ""), _dims(match[2]))
    return Signature(inputs, outputs, len(outputs) > 1 or bool(match[3]))


def apply_gufunc(
    func: Callable[..., Any],
    signature: str,
    *args: Any,
    axes: Sequence[Any] | None = None,
    axis: int | None = None,
    keepdims: bool = False,
    output_dtypes: Any = None,
    output_sizes: Mapping[str, int] | None = None,
    vectorize: bool = False,
    allow_rechunk: bool = False,
    meta: Any = None,
    **kwargs: Any,
) -> Array | tuple[Array, ...]:
    """Apply a function of arrays with core dimensions, looping over all others.

    Parameters
    ----------
    func : callable
        Takes and returns arrays whose last axes are the core dimensions; the others broadcast (unless `vectorize`).
    signature : str
        Core dimensions of what `func` takes and returns: ``"(i),(i)->()"``.
    *args : Array, array_like or scalar
        One for each input of the signature.
    axes : sequence of (int or tuple of int), optional
        Which axes of the inputs, then of the outputs, are the core dimensions; the last by default. Outputs without
        core dimensions may be left out.
    axis : int, optional
        The same for a signature in which all have at most one and the same core dimension.
    keepdims : bool
        Whether the outputs keep the core dimensions of the inputs, with length 1. The outputs must have none.
    output_dtypes : dtype or sequence of dtype, optional
        Found by calling `func` with small arrays if not given.
    output_sizes : dict, optional
        Lengths of core dimensions that only outputs have.
    vectorize : bool
        Whether `func` takes core dimensions alone, and is to be called for each place; see `numpy.vectorize`.
    allow_rechunk : bool
        Whether core dimensions in several blocks are gathered into one. Otherwise they are an error.
    meta : array or sequence of array, optional
        Something of the dtype of each output.
    **kwargs
        Passed to `func`.

    Returns
    -------
    Array or tuple of Array

    Raises
    ------
    ValueError
        A signature that is malformed or does not fit the arguments, a core dimension in several blocks.
    BlockError
        On compute: `func` returned arrays of other shapes or dtypes than declared.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> x = ra.arange(12, chunks=6).reshape(4, 3)
    >>> low, high = ra.apply_gufunc(lambda x: (x.min(axis=-1), x.max(axis=-1)), "(i)->(),()", x)
    >>> high.compute()
    array([ 2,  5,  8, 11])
    """
    spec = parse_signature(signature)
    if len(args) != len(spec.inputs):
        raise ValueError(f"signature {signature!r} is for {len(spec.inputs)} arrays, got {len(args)}")
    axes_in, axes_out = _axes(spec, axes, axis, keepdims)
    arrays = [
        _core_last(asarray(arg), core, dims, number)
        for number, (arg, core, dims) in enumerate(zip(args, axes_in, spec.inputs))
    ]
    sizes = _sizes(spec, arrays, output_sizes or {})
    if vectorize:
        # Shapes of blocks are known, so the signature need not be told to numpy again in full.
        func = np.vectorize(func, signature=signature.strip().rstrip(","))
    arrays = [_gathered(array, dims, allow_rechunk) for array, dims in zip(arrays, spec.inputs)]
    dtypes = _dtypes(func, spec, arrays, sizes, output_dtypes, meta, kwargs)

    most = max((array.ndim - len(dims) for array, dims in zip(arrays, spec.inputs)), default=0)
    loops: list[Name] = list(range(most))
    names = [(*loops[most - array.ndim + len(dims) :], *dims) for array, dims in zip(arrays, spec.inputs)]
    called, lengths = calls(func, loops, [array.expr for array in arrays], names, kwargs=kwargs)
    results = []
    for number, (dims, dtype, core) in enumerate(zip(spec.outputs, dtypes, axes_out)):
        chunks = (*(lengths[name] for name in loops), *((sizes[dim],) for dim in dims))
        result = Array(Returned(called, chunks, dtype, number if spec.several else None, checked=True))
        if keepdims:
            result = result[(..., *(None for _ in core))]
        results.append(moveaxis(result, range(-len(core), 0), core) if core else result)
    return tuple(results) if spec.several else results[0]


class gufunc:  # noqa: N801  # dask's name
    """A function of arrays with core dimensions that can be called with arrays in blocks; see `apply_gufunc`.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> dot = ra.gufunc(np.vecdot, signature="(i),(i)->()", output_dtypes=float)
    >>> dot(ra.ones((4, 3), chunks=(2, 3)), ra.ones(3)).compute()
    array([3., 3., 3., 3.])
    """

    def __init__(
        self,
        pyfunc: Callable[..., Any],
        *,
        signature: str,
        vectorize: bool = False,
        axes: Sequence[Any] | None = None,
        axis: int | None = None,
        keepdims: bool = False,
        output_sizes: Mapping[str, int] | None = None,
        output_dtypes: Any = None,
        allow_rechunk: bool = False,
        meta: Any = None,
    ) -> None:
        parse_signature(signature)
        self.pyfunc = pyfunc
        self.signature = signature
        self.options = {
            "vectorize": vectorize,
            "axes": axes,
            "axis": axis,
            "keepdims": keepdims,
            "output_sizes": output_sizes,
            "output_dtypes": output_dtypes,
            "allow_rechunk": allow_rechunk,
            "meta": meta,
        }
        self.__name__ = getattr(pyfunc, "__name__", "gufunc")
        self.__doc__ = pyfunc.__doc__

    def __call__(self, *args: Any, **kwargs: Any) -> Array | tuple[Array, ...]:
        return apply_gufunc(self.pyfunc, self.signature, *args, **{**self.options, **kwargs})


def as_gufunc(signature: str, **options: Any) -> Callable[[Callable[..., Any]], gufunc]:
    """Decorator: make a function a `gufunc`.

    Parameters
    ----------
    signature : str
    **options
        See `apply_gufunc`.

    Examples
    --------
    >>> import restride.array as ra
    >>> @ra.as_gufunc("(i)->()", output_dtypes=float)
    ... def spread(x):
    ...     return x.max(axis=-1) - x.min(axis=-1)
    >>> spread(ra.asarray([[1.0, 5.0], [2.0, 4.0]])).compute()
    array([4., 2.])
    """
    return lambda function: gufunc(function, signature=signature, **options)


def _dims(text: str) -> tuple[Dims, ...]:
    return tuple(tuple(re.findall(r"\w+", group)) for group in re.findall(_DIMS, text))


def _axes(
    spec: Signature, axes: Sequence[Any] | None, axis: int | None, keepdims: bool
) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """For each input and each output which axes are the core dimensions."""
    if keepdims and (any(spec.outputs) or len({len(dims) for dims in spec.inputs}) > 1):
        raise ValueError("keepdims is for functions whose outputs have no core dimensions, and inputs as many each")
    kept = len(spec.inputs[0]) if keepdims and spec.inputs else 0
    counts = [len(dims) for dims in spec.inputs] + [len(dims) + kept for dims in spec.outputs]
    if axis is not None:
        dims = {dim for some in (*spec.inputs, *spec.outputs) for dim in some}
        if axes is not None or len(dims) != 1 or max(counts) > 1:
            raise ValueError("axis is for signatures with one core dimension; name axes for others, and not both")
        axes = [(axis,) * count for count in counts]
    if axes is None:
        axes = [tuple(range(-count, 0)) for count in counts]
    given = [(one,) if isinstance(one, int) else tuple(one) for one in axes]
    if len(given) == len(spec.inputs):
        given += given[:1] * len(spec.outputs) if keepdims else [()] * len(spec.outputs)
    if [len(one) for one in given] != counts:
        raise ValueError(f"axes={axes} do not fit the signature, which has {counts} core dimensions")
    return given[: len(spec.inputs)], given[len(spec.inputs) :]


def _core_last(array: Array, core: tuple[int, ...], dims: Dims, number: int) -> Array:
    if array.ndim < len(dims):
        raise ValueError(f"array {number} of {array.ndim} axes lacks core dimensions; the signature has {dims} for it")
    return moveaxis(array, core, range(-len(core), 0)) if core else array


def _gathered(array: Array, dims: Dims, allow_rechunk: bool) -> Array:
    core = range(array.ndim - len(dims), array.ndim)
    for axis, dim in zip(core, dims):
        if array.numblocks[axis] > 1 and not allow_rechunk:
            raise ChunkError(
                f"core dimension {dim!r} is in {array.numblocks[axis]} blocks; rechunk({{{axis}: -1}}) first, or pass "
                "allow_rechunk=True"
            )
    return Array(in_one_block(array.expr, core))


def _sizes(spec: Signature, arrays: Sequence[Array], output_sizes: Mapping[str, int]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for array, dims in zip(arrays, spec.inputs):
        for dim, length in zip(dims, array.shape[array.ndim - len(dims) :]):
            if sizes.setdefault(dim, length) != length:
                raise ValueError(f"core dimension {dim!r} is {sizes[dim]} long in one array and {length} in another")
    missing = [dim for dims in spec.outputs for dim in dims if dim not in sizes and dim not in output_sizes]
    if missing:
        raise ValueError(f"pass output_sizes= for the core dimensions {missing}, which no input has")
    return {**output_sizes, **sizes}


def _dtypes(
    func: Callable[..., Any],
    spec: Signature,
    arrays: Sequence[Array],
    sizes: Mapping[str, int],
    output_dtypes: Any,
    meta: Any,
    kwargs: Mapping[str, Any],
) -> list[np.dtype]:
    if output_dtypes is None and meta is not None:
        output_dtypes = [one.dtype for one in meta] if isinstance(meta, (tuple, list)) else meta.dtype
    if output_dtypes is None:
        small = [
            np.ones((1,) * (array.ndim - len(dims)) + tuple(sizes[dim] for dim in dims), array.dtype)
            for array, dims in zip(arrays, spec.inputs)
        ]
        try:
            with np.errstate(all="ignore"):
                made = func(*small, **kwargs)
        except Exception as error:
            label = getattr(func, "__name__", type(func).__name__)
            raise ValueError(f"calling {label} with small arrays of ones failed; pass output_dtypes=") from error
        output_dtypes = [np.asarray(one).dtype for one in (made if spec.several else [made])]
    if not isinstance(output_dtypes, (tuple, list)):
        output_dtypes = [output_dtypes] * len(spec.outputs)
    if len(output_dtypes) != len(spec.outputs):
        raise ValueError(f"{len(output_dtypes)} output_dtypes for {len(spec.outputs)} outputs")
    return [np.dtype(one) for one in output_dtypes]
