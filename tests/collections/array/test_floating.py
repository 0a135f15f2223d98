"""Tests and repairs of numbers, element by element, against numpy."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride.array as ra
from restride.collections.lowering import lower
from tests.collections.array.strategies import NUMBERS, REALS, assert_same, broadcasting_pairs, pairs

ODD = np.array([0.0, -0.0, 1.5, -2.7, np.nan, np.inf, -np.inf, 1e300])


@pytest.fixture
def odd():
    return ra.from_array(ODD, chunks=3)


@given(broadcasting_pairs(2, dtypes=["f4", "f8", "c16", "i8"]), st.booleans())
def test_closeness_is_numpys(made, equal_nan):
    (a, x), (b, y) = made
    for left, right in ((x, y), (x, b), (a, y)):
        assert_same(ra.isclose(left, right, atol=1, equal_nan=equal_nan), np.asarray(np.isclose(a, b, atol=1)))
    assert_same(ra.allclose(x, y, atol=1), np.bool_(np.allclose(a, b, atol=1)))


def test_nan_is_close_to_nan_if_asked_to_be(odd):
    assert not ra.allclose(odd, ODD)
    assert np.allclose(odd, ODD, equal_nan=True)


@given(pairs(dtypes=NUMBERS, max_dims=2))
def test_parts_and_kinds_of_numbers_are_numpys(pair):
    a, x = pair
    for name in ("isreal", "iscomplex", "nan_to_num", "sinc"):
        assert_same(getattr(ra, name)(x), np.asarray(getattr(np, name)(a)))


@given(pairs(dtypes=REALS, max_dims=2), st.integers(-1, 2))
def test_rounding_and_infinities_are_numpys(pair, decimals):
    a, x = pair
    for name in ("fix", "isposinf", "isneginf", "i0"):
        assert_same(getattr(ra, name)(x), np.asarray(getattr(np, name)(a)), rtol=1e-6 if name == "i0" else 0)
    assert_same(ra.around(x, decimals), np.asarray(np.around(a, decimals)))


def test_values_that_are_no_numbers_are_treated_as_numpy_treats_them(odd):
    assert_same(ra.nan_to_num(odd, nan=1.0, posinf=2.0), np.nan_to_num(ODD, nan=1.0, posinf=2.0))
    for name in ("isposinf", "isneginf", "fix"):
        assert_same(getattr(ra, name)(odd), getattr(np, name)(ODD))
    assert_same(ra.isnull(odd), np.isnan(ODD))
    assert_same(ra.notnull(odd), ~np.isnan(ODD))
    assert_same(ra.isnull(ra.asarray(np.array(["2020", "NaT"], "M8[D]"))), np.array([False, True]))
    assert_same(ra.isnull(ra.asarray(np.array(["a", None], object))), np.array([False, True]))
    assert_same(ra.isnull(ra.arange(3)), np.zeros(3, bool))


def test_functions_of_scalars_become_functions_of_arrays():
    x, y = ra.arange(6, chunks=2), ra.from_array(np.arange(6).reshape(2, 3).T.reshape(-1)[::-1].copy(), chunks=3)
    added = ra.frompyfunc(lambda a, b: f"{a}+{b}", 2, 1)
    expected = np.frompyfunc(lambda a, b: f"{a}+{b}", 2, 1)(x.compute(), y.compute())
    assert_same(added(x, y), expected)
    quotients, rests = ra.frompyfunc(divmod, 2, 2)(x, 4)
    assert quotients.compute().tolist() == [0, 0, 0, 0, 1, 1]
    assert rests.compute().tolist() == [0, 1, 2, 3, 0, 1]
    assert ra.frompyfunc(hex, 1, 1)(ra.asarray(10)).compute() == "0xa"
    with pytest.raises(TypeError, match="takes 2 arrays, got 1"):
        added(x)


def test_a_function_of_scalars_can_travel():
    graph, _ = lower([ra.frompyfunc(hex, 1, 1)(ra.arange(4, chunks=2)).expr], ship=True)
    assert pickle.loads(pickle.dumps(graph.layers[-1].kernel))


def test_complex_numbers_have_no_bessel_functions_here():
    with pytest.raises(TypeError, match="complex"):
        ra.i0(ra.asarray([1j]))
