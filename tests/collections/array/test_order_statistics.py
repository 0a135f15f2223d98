from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride.array as ra
from restride.collections.array.operations import sorting
from tests.collections.array.strategies import REALS, assert_same, pairs

METHODS = [
    "linear", "lower", "higher", "nearest", "midpoint", "hazen", "weibull", "median_unbiased", "normal_unbiased",
    "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf",
]  # fmt: skip


@pytest.fixture(params=["gathered", "where they lie"])
def long_lines(request, monkeypatch):
    """Lines of more than a few blocks either fit into a block, or are to be worked on in blocks."""
    if request.param == "where they lie":
        monkeypatch.setattr(sorting, "SMALL_BLOCK", 0)


def lines(n):
    rng = np.random.default_rng(n)
    return [
        rng.random(n),
        rng.integers(0, 4, n).astype(float),
        np.where(rng.random(n) < 0.1, np.nan, rng.integers(0, 50, n)),
        np.arange(n)[::-1],
        np.ones(n, "f4"),
    ]


@given(pairs(min_dims=1, min_side=1, dtypes=REALS), st.sampled_from([0.3, [0.0, 1.0], [[0.25], [0.9]], []]), st.data())
def test_quantiles_along_any_axes_are_numpys(pair, q, data):
    a, x = pair
    one = st.integers(-a.ndim, a.ndim - 1)
    axis = data.draw(st.none() | one | st.lists(st.integers(0, a.ndim - 1), unique=True, min_size=1).map(tuple))
    keepdims = data.draw(st.booleans())
    expected = np.quantile(a, q, axis=axis, keepdims=keepdims)
    assert_same(np.quantile(x, q, axis=axis, keepdims=keepdims), np.asarray(expected), rtol=1e-6)
    expected = np.median(a, axis=axis, keepdims=keepdims)
    assert_same(np.median(x, axis=axis, keepdims=keepdims), np.asarray(expected), rtol=1e-6)


@pytest.mark.parametrize("n", [29, 1000])
@pytest.mark.parametrize("method", METHODS)
def test_quantiles_of_a_line_are_numpys(n, method, long_lines):
    q = [0, 0.1, 0.25, 0.5, 0.77, 1]
    for a in lines(n):
        x = ra.from_array(a, len(a) // 9)
        assert_same(np.quantile(x, q, method=method), np.quantile(a, q, method=method), rtol=1e-12)
        assert_same(np.nanquantile(x, q, method=method), np.nanquantile(a, q, method=method), rtol=1e-12)


@pytest.mark.parametrize("n", [28, 29, 1000])
def test_medians_of_a_line_are_numpys(n, long_lines):
    for a in lines(n):
        x = ra.from_array(a, len(a) // 9)
        assert_same(np.median(x), np.median(a), rtol=1e-12)
        assert_same(np.nanmedian(x), np.nanmedian(a), rtol=1e-12)
        assert_same(np.percentile(x, [5, 50]), np.percentile(a, [5, 50]), rtol=1e-12)
        assert_same(np.nanpercentile(x, 50), np.asarray(np.nanpercentile(a, 50)), rtol=1e-12)


def test_a_few_long_lines_are_worked_on_one_by_one(long_lines):
    a = np.random.default_rng(0).random((2, 200, 3))
    x = ra.from_array(a, (1, 20, 3))
    assert_same(np.median(x, axis=1), np.median(a, axis=1), rtol=1e-12)
    assert_same(
        np.quantile(x, [0.1, 0.6], axis=1, keepdims=True), np.quantile(a, [0.1, 0.6], axis=1, keepdims=True), 1e-12
    )
    assert_same(np.sort(x, axis=1), np.sort(a, axis=1))
    assert_same(np.argsort(x, axis=1), np.argsort(a, axis=1, kind="stable"))


@pytest.mark.parametrize("q", [-0.1, 1.1])
def test_a_quantile_out_of_range_is_an_error_at_the_call(q):
    with pytest.raises(ValueError, match="must be in the range"):
        ra.quantile(ra.ones(3), q)
    with pytest.raises(ValueError, match="must be in the range"):
        ra.percentile(ra.ones(3), 100 * q)
    with pytest.raises(ValueError, match="no-such"):
        ra.quantile(ra.ones(3), 0.5, method="no-such")


def test_medians_do_not_make_larger_chunks():
    x = ra.ones((4000, 500, 500), chunks=(100, 100, 100))
    blocks = [expr.chunks for expr in _below(ra.median(x, axis=0).expr)]
    assert max(np.prod([max(c) for c in chunks]) for chunks in blocks) <= 2 * 100**3


def _below(expr):
    return [expr, *(deeper for child in expr.children for deeper in _below(child))]


@given(pairs(min_dims=1), st.booleans(), st.data())
def test_sorting_is_numpys(pair, descending, data):
    a, x = pair
    axis = data.draw(st.none() | st.integers(-a.ndim, a.ndim - 1))
    expected = np.sort(a, axis=axis)
    assert_same(ra.sort(x, axis, descending=descending), np.flip(expected, axis or 0) if descending else expected)
    if not descending:
        assert_same(np.argsort(x, axis=axis), np.argsort(a, axis=axis, kind="stable"))


@pytest.mark.parametrize("n", [29, 1000])
def test_a_line_is_sorted_and_keeps_its_chunks(n, long_lines):
    for a in [*lines(n), lines(n)[1] + 1j * lines(n)[3]]:
        x = ra.from_array(a, len(a) // 9)
        assert_same(np.sort(x), np.sort(a))
        assert_same(np.argsort(x), np.argsort(a, kind="stable"))


def test_descending_places_of_equal_elements_are_ascending():
    x = ra.asarray([1, 3, 1, 3], chunks=3)
    assert ra.argsort(x, descending=True).compute().tolist() == [1, 3, 0, 2]


def test_a_sorted_line_may_have_empty_blocks(long_lines):
    a = np.random.default_rng(0).random(40)
    x = ra.from_array(a, ((0, 20, 0, 20, 0),))
    assert_same(np.sort(x), np.sort(a))


def test_sorting_along_no_axis_is_an_error():
    with pytest.raises(np.exceptions.AxisError):
        ra.sort(ra.ones(3), 1)
    with pytest.raises(np.exceptions.AxisError):
        ra.argsort(ra.ones(()))


@given(pairs(min_dims=1, min_side=1, dtypes=REALS), st.integers(-9, 9).filter(bool), st.data())
def test_the_largest_are_the_last_when_sorted(pair, k, data):
    a, x = pair
    axis = data.draw(st.integers(-a.ndim, a.ndim - 1))
    ordered = np.sort(a, axis) if k < 0 else np.flip(np.sort(a, axis), axis)
    expected = np.take(ordered, range(min(abs(k), a.shape[axis])), axis)
    assert_same(ra.topk(x, k, axis), expected)
    places = ra.argtopk(x, k, axis)
    assert places.shape == expected.shape
    np.testing.assert_array_equal(np.take_along_axis(a, places.compute(), axis), expected)


def test_none_of_the_largest_is_an_error():
    with pytest.raises(ValueError, match="other than 0"):
        ra.topk(ra.ones(3), 0)


@pytest.mark.parametrize("chunks", [(4, 6), (3, 5), (1, 1)])
def test_coarsening_is_a_reduction_of_boxes(chunks):
    a = np.arange(4 * 6.0).reshape(4, 6)
    x = ra.from_array(a, chunks)
    expected = a.reshape(2, 2, 2, 3)
    assert_same(ra.coarsen(np.mean, x, {0: 2, 1: 3}), expected.mean(axis=(1, 3)))
    assert_same(ra.coarsen(np.max, x, {-1: 4}, trim_excess=True), a[:, :4].max(axis=1, keepdims=True))
    with pytest.raises(ValueError, match="do not fill"):
        ra.coarsen(np.mean, x, {1: 4})
