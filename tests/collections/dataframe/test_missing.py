"""Missing values: found, filled, and rows without them, as pandas has it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride.dataframe as rd
from tests.collections.dataframe.strategies import (
    KINDS,
    assert_same,
    frames,
    frames_of,
    from_pandas,
    partitioned,
    series,
)

FRAME = pd.DataFrame(
    {"x": [1.0, np.nan, 3.0, np.nan], "s": ["a", None, None, "d"], "n": [1, 2, 3, 4]}, index=list("pqrs")
)


@given(partitioned(frames(KINDS, duplicates=True)))
def test_missing_values_are_found(case):
    assert_same(case.ours.isna(), case.theirs.isna())
    assert_same(case.ours.notnull(), case.theirs.notnull())


@given(partitioned(series(KINDS)))
def test_whether_any_value_is_missing_is_told(case):
    assert case.ours.hasnans.compute() == case.theirs.hasnans


@given(
    partitioned(frames(KINDS)),
    st.sampled_from(
        [{}, {"how": "all"}, {"thresh": 1}, {"thresh": 2}, {"subset": "a"}, {"subset": ["a"], "how": "all"}]
    ),
)
def test_rows_with_missing_values_are_left_out(case, arguments):
    assert_same(case.ours.dropna(**arguments), case.theirs.dropna(**arguments))
    assert_same(case.ours.dropna(ignore_index=True, **arguments), case.theirs.dropna(ignore_index=True, **arguments))


@pytest.mark.parametrize("npartitions", [1, 2])
def test_rows_that_stay_of_a_frame_of_objects_are_numbered_anew_where_their_labels_go(npartitions: int) -> None:
    theirs = pd.DataFrame({"a": pd.Series([None, 1, "x"], dtype=object)})
    ours = rd.from_pandas(theirs, npartitions=npartitions)
    assert_same(ours.dropna(ignore_index=True), theirs.dropna(ignore_index=True))
    present, there = ours[ours.a.notna()], theirs[theirs.a.notna()]
    assert_same(present.reset_index(drop=True), there.reset_index(drop=True))
    assert_same(present.a.reset_index(drop=True), there.a.reset_index(drop=True))
    assert_same(present, there)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_rows_of_objects_that_are_numbered_anew_lose_the_name_of_their_labels(n):
    frame = pd.DataFrame({"a": pd.Series([(1, 2)] * n, dtype="object")}).rename_axis(index="i")
    for partitions in (1, 2):
        assert_same(from_pandas(frame, partitions).dropna(ignore_index=True), frame.dropna(ignore_index=True))


@given(partitioned(series(KINDS)))
def test_missing_values_of_series_are_left_out(case):
    assert_same(case.ours.dropna(), case.theirs.dropna())


def test_columns_with_missing_values_are_left_out():
    for arguments in ({}, {"how": "all"}, {"thresh": 2}, {"thresh": 3}):
        assert_same(from_pandas(FRAME).dropna(axis=1, **arguments), FRAME.dropna(axis=1, **arguments))


def test_wrong_arguments_raise_at_the_call():
    ours = from_pandas(FRAME)
    with pytest.raises(KeyError, match="nothing"):
        ours.dropna(subset=["nothing"])
    with pytest.raises(ValueError, match="how"):
        ours.dropna(how="some")
    with pytest.raises(TypeError, match="both"):
        ours.dropna(how="any", thresh=1)
    with pytest.raises(ValueError, match="fill"):
        ours.fillna()


@given(partitioned(frames_of({"x": "finite", "y": "float32", "n": "int64", "i": "Int64"})))
def test_missing_numbers_are_filled(case):
    assert_same(case.ours.fillna(0), case.theirs.fillna(0))
    assert_same(case.ours.fillna({"x": 1.5, "n": 3}), case.theirs.fillna({"x": 1.5, "n": 3}))
    assert_same(case.ours.x.fillna(case.ours.n), case.theirs.x.fillna(case.theirs.n))


@given(partitioned(series(["str", "string"])))
def test_missing_strings_are_filled(case):
    assert_same(case.ours.fillna("none"), case.theirs.fillna("none"))


@given(partitioned(series(["datetime", "zoned"])))
def test_missing_dates_are_filled(case):
    value = pd.Timestamp("2020-01-01", tz=case.theirs.dt.tz)
    assert_same(case.ours.fillna(value), case.theirs.fillna(value))


def test_missing_categories_are_filled_by_one_of_them():
    theirs = pd.Series(["a", None], dtype="category")
    assert_same(from_pandas(theirs).fillna("a"), theirs.fillna("a"))
    with pytest.raises(TypeError, match="category"):
        from_pandas(theirs).fillna("z")


def test_values_that_are_computed_later_fill_missing_ones():
    ours = from_pandas(FRAME[["x", "n"]])
    theirs = FRAME[["x", "n"]]
    assert_same(ours.x.fillna(ours.x.mean()), theirs.x.fillna(theirs.x.mean()))
    assert_same(ours.fillna(ours.mean()), theirs.fillna(theirs.mean()))
    assert_same(ours.fillna(theirs.mean()), theirs.fillna(theirs.mean()))


def test_a_string_among_numbers_makes_objects():
    theirs = pd.Series([1.0, None, 2.0])
    assert_same(from_pandas(theirs).astype(object).fillna("none"), theirs.astype(object).fillna("none"))
