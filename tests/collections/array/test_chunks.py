from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride as rs
import restride.array as ra
from restride.collections.array.chunks import block_bounds, block_shapes, common_chunks, normalize_chunks
from restride.errors import ChunkError
from tests.collections.array.strategies import axis_chunks, chunks_of, shapes


@pytest.mark.parametrize(
    ("chunks", "shape", "expected"),
    [
        (4, (10,), ((4, 4, 2),)),
        (4, (10, 8), ((4, 4, 2), (4, 4))),
        ((5, -1), (10, 8), ((5, 5), (8,))),
        ((5, None), (10, 8), ((5, 5), (8,))),
        (((1, 9), 4), (10, 8), ((1, 9), (4, 4))),
        ((3, 7), (10,), ((3, 7),)),
        ([[3, 7]], (10,), ((3, 7),)),
        ({1: 4}, (10, 8), ((10,), (4, 4))),
        ({-1: 4}, (10, 8), ((10,), (4, 4))),
        (100, (10,), ((10,),)),
        (5, (0,), ((0,),)),
        (-1, (0,), ((0,),)),
        ((0, 10), (10,), ((0, 10),)),
        (np.int64(5), (10,), ((5, 5),)),
        ((), (), ()),
        ("auto", (), ()),
        (((0, 0),), (0,), ((0, 0),)),
    ],
)
def test_chunks_may_be_spelled_in_many_ways(chunks, shape, expected):
    assert normalize_chunks(chunks, shape, 8) == expected


@pytest.mark.parametrize(
    ("chunks", "shape", "message"),
    [
        (0, (10,), "cannot be 0 long"),
        (-2, (10,), "cannot be -2 long"),
        ((5, 5, 5), (10, 8), "3 axes, but the shape"),
        (((5, 6), 4), (10, 8), "11 long in all, but the axis is 10 long"),
        (((11, -1), 4), (10, 8), "0 or more"),
        (((), 4), (10, 8), "there must be one"),
        (1.5, (10,), "integers"),
        (((1.5, 8.5),), (10,), "integers"),
        ("much", (10,), "neither 'auto' nor a size"),
    ],
)
def test_impossible_chunks_are_an_error(chunks, shape, message):
    with pytest.raises(ChunkError, match=message):
        normalize_chunks(chunks, shape, 8)


def test_chunks_of_an_unknown_axis_are_an_error():
    with pytest.raises(np.exceptions.AxisError):
        normalize_chunks({2: 5}, (10, 8), 8)


@given(shapes(max_dims=4, max_side=5000), st.sampled_from([1, 8, 16]), st.integers(1, 10**6))
def test_auto_chunks_stay_within_the_limit_and_near_it(shape, itemsize, limit):
    limit = max(limit, itemsize)
    chunks = normalize_chunks("auto", shape, itemsize, limit=limit)
    assert tuple(map(sum, chunks)) == shape
    biggest = math.prod(map(max, chunks)) * itemsize
    assert biggest <= max(limit, itemsize)
    if math.prod(shape) * itemsize > limit:
        assert biggest * 2 ** (len(shape) + 1) > limit


def test_auto_works_for_some_axes_and_by_size():
    assert normalize_chunks((2, "auto"), (10, 1000), 8, limit=1600) == ((2,) * 5, (100,) * 10)
    assert normalize_chunks("80 B", (30,), 8) == ((10, 10, 10),)


def test_the_size_of_auto_is_a_setting():
    with rs.config.set({"array.chunk_size": "800 B"}):
        assert ra.zeros(1000).chunksize == (100,)


@given(shapes(max_dims=3).flatmap(chunks_of))
def test_bounds_and_shapes_of_blocks_are_in_c_order(chunks):
    shape = tuple(map(sum, chunks))
    numbers = np.arange(math.prod(shape)).reshape(shape)
    seen = []
    for bounds, lengths in zip(block_bounds(chunks).tolist(), block_shapes(chunks).tolist(), strict=True):
        block = numbers[tuple(map(slice, bounds[::2], bounds[1::2]))]
        assert list(block.shape) == lengths
        seen += block.ravel().tolist()
    assert sorted(seen) == list(range(numbers.size))


@given(st.integers(0, 20).flatmap(lambda n: st.lists(axis_chunks(n), min_size=1, max_size=4)))
def test_common_chunks_have_all_boundaries(several):
    (common,) = common_chunks([(lengths,) for lengths in several])
    bounds = set(np.cumsum([0, *common]).tolist())
    assert bounds >= {bound for lengths in several for bound in np.cumsum([0, *lengths]).tolist()} - {0} | {0}
    assert sum(common) == sum(several[0])


class TestRechunk:
    def test_takes_chunks_in_every_spelling_and_leaves_other_axes_alone(self):
        x = ra.zeros((10, 6), chunks=(10, 2))
        assert x.rechunk({0: 5}).chunks == ((5, 5), (2, 2, 2))
        assert x.rechunk((None, -1)).chunks == ((10,), (6,))
        assert x.rechunk(3).chunks == ((3, 3, 3, 1), (3, 3))

    def test_that_changes_nothing_is_the_array_itself(self):
        x = ra.zeros((10, 6), chunks=(10, 2))
        assert x.rechunk((10, 2)).name == x.name

    def test_in_a_row_is_the_last_one(self):
        x = ra.zeros((10, 6), chunks=(10, 2))
        assert x.rechunk(5).rechunk(3).name == x.rechunk(3).name
        assert x.rechunk(5).rechunk((10, 2)).name == x.name

    def test_has_a_plan_that_can_be_printed(self):
        plan = ra.zeros((10, 6), chunks=(10, 2)).rechunk((5, 6)).plan()
        assert len(plan.steps) == 1
        assert str(plan)

    def test_without_a_change_has_no_plan(self):
        with pytest.raises(ValueError, match="plan"):
            ra.zeros(3).plan()

    def test_to_impossible_chunks_is_an_error_at_the_call(self):
        with pytest.raises(ChunkError):
            ra.zeros(10).rechunk(((5, 6),))

    def test_gives_the_same_values(self):
        a = np.arange(60).reshape(10, 6)
        x = (ra.from_array(a, chunks=(10, 2)) + 1).rechunk((3, 6))
        np.testing.assert_array_equal((x * 2).compute(), (a + 1) * 2)
