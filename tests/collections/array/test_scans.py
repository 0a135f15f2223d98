from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride.array as ra
from restride.collections.lowering import lower
from tests.collections.array.strategies import NUMBERS, assert_same, pairs


def axis_of(data, a):
    return data.draw(st.none() | st.integers(-a.ndim, a.ndim - 1)) if a.ndim else None


@given(pairs(dtypes=["?", *NUMBERS]), st.sampled_from(["cumsum", "cumprod", "nancumsum", "nancumprod"]), st.data())
def test_running_sums_and_products_are_numpys(pair, name, data):
    a, x = pair
    axis = axis_of(data, a)
    assert_same(getattr(np, name)(x, axis=axis), getattr(np, name)(a, axis=axis), rtol=1e-5)


@pytest.mark.parametrize("n", [1, 7, 8, 9, 64, 65, 700])
@pytest.mark.parametrize("axis", [0, 1])
def test_running_sums_of_any_number_of_blocks(n, axis):
    shape = (n, 2) if axis == 0 else (2, n)
    a = np.random.default_rng(n).integers(-9, 9, shape)
    assert_same(ra.from_array(a, 1).cumsum(axis), a.cumsum(axis))


def test_nan_counts_as_nothing_in_running_sums():
    a = np.array([np.nan, 1, np.nan, 2, 3])
    assert_same(ra.nancumsum(ra.from_array(a, 2)), np.nancumsum(a))
    assert_same(ra.nancumprod(ra.from_array(a, 2)), np.nancumprod(a))


@pytest.mark.parametrize("dtype", ["f4", "i8", "c16"])
def test_the_dtype_of_a_running_sum_can_be_chosen(dtype):
    a = np.arange(10, dtype="i2")
    assert_same(ra.from_array(a, 3).cumsum(dtype=dtype), a.cumsum(dtype=dtype))


@pytest.mark.parametrize("include_initial", [False, True])
@pytest.mark.parametrize("name", ["cumulative_sum", "cumulative_prod"])
def test_cumulative_sums_may_begin_with_nothing(name, include_initial):
    a = np.arange(12).reshape(3, 4)
    x = ra.from_array(a, 2)
    for axis in (0, -1):
        expected = getattr(np, name)(a, axis=axis, include_initial=include_initial)
        assert_same(getattr(ra, name)(x, axis=axis, include_initial=include_initial), expected)
    with pytest.raises(ValueError, match="axis"):
        getattr(ra, name)(x)


def test_a_scan_takes_a_few_tasks_for_each_block():
    (graph, _) = lower([ra.ones(1000, chunks=1).cumsum().expr])
    assert len(graph) < 5 * 1000


def test_a_cumulative_reduction_is_made_of_functions():
    a = np.random.default_rng(0).random((9, 40))

    def running(block, axis, dtype):
        return np.maximum.accumulate(block, axis=axis)

    x = ra.from_array(a, (4, 3))
    assert_same(ra.reductions.cumreduction(running, np.maximum, -np.inf, x, 1), np.maximum.accumulate(a, axis=1))


@given(pairs(min_dims=1, dtypes=["?", "i8", "f8", "c16"]), st.integers(0, 3), st.data())
def test_differences_are_numpys(pair, n, data):
    a, x = pair
    axis = data.draw(st.integers(-a.ndim, a.ndim - 1))
    assert_same(np.diff(x, n, axis), np.diff(a, n, axis))


def test_differences_take_what_comes_before_and_after():
    a = np.arange(12.0).reshape(3, 4) ** 2
    x = ra.from_array(a, 2)
    assert_same(np.diff(x, prepend=0, append=[[1], [2], [3]]), np.diff(a, prepend=0, append=[[1], [2], [3]]))


def test_differences_keep_the_number_of_blocks():
    assert ra.diff(ra.ones(100, chunks=10)).chunks == ((10,) * 9 + (9,),)


def test_differences_of_no_such_order_or_axis_are_errors():
    with pytest.raises(ValueError, match="non-negative"):
        ra.diff(ra.ones(3), -1)
    with pytest.raises(ValueError, match="at least one dimensional"):
        ra.diff(ra.ones(()))
    with pytest.raises(np.exceptions.AxisError):
        ra.diff(ra.ones(3), axis=1)


@pytest.mark.parametrize("ends", [{}, {"to_end": [1, 2]}, {"to_begin": 5, "to_end": 7}])
def test_differences_of_all_elements_are_numpys(ends):
    a = np.arange(12).reshape(3, 4) ** 2
    assert_same(np.ediff1d(ra.from_array(a, 2), **ends), np.ediff1d(a, **ends))
    with pytest.raises(TypeError, match="same_kind"):
        np.ediff1d(ra.from_array(a, 2), to_end=1.5)


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize(
    "spacing", [(), (2.0,), (2.0, 0.5), (np.arange(5) * 2.0, np.arange(7)), (np.arange(5) ** 2, np.arange(7.0) ** 1.5)]
)
def test_gradients_are_numpys(edge_order, spacing):
    a = np.random.default_rng(0).random((5, 7))
    x = ra.from_array(a, (2, 3))
    for got, expected in zip(
        np.gradient(x, *spacing, edge_order=edge_order), np.gradient(a, *spacing, edge_order=edge_order)
    ):
        assert_same(got, expected, rtol=1e-12)
        assert got.chunks == x.chunks


@pytest.mark.parametrize("n", [2, 3, 4])
@pytest.mark.parametrize("dtype", ["f4", "i4"])
def test_gradients_of_short_lines_are_numpys(n, dtype):
    a = (np.arange(n) ** 2).astype(dtype)
    assert_same(np.gradient(ra.from_array(a, 1)), np.gradient(a), rtol=1e-6)


def test_gradients_that_numpy_does_not_take_are_errors():
    with pytest.raises(ValueError, match="too small"):
        ra.gradient(ra.ones(1))
    with pytest.raises(TypeError, match="invalid number"):
        ra.gradient(ra.ones((3, 3)), 1, 2, 3)
    with pytest.raises(ValueError, match="match the length"):
        ra.gradient(ra.ones(3), [1, 2])


def test_integrals_are_numpys():
    rng = np.random.default_rng(0)
    a, places = rng.random((5, 7)), np.sort(rng.random(7))
    x = ra.from_array(a, 2)
    assert_same(np.trapezoid(x), np.trapezoid(a), rtol=1e-12)
    assert_same(np.trapezoid(x, dx=0.5, axis=0), np.trapezoid(a, dx=0.5, axis=0), rtol=1e-12)
    assert_same(np.trapezoid(x, places), np.trapezoid(a, places), rtol=1e-12)
