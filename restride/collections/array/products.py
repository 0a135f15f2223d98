"""Products of arrays: matrices, tensors, Einstein's convention; numpy's names, lazily."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_letters
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array.array import Array, asarray, implements
from restride.collections.array.chunks import broadcast_shapes
from restride.collections.array.elementwise import conj, multiply
from restride.collections.array.manipulation import moveaxis, stack
from restride.collections.array.operations import products as operation


@implements(np.linalg.matmul)
@implements(np.matmul)
def matmul(x1: Any, x2: Any) -> Array:
    """Product of matrices, which are the last two axes; stacks of them broadcast.

    Parameters
    ----------
    x1, x2 : Array or array_like
        Of shapes (..., m, k) and (..., k, n). A 1-d one is a row or a column, and the result lacks that axis.

    Returns
    -------
    Array
        Of shape (..., m, n), in chunks at most twice as large as the largest of the factors (or 1 MiB).

    Raises
    ------
    ValueError
        Shapes that do not go together, or a factor without axes.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.matmul(ra.ones((4, 6), chunks=(2, 3)), ra.arange(6, chunks=2)).compute()
    array([15., 15., 15., 15.])
    """
    return Array(operation.matmul(asarray(x1).expr, asarray(x2).expr))


@implements(np.dot)
def dot(a: Any, b: Any) -> Array:
    """Sum of products over the last axis of `a` and the last but one (or only) axis of `b`.

    Parameters
    ----------
    a, b : Array, array_like or scalar
        Where one is a scalar, its product with the other.

    Raises
    ------
    ValueError
        The axes have different lengths.

    Examples
    --------
    >>> import restride.array as ra
    >>> x = ra.arange(5, chunks=2)
    >>> ra.dot(x, x).compute()
    np.int64(30)
    """
    return Array(operation.dot(asarray(a).expr, asarray(b).expr))


@implements(np.vdot)
def vdot(a: Any, b: Any) -> Array:
    """Sum of products of all elements of two arrays in C order, the first conjugated.

    Raises
    ------
    ValueError
        They have different numbers of elements.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.vdot(ra.asarray([1j, 2]), ra.asarray([1j, 3])).compute()
    np.complex128(7+0j)
    """
    x = asarray(a).ravel()
    return dot(conj(x) if x.dtype.kind == "c" else x, asarray(b).ravel())


@implements(np.inner)
def inner(a: Any, b: Any) -> Array:
    """Sum of products over the last axes of two arrays.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.inner(ra.ones((2, 3), chunks=2), ra.ones((4, 3), chunks=3)).shape
    (2, 4)
    """
    a, b = asarray(a), asarray(b)
    return tensordot(a, b, (-1, -1)) if a.ndim and b.ndim else multiply(a, b)


@implements(np.outer)
def outer(a: Any, b: Any) -> Array:
    """Every element of one array, flattened, times every element of another.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.outer(ra.arange(2), ra.arange(3, chunks=2)).compute()
    array([[0, 0, 0],
           [0, 1, 2]])
    """
    return Array(operation.outer(asarray(a).ravel().expr, asarray(b).ravel().expr))


@implements(np.linalg.vecdot)
@implements(np.vecdot)
def vecdot(x1: Any, x2: Any, *, axis: int = -1) -> Array:
    """Sum of products along an axis of arrays that otherwise broadcast, the first conjugated.

    Parameters
    ----------
    x1, x2 : Array or array_like
    axis : int
        As many from the last axis, in both; of one length.

    Raises
    ------
    ValueError
        The axis has different lengths, or the shapes do not broadcast.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.vecdot(ra.ones((4, 3), chunks=2), ra.arange(3)).compute()
    array([3., 3., 3., 3.])
    """
    a, b = asarray(x1), asarray(x2)
    for number, factor in enumerate((a, b)):
        if not factor.ndim:
            raise ValueError(
                f"vecdot: Input operand {number} does not have enough dimensions (has 0, needs at least 1)"
            )
    a, b = (moveaxis(factor, axis, -1) for factor in (a, b))
    if operation.differ(a.shape[-1], b.shape[-1]):
        raise ValueError(f"vecdot: the axis is {a.shape[-1]} long in one array and {b.shape[-1]} in the other")
    broadcast_shapes(a.shape, b.shape)
    return Array(operation.vecdot(a.expr, b.expr))


@implements(np.linalg.tensordot)
@implements(np.tensordot)
def tensordot(a: Any, b: Any, axes: int | Sequence[Any] = 2) -> Array:
    """Sum of products over some axes of one array and as many of another.

    Parameters
    ----------
    a, b : Array or array_like
    axes : int, or pair of (int or sequence of int)
        As many of the last axes of `a` and the first of `b`; or the axes of each, in the same order.

    Returns
    -------
    Array
        With the other axes of `a`, then those of `b`.

    Raises
    ------
    ValueError
        The axes differ in number or length.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.tensordot(ra.ones((2, 3, 4), chunks=2), ra.ones((4, 3), chunks=2), axes=([1, 2], [1, 0])).compute()
    array([12., 12.])
    """
    a, b = asarray(a), asarray(b)
    if isinstance(axes, (int, np.integer)):
        if axes > min(a.ndim, b.ndim):
            raise ValueError(f"tensordot: there are no {axes} axes in both of {a.ndim} and {b.ndim}")
        if axes < 0:
            raise ValueError(f"tensordot: axes must be 0 or more, or a pair; got {axes}")
        axes_a: tuple[int, ...] = tuple(range(a.ndim - int(axes), a.ndim))
        axes_b: tuple[int, ...] = tuple(range(int(axes)))
    else:
        axes_a, axes_b = (
            np.lib.array_utils.normalize_axis_tuple(one, x.ndim) for one, x in zip(axes, (a, b), strict=True)
        )
    pairs = zip(axes_a, axes_b)
    if len(axes_a) != len(axes_b) or any(operation.differ(a.shape[i], b.shape[j]) for i, j in pairs):
        raise ValueError(f"tensordot: axes {axes_a} of {a.shape} and {axes_b} of {b.shape} differ in length or number")
    return Array(operation.tensordot(a.expr, b.expr, axes_a, axes_b))


@implements(np.einsum)
def einsum(*operands: Any, dtype: DTypeLike | None = None, optimize: Any = "greedy", casting: str = "safe") -> Array:
    """Sum of products of arrays by Einstein's convention.

    Parameters
    ----------
    *operands : str and arrays, or arrays and lists of int
        ``"ij,jk->ik", a, b`` or ``a, [0, 1], b, [1, 2], [0, 2]``, as for `numpy.einsum`; ``...`` stands for axes that
        broadcast.
    dtype : dtype, optional
        Of the products and sums; by default what the arrays have in common.
    optimize : bool or str
        In which order to contract three arrays or more: see `numpy.einsum_path`. False for all at once.
    casting : str
        What conversions to `dtype` are allowed.

    Raises
    ------
    ValueError
        Subscripts that are malformed or do not fit the shapes.
    TypeError
        An array that cannot be cast to `dtype` by `casting`.

    Examples
    --------
    >>> import restride.array as ra
    >>> x = ra.arange(6, chunks=3).reshape(2, 3)
    >>> ra.einsum("ij,kj->ik", x, x).compute()
    array([[ 5, 14],
           [14, 50]])
    >>> ra.einsum("ij->j", x).compute()
    array([3, 5, 7])
    """
    letters, out, values = _parsed(operands)
    arrays = [asarray(value) for value in values]
    result = np.dtype(dtype) if dtype is not None else np.result_type(*(array.dtype for array in arrays))
    for array in arrays:
        if not np.can_cast(array.dtype, result, casting):  # type: ignore[arg-type]
            raise TypeError(f"cannot cast an array of {array.dtype} to {result} according to the rule {casting!r}")
    exprs = [array.astype(result).expr for array in arrays]
    if len(exprs) < 3 or optimize is False:
        return Array(operation.einsum(exprs, letters, out, result))
    shapes = [np.broadcast_to(np.zeros((), result), expr.shape) for expr in exprs]
    path = np.einsum_path(",".join(letters) + "->" + out, *shapes, optimize=optimize)[0][1:]
    for step in path:
        taken = sorted(step, reverse=True)
        factors, spelled = [exprs.pop(at) for at in taken], [letters.pop(at) for at in taken]
        needed = set("".join(letters)) | set(out)
        kept = out if not exprs else "".join(dict.fromkeys(c for c in "".join(spelled) if c in needed))
        exprs.append(operation.einsum(factors, spelled, kept, result))
        letters.append(kept)
    return Array(exprs[0])


@implements(np.cross)
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Array:
    """Vector product of 3-vectors along an axis; the other axes broadcast.

    Parameters
    ----------
    a, b : Array or array_like
    axisa, axisb, axisc : int
        Where the vectors lie in `a`, in `b` and in the result.
    axis : int, optional
        One for all three.

    Raises
    ------
    ValueError
        The axes are not 3 long.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.cross(ra.asarray([1, 0, 0]), ra.asarray([0, 1, 0])).compute()
    array([0, 0, 1])
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = moveaxis(asarray(a), axisa, 0), moveaxis(asarray(b), axisb, 0)
    if a.shape[0] != 3 or b.shape[0] != 3:
        raise ValueError(f"cross takes vectors of 3 elements, got {a.shape[0]} and {b.shape[0]}")
    parts = [a[(k + 1) % 3] * b[(k + 2) % 3] - a[(k + 2) % 3] * b[(k + 1) % 3] for k in range(3)]
    return stack(parts, axisc)


@implements(np.kron)
def kron(a: Any, b: Any) -> Array:
    """Kronecker product: the array of the blocks ``a[i] * b``.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.kron(ra.asarray([1, 10]), ra.asarray([1, 2, 3])).compute()
    array([ 1,  2,  3, 10, 20, 30])
    """
    a, b = asarray(a), asarray(b)
    ndim = max(a.ndim, b.ndim)
    a, b = a.reshape((1,) * (ndim - a.ndim) + a.shape), b.reshape((1,) * (ndim - b.ndim) + b.shape)
    apart = a[tuple(x for _ in range(ndim) for x in (slice(None), None))]
    within = b[tuple(x for _ in range(ndim) for x in (None, slice(None)))]
    return (apart * within).reshape(tuple(n * m for n, m in zip(a.shape, b.shape)))


@implements(np.linalg.multi_dot)
def multi_dot(arrays: Sequence[Any]) -> Array:
    """Product of two or more matrices, in the order of the fewest multiplications; the first and last may be vectors.

    Raises
    ------
    ValueError
        Less than two arrays.
    LinAlgError
        An array inside that is not 2-d.

    Examples
    --------
    >>> import restride.array as ra
    >>> x = ra.ones((10, 2), chunks=5)
    >>> ra.linalg.multi_dot([x, x.T, x]).shape
    (10, 2)
    """
    factors = [asarray(array) for array in arrays]
    if len(factors) < 2:
        raise ValueError("Expecting at least two arrays.")
    for at, factor in enumerate(factors):
        if factor.ndim != 2 and (factor.ndim != 1 or 0 < at < len(factors) - 1):
            raise np.linalg.LinAlgError(f"array {at} must be 2-d, got one of {factor.ndim} axes")
    letters = ascii_letters
    spelled = [letters[at : at + 2] for at in range(len(factors))]
    if factors[0].ndim == 1:
        spelled[0] = letters[1]
    if factors[-1].ndim == 1:
        spelled[-1] = letters[len(factors) - 1]
    out = "".join(c for c in (spelled[0][:-1], spelled[-1][1:]))
    return einsum(",".join(spelled) + "->" + out, *factors, optimize="optimal" if len(factors) < 8 else "greedy")


def _parsed(operands: Sequence[Any]) -> tuple[list[str], str, list[Any]]:
    """The letters of each array and of the result, without ellipses or blanks, and the arrays."""
    if not operands:
        raise ValueError("must specify the einstein sum subscripts string and at least one operand")
    if isinstance(operands[0], str):
        subscripts, arrays = operands[0].replace(" ", ""), list(operands[1:])
    else:
        pairs = list(operands)
        out = [pairs.pop()] if len(pairs) % 2 else []
        arrays = pairs[::2]
        inside = ",".join(_spelled(labels) for labels in pairs[1::2])
        subscripts = inside + "".join("->" + _spelled(labels) for labels in out)
    inside, arrow, result = subscripts.partition("->")
    letters = inside.split(",")
    if len(letters) != len(arrays):
        raise ValueError(f"einsum: {len(letters)} groups of subscripts {subscripts!r}, but {len(arrays)} arrays")
    unused = [c for c in ascii_letters if c not in subscripts]
    most = 0
    for at, (some, array) in enumerate(zip(letters, arrays)):
        ndim = len(np.shape(array))
        more = ndim - len(some.replace("...", ""))
        if more < 0 or (more and "..." not in some):
            raise ValueError(f"einsum: subscripts {some!r} do not fit array {at} of {ndim} axes")
        most = max(most, more)
        letters[at] = some.replace("...", "".join(unused[:more][::-1]))
    everywhere = "".join(unused[:most][::-1])
    if not arrow:
        joined = "".join(letters)
        once = sorted(c for c in set(joined) if joined.count(c) == 1 and c not in everywhere)
        result = everywhere + "".join(once)
    result = result.replace("...", everywhere)
    if not set(result) <= set("".join(letters)) or len(set(result)) < len(result) or "." in "".join(letters) + result:
        raise ValueError(f"einsum: malformed subscripts {subscripts!r}")
    if not all(c in ascii_letters for c in "".join(letters)):
        raise ValueError(f"einsum: subscripts are letters and '...', got {subscripts!r}")
    return letters, result, arrays


def _spelled(labels: Sequence[Any]) -> str:
    return "".join("..." if label is Ellipsis else ascii_letters[label] for label in labels)
