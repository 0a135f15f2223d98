"""Aggregates by name for each row of a group, beside pandas: looked up, or split by hash where they are many."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restride.collections.dataframe.operations.groupby import plan
from tests.collections.dataframe.strategies import assert_same, frames_of, from_pandas, partitioned

FRAME = {"key": "str", "other": "int8", "cat": "category", "x": "finite", "n": "int64", "flag": "bool", "t": "datetime"}
few = settings(max_examples=25)

AGGREGATES = ["count", "sum", "mean", "var", "std", "min", "max", "first", "last", "median", "nunique", "sem", "prod"]


@few
@given(
    partitioned(frames_of(FRAME, min_rows=1)),
    st.sampled_from(["key", "other", ["key", "other"], ["cat", "key"], "t", "flag"]),
    st.sampled_from(AGGREGATES),
    st.booleans(),
    st.booleans(),
)
def test_aggregates_of_each_row_are_those_of_pandas(case, by, name, sort, dropna):
    options = {"sort": sort, "dropna": dropna}
    ours, theirs = (frame.groupby(by, **options) for frame in (case.ours, case.theirs))
    assert_transformed(ours[["x", "n"]], theirs[["x", "n"]], name)
    assert_transformed(ours.x, theirs.x, name)


@few
@given(partitioned(frames_of(FRAME, min_rows=1)), st.sampled_from(["count", "min", "max", "first", "last", "nunique"]))
def test_texts_dates_and_truth_values_too(case, name):
    for by in ("other", ["cat"]):
        ours, theirs = (frame.groupby(by, observed=False)[["key", "t", "flag"]] for frame in (case.ours, case.theirs))
        assert_transformed(ours, theirs, name)


def assert_transformed(ours, theirs, name):
    if theirs.size().to_numpy().sum():
        assert_same(ours.transform(name), theirs.transform(name))
    else:  # pandas raises an IndexError where no row is in a group
        assert ours.transform(name).isna().compute().to_numpy().all()


def many(n_rows=400, n_keys=90):
    rng = np.random.default_rng(0)
    keys = rng.integers(0, n_keys, n_rows)
    return pd.DataFrame({"key": keys, "name": [f"n{key}" for key in keys], "x": rng.random(n_rows), "n": range(n_rows)})


@pytest.mark.parametrize("by", ["key", "name", ["name", "key"]])
@pytest.mark.parametrize("kept", [1.0, 0.0])
def test_few_groups_are_looked_up_and_many_split_by_hash(monkeypatch, by, kept):
    monkeypatch.setattr(plan, "FEW_ROWS", 0)
    monkeypatch.setattr(plan, "SPLIT_ROWS", 10)
    monkeypatch.setattr(plan, "KEPT", kept)
    if not kept:
        monkeypatch.setattr(plan, "FEW_GROUPS", 0)
    theirs = many()
    ours = from_pandas(theirs, 12)
    share = ours.assign(share=ours.x / ours.groupby(by).x.transform("sum"))
    assert ("groupby-index" in str(share.explain())) == (kept == 1.0)
    assert_same(share, theirs.assign(share=theirs.x / theirs.groupby(by).x.transform("sum")))
    assert_same(ours.groupby(by)[["x", "n"]].transform("max"), theirs.groupby(by)[["x", "n"]].transform("max"))


def test_options_and_names_that_are_no_aggregates():
    theirs = many()
    ours = from_pandas(theirs, 3)
    groups = theirs.groupby("key").x
    for name, options in (("std", {"ddof": 0}), ("sum", {"min_count": 5}), ("cumsum", {}), ("rank", {"pct": True})):
        assert_same(ours.groupby("key").x.transform(name, **options), groups.transform(name, **options))
    with pytest.raises(ValueError, match="frobnicate"):
        ours.groupby("key").x.transform("frobnicate")
    with pytest.raises(TypeError):
        ours.groupby("key").name.transform("mean")


@pytest.mark.parametrize("key", ["category", "number"])
def test_integers_and_truth_values_stay_where_no_key_turns_out_to_be_missing(key):
    theirs = pd.DataFrame({"category": pd.Categorical(list("xyxyz")), "number": [1.0, 2.0, 1.0, 2.0, 3.0]})
    theirs = theirs.assign(integer=range(5), truth=[True, False, True, True, False])
    ours = from_pandas(theirs, 2)
    values = ["integer", "truth"]
    found = ours.groupby(key, observed=True)[values].transform(lambda group: group)
    assert_same(found, theirs.groupby(key, observed=True)[values].transform(lambda group: group))


@few
@given(
    partitioned(frames_of(FRAME, min_rows=1)),
    st.sampled_from(["key", "other", ["key", "other"], ["cat"], "cat", "t", "flag", "x"]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_groups_are_numbered_as_pandas_numbers_them(case, by, ascending, sort, dropna):
    ours, theirs = (frame.groupby(by, sort=sort, dropna=dropna) for frame in (case.ours, case.theirs))
    assert_same(ours.ngroup(ascending), theirs.ngroup(ascending))


def test_groups_of_objects_are_not_numbered():
    with pytest.raises(NotImplementedError, match="astype"):
        from_pandas(pd.DataFrame({"key": [1, "a", 2.5]}, dtype=object)).groupby("key").ngroup()
