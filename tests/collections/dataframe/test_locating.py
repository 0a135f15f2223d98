"""`loc` and `iloc`: rows and columns by label and by position, as pandas has it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride.dataframe as rd
from restride.collections.dataframe.expr import FrameExpr
from tests.collections.dataframe.strategies import (
    KINDS,
    assert_same,
    frames,
    frames_of,
    from_pandas,
    partitioned,
    series,
)

FRAME = pd.DataFrame({"x": range(8), "y": list("abcdefgh"), "z": np.arange(8) / 2}, index=list("klmnopqr"))


def partitions_of(collection) -> int:
    expr: FrameExpr = collection.expr
    return expr.npartitions


# ---- by label -------------------------------------------------------------------------------------------------------


@given(partitioned(frames(KINDS, index=["sorted", "default"])), st.integers(-2, 40), st.integers(-2, 40))
def test_slices_of_labels_are_rows_from_one_to_another(case, start, stop):
    for key in (slice(start, stop), slice(start, None), slice(None, stop), slice(None)):
        assert_same(case.ours.loc[key], case.theirs.loc[key])


@given(partitioned(frames(KINDS, index=["sorted", "int", "str", "default"], min_rows=1)), st.data())
def test_lists_of_labels_are_rows_in_their_order(case, data):
    unique = case.theirs.index.drop_duplicates().tolist()
    labels = data.draw(st.lists(st.sampled_from(unique), max_size=4))
    if labels:
        assert_same(case.ours.loc[labels], case.theirs.loc[labels])
        assert_same(case.ours.loc[labels, "a"], case.theirs.loc[labels, "a"])


@given(partitioned(series(["int64"], index=["sorted", "int", "str"], min_rows=1)), st.data())
def test_rows_of_series_are_chosen_by_label(case, data):
    label = data.draw(st.sampled_from(case.theirs.index.tolist()))
    assert_same(case.ours.loc[[label]], case.theirs.loc[[label]])
    assert_same(case.ours.loc[label], case.theirs.loc[[label]])


def test_only_partitions_that_can_have_the_labels_are_used():
    ours = rd.from_pandas(FRAME, npartitions=4)
    assert partitions_of(ours.loc["n":"o"]) == 2
    assert partitions_of(ours.loc[["l"]].expr.frame and ours.loc["k":"l"]) == 1
    assert_same(ours.loc["n":"o"], FRAME.loc["n":"o"])
    assert_same(ours.loc["a":"b"], FRAME.loc["a":"b"])
    assert_same(ours.loc["z":], FRAME.loc["z":])


def test_labels_that_there_are_not_are_errors():
    with pytest.raises(KeyError, match="aa"):
        rd.from_pandas(FRAME, npartitions=4).loc[["aa"]]
    with pytest.raises(KeyError, match="mm"):
        rd.from_pandas(FRAME, npartitions=4).loc[["k", "mm"]].compute()
    with pytest.raises(KeyError):
        from_pandas(FRAME).loc[:, "nothing"]
    with pytest.raises(pd.errors.IndexingError):
        from_pandas(FRAME).x.loc["k", "x"]


@given(partitioned(frames_of({"x": "int64", "b": "bool"})))
def test_rows_are_chosen_by_truth(case):
    ours, theirs = case.ours, case.theirs
    assert_same(ours.loc[ours.b], theirs.loc[theirs.b])
    assert_same(ours.loc[lambda d: d.x > 0, "x"], theirs.loc[lambda d: d.x > 0, "x"])
    assert_same(ours.loc[ours.b, ["x"]], theirs.loc[theirs.b, ["x"]])
    if ours.expr.length is not None:
        assert_same(ours.loc[theirs.b.to_numpy()], theirs.loc[theirs.b.to_numpy()])


@given(partitioned(frames(["int64", "str", "finite"], duplicates=True)))
def test_columns_are_chosen_by_label(case):
    assert_same(case.ours.loc[:, ["a"]], case.theirs.loc[:, ["a"]])
    assert_same(case.ours.loc[:, case.theirs.columns == "a"], case.theirs.loc[:, case.theirs.columns == "a"])
    if case.theirs.columns.is_unique:
        assert_same(case.ours.loc[:, "a":"b"], case.theirs.loc[:, "a":"b"])


def test_dates_are_chosen_by_parts_of_them():
    theirs = pd.DataFrame({"x": range(50)}, index=pd.date_range("2024-01-20", periods=50, freq="12h"))
    ours = rd.from_pandas(theirs, npartitions=5)
    for key in ("2024-02", "2024-01-25", slice("2024-01-25", "2024-02-01"), slice("2024-02", None)):
        assert_same(ours.loc[key], theirs.loc[key])
    wanted = pd.to_datetime(["2024-02-01", "2024-01-21"])
    assert_same(ours.loc[wanted], theirs.loc[wanted])
    assert_same(ours.loc[["2024-02-01"]], theirs.loc[pd.to_datetime(["2024-02-01"])])


def test_a_slice_in_brackets_is_one_of_labels():
    assert_same(from_pandas(FRAME)["l":"o"], FRAME["l":"o"])


def test_values_are_set_where_a_condition_is_true():
    ours, theirs = from_pandas(FRAME), FRAME.copy()
    ours.loc[ours.x > 3, "z"] = -1.0
    theirs.loc[theirs.x > 3, "z"] = -1.0
    ours.loc[ours.x > 5, "y"] = "many"
    theirs.loc[theirs.x > 5, "y"] = "many"
    ours.loc[:, "x"] = ours.x * 2
    theirs.loc[:, "x"] = theirs.x * 2
    ours.loc[ours.z < 0, "new"] = 0.5
    theirs.loc[theirs.z < 0, "new"] = 0.5
    assert_same(ours, theirs)
    with pytest.raises(NotImplementedError, match="condition"):
        ours.loc["k", "x"] = 3


# ---- by position ----------------------------------------------------------------------------------------------------

ENDS = st.none() | st.integers(-14, 14)


@given(partitioned(frames(KINDS)), ENDS, ENDS, st.none() | st.integers(1, 4))
def test_slices_of_positions_are_rows_from_one_to_before_another(case, start, stop, step):
    assert_same(case.ours.iloc[start:stop:step], case.theirs.iloc[start:stop:step])


@given(partitioned(frames(KINDS, min_rows=1)), st.data())
def test_lists_of_positions_are_rows_in_their_order(case, data):
    least = -len(case.theirs) if case.ours.expr.length is not None else 0
    places = data.draw(st.lists(st.integers(least, len(case.theirs) - 1), min_size=1, max_size=4))
    assert_same(case.ours.iloc[places], case.theirs.iloc[places])
    assert_same(case.ours.iloc[:, 0].iloc[places], case.theirs.iloc[:, 0].iloc[places])
    assert_same(case.ours.a.iloc[places[0]], case.theirs.a.iloc[places[0]])


@given(partitioned(frames(["int64", "str"], min_columns=2, duplicates=True)))
def test_columns_are_chosen_by_position(case):
    for key in ([1, 0], slice(1, None), -1, [False, True, *[False] * (case.theirs.shape[1] - 2)]):
        assert_same(case.ours.iloc[:, key], case.theirs.iloc[:, key])
    assert_same(case.ours.iloc[1:3, [0]], case.theirs.iloc[1:3, [0]])


def test_only_partitions_that_have_the_positions_are_used():
    ours = rd.from_pandas(FRAME, npartitions=4)
    assert partitions_of(ours.iloc[2:4]) == 1
    assert partitions_of(ours.iloc[1:3]) == 2


def test_rows_that_are_filtered_are_counted():
    ours = from_pandas(FRAME)
    assert_same(ours[ours.x > 2].iloc[1:3], FRAME[FRAME.x > 2].iloc[1:3])
    assert_same(ours[ours.x > 2].iloc[-2:], FRAME[FRAME.x > 2].iloc[-2:])
    assert_same(ours[ours.x > 2].iloc[[3, 0]], FRAME[FRAME.x > 2].iloc[[3, 0]])
    with pytest.raises(IndexError, match="out-of-bounds"):
        ours[ours.x > 2].iloc[[30]].compute()


def test_positions_that_there_are_not_are_errors():
    ours = from_pandas(FRAME)
    with pytest.raises(IndexError, match="out-of-bounds"):
        ours.iloc[[8]]
    with pytest.raises(IndexError, match="wrong length"):
        ours.iloc[[True]]
    with pytest.raises(NotImplementedError, match=r"iloc\[\[3\]\]"):
        ours.iloc[3]
    with pytest.raises(NotImplementedError, match="negative step"):
        ours.iloc[::-1]


@given(partitioned(frames(KINDS)), st.integers(-3, 14) | st.none(), st.integers(-3, 14) | st.none())
def test_slices_of_integers_in_brackets_are_of_positions(case, start, stop):
    assert_same(case.ours[start:stop], case.theirs[start:stop])
    assert_same(case.ours.a[start:stop], case.theirs.a[start:stop])
