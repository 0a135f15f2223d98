from __future__ import annotations

import itertools
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restride.engine.graphs.graph import TaskGraph
from restride.errors import GraphError
from restride.shuffle.rechunk import RechunkPlan, lower_rechunk, plan_rechunk
from restride.shuffle.rechunk_step import copy_piece, merge_pieces, rechunk_step, take_piece


def axis_chunks(length):
    cuts = st.lists(st.integers(0, length), max_size=4).map(sorted)
    return cuts.map(lambda cut: tuple(np.diff([0, *cut, length]).tolist()))


@st.composite
def ways(draw, min_chunkings=2, max_chunkings=4):
    """Several chunkings of one shape of 0 to 4 axes: some of length 0 or 1, some chunks empty, some axes unchanged."""
    shape = draw(st.lists(st.integers(0, 7), max_size=4))
    n = draw(st.integers(min_chunkings, max_chunkings))
    return tuple(tuple(draw(axis_chunks(length)) for length in shape) for _ in range(n))


def blocks_of(x, chunks):
    edges = [[0, *itertools.accumulate(sizes)] for sizes in chunks]
    return [
        x[window] for window in itertools.product(*([slice(a, b) for a, b in itertools.pairwise(e)] for e in edges))
    ]


def run(graph):
    """All outputs of a graph, task by task: ids are a topological order."""
    indptr, indices = graph.dependencies()
    outputs = []
    for layer in graph.layers:
        params = layer.params.tolist() if isinstance(layer.params, np.ndarray) else layer.params
        for param, task in zip(params, layer.ids):
            outputs.append(layer.kernel(param, *(outputs[i] for i in indices[indptr[task] : indptr[task + 1]])))
    return outputs


def lowered(blocks, plan):
    """A graph of the blocks and then the plan, the tasks of the new blocks, and how many tasks the plan took."""
    graph = TaskGraph()
    sources = graph.add(lambda block: block, len(blocks), params=blocks)
    ids = lower_rechunk(graph, sources.ids, plan)
    return graph, ids, len(graph) - len(blocks)


def rechunked(x, plan):
    graph, ids, _ = lowered(blocks_of(x, plan.chunkings[0]), plan)
    outputs = run(graph)
    return [outputs[i] for i in ids]


def filled(chunks):
    shape = [sum(sizes) for sizes in chunks]
    return np.arange(math.prod(shape)).reshape(shape)


def assert_same_blocks(got, expected):
    assert [block.shape for block in got] == [block.shape for block in expected]
    for block, reference in zip(got, expected):
        np.testing.assert_array_equal(block, reference)


@given(ways(max_chunkings=2))
def test_new_blocks_are_those_that_numpy_slices(way):
    old, new = way
    x = filled(old)
    assert_same_blocks(rechunked(x, plan_rechunk(old, new, x.itemsize)), blocks_of(x, new))


@given(ways(min_chunkings=3))
def test_intermediate_chunkings_do_not_change_the_result(way):
    x = filled(way[0])
    if x.ndim:
        assert_same_blocks(rechunked(x, RechunkPlan(way, x.itemsize)), blocks_of(x, way[-1]))


@given(ways(max_chunkings=2))
def test_the_cost_counts_the_tasks_that_are_made(way):
    plan = plan_rechunk(*way, itemsize=8)
    _, _, tasks = lowered(blocks_of(filled(way[0]), way[0]), plan)
    assert tasks == plan.tasks


def test_a_plan_with_a_detour_of_its_own_choice_gives_the_new_blocks():
    rows, columns = ((1,) * 400, (400,)), ((400,), (1,) * 400)
    x = filled(rows)
    plan = plan_rechunk(rows, columns, x.itemsize)
    graph, ids, tasks = lowered(blocks_of(x, rows), plan)
    assert len(plan.chunkings) > 2
    assert tasks == plan.tasks < 10_000
    outputs = run(graph)
    assert_same_blocks([outputs[i] for i in ids], blocks_of(x, columns))


def test_identical_chunks_take_no_task():
    chunks = ((3, 4), (5,))
    plan = plan_rechunk(chunks, chunks, 8)
    _, ids, tasks = lowered(blocks_of(filled(chunks), chunks), plan)
    assert (plan.steps, tasks, ids.tolist()) == ((), 0, [0, 1])


def test_a_zero_dimensional_array_takes_no_task():
    assert lowered([np.array(1.0)], plan_rechunk((), (), 8))[2] == 0


def test_a_piece_that_is_a_whole_block_is_no_task():
    step = rechunk_step(((2, 2, 2, 2),), ((4, 4),))
    assert len(step.source) == 0
    assert (step.indices.tolist(), step.outputs.tolist()) == ([0, 1, 2, 3], [4, 5])


def test_a_new_block_of_one_piece_is_no_merge():
    step = rechunk_step(((6,), (4,)), ((3, 3), (4,)))
    assert len(step.grids) == 0
    assert (step.bounds.tolist(), step.outputs.tolist()) == ([[0, 3, 0, 4], [3, 6, 0, 4]], [1, 2])


def test_an_all_to_all_takes_a_piece_for_each_pair_of_blocks_and_a_merge_for_each_new_block():
    step = rechunk_step(((10,) * 300, (3000,)), ((3000,), (10,) * 300))
    assert (len(step.source), len(step.grids), step.n_tasks) == (90_000, 300, 90_300)
    assert step.grids.tolist() == [[300, 1]] * 300


def test_axes_of_unknown_chunk_sizes_go_along_when_another_axis_changes():
    plan = plan_rechunk(((2, 2), (math.nan, math.nan)), ((1, 3), (math.nan, math.nan)), 8)
    x = np.arange(20).reshape(4, 5)
    graph, ids, _ = lowered(blocks_of(x, ((2, 2), (1, 4))), plan)
    outputs = run(graph)
    assert_same_blocks([outputs[i] for i in ids], blocks_of(x, ((1, 3), (1, 4))))


def test_layers_carry_the_name_and_the_origin_given():
    graph = TaskGraph()
    source = graph.add(lambda i: np.zeros((4, 4)), 1, params=[0])
    plan = plan_rechunk(((4,), (4,)), ((4,), (2, 2)), 8)
    lower_rechunk(graph, source.ids, plan, name="columns", origin="here.py:1 in f")
    assert [(layer.name, layer.origin) for layer in graph.layers[1:]] == [("columns-piece", "here.py:1 in f")]


def test_layers_of_a_detour_carry_the_number_of_their_step():
    plan = RechunkPlan((((2, 2), (4,)), ((2, 2), (2, 2)), ((4,), (2, 2))), itemsize=8)
    graph, _, _ = lowered([np.zeros((2, 4))] * 2, plan)
    assert [layer.name for layer in graph.layers[1:]] == ["rechunk-1-piece", "rechunk-2-merge"]


def test_tasks_of_the_wrong_number_of_blocks_are_refused():
    with pytest.raises(GraphError, match="starts from 2 blocks, got the tasks of 3"):
        lower_rechunk(TaskGraph(), np.arange(3), plan_rechunk(((1, 1),), ((2,),), 8))


@pytest.mark.parametrize("kernel", [take_piece, copy_piece, merge_pieces])
def test_kernels_can_travel(kernel):
    assert pickle.loads(pickle.dumps(kernel)) is kernel


@pytest.mark.parametrize("ndim", [1, 2, 3, 4, 5])
def test_a_piece_is_a_view_of_its_block(ndim):
    block = np.arange(3**ndim).reshape((3,) * ndim)
    piece = take_piece([1, 3] * ndim, block)
    assert piece.base is not None
    assert np.shares_memory(piece, block)
    np.testing.assert_array_equal(piece, block[(slice(1, 3),) * ndim])


def test_pieces_thinner_than_a_cache_line_are_copied():
    graph, _, _ = lowered([np.zeros((4, 8))], plan_rechunk(((4,), (8,)), ((4,), (1,) * 8), 8))
    assert graph.layers[1].kernel is copy_piece
    graph, _, _ = lowered([np.zeros((4, 16))], plan_rechunk(((4,), (16,)), ((4,), (8, 8)), 8))
    assert graph.layers[1].kernel is take_piece


@pytest.mark.parametrize("grid", [[4, 1], [1, 4], [2, 2]])
def test_merged_blocks_are_c_contiguous_whatever_their_pieces_are(grid):
    pieces = [np.asfortranarray(np.full((2, 3), i)) for i in range(4)]
    block = merge_pieces(grid, *pieces)
    assert block.flags.c_contiguous
    reference = np.block([[pieces[row * grid[1] + column] for column in range(grid[1])] for row in range(grid[0])])
    np.testing.assert_array_equal(block, reference)


def test_pieces_of_different_dtypes_merge_to_the_common_one():
    pieces = [np.zeros((1, 1), dtype) for dtype in ("i4", "f4", "i8", "f8")]
    assert merge_pieces([2, 2], *pieces).dtype == merge_pieces([4, 1], *pieces).dtype == np.float64
