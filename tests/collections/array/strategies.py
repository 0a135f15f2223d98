"""What hypothesis makes arrays of: a numpy array and the same values in blocks."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

import restride.array as ra

DTYPES = ["?", "i1", "u2", "i8", "f4", "f8", "c8", "c16"]
NUMBERS = DTYPES[1:]
REALS = ["i1", "u2", "i8", "f4", "f8"]


def shapes(min_dims=0, max_dims=3, min_side=0, max_side=7):
    return st.lists(st.integers(min_side, max_side), min_size=min_dims, max_size=max_dims).map(tuple)


def axis_chunks(length):
    """Lengths of the blocks of an axis; now and then a block is empty."""
    cuts = st.lists(st.integers(0, length), max_size=3).map(sorted)
    return cuts.map(lambda cut: tuple(np.diff([0, *cut, length]).tolist()))


def chunks_of(shape):
    return st.tuples(*map(axis_chunks, shape))


def values(shape, dtype, seed):
    """Small numbers, so that sums and products of them are exact."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-3, 4, shape)
    if np.dtype(dtype).kind == "c":
        return (x + 1j * rng.integers(-3, 4, shape)).astype(dtype)
    return np.asarray(abs(x) if np.dtype(dtype).kind == "u" else x).astype(dtype)


@st.composite
def pairs(draw, shape=None, dtypes=DTYPES, **sides):
    """A numpy array, and the same in blocks."""
    shape = draw(shapes(**sides)) if shape is None else shape
    x = values(shape, draw(st.sampled_from(dtypes)), draw(st.integers(0, 1000)))
    return x, ra.from_array(x, draw(chunks_of(shape)))


@st.composite
def broadcasting_pairs(draw, n=2, dtypes=DTYPES):
    """Several pairs whose shapes broadcast."""
    shape = draw(shapes())
    made = []
    for _ in range(n):
        lead = draw(st.integers(0, len(shape)))
        part = tuple(1 if draw(st.booleans()) and draw(st.booleans()) else length for length in shape[lead:])
        made.append(draw(pairs(shape=part, dtypes=dtypes)))
    return made


def assert_same(lazy, expected, rtol=0.0):
    """What an array says of itself, and what it computes to, is what numpy gives."""
    assert isinstance(lazy, ra.Array)
    assert lazy.shape == np.shape(expected)
    assert lazy.dtype == expected.dtype
    assert all(sum(lengths) == length for lengths, length in zip(lazy.chunks, lazy.shape))
    result = lazy.compute()
    assert type(result) is (np.ndarray if lazy.ndim else type(expected[()]))
    assert result.dtype == expected.dtype
    assert result.shape == np.shape(expected)
    if rtol:
        np.testing.assert_allclose(result, expected, rtol=rtol, atol=rtol)
    else:
        np.testing.assert_array_equal(result, expected)
