"""Covariances and correlations of variables."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array.array import Array, asarray, implements
from restride.collections.array.elementwise import clip, sqrt
from restride.collections.array.manipulation import concatenate
from restride.collections.array.operations.products import dot
from restride.collections.array.triangles import diagonal


@implements(np.cov)
def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: DTypeLike | None = None,
) -> Array:
    """Covariances of variables.

    Parameters
    ----------
    m : Array or array_like
        1-d or 2-d: each row a variable, each column an observation.
    y : Array or array_like, optional
        More variables.
    rowvar : bool
        Whether variables are rows, rather than columns.
    bias : bool
        Whether to divide by the number of observations, rather than by one less.
    ddof : int, optional
        What to take from the number of observations, in place of `bias`.
    fweights : array_like, optional
        How often each observation counts, in whole numbers.
    aweights : array_like, optional
        How much each observation weighs.
    dtype : dtype, optional
        Of the result; float64 at least by default.

    Returns
    -------
    Array
        Of shape (variables, variables), or () where there is one.

    Raises
    ------
    ValueError
        More than two axes, a `ddof` that is not whole, weights that are negative.
    TypeError, RuntimeError
        `fweights` that are not whole; weights of another shape.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.cov(ra.asarray([[0.0, 1, 2], [2, 1, 0]], chunks=1)).compute()
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    if ddof is not None and ddof != int(ddof):
        raise ValueError("ddof must be integer")
    x = _variables(m, rowvar, "m")
    parts = [x] if y is None else [x, _variables(y, rowvar, "y")]
    kind = np.dtype(dtype) if dtype is not None else np.result_type(np.float64, *(part.dtype for part in parts))
    x = concatenate([part.astype(kind) for part in parts])
    n = x.shape[1]
    weights = _weights(fweights, aweights, n)
    ddof = (0 if bias else 1) if ddof is None else ddof
    if weights is None:
        total: Any = n
        mean = x.sum(1) / n if n else x.sum(1) * np.nan
        factor: Any = n - ddof
    else:
        total = weights.sum()
        mean = (x * weights).sum(1) / total
        factor = total - ddof
        if ddof and aweights is not None:
            factor = total - ddof * (weights * asarray(aweights)).sum() / total
    if weights is None and factor <= 0:
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=2)
        factor = 0.0
    centred = x - mean[:, None]
    weighted = centred if weights is None else centred * weights
    product = Array(dot(centred.expr, weighted.T.conj().expr))
    scale = np.float64(np.inf) if weights is None and not factor else 1 / (factor + np.float64(0))
    return (product * scale).astype(kind).squeeze()


@implements(np.corrcoef)
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: DTypeLike | None = None) -> Array:
    """Correlations (Pearson's) of variables; parameters and errors as for `cov`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.corrcoef(ra.asarray([[0.0, 1, 2], [4, 2, 0]], chunks=1)).compute()
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    c = cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return c / c
    deviation = sqrt(diagonal(c).real)
    c = c / deviation[:, None] / deviation[None, :]
    return clip(c.real, -1, 1) + 1j * clip(c.imag, -1, 1) if c.dtype.kind == "c" else clip(c, -1, 1)


def _variables(m: Any, rowvar: bool, name: str) -> Array:
    x = asarray(m)
    if x.ndim > 2:
        raise ValueError(f"{name} has more than 2 dimensions")
    if x.ndim < 2:
        return x.reshape((1, -1))
    return x if rowvar or (x.shape[0] == 1 and name == "y") else x.T


def _weights(fweights: Any, aweights: Any, n: int) -> Array | None:
    """The weight of each observation; None if they are all alike."""
    if fweights is None and aweights is None:
        return None
    for name, given in (("fweights", fweights), ("aweights", aweights)):
        if given is None:
            continue
        if np.ndim(given) > 1:
            raise RuntimeError(f"cannot handle multidimensional {name}")
        if np.shape(given) != (n,):
            raise RuntimeError(f"incompatible numbers of samples and {name}")
        if isinstance(given, Array):
            continue
        values = np.asarray(given)
        if name == "fweights" and not np.all(values == np.around(values)):
            raise TypeError("fweights must be integer")
        if (values < 0).any():
            raise ValueError(f"{name} cannot be negative")
    if fweights is None:
        return asarray(aweights).astype(float)
    weights = asarray(fweights)
    return weights.astype(float) if aweights is None else weights * asarray(aweights).astype(float)
