"""Frames made of functions, futures, arrays and other libraries' tables, and handed to them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal, assert_index_equal, assert_series_equal

import restride as rs
import restride.array as ra
import restride.dataframe as rd
from restride.errors import SchemaError
from tests.collections.dataframe.io.test_read_parquet import FRAME


@pytest.fixture
def df():
    return rd.from_pandas(FRAME, npartitions=3)


# ---- Arrow -----------------------------------------------------------------------------------------------------------


def test_a_frame_becomes_the_table_that_pandas_makes(df):
    table = pa.table(df)
    expected = pa.Table.from_pandas(FRAME, preserve_index=False)
    assert table.column_names == expected.column_names
    for name in table.column_names:
        assert table[name].to_pylist() == expected[name].to_pylist() or name == "f"
    assert table["f"].null_count == expected["f"].null_count
    assert table.schema.field("s").type == pa.string()


def test_a_stored_index_comes_last():
    frame = FRAME[["i"]].set_index(pd.MultiIndex.from_arrays([FRAME.s, FRAME.f], names=["s", None]))
    table = rd.from_pandas(frame, npartitions=2).to_arrow()
    assert table.column_names == ["i", "s", "__index_level_1__"]


def test_strings_are_no_dictionaries_outside(tmp_path):
    pd.DataFrame({"x": ["a", "b"] * 100}).to_parquet(tmp_path / "x.parquet")
    df = rd.read_parquet(tmp_path / "x.parquet")
    assert df.to_arrow().schema.field("x").type == pa.string()
    assert df.to_arrow()["x"].to_pylist() == ["a", "b"] * 100


def test_a_series_becomes_a_column(df):
    assert pa.chunked_array(df.i).to_pylist() == FRAME.i.tolist()


def test_the_older_protocol(df):
    from pyarrow.interchange import from_dataframe

    assert from_dataframe(df[["i", "s"]].__dataframe__()).column("s").to_pylist()[:2] == ["a", None]


@pytest.mark.parametrize("npartitions", [1, 3])
def test_a_table_becomes_the_frame_that_pandas_makes(npartitions):
    table = pa.Table.from_pandas(FRAME.set_index("t"))
    df = rd.from_arrow(table, npartitions)
    assert df.npartitions == npartitions
    assert_frame_equal(df.compute(), table.to_pandas())
    assert_frame_equal(rd.from_arrow(FRAME.drop(columns="o"), npartitions).compute(), FRAME.drop(columns="o"))


@pytest.mark.parametrize(
    "table",
    [
        pa.table({"x": pa.array([1, None]), "b": [True, False]}),
        pa.table({"x": pa.array([True, None]), "y": [1, 2]}),
        pa.table({"x": pa.array([None, None]), "d": pa.array([1, 2], pa.date32())}),
        pa.table({"x": pa.array([], pa.int64())}),
        pa.table({"c": pa.chunked_array([pa.array(["a"]).dictionary_encode(), pa.array(["b"]).dictionary_encode()])}),
    ],
    ids=lambda table: str(table.schema.types),
)
def test_tables_with_missing_values_and_objects(table):
    expected = table.to_pandas()
    assert_frame_equal(rd.from_arrow(table).compute(), expected)
    assert_frame_equal(
        rd.from_arrow(table, dtype_backend="pyarrow").compute(), table.to_pandas(types_mapper=pd.ArrowDtype)
    )


def test_what_gives_no_arrow_data_is_an_error():
    with pytest.raises(TypeError, match="__arrow_c_stream__"):
        rd.from_arrow([1, 2])


def test_readers_are_taken():
    table = pa.table({"x": [1, 2, 3]})
    reader = pa.RecordBatchReader.from_batches(table.schema, table.to_batches(1))
    assert rd.from_arrow(reader).x.sum().compute() == 6


def test_polars_takes_frames(df):
    pl = pytest.importorskip("polars")
    some = df[["i", "s", "f"]]
    assert pl.DataFrame(some).shape == (10, 3)
    assert_frame_equal(rd.from_arrow(pl.DataFrame(some)).compute(), FRAME[["i", "s", "f"]])


def test_duckdb_takes_frames_in_queries(df):
    duckdb = pytest.importorskip("duckdb")
    flights = df[["i", "s", "f"]]  # noqa: F841
    assert duckdb.sql("select sum(i) from flights").fetchall() == [(45,)]


def test_narwhals_takes_frames(df):
    nw = pytest.importorskip("narwhals")
    some = df[["i", "s"]]
    taken = nw.from_arrow(some, backend="pyarrow")
    assert taken.schema == {"i": nw.Int32(), "s": nw.String()}
    assert taken.select(nw.col("i").sum()).item() == 45
    older = pytest.importorskip("narwhals.stable.v1").from_native(some, eager_or_interchange_only=True)
    assert list(older.schema) == ["i", "s"]
    back = rd.from_arrow(taken.filter(nw.col("i") > 3))
    assert_frame_equal(back.compute(), FRAME[["i", "s"]][FRAME.i > 3].reset_index(drop=True))


# ---- functions and futures -------------------------------------------------------------------------------------------


def rows(start, stop, word="x"):
    return pd.DataFrame({word: range(start, stop)})


def test_a_function_makes_a_partition_of_each_value():
    df = rd.from_map(rows, [0, 3], [3, 5], word="n")
    assert df.npartitions == 2
    assert_frame_equal(df.compute(), pd.concat([rows(0, 3, "n"), rows(3, 5, "n")]))
    df = rd.from_map(rows, [0, 3], args=(5,), meta={"x": "int64"}, divisions=(0, 1, 5))
    assert df.divisions == (0, 1, 5)
    assert df.x.sum().compute() == sum(range(5)) + sum(range(3, 5))
    series = rd.from_map(lambda n: pd.Series([n] * n, name="s"), [1, 2])
    assert_series_equal(series.compute(), pd.Series([1, 2, 2], index=[0, 0, 1], name="s"))


def test_a_declared_meta_means_that_the_function_is_not_called():
    def fail(value):
        raise ZeroDivisionError

    df = rd.from_map(fail, [1], meta={"x": "int64"})
    with pytest.raises(ZeroDivisionError):
        df.compute()
    with pytest.raises(ZeroDivisionError):
        rd.from_map(fail, [1])


def test_a_function_that_makes_other_columns_is_an_error():
    df = rd.from_map(lambda n: pd.DataFrame({"x": [n]}), [1, 1.5], meta={"x": "int64"})
    with pytest.raises(SchemaError, match="'x' is of dtype float64"):
        df.compute()
    with pytest.raises(ValueError, match="equal length"):
        rd.from_map(rows, [1, 2], [3])
    with pytest.raises(ValueError, match="equal length"):
        rd.from_map(rows, [])
    with pytest.raises(ValueError, match="2 partitions have 3 divisions"):
        rd.from_map(rows, [0, 1], [1, 2], divisions=(0, 1))
    with pytest.raises(ValueError, match="ascend"):
        rd.from_map(rows, [0, 1], [1, 2], divisions=(2, 1, 3))
    with pytest.raises(TypeError, match="not a pandas object"):
        rd.from_map(lambda n: n, [1])


def test_futures_become_partitions_and_partitions_futures():
    with rs.Client("threads") as client:
        futures = client.map(rows, [0, 3], [3, 5])
        for df in (rd.from_delayed(futures), rd.from_delayed(futures, meta=rows(0, 0))):
            assert_frame_equal(df.compute(), pd.concat([rows(0, 3), rows(3, 5)]))
        parts = [part.result() for part in rd.from_delayed(futures).to_delayed()]
        assert_frame_equal(parts[1], rows(3, 5))
        wrong = rd.from_delayed(futures, meta={"y": "int64", "x": "int64"})
        with pytest.raises(SchemaError, match="expected 2 columns"):
            wrong.compute()
    assert rd.from_delayed([lambda: rows(0, 3)]).x.sum().compute() == 3
    with pytest.raises(TypeError, match="takes futures"):
        rd.from_delayed([1])


def test_partitions_as_futures_have_the_labels_of_the_whole(df):
    parts = [part.result() for part in df.to_delayed()]
    assert_frame_equal(pd.concat(parts), FRAME)


def test_dictionaries():
    assert_frame_equal(rd.from_dict({"x": [1, 2]}, npartitions=2).compute(), pd.DataFrame({"x": [1, 2]}))
    data = {"a": [1, 2], "b": [3, 4]}
    expected = pd.DataFrame.from_dict(data, orient="index", columns=["x", "y"])
    assert_frame_equal(rd.from_dict(data, orient="index", columns=["x", "y"]).compute(), expected)


# ---- arrays ----------------------------------------------------------------------------------------------------------


def test_arrays_become_frames_and_series():
    x = np.arange(12.0).reshape(6, 2)
    assert_frame_equal(rd.from_array(x, chunksize=4).compute(), pd.DataFrame(x))
    df = rd.from_array(ra.from_array(x, chunks=(2, 1)), columns=["a", "b"])
    assert df.npartitions == 3
    assert_frame_equal(df.compute(), pd.DataFrame(x, columns=["a", "b"]))
    series = rd.from_array(ra.arange(5, chunks=2), columns="n")
    assert_series_equal(series.compute(), pd.Series(range(5), name="n"))
    records = np.array([(1, 2.5), (3, 4.5)], dtype=[("x", "i8"), ("y", "f8")])
    assert_frame_equal(rd.from_array(records, chunksize=1).compute(), pd.DataFrame(records))
    unknown = ra.arange(10, chunks=3)
    assert rd.from_array(unknown[unknown > 4]).compute().tolist() == [5, 6, 7, 8, 9]


def test_arrays_that_are_no_frames_are_errors():
    with pytest.raises(ValueError, match="of 3 axes is no frame"):
        rd.from_array(np.zeros((1, 1, 1)))
    with pytest.raises(ValueError, match="needs as many labels"):
        rd.from_array(np.zeros((2, 2)), columns=["x"])
    with pytest.raises(ValueError, match="which has one name"):
        rd.from_array(np.zeros(2), columns=["x"])


def test_frames_become_arrays(df):
    numbers = df[["i", "n"]]
    x = numbers.to_array()
    assert (x.shape, x.dtype, x.chunks[0]) == ((10, 2), float, numbers.expr.lengths)
    np.testing.assert_array_equal(x.compute(), FRAME[["i", "n"]].to_numpy())
    np.testing.assert_array_equal((df.i.to_array() + 1).compute(), FRAME.i.to_numpy() + 1)
    some = df[df.i > 4].i
    assert np.isnan(some.to_array().shape[0])
    assert some.to_array(lengths=True).shape == (5,)
    assert some.to_array(lengths=[0, 2, 3]).compute().tolist() == [5, 6, 7, 8, 9]
    with pytest.raises(ValueError, match="have as many lengths"):
        some.to_array(lengths=[5])


def test_frames_become_records(df):
    some = df[["i", "f"]]
    found, expected = some.to_records().compute(), FRAME[["i", "f"]].to_records()
    assert found.dtype == expected.dtype
    assert found["i"].tolist() == expected["i"].tolist()
    assert some.to_records(index=False).dtype.names == ("i", "f")
    assert_index_equal(pd.Index(found["index"]), FRAME.index, exact=False)
