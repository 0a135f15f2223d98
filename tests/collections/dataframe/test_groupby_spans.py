"""Groups by spans of time, as pandas.Grouper describes them, beside pandas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.collections.dataframe.strategies import assert_same, frames_of, from_pandas, partitioned

FRAME = {"key": "str", "t": "datetime", "x": "finite", "n": "int64"}
RULES = ["D", "7D", "ME", "MS", "W", "2QS", "YE", "90D"]


def grouped(frame, by, **options):
    return frame.groupby(by, **options)[["x", "n"]]


@settings(max_examples=25)
@given(
    partitioned(frames_of(FRAME, min_rows=1)),
    st.sampled_from(RULES),
    st.sampled_from([None, "left", "right"]),
    st.sampled_from([None, "left", "right"]),
    st.sampled_from(["sum", "count", "mean", "std", "nunique", "min", "max", "first", "median"]),
)
def test_all_spans_have_groups_where_there_is_nothing_else_to_group_by(case, rule, closed, label, name):
    by = pd.Grouper(key="t", freq=rule, closed=closed, label=label)
    if case.theirs.t.notna().any():
        assert_same(getattr(grouped(case.ours, by), name)(), getattr(grouped(case.theirs, by), name)())


@settings(max_examples=25)
@given(
    partitioned(frames_of(FRAME, min_rows=1)),
    st.sampled_from(RULES),
    st.sampled_from(["sum", "max", "first", "size"]),
    st.booleans(),
)
def test_spans_go_together_with_other_keys(case, rule, name, sort):
    by = ["key", pd.Grouper(key="t", freq=rule)]
    if case.theirs.t.notna().any():
        ours, theirs = (getattr(grouped(frame, by, sort=sort), name)() for frame in (case.ours, case.theirs))
        assert_same(ours, theirs)


@pytest.fixture
def sales():
    rng = np.random.default_rng(2)
    times = pd.Timestamp("2021-01-30 05:00") + pd.to_timedelta(rng.integers(0, 90 * 24 * 60, 300), "min")
    frame = pd.DataFrame({"t": times, "shop": rng.choice(list("ab"), 300), "x": rng.random(300)})
    return frame[frame.t.dt.day != 7].reset_index(drop=True)


@pytest.mark.parametrize("rule", ["D", "7h", "ME", "W"])
def test_spans_of_an_index_and_of_a_column(sales, rule):
    df = from_pandas(sales, 5)
    by = pd.Grouper(key="t", freq=rule)
    assert_same(df.groupby(by).x.sum(), sales.groupby(by).x.sum())
    assert_same(df.groupby(by).agg({"x": ["mean", "count"]}), sales.groupby(by).agg({"x": ["mean", "count"]}))
    assert_same(df.groupby(by, as_index=False).x.sum(), sales.groupby(by, as_index=False).x.sum())
    numbered, expected = (frame.assign(n=frame.x.round()).astype({"n": "int64"}) for frame in (df, sales))
    assert_same(numbered.groupby(by).n.max(), expected.groupby(by).n.max())
    assert_same(numbered.groupby(by, as_index=False).n.max(), expected.groupby(by, as_index=False).n.max())
    assert_same(df.groupby([by, "shop"]).sum(), sales.groupby([by, "shop"]).sum())
    # pandas has rows in the order of time then, which is no order of rows
    assert_same(df.groupby(by).x.transform("mean"), sales.groupby(by).x.transform("mean").sort_index())
    level = pd.Grouper(freq=rule)
    indexed = sales.set_index("t")
    ours = from_pandas(indexed, 5)
    assert_same(ours.groupby(level).x.sum(), indexed.groupby(level).x.sum())
    assert_same(ours.groupby(["shop", level]).x.max(), indexed.groupby(["shop", level]).x.max())


def test_what_is_no_time_has_no_spans(sales):
    df = from_pandas(sales, 2)
    with pytest.raises(TypeError, match="Only valid with DatetimeIndex"):
        df.groupby(pd.Grouper(key="x", freq="D"))
    with pytest.raises(KeyError):
        df.groupby(pd.Grouper(key="nothing", freq="D"))
    with pytest.raises(NotImplementedError, match="resample"):
        df.groupby(pd.Grouper(key="t", freq="D")).apply(len)
