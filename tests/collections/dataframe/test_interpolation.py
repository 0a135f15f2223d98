"""Missing values on lines between others, and a limited number of fills, beside pandas."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.collections.dataframe.strategies import assert_same, frames_of, from_pandas, partitioned

KINDS = {"x": "finite", "n": "int8", "y": "finite", "F": "Float64", "i": "Int64", "f": "float32"}
TIMES = {"t": "datetime", "u": "datetime_us", "z": "zoned", "d": "timedelta"}
limits = st.fixed_dictionaries(
    {
        "limit": st.sampled_from([None, 1, 2, 3]),
        "limit_direction": st.sampled_from([None, "forward", "backward", "both"]),
        "limit_area": st.sampled_from([None, "inside", "outside"]),
    }
)


@settings(max_examples=60)
@given(partitioned(frames_of({**KINDS, **TIMES}, min_rows=1, max_rows=14)), limits)
def test_missing_values_are_on_lines_between_rows(case, options):
    assert_same(case.ours.interpolate(**options), case.theirs.interpolate(**options))
    assert_same(case.ours.x.interpolate(**options), case.theirs.x.interpolate(**options))


@settings(max_examples=40)
@given(partitioned(frames_of(KINDS, min_rows=1, max_rows=14, index=["sorted", "range", "default"])), limits)
def test_missing_values_are_on_lines_between_numbers_that_label_rows(case, options):
    for method in ("index", "values"):
        assert_same(case.ours.interpolate(method, **options), case.theirs.interpolate(method, **options))


@settings(max_examples=30)
@given(partitioned(frames_of(KINDS, min_rows=1, index=["sorted"])), limits, st.data())
def test_missing_values_are_on_lines_between_times(case, options, data):
    theirs = case.theirs.set_axis(pd.to_datetime(case.theirs.index.to_numpy(), unit="D"), axis=0)
    ours = from_pandas(theirs, data.draw(st.integers(1, 5)))
    assert_same(ours.interpolate("time", **options), theirs.interpolate("time", **options))


def test_what_cannot_be_interpolated_is_said_at_the_call():
    ours = from_pandas(pd.DataFrame({"x": [1.0, None, 3.0], "s": ["a", "b", None]}, index=[3, 1, 2]))
    with pytest.raises(TypeError, match="str"):
        ours.interpolate()
    with pytest.raises(NotImplementedError, match="map_overlap"):
        ours.x.interpolate("cubic")
    with pytest.raises(ValueError, match="DatetimeIndex"):
        ours.x.interpolate("time")
    with pytest.raises(ValueError, match="index of numbers"):
        ours.set_index("s").x.interpolate("index")
    with pytest.raises(ValueError, match="greater than 0"):
        ours.x.interpolate(limit=0)
    with pytest.raises(ValueError, match="sort_index"):
        ours.x.interpolate("index").compute()


@settings(max_examples=40)
@given(partitioned(frames_of({"x": "finite", "y": "Float64", "z": "finite"})), st.integers(1, 4))
def test_as_many_missing_values_are_filled_as_may_be(case, limit):
    assert_same(case.ours.fillna(7.0, limit=limit), case.theirs.fillna(7.0, limit=limit))
    assert_same(case.ours.fillna({"x": 1.5}, limit=limit), case.theirs.fillna({"x": 1.5}, limit=limit))
    assert_same(case.ours.z.fillna(-1.0, limit=limit), case.theirs.z.fillna(-1.0, limit=limit))


@settings(max_examples=20)
@given(partitioned(frames_of({"s": "str", "t": "datetime"})), st.integers(1, 4))
def test_texts_and_times_are_filled_up_to_a_limit(case, limit):
    assert_same(case.ours.s.fillna("?", limit=limit), case.theirs.s.fillna("?", limit=limit))
    time = pd.Timestamp("2001-02-03")
    assert_same(case.ours.t.fillna(time, limit=limit), case.theirs.t.fillna(time, limit=limit))
