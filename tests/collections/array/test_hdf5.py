from __future__ import annotations

import os
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride as rs
import restride.array as ra
from tests.collections.array.strategies import assert_same, pairs

h5py = pytest.importorskip("h5py")

X = np.arange(60.0).reshape(6, 10)
DTYPES = ["?", "i1", "u2", "i8", "f4", "f8", "c8", "c16"]


@pytest.fixture
def x():
    return ra.from_array(X, chunks=(2, 5))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.h5"


# ---- what is written is what is read ---------------------------------------------------------------------------------


@given(pairs(dtypes=DTYPES), st.data())
def test_an_array_comes_back_as_it_was_written(tmp_path_factory, pair, data):
    x, lazy = pair
    folder = tmp_path_factory.mktemp("file")
    assert ra.to_hdf5(folder / "x.h5", "/a/x", lazy) is None
    assert_same(ra.from_hdf5(folder / "x.h5", "/a/x", chunks=data.draw(st.sampled_from(["auto", None, -1, 2]))), x)
    assert os.listdir(folder) == ["x.h5"]


def test_chunks_and_options_are_those_of_the_dataset(x, path):
    x.to_hdf5(path, "x", compression="gzip")
    with h5py.File(path) as file:
        assert file["x"].chunks == (2, 5)
        assert file["x"].compression == "gzip"
    assert ra.from_hdf5(path, "x", chunks=None).chunks == x.chunks
    x.to_hdf5(path, "y", chunks=(3, 3))
    assert ra.from_hdf5(path, "y", chunks=None).chunks == ((3, 3), (3, 3, 3, 1))


def test_chunks_of_auto_are_whole_numbers_of_the_datasets_own(x, path):
    x.to_hdf5(path, "x")
    with rs.config.set({"array.chunk_size": 240}):
        assert ra.from_hdf5(path, "x").chunks == ((6,), (5, 5))


def test_several_arrays_are_written_to_one_file_together(x, path):
    ra.to_hdf5(path, {"/x": x, "/a/y": x + 1, "z": 5})
    assert_same(ra.from_hdf5(path, "x"), X)
    assert_same(ra.from_hdf5(path, "a/y"), X + 1)
    assert_same(ra.from_hdf5(path, "z"), np.int64(5))


def test_what_else_a_file_holds_stays(x, path):
    x.to_hdf5(path, "x")
    (x + 1).to_hdf5(path, "y")
    assert_same(ra.from_hdf5(path, "x"), X)
    assert_same(ra.from_hdf5(path, "y"), X + 1)


def test_datasets_of_an_open_file_are_arrays(x, path):
    x.to_hdf5(path, "x", chunks=(3, 5))
    with h5py.File(path) as file:
        y = ra.from_array(file["x"], chunks=None)
        assert y.chunks == ((3, 3), (5, 5))
        assert_same(y, X)
        assert (y + 1)[2, 3].compute() == X[2, 3] + 1


@pytest.mark.parametrize("library", ["h5netcdf", "netCDF4"])
def test_variables_of_netcdf_files_are_arrays(tmp_path, library):
    pytest.importorskip(library)
    xarray = pytest.importorskip("xarray")
    path = tmp_path / "x.nc"
    xarray.Dataset({"x": (("time", "place"), X)}).to_netcdf(path, engine=library.lower())
    assert_same(ra.from_hdf5(path, "x"), X)
    if library == "netCDF4":
        import netCDF4

        with netCDF4.Dataset(path) as file:
            assert_same(ra.from_array(file["x"], chunks=(2, 5)), X)
    else:
        import h5netcdf

        with h5netcdf.File(path, "r") as file:
            assert_same(ra.from_array(file["x"], chunks=(2, 5)), X)


# ---- other processes -------------------------------------------------------------------------------------------------


def test_other_processes_read_and_write_files(x, path):
    with rs.Client("processes", workers=2):
        ra.to_hdf5(path, {"x": x + 0, "deep/y": x * 2, "scalar": x.sum()})
        assert os.listdir(path.parent) == ["x.h5"]
        assert_same(ra.from_hdf5(path, "x"), X)
        assert_same(ra.from_hdf5(path, "scalar"), X.sum())
        with h5py.File(path) as file:
            assert_same(ra.from_array(file["deep/y"], chunks=(2, 5)) + 1, X * 2 + 1)


# ---- nothing is lost -------------------------------------------------------------------------------------------------


def test_what_is_there_is_replaced_only_if_asked_for(x, path):
    x.to_hdf5(path, "a/x")
    with pytest.raises(FileExistsError, match=r"x\.h5 holds 'a/x' already; pass overwrite=True"):
        (x + 1).to_hdf5(path, "a/x", compute=False)
    with pytest.raises(FileExistsError, match=r"'a' of .* is a group"):
        (x + 1).to_hdf5(path, "a", overwrite=True)
    assert_same(ra.from_hdf5(path, "a/x"), X)
    (x + 1).to_hdf5(path, "a/x", overwrite=True)
    assert_same(ra.from_hdf5(path, "a/x"), X + 1)


def test_a_file_of_another_kind_is_never_replaced(x, path):
    path.write_text("text")
    with pytest.raises(FileExistsError, match="cannot be opened as an HDF5 file"):
        x.to_hdf5(path, "x", overwrite=True)
    assert path.read_text() == "text"


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_a_writing_that_fails_leaves_the_file_as_it_was(x, path, kind):
    x.to_hdf5(path, "x")
    with rs.Client(kind):
        with pytest.raises(ZeroDivisionError):
            ra.to_hdf5(
                path, {"x": x.map_blocks(lambda block: block / 0 if block[0, 0] == 20 else 1 // 0)}, overwrite=True
            )
        assert os.listdir(path.parent) == ["x.h5"]
    assert_same(ra.from_hdf5(path, "x"), X)


def test_a_writing_can_be_computed_again(x, path):
    writing = x.to_hdf5(path, "x", compute=False)
    assert os.listdir(path.parent) == []
    writing.compute()
    path.unlink()
    writing.compute()
    assert_same(ra.from_hdf5(path, "x"), X)


# ---- errors name the place -------------------------------------------------------------------------------------------


def test_files_and_names_that_are_not_there_are_errors_that_tell_them(x, path):
    with pytest.raises(FileNotFoundError, match=r"no file .*x\.h5"):
        ra.from_hdf5(path, "x")
    x.to_hdf5(path, "a/x")
    with pytest.raises(FileNotFoundError, match=r"nothing called 'y' in .*x\.h5; it holds 'a'"):
        ra.from_hdf5(path, "y")
    with pytest.raises(ValueError, match=r"'a' of .*x\.h5 is a group, not a dataset; it holds 'x'"):
        ra.from_hdf5(path, "a")


def test_a_file_cut_short_is_an_error_that_names_it(x, path):
    x.to_hdf5(path, "x")
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ValueError, match=r"x\.h5 cannot be read as an HDF5 file"):
        ra.from_hdf5(path, "x")


def test_a_file_that_has_changed_is_an_error_that_names_it(x, path):
    x.to_hdf5(path, "x")
    y = ra.from_hdf5(path, "x")
    x[:3].to_hdf5(path, "x", overwrite=True)
    with pytest.raises(ValueError, match=r"x of .*x\.h5 holds float64\(3, 10\), not float64\(6, 10\)"):
        y.compute()


def test_python_objects_are_not_written(path):
    with pytest.raises(TypeError, match="no Python objects"):
        ra.to_hdf5(path, "x", np.array([None]))
    with pytest.raises(TypeError, match="a name and an array"):
        ra.to_hdf5(path, {"x": X}, X)


def test_without_h5py_the_error_says_how_to_get_it(x, path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    for call in (lambda: ra.from_hdf5(path, "x"), lambda: x.to_hdf5(path, "x")):
        with pytest.raises(ImportError, match=r"pip install 'restride\[io\]'"):
            call()
