from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride.array as ra
from tests.collections.array.strategies import assert_same, pairs


@given(
    pairs(min_dims=1, dtypes=["u2", "i8", "f4", "f8"]),
    st.sampled_from([4, 10, [-2, 0, 0.5, 3]]),
    st.none() | st.just((-1, 2.5)),
    st.booleans(),
    st.booleans(),
)
def test_histograms_are_numpys(pair, bins, limits, density, weighted):
    a, x = pair
    weights = np.arange(a.size, dtype=float).reshape(a.shape) if weighted else None
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = np.histogram(a, bins, limits, density=density, weights=weights)
        counts, edges = np.histogram(x, bins, limits, density=density, weights=weights)
        assert_same(edges, expected[1], rtol=1e-6)
        if not np.isnan(expected[0]).any():
            assert_same(counts, expected[0], rtol=1e-6)


def test_edges_may_be_computed():
    a = np.random.default_rng(0).random(100)
    x = ra.from_array(a, 9)
    edges = ra.linspace(0, 1, 6, chunks=2)
    assert_same(ra.histogram(x, edges)[0], np.histogram(a, np.linspace(0, 1, 6))[0])
    assert_same(ra.histogram_bin_edges(x, 7), np.histogram_bin_edges(a, 7))


def test_bools_have_histograms():
    counts, _ = ra.histogram(ra.asarray([True, False, True], chunks=2), 2)
    assert counts.compute().tolist() == [1, 2]


def test_bins_that_numpy_does_not_take_are_errors():
    x = ra.ones(3)
    with pytest.raises(TypeError, match="all data at once"):
        ra.histogram(x, "auto")
    with pytest.raises(ValueError, match="monotonically"):
        ra.histogram(x, [2, 1])
    with pytest.raises(ValueError, match="positive"):
        ra.histogram(x, 0, (0, 1))
    with pytest.raises(ValueError, match="same shape"):
        ra.histogram(x, 2, weights=np.ones(4))
    with pytest.raises(ValueError, match="finite"):
        ra.histogram(ra.asarray([np.nan, 1.0]), 2)[0].compute()


@pytest.mark.parametrize("density", [None, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("bins", [3, [2, 4, 3], [2, [0, 0.3, 1], 3]])
def test_histograms_of_points_are_numpys(bins, weighted, density):
    rng = np.random.default_rng(0)
    points, weights = rng.random((50, 3)), rng.random(50) if weighted else None
    for limits in (None, [(0, 1), None, (0.2, 0.8)]):
        expected, edges = np.histogramdd(points, bins, limits, density=density, weights=weights)
        mine = [
            np.histogramdd(ra.from_array(points, (7, 2)), bins, limits, density=density, weights=weights),
            np.histogramdd([ra.from_array(c, 7) for c in points.T], bins, limits, density=density, weights=weights),
        ]
        for counts, found in mine:
            assert_same(counts, expected, rtol=1e-12)
            for a, b in zip(found, edges):
                assert_same(a, b, rtol=1e-12)


def test_histograms_of_a_plane_are_numpys():
    x, y = np.random.default_rng(0).random((2, 40))
    for bins in (4, [3, 5], np.linspace(0, 1, 4)):
        mine = np.histogram2d(ra.from_array(x, 7), ra.from_array(y, 9), bins)
        for a, b in zip(mine, np.histogram2d(x, y, bins)):
            assert_same(a, b, rtol=1e-12)


@pytest.mark.parametrize("minlength", [0, 4, 30])
@pytest.mark.parametrize("weighted", [False, True])
def test_counts_by_value_are_numpys(weighted, minlength):
    rng = np.random.default_rng(0)
    a, weights = rng.integers(0, 9, 50), rng.random(50) if weighted else None
    counts = np.bincount(ra.from_array(a, 7), weights, minlength)
    expected = np.bincount(a, weights, minlength)
    assert np.isnan(counts.shape[0])
    assert counts.dtype == expected.dtype
    np.testing.assert_allclose(counts.compute(), expected)


def test_counts_by_what_is_no_value_are_errors():
    with pytest.raises(TypeError):
        ra.bincount(ra.ones(3))
    with pytest.raises(ValueError, match="one axis"):
        ra.bincount(ra.ones((3, 3), dtype=int))
    with pytest.raises(ValueError, match="same length"):
        ra.bincount(ra.ones(3, dtype=int), ra.ones(2))
