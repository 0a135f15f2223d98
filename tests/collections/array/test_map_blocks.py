from __future__ import annotations

import numpy as np
import pytest

import restride.array as ra
from restride.errors import BlockError, ChunkError
from tests.collections.array.strategies import assert_same


@pytest.fixture
def x():
    return ra.from_array(np.arange(24.0).reshape(4, 6), chunks=(2, 3))


def test_the_function_sees_one_block_at_a_time(x):
    shapes = []

    def remember(block):
        shapes.append(block.shape)
        return block

    x.map_blocks(remember).compute()
    assert shapes == [(2, 3)] * 4


def test_the_function_is_not_run_before_compute(x):
    x.map_blocks(lambda block: 1 / 0).map_blocks(lambda block: 1 / 0, dtype=int)


def test_several_arrays_broadcast_and_are_brought_to_common_chunks(x):
    row = ra.arange(6, chunks=2)
    y = ra.map_blocks(np.add, x, row)
    assert y.chunks == ((2, 2), (2, 1, 1, 2))
    assert_same(y, np.arange(24.0).reshape(4, 6) + np.arange(6))


def test_other_arguments_keep_their_places(x):
    def function(power, block, *, plus):
        return block**power + plus

    assert_same(ra.map_blocks(function, 2, x, plus=1), np.arange(24.0).reshape(4, 6) ** 2 + 1)


def test_a_function_may_ask_which_block_it_is_at(x):
    y = x.map_blocks(lambda block, block_id: np.full(block.shape, block_id[0] * 10 + block_id[1]), dtype=int)
    assert_same(y, np.kron([[0, 1], [10, 11]], np.ones((2, 3), int)))


def test_shapes_of_blocks_may_change_as_declared(x):
    sums = x.map_blocks(lambda block: block.sum(keepdims=True), chunks=(1, 1))
    assert sums.chunks == ((1, 1), (1, 1))
    assert sums.compute().sum() == np.arange(24).sum()
    uneven = x.map_blocks(lambda b, block_id: b[: block_id[0] + 1], chunks=((1, 2), (3, 3)))
    assert uneven.shape == (3, 6)
    assert_same(uneven, np.arange(24.0).reshape(4, 6)[[0, 2, 3]])


def test_axes_may_be_dropped_and_added(x):
    a = np.arange(24.0).reshape(4, 6)
    assert_same(x.rechunk({1: -1}).map_blocks(lambda b: b.sum(1), drop_axis=1), a.sum(1))
    assert_same(x.map_blocks(lambda b: np.stack([b, -b]), new_axis=0, chunks=(2, 2, 3)), np.stack([a, -a]))


def test_a_block_of_another_shape_than_declared_is_an_error(x):
    with pytest.raises(BlockError, match=r"\(1, 3\) and dtype float64; declared were shape \(2, 3\).*chunks="):
        x.map_blocks(lambda block: block[:1]).compute()


def test_a_block_of_another_dtype_than_declared_is_an_error(x):
    with pytest.raises(BlockError, match=r"dtype int64; declared .* float64. Pass dtype="):
        x.map_blocks(lambda block: block.astype(np.int64)).compute()


def test_what_is_no_array_is_an_error(x):
    with pytest.raises(BlockError, match="returned str"):
        x.map_blocks(lambda block: "block").compute()


def test_impossible_declarations_are_errors_at_the_call(x):
    with pytest.raises(ChunkError, match="in 2 blocks"):
        x.map_blocks(np.sum, drop_axis=0)
    with pytest.raises(ChunkError, match="one block for each"):
        x.map_blocks(np.sin, chunks=((4,), (3, 3)))
    with pytest.raises(ChunkError, match="for 1 axes"):
        x.map_blocks(np.sin, chunks=(4,))
    with pytest.raises(TypeError, match="at least one Array"):
        ra.map_blocks(np.sin, np.ones(3))
    with pytest.raises(np.exceptions.AxisError):
        x.map_blocks(np.sum, drop_axis=2)
