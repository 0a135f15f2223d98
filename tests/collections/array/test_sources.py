from __future__ import annotations

import numpy as np
import pytest

import restride as rs
import restride.array as ra
from restride.collections.array.array import Array
from restride.collections.array.operations.rechunk import in_one_block
from restride.collections.array.operations.sources import block_source
from restride.collections.lowering import lower
from tests.collections.array.strategies import assert_same


def repeat(param):
    number, length = param
    return np.full(length, number)


def test_a_source_makes_each_block_of_its_own_parameter():
    params = np.array([[7, 2], [8, 3]])
    x = Array(block_source(repeat, params, ((2, 3),), np.dtype(int), name="repeat"))
    assert_same(x, np.array([7, 7, 8, 8, 8]))
    assert x.name.startswith("repeat-")


def test_a_source_that_is_not_free_is_read_once_however_often_it_is_used():
    calls = []

    def read(number):
        calls.append(number)
        return np.full(2, number)

    x = Array(block_source(read, [1, 2], ((2, 2),), np.dtype(int), name="read"))
    assert_same(x - x.min(), np.array([0, 0, 1, 1]))
    assert sorted(calls) == [1, 2]


def test_a_source_is_fused_with_its_parameters():
    x = Array(block_source(repeat, np.array([[7, 2], [8, 3]]), ((2, 3),), np.dtype(int), name="repeat"))
    graph, _ = lower([(x + 1).expr])
    assert [layer.name for layer in graph.layers] == ["repeat-add"]


def test_a_source_needs_one_parameter_a_block():
    with pytest.raises(ValueError, match="2 blocks needs 2 params, got 1"):
        block_source(repeat, [1], ((2, 3),), np.dtype(int), name="repeat")


def test_axes_can_be_brought_into_one_block():
    x = Array(block_source(repeat, [[1, 2], [2, 3]], ((2, 3),), np.dtype(int), name="repeat"))
    whole = Array(in_one_block(x.expr, [0]))
    assert whole.chunks == ((5,),)
    assert_same(whole, x.compute())
    assert in_one_block(whole.expr, [0]) is whole.expr


def test_a_large_array_goes_straight_to_workers() -> None:
    x = np.arange(400_000.0).reshape(4, -1)
    with rs.Client("processes", workers=2) as client:
        sent: list[np.ndarray] = []

        def send(blocks: list[np.ndarray]) -> object:
            sent.extend(blocks)
            return client.scatter(blocks)

        total = ra.from_array(x, chunks=(1, -1)).sum()
        lower([total.expr], ship=True, send=send)
        assert [block.shape for block in sent] == [(1, 100_000)] * 4
        assert total.compute() == x.sum()
