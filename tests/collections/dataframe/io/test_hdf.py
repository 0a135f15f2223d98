"""HDF: frames in HDF5 files of pandas and PyTables."""

from __future__ import annotations

import os

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import restride.dataframe as rd

FRAME = pd.DataFrame({"x": range(10), "s": list("abcdefghij"), "f": [0.5] * 10})


@pytest.fixture
def path(tmp_path):
    pytest.importorskip("tables")
    FRAME.to_hdf(tmp_path / "x.h5", key="table", format="table")
    FRAME.to_hdf(tmp_path / "x.h5", key="fixed", format="fixed")
    return tmp_path / "x.h5"


def test_tables_are_read_in_ranges(path):
    df = rd.read_hdf(path, "table", chunksize=4)
    assert (df.npartitions, len(df)) == (3, 10)
    assert_frame_equal(df.compute(), pd.read_hdf(path, "table"))
    assert df.x.compute().tolist() == list(range(10))
    assert_frame_equal(rd.read_hdf(path, "table", start=2, stop=5, columns=["s"]).compute(), FRAME[["s"]][2:5])


def test_fixed_frames_are_read_whole(path):
    df = rd.read_hdf(path, "fixed", chunksize=4)
    assert df.npartitions == 1
    assert_frame_equal(df.compute(), FRAME)
    with pytest.raises(ValueError, match="only be read whole"):
        rd.read_hdf(path, "fixed", start=3)


def test_frames_are_written_and_replaced(path):
    df = rd.from_pandas(FRAME, npartitions=3)
    df.to_hdf(path, "new")
    assert_frame_equal(pd.read_hdf(path, "new"), FRAME)
    assert_frame_equal(pd.read_hdf(path, "fixed"), FRAME)
    df[["x"]].to_hdf(path, "new", mode="w")
    assert_frame_equal(pd.read_hdf(path, "new"), FRAME[["x"]])
    assert os.listdir(path.parent) == ["x.h5"]


def test_a_writing_that_fails_leaves_the_file_as_it_was(path):
    def fail(part):
        raise ZeroDivisionError

    df = rd.from_pandas(FRAME, npartitions=3)
    with pytest.raises(ZeroDivisionError):
        df.map_partitions(fail, meta=df._meta).to_hdf(path, "table")
    assert os.listdir(path.parent) == ["x.h5"]
    assert_frame_equal(pd.read_hdf(path, "table"), FRAME)


def test_what_is_missing_is_named(path):
    with pytest.raises(KeyError, match=r"no frame 'q' in .*x.h5"):
        rd.read_hdf(path, "q")
    with pytest.raises(KeyError, match="'q'"):
        rd.read_hdf(path, "table", columns=["q"])
