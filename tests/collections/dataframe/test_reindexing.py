"""Rows by given labels and at even distances of time, beside pandas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.collections.dataframe.strategies import TEXTS, assert_same, frames_of, from_pandas, partitioned

KINDS = {"x": "finite", "n": "int64", "b": "bool", "s": "str", "c": "category", "t": "datetime", "i": "Int64"}
numbers = partitioned(frames_of(KINDS, index=["sorted", "range", "default"]))
labels = st.lists(st.integers(-2, 30), max_size=12)


@settings(max_examples=40)
@given(numbers, labels, st.booleans())
def test_rows_are_those_of_the_labels_in_their_order(case, wanted, named):
    wanted = pd.Index(wanted, dtype="int64", name="j") if named else wanted
    ours, theirs = case.ours, case.theirs
    if len(wanted):
        assert_same(ours.reindex(wanted), theirs.reindex(wanted))
        assert_same(ours.n.reindex(index=wanted), theirs.n.reindex(index=wanted))
        assert_same(ours.reindex(wanted, columns=["n", "new", "s"]), theirs.reindex(wanted, columns=["n", "new", "s"]))


@settings(max_examples=40)
@given(numbers, labels.filter(len))
def test_rows_that_are_not_there_may_be_given_a_value(case, wanted):
    columns = ["x", "n", "i"]
    assert_same(case.ours[columns].reindex(wanted, fill_value=7), case.theirs[columns].reindex(wanted, fill_value=7))
    assert_same(case.ours.b.reindex(wanted, fill_value=True), case.theirs.b.reindex(wanted, fill_value=True))
    assert_same(case.ours.s.reindex(wanted, fill_value="?"), case.theirs.s.reindex(wanted, fill_value="?"))


@settings(max_examples=40)
@given(numbers, labels.filter(len), st.sampled_from(["ffill", "bfill", "nearest"]))
def test_rows_of_the_label_before_or_after_or_of_the_nearest(case, wanted, method):
    wanted = sorted(wanted)
    assert_same(case.ours.reindex(wanted, method=method), case.theirs.reindex(wanted, method=method))
    assert_same(case.ours.s.reindex(wanted, method=method), case.theirs.s.reindex(wanted, method=method))


@settings(max_examples=40)
@given(numbers, labels.filter(len), st.sampled_from(["ffill", "bfill", "nearest"]), st.integers(1, 4))
def test_labels_may_be_taken_from_so_far_and_no_further(case, wanted, method, most):
    wanted = sorted(wanted)
    columns = ["x", "s", "t"]  # of which all may be missing
    ours, theirs = case.ours[columns], case.theirs[columns]
    if method != "nearest":
        found = ours.reindex(wanted, method=method, limit=most)
        assert_same(found, theirs.reindex(wanted, method=method, limit=most))
    assert_same(
        ours.reindex(wanted, method=method, tolerance=most), theirs.reindex(wanted, method=method, tolerance=most)
    )


def test_large_integers_and_texts():
    theirs = pd.DataFrame({"n": [2**62 + 1, 3, 5]}, index=["a", "ç", ""])
    ours = from_pandas(theirs, 2)
    assert_same(ours.reindex([*TEXTS], fill_value=0), theirs.reindex([*TEXTS], fill_value=0))
    assert_same(ours.reindex(["ç", "", "ç"]), theirs.reindex(["ç", "", "ç"]))


@pytest.mark.filterwarnings("ignore:reindexing with a fill_value")  # of pandas, in both
@pytest.mark.parametrize("value", [300, 0.5, "?", True, -1])
@pytest.mark.parametrize("dtype", ["int8", "uint8", "bool", "float32"])
def test_values_of_another_dtype(value, dtype):
    theirs = pd.DataFrame({"n": pd.Series([1, 0, 1], dtype=dtype)})
    assert_same(from_pandas(theirs).reindex([2, 7, 0], fill_value=value), theirs.reindex([2, 7, 0], fill_value=value))


def times(n, step, start="2000-01-01 06:00"):
    rng = np.random.default_rng(n)
    moments = pd.Timestamp(start) + pd.to_timedelta(np.sort(rng.choice(n * step, n, replace=False)), "h")
    moments = pd.DatetimeIndex(moments, name="t")
    return pd.DataFrame({"x": rng.random(n), "n": np.arange(n), "s": list("abcdefgh" * n)[:n]}, index=moments)


@pytest.mark.parametrize("npartitions", [1, 3])
@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
@pytest.mark.parametrize("freq", ["h", "6h", "D"])
def test_rows_at_even_distances_of_time(npartitions, zone, freq):
    theirs = times(20, 3).tz_localize(zone)
    ours = from_pandas(theirs, npartitions)
    assert_same(ours.asfreq(freq), theirs.asfreq(freq))
    assert_same(ours.n.asfreq(freq, fill_value=-1), theirs.n.asfreq(freq, fill_value=-1))
    assert_same(ours.asfreq(freq, method="ffill"), theirs.asfreq(freq, method="ffill"))
    for options in ({}, {"closed": "right", "label": "right"}):
        mine, expected = ours.resample(freq, **options), theirs.resample(freq, **options)
        assert_same(mine.ffill(), expected.ffill())
        assert_same(mine.x.bfill(), theirs.x.resample(freq, **options).bfill())
        assert_same(mine.asfreq(), expected.asfreq())
        assert_same(mine.nearest(), expected.nearest())
        assert_same(mine[["x", "s"]].ffill(limit=2), theirs[["x", "s"]].resample(freq, **options).ffill(limit=2))
        assert_same(mine.x.bfill(limit=1), theirs.x.resample(freq, **options).bfill(limit=1))
        for how in ("linear", "time"):
            assert_same(mine.x.interpolate(how), theirs.x.resample(freq, **options).interpolate(how))
        assert_same(mine.x.interpolate(limit=2), theirs.x.resample(freq, **options).interpolate(limit=2))
        assert_same(mine.n.asfreq(fill_value=0), theirs.n.resample(freq, **options).asfreq(fill_value=0))


def test_what_cannot_be_reindexed_is_said():
    ours = from_pandas(pd.DataFrame({"x": [1, 2, 3]}, index=[1, 1, 2]))
    with pytest.raises(ValueError, match="not unique"):
        ours.reindex([1, 2]).compute()
    with pytest.raises(ValueError, match="monotonic"):
        ours.reindex([2, 1], method="ffill")
    with pytest.raises(ValueError, match="Invalid fill method"):
        ours.reindex([1, 3], method="cubic")
    with pytest.raises(ValueError, match="limit and tolerance"):
        ours.reindex([1, 3], limit=1)
    with pytest.raises(NotImplementedError, match="tolerance="):
        ours.reindex([1, 3], method="nearest", limit=1)
    with pytest.raises(NotImplementedError, match="how='left'"):
        ours.reindex(ours.index)
    with pytest.raises(NotImplementedError, match="reset_index"):
        from_pandas(pd.DataFrame({"x": [1]}, index=pd.MultiIndex.from_tuples([(1, 2)]))).reindex([(1, 2)])
    with pytest.raises(TypeError, match="index of times"):
        ours.asfreq("D")
