"""Rows made of those before or after them in their group, beside pandas, where groups are few: nothing is shuffled."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import restride as rs
from restride.collections.dataframe.operations.groupby import plan
from tests.collections.dataframe.strategies import assert_same, frames_of, from_pandas, partitioned

FRAME = {"key": "str", "other": "int8", "cat": "category", "x": "finite", "n": "int64", "t": "datetime", "s": "str"}
BY = ["key", "other", ["key", "other"], ["cat", "key"], "t"]
few = settings(max_examples=40)


@pytest.fixture(autouse=True)
def looks_at_keys_of_few_rows():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "FEW_ROWS", 0)
        yield


CALLS = [
    ("cumsum",), ("cumprod",), ("cummin",), ("cummax",), ("shift",), ("shift", 2), ("shift", -1), ("shift", -3),
    ("shift", 0), ("diff",), ("diff", -2), ("ffill",), ("bfill",), ("ffill", 1), ("bfill", 2),
]  # fmt: skip


@few
@given(
    partitioned(frames_of(FRAME, min_rows=1, max_rows=20)), st.sampled_from(BY), st.sampled_from(CALLS),
    st.booleans(), st.booleans(),
)  # fmt: skip
def test_rows_know_what_is_before_or_after_them_in_their_group(case, by, call, sort, dropna):
    name, *args = call
    ours, theirs = (frame.groupby(by, sort=sort, dropna=dropna) for frame in (case.ours, case.theirs))
    assert_same(getattr(ours[["x", "n"]], name)(*args), getattr(theirs[["x", "n"]], name)(*args))
    assert_same(getattr(ours.x, name)(*args), getattr(theirs.x, name)(*args))


@few
@given(
    partitioned(frames_of(FRAME, min_rows=1)),
    st.sampled_from([("shift", 1), ("shift", -2), ("ffill",), ("bfill",), ("ffill", 1)]),
    st.booleans(),
)
def test_texts_and_dates_too(case, call, dropna):
    name, *args = call
    ours, theirs = (frame.groupby("key", dropna=dropna)[["s", "t", "cat"]] for frame in (case.ours, case.theirs))
    assert_same(getattr(ours, name)(*args), getattr(theirs, name)(*args))


@few
@given(
    partitioned(frames_of(FRAME, min_rows=1, max_rows=20)), st.sampled_from(BY),
    st.sampled_from([("head", 2), ("head", 0), ("head", -1), ("tail", 1), ("tail", -2), ("nth", 1), ("nth", -2),
                     ("nth", [0, 2])]),
    st.booleans(),
)  # fmt: skip
def test_some_rows_of_each_group_are_those_of_pandas(case, by, call, dropna):
    name, *args = call
    ours, theirs = (frame.groupby(by, dropna=dropna) for frame in (case.ours, case.theirs))
    assert_same(getattr(ours, name)(*args), getattr(theirs, name)(*args))
    assert_same(getattr(ours[["x", "s"]], name)(*args), getattr(theirs[["x", "s"]], name)(*args))
    assert_same(getattr(ours.x, name)(*args), getattr(theirs.x, name)(*args))


@few
@given(partitioned(frames_of(FRAME, min_rows=1, max_rows=20)), st.sampled_from(BY), st.booleans(), st.booleans())
def test_rows_are_numbered_in_their_groups(case, by, dropna, up):
    ours, theirs = (frame.groupby(by, dropna=dropna).cumcount(ascending=up) for frame in (case.ours, case.theirs))
    assert_same(ours, theirs)


def prices(n_rows=300, n_keys=7):
    rng = np.random.default_rng(0)
    keys = rng.integers(0, n_keys, n_rows)
    x = np.where(rng.random(n_rows) < 0.3, np.nan, rng.integers(1, 9, n_rows))
    return pd.DataFrame({"key": [f"n{key}" for key in keys], "x": x, "n": range(n_rows)})


@pytest.mark.parametrize("name", ["cumsum", "shift", "bfill", "pct_change"])
def test_nothing_is_shuffled_where_groups_are_few(name, monkeypatch):
    theirs = prices()
    got = getattr(from_pandas(theirs, 6).groupby("key")[["x", "n"]], name)()
    assert "shuffle" not in str(got.explain())
    expected = getattr(theirs.groupby("key")[["x", "n"]], name)()
    assert_same(got, expected)
    monkeypatch.setattr(plan, "FEW_GROUPS", 3)
    monkeypatch.setattr("restride.collections.dataframe.operations.groupby.few_groups.FEW_GROUPS", 3)
    many = getattr(from_pandas(theirs, 6).groupby("key")[["x", "n"]], name)()
    assert "shuffle" in str(many.explain())
    assert_same(many, expected)


@pytest.mark.slow
def test_rows_of_groups_on_other_processes():
    theirs = prices(4000)
    with rs.Client("processes", workers=2):
        df = from_pandas(theirs, 8)
        for name in ("cumsum", "shift", "ffill"):
            assert_same(getattr(df.groupby("key").x, name)(), getattr(theirs.groupby("key").x, name)())
        assert_same(df.groupby("key").x.transform("mean"), theirs.groupby("key").x.transform("mean"))


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("key", [[np.nan] * 3, [np.nan, 1.0, np.nan]])
@pytest.mark.parametrize("npartitions", [1, 3])
def test_rows_in_no_group_have_what_pandas_has_for_them(call, key, npartitions):
    name, *args = call
    theirs = pd.DataFrame({"key": key, "n": [3, 4, 5], "x": [0.5, np.nan, 1.5]})
    ours = from_pandas(theirs, npartitions)
    for columns in (["n"], ["x"]):
        mine = getattr(ours.groupby("key")[columns], name)(*args)
        assert_same(mine, getattr(theirs.groupby("key")[columns], name)(*args))
