"""Moments and tests of hypotheses, after `scipy.stats`: compositions of reductions, computed only when asked for.

What a test returns is the named tuple of `statistic` and `pvalue`, two arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from restride.collections.array.array import Array, asarray
from restride.collections.array.elementwise import absolute, log, sqrt
from restride.collections.array.indexing import where
from restride.collections.array.operations.elementwise import elementwise
from restride.collections.array.operations.reductions import reduce, standardized_moment

POWERS = {
    "pearson": 1.0,
    "log-likelihood": 0.0,
    "freeman-tukey": -0.5,
    "mod-log-likelihood": -1.0,
    "neyman": -2.0,
    "cressie-read": 2 / 3,
}
"""Names of members of the power divergence family."""


class SignificanceResult(NamedTuple):
    """What a test of a hypothesis gives."""

    statistic: Array
    pvalue: Array


def moment(a: Any, moment: int = 1, axis: int | None = 0, *, nan_policy: str = "propagate") -> Array:
    """Central moment along an axis, or (None) of all elements.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.stats.moment(ra.asarray([0.0, 0.0, 3.0], chunks=2), 3).compute()
    np.float64(2.0)
    """
    _check_policy(nan_policy)
    return _floating(a).moment(moment, axis)


def skew(a: Any, axis: int | None = 0, bias: bool = True, nan_policy: str = "propagate") -> Array:
    """Skewness along an axis, or (None) of all elements; NaN where they are all equal.

    Parameters
    ----------
    a : Array or array_like
    axis : int or None
    bias : bool
        False corrects for bias.
    nan_policy : {"propagate"}

    Raises
    ------
    numpy.exceptions.AxisError
        There is no such axis.
    NotImplementedError
        Another policy.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.stats.skew(ra.asarray([1.0, 2.0, 3.0], chunks=2)).compute()
    np.float64(0.0)
    """
    _check_policy(nan_policy)
    x = _floating(a)
    value = _standardized(x, 3, axis)
    n = _count(x, axis)
    return value if bias or n < 3 else value * (((n - 1.0) * n) ** 0.5 / (n - 2.0))


def kurtosis(
    a: Any, axis: int | None = 0, fisher: bool = True, bias: bool = True, nan_policy: str = "propagate"
) -> Array:
    """Kurtosis along an axis, or (None) of all elements; 0 for a normal distribution if `fisher`, else 3.

    See `skew` for the other parameters and errors.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.stats.kurtosis(ra.asarray([-1.0, 1.0], chunks=1), fisher=False).compute()
    np.float64(1.0)
    """
    _check_policy(nan_policy)
    x = _floating(a)
    value = _standardized(x, 4, axis)
    n = _count(x, axis)
    if not bias and n > 3:
        value = ((n**2 - 1.0) * value - 3 * (n - 1) ** 2.0) / ((n - 2) * (n - 3)) + 3.0
    return value - 3 if fisher else value


def ttest_1samp(a: Any, popmean: Any, axis: int | None = 0, nan_policy: str = "propagate") -> SignificanceResult:
    """Whether the mean along an axis is that of a population: Student's t, and the two-sided probability.

    Examples
    --------
    >>> import restride.array as ra
    >>> result = ra.stats.ttest_1samp(ra.asarray([1.0, 2.0, 3.0], chunks=2), 2.0)
    >>> result.statistic.compute(), result.pvalue.compute()
    (np.float64(0.0), np.float64(1.0))
    """
    _check_policy(nan_policy)
    x = _floating(a)
    n = _count(x, axis)
    t = (x.mean(axis) - popmean) / sqrt(x.var(axis, ddof=1) / n)
    return _student(t, n - 1)


def ttest_rel(a: Any, b: Any, axis: int | None = 0, nan_policy: str = "propagate") -> SignificanceResult:
    """Whether the mean of the differences of two related samples is 0; see `ttest_1samp`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.stats.ttest_rel(ra.asarray([1.0, 2.0, 6.0]), ra.asarray([2.0, 2.0, 5.0])).statistic.compute()
    np.float64(0.0)
    """
    return ttest_1samp(_floating(a) - _floating(b), 0, axis, nan_policy)


def ttest_ind(
    a: Any, b: Any, axis: int | None = 0, equal_var: bool = True, nan_policy: str = "propagate"
) -> SignificanceResult:
    """Whether two independent samples have the same mean; of the same variance, or (Welch's test) not.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.stats.ttest_ind(ra.asarray([1.0, 2.0, 3.0]), ra.asarray([1.0, 2.0, 3.0])).pvalue.compute()
    np.float64(1.0)
    """
    _check_policy(nan_policy)
    x, y = _floating(a), _floating(b)
    n, m = _count(x, axis), _count(y, axis)
    v, w = x.var(axis, ddof=1), y.var(axis, ddof=1)
    if equal_var:
        freedom: Any = n + m - 2.0
        spread = sqrt(((n - 1) * v + (m - 1) * w) / freedom * (1.0 / n + 1.0 / m))
    else:
        of_x, of_y = v / n, w / m
        freedom = (of_x + of_y) ** 2 / (of_x**2 / (n - 1) + of_y**2 / (m - 1))
        spread = sqrt(of_x + of_y)
    return _student((x.mean(axis) - y.mean(axis)) / spread, freedom)


def f_oneway(*samples: Any) -> SignificanceResult:
    """Whether several 1-d samples have the same mean: analysis of variance.

    Raises
    ------
    TypeError
        Fewer than two samples.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.stats.f_oneway(ra.asarray([1.0, 3.0]), ra.asarray([2.0, 2.0])).statistic.compute()
    np.float64(0.0)
    """
    if len(samples) < 2:
        raise TypeError(f"at least two inputs are required; got {len(samples)}.")
    groups = [_floating(sample) for sample in samples]
    sizes = [group.shape[0] for group in groups]
    n, k = sum(sizes), len(groups)
    means = [group.mean() for group in groups]
    mean = sum((size * m for size, m in zip(sizes, means)), start=asarray(0.0)) / n
    between = sum((size * (m - mean) ** 2 for size, m in zip(sizes, means)), start=asarray(0.0))
    within = sum((size * group.var() for size, group in zip(sizes, groups)), start=asarray(0.0))
    f = (between / (k - 1.0)) / (within / (n - k))
    return SignificanceResult(f, _apply(_f_above, float(k - 1), float(n - k), f))


def power_divergence(
    f_obs: Any, f_exp: Any = None, ddof: int = 0, axis: int | None = 0, lambda_: str | float | None = None
) -> SignificanceResult:
    """Whether observed frequencies go with expected ones, by default all the same; Cressie and Read's family.

    Parameters
    ----------
    f_obs, f_exp : Array or array_like
    ddof : int
        Degrees of freedom less than one below the number of frequencies.
    axis : int or None
    lambda_ : float or str, optional
        The power, or its name such as ``"log-likelihood"``; Pearson's 1 by default.

    Raises
    ------
    ValueError
        An unknown name.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.stats.power_divergence(ra.asarray([16.0, 18.0, 16.0, 14.0])).statistic.compute()
    np.float64(0.5)
    """
    if isinstance(lambda_, str):
        if lambda_ not in POWERS:
            raise ValueError(f"invalid string for lambda_: {lambda_!r}. Valid strings are {', '.join(POWERS)}")
        power = POWERS[lambda_]
    else:
        power = 1.0 if lambda_ is None else lambda_
    observed = _floating(f_obs)
    expected = observed.mean(axis, keepdims=True) if f_exp is None else _floating(f_exp)
    if power == 1:
        terms = (observed - expected) ** 2 / expected
    elif power == 0:
        terms = 2.0 * where(observed == 0, 0.0, observed * log(where(observed == 0, 1.0, observed / expected)))
    elif power == -1:
        terms = 2.0 * expected * log(expected / observed)
    else:
        terms = observed * ((observed / expected) ** power - 1) * (2.0 / (power * (power + 1)))
    statistic = terms.sum(axis)
    return SignificanceResult(statistic, _apply(_chi2_above, float(_count(observed, axis) - 1 - ddof), statistic))


def chisquare(f_obs: Any, f_exp: Any = None, ddof: int = 0, axis: int | None = 0) -> SignificanceResult:
    """Pearson's chi-squared test; see `power_divergence`.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.stats.chisquare(ra.asarray([16.0, 18.0, 16.0, 14.0])).statistic.compute()
    np.float64(0.5)
    """
    return power_divergence(f_obs, f_exp, ddof, axis, "pearson")


def skewtest(a: Any, axis: int | None = 0, nan_policy: str = "propagate") -> SignificanceResult:
    """Whether the skewness is that of a normal distribution.

    Raises
    ------
    ValueError
        Fewer than 8 elements.

    Examples
    --------
    >>> import restride.array as ra
    >>> round(float(ra.stats.skewtest(ra.arange(9.0, chunks=4)).pvalue), 6)
    1.0
    """
    x = _floating(a)
    n = float(_count(x, axis))
    if n < 8:
        raise ValueError(f"skewtest requires at least 8 observations; only {int(n)} observations were given.")
    y = skew(x, axis, nan_policy=nan_policy) * (((n + 1) * (n + 3)) / (6.0 * (n - 2))) ** 0.5
    beta = 3.0 * (n**2 + 27 * n - 70) * (n + 1) * (n + 3) / ((n - 2.0) * (n + 5) * (n + 7) * (n + 9))
    w = -1 + (2 * (beta - 1)) ** 0.5
    y = y / (2.0 / (w - 1)) ** 0.5
    z = log(y + sqrt(y**2 + 1)) / (0.5 * np.log(w)) ** 0.5
    return SignificanceResult(z, _apply(_normal_beyond, z))


def kurtosistest(a: Any, axis: int | None = 0, nan_policy: str = "propagate") -> SignificanceResult:
    """Whether the kurtosis is that of a normal distribution.

    Raises
    ------
    ValueError
        Fewer than 5 elements.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.stats.kurtosistest(ra.arange(20.0, chunks=6)).pvalue.compute() < 0.1
    np.True_
    """
    x = _floating(a)
    n = float(_count(x, axis))
    if n < 5:
        raise ValueError(f"kurtosistest requires at least 5 observations; only {int(n)} observations were given.")
    excess = kurtosis(x, axis, fisher=False, nan_policy=nan_policy) - 3.0 * (n - 1) / (n + 1)
    y = excess / (24.0 * n * (n - 2) * (n - 3) / ((n + 1) ** 2 * (n + 3) * (n + 5))) ** 0.5
    beta = 6.0 * (n * n - 5 * n + 2) / ((n + 7) * (n + 9)) * (6.0 * (n + 3) * (n + 5) / (n * (n - 2) * (n - 3))) ** 0.5
    k = 6.0 + 8.0 / beta * (2.0 / beta + (1 + 4.0 / beta**2) ** 0.5)
    denominator = 1 + y * (2 / (k - 4.0)) ** 0.5
    root = where(denominator < 0, -1.0, 1.0) * ((1 - 2.0 / k) / absolute(denominator)) ** (1 / 3)
    z = (1 - 2 / (9.0 * k) - root) / (2 / (9.0 * k)) ** 0.5
    return SignificanceResult(z, _apply(_normal_beyond, z))


def normaltest(a: Any, axis: int | None = 0, nan_policy: str = "propagate") -> SignificanceResult:
    """Whether elements come from a normal distribution: D'Agostino and Pearson's test of skewness and kurtosis.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.stats.normaltest(ra.arange(20.0, chunks=6)).pvalue.compute() < 0.5
    np.True_
    """
    statistic = skewtest(a, axis, nan_policy).statistic ** 2 + kurtosistest(a, axis, nan_policy).statistic ** 2
    return SignificanceResult(statistic, _apply(_chi2_above, 2.0, statistic))


def _floating(a: Any) -> Array:
    x = asarray(a)
    return x.astype(float) if x.dtype.kind in "biu" else x


def _count(x: Array, axis: int | None) -> int:
    return x.size if axis is None else x.shape[np.lib.array_utils.normalize_axis_index(axis, x.ndim)]


def _standardized(x: Array, order: int, axis: int | None) -> Array:
    return Array(reduce(x.expr, standardized_moment(order), axis, dtype=x.dtype))


def _check_policy(nan_policy: str) -> None:
    if nan_policy != "propagate":
        raise NotImplementedError(f"nan_policy must be 'propagate', got {nan_policy!r}")


def _student(t: Array, freedom: Any) -> SignificanceResult:
    return SignificanceResult(t, _apply(_student_beyond, freedom, t))


def _apply(func: Callable[..., Any], *args: Any) -> Array:
    dtype = np.dtype(np.float64)
    exprs = [arg.expr if isinstance(arg, Array) else arg for arg in args]
    return Array(elementwise(func, *exprs, out_dtype=dtype))


def _student_beyond(freedom: Any, t: Any) -> Any:
    from scipy.special import stdtr

    return np.asarray(2 * stdtr(freedom, -np.abs(t)), np.float64)[()]


def _normal_beyond(z: Any) -> Any:
    from scipy.special import ndtr

    return np.asarray(2 * ndtr(-np.abs(z)), np.float64)[()]


def _chi2_above(freedom: Any, x: Any) -> Any:
    from scipy.special import chdtrc

    return np.asarray(chdtrc(freedom, x), np.float64)[()]


def _f_above(between: Any, within: Any, f: Any) -> Any:
    from scipy.special import fdtrc

    return np.asarray(fdtrc(between, within, f), np.float64)[()]
