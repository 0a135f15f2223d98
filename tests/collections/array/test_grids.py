"""Grids, and arrays that are made in other ways than one value after another, against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride as rs
import restride.array as ra
from restride.errors import BlockError, ChunkError
from tests.collections.array.strategies import assert_same, pairs, shapes


@given(st.data(), st.booleans(), st.sampled_from(["xy", "ij"]))
def test_meshgrid_is_numpys(data, sparse, indexing):
    made = [data.draw(pairs(min_dims=1, max_dims=1, max_side=4)) for _ in range(data.draw(st.integers(0, 3)))]
    expected = np.meshgrid(*(x for x, _ in made), sparse=sparse, indexing=indexing)
    result = ra.meshgrid(*(lazy for _, lazy in made), sparse=sparse, indexing=indexing)
    assert type(result) is tuple
    for ours, theirs in zip(result, expected, strict=True):
        assert_same(ours, theirs)
    if made and not sparse:
        assert len({grid.chunks for grid in result}) == 1


def test_a_grid_is_in_the_chunks_of_its_coordinates():
    x, y = ra.meshgrid(ra.arange(100, chunks=10), ra.arange(60, chunks=20))
    assert x.chunksize == y.chunksize == (20, 10)
    with pytest.raises(ValueError, match="indexing"):
        ra.meshgrid(x, indexing="yx")


@given(shapes(max_dims=3, max_side=4), st.sampled_from([int, "f4"]))
def test_indices_are_numpys(shape, dtype):
    assert_same(ra.indices(shape, dtype, chunks=2), np.indices(shape, dtype))
    for ours, theirs in zip(ra.indices(shape, dtype, sparse=True), np.indices(shape, dtype, sparse=True), strict=True):
        assert_same(ours, theirs)


@given(
    st.floats(-10, 10), st.floats(-10, 10), st.integers(0, 20), st.booleans(), st.sampled_from([None, int, "f4", "c8"])
)
def test_linspace_is_numpys_to_the_last_bit(start, stop, num, endpoint, dtype):
    expected, step = np.linspace(start, stop, num, endpoint, True, dtype)
    result, ours = ra.linspace(start, stop, num, endpoint, True, dtype, chunks=3)
    assert_same(result, expected)
    np.testing.assert_equal(ours, step)


def test_ranges_of_large_integers_have_as_many_as_they_should():
    assert ra.arange(2**60, 2**60 + 5, 2).compute().tolist() == list(range(2**60, 2**60 + 5, 2))


def test_array_copies_what_it_is_given():
    x = np.arange(20_000)
    lazy = ra.array(x, chunks=5_000)
    x[:] = 0
    assert lazy.sum().compute() == np.arange(20_000).sum()
    assert_same(ra.array([1, 2], float, ndmin=3), np.array([1, 2], float, ndmin=3))
    assert_same(ra.asanyarray([1, 2]), np.array([1, 2]))


def test_arrays_like_others_may_have_another_shape():
    x = ra.ones((4, 4), chunks=2)
    assert_same(np.zeros_like(x, shape=(3,), dtype=int), np.zeros(3, int))
    assert ra.ones_like(x).chunks == x.chunks
    with pytest.raises(ValueError, match="device"):
        ra.zeros(3, device="gpu")


def test_a_future_or_a_function_makes_an_array_of_one_block():
    with rs.Client("inline") as client:
        future = client.submit(np.arange, 4)
        assert_same(ra.from_delayed(future, (4,), int) + 1, np.arange(1, 5))
    assert_same(ra.from_delayed(lambda: np.eye(3), (3, 3), float).sum(axis=0), np.ones(3))
    assert_same(ra.from_func(np.full, (2,), meta_of := "f8", args=(2, 0.5)), np.full(2, 0.5, meta_of))
    assert ra.from_delayed(lambda: np.ones(2), (2,), meta=np.empty(0)).dtype == float


def test_what_makes_a_block_is_checked():
    with pytest.raises(BlockError, match="declared were shape"):
        ra.from_delayed(lambda: np.eye(3), (3, 2), float).compute()
    with pytest.raises(TypeError, match="needs a dtype"):
        ra.from_delayed(lambda: 1, ())
    with pytest.raises(TypeError, match="Future or a function"):
        ra.from_delayed(3, (), int)


def test_chunks_in_any_spelling_are_written_out():
    assert ra.normalize_chunks(((1, 2), (3,))) == ((1, 2), (3,))
    sides = [max(lengths) for lengths in ra.normalize_chunks("auto", (4000, 4000), limit="1 MiB", dtype="f8")]
    assert 2**18 < sides[0] * sides[1] * 8 <= 2**20
    assert ra.normalize_chunks((None, 2), (3, 4), previous_chunks=((1, 2), (4,))) == ((1, 2), (2, 2))
    with pytest.raises(ChunkError):
        ra.normalize_chunks((2, 2), (3,))
    with pytest.raises(TypeError, match="dtype"):
        ra.normalize_chunks("auto", (3,))
    with pytest.raises(ValueError, match="without a shape"):
        ra.normalize_chunks(3)


@given(pairs(max_dims=3, max_side=5))
def test_slices_of_chunks_cut_an_array_into_its_blocks(pair):
    x, lazy = pair
    cuts = ra.slices_from_chunks(lazy.chunks)
    assert len(cuts) == lazy.npartitions
    again = np.zeros_like(x)
    for cut in cuts:
        again[cut] = x[cut]
    np.testing.assert_array_equal(again, x)


def test_assert_eq_tells_arrays_apart():
    x = ra.arange(4, chunks=2)
    assert ra.utils.assert_eq(x, np.arange(4))
    assert ra.utils.assert_eq(ra.asarray([1.0, np.nan]), np.array([1.0, np.nan]))
    for other in (np.arange(5), np.arange(4.0), np.arange(4) + 1):
        with pytest.raises(AssertionError):
            ra.utils.assert_eq(x, other)
    assert ra.utils.meta_from_array(x).shape == (0,)
