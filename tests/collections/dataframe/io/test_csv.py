"""CSV and its kin, in and out: what pandas reads and writes, in parts."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal, assert_series_equal

import restride as rs
import restride.dataframe as rd
from restride.errors import SchemaError

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "i": RNG.integers(0, 100, 200),
        "f": RNG.random(200),
        "s": RNG.choice(["a", 'q"x', "x,y", "l\nm", None, "ü"], 200),
        "d": pd.date_range("2020", periods=200, freq="h"),
        "b": RNG.random(200) > 0.5,
    }
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("csv") / "x.csv"
    FRAME.to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"parse_dates": ["d"]},
        {"parse_dates": [3]},
        {"usecols": ["s", "i"]},
        {"usecols": [3, 1]},
        {"usecols": lambda name: name in "si"},
        {"index_col": "i"},
        {"index_col": [0, 4]},
        {"dtype": {"s": "category", "i": "float32"}},
        {"dtype": {"s": pd.CategoricalDtype(["a", "ü", "x,y", 'q"x', "l\nm", "unused"])}},
        {"dtype": str},
        {"dtype": {"i": "Int64"}},
        {"dtype_backend": "pyarrow"},
        {"skiprows": 2, "header": None},
        {"names": list("vwxyz"), "header": 0},
        {"converters": {"i": lambda text: int(text) + 1}},
        {"engine": "python"},
        {"na_values": ["a"], "keep_default_na": False},
        {"skiprows": [3, 5]},
        {"sep": None, "engine": "python"},
        {"encoding": "latin-1"},
    ],
    ids=str,
)
def test_parts_of_a_file_are_what_pandas_reads_of_it(path, options):
    expected = pd.read_csv(path, **options)
    whole = isinstance(options.get("skiprows"), list) or "sep" in options
    for size in (None, "auto") if whole else (None, "auto", 1000):
        df = rd.read_csv(path, blocksize=size, **options)
        assert (df.npartitions > 5) == (size == 1000)
        assert_frame_equal(df.compute(), expected)
        for label in expected.columns:
            assert_series_equal(df[label].compute(), expected[label])


@given(
    st.lists(st.tuples(st.integers(), st.text("ab\"',\n# ", max_size=6)), min_size=1, max_size=30),
    st.integers(10, 200),
)
def test_any_text_comes_back(tmp_path_factory, rows, blocksize):
    path = tmp_path_factory.mktemp("any") / "x.csv"
    pd.DataFrame(rows, columns=["n", "t"]).to_csv(path, index=False)
    options = {"dtype": {"n": "str", "t": "str"}, "keep_default_na": False}
    try:
        found = rd.read_csv(path, blocksize=blocksize, **options).compute()
    except ValueError as error:
        assert "do not end between two records" in str(error)  # noqa: PT017 - never another result
    else:
        assert_frame_equal(found, pd.read_csv(path, **options))


def test_an_index_without_a_label_is_found(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n" + "".join(f"k{i},{i},{i}.5\n" for i in range(50)))
    df = rd.read_csv(tmp_path / "x.csv", blocksize=100)
    assert df.npartitions > 2
    assert_frame_equal(df.compute(), pd.read_csv(tmp_path / "x.csv"))


def test_many_files_have_one_default_index(tmp_path):
    for i in range(3):
        FRAME.iloc[i * 10 : i * 10 + 10].to_csv(tmp_path / f"{i}.csv", index=False)
    df = rd.read_csv(str(tmp_path / "*.csv"))
    expected = pd.concat([pd.read_csv(tmp_path / f"{i}.csv") for i in range(3)], ignore_index=True)
    assert_frame_equal(df.compute(), expected)
    assert len(df) == 30
    df = rd.read_csv(tmp_path, include_path_column="file")
    assert df.compute().file.astype(str).tolist() == [str(tmp_path / f"{i}.csv") for i in range(3) for _ in range(10)]


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz", "zip", "zst"])
def test_compressed_files_are_read_whole(tmp_path, suffix):
    if suffix == "zst":
        pytest.importorskip("compression.zstd" if hasattr(os, "process_cpu_count") else "zstandard")
    FRAME.to_csv(tmp_path / f"x.csv.{suffix}", index=False)
    df = rd.read_csv(tmp_path / f"x.csv.{suffix}", parse_dates=["d"])
    assert_frame_equal(df.compute(), pd.read_csv(tmp_path / f"x.csv.{suffix}", parse_dates=["d"]))
    with pytest.raises(ValueError, match="only be read whole"):
        rd.read_csv(tmp_path / f"x.csv.{suffix}", blocksize=100)


def test_only_columns_that_are_used_are_parsed(tmp_path):
    (tmp_path / "x.csv").write_text("x,y\n" + "1,1\n" * 100 + "2,oops\n")
    df = rd.read_csv(tmp_path / "x.csv", sample=50)
    assert df.x.sum().compute() == 102


# ---- dtypes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("later", "message"),
    [("1.5", "'float64'"), ("", "'float64'"), ("abc", "'str'"), ("True", "")],
)
def test_values_of_another_dtype_are_an_error_that_tells_the_fix(tmp_path, later, message):
    (tmp_path / "x.csv").write_text("x,y\n" + "1,1\n" * 100 + f"{later},2\n")
    df = rd.read_csv(tmp_path / "x.csv", sample=50, blocksize=200)
    with pytest.raises(SchemaError, match=rf"'x' is .* here, not int64.*dtype={{'x': {message}") as caught:
        df.compute()
    assert any("x.csv for partition 2" in note for note in caught.value.__notes__)


def test_the_fix_works(tmp_path):
    (tmp_path / "x.csv").write_text("x\n" + "1\n" * 100 + "\n1.5\n")
    for options in ({"dtype": {"x": "float64"}}, {"assume_missing": True}):
        df = rd.read_csv(tmp_path / "x.csv", sample=50, blocksize=100, **options)
        assert_frame_equal(df.compute(), pd.read_csv(tmp_path / "x.csv"))


def test_dates_have_the_format_of_the_first(tmp_path):
    rows = [f"{day:02}/01/2020\n" for day in range(1, 13)] * 20 + ["13/02/2020\n"]
    (tmp_path / "x.csv").write_text("d\n" + "".join(rows))
    df = rd.read_csv(tmp_path / "x.csv", parse_dates=["d"], sample=100, blocksize=100)
    with pytest.raises((SchemaError, ValueError)):
        df.compute()
    df = rd.read_csv(tmp_path / "x.csv", parse_dates=["d"], dayfirst=True, sample=100, blocksize=100)
    assert_frame_equal(df.compute(), pd.read_csv(tmp_path / "x.csv", parse_dates=["d"], dayfirst=True))


# ---- bad input -------------------------------------------------------------------------------------------------------


def test_a_line_break_that_is_taken_for_the_end_of_a_record_is_an_error(tmp_path):
    text = "x,y\n" + 'q,"' + "a\n" * 100_000 + '"\nr,b\n'
    (tmp_path / "x.csv").write_text(text)
    df = rd.read_csv(tmp_path / "x.csv", sample=10, blocksize=20_000)
    with pytest.raises(ValueError, match=r"do not end between two records.*blocksize=None"):
        df.compute()
    expected = pd.read_csv(tmp_path / "x.csv")
    assert_frame_equal(rd.read_csv(tmp_path / "x.csv", blocksize=None).compute(), expected)


def test_files_with_other_headers_are_an_error(tmp_path):
    (tmp_path / "0.csv").write_text("x,y\n1,2\n")
    (tmp_path / "1.csv").write_text("y,x\n1,2\n")
    with pytest.raises(ValueError, match=r"1.csv begins with 'y,x', where the first file begins with 'x,y'"):
        rd.read_csv(tmp_path).compute()


@pytest.mark.parametrize("option", ["nrows", "chunksize", "skipfooter", "iterator"])
def test_options_that_make_no_sense_are_an_error(path, option):
    with pytest.raises(ValueError, match=f"read_csv takes no {option}="):
        rd.read_csv(path, **{option: 3})


def test_errors_of_pandas_come_at_the_call(path, tmp_path):
    with pytest.raises(ValueError, match="Usecols do not match columns"):
        rd.read_csv(path, usecols=["q"])
    with pytest.raises(FileNotFoundError, match=r"q\.csv"):
        rd.read_csv(tmp_path / "q.csv")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(pd.errors.EmptyDataError) as caught:
        rd.read_csv(tmp_path / "empty.csv")
    assert "empty.csv" in caught.value.__notes__[0]


def test_a_file_that_changes_after_the_call_is_an_error(tmp_path):
    (tmp_path / "x.csv").write_text("x\n1\n")
    df = rd.read_csv(tmp_path / "x.csv")
    (tmp_path / "x.csv").write_text("x\n1\n2\n")
    with pytest.raises(ValueError, match="has changed since"):
        df.compute()


@pytest.mark.parametrize("text", ["", "\n"])
@pytest.mark.parametrize("place", [0, 1])
def test_an_empty_file_among_others_is_an_error_that_names_it(tmp_path, text, place):
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    paths[1 - place].write_text("x,y\n1,2\n")
    paths[place].write_text(text)
    if text and place == 0:
        with pytest.raises(pd.errors.EmptyDataError):
            rd.read_csv(paths)
        return
    with pytest.raises(pd.errors.EmptyDataError, match=f"{paths[place].name} is empty, .* begins with 'x,y'"):
        rd.read_csv(paths).compute()
    assert rd.read_csv(paths, names=["p", "q"]).compute().dropna().to_numpy().tolist() == [["x", "y"], ["1", "2"]]


def test_a_header_alone_is_an_empty_frame(tmp_path):
    (tmp_path / "x.csv").write_text("x,y\n")
    df = rd.read_csv(tmp_path / "x.csv")
    assert_frame_equal(df.compute(), pd.read_csv(tmp_path / "x.csv"))


# ---- tables and fixed width ------------------------------------------------------------------------------------------


def test_tables(tmp_path):
    FRAME.to_csv(tmp_path / "x.tsv", sep="\t", index=False)
    df = rd.read_table(tmp_path / "x.tsv", blocksize=1000)
    assert df.npartitions > 5
    assert_frame_equal(df.compute(), pd.read_table(tmp_path / "x.tsv"))


@pytest.mark.parametrize("options", [{}, {"colspecs": [(0, 5), (5, 12)]}, {"widths": [5, 7]}], ids=str)
def test_fields_of_fixed_width(tmp_path, options):
    rows = "".join(f"{i:<5}{'abc'[: i % 4]:<5}{i / 2:<6}\n" for i in range(100))
    (tmp_path / "x.txt").write_text(f"{'n':<5}{'s':<5}{'f':<6}\n{rows}")
    df = rd.read_fwf(tmp_path / "x.txt", blocksize=300, **options)
    assert df.npartitions > 3
    assert_frame_equal(df.compute(), pd.read_fwf(tmp_path / "x.txt", **options))


# ---- out -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz"])
def test_a_single_file_is_what_pandas_writes(tmp_path, index, name):
    FRAME.to_csv(tmp_path / "expected.csv", index=index)
    rd.from_pandas(FRAME, npartitions=3).to_csv(tmp_path / name, single_file=True, index=index)
    assert sorted(os.listdir(tmp_path)) == ["expected.csv", name]
    assert_frame_equal(pd.read_csv(tmp_path / name), pd.read_csv(tmp_path / "expected.csv"))
    if name == "x.csv":
        assert (tmp_path / name).read_bytes() == (tmp_path / "expected.csv").read_bytes()


def test_a_directory_has_a_file_for_each_partition(tmp_path):
    df = rd.from_pandas(FRAME, npartitions=3)
    df.to_csv(tmp_path / "x", index=False, compression="gzip")
    assert sorted(os.listdir(tmp_path / "x")) == [f"part-0000{i}.csv.gz" for i in range(3)]
    assert_frame_equal(rd.read_csv(tmp_path / "x", parse_dates=["d"]).compute(), FRAME, check_dtype=False)
    with pytest.raises(FileExistsError, match="pass overwrite=True"):
        df.to_csv(tmp_path / "x", compression="gzip")
    df.f.to_csv(tmp_path / "x", compression="gzip", overwrite=True)
    assert_series_equal(pd.read_csv(tmp_path / "x/part-00000.csv.gz", index_col=0).f, FRAME.f[:67])


def test_a_writing_that_fails_leaves_the_file_as_it_was(tmp_path):
    df = rd.from_pandas(FRAME, npartitions=3)
    (tmp_path / "x.csv").write_text("before")
    with pytest.raises(TypeError):
        df.to_csv(tmp_path / "x.csv", single_file=True, nonsense=1)
    assert os.listdir(tmp_path) == ["x.csv"]
    assert (tmp_path / "x.csv").read_text() == "before"
    with pytest.raises(ValueError, match="is a pattern"):
        df.to_csv(tmp_path / "x-*.csv")


# ---- JSON ------------------------------------------------------------------------------------------------------------


def test_json_lines_are_read_in_parts(tmp_path):
    FRAME[["i", "f", "s", "b"]].to_json(tmp_path / "x.json", orient="records", lines=True)
    expected = pd.read_json(tmp_path / "x.json", lines=True)
    for size in ("auto", None, 1000):
        df = rd.read_json(tmp_path / "x.json", blocksize=size)
        assert (df.npartitions > 5) == (size == 1000)
        assert_frame_equal(df.compute(), expected)
    assert_series_equal(df.f.compute(), expected.f)


@pytest.mark.parametrize("orient", ["records", "split", "index", "columns", "values"])
def test_json_of_any_form_is_read_whole(tmp_path, orient):
    FRAME[["i", "f"]].to_json(tmp_path / "x.json", orient=orient)
    expected = pd.read_json(tmp_path / "x.json", orient=orient)
    assert_frame_equal(rd.read_json(tmp_path / "x.json", orient=orient, lines=False).compute(), expected)


def test_json_is_written_as_pandas_writes_it(tmp_path):
    df = rd.from_pandas(FRAME, npartitions=3)
    FRAME.to_json(tmp_path / "expected.json", orient="records", lines=True, date_format="iso")
    df.to_json(tmp_path / "x.json", single_file=True, date_format="iso")
    assert (tmp_path / "x.json").read_text() == (tmp_path / "expected.json").read_text()
    df[["i"]].to_json(tmp_path / "x", orient="split")
    assert_frame_equal(pd.read_json(tmp_path / "x/part-00002.json", orient="split")[["i"]], FRAME[["i"]][133:])
    with pytest.raises(ValueError, match="a record a line"):
        df.to_json(tmp_path / "x.json", orient="split", single_file=True)


def test_json_columns_that_come_later_are_an_error_that_tells_the_fix(tmp_path):
    (tmp_path / "x.json").write_text('{"x":1}\n' * 50 + '{"x":1,"y":2.5}\n')
    with pytest.raises(SchemaError, match=r"columns \['y'\] occur first in .*x.json"):
        rd.read_json(tmp_path / "x.json", sample=20).compute()
    df = rd.read_json(tmp_path / "x.json", sample=20, blocksize=100, dtype={"y": "float64"})
    assert_frame_equal(df.compute(), pd.read_json(tmp_path / "x.json", lines=True))
    with pytest.raises(ValueError, match="lines are records"):
        rd.read_json(tmp_path / "x.json", orient="split", lines=True)


@pytest.mark.slow
def test_other_processes_read_and_write(path, tmp_path):
    with rs.Client("processes", workers=2):
        df = rd.read_csv(path, blocksize=1000)
        df.to_csv(tmp_path / "y.csv", single_file=True, index=False)
        assert_frame_equal(rd.read_csv(tmp_path / "y.csv").compute(), pd.read_csv(path))
