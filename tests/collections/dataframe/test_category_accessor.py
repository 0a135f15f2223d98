"""`Series.cat`: categories that are known, and that are not until they are computed."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride.dataframe as rd
from tests.collections.dataframe.strategies import assert_same, frames, from_pandas, partitioned, series

CALLS = [
    ("add_categories", ["new"]), ("as_ordered",), ("as_unordered",), ("remove_categories", ["p"]),
    ("rename_categories", {"p": "P"}), ("reorder_categories", ["unused", "ř", "q", "p"]),
    ("set_categories", ["q", "x"]),
]  # fmt: skip


@given(partitioned(series(["category"])), st.sampled_from(CALLS))
def test_methods_of_categories_are_those_of_pandas(case, call):
    name, *args = call
    assert_same(getattr(case.ours.cat, name)(*args), getattr(case.theirs.cat, name)(*args))


@given(partitioned(series(["category", "ordered"])))
def test_known_categories_have_codes(case):
    assert case.ours.cat.known
    assert case.ours.cat.ordered == case.theirs.cat.ordered
    pd.testing.assert_index_equal(case.ours.cat.categories, case.theirs.cat.categories)
    assert_same(case.ours.cat.codes, case.theirs.cat.codes)


@given(partitioned(series(["category", "ordered"])))
def test_categories_that_do_not_occur_are_removed(case):
    assert_same(case.ours.cat.remove_unused_categories(), case.theirs.cat.remove_unused_categories())


@given(partitioned(series(["str", "int64", "finite", "bool", "datetime", "category"], min_rows=1)))
def test_values_made_categories_are_those_of_pandas(case):
    assert_same(case.ours.astype("category"), case.theirs.astype("category"))
    known = case.ours.astype("category").cat.as_known()
    assert known.cat.known
    assert_same(known, case.theirs.astype("category"))
    assert_same(known.cat.codes, case.theirs.astype("category").cat.codes)


@given(partitioned(frames(["str", "int64"], min_rows=1)))
def test_all_columns_of_a_frame_are_made_categories(case):
    assert_same(case.ours.astype("category"), case.theirs.astype("category"))


def test_categories_that_are_not_known_are_an_error_that_says_how_to_know_them():
    ours = from_pandas(pd.Series(["b", "a", None])).astype("category")
    assert not ours.cat.known
    for name in ("codes", "categories"):
        with pytest.raises(NotImplementedError, match="as_known"):
            getattr(ours.cat, name)


def test_known_categories_are_made_unknown_and_known_again():
    theirs = pd.Series(["b", "a", None], dtype=pd.CategoricalDtype(["b", "a", "unused"]))
    ours = from_pandas(theirs).cat.as_unknown()
    assert not ours.cat.known
    assert ours.cat.as_known().cat.categories.tolist() == ["a", "b"]


def test_set_categories_makes_categories_known():
    ours = from_pandas(pd.Series(["b", "a", None])).astype("category").cat.set_categories(["a", "b"])
    assert ours.cat.codes.compute().tolist() == [1, 0, -1]


def test_what_is_of_no_categories_has_no_cat():
    with pytest.raises(AttributeError, match="category"):
        from_pandas(pd.Series(["a"])).cat  # noqa: B018


# pandas will not take values for missing that are no categories some time
@pytest.mark.filterwarnings("ignore:Constructing a Categorical")
@given(
    partitioned(series(["str", "string", "int64", "category"])),
    st.sampled_from([["b", "a", "ç"], ["", "日本語"], [], ["nothing"]]),
    st.booleans(),
)
def test_values_become_codes_of_categories_that_are_given(case, categories, ordered):
    kind = case.theirs.dtype if case.theirs.dtype in ("str", "string") else "str"
    dtype = pd.CategoricalDtype(pd.Index(categories, dtype=kind), ordered=ordered)
    assert_same(case.ours.astype(dtype), case.theirs.astype(dtype))
    assert_same(case.ours.to_frame().astype({"x": dtype}), case.theirs.to_frame().astype({"x": dtype}))


@pytest.mark.filterwarnings("ignore:Constructing a Categorical")
def test_strings_by_dictionary_become_codes_too(tmp_path):
    frame = pd.DataFrame({"x": ["a", "b", None, "c"] * 50, "n": range(200)})
    frame.to_parquet(tmp_path / "x.parquet", row_group_size=60)
    dtype = pd.CategoricalDtype(pd.Index(["c", "a"], dtype="str"))
    df = rd.read_parquet(tmp_path / "x.parquet", blocksize=1)
    assert_same(df.x.astype(dtype), frame.x.astype(dtype))
    assert_same(df.categorize(), frame.astype({"x": "category"}))
