from __future__ import annotations

import math
import pickle
import threading
import warnings

import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st

import restride as rs
import restride.array as ra
from restride.collections.array.chunks import normalize_chunks
from restride.collections.array.operations.sources import ProcessLock
from tests.collections.array.strategies import assert_same

X = np.arange(60.0).reshape(6, 10)


class Stored:
    """An object with a shape and a dtype, stored in chunks."""

    def __init__(self, shape, chunks=None):
        self.shape = shape
        self.dtype = np.dtype(float)
        self.chunks = chunks

    def __getitem__(self, where):
        return np.ones([side.stop - side.start for side in where])


# ---- chunks that suit the store --------------------------------------------------------------------------------------


@given(st.data())
def test_chunks_of_auto_are_whole_numbers_of_the_stores_own_and_about_as_large_as_asked_for(data):
    ndim = data.draw(st.integers(1, 3))
    shape = tuple(data.draw(st.integers(1, 200)) for _ in range(ndim))
    unit = tuple(data.draw(st.integers(1, 50)) for _ in range(ndim))
    limit = data.draw(st.integers(8, 100_000))
    chunks = normalize_chunks("auto", shape, 8, limit=limit, unit=unit)
    assert tuple(map(sum, chunks)) == shape
    for lengths, size in zip(chunks, unit):
        assert all(length % size == 0 for length in lengths[:-1])
    assert math.prod(map(max, chunks)) <= max(limit // 8, math.prod(map(min, unit, shape)))


def test_chunks_of_the_object_are_taken_if_asked_for():
    assert ra.from_array(Stored((6, 10), (4, 5)), chunks=None).chunks == ((4, 2), (5, 5))
    assert ra.from_array(zarr.create_array({}, data=X, chunks=(3, 10)), chunks=None).chunks == ((3, 3), (10,))
    assert ra.from_array(Stored((6, 10)), chunks=None).chunks == ((6,), (10,))


def test_rechunk_to_auto_joins_chunks_and_cuts_none():
    x = ra.zeros((90, 90), chunks=(10, 30))
    with rs.config.set({"array.chunk_size": 8 * 30 * 60}):
        y = x.rechunk("auto")
        assert all(length % 10 == 0 for length in y.chunks[0])
        assert all(length % 30 == 0 for length in y.chunks[1])
        assert y.npartitions < x.npartitions
        assert max(y.chunksize) < 90


# ---- absurd chunks ---------------------------------------------------------------------------------------------------


def test_very_many_very_small_chunks_are_warned_of_with_what_to_do():
    with pytest.warns(
        ra.PerformanceWarning, match=r"250,000 chunks of 800 bytes.*Pass chunks=\(2500, 5000\)"
    ) as raised:
        ra.from_array(Stored((5000, 5000)), chunks=10)
    assert raised[0].filename == __file__
    with pytest.warns(ra.PerformanceWarning, match="250,000 chunks"):
        ra.zeros((5000, 5000)).rechunk(10)


def test_chunks_too_large_for_memory_are_warned_of_with_what_to_do():
    with pytest.warns(ra.PerformanceWarning, match=r"chunks of 7\.5 GiB.*chunks=\(\d+, 1000\)"):
        ra.from_array(Stored((10**6, 1000), (1, 500)), chunks=-1)


@pytest.mark.parametrize("chunks", [50, 1000, "auto", None])
def test_ordinary_chunks_are_not_warned_of(chunks):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ra.from_array(Stored((10_000, 10_000), (100, 100)), chunks=chunks)
        ra.from_array(np.zeros(10), chunks=-1)


# ---- objects of all kinds --------------------------------------------------------------------------------------------


def test_an_object_that_gives_another_shape_than_it_says_is_an_error_that_names_it():
    class Liar(Stored):
        def __getitem__(self, where):
            return np.ones((1, 2))

    with pytest.raises(ValueError, match=r"asked for elements of shape \(6, 10\), it gave \(1, 2\)") as raised:
        ra.from_array(Liar((6, 10)), chunks=-1).compute()
    assert "while reading [0:6, 0:10] of Liar" in raised.value.__notes__


def test_with_a_lock_an_object_is_sliced_once_at_a_time():
    busy = threading.Lock()

    class Single(Stored):
        def __getitem__(self, where):
            assert busy.acquire(blocking=False)
            block = super().__getitem__(where)
            busy.release()
            return block

    with rs.Client(threads=2):
        for lock in (True, threading.Lock()):
            assert ra.from_array(Single((100, 10)), chunks=1, lock=lock).sum().compute() == 1000


def test_copies_of_a_lock_are_one_lock():
    lock = ProcessLock()
    again = pickle.loads(pickle.dumps(lock))
    assert again._lock is lock._lock
    assert ProcessLock()._lock is not lock._lock


def test_parts_of_large_arrays_are_read_by_other_processes():
    values = np.random.default_rng(0).random((300, 400))
    with rs.Client("processes", workers=2):
        assert_same(ra.from_array(values, chunks=100)[150:260, ::-3], values[150:260, ::-3])
