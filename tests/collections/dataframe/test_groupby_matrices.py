"""Covariances and correlations of each pair of columns by group, beside pandas."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.collections.dataframe.strategies import assert_same, frames_of, from_pandas, partitioned

FRAME = {"key": "str", "cat": "category", "x": "finite", "y": "finite", "n": "int8", "flag": "bool"}


# numpy's of groups of one row
@pytest.mark.filterwarnings("ignore:Degrees of freedom", "ignore:divide by zero", "ignore:invalid value")
@settings(max_examples=25)
@given(
    partitioned(frames_of(FRAME, min_rows=1, max_rows=20)),
    st.sampled_from(["key", ["key"], ["cat", "key"]]),
    st.sampled_from([("cov", {}), ("cov", {"min_periods": 3}), ("corr", {}), ("corr", {"min_periods": 4})]),
    st.booleans(),
    st.booleans(),
)
def test_matrices_by_group_are_those_of_pandas(case, by, call, sort, dropna):
    name, options = call
    ours, theirs = (
        getattr(frame.groupby(by, sort=sort, dropna=dropna)[["x", "n", "y"]], name)(**options)
        for frame in (case.ours, case.theirs)
    )
    assert_same(ours, theirs)


def test_values_that_are_all_the_same_correlate_with_nothing():
    theirs = pd.DataFrame({"key": ["a"] * 6 + ["b"] * 3, "x": [0.1] * 9, "y": [0.1, 0.7, 0.3] * 3})
    assert_same(from_pandas(theirs, 4).groupby("key").corr(), theirs.groupby("key").corr())
    assert_same(from_pandas(theirs, 4).groupby("key").cov(), theirs.groupby("key").cov())
    many = pd.DataFrame({"key": [0, 1] * 100_000, "x": 0.1, "y": range(200_000)})
    assert from_pandas(many, 3).groupby("key").corr().x.isna().compute().all()


def test_columns_of_numbers_alone_are_chosen_if_asked_for():
    theirs = pd.DataFrame({"key": [1, 1, 2, 2], "x": [1.0, 2, 3, 5], "s": list("abcd"), "n": [3, 1, 2, 2]})
    ours = from_pandas(theirs, 2)
    for name in ("cov", "corr"):
        assert_same(
            getattr(ours.groupby("key"), name)(numeric_only=True),
            getattr(theirs.groupby("key"), name)(numeric_only=True),
        )
        with pytest.raises(ValueError, match="could not convert"):
            getattr(ours.groupby("key"), name)()
    assert_same(
        ours.groupby("key")[["x", "n"]].corr(method="spearman"),
        theirs.groupby("key")[["x", "n"]].corr(method="spearman"),
    )
