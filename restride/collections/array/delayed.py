"""Arrays of one block that is made elsewhere: by a function, or by a task whose result a future stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array.array import Array
from restride.collections.array.expr import Persisted
from restride.collections.array.operations.masking import knows_masks
from restride.collections.array.operations.sources import block_source
from restride.engine.client.futures import Future


def from_delayed(value: Any, shape: Sequence[int], dtype: DTypeLike | None = None, meta: Any = None) -> Array:
    """Make an array of one block of a future, or of a function that is called when the block is needed.

    Parameters
    ----------
    value : Future or callable
        Whose result is a numpy array; a function takes no arguments.
    shape : tuple of int
    dtype : dtype, optional
        That of `meta` if not given.
    meta : array, optional
        An array of the dtype.

    Returns
    -------
    Array

    Raises
    ------
    TypeError
        Neither a future nor a function, or no dtype.
    ValueError
        On compute: the result is of another shape or dtype.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> x = ra.from_delayed(lambda: np.eye(2), (2, 2), float)
    >>> (x + 1).compute()
    array([[2., 1.],
           [1., 2.]])
    """
    if dtype is None:
        if meta is None:
            raise TypeError("from_delayed needs a dtype, or an array of it as meta")
        dtype = meta.dtype
    chunks = tuple((int(length),) for length in shape)
    kind = np.dtype(dtype)
    if isinstance(value, Future):
        whole = Array(Persisted([value], chunks, kind))
        return whole.map_blocks(_as_it_is)
    if not callable(value):
        raise TypeError(f"from_delayed takes a Future or a function without arguments, got {type(value).__name__}")
    made = block_source(_call, [value], chunks, kind, name=getattr(value, "__name__", type(value).__name__))
    return Array(made).map_blocks(_as_it_is)


def from_func(
    func: Callable[..., Any],
    shape: Sequence[int],
    dtype: DTypeLike | None = None,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
) -> Array:
    """Make an array of one block of a function; see `from_delayed`.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> ra.from_func(np.full, (2,), int, args=(2, 7)).compute()
    array([7, 7])
    """
    return from_delayed(partial(func, *args, **(kwargs or {})), shape, dtype)


def _call(function: Callable[[], Any]) -> Any:
    """Kernel: the result of a task's parameter."""
    return np.asarray(function())


@knows_masks
def _as_it_is(block: Any) -> Any:
    """Kernel: a block, to be checked against what was declared of it."""
    return block
