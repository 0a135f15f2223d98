"""Windows, shifts, fills and running values are those of pandas, however rows are partitioned."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal, assert_series_equal

import restride as rs
import restride.dataframe as rd
from restride.collections.dataframe.base import new_collection
from restride.collections.dataframe.operations.sources import from_memory
from tests.collections.dataframe.strategies import assert_same, frames_of, from_pandas, partitioned, series

VALUES = st.one_of(st.none(), st.integers(-5, 5).map(float))


@st.composite
def columns(draw: st.DrawFn) -> tuple[pd.DataFrame, list[int]]:
    """A frame of a column of floats with holes and one of integers, and bounds of partitions, some of them empty."""
    values = draw(st.lists(VALUES, max_size=12))
    frame = pd.DataFrame({"x": pd.Series(values, dtype=float), "n": np.arange(len(values)) % 5})
    cuts = draw(st.lists(st.integers(0, len(values)), max_size=6))
    return frame, [0, *sorted(cuts), len(values)]


def ours(frame: pd.DataFrame, bounds: list[int], *, lengths_known: bool) -> rd.DataFrame:
    df = new_collection(from_memory(frame, bounds))
    return df if lengths_known else df[df.n >= 0]


@pytest.fixture(autouse=True)
def inline():
    with rs.Client("inline") as client:
        yield client


@given(columns(), st.booleans(), st.booleans(), st.sampled_from(["cumsum", "cumprod", "cummin", "cummax"]))
def test_running_values(case: tuple[pd.DataFrame, list[int]], known: bool, skipna: bool, how: str) -> None:
    frame, bounds = case
    df = ours(frame, bounds, lengths_known=known)
    assert_frame_equal(getattr(df, how)(skipna=skipna).compute(), getattr(frame, how)(skipna=skipna))
    assert_series_equal(getattr(df.x, how)(skipna=skipna).compute(), getattr(frame.x, how)(skipna=skipna))


@pytest.mark.parametrize("how", ["cumsum", "cumprod", "cummin", "cummax"])
@pytest.mark.parametrize("dtype", ["int8", "uint8", "bool", "float32", "Int8", "int64[pyarrow]"])
@pytest.mark.parametrize("some_missing", [False, True])
def test_running_values_are_of_the_dtype_of_the_result(how: str, dtype: str, some_missing: bool) -> None:
    values = pd.Series([100, 1, 120, 2, 127, 3]).astype(dtype)
    if some_missing and dtype != "bool":
        values = values.where(values > 1)
    for skipna in (True, False):
        assert_same(getattr(from_pandas(values), how)(skipna=skipna), getattr(values, how)(skipna=skipna))


@pytest.mark.parametrize("how", ["cumsum", "cummin", "cummax"])
def test_running_spans_of_time_stop_at_a_missing_one(how: str) -> None:
    values = pd.Series(pd.to_timedelta([5, 3, None, 4, 1, 2], unit="s"))
    for skipna in (True, False):
        assert_same(getattr(from_pandas(values), how)(skipna=skipna), getattr(values, how)(skipna=skipna))


@given(columns(), st.booleans(), st.integers(-4, 4), st.sampled_from(["shift", "diff", "pct_change"]))
def test_shifts_and_differences(case: tuple[pd.DataFrame, list[int]], known: bool, periods: int, how: str) -> None:
    frame, bounds = case
    df = ours(frame, bounds, lengths_known=known)
    columns = ["x", "n"] if how != "pct_change" else ["n"]
    result = getattr(df[columns], how)(periods).compute()
    assert_frame_equal(result, getattr(frame[columns], how)(periods), check_dtype=len(frame) > 0)


@given(columns(), st.booleans(), st.sampled_from([None, 1, 2, 5]), st.sampled_from(["ffill", "bfill"]))
def test_fills(case: tuple[pd.DataFrame, list[int]], known: bool, limit: int | None, how: str) -> None:
    frame, bounds = case
    df = ours(frame, bounds, lengths_known=known)
    assert_frame_equal(getattr(df, how)(limit=limit).compute(), getattr(frame, how)(limit=limit))


@given(
    columns(),
    st.booleans(),
    st.integers(1, 6),
    st.booleans(),
    st.sampled_from([None, 1]),
    st.sampled_from(["sum", "mean", "min", "max", "count", "median", "nunique", "first", "last"]),
)
def test_rolling_windows(
    case: tuple[pd.DataFrame, list[int]], known: bool, window: int, center: bool, least: int | None, how: str
) -> None:
    frame, bounds = case
    df = ours(frame, bounds, lengths_known=known)
    result = getattr(df.rolling(window, min_periods=least, center=center), how)().compute()
    assert_frame_equal(result, getattr(frame.rolling(window, min_periods=least, center=center), how)())


@given(
    columns(),
    st.booleans(),
    st.integers(1, 6),
    st.booleans(),
    st.sampled_from([None, 1]),
    st.sampled_from([("cov", {}), ("cov", {"ddof": 0}), ("corr", {})]),
)
def test_covariances_and_correlations_in_windows(
    case: tuple[pd.DataFrame, list[int]],
    known: bool,
    window: int,
    center: bool,
    least: int | None,
    call: tuple[str, dict[str, int]],
) -> None:
    frame, bounds = case
    name, kwargs = call
    df = ours(frame, bounds, lengths_known=known)
    mine, theirs = (one.rolling(window, min_periods=least, center=center) for one in (df, frame))
    assert_frame_equal(getattr(mine, name)(**kwargs).compute(), getattr(theirs, name)(**kwargs))
    assert_series_equal(getattr(mine.x, name)(df.n, **kwargs).compute(), getattr(theirs.x, name)(frame.n, **kwargs))
    assert_frame_equal(getattr(mine, name)(df.n, **kwargs).compute(), getattr(theirs, name)(frame.n, **kwargs))
    apart = {"pairwise": False, **kwargs}
    assert_frame_equal(getattr(mine, name)(df, **apart).compute(), getattr(theirs, name)(frame, **apart))


@pytest.fixture(scope="module")
def times() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    moments = pd.Timestamp("2021-01-30 05:00") + pd.to_timedelta(np.sort(rng.integers(0, 90 * 24 * 60, 300)), "min")
    return pd.DataFrame({"x": rng.random(300), "n": rng.integers(0, 9, 300)}, index=pd.DatetimeIndex(moments, name="t"))


@pytest.mark.parametrize("npartitions", [1, 4, 30])
@pytest.mark.parametrize("window", ["6h", "10D"])
@pytest.mark.parametrize("kwargs", [{}, {"min_periods": 3}, {"closed": "left"}, {"center": True}])
def test_windows_of_time(times: pd.DataFrame, npartitions: int, window: str, kwargs: dict[str, object]) -> None:
    df = rd.from_pandas(times, npartitions=npartitions)
    assert_frame_equal(df.rolling(window, **kwargs).sum().compute(), times.rolling(window, **kwargs).sum())
    assert_series_equal(df.rolling(window, **kwargs).x.max().compute(), times.rolling(window, **kwargs).x.max())
    assert_frame_equal(df.rolling(window, **kwargs).corr().compute(), times.rolling(window, **kwargs).corr())


@pytest.mark.parametrize("npartitions", [1, 4, 30])
@pytest.mark.parametrize("rule", ["D", "7h", "ME", "MS", "W", "QE", "36h", "YE"])
@pytest.mark.parametrize("how", ["sum", "mean", "count", "first", "ohlc", "size", "nunique"])
def test_spans_of_time(times: pd.DataFrame, npartitions: int, rule: str, how: str) -> None:
    df = rd.from_pandas(times, npartitions=npartitions)
    result, expected = getattr(df.x.resample(rule), how)(), getattr(times.x.resample(rule), how)()
    compare = assert_frame_equal if isinstance(expected, pd.DataFrame) else assert_series_equal
    compare(result.compute(), expected, check_freq=False)


@pytest.mark.parametrize("kwargs", [{"closed": "right"}, {"label": "right"}, {"origin": "start"}, {"offset": "2h"}])
@pytest.mark.parametrize("rule", ["D", "5h"])
def test_ends_and_labels_of_spans(times: pd.DataFrame, kwargs: dict[str, str], rule: str) -> None:
    df = rd.from_pandas(times, npartitions=5)
    result = df.resample(rule, **kwargs).agg({"x": ["sum", "max"], "n": "count"})
    assert_frame_equal(
        result.compute(), times.resample(rule, **kwargs).agg({"x": ["sum", "max"], "n": "count"}), check_freq=False
    )


def test_spans_of_the_times_in_a_column(times: pd.DataFrame) -> None:
    theirs = times.rename_axis("t").reset_index()
    theirs = theirs.sample(frac=1, random_state=1).reset_index(drop=True)
    ours = from_pandas(theirs, 4)
    assert_same(ours.resample("D", on="t").sum(numeric_only=True), theirs.resample("D", on="t").sum(numeric_only=True))
    theirs = theirs.set_index("t").sort_index()
    assert_same(from_pandas(theirs, 3).resample("D", level="t").count(), theirs.resample("D", level="t").count())
    with pytest.raises(KeyError, match="zz"):
        from_pandas(theirs, 3).resample("D", level="zz")


def test_named_aggregates_of_spans(times: pd.DataFrame) -> None:
    ours, label = from_pandas(times, 3), times.columns[0]
    named = {"most": (label, "max"), "n": (label, "count")}
    assert_same(ours.resample("D").agg(**named), times.resample("D").agg(**named))
    assert_same(ours[label].resample("D").agg(n="count"), times[label].resample("D").agg(n="count"))
    assert_same(ours[label].resample("D").pipe(lambda spans: spans.max()), times[label].resample("D").max())


def test_spans_that_a_users_function_aggregates_need_a_meta(times: pd.DataFrame) -> None:
    ours, label = from_pandas(times, 3), times.columns[0]
    with pytest.raises(ValueError, match="meta="):
        ours[label].resample("D").apply(len)


def test_windows_are_piped(times: pd.DataFrame) -> None:
    ours = from_pandas(times, 3)
    assert_same(ours.rolling(3).pipe(lambda windows: windows.sum()), times.rolling(3).sum())


def test_a_users_function_of_windows(times: pd.DataFrame) -> None:
    df = rd.from_pandas(times, npartitions=5)
    expected = times.rolling(3).apply(np.ptp, raw=True)
    assert_frame_equal(df.rolling(3).apply(np.ptp, raw=True).compute(), expected)
    assert_series_equal(df.x.map_overlap(lambda rows: rows.rolling(3).sum(), 2, 0).compute(), times.x.rolling(3).sum())
    assert_series_equal(
        df.x.map_overlap(lambda rows: rows.rolling("2h").sum(), "2h", 0).compute(), times.x.rolling("2h").sum()
    )


def test_what_windows_cannot_do_is_said_at_the_call(times: pd.DataFrame) -> None:
    df = rd.from_pandas(times.reset_index(), npartitions=3)
    with pytest.raises(ValueError, match="index of times"):
        df.x.rolling("2h")
    with pytest.raises(TypeError, match="DatetimeIndex"):
        df.x.resample("D")
    with pytest.raises(ValueError, match="0 or greater"):
        df.x.rolling(-1)
    unsorted = rd.from_pandas(times.sample(frac=1, random_state=0), npartitions=3)
    with pytest.raises(ValueError, match="not sorted"):
        unsorted.x.rolling("2h").sum()
    with pytest.raises(ValueError, match="not sorted"):
        unsorted.x.resample("D")
    with pytest.raises(NotImplementedError, match="time zone"):
        rd.from_pandas(times.tz_localize("UTC"), npartitions=3).x.resample("2D")


def test_divisions_that_are_not_known_are_found_out(times: pd.DataFrame) -> None:
    df = rd.from_pandas(times, npartitions=6)
    some = df[df.n.isin([1, 2])].map_partitions(lambda part: part[part.x > 0.9], meta=times[:0])
    assert not some.known_divisions
    expected = times[times.n.isin([1, 2]) & (times.x > 0.9)]
    assert_series_equal(some.x.rolling("5D").sum().compute(), expected.x.rolling("5D").sum())
    assert_series_equal(some.x.resample("D").count().compute(), expected.x.resample("D").count(), check_freq=False)
    sorted_by = rd.from_pandas(times.reset_index().sample(frac=1, random_state=0), npartitions=4).set_index("t")
    assert_series_equal(sorted_by.x.resample("W").mean().compute(), times.x.resample("W").mean(), check_freq=False)


@pytest.mark.parametrize("rule", ["D", "5h", "ME"])
def test_spans_of_time_in_a_zone(times: pd.DataFrame, rule: str) -> None:
    zoned = times.tz_localize("UTC").tz_convert("Europe/Berlin")
    df = rd.from_pandas(zoned, npartitions=5)
    assert_series_equal(df.x.resample(rule).sum().compute(), zoned.x.resample(rule).sum(), check_freq=False)


@settings(max_examples=40)
@given(
    partitioned(frames_of({"x": "finite", "n": "int8"})),
    st.sampled_from(["count", "sum", "mean", "min", "max", "var", "std", "sem"]),
    st.integers(0, 3),
)
def test_expanding_windows_are_of_all_rows_before(case, name, min_periods):
    ours, theirs = (getattr(frame.expanding(min_periods), name)() for frame in (case.ours, case.theirs))
    pd.testing.assert_frame_equal(ours.compute(), theirs, rtol=1e-9, atol=1e-9)
    ours, theirs = (getattr(frame.expanding(min_periods).x, name)() for frame in (case.ours, case.theirs))
    pd.testing.assert_series_equal(ours.compute(), theirs, rtol=1e-9, atol=1e-9)


def test_expanding_windows_say_what_they_lack():
    ours = from_pandas(pd.DataFrame({"x": [1.0, 2.0], "s": ["a", "b"]}))
    assert ours.expanding().x.agg(["sum", "count"]).columns.tolist() == ["sum", "count"]
    with pytest.raises(pd.errors.DataError):
        ours.expanding().sum()
    with pytest.raises(ValueError, match="min_periods"):
        ours.expanding(-1)
    with pytest.raises(AttributeError, match="quantile"):
        ours.x.expanding().agg("quantile")


@settings(max_examples=40)
@given(partitioned(series(["int64", "finite"])), st.integers(-4, 4))
def test_rows_from_nowhere_may_be_given(case, periods):
    assert_same(case.ours.shift(periods, fill_value=7), case.theirs.shift(periods, fill_value=7))
