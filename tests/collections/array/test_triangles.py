from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride.array as ra
from tests.collections.array.strategies import DTYPES, assert_same, chunks_of, pairs

OFFSETS = st.integers(-9, 9)
SIDES = st.integers(0, 7)


@given(pairs(min_dims=1), OFFSETS)
def test_triangles_are_numpys(pair, k):
    a, x = pair
    assert_same(np.tril(x, k), np.tril(a, k))
    assert_same(np.triu(x, k), np.triu(a, k))


@given(pairs(min_dims=2), OFFSETS, st.data())
def test_diagonals_and_traces_are_numpys(pair, k, data):
    a, x = pair
    axes = data.draw(st.permutations(range(a.ndim)))[:2]
    assert_same(np.diagonal(x, k, *axes), np.diagonal(a, k, *axes))
    assert_same(np.trace(x, k, *axes), np.asarray(np.trace(a, k, *axes)))
    assert_same(x.trace(k, *axes, dtype="c16"), np.asarray(a.trace(k, *axes, dtype="c16")))
    assert_same(np.linalg.diagonal(x, offset=k), np.linalg.diagonal(a, offset=k))
    assert_same(np.linalg.trace(x, offset=k), np.asarray(np.linalg.trace(a, offset=k)))


@given(pairs(min_dims=1, max_dims=2), OFFSETS)
def test_diag_is_numpys(pair, k):
    a, x = pair
    assert_same(np.diag(x, k), np.diag(a, k))
    assert_same(np.diagflat(x, k), np.diagflat(a, k))


def test_diag_keeps_what_is_not_finite_on_the_diagonal():
    assert_same(ra.diag(ra.asarray([np.nan, np.inf], chunks=1), 1), np.diag([np.nan, np.inf], 1))


@given(SIDES, st.none() | SIDES, OFFSETS, st.sampled_from(DTYPES), st.data())
def test_unit_matrices_and_masks_are_numpys(n, m, k, dtype, data):
    chunks = data.draw(chunks_of((n, n if m is None else m)))
    assert_same(ra.eye(n, m, k, dtype, chunks=chunks), np.eye(n, m, k, dtype))
    assert_same(ra.tri(n, m, k, dtype, chunks=chunks), np.tri(n, m, k, dtype))
    assert ra.eye(n, m).dtype == ra.tri(n, m).dtype == np.float64


@given(SIDES, st.none() | SIDES, OFFSETS, st.integers(1, 9))
def test_indices_of_triangles_are_numpys(n, m, k, chunks):
    for ours, theirs in [
        (ra.tril_indices(n, k, m, chunks=chunks), np.tril_indices(n, k, m)),
        (ra.triu_indices(n, k, m, chunks=chunks), np.triu_indices(n, k, m)),
        (ra.tril_indices_from(ra.ones((n, 3)), k), np.tril_indices_from(np.ones((n, 3)), k)),
        (ra.triu_indices_from(ra.ones((n, 3)), k), np.triu_indices_from(np.ones((n, 3)), k)),
    ]:
        for one, other in zip(ours, theirs):
            assert_same(one, other)


def test_bad_arguments_are_errors_as_in_numpy():
    x = ra.ones((2, 2, 2))
    for function in (np.diag, np.tril_indices_from):
        with pytest.raises(ValueError):
            function(x)
    with pytest.raises(ValueError, match="at least two"):
        ra.diagonal(x[0, 0])
    with pytest.raises(ValueError, match="cannot be the same"):
        ra.diagonal(x, 0, 1, -2)
    with pytest.raises(np.exceptions.AxisError):
        ra.trace(x, axis1=3)
    with pytest.raises(TypeError):
        ra.tril(ra.ones(()))
    with pytest.raises(ValueError, match="negative"):
        ra.eye(-1)


# ---- covariances -----------------------------------------------------------------------------------------------------


@st.composite
def observations(draw):
    shape = draw(st.sampled_from([(7,), (1, 7), (3, 7), (2, 7)]))
    a = np.random.default_rng(draw(st.integers(0, 9))).standard_normal(shape)
    a = a + 1j * a**2 if draw(st.booleans()) else a.astype(draw(st.sampled_from(["f4", "f8"])))
    return a, ra.from_array(a, draw(chunks_of(shape)))


WEIGHTS = [{}, {"fweights": np.arange(7)}, {"aweights": np.arange(7) / 3},
           {"fweights": np.arange(7), "aweights": np.arange(7) / 3}]  # fmt: skip


@given(
    observations(), st.none() | observations(), st.booleans(), st.sampled_from([None, 0, 2]), st.sampled_from(WEIGHTS)
)
def test_covariances_are_numpys(one, other, bias, ddof, weights):
    (a, x), (b, y) = one, other or (None, None)
    expected = np.cov(a, b, bias=bias, ddof=ddof, **weights)
    assert_same(np.cov(x, y, bias=bias, ddof=ddof, **weights), expected, rtol=1e-6)
    turned = np.cov(a.T, b if b is None else b.T, rowvar=False)
    assert_same(ra.cov(x.T, y if y is None else y.T, rowvar=False), turned, rtol=1e-6)


@given(observations(), st.none() | observations())
def test_correlations_are_numpys(one, other):
    (a, x), (b, y) = one, other or (None, None)
    expected = np.asarray(np.corrcoef(a, b))
    assert_same(np.corrcoef(x, y), expected, rtol=1e-6)


def test_too_few_observations_are_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeWarning, match="Degrees of freedom"):
            ra.cov(ra.ones((2, 1)))


def test_bad_weights_are_errors_as_in_numpy():
    x = ra.ones((2, 3))
    for weights, error in [
        ({"fweights": [0.5, 1, 1]}, TypeError),
        ({"fweights": [1, 1]}, RuntimeError),
        ({"aweights": [[1, 1, 1]]}, RuntimeError),
        ({"aweights": [-1, 1, 1]}, ValueError),
        ({"ddof": 0.5}, ValueError),
    ]:
        with pytest.raises(error):
            np.cov(np.ones((2, 3)), **weights)
        with pytest.raises(error):
            ra.cov(x, **weights)
    with pytest.raises(ValueError, match="more than 2"):
        ra.cov(ra.ones((2, 2, 2)))
