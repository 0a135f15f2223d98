from __future__ import annotations

import os
import threading

import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st
from zarr.storage import FsspecStore, MemoryStore

import restride as rs
import restride.array as ra
from restride.collections.array.operations import zarr_parts
from restride.collections.array.operations.gate import Gate
from restride.collections.array.operations.zarr_parts import MARKERS
from tests.collections.array.strategies import assert_same

X = np.arange(60.0).reshape(6, 10)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.zarr"


@pytest.fixture(params=["directory", "format 2", "shards", "dict", "memory", "fsspec"])
def store(request, path):
    """A place that holds X, in chunks of (2, 5)."""
    places = {"dict": dict, "memory": MemoryStore, "fsspec": lambda: FsspecStore.from_url("memory://parts")}
    place = places.get(request.param, lambda: path)()
    options = {"format 2": {"zarr_format": 2}, "shards": {"chunks": (1, 5), "shards": (2, 5)}}.get(request.param, {})
    ra.to_zarr(ra.from_array(X, chunks=(2, 5)), place, "a/x", overwrite=True, **options)
    return place


def failing(shape, error=ZeroDivisionError):
    """An array of which the last block raises instead of being made."""
    x = ra.ones(shape, chunks=2)
    last = x.npartitions - 1

    def function(block, block_id):
        if np.ravel_multi_index(block_id, x.numblocks) == last:
            raise error("no such block")
        return block

    return x.map_blocks(function)


# ---- regions ---------------------------------------------------------------------------------------------------------


def test_a_region_is_replaced_and_nothing_else(store):
    ra.to_zarr(-ra.arange(8).reshape(2, 4), store, "a/x", region=(slice(1, 3), slice(6, None)))
    expected = X.copy()
    expected[1:3, 6:] = -np.arange(8).reshape(2, 4)
    assert_same(ra.from_zarr(store, "a/x"), expected)


@given(st.data())
def test_regions_of_any_alignment_are_written_whole(tmp_path_factory, data):
    shape = data.draw(st.tuples(st.integers(1, 12), st.integers(1, 12)))
    chunks = data.draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    path = tmp_path_factory.mktemp("store") / "x"
    ra.to_zarr(ra.zeros(shape), path, chunks=chunks)
    expected = np.zeros(shape)
    for value in (1.0, 2.0):
        region = tuple(slice(*sorted(data.draw(st.tuples(st.integers(0, n), st.integers(0, n))))) for n in shape)
        part = tuple(side.stop - side.start for side in region)
        ra.full(part, value, chunks=data.draw(st.integers(1, 6))).to_zarr(path, region=region)
        expected[region] = value
    assert_same(ra.from_zarr(path), expected)


def test_an_open_array_is_written_to_as_a_region(store):
    array = zarr.open_array(store, path="a/x", mode="r+")
    assert (ra.from_array(X, chunks=3) * 2).to_zarr(array) is None
    np.testing.assert_array_equal(array[...], X * 2)
    ra.zeros(6).reshape(6, 1).to_zarr(array, region=(slice(None), slice(9, 10)))
    np.testing.assert_array_equal(array[:, 9], 0)


def test_what_does_not_fit_is_refused_at_the_call(store):
    with pytest.raises(ValueError, match=r"shape \(2, 2\) does not fit \[0:3, 0:10\] of .*a/x"):
        ra.ones((2, 2)).to_zarr(store, "a/x", region=slice(0, 3))
    with pytest.raises(IndexError, match="ends at 7 along axis 0"):
        ra.ones((7, 10)).to_zarr(store, "a/x", region=slice(0, 7))
    with pytest.raises(IndexError, match="has 3 axes"):
        ra.ones((6, 10)).to_zarr(store, "a/x", region=(slice(None),) * 3)
    with pytest.raises(ValueError, match="slice without a step"):
        ra.ones((3, 10)).to_zarr(store, "a/x", region=slice(None, None, 2))
    with pytest.raises(TypeError, match="holds float64, to which complex128 cannot be cast"):
        ra.ones((6, 10), dtype=complex).to_zarr(store, "a/x", region=())
    with pytest.raises(ValueError, match="either region= or append_axis="):
        ra.ones((6, 10)).to_zarr(store, "a/x", region=(), append_axis=0)
    with pytest.raises(ValueError, match="got chunks, region, fill_value"):
        ra.ones((6, 10)).to_zarr(store, "a/x", region=(), chunks=(1, 1), fill_value=3)
    with pytest.raises(FileNotFoundError, match=r"no Zarr array at .*a/y"):
        ra.ones((6, 10)).to_zarr(store, "a/y", region=())
    assert_same(ra.from_zarr(store, "a/x"), X)


def test_a_region_whose_writing_failed_makes_the_array_incomplete_until_it_is_written_again(store):
    with pytest.raises(ZeroDivisionError):
        failing((4, 10)).to_zarr(store, "a/x", region=slice(1, 5))
    with pytest.raises(ValueError, match=r"a/x is incomplete: the region \[1:5, 0:10\] is being written"):
        ra.from_zarr(store, "a/x")
    with pytest.raises(ValueError, match="is incomplete"):
        ra.ones((6, 2)).to_zarr(store, "a/x", append_axis=1)
    ra.zeros((2, 10)).to_zarr(store, "a/x", region=slice(2, 4))
    with pytest.raises(ValueError, match="is incomplete"):
        ra.from_zarr(store, "a/x")
    ra.zeros((5, 10)).to_zarr(store, "a/x", region=slice(0, 5))
    assert_same(ra.from_zarr(store, "a/x"), np.concatenate([np.zeros((5, 10)), X[5:]]))


def test_regions_can_be_written_by_other_processes_and_at_once(path):
    ra.zeros((8, 10), chunks=(2, 5)).to_zarr(path)
    with rs.Client("processes", workers=2):
        parts = [
            ra.full((4, 10), k, chunks=3).to_zarr(path, region=slice(4 * k, 4 * k + 4), compute=False) for k in (0, 1)
        ]
        rs.compute(*parts)
    assert_same(ra.from_zarr(path), np.repeat([0.0, 1.0], 4)[:, None] + np.zeros(10))
    assert not os.listdir(path / MARKERS)


# ---- appending -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_what_is_appended_comes_after_what_there_was(store, axis):
    more = ra.from_array(-X[:3] if axis == 0 else -X[:, :3], chunks=2)
    more.to_zarr(store, "a/x", append_axis=axis)
    more.to_zarr(store, "a/x", append_axis=axis)
    assert_same(ra.from_zarr(store, "a/x"), np.concatenate([X, more, more], axis))


def test_until_all_is_appended_readers_see_what_there_was(store):
    seen = []

    def look(block):
        seen.append(np.asarray(ra.from_zarr(store, "a/x").expr.shape).tolist())
        return block

    with rs.Client("inline"):
        ra.ones((3, 10), chunks=1).map_blocks(look, dtype=float).to_zarr(store, "a/x", append_axis=0)
    assert set(map(tuple, seen)) == {(6, 10)}
    assert ra.from_zarr(store, "a/x").shape == (9, 10)


def test_appending_that_fails_leaves_what_there_was(store):
    with pytest.raises(ZeroDivisionError):
        failing((3, 10)).to_zarr(store, "a/x", append_axis=0)
    assert_same(ra.from_zarr(store, "a/x"), X)
    ra.from_array(X[:1]).to_zarr(store, "a/x", append_axis=0)
    assert_same(ra.from_zarr(store, "a/x"), np.concatenate([X, X[:1]]))


def test_appending_that_fails_leaves_no_files(path):
    ra.from_array(X, chunks=(2, 5)).to_zarr(path)
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    with pytest.raises(ZeroDivisionError):
        failing((4, 10)).to_zarr(path, append_axis=0)
    assert {file: file.read_bytes() for file in path.rglob("*") if file.is_file()} == before


def test_two_that_append_at_once_do_not_mix(store):
    one = ra.ones((2, 10), chunks=2).to_zarr(store, "a/x", append_axis=0, compute=False)
    ra.zeros((1, 10)).to_zarr(store, "a/x", append_axis=0)
    with pytest.raises(ValueError, match=r"had 6 elements along axis 0 .* now it has 7"):
        one.compute()
    assert_same(ra.from_zarr(store, "a/x"), np.concatenate([X, np.zeros((1, 10))]))


def test_what_cannot_be_appended_is_refused_at_the_call(store):
    with pytest.raises(ValueError, match="does not fit"):
        ra.ones((2, 9)).to_zarr(store, "a/x", append_axis=0)
    with pytest.raises(ValueError, match="does not fit"):
        ra.ones(10).to_zarr(store, "a/x", append_axis=0)
    with pytest.raises(np.exceptions.AxisError):
        ra.ones((2, 10)).to_zarr(store, "a/x", append_axis=2)


def test_other_processes_append_too(path):
    ra.from_array(X, chunks=(2, 5)).to_zarr(path)
    with rs.Client("processes", workers=2):
        ra.ones((7, 10), chunks=3).to_zarr(path, append_axis=0)
        with pytest.raises(ValueError, match="in the memory of this process"):
            ra.ones((6, 10)).to_zarr(zarr.create_array({}, data=X), region=())
    assert_same(ra.from_zarr(path), np.concatenate([X, np.ones((7, 10))]))


def test_what_is_being_written_when_a_computation_fails_is_there_before_the_error_is(store, monkeypatch):
    begun, may_end, order = threading.Event(), threading.Event(), []
    original, close = zarr_parts.write, Gate.close

    def slow(array, where, block):
        begun.set()
        assert may_end.wait(timeout=30)
        original(array, where, block)
        order.append("written")

    def closing(gate):
        may_end.set()
        close(gate)
        order.append("closed")

    monkeypatch.setattr(zarr_parts, "write", slow)
    monkeypatch.setattr(Gate, "close", closing)

    def function(block, block_id):
        if block_id[0]:
            assert begun.wait(timeout=30)
            raise ZeroDivisionError
        return block

    with rs.Client(threads=2), pytest.raises(ZeroDivisionError):
        ra.ones((4, 5), chunks=(2, 5)).map_blocks(function).to_zarr(store, "a/x", region=(slice(0, 4), slice(0, 5)))
    assert order == ["written", "closed"]
