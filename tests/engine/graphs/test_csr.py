"""Index arithmetic on CSR columns, against loops over rows."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from restride.engine.graphs.csr import distinct, positions, row_starts, stable_argsort, take_rows, transpose

COLUMNS = 9

rows_lists = st.lists(st.lists(st.integers(0, COLUMNS - 1), max_size=4), max_size=12)


def csr(rows: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    return row_starts(np.array([len(row) for row in rows], np.int64)), np.array(
        [x for row in rows for x in row], np.int64
    )


@given(rows_lists)
def test_row_starts_are_running_sums_of_lengths(rows: list[list[int]]) -> None:
    indptr, indices = csr(rows)
    assert indptr.dtype == np.int64
    assert [indices[start:stop].tolist() for start, stop in pairwise(indptr.tolist())] == rows


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 4)), max_size=8))
def test_positions_are_each_rows_run_one_after_another(runs: list[tuple[int, int]]) -> None:
    starts = np.array([start for start, _ in runs], np.int64)
    counts = np.array([count for _, count in runs], np.int64)
    assert positions(starts, counts).tolist() == [start + i for start, count in runs for i in range(count)]


@given(st.data(), rows_lists.filter(bool))
def test_take_rows_gives_lengths_and_entries_in_the_order_asked_for(data: st.DataObject, rows: list[list[int]]) -> None:
    asked = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=6))
    counts, entries = take_rows(*csr(rows), np.array(asked, np.int64))
    assert counts.tolist() == [len(rows[row]) for row in asked]
    assert entries.tolist() == [x for row in asked for x in rows[row]]


@given(rows_lists)
def test_transpose_names_for_each_column_its_rows_ascending_with_repeats(rows: list[list[int]]) -> None:
    rindptr, rindices = transpose(*csr(rows), COLUMNS)
    assert len(rindptr) == COLUMNS + 1
    for column in range(COLUMNS):
        expected = [row for row, entries in enumerate(rows) for entry in entries if entry == column]
        assert rindices[rindptr[column] : rindptr[column + 1]].tolist() == expected


@given(rows_lists)
def test_transpose_twice_gives_each_row_back_sorted(rows: list[list[int]]) -> None:
    indptr, indices = transpose(*transpose(*csr(rows), COLUMNS), len(rows))
    assert [indices[start:stop].tolist() for start, stop in pairwise(indptr.tolist())] == [sorted(row) for row in rows]


@given(st.sampled_from([1, 255, 65535, 65536, 2**20, 2**32 - 1, 2**32, 2**40]), st.data())
def test_stable_argsort_is_numpys_whatever_the_number_of_digits(top: int, data: st.DataObject) -> None:
    some = st.integers(0, top) | st.sampled_from([0, top, top // 2, min(top, 65536), min(top, 65535)])
    keys = np.array(data.draw(st.lists(some, max_size=20)), np.int64)
    assert stable_argsort(keys, top).tolist() == np.argsort(keys, kind="stable").tolist()


@given(st.lists(st.integers(-5, 5), max_size=20), st.sampled_from([np.int32, np.int64]))
def test_distinct_is_what_unique_gives(ids: list[int], dtype: type) -> None:
    column = np.array(ids, dtype)
    assert np.array_equal(distinct(column), np.unique(column))
    assert distinct(column).dtype == dtype
    assert np.array_equal(column, ids)
