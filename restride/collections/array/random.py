"""Random arrays, with the names and signatures of numpy's `Generator`, and `chunks` besides: ``ra.random``.

Each block draws from a stream of its own, chosen by the seed, the number of the call on the generator and the block's
number. So the numbers do not depend on when, where and by how many threads blocks are made; they do depend on the
chunks.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from restride.collections.array.array import Array
from restride.collections.array.operations.random import draws

__all__ = [
    "Generator",
    "default_rng",
    "integers",
    "normal",
    "poisson",
    "random",
    "standard_normal",
    "uniform",
]

Seed = int | Sequence[int] | np.random.SeedSequence | None
Size = int | Sequence[int] | None


class Generator:
    """Makes random arrays; made by `default_rng`.

    Its methods are those of `numpy.random.Generator`, with `chunks` as in `from_array`. Parameters of distributions are
    scalars. Two calls give different numbers, and the same calls on a generator of the same seed the same.
    """

    def __init__(self, seed: np.random.SeedSequence) -> None:
        self._seed = seed
        self._calls = itertools.count()

    def __repr__(self) -> str:
        return "<restride.array.random.Generator>"

    def random(self, size: Size = None, dtype: DTypeLike = np.float64, *, chunks: Any = "auto") -> Array:
        """Uniform in [0, 1).

        Parameters
        ----------
        size : int or tuple of int, optional
            The shape; one number by default, as a 0-d array.
        dtype : dtype
            float64 or float32.
        chunks : int, str, tuple or dict
            See `from_array`.

        Returns
        -------
        Array

        Examples
        --------
        >>> import restride.array as ra
        >>> rng = ra.random.default_rng(1)
        >>> x = rng.random((1000, 1000), chunks=(100, 1000))
        >>> bool(abs(x.mean().compute() - 0.5) < 0.01)
        True
        """
        return self._draw("random", size, chunks, dtype=np.dtype(dtype))

    def uniform(self, low: float = 0.0, high: float = 1.0, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Uniform in [low, high)."""
        return self._draw("uniform", size, chunks, low=low, high=high)

    def integers(
        self,
        low: int,
        high: int | None = None,
        size: Size = None,
        dtype: DTypeLike = np.int64,
        endpoint: bool = False,
        *,
        chunks: Any = "auto",
    ) -> Array:
        """Integers from `low` to `high`, itself included if `endpoint` is true; from 0 to `low` without a `high`.

        Examples
        --------
        >>> import restride.array as ra
        >>> dice = ra.random.default_rng(1).integers(1, 6, 1000, endpoint=True, chunks=100)
        >>> print(dice.min().compute(), dice.max().compute())
        1 6
        """
        return self._draw("integers", size, chunks, low=low, high=high, dtype=np.dtype(dtype), endpoint=endpoint)

    def choice(
        self, a: int | ArrayLike, size: Size = None, replace: bool = True, p: ArrayLike | None = None,
        *, chunks: Any = "auto",
    ) -> Array:  # fmt: skip
        """Elements of a small array, or numbers below an int, each with probability `p`; with replacement.

        Raises
        ------
        ValueError
            Without replacement, which blocks cannot do each by itself; `a` has several axes; `p` is no probability.

        Examples
        --------
        >>> import restride.array as ra
        >>> sorted(set(ra.random.default_rng(1).choice(["a", "b"], 100, chunks=10).compute().tolist()))
        ['a', 'b']
        """
        if not replace:
            raise ValueError("choice draws with replacement only: blocks do not know what others have drawn")
        values = a if isinstance(a, (int, np.integer)) else np.array(a)
        if np.ndim(values) > 1:
            raise ValueError(f"choice takes an int or a 1-d array, got one of shape {np.shape(values)}")
        probabilities = None if p is None else np.array(p, float)
        return self._draw("choice", size, chunks, arrays=("a", "p"), a=values, p=probabilities)

    def standard_normal(self, size: Size = None, dtype: DTypeLike = np.float64, *, chunks: Any = "auto") -> Array:
        """Normal of mean 0 and standard deviation 1, as float64 or float32."""
        return self._draw("standard_normal", size, chunks, dtype=np.dtype(dtype))

    def normal(self, loc: float = 0.0, scale: float = 1.0, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Normal of mean `loc` and standard deviation `scale`."""
        return self._draw("normal", size, chunks, loc=loc, scale=scale)

    def lognormal(self, mean: float = 0.0, sigma: float = 1.0, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Numbers whose logarithm is normal, of mean `mean` and standard deviation `sigma`."""
        return self._draw("lognormal", size, chunks, mean=mean, sigma=sigma)

    def standard_exponential(self, size: Size = None, dtype: DTypeLike = np.float64, *, chunks: Any = "auto") -> Array:
        """Exponential of mean 1, as float64 or float32."""
        return self._draw("standard_exponential", size, chunks, dtype=np.dtype(dtype))

    def exponential(self, scale: float = 1.0, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Exponential of mean `scale`."""
        return self._draw("exponential", size, chunks, scale=scale)

    def standard_gamma(
        self, shape: float, size: Size = None, dtype: DTypeLike = np.float64, *, chunks: Any = "auto"
    ) -> Array:
        """Gamma of this shape and scale 1, as float64 or float32."""
        return self._draw("standard_gamma", size, chunks, shape=shape, dtype=np.dtype(dtype))

    def gamma(self, shape: float, scale: float = 1.0, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Gamma of this shape and scale."""
        return self._draw("gamma", size, chunks, shape=shape, scale=scale)

    def beta(self, a: float, b: float, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Beta in [0, 1], of mean ``a / (a + b)``."""
        return self._draw("beta", size, chunks, a=a, b=b)

    def chisquare(self, df: float, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Chi-square of `df` degrees of freedom."""
        return self._draw("chisquare", size, chunks, df=df)

    def laplace(self, loc: float = 0.0, scale: float = 1.0, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Double exponential around `loc`."""
        return self._draw("laplace", size, chunks, loc=loc, scale=scale)

    def weibull(self, a: float, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Weibull of shape `a` and scale 1."""
        return self._draw("weibull", size, chunks, a=a)

    def binomial(self, n: int, p: float, size: Size = None, *, chunks: Any = "auto") -> Array:
        """How many of `n` trials succeed, each with probability `p`."""
        return self._draw("binomial", size, chunks, n=n, p=p)

    def geometric(self, p: float, size: Size = None, *, chunks: Any = "auto") -> Array:
        """How many trials it takes to succeed, each with probability `p`."""
        return self._draw("geometric", size, chunks, p=p)

    def poisson(self, lam: float = 1.0, size: Size = None, *, chunks: Any = "auto") -> Array:
        """How many events there are where `lam` are expected."""
        return self._draw("poisson", size, chunks, lam=lam)

    def _draw(self, method: str, size: Size, chunks: Any, arrays: Sequence[str] = (), **kwargs: Any) -> Array:
        for name, value in kwargs.items():
            if name not in arrays and (isinstance(value, Array) or np.ndim(value)):
                raise TypeError(
                    f"{name} of {method} must be a scalar, got {type(value).__name__}; scale and shift the result of "
                    "standard draws instead, or draw in a function given to map_blocks"
                )
        shape = () if size is None else np.broadcast_to(0, size).shape
        key = (*self._seed.spawn_key, next(self._calls))
        return Array(draws(method, shape, chunks, kwargs, self._seed.entropy, key))


def default_rng(seed: Seed | Generator = None) -> Generator:
    """Make a generator of random arrays.

    Parameters
    ----------
    seed : int, sequence of int or SeedSequence, optional
        The same seed gives the same sequence of arrays, for the same chunks, on any client. Without one, fresh entropy
        of the operating system.

    Returns
    -------
    Generator

    Raises
    ------
    ValueError, TypeError
        The seed is negative, or none of these.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> x, y = (ra.random.default_rng(42).normal(size=10, chunks=5).compute() for _ in range(2))
    >>> np.array_equal(x, y)
    True
    """
    if isinstance(seed, Generator):
        return seed
    return Generator(seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed))


_unseeded = default_rng()

random = _unseeded.random
standard_normal = _unseeded.standard_normal
normal = _unseeded.normal
uniform = _unseeded.uniform
integers = _unseeded.integers
poisson = _unseeded.poisson
