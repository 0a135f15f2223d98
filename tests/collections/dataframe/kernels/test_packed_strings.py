"""Strings as integers: what comes back, in which order, and when it is not possible."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from restride.collections.dataframe.kernels.numberings import numbering_of
from restride.collections.dataframe.kernels.packed_strings import packing_of

ANY = 2**62

texts = st.one_of(
    st.text(max_size=5),
    st.text("01", min_size=3, max_size=3).map("customer-2026-{}".format),
    st.integers(0, 200).map("id{:010}".format),
    st.sampled_from(["", "a", "a\0", "ab", "日本", "日本語"]),
    st.text("0123456789:", min_size=9, max_size=9),
    st.dates().map(str),
)


@given(st.lists(texts, min_size=1, max_size=30), st.integers(0, 30))
def test_strings_come_back_and_integers_are_in_their_order(strings, cut):
    parts = [pa.array(part, pa.string()) for part in (strings[:cut], strings[cut:])]
    packing = packing_of(parts, ANY)
    if packing is None:
        return
    codes = np.concatenate([packing.codes(part) for part in parts])
    assert codes.dtype == np.int64
    assert codes.min() >= 0
    assert int(codes.max()) < packing.size <= ANY
    back = packing.decode(codes)
    back.validate(full=True)
    assert back.to_pylist() == strings
    by_code = [strings[i] for i in np.argsort(codes, kind="stable")]
    assert by_code == sorted(strings, key=str.encode)


@given(st.lists(st.integers(0, 9999).map("order {:08}".format), min_size=1, max_size=50), st.integers(0, 40))
def test_numbers_with_a_prefix_are_no_more_than_those_numbers(strings, offset):
    column = pa.array(["x" * offset, *strings])[1:]
    packing = packing_of([column], 10_000)
    assert packing.decode(packing.codes(column)).to_pylist() == strings


def test_more_than_a_block_of_strings_in_several_chunks():
    strings = [f"{i % 77_777:07d}" for i in range(150_000)]
    parts = [pa.array(strings[:100_000]), pa.array(strings[100_000:])]
    packing = packing_of(parts, 1 << 28)
    for part in parts:
        assert packing.decode(packing.codes(part)).equals(part)


def test_strings_that_differ_in_many_bits_are_refused():
    assert packing_of([pa.array(["aaaaaaaa", "zZ019!?~"])], 1 << 20) is None
    late = pa.array(["id0001"] * 5000 + ["another kind"])
    assert packing_of([late], 1 << 20) is None


def test_ends_of_zero_bytes_are_kept_apart():
    assert packing_of([pa.array(["a", "a\0"])], ANY) is None
    strings = pa.array(["a\0", "b\0"])
    packing = packing_of([strings], ANY)
    assert packing.decode(packing.codes(strings)).equals(strings)


def test_strings_without_letters_are_one_integer():
    strings = pa.array(["", ""])
    packing = packing_of([strings], 1)
    assert packing.codes(strings).tolist() == [0, 0]
    assert packing.decode(np.array([0, 0])).equals(strings)


@given(st.lists(st.none() | st.integers(0, 99).map("k{:02}".format), max_size=30))
def test_missing_strings_have_no_integer(strings):
    column = pa.array(strings, pa.string())
    numbering = numbering_of(column)
    if numbering is None:
        assert set(strings) <= {None}
        return
    codes = numbering.codes(column)
    assert numbering.any_missing == (None in strings)
    assert (codes >= 0).tolist() == [one is not None for one in strings]
    assert numbering.decode(codes[codes >= 0]).to_pylist() == [one for one in strings if one is not None]
