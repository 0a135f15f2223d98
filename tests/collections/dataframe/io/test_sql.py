"""SQL: tables and queries in partitions by ranges of a column, and frames into tables."""

from __future__ import annotations

import functools
import sqlite3

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import restride as rs
import restride.dataframe as rd

FRAME = pd.DataFrame(
    {
        "k": range(100),
        "x": np.arange(100) / 2,
        "s": ["it's", "b:c", None, "ü"] * 25,
        "late": [1] * 60 + [None] * 40,
        "d": pd.date_range("2020", periods=100, freq="h").astype(str),
        "odd name": range(100),
    }
)


def sqlite(path):
    return functools.partial(sqlite3.connect, path)


def sqlalchemy(path):
    pytest.importorskip("sqlalchemy")
    return f"sqlite:///{path}"


def adbc(path):
    dbapi = pytest.importorskip("adbc_driver_sqlite.dbapi")
    return functools.partial(dbapi.connect, str(path))


@pytest.fixture(params=[sqlite, sqlalchemy, adbc])
def con(request, tmp_path):
    path = tmp_path / "x.db"
    with sqlite3.connect(path) as connection:
        FRAME.to_sql("numbers", connection, index=False)
        FRAME.assign(k=FRAME.k.where(FRAME.k > 3)).to_sql("gaps", connection, index=False)
    connection.close()
    return request.param(path)


@pytest.mark.parametrize("options", [{"npartitions": 4}, {"divisions": [0, 10, 99]}, {"blocksize": 2000}, {}], ids=str)
def test_a_table_is_read_in_ranges_of_its_index(con, options):
    df = rd.read_sql_table("numbers", con, "k", **options)
    assert df.npartitions == len(df.divisions) - 1
    assert (df.npartitions > 1) == bool(options)
    expected = FRAME.astype({"s": df.dtypes.s, "d": df.dtypes.d, "late": float}).set_index("k")
    assert_frame_equal(df.compute(), expected)
    assert_frame_equal(df[["odd name"]].compute(), expected[["odd name"]])
    assert df.x.sum().compute() == FRAME.x.sum()
    assert len(df) == 100


def test_columns_are_chosen(con):
    df = rd.read_sql_table("numbers", con, "k", columns=["s", "x"], npartitions=2)
    assert df.compute().columns.tolist() == ["s", "x"]
    with pytest.raises(ValueError, match=r"numbers has no columns \['q'\]"):
        rd.read_sql_table("numbers", con, "k", columns=["q"])
    with pytest.raises(ValueError, match="numbers has no column 'q' to make the index of"):
        rd.read_sql_table("numbers", con, "q")


def test_rows_whose_index_is_missing_are_not_lost(con):
    df = rd.read_sql_table("gaps", con, "k", npartitions=3)
    assert not df.known_divisions
    assert sorted(df["odd name"].compute().tolist()) == list(range(100))


def test_without_an_index_there_is_one_partition(con):
    df = rd.read_sql_table("numbers", con)
    assert df.npartitions == 1
    assert df.compute().x.tolist() == FRAME.x.tolist()
    assert isinstance(df.compute().index, pd.RangeIndex)


def test_queries(con):
    df = rd.read_sql_query("SELECT k, x * 2 AS y, 'a:b' AS s FROM numbers WHERE k >= 50;", con, "k", npartitions=2)
    assert df.y.compute().to_dict() == dict(zip(range(50, 100), range(50, 100)))
    assert rd.read_sql("SELECT max(x) AS m FROM numbers", con).m.compute().tolist() == [49.5]
    assert len(rd.read_sql("numbers", con, "k", npartitions=2)) == 100


def test_an_index_of_text_needs_divisions(con):
    with pytest.raises(ValueError, match="pass divisions="):
        rd.read_sql_table("numbers", con, "d", npartitions=3)
    edges = ["2020-01-01 00:00:00", "2020-01-02 00:00:00", "2020-01-05 03:00:00"]
    df = rd.read_sql_table("numbers", con, "d", divisions=edges)
    assert df.map_partitions(len, meta=("n", "int64")).compute().tolist() == [24, 76]
    with pytest.raises(ValueError, match="ascend"):
        rd.read_sql_table("numbers", con, "k", divisions=[5, 1])


def test_an_empty_table(con):
    df = rd.read_sql_query("SELECT * FROM numbers WHERE k < 0", con, "k", npartitions=3)
    assert len(df.compute()) == 0


def test_a_frame_is_written_and_replaced_and_appended(con):
    df = rd.from_pandas(FRAME[["k", "x", "s"]], npartitions=3)
    df.to_sql("new", con, index=False)
    back = rd.read_sql_table("new", con).compute()
    assert_frame_equal(back, FRAME[["k", "x", "s"]].astype({"s": back.dtypes.s}))
    with pytest.raises(ValueError, match="already exists"):
        df.to_sql("new", con, index=False)
    df.to_sql("new", con, index=False, if_exists="append")
    assert len(rd.read_sql_table("new", con).compute()) == 200
    df.to_sql("new", con, if_exists="replace", index_label="row")
    assert rd.read_sql_table("new", con, "row").compute().index.tolist() == list(range(100))


def test_a_writing_that_fails_leaves_the_table_as_it_was(con):
    df = rd.from_pandas(FRAME[["k"]], npartitions=3)
    df.to_sql("new", con, index=False)

    def fail(part):
        if part.k.iloc[0] > 50:
            raise ZeroDivisionError
        return part

    with pytest.raises(ZeroDivisionError):
        df.map_partitions(fail, meta=df._meta).to_sql("new", con, index=False, if_exists="append")
    assert len(rd.read_sql_table("new", con).compute()) == 100


def test_an_engine_stands_for_its_url(tmp_path):
    library = pytest.importorskip("sqlalchemy")
    engine = library.create_engine(f"sqlite:///{tmp_path / 'x.db'}")
    rd.from_pandas(FRAME[["k"]], npartitions=2).to_sql("new", engine, index=False)
    assert_frame_equal(rd.read_sql_table("new", engine).compute(), FRAME[["k"]])


def test_a_connection_is_refused_as_each_task_makes_its_own():
    with pytest.raises(TypeError, match=r"a function that makes a connection.*not a Connection"):
        rd.read_sql("SELECT 1 AS x", sqlite3.connect(":memory:"))


def test_passwords_are_not_shown():
    pytest.importorskip("sqlalchemy")
    from restride.collections.dataframe.io.sql import Database

    assert "secret" not in Database("postgresql://user:secret@host/db").shown


@pytest.mark.slow
def test_other_processes_read(con):
    with rs.Client("processes", workers=2):
        assert rd.read_sql_table("numbers", con, "k", npartitions=4).x.sum().compute() == FRAME.x.sum()
