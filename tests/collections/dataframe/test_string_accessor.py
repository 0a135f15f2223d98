"""`Series.str` gives what pandas gives, for any strings in any partitions."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import restride.dataframe as rd
from tests.collections.dataframe.strategies import TEXT, assert_same, from_pandas, partitioned, series

CALLS = [
    ("capitalize",), ("casefold",), ("center", 5), ("contains", "a"), ("contains", "A", False), ("count", "[ab]"),
    ("endswith", "b"), ("endswith", ("b", "ç")), ("extract", "([a-z])(b?)"), ("find", "b"), ("findall", "[a-z]"),
    ("fullmatch", "a."), ("get", 1), ("isalnum",), ("isalpha",), ("isascii",), ("isdecimal",), ("isdigit",),
    ("islower",), ("isnumeric",), ("isspace",), ("istitle",), ("isupper",), ("len",), ("ljust", 4, "_"), ("lower",),
    ("lstrip",), ("match", "[ab]"), ("normalize", "NFD"), ("pad", 4), ("removeprefix", "a"), ("removesuffix", "b"),
    ("repeat", 2), ("replace", "a", "ö"), ("rfind", "b"), ("rjust", 4), ("rstrip",), ("slice", 1), ("slice", 0, 3, 2),
    ("slice_replace", 1, 2, "_"), ("split",), ("split", "-"), ("startswith", "a"), ("strip",), ("swapcase",),
    ("title",), ("translate", {97: "x"}), ("upper",), ("wrap", 2), ("zfill", 4), ("__getitem__", 0), ("rsplit", "b"),
    ("encode", "utf-8"), ("join", "."),
]  # fmt: skip


@settings(max_examples=60)
@given(partitioned(series(TEXT)), st.sampled_from(CALLS))
def test_methods_of_strings_are_those_of_pandas(case, call):
    name, *args = call
    ours, theirs = getattr(case.ours.str, name)(*args), getattr(case.theirs.str, name)(*args)
    if isinstance(theirs, pd.Series) and theirs.dtype != ours.dtype:
        # Where nothing is known to be missing pandas' dtype depends on the values.
        assert theirs.isna().all() or not case.theirs.isna().any()
        theirs = theirs.astype(ours.dtype)
    assert_same(ours, theirs)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call[0])
def test_dtypes_are_those_of_pandas_for_strings_in_memory(call):
    name, *args = call
    for values in (["a b", "", "çB"], ["a b", None, "çB"]):
        theirs = pd.Series(values)
        assert_same(getattr(from_pandas(theirs).str, name)(*args), getattr(theirs.str, name)(*args))


@pytest.mark.parametrize("name", ["split", "rsplit"])
def test_parts_between_separators_are_columns_where_their_number_is_given(name):
    theirs = pd.Series(["a-b-c", "d-e", None, "f"])
    assert_same(
        getattr(from_pandas(theirs).str, name)("-", n=2, expand=True), getattr(theirs.str, name)("-", n=2, expand=True)
    )
    # no string of the last partitions is split
    shorter = getattr(from_pandas(theirs).str, name)("-", n=3, expand=True)
    assert shorter.columns.tolist() == [0, 1, 2, 3]
    with pytest.raises(NotImplementedError, match="needs n="):
        getattr(from_pandas(theirs).str, name)("-", expand=True)


@pytest.mark.parametrize("name", ["partition", "rpartition"])
@pytest.mark.parametrize("expand", [True, False])
def test_partition_gives_what_is_before_and_after_a_separator(name, expand):
    theirs = pd.Series(["a-b-c", "d", None, "e-f", None, None])
    assert_same(
        getattr(from_pandas(theirs).str, name)("-", expand=expand), getattr(theirs.str, name)("-", expand=expand)
    )


@given(partitioned(series(["str"], index=["sorted", "str", "int", "default"])))
def test_all_matches_of_an_expression_are_rows(case):
    pattern = "([a-zA-Z])(?P<digit>[0-9])?"
    assert_same(case.ours.str.extractall(pattern), case.theirs.str.extractall(pattern))


@given(partitioned(series(["str"])), st.sampled_from([None, "", ", "]), st.sampled_from([None, "-"]))
def test_strings_are_joined_to_one_or_to_those_of_another_series(case, sep, na_rep):
    assert case.ours.str.cat(sep=sep, na_rep=na_rep).compute() == case.theirs.str.cat(sep=sep, na_rep=na_rep)
    other, theirs = case.ours.str.upper(), case.theirs.str.upper()
    together = case.theirs.reset_index(drop=True).str.cat(theirs.to_numpy(), sep=sep, na_rep=na_rep)
    ours = case.ours.str.cat(other, sep=sep, na_rep=na_rep).compute()
    assert_same(ours.reset_index(drop=True), together)


def test_encoded_strings_are_decoded():
    theirs = pd.Series(["ä", "b"])
    assert_same(from_pandas(theirs).str.encode("utf-8").str.decode("utf-8"), theirs)


def test_lists_are_joined_and_their_elements_taken():
    theirs = pd.Series(["a b", "c", None])
    assert_same(from_pandas(theirs).str.split().str.join("-"), theirs.str.split().str.join("-"))
    assert_same(from_pandas(theirs).str.split().str[0], theirs.str.split().str[0])


def test_a_compiled_expression_is_taken():
    theirs = pd.Series(["ab", "cd"])
    pattern = re.compile("^a")
    assert_same(from_pandas(theirs).str.replace(pattern, "x", regex=True), theirs.str.replace(pattern, "x", regex=True))


def test_what_is_no_string_has_no_str():
    with pytest.raises(AttributeError, match="string values"):
        rd.from_pandas(pd.Series([1, 2]), npartitions=1).str  # noqa: B018


def test_wrong_arguments_raise_when_the_method_is_called():
    with pytest.raises(TypeError):
        from_pandas(pd.Series(["a"])).str.upper(1)


def test_labels_have_methods_of_strings_too():
    theirs = pd.Series(range(3), index=["ab", "c", "d"])
    assert_same(from_pandas(theirs).index.str.upper(), theirs.index.str.upper())
    assert from_pandas(theirs).index.str.startswith("a").compute().tolist() == [True, False, False]
