"""numpy's functions of frames and series, and lists and arrays as columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride.dataframe as rd
from restride.collections.dataframe.base import FrameBase
from tests.collections.dataframe.strategies import assert_same, frames, from_pandas, partitioned

FRAME = pd.DataFrame(
    {"v": range(10), "f": [1.5, None] * 5, "s": list("abcde") * 2, "t": pd.date_range("2024", periods=10, tz="UTC")}
)
CHOICES = {
    "numbers": lambda df: np.where(df.v > 3, 1, 0),
    "texts": lambda df: np.where(df.v > 3, "big", "small"),
    "two columns": lambda df: np.where(df.v > 3, df.f, df.v),
    "a text or none": lambda df: np.where(df.v > 3, df.s, None),
    "a text or a number": lambda df: np.where(df.v > 3, df.s, 1),
    "times": lambda df: np.where(df.v > 3, df.t, pd.NaT),
    "one in the other": lambda df: np.where(df.v > 3, np.where(df.f > 1, 1.5, 2), df.v),
    "of several": lambda df: np.select([df.v > 6, df.f > 1], ["high", df.s], "low"),
    "of several or 0": lambda df: np.select([df.v > 6, df.f > 1], [df.f, df.v]),
}


@pytest.mark.parametrize("name", list(CHOICES))
def test_choices_of_numpy_become_columns_without_being_computed(name):
    choice = CHOICES[name]
    assert isinstance(choice(from_pandas(FRAME)), FrameBase)
    assert_same(from_pandas(FRAME).assign(x=choice), FRAME.assign(x=choice))
    assert_same(from_pandas(FRAME).query("v > 1").assign(x=choice), FRAME.query("v > 1").assign(x=choice))


@given(partitioned(frames(["int64", "finite"], min_rows=1)), st.sampled_from(["sum", "mean", "max", "min", "std"]))
def test_reductions_of_numpy_are_those_of_pandas(case, name):
    function = getattr(np, name)
    np.testing.assert_allclose(function(case.ours.iloc[:, 0]).compute(), function(case.theirs.iloc[:, 0]), rtol=1e-12)
    if name != "std":
        np.testing.assert_allclose(function(case.ours).compute(), function(case.theirs), rtol=1e-12)


def test_other_functions_of_numpy_compute_and_give_arrays():
    ours, theirs = from_pandas(FRAME), FRAME
    for function in (np.unique, np.sort, np.nan_to_num, np.argsort, np.copy, np.diff):
        np.testing.assert_array_equal(function(ours.v), function(theirs.v))
    assert np.shape(ours) == (10, 4)
    assert np.percentile(ours.v, 50) == 4.5
    assert np.concatenate([ours.v, ours.v]).shape == (20,)
    assert_same(np.clip(ours.v, 2, 5), np.clip(theirs.v, 2, 5))
    assert_same(np.round(ours.f, 0), np.round(theirs.f, 0))


@pytest.mark.parametrize("name", ["all", "any", "sum", "max", "mean"])
def test_one_value_of_all_columns(name):
    theirs = FRAME[["v", "f"]]
    assert_same(getattr(from_pandas(theirs), name)(axis=None), getattr(theirs, name)(axis=None))
    with pytest.raises(NotImplementedError, match="axis=None"):
        from_pandas(theirs).skew(axis=None)


@pytest.mark.parametrize(
    "values", [list(range(10)), np.arange(10.0), pd.Index(list("abcdefghij")), pd.array([1, None] * 5)]
)
@pytest.mark.parametrize("frame", [lambda df: df, lambda df: df.set_index("t"), lambda df: df.sort_values("s")])
def test_lists_and_arrays_are_columns_by_position(values, frame):
    assert_same(frame(from_pandas(FRAME)).assign(x=values), frame(FRAME).assign(x=values))


def test_rows_are_counted_where_their_number_is_not_known():
    ours, theirs = from_pandas(FRAME), FRAME
    assert_same(ours[ours.v > 4].assign(x=np.arange(5)), theirs[theirs.v > 4].assign(x=np.arange(5)))
    with pytest.raises(ValueError, match=r"Length of values \(2\) does not match length of index \(5\)"):
        ours[ours.v > 4].assign(x=[1, 2])
    with pytest.raises(TypeError, match="cannot be set to a dict"):
        rd.from_pandas(FRAME, npartitions=1).assign(x={})
