"""What single values come of columns of every kind: pandas' values, of pandas' types, and pandas' errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal

import restride.dataframe as rd

REDUCTIONS = ("sum", "prod", "mean", "min", "max", "var", "std", "sem", "skew", "kurt", "count", "median", "nunique")
KINDS: dict[str, Any] = {
    "integers": pd.Series([4, 1, 1, 3, 0, 7, 2]),
    "floats": pd.Series([0.5, np.nan, 2.25, 0.0, 8.0, -1.5, 3.0]),
    "singles": pd.Series([0.5, 2.25, 0.0, 8.0, -1.5, 3.0], dtype="float32"),
    "booleans": pd.Series([True, False, False, True, False, False, True]),
    "strings": pd.Series(["b", "a", None, "ü", "a", "c", ""], dtype="str"),
    "dates": pd.Series(pd.date_range("1969-12-30", periods=7, freq="17h")),
    "zoned": pd.Series(pd.date_range("2024-03-30", periods=7, freq="7h", tz="Europe/Oslo")),
    "durations": pd.Series(pd.to_timedelta([5, 1, None, 7, 2, 2, -9], unit="h")),
    "nullable": pd.Series([4, None, 1, 3, None, 7, 2], dtype="Int64"),
    "categories": pd.Series(pd.Categorical(["y", "x", "x", "z", "y", "y", "z"])),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_the_value_of_a_column_is_pandas_in_value_and_type(kind: str, name: str) -> None:
    theirs = KINDS[kind]
    ours = rd.from_pandas(theirs, npartitions=3)
    try:
        expected = getattr(theirs, name)()
    except TypeError:
        with pytest.raises(TypeError):
            getattr(ours, name)().compute()
        return
    found = getattr(ours, name)().compute()
    if isinstance(expected, (float, np.floating)):
        assert found == pytest.approx(expected, rel=1e-6 if kind == "singles" else 1e-12)
    else:
        assert found == expected
    assert name == "nunique" or type(found) is type(expected)


def test_the_values_of_all_columns_are_those_of_each() -> None:
    theirs = pd.DataFrame({kind: KINDS[kind] for kind in ("integers", "floats", "booleans")})
    for frame in (theirs, theirs[["floats"]].astype("float32")):
        ours = rd.from_pandas(frame, npartitions=3)
        for name in ("sum", "mean", "median", "count", "max"):
            assert_series_equal(getattr(ours, name)().compute(), getattr(frame, name)())


def test_dates_and_durations_deviate_by_durations() -> None:
    theirs = pd.DataFrame({kind: KINDS[kind] for kind in ("dates", "durations")})
    assert_series_equal(rd.from_pandas(theirs, npartitions=3).std().compute(), theirs.std())


@pytest.mark.parametrize("keep", ["first", "last", False])
def test_repeated_values_are_marked_under_the_name_of_the_series(keep: Any) -> None:
    theirs = pd.Series([1, 2, 1, 3, 2], name="q")
    assert_series_equal(rd.from_pandas(theirs, npartitions=2).duplicated(keep).compute(), theirs.duplicated(keep))


GROUPED = (*REDUCTIONS, "first", "last", "size", "any", "all", "idxmax", "idxmin", "quantile", "describe")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", GROUPED)
def test_the_values_of_groups_are_those_of_pandas(kind: str, name: str) -> None:
    theirs = pd.DataFrame({"key": [2, 1, 2, 1, 1, 2, 3][: len(KINDS[kind])], "value": KINDS[kind]})
    ours = rd.from_pandas(theirs, npartitions=3)
    try:
        expected = getattr(theirs.groupby("key")["value"], name)()
    except TypeError:
        with pytest.raises(TypeError):
            getattr(ours.groupby("key")["value"], name)().compute()
        return
    found = getattr(ours.groupby("key")["value"], name)().compute()
    (assert_series_equal if isinstance(expected, pd.Series) else assert_frame_equal)(found, expected)


def test_sums_of_times_and_spans_are_times():
    theirs = pd.DataFrame({"t": pd.date_range("2024", periods=10, freq="h", tz="UTC")})
    ours = rd.from_pandas(theirs, npartitions=3)
    span = pd.Timedelta("3h")
    for made in (
        lambda df: df[df.t < df.t.min() + span],
        lambda df: df[df.t > df.t.max() - span],
        lambda df: (df.t - (df.t.max() - df.t.min())).to_frame(),
    ):
        assert_frame_equal(made(ours).compute(), made(theirs))
