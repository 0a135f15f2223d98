from __future__ import annotations

import pickle
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import restride as rs
import restride.array as ra
from restride.collections.fusion import FusedKernel
from restride.collections.lowering import lower
from tests.collections.array.strategies import pairs


def n_tasks(*arrays):
    """How many tasks run."""
    graph, ids = lower([x.expr for x in arrays])
    indptr, indices = graph.dependencies()
    needed = np.zeros(len(graph), bool)
    needed[np.concatenate(ids)] = True
    for task in range(len(graph))[::-1]:
        if needed[task]:
            needed[indices[indptr[task] : indptr[task + 1]]] = True
    return int(needed.sum())


def layer_names(x):
    graph, _ = lower([x.expr])
    return [layer.name for layer in graph.layers]


class Matrix:
    """Not free to read."""

    def __init__(self, values):
        self.values = values
        self.shape = values.shape
        self.dtype = values.dtype

    def __getitem__(self, where):
        return self.values[where]


@pytest.fixture
def x():
    return ra.from_array(Matrix(np.arange(48.0).reshape(6, 8)), chunks=(2, 2))


def test_an_elementwise_chain_and_its_source_are_one_task_a_block(x):
    assert n_tasks(np.exp(x + 1) * 2) == 12
    assert layer_names(np.exp(x + 1) * 2) == ["fromarray-add-exp-multiply"]


def test_names_of_long_chains_stay_short(x):
    for _ in range(10):
        x = x + 1
    assert layer_names(x) == ["fromarray-add-...-add-add-add"]


def test_a_chain_runs_inside_the_first_step_of_a_reduction(x):
    assert n_tasks(np.exp(x + 1).sum()) == 12 + 1


def test_a_tree_combines_up_to_sixteen_blocks_a_task():
    assert n_tasks(ra.ones(16, chunks=1).sum()) == 16 + 1
    assert n_tasks(ra.ones(256, chunks=1).sum()) == 256 + 16 + 1
    assert n_tasks(ra.ones((16, 16), chunks=1).sum()) == 256 + 16 + 1
    assert n_tasks(ra.ones((16, 16), chunks=1).sum(axis=0)) == 256 + 16


def test_a_diamond_is_one_task_a_block(x):
    y = x + 1
    assert n_tasks(y * y + (y - 2) * (y / 3)) == 12


def test_transposes_and_slices_fuse(x):
    assert n_tasks(x.T[::-1] + 1) == 12
    assert n_tasks((x + 1)[:3, 1:] * 2) == 8


def test_whole_blocks_are_taken_without_a_task(x):
    assert n_tasks(x[2:4]) == 4
    assert n_tasks(x[2:4], x) == 12
    assert n_tasks(ra.concatenate([x, x])) == 12


def test_parts_of_a_table_fuse_where_each_block_is_used_once(x):
    y = x + 1
    assert n_tasks(y[:, :4] + y[:, 4:]) == 6


def test_a_block_that_two_tasks_use_is_made_once(x):
    assert n_tasks(x + x[:, ::-1]) == 12 + 12
    y = x + 1
    assert n_tasks(y, y.sum()) == 12 + 12 + 1
    assert n_tasks((y - y.mean()).sum()) == 12 + 12 + 1 + 12 + 1


def test_what_is_free_is_made_again_by_each_task_that_uses_it():
    for free in (ra.ones((1, 8), chunks=2), ra.arange(8, chunks=2), ra.from_array(np.arange(8), chunks=2)):
        assert n_tasks(free + ra.zeros((6, 8), chunks=(2, 2))) == 12


def test_several_outputs_share_what_they_have_in_common(x):
    assert n_tasks(x.sum(), x.max()) == 12 + 2 * (12 + 1)
    assert n_tasks(x + 1, x + 1) == 12


@given(pairs(dtypes=["f8"], min_dims=2, max_dims=2, min_side=1), st.data())
def test_fused_graphs_give_what_numpy_gives(pair, data):
    a, x = pair
    known = [(a, x)]
    for _ in range(data.draw(st.integers(1, 6))):
        (a, x), (b, y) = (data.draw(st.sampled_from(known)) for _ in range(2))
        step = data.draw(st.sampled_from(["add", "neg", "flip", "transpose", "demean", "fold"]))
        match step:
            case "add" if a.shape == b.shape:
                known.append((a + b, x + y))
            case "neg":
                known.append((-a, -x))
            case "flip":
                known.append((a[::-1], x[::-1]))
            case "transpose":
                known.append((a.T, x.T))
            case "demean" if len(a):
                known.append((a - a.max(axis=0), x - x.max(axis=0)))
            case "fold":
                half = a.shape[1] // 2
                known.append((a[:, :half] + a[:, a.shape[1] - half :], x[:, :half] + x[:, a.shape[1] - half :]))
    for result, (expected, _) in zip(rs.compute(*(x for _, x in known)), known):
        np.testing.assert_array_equal(result, expected)


class TestFusedKernel:
    def test_forgets_values_when_no_later_step_needs_them(self):
        made = []

        class Value:
            pass

        def make(*_):
            value = Value()
            made.append(weakref.ref(value))
            return value

        def count(_):
            return sum(value() is not None for value in made)

        steps = [(make, (), ()), (make, (0,), (0,)), (make, (1,), (1,)), (count, (2,), (2,))]
        assert FusedKernel("make", [], 0, steps, [None] * 4)() == 1

    def test_tells_which_step_failed_and_where_it_was_made(self, x):
        y = x.map_blocks(lambda block: 1 / 0) + 1
        with pytest.raises(ZeroDivisionError) as raised:
            y.compute()
        notes = "\n".join(raised.value.__notes__)
        assert "step 2 of 4" in notes
        assert "test_fusion.py" in notes

    def test_can_be_pickled(self):
        graph, _ = lower([np.exp(ra.ones(4, chunks=2) + 1).sum().expr])
        kernel = pickle.loads(pickle.dumps(graph.layers[0].kernel))
        assert kernel([2]) == pytest.approx(2 * np.exp(2))

    def test_takes_parameters_of_several_steps(self):
        x = ra.arange(6, chunks=2) + ra.ones((3, 6), chunks=(1, 2))
        np.testing.assert_array_equal(x.compute(), np.arange(6) + np.ones((3, 6)))
