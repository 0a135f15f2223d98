"""All distinct values of groups, in order and in any."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from restride.collections.dataframe.kernels.group_lists import Distinct
from restride.collections.dataframe.kernels.grouping import group

VALUES = {
    pa.int64(): [None, 0, 1, 2, 2**40, -(2**62)],  # near ones have marks, far ones are looked up
    pa.string(): [None, "", "a", "ç"],
    pa.float64(): [None, 0.5, -1.0],
}


@given(st.sampled_from(list(VALUES)), st.booleans(), st.data())
def test_distinct_values_in_any_order_are_those_in_order(kind, dropna, data):
    values = data.draw(st.lists(st.sampled_from(VALUES[kind][: data.draw(st.integers(3, 6))])))
    keys = data.draw(st.lists(st.sampled_from([None, 0, 7]), min_size=len(values), max_size=len(values)))
    groups = group([pa.chunked_array([keys], pa.int64())])
    column = pa.chunked_array([values], kind)
    in_order = Distinct(0, dropna).chunk([column], groups)
    in_any = Distinct(0, dropna, in_order=False).chunk([column], groups)
    for number, (ours, theirs) in enumerate(zip(in_any.to_pylist(), in_order.to_pylist(), strict=True)):
        there = [values[row] for row in np.flatnonzero(groups.codes == number)]
        expected = list(dict.fromkeys(value for value in there if value is not None or not dropna))
        assert theirs == expected
        assert sorted(ours, key=str) == sorted(expected, key=str)
