"""`Series.dt` gives what pandas gives, for any dates and durations in any partitions."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.collections.dataframe.strategies import assert_same, from_pandas, partitioned, series

PARTS = [
    "date", "day", "day_of_week", "day_of_year", "days_in_month", "hour", "is_leap_year", "is_month_end",
    "is_month_start", "is_quarter_end", "is_quarter_start", "is_year_end", "is_year_start", "microsecond", "minute",
    "month", "nanosecond", "quarter", "second", "time", "timetz", "year",
]  # fmt: skip
CALLS = [
    ("ceil", "h"), ("day_name",), ("floor", "D"), ("isocalendar",), ("month_name",), ("normalize",), ("round", "h"),
    ("strftime", "%d.%m.%Y %H"), ("as_unit", "s"),
]  # fmt: skip
DURATIONS = ["days", "seconds", "microseconds", "nanoseconds", "components"]


def assert_same_parts(ours, theirs) -> None:
    """As `assert_same`, but for dtypes, which depend in pandas on whether any value, or all, are missing."""
    computed = ours.compute()
    compare = pd.testing.assert_frame_equal if isinstance(theirs, pd.DataFrame) else pd.testing.assert_series_equal
    compare(computed.astype(object), theirs.astype(object), check_freq=False)


@settings(max_examples=60)
@given(partitioned(series(["datetime", "datetime_us", "zoned"])), st.sampled_from(PARTS))
def test_parts_of_dates_are_those_of_pandas(case, part):
    assert_same_parts(getattr(case.ours.dt, part), getattr(case.theirs.dt, part))


@settings(max_examples=60)
@given(partitioned(series(["datetime", "datetime_us", "zoned"])), st.sampled_from(CALLS))
def test_methods_of_dates_are_those_of_pandas(case, call):
    name, *args = call
    if case.theirs.dt.tz is not None and name in ("ceil", "floor", "round"):
        args.append("NaT")
    assert_same_parts(getattr(case.ours.dt, name)(*args), getattr(case.theirs.dt, name)(*args))


@given(partitioned(series(["timedelta"])), st.sampled_from(DURATIONS))
def test_parts_of_durations_are_those_of_pandas(case, part):
    assert_same_parts(getattr(case.ours.dt, part), getattr(case.theirs.dt, part))
    assert_same(case.ours.dt.total_seconds(), case.theirs.dt.total_seconds())


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("dates", [["2020-02-29 12:30", "2021-01-01"], ["2020-02-29 12:30", None]])
def test_dtypes_are_those_of_pandas_for_dates_in_memory(part, dates):
    theirs = pd.Series(pd.to_datetime(dates, format="ISO8601"))
    assert_same(getattr(from_pandas(theirs).dt, part), getattr(theirs.dt, part))


def test_parts_are_integers_where_rows_without_a_date_are_none_of_the_columns():
    frame = pd.DataFrame({"t": pd.to_datetime(["2020", "2021", "2022"]), "x": [1, None, 3]})
    ours = from_pandas(frame)
    assert ours[ours.x > 0].assign(y=1).t.dt.year.dtype == "int32"


@pytest.mark.parametrize(
    "present",
    [
        lambda d: d.dropna(),
        lambda d: d.dropna(subset=["t"]),
        lambda d: d[d.t.notna()],
        lambda d: d[(d.t > "2020-06-01") & (d.x > 0)],
        lambda d: d[d.t.notna()].reset_index(drop=True).assign(y=1),
    ],
)
def test_parts_are_integers_where_filters_leave_missing_dates_out(present):
    theirs = pd.DataFrame({"t": pd.to_datetime(["2020", None, "2022"]), "x": [1.0, None, 3]})
    assert_same(present(from_pandas(theirs)).t.dt.year, present(theirs).t.dt.year)


@pytest.mark.parametrize(
    "maybe",
    [
        lambda d: d.dropna(how="all"),
        lambda d: d.dropna(subset=["x"]),
        lambda d: d[d.t.notna() | (d.x > 0)],
        lambda d: d[d.t != pd.Timestamp("2020")],
    ],
)
def test_parts_are_floats_where_filters_may_leave_missing_dates_in(maybe):
    theirs = pd.DataFrame({"t": pd.to_datetime(["2020", None, "2022"]), "x": [1.0, 2, 3]})
    assert_same(maybe(from_pandas(theirs)).t.dt.year, maybe(theirs).t.dt.year)


def test_weekdays_go_by_their_other_names():
    theirs = pd.Series(pd.to_datetime(["2024-02-29", "2024-03-03"]))
    ours = from_pandas(theirs)
    for name in ("dayofweek", "weekday"):
        assert getattr(ours.dt, name).compute().tolist() == [3, 6]
    assert ours.dt.daysinmonth.compute().tolist() == [29, 31]
    assert ours.dt.dayofyear.compute().tolist() == [60, 63]


def test_zones_are_converted_taken_away_and_put_on():
    theirs = pd.Series(pd.to_datetime(["2024-02-29 12:00", None, "2024-07-01 00:00"])).dt.tz_localize("UTC")
    ours = from_pandas(theirs)
    assert str(ours.dt.tz) == "UTC"
    assert ours.dt.unit == theirs.dt.unit
    assert_same(ours.dt.tz_convert("Asia/Tokyo"), theirs.dt.tz_convert("Asia/Tokyo"))
    assert_same(ours.dt.tz_localize(None), theirs.dt.tz_localize(None))
    assert_same(
        ours.dt.tz_localize(None).dt.tz_localize("Asia/Tokyo"), theirs.dt.tz_localize(None).dt.tz_localize("Asia/Tokyo")
    )


def test_periods_have_starts_ends_and_a_frequency():
    theirs = pd.Series(pd.to_datetime(["2024-02-29", "2024-07-01"]))
    ours = from_pandas(theirs).dt.to_period("M")
    theirs = theirs.dt.to_period("M")
    assert_same(ours, theirs)
    assert ours.dt.freq == theirs.dt.freq
    for part in ("start_time", "end_time", "qyear", "week", "year"):
        assert_same(getattr(ours.dt, part), getattr(theirs.dt, part))
    assert_same(ours.dt.to_timestamp(), theirs.dt.to_timestamp())


def test_dates_and_durations_become_objects_of_python():
    theirs = pd.Series(pd.to_datetime(["2024-02-29", "2024-07-01"]))
    assert from_pandas(theirs).dt.to_pydatetime().compute().tolist() == theirs.tolist()
    lasting = theirs - theirs[0]
    assert from_pandas(lasting).dt.to_pytimedelta().compute().tolist() == lasting.tolist()


def test_dates_have_no_frequency_that_is_looked_for():
    assert from_pandas(pd.Series(pd.date_range("2024", periods=3))).dt.freq is None


def test_what_is_no_date_has_no_dt():
    with pytest.raises(AttributeError, match="datetimelike"):
        from_pandas(pd.Series([1, 2])).dt  # noqa: B018


def test_an_index_of_dates_has_parts():
    theirs = pd.Series(range(3), index=pd.date_range("2024-02-28", periods=3))
    ours = from_pandas(theirs)
    assert_same(ours.index.day, theirs.index.day)
    assert_same(ours.index.dt.month, theirs.index.month)
    assert_same(ours[ours.index.day == 29], theirs[theirs.index.day == 29])
