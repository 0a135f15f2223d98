"""Random arrays, with the names and signatures of numpy's `Generator`, and `chunks` besides: ``ra.random``.

Each block draws from a stream of its own, chosen by the seed, the number of the call on the generator and the block's
number. So the numbers do not depend on when, where and by how many threads blocks are made; they do depend on the
chunks.

The functions of the module draw from one `RandomState`, which `seed` starts anew.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from restride.collections.array.array import Array
from restride.collections.array.distributions import Distributions, Seed, Size

__all__ = [
    "Generator",
    "RandomState",
    "beta",
    "binomial",
    "chisquare",
    "choice",
    "default_rng",
    "exponential",
    "f",
    "gamma",
    "geometric",
    "gumbel",
    "hypergeometric",
    "integers",
    "laplace",
    "logistic",
    "lognormal",
    "logseries",
    "multinomial",
    "negative_binomial",
    "noncentral_chisquare",
    "noncentral_f",
    "normal",
    "pareto",
    "permutation",
    "poisson",
    "power",
    "rand",
    "randint",
    "randn",
    "random",
    "random_integers",
    "random_sample",
    "rayleigh",
    "seed",
    "shuffle",
    "standard_cauchy",
    "standard_exponential",
    "standard_gamma",
    "standard_normal",
    "standard_t",
    "tomaxint",
    "triangular",
    "uniform",
    "vonmises",
    "wald",
    "weibull",
    "zipf",
]


class Generator(Distributions):
    """Makes random arrays; made by `default_rng`.

    Its methods are those of `numpy.random.Generator`, with `chunks` as in `from_array`. Parameters of distributions are
    scalars or arrays that broadcast. Two calls give different numbers, and the same calls on a generator of the same
    seed the same.
    """

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

    def integers(
        self,
        low: Any,
        high: Any = None,
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

    def dirichlet(self, alpha: ArrayLike, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Shares that add up to 1 along a last axis, of concentrations `alpha`."""
        concentrations = np.array(alpha, float)
        return self._draw(
            "dirichlet", size, chunks, core=concentrations.shape, literals=("alpha",), alpha=concentrations
        )

    def multivariate_normal(
        self, mean: ArrayLike, cov: ArrayLike, size: Size = None, *, chunks: Any = "auto", **options: Any
    ) -> Array:
        """Normal vectors along a last axis, of this mean and covariance; options are numpy's."""
        middle = np.array(mean, float)
        return self._draw(
            "multivariate_normal", size, chunks, core=middle.shape, literals=("mean", "cov", *options), mean=middle,
            cov=np.array(cov, float), **options,
        )  # fmt: skip

    def multivariate_hypergeometric(
        self, colors: ArrayLike, nsample: int, size: Size = None, method: str = "marginals", *, chunks: Any = "auto"
    ) -> Array:
        """How many of each color there are, along a last axis, among `nsample` taken of `colors`."""
        counts = np.array(colors)
        return self._draw(
            "multivariate_hypergeometric", size, chunks, core=counts.shape, literals=("colors", "method"),
            colors=counts, nsample=nsample, method=method,
        )  # fmt: skip

    def spawn(self, n_children: int) -> list[Generator]:
        """Generators that are independent of this one and of each other."""
        return [Generator(seed) for seed in self._seed.spawn(n_children)]


class RandomState(Distributions):
    """Makes random arrays, with the methods of numpy's older `RandomState`.

    The same seed and chunks give the same numbers, which are not those that numpy draws.

    Parameters
    ----------
    seed : int, sequence of int or SeedSequence, optional
        Fresh entropy of the operating system by default.

    Examples
    --------
    >>> import restride.array as ra
    >>> x, y = (ra.random.RandomState(3).randint(0, 10, size=5, chunks=2) for _ in range(2))
    >>> bool((x == y).all())
    True
    """

    def __init__(self, seed: Seed = None) -> None:
        super().__init__(_sequence(seed))

    def __repr__(self) -> str:
        return "<restride.array.random.RandomState>"

    def seed(self, seed: Seed = None) -> None:
        """Start anew from a seed."""
        self._seed, self._calls = _sequence(seed), itertools.count()

    def random(self, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Uniform in [0, 1)."""
        return self._draw("random", size, chunks)

    random_sample = random

    def rand(self, *shape: int, chunks: Any = "auto") -> Array:
        """Uniform in [0, 1), of a shape."""
        return self.random(shape or None, chunks=chunks)

    def randn(self, *shape: int, chunks: Any = "auto") -> Array:
        """Normal of mean 0 and standard deviation 1, of a shape."""
        return self.standard_normal(shape or None, chunks=chunks)

    def randint(
        self, low: Any, high: Any = None, size: Size = None, dtype: DTypeLike = np.int64, *, chunks: Any = "auto"
    ) -> Array:
        """Integers from `low` up to but without `high`; from 0 up to `low` without a `high`."""
        return self._draw("integers", size, chunks, low=low, high=high, dtype=np.dtype(dtype))

    def random_integers(self, low: Any, high: Any = None, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Integers from `low` to `high`; from 1 to `low` without a `high`."""
        if high is None:
            low, high = 1, low
        return self._draw("integers", size, chunks, low=low, high=high, endpoint=True)

    def tomaxint(self, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Integers from 0 to the largest of int64."""
        return self._draw("integers", size, chunks, low=0, high=np.iinfo(np.int64).max, endpoint=True)


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
    return Generator(_sequence(seed))


def _sequence(seed: Seed) -> np.random.SeedSequence:
    return seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)


_state = RandomState()
_generator = default_rng()

integers = _generator.integers
beta = _state.beta
binomial = _state.binomial
chisquare = _state.chisquare
choice = _state.choice
exponential = _state.exponential
f = _state.f
gamma = _state.gamma
geometric = _state.geometric
gumbel = _state.gumbel
hypergeometric = _state.hypergeometric
laplace = _state.laplace
logistic = _state.logistic
lognormal = _state.lognormal
logseries = _state.logseries
multinomial = _state.multinomial
negative_binomial = _state.negative_binomial
noncentral_chisquare = _state.noncentral_chisquare
noncentral_f = _state.noncentral_f
normal = _state.normal
pareto = _state.pareto
permutation = _state.permutation
poisson = _state.poisson
power = _state.power
rand = _state.rand
randint = _state.randint
randn = _state.randn
random = _state.random
random_integers = _state.random_integers
random_sample = _state.random_sample
rayleigh = _state.rayleigh
seed = _state.seed
shuffle = _state.shuffle
standard_cauchy = _state.standard_cauchy
standard_exponential = _state.standard_exponential
standard_gamma = _state.standard_gamma
standard_normal = _state.standard_normal
standard_t = _state.standard_t
tomaxint = _state.tomaxint
triangular = _state.triangular
uniform = _state.uniform
vonmises = _state.vonmises
wald = _state.wald
weibull = _state.weibull
zipf = _state.zipf
