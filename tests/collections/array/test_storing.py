from __future__ import annotations

import threading

import numpy as np
import pytest
import zarr
from hypothesis import given

import restride as rs
import restride.array as ra
from tests.collections.array.strategies import assert_same, pairs

X = np.arange(60.0).reshape(6, 10)


@pytest.fixture
def x():
    return ra.from_array(X, chunks=(2, 5))


class Target:
    """Takes one assignment at a time."""

    def __init__(self, shape):
        self.shape = shape
        self.values = np.zeros(shape)
        self.busy = threading.Lock()

    def __setitem__(self, where, block):
        assert self.busy.acquire(blocking=False)
        self.values[where] = block
        self.busy.release()


@given(pairs(dtypes=["f8"]))
def test_a_target_holds_what_was_stored(pair):
    a, x = pair
    target = np.full(a.shape, -1.0)
    assert ra.store(x, target) is None
    np.testing.assert_array_equal(target, a)


@pytest.mark.parametrize(
    "region", [(slice(1, 7), slice(2, 12)), (slice(6, 0, -1), slice(0, 20, 2)), (slice(-6, None), Ellipsis, slice(10))]
)
def test_a_region_of_a_target_is_stored_to(x, region):
    target, expected = np.zeros((8, 20)), np.zeros((8, 20))
    expected[region] = X
    x.store(target, regions=region)
    np.testing.assert_array_equal(target, expected)


def test_integers_in_regions_are_axes_that_the_array_lacks(x):
    target = np.zeros((3, 6, 2, 10))
    x.store(target, regions=(1, slice(None), -1, slice(None)))
    np.testing.assert_array_equal(target[1, :, 1], X)
    assert target.sum() == X.sum()


def test_several_arrays_are_stored_at_once_and_what_they_share_is_computed_once(x):
    made = []
    y = x.map_blocks(lambda block: (made.append(1), block)[1])
    targets = [np.zeros(X.shape), np.zeros(X.shape)]
    ra.store([y + 1, y + 2], targets)
    np.testing.assert_array_equal(targets[1] - targets[0], 1)
    assert len(made) == 6


def test_objects_of_unknown_kinds_are_assigned_to_one_block_at_a_time(x):
    target = Target(X.shape)
    with rs.Client(threads=2):
        x.store(target)
    np.testing.assert_array_equal(target.values, X)


def test_no_two_blocks_write_to_one_chunk_of_a_zarr_array():
    array = zarr.create_array({}, shape=(30, 7), chunks=(4, 3), dtype="f8")
    values = np.arange(27.0 * 7).reshape(27, 7)
    with rs.Client(threads=2):
        ra.from_array(values, chunks=(5, 2)).store(array, regions=(slice(3, 30), slice(None)))
    np.testing.assert_array_equal(array[3:], values)


def test_nothing_is_stored_until_it_is_computed(x):
    target = np.zeros(X.shape)
    writing = ra.store(x, target, compute=False)
    assert not target.any()
    assert repr(writing) == "<Writing to a ndarray of shape (6, 10)>"
    writing.compute()
    np.testing.assert_array_equal(target, X)


def test_what_was_stored_can_be_read_back(x):
    target = zarr.create_array({}, shape=(6, 12), chunks=(3, 4), dtype="f4")
    stored = x.store(target, regions=(slice(None), slice(2, None)), return_stored=True)
    assert_same(stored, X)
    (again,) = ra.store([x], [np.zeros(X.shape)], return_stored=True)
    assert_same(again[2:, 3] + 1, X[2:, 3] + 1)


def test_what_is_stored_later_is_stored_when_it_is_computed(x):
    target = np.zeros(X.shape)
    y = ra.store(x, target, return_stored=True, compute=False)
    assert not target.any()
    assert y.sum().compute() == X.sum()
    np.testing.assert_array_equal(target, X)


@pytest.mark.parametrize("region", [None, (slice(0, 6), slice(0, 20, 2)), (slice(1, 7), slice(2, 12))])
def test_a_zarr_array_that_was_not_written_to_the_end_says_so(x, tmp_path, region):
    def fail(block):
        raise ZeroDivisionError

    target = zarr.create_array(str(tmp_path / "x.zarr"), shape=(6, 10) if region is None else (8, 20), dtype="f8")
    with pytest.raises(ZeroDivisionError):
        ra.store(x.map_blocks(fail), target, regions=region)
    with pytest.raises(ValueError, match=r"x.zarr is incomplete"):
        ra.from_zarr(tmp_path / "x.zarr")
    ra.store(x, target, regions=region)
    assert_same(ra.from_zarr(tmp_path / "x.zarr"), target[...])


def test_a_zarr_array_in_memory_is_not_written_to_by_workers_elsewhere(x):
    with rs.Client("processes", workers=1), pytest.raises(ValueError, match="workers in others cannot write"):
        ra.store(x, zarr.create_array({}, shape=(6, 10), dtype="f8"))


def test_one_value_is_stored_in_a_target_without_axes(x):
    target, row = np.zeros(()), np.zeros(3)
    ra.store([x.sum(), x.max()], [target, row], regions=[(), (1,)])
    np.testing.assert_array_equal(target, X.sum())
    np.testing.assert_array_equal(row, [0, X.max(), 0])


def test_what_does_not_fit_is_refused_at_the_call(x):
    with pytest.raises(ValueError, match=r"shape \(6, 10\) cannot be stored in the target, of shape \(6, 9\)"):
        x.store(np.zeros((6, 9)))
    with pytest.raises(ValueError, match="cannot be stored in the region"):
        x.store(np.zeros((6, 10)), regions=(slice(1, None),))
    with pytest.raises(ValueError, match="needs a target"):
        ra.store([x, x], [np.zeros(X.shape)])
    with pytest.raises(TypeError, match="shape and __setitem__, got tuple"):
        ra.store([x], [()])
    with pytest.raises(ValueError, match="all sources must be"):
        ra.store([X], [np.zeros(X.shape)])


def test_workers_elsewhere_do_not_write_to_copies_of_what_is_here(x, tmp_path):
    array = zarr.create_array(str(tmp_path / "x"), shape=(6, 10), chunks=(4, 4), dtype="f8")
    with rs.Client("processes", workers=2):
        with pytest.raises(ValueError, match="is in this process"):
            x.store(np.zeros(X.shape))
        with pytest.raises(ValueError, match="is in this process"):
            x.store(np.zeros(X.shape), return_stored=True, compute=False).compute()
        x.store(array)
    np.testing.assert_array_equal(array[...], X)
