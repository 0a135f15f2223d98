"""`merge_ordered` beside pandas."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import restride.dataframe as rd
from tests.collections.dataframe.strategies import assert_same, frames_of, from_pandas, partitioned

LEFT = {"k": "int8", "g": "bool", "x": "finite", "s": "str", "n": "int64"}
RIGHT = {"k": "int8", "g": "bool", "y": "finite", "c": "category", "n": "int64", "t": "datetime"}
sides = st.tuples(partitioned(frames_of(LEFT, index=["default"])), partitioned(frames_of(RIGHT, index=["default"])))
KEYS = [
    {"on": "k"},
    {"on": ["k", "g"]},
    {"left_on": "n", "right_on": "k"},
    {"left_on": ["k", "n"], "right_on": ["k", "k"]},
]


@settings(max_examples=60)
@given(
    sides, st.sampled_from(KEYS), st.sampled_from(["outer", "left", "right", "inner"]), st.sampled_from([None, "ffill"])
)
def test_rows_come_in_the_order_of_the_keys_and_the_last_ones_fill_in(both, keys, how, fill):
    left, right = both
    ours = rd.merge_ordered(left.ours, right.ours, **keys, how=how, fill_method=fill)
    assert_same(ours, pd.merge_ordered(left.theirs, right.theirs, **keys, how=how, fill_method=fill))


def test_values_that_are_missing_in_the_last_row_stay_missing():
    left = pd.DataFrame({"k": [1, 3], "x": [1.0, None], "k2": [5, 6]})
    right = pd.DataFrame({"k": [0, 2, 4], "y": [True, False, True]})
    ours = rd.merge_ordered(from_pandas(left, 2), right, fill_method="ffill", suffixes=("_l", "_r"))
    assert_same(ours, pd.merge_ordered(left, right, fill_method="ffill", suffixes=("_l", "_r")))


def test_what_is_not_there_is_said_at_the_call():
    frame = from_pandas(pd.DataFrame({"k": [1], "x": [2]}))
    with pytest.raises(ValueError, match="fill_method must be 'ffill' or None"):
        rd.merge_ordered(frame, frame, on="k", fill_method="bfill")
    with pytest.raises(NotImplementedError, match="sort_values"):
        rd.merge_ordered(frame, frame, on="k", left_by="x")
    with pytest.raises(KeyError, match="zz"):
        rd.merge_ordered(frame, frame, on="zz")
