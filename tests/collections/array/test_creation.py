from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride.array as ra
from restride.errors import ChunkError
from tests.collections.array.strategies import DTYPES, assert_same, chunks_of, pairs, shapes


@given(pairs())
def test_from_array_gives_the_array(pair):
    a, x = pair
    assert_same(x, a)


@given(shapes().flatmap(lambda shape: st.tuples(st.just(shape), chunks_of(shape))), st.sampled_from(DTYPES))
def test_constant_arrays_are_numpys(case, dtype):
    shape, chunks = case
    assert_same(ra.zeros(shape, dtype, chunks=chunks), np.zeros(shape, dtype))
    assert_same(ra.ones(shape, dtype, chunks=chunks), np.ones(shape, dtype))
    assert_same(ra.full(shape, 1, dtype, chunks=chunks), np.full(shape, 1, dtype))
    assert ra.empty(shape, dtype, chunks=chunks).compute().shape == shape


@pytest.mark.parametrize("value", [3, 2.5, 1j, True, np.float32(2), np.datetime64("2001-01-01")])
def test_full_has_the_dtype_of_its_value(value):
    assert_same(ra.full((2, 3), value, chunks=2), np.full((2, 3), value))


@given(st.integers(-5, 5), st.integers(-5, 15), st.sampled_from([1, 2, -3, 0.5]), st.integers(1, 5))
def test_arange_is_numpys(start, stop, step, chunks):
    assert_same(ra.arange(start, stop, step, chunks=chunks), np.arange(start, stop, step))
    assert_same(ra.arange(start, stop, step, "f4", chunks=chunks), np.arange(start, stop, step, "f4"))


@pytest.mark.parametrize(
    "arguments",
    [(6.0,), (0, 6.0), (np.float32(3),), (np.uint8(3),), (1, np.int32(4)), tuple(map(np.float32, (0, 3, 1)))],
)
def test_the_dtype_of_arange_is_that_of_all_its_bounds(arguments):
    assert_same(ra.arange(*arguments), np.arange(*arguments))


@given(st.integers(0, 9), st.booleans(), st.integers(1, 4))
def test_linspace_is_numpys(num, endpoint, chunks):
    assert_same(ra.linspace(1, 3, num, endpoint, chunks=chunks), np.linspace(1, 3, num, endpoint), rtol=1e-12)


def test_arrays_like_another_have_its_shape_chunks_and_dtype():
    x = ra.zeros((4, 6), "i2", chunks=(2, 3))
    for made, value in [(ra.zeros_like(x), 0), (ra.ones_like(x), 1), (np.full_like(x, 7), 7)]:
        assert made.chunks == x.chunks
        assert_same(made, np.full((4, 6), value, "i2"))
    assert_same(ra.ones_like(x, float), np.ones((4, 6)))
    assert ra.empty_like(x).shape == (4, 6)


def test_asarray_takes_what_numpy_takes():
    assert_same(ra.asarray([[1, 2], [3, 4]]), np.array([[1, 2], [3, 4]]))
    assert_same(ra.asarray(3.5), np.asarray(3.5))
    assert_same(ra.asarray([1, 2], "f4"), np.array([1, 2], "f4"))
    x = ra.ones(3)
    assert ra.asarray(x) is x
    assert ra.asarray(x, int).dtype == int


def test_from_array_takes_anything_that_can_be_sliced():
    class Squares:
        shape = (6,)
        dtype = np.dtype("i8")

        def __getitem__(self, where):
            (cut,) = where
            return [i * i for i in range(6)[cut]]

    assert_same(ra.from_array(Squares(), chunks=4), np.arange(6) ** 2)


def test_from_array_takes_memory_maps(tmp_path):
    a = np.arange(20.0).reshape(4, 5)
    np.save(tmp_path / "a.npy", a)
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    x = ra.from_array(mapped, chunks=(2, 5))
    assert_same(x + 1, a + 1)
    result = ra.from_array(mapped, chunks=-1).compute()
    assert type(result) is np.ndarray
    assert result.flags.owndata


def test_small_arrays_are_copied_and_large_ones_are_not():
    small, large = np.zeros(10), np.zeros(100_000)
    x, y = ra.from_array(small), ra.from_array(large)
    small[:] = large[:] = 1
    assert x.sum().compute() == 0
    assert y.sum().compute() == 100_000


def test_a_result_is_never_a_view_of_what_was_passed_in():
    large = np.zeros(100_000)
    result = ra.from_array(large).compute()
    result[:] = 1
    assert large.sum() == 0
    cut = ra.from_array(large)[10:].T.compute()
    cut[:] = 1
    assert large.sum() == 0


def test_wrong_arguments_are_errors_at_the_call():
    with pytest.raises(ChunkError):
        ra.from_array(np.zeros(10), chunks=((5, 6),))
    with pytest.raises(ValueError, match="scalar"):
        ra.full(3, [1, 2])
    with pytest.raises(ValueError, match="negative dimensions"):
        ra.zeros((2, -1))
    with pytest.raises(TypeError):
        ra.zeros(2.5)
    with pytest.raises(ZeroDivisionError):
        ra.arange(1, 5, 0)
    with pytest.raises(ValueError, match="non-negative"):
        ra.linspace(0, 1, -1)
