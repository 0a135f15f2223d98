"""Reductions that leave NaN out, moments, averages, and reductions of one's own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride as rs
import restride.array as ra
from tests.collections.array.strategies import assert_same, chunks_of, pairs, shapes

NAN_REDUCTIONS = ["nansum", "nanprod", "nanmean", "nanvar", "nanstd", "nanmin", "nanmax"]


@st.composite
def with_nan(draw, dtypes=("f4", "f8", "i2"), **sides):
    """A pair of arrays with some NaN, and an axis or several of it."""
    shape = draw(shapes(**sides))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    a = rng.integers(-3, 4, shape).astype(draw(st.sampled_from(dtypes)))
    if a.dtype.kind == "f":
        a = np.where(rng.random(shape) < draw(st.sampled_from([0.2, 0.9])), a.dtype.type(np.nan), a)
    axes = st.none()
    if shape:
        axes |= st.integers(-len(shape), len(shape) - 1) | st.lists(st.integers(0, len(shape) - 1), unique=True).map(
            tuple
        )
    return a, ra.from_array(a, draw(chunks_of(shape))), draw(axes)


@pytest.mark.filterwarnings("ignore:.*(slice|Degrees of freedom).*:RuntimeWarning")
@given(with_nan(min_side=1), st.sampled_from(NAN_REDUCTIONS), st.booleans())
def test_reductions_without_nan_are_numpys(made, name, keepdims):
    a, x, axis = made
    expected = np.asarray(getattr(np, name)(a, axis=axis, keepdims=keepdims))
    assert_same(getattr(np, name)(x, axis=axis, keepdims=keepdims), expected, rtol=1e-5)


@given(with_nan(min_dims=1, min_side=1), st.sampled_from(["nanargmin", "nanargmax"]), st.booleans())
def test_places_of_extremes_without_nan_are_numpys(made, name, keepdims):
    a, x, axis = made
    axis = axis if isinstance(axis, int) else None
    try:
        expected = np.asarray(getattr(np, name)(a, axis=axis, keepdims=keepdims))
    except ValueError:
        with pytest.raises(ValueError, match="All-NaN slice encountered"):
            getattr(np, name)(x, axis=axis, keepdims=keepdims).compute()
        return
    assert_same(getattr(np, name)(x, axis=axis, keepdims=keepdims), expected)


@pytest.mark.parametrize("name", ["nanmin", "nanmax", "nanargmin", "nanargmax"])
def test_nothing_has_no_extremes_without_nan_either(name):
    with pytest.raises(ValueError, match=r"zero-size|empty sequence"):
        getattr(ra, name)(ra.ones((0, 2)), axis=0)


@given(pairs(min_side=1, dtypes=["i2", "f8"]), st.integers(0, 6), st.data())
def test_central_moments_of_any_order_are_means_of_powers(pair, order, data):
    a, x = pair
    axis = data.draw(st.none() | st.integers(-a.ndim, a.ndim - 1)) if a.ndim else None
    expected = np.asarray(((a - a.mean(axis, keepdims=True)) ** order).mean(axis))
    assert_same(ra.moment(x, order, axis), expected, rtol=1e-8)


@pytest.mark.parametrize("order", [3, 4])
def test_moments_are_stable_far_from_zero(order):
    a = np.random.default_rng(0).random(10_000)
    expected = ((a - a.mean()) ** order).mean()
    np.testing.assert_allclose(ra.moment(ra.from_array(a + 1e6, 97), order).compute(), expected, rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize("order", [-1, 1.5])
def test_a_moment_of_no_such_order_is_an_error(order):
    with pytest.raises(ValueError, match="integer of 0 or more"):
        ra.moment(ra.ones(3), order)


def test_correction_is_another_name_of_ddof():
    x = ra.asarray([1.0, 2.0, 4.0], chunks=2)
    assert x.var(correction=1).name == x.var(ddof=1).name
    with pytest.raises(ValueError, match="simultaneously"):
        x.std(ddof=1, correction=1)


@given(pairs(min_side=0, dtypes=["?", "i4", "f8", "c8"]), st.data())
def test_counts_are_numpys(pair, data):
    a, x = pair
    axis = data.draw(st.none() | st.integers(-a.ndim, a.ndim - 1)) if a.ndim else None
    assert_same(np.count_nonzero(x, axis=axis), np.asarray(np.count_nonzero(a, axis=axis)))


def test_ptp_is_numpys():
    a = np.random.default_rng(0).random((5, 7))
    assert_same(np.ptp(ra.from_array(a, (2, 3)), axis=1), np.ptp(a, axis=1))


@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1), (1, 0)])
@pytest.mark.parametrize("kind", ["none", "full", "axis"])
def test_averages_are_numpys(axis, kind):
    rng = np.random.default_rng(0)
    a = rng.random((5, 7))
    if kind == "axis" and axis is None:
        with pytest.raises(TypeError, match="Axis must be specified"):
            ra.average(ra.from_array(a, 3), weights=np.ones(7))
        return
    shape = a.shape if kind == "full" else tuple(a.shape[i] for i in np.atleast_1d(axis)) if axis is not None else ()
    weights = None if kind == "none" else rng.random(shape)
    mine = np.average(ra.from_array(a, (2, 3)), axis=axis, weights=weights, returned=True)
    for got, expected in zip(mine, np.average(a, axis=axis, weights=weights, returned=True)):
        assert_same(got, np.asarray(expected), rtol=1e-12)


def _sizes(block, axis, keepdims):
    return (block > 0.5).sum(axis=axis, keepdims=keepdims)


def _sum_of_weighted(block, weights, axis, keepdims):
    return (block * weights).sum(axis=axis, keepdims=keepdims)


def _list_of_sums(block, axis, keepdims):
    return [block.sum(axis=axis, keepdims=True)]


def _root_of_lists(results, axis, keepdims):
    return np.sqrt(sum(result[0] for result in results))


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("split_every", [None, 2, {0: 2, 1: 2}])
def test_a_reduction_is_made_of_functions(axis, split_every):
    a = np.random.default_rng(0).random((20, 30))
    x = ra.from_array(a, (3, 4))
    assert_same(
        ra.reduction(x, _sizes, np.sum, axis, dtype=int, combine=np.sum, split_every=split_every),
        np.asarray((a > 0.5).sum(axis)),
    )
    assert_same(
        ra.reduction(x, _sum_of_weighted, np.sum, axis, weights=x, split_every=split_every),
        np.asarray((a * a).sum(axis)),
        rtol=1e-12,
    )
    assert_same(
        ra.reduction(x, _list_of_sums, _root_of_lists, axis, dtype=float, concatenate=False, split_every=split_every),
        np.asarray(np.sqrt(a.sum(axis))),
        rtol=1e-12,
    )


def test_a_reduction_may_keep_more_than_one_element():
    def top(block, axis, keepdims):
        return np.sort(block, axis=axis[0])[-2:]

    x = ra.from_array(np.random.default_rng(0).permutation(50).astype(float), 7)
    assert ra.reduction(x, top, top, keepdims=True, output_size=2).compute().tolist() == [48, 49]


@pytest.mark.filterwarnings("ignore:.*slice.*:RuntimeWarning")
def test_unknown_lengths_matter_only_where_places_are_asked_for():
    a = np.arange(20.0)
    for limit in (7, 18):
        x = ra.from_array(a, 3)
        x, kept = x[x > limit], a[a > limit]
        for name in [*NAN_REDUCTIONS, "sum", "mean", "var", "min", "max", "cumsum"]:
            np.testing.assert_allclose(getattr(ra, name)(x).compute(), getattr(np, name)(kept))
        with pytest.raises(ValueError, match="compute_chunk_sizes"):
            x.argmin()
    x = ra.from_array(a, 3)
    with pytest.raises(ValueError, match="no identity"):
        x[x > 50].max().compute()


def test_reductions_run_on_processes():
    a = np.where(np.arange(40) % 7 == 3, np.nan, np.arange(40.0)).reshape(5, 8)
    x = ra.from_array(a, (2, 3))
    with rs.Client("processes", workers=1):
        np.testing.assert_allclose(ra.nanvar(x, axis=0).compute(), np.nanvar(a, axis=0))
        assert ra.nanargmax(x).compute() == 39
        assert ra.topk(ra.nansum(x, axis=0), 1).compute() == np.nansum(a, axis=0).max()
        np.testing.assert_allclose(ra.nancumsum(x, axis=1).compute(), np.nancumsum(a, axis=1))
        assert ra.ma.masked_invalid(x).rechunk(4).sum(axis=0).compute().tolist() == np.nansum(a, axis=0).tolist()
        np.testing.assert_allclose(ra.histogram(ra.nan_to_num(x), 4)[0].compute(), np.histogram(np.nan_to_num(a), 4)[0])
