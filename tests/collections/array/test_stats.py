from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

import restride.array as ra

A, B = np.random.default_rng(0).gamma(2.0, size=(2, 30, 4))


def lazily(a, rows=7):
    return ra.from_array(a, (rows, 3))


def assert_result(mine, theirs):
    np.testing.assert_allclose(mine.statistic.compute(), theirs.statistic, rtol=1e-9)
    np.testing.assert_allclose(mine.pvalue.compute(), theirs.pvalue, rtol=1e-9)


@given(st.integers(1, 30), st.sampled_from([0, 1, None]), st.booleans())
def test_skewness_and_kurtosis_are_scipys(rows, axis, bias):
    x = lazily(A, rows)
    np.testing.assert_allclose(ra.stats.skew(x, axis, bias).compute(), scipy.stats.skew(A, axis, bias))
    mine = ra.stats.kurtosis(x, axis, bias=bias).compute()
    np.testing.assert_allclose(mine, scipy.stats.kurtosis(A, axis, bias=bias))
    np.testing.assert_allclose(ra.stats.moment(x, 3, axis).compute(), scipy.stats.moment(A, 3, axis))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_equal_elements_have_no_skewness():
    assert np.isnan(ra.stats.skew(ra.ones(10, chunks=3)).compute())
    assert np.isnan(ra.stats.kurtosis(ra.ones(10, chunks=3)).compute())


@pytest.mark.parametrize("name", ["skewtest", "kurtosistest", "normaltest"])
def test_tests_of_normality_are_scipys(name):
    assert_result(getattr(ra.stats, name)(lazily(A)), getattr(scipy.stats, name)(A))


@pytest.mark.parametrize("axis", [0, 1, None])
def test_students_tests_are_scipys(axis):
    x, y = lazily(A), lazily(B, 8)
    assert_result(ra.stats.ttest_1samp(x, 2.0, axis), scipy.stats.ttest_1samp(A, 2.0, axis))
    assert_result(ra.stats.ttest_rel(x, y, axis), scipy.stats.ttest_rel(A, B, axis))
    for equal_var in (True, False):
        mine = ra.stats.ttest_ind(x, y, axis, equal_var)
        assert_result(mine, scipy.stats.ttest_ind(A, B, axis=axis, equal_var=equal_var))


def test_analysis_of_variance_is_scipys():
    samples = [A[:, 0], A[:20, 1], B[:, 2]]
    assert_result(ra.stats.f_oneway(*(ra.from_array(s, 7) for s in samples)), scipy.stats.f_oneway(*samples))
    with pytest.raises(TypeError, match="at least two"):
        ra.stats.f_oneway(A[:, 0])


@pytest.mark.parametrize(
    "power", [None, 2.5, 0, -1, "pearson", "log-likelihood", "freeman-tukey", "mod-log-likelihood", "neyman"]
)
def test_divergences_are_scipys(power):
    observed = np.random.default_rng(0).integers(1, 40, (12, 3)).astype(float)
    mine = ra.stats.power_divergence(ra.from_array(observed, (5, 2)), lambda_=power)
    assert_result(mine, scipy.stats.power_divergence(observed, lambda_=power))
    if power is None:
        expected = observed[::-1]
        mine = ra.stats.chisquare(ra.from_array(observed, 5), ra.from_array(expected, 4), ddof=1)
        assert_result(mine, scipy.stats.chisquare(observed, expected, ddof=1))


def test_what_scipy_does_not_take_is_an_error():
    with pytest.raises(ValueError, match="at least 8"):
        ra.stats.skewtest(ra.ones(7))
    with pytest.raises(ValueError, match="at least 5"):
        ra.stats.kurtosistest(ra.ones(4))
    with pytest.raises(ValueError, match="invalid string"):
        ra.stats.power_divergence(ra.ones(4), lambda_="no-such")
    with pytest.raises(NotImplementedError, match="nan_policy"):
        ra.stats.skew(ra.ones(4), nan_policy="omit")
