from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride as rs
import restride.array as ra
from restride.collections.array.operations import fft as operation
from restride.collections.array.operations.fft import gathered
from restride.collections.lowering import lower
from tests.collections.array.strategies import NUMBERS, REALS, assert_same, pairs

ALONG_ONE = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"]
ALONG_TWO = ["fft2", "ifft2", "rfft2", "irfft2"]
ALONG_SEVERAL = ["fftn", "ifftn", "rfftn", "irfftn"]
OF_REALS = {"rfft", "ihfft", "rfft2", "rfftn"}
NORMS = st.sampled_from([None, "backward", "ortho", "forward"])


@pytest.fixture(params=["blocks may grow", "blocks keep their size"], autouse=True, scope="module")
def small_block(request):
    """Of arrays as small as in tests all axes would end up in one block, if it were not for this."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "blocks keep their size":
            patch.setattr(operation, "SMALL_BLOCK", 1)
        yield


def both(name):
    return getattr(ra.fft, name), getattr(np.fft, name)


def assert_close(lazy, expected, dtype=None):
    # numpy scales half-precision numbers by a half-precision factor.
    single = 1e-3 if dtype == "f2" else 1e-4
    assert_same(lazy, expected, rtol=single if expected.dtype in (np.float32, np.complex64) else 1e-11)


def dtypes(name):
    return ["?", *(REALS if name in OF_REALS else NUMBERS)]


@given(st.data())
def test_transforms_along_one_axis_are_as_in_numpy(data):
    name = data.draw(st.sampled_from(ALONG_ONE))
    x, lazy = data.draw(pairs(dtypes=dtypes(name), min_dims=1, min_side=2))
    ours, theirs = both(name)
    kwargs = {
        "n": data.draw(st.none() | st.integers(1, 10)),
        "axis": data.draw(st.integers(-x.ndim, x.ndim - 1)),
        "norm": data.draw(NORMS),
    }
    assert_close(ours(lazy, **kwargs), theirs(x, **kwargs))


@given(st.data())
def test_transforms_along_several_axes_are_as_in_numpy(data):
    name = data.draw(st.sampled_from(ALONG_SEVERAL))
    x, lazy = data.draw(pairs(dtypes=dtypes(name), min_dims=1, min_side=2))
    ours, theirs = both(name)
    axes = data.draw(st.lists(st.integers(0, x.ndim - 1), min_size=1, unique=True))
    axes = [axis - x.ndim if data.draw(st.booleans()) else axis for axis in axes]
    s = data.draw(st.none() | st.lists(st.integers(1, 9) | st.just(-1), min_size=len(axes), max_size=len(axes)))
    norm = data.draw(NORMS)
    assert_close(ours(lazy, s, axes, norm), theirs(x, s, axes, norm))


@given(st.data())
def test_transforms_in_a_row_are_as_in_numpy(data):
    x, lazy = data.draw(pairs(dtypes=["?", *NUMBERS], min_dims=2, min_side=2))
    for _ in range(data.draw(st.integers(2, 4))):
        ours, theirs = both(data.draw(st.sampled_from(["fft", "fft", "ifft", "fftn", "rfft"])))
        if theirs is np.fft.rfft and x.dtype.kind == "c":
            continue
        axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
        kwargs = {"norm": data.draw(NORMS)}
        if theirs is np.fft.fftn:
            kwargs.update(axes=(axis,))
        else:
            kwargs.update(axis=axis, n=data.draw(st.none() | st.integers(1, 6)))
        x, lazy = theirs(x, **kwargs), ours(lazy, **kwargs)
    np.testing.assert_allclose(lazy, x, atol=1e-3 * max(abs(x).max(), 1) if x.dtype == "c8" else 1e-9)


@pytest.mark.parametrize("name", [*ALONG_TWO, *ALONG_SEVERAL])
def test_axes_are_by_default_those_that_numpy_takes(name):
    x = np.arange(120.0).reshape(4, 5, 6)
    ours, theirs = both(name)
    assert_close(ours(ra.from_array(x, chunks=(2, 3, 4))), theirs(x))


@pytest.mark.parametrize("name", ALONG_ONE)
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4", "i2", "?", "g"])
def test_dtypes_are_as_in_numpy(name, dtype):
    x = np.ones(6, dtype)
    ours, theirs = both(name)
    assert_close(ours(ra.from_array(x, chunks=2)), theirs(x), dtype)


def test_a_transform_and_its_inverse_give_back_the_array():
    x = np.random.default_rng(0).random((6, 5, 8))
    lazy = ra.from_array(x, chunks=(1, 5, 3))
    for forward, back in (("fftn", "ifftn"), ("rfftn", "irfftn"), ("rfft2", "irfft2"), ("fft", "ifft")):
        again = getattr(ra.fft, back)(getattr(ra.fft, forward)(lazy))
        np.testing.assert_allclose(again.compute(), x, atol=1e-13)


def test_an_empty_axis_beside_the_transformed_one_is_no_matter():
    assert_close(ra.fft.fft(ra.zeros((0, 4), chunks=2)), np.fft.fft(np.zeros((0, 4))))
    assert_close(ra.fft.irfft2(ra.zeros((0, 4, 3), chunks=2)), np.fft.irfft2(np.zeros((0, 4, 3))))


def test_no_axes_at_all_is_no_transform():
    x = ra.ones((2, 3))
    assert_same(ra.fft.fftn(x, axes=()), np.fft.fftn(np.ones((2, 3)), axes=()))


def test_numpys_functions_stay_lazy():
    x = ra.ones((4, 6), chunks=3)
    for name in [*ALONG_ONE, *ALONG_TWO, *ALONG_SEVERAL, "fftshift", "ifftshift"]:
        assert isinstance(getattr(np.fft, name)(x), ra.Array)


@given(st.data())
def test_shifts_are_as_in_numpy(data):
    x, lazy = data.draw(pairs(min_dims=1))
    axes = data.draw(st.none() | st.integers(-x.ndim, x.ndim - 1))
    name = data.draw(st.sampled_from(["fftshift", "ifftshift"]))
    ours, theirs = both(name)
    assert_same(ours(lazy, axes), theirs(x, axes))


def test_shifts_along_several_axes_are_as_in_numpy():
    x = np.arange(60).reshape(3, 4, 5)
    assert_same(ra.fft.fftshift(ra.from_array(x, chunks=2), (0, -1)), np.fft.fftshift(x, (0, -1)))


@given(st.integers(1, 20), st.sampled_from([1.0, 0.1, 3]), st.integers(1, 6))
def test_frequencies_are_as_in_numpy(n, d, chunks):
    assert_same(ra.fft.fftfreq(n, d, chunks=chunks), np.fft.fftfreq(n, d))
    assert_same(ra.fft.rfftfreq(n, d, chunks=chunks), np.fft.rfftfreq(n, d))


def test_mistakes_are_errors_at_the_call():
    x = ra.ones((4, 6), chunks=2)
    with pytest.raises(np.exceptions.AxisError):
        ra.fft.fft(x, axis=2)
    with pytest.raises(np.exceptions.AxisError):
        ra.fft.fft(ra.asarray(1.0))
    for n in (0, -1):
        with pytest.raises(ValueError, match="Invalid number of FFT data points"):
            ra.fft.fft(x, n)
    with pytest.raises(ValueError, match="Invalid number of FFT data points"):
        ra.fft.irfft(x[:, :1])
    with pytest.raises(ValueError, match="Invalid number of FFT data points"):
        ra.fft.fft(ra.zeros((3, 0)))
    with pytest.raises(ValueError, match="must have one length"):
        ra.fft.fft2(x, s=(4,))
    with pytest.raises(ValueError, match="twice"):
        ra.fft.fftn(x, axes=(0, -2))
    with pytest.raises(ValueError, match="Invalid norm value wrong"):
        ra.fft.fft(x, norm="wrong")
    with pytest.raises(TypeError):
        ra.fft.rfft(x * 1j)
    with pytest.raises(TypeError):
        ra.fft.fft(x, n=2.5)
    with pytest.raises(ValueError, match="at least 1 axis"):
        ra.fft.rfftn(x, axes=())


def layer_counts(x):
    graph, _ = lower([x.expr])
    return {layer.name: layer.count for layer in graph.layers}


def test_axes_in_one_block_are_transformed_where_the_block_is_made():
    x = ra.random.default_rng(0).random((40, 30, 20), chunks=(10, 30, 20))
    assert layer_counts(ra.fft.fft2(x)) == {"random-fftn": 4}
    assert layer_counts(abs(ra.fft.rfft(x)) ** 2) == {"random-rfft-absolute-square": 4}


def test_transforms_in_a_row_are_one_where_nothing_else_uses_the_first(monkeypatch):
    calls = []
    original = operation.TransformBlock.__call__
    monkeypatch.setattr(
        operation.TransformBlock, "__call__", lambda self, block: (calls.append(self.axes), original(self, block))[1]
    )
    x = ra.ones((2, 3, 4), chunks=(1, -1, -1))
    first = ra.fft.fft(x, axis=2)
    second = ra.fft.fft(first, axis=1)
    second.compute()
    assert calls == [(1, 2), (1, 2)]
    calls.clear()
    rs.compute(first, second)
    assert sorted(calls) == [(1,), (1,), (2,), (2,)]
    calls.clear()
    ra.fft.ifft(first, axis=1).compute()
    ra.fft.fft(first, axis=2).compute()
    ra.fft.fft(first, axis=1, norm="ortho").compute()
    assert all(len(axes) == 1 for axes in calls)


def test_two_axes_take_one_rechunk_from_row_slabs_to_column_slabs():
    y = ra.fft.fft2(ra.from_array(np.broadcast_to(np.complex64(1), (8000, 8000)), chunks=(100, 8000)))
    assert y.chunks == ((8000,), (100,) * 80)
    assert list(layer_counts(y).values()) == [80, 6400, 80, 80]


def test_gathering_splits_the_first_axes_that_stay_so_that_blocks_keep_their_size():
    mib = 2**20
    assert gathered(((10,) * 8, (256,), (512,)), [0], itemsize=8) == ((80,), (32,) * 8, (512,))
    assert gathered(((4,) * 8, (2,), (mib,)), [0], itemsize=8) == ((32,), (1, 1), (mib // 4,) * 4)
    assert gathered(((10, 10), (mib, mib)), [1], itemsize=8) == ((5,) * 4, (2 * mib,))


def test_gathering_takes_one_axis_at_a_time_where_all_would_make_blocks_too_large():
    tiles = ((1000,) * 8, (1000,) * 8)
    assert gathered(tiles, [0, 1], itemsize=8) == ((8000,), (125,) * 64)
    y = ra.fft.fft2(ra.zeros((8000, 8000), chunks=1000))
    assert np.prod(y.chunksize) * y.itemsize <= 16 * 1000**2


def test_an_axis_that_stays_cannot_be_split_further_than_to_single_elements():
    assert gathered(((1000,) * 3000, (2,)), [0], itemsize=8)[1] == (1, 1)
    assert gathered(((100_000,) * 30,), [0], itemsize=8) == ((3_000_000,),)
