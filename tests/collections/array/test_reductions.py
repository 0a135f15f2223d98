from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride.array as ra
from tests.collections.array.strategies import REALS, assert_same, pairs

EXACT = ["sum", "prod", "min", "max", "any", "all"]


def axes_of(ndim):
    if not ndim:
        return st.none()
    one = st.integers(-ndim, ndim - 1)
    several = st.lists(st.integers(0, ndim - 1), unique=True).map(tuple)
    return st.none() | one | several


@given(pairs(max_side=5), st.sampled_from(EXACT), st.booleans(), st.data())
def test_exact_reductions_are_numpys(pair, name, keepdims, data):
    a, x = pair
    axis = data.draw(axes_of(a.ndim))
    try:
        expected = np.asarray(getattr(np, name)(a, axis=axis, keepdims=keepdims))
    except ValueError:
        with pytest.raises(ValueError, match="zero-size array"):
            getattr(ra, name)(x, axis=axis, keepdims=keepdims)
        return
    assert_same(getattr(ra, name)(x, axis=axis, keepdims=keepdims), expected, rtol=1e-5)
    assert_same(getattr(np, name)(x, axis=axis, keepdims=keepdims), expected, rtol=1e-5)


@given(
    pairs(dtypes=["?", "i2", "f4", "f8", "c8", "c16"], min_side=1), st.sampled_from(["mean", "var", "std"]), st.data()
)
def test_means_and_variances_are_numpys(pair, name, data):
    a, x = pair
    axis = data.draw(axes_of(a.ndim))
    keepdims = data.draw(st.booleans())
    expected = np.asarray(getattr(np, name)(a, axis=axis, keepdims=keepdims))
    assert_same(getattr(x, name)(axis=axis, keepdims=keepdims), expected, rtol=1e-5)


@given(pairs(dtypes=REALS), st.sampled_from(["argmin", "argmax"]), st.booleans(), st.data())
def test_argmin_and_argmax_find_the_first_place_as_numpys(pair, name, keepdims, data):
    a, x = pair
    axis = data.draw(st.none() | st.integers(-a.ndim, a.ndim - 1)) if a.ndim else None
    try:
        expected = np.asarray(getattr(np, name)(a, axis=axis, keepdims=keepdims))
    except ValueError as error:
        with pytest.raises(ValueError, match=str(error).split("(")[0]):
            getattr(ra, name)(x, axis=axis, keepdims=keepdims)
        return
    assert_same(getattr(np, name)(x, axis=axis, keepdims=keepdims), expected)


@pytest.mark.parametrize("name", ["min", "max", "argmin", "argmax", "sum", "mean", "var"])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_nan_is_treated_as_by_numpy(name, axis):
    a = np.arange(24.0).reshape(4, 6)
    a[1, 4] = a[3, 1] = np.nan
    for chunks in [(4, 6), (2, 3), (1, 1)]:
        assert_same(getattr(ra.from_array(a, chunks), name)(axis=axis), np.asarray(getattr(a, name)(axis=axis)))


@pytest.mark.parametrize("ddof", [0, 1, 2.5])
def test_variance_is_stable_far_from_zero(ddof):
    a = np.random.default_rng(0).random(10_000) + 1e9
    x = ra.from_array(a, chunks=97)
    np.testing.assert_allclose(x.var(ddof=ddof).compute(), a.var(ddof=ddof), rtol=1e-6)
    np.testing.assert_allclose(x.std(ddof=ddof).compute(), a.std(ddof=ddof), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i4"])
def test_the_dtype_of_a_sum_can_be_chosen(dtype):
    a = np.arange(10, dtype="i2")
    x = ra.from_array(a, chunks=3)
    assert_same(x.sum(dtype=dtype), a.sum(dtype=dtype))
    assert_same(x.prod(dtype=dtype), a.prod(dtype=dtype))
    if dtype != "i4":
        assert_same(x.mean(dtype=dtype), a.mean(dtype=dtype))


def test_half_precision_means_do_not_overflow():
    a = np.full(100_000, 100, np.float16)
    assert_same(ra.from_array(a, chunks=30_000).mean(), a.mean())


def test_datetimes_have_extremes():
    a = np.array(["2001-01-01", "NaT", "1999-01-01"], "M8[D]")
    x = ra.from_array(a, chunks=1)
    assert_same(x.max(), a.max())
    assert_same(x[::2].min(), a[::2].min())
    assert_same(x.argmin(), np.asarray(a.argmin()))


@pytest.mark.parametrize("axis", [2, -3, (0, 2)])
def test_an_unknown_axis_is_an_error_at_the_call(axis):
    with pytest.raises(np.exceptions.AxisError):
        ra.ones((2, 2)).sum(axis=axis)


def test_a_repeated_axis_is_an_error_at_the_call():
    with pytest.raises(ValueError, match="repeated axis"):
        ra.ones((2, 2)).sum(axis=(0, -2))


def test_argmin_takes_one_axis():
    with pytest.raises(TypeError):
        ra.ones((2, 2)).argmin(axis=(0, 1))
