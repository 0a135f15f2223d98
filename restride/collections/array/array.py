"""`Array`: what users hold. Its methods check nothing and compute nothing themselves; `operations` do."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array.base import as_expr, operand
from restride.collections.array.chunk_sizes import unit_of_chunks, warn_of_chunks
from restride.collections.array.chunks import normalize_chunks
from restride.collections.array.device import check_device
from restride.collections.array.expr import ArrayExpr, Persisted
from restride.collections.array.methods.indexing import Indexing
from restride.collections.array.methods.linalg import LinearAlgebra
from restride.collections.array.methods.manipulation import Manipulation
from restride.collections.array.methods.operators import Operators
from restride.collections.array.methods.reductions import Reductions
from restride.collections.array.methods.standard import Standard
from restride.collections.array.methods.storage import Storage
from restride.collections.array.operations import elementwise as ew
from restride.collections.array.operations.map_blocks import map_blocks
from restride.collections.array.operations.pushdown import push_rechunks, push_slices
from restride.collections.array.operations.rechunk import Rechunk, rechunk
from restride.collections.array.operations.result import LARGE_RESULT, Assembly, IntoMemory, Memory, assembled, joined
from restride.collections.expression import Expr, subexpressions
from restride.collections.optimize import add_passes, simplify

if TYPE_CHECKING:
    from restride.engine.client.futures import Future
    from restride.shuffle.rechunk import RechunkPlan

NUMPY_FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {}
"""numpy's functions that stay lazy when called with an `Array`; filled by `implements`."""

add_passes(
    (ArrayExpr,),
    push_slices,
    simplify,  # after slices, which bring rechunks together
    push_rechunks,  # after rechunks in a row have become one
)

UFUNC_OPERANDS = (np.ndarray, np.generic, bool, int, float, complex, str, bytes, list, tuple, type(None))
"""What ufuncs take beside arrays; others, such as labelled arrays, know themselves what to make of ours."""
UFUNC_REDUCTIONS = {
    np.add: "sum", np.multiply: "prod", np.maximum: "max", np.minimum: "min", np.logical_and: "all",
    np.logical_or: "any",
}  # fmt: skip


class Array(Operators, Reductions, Manipulation, LinearAlgebra, Indexing, Standard, Storage):
    """An array in blocks, with numpy's semantics and names, that computes nothing until asked to.

    Made by the functions of `restride.array`, such as `from_array`, `zeros` and `arange`, never by hand. Operators,
    numpy's ufuncs and many of its functions give further arrays. `compute` gives a numpy array.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> x = ra.ones((4, 6), chunks=(2, 3))
    >>> y = np.sqrt(x + 3).sum(axis=0)
    >>> y
    <Array: shape (6,), float64, 2 chunks of (3,)>
    >>> y.compute()
    array([8., 8., 8., 8., 8., 8.])
    """

    __array_priority__ = 1000

    # ---- computing --------------------------------------------------------------------------------------------------

    def _computation(self, *, here: bool) -> tuple[Expr, Callable[[list[Any]], Any]]:
        if self.npartitions == 1:
            return self.expr, lambda blocks: self._own(blocks[0])
        if math.isnan(self.size):
            return self.expr, lambda blocks: joined(blocks, self.numblocks, self.dtype, self.expr.masked)
        if not here:
            if self.nbytes > LARGE_RESULT:
                return self.expr, Assembly(self.chunks, self.dtype, self.expr.masked)
            return self.expr, lambda blocks: assembled(blocks, self.chunks, self.dtype, self.expr.masked)
        memory = Memory(self.shape, self.dtype, self.expr.masked)
        return IntoMemory(self.expr, memory), lambda _: memory.array

    def _own(self, block: Any) -> Any:
        """A lone block as the caller's own: no view of what the user passed in, nor what a client still holds."""
        if self.ndim == 0:
            return np.asanyarray(block)[()]
        shared = any(isinstance(expr, Persisted) for expr in subexpressions([self.expr]))
        block = np.asanyarray(block)
        return block.copy() if shared or not block.flags.owndata or not block.flags.writeable else block

    def _over_futures(self, futures: Sequence[Future]) -> Self:
        return type(self)(Persisted(futures, self.chunks, self.dtype, self.expr.masked))

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("an array that is not computed yet cannot become a numpy array without a copy")
        return np.asarray(self.compute(), dtype=dtype)

    def _item(self) -> Any:
        if self.size != 1:
            raise ValueError(f"only an array of one element is a Python scalar or true or false; this has {self.size}")
        return np.asarray(self.compute()).item()

    def __bool__(self) -> bool:
        return bool(self._item())

    def __int__(self) -> int:
        return int(self._item())

    def __float__(self) -> float:
        return float(self._item())

    def __complex__(self) -> complex:
        return complex(self._item())

    def __index__(self) -> int:
        if self.ndim or self.dtype.kind not in "iu":
            raise TypeError("only integer scalar arrays can be converted to a scalar index")
        return operator.index(self._item())

    def item(self) -> Any:
        """Compute the only element, as a Python scalar."""
        return self._item()

    # ---- chunks -----------------------------------------------------------------------------------------------------

    def rechunk(self, chunks: Any = "auto") -> Array:
        """The same array along other boundaries.

        Parameters
        ----------
        chunks : int, str, None, tuple or dict
            One value for all axes, one for each, or a dict from axis to value. A value is a length (the last block may
            be shorter), -1 for the whole axis, a tuple of lengths, ``"auto"`` or a size such as ``"16 MiB"`` for
            blocks of that size, or None for the axis as it is.

        Returns
        -------
        Array
            Its `plan` tells how it will come about.

        Raises
        ------
        ChunkError
            The chunks do not fit the shape.

        Examples
        --------
        >>> import restride.array as ra
        >>> ra.zeros((10, 6), chunks=(10, 2)).rechunk({0: 5, 1: -1}).chunks
        ((5, 5), (6,))
        """
        unit = unit_of_chunks(self.chunks, self.itemsize)
        new = normalize_chunks(chunks, self.shape, self.itemsize, previous=self.chunks, unit=unit)
        warn_of_chunks(new, self.itemsize)
        return Array(rechunk(self.expr, new))

    def plan(self) -> RechunkPlan:
        """How a rechunked array comes about; print it.

        Raises
        ------
        ValueError
            The array is not the result of `rechunk`.
        """
        if not isinstance(self.expr, Rechunk):
            raise ValueError("only the result of rechunk has a plan, and only where the chunks differ from before")
        return self.expr.plan()

    def map_blocks(
        self,
        func: Callable[..., Any],
        *args: Any,
        dtype: DTypeLike | None = None,
        chunks: Any = None,
        drop_axis: Any = (),
        new_axis: Any = (),
        **kwargs: Any,
    ) -> Array:
        """Apply a function to each block; see `restride.array.map_blocks`."""
        exprs = [arg.expr if isinstance(arg, Array) else arg for arg in (self, *args)]
        return Array(
            map_blocks(func, *exprs, dtype=dtype, chunks=chunks, drop_axis=drop_axis, new_axis=new_axis, kwargs=kwargs)
        )

    # ---- numpy's protocols -----------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if not all(isinstance(x, (Array, *UFUNC_OPERANDS)) for x in inputs):
            return NotImplemented
        if method == "reduce" and ufunc in UFUNC_REDUCTIONS:
            return _reduced(UFUNC_REDUCTIONS[ufunc], *inputs, **kwargs)
        if method == "__call__" and ufunc in NUMPY_FUNCTIONS and kwargs.keys() <= {"axis"}:  # matmul, vecdot
            return NUMPY_FUNCTIONS[ufunc](*inputs, **kwargs)
        if method != "__call__" or ufunc.signature is not None or not kwargs.keys() <= {"dtype", "casting"}:
            return NotImplemented
        if ufunc.nout == 1:
            return apply(ufunc, *inputs, **kwargs)
        return tuple(apply(ew.Output(ufunc, number), *inputs, **kwargs) for number in range(ufunc.nout))

    def __array_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if not all(issubclass(kind, (Array, np.ndarray)) for kind in types):
            return NotImplemented
        if func not in NUMPY_FUNCTIONS:
            name = f"{func.__module__}.{func.__name__}"
            raise TypeError(f"{name} has no lazy form; call it on x.compute(), or on each block by x.map_blocks")
        return NUMPY_FUNCTIONS[func](*args, **kwargs)


def implements(numpy_function: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: this function is what a numpy function does when called with an `Array`."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        NUMPY_FUNCTIONS[numpy_function] = function
        return function

    return register


def asarray(
    x: Any, dtype: DTypeLike | None = None, *, device: str | None = None, copy: bool | None = None, chunks: Any = "auto"
) -> Array:
    """Make an array of anything that numpy makes one of; an `Array` stays what it is.

    Parameters
    ----------
    x : Array or array_like
    dtype : dtype, optional
    device : {"cpu", None}
    copy : bool, optional
        Take a copy of what could change, or never copy. By default only small arrays are copied.
    chunks : int, str, tuple or dict
        See `from_array`; not used where `x` is an `Array`.

    Returns
    -------
    Array

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.asarray([[1, 2], [3, 4]]).sum(axis=0).compute()
    array([4, 6])
    """
    check_device(device)
    if isinstance(x, Array):
        if copy is False and dtype is not None and x.dtype != dtype:
            raise ValueError(f"an array of {x.dtype} cannot be one of {np.dtype(dtype)} without a copy")
        return x if dtype is None and not copy else Array(as_expr(x, dtype))
    return Array(as_expr(x if copy is None else np.array(x, dtype, copy=copy), dtype, chunks))


def apply(func: Callable[..., Any], *args: Any, **kwargs: Any) -> Array:
    """A numpy function that works element by element, of arrays, array_likes and scalars."""
    operands = [operand(arg) for arg in args]
    if not any(isinstance(arg, ArrayExpr) for arg in operands):
        operands = [as_expr(arg) for arg in operands]
    return Array(ew.elementwise(func, *operands, **kwargs))


def _reduced(name: str, x: Any, axis: Any = 0, **kwargs: Any) -> Any:
    """``ufunc.reduce``, as far as it is a reduction by name."""
    if not kwargs.keys() <= {"dtype", "keepdims"}:
        return NotImplemented
    return getattr(asarray(x), name)(axis, **kwargs)
