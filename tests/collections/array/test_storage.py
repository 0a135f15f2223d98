from __future__ import annotations

import os
import pickle
import shutil
import sys
import threading

import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st
from zarr.storage import LocalStore, MemoryStore

import restride as rs
import restride.array as ra
from restride.collections.array.operations import npy
from restride.collections.lowering import lower
from tests.collections.array.strategies import assert_same, pairs

X = np.arange(60.0).reshape(6, 10)
DTYPES = ["?", "i1", "u2", "i8", "f4", "f8", "c8", "c16"]


@pytest.fixture
def x():
    return ra.from_array(X, chunks=(2, 5))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.zarr"


# ---- zarr: what is written is what is read ---------------------------------------------------------------------------


@given(pairs(dtypes=DTYPES), st.sampled_from([2, 3]))
def test_an_array_comes_back_as_it_was_written(tmp_path_factory, pair, zarr_format):
    x, lazy = pair
    folder = tmp_path_factory.mktemp("store")
    assert ra.to_zarr(lazy, folder / "x", zarr_format=zarr_format) is None
    assert_same(ra.from_zarr(folder / "x"), x)
    assert os.listdir(folder) == ["x"]
    stored = zarr.open_array(folder / "x", mode="r")
    assert stored.metadata.zarr_format == zarr_format
    np.testing.assert_array_equal(stored[...], x)


def test_chunks_of_the_store_are_those_of_the_array(x, path):
    x.to_zarr(path)
    assert zarr.open_array(path).chunks == (2, 5)
    assert ra.from_zarr(path).chunks == x.chunks


def test_chunks_of_different_lengths_are_stored_in_the_longest(path):
    ragged = ra.from_array(X, chunks=((1, 3, 2), (5, 5)))
    ragged.to_zarr(path)
    assert zarr.open_array(path).chunks == (3, 5)
    assert_same(ra.from_zarr(path), X)


def test_blocks_of_several_whole_chunks_are_not_rechunked(x, path):
    writing = x.to_zarr(path, chunks=(1, 5), compute=False)
    assert sum(layer.count for layer in lower([writing.expr])[0].layers) == 6
    writing.compute()
    assert zarr.open_array(path).chunks == (1, 5)
    assert_same(ra.from_zarr(path, chunks=(2, -1)), X)


def test_no_two_blocks_write_to_one_shard(x, path):
    x.to_zarr(path, chunks=(1, 5), shards=(4, 10))
    assert zarr.open_array(path).shards == (4, 10)
    assert ra.from_zarr(path).chunks == ((4, 2), (10,))
    assert_same(ra.from_zarr(path), X)


def test_options_are_those_of_zarr(x, path):
    x.to_zarr(path, attributes={"unit": "K"}, compressors=None, dimension_names=["time", "x"])
    stored = zarr.open_array(path)
    assert dict(stored.attrs) == {"unit": "K"}
    assert stored.compressors == ()
    assert stored.metadata.dimension_names == ("time", "x")


@pytest.mark.parametrize("component", ["x", "a/b/x"])
def test_a_component_is_an_array_in_groups(x, path, component):
    x.to_zarr(path, component)
    (x + 1).to_zarr(path, "y")
    assert_same(ra.from_zarr(path, component), X)
    assert_same(ra.from_zarr(path, "y"), X + 1)
    np.testing.assert_array_equal(zarr.open_group(path, mode="r")[component][...], X)


def test_a_component_has_the_format_of_its_group(x, path):
    zarr.open_group(path, mode="w", zarr_format=2)
    x.to_zarr(path, "x")
    assert zarr.open_array(path / "x").metadata.zarr_format == 2
    with pytest.raises(ValueError, match="has Zarr format 2, its arrays cannot have 3"):
        x.to_zarr(path, "y", zarr_format=3)


def test_stores_and_arrays_of_zarr_are_read_as_well_as_paths(x, path):
    x.to_zarr(path)
    assert_same(ra.from_zarr(str(path)), X)
    assert_same(ra.from_zarr(f"file://{path}"), X)
    assert_same(ra.from_zarr(LocalStore(path)), X)
    assert_same(ra.from_zarr(zarr.open_array(path)), X)
    with pytest.raises(ValueError, match="component='y' is for stores"):
        ra.from_zarr(zarr.open_array(path), "y")


@pytest.mark.parametrize("store", [dict, MemoryStore])
def test_a_store_that_is_no_directory_is_written_in_place(x, store):
    store = store()
    x.to_zarr(store, "a/x", attributes={"unit": "K"})
    stored = ra.from_zarr(store, "a/x")
    assert_same(stored, X)
    assert dict(zarr.open_array(store, path="a/x").attrs) == {"unit": "K"}


def test_reading_runs_in_the_task_that_uses_the_block(x, path):
    x.to_zarr(path)
    graph, _ = lower([(ra.from_zarr(path) + 1).expr])
    assert [(layer.name, layer.count) for layer in graph.layers] == [("from_zarr-add", 6)]


def test_writing_runs_in_the_task_that_makes_the_block(x, path):
    graph, _ = lower([(x + 1).to_zarr(path, compute=False).expr])
    assert [(layer.name, layer.count) for layer in graph.layers] == [("fromarray-add-write", 6)]


def test_kernels_can_travel(x, path, tmp_path):
    x.to_zarr(path)
    ra.to_npy_stack(tmp_path / "stack", x)
    np.save(tmp_path / "x.npy", X)
    writings = [x.to_zarr(tmp_path / "y.zarr", compute=False), ra.to_npy_stack(tmp_path / "y", x, compute=False)]
    readings = [ra.from_zarr(path), ra.from_npy_stack(tmp_path / "stack"), ra.from_npy(tmp_path / "x.npy")]
    for collection in [*writings, *readings]:
        graph, _ = lower([collection.expr])
        for layer in graph.layers:
            if "fromarray" not in layer.name:
                pickle.loads(pickle.dumps(layer.kernel))


# ---- writing later ---------------------------------------------------------------------------------------------------


def test_nothing_is_written_until_it_is_computed(x, tmp_path):
    writing = ra.to_zarr(x, tmp_path / "x", compute=False)
    other = ra.to_npy_stack(tmp_path / "y", x, compute=False)
    assert os.listdir(tmp_path) == []
    assert repr(writing) == f"<Writing to {tmp_path / 'x'}>"
    assert rs.compute(writing, other) == (None, None)
    assert_same(ra.from_zarr(tmp_path / "x"), X)
    assert_same(ra.from_npy_stack(tmp_path / "y"), X)


def test_an_array_can_be_replaced_by_what_is_made_of_it(x, path):
    x.to_zarr(path)
    (ra.from_zarr(path) * 2).to_zarr(path, overwrite=True)
    assert_same(ra.from_zarr(path), X * 2)
    assert os.listdir(path.parent) == ["x.zarr"]


# ---- nothing is lost, nothing is mixed -------------------------------------------------------------------------------


def test_what_is_there_is_replaced_only_if_asked_for(x, path):
    x.to_zarr(path)
    with pytest.raises(FileExistsError, match=r"x\.zarr holds an array already; pass overwrite=True"):
        (x + 1).to_zarr(path, compute=False)
    assert_same(ra.from_zarr(path), X)
    store = {}
    x.to_zarr(store, "x")
    with pytest.raises(FileExistsError, match="a dict/x holds an array already"):
        (x + 1).to_zarr(store, "x", compute=False)


def test_nothing_but_an_array_is_ever_replaced(x, path, tmp_path):
    x.to_zarr(path, "x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").touch()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "zarr.json").write_text("{")
    for place in (path, tmp_path / "folder", tmp_path / "folder" / "file", tmp_path / "broken"):
        with pytest.raises(FileExistsError, match="no array that could be replaced"):
            x.to_zarr(place, overwrite=True)
    with pytest.raises(FileExistsError, match="no array that could be replaced"):
        ra.to_npy_stack(path / "x", x, overwrite=True)
    store = {}
    x.to_zarr(store, "a/x")
    with pytest.raises(FileExistsError, match="a dict/a is a Zarr group"):
        x.to_zarr(store, "a", overwrite=True)


def test_an_empty_directory_may_be_filled(x, path):
    path.mkdir()
    x.to_zarr(path)
    assert_same(ra.from_zarr(path), X)


def test_a_place_taken_in_the_meantime_is_not_replaced(x, path):
    writing = x.to_zarr(path, compute=False)
    (x + 1).to_zarr(path)
    with pytest.raises(FileExistsError):
        writing.compute()
    assert_same(ra.from_zarr(path), X + 1)


def test_readers_see_the_old_or_the_new_array_never_a_mixture(x, path):
    x.to_zarr(path)
    seen, begun, go_on = [], threading.Event(), threading.Event()

    def wait(block):
        begun.set()
        assert go_on.wait(30)
        return block + 1000

    with rs.Client(threads=2) as client:
        future = client.submit(lambda: x.map_blocks(wait).to_zarr(path, overwrite=True))
        assert begun.wait(30)
        seen.append(zarr.open_array(path)[...])
        go_on.set()
        future.result()
        seen.append(zarr.open_array(path)[...])
    np.testing.assert_array_equal(seen[0], X)
    np.testing.assert_array_equal(seen[1], X + 1000)


# ---- errors name the place -------------------------------------------------------------------------------------------


def test_a_missing_array_is_a_file_not_found(x, path):
    with pytest.raises(FileNotFoundError, match=r"no Zarr array at .*x\.zarr"):
        ra.from_zarr(path)
    x.to_zarr(path, "x")
    with pytest.raises(FileNotFoundError, match=r"no Zarr array at .*x\.zarr/y"):
        ra.from_zarr(path, "y")
    with pytest.raises(FileNotFoundError, match="no Zarr array at a dict/x"):
        ra.from_zarr({}, "x")


def test_a_group_is_no_array_and_the_error_lists_what_it_holds(x, path):
    x.to_zarr(path, "b")
    x.to_zarr(path, "a/c")
    with pytest.raises(ValueError, match=r"x\.zarr is a Zarr group.*it holds 'a', 'b'"):
        ra.from_zarr(path)


def test_metadata_cut_short_is_an_error_that_names_the_array(x, path):
    x.to_zarr(path)
    (path / "zarr.json").write_text((path / "zarr.json").read_text()[:50])
    with pytest.raises(ValueError, match=r"x\.zarr cannot be read"):
        ra.from_zarr(path)


def test_a_chunk_cut_short_is_an_error_that_names_the_array_and_the_place(x, path):
    x.to_zarr(path)
    chunk = path / "c" / "1" / "0"
    chunk.write_bytes(chunk.read_bytes()[:10])
    with pytest.raises(Exception) as info:
        ra.from_zarr(path).compute()
    assert f"while reading [2:4, 0:5] of {path}" in info.value.__notes__


def test_a_target_that_cannot_be_written_is_an_error_that_names_it(x, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        x.to_zarr(tmp_path / "file" / "x.zarr")


def test_impossible_chunks_are_errors_at_the_call(x, path):
    for chunks in ((2,), (2, 0), (2, 5, 1)):
        with pytest.raises(rs.ChunkError, match="one positive length for each of 2 axes"):
            x.to_zarr(path, chunks=chunks)
    x.to_zarr(path)
    with pytest.raises(rs.ChunkError):
        ra.from_zarr(path, chunks=(2, 5, 1))


def test_without_the_package_zarr_the_error_says_how_to_get_it(x, path, monkeypatch):
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(ImportError, match=r"pip install 'restride\[io\]'"):
        ra.from_zarr(path)
    with pytest.raises(ImportError, match=r"pip install 'restride\[io\]'"):
        x.to_zarr(path)


# ---- .npy ------------------------------------------------------------------------------------------------------------


@given(pairs(dtypes=DTYPES), st.data())
def test_a_npy_file_is_read_as_it_is(tmp_path_factory, pair, data):
    x, lazy = pair
    path = tmp_path_factory.mktemp("npy") / "x.npy"
    np.save(path, np.array(x, order=data.draw(st.sampled_from("CF"))))
    assert_same(ra.from_npy(path, chunks=lazy.chunks), x)


def test_headers_are_parsed_by_one_thread_at_a_time(tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", np.arange(40.0))
    x = ra.from_npy(tmp_path / "x.npy", chunks=4)
    held = []
    original = np.load

    def load(*args, **kwargs):
        held.append(npy.PARSING.locked())
        return original(*args, **kwargs)

    monkeypatch.setattr(np, "load", load)
    assert_same(x + 1, np.arange(40.0) + 1)
    assert held == [True] * 10


@given(pairs(dtypes=DTYPES, min_dims=1), st.data())
def test_a_stack_of_npy_files_comes_back_as_it_was_written(tmp_path_factory, pair, data):
    x, lazy = pair
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    path = tmp_path_factory.mktemp("stack") / "x"
    ra.to_npy_stack(path, lazy, axis)
    again = ra.from_npy_stack(path, data.draw(st.sampled_from(["r", "c", None])))
    assert_same(again, x)
    assert again.chunks[axis] == lazy.chunks[axis]
    files = [np.load(path / f"{number}.npy") for number in range(again.npartitions)]
    np.testing.assert_array_equal(np.concatenate(files, axis), x)


def test_structured_dtypes_come_back(tmp_path):
    records = np.array([(1, (2.0, 3.0)), (4, (5.0, 6.0))], dtype=[("a", "i4"), ("b", "f8", (2,))])
    ra.to_npy_stack(tmp_path / "x", ra.from_array(records, chunks=1))
    again = ra.from_npy_stack(tmp_path / "x")
    assert again.dtype == records.dtype
    np.testing.assert_array_equal(again.compute(), records)


def test_a_mapped_file_is_not_held_in_memory(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros(1_000_000))
    with rs.Client(threads=1) as client:
        x = ra.from_npy(tmp_path / "x.npy", chunks=100_000).persist()
        assert x.sum().compute() == 0
        assert client.nbytes < 1_000_000


def test_a_result_can_be_written_to_though_the_file_cannot(tmp_path):
    np.save(tmp_path / "x.npy", X)
    result = ra.from_npy(tmp_path / "x.npy", chunks=-1).compute()
    result += 1
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), X)


def test_a_stack_is_replaced_only_if_asked_for(x, tmp_path):
    ra.to_npy_stack(tmp_path / "x", x)
    with pytest.raises(FileExistsError, match="holds an array already"):
        ra.to_npy_stack(tmp_path / "x", x + 1)
    ra.to_npy_stack(tmp_path / "x", ra.ones(2, chunks=1), overwrite=True)
    assert_same(ra.from_npy_stack(tmp_path / "x"), np.ones(2))
    assert os.listdir(tmp_path) == ["x"]


def test_missing_files_are_errors_that_name_them(x, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"x\.npy"):
        ra.from_npy(tmp_path / "x.npy")
    with pytest.raises(FileNotFoundError, match=r"no stack of \.npy files at .*x: info\.json is missing"):
        ra.from_npy_stack(tmp_path / "x")
    ra.to_npy_stack(tmp_path / "x", x)
    (tmp_path / "x" / "1.npy").unlink()
    with pytest.raises(FileNotFoundError, match=r"1\.npy"):
        ra.from_npy_stack(tmp_path / "x").compute()


@pytest.mark.parametrize("mode", ["r", None])
def test_files_cut_short_are_errors_that_name_them(x, tmp_path, mode):
    ra.to_npy_stack(tmp_path / "x", x)
    for length in (0, 20, 150):
        content = (tmp_path / "x" / "0.npy").read_bytes()
        (tmp_path / "x" / "1.npy").write_bytes(content[:length])
        with pytest.raises(ValueError, match=r"1\.npy cannot be read as a \.npy file"):
            ra.from_npy_stack(tmp_path / "x", mode).compute()
        with pytest.raises(ValueError, match=r"1\.npy cannot be read as a \.npy file"):
            ra.from_npy(tmp_path / "x" / "1.npy")


def test_files_of_another_shape_than_described_are_errors_that_name_them(x, tmp_path):
    ra.to_npy_stack(tmp_path / "x", x)
    np.save(tmp_path / "x" / "1.npy", X)
    with pytest.raises(ValueError, match=r"1\.npy holds float64\(6, 10\), not float64\(2, 10\)"):
        ra.from_npy_stack(tmp_path / "x").compute()
    # Not a file of the stack, which other tasks may still copy from: one that is cut short while it is mapped is fatal.
    np.save(tmp_path / "alone.npy", X[:2])
    lazy = ra.from_npy(tmp_path / "alone.npy")
    np.save(tmp_path / "alone.npy", X)
    with pytest.raises(ValueError, match=r"alone\.npy holds float64\(6, 10\)"):
        lazy.compute()


def test_a_description_that_is_none_is_an_error_that_names_it(x, tmp_path):
    ra.to_npy_stack(tmp_path / "x", x)
    for content in ("{", "[]", '{"axis": 0, "chunks": 5, "dtype": "<f8"}'):
        (tmp_path / "x" / "info.json").write_text(content)
        with pytest.raises(ValueError, match=r"info\.json does not describe a stack"):
            ra.from_npy_stack(tmp_path / "x")


def test_python_objects_are_not_written(tmp_path):
    with pytest.raises(TypeError, match="no Python objects"):
        ra.to_npy_stack(tmp_path / "x", np.array([None]))
    with pytest.raises(np.exceptions.AxisError):
        ra.to_npy_stack(tmp_path / "x", X, axis=2)


class TestAZarrArrayThatHasBeen:
    """Zarr reads chunks that are missing as the fill value; an array that is gone has none but these."""

    @pytest.fixture
    def place(self, tmp_path):
        ra.arange(1, 25, chunks=4).reshape(4, 6).to_zarr(tmp_path / "x.zarr", fill_value=-1)
        return tmp_path / "x.zarr"

    def test_deleted_is_an_error_that_names_it(self, place):
        x = ra.from_zarr(place)
        shutil.rmtree(place)
        with pytest.raises(FileNotFoundError, match=f"{place} is not there any more"):
            x.sum().compute()

    def test_replaced_by_one_unlike_it_is_an_error_that_names_it(self, place):
        x = ra.from_zarr(place)
        ra.ones((1, 1)).to_zarr(place, overwrite=True)
        with pytest.raises(ValueError, match=f"{place} is another one now"):
            x[3, 3:].compute()

    def test_made_longer_is_read_as_it_was(self, place):
        x = ra.from_zarr(place)
        ra.full((4, 6), -1).to_zarr(place, append_axis=0)
        assert x.sum().compute() == 300

    @pytest.mark.parametrize("fill_value", [0.0, np.nan])
    def test_left_empty_is_all_fill_value(self, tmp_path, fill_value):
        zarr.create_array(str(tmp_path / "x.zarr"), shape=(4, 6), chunks=(2, 3), dtype="f8", fill_value=fill_value)
        x = ra.from_zarr(tmp_path / "x.zarr")
        np.testing.assert_array_equal(x.compute(), np.full((4, 6), fill_value))

    def test_deleted_in_an_object_store_is_an_error_too(self):
        store = MemoryStore()
        ra.ones(4, chunks=2).to_zarr(store)
        x = ra.from_zarr(store)
        store._store_dict.clear()
        with pytest.raises(FileNotFoundError, match="is not there any more"):
            x.sum().compute()
