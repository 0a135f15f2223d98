from __future__ import annotations

from unittest import mock

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride.dataframe as rd
from restride.collections.dataframe.operations.merge import asof


@st.composite
def sides(draw):
    kind = draw(st.sampled_from(["int64", "float64", "datetime64[ns]", "timedelta64[s]"]))
    made = []
    for groups, value in (("abc", "x"), ("abd", "y")):
        n = draw(st.integers(1, 25))
        on = np.sort(draw(st.lists(st.integers(0, 30), min_size=n, max_size=n)))
        group = draw(st.lists(st.sampled_from(groups), min_size=n, max_size=n))
        frame = pd.DataFrame({"on": pd.Series(on).astype(kind), "by": group, value: range(n), "both": range(n)})
        made.append((frame, draw(st.integers(1, 3))))
    return made


@given(
    made=sides(),
    by=st.sampled_from([None, "by", ["by"]]),
    direction=st.sampled_from(["backward", "forward", "nearest"]),
    exact=st.booleans(),
    tolerance=st.sampled_from([None, 0, 4]),
)
def test_each_row_is_beside_the_row_that_pandas_finds_the_nearest(made, by, direction, exact, tolerance):
    (left, n_left), (right, n_right) = made
    if tolerance is not None and left["on"].dtype.kind in "mM":
        unit = left["on"].dtype.str[-2:-1] if left["on"].dtype.kind == "m" else "ns"
        tolerance = pd.Timedelta(tolerance, unit="s" if unit == "s" else "ns")
    elif tolerance is not None and left["on"].dtype.kind == "f":
        tolerance = float(tolerance)
    options = {"by": by, "direction": direction, "allow_exact_matches": exact, "tolerance": tolerance}
    expected = pd.merge_asof(left, right, on="on", **options)
    ours = rd.from_pandas(left, npartitions=n_left), rd.from_pandas(right, npartitions=n_right)
    pd.testing.assert_frame_equal(rd.merge_asof(*ours, on="on", **options).compute(), expected)


@given(made=sides())
def test_the_index_may_be_the_key_of_either_side(made):
    (left, n_left), (right, n_right) = made
    by_label = right.set_index("on")[["y"]]
    ours, theirs = rd.from_pandas(left, npartitions=n_left), rd.from_pandas(by_label, npartitions=n_right)
    expected = pd.merge_asof(left, by_label, left_on="on", right_index=True)
    got = rd.merge_asof(ours, theirs, left_on="on", right_index=True).compute()
    pd.testing.assert_frame_equal(got, expected, check_index_type=False)
    indexed = left.set_index("on")
    expected = pd.merge_asof(indexed, by_label, left_index=True, right_index=True)
    got = rd.merge_asof(rd.from_pandas(indexed, npartitions=n_left), theirs, left_index=True, right_index=True)
    pd.testing.assert_frame_equal(got.compute(), expected)


def test_keys_that_are_not_sorted_or_missing_are_errors():
    frame = pd.DataFrame({"t": [3.0, 1.0, 2.0], "v": range(3)})
    ours, whole = rd.from_pandas(frame, npartitions=1), rd.from_pandas(frame.sort_values("t"), npartitions=1)
    with pytest.raises(ValueError, match="left keys must be sorted"):
        rd.merge_asof(ours, whole, on="t").compute()
    with pytest.raises(ValueError, match="right keys must be sorted"):
        rd.merge_asof(whole, ours, on="t").compute()
    with pytest.raises(ValueError, match="null values on left side"):
        rd.merge_asof(rd.from_pandas(frame.assign(t=np.nan), npartitions=1), whole, on="t").compute()
    with pytest.raises(pd.errors.MergeError, match="direction invalid"):
        rd.merge_asof(ours, whole, on="t", direction="up")
    with pytest.raises(pd.errors.MergeError, match="incompatible"):
        rd.merge_asof(ours, whole, left_on="t", right_on="v")


OPTIONS = {
    "direction": st.sampled_from(["backward", "forward", "nearest"]),
    "allow_exact_matches": st.booleans(),
    "tolerance": st.sampled_from([None, 0, 4]),
}


@given(made=sides(), by=st.sampled_from([None, "by"]), options=st.fixed_dictionaries(OPTIONS), rows=st.integers(1, 7))
def test_partitions_of_known_ranges_take_what_they_need_of_the_other_side(made, by, options, rows, tmp_path_factory):
    folder = tmp_path_factory.mktemp("asof")
    ours, whole = [], []
    for number, (frame, _) in enumerate(made):
        frame = frame.assign(on=frame["on"].astype("int64"))
        frame.to_parquet(folder / f"{number}.parquet", row_group_size=rows)
        ours.append(rd.read_parquet(str(folder / f"{number}.parquet"), blocksize=1))
        whole.append(frame)
    expected = pd.merge_asof(*whole, on="on", by=by, **options)
    got = rd.merge_asof(*ours, on="on", by=by, **options).compute()
    pd.testing.assert_frame_equal(got, expected)


@given(made=sides(), by=st.sampled_from([None, "by"]), direction=OPTIONS["direction"], n=st.integers(2, 6))
def test_ends_of_partitions_are_looked_at_where_the_right_side_is_large(made, by, direction, n):
    (left, n_left), (right, _) = made
    expected = pd.merge_asof(left, right, on="on", by=by, direction=direction)
    with mock.patch.object(asof, "INDEX_ROWS", 0):
        ours = rd.from_pandas(left, npartitions=n_left), rd.from_pandas(right, npartitions=n)
        got = rd.merge_asof(*ours, on="on", by=by, direction=direction).compute()
        pd.testing.assert_frame_equal(got, expected)


def test_partitions_that_are_not_in_order_are_an_error_where_their_ends_are_looked_at():
    frame = pd.DataFrame({"on": [5, 6, 1, 2], "y": range(4)})
    ours = rd.from_pandas(pd.DataFrame({"on": [1, 2], "x": range(2)}), npartitions=1)
    with mock.patch.object(asof, "INDEX_ROWS", 0), pytest.raises(ValueError, match="right keys must be sorted"):
        rd.merge_asof(ours, rd.from_pandas(frame, npartitions=2), on="on").compute()


def test_no_task_holds_the_right_side_whole_where_divisions_are_known():
    frames = [pd.DataFrame({name: range(1000)}, index=np.arange(1000) * 2 + 1 - i) for i, name in enumerate("xy")]
    left, right = (rd.from_pandas(frame, npartitions=10) for frame in frames)
    got = rd.merge_asof(left, right, left_index=True, right_index=True)
    most = 0

    def counted(self, *partitions):
        nonlocal most
        most = max(most, sum(len(partition) for partition in partitions))
        return ordered(self, *partitions)

    ordered = asof.OrderedSide.__call__
    with mock.patch.object(asof.OrderedSide, "__call__", counted):
        result = got.compute()
    assert 100 <= most <= 202
    pd.testing.assert_frame_equal(result, pd.merge_asof(*frames, left_index=True, right_index=True))
