"""What tests of code that uses arrays need; ``ra.utils``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array.array import Array

__all__ = ["assert_eq", "meta_from_array"]


def assert_eq(a: Any, b: Any, *, check_shape: bool = True, check_dtype: bool = True, **tolerances: Any) -> bool:
    """Compute what is lazy, and compare: shapes, dtypes, values; and that blocks are what their array says.

    Parameters
    ----------
    a, b : Array or array_like
    check_shape, check_dtype : bool
    **tolerances
        ``rtol``, ``atol``, ``equal_nan``: as for `numpy.allclose`. NaN equals NaN by default.

    Raises
    ------
    AssertionError
        They differ.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> ra.utils.assert_eq(ra.arange(3, chunks=2) + 1, np.array([1, 2, 3]))
    True
    """
    x, y = (_computed(value) for value in (a, b))
    if check_shape and x.shape != y.shape:
        raise AssertionError(f"shapes {x.shape} and {y.shape} differ")
    if check_dtype and x.dtype != y.dtype:
        raise AssertionError(f"dtypes {x.dtype} and {y.dtype} differ")
    if x.dtype.kind in "biufc" and y.dtype.kind in "biufc":
        np.testing.assert_allclose(x, y, **{"rtol": 1e-5, "atol": 1e-8, **tolerances})
    else:
        np.testing.assert_array_equal(x, y)
    return True


def meta_from_array(x: Any = None, ndim: int | None = None, dtype: DTypeLike | None = None) -> np.ndarray:
    """An empty numpy array that has the dtype and as many axes as an array's blocks.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.utils.meta_from_array(ra.zeros((3, 4), int)).shape
    (0, 0)
    """
    kind = dtype if dtype is not None else getattr(x, "dtype", None)
    axes = ndim if ndim is not None else getattr(x, "ndim", 0)
    return np.empty((0,) * axes, kind)


def _computed(value: Any) -> np.ndarray:
    if not isinstance(value, Array):
        return np.asarray(value)
    result = np.asarray(value.compute())
    if result.dtype != value.dtype:
        raise AssertionError(f"{value} computes to {result.dtype}")
    lengths = zip(value.shape, result.shape, strict=True)
    if any(said == said and said != length for said, length in lengths):  # unknown lengths are NaN
        raise AssertionError(f"{value} computes to shape {result.shape}")
    return result
