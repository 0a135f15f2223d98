"""Columns of strings that are dictionaries give what plain ones give, and look at each different string once."""

from __future__ import annotations

import operator

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restride.collections.dataframe.operations.by_value import is_by_value, worth_it
from restride.collections.dataframe.operations.rowwise import Method, RowwiseBlock
from restride.collections.dataframe.partition import to_pandas

META = pd.Series([], dtype="str", name="s", index=pd.Index([], dtype="int64"))
PLAIN = pd.Series([], dtype="str", name="s")
CALLS = [
    (Method("str.upper"), (), "str"), (Method("str.contains"), ("a",), "bool"), (Method("str.len"), (), "float64"),
    (Method("isin"), (["a", None],), "bool"), (operator.eq, ("ab",), "bool"), (operator.lt, ("b",), "bool"),
    (Method("str.slice"), (0, 1), "str"), (Method("str.get"), (1,), "str"),
]  # fmt: skip


def table(strings: list[str | None], chunks: int) -> pa.Table:
    parts = [strings[i::chunks] for i in range(chunks)]
    arrays = [pa.array(part, pa.string()).dictionary_encode() for part in parts]
    labels = pa.chunked_array([pa.array(range(len(part)), pa.int64()) for part in parts])
    return pa.Table.from_arrays([pa.chunked_array(arrays), labels], names=["0", "i0"])


@given(
    st.lists(st.sampled_from(["a", "ab", "B", "ç", "", None]), min_size=1, max_size=60),
    st.integers(1, 3),
    st.sampled_from(CALLS),
)
def test_results_are_those_of_plain_strings(strings, chunks, call):
    function, args, dtype = call
    coded = table(strings, chunks)
    plain = coded.set_column(0, "0", coded.column(0).cast(pa.string()))
    meta = pd.Series([], dtype=dtype, name="s", index=META.index)
    block = RowwiseBlock(function, (("frame", META), *(("value", arg) for arg in args)), (), meta)
    assert block.by_value
    pd.testing.assert_series_equal(to_pandas(block(coded), meta), to_pandas(block(plain), meta))


def test_each_different_string_is_looked_at_once():
    seen = []

    class Counting(Method):
        def __call__(self, value, /, *args, **kwargs):
            seen.append(len(value))
            return super().__call__(value, *args, **kwargs)

    coded = table(["a", "b", None, "a"] * 100, 2)
    RowwiseBlock(Counting("str.upper"), (("frame", META),), (), META)(coded)
    assert seen == [3]
    assert not worth_it(table(["a", "b"], 1))


@pytest.mark.parametrize(
    ("function", "args", "kwargs"),
    [
        (Method("str.index"), ("a",), {}),  # raises for strings that have none
        (Method("str.replace"), ("a",), {"repl": len}),
        (Method("map"), (len,), {}),
        (operator.add, ("a",), {}),
        (operator.eq, (["a"],), {}),
    ],
)
def test_what_may_not_be_called_with_other_strings_than_those_of_rows_is_not(function, args, kwargs):
    assert not is_by_value(function, (("frame", PLAIN), *(("value", arg) for arg in args)), kwargs)
