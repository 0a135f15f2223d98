"""Labels of rows and columns: renamed, dropped, reset, chosen by, as pandas has it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride.dataframe as rd
from tests.collections.dataframe.strategies import KINDS, assert_same, frames, from_pandas, partitioned, series

FRAME = pd.DataFrame({"x": [1, 2, 3], "y": [0.5, 1.5, 2.5], "s": list("abc")}, index=pd.Index(list("pqr"), name="k"))


@given(partitioned(frames(duplicates=True)))
def test_columns_are_renamed(case):
    for mapper in ({"a": "A", "nothing": "N"}, str.upper):
        assert_same(case.ours.rename(columns=mapper), case.theirs.rename(columns=mapper))
        assert_same(case.ours.rename(mapper, axis=1), case.theirs.rename(mapper, axis=1))
    with pytest.raises(KeyError, match="nothing"):
        case.ours.rename(columns={"nothing": "N"}, errors="raise")


def test_rows_are_renamed_by_dicts_and_functions():
    assert_same(from_pandas(FRAME).rename(index={"p": "P"}), FRAME.rename(index={"p": "P"}))
    assert_same(from_pandas(FRAME).rename(index=str.upper), FRAME.rename(index=str.upper))
    assert_same(from_pandas(FRAME).x.rename(str.upper), FRAME.x.rename(str.upper))
    numbered = FRAME.reset_index(drop=True)
    assert_same(from_pandas(numbered).rename(index=lambda i: i * 10), numbered.rename(index=lambda i: i * 10))


@given(partitioned(series()))
def test_series_are_renamed(case):
    assert_same(case.ours.rename("other"), case.theirs.rename("other"))
    assert_same(case.ours.rename(("a", 1)), case.theirs.rename(("a", 1)))


@given(partitioned(frames()))
def test_levels_of_the_index_are_named(case):
    names = ["n", "m"][: case.theirs.index.nlevels]
    assert_same(case.ours.rename_axis(index=names), case.theirs.rename_axis(index=names))
    assert_same(case.ours.rename_axis(columns="c"), case.theirs.rename_axis(columns="c"))
    assert_same(case.ours.rename_axis(names), case.theirs.rename_axis(names))


@given(partitioned(frames(duplicates=True)), st.booleans())
def test_an_index_becomes_columns_and_rows_are_numbered(case, drop):
    assert_same(case.ours.reset_index(drop=drop), case.theirs.reset_index(drop=drop))


@given(partitioned(series()), st.booleans())
def test_an_index_of_a_series_becomes_columns(case, drop):
    assert_same(case.ours.reset_index(drop=drop), case.theirs.reset_index(drop=drop))


def test_some_levels_of_an_index_become_columns():
    index = pd.MultiIndex.from_product([[1, 2], ["a", "b"]], names=["k", "l"])
    theirs = pd.DataFrame({"x": range(4)}, index=index)
    for arguments in ({"level": "k"}, {"level": [1]}, {"level": "l", "drop": True}, {"names": ["K", "L"]}):
        assert_same(from_pandas(theirs).reset_index(**arguments), theirs.reset_index(**arguments))
    assert_same(from_pandas(theirs).x.reset_index(name="value"), theirs.x.reset_index(name="value"))


def test_rows_that_are_left_are_numbered():
    ours, theirs = from_pandas(FRAME), FRAME
    assert_same(ours[ours.x > 1].reset_index(), theirs[theirs.x > 1].reset_index())
    again = ours[ours.x > 1].reset_index(drop=True)
    assert_same(again[again.x > 2], theirs[theirs.x > 1].reset_index(drop=True).query("x > 2"))


def test_all_labels_are_set():
    assert_same(from_pandas(FRAME).set_axis(["i", "j", "k"]), FRAME.set_axis(["i", "j", "k"]))
    assert_same(from_pandas(FRAME).set_axis(list("uvw"), axis=1), FRAME.set_axis(list("uvw"), axis=1))
    assert_same(
        from_pandas(FRAME).set_axis(pd.Index([5, 6, 7], name="n")), FRAME.set_axis(pd.Index([5, 6, 7], name="n"))
    )
    ours = from_pandas(FRAME)
    assert_same(ours.set_axis(ours.s), FRAME.set_axis(FRAME.s))
    with pytest.raises(ValueError, match="Length mismatch"):
        ours.set_axis([1, 2])
    renamed = from_pandas(FRAME)
    renamed.columns = ["u", "v", "w"]
    assert_same(renamed, FRAME.set_axis(["u", "v", "w"], axis=1))


@given(partitioned(frames(["int64", "str"])))
def test_strings_come_before_and_after_labels(case):
    assert_same(case.ours.add_prefix("p_"), case.theirs.add_prefix("p_"))
    assert_same(case.ours.add_suffix("_s"), case.theirs.add_suffix("_s"))


def test_strings_come_before_and_after_labels_of_series():
    for theirs in (FRAME.x, FRAME.x.reset_index(drop=True)):
        assert_same(from_pandas(theirs).add_prefix("p_"), theirs.add_prefix("p_"))
        assert_same(from_pandas(theirs).add_suffix("_s"), theirs.add_suffix("_s"))


@given(partitioned(frames(min_columns=2, duplicates=True)))
def test_columns_are_dropped(case):
    assert_same(case.ours.drop(columns="a"), case.theirs.drop(columns="a"))
    assert_same(
        case.ours.drop(["a", "b"], axis=1, errors="ignore"), case.theirs.drop(["a", "b"], axis=1, errors="ignore")
    )
    with pytest.raises(KeyError, match="nothing"):
        case.ours.drop(columns=["nothing"])


@given(partitioned(frames(["int64"], index=["default", "int", "str", "sorted"], min_rows=1)), st.data())
def test_rows_are_dropped_by_label(case, data):
    labels = data.draw(st.lists(st.sampled_from(case.theirs.index.tolist()), max_size=3))
    assert_same(case.ours.drop(index=labels), case.theirs.drop(index=labels))
    assert_same(
        case.ours.drop(index=[*labels, 99], errors="ignore"), case.theirs.drop(index=[*labels, 99], errors="ignore")
    )


def test_a_row_that_is_not_there_to_drop_is_an_error_when_it_is_looked_for():
    with pytest.raises(KeyError, match="z"):
        from_pandas(FRAME).drop(index=["p", "z"]).compute()


def test_columns_are_taken_out_and_put_in():
    ours, theirs = from_pandas(FRAME), FRAME.copy()
    assert_same(ours.pop("x"), theirs.pop("x"))
    assert_same(ours, theirs)
    ours.insert(1, "new", ours.y * 2)
    theirs.insert(1, "new", theirs.y * 2)
    ours.insert(0, "one", 1)
    theirs.insert(0, "one", 1)
    ours.insert(0, "s", 2, allow_duplicates=True)
    theirs.insert(0, "s", 2, allow_duplicates=True)
    assert_same(ours, theirs)
    with pytest.raises(ValueError, match="already exists"):
        ours.insert(0, "new", 1)
    with pytest.raises(IndexError):
        ours.insert(99, "z", 1)
    del ours["s"]
    assert list(ours.columns) == ["one", "y", "new"]


@given(
    partitioned(frames(KINDS, duplicates=True)),
    st.sampled_from(["number", "bool", ["category", "str"], "datetime"]),
)
def test_columns_are_chosen_by_dtype(case, dtypes):
    assert_same(case.ours.select_dtypes(include=dtypes), case.theirs.select_dtypes(include=dtypes))
    assert_same(case.ours.select_dtypes(exclude=dtypes), case.theirs.select_dtypes(exclude=dtypes))


def test_columns_and_rows_are_chosen_by_parts_of_their_labels():
    for arguments in ({"items": ["y", "nothing"]}, {"like": "x"}, {"regex": "[xs]"}):
        assert_same(from_pandas(FRAME).filter(**arguments), FRAME.filter(**arguments))
    for arguments in ({"like": "p"}, {"regex": "[pr]"}):
        assert_same(from_pandas(FRAME).filter(axis=0, **arguments), FRAME.filter(axis=0, **arguments))
        assert_same(from_pandas(FRAME).x.filter(**arguments), FRAME.x.filter(**arguments))
    with pytest.raises(TypeError, match="exclusive"):
        from_pandas(FRAME).filter(items=["x"], like="x")


def test_a_frame_of_one_column_is_squeezed_to_a_series():
    assert_same(from_pandas(FRAME[["x"]]).squeeze(), FRAME[["x"]].squeeze())
    assert_same(from_pandas(FRAME).squeeze(), FRAME)


@given(partitioned(series()))
def test_series_become_frames(case):
    assert_same(case.ours.to_frame(), case.theirs.to_frame())
    assert_same(case.ours.to_frame("new"), case.theirs.to_frame("new"))


def test_columns_rows_and_values_are_gone_through():
    ours = from_pandas(FRAME)
    assert list(ours) == ["x", "y", "s"]
    assert [label for label, _ in ours.items()] == ["x", "y", "s"]
    assert_same(dict(ours.items())["s"], FRAME.s)
    assert list(ours.x) == [1, 2, 3]
    assert [(label, row.x) for label, row in ours.iterrows()] == [("p", 1), ("q", 2), ("r", 3)]
    assert list(ours.itertuples()) == list(FRAME.itertuples())
    assert "x" in ours
    assert "z" not in ours
    assert ours.keys().tolist() == ["x", "y", "s"]
    assert ours.axes[1].tolist() == ["x", "y", "s"]


@given(partitioned(frames()))
def test_an_index_is_one_of_pandas(case):
    index = case.ours.index
    assert index.nlevels == case.theirs.index.nlevels
    if index.nlevels == 1:
        assert_same(index.to_series(), case.theirs.index.to_series())
        assert_same(index.to_frame(), case.theirs.index.to_frame())
        assert_same(index.to_frame(index=False, name="n"), case.theirs.index.to_frame(index=False, name="n"))
        assert_same(index.rename("other"), case.theirs.index.rename("other"))
    else:
        assert_same(index.get_level_values(1), case.theirs.index.get_level_values(1))


def test_labels_are_compared_computed_with_and_reduced():
    theirs = pd.Series(range(5), index=pd.Index([10, 20, 30, 20, 50], name="n"))
    ours = from_pandas(theirs)
    assert_same(ours[ours.index > 15], theirs[theirs.index > 15])
    assert_same(ours[ours.index.isin([10, 50])], theirs[theirs.index.isin([10, 50])])
    assert_same(ours.index + 1, theirs.index + 1)
    assert_same(1 - ours.index, 1 - theirs.index)
    assert_same(ours.index.astype("float64"), theirs.index.astype("float64"))
    assert ours.index.max().compute() == 50
    assert ours.index.nunique().compute() == 4
    assert ours.index.size == 5
    assert not ours.index.empty
    assert_same(ours.index.unique(), theirs.index.unique())
    assert not ours.index.is_unique.compute()
    assert not ours.index.is_monotonic_increasing.compute()


def test_periods_become_moments():
    theirs = pd.Series([1, 2], index=pd.period_range("2024-01", periods=2, freq="M"))
    assert_same(from_pandas(theirs).to_timestamp(), theirs.to_timestamp())


def test_missing_labels_are_told_and_filled():
    theirs = pd.Series(range(3), index=pd.Index(["a", None, "c"]))
    ours = from_pandas(theirs)
    assert ours.index.isna().compute().tolist() == [False, True, False]
    assert_same(ours.index.fillna("b"), theirs.index.fillna("b"))
    assert_same(ours.index.dropna(), theirs.index.dropna())


def test_users_register_accessors():
    @rd.extensions.register_dataframe_accessor("doubled")
    class Doubled:
        def __init__(self, frame):
            self.frame = frame

        def x(self):
            return self.frame.x * 2

    @rd.extensions.register_series_accessor("tripled")
    @rd.extensions.register_index_accessor("tripled")
    class Tripled:
        def __init__(self, values):
            self.values = values

        def values_times_three(self):
            return self.values * 3

    ours = from_pandas(FRAME.reset_index(drop=True))
    try:
        assert_same(ours.doubled.x(), FRAME.x.reset_index(drop=True) * 2)
        assert ours.x.tripled.values_times_three().compute().tolist() == [3, 6, 9]
        assert ours.index.tripled.values_times_three().compute().tolist() == [0, 3, 6]
        with pytest.warns(UserWarning, match="was an attribute"):
            rd.extensions.register_dataframe_accessor("doubled")(Doubled)
        assert rd.DataFrame.doubled is Doubled
    finally:
        del rd.DataFrame.doubled, rd.Series.tripled, rd.Index.tripled


def test_numbers_of_numpy_are_labels_as_well():
    theirs = pd.DataFrame(np.arange(4).reshape(2, 2))
    assert_same(from_pandas(theirs).rename(columns={0: "a"}), theirs.rename(columns={0: "a"}))
    assert_same(from_pandas(theirs).drop(columns=np.int64(1)), theirs.drop(columns=np.int64(1)))
