from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest
import zarr
from zarr.storage import MemoryStore

import restride.array as ra
from restride.collections.array.operations import zarr_chunks
from restride.collections.array.operations.zarr_chunks import read, write

X = np.arange(60.0).reshape(6, 10)
CHUNK, CHUNKS = (slice(2, 4), slice(5, 8)), (slice(2, 4), slice(4, 8))


@pytest.fixture
def array(tmp_path):
    made = zarr.create_array(tmp_path / "x.zarr", data=X, chunks=(2, 5))
    return zarr.open_array(made.store_path, mode="r+")


@pytest.fixture
def threads(monkeypatch):
    """Names of the threads in which chunks were compressed or decompressed."""
    names = []
    for method in ("_decode_sync", "_encode_sync"):
        original = getattr(zarr.codecs.ZstdCodec, method)

        def call(self, *args, original=original):
            names.append(threading.current_thread().name)
            return original(self, *args)

        monkeypatch.setattr(zarr.codecs.ZstdCodec, method, call)
    return names


def test_a_part_of_one_chunk_is_read_and_written_by_the_thread_that_asks(array, threads):
    np.testing.assert_array_equal(read(array, CHUNK), X[CHUNK])
    write(array, CHUNK, -X[CHUNK])
    np.testing.assert_array_equal(read(array, CHUNK), -X[CHUNK])
    assert set(threads) == {threading.current_thread().name}


def test_several_chunks_are_read_and_written_at_once_by_threads_of_zarrs(array, threads):
    np.testing.assert_array_equal(read(array, CHUNKS), X[CHUNKS])
    write(array, CHUNKS, -X[CHUNKS])
    np.testing.assert_array_equal(array[CHUNKS], -X[CHUNKS])
    assert threading.current_thread().name not in threads


def test_other_stores_are_left_to_zarrs_event_loop(threads):
    array = zarr.create_array(MemoryStore(), data=X, chunks=(2, 5))
    np.testing.assert_array_equal(read(array, CHUNK), X[CHUNK])
    assert threading.current_thread().name not in threads


def test_where_an_event_loop_runs_zarrs_is_taken(array):
    async def inside():
        return read(array, CHUNK)

    np.testing.assert_array_equal(asyncio.run(inside()), X[CHUNK])


def test_arrays_without_axes_and_parts_without_elements_are_read(tmp_path, array):
    number = zarr.create_array(tmp_path / "number.zarr", data=np.array(3.0))
    assert read(number, ()) == 3
    write(number, (), np.array(4.0))
    assert ra.from_zarr(str(tmp_path / "number.zarr")).compute() == 4
    assert read(array, (slice(2, 2), slice(0, 5))).shape == (0, 5)


def test_errors_are_those_of_reading(tmp_path, array):
    (tmp_path / "x.zarr" / "c" / "1" / "1").write_bytes(b"nothing that can be decompressed")
    with pytest.raises(RuntimeError, match="Zstd"):
        read(array, CHUNK)


def test_event_loops_are_closed_with_their_threads(array, monkeypatch):
    closed = []
    original = zarr_chunks._Loop.close
    monkeypatch.setattr(zarr_chunks._Loop, "close", lambda self: (closed.append(id(self)), original(self))[1])
    loops = []

    def work():
        read(array, CHUNK)
        loops.append(id(zarr_chunks._own.owner.loop))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert closed == loops
