"""Options of aggregates and rows by group, samples and spans of time of each group, beside pandas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.collections.dataframe.strategies import assert_same, frames_of, from_pandas, partitioned

FRAME = {"key": "str", "other": "int8", "x": "finite", "n": "int64", "s": "str"}
few = settings(max_examples=25)
frames = partitioned(frames_of(FRAME, min_rows=1, max_rows=20))
by = st.sampled_from(["key", ["key", "other"]])
AGGREGATES = ["sum", "prod", "mean", "median", "min", "max", "var", "std", "sem", "skew", "kurt", "any", "all"]


@few
@given(frames, by, st.sampled_from(AGGREGATES))
def test_missing_values_may_make_aggregates_missing(case, by, name):
    ours, theirs = (frame.groupby(by, dropna=False)[["x", "n"]] for frame in (case.ours, case.theirs))
    assert_same(getattr(ours, name)(skipna=False), getattr(theirs, name)(skipna=False))


@few
@given(frames, st.sampled_from(["cumsum", "cumprod", "cummin", "cummax"]))
def test_running_values_of_numbers_alone_and_up_to_a_missing_one(case, name):
    columns = ["key", "x", "n", "s"]
    ours, theirs = case.ours[columns].groupby("key"), case.theirs[columns].groupby("key")
    assert_same(getattr(ours, name)(numeric_only=True), getattr(theirs, name)(numeric_only=True))
    assert_same(getattr(ours.x, name)(skipna=False), getattr(theirs.x, name)(skipna=False))


def rows(n=60, groups=7):
    rng = np.random.default_rng(1)
    moments = pd.Timestamp("2000-01-01") + pd.to_timedelta(np.sort(rng.integers(0, 200, n)), "h")
    frame = {"k": rng.choice(list("abcdefg")[:groups], n), "x": rng.integers(0, 9, n), "y": rng.random(n)}
    return pd.DataFrame(frame, index=pd.DatetimeIndex(moments, name="t"))


def test_descriptions_and_counts_of_what_is_asked_for():
    theirs = rows()
    ours = from_pandas(theirs, 4)
    for options in ({"percentiles": [0.1]}, {"include": "all"}, {"exclude": "float"}):
        assert_same(ours.groupby("k").describe(**options), theirs.groupby("k").describe(**options))
    assert_same(ours.groupby("k").y.describe([0.3]), theirs.groupby("k").y.describe([0.3]))
    found = ours.groupby("k").value_counts(subset=["x"]).sort_index()
    assert_same(found, theirs.groupby("k").value_counts(subset=["x"]).sort_index())


@pytest.mark.parametrize("rule", ["D", "36h"])
@pytest.mark.parametrize("how", ["sum", "mean", "count", "size", "max", "first", "nunique", "ohlc"])
def test_spans_of_time_of_each_group(rule, how):
    theirs = rows()
    ours = from_pandas(theirs, 4)
    mine, expected = ours.groupby("k").x.resample(rule), theirs.groupby("k").x.resample(rule)
    found, wanted = getattr(mine, how)().compute(), getattr(expected, how)()
    if how in ("max", "first", "ohlc"):  # integers are floats, as spans may be without rows
        wanted = wanted.astype("float64")
    assert_same(found, wanted)
    both = [frame.groupby("k").resample(rule)[["x", "y"]].mean() for frame in (ours, theirs)]
    assert_same(*both)


def test_windows_of_columns_chosen_afterwards():
    theirs = rows()
    ours = from_pandas(theirs, 4)
    assert_same(ours.groupby("k").rolling(3).x.sum(), theirs.groupby("k").rolling(3).x.sum())
    assert_same(ours.groupby("k").ewm(alpha=0.3)["y"].mean(), theirs.groupby("k").ewm(alpha=0.3)["y"].mean())
    with pytest.raises(AttributeError, match="zz"):
        ours.groupby("k").rolling(3).zz.sum()
    with pytest.raises(TypeError, match="index of times"):
        from_pandas(theirs.reset_index(), 2).groupby("k").resample("D")
    with pytest.raises(NotImplementedError, match="one by one"):
        ours.groupby("k").x.resample("D").agg(["sum", "mean"])


@pytest.mark.parametrize("options", [{"n": 2}, {"frac": 0.5}, {"n": 20, "replace": True}, {"n": 0}, {}])
def test_samples_have_so_many_rows_of_each_group_whatever_the_partitions(options):
    theirs = rows()
    found = [from_pandas(theirs, n).groupby("k").sample(**options, random_state=3).compute() for n in (1, 3, 8)]
    assert_same(found[0], found[1])
    assert_same(found[0], found[2])
    expected = theirs.groupby("k").sample(**options, random_state=3)
    assert_same(found[0].k.value_counts().sort_index(), expected.k.value_counts().sort_index())
    assert set(found[0].itertuples()) <= set(theirs.itertuples())
    assert found[0].index.is_monotonic_increasing
    assert options.get("replace") or found[0].y.is_unique


def test_samples_of_columns_and_of_keys_that_are_missing():
    theirs = rows().assign(k=lambda d: d.k.where(d.k != "a"))
    ours = from_pandas(theirs, 4)
    assert "a" not in set(ours.groupby("k").sample(1).k.compute())
    assert ours.groupby("k", dropna=False).sample(1).k.compute().isna().sum() == 1
    assert list(ours.groupby("k")[["y"]].sample(1).columns) == ["y"]
    assert ours.groupby("k").y.sample(1, random_state=2).compute().name == "y"
    assert len(ours[ours.x > 100].groupby("k").sample(1).compute()) == 0


def test_samples_that_cannot_be_are_told_as_pandas_tells_them():
    groups = from_pandas(rows(), 4).groupby("k")
    with pytest.raises(ValueError, match="OR `n`"):
        groups.sample(n=1, frac=0.5)
    with pytest.raises(ValueError, match="Replace has to be set"):
        groups.sample(frac=2)
    with pytest.raises(ValueError, match="negative number"):
        groups.sample(n=-1)
    with pytest.raises(NotImplementedError, match="weights"):
        groups.sample(1, weights=[1])
    with pytest.raises(ValueError, match="larger sample than population"):
        groups.sample(1000).compute()


@pytest.mark.filterwarnings("ignore:Degrees of freedom", "ignore:divide by zero", "ignore:invalid value")
@pytest.mark.parametrize("name", ["corr", "cov"])
@pytest.mark.parametrize("by", ["k", ["k", "x"]])
def test_matrices_without_an_index_of_keys_have_none_of_them(name, by):
    theirs = rows().assign(z=lambda d: d.y**2)
    ours = from_pandas(theirs, 4)
    mine, expected = ours.groupby(by, as_index=False)[["y", "z"]], theirs.groupby(by, as_index=False)[["y", "z"]]
    assert_same(getattr(mine, name)(), getattr(expected, name)())


def test_combinations_of_many_columns_with_a_category():
    rng = np.random.default_rng(1)
    theirs = pd.DataFrame({f"x{i}": rng.random(50) for i in range(14)})
    theirs["c"] = pd.Categorical(rng.choice(["p", "q"], 50), ["p", "q", "r"])
    assert_same(from_pandas(theirs, 3).value_counts().sort_index(), theirs.value_counts().sort_index())


def test_columns_of_one_label_are_no_key_for_counts():
    theirs = pd.DataFrame([[1, 2, 3], [4, 5, 6]], columns=["a", "b", "a"])
    with pytest.raises(ValueError, match="'a' not 1-dimensional"):
        from_pandas(theirs, 2).value_counts()
    assert_same(from_pandas(theirs, 2).value_counts("b"), theirs.value_counts("b"))
