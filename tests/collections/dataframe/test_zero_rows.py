"""Frames without rows: results have the values, dtypes and labels that pandas gives them."""

import pandas as pd
import pytest

from restride.collections.dataframe.base import new_collection
from restride.collections.dataframe.operations.sources import from_memory
from tests.collections.dataframe.strategies import assert_same, from_pandas

ROWS = pd.DataFrame(
    {
        "k": ["a", "b"], "i": [1, 2], "f": [1.0, 2.0], "b": [True, False], "t": pd.to_datetime(["2020", "2021"]),
        "c": pd.Categorical(["p", "q"]), "I": pd.array([1, 2], dtype="Int64"),
    }
)  # fmt: skip
NONE = ROWS.iloc[:0]


def empty():
    """The same frame without rows in one partition, in three, and as a filter leaves it."""
    yield from_pandas(NONE, 1), NONE
    yield new_collection(from_memory(NONE, [0, 0, 0, 0])), NONE
    ours = from_pandas(ROWS, 2)
    yield ours[ours.i > 5], ROWS[ROWS.i > 5]


REDUCTIONS = ["sum", "prod", "min", "max", "mean", "std", "median", "count", "nunique", "any", "all", "describe"]


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_of_no_rows(name):
    for ours, theirs in empty():
        for column in ("i", "f"):
            assert_same(getattr(ours[column], name)(), getattr(theirs[column], name)())
        assert_same(getattr(ours[["i", "f"]], name)(), getattr(theirs[["i", "f"]], name)())
        assert_same(getattr(ours[["i"]], name)(), getattr(theirs[["i"]], name)())


@pytest.mark.parametrize("func", [["min", "count"], {"i": "min", "f": "max"}, {"i": ["min", "sum"], "f": "mean"}])
def test_tables_of_reductions_of_no_rows(func):
    for ours, theirs in empty():
        assert_same(ours[["i", "f"]].agg(func), theirs[["i", "f"]].agg(func))


def test_statistics_of_columns_without_values():
    for ours, theirs in empty():
        assert_same(ours.c.describe(), theirs.c.describe())
        assert_same(ours[["i", "f", "b"]].median(), theirs[["i", "f", "b"]].median())
        assert_same(ours.f.mode(), theirs.f.mode())
        assert_same(ours.describe(), theirs.describe())


@pytest.mark.parametrize("how", ["inner", "left", "right", "outer"])
@pytest.mark.parametrize("on", ["k", ["k", "i"]])
def test_merges_with_nothing(how, on):
    rows = from_pandas(ROWS, 2)
    for ours, theirs in empty():
        assert_same(ours.merge(rows, on=on, how=how), theirs.merge(ROWS, on=on, how=how))
        assert_same(rows.merge(ours, on=on, how=how), ROWS.merge(theirs, on=on, how=how))
        assert_same(ours.merge(ours, on=on, how=how), theirs.merge(theirs, on=on, how=how))


@pytest.mark.parametrize("by", ["k", ["k", "i"], "t", "c"])
@pytest.mark.parametrize("name", ["size", "count", "mean", "min", "first", "nunique", "std"])
def test_groups_of_no_rows(by, name):
    for ours, theirs in empty():
        columns = ["f", "b"] if name == "min" else ["f"]
        ours, theirs = (frame.groupby(by, observed=True)[columns] for frame in (ours, theirs))
        assert_same(getattr(ours, name)(), getattr(theirs, name)())


def test_rows_before_others_of_no_rows():
    for ours, theirs in empty():
        ours, theirs = ours[["k", "i", "f"]], theirs[["k", "i", "f"]]
        groups = [frame.groupby("k")[["i", "f"]] for frame in (ours, theirs)]
        assert_same(ours.shift(), theirs.shift())
        assert_same(ours[["i", "f"]].diff(), theirs[["i", "f"]].diff())
        assert_same(ours.i.shift(), theirs.i.shift())
        for name in ("shift", "diff", "cumsum", "rank"):
            assert_same(getattr(ours.groupby("k").i, name)(), getattr(theirs.groupby("k").i, name)())
            assert_same(*(getattr(group, name)() for group in groups))


@pytest.mark.parametrize("by", ["k", ["k", "b"]])
@pytest.mark.parametrize("name", ["describe", "cov", "corr", "ohlc"])
def test_tables_of_groups_of_no_rows(by, name):
    for ours, theirs in empty():
        assert_same(getattr(ours.groupby(by)[["i", "f"]], name)(), getattr(theirs.groupby(by)[["i", "f"]], name)())


def test_margins_of_tables_without_a_cell():
    rows = ROWS.assign(f=float("nan"))
    for ours, theirs in (*empty(), (from_pandas(rows, 2), rows)):
        for index, columns in (("k", "b"), (["k", "i"], "b"), ("k", None)):
            options = {"index": index, "columns": columns, "values": "f", "margins": True}
            assert_same(ours.pivot_table(**options), theirs.pivot_table(**options))


def test_spans_of_no_rows():
    for ours, theirs in empty():
        ours, theirs = ours.set_index("t")[["i", "f"]], theirs.set_index("t")[["i", "f"]]
        for name in ("sum", "mean", "size", "ffill", "asfreq", "nearest", "interpolate"):
            assert_same(getattr(ours.resample("D"), name)(), getattr(theirs.resample("D"), name)())
        assert_same(ours.resample("ME").agg(["min", "max"]), theirs.resample("ME").agg(["min", "max"]))


def test_categories_that_are_nowhere_are_no_values():
    values = pd.Series(pd.Categorical(["q", "q"], ["p", "q", "r"]))
    assert_same(from_pandas(values, 2).describe(), values.describe())


def test_medians_of_some_columns_leave_durations_out():
    frame = ROWS[["i", "f", "b"]].assign(d=pd.to_timedelta([1, 2], "D"), k="a")
    for n in (1, 2):
        ours = from_pandas(frame, n)
        assert_same(ours[ours.i > 0].median(numeric_only=True), frame.median(numeric_only=True))
