from __future__ import annotations

import pickle
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restride.collections.dataframe.kernels import key_codes
from restride.collections.dataframe.kernels.key_index import KeyIndex

I64 = st.one_of(st.integers(-5, 5), st.sampled_from([-(2**63), 2**63 - 1, 2**62, 0]), st.integers(-(2**63), 2**63 - 1))
FLOATS = st.one_of(st.sampled_from([0.0, -0.0, 1.0, np.nan, np.inf, 2.5]), st.floats())
TEXT = st.one_of(st.sampled_from(["", "a", "ä", "a\x00", "日本"]), st.text(max_size=3))


def column(kind: str, values: list, chunks: int) -> pa.ChunkedArray:
    made = {
        "int64": lambda v: pa.array(v, pa.int64()),
        "uint64": lambda v: pa.array([None if x is None else x % 2**64 for x in v], pa.uint64()),
        "int8": lambda v: pa.array([None if x is None else (x + 128) % 256 - 128 for x in v], pa.int8()),
        "bool": lambda v: pa.array([None if x is None else x % 2 == 0 for x in v], pa.bool_()),
        "time": lambda v: pa.array(v, pa.int64()).cast(pa.timestamp("ns")),
        "date": lambda v: pa.array([None if x is None else x % 1000 for x in v], pa.int32()).cast(pa.date32()),
        "float": lambda v: pa.array(v, pa.float64(), from_pandas=False),
        "str": lambda v: pa.array(v, pa.string()),
        "dict": lambda v: pa.array(v, pa.string()).dictionary_encode(),
    }[kind]
    bounds = np.linspace(0, len(values), chunks + 1).astype(int)
    parts = [made(values[a:b]) for a, b in pairwise(bounds)]
    return pa.chunked_array(parts, type=parts[0].type)


def values_of(kind: str, *, nulls: bool) -> st.SearchStrategy:
    values = FLOATS if kind == "float" else TEXT if kind in ("str", "dict") else I64
    return st.one_of(values, st.none()) if nulls else values


def plain(value: object) -> object:
    return "nan" if isinstance(value, float) and np.isnan(value) else value


KINDS = ["int64", "uint64", "int8", "bool", "time", "date", "float", "str", "dict"]


@given(data=st.data(), n_keys=st.integers(1, 3), nulls=st.booleans())
def test_each_row_finds_exactly_the_rows_of_equal_keys(data, n_keys, nulls):
    kinds = data.draw(st.lists(st.sampled_from(KINDS), min_size=n_keys, max_size=n_keys))
    both = []
    for n in (data.draw(st.integers(0, 20)), data.draw(st.integers(0, 20))):
        columns = []
        for kind in kinds:
            as_dictionary = kind in ("str", "dict") and data.draw(st.booleans())
            kind = "dict" if as_dictionary else "str" if kind == "dict" else kind
            values = data.draw(st.lists(values_of(kind, nulls=nulls), min_size=n, max_size=n))
            columns.append(column(kind, values, data.draw(st.integers(1, 3))))
        both.append(columns)
    other, asking = both
    rows: dict[tuple, list[int]] = {}
    for row, key in enumerate(zip(*(map(plain, c.cast(_comparable(c)).to_pylist()) for c in other))):
        rows.setdefault(key, []).append(row)
    keys = list(zip(*(map(plain, c.cast(_comparable(c)).to_pylist()) for c in asking)))

    index = KeyIndex(other)
    found = index.find(asking)
    assert index.unique == all(len(r) == 1 for r in rows.values())
    assert index.n_groups == len(rows)
    assert [i >= 0 for i in found.tolist()] == [key in rows for key in keys]
    for keep in (False, True):
        some, pairs = index.pairs(found, keep=keep)
        some = np.arange(len(keys)) if some is None else some
        want = [(i, r) for i, key in enumerate(keys) for r in rows.get(key, [-1] if keep else [])]
        assert list(zip(some.tolist(), pairs.tolist())) == want
    assert index.counts(found).tolist() == [len(rows.get(key, [])) for key in keys]


def _comparable(column: pa.ChunkedArray) -> pa.DataType:
    """Dates as numbers, as Python has none for all of them."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return pa.string()
    return pa.int64() if pa.types.is_timestamp(kind) else kind


@pytest.mark.parametrize("n_keys", [2, 5])
def test_keys_of_many_wide_columns_do_not_overflow(n_keys):
    rng = np.random.default_rng(0)
    columns = [pa.array(rng.integers(-(2**62), 2**62, 1000)) for _ in range(n_keys)]
    index = KeyIndex(columns)
    order = rng.permutation(1000)
    assert index.unique
    assert index.find([c.take(pa.array(order)) for c in columns]).tolist() == order.tolist()
    shifted = [columns[0], *(c.take(pa.array(np.roll(np.arange(1000), 1))) for c in columns[1:])]
    assert (index.find(shifted) == -1).all()


def test_an_index_finds_the_same_in_another_process():
    columns = [pa.array(["b", None, "a"]), pa.array([1, 2, 3])]
    index = KeyIndex(columns).prepare()
    again = pickle.loads(pickle.dumps(index))
    assert again.find(columns).tolist() == [0, 1, 2]


def test_floats_are_equal_as_pandas_has_it():
    index = KeyIndex([pa.array([np.nan, 0.0])])
    other = np.array([-0.0, -np.nan, np.inf])
    assert index.find([pa.array(other)]).tolist() == [1, 0, -1]
    assert pd.Index([np.nan, 0.0]).get_indexer(other).tolist() == [1, 0, -1]


@given(data=st.data(), n_keys=st.integers(2, 3))
def test_keys_of_several_columns_of_far_integers_are_told_apart(data, n_keys):
    far = st.sampled_from([-(2**63), 2**63 - 1, 2**62, -(2**62), 2**61, 2**32, 2**31, 0, 1, -1, 5])
    rows = st.lists(st.tuples(*[far] * n_keys), min_size=1, max_size=6)
    have, asked = data.draw(rows), data.draw(rows)
    index = KeyIndex([pa.array(column) for column in zip(*have)])
    found = index.find([pa.array(column) for column in zip(*asked)])
    assert [place >= 0 for place in found.tolist()] == [row in have for row in asked]


def test_a_wide_key_after_a_narrow_one_finds_no_other_row():
    index = KeyIndex([pa.array([5, 0, 2**62, -(2**62)]), pa.array([2**63 - 1, 2**62, 2**63 - 1, 2**63 - 1])])
    assert index.find([pa.array([-(2**63), 2**62, -(2**62)]), pa.array([5, 2**62, 0])]).tolist() == [-1, -1, -1]


@given(
    st.lists(st.one_of(TEXT, st.none()), max_size=20), st.lists(st.one_of(TEXT, st.none()), max_size=20),
    st.sampled_from(["str", "dict"]),
)  # fmt: skip
def test_many_strings_are_found_by_their_hashes(known, asked, kind):
    by_arrow = KeyIndex([column("str", known, 1)]).find([column(kind, asked, 1)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(key_codes, "MANY", 0)
        index = KeyIndex([column("str", known, 1)])
        by_hash = np.concatenate([index.find([column(kind, [one], 1)]) for one in asked] or [np.zeros(0, np.int64)])
    assert by_hash.tolist() == by_arrow.tolist()


def test_strings_of_one_hash_are_told_apart(monkeypatch):
    monkeypatch.setattr(key_codes, "MANY", 0)
    monkeypatch.setattr(key_codes, "hash_column", lambda values: np.zeros(len(values), np.uint64))
    index = KeyIndex([pa.array(["a", "b", "c", None])])
    assert index.find([pa.array(["c", "d", None])]).tolist() == [2, -1, 3]
    single = KeyIndex([pa.array(["a"])])
    assert single.find([pa.array(["d"])]).tolist() == [-1]
    assert single.find([pa.array(["a"])]).tolist() == [0]
