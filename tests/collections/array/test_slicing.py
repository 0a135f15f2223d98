from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import basic_indices

import restride.array as ra
from restride.collections.array.operations.slicing import cut_axis
from tests.collections.array.strategies import assert_same, axis_chunks, pairs


@given(pairs(), st.data())
def test_basic_indexing_is_numpys(pair, data):
    a, x = pair
    index = data.draw(basic_indices(a.shape, allow_newaxis=True, allow_ellipsis=True))
    assert_same(x[index], np.asarray(a[index]))


@given(st.integers(0, 12).flatmap(lambda n: st.tuples(axis_chunks(n), st.slices(n))))
def test_the_parts_of_a_cut_are_the_cut(case):
    lengths, cut = case
    axis = np.arange(sum(lengths))
    blocks = np.split(axis, np.cumsum(lengths)[:-1])
    numbers, pieces = cut_axis(lengths, cut)
    parts = [
        blocks[number][start + step * np.arange(length)]
        for number, (start, step, length) in zip(numbers, pieces.tolist())
    ]
    assert parts
    assert np.concatenate(parts).tolist() == axis[cut].tolist()


def test_slices_that_begin_before_the_start_are_empty():
    a = np.arange(10)
    assert_same(ra.from_array(a, chunks=3)[-100::-1], a[-100::-1])


def test_numpy_integers_are_indices():
    a = np.arange(10)
    x = ra.from_array(a, chunks=3)
    assert_same(x[np.int8(4)], np.asarray(a[4]))
    assert_same(x[np.int64(2) : np.int64(8)], a[2:8])


def test_iteration_goes_along_the_first_axis():
    x = ra.arange(6, chunks=4).reshape(3, 2)
    assert [row.compute().tolist() for row in x] == [[0, 1], [2, 3], [4, 5]]
    assert len(x) == 3


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (5, "index 5 is out of bounds for axis 0 with size 3"),
        ((0, -3), "index -3 is out of bounds for axis 1 with size 2"),
        ((0, 0, 0), "too many indices"),
        ((..., ...), "single ellipsis"),
        ("a", "only integers, slices"),
        (1.5, "only integers, slices"),
    ],
)
def test_wrong_indices_are_an_error_at_the_call(index, message):
    with pytest.raises(IndexError, match=message):
        ra.ones((3, 2))[index]
