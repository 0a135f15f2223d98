"""read_parquet: what pandas would read, in partitions planned from the footers."""

from __future__ import annotations

import operator
import os

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal, assert_series_equal

import restride as rs
import restride.dataframe as rd
from restride.collections.dataframe.io.parquet import reading
from restride.collections.dataframe.io.parquet.planning import plan_pieces
from restride.collections.dataframe.operations.completeness import may_miss
from restride.collections.dataframe.operations.known_ranges import known_range
from restride.errors import SchemaError

FRAME = pd.DataFrame(
    {
        "i": np.arange(10, dtype="int32"),
        "n": [1, None] * 5,
        "f": [0.5, np.nan, -0.0, np.inf, 1e300] * 2,
        "s": ["a", None, "ü", "", "a\n"] * 2,
        "c": pd.Categorical(["x", "y", None, "x", "y"] * 2, categories=["y", "unused", "x"]),
        "o": pd.Categorical([1, 2, 1, 2, 1] * 2, ordered=True),
        "t": pd.date_range("2020-01-01", periods=10, freq="h"),
        "z": pd.date_range("2020-01-01", periods=10, freq="D", tz="Europe/Berlin"),
        "d": pd.to_timedelta(np.arange(10), unit="s"),
        "b": [True, False] * 5,
        "I": pd.array([1, None] * 5, dtype="Int64"),
        "B": pd.array([True, None] * 5, dtype="boolean"),
        "a": pd.array(["u", None] * 5, dtype="string[pyarrow]"),
    }
)


@pytest.fixture
def parts(tmp_path):
    """A directory of three files of FRAME, the middle one in two row groups."""
    FRAME.iloc[:4].to_parquet(tmp_path / "part-0.parquet")
    FRAME.iloc[4:8].to_parquet(tmp_path / "part-1.parquet", row_group_size=2)
    FRAME.iloc[8:].to_parquet(tmp_path / "part-2.parquet")
    return tmp_path


def write(folder, *frames, **options):
    folder.mkdir(exist_ok=True)
    for i, frame in enumerate(frames):
        frame.to_parquet(folder / f"part-{i}.parquet", **options)
    return folder


@pytest.mark.parametrize("blocksize", ["auto", None, 1])
def test_a_directory_is_what_pandas_reads(parts, blocksize):
    df = rd.read_parquet(parts, blocksize=blocksize)
    assert df.npartitions == {"auto": 1, None: 3, 1: 4}[blocksize]
    assert len(df) == 10
    assert_frame_equal(df.compute(), pd.read_parquet(parts))


@pytest.mark.parametrize("backend", ["numpy_nullable", "pyarrow"])
def test_other_dtypes_are_those_of_pandas(parts, backend):
    df = rd.read_parquet(parts, dtype_backend=backend, blocksize=1)
    assert_frame_equal(df.compute(), pd.read_parquet(parts, dtype_backend=backend))


@pytest.mark.parametrize(
    "index",
    [
        pd.Index([3, 1, 2], name="k"),
        pd.Index(["a", None, "b"]),
        pd.RangeIndex(5, 11, 2, name="r"),
        pd.RangeIndex(3, name="r"),
        pd.RangeIndex(3, 0, -1),
        pd.date_range("2020", periods=3, name="t"),
        pd.MultiIndex.from_arrays([[1, 1, 2], ["a", "b", None]], names=["x", None]),
        pd.CategoricalIndex(["a", "b", "a"], name="c"),
    ],
    ids=str,
)
def test_the_index_that_pandas_wrote_is_restored(tmp_path, index):
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0]}, index=index)
    frame.to_parquet(tmp_path / "x.parquet", row_group_size=2)
    df = rd.read_parquet(tmp_path / "x.parquet", blocksize=1)
    assert df.npartitions == 2
    assert_frame_equal(df.compute(), frame, check_freq=False)
    assert_series_equal(df.x.compute(), frame.x, check_freq=False)


def test_an_index_can_be_named_or_left_out(tmp_path):
    frame = pd.DataFrame({"x": [1, 2], "y": ["a", "b"]}, index=pd.Index([7, 8], name="k"))
    path = tmp_path / "x.parquet"
    frame.to_parquet(path)
    assert_frame_equal(rd.read_parquet(path, index=False).compute(), frame.reset_index()[["x", "y", "k"]])
    assert_frame_equal(rd.read_parquet(path, index="y").compute(), frame.reset_index().set_index("y")[["x", "k"]])
    assert_frame_equal(rd.read_parquet(path, index=["k", "y"]).compute(), frame.reset_index().set_index(["k", "y"]))
    with pytest.raises(ValueError, match=r"no columns \['q'\] to make the index of"):
        rd.read_parquet(path, index="q")


def test_labels_that_are_no_strings_come_back(tmp_path):
    frame = pd.DataFrame([[1, 2.5]], columns=pd.Index([10, 20], name="numbers"))
    frame.columns = frame.columns.astype(str)
    ints = frame.set_axis(pd.Index([10, 20], name="numbers"), axis=1)
    ints.to_parquet(tmp_path / "x.parquet")
    assert_frame_equal(rd.read_parquet(tmp_path / "x.parquet").compute(), pd.read_parquet(tmp_path / "x.parquet"))


def test_columns_are_chosen_in_the_order_asked_for(parts):
    assert_frame_equal(rd.read_parquet(parts, columns=["s", "i"]).compute(), pd.read_parquet(parts)[["s", "i"]])
    assert_frame_equal(rd.read_parquet(parts, columns=[]).compute(), pd.read_parquet(parts)[[]])
    with pytest.raises(ValueError, match=r"has no columns \['q'\]; it has \['i', 'n'"):
        rd.read_parquet(parts, columns=["i", "q"])
    with pytest.raises(TypeError, match=r"columns=\['i'\]"):
        rd.read_parquet(parts, columns="i")


def test_only_columns_that_are_used_are_read(parts):
    df = rd.read_parquet(parts)
    text = str((df.i + df.n).sum().explain())
    assert "[i, n]" in text.partition("optimised")[2]


# ---- one dtype a column ----------------------------------------------------------------------------------------------


def test_integers_with_missing_values_anywhere_are_floats_everywhere(tmp_path):
    table = pa.table({"x": pa.array([1, 2], pa.int64())})
    pq.write_table(table, tmp_path / "0.parquet")
    pq.write_table(pa.table({"x": pa.array([None, 2**53 + 1], pa.int64())}), tmp_path / "1.parquet")
    df = rd.read_parquet(tmp_path, blocksize=1)
    assert df.x.dtype == float
    assert df.partitions[0].compute().x.dtype == float
    assert_frame_equal(df.compute(), pd.read_parquet(tmp_path))


def test_missing_values_are_looked_for_where_statistics_do_not_tell(tmp_path):
    table = pa.table({"x": pa.array([1, 2, None], pa.int16()), "y": pa.array([1, 2, 3])})
    pq.write_table(table, tmp_path / "0.parquet", write_statistics=False)
    df = rd.read_parquet(tmp_path)
    assert df.dtypes.tolist() == [np.dtype(float), np.dtype("int64")]
    assert_frame_equal(df.compute(), pd.read_parquet(tmp_path))


def test_truth_values_with_missing_ones_are_objects(tmp_path):
    pq.write_table(pa.table({"x": [True, False], "y": [1, 2]}), tmp_path / "0.parquet")
    pq.write_table(pa.table({"x": [None, False], "y": [1, 2]}), tmp_path / "1.parquet")
    df = rd.read_parquet(tmp_path, blocksize=1)
    assert_frame_equal(df.compute(), pd.read_parquet(tmp_path))
    assert_series_equal(df.y.compute(), pd.read_parquet(tmp_path).y)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("int32", "int64"),
        ("int64", "float32"),
        ("int64", "uint64"),
        ("float32", "float64"),
        ("int64", "Int64"),
        ("datetime64[ms]", "datetime64[ns]"),
    ],
)
def test_dtypes_of_two_files_become_what_concat_makes_of_them(tmp_path, one, other):
    frames = [pd.DataFrame({"x": pd.Series([1, 2], dtype=dtype)}) for dtype in (one, other)]
    write(tmp_path, *frames)
    expected = pd.concat(frames, ignore_index=True)
    for size in ("auto", 1):
        assert_frame_equal(rd.read_parquet(tmp_path, blocksize=size).compute(), expected)


def test_a_column_that_a_file_lacks_is_missing_there(tmp_path):
    frames = [
        pd.DataFrame({"x": [1, 2], "s": ["a", "b"], "c": pd.Categorical(["u", "v"])}),
        pd.DataFrame({"x": [3], "y": [4], "t": pd.to_datetime(["2020-01-01"])}),
    ]
    write(tmp_path, *frames)
    expected = pd.concat(frames, ignore_index=True)
    expected["c"] = expected["c"].astype("category")
    assert_frame_equal(rd.read_parquet(tmp_path, blocksize=1).compute(), expected)


def test_a_column_of_nothing_but_missing_values_takes_the_dtype_of_the_others(tmp_path):
    write(tmp_path, pd.DataFrame({"x": [None, None]}), pd.DataFrame({"x": ["a", "b"]}))
    expected = pd.DataFrame({"x": pd.Series([None, None, "a", "b"], dtype="str")})
    assert_frame_equal(rd.read_parquet(tmp_path, blocksize=1).compute(), expected)


def test_dtypes_that_do_not_go_together_are_an_error_that_names_both_files(tmp_path):
    write(tmp_path, pd.DataFrame({"x": [1]}), pd.DataFrame({"x": ["a"]}))
    with pytest.raises(SchemaError, match=r"'x' is int64 in .*part-0.parquet and str in .*part-1.parquet"):
        rd.read_parquet(tmp_path)


def test_files_with_other_indexes_are_an_error(tmp_path):
    frame = pd.DataFrame({"x": [1]})
    write(tmp_path, frame, frame.set_index(pd.Index([3], name="k")))
    with pytest.raises(ValueError, match=r"part-1.parquet has the index \['k'\]"):
        rd.read_parquet(tmp_path)


def test_categories_are_those_of_all_files(tmp_path):
    frames = [pd.DataFrame({"c": pd.Categorical(list(text), categories=list(text))}) for text in ("ba", "cab")]
    write(tmp_path, *frames)
    df = rd.read_parquet(tmp_path, blocksize=1)
    assert list(df.c.dtype.categories) == ["b", "a", "c"]
    assert_frame_equal(df.compute(), pd.read_parquet(tmp_path))


def test_columns_that_arrow_holds_otherwise_are_objects(tmp_path):
    import datetime as dt
    from decimal import Decimal

    table = pa.table(
        {
            "day": pa.array([dt.date(2020, 1, 1), None]),
            "price": pa.array([Decimal("1.50"), None]),
            "bytes": pa.array([b"a", None]),
            "list": pa.array([[1], None]),
            "struct": pa.array([{"a": 1}, None]),
            "x": [1, 2],
            "s": ["a", "b"],
        }
    )
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=1)
    df = rd.read_parquet(tmp_path, blocksize=1)
    assert_frame_equal(df.compute(), pd.read_parquet(tmp_path))
    assert_frame_equal(df[["x", "s"]].compute(), pd.read_parquet(tmp_path)[["x", "s"]])


# ---- partitions ------------------------------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 100)), max_size=20),
    st.one_of(st.none(), st.integers(1, 200), st.just("auto")),
)
def test_each_row_group_with_rows_is_in_one_partition_in_order(groups, blocksize):
    rows = np.array([rows for rows, _ in groups], int)
    sizes = np.array([size for _, size in groups], int)
    files = np.arange(len(groups)) // 3
    pieces = plan_pieces(sizes, rows, files, blocksize)
    assert pieces.groups.tolist() == np.flatnonzero(rows).tolist()
    assert pieces.starts[0] == 0
    assert pieces.starts[-1] == len(pieces.groups)
    assert (np.diff(pieces.starts) > 0).all() or not len(pieces.groups)
    if isinstance(blocksize, int):
        parts = np.split(pieces.groups, pieces.starts[1:-1])
        assert all(len(part) <= 1 or sizes[part].sum() <= blocksize for part in parts)


def test_files_are_read_in_the_natural_order_of_their_names(tmp_path):
    for i in (10, 9, 1):
        pd.DataFrame({"x": [i]}).to_parquet(tmp_path / f"part.{i}.parquet")
    assert rd.read_parquet(tmp_path).x.compute().tolist() == [1, 9, 10]
    assert rd.read_parquet(str(tmp_path / "part.1*.parquet")).x.compute().tolist() == [1, 10]
    listed = [tmp_path / "part.10.parquet", tmp_path / "part.1.parquet"]
    assert rd.read_parquet(listed).x.compute().tolist() == [10, 1]


def test_hidden_files_are_no_data(tmp_path):
    write(tmp_path, pd.DataFrame({"x": [1]}))
    (tmp_path / "_SUCCESS").write_text("")
    (tmp_path / ".crc").write_text("")
    assert rd.read_parquet(tmp_path).x.compute().tolist() == [1]


def test_no_rows_at_all_are_one_empty_partition(tmp_path):
    write(tmp_path, FRAME.iloc[:0], FRAME.iloc[:0])
    df = rd.read_parquet(tmp_path)
    assert (df.npartitions, len(df)) == (1, 0)
    assert_frame_equal(df.compute(), FRAME.iloc[:0].astype({"o": df.dtypes.o, "c": df.dtypes.c}))


def test_divisions_are_known_where_statistics_say_that_the_index_is_sorted(tmp_path):
    frames = [pd.DataFrame({"x": [1, 2]}, index=pd.Index(keys, name="k")) for keys in ([2, 1], [4, 7], [8, 9])]
    df = rd.read_parquet(write(tmp_path / "sorted", *frames), blocksize=1)
    assert df.divisions == (1, 4, 8, 9)
    df = rd.read_parquet(write(tmp_path / "not", *frames[::-1]), blocksize=1)
    assert not df.known_divisions
    dated = [pd.DataFrame({"x": [1]}, index=pd.DatetimeIndex([day])) for day in ("2020-01-01", "2020-01-02")]
    df = rd.read_parquet(write(tmp_path / "dated", *dated), blocksize=1)
    assert df.divisions == (pd.Timestamp("2020-01-01"), pd.Timestamp("2020-01-02"), pd.Timestamp("2020-01-02"))


def test_ranges_of_integers_are_known(parts):
    df = rd.read_parquet(parts, columns=["s", "i", "f"])
    assert [known_range(df.expr, place) for place in range(3)] == [None, (0, 9), None]
    assert known_range(df[df.f > 1][["i"]].expr, 0) == (0, 9)


def test_it_is_known_where_no_value_is_missing(parts):
    df = rd.read_parquet(parts, columns=["t", "s", "i", "f"])
    assert [may_miss(df.expr, place) for place in range(4)] == [False, True, False, True]


def test_strings_of_few_values_are_read_as_codes(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"few": rng.choice(["a", "b", None], 1000), "many": np.arange(1000).astype(str)})
    frame.to_parquet(tmp_path / "x.parquet", row_group_size=300)
    df = rd.read_parquet(tmp_path)
    table = df.expr.kernel()(df.expr.params()[0])
    assert table.schema.types == [pa.dictionary(pa.int32(), pa.string()), pa.string()]
    assert_frame_equal(df.compute(), frame)


def test_floats_carry_nan_and_no_nulls(tmp_path):
    pq.write_table(pa.table({"x": pa.array([1.0, None], pa.float32())}), tmp_path / "x.parquet")
    df = rd.read_parquet(tmp_path)
    table = df.expr.kernel()(df.expr.params()[0])
    assert table.column(0).null_count == 0
    assert np.isnan(table.column(0)[1].as_py())


# ---- filters ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "filters",
    [
        [("i", ">", 5)],
        [("i", ">=", 2), ("i", "<", 7), ("s", "==", "a")],
        [[("i", "==", 0)], [("s", "in", ["ü", "q"])]],
        [("n", "!=", 1)],
        [("t", "<=", pd.Timestamp("2020-01-01 03:00"))],
        [("i", "not in", [1, 2, 3])],
        [("i", "<", -1)],
        [("f", "<", 1.0)],
    ],
    ids=str,
)
def test_filters_choose_the_rows_that_pandas_chooses(parts, filters):
    # Of files that it does not open, pandas does not know the categories either.
    expected = pd.read_parquet(parts, filters=filters).astype({"c": FRAME.c.dtype})
    for size in ("auto", 1):
        assert_frame_equal(rd.read_parquet(parts, filters=filters, blocksize=size).compute(), expected)
    few = rd.read_parquet(parts, columns=["b"], filters=filters)
    assert_frame_equal(few.compute(), expected[["b"]])


def test_filters_keep_the_labels_of_a_stored_index(tmp_path):
    frame = pd.DataFrame({"x": range(6)}, index=pd.Index(range(10, 16), name="k"))
    frame.to_parquet(tmp_path / "x.parquet", row_group_size=2)
    df = rd.read_parquet(tmp_path, filters=[("x", ">", 2)], blocksize=1)
    assert df.npartitions == 2
    assert_frame_equal(df.compute(), frame[frame.x > 2])


@pytest.mark.parametrize("filters", [[("i", "~", 1)], "i > 1", [("q", "==", 1)], [("i", "in", "abc")], []])
def test_filters_that_make_no_sense_are_an_error_at_the_call(parts, filters):
    with pytest.raises(ValueError, match=r"filter|op|wants a list"):
        rd.read_parquet(parts, filters=filters)


def test_partitions_without_rows_that_pass_are_not_read(parts):
    df = rd.read_parquet(parts, blocksize=None)
    chosen = df[df.i > 7]
    for name in ("part-0.parquet", "part-1.parquet"):
        os.truncate(parts / name, 10)
    assert chosen.i.compute().to_dict() == {8: 8, 9: 9}


@pytest.mark.parametrize(
    ("rows", "needed"),
    [
        (lambda df: df.head(3), {0}),
        (lambda df: df.tail(2), {5}),
        (lambda df: df.iloc[:3].compute(), {0}),
        (lambda df: df.iloc[5:9].compute(), {1, 2}),
        (lambda df: df.loc[4:7].compute(), {1}),
        (lambda df: df.loc[9].compute(), {2}),
        (lambda df: df.loc[[0, 23]].compute(), {0, 5}),
        (lambda df: df.assign(y=df.x * 2).iloc[10:11].y.compute(), {2}),
        (lambda df: df[df.x > 1].loc[21:].compute(), {5}),
    ],
)
def test_no_more_row_groups_are_read_than_rows_are_asked_for(tmp_path, monkeypatch, rows, needed):
    frame = pd.DataFrame({"x": range(24)}, index=pd.Index(range(24), name="k"))
    frame.to_parquet(tmp_path / "x.parquet", row_group_size=4)
    df = rd.read_parquet(tmp_path / "x.parquet", blocksize=1)
    assert df.npartitions == 6
    read = []
    plain = reading.ReadPartition._read

    def counted(self, piece):
        read.extend(piece.groups)
        return plain(self, piece)

    monkeypatch.setattr(reading.ReadPartition, "_read", counted)
    rows(df)
    assert set(read) == needed


# ---- hive ------------------------------------------------------------------------------------------------------------


def test_hive_partitions_become_categoricals(tmp_path):
    frame = pd.DataFrame({"p": [3, 1, 1, 3], "q": ["b", "a/ü", "b", "b"], "x": range(4), "f": [0.5] * 4})
    frame.to_parquet(tmp_path, partition_cols=["p", "q"])
    expected = pd.read_parquet(tmp_path)
    for size in ("auto", 1):
        assert_frame_equal(rd.read_parquet(tmp_path, blocksize=size).compute(), expected)
    assert_frame_equal(rd.read_parquet(tmp_path, columns=["q", "x"]).compute(), expected[["q", "x"]])
    assert_frame_equal(rd.read_parquet(tmp_path, columns=["q"]).compute(), expected[["q"]])


def test_hive_partitions_can_be_filtered_by(tmp_path):
    frame = pd.DataFrame({"p": [3, 1, 1, 3], "x": range(4)})
    frame.to_parquet(tmp_path, partition_cols=["p"])
    for filters in ([("p", "==", 1)], [("p", "in", [3]), ("x", ">", 1)]):
        assert_frame_equal(
            rd.read_parquet(tmp_path, filters=filters).compute(), pd.read_parquet(tmp_path, filters=filters)
        )


def test_directories_without_rows_that_pass_are_not_read(tmp_path):
    pd.DataFrame({"p": [3, 1, 1, 3], "x": range(4)}).to_parquet(tmp_path, partition_cols=["p"])
    df = rd.read_parquet(tmp_path, blocksize=1)
    chosen = df[df.p == 1].x
    for file in (tmp_path / "p=3").iterdir():
        os.truncate(file, 10)
    assert chosen.compute().tolist() == [1, 2]


def test_directories_of_other_keys_are_an_error(tmp_path):
    write(tmp_path / "p=1", pd.DataFrame({"x": [1]}))
    write(tmp_path / "q=1", pd.DataFrame({"x": [1]}))
    with pytest.raises(ValueError, match=r"give values for \['q'\]"):
        rd.read_parquet(tmp_path)


# ---- bad input -------------------------------------------------------------------------------------------------------


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.parquet"):
        rd.read_parquet(tmp_path / "nothing.parquet")
    with pytest.raises(FileNotFoundError, match="no files with data"):
        rd.read_parquet(tmp_path)
    with pytest.raises(FileNotFoundError, match="no file matches"):
        rd.read_parquet(str(tmp_path / "*.parquet"))


def test_a_file_that_is_cut_short_is_named_at_the_call(parts):
    os.truncate(parts / "part-1.parquet", 100)
    with pytest.raises(ValueError, match=r"part-1.parquet cannot be read as Parquet"):
        rd.read_parquet(parts)


def test_a_file_with_damaged_data_is_named_with_its_partition(tmp_path):
    frame = pd.DataFrame({"x": np.random.default_rng(0).random(1000)})
    write(tmp_path, frame, frame)
    damaged = tmp_path / "part-1.parquet"
    content = bytearray(damaged.read_bytes())
    content[4:60] = b"\xff" * 56  # the header of the first page
    damaged.write_bytes(content)
    df = rd.read_parquet(tmp_path, blocksize=None)
    with pytest.raises(ValueError, match=r"part-1.parquet cannot be read as Parquet") as caught:
        df.compute()
    assert any("partition 1" in note for note in caught.value.__notes__)


def test_what_was_found_out_is_used_again_as_long_as_files_stay_as_they_are(tmp_path):
    path = tmp_path / "x.parquet"
    pd.DataFrame({"x": [1, 2], "y": [3, 4]}).to_parquet(path)
    dataset = rd.read_parquet(path).expr.dataset
    assert rd.read_parquet(path).expr.dataset is dataset
    assert rd.read_parquet(path, columns=["x"]).expr.dataset is not dataset
    assert rd.read_parquet(path, index=False).expr.dataset is not dataset
    pd.DataFrame({"x": [1.5, 2.5, 3.5]}).to_parquet(path)
    assert_frame_equal(rd.read_parquet(path).compute(), pd.DataFrame({"x": [1.5, 2.5, 3.5]}))


def test_a_file_that_changes_after_the_call_is_an_error(tmp_path):
    write(tmp_path, pd.DataFrame({"x": [1, 2]}))
    df = rd.read_parquet(tmp_path)
    pd.DataFrame({"x": [3, 4, 5]}).to_parquet(tmp_path / "part-0.parquet")
    with pytest.raises(ValueError, match="has changed since"):
        df.compute()
    assert rd.read_parquet(tmp_path).x.compute().tolist() == [3, 4, 5]
    os.remove(tmp_path / "part-0.parquet")
    with pytest.raises(FileNotFoundError, match=r"part-0.parquet"):
        df.compute()


def test_other_arguments_that_make_no_sense_are_errors_at_the_call(parts):
    with pytest.raises(ValueError, match="blocksize"):
        rd.read_parquet(parts, blocksize="large")
    with pytest.raises(ValueError, match="dtype_backend"):
        rd.read_parquet(parts, dtype_backend="numpy")
    with pytest.raises(TypeError, match="path or URL"):
        rd.read_parquet(3)


@pytest.mark.slow
def test_other_processes_read_too(parts):
    with rs.Client("processes", workers=2):
        assert_frame_equal(rd.read_parquet(parts, blocksize=1).compute(), pd.read_parquet(parts))


COMPARED = {
    "int": pd.Series([2**60, 2**60 + 1, 3, 4], dtype="int64"),
    "f32": pd.Series([0.1, 0.2, np.nan, 0.3], dtype="float32"),
    "str": pd.Series(["a", "b", None, "d"], dtype="str"),
    "time": pd.Series(pd.to_datetime(["2020-01-01", "2020-01-02", None, "2020-01-04"])),
    "cat": pd.Series(pd.Categorical(["low", "mid", None, "high"], ["low", "mid", "high"], ordered=True)),
}
LITERALS = {
    "int": [3, 3.5, float(2**60), 2**60 + 1],
    "f32": [0.1, 0.2, np.nan],
    "str": ["a", "c"],
    "time": ["2020-01-02", pd.Timestamp("2020-01-02"), np.datetime64("2020-01-03")],
    "cat": ["mid", "low", "high"],
}


@pytest.mark.parametrize("op", ["eq", "ne", "lt", "le", "gt", "ge"])
@pytest.mark.parametrize("name", COMPARED)
def test_rows_that_pass_are_found_whatever_is_left_out(tmp_path, name, op):
    frame = pd.DataFrame({"x": COMPARED[name], "row": range(4)})
    frame.to_parquet(tmp_path / "x.parquet", row_group_size=1)
    df = rd.read_parquet(tmp_path / "x.parquet", blocksize=1)
    compare = getattr(operator, op)
    for literal in LITERALS[name]:
        expected = frame[compare(frame.x, literal)]
        assert_frame_equal(df[compare(df.x, literal)].compute(), expected)
        assert df[compare(df.x, literal)].row.compute().tolist() == expected.row.tolist()
    values = LITERALS[name][:1]
    assert_frame_equal(df[df.x.isin(values)].compute(), frame[frame.x.isin(values)])
