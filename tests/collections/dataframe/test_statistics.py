"""Statistics of frames and series: tables of them, correlations, labels of extremes, as pandas has it."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import restride.dataframe as rd
from tests.collections.dataframe.strategies import (
    KINDS,
    NUMERIC,
    assert_same,
    frames,
    frames_of,
    from_pandas,
    partitioned,
    series,
)

FRAME = pd.DataFrame(
    {"x": [3, 1, 2, 1], "y": [0.5, np.nan, -2.5, 4.0], "s": list("abca"), "t": pd.date_range("2024", periods=4),
     "b": [True, False, True, True]},
    index=list("pqrs"),
)  # fmt: skip
SMALL = {"x": "finite", "y": "finite", "n": "int8"}


def assert_close(ours, theirs) -> None:
    pd.testing.assert_frame_equal(ours.compute(), theirs, check_exact=False, rtol=1e-6, atol=1e-9)


# ---- describe -------------------------------------------------------------------------------------------------------


@given(partitioned(frames(["finite", "int64", "float32", "timedelta"], min_rows=1)))
def test_numbers_are_described(case):
    assume(case.theirs.notna().any().all())
    assert_close(case.ours.describe(), case.theirs.describe())


def test_columns_of_all_kinds_are_described():
    for arguments in (
        {},
        {"include": "all"},
        {"include": ["number"]},
        {"exclude": ["number"]},
        {"percentiles": [0.1, 0.9]},
    ):
        assert_same(from_pandas(FRAME).describe(**arguments), FRAME.describe(**arguments))
    assert_same(from_pandas(FRAME[["s", "b"]]).describe(), FRAME[["s", "b"]].describe())


@pytest.mark.parametrize("column", FRAME.columns)
def test_series_of_all_kinds_are_described(column):
    assert_same(from_pandas(FRAME)[column].describe(), FRAME[column].describe())


# ---- correlations ---------------------------------------------------------------------------------------------------


@given(partitioned(frames_of(SMALL)), st.sampled_from([1, 3]))
def test_all_pairs_of_columns_are_correlated(case, min_periods):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # numpy's, of one row
        theirs = case.theirs.cov(min_periods)
    assert_close(case.ours.cov(min_periods), theirs)
    ours, theirs = case.ours.corr(min_periods=min_periods).compute(), case.theirs.corr(min_periods=min_periods)
    # what does not vary has no correlation; pandas finds one where rounding leaves a trace of variance
    varies = case.theirs.max() - case.theirs.min() > 1e-6
    theirs = theirs.where(ours.notna() | np.logical_and.outer(varies.to_numpy(), varies.to_numpy()))
    pd.testing.assert_frame_equal(ours, theirs, rtol=1e-6, atol=1e-9)


def test_columns_that_are_no_numbers_are_left_out_or_refused():
    assert_close(from_pandas(FRAME).corr(numeric_only=True), FRAME.corr(numeric_only=True))
    numbers = FRAME[["x", "b"]]
    assert_close(from_pandas(numbers).cov(numeric_only=True, ddof=0), numbers.cov(numeric_only=True, ddof=0))
    with pytest.raises(ValueError):
        from_pandas(FRAME).corr()
    with pytest.raises(NotImplementedError, match="kendall"):
        from_pandas(FRAME).corr("kendall")


def test_two_series_are_correlated():
    ours = from_pandas(FRAME)
    assert np.isclose(ours.x.corr(ours.y).compute(), FRAME.x.corr(FRAME.y))
    assert np.isclose(ours.x.cov(ours.y).compute(), FRAME.x.cov(FRAME.y))
    assert np.isnan(ours.x.corr(ours.y, min_periods=4).compute())
    assert np.isclose(ours.x.autocorr().compute(), FRAME.x.autocorr())


def test_means_that_are_far_from_zero_lose_no_precision():
    rng = np.random.default_rng(0)
    theirs = pd.DataFrame(rng.normal(size=(1000, 3)) + 1e9)
    theirs.iloc[::7, 1] = np.nan
    exact = pd.DataFrame(theirs - 1e9).cov()
    assert np.allclose(rd.from_pandas(theirs, npartitions=13).cov().compute(), exact, rtol=1e-6)


# ---- extremes -------------------------------------------------------------------------------------------------------


@given(partitioned(frames(["int64", "finite", "datetime"], index=["default", "int", "str", "sorted"], min_rows=1)))
def test_labels_of_extremes_are_the_first_that_have_them(case):
    assume(case.theirs.notna().any().all())
    assert_same(case.ours.idxmin(), case.theirs.idxmin())
    assert_same(case.ours.idxmax(), case.theirs.idxmax())


@given(partitioned(series([*NUMERIC, "datetime", "ordered"], index=["default", "int", "str"], min_rows=1)))
def test_a_series_has_one_label_of_each_extreme(case):
    assume(case.theirs.notna().any())
    assert case.ours.idxmin().compute() == case.theirs.idxmin()
    assert case.ours.idxmax().compute() == case.theirs.idxmax()


def test_extremes_of_rows_are_labels_of_columns():
    theirs = FRAME[["x", "y"]].fillna(0)
    assert_same(from_pandas(theirs).idxmax(axis=1), theirs.idxmax(axis=1))


def test_extremes_of_nothing_are_errors():
    with pytest.raises(ValueError, match="empty"):
        from_pandas(FRAME[:0]).x.idxmax().compute()
    with pytest.raises(ValueError, match="NA"):
        from_pandas(FRAME).y.idxmax(skipna=False).compute()


# ---- order ----------------------------------------------------------------------------------------------------------


@given(partitioned(series(["int64", "finite", "str", "datetime", "int8"])))
def test_order_of_values_is_told(case):
    assert case.ours.is_monotonic_increasing.compute() == case.theirs.is_monotonic_increasing
    assert case.ours.is_monotonic_decreasing.compute() == case.theirs.is_monotonic_decreasing


@given(partitioned(series(["int64", "finite", "str"], index=["sorted"])))
def test_whether_values_and_labels_repeat_is_told(case):
    assert case.ours.is_unique.compute() == case.theirs.is_unique
    assert case.ours.index.is_unique.compute()
    assert case.ours.index.is_monotonic_increasing.compute()


# ---- size and memory ------------------------------------------------------------------------------------------------


@given(partitioned(frames(["int64", "float32", "bool", "datetime", "category"], duplicates=True)))
def test_memory_is_that_of_pandas_in_all_partitions(case):
    ours, theirs = case.ours.memory_usage(index=False).compute(), case.theirs.memory_usage(index=False)
    fixed = [dtype != "category" for dtype in case.theirs.dtypes]
    pd.testing.assert_series_equal(ours[fixed], theirs[fixed])
    per_partition = case.ours.memory_usage_per_partition(index=False).compute()
    assert per_partition.sum() == ours.sum()
    assert len(per_partition) == case.ours.npartitions


def test_memory_of_an_index_and_of_a_series_is_told():
    theirs = pd.DataFrame({"x": [1, 2, 3]}, index=pd.Index([5, 6, 7]))
    assert_same(from_pandas(theirs).memory_usage(), theirs.memory_usage())
    assert from_pandas(theirs).x.memory_usage(index=False).compute() == 24
    assert from_pandas(theirs).x.nbytes.compute() == 24
    assert from_pandas(theirs).nbytes.compute() == 24


@given(partitioned(frames(KINDS)))
def test_sizes_are_known_or_counted(case):
    size = case.ours.size
    assert (size if isinstance(size, int) else size.compute()) == case.theirs.size
    assert case.ours.empty == case.theirs.empty


@given(partitioned(series(["finite", "str"], index=["sorted", "str", "default"])))
def test_the_first_and_last_values_are_found(case):
    assert case.ours.first_valid_index() == case.theirs.first_valid_index()
    assert case.ours.last_valid_index() == case.theirs.last_valid_index()


def test_what_a_frame_is_made_of_is_printed():
    import io

    buffer = io.StringIO()
    from_pandas(FRAME).info(buf=buffer, show_counts=True, memory_usage=True)
    text = buffer.getvalue()
    assert "4 rows, 3 partitions" in text
    assert "3 non-null  float64" in text
    assert "memory:" in text
    short = io.StringIO()
    from_pandas(FRAME).info(buf=short, verbose=False)
    assert "5 columns\n" in short.getvalue()


def test_values_become_arrays():
    theirs = FRAME[["x", "y"]]
    ours = from_pandas(theirs)
    np.testing.assert_array_equal(ours.to_numpy(), theirs.to_numpy())
    np.testing.assert_array_equal(np.asarray(ours.x), theirs.x)
    np.testing.assert_array_equal(ours.values.compute(), theirs.to_numpy())
    assert ours.x.to_list() == [3, 1, 2, 1]


def test_frames_are_equal_or_not():
    ours = from_pandas(FRAME)
    assert ours.equals(FRAME)
    assert ours.equals(from_pandas(FRAME, 2))
    assert not ours.equals(FRAME.assign(x=0))


def test_the_truth_of_a_frame_is_no_question():
    with pytest.raises(ValueError, match="ambiguous"):
        bool(from_pandas(FRAME))
    with pytest.raises(ValueError, match="ambiguous"):
        bool(from_pandas(FRAME).x)


def test_quotients_and_remainders_come_together():
    ours = from_pandas(FRAME)
    quotient, remainder = divmod(ours.x, 2)
    assert_same(quotient, FRAME.x // 2)
    assert_same(remainder, FRAME.x % 2)
    quotient, remainder = divmod(7, ours.x)
    assert_same(quotient, 7 // FRAME.x)
    assert_same(remainder, 7 % FRAME.x)


@settings(max_examples=8)
@given(partitioned(frames_of({"x": "finite", "y": "int8"})), st.integers(1, 4))
def test_correlations_of_ranks_are_those_of_pandas(case, min_periods):
    ours = case.ours.corr("spearman", min_periods=min_periods).compute()
    expected = case.theirs.corr("spearman", min_periods=min_periods)
    pd.testing.assert_frame_equal(ours, expected, rtol=1e-9, atol=1e-9)
