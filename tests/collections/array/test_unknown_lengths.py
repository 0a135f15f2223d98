from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride as rs
import restride.array as ra
from tests.collections.array.strategies import NUMBERS, assert_same, pairs


@st.composite
def masked_pairs(draw, **sides):
    """A numpy array and the same of unknown length along the first axis."""
    a, x = draw(pairs(min_dims=1, dtypes=NUMBERS, **sides))
    seed = draw(st.integers(0, 100))
    mask = np.random.default_rng(seed).random(len(a)) < draw(st.sampled_from([0.0, 0.3, 0.7, 1.0]))
    return a[mask], x[ra.from_array(mask, chunks=3)]


def assert_equal(lazy, expected, rtol=0.0):
    assert lazy.dtype == expected.dtype
    assert lazy.ndim == expected.ndim
    result = lazy.compute()
    assert result.shape == expected.shape
    np.testing.assert_allclose(result, expected, rtol=rtol, equal_nan=True)


@pytest.fixture
def x():
    return ra.from_array(np.arange(24.0).reshape(6, 4), chunks=(2, 3))


@pytest.fixture
def y(x):
    return x[x[:, 0] > 9]


def test_an_array_tells_which_lengths_it_does_not_know(y):
    assert np.isnan(y.shape[0])
    assert np.isnan(y.size)
    assert y.chunks[1] == (3, 1)
    assert y.numblocks == (3, 2)
    assert repr(y) == "<Array: shape (nan, 4), float64, 6 chunks of (nan, 3)>"
    assert "unknown" in y._repr_html_()


@given(masked_pairs(max_dims=2))
def test_work_on_elements_does_not_need_lengths(pair):
    a, x = pair
    assert_equal(x, a)
    assert_equal(x * 2 + x, a * 2 + a)
    assert_equal(x[..., None] == x[..., None], a[..., None] == a[..., None])
    assert_equal(ra.where(x != 0, x, 1), np.where(a != 0, a, a.dtype.type(1)))
    assert_equal(x.astype(complex).real, a.astype(complex).real)
    assert_equal(x.T, a.T)


@given(masked_pairs(max_dims=2), st.booleans())
def test_reductions_do_not_need_lengths(pair, keepdims):
    a, x = pair
    for axis in (None, *range(a.ndim)):
        for name in ("sum", "any", "all"):
            expected = np.asarray(getattr(a, name)(axis=axis, keepdims=keepdims))
            assert_equal(getattr(x, name)(axis=axis, keepdims=keepdims), expected, rtol=1e-5)
        count = a.size if axis is None else a.shape[axis]
        if count and a.size:
            for name in ("mean", "var", "min", "max"):
                expected = np.asarray(getattr(a, name)(axis=axis, keepdims=keepdims))
                np.testing.assert_allclose(
                    getattr(x, name)(axis=axis, keepdims=keepdims).compute(), expected, rtol=1e-5, atol=1e-5
                )


def test_the_least_of_nothing_is_an_error_on_compute(y):
    with pytest.raises(ValueError, match="zero-size array"):
        y[y[:, 0] > 1000].min().compute()


@given(masked_pairs(max_dims=2), st.data())
def test_concatenation_does_not_need_lengths(pair, data):
    a, x = pair
    axis = data.draw(st.integers(0, a.ndim - 1))
    assert_equal(ra.concatenate([x, x], axis), np.concatenate([a, a], axis))
    assert_equal(ra.stack([x, x], axis), np.stack([a, a], axis))


@given(masked_pairs(max_dims=3), st.data())
def test_axes_of_known_length_are_indexed_as_ever(pair, data):
    a, x = pair
    index = (
        slice(None),
        *(data.draw(st.one_of(st.slices(n), st.integers(-n, n - 1)) if n else st.slices(n)) for n in a.shape[1:]),
    )
    assert_equal(x[index], a[index])
    assert_equal(x[None], a[None])
    if a.ndim > 1 and a.shape[1]:
        assert_equal(x[:, [0, -1]], a[:, [0, -1]])
        assert_equal(x.rechunk({1: 2}), a)


@given(masked_pairs(max_dims=2))
def test_masks_apply_to_unknown_lengths(pair):
    a, x = pair
    if a.ndim == 1:
        assert_equal(x[x > 0], a[a > 0])
        x[x > 0] = 7
        a[a > 0] = 7
        assert_equal(x, a)
    else:
        assert_equal(x[(x > 0).any(axis=1)], a[(a > 0).any(axis=1)])
        assert_equal(x.rechunk({1: -1})[x.rechunk({1: -1}) > 0], a[a > 0])


@given(masked_pairs(max_dims=3))
def test_lengths_become_known_by_computing_them(pair):
    a, x = pair
    derived = x + 0
    assert x.compute_chunk_sizes() is x
    assert_same(x, a)
    assert_same(x[::-1], a[::-1])
    assert_same(derived.compute_chunk_sizes(), a)


def test_lengths_become_known_on_processes_too():
    with rs.Client("processes", workers=1):
        x = ra.arange(10, chunks=4)
        y = x[x % 3 == 0].compute_chunk_sizes()
        assert y.chunks == ((2, 1, 1),)
        np.testing.assert_array_equal(y[1:].compute(), [3, 6, 9])
        np.testing.assert_array_equal(x[x > 100].persist().compute(), [])


def test_blocks_of_unknown_length_persist(y):
    assert_equal(y.persist() + 1, np.arange(24.0).reshape(6, 4)[3:] + 1)


def test_map_blocks_may_leave_lengths_open(x):
    y = x.map_blocks(lambda block: block[block[:, 0] > 9], chunks=((np.nan,) * 3, (3, 1)))
    assert np.isnan(y.shape[0])
    z = x.rechunk({1: -1}).map_blocks(lambda block: block[block[:, 0] > 9], chunks=(np.nan, 4))
    assert_equal(z, np.arange(24.0).reshape(6, 4)[3:])
    assert_equal(z.map_blocks(np.negative), -np.arange(24.0).reshape(6, 4)[3:])


def test_constants_are_of_the_lengths_of_the_blocks_they_are_like(y):
    for name in ("zeros_like", "ones_like", "full_like"):
        value = (7,) if name == "full_like" else ()
        assert_equal(getattr(ra, name)(y, *value), getattr(np, name)(np.empty((3, 4)), *value))
        assert_equal(getattr(ra, name)(y, *value, dtype="i2"), getattr(np, name)(np.empty((3, 4), "i2"), *value))
    assert ra.empty_like(y).compute().shape == (3, 4)


@pytest.mark.parametrize("boundary", ["none", "reflect", "periodic", "nearest", 5.0])
@pytest.mark.parametrize("where", ["threads", "processes"])
def test_blocks_overlap_along_axes_of_known_length(y, boundary, where):
    with rs.Client("processes", workers=1) if where == "processes" else nullcontext():
        made = y.map_overlap(two_after, depth={1: (0, 2)}, boundary=boundary)
        whole = y.compute_chunk_sizes().map_overlap(two_after, depth={1: (0, 2)}, boundary=boundary)
        assert np.isnan(made.shape[0])
        np.testing.assert_array_equal(made.compute(), whole.compute())
        np.testing.assert_array_equal(made[:, 1:3].compute(), whole[:, 1:3].compute())


def two_after(block):
    return block + np.roll(block, -2, axis=1)


@pytest.mark.parametrize(
    "ask",
    [
        lambda x, y: y[0],
        lambda x, y: y[1:],
        lambda x, y: y[[0]],
        lambda x, y: y[::2],
        lambda x, y: len(y),
        lambda x, y: y + x,
        lambda x, y: y.rechunk(2),
        lambda x, y: y.rechunk((3, 4)),
        lambda x, y: y.reshape(-1, 2, 2),
        lambda x, y: y.argmin(axis=0),
        lambda x, y: y.nonzero(),
        lambda x, y: y.map_overlap(np.negative, depth=1),
        lambda x, y: ra.delete(y, 0, axis=0),
        lambda x, y: ra.unique(y, return_index=True),
        lambda x, y: y + x[[1, 2]][ra.asarray([True, False])],
    ],
)
def test_what_needs_lengths_says_how_to_know_them(x, y, ask):
    with pytest.raises(ValueError, match=r"compute_chunk_sizes\(\)"):
        ask(x, y)


def test_blocks_that_do_not_go_together_are_an_error_on_compute(x):
    a, b = x[x[:, 0] > 9], x[x[:, 0] < 9]
    with pytest.raises(ValueError, match="cannot be broadcast together"):
        (a + b).compute()
