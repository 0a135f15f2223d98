from __future__ import annotations

import dataclasses
import math
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restride.errors import ChunkError
from restride.shuffle.rechunk import plan_rechunk
from restride.shuffle.rechunk_cost import CostModel, largest_block, step_cost


def even(length, n):
    """Chunks of an axis, as equal as whole numbers can be."""
    return tuple(length * (i + 1) // n - length * i // n for i in range(n))


def rows_and_columns(length, n):
    return (even(length, n), (length,)), ((length,), even(length, n))


@pytest.mark.parametrize(("length", "n"), [(8000, 20), (8000, 40), (8000, 80), (16_000, 160)])
def test_ordinary_rechunks_go_directly(length, n):
    plan = plan_rechunk(*rows_and_columns(length, n), itemsize=8)
    assert len(plan.chunkings) == 2
    assert plan.tasks == n * n + n


@pytest.mark.parametrize(("length", "n"), [(8000, 160), (8000, 300), (12_000, 300)])
def test_tens_of_thousands_of_small_pieces_are_not_worth_it(length, n):
    plan = plan_rechunk(*rows_and_columns(length, n), itemsize=8)
    assert len(plan.chunkings) == 3
    assert plan.tasks < n * n / 8


def test_a_hundred_million_pieces_become_some_hundred_thousand():
    old, new = rows_and_columns(10_000, 10_000)
    plan = plan_rechunk(old, new, itemsize=8)
    assert step_cost(old, new, 8, plan.model).tasks > 10**8
    assert len(plan.chunkings) > 2
    assert plan.tasks < 2_000_000


def test_maps_to_time_series_go_by_way_of_intermediate_chunks():
    maps, series = ((1,) * 2880, (37,), (49,)), ((2880,), (1,) * 37, (1,) * 49)
    plan = plan_rechunk(maps, series, itemsize=4)
    assert plan.tasks < 0.01 * step_cost(maps, series, 4, plan.model).tasks
    assert plan.seconds < 0.1 * step_cost(maps, series, 4, plan.model).seconds


def test_all_chunkings_of_a_plan_are_of_one_shape():
    plan = plan_rechunk(((7,) * 300, (2100,)), ((2100,), (5,) * 420), itemsize=4)
    assert len(plan.chunkings) > 2
    assert {tuple(map(sum, chunks)) for chunks in plan.chunkings} == {(2100, 2100)}


def test_dearer_tasks_make_a_detour_worth_it_and_slower_memory_makes_it_not():
    old, new = rows_and_columns(8000, 160)
    assert len(plan_rechunk(old, new, 8, task_cost=500e-6).chunkings) > 2
    assert len(plan_rechunk(old, new, 8, task_cost=500e-6, bandwidth=1e6).chunkings) == 2


@pytest.mark.parametrize("limit", [100_000, 1_000_000, 10_000_000])
def test_intermediate_chunks_stay_below_the_memory_limit(limit):
    plan = plan_rechunk(*rows_and_columns(10_000, 10_000), itemsize=8, memory_limit=limit)
    assert len(plan.chunkings) > 2
    assert max(largest_block(chunks, 8) for chunks in plan.chunkings[1:-1]) <= limit


def test_a_limit_that_no_intermediate_chunking_meets_leaves_the_direct_way():
    assert len(plan_rechunk(*rows_and_columns(3000, 300), itemsize=8, memory_limit=10).chunkings) == 2


@given(st.integers(100, 600), st.integers(100, 600), st.integers(600, 20_000), st.integers(10**3, 10**6))
def test_a_detour_is_never_estimated_to_be_slower_than_the_direct_way(n_old, n_new, length, memory_limit):
    old = (even(length, n_old), (length,))
    new = ((length,), even(length, n_new))
    plan = plan_rechunk(old, new, itemsize=8, memory_limit=memory_limit)
    assert plan.seconds <= step_cost(old, new, 8, plan.model).seconds


def test_the_cost_of_a_step_is_its_tasks_and_bytes():
    cost = step_cost(((50, 50), (100,)), ((100,), (50, 50)), 8, CostModel(task_cost=1.0, bandwidth=8.0))
    assert (cost.tasks, cost.moved, cost.largest, cost.held) == (6, 80_000, 40_000, 80_000)
    assert cost.seconds == 6 + 10_000


def test_blocks_that_stay_as_they_are_move_nothing():
    cost = step_cost(((4, 4, 4),), ((4, 8),), 8, CostModel())
    assert (cost.tasks, cost.moved) == (1, 64)


def test_copied_pieces_move_twice():
    cost = step_cost(((8,), (2,)), ((8,), (1, 1)), 8, CostModel())
    assert cost.moved == 2 * 8 * 2 * 8


def test_what_is_held_ends_at_the_boundaries_that_old_and_new_share():
    cost = step_cost(((2, 2, 3, 3), (10,)), ((4, 6), (10,)), 1, CostModel())
    assert cost.held == 6 * 10


def test_the_plan_prints_as_a_table():
    plan = plan_rechunk(*rows_and_columns(2000, 1000), itemsize=8)
    expected = """\
           chunks         blocks  tasks      moved    largest     held  seconds
    old    (2, 2000)       1,000                     31.2 KiB
    via    (62-64, 2000)      32     32   30.5 MiB    1.0 MiB  1.0 MiB   0.0042
    via    (250, 500)         32    160   30.5 MiB  976.6 KiB  3.8 MiB   0.0048
    via    (2000, 62-64)      32    288   30.5 MiB    1.0 MiB  7.6 MiB   0.0054
    new    (2000, 2)       1,000  1,000   61.0 MiB   31.2 KiB  1.0 MiB    0.013
    total                         1,480  152.6 MiB                        0.027"""
    assert str(plan) == textwrap.dedent(expected)


def test_a_plan_of_nothing_prints_its_chunks():
    plan = plan_rechunk(((3, 3, 1), (math.nan,)), ((3, 3, 1), (math.nan,)), 8)
    assert str(plan).splitlines()[1] == "old  (3, unknown)       3                   24 B"


def test_a_plan_is_a_value():
    plan = plan_rechunk(((4,),), ((2, 2),), 8)
    assert plan == plan_rechunk([[4]], [[2, 2]], 8)
    assert hash(plan) == hash(plan_rechunk(((4,),), ((2, 2),), 8))
    with pytest.raises(dataclasses.FrozenInstanceError):
        plan.itemsize = 4


def test_chunks_of_another_shape_are_refused_with_both_shapes():
    with pytest.raises(ChunkError, match=r"shape \(10, 4\) to chunks of shape \(9, 4\): along axis 0 .* 9, not 10"):
        plan_rechunk(((5, 5), (4,)), ((3, 3, 3), (4,)), 8)


def test_chunks_of_another_number_of_axes_are_refused_with_both_shapes():
    with pytest.raises(ChunkError, match=r"shape \(10,\) to chunks of shape \(10, 1\): chunks need 1 axes, got 2"):
        plan_rechunk(((5, 5),), ((10,), (1,)), 8)


@pytest.mark.parametrize("sizes", [(), (11, -1)])
def test_no_chunks_and_negative_ones_are_refused(sizes):
    with pytest.raises(ChunkError, match="axis 0 needs one chunk at least, each of size 0 or more"):
        plan_rechunk(((10,),), (sizes,), 8)


def test_an_axis_of_unknown_sizes_cannot_change():
    with pytest.raises(ChunkError, match=r"cannot rechunk axis 1 .* unknown"):
        plan_rechunk(((4,), (math.nan, math.nan)), ((2, 2), (math.nan,)), 8)
