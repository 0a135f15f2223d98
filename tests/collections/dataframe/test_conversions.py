"""Dates, numbers and durations of other values, and columns one below the other, as pandas has it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride.dataframe as rd
from tests.collections.dataframe.strategies import KINDS, assert_same, frames, from_pandas, partitioned


def test_strings_become_dates():
    theirs = pd.Series(["2024-02-29", "2023-01-01", None, "1999-12-31"])
    assert_same(rd.to_datetime(from_pandas(theirs)), pd.to_datetime(theirs))
    assert_same(rd.to_datetime(from_pandas(theirs), utc=True), pd.to_datetime(theirs, utc=True))
    assert_same(rd.to_datetime(from_pandas(theirs), format="%Y-%m-%d"), pd.to_datetime(theirs, format="%Y-%m-%d"))


def test_the_first_string_decides_how_all_are_read():
    theirs = pd.Series(["13.01.2024", "02.03.2024", "04.05.2024", "31.12.2024"])
    assert_same(rd.to_datetime(from_pandas(theirs, 4), dayfirst=True), pd.to_datetime(theirs, dayfirst=True))
    mixed = pd.Series([None, "01/13/2024", "02/03/2024"])
    assert_same(rd.to_datetime(from_pandas(mixed, 3)), pd.to_datetime(mixed))


def test_a_string_that_is_no_date_is_an_error_of_the_tasks_or_missing():
    theirs = pd.Series(["2024-02-29", "never", "2023-01-01"])
    with pytest.raises(ValueError, match="never"):
        rd.to_datetime(from_pandas(theirs)).compute()
    assert_same(rd.to_datetime(from_pandas(theirs), errors="coerce"), pd.to_datetime(theirs, errors="coerce"))


def test_numbers_become_dates():
    theirs = pd.Series([0, 86_400, 10**9])
    assert_same(rd.to_datetime(from_pandas(theirs), unit="s"), pd.to_datetime(theirs, unit="s"))
    assert_same(rd.to_datetime(from_pandas(theirs)), pd.to_datetime(theirs))
    small = pd.Series([1, 2])
    assert_same(
        rd.to_datetime(from_pandas(small), unit="D", origin="2000"), pd.to_datetime(small, unit="D", origin="2000")
    )


def test_years_months_and_days_become_dates():
    theirs = pd.DataFrame({"year": [2024, 2023], "month": [2, 12], "day": [29, 31]})
    assert_same(rd.to_datetime(from_pandas(theirs)), pd.to_datetime(theirs))


def test_dates_stay_dates_and_plain_values_go_to_pandas():
    theirs = pd.Series(pd.date_range("2024", periods=3))
    assert_same(rd.to_datetime(from_pandas(theirs)), theirs)
    assert rd.to_datetime("2024-02-29") == pd.Timestamp("2024-02-29")
    assert rd.to_timedelta("1s") == pd.Timedelta("1s")
    assert rd.to_numeric("1") == 1
    assert rd.isna(None)


def test_labels_become_dates():
    theirs = pd.Series(range(2), index=["2024-02-29", "2024-03-01"])
    assert_same(rd.to_datetime(from_pandas(theirs).index), pd.DatetimeIndex(pd.to_datetime(theirs.index), freq=None))


def test_strings_and_numbers_become_durations():
    theirs = pd.Series(["1 day", "2h", None])
    assert_same(rd.to_timedelta(from_pandas(theirs)), pd.to_timedelta(theirs))
    numbers = pd.Series([1, 2, 3])
    assert_same(rd.to_timedelta(from_pandas(numbers), unit="h"), pd.to_timedelta(numbers, unit="h"))


def test_strings_become_numbers():
    theirs = pd.Series(["1", "2.5", None, "-3e2"])
    assert_same(rd.to_numeric(from_pandas(theirs)), pd.to_numeric(theirs))
    whole = pd.Series(["1", "2", "3"])
    assert_same(rd.to_numeric(from_pandas(whole)), pd.to_numeric(whole).astype("float64"))
    assert_same(rd.to_numeric(from_pandas(whole), meta="int64"), pd.to_numeric(whole))
    bad = pd.Series(["1", "?"])
    with pytest.raises(ValueError, match="parse"):
        rd.to_numeric(from_pandas(bad)).compute()
    assert_same(rd.to_numeric(from_pandas(bad), errors="coerce"), pd.to_numeric(bad, errors="coerce"))


@given(partitioned(frames(KINDS, duplicates=True)))
def test_missing_values_are_found(case):
    assert_same(rd.isna(case.ours), pd.isna(case.theirs))


@given(
    partitioned(frames(["int64", "finite"], min_columns=2)),
    st.sampled_from([{}, {"id_vars": "a"}, {"id_vars": ["a"], "value_vars": "b"}]),
    st.booleans(),
)
def test_columns_go_one_below_the_other(case, arguments, ignore_index):
    ours = rd.melt(case.ours, ignore_index=ignore_index, **arguments)
    assert_same(ours, case.theirs.melt(ignore_index=ignore_index, **arguments))


def test_columns_that_go_one_below_the_other_are_named():
    theirs = pd.DataFrame({"k": ["a", "b"], "x": [1, 2], "y": [0.5, np.nan], "s": ["u", None]})
    ours = from_pandas(theirs)
    assert_same(ours.melt("k", ["x", "y"], "what", "how much"), theirs.melt("k", ["x", "y"], "what", "how much"))
    assert_same(ours.melt(["k", "s"]), theirs.melt(["k", "s"]))
    with pytest.raises(KeyError, match="nothing"):
        ours.melt("nothing")
