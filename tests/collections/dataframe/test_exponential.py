"""Exponentially weighted windows are those of pandas, however rows are partitioned."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.collections.dataframe.strategies import assert_same, frames_of, from_pandas, partitioned

KINDS = {"x": "finite", "n": "int8", "f": "float32", "i": "float64"}
cases = partitioned(frames_of(KINDS, max_rows=16))
weights = st.one_of(
    st.fixed_dictionaries({"alpha": st.sampled_from([0.01, 0.5, 0.9, 1.0])}),
    st.fixed_dictionaries({"com": st.sampled_from([0, 0.3, 5])}),
    st.fixed_dictionaries({"span": st.sampled_from([1, 3, 20])}),
    st.fixed_dictionaries({"halflife": st.sampled_from([0.2, 1, 8])}),
)


@settings(max_examples=30)
@given(
    cases,
    weights,
    st.booleans(),
    st.booleans(),
    st.integers(0, 3),
    st.sampled_from([("mean", {}), ("sum", {}), ("var", {}), ("var", {"bias": True}), ("std", {})]),
)
def test_rows_before_count_for_less_and_less(case, weight, adjust, ignore_na, min_periods, call):
    name, options = call
    windows = {**weight, "adjust": adjust or name == "sum", "ignore_na": ignore_na, "min_periods": min_periods}
    ours, theirs = (getattr(frame.ewm(**windows), name)(**options) for frame in (case.ours, case.theirs))
    # The square root of a variance that is all but nothing has half of its digits.
    atol = 1e-4 if name == "std" else 1e-8
    pd.testing.assert_frame_equal(ours.compute(), theirs, rtol=1e-9, atol=atol)
    ours, theirs = (getattr(frame.ewm(**windows).x, name)(**options) for frame in (case.ours, case.theirs))
    pd.testing.assert_series_equal(ours.compute(), theirs, rtol=1e-9, atol=atol)


@pytest.mark.parametrize("adjust", [True, False])
@pytest.mark.parametrize("name", ["mean", "var"])
def test_long_series_with_holes(name, adjust):
    rng = np.random.default_rng(0)
    values = pd.Series(1e6 + rng.random(5000)).mask(rng.random(5000) < 0.3)
    values[1000:1200] = np.nan
    ours = getattr(from_pandas(values, 7).ewm(alpha=0.02, adjust=adjust), name)()
    theirs = getattr(values.ewm(alpha=0.02, adjust=adjust), name)()
    pd.testing.assert_series_equal(ours.compute(), theirs, rtol=1e-6 if name == "var" else 1e-12)


@pytest.mark.parametrize("adjust", [True, False])
@pytest.mark.parametrize("alpha", [0.5, 1.0])
def test_gaps_after_which_nothing_is_left_of_weights(alpha, adjust):
    values = pd.Series(np.nan, range(6000))
    values[[0, 1, 2, 3500, 3501, 5990]] = [1.0, 2, 4, 8, 5, 3]
    for npartitions in (2, 6):
        ours, theirs = (x.ewm(alpha=alpha, adjust=adjust) for x in (from_pandas(values, npartitions), values))
        assert_same(ours.mean(), theirs.mean())
        assert_same(ours.var(bias=True), theirs.var(bias=True))
        if adjust:
            assert_same(ours.sum(), theirs.sum())


def test_means_of_equal_values_are_these():
    values = pd.Series(np.full(100, 0.1))
    assert_same(from_pandas(values, 7).ewm(span=5).mean(), values.ewm(span=5).mean())
    assert (from_pandas(values, 7).ewm(span=5).mean() == 0.1).all().compute()


def test_what_weighted_windows_lack_is_said_at_the_call():
    ours = from_pandas(pd.DataFrame({"x": [1.0, 2.0], "s": ["a", "b"]}))
    assert ours.ewm(com=1).x.agg(["mean", "std"]).columns.tolist() == ["mean", "std"]
    assert_same(ours.ewm(com=1).mean(numeric_only=True), ours[["x"]].ewm(com=1).mean().compute())
    with pytest.raises(NotImplementedError, match="times"):
        ours.x.ewm(halflife="1D", times=pd.date_range("2000", periods=2))
    with pytest.raises(NotImplementedError, match="adjust"):
        ours.x.ewm(com=1, adjust=False).sum()
    with pytest.raises(ValueError, match="alpha"):
        ours.x.ewm(alpha=2)
    with pytest.raises(ValueError, match="mutually exclusive"):
        ours.x.ewm(alpha=0.5, com=1)
    with pytest.raises(pd.errors.DataError):
        ours.ewm(com=1).mean()
    with pytest.raises(AttributeError, match="median"):
        ours.x.ewm(com=1).agg("median")
