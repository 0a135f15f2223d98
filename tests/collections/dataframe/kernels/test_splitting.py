"""Rows of any key columns go to the buckets they belong to, and into pandas' order."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restride.collections.dataframe.kernels.hashing import hash_column, hash_objects, hash_rows
from restride.collections.dataframe.kernels.narrowing import narrow
from restride.collections.dataframe.kernels.radix import argsort, argsort_end, argsort_unsigned
from restride.collections.dataframe.kernels.sort_keys import SortKey
from restride.collections.dataframe.kernels.splitters import choose_splitters, sample, sample_size
from restride.collections.dataframe.kernels.splitting import hash_buckets, range_buckets, split
from restride.collections.dataframe.kernels.taking import take

TYPES: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "int8": (pa.int8(), st.integers(-128, 127)),
    "int64": (pa.int64(), st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3)),
    "uint64": (pa.uint64(), st.integers(0, 2**64 - 1) | st.integers(0, 3)),
    "bool": (pa.bool_(), st.booleans()),
    "float64": (pa.float64(), st.floats(allow_nan=False) | st.sampled_from([0.0, -0.0, 1.0])),
    "float32": (pa.float32(), st.floats(width=32, allow_nan=False)),
    "string": (pa.string(), st.text(max_size=20) | st.sampled_from(["", "a", "a\0", "ab", "é", "z" * 17, "z" * 18])),
    "large_string": (pa.large_string(), st.text(max_size=10)),
    "binary": (pa.binary(), st.binary(max_size=12)),
    "timestamp": (pa.timestamp("us"), st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1))),  # noqa: DTZ001
    "date": (pa.date32(), st.dates()),
    "decimal": (pa.decimal128(20, 2), st.decimals(-1000, 1000, places=2)),
}  # fmt: skip


@st.composite
def columns(draw: st.DrawFn, kind: str | None = None, size: int | None = None) -> pa.ChunkedArray:
    """A column of any type, with nulls or without, in chunks that are slices, by dictionary or not."""
    kind = kind or draw(st.sampled_from(sorted(TYPES)))
    arrow, values = TYPES[kind]
    if draw(st.booleans()):
        values = values | st.none()
    size = draw(st.integers(0, 40)) if size is None else size
    items = draw(st.lists(values, min_size=size, max_size=size))
    cuts = sorted(draw(st.lists(st.integers(0, size), max_size=3)))
    before = draw(st.lists(values, max_size=3))
    array = pa.array([*before, *items, *before], arrow)
    if kind in ("string", "int64") and draw(st.booleans()):
        array = array.dictionary_encode()
    chunks = [
        array.slice(len(before) + start, stop - start) for start, stop in zip([0, *cuts], [*cuts, size], strict=True)
    ]
    return pa.chunked_array(chunks, array.type)


def keys_of(column: pa.ChunkedArray) -> list[Any]:
    """Values as Python compares them: the bytes of strings, and neither -0.0 nor NaN."""
    values = column.to_pylist()
    if pa.types.is_floating(column.type):
        values = [None if v is None or v != v else v + 0.0 for v in values]
    return [v.encode() if isinstance(v, str) else v for v in values]


def sort_key(values: list[Any], key: SortKey) -> list[Any]:
    """Something to sort by that has pandas' order of nulls."""
    present = sorted({v for v in values if v is not None}, reverse=not key.ascending)
    ranks = {v: i for i, v in enumerate(present)}
    missing = len(present) if key.nulls_last else -1
    return [missing if v is None else ranks[v] for v in values]


sort_keys = st.builds(SortKey, ascending=st.booleans(), nulls_last=st.booleans())


@given(columns())
def test_equal_values_hash_alike_and_different_ones_do_not(column: pa.ChunkedArray) -> None:
    hashes = hash_column(column).tolist()
    values = keys_of(column)
    assert len(set(zip(values, hashes))) == len(set(values)) == len(set(hashes))


@given(st.lists(st.text(max_size=30) | st.none(), max_size=30))
def test_a_string_hashes_alike_in_every_encoding_and_company(strings: list[str | None]) -> None:
    array = pa.array(strings, pa.string())
    expected = hash_column(array).tolist()
    assert hash_column(array.dictionary_encode()).tolist() == expected
    assert hash_column(array.cast(pa.large_string())).tolist() == expected
    assert hash_column(array.cast(pa.binary())).tolist() == expected
    alone = [int(hash_column(pa.array([s], pa.string()))[0]) for s in strings]
    assert alone == expected


def test_ints_of_all_widths_hash_alike_and_so_do_zeros_and_what_is_missing() -> None:
    values = [0, 1, 100]
    assert (
        len({tuple(hash_column(pa.array(values, t))) for t in (pa.int8(), pa.int64(), pa.uint32(), pa.uint64())}) == 1
    )
    floats = hash_column(pa.array([0.0, -0.0, float("nan"), None])).tolist()
    assert floats[0] == floats[1]
    assert floats[2] == floats[3] == hash_column(pa.array([None], pa.string()))[0]


@pytest.mark.parametrize(
    "values",
    [np.arange(100_000), np.arange(100_000) << 40, np.arange(100_000) * 0.5, np.arange(100_000).astype("f4")],
    ids=["ints", "trailing zeros", "floats", "float32"],
)
def test_buckets_by_hash_are_even(values: np.ndarray) -> None:
    counts = np.bincount(hash_buckets(hash_column(pa.array(values)), 100), minlength=100)
    assert counts.min() > 800
    assert counts.max() < 1200


def test_rows_of_several_keys_hash_by_the_place_of_each_value() -> None:
    one, two = pa.array([1, 2]), pa.array([2, 1])
    hashes = hash_rows([one, two])
    assert hashes[0] != hashes[1]
    assert hash_rows([one])[0] == hash_column(one)[0]


def test_objects_hash_by_value_and_what_cannot_be_hashed_is_refused() -> None:
    hashes = hash_objects(pd.Series(["a", (1, 2), None, (1, 2), float("nan")], dtype=object))
    assert hashes[1] == hashes[3]
    assert hashes[2] == hashes[4]
    with pytest.raises(TypeError, match="unhashable"):
        hash_column(pa.array([[1], [2]]))


@settings(deadline=None)
@given(st.data(), st.integers(1, 3), st.integers(0, 40))
def test_argsort_is_pythons_stable_sort_by_several_keys(data: st.DataObject, n_keys: int, size: int) -> None:
    table = [data.draw(columns(size=size)) for _ in range(n_keys)]
    keys = [data.draw(sort_keys) for _ in range(n_keys)]
    ranks = list(zip(*(sort_key(keys_of(column), key) for column, key in zip(table, keys))))
    assert argsort(table, keys).tolist() == sorted(range(size), key=lambda row: ranks[row])


@settings(deadline=None)
@given(st.data(), st.integers(1, 3), st.integers(0, 40), st.integers(0, 4), st.booleans())
def test_rows_at_an_end_are_those_of_the_whole_order(
    data: st.DataObject, n_keys: int, size: int, wanted: int, last: bool
) -> None:
    keyed = [data.draw(columns(size=size)) for _ in range(n_keys)]
    keys = [data.draw(sort_keys) for _ in keyed]
    order = argsort(keyed, keys)
    expected = order[max(size - wanted, 0) :] if last else order[:wanted]
    assert argsort_end(keyed, keys, wanted, last=last).tolist() == expected.tolist()


@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize("na_position", ["first", "last"])
@pytest.mark.parametrize("kind", ["int", "narrow", "float", "string", "repeated", "dictionary", "date", "codes"])
def test_argsort_of_many_rows_is_pandas_stable_sort(kind: str, na_position: str, ascending: bool) -> None:
    rng = np.random.default_rng(3)
    n = 20_000
    numbers = rng.integers(-(2**62), 2**62, n)
    series = {
        "int": pd.Series(numbers),
        "narrow": pd.Series(numbers % 1000),
        "float": pd.Series(np.where(numbers % 7 == 0, np.nan, numbers / 3.0)),
        "string": pd.Series([f"key {i}" for i in numbers]).where(numbers % 11 > 0),
        "repeated": pd.Series(["x" * (i % 50) for i in numbers.tolist()]),
        "dictionary": pd.Series([f"key {i % 300}" for i in numbers.tolist()]),
        "date": pd.Series(pd.to_datetime(numbers % 10**9, unit="s")).where(numbers % 5 > 0),
        "codes": pd.Series(numbers % 300 - 1),
    }[kind]
    column = pa.array(series, from_pandas=kind != "float")
    if kind == "dictionary":
        column = column.dictionary_encode()
    expected = series.where(series >= 0) if kind == "codes" else series
    key = SortKey(ascending, na_position == "last", codes=kind == "codes")
    expected = expected.sort_values(ascending=ascending, na_position=na_position, kind="stable").index
    assert argsort([column], [key]).tolist() == expected.tolist()


def test_what_has_no_order_is_refused() -> None:
    with pytest.raises(TypeError, match="no order"):
        argsort([pa.array([[1], [2]])])
    with pytest.raises(TypeError):
        argsort([pd.Series([1, "a"], dtype=object)])


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1), st.integers(0, 63))
def test_narrow_numbers_keep_their_order_and_equality(values: list[int], shift: int) -> None:
    array = np.array(values, np.uint64) >> np.uint64(shift)
    (narrowed,), bits = narrow([array])
    assert int(narrowed.max()).bit_length() <= bits <= int(array.max()).bit_length()
    assert np.unique(narrowed, return_inverse=True)[1].tolist() == np.unique(array, return_inverse=True)[1].tolist()


@pytest.mark.parametrize("bits", [3, 16, 17, 40, 64])
def test_argsort_of_unsigned_numbers_is_stable_for_any_width(bits: int) -> None:
    values = np.random.default_rng(0).integers(0, 2**bits, 5000, np.uint64, endpoint=False) if bits < 64 else (
        np.random.default_rng(0).integers(0, 2**64 - 1, 5000, np.uint64, endpoint=True)
    )  # fmt: skip
    assert argsort_unsigned(values).tolist() == np.argsort(values, kind="stable").tolist()


@settings(deadline=None)
@given(st.data(), st.integers(1, 3), st.integers(0, 40), st.integers(0, 30))
def test_range_buckets_count_the_splitters_that_a_row_does_not_come_before(
    data: st.DataObject, n_keys: int, size: int, n_splitters: int
) -> None:
    kinds = [data.draw(st.sampled_from(sorted(TYPES))) for _ in range(n_keys)]
    rows = [data.draw(columns(kind, size)) for kind in kinds]
    bounds = [data.draw(columns(kind, n_splitters)) for kind in kinds]
    keys = [data.draw(sort_keys) for _ in range(n_keys)]
    order = pa.array(argsort(bounds, keys))
    bounds = [pa.chunked_array([b.combine_chunks().take(order)]) if n_splitters else b for b in bounds]
    ranks = list(zip(*(sort_key(keys_of(a) + keys_of(b), key) for a, b, key in zip(rows, bounds, keys, strict=True))))
    expected = [sum(bound <= row for bound in ranks[size:]) for row in ranks[:size]]
    assert range_buckets(rows, bounds, keys).tolist() == expected


@pytest.mark.parametrize("n_splitters", [1, 19, 300])
@pytest.mark.parametrize("kind", ["int", "skewed", "float", "string"])
def test_range_buckets_of_many_rows_are_those_of_searchsorted(kind: str, n_splitters: int) -> None:
    rng = np.random.default_rng(1)
    numbers = rng.integers(-(2**40), 2**40, 30_000)
    values = {
        "int": numbers,
        "skewed": np.where(numbers % 2 == 0, 7, numbers),
        "float": np.exp(numbers / 2**38),
        "string": np.array([f"k{i % 10_000}" for i in numbers.tolist()]),
    }[kind]
    splitters = np.sort(rng.choice(values, n_splitters))
    codes = range_buckets([pa.array(values.tolist())], [pa.array(splitters.tolist())], [SortKey()])
    assert codes.tolist() == np.searchsorted(splitters, values, side="right").tolist()


@given(st.lists(st.integers(0, 9), max_size=50), st.integers(10, 300))
def test_split_brings_rows_together_by_bucket_in_the_order_they_were_in(codes: list[int], n_buckets: int) -> None:
    table = pa.table({"row": np.arange(len(codes)), "text": [f"é{i}" for i in range(len(codes))]})
    parted, bounds = split(table, np.array(codes, np.uint16), n_buckets)
    for bucket in range(n_buckets):
        piece = parted.slice(bounds[bucket], bounds[bucket + 1] - bounds[bucket])
        expected = [row for row, code in enumerate(codes) if code == bucket]
        assert piece["row"].to_pylist() == expected
        assert piece["text"].to_pylist() == [f"é{row}" for row in expected]


@given(st.lists(st.lists(st.integers(0, 50), max_size=60), min_size=1, max_size=5), st.integers(1, 8))
def test_splitters_from_all_rows_part_them_as_evenly_as_equal_keys_allow(parts: list[list[int]], n: int) -> None:
    keys = [SortKey()]
    samples = [sample([pa.array(part, pa.int64())], 100) for part in parts]
    splitters = choose_splitters(samples, n, keys)
    rows = sorted(row for part in parts for row in part)
    assert len(splitters[0]) == (n - 1 if rows else 0)
    codes = range_buckets([pa.array(rows, pa.int64())], splitters, keys)
    most_alike = max((rows.count(value) for value in set(rows)), default=0)
    assert np.bincount(codes, minlength=n).max(initial=0) <= len(rows) / n + most_alike


def test_a_sample_is_spread_over_the_partition_and_no_larger_than_asked_for() -> None:
    column = pa.array(range(1000))
    assert sample([column], 5).columns[0].to_pylist() == [0, 249, 499, 749, 999]
    assert sample([column.slice(0, 3)], 5).columns[0].to_pylist() == [0, 1, 2]
    assert sample_size(20, 20) < sample_size(2, 20) <= 8192


@given(st.lists(st.text(max_size=2) | st.none(), max_size=20), st.lists(st.text(max_size=2), max_size=6))
def test_objects_are_sorted_and_parted_as_strings_are(values: list[str | None], bounds: list[str]) -> None:
    objects, strings = pd.Series(values, dtype=object), pa.array(values, pa.string())
    assert argsort([objects]).tolist() == argsort([strings]).tolist()
    splitters = sorted(bounds, key=str.encode)
    assert (
        range_buckets([objects], [pd.Series(splitters, dtype=object)], [SortKey()]).tolist()
        == range_buckets([strings], [pa.array(splitters, pa.string())], [SortKey()]).tolist()
    )


@pytest.mark.parametrize("texts", [["abc", "xyz"], ["é", "ab"], ["a", "bc"], ["", ""], ["long " * 20, "text " * 20]])
def test_strings_of_one_length_and_of_many_are_taken_alike(texts: list[str]) -> None:
    column = pa.chunked_array([pa.array(texts * 600).slice(1), pa.array([], pa.string()), pa.array(texts * 300)])
    rows = np.random.default_rng(0).integers(0, len(column), 2000)
    taken = take(pa.table({"s": column}), rows)["s"]
    assert taken.to_pylist() == column.take(pa.array(rows)).to_pylist()
    taken.validate(full=True)
