"""map_blocks: any function, one block in from each array, one block out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import DTypeLike

from restride.collections.array.array import Array
from restride.collections.array.operations import map_blocks as operation


def map_blocks(
    func: Callable[..., Any],
    *args: Any,
    dtype: DTypeLike | None = None,
    chunks: Any = None,
    drop_axis: Any = (),
    new_axis: Any = (),
    **kwargs: Any,
) -> Array:
    """Apply a function to the blocks of arrays.

    The function is never tried on made-up data: what is not said of its result is taken to be as in the arguments, and
    every block it returns is checked against that.

    Parameters
    ----------
    func : callable
        Called with one block (a numpy array) of each array, other arguments in their places. If it has a parameter
        ``block_id`` it gets the block's place in the grid of the result, a tuple of int.
    *args : Array or object
        The arrays broadcast, and are rechunked to common chunks first. Anything else goes to `func` as it is.
    dtype : dtype, optional
        Of what `func` returns; the first array's by default.
    chunks : tuple, optional
        Of the result, where `func` changes the shape of blocks: for each axis a length that all blocks have, or a
        tuple of lengths.
    drop_axis : int or sequence of int, optional
        Axes of the arguments that the result does not have; they must be in one block.
    new_axis : int or sequence of int, optional
        Axes of the result that the arguments do not have; of length 1 unless `chunks` says otherwise.
    **kwargs
        Passed to `func`.

    Returns
    -------
    Array

    Raises
    ------
    ChunkError
        `chunks` that are not one block for each block of the arguments, or an axis to drop that is in several.
    BlockError
        On compute: `func` returned a block of another shape or dtype than declared.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> x = ra.arange(6, chunks=3)
    >>> ra.map_blocks(np.cumsum, x).compute()
    array([ 0,  1,  3,  3,  7, 12])
    >>> ra.map_blocks(lambda block: block[:1] / 2, x, dtype=float, chunks=(1,)).compute()
    array([0. , 1.5])
    """
    exprs = [arg.expr if isinstance(arg, Array) else arg for arg in args]
    return Array(
        operation.map_blocks(
            func, *exprs, dtype=dtype, chunks=chunks, drop_axis=drop_axis, new_axis=new_axis, kwargs=kwargs
        )
    )
