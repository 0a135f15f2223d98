from __future__ import annotations

from collections import defaultdict

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import restride as rs
import restride.dataframe as rd
from restride.errors import SchemaError

KEYS = {
    "int64": st.integers(0, 6),
    "float64": st.sampled_from([0.0, 1.0, np.nan, 2.5]),
    "str": st.sampled_from(["", "a", "b", "ä", None]),
    "object": st.sampled_from(["a", 1, None]),
}
VALUES = st.one_of(
    *(st.lists(values, min_size=4, max_size=4) for values in (
        st.integers(0, 9), st.floats(allow_nan=True), st.text(max_size=2), st.booleans(),
    ))
)  # fmt: skip


def expected_of(series, mapping, na_action):
    """What pandas has; of truth values of which none is found, as objects, as of those of which some are."""
    expected = series.map(mapping, na_action=na_action)
    truth = len(mapping) and all(isinstance(value, bool | np.bool) for value in dict(mapping).values())
    return expected.astype("object") if truth and expected.isna().all() else expected


@given(data=st.data(), kind=st.sampled_from(sorted(KEYS)), values=VALUES, na_action=st.sampled_from([None, "ignore"]))
def test_values_are_looked_up_as_pandas_does(data, kind, values, na_action):
    series = pd.Series(data.draw(st.lists(KEYS[kind], min_size=1, max_size=12)), dtype=kind)
    keys = data.draw(st.lists(KEYS[kind], max_size=4, unique_by=repr))
    # Of objects pandas has None for a key or not, depending on the values around and on whether it is given a dict.
    assume(kind != "object" or None not in keys)
    mapping = pd.Series(values[: len(keys)], index=pd.Index(keys, dtype=kind))
    ours = rd.from_pandas(series, npartitions=2)
    for given_ in (mapping, dict(mapping) if mapping.index.is_unique else mapping):
        expected = expected_of(series, given_, na_action)
        pd.testing.assert_series_equal(ours.map(given_, na_action=na_action).compute(), expected)
    if len(mapping):
        parts = rd.from_pandas(mapping, npartitions=2)
        got = ours.map(parts, na_action=na_action).compute()
        pd.testing.assert_series_equal(got, expected_of(series, mapping, na_action))


def test_codes_of_a_full_mapping_are_integers_and_can_be_a_column():
    frame = pd.DataFrame({"k": ["b", "a", "b"]})
    df = rd.from_pandas(frame, npartitions=2)
    df["code"] = df.k.map({"a": 0, "b": 1})
    pd.testing.assert_frame_equal(df.compute(), frame.assign(code=[1, 0, 1]))


def test_categories_are_mapped_as_such():
    series = pd.Series(["a", "b", None], dtype="category")
    for mapping in ({"a": 1, "b": 2}, {"a": 1, "b": 1}, {"a": "x"}):
        got = rd.from_pandas(series, npartitions=2).map(mapping).compute()
        pd.testing.assert_series_equal(got, series.map(mapping))


def test_a_mapping_with_defaults_gives_them():
    series = pd.Series(["a", "b"])
    mapping = defaultdict(lambda: -1, a=5)
    got = rd.from_pandas(series, npartitions=2).map(mapping, meta=("x", "int64"))
    assert got.compute().tolist() == [5, -1]


def test_a_key_that_is_there_twice_is_an_error():
    ours = rd.from_pandas(pd.Series([1, 2]), npartitions=1)
    twice = pd.Series([1, 2], index=[1, 1])
    with pytest.raises(pd.errors.InvalidIndexError):
        ours.map(twice)
    with pytest.raises(pd.errors.InvalidIndexError):
        ours.map(rd.from_pandas(twice, npartitions=1)).compute()


@pytest.mark.slow
def test_a_mapping_goes_to_other_processes():
    series = pd.Series(np.arange(1000) % 7)
    with rs.Client("processes", workers=2):
        ours = rd.from_pandas(series, npartitions=5)
        assert ours.map({i: i * 10 for i in range(7)}).sum().compute() == int((series * 10).sum())


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda part: part[["y", "x"]], "expected 2 columns .* got"),
        (lambda part: part.rename(columns={"x": "z"}), "expected 2 columns .* got"),
        (lambda part: part.x, "expected a DataFrame.* got Series"),
        (lambda part: None, "expected a DataFrame.* got NoneType"),
    ],
)
def test_what_a_function_makes_is_of_the_kind_and_the_columns_that_were_declared(function, message):
    frame = pd.DataFrame({"x": [1, 2, 3], "y": [4, 5, 6]})
    with pytest.raises(SchemaError, match=message):
        rd.from_pandas(frame, npartitions=2).map_partitions(function, meta=frame.iloc[:0]).compute()
    with pytest.raises(SchemaError, match=message):
        rd.from_map(lambda _: function(frame), [0], meta=frame.iloc[:0]).compute()


def test_partitions_without_rows_may_be_what_pandas_makes_of_them():
    frame = pd.DataFrame({"x": [1, 2, 3], "y": [4, 5, 6]})
    ours = rd.from_pandas(frame, npartitions=3)
    made = ours[ours.x > 2].apply(lambda row: pd.Series({"a": row.x, "b": row.y}), axis=1)
    pd.testing.assert_frame_equal(made.compute(), pd.DataFrame({"a": [3], "b": [6]}, index=[2]))


def test_a_mapping_is_not_taken_for_one_that_is_gone():
    numbers = rd.from_pandas(pd.Series([1, 1]), npartitions=1)
    for value in [2.5, "a", pd.Timestamp("2024")] * 10:
        assert numbers.map({1: value}).dtype == pd.Series([value]).dtype
