"""The distributions that random arrays are drawn from, with numpy's names, signatures and meaning."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from restride.collections.array.array import Array, asarray
from restride.collections.array.indexing import take
from restride.collections.array.operations.random import draws, generator_of

Seed = int | Sequence[int] | np.random.SeedSequence | None
Size = int | Sequence[int] | None


class Distributions:
    """What both kinds of generators can draw.

    Parameters of distributions are scalars, array_likes or Arrays that broadcast, to `size` if that is given. Methods
    raise what numpy raises for bad parameters: ValueError and TypeError, at the call unless parameters are lazy.
    """

    def __init__(self, seed: np.random.SeedSequence) -> None:
        self._seed = seed
        self._calls = itertools.count()

    def beta(self, a: Any, b: Any, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Beta in [0, 1], of mean ``a / (a + b)``."""
        return self._draw("beta", size, chunks, a=a, b=b)

    def binomial(self, n: Any, p: Any, size: Size = None, *, chunks: Any = "auto") -> Array:
        """How many of `n` trials succeed, each with probability `p`."""
        return self._draw("binomial", size, chunks, n=n, p=p)

    def chisquare(self, df: Any, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Chi-square of `df` degrees of freedom."""
        return self._draw("chisquare", size, chunks, df=df)

    def exponential(self, scale: Any = 1.0, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Exponential of mean `scale`."""
        return self._draw("exponential", size, chunks, scale=scale)

    def f(self, dfnum: Any, dfden: Any, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Fisher's F, of these degrees of freedom."""
        return self._draw("f", size, chunks, dfnum=dfnum, dfden=dfden)

    def gamma(self, shape: Any, scale: Any = 1.0, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Gamma of this shape and scale."""
        return self._draw("gamma", size, chunks, shape=shape, scale=scale)

    def geometric(self, p: Any, size: Size = None, *, chunks: Any = "auto") -> Array:
        """How many trials it takes to succeed, each with probability `p`."""
        return self._draw("geometric", size, chunks, p=p)

    def gumbel(self, loc: Any = 0.0, scale: Any = 1.0, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Gumbel, of extremes, around `loc`."""
        return self._draw("gumbel", size, chunks, loc=loc, scale=scale)

    def hypergeometric(self, ngood: Any, nbad: Any, nsample: Any, size: Size = None, *, chunks: Any = "auto") -> Array:
        """How many good ones there are among `nsample` taken of `ngood` good and `nbad` bad ones."""
        return self._draw("hypergeometric", size, chunks, ngood=ngood, nbad=nbad, nsample=nsample)

    def laplace(self, loc: Any = 0.0, scale: Any = 1.0, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Double exponential around `loc`."""
        return self._draw("laplace", size, chunks, loc=loc, scale=scale)

    def logistic(self, loc: Any = 0.0, scale: Any = 1.0, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Logistic of mean `loc`."""
        return self._draw("logistic", size, chunks, loc=loc, scale=scale)

    def lognormal(self, mean: Any = 0.0, sigma: Any = 1.0, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Numbers whose logarithm is normal, of mean `mean` and standard deviation `sigma`."""
        return self._draw("lognormal", size, chunks, mean=mean, sigma=sigma)

    def logseries(self, p: Any, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Logarithmic series of parameter `p`."""
        return self._draw("logseries", size, chunks, p=p)

    def negative_binomial(self, n: Any, p: Any, size: Size = None, *, chunks: Any = "auto") -> Array:
        """How many trials fail, each succeeding with probability `p`, before `n` succeed."""
        return self._draw("negative_binomial", size, chunks, n=n, p=p)

    def noncentral_chisquare(self, df: Any, nonc: Any, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Noncentral chi-square of `df` degrees of freedom and noncentrality `nonc`."""
        return self._draw("noncentral_chisquare", size, chunks, df=df, nonc=nonc)

    def noncentral_f(self, dfnum: Any, dfden: Any, nonc: Any, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Noncentral F, of these degrees of freedom and noncentrality `nonc`."""
        return self._draw("noncentral_f", size, chunks, dfnum=dfnum, dfden=dfden, nonc=nonc)

    def normal(self, loc: Any = 0.0, scale: Any = 1.0, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Normal of mean `loc` and standard deviation `scale`."""
        return self._draw("normal", size, chunks, loc=loc, scale=scale)

    def pareto(self, a: Any, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Pareto II, or Lomax, of shape `a`."""
        return self._draw("pareto", size, chunks, a=a)

    def poisson(self, lam: Any = 1.0, size: Size = None, *, chunks: Any = "auto") -> Array:
        """How many events there are where `lam` are expected."""
        return self._draw("poisson", size, chunks, lam=lam)

    def power(self, a: Any, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Power function in [0, 1], of exponent ``a - 1``."""
        return self._draw("power", size, chunks, a=a)

    def rayleigh(self, scale: Any = 1.0, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Rayleigh of mode `scale`."""
        return self._draw("rayleigh", size, chunks, scale=scale)

    def standard_cauchy(self, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Cauchy around 0."""
        return self._draw("standard_cauchy", size, chunks)

    def standard_t(self, df: Any, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Student's t of `df` degrees of freedom."""
        return self._draw("standard_t", size, chunks, df=df)

    def triangular(self, left: Any, mode: Any, right: Any, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Triangular in [left, right], most dense at `mode`."""
        return self._draw("triangular", size, chunks, left=left, mode=mode, right=right)

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Uniform in [low, high)."""
        return self._draw("uniform", size, chunks, low=low, high=high)

    def vonmises(self, mu: Any, kappa: Any, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Von Mises on the circle, around `mu`."""
        return self._draw("vonmises", size, chunks, mu=mu, kappa=kappa)

    def wald(self, mean: Any, scale: Any, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Wald, or inverse Gaussian, of mean `mean`."""
        return self._draw("wald", size, chunks, mean=mean, scale=scale)

    def weibull(self, a: Any, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Weibull of shape `a` and scale 1."""
        return self._draw("weibull", size, chunks, a=a)

    def zipf(self, a: Any, size: Size = None, *, chunks: Any = "auto") -> Array:
        """Zipf of parameter `a`."""
        return self._draw("zipf", size, chunks, a=a)

    def standard_normal(self, size: Size = None, dtype: DTypeLike = np.float64, *, chunks: Any = "auto") -> Array:
        """Normal of mean 0 and standard deviation 1, as float64 or float32."""
        return self._draw("standard_normal", size, chunks, dtype=np.dtype(dtype))

    def standard_exponential(self, size: Size = None, dtype: DTypeLike = np.float64, *, chunks: Any = "auto") -> Array:
        """Exponential of mean 1, as float64 or float32."""
        return self._draw("standard_exponential", size, chunks, dtype=np.dtype(dtype))

    def standard_gamma(
        self, shape: Any, size: Size = None, dtype: DTypeLike = np.float64, *, chunks: Any = "auto"
    ) -> Array:
        """Gamma of this shape and scale 1, as float64 or float32."""
        return self._draw("standard_gamma", size, chunks, shape=shape, dtype=np.dtype(dtype))

    def multinomial(self, n: Any, pvals: ArrayLike, size: Size = None, *, chunks: Any = "auto") -> Array:
        """How often each outcome comes up in `n` trials, along a last axis, for outcomes of probabilities `pvals`."""
        probabilities = np.array(pvals, float)
        if probabilities.ndim != 1:
            raise ValueError(f"pvals must be 1-d, got shape {probabilities.shape}")
        return self._draw(
            "multinomial", size, chunks, core=probabilities.shape, literals=("pvals",), n=n, pvals=probabilities
        )

    def choice(
        self,
        a: Any,
        size: Size = None,
        replace: bool = True,
        p: ArrayLike | None = None,
        axis: int = 0,
        shuffle: bool = True,
        *,
        chunks: Any = "auto",
    ) -> Array:
        """Elements of an array along an axis, or numbers below an int.

        Parameters
        ----------
        a : int, Array or array_like
        size : int or tuple of int, optional
        replace : bool
            Whether the same element can be drawn again. Without, which elements are taken is decided at the call.
        p : array_like, optional
            Probability of each element; all the same by default.
        axis : int
        shuffle : bool
            Whether elements drawn without replacement are in random order.
        chunks : int, str, tuple or dict
            See `from_array`; not used where elements are taken of an Array or along an axis of several.

        Raises
        ------
        ValueError
            More elements than there are without replacement, or `p` that is no probability of each.

        Examples
        --------
        >>> import restride.array as ra
        >>> sorted(set(ra.random.default_rng(1).choice(["a", "b"], 100, chunks=10).compute().tolist()))
        ['a', 'b']
        """
        lazy = isinstance(a, Array)
        values = a if lazy or isinstance(a, (int, np.integer)) else np.array(a)
        n = values if isinstance(values, (int, np.integer)) else values.shape[axis] if np.ndim(values) else None
        if n is None:
            raise ValueError("a must be a sequence or an integer, got a scalar array")
        probabilities = None if p is None else np.array(p, float)
        if replace and (isinstance(values, (int, np.integer)) or (values.ndim == 1 and not lazy)):
            return self._draw("choice", size, chunks, literals=("a", "p"), a=values, p=probabilities)
        if replace:
            places: Any = self._draw("choice", size, "auto", literals=("a", "p"), a=n, p=probabilities)
        else:
            shape = None if size is None else np.broadcast_to(0, size).shape
            places = self._here().choice(n, shape, replace=False, p=probabilities, shuffle=shuffle)
        if isinstance(values, (int, np.integer)):
            return asarray(places, chunks=chunks if np.ndim(places) else "auto")
        return take(values, places, axis)

    def permutation(self, x: Any, axis: int = 0, *, chunks: Any = "auto") -> Array:
        """The elements of an array along an axis, or the numbers below an int, in random order.

        The order is decided at the call.

        Examples
        --------
        >>> import restride.array as ra
        >>> sorted(ra.random.default_rng(1).permutation(5).compute().tolist())
        [0, 1, 2, 3, 4]
        """
        if isinstance(x, (int, np.integer)):
            return asarray(self._here().permutation(x), chunks=chunks)
        array = asarray(x)
        axis = np.lib.array_utils.normalize_axis_index(axis, array.ndim)
        return take(array, self._here().permutation(array.shape[axis]), axis)

    def shuffle(self, x: Array, axis: int = 0) -> None:
        """Put an array in random order along an axis, in its place.

        Raises
        ------
        TypeError
            Not an Array.
        """
        if not isinstance(x, Array):
            raise TypeError(f"only an Array can be shuffled in its place, got {type(x).__name__}")
        x.expr = self.permutation(x, axis).expr

    def _key(self) -> tuple[int, ...]:
        return (*self._seed.spawn_key, next(self._calls))

    def _here(self) -> np.random.Generator:
        """A generator for what is decided at the call."""
        return generator_of(np.random.SeedSequence(self._seed.entropy, spawn_key=self._key()))

    def _draw(
        self,
        method: str,
        size: Size,
        chunks: Any,
        /,
        core: tuple[int, ...] = (),
        literals: Sequence[str] = (),
        **kwargs: Any,
    ) -> Array:
        shape = None if size is None else np.broadcast_to(0, size).shape
        parameters = {name: value.expr if isinstance(value, Array) else value for name, value in kwargs.items()}
        return Array(
            draws(
                method, shape, chunks, parameters, self._seed.entropy, self._key(), core=core,
                literals=literals,
            )
        )  # fmt: skip
