"""Values that are there several times, beside pandas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import restride.dataframe as rd
from restride.collections.dataframe.operations import sources
from restride.collections.dataframe.operations.groupby import duplicates, plan
from tests.collections.dataframe.strategies import assert_same, frames, frames_of, from_pandas, partitioned, series

KINDS = ["bool", "int64", "int8", "finite", "str", "category", "datetime", "timedelta"]
few = settings(max_examples=40)


@few
@given(partitioned(frames(KINDS, min_rows=1, max_rows=20)), st.sampled_from(["first", "last", False]), st.booleans())
def test_one_of_equal_rows_stays(case, keep, ignore_index):
    theirs = case.theirs.drop_duplicates(keep=keep, ignore_index=ignore_index)
    assert_same(case.ours.drop_duplicates(keep=keep, ignore_index=ignore_index), theirs)
    label = case.theirs.columns[0]
    assert_same(case.ours.drop_duplicates([label], keep=keep), case.theirs.drop_duplicates([label], keep=keep))


@few
@given(
    partitioned(frames_of({"a": "int8", "b": "str", "c": "finite"}, min_rows=1)),
    st.sampled_from(["first", "last", False]),
    st.booleans(),
    st.sampled_from([["a"], ["b"], ["b", "a"]]),
)
def test_rows_are_taken_from_the_partitions_that_have_any(case, keep, ignore_index, subset):
    with pytest.MonkeyPatch.context() as patch:
        # As of many rows: keys are looked at first.
        patch.setattr(duplicates, "rows_are_few", lambda frame: False)
        patch.setattr(duplicates, "mostly_in_first", lambda sample, plan: True)
        patch.setattr(plan, "KEPT", 1.0)
        ours = case.ours.drop_duplicates(subset, keep=keep, ignore_index=ignore_index)
        assert_same(ours, case.theirs.drop_duplicates(subset, keep=keep, ignore_index=ignore_index))


def test_partitions_without_rows_that_stay_are_not_computed(monkeypatch):
    monkeypatch.setattr(duplicates, "rows_are_few", lambda frame: False)
    theirs = pd.DataFrame({"key": np.tile(np.arange(50), 64), "value": np.arange(3200)})
    ours = rd.from_pandas(theirs, npartitions=8)
    read = []
    original = sources.SliceRows.__call__
    monkeypatch.setattr(sources.SliceRows, "__call__", lambda cut, bounds: read.append(bounds) or original(cut, bounds))
    found = ours.drop_duplicates("key", ignore_index=True).compute()
    pd.testing.assert_frame_equal(found, theirs.drop_duplicates("key", ignore_index=True))
    # The first partition for the question, all of them for their keys, and the first for its values.
    assert len(read) == 1 + 8 + 1


@few
@given(partitioned(frames(KINDS)), st.sampled_from(["first", "last", False]))
def test_rows_that_are_there_again_are_marked(case, keep):
    assert_same(case.ours.duplicated(keep=keep), case.theirs.duplicated(keep=keep))


@few
@given(partitioned(series(KINDS)), st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_values_are_counted(case, normalize, sort, ascending, dropna):
    options = {"normalize": normalize, "sort": sort, "ascending": ascending, "dropna": dropna}
    assert_same(case.ours.value_counts(**options), case.theirs.value_counts(**options))


@few
@given(partitioned(frames_of({"a": "str", "b": "int8"})), st.booleans(), st.booleans())
def test_rows_are_counted(case, normalize, dropna):
    options = {"normalize": normalize, "dropna": dropna}
    assert_same(case.ours.value_counts(**options), case.theirs.value_counts(**options))
    assert_same(case.ours.value_counts("a", **options), case.theirs.value_counts("a", **options))


@few
@given(partitioned(series(KINDS)), st.booleans())
def test_different_values_are_found_and_numbered(case, dropna):
    found = case.ours.unique().compute()
    assert found.dtype == case.theirs.dtype
    expected = case.theirs.drop_duplicates(ignore_index=True)
    pd.testing.assert_series_equal(found, expected)
    assert case.ours.nunique(dropna).compute() == case.theirs.nunique(dropna)
    assert_same(case.ours.mode(dropna), case.theirs.mode(dropna))


def test_columns_of_a_frame_are_looked_at_one_by_one():
    theirs = pd.DataFrame({"a": [1.0, 2, 2, 5, 5], "b": ["x", None, "x", "y", "x"], "c": [0.5, np.nan, 0.5, 1.0, 2.0]})
    ours = from_pandas(theirs)
    assert_same(ours.nunique(), theirs.nunique())
    assert_same(ours.nunique(dropna=False), theirs.nunique(dropna=False))
    assert_same(ours.mode(), theirs.mode())
    assert ours.index.nunique().compute() == 5


def test_frames_are_pivoted_by_the_values_that_there_are():
    theirs = pd.DataFrame(
        {"a": [1, 1, 2, 2, 3], "b": ["x", "y", "x", None, "y"], "v": [1.0, 2.0, 3.0, 4.0, 5.0], "w": range(5)}
    )
    ours = from_pandas(theirs)
    assert_same(ours.pivot_table("v", "a", "b"), theirs.pivot_table("v", "a", "b"))
    assert_same(ours.pivot_table(["v"], "a", "b", "sum"), theirs.pivot_table(["v"], "a", "b", "sum"))
    assert_same(
        ours.pivot_table("v", "a", "b", "sum", fill_value=0), theirs.pivot_table("v", "a", "b", "sum", fill_value=0)
    )
    assert_same(ours.pivot_table("v", ["a", "w"], "b"), theirs.pivot_table("v", ["a", "w"], "b"))


@pytest.mark.parametrize(
    "arguments",
    [
        {"index": "a", "values": "v"},
        {"index": "a", "values": ["w", "v"], "aggfunc": "sum"},
        {"index": ["b", "a"], "values": "v", "aggfunc": "max", "fill_value": 0},
        {"index": "b", "aggfunc": {"w": "max", "v": "sum"}},
        {"index": "a", "values": ["w", "v"], "aggfunc": {"w": "max", "v": "count"}},
        {"index": ["a", "b"]},
    ],
    ids=str,
)
def test_frames_are_pivoted_by_rows_alone(arguments):
    theirs = pd.DataFrame(
        {"a": [1, 1, 2, 2, 3], "w": range(5), "b": ["x", "y", "x", None, "y"], "v": [1.0, 2.0, 3.0, 4.0, np.nan]}
    )
    assert_same(from_pandas(theirs).pivot_table(**arguments), theirs.pivot_table(**arguments))


def test_categories_are_found_and_become_columns():
    theirs = pd.DataFrame({"a": ["x", "y", None, "x"], "n": range(4)})
    ours = from_pandas(theirs)
    known = ours.categorize()
    assert known.a.dtype == pd.CategoricalDtype(["x", "y"])
    assert_same(known, theirs.astype({"a": "category"}))
    assert_same(rd.get_dummies(known), pd.get_dummies(theirs.astype({"a": "category"})))


def test_mistakes_are_told_at_the_call():
    ours = from_pandas(pd.DataFrame({"a": [1, 2]}), 1)
    with pytest.raises(KeyError, match="b"):
        ours.drop_duplicates("b")
    with pytest.raises(ValueError, match="keep"):
        ours.drop_duplicates(keep="none")


def test_categories_that_are_not_known_are_found_by_categorize():
    theirs = pd.DataFrame({"k": list("cabca"), "x": range(5)})
    ours = from_pandas(theirs).astype({"k": "category"}).categorize()
    assert ours.k.cat.known
    assert_same(ours, theirs.astype({"k": "category"}))


@given(partitioned(series(["int64", "str"], name=None, index=["default", "int"])), st.sampled_from([None, "x"]))
def test_names_of_series_stay(case, name):
    ours, theirs = case.ours.rename(name), case.theirs.rename(name)
    assert_same(ours.drop_duplicates(), theirs.drop_duplicates())
    assert_same(ours.duplicated(), theirs.duplicated())
    assert ours.unique().name == name
    assert ours.index.unique().name == theirs.index.name


@few
@given(partitioned(series(["int64", "str"], name="x", min_rows=1), max_partitions=4), st.booleans())
def test_labels_stay_where_rows_are_split_by_hash(case, as_frame):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duplicates, "rows_are_few", lambda frame: False)
        patch.setattr(duplicates, "mostly_in_first", lambda sample, plan: False)
        patch.setattr(plan, "KEPT", 0.0)  # as of keys of which nearly all are different
        ours, theirs = (one.to_frame() if as_frame else one for one in (case.ours, case.theirs))
        assert_same(ours.drop_duplicates(), theirs.drop_duplicates())
        assert_same(ours.drop_duplicates() == 1, theirs.drop_duplicates() == 1)


def test_marks_of_repeated_values_are_counted():
    theirs = pd.DataFrame({"x": [1, 2, 1, 3, 1], "y": [1.0, 2.0, 3.0, 4.0, 5.0]})
    ours = from_pandas(theirs)
    assert ours.duplicated("x").sum().compute() == 2
    assert_same(ours.groupby("x")[["y"]].rank().sum(), theirs.groupby("x")[["y"]].rank().sum())


def test_rows_are_numbered_and_put_in_order_only_where_that_can_be_seen(monkeypatch):
    monkeypatch.setattr(duplicates, "rows_are_few", lambda frame: False)
    monkeypatch.setattr(plan, "KEPT", 0.0)
    monkeypatch.setattr(plan, "SPLIT_ROWS", 1)
    theirs = pd.Series(np.random.default_rng(0).normal(size=3000)).repeat(2)
    theirs.iloc[::7] = np.nan
    ours = rd.from_pandas(theirs, npartitions=5)
    assert "positions" in str(ours.drop_duplicates().explain())
    pd.testing.assert_series_equal(ours.drop_duplicates().compute(), theirs.drop_duplicates())
    for dropna in (True, False):
        counted = ours.nunique(dropna=dropna)
        assert "positions" not in str(counted.explain())
        assert counted.compute() == theirs.nunique(dropna=dropna)
