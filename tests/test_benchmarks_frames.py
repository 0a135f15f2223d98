"""The benchmarks of dataframes at small sizes: what they ask for is what pandas and duckdb answer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pandas as pd
import pyarrow as pa
import pytest

import restride as rs
import restride.dataframe as rd
from benchmarks.datasets import dataset
from benchmarks.frame import data as frame_data
from benchmarks.frame.operations import OPERATIONS, Operation
from benchmarks.frames import assert_same_answer, assert_same_rows, computed, duckdb_tables, with_summary
from benchmarks.h2o import compare as h2o
from benchmarks.h2o import data as h2o_data
from benchmarks.h2o.questions import GROUPBY, JOIN, Question
from benchmarks.tpch import answers
from benchmarks.tpch import data as tpch_data
from benchmarks.tpch.queries import QUERIES
from benchmarks.tpch.tables import NAMES, Tables

SCALE = 0.05
LIBRARIES = pytest.mark.parametrize("library", [pd, rd], ids=["pandas", "restride"])


@pytest.fixture(scope="module", autouse=True)
def client() -> Iterator[None]:
    with rs.Client(threads=2):
        yield


@pytest.fixture(scope="module")
def tpch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("duckdb")
    if tpch_data.generator() is None:
        pytest.skip("tpchgen-cli is not installed")
    folder = tmp_path_factory.mktemp("tpch")
    tpch_data.write(folder, SCALE, rows=50_000)
    return folder


@LIBRARIES
@pytest.mark.parametrize("number", QUERIES)
def test_an_answer_to_tpc_h_is_that_of_duckdb(library: ModuleType, number: int, tpch: Path) -> None:
    expected = duckdb_tables(tpch, NAMES).sql(answers.sql(number, SCALE)).to_arrow_table().to_pandas()
    assert len(expected) > 0
    tables = Tables(tpch, library.read_parquet, SCALE)
    assert_same_answer(answers.answer(number, tables, list(expected.columns)), expected)


@pytest.fixture(scope="module")
def tpch_at_scale_1(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tpch-1")
    tpch_data.write(folder, 1)
    return folder


@pytest.mark.slow
@pytest.mark.skipif("TPCH_ANSWERS" not in os.environ, reason="TPCH_ANSWERS is the folder of the official answers")
@pytest.mark.parametrize("number", QUERIES)
def test_an_answer_to_tpc_h_at_scale_1_is_the_official_one(number: int, tpch_at_scale_1: Path) -> None:
    columns = list(duckdb_tables(tpch_at_scale_1, NAMES).sql(answers.sql(number, 1)).limit(0).df().columns)
    actual = answers.answer(number, Tables(tpch_at_scale_1, rd.read_parquet, 1), columns)
    answers.check_official(actual, Path(os.environ["TPCH_ANSWERS"]), number)


def test_tpc_h_has_no_other_tables(tmp_path: Path) -> None:
    with pytest.raises(AttributeError, match="no table is called 'line'"):
        _ = Tables(tmp_path, pd.read_parquet, 1).line


@pytest.fixture(scope="module")
def h2o_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("h2o")
    h2o_data.write(folder, 5_000, files=3)
    return folder


@LIBRARIES
@pytest.mark.parametrize("question", GROUPBY + JOIN, ids=lambda question: question.name)
def test_an_answer_to_h2o_is_that_of_duckdb(library: ModuleType, question: Question, h2o_folder: Path) -> None:
    pytest.importorskip("duckdb")
    expected = duckdb_tables(h2o_folder, h2o_data.TABLES).sql(question.sql).to_arrow_table().to_pandas()
    assert len(expected) > 0
    answer = h2o.ask(question, library.read_parquet, h2o_folder)
    h2o.check(computed(answer), expected)
    h2o.check(pa.table(answer).to_pandas(), expected)


@pytest.fixture(scope="module")
def frame_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("frame")
    frame_data.write(folder, 20_000, files=4)
    return folder


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_an_operation_gives_what_pandas_gives(operation: Operation, frame_folder: Path) -> None:
    def result(library: ModuleType) -> pd.DataFrame:
        tables = [library.read_parquet(frame_folder / name) for name in operation.tables]
        value = computed(operation.pandas(*tables))
        return value if isinstance(value, pd.DataFrame) else pd.DataFrame({"total": [value]})

    ours, expected = result(rd), result(pd)
    if operation.sorted_by:
        assert ours[operation.sorted_by].is_monotonic_increasing
        assert_same_rows(ours, expected)  # rows with equal keys may stand in any order
    elif operation.name.startswith("value_counts"):
        assert ours["count"].is_monotonic_decreasing
        assert_same_rows(ours, expected)
    else:
        pd.testing.assert_frame_equal(ours, expected, rtol=1e-12)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_an_operation_gives_what_polars_and_duckdb_give(operation: Operation, frame_folder: Path) -> None:
    polars, _ = pytest.importorskip("polars"), pytest.importorskip("duckdb")
    from benchmarks.frame import compare

    ours = compare.frame(compare._restride(operation, frame_folder))
    theirs = {
        "polars": compare._polars(operation, frame_folder, "auto"),
        "duckdb": duckdb_tables(frame_folder, frame_data.TABLES).sql(operation.sql).to_arrow_table(),
    }
    assert isinstance(theirs["polars"], polars.DataFrame)
    for name, result in theirs.items():
        compare.check(operation, ours, compare.frame(result), name)


def test_sums_of_columns_differ_where_the_columns_do() -> None:
    from benchmarks.frame import compare

    assert compare.total(pa.chunked_array([[1, 2], [3]])) == 6
    assert compare.total(pa.chunked_array([["a", "ä"]])) == 3
    assert not compare.in_order(pa.chunked_array([[1, 3], [2]]))
    assert compare.in_order(pa.chunked_array([["a", "b"], ["b"]]))


def test_rows_are_the_same_in_whatever_order() -> None:
    rows = pd.DataFrame({"a": [1, 2, 2], "b": [0.5, 0.25, 0.125]})
    assert_same_rows(rows.iloc[[2, 0, 1]], rows)
    with pytest.raises(AssertionError):
        assert_same_rows(rows.assign(b=rows.b + 1e-6), rows)


def test_a_dataset_is_made_once_if_it_is_kept_and_is_gone_if_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.datasets.KEPT", tmp_path / "kept")
    made: list[Path] = []

    def write(folder: Path) -> None:
        made.append(folder)
        (folder / "file").touch()

    with dataset("some", write) as folder:
        assert (folder / "file").exists()
    assert not folder.exists()
    for _ in range(2):
        with dataset("some", write, keep=True) as folder:
            assert (folder / "file").exists()
    assert folder.exists()
    assert len(made) == 2


def test_a_dataset_that_could_not_be_made_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.datasets.KEPT", tmp_path / "kept")
    made: list[Path] = []

    def write(folder: Path) -> None:
        made.append(folder)
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"), dataset("some", write, keep=True):
        pass
    assert not made[0].exists()


def test_a_summary_has_the_median_and_the_largest_ratio() -> None:
    rows = with_summary([{"what": "a", "of b": 0.5}, {"what": "c", "of b": 2.0}, {"what": "d"}], "what", ["of b"])
    assert rows[-2:] == [{"what": "median", "of b": 1.25}, {"what": "most", "of b": 2.0}]
