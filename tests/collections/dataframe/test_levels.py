"""Levels of an index, and labels that are times, beside pandas."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.collections.dataframe.strategies import assert_same, frames_of, from_pandas, partitioned

few = settings(max_examples=25)
LABELS = pd.MultiIndex.from_product([list("ab"), [1, 2], list("xy")], names=["p", "q", None])
FRAME = pd.DataFrame({"v": range(8), "w": list("abcdefgh")}, index=LABELS)
TIMES = pd.DataFrame({"v": range(30)}, index=pd.date_range("2024-03-30 22:30", periods=30, freq="35min", name="t"))


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("droplevel", ("p",)),
        ("droplevel", ([0, 2],)),
        ("swaplevel", ()),
        ("swaplevel", (0, "q")),
        ("reorder_levels", ([2, 0, 1],)),
        ("xs", ("a",)),
        ("xs", (("b", 1),)),
        ("xs", (2, 0, "q")),
        ("xs", (("a", "x"), 0, ("p", 2))),
        ("xs", ("x", 0, 2, False)),
    ],
)
def test_levels_are_those_of_pandas(name, args):
    assert_same(getattr(from_pandas(FRAME), name)(*args), getattr(FRAME, name)(*args))
    assert_same(getattr(from_pandas(FRAME.v), name)(*args), getattr(FRAME.v, name)(*args))


def test_levels_of_columns_too():
    wide = FRAME[["v"]].unstack([1, 2])
    ours = from_pandas(wide, 2)
    assert_same(ours.droplevel(0, axis=1), wide.droplevel(0, axis=1))
    assert_same(ours.swaplevel(0, 1, axis=1), wide.swaplevel(0, 1, axis=1))
    assert_same(ours.xs("v", axis=1), wide.xs("v", axis=1))
    assert_same(ours.xs(1, axis=1, level="q"), wide.xs(1, axis=1, level="q"))


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda frame: frame.droplevel("r"), KeyError),
        (lambda frame: frame.droplevel([0, 1, 2]), ValueError),
        (lambda frame: frame.reset_index().swaplevel(), TypeError),
        (lambda frame: frame.reset_index().reorder_levels([0]), TypeError),
        (lambda frame: frame.tz_localize("UTC"), TypeError),
        (lambda frame: frame.between_time("1:00", "2:00"), TypeError),
    ],
)
def test_wrong_calls_raise_what_pandas_raises(call, error):
    for frame in (from_pandas(FRAME), FRAME):
        with pytest.raises(error):
            call(frame)


@pytest.mark.parametrize("inclusive", ["both", "neither", "left", "right"])
def test_rows_are_chosen_by_the_time_of_day(inclusive):
    ours = from_pandas(TIMES)
    for start, end in (("23:05", "1:25"), ("1:25", "5:30")):
        expected = TIMES.between_time(start, end, inclusive=inclusive)
        assert_same(ours.between_time(start, end, inclusive=inclusive), expected)
    assert_same(ours.v.at_time("23:05"), TIMES.v.at_time("23:05"))


def test_labels_get_time_zones_and_become_periods():
    ours = from_pandas(TIMES)
    assert_same(ours.tz_localize("UTC").tz_convert("Asia/Tokyo"), TIMES.tz_localize("UTC").tz_convert("Asia/Tokyo"))
    options = {"nonexistent": "shift_forward", "ambiguous": "NaT"}
    assert_same(ours.v.tz_localize("Europe/Berlin", **options), TIMES.v.tz_localize("Europe/Berlin", **options))
    assert_same(ours.to_period("D"), TIMES.to_period("D"))
    with pytest.raises(ValueError, match="2024-03-31"):
        ours.tz_localize("Europe/Berlin").compute()
    with pytest.raises(TypeError, match="tz-naive"):
        ours.tz_convert("UTC")


@few
@given(
    partitioned(frames_of({"x": "int8"}, index=["sorted"])),
    st.integers(-1, 40) | st.none(),
    st.integers(-1, 40) | st.none(),
)
def test_rows_before_and_after_labels_are_left_out(case, before, after):
    if before is not None and after is not None and before > after:
        for frame in (case.ours, case.theirs):
            with pytest.raises(ValueError, match="must be after"):
                frame.truncate(before, after)
    else:
        assert_same(case.ours.truncate(before, after), case.theirs.truncate(before, after))


def test_times_are_truncated_by_strings():
    expected = TIMES.truncate("2024-03-31", "2024-03-31 06:00")
    assert_same(from_pandas(TIMES).truncate("2024-03-31", "2024-03-31 06:00"), expected)


def test_values_leave_as_what_python_has():
    frame = TIMES.reset_index()
    ours = from_pandas(frame)
    assert ours.to_dict("records") == frame.to_dict("records")
    assert ours.v.to_dict() == frame.v.to_dict()
    assert list(ours.v.items()) == list(frame.v.items())
    assert ours.v.array[3] == 3
    assert ours.v[ours.v == 4].item() == 4
    assert ours.get("nope") is None
    assert_same(ours.get("v"), frame.v)
    with pytest.raises(ValueError, match="size 1"):
        ours.v.item()
