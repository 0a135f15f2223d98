from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restride.collections.dataframe.kernels.ranges import ValueRange, are_in_order, between, overlaps, rows_in

BOUNDS = st.none() | st.integers(-5, 5)


@st.composite
def ranges(draw):
    if draw(st.integers(0, 5)) == 0:
        return None
    low, high = draw(BOUNDS), draw(BOUNDS)
    if low is not None and high is not None and low > high:
        low, high = high, low
    return ValueRange(low, high, draw(st.booleans()), is_open=high is not None and high != low and draw(st.booleans()))


def members(of: ValueRange | None) -> set[int | None]:
    """The half numbers, and None for a missing value, that are in a range."""
    if of is None:
        return set()
    values = pa.array([*range(-20, 21), None])
    # Twice the bounds, so that there is a number between any two.
    wide = ValueRange(*(None if b is None else 2 * b for b in (of.least, of.most)), of.nulls, of.is_open)
    return {value for value, inside in zip(values.to_pylist(), rows_in(values, wide)) if inside}


@given(asked=st.lists(ranges(), max_size=5), have=st.lists(ranges(), max_size=5))
def test_ranges_overlap_where_a_value_may_be_in_both(asked, have):
    common, within = overlaps(asked, have)
    for i, one in enumerate(asked):
        for j, other in enumerate(have):
            assert common[i, j] == bool(members(one) & members(other))
            assert not within[i, j] or members(other) <= members(one)
            assert not common[i, j] or within[i, j] == (members(other) <= members(one))


def test_values_without_an_order_have_no_overlaps():
    assert overlaps([ValueRange(1, 2)], [ValueRange("a", "b")]) is None


@pytest.mark.parametrize(
    ("column", "wanted", "expected"),
    [
        (pa.array(["b", None, "a", "ä"]), ValueRange("b", "ä"), [True, True, False, True]),
        (pa.array(["b", None, "a", "b"]).dictionary_encode(), ValueRange("b", nulls=False), [True, False, False, True]),
        (pa.chunked_array([[1], [2, 3]]), ValueRange(2, 3, is_open=True), [False, True, False]),
        (pa.chunked_array([], pa.int64()), ValueRange(2, 3), []),
        (pa.array([2**63 + 1, 5], pa.uint64()), ValueRange(6, 2**63 + 1), [True, False]),
    ],
)
def test_rows_in_a_range_are_found_in_columns_of_all_kinds(column, wanted, expected):
    assert rows_in(column, wanted).tolist() == expected


@given(values=st.lists(st.datetimes(pd.Timestamp(1980, 1, 1), pd.Timestamp(2030, 1, 1)), min_size=2), data=st.data())
def test_times_of_any_unit_are_cut_as_pandas_compares_them(values, data):
    unit, zone = data.draw(st.sampled_from(["s", "ms", "us", "ns"])), data.draw(st.sampled_from([None, "Europe/Oslo"]))
    series = pd.Series(values).dt.as_unit(unit).dt.tz_localize("UTC").dt.tz_convert(zone)
    low, high = sorted(data.draw(st.tuples(st.sampled_from(list(series)), st.sampled_from(list(series)))))
    expected = (series >= low) & (series < high)
    assert rows_in(pa.array(series), ValueRange(low, high, is_open=True)).tolist() == expected.tolist()


@given(have=st.lists(ranges(), min_size=1, max_size=6), asked=st.lists(ranges(), min_size=1, max_size=4))
def test_what_lies_between_is_all_that_overlaps(have, asked):
    have = [one for one in have if one is None or (one.least is not None and one.most is not None)]
    have.sort(key=lambda one: (0, 0) if one is None else (one.least, one.most))
    if not have or not are_in_order(have):
        return
    common, _ = overlaps([None if one is None else replace(one, nulls=False) for one in asked], have)
    for low, high, row in zip(*between(tuple(asked), tuple(have)), common):
        assert 0 <= low <= high <= len(have)
        assert set(np.flatnonzero(row)) <= set(range(low, high))
