"""`Array`: what users hold. Its methods check nothing and compute nothing themselves; `operations` do."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array.chunks import Chunks, Shape, normalize_chunks
from restride.collections.array.expr import ArrayExpr, Persisted
from restride.collections.array.html import html_table
from restride.collections.array.operations import elementwise as ew
from restride.collections.array.operations import manipulation, slicing, sources
from restride.collections.array.operations import reductions as red
from restride.collections.array.operations.map_blocks import map_blocks
from restride.collections.array.operations.rechunk import Rechunk, rechunk
from restride.collections.array.operations.reshape import reshape
from restride.collections.array.operations.result import IntoMemory, assembled
from restride.collections.array.writing import Writing, write_zarr
from restride.collections.collection import Collection
from restride.collections.expression import Expr, subexpressions

if TYPE_CHECKING:
    from restride.engine.client.futures import Future
    from restride.shuffle.rechunk import RechunkPlan

NUMPY_FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {}
"""numpy's functions that stay lazy when called with an `Array`; filled by `implements`."""


class Array(Collection):
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
    __hash__ = None  # type: ignore[assignment]  # == is elementwise

    def __init__(self, expr: ArrayExpr) -> None:
        self.expr: ArrayExpr = expr

    # ---- what it is -------------------------------------------------------------------------------------------------

    @property
    def dtype(self) -> np.dtype:
        """Type of the elements."""
        return self.expr.dtype

    @property
    def shape(self) -> Shape:
        """Length along each axis."""
        return self.expr.shape

    @property
    def chunks(self) -> Chunks:
        """For each axis the lengths of its blocks."""
        return self.expr.chunks

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return self.expr.ndim

    @property
    def size(self) -> int:
        """How many elements there are."""
        return self.expr.size

    @property
    def itemsize(self) -> int:
        """Bytes of an element."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements, once computed."""
        return self.size * self.itemsize

    @property
    def chunksize(self) -> Shape:
        """The longest block along each axis."""
        return tuple(map(max, self.chunks))

    @property
    def numblocks(self) -> Shape:
        """How many blocks there are along each axis."""
        return self.expr.grid

    @property
    def npartitions(self) -> int:
        """How many blocks there are."""
        return self.expr.n_blocks

    @property
    def name(self) -> str:
        """Deterministic name of the expression: arrays of one name have the same values."""
        return self.expr.name

    @property
    def T(self) -> Array:  # noqa: N802  # numpy's name
        """The array with its axes in reverse order."""
        return self.transpose()

    @property
    def real(self) -> Array:
        """The real part."""
        return Array(ew.elementwise(np.real, self.expr))

    @property
    def imag(self) -> Array:
        """The imaginary part."""
        return Array(ew.elementwise(np.imag, self.expr))

    def __repr__(self) -> str:
        blocks = "1 chunk" if self.npartitions == 1 else f"{self.npartitions} chunks"
        return f"<Array: shape {self.shape}, {self.dtype}, {blocks} of {self.chunksize}>"

    def _repr_html_(self) -> str:
        return html_table(self.shape, self.chunks, self.dtype)

    # ---- computing --------------------------------------------------------------------------------------------------

    def _computation(self, *, here: bool) -> tuple[Expr, Callable[[list[Any]], Any]]:
        if self.npartitions == 1:
            return self.expr, lambda blocks: self._own(blocks[0])
        if not here:
            return self.expr, lambda blocks: assembled(blocks, self.chunks, self.dtype)
        result = np.empty(self.shape, self.dtype)
        return IntoMemory(self.expr, result), lambda _: result

    def _own(self, block: Any) -> Any:
        """A lone block as the caller's own: no view of what the user passed in, nor what a client still holds."""
        if self.ndim == 0:
            return np.asarray(block)[()]
        shared = any(isinstance(expr, Persisted) for expr in subexpressions([self.expr]))
        block = np.asarray(block)
        return block.copy() if shared or not block.flags.owndata or not block.flags.writeable else block

    def _over_futures(self, futures: Sequence[Future]) -> Self:
        return type(self)(Persisted(futures, self.chunks, self.dtype))

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

    # ---- indexing ---------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __iter__(self) -> Iterator[Array]:
        if not self.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> Array:
        return Array(slicing.getitem(self.expr, index))

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
        new = normalize_chunks(chunks, self.shape, self.itemsize, previous=self.chunks)
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

    # ---- storage ----------------------------------------------------------------------------------------------------

    def to_zarr(
        self, store: Any, component: str | None = None, *, overwrite: bool = False, compute: bool = True,
        chunks: Sequence[int] | None = None, **options: Any,
    ) -> Writing | None:  # fmt: skip
        """Write the array as Zarr; see `restride.array.to_zarr`."""
        return write_zarr(self.expr, store, component, overwrite, compute, chunks, options)

    # ---- elementwise ------------------------------------------------------------------------------------------------

    def astype(self, dtype: DTypeLike) -> Array:
        """The values as another dtype."""
        return Array(ew.astype(self.expr, np.dtype(dtype)))

    def conj(self) -> Array:
        """The complex conjugate, elementwise."""
        return Array(ew.elementwise(np.conjugate, self.expr))

    def clip(self, min: Any = None, max: Any = None) -> Array:  # noqa: A002  # numpy's names
        """The values, limited to an interval."""
        return apply(np.clip, self, min, max)

    def round(self, decimals: int = 0) -> Array:
        """The values, rounded to this many decimals."""
        return Array(ew.elementwise(np.round, self.expr, decimals=decimals))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__" or ufunc.signature is not None or not kwargs.keys() <= {"dtype", "casting"}:
            return NotImplemented
        if ufunc.nout == 1:
            return apply(ufunc, *inputs, **kwargs)
        return tuple(apply(ew.Output(ufunc, number), *inputs, **kwargs) for number in range(ufunc.nout))

    def __array_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        ours = NUMPY_FUNCTIONS.get(func)
        return NotImplemented if ours is None else ours(*args, **kwargs)

    def __add__(self, other: Any) -> Array:
        return _operator(np.add, self, other)

    def __radd__(self, other: Any) -> Array:
        return _operator(np.add, other, self)

    def __sub__(self, other: Any) -> Array:
        return _operator(np.subtract, self, other)

    def __rsub__(self, other: Any) -> Array:
        return _operator(np.subtract, other, self)

    def __mul__(self, other: Any) -> Array:
        return _operator(np.multiply, self, other)

    def __rmul__(self, other: Any) -> Array:
        return _operator(np.multiply, other, self)

    def __truediv__(self, other: Any) -> Array:
        return _operator(np.true_divide, self, other)

    def __rtruediv__(self, other: Any) -> Array:
        return _operator(np.true_divide, other, self)

    def __floordiv__(self, other: Any) -> Array:
        return _operator(np.floor_divide, self, other)

    def __rfloordiv__(self, other: Any) -> Array:
        return _operator(np.floor_divide, other, self)

    def __mod__(self, other: Any) -> Array:
        return _operator(np.remainder, self, other)

    def __rmod__(self, other: Any) -> Array:
        return _operator(np.remainder, other, self)

    def __divmod__(self, other: Any) -> tuple[Array, Array]:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> tuple[Array, Array]:
        return other // self, other % self

    def __pow__(self, other: Any) -> Array:
        return _operator(np.power, self, other)

    def __rpow__(self, other: Any) -> Array:
        return _operator(np.power, other, self)

    def __and__(self, other: Any) -> Array:
        return _operator(np.bitwise_and, self, other)

    def __rand__(self, other: Any) -> Array:
        return _operator(np.bitwise_and, other, self)

    def __or__(self, other: Any) -> Array:
        return _operator(np.bitwise_or, self, other)

    def __ror__(self, other: Any) -> Array:
        return _operator(np.bitwise_or, other, self)

    def __xor__(self, other: Any) -> Array:
        return _operator(np.bitwise_xor, self, other)

    def __rxor__(self, other: Any) -> Array:
        return _operator(np.bitwise_xor, other, self)

    def __lshift__(self, other: Any) -> Array:
        return _operator(np.left_shift, self, other)

    def __rlshift__(self, other: Any) -> Array:
        return _operator(np.left_shift, other, self)

    def __rshift__(self, other: Any) -> Array:
        return _operator(np.right_shift, self, other)

    def __rrshift__(self, other: Any) -> Array:
        return _operator(np.right_shift, other, self)

    def __eq__(self, other: Any) -> Array:  # type: ignore[override]
        return _operator(np.equal, self, other)

    def __ne__(self, other: Any) -> Array:  # type: ignore[override]
        return _operator(np.not_equal, self, other)

    def __lt__(self, other: Any) -> Array:
        return _operator(np.less, self, other)

    def __le__(self, other: Any) -> Array:
        return _operator(np.less_equal, self, other)

    def __gt__(self, other: Any) -> Array:
        return _operator(np.greater, self, other)

    def __ge__(self, other: Any) -> Array:
        return _operator(np.greater_equal, self, other)

    def __neg__(self) -> Array:
        return apply(np.negative, self)

    def __pos__(self) -> Array:
        return apply(np.positive, self)

    def __abs__(self) -> Array:
        return apply(np.absolute, self)

    def __invert__(self) -> Array:
        return apply(np.invert, self)

    # ---- reductions -------------------------------------------------------------------------------------------------

    def sum(self, axis: Any = None, dtype: DTypeLike | None = None, *, keepdims: bool = False) -> Array:
        """Sum along an axis, several, or all."""
        out = np.sum(np.empty(0, self.dtype), dtype=dtype).dtype
        return Array(red.reduce(self.expr, red.SUM, axis, keepdims=keepdims, dtype=out))

    def prod(self, axis: Any = None, dtype: DTypeLike | None = None, *, keepdims: bool = False) -> Array:
        """Product along an axis, several, or all."""
        out = np.prod(np.empty(0, self.dtype), dtype=dtype).dtype
        return Array(red.reduce(self.expr, red.PROD, axis, keepdims=keepdims, dtype=out))

    def mean(self, axis: Any = None, dtype: DTypeLike | None = None, *, keepdims: bool = False) -> Array:
        """Mean along an axis, several, or all."""
        out = np.mean(np.zeros(1, self.dtype), dtype=dtype).dtype
        return Array(red.reduce(self.expr, red.MEAN, axis, keepdims=keepdims, dtype=out))

    def var(
        self, axis: Any = None, dtype: DTypeLike | None = None, *, ddof: float = 0, keepdims: bool = False
    ) -> Array:
        """Variance along an axis, several, or all, with ``n - ddof`` degrees of freedom; numerically stable."""
        out = np.var(np.zeros(1, self.dtype), dtype=dtype).dtype
        return Array(red.reduce(self.expr, red.variance(ddof), axis, keepdims=keepdims, dtype=out))

    def std(
        self, axis: Any = None, dtype: DTypeLike | None = None, *, ddof: float = 0, keepdims: bool = False
    ) -> Array:
        """Standard deviation along an axis, several, or all, with ``n - ddof`` degrees of freedom; see `var`."""
        out = np.std(np.zeros(1, self.dtype), dtype=dtype).dtype
        return Array(red.reduce(self.expr, red.deviation(ddof), axis, keepdims=keepdims, dtype=out))

    def min(self, axis: Any = None, *, keepdims: bool = False) -> Array:
        """Least value along an axis, several, or all; NaN if there is one."""
        return Array(red.reduce(self.expr, red.MIN, axis, keepdims=keepdims, dtype=self.dtype))

    def max(self, axis: Any = None, *, keepdims: bool = False) -> Array:
        """Greatest value along an axis, several, or all; NaN if there is one."""
        return Array(red.reduce(self.expr, red.MAX, axis, keepdims=keepdims, dtype=self.dtype))

    def argmin(self, axis: int | None = None, *, keepdims: bool = False) -> Array:
        """Where along an axis, or in the flattened array, the least value is first met."""
        return self._arg(red.ARGMIN, axis, keepdims)

    def argmax(self, axis: int | None = None, *, keepdims: bool = False) -> Array:
        """Where along an axis, or in the flattened array, the greatest value is first met."""
        return self._arg(red.ARGMAX, axis, keepdims)

    def any(self, axis: Any = None, *, keepdims: bool = False) -> Array:
        """Whether some element along an axis, several, or all, is true."""
        return Array(red.reduce(self.expr, red.ANY, axis, keepdims=keepdims, dtype=np.dtype(bool)))

    def all(self, axis: Any = None, *, keepdims: bool = False) -> Array:
        """Whether every element along an axis, several, or all, is true."""
        return Array(red.reduce(self.expr, red.ALL, axis, keepdims=keepdims, dtype=np.dtype(bool)))

    def _arg(self, reduction: red.Reduction, axis: int | None, keepdims: bool) -> Array:
        axis = axis if axis is None else operator.index(axis)
        return Array(red.reduce(self.expr, reduction, axis, keepdims=keepdims, dtype=np.dtype(np.intp)))

    # ---- shape ------------------------------------------------------------------------------------------------------

    def transpose(self, *axes: Any) -> Array:
        """The array with its axes in another order; in reverse by default."""
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else (axes or None)
        return Array(manipulation.transpose(self.expr, order))

    def swapaxes(self, axis1: int, axis2: int) -> Array:
        """The array with two axes exchanged."""
        order = list(range(self.ndim))
        a, b = (np.lib.array_utils.normalize_axis_index(axis, self.ndim) for axis in (axis1, axis2))
        order[a], order[b] = order[b], order[a]
        return Array(manipulation.transpose(self.expr, order))

    def reshape(self, *shape: Any) -> Array:
        """The same elements, in C order, in another shape.

        Where the chunks do not allow it, the array is rechunked first, to chunks of about the size they have.

        Raises
        ------
        ValueError
            The shape has another number of elements.
        """
        wanted = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        return Array(reshape(self.expr, wanted))

    def ravel(self) -> Array:
        """All elements in C order along one axis."""
        return self.reshape(-1)

    flatten = ravel

    def squeeze(self, axis: Any = None) -> Array:
        """The array without axes of length 1: all such, or those given."""
        return Array(manipulation.squeeze(self.expr, axis))


def implements(numpy_function: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: this function is what a numpy function does when called with an `Array`."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        NUMPY_FUNCTIONS[numpy_function] = function
        return function

    return register


def asarray(x: Any, dtype: DTypeLike | None = None, *, chunks: Any = "auto") -> Array:
    """Make an array of anything that numpy makes one of; an `Array` stays what it is.

    Parameters
    ----------
    x : Array or array_like
    dtype : dtype, optional
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
    if isinstance(x, Array):
        return x if dtype is None else x.astype(dtype)
    values = np.asarray(x, dtype)
    return Array(sources.from_object(values, normalize_chunks(chunks, values.shape, values.itemsize)))


def apply(func: Callable[..., Any], *args: Any, **kwargs: Any) -> Array:
    """A numpy function that works element by element, of arrays, array_likes and scalars."""
    operands = [_operand(arg) for arg in args]
    if not any(isinstance(operand, ArrayExpr) for operand in operands):
        operands = [asarray(operand).expr for operand in operands]
    return Array(ew.elementwise(func, *operands, **kwargs))


def _operator(ufunc: np.ufunc, *operands: Any) -> Array:
    if all(isinstance(x, (Array, np.ndarray, np.generic, int, float, complex, list, tuple)) for x in operands):
        return apply(ufunc, *operands)
    return NotImplemented


def _operand(x: Any) -> Any:
    """An argument as an expression, or itself where it is a scalar, which takes part in promotion as one."""
    if isinstance(x, Array):
        return x.expr
    if x is None or isinstance(x, (bool, int, float, complex, str, bytes, np.generic)):
        return x
    return asarray(x).expr
