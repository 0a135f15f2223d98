from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import restride.array as ra
from restride.collections.lowering import lower
from tests.collections.array.indices import numpy_indices
from tests.collections.array.strategies import assert_same, chunks_of, pairs, values


@settings(max_examples=200)
@given(pairs(max_dims=4), st.data())
def test_assignment_is_numpys(pair, data):
    a, x = pair
    a = np.array(a)
    index = data.draw(numpy_indices(a.shape))
    try:
        shape = np.shape(a[index])
    except IndexError:
        with pytest.raises(IndexError):
            x[index] = 0
        return
    lead = data.draw(st.integers(0, len(shape)))
    wanted = tuple(1 if not data.draw(st.integers(0, 4)) else length for length in shape[lead:])
    new = values(wanted, a.dtype, 3)
    before, old = ra.Array(x.expr), a.copy()
    x[index] = new if data.draw(st.booleans()) else ra.from_array(new, data.draw(chunks_of(wanted)))
    a[index] = new
    assert_same(x, a)
    assert_same(before, old)


@given(pairs(min_dims=1, max_dims=3), st.data())
def test_masks_that_are_yet_to_be_computed_take_values(pair, data):
    a, x = pair
    axis = data.draw(st.integers(0, a.ndim - 1))
    stop = data.draw(st.integers(axis + 1, a.ndim))
    mask = data.draw(arrays(np.bool, a.shape[axis:stop]))
    where = (*(slice(None),) * axis, mask)
    shape = a[where].shape
    wanted = shape[data.draw(st.integers(0, len(shape))) :]
    if data.draw(st.booleans()) and len(wanted) == len(shape):
        wanted = (*shape[:axis], 1, *shape[axis + 1 :])
    new = values(wanted, a.dtype, 3)
    x[(*where[:-1], ra.from_array(mask, data.draw(chunks_of(mask.shape))))] = ra.from_array(
        new, data.draw(chunks_of(wanted))
    )
    a[where] = new
    assert_same(x, a)


@given(pairs(min_dims=1, max_dims=2, min_side=1), st.data())
def test_places_that_are_yet_to_be_computed_take_values(pair, data):
    a, x = pair
    axis = data.draw(st.integers(0, a.ndim - 1))
    n = a.shape[axis]
    places = data.draw(st.lists(st.integers(-n, n - 1), unique_by=lambda i: i % n).map(lambda i: np.array(i, int)))
    where = (*(slice(None),) * axis, places)
    new = values(a[where].shape if data.draw(st.booleans()) else (), a.dtype, 3)
    x[(*where[:-1], ra.from_array(places, data.draw(chunks_of(places.shape))))] = new
    a[where] = new
    assert_same(x, a)


class TestWhatAMaskSelects:
    def test_can_be_changed_in_place(self):
        a = np.arange(-5, 5)
        x = ra.from_array(a, chunks=3)
        x[x < 0] *= -2
        a[a < 0] *= -2
        assert_same(x, a)

    def test_of_several_axes_can_be_changed_in_place(self):
        a = np.arange(-12, 12).reshape(4, 6)
        x = ra.from_array(a, chunks=(3, 4))
        x[x < 0] = x[x < 0] + 100
        a[a < 0] += 100
        assert_same(x, a)

    def test_takes_no_other_number_of_values(self):
        x = ra.arange(5, chunks=2)
        x[x > 2] = [1, 2, 3]
        with pytest.raises(ValueError, match="cannot assign 3 input values to the 2 output values"):
            x.compute()
        x = ra.arange(5, chunks=2)
        x[x > 2] = x[x > 1]
        with pytest.raises(ValueError, match="cannot assign"):
            x.compute()


def test_the_last_of_several_values_for_one_place_counts():
    x = ra.zeros(6, chunks=4)
    x[[1, 1, 5, 1]] = [1, 2, 3, 4]
    assert_same(x, np.array([0, 4.0, 0, 0, 0, 3]))


def test_values_are_cast_as_numpy_casts_them():
    x = ra.arange(4, chunks=2)
    x[1] = 2.9
    x[2:] = ra.asarray([7.5, 8.5])
    assert_same(x, np.array([0, 2, 7, 8]))
    with pytest.raises(ValueError, match="cannot convert float NaN"):
        x[0] = np.nan
    with pytest.raises(ValueError, match="invalid literal"):
        x[0] = "a"


@pytest.mark.parametrize(
    ("index", "value", "error"),
    [
        (slice(2), [1, 2, 3], ValueError),
        (5, 0, IndexError),
        ([0, 9], 0, IndexError),
        ([0, 1], [1, 2, 3], ValueError),
        (np.ones(3, bool), 0, IndexError),
        (np.array([1, 0, 1, 0], bool), [1, 2, 3], ValueError),
        ((0, 0), 0, IndexError),
    ],
)
def test_wrong_assignments_are_an_error_at_the_call(index, value, error):
    with pytest.raises(error):
        np.arange(4)[index] = value
    x = ra.arange(4, chunks=2)
    with pytest.raises(error):
        x[index] = value
    assert_same(x, np.arange(4))


def test_blocks_that_nothing_is_assigned_to_are_left_alone():
    x = ra.zeros(9, chunks=3).map_blocks(np.negative)
    x[4] = 1
    graph, _ = lower([x.expr])
    assert sum(layer.count for layer in graph.layers if "setitem" in layer.name) == 1
