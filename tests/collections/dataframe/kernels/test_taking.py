"""Columns of codes into a dictionary as their values, beside Arrow's own cast."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restride.collections.dataframe.kernels.taking import without_dictionary

ROWS = 1500
"""So many that strings of one length are taken as such."""


@given(
    values=st.one_of(
        st.lists(st.text("aé", min_size=2, max_size=2), min_size=1, max_size=6),
        st.lists(st.text(max_size=4) | st.none(), min_size=1, max_size=6),
        st.lists(st.integers(-5, 5), min_size=1, max_size=6),
    ),
    seed=st.integers(0, 9),
    missing=st.booleans(),
    cut=st.integers(0, 3),
)
def test_values_are_those_that_the_codes_stand_for(values: list[object], seed: int, missing: bool, cut: int) -> None:
    dictionary = pa.array(values)[min(cut, len(values) - 1) :]
    rng = np.random.default_rng(seed)
    codes = pa.array(rng.integers(0, len(dictionary), ROWS), mask=rng.random(ROWS) < 0.1 if missing else None)
    array = pa.DictionaryArray.from_arrays(codes.cast(pa.int32()), dictionary)[cut:]
    for column in (array, pa.chunked_array([array, array[:7], array[:0]])):
        decoded = without_dictionary(column)
        decoded.validate(full=True)
        assert decoded.equals(pc.cast(column, dictionary.type))


@pytest.mark.parametrize("column", [pa.array(["a", "b"]), pa.chunked_array([[1, 2], [3]])], ids=["array", "parts"])
def test_columns_without_a_dictionary_are_not_touched(column: pa.Array) -> None:
    assert without_dictionary(column) is column


def test_no_parts_are_no_parts() -> None:
    column = pa.chunked_array([], pa.dictionary(pa.int32(), pa.string()))
    assert without_dictionary(column).equals(pa.chunked_array([], pa.string()))
