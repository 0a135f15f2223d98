"""to_parquet: directories of files that pandas reads as the same frame, and that appear whole or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

import restride as rs
import restride.dataframe as rd
from restride.collections.writing import Writing
from restride.errors import SchemaError
from tests.collections.dataframe.io.test_read_parquet import FRAME


def fail(part):
    raise ZeroDivisionError


def files(path):
    return sorted(str(file.relative_to(path)) for file in path.rglob("*") if file.is_file())


@pytest.mark.parametrize("index", [None, "s", ["i", "c"], "t"], ids=str)
@pytest.mark.parametrize("npartitions", [1, 3])
def test_pandas_reads_what_it_would_have_written(tmp_path, index, npartitions):
    frame = FRAME if index is None else FRAME.set_index(index)
    frame.to_parquet(tmp_path / "pandas.parquet")
    expected = pd.read_parquet(tmp_path / "pandas.parquet")
    rd.from_pandas(frame, npartitions=npartitions).to_parquet(tmp_path / "ours")
    assert_frame_equal(pd.read_parquet(tmp_path / "ours"), expected)
    assert_frame_equal(rd.read_parquet(tmp_path / "ours", blocksize=1).compute(), expected)
    assert set(os.listdir(tmp_path)) == {"pandas.parquet", "ours"}


def series(values, dtype):
    return st.lists(values, min_size=5, max_size=5).map(lambda x: pd.Series(x, dtype=dtype))


values = st.one_of(
    series(st.one_of(st.none(), st.text(max_size=3)), "str"),
    series(st.floats(width=32), "float32"),
    series(st.integers(-(2**63), 2**63 - 1), "int64"),
    series(st.sampled_from(["a", "b", None]), pd.CategoricalDtype(["b", "a"])),
)


@settings(max_examples=20)
@given(st.lists(values, min_size=1, max_size=3), st.integers(1, 5))
def test_any_frame_comes_back(tmp_path_factory, columns, npartitions):
    path = tmp_path_factory.mktemp("any") / "x"
    frame = pd.DataFrame(dict(zip("abc", columns)))
    rd.from_pandas(frame, npartitions=npartitions).to_parquet(path)
    assert_frame_equal(pd.read_parquet(path), frame)
    assert_frame_equal(rd.read_parquet(path, blocksize=1).compute(), frame)


def test_the_index_is_written_if_asked_for(tmp_path):
    df = rd.from_pandas(FRAME[["i", "f"]], npartitions=2)
    df.to_parquet(tmp_path / "with", write_index=True)
    assert "__index_level_0__" in pq.read_schema(tmp_path / "with/part-00000.parquet").names
    assert_frame_equal(pd.read_parquet(tmp_path / "with"), FRAME[["i", "f"]])
    df = rd.from_pandas(FRAME.set_index("s")[["i"]], npartitions=2)
    df.to_parquet(tmp_path / "without", write_index=False)
    assert_frame_equal(pd.read_parquet(tmp_path / "without"), FRAME[["i"]])


def test_a_column_can_be_directories(tmp_path):
    frame = pd.DataFrame({"x": range(6), "k": list("abacab"), "n": [1, 1, 2, 2, 1, 1]})
    rd.from_pandas(frame, npartitions=2).to_parquet(tmp_path / "x", partition_on=["k", "n"])
    assert files(tmp_path / "x")[:2] == ["k=a/n=1/part-00000.parquet", "k=a/n=1/part-00001.parquet"]
    back = pd.read_parquet(tmp_path / "x")
    assert_frame_equal(rd.read_parquet(tmp_path / "x").compute(), back)
    back = back.astype({"k": "str", "n": "int64"}).sort_values("x", ignore_index=True)
    assert_frame_equal(back, frame)
    with pytest.raises(KeyError, match="q"):
        rd.from_pandas(frame).to_parquet(tmp_path / "y", partition_on="q")
    with pytest.raises(ValueError, match="leaves no column"):
        rd.from_pandas(frame).to_parquet(tmp_path / "y", partition_on=["x", "k", "n"])


def test_options_reach_the_writer(tmp_path):
    df = rd.from_pandas(FRAME[["i"]], npartitions=1)
    df.to_parquet(tmp_path / "x", compression="zstd", row_group_size=3, schema=pa.schema([("i", pa.int16())]))
    metadata = pq.read_metadata(tmp_path / "x/part-00000.parquet")
    assert (metadata.num_row_groups, metadata.row_group(0).column(0).compression) == (4, "ZSTD")
    assert pq.read_schema(tmp_path / "x/part-00000.parquet").field("i").type == pa.int16()


def test_files_can_be_named(tmp_path):
    df = rd.from_pandas(FRAME[["i"]], npartitions=2)
    df.to_parquet(tmp_path / "x", name_function=lambda i: f"data.{i}.parquet")
    assert files(tmp_path / "x") == ["data.0.parquet", "data.1.parquet"]
    with pytest.raises(ValueError, match="several partitions the name 'a'"):
        df.to_parquet(tmp_path / "y", name_function=lambda i: "a")


def test_nothing_is_written_before_it_is_computed(tmp_path):
    writing = rd.from_pandas(FRAME[["i"]], npartitions=2).to_parquet(tmp_path / "x", compute=False)
    assert isinstance(writing, Writing)
    assert not (tmp_path / "x").exists()
    writing.compute()
    assert_frame_equal(pd.read_parquet(tmp_path / "x"), FRAME[["i"]])


@pytest.mark.parametrize("mode", [{}, {"overwrite": True}, {"append": True}])
def test_a_writing_that_fails_leaves_what_there_was(tmp_path, mode):
    df = rd.from_pandas(FRAME[["i"]], npartitions=3)
    if mode:
        df.to_parquet(tmp_path / "x")
    before = files(tmp_path)
    with pytest.raises(ZeroDivisionError) as caught:
        df.map_partitions(fail, meta=df._meta).to_parquet(tmp_path / "x", **mode)
    assert files(tmp_path) == before
    assert os.listdir(tmp_path) == (["x"] if mode else [])
    assert caught.value.__notes__


def test_what_is_there_is_replaced_only_if_asked_for(tmp_path):
    df = rd.from_pandas(FRAME[["i"]], npartitions=3)
    df.to_parquet(tmp_path / "x")
    with pytest.raises(FileExistsError, match="holds a data set already; pass overwrite=True"):
        df.to_parquet(tmp_path / "x")
    (df + 1).to_parquet(tmp_path / "x", overwrite=True)
    assert_frame_equal(pd.read_parquet(tmp_path / "x"), FRAME[["i"]] + 1)
    (tmp_path / "x" / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="no data set that could be replaced"):
        df.to_parquet(tmp_path / "x", overwrite=True)


def test_frames_can_be_appended(tmp_path):
    df = rd.from_pandas(FRAME[["i", "s"]], npartitions=2)
    df.to_parquet(tmp_path / "x", append=True)
    df.to_parquet(tmp_path / "x", append=True)
    assert len(files(tmp_path / "x")) == 4
    expected = pd.concat([FRAME[["i", "s"]]] * 2, ignore_index=True)
    assert_frame_equal(rd.read_parquet(tmp_path / "x").compute(), expected)
    with pytest.raises(ValueError, match=r"has the columns \['i', 's'\]"):
        df[["i"]].to_parquet(tmp_path / "x", append=True)
    with pytest.raises(ValueError, match="has no stored index"):
        rd.from_pandas(FRAME[["i", "s"]].set_index(pd.Index(range(1, 11)))).to_parquet(tmp_path / "x", append=True)
    with pytest.raises(ValueError, match="choose one"):
        df.to_parquet(tmp_path / "x", append=True, overwrite=True)


def test_what_could_not_be_read_with_what_there_is_is_not_appended(tmp_path):
    df = rd.from_pandas(FRAME[["i", "s"]], npartitions=2)
    df.to_parquet(tmp_path / "x")
    with pytest.raises(
        SchemaError, match=r"column 'i' is int32 in .*part-00001.parquet and str in the frame to append"
    ):
        df.astype({"i": "str"}).to_parquet(tmp_path / "x", append=True)
    with pytest.raises(SchemaError, match="'i'"):
        df.astype({"i": "str"}).astype("category").to_parquet(tmp_path / "x", append=True)
    with pytest.raises(ValueError, match=r"directories by no columns, the frame to append by \['s'\]"):
        df.to_parquet(tmp_path / "x", append=True, partition_on="s")
    df.to_parquet(tmp_path / "hive", partition_on="s")
    with pytest.raises(ValueError, match=r"pass partition_on=\['s'\]"):
        df.to_parquet(tmp_path / "hive", append=True)
    assert len(rd.read_parquet(tmp_path / "x")) == len(rd.read_parquet(tmp_path / "hive")) == len(FRAME)


def test_the_name_of_an_index_that_counts_the_rows_comes_back(tmp_path):
    frame = pd.DataFrame({"x": range(10)}, index=pd.RangeIndex(10, name="n"))
    rd.from_pandas(frame, npartitions=3).to_parquet(tmp_path / "x")
    assert_frame_equal(rd.read_parquet(tmp_path / "x").compute(), frame)


def test_partitions_without_values_take_the_types_of_the_others(tmp_path):
    frame = pd.DataFrame({"o": [None, None, b"a", b"b"], "x": range(4)})
    rd.from_pandas(frame, npartitions=2).to_parquet(tmp_path / "x")
    assert_frame_equal(pd.read_parquet(tmp_path / "x"), frame)
    assert pq.read_schema(tmp_path / "x/part-00000.parquet").field("o").type == pa.binary()


def test_objects_of_different_types_are_an_error(tmp_path):
    frame = pd.DataFrame({"o": pd.Series([1, 2, b"a", b"b"], dtype=object)})
    with pytest.raises(SchemaError, match=r"column 'o' holds int64 in part-00000.parquet and binary in part-00001"):
        rd.from_pandas(frame, npartitions=2).to_parquet(tmp_path / "x")
    assert os.listdir(tmp_path) == []


def test_columns_of_one_name_are_an_error_at_the_call(tmp_path):
    frame = pd.DataFrame([[1, 2]], columns=["x", "x"])
    with pytest.raises(ValueError, match=r"[Dd]uplicate"):
        rd.from_pandas(frame).to_parquet(tmp_path / "x")


def test_empty_partitions_are_written(tmp_path):
    df = rd.from_pandas(FRAME, npartitions=3)
    df[df.i > 7].to_parquet(tmp_path / "x")
    expected = FRAME[FRAME.i > 7].astype({"o": "int64"})
    assert_frame_equal(rd.read_parquet(tmp_path / "x").compute(), expected)


@pytest.mark.slow
def test_other_processes_write_too(tmp_path):
    with rs.Client("processes", workers=2):
        rd.from_pandas(FRAME, npartitions=3).to_parquet(tmp_path / "x")
    assert_frame_equal(pd.read_parquet(tmp_path / "x"), FRAME.astype({"o": "int64"}))


def test_categories_that_are_not_known_yet_are_written(tmp_path):
    frame = pd.DataFrame({"c": ["a", "b", None, "c", "a", "d"]})
    frame.to_csv(tmp_path / "x.csv", index=False)
    df = rd.read_csv(tmp_path / "x.csv", dtype={"c": "category"}, blocksize=5, skip_blank_lines=False)
    df.to_parquet(tmp_path / "x")
    back = pd.read_parquet(tmp_path / "x")
    assert isinstance(back.c.dtype, pd.CategoricalDtype)
    assert_frame_equal(back.astype("str"), frame.astype("str"))
    assert_frame_equal(rd.read_parquet(tmp_path / "x").compute(), back)


def test_numbers_of_rows_need_not_be_known(tmp_path):
    df = rd.from_pandas(FRAME[["i"]], npartitions=3)
    df[df.i % 2 == 0].to_parquet(tmp_path / "x", write_index=False)
    assert pd.read_parquet(tmp_path / "x").i.tolist() == list(np.arange(0, 10, 2))


KILLED = """
import os, signal, sys
import pandas as pd
import restride as rs
import restride.dataframe as rd

def die(part):
    if part.x.iloc[0] >= 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return part

with rs.Client("inline"):
    df = rd.from_pandas(pd.DataFrame({"x": range(6)}), npartitions=3)
    df.map_partitions(die, meta=df._meta).to_parquet(sys.argv[1], overwrite=True)
"""


@pytest.mark.parametrize("before", [False, True])
def test_a_writing_that_is_killed_leaves_what_there_was(tmp_path, before):
    path = tmp_path / "x"
    if before:
        rd.from_pandas(FRAME[["i"]], npartitions=2).to_parquet(path)
    ended = subprocess.run([sys.executable, "-c", KILLED, str(path)], capture_output=True, timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    if before:
        assert_frame_equal(rd.read_parquet(path).compute(), FRAME[["i"]])
    else:
        assert not path.exists()
    assert [name for name in os.listdir(tmp_path) if not name.startswith(".x.incomplete")] == ["x"] * before
    rd.from_pandas(FRAME[["i"]]).to_parquet(path, overwrite=True)
    assert_frame_equal(pd.read_parquet(path), FRAME[["i"]])
