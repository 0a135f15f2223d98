"""Many partitions of few rows become fewer where nobody sees them, and only there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal, assert_series_equal

import restride.dataframe as rd
from restride.collections.dataframe.base import new_collection
from restride.collections.dataframe.operations.sources import from_memory
from restride.collections.dataframe.optimize import partitions

N = 500
"""Partitions, of ten rows each."""


def made(rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    x = np.where(rng.random(rows) < 0.1, np.nan, rng.random(rows))
    times = pd.date_range("2024", periods=rows, freq="min", name="t")
    words = pd.Series(rng.integers(0, 40, rows)).map("w{}".format).to_numpy()
    columns = {"k": rng.integers(0, 5, rows), "g": rng.integers(0, 500, rows), "x": x, "s": words}
    return pd.DataFrame(columns, index=times)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return made(10 * N)


@pytest.fixture
def df(frame: pd.DataFrame) -> rd.DataFrame:
    return rd.from_pandas(frame, npartitions=N)


ALIKE: dict[str, Callable[[Any], Any]] = {
    "arithmetic": lambda df: df.assign(y=df.x * 2 + df.k)[df.g > 100],
    "describe": lambda df: df.describe(),
    "quantiles": lambda df: df[["k", "x"]].quantile([0.1, 0.5]),
    "running sums": lambda df: df[["k", "x"]].cumsum(),
    "fills": lambda df: df.ffill(),
    "windows": lambda df: df.x.rolling(30).sum(),
    "windows of time": lambda df: df.x.rolling("1h").max(),
    "ranks": lambda df: df.x.rank(),
    "groups of many": lambda df: df.groupby("g").x.shift(1),
    "functions of Python": lambda df: df.s.map(str.upper),
    "shifts": lambda df: df.shift(15),
    "sorted by values": lambda df: df.sort_values(["k", "g", "x"]),
    "sorted by index": lambda df: df.set_index("x").sort_index(kind="stable"),
    "without duplicates": lambda df: df.drop_duplicates(["k", "g"]),
    "groups": lambda df: df.groupby("s").x.mean(),
    "running groups": lambda df: df.groupby("k").x.cumsum(),
    "groups of each row": lambda df: df.groupby("s").x.transform("max"),
    "counts": lambda df: df.s.value_counts(),
    "bins of time": lambda df: df.x.resample("1h").max(),
    "alignment": lambda df: df.x + df[df.k > 1].g,
}


@pytest.mark.parametrize("operation", ALIKE.values(), ids=ALIKE)
def test_few_tasks_do_where_nobody_sees_partitions(
    operation: Callable[[Any], Any], df: rd.DataFrame, frame: pd.DataFrame
) -> None:
    result, expected = operation(df), operation(frame)
    assert result.explain().tasks < N
    equal = assert_frame_equal if isinstance(expected, pd.DataFrame) else assert_series_equal
    equal(result.compute(), expected, check_freq=False)


@pytest.mark.parametrize("how", ["inner", "left", "outer"])
def test_merges_of_many_partitions_take_few_tasks(how: Any, df: rd.DataFrame, frame: pd.DataFrame) -> None:
    other = frame[["g", "k"]].drop_duplicates("g").iloc[::2].reset_index(drop=True)
    result = df.merge(rd.from_pandas(other, npartitions=len(other)), on="g", how=how)
    assert result.explain().tasks < N
    assert_frame_equal(result.compute(), frame.merge(other, on="g", how=how))


def test_persisted_partitions_stay_and_are_taken_together(df: rd.DataFrame, frame: pd.DataFrame) -> None:
    kept = df.persist()
    assert kept.npartitions == N
    assert [len(part.compute()) for part in (kept.partitions[3], kept.partitions[N - 1])] == [10, 10]
    result = kept.k + kept.g
    assert result.explain().tasks < N
    assert_series_equal(result.compute(), frame.k + frame.g, check_freq=False)


def test_functions_of_partitions_get_them_as_they_are(frame: pd.DataFrame) -> None:
    df = rd.from_pandas(frame[:100], npartitions=100)
    sizes = df.map_partitions(lambda part: pd.Series([len(part)]), meta=(None, "int64"))
    assert sizes.compute().tolist() == [1] * 100


def test_other_columns_of_rows_that_somebody_sees_stay_beside_them(frame: pd.DataFrame) -> None:
    frame = frame[:1000]
    df = rd.from_pandas(frame, npartitions=100)
    calls: list[int] = []

    def doubled(part: pd.Series) -> pd.Series:
        calls.append(len(part))
        return part * 2

    twice = df.x.map_overlap(doubled, 0, 0, meta=("x", float))
    assert_series_equal((df.x + twice).compute(), frame.x * 3, check_freq=False)
    assert set(calls) == {10}


def test_reductions_by_own_functions_get_partitions_as_they_are(df: rd.DataFrame) -> None:
    assert df.x.reduction(len, aggregate=max, meta="int64").compute() == 10


def test_functions_of_elements_are_shared_out_as_before(frame: pd.DataFrame) -> None:
    frame = frame[:1000]
    df = rd.from_pandas(frame, npartitions=100)
    result = df.x.apply(lambda value: value + 1, meta=("x", float))
    assert result.explain().tasks >= 100
    assert_series_equal(result.compute(), frame.x + 1, check_freq=False)


def test_what_is_written_has_a_file_a_partition(frame: pd.DataFrame, tmp_path: Any) -> None:
    rd.from_pandas(frame[:100], npartitions=100).to_csv(str(tmp_path / "parts"))
    assert len(list((tmp_path / "parts").iterdir())) == 100


def test_few_partitions_or_large_ones_stay(frame: pd.DataFrame) -> None:
    few = rd.from_pandas(frame, npartitions=40)
    assert (few.x + 1).explain().tasks == 40


@given(lengths=st.lists(st.integers(0, 30_000), min_size=partitions.MANY * partitions.LEAST_TASKS, max_size=300))
def test_runs_cover_all_partitions_and_none_is_empty(lengths: list[int]) -> None:
    runs = partitions._runs(tuple(lengths))
    if runs is not None:
        assert runs[0] == 0
        assert runs[-1] == len(lengths)
        assert all(a < b for a, b in pairwise(runs))


@pytest.fixture(scope="module")
def any_number() -> Iterator[None]:
    """As if two partitions were always enough."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partitions, "MANY", 1)
        patch.setattr(partitions, "LEAST_TASKS", 2)
        yield


@given(
    lengths=st.lists(st.integers(0, 6), min_size=2, max_size=8),
    operation=st.sampled_from(list(ALIKE.values())),
)
def test_results_are_the_same_however_rows_are_taken_together(
    any_number: None, lengths: list[int], operation: Callable[[Any], Any]
) -> None:
    rows = sum(lengths) + 3
    frame = made(rows)
    bounds = np.cumsum([0, *lengths, 3]).tolist()
    result, expected = operation(new_collection(from_memory(frame, bounds))), operation(frame)
    equal = assert_frame_equal if isinstance(expected, pd.DataFrame) else assert_series_equal
    equal(result.compute(), expected, check_freq=False, check_dtype=False)
