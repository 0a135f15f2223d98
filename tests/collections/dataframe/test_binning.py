"""`cut`, `qcut`, counts of intervals and numbers of values, beside pandas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import restride.dataframe as rd
from tests.collections.dataframe.strategies import assert_same, from_pandas, partitioned, series

few = settings(max_examples=25)
EDGES = [-3, 0, 1.5, 400]


@few
@given(partitioned(series(["int8", "finite"], min_rows=1)), st.booleans(), st.sampled_from([None, False, list("abc")]))
def test_values_are_put_into_intervals(case, right, labels):
    for bins in (EDGES, pd.IntervalIndex.from_breaks([-1, 0, 2])) if labels is None else (EDGES,):
        options = {"right": right, "labels": labels, "include_lowest": True}
        assert_same(rd.cut(case.ours, bins, **options), pd.cut(case.theirs, bins, **options))


@few
@given(partitioned(series(["uint8", "finite", "datetime"], min_rows=1)), st.sampled_from([None, False]))
def test_intervals_divide_what_there_is(case, labels):
    if case.theirs.notna().any():
        found, edges = rd.cut(case.ours, 3, labels=labels, retbins=True)
        expected, theirs = pd.cut(case.theirs, 3, labels=labels, retbins=True)
        assert_same(found, expected)
        np.testing.assert_array_equal(edges, theirs)
        if case.theirs.nunique() > 4:
            assert_same(rd.qcut(case.ours, [0, 0.4, 1], labels), pd.qcut(case.theirs, [0, 0.4, 1], labels))


@few
@given(partitioned(series(["int8", "finite"], min_rows=1)), st.booleans(), st.booleans())
def test_intervals_are_counted(case, normalize, dropna):
    options = {"bins": EDGES, "normalize": normalize, "dropna": dropna, "sort": False}
    if case.theirs.between(-3, 400).any():
        assert_same(case.ours.value_counts(**options), case.theirs.value_counts(**options))


def test_wrong_edges_are_refused_at_the_call():
    x = from_pandas(pd.Series([1, 2, 3]))
    with pytest.raises(ValueError, match="increase monotonically"):
        rd.cut(x, [3, 1])
    with pytest.raises(ValueError, match="must be unique"):
        rd.qcut(from_pandas(pd.Series([1, 1, 1, 2])), 4)
    with pytest.raises(ValueError, match="Bin labels"):
        rd.cut(x, [0, 1, 3], labels=["a"])


@few
@given(partitioned(series(["int8", "finite", "str", "datetime"])), st.booleans())
def test_values_are_numbered(case, sort):
    codes, values = rd.factorize(case.ours, sort=sort)
    expected, theirs = pd.factorize(case.theirs, sort=sort)
    assert codes.compute().tolist() == expected.tolist()
    assert values.tolist() == theirs.tolist()
