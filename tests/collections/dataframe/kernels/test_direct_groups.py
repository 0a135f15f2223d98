"""Groups whose keys address tables, beside the groups and states of all rows at once."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restride.collections.dataframe.kernels import direct_groups
from restride.collections.dataframe.kernels.direct_groups import direct_keys, group_directly
from restride.collections.dataframe.kernels.distinct_rows import distinct_rows
from restride.collections.dataframe.kernels.group_states import Count, Extreme, Moments, Size, Sum
from restride.collections.dataframe.kernels.grouping import group

KEYS = {
    "int": (pa.int64(), [0, 1, -3, 70, None]),
    "small": (pa.int8(), [0, 1, -128, 127]),
    "uint": (pa.uint64(), [2**64 - 1, 2**64 - 7, None]),
    "bool": (pa.bool_(), [True, False, None]),
    "str": (pa.string(), ["id01", "id07", "id12", None]),
    "dictionary": (pa.dictionary(pa.int32(), pa.string()), ["b", "a", "", None]),
    "date": (pa.date32(), [0, -1, 20, None]),
    "codes": (pa.int32(), [-1, 0, 1, 2]),
}
VALUES = {
    "int": (pa.int64(), [0, 1, -(2**60), 2**61, None]),
    "uint": (pa.uint8(), [0, 255, 3]),
    "float": (pa.float64(), [0.5, -1.0, float("inf"), float("nan"), None]),
    "single": (pa.float32(), [0.5, float("nan")]),
    "bool": (pa.bool_(), [True, False, None]),
    "duration": (pa.duration("ns"), [0, 10**9, None]),
}


def in_parts(draw, dtype, values, n):
    cut = draw(st.integers(0, n))
    drawn = draw(st.lists(st.sampled_from(values), min_size=n, max_size=n))
    plain = {pa.date32(): pa.int32(), pa.duration("ns"): pa.int64()}.get(dtype, dtype)
    return pa.chunked_array([pa.array(part, plain).cast(dtype) for part in (drawn[:cut], drawn[cut:])], dtype)


@st.composite
def keyed_rows(draw):
    n = draw(st.integers(0, 30))
    kinds = draw(st.lists(st.sampled_from(list(KEYS)), min_size=1, max_size=3))
    keys = [in_parts(draw, *KEYS[kind], n) for kind in kinds]
    categories = [3 if kind == "codes" else None for kind in kinds]
    return keys, categories, in_parts(draw, *VALUES[draw(st.sampled_from(list(VALUES)))], n)


@given(
    keyed_rows(),
    st.booleans(),
    st.sampled_from(["key", "appearance"]),
    st.sampled_from([1, 3, 1 << 16]),
    st.sampled_from(["tables", "arrow"]),
)
def test_keys_and_states_are_those_of_all_rows_at_once(rows, dropna, order, block, way):
    keys, categories, values = rows
    states = [Size(), Count(0), Sum(0), Extreme(0, greatest=True), Extreme(0, greatest=False)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(direct_groups, "_BLOCK", block)
        patch.setattr(direct_groups, "_FIRST_LOOK", block)
        patch.setattr(direct_groups, "_MANY_ROWS", 1 if way == "arrow" else 1 << 62)
        made_of = [values] * len(states)
        found = group_directly(keys, categories, states, made_of, partial=False, dropna=dropna, order=order)
    groups = group(keys, categories=categories, dropna=dropna, order=order)
    if found is None:
        assert direct_keys(keys, categories, dropna=dropna) is None
        return
    for ours, theirs in zip(found[0], groups.keys, strict=True):
        assert ours.to_pylist() == theirs.to_pylist()
    for state, ours in zip(states, found[1], strict=True):
        theirs = state.chunk([values], groups)
        assert ours.type == theirs.type
        np.testing.assert_array_equal(ours.to_numpy(zero_copy_only=False), theirs.to_numpy(zero_copy_only=False))


@given(keyed_rows(), st.sampled_from(["first", "last"]), st.sampled_from([1, 3]))
def test_first_and_last_rows_are_found_block_by_block(rows, keep, block):
    keys, categories, _ = rows
    whole = distinct_rows(keys, categories, keep)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(direct_groups, "_BLOCK", block)
        found = distinct_rows(keys, categories, keep)
    groups = group(keys, categories=categories, dropna=False)
    expected = np.sort(groups.first_rows() if keep == "first" else groups.last_rows())
    for ours, theirs in zip(found, whole, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(found[0], expected)


def test_states_of_parts_are_added_up():
    keys, parts = pa.array(["a", "b", "a"]), [pa.array([1, 2, 3]), pa.array([0.5, 1.5, 2.5]), pa.array([4, None, 5])]
    states = [Size(), Sum(0), Extreme(0, greatest=False)]
    _, found = group_directly([keys], [None], states, parts, partial=True, dropna=True, order="key")
    assert [one.to_pylist() for one in found] == [[4, 2], [3.0, 1.5], [4, None]]


def test_what_takes_more_than_a_pass_is_refused():
    keys, values = pa.array([1, 2]), pa.array([1.0, 2.0])
    assert group_directly([keys], [None], [Moments(0)], [values], partial=False, dropna=True, order="key") is None
    spread = pa.array([1, 2**40])
    assert group_directly([spread], [None], [Sum(0)], [values], partial=False, dropna=True, order="key") is None
