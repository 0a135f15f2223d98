"""Building a graph: what it holds, and what it refuses, at the call that is wrong and by the name of the layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from restride.engine.graphs.graph import TaskGraph
from restride.errors import GraphError


def two_tasks() -> TaskGraph:
    graph = TaskGraph()
    graph.add(int, 2)
    return graph


def test_ids_run_on_from_layer_to_layer() -> None:
    graph = TaskGraph()
    first, none, second = graph.add(int, 3), graph.add(int, 0), graph.add(int, 2)
    assert first.ids.tolist() == [0, 1, 2]
    assert none.ids.tolist() == []
    assert second.ids.tolist() == [3, 4]
    assert second.ids.dtype == np.int64
    assert (len(graph), len(first)) == (5, 3)


def test_dependencies_of_all_layers_stand_in_one_csr() -> None:
    graph = TaskGraph()
    a = graph.add(int, 2)
    graph.add(int, 2, deps=([0, 2, 3], [1, 0, 1]))
    assert [column.tolist() for column in graph.dependencies()] == [[0, 0, 0, 2, 3], [1, 0, 1]]
    graph.add(int, 1, deps=([0, 2], a.ids))
    assert [column.tolist() for column in graph.dependencies()] == [[0, 0, 0, 2, 3, 5], [1, 0, 1, 0, 1]]


def test_a_dependency_may_repeat_and_keeps_its_place() -> None:
    graph = two_tasks()
    graph.add(int, 1, deps=([0, 3], [1, 0, 1]))
    assert graph.dependencies()[1].tolist() == [1, 0, 1]


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int32, np.uint64])
def test_columns_of_any_integers_become_int64(dtype: type) -> None:
    graph = two_tasks()
    graph.add(int, 1, deps=(np.array([0, 2], dtype), np.array([0, 1], dtype)))
    assert [column.dtype for column in graph.dependencies()] == [np.int64, np.int64]


def test_empty_columns_need_no_dtype() -> None:
    graph = TaskGraph()
    graph.add(int, 2, deps=([0, 0, 0], []))
    assert graph.dependencies()[1].dtype == np.int64


def test_later_changes_of_the_callers_arrays_do_not_reach_the_graph() -> None:
    graph = two_tasks()
    indptr, indices = np.array([0, 2]), np.array([0, 1])
    graph.add(int, 1, deps=(indptr, indices))
    indptr[:] = indices[:] = 77
    assert [column.tolist() for column in graph.dependencies()] == [[0, 0, 0, 2], [0, 1]]


@pytest.mark.parametrize(
    ("n", "arguments", "message"),
    [
        (1, {"deps": ([0, 1], [2])}, "a dependency on task 2, which does not exist yet; the graph has tasks 0 to 1"),
        (1, {"deps": ([0, 1], [-1])}, "a dependency on task -1, which does not exist yet"),
        (1, {"deps": ([0], [])}, "indptr of 1 tasks has 2 entries, got 1"),
        (1, {"deps": ([0, 1, 1], [0])}, "indptr of 1 tasks has 2 entries, got 3"),
        (1, {"deps": ([0, 1], [0, 1])}, r"indptr must rise from 0 to len\(indices\) = 2, got one from 0 to 1"),
        (1, {"deps": ([1, 2], [0, 1])}, r"indptr must rise from 0 to len\(indices\) = 2, got one from 1 to 2"),
        (2, {"deps": ([0, 3, 2], [0, 1])}, "indptr must rise"),
        (1, {"deps": ([0.0, 1.0], [0])}, "indptr must be one-dimensional and of integers, got float64"),
        (1, {"deps": ([0, 1], ["a"])}, "indices must be one-dimensional and of integers, got <U1"),
        (1, {"deps": ([0, 2], [[0, 1]])}, r"indices must be one-dimensional and of integers, got int64\(1, 2\)"),
        (1, {"deps": ([0, 1],)}, "deps must be a pair of columns, indptr and indices, got 1"),
        (1, {"deps": ([0, 1], [0], [0])}, "deps must be a pair of columns, indptr and indices, got 3"),
        (2, {"params": [1]}, "2 tasks need 2 params, got 1"),
        (2, {"params": iter([1])}, "2 tasks need 2 params, got 1"),
        (2, {"params": np.zeros((3, 2))}, "2 tasks need 2 params, got 3"),
        (1, {"params": 5}, "params must hold a value for each task, got int"),
        (1, {"params": np.array(5)}, "params must hold a value for each task, got ndarray"),
        (-1, {}, "cannot have -1 tasks"),
    ],
)
def test_bad_input_is_refused_by_the_name_of_the_layer(n: int, arguments: dict[str, Any], message: str) -> None:
    graph = two_tasks()
    with pytest.raises(GraphError, match=f"^layer 'wrong': {message}"):
        graph.add(int, n, name="wrong", **arguments)
    assert isinstance(GraphError(), ValueError)
    assert len(graph) == 2, "what is refused leaves no trace"
    assert len(graph.layers) == 1
    assert graph.dependencies()[0].tolist() == [0, 0, 0]


def test_a_kernel_that_cannot_be_called_is_refused() -> None:
    with pytest.raises(GraphError, match="layer 'str': the kernel must be callable, got str"):
        TaskGraph().add("int", 1)  # type: ignore[arg-type]


def test_a_layer_is_named_by_its_kernel_unless_told_otherwise() -> None:
    class Callable:
        def __call__(self) -> None: ...

    graph = TaskGraph()
    assert graph.add(abs, 1).name == "abs"
    assert graph.add(Callable(), 1).name == "Callable"
    assert graph.add(abs, 1, name="mine").name == "mine"


def test_constants_and_the_line_that_added_it_go_with_a_layer() -> None:
    layer = TaskGraph().add(abs, 1, scale=3)
    assert layer.constants == {"scale": 3}
    assert layer.origin is not None
    assert layer.origin.startswith(__file__)
    assert layer.origin.endswith("in test_constants_and_the_line_that_added_it_go_with_a_layer")


def test_params_without_positions_of_their_own_are_listed() -> None:
    class Labelled:
        """Like a pandas series: its labels are not positions."""

        def __iter__(self) -> Any:
            return iter(["a", "b"])

        def __len__(self) -> int:
            return 2

        def __getitem__(self, label: int) -> str:
            raise KeyError(label)

    graph = TaskGraph()
    assert graph.add(str, 2, params={"a": 1, "b": 2}.values()).params == [1, 2]  # type: ignore[arg-type]
    assert graph.add(str, 2, params=(letter for letter in "ab")).params == ["a", "b"]  # type: ignore[arg-type]
    assert graph.add(str, 2, params=Labelled()).params == ["a", "b"]  # type: ignore[arg-type]


def test_layers_of_futures_run_nothing_and_depend_on_nothing() -> None:
    graph = two_tasks()
    layer = graph.add_futures(["future"])  # type: ignore[list-item]
    assert layer.ids.tolist() == [2]
    assert layer.kernel is None
    assert graph.dependencies()[0].tolist() == [0, 0, 0, 0]
