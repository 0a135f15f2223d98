from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride.array as ra
from tests.collections.array.strategies import assert_same, axis_chunks, chunks_of, pairs, shapes, values


@given(pairs(), st.data())
def test_transposes_are_numpys(pair, data):
    a, x = pair
    order = data.draw(st.permutations(range(a.ndim)))
    assert_same(x.T, a.T)
    assert_same(np.transpose(x, order), a.transpose(order))
    if a.ndim:
        one, other = (data.draw(st.integers(-a.ndim, a.ndim - 1)) for _ in range(2))
        assert_same(x.swapaxes(one, other), a.swapaxes(one, other))
        assert_same(np.moveaxis(x, one, other), np.moveaxis(a, one, other))
        assert_same(x.transpose(*order), a.transpose(*order))


@st.composite
def reshapes(draw):
    """An array and a shape of as many elements."""
    factors = draw(st.lists(st.sampled_from([1, 2, 3, 4, 5]), max_size=5))
    cuts = [sorted(draw(st.lists(st.integers(0, len(factors)), max_size=4))) for _ in range(2)]
    old, new = (tuple(math.prod(factors[a:b]) for a, b in zip([0, *cut], [*cut, len(factors)])) for cut in cuts)
    if draw(st.booleans()):
        new = tuple(draw(st.permutations(new)))
    a = values(old, "f8", draw(st.integers(0, 100)))
    return a, ra.from_array(a, draw(chunks_of(old))), new


@given(reshapes())
def test_reshape_is_numpys_whatever_the_chunks(case):
    a, x, shape = case
    assert_same(x.reshape(shape), a.reshape(shape))
    assert_same(np.reshape(x, (-1,)), a.reshape(-1))


@given(reshapes())
def test_reshape_back_and_forth_is_the_same_array(case):
    a, x, shape = case
    assert_same(x.reshape(shape).reshape(a.shape), a)


@given(shapes(max_dims=4), shapes(max_dims=4))
def test_reshape_of_nothing_works(old, new):
    old, new = (0, *old), (*new, 0)
    assert_same(ra.zeros(old).reshape(new), np.zeros(new))


@pytest.mark.parametrize(
    ("shape", "chunks", "new", "expected"),
    [
        ((6, 4), (2, 4), (24,), ((8, 8, 8),)),
        ((6, 4), (6, 2), (24,), ((12, 12),)),
        ((24,), (8,), (6, 4), ((2, 2, 2), (4,))),
        ((24,), (4,), (2, 3, 4), ((1, 1), (1, 1, 1), (4,))),
        ((4, 6, 5), (2, 3, 5), (4, 30), ((2, 2), (15, 15))),
        ((4, 6, 5), (2, 6, 5), (24, 5), ((12, 12), (5,))),
        ((100, 100), (10, 10), (10_000,), ((100,) * 100,)),
        ((3, 4), (1, 2), (1, 3, 1, 4), ((1,), (1, 1, 1), (1,), (2, 2))),
    ],
)
def test_reshape_keeps_blocks_that_fit_and_their_size_otherwise(shape, chunks, new, expected):
    assert ra.zeros(shape, chunks=chunks).reshape(new).chunks == expected


@given(reshapes())
def test_reshape_makes_no_block_bigger(case):
    _, x, shape = case
    assert math.prod(map(max, x.reshape(shape).chunks)) <= math.prod(map(max, x.chunks))


@pytest.mark.parametrize(
    ("shape", "chunks", "new", "expected"),
    [
        ((1000, 999), (100, 999), (999, 1000), ((91,) * 10 + (89,), (1000,))),
        ((7, 11), (7, 11), (11, 7), ((11,), (7,))),
        ((40, 9), (10, 9), (24, 15), ((6, 6, 6, 6), (15,))),
    ],
)
def test_shapes_with_little_in_common_keep_blocks_of_about_their_size(shape, chunks, new, expected):
    x = ra.arange(math.prod(shape)).reshape(shape).rechunk(chunks)
    assert x.reshape(new).chunks == expected
    assert_same(x.reshape(new), np.arange(math.prod(new)).reshape(new))


@pytest.mark.parametrize("shape", [(5,), (-1, -1), (-1, 5), (-2, -12)])
def test_a_reshape_that_cannot_be_is_an_error_at_the_call(shape):
    with pytest.raises(ValueError, match=r"cannot reshape array|one unknown"):
        ra.zeros((4, 6)).reshape(shape)


@st.composite
def pieces(draw):
    """Arrays that differ in length along one axis, in dtype and in chunks."""
    shape = draw(shapes(min_dims=1))
    axis = draw(st.integers(0, len(shape) - 1))
    made = []
    for _ in range(draw(st.integers(1, 4))):
        part = list(shape)
        part[axis] = draw(st.integers(0, 4))
        made.append(draw(pairs(shape=tuple(part), dtypes=["i2", "f4", "c16"])))
    return made, draw(st.sampled_from([axis, axis - len(shape)]))


@given(pieces())
def test_concatenate_is_numpys(case):
    made, axis = case
    assert_same(np.concatenate([x for _, x in made], axis), np.concatenate([a for a, _ in made], axis))


@given(pairs(), st.data())
def test_stack_is_numpys(pair, data):
    a, x = pair
    axis = data.draw(st.integers(-a.ndim - 1, a.ndim))
    b, y = data.draw(pairs(shape=a.shape))
    assert_same(ra.stack([x, y, x], axis), np.stack([a, b, a], axis))


def test_concatenate_takes_numpy_arrays_too():
    assert_same(ra.concatenate([ra.ones(2), [5, 6]]), np.array([1.0, 1, 5, 6]))


@given(pairs(max_dims=2), st.data())
def test_broadcast_to_is_numpys(pair, data):
    a, x = pair
    lead = data.draw(shapes(max_dims=2, max_side=3))
    shape = lead + tuple(data.draw(st.integers(0, 3)) if length == 1 else length for length in a.shape)
    assert_same(ra.broadcast_to(x, shape), np.broadcast_to(a, shape))


@given(pairs(), st.data())
def test_axes_of_length_one_come_and_go_as_in_numpy(pair, data):
    a, x = pair
    axes = tuple(data.draw(st.lists(st.integers(0, a.ndim + 1), max_size=2, unique=True)))
    if all(axis < a.ndim + len(axes) for axis in axes):
        assert_same(np.expand_dims(x, axes), np.expand_dims(a, axes))
    assert_same(ra.expand_dims(x, -1).squeeze(-1), a)
    assert_same(np.squeeze(x), a.squeeze())


@given(pairs(), st.data())
def test_flip_is_numpys(pair, data):
    a, x = pair
    axis = data.draw(st.none() | st.integers(-a.ndim, a.ndim - 1)) if a.ndim else None
    assert_same(np.flip(x, axis), np.flip(a, axis))


@given(st.integers(0, 9).flatmap(lambda n: st.tuples(st.just(n), axis_chunks(n), axis_chunks(n))))
def test_rechunk_changes_chunks_alone(case):
    n, old, new = case
    x = ra.from_array(np.arange(n), (old,)).rechunk((new,))
    assert x.chunks == (new,)
    assert_same(x, np.arange(n))


class TestErrorsAtTheCall:
    def test_transpose_of_wrong_axes(self):
        for axes in [(0,), (0, 0), (0, 1, 2)]:
            with pytest.raises(ValueError, match=r"ax[ei]s"):
                ra.zeros((2, 3)).transpose(axes)

    def test_transpose_of_an_unknown_axis(self):
        with pytest.raises(np.exceptions.AxisError):
            ra.zeros((2, 3)).transpose((0, 2))

    def test_concatenate(self):
        with pytest.raises(ValueError, match="at least one"):
            ra.concatenate([])
        with pytest.raises(ValueError, match=r"\(2, 3\).*\(3, 2\)"):
            ra.concatenate([ra.zeros((2, 3)), ra.zeros((3, 2))])
        with pytest.raises(ValueError, match="zero-dimensional"):
            ra.concatenate([ra.zeros(())])
        with pytest.raises(np.exceptions.AxisError):
            ra.concatenate([ra.zeros(2)], axis=1)

    def test_stack(self):
        with pytest.raises(ValueError, match="same shape"):
            ra.stack([ra.zeros(2), ra.zeros(3)])
        with pytest.raises(ValueError, match="at least one"):
            ra.stack([])

    def test_broadcast_to(self):
        with pytest.raises(ValueError, match="broadcast"):
            ra.broadcast_to(ra.zeros((2, 3)), (3, 3))
        with pytest.raises(ValueError, match="broadcast"):
            ra.broadcast_to(ra.zeros((2, 3)), (1, 3))

    def test_squeeze(self):
        with pytest.raises(ValueError, match="not equal to one"):
            ra.zeros((2, 1)).squeeze(0)

    def test_moveaxis(self):
        with pytest.raises(ValueError, match="same number"):
            ra.moveaxis(ra.zeros((2, 3)), (0, 1), 0)
