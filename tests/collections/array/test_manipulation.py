from __future__ import annotations

import copy
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride.array as ra
from tests.collections.array.strategies import (
    assert_same,
    axis_chunks,
    broadcasting_pairs,
    chunks_of,
    pairs,
    shapes,
    values,
)


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


@given(pairs(max_dims=3, max_side=5), st.data())
def test_roll_is_numpys(pair, data):
    x, lazy = pair
    axes = data.draw(st.none() | st.lists(st.integers(-x.ndim, x.ndim - 1), max_size=3).map(tuple)) if x.ndim else None
    shift = data.draw(st.integers(-9, 9)) if axes is None else tuple(data.draw(st.integers(-9, 9)) for _ in axes)
    assert_same(ra.roll(lazy, shift, axes), np.roll(x, shift, axes))


@given(pairs(min_dims=2, max_dims=3, max_side=4), st.integers(-5, 5), st.data())
def test_turns_and_flips_are_numpys(pair, k, data):
    x, lazy = pair
    axes = data.draw(st.permutations(range(-x.ndim, 0)))[:2]
    assert_same(ra.rot90(lazy, k, axes), np.rot90(x, k, axes))
    assert_same(ra.fliplr(lazy), np.fliplr(x))
    assert_same(ra.flipud(lazy), np.flipud(x))


@given(pairs(min_dims=1, max_dims=3), st.data())
def test_rollaxis_is_numpys(pair, data):
    x, lazy = pair
    axis, start = data.draw(st.integers(-x.ndim, x.ndim - 1)), data.draw(st.integers(-x.ndim, x.ndim))
    assert_same(ra.rollaxis(lazy, axis, start), np.rollaxis(x, axis, start))


@given(pairs(max_dims=4, max_side=3))
def test_atleast_gives_the_axes_that_numpy_gives(pair):
    x, lazy = pair
    for name in ("atleast_1d", "atleast_2d", "atleast_3d"):
        assert_same(getattr(ra, name)(lazy), getattr(np, name)(x))
    assert [y.ndim for y in np.atleast_2d(lazy, lazy)] == [max(x.ndim, 2)] * 2


@given(pairs(max_dims=3, max_side=4), st.sampled_from("CF"))
def test_both_orders_of_elements_are_numpys(pair, order):
    x, lazy = pair
    assert_same(lazy.ravel(order), x.ravel(order))
    assert_same(ra.reshape(lazy, x.shape[::-1], order=order), np.reshape(x, x.shape[::-1], order=order))


@given(broadcasting_pairs(3))
def test_broadcast_arrays_have_one_shape_and_one_chunking(made):
    results = ra.broadcast_arrays(*(lazy for _, lazy in made))
    for result, expected in zip(results, np.broadcast_arrays(*(x for x, _ in made)), strict=True):
        assert_same(result, expected)
        assert result.chunks == results[0].chunks


def test_unify_chunks_goes_by_the_names_of_axes():
    x, y = ra.zeros((6, 4), chunks=(3, 2)), ra.zeros((4, 6), chunks=(4, 2))
    chunks, (a, b, c) = ra.unify_chunks(x, "ij", y, "ji", 5, None)
    assert chunks == {"i": (2, 1, 1, 2), "j": (2, 2)}
    assert a.chunks == (chunks["i"], chunks["j"])
    assert b.chunks == (chunks["j"], chunks["i"])
    assert c == 5
    with pytest.raises(ValueError, match="'i'"):
        ra.unify_chunks(x, "ij", y, "ij")


@given(pairs(min_dims=2, max_dims=3, min_side=1, max_side=4), st.data())
def test_reshape_blockwise_keeps_elements_in_their_blocks_and_leads_back(pair, data):
    x, lazy = pair
    split = data.draw(st.integers(1, x.ndim - 1)) if x.ndim > 2 else 1
    shape = (x.size,) if x.ndim == 2 else (*((np.prod(x.shape[:split]),)), np.prod(x.shape[split:]))
    flat = ra.reshape_blockwise(lazy, tuple(int(n) for n in shape))
    assert flat.npartitions == lazy.npartitions
    assert_same(ra.reshape_blockwise(flat, x.shape, lazy.chunks), x)


def test_reshape_blockwise_checks_blocks():
    x = ra.zeros((4, 4), chunks=2)
    with pytest.raises(ValueError, match="chunks are needed"):
        ra.reshape_blockwise(x, (2, 2, 4))
    with pytest.raises(ValueError, match="numbers of elements"):
        ra.reshape_blockwise(x, 16, ((8, 8),))


@given(pairs(min_dims=1, max_dims=3, min_side=1), st.sampled_from(["u1", "i4", "f8", "c16"]))
def test_view_takes_the_bytes_for_another_dtype_or_says_that_blocks_do_not_fit(pair, dtype):
    x, lazy = pair
    new = np.dtype(dtype).itemsize
    fits = new == x.itemsize or all(n * x.itemsize % new == 0 for n in lazy.chunks[-1])
    if fits:
        assert lazy.view(dtype).compute().tobytes() == np.ascontiguousarray(x).view(dtype).tobytes()
    else:
        with pytest.raises(ValueError, match="no whole number"):
            lazy.view(dtype)


def test_a_copy_stays_when_the_original_changes():
    x = ra.arange(4, chunks=2)
    y, z = x.copy(), copy.deepcopy(x)
    x[1] = 9
    assert y.compute().tolist() == z.compute().tolist() == [0, 1, 2, 3]


@given(pairs(min_dims=1, max_dims=3, max_side=4), st.data())
def test_unstack_takes_apart_what_stack_puts_together(pair, data):
    x, lazy = pair
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    parts = ra.unstack(lazy, axis=axis)
    assert len(parts) == x.shape[axis]
    if parts:
        assert_same(ra.stack(parts, axis), x)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda x: ra.rot90(x, axes=(0, 0)), ValueError),
        (lambda x: ra.rot90(x, axes=(0, 5)), ValueError),
        (lambda x: ra.roll(x, 1, 7), np.exceptions.AxisError),
        (lambda x: ra.rollaxis(x, 0, 9), np.exceptions.AxisError),
        (lambda x: ra.fliplr(ra.ravel(x)), ValueError),
        (lambda x: ra.reshape(x, -1, order="Q"), ValueError),
    ],
)
def test_manipulation_raises_at_the_call_what_numpy_raises(call, error):
    with pytest.raises(error):
        call(ra.zeros((2, 3)))
