"""Feather and ORC: files of Arrow columns."""

from __future__ import annotations

import os

import pandas as pd
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal
from pyarrow import feather, orc

import restride.dataframe as rd
from restride.errors import SchemaError
from tests.collections.dataframe.io.test_read_parquet import FRAME


def test_feather_files_are_what_pandas_reads(tmp_path):
    FRAME[:5].to_feather(tmp_path / "0.feather")
    FRAME[5:].reset_index(drop=True).to_feather(tmp_path / "1.feather")
    expected = pd.concat([pd.read_feather(tmp_path / f"{i}.feather") for i in range(2)], ignore_index=True)
    df = rd.read_feather(tmp_path)
    assert (df.npartitions, len(df)) == (2, 10)
    assert_frame_equal(df.compute(), expected)
    assert_frame_equal(df[["s", "c"]].compute(), expected[["s", "c"]])
    assert_frame_equal(rd.read_feather(tmp_path, columns=["f"]).compute(), expected[["f"]])


def test_a_feather_directory_comes_back(tmp_path):
    frame = FRAME.set_index("t")
    rd.from_pandas(frame, npartitions=3).to_feather(tmp_path / "x", compression="zstd")
    assert sorted(os.listdir(tmp_path / "x")) == [f"part-0000{i}.feather" for i in range(3)]
    assert_frame_equal(rd.read_feather(tmp_path / "x").compute(), frame)
    with pytest.raises(FileExistsError, match="overwrite"):
        rd.from_pandas(frame).to_feather(tmp_path / "x")


def test_orc_files_are_what_pandas_reads(tmp_path):
    frame = FRAME[["i", "n", "f", "s", "t", "b"]]
    frame[:5].to_orc(tmp_path / "0.orc")
    frame[5:].reset_index(drop=True).to_orc(tmp_path / "1.orc")
    expected = pd.concat([pd.read_orc(tmp_path / f"{i}.orc") for i in range(2)], ignore_index=True)
    df = rd.read_orc(tmp_path)
    assert len(df) == 10
    assert_frame_equal(df.compute(), expected)
    assert_frame_equal(rd.read_orc(tmp_path, index="i").compute(), expected.set_index("i"))


@pytest.mark.parametrize("kind", ["feather", "orc"])
def test_integers_with_missing_values_anywhere_are_floats_everywhere(tmp_path, kind):
    write = feather.write_feather if kind == "feather" else orc.write_table
    write(pa.table({"x": [1, 2], "y": ["a", "b"]}), tmp_path / f"0.{kind}")
    write(pa.table({"x": pa.array([None, 4]), "z": [True, False]}), tmp_path / f"1.{kind}")
    df = getattr(rd, f"read_{kind}")(tmp_path)
    assert df.partitions[0].compute().x.dtype == float
    assert df.compute().x.isna().tolist() == [False, False, True, False]
    assert df.compute().y.isna().tolist() == [False, False, True, True]
    assert df.z.compute().tolist()[2:] == [True, False]


@pytest.mark.parametrize("kind", ["feather", "orc"])
def test_bad_files_are_named(tmp_path, kind):
    read = getattr(rd, f"read_{kind}")
    (tmp_path / f"x.{kind}").write_bytes(b"nonsense" * 10)
    with pytest.raises(ValueError, match=rf"x.{kind} cannot be read as"):
        read(tmp_path / f"x.{kind}")
    write = feather.write_feather if kind == "feather" else orc.write_table
    write(pa.table({"x": [1]}), tmp_path / f"x.{kind}")
    write(pa.table({"x": ["a"]}), tmp_path / f"y.{kind}")
    with pytest.raises(SchemaError, match=rf"x.{kind} and .* in .*y.{kind}"):
        read(tmp_path)
    with pytest.raises(ValueError, match=r"has no columns \['q'\]"):
        read(tmp_path / f"x.{kind}", columns=["q"])
