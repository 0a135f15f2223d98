"""Groups of rows by keys, beside those of pandas."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restride.collections.dataframe.kernels.distinct_rows import distinct_rows
from restride.collections.dataframe.kernels.grouping import group, number_rows, stable_order

KEYS = {
    "int": (pa.int64(), [0, 1, -3, 2**40, 2**62, -(2**62), None]),
    "small": (pa.int8(), [0, 1, -128, 127]),
    "uint": (pa.uint64(), [0, 1, 2**64 - 1, 2**63, None]),
    "float": (pa.float64(), [0.0, -0.0, 1.5, float("inf"), float("nan"), None]),
    "spread": (pa.int64(), [1 << 40, 2 << 40, 3 << 50, 5 << 55]),
    "bool": (pa.bool_(), [True, False, None]),
    "str": (pa.string(), ["", "a", "ab", "ç", "日本", None]),
    "dictionary": (pa.dictionary(pa.int32(), pa.string()), ["b", "a", "", None]),
    "date": (pa.date32(), [0, -1, 20_000, None]),
    "timestamp": (pa.timestamp("ns", "UTC"), [0, 10**18, -1, None]),
    "null": (pa.null(), [None]),
}


@st.composite
def key_columns(draw: st.DrawFn) -> list[pa.ChunkedArray]:
    n = draw(st.integers(0, 30))
    columns = []
    for kind in draw(st.lists(st.sampled_from(list(KEYS)), min_size=1, max_size=5)):
        dtype, values = KEYS[kind]
        drawn = draw(st.lists(st.sampled_from(values), min_size=n, max_size=n))
        cut = draw(st.integers(0, n))
        plain = pa.int32() if kind == "date" else pa.int64() if kind == "timestamp" else dtype
        parts = [pa.array(part, plain).cast(dtype) for part in (drawn[:cut], drawn[cut:])]
        columns.append(pa.chunked_array([part for part in parts if len(part) or cut == n], dtype))
    return columns


def as_pandas(column: pa.ChunkedArray) -> pd.Series:
    if pa.types.is_dictionary(column.type):
        column = column.cast(pa.string())
    if pa.types.is_date32(column.type):
        return pd.Series(column.cast(pa.int32()).to_pandas())
    if pa.types.is_boolean(column.type):
        return pd.Series(column.to_pandas(), dtype="boolean")
    if pa.types.is_null(column.type):
        return pd.Series(np.nan, range(len(column)))
    if pa.types.is_integer(column.type):
        return column.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype(), pa.uint64(): pd.UInt64Dtype()}.get)
    return column.to_pandas()


@given(key_columns(), st.booleans(), st.sampled_from(["any", "key", "appearance"]))
def test_rows_are_in_the_groups_that_pandas_has(columns, dropna, order):
    groups = group(columns, dropna=dropna, order=order)
    frame = pd.DataFrame({i: as_pandas(column) for i, column in enumerate(columns)})
    theirs = frame.groupby(list(frame.columns), dropna=dropna, sort=order == "key")
    numbers = theirs.ngroup().astype(float).fillna(-1).astype(int).to_numpy()
    numbers = np.where(numbers < 0, groups.n, numbers)
    assert groups.n == (numbers[numbers < groups.n].max(initial=-1) + 1 if order == "any" else theirs.ngroups)
    if order == "any":
        assert pd.DataFrame({"ours": groups.codes, "theirs": numbers}).drop_duplicates().shape[0] == len(set(numbers))
    else:
        assert groups.codes.tolist() == numbers.tolist()
    for keys, column in zip(groups.keys, columns, strict=True):
        firsts = column.take(pa.array(groups.first_rows()))
        plain = firsts.cast(pa.string()) if pa.types.is_dictionary(firsts.type) else firsts
        # NaN is a missing key, as null is.
        assert [None if k != k else k for k in keys.to_pylist()] == [None if k != k else k for k in plain.to_pylist()]


@given(key_columns())
def test_rows_of_a_group_are_found_in_their_order(columns):
    groups = group(columns)
    rows = groups.by_group()
    assert np.all(np.diff(groups.codes[rows]) >= 0)
    assert groups.sizes().sum() == len(rows) == np.count_nonzero(groups.codes < groups.n)
    for first, last, size, number in zip(groups.first_rows(), groups.last_rows(), groups.sizes(), range(groups.n)):
        own = np.flatnonzero(groups.codes == number)
        assert (own[0], own[-1], len(own)) == (first, last, size)


@given(key_columns(), st.integers(0, 3), st.booleans())
def test_the_ends_of_groups_are_their_first_or_last_rows(columns, n, last):
    groups = group(columns)
    rows = [np.flatnonzero(groups.codes == number).tolist() for number in range(groups.n)]
    ends = [row for own in rows for row in (own[max(len(own) - n, 0) :] if last else own[:n])]
    assert groups.ends(n, last=last).tolist() == sorted(ends)


@given(st.lists(st.integers(0, 2**34), max_size=50))
def test_the_order_by_digits_is_stable(values):
    codes = np.array(values, np.int64)
    top = int(codes.max(initial=0))
    assert stable_order(codes, top).tolist() == np.argsort(codes, kind="stable").tolist()


def test_codes_of_categories_that_do_not_occur_have_groups_if_asked_for():
    codes, other = pa.array([2, -1, 0, 2], pa.int32()), pa.array(["x", "y", "y", None])
    groups = group([codes, other], categories=[3, None], order="key", complete=True)
    assert groups.keys[0].to_pylist() == [0, 0, 1, 1, 2, 2]
    assert groups.keys[1].to_pylist() == ["x", "y"] * 3
    assert groups.codes.tolist() == [4, 6, 1, 6]
    single = group([codes], categories=[3], dropna=False, order="key", complete=True)
    assert single.keys[0].to_pylist() == [0, 1, 2, -1]


def test_more_combinations_of_keys_than_numbers_are_grouped_step_by_step():
    rng = np.random.default_rng(0)
    columns = [pa.array(rng.integers(0, 2**61, 500)) for _ in range(8)]
    columns = [pa.concat_arrays([column, column]) for column in columns]
    groups = group(columns, order="key")
    assert groups.n == 500
    assert groups.codes[:500].tolist() == groups.codes[500:].tolist()
    assert groups.keys[0].to_pylist() == sorted(columns[0].to_pylist())[::2]


def test_a_dictionary_with_equal_values_and_nulls_gives_the_groups_of_its_values():
    column = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 3, None]), pa.array(["a", "b", "a", None]))
    groups = group([column], dropna=False, order="key")
    assert groups.codes.tolist() == [0, 1, 0, 2, 2]
    assert groups.keys[0].to_pylist() == ["a", "b", None]


def test_values_without_an_order_of_their_own_are_grouped_too():
    column = pa.array([b"b", b"a", None, b"b"])
    assert group([column], order="key").codes.tolist() == [1, 0, 2, 1]


@given(key_columns(), st.sampled_from(["first", "last"]))
def test_one_row_of_each_key_stays(columns, keep):
    frame = pd.DataFrame({i: as_pandas(column) for i, column in enumerate(columns)})
    rows, counts = distinct_rows(columns, [None] * len(columns), keep)
    assert rows.tolist() == np.flatnonzero(~frame.duplicated(keep=keep)).tolist()
    assert counts.sum() == len(frame)


def test_too_many_combinations_are_refused():
    codes = pa.array(np.arange(20_000, dtype=np.int32))
    with pytest.raises(MemoryError, match="observed=True"):
        group([codes, codes], categories=[20_000, 20_000], complete=True)


@given(key_columns(), st.booleans())
def test_rows_have_numbers_of_their_groups_without_their_keys(columns, dropna):
    groups, numbers = group(columns, dropna=dropna), number_rows(columns, dropna=dropna)
    in_none = numbers.codes == numbers.n
    np.testing.assert_array_equal(in_none, groups.codes == groups.n)
    assert (numbers.codes <= numbers.n).all()
    pairs = set(zip(groups.codes.tolist(), numbers.codes.tolist()))
    assert len(pairs) == len({one for one, _ in pairs}) == len({one for _, one in pairs})
    np.testing.assert_array_equal(numbers.ends(2, last=True), groups.ends(2, last=True))
