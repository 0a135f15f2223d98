"""A job: what of a graph is needed, in a valid order, with everything else as it was; against loops over tasks."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restride.engine.graphs.graph import TaskGraph
from restride.engine.graphs.job import Job, compile_job, job_of_one
from restride.errors import GraphError
from tests.engine.model import GraphSpec, graph_specs

FUTURES = [1000, 1001, 1002]
"""Tokens that stand for futures; nothing here looks into them."""


def graph_ids(job: Job) -> list[int]:
    """The id in the graph of each row of a job."""
    return [job.layers[number].start + at for number, at in zip(job.layer.tolist(), job.index.tolist())]


def csr_rows(indptr: np.ndarray, indices: np.ndarray) -> list[list[int]]:
    return [indices[start:stop].tolist() for start, stop in pairwise(indptr.tolist())]


@given(graph_specs(FUTURES, most=8))
def test_a_job_has_exactly_the_tasks_and_inputs_that_are_needed(spec: GraphSpec) -> None:
    job, inputs, _ = compile_job(spec.build(0), spec.wanted)
    tasks = spec.tasks()
    needed = {id for id in spec.needed() if tasks[id][0].futures is None}
    assert sorted(graph_ids(job)) == sorted(needed)
    needed_inputs = sorted(spec.needed() - needed)
    assert inputs == [tasks[id][0].futures[tasks[id][2]] for id in needed_inputs]  # type: ignore[index]
    assert (job.n, job.inputs) == (len(needed), len(needed_inputs))


@given(graph_specs(FUTURES, most=8))
def test_a_job_keeps_the_dependencies_of_each_task_in_their_order(spec: GraphSpec) -> None:
    job, _, _ = compile_job(spec.build(0), spec.wanted)
    tasks = spec.tasks()
    inputs = sorted(id for id in spec.needed() if tasks[id][0].futures is not None)
    ids = graph_ids(job) + inputs
    for row, deps in enumerate(csr_rows(job.indptr, job.indices)):
        layer, _, at = tasks[ids[row]]
        assert [ids[dep] for dep in deps] == layer.rows[at]


@given(graph_specs(FUTURES, most=8))
def test_rows_come_after_their_dependencies_and_dependents_mirror_them(spec: GraphSpec) -> None:
    job, _, _ = compile_job(spec.build(0), spec.wanted)
    deps = csr_rows(job.indptr, job.indices)
    assert all(dep < row for row, needs in enumerate(deps) for dep in needs if dep < job.n)
    expected = [
        [row for row, needs in enumerate(deps) for dep in needs if dep == of] for of in range(job.n + job.inputs)
    ]
    assert csr_rows(job.rindptr, job.rindices) == expected


@given(graph_specs(FUTURES, most=8))
def test_each_wanted_id_has_its_row_however_often_it_is_wanted(spec: GraphSpec) -> None:
    job, inputs, rows = compile_job(spec.build(0), spec.wanted)
    tasks, ids = spec.tasks(), graph_ids(job)
    assert len(rows) == len(spec.wanted)
    for id, row in zip(spec.wanted, rows.tolist()):
        layer, _, at = tasks[id]
        if layer.futures is None:
            assert ids[row] == id
        else:
            assert inputs[row - job.n] == layer.futures[at]
    assert job.wanted.tolist() == sorted({row for row in rows.tolist() if row < job.n})


@pytest.mark.parametrize("factor", [1, 200])
def test_large_graphs_are_culled_and_numbered_like_small_ones(factor: int) -> None:
    """Beyond some hundred tasks another algorithm orders them."""
    n = 3 * factor
    graph = TaskGraph()
    a = graph.add(int, n)
    pairs = np.stack([a.ids, np.roll(a.ids, 1)], axis=1).ravel()
    b = graph.add(int, n, deps=(2 * np.arange(n + 1), pairs))
    job, _, rows = compile_job(graph, b.ids[::-3])
    ids = np.array(graph_ids(job))
    assert ids[rows].tolist() == b.ids[::-3].tolist()
    assert len(ids) == len(set(ids.tolist())) == n // 3 * 3
    for row, deps in enumerate(csr_rows(job.indptr, job.indices)):
        at = ids[row] - n
        assert ids[deps].tolist() == ([] if at < 0 else [at, (at - 1) % n])
        assert all(dep < row for dep in deps)


def test_nothing_wanted_is_a_job_without_tasks() -> None:
    graph = TaskGraph()
    graph.add(int, 3)
    job, inputs, rows = compile_job(graph, [])
    assert (job.n, job.inputs, inputs, rows.tolist(), job.wanted.tolist()) == (0, 0, [], [], [])


def test_futures_that_are_wanted_themselves_are_no_tasks() -> None:
    graph = TaskGraph()
    futures = graph.add_futures(FUTURES)  # type: ignore[arg-type]
    job, inputs, rows = compile_job(graph, [futures.ids[2], futures.ids[0], futures.ids[2]])
    assert (job.n, inputs, rows.tolist()) == (0, [1000, 1002], [1, 0, 1])


@pytest.mark.parametrize("wanted", [[3], [0, -1], [2, 77]])
def test_ids_that_are_not_in_the_graph_are_refused(wanted: list[int]) -> None:
    graph = TaskGraph()
    graph.add(int, 3)
    wrong = next(id for id in wanted if not 0 <= id < 3)
    with pytest.raises(GraphError, match=f"task {wrong} is wanted, but the graph has tasks 0 to 2"):
        compile_job(graph, wanted)


@pytest.mark.parametrize("wanted", [[0.0], [[0, 1]], [True], ["a"]])
def test_wanted_ids_are_one_column_of_integers(wanted: Any) -> None:
    graph = TaskGraph()
    graph.add(int, 3)
    with pytest.raises(GraphError, match="the wanted ids must be one-dimensional and of integers"):
        compile_job(graph, wanted)


def test_a_graph_may_grow_after_a_job_was_made_of_it() -> None:
    graph = TaskGraph()
    a = graph.add(int, 2)
    job, _, _ = compile_job(graph, a.ids)
    graph.add(int, 1, deps=([0, 1], [0]))
    assert (job.n, len(job.layers)) == (2, 1)


# ---- parameters and names


def job_of(*params: Any, names: str = "abcdef") -> Job:
    """A job of one layer for each column of params, rows in the order of the layers."""
    graph = TaskGraph()
    for name, column in zip(names, params):
        graph.add(str, 2 if column is None else len(column), params=column, name=name)
    return compile_job(graph, np.arange(len(graph)))[0]


def test_rows_of_an_ndarray_of_params_are_plain_python_values() -> None:
    job = job_of(np.array([1.5, 2.5]), np.array([[1, 2], [3, 4]], np.int8), np.array(["x", "y"]))
    params = job.params(np.arange(6))
    assert params == [1.5, 2.5, [1, 2], [3, 4], "x", "y"]
    assert [type(param) for param in params] == [float, float, list, list, str, str]
    assert type(params[2][0]) is int


def test_params_of_sequences_are_the_very_objects() -> None:
    column = [object(), object()]
    assert job_of(column).params(np.array([1, 0, 1])) == [column[1], column[0], column[1]]


def test_params_of_a_range_and_of_layers_without_any() -> None:
    assert job_of(range(3, 6), None).params(np.array([4, 2, 3, 0])) == [None, 5, None, 3]


@given(st.permutations(range(7)))
def test_params_come_in_the_order_of_the_rows_whatever_their_layers(rows: list[int]) -> None:
    job = job_of(np.arange(10, 13), None, ["a", "b"])
    every = [10, 11, 12, None, None, "a", "b"]
    assert job.params(np.array(rows)) == [every[row] for row in rows]


def test_no_rows_have_no_params() -> None:
    assert job_of(range(2)).params(np.zeros(0, np.int64)) == []


def test_a_task_is_called_by_its_layer_and_by_which_of_it_unless_alone() -> None:
    job = job_of(range(2), [7])
    assert [job.task_name(row) for row in range(3)] == ["a[0]", "a[1]", "b"]
    assert job.origin(2) == job.layers[1].origin


@pytest.mark.parametrize("inputs", [[], [1000], [1000, 1001, 1000], [1002, 1001, 1000, 1001]])
def test_a_job_of_one_task_is_what_compiling_its_graph_gives(inputs: list[Any]) -> None:
    graph = TaskGraph()
    unique = list(dict.fromkeys(inputs))
    earlier = graph.add_futures(unique)
    deps = [earlier.start + unique.index(future) for future in inputs]
    layer = graph.add(max, 1, deps=([0, len(inputs)], deps), params=[7])
    expected, expected_inputs, _ = compile_job(graph, layer.ids)
    job, found = job_of_one(layer, inputs)
    assert found == expected_inputs
    for column in ("index", "indptr", "indices", "rindptr", "rindices", "inputs", "wanted"):
        assert np.array_equal(getattr(job, column), getattr(expected, column)), column
    assert (job.n, job.task_name(0), job.params(np.array([0]))) == (1, "max", [7])
